//! What people, and programs, may send: names that hide something, fields at their limits and far beyond, addresses that
//! are no text, bodies that are no form, more fields than a form has. All of it is answered, and nothing of it breaks.

use std::collections::BTreeSet;

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;

use crate::access;
use crate::portal::{ORGANISATION, Portal};
use crate::samples;
use crate::visitor::Visitor;
use crate::wares;

/// What has no width, reorders its neighbours, ends a line, or is a tag nobody sees.
const UNSEEN: [char; 34] = [
    '\0',
    '\u{7}',
    '\u{8}',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{180e}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{202a}',
    '\u{202b}',
    '\u{202d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2063}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{2800}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{fffb}',
    '\u{e0001}',
    '\u{e0041}',
];

#[test]
fn nothing_in_a_name_hides_or_turns_its_neighbours() {
    let portal = Portal::build().demo().start();
    let mut owner = portal.owner();
    let resource = wares::resource(&portal, &owner);
    for c in UNSEEN {
        let name = format!("Ann{c} Lee");
        // U+0085 is a blank to Unicode, and becomes one here.
        let wanted = match c {
            '\0' => 400,
            '\u{85}' => 303,
            _ => 422,
        };
        owner
            .post("/account/profile", &[("name", &name), ("phone", "")])
            .answers(wanted);
        if wanted == 422 {
            owner.sees("characters that cannot be seen");
        }
        owner
            .post(
                "/settings/general",
                &[("organisation", &name), ("timezone", "Europe/Oslo")],
            )
            .answers(wanted);
        owner
            .post(
                format!("/resources/{resource}/edit"),
                &[("name", &name), ("note", "")],
            )
            .answers(wanted);
        // An address is an address: none of these, blanks neither.
        let email = format!("a{c}nn@fjord.example");
        owner
            .post("/iam/accounts", &[("email", &email), ("role", "member")])
            .answers(if c == '\0' { 400 } else { 422 });
    }
    owner.get("/account").answers(200).sees("Ann Lee");
    // Nor does a line feed make two lines of one.
    owner
        .post(
            "/account/profile",
            &[("name", "Ann\r\n\u{2028}Lee"), ("phone", "")],
        )
        .answers(303);
    owner.get("/iam/accounts").answers(200).sees("Ann Lee");
}

#[test]
fn two_people_of_one_name_are_told_apart_in_the_list() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for email in ["ann@fjord.example", "anna@fjord.example"] {
        let mut ann = portal.member_of(&owner, Role::Member, email);
        ann.post("/account/profile", &[("name", "Ann Lee"), ("phone", "")])
            .answers(303);
    }
    owner
        .get("/iam/accounts")
        .answers(200)
        .sees("ann@fjord.example")
        .sees("anna@fjord.example");
    // And no address looks like another: letters of other scripts and other widths are none, capitals are the same.
    for email in [
        "аnn@fjord.example",
        "ａnn@fjord.example",
        "ANN@fjord.example",
        "ann@FJORD.example",
        " ann@fjord.example ",
    ] {
        owner
            .post("/iam/accounts", &[("email", email), ("role", "member")])
            .answers(422);
    }
    // A domain of another script is written as the name servers write it, which looks like itself alone.
    owner
        .post(
            "/iam/accounts",
            &[("email", "ann@fjоrd.example"), ("role", "member")],
        )
        .answers(303);
    owner
        .get("/iam/accounts")
        .sees("ann@xn--fjrd-65d.example")
        .sees_not("fjоrd");
}

/// The form of this address with one field changed: what it answers.
fn with(owner: &mut Visitor, path: &str, fields: &[(&str, &str)], field: &str, value: &str) -> u16 {
    let changed: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, old)| (*name, if *name == field { value } else { *old }))
        .collect();
    owner.post(path, &changed).status()
}

#[test]
fn every_limit_holds_to_the_character() {
    let portal = Portal::build().demo().start();
    let mut owner = portal.owner();
    let mut ann = portal.member_of(&owner, Role::Master, "ann@fjord.example");
    let resource = wares::resource(&portal, &owner);
    let invoice = wares::invoice(&portal, &owner);
    let edit = format!("/resources/{resource}/edit");
    let paid = format!("/billing/invoices/{invoice}/paid");
    let domain = format!("@{}.example", ["d"; 27].join("d"));
    let (most, more) = (
        format!("{}{domain}", "a".repeat(64)),
        format!("{}{domain}", "a".repeat(65)),
    );
    let texts = |most: usize| ("é".repeat(most), "é".repeat(most + 1));
    let profile = [("name", "Ann"), ("phone", "")];
    let general = [
        ("organisation", "Fjord"),
        ("timezone", "Europe/Oslo"),
        ("address", "Storgata 1"),
        ("vat_number", ""),
    ];
    let described = [("name", "web"), ("note", "")];
    type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], &'c str, (String, String));
    let cases: [Case<'_>; 9] = [
        ("/account/profile", &profile, "name", texts(100)),
        (
            "/account/profile",
            &profile,
            "phone",
            ("+123456789012345".into(), "+1234567890123456".into()),
        ),
        ("/settings/general", &general, "organisation", texts(100)),
        (&edit, &described, "name", texts(100)),
        (&edit, &described, "note", texts(1_000)),
        ("/settings/general", &general, "address", texts(500)),
        ("/settings/general", &general, "vat_number", texts(40)),
        (&paid, &[("reference", "R")], "reference", texts(100)),
        (
            "/iam/accounts",
            &[("email", ""), ("role", "member")],
            "email",
            (most, more),
        ),
    ];
    for (path, fields, field, (most, more)) in &cases {
        assert_eq!(
            with(&mut owner, path, fields, field, more),
            422,
            "{path} {field} beyond its limit"
        );
        // What is too long is said beside the field, and what was typed is kept.
        assert!(
            owner.html().contains("aria-invalid=\"true\""),
            "{path} {field}"
        );
        let kept = more.chars().take(30).collect::<String>();
        assert!(
            owner.html().contains(&kept),
            "{path} {field} forgot what was typed"
        );
        assert_eq!(
            with(&mut owner, path, fields, field, most),
            303,
            "{path} {field} at its limit"
        );
    }
    // A password of 129 characters is never hashed; one of 128 is taken.
    let (most, more) = (
        format!("Aa1!{}", "x".repeat(124)),
        format!("Aa1!{}", "x".repeat(125)),
    );
    for (password, wanted) in [(&more, 422), (&most, 303)] {
        ann.post(
            "/account/password",
            &[
                ("current_password", crate::portal::PASSWORD),
                ("password", password),
                ("password_confirmation", password),
                ("end_others", "yes"),
            ],
        )
        .answers(wanted);
    }
    portal.leave_mail();
}

#[test]
fn a_megabyte_in_any_field_breaks_nothing() {
    let portal = Portal::build().demo().start();
    let mut owner = portal.owner();
    portal.member_of(&owner, Role::Master, "heir@fjord.example");
    let huge = "x".repeat(1_000_000);
    let mut tried = 0;
    for route in samples::all(&portal, &owner) {
        let fields = access::fields(&portal, &route, &owner);
        for (field, _) in fields.iter().filter(|(field, _)| *field != "csrf") {
            let mut draft = owner.draft(Method::Post, &route).proven();
            for (name, value) in &fields {
                draft = draft.field(name, if name == field { &huge } else { value });
            }
            draft.send();
            assert!(
                [303, 400, 403, 404, 405, 410, 422, 429].contains(&owner.status()),
                "{} {field}: {}",
                route.name(),
                owner.status()
            );
            let kept: i64 =
                portal.ask("SELECT count(*) FROM audit_texts WHERE length(text) > 2000")[0];
            assert_eq!(kept, 0, "{} {field} is kept whole", route.name());
            tried += 1;
            if !owner.is_signed_in() {
                owner.sign_in();
            }
        }
    }
    assert!(tried > 30, "only {tried} fields were tried");
    portal.leave_mail();
}

#[test]
fn an_address_is_decoded_once_and_must_be_text() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for wrong in [
        "/%ff",
        "/iam/accounts/%c0%ae",
        "/iam/%c0%af",
        "/%ed%a0%80",
        "/%00",
        "/iam/accounts%00",
        "/iam/%",
        "/iam/%zz",
        "/iam/%2",
    ] {
        owner.get(wrong).answers(400);
    }
    // What no link of ours encodes is another name, and what is encoded twice too: there is none such.
    for nothing in [
        "/%69am/accounts",
        "/iam%252faccounts",
        "/iam/%252e%252e/mail",
        "/%252e%252e/mail",
        "/iam/../mail",
        "/iam/%2e%2e/mail",
        "//mail",
        "/mail/",
    ] {
        owner.get(nothing).answers(404);
    }
    // Of a query that is no text nothing is taken; the page is there, or the request is refused.
    for query in [
        "q=%ff",
        "q=%00",
        "q=%",
        "q=%zz",
        "q=%c0%ae",
        "page=%ff",
        "status=%zz",
    ] {
        owner.get(format!("/iam/accounts?{query}"));
        assert!(
            [200, 400].contains(&owner.status()),
            "{query}: {}",
            owner.status()
        );
        assert!(!owner.html().contains('\u{fffd}'), "{query}");
    }
}

#[test]
fn more_fields_than_a_form_has_are_refused_at_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let different: Vec<String> = (0..10_000).map(|number| format!("f{number}=x")).collect();
    let nested = format!("name{}=x", "[a]".repeat(3_000));
    for body in [
        different.join("&"),
        vec!["name=x"; 10_000].join("&"),
        "&".repeat(60_000),
        nested,
    ] {
        owner
            .draft(Method::Post, "/account/profile")
            .body(body.into_bytes())
            .send();
        assert!([400, 403].contains(&owner.status()), "{}", owner.status());
    }
    let cookies: String = (0..5_000).map(|number| format!("c{number}=x; ")).collect();
    owner
        .draft(Method::Get, "/account")
        .header("Cookie", &cookies)
        .send();
    assert!([303, 400].contains(&owner.status()), "{}", owner.status());
    owner.get("/account").answers(200);
}

/// What no refusal says: where the code stands, what it is made of, which version it is.
fn gives_nothing_away(page: &str, asked: &str) {
    for word in [
        env!("CARGO_PKG_VERSION"),
        "src/",
        ".rs:",
        "rusqlite",
        "sqlite",
        "SELECT ",
        "UPDATE ",
        "panicked",
        "backtrace",
        "tiny_http",
        "/tmp/",
        "doorward.db",
    ] {
        assert!(!page.contains(word), "{asked} says {word}");
    }
}

#[test]
fn refusals_name_neither_code_nor_version() {
    let portal = Portal::build().demo().start();
    let owner = portal.owner();
    let mut mia = portal.member_of(&owner, Role::Member, "mia@fjord.example");
    let mut statuses = BTreeSet::new();
    for route in samples::all(&portal, &owner) {
        for visitor in [&mut owner.clone(), &mut mia, &mut portal.visitor()] {
            for method in [Method::Get, Method::Post] {
                visitor.draft(method, &route).send();
                if visitor.status() < 400
                    || visitor
                        .header("Content-Type")
                        .is_none_or(|kind| kind.contains("json"))
                {
                    continue;
                }
                statuses.insert(visitor.status());
                gives_nothing_away(&visitor.html(), route.name());
            }
        }
    }
    for status in [403, 404, 405] {
        assert!(
            statuses.contains(&status),
            "{status} is not among {statuses:?}"
        );
    }
    portal.expect_failures();
    portal.tamper("ALTER TABLE resets RENAME TO resets_away");
    let mut stranger = portal.visitor();
    stranger
        .get(format!("/reset-password/{}A", "B".repeat(42)))
        .answers(500);
    gives_nothing_away(&stranger.html(), "500");
    portal.tamper("ALTER TABLE resets_away RENAME TO resets");
    portal.leave_mail();
}

#[test]
fn nothing_answers_but_what_the_guide_names() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    for path in [
        "/debug",
        "/debug/pprof",
        "/debug/vars",
        "/metrics",
        "/openapi.json",
        "/swagger",
        "/api",
        "/api/v1",
        "/graphql",
        "/.env",
        "/.git/config",
        "/server-status",
        "/actuator",
        "/actuator/health",
        "/admin",
        "/phpinfo.php",
        "/health",
        "/status",
        "/version",
        "/info",
        "/config",
        "/backup",
        "/doorward.db",
        "/secret.key",
        "/setup-link",
        "/robots.txt",
        "/.well-known/security.txt",
        "/sitemap.xml",
        "/assets/",
        "/assets/../Cargo.toml",
        "/assets/portal.css",
    ] {
        stranger.get(path).answers(404).sees_not(ORGANISATION);
    }
    // These two answer anybody, and tell a state, not a version and no number.
    for (path, said) in [("/healthz", "status"), ("/readyz", "status")] {
        stranger.get(path).answers(200);
        let state: serde_json::Value = serde_json::from_str(&stranger.html()).unwrap();
        let names: Vec<&String> = state.as_object().unwrap().keys().collect();
        assert!(
            names
                .iter()
                .all(|name| [said, "degraded", "failed"].contains(&name.as_str())),
            "{path}: {names:?}"
        );
    }
}

#[test]
fn no_cookie_is_set_but_the_five_that_are_known() {
    let portal = Portal::build().demo().start();
    let owner = portal.owner();
    portal.member_of(&owner, Role::Master, "heir@fjord.example");
    let mia = portal.member_of(&owner, Role::Member, "mia@fjord.example");
    let mut names = BTreeSet::new();
    for route in samples::all(&portal, &owner) {
        for visitor in [owner.clone(), mia.clone(), portal.visitor()] {
            let mut visitor = visitor;
            for method in [Method::Get, Method::Post] {
                let fields = access::fields(&portal, &route, &visitor);
                let mut draft = visitor.draft(method, &route);
                if method == Method::Post {
                    draft = draft.proven();
                    for (name, value) in &fields {
                        draft = draft.field(name, value);
                    }
                }
                draft.send();
                for line in visitor.last().all("Set-Cookie") {
                    let (name, attributes) = line.split_once('=').unwrap();
                    let (_, attributes) = attributes.split_once("; ").unwrap();
                    names.insert(name.to_owned());
                    let marks: BTreeSet<&str> = attributes.split("; ").collect();
                    for mark in ["Path=/", "HttpOnly", "SameSite=Lax"] {
                        assert!(marks.contains(mark), "{line}");
                    }
                    assert!(marks.contains("Secure"), "{line}");
                    assert!(name.starts_with("__Host-"), "{line}");
                    assert!(!attributes.contains("Domain"), "{line}");
                }
            }
        }
    }
    let known = ["device", "flash", "session", "theme", "visit"];
    for name in &names {
        let bare = name.strip_prefix("__Host-").unwrap_or(name);
        assert!(known.contains(&bare), "{name} is not among {known:?}");
    }
    assert!(names.len() >= 4, "{names:?}");
    portal.leave_mail();
}
