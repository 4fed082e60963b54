//! People leave, in a browser: several accounts at once, one with all that it holds, on a date, and for good. Every state
//! is looked at as [`super::tour`] looks at the others; the whole course again with scripts switched off, and the choice
//! of several with the keyboard alone.

use std::path::{Path, PathBuf};

use doorward::domain::day;
use doorward::kit::time::{DAY, Timestamp};
use jiff::tz::TimeZone;
use serde_json::json;

use super::keyboard::{focus, tab_to};
use super::looker::Tour;
use super::steps::{
    ADMIN, BILLING, MASTER, MEMBER, PASSWORD, PENDING, choose, fill, go_on, heading, is_calm,
    row_menu, sign_in, stays_at,
};
use crate::process::{Doorward, Launch};
use crate::served::now;
use crate::webdriver::{Browser, key};

/// The Member who leaves, and holds something.
const MEMBER_NAME: &str = "Samuel Osei";

/// A day that is always to come, and within what can be chosen.
fn a_day() -> String {
    day::iso(Timestamp(now() + 30 * DAY), &TimeZone::UTC)
}

/// Ticks these accounts.
fn tick(browser: &Browser, emails: &[&str]) {
    for email in emails {
        let tick = format!("tr:has(a[href='{}']) .pick", path_of(browser, email));
        browser.find(&tick).click();
    }
}

/// The path of the account with this address in the list that is open.
fn path_of(browser: &Browser, email: &str) -> String {
    let find = "return [...document.querySelectorAll('tbody tr')].find(row => row.innerText.includes(arguments[0]))
        ?.querySelector('.c-main a, .c-detail a')?.getAttribute('href') ?? null";
    let found = browser.execute(find, &[json!(email)]);
    found
        .as_str()
        .unwrap_or_else(|| panic!("{email} is not in this list"))
        .to_owned()
}

/// Chooses a day, as a calendar does: how one is typed depends on the language of the browser.
fn pick_day(browser: &Browser, day: &str) {
    browser.execute(
        "const field = document.querySelector('dialog[open] [name=date], body:not(:has(dialog[open])) [name=date]');
         field.value = arguments[0];
         field.dispatchEvent(new Event('input', { bubbles: true }))",
        &[json!(day)],
    );
}

/// The file of the demonstration, which has a folder of its own in ours.
fn file(doorward: &Doorward) -> PathBuf {
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let mut folders = files(doorward.data()).into_iter();
    let file = folders.find_map(|folder| {
        let file = folder.join("doorward.db");
        file.exists().then_some(file)
    });
    file.unwrap()
}

/// As if the day had come and its giver were no longer allowed to.
fn drop_dates(doorward: &Doorward, why: &str) {
    let conn = rusqlite::Connection::open(file(doorward)).unwrap();
    conn.execute_batch(&format!(
        "UPDATE departures SET dropped_at = created_at, leaves_at = created_at, why = '{why}'
          WHERE account_id = (SELECT id FROM accounts WHERE email = '{MEMBER}')"
    ))
    .unwrap();
    assert_eq!(conn.changes(), 1);
}

#[test]
fn every_page_of_several_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_of_several_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    tour.see("list", "/iam/accounts?per=50", 200);
    tick(&browser, &[ADMIN, PENDING]);
    assert_eq!(browser.find("[data-count]").text(), "2 selected");
    tour.look("ticked");
    browser.find("#all").click();
    tour.look("all-ticked");

    go_on(&browser, "Disable…");
    tour.stop("disable", 200);
    go_on(&browser, "Cancel");
    go_on(&browser, "Resend invitation");
    tour.stop("nothing-chosen", 422);
    go_on(&browser, "Back to the list");
    tick(&browser, &[ADMIN, MEMBER]);
    go_on(&browser, "Resend invitation");
    tour.stop("nothing-possible", 200);
    go_on(&browser, "Back to the list");
    tick(&browser, &[ADMIN, PENDING]);
    go_on(&browser, "Resend invitation");
    tour.stop("resend", 200);
    go_on(&browser, "Cancel");
    tick(&browser, &[MASTER, ADMIN, BILLING, PENDING]);
    go_on(&browser, "Sign out everywhere");
    tour.stop("sign-out", 200);
    // Somebody else was faster.
    browser.execute(
        "document.querySelector('[name=seen]').value = 'otherwise'",
        &[],
    );
    go_on(&browser, "Sign out 2 accounts everywhere");
    tour.stop("changed-meanwhile", 422);
    go_on(&browser, "Sign out 2 accounts everywhere");
    tour.stop("done", 200);
    tour.end();
}

#[test]
fn several_are_chosen_with_the_keyboard() {
    let Some(browser) = Browser::open("several_are_chosen_with_the_keyboard") else {
        return;
    };
    let doorward = Launch::demo().start();
    sign_in(&browser, &doorward, MASTER, PASSWORD);
    browser.leaving(|| browser.press("ga"));
    tab_to(&browser, "Select all on this page");
    let all = browser.find_all("tbody .pick").len();
    browser.press(" ");
    assert_eq!(
        browser.find("[data-count]").text(),
        format!("{all} selected")
    );
    browser.press(" ");
    assert_eq!(browser.find("[data-count]").text(), "None selected");
    tab_to(&browser, &format!("Select {MEMBER_NAME}"));
    browser.screenshot_of_view("at-a-tick");
    browser.press(" ");
    assert_eq!(browser.find("[data-count]").text(), "1 selected");
    // Back to the bar, which is before the list.
    for _ in 0..200 {
        if focus(&browser) == "Sign out everywhere" {
            break;
        }
        browser
            .focused()
            .keys(&format!("{}{}", key::SHIFT, key::TAB));
    }
    assert_eq!(focus(&browser), "Sign out everywhere");
    browser.screenshot_of_view("at-the-bar");
    browser.leaving(|| browser.press(key::ENTER));
    assert_eq!(heading(&browser), "Sign out 1 account everywhere?");
    assert_eq!(focus(&browser), "Cancel");
    tab_to(&browser, "Sign out 1 account everywhere");
    browser.leaving(|| browser.press(key::ENTER));
    let said = format!("{MEMBER_NAME} is signed out everywhere.");
    assert!(browser.source().contains(&said));
    is_calm(&browser, &[]);
}

#[test]
fn every_page_of_leaving_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_of_leaving_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    // An Admin who invited somebody, and set another's last day.
    tour.sign_in(ADMIN);
    tour.go("/iam/accounts/new");
    fill(&browser, "email", "nora@demo-guests.example");
    go_on(&browser, "Confirm");
    tour.go(&format!("{}/disable", tour.account("aino@demo.example")));
    pick_day(&browser, &a_day());
    go_on(&browser, "Disable Aino Lehtonen");
    tour.sign_in(MASTER);
    let (member, admin) = (tour.account(MEMBER), tour.account(ADMIN));
    tour.see("disable", &format!("{member}/disable"), 200);
    tour.see("disable-with-invitations", &format!("{admin}/disable"), 200);
    tour.see("delete", &format!("{member}/delete"), 200);
    tour.see("delete-with-invitations", &format!("{admin}/delete"), 200);
    let pending = tour.account(PENDING);
    tour.see("delete-pending", &format!("{pending}/delete"), 200);
    tour.go(&member);
    browser.find_words("a", "Disable account…").click();
    browser.wait_until("dialog[open]");
    tour.look("disable-dialog");
    on_a_date(&tour, &member);
    drop_dates(&doorward, "giver");
    tour.see("dropped", &member, 200);
    tour.see("dropped-in-list", "/iam/accounts?q=samuel", 200);
    tour.see("dropped-disable", &format!("{member}/disable"), 200);
    tour.go(&member);
    go_on(&browser, "Put this away");
    tour.stop("put-away", 200);
    handed_over(&tour, &member);
    tour.see("owner", &format!("{}/disable", tour.account(MASTER)), 403);
    tour.end();
}

/// A last day is chosen wrongly, set, shown, changed and cancelled.
fn on_a_date(tour: &Tour<'_>, member: &str) {
    let browser = tour.browser;
    tour.go(&format!("{member}/disable"));
    browser.find("[name=when][value=date]").click();
    go_on(browser, &format!("Disable {MEMBER_NAME}"));
    tour.stop("date-missing", 422);
    pick_day(browser, "2020-01-01");
    go_on(browser, &format!("Disable {MEMBER_NAME}"));
    tour.stop("date-past", 422);
    pick_day(browser, &a_day());
    browser.find("[name=when][value=now]").click();
    go_on(browser, &format!("Disable {MEMBER_NAME}"));
    tour.stop("date-and-now", 422);
    // Choosing the day chooses the way.
    browser.find("[name=when][value=now]").click();
    pick_day(browser, &a_day());
    assert_eq!(
        browser.find("[name=when][value=date]").property("checked"),
        true
    );
    choose(browser, "heir", "Hand them all over to you");
    go_on(browser, &format!("Disable {MEMBER_NAME}"));
    tour.stop("date-set", 200);
    tour.see("date-in-list", "/iam/accounts?q=samuel", 200);
    tour.see("date-again", &format!("{member}/disable"), 200);
    tour.see("date-and-delete", &format!("{member}/delete"), 200);
    tour.go(member);
    go_on(browser, "Cancel the last day");
    tour.stop("date-cancelled", 200);
    tour.go(&format!("{member}/disable"));
    pick_day(browser, &a_day());
    go_on(browser, &format!("Disable {MEMBER_NAME}"));
}

/// Deleted, with all that it holds handed over.
fn handed_over(tour: &Tour<'_>, member: &str) {
    let browser = tour.browser;
    tour.go(&format!("{member}/delete"));
    fill(browser, "email", "samuel@elsewhere.example");
    choose(browser, "heir", "Hand them all over to you");
    go_on(browser, &format!("Delete {MEMBER_NAME}"));
    tour.stop("delete-wrong", 422);
    fill(browser, "email", MEMBER);
    go_on(browser, &format!("Delete {MEMBER_NAME}"));
    tour.stop("deleted", 200);
}

#[test]
fn every_page_of_erasing_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_of_erasing_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    let member = tour.account(MEMBER);
    let number = member.rsplit('/').next().unwrap().to_owned();
    tour.go(&format!("{member}/delete"));
    fill(&browser, "email", MEMBER);
    go_on(&browser, &format!("Delete {MEMBER_NAME}"));
    tour.go("/iam/accounts");
    let shows = browser.find("p.hint a").text();
    assert!(shows.starts_with("Show "), "{shows}");
    go_on(&browser, &shows);
    tour.stop("deleted-ones", 200);
    tour.see("tombstone", &member, 200);
    browser.find_words("a", "Erase personal data…").click();
    browser.wait_until("dialog[open]");
    tour.look("erase-dialog");
    tour.see("erase", &format!("{member}/erase"), 200);
    fill(&browser, "name", "Somebody else");
    go_on(&browser, "Erase personal data");
    tour.stop("erase-wrong", 422);
    fill(&browser, "name", MEMBER_NAME);
    if !browser.find_all("[name=current_password]").is_empty() {
        fill(&browser, "current_password", PASSWORD);
    }
    go_on(&browser, "Erase personal data");
    tour.stop("erased", 200);
    tour.see("erased-again", &format!("{member}/erase"), 403);
    tour.see("erased-in-list", "/iam/accounts?status=deleted", 200);
    tour.see("erased-holds", &format!("/resources?account={number}"), 200);
    browser.leaving(|| browser.find("tbody .c-main a").click());
    tour.stop("erased-resource", 200);
    tour.see("erased-in-the-log", &format!("/audit?target={number}"), 200);
    browser.leaving(|| browser.find("tbody .c-main a").click());
    tour.stop("erased-event", 200);
    tour.see("erased-did", &format!("/audit?who={number}"), 200);
    browser.leaving(|| browser.find("tbody .c-main a").click());
    tour.stop("erased-did-event", 200);
    tour.sign_in(ADMIN);
    tour.see("admin-tombstone", &member, 200);
    tour.see("admin-erase", &format!("{member}/erase"), 403);
    tour.end();
}

#[test]
fn people_leave_without_scripts() {
    let Some(browser) = Browser::open_without_scripts("people_leave_without_scripts") else {
        return;
    };
    let doorward = Launch::demo().start();
    sign_in(&browser, &doorward, MASTER, PASSWORD);
    go_on(&browser, "IAM");
    assert!(!browser.find("#all").is_shown());
    browser.screenshot("list");
    browser.resize(390, 844);
    browser.screenshot("list-telephone");
    browser.resize(1280, 800);
    fill(&browser, "q", "samuel");
    go_on(&browser, "Filter");
    tick(&browser, &[MEMBER]);
    go_on(&browser, "Sign out everywhere");
    assert_eq!(heading(&browser), "Sign out 1 account everywhere?");
    go_on(&browser, "Sign out 1 account everywhere");
    assert!(
        browser.url().contains("/iam/accounts?q=samuel"),
        "{}",
        browser.url()
    );
    row_menu(&browser, MEMBER_NAME);
    browser.leaving(|| browser.find_words("tbody .menu a", "Disable…").click());
    assert_eq!(heading(&browser), format!("Disable {MEMBER_NAME}?"));
    pick_day(&browser, &a_day());
    browser.find("[name=when][value=date]").click();
    go_on(&browser, &format!("Disable {MEMBER_NAME}"));
    assert!(browser.find("tbody").text().contains("Leaves "));
    go_on(&browser, MEMBER_NAME);
    go_on(&browser, "Cancel the last day");
    assert!(browser.source().contains("no last day is set any more."));
    go_on(&browser, "Delete account…");
    fill(&browser, "email", MEMBER);
    go_on(&browser, &format!("Delete {MEMBER_NAME}"));
    browser.screenshot("deleted");
    let shows = browser.find("p.hint a").text();
    go_on(&browser, &shows);
    go_on(&browser, MEMBER_NAME);
    go_on(&browser, "Erase personal data…");
    fill(&browser, "name", MEMBER_NAME);
    if !browser.find_all("[name=current_password]").is_empty() {
        fill(&browser, "current_password", PASSWORD);
    }
    go_on(&browser, "Erase personal data");
    assert_eq!(heading(&browser), "Erased account");
    is_calm(&browser, &[]);
    stays_at(&browser, doorward.address());
}
