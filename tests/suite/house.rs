//! The harness itself: what `Portal` and `Visitor` promise to the other tests, and that the checks at a portal's end
//! can fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::DAY;

use crate::portal::{OWNER, PASSWORD, Portal};

/// What a portal complains of when it goes.
fn complaint(portal: Portal) -> String {
    let complaint = catch_unwind(AssertUnwindSafe(|| drop(portal))).expect_err("it was content");
    *complaint.downcast::<String>().unwrap()
}

#[test]
fn an_owner_is_signed_in_through_the_door() {
    let portal = Portal::start();
    let owner = portal.owner();
    assert!(owner.is_signed_in());
    assert_eq!(owner.email, OWNER);
    assert_eq!(owner.account().role, Role::Master);
    let done: Vec<String> = portal
        .audit(Some(portal.first()))
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(done, ["sign_in.succeeded", "organisation.created"]);
}

#[test]
fn members_and_other_organisations_are_made_by_the_verbs() {
    let portal = Portal::start();
    let other = portal.organisation("Other");
    let ann = portal.member(Role::Member, "ann@fjord.example");
    let ben = portal.member_of(&other, Role::Admin, "ben@other.example");
    assert_eq!(ann.account().organisation, portal.first());
    assert_eq!(ben.account().organisation, portal.named("Other"));
    assert_eq!(ann.scope().unwrap().role, Role::Member);
    assert_ne!(ann.address, ben.address);
}

#[test]
fn a_browser_keeps_its_cookies_and_forgets_them_when_their_time_is_over() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    assert_eq!(
        owner.cookie_names(),
        ["__Host-device", "__Host-session"],
        "the cookie of the visit before is gone"
    );
    owner.sign_out().follow().sees("You are signed out.");
    assert!(owner.cookie("session").is_none());
    assert!(owner.cookie("device").is_some());
    portal.travel(180 * DAY);
    assert_eq!(owner.cookie_header().matches("device").count(), 0);
}

#[test]
fn a_draft_leaves_out_what_no_browser_would() {
    let portal = Portal::build().http().start();
    let mut stranger = portal.visitor();
    stranger
        .draft(Method::Post, "/theme")
        .field("theme", "dark")
        .proven()
        .send()
        .answers(303)
        .goes_to("/");
    assert_eq!(stranger.cookie("theme").as_deref(), Some("dark"));
    stranger
        .draft(Method::Post, "/theme")
        .field("theme", "dark")
        .send()
        .answers(403)
        .sees("The form has expired")
        .sees_not("You are signed out");
    stranger
        .post_from("/sign-in?next=/mail", "/theme", &[("theme", "light")])
        .answers(303);
    stranger.head("/sign-in").answers(200);
    assert_eq!(stranger.html(), "");
    assert_eq!(stranger.header("X-Frame-Options").as_deref(), Some("DENY"));
}

#[test]
fn the_process_begins_anew_on_the_same_folder() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.restart(|settings, _| settings.brand = "Door".to_owned());
    assert!(owner.is_signed_in());
    owner.sign_out().follow().sees("Door");
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM organisations"), [1]);
}

/// A portal that owes a mail to Ann and gave it up.
fn with_a_failed_mail() -> Portal {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, "ann@fjord.example");
    portal.tamper(
        "UPDATE errands SET state = 'failed', ended_at = created_at, answer = '550 no such user'",
    );
    portal
}

#[test]
fn mail_that_is_never_delivered_is_a_fault() {
    let complaint = complaint(with_a_failed_mail());
    let told = "a mail was not delivered: activation to ann@fjord.example: failed 550 no such user";
    assert!(complaint.contains(told), "{complaint}");
}

#[test]
fn mail_may_be_left_where_the_test_says_so() {
    let portal = with_a_failed_mail();
    portal.leave_mail();
}

#[test]
fn a_broken_chain_and_a_broken_file_are_faults() {
    let portal = Portal::start();
    portal.owner();
    portal.tamper(
        "DROP TRIGGER audit_events_stay; UPDATE audit_events SET at = at + 1;
         PRAGMA foreign_keys = OFF; UPDATE sessions SET account_id = 1;",
    );
    let complaint = complaint(portal);
    assert!(complaint.contains("the audit log is broken"), "{complaint}");
    assert!(
        complaint.contains("a foreign key of sessions points nowhere"),
        "{complaint}"
    );
}

#[test]
fn an_answer_that_broke_is_a_fault() {
    let break_it = || {
        let portal = Portal::start();
        let mut owner = portal.owner();
        portal.tamper("PRAGMA foreign_keys = OFF; DROP TABLE sessions;");
        owner.get("/").answers(500).sees("Something broke here");
        portal.tamper("CREATE TABLE sessions (hash BLOB);");
        portal
    };
    let complaint = complaint(break_it());
    assert!(complaint.contains("it broke: GET /: 500"), "{complaint}");
    let portal = break_it();
    portal.expect_failures();
    portal.leave_mail();
}

#[test]
fn a_secret_in_the_log_or_in_the_file_is_a_fault() {
    let portal = Portal::start();
    let owner = portal.owner();
    let cookie = owner.cookie("session").unwrap();
    tracing::info!(cookie, "careless");
    portal.tamper(&format!("UPDATE organisations SET name = '{PASSWORD}'"));
    let complaint = complaint(portal);
    assert!(complaint.contains("stands in the log: "), "{complaint}");
    assert!(
        complaint.contains(&format!("{PASSWORD:?} stands in doorward.db")),
        "{complaint}"
    );
}

#[test]
fn what_a_phone_learns_is_a_secret_too() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.begin_two_factor();
    let key = owner.last().keys().remove(0);
    owner.enrol();
    let codes = owner.last().keys();
    assert_eq!((key.len(), codes.len()), (32, 10), "{key} {codes:?}");
    tracing::info!(code = codes[9], "careless");
    portal.tamper(&format!("UPDATE organisations SET name = '{key}'"));
    let complaint = complaint(portal);
    assert!(
        complaint.contains(&format!("{:?} stands in the log: ", codes[9])),
        "{complaint}"
    );
    assert!(
        complaint.contains(&format!("{key:?} stands in doorward.db")),
        "{complaint}"
    );
}

#[test]
fn a_half_and_an_enrolling_visitor_are_what_they_say() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Member, "ann@fjord.example");
    let other = portal.member(Role::Member, "ben@fjord.example");
    ann.enrol();
    let mut half = portal.half(&ann);
    assert!(half.holder().is_none() && half.cookie("challenge").is_some());
    half.get("/").answers(303).goes_to("/sign-in/code");
    portal.end_grace("ben@fjord.example");
    assert!(other.must_enrol() && !other.is_signed_in());
    assert!(
        portal.owner().is_signed_in(),
        "the grace of the others goes on"
    );
}

#[test]
fn a_failing_test_shows_the_page_the_audit_log_and_the_mailbox() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.get("/sign-in?next=/mail");
    let shown = catch_unwind(AssertUnwindSafe(|| owner.answers(200).status())).unwrap_err();
    let shown = *shown.downcast::<String>().unwrap();
    for part in [
        "200 was expected",
        "GET /sign-in?next=/mail answered 303 to /mail",
        "sign_in.succeeded",
        "Mailbox:",
    ] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
}
