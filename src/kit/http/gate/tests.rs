use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::answer::{Answer, Asked, Broken};
use super::body::{Inbound, Rules, Stage, Step, Whole};
use super::head::Head;
use super::{Limits, Refusal};
use crate::kit::http::request::Method;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn rules() -> Rules {
    Rules {
        limits: Limits::default(),
        wide_body_paths: vec!["/iam/import".to_owned()],
        trusted: vec!["203.0.113.0/24".parse().unwrap()],
        secret: "5ec3e7".to_owned(),
    }
}

/// Everything that comes out of these bytes, `Continue` left out: whether it is said depends on what has arrived.
fn steps(inbound: &mut Inbound, rules: &Rules) -> Vec<Step> {
    let mut steps = Vec::new();
    loop {
        match inbound.step(rules, PEER) {
            Step::Continue => {}
            Step::Whole(whole) => steps.push(Step::Whole(whole)),
            end @ (Step::More(_) | Step::Refuse(_)) => {
                steps.push(end);
                return steps;
            }
        }
    }
}

fn all(bytes: &[u8]) -> Vec<Step> {
    let mut inbound = Inbound::default();
    inbound.feed(bytes);
    steps(&mut inbound, &rules())
}

fn in_pieces(bytes: &[u8], sizes: impl IntoIterator<Item = usize>) -> Vec<Step> {
    let rules = rules();
    let mut inbound = Inbound::default();
    let mut found = vec![Step::More(Stage::Idle)];
    let mut rest = bytes;
    let mut sizes = sizes.into_iter();
    while !rest.is_empty() && !matches!(found.last(), Some(Step::Refuse(_))) {
        let size = sizes.next().unwrap_or(rest.len()).clamp(1, rest.len());
        inbound.feed(&rest[..size]);
        rest = &rest[size..];
        found.pop();
        found.extend(steps(&mut inbound, &rules));
    }
    found
}

fn whole(bytes: &[u8]) -> Whole {
    match all(bytes).into_iter().next() {
        Some(Step::Whole(whole)) => whole,
        other => panic!("{other:?} for {:?}", String::from_utf8_lossy(bytes)),
    }
}

fn forwarded(request: &str) -> String {
    String::from_utf8(whole(request.as_bytes()).bytes).unwrap()
}

fn refused(bytes: &[u8]) -> Refusal {
    match all(bytes).pop() {
        Some(Step::Refuse(refusal)) => refusal,
        other => panic!("{other:?} for {:?}", String::from_utf8_lossy(bytes)),
    }
}

/// A POST with these header lines after Host and Content-Type.
fn post(lines: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n{lines}\r\n\r\n"
    )
}

#[test]
fn a_plain_request_passes_with_the_clients_address() {
    let whole = whole(b"GET /a?b=%20c HTTP/1.1\r\nHost: example.org\r\nAccept:  */* \r\n\r\n");
    assert_eq!(
        String::from_utf8(whole.bytes).unwrap(),
        "GET /a?b=%20c HTTP/1.1\r\ngate-client: 5ec3e7 203.0.113.9\r\n\
         Host: example.org\r\nAccept: */*\r\n\r\n"
    );
    assert!(whole.keep_alive);
    assert_eq!((whole.method, whole.minor), (Method::Get, 1));
}

#[test]
fn a_form_passes_with_one_plain_length() {
    let text = forwarded(&(post("Content-Length: 003") + "a=b"));
    assert!(text.ends_with("\r\nContent-Length: 3\r\n\r\na=b"), "{text}");
    assert_eq!(text.matches("ontent-").count(), 2, "{text}");
}

#[test]
fn pipelined_requests_come_out_one_by_one() {
    let bytes = post("Content-Length: 3") + "a=bGET /x HTTP/1.1\r\nHost: a\r\n\r\nGET";
    let found = all(bytes.as_bytes());
    assert_eq!(found.len(), 3);
    assert!(matches!(&found[1], Step::Whole(whole) if whole.bytes.starts_with(b"GET /x ")));
    assert_eq!(found[2], Step::More(Stage::Head));
}

#[test]
fn nobody_but_the_gate_says_who_the_client_is() {
    let text = forwarded(
        "GET / HTTP/1.1\r\nHost: a\r\nGate-Client: 5ec3e7 6.6.6.6\r\ngate-ping: 5ec3e7\r\n\
         X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\nX-FORWARDED-HOST: evil\r\nX-Forwarded-Proto: https\r\n\
         Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n\r\n",
    );
    assert_eq!(
        text,
        "GET / HTTP/1.1\r\ngate-client: 5ec3e7 198.51.100.7\r\nHost: a\r\n\r\n"
    );
}

#[test]
fn what_concerns_the_connection_stays_at_the_gate() {
    let text = forwarded(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, X-Mine, host, HTTP2-Settings\r\nX-Mine: 1\r\n\
         Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Connection: close\r\nProxy-Authorization: Basic x\r\nTrailer: x\r\nCookie: a=b\r\n\r\n",
    );
    assert_eq!(
        text,
        "GET / HTTP/1.1\r\ngate-client: 5ec3e7 203.0.113.9\r\nHost: a\r\nCookie: a=b\r\n\r\n"
    );
}

#[test]
fn a_framing_that_two_readers_could_read_differently_is_refused() {
    for lines in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: 3\r\ncontent-length: 4",
        "Content-Length: 3, 3",
        "Content-Length: +3",
        "Content-Length: -3",
        "Content-Length: 0x3",
        "Content-Length: 3 3",
        "Content-Length: 3.0",
        "Content-Length:",
        "Content-Length: 99999999999999999999999999",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding:",
    ] {
        assert_eq!(refused(post(lines).as_bytes()), Refusal::Framing, "{lines}");
    }
    for lines in [
        "Content-Length : 3",
        " Content-Length: 3",
        "X: 1\r\n\tfolded",
        "X: 1\r\n folded: 2",
        "Content-Length: 3\n",
        "X: a\rb",
        "X: a\0b",
        "X: caf\u{e9}",
        "X: \u{7f}",
        "X\t: 1",
        ": 1",
        "no colon",
        "Content Length: 3",
        "Transfer-Encoding\u{b}: chunked",
    ] {
        assert_eq!(
            refused(post(lines).as_bytes()),
            Refusal::Malformed,
            "{lines}"
        );
    }
}

#[test]
fn chunked_bodies_and_bodies_without_a_length_are_refused() {
    for lines in [
        "X: y",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: CHUNKED",
    ] {
        assert_eq!(refused(post(lines).as_bytes()), Refusal::Unmeasured);
    }
    for head in [
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        assert_eq!(refused(head.as_bytes()), Refusal::Framing, "{head}");
    }
    whole(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn a_body_over_the_cap_is_refused_before_it_comes() {
    for length in [
        "65537",
        "99999999999",
        "4000000000",
        "1000000000000000000",
        "18446744073709551615",
    ] {
        let head = post(&format!("Content-Length: {length}"));
        assert_eq!(refused(head.as_bytes()), Refusal::TooLarge, "{length}");
    }
    let at_the_cap = post("Content-Length: 65536");
    assert_eq!(all(at_the_cap.as_bytes()), [Step::More(Stage::Body)]);
}

#[test]
fn the_upload_paths_take_more_and_no_other_path_does() {
    let head = |path: &str, length: u32| {
        post(&format!("Content-Length: {length}")).replace("POST /", &format!("POST {path}"))
    };
    for path in ["/iam/import", "/iam/import?x=1"] {
        let bytes = head(path, 1024 * 1024);
        assert_eq!(all(bytes.as_bytes()), [Step::More(Stage::Body)]);
        let bytes = head(path, 1024 * 1024 + 1);
        assert_eq!(refused(bytes.as_bytes()), Refusal::UploadTooLarge);
    }
    for path in [
        "/iam/import/",
        "/iam/imports",
        "/?/iam/import",
        "//iam/import",
    ] {
        assert_eq!(
            refused(head(path, 70_000).as_bytes()),
            Refusal::TooLarge,
            "{path}"
        );
    }
}

#[test]
fn only_forms_are_taken() {
    let typed =
        |kind: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0{kind}\r\n\r\n");
    for kind in [
        "",
        "\r\nContent-Type: application/json",
        "\r\nContent-Type: text/plain",
        "\r\nContent-Type: multipart/form-data; boundary=x",
        "\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-16",
        "\r\nContent-Type: application/x-www-form-urlencoded; boundary=x",
        "\r\nContent-Type: application/x-www-form-urlencodedx",
        "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Type: application/json",
    ] {
        assert_eq!(refused(typed(kind).as_bytes()), Refusal::NotAForm, "{kind}");
    }
    for kind in [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded;charset=UTF-8",
        "application/x-www-form-urlencoded ; charset=\"utf-8\"",
    ] {
        whole(typed(&format!("\r\nContent-Type: {kind}")).as_bytes());
    }
}

#[test]
fn files_are_taken_at_the_paths_for_them_alone() {
    let typed = |path: &str, kind: &str, length: usize| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nContent-Type: {kind}\r\n\r\n"
        )
    };
    const UPLOAD: &str = "multipart/form-data; boundary=----x";
    whole(typed("/iam/import", UPLOAD, 0).as_bytes());
    whole(typed("/iam/import?x=1", UPLOAD, 0).as_bytes());
    for (path, kind) in [
        ("/iam/import/", UPLOAD),
        ("/iam/accounts", UPLOAD),
        ("/iam/import", "multipart/form-data"),
        ("/iam/import", "multipart/form-data; boundary="),
        ("/iam/import", "multipart/mixed; boundary=x"),
        ("/iam/import", "text/csv"),
        (
            "/iam/import",
            "multipart/form-data; boundary=a\r\nContent-Type: multipart/form-data; boundary=b",
        ),
    ] {
        let refusal = refused(typed(path, kind, 0).as_bytes());
        assert_eq!(refusal, Refusal::NotAForm, "{path} {kind}");
    }
    let too_large = typed("/iam/import", UPLOAD, 1024 * 1024 + 1);
    assert_eq!(refused(too_large.as_bytes()), Refusal::UploadTooLarge);
}

#[test]
fn there_is_one_host_and_it_is_only_a_host() {
    let with = |host: &str| format!("GET / HTTP/1.1\r\n{host}\r\n");
    for host in [
        "",
        "Host:\r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nhost: b\r\n",
        "Host: user@a\r\n",
        "Host: user:secret@a\r\n",
        "Host: a/b\r\n",
        "Host: a b\r\n",
        "Host: a,b\r\n",
        "Host: <script>\r\n",
        "Host: a:b\r\n",
        "Host: a:99999\r\n",
        "Host: a:\r\n",
        "Host: a:+80\r\n",
        "Host: [::1\r\n",
        "Host: [::1]x\r\n",
        "Host: []\r\n",
        "Host: ::1\r\n",
        "Host: :80\r\n",
        "Host: %61\r\n",
    ] {
        assert_eq!(refused(with(host).as_bytes()), Refusal::Host, "{host}");
    }
    for host in [
        "a",
        "example.org:8443",
        "127.0.0.1:80",
        "[::1]:80",
        "[::1]",
        "a_b-c.d",
    ] {
        whole(with(&format!("Host: {host}\r\n")).as_bytes());
    }
    whole(b"GET / HTTP/1.0\r\n\r\n");
}

#[test]
fn a_whole_url_must_name_the_host_and_becomes_a_path() {
    let with = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: Example.org:80\r\n\r\n");
    for (target, path) in [
        ("http://example.org:80/a?b", "/a?b"),
        ("HTTPS://EXAMPLE.ORG:80", "/"),
        ("http://example.org:80?b", "/?b"),
    ] {
        let text = forwarded(&with(target));
        assert!(
            text.starts_with(&format!("GET {path} HTTP/1.1\r\n")),
            "{text}"
        );
    }
    for target in [
        "http://evil/a",
        "http://example.org/a",
        "http://user@example.org:80/",
        "http://",
        "http:///a",
    ] {
        assert_eq!(refused(with(target).as_bytes()), Refusal::Host, "{target}");
    }
    for target in [
        "*",
        "a",
        "ftp://example.org:80/",
        "example.org:80",
        "/a#b",
        "http:/a",
    ] {
        assert_eq!(
            refused(with(target).as_bytes()),
            Refusal::Malformed,
            "{target}"
        );
    }
}

#[test]
fn other_methods_and_versions_are_refused_at_the_first_line() {
    for (line, refusal) in [
        ("TRACE / HTTP/1.1", Refusal::Method),
        ("OPTIONS * HTTP/1.1", Refusal::Method),
        ("PUT / HTTP/1.1", Refusal::Method),
        ("DELETE / HTTP/1.1", Refusal::Method),
        ("CONNECT a:443 HTTP/1.1", Refusal::Method),
        ("FOO / HTTP/1.1", Refusal::Unknown),
        ("get / HTTP/1.1", Refusal::Unknown),
        ("G<script> / HTTP/1.1", Refusal::Malformed),
        ("PRI * HTTP/2.0", Refusal::Version),
        ("GET / HTTP/2.0", Refusal::Version),
        ("GET / HTTP/0.9", Refusal::Version),
        ("GET /", Refusal::Version),
        ("GET / HTTP/1.1 x", Refusal::Malformed),
        ("GET  / HTTP/1.1", Refusal::Malformed),
        ("GET / HTTP/1.10", Refusal::Malformed),
        ("GET / http/1.1", Refusal::Malformed),
        ("GET / HTTP/1.1 ", Refusal::Malformed),
        (" GET / HTTP/1.1", Refusal::Malformed),
        ("GET\t/ HTTP/1.1", Refusal::Malformed),
        ("GET /\ta HTTP/1.1", Refusal::Malformed),
        ("", Refusal::Malformed),
    ] {
        assert_eq!(refused(format!("{line}\r\n").as_bytes()), refusal, "{line}");
    }
    assert_eq!(
        refused(b"\x16\x03\x01"),
        Refusal::Malformed,
        "a TLS greeting"
    );
}

#[test]
fn an_expectation_is_met_once_and_only_where_something_is_awaited() {
    let head = post("Content-Length: 3\r\nExpect: 100-Continue");
    let mut inbound = Inbound::default();
    inbound.feed(head.as_bytes());
    assert_eq!(inbound.step(&rules(), PEER), Step::Continue);
    assert_eq!(inbound.step(&rules(), PEER), Step::More(Stage::Body));
    inbound.feed(b"a=b");
    let Step::Whole(whole) = inbound.step(&rules(), PEER) else {
        panic!("not whole");
    };
    assert!(!String::from_utf8(whole.bytes).unwrap().contains("xpect"));

    inbound.feed((head + "a").as_bytes());
    assert_eq!(inbound.step(&rules(), PEER), Step::More(Stage::Body));

    for expectation in ["x", "100-continue, x", "", "100-continue\r\nExpect: x"] {
        let head = post(&format!("Content-Length: 3\r\nExpect: {expectation}"));
        assert_eq!(refused(head.as_bytes()), Refusal::Expectation);
    }
    let old = post("Content-Length: 3\r\nExpect: x").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(all(old.as_bytes()), [Step::More(Stage::Body)]);
}

#[test]
fn a_head_is_refused_at_the_cap_and_passes_below() {
    let with = |length: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        let filling = "x".repeat(length - start.len() - 4);
        format!("{start}{filling}\r\n\r\n")
    };
    whole(with(16 * 1024).as_bytes());
    assert_eq!(
        refused(with(16 * 1024 + 1).as_bytes()),
        Refusal::HeadTooLarge
    );
    assert_eq!(refused(&[b'x'; 16 * 1024]), Refusal::HeadTooLarge);
    let many = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(count - 1)
        )
    };
    whole(many(100).as_bytes());
    assert_eq!(refused(many(101).as_bytes()), Refusal::HeadTooLarge);
}

#[test]
fn the_connection_is_kept_as_the_version_and_the_client_say() {
    for (version, line, kept) in [
        ("1.1", "X: y", true),
        ("1.1", "Connection: close", false),
        ("1.1", "Connection: Keep-Alive, Close", false),
        ("1.1", "Connection: x\r\nConnection: close", false),
        ("1.1", "Connection: closed", true),
        ("1.0", "X: y", false),
        ("1.0", "Connection: Keep-Alive", true),
        ("1.0", "Connection: keep-alive, close", false),
    ] {
        let head = format!("GET / HTTP/{version}\r\nHost: a\r\n{line}\r\n\r\n");
        assert_eq!(whole(head.as_bytes()).keep_alive, kept, "{head}");
    }
}

#[test]
fn a_flood_of_connection_options_is_refused() {
    let with = |count: usize| {
        let options = "x,".repeat(count - 1);
        format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {options}close\r\n\r\n")
    };
    whole(with(16).as_bytes());
    assert_eq!(refused(with(17).as_bytes()), Refusal::Malformed);
}

#[test]
fn only_a_whole_page_is_sent_on_to_https() {
    let address = |bytes: &str| {
        let mut inbound = Inbound::default();
        inbound.feed(bytes.as_bytes());
        inbound.encrypted_address(&rules())
    };
    for (head, expected) in [
        (
            "GET /a?b HTTP/1.1\r\nHost: a.example:8443\r\n\r\n",
            "https://a.example:8443/a?b",
        ),
        (
            "HEAD http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "https://a.example/",
        ),
        (
            "GET //evil.example HTTP/1.1\r\nHost: a\r\n\r\nGET",
            "https://a//evil.example",
        ),
    ] {
        assert_eq!(address(head).as_deref(), Some(expected));
    }
    for head in [
        "",
        "GET /a HTTP/1.1\r\nHost: a\r\n",
        "GET /a HTTP/1.0\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /a HTTP/2.0\r\nHost: a\r\n\r\n",
        "PUT /a HTTP/1.1\r\nHost: a\r\n\r\n",
        &post("Content-Length: 3"),
    ] {
        assert_eq!(address(head), None, "{head}");
    }
}

#[test]
fn a_gate_that_fell_leaves_the_poll_to_the_next_one() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let mut poll = mio::Poll::new().unwrap();
    let waker = mio::Waker::new(poll.registry(), super::WAKER).unwrap();
    let signals = super::Signals::new(waker);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let rules = rules();
    let parts = || super::Parts {
        listener: listener.try_clone().unwrap(),
        server: std::path::Path::new("/nowhere/http"),
        slot_count: 2,
        rules: &rules,
        scheme: crate::kit::http::headers::Scheme::Http,
        tls: None,
        signals: &signals,
    };
    let fallen = catch_unwind(AssertUnwindSafe(|| {
        let _gate = super::Gate::new(&mut poll, parts()).unwrap();
        panic!("as the test wants");
    }));
    assert!(fallen.is_err());
    for _ in 0..2 {
        let gate = super::Gate::new(&mut poll, parts()).unwrap();
        assert_eq!(gate.run().unwrap(), super::Outcome::ServerLost);
    }
}

fn asked(method: Method, minor: u8) -> Asked {
    Asked {
        method,
        minor,
        keep_alive: true,
    }
}

/// What the client is sent, and whether the answer was whole, had begun, and keeps the connection.
fn relayed(asked: Asked, pieces: &[&[u8]]) -> Result<(String, bool, bool), Broken> {
    let mut answer = Answer::new(asked);
    let mut out = Vec::new();
    for piece in pieces {
        answer.feed(piece, DATE, &mut out)?;
    }
    Ok((
        String::from_utf8(out).unwrap(),
        answer.is_done(),
        answer.keep_alive(),
    ))
}

#[test]
fn an_answer_is_relayed_with_date_and_without_the_servers_own_lines() {
    let answer = b"HTTP/1.1 200 Fine\r\nServer: tiny-http (Rust)\r\nDate: x\r\nX-A: b\r\nConnection: close\r\n\
        Content-Length: 2\r\n\r\nhi";
    let (text, is_done, is_kept) = relayed(asked(Method::Get, 1), &[answer]).unwrap();
    assert_eq!(
        text,
        format!("HTTP/1.1 200 OK\r\nDate: {DATE}\r\nX-A: b\r\nContent-Length: 2\r\n\r\nhi")
    );
    assert!(is_done && is_kept);
}

#[test]
fn the_connections_future_is_said_where_the_client_would_not_expect_it() {
    let answer: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let mut closing = asked(Method::Get, 1);
    closing.keep_alive = false;
    let text = relayed(closing, &[answer]).unwrap().0;
    assert!(text.ends_with("\r\nConnection: close\r\n\r\n"), "{text}");
    let text = relayed(asked(Method::Get, 0), &[answer]).unwrap().0;
    assert!(
        text.ends_with("\r\nConnection: keep-alive\r\n\r\n"),
        "{text}"
    );
}

#[test]
fn answers_without_a_body_end_with_their_head() {
    for (method, status) in [
        (Method::Head, "200"),
        (Method::Get, "304"),
        (Method::Post, "204"),
    ] {
        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 5\r\n\r\n");
        let relay = |pieces: &[&[u8]]| relayed(asked(method, 1), pieces);
        let (text, is_done, _) = relay(&[answer.as_bytes()]).unwrap();
        assert!(is_done && text.contains("Content-Length: 5\r\n"), "{text}");
        assert_eq!(relay(&[answer.as_bytes(), b"x"]), Err(Broken));
    }
}

#[test]
fn a_chunked_answer_is_followed_to_its_end() {
    let answer: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nHello\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n";
    let (text, is_done, is_kept) = relayed(asked(Method::Get, 1), &[answer]).unwrap();
    assert!(text.contains("Transfer-Encoding: chunked\r\n"));
    assert!(
        text.ends_with("\r\n\r\n5\r\nHello\r\na\r\n0123456789\r\n0\r\n\r\n"),
        "{text}"
    );
    assert!(is_done && is_kept);

    let (text, is_done, is_kept) = relayed(asked(Method::Get, 0), &[answer]).unwrap();
    assert!(!text.contains("hunked"));
    assert!(
        text.ends_with("Connection: close\r\n\r\nHello0123456789"),
        "{text}"
    );
    assert!(is_done && !is_kept);

    let cut = &answer[..answer.len() - 12];
    let (text, is_done, _) = relayed(asked(Method::Get, 1), &[cut]).unwrap();
    assert!(!is_done && !text.ends_with("0\r\n\r\n"), "{text}");
}

#[test]
fn an_answer_that_cannot_be_followed_is_broken() {
    for answer in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
        "nonsense\r\n\r\n",
    ] {
        let result = relayed(asked(Method::Get, 1), &[answer.as_bytes()]);
        assert_eq!(result, Err(Broken), "{answer}");
    }
}

#[test]
fn every_refusal_reads_as_an_answer_with_the_security_headers() {
    use crate::kit::http::headers::Scheme;

    for (refusal, status) in [
        (Refusal::Malformed, "400 Bad Request"),
        (Refusal::Host, "400 Bad Request"),
        (Refusal::Framing, "400 Bad Request"),
        (Refusal::Method, "405 Method Not Allowed"),
        (Refusal::Slow, "408 Request Timeout"),
        (Refusal::Unmeasured, "411 Length Required"),
        (Refusal::TooLarge, "413 Content Too Large"),
        (Refusal::UploadTooLarge, "413 Content Too Large"),
        (Refusal::NotAForm, "415 Unsupported Media Type"),
        (Refusal::Expectation, "417 Expectation Failed"),
        (Refusal::HeadTooLarge, "431 Request Header Fields Too Large"),
        (Refusal::Broken, "500 Internal Server Error"),
        (Refusal::Unknown, "501 Not Implemented"),
        (Refusal::Busy, "503 Service Unavailable"),
        (Refusal::Version, "505 HTTP Version Not Supported"),
    ] {
        for method in [Method::Get, Method::Head] {
            let wire = refusal.wire(Scheme::Https, method);
            let (text, is_done, _) = relayed(asked(method, 1), &[&wire]).unwrap();
            assert!(is_done);
            assert!(
                text.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{text}"
            );
            assert!(text.contains("\r\nContent-Security-Policy: default-src 'none';"));
            assert!(text.contains("\r\nStrict-Transport-Security: "));
            assert!(text.contains("\r\nCache-Control: no-store\r\n"));
            assert_eq!(text.contains("<p>"), method == Method::Get);
        }
    }
}

/// Bytes that are nearly a request: whole ones, broken ones, and noise between.
fn near_requests() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => Just(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
        2 => Just(b"HEAD /x?y HTTP/1.0\r\n\r\n".to_vec()),
        2 => Just((post("Content-Length: 3") + "a=b").into_bytes()),
        1 => Just((post("Content-Length: 3\r\nExpect: 100-continue") + "a=b").into_bytes()),
        1 => Just(post("Transfer-Encoding: chunked").into_bytes()),
        1 => "[A-Z]{1,5} [!-~]{1,9} HTTP/[0-9]\\.[0-9]\r\n".prop_map(String::into_bytes),
        1 => "[!-~]{0,5}: [ -~\t]{0,9}\r\n".prop_map(String::into_bytes),
        1 => Just(b"\r\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn however_the_bytes_are_split_the_same_comes_out(
        bytes in near_requests(),
        sizes in prop::collection::vec(1_usize..30, 0..40),
    ) {
        let at_once = all(&bytes);
        prop_assert_eq!(&in_pieces(&bytes, sizes), &at_once);
        prop_assert_eq!(&in_pieces(&bytes, std::iter::repeat(1)), &at_once);
    }

    #[test]
    fn what_passes_means_the_same_to_another_parser(bytes in near_requests()) {
        for step in all(&bytes) {
            let Step::Whole(whole) = step else { continue };
            let mut fields = [httparse::EMPTY_HEADER; 110];
            let mut request = httparse::Request::new(&mut fields);
            let parsed = request.parse(&whole.bytes).unwrap();
            let httparse::Status::Complete(end) = parsed else { panic!("not whole") };
            let length = request
                .headers
                .iter()
                .find(|field| field.name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |field| std::str::from_utf8(field.value).unwrap().parse().unwrap());
            prop_assert_eq!(whole.bytes.len(), end + length);
            let names: Vec<_> = request.headers.iter().map(|field| field.name).collect();
            prop_assert_eq!(names.iter().filter(|name| **name == "gate-client").count(), 1);
        }
    }

    #[test]
    fn a_head_never_says_less_than_httparse_reads(bytes in near_requests()) {
        let mut fields = [httparse::EMPTY_HEADER; 110];
        let mut request = httparse::Request::new(&mut fields);
        if let Ok(head) = Head::parse(&bytes, &Limits::default(), &[]) {
            prop_assert!(request.parse(&bytes).is_ok_and(|status| status.is_complete()));
            prop_assert_eq!(head.fields.len(), request.headers.len());
        }
    }

    #[test]
    fn however_an_answer_is_split_the_same_is_relayed(
        head in prop_oneof![
            Just("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nHello world"),
            Just("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nHello world!"),
            Just("HTTP/1.1 304 Not Modified\r\n\r\n"),
            Just("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nb\r\nHello world\r\n0\r\n\r\n"),
        ],
        at in 0_usize..80,
        then in 0_usize..80,
    ) {
        let bytes = head.as_bytes();
        let (first, rest) = bytes.split_at(at.min(bytes.len()));
        let (second, third) = rest.split_at(then.min(rest.len()));
        // HTTP/1.0, so that the chunks of the client do not show how the bytes came.
        let whole = relayed(asked(Method::Get, 0), &[bytes]);
        prop_assert_eq!(relayed(asked(Method::Get, 0), &[first, second, third]), whole);
    }

    #[test]
    fn no_answer_makes_it_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)) {
        let head: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for start in [head, b""] {
            let mut answer = Answer::new(asked(Method::Get, 1));
            let mut out = Vec::new();
            let _ = answer.feed(start, DATE, &mut out);
            for piece in &pieces {
                if answer.feed(piece, DATE, &mut out).is_err() {
                    break;
                }
            }
        }
    }
}
