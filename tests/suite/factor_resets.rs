//! Another takes a second factor away, and what becomes of one with its account: who may, what ends, and two at once.

use std::sync::Barrier;

use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::kit::time::{DAY, MINUTE};
use doorward::scope::{Allowed, ManageAccounts};
use doorward::{lifecycle, settings};

use crate::answer;
use crate::phone::Phone;
use crate::portal::{OWNER, PASSWORD, Portal};
use crate::visitor::Visitor;

const MIA: &str = "mia@fjord.example";
/// How often two meet.
const ROUNDS: usize = 12;
/// The tables that hold anything of a second factor.
const TABLES: [&str; 5] = [
    "factors",
    "recovery_codes",
    "enrolments",
    "challenges",
    "sign_in_links",
];

fn page_of(account: &Visitor) -> String {
    format!("/iam/accounts/{}", account.account().id)
}

/// What every role is asked for from here on.
fn decide(portal: &Portal, owner: &Visitor, level: Level, grace_days: u8, trust: Trust) {
    let app = portal.app();
    let policies = Policies::each(|_| Policy { level, grace_days });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &owner.allowed(), &policies, trust)
    })
    .unwrap();
}

/// How many rows of this table are the account's.
fn rows(portal: &Portal, table: &str, account: &Visitor) -> i64 {
    let id = account.account().id.number();
    portal.ask(&format!(
        "SELECT count(*) FROM {table} WHERE account_id = {id}"
    ))[0]
}

/// The actions of the log about this account, the oldest first.
fn actions(portal: &Portal, email: &str) -> Vec<String> {
    let entries = portal.audit(Some(portal.first()));
    let about = entries
        .iter()
        .rev()
        .filter(|entry| entry.target.as_deref() == Some(email));
    about.map(|entry| entry.action.clone()).collect()
}

/// Signs in again after their session was ended.
fn enter(visitor: &mut Visitor) {
    visitor.get("/sign-in");
    visitor.sign_in();
}

/// Somebody whose password was right in another browser, and who owes the code.
fn half_way(account: &Visitor) -> Visitor {
    let mut half = account.elsewhere();
    half.try_password(&account.email, &account.password)
        .answers(303);
    assert!(half.cookie("challenge").is_some());
    half
}

#[test]
fn a_reset_says_what_ends_and_then_it_ends() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    mia.enrol();
    let other = portal_browser(&portal, &mia);
    let page = page_of(&mia);
    portal.work();
    owner
        .get(format!("{page}/reset-two-factor"))
        .answers(200)
        .sees("Reset two-factor of MIA Vik?")
        .sees("The app and the recovery codes of MIA Vik stop working now, for good.")
        .sees("The password alone is enough from now on.")
        .sees("Two-factor is required for Member, and the grace begins anew: they have 7 days to set it up again.")
        .sees("2 sessions end now:")
        .sees("A mail tells MIA Vik that you reset it.")
        .sees("Cancel Reset two-factor of MIA Vik");
    assert!(
        mia.is_signed_in() && mia.account().has_two_factor,
        "looking does nothing"
    );
    owner
        .post(format!("{page}/reset-two-factor"), &[])
        .answers(303)
        .goes_to(&page)
        .follow()
        .sees("The two-factor of MIA Vik is reset, and every session ended.")
        .sees("Active No two-factor")
        .sees("Password. No two-factor. Required from");
    assert!(!mia.is_signed_in() && !other.is_signed_in());
    for table in TABLES {
        assert_eq!(rows(&portal, table, &mia), 0, "{table}");
    }
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM devices WHERE trusted_at IS NOT NULL"),
        [0]
    );
    let entries = portal.audit(Some(portal.first()));
    let event = entries
        .iter()
        .find(|entry| entry.action == "two_factor.reset")
        .unwrap();
    assert_eq!(event.target.as_deref(), Some(MIA));
    assert_eq!(event.actor_text.as_deref(), Some(OWNER));
    let owed =
        portal.ask::<String>("SELECT recipient FROM errands WHERE kind = 'two_factor_reset'");
    assert_eq!(owed, [MIA]);

    // The password alone; and once there is another factor, no code of the older app or list.
    let phone = mia.phone.take().unwrap();
    enter(&mut mia);
    assert!(mia.is_signed_in());
    // A reset again has nothing to do.
    owner
        .post(format!("{page}/reset-two-factor"), &[])
        .answers(403)
        .sees("This account has no second factor: there is nothing to reset.");
    mia.enrol();
    portal.travel(MINUTE);
    let mut half = half_way(&mia);
    for code in [phone.code(portal.app().now().0), phone.recovery[0].clone()] {
        half.post("/sign-in/code", &[("code", &code)]).answers(422);
    }
    let code = half.code();
    half.post("/sign-in/code", &[("code", &code)]).answers(303);
    assert!(half.is_signed_in());
}

/// The same person in a second browser.
fn portal_browser(portal: &Portal, account: &Visitor) -> Visitor {
    portal.travel(MINUTE);
    let mut other = account.elsewhere();
    other.sign_in();
    other
}

#[test]
fn grace_begins_anew_and_then_nothing_but_the_set_up_is_reached() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    mia.enrol();
    owner.enrol();
    portal.work();
    portal.travel(10 * DAY);
    enter(&mut owner);
    let page = page_of(&mia);
    owner
        .post(format!("{page}/reset-two-factor"), &[])
        .answers(303);
    mia.phone = None;
    enter(&mut mia);
    mia.get("/").answers(200);
    assert!(
        mia.is_signed_in(),
        "ten days after the policy, grace began anew"
    );
    portal.work();
    portal.travel(7 * DAY);
    enter(&mut mia);
    mia.get("/").answers(303).goes_to("/account/two-factor");
    assert!(!mia.is_signed_in());

    // With no days of grace the next sign-in leads there.
    let mut bo = portal.member_of(
        &{
            let mut owner = owner.clone();
            enter(&mut owner);
            owner
        },
        Role::Member,
        "bo@fjord.example",
    );
    bo.enrol();
    portal.travel(MINUTE);
    enter(&mut owner);
    decide(&portal, &owner, Level::Required, 0, Trust::Off);
    let page = page_of(&bo);
    owner.get(format!("{page}/reset-two-factor")).sees(
        "required for Member at once: their next sign-in leads to the set-up, and to nothing else",
    );
    owner
        .post(format!("{page}/reset-two-factor"), &[])
        .answers(303)
        .follow()
        .sees("Required since today");
    bo.phone = None;
    enter(&mut bo);
    bo.get("/").answers(303).goes_to("/account/two-factor");
    bo.enrol();
    bo.get("/").answers(200);
}

#[test]
fn what_follows_is_said_by_the_policy_of_the_role() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Billing, MIA);
    mia.enrol();
    owner.enrol();
    let page = page_of(&mia);
    for (level, days, told) in [
        (Level::Off, 0, "is not required for Billing"),
        (
            Level::Recommended,
            7,
            "is recommended for Billing, not required",
        ),
        (Level::Required, 1, "they have 1 day to set it up again"),
        (Level::Required, 30, "they have 30 days to set it up again"),
        (Level::Required, 0, "required for Billing at once"),
    ] {
        decide(&portal, &owner, level, days, Trust::Off);
        owner
            .get(format!("{page}/reset-two-factor"))
            .answers(200)
            .sees(told);
    }
    let silent = Portal::build().mail_off().start();
    let mut owner = silent.owner();
    let mut mia = silent.member(Role::Member, MIA);
    mia.enrol();
    owner
        .get(format!("{}/reset-two-factor", page_of(&mia)))
        .sees("Mail is off on this server: tell MIA Vik yourself.");
}

#[test]
fn whoever_may_not_act_resets_nothing() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ada = portal.member(Role::Admin, "ada@fjord.example");
    let mut max = portal.member(Role::Master, "max@fjord.example");
    let mut bo = portal.member(Role::Billing, "bo@fjord.example");
    let mut mia = portal.member(Role::Member, MIA);
    let pending = portal.invite(&owner, Role::Member, "lea@fjord.example");
    let mut lakeside = portal.organisation("Lakeside");
    for person in [&mut owner, &mut ada, &mut max, &mut mia] {
        person.enrol();
    }
    let (of_owner, of_ada, of_max, of_bo, of_mia) = (
        page_of(&owner),
        page_of(&ada),
        page_of(&max),
        page_of(&bo),
        page_of(&mia),
    );
    let of_pending = format!("/iam/accounts/{pending}");
    for (who, page, told) in [
        (&ada, &of_max, "Only a Master can do this to a Master."),
        (
            &ada,
            &of_owner,
            "only its person and the operator can do this",
        ),
        (
            &max,
            &of_owner,
            "only its person and the operator can do this",
        ),
        (&owner, &of_owner, "This is your own account."),
        (&ada, &of_ada, "This is your own account."),
        (&max, &of_bo, "there is nothing to reset"),
        (&owner, &of_pending, "nobody has set up a second factor"),
        (&bo, &of_mia, "Manage users"),
        (&mia, &of_ada, "Manage users"),
    ] {
        let (mut who, path) = (who.clone(), format!("{page}/reset-two-factor"));
        who.get(&path).answers(403).sees(told);
        who.post(&path, &[]).answers(403).sees(told);
        assert!(!who.get(page).html().contains(&path), "{path} is offered");
    }
    owner.post(format!("{of_mia}/disable"), &[]).answers(303);
    owner
        .post(format!("{of_mia}/reset-two-factor"), &[])
        .answers(403)
        .sees("Enable it first.");
    for path in [&of_ada, &of_mia] {
        let path = format!("{path}/reset-two-factor");
        lakeside.get(&path).answers(404);
        lakeside.post(&path, &[]).answers(404);
    }
    owner
        .post(format!("{of_ada}/reset-two-factor"), &[("status", "x")])
        .answers(400);
    for person in [&owner, &ada, &max, &mia] {
        assert!(person.account().has_two_factor, "{}", person.email);
    }
    assert_eq!(
        actions(&portal, MIA)
            .iter()
            .filter(|one| *one == "two_factor.reset")
            .count(),
        0
    );

    // The operator may, of anybody Active: the owner too.
    let (app, id) = (portal.app(), owner.account().id);
    let by: Allowed<ManageAccounts> = Allowed::operator(portal.first());
    app.write(app.now(), |tx| lifecycle::reset_two_factor(tx, &by, id))
        .unwrap();
    assert!(!owner.account().has_two_factor && !owner.is_signed_in());
    // And who may act, may: an Admin a Billing account, a Master an Admin and another Master.
    bo.enrol();
    for (who, page) in [(&mut ada, &of_bo), (&mut max, &of_ada)] {
        who.post(format!("{page}/reset-two-factor"), &[])
            .answers(303)
            .goes_to(page);
    }
}

#[test]
fn a_sign_in_that_waits_for_its_code_ends_with_the_reset() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    mia.enrol();
    portal.travel(MINUTE);
    let mut half = half_way(&mia);
    half.get("/sign-in/code").answers(200);
    owner
        .post(format!("{}/reset-two-factor", page_of(&mia)), &[])
        .answers(303);
    half.get("/sign-in/code").answers(303).goes_to("/sign-in");
    let code = half.code();
    half.post("/sign-in/code", &[("code", &code)])
        .answers(303)
        .goes_to("/sign-in");
    assert!(!half.is_signed_in());
    assert!(half.cookie("session").is_none());
}

#[test]
fn no_browser_that_was_trusted_skips_the_code_of_the_next_factor() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    decide(&portal, &owner, Level::Recommended, 7, Trust::Offered);
    let mut mia = portal.member(Role::Member, MIA);
    mia.enrol();
    portal.travel(MINUTE);
    mia.sign_out();
    mia.try_password(MIA, PASSWORD).answers(303);
    let code = mia.code();
    mia.post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    mia.sign_out();
    mia.try_password(MIA, PASSWORD).answers(303);
    assert!(mia.is_signed_in(), "this browser is trusted");
    owner
        .post(format!("{}/reset-two-factor", page_of(&mia)), &[])
        .answers(303);
    mia.phone = None;
    enter(&mut mia);
    mia.enrol();
    mia.sign_out();
    mia.try_password(MIA, PASSWORD).answers(303);
    assert!(!mia.is_signed_in(), "the code of the new factor is owed");
}

/// Both at once.
fn together<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    let barrier = Barrier::new(2);
    std::thread::scope(|threads| {
        let one = threads.spawn(|| {
            barrier.wait();
            one()
        });
        let other = threads.spawn(|| {
            barrier.wait();
            other()
        });
        (one.join().unwrap(), other.join().unwrap())
    })
}

/// The events of one round, of these actions, in order.
fn of_round(portal: &Portal, before: usize, wanted: &[&str]) -> Vec<String> {
    actions(portal, MIA)
        .into_iter()
        .skip(before)
        .filter(|action| wanted.contains(&action.as_str()))
        .collect()
}

/// Somebody with a factor, and the owner, both at the beginning of a round.
fn round(portal: &Portal, owner: &mut Visitor, mia: &mut Visitor) -> usize {
    portal.travel(2 * MINUTE);
    enter(owner);
    mia.phone = None;
    enter(mia);
    mia.enrol();
    portal.travel(MINUTE);
    actions(portal, MIA).len()
}

#[test]
fn a_reset_and_a_second_step_that_race_leave_nobody_in() {
    let portal = Portal::start();
    let (mut owner, mut mia) = (portal.owner(), portal.member(Role::Member, MIA));
    let page = format!("{}/reset-two-factor", page_of(&mia));
    let mut first = 0;
    for _ in 0..ROUNDS {
        let before = round(&portal, &mut owner, &mut mia);
        let mut half = half_way(&mia);
        let code = half.code();
        owner.get(&page).answers(200);
        let (_, status) = together(
            || owner.post(&page, &[]).answers(303).status(),
            || half.post("/sign-in/code", &[("code", &code)]).status(),
        );
        assert!(matches!(status, 303 | 422), "{status}");
        assert!(!half.is_signed_in(), "every session ended");
        assert!(!mia.account().has_two_factor);
        let events = of_round(&portal, before, &["two_factor.reset", "sign_in.succeeded"]);
        assert_eq!(
            events.last().map(String::as_str),
            Some("two_factor.reset"),
            "{events:?}"
        );
        first += usize::from(events.len() == 2);
    }
    println!("{first} of {ROUNDS} sign-ins came before the reset");
}

#[test]
fn of_a_reset_and_its_persons_own_one_takes_the_factor_away() {
    let portal = Portal::start();
    let (mut owner, mut mia) = (portal.owner(), portal.member(Role::Member, MIA));
    decide(&portal, &owner, Level::Off, 0, Trust::Off);
    let page = format!("{}/reset-two-factor", page_of(&mia));
    let mut own = 0;
    for _ in 0..ROUNDS {
        let before = round(&portal, &mut owner, &mut mia);
        let code = mia.code();
        owner.get(&page).answers(200);
        together(
            || owner.post(&page, &[]).status(),
            || {
                mia.post("/account/two-factor/disable", &[("code", &code)])
                    .status()
            },
        );
        assert!(!mia.account().has_two_factor);
        let events = of_round(
            &portal,
            before,
            &["two_factor.reset", "two_factor.disabled"],
        );
        assert_eq!(events.len(), 1, "{events:?}");
        let is_own = events[0] == "two_factor.disabled";
        assert_eq!(mia.is_signed_in(), is_own);
        own += usize::from(is_own);
    }
    println!("{own} of {ROUNDS} were turned off before the reset");
}

#[test]
fn a_reset_and_a_new_phone_that_race_leave_no_factor() {
    let portal = Portal::start();
    let (mut owner, mut mia) = (portal.owner(), portal.member(Role::Member, MIA));
    let page = format!("{}/reset-two-factor", page_of(&mia));
    let mut first = 0;
    for _ in 0..ROUNDS {
        let before = round(&portal, &mut owner, &mut mia);
        let code = mia.code();
        mia.post("/account/two-factor", &[("code", &code)])
            .answers(303)
            .follow();
        let html = mia.html();
        let key = answer::between(&html, "<output id=\"key\"", "</output>");
        let phone = Phone::new(key.split_once('>').unwrap().1);
        let code = phone.code(portal.app().now().0);
        owner.get(&page).answers(200);
        together(
            || owner.post(&page, &[]).answers(303).status(),
            || {
                mia.post("/account/two-factor/confirm", &[("code", &code)])
                    .status()
            },
        );
        assert!(!mia.account().has_two_factor && !mia.is_signed_in());
        for table in TABLES {
            assert_eq!(rows(&portal, table, &mia), 0, "{table}");
        }
        let events = of_round(&portal, before, &["two_factor.reset", "two_factor.enabled"]);
        assert_eq!(
            events.last().map(String::as_str),
            Some("two_factor.reset"),
            "{events:?}"
        );
        first += usize::from(events.len() == 2);
    }
    println!("{first} of {ROUNDS} phones were confirmed before the reset");
}

#[test]
fn disabling_keeps_the_factor_and_enabling_brings_it_back() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    mia.enrol();
    let page = page_of(&mia);
    portal.travel(MINUTE);
    let mut half = half_way(&mia);
    owner
        .get(format!("{page}/disable"))
        .sees("phone, password, two-factor, the permission Member");
    owner.post(format!("{page}/disable"), &[]).answers(303);
    half.get("/sign-in/code").answers(303).goes_to("/sign-in");
    assert!(mia.account().has_two_factor);
    owner
        .get("/iam/accounts?two_factor=on")
        .sees("No accounts match");
    owner
        .get(format!("{page}/enable"))
        .sees("with the password and the two-factor the account had");
    owner.post(format!("{page}/enable"), &[]).answers(303);
    half.get("/sign-in/code").answers(303).goes_to("/sign-in");
    mia.get("/sign-in");
    mia.try_password(MIA, PASSWORD).answers(303);
    assert!(!mia.is_signed_in(), "the code is asked for as before");
    let code = mia.phone.as_ref().unwrap().recovery[3].clone();
    mia.post("/sign-in/code", &[("code", &code)]).answers(303);
    assert!(mia.is_signed_in());
    owner
        .get("/iam/accounts?two_factor=on")
        .sees("1 to 1 of 1")
        .sees("MIA Vik");
}

#[test]
fn deleting_leaves_nothing_of_a_factor() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    decide(&portal, &owner, Level::Recommended, 0, Trust::Offered);
    let mut mia = portal.member(Role::Member, MIA);
    mia.enrol();
    portal.travel(MINUTE);
    // Half-way in one browser, trusted in another, moving to another phone in a third, and let in by the operator.
    half_way(&mia);
    let mut trusted = mia.elsewhere();
    trusted.try_password(MIA, PASSWORD).answers(303);
    let code = mia.code();
    trusted
        .post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    portal.travel(MINUTE);
    let code = mia.code();
    mia.post("/account/two-factor", &[("code", &code)])
        .answers(303);
    let (app, account) = (portal.app(), mia.account());
    app.write(app.now(), |tx| doorward::sessions::make_link(tx, &account))
        .unwrap();
    let id = account.id.number();
    let left = |table: &str| {
        portal.ask::<i64>(&format!(
            "SELECT count(*) FROM {table} WHERE account_id = {id}"
        ))[0]
    };
    for table in TABLES.iter().chain(&["devices", "sessions", "passwords"]) {
        assert!(left(table) > 0, "{table} is not tested");
    }
    let trusts = portal.ask::<i64>("SELECT count(*) FROM devices WHERE trusted_at IS NOT NULL");
    assert_eq!(trusts, [1]);
    let sealed = portal.ask::<Vec<u8>>(
        "SELECT sealed FROM factors UNION ALL SELECT sealed FROM enrolments UNION ALL SELECT mac FROM recovery_codes",
    );
    assert_eq!(sealed.len(), 12);
    let page = page_of(&mia);
    owner
        .get(format!("{page}/delete"))
        .sees("Password, two-factor and its recovery codes, email, phone");
    owner
        .post(format!("{page}/delete"), &[("email", MIA)])
        .answers(303);
    for table in TABLES.iter().chain(&["devices", "sessions", "passwords"]) {
        assert_eq!(left(table), 0, "{table}");
    }
    let kept = portal.ask::<i64>(&format!("SELECT two_factor FROM accounts WHERE id = {id}"));
    assert_eq!(kept, [0]);
    // Not in what the file no longer uses either.
    portal.tamper("PRAGMA wal_checkpoint(TRUNCATE)");
    let file = std::fs::read(portal.file()).unwrap();
    for one in sealed {
        let is_there = file.windows(one.len()).any(|window| window == one);
        assert!(!is_there, "what was deleted can be read in the file");
    }
    // Whoever comes back under the address has none of it.
    let mut again = portal.member(Role::Member, MIA);
    assert!(!again.account().has_two_factor);
    again.get("/account/two-factor").answers(200);
}
