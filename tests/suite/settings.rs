//! The settings of an organisation: its name, its time zone, and who manages users.

use std::sync::Barrier;

use doorward::domain::role::{Managers, Role};
use doorward::invitations;
use doorward::kit::http::request::Method;
use doorward::kit::time::MINUTE;
use doorward::scope::By;

use crate::portal::{ORGANISATION, OWNER, Portal};
use crate::visitor::Visitor;

const ADA: &str = "ada@fjord.example";
const LEA: &str = "lea@fjord.example";
const ASK_A_MASTER: &str =
    "“Manage users (invite, disable, delete)”, which Master has. Ask Olivia Berg, Master.";

fn general<'v>(visitor: &'v mut Visitor, name: &str, zone: &str) -> &'v mut Visitor {
    let fields = [("organisation", name), ("timezone", zone)];
    visitor.post("/settings/general", &fields)
}

/// Ticks the switch, or takes the tick away, as a browser sends it.
#[track_caller]
fn only_masters(visitor: &mut Visitor, managers: Managers) {
    let fields: &[(&str, &str)] = match managers {
        Managers::Masters => &[("only_masters", "yes")],
        Managers::Admins => &[],
    };
    visitor
        .post("/settings/security", fields)
        .answers(303)
        .goes_to("/settings");
}

fn recorded(portal: &Portal, action: &str) -> usize {
    let log = portal.audit(Some(portal.first()));
    log.iter().filter(|one| one.action == action).count()
}

#[test]
fn a_new_name_is_told_at_once_on_every_page() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    owner
        .get("/settings")
        .answers(200)
        .sees("What Fjord Supply decides for itself.");
    for section in [
        "general",
        "security",
        "billing",
        "backup",
        "about",
        "ownership",
    ] {
        let page = owner.html();
        assert!(page.contains(&format!("href=\"#{section}\"")), "{section}");
        assert!(page.contains(&format!("id=\"{section}\"")), "{section}");
    }
    assert!(
        owner
            .html()
            .contains("<a href=\"/settings\" aria-current=\"page\" data-go=\"s\"")
    );
    assert!(owner.html().contains("value=\"Fjord Supply\""));
    assert!(
        owner
            .html()
            .contains("<option value=\"Europe/Oslo\" selected>")
    );
    general(&mut owner, " Fjord  & Sons ", "Europe/Oslo")
        .answers(303)
        .goes_to("/settings")
        .follow()
        .sees("The organisation is now called Fjord & Sons.")
        .sees_not(ORGANISATION);
    for (visitor, path, title) in [
        (&mut mia.clone(), "/account", "Account"),
        (&mut mia, "/", "Dashboard"),
        (&mut owner, "/iam/accounts", "Accounts · IAM"),
    ] {
        visitor
            .get(path)
            .answers(200)
            .sees("Fjord & Sons")
            .sees_not(ORGANISATION);
        let title = format!("<title>{title} · Fjord &amp; Sons</title>");
        assert!(visitor.html().contains(&title), "{path}");
    }
    let log = portal.audit(Some(portal.named("Fjord & Sons")));
    assert_eq!(log[0].action, "organisation.renamed");
    assert_eq!(log[0].actor_text.as_deref(), Some(OWNER));
    let texts = "SELECT t.text FROM audit_texts t JOIN audit_events e USING (chain_id, number)
                  WHERE e.action = 'organisation.renamed' AND t.slot IN (4, 5) ORDER BY t.slot";
    assert_eq!(portal.ask::<String>(texts), [ORGANISATION, "Fjord & Sons"]);
}

#[test]
fn another_time_zone_is_another_time_on_pages_and_in_mails() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    let id = portal.invite(&owner, Role::Member, LEA);
    let page = format!("/iam/accounts/{id}");
    owner.get(&page).sees("Works once, until tomorrow, 14:20");
    general(&mut owner, ORGANISATION, "Asia/Kolkata")
        .answers(303)
        .follow()
        .sees("Times are now those of Asia/Kolkata.");
    owner.get(&page).sees("Works once, until tomorrow, 18:50");
    owner
        .get("/")
        .sees("Good evening, Olivia")
        .sees("Asia/Kolkata");
    portal.work();
    let mails = portal.mails();
    let letter = mails.iter().find(|mail| mail.to == LEA).unwrap();
    assert!(letter.text.contains("18:50"), "{}", letter.text);
    // Whoever chose a zone of their own keeps it.
    portal.tamper("UPDATE accounts SET time_zone = 'Europe/Oslo' WHERE email LIKE 'mia%'");
    mia.get("/").sees("Europe/Oslo").sees_not("Kolkata");
    let log = portal.audit(Some(portal.first()));
    assert_eq!(log[0].action, "organisation.time_zone_changed");
    for zone in ["Europe/Oslo", "Asia/Kolkata"] {
        assert!(log[0].details.contains(zone), "{}", log[0].details);
    }
    // Both at once are one form and two records.
    general(&mut owner, "Fjord Works", "UTC")
        .answers(303)
        .follow()
        .sees("The organisation is now called Fjord Works, and times are those of UTC.");
    let log = portal.audit(Some(portal.named("Fjord Works")));
    let newest: Vec<&str> = log.iter().take(2).map(|one| one.action.as_str()).collect();
    assert_eq!(
        newest,
        ["organisation.time_zone_changed", "organisation.renamed"]
    );
}

#[test]
fn what_changes_nothing_is_no_deed() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let admin = portal.member(Role::Admin, ADA);
    let before = portal.audit(Some(portal.first())).len();
    general(&mut owner, ORGANISATION, "Europe/Oslo")
        .answers(303)
        .goes_to("/settings")
        .follow()
        .sees("Nothing to save: it is so already.");
    only_masters(&mut owner, Managers::Admins);
    owner.follow().sees("Nothing to save");
    assert!(admin.is_signed_in());
    only_masters(&mut owner, Managers::Masters);
    assert_eq!(portal.audit(Some(portal.first())).len(), before + 1);
    let mut admin = portal.signed_in(ADA);
    only_masters(&mut owner, Managers::Masters);
    owner.follow().sees("Nothing to save");
    admin.get("/").answers(200);
    assert_eq!(recorded(&portal, "organisation.managers_changed"), 1);
}

#[test]
fn what_cannot_be_taken_is_said_at_its_field_and_kept() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let long = "å".repeat(101);
    for name in [
        "",
        "  ",
        "see www.evil.example",
        "https://evil.example",
        &long,
    ] {
        general(&mut owner, name, "Asia/Kolkata").answers(422);
        let page = owner.html();
        assert!(page.contains("<title>Error: Settings"), "{name:?}");
        assert_eq!(page.matches("aria-invalid").count(), 1, "{name:?}");
        assert!(page.contains("id=\"organisation-error\""), "{name:?}");
        assert!(page.contains("<option value=\"Asia/Kolkata\" selected>"));
        owner
            .sees("You own Fjord Supply")
            .sees("There is no Active Admin now.");
    }
    for zone in ["", "Mars/Olympus", "../../etc/passwd"] {
        general(&mut owner, "Fjord Works", zone)
            .answers(422)
            .sees("Choose a time zone from the list.");
        assert!(owner.html().contains("value=\"Fjord Works\""), "{zone:?}");
    }
    // All problems at once.
    general(&mut owner, "", "Mars/Olympus").answers(422);
    assert_eq!(owner.html().matches("aria-invalid").count(), 2);
    for (path, fields) in [
        (
            "/settings/general",
            &[("organisation", "A"), ("timezone", "UTC"), ("owner", "me")][..],
        ),
        (
            "/settings/general",
            &[
                ("organisation", "A"),
                ("organisation", "B"),
                ("timezone", "UTC"),
            ],
        ),
        ("/settings/security", &[("only_masters", "on")]),
        (
            "/settings/security",
            &[("only_masters", "yes"), ("only_masters", "yes")],
        ),
        ("/settings/security", &[("managers", "masters")]),
    ] {
        owner
            .draft(Method::Post, path)
            .proven()
            .fields(fields)
            .send()
            .answers(400);
    }
    for path in ["/settings/general", "/settings/security"] {
        owner
            .draft(Method::Post, path)
            .fields(&[("organisation", "Fjord Works"), ("only_masters", "yes")])
            .send()
            .answers(403)
            .sees("The form has expired");
        assert!(owner.html().contains("href=\"/settings\""));
    }
    owner.get("/settings").sees(ORGANISATION);
    assert_eq!(recorded(&portal, "organisation.renamed"), 0);
    assert_eq!(recorded(&portal, "organisation.time_zone_changed"), 0);
    assert_eq!(recorded(&portal, "organisation.managers_changed"), 0);
}

#[test]
fn a_zone_that_no_form_offers_is_kept_by_saving_the_name() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.tamper("UPDATE organisations SET time_zone = 'Etc/GMT+3'");
    owner.get("/settings");
    assert!(
        owner
            .html()
            .contains("<option value=\"Etc/GMT+3\" selected>")
    );
    general(&mut owner, "Fjord Works", "Etc/GMT+3").answers(303);
    assert_eq!(
        portal.ask::<String>("SELECT time_zone FROM organisations"),
        ["Etc/GMT+3"]
    );
}

#[test]
fn two_organisations_may_have_one_name_and_neither_is_told() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut other = portal.organisation("Lakeside");
    general(&mut owner, "Lakeside", "Europe/Oslo")
        .answers(303)
        .follow()
        .sees("The organisation is now called Lakeside.");
    owner
        .get("/iam/accounts")
        .sees("Olivia Berg")
        .sees_not("Otto Lund");
    other
        .get("/iam/accounts")
        .sees("Otto Lund")
        .sees_not("Olivia Berg");
    // What one decides, the other has not decided.
    only_masters(&mut owner, Managers::Masters);
    other
        .get("/iam/roles")
        .sees("Admin Manage resources + billing + users DevOps lead 7 0");
}

#[test]
fn only_masters_manage_users_from_that_moment_on() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut admin = portal.member(Role::Admin, ADA);
    let mut second_admin = portal.member(Role::Admin, "abe@fjord.example");
    let pending_admin = portal.invite(&owner, Role::Admin, "pal@fjord.example");
    let mut others = [
        (Role::Member, "mia@fjord.example"),
        (Role::Billing, "bo@fjord.example"),
        (Role::Master, "max@fjord.example"),
    ]
    .map(|(role, email)| portal.member(role, email));
    let there = portal.organisation("Lakeside");
    let elsewhere = portal.member_of(&there, Role::Admin, "ann@lakeside.example");
    owner
        .get("/settings")
        .sees("There are 2 Active Admins now.")
        .sees("they keep 5 permissions of 7")
        .sees("They are signed out at once");
    only_masters(&mut owner, Managers::Masters);
    for visitor in [&mut admin, &mut second_admin] {
        assert!(!visitor.is_signed_in());
        visitor.get("/iam/accounts").answers(303);
        visitor
            .post("/iam/accounts", &[("email", LEA), ("role", "member")])
            .answers(303)
            .goes_to("/sign-in");
    }
    assert!(others.iter_mut().all(|one| one.is_signed_in()));
    assert!(owner.is_signed_in() && elsewhere.is_signed_in() && there.is_signed_in());
    owner
        .follow()
        .sees("Only Masters manage users now. Admins are signed out.");
    assert!(owner.html().contains("value=\"yes\" checked"));
    let log = portal.audit(Some(portal.first()));
    let event = log
        .iter()
        .find(|one| one.action == "organisation.managers_changed");
    let event = event.unwrap();
    assert_eq!(event.actor_text.as_deref(), Some(OWNER));
    assert!(event.details.contains("masters"), "{}", event.details);
    owner
        .get("/")
        .sees("You decided that only Masters manage users");

    // Every page that says who may do what says what holds now.
    owner
        .get("/iam/roles")
        .sees("Admin Manage resources + billing DevOps lead 5 3")
        .sees("Master Full access: resources, billing, users Account owner, CTO 9 2")
        .sees("Only Masters manage users here: Admins lack “Manage users (invite, disable, delete)” and “Change role”.")
        .sees("Manage users (invite, disable, delete) users.manage – No – No – No Yes")
        .sees("Change role roles.assign – No – No – No Yes")
        .sees("Get user users.read – No – No Yes Yes");
    owner
        .get("/iam/roles/admin")
        .sees("Manage resources + billing. 5 permissions.")
        .sees("Only Masters manage users here");
    owner
        .get("/help/add-a-sub-account")
        .sees("you need the role Master.")
        .sees("in this organisation only Masters invite")
        .sees("Manage resources + billing DevOps lead 5")
        .sees_not("an Admin invites");
    owner
        .get("/iam/accounts/new")
        .sees("Manage resources + billing Resources Manage Billing Manage Users Get")
        .sees_not("Manage resources + billing + users");
    owner
        .get(format!("/iam/accounts/{pending_admin}"))
        .sees("Admin. Manage resources + billing Email");

    // An Admin looks, and does no more.
    let mut admin = portal.signed_in(ADA);
    assert_eq!(
        admin.scope().unwrap().permissions,
        Role::Admin.permissions(Managers::Masters)
    );
    admin
        .get("/iam/accounts")
        .answers(200)
        .sees("Olivia Berg")
        .sees_not("Create account")
        .sees_not("Resend")
        .sees_not("Actions for");
    assert!(!admin.html().contains("href=\"/mail"));
    let mia = others[0].account().id;
    for id in [mia, pending_admin] {
        admin
            .get(format!("/iam/accounts/{id}"))
            .answers(200)
            .sees("Your role lacks the permission “Manage users (invite, disable, delete)”.")
            .sees_not("Resend")
            .sees_not("Copy activation link")
            .sees_not("Delete");
        assert!(
            !admin
                .html()
                .contains(&format!("action=\"/iam/accounts/{id}"))
        );
    }
    admin
        .get("/iam/roles")
        .answers(200)
        .sees_not("Create account");
    admin
        .get("/")
        .sees("Accounts")
        .sees_not("Mail to be sent")
        .sees_not("Settings");
    admin
        .get("/iam/accounts/new")
        .answers(403)
        .sees(ASK_A_MASTER);
    admin.get("/mail").answers(403).sees(ASK_A_MASTER);
    admin
        .post("/iam/accounts", &[("email", LEA), ("role", "member")])
        .answers(403)
        .sees("which Master has");
    for deed in ["resend", "copy-link", "disable", "delete"] {
        admin
            .post(format!("/iam/accounts/{mia}/{deed}"), &[])
            .answers(403)
            .sees(ASK_A_MASTER);
    }
    admin
        .get("/help/add-a-sub-account")
        .sees("you need the role Master.");
    assert!(!admin.html().contains("href=\"/iam/accounts/new\""));
}

#[test]
fn links_that_admins_sent_are_refused_while_only_masters_invite() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let admin = portal.member(Role::Admin, ADA);
    let of_admin = portal.invite(&admin, Role::Member, LEA);
    let of_owner = portal.invite(&owner, Role::Member, "per@fjord.example");
    let path = |by: &Visitor, id| format!("/activate/{}", portal.link_of(by, id).token.reveal());
    let (refused, good) = (path(&admin, of_admin), path(&owner, of_owner));
    only_masters(&mut owner, Managers::Masters);
    let mut visitor = portal.visitor();
    visitor
        .get(&refused)
        .answers(410)
        .sees("Ask Olivia Berg for a new invitation.")
        .sees("whoever sent it may no longer invite to this role");
    visitor
        .post_from(
            &refused,
            &refused,
            &[
                ("name", "Lea Fontaine"),
                ("phone", ""),
                ("password", crate::portal::PASSWORD),
                ("password_confirmation", crate::portal::PASSWORD),
            ],
        )
        .answers(410)
        .sees("Ask Olivia Berg");
    portal.visitor().get(&good).answers(200);
    assert_eq!(recorded(&portal, "account.activated"), 1);
    // Its mail, still owed, would lead there: it does not go. A Master's does.
    portal.work();
    let to = |email: &str| {
        portal
            .mails()
            .iter()
            .filter(|mail| mail.to == email)
            .count()
    };
    assert_eq!((to(LEA), to("per@fjord.example")), (0, 1));
    // A Master sends it anew.
    portal.travel(2 * MINUTE);
    owner
        .post(format!("/iam/accounts/{of_admin}/resend"), &[])
        .answers(303);
    portal.accept(&portal.link_of(&owner, of_admin), "Lea Fontaine");
}

#[test]
fn what_admins_have_again_waits_for_their_next_sign_in() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.member(Role::Admin, ADA);
    only_masters(&mut owner, Managers::Masters);
    let mut admin = portal.signed_in(ADA);
    admin.get("/").sees_not("Sign out and in to use it.");
    only_masters(&mut owner, Managers::Admins);
    owner
        .follow()
        .sees("Admins manage users again, from their next sign-in on.");
    assert!(!owner.html().contains("value=\"yes\" checked"));
    owner
        .get("/iam/roles")
        .sees("DevOps lead 7 1")
        .sees_not("Only Masters manage users");
    // Still signed in, with what they had; a banner says how to have more.
    admin
        .get("/iam/accounts")
        .answers(200)
        .sees("Your permission is now Admin. Sign out and in to use it.")
        .sees_not("Create account");
    admin
        .post("/iam/accounts", &[("email", LEA), ("role", "member")])
        .answers(403);
    admin.sign_out().sign_in();
    admin
        .get("/iam/accounts")
        .sees("Create account")
        .sees_not("Sign out and in to use it.");
    admin
        .post("/iam/accounts", &[("email", LEA), ("role", "member")])
        .answers(303)
        .goes_to("/iam/accounts");
}

#[test]
fn no_admin_invites_after_the_switch_however_close_they_come() {
    const ROUNDS: usize = 30;
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut admin = portal.member(Role::Admin, ADA);
    for round in 0..ROUNDS {
        owner.get("/settings");
        admin.get("/iam/accounts/new").answers(200);
        let barrier = Barrier::new(2);
        let email = format!("r{round}@fjord.example");
        let status = std::thread::scope(|threads| {
            let invites = threads.spawn(|| {
                barrier.wait();
                admin
                    .post("/iam/accounts", &[("email", &email), ("role", "member")])
                    .location()
            });
            barrier.wait();
            only_masters(&mut owner, Managers::Masters);
            invites.join().unwrap()
        });
        assert!(!admin.is_signed_in(), "the session outlived the switch");
        let newest = &portal.audit(Some(portal.first()))[0];
        let created: i64 = portal.ask(&format!(
            "SELECT count(*) FROM accounts WHERE email = '{email}'"
        ))[0];
        match status.as_deref() {
            // They came first: the newest event is the switch.
            Some("/iam/accounts") => {
                assert_eq!(
                    (newest.action.as_str(), created),
                    ("organisation.managers_changed", 1)
                );
            }
            Some("/sign-in") => assert_eq!(created, 0),
            other => panic!("round {round} was answered with {other:?}"),
        }
        only_masters(&mut owner, Managers::Admins);
        admin.get("/sign-in");
        admin.sign_in();
    }
}

fn domains<'v>(visitor: &'v mut Visitor, typed: &str) -> &'v mut Visitor {
    visitor.post("/settings/domains", &[("domains", typed)])
}

#[test]
fn only_addresses_of_allowed_domains_are_invited() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    let old = portal.invite(&owner, Role::Member, "old@else.example");
    domains(
        &mut owner,
        " Fjord.example, @b\u{fc}cher.example\r\nfjord.example",
    )
    .answers(303)
    .goes_to("/settings")
    .follow()
    .sees("From now on only addresses at fjord.example or xn--bcher-kva.example may be invited.")
    .sees("1 account has an address of another domain. Nothing happens to them. old@else.example, Pending");
    assert!(
        owner
            .html()
            .contains("\nfjord.example\nxn--bcher-kva.example</textarea>")
    );
    domains(&mut owner, "fjord.example xn--bcher-kva.example")
        .follow()
        .sees("Nothing to save: it is so already.");
    let refused = "Only addresses at fjord.example or xn--bcher-kva.example are allowed here. A Master can change that in Settings.";
    for email in [
        "lea@else.example",
        "lea@mail.fjord.example",
        "lea@fjord.example.org",
    ] {
        owner
            .post("/iam/accounts", &[("email", email), ("role", "member")])
            .answers(422)
            .sees(refused);
        let page = owner.html();
        assert!(
            page.contains("id=\"email-error\"") && page.contains(&format!("value=\"{email}\""))
        );
    }
    for email in ["lea@FJORD.example", "per@b\u{fc}cher.example"] {
        owner
            .post("/iam/accounts", &[("email", email), ("role", "member")])
            .answers(303);
    }
    // Whoever is here already stays, and their invitation too.
    portal.travel(2 * MINUTE);
    owner
        .post(format!("/iam/accounts/{old}/resend"), &[])
        .answers(303);
    portal.accept(&portal.link_of(&owner, old), "Ola Dahl");
    // Nobody changes to an address that could not be invited.
    mia.post(
        "/account/email",
        &[
            ("email", "mia@else.example"),
            ("current_password", crate::portal::PASSWORD),
        ],
    )
    .answers(422)
    .sees(refused);
    mia.post(
        "/account/email",
        &[
            ("email", "mia.vik@fjord.example"),
            ("current_password", crate::portal::PASSWORD),
        ],
    )
    .answers(303);
    assert_eq!(recorded(&portal, "invitation.refused"), 4);
    owner.get("/").sees(
        "MIA Vik could not change to mia@else.example: addresses of that domain are not allowed",
    );
    // The operator answers to nobody's list.
    let app = portal.app();
    let (first, outside) = (portal.first(), "per@else.example".parse().unwrap());
    let checked = |by: &By| {
        app.read(app.now(), |read| {
            invitations::check_domain(read, by, first, &outside)
        })
    };
    assert!(checked(&owner.by()).is_err());
    assert!(checked(&By::operator()).is_ok());
    // It was no duplicate, and so does not count as one.
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM invitation_tallies WHERE kind = 'refused'"),
        [0]
    );
    // Any domain again.
    domains(&mut owner, " ")
        .answers(303)
        .follow()
        .sees("Addresses of any domain may be invited.")
        .sees_not("another domain.");
    owner
        .post(
            "/iam/accounts",
            &[("email", "lea@else.example"), ("role", "member")],
        )
        .answers(303);
    let texts = "SELECT group_concat(t.text, '|') FROM audit_texts t JOIN audit_events e USING (chain_id, number)
                  WHERE e.action = 'organisation.domains_changed' AND t.slot IN (4, 5) GROUP BY e.number ORDER BY e.number";
    let both = "fjord.example\nxn--bcher-kva.example";
    assert_eq!(
        portal.ask::<String>(texts),
        [format!("|{both}"), format!("{both}|")]
    );
    owner
        .get("/")
        .sees("You allowed invitations to any email domain");
}

#[test]
fn what_is_no_domain_is_said_at_its_field_and_kept() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    domains(&mut owner, "fjord.example *.lake.example")
        .answers(422)
        .sees("\u{201c}*.lake.example\u{201d} is no email domain. Write what stands after the @, like company.example.");
    let page = owner.html();
    assert!(page.contains("<title>Error: Settings"), "{page}");
    assert!(page.contains("\nfjord.example *.lake.example</textarea>"));
    assert_eq!(page.matches("aria-invalid").count(), 1);
    let draft = owner.draft(Method::Post, "/settings/domains").proven();
    draft.field("domain", "fjord.example").send().answers(400);
    owner
        .draft(Method::Post, "/settings/domains")
        .field("domains", "fjord.example")
        .send()
        .answers(403)
        .sees("Email domains fjord.example");
    assert!(owner.html().contains("href=\"/settings\""));
    assert_eq!(recorded(&portal, "organisation.domains_changed"), 0);
}

#[test]
fn the_settings_say_what_the_portal_is_and_what_is_in_trouble() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.travel(MINUTE);
    owner
        .get("/settings")
        .sees("Version Doorward")
        .sees("Licence MIT OR Apache-2.0")
        .sees("Health All is well")
        .sees("B, schema 6")
        .sees("Running since today, 14:20")
        .sees("Nothing is sent anywhere");
    portal
        .mailbox()
        .fail(Some(doorward::kit::mail::Failure::Relay(
            doorward::kit::mail::Cause::Connection,
            "no".to_owned(),
        )));
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    owner
        .get("/settings")
        .sees("The mail server is in trouble: mail waits. Tell whoever runs this Portal.")
        .sees_not("All is well");
    // How large the file is would tell how much the others do.
    portal.leave_mail();
    portal.organisation("Lakeside");
    owner
        .get("/settings")
        .sees("Database Schema 6")
        .sees_not("B, schema");
    // Every form warns of what is typed and not saved.
    let page = owner.html();
    for action in ["general", "two-factor", "security", "domains", "billing"] {
        let form = page
            .split("<form ")
            .find(|form| form.contains(&format!("action=\"/settings/{action}\"")));
        let tag = form.unwrap().split('>').next().unwrap();
        assert!(tag.contains("data-guard"), "{action}: {tag}");
    }
}

#[test]
fn after_a_restore_the_settings_say_what_is_known_of_backups() {
    let portal = Portal::start();
    portal.owner();
    let copy = portal.back_up("doorward-a.db");
    portal.travel(MINUTE);
    portal.restore(&copy);
    let mut owner = portal.signed_in(OWNER);
    owner
        .get("/settings")
        .sees("All of it was put back from a backup on 24 Nov 2026, 13:21 UTC. Of backups made before that nothing is known here")
        .sees_not("There is no backup yet.");
}
