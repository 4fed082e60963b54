//! Setting up two-factor and looking after it, as its person sees it: the key, the first code, recovery codes, another
//! phone, and turning it off. The second step of signing in has its own tests.

use std::sync::Barrier;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::MINUTE;
use doorward::scope::Allowed;
use doorward::settings;

use crate::answer::{between, plain};
use crate::phone::Phone;
use crate::portal::{OWNER, PASSWORD, Portal};
use crate::visitor::Visitor;

const PAGE: &str = "/account/two-factor";
const CONFIRM: &str = "/account/two-factor/confirm";
const DISABLE: &str = "/account/two-factor/disable";
const RENEW: &str = "/account/two-factor/codes";
const MIA: &str = "mia@fjord.example";

/// This is asked of every role from now on.
#[track_caller]
fn ask_for(portal: &Portal, level: Level, grace_days: u8) {
    let by = Allowed::operator(portal.first());
    let app = portal.app();
    let wanted = Policies::each(|_| Policy { level, grace_days });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &by, &wanted, Trust::Off)
    })
    .unwrap();
}

/// A Member of the first organisation, signed in.
#[track_caller]
fn member(portal: &Portal) -> Visitor {
    portal.member(Role::Member, MIA)
}

/// A Member of whom nothing is required.
#[track_caller]
fn free_member(portal: &Portal) -> Visitor {
    let mia = member(portal);
    ask_for(portal, Level::Off, 0);
    mia
}

/// The key on the page before them.
#[track_caller]
fn key_on(visitor: &Visitor) -> String {
    let page = visitor.html();
    let key = between(&page, "<output id=\"key\"", "</output>");
    key.split_once('>').unwrap().1.replace(' ', "")
}

/// Begins, and learns the key.
#[track_caller]
fn begin(visitor: &mut Visitor) -> Phone {
    visitor.post(PAGE, &[]).answers(303).goes_to(PAGE).follow();
    visitor.answers(200);
    Phone::new(&key_on(visitor))
}

/// The recovery codes on the page before them.
#[track_caller]
fn codes_on(visitor: &Visitor) -> Vec<String> {
    let page = visitor.html();
    let list = between(&page, "<ol class=\"codes\"", "</ol>");
    list.split("<li>")
        .skip(1)
        .map(|item| item.split('<').next().unwrap().to_owned())
        .collect()
}

fn now(portal: &Portal) -> i64 {
    portal.app().now().0
}

/// How many events of this action there are.
fn recorded(portal: &Portal, action: &str) -> usize {
    let all = portal.audit(Some(portal.first()));
    all.iter().filter(|entry| entry.action == action).count()
}

/// The details of the newest event of this action.
#[track_caller]
fn details(portal: &Portal, action: &str) -> String {
    let all = portal.audit(Some(portal.first()));
    let newest = all.iter().find(|entry| entry.action == action);
    newest.expect("no such event").details.clone()
}

/// How many mails of this kind are owed, or were sent, to Mia.
fn mails(portal: &Portal, kind: &str) -> i64 {
    portal.ask(&format!(
        "SELECT count(*) FROM errands WHERE kind = '{kind}' AND recipient = '{MIA}'"
    ))[0]
}

fn count(portal: &Portal, table: &str) -> i64 {
    portal.ask(&format!("SELECT count(*) FROM {table}"))[0]
}

/// Signs in somewhere else with the password, up to the second step, and sends this code there.
#[track_caller]
fn sign_in_with(of: &Visitor, code: &str) -> Visitor {
    let mut other = of.elsewhere();
    other
        .try_password(&of.email, &of.password)
        .answers(303)
        .goes_to("/sign-in/code");
    other.post("/sign-in/code", &[("code", code)]);
    other
}

#[test]
fn nothing_is_on_until_a_code_of_the_key_is_given() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    mia.get("/account")
        .sees("Off. With 2-step verification, sign-in asks for a code from your phone")
        .sees("Fjord Supply requires two-factor for Members from 1 Dec, 14:20: 7 days left.");
    mia.get(PAGE)
        .answers(200)
        .sees("Enable 2-step verification")
        .sees("What you need")
        .sees_not("Current password");
    let phone = begin(&mut mia);
    mia.sees("1. Scan the code")
        .sees("Fjord Supply: mia@fjord.example")
        .sees("The code changes every 30 seconds.")
        .sees("Open in your authenticator app");
    // Shown, and not asked for by anybody yet.
    let key = key_on(&mia);
    assert_eq!(count(&portal, "factors"), 0);
    assert!(mia.elsewhere().sign_in().is_signed_in());
    mia.get("/account").sees("Off.");
    // It stays the same however often it is looked at.
    assert_eq!(key_on(mia.get(PAGE)), key);

    let code = phone.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)])
        .answers(200)
        .sees("Save your recovery codes")
        .sees("This is the only time they are shown.");
    let codes = codes_on(&mia);
    assert_eq!(codes.len(), 10);
    assert!(mia.header("Cache-Control").unwrap().contains("no-store"));
    // The file that the page itself holds.
    let file = plain(between(
        &mia.html(),
        "href=\"data:text/plain;charset=utf-8,",
        "\"",
    ));
    for code in &codes {
        assert!(file.contains(code.as_str()), "{file}");
    }
    assert!(file.contains("Fjord%20Supply") && file.contains("mia%40fjord.example"));
    assert!(file.contains("24%20Nov%202026") && !file.contains('+'));

    // From here on neither the key nor a code is told by any page, the file, the log of deeds or the log.
    let raw = BASE32_NOPAD.decode(key.as_bytes()).unwrap();
    let mut secrets = codes.clone();
    secrets.extend(codes.iter().map(|code| code.replace('-', "")));
    secrets.extend([key.clone(), HEXLOWER.encode(&raw)]);
    for page in [PAGE, "/account", "/", "/account/two-factor?view=manage"] {
        let html = mia.get(page).answers(200).html();
        for secret in &secrets {
            assert!(!html.contains(secret.as_str()), "{secret} on {page}");
        }
    }
    for name in ["doorward.db", "doorward.db-wal"] {
        let bytes = std::fs::read(portal.file().with_file_name(name)).unwrap_or_default();
        assert!(
            !bytes.windows(raw.len()).any(|window| window == raw),
            "{name}"
        );
        let text = String::from_utf8_lossy(&bytes);
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {name}");
        }
    }
    assert_eq!(recorded(&portal, "two_factor.begun"), 1);
    assert_eq!(recorded(&portal, "two_factor.enabled"), 1);
    assert!(details(&portal, "two_factor.enabled").contains("\"replaced\":false"));
    assert_eq!(mails(&portal, "two_factor_on"), 1);
    mia.get("/account")
        .sees("2-step verification is on.")
        .sees("10 of 10 recovery codes left")
        .sees("You enabled 2-step verification");
    mia.get(PAGE)
        .sees("Two-factor")
        .sees("On since 24 Nov 2026");
}

#[test]
fn a_code_may_be_one_step_early_or_late_and_no_more() {
    let portal = Portal::start();
    for (shift, is_taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
        let mut somebody = portal.member(Role::Member, &format!("m{}@fjord.example", shift + 2));
        let phone = begin(&mut somebody);
        let key = key_on(&somebody);
        let code = phone.code_at(now(&portal) + shift * 30);
        somebody.post(CONFIRM, &[("code", &code)]);
        if is_taken {
            somebody.answers(200).sees("Save your recovery codes");
        } else {
            somebody.answers(422).sees(
                "That code is not right. Check the phone's clock: this server's time is 14:20:00.",
            );
            assert_eq!(key_on(&somebody), key, "another key after a wrong code");
            let right = phone.code_at(now(&portal));
            somebody.post(CONFIRM, &[("code", &right)]).answers(200);
        }
    }
    assert_eq!(recorded(&portal, "code.failed"), 2);
}

#[test]
fn the_code_that_confirmed_does_not_sign_in() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let phone = begin(&mut mia);
    let code = phone.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)]).answers(200);
    sign_in_with(&mia, &code)
        .answers(422)
        .sees("That code was used already.");
    portal.travel(30);
    let next = phone.code(now(&portal));
    assert!(sign_in_with(&mia, &next).answers(303).is_signed_in());
}

#[test]
fn enabling_it_ends_every_other_session_and_renews_this_one() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let mut other = mia.elsewhere();
    other.sign_in();
    let phone = begin(&mut mia);
    let mut before = mia.clone();
    let code = phone.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)]).answers(200);
    assert_ne!(mia.cookie("session"), before.cookie("session"));
    assert!(mia.is_signed_in());
    assert!(!other.is_signed_in() && !before.is_signed_in());
    other
        .get("/account")
        .answers(303)
        .goes_to("/sign-in?next=%2Faccount");
    // The same form once more, as after a second press of the button: nothing is done twice, and it says what to do.
    before
        .post(CONFIRM, &[("code", &code)])
        .answers(303)
        .goes_to("/sign-in")
        .follow()
        .sees("If 2-step verification was enabled a moment ago, sign in with a code of the phone that enabled it.");
    assert_eq!(count(&portal, "recovery_codes"), 10);
    assert_eq!(recorded(&portal, "two_factor.enabled"), 1);
}

#[test]
fn new_recovery_codes_kill_the_older_ones() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    mia.enrol();
    let old = mia.phone.as_ref().unwrap().recovery.clone();
    portal.travel(30);
    assert!(sign_in_with(&mia, &old[0]).answers(303).is_signed_in());
    mia.get("/account").sees("9 of 10 recovery codes left");
    mia.get(PAGE).sees("9 of 10 recovery codes left");
    assert_eq!(mails(&portal, "recovery_used"), 1);

    let other = portal.signed_in(OWNER);
    mia.post(RENEW, &[])
        .answers(200)
        .sees("Your new recovery codes")
        .sees("The older codes no longer work.")
        .sees_not("Add the key");
    let new = codes_on(&mia);
    assert_eq!(new.len(), 10);
    assert!(new.iter().all(|code| !old.contains(code)));
    assert_eq!(count(&portal, "recovery_codes"), 10);
    assert_eq!(mails(&portal, "codes_renewed"), 1);
    assert_eq!(recorded(&portal, "recovery_codes.renewed"), 1);
    sign_in_with(&mia, &old[1])
        .answers(422)
        .sees("That is none of your recovery codes.");
    assert!(sign_in_with(&mia, &new[3]).answers(303).is_signed_in());
    sign_in_with(&mia, &new[3])
        .answers(422)
        .sees("That recovery code was used already.");
    mia.get("/account").sees("9 of 10 recovery codes left");
    assert!(other.is_signed_in());

    // Later it is asked who wants them: the password, or a code.
    portal.travel(11 * MINUTE);
    mia.get(PAGE)
        .sees("Or the 6-digit code that your app shows now.");
    mia.post(RENEW, &[]).answers(422);
    mia.post(RENEW, &[("current_password", "Wrong-Horse-7!")])
        .answers(422)
        .sees("This is not your password.");
    assert_eq!(recorded(&portal, "recovery_codes.renewed"), 1);
    let code = mia.code();
    mia.post(RENEW, &[("current_password", &code)]).answers(200);
    assert_ne!(codes_on(&mia), new);
    // Whoever has none makes none.
    portal
        .owner()
        .post(RENEW, &[])
        .answers(403)
        .sees("2-step verification is off.");
}

#[test]
fn disabling_it_takes_a_code_and_a_proof() {
    let portal = Portal::start();
    let mut mia = free_member(&portal);
    mia.enrol();
    portal.travel(30);
    let mut other = mia.elsewhere();
    other.sign_in();
    portal.travel(30);
    mia.get(PAGE)
        .sees("The 6-digit code that your app shows now, or one of your recovery codes.")
        .sees_not("Current password");
    mia.post(DISABLE, &[]).answers(422).sees("Enter the code.");
    mia.post(DISABLE, &[("code", "000000")])
        .answers(422)
        .sees("That code is not right.");
    // A code that signed in is used up.
    portal.travel(11 * MINUTE);
    mia.get(PAGE).sees("Current password");
    let code = mia.code();
    mia.post(DISABLE, &[("code", &code)])
        .answers(422)
        .sees("Enter your password.");
    mia.post(
        DISABLE,
        &[("code", &code), ("current_password", "Wrong-Horse-7!")],
    )
    .answers(422)
    .sees("This is not your password.");
    // A code is no password here: both are asked for.
    mia.post(DISABLE, &[("code", &code), ("current_password", &code)])
        .answers(422);
    assert_eq!(count(&portal, "factors"), 1);
    let before = mia.cookie("session");
    mia.post(DISABLE, &[("code", &code), ("current_password", PASSWORD)])
        .answers(303)
        .goes_to("/account")
        .follow()
        .sees("2-step verification is off. You are signed out everywhere else.")
        .sees("Off. With 2-step verification");
    assert_ne!(mia.cookie("session"), before);
    assert!(!other.is_signed_in());
    assert_eq!(count(&portal, "factors"), 0);
    assert_eq!(count(&portal, "recovery_codes"), 0);
    assert_eq!(mails(&portal, "two_factor_off"), 1);
    assert_eq!(recorded(&portal, "two_factor.disabled"), 1);
    let mut again = mia.elsewhere();
    again.try_password(MIA, PASSWORD).answers(303).goes_to("/");
    // There is nothing left to turn off, whatever is typed.
    mia.post(DISABLE, &[("code", &code)]).answers(422);
    assert_eq!(recorded(&portal, "two_factor.disabled"), 1);
}

#[test]
fn a_recovery_code_disables_it_too() {
    let portal = Portal::start();
    let mut mia = free_member(&portal);
    mia.enrol();
    let recovery = mia.phone.as_ref().unwrap().recovery[4].to_uppercase();
    mia.post(DISABLE, &[("code", &recovery)]).answers(303);
    assert_eq!(count(&portal, "factors"), 0);
    assert_eq!(mails(&portal, "recovery_used"), 1);
}

#[test]
fn what_is_required_cannot_be_disabled() {
    let portal = Portal::start();
    // Seven days of grace: required all the same.
    let mut mia = member(&portal);
    mia.enrol();
    portal.travel(30);
    for grace in [7, 0] {
        ask_for(&portal, Level::Required, grace);
        mia.get(PAGE).answers(200).sees(
            "Fjord Supply requires two-factor for Members. Move it to another phone instead.",
        );
        assert!(!mia.html().contains(&format!("action=\"{DISABLE}\"")));
        let code = mia.code();
        mia.post(DISABLE, &[("code", &code)])
            .answers(403)
            .sees("Your organisation requires two-factor for Member");
        assert!(mia.is_signed_in());
        portal.travel(60);
    }
    assert_eq!(count(&portal, "factors"), 1);
    ask_for(&portal, Level::Recommended, 0);
    mia.get(PAGE);
    assert!(mia.html().contains(&format!("action=\"{DISABLE}\"")));
    let code = mia.code();
    mia.post(DISABLE, &[("code", &code)]).answers(303);
    mia.get("/account")
        .sees("Fjord Supply recommends two-factor for Members");
}

#[test]
fn no_name_changes_the_address_in_the_code_to_scan() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for (number, organisation) in [
        "A&B: c?d=e#f%",
        "x&secret=AAAA&issuer=y",
        "Fjørd \"Süpply\"+<b>",
    ]
    .into_iter()
    .enumerate()
    {
        owner
            .post(
                "/settings/general",
                &[("organisation", organisation), ("timezone", "Europe/Oslo")],
            )
            .answers(303);
        let email = format!("a&secret=aaaa&issuer=x%3a{number}@fjord.example");
        let mut somebody = portal.member(Role::Member, &email);
        begin(&mut somebody);
        let key = key_on(&somebody);
        let page = somebody.html();
        let address = plain(between(&page, "href=\"otpauth://", "\""));
        let (label, query) = address.split_once('?').unwrap();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        assert_eq!(
            pairs,
            [
                ("secret".to_owned(), key),
                ("issuer".to_owned(), organisation.to_owned())
            ],
            "{address}"
        );
        let (issuer, account) = label
            .strip_prefix("totp/")
            .unwrap()
            .split_once(':')
            .unwrap();
        let read = |part: &str| doorward::kit::http::fields::decode_path(part).unwrap();
        assert_eq!(read(issuer), organisation, "{address}");
        assert_eq!(read(account), email, "{address}");
        assert!(!account.contains([':', '&', '?', '#', '+']), "{address}");
        somebody.sees(&format!("{organisation}: {email}"));
    }
}

#[test]
fn what_is_no_code_is_refused_in_every_field() {
    let portal = Portal::start();
    let mut mia = free_member(&portal);
    let mut leo = portal.member(Role::Member, "leo@fjord.example");
    mia.enrol();
    let phone = begin(&mut leo);
    for wrong in [
        "",
        "   ",
        "12345",
        "1234567",
        "-1",
        "１２３４５６",
        "٠١٢٣٤٥",
        "12345a",
        "1e5000",
        "k7mq-2vf1",
        "<script>",
        "' OR 1=1 --",
        &"9".repeat(4_000),
    ] {
        leo.post(CONFIRM, &[("code", wrong)]).answers(422);
        assert_eq!(
            leo.html().matches("aria-invalid=\"true\"").count(),
            1,
            "{wrong}"
        );
        for path in [PAGE, DISABLE] {
            mia.post(path, &[("code", wrong)]).answers(422);
            assert_eq!(
                mia.html().matches("aria-invalid=\"true\"").count(),
                1,
                "{wrong}"
            );
        }
    }
    // None of them was a guess.
    assert_eq!(recorded(&portal, "code.failed"), 0);
    leo.post(CONFIRM, &[("code", "k7mq-2vfd")])
        .answers(422)
        .sees("Enter the 6-digit code that the app shows for this key.");
    for path in [CONFIRM, PAGE, DISABLE] {
        let visitor = if path == CONFIRM { &mut leo } else { &mut mia };
        visitor.post(path, &[("code", "000000")]).answers(422);
        visitor.post(path, &[]).answers(422);
        visitor
            .post(path, &[("code", "123456"), ("code", "123456")])
            .answers(400);
        visitor.post(path, &[("code[]", "123456")]).answers(400);
        visitor
            .draft(Method::Post, path)
            .proven()
            .field("code", "12\u{0}3456")
            .send()
            .answers(400);
    }
    assert_eq!(recorded(&portal, "code.failed"), 3);
    // Blanks do not matter.
    let code = phone.code(now(&portal));
    let (first, second) = code.split_at(3);
    leo.post(CONFIRM, &[("code", &format!(" {first} {second} "))])
        .answers(200);
}

#[test]
fn the_first_code_cannot_be_guessed() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let phone = begin(&mut mia);
    let key = key_on(&mia);
    for _ in 0..10 {
        mia.post(CONFIRM, &[("code", "000000")]).answers(422);
    }
    let code = phone.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)])
        .answers(429)
        .sees("Too many tries.");
    assert!(mia.header("Retry-After").is_some());
    assert_eq!(key_on(&mia), key);
    assert_eq!(count(&portal, "factors"), 0);
    assert_eq!(recorded(&portal, "code.throttled"), 1);
    portal.travel(15 * MINUTE);
    let code = phone.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)]).answers(200);
}

#[test]
fn an_old_session_shows_its_password_first() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    portal.travel(11 * MINUTE);
    mia.get(PAGE).sees("Current password");
    mia.post(PAGE, &[])
        .answers(422)
        .sees("Enter your password.");
    mia.post(PAGE, &[("current_password", "Wrong-Horse-7!")])
        .answers(422)
        .sees("This is not your password.");
    assert_eq!(count(&portal, "enrolments"), 0);
    let before = mia.cookie("session");
    mia.post(PAGE, &[("current_password", PASSWORD)])
        .answers(303)
        .goes_to(PAGE);
    assert_ne!(mia.cookie("session"), before);
    assert_eq!(count(&portal, "enrolments"), 1);
    mia.follow().sees("1. Scan the code");
}

#[test]
fn a_key_waits_for_thirty_minutes() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let phone = begin(&mut mia);
    portal.travel(30 * MINUTE - 1);
    mia.get(PAGE).sees("1. Scan the code");
    portal.travel(1);
    let code = phone.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)])
        .answers(403)
        .sees("The key that was shown is too old. Begin again, and scan the new one.")
        .sees("Set it up");
    assert_eq!(count(&portal, "factors"), 0);
    mia.post(PAGE, &[("current_password", PASSWORD)])
        .answers(303)
        .follow();
    assert_ne!(
        phone.code_at(now(&portal)),
        Phone::new(&key_on(&mia)).code_at(now(&portal))
    );
    // Nor does another phone's.
    let phone = Phone::new(&key_on(&mia));
    let code = phone.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)]).answers(200);
    portal.travel(60);
    let code = phone.code(now(&portal));
    mia.post(PAGE, &[("code", &code)]).answers(303).follow();
    let other = Phone::new(&key_on(&mia));
    portal.travel(31 * MINUTE);
    let code = other.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)])
        .answers(403)
        .sees("No key waits for a code")
        .sees("Move to another phone");
    // The present phone is as good as before.
    let code = phone.code(now(&portal));
    assert!(sign_in_with(&mia, &code).answers(303).is_signed_in());
}

#[test]
fn of_two_browsers_that_set_it_up_the_first_wins() {
    let portal = Portal::start();
    let mut one = member(&portal);
    let mut other = one.elsewhere();
    other.sign_in();
    let (phone, late) = (begin(&mut one), begin(&mut other));
    assert_eq!(count(&portal, "enrolments"), 2);
    let code = phone.code(now(&portal));
    one.post(CONFIRM, &[("code", &code)]).answers(200);
    let code = late.code(now(&portal));
    other
        .post(CONFIRM, &[("code", &code)])
        .answers(303)
        .goes_to("/sign-in")
        .follow()
        .sees("You are signed out here.");
    assert_eq!(count(&portal, "enrolments"), 0);
    assert_eq!(count(&portal, "recovery_codes"), 10);
    portal.travel(30);
    let wrong = late.code(now(&portal));
    sign_in_with(&one, &wrong).answers(422);
    let right = phone.code(now(&portal));
    assert!(sign_in_with(&one, &right).answers(303).is_signed_in());
}

/// Both send their code at once; their statuses.
fn at_once(one: (&mut Visitor, &str), other: (&mut Visitor, &str)) -> [u16; 2] {
    let barrier = Barrier::new(2);
    let send = |(visitor, code): (&mut Visitor, &str)| {
        barrier.wait();
        visitor.post(CONFIRM, &[("code", code)]).status()
    };
    std::thread::scope(|threads| {
        let one = threads.spawn(|| send(one));
        let other = threads.spawn(|| send(other));
        [one.join().unwrap(), other.join().unwrap()]
    })
}

#[test]
fn two_browsers_at_the_very_same_time_set_up_one_phone() {
    let portal = Portal::start();
    for round in 0..8 {
        let mut one = portal.member(Role::Member, &format!("m{round}@fjord.example"));
        let mut other = one.elsewhere();
        other.sign_in();
        let (phone, late) = (begin(&mut one), begin(&mut other));
        let at = now(&portal);
        let codes = [phone.code_at(at), late.code_at(at)];
        let statuses = at_once((&mut one, &codes[0]), (&mut other, &codes[1]));
        let won = match statuses {
            [200, 303] => 0,
            [303, 200] => 1,
            _ => panic!("{statuses:?}"),
        };
        let (winner, loser) = if won == 0 { (one, other) } else { (other, one) };
        assert!(winner.is_signed_in() && !loser.is_signed_in());
        let shown = codes_on(&winner);
        let id = winner.account().id;
        let kept: Vec<i64> = portal.ask(
            "SELECT count(*) FROM recovery_codes GROUP BY account_id ORDER BY account_id DESC LIMIT 1",
        );
        assert_eq!(kept, [10], "{id}");
        portal.travel(30);
        let phones = [&phone, &late];
        let wrong = phones[1 - won].code_at(now(&portal));
        sign_in_with(&winner, &wrong).answers(422);
        let right = phones[won].code_at(now(&portal));
        sign_in_with(&winner, &right).answers(303);
        sign_in_with(&winner, &shown[0]).answers(303);
    }
    assert_eq!(count(&portal, "factors"), 8);
    assert_eq!(count(&portal, "enrolments"), 0);
    assert_eq!(recorded(&portal, "two_factor.enabled"), 8);
}

#[test]
fn a_button_pressed_twice_confirms_once() {
    let portal = Portal::start();
    for round in 0..8 {
        let mut one = portal.member(Role::Member, &format!("m{round}@fjord.example"));
        let phone = begin(&mut one);
        let mut twin = one.clone();
        let code = phone.code(now(&portal));
        let mut statuses = at_once((&mut one, &code), (&mut twin, &code));
        let winner = if statuses[0] == 200 { &one } else { &twin };
        let shown = codes_on(winner);
        statuses.sort_unstable();
        // Whoever comes later is signed out already, or finds no key that waits.
        assert!(matches!(statuses, [200, 303 | 403]), "{statuses:?}");
        assert!(winner.is_signed_in());
        // The codes that were shown are those that count.
        sign_in_with(winner, &shown[9]).answers(303);
    }
    assert_eq!(count(&portal, "recovery_codes"), 80);
    assert_eq!(recorded(&portal, "two_factor.enabled"), 8);
}

#[test]
fn another_phone_takes_the_place_of_the_first() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    mia.enrol();
    let first = mia.phone.clone().unwrap();
    portal.travel(30);
    let mut other = mia.elsewhere();
    other.sign_in();
    portal.travel(30);
    // It takes a code of the present phone, or a recovery code.
    mia.post(PAGE, &[]).answers(422).sees("Enter the code.");
    mia.post(PAGE, &[("code", "000000")]).answers(422);
    assert_eq!(count(&portal, "enrolments"), 0);
    mia.post(PAGE, &[("code", &first.recovery[0])])
        .answers(303)
        .follow()
        .sees("Move to another phone")
        .sees("Your present phone stays good until you confirm.")
        .sees("Not now");
    let second = Phone::new(&key_on(&mia));
    assert!(other.is_signed_in());
    // What can be done with the present one is one link away, and a form there says itself what is wrong with it.
    mia.get("/account/two-factor?view=manage")
        .sees("You began to move to another phone.")
        .sees("9 of 10 recovery codes left");
    mia.post(PAGE, &[("code", "000000")])
        .answers(422)
        .sees("You began to move to another phone.")
        .sees("That code is not right.");
    let code = first.code(now(&portal));
    assert!(sign_in_with(&mia, &code).answers(303).is_signed_in());
    // The old phone's code does not confirm the new one.
    portal.travel(30);
    let code = first.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)]).answers(422);
    assert_eq!(key_on(&mia), key_of(&mia.get(PAGE).html()));
    let code = second.code(now(&portal));
    mia.post(CONFIRM, &[("code", &code)])
        .answers(200)
        .sees("Save your recovery codes")
        .sees("Your new phone counts from here on; the old one and its recovery codes are dead.");
    let new = codes_on(&mia);
    assert!(mia.is_signed_in() && !other.is_signed_in());
    assert!(details(&portal, "two_factor.enabled").contains("\"replaced\":true"));
    assert_eq!(mails(&portal, "two_factor_on"), 2);
    portal.travel(60);
    let dead = first.code_at(now(&portal));
    for dead in [dead.as_str(), &first.recovery[1]] {
        sign_in_with(&mia, dead).answers(422);
    }
    let good = second.code(now(&portal));
    for good in [good.as_str(), &new[0]] {
        assert!(sign_in_with(&mia, good).answers(303).is_signed_in());
    }
    assert_eq!(count(&portal, "factors"), 1);
    assert_eq!(count(&portal, "recovery_codes"), 10);
}

fn key_of(html: &str) -> String {
    let key = between(html, "<output id=\"key\"", "</output>");
    key.split_once('>').unwrap().1.replace(' ', "")
}

#[test]
fn whoever_must_set_it_up_sees_nothing_else_and_comes_to_where_they_wanted() {
    let portal = Portal::start();
    let mut ada = portal.member(Role::Admin, "ada@fjord.example");
    ask_for(&portal, Level::Required, 0);
    let wanted = "/iam/accounts?q=ada&per=50";
    ada.get(wanted).answers(303);
    let there = ada.location().unwrap();
    assert_eq!(
        there,
        format!("{PAGE}?next=%2Fiam%2Faccounts%3Fq%3Dada%26per%3D50")
    );
    ada.follow()
        .answers(200)
        .sees("Your organisation Fjord Supply requires two-factor for Admins. Set it up to go on.")
        .sees("Sign out")
        .sees_not("Not now")
        .sees_not("Dashboard");
    let hidden = "<input type=\"hidden\" name=\"next\" value=\"/iam/accounts?q=ada&amp;per=50\">";
    assert!(ada.html().contains(hidden), "{}", ada.html());
    // Help can be read, and what is not there says where to go.
    ada.get("/help/2fa-security")
        .answers(200)
        .sees("Back to the set-up")
        .sees_not("Dashboard");
    ada.get("/nothing")
        .answers(404)
        .sees("Sign out")
        .sees("Enable 2-step verification")
        .sees_not("Dashboard");
    ada.post(PAGE, &[("next", wanted)])
        .answers(303)
        .goes_to(&there)
        .follow()
        .sees("Sign out")
        .sees_not("Not now");
    assert!(ada.html().contains(hidden));
    let phone = Phone::new(&key_on(&ada));
    // A wrong code keeps it too.
    ada.post(CONFIRM, &[("code", "000000"), ("next", wanted)])
        .answers(422);
    assert!(ada.html().contains(hidden));
    let code = phone.code(now(&portal));
    ada.post(CONFIRM, &[("code", &code), ("next", wanted)])
        .answers(200)
        .sees("I have saved these codes somewhere other than my phone.")
        .sees_not("Sign out");
    let page = ada.html();
    assert!(page.contains("<form class=\"stack\" method=\"get\" action=\"/iam/accounts\">"));
    assert!(page.contains("<input type=\"hidden\" name=\"q\" value=\"ada\">"));
    assert!(page.contains("<input type=\"hidden\" name=\"per\" value=\"50\">"));
    ada.get(wanted).answers(200);
}

#[test]
fn the_codes_lead_to_a_page_of_ours_and_to_no_other() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    for (next, action) in [
        ("/", "/"),
        ("//evil.example/", "/account#two-factor"),
        ("https://evil.example/", "/account#two-factor"),
        ("/sign-out", "/account#two-factor"),
        ("javascript:alert(1)", "/account#two-factor"),
        ("", "/account#two-factor"),
    ] {
        mia.get(format!(
            "{PAGE}?next={}",
            doorward::kit::http::fields::encode(next)
        ));
        mia.sees("Not now");
        if count(&portal, "factors") == 0 {
            let phone = begin(&mut mia);
            let code = phone.code(now(&portal));
            mia.post(CONFIRM, &[("code", &code), ("next", next)]);
        }
        mia.answers(200);
        let form = format!("method=\"get\" action=\"{action}\"");
        assert!(mia.html().contains(&form), "{next}: {}", mia.html());
        portal.tamper(
            "DELETE FROM factors; DELETE FROM recovery_codes; UPDATE accounts SET two_factor = 0",
        );
        portal.travel(60);
    }
}

#[test]
fn the_operators_warning_stands_on_these_pages_too() {
    let portal = Portal::build()
        .settings(|settings| settings.warning = Some("This Portal is reached without encryption."))
        .start();
    let mut mia = member(&portal);
    mia.get(PAGE)
        .sees("This Portal is reached without encryption.");
    begin(&mut mia);
    mia.sees("This Portal is reached without encryption.");
    mia.get(PAGE);
    assert!(
        mia.html()
            .contains("<a class=\"btn quiet\" href=\"/account#two-factor\">Not now</a>")
    );
}
