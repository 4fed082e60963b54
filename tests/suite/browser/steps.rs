//! What people do in front of a page, as the tests here say it.

use std::time::Duration;

use serde_json::json;

use crate::process::Doorward;
use crate::wait;
use crate::webdriver::Browser;

/// The demonstration's people, one of each role.
pub(super) const MASTER: &str = "ingrid@demo.example";
pub(super) const ADMIN: &str = "tomasz@demo.example";
pub(super) const BILLING: &str = "ilaria@demo.example";
pub(super) const MEMBER: &str = "samuel@demo.example";
/// Invited there, and not come yet: with a link that lives, and with one that has run out.
pub(super) const PENDING: &str = "lea.fontaine@demo.example";
pub(super) const EXPIRED: &str = "bjorn.aas@demo.example";
/// Everybody's password there.
pub(super) const PASSWORD: &str = "Demo-pass-1";

/// The origins that a browser at rest may ask: that of the page. What it draws of itself, as in a field for a day, is with
/// it already.
pub(super) fn stays_at(browser: &Browser, origin: &str) {
    let elsewhere: Vec<_> = browser
        .requests()
        .into_iter()
        .map(|request| request.url)
        .filter(|url| !url.starts_with(origin) && url != "about:blank")
        .filter(|url| !url.starts_with("data:image/svg+xml;base64,"))
        .collect();
    assert_eq!(elsewhere, [""; 0]);
}

/// Nothing is in the console but that answers had these statuses, and no policy was breached.
pub(super) fn is_calm(browser: &Browser, statuses: &[u16]) {
    assert_eq!(browser.csp_violations(), [""; 0]);
    let mut errors = browser.console_errors();
    errors.retain(|error| {
        !statuses.iter().any(|status| {
            error.contains(&format!("the server responded with a status of {status}"))
        })
    });
    assert_eq!(errors, [""; 0]);
}

/// A field by its name, in the dialog when one is open.
fn field(name: &str) -> String {
    format!("dialog[open] [name={name}], body:not(:has(dialog[open])) [name={name}]")
}

/// Types into the field of this name, in place of what is there.
pub(super) fn fill(browser: &Browser, name: &str, text: &str) {
    let field = browser.find(&field(name));
    field.clear();
    field.keys(text);
}

/// Takes an option of a menu, as one does with the keyboard.
pub(super) fn choose(browser: &Browser, name: &str, option: &str) {
    const CHOSEN: &str = "return document.querySelector(arguments[0]).selectedOptions[0].text";
    let chosen = || browser.execute(CHOSEN, &[json!(field(name))]);
    // A machine that is busy for a second between two letters begins the word anew, as a person then does.
    for _ in 0..3 {
        browser.find(&field(name)).keys(option);
        if chosen() == option {
            break;
        }
        wait::pause(Duration::from_millis(1_200));
    }
    assert_eq!(chosen(), option);
}

/// Presses the button, or follows the link, that says this; another page comes.
pub(super) fn go_on(browser: &Browser, words: &str) {
    browser.leaving(|| browser.find_words("button, a, summary", words).click());
}

/// The heading of the page.
pub(super) fn heading(browser: &Browser) -> String {
    browser.find("h1").text()
}

/// Signs in on the sign-in page.
pub(super) fn sign_in(browser: &Browser, doorward: &Doorward, email: &str, password: &str) {
    browser.go(&format!("{}/sign-in", doorward.address()));
    fill(browser, "email", email);
    fill(browser, "password", password);
    go_on(browser, "Sign in");
    assert!(
        heading(browser).starts_with("Good "),
        "{}",
        heading(browser)
    );
}

/// Founds an organisation on the page of the set-up link, and signs in as its owner.
pub(super) fn found(
    browser: &Browser,
    organisation: &str,
    name: &str,
    email: &str,
    password: &str,
) {
    fill(browser, "organisation", organisation);
    fill(browser, "name", name);
    fill(browser, "email", email);
    choose(browser, "timezone", "Europe/Oslo");
    fill(browser, "password", password);
    fill(browser, "password_confirmation", password);
    go_on(browser, "Create organisation");
    fill(browser, "password", password);
    go_on(browser, "Sign in");
    assert!(
        heading(browser).starts_with("Good "),
        "{}",
        heading(browser)
    );
}

/// On the page of an activation link, the name filled in: sets the password, and signs in with it.
pub(super) fn come_in(browser: &Browser, email: &str, password: &str) {
    fill(browser, "password", password);
    fill(browser, "password_confirmation", password);
    go_on(browser, "Activate account");
    assert_eq!(browser.find("#email").property("value"), email);
    fill(browser, "password", password);
    go_on(browser, "Sign in");
    assert!(
        heading(browser).starts_with("Good "),
        "{}",
        heading(browser)
    );
}

/// What stands in the navigation.
pub(super) fn menu(browser: &Browser) -> Vec<String> {
    let labels = "return [...document.querySelectorAll('.side nav a')].map(one => one.querySelector('span').innerText)";
    let labels = browser.execute(labels, &[]);
    serde_json::from_value(labels).unwrap()
}

/// Opens the menu of the row of this account in the list.
pub(super) fn row_menu(browser: &Browser, label: &str) {
    let row = format!("tr:has([aria-label=\"Actions for {label}\"]) summary");
    browser.find(&row).click();
}

/// Signs out by the menu at the foot of the navigation.
pub(super) fn sign_out(browser: &Browser) {
    browser.find(".who").click();
    go_on(browser, "Sign out");
    assert_eq!(heading(browser), "Sign in to the Portal");
}

/// The rules of a new password that are ticked.
pub(super) fn ticked(browser: &Browser) -> usize {
    browser.find_all("[data-rules] .met").len()
}

/// The first address on the page that begins with this path, as text.
pub(super) fn link_on_page(browser: &Browser, path: &str) -> String {
    let words = browser.find("main").text();
    let link = words
        .split_whitespace()
        .find(|word| word.starts_with("http") && word.contains(path));
    let link = link.unwrap_or_else(|| panic!("no {path} in {words}"));
    link.to_owned()
}
