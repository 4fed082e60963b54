//! The first page and the settings in a browser, as each role and in their states, and the pages of what was refused:
//! each looked at as [`super::tour`] looks at the others.

use super::looker::Tour;
use super::steps::{ADMIN, BILLING, MASTER, MEMBER, PASSWORD, choose, fill, go_on};
use crate::process::Launch;
use crate::webdriver::Browser;

#[test]
fn the_dashboard_is_fit_to_be_seen_by_everybody() {
    let Some(browser) = Browser::open("the_dashboard_is_fit_to_be_seen_by_everybody") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    tour.see("master", "/", 200);
    browser.find_words("summary", "Show as table").click();
    tour.look("master-as-table");
    for (name, email) in [("admin", ADMIN), ("billing", BILLING), ("member", MEMBER)] {
        tour.sign_in(email);
        tour.see(name, "/", 200);
    }
    tour.end();
}

#[test]
fn the_settings_are_fit_to_be_seen() {
    let Some(browser) = Browser::open("the_settings_are_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    tour.see("settings", "/settings", 200);
    // Leaving is asked about once something is typed, and not before; nor is saving it.
    let leave = "const event = new Event('beforeunload', { cancelable: true });
        dispatchEvent(event);
        return event.defaultPrevented";
    assert_eq!(browser.execute(leave, &[]), false);
    fill(&browser, "vat_number", "NO 1");
    assert_eq!(browser.execute(leave, &[]), true);
    go_on(&browser, "Save general settings");
    assert_eq!(browser.execute(leave, &[]), false);
    fill(&browser, "domains", "demo.example *.example");
    go_on(&browser, "Save email domains");
    tour.stop("domains-wrong", 422);
    fill(&browser, "domains", "halden.example");
    go_on(&browser, "Save email domains");
    tour.stop("domains-saved", 200);
    tour.go("/iam/accounts/new");
    fill(&browser, "email", "lea@else.example");
    go_on(&browser, "Confirm");
    tour.stop("invite-outside", 422);
    tour.end();
}

#[test]
fn what_was_refused_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("what_was_refused_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.see("unreadable", "/%ff", 400);
    tour.sign_in(MEMBER);
    tour.see("forbidden", "/billing", 403);
    tour.see("form-address", "/account/password", 405);
    tour.see("not-found", "/nothing", 404);
    // The gate's own: an address longer than any head.
    let long = format!("/?q={}", "x".repeat(40_000));
    tour.see("too-long", &long, 431);
    tour.end();
}

#[test]
fn the_first_steps_are_fit_to_be_seen() {
    let Some(browser) = Browser::open("the_first_steps_are_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::serve().start();
    let tour = Tour::of(&browser, &doorward);
    let link = std::fs::read_to_string(doorward.data().join("setup-link")).unwrap();
    tour.go(&tour.path(link.trim()));
    fill(&browser, "organisation", "Halden Works");
    fill(&browser, "name", "Ingrid Solheim");
    fill(&browser, "email", "ingrid@halden.example");
    fill(&browser, "password", PASSWORD);
    fill(&browser, "password_confirmation", PASSWORD);
    choose(&browser, "timezone", "Europe/Oslo");
    go_on(&browser, "Create organisation");
    fill(&browser, "password", PASSWORD);
    go_on(&browser, "Sign in");
    tour.see("first-steps", "/", 200);
    go_on(&browser, "Put away");
    tour.stop("first-steps-away", 200);
    tour.end();
}
