//! Forgotten passwords: one answer for every address, and links that set another password once.

use std::sync::Barrier;

use doorward::domain::role::Role;
use doorward::error::Error;
use doorward::kit::time::{DAY, HOUR, MINUTE};
use doorward::lifecycle;
use doorward::passwords;
use doorward::scope::By;

use crate::answer::tokens;
use crate::portal::{OWNER, PASSWORD, Portal};
use crate::visitor::Visitor;

const NEW: &str = "Quiet-Harbour-9";
const MIA: &str = "mia@fjord.example";

/// Asks for a reset link, and reads the answer to its end.
#[track_caller]
fn ask(visitor: &mut Visitor, email: &str) -> String {
    visitor
        .post("/forgot-password", &[("email", email)])
        .answers(303)
        .goes_to("/forgot-password?sent=yes");
    visitor.follow().answers(200);
    visitor.html()
}

/// The path of a fresh reset link of this address.
#[track_caller]
fn link(portal: &Portal, email: &str) -> String {
    ask(&mut portal.visitor(), email);
    portal.work();
    let mails = portal.mails();
    let newest = mails.iter().rev().filter(|mail| mail.to == email);
    let token = newest
        .flat_map(|mail| tokens(&mail.text))
        .next()
        .expect("no reset link was mailed");
    format!("/reset-password/{token}")
}

fn typed(password: &str) -> [(&str, &str); 2] {
    [("password", password), ("password_confirmation", password)]
}

fn reset_mails(portal: &Portal) -> Vec<String> {
    portal.work();
    let mails = portal.mails().into_iter();
    mails
        .filter(|mail| mail.text.contains("/reset-password/"))
        .map(|mail| mail.to)
        .collect()
}

#[test]
fn a_reset_sets_the_password_ends_every_session_and_signs_nobody_in() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let other = portal.owner();
    let bystander = portal.member(Role::Member, MIA);
    let link = link(&portal, OWNER);
    let mut visitor = portal.visitor();
    visitor
        .get(&link)
        .answers(200)
        .sees("Set a new password")
        .sees("The link works until today, 15:20.");
    visitor
        .post(&link, &typed(NEW))
        .answers(303)
        .goes_to("/sign-in?email=olivia%40fjord.example");
    assert_eq!(visitor.cookie("session"), None);
    visitor
        .follow()
        .sees("Your password is changed. Sign in with the new one.");
    assert!(!owner.is_signed_in() && !other.is_signed_in());
    assert!(bystander.is_signed_in());
    owner.get("/").answers(303).goes_to("/sign-in");
    portal.visitor().try_password(OWNER, PASSWORD).answers(422);
    portal.visitor().try_password(OWNER, NEW).answers(303);
    portal.work();
    let mails = portal.mails();
    let notice = mails
        .iter()
        .filter(|mail| mail.to == OWNER && mail.subject.contains("password was changed"));
    assert_eq!(notice.count(), 1);
    let log = portal.audit(Some(portal.first()));
    let changed = log.iter().find(|one| one.action == "password.changed");
    assert_eq!(changed.unwrap().actor_text.as_deref(), Some(OWNER));
}

#[test]
fn only_the_newest_link_works_and_once_and_for_an_hour() {
    let portal = Portal::start();
    portal.owner();
    let older = link(&portal, OWNER);
    let newer = link(&portal, OWNER);
    assert_ne!(older, newer);
    let mut visitor = portal.visitor();
    visitor
        .get(&older)
        .answers(410)
        .sees("This link was replaced");
    visitor
        .post(&older, &typed(NEW))
        .answers(410)
        .sees("This link was replaced");
    visitor.post_from(&newer, &newer, &typed(NEW)).answers(303);
    visitor
        .post(&newer, &typed("Another-Pass-8"))
        .answers(410)
        .sees("This link was used");
    portal.visitor().try_password(OWNER, NEW).answers(303);
    portal.travel(HOUR);
    let late = link(&portal, OWNER);
    portal.travel(HOUR - 1);
    visitor.get(&late).answers(200);
    portal.travel(1);
    visitor
        .post(&late, &typed("Another-Pass-8"))
        .answers(410)
        .sees("The link expired")
        .sees("Ask for a new link");
    portal.visitor().try_password(OWNER, NEW).answers(303);
}

#[test]
fn links_that_died_long_ago_are_forgotten() {
    let portal = Portal::start();
    portal.owner();
    let (older, newer) = (link(&portal, OWNER), link(&portal, OWNER));
    let kept = || portal.ask::<i64>("SELECT count(*) FROM resets")[0];
    portal.travel(HOUR + 30 * DAY - 1);
    portal.work();
    portal.visitor().get(&newer).answers(410);
    assert_eq!(kept(), 2);
    portal.travel(MINUTE);
    portal.work();
    portal.visitor().get(&older).answers(404);
    assert_eq!(kept(), 0);
}

#[test]
fn asking_and_looking_change_nothing() {
    let portal = Portal::start();
    let owner = portal.owner();
    let before = portal.ask::<String>("SELECT hash FROM passwords");
    let link = link(&portal, OWNER);
    let mut scanner = portal.visitor();
    for _ in 0..50 {
        scanner.get(&link).answers(200);
        scanner.head(&link).answers(200);
    }
    assert!(owner.is_signed_in());
    assert_eq!(portal.ask::<String>("SELECT hash FROM passwords"), before);
    portal.visitor().try_password(OWNER, PASSWORD).answers(303);
    scanner.post(&link, &typed(NEW)).answers(303);
}

#[test]
fn the_answer_is_one_whatever_address_was_typed() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.member(Role::Member, MIA);
    portal.invite(&owner, Role::Member, "pending@fjord.example");
    portal.organisation("Closed Works");
    portal.tamper(
        "UPDATE organisations SET disabled_at = 1795526400 WHERE name = 'Closed Works';
         UPDATE accounts SET status = 'disabled', disabled_at = 1795526400 WHERE email = 'mia@fjord.example'",
    );
    let mails = reset_mails(&portal).len();
    let rows = || portal.ask::<i64>("SELECT count(*) FROM audit_events")[0];
    let mut answers = Vec::new();
    for email in [
        OWNER,
        MIA,
        "pending@fjord.example",
        "owner@closed-works.example",
        "nobody@fjord.example",
    ] {
        let before = rows();
        answers.push(ask(&mut portal.visitor(), email));
        assert_eq!(
            rows(),
            before + 1,
            "{email}: one record, in one transaction"
        );
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
        assert!(answer.contains("If that address belongs to an active account"));
        assert!(answer.contains("Spam/Junk"));
    }
    assert_eq!(reset_mails(&portal)[mails..], [OWNER.to_owned()]);
    let system = portal.audit(None);
    let unknown = system
        .iter()
        .find(|one| one.action == "password.reset_requested");
    assert_eq!(
        unknown.unwrap().target.as_deref(),
        Some("nobody@fjord.example")
    );
}

#[test]
fn one_mailbox_gets_three_links_an_hour_however_many_ask() {
    let portal = Portal::start();
    portal.owner();
    let first = ask(&mut portal.visitor(), OWNER);
    for _ in 0..40 {
        assert_eq!(ask(&mut portal.visitor(), "OLIVIA@fjord.example "), first);
        assert_eq!(ask(&mut portal.visitor(), "nobody@fjord.example"), first);
    }
    assert_eq!(
        reset_mails(&portal).len(),
        1,
        "older links are dead before they are sent"
    );
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM resets"), [3]);
    // Over the limit nothing is written, for the known as for the unknown.
    let asked = "SELECT count(*) FROM audit_events WHERE action = 'password.reset_requested' GROUP BY chain_id";
    assert_eq!(portal.ask::<i64>(asked), [3, 3]);
    portal.travel(HOUR);
    ask(&mut portal.visitor(), OWNER);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM resets"), [4]);
}

#[test]
fn one_network_address_asks_thirty_times_a_minute() {
    let portal = Portal::start();
    portal.owner();
    let mut visitor = portal.visitor();
    for number in 0..30 {
        ask(&mut visitor, &format!("nobody{number}@fjord.example"));
    }
    for email in [OWNER, "nobody@fjord.example"] {
        visitor
            .post("/forgot-password", &[("email", email)])
            .answers(429)
            .sees("Too many tries. Try again in 1 min.");
    }
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM resets"), [0]);
    portal.travel(MINUTE);
    ask(&mut visitor, OWNER);
}

#[test]
fn what_is_no_address_is_said_to_be_none() {
    let portal = Portal::start();
    let mut visitor = portal.visitor();
    for wrong in [
        "",
        "olivia",
        "olivia@",
        "a@b@c.example",
        "olivia@fjord.example\r\nBcc: x@y.example",
    ] {
        visitor
            .post("/forgot-password", &[("email", wrong)])
            .answers(422)
            .sees("Reset your password");
        assert!(visitor.html().contains("aria-invalid"), "{wrong}");
    }
    assert!(portal.audit(None).is_empty());
    visitor
        .post("/forgot-password", &[("email", OWNER), ("next", "/")])
        .answers(400);
}

#[test]
fn a_link_of_somebody_who_may_not_sign_in_any_more_is_not_there() {
    let portal = Portal::start();
    portal.member(Role::Member, MIA);
    let link = link(&portal, MIA);
    let mut mia = portal.visitor();
    mia.get(&link).answers(200);
    portal.tamper(
        "UPDATE accounts SET status = 'disabled', disabled_at = 1795526400 WHERE email = 'mia@fjord.example'",
    );
    mia.post(&link, &typed(NEW)).answers(404);
    mia.get(&link).answers(404).sees("This link does not work");
    mia.get(link.replace("/reset-password/", "/activate/"))
        .answers(404);
    let used = portal.ask::<i64>("SELECT count(*) FROM resets WHERE state = 'used'");
    assert_eq!(used, [0]);
}

#[test]
fn a_new_password_follows_the_rule_and_is_typed_twice() {
    let portal = Portal::start();
    portal.owner();
    let link = link(&portal, OWNER);
    let mut visitor = portal.visitor();
    visitor.get(&link);
    for (password, said) in [
        ("short", "Missing: 3 more characters"),
        ("Olivia-Berg-1", "cannot hold your name"),
        ("Password1!", "on the list of common ones"),
    ] {
        visitor
            .post(&link, &typed(password))
            .answers(422)
            .sees(said);
    }
    let differ = [("password", NEW), ("password_confirmation", "Other-Pass-9")];
    visitor
        .post(&link, &differ)
        .answers(422)
        .sees("The two passwords differ.");
    let mut forged = typed(NEW).to_vec();
    forged.push(("email", "eve@evil.example"));
    visitor.post(&link, &forged).answers(400);
    let mut sent = typed(NEW).to_vec();
    sent.push(("email", OWNER));
    visitor.post(&link, &sent).answers(303);
}

#[test]
fn of_two_that_arrive_together_one_wins() {
    let portal = Portal::start();
    portal.owner();
    let link = link(&portal, OWNER);
    let mut visitors: Vec<Visitor> = (0..4).map(|_| portal.visitor()).collect();
    for visitor in &mut visitors {
        visitor.get(&link).answers(200);
    }
    let barrier = Barrier::new(visitors.len());
    let mut statuses: Vec<u16> = std::thread::scope(|threads| {
        let running: Vec<_> = visitors
            .iter_mut()
            .map(|visitor| {
                let (link, barrier) = (&link, &barrier);
                threads.spawn(move || {
                    barrier.wait();
                    visitor.post(link, &typed(NEW)).status()
                })
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410, 410, 410]);
    let changed = "SELECT count(*) FROM audit_events WHERE action = 'password.changed'";
    assert_eq!(portal.ask::<i64>(changed), [1]);
}

#[test]
fn where_mail_is_off_the_page_says_so() {
    let portal = Portal::build().mail_off().start();
    portal.owner();
    let mut visitor = portal.visitor();
    visitor
        .get("/forgot-password")
        .sees("Mail is off on this server");
    ask(&mut visitor, OWNER);
    visitor.sees("Mail is off on this server");
    let mut visitor = Portal::start().visitor();
    visitor.get("/forgot-password").sees_not("Mail is off");
}

/// The address was known when the form was read; what became of its account since is read in the transaction.
#[test]
fn whoever_is_switched_off_or_deleted_meanwhile_is_owed_no_link() {
    let portal = Portal::start();
    let owner = portal.owner();
    let app = portal.app();
    for (at, deed) in ["disable", "delete"].into_iter().enumerate() {
        let known = portal
            .member(Role::Member, &format!("mia{at}@fjord.example"))
            .account();
        app.write(app.now(), |tx| match deed {
            "disable" => lifecycle::disable(tx, &owner.allowed(), known.id),
            _ => lifecycle::delete(tx, &owner.allowed(), known.id),
        })
        .unwrap();
        let late = app.write(app.now(), |tx| {
            passwords::request_reset(tx, &By::operator(), &known)
        });
        assert!(matches!(late, Err(Error::NotFound)), "{deed}: {late:?}");
    }
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM resets"), [0]);
    let owed = "SELECT count(*) FROM errands WHERE kind = 'reset'";
    assert_eq!(portal.ask::<i64>(owed), [0]);
    portal.leave_mail();
}
