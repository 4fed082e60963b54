//! Browsers that are trusted to skip the code, and the operator's link, which skips nothing.

use doorward::domain::policy::Trust;
use doorward::domain::role::Role;
use doorward::kit::time::{DAY, MINUTE};
use doorward::kit::totp::STEP;
use doorward::lifecycle;
use doorward::passwords::{self, Handover};
use doorward::routes::Route;
use doorward::scope::By;
use doorward::sessions;

use crate::portal::{PASSWORD, Portal};
use crate::visitor::Visitor;

const LEA: &str = "lea@fjord.example";
const ANOTHER: &str = "Another-Horse-8!";

/// The policy's form, with or without the tick.
fn decide(owner: &Visitor, trust: Trust, days: &str) {
    let fields = [
        ("member", "required"),
        ("member_days", days),
        ("billing", "required"),
        ("billing_days", "7"),
        ("admin", "required"),
        ("admin_days", "7"),
        ("master", "recommended"),
        ("master_days", "7"),
        ("trust", "yes"),
        ("confirm", "yes"),
    ];
    let sent: Vec<(&str, &str)> = fields
        .into_iter()
        .filter(|(name, _)| *name != "trust" || trust == Trust::Offered)
        .collect();
    owner
        .clone()
        .post("/settings/two-factor", &sent)
        .answers(303);
}

/// Lea in a browser that she trusts, signed out.
fn trusting(portal: &Portal) -> (Visitor, Visitor) {
    let owner = portal.owner();
    decide(&owner, Trust::Offered, "7");
    let mut lea = portal.member(Role::Member, LEA);
    lea.enrol();
    portal.work();
    portal.travel(2 * STEP);
    lea.sign_out();
    lea.try_password(LEA, PASSWORD).goes_to("/sign-in/code");
    lea.follow().sees("Trust this browser for 30 days");
    let code = lea.code();
    lea.post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    lea.sign_out();
    portal.travel(2 * STEP);
    portal.work();
    (owner, lea)
}

/// Whether the password alone lets them in here; signed out again afterwards.
fn skips(lea: &mut Visitor, password: &str) -> bool {
    lea.try_password(LEA, password).answers(303);
    let skips = lea.is_signed_in();
    assert_eq!(lea.cookie("challenge").is_some(), !skips);
    lea.sign_out();
    skips
}

#[test]
fn a_trusted_browser_skips_the_code_for_thirty_days() {
    let portal = Portal::start();
    let (_, mut lea) = trusting(&portal);
    assert!(skips(&mut lea, PASSWORD));
    assert!(!skips(&mut lea.elsewhere(), PASSWORD), "only that browser");
    portal.travel(30 * DAY - 2 * STEP - MINUTE);
    assert!(skips(&mut lea, PASSWORD));
    portal.travel(MINUTE);
    assert!(!skips(&mut lea, PASSWORD));
}

#[test]
fn nobody_else_in_that_browser_is_trusted() {
    let portal = Portal::start();
    let (_, mut lea) = trusting(&portal);
    let mut bo = portal.member(Role::Member, "bo@fjord.example");
    bo.enrol();
    portal.travel(2 * STEP);
    let device = lea.cookie("device").unwrap();
    let mut there = bo.elsewhere();
    there.plant("__Host-device", &device);
    there
        .try_password("bo@fjord.example", PASSWORD)
        .goes_to("/sign-in/code");
    // Nor once they signed in there, with a code and without the tick.
    let code = bo.code();
    there.post("/sign-in/code", &[("code", &code)]).answers(303);
    there.sign_out();
    there
        .try_password("bo@fjord.example", PASSWORD)
        .goes_to("/sign-in/code");
    assert!(skips(&mut lea, PASSWORD));
}

/// The tick makes the cookie worth a code, so it is a new one; everybody who uses the browser is known by it.
#[test]
fn a_copy_of_the_cookie_from_before_the_tick_is_worth_nothing() {
    let portal = Portal::start();
    let owner = portal.owner();
    decide(&owner, Trust::Offered, "7");
    let mut lea = portal.member(Role::Member, LEA);
    portal.member(Role::Member, "bo@fjord.example");
    lea.enrol();
    lea.sign_out();
    lea.try_password("bo@fjord.example", PASSWORD).goes_to("/");
    lea.sign_out();
    portal.travel(2 * STEP);
    let before = lea.cookie("device").unwrap();
    lea.try_password(LEA, PASSWORD).answers(303);
    let code = lea.code();
    lea.post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    lea.sign_out();
    assert_ne!(lea.cookie("device").unwrap(), before);
    assert!(skips(&mut lea, PASSWORD));
    let mut thief = lea.elsewhere();
    thief.plant("__Host-device", &before);
    assert!(!skips(&mut thief, PASSWORD));
    let devices = || portal.ask::<i64>("SELECT count(*) FROM devices");
    let known = devices();
    lea.try_password("bo@fjord.example", PASSWORD).goes_to("/");
    assert_eq!(devices(), known, "it is no new browser to the other");
}

#[test]
fn a_tick_that_is_not_offered_trusts_nothing() {
    let portal = Portal::start();
    let mut lea = portal.member(Role::Member, LEA);
    lea.enrol();
    portal.travel(2 * STEP);
    lea.sign_out();
    lea.try_password(LEA, PASSWORD).answers(303);
    let code = lea.code();
    lea.post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    lea.sign_out();
    decide(&portal.owner(), Trust::Offered, "7");
    assert!(!skips(&mut lea, PASSWORD));
}

/// Each of these ends it.
#[test]
fn trust_ends_with_the_password_the_factor_and_the_policy() {
    type End = fn(&Portal, &Visitor, &mut Visitor) -> &'static str;
    let ends: [(&str, End); 10] = [
        ("their own change of password", |_, _, lea| {
            lea.sign_in();
            lea.post(
                "/account/password",
                &[
                    ("current_password", PASSWORD),
                    ("password", ANOTHER),
                    ("password_confirmation", ANOTHER),
                ],
            )
            .answers(303);
            lea.sign_out();
            ANOTHER
        }),
        ("the operator's password", |portal, _, lea| {
            let (app, account, hash) = (portal.app(), lea.account(), portal.hash(ANOTHER));
            app.write(app.now(), |tx| {
                passwords::change(tx, &By::operator(), &account, &hash)
            })
            .unwrap();
            ANOTHER
        }),
        ("a reset link", |portal, _, lea| {
            lea.post("/forgot-password", &[("email", LEA)]).answers(303);
            let link = crate::second_step::reset_link(portal);
            lea.post(
                &link,
                &[("password", ANOTHER), ("password_confirmation", ANOTHER)],
            )
            .answers(303);
            ANOTHER
        }),
        ("a reset by another", |portal, owner, lea| {
            let (app, id) = (portal.app(), lea.account().id);
            let (_, issued) = app
                .write(app.now(), |tx| {
                    lifecycle::reset_password(tx, &owner.allowed(), id, Handover::Copy)
                })
                .unwrap();
            // Not even the same password again.
            lea.post(
                Route::ResetPassword(issued.token.reveal()),
                &[("password", PASSWORD), ("password_confirmation", PASSWORD)],
            )
            .answers(303);
            PASSWORD
        }),
        ("a reset of the factor", |portal, owner, lea| {
            let (app, id) = (portal.app(), lea.account().id);
            app.write(app.now(), |tx| {
                lifecycle::reset_two_factor(tx, &owner.allowed(), id)
            })
            .unwrap();
            lea.phone = None;
            lea.sign_in().enrol();
            lea.sign_out();
            PASSWORD
        }),
        ("signing out everywhere else", |_, _, lea| {
            let mut there = lea.elsewhere();
            there.sign_in();
            there.post("/account/sessions/end-others", &[]).answers(303);
            PASSWORD
        }),
        ("another phone", |portal, _, lea| {
            lea.sign_in();
            let code = lea.code();
            lea.post("/account/two-factor", &[("code", &code)])
                .answers(303)
                .follow()
                .answers(200);
            let key =
                crate::answer::between(&lea.html(), "<output id=\"key\"", "</output>").to_owned();
            let (_, key) = key.split_once('>').unwrap();
            let phone = crate::phone::Phone::new(key);
            let code = phone.code(portal.app().now().0);
            lea.post("/account/two-factor/confirm", &[("code", &code)])
                .answers(200);
            lea.phone = Some(phone);
            lea.sign_out();
            PASSWORD
        }),
        ("a change of the policy", |_, owner, _| {
            decide(owner, Trust::Offered, "6");
            PASSWORD
        }),
        ("trust that is not offered any more", |_, owner, _| {
            decide(owner, Trust::Off, "7");
            decide(owner, Trust::Offered, "7");
            PASSWORD
        }),
        ("being signed out everywhere", |_, owner, lea| {
            let path = format!("/iam/accounts/{}/sign-out", lea.account().id);
            lea.sign_in();
            owner.clone().post(path, &[]).answers(303);
            PASSWORD
        }),
    ];
    for (what, end) in ends {
        let portal = Portal::start();
        let (owner, mut lea) = trusting(&portal);
        assert!(skips(&mut lea, PASSWORD), "before {what}");
        let password = end(&portal, &owner, &mut lea);
        assert!(!skips(&mut lea, password), "after {what}");
    }
}

fn link(portal: &Portal, lea: &Visitor) -> String {
    let (app, account) = (portal.app(), lea.account());
    let link = app
        .write(app.now(), |tx| sessions::make_link(tx, &account))
        .unwrap();
    format!("/sign-in/link/{}", link.token.reveal())
}

#[test]
fn the_operators_link_lets_in_once_and_asks_for_the_code_all_the_same() {
    let portal = Portal::start();
    let (owner, mut lea) = trusting(&portal);
    let first = link(&portal, &lea);
    let second = link(&portal, &lea);
    let mut there = portal.visitor();
    there
        .get(&first)
        .answers(410)
        .sees("This link was replaced");
    for _ in 0..3 {
        there
            .get(&second)
            .answers(200)
            .sees("This link is from whoever runs this Portal.")
            .sees(LEA)
            .sees_not("Fjord");
        there.head(&second).answers(200);
    }
    // Not even a trusted browser is enough.
    lea.post(&second, &[]).answers(303).goes_to("/sign-in/code");
    let code = lea.code();
    lea.post("/sign-in/code", &[("code", &code)]).answers(303);
    assert!(lea.is_signed_in());
    there.get(&second).answers(410).sees("This link was used");
    there.post(&second, &[]).answers(410);
    assert!(!there.is_signed_in());
    let late = link(&portal, &lea);
    portal.travel(15 * MINUTE);
    there.get(&late).answers(410).sees("The link expired");
    there.post(&late, &[]).answers(410);
    there
        .get(format!("/sign-in/link/{}", "x".repeat(43)))
        .answers(404);

    // Without a factor it signs in, in place of whoever was signed in there.
    let bo = portal.member(Role::Member, "bo@fjord.example");
    let mut desk = owner.clone();
    let before = desk.cookie("session").unwrap();
    let path = link(&portal, &bo);
    desk.get(&path)
        .answers(200)
        .sees("You are signed in as olivia@fjord.example here.");
    desk.post(&path, &[]).answers(303).goes_to("/");
    assert_eq!(desk.scope().unwrap().account, bo.account().id);
    let log = portal.audit(Some(portal.first()));
    assert!(log.iter().any(|one| one.action == "sign_in.link_made"));
    // Who was there is not who came in, and their session is over, not just their cookie.
    let newest = [0, 1].map(|n| (log[n].action.as_str(), log[n].actor_text.as_deref()));
    assert_eq!(
        newest,
        [
            ("sign_in.succeeded", Some("bo@fjord.example")),
            ("signed_out", Some("olivia@fjord.example")),
        ]
    );
    desk.plant("__Host-session", &before);
    desk.get("/account").answers(303);
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM sign_in_links WHERE state = 'open'"),
        [1],
        "the late one"
    );
    // Where a code is owed, nobody that we know asked for it.
    let mut desk = portal.signed_in(crate::portal::OWNER);
    let path = link(&portal, &lea);
    desk.post_from(&path, &path, &[])
        .answers(303)
        .goes_to("/sign-in/code");
    let log = portal.audit(Some(portal.first()));
    let asked = &log[0];
    assert_eq!(asked.action, "sign_in.code_asked");
    assert_eq!(asked.actor_text.as_deref(), None, "{:?}", asked.actor_text);
}

#[test]
fn a_link_of_whoever_was_disabled_opens_nothing() {
    let portal = Portal::start();
    let owner = portal.owner();
    let bo = portal.member(Role::Member, "bo@fjord.example");
    let path = link(&portal, &bo);
    owner
        .clone()
        .post(format!("/iam/accounts/{}/disable", bo.account().id), &[])
        .answers(303);
    let mut there = portal.visitor();
    there.get(&path).answers(404);
    there.post(&path, &[]).answers(404);
    let (app, account) = (portal.app(), bo.account());
    let made = app.write(app.now(), |tx| sessions::make_link(tx, &account));
    assert!(
        matches!(made, Err(doorward::error::Error::Refused(_))),
        "{made:?}"
    );
}
