//! The second step of signing in: what is taken as a code and how often, who may take how many tries, and what a right
//! password alone is worth.

use std::collections::BTreeSet;

use doorward::kit::http::request::Method;
use doorward::kit::time::MINUTE;
use doorward::kit::totp::STEP;
use doorward::passwords;
use doorward::routes::{Access, Route};
use doorward::scope::By;
use doorward::sessions::{self, Entered, Key, SignIn};

use crate::phone::Phone;
use crate::portal::{PASSWORD, Portal};
use crate::races::{rounds, together};
use crate::samples;
use crate::visitor::Visitor;

const LEA: &str = "lea@fjord.example";

/// Somebody with a phone; time has gone by since they set it up, so that its codes are new.
fn protected(portal: &Portal) -> Visitor {
    let mut lea = portal.member(doorward::domain::role::Role::Member, LEA);
    lea.enrol();
    portal.travel(2 * STEP);
    lea
}

/// Another browser of theirs that gave the password.
fn half(lea: &Visitor) -> Visitor {
    let mut there = lea.elsewhere();
    there.try_password(LEA, PASSWORD).answers(303);
    there
}

/// The same without the password, of which a day has no more than it has codes.
fn owing(portal: &Portal, lea: &Visitor) -> Visitor {
    let mut there = lea.elsewhere();
    let (app, account) = (portal.app(), lea.account());
    let sign_in = SignIn {
        account: &account,
        device: None,
        agent: "Firefox on Linux",
        address: there.address,
    };
    let entered = app.write(app.now(), |tx| {
        sessions::enter(tx, &By::operator(), &sign_in, Key::Password)
    });
    let Ok(Entered::Half(challenge)) = entered else {
        panic!("no code is owed: {entered:?}");
    };
    there.plant("__Host-challenge", &challenge.reveal());
    there
}

fn phone(lea: &Visitor) -> Phone {
    lea.phone.clone().unwrap()
}

fn try_code<'v>(visitor: &'v mut Visitor, code: &str) -> &'v mut Visitor {
    visitor.post("/sign-in/code", &[("code", code)])
}

#[test]
fn a_right_password_leads_to_the_code_and_a_code_signs_in() {
    let portal = Portal::start();
    let lea = protected(&portal);
    let mut there = lea.elsewhere();
    there
        .try_password(LEA, PASSWORD)
        .answers(303)
        .goes_to("/sign-in/code");
    assert!(!there.is_signed_in() && there.cookie("session").is_none());
    assert!(there.cookie("device").is_none(), "no full sign-in yet");
    let cookies = there.last().all("Set-Cookie");
    let challenge = cookies.iter().find(|one| one.contains("challenge="));
    let marks: Vec<&str> = challenge.unwrap().split("; ").skip(1).collect();
    for mark in [
        "Path=/",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
        "Max-Age=600",
    ] {
        assert!(marks.contains(&mark), "{mark} is missing in {marks:?}");
    }
    there
        .follow()
        .answers(200)
        .sees("Enter the code from your app")
        .sees("Use a recovery code")
        .sees("Sign out")
        .sees_not("Fjord")
        .sees_not(LEA)
        .sees_not("Trust this browser");
    assert!(there.html().contains("autocomplete=\"one-time-code\""));
    assert!(there.html().contains("inputmode=\"numeric\""));
    let challenge = there.cookie("challenge").unwrap();
    let now = portal.app().now().0;
    let code = phone(&lea).code(now);
    try_code(&mut there, &code).answers(303).goes_to("/");
    assert!(there.is_signed_in());
    assert!(there.cookie("challenge").is_none(), "it is taken away");
    there.get("/").answers(200);
    // The challenge is used up: planted again, it opens nothing.
    let mut thief = portal.visitor();
    thief.plant("__Host-challenge", &challenge);
    thief.get("/sign-in/code").answers(303).goes_to("/sign-in");
    thief.get("/").answers(303).goes_to("/sign-in");
}

#[test]
fn only_the_step_beside_the_present_is_taken() {
    let portal = Portal::start();
    let lea = protected(&portal);
    portal.travel(10 * STEP);
    for (shift, is_taken) in [(-2, false), (2, false), (-1, true), (0, true), (1, true)] {
        let mut there = half(&lea);
        let now = portal.app().now().0;
        let code = phone(&lea).code_at(now + shift * STEP);
        let answer = try_code(&mut there, &code);
        if is_taken {
            answer.answers(303);
        } else {
            answer
                .answers(422)
                .sees("That code is not right. Check the phone's clock: this server's time is");
        }
        assert_eq!(there.is_signed_in(), is_taken, "{shift}");
        // The next round's codes are new.
        portal.travel(5 * STEP);
    }
}

#[test]
fn a_code_works_once_everywhere_and_after_a_restart() {
    let portal = Portal::start();
    let lea = protected(&portal);
    let now = portal.app().now().0;
    let code = phone(&lea).code_at(now);
    let older = phone(&lea).code_at(now - STEP);
    try_code(&mut half(&lea), &code).answers(303);
    let mut there = half(&lea);
    for used in [&code, &older] {
        try_code(&mut there, used)
            .answers(422)
            .sees("That code was used already. Wait until the app shows the next one.");
    }
    portal.restart(|_, _| {});
    try_code(&mut there, &code)
        .answers(422)
        .sees("used already");
    // The next step's is good ahead of its time, and then that one is used as well.
    let next = phone(&lea).code_at(now + STEP);
    try_code(&mut there, &next).answers(303);
    portal.travel(STEP);
    try_code(&mut half(&lea), &next)
        .answers(422)
        .sees("used already");
}

#[test]
fn a_recovery_code_is_the_other_way_and_works_once() {
    let portal = Portal::start();
    let lea = protected(&portal);
    let codes = phone(&lea).recovery;
    assert_eq!(codes.len(), 10);
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 10);
    let mut there = half(&lea);
    there
        .get("/sign-in/code?with=recovery")
        .answers(200)
        .sees("Enter a recovery code")
        .sees("Use the app instead");
    assert!(!there.html().contains("inputmode=\"numeric\""));
    let typed = codes[0].to_uppercase().replace('-', " ");
    there
        .post("/sign-in/code", &[("code", &typed), ("with", "recovery")])
        .answers(303);
    there
        .follow()
        .sees("You signed in with a recovery code. 9 are left");
    portal.work();
    let told: Vec<String> = portal
        .mails()
        .into_iter()
        .filter(|mail| mail.to == LEA && mail.subject == "A recovery code was used (9 left)")
        .map(|mail| mail.text)
        .collect();
    assert_eq!(told.len(), 1, "one mail");
    let mut again = half(&lea);
    try_code(&mut again, &codes[0])
        .answers(422)
        .sees("That recovery code was used already.");
    try_code(&mut again, "zzzz-zzzz")
        .answers(422)
        .sees("That is none of your recovery codes.");
    for (used, code) in codes.iter().enumerate().skip(1) {
        portal.travel(MINUTE);
        let mut there = half(&lea);
        try_code(&mut there, code).answers(303).follow();
        match 9 - used {
            0 => there.sees("None is left: make new ones now"),
            1 => there.sees("One is left: make new ones"),
            left => there.sees(&format!("{left} are left")),
        };
    }
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM recovery_codes WHERE used_at IS NULL"),
        [0]
    );
}

#[test]
fn what_is_no_code_is_said_to_be_none() {
    let portal = Portal::start();
    let lea = protected(&portal);
    let mut there = half(&lea);
    there.get("/sign-in/code").answers(200);
    for typed in [
        "",
        " ",
        "12345",
        "1234567",
        "-1",
        "１２３４５６",
        "٠١٢٣٤٥",
        "12345a",
        "k7mq-2vf",
        "code",
        "0x1234",
        "\u{200b}123456",
    ] {
        try_code(&mut there, typed).answers(422);
        assert!(there.html().contains("aria-invalid=\"true\""), "{typed:?}");
    }
    there
        .draft(Method::Post, "/sign-in/code")
        .proven()
        .fields(&[("code", "123456"), ("code", "654321")])
        .send()
        .answers(400);
    there
        .draft(Method::Post, "/sign-in/code")
        .proven()
        .fields(&[("code[]", "123456")])
        .send()
        .answers(400);
    // None of it was a guess: the right one is taken at once, with a space as the app shows it.
    let code = phone(&lea).code_at(portal.app().now().0);
    let (a, b) = code.split_at(3);
    try_code(&mut there, &format!(" {a} {b}")).answers(303);
}

#[test]
fn whoever_owes_the_code_reaches_nothing_else() {
    let portal = Portal::start();
    let owner = portal.owner();
    let lea = protected(&portal);
    let mut there = half(&lea);
    let mut stranger = portal.visitor();
    let mut alike = 0;
    for route in samples::all(&portal, &owner) {
        there.get(&route);
        stranger.get(&route);
        // That the step is over is told to whoever looks for it, on the page after.
        stranger.lose("flash");
        for mine in [LEA, "LEA"] {
            assert!(!there.html().contains(mine), "{route} tells {mine}");
        }
        match there.status() {
            303 => {
                let to = there.location().unwrap();
                assert!(to.starts_with("/sign-in/code"), "{route} leads to {to}");
                assert!(stranger.location().unwrap().starts_with("/sign-in"));
            }
            // What anybody may see they see as anybody does; help leads back to the code.
            200 | 410 if route != Route::SignInCode => {
                let seen = there.text().replace("Back to the code", "Sign in");
                assert_eq!(seen, stranger.text(), "{route}");
                alike += 1;
            }
            status => assert!(
                matches!(status, 200 | 404 | 405),
                "{route} is answered with {status}"
            ),
        }
        if !matches!(route.access(), Access::Public | Access::Halfway) {
            there
                .post(&route, &[])
                .answers(303)
                .goes_to("/sign-in/code");
        }
    }
    println!("{alike} pages are a stranger's");
    assert!(alike >= 9, "{alike}");
    there
        .get("/help/2fa-security")
        .answers(200)
        .sees("Back to the code");
    there.post("/theme", &[("theme", "dark")]).answers(303);
    there.get("/sign-in/code").answers(200);
    assert!(there.html().contains("data-theme=\"dark\""));
    let code = lea.code();
    try_code(&mut there, &code).answers(303);
    portal.leave_mail();
}

#[test]
fn whoever_leaves_the_step_leaves_nothing_of_it() {
    let portal = Portal::start();
    let lea = protected(&portal);
    let mut there = half(&lea);
    there.get("/sign-in/code").answers(200);
    assert!(there.html().contains("action=\"/sign-out\""));
    let challenge = there.cookie("challenge").unwrap();
    there.sign_out().goes_to("/sign-in");
    assert!(there.cookie("challenge").is_none());
    there.plant("__Host-challenge", &challenge);
    there.get("/sign-in/code").answers(303).goes_to("/sign-in");
    let log = portal.audit(Some(portal.first()));
    assert_eq!(log[0].action, "signed_out");
}

#[test]
fn the_step_is_over_after_ten_minutes() {
    let portal = Portal::start();
    let lea = protected(&portal);
    let mut there = half(&lea);
    portal.travel(10 * MINUTE);
    let code = lea.code();
    try_code(&mut there, &code)
        .answers(303)
        .goes_to("/sign-in")
        .follow()
        .sees("Sign in again: the code was not entered in time.");
    assert!(!there.is_signed_in());
}

/// Whatever ends sessions ends the step as well.
#[test]
fn a_loss_meanwhile_ends_the_step() {
    let portal = Portal::start();
    let owner = portal.owner();
    let lea = protected(&portal);
    let id = lea.account().id;
    let mut there = half(&lea);
    owner
        .clone()
        .post(format!("/iam/accounts/{id}/sign-out"), &[])
        .answers(303);
    let code = lea.code();
    try_code(&mut there, &code).answers(303).goes_to("/sign-in");
    // Nor does the one before their own change of password open anything.
    portal.travel(2 * STEP);
    let mut here = portal.visitor();
    here.email = LEA.to_owned();
    here.password = PASSWORD.to_owned();
    here.phone = lea.phone.clone();
    here.sign_in();
    portal.travel(2 * STEP);
    let mut there = half(&lea);
    here.post(
        "/account/password",
        &[
            ("current_password", PASSWORD),
            ("password", "Another-Horse-8!"),
            ("password_confirmation", "Another-Horse-8!"),
        ],
    )
    .answers(303);
    let code = lea.code();
    try_code(&mut there, &code).answers(303).goes_to("/sign-in");
    assert!(here.is_signed_in() && !there.is_signed_in());
}

/// Whether this guess is judged; each comes from a network address and a browser of its own.
fn guess(portal: &Portal, lea: &Visitor, number: usize) -> bool {
    let mut there = owing(portal, lea);
    match try_code(&mut there, &format!("{number:06}")).status() {
        422 => true,
        429 => {
            there.sees("Too many tries. Try again in");
            assert!(there.header("Retry-After").is_some());
            false
        }
        // One in some 300,000 is right.
        status => panic!("a guess was answered with {status}"),
    }
}

#[test]
fn ten_codes_of_an_account_are_judged_in_fifteen_minutes_and_a_hundred_a_day() {
    let portal = Portal::start();
    let lea = protected(&portal);
    let judged = (0..40)
        .filter(|number| guess(&portal, &lea, *number))
        .count();
    assert_eq!(judged, 10);
    // The right one waits as well, from wherever, also as a recovery code, also after a restart.
    portal.work();
    portal.restart(|_, _| {});
    let mut there = owing(&portal, &lea);
    let code = phone(&lea).code_at(portal.app().now().0);
    try_code(&mut there, &code).answers(429);
    try_code(&mut there, &phone(&lea).recovery[0]).answers(429);
    assert!(!there.is_signed_in());
    portal.travel(15 * MINUTE);
    try_code(&mut owing(&portal, &lea), &lea.code()).answers(303);

    let mut day = judged;
    for quarter in 0..40 {
        portal.travel(15 * MINUTE);
        for number in 0..12 {
            day += usize::from(guess(&portal, &lea, 1_000 + quarter * 12 + number));
        }
    }
    // The code that set it up and the right one of a while ago were judged too.
    assert_eq!(day + 2, 100, "judged in a day");
    try_code(&mut owing(&portal, &lea), &lea.code()).answers(429);
    portal.work();
    let account = lea.account();
    let app = portal.app();
    app.write(app.now(), |tx| passwords::unlock(tx, &account))
        .unwrap();
    drop(app);
    // As another process would have done it: the file has the last word.
    portal.restart(|_, _| {});
    portal.travel(STEP);
    try_code(&mut owing(&portal, &lea), &lea.code()).answers(303);
}

/// All that takes a code takes it from one count: the second step, the step-up, and the first code of another phone.
#[test]
fn every_field_for_a_code_shares_the_count() {
    let portal = Portal::start();
    let mut lea = protected(&portal);
    let mut there = half(&lea);
    let code = lea.code();
    lea.post("/account/two-factor", &[("code", &code)])
        .answers(303);
    for _ in 0..4 {
        try_code(&mut there, "000000").answers(422);
        lea.post("/account/two-factor/confirm", &[("code", "000000")])
            .answers(422);
    }
    for _ in 0..2 {
        try_code(&mut there, "zzzz-zzzz").answers(422);
    }
    try_code(&mut there, &phone(&lea).recovery[0]).answers(429);
    lea.post("/account/two-factor/confirm", &[("code", "000000")])
        .answers(429);
    portal.travel(10 * MINUTE);
    let code = phone(&lea).code_at(portal.app().now().0);
    lea.post("/account/two-factor/codes", &[("current_password", &code)])
        .answers(429);
    assert!(lea.header("Retry-After").is_some());
}

const QUARTERS: usize = 3 * 24 * 4;

/// How often somebody guesses in each quarter of an hour of three days; ten thousand times in all with
/// `DOORWARD_GUESSES=10080`.
#[expect(
    clippy::disallowed_methods,
    reason = "how long the tests run is decided where they run"
)]
fn burst() -> usize {
    let asked = std::env::var("DOORWARD_GUESSES").ok();
    let guesses: Option<usize> = asked.and_then(|guesses| guesses.parse().ok());
    guesses.map_or(12, |guesses| (guesses / QUARTERS).max(12))
}

/// Very many guesses over three days, from another network address after each eleven: how many were judged is printed.
#[test]
fn very_many_guesses_find_nothing() {
    let burst = burst();
    let portal = Portal::start();
    let lea = protected(&portal);
    let (mut judged, mut waited) = (0, 0);
    for quarter in 0..QUARTERS {
        let mut there = owing(&portal, &lea);
        for number in 0..burst {
            if number % 12 == 11 {
                there.address = lea.elsewhere().address;
            }
            let code = format!("{:06}", quarter * burst + number);
            match try_code(&mut there, &code).status() {
                422 => judged += 1,
                429 => waited += 1,
                status => panic!("a guess was answered with {status}"),
            }
        }
        assert!(!there.is_signed_in());
        portal.travel(15 * MINUTE);
    }
    println!("{judged} guesses judged in three days, {waited} told to wait");
    assert_eq!(judged + waited, QUARTERS * burst);
    // The first of the three hundred was the code that set it up.
    assert_eq!(judged, 299);
    portal.leave_mail();
}

/// How often two send one code: 300 times, unless told otherwise.
fn races() -> usize {
    (rounds() * 3 / 10).max(1)
}

/// So long after each other that no throttle is near.
const PAUSE: i64 = 40 * MINUTE;

/// Both send this code at the same instant: which of them was let in.
fn both(portal: &Portal, lea: &Visitor, code: &str) -> usize {
    let (mut one, mut other) = (owing(portal, lea), owing(portal, lea));
    one.get("/sign-in/code").answers(200);
    other.get("/sign-in/code").answers(200);
    let sent = together(
        || try_code(&mut one, code).status(),
        || try_code(&mut other, code).status(),
    );
    let came = [one.is_signed_in(), other.is_signed_in()];
    assert!(matches!(sent, (303, 422) | (422, 303)), "{sent:?}");
    assert_eq!(came, [sent.0 == 303, sent.1 == 303], "{sent:?}");
    usize::from(came[0])
}

#[test]
fn of_two_that_send_one_code_together_one_is_let_in() {
    let rounds = races();
    let portal = Portal::start();
    let lea = protected(&portal);
    let (mut firsts, mut last) = (0, String::new());
    for _ in 0..rounds {
        portal.travel(PAUSE);
        last = lea.code();
        firsts += both(&portal, &lea, &last);
    }
    println!(
        "{rounds} codes of the app: {firsts} won by the one, {} by the other",
        rounds - firsts
    );
    portal.restart(|_, _| {});
    try_code(&mut owing(&portal, &lea), &last)
        .answers(422)
        .sees("used already");
    portal.leave_mail();
}

#[test]
fn of_two_that_send_one_recovery_code_together_one_is_let_in() {
    let rounds = races();
    let portal = Portal::start();
    let lea = protected(&portal);
    let (mut firsts, mut codes) = (0, phone(&lea).recovery);
    let mut last = String::new();
    for _ in 0..rounds {
        portal.travel(PAUSE);
        if codes.is_empty() {
            let mut here = lea.elsewhere();
            here.sign_in();
            here.post("/account/two-factor/codes", &[]).answers(200);
            let page = here.html();
            let list = crate::answer::between(&page, "<ol class=\"codes\"", "</ol>");
            let items = list.split("<li>").skip(1);
            codes.extend(items.map(|item| item.split('<').next().unwrap().to_owned()));
            assert_eq!(codes.len(), 10);
        }
        last = codes.pop().unwrap();
        firsts += both(&portal, &lea, &last);
    }
    println!(
        "{rounds} recovery codes: {firsts} won by the one, {} by the other",
        rounds - firsts
    );
    portal.restart(|_, _| {});
    try_code(&mut owing(&portal, &lea), &last)
        .answers(422)
        .sees("used already");
    portal.leave_mail();
}

/// One code, sent to sign in and to prove who is signed in already.
#[test]
fn a_code_signs_in_or_proves_and_never_both() {
    let rounds = (races() / 3).max(1);
    let portal = Portal::start();
    let lea = protected(&portal);
    let mut here = lea.elsewhere();
    let mut came_in = 0;
    for round in 0..rounds {
        portal.travel(PAUSE);
        if !here.is_signed_in() {
            here = lea.elsewhere();
            here.sign_in();
            portal.travel(PAUSE);
        }
        let code = lea.code();
        let mut there = owing(&portal, &lea);
        there.get("/sign-in/code").answers(200);
        here.get("/account/two-factor").answers(200);
        let before = here.cookie("session");
        let sent = together(
            || try_code(&mut there, &code).status(),
            || {
                here.post("/account/two-factor/codes", &[("current_password", &code)])
                    .status()
            },
        );
        let came = [there.is_signed_in(), here.cookie("session") != before];
        assert!(
            matches!(
                (sent, came),
                ((303, 422), [true, false]) | ((422, 200), [false, true])
            ),
            "round {round}: {sent:?} {came:?}"
        );
        came_in += usize::from(came[0]);
    }
    println!("{rounds} codes at two fields: {came_in} signed in, the others proved");
    portal.leave_mail();
}

/// The answer to a wrong password tells nobody whether there is a second factor.
#[test]
fn a_wrong_password_is_answered_alike_with_and_without_a_factor() {
    let portal = Portal::start();
    let lea = protected(&portal);
    portal.member(doorward::domain::role::Role::Member, "bo@fjord.example");
    let mut answers = BTreeSet::new();
    for email in [LEA, "bo@fjord.example", "nobody@fjord.example"] {
        let mut there = portal.visitor();
        there.try_password(email, "Wrong-Horse-7!").answers(422);
        answers.insert(there.text().replace(email, ""));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    drop(lea);
}

/// The newest of them that was mailed.
pub(crate) fn reset_link(portal: &Portal) -> String {
    portal.work();
    let mails = portal.mails();
    let newest = mails.iter().rev().filter(|mail| mail.to == LEA);
    let path = newest
        .filter_map(|mail| mail.text.split_once("/reset-password/"))
        .map(|(_, rest)| rest.split_whitespace().next().unwrap().to_owned())
        .next();
    format!("/reset-password/{}", path.expect("no link was mailed"))
}

/// A reset sets a password and nothing else.
#[test]
fn a_new_password_by_link_does_not_skip_the_code() {
    let portal = Portal::start();
    let lea = protected(&portal);
    let mut there = lea.elsewhere();
    there
        .post("/forgot-password", &[("email", LEA)])
        .answers(303);
    let link = reset_link(&portal);
    let new = "Another-Horse-8!";
    there
        .post(&link, &[("password", new), ("password_confirmation", new)])
        .answers(303);
    assert!(!there.is_signed_in());
    there.try_password(LEA, new).goes_to("/sign-in/code");
    there.get("/account").answers(303);
    try_code(&mut there, &lea.code()).answers(303);
    assert!(there.is_signed_in());
}
