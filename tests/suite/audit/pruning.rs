//! What the operator does not keep for ever goes: chain by chain, once a day, and by no clock that may be wrong.

use doorward::domain::role::Role;
use doorward::kit::time::{DAY, HOUR, MINUTE};
use doorward::scope::Allowed;

use crate::portal::Portal;

/// How many events there are.
fn events(portal: &Portal) -> i64 {
    portal.ask("SELECT count(*) FROM audit_events")[0]
}

/// How often it was said that some were pruned.
fn said(portal: &Portal) -> i64 {
    portal.ask("SELECT count(*) FROM audit_events WHERE action = 'audit.pruned'")[0]
}

fn keeping(days: i64) -> Portal {
    Portal::build()
        .settings(|settings| settings.audit_keep_days = Some(days))
        .start()
}

/// A portal whose first events were pruned, and in which somebody's personal data was erased afterwards.
pub(super) fn pruned() -> Portal {
    let portal = keeping(30);
    let mia = portal.member(Role::Member, "mia@fjord.example");
    portal.travel(29 * DAY);
    let (app, id) = (portal.app(), mia.account().id);
    app.write(app.now(), |tx| {
        doorward::lifecycle::delete(tx, &Allowed::operator(portal.first()), id)
    })
    .unwrap();
    portal.travel(2 * DAY);
    portal.work();
    app.write(app.now(), |tx| {
        doorward::erasing::erase(tx, &Allowed::operator(portal.first()), id)
    })
    .unwrap();
    assert!(said(&portal) > 0);
    portal
}

#[test]
fn without_the_setting_events_are_kept_for_ever() {
    let portal = Portal::start();
    portal.owner();
    let before = events(&portal);
    for _ in 0..20 {
        portal.travel(365 * DAY);
        portal.work();
    }
    assert!(events(&portal) >= before);
    let first: i64 = portal.ask("SELECT min(number) FROM audit_events")[0];
    assert_eq!(first, 1);
}

#[test]
fn older_events_go_and_never_more() {
    let portal = keeping(30);
    portal.owner();
    let begun = portal.app().now();
    for _ in 0..6 {
        portal.travel(10 * DAY);
        portal.work();
        portal.owner();
        portal.work();
    }
    let oldest = portal.app().now().minus(30 * DAY);
    let too_old = format!(
        "SELECT count(*) FROM audit_events WHERE at < {} AND action <> 'audit.pruned'",
        oldest.minus(DAY).0
    );
    // What the newest row of the system's chain says is kept in any case.
    let own = format!("{too_old} AND chain_id <> 0");
    assert_eq!(portal.ask::<i64>(&own), [0]);
    assert!(begun < oldest);
    let kept = format!(
        "SELECT count(*) FROM audit_events WHERE action = 'sign_in.succeeded' AND at >= {}",
        oldest.0
    );
    assert_eq!(portal.ask::<i64>(&kept), [4], "nothing younger is gone");
}

#[test]
fn it_is_said_once_a_day_in_each_chain() {
    let portal = keeping(30);
    for _ in 0..40 {
        portal.owner();
        portal.travel(6 * HOUR);
    }
    portal.travel(25 * DAY);
    let before = said(&portal);
    let mut days = 0;
    for hour in 0..72 {
        portal.travel(HOUR);
        portal.work();
        if hour % 24 == 0 {
            days += 1;
        }
    }
    let rows = said(&portal) - before;
    assert!((1..=2 * days).contains(&rows), "{rows} in {days} days");
    portal.leave_mail();
}

#[test]
fn a_clock_that_is_set_on_removes_nothing_before_a_day_is_over() {
    let portal = keeping(30);
    portal.owner();
    portal.work();
    let before = events(&portal);
    portal.step(400 * DAY);
    for _ in 0..22 {
        portal.travel(HOUR);
        portal.work();
    }
    assert_eq!(said(&portal), 0);
    assert!(events(&portal) >= before);
    // Whoever meant it waits for a day.
    for _ in 0..4 {
        portal.travel(HOUR);
        portal.work();
    }
    assert!(said(&portal) > 0);
}

#[test]
fn a_start_long_after_the_last_event_removes_nothing_before_a_day_is_over() {
    let portal = keeping(30);
    portal.owner();
    portal.work();
    portal.step(400 * DAY);
    portal.restart(|_, _| ());
    portal.work();
    portal.travel(23 * HOUR);
    portal.work();
    assert_eq!(said(&portal), 0);
    portal.travel(2 * HOUR);
    portal.work();
    assert!(said(&portal) > 0);
}

#[test]
fn while_the_clock_is_behind_nothing_is_removed() {
    let portal = keeping(30);
    portal.owner();
    portal.work();
    portal.travel(60 * DAY);
    portal.app().now();
    portal.step(-10 * MINUTE);
    portal.work();
    portal.travel(MINUTE);
    portal.work();
    assert_eq!(said(&portal), 0);
}

#[test]
fn a_backup_of_a_pruned_log_verifies_and_a_restored_one_goes_on() {
    let portal = pruned();
    let backup = portal.back_up("pruned.db");
    portal.travel(40 * DAY);
    portal.work();
    portal.owner();
    portal.restore(&backup);
    portal.owner();
    portal.work();
    let checkpoints: i64 = portal.ask("SELECT count(*) FROM audit_checkpoints")[0];
    assert!(checkpoints > 0);
}

#[test]
fn another_key_takes_over_what_was_pruned() {
    let portal = pruned();
    portal.take_over([7; 32]);
    let app = portal.app();
    let verdict = app
        .read(app.now(), |read| doorward::audit::verify(read, app.keys()))
        .unwrap();
    assert_eq!(verdict.faults, []);
}
