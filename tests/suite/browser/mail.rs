//! Mail in a browser: the list in all its states, a test mail on its way, taken and refused, and a refused login told on
//! every page.

use std::time::Duration;

use super::looker::Tour;
use super::steps::{go_on, sign_in};
use crate::markup;
use crate::process::Launch;
use crate::relay::{Relay, Security, Step, Twist};
use crate::served::{OWNER, PASSWORD, found, invite, until_seen};
use crate::wait;
use crate::webdriver::Browser;

/// An address as long as people have them.
const LONG: &str = "marie-louise.underwood.of.the.northern.division@haldenworks-supply.example";

/// Until the page has these words, which it asks for by itself.
#[track_caller]
fn until_it_says(browser: &Browser, words: &str) {
    let found = wait::until(Duration::from_secs(30), || {
        browser.source().contains(words).then_some(())
    });
    assert!(found.is_some(), "{}", browser.source());
}

#[test]
fn mail_and_what_became_of_it_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("mail_and_what_became_of_it_is_fit_to_be_seen") else {
        return;
    };
    let relay = Relay::start(Security::StartTls);
    relay.ask_for_login("portal", "s@cret");
    relay.refuse(LONG, "550 5.1.1 <marie-louise.underwood.of.the.northern.division@haldenworks-supply.example>: Recipient address rejected: User unknown in virtual mailbox table");
    let doorward = Launch::serve()
        .arg("--smtp-url")
        .arg(relay.url("portal:s%40cret@"))
        .start();
    let mut owner = found(&doorward);
    let tour = Tour::of(&browser, &doorward);
    sign_in(&browser, &doorward, OWNER, PASSWORD);
    for email in [LONG, "lea@haldenworks.example", "max@haldenworks.example"] {
        invite(&mut owner, email);
    }
    until_seen(&mut owner, "/mail?state=failed", LONG);
    until_seen(&mut owner, "/mail?state=sent", "max@haldenworks.example");
    relay.refuse("zoe@haldenworks.example", "550 5.1.1 no such user");
    invite(&mut owner, "zoe@haldenworks.example");
    until_seen(&mut owner, "/mail?state=failed", "zoe@haldenworks.example");
    tour.see("mail", "/mail", 200);
    tour.see("mail-failed", "/mail?state=failed", 200);
    tour.see("mail-none-waits", "/mail?state=waiting", 200);
    tour.see("mail-searched", "/mail?q=zo", 200);
    tour.see("mail-none-found", "/mail?q=nobody&state=sent", 200);
    tour.go("/mail?q=marie");
    browser.find("tbody a").click();
    tour.stop("message-failed", 200);

    // Taken, after a while in which the page asks by itself.
    relay.at(Step::Greeting, Twist::Pause(Duration::from_secs(8)));
    tour.go("/mail");
    go_on(&browser, "Send test mail");
    until_it_says(&browser, "On its way.");
    assert_eq!(markup::problems(&browser.source()), [""; 0]);
    browser.screenshot("test-on-its-way");
    until_it_says(&browser, "The mail server took it.");
    tour.stop("test-taken", 200);

    relay.behave();
    relay.at(
        Step::Auth,
        Twist::Say("535 5.7.8 Error: authentication failed"),
    );
    go_on(&browser, "Send another");
    until_it_says(&browser, "It did not leave.");
    tour.stop("test-refused", 200);
    tour.see("banner", "/iam/accounts", 200);
    tour.see("banner-dashboard", "/", 200);
    tour.see("mail-login-refused", "/mail", 200);
    relay.behave();
    // It goes away by itself, though nothing is owed.
    until_gone(&tour);
    tour.end();
}

fn until_gone(tour: &Tour<'_>) {
    let gone = wait::until(Duration::from_secs(60), || {
        tour.go("/iam/accounts");
        (!tour.browser.source().contains("refuses our login")).then_some(())
    });
    assert!(gone.is_some(), "the banner stays");
}
