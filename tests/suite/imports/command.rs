//! `doorward account import`, with the real executable beside a live server.

use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use crate::letter::path_of;
use crate::process::Doorward;
use crate::relay::{Relay, Security};
use crate::served::{self, found};
use crate::wait;

const PATIENCE: Duration = Duration::from_secs(20);

fn said(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout.clone()).unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap(),
    )
}

fn import(process: &Doorward, list: &[u8], args: &[&str]) -> (i32, String, String) {
    let file = process.data().parent().unwrap().join("list.csv");
    std::fs::write(&file, list).unwrap();
    let file = file.to_str().unwrap();
    let args = [&["account", "import", file], args].concat();
    said(&process.run(&args))
}

#[test]
fn an_operator_imports_by_the_same_verdicts_and_without_caps() {
    let relay = Relay::start(Security::Plain);
    let process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    let list = b"email,permission,name,phone\nlea@x.example,Billing,L\xc3\xa9a Fontaine,+47 922 41 108\nbo@x.example\n\
        ingrid@haldenworks.example\nno address\nc@x.example,owner\nLEA@x.example\n";

    // Looking changes nothing.
    let (code, out, err) = import(&process, list, &["--check"]);
    assert_eq!(code, 1, "{out}{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 7, "{out}");
    assert!(lines[0].starts_with("LINE  EMAIL"), "{out}");
    for (line, words) in lines[1..].iter().zip([
        "lea@x.example               billing     New",
        "member      New",
        "Already here",
        "Not an email",
        "The permissions are Member, Billing, Admin and Master.",
        "The same email stands in line 2.",
    ]) {
        assert!(line.contains(words), "{line}: {words}");
    }
    assert!(
        err.contains("2 people can be invited. Nobody was."),
        "{err}"
    );
    assert!(err.contains("error: 4 of 6 lines refused"), "{err}");
    assert!(!owner.get("/iam/accounts").text().contains("lea@x.example"));

    let (code, out, err) = import(&process, list, &["--links"]);
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(out.matches("/activate/").count(), 2, "{out}");
    assert!(err.contains("2 people invited."), "{err}");
    let line = out.lines().nth(1).unwrap();
    let mut lea = crate::client::Client::new(process.address());
    let page = lea.get(&path_of(line.split_whitespace().last().unwrap()));
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("value=\"Léa Fontaine\""),
        "{}",
        page.body
    );
    let came = wait::until(PATIENCE, || (relay.messages().len() >= 2).then_some(()));
    assert!(came.is_some(), "no mail");

    // Once more: everybody is here. What is right alone is 0, and JSON says the same.
    let (code, out, _) = import(&process, list, &["--json"]);
    assert_eq!(code, 1);
    let lines: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(lines[0]["why"], "here");
    assert_eq!(lines[3]["outcome"], "refused");
    assert_eq!(lines[3]["line"], 5);
    let many: String = (0..400).map(|one| format!("p{one}@y.example\n")).collect();
    let (code, out, err) = import(&process, many.as_bytes(), &["--json", "--role", "ADMIN"]);
    assert_eq!(code, 0, "{err}");
    let lines: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(lines.as_array().unwrap().len(), 400);
    assert!(
        lines.as_array().unwrap().iter().all(|line| {
            line["outcome"] == "invited"
                && line["permission"] == "admin"
                && line.get("activation_link").is_none()
        }),
        "{out}"
    );

    // What cannot be read is told with its line, and does nothing.
    let (code, out, err) = import(&process, b"a@x.example\nL\xe9a\n", &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.contains("list.csv:2: This is not UTF-8 text.") && err.contains("Nobody was invited."),
        "{err}"
    );
    let (code, _, err) = said(&process.run(&["account", "import", "/nowhere/list.csv"]));
    assert_eq!(code, 1, "{err}");
    let (code, _, _) = import(&process, b"a@x.example\n", &["--org", "Nobody"]);
    assert_eq!(code, 3);
    let (code, _, _) = import(&process, b"a@x.example\n", &["--role", "owner"]);
    assert_eq!(code, 2);
    assert!(process.run(&["audit", "verify"]).status.success());
}
