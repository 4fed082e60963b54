//! The Mail page: what is shown to whom, and once more.

use doorward::domain::role::Role;
use doorward::kit::mail::{Cause, Failure};
use doorward::kit::time::{DAY, HOUR, MINUTE};

use crate::portal::{OWNER, Portal};

const LEA: &str = "lea@fjord.example";
const NO_SUCH_USER: &str = "550 5.1.1 no such user here";

/// The id of the newest mail to this address.
#[track_caller]
fn id_of(portal: &Portal, to: &str) -> String {
    // An id is drawn as the first half of the Message-ID.
    let ids: Vec<String> = portal.ask(&format!(
        "SELECT substr(message_id, 1, instr(message_id, '@') - 1) FROM errands WHERE recipient = '{to}' ORDER BY created_at DESC"
    ));
    ids.first()
        .cloned()
        .unwrap_or_else(|| panic!("no mail is owed to {to}"))
}

fn refuse_all(portal: &Portal) {
    portal
        .mailbox()
        .fail(Some(Failure::Never(NO_SUCH_USER.to_owned())));
}

#[test]
fn the_list_tells_what_became_of_each_mail_and_the_address_says_which() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.get("/mail").answers(200).sees("No mail yet");
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    refuse_all(&portal);
    portal.invite(&owner, Role::Member, "max@fjord.example");
    portal.work();
    portal.leave_mail();
    owner
        .get("/mail")
        .answers(200)
        .sees("All 2")
        .sees("Sent 1")
        .sees("Failed 1")
        .sees(LEA)
        .sees("250 2.0.0 kept in the mailbox")
        .sees(NO_SUCH_USER);
    owner
        .get("/mail?state=failed")
        .sees("max@fjord.example")
        .sees_not(LEA);
    owner
        .get("/mail?state=sent")
        .sees(LEA)
        .sees_not("max@fjord.example");
    owner
        .get("/mail?state=waiting")
        .sees("No mail matches")
        .sees("Clear filters");
    owner
        .get("/mail?state=nonsense&page=-3&per=x")
        .answers(200)
        .sees(LEA)
        .sees("max@fjord.example");
}

#[test]
fn a_failed_mail_is_sent_again_once_somebody_says_so() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    refuse_all(&portal);
    portal.work();
    let page = format!("/mail/{}", id_of(&portal, LEA));
    owner
        .get(&page)
        .answers(200)
        .sees("Failed")
        .sees(NO_SUCH_USER)
        .sees("Given up");
    portal.mailbox().fail(None);
    portal.work();
    assert!(portal.mails().is_empty(), "it is not tried again by itself");
    owner
        .post(format!("{page}/retry"), &[])
        .answers(303)
        .goes_to(&page);
    owner
        .follow()
        .sees("The mail to lea@fjord.example waits to be sent again.");
    portal.work();
    owner
        .get(&page)
        .sees("Sent")
        .sees("250 2.0.0 kept in the mailbox")
        .sees(NO_SUCH_USER);
    assert_eq!(portal.mails().len(), 1);
    let retried = portal.audit(Some(portal.first()));
    assert_eq!(retried[0].action, "mail.retried");
    assert_eq!(retried[0].target.as_deref(), Some(LEA));
    // Once is enough.
    owner
        .post(format!("{page}/retry"), &[])
        .answers(403)
        .sees("Only a failed mail can be sent again.");
}

#[test]
fn a_link_that_died_meanwhile_is_not_sent_again() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    refuse_all(&portal);
    portal.work();
    portal.leave_mail();
    portal.travel(DAY);
    owner.sign_in();
    let page = format!("/mail/{}", id_of(&portal, LEA));
    owner
        .get(&page)
        .sees("Its link has expired. Send a new one from the account's menu.");
    owner
        .post(format!("{page}/retry"), &[])
        .answers(403)
        .sees("Its link has expired.");
    // No menu sends a reset link: whoever forgot the password asks for it.
    let mut stranger = portal.visitor();
    stranger.post("/forgot-password", &[("email", OWNER)]);
    portal.work();
    portal.travel(HOUR);
    owner
        .get(format!("/mail/{}", id_of(&portal, OWNER)))
        .sees("Its person can ask for a new one, by “Forgot password?”.");
}

#[test]
fn what_waits_says_for_what() {
    let portal = Portal::build().mail_off().start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    owner
        .get("/mail")
        .sees("Mail is off.")
        .sees("DOORWARD_SMTP_URL")
        .sees("Waiting 1");
    owner
        .get(format!("/mail/{}", id_of(&portal, LEA)))
        .sees("When mail is on");
}

#[test]
fn a_relay_in_trouble_is_shown_in_its_own_words() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.mailbox().fail(Some(Failure::Relay(
        Cause::Login,
        "535 5.7.8 wrong password".to_owned(),
    )));
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    portal.travel(12 * MINUTE);
    portal.work();
    owner
        .get("/mail")
        .sees("The mail server is in trouble.")
        .sees("12 min ago")
        .sees("535 5.7.8 wrong password")
        .sees("next try today, 14:32");
    owner
        .get(format!("/mail/{}", id_of(&portal, LEA)))
        .sees("2 535 5.7.8 wrong password");
    portal.mailbox().fail(None);
    portal.travel(MINUTE);
    portal.work();
    owner.get("/mail").sees_not("in trouble").sees("Sent 1");
}

#[test]
fn another_organisations_mail_does_not_exist() {
    let portal = Portal::build().demo().start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    refuse_all(&portal);
    portal.work();
    portal.leave_mail();
    let page = format!("/mail/{}", id_of(&portal, LEA));
    let mut other = portal.organisation("Brae Energy");
    other.get("/mail").answers(200).sees_not(LEA);
    other.get(&page).answers(404);
    other.get(format!("{page}/body")).answers(404);
    other.post(format!("{page}/retry"), &[]).answers(404);
    let states: Vec<String> =
        portal.ask("SELECT state FROM errands WHERE recipient = 'lea@fjord.example'");
    assert_eq!(states, ["failed"]);
}

#[test]
fn mail_is_for_those_who_manage_users() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let page = format!("/mail/{}", id_of(&portal, LEA));
    let mut admin = portal.member(Role::Admin, "ann@fjord.example");
    admin.get("/mail").answers(200);
    admin.get(&page).answers(200);
    let mut billing = portal.member(Role::Billing, "bo@fjord.example");
    for path in ["/mail", &page, &format!("{page}/body")] {
        billing.get(path).answers(403).sees_not(LEA);
    }
    billing.post(format!("{page}/retry"), &[]).answers(403);
    portal.visitor().get(&page).answers(303);
}

#[test]
fn only_the_demonstration_shows_what_a_mail_says() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let page = format!("/mail/{}", id_of(&portal, LEA));
    let link = portal.link_for(LEA);
    owner.get(&page).answers(200);
    assert!(!owner.html().contains("iframe") && !owner.html().contains(&link));
    assert!(
        !owner
            .header("Content-Security-Policy")
            .unwrap()
            .contains("frame-src")
    );
    owner.get(format!("{page}/body")).answers(404);
}

#[test]
fn the_demonstration_frames_a_mail_under_a_policy_of_its_own() {
    let portal = Portal::build().demo().start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let page = format!("/mail/{}", id_of(&portal, LEA));
    let link = portal.link_for(LEA);
    owner
        .get(&page)
        .answers(200)
        .sees(&format!("https://portal.example.com{link}"));
    assert!(
        owner
            .html()
            .contains(&format!("<iframe sandbox src=\"{page}/body\""))
    );
    let policy = owner.header("Content-Security-Policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none';") && policy.ends_with("; frame-src 'self'"),
        "{policy}"
    );
    assert_eq!(owner.last().all("Content-Security-Policy").len(), 1);
    owner.get(format!("{page}/body")).answers(200);
    assert_eq!(owner.html(), portal.mails()[0].html);
    assert_eq!(
        owner.last().all("Content-Security-Policy"),
        ["default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"]
    );
    assert_eq!(owner.last().all("X-Frame-Options"), ["SAMEORIGIN"]);
    // Every other page lets nothing frame it and frames nothing.
    owner.get("/mail");
    assert_eq!(owner.last().all("X-Frame-Options"), ["DENY"]);
    assert!(
        !owner
            .header("Content-Security-Policy")
            .unwrap()
            .contains("frame-src")
    );
}

#[test]
fn a_long_list_has_pages() {
    let portal = Portal::build()
        .settings(|settings| settings.terms.hour_max = 100)
        .start();
    let mut owner = portal.owner();
    for number in 0..26 {
        portal.invite(&owner, Role::Member, &format!("p{number}@fjord.example"));
    }
    portal.work();
    owner
        .get("/mail?state=sent")
        .sees("1 to 25 of 26")
        .sees("Next");
    assert!(
        owner
            .html()
            .contains("href=\"/mail?state=sent&amp;page=2\"")
    );
    owner.get("/mail?state=sent&page=2").sees("26 to 26 of 26");
    owner.get("/mail?page=99").sees("26 to 26 of 26");
}
