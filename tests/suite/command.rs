//! The real executable: the server as systemd, a power cut and a second server meet it, the operator's commands
//! beside it, and the demonstration.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::process::{Doorward, Launch};
use crate::wait;

const INGRID: &str = "ingrid@haldenworks.example";
const GOOD: &str = "Quiet-Harbour-9";
const OTHER: &str = "Other-Harbour-8";

/// How long the server may take to notice what a command did.
const NOTICE: Duration = Duration::from_secs(1);
/// How long a demonstration may take to be ready on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it printed, when it ended with this code.
#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    if code == 0 { out } else { err }
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_str(&ended(output, 0)).unwrap()
}

fn create(doorward: &Doorward) -> String {
    let created = doorward.run(&[
        "org",
        "create",
        "--name",
        "Halden Works",
        "--master-email",
        INGRID,
    ]);
    ended(&created, 0).trim().to_owned()
}

/// Where a link leads on the server it belongs to.
#[track_caller]
fn path<'l>(doorward: &Doorward, link: &'l str) -> &'l str {
    link.strip_prefix(doorward.address())
        .unwrap_or_else(|| panic!("{link} is none of {}", doorward.address()))
}

fn activate(doorward: &Doorward, link: &str) {
    let mut ingrid = Client::new(doorward.address());
    let path = path(doorward, link);
    assert_eq!(ingrid.get(path).status, 200);
    let done = ingrid.post_form(
        path,
        &[
            ("name", "Ingrid Solheim"),
            ("phone", ""),
            ("password", GOOD),
            ("password_confirmation", GOOD),
        ],
    );
    assert_eq!(done.status, 303, "{}", done.text());
}

/// The status of a sign-in.
fn sign_in(doorward: &Doorward, email: &str, password: &str) -> u16 {
    let mut visitor = Client::new(doorward.address());
    visitor.get("/sign-in");
    let sent = visitor.post_form("/sign-in", &[("email", email), ("password", password)]);
    if sent.status == 303 {
        assert_eq!(sent.location(), "/");
        assert_eq!(visitor.get("/").status, 200);
    }
    sent.status
}

fn rights(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_server_starts_in_an_empty_folder_and_stops_when_it_is_told() {
    let mut doorward = Launch::serve().start();
    let mut visitor = Client::new(doorward.address());
    assert_eq!(visitor.get("/healthz").status, 200);
    assert_eq!(visitor.get("/readyz").status, 200);
    assert_eq!(visitor.get("/sign-in").status, 200);

    let file = doorward.data().join("setup-link");
    assert_eq!(rights(&file), 0o600);
    let link = fs::read_to_string(&file).unwrap();
    assert_eq!(visitor.get(path(&doorward, link.trim())).status, 200);
    let token = link.trim().rsplit('/').next().unwrap().to_owned();

    // A closed terminal is no reason to end.
    doorward.signal("HUP");
    assert_eq!(visitor.get("/healthz").status, 200);
    assert_eq!(doorward.terminate().code(), Some(0));

    let output = doorward.output();
    let heard = format!("Listening   {}\n", doorward.address());
    assert!(output.contains(&heard), "{output}");
    assert!(
        output.contains(r#""msg":"portal is not set up""#),
        "{output}"
    );
    assert!(
        !output.contains(&token),
        "the link is in the log:\n{output}"
    );
    for line in output.lines().filter(|line| !line.starts_with("Listening")) {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    let left: Vec<_> = fs::read_dir(doorward.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("doorward."))
        .collect();
    assert!(
        left.iter()
            .all(|name| name == "secret.key" || name == "setup-link"),
        "{left:?}"
    );

    doorward.restart();
    let mut visitor = Client::new(doorward.address());
    assert_eq!(visitor.get("/readyz").status, 200);
    assert_eq!(doorward.terminate().code(), Some(0));
}

#[test]
fn a_new_set_up_link_replaces_the_one_before() {
    let doorward = Launch::serve().start();
    let mut visitor = Client::new(doorward.address());
    let file = doorward.data().join("setup-link");
    let older = fs::read_to_string(&file).unwrap();
    let newer = ended(&doorward.run(&["setup-link"]), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), newer);
    assert_ne!(visitor.get(path(&doorward, older.trim())).status, 200);
    assert_eq!(visitor.get(path(&doorward, newer.trim())).status, 200);

    create(&doorward);
    assert!(!file.exists());
    assert_eq!(visitor.get(path(&doorward, newer.trim())).status, 404);
    let refused = ended(&doorward.run(&["setup-link"]), 1);
    assert!(refused.contains("is set up"), "{refused}");
}

#[test]
fn the_operator_founds_an_organisation_and_helps_its_owner_in() {
    let doorward = Launch::serve().start();
    let link = create(&doorward);
    activate(&doorward, &link);
    assert_eq!(sign_in(&doorward, INGRID, GOOD), 303);

    let organisations = json(&doorward.run(&["org", "list", "--json"]));
    assert_eq!(organisations[0]["name"], "Halden Works");
    assert_eq!(organisations[0]["owner"], INGRID);
    let accounts = json(&doorward.run(&["account", "list", "--json"]));
    assert_eq!(accounts.as_array().unwrap().len(), 1);
    assert_eq!(accounts[0]["status"], "active");
    assert_eq!(accounts[0]["permission"], "master");
    let id = accounts[0]["id"].as_str().unwrap();
    let shown = json(&doorward.run(&["account", "show", id, "--json"]));
    assert_eq!(shown["email"], INGRID);
    let none = json(&doorward.run(&["account", "list", "--search", "nobody", "--json"]));
    assert_eq!(none, Value::Array(Vec::new()));

    let file = doorward.data().join("password");
    let name = file.to_str().unwrap();
    let set = ["account", "set-password", INGRID, "--password-file", name];
    fs::write(&file, "Solheim!22x\n").unwrap();
    let refused = ended(&doorward.run(&set), 1);
    assert!(refused.contains("cannot hold your name"), "{refused}");
    fs::write(&file, format!("{OTHER}\n")).unwrap();
    ended(&doorward.run(&set), 0);
    assert_eq!(sign_in(&doorward, INGRID, GOOD), 422);
    assert_eq!(sign_in(&doorward, INGRID, OTHER), 303);

    let verified = json(&doorward.run(&["audit", "verify", "--json"]));
    assert_eq!(verified["chains"], 2);
    assert_eq!(verified["faults"], Value::Array(Vec::new()));
    assert!(
        !doorward.output().contains(INGRID),
        "an address is in the log"
    );
}

#[test]
fn a_locked_account_is_unlocked_beside_the_server() {
    let doorward = Launch::serve().start();
    activate(&doorward, &create(&doorward));
    for _ in 0..10 {
        assert_eq!(sign_in(&doorward, INGRID, OTHER), 422);
    }
    assert_eq!(sign_in(&doorward, INGRID, GOOD), 429);
    // The server writes down within a second what it counted.
    let pause: Option<()> = wait::until(2 * NOTICE, || None);
    assert_eq!(pause, None);
    ended(&doorward.run(&["account", "unlock", INGRID]), 0);
    // Nothing tells when it has noticed, and each try counts: so a few, each after the time that it may take.
    let is_open = (0..10).any(|_| {
        let pause: Option<()> = wait::until(NOTICE, || None);
        pause.is_none() && sign_in(&doorward, INGRID, GOOD) == 303
    });
    assert!(is_open, "the server did not notice");
}

#[test]
fn a_killed_server_goes_on_where_it_was() {
    let mut doorward = Launch::serve().start();
    activate(&doorward, &create(&doorward));
    doorward.kill9();
    doorward.restart();
    assert_eq!(sign_in(&doorward, INGRID, GOOD), 303);
    ended(&doorward.run(&["audit", "verify"]), 0);
    let folders = fs::read_dir(doorward.data()).unwrap();
    let sockets = folders
        .filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_dir())
        .count();
    assert_eq!(sockets, 1, "the killed server's socket is still there");
}

#[test]
fn one_server_serves_a_folder() {
    let doorward = Launch::serve().start();
    let refused = ended(&doorward.run(&["serve", "--listen", "127.0.0.1:0"]), 1);
    assert!(
        refused.contains("another doorward serves this folder (pid "),
        "{refused}"
    );
    let mut visitor = Client::new(doorward.address());
    assert_eq!(visitor.get("/readyz").status, 200);
}

#[test]
fn a_command_that_only_looks_makes_no_folder() {
    let launch = Launch::serve();
    let typo = launch.data().join("typo");
    let missing = launch.run(&["org", "list", "--data", typo.to_str().unwrap()]);
    assert!(ended(&missing, 3).contains("there is no portal in"));
    assert!(!typo.exists());
    // One that makes something needs no server.
    let link = ended(&launch.run(&["setup-link"]), 0);
    assert!(link.starts_with("http://127.0.0.1:8080/setup/"), "{link}");
    let none = ended(&launch.run(&["account", "list"]), 3);
    assert!(none.contains("there is no organisation yet"), "{none}");
    let refused = ended(&launch.run(&["org", "delete"]), 3);
    assert!(
        refused.contains("there is no organisation yet"),
        "{refused}"
    );
}

#[test]
fn the_exit_code_says_what_was_wrong() {
    let doorward = Launch::serve().start();
    create(&doorward);
    for (args, code, says) in [
        (&["nonsense"][..], 2, "unrecognized subcommand"),
        (&["org", "create", "--name", "x"], 2, "--master-email"),
        (
            &["org", "create", "--name", "x", "--master-email", "nobody"],
            2,
            "has an @ in it",
        ),
        (
            &["org", "create", "--name", "Other", "--master-email", INGRID],
            1,
            "already belongs to an account",
        ),
        (
            &["account", "show", "nobody@x.example"],
            3,
            "nobody@x.example",
        ),
        (&["account", "list", "--org", "Other"], 3, "Other"),
        (&["account", "set-password", INGRID], 2, "--password-file"),
        (&["org", "delete"], 2, "--yes"),
    ] {
        let why = ended(&doorward.run(args), code);
        assert!(why.contains(says), "{args:?}: {why}");
    }
    let other = [
        "org",
        "create",
        "--name",
        "Other",
        "--master-email",
        "o@x.example",
    ];
    ended(&doorward.run(&other), 0);
    let which = ended(&doorward.run(&["account", "list"]), 2);
    assert!(which.contains("--org"), "{which}");
    ended(&doorward.run(&["account", "list", "--org", "other"]), 0);
    ended(
        &doorward.run(&["org", "delete", "--org", "Other", "--yes"]),
        0,
    );
    ended(&doorward.run(&["account", "list"]), 0);
    assert!(ended(&doorward.run(&["version"]), 0).starts_with("doorward "));
    assert!(ended(&doorward.run(&["--help"]), 0).contains("doorward demo"));
}

#[test]
fn a_wrong_setting_ends_the_start_before_anything_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (args, code, says) in [
        (
            &["--public-url", "http://portal.example.com"][..],
            2,
            "--insecure-http",
        ),
        (
            &["--public-url", "https://portal.example.com/x"],
            2,
            "without a path",
        ),
        (&["--listen", "0.0.0.0"], 2, "127.0.0.1:8080"),
        (&["--session-idle", "2"], 2, "2h"),
        (&["--smtp-url", "mail.example.com"], 2, "smtp://"),
    ] {
        let launch = Launch::serve();
        let args: Vec<_> = ["serve"].iter().chain(args).copied().collect();
        let why = ended(&launch.run(&args), code);
        assert!(why.contains(says), "{args:?}: {why}");
        assert_eq!(fs::read_dir(launch.data()).unwrap().count(), 0, "{args:?}");
    }
    let launch = Launch::serve();
    let why = ended(&launch.run(&["serve", "--listen", &taken]), 1);
    assert!(why.contains("taken by another program"), "{why}");
}

#[test]
fn a_public_address_decides_links_hosts_and_cookies() {
    let doorward = Launch::serve()
        .env("DOORWARD_PUBLIC_URL", "https://portal.example.com/")
        .start();
    let link = create(&doorward);
    assert!(
        link.starts_with("https://portal.example.com/activate/"),
        "{link}"
    );
    let mut visitor = Client::new(doorward.address());
    let unknown = visitor.get("/sign-in");
    assert_eq!(unknown.status, 421);
    assert!(unknown.body.contains("public_url"), "{}", unknown.body);
    assert_eq!(visitor.get("/healthz").status, 200);
    let known = visitor.send("GET", "/sign-in", &[("host", "portal.example.com")], "");
    assert_eq!(known.status, 200);
    let cookie = known.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-visit=") && cookie.contains("; Secure"),
        "{cookie}"
    );
    assert!(known.header("strict-transport-security").is_some());
}

#[test]
fn links_begin_with_the_address_that_the_server_was_given() {
    let doorward = Launch::serve()
        .arg("--public-url")
        .arg("https://portal.example.com")
        .start();
    // The command was given none, and asks the data folder.
    let link = create(&doorward);
    assert!(
        link.starts_with("https://portal.example.com/activate/"),
        "{link}"
    );
}

#[test]
fn a_log_that_was_tampered_with_is_named() {
    let mut doorward = Launch::serve().start();
    activate(&doorward, &create(&doorward));
    assert_eq!(doorward.terminate().code(), Some(0));
    let file = rusqlite::Connection::open(doorward.data().join("doorward.db")).unwrap();
    file.execute_batch(
        "DROP TRIGGER audit_events_stay;
         UPDATE audit_events SET action = 'signed_out' WHERE chain_id <> 0 AND number = 2;",
    )
    .unwrap();
    drop(file);
    let why = ended(&doorward.run(&["audit", "verify"]), 1);
    assert!(
        why.contains("the chain of Halden Works, row 2: this row was changed"),
        "{why}"
    );
}

#[test]
fn a_lost_key_is_refused_by_server_and_command() {
    let mut doorward = Launch::serve().start();
    create(&doorward);
    assert_eq!(doorward.terminate().code(), Some(0));
    fs::remove_file(doorward.data().join("secret.key")).unwrap();
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["org", "list"]] {
        let why = ended(&doorward.run(args), 1);
        assert!(why.contains("no secret.key"), "{args:?}: {why}");
    }
}

#[test]
fn the_demonstration_shows_everybody_in_and_leaves_nothing() {
    let launch = Launch::demo();
    let home = launch.data().to_owned();
    let mut demo = launch.env("TMPDIR", &home).start();
    let printed = || {
        let output = demo.output();
        output.contains("Member ").then_some(output)
    };
    let output = wait::until(PATIENCE, printed).expect("no sign-ins were printed");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
    for (role, name) in [
        ("Master", "ingrid"),
        ("Admin", "tomasz"),
        ("Billing", "ilaria"),
        ("Member", "samuel"),
    ] {
        let email = format!("{name}@demo.example");
        let line = output.lines().find(|line| line.contains(&email));
        let words: Vec<_> = line.unwrap().split_whitespace().collect();
        assert_eq!(words, [role, &email, "Demo-pass-1"]);
        assert_eq!(sign_in(&demo, &email, "Demo-pass-1"), 303);
    }
    assert_eq!(sign_in(&demo, "priya@demo.example", "Demo-pass-1"), 422);
    demo.signal("INT");
    assert_eq!(demo.wait().code(), Some(0));
    assert_eq!(
        fs::read_dir(&home).unwrap().count(),
        0,
        "its folder remains"
    );
}

#[test]
fn the_demonstration_stays_on_this_machine() {
    let launch = Launch::demo();
    let why = ended(&launch.run(&["demo", "--listen", "0.0.0.0:0"]), 2);
    assert!(why.contains("loopback only"), "{why}");
}
