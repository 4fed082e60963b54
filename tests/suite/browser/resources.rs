//! Resources in a browser: every page and state looked at as [`super::tour`] looks at the others, and the whole course with
//! scripts switched off.

use super::looker::Tour;
use super::steps::{
    BILLING, MASTER, MEMBER, PASSWORD, choose, fill, go_on, heading, is_calm, row_menu, sign_in,
    stays_at,
};
use crate::process::Launch;
use crate::webdriver::Browser;

/// What the demonstration has: one that runs since its first month, one that has ended, one that the member holds.
const OLD: &str = "db-1";
const ENDED: &str = "import-test";
const OF_MEMBER: &str = "media";

#[test]
fn every_page_of_resources_is_fit_to_be_seen() {
    let Some(browser) = Browser::open("every_page_of_resources_is_fit_to_be_seen") else {
        return;
    };
    let doorward = Launch::demo().start();
    let tour = Tour::of(&browser, &doorward);
    tour.sign_in(MASTER);
    list(&tour);
    one(&tour);
    create(&tour);
    change(&tour);
    leave_to_others(&tour);
    readers(&tour);
    tour.end();
}

/// The page of the resource of this name.
fn page_of(tour: &Tour<'_>, name: &str) -> String {
    tour.go(&format!("/resources?status=all&q={name}"));
    let link = tour.browser.find_words("tbody .c-main a", name);
    tour.path(link.property("href").as_str().unwrap())
}

fn list(tour: &Tour<'_>) {
    let browser = tour.browser;
    tour.see("list", "/resources", 200);
    tour.see("list-ended", "/resources?status=ended", 200);
    tour.see(
        "list-all-by-cost",
        "/resources?status=all&sort=-cost&per=50",
        200,
    );
    tour.see("list-of-a-kind", "/resources?kind=database&q=db", 200);
    tour.see("list-none", "/resources?q=nothing-like-that", 200);
    tour.go(&format!("/resources?q={OLD}"));
    row_menu(browser, OLD);
    tour.look("row-menu");
    tour.go(&format!("/resources?q={OLD}"));
    row_menu(browser, OLD);
    browser.find_words("tbody .menu a", "Change plan…").click();
    browser.wait_until("dialog[open]");
    tour.look("plan-dialog");
}

fn one(tour: &Tour<'_>) {
    let browser = tour.browser;
    tour.see("one", &page_of(tour, OLD), 200);
    browser.find_words("summary", "Show as table").click();
    tour.look("one-as-table");
    tour.see("one-ended", &page_of(tour, ENDED), 200);
    tour.see("not-found", "/resources/res_bbbbbbbbbbbbb", 404);
    tour.see(
        "ended-changes-no-more",
        &format!("{}/plan", page_of(tour, ENDED)),
        403,
    );
}

fn create(tour: &Tour<'_>) {
    let browser = tour.browser;
    tour.see("new", "/resources/new", 200);
    go_on(browser, "Continue");
    tour.stop("new-wrong", 422);
    fill(browser, "name", OLD);
    browser.find("input[value='server/s-2']").click();
    go_on(browser, "Continue");
    tour.stop("new-taken", 422);
    fill(
        browser,
        "name",
        "a-name-that-goes-on-and-on-until-nobody-knows-any-more-where-it-began-or-what-it-was-to-be-called",
    );
    fill(browser, "note", "For the tour.");
    go_on(browser, "Continue");
    tour.stop("new-confirm", 200);
    go_on(browser, "Edit");
    tour.stop("new-again", 200);
    go_on(browser, "Continue");
    let deed = browser.find("footer .primary").text();
    go_on(browser, &deed);
    tour.stop("new-done", 200);
    tour.see("list-long-name", "/resources?sort=-created", 200);
}

fn change(tour: &Tour<'_>) {
    let browser = tour.browser;
    let one = page_of(tour, OLD);
    tour.see("edit", &format!("{one}/edit"), 200);
    fill(browser, "name", "web-1");
    go_on(browser, "Save");
    tour.stop("edit-taken", 422);
    tour.see("plan", &format!("{one}/plan"), 200);
    go_on(browser, "Continue");
    tour.stop("plan-same", 422);
    browser.find("input[type=radio]:not(:checked)").click();
    go_on(browser, "Continue");
    tour.stop("plan-confirm", 200);
    go_on(browser, "Change plan");
    tour.stop("plan-done", 200);
    tour.see("hand-over", &format!("{one}/hand-over"), 200);
    go_on(browser, &format!("Hand over {OLD}"));
    tour.stop("hand-over-nobody", 422);
    choose(browser, "account", &format!("Samuel Osei ({MEMBER})"));
    go_on(browser, &format!("Hand over {OLD}"));
    tour.stop("hand-over-done", 200);
    tour.see("end", &format!("{one}/end"), 200);
    go_on(browser, &format!("End {OLD}"));
    tour.stop("end-done", 200);
}

fn leave_to_others(tour: &Tour<'_>) {
    let (member, billing) = (tour.account(MEMBER), tour.account(BILLING));
    tour.see("hand-over-all", &format!("{member}/hand-over"), 200);
    tour.see("hand-over-nothing", &format!("{billing}/hand-over"), 200);
}

fn readers(tour: &Tour<'_>) {
    tour.sign_in(BILLING);
    tour.see("billing-list", "/resources", 200);
    tour.see("billing-one", &page_of(tour, OF_MEMBER), 200);
    tour.see("billing-new", "/resources/new", 403);
    tour.sign_in(MEMBER);
    tour.see("member-list", "/resources", 200);
    tour.see("member-own", &page_of(tour, OF_MEMBER), 200);
    tour.see("member-other", &page_of(tour, "web-1"), 200);
}

#[test]
fn resources_are_had_without_scripts() {
    let Some(browser) = Browser::open_without_scripts("resources_are_had_without_scripts") else {
        return;
    };
    let doorward = Launch::demo().start();
    sign_in(&browser, &doorward, MASTER, PASSWORD);
    go_on(&browser, "Resources");
    fill(&browser, "q", "db");
    choose(&browser, "kind", "Database");
    go_on(&browser, "Filter");
    assert!(
        browser.url().ends_with("?q=db&kind=database&account="),
        "{}",
        browser.url()
    );
    go_on(&browser, "Create resource");
    assert_eq!(heading(&browser), "Create resource");
    fill(&browser, "name", "bare-1");
    browser.find("input[value='server/s-2']").click();
    go_on(&browser, "Continue");
    assert_eq!(heading(&browser), "Create bare-1?");
    go_on(&browser, "Edit");
    assert_eq!(browser.find("#name").property("value"), "bare-1");
    go_on(&browser, "Continue");
    go_on(&browser, "Create bare-1");
    assert_eq!(heading(&browser), "bare-1");
    go_on(&browser, "Change plan");
    browser.find("input[value='server/s-4']").click();
    go_on(&browser, "Continue");
    go_on(&browser, "Change plan");
    assert_eq!(heading(&browser), "bare-1");
    go_on(&browser, "Rename or note");
    fill(&browser, "name", "bare-2");
    go_on(&browser, "Save");
    assert_eq!(heading(&browser), "bare-2");
    go_on(&browser, "Hand over");
    choose(&browser, "account", &format!("Samuel Osei ({MEMBER})"));
    go_on(&browser, "Hand over bare-2");
    assert!(browser.find("main").text().contains("Samuel Osei"));
    // From a row of a list, and back to it.
    go_on(&browser, "Resources");
    fill(&browser, "q", "bare");
    go_on(&browser, "Filter");
    row_menu(&browser, "bare-2");
    go_on(&browser, "End…");
    go_on(&browser, "End bare-2");
    assert!(
        browser.url().contains("/resources?q=bare"),
        "{}",
        browser.url()
    );
    assert!(browser.find("main").text().contains("No resources match"));
    is_calm(&browser, &[403]);
    stays_at(&browser, doorward.address());
}
