//! What mails say, to whom, and when they are not sent any more.

use doorward::domain::role::Role;
use doorward::kit::mail::Message;
use doorward::kit::time::{DAY, HOUR, MINUTE};
use doorward::passwords;
use doorward::scope::By;

use crate::portal::{OWNER, PASSWORD, Portal};

const LEA: &str = "lea@fjord.example";

/// The newest mail to this address.
#[track_caller]
pub(crate) fn newest(portal: &Portal, to: &str) -> Message {
    let mails = portal.mails();
    let mail = mails.into_iter().rfind(|mail| mail.to == to);
    mail.unwrap_or_else(|| panic!("nothing was mailed to {to}"))
}

/// The text with its lines joined, for sentences that are broken somewhere.
pub(crate) fn joined(mail: &Message) -> String {
    mail.text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub(crate) fn says(mail: &Message, sentences: &[&str]) {
    for sentence in sentences {
        assert!(
            joined(mail).contains(sentence),
            "{sentence:?} is not in\n{}",
            mail.text
        );
    }
}

/// How many mails ended as not needed.
pub(crate) fn not_needed(portal: &Portal) -> i64 {
    portal.ask("SELECT count(*) FROM errands WHERE state = 'not_needed'")[0]
}

fn reset_link(portal: &Portal, email: &str) -> String {
    portal
        .visitor()
        .post("/forgot-password", &[("email", email)])
        .answers(303);
    portal.work();
    portal.link_for(email)
}

/// One mail of each kind.
fn one_of_each(portal: &Portal) -> Vec<Message> {
    let owner = portal.owner();
    let ann = portal.member(Role::Billing, "ann@fjord.example");
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let activation = newest(portal, LEA);
    ann.elsewhere().sign_in();
    portal.work();
    let device = newest(portal, "ann@fjord.example");
    let link = reset_link(portal, "ann@fjord.example");
    let reset = newest(portal, "ann@fjord.example");
    portal
        .visitor()
        .post(
            link,
            &[
                ("password", "Another-Horse-8!"),
                ("password_confirmation", "Another-Horse-8!"),
            ],
        )
        .answers(303);
    portal.work();
    let changed = newest(portal, "ann@fjord.example");
    portal.travel(25 * HOUR);
    let link = portal.link_for(LEA);
    portal.visitor().post(format!("{link}/ask"), &[]);
    portal.work();
    let asked = newest(portal, OWNER);
    let mut owner = portal.owner();
    let page = format!("/iam/accounts/{}", ann.account().id);
    let mut mailed = |deed: &str, fields: &[(&str, &str)]| {
        owner.post(format!("{page}/{deed}"), fields);
        portal.work();
        newest(portal, "ann@fjord.example")
    };
    let gained = mailed("role", &[("role", "admin")]);
    let lost = mailed("role", &[("role", "member")]);
    let given = mailed("reset-password", &[("handover", "mail")]);
    let taken = mailed("reset-password", &[("handover", "copy")]);
    vec![
        activation, device, reset, changed, asked, gained, lost, given, taken,
    ]
}

#[test]
fn every_mail_names_the_organisation_and_carries_one_link_of_ours_and_a_way_out_of_a_fright() {
    let portal = Portal::start();
    let mails = one_of_each(&portal);
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "Activate your account at Fjord Supply",
            "New sign-in from Firefox on Linux at Fjord Supply",
            "Reset your password at Fjord Supply",
            "Your password was changed at Fjord Supply",
            "lea@fjord.example asks for a new activation link at Fjord Supply",
            "You are now Admin at Fjord Supply",
            "You are now Member at Fjord Supply",
            "Olivia Berg reset your password at Fjord Supply",
            "Your password was reset at Fjord Supply",
        ]
    );
    for (place, mail) in mails.iter().enumerate() {
        assert!(joined(mail).contains("Fjord Supply"), "{}", mail.text);
        // Security mails lead to one more page: where every session can be ended.
        let kind = if [1, 3, 5, 6].contains(&place) {
            Kind::Security
        } else {
            Kind::Other
        };
        assert_links(mail, kind);
        let sent = format!("Sent to {} by portal.example.com.", mail.to);
        says(mail, &[sent.as_str()]);
        assert!(mail.html.contains(&sent), "{}", mail.html);
        assert_eq!(mail.from, "Portal <portal@example.com>");
    }
}

/// Whether a mail tells of something that its reader may not have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Security,
    Other,
}

/// One link, which the HTML has as a button and written out; of a security mail one more, the way to sign out everywhere;
/// and nothing else that leads or loads from anywhere.
#[track_caller]
pub(crate) fn assert_links(mail: &Message, kind: Kind) {
    const WAY_OUT: &str = "https://portal.example.com/account#sessions";
    let links: Vec<&str> = mail
        .text
        .lines()
        .filter(|line| line.starts_with("https://portal.example.com/"))
        .collect();
    let [button, rest @ ..] = links.as_slice() else {
        panic!("it leads nowhere: {}", mail.text)
    };
    assert_ne!(*button, WAY_OUT, "{}", mail.text);
    let way_out: &[&str] = match kind {
        Kind::Security => &[WAY_OUT],
        Kind::Other => &[],
    };
    assert_eq!(rest, way_out, "{}", mail.text);
    assert_eq!(
        mail.text.matches("http").count(),
        links.len(),
        "{}",
        mail.text
    );
    let href = format!("href=\"{button}\"");
    assert_eq!(mail.html.matches(&href).count(), 1, "{}", mail.html);
    let written = format!(">{button}<");
    assert_eq!(mail.html.matches(&written).count(), 1, "{}", mail.html);
    let href = format!("href=\"{WAY_OUT}\"");
    assert_eq!(
        mail.html.matches(&href).count(),
        rest.len(),
        "{}",
        mail.html
    );
    assert_eq!(
        mail.html.matches("http").count(),
        2 + rest.len(),
        "{}",
        mail.html
    );
    assert_eq!(
        mail.html.matches("href").count(),
        links.len(),
        "{}",
        mail.html
    );
    assert!(!mail.html.contains("src"), "{}", mail.html);
    assert!(mail.html.len() < 4_096, "{} bytes", mail.html.len());
    for line in mail.text.lines().filter(|line| !links.contains(line)) {
        assert!(line.chars().count() <= 72, "{line}");
    }
}

#[test]
fn an_invitation_says_who_invited_what_the_role_allows_and_until_when() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Admin, LEA);
    portal.work();
    says(
        &newest(&portal, LEA),
        &[
            "Olivia Berg invited you to the Fjord Supply portal as Admin: manage resources + billing + users.",
            "The link works once, until Wednesday 25 November 2026, 14:20 (Europe/Oslo).",
            "You did not expect this? Do nothing; no account is opened without the link.",
        ],
    );
    let link = portal.link_for(LEA);
    assert!(link.starts_with("/activate/"), "{link}");
    portal.visitor().get(link).answers(200);
}

#[test]
fn an_invitation_from_the_command_line_names_the_operator() {
    let portal = Portal::start();
    portal.organisation("Brae Energy");
    let app = portal.app();
    let id = portal.named("Brae Energy");
    let allowed = doorward::scope::Allowed::operator(id);
    app.write(app.now(), |tx| {
        let terms = app.settings.terms;
        doorward::invitations::invite(tx, &allowed, &LEA.parse().unwrap(), Role::Master, terms)
    })
    .unwrap();
    portal.work();
    says(
        &newest(&portal, LEA),
        &[
            "The operator of portal.example.com invited you to the Brae Energy portal as Master: full access",
        ],
    );
}

#[test]
fn a_link_that_would_be_refused_is_not_mailed() {
    let portal = Portal::start();
    let admin = portal.member(Role::Admin, "ann@fjord.example");
    portal.work();
    portal.invite(&admin, Role::Member, LEA);
    portal.tamper("UPDATE accounts SET role = 'billing' WHERE email = 'ann@fjord.example'");
    let before = not_needed(&portal);
    portal.work();
    assert!(portal.mails().iter().all(|mail| mail.to != LEA));
    assert_eq!(not_needed(&portal), before + 1);
}

#[test]
fn whoever_can_send_a_new_link_is_led_to_the_account() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let lea = portal.invite(&owner, Role::Member, LEA);
    portal.work();
    portal.travel(25 * HOUR);
    let link = portal.link_for(LEA);
    portal.visitor().post(format!("{link}/ask"), &[]);
    portal.work();
    says(
        &newest(&portal, OWNER),
        &[
            "lea@fjord.example opened an activation link that had expired, and asks for a new one. The account is Pending as Member in Fjord Supply.",
        ],
    );
    assert_eq!(portal.link_for(OWNER), format!("/iam/accounts/{lea}"));
    owner.sign_in();
    owner.get(portal.link_for(OWNER)).answers(200).sees(LEA);
}

#[test]
fn who_was_sent_a_new_link_meanwhile_does_not_ask_any_more() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let lea = portal.invite(&owner, Role::Member, LEA);
    portal.work();
    portal.travel(25 * HOUR);
    let link = portal.link_for(LEA);
    portal.visitor().post(format!("{link}/ask"), &[]);
    owner.sign_in();
    owner.post(format!("/iam/accounts/{lea}/resend"), &[]);
    portal.work();
    assert!(
        portal
            .mails()
            .iter()
            .all(|mail| mail.to != OWNER || !mail.subject.contains("asks"))
    );
    assert_eq!(
        newest(&portal, LEA).subject,
        "Activate your account at Fjord Supply"
    );
    assert_ne!(portal.link_for(LEA), link);
}

#[test]
fn a_reset_mail_says_for_how_long_and_that_nothing_changes_by_itself() {
    let portal = Portal::start();
    portal.owner();
    let link = reset_link(&portal, OWNER);
    assert!(link.starts_with("/reset-password/"), "{link}");
    says(
        &newest(&portal, OWNER),
        &[
            "asked to reset the password of your account at Fjord Supply.",
            "The link works once, for one hour: until Tuesday 24 November 2026, 15:20 (Europe/Oslo).",
            "You did not ask for this? Do nothing; your password stays as it is.",
        ],
    );
    portal.visitor().get(link).answers(200);
}

#[test]
fn a_changed_password_is_told_with_its_moment_and_a_way_back() {
    let portal = Portal::start();
    portal.owner();
    let app = portal.app();
    let hash = portal.hash("Another-Horse-8!");
    portal.travel(30 * MINUTE);
    app.write(app.now(), |tx| {
        let account = doorward::accounts::by_email(tx, &OWNER.parse().unwrap())?.unwrap();
        passwords::change(tx, &By::operator(), &account, &hash)
    })
    .unwrap();
    // Delivered later; the mail tells when it was changed.
    portal.travel(DAY);
    portal.work();
    says(
        &newest(&portal, OWNER),
        &[
            "was changed on Tuesday 24 November 2026, 14:50 (Europe/Oslo).",
            "https://portal.example.com/forgot-password",
        ],
    );
}

#[test]
fn a_sign_in_from_elsewhere_is_told_with_browser_address_and_moment() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut elsewhere = owner.elsewhere();
    elsewhere.sign_in();
    portal.work();
    let address = elsewhere.address.to_string();
    says(
        &newest(&portal, OWNER),
        &[
            "from a browser it did not know: Firefox on Linux, network address",
            address.as_str(),
            "on Tuesday 24 November 2026, 14:20 (Europe/Oslo).",
            "https://portal.example.com/forgot-password",
        ],
    );
}

#[test]
fn whoever_may_not_sign_in_any_more_gets_no_notices() {
    let portal = Portal::start();
    let ann = portal.member(Role::Member, "ann@fjord.example");
    portal.work();
    let before = portal.mails().len();
    ann.elsewhere().sign_in();
    let hash = portal.hash(PASSWORD);
    let app = portal.app();
    app.write(app.now(), |tx| {
        let account = doorward::accounts::by_email(tx, &ann.email.parse().unwrap())?.unwrap();
        passwords::change(tx, &By::operator(), &account, &hash)
    })
    .unwrap();
    portal
        .visitor()
        .post("/forgot-password", &[("email", ann.email.as_str())])
        .answers(303);
    portal.tamper("UPDATE accounts SET status = 'disabled', disabled_at = 1 WHERE email = 'ann@fjord.example'");
    let idle = not_needed(&portal);
    portal.work();
    assert_eq!(portal.mails().len(), before);
    assert_eq!(not_needed(&portal), idle + 3);
}
