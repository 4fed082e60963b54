//! `doorward invoice`, with the real executable: alone, and beside a server that closes months by itself.

use std::process::Output;
use std::time::Duration;

use doorward::domain::month::Month;
use doorward::kit::time::{Clock as _, SystemClock};
use rusqlite::Connection;
use serde_json::Value;

use super::faults;
use crate::crash::file::File;
use crate::process::Launch;
use crate::wait;
use crate::wares;

/// How long a server may take over the months of some organisations on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// What it printed, when it ended with this code.
#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    if code == 0 {
        out
    } else {
        assert_eq!(out, "");
        err
    }
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_str(&ended(output, 0)).unwrap()
}

/// The month that is so many before the present one.
fn before(months: usize) -> Month {
    (0..months).fold(Month::of(SystemClock::new().now()), |month, _| {
        month.previous()
    })
}

/// A folder in which a server was once, with organisations whose months are open since then.
fn folder(organisations: i64, resources: i64, months: usize) -> Launch {
    let launch = Launch::serve();
    let create = [
        "org",
        "create",
        "--name",
        "Halden Works",
        "--master-email",
        "ingrid@haldenworks.example",
    ];
    ended(&launch.run(&create), 0);
    let file = Connection::open(launch.data().join("doorward.db")).unwrap();
    wares::crowd(&file, (organisations, resources), before(months).start().0);
    launch
}

/// What the operator did, in order.
fn operators(launch: &Launch) -> Vec<String> {
    File::copy(launch.data()).ask(
        "SELECT action FROM audit_events WHERE actor = 'operator' AND action LIKE 'invoice.%' ORDER BY at, number",
    )
}

#[test]
fn an_operator_closes_lists_shows_and_marks_as_paid() {
    let launch = folder(2, 2, 2).env("DOORWARD_BILLING_TAX_RATE", "19");
    let (first, second) = (before(2), before(1));
    let number = |month: Month| {
        let place = if month == second && first.year() == second.year() {
            2
        } else {
            1
        };
        format!("INV-{}-{place:03}", month.year())
    };
    let close_one = ended(&launch.run(&["invoice", "close", "--org", "crowd 1"]), 0);
    let closed: Vec<&str> = close_one.lines().collect();
    assert_eq!(closed.len(), 2, "{close_one}");
    for (line, month) in closed.iter().zip([first, second]) {
        let begin = format!(
            "Crowd 1: {} is closed: {}, 29.51 EUR with 19 % tax, due on ",
            month.label(),
            number(month)
        );
        assert!(line.starts_with(&begin), "{line}");
    }
    assert_eq!(operators(&launch), ["invoice.issued"; 2]);
    let close_all = ended(&launch.run(&["invoice", "close"]), 0);
    assert_eq!(close_all.lines().count(), 2, "{close_all}");
    assert!(close_all.lines().all(|line| line.starts_with("Crowd 2: ")));
    let nothing = ended(&launch.run(&["invoice", "close"]), 0);
    let running = before(0);
    assert!(
        nothing.starts_with(&format!("Nothing to close: {} ends ", running.label()))
            && nothing.ends_with('.'),
        "{nothing}"
    );
    let idle = ended(
        &launch.run(&["invoice", "close", "--org", "Halden Works"]),
        0,
    );
    assert_eq!(idle, "Nothing to close: there were no resources yet.");

    // Several organisations: which one must be said.
    let unclear = ended(&launch.run(&["invoice", "list"]), 2);
    assert!(unclear.contains("--org"), "{unclear}");
    let table = ended(&launch.run(&["invoice", "list", "--org", "Crowd 1"]), 0);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert!(
        rows[1].starts_with(&number(second)) && rows[1].contains("Open"),
        "{table}"
    );
    let list = json(&launch.run(&["invoice", "list", "--org", "Crowd 1", "--json"]));
    assert_eq!(list[0]["number"], *number(second));
    assert_eq!(list[0]["total"], "29.51");
    assert_eq!(list[0]["tax_rate"], "19");
    assert_eq!(list[0]["status"], "open");

    let number = number(second);
    let shown = ended(
        &launch.run(&[
            "invoice",
            "show",
            &number.to_lowercase(),
            "--org",
            "Crowd 1",
        ]),
        0,
    );
    for words in [
        "Crowd 1",
        "Owner 1",
        "web-1",
        "web-2",
        "In a crowd",
        "Tax 19 %",
        "24.80 EUR",
        "29.51 EUR",
        "12.40 EUR",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    let invoice = json(&launch.run(&["invoice", "show", &number, "--org", "Crowd 1", "--json"]));
    assert_eq!(invoice["lines"].as_array().unwrap().len(), 2);
    assert_eq!(invoice["lines"][0]["amount"], "12.40");

    let paid = ended(
        &launch.run(&[
            "invoice",
            "paid",
            &number,
            "--org",
            "Crowd 1",
            "--reference",
            " RE-77 ",
        ]),
        0,
    );
    assert_eq!(
        paid,
        format!("{number} of Crowd 1 is paid: 29.51 EUR, reference RE-77.")
    );
    let again = ended(
        &launch.run(&["invoice", "paid", &number, "--org", "Crowd 1"]),
        1,
    );
    assert_eq!(again, format!("error: {number} is marked as paid already."));
    let list = json(&launch.run(&["invoice", "list", "--org", "Crowd 1", "--json"]));
    assert_eq!(list[0]["status"], "paid");
    assert_eq!(list[0]["reference"], "RE-77");
    assert_eq!(list[1]["status"], "open");
    // The other organisation's invoice of this number is not.
    let list = json(&launch.run(&["invoice", "list", "--org", "Crowd 2", "--json"]));
    assert_eq!(list[0]["status"], "open");
    assert_eq!(operators(&launch).last().unwrap(), "invoice.paid");

    for (args, code, words) in [
        (
            &["invoice", "show", "INV-1999-001", "--org", "Crowd 1"][..],
            3,
            "there is no invoice \"INV-1999-001\"",
        ),
        (
            &["invoice", "paid", "INV-1999-001", "--org", "Crowd 1"],
            3,
            "there is no invoice",
        ),
        (
            &["invoice", "list", "--org", "Nobody"],
            3,
            "there is no organisation \"Nobody\"",
        ),
        (
            &["invoice", "close", "--org", "Nobody"],
            3,
            "there is no organisation \"Nobody\"",
        ),
        (
            &["invoice", "show", "11", "--org", "Crowd 1"],
            2,
            "an invoice has a number like INV-2026-010",
        ),
        (
            &["invoice", "paid", &number, "--reference", "a\tb"],
            2,
            "characters that cannot be seen",
        ),
        (&["invoice"], 2, "close"),
    ] {
        let said = ended(&launch.run(args), code);
        assert!(said.contains(words), "{args:?}: {said}");
    }
    let wrong = launch.env("DOORWARD_BILLING_TAX_RATE", "190");
    let said = ended(&wrong.run(&["invoice", "close"]), 2);
    assert!(
        said.contains("DOORWARD_BILLING_TAX_RATE: write a percentage"),
        "{said}"
    );
    let verified = wrong
        .env("DOORWARD_BILLING_TAX_RATE", "19")
        .run(&["audit", "verify"]);
    ended(&verified, 0);
}

#[test]
fn commands_that_close_beside_a_server_that_does_make_one_invoice_of_each_month() {
    const ORGANISATIONS: i64 = 30;
    const MONTHS: usize = 12;
    let launch = folder(ORGANISATIONS, 2, MONTHS);
    let process = launch.start();
    let commands: Vec<_> = (0..3)
        .map(|_| process.begin(&["invoice", "close"]))
        .collect();
    for command in commands {
        let output = command.wait_with_output().unwrap();
        ended(&output, 0);
    }
    let wanted = ORGANISATIONS * i64::try_from(MONTHS).unwrap();
    let count = "SELECT count(*) FROM invoices";
    wait::until(PATIENCE, || {
        (File::copy(process.data()).ask::<i64>(count)[0] >= wanted).then_some(())
    })
    .unwrap_or_else(|| panic!("not all was closed:\n{}", process.output()));
    let file = File::copy(process.data());
    assert_eq!(file.ask::<i64>(count), [wanted]);
    assert_eq!(faults(|sql| file.ask::<i64>(sql)[0]), [""; 0]);
    ended(&process.run(&["audit", "verify"]), 0);
}
