//! The list of accounts, the page of each, and inviting, as those who invite see it.

use std::fmt::Write as _;

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::mail::Failure;
use doorward::kit::time::{DAY, HOUR, MINUTE};

use crate::answer;
use crate::portal::{OWNER, Portal};
use crate::visitor::Visitor;

const LEA: &str = "lea.fontaine@fjord.example";
const TAKEN: &str = "This email already belongs to an account. Each email can be registered once across the whole system.";

fn create<'v>(visitor: &'v mut Visitor, email: &str, role: &str) -> &'v mut Visitor {
    visitor.post("/iam/accounts", &[("email", email), ("role", role)])
}

/// Sends one of the forms that act on an account, with the fields that our page gives it.
fn act<'v>(visitor: &'v mut Visitor, page: &str, act: &str, email: &str) -> &'v mut Visitor {
    let path = format!("{page}/{act}");
    if act == "delete" {
        visitor.post(path, &[("email", email)])
    } else {
        visitor.post(path, &[])
    }
}

/// The path of the account of this address.
fn path_of(portal: &Portal, email: &str) -> String {
    let mut somebody = portal.visitor();
    somebody.email = email.to_owned();
    format!("/iam/accounts/{}", somebody.account().id)
}

/// How many events of this action the first organisation has.
fn recorded(portal: &Portal, action: &str) -> usize {
    portal
        .audit(Some(portal.first()))
        .iter()
        .filter(|entry| entry.action == action)
        .count()
}

fn accounts(portal: &Portal) -> i64 {
    portal.ask("SELECT count(*) FROM accounts WHERE status <> 'deleted'")[0]
}

/// The one link on the page, as a path.
#[track_caller]
fn link_on(visitor: &Visitor) -> String {
    let tokens = answer::tokens(&visitor.html());
    assert_eq!(tokens.len(), 1, "{}", visitor.text());
    format!("/activate/{}", tokens[0])
}

#[test]
fn an_invitation_is_one_account_one_mail_and_one_record() {
    let portal = Portal::start();
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    create(&mut admin, LEA, "member")
        .answers(303)
        .goes_to("/iam/accounts")
        .follow()
        .sees("Invited lea.fontaine@fjord.example. If nothing arrives, ask them to look in Spam/Junk.")
        .sees("Invited by ADA lea.fontaine@fjord.example")
        .sees("Pending Mail waiting");
    portal.work();
    let to_lea: Vec<_> = portal
        .mails()
        .into_iter()
        .filter(|mail| mail.to == LEA)
        .collect();
    assert_eq!(to_lea.len(), 1);
    admin.get("/iam/accounts").sees("Pending Invited just now");
    let event = &portal.audit(Some(portal.first()))[0];
    assert_eq!(event.action, "account.created");
    assert_eq!(event.actor_text.as_deref(), Some("ada@fjord.example"));
    assert_eq!(event.target.as_deref(), Some(LEA));
    assert!(
        event.details.contains("\"role\":\"member\""),
        "{}",
        event.details
    );
    let roles: Vec<String> = portal.ask("SELECT role FROM accounts WHERE email LIKE 'lea%'");
    assert_eq!(roles, ["member"]);
}

#[test]
fn an_address_that_looks_the_same_is_the_same() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    create(&mut owner, LEA, "member").answers(303);
    portal.work();
    let mails = portal.mails().len();
    let page = path_of(&portal, LEA);
    for again in [
        LEA,
        " Lea.Fontaine@FJORD.example ",
        "lea.fontaine@ＦＪＯＲＤ.example",
    ] {
        create(&mut owner, again, "admin")
            .answers(422)
            .sees(TAKEN)
            .sees("See the account");
        assert!(owner.html().contains(&format!("href=\"{page}\"")));
        assert!(owner.html().contains("<title>Error: Create account"));
    }
    portal.work();
    assert_eq!(portal.mails().len(), mails, "a second mail went out");
    assert_eq!(accounts(&portal), 2);
    let live: Vec<i64> =
        portal.ask("SELECT count(*) FROM invitations WHERE state IN ('open', 'expired')");
    assert_eq!(live, [1]);
    assert_eq!(recorded(&portal, "invitation.refused"), 3);
    // What differs is another person.
    create(&mut owner, "lea.fontaine+work@fjord.example", "member").answers(303);
    create(&mut owner, "leafontaine@fjord.example", "member").answers(303);
}

#[test]
fn somebody_of_another_organisation_is_taken_and_nothing_more() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let other = portal.organisation("Lakeside");
    create(&mut owner, &other.email, "member")
        .answers(422)
        .sees(TAKEN)
        .sees_not("See the account")
        .sees_not("Lakeside");
    let there = other.account().id;
    for path in ["", "/delete"] {
        owner
            .get(format!("/iam/accounts/{there}{path}"))
            .answers(404);
    }
    for deed in ["resend", "copy-link", "delete"] {
        owner
            .post(format!("/iam/accounts/{there}/{deed}"), &[])
            .answers(404);
    }
    for query in ["", "?q=lakeside", "?q=Otto", "?per=50", "?status=active"] {
        owner
            .get(format!("/iam/accounts{query}"))
            .answers(200)
            .sees_not("lakeside")
            .sees_not("Otto");
    }
}

#[test]
fn what_is_typed_wrong_is_said_at_its_field_and_kept() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for (typed, told) in [
        ("", "Enter an email address."),
        ("lea.fontaine", "An email address has an @ in it"),
        ("lea@x", "This is not a valid email address."),
        (
            "a@x.example\r\nBcc: b@x.example",
            "This is not a valid email address.",
        ),
    ] {
        create(&mut owner, typed, "billing").answers(422).sees(told);
        assert!(
            owner.html().contains("value=\"billing\" selected"),
            "{typed:?}"
        );
        assert!(owner.html().contains("aria-invalid=\"true\""), "{typed:?}");
    }
    create(&mut owner, "lea@x", "billing");
    assert!(owner.html().contains("value=\"lea@x\""));
    // The longest address there is, and one letter more.
    let label = "b".repeat(63);
    let longest = format!("{}@{label}.{label}.{}", "a".repeat(64), "c".repeat(61));
    create(&mut owner, &format!("{longest}c"), "member").answers(422);
    assert_eq!(accounts(&portal), 1);
    create(&mut owner, &longest, "member").answers(303);
}

#[test]
fn what_our_page_cannot_send_is_refused_and_recorded() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for role in ["Member", "MASTER", "0", "", "owner", "member "] {
        create(&mut owner, LEA, role).answers(400);
    }
    owner.post("/iam/accounts", &[("email", LEA)]).answers(400);
    for fields in [
        &[("email", LEA), ("role", "member"), ("role", "master")][..],
        &[
            ("email", LEA),
            ("email", "x@fjord.example"),
            ("role", "member"),
        ],
        &[("email", LEA), ("role", "member"), ("status", "active")],
        &[("email", LEA), ("role[]", "member")],
    ] {
        owner
            .draft(Method::Post, "/iam/accounts")
            .proven()
            .fields(fields)
            .send()
            .answers(400);
    }
    owner
        .draft(Method::Post, "/iam/accounts")
        .fields(&[("email", LEA), ("role", "member")])
        .send()
        .answers(403)
        .sees("The form has expired")
        .sees(LEA);
    assert_eq!(accounts(&portal), 1);
    assert!(recorded(&portal, "request.malformed") >= 5);
    assert_eq!(recorded(&portal, "form.refused"), 1);
}

#[test]
fn whoever_may_not_is_told_what_is_missing_and_whom_to_ask() {
    let portal = Portal::start();
    let owner = portal.owner();
    let pending = portal.invite(&owner, Role::Member, LEA);
    portal.work();
    for (role, email) in [
        (Role::Member, "mia@fjord.example"),
        (Role::Billing, "bo@fjord.example"),
    ] {
        let mut visitor = portal.member(role, email);
        portal.work();
        let mails = portal.mails().len();
        let before = recorded(&portal, "denied");
        visitor
            .get("/iam/accounts")
            .answers(403)
            .sees(&format!("Your role is {role}."))
            .sees("“List users”, which Admin or Master has. Ask Olivia Berg, Master.");
        create(&mut visitor, "new@fjord.example", "member")
            .answers(403)
            .sees("“List users”");
        for deed in ["resend", "copy-link", "delete"] {
            act(&mut visitor, &format!("/iam/accounts/{pending}"), deed, LEA)
                .answers(403)
                .sees("Manage users");
        }
        visitor.get(format!("/iam/accounts/{pending}")).answers(403);
        visitor.get("/iam/accounts/new").answers(403);
        visitor.get("/iam/roles").answers(403);
        portal.work();
        assert_eq!(portal.mails().len(), mails);
        // The first five of a minute; the sum of the others follows.
        assert_eq!(recorded(&portal, "denied"), before + 5);
    }
    assert_eq!(accounts(&portal), 4);
}

#[test]
fn nobody_gives_more_than_they_have() {
    let portal = Portal::start();
    let owner = portal.owner();
    let master = portal.invite(&owner, Role::Master, "max@fjord.example");
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    admin
        .get("/iam/accounts/new")
        .answers(200)
        .sees("Master (only a Master can give this)");
    assert_eq!(admin.html().matches(" disabled").count(), 1);
    create(&mut admin, LEA, "master")
        .answers(403)
        .sees("Only a Master can give the permission Master.");
    for role in ["member", "billing", "admin"] {
        create(&mut admin, &format!("{role}@fjord.example"), role).answers(303);
    }
    // A Master who is still Pending is out of reach as well.
    admin
        .get(format!("/iam/accounts/{master}"))
        .answers(200)
        .sees("Only a Master can do this to a Master.")
        .sees_not("Copy activation link")
        .sees_not("Resend")
        .sees_not("Delete");
    let before = recorded(&portal, "denied");
    for deed in ["resend", "copy-link", "delete"] {
        admin
            .post(format!("/iam/accounts/{master}/{deed}"), &[])
            .answers(403)
            .sees("Only a Master can do this to a Master.");
        assert_eq!(answer::tokens(&admin.html()), Vec::<String>::new());
    }
    admin
        .get(format!("/iam/accounts/{master}/delete"))
        .answers(403);
    assert!(recorded(&portal, "denied") >= before + 4);
    assert!(
        admin
            .get("/iam/accounts")
            .html()
            .contains("Actions for admin@fjord.example")
    );
    admin.sees_not("Actions for max@fjord.example");
}

#[test]
fn nobody_acts_on_themselves_or_on_the_owner() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = owner.account().id;
    owner
        .get(format!("/iam/accounts/{id}"))
        .answers(200)
        .sees("This is your own account.")
        .sees("with the organisation")
        .sees("Sessions 1")
        .sees("You signed in");
    for deed in ["resend", "copy-link", "delete"] {
        act(&mut owner, &format!("/iam/accounts/{id}"), deed, OWNER).answers(403);
    }
    let mut second = portal.member(Role::Master, "max@fjord.example");
    second
        .get("/iam/accounts")
        .sees("Olivia Berg Owner")
        .sees("MAX Vik You");
    second
        .get(format!("/iam/accounts/{id}"))
        .sees("This account owns the organisation.");
    assert_eq!(accounts(&portal), 2);
}

#[test]
fn the_link_of_an_owner_who_never_came_is_the_operators() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut second = portal.member(Role::Master, "max@fjord.example");
    // As `org create` and `account create` leave it: the owner is Pending, another Master is not.
    let id = portal.invite(&owner, Role::Master, "chief@fjord.example");
    let number = id.number();
    portal.tamper(&format!("UPDATE organisations SET owner_id = {number}"));
    portal.travel(5 * MINUTE);
    for deed in ["resend", "copy-link", "delete"] {
        act(
            &mut second,
            &format!("/iam/accounts/{id}"),
            deed,
            "chief@fjord.example",
        )
        .answers(403)
        .sees("own");
        assert_eq!(answer::tokens(&second.html()), Vec::<String>::new());
    }
}

#[test]
fn over_the_caps_the_form_says_when() {
    let portal = Portal::build()
        .settings(|settings| {
            settings.terms.hour_max = 3;
            settings.terms.address_max = 2;
            settings.terms.refused_max = 2;
        })
        .start();
    let mut owner = portal.owner();
    let mut other = portal.organisation("Lakeside");
    for number in 1..=3 {
        create(&mut owner, &format!("a{number}@fjord.example"), "member").answers(303);
    }
    create(&mut owner, "a4@fjord.example", "billing")
        .answers(429)
        .sees("That is more than 3 invitations this hour. Try again in");
    let wait: i64 = owner.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=HOUR).contains(&wait), "{wait}");
    assert!(owner.html().contains("value=\"a4@fjord.example\""));
    assert_eq!(recorded(&portal, "denied"), 1);
    // The others have caps of their own.
    create(&mut other, "b1@lakeside.example", "member").answers(303);
    portal.travel(wait);
    create(&mut owner, "a4@fjord.example", "billing").answers(303);

    // To one address, whoever writes to it.
    let page = path_of(&portal, "a4@fjord.example");
    portal.travel(2 * MINUTE);
    owner.post(format!("{page}/resend"), &[]).answers(303);
    portal.travel(2 * MINUTE);
    owner
        .post(format!("{page}/resend"), &[])
        .answers(429)
        .sees("invitations to this address today");
    assert!(owner.header("Retry-After").is_some());

    // Asking which addresses are taken.
    for _ in 0..2 {
        create(&mut owner, OWNER, "member").answers(422).sees(TAKEN);
    }
    create(&mut owner, OWNER, "member")
        .answers(429)
        .sees_not("already belongs");
    create(&mut owner, "free@fjord.example", "member").answers(429);
    portal.travel(HOUR);
    create(&mut owner, OWNER, "member").answers(422).sees(TAKEN);
}

#[test]
fn a_new_link_kills_the_older() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    create(&mut owner, LEA, "member").answers(303);
    let page = path_of(&portal, LEA);
    owner.post(format!("{page}/copy-link"), &[]).answers(200);
    let older = link_on(&owner);
    owner
        .post(format!("{page}/resend"), &[])
        .answers(429)
        .sees("The last link is less than a minute old.");
    portal.work();
    portal.travel(2 * HOUR);
    let mut owner = portal.owner();
    owner
        .post(format!("{page}/resend"), &[])
        .answers(303)
        .goes_to(&page)
        .follow()
        .sees("A new link is on its way to lea.fontaine@fjord.example. The older one no longer works.")
        .sees("Works once, until tomorrow, 16:20");
    portal.work();
    assert_eq!(
        portal.mails().iter().filter(|mail| mail.to == LEA).count(),
        2
    );
    owner.post(format!("{page}/copy-link"), &[]).answers(200);
    let newer = link_on(&owner);
    assert_ne!(older, newer);
    assert_eq!(recorded(&portal, "invitation.resent"), 1);
    let states: Vec<String> = portal.ask("SELECT state FROM invitations ORDER BY created_at");
    assert_eq!(states, ["replaced", "open"]);
}

#[test]
fn resending_from_the_list_leads_back_to_it() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    create(&mut owner, LEA, "member").answers(303);
    let page = path_of(&portal, LEA);
    for (referer, to) in [
        (
            "https://portal.example.com/iam/accounts?status=pending&x=y",
            "/iam/accounts?status=pending",
        ),
        (
            "https://portal.example.com/iam/accounts?q=a%26b%0d%0aX",
            "/iam/accounts?q=a%26b%0D%0AX",
        ),
        (
            "https://portal.example.com.evil.example/iam/accounts",
            page.as_str(),
        ),
        ("https://portal.example.com/", page.as_str()),
    ] {
        portal.travel(2 * MINUTE);
        owner
            .draft(Method::Post, format!("{page}/resend"))
            .header("referer", referer)
            .proven()
            .send()
            .answers(303)
            .goes_to(to);
    }
}

#[test]
fn the_link_is_shown_in_answer_to_the_form_alone_and_each_time_is_recorded() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    create(&mut owner, LEA, "billing").answers(303);
    let page = path_of(&portal, LEA);
    owner.get(format!("{page}/copy-link")).answers(405);
    let mut seen = Vec::new();
    for _ in 0..2 {
        owner
            .post(format!("{page}/copy-link"), &[])
            .answers(200)
            .sees("lea.fontaine@fjord.example is Pending as Billing until the link is used.")
            .sees("Works once, until tomorrow, 14:20.");
        assert_eq!(owner.header("Cache-Control").as_deref(), Some("no-store"));
        seen.push(link_on(&owner));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(recorded(&portal, "invitation.link_copied"), 2);
    portal.work();
    assert_eq!(portal.link_for(LEA), seen[0]);
    // No page shows it that was only opened.
    owner
        .get(&page)
        .sees("You copied lea.fontaine@fjord.example's activation link");
    assert_eq!(answer::tokens(&owner.html()), Vec::<String>::new());
    // Once it is dead there is nothing to copy.
    portal.travel(DAY);
    let mut owner = portal.owner();
    owner
        .get("/iam/accounts")
        .sees("Link expired")
        .sees_not("Copy activation link");
    owner
        .post(format!("{page}/copy-link"), &[])
        .answers(403)
        .sees("The link has expired. Resend the invitation to make a new one.");
}

#[test]
fn without_mail_the_link_is_handed_over() {
    let portal = Portal::build().mail_off().start();
    let mut owner = portal.owner();
    owner
        .get("/iam/accounts/new")
        .sees("Mail is off on this server: you get the link and hand it over.");
    create(&mut owner, LEA, "member").answers(303);
    let page = path_of(&portal, LEA);
    owner
        .goes_to(&page)
        .follow()
        .sees("Created lea.fontaine@fjord.example.")
        .sees("Mail is off on this server, so nothing was sent. Give the link to the person yourself.")
        .sees("Not sent, mail is off");
    owner
        .post(format!("{page}/copy-link"), &[])
        .answers(200)
        .sees("Mail is off on this server, so nothing was sent.");
    link_on(&owner);
    owner
        .get("/iam/accounts")
        .sees("Pending Not sent, mail is off");
}

#[test]
fn a_deleted_account_frees_its_address() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    create(&mut owner, LEA, "member").answers(303);
    let page = path_of(&portal, LEA);
    owner
        .get(format!("{page}/delete"))
        .answers(200)
        .sees("Delete lea.fontaine@fjord.example?")
        .sees("This cannot be undone.");
    for wrong in ["", "lea", "somebody@fjord.example"] {
        owner
            .post(format!("{page}/delete"), &[("email", wrong)])
            .answers(422)
            .sees("Type lea.fontaine@fjord.example, letter for letter.");
    }
    assert!(owner.html().contains("value=\"somebody@fjord.example\""));
    owner
        .post(
            format!("{page}/delete"),
            &[("email", " Lea.Fontaine@fjord.example")],
        )
        .answers(303)
        .goes_to("/iam/accounts")
        .follow()
        .sees("Deleted lea.fontaine@fjord.example. The address is free again.")
        .sees("Only you so far");
    assert_eq!(recorded(&portal, "account.deleted"), 1);
    owner
        .get(&page)
        .answers(200)
        .sees("This account is deleted.");
    for deed in ["resend", "copy-link", "delete"] {
        act(&mut owner, &page, deed, LEA).answers(404);
    }
    create(&mut owner, LEA, "admin").answers(303);
    assert_ne!(path_of(&portal, LEA), page, "the tombstone keeps its id");
    portal.work();
    assert_eq!(
        portal.mails().iter().filter(|mail| mail.to == LEA).count(),
        1,
        "the first mail was not needed any more"
    );
}

#[test]
fn an_active_account_is_not_invited_again() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let member = portal.member(Role::Member, "mia@fjord.example");
    let page = format!("/iam/accounts/{}", member.account().id);
    owner
        .get(&page)
        .answers(200)
        .sees("Member · Joined 24 Nov 2026")
        .sees("Created 24 Nov 2026, by Olivia Berg")
        .sees_not("Resend");
    for deed in ["resend", "copy-link"] {
        act(&mut owner, &page, deed, "mia@fjord.example")
            .answers(403)
            .sees("This account is activated already: it needs no invitation.");
    }
    assert_eq!(accounts(&portal), 2);
}

#[test]
fn a_second_line_says_what_wants_to_be_done() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    create(&mut owner, LEA, "member").answers(303);
    let page = path_of(&portal, LEA);
    portal.work();
    for (later, told) in [
        (5 * HOUR, "Pending Invited 5 h ago"),
        (13 * HOUR + 1, "Pending Link expires in 5 h"),
        (5 * HOUR, "Pending Link expires in 59 min"),
        (HOUR, "Pending Link expired"),
    ] {
        portal.travel(later);
        let mut owner = portal.owner();
        owner.get("/iam/accounts").sees(told);
    }
    let mut owner = portal.owner();
    owner
        .get(&page)
        .sees("The link has expired. Resend the invitation to make a new one.")
        .sees("Expired today, 14:20");

    portal
        .mailbox()
        .fail(Some(Failure::Never("550 5.1.1 no such user".to_owned())));
    create(&mut owner, "bjorn@fjord.example", "member").answers(303);
    portal.work();
    owner
        .get("/iam/accounts?q=bjorn")
        .sees("Mail failed: 550 5.1.1 no such user");
    let mail: Vec<i64> =
        portal.ask("SELECT id FROM errands WHERE state = 'failed' AND kind = 'activation'");
    assert_eq!(mail.len(), 1);
    let page = path_of(&portal, "bjorn@fjord.example");
    owner
        .get(page)
        .sees("Failed: 550 5.1.1 no such user. See the mail");
    assert!(owner.html().contains("href=\"/mail/mail_"));
    portal.leave_mail();
}

#[test]
fn a_disabled_account_tells_since_when() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.member(Role::Admin, "priya@fjord.example");
    let then = portal.app().now().minus(21 * DAY).0;
    portal.tamper(&format!(
        "UPDATE accounts SET status = 'disabled', disabled_at = {then} WHERE email = 'priya@fjord.example'"
    ));
    owner
        .get("/iam/accounts?status=disabled")
        .answers(200)
        .sees("Disabled Since 3 Nov")
        .sees("1 to 1 of 1")
        .sees_not("Olivia Berg Owner");
}

/// So many Pending accounts, as if they had been invited long ago.
fn crowd(portal: &Portal, count: i64) {
    let organisation = portal.first().number();
    let mut script = String::from("BEGIN;");
    for number in 1..=count {
        write!(
            script,
            "INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, activated_at, role_at)
               VALUES ({number}, {organisation}, 'active', '{}', 'p{number}@fjord.example', 'Person {number:03}', {number}, {number}, {number});",
            if number % 10 == 0 { "billing" } else { "member" }
        )
        .unwrap();
    }
    portal.tamper(&(script + "COMMIT;"));
}

#[test]
fn the_list_is_what_its_address_says() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    crowd(&portal, 60);
    let pending = portal.invite(&owner, Role::Admin, "100%_sure@fjord.example");
    assert!(pending.number() > 60);
    owner
        .get("/iam/accounts")
        .sees("Accounts 62")
        .sees("Active 61 Pending 1 Disabled 0")
        .sees("1 to 25 of 62");
    owner.get("/iam/accounts?page=3").sees("51 to 62 of 62");
    owner
        .get("/iam/accounts?per=50&page=2")
        .sees("51 to 62 of 62");
    owner
        .get("/iam/accounts?sort=name&per=50&page=2")
        .sees("Person 060");
    owner
        .get("/iam/accounts?sort=-name")
        .sees("Person 060")
        .sees_not("Person 001");
    owner
        .get("/iam/accounts?sort=-created")
        .sees("100%_sure@fjord.example");
    owner
        .get("/iam/accounts?role=billing&sort=name")
        .sees("1 to 6 of 6")
        .sees("Active 6 Pending 0")
        .sees("Person 010")
        .sees_not("Person 011");
    owner
        .get("/iam/accounts?status=pending")
        .sees("1 to 1 of 1")
        .sees("100%_sure@fjord.example");
    // The signs that LIKE gives a meaning are signs like others.
    owner.get("/iam/accounts?q=%25_").sees("1 to 1 of 1");
    owner.get("/iam/accounts?q=_").sees("1 to 1 of 1");
    owner.get("/iam/accounts?q=PERSON+04").sees("1 to 10 of 10");
    owner
        .get("/iam/accounts?q=nobody%3Cb%3E&status=active")
        .sees("No accounts match")
        .sees("Clear filters");
    assert!(!owner.html().contains("<b>\""));
    // Whatever the filters, links keep them.
    owner.get("/iam/accounts?q=person&role=member&sort=name&per=50");
    for link in [
        "/iam/accounts?q=person&amp;role=member&amp;sort=name&amp;page=2&amp;per=50",
        "/iam/accounts?q=person&amp;status=pending&amp;role=member&amp;sort=name&amp;per=50",
        "/iam/accounts?q=person&amp;role=member&amp;sort=-name&amp;per=50",
    ] {
        assert!(owner.html().contains(&format!("href=\"{link}\"")), "{link}");
    }
}

#[test]
fn who_signs_in_with_a_password_alone_is_counted_shown_and_found() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let policies = "/settings#security";
    owner
        .get("/iam/accounts")
        .sees("1 account signs in with a password alone. Show it or see when it is required.")
        .sees("Active No two-factor");
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    let mut ada = portal.member(Role::Admin, "ada@fjord.example");
    portal.invite(&owner, Role::Member, LEA);
    owner
        .get("/iam/accounts")
        .sees("3 accounts sign in with a password alone. Show them or see when it is required.");
    assert!(owner.html().contains(&format!("href=\"{policies}\"")));
    mia.enrol();
    // Whoever may not change what is asked is not shown the way there.
    ada.get("/iam/accounts?sort=name")
        .sees("2 accounts sign in with a password alone. Show them.")
        .sees_not("when it is required");
    assert!(!ada.html().contains(policies));
    assert!(
        ada.html()
            .contains("href=\"/iam/accounts?two_factor=off&amp;sort=name\"")
    );
    owner
        .get("/iam/accounts?q=mia")
        .sees("Active Two-factor on");
    for (query, counted, shown, not_shown) in [
        (
            "two_factor=on",
            "Active 1 Pending 0 Disabled 0",
            "MIA Vik",
            "ADA Vik",
        ),
        (
            "two_factor=off",
            "Active 2 Pending 0 Disabled 0",
            "ADA Vik",
            "MIA Vik",
        ),
        (
            "two_factor=off&role=admin",
            "Active 1 Pending 0 Disabled 0",
            "ADA Vik",
            "Olivia Berg You",
        ),
        (
            "two_factor=off&q=olivia&status=active",
            "Active 2 Pending 0 Disabled 0",
            "Olivia Berg You Owner",
            "ADA Vik",
        ),
    ] {
        owner
            .get(format!("/iam/accounts?{query}"))
            .sees(counted)
            .sees(shown)
            .sees_not(not_shown)
            .sees_not("with a password alone")
            .sees_not(LEA);
    }
    assert!(owner.html().contains("<option value=\"off\" selected>"));
    owner
        .get("/iam/accounts?two_factor=off&status=pending")
        .sees("No accounts match")
        .sees("Clear filters");
    // What is not known filters nothing.
    owner
        .get("/iam/accounts?two_factor=perhaps")
        .sees("1 to 4 of 4")
        .sees("2 accounts sign in");
    portal.tamper("UPDATE policies SET level = 'recommended' WHERE role = 'billing'");
    owner
        .get("/iam/accounts")
        .sees("2 accounts sign in with a password alone. Show them or require two-factor…");
    owner.enrol();
    ada.enrol();
    owner
        .get("/iam/accounts")
        .sees_not("with a password alone")
        .sees("Active 3 Pending 1");
}

#[test]
fn the_page_of_an_account_says_how_its_person_signs_in() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    let page = path_of(&portal, "mia@fjord.example");
    owner
        .get(&page)
        .sees("Sign-in Password. No two-factor. Required from 1 Dec, 14:20 Password Set today");
    portal.work();
    portal.travel(7 * DAY);
    let mut owner = portal.owner();
    owner.get(&page).answers(303);
    owner.enrol();
    owner
        .get(&page)
        .sees("Password. No two-factor. Required since today, 14:20: until it is set up, nothing else can be reached");
    portal.tamper("UPDATE policies SET level = 'recommended'");
    owner
        .get(&page)
        .sees("Sign-in Password. No two-factor Password Set 24 Nov, 14:20");
    mia.sign_in();
    mia.enrol();
    owner
        .get(&page)
        .sees("Active Two-factor on")
        .sees("Sign-in Password and two-factor since 1 Dec 2026")
        .sees("Reset two-factor…")
        // How many recovery codes are left is nobody else's to know.
        .sees_not("recovery")
        .sees_not("of 10 left");
    owner
        .post(format!("{page}/reset-password"), &[("handover", "copy")])
        .answers(200);
    owner
        .get(&page)
        .sees("Sign-in No password. Two-factor since 1 Dec 2026");
}

#[test]
fn whatever_the_address_says_there_is_a_list() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    crowd(&portal, 30);
    for query in [
        "page=0",
        "page=-1",
        "page=4294967296",
        "page=9223372036854775807",
        "page=99999999999999999999",
        "page=1e9",
        "page=",
        "page=2&page=3",
        "per=0",
        "per=-1",
        "per=1e9",
        "per=1000000000",
        "per=x",
        "sort=password",
        "sort=name%3B+DROP+TABLE+accounts",
        "order=asc&limit=0&cursor=org_bbbbbbbbbbbbb",
        "status=removed",
        "status=pending%00",
        "role=Owner",
        "role[]=member",
        "%",
        "%zz=1",
        "q=%ff",
        "q=%27%20OR%201%3D1%20--",
        "two_factor=maybe",
        "two_factor=ON",
        "two_factor=off&two_factor=on",
        "two_factor=off&status=disabled",
    ] {
        owner.get(format!("/iam/accounts?{query}")).answers(200);
    }
    owner
        .get("/iam/accounts?page=4294967296")
        .sees("26 to 31 of 31");
    owner.get("/iam/accounts?page=-1").sees("1 to 25 of 31");
    owner
        .get("/iam/accounts?per=1000000000")
        .sees("1 to 31 of 31");
    owner
        .get("/iam/accounts?status=removed&role=Owner&two_factor=maybe")
        .sees("1 to 25 of 31");
    let long = "x".repeat(5_000);
    owner
        .get(format!("/iam/accounts?q={long}"))
        .answers(200)
        .sees("No accounts match");
    assert_eq!(accounts(&portal), 31);
}

#[test]
fn a_name_is_drawn_as_text() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    crowd(&portal, 1);
    portal.tamper("UPDATE accounts SET name = '<img src=x onerror=alert(1)>\"&' WHERE id = 1");
    owner.get("/iam/accounts").answers(200);
    assert!(
        owner
            .html()
            .contains("&lt;img src=x onerror=alert(1)&gt;&quot;&amp;")
    );
    assert!(!owner.html().contains("<img"));
}

#[test]
fn the_form_explains_itself() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .get("/iam/accounts")
        .sees("Create account")
        .sees("Only you so far");
    assert!(
        owner
            .html()
            .contains("href=\"/iam/accounts/new\" data-dialog data-key=\"n\"")
    );
    owner
        .get("/iam/accounts/new")
        .answers(200)
        .sees("We send an activate account link. It works once, for 24 hours.")
        .sees("Also used to sign in. Each email can be registered once across the whole system.")
        .sees("Can be changed later. What this account creates is billed to Fjord Supply.")
        .sees("Read-only access to resources (get resources) Resources Get Billing None Users None")
        .sees("Manage billing + read resources Resources Get Billing Manage Users None")
        .sees("Manage resources + billing + users Resources Manage Billing Manage Users Manage")
        .sees("Full access: resources, billing, users Resources Full Billing Full Users Full");
    assert!(owner.html().contains("data-panel"));
}

#[test]
fn whoever_is_demoted_between_page_and_form_is_refused() {
    let portal = Portal::start();
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    admin.get("/iam/accounts/new").answers(200);
    portal.tamper(
        "UPDATE accounts SET role = 'member', epoch = epoch + 1 WHERE email = 'ada@fjord.example'",
    );
    create(&mut admin, LEA, "member")
        .answers(303)
        .goes_to("/sign-in");
    let mut member = portal.signed_in("ada@fjord.example");
    create(&mut member, LEA, "member").answers(403);
    assert_eq!(accounts(&portal), 2);
}

#[test]
fn confirm_pressed_twice_creates_one() {
    let portal = Portal::start();
    let mut hands = [portal.owner(), portal.owner()];
    for hand in &mut hands {
        hand.get("/iam/accounts/new").answers(200);
    }
    std::thread::scope(|scope| {
        for hand in &mut hands {
            scope.spawn(|| create(hand, LEA, "member").status());
        }
    });
    let mut statuses = hands.map(|hand| hand.status());
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    portal.work();
    assert_eq!(
        portal.mails().iter().filter(|mail| mail.to == LEA).count(),
        1
    );
    assert_eq!(recorded(&portal, "account.created"), 1);
}

#[test]
fn what_happened_is_told_on_the_page_of_the_account() {
    let portal = Portal::start();
    let member = portal.member(Role::Member, "mia@fjord.example");
    let mut stranger = portal.visitor();
    for _ in 0..8 {
        stranger.try_password("mia@fjord.example", "Wrong-Horse-7!");
    }
    portal.travel(2 * MINUTE);
    portal.work();
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    admin
        .get(format!("/iam/accounts/{}", member.account().id))
        .sees("3 more sign-ins failed from")
        .sees("A sign-in failed from")
        .sees("mia@fjord.example signed in with Firefox on Linux from");
    let html = admin.html();
    let (_, activity) = html.split_once("<h2>Activity</h2>").unwrap();
    assert_eq!(
        activity.matches("<tr role=\"row\">").count(),
        11,
        "ten events and a head"
    );
    // What somebody did to others is the audit log's to tell.
    let owner = portal.owner().account().id;
    admin
        .get(format!("/iam/accounts/{owner}"))
        .sees("founded the organisation")
        .sees_not("mia@fjord.example");
}

#[test]
fn the_page_of_an_account_tells_each_reader_whose_hand_it_was() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ann = portal.member(Role::Admin, "ann@fjord.example");
    let page = path_of(&portal, "ann@fjord.example");
    owner
        .get(&page)
        .sees("You invited ann@fjord.example as Admin")
        .sees("ann@fjord.example activated their account")
        .sees("ann@fjord.example signed in with Firefox on Linux from");
    ann.get(&page)
        .sees("olivia@fjord.example invited you as Admin")
        .sees("You activated your account")
        .sees("You signed in with Firefox on Linux from");
    // What the person did to others stands on the others' pages.
    create(&mut ann, LEA, "member").answers(303);
    owner.get(&page).sees_not(LEA);
    owner
        .get(path_of(&portal, LEA))
        .sees("ann@fjord.example invited lea.fontaine@fjord.example as Member");
}
