//! The queue itself: what cannot be written, what a dying process leaves, the order, the deadlines, and how long rows
//! are kept.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use doorward::domain::role::Role;
use doorward::kit::time::{DAY, HOUR, MINUTE};
use doorward::outbox::{self, Turn};

use super::post::Deed;
use super::{LATER, LEA, MAX, REFUSED, later, never, notice, pass, start, states};
use crate::portal::{OWNER, Portal};

/// A round that may end in the middle, as a process does.
fn round_that_dies(portal: &Portal) {
    assert!(catch_unwind(AssertUnwindSafe(|| portal.work())).is_err());
}

#[test]
fn a_mail_that_cannot_be_written_holds_up_none_of_the_others() {
    let (portal, post) = start();
    let owner = portal.owner();
    notice(&owner);
    // JSON, as the schema asks, and still nothing that says where the sign-in came from.
    portal.tamper("UPDATE errands SET details = '{}', urgency = 0 WHERE kind = 'new_device'");
    for number in 0..99 {
        portal.invite(&owner, Role::Member, &format!("p{number}@fjord.example"));
    }
    portal.work();
    assert_eq!(post.taken().len(), 99);
    assert_eq!(
        states(&portal, OWNER),
        ["waiting: The mail could not be written."]
    );
    // It is looked at ever less often, and given up when it is worth nothing any more.
    for _ in 0..3 * 24 * 12 {
        portal.travel(5 * MINUTE);
        portal.work();
    }
    assert_eq!(
        states(&portal, OWNER),
        ["failed: It could not be delivered before it expired."]
    );
    let counts: Vec<i64> = portal.ask(
        "SELECT attempts.count FROM attempts JOIN errands ON errands.id = errand_id WHERE kind = 'new_device'",
    );
    assert_eq!(counts.len(), 1);
    assert!((70..=80).contains(&counts[0]), "{counts:?}");
    assert_eq!(post.taken().len(), 99);
    portal.leave_mail();
}

#[test]
fn a_mail_on_which_a_round_dies_holds_up_none_of_the_others() {
    let (portal, post) = start();
    let owner = portal.owner();
    post.always(LEA, Deed::WeDie);
    for email in [LEA, MAX] {
        portal.invite(&owner, Role::Member, email);
    }
    // Whichever is first; what died keeps its lease.
    for _ in 0..3 {
        catch_unwind(AssertUnwindSafe(|| portal.work())).ok();
    }
    assert_eq!(post.recipients(), [MAX]);
    // Its lease is over every two minutes; at last so is its link, and it is given up.
    for _ in 0..26 {
        portal.travel(HOUR);
        catch_unwind(AssertUnwindSafe(|| portal.work())).ok();
    }
    assert_eq!(
        states(&portal, LEA),
        ["failed: It could not be delivered before it expired."]
    );
    assert_eq!(post.recipients(), [MAX]);
    portal.leave_mail();
}

#[test]
fn what_a_process_that_died_had_in_its_hands_is_sent_by_the_next_one() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    portal.invite(&owner, Role::Member, MAX);
    let app = portal.app();
    // Between taking it up and handing it over.
    let claim = app.housekeep(app.now(), |tx| outbox::claim(tx, Turn::Urgent));
    assert!(claim.unwrap().is_some());
    drop(app);
    let sending: Vec<String> = portal.ask("SELECT state FROM errands ORDER BY state");
    assert_eq!(sending, ["sending", "waiting"]);
    portal.restart(|_, _| {});
    portal.work();
    let mut recipients = post.recipients();
    recipients.sort_unstable();
    assert_eq!(recipients, [LEA, MAX]);
}

#[test]
fn a_process_that_dies_after_the_relay_took_it_sends_the_same_mail_again() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    post.next(LEA, [Deed::TakesAndWeDie]);
    round_that_dies(&portal);
    assert_eq!(post.taken().len(), 1);
    portal.restart(|_, _| {});
    portal.work();
    let taken = post.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].id, taken[1].id);
    assert_eq!(taken[0].text, taken[1].text);
    portal.restart(|_, _| {});
    pass(&portal, HOUR);
    assert_eq!(post.taken().len(), 2);
}

#[test]
fn a_mail_whose_round_died_is_due_again_when_its_lease_is_over() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    post.next(LEA, [Deed::WeDie]);
    round_that_dies(&portal);
    portal.travel(2 * MINUTE - 1);
    portal.work();
    assert!(post.taken().is_empty(), "two attempts at once");
    portal.travel(1);
    portal.work();
    assert_eq!(post.recipients(), [LEA]);
}

#[test]
fn links_go_before_notices_however_long_these_have_waited() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.work();
    post.down(REFUSED);
    notice(&owner);
    notice(&owner);
    notice(&owner);
    portal.work();
    portal.travel(25);
    portal.invite(&owner, Role::Member, LEA);
    portal.invite(&owner, Role::Member, MAX);
    post.up();
    pass(&portal, MINUTE);
    // The first shows that the relay is back: it is whoever waited longest. The last broke off before.
    let mut recipients = post.recipients();
    recipients[1..3].sort_unstable();
    assert_eq!(recipients, [OWNER, LEA, MAX, OWNER, OWNER]);
}

/// A relay that comes back after a long day: many mails are owed, of which many have died, and many are refused.
#[test]
fn nobody_waits_behind_a_backlog_and_all_of_it_leaves() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.work();
    post.down(REFUSED);
    let mut owed = BTreeSet::new();
    for organisation in 0..2 {
        let by = portal.organisation(&format!("Branch {organisation}"));
        for number in 0..40 {
            let email = format!("p{organisation}.{number}@branch.example");
            let id = portal.invite(&by, Role::Member, &email);
            match number % 5 {
                // Its link is dead, and no deed has taken it off the queue.
                0 | 1 => portal.tamper(&format!(
                    "UPDATE invitations SET state = 'replaced' WHERE account_id = {}",
                    id.number()
                )),
                2 => post.always(&email, later(LATER)),
                _ => assert!(owed.insert(email)),
            }
        }
    }
    post.up();
    pass(&portal, MINUTE);
    let count = |what: &str| -> i64 {
        portal.ask(&format!(
            "SELECT count(*) FROM errands WHERE recipient LIKE '%@branch.example' AND {what}"
        ))[0]
    };
    assert_eq!(post.recipients().into_iter().collect::<BTreeSet<_>>(), owed);
    assert_eq!(post.taken().len(), owed.len(), "one of them went twice");
    assert_eq!(count("state = 'not_needed'"), 32);
    // Nothing of a dead link was ever offered.
    assert_eq!(
        count("state = 'not_needed' AND id IN (SELECT errand_id FROM attempts)"),
        0
    );
    assert_eq!(count("state = 'waiting' AND refusals = 1"), 16);

    // All that are refused come due together, and with them come somebody who is new and somebody who forgot.
    portal.travel(5 * MINUTE);
    let before = post.tries();
    portal.invite(&owner, Role::Member, LEA);
    portal
        .visitor()
        .post("/forgot-password", &[("email", OWNER)])
        .answers(303);
    portal.work();
    let offered = post.offered().split_off(before);
    assert_eq!(offered.len(), 18);
    for person in [LEA, OWNER] {
        let place = offered.iter().position(|to| to == person).unwrap();
        assert!(place < 4, "{person} came behind {place} that are refused");
    }
    // Whoever comes while a backlog of live links leaves has it before most of them.
    post.down(REFUSED);
    portal.travel(MINUTE);
    for number in 0..40 {
        portal.invite(&owner, Role::Member, &format!("q{number}@fjord.example"));
    }
    portal.travel(MINUTE);
    portal.invite(&owner, Role::Member, MAX);
    let before = post.tries();
    post.up();
    pass(&portal, MINUTE);
    let offered = post.offered().split_off(before);
    let place = offered.iter().position(|to| to == MAX).unwrap();
    assert!(place < 4, "{MAX} came behind {place}");
    assert_eq!(post.taken().len(), owed.len() + 43);
    portal.leave_mail();
}

#[test]
fn each_kind_of_mail_is_given_up_when_it_is_worth_nothing_any_more() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.work();
    post.down(REFUSED);
    portal.invite(&owner, Role::Member, LEA);
    portal
        .visitor()
        .post("/forgot-password", &[("email", OWNER)])
        .answers(303);
    notice(&owner);
    let owed = || {
        portal
            .ask::<String>("SELECT kind FROM errands WHERE state = 'waiting' ORDER BY kind")
            .join(" ")
    };
    assert_eq!(owed(), "activation new_device reset");
    for (wait, left) in [
        (HOUR - 1, "activation new_device reset"),
        (MINUTE + 1, "activation new_device"),
        (23 * HOUR - MINUTE - 1, "activation new_device"),
        (MINUTE + 1, "new_device"),
        (2 * DAY - MINUTE - 1, "new_device"),
        (MINUTE + 1, ""),
    ] {
        portal.travel(wait);
        portal.work();
        assert_eq!(owed(), left, "after {wait} s more");
    }
    portal.leave_mail();
}

#[test]
fn what_was_sent_is_forgotten_after_30_days_and_what_failed_after_90() {
    let (portal, post) = start();
    let owner = portal.owner();
    post.always(LEA, never("550 5.1.1 no such user here"));
    for number in 0..250 {
        portal.invite(&owner, Role::Member, &format!("p{number}@fjord.example"));
    }
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let kept = || {
        let counts: Vec<String> = portal
            .ask("SELECT state || ' ' || count(*) FROM errands GROUP BY state ORDER BY state");
        let attempts: Vec<i64> = portal.ask("SELECT count(*) FROM attempts");
        format!("{} {}", counts.join(" "), attempts[0])
    };
    assert_eq!(kept(), "failed 1 sent 250 251");
    portal.travel(30 * DAY - 1);
    portal.work();
    assert_eq!(kept(), "failed 1 sent 250 251");
    portal.travel(MINUTE + 1);
    portal.work();
    assert_eq!(kept(), "failed 1 1");
    portal.travel(60 * DAY - MINUTE - 1);
    portal.work();
    assert_eq!(kept(), "failed 1 1");
    portal.travel(MINUTE + 1);
    portal.work();
    assert_eq!(kept(), " 0");
}
