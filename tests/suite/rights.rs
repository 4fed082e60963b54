//! Rights that end: between a page and its form, across a restart, and with whoever gave an invitation; and forms that
//! ask for more than there is.

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::MINUTE;
use doorward::lifecycle;
use doorward::passwords::Handover;
use doorward::routes::Route;

use crate::forms::content;
use crate::links::{LEA, filled};
use crate::portal::{OWNER, PASSWORD, Portal};

const ADA: &str = "ada@fjord.example";
const MIA: &str = "mia@fjord.example";

#[test]
fn a_role_that_is_none_is_refused_on_change_as_on_invitation() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let ada = portal.member(Role::Admin, ADA);
    let page = Route::ChangeRole(ada.account().id);
    owner.get(&page).answers(200);
    portal.work();
    let before = content(&portal);
    let forged: [&[(&str, &str)]; 17] = [
        &[("role", "Member")],
        &[("role", "MASTER")],
        &[("role", "0")],
        &[("role", "4")],
        &[("role", "-1")],
        &[("role", "")],
        &[("role", "owner")],
        &[("role", "member ")],
        &[("role", "\u{feff}member")],
        &[("role", "member,master")],
        &[],
        &[("role", "member"), ("role", "master")],
        &[("role", "member"), ("role", "member")],
        &[("role[]", "member")],
        &[("role[0]", "member")],
        &[("role", "member"), ("status", "active")],
        &[("role", "member"), ("organisation_id", "1")],
    ];
    for fields in forged {
        // A minute of its own: of a flood only the first five are written.
        portal.travel(MINUTE);
        portal.work();
        let told = portal.audit(Some(portal.first())).len();
        owner
            .draft(Method::Post, &page)
            .proven()
            .fields(fields)
            .send()
            .answers(400);
        let log = portal.audit(Some(portal.first()));
        assert_eq!(log.len(), told + 1, "{fields:?}");
        assert_eq!(log[0].action, "request.malformed", "{fields:?}");
    }
    let rows = |all: &[String]| -> Vec<String> {
        let kept = all.iter().filter(|row| !row.starts_with("throttles "));
        kept.cloned().collect()
    };
    assert_eq!(rows(&before), rows(&content(&portal)));
    assert!(ada.account().role == Role::Admin && ada.is_signed_in());
}

#[test]
fn the_page_that_was_open_before_a_demotion_does_nothing_after_it() {
    let portal = Portal::start();
    let owner = portal.owner();
    let app = portal.app();
    let mut ada = portal.member(Role::Admin, ADA);
    let mia = portal.member(Role::Member, MIA).account().id;
    let off = portal
        .member(Role::Member, "off@fjord.example")
        .account()
        .id;
    app.write(app.now(), |tx| {
        lifecycle::disable(tx, &owner.allowed(), off)
    })
    .unwrap();
    let lea = portal.invite(&owner, Role::Member, LEA);
    portal.travel(2 * MINUTE);
    let mut asked = 0;
    for (page, form, fields) in [
        (
            Route::NewAccount,
            Route::Accounts,
            vec![("email", "new@fjord.example"), ("role", "member")],
        ),
        (
            Route::ChangeRole(mia),
            Route::ChangeRole(mia),
            vec![("role", "billing")],
        ),
        (
            Route::DisableAccount(mia),
            Route::DisableAccount(mia),
            vec![],
        ),
        (Route::EnableAccount(off), Route::EnableAccount(off), vec![]),
        (
            Route::DeleteAccount(mia),
            Route::DeleteAccount(mia),
            vec![("email", MIA)],
        ),
        (
            Route::SignOutAccount(mia),
            Route::SignOutAccount(mia),
            vec![],
        ),
        (
            Route::ResetAccountPassword(mia),
            Route::ResetAccountPassword(mia),
            vec![("handover", "copy")],
        ),
        (Route::Account(lea), Route::ResendInvitation(lea), vec![]),
        (Route::Account(lea), Route::CopyLink(lea), vec![]),
    ] {
        let id = ada.account().id;
        ada.get(&page).answers(200);
        let mut open = ada.clone();
        app.write(app.now(), |tx| {
            lifecycle::change_role(tx, &owner.allowed(), id, Role::Member)
        })
        .unwrap();
        let before = content(&portal);
        open.post(&form, &fields).answers(303).goes_to("/sign-in");
        assert_eq!(content(&portal), before, "{form}");
        // With the rights of today it is refused for want of one.
        ada.get("/sign-in").answers(200);
        ada.sign_in();
        let before = content(&portal);
        ada.post(&form, &fields)
            .answers(403)
            .sees("Your role is Member.");
        assert_eq!(content(&portal), before, "{form}");
        app.write(app.now(), |tx| {
            lifecycle::change_role(tx, &owner.allowed(), id, Role::Admin)
        })
        .unwrap();
        // The gain waits: the session has a Member's rights still.
        ada.post(&form, &fields)
            .answers(403)
            .sees("Your permission is now Admin.");
        ada.sign_out().sign_in();
        asked += 1;
    }
    assert_eq!(asked, 9);
}

#[test]
fn a_restart_revives_nothing_that_a_loss_ended() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let app = portal.app();
    let mut people = ["role", "disable", "delete", "sign-out", "reset", "none"].map(|loss| {
        let email = format!("{loss}@fjord.example");
        (loss, portal.member_of(&owner, Role::Admin, &email))
    });
    for (loss, person) in &people {
        let (id, now) = (person.account().id, app.now());
        let by = || owner.allowed();
        match *loss {
            "role" => {
                app.write(now, |tx| {
                    lifecycle::change_role(tx, &owner.allowed(), id, Role::Billing)
                })
                .unwrap();
            }
            "disable" => {
                app.write(now, |tx| lifecycle::disable(tx, &by(), id))
                    .unwrap();
            }
            "delete" => {
                app.write(now, |tx| lifecycle::delete(tx, &by(), id))
                    .unwrap();
            }
            "sign-out" => {
                app.write(now, |tx| lifecycle::sign_out(tx, &by(), id))
                    .unwrap();
            }
            "reset" => {
                app.write(now, |tx| {
                    lifecycle::reset_password(tx, &by(), id, Handover::Mail)
                })
                .unwrap();
            }
            _ => {}
        }
    }
    drop(app);
    for round in 0..2 {
        for (loss, person) in &mut people {
            let status = person.get("/account").status();
            assert_eq!(
                status,
                if *loss == "none" { 200 } else { 303 },
                "{loss} {round}"
            );
        }
        owner.get("/account").answers(200);
        portal.restart(|_, _| ());
    }
    // What can sign in again gets what it has now; the others get nothing.
    for (loss, person) in &mut people {
        let can = matches!(*loss, "role" | "sign-out");
        if *loss != "none" {
            let email = person.email.clone();
            person
                .try_password(&email, PASSWORD)
                .answers(if can { 303 } else { 422 });
        }
    }
    people[0].1.get("/iam/accounts").answers(403);
    people[3].1.get("/iam/accounts").answers(200);
}

#[test]
fn a_link_dies_with_its_giver_and_lives_again_by_another_hand() {
    for loss in ["role", "disable", "delete"] {
        let portal = Portal::start();
        let mut owner = portal.owner();
        let app = portal.app();
        let giver = portal.member_of(&owner, Role::Admin, ADA);
        let lea = portal.invite(&giver, Role::Admin, LEA);
        let link = Route::Activate(portal.link_of(&giver, lea).token.reveal());
        let id = giver.account().id;
        match loss {
            "role" => app.write(app.now(), |tx| {
                lifecycle::change_role(tx, &owner.allowed(), id, Role::Billing)
            }),
            "disable" => app.write(app.now(), |tx| lifecycle::disable(tx, &owner.allowed(), id)),
            _ => app.write(app.now(), |tx| lifecycle::delete(tx, &owner.allowed(), id)),
        }
        .unwrap();
        let mut visitor = portal.visitor();
        visitor.get(&link).answers(410).sees("Ask Olivia Berg");
        visitor
            .post(&link, &filled("Lea Fontaine", PASSWORD))
            .answers(410);
        let status = || {
            portal.ask::<String>(&format!(
                "SELECT status || ' ' || role FROM accounts WHERE id = {}",
                lea.number()
            ))
        };
        assert_eq!(status(), ["pending admin"], "{loss}");
        // Whoever gives the role anew answers for the link.
        portal.travel(2 * MINUTE);
        owner.post(Route::ResendInvitation(lea), &[]).answers(303);
        let newer = Route::Activate(portal.link_of(&owner, lea).token.reveal());
        let mut visitor = portal.visitor();
        visitor
            .post(&newer, &filled("Lea Fontaine", PASSWORD))
            .answers(303);
        assert_eq!(status(), ["active admin"], "{loss}");
    }
}

#[test]
fn nobody_reaches_into_the_account_of_another() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    let victim = portal.member(Role::Member, "bo@fjord.example");
    let theirs = victim.account();
    let number = theirs.id.number().to_string();
    let id = theirs.id.to_string();
    let rows = || {
        portal.ask::<String>(&format!(
            "SELECT name || coalesce(phone, '') || email || role || status || epoch FROM accounts WHERE id = {number}
             UNION ALL SELECT hash FROM passwords WHERE account_id = {number}
             UNION ALL SELECT hex(hash) FROM sessions WHERE account_id = {number}"
        ))
    };
    let before = rows();
    let session = victim.scope().unwrap().session;
    mia.post(Route::EndSession(session), &[]).answers(404);
    for (path, fields) in [
        ("/account/profile", vec![("name", "Mia"), ("phone", "")]),
        (
            "/account/preferences",
            vec![("timezone", ""), ("shortcuts", "yes")],
        ),
        (
            "/account/email",
            vec![
                ("email", "mine@fjord.example"),
                ("current_password", PASSWORD),
            ],
        ),
        (
            "/account/password",
            vec![
                ("current_password", PASSWORD),
                ("password", "Another-Horse-8!"),
                ("password_confirmation", "Another-Horse-8!"),
            ],
        ),
        ("/account/sessions/end-others", vec![]),
    ] {
        for name in ["account", "account_id", "id", "user", "email[]", "role"] {
            for value in [&id, &number] {
                let mut with = fields.clone();
                with.push((name, value));
                mia.post(path, &with).answers(400);
            }
        }
        // By the address of the account, where there is none: nothing is there.
        let nested = path.replace("/account/", &format!("/iam/accounts/{id}/"));
        assert!(
            matches!(mia.post(&nested, &fields).status(), 403 | 404),
            "{nested}"
        );
        assert!(matches!(mia.get(&nested).status(), 403 | 404), "{nested}");
        mia.get(format!("{path}?account={id}")).answers(405);
    }
    mia.get(format!("/account?account={id}"))
        .answers(200)
        .sees_not("bo@fjord.example");
    for sub in [
        "",
        "/profile",
        "/sessions",
        "/phone",
        "/two-factor",
        "/password",
    ] {
        let path = format!("/iam/accounts/{id}{sub}");
        assert!(matches!(mia.get(&path).status(), 403 | 404), "{path}");
        assert!(matches!(mia.post(&path, &[]).status(), 403..=405), "{path}");
        mia.head(&path);
        assert!(matches!(mia.status(), 403 | 404), "{path}");
    }
    assert_eq!(rows(), before);
    assert!(victim.is_signed_in() && owner.is_signed_in());
    assert_eq!(mia.account().email.unwrap().as_str(), MIA);
    assert_eq!(owner.account().email.unwrap().as_str(), OWNER);
}
