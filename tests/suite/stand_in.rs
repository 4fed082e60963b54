//! A tiny web server that stands in for ours, so that the tools the tests are made
//! of are themselves tested against something known.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The server; it stops when dropped.
pub(crate) struct StandIn {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A request as it came.
pub(crate) struct Asked {
    /// `GET` or `POST`.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// The header lines, as sent.
    pub(crate) headers: Vec<String>,
    /// The body, of the length it announced.
    pub(crate) body: String,
}

impl Asked {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        for line in &self.headers {
            let (known, value) = line.split_once(": ").unwrap_or((line, ""));
            if known.eq_ignore_ascii_case(name) {
                return value;
            }
        }
        ""
    }
}

/// What to answer: status, header lines, body.
pub(crate) struct Answer(
    pub(crate) u16,
    pub(crate) Vec<String>,
    pub(crate) &'static str,
);

impl StandIn {
    /// Serves `answer` on a free port of the loopback.
    pub(crate) fn serve(answer: fn(&Asked) -> Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                // A thread each: browsers open connections ahead of need, and the
                // silent ones must not hold up the others.
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    stream
                        .set_read_timeout(Some(Duration::from_secs(5)))
                        .unwrap();
                    exchange(&stream, answer)
                });
            }
        });
        Self {
            address,
            stopping,
            thread: Some(thread),
        }
    }

    /// Where it listens, as the beginning of a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let woken = TcpStream::connect(self.address).is_ok();
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            thread.join().unwrap();
        }
    }
}

/// One request, one answer. `None` when the other side left or kept silent.
fn exchange(stream: &TcpStream, answer: fn(&Asked) -> Answer) -> Option<()> {
    let asked = read(&mut BufReader::new(stream))?;
    let Answer(status, headers, body) = answer(&asked);
    let mut head = format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\n");
    for line in headers {
        head.push_str(&line);
        head.push_str("\r\n");
    }
    let length = body.len();
    let whole = format!("{head}Content-Length: {length}\r\n\r\n{body}");
    let mut writer = stream;
    writer.write_all(whole.as_bytes()).ok()
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Asked> {
    let first = read_line(reader)?;
    let mut words = first.split(' ');
    let mut asked = Asked {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        asked.headers.push(line);
    }
    let length = asked.header("content-length").parse().unwrap_or(0);
    reader.take(length).read_to_string(&mut asked.body).ok()?;
    Some(asked)
}

fn read_line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = reader.read_line(&mut line).ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}
