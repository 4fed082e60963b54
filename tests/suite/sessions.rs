//! Sessions: the cookie, what ends one, and what does not.

use doorward::accounts;
use doorward::domain::role::{Managers, Role};
use doorward::kit::http::request::Method;
use doorward::kit::time::{HOUR, MINUTE};
use doorward::passwords;
use doorward::scope::By;

use crate::portal::Portal;
use crate::visitor::Visitor;

const ANN: &str = "ann@fjord.example";

/// The page that strangers are sent away from, so that being let in is told from being sent to sign in. Whoever is
/// signed in is sent on from here.
fn is_let_in(visitor: &mut Visitor) -> bool {
    visitor.get("/sign-in");
    let door = visitor.status() == 303;
    assert_eq!(door, visitor.is_signed_in());
    door
}

#[test]
fn the_cookies_are_as_strict_as_cookies_can_be() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    stranger.get("/sign-in");
    let mut cookies: Vec<String> = Vec::new();
    cookies.extend(
        stranger
            .last()
            .all("Set-Cookie")
            .into_iter()
            .map(str::to_owned),
    );
    stranger.email = crate::portal::OWNER.to_owned();
    stranger.password = crate::portal::PASSWORD.to_owned();
    stranger.sign_in();
    cookies.extend(
        stranger
            .last()
            .all("Set-Cookie")
            .into_iter()
            .map(str::to_owned),
    );
    stranger.post("/theme", &[("theme", "dark")]);
    cookies.extend(
        stranger
            .last()
            .all("Set-Cookie")
            .into_iter()
            .map(str::to_owned),
    );
    stranger.sign_out();
    cookies.extend(
        stranger
            .last()
            .all("Set-Cookie")
            .into_iter()
            .map(str::to_owned),
    );
    let mut names: Vec<&str> = Vec::new();
    for cookie in &cookies {
        let (name, _) = cookie.split_once('=').unwrap();
        names.push(name);
        let marks: Vec<&str> = cookie.split("; ").skip(1).collect();
        for mark in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
            assert!(marks.contains(&mark), "{mark} is missing in {cookie}");
        }
        let known = |mark: &&str| {
            ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"].contains(mark)
                || mark.starts_with("Max-Age=")
        };
        assert!(marks.iter().all(known), "{cookie}");
        assert!(cookie.len() < 4_096);
    }
    assert_eq!(
        names,
        [
            "__Host-visit",
            "__Host-session",
            "__Host-device",
            "__Host-visit",
            "__Host-theme",
            "__Host-flash",
            "__Host-session"
        ]
    );
    assert!(
        !cookies[1].contains("Max-Age"),
        "a session ends with the browser at the latest"
    );
    assert!(
        stranger.header("Clear-Site-Data").is_none(),
        "it would erase the known device"
    );
}

#[test]
fn over_http_the_cookies_have_neither_prefix_nor_secure() {
    let portal = Portal::build().http().start();
    let mut owner = portal.owner();
    assert_eq!(owner.cookie_names(), ["device", "session"]);
    assert!(
        owner
            .last()
            .all("Set-Cookie")
            .iter()
            .all(|cookie| !cookie.contains("Secure"))
    );
    assert!(is_let_in(&mut owner));
}

#[test]
fn the_file_holds_no_cookie_in_any_writing() {
    let portal = Portal::start();
    let owner = portal.owner();
    let cookie = owner.cookie("session").unwrap();
    assert_eq!(cookie.len(), 43, "256 bits");
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(cookie.as_bytes())
        .unwrap();
    let mut file = std::fs::read(portal.file()).unwrap();
    file.extend(std::fs::read(portal.file().with_extension("db-wal")).unwrap());
    for needle in [
        bytes.clone(),
        data_encoding::HEXLOWER.encode(&bytes).into_bytes(),
        data_encoding::HEXUPPER.encode(&bytes).into_bytes(),
        data_encoding::BASE64.encode(&bytes).into_bytes(),
        cookie.into_bytes(),
    ] {
        assert!(!file.windows(needle.len()).any(|window| window == needle));
    }
}

#[test]
fn signing_out_ends_the_session_and_no_other() {
    let portal = Portal::start();
    let mut here = portal.owner();
    let mut there = here.elsewhere();
    there.sign_in();
    let cookie = here.cookie("session").unwrap();
    here.get("/").last();
    assert_eq!(here.header("Cache-Control").as_deref(), Some("no-store"));
    here.sign_out().goes_to("/sign-in");
    here.plant("__Host-session", &cookie);
    assert!(!is_let_in(&mut here));
    here.get("/mail")
        .answers(303)
        .goes_to("/sign-in?next=%2Fmail");
    assert!(is_let_in(&mut there));
    assert_eq!(portal.audit(Some(portal.first()))[0].action, "signed_out");
}

#[test]
fn whoever_signs_out_too_late_is_signed_out_all_the_same() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.get("/");
    portal.travel(2 * HOUR);
    owner
        .post("/sign-out", &[])
        .answers(303)
        .goes_to("/sign-in");
    owner.follow().answers(200).sees("You are signed out.");
    assert_eq!(owner.cookie("session"), None);
}

#[test]
fn a_session_is_new_at_every_sign_in() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let first = owner.cookie("session").unwrap();
    owner.lose("session");
    // A cookie that somebody planted before is not taken over.
    owner.plant("__Host-session", &"A".repeat(43));
    owner.sign_in();
    let second = owner.cookie("session").unwrap();
    assert_ne!(first, second);
    assert_ne!(second, "A".repeat(43));
}

#[test]
fn whoever_is_disabled_or_deleted_is_out_at_the_next_request() {
    for end in [
        "UPDATE accounts SET status = 'disabled', disabled_at = 1 WHERE email = 'ann@fjord.example'",
        "UPDATE accounts SET status = 'deleted', deleted_at = 1, email = NULL WHERE email = 'ann@fjord.example'",
        "UPDATE organisations SET disabled_at = 1",
        "UPDATE accounts SET epoch = epoch + 1 WHERE email = 'ann@fjord.example'",
    ] {
        let portal = Portal::start();
        let mut ann = portal.member(Role::Admin, ANN);
        assert!(is_let_in(&mut ann));
        portal.tamper(end);
        assert!(!is_let_in(&mut ann), "{end}");
        ann.get("/iam/accounts").answers(303);
    }
}

#[test]
fn another_password_ends_every_session_of_the_account_and_of_no_other() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ann = portal.member_of(&owner, Role::Member, ANN);
    let mut elsewhere = ann.elsewhere();
    elsewhere.sign_in();
    let (app, account) = (portal.app(), ann.account());
    let hash = portal.hash("Another-Horse-8!");
    app.write(app.now(), |tx| {
        passwords::change(tx, &By::operator(), &account, &hash)
    })
    .unwrap();
    for visitor in [&mut ann, &mut elsewhere] {
        assert!(!is_let_in(visitor));
    }
    assert!(is_let_in(&mut owner));
    ann.try_password(ANN, crate::portal::PASSWORD).answers(422);
    ann.try_password(ANN, "Another-Horse-8!").answers(303);
    let left = app
        .read(app.now(), |read| {
            Ok(doorward::sessions::live(
                read,
                account.id,
                doorward::sessions::Lifetimes::default(),
            )?
            .len())
        })
        .unwrap();
    assert_eq!(left, 1);
}

#[test]
fn a_gain_waits_for_the_next_sign_in_and_is_told() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, ANN);
    portal.tamper("UPDATE accounts SET role = 'admin' WHERE email = 'ann@fjord.example'");
    ann.get("/iam/accounts")
        .answers(403)
        .sees("Your permission is now Admin. Sign out and in to use it.");
    assert_eq!(
        ann.scope().unwrap().permissions,
        Role::Member.permissions(Managers::default())
    );
    ann.sign_out().sign_in();
    assert_eq!(
        ann.scope().unwrap().permissions,
        Role::Admin.permissions(Managers::default())
    );
}

#[test]
fn two_hours_without_a_request_end_a_session() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.travel(2 * HOUR - 1);
    assert!(is_let_in(&mut owner));
    portal.travel(2 * HOUR);
    assert!(!is_let_in(&mut owner));
}

#[test]
fn a_day_ends_a_session_however_busy() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for _ in 0..23 {
        portal.travel(HOUR);
        assert!(is_let_in(&mut owner));
    }
    portal.travel(HOUR - 1);
    assert!(is_let_in(&mut owner));
    portal.travel(1);
    assert!(!is_let_in(&mut owner));
}

#[test]
fn a_clock_that_steps_back_revives_nothing() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.travel(3 * HOUR);
    assert!(!is_let_in(&mut owner));
    portal.travel(-3 * HOUR);
    assert!(!is_let_in(&mut owner));
}

#[test]
fn the_last_use_is_written_once_a_minute() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let start = portal.app().now().0;
    let used = || portal.ask::<i64>("SELECT used_at FROM sessions")[0];
    portal.travel(MINUTE - 1);
    owner.get("/sign-in");
    assert_eq!(used(), start);
    portal.travel(1);
    owner.get("/sign-in");
    assert_eq!(used(), start + MINUTE);
}

#[test]
fn sessions_that_are_over_are_swept() {
    let portal = Portal::start();
    portal.owner();
    portal.travel(3 * HOUR);
    portal.work();
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM sessions"), [0]);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM devices"), [1]);
}

#[test]
fn planted_cookies_open_nothing() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let good = owner.cookie("session").unwrap();
    let mut stranger = portal.visitor();
    // A sibling host can set the name without its prefix; and then two of the same name are sent.
    stranger.plant("session", &good);
    assert!(!is_let_in(&mut stranger));
    for header in [
        format!("__Host-session={good}; __Host-session={good}"),
        format!("__Host-session=planted; __Host-session={good}"),
        format!("__Host-session={good}="),
        format!("__Host-session=\"{good}\""),
        format!("__host-session={good}"),
        "__Host-session=".to_owned(),
        format!("__Host-session={}", "A".repeat(4_000)),
        format!("__Host-session={}", good.to_lowercase()),
    ] {
        owner
            .draft(Method::Get, "/sign-in")
            .header("Cookie", &header)
            .send()
            .answers(200);
    }
    owner
        .draft(Method::Get, "/sign-in")
        .also("Cookie", &format!("__Host-session={good}"))
        .send()
        .answers(200);
    assert!(is_let_in(&mut owner));
}

#[test]
fn a_restart_ends_no_session_and_revives_none() {
    let portal = Portal::start();
    let mut here = portal.owner();
    let mut there = here.elsewhere();
    there.sign_in();
    let ended = there.cookie("session").unwrap();
    there.sign_out();
    there.plant("__Host-session", &ended);
    portal.restart(|_, _| ());
    assert!(is_let_in(&mut here));
    assert!(!is_let_in(&mut there));
}

#[test]
fn an_account_has_fifty_sessions_and_the_oldest_give_way() {
    let portal = Portal::start();
    let mut first = portal.owner();
    let mut second = first.elsewhere();
    portal.travel(1);
    second.sign_in();
    for _ in 0..49 {
        portal.travel(1);
        second.elsewhere().sign_in();
    }
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM sessions"), [50]);
    assert!(!is_let_in(&mut first));
    assert!(is_let_in(&mut second));
}

#[test]
fn an_account_that_was_disabled_while_its_password_was_verified_gets_no_session() {
    let portal = Portal::start();
    portal.owner();
    let ann = portal.member(Role::Member, ANN);
    let (app, account) = (portal.app(), ann.account());
    app.housekeep(app.now(), |tx| accounts::raise_epoch(tx, account.id))
        .unwrap();
    let sign_in = doorward::sessions::SignIn {
        account: &account,
        device: None,
        agent: "Firefox on Linux",
        address: ann.address,
    };
    let opened = app.write(app.now(), |tx| {
        doorward::sessions::enter(
            tx,
            &By::operator(),
            &sign_in,
            doorward::sessions::Key::Password,
        )
    });
    assert!(
        matches!(opened, Err(doorward::error::Error::NotFound)),
        "{opened:?}"
    );
}
