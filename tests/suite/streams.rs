//! Answers that are made while they are sent: how much of them is held, what becomes of them when nobody takes them, and
//! that nobody takes one that broke off for whole.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doorward::kit::http::gate::Limits;
use doorward::kit::http::headers::Scheme;
use doorward::kit::http::request::Request;
use doorward::kit::http::response::{Body, Response, Stream};
use doorward::kit::http::server::{Server, Settings};

use crate::wait;

const PATIENCE: Duration = Duration::from_secs(20);
const PIECE: usize = 64 * 1024;
/// Pieces of the long answer: 200 MiB.
const PIECES: usize = 3_200;

/// What is counted of streams: made, and let fall.
#[derive(Default)]
struct Counted {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

struct Pieces {
    left: usize,
    breaks_off: bool,
    counted: Arc<Counted>,
}

impl Iterator for Pieces {
    type Item = std::io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return self
                .breaks_off
                .then(|| Err(std::io::Error::other("as asked")));
        }
        self.left -= 1;
        self.counted.made.fetch_add(1, Ordering::SeqCst);
        Some(Ok(vec![b'x'; PIECE]))
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.counted.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

struct House {
    server: Server,
    counted: Arc<Counted>,
    _folder: tempfile::TempDir,
}

impl House {
    fn start(workers: usize, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            workers,
            limits,
            trusted: Vec::new(),
            wide_body_paths: Vec::new(),
            socket_folder: folder.path().to_owned(),
            scheme: Scheme::Http,
            tls: None,
        };
        let counted = Arc::new(Counted::default());
        let shared = Arc::clone(&counted);
        let handler = Arc::new(move |request: Request| {
            let (left, breaks_off) = match request.path.as_str() {
                "/long" => (PIECES, false),
                "/three" => (3, false),
                "/broken" => (3, true),
                "/empty" => (0, false),
                "/panic" => {
                    let pieces = std::iter::from_fn(|| panic!("as asked"));
                    return Response::new(200)
                        .typed("text/plain", Body::Streamed(Stream::new(pieces)));
                }
                _ => return Response::text(200, "here"),
            };
            let pieces = Pieces {
                left,
                breaks_off,
                counted: Arc::clone(&shared),
            };
            Response::new(200).typed("text/plain", Body::Streamed(Stream::new(pieces)))
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::start(listener, settings, handler).unwrap();
        let house = Self {
            server,
            counted,
            _folder: folder,
        };
        wait::until(PATIENCE, || house.server.is_well().then_some(())).expect("it is not well");
        house
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn ask(&self, method: &str, path: &str, version: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        stream
    }

    /// Head and body as they came.
    fn whole(&self, method: &str, path: &str, version: &str) -> (String, Vec<u8>) {
        let mut answer = Vec::new();
        let mut stream = self.ask(method, path, version);
        // One that broke off may end with a reset.
        drop(stream.read_to_end(&mut answer));
        // Where nothing could be sent at all, there is no head either.
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.map_or(0, |at| at + 4);
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (head, answer[end..].to_vec())
    }
}

/// What the chunks hold, and whether the last was there.
fn unchunked(mut body: &[u8]) -> (usize, bool) {
    let mut length = 0;
    loop {
        let Some(end) = body.windows(2).position(|two| two == b"\r\n") else {
            return (length, false);
        };
        let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return (length, &body[end..] == b"\r\n\r\n");
        }
        let Some(rest) = body.get(end + 2 + size + 2..) else {
            return (length, false);
        };
        length += size;
        body = rest;
    }
}

#[test]
fn a_stream_comes_whole_in_chunks_or_to_the_end_of_the_connection() {
    let house = House::start(2, Limits::default());
    for (path, length) in [("/three", 3 * PIECE), ("/empty", 0)] {
        let (head, body) = house.whole("GET", path, "1.1");
        assert!(head.contains("Transfer-Encoding: chunked\r\n"), "{head}");
        assert!(!head.contains("Content-Length"), "{head}");
        assert_eq!(unchunked(&body), (length, true));
        let (head, body) = house.whole("GET", path, "1.0");
        assert!(!head.contains("Transfer-Encoding"), "{head}");
        assert_eq!(body.len(), length);
    }
    let made = house.counted.made.load(Ordering::SeqCst);
    let (head, body) = house.whole("HEAD", "/three", "1.1");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body.is_empty());
    assert_eq!(
        house.counted.made.load(Ordering::SeqCst),
        made,
        "HEAD makes nothing"
    );
    // And what follows on the same connection is the next answer.
    let mut stream = TcpStream::connect(house.address()).unwrap();
    stream
        .write_all(b"GET /three HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut both = Vec::new();
    stream.read_to_end(&mut both).unwrap();
    assert!(both.ends_with(b"here"));
}

#[test]
fn one_that_breaks_off_never_looks_whole_and_costs_no_worker() {
    let house = House::start(1, Limits::default());
    for _ in 0..5 {
        let (_, body) = house.whole("GET", "/broken", "1.1");
        assert!(!unchunked(&body).1);
        let (head, body) = house.whole("GET", "/panic", "1.1");
        assert!(head.is_empty() || !unchunked(&body).1, "{head}");
    }
    assert!(house.whole("GET", "/", "1.1").1 == b"here");
    assert!(house.server.is_well());
}

#[test]
fn no_more_is_made_than_the_client_takes() {
    let house = House::start(2, Limits::default());
    let mut stream = house.ask("GET", "/long", "1.1");
    let mut scratch = vec![0; PIECE];
    // Until nobody takes more: what lies on the way is made, and nothing beyond it.
    let mut before = usize::MAX;
    wait::until(PATIENCE, || {
        std::thread::park_timeout(Duration::from_millis(300));
        let made = house.counted.made.load(Ordering::SeqCst);
        (std::mem::replace(&mut before, made) == made && made > 0).then_some(())
    })
    .expect("it goes on being made");
    let ahead = before * PIECE;
    assert!(
        ahead < 12 << 20,
        "{ahead} bytes wait for a client that takes none"
    );
    let mut taken = 0;
    loop {
        let count = stream.read(&mut scratch).unwrap();
        if count == 0 {
            break;
        }
        taken += count;
        let made = house.counted.made.load(Ordering::SeqCst) * PIECE;
        assert!(made < taken + (12 << 20), "{made} made, {taken} taken");
    }
    assert!(taken > PIECES * PIECE);
    assert_eq!(house.counted.dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn whoever_goes_away_frees_everything() {
    let house = House::start(2, Limits::default());
    for gone in 1..=6 {
        let mut stream = house.ask("GET", "/long", "1.1");
        let mut some = [0; 1024];
        stream.read_exact(&mut some).unwrap();
        drop(stream);
        wait::until(PATIENCE, || {
            (house.counted.dropped.load(Ordering::SeqCst) == gone).then_some(())
        })
        .expect("the stream is held");
    }
    assert!(house.counted.made.load(Ordering::SeqCst) < 6 * 200);
    assert_eq!(house.whole("GET", "/", "1.1").1, b"here");
}

#[test]
fn whoever_takes_next_to_nothing_is_let_go_and_the_watchdog_sees_no_stuck_worker() {
    let limits = Limits {
        answer_time: Duration::from_millis(600),
        pace_after: Duration::from_secs(1),
        pace_min: 64 << 20,
        ..Limits::default()
    };
    let house = House::start(1, limits);
    let mut stream = house.ask("GET", "/long", "1.1");
    let mut some = vec![0; 64 * 1024];
    let mut taken = 0;
    // Some at a time, so that there is always progress.
    while let Ok(count) = stream.read(&mut some) {
        if count == 0 {
            break;
        }
        taken += count;
        std::thread::park_timeout(Duration::from_millis(30));
    }
    assert!(taken < PIECES * PIECE, "it was served to its end");
    wait::until(PATIENCE, || {
        (house.counted.dropped.load(Ordering::SeqCst) == 1).then_some(())
    })
    .expect("the stream is held");
    assert_eq!(house.whole("GET", "/", "1.1").1, b"here");
}
