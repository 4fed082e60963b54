//! Two-factor without a mouse, and without scripts.

use super::authenticator::App;
use super::keyboard::{focus, tab_to};
use super::steps::{
    MASTER, MEMBER, PASSWORD, choose, fill, go_on, heading, is_calm, sign_in, sign_out, stays_at,
};
use crate::process::Launch;
use crate::webdriver::{Browser, key};

/// The keys that sign in, from an empty sign-in page on.
fn type_in(browser: &Browser, email: &str) {
    assert_eq!(focus(browser), "Email");
    browser.press(email);
    tab_to(browser, "Password");
    browser.press(PASSWORD);
    browser.leaving(|| browser.press(key::ENTER));
}

#[test]
fn a_second_factor_needs_no_mouse() {
    let Some(browser) = Browser::open("a_second_factor_needs_no_mouse") else {
        return;
    };
    let doorward = Launch::demo().start();
    browser.go(doorward.address());
    type_in(&browser, MEMBER);

    // Set up by Tab and Enter alone.
    tab_to(&browser, "Set it up");
    browser.leaving(|| browser.press(key::ENTER));
    tab_to(&browser, "Set it up");
    browser.leaving(|| browser.press(key::ENTER));
    tab_to(&browser, "Copy");
    browser.press(key::ENTER);
    browser.wait_until("[data-copy] span");
    let app = App::of(&browser.clipboard());
    tab_to(&browser, "6-digit code");
    browser.press(&app.wrong_code());
    browser.screenshot("key");
    // The first code waits for Confirm, or Enter.
    assert_eq!(heading(&browser), "Enable 2-step verification");
    browser.leaving(|| browser.press(key::ENTER));
    assert_eq!(browser.status(), 422);
    assert_eq!(focus(&browser), "6-digit code");
    assert_eq!(
        browser.focused().attribute("aria-invalid").as_deref(),
        Some("true")
    );
    is_described(&browser, "That code is not right.");
    browser.screenshot("key-wrong");
    browser.press(&app.code());
    browser.leaving(|| browser.press(key::ENTER));

    assert_eq!(heading(&browser), "Save your recovery codes");
    let mut order = Vec::new();
    for _ in 0..7 {
        browser.press(key::TAB);
        order.push(focus(&browser));
    }
    let tick = "I have saved these codes somewhere other than my phone.";
    assert_eq!(
        order,
        [
            "Skip to content",
            "Portal",
            "Download",
            "Copy",
            "Print",
            tick,
            "Done"
        ]
    );
    // Done before the tick leads to the tick.
    browser.press(key::ENTER);
    assert_eq!(focus(&browser), tick);
    let recovery = browser.find(".codes li").text();
    browser.press(" ");
    tab_to(&browser, "Done");
    browser.leaving(|| browser.press(key::ENTER));
    is_on(&browser);

    leave(&browser);
    type_in(&browser, MEMBER);
    assert_eq!(focus(&browser), "6-digit code");
    browser.leaving(|| browser.press(&app.wrong_code()));
    assert_eq!(focus(&browser), "6-digit code");
    is_described(&browser, "this server's time is");
    browser.leaving(|| browser.press(&app.code()));
    assert!(
        heading(&browser).ends_with(", Samuel"),
        "{}",
        heading(&browser)
    );

    leave(&browser);
    type_in(&browser, MEMBER);
    tab_to(&browser, "Use a recovery code");
    browser.leaving(|| browser.press(key::ENTER));
    assert_eq!(focus(&browser), "Recovery code");
    browser.press("nothing-like-it");
    browser.leaving(|| browser.press(key::ENTER));
    assert_eq!(browser.status(), 422);
    assert_eq!(focus(&browser), "Recovery code");
    browser.screenshot("recovery-wrong");
    browser.focused().clear();
    browser.press(&recovery);
    browser.leaving(|| browser.press(key::ENTER));
    assert!(
        heading(&browser).ends_with(", Samuel"),
        "{}",
        heading(&browser)
    );
    is_calm(&browser, &[422]);
}

/// On the page of one's own account, which says so.
fn is_on(browser: &Browser) {
    assert_eq!(heading(browser), "Account");
    let said = browser.find("#two-factor").text();
    assert!(said.contains("2-step verification is on."), "{said}");
}

/// The field with the focus is described by these words, for whoever cannot see them.
fn is_described(browser: &Browser, words: &str) {
    let by = browser.focused().attribute("aria-describedby").unwrap();
    let said: Vec<String> = by
        .split_whitespace()
        .map(|id| browser.find(&format!("#{id}")).text())
        .collect();
    assert!(said.join(" ").contains(words), "{said:?}");
}

fn leave(browser: &Browser) {
    tab_to(browser, "SO Samuel Osei Member");
    browser.press(key::ENTER);
    tab_to(browser, "Sign out");
    browser.leaving(|| browser.press(key::ENTER));
}

#[test]
fn a_second_factor_needs_no_scripts() {
    let Some(browser) = Browser::open_without_scripts("a_second_factor_needs_no_scripts") else {
        return;
    };
    let doorward = Launch::demo().start();
    sign_in(&browser, &doorward, MASTER, PASSWORD);
    go_on(&browser, "Set it up");
    go_on(&browser, "Set it up");
    assert!(has_no_dead_buttons(&browser));
    is_selected_at_once(&browser, "#key");
    let app = App::of(&browser.find("#key").text());
    browser.screenshot("key");
    fill(&browser, "code", &app.wrong_code());
    go_on(&browser, "Confirm");
    assert_eq!(browser.status(), 422);
    let shown = browser.find(".error").text();
    assert!(shown.contains("this server's time is"), "{shown}");
    let code = app.code();
    let (first, last) = code.split_at(3);
    fill(&browser, "code", &format!("{first} {last}"));
    go_on(&browser, "Confirm");
    let recovery = keep_codes(&browser);
    go_on(&browser, "Done");
    is_on(&browser);

    sign_out(&browser);
    again(&browser);
    fill(&browser, "code", &app.code());
    browser.screenshot("second-step");
    go_on(&browser, "Verify");
    assert!(
        heading(&browser).ends_with(", Ingrid"),
        "{}",
        heading(&browser)
    );
    sign_out(&browser);
    again(&browser);
    go_on(&browser, "Use a recovery code");
    fill(&browser, "code", &recovery);
    go_on(&browser, "Verify");
    assert!(browser.find(".toast").text().contains("9 are left"));

    policy(&browser);
    is_calm(&browser, &[422]);
    stays_at(&browser, doorward.address());
}

fn again(browser: &Browser) {
    fill(browser, "email", MASTER);
    fill(browser, "password", PASSWORD);
    go_on(browser, "Sign in");
    assert_eq!(browser.focused().attribute("name").as_deref(), Some("code"));
}

/// The file comes without a script, the codes can be selected, and what only a script does is not there.
fn keep_codes(browser: &Browser) -> String {
    assert_eq!(heading(browser), "Save your recovery codes");
    let codes: Vec<String> = browser
        .find_all(".codes li")
        .iter()
        .map(|code| code.text())
        .collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    assert!(has_no_dead_buttons(browser));
    browser.screenshot("codes");
    let file = browser.saving(|| browser.find_words("a", "Download").click());
    let saved = std::fs::read_to_string(&file).unwrap();
    for code in &codes {
        assert!(saved.lines().any(|line| line == code), "{saved}");
    }
    let selected = browser.execute(
        "getSelection().selectAllChildren(document.querySelector('.codes')); return getSelection().toString()",
        &[],
    );
    for code in &codes {
        assert!(selected.as_str().unwrap().contains(code), "{selected}");
    }
    browser.find("#saved").click();
    codes[0].clone()
}

/// One click selects all of it.
fn is_selected_at_once(browser: &Browser, css: &str) {
    browser.find(css).click();
    let selected = browser.execute("return getSelection().toString()", &[]);
    assert_eq!(selected.as_str(), Some(browser.find(css).text().as_str()));
}

/// Nothing to press that only a script would answer.
fn has_no_dead_buttons(browser: &Browser) -> bool {
    let dead = browser.find_all("[data-copy], [data-print], [data-reveal]");
    dead.iter().all(|button| !button.is_shown())
}

/// The policy is saved by way of the page that says whom it meets.
fn policy(browser: &Browser) {
    go_on(browser, "Settings");
    choose(browser, "member", "Required");
    fill(browser, "member_days", "lots");
    go_on(browser, "Save two-factor policy");
    assert_eq!(browser.status(), 422);
    assert!(browser.find("#security .error").is_shown());
    fill(browser, "member_days", "0");
    go_on(browser, "Save two-factor policy");
    assert_eq!(heading(browser), "Whom this meets");
    assert!(browser.find("main").text().contains("Samuel Osei"));
    browser.screenshot("policy-meets");
    go_on(browser, "Save two-factor policy");
    let toast = browser.find(".toast").text();
    assert!(toast.contains("The two-factor policy is saved."), "{toast}");
    let said = browser.find("#security").text();
    assert!(said.contains("Grace is over"), "{said}");
    browser.screenshot("policy-saved");
}
