//! From a client's bytes to whole requests, ready for the server behind the gate.
//! Pure: no socket, no clock. However the bytes are split, the same requests come out.

use std::net::IpAddr;

use ipnet::IpNet;

use super::head::{Expectation, Head, Scan, connection_options, values};
use super::limits::Limits;
use super::refusal::Refusal;
use crate::kit::http::client;
use crate::kit::http::request::Method;
use crate::kit::probe::{self, Came};

/// Carries the client's address to the server, after the secret that only the gate knows.
pub const CLIENT_HEADER: &str = "gate-client";

/// Asks the server whether it is there; answered without any page.
pub const PING_HEADER: &str = "gate-ping";

/// What is true for all requests.
#[derive(Debug)]
pub struct Rules {
    /// How much and how long.
    pub limits: Limits,
    /// The paths that take large bodies.
    pub wide_body_paths: Vec<String>,
    /// The proxies whose word about the client is taken.
    pub trusted: Vec<IpNet>,
    /// Proves to the server that a request came through the gate.
    pub secret: String,
}

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes are needed.
    More(Stage),
    /// The client waits for `100 Continue`. Said at most once for a request.
    Continue,
    /// A request.
    Whole(Whole),
    /// No request, and nothing can be read from here on.
    Refuse(Refusal),
}

/// What more bytes are needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing has begun.
    Idle,
    /// A head has begun.
    Head,
    /// A body is due.
    Body,
}

/// A whole request.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    /// The request as the server behind the gate gets it.
    pub bytes: Vec<u8>,
    /// What is asked for.
    pub method: Method,
    /// The x of the client's HTTP/1.x.
    pub minor: u8,
    /// Whether the client wants to use the connection again.
    pub keep_alive: bool,
}

/// What came from one client and is not a whole request yet.
#[derive(Debug, Default)]
pub struct Inbound {
    bytes: Vec<u8>,
    scan: Scan,
    body: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    request: Whole,
    missing: usize,
    expects_continue: bool,
}

impl Inbound {
    /// Takes bytes in; `step` says what they amount to.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next thing to do about the bytes so far. After `Refuse` only `clear` makes sense.
    pub fn step(&mut self, rules: &Rules, peer: IpAddr) -> Step {
        if self.body.is_none() {
            match self.take_head(rules, peer) {
                Ok(true) => {}
                Ok(false) if self.bytes.is_empty() => return Step::More(Stage::Idle),
                Ok(false) => return Step::More(Stage::Head),
                Err(refusal) => return Step::Refuse(refusal),
            }
        }
        self.take_body()
    }

    /// The method of the request that was refused, as far as its first bytes tell: whether the refusal may have a body.
    #[must_use]
    pub fn method(&self) -> Method {
        if self.bytes.starts_with(b"HEAD ") {
            Method::Head
        } else {
            Method::Get
        }
    }

    /// Where the page that is asked for would be found by HTTPS; none unless its whole head is here. Nobody is sent
    /// on with a form, which has been in the open already.
    #[must_use]
    pub fn encrypted_address(&self, rules: &Rules) -> Option<String> {
        let mut scan = Scan::default();
        let end = scan.advance(&self.bytes, &rules.limits).ok()??;
        let head = Head::parse(self.bytes.get(..end)?, &rules.limits, &[]).ok()?;
        let host = values(&head.fields, "host").next()?;
        let may_go_on = matches!(head.method, Method::Get | Method::Head);
        may_go_on.then(|| format!("https://{host}{}", head.target))
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.body.is_none()
    }

    /// How many bytes are held.
    #[must_use]
    pub fn held(&self) -> usize {
        let body = self
            .body
            .as_ref()
            .map_or(0, |body| body.request.bytes.capacity());
        self.bytes.capacity().saturating_add(body)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn take_head(&mut self, rules: &Rules, peer: IpAddr) -> Result<bool, Refusal> {
        let Some(end) = self.scan.advance(&self.bytes, &rules.limits)? else {
            return Ok(false);
        };
        let bytes = self.bytes.get(..end).unwrap_or_default();
        let head = Head::parse(bytes, &rules.limits, &rules.wide_body_paths)?;
        self.body = Some(Pending {
            missing: head.length,
            expects_continue: head.expectation == Expectation::Continue,
            request: Whole {
                bytes: forward(&head, rules, peer),
                method: head.method,
                minor: head.minor,
                keep_alive: head.keep_alive,
            },
        });
        self.scan = Scan::default();
        self.drop_front(end);
        Ok(true)
    }

    fn take_body(&mut self) -> Step {
        let Some(body) = &mut self.body else {
            return Step::More(Stage::Idle);
        };
        let here = body.missing.min(self.bytes.len());
        // What has arrived already was sent without waiting.
        body.expects_continue &= here == 0 && body.missing > 0;
        body.request
            .bytes
            .extend_from_slice(self.bytes.get(..here).unwrap_or_default());
        body.missing = body.missing.saturating_sub(here);
        if body.missing == 0 {
            let whole = self.body.take().map(|body| body.request);
            self.drop_front(here);
            return whole.map_or(Step::More(Stage::Idle), Step::Whole);
        }
        let step = if std::mem::take(&mut body.expects_continue) {
            Step::Continue
        } else {
            Step::More(Stage::Body)
        };
        self.drop_front(here);
        step
    }

    /// Thousands of idle connections must not each keep a buffer.
    fn drop_front(&mut self, count: usize) {
        if count >= self.bytes.len() {
            self.bytes = Vec::new();
        } else {
            self.bytes.drain(..count);
        }
    }
}

/// The request for the server: the same line and headers, less what concerns only the connection to the client
/// or is the gate's to say, and the client's address.
fn forward(head: &Head<'_>, rules: &Rules, peer: IpAddr) -> Vec<u8> {
    let method = match head.method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
    };
    let forwarded = values(&head.fields, "x-forwarded-for");
    let client = client::address(peer, forwarded, &rules.trusted).to_string();
    let length = head.length.to_string();
    let fields = head.fields.iter().map(|(n, v)| n.len() + v.len() + 4);
    // Grown as the body comes, so that a promise of much costs nothing.
    let room = fields.sum::<usize>() + head.target.len() + 256 + head.length.min(4096);
    let mut bytes = Vec::with_capacity(room);
    let mut put = |parts: &[&str]| {
        for part in parts {
            bytes.extend_from_slice(part.as_bytes());
        }
    };
    put(&[method, " ", &head.target, " HTTP/1.1\r\n"]);
    put(&[CLIENT_HEADER, ": ", &rules.secret, " ", &client, "\r\n"]);
    if let Some(came) = came(head, rules, peer) {
        put(&[probe::CAME_HEADER, ": ", &came.to_string(), "\r\n"]);
    }
    for (name, value) in &head.fields {
        if passes(name, &head.fields) {
            put(&[name, ": ", value, "\r\n"]);
        }
    }
    if head.length > 0 {
        put(&["Content-Length: ", &length, "\r\n"]);
    }
    put(&["\r\n"]);
    bytes
}

/// How the request came, where somebody has to know: a peer said for whom it asks and is not believed, or the install
/// itself wants to see.
fn came(head: &Head<'_>, rules: &Rules, peer: IpAddr) -> Option<Came> {
    let peer = peer.to_canonical();
    let entries = values(&head.fields, "x-forwarded-for")
        .flat_map(|value| value.split(','))
        .count();
    let is_trusted = client::is_trusted(peer, &rules.trusted);
    let is_probe = values(&head.fields, probe::HEADER).next().is_some();
    ((entries > 0 && !is_trusted) || is_probe).then_some(Came {
        peer,
        entries,
        is_trusted,
    })
}

/// Whether a header goes on to the server.
fn passes(name: &str, fields: &[(&str, &str)]) -> bool {
    const STAYS: [&str; 17] = [
        "connection",
        "content-length",
        "expect",
        "forwarded",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-real-ip",
        CLIENT_HEADER,
        PING_HEADER,
        probe::CAME_HEADER,
    ];
    // What these say would be missed or misread: no option of a connection.
    const GOES: [&str; 2] = ["content-type", "host"];
    let is = |other: &&str| name.eq_ignore_ascii_case(other);
    if GOES.iter().any(is) {
        return true;
    }
    let is_forwarding = name
        .get(.."x-forwarded".len())
        .is_some_and(|start| start.eq_ignore_ascii_case("x-forwarded"));
    let mut options = connection_options(fields);
    !is_forwarding && !STAYS.iter().any(is) && !options.any(|option| is(&option))
}
