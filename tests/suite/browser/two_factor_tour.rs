//! Every page and state of two-factor, looked at as [`super::tour`] looks at the others. What asks for a password again is
//! not among them: that needs a proof that is ten minutes old, and this process goes by the machine's clock.

use super::authenticator::App;
use super::looker::Tour;
use super::steps::{
    ADMIN, BILLING, MASTER, MEMBER, PASSWORD, choose, fill, go_on, heading, row_menu,
};
use crate::process::{Doorward, Launch};
use crate::webdriver::Browser;

/// Somebody of the demonstration who has a second factor.
const WITH: (&str, &str) = ("owen@demo.example", "Owen Pritchard");

#[test]
fn every_page_of_two_factor_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_of_two_factor_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    weakest_links(&tour);
    reset(&tour);
    policy(&tour);
    sign_in_links(&tour);
    overdue(&tour);
    optional(&tour);
    let app = set_up(&tour);
    manage(&tour, &app);
    second_step(&tour, &app);
    tour.end();
}

/// Who signs in with a password alone: on the dashboard, in the list, on an account's page.
fn weakest_links(tour: &Tour<'_>) {
    tour.see("dashboard-required", "/", 200);
    tour.see("accounts-note", "/iam/accounts", 200);
    tour.see("accounts-without", "/iam/accounts?two_factor=off", 200);
    tour.see(
        "accounts-with",
        "/iam/accounts?two_factor=on&sort=name",
        200,
    );
    tour.see(
        "accounts-filtered-to-nobody",
        "/iam/accounts?two_factor=on&role=master&status=disabled",
        200,
    );
    tour.see("account-without", &tour.account(MEMBER), 200);
    tour.see("account-with", &tour.account(WITH.0), 200);
    tour.see("help-inside", "/help/2fa-security", 200);
}

/// The dialog over the list, the page without it, and what comes afterwards.
fn reset(tour: &Tour<'_>) {
    let browser = tour.browser;
    let account = tour.account(WITH.0);
    tour.go(&format!("/iam/accounts?q={}", WITH.0));
    row_menu(browser, WITH.1);
    tour.look("row-menu");
    tour.go(&format!("/iam/accounts?q={}", WITH.0));
    row_menu(browser, WITH.1);
    browser
        .find_words("tbody .menu a", "Reset two-factor…")
        .click();
    browser.wait_until("dialog[open]");
    tour.look("reset-dialog");
    tour.see("reset-page", &format!("{account}/reset-two-factor"), 200);
    let nothing = tour.account(MEMBER);
    tour.see("reset-nothing", &format!("{nothing}/reset-two-factor"), 403);
    tour.go(&format!("{account}/reset-two-factor"));
    go_on(browser, &format!("Reset two-factor of {}", WITH.1));
    tour.stop("reset-done", 200);
}

/// The form, what is wrong with it, and whom it meets.
fn policy(tour: &Tour<'_>) {
    let browser = tour.browser;
    tour.see("policy", "/settings", 200);
    fill(browser, "member_days", "31");
    fill(browser, "admin_days", "soon");
    go_on(browser, "Save two-factor policy");
    tour.stop("policy-wrong", 422);
    tour.go("/settings");
    fill(browser, "member_days", "1");
    fill(browser, "billing_days", "0");
    choose(browser, "admin", "Recommended");
    fill(browser, "master_days", "3");
    browser.find("[name=trust]").click();
    go_on(browser, "Save two-factor policy");
    tour.stop("policy-meets", 200);
    go_on(browser, "Save two-factor policy");
    tour.stop("policy-saved", 200);
    tour.see("dashboard-grace-over", "/", 200);
    tour.see("accounts-grace-over", "/iam/accounts?two_factor=off", 200);
    tour.see("account-grace-over", &tour.account(BILLING), 200);
}

/// The operator's links: replaced, good and used.
fn sign_in_links(tour: &Tour<'_>) {
    let browser = tour.browser;
    let (older, newer) = (link(tour.doorward, MASTER), link(tour.doorward, MASTER));
    tour.leave();
    browser.go(&older);
    tour.stop("sign-in-link-replaced", 410);
    browser.go(&newer);
    tour.stop("sign-in-link", 200);
    go_on(browser, "Sign in");
    tour.leave();
    browser.go(&newer);
    tour.stop("sign-in-link-used", 410);
    tour.see(
        "sign-in-link-unknown",
        "/sign-in/link/nothing-like-this",
        404,
    );
    tour.see("help-outside", "/help/2fa-security", 200);
}

/// As the operator of the demonstration, whose folder is the only one there.
fn link(doorward: &Doorward, email: &str) -> String {
    let folders = std::fs::read_dir(doorward.data()).unwrap();
    let mut folders = folders.map(|entry| entry.unwrap().path());
    let folder = folders.find(|path| path.is_dir()).unwrap();
    let folder = folder.to_str().unwrap();
    let made = doorward.run(&["account", "sign-in-link", email, "--data", folder]);
    assert!(made.status.success(), "{made:?}");
    let link = String::from_utf8(made.stdout).unwrap();
    let (_, path) = link.trim().split_once("/sign-in/").unwrap();
    format!("{}/sign-in/{path}", doorward.address())
}

/// Gives the password on the sign-in page; what comes then is not the dashboard.
fn give_password(tour: &Tour<'_>, email: &str) {
    tour.leave();
    tour.go("/sign-in");
    fill(tour.browser, "email", email);
    fill(tour.browser, "password", PASSWORD);
    go_on(tour.browser, "Sign in");
}

/// Nothing but the set-up, its help and the way out.
fn overdue(tour: &Tour<'_>) {
    let browser = tour.browser;
    give_password(tour, BILLING);
    tour.stop("start-overdue", 200);
    tour.see("help-overdue", "/help/2fa-security", 200);
    tour.see("not-found-overdue", "/nothing", 404);
    tour.go("/account/two-factor?next=%2Faccount");
    go_on(browser, "Set it up");
    tour.stop("key-overdue", 200);
}

/// Recommended: it can be turned off.
fn optional(tour: &Tour<'_>) {
    let browser = tour.browser;
    tour.sign_in(ADMIN);
    tour.see("banner-recommended", "/", 200);
    tour.see("start-recommended", "/account/two-factor", 200);
    let app = enrol(tour);
    tour.see("manage-optional", "/account/two-factor", 200);
    browser.find("#disable [name=code]").keys(&app.wrong_code());
    go_on(browser, "Disable 2-step verification");
    tour.stop("disable-wrong", 422);
    let field = browser.find("#disable [name=code]");
    field.clear();
    field.keys(&app.code());
    go_on(browser, "Disable 2-step verification");
    tour.stop("disabled", 200);
}

/// From the page where the set-up begins to its end, quickly.
fn enrol(tour: &Tour<'_>) -> App {
    let browser = tour.browser;
    tour.go("/account/two-factor");
    go_on(browser, "Set it up");
    let app = App::of(&browser.find("#key").text());
    fill(browser, "code", &app.code());
    go_on(browser, "Confirm");
    app
}

/// The set-up in its last days, step by step.
fn set_up(tour: &Tour<'_>) -> App {
    let browser = tour.browser;
    tour.sign_in(MEMBER);
    tour.see("banner-last-days", "/", 200);
    tour.see("own-account-off", "/account", 200);
    tour.see("start", "/account/two-factor", 200);
    go_on(browser, "Set it up");
    tour.stop("key", 200);
    let app = App::of(&browser.find("#key").text());
    fill(browser, "code", &app.wrong_code());
    go_on(browser, "Confirm");
    tour.stop("key-wrong", 422);
    fill(browser, "code", &app.code());
    go_on(browser, "Confirm");
    tour.stop("recovery-codes", 200);
    browser.find("#saved").click();
    go_on(browser, "Done");
    tour.stop("enrolled", 200);
    app
}

/// What can be done once it is on, and required.
fn manage(tour: &Tour<'_>, app: &App) {
    let browser = tour.browser;
    tour.see("own-account-on", "/account", 200);
    tour.see("manage", "/account/two-factor", 200);
    browser.find("#another-phone [name=code]").keys("twelve");
    go_on(browser, "Move to another phone");
    tour.stop("move-wrong", 422);
    tour.go("/account/two-factor");
    go_on(browser, "Make new codes");
    tour.stop("codes-renewed", 200);
    browser.find("#saved").click();
    go_on(browser, "Done");
    tour.go("/account/two-factor");
    browser.find("#another-phone [name=code]").keys(&app.code());
    go_on(browser, "Move to another phone");
    tour.stop("move", 200);
}

/// The second step of signing in: each way, wrong, and too often.
fn second_step(tour: &Tour<'_>, app: &App) {
    let browser = tour.browser;
    give_password(tour, MEMBER);
    tour.stop("second-step", 200);
    tour.see("second-step-help", "/help/2fa-security", 200);
    tour.see("second-step-recovery", "/sign-in/code?with=recovery", 200);
    fill(browser, "code", "nothing-like-it");
    go_on(browser, "Verify");
    tour.stop("second-step-recovery-wrong", 422);
    tour.go("/sign-in/code");
    fill(browser, "code", &app.wrong_code());
    go_on(browser, "Verify");
    tour.stop("second-step-wrong", 422);
    for _ in 0..10 {
        if browser.status() == 429 {
            break;
        }
        fill(browser, "code", &app.wrong_code());
        go_on(browser, "Verify");
    }
    tour.stop("second-step-throttled", 429);
    assert!(
        heading(browser).starts_with("Enter "),
        "{}",
        heading(browser)
    );
}
