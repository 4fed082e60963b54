//! Many at once, in a browser: a list pasted and a list as a file, what each line means, how far it is, and what became of
//! it; every page looked at as [`super::tour`] looks at the others, and the whole course with scripts switched off.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::looker::Tour;
use super::steps::{MASTER, choose, go_on, heading, is_calm, sign_in, stays_at};
use crate::process::{Doorward, Launch};
use crate::webdriver::Browser;

const PASSWORD: &str = super::steps::PASSWORD;

/// One of each verdict that there can be on a list of a Master.
const MIXED: &str = "email,permission,name,phone\n\
    lea.fontaine@demo-guests.example,Billing,Léa Fontaine,+47 922 41 108\n\
    bjorn.aas@demo-guests.example,,Bjørn Aas,\n\
    samuel@demo.example,Member,,\n\
    no address,Member,Somebody,\n\
    LEA.Fontaine@demo-guests.example,Member,,\n\
    ann@demo-guests.example,owner,Ann,\n\
    a.name.that.goes.on.and.on.until.nobody.knows@a-domain-that-goes-on-and-on-until-nobody-knows.example,Admin,\
    Somebody with a name that goes on and on until nobody knows any more where it began,+47 922 41 109\n\
    eve@demo-guests.example,,www.eve,\n\
    ole@demo-guests.example,,Ole,92241108\n\
    kim@demo-guests.example,,Kim,,surplus\n";

/// Puts a text into the field at once: a long one takes long to type.
fn paste(browser: &Browser, text: &str) {
    browser.execute(
        "document.querySelector('[name=list]').value = arguments[0]",
        &[json!(text)],
    );
}

fn people(count: usize, domain: &str) -> String {
    (1..=count).fold(String::new(), |mut list, one| {
        writeln!(list, "person{one}@{domain},Member,Person Number {one}").unwrap();
        list
    })
}

/// A file of this content, and the field that it is chosen in.
fn attach(browser: &Browser, doorward: &Doorward, name: &str, content: &[u8]) {
    let file: PathBuf = doorward.data().parent().unwrap().join(name);
    std::fs::write(&file, content).unwrap();
    browser.find("[name=file]").keys(file.to_str().unwrap());
}

#[test]
fn every_page_of_lists_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_of_lists_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    tour.see("accounts", "/iam/accounts", 200);
    browser.leaving(|| browser.find_words(".page-head .btn", "Import").click());
    tour.stop("start", 200);
    go_on(&browser, "Check the list");
    tour.stop("start-nothing", 422);
    paste(&browser, "lea@x.example\nann@x.example,\"Ann");
    go_on(&browser, "Check the list");
    tour.stop("start-wrong", 422);
    attach(&browser, &doorward, "people.csv", b"L\xe9a,lea@x.example");
    paste(&browser, "");
    go_on(&browser, "Check the list");
    tour.stop("start-wrong-file", 422);

    paste(&browser, MIXED);
    go_on(&browser, "Check the list");
    tour.stop("judged", 200);
    assert_eq!(heading(&browser), "10 people on the list");
    browser.leaving(|| choose(&browser, "verdict", "Not an email (1)"));
    tour.stop("judged-filtered", 200);
    go_on(&browser, "Invite 3 people");
    browser.wait_until("a[href$='result.csv']");
    assert_eq!(heading(&browser), "3 people invited");
    tour.stop("done", 200);

    // More than an hour may have: it waits, and can be stopped.
    tour.go("/iam/import");
    attach(
        &browser,
        &doorward,
        "many.csv",
        people(320, "many.example").as_bytes(),
    );
    choose(&browser, "role", "Billing");
    go_on(&browser, "Check the list");
    tour.stop("judged-long", 200);
    let page = tour.path(&browser.url());
    tour.see("judged-last-page", &format!("{page}?page=7"), 200);
    tour.go(&page);
    go_on(&browser, "Invite 320 people");
    // The page looks again by itself: nobody presses anything here.
    let waits = browser.wait_until(".note.warn").text();
    assert!(waits.contains("goes on by itself"), "{waits}");
    tour.stop("waiting", 200);
    tour.see("recent", "/iam/import", 200);
    tour.go(&page);
    go_on(&browser, "Stop");
    tour.stop("stopped", 200);
    assert!(
        heading(&browser).ends_with("people invited"),
        "{}",
        heading(&browser)
    );
    let saved = browser.saving(|| browser.find("a[href$='result.csv']").click());
    let text = std::fs::read_to_string(saved).unwrap();
    assert_eq!(text.lines().count(), 321);
    assert!(
        text.contains("person1@many.example,Member,Person Number 1,,Invited,Pending"),
        "{text}"
    );

    tour.go("/iam/import");
    paste(&browser, "one@demo-guests.example");
    go_on(&browser, "Check the list");
    go_on(&browser, "Discard");
    tour.stop("discarded", 200);
    tour.see("not-there", "/iam/import/imp_bbbbbbbbbbbbb", 404);

    // A named invitee, before they come.
    tour.see("named-in-the-list", "/iam/accounts?q=fontaine", 200);
    browser.leaving(|| {
        browser
            .find_words("tbody .c-main a", "Léa Fontaine")
            .click()
    });
    tour.stop("named", 200);

    // Too large a file is told so by a page, not by a broken connection.
    tour.go("/iam/import");
    attach(&browser, &doorward, "large.csv", &vec![b'a'; 1_200_000]);
    browser.leaving(|| browser.find_words("button", "Check the list").click());
    let told = browser.source();
    assert!(told.contains("at most 1 MiB"), "{told}");
    assert_eq!(browser.status(), 413);
    tour.end();
}

#[test]
fn a_list_is_sent_and_followed_without_scripts() {
    let Some(browser) =
        Browser::open_without_scripts("a_list_is_sent_and_followed_without_scripts")
    else {
        return;
    };
    let doorward = Launch::demo().start();
    sign_in(&browser, &doorward, MASTER, PASSWORD);
    browser.go(&format!("{}/iam/accounts", doorward.address()));
    browser.leaving(|| browser.find_words(".page-head .btn", "Import").click());
    let list = "email;name\r\nn@bare.example;Nora\r\no@bare.example;Ola\r\n";
    attach(&browser, &doorward, "people.csv", list.as_bytes());
    go_on(&browser, "Check the list");
    assert_eq!(heading(&browser), "2 people on the list");
    go_on(&browser, "Invite 2 people");
    browser.wait_until("a[href$='result.csv']");
    assert_eq!(heading(&browser), "2 people invited");
    is_calm(&browser, &[]);
    stays_at(&browser, doorward.address());
}
