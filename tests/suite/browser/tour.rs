//! A tour over every page, in every state and as every role: each is looked at on a desk and on a telephone, in
//! light and in dark. Nothing may be wrong for axe, nothing may scroll sideways, the page as it was sent must be
//! sound, the console silent, and nobody else's server asked.
//!
//! What is found is told at the end, all of it. The pictures lie below `target/screenshots`.

use std::cell::RefCell;

use serde_json::json;

use super::steps::{
    ADMIN, BILLING, EXPIRED, MASTER, MEMBER, PASSWORD, PENDING, choose, fill, go_on, is_calm,
    link_on_page, sign_in, stays_at,
};
use crate::markup;
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::wait;
use crate::webdriver::{Browser, PATIENCE};

/// The widths at which nothing may scroll sideways.
const WIDTHS: [u32; 6] = [320, 390, 600, 900, 1280, 1600];
/// What is looked at: width and height.
const DESK: (u32, u32) = (1280, 800);
const TELEPHONE: (u32, u32) = (390, 844);
/// What pages may answer with on this tour.
const STATUSES: [u16; 4] = [403, 404, 410, 422];

/// Somebody who looks at pages, and writes down what is wrong with them.
struct Tour<'t> {
    browser: &'t Browser,
    doorward: &'t Doorward,
    faults: RefCell<Vec<String>>,
}

impl<'t> Tour<'t> {
    fn of(browser: &'t Browser, doorward: &'t Doorward) -> Self {
        Self {
            browser,
            doorward,
            faults: RefCell::default(),
        }
    }

    /// Tells what was found, and that is a failure.
    fn end(self) {
        let faults = self.faults.into_inner();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        is_calm(self.browser, &STATUSES);
        stays_at(self.browser, self.doorward.address());
    }

    fn go(&self, path: &str) {
        self.browser
            .go(&format!("{}{path}", self.doorward.address()));
    }

    /// Opens a page and looks at it.
    fn see(&self, name: &str, path: &str, status: u16) {
        self.go(path);
        self.stop(name, status);
    }

    /// Looks at the page as it is, which came with this status.
    fn stop(&self, name: &str, status: u16) {
        let came = self.browser.status();
        if came != status {
            self.fault(name, &format!("status {came}, not {status}"));
        }
        for problem in markup::problems(&self.browser.source()) {
            self.fault(name, &problem);
        }
        self.look(name);
    }

    /// The same without a look at the markup.
    fn look(&self, name: &str) {
        for (size, (width, height)) in [("desk", DESK), ("telephone", TELEPHONE)] {
            self.browser.resize(width, height);
            for theme in ["light", "dark"] {
                self.browser.prefer(&[("prefers-color-scheme", theme)]);
                for violation in self.browser.axe() {
                    self.fault(
                        &format!("{name}, {size}, {theme}"),
                        &format!("{violation:#?}"),
                    );
                }
                self.browser.screenshot(&format!("{name}-{size}-{theme}"));
            }
        }
        for width in WIDTHS {
            self.browser.resize(width, 844);
            let needed = self
                .browser
                .execute("return document.documentElement.scrollWidth", &[]);
            if needed.as_u64() != Some(width.into()) {
                self.fault(name, &format!("{needed} wide in {width}"));
            }
        }
        self.browser.resize(DESK.0, DESK.1);
        self.browser.prefer(&[("prefers-color-scheme", "light")]);
    }

    fn fault(&self, name: &str, what: &str) {
        self.faults.borrow_mut().push(format!("{name}: {what}"));
    }

    fn sign_in(&self, email: &str) {
        self.leave();
        sign_in(self.browser, self.doorward, email, PASSWORD);
    }

    /// As if it were somebody else's browser.
    fn leave(&self) {
        self.go("/sign-in");
        self.browser.forget_cookies();
    }

    /// The address of the page of this account.
    fn account(&self, email: &str) -> String {
        self.go(&format!("/iam/accounts?q={email}"));
        let link = self.browser.find("tbody a").property("href");
        self.path(link.as_str().unwrap())
    }

    /// The newest mail to somebody with this subject: its path, and the link in it.
    fn mail(&self, email: &str, subject: &str, path: &str) -> (String, String) {
        let find = "return [...document.querySelectorAll('tbody tr')].find(row =>
            row.innerText.includes(arguments[0]) && row.innerText.includes(arguments[1])
            && row.innerText.includes('Sent'))?.querySelector('a').href ?? null";
        let address = wait::until(PATIENCE, || {
            self.go("/mail");
            let found = self.browser.execute(find, &[json!(email), json!(subject)]);
            found.as_str().map(str::to_owned)
        });
        let address = address.unwrap_or_else(|| panic!("no {subject:?} to {email}"));
        self.browser.go(&address);
        let link = link_on_page(self.browser, path);
        (self.path(&address), self.path(&link))
    }

    fn path(&self, address: &str) -> String {
        let path = address.strip_prefix(self.doorward.address());
        path.unwrap_or_else(|| panic!("{address} leads elsewhere"))
            .to_owned()
    }
}

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
    go_on(browser, "Delete account");
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
