//! What every answer carries, and what makes a request do nothing: forms from elsewhere, pages that are only looked
//! at, addresses of other hosts.

use doorward::domain::role::Role;
use doorward::kit::http::cookie::Transport;
use doorward::kit::http::headers::Scheme;
use doorward::kit::http::request::Method;

use crate::answer::Answer;
use crate::portal::{OWNER, PASSWORD, Portal};
use crate::samples;
use crate::visitor::Visitor;

const OURS: &str = "https://portal.example.com";

/// What nobody is sent to.
pub(crate) const ELSEWHERE: [&str; 20] = [
    "https://evil.example",
    "https://portal.example.com/mail",
    "//evil.example",
    "//evil.example/mail",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%2f/evil.example",
    "/%5cevil.example",
    "/\t/evil.example",
    "/mail\r\nSet-Cookie: planted=1",
    " /mail",
    "mail",
    "javascript:alert(1)",
    "/nowhere",
    "/mail/../../evil",
    "/mail\\..\\evil",
    "?next=//evil.example",
    "#//evil.example",
    "",
];

/// Pages of ours that somebody may come back to.
pub(crate) const HERE: [&str; 3] = [
    "/mail",
    "/iam/accounts?q=a%20b&page=2",
    "/?x=//evil.example",
];

/// Whether a form of ours, sent with these headers instead of a browser's, does anything.
fn is_taken(portal: &Portal, headers: &[(&str, &str)]) -> bool {
    let mut stranger = portal.visitor();
    let mut draft = stranger
        .draft(Method::Post, "/sign-in")
        .proven()
        .fields(&[("email", OWNER), ("password", PASSWORD)])
        .without("origin")
        .without("sec-fetch-site");
    for (name, value) in headers {
        draft = draft.also(name, value);
    }
    draft.send();
    if stranger.status() == 403 {
        stranger.sees("The form has expired");
    } else {
        stranger.answers(303);
    }
    let is_signed_in = stranger.is_signed_in();
    assert_eq!(is_signed_in, stranger.status() == 303);
    is_signed_in
}

#[test]
fn a_form_from_elsewhere_does_nothing() {
    let portal = Portal::start();
    portal.owner();
    for headers in [
        &[("Origin", "https://evil.example")][..],
        &[("Origin", "null")],
        &[("Origin", "")],
        &[("Origin", "http://portal.example.com")],
        &[("Origin", "https://portal.example.com.evil.example")],
        &[("Origin", "https://evil.example/portal.example.com")],
        &[("Origin", "https://portal.example.com@evil.example")],
        &[("Origin", "portal.example.com")],
        &[("Origin", OURS), ("Origin", "https://evil.example")],
        &[("Origin", OURS), ("Sec-Fetch-Site", "cross-site")],
        &[
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        &[("Referer", "https://evil.example/sign-in")],
        &[(
            "Referer",
            "https://evil.example/?https://portal.example.com/",
        )],
        &[
            ("Origin", "null"),
            ("Referer", "https://portal.example.com/sign-in"),
        ],
    ] {
        assert!(!is_taken(&portal, headers), "{headers:?}");
    }
    for headers in [
        &[("Origin", OURS), ("Sec-Fetch-Site", "same-origin")][..],
        &[("Origin", OURS)],
        &[("Sec-Fetch-Site", "same-origin")],
        &[("Referer", "https://portal.example.com/sign-in?next=/mail")],
        &[],
    ] {
        assert!(is_taken(&portal, headers), "{headers:?}");
    }
    let refused = portal
        .audit(None)
        .into_iter()
        .filter(|entry| entry.action == "form.refused");
    // Each visitor had an address of its own, so none of these are alike.
    assert_eq!(refused.count(), 17);
}

#[test]
fn a_form_needs_the_proof_of_this_visitor_in_this_session() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ann = portal.member_of(&owner, Role::Member, "ann@fjord.example");
    let of_owner = owner.proof("/sign-out");
    let of_ann = ann.proof("/sign-out");
    let mut stranger = portal.visitor();
    let of_stranger = stranger.proof("/sign-in");
    let mut rest = of_ann.chars();
    let flipped = if rest.next() == Some('A') { "B" } else { "A" };
    let rest = rest.as_str();
    for proof in [
        "",
        of_owner.as_str(),
        of_stranger.as_str(),
        rest,
        &format!("{flipped}{rest}"),
        &format!("{of_ann}="),
    ] {
        ann.draft(Method::Post, "/sign-out")
            .field("csrf", proof)
            .send()
            .answers(403);
        assert!(ann.is_signed_in());
    }
    ann.draft(Method::Post, "/sign-out").send().answers(403);
    ann.draft(Method::Post, "/sign-out")
        .field("csrf", &of_ann)
        .field("csrf", &of_ann)
        .send()
        .answers(403);
    ann.draft(Method::Post, format!("/sign-out?csrf={of_ann}"))
        .send()
        .answers(403);
    ann.draft(Method::Post, "/sign-out")
        .field("csrf", &of_ann)
        .send()
        .answers(303);
    // The proof from before signing in is not that of the session.
    stranger.try_password(OWNER, PASSWORD).answers(303);
    stranger
        .draft(Method::Post, "/sign-out")
        .field("csrf", &of_stranger)
        .send()
        .answers(403);
    // And without the cookie that it is bound to it proves nothing.
    let mut other = portal.visitor();
    other
        .draft(Method::Post, "/sign-in")
        .field("csrf", &of_stranger)
        .send()
        .answers(403);
}

/// Whether this browser's next form with that proof is looked at at all.
fn has_expired(visitor: &mut Visitor, path: &str, proof: &str) -> bool {
    visitor
        .draft(Method::Post, path)
        .field("csrf", proof)
        .field("theme", "dark")
        .send();
    visitor.status() == 403
}

#[test]
fn a_form_of_one_step_is_worth_nothing_in_another() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut person = portal.member_of(&owner, Role::Member, "ann@fjord.example");
    person.enrol();
    let mut other = portal.member_of(&owner, Role::Member, "ben@fjord.example");
    other.enrol();
    let of_full = person.proof("/sign-out");
    let of_stranger = portal.visitor().proof("/sign-in");
    let mut half = person.elsewhere();
    let of_visit = half.proof("/sign-in");
    half.give_password();
    let of_half = half.proof("/sign-in/code");
    let of_other = portal.half(&other).proof("/sign-in/code");
    // Each in the state that it was not drawn for; /theme takes a form from everybody.
    for proof in [&of_full, &of_stranger, &of_visit, &of_other] {
        for path in ["/theme", "/sign-in/code", "/sign-out", "/sign-in"] {
            assert!(has_expired(&mut half.clone(), path, proof), "{path}");
        }
    }
    assert!(!has_expired(&mut half.clone(), "/theme", &of_half));
    for proof in [&of_half, &of_visit, &of_other] {
        for path in ["/theme", "/sign-out", "/account/two-factor"] {
            assert!(has_expired(&mut person, path, proof), "{path}");
        }
    }
    assert!(!has_expired(&mut person, "/theme", &of_full));
    assert!(has_expired(&mut portal.visitor(), "/theme", &of_half));
    // The step itself: what was drawn before it is worth nothing behind it.
    portal.travel(60);
    let code = half.code();
    half.post("/sign-in/code", &[("code", &code)]).answers(303);
    assert!(half.is_signed_in());
    assert!(has_expired(&mut half, "/theme", &of_half));
    // And the set-up: its session goes on under a new cookie, with new forms.
    let mut late = portal.member_of(&owner, Role::Member, "late@fjord.example");
    portal.end_grace(&late.email);
    late.begin_two_factor();
    let before = late.proof("/account/two-factor/confirm");
    assert!(!has_expired(&mut late, "/theme", &before));
    let code = late.code();
    late.post("/account/two-factor/confirm", &[("code", &code)])
        .answers(200);
    assert!(late.is_signed_in());
    assert!(has_expired(&mut late, "/theme", &before));
}

#[test]
fn an_expired_form_of_two_factor_leads_back_to_its_page() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut person = portal.member_of(&owner, Role::Member, "ann@fjord.example");
    person.enrol();
    let half = portal.half(&person);
    let late = portal.member_of(&owner, Role::Member, "late@fjord.example");
    portal.end_grace(&late.email);
    for (visitor, path, page) in [
        (&half, "/sign-in/code", "/sign-in/code"),
        (&late, "/account/two-factor", "/account/two-factor"),
        (&late, "/account/two-factor/confirm", "/account/two-factor"),
        (
            &person,
            "/account/two-factor/disable",
            "/account/two-factor",
        ),
        (&person, "/account/two-factor/codes", "/account/two-factor"),
        (&owner, "/settings/two-factor", "/settings"),
    ] {
        let mut visitor = visitor.clone();
        visitor
            .draft(Method::Post, path)
            .field("code", "000000")
            .send()
            .answers(403)
            .sees("The form has expired")
            .sees_not("000000");
        let way_on = format!("<a class=\"btn primary\" href=\"{page}\">");
        assert!(visitor.html().contains(&way_on), "{path}");
        visitor.get(page).answers(200);
    }
}

#[test]
fn what_was_typed_into_an_expired_form_is_kept_but_for_passwords() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    stranger
        .draft(Method::Post, "/sign-in")
        .fields(&[("email", "o'lea@fjord.example"), ("password", PASSWORD)])
        .send()
        .answers(403)
        .sees("o'lea@fjord.example");
    assert!(!stranger.html().contains(PASSWORD));
}

#[test]
fn bodies_that_are_no_form_do_nothing() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let proof = owner.proof("/sign-out");
    for (kind, body) in [
        ("text/plain", format!("csrf%3D{proof}")),
        ("text/plain", format!("csrf={proof}\r\n")),
        ("application/json", format!("{{\"csrf\":\"{proof}\"}}")),
        ("application/json", format!("{{\"a\":\"&csrf={proof}&\"}}")),
        (
            "multipart/form-data; boundary=x",
            format!("--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{proof}\r\n--x--"),
        ),
    ] {
        owner
            .draft(Method::Post, "/sign-out")
            .header("Content-Type", kind)
            .body(body)
            .send();
        assert!(
            [400, 403].contains(&owner.status()),
            "{kind}: {}",
            owner.status()
        );
        assert!(owner.is_signed_in());
    }
    for body in [&b"csrf=%ff"[..], b"csrf=%", b"csrf=%zz", b"csrf=%00"] {
        owner
            .draft(Method::Post, "/sign-out")
            .body(body)
            .send()
            .answers(400);
    }
}

/// The content of every table that looking must not change: not when a session and its account were last used, and
/// not the log of what was refused.
pub(crate) fn content(portal: &Portal) -> Vec<String> {
    let tables: Vec<String> = portal.ask(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
    );
    let mut content = Vec::new();
    for table in tables
        .iter()
        .filter(|table| *table != "sessions" && !table.starts_with("audit_"))
    {
        let columns: Vec<String> = portal.ask(&format!(
            "SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}') WHERE name <> 'last_seen_at'"
        ));
        let columns = columns.join(" || ',' || ");
        content
            .extend(portal.ask::<String>(&format!("SELECT '{table} ' || {columns} FROM {table}")));
    }
    content
}

#[test]
fn looking_at_a_page_changes_nothing() {
    let portal = Portal::start();
    let owner = portal.owner();
    let routes = samples::all(&portal, &owner);
    let mut guarded = portal.member_of(&owner, Role::Master, "guarded@fjord.example");
    guarded.enrol();
    let half = portal.half(&guarded);
    let mut begun = portal.member_of(&owner, Role::Master, "begun@fjord.example");
    begun.begin_two_factor();
    let late = portal.member_of(&owner, Role::Master, "late@fjord.example");
    portal.end_grace(&late.email);
    let before = content(&portal);
    for table in ["invitations ", "challenges ", "enrolments ", "factors "] {
        assert!(before.iter().any(|row| row.starts_with(table)), "{table}");
    }
    let visitors = [owner, portal.visitor(), guarded, half, begun, late];
    let more = [
        "/sign-in/code?with=recovery",
        "/sign-in/code?with=app&trust=yes&code=000000",
        "/account/two-factor?next=/mail&code=000000&current_password=x",
    ];
    let addresses = routes.iter().map(ToString::to_string);
    for address in addresses.chain(more.map(str::to_owned)) {
        for mut visitor in visitors.clone() {
            for method in [Method::Get, Method::Head] {
                visitor.draft(method, &address).send();
                assert!(visitor.status() < 500);
            }
        }
        assert_eq!(content(&portal), before, "{address}");
    }
    portal.leave_mail();
}

/// What every answer carries, whatever it is.
fn check_headers(answer: &Answer, scheme: Scheme) {
    let asked = &answer.asked;
    for (name, value) in [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ] {
        assert_eq!(answer.all(name), [value], "{asked}: {name}");
    }
    let policy = answer.header("Content-Security-Policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{asked}"
    );
    assert!(!policy.contains("unsafe"), "{asked}");
    assert!(
        answer
            .header("Permissions-Policy")
            .unwrap()
            .contains("camera=()"),
        "{asked}"
    );
    let is_asset = asked.contains("/assets/");
    let caching = answer.header("Cache-Control").unwrap();
    assert!(is_asset || caching == "no-store", "{asked}: {caching}");
    let transport = answer.header("Strict-Transport-Security");
    assert_eq!(transport.is_some(), scheme == Scheme::Https, "{asked}");
    if let Some(transport) = transport {
        let age: i64 = transport.strip_prefix("max-age=").unwrap().parse().unwrap();
        assert!(age >= 31_536_000, "{transport}");
    }
    for (name, _) in &answer.headers {
        let name = name.to_ascii_lowercase();
        assert!(!name.starts_with("access-control-"), "{asked}: {name}");
        assert!(
            !["server", "x-powered-by"].contains(&name.as_str()),
            "{asked}: {name}"
        );
    }
}

#[test]
fn every_answer_carries_the_security_headers() {
    for portal in [Portal::start(), Portal::build().http().start()] {
        let scheme = match portal.app().settings.transport {
            Transport::Https => Scheme::Https,
            Transport::Http => Scheme::Http,
        };
        let mut owner = portal.owner();
        let mut ann = portal.member_of(&owner, Role::Member, "ann@fjord.example");
        let mut stranger = portal.visitor();
        for route in samples::all(&portal, &owner) {
            for visitor in [&mut owner, &mut ann, &mut stranger] {
                for method in [Method::Get, Method::Head, Method::Post] {
                    // Forms without proof: what is asked for here are the headers of refusals.
                    visitor.draft(method, &route).header("X-Evil", "1").send();
                    check_headers(visitor.last(), scheme);
                }
            }
        }
        stranger.get("/nowhere").answers(404);
        check_headers(stranger.last(), scheme);
        stranger.get("/%ff").answers(400);
        check_headers(stranger.last(), scheme);
        stranger
            .draft(Method::Get, "/")
            .header("Host", "evil.example")
            .send()
            .answers(421);
        check_headers(stranger.last(), scheme);
        for _ in 0..31 {
            stranger.try_password("nobody@fjord.example", "x");
        }
        stranger.answers(429);
        check_headers(stranger.last(), scheme);
        portal.leave_mail();
    }
}

#[test]
fn no_other_origin_is_let_in() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for origin in ["https://evil.example", "null", OURS] {
        let draft = owner.draft(Method::Get, "/").header("Origin", origin);
        draft.header("Access-Control-Request-Method", "POST").send();
        check_headers(owner.last(), Scheme::Https);
    }
}

#[test]
fn a_host_that_is_not_ours_gets_nothing_and_sets_nothing() {
    let portal = Portal::start();
    portal.owner();
    let mut stranger = portal.visitor();
    for host in [
        "evil.example",
        "portal.example.com.evil.example",
        "",
        "127.0.0.1",
        "[::1]:8080",
        "evil.example:portal.example.com",
    ] {
        stranger
            .draft(Method::Get, "/sign-in")
            .header("Host", host)
            .send()
            .answers(421)
            .sees("public_url");
        assert!(stranger.last().all("Set-Cookie").is_empty());
        stranger
            .draft(Method::Get, "/healthz")
            .header("Host", host)
            .send()
            .answers(200);
    }
    for host in ["portal.example.com:8443", "PORTAL.example.com"] {
        stranger
            .draft(Method::Get, "/sign-in")
            .header("Host", host)
            .send()
            .answers(200);
    }
}

#[test]
fn after_signing_in_nobody_is_sent_to_another_host() {
    let portal = Portal::start();
    portal.owner();
    for next in ELSEWHERE {
        let mut stranger = portal.visitor();
        stranger.post(
            "/sign-in",
            &[("email", OWNER), ("password", PASSWORD), ("next", next)],
        );
        stranger.answers(303).goes_to("/");
        // Nor does the page itself carry it on.
        let query: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        stranger
            .sign_out()
            .get(format!("/sign-in?next={query}"))
            .answers(200);
        assert!(!stranger.html().contains("evil"), "{next}");
    }
    for next in HERE {
        let mut stranger = portal.visitor();
        stranger.post(
            "/sign-in",
            &[("email", OWNER), ("password", PASSWORD), ("next", next)],
        );
        stranger.answers(303).goes_to(next);
    }
}

#[test]
fn the_theme_leads_back_to_pages_of_ours_only() {
    let portal = Portal::start();
    let mut stranger = portal.visitor();
    for (referer, expected) in [
        (
            "https://portal.example.com/sign-in?next=/mail",
            "/sign-in?next=/mail",
        ),
        ("https://portal.example.com//evil.example", "/"),
        ("https://portal.example.com@evil.example/sign-in", "/"),
        ("https://portal.example.com.evil.example/sign-in", "/"),
        ("https://evil.example/sign-in", "/"),
        ("", "/"),
    ] {
        let draft = stranger
            .draft(Method::Post, "/theme")
            .proven()
            .field("theme", "dark");
        draft
            .header("Referer", referer)
            .send()
            .answers(303)
            .goes_to(expected);
    }
    stranger.post("/theme", &[("theme", "pink")]).answers(400);
}

#[test]
fn head_is_get_without_the_body() {
    let portal = Portal::start();
    let mut stranger = portal.visitor();
    stranger.get("/sign-in");
    let got = stranger.last().clone();
    stranger.head("/sign-in");
    let headed = stranger.last();
    assert_eq!((headed.status, headed.body.len()), (200, 0));
    assert!(!got.body.is_empty());
    let without_cookies = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.retain(|(name, _)| name != "Set-Cookie");
        headers
    };
    assert_eq!(without_cookies(headed), without_cookies(&got));
}
