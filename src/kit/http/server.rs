//! The server: the gate in front, tiny_http behind it on a private socket, and the workers that answer.
//! The only file that names tiny_http, which must not face a network: it has no bound on anything. What it gets
//! here is whole, bounded and well framed, and comes from the gate alone.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::os::unix::net::UnixListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ipnet::IpNet;
use subtle::ConstantTimeEq;

use super::crew::{Crew, Hand};
use super::gate::body::{CLIENT_HEADER, PING_HEADER};
use super::gate::{Limits, Refusal, Signals};
use super::headers::{self, Scheme};
use super::keeper::{House, Keeper, text};
use super::request::{Method, Request};
use super::response::{Body, Response, Stream};
use super::socket_folder::SocketFolder;
use super::tls::Tls;
use crate::kit::time::instant;

/// Pages, statements and hashes keep what is large on the heap; 512 KiB leaves a debug build ample room, and is a
/// quarter of what a thread takes by itself.
const STACK_BYTES: usize = 512 * 1024;

/// For workers that are told to stop and have nothing in hand.
const WORKERS_STOP_TIME: Duration = Duration::from_secs(1);

/// A body up to this is sent in one write with its head.
const JOINED_BYTES_MAX: usize = 16 * 1024;

/// The gate looks around every few seconds; one that is silent for so long is stuck.
const GATE_SILENT_MAX: Duration = Duration::from_secs(30);

/// No page takes so long: waiting for the writer, for a reader and for a hash is bounded to a few seconds each.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);

/// What answers requests.
pub type Handler = Arc<dyn Fn(Request) -> Response + Send + Sync>;

/// How the server is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads that answer requests: how many are worked on at once.
    pub workers: usize,
    /// The bounds of the gate.
    pub limits: Limits,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted: Vec<IpNet>,
    /// The paths that take large bodies.
    pub wide_body_paths: Vec<String>,
    /// Where the private socket's folder is made; another temporary place where this path is too long for a socket.
    pub socket_folder: PathBuf,
    /// How people reach this server.
    pub scheme: Scheme,
    /// Certificate and key, where the gate itself speaks TLS.
    pub tls: Option<Arc<Tls>>,
}

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    signals: Arc<Signals>,
    worker_count: usize,
    crew: Arc<Crew>,
    keeper: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves what comes to `listener` with `handler`. Fails where the private socket cannot be made.
    pub fn start(listener: TcpListener, settings: Settings, handler: Handler) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let keeper = Keeper::new(listener, settings, handler)?;
        let inner = keeper.start_inner()?;
        Self::spawn(address, keeper, inner)
    }

    fn spawn(address: SocketAddr, keeper: Keeper, inner: Inner) -> io::Result<Self> {
        let signals = Arc::clone(&keeper.signals);
        let crew = Arc::clone(&keeper.house.crew);
        let worker_count = keeper.worker_count;
        let keeper = thread::Builder::new()
            .name("gate".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || keeper.keep(inner))?;
        Ok(Self {
            address,
            signals,
            worker_count,
            crew,
            keeper: Some(keeper),
        })
    }

    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the gate runs, reaches the server behind it, and every worker is there.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let is_kept = self
            .keeper
            .as_ref()
            .is_some_and(|keeper| !keeper.is_finished());
        is_kept && self.signals.is_reaching.load(Ordering::Relaxed) && self.watch().is_well()
    }

    /// How its threads are, for whoever looks at them from elsewhere.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch {
            signals: Arc::clone(&self.signals),
            crew: Arc::clone(&self.crew),
            worker_count: self.worker_count,
        }
    }

    /// Lets nobody in any more, finishes the requests that have begun, for `grace` at most, and ends all threads.
    pub fn stop(mut self, grace: Duration) {
        self.end(grace);
    }

    fn end(&mut self, grace: Duration) {
        let Some(keeper) = self.keeper.take() else {
            return;
        };
        self.signals.stop(instant() + grace);
        keeper.thread().unpark();
        if keeper.join().is_err() {
            tracing::error!("the gate's thread had ended before");
        }
    }
}

/// How the threads of a server are.
#[derive(Clone, Debug)]
pub struct Watch {
    signals: Arc<Signals>,
    crew: Arc<Crew>,
    worker_count: usize,
}

impl Watch {
    /// Whether the gate goes on looking at its sockets.
    #[must_use]
    pub fn is_gate_well(&self) -> bool {
        self.signals.pulse.silent() <= GATE_SILENT_MAX
    }

    /// Whether every worker is there, and none is stuck.
    #[must_use]
    pub fn are_workers_well(&self) -> bool {
        self.crew.count() >= self.worker_count && self.crew.longest() <= REQUEST_TIME_MAX
    }

    /// Whether all of them are well.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.is_gate_well() && self.are_workers_well()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

/// tiny_http and its workers.
pub(super) struct Inner {
    server: Arc<tiny_http::Server>,
    is_stopping: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
    /// Closed when the last worker has ended.
    ended: Receiver<()>,
    /// Last, so that it is removed when nothing uses it any more.
    pub(super) folder: SocketFolder,
}

impl Inner {
    pub(super) fn start(
        parent: &Path,
        worker_count: usize,
        house: &Arc<House>,
    ) -> io::Result<Self> {
        let folder = SocketFolder::make(parent)?;
        let listener = UnixListener::bind(folder.socket())?;
        let server = tiny_http::Server::from_listener(listener, None).map_err(io::Error::other)?;
        let (ending, ended) = mpsc::channel();
        let mut inner = Self {
            server: Arc::new(server),
            is_stopping: Arc::new(AtomicBool::new(false)),
            workers: Vec::with_capacity(worker_count),
            ended,
            folder,
        };
        for number in 0..worker_count {
            let worker = Worker {
                server: Arc::clone(&inner.server),
                is_stopping: Arc::clone(&inner.is_stopping),
                house: Arc::clone(house),
                _ending: ending.clone(),
                hand: Hand::new(&house.crew),
            };
            let spawned = thread::Builder::new()
                .name(format!("worker-{number}"))
                .stack_size(STACK_BYTES)
                .spawn(move || worker.run());
            match spawned {
                Ok(worker) => inner.workers.push(worker),
                Err(error) => {
                    inner.stop_with(ending);
                    return Err(error);
                }
            }
        }
        Ok(inner)
    }

    pub(super) fn stop(self) {
        let (ending, _) = mpsc::channel();
        self.stop_with(ending);
    }

    /// `unblock` wakes one worker, so each is given one.
    fn stop_with(self, ending: Sender<()>) {
        drop(ending);
        self.is_stopping.store(true, Ordering::SeqCst);
        for _ in &self.workers {
            self.server.unblock();
        }
        if self.ended.recv_timeout(WORKERS_STOP_TIME) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::error!("a worker is still at work, and is left behind");
            return;
        }
        for worker in self.workers {
            if worker.join().is_err() {
                tracing::error!("a worker had ended before");
            }
        }
    }
}

/// One thread that answers requests, one after the other.
struct Worker {
    server: Arc<tiny_http::Server>,
    is_stopping: Arc<AtomicBool>,
    house: Arc<House>,
    _ending: Sender<()>,
    hand: Hand,
}

impl Worker {
    /// Until the server stops: whatever panics, the thread goes on.
    fn run(self) {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return,
                Err(panic) => tracing::error!(panic = text(&*panic), "a worker caught a panic"),
            }
        }
    }

    fn turn(&self) -> ControlFlow<()> {
        match self.server.recv() {
            Ok(request) => self.serve(request),
            Err(_) if self.is_stopping.load(Ordering::SeqCst) => return ControlFlow::Break(()),
            // tiny_http has stopped accepting; the gate will notice. What it has open goes on.
            Err(error) => tracing::error!(%error, "the private socket failed"),
        }
        ControlFlow::Continue(())
    }

    fn serve(&self, outer: tiny_http::Request) {
        let Some((mut writer, stream)) = self.hand.at_work(|| self.begin(outer)) else {
            return;
        };
        // Each piece is work, and may take no longer than a page. To wait for a slow client is none: the gate sees to it
        // that it takes something.
        let next = || match catch_unwind(AssertUnwindSafe(|| stream.next())) {
            Ok(piece) => piece,
            Err(panic) => {
                tracing::error!(panic = text(&*panic), "a stream panicked");
                Some(Err(io::Error::other("a stream panicked")))
            }
        };
        while let Some(piece) = self.hand.at_work(next) {
            let written = match piece {
                Ok(piece) => write_piece(&mut writer, &piece),
                Err(error) => {
                    // No chunk begins so: the gate closes both connections, and nobody takes the answer for whole.
                    drop(writer.write_all(b"!\r\n").and_then(|()| writer.flush()));
                    Err(error)
                }
            };
            if let Err(error) = written {
                return tracing::debug!(%error, "a streamed answer broke off");
            }
        }
        if let Err(error) = writer.write_all(b"0\r\n\r\n").and_then(|()| writer.flush()) {
            tracing::debug!(%error, "the gate has gone");
        }
    }

    /// Answers, up to what is streamed after it.
    fn begin(&self, mut outer: tiny_http::Request) -> Option<(Box<dyn Write + Send>, Stream)> {
        let (method, response) = match receive(&mut outer, &self.house.rules.secret) {
            Some(Received::Page(request)) => (request.method, self.answer(request)),
            Some(Received::Ping) => (Method::Get, Response::new(204)),
            None => (Method::Get, Refusal::Malformed.response()),
        };
        let mut writer = outer.into_writer();
        if let Err(error) = send(&mut writer, &response, method, self.house.scheme) {
            tracing::debug!(%error, "the gate has gone");
            return None;
        }
        match response.body {
            Body::Streamed(stream) if headers::has_body(response.status, method) => {
                Some((writer, stream))
            }
            _ => None,
        }
    }

    /// The handler's answer, or a short page when it panics: the thread must live, or a few panics end the service.
    fn answer(&self, request: Request) -> Response {
        catch_unwind(AssertUnwindSafe(|| (self.house.handler)(request))).unwrap_or_else(|panic| {
            tracing::error!(panic = text(&*panic), "a handler panicked");
            Refusal::Broken.response()
        })
    }
}

/// What the gate sent.
enum Received {
    Page(Request),
    Ping,
}

/// The request, owned and whole; `None` when it did not come from the gate, or not to its end.
fn receive(outer: &mut tiny_http::Request, secret: &str) -> Option<Received> {
    let mut headers = Vec::with_capacity(outer.headers().len());
    let mut client = None;
    for header in outer.headers() {
        let name = header.field.as_str().as_str();
        let value = header.value.as_str();
        if name.eq_ignore_ascii_case(PING_HEADER) {
            return is_secret(value, secret).then_some(Received::Ping);
        } else if name.eq_ignore_ascii_case(CLIENT_HEADER) {
            client = Some(proven(value, secret)?);
        } else {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    let client = client?;
    let method = match outer.method() {
        tiny_http::Method::Get => Method::Get,
        tiny_http::Method::Head => Method::Head,
        tiny_http::Method::Post => Method::Post,
        _ => return None,
    };
    let (path, query) = match outer.url().split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (outer.url().to_owned(), None),
    };
    Some(Received::Page(Request {
        method,
        path,
        query,
        headers,
        body: body(outer)?,
        client,
    }))
}

fn is_secret(value: &str, secret: &str) -> bool {
    value.as_bytes().ct_eq(secret.as_bytes()).into()
}

/// The client's address, when the gate wrote it.
fn proven(value: &str, secret: &str) -> Option<IpAddr> {
    let (proof, address) = value.split_once(' ')?;
    if is_secret(proof, secret) {
        address.parse().ok()
    } else {
        None
    }
}

/// The whole body. What was left of it unread would be taken for the next request, and a body that broke off
/// must not be acted upon.
fn body(outer: &mut tiny_http::Request) -> Option<Vec<u8>> {
    let length = outer.body_length().unwrap_or_default();
    let mut body = Vec::with_capacity(length.min(JOINED_BYTES_MAX));
    let limit = u64::try_from(length).ok()?;
    outer.as_reader().take(limit).read_to_end(&mut body).ok()?;
    (body.len() == length).then_some(body)
}

/// One chunk; an empty one would be the end.
fn write_piece(writer: &mut dyn Write, piece: &[u8]) -> io::Result<()> {
    if piece.is_empty() {
        return Ok(());
    }
    write!(writer, "{:x}\r\n", piece.len())?;
    writer.write_all(piece)?;
    writer.write_all(b"\r\n")?;
    writer.flush()
}

fn send(
    writer: &mut dyn Write,
    response: &Response,
    method: Method,
    scheme: Scheme,
) -> io::Result<()> {
    let mut head = headers::head(response, scheme);
    let body = response.body.bytes();
    if !headers::has_body(response.status, method) {
        writer.write_all(&head)?;
    } else if body.len() <= JOINED_BYTES_MAX {
        head.extend_from_slice(body);
        writer.write_all(&head)?;
    } else {
        writer.write_all(&head)?;
        writer.write_all(body)?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_lost_starts_anew_behind_the_same_address() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings {
            workers: 2,
            limits: Limits::default(),
            trusted: Vec::new(),
            wide_body_paths: Vec::new(),
            socket_folder: folder.path().to_owned(),
            scheme: Scheme::Http,
            tls: None,
        };
        let handler: Handler = Arc::new(|_| Response::text(200, "here"));
        let keeper = Keeper::new(listener, settings, handler).unwrap();
        let inner = keeper.start_inner().unwrap();
        std::fs::remove_file(inner.folder.socket()).unwrap();
        let server = Server::spawn(address, keeper, inner).unwrap();

        let until = instant() + Duration::from_secs(10);
        while !server.is_well() {
            assert!(instant() < until, "the server stays lost");
            thread::yield_now();
        }
        let mut client = std::net::TcpStream::connect(address).unwrap();
        let request = b"GET / HTTP/1.0\r\nHost: a\r\n\r\n";
        client.write_all(request).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\nhere"), "{answer}");
        server.stop(Duration::from_secs(1));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
