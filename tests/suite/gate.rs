//! The gate and the server behind it over real sockets: what SECURITY.md lists under HTT, and how requests are
//! served. The rules of the bytes have their own tests, without sockets, in `kit::http::gate`.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use doorward::kit::http::gate::Limits;
use doorward::kit::http::headers::Scheme;
use doorward::kit::http::request::Request;
use doorward::kit::http::response::Response;
use doorward::kit::http::server::{Server, Settings};
use doorward::kit::time::instant;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(10);

/// A server with a trivial handler, and its own folder for the private socket.
pub(crate) struct House {
    server: Option<Server>,
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
}

impl House {
    fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut settings = Settings {
            workers: 8,
            limits: Limits::default(),
            trusted: Vec::new(),
            wide_body_paths: vec!["/wide".to_owned()],
            socket_folder: folder.path().to_owned(),
            scheme: Scheme::Http,
            tls: None,
        };
        change(&mut settings);
        let server = Server::start(listener, settings, Arc::new(answer)).unwrap();
        let house = Self {
            address: server.address(),
            server: Some(server),
            folder,
        };
        house.until_well();
        house
    }

    fn until_well(&self) {
        let until = instant() + LONG;
        while !self.is_well() {
            assert!(instant() < until, "the server does not become well");
            thread::yield_now();
        }
    }

    pub(crate) fn is_well(&self) -> bool {
        self.server.as_ref().is_some_and(Server::is_well)
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client::new(stream)
    }

    /// One request on a connection of its own.
    fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.send(request);
        client.answer()
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(get(path))
    }

    fn stop(&mut self, grace: Duration) {
        self.server.take().unwrap().stop(grace);
    }
}

fn answer(request: Request) -> Response {
    match request.path.as_str() {
        "/panic" => panic!("as asked"),
        "/slow" => {
            thread::park_timeout(SHORT);
            Response::text(200, "slow")
        }
        "/hang" => {
            thread::park_timeout(Duration::from_secs(3));
            Response::text(200, "late")
        }
        "/long" => Response::text(200, "x".repeat(500_000)),
        "/huge" => Response::text(200, "x".repeat(20_000_000)),
        "/who" => Response::text(200, request.client.to_string()),
        "/framed" => Response::html(200, String::new()).with("Content-Security-Policy", "sandbox"),
        "/nothing" => Response::new(204),
        _ => {
            let host = request.header("host").unwrap_or("nobody").to_owned();
            let query = request.query.unwrap_or_default();
            let method = request.method;
            let body = String::from_utf8_lossy(&request.body);
            let text = format!("{method:?} {} {query} {host} {body}", request.path);
            Response::text(200, text)
        }
    }
}

/// A client, through whatever it speaks.
pub(crate) struct Client<S = TcpStream> {
    pub(crate) stream: S,
    rest: Vec<u8>,
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) const fn new(stream: S) -> Self {
        let rest = Vec::new();
        Self { stream, rest }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends to a server that may close before it has all.
    pub(crate) fn try_send(&mut self, text: &str) {
        if let Err(error) = self.stream.write_all(text.as_bytes()) {
            let kind = error.kind();
            assert!(matches!(
                kind,
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
            ));
        }
    }

    pub(crate) fn more(&mut self) -> std::io::Result<usize> {
        let mut buffer = vec![0; 64 * 1024];
        let count = self.stream.read(&mut buffer)?;
        self.rest.extend_from_slice(&buffer[..count]);
        Ok(count)
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    pub(crate) fn answer_to(&mut self, method: &str) -> Answer {
        let end = loop {
            if let Some(at) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let count = self.more().expect("an answer");
            assert!(count > 0, "closed without an answer, after {:?}", self.rest);
        };
        let head = String::from_utf8(self.rest.drain(..end).collect()).unwrap();
        let mut answer = Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            body: String::new(),
        };
        if method != "HEAD" && answer.status >= 200 && answer.status != 204 {
            let length: usize = answer.header("Content-Length").unwrap().parse().unwrap();
            while self.rest.len() < length {
                assert!(self.more().unwrap() > 0, "closed within an answer");
            }
            answer.body = String::from_utf8(self.rest.drain(..length).collect()).unwrap();
        }
        answer
    }

    /// Whether the server has closed, or closes soon, without another byte.
    pub(crate) fn is_closed(&mut self) -> bool {
        assert!(self.rest.is_empty(), "{:?}", self.rest);
        match self.more() {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

pub(crate) fn form(path: &str, body: &str) -> String {
    post(path, &format!("Content-Length: {}", body.len())) + body
}

pub(crate) fn post(path: &str, line: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n{line}\r\n\r\n"
    )
}

/// How many files this process has open, its threads, and its memory in KiB.
pub(crate) fn process() -> (usize, usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let number = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    (files, number("Threads:"), number("VmRSS:"))
}

#[test]
fn a_request_is_answered_with_the_security_headers_and_a_date() {
    let house = House::start();
    let answer = house.get("/a/b?c=d%20");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, "Get /a/b c=d%20 a ")
    );
    for name in [
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
        "Cross-Origin-Resource-Policy",
        "Permissions-Policy",
        "X-Frame-Options",
    ] {
        assert!(answer.header(name).is_some(), "{name}");
    }
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert!(answer.header("Date").unwrap().ends_with(" GMT"));
    assert_eq!(answer.header("Server"), None);
    assert_eq!(answer.header("Strict-Transport-Security"), None);
    assert_eq!(
        house.get("/framed").header("Content-Security-Policy"),
        Some("sandbox")
    );
}

#[test]
fn transport_security_is_promised_where_people_come_by_https() {
    let house = House::with(|settings| settings.scheme = Scheme::Https);
    for request in [get("/"), "BAD\r\n".to_owned()] {
        let promised = house.ask(request);
        let seconds = promised.header("Strict-Transport-Security").unwrap();
        assert_eq!(seconds, "max-age=63072000");
    }
}

#[test]
fn a_form_arrives_whole_however_it_is_sent() {
    let house = House::start();
    let body = format!("a={}", "b".repeat(5_000));
    for piece in [1_000_000, 700, 61] {
        let mut client = house.connect();
        for bytes in form("/f", &body).as_bytes().chunks(piece) {
            client.send(bytes);
        }
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        assert!(answer.body.ends_with(&body));
    }
    let wide = "x".repeat(1024 * 1024);
    let answer = house.ask(form("/wide", &wide));
    assert!(answer.body.ends_with(&wide));
    assert_eq!(house.ask(form("/f", &wide)).status, 413);
}

#[test]
fn one_connection_serves_many_requests_and_closes_when_asked() {
    let house = House::start();
    let mut client = house.connect();
    for number in 0..50 {
        client.send(get(&format!("/{number}")));
        assert_eq!(client.answer().body, format!("Get /{number}  a "));
        client.send(form("/f", "x=y"));
        assert_eq!(client.answer().body, "Post /f  a x=y");
    }
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(client.answer().header("Connection"), Some("close"));
    assert!(client.is_closed());
}

#[test]
fn http_1_0_is_answered_and_kept_only_when_asked() {
    let house = House::start();
    let mut client = house.connect();
    client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.answer().header("Connection"), Some("keep-alive"));
    client.send("GET / HTTP/1.0\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.body, "Get /  nobody ");
    assert_eq!(answer.header("Connection"), Some("close"));
    assert!(client.is_closed());
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let house = House::start();
    let mut client = house.connect();
    let many: String = (0..300)
        .map(|number| match number % 3 {
            0 => form(&format!("/{number}"), "a=b"),
            1 => get("/slow").replace("slow", &format!("{number}")),
            _ => get(&format!("/{number}")),
        })
        .collect();
    let mut writer = client.stream.try_clone().unwrap();
    let writing = thread::spawn(move || writer.write_all(many.as_bytes()).unwrap());
    for number in 0..300 {
        let answer = client.answer();
        assert!(
            answer.body.contains(&format!(" /{number} ")),
            "{}",
            answer.body
        );
    }
    writing.join().unwrap();
}

#[test]
fn a_half_closed_client_gets_its_answer() {
    let house = House::start();
    let mut client = house.connect();
    client.send(get("/slow"));
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer().body, "slow");
    assert!(client.is_closed());
}

#[test]
fn head_is_get_without_the_body() {
    let house = House::start();
    let mut client = house.connect();
    for path in ["/who", "/long", "/nothing", "/panic"] {
        client.send(get(path));
        let get = client.answer();
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let head = client.answer_to("HEAD");
        assert_eq!(head.status, get.status);
        let length = |answer: &Answer| answer.header("Content-Length").map(str::len);
        assert_eq!(length(&head), length(&get));
    }
    client.send(get("/after"));
    assert_eq!(client.answer().body, "Get /after  a ");
}

// HTT-01.
#[test]
fn a_length_bomb_is_refused_at_once_and_nothing_is_reserved_for_it() {
    let house = House::start();
    house.get("/");
    let before = process().2;
    for length in [
        "99999999999",
        "4000000000",
        "1000000000000000000",
        "18446744073709551615",
    ] {
        // The best of three, since other tests run beside this one.
        let took = (0..3).map(|_| {
            let began = instant();
            let mut client = house.connect();
            client.send(post("/", &format!("Content-Length: {length}")) + "a=b");
            assert_eq!(client.answer().status, 413);
            let took = began.elapsed();
            assert!(client.is_closed());
            took
        });
        let took = took.min().unwrap();
        assert!(took < Duration::from_millis(50), "{took:?}");
    }
    // What the others take is far below what was announced.
    let grown = process().2.saturating_sub(before);
    assert!(grown < 1_000_000, "{grown} KiB");
    assert_eq!(house.get("/").status, 200);
}

// HTT-02.
#[test]
fn more_connections_than_files_are_survived() {
    // The limit is the process's, so the server runs in one of its own: this test again, told by its limit.
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    if limits.contains("Max open files            200 ") {
        return serve_with_few_files();
    }
    let itself = std::env::current_exe().unwrap();
    let script = "ulimit -n 200; exec \"$0\" --exact gate::more_connections_than_files_are_survived --nocapture";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(itself)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address: SocketAddr = lines
        .find_map(|line| line.unwrap().strip_prefix("at ")?.parse().ok())
        .unwrap();
    let connect = || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Client::new(stream)
    };
    let idle: Vec<Client> = (0..300).map(|_| connect()).collect();
    for _ in 0..5 {
        let mut client = connect();
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
    }
    drop(idle);
    let mut client = connect();
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

fn serve_with_few_files() {
    let house = House::with(|settings| {
        settings.workers = 2;
        settings.limits.per_address_max = 1_000;
    });
    // More than the gate keeps back, so that accepting itself fails.
    let _others: Vec<_> = (0..120)
        .map(|_| std::fs::File::open("/dev/null").unwrap())
        .collect();
    println!("\nat {}", house.address);
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    assert!(house.is_well());
}

#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let house = House::start();
    let mut client = house.connect();
    let mut writer = client.stream.try_clone().unwrap();
    let writing = thread::spawn(move || {
        let body = vec![b'x'; 3_000_000];
        let head = post("/", "Content-Length: 3000000");
        writer.write_all(head.as_bytes())?;
        writer.write_all(&body)
    });
    let sent = writing.join().unwrap();
    assert!(sent.is_ok(), "{sent:?}");
    let answer = client.answer();
    assert_eq!(answer.status, 413);
    assert!(
        answer.body.contains("Send less at once."),
        "{}",
        answer.body
    );
}

// HTT-04.
#[test]
fn an_endless_head_is_cut_at_the_cap() {
    let house = House::start();
    for endless in [
        "GET / HTTP/1.1\r\nHost: a\r\nX: ".to_owned() + &"x".repeat(1_000_000),
        "GET / HTTP/1.1\r\nHost: a\r\n".to_owned() + &"X: y\r\n".repeat(10_000),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(1_000_000)),
    ] {
        let mut client = house.connect();
        // The server may close before all is sent.
        client.try_send(&endless);
        assert_eq!(client.answer().status, 431);
    }
    assert!(house.is_well());
}

// HTT-11.
#[test]
fn an_unclear_host_is_refused() {
    let house = House::start();
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
        "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert_eq!(house.ask(head).status, 400, "{head}");
    }
    let whole = house.ask("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(whole.body, "Get /b c a ");
}

// HTT-12.
#[test]
fn other_methods_versions_and_protocols_are_refused_without_a_hang() {
    let house = House::start();
    for (head, status) in [
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            405,
        ),
        ("FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("GET /\r\n", 505),
        ("GET / HTTP/0.9\r\n\r\n", 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("GET / HTTP/2.0\r\n\r\n", 505),
    ] {
        let mut client = house.connect();
        client.send(head);
        let answer = client.answer();
        assert_eq!(answer.status, status, "{head}");
        assert_eq!(
            answer.header("Allow").is_some(),
            status == 405,
            "{}",
            answer.head
        );
        assert!(client.is_closed());
    }
    let mut client = house.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n");
    assert_eq!(client.answer_to("HEAD").status, 400);
    assert!(client.is_closed(), "a refused HEAD has no body");

    let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk";
    let answer = house.ask(post("/", &format!("{upgrade}\r\nContent-Length: 3")) + "a=b");
    assert_eq!(answer.body, "Post /  a a=b");
}

// HTT-13.
#[test]
fn a_hundred_panics_cost_a_hundred_requests_and_no_worker() {
    let house = House::start();
    let threads = process().1;
    for _ in 0..100 {
        let answer = house.get("/panic");
        assert_eq!(answer.status, 500);
        assert!(!answer.body.contains("as asked"));
        assert!(answer.header("Content-Security-Policy").is_some());
    }
    assert!(house.is_well());
    assert_eq!(house.get("/").status, 200);
    // Other tests run beside this one, so the threads of the process only bound what could have been lost.
    assert!(process().1 + 90 > threads);
}

// HTT-14.
#[test]
fn bytes_outside_ascii_are_refused_and_not_dropped() {
    let house = House::start();
    for head in [
        b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(),
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        assert_eq!(house.ask(head).status, 400);
    }
}

// HTT-15.
#[test]
fn an_expectation_is_met_or_refused_and_holds_no_worker() {
    let house = House::with(|settings| settings.workers = 1);
    let head = post("/", "Content-Length: 3\r\nExpect: 100-continue");
    let mut silent = house.connect();
    silent.send(&head);
    assert_eq!(silent.answer().status, 100);
    let mut client = house.connect();
    client.send(&head);
    assert_eq!(client.answer().status, 100);
    client.send("a=b");
    assert_eq!(client.answer().body, "Post /  a a=b");
    client.send(head.clone() + "c=d");
    assert_eq!(
        client.answer().body,
        "Post /  a c=d",
        "nobody waits for a 100"
    );
    let other = house.ask(head.replace("100-continue", "x"));
    assert_eq!(other.status, 417);
}

// HTT-16.
#[test]
fn clients_that_vanish_leave_nothing_behind() {
    let house = House::start();
    house.get("/");
    let before = process();
    for number in 0..1_500 {
        let mut client = house.connect();
        match number % 3 {
            // Unread bytes make the kernel answer our close with a reset.
            0 => client.send(get("/long")),
            1 => client.send("GET / HT"),
            _ => {}
        }
    }
    let until = instant() + LONG;
    loop {
        assert_eq!(house.get("/").status, 200);
        let now = process();
        if now.0 < before.0 + 60 && now.1 < before.1 + 60 {
            break;
        }
        assert!(instant() < until, "{before:?} has become {now:?}");
    }
    assert!(house.is_well());
}

// HTT-17.
#[test]
fn a_stop_finishes_what_has_begun_and_lets_nobody_in() {
    let mut house = House::start();
    let mut idle = house.connect();
    idle.send(get("/"));
    idle.answer();
    let mut busy: Vec<Client> = (0..20).map(|_| house.connect()).collect();
    for client in &mut busy {
        client.send(get("/slow"));
    }
    // The first answer shows that the others are at work or wait.
    assert_eq!(busy[0].answer().body, "slow");
    let server = house.server.take().unwrap();
    let stopping = thread::spawn(move || server.stop(LONG));
    for client in &mut busy[1..] {
        assert_eq!(client.answer().body, "slow");
    }
    assert!(idle.is_closed());
    stopping.join().unwrap();
    let refused = TcpStream::connect(house.address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let left = std::fs::read_dir(house.folder.path()).unwrap().count();
    assert_eq!(left, 0, "the private socket's folder remains");
}

#[test]
fn a_stop_waits_no_longer_than_its_grace() {
    let mut house = House::start();
    let mut client = house.connect();
    client.send(get("/hang"));
    let mut begun = house.connect();
    begun.send("GET / HT");
    house.get("/");
    let began = instant();
    house.stop(SHORT);
    let took = began.elapsed();
    assert!(
        took >= SHORT && took < Duration::from_millis(2_800),
        "{took:?}"
    );
}

// HTT-18.
#[test]
fn the_client_is_who_the_trusted_proxy_says_and_nobody_else() {
    let asked = |house: &House, lines: &str| {
        let head = format!("GET /who HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        house.ask(head).body
    };
    let forged = "X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\ngate-client: x 6.6.6.6\r\n";
    let house = House::start();
    assert_eq!(asked(&house, forged), "127.0.0.1");
    let house = House::with(|settings| {
        settings.trusted = vec!["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    });
    assert_eq!(asked(&house, forged), "198.51.100.7");
    let hops = "X-Forwarded-For: 6.6.6.6, 2001:db8::7\r\nX-Forwarded-For: [fd00::1]:443\r\n";
    assert_eq!(asked(&house, hops), "2001:db8::7");
    assert_eq!(asked(&house, "X-Forwarded-For: a\r\n"), "127.0.0.1");
    assert_eq!(asked(&house, "X-Forwarded-For:\r\n"), "127.0.0.1");
    let many = format!(
        "X-Forwarded-For: {}\r\n",
        "6.6.6.6,".repeat(1_000) + "fe80::1%eth0"
    );
    assert_eq!(asked(&house, &many), "fe80::1");
}

#[test]
fn who_sends_too_slowly_is_told_and_who_says_nothing_is_not() {
    let house = House::with(|settings| {
        settings.limits.head_time = SHORT;
        settings.limits.body_time = SHORT;
        settings.limits.idle_time = SHORT;
    });
    let mut silent = house.connect();
    let mut head = house.connect();
    let mut body = house.connect();
    let mut kept = house.connect();
    kept.send(get("/"));
    kept.answer();
    body.send(post("/", "Content-Length: 30000"));
    let began = instant();
    // A byte now and then moves no deadline.
    while began.elapsed() < SHORT * 2 {
        head.try_send("G");
        body.try_send("a");
        thread::park_timeout(Duration::from_millis(40));
    }
    for client in [&mut head, &mut body] {
        let answer = client.answer();
        assert_eq!(answer.status, 408);
        assert_eq!(answer.header("Connection"), Some("close"));
    }
    assert!(silent.is_closed());
    assert!(kept.is_closed());
}

#[test]
fn an_answer_that_does_not_come_is_given_up_and_its_worker_comes_back() {
    let house = House::with(|settings| {
        settings.workers = 1;
        settings.limits.answer_time = SHORT;
    });
    let answer = house.get("/hang");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("Retry-After"), Some("2"));
    let until = instant() + LONG;
    while house.get("/").status != 200 {
        assert!(instant() < until, "the worker is lost");
    }
}

#[test]
fn slow_readers_hold_no_worker_and_are_dropped_in_the_end() {
    let house = House::with(|settings| {
        settings.workers = 2;
        settings.limits.answer_time = SHORT * 2;
    });
    let mut readers: Vec<Client> = (0..8).map(|_| house.connect()).collect();
    for reader in &mut readers {
        reader.send(get("/long"));
    }
    for _ in 0..20 {
        assert_eq!(house.get("/").status, 200);
    }
    let mut greedy = house.connect();
    greedy.send(get("/huge"));
    thread::park_timeout(SHORT * 4);
    while let Ok(count) = greedy.more() {
        if count == 0 {
            break;
        }
    }
    assert!(
        greedy.rest.len() < 20_000_000,
        "a reader that stood still was served on"
    );
    assert_eq!(house.get("/").status, 200);
}

#[test]
fn a_large_answer_arrives_whole() {
    let house = House::start();
    for path in ["/long", "/huge"] {
        let answer = house.get(path);
        let length: usize = answer.header("Content-Length").unwrap().parse().unwrap();
        assert_eq!(answer.body.len(), length);
    }
}

#[test]
fn six_connections_at_once_are_all_served_every_time() {
    let house = House::with(|settings| settings.workers = 16);
    for _ in 0..200 {
        let mut clients: Vec<Client> = (0..6).map(|_| house.connect()).collect();
        for client in &mut clients {
            client.send(get("/"));
        }
        for client in &mut clients {
            assert_eq!(client.answer().status, 200);
        }
    }
}

#[test]
fn many_clients_at_once_are_all_served() {
    let house = House::with(|settings| {
        settings.workers = 48;
        settings.limits.per_address_max = 1_000;
    });
    let served = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..60 {
            scope.spawn(|| {
                let mut client = house.connect();
                for _ in 0..20 {
                    client.send(form("/", "a=b"));
                    assert_eq!(client.answer().status, 200);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(served.load(Ordering::Relaxed), 1_200);
    assert!(house.is_well());
}

#[test]
fn more_than_can_wait_are_told_to_come_back() {
    let house = House::with(|settings| {
        settings.workers = 1;
        settings.limits.waiting_max = 3;
    });
    let mut clients: Vec<Client> = (0..10).map(|_| house.connect()).collect();
    for client in &mut clients {
        client.send(get("/slow"));
    }
    let statuses: Vec<u16> = clients
        .iter_mut()
        .map(|client| client.answer().status)
        .collect();
    let busy = statuses.iter().filter(|status| **status == 503).count();
    assert_eq!(busy, 6, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 4);
}

#[test]
fn at_the_limit_of_an_address_its_oldest_idle_connection_makes_room() {
    let house = House::with(|settings| settings.limits.per_address_max = 3);
    let mut clients: Vec<Client> = (0..3).map(|_| house.connect()).collect();
    for client in &mut clients {
        client.send(get("/"));
        client.answer();
    }
    let mut fourth = house.connect();
    fourth.send(get("/"));
    assert_eq!(fourth.answer().status, 200);
    assert!(clients[0].is_closed());
    for client in &mut clients[1..] {
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn at_the_limit_of_all_the_busiest_address_makes_room() {
    let house = House::with(|settings| settings.limits.connections_max = 10);
    let from = |last: u8| Client::new(connect_from(last, house.address));
    let mut quiet: Vec<Client> = (2..5).map(from).collect();
    for client in &mut quiet {
        client.send(get("/"));
        client.answer();
    }
    let mut slow: Vec<Client> = (0..30).map(|_| from(9)).collect();
    for client in &mut slow {
        client.try_send(&post("/", "Content-Length: 9"));
    }
    let mut new = from(7);
    new.send(get("/"));
    assert_eq!(new.answer().status, 200);
    for client in &mut quiet {
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
    }
}

/// A connection from 127.0.0.`last`: all of 127.0.0.0/8 is the machine's own. The standard library cannot choose.
pub(crate) fn connect_from(last: u8, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, last], 0).into()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

#[test]
fn the_private_socket_is_for_this_user_alone_and_answers_nobody_without_the_secret() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;

    let house = House::start();
    let folder = std::fs::read_dir(house.folder.path()).unwrap().next();
    let folder = folder.unwrap().unwrap().path();
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    for line in [
        "",
        "gate-client: 00 127.0.0.1\r\n",
        "gate-ping: x\r\n",
        "gate-client: \r\n",
    ] {
        let mut socket = UnixStream::connect(folder.join("http")).unwrap();
        let head = format!("GET /who HTTP/1.1\r\n{line}\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        let mut start = [0; 12];
        socket.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 400", "{line}");
    }
}

#[test]
fn a_socket_folder_that_nobody_listens_in_is_removed_and_others_are_not() {
    let house = House::start();
    let stale = house.folder.path().join("gate-0123456789abcdef");
    std::fs::create_dir(&stale).unwrap();
    drop(std::os::unix::net::UnixListener::bind(stale.join("http")).unwrap());
    // Its process was killed before it listened.
    let empty = house.folder.path().join("gate-fedcba9876543210");
    std::fs::create_dir(&empty).unwrap();
    // Its process lives, and does not listen yet.
    let young = house.folder.path().join("gate-00112233445566ff");
    std::fs::create_dir(&young).unwrap();
    let held = std::fs::File::open(&young).unwrap();
    held.lock().unwrap();
    let other = house.folder.path().join("gate-keeper");
    std::fs::create_dir(&other).unwrap();
    let parent = house.folder.path().to_owned();
    let second = House::with(|settings| settings.socket_folder = parent);
    assert!(!stale.exists());
    assert!(!empty.exists());
    assert!(young.exists());
    assert!(other.exists());
    assert_eq!(house.get("/").status, 200);
    assert_eq!(second.get("/").status, 200);
}

#[test]
fn a_folder_with_a_long_path_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(120));
    std::fs::create_dir(&long).unwrap();
    let house = House::with(|settings| settings.socket_folder = long.clone());
    assert_eq!(house.get("/").status, 200);
    assert!(is_empty(&long));
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}
