//! The Mail page: what is shown to whom, and once more.

use doorward::domain::role::Role;
use doorward::kit::mail::{Cause, Failure};
use doorward::kit::time::{DAY, HOUR, MINUTE};

use crate::portal::{OWNER, Portal};
use crate::visitor::Visitor;

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
        .sees("Nothing waits")
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
        .sees("The mail server refuses our login.")
        .sees("Whoever runs this Portal checks user and password in smtp_url.")
        .sees("12 min ago")
        .sees("535 5.7.8 wrong password")
        .sees("next try today, 14:32");
    owner
        .get(format!("/mail/{}", id_of(&portal, LEA)))
        .sees("2 535 5.7.8 wrong password");
    portal.mailbox().fail(None);
    portal.travel(MINUTE);
    portal.work();
    owner.get("/mail").sees_not("refuses").sees("Sent 1");
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

#[test]
fn mails_are_found_by_a_part_of_the_address_that_they_went_to() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    portal.invite(&owner, Role::Member, "lea_o@fjord.example");
    portal.work();
    refuse_all(&portal);
    portal.invite(&owner, Role::Member, "max@fjord.example");
    portal.work();
    owner
        .get("/mail?q=LEA")
        .answers(200)
        .sees("All 2")
        .sees("Sent 2")
        .sees("Failed 0")
        .sees(LEA)
        .sees_not("max@fjord.example");
    owner
        .get("/mail?q=a_o")
        .sees("lea_o@fjord.example")
        .sees_not(LEA);
    owner
        .get("/mail?q=max&state=sent")
        .sees("No mail matches")
        .sees("None that is sent went to an address that holds “max”.");
    owner
        .get("/mail?q=%25")
        .sees("No recipient's address holds “%”.");
    owner.get("/mail?q=max&state=failed").sees("1 to 1 of 1");
    // Another organisation's are not found by their address either.
    let mut other = portal.organisation("Brae Energy");
    other.get("/mail?q=lea").answers(200).sees_not(LEA);
    portal.leave_mail();
}

#[test]
fn what_failed_is_sent_again_together_but_for_dead_links_and_tests() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    refuse_all(&portal);
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    portal.travel(23 * HOUR);
    owner.sign_in();
    portal.invite(&owner, Role::Member, "ann@fjord.example");
    portal.invite(&owner, Role::Member, "bo@fjord.example");
    owner.post("/mail/test", &[]).answers(303);
    portal.work();
    portal.travel(2 * HOUR);
    portal.leave_mail();
    let failed = "SELECT count(*) FROM errands WHERE state = 'failed'";
    let all = portal.ask::<i64>(failed)[0];
    let test_and_dead_link = 2;
    owner.get("/sign-in");
    owner.sign_in();
    owner
        .get("/mail?state=failed")
        .sees(&format!("Retry all {}", all - test_and_dead_link));
    owner.get("/mail?state=failed&q=ann").sees_not("Retry all");
    owner.get("/mail").sees_not("Retry all");
    portal.mailbox().fail(None);
    owner.post("/mail/retry", &[]).answers(303).goes_to("/mail");
    owner.follow().sees(&format!(
        "{} mails wait to be sent again.",
        all - test_and_dead_link
    ));
    let told = &portal.audit(Some(portal.first()))[0];
    assert_eq!(told.action, "mail.retried");
    portal.work();
    assert_eq!(portal.ask::<i64>(failed), [test_and_dead_link]);
    // Each row's own judgement is the same.
    let mails: Vec<String> = portal.mails().into_iter().map(|mail| mail.to).collect();
    assert!(mails.contains(&"ann@fjord.example".to_owned()), "{mails:?}");
    assert!(!mails.contains(&LEA.to_owned()), "{mails:?}");
    owner
        .post("/mail/retry", &[])
        .answers(403)
        .sees("No failed mail can be sent again: the page of each says why.");
}

/// The page of the test mail that was asked for last.
#[track_caller]
fn ask_for_test(who: &mut Visitor) -> String {
    who.post("/mail/test", &[]).answers(303);
    let page = who.header("Location").unwrap();
    assert!(page.starts_with("/mail/mail_"), "{page}");
    page
}

#[test]
fn a_test_mail_goes_to_whoever_asks_and_its_page_waits_for_it() {
    let portal = Portal::start();
    portal.owner();
    let mut admin = portal.member(Role::Admin, "ann@fjord.example");
    portal.work();
    let page = ask_for_test(&mut admin);
    admin
        .get(&page)
        .sees("A test mail to ann@fjord.example is on its way.")
        .sees("This page looks again by itself")
        .sees("The mail server was not spoken to yet.");
    assert_eq!(admin.header("Refresh").as_deref(), Some("2"));
    portal.work();
    admin
        .get(&page)
        .sees("The mail server took it.")
        .sees("Send another")
        .sees("there is no server to talk to");
    assert_eq!(admin.header("Refresh"), None);
    let mails = portal.mails();
    let mail = mails.last().unwrap();
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("ann@fjord.example", "Test mail from Portal")
    );
    let text = mail.text.replace('\n', " ");
    for part in [
        "You get this because you chose Send test mail on the Mail page of Fjord Supply.",
        "24 November 2026, 14:20 (Europe/Oslo)",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let told = &portal.audit(Some(portal.first()))[0];
    assert_eq!(
        (told.action.as_str(), told.target.as_deref()),
        ("mail.tested", Some("ann@fjord.example"))
    );
    // No other mail's page asks by itself.
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    admin.get(format!("/mail/{}", id_of(&portal, LEA)));
    assert_eq!(admin.header("Refresh"), None);
    admin.post(format!("{page}/retry"), &[]).answers(403);
    portal.leave_mail();
}

#[test]
fn five_test_mails_in_ten_minutes_are_enough_for_an_organisation() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut admin = portal.member(Role::Admin, "ann@fjord.example");
    for _ in 0..3 {
        ask_for_test(&mut owner);
    }
    portal.travel(3 * MINUTE);
    ask_for_test(&mut admin);
    ask_for_test(&mut admin);
    for who in [&mut owner, &mut admin] {
        who.post("/mail/test", &[])
            .answers(429)
            .sees("5 test mails in ten minutes are enough. Send the next one in 7 min.");
        assert_eq!(who.header("Retry-After").as_deref(), Some("420"));
    }
    let mut other = portal.organisation("Brae Energy");
    ask_for_test(&mut other);
    portal.travel(7 * MINUTE);
    ask_for_test(&mut owner);
    let tests = "SELECT count(*) FROM errands WHERE kind = 'test'";
    assert_eq!(portal.ask::<i64>(tests), [7]);
    portal.leave_mail();
}

#[test]
fn while_mail_is_off_a_test_is_refused_with_the_setting_that_is_missing() {
    let portal = Portal::build().mail_off().start();
    let mut owner = portal.owner();
    owner.get("/mail").sees("Send test mail");
    assert!(!owner.html().contains("action=\"/mail/test\""));
    owner
        .post("/mail/test", &[])
        .answers(403)
        .sees("Mail is off: no mail server is set. Whoever runs this Portal turns it on with DOORWARD_SMTP_URL");
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM errands WHERE kind = 'test'"),
        [0]
    );
    portal.leave_mail();
}

#[test]
fn a_test_mail_is_answered_at_once_though_the_relay_is_in_trouble() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let refused = Failure::Relay(Cause::Login, "535 5.7.8 wrong password".to_owned());
    portal.mailbox().fail(Some(refused));
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    // The queue waits for half a minute; the test does not.
    let page = ask_for_test(&mut owner);
    portal.work();
    owner
        .get(&page)
        .sees("It did not leave.")
        .sees("535 5.7.8 wrong password")
        .sees("user and password in smtp_url");
    assert_eq!(owner.header("Refresh"), None);
    portal.mailbox().fail(None);
    ask_for_test(&mut owner);
    portal.work();
    // A test that is taken shows that the relay is well: what waited leaves with it.
    portal.work();
    let mut mails: Vec<String> = portal.mails().into_iter().map(|mail| mail.to).collect();
    mails.sort_unstable();
    assert_eq!(mails, [LEA, OWNER]);
    portal.leave_mail();
}

#[test]
fn a_greylisted_test_mail_waits_as_any_other_and_its_page_asks_seldom() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal
        .mailbox()
        .fail(Some(Failure::Later("451 4.7.1 greylisted".to_owned())));
    let page = ask_for_test(&mut owner);
    portal.work();
    owner
        .get(&page)
        .sees("451 4.7.1 greylisted")
        .sees("Waiting");
    assert_eq!(owner.header("Refresh").as_deref(), Some("30"));
    portal.mailbox().fail(None);
    portal.travel(MINUTE);
    portal.work();
    owner.get(&page).sees("The mail server took it.");
    portal
        .mailbox()
        .fail(Some(Failure::Later("451 4.7.1 greylisted".to_owned())));
    let page = ask_for_test(&mut owner);
    portal.work();
    portal.travel(11 * MINUTE);
    portal.work();
    owner
        .get(&page)
        .sees("It could not be delivered before it expired.");
    assert_eq!(owner.header("Refresh"), None);
    portal.leave_mail();
}

#[test]
fn a_refused_login_stands_on_every_page_of_a_master_until_it_works_again() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut admin = portal.member(Role::Admin, "ann@fjord.example");
    portal.work();
    const TOLD: &str = "The mail server refuses our login. No mail has left since";
    for page in ["/", "/iam/accounts", "/settings"] {
        owner.get(page).answers(200).sees_not("refuses our login");
    }
    let refused = Failure::Relay(Cause::Login, "535 5.7.8 wrong password".to_owned());
    portal.mailbox().fail(Some(refused));
    ask_for_test(&mut owner);
    portal.work();
    for page in ["/", "/iam/accounts", "/settings", "/account", "/iam/roles"] {
        owner
            .get(page)
            .answers(200)
            .sees(TOLD)
            .sees("Whoever runs this Portal checks user and password in smtp_url.");
        admin.get(page).sees_not(TOLD);
    }
    // The Mail page tells it once, with the words.
    owner
        .get("/mail")
        .sees_not(TOLD)
        .sees("535 5.7.8 wrong password");
    admin.get("/mail").sees("535 5.7.8 wrong password");
    owner.get("/readyz").answers(200).sees("degraded");
    // Nothing is owed any more, and still it is noticed that it works.
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM errands WHERE state = 'waiting'"),
        [0]
    );
    portal.travel(30);
    portal.work();
    owner.get("/iam/accounts").sees(TOLD);
    portal.mailbox().fail(None);
    portal.travel(30);
    portal.work();
    owner.get("/iam/accounts").sees_not("refuses our login");
    owner.get("/").sees_not("refuses our login");
    portal.leave_mail();
}

#[test]
fn a_trouble_that_may_pass_is_told_on_every_page_once_it_has_lasted() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let gone = Failure::Relay(Cause::Connection, "Cannot connect.".to_owned());
    portal.mailbox().fail(Some(gone));
    ask_for_test(&mut owner);
    portal.work();
    owner
        .get("/iam/accounts")
        .sees_not("The mail server cannot be reached");
    owner.get("/").sees("The mail server cannot be reached");
    portal.travel(16 * MINUTE);
    portal.work();
    owner
        .get("/iam/accounts")
        .sees("The mail server cannot be reached. No mail has left since");
    portal.leave_mail();
}

#[test]
fn the_menu_counts_what_waits_and_what_failed() {
    let portal = Portal::build().mail_off().start();
    let mut owner = portal.owner();
    owner.get("/").sees_not("waiting or failed");
    portal.invite(&owner, Role::Member, LEA);
    portal.invite(&owner, Role::Member, "max@fjord.example");
    portal.tamper("UPDATE errands SET state = 'failed', ended_at = created_at WHERE recipient = 'max@fjord.example'");
    owner.get("/").sees("2 waiting or failed");
    let mut billing = portal.member(Role::Billing, "bo@fjord.example");
    billing.get("/").sees_not("waiting or failed");
    portal.tamper("UPDATE errands SET state = 'sent', leased_until = NULL, ended_at = created_at");
    owner.get("/").sees_not("waiting or failed");
    portal.leave_mail();
}
