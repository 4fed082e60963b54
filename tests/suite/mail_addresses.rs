//! Every form that takes an address judges it by the same rule: what could reach another mailbox, end a header or end a
//! command of SMTP is taken by none, and no mail is owed for it.

use std::process::Output;

use crate::portal::{PASSWORD, Portal};
use crate::process::Launch;
use crate::visitor::Visitor;

/// Addresses that are none, as people and others type them.
fn corpus() -> Vec<String> {
    let mut corpus: Vec<String> = [
        "ann",
        "@x.example",
        "ann@",
        "ann@x",
        "ann@eve@x.example",
        "ann@x.example\r\nBcc: eve@x.example",
        "ann@x.example>\r\nRCPT TO:<eve@x.example",
        "ann@x.example\nDATA",
        "ann\r@x.example",
        "ann\0@x.example",
        "ann\t@x.example",
        "ann lee@x.example",
        "<ann@x.example>",
        "Ann <ann@x.example>",
        "ann@x.example,eve@x.example",
        "ann@x.example;eve@x.example",
        "\"ann\"@x.example",
        "\"ann lee\"@x.example",
        "ann(comment)@x.example",
        ".ann@x.example",
        "ann.@x.example",
        "ann..lee@x.example",
        "ann@[127.0.0.1]",
        "ann@[IPv6:::1]",
        "ann@127.0.0.1",
        "ann@x..example",
        "ann@-x.example",
        "änn@x.example",
        "ann@x.example%0d%0aBcc:eve@x.example",
    ]
    .map(str::to_owned)
    .into();
    corpus.push(format!("{}@x.example", "a".repeat(65)));
    let label = "b".repeat(63);
    corpus.push(format!("ann@{label}.{label}.{label}.{}", "c".repeat(63)));
    corpus
}

/// The form is refused for what was typed, or because no page of ours sends such bytes.
#[track_caller]
fn is_refused(visitor: &Visitor, wrong: &str) {
    let status = visitor.last().status;
    assert!([400, 422].contains(&status), "{wrong:?} answered {status}");
}

#[test]
fn no_form_takes_an_address_that_is_none() {
    let portal = Portal::start();
    let link = portal.setup_link();
    let mut founder = portal.visitor();
    for wrong in corpus() {
        let fields = [
            ("organisation", "Fjord Supply"),
            ("name", "Olivia Berg"),
            ("email", wrong.as_str()),
            ("timezone", "Europe/Oslo"),
            ("password", PASSWORD),
            ("password_confirmation", PASSWORD),
        ];
        founder.post(&link, &fields);
        is_refused(&founder, &wrong);
    }
    let mut owner = portal.owner();
    portal.work();
    let owed = "SELECT count(*) FROM errands";
    let before = portal.ask::<i64>(owed);
    let accounts = portal.ask::<i64>("SELECT count(*) FROM accounts");
    for wrong in corpus() {
        owner.post(
            "/iam/accounts",
            &[("email", wrong.as_str()), ("role", "member")],
        );
        is_refused(&owner, &wrong);
        owner.post(
            "/account/email",
            &[("email", wrong.as_str()), ("current_password", PASSWORD)],
        );
        is_refused(&owner, &wrong);
    }
    for wrong in corpus() {
        // Each from a network of its own, so that none is refused for what the others did.
        let mut stranger = portal.visitor();
        stranger.post(
            "/sign-in",
            &[("email", wrong.as_str()), ("password", PASSWORD)],
        );
        is_refused(&stranger, &wrong);
        stranger.post("/forgot-password", &[("email", wrong.as_str())]);
        is_refused(&stranger, &wrong);
    }
    portal.work();
    assert_eq!(portal.ask::<i64>(owed), before);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM accounts"), accounts);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM email_changes"), [0]);
}

#[test]
fn no_command_takes_an_address_that_is_none() {
    let launch = Launch::serve();
    let code = |output: &Output| output.status.code();
    // What holds a zero byte is no argument at all.
    for wrong in corpus().iter().filter(|wrong| !wrong.contains('\0')) {
        for args in [
            vec!["mail", "test", wrong],
            vec![
                "org",
                "create",
                "--name",
                "Fjord Supply",
                "--master-email",
                wrong,
            ],
            vec!["account", "create", "--role", "member", "--email", wrong],
        ] {
            let ended = launch.run(&args);
            assert_eq!(code(&ended), Some(2), "{args:?}: {ended:?}");
        }
    }
}
