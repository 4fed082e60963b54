//! When people leave: what they hold stays under their name, and is paid for as before.

use doorward::billing;
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::domain::role::Role;
use doorward::kit::time::{DAY, HOUR};
use doorward::resources;

use crate::portal::Portal;
use crate::visitor::Visitor;
use crate::wares;

const ANN: &str = "ann@fjord.example";

/// An Admin with two servers and a database, half a month ago.
fn half_a_month_ago(portal: &Portal) -> Visitor {
    wares::stock(portal);
    let ann = portal.member(Role::Admin, ANN);
    for (name, plan) in [
        ("web-1", "server/s-1"),
        ("web-2", "server/s-2"),
        ("db-1", "database/db-1"),
    ] {
        wares::create(portal, &ann, name, plan);
    }
    portal.work();
    portal.travel(DAY);
    ann
}

/// 12.40, 24.80 and 88.00 for a day of thirty: 0.41, 0.83 and 2.93.
const A_DAY: &str = "€4.17";

#[test]
fn the_page_of_an_account_shows_what_it_holds() {
    let portal = Portal::start();
    let ann = half_a_month_ago(&portal);
    let id = ann.account().id;
    let mut owner = portal.signed_in("olivia@fjord.example");
    owner
        .get(format!("/iam/accounts/{id}"))
        .answers(200)
        .sees(&format!(
            "Resources 3 resources ({A_DAY} this month): db-1, web-1, web-2. Hand them over."
        ));
    for link in [
        format!("href=\"/resources?account={id}\""),
        format!("href=\"/iam/accounts/{id}/hand-over\""),
    ] {
        assert!(owner.html().contains(&link), "{link}");
    }
    let own = owner.account().id;
    owner
        .get(format!("/iam/accounts/{own}"))
        .sees("Resources None, €0.00 this month");
}

#[test]
fn before_there_is_a_catalogue_nothing_is_said_of_resources() {
    let portal = Portal::start();
    let ann = portal.member(Role::Admin, ANN);
    let mut owner = portal.signed_in("olivia@fjord.example");
    let id = ann.account().id;
    for page in ["", "/disable", "/delete"] {
        owner
            .get(format!("/iam/accounts/{id}{page}"))
            .answers(200)
            .sees_not("Resources None")
            .sees_not("under the name");
    }
    owner.get("/").sees_not("so far");
}

#[test]
fn disabling_and_deleting_say_what_becomes_of_the_resources() {
    let portal = Portal::start();
    let ann = half_a_month_ago(&portal);
    let bo = portal.member(Role::Member, "bo@fjord.example");
    let mut owner = portal.signed_in("olivia@fjord.example");
    let (id, label) = (ann.account().id, ann.account().label());
    for deed in ["disable", "delete"] {
        owner
            .get(format!("/iam/accounts/{id}/{deed}"))
            .answers(200)
            .sees(&format!(
                "Resources Its 3 resources ({A_DAY} this month) stay under the name {label}, and are charged as before. \
                 Hand them over first if somebody else should have them."
            ));
        let link = format!("href=\"/iam/accounts/{id}/hand-over\"");
        assert!(owner.html().contains(&link));
        let empty = bo.account().id;
        owner
            .get(format!("/iam/accounts/{empty}/{deed}"))
            .answers(200)
            .sees_not("under the name");
    }
    // The page says so again when the address was typed wrong.
    owner
        .post(
            format!("/iam/accounts/{id}/delete"),
            &[("email", "anne@fjord.example")],
        )
        .answers(422)
        .sees("Its 3 resources (");
}

#[test]
fn costs_stay_under_the_name_of_whoever_is_gone_on_the_bill_and_on_the_invoice() {
    let portal = Portal::start();
    let ann = half_a_month_ago(&portal);
    let (id, label) = (ann.account().id, ann.account().label());
    let mut owner = portal.signed_in("olivia@fjord.example");
    owner
        .post(format!("/iam/accounts/{id}/delete"), &[("email", ANN)])
        .answers(303);
    portal.work();
    portal.travel(DAY);
    let app = portal.app();
    let organisation = portal.first();
    let month = Month::of(app.now());
    let held = app
        .read(app.now(), |read| resources::holding(read, organisation, id))
        .unwrap();
    assert_eq!(held.names.len(), 3);
    assert_eq!(held.this_month, Money(83 + 165 + 587));

    let end = month.span().until;
    portal.travel(end.since(app.now()) + HOUR);
    portal.work();
    let (invoice, lines) = app
        .read(app.now(), |read| {
            let invoice = billing::invoices(read, organisation)?.remove(0);
            let lines = billing::lines(read, organisation, invoice.number)?;
            Ok((invoice, lines))
        })
        .unwrap();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        assert_eq!((line.account_id, &line.account), (id, &label));
        // Being deleted ended nothing: it ran to the end of the month.
        assert_eq!(line.span.until, end);
    }
    let sum: Money = lines.iter().map(|line| line.amount).sum();
    assert_eq!(sum, invoice.net);
    // And in the month after it goes on.
    portal.travel(DAY);
    let held = app
        .read(app.now(), |read| resources::holding(read, organisation, id))
        .unwrap();
    assert!(held.this_month > Money::ZERO);
}
