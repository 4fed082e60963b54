//! Signing in: who gets in, what everybody else is told, and how often anybody may try.

use doorward::domain::role::Role;
use doorward::kit::db::{Db, World};
use doorward::kit::hasher::Cost;
use doorward::kit::http::request::Method;
use doorward::kit::random::OsRandom;
use doorward::kit::time::{self, DAY, HOUR, MINUTE};
use doorward::passwords;

use crate::portal::{OWNER, PASSWORD, Portal};
use crate::visitor::Visitor;

const WRONG: &str = "Email or password is wrong.";
const ANN: &str = "ann@fjord.example";

/// How long the last answer says to wait.
fn retry_after(visitor: &Visitor) -> i64 {
    visitor.header("Retry-After").unwrap().parse().unwrap()
}

/// How many events of this action the chain holds.
fn count(portal: &Portal, action: &str) -> usize {
    let found: Vec<String> =
        portal.ask("SELECT action FROM audit_events ORDER BY chain_id, number");
    found.iter().filter(|one| *one == action).count()
}

#[test]
fn the_right_password_opens_a_session_and_stands_in_the_log() {
    let portal = Portal::start();
    portal.owner();
    let mut owner = portal.visitor();
    owner
        .get("/sign-in")
        .answers(200)
        .sees("Sign in to the Portal");
    owner
        .try_password(" Olivia@FJORD.example ", PASSWORD)
        .answers(303)
        .goes_to("/");
    assert!(owner.is_signed_in());
    let entry = portal.audit(Some(portal.first())).remove(0);
    assert_eq!(entry.action, "sign_in.succeeded");
    assert_eq!(entry.actor_text.as_deref(), Some(OWNER));
    assert_eq!(entry.address, Some(owner.address.to_string()));
    assert_eq!(entry.at, portal.app().now().0);
    assert_eq!(entry.request_id.len(), 16);
    let seen: Vec<i64> = portal.ask("SELECT last_seen_at FROM accounts");
    assert_eq!(seen, [portal.app().now().0]);
}

#[test]
fn whoever_is_signed_in_goes_on_from_the_sign_in_page() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.get("/sign-in").answers(303).goes_to("/");
    owner
        .get("/sign-in?next=/mail")
        .answers(303)
        .goes_to("/mail");
}

#[test]
fn strangers_are_sent_to_sign_in_and_come_back() {
    let portal = Portal::start();
    portal.owner();
    let mut owner = portal.visitor();
    owner.get("/iam/accounts?q=ann&page=2").answers(303);
    owner
        .goes_to("/sign-in?next=%2Fiam%2Faccounts%3Fq%3Dann%26page%3D2")
        .follow()
        .answers(200);
    let next = ("next", "/iam/accounts?q=ann&page=2");
    owner.post(
        "/sign-in",
        &[("email", OWNER), ("password", PASSWORD), next],
    );
    owner.answers(303).goes_to("/iam/accounts?q=ann&page=2");
}

#[test]
fn every_failure_has_the_same_answer() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, "pending@fjord.example");
    portal.member(Role::Member, "disabled@fjord.example");
    let other = portal.organisation("Closed");
    portal.tamper(
        "UPDATE accounts SET status = 'disabled', disabled_at = 1 WHERE email = 'disabled@fjord.example';
         UPDATE organisations SET disabled_at = 1 WHERE name = 'Closed'",
    );
    let mut stranger = portal.visitor();
    let mut answers = Vec::new();
    for (email, password) in [
        (OWNER, "Wrong-Horse-7!"),
        ("nobody@fjord.example", PASSWORD),
        ("pending@fjord.example", PASSWORD),
        ("disabled@fjord.example", PASSWORD),
        (other.email.as_str(), PASSWORD),
    ] {
        stranger
            .try_password(email, password)
            .answers(422)
            .sees(WRONG);
        let answer = stranger.last();
        answers.push((
            email,
            answer.headers.clone(),
            answer.html().replace(email, "EMAIL"),
        ));
    }
    let (_, headers, html) = answers[0].clone();
    for (email, other_headers, other_html) in &answers[1..] {
        assert_eq!(*other_headers, headers, "{email}");
        assert_eq!(*other_html, html, "{email}");
    }
    assert_eq!(count(&portal, "sign_in.failed"), 5);
    assert_eq!(
        portal.audit(None)[0].target.as_deref(),
        Some("nobody@fjord.example")
    );
    assert!(!stranger.is_signed_in());
}

#[test]
fn an_unknown_address_costs_a_hash_and_what_is_too_long_costs_none() {
    let cost = Cost {
        memory_kib: 16_384,
        passes: 2,
        lanes: 1,
    };
    let portal = Portal::build().cost(cost).start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, "pending@fjord.example");
    owner.sign_out();
    let long = "x".repeat(129);
    // The quickest of several tries is what the work takes, whatever else the machine does.
    let quickest = |email: &str, password: &str| {
        let tries = (0..6).map(|_| {
            let mut stranger = portal.visitor();
            stranger.get("/sign-in");
            let start = time::instant();
            stranger.try_password(email, password).answers(422);
            start.elapsed()
        });
        tries.min().unwrap()
    };
    let wrong = quickest(OWNER, "Wrong-Horse-7!");
    for email in ["nobody@fjord.example", "pending@fjord.example"] {
        let took = quickest(email, "Wrong-Horse-7!");
        assert!(
            took * 3 > wrong && took < wrong * 3,
            "{email}: {took:?} and {wrong:?}"
        );
    }
    let refused = quickest(OWNER, &long);
    assert!(refused * 4 < wrong, "{refused:?} and {wrong:?}");
}

#[test]
fn ten_wrong_passwords_delay_strangers_and_not_the_known_browser() {
    let portal = Portal::start();
    portal.owner();
    let mut ann = portal.member(Role::Member, ANN);
    let mut stranger = portal.visitor();
    for _ in 0..10 {
        stranger
            .try_password(ANN, "Wrong-Horse-7!")
            .answers(422)
            .sees(WRONG);
    }
    stranger
        .try_password(ANN, PASSWORD)
        .answers(429)
        .sees("Too many tries. Try again in 1 min.");
    assert_eq!(retry_after(&stranger), 30);
    assert!(ann.is_signed_in(), "a stranger ended a session");
    ann.sign_out().sign_in();
    let mut elsewhere = ann.elsewhere();
    elsewhere.try_password(ANN, PASSWORD).answers(429);
    portal.travel(30);
    elsewhere.sign_in();
    assert_eq!(count(&portal, "sign_in.throttled"), 2);
}

#[test]
fn at_most_a_hundred_passwords_a_day_are_judged_for_strangers() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, ANN);
    let (mut judged, mut waited) = (0, 0);
    while waited < DAY {
        let mut stranger = portal.visitor();
        stranger.try_password(ANN, "Wrong-Horse-7!");
        if stranger.status() == 422 {
            judged += 1;
        } else {
            stranger.answers(429);
            let wait = retry_after(&stranger).min(DAY - waited);
            portal.travel(wait);
            waited += wait;
        }
    }
    assert_eq!(judged, 99, "Ann's own first sign-in was one of the hundred");
    ann.sign_in();
    portal.travel(DAY);
    ann.elsewhere().sign_in();
}

#[test]
fn a_victim_is_never_locked_out() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, ANN);
    let (mut waited, mut longest) = (0, 0);
    while waited < HOUR {
        let mut stranger = portal.visitor();
        stranger.try_password(ANN, "Wrong-Horse-7!");
        if stranger.status() == 429 {
            let wait = retry_after(&stranger);
            longest = longest.max(wait);
            portal.travel(wait);
            waited += wait;
            ann.get("/sign-in").answers(303).goes_to("/");
        }
    }
    assert_eq!(longest, 15 * MINUTE);
    ann.sign_out().sign_in();
    portal.travel(15 * MINUTE);
    ann.elsewhere().sign_in();
}

#[test]
fn one_network_address_has_thirty_tries_a_minute_whatever_it_types() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    let mut statuses = [0_usize; 600];
    for number in 0..500 {
        stranger.try_password(&format!("person{number}@fjord.example"), PASSWORD);
        statuses[usize::from(stranger.status())] += 1;
    }
    assert_eq!((statuses[422], statuses[429]), (30, 470));
    assert_eq!(count(&portal, "sign_in.failed"), 30);
    assert_eq!(
        count(&portal, "sign_in.throttled"),
        5,
        "a list of names must not fill the log"
    );
    // The person whose address was not guessed is let in from elsewhere, and this network after a minute.
    portal.signed_in(OWNER);
    portal.travel(MINUTE);
    stranger.try_password(OWNER, PASSWORD).answers(303);
}

#[test]
fn a_known_browser_does_not_wait_for_strangers_behind_the_same_address() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, ANN);
    let mut stranger = portal.visitor();
    stranger.address = ann.address;
    for number in 0..40 {
        stranger.try_password(&format!("p{number}@fjord.example"), PASSWORD);
    }
    stranger.answers(429);
    ann.sign_out().sign_in().sign_out();
    // It has a limit of its own all the same.
    for _ in 0..20 {
        ann.try_password(ANN, "Wrong-Horse-7!").answers(422);
    }
    ann.try_password(ANN, PASSWORD).answers(429);
}

#[test]
fn like_failures_are_five_rows_a_minute_and_one_sum() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    for _ in 0..30 {
        stranger.try_password("nobody@fjord.example", PASSWORD);
    }
    assert_eq!(count(&portal, "sign_in.failed"), 5);
    assert_eq!(count(&portal, "sign_in.throttled"), 5);
    portal.work();
    assert_eq!(
        count(&portal, "sign_in.failed"),
        5,
        "the minute is not over"
    );
    portal.travel(MINUTE);
    portal.work();
    let sums: Vec<String> = portal.ask(
        "SELECT action || ' ' || (details ->> 'count') FROM audit_events WHERE details ->> 'sum' ORDER BY action",
    );
    assert_eq!(sums, ["sign_in.failed 5", "sign_in.throttled 15"]);
}

#[test]
fn throttles_survive_a_restart() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    for _ in 0..10 {
        stranger.try_password(OWNER, "Wrong-Horse-7!").answers(422);
    }
    portal.work();
    portal.restart(|_, _| ());
    portal.visitor().try_password(OWNER, PASSWORD).answers(429);
}

#[test]
fn unlocking_holds_even_where_the_worker_has_a_slow_mail_in_its_hands() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.work();
    let mut stranger = portal.visitor();
    for _ in 0..10 {
        stranger.try_password(OWNER, "Wrong-Horse-7!").answers(422);
    }
    let (db, keys) = (Db::open(&portal.file(), 1).unwrap(), portal.keys());
    let world = World {
        now: portal.app().now(),
        random: &OsRandom,
        keys: &keys,
        mail_domain: "example.com",
    };
    let unlocked: doorward::error::Result<_> =
        db.write(world, |tx| passwords::unlock(tx, &owner.account()));
    unlocked.unwrap().into_inner();
    portal.travel(90);
    portal.work();
    for _ in 0..10 {
        stranger.try_password(OWNER, "Wrong-Horse-7!").answers(422);
    }
    stranger.try_password(OWNER, PASSWORD).answers(429);
}

#[test]
fn forwarded_addresses_of_the_clients_own_making_change_nothing() {
    let portal = Portal::start();
    portal.owner();
    let many = "203.0.113.9, ".repeat(1_000);
    let forged = ["a", "", "203.0.113.9", "fe80::1%eth0", many.as_str()];
    let mut stranger = portal.visitor();
    for number in 0..40 {
        let draft = stranger.draft(Method::Post, "/sign-in").proven();
        draft
            .fields(&[
                ("email", &format!("p{number}@fjord.example")),
                ("password", "x"),
            ])
            .header("X-Forwarded-For", forged[number % forged.len()])
            .header("Forwarded", "for=203.0.113.9")
            .send()
            .answers(if number < 30 { 422 } else { 429 });
    }
    let addresses: Vec<String> =
        portal.ask("SELECT DISTINCT text FROM audit_texts WHERE slot = 2 AND chain_id = 0");
    assert_eq!(addresses, [stranger.address.to_string()]);
}

#[test]
fn what_is_too_long_is_refused_before_it_counts() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    for _ in 0..40 {
        stranger
            .try_password(OWNER, &"Aa1!".repeat(40))
            .answers(422)
            .sees("A password has at most 128 characters.");
    }
    stranger.try_password(OWNER, PASSWORD).answers(303);
    let fields = "a=1&".repeat(10_000);
    portal
        .visitor()
        .draft(Method::Post, "/sign-in")
        .body(fields)
        .send()
        .answers(400);
}

#[test]
fn a_password_that_could_not_be_judged_counts_for_nothing() {
    let portal = Portal::start();
    portal.expect_failures();
    portal.owner();
    let hash = portal.ask::<String>("SELECT hash FROM passwords").remove(0);
    portal.tamper("UPDATE passwords SET hash = '$argon2id$damaged'");
    let mut stranger = portal.visitor();
    for _ in 0..12 {
        stranger.try_password(OWNER, PASSWORD).answers(500);
    }
    portal.tamper(&format!("UPDATE passwords SET hash = '{hash}'"));
    stranger.try_password(OWNER, PASSWORD).answers(303);
    portal.work();
    let judged: Vec<i64> = portal.ask("SELECT day_count FROM throttles WHERE kind = 'account'");
    assert_eq!(judged, [2], "the owner's first sign-in, and this one");
}

#[test]
fn credentials_in_the_address_are_not_looked_at() {
    let portal = Portal::start();
    portal.owner();
    let query = "/sign-in?email=olivia%40fjord.example&password=Correct-Horse-7!";
    let mut stranger = portal.visitor();
    stranger.get(query).answers(200);
    assert!(!stranger.html().contains(PASSWORD));
    let proof = stranger.proof("/sign-in");
    stranger
        .draft(Method::Post, query)
        .field("csrf", &proof)
        .send()
        .answers(422);
    assert!(stranger.cookie("session").is_none());
}

#[test]
fn patterns_of_a_query_language_are_only_text() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    for email in [
        "' OR 1=1--",
        "%@%",
        "_@fjord.example",
        "%",
        "olivia@fjord.example' --",
        "*@fjord.example",
    ] {
        stranger.try_password(email, PASSWORD).answers(422);
    }
    assert!(stranger.cookie("session").is_none());
}

#[test]
fn a_password_typed_into_the_wrong_field_is_kept_nowhere() {
    let portal = Portal::start();
    portal.owner();
    // The check at the portal's end looks for everybody's password in the log and in the file.
    portal
        .visitor()
        .try_password(PASSWORD, PASSWORD)
        .answers(422);
    assert_eq!(count(&portal, "sign_in.failed"), 0);
}

#[test]
fn unknown_and_repeated_fields_are_refused_and_recorded() {
    let portal = Portal::start();
    portal.owner();
    let right = [("email", OWNER), ("password", PASSWORD)];
    for field in [
        ("role", "master"),
        ("email", "ann@fjord.example"),
        ("password[]", "x"),
    ] {
        let mut stranger = portal.visitor();
        stranger
            .post("/sign-in", &[right[0], right[1], field])
            .answers(400);
        assert!(stranger.cookie("session").is_none());
    }
    assert_eq!(count(&portal, "request.malformed"), 3);
}

#[test]
fn a_raised_cost_rehashes_at_the_next_sign_in() {
    let portal = Portal::start();
    portal.owner();
    let hashes = || portal.ask::<String>("SELECT hash FROM passwords");
    let before = hashes();
    assert!(
        before[0].starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
        "{before:?}"
    );
    portal.restart(|_, cost| cost.memory_kib = 16);
    portal
        .visitor()
        .try_password(OWNER, "Wrong-Horse-7!")
        .answers(422);
    assert_eq!(hashes(), before, "a wrong password must not be kept");
    portal.signed_in(OWNER);
    let after = hashes();
    assert_eq!(after.len(), 1);
    assert!(
        after[0].starts_with("$argon2id$v=19$m=16,t=1,p=1$"),
        "{after:?}"
    );
    portal.signed_in(OWNER);
    assert_eq!(hashes(), after);
}

#[test]
fn a_new_browser_is_told_of_by_mail_and_a_known_one_is_not() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.work();
    assert_eq!(portal.mails(), [], "the first sign-in of all is no news");
    owner.sign_out().sign_in();
    portal.work();
    assert_eq!(portal.mails(), []);
    let mut elsewhere = owner.elsewhere();
    elsewhere.sign_in();
    portal.work();
    let mails = portal.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, OWNER);
    assert!(
        mails[0]
            .subject
            .contains("New sign-in from Firefox on Linux"),
        "{}",
        mails[0].subject
    );
    assert!(
        mails[0].text.contains(&elsewhere.address.to_string()),
        "{}",
        mails[0].text
    );
    elsewhere.sign_out().sign_in();
    portal.work();
    assert_eq!(portal.mails().len(), 1);
}

/// How many mails of a new sign-in this address got.
fn told(portal: &Portal, email: &str) -> usize {
    portal.work();
    let mails = portal.mails();
    let told = mails
        .iter()
        .filter(|mail| mail.to == email && mail.subject.contains("New sign-in"));
    told.count()
}

#[test]
fn a_browser_that_two_people_share_is_known_to_both() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.member_of(&owner, Role::Member, ANN);
    let device = owner.cookie("device").unwrap();
    // Ann signs in with the owner's browser: it is new to her account, and then it is not.
    for _ in 0..3 {
        owner.sign_out().try_password(ANN, PASSWORD).answers(303);
        owner.sign_out().sign_in();
    }
    assert_eq!(owner.cookie("device").unwrap(), device);
    assert_eq!((told(&portal, ANN), told(&portal, OWNER)), (1, 0));
}

#[test]
fn a_browser_is_known_for_180_days_and_a_planted_cookie_is_none() {
    let portal = Portal::start();
    let owner = portal.owner();
    let device = owner.cookie("device").unwrap();
    let mut late = portal.visitor();
    late.plant("__Host-device", &device);
    portal.travel(180 * DAY);
    late.try_password(OWNER, PASSWORD).answers(303);
    assert_ne!(late.cookie("device").unwrap(), device);
    assert_eq!(told(&portal, OWNER), 1);
    let planted = "A".repeat(43);
    let mut victim = portal.visitor();
    victim.plant("__Host-device", &planted);
    victim.try_password(OWNER, PASSWORD).answers(303);
    assert_ne!(victim.cookie("device").unwrap(), planted);
    assert_eq!(told(&portal, OWNER), 2);
}
