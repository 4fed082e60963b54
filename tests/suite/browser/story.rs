//! The whole story: an organisation is founded, somebody is invited by mail, comes, and leaves.

use super::steps::{choose, fill, go_on, heading, is_calm, sign_out, stays_at, ticked};
use crate::letter::Letter;
use crate::process::Launch;
use crate::relay::{Relay, Security};
use crate::wait;
use crate::webdriver::{Browser, PATIENCE};

const OWNER: &str = "ingrid@halden.example";
const LEA: &str = "lea@halden.example";
const PASSWORD: &str = "Quiet-Harbour-9";

/// The mail to this person, once it has come.
fn letter_to(relay: &Relay, email: &str) -> Letter {
    let came = wait::until(PATIENCE, || {
        let messages = relay.messages();
        messages.into_iter().find(|mail| mail.to == [email])
    });
    Letter::read(&came.unwrap_or_else(|| panic!("no mail to {email}")).data)
}

#[test]
fn an_organisation_is_founded_and_somebody_joins_it() {
    let Some(browser) = Browser::open("an_organisation_is_founded_and_somebody_joins_it") else {
        return;
    };
    let relay = Relay::start(Security::Plain);
    let doorward = Launch::serve().arg("--smtp-url").arg(relay.url("")).start();
    let link = std::fs::read_to_string(doorward.data().join("setup-link")).unwrap();

    found(&browser, link.trim());
    invite(&browser);
    let link = letter_to(&relay, LEA).link();
    sign_out(&browser);
    join(&browser, &link);

    // The link did its work, and only once.
    browser.go(&link);
    assert_eq!(heading(&browser), "This account is already active.");
    browser.screenshot("already-active");
    is_calm(&browser, &[410, 422]);
    stays_at(&browser, doorward.address());
}

/// The set-up link: the organisation and its owner, who then signs in.
fn found(browser: &Browser, link: &str) {
    browser.go(link);
    assert_eq!(
        browser.focused().attribute("name").as_deref(),
        Some("organisation")
    );
    fill(browser, "organisation", "Halden Works");
    fill(browser, "name", "Ingrid Solheim");
    fill(browser, "email", OWNER);
    fill(browser, "password", PASSWORD);
    fill(browser, "password_confirmation", PASSWORD);
    assert_eq!(ticked(browser), 5);
    // The browser says where it is; the person knows better.
    choose(browser, "timezone", "Europe/Oslo");
    browser.screenshot("set-up");
    go_on(browser, "Create organisation");

    assert_eq!(heading(browser), "Sign in to the Portal");
    assert_eq!(browser.find("[name=email]").property("value"), OWNER);
    assert_eq!(
        browser.focused().attribute("name").as_deref(),
        Some("password")
    );
    fill(browser, "password", PASSWORD);
    go_on(browser, "Sign in");
    assert!(
        heading(browser).ends_with(", Ingrid"),
        "{}",
        heading(browser)
    );
}

/// IAM, + Create account: the dialog, what it says of a role, a refusal and the invitation.
fn invite(browser: &Browser) {
    go_on(browser, "IAM");
    assert!(browser.find("main").text().contains("Only you so far"));
    browser.screenshot("only-you");
    browser.find_words(".page-head a", "Create account").click();
    browser.wait_until("dialog[open]");
    assert_eq!(
        browser.focused().attribute("name").as_deref(),
        Some("email")
    );
    assert!(browser.find(".about").is_shown());
    choose(browser, "role", "Admin");
    let about = browser
        .find_all(".about")
        .into_iter()
        .find(|about| about.is_shown());
    let about = about.unwrap().text();
    assert!(
        about.starts_with("Manage resources + billing + users"),
        "{about}"
    );

    fill(browser, "email", OWNER);
    go_on(browser, "Confirm");
    assert_eq!(
        browser.title(),
        "Error: Create account · IAM · Halden Works"
    );
    assert!(
        browser
            .find(".error")
            .text()
            .starts_with("This email already belongs to an account.")
    );
    assert_eq!(
        browser.focused().attribute("name").as_deref(),
        Some("email")
    );
    assert_eq!(browser.find("[name=role]").property("value"), "admin");
    fill(browser, "email", LEA);
    go_on(browser, "Confirm");

    let toast = browser.wait_until(".toast").text();
    assert!(
        toast.contains(&format!("Invited {LEA}.")) && toast.contains("Spam/Junk"),
        "{toast}"
    );
    let row = browser.find("tbody tr:has(.invited)").text();
    assert!(row.contains(LEA) && row.contains("Pending"), "{row}");
    browser.screenshot("invited");
}

/// The link of the mail: the form with its live rules, then the first sign-in and the way out.
fn join(browser: &Browser, link: &str) {
    browser.go(link);
    assert_eq!(heading(browser), "Activate your account");
    assert_eq!(browser.find("#email").property("value"), LEA);
    fill(browser, "name", "Léa Fontaine");
    fill(browser, "phone", "+33 6 12 34 56 78");
    let password = browser.find("[name=password]");
    for (typed, met) in [("quiet", 1), ("Q", 2), ("9", 3), ("r", 4), ("-", 5)] {
        password.keys(typed);
        assert_eq!(ticked(browser), met, "after {typed}");
    }
    browser.screenshot("rules");
    show_and_hide(browser);

    fill(browser, "password", PASSWORD);
    fill(browser, "password_confirmation", "Quiet-Harbour-8");
    go_on(browser, "Activate account");
    let focused = browser.focused().attribute("name");
    assert_eq!(focused.as_deref(), Some("password_confirmation"));
    assert_eq!(
        browser.find("[name=name]").property("value"),
        "Léa Fontaine"
    );
    assert_eq!(browser.find("[name=password]").property("value"), "");
    browser.screenshot("two-passwords");
    fill(browser, "password", PASSWORD);
    fill(browser, "password_confirmation", PASSWORD);
    go_on(browser, "Activate account");

    assert_eq!(heading(browser), "Sign in to the Portal");
    assert_eq!(browser.find("[name=email]").property("value"), LEA);
    fill(browser, "password", PASSWORD);
    go_on(browser, "Sign in");
    assert!(heading(browser).ends_with(", Léa"), "{}", heading(browser));
    go_on(browser, "IAM");
    assert!(browser.find("tbody").text().contains("+33 612 345 678"));
    sign_out(browser);
}

/// The eye beside the field.
fn show_and_hide(browser: &Browser) {
    let password = browser.find("[name=password]");
    let eye = browser.find("[data-reveal=password]");
    assert_eq!(
        eye.attribute("aria-label").as_deref(),
        Some("Show password")
    );
    eye.click();
    assert_eq!(password.attribute("type").as_deref(), Some("text"));
    assert_eq!(
        eye.attribute("aria-label").as_deref(),
        Some("Hide password")
    );
    eye.click();
    assert_eq!(password.attribute("type").as_deref(), Some("password"));
}
