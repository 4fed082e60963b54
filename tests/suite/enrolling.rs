//! Whoever is signed in and must set up a second factor first: how they come into that state and out of it, how long
//! their session lives, where they go afterwards, and what they are told on the way.

use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::kit::http::fields::encode;
use doorward::kit::time::{DAY, HOUR, MINUTE};
use doorward::settings;

use crate::forms::{ELSEWHERE, HERE};
use crate::half::{assert_says_nothing, way_on};
use crate::portal::Portal;
use crate::visitor::Visitor;

const SET_UP: &str = "/account/two-factor";
const EMAIL: &str = "lea@fjord.example";

/// Lea, whose grace is over; signed in.
fn lea(portal: &Portal, role: Role) -> Visitor {
    let lea = portal.member(role, EMAIL);
    portal.end_grace(EMAIL);
    assert!(lea.must_enrol());
    lea
}

/// The owner asks the same of every role.
fn ask(portal: &Portal, owner: &Visitor, level: Level, grace_days: u8) {
    let app = portal.app();
    let wanted = Policies::each(|_| Policy { level, grace_days });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &owner.allowed(), &wanted, Trust::Off)
    })
    .unwrap();
}

fn session_ids(portal: &Portal) -> Vec<i64> {
    portal.ask(&format!(
        "SELECT s.id FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE a.email = '{EMAIL}' AND a.epoch = s.epoch ORDER BY 1"
    ))
}

#[test]
fn an_open_session_reaches_the_set_up_alone_from_the_second_in_which_the_grace_ends() {
    let portal = Portal::start();
    let mut lea = portal.member(Role::Admin, EMAIL);
    let began = portal.app().now();
    portal.travel(7 * DAY - 1);
    lea.sign_in();
    assert_eq!(portal.app().now().since(began), 7 * DAY - 1);
    lea.get("/iam/accounts").answers(200);
    let (cookie, ids) = (lea.cookie("session"), session_ids(&portal));
    portal.travel(1);
    lea.get("/iam/accounts")
        .answers(303)
        .goes_to("/account/two-factor?next=%2Fiam%2Faccounts");
    lea.get("/").answers(303).goes_to(SET_UP);
    assert_eq!(lea.cookie("session"), cookie);
    assert!(lea.must_enrol());
    lea.enrol();
    // The same session goes on, under another cookie, with all that the role has.
    assert_ne!(lea.cookie("session"), cookie);
    assert_eq!(session_ids(&portal).len(), 1);
    assert!(ids.contains(&session_ids(&portal)[0]));
    lea.get("/iam/accounts").answers(200);
    let mut old = lea.elsewhere();
    old.plant("__Host-session", &cookie.unwrap());
    old.get("/iam/accounts").answers(303);
    assert!(old.location().unwrap().starts_with("/sign-in?"));
}

#[test]
fn a_policy_closes_open_sessions_and_opens_them_again() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.enrol();
    let mut lea = portal.member_of(&owner, Role::Member, EMAIL);
    lea.get("/account").answers(200);
    ask(&portal, &owner, Level::Required, 0);
    lea.get("/account").answers(303);
    assert_eq!(
        lea.location().unwrap(),
        "/account/two-factor?next=%2Faccount"
    );
    owner.get("/account").answers(200);
    for (level, grace_days) in [
        (Level::Required, 1),
        (Level::Recommended, 0),
        (Level::Off, 0),
    ] {
        ask(&portal, &owner, level, grace_days);
        lea.get("/account").answers(200);
        ask(&portal, &owner, Level::Required, 0);
        lea.get("/account").answers(303);
    }
}

#[test]
fn a_session_that_must_set_up_lives_no_longer_than_others() {
    let portal = Portal::start();
    let mut lea = lea(&portal, Role::Member);
    portal.travel(2 * HOUR - 1);
    lea.get(SET_UP).answers(200);
    portal.travel(2 * HOUR);
    lea.get(SET_UP).answers(303);
    assert_eq!(
        lea.location().unwrap(),
        "/sign-in?next=%2Faccount%2Ftwo-factor"
    );
    lea.lose("session");
    lea.sign_in().goes_to("/");
    let since = portal.app().now();
    lea.get(SET_UP).answers(200);
    for _ in 0..23 {
        portal.travel(HOUR);
        lea.get(SET_UP).answers(200);
    }
    lea.begin_two_factor();
    // The proof that began it gave the session a new cookie, and no longer life.
    portal.travel(DAY - 1 - portal.app().now().since(since));
    lea.get(SET_UP).answers(200);
    let code = lea.code();
    portal.travel(1);
    lea.post("/account/two-factor/confirm", &[("code", &code)])
        .answers(303)
        .goes_to("/sign-in");
    assert!(!lea.account().has_two_factor);
}

#[test]
fn after_the_set_up_nobody_is_sent_to_another_host() {
    let portal = Portal::start();
    let mut lea = lea(&portal, Role::Master);
    let own = ["/sign-in/code", "/sign-out", "/account/two-factor/confirm"];
    for next in ELSEWHERE.into_iter().chain(own) {
        lea.get(format!("{SET_UP}?next={}", encode(next)))
            .answers(200);
        assert!(!lea.html().contains("name=\"next\""), "{next}");
        assert!(!lea.html().contains("evil"), "{next}");
        lea.post(SET_UP, &[("next", next)])
            .answers(303)
            .goes_to(SET_UP);
        lea.follow().answers(200);
        lea.post(
            "/account/two-factor/confirm",
            &[("code", "000000"), ("next", next)],
        )
        .answers(422);
        assert!(!lea.html().contains("name=\"next\""), "{next}");
        // Ten wrong codes a quarter of an hour are looked at; a password ten minutes old is asked for again.
        portal.travel(15 * MINUTE);
        lea.sign_in();
    }
    for next in HERE {
        lea.get(format!("{SET_UP}?next={}", encode(next)))
            .answers(200);
        let shown = format!("name=\"next\" value=\"{}\"", next.replace('&', "&amp;"));
        assert!(lea.html().contains(&shown), "{next}");
        lea.post(SET_UP, &[("next", next)])
            .answers(303)
            .goes_to(format!("{SET_UP}?next={}", encode(next)));
        lea.follow().answers(200);
        assert!(lea.html().contains(&shown), "{next}");
    }
    let next = HERE[1];
    lea.learn_key();
    let code = lea.code();
    lea.post(
        "/account/two-factor/confirm",
        &[("code", &code), ("next", next)],
    )
    .answers(200);
    // From the recovery codes on to where they wanted to go: a form that asks for that page, with all of its query.
    for part in [
        "action=\"/iam/accounts\"",
        "name=\"q\" value=\"a b\"",
        "name=\"page\" value=\"2\"",
    ] {
        if !lea.html().contains(part) {
            lea.fail(&format!("the codes do not lead on: {part}"));
        }
    }
    lea.get(next).answers(200);
}

#[test]
fn what_a_form_wanted_before_the_set_up_is_not_done_after_it() {
    let portal = Portal::start();
    let mut lea = lea(&portal, Role::Master);
    lea.get(SET_UP).answers(200);
    let fields = [("email", "late@fjord.example"), ("role", "member")];
    lea.post("/iam/accounts", &fields)
        .answers(303)
        .goes_to(SET_UP);
    lea.enrol();
    assert!(lea.is_signed_in());
    lea.get("/iam/accounts").answers(200);
    let count =
        portal.ask::<i64>("SELECT count(*) FROM accounts WHERE email = 'late@fjord.example'");
    assert_eq!(count, [0]);
}

#[test]
fn what_is_refused_before_the_set_up_names_nobody_and_leads_on() {
    let portal = Portal::start();
    portal.expect_failures();
    let mut lea = lea(&portal, Role::Master);
    // They are signed in, so that the organisation's name is no secret to them; whoever looks over their shoulder learns
    // no more than that.
    let names = [EMAIL, "LEA Vik"];
    lea.get("/nowhere")
        .answers(404)
        .sees("There is nothing here");
    assert_says_nothing(&mut lea, &names, SET_UP);
    lea.get("/account/two-factor/confirm").answers(405);
    for name in names {
        lea.sees_not(name);
    }
    portal.tamper("ALTER TABLE enrolments RENAME TO enrolments_away");
    lea.get(SET_UP).answers(500).sees("Something broke here");
    portal.tamper("ALTER TABLE enrolments_away RENAME TO enrolments");
    for cause in ["enrolments", "SQL", "src/"] {
        lea.sees_not(cause);
    }
    assert_says_nothing(&mut lea, &names, SET_UP);
    for _ in 0..61 {
        lea.get("/activate/x");
    }
    lea.answers(429).sees("Too many tries");
    assert_eq!(way_on(&lea), "/activate/x");
    for name in names {
        lea.sees_not(name);
    }
    lea.begin_two_factor();
    for _ in 0..11 {
        lea.post("/account/two-factor/confirm", &[("code", "000001")]);
    }
    lea.answers(429).sees("Too many tries");
    assert!(lea.header("Retry-After").is_some());
}

#[test]
fn whoever_must_set_up_is_nobody_elses_link() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut lea = lea(&portal, Role::Member);
    let id = portal.invite(&owner, Role::Member, "new@fjord.example");
    let path = format!("/activate/{}", portal.link_of(&owner, id).token.reveal());
    lea.get(SET_UP).answers(200);
    // They are signed in as somebody: the page says so, and the way on is to sign out.
    lea.get(&path).answers(200).sees(EMAIL);
    let forms = lea.last().forms();
    assert!(forms.iter().any(|(action, _)| action == "/sign-out"));
    assert!(forms.iter().all(|(action, _)| *action != path));
    lea.sign_out();
    lea.get(&path).answers(200).sees_not(EMAIL);
    portal.leave_mail();
}
