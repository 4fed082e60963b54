//! What a visitor sees when something was refused: what happened, one way on, the id to quote; and the help page.

use doorward::domain::role::Role;
use doorward::help::views::words_for;
use doorward::kit::http::request::Method;
use doorward::kit::time::DAY;
use doorward::routes::{Access, HelpTopic, Route};

use crate::portal::{ORGANISATION, Portal};
use crate::samples;

const HELP: Route = Route::Help(HelpTopic::AddASubAccount);
const TWO_FACTOR: &str = "/help/2fa-security";
const TOPIC: &str = "/help/sub-account-permissions";
const PERMISSIONS: &str = "href=\"/help/sub-account-permissions\"";

#[test]
fn what_is_not_there_is_said_to_strangers_and_colleagues() {
    let portal = Portal::start();
    let mut stranger = portal.visitor();
    stranger
        .get("/nowhere")
        .answers(404)
        .sees("There is nothing here")
        .sees("To the sign-in page")
        .sees("Request ")
        .sees_not(ORGANISATION);
    let mut owner = portal.owner();
    owner
        .get("/nowhere")
        .answers(404)
        .sees("Back to the dashboard");
}

#[test]
fn an_expired_form_keeps_what_was_typed_and_leads_back_to_its_page() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    stranger
        .draft(Method::Post, "/forgot-password")
        .field("email", "lea@fjord.example")
        .send()
        .answers(403)
        .sees("The form has expired")
        .sees("What you typed is kept below")
        .sees("Email lea@fjord.example");
    assert!(stranger.html().contains("href=\"/forgot-password\""));
    stranger
        .draft(Method::Post, "/sign-in")
        .field("password", "Quiet-Harbour-9")
        .send()
        .answers(403)
        .sees("Open the form again")
        .sees_not("Quiet-Harbour-9")
        .sees_not("kept below");
    // Where nothing can be looked at, the page whose button was pressed is the way on.
    let mut owner = portal.owner();
    let id = portal.invite(&owner, Role::Member, "lea@fjord.example");
    for (path, page) in [
        (
            format!("/iam/accounts/{id}/resend"),
            format!("/iam/accounts/{id}"),
        ),
        (
            format!("/iam/accounts/{id}/copy-link"),
            format!("/iam/accounts/{id}"),
        ),
        ("/iam/accounts".to_owned(), "/iam/accounts/new".to_owned()),
        ("/theme".to_owned(), "/".to_owned()),
        ("/activate/x/ask".to_owned(), "/activate/x".to_owned()),
    ] {
        owner.draft(Method::Post, &path).send().answers(403);
        let way_on = format!("<a class=\"btn primary\" href=\"{page}\">");
        assert!(owner.html().contains(&way_on), "{path}: {}", owner.html());
    }
}

#[test]
fn a_missing_permission_is_named_with_whom_to_ask() {
    let portal = Portal::start();
    let mut member = portal.member(Role::Member, "mia@fjord.example");
    member
        .get("/iam/accounts")
        .answers(403)
        .sees("Your role is Member.")
        .sees("List users")
        .sees("Admin or Master has")
        .sees("Ask Olivia Berg, Master.")
        .sees("What each role may do");
    assert!(member.html().contains(PERMISSIONS));
    member.get("/nowhere").answers(404);
    assert!(!member.html().contains(PERMISSIONS));
}

#[test]
fn the_help_page_about_permissions_is_reached_from_where_one_asks() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for page in [
        "/iam/roles",
        "/iam/roles/admin",
        "/iam/accounts/new",
        "/help/add-a-sub-account",
        TWO_FACTOR,
    ] {
        owner.get(page).answers(200);
        assert!(owner.html().contains(PERMISSIONS), "{page}");
    }
    portal
        .visitor()
        .get(TOPIC)
        .answers(200)
        .sees_not(ORGANISATION);
    owner
        .get(TOPIC)
        .answers(200)
        .sees("Your role at Fjord Supply is Master");
    assert!(owner.html().contains("href=\"/help/add-a-sub-account\""));
    assert!(owner.html().contains(&format!("href=\"{TWO_FACTOR}\"")));
}

#[test]
fn the_help_page_about_permissions_tells_of_every_route_what_it_needs() {
    let portal = Portal::build().demo().start();
    let mut owner = portal.owner();
    let routes = samples::all(&portal, &owner);
    owner.get(TOPIC).answers(200);
    let text = owner.text();
    for route in routes {
        let Access::With(permission) = route.access() else {
            assert_eq!(words_for(&route), None, "{}", route.name());
            continue;
        };
        let words = words_for(&route).unwrap_or_else(|| {
            panic!(
                "{} stands in no line of src/help/views/permissions.rs: say there what it does",
                route.name()
            )
        });
        let (_, told) = text.split_once(words).unwrap();
        let label = permission.label();
        assert!(told.trim_start().starts_with(label), "{words}: {label}");
    }
    portal.leave_mail();
}

#[test]
fn the_help_page_about_permissions_says_how_it_is_in_this_organisation() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut admin = portal.member_of(&owner, Role::Admin, "ada@fjord.example");
    admin
        .get(TOPIC)
        .answers(200)
        .sees("Admin acts on, and gives, Member, Billing and Admin; never Master.")
        .sees("At Fjord Supply it is off.");
    owner
        .post("/settings/security", &[("only_masters", "yes")])
        .answers(303);
    owner
        .get(TOPIC)
        .sees("Only Masters manage users is on here")
        .sees("Admin acts on nobody")
        .sees("At Fjord Supply it is on.");
    // A gain that waits is told as one.
    portal.tamper("UPDATE accounts SET role = 'member' WHERE email = 'ada@fjord.example'");
    let mut admin = admin.elsewhere();
    admin.sign_in();
    portal.tamper("UPDATE accounts SET role = 'billing' WHERE email = 'ada@fjord.example'");
    admin
        .get(TOPIC)
        .sees("Your role at Fjord Supply is Billing: Get resources.")
        .sees("yours once you have signed out and in again");
}

#[test]
fn the_help_page_about_2fa_tells_each_reader_what_is_asked_of_them() {
    let portal = Portal::build()
        .settings(|settings| settings.brand = "Halden Portal".to_owned())
        .start();
    let mut owner = portal.owner();
    let mut ann = portal.member_of(&owner, Role::Member, "ann@fjord.example");
    let mut stranger = portal.visitor();
    stranger
        .get(TWO_FACTOR)
        .answers(200)
        .sees("2FA security")
        .sees("sign in to Halden Portal")
        .sees("Each organisation decides for each role")
        .sees("Some organisations let you trust browsers")
        .sees_not(ORGANISATION);
    // The two pages lead to each other.
    assert!(stranger.html().contains("href=\"/help/add-a-sub-account\""));
    stranger.get(HELP).answers(200);
    assert!(stranger.html().contains(&format!("href=\"{TWO_FACTOR}\"")));

    ann.get(TWO_FACTOR)
        .answers(200)
        .sees("What Fjord Supply asks of you")
        .sees("requires 2FA for the role Member")
        .sees("You have until 1 Dec 2026")
        .sees("with the role Admin or Master.")
        .sees("does not let browsers be trusted");
    owner
        .get(TWO_FACTOR)
        .sees("You own Fjord Supply")
        .sees_not("doorward");
    portal.tamper(
        "UPDATE policies SET level = 'off' WHERE role = 'member'; UPDATE organisations SET trust = 'offered'",
    );
    ann.get(TWO_FACTOR)
        .sees("asks for no 2FA of the role Member")
        .sees("It is off for your account.")
        .sees("lets you trust browsers of your own");
    owner.enrol();
    owner
        .get(TWO_FACTOR)
        .sees("It is on for your account. It cannot be turned off");

    // Whoever owes the code needs it most.
    portal.travel(60);
    let mut half = owner.elsewhere();
    half.try_password(&owner.email, &owner.password)
        .answers(303);
    half.get(TWO_FACTOR)
        .answers(200)
        .sees("Lost your phone?")
        .sees("Back to the code")
        .sees_not(ORGANISATION);
    half.get("/sign-in/code").answers(200);
    // And whoever reaches the set-up alone.
    portal.work();
    portal.travel(8 * DAY);
    portal.tamper("UPDATE policies SET level = 'required' WHERE role = 'member'");
    let mut late = ann.elsewhere();
    assert!(!late.sign_in().is_signed_in());
    late.get(TWO_FACTOR)
        .answers(200)
        .sees("You had until 1 Dec 2026")
        .sees("Until you have set it up you reach nothing else.");
    assert!(late.html().contains("href=\"/account/two-factor\""));
    late.get("/account/two-factor").answers(200);
}

#[test]
fn programs_get_the_same_as_json() {
    let portal = Portal::start();
    let mut program = portal.visitor();
    program
        .draft(Method::Get, "/nowhere")
        .header("accept", "application/json")
        .send()
        .answers(404);
    let answer: serde_json::Value = serde_json::from_str(&program.html()).unwrap();
    assert_eq!(answer["code"], "not-found");
    assert!(
        answer["request_id"]
            .as_str()
            .is_some_and(|id| !id.is_empty())
    );
    for _ in 0..61 {
        program.get("/activate/x");
    }
    program
        .draft(Method::Get, "/activate/x")
        .header("accept", "application/json")
        .send()
        .answers(429);
    assert!(program.header("Retry-After").is_some());
}

#[test]
fn what_breaks_is_not_explained_to_visitors() {
    let portal = Portal::start();
    portal.owner();
    portal.expect_failures();
    portal.tamper("ALTER TABLE resets RENAME TO resets_away");
    let mut visitor = portal.visitor();
    visitor
        .get(format!("/reset-password/{}A", "B".repeat(42)))
        .answers(500)
        .sees("Something broke here")
        .sees("Nothing was saved.")
        .sees("Request ");
    for cause in ["resets", "SQL", "table", "src/"] {
        visitor.sees_not(cause);
    }
    portal.tamper("ALTER TABLE resets_away RENAME TO resets");
}

#[test]
fn the_help_page_is_for_everybody_and_links_where_the_reader_may_go() {
    let portal = Portal::build()
        .settings(|settings| settings.brand = "Halden Portal".to_owned())
        .start();
    let mut owner = portal.owner();
    owner
        .get(HELP)
        .answers(200)
        .sees("Add a sub-account")
        .sees("Dashboard");
    assert!(owner.html().contains("href=\"/iam/accounts/new\""));
    portal
        .visitor()
        .get(HELP)
        .answers(200)
        .sees("Halden Portal")
        .sees("Spam/Junk")
        .sees("valid for 24 hours")
        .sees_not(ORGANISATION);
    portal.restart(|settings, _| settings.terms.ttl = 48 * 3_600);
    portal.visitor().get(HELP).sees("valid for 48 hours");
}

#[test]
fn a_page_out_of_reach_is_called_by_its_name() {
    let portal = Portal::start();
    let mut member = portal.member(Role::Member, "mia@fjord.example");
    for (path, title) in [
        ("/iam/accounts", "You cannot open Accounts"),
        ("/iam/accounts/new", "You cannot open Accounts"),
        ("/iam/roles", "You cannot open Roles"),
        ("/billing", "You cannot open Billing"),
        ("/mail", "You cannot open Mail"),
        ("/settings", "You cannot open Settings"),
    ] {
        member
            .get(path)
            .answers(403)
            .sees(title)
            .sees("Your role is Member.")
            .sees("Ask Olivia Berg, Master.")
            .sees("Back to the dashboard")
            .sees("Request ");
    }
    member
        .post("/settings/security", &[])
        .answers(403)
        .sees("You cannot do this");
}

#[test]
fn an_address_of_a_form_leads_back_to_the_form() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for (path, form) in [
        ("/settings/general", "/settings"),
        ("/settings/domains", "/settings"),
        ("/account/password", "/account"),
        ("/billing/budget", "/billing"),
        ("/sign-out", "/"),
    ] {
        owner
            .get(path)
            .answers(405)
            .sees("Nothing to see here")
            .sees("Request ");
        assert_eq!(owner.header("Allow").as_deref(), Some("POST"), "{path}");
        let way_on = format!("<a class=\"btn primary\" href=\"{form}\">");
        assert!(owner.html().contains(&way_on), "{path}: {}", owner.html());
    }
    // A program reads the one line.
    owner
        .draft(Method::Get, "/settings/general")
        .header("accept", "*/*")
        .send()
        .answers(405);
    assert_eq!(owner.html(), "This address does not take that method.\n");
}

#[test]
fn what_is_refused_before_it_is_known_who_asks_has_the_same_shell() {
    let portal = Portal::build()
        .settings(|settings| settings.brand = "Halden Portal".to_owned())
        .start();
    let mut visitor = portal.visitor();
    visitor
        .get("/%ff")
        .answers(400)
        .sees("This address cannot be read")
        .sees("Halden Portal")
        .sees("To the first page")
        .sees("Request ");
    visitor
        .draft(Method::Get, "/sign-in")
        .header("host", "evil.example")
        .send()
        .answers(421)
        .sees("This Portal is not known by the name you used")
        .sees("public_url = \"https://portal.example.com\"")
        .sees("Request ")
        .sees_not("To the first page");
    assert!(visitor.html().contains("rel=\"stylesheet\""));
    visitor
        .draft(Method::Get, "/sign-in")
        .header("host", "evil.example")
        .header("accept", "*/*")
        .send()
        .answers(421);
    let words = visitor.html();
    assert!(
        words.starts_with("This Portal is not known by the name you used.\n"),
        "{words}"
    );
    assert!(!words.contains('<'), "{words}");
}

#[test]
fn what_was_typed_on_several_lines_is_kept_on_several_lines() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .draft(Method::Post, "/settings/general")
        .fields(&[
            ("organisation", "Fjord Works"),
            ("address", "Havnegata 7\n7010 Trondheim"),
            ("vat_number", "NO 1"),
            ("timezone", "Europe/Oslo"),
        ])
        .send()
        .answers(403)
        .sees("What you typed is kept below")
        .sees("Organisation Fjord Works");
    let kept = "<span class=\"lines\">Havnegata 7\n7010 Trondheim</span>";
    assert!(owner.html().contains(kept), "{}", owner.html());
}

#[test]
fn whoever_must_wait_is_told_for_how_long() {
    let portal = Portal::start();
    let mut visitor = portal.visitor();
    for _ in 0..61 {
        visitor.get("/activate/x");
    }
    visitor
        .get("/activate/x")
        .answers(429)
        .sees("Too many tries. Try again in ")
        .sees(" min.")
        .sees("Request ");
    let seconds: i64 = visitor.header("Retry-After").unwrap().parse().unwrap();
    assert!(seconds > 0);
}
