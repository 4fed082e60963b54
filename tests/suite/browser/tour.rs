//! A tour over every page, in every state and as every role: each is looked at on a desk and on a telephone, in
//! light and in dark. Nothing may be wrong for axe, nothing may scroll sideways, the page as it was sent must be
//! sound, the console silent, and nobody else's server asked.
//!
//! What is found is told at the end, all of it. The pictures lie below `target/screenshots`.

use serde_json::json;

use super::looker::{TELEPHONE, Tour};
use super::steps::{
    ADMIN, BILLING, EXPIRED, MASTER, MEMBER, PASSWORD, PENDING, choose, fill, go_on,
};
use crate::process::Launch;
use crate::relay::{Relay, Security};
use crate::wait;
use crate::webdriver::{Browser, PATIENCE};

/// The links that are needed along the way, as paths.
struct Links {
    good: String,
    replaced: String,
    expired: String,
    used: String,
    reset: String,
    /// The pages of two mails.
    mails: [String; 2],
}

#[test]
fn every_page_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    outside(&tour);
    let links = gather(&tour);
    iam(&tour);
    accounts(&tour);
    mail(&tour, &links);
    elsewhere(&tour, &links);
    dead_and_living_links(&tour, &links);
    other_roles(&tour);
    tour.end();
}

/// What anybody sees.
fn outside(tour: &Tour<'_>) {
    let browser = tour.browser;
    tour.see("sign-in", "/sign-in", 200);
    fill(browser, "email", MEMBER);
    fill(browser, "password", "not it");
    go_on(browser, "Sign in");
    tour.stop("sign-in-wrong", 422);
    tour.see("help-outside", "/help/add-a-sub-account", 200);
    tour.see("not-found-outside", "/nothing", 404);
    tour.see("set-up-over", "/setup", 404);
    tour.see("forgot", "/forgot-password", 200);
    fill(browser, "email", "nobody");
    go_on(browser, "Send the link");
    tour.stop("forgot-wrong", 422);
    fill(browser, "email", MEMBER);
    go_on(browser, "Send the link");
    tour.stop("forgot-asked", 200);
}

/// The links that mails brought, and a newer one for somebody who has one.
fn gather(tour: &Tour<'_>) -> Links {
    let browser = tour.browser;
    tour.sign_in(MASTER);
    tour.see("dashboard", "/", 200);
    tour.see("accounts", "/iam/accounts", 200);
    // What README.md shows, as packaging/screenshot.png.
    tour.go("/iam/accounts?sort=name");
    browser.screenshot_of_view("readme");

    let (_, replaced) = tour.mail(PENDING, "Activate", "/activate/");
    let (_, expired) = tour.mail(EXPIRED, "Activate", "/activate/");
    let (_, used) = tour.mail(MEMBER, "Activate", "/activate/");
    let (reset_mail, reset) = tour.mail(MEMBER, "Reset", "/reset-password/");
    tour.go(&tour.account(PENDING));
    go_on(browser, "Resend invitation");
    tour.stop("account-resent", 200);
    let newer = wait::until(PATIENCE, || {
        let (mail, link) = tour.mail(PENDING, "Activate", "/activate/");
        (link != replaced).then_some((mail, link))
    });
    let (mail, good) = newer.unwrap();
    Links {
        good,
        replaced,
        expired,
        used,
        reset,
        mails: [mail, reset_mail],
    }
}

/// The list with what opens over it, the form to create an account, the roles.
fn iam(tour: &Tour<'_>) {
    let browser = tour.browser;
    tour.see(
        "accounts-pending",
        "/iam/accounts?status=pending&sort=-name",
        200,
    );
    tour.see("accounts-none", "/iam/accounts?q=nobody-like-that", 200);
    tour.go(&format!("/iam/accounts?q={PENDING}"));
    browser.find("tbody summary").click();
    tour.look("row-menu");
    tour.go("/iam/accounts");
    browser.find_words(".page-head a", "Create account").click();
    browser.wait_until("dialog[open]");
    tour.look("create-dialog");
    tour.see("create", "/iam/accounts/new", 200);
    fill(browser, "email", MEMBER);
    choose(browser, "role", "Master");
    go_on(browser, "Confirm");
    tour.stop("create-taken", 422);
    tour.see("roles", "/iam/roles", 200);
    tour.see("role", "/iam/roles/admin", 200);
}

/// Accounts in each state, and what can be done with them.
fn accounts(tour: &Tour<'_>) {
    let browser = tour.browser;
    let pending = tour.account(PENDING);
    tour.see("account-active", &tour.account(MEMBER), 200);
    tour.see("account-owner", &tour.account(MASTER), 200);
    tour.see("account-expired", &tour.account(EXPIRED), 200);
    tour.see("account-disabled", &tour.account("priya@demo.example"), 200);
    tour.see("account-pending", &pending, 200);
    go_on(browser, "Copy activation link");
    tour.stop("activation-link", 200);
    tour.see("delete", &format!("{pending}/delete"), 200);
    fill(browser, "email", "somebody@else.example");
    go_on(browser, &format!("Delete {PENDING}"));
    tour.stop("delete-wrong", 422);
}

/// The outbox and its messages.
fn mail(tour: &Tour<'_>, links: &Links) {
    tour.see("mail", "/mail", 200);
    tour.see("mail-none", "/mail?state=failed", 200);
    tour.see("mail-invitation", &links.mails[0], 200);
    tour.see("mail-reset", &links.mails[1], 200);

    // A mail is a document of its own, whose policy lets no script in, axe's neither: looked at outside.
    tour.go(&format!("{}/body", links.mails[0]));
    let source = tour.browser.source();
    tour.browser.go("about:blank");
    let write = "document.open(); document.write(arguments[0]); document.close()";
    tour.browser.execute(write, &[json!(source)]);
    tour.look("mail-body");
}

/// Signed in, but not on the way.
fn elsewhere(tour: &Tour<'_>, links: &Links) {
    let browser = tour.browser;
    tour.see("help", "/help/add-a-sub-account", 200);
    tour.see("not-found", "/iam/accounts/acc_bbbbbbbbbbbbb", 404);
    tour.see("activate-signed-in", &links.good, 200);
    tour.go("/");
    browser.find(".who").click();
    tour.look("own-menu");
    tour.go("/");
    browser.resize(TELEPHONE.0, TELEPHONE.1);
    browser.find(".topbar summary").click();
    tour.look("top-menu");
    tour.go("/");
    browser.press("?");
    tour.look("keys");

    // What was typed outlives the form's proof.
    tour.go("/iam/accounts/new");
    fill(browser, "email", "typed@demo.example");
    browser.execute(
        "document.querySelector('main [name=csrf]').value = 'old'",
        &[],
    );
    go_on(browser, "Confirm");
    tour.stop("form-expired", 403);
}

/// What links lead to, to whom they were sent.
fn dead_and_living_links(tour: &Tour<'_>, links: &Links) {
    let browser = tour.browser;
    tour.leave();
    tour.see("link-used", &links.used, 410);
    tour.see("link-replaced", &links.replaced, 410);
    tour.see("link-unknown", "/activate/nothing-like-this", 404);
    tour.see("link-expired", &links.expired, 410);
    go_on(browser, "Ask for a new link");
    tour.stop("link-asked", 410);
    tour.see("activate", &links.good, 200);
    fill(browser, "name", "www.example");
    fill(browser, "phone", "12");
    fill(browser, "password", "Password1!");
    fill(browser, "password_confirmation", "other");
    go_on(browser, "Activate account");
    tour.stop("activate-wrong", 422);
    tour.see("reset", &links.reset, 200);
    fill(browser, "password", "short");
    fill(browser, "password_confirmation", "short");
    go_on(browser, "Set the password");
    tour.stop("reset-wrong", 422);
    fill(browser, "password", PASSWORD);
    fill(browser, "password_confirmation", PASSWORD);
    go_on(browser, "Set the password");
    tour.stop("reset-done", 200);
    tour.see("reset-used", &links.reset, 410);
}

/// What the others see, and do not.
fn other_roles(tour: &Tour<'_>) {
    tour.sign_in(MEMBER);
    tour.see("member", "/", 200);
    tour.see("member-accounts", "/iam/accounts", 403);
    tour.see("member-mail", "/mail", 403);
    tour.sign_in(BILLING);
    tour.see("billing", "/", 200);
    tour.see("billing-roles", "/iam/roles", 403);
    tour.sign_in(ADMIN);
    tour.see("admin", "/", 200);
    tour.see("admin-accounts", "/iam/accounts", 200);
    tour.see("admin-create", "/iam/accounts/new", 200);
    tour.see("admin-owner", &tour.account(MASTER), 200);
    tour.see("admin-mail", "/mail", 200);
}

const OWNER: &str = "ingrid@halden.example";

/// Uses the set-up link.
fn found(tour: &Tour<'_>) {
    let browser = tour.browser;
    let file = tour.doorward.data().join("setup-link");
    let link = std::fs::read_to_string(file).unwrap();
    tour.go(&tour.path(link.trim()));
    fill(browser, "organisation", "Halden Works");
    fill(browser, "name", "Ingrid Solheim");
    fill(browser, "email", OWNER);
    fill(browser, "password", PASSWORD);
    fill(browser, "password_confirmation", PASSWORD);
    choose(browser, "timezone", "Europe/Oslo");
    go_on(browser, "Create organisation");
}

/// Signs in where the address is filled in, and invites somebody.
fn invite(tour: &Tour<'_>, email: &str) {
    let browser = tour.browser;
    fill(browser, "password", PASSWORD);
    go_on(browser, "Sign in");
    tour.go("/iam/accounts/new");
    fill(browser, "email", email);
    go_on(browser, "Confirm");
}

#[test]
fn a_portal_without_mail_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("a_portal_without_mail_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::serve().start();
    let tour = Tour::of(&browser, &doorward);
    let link = std::fs::read_to_string(doorward.data().join("setup-link")).unwrap();
    tour.see("set-up-help", "/setup", 200);
    tour.see("set-up", &tour.path(link.trim()), 200);
    fill(&browser, "organisation", "-");
    fill(&browser, "name", "-");
    fill(&browser, "email", "ingrid");
    fill(&browser, "password", "Ingrid-Harbour-9");
    go_on(&browser, "Create organisation");
    tour.stop("set-up-wrong", 422);
    tour.see("forgot-mail-off", "/forgot-password", 200);
    found(&tour);
    tour.stop("set-up-done", 200);
    invite(&tour, "lea@halden.example");
    tour.stop("created-mail-off", 200);
    tour.see("dashboard-mail-off", "/", 200);
    tour.see("accounts-mail-off", "/iam/accounts", 200);
    tour.see("mail-off", "/mail", 200);
    tour.end();
}

#[test]
fn mail_that_fails_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("mail_that_fails_is_fit_to_be_seen") else {
        return;
    };
    let relay = Relay::start(Security::Plain);
    relay.refuse(
        "lea@halden.example",
        "550 5.1.1 No such user here, and none that is spelt nearly like that",
    );
    let doorward = Launch::serve().arg("--smtp-url").arg(relay.url("")).start();
    let tour = Tour::of(&browser, &doorward);
    found(&tour);
    invite(&tour, "lea@halden.example");
    let failed = wait::until(PATIENCE, || {
        tour.go("/mail?state=failed");
        browser.find_all("tbody a").into_iter().next()
    });
    assert!(failed.is_some(), "the refusal was not written down");
    tour.stop("mail-failed", 200);
    browser.leaving(|| browser.find("tbody a").click());
    tour.stop("mail-failed-message", 200);
    tour.see("dashboard-failed", "/", 200);
    tour.see("accounts-failed", "/iam/accounts", 200);
    tour.see("account-failed", &tour.account("lea@halden.example"), 200);
    tour.end();
}
