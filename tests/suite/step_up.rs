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
    thief.plant("session", &before);
    thief.get("/account").answers(303);
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
