//! The dashboard: what each sees, and when it warns.

use doorward::billing;
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::domain::role::Role;
use doorward::kit::http::cookie::Transport;
use doorward::kit::mail::Failure;
use doorward::kit::time::{DAY, HOUR};
use doorward::resources;
use doorward::scope::Allowed;

use crate::portal::Portal;
use crate::visitor::Visitor;
use crate::wares;

const LEA: &str = "lea@fjord.example";

#[test]
fn whoever_signs_in_is_greeted_by_name_and_clock() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .get("/")
        .answers(200)
        .sees("Good afternoon, Olivia")
        .sees("Tuesday 24 November 2026, Europe/Oslo")
        .sees("This is your first sign-in.");
    portal.travel(19 * HOUR);
    owner.get("/sign-in");
    owner.sign_in();
    owner
        .get("/")
        .sees("Good morning, Olivia")
        .sees("Last sign-in before this one: Yesterday, Firefox on Linux,");
}

#[test]
fn a_member_sees_what_is_their_own_and_nothing_else() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Admin, LEA);
    let mut ann = portal.member(Role::Member, "ann@fjord.example");
    ann.get("/")
        .answers(200)
        .sees("You activated your account")
        .sees("Olivia Berg invited you as Member")
        .sees("You signed in with Firefox on Linux from")
        .sees("Needs attention Your sign-in Password alone Two-factor is required of you from 1 Dec, 14:20 on. Set it up.")
        .sees_not("Accounts")
        .sees_not("Pending")
        .sees_not("account signs in")
        .sees_not("Mail")
        .sees_not(LEA);
    // What is theirs to see to is the one thing; once it is done there is none.
    ann.enrol();
    ann.get("/").sees_not("Needs attention");
    assert!(!ann.html().contains(&owner.address.to_string()));
}

#[test]
fn an_admin_sees_numbers_and_a_master_also_what_needs_attention() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    let mut admin = portal.member(Role::Admin, "ann@fjord.example");
    admin
        .get("/")
        .sees("Accounts 3 2 active, 1 pending")
        .sees("Mail to be sent")
        .sees("2 accounts sign in with a password alone. Show who.")
        .sees_not("Second Master");
    owner
        .get("/")
        .sees("Accounts 3 2 active, 1 pending")
        .sees("Needs attention");
    assert!(
        owner
            .html()
            .contains("href=\"/iam/accounts?status=pending\"")
    );
    portal
        .member(Role::Billing, "bo@fjord.example")
        .get("/")
        .sees_not("Accounts")
        .sees_not("account signs in");
}

#[test]
fn where_all_is_well_nothing_needs_attention() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Master, "ann@fjord.example");
    ann.enrol();
    let mut owner = portal.owner();
    owner.enrol();
    portal.work();
    owner
        .get("/")
        .sees("Needs attention Nothing just now.")
        .sees("Two-factor 100%");
    assert!(
        owner
            .html()
            .contains("href=\"/iam/accounts?two_factor=on\"")
    );
}

#[test]
fn passwords_that_stand_alone_are_counted_and_led_to() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .get("/")
        .sees("Two-factor 0% 1 account without")
        .sees("1 account without it 1 account signs in with a password alone.");
    let mut ann = portal.member(Role::Admin, "ann@fjord.example");
    portal.member(Role::Member, "mia@fjord.example");
    // Whoever is invited, and whoever is switched off, signs in with nothing.
    portal.invite(&owner, Role::Member, LEA);
    let gone = portal.member(Role::Member, "gone@fjord.example");
    owner.get("/").sees("Two-factor 0% 4 accounts without");
    owner
        .post(format!("/iam/accounts/{}/disable", gone.account().id), &[])
        .answers(303);
    owner.get("/").sees("Two-factor 0% 3 accounts without");
    owner.enrol();
    // Rounded down: one of three is not a third and something.
    owner
        .get("/")
        .sees("Two-factor 33% 2 accounts without")
        .sees("2 accounts without it 2 accounts sign in with a password alone. Show who or change what is asked.");
    for link in ["/iam/accounts?two_factor=off", "/settings#security"] {
        let link = format!("href=\"{link}\"");
        assert!(owner.html().contains(&link), "{link}");
    }
    // An Admin lists accounts, and so is told too; what is asked of people is a Master's to change.
    ann.enrol();
    ann.get("/")
        .sees("Two-factor 66% 1 account without")
        .sees("1 account signs in with a password alone. Show who.")
        .sees_not("change what is asked")
        .sees_not("Your sign-in");
    portal
        .signed_in("mia@fjord.example")
        .get("/")
        .answers(200)
        .sees_not("account without");
}

#[test]
fn each_thing_that_is_wrong_is_named_with_its_way_out() {
    let portal = Portal::build().http().mail_off().start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    owner
        .get("/")
        .sees("This machine only")
        .sees("public_url")
        .sees("Mail is off")
        .sees("DOORWARD_SMTP_URL")
        .sees("One Master")
        .sees_not("link expired");
    portal.travel(DAY);
    owner.get("/sign-in");
    owner.sign_in();
    owner.get("/").sees("1 link expired");
    let in_the_clear = Portal::build()
        .settings(|settings| {
            settings.public_url = "http://portal.example.com".to_owned();
            settings.transport = Transport::Http;
        })
        .start();
    in_the_clear
        .owner()
        .get("/")
        .sees("Not encrypted")
        .sees("public_url");
}

#[test]
fn mail_that_does_not_leave_is_told_and_stops_being_told() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal
        .mailbox()
        .fail(Some(Failure::Relay("no connection".to_owned())));
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    owner.get("/").sees("Mail server in trouble");
    portal
        .mailbox()
        .fail(Some(Failure::Never("550 no".to_owned())));
    portal.travel(60);
    portal.work();
    owner
        .get("/")
        .sees_not("in trouble")
        .sees("1 mail failed")
        .sees("0 waiting, 1 failed");
    portal.leave_mail();
}

#[test]
fn the_demonstration_is_not_told_that_it_serves_this_machine_only() {
    let portal = Portal::build().http().demo().start();
    portal.owner().get("/").answers(200).sees_not("public_url");
}

#[test]
fn each_role_sees_the_resources_and_the_money_that_are_theirs_to_see() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    let mut admin = portal.member(Role::Admin, "ann@fjord.example");
    let mut billing = portal.member(Role::Billing, "bo@fjord.example");
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    mia.get("/")
        .answers(200)
        .sees("Your resources 0")
        .sees_not("so far");
    wares::create(&portal, &owner, "db-1", "database/db-1");
    let web = wares::create(&portal, &owner, "web-1", "server/s-1");
    let allowed = Allowed::to(&owner.scope().unwrap(), &owner.by()).unwrap();
    let to = mia.account().id;
    let app = portal.app();
    app.write_if(app.now(), |tx| resources::hand_over(tx, &allowed, web, to))
        .unwrap()
        .unwrap();
    portal.travel(12 * HOUR);
    for person in [&mut owner, &mut admin] {
        person.get("/sign-in").answers(200);
        person.sign_in();
        person
            .get("/")
            .sees("Accounts 4 4 active, 0 pending")
            .sees("Resources 2 2 added this week")
            // Half a day of 88.00 and 12.40 a month; and all of it from 14:20 on 24 November.
            .sees("November so far €1.68 €21.56 expected");
        assert!(person.html().contains("href=\"/billing\""));
    }
    billing.get("/sign-in");
    billing.sign_in();
    billing
        .get("/")
        .sees("November so far €1.68 €21.56 expected")
        .sees("Unpaid invoices 0")
        .sees("Resources 2 2 added this week")
        .sees_not("Accounts");
    mia.get("/sign-in");
    mia.sign_in();
    mia.get("/")
        .sees("Your resources 1")
        .sees("November so far €0.21 €2.66 expected")
        .sees_not("€1.68")
        .sees_not("Unpaid");
    let own = format!("href=\"/resources?account={}\"", mia.account().id);
    assert!(mia.html().contains(&own));
    assert!(!mia.html().contains("/billing"));
}

#[test]
fn an_invoice_that_is_not_paid_and_a_budget_that_is_nearly_spent_want_attention() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    owner.enrol();
    mia.enrol();
    wares::create(&portal, &owner, "db-1", "database/db-1");
    portal.work();
    let app = portal.app();
    let ends = Month::of(app.now()).span().until;
    portal.travel(ends.since(app.now()));
    portal.work();
    owner.get("/sign-in");
    owner.sign_in();
    let number = "INV-2026-001";
    let set_budget = |owner: &Visitor, budget| {
        let allowed = Allowed::to(&owner.scope().unwrap(), &owner.by()).unwrap();
        app.write_if(app.now(), |tx| {
            billing::set_budget(tx, &allowed, Some(budget))
        })
        .unwrap()
        .unwrap();
    };
    set_budget(&owner, Money(10_000));
    let back = |person: &mut Visitor, days| {
        portal.travel(days * DAY);
        person.get("/sign-in");
        person.sign_in();
        person.get("/").answers(200);
    };
    owner.get("/").sees_not("overdue").sees_not("spent");
    // Issued today and due in a fortnight, until that day is over.
    back(&mut owner, 14);
    owner.sees_not("overdue");
    back(&mut owner, 1);
    owner
        .sees("Invoices 1 invoice overdue Invoice INV-2026-001 was due on 15 Dec 2026.")
        .sees_not("spent");
    assert!(
        owner
            .html()
            .contains(&format!("href=\"/billing/invoices/{number}\""))
    );
    set_budget(&owner, Money(5_000));
    owner.get("/").sees("Budget 80 % spent December has cost €");
    set_budget(&owner, Money(4_000));
    owner
        .get("/")
        .sees("Budget All spent December has cost €")
        .sees("of a budget of €40.00.");
    mia.get("/sign-in");
    mia.sign_in();
    mia.get("/").sees_not("overdue").sees_not("spent");
}
