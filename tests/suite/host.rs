//! What the real executable makes of names it is called by, of headers that proxies add, and of requests that it must
//! refuse without a thought. Each rule has its own tests elsewhere; these see that they hold in the whole.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use doorward::kit::time::instant;

use crate::client::{Client, Page};
use crate::letter::Letter;
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::served::{self, expect, found, found_by, invite};

const ANN: &str = "ann@haldenworks.example";
const SITE: &str = "https://portal.example.com";
/// A refusal of the gate costs nothing; this is for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(3);
const EVIL: [(&str, &str); 6] = [
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-port", "6666"),
    ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
    ("forwarded", "for=203.0.113.9;host=evil.example;proto=http"),
    ("x-original-url", "/iam/accounts"),
];

/// The network addresses that the audit log names.
fn addresses(process: &Doorward) -> Vec<String> {
    let conn = rusqlite::Connection::open_with_flags(
        process.data().join("doorward.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    let mut statement = conn
        .prepare("SELECT DISTINCT text FROM audit_texts WHERE slot = 2")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// What the server says to these very bytes, and how long it took.
fn ask(process: &Doorward, bytes: &[u8]) -> (String, Duration) {
    let address = process.address().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(AT_ONCE * 2)).unwrap();
    let began = instant();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 4_096];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..count]);
        if is_whole(&answer) {
            break;
        }
    }
    (
        String::from_utf8_lossy(&answer).into_owned(),
        began.elapsed(),
    )
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.parse().unwrap())
}

/// A head of these lines, and a body.
fn request(first: &str, lines: &[&str], body: &str) -> Vec<u8> {
    let mut request = format!("{first}\r\nHost: localhost\r\n");
    for line in lines {
        request.push_str(line);
        request.push_str("\r\n");
    }
    (request + "\r\n" + body).into_bytes()
}

#[test]
fn a_name_nobody_gave_it_is_refused_with_the_way_out() {
    let process = Launch::serve().arg("--public-url").arg(SITE).start();
    let known_as = |site: &str| Client::new(process.address()).behind(site, &[]);
    for site in [
        "https://evil.example",
        "https://portal.example.com.evil.example",
        "http://localhost",
        process.address(),
    ] {
        for path in ["/sign-in", "/setup", "/nothing", "/iam/accounts"] {
            let page: Page = known_as(site).get(path);
            assert_eq!(page.status, 421, "{site}{path}");
            assert!(page.body.contains("public_url"), "{}", page.body);
        }
        for path in ["/healthz", "/readyz"] {
            expect(known_as(site).get(path), 200);
        }
    }
    for site in [SITE, "https://PORTAL.example.com:8443"] {
        expect(known_as(site).get("/sign-in"), 200);
    }
}

#[test]
fn without_a_public_address_it_is_known_on_loopback_alone() {
    let process = Launch::serve().start();
    for (site, status) in [
        ("http://localhost", 200),
        ("http://127.0.0.1:9", 200),
        ("http://[::1]:8080", 200),
        ("http://portal.example.com", 421),
        ("http://192.0.2.1", 421),
    ] {
        let mut client = Client::new(process.address()).behind(site, &[]);
        assert_eq!(client.get("/sign-in").status, status, "{site}");
    }
}

#[test]
fn headers_of_strangers_change_neither_mailed_links_nor_addresses_in_the_log() {
    let relay = Relay::start(Security::Plain);
    let process = served::launch(&relay, "")
        .arg("--public-url")
        .arg(SITE)
        .start();
    let visitor = Client::new(process.address()).behind(SITE, &EVIL);
    let mut owner = found_by(&process, visitor);
    let cookie = owner.cookie("__Host-session").unwrap();
    assert_eq!(
        cookie.attributes,
        "; Path=/; HttpOnly; SameSite=Lax; Secure"
    );
    invite(&mut owner, ANN);
    let mut stranger = Client::new(process.address()).behind(SITE, &EVIL);
    stranger.get("/forgot-password");
    expect(
        stranger.post_form("/forgot-password", &[("email", served::OWNER)]),
        303,
    );
    for mail in relay.wait_for(2) {
        let letter = Letter::read(&mail.data);
        assert!(letter.link().starts_with("https://portal.example.com/"));
        assert!(!mail.data.contains("evil"), "{}", mail.data);
        assert!(
            letter
                .header("message-id")
                .ends_with("@portal.example.com>")
        );
    }
    assert_eq!(addresses(&process), ["127.0.0.1"]);
    // A redirect leads where the request came from, whatever the proxy says it is called.
    let mut stranger = Client::new(process.address()).behind(SITE, &EVIL);
    let page = expect(stranger.get("/mail"), 303);
    assert_eq!(page.location(), "/sign-in?next=%2Fmail");
}

#[test]
fn the_word_of_a_trusted_proxy_is_taken_from_the_right() {
    let process = Launch::serve()
        .arg("--public-url")
        .arg(SITE)
        .arg("--trusted-proxies")
        .arg("127.0.0.0/8")
        .start();
    let visitor = Client::new(process.address()).behind(SITE, &EVIL);
    found_by(&process, visitor);
    assert_eq!(addresses(&process), ["198.51.100.7"]);
}

#[test]
fn what_the_gate_refuses_is_refused_at_once_and_harms_nobody() {
    let process = Launch::serve().start();
    let form = "Content-Type: application/x-www-form-urlencoded";
    let long = format!("Cookie: {}", "x".repeat(20_000));
    let many: Vec<String> = (0..101).map(|n| format!("X-{n}: y")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let post = "POST /sign-in HTTP/1.1";
    let huge = ["99999999999", "4000000000", "18446744073709551615"]
        .map(|length| format!("Content-Length: {length}"));
    let mut refused: Vec<(u16, Vec<u8>)> = huge
        .iter()
        .map(|length| (413, request(post, &[form, length], "a=b")))
        .collect();
    refused.extend([
        (413, request(post, &[form, "Content-Length: 65537"], "a=b")),
        (411, request(post, &[form], "")),
        (
            415,
            request(
                post,
                &["Content-Type: application/json", "Content-Length: 2"],
                "{}",
            ),
        ),
        (
            415,
            request(
                post,
                &["Content-Type: text/plain", "Content-Length: 3"],
                "a=b",
            ),
        ),
        (415, request(post, &["Content-Length: 3"], "a=b")),
        (405, request("DELETE /iam/accounts HTTP/1.1", &[], "")),
        (
            405,
            request("PUT /sign-in HTTP/1.1", &["Content-Length: 0"], ""),
        ),
        (405, request("TRACE / HTTP/1.1", &[], "")),
        (501, request("FROB / HTTP/1.1", &[], "")),
        (505, request("GET / HTTP/2.0", &[], "")),
        (431, request("GET / HTTP/1.1", &[&long], "")),
        (431, request("GET / HTTP/1.1", &many, "")),
        (
            417,
            request(post, &[form, "Expect: a-miracle", "Content-Length: 3"], ""),
        ),
        (400, b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        (400, request("GET / HTTP/1.1", &["Host: evil.example"], "")),
        (400, request("GET /ü HTTP/1.1", &[], "")),
        (
            400,
            request(
                post,
                &[form, "Content-Length: 3", "Content-Length: 4"],
                "a=bc",
            ),
        ),
    ]);
    for (status, bytes) in refused {
        let (answer, took) = ask(&process, &bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{shown}\n\n{answer}"
        );
        assert!(took < AT_ONCE, "{took:?}: {shown}");
        let answer = answer.to_ascii_lowercase();
        assert!(answer.contains("content-security-policy: "), "{answer}");
        assert!(!answer.contains("\r\nserver: "), "{answer}");
    }
    // Everybody else goes on, on the same process.
    found(&process);
}

#[test]
fn health_is_told_to_whoever_asks() {
    let process = Launch::serve().start();
    let mut client = Client::new(process.address());
    for (path, word) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let page = expect(client.get(path), 200);
        assert_eq!(page.header("content-type"), Some("application/json"));
        assert!(page.body.contains(&format!("\"{word}\"")), "{}", page.body);
        let head = client.send("HEAD", path, &[], "");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    }
}
