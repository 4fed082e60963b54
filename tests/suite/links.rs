//! Activation links: what each state shows, what uses one, and what never does.

use std::sync::Barrier;

use doorward::accounts::Status;
use doorward::domain::id::AccountId;
use doorward::domain::role::Role;
use doorward::invitations;
use doorward::kit::hasher::Cost;
use doorward::kit::http::request::Method;
use doorward::kit::time::{self, DAY, HOUR};
use doorward::lifecycle;
use doorward::routes::Route;

use crate::portal::{ORGANISATION, Portal};
use crate::visitor::Visitor;

/// Whom most of these links are for.
pub(crate) const LEA: &str = "lea.fontaine@fjord.example";
/// A password that the rule takes.
pub(crate) const GOOD: &str = "Quiet-Harbour-9";

/// A Pending account, and the path of its link.
#[track_caller]
pub(crate) fn invited(portal: &Portal) -> (AccountId, String) {
    let owner = portal.owner();
    let id = portal.invite(&owner, Role::Member, LEA);
    (id, path(portal, &owner, id))
}

/// The path of a Pending account's link.
#[track_caller]
pub(crate) fn path(portal: &Portal, by: &Visitor, id: AccountId) -> String {
    Route::Activate(portal.link_of(by, id).token.reveal()).to_string()
}

/// The form of a link, filled in.
pub(crate) fn filled<'f>(name: &'f str, password: &'f str) -> [(&'f str, &'f str); 4] {
    [
        ("name", name),
        ("phone", ""),
        ("password", password),
        ("password_confirmation", password),
    ]
}

/// Where the account of this address stands.
#[track_caller]
pub(crate) fn status(portal: &Portal, email: &str) -> Status {
    let app = portal.app();
    app.read(app.now(), |read| {
        Ok(doorward::accounts::by_email(read, &email.parse().unwrap())?)
    })
    .unwrap()
    .unwrap()
    .status
}

#[test]
fn a_mailed_link_makes_an_account_active_and_signs_nobody_in() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let link = portal.link_for(LEA);
    let mut lea = portal.visitor();
    lea.get(&link)
        .answers(200)
        .sees("Olivia Berg invited you to Fjord Supply as Member.")
        .sees("The link works until tomorrow, 14:20.");
    assert!(lea.html().contains("value=\"lea.fontaine@fjord.example\""));
    let fields = [
        ("email", LEA),
        ("name", " Léa  Fontaine "),
        ("phone", "+47 922 41 108"),
        ("password", GOOD),
        ("password_confirmation", GOOD),
    ];
    lea.post(&link, &fields)
        .answers(303)
        .goes_to("/sign-in?email=lea.fontaine%40fjord.example");
    assert_eq!(lea.cookie("session"), None);
    lea.follow()
        .answers(200)
        .sees("Your account is active. Sign in with your new password.");
    assert!(lea.html().contains("value=\"lea.fontaine@fjord.example\""));
    lea.email = LEA.to_owned();
    lea.password = GOOD.to_owned();
    lea.sign_in();
    let account = lea.account();
    assert_eq!(account.name.unwrap().as_str(), "Léa Fontaine");
    assert_eq!(account.phone.unwrap().as_str(), "+4792241108");
    assert_eq!(account.role, Role::Member);
    let log = portal.audit(Some(portal.first()));
    let activated = log.iter().find(|one| one.action == "account.activated");
    assert_eq!(activated.unwrap().actor_text.as_deref(), Some(LEA));
}

#[test]
fn looking_never_uses_a_link() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let before = portal.ask::<i64>("SELECT max(number) FROM audit_events");
    let mut scanner = portal.visitor();
    for _ in 0..50 {
        scanner.get(&link).answers(200);
        scanner.head(&link).answers(200);
    }
    assert_eq!(
        portal.ask::<i64>("SELECT max(number) FROM audit_events"),
        before
    );
    assert_eq!(
        portal.ask::<String>("SELECT state FROM invitations"),
        ["open"]
    );
    portal
        .visitor()
        .post(&link, &filled("Léa", GOOD))
        .answers(303);
}

#[test]
fn a_link_works_once() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut lea = portal.visitor();
    lea.post(&link, &filled("Léa", GOOD)).answers(303);
    let hash = portal.ask::<String>("SELECT hash FROM passwords");
    lea.post(&link, &filled("Eve", "Another-Pass-8"))
        .answers(410)
        .sees("This account is already active.")
        .sees("Sign in")
        .sees_not(ORGANISATION);
    lea.get(&link)
        .answers(410)
        .sees("This account is already active.");
    assert_eq!(portal.ask::<String>("SELECT hash FROM passwords"), hash);
}

#[test]
fn of_many_that_arrive_together_one_wins() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut visitors: Vec<Visitor> = (0..6).map(|_| portal.visitor()).collect();
    for visitor in &mut visitors {
        visitor.get(&link).answers(200);
    }
    let barrier = Barrier::new(visitors.len());
    let statuses: Vec<u16> = std::thread::scope(|threads| {
        let running: Vec<_> = visitors
            .iter_mut()
            .zip(0..)
            .map(|(visitor, number)| {
                let (link, barrier) = (&link, &barrier);
                threads.spawn(move || {
                    let password = format!("Harbour-Number-{number}");
                    barrier.wait();
                    visitor.post(link, &filled("Léa", &password)).status()
                })
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let won = statuses.iter().filter(|status| **status == 303).count();
    let lost = statuses.iter().filter(|status| **status == 410).count();
    assert_eq!((won, lost), (1, 5), "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 303).unwrap();
    portal
        .visitor()
        .try_password(LEA, &format!("Harbour-Number-{winner}"))
        .answers(303);
    let activated = "SELECT count(*) FROM audit_events WHERE action = 'account.activated'";
    // The owner was founded, not activated.
    assert_eq!(portal.ask::<i64>(activated), [1]);
}

#[test]
fn a_link_dies_with_its_last_second_whoever_marks_it() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut lea = portal.visitor();
    portal.work();
    portal.travel(DAY - 1);
    lea.get(&link)
        .answers(200)
        .sees("The link works until today, 14:20.");
    portal.travel(1);
    lea.post(&link, &filled("Léa", GOOD))
        .answers(410)
        .sees("The link expired today, 14:20.")
        .sees_not(ORGANISATION);
    portal.work();
    portal.travel(DAY);
    lea.get(&link)
        .answers(410)
        .sees("The link expired yesterday, 14:20.");
    assert_eq!(status(&portal, LEA), Status::Pending);
}

#[test]
fn an_older_link_says_that_a_newer_one_was_sent() {
    let portal = Portal::start();
    let (id, older) = invited(&portal);
    portal.travel(HOUR);
    let owner = portal.owner();
    let app = portal.app();
    app.write(app.now(), |tx| {
        invitations::resend(tx, &owner.allowed(), id, app.settings.terms)
    })
    .unwrap();
    let newer = path(&portal, &owner, id);
    assert_ne!(older, newer);
    let mut lea = portal.visitor();
    for _ in 0..2 {
        lea.get(&older)
            .answers(410)
            .sees("A newer link was sent. Use that one.")
            .sees_not(ORGANISATION);
        lea.post(&older, &filled("Léa", GOOD)).answers(410);
    }
    // The day begins anew with the newer link.
    portal.travel(DAY - 1);
    lea.post_from(&newer, &newer, &filled("Léa", GOOD))
        .answers(303);
}

#[test]
fn what_was_never_a_link_is_not_there() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut stranger = portal.visitor();
    let mangled = format!("{}A", shortened(&link, 1));
    let purpose = link.replace("/activate/", "/reset-password/");
    for path in [
        mangled.as_str(),
        &format!("{link}x"),
        &shortened(&link, 2),
        "/activate/x",
        "/activate/%00",
        &purpose,
    ] {
        if path == link {
            continue;
        }
        let status = stranger.get(path).status();
        assert!(matches!(status, 400 | 404), "{path}: {status}");
        stranger.sees_not(ORGANISATION);
    }
    stranger
        .get(&mangled)
        .answers(404)
        .sees("This link does not work");
}

#[test]
fn an_account_that_is_gone_by_then_cannot_be_activated() {
    let portal = Portal::start();
    let (id, link) = invited(&portal);
    let mut lea = portal.visitor();
    lea.get(&link).answers(200);
    let owner = portal.owner();
    let app = portal.app();
    app.write(app.now(), |tx| lifecycle::delete(tx, &owner.allowed(), id))
        .unwrap();
    lea.post(&link, &filled("Léa", GOOD)).answers(404);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM passwords"), [1]);
}

#[test]
fn an_organisation_that_is_disabled_by_then_takes_nobody_in() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut lea = portal.visitor();
    lea.get(&link).answers(200);
    portal.tamper("UPDATE organisations SET disabled_at = 1795526400");
    lea.post(&link, &filled("Léa", GOOD)).answers(404);
    lea.get(&link).answers(404).sees_not(ORGANISATION);
    // The mail with the link waits, for as long as nobody could use it.
    portal.work();
    assert!(portal.mails().is_empty());
    portal.leave_mail();
}

#[test]
fn a_guesser_is_stopped_and_costs_no_hash() {
    // A hash at this cost takes minutes: whatever answers at once did not make one.
    let dear = Cost {
        memory_kib: 64,
        passes: 4_000_000,
        lanes: 1,
    };
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    portal.restart(|_, cost| *cost = dear);
    let mut guesser = portal.visitor();
    guesser.get("/forgot-password").answers(200);
    let began = time::instant();
    for guess in 0..60 {
        let token = format!("{guess:0>42}A");
        guesser
            .post(format!("/activate/{token}"), &filled("Eve", GOOD))
            .answers(404);
        assert!(began.elapsed().as_secs() < 30, "something was hashed");
    }
    let token = "B".repeat(42) + "A";
    guesser
        .post(format!("/activate/{token}"), &filled("Eve", GOOD))
        .answers(429)
        .sees("Too many tries. Try again in 1 min.");
    assert!(guesser.header("Retry-After").is_some());
    guesser.get(format!("/reset-password/{token}")).answers(429);
    guesser.get(&link).answers(429);
    // The others go on, however often they look.
    let mut lea = portal.visitor();
    for _ in 0..100 {
        lea.get(&link).answers(200);
    }
    portal.travel(60);
    guesser.get(&link).answers(200);
}

#[test]
fn the_page_of_a_link_tells_nobody_else() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut lea = portal.visitor();
    lea.get(&link);
    assert_eq!(
        lea.header("Referrer-Policy").as_deref(),
        Some("same-origin")
    );
    assert_eq!(lea.header("Cache-Control").as_deref(), Some("no-store"));
    for attribute in ["src=\"http", "href=\"http", "src=\"//", "href=\"//"] {
        assert!(!lea.html().contains(attribute), "{attribute}");
    }
}

#[test]
fn a_form_from_elsewhere_or_with_anothers_proof_does_nothing() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut eve = portal.visitor();
    eve.get(&link);
    let stolen = eve.proof(&link);
    let mut lea = portal.visitor();
    lea.get(&link);
    lea.draft(Method::Post, &link)
        .field("csrf", &stolen)
        .fields(&filled("Léa Fontaine", GOOD))
        .send()
        .answers(403)
        .sees("The form has expired")
        .sees("Léa Fontaine")
        .sees_not(GOOD);
    lea.draft(Method::Post, &link)
        .proven()
        .header("origin", "https://evil.example")
        .fields(&filled("Léa", GOOD))
        .send()
        .answers(403);
    assert_eq!(status(&portal, LEA), Status::Pending);
}

#[test]
fn what_our_page_cannot_send_is_refused() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut eve = portal.visitor();
    eve.get(&link);
    for extra in [
        ("role", "master"),
        ("name", "Twice"),
        ("email", "eve@evil.example"),
        ("organisation", "1"),
    ] {
        let mut fields = filled("Léa", GOOD).to_vec();
        fields.push(extra);
        eve.post(&link, &fields).answers(400);
    }
    assert_eq!(status(&portal, LEA), Status::Pending);
}

/// A link without its last letters.
fn shortened(link: &str, letters: usize) -> String {
    link.chars().take(link.len() - letters).collect()
}
