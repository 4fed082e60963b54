//! What stands above every page of whoever has no second factor: what is asked of them, and until when.

use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::kit::time::{DAY, HOUR};
use doorward::scope::Allowed;
use doorward::settings;

use crate::portal::{Portal, START};
use crate::visitor::Visitor;

const RECOMMENDED: &str = "Two-factor is strongly recommended. Set it up.";
const REQUIRED: &str = "Two-factor is required from";

fn decide(portal: &Portal, level: Level, grace_days: u8) {
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let wanted = Policies::each(|_| Policy { level, grace_days });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &by, &wanted, Trust::Off)
    })
    .unwrap();
}

fn mia(portal: &Portal) -> Visitor {
    portal.member(Role::Member, "mia@fjord.example")
}

/// The note that holds these words, as HTML, with its class.
#[track_caller]
fn note_with(visitor: &Visitor, words: &str) -> String {
    let page = visitor.html();
    let found = page
        .split("<div class=\"note")
        .skip(1)
        .find(|note| note.contains(words));
    found
        .unwrap_or_else(|| visitor.fail(&format!("no note says {words:?}")))
        .to_owned()
}

#[test]
fn what_is_required_is_told_with_its_day_and_what_is_left_until_then() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    // How much is left, how it is said, and whether it is a warning.
    for (left, words, is_warning) in [
        (7 * DAY, "in 7 days", false),
        (7 * DAY - 1, "in 6 days", false),
        (3 * DAY, "in 3 days", false),
        (2 * DAY + 1, "in 2 days", false),
        (2 * DAY, "in 2 days", true),
        (2 * DAY - 1, "in 1 day", true),
        (DAY - 1, "in 23 hours", true),
        (2 * HOUR, "in 2 hours", true),
        (2 * HOUR - 1, "in 1 hour", true),
        (HOUR - 1, "in less than an hour", true),
        (1, "in less than an hour", true),
    ] {
        let when = START.plus(7 * DAY - left);
        portal.travel(when.since(portal.app().now()));
        mia.get("/sign-in");
        mia.lose("session");
        mia.sign_in();
        for page in ["/", "/account", "/help/2fa-security"] {
            mia.get(page)
                .answers(200)
                .sees(&format!("{REQUIRED} 1 Dec 2026 on ({words}). Set it up."));
            let note = note_with(&mia, REQUIRED);
            assert_eq!(note.starts_with(" warn"), is_warning, "{left}: {note}");
            assert!(note.contains("href=\"/account/two-factor\""), "{note}");
        }
        // On the page that it leads to it would lead nowhere.
        mia.get("/account/two-factor")
            .answers(200)
            .sees_not(REQUIRED);
    }
}

#[test]
fn what_is_recommended_is_told_and_no_more_once_it_is_off_or_done() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    decide(&portal, Level::Recommended, 0);
    mia.get("/").sees(RECOMMENDED).sees_not(REQUIRED);
    let note = note_with(&mia, RECOMMENDED.split('.').next().unwrap());
    assert!(!note.starts_with(" warn"), "{note}");
    mia.get("/account/two-factor")
        .answers(200)
        .sees_not(RECOMMENDED);
    decide(&portal, Level::Off, 0);
    for page in ["/", "/account"] {
        mia.get(page)
            .answers(200)
            .sees_not(RECOMMENDED)
            .sees_not(REQUIRED);
    }
    for (level, days) in [(Level::Recommended, 0), (Level::Required, 1)] {
        decide(&portal, level, days);
        mia.get("/");
        if mia.text().contains(RECOMMENDED) == mia.text().contains(REQUIRED) {
            mia.fail("one of both is told");
        }
    }
    mia.enrol();
    for page in ["/", "/account"] {
        mia.get(page)
            .answers(200)
            .sees_not(RECOMMENDED)
            .sees_not(REQUIRED);
    }
}

#[test]
fn the_day_is_that_of_the_readers_zone() {
    let portal = Portal::start();
    let mut mia = mia(&portal);
    portal.tamper("UPDATE accounts SET time_zone = 'Pacific/Kiritimati' WHERE email LIKE 'mia%'");
    mia.get("/").sees(&format!("{REQUIRED} 2 Dec 2026 on"));
}
