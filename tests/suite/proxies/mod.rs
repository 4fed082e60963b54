//! The server behind proxies that others wrote: nginx, HAProxy and Caddy. Whatever a client sends, the proxy and
//! the server must see the same requests, or the one can be made to take a part of a request for another's.
//! `tests/run` installs them; where one is not, its test says so and does not run.

mod program;
mod requests;
mod shipped;
mod tables;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _, stderr};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorward::kit::http::gate::Limits;
use doorward::kit::http::headers::Scheme;
use doorward::kit::http::request::Request;
use doorward::kit::http::response::Response;
use doorward::kit::http::server::{Server, Settings};

use crate::gate::connect_from;
use crate::wait;
use program::{Kind, Proxy};
use requests::{Case, cases, form};

const PATIENCE: Duration = Duration::from_secs(10);

/// How long a case may go without an answer before the next is sent: the proxy waits for more, or has closed.
const SILENCE: Duration = Duration::from_millis(200);

/// What the handler answers: no proxy and no gate says this by itself, so whose log has it has forwarded a request.
const SEEN: u16 = 203;

/// The clients come from 127.0.0.77; the proxies reach the server from 127.0.0.1, which alone is trusted.
const CLIENT: u8 = 77;

/// A request as both sides name it: method and target.
type Line = String;

/// The server, and what its handler saw.
struct House {
    server: Server,
    seen: Arc<Mutex<Vec<Request>>>,
    _folder: tempfile::TempDir,
}

impl House {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            workers: 8,
            limits: Limits::default(),
            trusted: vec!["127.0.0.1/32".parse().unwrap()],
            wide_body_paths: Vec::new(),
            socket_folder: folder.path().to_owned(),
            scheme: Scheme::Http,
            tls: None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let handler = move |request: Request| {
            let answer = Response::text(SEEN, format!("[{}]", line_of(&request)));
            record.lock().unwrap().push(request);
            answer
        };
        Self {
            server: Server::start(listener, settings, Arc::new(handler)).unwrap(),
            seen,
            _folder: folder,
        }
    }

    fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// The one request of this line.
    fn find(&self, line: &str) -> Request {
        let mut seen = self.seen().into_iter();
        seen.find(|request| line_of(request) == line).expect(line)
    }

    /// What was seen, sorted.
    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.seen().iter().map(line_of).collect();
        lines.sort();
        lines
    }
}

fn line_of(request: &Request) -> Line {
    let method = format!("{:?}", request.method).to_uppercase();
    match &request.query {
        Some(query) => format!("{method} {}?{query}", request.path),
        None => format!("{method} {}", request.path),
    }
}

/// A connection to the proxy, and what came back on it.
struct Client {
    stream: TcpStream,
    answers: Vec<u8>,
}

impl Client {
    fn connect(proxy: &Proxy) -> Self {
        Self {
            stream: connect_from(CLIENT, proxy.address()),
            answers: Vec::new(),
        }
    }

    /// The proxy may have refused and closed before it has all.
    fn send(&mut self, bytes: &[u8]) {
        if let Err(error) = self.stream.write_all(bytes) {
            let kind = error.kind();
            let is_closed = matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset);
            assert!(is_closed, "{error}");
        }
    }

    /// Reads once, for that long at most; whether there may be more.
    fn read(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut buffer = [0; 16 * 1024];
        // An error is silence, or a proxy that has thrown the client out.
        let count = self.stream.read(&mut buffer).unwrap_or(0);
        self.answers.extend_from_slice(&buffer[..count]);
        count > 0
    }

    /// Reads until the handler has answered so many requests; `when` says what else is going on.
    fn read_answers(&mut self, count: usize, when: &str) {
        while self.answered().len() < count {
            assert!(self.read(PATIENCE), "{when}: {:?}", self.text());
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.answers).into_owned()
    }

    /// The requests that the handler says it has answered here.
    fn answered(&self) -> Vec<Line> {
        let text = self.text();
        let marked = text.split('[').skip(1);
        let lines = marked.filter_map(|rest| rest.split_once(']'));
        lines.map(|(line, _)| line.to_owned()).collect()
    }
}

/// A person's browser: one connection, several pages and forms, and an address that it cannot choose.
fn assert_ordinary_use(house: &House, proxy: &Proxy) {
    let forged = "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n";
    let mut client = Client::connect(proxy);
    for number in 1..=5 {
        let body = format!("a={}", "b".repeat(number * 1_000));
        let target = format!("/after-use?{number}");
        let page = format!("GET {target} HTTP/1.1\r\nHost: portal.example\r\n{forged}\r\n");
        client.send(page.as_bytes());
        client.read_answers(number * 2 - 1, "ordinary use");
        client.send(form(&target, forged, &body).as_bytes());
        client.read_answers(number * 2, "ordinary use");
        let page = house.find(&format!("GET {target}"));
        let form = house.find(&format!("POST {target}"));
        assert_eq!(String::from_utf8_lossy(&form.body), body);
        for request in [page, form] {
            assert_eq!(request.header("host"), Some("portal.example"));
            assert_eq!(request.client, IpAddr::from([127, 0, 0, CLIENT]));
        }
    }
}

/// Sends each case on a connection of its own, and after each asks for something ordinary: who has taken bytes of
/// the case for the beginning of the next request answers that one wrongly. The connections stay open, since
/// proxies log a request whose client has left as if nobody had answered.
fn send_all(proxy: &Proxy, cases: &[Case]) -> Vec<Client> {
    let mut clients = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let mut client = Client::connect(proxy);
        client.send(&case.bytes);
        client.read(SILENCE);
        clients.push(client);
        ask_after(proxy, &format!("/after-{number}"), case.name);
    }
    clients
}

/// An ordinary request, and its own answer.
fn ask_after(proxy: &Proxy, path: &str, what: &str) {
    let mut client = Client::connect(proxy);
    client.send(format!("GET {path} HTTP/1.1\r\nHost: portal.example\r\n\r\n").as_bytes());
    client.read_answers(1, &format!("after {what}"));
    assert_eq!(client.answered(), [format!("GET {path}")], "after {what}");
}

/// What the proxy says it has forwarded is what the handler saw.
fn assert_agreement(house: &House, proxy: &Proxy) {
    let agreed = wait::until(PATIENCE, || {
        (proxy.forwarded() == house.lines()).then_some(())
    });
    if agreed.is_none() {
        let (log, seen) = (proxy.forwarded(), house.lines());
        let without = |these: &[Line], others: &[Line]| -> Vec<Line> {
            let lone = these.iter().filter(|line| !others.contains(line));
            lone.cloned().collect()
        };
        panic!(
            "{}: {} requests in its log, only there {:?}; the handler saw {}, the log does not have {:?}",
            proxy.name(),
            log.len(),
            without(&log, &seen),
            seen.len(),
            without(&seen, &log),
        );
    }
}

/// Nobody was answered, and nothing was done, but for what somebody asked for.
fn assert_own(house: &House, cases: &[Case], clients: &[Client]) {
    let mut foreign = Vec::new();
    for (case, client) in cases.iter().zip(clients) {
        let answered = client.answered().into_iter();
        let others = answered.filter(|line| !case.asks_for(line));
        foreign.extend(others.map(|line| format!("{}: {line}", case.name)));
    }
    assert!(foreign.is_empty(), "not their own: {foreign:#?}");
    let mut counts: BTreeMap<Line, usize> = BTreeMap::new();
    for line in house.lines() {
        let is_asked = cases.iter().any(|case| case.asks_for(&line));
        assert!(is_asked || line.contains(" /after-"), "{line}");
        *counts.entry(line).or_default() += 1;
    }
    counts.retain(|_, count| *count > 1);
    assert!(counts.is_empty(), "done more than once: {counts:?}");
}

/// Requests that are in order are served, with their bodies, one after the other and all at once.
fn assert_served(house: &House, cases: &[Case], clients: &[Client]) {
    let in_order = cases.iter().zip(clients);
    for (case, client) in in_order.filter(|(case, _)| !case.served.is_empty()) {
        assert_eq!(
            client.answered(),
            case.served,
            "{}: {}",
            case.name,
            client.text()
        );
        let body = house.find(&case.served[0]).body;
        assert_eq!(String::from_utf8_lossy(&body), case.body, "{}", case.name);
    }
}

/// Says that a test did not run, since its proxy is not there.
fn not_run(kind: Kind, test: &str) {
    let name = kind.name();
    writeln!(
        stderr(),
        "Not run: {test} needs {name}; tests/run brings it."
    )
    .ok();
}

/// The whole set through this proxy.
fn holds_behind(kind: Kind, test: &str) {
    let Some(program) = kind.program() else {
        return not_run(kind, test);
    };
    let house = House::start();
    let proxy = Proxy::start(kind, program, house.server.address());
    let cases = cases();
    assert_ordinary_use(&house, &proxy);
    let mut clients = send_all(&proxy, &cases);
    assert_agreement(&house, &proxy);
    for client in &mut clients {
        while client.read(Duration::from_millis(1)) {}
    }
    assert_own(&house, &cases, &clients);
    assert_served(&house, &cases, &clients);
    // What is cut off is not taken for whole.
    drop(clients);
    ask_after(&proxy, "/after-all", "all have left");
    assert_agreement(&house, &proxy);
    assert!(house.server.is_well());
    // How tests/run knows that this ran.
    let ran = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/proxies");
    std::fs::create_dir_all(&ran).unwrap();
    std::fs::copy(proxy.log(), ran.join(proxy.name())).unwrap();
}

#[test]
fn behind_nginx_both_see_the_same_requests() {
    holds_behind(Kind::Nginx, "behind_nginx_both_see_the_same_requests");
}

#[test]
fn behind_haproxy_both_see_the_same_requests() {
    holds_behind(Kind::Haproxy, "behind_haproxy_both_see_the_same_requests");
}

#[test]
fn behind_caddy_both_see_the_same_requests() {
    holds_behind(Kind::Caddy, "behind_caddy_both_see_the_same_requests");
}
