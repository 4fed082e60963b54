//! The people around an activation link: whoever gave the role, whoever is signed in, whoever is asked for another.

use doorward::accounts::Status;
use doorward::domain::role::Role;
use doorward::invitations;
use doorward::kit::time::{DAY, HOUR};

use crate::links::{GOOD, LEA, filled, invited, path, status};
use crate::portal::{ORGANISATION, OWNER, Portal};

#[test]
fn a_link_dies_with_the_right_of_whoever_gave_it() {
    let portal = Portal::start();
    let admin = portal.member(Role::Admin, "amir@fjord.example");
    let id = portal.invite(&admin, Role::Admin, LEA);
    let link = path(&portal, &admin, id);
    let mut lea = portal.visitor();
    lea.get(&link).answers(200).sees("AMIR Vik invited you");
    portal.tamper("UPDATE accounts SET role = 'member' WHERE email = 'amir@fjord.example'");
    lea.post(&link, &filled("Léa", GOOD))
        .answers(410)
        .sees("Ask Olivia Berg for a new invitation.")
        .sees_not(ORGANISATION);
    lea.get(&link).answers(410).sees("Ask Olivia Berg");
    assert_eq!(status(&portal, LEA), Status::Pending);
    let log = portal.audit(Some(portal.first()));
    let refused: Vec<_> = log
        .iter()
        .filter(|one| one.action == "invitation.refused")
        .collect();
    assert_eq!(refused.len(), 1, "looking is not refused, trying is");
    assert_eq!(refused[0].target.as_deref(), Some(LEA));
    // Whoever may still give the role can send the link anew.
    portal.travel(HOUR);
    let owner = portal.owner();
    let app = portal.app();
    app.write(app.now(), |tx| {
        invitations::resend(tx, &owner.allowed(), id, app.settings.terms)
    })
    .unwrap();
    let newer = path(&portal, &owner, id);
    lea.post_from(&newer, &newer, &filled("Léa", GOOD))
        .answers(303);
}

#[test]
fn the_role_is_the_one_at_activation_not_the_one_at_invitation() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    portal
        .tamper("UPDATE accounts SET role = 'billing' WHERE email = 'lea.fontaine@fjord.example'");
    let mut lea = portal.visitor();
    lea.get(&link).sees("as Billing.");
    lea.post(&link, &filled("Léa", GOOD)).answers(303);
    assert_eq!(
        portal.ask::<String>("SELECT role FROM accounts WHERE name = 'Léa'"),
        ["billing"]
    );
}

#[test]
fn whoever_is_signed_in_ends_that_first_and_comes_back() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let mut owner = portal.owner();
    owner
        .get(&link)
        .answers(200)
        .sees("You are signed in as olivia@fjord.example.")
        .sees("Sign out and continue")
        .sees_not("Your name");
    owner
        .post(&link, &filled("Léa", GOOD))
        .answers(403)
        .sees("You are signed in as olivia@fjord.example.");
    assert_eq!(status(&portal, LEA), Status::Pending);
    owner
        .post("/sign-out", &[("next", link.as_str())])
        .answers(303)
        .goes_to(&link);
    assert!(!owner.is_signed_in());
    owner.follow().answers(200).sees("Your name");
    owner.post(&link, &filled("Léa", GOOD)).answers(303);
    // Nothing but a page of ours is come back to.
    let mut owner = portal.owner();
    owner
        .post("/sign-out", &[("next", "//evil.example")])
        .goes_to("/sign-in");
}

#[test]
fn the_invitee_of_an_expired_link_asks_at_most_once_an_hour() {
    let portal = Portal::start();
    let (_, link) = invited(&portal);
    let ask = format!("{link}/ask");
    let mut lea = portal.visitor();
    portal.work();
    let mails = portal.mails().len();
    // A link that works needs no other.
    lea.post_from(&link, &ask, &[]).answers(303);
    portal.travel(DAY);
    let count = |expected: usize| {
        portal.work();
        let asked: Vec<_> = portal.mails().into_iter().skip(mails).collect();
        assert_eq!(asked.len(), expected);
        for mail in asked {
            assert_eq!(mail.to, OWNER);
            assert!(mail.subject.contains(LEA), "{}", mail.subject);
        }
    };
    count(0);
    lea.get(&link).answers(410).sees("Ask for a new link");
    let mut answers = Vec::new();
    for (wait, expected) in [(0, 1), (1, 1), (HOUR - 2, 1), (1, 2), (HOUR, 3)] {
        portal.travel(wait);
        lea.post(&ask, &[])
            .answers(303)
            .goes_to(format!("{link}?asked=yes"));
        answers.push(lea.follow().answers(410).text());
        count(expected);
    }
    assert!(answers[0].contains("If the person who invited you can be reached"));
    for answer in &answers {
        assert_eq!(answer, &answers[0], "the answer tells whether a mail went");
    }
    let asked = "SELECT count(*) FROM audit_events WHERE action = 'invitation.link_asked'";
    assert_eq!(portal.ask::<i64>(asked), [3]);
}

#[test]
fn where_the_inviter_is_gone_the_owner_is_asked() {
    let portal = Portal::start();
    let admin = portal.member(Role::Admin, "amir@fjord.example");
    let id = portal.invite(&admin, Role::Member, LEA);
    let link = path(&portal, &admin, id);
    portal.work();
    let mails = portal.mails().len();
    portal.travel(DAY);
    portal.tamper("UPDATE accounts SET role = 'member' WHERE email = 'amir@fjord.example'");
    portal
        .visitor()
        .post_from(&link, format!("{link}/ask"), &[])
        .answers(303);
    portal.work();
    let asked: Vec<String> = portal
        .mails()
        .into_iter()
        .skip(mails)
        .map(|mail| mail.to)
        .collect();
    assert_eq!(asked, [OWNER]);
}
