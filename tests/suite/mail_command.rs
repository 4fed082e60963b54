//! `doorward mail` and *Send test mail*, with the real executable and a relay that misbehaves.

use std::process::Output;

use serde_json::Value;

use crate::process::Launch;
use crate::relay::{Relay, Security, Step, Twist};
use crate::served::{self, found, invite, until_seen};

const ANN: &str = "ann@haldenworks.example";

/// What it printed on both, with its code.
fn told(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// No form of the login stands in it.
#[track_caller]
fn keeps_the_login_to_itself(text: &str) {
    let login = data_encoding::BASE64.encode(b"\0portal\0s@cret");
    for secret in ["s@cret", "s%40cret", &login] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_test_from_the_command_line_needs_neither_server_nor_account() {
    let relay = Relay::start(Security::StartTls);
    relay.ask_for_login("portal", "s@cret");
    let launch = Launch::serve().env("DOORWARD_SMTP_URL", relay.url("portal:s%40cret@"));
    // Not even a database: then it is recorded nowhere, and says so.
    let (out, err, code) = told(&launch.run(&["mail", "test", ANN]));
    assert_eq!(code, Some(0), "{out}\n{err}");
    assert!(err.contains("recorded nowhere"), "{err}");
    for part in [
        "S: 220 relay.test ESMTP",
        "-- TLS 1.3 from here on",
        "C: AUTH (user and password not shown)",
        "S: 235 2.7.0 welcome",
        "C: RCPT TO:<ann@haldenworks.example>",
        "C: (the message, ",
        "Sent: 250 2.0.0 taken",
    ] {
        assert!(out.contains(part), "{part} in {out}");
    }
    keeps_the_login_to_itself(&out);
    assert!(!out.contains("Mail arrives"), "{out}");
    let received = relay.wait_for(1);
    assert_eq!(received[0].to, [ANN]);
    assert!(
        received[0]
            .data
            .contains("Subject: Test mail from Portal\r\n")
    );

    // A wrong password: exit 1, with what the server said and what to do.
    let wrong = Launch::serve().env("DOORWARD_SMTP_URL", relay.url("portal:wr0ng@"));
    let (out, err, code) = told(&wrong.run(&["mail", "test", ANN]));
    assert_eq!(code, Some(1), "{out}\n{err}");
    assert!(
        out.contains("S: 535 5.7.8 user or password is wrong"),
        "{out}"
    );
    assert!(
        err.contains("535 5.7.8 user or password is wrong")
            && err.contains("check user and password in smtp_url"),
        "{err}"
    );
    assert!(!out.contains("wr0ng") && !err.contains("wr0ng"));

    // No relay, and no address.
    let off = Launch::serve();
    let (out, err, code) = told(&off.run(&["mail", "test", ANN]));
    assert_eq!((out.as_str(), code), ("", Some(1)), "{err}");
    assert!(err.contains("set smtp_url (DOORWARD_SMTP_URL)"), "{err}");
    for evil in [
        "ann",
        "a@b@c.example",
        "a@x.example\r\nRCPT TO:<b@x.example>",
        "\"a\"@x.example",
    ] {
        let (out, _, code) = told(&launch.run(&["mail", "test", evil]));
        assert_eq!((out.as_str(), code), ("", Some(2)), "{evil:?}");
    }
}

#[test]
fn beside_a_server_mails_are_listed_shown_and_sent_again_and_a_test_is_recorded() {
    let relay = Relay::start(Security::Plain);
    relay.refuse(ANN, "550 5.1.1 no such user");
    let process = Launch::serve()
        .env("DOORWARD_SMTP_URL", relay.url(""))
        .start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    until_seen(&mut owner, "/mail?state=failed", "550 5.1.1 no such user");

    let listed = json(&process.run(&["mail", "list", "--state", "failed", "--json"]));
    let row = &listed.as_array().unwrap()[0];
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(row["to"], ANN);
    assert_eq!(row["answer"], "550 5.1.1 no such user");
    let id = row["id"].as_str().unwrap();
    let (table, _, _) = told(&process.run(&["mail", "list"]));
    assert!(
        table.contains(id) && table.contains("Activate your account"),
        "{table}"
    );
    let (_, err, code) = told(&process.run(&["mail", "list", "--state", "lost"]));
    assert_eq!(code, Some(2), "{err}");

    let shown = json(&process.run(&["mail", "show", id, "--json"]));
    assert_eq!(shown["attempts"][0]["answer"], "550 5.1.1 no such user");
    assert_eq!(shown["dialogue"], Value::Null);
    let (text, _, _) = told(&process.run(&["mail", "show", id]));
    assert!(text.contains(ANN) && text.contains("TIMES"), "{text}");
    // What it says, and so its link, is shown nowhere.
    assert!(!text.contains("/activate/") && !table.contains("/activate/"));

    relay.behave();
    let (text, _, code) = told(&process.run(&["mail", "retry", id]));
    assert_eq!(
        text.trim(),
        format!("{id} to {ANN} waits to be sent again.")
    );
    assert_eq!(code, Some(0));
    until_seen(&mut owner, &format!("/mail/{id}"), "250 2.0.0 taken");
    let (_, err, code) = told(&process.run(&["mail", "retry", id]));
    assert_eq!(code, Some(1), "{err}");
    let (_, err, code) = told(&process.run(&["mail", "show", "mail_bbbbbbbbbbbbb"]));
    assert_eq!(code, Some(3), "{err}");

    let taken = relay.messages().len();
    let (out, err, code) = told(&process.run(&["mail", "test", "anybody@else.example"]));
    assert_eq!(code, Some(0), "{out}\n{err}");
    assert_eq!(err, "");
    assert_eq!(
        relay.wait_for(taken + 1)[taken].to,
        ["anybody@else.example"]
    );
    let (verified, err, code) = told(&process.run(&["audit", "verify"]));
    assert_eq!(code, Some(0), "{verified}\n{err}");
    let file = process.data().join("doorward.db");
    let file = rusqlite::Connection::open(file).unwrap();
    let told: i64 = file
        .query_row(
            "SELECT count(*) FROM audit_events WHERE action = 'mail.tested' AND actor = 'operator' AND chain_id = 0",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(told, 1);
}

#[test]
fn a_test_mail_of_the_portal_shows_its_dialogue_and_no_secret_also_when_it_fails() {
    let relay = Relay::start(Security::StartTls);
    relay.ask_for_login("portal", "s@cret");
    let process = served::launch(&relay, "portal:s%40cret@").start();
    let mut owner = found(&process);
    owner.get("/mail");
    let sent = owner.post_form("/mail/test", &[]);
    assert_eq!(sent.status, 303, "{sent:#?}");
    let page = sent.location().to_owned();
    until_seen(&mut owner, &page, "The mail server took it.");
    let shown = owner.get(&page);
    for part in [
        "S: 220 relay.test ESMTP",
        "-- TLS 1.3 from here on",
        "C: AUTH (user and password not shown)",
        "C: (the message, ",
        "S: 250 2.0.0 taken",
    ] {
        assert!(shown.text().contains(part), "{part} in {}", shown.text());
    }
    assert!(!shown.text().contains("Mail arrives"));
    keeps_the_login_to_itself(&shown.body);

    for (step, answer, last) in [
        (
            Step::Greeting,
            "554 5.3.2 no service",
            "S: 554 5.3.2 no service",
        ),
        (
            Step::Auth,
            "535 5.7.8 not you s@cret",
            "S: 535 5.7.8 not you ***",
        ),
        (
            Step::Rcpt,
            "550 5.1.1 no such user",
            "S: 550 5.1.1 no such user",
        ),
    ] {
        relay.behave();
        relay.at(step, Twist::Say(answer));
        let sent = owner.post_form("/mail/test", &[]);
        let page = sent.location().to_owned();
        until_seen(&mut owner, &page, "It did not leave.");
        let shown = owner.get(&page);
        assert!(shown.text().contains(last), "{last} in {}", shown.text());
        keeps_the_login_to_itself(&shown.body);
    }
    keeps_the_login_to_itself(&process.output());
    for body in ["Mail arrives", "Did it land among junk"] {
        assert!(!process.output().contains(body));
    }
}
