//! Who sees what of whom: a Member no address and no telephone of anybody else, on no page; everybody all that is kept
//! about them, as a file, and of nobody else.

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::routes::Access;
use serde_json::Value;

use crate::portal::{OWNER, Portal};
use crate::samples;
use crate::visitor::Visitor;
use crate::wares;

const MIA: &str = "mia@fjord.example";
const PHONE: &str = "+4791998877";

/// What was exported.
fn exported(visitor: &mut Visitor) -> Value {
    visitor.get("/account/data.json").answers(200);
    assert_eq!(
        visitor.header("Content-Type").as_deref(),
        Some("application/json")
    );
    assert_eq!(
        visitor.header("Content-Disposition").as_deref(),
        Some("attachment; filename=\"my-data.json\"")
    );
    serde_json::from_str(&visitor.html()).unwrap()
}

/// Every address and telephone that the file knows, but those of this one.
fn marks(portal: &Portal, but: &str) -> Vec<String> {
    let emails: Vec<String> = portal.ask(&format!(
        "SELECT email FROM accounts WHERE email IS NOT NULL AND email <> '{but}'"
    ));
    let phones: Vec<String> = portal.ask(&format!(
        "SELECT phone FROM accounts WHERE phone IS NOT NULL AND email <> '{but}'"
    ));
    let spaced = phones.iter().map(|phone| {
        phone
            .parse::<doorward::domain::text::Phone>()
            .unwrap()
            .spaced()
    });
    emails
        .into_iter()
        .chain(spaced.collect::<Vec<_>>())
        .chain(phones.clone())
        .collect()
}

#[test]
fn a_member_sees_no_address_and_no_telephone_of_anybody_else() {
    let portal = Portal::build().demo().start();
    let mut owner = portal.owner();
    owner
        .post(
            "/account/profile",
            &[("name", "Olivia Berg"), ("phone", PHONE)],
        )
        .answers(303);
    let mut mia = portal.member_of(&owner, Role::Billing, MIA);
    let mut ben = portal.member_of(&owner, Role::Admin, "ben@fjord.example");
    ben.post(
        "/account/profile",
        &[("name", "Ben Vik"), ("phone", "+4791112233")],
    )
    .answers(303);
    // What others did to her stands in her activity.
    let id = mia.account().id;
    owner
        .post(format!("/iam/accounts/{id}/role"), &[("role", "member")])
        .answers(303);
    mia = mia.elsewhere();
    mia.sign_in();
    owner
        .post(format!("/iam/accounts/{id}/sign-out"), &[])
        .answers(303);
    mia = mia.elsewhere();
    mia.sign_in();
    wares::resource(&portal, &owner);
    let routes = samples::all(&portal, &owner);
    let marks = marks(&portal, MIA);
    assert!(marks.iter().any(|mark| mark == OWNER) && marks.iter().any(|mark| mark == PHONE));

    let mut seen = 0;
    for route in routes {
        // A link that was mailed to somebody else is its own right, and tells whom it is for.
        if matches!(route.access(), Access::Public) {
            continue;
        }
        for method in [Method::Get, Method::Post] {
            mia.draft(method, &route).send();
            seen += usize::from(mia.status() == 200);
            let page = mia.html();
            for mark in &marks {
                assert!(!page.contains(mark.as_str()), "{mark} stands on {route}");
            }
        }
    }
    assert!(seen >= 5, "only {seen} pages were seen");
    mia.get("/account")
        .answers(200)
        .sees("Olivia Berg changed your permission");
    portal.leave_mail();
}

#[test]
fn an_export_holds_all_that_is_kept_about_somebody_and_nothing_of_anybody_else() {
    let portal = Portal::build().demo().start();
    let owner = portal.owner();
    let mut ann = portal.member_of(&owner, Role::Admin, "ann@fjord.example");
    ann.post("/account/profile", &[("name", "Ann Lee"), ("phone", PHONE)])
        .answers(303);
    ann.post("/account/preferences", &[("timezone", "Asia/Tokyo")])
        .answers(303);
    ann.enrol();
    let theirs = wares::resource(&portal, &owner);
    let hers = wares::resource(&portal, &ann);
    let mut other = ann.elsewhere();
    other.try_password("ann@fjord.example", "Wrong-Horse-1");

    let data = exported(&mut ann);
    let profile = &data["profile"];
    for (key, value) in [
        ("name", "Ann Lee"),
        ("email", "ann@fjord.example"),
        ("phone", PHONE),
        ("permission", "admin"),
        ("time_zone", "Asia/Tokyo"),
    ] {
        assert_eq!(profile[key], value, "{key}");
    }
    assert_eq!(profile["keys"], false);
    assert_eq!(data["organisation"], "Fjord Supply");
    assert_eq!(data["two_factor"]["recovery_codes_left"], 10);
    assert_eq!(data["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(data["sessions"][0]["is_this"], true);
    assert_eq!(data["known_browsers"].as_array().unwrap().len(), 1);
    let actions: Vec<&str> = data["activity"]
        .as_array()
        .unwrap()
        .iter()
        .map(|deed| deed["action"].as_str().unwrap())
        .collect();
    for action in [
        "account.created",
        "account.activated",
        "sign_in.succeeded",
        "sign_in.failed",
        "profile.changed",
        "preferences.changed",
        "resource.created",
    ] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
    // All of it, not the newest alone.
    let all: i64 = portal.ask(&format!(
        "SELECT count(*) FROM audit_events WHERE actor_id = {id} OR target_id = {id}",
        id = ann.account().id.number()
    ))[0];
    assert_eq!(i64::try_from(actions.len()).unwrap(), all);
    let resources = data["resources"].to_string();
    assert!(resources.contains(&hers.to_string()) && !resources.contains(&theirs.to_string()));

    // No secret, and nobody else's address.
    let mut mia = portal.member_of(&owner, Role::Member, MIA);
    let text = exported(&mut mia).to_string();
    for mark in marks(&portal, MIA) {
        assert!(!text.contains(&mark), "{mark}");
    }
    for word in ["$argon2", "secret", "hash", "token"] {
        assert!(!text.contains(word), "{word}");
    }
    portal.visitor().get("/account/data.json").answers(303);
    assert!(
        mia.get("/account")
            .answers(200)
            .html()
            .contains("href=\"/account/data.json\"")
    );
    portal.leave_mail();
}

#[test]
fn whoever_is_disabled_is_kept_out_and_kept() {
    let portal = Portal::build().demo().start();
    let mut owner = portal.owner();
    let mut ann = portal.member_of(&owner, Role::Admin, "ann@fjord.example");
    ann.post("/account/profile", &[("name", "Ann Lee"), ("phone", PHONE)])
        .answers(303);
    let hers = wares::resource(&portal, &ann);
    let id = ann.account().id;
    owner
        .post(format!("/iam/accounts/{id}/disable"), &[])
        .answers(303);
    ann.get("/account").answers(303);
    let mut again = ann.elsewhere();
    again
        .try_password("ann@fjord.example", crate::portal::PASSWORD)
        .answers(422);
    assert!(!again.is_signed_in());
    // Name, address, telephone and activity stay, and what runs under the name is billed on.
    owner
        .get(format!("/iam/accounts/{id}"))
        .answers(200)
        .sees("Ann Lee")
        .sees("ann@fjord.example")
        .sees("+47 919 98 877");
    portal.travel(3_600);
    owner.get("/billing.csv").answers(200);
    let bill = owner.html();
    let line = bill
        .lines()
        .find(|line| line.contains(&hers.to_string()))
        .unwrap();
    assert!(line.contains("Ann Lee"), "{line}");
    portal.leave_mail();
}
