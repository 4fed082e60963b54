//! The audit log as a whole: what is written and what is not, under parallel work, floods and clocks that step back,
//! and a second verifier that shares nothing with ours but the description of the format.

mod exports;
mod million;
mod page;
mod pruning;
mod second;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::thread;

use doorward::audit::{Action, Event};
use doorward::domain::id::OrganisationId;
use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::{DAY, MINUTE};
use doorward::scope::By;
use rusqlite::Connection;

use crate::forms::content;
use crate::portal::{PASSWORD, Portal};
use crate::visitor::Visitor;
use second::faults_of;

/// How many rows each chain has, and the number of its last.
fn chains(portal: &Portal) -> Vec<(i64, i64)> {
    let count = portal.ask("SELECT count(*) FROM audit_events GROUP BY chain_id ORDER BY chain_id");
    let last =
        portal.ask("SELECT max(number) FROM audit_events GROUP BY chain_id ORDER BY chain_id");
    count.into_iter().zip(last).collect()
}

/// The actions of the first organisation's chain, newest first.
fn actions(portal: &Portal) -> Vec<String> {
    let entries = portal.audit(Some(portal.first()));
    entries.into_iter().map(|entry| entry.action).collect()
}

#[test]
fn five_hundred_parallel_deeds_leave_chains_without_gaps() {
    let portal = Portal::start();
    let names: Vec<String> = (0..10)
        .map(|number| format!("Organisation {number}"))
        .collect();
    let owners: Vec<_> = names.iter().map(|name| portal.organisation(name)).collect();
    let before: i64 = portal.ask::<i64>("SELECT count(*) FROM audit_events")[0];
    thread::scope(|scope| {
        for mut owner in owners {
            let portal = &portal;
            scope.spawn(move || {
                owner.proof("/iam/accounts");
                for number in 0..30 {
                    let email = format!("p{number}.{}", owner.email);
                    portal.invite(&owner, Role::Member, &email);
                }
                for _ in 0..5 {
                    owner.sign_out().sign_in();
                    // What is refused is written in a transaction of its own, beside everybody's deeds.
                    for _ in 0..2 {
                        owner
                            .elsewhere()
                            .try_password(&owner.email.clone(), "Wrong-Horse-7!")
                            .answers(422);
                    }
                }
            });
        }
    });
    let after: i64 = portal.ask::<i64>("SELECT count(*) FROM audit_events")[0];
    assert_eq!(after - before, 500);
    for (count, last) in chains(&portal) {
        assert_eq!(count, last);
    }
    assert_eq!(
        faults_of(&Connection::open(portal.file()).unwrap()),
        BTreeMap::new()
    );
    portal.leave_mail();
}

#[test]
fn a_refused_deed_leaves_its_record_and_nothing_else() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, "ann@fjord.example");
    ann.proof("/sign-out");
    let before = content(&portal);
    let rows = actions(&portal).len();
    ann.post(
        "/iam/accounts",
        &[("email", "new@fjord.example"), ("role", "member")],
    )
    .answers(403);
    assert_eq!(content(&portal), before);
    let entries = portal.audit(Some(portal.first()));
    assert_eq!(entries.len(), rows + 1);
    let entry = &entries[0];
    assert_eq!(entry.action, "denied");
    assert_eq!(entry.actor_text.as_deref(), Some("ann@fjord.example"));
    assert_eq!(entry.address, Some(ann.address.to_string()));
    let details: serde_json::Value = serde_json::from_str(&entry.details).unwrap();
    assert_eq!(details["route"], "/iam/accounts");
    assert_eq!(details["method"], "POST");
    assert_eq!(details["permission"], "users.list");
    assert!(
        ann.html().contains(&entry.request_id),
        "the page names the same request"
    );
}

#[test]
fn a_deed_that_fails_half_way_leaves_no_record() {
    let portal = Portal::start();
    let owner = portal.owner();
    let (app, before) = (portal.app(), content(&portal));
    let rows = actions(&portal).len();
    let failed: Result<(), _> = app.write(app.now(), |tx| {
        let event = Event::of(portal.first(), Action::AccountCreated);
        doorward::accounts::raise_epoch(tx, owner.account().id)?;
        let audited = doorward::audit::record(tx, &owner.by(), &event, ())?;
        audited.into_inner();
        Err(doorward::error::Error::Refused("No.".to_owned()))
    });
    assert!(failed.is_err());
    assert_eq!(content(&portal), before);
    assert_eq!(actions(&portal).len(), rows);
}

#[test]
fn eight_like_refusals_in_a_minute_are_five_rows_and_a_sum() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, "ann@fjord.example");
    let mut ben = portal.member(Role::Member, "ben@fjord.example");
    let denied = || {
        actions(&portal)
            .iter()
            .filter(|action| *action == "denied")
            .count()
    };
    for _ in 0..8 {
        ann.get("/iam/accounts").answers(403);
    }
    assert_eq!(denied(), 5);
    // From another network address it is not alike.
    ben.get("/iam/accounts").answers(403);
    assert_eq!(denied(), 6);
    portal.travel(MINUTE);
    portal.work();
    assert_eq!(denied(), 7);
    let sum = portal.audit(Some(portal.first())).remove(0);
    let details: serde_json::Value = serde_json::from_str(&sum.details).unwrap();
    assert_eq!(
        (details["count"].as_i64(), details["sum"].as_bool()),
        (Some(3), Some(true))
    );
    assert_eq!(
        (sum.actor.as_str(), sum.address),
        ("system", Some(ann.address.to_string()))
    );
    ann.get("/iam/accounts").answers(403);
    assert_eq!(denied(), 8, "the next minute begins anew");
}

#[test]
fn a_neighbours_flood_hides_nobody() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, "ann@fjord.example");
    let mut ben = portal.member(Role::Member, "ben@fjord.example");
    ben.address = ann.address;
    for _ in 0..8 {
        ann.get("/mail").answers(403);
    }
    ben.get("/mail").answers(403);
    let newest = portal.audit(Some(portal.first())).remove(0);
    assert_eq!(newest.action, "denied");
    assert_eq!(newest.actor_text.as_deref(), Some("ben@fjord.example"));
}

#[test]
fn a_sum_is_lost_neither_to_a_full_disk_nor_to_the_end_of_the_process() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, "ann@fjord.example");
    portal.work();
    let sums = || {
        portal.ask::<i64>(
            "SELECT details ->> 'count' FROM audit_events WHERE details ->> 'sum' ORDER BY number",
        )
    };
    for _ in 0..8 {
        ann.get("/mail").answers(403);
    }
    portal.travel(MINUTE);
    // As where the disk is full: whatever is added is refused.
    portal.tamper(
        "CREATE TRIGGER full BEFORE INSERT ON audit_events BEGIN SELECT raise(ABORT, 'full'); END",
    );
    portal.work();
    portal.tamper("DROP TRIGGER full");
    assert_eq!(sums(), Vec::<i64>::new());
    portal.work();
    assert_eq!(sums(), [3]);
    for _ in 0..9 {
        ann.get("/mail").answers(403);
    }
    let stop = AtomicBool::new(true);
    doorward::worker::run(&portal.app(), &stop);
    assert_eq!(sums(), [3, 4]);
}

/// The newest event of a chain: action, code and who it was.
fn newest(portal: &Portal, chain: Option<OrganisationId>) -> (String, String, Option<String>) {
    let entry = portal.audit(chain).remove(0);
    let details: serde_json::Value = serde_json::from_str(&entry.details).unwrap();
    let code = details["code"].as_str().unwrap_or_default().to_owned();
    (entry.action, code, entry.actor_text)
}

#[test]
fn a_deed_on_what_is_not_theirs_or_with_a_dead_link_is_recorded_and_looking_is_not() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let other = portal.organisation("Closed");
    let theirs = portal.invite(&other, Role::Member, "ben@closed.example");
    let denied = |code: &str, who: Option<&str>| {
        let who = who.map(str::to_owned);
        ("denied".to_owned(), code.to_owned(), who)
    };
    owner.get(format!("/iam/accounts/{theirs}")).answers(404);
    assert_ne!(newest(&portal, Some(portal.first())).0, "denied");
    for act in ["resend", "copy-link", "delete"] {
        let path = format!("/iam/accounts/{theirs}/{act}");
        owner.post(path, &[]).answers(404);
        let by = owner.email.clone();
        assert_eq!(
            newest(&portal, Some(portal.first())),
            denied("not-found", Some(&by))
        );
    }

    let ann = "ann@fjord.example";
    let id = portal.invite(&owner, Role::Member, ann);
    let link = format!("/activate/{}", portal.link_of(&owner, id).token.reveal());
    portal.accept(&portal.link_of(&owner, id), "Ann Vik");
    let mut stranger = portal.visitor();
    let typed = [("password", PASSWORD), ("password_confirmation", PASSWORD)];
    let filled = [typed[0], typed[1], ("name", "Eve"), ("phone", "")];
    for (path, status, code) in [
        (link.clone(), 410, "gone"),
        (format!("{link}x"), 404, "not-found"),
        (format!("/activate/{}", "A".repeat(43)), 404, "not-found"),
    ] {
        let rows = portal.audit(None).len();
        stranger.get(&path).answers(status);
        assert_eq!(portal.audit(None).len(), rows, "{path}");
        stranger.post(&path, &filled).answers(status);
        assert_eq!(portal.audit(None).len(), rows + 1, "{path}");
        assert_eq!(newest(&portal, None), denied(code, None));
    }
    stranger.post("/forgot-password", &[("email", ann)]);
    portal.work();
    let reset = portal.link_for(ann);
    stranger.post(&reset, &typed).answers(303);
    stranger.post(&reset, &typed).answers(410);
    assert_eq!(newest(&portal, None), denied("gone", None));
    stranger.post("/no/such/page", &[]).answers(404);
    assert_eq!(newest(&portal, None), denied("gone", None));
    portal.leave_mail();
}

#[test]
fn a_form_that_cannot_be_read_is_recorded_with_whoever_sent_it() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .draft(Method::Post, "/iam/accounts")
        .body("email=%ff")
        .send()
        .answers(400)
        .sees("Back to the dashboard");
    let entry = newest(&portal, Some(portal.first()));
    assert_eq!(entry.0, "request.malformed");
    assert_eq!(entry.2.as_deref(), Some(owner.email.as_str()));
}

#[test]
fn each_deed_is_one_row_that_says_who_to_whom_from_where_and_in_which_request() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut rows = actions(&portal).len();
    let mut next = |deed: &str, visitor: &Visitor, actor: Option<&str>, target: Option<&str>| {
        let entries = portal.audit(Some(portal.first()));
        assert_eq!(entries.len(), rows + 1, "{deed}: {:?}", actions(&portal));
        rows += 1;
        let entry = &entries[0];
        assert_eq!(entry.action, deed);
        assert_eq!(entry.actor_text.as_deref(), actor, "{deed}");
        assert_eq!(entry.target.as_deref(), target, "{deed}");
        assert_eq!(entry.address, Some(visitor.address.to_string()), "{deed}");
        assert_eq!(entry.at, portal.app().now().0, "{deed}");
        assert_eq!(entry.request_id.len(), 16, "{deed}");
    };
    let (ann, ben) = ("ann@fjord.example", "ben@fjord.example");
    let by_owner = Some(owner.email.clone());
    let by_owner = by_owner.as_deref();
    let id = portal.invite(&owner, Role::Member, ann);
    next("account.created", &owner, by_owner, Some(ann));
    owner
        .post(format!("/iam/accounts/{id}/copy-link"), &[])
        .answers(200);
    next("invitation.link_copied", &owner, by_owner, Some(ann));
    portal.travel(MINUTE);
    owner
        .post(format!("/iam/accounts/{id}/resend"), &[])
        .answers(303);
    next("invitation.resent", &owner, by_owner, Some(ann));
    portal.work();
    let mut visitor = portal.visitor();
    let filled = [
        ("name", "Ann Vik"),
        ("phone", ""),
        ("password", PASSWORD),
        ("password_confirmation", PASSWORD),
    ];
    visitor.post(portal.link_for(ann), &filled).answers(303);
    next("account.activated", &visitor, Some(ann), Some(ann));
    visitor.try_password(ann, "Wrong-Horse-7!").answers(422);
    next("sign_in.failed", &visitor, None, Some(ann));
    visitor.try_password(ann, PASSWORD).answers(303);
    next("sign_in.succeeded", &visitor, Some(ann), Some(ann));
    visitor.get("/mail").answers(403);
    next("denied", &visitor, Some(ann), None);
    visitor.draft(Method::Post, "/sign-out").send().answers(403);
    next("form.refused", &visitor, Some(ann), None);
    visitor.post("/sign-out", &[("a", "b")]).answers(400);
    next("request.malformed", &visitor, Some(ann), None);
    visitor.sign_out();
    next("signed_out", &visitor, Some(ann), Some(ann));
    visitor
        .post("/forgot-password", &[("email", ann)])
        .answers(303);
    next("password.reset_requested", &visitor, None, Some(ann));
    portal.work();
    visitor
        .post(portal.link_for(ann), &filled[2..])
        .answers(303);
    next("password.changed", &visitor, Some(ann), Some(ann));
    let id = portal.invite(&owner, Role::Member, ben);
    next("account.created", &owner, by_owner, Some(ben));
    owner
        .post(format!("/iam/accounts/{id}/delete"), &[("email", ben)])
        .answers(303);
    next("account.deleted", &owner, by_owner, Some(ben));
}

#[test]
fn what_makes_strangers_wait_is_recorded() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    for number in 0..40 {
        let email = format!("p{number}@fjord.example");
        stranger.post("/forgot-password", &[("email", &email)]);
    }
    stranger.answers(429);
    let denied = portal
        .audit(None)
        .into_iter()
        .filter(|entry| entry.action == "denied");
    let denied: Vec<_> = denied.collect();
    assert_eq!(denied.len(), 5);
    assert!(
        denied[0].details.contains("too-many"),
        "{}",
        denied[0].details
    );
}

#[test]
fn a_clock_that_steps_back_is_told_of_once_and_breaks_no_order() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.work();
    portal.travel(-DAY);
    owner.sign_out().sign_in();
    portal.work();
    portal.work();
    let told = portal
        .audit(None)
        .into_iter()
        .filter(|entry| entry.action == "clock.stepped_back");
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].details, "{\"seconds\":86400}");
    // A process that begins on the earlier day goes on from the newest record.
    portal.restart(|_, _| ());
    owner.elsewhere().sign_in();
    let at: Vec<i64> =
        portal.ask("SELECT at FROM audit_events WHERE chain_id <> 0 ORDER BY number");
    assert!(at.is_sorted(), "{at:?}");
    // From further back it does not: the record was wrong. It writes earlier instants; the numbers keep the order.
    portal.work();
    portal.travel(-3 * DAY);
    portal.restart(|_, _| ());
    owner.elsewhere().sign_in();
    portal.work();
    let at: Vec<i64> =
        portal.ask("SELECT at FROM audit_events WHERE chain_id <> 0 ORDER BY number");
    assert!(at.windows(2).any(|pair| pair[1] < pair[0]), "{at:?}");
    portal.travel(4 * DAY);
}

#[test]
fn the_log_refuses_every_change() {
    let portal = Portal::start();
    portal.owner();
    let conn = Connection::open(portal.file()).unwrap();
    for table in ["audit_events", "audit_texts"] {
        for change in [
            format!("UPDATE {table} SET number = 99"),
            format!("UPDATE {table} SET chain_id = chain_id"),
            format!("DELETE FROM {table}"),
            format!("DELETE FROM {table} WHERE number = 1"),
        ] {
            let refused = conn.execute_batch(&change).unwrap_err().to_string();
            assert_eq!(refused, "the audit log is append-only", "{change}");
        }
    }
}

#[test]
fn texts_that_look_like_markup_or_like_lines_are_kept_as_they_are() {
    let portal = Portal::start();
    portal.owner();
    let app = portal.app();
    let text = "a\n2026-11-24 <script>\u{202e}\t\"'=cmd()";
    let event = Event::of(portal.first(), Action::MailRetried).on_text(text);
    app.write(app.now(), |tx| {
        doorward::audit::record(tx, &By::operator(), &event, ())
    })
    .unwrap();
    assert_eq!(
        portal.audit(Some(portal.first()))[0].target.as_deref(),
        Some(text)
    );
}

/// What both verifiers find in a copy of the file once this was done to it.
#[track_caller]
fn both_find(portal: &Portal, change: &str) -> BTreeMap<i64, i64> {
    let file = portal.file();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    portal.app().db().checkpoint().unwrap();
    std::fs::copy(&file, &copy).unwrap();
    let conn = Connection::open(&copy).unwrap();
    conn.execute_batch(
        "DROP TRIGGER audit_events_stay; DROP TRIGGER audit_events_remain;
         DROP TRIGGER audit_texts_stay; DROP TRIGGER audit_texts_remain;",
    )
    .unwrap();
    conn.execute_batch(change).unwrap();
    let db = doorward::kit::db::Db::open(&copy, 1).unwrap();
    let keys = portal.keys();
    let ours = db
        .read(portal.app().now(), |read| {
            doorward::audit::verify(read, &keys)
        })
        .unwrap();
    let ours: BTreeMap<i64, i64> = ours
        .faults
        .iter()
        .map(|fault| (fault.chain_id, fault.number))
        .collect();
    assert_eq!(faults_of(&conn), ours, "{change}");
    ours
}

#[test]
fn two_verifiers_agree() {
    let changes = [
        "",
        "UPDATE audit_events SET at = at + 1 WHERE chain_id <> 0 AND number = 2",
        "UPDATE audit_events SET session_id = NULL WHERE chain_id <> 0 AND number = 2",
        "UPDATE audit_events SET details = '' WHERE chain_id = 0 AND number = 1",
        "DELETE FROM audit_events WHERE chain_id <> 0 AND number = 2",
        "DELETE FROM audit_events WHERE chain_id <> 0 AND number >= 3",
        "DELETE FROM audit_heads",
        "UPDATE audit_heads SET number = 2, hash = (SELECT hash FROM audit_events e WHERE e.chain_id <> 0 AND number = 2)",
        "UPDATE audit_texts SET text = 'eve' WHERE chain_id <> 0 AND number = 2 AND slot = 1",
        "UPDATE audit_texts SET salt = zeroblob(16) WHERE chain_id <> 0 AND number = 1 AND slot = 3",
        "DELETE FROM audit_texts WHERE chain_id <> 0 AND number = 2 AND slot = 1",
        "DELETE FROM audit_texts",
    ];
    let portal = Portal::start();
    portal.owner().sign_out();
    for change in changes {
        let faults = both_find(&portal, change);
        assert_eq!(faults.is_empty(), change.is_empty(), "{change}");
    }
}

#[test]
fn two_verifiers_agree_on_what_was_pruned_and_erased() {
    let portal = pruning::pruned();
    for change in [
        "",
        "DELETE FROM audit_checkpoints",
        "UPDATE audit_checkpoints SET number = number - 1",
        "UPDATE audit_checkpoints SET hash = zeroblob(32)",
        "UPDATE audit_checkpoints SET pruned_at = 0",
        "DELETE FROM audit_events WHERE (chain_id, number) IN (SELECT chain_id, number + 1 FROM audit_checkpoints)",
        "UPDATE audit_events SET at = at + 1 WHERE (chain_id, number) IN (SELECT chain_id, number + 1 FROM audit_checkpoints)",
        "DELETE FROM audit_erasures",
        "DELETE FROM audit_erasures WHERE (number, slot) IN (SELECT number, slot FROM audit_erasures LIMIT 1)",
        "UPDATE audit_events SET details = replace(details, '\"texts\":', '\"text\":') WHERE action = 'account.erased'",
    ] {
        let faults = both_find(&portal, change);
        assert_eq!(faults.is_empty(), change.is_empty(), "{change}");
    }
}
