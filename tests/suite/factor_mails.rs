//! The mails of two-factor: each arrives when its deed is done, says what happened and what to do, and goes to nobody who
//! may not use the account any more. The reminder has its own tests.

use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::kit::mail::Message;
use doorward::kit::time::{DAY, MINUTE};
use doorward::scope::Allowed;
use doorward::{lifecycle, organisations, settings};

use crate::mail::{Kind, assert_links, joined, newest, not_needed, says};
use crate::portal::Portal;
use crate::visitor::Visitor;

const MIA: &str = "mia@fjord.example";
const WHEN: &str =
    "on Tuesday 24 November 2026, 14:20 (Europe/Oslo), from Firefox on Linux, network address";

/// Mia, of whom nothing is required; all mail so far has arrived.
fn mia(portal: &Portal) -> Visitor {
    let mia = portal.member(Role::Member, MIA);
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let wanted = Policies::each(|_| Policy {
        level: Level::Off,
        grace_days: 0,
    });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &by, &wanted, Trust::Off)
    })
    .unwrap();
    portal.work();
    mia
}

/// The one mail that arrived for Mia since there were so many.
#[track_caller]
fn arrived(portal: &Portal, before: usize) -> Message {
    portal.work();
    let all = portal.mails();
    let new: Vec<&str> = all[before..]
        .iter()
        .map(|mail| mail.subject.as_str())
        .collect();
    assert_eq!(new.len(), 1, "{new:?}");
    newest(portal, MIA)
}

fn recovery_code(mia: &Visitor, place: usize) -> String {
    mia.phone.as_ref().unwrap().recovery[place].clone()
}

/// Signs in somewhere they are known, with a recovery code.
fn enter_with(mia: &mut Visitor, code: &str) {
    mia.sign_out();
    mia.get("/sign-in");
    mia.give_password();
    mia.post("/sign-in/code", &[("code", code)]).answers(303);
}

#[test]
fn turning_it_on_is_told() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    let before = portal.mails().len();
    mia.begin_two_factor();
    portal.work();
    assert_eq!(portal.mails().len(), before, "beginning is no news");
    let code = mia.code();
    mia.post("/account/two-factor/confirm", &[("code", &code)])
        .answers(200);
    // Told with the moment of the deed, however late it leaves.
    portal.travel(DAY);
    let mail = arrived(&portal, before);
    assert_eq!(mail.subject, "2-step verification is on at Fjord Supply");
    says(
        &mail,
        &[
            "2-step verification was enabled for your account at Fjord Supply",
            WHEN,
            &format!("network address {}.", mia.address),
            "Signing in asks for a code of the app after the password from then on, and every other browser was signed out.",
            "Was it you? Then there is nothing to do but to keep the recovery codes somewhere other than your phone.",
            "Open your account: https://portal.example.com/account ",
            "Not you? Sign out everywhere, choose a new password, and tell a Master of Fjord Supply.",
            "Sign out everywhere: https://portal.example.com/account#sessions",
        ],
    );
    assert_links(&mail, Kind::Security);
    assert_tells_no_secret(&mail, &mia);
}

#[track_caller]
fn assert_tells_no_secret(mail: &Message, mia: &Visitor) {
    let phone = mia.phone.as_ref().unwrap();
    let secrets = phone.recovery.iter().chain([&phone.key]);
    for secret in secrets {
        assert!(!mail.text.contains(secret.as_str()), "{}", mail.text);
        assert!(!mail.html.contains(secret.as_str()), "{}", mail.html);
    }
}

#[test]
fn turning_it_off_is_told() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    mia.enrol();
    portal.work();
    let before = portal.mails().len();
    let code = mia.code();
    mia.post("/account/two-factor/disable", &[("code", &code)])
        .answers(303);
    let mail = arrived(&portal, before);
    assert_eq!(mail.subject, "2-step verification is off at Fjord Supply");
    says(
        &mail,
        &[
            "2-step verification was disabled for your account at Fjord Supply",
            WHEN,
            "The app and the recovery codes stopped working, and the password alone signs in from then on.",
            "Not you? Sign out everywhere, choose a new password",
        ],
    );
    assert_links(&mail, Kind::Security);
}

#[test]
fn a_reset_by_another_is_told_with_their_name() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    mia.enrol();
    portal.work();
    let before = portal.mails().len();
    let mut owner = portal.owner();
    let page = format!("/iam/accounts/{}/reset-two-factor", mia.account().id);
    owner.post(&page, &[]).answers(303);
    portal.work();
    let mail = newest(&portal, MIA);
    assert_eq!(
        portal
            .mails()
            .iter()
            .skip(before)
            .filter(|one| one.to == MIA)
            .count(),
        1
    );
    assert_eq!(
        mail.subject,
        "Your 2-step verification was reset at Fjord Supply"
    );
    says(
        &mail,
        &[
            "Olivia Berg reset the 2-step verification of your account at Fjord Supply.",
            "The app and the recovery codes stopped working, and every session was ended.",
            "Sign in with your password, and set up 2-step verification again.",
            "Sign in: https://portal.example.com/sign-in ",
            "You did not expect this? Choose a new password now, and ask Olivia Berg, or a Master of Fjord Supply.",
        ],
    );
    // Every session has ended with it: there is nothing to sign out.
    assert_links(&mail, Kind::Other);

    // By the operator, who has no name here.
    mia.phone = None;
    mia.get("/sign-in");
    mia.sign_in().enrol();
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let id = mia.account().id;
    app.write(app.now(), |tx| lifecycle::reset_two_factor(tx, &by, id))
        .unwrap();
    portal.work();
    says(
        &newest(&portal, MIA),
        &[
            "The operator of portal.example.com reset the 2-step verification of your account",
            "ask the operator of portal.example.com, or a Master",
        ],
    );
}

#[test]
fn each_recovery_code_is_told_with_what_is_left() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    mia.enrol();
    portal.work();
    for place in 0..10 {
        let before = portal.mails().len();
        let code = recovery_code(&mia, place);
        enter_with(&mut mia, &code);
        let mail = arrived(&portal, before);
        let left = 9 - place;
        let (count, then) = match left {
            0 => ("none left".to_owned(), "It was the last one: without another, a lost phone locks you out. Make new ones now, on the Two-factor page of your account.".to_owned()),
            1 => ("1 left".to_owned(), "One is left. Make new ones soon, on the Two-factor page of your account.".to_owned()),
            _ => (format!("{left} left"), format!("{left} are left. Is the phone lost? Then move 2-step verification to another one, on the Two-factor page of your account.")),
        };
        assert_eq!(mail.subject, format!("A recovery code was used ({count})"));
        says(
            &mail,
            &[
                "A recovery code of your account at Fjord Supply was used in place of a code of the app",
                WHEN,
                &then,
                "Open two-factor: https://portal.example.com/account/two-factor ",
                "Not you? Sign out everywhere",
            ],
        );
        assert_links(&mail, Kind::Security);
        assert_tells_no_secret(&mail, &mia);
    }
}

#[test]
fn new_recovery_codes_are_told() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    mia.enrol();
    portal.work();
    let before = portal.mails().len();
    mia.post("/account/two-factor/codes", &[]).answers(200);
    let mail = arrived(&portal, before);
    assert_eq!(mail.subject, "New recovery codes were made at Fjord Supply");
    says(
        &mail,
        &[
            "New recovery codes were made for your account at Fjord Supply",
            "The older ones stopped working.",
            WHEN,
            "Was it you? Then there is nothing to do but to keep the new ones somewhere other than your phone.",
        ],
    );
    assert_links(&mail, Kind::Security);
    assert_tells_no_secret(&mail, &mia);
}

#[test]
fn a_name_in_a_mail_is_that_of_its_time_and_harmless() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    mia.agent = "<script>alert(1)</script>".to_owned();
    let mut owner = portal.owner();
    owner
        .post(
            "/settings/general",
            &[("organisation", "A&B <i>"), ("timezone", "Asia/Kolkata")],
        )
        .answers(303);
    portal.work();
    mia.enrol();
    portal.work();
    let mail = newest(&portal, MIA);
    assert_eq!(mail.subject, "2-step verification is on at A&B <i>");
    assert!(
        joined(&mail).contains("18:50 (Asia/Kolkata)"),
        "{}",
        mail.text
    );
    assert!(!mail.html.contains("<script") && !mail.html.contains("<i>"));
}

/// All five that tell what was done are owed to Mia, and none has left.
fn all_owed(portal: &Portal, mia: &mut Visitor) {
    mia.enrol();
    mia.post("/account/two-factor/codes", &[]).answers(200);
    let page = mia.html();
    let list = crate::answer::between(&page, "<ol class=\"codes\"", "</ol>");
    let code = list.split("<li>").nth(1).unwrap();
    let code = code.split('<').next().unwrap().to_owned();
    mia.post("/account/two-factor/disable", &[("code", &code)])
        .answers(303);
    portal.travel(MINUTE);
    mia.phone = None;
    mia.enrol();
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let id = mia.account().id;
    app.write(app.now(), |tx| lifecycle::reset_two_factor(tx, &by, id))
        .unwrap();
    let owed = portal
        .ask::<String>("SELECT DISTINCT kind FROM errands WHERE state = 'waiting' ORDER BY kind");
    assert_eq!(
        owed,
        [
            "codes_renewed",
            "recovery_used",
            "two_factor_off",
            "two_factor_on",
            "two_factor_reset"
        ]
    );
}

#[test]
fn whoever_may_not_use_the_account_any_more_is_told_nothing() {
    type Deed = fn(&Portal, &Visitor);
    let deeds: [(&str, Deed); 2] = [
        ("disabled", |portal, mia| {
            let (app, by) = (portal.app(), Allowed::operator(portal.first()));
            let id = mia.account().id;
            app.write(app.now(), |tx| lifecycle::disable(tx, &by, id))
                .unwrap();
        }),
        // The address is somebody else's by then.
        ("moved away", |portal, _| {
            portal.tamper(
                "UPDATE accounts SET email = 'mia@elsewhere.example' WHERE email = 'mia@fjord.example'",
            );
        }),
    ];
    for (name, deed) in deeds {
        let portal = Portal::start();
        let mut mia = mia(&portal);
        let before = portal.mails().len();
        all_owed(&portal, &mut mia);
        deed(&portal, &mia);
        let idle = not_needed(&portal);
        portal.work();
        let after: Vec<String> = portal.mails()[before..]
            .iter()
            .map(|mail| mail.subject.clone())
            .collect();
        assert_eq!(after, Vec::<String>::new(), "{name}");
        assert_eq!(not_needed(&portal), idle + 6, "{name}");
    }
}

#[test]
fn the_mail_of_an_organisation_that_is_switched_off_waits_until_it_is_on_again() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    let before = portal.mails().len();
    all_owed(&portal, &mut mia);
    let (app, first) = (portal.app(), portal.first());
    app.write(app.now(), |tx| {
        settings::disable(tx, &organisations::get(tx, first)?)
    })
    .unwrap();
    portal.work();
    assert_eq!(portal.mails().len(), before);
    app.write(app.now(), |tx| {
        settings::enable(tx, &organisations::get(tx, first)?)
    })
    .unwrap();
    portal.work();
    assert_eq!(portal.mails().len(), before + 6);
}
