//! Budgets: who is told, how often, and when not any more.

use doorward::billing;
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::domain::role::Role;
use doorward::error::Error;
use doorward::kit::mail::{Cause, Failure};
use doorward::kit::time::{DAY, HOUR};
use doorward::scope::Allowed;
use rusqlite::Connection;

use super::{subjects, turn_the_month};
use crate::portal::{OWNER, Portal};
use crate::visitor::Visitor;
use crate::wares;

const ANN: &str = "ann@fjord.example";
const BEA: &str = "bea@fjord.example";
const MIA: &str = "mia@fjord.example";

fn set(portal: &Portal, budget: Option<i64>) {
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    app.write_if(app.now(), |tx| {
        billing::set_budget(tx, &by, budget.map(Money))
    })
    .unwrap();
}

/// The mails about budgets to this address, by what they say of it.
fn told(portal: &Portal, to: &str) -> Vec<String> {
    let all = subjects(portal, to).into_iter();
    let all = all.filter(|subject| subject.contains("budget"));
    all.map(|subject| subject.replace(" at Fjord Supply", ""))
        .collect()
}

/// A server of 12.40 a month, at the very beginning of December.
fn december() -> (Portal, Visitor) {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    turn_the_month(&portal);
    portal.work();
    (portal, owner)
}

/// Days go by, with the worker at work every six hours.
fn live(portal: &Portal, days: i64) {
    for _ in 0..days * 4 {
        portal.travel(6 * HOUR);
        portal.work();
    }
}

#[test]
fn each_mark_is_told_once_a_month_to_all_who_look_after_the_bill() {
    let (portal, _) = december();
    portal.member(Role::Billing, ANN);
    portal.member(Role::Admin, BEA);
    portal.member(Role::Member, MIA);
    portal.invite(&portal.owner(), Role::Billing, "pending@fjord.example");
    let gone = portal.member(Role::Billing, "gone@fjord.example");
    portal.tamper(&format!(
        "UPDATE accounts SET status = 'disabled', disabled_at = 1 WHERE id = {}",
        gone.account().id.number()
    ));
    set(&portal, Some(1_000));
    portal.work();
    assert!(told(&portal, OWNER).is_empty());
    let begun = Month::of(portal.app().now());
    let mut days = Vec::new();
    for day in 1..=30 {
        let before = told(&portal, OWNER).len();
        live(&portal, 1);
        assert!(told(&portal, OWNER).len() <= before + 1, "two on one day");
        if told(&portal, OWNER).len() > before {
            days.push(day);
        }
    }
    assert_eq!(Month::of(portal.app().now()), begun);
    // 12.40 a month is 40 cents a day: 5.00, 8.00 and 10.00 are reached after 12.5, 20 and 25 days.
    assert_eq!(days, [13, 20, 25]);
    let december = [
        "50 % of December's budget is spent",
        "80 % of December's budget is spent",
        "December's budget is spent",
    ];
    for person in [OWNER, ANN, BEA] {
        assert_eq!(told(&portal, person), december, "{person}");
    }
    for person in [MIA, "pending@fjord.example", "gone@fjord.example"] {
        assert!(told(&portal, person).is_empty(), "{person}");
    }
    // The next month begins anew.
    live(&portal, 29);
    assert_eq!(told(&portal, OWNER).len(), 6);
    assert_eq!(told(&portal, OWNER)[5], "January's budget is spent");
}

#[test]
fn a_leap_over_all_marks_is_told_once() {
    let (portal, _) = december();
    set(&portal, Some(100));
    portal.travel(20 * DAY);
    portal.work();
    portal.travel(DAY);
    portal.work();
    assert_eq!(told(&portal, OWNER), ["December's budget is spent"]);
}

#[test]
fn whoever_changes_a_budget_is_not_told_what_they_see() {
    let (portal, _) = december();
    portal.travel(15 * DAY);
    // 6.00 are spent: of this more than half.
    set(&portal, Some(1_000));
    portal.work();
    assert!(told(&portal, OWNER).is_empty());
    // Lowered below what is spent.
    set(&portal, Some(500));
    live(&portal, 1);
    assert!(told(&portal, OWNER).is_empty());
    // Raised: of the new one the next mark is told when it is reached.
    set(&portal, Some(1_200));
    live(&portal, 1);
    assert!(told(&portal, OWNER).is_empty());
    live(&portal, 9);
    assert_eq!(told(&portal, OWNER), ["80 % of December's budget is spent"]);
    set(&portal, None);
    live(&portal, 4);
    assert_eq!(told(&portal, OWNER).len(), 1);
    live(&portal, 20);
    assert_eq!(told(&portal, OWNER).len(), 1);
}

#[test]
fn a_budget_is_an_amount_that_a_month_can_cost() {
    let (portal, _) = december();
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    for wrong in [0, -1, 1_000_000_000_000_001, i64::MAX] {
        let set = app.write_if(app.now(), |tx| {
            billing::set_budget(tx, &by, Some(Money(wrong)))
        });
        assert!(
            matches!(
                &set,
                Err(Error::Invalid {
                    field: "budget",
                    ..
                })
            ),
            "{wrong}: {set:?}"
        );
    }
    set(&portal, Some(1_000_000_000_000_000));
    set(&portal, Some(1));
    live(&portal, 1);
    assert_eq!(billing::step(Money(i64::MAX), Money(1)), 100);
    assert_eq!(billing::step(Money(49), Money(100)), 0);
    assert_eq!(billing::step(Money(50), Money(100)), 50);
    // 79.99 % is not 80.
    assert_eq!(billing::step(Money(7_999), Money(10_000)), 50);
    assert_eq!(billing::step(Money(0), Money(1)), 0);
}

#[test]
fn what_holds_no_more_when_it_could_be_sent_is_not_sent() {
    for case in [
        "the month is over",
        "it was raised",
        "it was removed",
        "they may not see it",
    ] {
        let (portal, _) = december();
        let ann = portal.member(Role::Billing, ANN);
        portal.work();
        set(&portal, Some(1_000));
        let is_late = case == "the month is over";
        portal.travel(if is_late { 28 } else { 13 } * DAY);
        portal.mailbox().fail(Some(Failure::Relay(
            Cause::Service,
            "no connection".to_owned(),
        )));
        portal.work();
        match case {
            "the month is over" => portal.travel(4 * DAY),
            "it was raised" => set(&portal, Some(5_000)),
            "it was removed" => set(&portal, None),
            _ => portal.tamper(&format!(
                "UPDATE accounts SET role = 'member' WHERE id = {}",
                ann.account().id.number()
            )),
        }
        portal.mailbox().fail(None);
        portal.travel(60);
        portal.work();
        assert!(told(&portal, ANN).is_empty(), "{case}");
        assert_eq!(
            told(&portal, OWNER).len(),
            usize::from(case == "they may not see it"),
            "{case}"
        );
    }
}

#[test]
fn a_thousand_budgets_are_looked_at_in_bounded_rounds_and_each_is_told_once() {
    const MANY: i64 = 1_000;
    let portal = Portal::start();
    portal.leave_mail();
    portal.owner();
    portal.work();
    let begin = Month::of(portal.app().now()).previous().start().0;
    let file = Connection::open(portal.file()).unwrap();
    wares::crowd(&file, (MANY, 2), begin);
    // The month before is closed, so that each has a record of its own.
    while portal.ask::<i64>("SELECT count(*) FROM invoices") != [MANY] {
        portal.round();
    }
    // Of half of them nothing is reached.
    portal.tamper(
        "INSERT INTO billing (organisation_id, budget)
           SELECT id, CASE id % 2 WHEN 0 THEN 1000 ELSE 1000000 END FROM organisations WHERE name LIKE 'Crowd %'",
    );
    portal.round();
    portal.travel(HOUR);
    let owed = || portal.ask::<i64>("SELECT count(*) FROM errands WHERE kind = 'budget'")[0];
    let (mut rounds, mut before) = (0, owed());
    while before < MANY / 2 {
        portal.round();
        rounds += 1;
        let after = owed();
        assert!(after - before <= 20, "{} in one round", after - before);
        assert!(rounds < 100, "it never comes to an end");
        before = after;
    }
    assert!((48..=51).contains(&rounds), "{rounds} rounds");
    for _ in 0..60 {
        portal.round();
    }
    portal.travel(HOUR);
    for _ in 0..60 {
        portal.round();
    }
    assert_eq!(owed(), MANY / 2);
    let told: Vec<i64> =
        portal.ask("SELECT count(*) FROM billing WHERE (told_percent > 0) <> (budget = 1000)");
    assert_eq!(told, [0]);
}
