//! The dashboard: what each sees, and when it warns.

use doorward::domain::role::Role;
use doorward::kit::http::cookie::Transport;
use doorward::kit::mail::Failure;
use doorward::kit::time::{DAY, HOUR};

use crate::portal::Portal;

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
        .sees("olivia@fjord.example invited you as Member")
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
