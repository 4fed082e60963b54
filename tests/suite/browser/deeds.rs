//! The tour goes on over what is done to accounts, decided for the organisation, and changed of one's own account:
//! each page that asks, each with what can be wrong, and each that tells what happened.

use super::looker::Tour;
use super::steps::{
    ADMIN, BILLING, EXPIRED, MASTER, MEMBER, PASSWORD, PENDING, choose, fill, go_on, row_menu,
    sign_in,
};
use crate::process::Launch;
use crate::webdriver::Browser;

const DISABLED: &str = "priya@demo.example";
/// As long as a name may be, in one word and in many.
const LONG: &str = "Wolfeschlegelsteinhausenbergerdorffwelchevoraltern \
                    Maria de Ángeles Cholmondeley-Featherstonehaugh";

#[test]
fn what_is_done_to_accounts_is_fit_to_be_seen() {
    let test = "what_is_done_to_accounts_is_fit_to_be_seen";
    let (Some(browser), Some(other)) = (Browser::open(test), Browser::open(test)) else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    sign_in(&other, &doorward, BILLING, PASSWORD);
    tour.sign_in(MASTER);
    change_permission(&tour);
    other.go(doorward.address());
    let banner = Tour::of(&other, &doorward);
    banner.stop("gain-waits", 200);
    banner.end();
    over_the_list(&tour);
    switch_off_and_on(&tour);
    reset(&tour);
    delete(&tour);
    refused(&tour);
    tour.end();
}

/// A gain, a loss, what the account has already, and what waits: Pending and Disabled.
fn change_permission(tour: &Tour<'_>) {
    let browser = tour.browser;
    let page = |email| format!("{}/role", tour.account(email));
    tour.go(&page(ADMIN));
    choose(browser, "role", "Member");
    tour.stop("role-loss", 200);
    tour.see("role-same", &page(BILLING), 200);
    choose(browser, "role", "Master");
    tour.stop("role-gain", 200);
    choose(browser, "role", "Billing");
    go_on(browser, "Change permission of Ilaria Conti");
    tour.stop("role-same-wrong", 422);
    choose(browser, "role", "Master");
    go_on(browser, "Change permission of Ilaria Conti");
    tour.stop("role-changed", 200);
    tour.go(&page(PENDING));
    choose(browser, "role", "Admin");
    tour.stop("role-pending", 200);
    tour.go(&page(DISABLED));
    choose(browser, "role", "Billing");
    tour.stop("role-disabled", 200);
}

/// The menu of an Active row, and two of its dialogs; filters that find somebody and nobody.
fn over_the_list(tour: &Tour<'_>) {
    let browser = tour.browser;
    for (name, line) in [
        ("role-dialog", "Change permission…"),
        ("delete-dialog", "Delete…"),
    ] {
        tour.go(&format!("/iam/accounts?q={MEMBER}"));
        row_menu(browser, "Samuel Osei");
        if line == "Delete…" {
            tour.look("row-menu-active");
            tour.go(&format!("/iam/accounts?q={MEMBER}"));
            row_menu(browser, "Samuel Osei");
        }
        browser.find_words("tbody .menu a", line).click();
        browser.wait_until("dialog[open]");
        tour.look(name);
    }
    let filtered = "/iam/accounts?status=active&role=admin&sort=name&per=50";
    tour.see("list-filtered", filtered, 200);
    let nobody = "/iam/accounts?q=tomasz&status=disabled&role=billing";
    tour.see("list-filtered-to-nobody", nobody, 200);
}

fn switch_off_and_on(tour: &Tour<'_>) {
    let browser = tour.browser;
    let member = tour.account(MEMBER);
    tour.see("sign-out", &format!("{member}/sign-out"), 200);
    tour.see("disable", &format!("{member}/disable"), 200);
    go_on(browser, "Disable Samuel Osei");
    tour.stop("disabled", 200);
    tour.see("enable", &format!("{member}/enable"), 200);
    go_on(browser, "Enable Samuel Osei");
    tour.stop("enabled", 200);
}

/// The link is shown once; until it is used there is no password.
fn reset(tour: &Tour<'_>) {
    let browser = tour.browser;
    let member = tour.account(MEMBER);
    tour.see("reset", &format!("{member}/reset-password"), 200);
    choose(browser, "handover", "Show it to me, to hand over");
    go_on(browser, "Reset password of Samuel Osei");
    tour.stop("reset-link", 200);
    tour.see("account-without-password", &member, 200);
}

fn delete(tour: &Tour<'_>) {
    let browser = tour.browser;
    let member = tour.account(MEMBER);
    tour.see("delete-active", &format!("{member}/delete"), 200);
    fill(browser, "email", "somebody@else.example");
    go_on(browser, "Delete Samuel Osei");
    tour.stop("delete-active-wrong", 422);
    let expired = tour.account(EXPIRED);
    tour.see("delete-expired", &format!("{expired}/delete"), 200);
    fill(browser, "email", EXPIRED);
    go_on(browser, &format!("Delete {EXPIRED}"));
    tour.stop("deleted", 200);
}

/// What is not done to oneself, to the owner and to a Master.
fn refused(tour: &Tour<'_>) {
    let own = tour.account(MASTER);
    tour.see("refused-own", &format!("{own}/disable"), 403);
    tour.sign_in(ADMIN);
    tour.see("refused-master", &format!("{own}/role"), 403);
    tour.see("admin-settings", "/settings", 403);
}

#[test]
fn what_an_organisation_decides_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("what_an_organisation_decides_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    tour.see("settings", "/settings", 200);
    fill(&browser, "organisation", "www.example");
    go_on(&browser, "Save general settings");
    tour.stop("settings-wrong", 422);
    for (email, name) in [(ADMIN, "Tomasz Wierzbicki"), (BILLING, "Ilaria Conti")] {
        tour.go(&format!("{}/role", tour.account(email)));
        choose(&browser, "role", "Master");
        go_on(&browser, &format!("Change permission of {name}"));
    }
    hand_over(&tour);
    only_masters(&tour);
    tour.end();
}

/// As the owner, as the heir, and as neither.
fn hand_over(tour: &Tour<'_>) {
    let browser = tour.browser;
    let heir = format!("Tomasz Wierzbicki ({ADMIN})");
    tour.see("settings-owner", "/settings", 200);
    is_proven(browser);
    go_on(browser, "Offer ownership");
    tour.stop("offer-wrong", 422);
    choose(browser, "to", &heir);
    go_on(browser, "Offer ownership");
    tour.stop("offered", 200);
    tour.sign_in(BILLING);
    tour.see("settings-other-master", "/settings", 200);
    tour.sign_in(ADMIN);
    tour.see("dashboard-heir", "/", 200);
    tour.see("settings-heir", "/settings", 200);
    is_proven(browser);
    go_on(browser, "Accept ownership");
    tour.stop("accepted", 200);
    tour.see("account-owner-before", &tour.account(MASTER), 200);
}

/// Signed in less than ten minutes ago: what is dangerous asks for no password again.
fn is_proven(browser: &Browser) {
    assert!(browser.find_all("[name=current_password]").is_empty());
}

/// What an Admin has left.
fn only_masters(tour: &Tour<'_>) {
    let browser = tour.browser;
    // The Admins of the demonstration are asked for a code; he is not.
    tour.go(&format!("{}/role", tour.account(MEMBER)));
    choose(browser, "role", "Admin");
    go_on(browser, "Change permission of Samuel Osei");
    tour.go("/settings");
    browser.find("[name=only_masters]").click();
    go_on(browser, "Save who manages users");
    tour.stop("settings-only-masters", 200);
    tour.see("roles-only-masters", "/iam/roles", 200);
    tour.see("role-only-masters", "/iam/roles/admin", 200);
    tour.sign_in(MEMBER);
    tour.see("admin-without-users", "/iam/accounts", 200);
    let other = tour.account("marek@demo.example");
    tour.see("admin-without-users-account", &other, 200);
    tour.see("admin-without-users-refused", "/iam/accounts/new", 403);
}

#[test]
fn what_is_ones_own_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("what_is_ones_own_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MEMBER);
    // One more session than this one.
    tour.sign_in(MEMBER);
    tour.see("account", "/account", 200);
    what_is_wrong(&tour);
    another_email(&tour);
    long_names(&tour);
    tour.end();
}

/// Types into a form of a section.
fn fill_in(browser: &Browser, section: &str, name: &str, text: &str) {
    let field = browser.find(&format!("#{section} [name={name}]"));
    field.clear();
    field.keys(text);
}

/// Each form of the page, refused.
fn what_is_wrong(tour: &Tour<'_>) {
    let browser = tour.browser;
    fill(browser, "name", "www.example");
    fill(browser, "phone", "12");
    go_on(browser, "Save profile");
    tour.stop("profile-wrong", 422);
    ask_for(browser, MASTER);
    tour.stop("email-wrong", 422);
    for (name, text) in [
        ("current_password", "not it"),
        ("password", "short"),
        ("password_confirmation", "other"),
    ] {
        fill_in(browser, "your-password", name, text);
    }
    go_on(browser, "Change password");
    tour.stop("password-wrong", 422);
}

/// The form for another address, which is folded away until one opens it.
fn ask_for(browser: &Browser, email: &str) {
    if !browser.find("#your-email [name=email]").is_shown() {
        browser
            .find_words("#your-email summary", "Change email")
            .click();
    }
    fill_in(browser, "your-email", "email", email);
    go_on(browser, "Send the link");
}

/// What waits, what its link asks, and what becomes of links.
fn another_email(tour: &Tour<'_>) {
    let browser = tour.browser;
    let (first, second) = ("samuel.osei@demo.example", "osei@demo.example");
    tour.go("/account");
    ask_for(browser, first);
    tour.stop("email-asked", 200);
    tour.go("/account");
    ask_for(browser, second);
    tour.sign_in(MASTER);
    let (_, replaced) = tour.mail(first, "Confirm", "/account/email/");
    let (mail, good) = tour.mail(second, "Confirm", "/account/email/");
    tour.see("mail-confirm", &mail, 200);
    tour.see("email-not-theirs", &good, 404);
    tour.sign_in(MEMBER);
    tour.see("email-replaced", &replaced, 410);
    tour.see("email-confirm", &good, 200);
    go_on(browser, "Change my email");
    tour.stop("email-changed", 200);
    tour.see("email-used", &good, 410);
}

/// The longest name there can be, wherever names stand.
fn long_names(tour: &Tour<'_>) {
    let browser = tour.browser;
    tour.go("/account");
    fill(browser, "name", LONG);
    go_on(browser, "Save profile");
    tour.stop("long-own", 200);
    tour.sign_in(MASTER);
    tour.see("long-list", "/iam/accounts?q=osei", 200);
    let page = tour.account("osei@demo.example");
    tour.see("long-account", &page, 200);
    tour.see("long-disable", &format!("{page}/disable"), 200);
    tour.see("long-role", &format!("{page}/role"), 200);
    tour.see("long-reset", &format!("{page}/reset-password"), 200);
}
