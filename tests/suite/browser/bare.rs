//! The same with scripts switched off: every step has a page and a button.

use super::steps::{
    EXPIRED, MASTER, MEMBER, PASSWORD, PENDING, choose, fill, go_on, heading, is_calm,
    link_on_page, row_menu, sign_in, sign_out, stays_at, ticked,
};
use crate::process::{Doorward, Launch};
use crate::webdriver::{Browser, key};

const NEW: &str = "nora@demo.example";
const HER_PASSWORD: &str = "Quiet-Harbour-9";

#[test]
fn all_of_it_works_without_scripts() {
    let Some(browser) = Browser::open_without_scripts("all_of_it_works_without_scripts") else {
        return;
    };
    let doorward = Launch::demo().start();

    sign_in(&browser, &doorward, MASTER, PASSWORD);
    look_for(&browser);
    create(&browser);
    copy(&browser);
    change_permission(&browser);
    delete(&browser);
    let link = read_mail(&browser);
    theme(&browser);
    keys(&browser);
    sign_out(&browser);
    come(&browser, &doorward, &link);
    is_calm(&browser, &[403, 422]);
    stays_at(&browser, doorward.address());
}

/// The search is a form with a button of its own.
fn look_for(browser: &Browser) {
    go_on(browser, "IAM");
    fill(browser, "q", "ia");
    choose(browser, "role", "Billing");
    go_on(browser, "Filter");
    assert!(
        browser.url().ends_with("?q=ia&role=billing&two_factor="),
        "{}",
        browser.url()
    );
    let names = browser.find_all("tbody tr").len();
    assert_eq!(names, 1, "{}", browser.find("tbody").text());
    browser.screenshot("filtered");
}

/// "+ Create account" is a page, and so is what is wrong with it.
fn create(browser: &Browser) {
    go_on(browser, "Create account");
    assert_eq!(heading(browser), "Create account");
    assert!(browser.find_all("dialog[open]").is_empty());
    fill(browser, "email", "not an address");
    go_on(browser, "Confirm");
    assert!(browser.find(".error").is_shown());
    assert_eq!(browser.find("#email").property("value"), "not an address");
    fill(browser, "email", NEW);
    choose(browser, "role", "Billing");
    browser.screenshot("create");
    go_on(browser, "Confirm");
    assert!(
        browser
            .find(".toast")
            .text()
            .contains(&format!("Invited {NEW}."))
    );
}

/// A row's menu opens by itself; the link stands there to be selected, without a dead button beside it.
fn copy(browser: &Browser) {
    row_menu(browser, PENDING);
    go_on(browser, "Copy activation link");
    assert!(
        browser
            .find("#activation-link")
            .text()
            .contains("/activate/")
    );
    assert!(
        browser
            .find_all("[data-copy]")
            .iter()
            .all(|button| !button.is_shown())
    );
    browser.screenshot("link");
    go_on(browser, "Done");
    assert_eq!(heading(browser), PENDING);
}

/// What each permission would change stands on the page at once; the list comes back as it was.
fn change_permission(browser: &Browser) {
    go_on(browser, "IAM");
    fill(browser, "q", MEMBER);
    go_on(browser, "Filter");
    row_menu(browser, "Samuel Osei");
    go_on(browser, "Change permission…");
    assert_eq!(heading(browser), "Change permission of Samuel Osei");
    choose(browser, "role", "Billing");
    browser.screenshot("change-permission");
    go_on(browser, "Change permission of Samuel Osei");
    assert!(
        browser.url().ends_with("?q=samuel%40demo.example"),
        "{}",
        browser.url()
    );
    let toast = browser.find(".toast").text();
    assert!(toast.contains("Samuel Osei is Billing now."), "{toast}");
    assert!(browser.find("tbody").text().contains("Billing"));
}

/// Deleting asks on a page.
fn delete(browser: &Browser) {
    go_on(browser, "IAM");
    row_menu(browser, EXPIRED);
    go_on(browser, "Delete…");
    assert_eq!(heading(browser), format!("Delete {EXPIRED}?"));
    fill(browser, "email", EXPIRED);
    go_on(browser, &format!("Delete {EXPIRED}"));
    assert!(
        browser
            .find(".toast")
            .text()
            .contains("The address is free again.")
    );
    assert!(!browser.find("tbody").text().contains(EXPIRED));
}

/// The mailbox of the demonstration; the message's own frame, and the link in words.
fn read_mail(browser: &Browser) -> String {
    go_on(browser, "Mail");
    go_on(browser, NEW);
    assert!(browser.find("iframe").is_shown());
    browser.screenshot("mail");
    link_on_page(browser, "/activate/")
}

fn theme(browser: &Browser) {
    browser.find(".who").click();
    go_on(browser, "Dark");
    assert_eq!(
        browser.find("html").attribute("data-theme").as_deref(),
        Some("dark")
    );
    browser.screenshot("dark");
}

/// The list of keys opens from the page on which they are switched off, and closes, by links alone.
fn keys(browser: &Browser) {
    browser.find(".who").click();
    go_on(browser, "Account");
    assert!(!browser.find("#keys").is_shown());
    browser.find_words("main a", "see them here").click();
    assert!(browser.find("#keys").is_shown());
    assert!(browser.find("#keys").text().contains("This list"));
    browser.screenshot("keys");
    browser.find("#keys [data-close]").click();
    assert!(!browser.find("#keys").is_shown());
}

/// The invited one: first something wrong, then right; then signed in by the enter key.
fn come(browser: &Browser, doorward: &Doorward, link: &str) {
    browser.go(link);
    fill(browser, "name", "Nora Lie");
    fill(browser, "password", "short");
    fill(browser, "password_confirmation", "short");
    assert_eq!(ticked(browser), 0);
    go_on(browser, "Activate account");
    assert!(browser.find(".error").is_shown());
    browser.screenshot("refused");
    fill(browser, "password", HER_PASSWORD);
    fill(browser, "password_confirmation", HER_PASSWORD);
    go_on(browser, "Activate account");
    assert_eq!(browser.find("#email").property("value"), NEW);
    fill(browser, "password", HER_PASSWORD);
    browser.leaving(|| browser.press(key::ENTER));
    assert!(heading(browser).ends_with(", Nora"), "{}", heading(browser));
    browser.go(&format!("{}/iam/accounts", doorward.address()));
    assert_eq!(heading(browser), "You cannot open Accounts");
    sign_out(browser);
}
