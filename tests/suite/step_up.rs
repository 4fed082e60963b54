//! Dangerous acts ask who is there again once the last proof is older than ten minutes, and not before.

use doorward::domain::role::Role;
use doorward::kit::time::MINUTE;
use doorward::kit::totp::STEP;

use crate::portal::{PASSWORD, Portal};
use crate::visitor::Visitor;

const LEA: &str = "lea@fjord.example";
const FIELD: &str = "name=\"current_password\"";
const FRESH: i64 = 10 * MINUTE - 1;

fn asks(visitor: &mut Visitor, path: &str, form: &str) -> bool {
    visitor.get(path).answers(200);
    let page = visitor.html();
    let form = crate::answer::between(&page, &format!("action=\"{form}\""), "</form>");
    form.contains(FIELD)
}

#[test]
fn a_proof_holds_for_ten_minutes_to_the_second() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.member(Role::Master, "max@fjord.example");
    let forms = [
        ("/account", "/account/email"),
        ("/settings", "/settings/ownership/offer"),
        ("/account/two-factor", "/account/two-factor"),
    ];
    portal.travel(FRESH);
    for (page, form) in forms {
        assert!(!asks(&mut owner, page, form), "{form} asks too soon");
    }
    portal.travel(1);
    for (page, form) in forms {
        assert!(asks(&mut owner, page, form), "{form} does not ask");
    }
    // A change of password asks for it in any case.
    let mut again = portal.signed_in(crate::portal::OWNER);
    assert!(asks(&mut again, "/account", "/account/password"));
}

#[test]
fn a_proof_renews_the_cookie_and_is_good_for_the_next_act_too() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.travel(FRESH + 1);
    let before = owner.cookie("session").unwrap();
    owner
        .post("/account/two-factor", &[])
        .answers(422)
        .sees("Enter your password");
    owner
        .post(
            "/account/email",
            &[
                ("email", "new@fjord.example"),
                ("current_password", "Wrong-Horse-7!"),
            ],
        )
        .answers(422)
        .sees("This is not your password.");
    assert_eq!(owner.cookie("session").unwrap(), before);
    // The password is right and the address is not: it is not asked for again, and the form that is drawn works.
    owner
        .post(
            "/account/email",
            &[("email", "no address"), ("current_password", PASSWORD)],
        )
        .answers(422);
    let after = owner.cookie("session").unwrap();
    assert_ne!(after, before);
    let page = owner.html();
    let form = crate::answer::between(&page, "action=\"/account/email\"", "</form>");
    assert!(!form.contains(FIELD), "{form}");
    owner
        .post("/account/email", &[("email", "new@fjord.example")])
        .answers(303);
    let mut thief = portal.visitor();
    thief.plant("__Host-session", &before);
    thief.get("/account").answers(303);
    thief.plant("__Host-session", &after);
    thief.get("/account").answers(200);
    portal.travel(FRESH);
    owner.post("/account/two-factor", &[]).answers(303);
    let log = portal.audit(Some(portal.first()));
    let given = log.iter().filter(|one| one.action == "proof.given").count();
    assert_eq!(given, 1);
}

#[test]
fn a_code_is_proof_as_well_and_is_used_up_by_it() {
    let portal = Portal::start();
    let mut lea = portal.member(Role::Member, LEA);
    lea.enrol();
    portal.travel(FRESH + 1);
    lea.get("/account")
        .sees("Or the 6-digit code that your app shows now.");
    let code = lea.code();
    let (a, b) = code.split_at(3);
    let spaced = format!("{a} {b}");
    lea.post(
        "/account/email",
        &[
            ("email", "lea.new@fjord.example"),
            ("current_password", &spaced),
        ],
    )
    .answers(303);
    let mut there = lea.elsewhere();
    there.try_password(LEA, PASSWORD).answers(303);
    there
        .post("/sign-in/code", &[("code", &code)])
        .answers(422)
        .sees("used already");
    // A wrong one counts among the codes.
    portal.travel(FRESH + 1);
    for _ in 0..9 {
        lea.post(
            "/account/two-factor/codes",
            &[("current_password", "000000")],
        )
        .answers(422)
        .sees("That code is not right.");
    }
    lea.post(
        "/account/two-factor/codes",
        &[("current_password", "000000")],
    );
    lea.post(
        "/account/two-factor/codes",
        &[("current_password", &lea.code())],
    )
    .answers(429)
    .sees("Too many tries");
    // The password still proves it.
    lea.post(
        "/account/two-factor/codes",
        &[("current_password", PASSWORD)],
    )
    .answers(200)
    .sees("Your new recovery codes");
}

/// However they came in: for ten minutes nothing is asked, and then it is.
#[test]
fn a_sign_in_is_proof_by_whichever_way() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .post(
            "/settings/two-factor",
            &[
                ("member", "required"),
                ("member_days", "7"),
                ("billing", "required"),
                ("billing_days", "7"),
                ("admin", "required"),
                ("admin_days", "7"),
                ("master", "required"),
                ("master_days", "7"),
                ("trust", "yes"),
                ("confirm", "yes"),
            ],
        )
        .answers(303);
    let mut lea = portal.member(Role::Member, LEA);
    lea.enrol();
    lea.sign_out();
    portal.travel(2 * STEP);
    lea.try_password(LEA, PASSWORD).answers(303);
    let code = lea.code();
    lea.post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    let proven = |visitor: &mut Visitor| {
        assert!(!asks(visitor, "/account", "/account/email"));
        portal.travel(FRESH);
        assert!(!asks(visitor, "/account", "/account/email"));
        portal.travel(1);
        assert!(asks(visitor, "/account", "/account/email"));
        visitor.sign_out();
    };
    proven(&mut lea);
    lea.try_password(LEA, PASSWORD).goes_to("/");
    proven(&mut lea);
    let bo = portal.member(Role::Member, "bo@fjord.example");
    let (app, account) = (portal.app(), bo.account());
    let link = app
        .write(app.now(), |tx| doorward::sessions::make_link(tx, &account))
        .unwrap();
    let mut there = portal.visitor();
    there
        .post(format!("/sign-in/link/{}", link.token.reveal()), &[])
        .answers(303)
        .goes_to("/");
    proven(&mut there);
}

/// What moves the ownership asks both who offers and who accepts.
#[test]
fn both_ends_of_the_ownership_ask() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, "max@fjord.example");
    let to = max.account().id.to_string();
    portal.travel(FRESH + 1);
    owner
        .post("/settings/ownership/offer", &[("to", &to)])
        .answers(422)
        .sees("Enter your password");
    owner
        .post(
            "/settings/ownership/offer",
            &[("to", &to), ("current_password", PASSWORD)],
        )
        .answers(303);
    assert!(asks(&mut max, "/settings", "/settings/ownership/accept"));
    max.post("/settings/ownership/accept", &[])
        .answers(422)
        .sees("Enter your password");
    let before = max.cookie("session").unwrap();
    max.post(
        "/settings/ownership/accept",
        &[("current_password", PASSWORD)],
    )
    .answers(303);
    let mut thief = portal.visitor();
    thief.plant("__Host-session", &before);
    thief.get("/account").answers(303);
}

/// A wrong password counts where the sign-in's do: this browser is known, so both together have twenty.
#[test]
fn wrong_passwords_count_on_the_sign_ins_counter() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.travel(FRESH + 1);
    let mut here = owner.clone();
    here.sign_out();
    for _ in 0..10 {
        here.try_password(crate::portal::OWNER, "Wrong-Horse-7!")
            .answers(422);
    }
    let mut there = portal.signed_in(crate::portal::OWNER);
    there.plant("__Host-device", &here.cookie("device").unwrap());
    portal.travel(FRESH + 1);
    for _ in 0..10 {
        there
            .post(
                "/account/two-factor",
                &[("current_password", "Wrong-Horse-7!")],
            )
            .answers(422);
    }
    there
        .post("/account/two-factor", &[("current_password", PASSWORD)])
        .answers(429);
    assert!(there.header("Retry-After").is_some());
    here.try_password(crate::portal::OWNER, PASSWORD)
        .answers(429);
    owner = owner.elsewhere();
    owner.sign_in();
}

#[test]
fn turning_it_off_asks_for_a_code_and_later_for_the_password_too() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.enrol();
    owner
        .post(
            "/settings/two-factor",
            &[
                ("member", "off"),
                ("member_days", "7"),
                ("billing", "off"),
                ("billing_days", "7"),
                ("admin", "off"),
                ("admin_days", "7"),
                ("master", "recommended"),
                ("master_days", "7"),
            ],
        )
        .answers(303);
    portal.travel(FRESH + 1);
    let other = {
        let mut other = owner.elsewhere();
        other.sign_in();
        other
    };
    portal.travel(2 * STEP);
    let code = owner.code();
    owner
        .post("/account/two-factor/disable", &[("code", &code)])
        .answers(422)
        .sees("Enter your password");
    owner
        .post(
            "/account/two-factor/disable",
            &[("code", "000000"), ("current_password", PASSWORD)],
        )
        .answers(422)
        .sees("That code is not right.");
    assert!(
        !owner.html().contains(&format!("{FIELD} type")),
        "proven by now"
    );
    owner
        .post("/account/two-factor/disable", &[("code", &code)])
        .answers(303)
        .follow()
        .sees("2-step verification is off.");
    assert!(owner.is_signed_in() && !other.is_signed_in());
    portal.work();
    assert!(
        portal
            .mails()
            .iter()
            .any(|mail| mail.subject.starts_with("2-step verification is off"))
    );
}
