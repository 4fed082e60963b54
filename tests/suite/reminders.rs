//! The mail that tells whoever has no second factor that their grace is about to end: once, in time, and only while it
//! is so.

use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::kit::mail::Message;
use doorward::kit::time::{DAY, HOUR, MINUTE, Timestamp};
use doorward::scope::Allowed;
use doorward::{lifecycle, settings};

use crate::portal::{ORGANISATION, OWNER, Portal, START};
use crate::visitor::Visitor;

const MIA: &str = "mia@fjord.example";
const SUBJECT: &str = "Set up 2-step verification at Fjord Supply by ";

/// The owner, with a second factor: nobody reminds them.
fn owner(portal: &Portal) -> Visitor {
    let mut owner = portal.owner();
    owner.enrol();
    portal.work();
    owner
}

/// Mia, whose grace began with everything else; and the owner, who has a second factor.
fn mia(portal: &Portal) -> Visitor {
    let owner = owner(portal);
    portal.member_of(&owner, Role::Member, MIA)
}

fn decide(portal: &Portal, level: Level, grace_days: u8) {
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let wanted = Policies::each(|_| Policy { level, grace_days });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &by, &wanted, Trust::Off)
    })
    .unwrap();
}

/// The worker does what is due at this instant.
fn work_at(portal: &Portal, when: Timestamp) {
    portal.travel(when.since(portal.app().now()));
    portal.work();
}

/// The reminders that arrived.
fn reminders(portal: &Portal) -> Vec<Message> {
    let mails = portal.mails().into_iter();
    mails
        .filter(|mail| mail.subject.starts_with(SUBJECT))
        .collect()
}

/// How many are owed or were, in this state.
fn errands(portal: &Portal, state: &str) -> i64 {
    portal.ask(&format!(
        "SELECT count(*) FROM errands WHERE kind = 'grace_ends' AND state = '{state}'"
    ))[0]
}

#[test]
fn it_comes_two_days_before_the_end_and_once() {
    let portal = Portal::start();
    mia(&portal);
    let end = START.plus(7 * DAY);
    // The last look before it is due; from there on every ten minutes.
    work_at(&portal, end.minus(2 * DAY + 1));
    assert_eq!(reminders(&portal).len(), 0);
    work_at(&portal, end.minus(2 * DAY));
    assert_eq!(reminders(&portal).len(), 0);
    work_at(&portal, end.minus(2 * DAY + 1).plus(10 * MINUTE));
    let mails = reminders(&portal);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, MIA);
    assert_eq!(
        mails[0].subject,
        format!("{SUBJECT}Tuesday 1 December 2026")
    );
    let text = mails[0].text.split_whitespace().collect::<Vec<_>>();
    let text = text.join(" ");
    for said in [
        "Fjord Supply requires it for the permission Member.",
        "You can go on without until Tuesday 1 December 2026, 14:20 (Europe/Oslo); from then on nothing else can be opened",
        "Set it up: https://portal.example.com/account/two-factor",
        "Questions? Ask a Master of Fjord Supply.",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text}");
    }
    assert_eq!(text.matches("http").count(), 1, "{text}");
    for hours in 1..48 {
        work_at(&portal, end.minus(2 * DAY).plus(hours * HOUR));
    }
    work_at(&portal, end);
    work_at(&portal, end.plus(DAY));
    assert_eq!(reminders(&portal).len(), 1);
}

#[test]
fn it_is_given_up_when_the_grace_is_over() {
    let portal = Portal::start();
    mia(&portal);
    let end = START.plus(7 * DAY);
    portal.work();
    portal
        .mailbox()
        .fail(Some(doorward::kit::mail::Failure::Relay(
            doorward::kit::mail::Cause::Service,
            "no connection".to_owned(),
        )));
    work_at(&portal, end.minus(DAY));
    assert_eq!(
        portal.ask::<i64>("SELECT deadline_at FROM errands WHERE kind = 'grace_ends'"),
        [end.0]
    );
    portal.mailbox().fail(None);
    work_at(&portal, end);
    assert_eq!(reminders(&portal).len(), 0);
    assert_eq!(errands(&portal, "waiting") + errands(&portal, "sent"), 0);
    portal.leave_mail();
}

#[test]
fn it_comes_at_once_where_fewer_than_two_days_are_left_from_the_beginning() {
    for grace in [1, 2] {
        let portal = Portal::start();
        mia(&portal);
        decide(&portal, Level::Off, 0);
        portal.travel(HOUR);
        decide(&portal, Level::Required, grace);
        portal.work();
        assert_eq!(reminders(&portal).len(), 1, "{grace}");
    }
    // Nobody is reminded of what begins at once, nor of what is not required.
    for (level, grace) in [
        (Level::Required, 0),
        (Level::Recommended, 1),
        (Level::Off, 1),
    ] {
        let portal = Portal::start();
        mia(&portal);
        decide(&portal, Level::Off, 0);
        decide(&portal, level, grace);
        for hours in 0..50 {
            work_at(&portal, START.plus(hours * HOUR));
        }
        assert_eq!(reminders(&portal).len(), 0, "{level:?} {grace}");
    }
}

#[test]
fn nobody_is_reminded_when_it_is_over() {
    let portal = Portal::start();
    mia(&portal);
    work_at(&portal, START.plus(7 * DAY));
    work_at(&portal, START.plus(8 * DAY));
    assert_eq!(reminders(&portal).len(), 0);
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM errands WHERE kind = 'grace_ends'"),
        [0]
    );
}

#[test]
fn whoever_has_one_or_may_not_sign_in_is_not_reminded() {
    let portal = Portal::start();
    let owner = owner(&portal);
    let mut enrolled = portal.member_of(&owner, Role::Member, "a@fjord.example");
    enrolled.enrol();
    let disabled = portal.member_of(&owner, Role::Member, "b@fjord.example");
    portal.invite(&owner, Role::Member, "c@fjord.example");
    portal.work();
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let id = disabled.account().id;
    app.write(app.now(), |tx| lifecycle::disable(tx, &by, id))
        .unwrap();
    // An organisation that is switched off.
    let other = portal.organisation("Lakeside");
    portal.member_of(&other, Role::Member, "d@lakeside.example");
    let lakeside = portal.named("Lakeside");
    app.write(app.now(), |tx| {
        let lakeside = doorward::organisations::get(tx, lakeside)?;
        settings::disable(tx, &lakeside)
    })
    .unwrap();
    for hours in 0..60 {
        work_at(&portal, START.plus(5 * DAY + hours * HOUR));
    }
    assert_eq!(reminders(&portal).len(), 0);
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM errands WHERE kind = 'grace_ends'"),
        [0]
    );
}

#[test]
fn each_grace_that_begins_anew_is_reminded_of_anew() {
    let portal = Portal::start();
    let mia = mia(&portal);
    work_at(&portal, START.plus(6 * DAY));
    assert_eq!(reminders(&portal).len(), 1);
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let id = mia.account().id;
    app.write(app.now(), |tx| {
        lifecycle::change_role(tx, &by, id, Role::Billing)
    })
    .unwrap();
    for hours in 1..24 {
        work_at(&portal, START.plus(6 * DAY + hours * HOUR));
    }
    assert_eq!(reminders(&portal).len(), 1);
    work_at(&portal, START.plus(11 * DAY + 10 * MINUTE));
    let mails = reminders(&portal);
    assert_eq!(mails.len(), 2);
    assert!(
        mails[1].text.contains("permission Billing"),
        "{}",
        mails[1].text
    );
    // A looser policy moves the end: what was said before is no longer so, and the new end is told in its time.
    decide(&portal, Level::Required, 30);
    work_at(&portal, START.plus(33 * DAY));
    assert_eq!(reminders(&portal).len(), 2);
    work_at(&portal, START.plus(34 * DAY + 10 * MINUTE));
    assert_eq!(reminders(&portal).len(), 3);
}

/// A reminder that is owed and did not leave yet.
fn owed(portal: &Portal) {
    portal.work();
    portal
        .mailbox()
        .fail(Some(doorward::kit::mail::Failure::Relay(
            doorward::kit::mail::Cause::Service,
            "no connection".to_owned(),
        )));
    work_at(portal, START.plus(6 * DAY));
    assert_eq!(errands(portal, "waiting"), 1);
    portal.mailbox().fail(None);
    portal.travel(MINUTE);
}

#[test]
fn what_no_longer_holds_is_not_sent() {
    type Deed = fn(&Portal, &mut Visitor);
    let deeds: [(&str, Deed); 6] = [
        ("enrolled", |_, mia| {
            mia.get("/sign-in");
            mia.sign_in().enrol();
        }),
        ("loosened", |portal, _| decide(portal, Level::Required, 30)),
        ("recommended", |portal, _| {
            decide(portal, Level::Recommended, 7)
        }),
        ("disabled", |portal, mia| {
            let (app, by) = (portal.app(), Allowed::operator(portal.first()));
            let id = mia.account().id;
            app.write(app.now(), |tx| lifecycle::disable(tx, &by, id))
                .unwrap();
        }),
        ("deleted", |portal, mia| {
            let (app, by) = (portal.app(), Allowed::operator(portal.first()));
            let id = mia.account().id;
            app.write(app.now(), |tx| lifecycle::delete(tx, &by, id))
                .unwrap();
        }),
        ("organisation disabled", |portal, _| {
            let (app, first) = (portal.app(), portal.first());
            app.write(app.now(), |tx| {
                let first = doorward::organisations::get(tx, first)?;
                settings::disable(tx, &first)
            })
            .unwrap();
        }),
    ];
    for (name, deed) in deeds {
        let portal = Portal::start();
        let mut mia = mia(&portal);
        owed(&portal);
        deed(&portal, &mut mia);
        portal.work();
        assert_eq!(reminders(&portal).len(), 0, "{name}");
        assert_eq!(errands(&portal, "sent"), 0, "{name}");
        if name == "organisation disabled" {
            // All mail of an organisation that is switched off waits; nothing of it leaves.
            assert_eq!(errands(&portal, "waiting"), 1);
            portal.leave_mail();
            continue;
        }
        assert_eq!(errands(&portal, "not_needed"), 1, "{name}");
    }
    // And where nothing happened meanwhile, it leaves.
    let portal = Portal::start();
    mia(&portal);
    owed(&portal);
    portal.work();
    assert_eq!(reminders(&portal).len(), 1);
}

#[test]
fn a_hundred_at_a_time_and_the_rest_in_the_next_rounds() {
    let portal = Portal::start();
    owner(&portal);
    portal.work();
    let first = portal.first().number();
    portal.tamper(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
         INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, activated_at, role_at)
         SELECT i, {first}, 'active', 'member', 'p' || i || '@fjord.example', 'P', {0}, {0}, {0} FROM n",
        START.0
    ));
    work_at(&portal, START.plus(5 * DAY + 10 * MINUTE));
    let owed: i64 =
        portal.ask("SELECT count(DISTINCT recipient) FROM errands WHERE kind = 'grace_ends'")[0];
    assert_eq!(owed, 250);
    assert_eq!(errands(&portal, "sent"), 250);
    let to: std::collections::BTreeSet<String> =
        reminders(&portal).into_iter().map(|mail| mail.to).collect();
    assert_eq!(to.len(), 250);
    assert!(!to.contains(OWNER));
    assert!(reminders(&portal)[0].text.contains(ORGANISATION));
}
