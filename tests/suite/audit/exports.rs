//! The log as a file: byte for byte, checked by a script that shares nothing with us, of a log of any length, and recorded.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use doorward::audit::export::{Export, Format, Wanted};
use doorward::audit::pages::TOLD;
use doorward::audit::search::Filter;
use doorward::audit::{self, Action, Event};
use doorward::domain::role::Role;
use doorward::kit::db::Db;
use doorward::kit::http::request::Method;
use doorward::kit::time::MINUTE;
use doorward::scope::By;
use rusqlite::Connection;
use serde_json::Value;

use crate::portal::Portal;
use crate::process::Launch;
use crate::served;

fn record(portal: &Portal, by: &By, event: &Event) {
    let app = portal.app();
    app.write(app.now(), |tx| audit::record(tx, by, event, ()))
        .unwrap();
}

fn whole(format: Format) -> Wanted {
    Wanted {
        format,
        filter: Filter::default(),
        typed: None,
    }
}

/// What the script says of a file, and whether it is content.
fn checked(text: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    fs::write(&file, text).unwrap();
    let output = Command::new("python3")
        .arg("packaging/audit-check.py")
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .expect("python3 is needed for this");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let words = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), words.trim().to_owned())
}

#[test]
fn a_spreadsheet_gets_the_rows_as_they_are_and_no_formula() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let by = By {
        address: Some("2001:db8::7".parse().unwrap()),
        ..By::operator()
    };
    let event = Event::of(portal.first(), Action::EmailChangeAsked)
        .on_text("=cmd|' /C calc'!A0")
        .changed("a \"quoted\", name\nof two lines", "@SUM(A1)")
        .with("role", "member");
    record(&portal, &by, &event);
    let time: String = portal.ask::<String>(
        "SELECT strftime('%Y-%m-%dT%H:%M:%S+00:00', max(at), 'unixepoch') FROM audit_events",
    )[0]
    .clone();
    let number: i64 = portal.ask("SELECT max(number) FROM audit_events")[0];
    owner
        .get("/audit.csv?who=operator&what=accounts")
        .answers(200);
    assert_eq!(
        owner.html(),
        format!(
            "number,time,event,action,result,actor,actor_email,actor_id,target,target_text,target_id,before,after,\
             network_address,session,request,details\r\n\
             {number},{time},\"The operator asked to change =cmd|' /C calc'!A0's email from a \"\"quoted\"\", name\nof two lines to @SUM(A1)\",\
             email.change_asked,done,operator,,,,'=cmd|' /C calc'!A0,,\"a \"\"quoted\"\", name\nof two lines\",'@SUM(A1),\
             2001:db8::7,,,\"{{\"\"role\"\":\"\"member\"\"}}\"\r\n\
             rows,1,,,,,,,,,,,,,,,\r\n"
        )
    );
    for (name, value) in [
        ("Content-Type", "text/csv; charset=utf-8"),
        ("Content-Disposition", "attachment; filename=\"audit.csv\""),
        ("Cache-Control", "no-store"),
    ] {
        assert_eq!(owner.header(name).as_deref(), Some(value));
    }
    owner.get("/audit.csv?who=system&what=mail").answers(200);
    assert!(
        owner
            .html()
            .ends_with("details\r\nrows,0,,,,,,,,,,,,,,,\r\n")
    );
}

#[test]
fn an_export_is_recorded_before_it_begins_and_a_look_at_its_head_is_not() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let rows = |portal: &Portal| portal.audit(Some(portal.first())).len();
    let before = rows(&portal);
    owner.head("/audit.csv").answers(200);
    assert_eq!(
        owner.header("Content-Disposition").as_deref(),
        Some("attachment; filename=\"audit.csv\"")
    );
    assert_eq!(rows(&portal), before);
    owner.get("/audit.jsonl").answers(200);
    let newest = portal.audit(Some(portal.first())).remove(0);
    assert_eq!(newest.action, "audit.exported");
    assert_eq!(newest.actor_text.as_deref(), Some(owner.email.as_str()));
    let details: Value = serde_json::from_str(&newest.details).unwrap();
    assert_eq!(details["format"], "jsonl");
    assert_eq!(details["rows"], before + 1);
    let lines: Vec<Value> = owner
        .html()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.last().unwrap()["rows"], before + 1);
    assert_eq!(lines[lines.len() - 2]["action"], "audit.exported");

    // What was typed is personal text, and stands where it can be erased; ids and words of ours are facts.
    owner
        .get(
            "/audit.csv?q=ann@fjord.example&what=accounts&result=done&from=2026-01-02&who=operator",
        )
        .answers(200);
    let newest = portal.audit(Some(portal.first())).remove(0);
    assert_eq!(newest.target.as_deref(), Some("ann@fjord.example"));
    assert!(!newest.details.contains("ann"), "{}", newest.details);
    let details: Value = serde_json::from_str(&newest.details).unwrap();
    assert_eq!(
        details["filters"],
        serde_json::json!({ "what": "accounts", "result": "done", "who": "operator", "from": "2026-01-01T23:00:00Z" })
    );
    assert!(details.get("rows").is_none());
    owner.get("/audit?what=audit-log").answers(200);
    for words in [
        "exported the audit log as JSON lines",
        "exported what the audit log has of “ann@fjord.example” as CSV",
    ] {
        assert!(owner.text().contains(words), "{}", owner.text());
    }
}

/// Changes of the file, and whether they are one.
const CHANGES: [&str; 17] = [
    "",
    "DELETE FROM audit_texts WHERE slot = 2",
    "UPDATE audit_events SET at = at + 1 WHERE chain_id <> 0 AND number = 2",
    "UPDATE audit_events SET session_id = NULL WHERE chain_id <> 0 AND session_id IS NOT NULL",
    "UPDATE audit_events SET details = '{}' WHERE chain_id <> 0 AND number = 1",
    "UPDATE audit_events SET target_id = 5 WHERE chain_id <> 0 AND number = 4",
    "UPDATE audit_events SET hash = zeroblob(32) WHERE chain_id <> 0 AND number = 3",
    "UPDATE audit_events SET commitments = zeroblob(33) WHERE chain_id <> 0 AND number = 3",
    "DELETE FROM audit_events WHERE chain_id <> 0 AND number = 2",
    "DELETE FROM audit_events WHERE chain_id <> 0 AND number = 1",
    "DELETE FROM audit_events WHERE chain_id <> 0 AND number >= 4",
    // Put in: a copy of the second behind the newest.
    "INSERT INTO audit_events SELECT chain_id, (SELECT max(number) + 1 FROM audit_events m WHERE m.chain_id = e.chain_id),
       at, action, actor, actor_id, session_id, target_id, details, request_id, commitments, hash
       FROM audit_events e WHERE chain_id <> 0 AND number = 2",
    // Swapped: the second and the third.
    "UPDATE audit_events SET number = 1000 WHERE chain_id <> 0 AND number = 2;
     UPDATE audit_events SET number = 2 WHERE chain_id <> 0 AND number = 3;
     UPDATE audit_events SET number = 3 WHERE chain_id <> 0 AND number = 1000",
    "DELETE FROM audit_heads",
    "UPDATE audit_heads SET number = 2, hash = (SELECT hash FROM audit_events e WHERE e.chain_id <> 0 AND number = 2)",
    "UPDATE audit_texts SET text = 'eve@fjord.example' WHERE chain_id <> 0 AND number = 2 AND slot = 3",
    "UPDATE audit_texts SET salt = zeroblob(16) WHERE chain_id <> 0 AND number = 1",
];

#[test]
fn a_script_of_forty_lines_agrees_with_us_about_every_change() {
    let mut verdicts = BTreeSet::new();
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, "zoe@fjord.example");
    let event =
        Event::of(portal.first(), Action::MailRetried).on_text("Zoë \"Ørn\"\n\t\u{202e}\u{10348}");
    record(&portal, &By::operator(), &event);
    portal.take_over([7; 32]);
    record(&portal, &By::operator(), &event);
    portal.leave_mail();
    let chain = portal.first();
    for change in CHANGES {
        let file = portal.file();
        let copy = file.with_file_name("copy.db");
        portal.app().db().checkpoint().unwrap();
        fs::copy(&file, &copy).unwrap();
        let conn = Connection::open(&copy).unwrap();
        conn.execute_batch(
            "DROP TRIGGER audit_events_stay; DROP TRIGGER audit_events_remain;
             DROP TRIGGER audit_texts_stay; DROP TRIGGER audit_texts_remain;",
        )
        .unwrap();
        conn.execute_batch(change).unwrap();
        drop(conn);
        let db = Db::open(&copy, 1).unwrap();
        let now = portal.app().now();
        // The MAC of the head is the one thing that a file without the key cannot be asked for.
        let ours = db.read(now, audit::verify_without_key).unwrap();
        let ours = ours
            .faults
            .into_iter()
            .find(|fault| fault.chain_id == chain.number());
        let pieces =
            Export::new(db.reader(), now, Some(chain), &whole(Format::Jsonl), TOLD).unwrap();
        let text: Vec<u8> = pieces.flat_map(Result::unwrap).collect();
        let (is_good, words) = checked(&String::from_utf8(text).unwrap());
        let wanted = ours.map(|fault| format!("row {}: {}", fault.number, fault.what));
        assert_eq!(is_good, wanted.is_none(), "{change}: {words}");
        if let Some(wanted) = wanted {
            assert_eq!(words, wanted, "{change}");
        }
        verdicts.insert(words);
    }
    assert!(verdicts.len() > 10, "{verdicts:#?}");
}

#[test]
fn the_script_sees_what_was_done_to_the_file_alone() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for _ in 0..3 {
        owner.get("/audit.jsonl").answers(200);
    }
    let good = owner.html();
    let (is_good, words) = checked(&good);
    assert!(is_good, "{words}");
    let lines: Vec<&str> = good.lines().collect();
    let count = lines.len() - 2;
    assert!(
        words.starts_with(&format!("{count} rows, all as they were")),
        "{words}"
    );
    let rejoined = |lines: &[&str]| format!("{}\n", lines.join("\n"));
    let without = |at: usize| {
        let mut some = lines.clone();
        some.remove(at);
        rejoined(&some)
    };
    let swapped = {
        let mut some = lines.clone();
        some.swap(2, 3);
        rejoined(&some)
    };
    let put_in = {
        let mut some = lines.clone();
        some.insert(3, lines[2]);
        rejoined(&some)
    };
    for (text, verdict) in [
        (without(2), "row 2: this row was removed".to_owned()),
        (
            without(count),
            format!(
                "row {count}: {} rows are here, and {count} were exported",
                count - 1
            ),
        ),
        (
            without(count + 1),
            format!(
                "row {}: the file is cut off: its last line, the count, is missing",
                count + 1
            ),
        ),
        (swapped, "row 2: this row was removed".to_owned()),
        (put_in, "row 3: this row was removed".to_owned()),
        (
            without(0),
            "row 0: this is no whole export of an audit log".to_owned(),
        ),
        (
            String::new(),
            "row 0: this is no whole export of an audit log".to_owned(),
        ),
    ] {
        assert_eq!(checked(&text), (false, verdict));
    }
    owner.get("/audit.jsonl?result=done").answers(200);
    assert!(
        !checked(&owner.html()).0,
        "a part is not taken for the whole"
    );
}

#[test]
fn a_log_of_a_hundred_thousand_rows_is_written_piece_by_piece() {
    const ROWS: usize = 100_000;
    let portal = Portal::start();
    portal.owner();
    let app = portal.app();
    let event = Event::of(portal.first(), Action::MailRetried).on_text("somebody@fjord.example");
    app.write(app.now(), |tx| {
        for _ in 1..ROWS {
            let _recorded = audit::record(tx, &By::operator(), &event, ())?;
        }
        audit::record(tx, &By::operator(), &event, ())
    })
    .unwrap();
    let all: u64 = portal.ask::<i64>("SELECT count(*) FROM audit_events WHERE chain_id <> 0")[0]
        .try_into()
        .unwrap();
    for format in [Format::Csv, Format::Jsonl] {
        let mut pieces = Export::new(
            app.db().reader(),
            app.now(),
            Some(portal.first()),
            &whole(format),
            TOLD,
        )
        .unwrap();
        let (mut longest, mut lines, mut count) = (0, 0, 0);
        for piece in &mut pieces {
            let piece = piece.unwrap();
            longest = longest.max(piece.len());
            lines += piece.iter().filter(|byte| **byte == b'\n').count();
            count += 1;
        }
        assert_eq!(pieces.rows(), all);
        assert_eq!(lines as u64, all + 2);
        assert!(
            count > 100 && longest < 512 * 1024,
            "{count} pieces, the longest {longest}"
        );
    }
}

#[test]
fn an_export_is_of_the_log_as_it_was_when_it_began() {
    let portal = Portal::start();
    portal.owner();
    let app = portal.app();
    let event = Event::of(portal.first(), Action::MailRetried).on_text("somebody@fjord.example");
    for _ in 0..600 {
        record(&portal, &By::operator(), &event);
    }
    let before = portal.ask::<i64>("SELECT count(*) FROM audit_events WHERE chain_id <> 0")[0];
    let mut pieces = Export::new(
        app.db().reader(),
        app.now(),
        Some(portal.first()),
        &whole(Format::Jsonl),
        TOLD,
    )
    .unwrap();
    let mut text: Vec<u8> = pieces.by_ref().take(2).flat_map(Result::unwrap).collect();
    for _ in 0..5 {
        record(&portal, &By::operator(), &event);
    }
    // Between two pieces nothing holds the file's log back: all of it is folded in.
    app.db().checkpoint().unwrap();
    assert_eq!(app.db().sizes().unwrap().wal, 0);
    text.extend(pieces.by_ref().flat_map(Result::unwrap));
    let (is_good, words) = checked(&String::from_utf8(text).unwrap());
    assert!(is_good, "{words}");
    assert_eq!(pieces.rows(), u64::try_from(before).unwrap());
}

#[test]
fn an_organisation_exports_one_at_a_time() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut other = portal.organisation("Lakeside");
    let seat = portal.app().exports.sit(portal.first()).unwrap();
    let rows = portal.audit(Some(portal.first())).len();
    owner.get("/audit.csv").answers(429);
    assert_eq!(owner.header("Retry-After").as_deref(), Some("30"));
    assert!(owner.text().contains("Another export"), "{}", owner.text());
    assert_eq!(portal.audit(Some(portal.first()))[0].action, "denied");
    assert_eq!(portal.audit(Some(portal.first())).len(), rows + 1);
    other.get("/audit.csv").answers(200);
    drop(seat);
    owner.get("/audit.csv").answers(200);
    // An answer that nobody took has given its seat back.
    owner.draft(Method::Get, "/audit.jsonl").send().answers(200);
    portal.travel(MINUTE);
    owner.get("/audit.csv").answers(200);
}

#[test]
fn the_operator_reads_and_exports_the_same_beside_a_server() {
    let process = Launch::serve().start();
    let mut owner = served::found(&process);
    owner.get("/");
    let done = |args: &[&str]| {
        let output = process.run(args);
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert_eq!(output.status.code(), Some(0), "{args:?}: {out}{err}");
        (out, err)
    };
    let (out, _) = done(&["audit", "tail", "-n", "2"]);
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(out.contains("signed in"), "{out}");
    let (out, _) = done(&["audit", "tail", "--json", "--what", "settings"]);
    let row: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(row["action"], "organisation.created");
    let (out, _) = done(&["audit", "export"]);
    let (is_good, words) = checked(&out);
    assert!(is_good, "{words}");
    let last = out.lines().nth_back(1).unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        (&last["action"], &last["actor"]),
        (&"audit.exported".into(), &"operator".into())
    );
    let (out, _) = done(&["audit", "export", "--system"]);
    assert!(checked(&out).0, "{out}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.csv");
    let path = file.to_str().unwrap();
    let (out, err) = done(&[
        "audit", "export", "--format", "csv", "--result", "done", "--out", path,
    ]);
    assert_eq!(out, "");
    assert!(err.contains(&format!("events in {path}.")), "{err}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("number,time,event,") && text.lines().last().unwrap().starts_with("rows,")
    );
    for (args, code) in [
        (vec!["audit", "export", "--out", path], 1),
        (vec!["audit", "tail", "--who", "nobody"], 2),
        (vec!["audit", "tail", "--from", "tomorrow"], 2),
        (vec!["audit", "tail", "--result", "maybe"], 2),
        (vec!["audit", "tail", "--org", "Nowhere"], 3),
        (vec!["audit", "tail", "--system", "--org", "Nowhere"], 2),
    ] {
        let output = process.run(&args);
        assert_eq!(output.status.code(), Some(code), "{args:?}");
    }
    // What comes while somebody follows.
    let mut following = process.begin(&[
        "audit",
        "tail",
        "-n",
        "1",
        "--follow",
        "--what",
        "audit-log",
    ]);
    std::thread::park_timeout(std::time::Duration::from_secs(2));
    done(&["audit", "export", "--format", "csv", "--who", "system"]);
    std::thread::park_timeout(std::time::Duration::from_secs(3));
    following.kill().unwrap();
    let output = following.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(
        out.contains("exported a part of the audit log as CSV"),
        "{out}"
    );
}
