//! With the keyboard alone: no click anywhere here.

use serde_json::json;

use super::steps::{MASTER, PASSWORD, PENDING, go_on, heading, is_calm, sign_in};
use crate::process::Launch;
use crate::webdriver::{Browser, key};

/// What has the focus, as a person would say it.
pub(super) fn focus(browser: &Browser) -> String {
    let name = "const one = document.activeElement;
        return one.getAttribute('aria-label') ?? one.labels?.[0]?.innerText ?? one.innerText";
    let name = browser.execute(name, &[]);
    name.as_str()
        .unwrap()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Presses Tab until this has the focus.
pub(super) fn tab_to(browser: &Browser, name: &str) {
    let mut passed = Vec::new();
    for _ in 0..80 {
        browser.press(key::TAB);
        passed.push(focus(browser));
        if passed.last().is_some_and(|last| last == name) {
            return;
        }
    }
    panic!("{name} is not among {passed:?}");
}

#[test]
fn the_keyboard_is_enough() {
    let Some(browser) = Browser::open("the_keyboard_is_enough") else {
        return;
    };
    let doorward = Launch::demo().start();
    browser.go(doorward.address());

    // The cursor is where one types; Enter sends.
    assert_eq!(focus(&browser), "Email");
    browser.press(MASTER);
    tab_to(&browser, "Password");
    browser.press(PASSWORD);
    browser.leaving(|| browser.press(key::ENTER));
    assert!(heading(&browser).ends_with(", Ingrid"));

    around_the_list(&browser);
    search(&browser);
    row_menu(&browser);
    dialog(&browser);
    change_permission(&browser);
    leave(&browser);
    is_calm(&browser, &[]);
}

/// Presses these keys together with one that is held.
fn press_with(browser: &Browser, held: &str, keys: &str) {
    browser.execute(
        "for (const key of arguments[1]) document.activeElement.dispatchEvent(new KeyboardEvent('keydown',
            { key, bubbles: true, cancelable: true, [arguments[0]]: true }))",
        &[json!(held), json!(keys)],
    );
}

#[test]
fn keys_do_nothing_where_they_are_not_wanted() {
    let Some(browser) = Browser::open("keys_do_nothing_where_they_are_not_wanted") else {
        return;
    };
    let doorward = Launch::demo().start();
    sign_in(&browser, &doorward, MASTER, PASSWORD);

    // Each place of the navigation, by its key.
    for (keys, path) in [
        ("ga", "/iam/accounts"),
        ("gr", "/resources"),
        ("gb", "/billing"),
        ("gm", "/mail"),
        ("gs", "/settings"),
        ("gd", "/"),
    ] {
        browser.leaving(|| browser.press(keys));
        assert!(browser.url().ends_with(path), "{keys}: {}", browser.url());
    }
    browser.leaving(|| browser.press("gr"));
    browser.leaving(|| browser.press("n"));
    assert!(
        browser.url().ends_with("/resources/new"),
        "{}",
        browser.url()
    );

    // A key that is held down belongs to the browser; with a dialog open all of them do.
    browser.go(&format!("{}/iam/accounts", doorward.address()));
    for held in ["ctrlKey", "metaKey", "altKey"] {
        press_with(&browser, held, "/?ngd");
        assert!(browser.find_all("dialog[open]").is_empty(), "{held}");
        assert_ne!(focus(&browser), "Name or email", "{held}");
    }
    browser.press("?");
    browser.press("/n?gd");
    assert!(browser.find("#keys").is_shown());
    assert_eq!(browser.find_all("dialog[open]").len(), 1);
    browser.press(key::ESCAPE);
    browser.press("/");
    browser.press("gd?n");
    assert_eq!(browser.focused().property("value"), "gd?n");
    assert!(
        browser.url().ends_with("/iam/accounts"),
        "{}",
        browser.url()
    );

    // The list of keys opens by its link too. Off, there is neither list nor key.
    browser.go(&format!("{}/account", doorward.address()));
    browser.find_words("main a", "see them here").click();
    assert!(browser.find("#keys").is_shown());
    browser.press(key::ESCAPE);
    assert!(!browser.find("#keys").is_shown());
    browser.find("[name=shortcuts]").click();
    go_on(&browser, "Save preferences");
    browser.execute("document.activeElement.blur()", &[]);
    browser.press("?ga");
    assert!(browser.find_all("#keys, dialog[open]").is_empty());
    browser.go(&format!("{}/iam/accounts", doorward.address()));
    browser.press("/n?gd");
    assert!(
        browser.url().ends_with("/iam/accounts"),
        "{}",
        browser.url()
    );
    assert!(browser.find_all("dialog[open]").is_empty());
    assert_ne!(focus(&browser), "Name or email");
    is_calm(&browser, &[]);
}

/// `g a` leads to IAM; Tab goes through it in the order in which one reads, and the first stop skips to the content.
fn around_the_list(browser: &Browser) {
    browser.leaving(|| browser.press("ga"));
    assert_eq!(heading(browser), "IAM");
    let mut order = Vec::new();
    while order.len() < 30 {
        browser.press(key::TAB);
        order.push(focus(browser));
    }
    assert_eq!(
        order,
        [
            "Skip to content",
            "Halden Works Portal Demo",
            "Dashboard",
            "IAM",
            "Resources",
            "Billing",
            "Audit log",
            "Mail",
            "Settings",
            "IS Ingrid Solheim Master",
            // What is asked of her, above every page.
            "Set it up",
            "Import",
            "Create account",
            "Accounts 17",
            "Roles 4",
            "Show them",
            "see when it is required",
            "Name or email",
            "Permission",
            "Two-factor",
            "All",
            "Active 14",
            "Pending 2",
            "Disabled 1",
            "Select all on this page",
            "Resend invitation",
            "Disable…",
            "Sign out everywhere",
            "Name",
            "Last active",
        ]
    );
    browser.press(key::TAB);
    assert_eq!(focus(browser), "Select Ingrid Solheim");
    browser.press(key::TAB);
    assert_eq!(focus(browser), "Ingrid Solheim");

    browser.execute("document.activeElement.blur()", &[]);
    browser.execute(
        "document.body.setAttribute('tabindex', -1); document.body.focus()",
        &[],
    );
    browser.press(key::TAB);
    assert_eq!(focus(browser), "Skip to content");
    browser.screenshot("skip");
    browser.press(key::ENTER);
    browser.press(key::TAB);
    assert_eq!(focus(browser), "Set it up");
    browser.press(key::TAB);
    assert_eq!(focus(browser), "Import");
}

/// `/` goes to the search, Enter searches; in the field, keys are letters.
fn search(browser: &Browser) {
    browser.press("/");
    assert_eq!(focus(browser), "Name or email");
    browser.press("nlea/");
    assert_eq!(browser.focused().property("value"), "nlea/");
    browser.focused().clear();
    browser.press("/");
    browser.focused().clear();
    browser.press("lea");
    browser.leaving(|| browser.press(key::ENTER));
    assert_eq!(browser.find_all("tbody tr").len(), 1);
}

/// Enter opens a row's menu, arrows go through it, Escape closes it and gives the focus back.
fn row_menu(browser: &Browser) {
    let opener = format!("Actions for {PENDING}");
    tab_to(browser, &opener);
    browser.press(key::ENTER);
    assert!(browser.find("tbody details").property("open") == true);
    browser.press(key::DOWN);
    assert_eq!(focus(browser), "Resend invitation");
    browser.press(key::DOWN);
    assert_eq!(focus(browser), "Copy activation link");
    browser.screenshot("menu");
    browser.press(key::ESCAPE);
    assert!(browser.find("tbody details").property("open") == false);
    assert_eq!(focus(browser), opener);
}

/// `n` opens the form as a dialog; it holds the focus, Escape closes it and gives the focus back, and what was typed
/// is kept.
fn dialog(browser: &Browser) {
    browser.press("n");
    browser.wait_until("dialog[open]");
    assert_eq!(focus(browser), "Email");
    browser.press("half@way");
    let mut order = Vec::new();
    for _ in 0..3 {
        browser.press(key::TAB);
        order.push(focus(browser));
    }
    assert_eq!(order, ["Permission", "Cancel", "Confirm"]);
    browser.press(key::ESCAPE);
    assert!(browser.find_all("dialog[open]").is_empty());
    assert_eq!(focus(browser), "Create account");

    browser.press("n");
    browser.wait_until("dialog[open]");
    assert_eq!(browser.find("dialog #email").property("value"), "half@way");
    browser.press(key::ESCAPE);
    browser.press("?");
    assert!(browser.find("#keys").is_shown());
    browser.screenshot("keys");
    browser.press(key::ESCAPE);
    assert!(!browser.find("#keys").is_shown());
}

/// A deed from a row's menu: the dialog asks, a letter chooses, Enter on the button does it.
fn change_permission(browser: &Browser) {
    browser.leaving(|| browser.press("ga"));
    browser.press("/");
    browser.press("samuel");
    browser.leaving(|| browser.press(key::ENTER));
    tab_to(browser, "Actions for Samuel Osei");
    browser.press(key::ENTER);
    while focus(browser) != "Change permission…" {
        browser.press(key::DOWN);
    }
    browser.press(key::ENTER);
    browser.wait_until("dialog[open]");
    assert_eq!(focus(browser), "Permission");
    browser.press("b");
    browser.screenshot("permission");
    tab_to(browser, "Change permission of Samuel Osei");
    browser.leaving(|| browser.press(key::ENTER));
    let toast = browser.wait_until(".toast").text();
    assert!(toast.contains("Samuel Osei is Billing now."), "{toast}");
    assert!(browser.url().ends_with("?q=samuel"), "{}", browser.url());
}

/// The menu of one's own, and the way out in it.
fn leave(browser: &Browser) {
    tab_to(browser, "IS Ingrid Solheim Master");
    browser.press(key::ENTER);
    tab_to(browser, "Sign out");
    browser.leaving(|| browser.press(key::ENTER));
    assert_eq!(heading(browser), "Sign in to the Portal");
}
