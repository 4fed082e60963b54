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
                "Resources 3 resources ({A_DAY} this month): db-1, web-1, web-2. They run on, and are charged as before. \
                 What they have cost until now stays under the name {label}."
            ))
            .sees(&format!("Keep them under the name {label} Hand them all over to you"))
            .sees("Hand them all over to BO Vik (bo@fjord.example)");
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
        .sees("3 resources (");
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

/// Who holds each of the resources that run, by name.
fn holders(portal: &Portal) -> Vec<String> {
    portal.ask(
        "SELECT r.name || ' ' || coalesce(a.email, 'nobody') FROM resources r JOIN accounts a ON a.id = r.holder_id
          WHERE r.ended_at IS NULL ORDER BY r.name",
    )
}

#[test]
fn what_somebody_holds_is_handed_over_in_the_transaction_that_ends_them() {
    for deed in ["disable", "delete"] {
        let portal = Portal::start();
        let ann = half_a_month_ago(&portal);
        let bo = portal.member(Role::Member, "bo@fjord.example");
        portal.work();
        let mut owner = portal.signed_in("olivia@fjord.example");
        let (id, heir) = (ann.account().id, bo.account().id.to_string());
        let page = format!("/iam/accounts/{id}/{deed}");
        let mut fields = vec![("heir", heir.as_str())];
        if deed == "delete" {
            fields.push(("email", ANN));
        }
        owner
            .post(&page, &fields)
            .answers(303)
            .follow()
            .sees("3 resources were handed over.");
        assert_eq!(
            holders(&portal),
            [
                "db-1 bo@fjord.example",
                "web-1 bo@fjord.example",
                "web-2 bo@fjord.example"
            ]
        );
        let entries = portal.audit(Some(portal.first()));
        let requests = |action: &str| -> Vec<String> {
            let of = entries.iter().filter(|one| one.action == action);
            of.map(|one| one.request_id.clone()).collect()
        };
        let handed = requests("resource.handed_over");
        assert_eq!(handed.len(), 3);
        assert_eq!(requests(&format!("account.{deed}d")), handed[..1]);
    }
}

#[test]
fn an_heir_who_cannot_have_it_ends_nothing() {
    let portal = Portal::start();
    let ann = half_a_month_ago(&portal);
    let bo = portal.member(Role::Member, "bo@fjord.example").account().id;
    let other = portal.organisation("Lakeside").account().id;
    portal.work();
    let mut owner = portal.signed_in("olivia@fjord.example");
    let id = ann.account().id;
    let page = format!("/iam/accounts/{id}/disable");
    owner
        .post(format!("/iam/accounts/{bo}/disable"), &[])
        .answers(303);
    for heir in [bo, other, id] {
        for when in ["now", "date"] {
            let fields = [("heir", heir.to_string()), ("when", when.to_owned())];
            let mut fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            if when == "date" {
                fields.push(("date", "2026-11-30"));
            }
            owner
                .post(&page, &fields)
                .answers(422)
                .sees("Choose another account, one that is Active.");
        }
    }
    owner.post(&page, &[("heir", "bo")]).answers(400);
    assert_eq!(holders(&portal)[0], format!("db-1 {ANN}"));
    assert!(ann.account().status == doorward::accounts::Status::Active);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM departures"), [0]);
}

#[test]
fn invitations_live_on_under_the_name_of_whoever_acts() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let ann = portal.member(Role::Admin, ANN);
    let ids = ["lea", "max"]
        .map(|name| portal.invite(&ann, Role::Member, &format!("{name}@fjord.example")));
    portal.work();
    let older = portal.link_for("lea@fjord.example");
    portal.travel(HOUR);
    portal.invite(&ann, Role::Member, "zoe@fjord.example");
    portal.work();
    let page = format!("/iam/accounts/{}/disable", ann.account().id);
    owner
        .get(&page)
        .sees("Resend these 3 invitations in my name")
        .sees("New links go out at once and stay good. The older ones stop working.");
    // That of a minute ago is not sent again, and that is told.
    owner
        .post(&page, &[("when", "now"), ("resend", "yes")])
        .answers(303)
        .follow()
        .sees("ANN Vik is disabled and signed out everywhere. 2 invitations were resent. 1 invitation could not be");
    portal.work();
    let newer = portal.link_for("lea@fjord.example");
    portal.visitor().get(&older).answers(410);
    portal.visitor().get(&newer).answers(200);
    for id in ids {
        let givers = portal.ask::<doorward::domain::id::AccountId>(&format!(
            "SELECT given_by FROM invitations WHERE account_id = {} AND state = 'open'",
            id.number()
        ));
        assert_eq!(givers, [owner.account().id]);
    }
    owner.post(&page, &[("resend", "no")]).answers(400);
}

#[test]
fn whoever_gets_the_invoices_is_told_of_and_the_owner_gets_them_then() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let ann = portal.member(Role::Admin, ANN);
    let id = ann.account().id;
    let page = |deed: &str| format!("/iam/accounts/{id}/{deed}");
    owner.get(page("disable")).sees_not("Invoices");
    owner
        .post_from(
            "/settings",
            "/settings/billing",
            &[
                ("address", ""),
                ("vat_number", ""),
                ("contact", &id.to_string()),
            ],
        )
        .answers(303);
    for deed in ["disable", "delete"] {
        owner
            .get(page(deed))
            .sees("Invoices They are mailed to this account. From then on they go to the owner, Olivia Berg.");
    }
}
