//! Whoever gave the password and owes the code: where they come to afterwards, what they are told on the way, what two
//! windows of one browser do to each other, and what is left when nobody comes back.

use doorward::domain::policy::{Policies, Trust};
use doorward::domain::role::Role;
use doorward::kit::http::fields::encode;
use doorward::kit::http::request::Method;
use doorward::kit::time::{DAY, MINUTE};
use doorward::sessions;
use doorward::settings;

use crate::forms::{ELSEWHERE, HERE};
use crate::portal::{ORGANISATION, PASSWORD, Portal};
use crate::visitor::Visitor;

const EMAIL: &str = "ann@fjord.example";

/// Ann, who has a second factor; signed in.
fn ann(portal: &Portal) -> Visitor {
    let mut ann = portal.member(Role::Member, EMAIL);
    ann.enrol();
    ann
}

/// Where the one way on of an error page leads.
#[track_caller]
pub(crate) fn way_on(visitor: &Visitor) -> String {
    let page = visitor.html();
    let Some((_, rest)) = page.split_once("<a class=\"btn primary\" href=\"") else {
        visitor.fail("there is no way on")
    };
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// An error page for somebody who is not through: nothing of their organisation on it, and its way on works.
#[track_caller]
pub(crate) fn assert_says_nothing(visitor: &mut Visitor, names: &[&str], way: &str) {
    let page = visitor.html();
    for name in names {
        visitor.sees_not(name);
        assert!(!page.contains(name), "{name}");
    }
    for entry in ["<nav", "/iam/accounts", "/settings", "href=\"/mail"] {
        if page.contains(entry) {
            visitor.fail(&format!("{entry} is on it"));
        }
    }
    assert_eq!(way_on(visitor), way);
    visitor.get(way).answers(200);
}

fn challenges(portal: &Portal) -> i64 {
    portal.ask("SELECT count(*) FROM challenges")[0]
}

fn sessions_of(portal: &Portal, email: &str) -> i64 {
    portal.ask(&format!(
        "SELECT count(*) FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE a.email = '{email}'"
    ))[0]
}

#[test]
fn after_the_code_nobody_is_sent_to_another_host() {
    let portal = Portal::start();
    let ann = ann(&portal);
    // The step itself, and what only a form does, are no pages to come back to.
    let own = [
        "/sign-in/code",
        "/sign-in/code?next=/mail",
        "/sign-out",
        "/account/two-factor/confirm",
    ];
    for next in ELSEWHERE.into_iter().chain(own) {
        portal.travel(MINUTE);
        let mut half = ann.elsewhere();
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        half.post("/sign-in", &fields)
            .answers(303)
            .goes_to("/sign-in/code");
        half.get(format!("/sign-in/code?next={}", encode(next)))
            .answers(200);
        assert!(!half.html().contains("name=\"next\""), "{next}");
        assert!(!half.html().contains("evil"), "{next}");
        let code = half.code();
        half.post("/sign-in/code", &[("code", &code), ("next", next)])
            .answers(303)
            .goes_to("/");
    }
    for next in HERE {
        portal.travel(MINUTE);
        let mut half = ann.elsewhere();
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        let step = format!("/sign-in/code?next={}", encode(next));
        half.post("/sign-in", &fields).answers(303).goes_to(&step);
        // A wrong code does not lose it.
        half.follow().answers(200);
        half.post("/sign-in/code", &[("code", "000000"), ("next", next)])
            .answers(422);
        let shown = format!("name=\"next\" value=\"{}\"", next.replace('&', "&amp;"));
        assert!(half.html().contains(&shown), "{next}");
        let code = half.code();
        half.post("/sign-in/code", &[("code", &code), ("next", next)])
            .answers(303)
            .goes_to(next);
    }
}

#[test]
fn what_a_form_wanted_before_the_code_is_not_done_after_it() {
    let portal = Portal::start();
    let mut person = portal.member(Role::Master, "mara@fjord.example");
    person.enrol();
    let mut half = portal.half(&person);
    // A page that was asked for is come back to, with its query.
    half.get("/iam/accounts?q=a&page=2")
        .answers(303)
        .goes_to("/sign-in/code?next=%2Fiam%2Faccounts%3Fq%3Da%26page%3D2");
    half.follow().answers(200);
    let fields = [("email", "late@fjord.example"), ("role", "member")];
    half.post("/iam/accounts", &fields)
        .answers(303)
        .goes_to("/sign-in/code");
    let code = half.code();
    half.post("/sign-in/code", &[("code", &code)])
        .answers(303)
        .goes_to("/");
    half.follow().answers(200);
    let count =
        portal.ask::<i64>("SELECT count(*) FROM accounts WHERE email = 'late@fjord.example'");
    assert_eq!(count, [0]);
}

#[test]
fn hostile_queries_of_the_step_change_nothing_on_it() {
    let portal = Portal::start();
    let ann = ann(&portal);
    let mut half = portal.half(&ann);
    half.get("/sign-in/code").answers(200);
    let plain = half.html();
    for query in [
        "with=",
        "with=nothing",
        "with=%22%3E%3Cscript%3E",
        "trust=yes",
        "trust=%27",
        "two_factor=off",
        "code=123456",
        "next=//evil.example",
        "next=/sign-in/code",
        "next=",
        "with=app&with=recovery",
    ] {
        half.get(format!("/sign-in/code?{query}")).answers(200);
        assert_eq!(half.html(), plain, "{query}");
    }
    half.get("/sign-in/code?with=recovery").answers(200);
    assert_ne!(half.html(), plain);
    for fields in [
        &[("code", "123456"), ("two_factor", "off")][..],
        &[("code", "123456"), ("code", "123456")],
        &[("code", "123456"), ("trust", "perhaps")],
    ] {
        half.post("/sign-in/code", fields).answers(400);
    }
    // A tick that the policy does not offer trusts nobody.
    portal.travel(MINUTE);
    let code = half.code();
    half.post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    let trusted = portal.ask::<i64>("SELECT count(*) FROM devices WHERE trusted_at IS NOT NULL");
    assert_eq!(trusted, [0]);
}

#[test]
fn what_is_refused_before_the_code_names_nobody_and_leads_on() {
    let portal = Portal::start();
    portal.expect_failures();
    let ann = ann(&portal);
    let names = [ORGANISATION, EMAIL, "ANN Vik"];
    let mut half = portal.half(&ann);
    half.get("/nowhere")
        .answers(404)
        .sees("There is nothing here");
    assert_says_nothing(&mut half, &names, "/sign-in/code");
    half.get("/sign-out").answers(405);
    for name in names {
        half.sees_not(name);
    }
    portal.tamper("ALTER TABLE factors RENAME TO factors_away");
    half.get("/sign-in/code").answers(200);
    half.post("/sign-in/code", &[("code", "123456")])
        .answers(500);
    portal.tamper("ALTER TABLE factors_away RENAME TO factors");
    half.sees("Something broke here");
    for cause in ["factors", "SQL", "src/"] {
        half.sees_not(cause);
    }
    assert_says_nothing(&mut half, &names, "/sign-in/code");
    for _ in 0..61 {
        half.get("/activate/x");
    }
    half.answers(429).sees("Too many tries");
    assert_eq!(way_on(&half), "/activate/x");
    for name in names {
        half.sees_not(name);
    }
    // Over the limit of codes the step itself says so, and when to come back.
    for _ in 0..11 {
        half.post("/sign-in/code", &[("code", "000001")]);
    }
    half.answers(429).sees("Too many tries");
    assert!(half.header("Retry-After").is_some());
    assert!(half.html().contains("action=\"/sign-in/code\""));
    for name in [ORGANISATION, "ANN Vik"] {
        half.sees_not(name);
    }
}

#[test]
fn another_window_of_the_browser_signs_in_meanwhile() {
    let portal = Portal::start();
    let ann = ann(&portal);
    let mut browser = portal.half(&ann);
    browser.get("/sign-in/code").answers(200);
    // The older window still shows the form; the newer one signs in.
    let stale = browser.proof("/sign-in/code");
    portal.travel(MINUTE);
    let code = browser.code();
    browser
        .post("/sign-in/code", &[("code", &code)])
        .answers(303);
    let session = browser.cookie("session");
    let rows = sessions_of(&portal, EMAIL);
    portal.travel(MINUTE);
    let code = browser.code();
    browser
        .draft(Method::Post, "/sign-in/code")
        .field("csrf", &stale)
        .field("code", &code)
        .send()
        .answers(303)
        .goes_to("/");
    browser.follow().answers(200);
    assert_eq!(browser.cookie("session"), session);
    assert_eq!(sessions_of(&portal, EMAIL), rows);
    // The code was not looked at: it is still good.
    let mut other = portal.half(&ann);
    other.post("/sign-in/code", &[("code", &code)]).answers(303);
    assert!(other.is_signed_in());
}

#[test]
fn signing_out_in_one_window_ends_the_step_in_the_other() {
    let portal = Portal::start();
    let ann = ann(&portal);
    let mut one = portal.half(&ann);
    one.get("/sign-in/code").answers(200);
    let mut other = one.clone();
    one.sign_out().goes_to("/sign-in").follow().answers(200);
    assert!(one.cookie("challenge").is_none());
    assert_eq!(challenges(&portal), 0);
    portal.travel(MINUTE);
    let code = other.code();
    other
        .post("/sign-in/code", &[("code", &code)])
        .answers(303)
        .goes_to("/sign-in");
    other.follow().sees("Sign in again");
    assert!(other.holder().is_none());
    other.get("/account").answers(303);
    // Nobody else was signed out by it.
    let mut first = ann;
    first.get("/account").answers(200);
}

#[test]
fn a_session_goes_before_a_challenge_of_somebody_else() {
    let portal = Portal::start();
    let ann = ann(&portal);
    let mut ben = portal.member(Role::Member, "ben@fjord.example");
    let half = portal.half(&ann);
    ben.plant("__Host-challenge", &half.cookie("challenge").unwrap());
    ben.get("/account").answers(200).sees("ben@fjord.example");
    ben.sees_not(EMAIL);
    ben.get("/sign-in/code").answers(303).goes_to("/");
    portal.travel(MINUTE);
    let code = ann.code();
    ben.post("/sign-in/code", &[("code", &code)])
        .answers(303)
        .goes_to("/");
    assert_eq!(ben.scope().unwrap().email.as_str(), "ben@fjord.example");
    assert_eq!(challenges(&portal), 1, "nothing was used up");
    // Signing out ends Ben's session, and the browser keeps neither cookie.
    ben.sign_out();
    assert!(ben.cookie("session").is_none() && ben.cookie("challenge").is_none());
    ben.get("/account")
        .answers(303)
        .goes_to("/sign-in?next=%2Faccount");
}

#[test]
fn signing_in_as_somebody_else_leads_to_their_code() {
    let portal = Portal::start();
    let ann = ann(&portal);
    let mut browser = portal.member(Role::Member, "ben@fjord.example");
    let old = browser.cookie("session").unwrap();
    browser
        .try_password(EMAIL, PASSWORD)
        .answers(303)
        .goes_to("/sign-in/code");
    assert!(browser.cookie("session").is_none());
    browser.get("/account").answers(303);
    assert_eq!(browser.location().unwrap(), "/sign-in/code?next=%2Faccount");
    portal.travel(MINUTE);
    let code = ann.code();
    browser
        .post("/sign-in/code", &[("code", &code)])
        .answers(303);
    assert_ne!(browser.cookie("session").unwrap(), old);
    browser.get("/account").answers(200).sees(EMAIL);
    browser.sees_not("ben@fjord.example");
}

#[test]
fn what_nobody_came_back_to_is_removed() {
    let portal = Portal::start();
    let owner = portal.owner();
    let ann = ann(&portal);
    let mut begun = portal.member_of(&owner, Role::Member, "ben@fjord.example");
    portal.work();
    let from = portal.app().now();
    portal.half(&ann);
    begun.begin_two_factor();
    let app = portal.app();
    app.write(app.now(), |tx| sessions::make_link(tx, &ann.account()))
        .unwrap();
    let kept = |after: i64| -> Vec<i64> {
        portal.travel(after - portal.app().now().since(from));
        portal.work();
        ["challenges", "enrolments", "sign_in_links"]
            .map(|table| portal.ask::<i64>(&format!("SELECT count(*) FROM {table}"))[0])
            .to_vec()
    };
    // A sweep runs each minute, so that each is gone a minute after its time at the latest.
    for (after, expected) in [
        (10 * MINUTE - 1, [1, 1, 1]),
        (11 * MINUTE, [0, 1, 1]),
        (30 * MINUTE - 1, [0, 1, 1]),
        (31 * MINUTE, [0, 0, 1]),
        // A dead link says for 30 days why it is dead.
        (30 * DAY, [0, 0, 1]),
        (30 * DAY + 16 * MINUTE, [0, 0, 0]),
    ] {
        assert_eq!(kept(after), expected, "after {after} seconds");
    }
}

#[test]
fn a_browser_is_trusted_for_thirty_days_to_the_second() {
    let portal = Portal::start();
    let owner = portal.owner();
    let app = portal.app();
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &owner.allowed(), &Policies::default(), Trust::Offered)
    })
    .unwrap();
    let mut ann = ann(&portal);
    ann.sign_out();
    ann.give_password();
    portal.travel(MINUTE);
    let code = ann.code();
    ann.post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    portal.work();
    portal.travel(30 * DAY - 1);
    ann.try_password(EMAIL, PASSWORD).answers(303).goes_to("/");
    assert!(ann.is_signed_in());
    ann.sign_out();
    // The row says so still; it means nothing.
    portal.travel(1);
    let trusted = portal.ask::<i64>("SELECT count(*) FROM devices WHERE trusted_at IS NOT NULL");
    assert_eq!(trusted, [1]);
    ann.give_password();
}
