//! What clients send: requests in order, and requests that two programs could read differently. Bytes that are a
//! request only to who has misread what came before ask for `/smuggled`; `/own` is a path of each case's own.

use super::Line;
use super::tables::{
    CHUNKED, CHUNKS, CODED, CODED_TO_NEXT, EXPECTATIONS, HOSTS, LINES, LONG, METHODS, OVERFLOWING,
    REQUEST_LINES, SHORT, Table, WHOLE,
};

const HOST: &str = "Host: portal.example\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: portal.example\r\n\r\n";

/// The same where a proxy may well take it for this client's next request, if only the server agrees.
const NEXT: &str = "GET /own?next HTTP/1.1\r\nHost: portal.example\r\n\r\n";

/// What one client sends on one connection.
#[derive(Debug)]
pub(super) struct Case {
    /// What is special about it.
    pub(super) name: &'static str,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// What must be answered; everything else may be refused.
    pub(super) served: Vec<Line>,
    /// The body that must arrive with the first of these.
    pub(super) body: &'static str,
    own: String,
}

impl Case {
    fn new(number: usize, name: &'static str, text: &str) -> Self {
        // As long as what it stands for, so that lengths remain true.
        let own = format!("/{number:03}");
        Self {
            name,
            bytes: text.replace("/own", &own).into_bytes(),
            served: Vec::new(),
            body: "",
            own,
        }
    }

    fn must_serve(&mut self, served: &[&str], body: &'static str) {
        let own = |line: &&str| line.replace("/own", &self.own);
        self.served = served.iter().map(own).collect();
        self.body = body;
    }

    /// Whether a request with this line is one of this client's.
    pub(super) fn asks_for(&self, line: &str) -> bool {
        line.contains(&self.own)
    }
}

/// The whole set.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, text, served, body) in in_order() {
        let mut case = Case::new(cases.len(), name, &text);
        case.must_serve(served, body);
        cases.push(case);
    }
    for (name, text) in doubtful() {
        cases.push(Case::new(cases.len(), name, &text));
    }
    cases
}

/// A POST of a form with its length.
pub(super) fn form(path: &str, lines: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\n{HOST}{FORM}{lines}Content-Length: {length}\r\n\r\n{body}")
}

fn post(lines: &str, body: &str) -> String {
    format!("POST /own HTTP/1.1\r\n{HOST}{FORM}{lines}\r\n{body}")
}

fn get(path: &str, lines: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{HOST}{lines}\r\n")
}

type InOrder = (&'static str, String, &'static [&'static str], &'static str);

fn in_order() -> Vec<InOrder> {
    let plain = form("/own", "", "a=b");
    let pages = get("/own?1", "") + &get("/own?2", "") + &get("/own?3", "");
    let mixed = plain.clone() + &get("/own?2", "") + &form("/own?3", "", "c=d");
    let encoded = get("/own%20HTTP/1.1%0d%0aX:%20y?a=%0d%0a%00", "");
    let waiting = form("/own", "Expect: 100-continue\r\n", "a=b");
    let upgrade =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    let upgrade = form("/own", upgrade, "a=b");
    let old = get("/own", "").replace("1.1", "1.0");
    let old_form = plain.replace("1.1", "1.0");
    vec![
        ("a page", get("/own", ""), &["GET /own"], ""),
        ("a form", plain, &["POST /own"], "a=b"),
        ("an empty form", form("/own", "", ""), &["POST /own"], ""),
        (
            "a request as a body",
            form("/own", "", SMUGGLED),
            &["POST /own"],
            SMUGGLED,
        ),
        (
            "pages at once",
            pages,
            &["GET /own?1", "GET /own?2", "GET /own?3"],
            "",
        ),
        (
            "all at once",
            mixed,
            &["POST /own", "GET /own?2", "POST /own?3"],
            "a=b",
        ),
        (
            "a request encoded",
            encoded,
            &["GET /own%20HTTP/1.1%0d%0aX:%20y?a=%0d%0a%00"],
            "",
        ),
        ("an awaited 100", waiting, &["POST /own"], "a=b"),
        ("an upgrade to HTTP/2", upgrade, &["POST /own"], "a=b"),
        ("HTTP/1.0", old, &["GET /own"], ""),
        ("a form of HTTP/1.0", old_form, &["POST /own"], "a=b"),
    ]
}

fn doubtful() -> Vec<(&'static str, String)> {
    let long = format!("a=b{SMUGGLED}");
    let coded = format!("0\r\n\r\n{SMUGGLED}");
    let chunk = format!("{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len());
    let with_length =
        |line: &str, body: &str| post(&format!("Content-Length: {}\r\n{line}", body.len()), body);
    let to_next = coded.replace(SMUGGLED, NEXT);
    let mut all = Vec::new();
    let mut add = |table: Table, build: &dyn Fn(&str) -> String| {
        all.extend(table.iter().map(|(name, text)| (*name, build(text))));
    };
    add(SHORT, &|lines| post(lines, "a=b"));
    add(LONG, &|lines| {
        post(&lines.replace("ALL", &long.len().to_string()), &long)
    });
    add(OVERFLOWING, &|lines| post(lines, &format!("a=b{NEXT}")));
    add(CODED, &|line| with_length(line, &coded));
    add(CODED_TO_NEXT, &|line| with_length(line, &to_next));
    add(CHUNKED, &|lines| post(lines, &chunk));
    add(CHUNKED, &|lines| with_length(lines, &chunk));
    add(CHUNKS, &|body| {
        post(
            "Transfer-Encoding: chunked\r\n",
            &body.replace("SMUGGLED", SMUGGLED),
        )
    });
    add(LINES, &|lines| get("/own", lines));
    add(REQUEST_LINES, &|line| format!("{line}\r\n{HOST}\r\n"));
    add(HOSTS, &|lines| format!("GET /own HTTP/1.1\r\n{lines}\r\n"));
    add(METHODS, &|method| {
        format!("{method} /own HTTP/1.1\r\n{HOST}\r\n")
    });
    add(METHODS, &|method| {
        form("/own", "", SMUGGLED).replacen("POST", method, 1)
    });
    add(EXPECTATIONS, &|lines| form("/own", lines, "a=b"));
    add(WHOLE, &|text| text.replace("HOST\r\n", HOST));
    all.push(("many lines", get("/own", &"X: y\r\n".repeat(200))));
    all.push((
        "a long line",
        get("/own", &format!("X: {}\r\n", "y".repeat(12_000))),
    ));
    all.push(("a large body", form("/own", "", &"a".repeat(100_000))));
    all.push((
        "a form that is none",
        form("/own", "", SMUGGLED).replace("x-www-form-urlencoded", "json"),
    ));
    all
}
