//! How a list comes in: pasted, as a file, both, neither, broken, and as no browser sends it.

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;

use crate::portal::Portal;
use crate::visitor::Visitor;

const TYPE: &str = "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW";
const FENCE: &str = "------WebKitFormBoundary7MA4YWxkTrZu0gW";

/// A form as Chromium writes it.
fn form(csrf: &str, list: &str, file: (&str, &[u8])) -> Vec<u8> {
    let (name, content) = file;
    let mut body = format!(
        "{FENCE}\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n\
         {FENCE}\r\nContent-Disposition: form-data; name=\"list\"\r\n\r\n{list}\r\n\
         {FENCE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    let end = format!(
        "\r\n{FENCE}\r\nContent-Disposition: form-data; name=\"role\"\r\n\r\nmember\r\n{FENCE}--\r\n"
    );
    body.extend_from_slice(end.as_bytes());
    body
}

fn send<'v>(visitor: &'v mut Visitor, path: &str, kind: &str, body: Vec<u8>) -> &'v mut Visitor {
    visitor
        .draft(Method::Post, path)
        .header("content-type", kind)
        .body(body)
        .send()
}

#[test]
fn a_file_is_read_as_what_is_pasted() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let csrf = owner.proof("/iam/import");
    let file = "email;name\r\na@x.example;Ann\r\n".as_bytes();
    for (list, file) in [
        ("", ("people.csv", file)),
        ("a@x.example,,Ann", ("", &b""[..])),
    ] {
        send(&mut owner, "/iam/import", TYPE, form(&csrf, list, file)).answers(303);
        owner.follow();
        owner
            .answers(200)
            .sees("a@x.example")
            .sees("Ann")
            .sees("Invite 1 person");
    }
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM imports"), [2]);
}

#[test]
fn what_cannot_be_read_is_said_beside_its_field_and_what_was_typed_is_kept() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let csrf = owner.proof("/iam/import");
    for (list, (name, file), words) in [
        ("", ("", &b""[..]), "Paste a list, or choose a file."),
        ("a@x.example", ("p.csv", b"b@x.example"), "not both."),
        (
            "a@x.example\nb,\"c",
            ("", b""),
            "Line 2: A quote begins here and never ends.",
        ),
        (
            "",
            ("p.csv", b"a@x.example\nL\xe9a"),
            "Line 2: This is not UTF-8 text.",
        ),
        (
            "",
            ("p.xlsx", b"PK\x03\x04\0\0\xff\xfe"),
            "Line 1: This is not UTF-8 text.",
        ),
        (
            "",
            ("p.csv", b"name,phone\nAnn,1"),
            "Line 1: No column is called “email”.",
        ),
        (
            "",
            ("empty.csv", b""),
            "Line 1: There is nobody on this list.",
        ),
    ] {
        send(
            &mut owner,
            "/iam/import",
            TYPE,
            form(&csrf, list, (name, file)),
        )
        .answers(422)
        .sees(words);
        super::holds(&owner, "<title>Error: ");
        if !list.is_empty() {
            super::holds(&owner, &format!("\n{}", list.lines().next().unwrap()));
        }
    }
    owner
        .post("/iam/import", &[("list", "a@x.example"), ("role", "owner")])
        .answers(400);
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    admin
        .post(
            "/iam/import",
            &[("list", "a@x.example"), ("role", "master")],
        )
        .answers(403);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM imports"), [0]);
    portal.work();
}

#[test]
fn columns_that_mean_nothing_are_named() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let list = "email,permision,Department\na@x.example,admin,Sales\n";
    owner
        .post("/iam/import", &[("list", list), ("role", "member")])
        .answers(303);
    owner
        .follow()
        .answers(200)
        .sees("Columns that were not used: permision, Department.")
        .sees("Member");
}

#[test]
fn what_no_browser_sends_is_refused_before_anything_is_done() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let csrf = owner.proof("/iam/import");
    let good = form(&csrf, "a@x.example", ("", b""));
    let text = String::from_utf8(good.clone()).unwrap();
    let nested = text.replace(
        "Content-Type: text/csv",
        "Content-Type: multipart/mixed; boundary=inner",
    );
    let doubled = text.replace("name=\"list\"", "name=\"role\"");
    let foreign = text.replace("name=\"list\"", "name=\"owner\"");
    let mut not_text = good.clone();
    let at = text.find("a@x.example").unwrap();
    not_text[at] = 0xff;
    for (what, kind, body) in [
        ("nothing", TYPE, b"x".to_vec()),
        ("cut off", TYPE, good[..good.len() - 10].to_vec()),
        ("cut off amid a part", TYPE, good[..good.len() / 2].to_vec()),
        (
            "another boundary",
            "multipart/form-data; boundary=y",
            good.clone(),
        ),
        ("no boundary", "multipart/form-data", good.clone()),
        ("parts in a part", TYPE, nested.into_bytes()),
        ("a field twice", TYPE, doubled.into_bytes()),
        ("a field of nobody's", TYPE, foreign.into_bytes()),
        ("a field that is no text", TYPE, not_text),
        (
            "as if it were typed",
            "application/x-www-form-urlencoded",
            good.clone(),
        ),
    ] {
        send(&mut owner, "/iam/import", kind, body);
        assert!(
            matches!(owner.status(), 400 | 403),
            "{what}: {}",
            owner.status()
        );
    }
    // Without its proof, and with that of somebody else.
    send(
        &mut owner,
        "/iam/import",
        TYPE,
        form("", "a@x.example", ("", b"")),
    )
    .answers(403);
    let other = portal.organisation("Lakeside").proof("/iam/import");
    send(
        &mut owner,
        "/iam/import",
        TYPE,
        form(&other, "a@x.example", ("", b"")),
    )
    .answers(403)
    .sees("a@x.example");
    // Nowhere else is it read at all.
    send(
        &mut owner,
        "/iam/accounts",
        TYPE,
        form(&csrf, "a@x.example", ("", b"")),
    );
    assert!(matches!(owner.status(), 400 | 403), "{}", owner.status());
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM imports"), [0]);
}
