//! The mails by which people learn what was done to their account: one for each deed, with the way to sign out everywhere,
//! and nothing in them that opens anything.

use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::kit::mail::Message;
use doorward::kit::totp::STEP;
use doorward::outbox::Kind;
use doorward::scope::Allowed;
use doorward::{lifecycle, settings};

use crate::answer;
use crate::mail::{assert_links, says};
use crate::portal::{PASSWORD, Portal};
use crate::visitor::Visitor;

const MIA: &str = "mia@fjord.example";
const NEW: &str = "mia@new.example";
const SIGN_OUT: &str = "https://portal.example.com/account#sessions";

/// Mia, a Member of an organisation that lets people decide on two-factor.
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

/// The mails that leave by this deed.
fn told(portal: &Portal, deed: impl FnOnce()) -> Vec<Message> {
    let before = portal.mails().len();
    deed();
    portal.work();
    portal.mails().split_off(before)
}

/// The one mail that leaves by this deed.
#[track_caller]
fn told_once(portal: &Portal, to: &str, subject: &str, deed: impl FnOnce()) -> Message {
    let mut mails = told(portal, deed);
    let all: Vec<_> = mails
        .iter()
        .map(|mail| (mail.to.as_str(), mail.subject.as_str()))
        .collect();
    assert_eq!(all, [(to, subject)]);
    mails.remove(0)
}

/// The one of this subject, in whatever order they left.
#[track_caller]
fn the<'m>(mails: &'m [Message], subject: &str) -> &'m Message {
    let mut found = mails.iter().filter(|mail| mail.subject == subject);
    let mail = found
        .next()
        .unwrap_or_else(|| panic!("{subject:?} is not among {mails:?}"));
    assert!(found.next().is_none(), "{subject:?} was told twice");
    mail
}

/// In the same browser, with the recovery code of that number.
#[track_caller]
fn sign_in_by_recovery(visitor: &mut Visitor, number: usize) {
    let code = visitor.phone.as_ref().unwrap().recovery[number].clone();
    visitor.sign_out();
    visitor.give_password();
    visitor
        .post("/sign-in/code", &[("code", &code)])
        .answers(303);
}

#[track_caller]
fn move_to_another_phone(portal: &Portal, visitor: &mut Visitor) {
    portal.travel(STEP);
    let code = visitor.code();
    visitor
        .post("/account/two-factor", &[("code", &code)])
        .answers(303)
        .follow()
        .learn_key();
    let code = visitor.code();
    visitor
        .post("/account/two-factor/confirm", &[("code", &code)])
        .answers(200);
}

#[track_caller]
fn disable(portal: &Portal, visitor: &mut Visitor) {
    portal.travel(STEP);
    let code = visitor.code();
    visitor
        .post("/account/two-factor/disable", &[("code", &code)])
        .answers(303);
}

#[track_caller]
fn reset(by: &mut Visitor, who: &Visitor) {
    let path = format!("/iam/accounts/{}/reset-two-factor", who.account().id);
    by.post(path, &[]).answers(303);
}

#[track_caller]
fn renew(visitor: &mut Visitor) -> String {
    visitor.post("/account/two-factor/codes", &[]).answers(200);
    let page = visitor.html();
    let list = answer::between(&page, "<ol class=\"codes\"", "</ol>");
    answer::between(list, "<li>", "<").to_owned()
}

#[test]
fn a_move_to_another_phone_is_told_as_such() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    mia.enrol();
    let old = mia.phone.clone().unwrap();
    portal.work();
    let mail = told_once(
        &portal,
        MIA,
        "2-step verification is on another phone at Fjord Supply",
        || move_to_another_phone(&portal, &mut mia),
    );
    says(
        &mail,
        &[
            "The 2-step verification of your account at Fjord Supply was moved to another phone on Tuesday 24 November 2026",
            &format!(
                "(Europe/Oslo), from Firefox on Linux, network address {}.",
                mia.address
            ),
            "The app on the phone before and the older recovery codes stopped working, and every other browser was signed out.",
            "Not you? Sign out everywhere, choose a new password",
        ],
    );
    assert_links(&mail, crate::mail::Kind::Security);
    let new = mia.phone.as_ref().unwrap();
    for secret in old.recovery.iter().chain([&old.key, &new.key]) {
        assert!(!mail.text.contains(secret.as_str()) && !mail.html.contains(secret.as_str()));
    }
}

#[test]
fn the_way_out_needs_a_sign_in_and_leads_to_the_sessions() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    mia.enrol();
    portal.work();
    let (path, place) = SIGN_OUT
        .strip_prefix("https://portal.example.com")
        .and_then(|link| link.split_once('#'))
        .unwrap();
    portal
        .visitor()
        .get(path)
        .answers(303)
        .goes_to("/sign-in?next=%2Faccount");
    mia.get(path).answers(200).sees("Sign out everywhere else");
    assert!(mia.html().contains(&format!("id=\"{place}\"")));
}

/// What the mail tells to do is what can be done when it is sent.
#[test]
fn no_codes_are_counted_that_stopped_working_since() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    mia.enrol();
    portal.work();
    let mut code = String::new();
    let mails = told(&portal, || {
        sign_in_by_recovery(&mut mia, 0);
        code = renew(&mut mia);
    });
    // Not "(9 left)": of those there are none.
    assert_eq!(mails.len(), 2);
    let used = the(&mails, "A recovery code was used at Fjord Supply");
    says(
        used,
        &["New recovery codes were made since, and the others stopped working."],
    );

    let mails = told(&portal, || {
        mia.post("/account/two-factor/disable", &[("code", &code)])
            .answers(303);
    });
    assert_eq!(mails.len(), 2);
    the(&mails, "2-step verification is off at Fjord Supply");
    let used = the(&mails, "A recovery code was used at Fjord Supply");
    says(
        used,
        &["2-step verification is off since, and the other codes stopped working."],
    );
}

/// Whoever did not do it learns of it, though it was undone before the mail left.
#[test]
fn what_was_undone_again_is_told_all_the_same() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    let mails = told(&portal, || {
        mia.enrol();
        disable(&portal, &mut mia);
    });
    assert_eq!(mails.len(), 2);
    the(&mails, "2-step verification is on at Fjord Supply");
    the(&mails, "2-step verification is off at Fjord Supply");
}

#[test]
fn a_reset_is_told_though_whoever_did_it_is_deleted_since() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    mia.enrol();
    portal.work();
    let mail = told_once(
        &portal,
        MIA,
        "Your 2-step verification was reset at Fjord Supply",
        || {
            reset(&mut admin, &mia);
            let ada = admin.account().id;
            app.write(app.now(), |tx| lifecycle::delete(tx, &by, ada))
                .unwrap();
        },
    );
    says(
        &mail,
        &["ADA Vik reset the 2-step verification of your account"],
    );
}

/// What is done with a password, a permission and an address is told in the same manner.
#[test]
fn the_other_security_mails_have_the_way_out_too() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    let mut owner = portal.owner();
    portal.work();
    let page = format!("/iam/accounts/{}", mia.account().id);
    let device = told_once(
        &portal,
        MIA,
        "New sign-in from Firefox on Linux at Fjord Supply",
        || {
            mia.elsewhere().sign_in();
        },
    );
    let changed = told_once(
        &portal,
        MIA,
        "Your password was changed at Fjord Supply",
        || {
            let fields = [
                ("current_password", PASSWORD),
                ("password", "Another-Horse-8!"),
                ("password_confirmation", "Another-Horse-8!"),
            ];
            mia.post("/account/password", &fields).answers(303);
        },
    );
    mia.password = "Another-Horse-8!".to_owned();
    let gained = told_once(&portal, MIA, "You are now Admin at Fjord Supply", || {
        owner.post(format!("{page}/role"), &[("role", "admin")]);
    });
    let lost = told_once(&portal, MIA, "You are now Member at Fjord Supply", || {
        owner.post(format!("{page}/role"), &[("role", "member")]);
    });
    mia.sign_in();
    mia.post(
        "/account/email",
        &[("email", NEW), ("current_password", "Another-Horse-8!")],
    )
    .answers(303);
    portal.work();
    let link = portal.link_for(NEW);
    let moved = told(&portal, || {
        mia.get(&link).answers(200);
        mia.post(&link, &[]).answers(303);
    });
    let mut to: Vec<&str> = moved.iter().map(|mail| mail.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, [MIA, NEW], "one to each address");
    for mail in [device, changed, gained, lost].iter().chain(&moved) {
        assert!(
            mail.text
                .contains(&format!("\nSign out everywhere:\n{SIGN_OUT}\n")),
            "{}",
            mail.text
        );
        assert_eq!(
            mail.html.matches(&format!("href=\"{SIGN_OUT}\"")).count(),
            1
        );
        assert_eq!(answer::tokens(&mail.text), Vec::<String>::new());
    }

    // Whoever has no password any more cannot sign in to sign out: the button leads to another password.
    mia.email = NEW.to_owned();
    let taken = told_once(
        &portal,
        NEW,
        "Your password was reset at Fjord Supply",
        || {
            owner.post(format!("{page}/reset-password"), &[("handover", "copy")]);
        },
    );
    assert!(
        !taken.text.contains("Sign out everywhere"),
        "{}",
        taken.text
    );
    assert!(
        taken
            .text
            .contains("\nAsk for a link:\nhttps://portal.example.com/forgot-password\n"),
        "{}",
        taken.text
    );
}

#[test]
fn the_mail_page_lists_each_by_what_it_tells() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    let mut owner = portal.owner();
    mia.enrol();
    sign_in_by_recovery(&mut mia, 0);
    let code = renew(&mut mia);
    mia.post("/account/two-factor/disable", &[("code", &code)])
        .answers(303);
    portal.travel(STEP);
    mia.enrol();
    reset(&mut owner, &mia);
    portal.work();
    owner.get("/mail?state=sent").answers(200);
    for kind in [
        Kind::TwoFactorOn,
        Kind::TwoFactorOff,
        Kind::TwoFactorReset,
        Kind::RecoveryUsed,
        Kind::CodesRenewed,
    ] {
        owner.sees(kind.label());
        let ids: Vec<String> = portal.ask(&format!(
            "SELECT substr(message_id, 1, instr(message_id, '@') - 1) FROM errands WHERE kind = '{}'",
            kind.slug()
        ));
        // What it says is between the Portal and Mia.
        owner
            .clone()
            .get(format!("/mail/{}", ids[0]))
            .answers(200)
            .sees(kind.label())
            .sees(MIA)
            .sees_not("network address");
    }
}
