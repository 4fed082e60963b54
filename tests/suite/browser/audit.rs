//! The Audit log in a browser: every state looked at as [`super::tour`] looks at the other pages, and read without scripts.

use serde_json::json;

use super::looker::Tour;
use super::steps::{ADMIN, MASTER, PASSWORD, choose, go_on, heading, is_calm, sign_in, stays_at};
use crate::process::Launch;
use crate::webdriver::Browser;

#[test]
fn every_page_of_the_audit_log_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_of_the_audit_log_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    tour.see("list", "/audit", 200);
    let newest = browser.find("tbody .c-main a").property("href");
    let newest = tour.path(newest.as_str().unwrap());
    tour.see("one", &newest, 200);
    tour.see("list-of-invitations", "/audit?what=account.created", 200);
    let invited = browser.find("tbody .c-main a").property("href");
    tour.see("one-with-facts", &tour.path(invited.as_str().unwrap()), 200);
    tour.see("list-changes", "/audit?what=resources&result=done", 200);
    let member = tour.account(super::steps::MEMBER);
    let member = member.rsplit('/').next().unwrap();
    tour.see(
        "list-filtered",
        &format!("/audit?q=osei&target={member}&from=2020-01-01&to=2098-12-31&result=done"),
        200,
    );
    tour.see("list-none", "/audit?q=nothing-like-that&who=operator", 200);
    tour.see("past-the-end", "/audit?before=1", 200);
    tour.see("no-such-event", "/audit/4000000000", 404);
    tour.sign_in(ADMIN);
    tour.see("admin", "/audit", 403);
    tour.end();
}

#[test]
fn the_audit_log_is_read_without_scripts() {
    let Some(browser) = Browser::open_without_scripts("the_audit_log_is_read_without_scripts")
    else {
        return;
    };
    let doorward = Launch::demo().start();
    sign_in(&browser, &doorward, MASTER, PASSWORD);
    go_on(&browser, "Audit log");
    assert_eq!(heading(&browser), "Audit log");
    choose(&browser, "what", "Sign-ins");
    // How a day is typed depends on the language of the browser.
    browser.execute(
        "document.querySelector('[name=from]').value = arguments[0]",
        &[json!("2020-01-01")],
    );
    go_on(&browser, "Filter");
    assert!(
        browser
            .url()
            .ends_with("/audit?q=&who=&what=sign-ins&result=&from=2020-01-01&to="),
        "{}",
        browser.url()
    );
    browser.find("tbody .c-main a").click();
    assert!(browser.find("main").text().contains("Place in the log"));
    browser.leaving(|| browser.find("a.back").click());
    assert!(browser.url().contains("what=sign-ins"), "{}", browser.url());
    go_on(&browser, "Clear");
    assert!(browser.url().ends_with("/audit"), "{}", browser.url());
    let saved = browser.saving(|| browser.find("a[download='audit.csv']").click());
    let text = std::fs::read_to_string(saved).unwrap();
    assert!(text.starts_with("number,time,event,"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("rows,"));
    is_calm(&browser, &[]);
    stays_at(&browser, doorward.address());
}
