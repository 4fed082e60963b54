//! Months that are closed: once, in order, whoever closes them and whatever the clock does.

use std::collections::BTreeSet;
use std::sync::Barrier;

use doorward::billing::{self, Details, Standing, Terms};
use doorward::catalogue;
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::domain::role::Role;
use doorward::error::Error;
use doorward::kit::time::{DAY, Timestamp};
use doorward::resources;
use doorward::scope::{Allowed, By};
use doorward::{organisations, settings, setup};
use rusqlite::Connection;

use super::{faults, invoices, lines, subjects, turn_the_month};
use crate::portal::{OWNER, Portal};
use crate::wares;

const ANN: &str = "ann@fjord.example";

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// The mails about invoices to this address.
fn bills(portal: &Portal, to: &str) -> Vec<String> {
    let all = subjects(portal, to).into_iter();
    all.filter(|subject| subject.starts_with("Invoice "))
        .collect()
}

#[track_caller]
fn is_sound(portal: &Portal) {
    let found = faults(|sql| portal.ask::<i64>(sql)[0]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_month_becomes_an_invoice_once_it_is_over() {
    let portal = Portal::start();
    let owner = portal.owner();
    let organisation = portal.first();
    wares::stock(&portal);
    let began = portal.app().now();
    wares::create(&portal, &owner, "web-1", "server/s-1");
    portal.work();
    assert!(invoices(&portal, organisation).is_empty(), "too early");
    turn_the_month(&portal);
    portal.travel(-1);
    portal.work();
    assert!(
        invoices(&portal, organisation).is_empty(),
        "a second too early"
    );
    portal.travel(1);
    portal.work();
    portal.work();

    let (app, all) = (portal.app(), invoices(&portal, organisation));
    assert_eq!(all.len(), 1);
    let (invoice, month) = (&all[0], Month::of(began));
    let ran = month.span().until.since(began);
    assert_eq!(invoice.month, month);
    assert_eq!(
        invoice.number.to_string(),
        format!("INV-{}-001", month.year())
    );
    assert_eq!(invoice.net, Money(1_240).share(ran, month.span().seconds()));
    assert_eq!(invoice.standing(app.now()), Standing::Open);
    let last = Timestamp(invoice.due_at.0 + DAY - 1);
    assert_eq!(invoice.standing(last), Standing::Open);
    assert_eq!(invoice.standing(last.plus(1)), Standing::Overdue);
    let lines = lines(&portal, organisation, invoice.number);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].resource, "web-1");
    assert_eq!(lines[0].span.from, began);
    assert_eq!(bills(&portal, OWNER).len(), 1);
    is_sound(&portal);
}

#[test]
fn after_three_months_off_each_is_closed_in_order_and_told_once() {
    let portal = Portal::start();
    let owner = portal.owner();
    let organisation = portal.first();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    portal.work();
    for _ in 0..3 {
        turn_the_month(&portal);
    }
    portal.travel(9 * DAY);
    portal.restart(|_, _| {});
    portal.work();
    portal.work();
    let all: Vec<_> = invoices(&portal, organisation)
        .iter()
        .map(|one| (one.number.to_string(), one.month.to_string(), one.net.0))
        .collect();
    let november = Money(1_240).share(all_but(&portal), 30 * DAY).0;
    assert_eq!(
        all,
        [
            ("INV-2026-001".to_owned(), "2026-11".to_owned(), november),
            ("INV-2026-002".to_owned(), "2026-12".to_owned(), 1_240),
            ("INV-2027-001".to_owned(), "2027-01".to_owned(), 1_240),
        ]
    );
    let told = bills(&portal, OWNER);
    let numbers: Vec<&str> = told.iter().map(|subject| &subject[8..20]).collect();
    assert_eq!(numbers, ["INV-2026-001", "INV-2026-002", "INV-2027-001"]);
    // All are issued today, and so nobody owes anything since months ago.
    for invoice in invoices(&portal, organisation) {
        assert_eq!(invoice.standing(portal.app().now()), Standing::Open);
    }
    is_sound(&portal);
}

/// How long the first resource ran in November 2026.
fn all_but(portal: &Portal) -> i64 {
    let from = portal.ask::<i64>("SELECT min(from_at) FROM runs")[0];
    month("2026-11").span().until.0 - from
}

#[test]
fn a_clock_that_runs_ahead_over_the_end_of_a_month_and_back_closes_it_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let organisation = portal.first();
    wares::stock(&portal);
    let web = wares::create(&portal, &owner, "web-1", "server/s-1");
    portal.work();
    // A month and more ahead: further than the records are believed after the next start.
    portal.travel(40 * DAY);
    portal.work();
    let first = invoices(&portal, organisation);
    assert_eq!(first.len(), 2, "November and December");
    portal.travel(-40 * DAY);
    portal.restart(|_, _| {});
    portal.work();
    assert!(portal.app().now() < month("2026-12").start());
    owner.sign_in();
    // What is done now counts after what is closed.
    let other = wares::create(&portal, &owner, "web-2", "server/s-2");
    let (app, by) = (portal.app(), owner.allowed());
    app.write_if(app.now(), |tx| {
        resources::change_plan(tx, &by, web, "server/s-2")
    })
    .unwrap()
    .unwrap();
    app.write(app.now(), |tx| resources::end(tx, &by, other))
        .unwrap();
    // Back before it all, and on.
    portal.travel(-3 * DAY);
    portal.restart(|_, _| {});
    portal.work();
    while portal.app().now() < month("2027-02").start() {
        turn_the_month(&portal);
        portal.work();
    }
    let all = invoices(&portal, organisation);
    assert_eq!(format!("{:?}", &all[..2]), format!("{first:?}"));
    let months: Vec<String> = all.iter().map(|one| one.month.to_string()).collect();
    assert_eq!(months, ["2026-11", "2026-12", "2027-01"]);
    assert_eq!(all[2].net, Money(2_480));
    let lines = lines(&portal, organisation, all[2].number);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0].span, month("2027-01").span());
    assert_eq!(bills(&portal, OWNER).len(), 3);
    is_sound(&portal);
}

#[test]
fn two_who_close_at_once_make_one_invoice_of_each_month() {
    const THREADS: usize = 4;
    let portal = Portal::start();
    portal.leave_mail();
    let owner = portal.owner();
    let organisation = portal.first();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    for _ in 0..30 {
        turn_the_month(&portal);
    }
    let (app, start) = (portal.app(), Barrier::new(THREADS));
    let close = || {
        start.wait();
        let mut closed = Vec::new();
        while let Some(one) = app
            .housekeep(app.now(), |tx| {
                billing::close_next(tx, &By::operator(), &Terms::default())
            })
            .unwrap()
        {
            closed.push(one.month);
        }
        closed
    };
    let all: Vec<Month> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(close)).collect();
        let closed = threads.into_iter().flat_map(|one| one.join().unwrap());
        closed.collect()
    });
    assert_eq!(all.len(), 30);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 30);
    assert_eq!(invoices(&portal, organisation).len(), 30);
    is_sound(&portal);
}

#[test]
fn an_invoice_and_its_lines_are_changed_by_nobody() {
    let portal = Portal::start();
    let owner = portal.owner();
    let number = wares::invoice(&portal, &owner);
    portal.work();
    let first = portal.first();
    let before = format!("{:?}", invoices(&portal, first));
    let file = Connection::open(portal.file()).unwrap();
    for (statement, why) in [
        (
            "UPDATE invoices SET total = total",
            "an invoice is never changed",
        ),
        (
            "UPDATE invoices SET bill_to = 'Nobody'",
            "an invoice is never changed",
        ),
        ("DELETE FROM invoices", "an invoice is never deleted"),
        (
            "UPDATE invoice_lines SET amount = 0",
            "an invoice is never changed",
        ),
        ("DELETE FROM invoice_lines", "an invoice is never deleted"),
        (
            "UPDATE prices SET amount = 0",
            "a price is never changed, but followed by another",
        ),
    ] {
        let refused = file.execute_batch(statement).unwrap_err();
        assert!(refused.to_string().contains(why), "{statement}: {refused}");
    }
    // Nor by names that change, prices that rise and people who go.
    let (app, by) = (portal.app(), Allowed::operator(first));
    app.write_if(app.now(), |tx| {
        settings::rename(tx, &by, &"Another Name".parse().unwrap())
    })
    .unwrap();
    let mut dearer = wares::file();
    for plan in dearer.kinds.iter_mut().flat_map(|kind| &mut kind.plans) {
        plan.price = Money(plan.price.0 * 2);
        "Another".clone_into(&mut plan.name);
    }
    wares::import(&portal, &dearer);
    assert_eq!(format!("{:?}", invoices(&portal, first)), before);
    assert_ne!(lines(&portal, first, number)[0].plan, "Another");
}

#[test]
fn a_month_with_nothing_to_pay_has_no_invoice_and_no_number() {
    let portal = Portal::start();
    let owner = portal.owner();
    let organisation = portal.first();
    let mut free = wares::file();
    free.kinds[0].plans[0].price = Money::ZERO;
    wares::import(&portal, &free);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    // One that ends in the second in which it begins costs nothing either.
    let short = wares::create(&portal, &owner, "db-1", "database/db-1");
    let (app, by) = (portal.app(), owner.allowed());
    app.write(app.now(), |tx| resources::end(tx, &by, short))
        .unwrap();
    turn_the_month(&portal);
    portal.work();
    assert!(invoices(&portal, organisation).is_empty());
    assert!(bills(&portal, OWNER).is_empty());
    wares::stock(&portal);
    turn_the_month(&portal);
    portal.work();
    let all = invoices(&portal, organisation);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].number.to_string(), "INV-2026-001");
    assert_eq!(all[0].month, month("2026-12"));
}

#[test]
fn each_organisation_has_numbers_of_its_own_and_sees_no_other() {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    let lakeside = portal.organisation("Lakeside");
    wares::create(&portal, &lakeside, "db-1", "database/db-1");
    turn_the_month(&portal);
    portal.work();
    let (one, other) = (portal.first(), portal.named("Lakeside"));
    let (ours, theirs) = (invoices(&portal, one), invoices(&portal, other));
    assert_eq!((ours.len(), theirs.len()), (1, 1));
    assert_eq!(ours[0].number, theirs[0].number);
    assert_eq!(lines(&portal, one, ours[0].number)[0].resource, "web-1");
    assert_eq!(lines(&portal, other, theirs[0].number)[0].resource, "db-1");
    // The charges of one are nothing that the other's could be written from.
    let app = portal.app();
    let mixed = app.read(app.now(), |read| {
        let charges = resources::month(read, one, ours[0].month, ours[0].month.span().until)?;
        billing::in_words(read, other, &charges)
    });
    assert!(mixed.is_err());
}

#[test]
fn invoices_go_to_the_contact_and_to_the_owner_when_there_is_none_who_may() {
    let portal = Portal::start();
    let owner = portal.owner();
    let ann = portal.member(Role::Billing, ANN);
    let organisation = portal.first();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    let (app, by) = (portal.app(), Allowed::operator(organisation));
    let details = Details {
        contact: Some(ann.account().id),
        ..Details::default()
    };
    app.write_if(app.now(), |tx| billing::set_details(tx, &by, &details))
        .unwrap();
    let mut told = (0, 0);
    let mut bill_goes_to = |who: &str, why: &str| {
        turn_the_month(&portal);
        portal.work();
        let now = (bills(&portal, OWNER).len(), bills(&portal, ANN).len());
        let expected = match who {
            OWNER => (told.0 + 1, told.1),
            _ => (told.0, told.1 + 1),
        };
        assert_eq!(now, expected, "{why}");
        told = now;
    };
    bill_goes_to(ANN, "chosen");
    let id = ann.account().id.number();
    for (change, back, why) in [
        (
            "status = 'disabled', disabled_at = 1",
            "status = 'active', disabled_at = NULL",
            "disabled",
        ),
        ("role = 'member'", "role = 'billing'", "a Member"),
    ] {
        portal.tamper(&format!("UPDATE accounts SET {change} WHERE id = {id}"));
        bill_goes_to(OWNER, why);
        portal.tamper(&format!("UPDATE accounts SET {back} WHERE id = {id}"));
        bill_goes_to(ANN, "able again");
    }
    // Whoever may not see it when it is sent is not told, though they were chosen when it was written.
    turn_the_month(&portal);
    app.housekeep(app.now(), |tx| {
        billing::close_next(tx, &By::system(), &Terms::default())
    })
    .unwrap()
    .unwrap();
    portal.tamper(&format!(
        "UPDATE accounts SET role = 'member' WHERE id = {id}"
    ));
    let before = (bills(&portal, OWNER).len(), bills(&portal, ANN).len());
    portal.work();
    assert_eq!(
        (bills(&portal, OWNER).len(), bills(&portal, ANN).len()),
        before
    );
}

#[test]
fn a_disabled_organisation_is_billed_and_its_mail_waits() {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    portal.work();
    let app = portal.app();
    let organisation = app
        .read(app.now(), |read| organisations::get(read, portal.first()))
        .unwrap();
    app.write(app.now(), |tx| settings::disable(tx, &organisation))
        .unwrap();
    turn_the_month(&portal);
    portal.work();
    assert_eq!(invoices(&portal, organisation.id).len(), 1);
    assert!(bills(&portal, OWNER).is_empty());
    app.write(app.now(), |tx| settings::enable(tx, &organisation))
        .unwrap();
    portal.work();
    assert_eq!(bills(&portal, OWNER).len(), 1);
}

#[test]
fn an_organisation_that_is_deleted_before_anybody_came_leaves_nothing_to_close() {
    let portal = Portal::start();
    portal.leave_mail();
    let owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    let app = portal.app();
    let (organisation, _) = app
        .write(app.now(), |tx| {
            setup::found_by_invitation(
                tx,
                &"Never".parse().unwrap(),
                "UTC",
                &"never@never.example".parse().unwrap(),
                app.settings.terms,
            )
        })
        .unwrap();
    let id = organisation.id.number();
    portal.tamper(&format!(
        "INSERT INTO billing (organisation_id, budget) VALUES ({id}, 100);
         INSERT INTO ledgers (organisation_id, closed_until) VALUES ({id}, {});",
        month("2026-11").start().0
    ));
    app.write(app.now(), |tx| {
        setup::delete_organisation(tx, &organisation)
    })
    .unwrap();
    for table in ["billing", "ledgers"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE organisation_id = {id}");
        assert_eq!(portal.ask::<i64>(&sql), [0], "{table}");
    }
    turn_the_month(&portal);
    portal.work();
    assert_eq!(invoices(&portal, portal.first()).len(), 1);
}

#[test]
fn a_month_that_cannot_be_closed_holds_up_no_other_organisation() {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    let lakeside = portal.organisation("Lakeside");
    wares::create(&portal, &lakeside, "db-1", "database/db-1");
    portal.work();
    let (one, other) = (portal.first(), portal.named("Lakeside"));
    // Somebody made an invoice of that month by hand.
    portal.tamper(&format!(
        "INSERT INTO invoices SELECT {}, 1999, 1, {}, {}, 0, 0, 'EUR', 1, 0, 0, 1, '', '', '', '', '', '';",
        one.number(),
        month("2026-11").start().0,
        month("2026-12").start().0,
    ));
    turn_the_month(&portal);
    portal.work();
    portal.round();
    portal.work();
    assert_eq!(invoices(&portal, one).len(), 1, "only the one by hand");
    assert_eq!(invoices(&portal, other).len(), 1);
    portal.tamper(
        "DROP TRIGGER invoices_remain; DELETE FROM invoices WHERE year = 1999;
         CREATE TRIGGER invoices_remain BEFORE DELETE ON invoices BEGIN SELECT raise(ABORT, 'an invoice is never deleted'); END;",
    );
    portal.work();
    assert!(
        invoices(&portal, one).is_empty(),
        "it is tried again without end"
    );
    portal.travel(11 * 60);
    portal.work();
    assert_eq!(invoices(&portal, one).len(), 1);
    is_sound(&portal);
}

#[test]
fn a_thousand_organisations_are_closed_in_rounds_between_which_mail_leaves() {
    const MANY: i64 = 1_000;
    let portal = Portal::start();
    portal.leave_mail();
    let owner = portal.owner();
    portal.work();
    let file = Connection::open(portal.file()).unwrap();
    wares::crowd(&file, (MANY, 3), month("2026-11").start().0);
    turn_the_month(&portal);
    let count = || portal.ask::<i64>("SELECT count(*) FROM invoices")[0];
    let (mut rounds, mut before) = (0, 0);
    let mut is_invited = false;
    while before < MANY {
        portal.round();
        rounds += 1;
        let after = count();
        assert!(after - before <= 20, "{} in one round", after - before);
        assert!(rounds <= MANY, "it never comes to an end");
        if before > 200 && !is_invited {
            is_invited = true;
            // With hundreds of invoices waiting, whoever waits at the door comes first.
            owner.elsewhere().sign_in();
            portal.invite(&portal.owner(), Role::Member, ANN);
            portal.round();
            assert_eq!(subjects(&portal, ANN).len(), 1);
        }
        before = count();
    }
    assert!(is_invited);
    assert!(rounds <= 51, "{rounds} rounds");
    is_sound(&portal);
    let lines = portal.ask::<i64>("SELECT count(*) FROM invoice_lines");
    assert_eq!(lines, [3 * MANY]);
}

#[test]
fn a_backup_from_before_the_month_was_closed_closes_it_again_the_same_way() {
    let portal = Portal::start();
    let owner = portal.owner();
    let organisation = portal.first();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    portal.work();
    let before = portal.back_up("before.db");
    turn_the_month(&portal);
    portal.work();
    let closed = format!("{:?}", invoices(&portal, organisation));
    let after = portal.back_up("after.db");
    portal.restore(&before);
    assert!(invoices(&portal, organisation).is_empty());
    portal.work();
    assert_eq!(format!("{:?}", invoices(&portal, organisation)), closed);
    portal.restore(&after);
    portal.work();
    assert_eq!(format!("{:?}", invoices(&portal, organisation)), closed);
    is_sound(&portal);
}

#[test]
fn an_announced_price_that_is_taken_back_is_never_charged() {
    let portal = Portal::start();
    let owner = portal.owner();
    let organisation = portal.first();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    let mut dearer = wares::file();
    let plan = &mut dearer.kinds[0].plans[0];
    (plan.price, plan.from) = (Money(9_999), Some(month("2026-12").start()));
    wares::import(&portal, &dearer);
    // In the same second, and again: the last word holds.
    wares::stock(&portal);
    turn_the_month(&portal);
    portal.work();
    turn_the_month(&portal);
    // No price reaches back into what ran.
    let mut behind = wares::file();
    let plan = &mut behind.kinds[0].plans[0];
    (plan.price, plan.from) = (Money(5), Some(month("2026-11").start()));
    let app = portal.app();
    let refused = app.write_if(app.now(), |tx| {
        catalogue::import(tx, &By::operator(), &behind)
    });
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    portal.work();
    turn_the_month(&portal);
    portal.work();
    let all = invoices(&portal, organisation);
    assert_eq!((all[1].net, all[2].net), (Money(1_240), Money(1_240)));
}

#[test]
fn what_is_created_between_two_imports_of_one_second_has_a_price() {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    let mut later = wares::file();
    let plan = &mut later.kinds[0].plans[0];
    (plan.price, plan.from) = (Money(3_100), Some(month("2026-12").start()));
    wares::import(&portal, &later);
    turn_the_month(&portal);
    turn_the_month(&portal);
    portal.work();
    let all = invoices(&portal, portal.first());
    let ran = all_but(&portal);
    assert_eq!(all[0].net, Money(1_240).share(ran, 30 * DAY));
    assert_eq!(all[1].net, Money(3_100));
}

#[test]
fn lines_stand_by_kind_as_in_the_catalogue_then_by_name() {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    for (name, plan) in [
        ("zebra", "database/db-1"),
        ("Beta", "server/s-2"),
        ("alpha", "server/s-1"),
        ("gamma", "server/s-1"),
    ] {
        wares::create(&portal, &owner, name, plan);
    }
    turn_the_month(&portal);
    portal.work();
    let all = invoices(&portal, portal.first());
    let names: Vec<String> = lines(&portal, portal.first(), all[0].number)
        .into_iter()
        .map(|line| line.resource)
        .collect();
    assert_eq!(names, ["alpha", "Beta", "gamma", "zebra"]);
}
