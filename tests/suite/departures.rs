//! Disable on a date: set, shown, changed, cancelled, done once when the day is over, and never lost without a word.

use doorward::domain::id::AccountId;
use doorward::domain::role::Role;
use doorward::kit::time::{DAY, HOUR, MINUTE};
use doorward::leaving;
use doorward::{ownership, passwords};
use serde_json::Value;

use crate::portal::Portal;
use crate::visitor::Visitor;
use crate::wares;

const ANN: &str = "ann@fjord.example";
const BO: &str = "bo@fjord.example";
/// From the start of a test, 24 November 14:20 in Oslo, to the end of 30 November there.
const TO_THE_END: i64 = 6 * DAY + 9 * HOUR + 40 * MINUTE;
const ON: [(&str, &str); 2] = [("when", "date"), ("date", "2026-11-30")];

fn page_of(id: AccountId) -> String {
    format!("/iam/accounts/{id}")
}

fn status_of(portal: &Portal, id: AccountId) -> String {
    let sql = format!("SELECT status FROM accounts WHERE id = {}", id.number());
    portal.ask(&sql).remove(0)
}

fn dates(portal: &Portal) -> i64 {
    portal.ask("SELECT count(*) FROM departures").remove(0)
}

/// The facts of each event of this action in the first organisation's log, the newest first.
fn facts(portal: &Portal, action: &str) -> Vec<(String, Value)> {
    let entries = portal.audit(Some(portal.first())).into_iter();
    entries
        .filter(|one| one.action == action)
        .map(|one| (one.actor, serde_json::from_str(&one.details).unwrap()))
        .collect()
}

/// The owner sets the 30 November as this account's last day.
#[track_caller]
fn set(owner: &mut Visitor, id: AccountId) {
    owner
        .post(format!("{}/disable", page_of(id)), &ON)
        .answers(303);
}

#[test]
fn a_last_day_is_set_shown_changed_and_cancelled() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let ann = portal.member(Role::Admin, ANN);
    portal.work();
    let id = ann.account().id;
    owner
        .get(format!("{}/disable", page_of(id)))
        .answers(200)
        .sees("Now")
        .sees("On a date")
        .sees("The account works until the end of this day, Europe/Oslo.");
    set(&mut owner, id);
    owner
        .follow()
        .sees("ANN Vik is disabled at the end of 30 Nov 2026 (Europe/Oslo).")
        .sees("Leaves at the end of 30 Nov 2026 (Europe/Oslo). The account is disabled then. Set by Olivia Berg.")
        .sees("Active Leaves 30 Nov");
    owner.get("/iam/accounts").sees("Leaves 30 Nov");
    assert!(ann.is_signed_in(), "nothing happens before");
    let said = facts(&portal, "account.departure_set");
    assert_eq!(said[0].1["day"], "2026-11-30");

    // The page knows it, and another day takes its place.
    owner
        .get(format!("{}/disable", page_of(id)))
        .sees("This account is to be disabled at the end of 30 Nov 2026 (Europe/Oslo).");
    assert!(owner.html().contains("value=\"2026-11-30\""));
    assert!(owner.html().contains("value=\"date\" checked"));
    owner
        .post(
            format!("{}/disable", page_of(id)),
            &[("when", "date"), ("date", "2027-01-04")],
        )
        .answers(303);
    owner.get("/iam/accounts").sees("Leaves 4 Jan 2027");
    assert_eq!(dates(&portal), 1);
    let said = facts(&portal, "account.departure_set");
    assert_eq!(said[0].1["from"], "2026-11-30");

    owner
        .post(format!("{}/keep", page_of(id)), &[])
        .answers(303)
        .goes_to(page_of(id))
        .follow()
        .sees("ANN Vik stays: no last day is set any more.")
        .sees_not("Leaves");
    assert_eq!(dates(&portal), 0);
    assert_eq!(facts(&portal, "account.departure_cancelled").len(), 1);
    owner
        .post(format!("{}/keep", page_of(id)), &[])
        .answers(403)
        .sees("there is nothing to cancel");
    portal.travel(90 * DAY);
    portal.work();
    assert_eq!(status_of(&portal, id), "active");
}

#[test]
fn it_is_done_when_the_day_is_over_and_not_a_second_before() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let ann = portal.member(Role::Admin, ANN);
    let id = ann.account().id;
    set(&mut owner, id);
    portal.work();
    portal.travel(TO_THE_END - 1);
    portal.work();
    assert_eq!(status_of(&portal, id), "active");
    portal.travel(1);
    portal.work();
    assert_eq!(status_of(&portal, id), "disabled");
    assert!(!ann.is_signed_in());
    assert_eq!(dates(&portal), 0);
    let done = facts(&portal, "account.disabled");
    assert_eq!(done.len(), 1);
    let (actor, facts) = &done[0];
    assert_eq!(actor, "system");
    assert_eq!(facts["why"], "date");
    assert_eq!(facts["set_by"], owner.account().id.to_string());
    // Enabled again, it stays: the date is used up.
    owner = portal.signed_in("olivia@fjord.example");
    owner
        .post(format!("{}/enable", page_of(id)), &[])
        .answers(303);
    portal.travel(DAY);
    portal.work();
    assert_eq!(status_of(&portal, id), "active");
}

#[test]
fn days_that_cannot_be_are_told_beside_the_field_and_nothing_typed_is_lost() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = portal.member(Role::Member, ANN).account().id;
    portal.work();
    let page = format!("{}/disable", page_of(id));
    for (date, told) in [
        ("", "Choose the last day."),
        ("2026-11-23", "This day is over."),
        ("2027-11-25", "Choose a day within a year from today."),
        ("2027-02-29", "There is no such day."),
        ("30.11.2026", "There is no such day."),
        ("9999-99-99", "There is no such day."),
    ] {
        owner
            .post(&page, &[("when", "date"), ("date", date)])
            .answers(422)
            .sees(told);
        assert!(owner.html().contains("value=\"date\" checked"), "{date}");
        assert!(date.is_empty() || owner.html().contains(&format!("value=\"{date}\"")));
    }
    // Today is a day whose end is still to come.
    owner
        .post(&page, &[("when", "date"), ("date", "2026-11-24")])
        .answers(303);
    owner
        .post(format!("{}/keep", page_of(id)), &[])
        .answers(303);
    // Now, and a day besides: one of them was not meant.
    owner
        .post(&page, &[("when", "now"), ("date", "2026-12-01")])
        .answers(422)
        .sees("Choose “On a date”, or empty the day");
    owner
        .post(&page, &[("when", "later"), ("date", "2026-12-01")])
        .answers(400);
    owner
        .post(&page, &[("when", "now"), ("hour", "12")])
        .answers(400);
    assert_eq!(
        (status_of(&portal, id).as_str(), dates(&portal)),
        ("active", 0)
    );
    // Where a day is set, its field is filled in: who says now means now.
    set(&mut owner, id);
    owner
        .post(&page, &[("when", "now"), ("date", "2026-11-30")])
        .answers(303);
    assert_eq!(
        (status_of(&portal, id).as_str(), dates(&portal)),
        ("disabled", 0)
    );
}

#[test]
fn its_own_person_is_not_told_and_cannot_cancel_it() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ann = portal.member(Role::Admin, ANN);
    let id = ann.account().id;
    set(&mut owner, id);
    portal.work();
    for page in [
        "/".to_owned(),
        "/account".to_owned(),
        "/iam/accounts".to_owned(),
        page_of(id),
    ] {
        ann.get(&page)
            .answers(200)
            .sees_not("Leaves 30")
            .sees_not("to be disabled at the end")
            .sees_not("Leaves at the end");
    }
    assert!(
        portal
            .mails()
            .iter()
            .all(|mail| !mail.text.contains("30 Nov 2026"))
    );
    ann.post(format!("{}/keep", page_of(id)), &[])
        .answers(403)
        .sees("This is your own account.");
    // Another Admin manages accounts, and is told.
    let mut bo = portal.member(Role::Admin, BO);
    bo.get("/iam/accounts").sees("Leaves 30 Nov");
    bo.get(page_of(id)).sees("Leaves at the end of 30 Nov 2026");
    bo.post(format!("{}/keep", page_of(id)), &[]).answers(303);
    portal.work();
}

#[test]
fn what_it_holds_is_handed_over_when_it_leaves_and_not_before() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    let ann = portal.member(Role::Admin, ANN);
    let bo = portal.member(Role::Member, BO);
    for name in ["web-1", "web-2"] {
        wares::create(&portal, &ann, name, "server/s-1");
    }
    portal.work();
    let (id, heir) = (ann.account().id, bo.account().id);
    owner
        .post(
            format!("{}/disable", page_of(id)),
            &[
                ("when", "date"),
                ("date", "2026-11-30"),
                ("heir", &heir.to_string()),
            ],
        )
        .answers(303);
    owner
        .get(page_of(id))
        .sees("What it holds is handed over to BO Vik at the same time.");
    let held_by = |who: AccountId| -> i64 {
        portal
            .ask(&format!(
                "SELECT count(*) FROM resources WHERE holder_id = {} AND ended_at IS NULL",
                who.number()
            ))
            .remove(0)
    };
    assert_eq!((held_by(id), held_by(heir)), (2, 0));
    portal.travel(TO_THE_END);
    portal.work();
    assert_eq!((held_by(id), held_by(heir)), (0, 2));
    assert_eq!(status_of(&portal, id), "disabled");
    let handed = facts(&portal, "resource.handed_over");
    assert_eq!(handed.len(), 2);
    assert!(handed.iter().all(|(actor, _)| actor == "system"));
}

#[test]
fn whoever_leaves_is_kept_out_also_where_the_heir_is_gone() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    let ann = portal.member(Role::Admin, ANN);
    let heir = portal.member(Role::Member, BO).account().id;
    wares::create(&portal, &ann, "web-1", "server/s-1");
    portal.work();
    let id = ann.account().id;
    owner
        .post(
            format!("{}/disable", page_of(id)),
            &[
                ("when", "date"),
                ("date", "2026-11-30"),
                ("heir", &heir.to_string()),
            ],
        )
        .answers(303);
    owner
        .post(format!("{}/disable", page_of(heir)), &[])
        .answers(303);
    portal.travel(TO_THE_END);
    portal.work();
    assert_eq!(status_of(&portal, id), "disabled");
    let (_, said) = facts(&portal, "account.disabled").remove(0);
    assert_eq!(said["heir"], "gone");
    assert_eq!(
        portal.ask::<AccountId>("SELECT holder_id FROM resources"),
        [id]
    );
}

#[test]
fn after_days_without_a_server_it_is_done_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let ids = [ANN, BO].map(|email| portal.member(Role::Member, email).account().id);
    for id in ids {
        set(&mut owner, id);
    }
    portal.work();
    portal.travel(TO_THE_END + 3 * DAY);
    portal.restart(|_, _| {});
    portal.work();
    portal.restart(|_, _| {});
    portal.work();
    for id in ids {
        assert_eq!(status_of(&portal, id), "disabled");
    }
    assert_eq!(facts(&portal, "account.disabled").len(), 2);
}

#[test]
fn more_than_a_round_has_room_for_are_all_done() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let mut ids = Vec::new();
    for number in 0..23 {
        let email = format!("leaver{number}@fjord.example");
        let id = portal.member(Role::Member, &email).account().id;
        set(&mut owner, id);
        ids.push(id);
    }
    portal.travel(TO_THE_END);
    portal.work();
    assert!(ids.iter().all(|id| status_of(&portal, *id) == "disabled"));
    assert_eq!(facts(&portal, "account.disabled").len(), 23);
}

#[test]
fn a_clock_that_is_set_back_does_not_bring_anybody_back_and_one_set_on_does_it_then() {
    for (step, disabled) in [(25 * HOUR, true), (-25 * HOUR, false)] {
        let portal = Portal::start();
        let mut owner = portal.owner();
        let id = portal.member(Role::Member, ANN).account().id;
        set(&mut owner, id);
        portal.work();
        portal.travel(TO_THE_END - HOUR);
        portal.work();
        portal.step(step);
        portal.work();
        assert_eq!(status_of(&portal, id) == "disabled", disabled, "{step}");
        // Time goes on at half its pace until the clock has caught up, so the day ends all the same.
        portal.travel(2 * HOUR + MINUTE);
        portal.work();
        assert_eq!(status_of(&portal, id), "disabled", "{step}");
        portal.step(-step);
        portal.travel(DAY);
        portal.work();
        assert_eq!(status_of(&portal, id), "disabled", "{step}");
        assert_eq!(facts(&portal, "account.disabled").len(), 1, "{step}");
    }
}

#[test]
fn the_instant_stays_when_the_organisation_moves_to_another_zone() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = portal.member(Role::Member, ANN).account().id;
    set(&mut owner, id);
    portal.work();
    owner
        .post_from(
            "/settings",
            "/settings/general",
            &[("organisation", "Fjord Supply"), ("timezone", "Asia/Tokyo")],
        )
        .answers(303);
    owner
        .get(page_of(id))
        .sees("Leaves on 1 Dec 2026 at 08:00 (Asia/Tokyo).");
    owner.get("/iam/accounts").sees("Leaves 1 Dec");
    portal.travel(TO_THE_END - 1);
    portal.work();
    assert_eq!(status_of(&portal, id), "active");
    portal.travel(1);
    portal.work();
    assert_eq!(status_of(&portal, id), "disabled");
}

/// Whoever set the date lost the right: nothing is done, and it is said everywhere.
#[test]
fn whoever_lost_the_right_disables_nobody_and_that_is_not_kept_quiet() {
    for loss in ["demoted", "disabled", "deleted", "promoted", "masters"] {
        let portal = Portal::start();
        portal.leave_mail();
        let mut owner = portal.owner();
        let mut ann = portal.member(Role::Admin, ANN);
        let bo = portal.member(Role::Member, BO);
        let (ann_id, id) = (ann.account().id, bo.account().id);
        set(&mut ann, id);
        match loss {
            "demoted" => owner.post(format!("{}/role", page_of(ann_id)), &[("role", "billing")]),
            "disabled" => owner.post(format!("{}/disable", page_of(ann_id)), &[]),
            "deleted" => owner.post(format!("{}/delete", page_of(ann_id)), &[("email", ANN)]),
            // Bo has more by then than Ann may touch.
            "promoted" => owner.post(format!("{}/role", page_of(id)), &[("role", "master")]),
            _ => owner.post_from(
                "/settings",
                "/settings/security",
                &[("managers", "masters")],
            ),
        };
        owner.answers(303);
        portal.travel(TO_THE_END);
        portal.work();
        assert_eq!(status_of(&portal, id), "active", "{loss}");
        let (actor, said) = facts(&portal, "account.departure_dropped").remove(0);
        assert_eq!(
            (actor.as_str(), said["why"].as_str()),
            ("system", Some("giver")),
            "{loss}"
        );
        // Once: the next rounds leave it alone.
        portal.travel(HOUR);
        portal.work();
        assert_eq!(
            facts(&portal, "account.departure_dropped").len(),
            1,
            "{loss}"
        );
        owner = portal.signed_in("olivia@fjord.example");
        owner
            .get("/")
            .sees("BO Vik was to be disabled on a date, and was not.")
            .sees("Whoever set the date could not disable this account any more.");
        owner.get("/iam/accounts").sees("Not disabled on 30 Nov");
        owner
            .get(page_of(id))
            .sees("Was to be disabled at the end of 30 Nov 2026 (Europe/Oslo), and was not.");
        owner
            .post(format!("{}/keep", page_of(id)), &[])
            .answers(303);
        owner.get("/").sees_not("was to be disabled");
        owner.get(page_of(id)).sees_not("Was to be disabled");
    }
}

#[test]
fn a_date_that_was_missed_is_set_anew_in_ones_own_name() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let mut ann = portal.member(Role::Admin, ANN);
    let id = portal.member(Role::Member, BO).account().id;
    set(&mut ann, id);
    let page = format!("{}/disable", page_of(ann.account().id));
    // The page says what is lost with Ann.
    owner
        .get(&page)
        .sees("The last days this account set are not kept: BO Vik (30 Nov 2026). Set a date anew to keep it: it is yours then.");
    owner.post(&page, &[]).answers(303);
    portal.travel(TO_THE_END);
    portal.work();
    owner = portal.signed_in("olivia@fjord.example");
    owner.get(format!("{}/disable", page_of(id))).sees(
        "This account was to be disabled at the end of 30 Nov 2026 (Europe/Oslo), and was not.",
    );
    owner
        .post(
            format!("{}/disable", page_of(id)),
            &[("when", "date"), ("date", "2026-12-02")],
        )
        .answers(303);
    owner.get("/").sees_not("was to be disabled");
    portal.travel(3 * DAY);
    portal.work();
    assert_eq!(status_of(&portal, id), "disabled");
}

#[test]
fn whoever_owns_the_organisation_by_then_stays() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let heir = portal.member(Role::Master, ANN);
    let id = heir.account().id;
    set(&mut owner, id);
    let app = portal.app();
    let (giver, taker) = (owner.account().id, id);
    app.write_if(app.now(), |tx| {
        ownership::offer(tx, &owner.allowed(), &passwords::proof(giver), taker)
    })
    .unwrap();
    app.write(app.now(), |tx| {
        ownership::accept(tx, &heir.allowed(), &passwords::proof(taker))
    })
    .unwrap();
    assert_eq!(dates(&portal), 0);
    let (_, said) = facts(&portal, "account.departure_cancelled").remove(0);
    assert_eq!(said["why"], "ownership");
    portal.travel(TO_THE_END);
    portal.work();
    assert_eq!(status_of(&portal, id), "active");
}

#[test]
fn the_last_master_stays() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let max = portal.member(Role::Master, ANN);
    let id = max.account().id;
    set(&mut owner, id);
    // No verb leads there; a file might: the owner is Active and no Master.
    portal.tamper(
        "UPDATE accounts SET role = 'admin' WHERE email = 'olivia@fjord.example';
         UPDATE departures SET set_by = NULL",
    );
    portal.travel(TO_THE_END);
    portal.work();
    assert_eq!(status_of(&portal, id), "active");
    let (_, said) = facts(&portal, "account.departure_dropped").remove(0);
    assert_eq!(said["why"], "last_master");
    assert_eq!(said["set_by"], "operator");
}

#[test]
fn whatever_ends_the_account_before_forgets_the_date() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let [ann, bo] = [ANN, BO].map(|email| portal.member(Role::Member, email).account().id);
    for id in [ann, bo] {
        set(&mut owner, id);
    }
    owner
        .post(format!("{}/disable", page_of(ann)), &[("when", "now")])
        .answers(303);
    owner
        .post(format!("{}/delete", page_of(bo)), &[("email", BO)])
        .answers(303);
    assert_eq!(dates(&portal), 0);
    owner
        .post(format!("{}/enable", page_of(ann)), &[])
        .answers(303);
    portal.travel(TO_THE_END);
    portal.work();
    assert_eq!(status_of(&portal, ann), "active");
    assert_eq!(facts(&portal, "account.departure_dropped").len(), 0);
}

#[test]
fn a_pending_or_disabled_account_has_no_last_day() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let pending = portal.invite(&owner, Role::Member, ANN);
    let disabled = portal.member(Role::Member, BO).account().id;
    owner
        .post(format!("{}/disable", page_of(disabled)), &[])
        .answers(303);
    for id in [pending, disabled, owner.account().id] {
        owner
            .post(format!("{}/disable", page_of(id)), &ON)
            .answers(403);
    }
    assert_eq!(dates(&portal), 0);
}

/// The change and its record are one transaction: where the second cannot be written, the first is not there.
#[test]
fn a_departure_whose_record_cannot_be_written_is_none() {
    let portal = Portal::start();
    portal.expect_failures();
    portal.leave_mail();
    let mut owner = portal.owner();
    let id = portal.member(Role::Member, ANN).account().id;
    set(&mut owner, id);
    portal.tamper(
        "CREATE TRIGGER no_record BEFORE INSERT ON audit_events WHEN NEW.action = 'account.disabled' BEGIN
           SELECT raise(ABORT, 'no'); END",
    );
    portal.travel(TO_THE_END);
    portal.round();
    assert_eq!(
        (status_of(&portal, id).as_str(), dates(&portal)),
        ("active", 1)
    );
    portal.tamper("DROP TRIGGER no_record");
    // What failed for a fault of ours is tried again.
    portal.travel(10 * MINUTE);
    portal.work();
    assert_eq!(
        (status_of(&portal, id).as_str(), dates(&portal)),
        ("disabled", 0)
    );
}

#[test]
fn what_is_done_already_is_not_done_again() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let id = portal.member(Role::Member, ANN).account().id;
    set(&mut owner, id);
    let app = portal.app();
    let early = app
        .housekeep(app.now(), |tx| Ok(leaving::carry_out(tx, id)?.is_some()))
        .unwrap();
    assert!(!early);
    assert_eq!(status_of(&portal, id), "active");
}
