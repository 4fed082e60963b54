//! Handing an organisation over: offered by its owner, accepted by another Master, or not.

use std::sync::Barrier;

use doorward::domain::id::AccountId;
use doorward::domain::role::Role;
use doorward::error::Error;
use doorward::kit::http::request::Method;
use doorward::kit::time::{DAY, MINUTE};
use doorward::lifecycle;
use doorward::passwords::Handover;

use crate::portal::{OWNER, PASSWORD, Portal};
use crate::visitor::Visitor;

const MAX: &str = "max@fjord.example";
const MEG: &str = "meg@fjord.example";
const NO_HEIR: &str =
    "Only an Active Master can own the organisation. Choose another, or make them a Master first.";

fn offer<'v>(visitor: &'v mut Visitor, to: &str, password: &str) -> &'v mut Visitor {
    let fields = [("to", to), ("current_password", password)];
    visitor.post("/settings/ownership/offer", &fields)
}

/// Offers it, and it is done.
#[track_caller]
fn offered(owner: &mut Visitor, heir: &Visitor) {
    let to = heir.account().id.to_string();
    offer(owner, &to, PASSWORD)
        .answers(303)
        .goes_to("/settings");
}

fn accept(visitor: &mut Visitor) -> &mut Visitor {
    let fields = [("current_password", PASSWORD)];
    visitor.post("/settings/ownership/accept", &fields)
}

/// After so long a password has to be shown again.
const STALE: i64 = 10 * MINUTE;

/// Who owns the first organisation, and to whom it is offered, as the file has it.
fn standing(portal: &Portal) -> (AccountId, Option<AccountId>) {
    let organisation = portal.first().number();
    let one = |column: &str| {
        portal.ask::<Option<AccountId>>(&format!(
            "SELECT {column} FROM organisations WHERE id = {organisation}"
        ))[0]
    };
    (one("owner_id").unwrap(), one("offered_to"))
}

fn mails_about(portal: &Portal, subject: &str) -> Vec<String> {
    portal.work();
    let mails = portal.mails().into_iter();
    mails
        .filter(|mail| mail.subject == subject)
        .map(|mail| mail.to)
        .collect()
}

/// How often this was recorded of the first organisation.
fn recorded(portal: &Portal, action: &str) -> usize {
    let log = portal.audit(Some(portal.first()));
    log.iter().filter(|one| one.action == action).count()
}

#[test]
fn it_is_offered_and_accepted_and_both_are_told() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, MAX);
    let (old, new) = (owner.account().id, max.account().id);
    owner
        .get("/settings")
        .answers(200)
        .sees("You own Fjord Supply, since 24 Nov 2026.")
        .sees("MAX Vik (max@fjord.example)")
        .sees("You own it until they accept.");
    max.get("/settings")
        .sees("Olivia Berg owns Fjord Supply, since 24 Nov 2026.")
        .sees("Only the owner can hand it over.");
    max.get("/").sees_not("Offered to you");
    portal.travel(STALE);
    let cookie = owner.cookie("session");
    offered(&mut owner, &max);
    // Whoever proved who they are goes on under a new cookie.
    assert_ne!(owner.cookie("session"), cookie);
    owner
        .follow()
        .answers(200)
        .sees("The ownership is offered to MAX Vik. A mail tells them.")
        .sees("You offered it to MAX Vik today, 14:30. Nothing changes until they accept.")
        .sees("Withdraw offer")
        .sees_not("Offer ownership");
    assert_eq!(standing(&portal), (old, Some(new)));
    let subject = "Olivia Berg offers you the ownership of Fjord Supply";
    assert_eq!(mails_about(&portal, subject), [MAX]);
    assert_eq!(portal.link_for(MAX), "/settings#ownership");
    max.get("/")
        .sees("Ownership Offered to you")
        .sees("Olivia Berg offers you the ownership of Fjord Supply.");
    assert!(max.html().contains("href=\"/settings#ownership\""));
    owner.get("/").sees_not("Offered to you");

    portal.travel(DAY);
    let mut owner = portal.signed_in(OWNER);
    let mut max = portal.signed_in(MAX);
    max.get("/settings")
        .sees("Olivia Berg offers you the ownership of Fjord Supply, since yesterday, 14:30.")
        .sees("If you accept, you own it")
        .sees("If you decline, Olivia Berg stays the owner");
    portal.travel(STALE);
    let cookie = max.cookie("session");
    accept(&mut max).answers(303).goes_to("/settings");
    assert_ne!(max.cookie("session"), cookie);
    max.follow()
        .sees("You own Fjord Supply now.")
        .sees("You own Fjord Supply, since 25 Nov 2026.")
        .sees("Olivia Berg (olivia@fjord.example)");
    assert_eq!(standing(&portal), (new, None));
    assert!(owner.is_signed_in(), "nothing is lost but the ownership");
    owner
        .get("/settings")
        .sees("MAX Vik owns Fjord Supply, since 25 Nov 2026.");
    owner.get("/iam/accounts").sees("MAX Vik Owner");
    assert_eq!(mails_about(&portal, "You own Fjord Supply now"), [MAX]);
    assert_eq!(
        mails_about(&portal, "MAX Vik owns Fjord Supply now"),
        [OWNER]
    );

    let log = portal.audit(Some(portal.first()));
    let of = |action: &str| log.iter().find(|one| one.action == action).unwrap();
    let (was_offered, moved) = (of("ownership.offered"), of("ownership.moved"));
    assert_eq!(was_offered.actor_text.as_deref(), Some(OWNER));
    assert_eq!(was_offered.target.as_deref(), Some(MAX));
    assert_eq!(moved.actor_text.as_deref(), Some(MAX));
    let texts = "SELECT t.text FROM audit_texts t JOIN audit_events e USING (chain_id, number)
                  WHERE e.action = 'ownership.moved' AND t.slot IN (4, 5) ORDER BY t.slot";
    assert_eq!(portal.ask::<String>(texts), [OWNER, MAX]);

    // Now the one can be demoted, and the other cannot.
    let app = portal.app();
    let demote = |by: &Visitor, id| {
        app.write(app.now(), |tx| {
            lifecycle::change_role(tx, &by.allowed(), id, Role::Member)
        })
    };
    let refused = demote(&owner, new);
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    demote(&max, old).unwrap();
    assert!(!owner.is_signed_in());
}

#[test]
fn a_newer_offer_takes_the_place_of_the_older_and_the_same_is_none() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, MAX);
    let mut meg = portal.member(Role::Master, MEG);
    offered(&mut owner, &max);
    offered(&mut owner, &meg);
    meg.get("/settings").sees("offers you the ownership");
    max.get("/settings")
        .sees("It is offered to MEG Vik, since today, 14:20.")
        .sees_not("Accept ownership");
    // Pressed twice, it is one offer, one mail and one record.
    offered(&mut owner, &meg);
    owner
        .follow()
        .sees("The ownership is offered to them already.");
    let subject = "Olivia Berg offers you the ownership of Fjord Supply";
    assert_eq!(mails_about(&portal, subject), [MEG]);
    assert_eq!(recorded(&portal, "ownership.offered"), 2);
    accept(&mut max)
        .answers(403)
        .sees("The ownership is not offered to you any more. Ask the owner, if you still want it.");
    max.post("/settings/ownership/decline", &[]).answers(403);
    max.post("/settings/ownership/withdraw", &[])
        .answers(403)
        .sees("Only the owner");
    assert_eq!(standing(&portal).1, Some(meg.account().id));
    accept(&mut meg).answers(303);
    assert_eq!(standing(&portal), (meg.account().id, None));
}

#[test]
fn the_owner_takes_it_back_before_it_is_accepted() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, MAX);
    owner
        .post("/settings/ownership/withdraw", &[])
        .answers(403)
        .sees("there is nothing to take back");
    offered(&mut owner, &max);
    owner
        .post("/settings/ownership/withdraw", &[])
        .answers(303)
        .goes_to("/settings")
        .follow()
        .sees("The offer is withdrawn.")
        .sees("Offer ownership");
    // The mail was still owed; what it says no longer holds.
    let subject = "Olivia Berg offers you the ownership of Fjord Supply";
    assert_eq!(mails_about(&portal, subject), Vec::<String>::new());
    let states = "SELECT state FROM errands WHERE kind = 'ownership_offered'";
    assert_eq!(portal.ask::<String>(states), ["not_needed"]);
    accept(&mut max)
        .answers(403)
        .sees("not offered to you any more");
    max.get("/").sees_not("Offered to you");
    assert_eq!(standing(&portal), (owner.account().id, None));
    let log = portal.audit(Some(portal.first()));
    let event = log.iter().find(|one| one.action == "ownership.withdrawn");
    assert_eq!(event.unwrap().target.as_deref(), Some(MAX));
}

#[test]
fn whoever_does_not_want_it_declines() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, MAX);
    offered(&mut owner, &max);
    portal.travel(STALE);
    // Without their password they can say no, and only that.
    for (password, said) in [
        ("", "Enter your password"),
        ("Wrong-Horse-7!", "This is not your password."),
    ] {
        let fields = [("current_password", password)];
        max.post("/settings/ownership/accept", &fields)
            .answers(422)
            .sees(said)
            .sees("Accept ownership");
        assert!(max.html().contains("id=\"current_password-error\""));
        assert!(max.html().contains("<title>Error: Settings"));
    }
    assert_eq!(standing(&portal).0, owner.account().id);
    max.post("/settings/ownership/decline", &[])
        .answers(303)
        .goes_to("/settings")
        .follow()
        .sees("You declined the ownership.")
        .sees("Olivia Berg owns Fjord Supply");
    accept(&mut max).answers(403);
    owner.get("/settings").sees("Offer ownership");
    assert_eq!(standing(&portal), (owner.account().id, None));
    assert_eq!(recorded(&portal, "ownership.declined"), 1);
    assert_eq!(recorded(&portal, "ownership.moved"), 0);
}

#[test]
fn of_accepting_and_taking_back_one_wins_whole() {
    const ROUNDS: usize = 25;
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut heir = portal.member(Role::Master, MAX);
    for round in 0..ROUNDS {
        offered(&mut owner, &heir);
        owner.get("/settings").sees("Withdraw offer");
        heir.get("/settings").sees("Accept ownership");
        let barrier = Barrier::new(2);
        let (withdrawn, accepted) = std::thread::scope(|threads| {
            let withdraws = threads.spawn(|| {
                barrier.wait();
                owner.post("/settings/ownership/withdraw", &[]).status()
            });
            let accepts = threads.spawn(|| {
                barrier.wait();
                accept(&mut heir).status()
            });
            (withdraws.join().unwrap(), accepts.join().unwrap())
        });
        match (withdrawn, accepted) {
            (303, 403) => assert_eq!(standing(&portal), (owner.account().id, None)),
            (403, 303) => {
                assert_eq!(standing(&portal), (heir.account().id, None));
                std::mem::swap(&mut owner, &mut heir);
            }
            other => panic!("round {round} was answered with {other:?}"),
        }
    }
    assert_eq!(recorded(&portal, "ownership.offered"), ROUNDS);
    let ended = ["ownership.moved", "ownership.withdrawn"].map(|one| recorded(&portal, one));
    assert_eq!(ended[0] + ended[1], ROUNDS);
    // Two mails for each that moved, and none besides.
    let moved = "SELECT count(*) FROM errands WHERE kind = 'ownership_moved'";
    assert_eq!(
        portal.ask::<i64>(moved),
        [i64::try_from(2 * ended[0]).unwrap()]
    );
}

#[test]
fn of_two_that_accept_with_one_account_one_wins() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let max = portal.member(Role::Master, MAX);
    let mut windows = [max.clone(), portal.signed_in(MAX)];
    offered(&mut owner, &max);
    for window in &mut windows {
        window.get("/settings");
    }
    let barrier = Barrier::new(windows.len());
    let mut statuses = std::thread::scope(|threads| {
        let running = windows.each_mut().map(|window| {
            threads.spawn(|| {
                barrier.wait();
                accept(window).status()
            })
        });
        running.map(|one| one.join().unwrap())
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 403]);
    assert_eq!(recorded(&portal, "ownership.moved"), 1);
}

#[test]
fn whoever_loses_something_is_offered_it_no_more() {
    for deed in ["demoted", "disabled", "deleted", "password reset"] {
        let portal = Portal::start();
        let mut owner = portal.owner();
        let mut max = portal.member(Role::Master, MAX);
        let id = max.account().id;
        offered(&mut owner, &max);
        max.get("/settings").sees("Accept ownership");
        // The pages that ask say so.
        for act in ["disable", "delete", "reset-password"] {
            owner
                .get(format!("/iam/accounts/{id}/{act}"))
                .answers(200)
                .sees("The offer to own the organisation ends.");
        }
        let app = portal.app();
        match deed {
            "demoted" => app
                .write(app.now(), |tx| {
                    lifecycle::change_role(tx, &owner.allowed(), id, Role::Admin)
                })
                .map(|_| ()),
            "disabled" => app
                .write(app.now(), |tx| lifecycle::disable(tx, &owner.allowed(), id))
                .map(|_| ()),
            "deleted" => app
                .write(app.now(), |tx| lifecycle::delete(tx, &owner.allowed(), id))
                .map(|_| ()),
            _ => app
                .write(app.now(), |tx| {
                    lifecycle::reset_password(tx, &owner.allowed(), id, Handover::Copy)
                })
                .map(|_| ()),
        }
        .unwrap();
        assert_eq!(standing(&portal), (owner.account().id, None), "{deed}");
        // Their session is over as well: nobody accepts for them.
        accept(&mut max).answers(303).goes_to("/sign-in");
        assert_eq!(standing(&portal), (owner.account().id, None), "{deed}");
        owner
            .get("/settings")
            .answers(200)
            .sees_not("You offered it");
        let subject = "Olivia Berg offers you the ownership of Fjord Supply";
        assert_eq!(
            mails_about(&portal, subject),
            Vec::<String>::new(),
            "{deed}"
        );
    }
}

#[test]
fn a_demotion_that_comes_between_proof_and_deed_wins() {
    const ROUNDS: usize = 20;
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, MAX);
    let id = max.account().id;
    let app = portal.app();
    let give = |by: &Visitor, id, role| {
        app.write(app.now(), |tx| {
            lifecycle::change_role(tx, &by.allowed(), id, role)
        })
    };
    for round in 0..ROUNDS {
        offered(&mut owner, &max);
        max.get("/settings").sees("Accept ownership");
        let barrier = Barrier::new(2);
        let (demoted, accepted) = std::thread::scope(|threads| {
            let demotes = threads.spawn(|| {
                barrier.wait();
                give(&owner, id, Role::Admin).is_ok()
            });
            let accepts = threads.spawn(|| {
                barrier.wait();
                accept(&mut max);
                (max.status(), max.location())
            });
            (demotes.join().unwrap(), accepts.join().unwrap())
        });
        let (status, to) = accepted;
        match (demoted, status, to.as_deref()) {
            // Demoted first: the session ended before the deed, or the offer before it was looked at.
            (true, 303, Some("/sign-in")) | (true, 403, None) => {
                assert_eq!(standing(&portal), (owner.account().id, None));
                give(&owner, id, Role::Master).unwrap();
                max.get("/sign-in");
                max.sign_in();
            }
            // Accepted first: an owner is not demoted.
            (false, 303, Some("/settings")) => {
                assert_eq!(standing(&portal), (id, None));
                assert_eq!(max.account().role, Role::Master);
                offered(&mut max, &owner);
                accept(&mut owner).answers(303);
            }
            other => panic!("round {round} was answered with {other:?}"),
        }
    }
}

#[test]
fn only_an_active_master_of_the_same_organisation_can_be_chosen() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .get("/settings")
        .sees("There is no other Active Master to hand it to.")
        .sees_not("Offer ownership");
    assert!(owner.html().contains("href=\"/iam/accounts\""));
    let max = portal.member(Role::Master, MAX);
    let other = portal.organisation("Lakeside");
    let stranger = portal.member_of(&other, Role::Master, "lou@lakeside.example");
    let admin = portal.member(Role::Admin, "ada@fjord.example");
    let pending = portal.invite(&owner, Role::Master, "pia@fjord.example");
    let disabled = portal
        .member(Role::Master, "dag@fjord.example")
        .account()
        .id;
    let app = portal.app();
    app.write(app.now(), |tx| {
        lifecycle::disable(tx, &owner.allowed(), disabled)
    })
    .unwrap();
    owner
        .get("/settings")
        .sees(MAX)
        .sees_not("lakeside")
        .sees_not("ada@")
        .sees_not("pia@")
        .sees_not("dag@");
    portal.travel(STALE);
    offer(&mut owner, "acc_bbbbbbbbbbbbb", PASSWORD)
        .answers(422)
        .sees(NO_HEIR);
    let unknown = owner.text();
    for id in [
        other.account().id,
        stranger.account().id,
        admin.account().id,
        pending,
        disabled,
    ] {
        offer(&mut owner, &id.to_string(), PASSWORD).answers(422);
        assert_eq!(owner.text(), unknown, "{id} is answered otherwise");
        assert!(owner.html().contains("id=\"to-error\""));
    }
    let own = owner.account().id.to_string();
    offer(&mut owner, &own, PASSWORD)
        .answers(422)
        .sees("This account owns the organisation already.");
    offer(&mut owner, "", PASSWORD)
        .answers(422)
        .sees("Choose a Master.");
    // All that is wrong at once, and what was chosen is kept; never the password.
    portal.travel(STALE);
    let chosen = max.account().id.to_string();
    offer(&mut owner, "", "").answers(422);
    assert_eq!(owner.html().matches("aria-invalid").count(), 2);
    offer(&mut owner, &chosen, "Wrong-Horse-7!").answers(422);
    assert!(
        owner
            .html()
            .contains(&format!("<option value=\"{chosen}\" selected>"))
    );
    assert!(!owner.html().contains("Wrong-Horse-7!"));
    for garbage in ["max", "1", "acc_", "org_bbbbbbbbbbbbb"] {
        offer(&mut owner, garbage, PASSWORD).answers(400);
    }
    for fields in [
        &[
            ("to", chosen.as_str()),
            ("to", chosen.as_str()),
            ("current_password", PASSWORD),
        ][..],
        &[
            ("to", chosen.as_str()),
            ("current_password", PASSWORD),
            ("from", "x"),
        ],
    ] {
        owner
            .draft(Method::Post, "/settings/ownership/offer")
            .proven()
            .fields(fields)
            .send()
            .answers(400);
    }
    assert_eq!(standing(&portal).1, None);
    assert_eq!(recorded(&portal, "ownership.offered"), 0);
}

#[test]
fn whoever_does_not_own_it_cannot_give_it() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, MAX);
    let meg = portal.member(Role::Master, MEG);
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    let mut other = portal.organisation("Lakeside");
    let to = meg.account().id.to_string();
    // Whether the password is right is not told to whoever could do nothing with it.
    for password in [PASSWORD, "Wrong-Horse-7!"] {
        offer(&mut max, &to, password)
            .answers(403)
            .sees("Only the owner offers the ownership. Ask them to do it, under Settings.");
    }
    assert_eq!(recorded(&portal, "sign_in.failed"), 0);
    offer(&mut admin, &to, PASSWORD)
        .answers(403)
        .sees("“Manage the organisation");
    offer(&mut other, &to, PASSWORD).answers(422).sees(NO_HEIR);
    accept(&mut max).answers(403);
    offered(&mut owner, &meg);
    for visitor in [&mut max, &mut other] {
        accept(visitor).answers(403).sees("not offered to you");
        visitor
            .post("/settings/ownership/decline", &[])
            .answers(403);
        visitor
            .post("/settings/ownership/withdraw", &[])
            .answers(403);
    }
    // Not the owner either: it is for the other to take.
    accept(&mut owner).answers(403);
    assert_eq!(
        standing(&portal),
        (owner.account().id, Some(meg.account().id))
    );
    assert!(recorded(&portal, "denied") >= 5);
}

#[test]
fn the_password_is_asked_with_the_counters_of_the_sign_in() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let max = portal.member(Role::Master, MAX);
    let to = max.account().id.to_string();
    portal.travel(STALE);
    let tries = 20;
    for _ in 0..tries {
        offer(&mut owner, &to, "Wrong-Horse-7!")
            .answers(422)
            .sees("This is not your password.");
    }
    // The five of the minute, and a sum to follow.
    assert_eq!(recorded(&portal, "sign_in.failed"), 5);
    offer(&mut owner, &to, PASSWORD)
        .answers(429)
        .sees("Too many tries. Try again in");
    let wait: i64 = owner.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=15 * MINUTE).contains(&wait), "{wait}");
    assert!(owner.html().contains("href=\"/settings\""));
    // The same door as the sign-in's, seen from this browser; others do not wait.
    owner.clone().try_password(OWNER, PASSWORD).answers(429);
    portal.visitor().try_password(OWNER, PASSWORD).answers(303);
    assert_eq!(standing(&portal).1, None);
    portal.travel(wait);
    offered(&mut owner, &max);
}

#[test]
fn no_form_from_elsewhere_moves_anything() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, MAX);
    let to = max.account().id.to_string();
    let password = ("current_password", PASSWORD);
    let forge = |visitor: &mut Visitor, act: &str, fields: &[(&str, &str)]| {
        let path = format!("/settings/ownership/{act}");
        let draft = visitor.draft(Method::Post, &path).fields(fields);
        draft.send().answers(403).sees("The form has expired");
        let draft = visitor.draft(Method::Post, &path).proven().fields(fields);
        draft
            .header("origin", "https://evil.example")
            .send()
            .answers(403);
        visitor.get(&path).answers(405);
    };
    forge(&mut owner, "offer", &[("to", &to), password]);
    assert_eq!(standing(&portal).1, None);
    offered(&mut owner, &max);
    forge(&mut owner, "withdraw", &[]);
    forge(&mut max, "decline", &[]);
    forge(&mut max, "accept", &[password]);
    assert_eq!(
        standing(&portal),
        (owner.account().id, Some(max.account().id))
    );
}

#[test]
fn where_mail_is_off_the_page_says_how_they_learn_of_it() {
    let portal = Portal::build().mail_off().start();
    let mut owner = portal.owner();
    let max = portal.member(Role::Master, MAX);
    offered(&mut owner, &max);
    owner
        .follow()
        .sees("The ownership is offered to MAX Vik. Their dashboard tells them; mail is off.");
}

#[test]
fn what_the_mails_say_is_what_happened() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member(Role::Master, MAX);
    offered(&mut owner, &max);
    portal.work();
    accept(&mut max).answers(303);
    // Whoever cannot sign in any more is told nothing.
    let app = portal.app();
    app.write(app.now(), |tx| {
        lifecycle::disable(tx, &max.allowed(), owner.account().id)
    })
    .unwrap();
    portal.work();
    let mails = portal.mails();
    let letter = |subject: &str| {
        let found = mails.iter().find(|mail| mail.subject == subject);
        found.map(|mail| mail.text.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let offered = letter("Olivia Berg offers you the ownership of Fjord Supply").unwrap();
    for said in [
        "Olivia Berg owns Fjord Supply, and offers the ownership to you.",
        "Nothing changes until you accept; you are asked for your password.",
        "Accept or decline: https://portal.example.com/settings#ownership",
    ] {
        assert!(offered.contains(said), "{said}: {offered}");
    }
    let gained = letter("You own Fjord Supply now").unwrap();
    for said in ["You accepted the ownership of Fjord Supply.", "hand it on"] {
        assert!(gained.contains(said), "{said}: {gained}");
    }
    assert_eq!(letter("MAX Vik owns Fjord Supply now"), None);
}
