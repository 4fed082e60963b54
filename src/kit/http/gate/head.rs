//! The head of a request: from bytes to something that can be understood in one way only.
//! Pure: no socket, no clock. Whatever two programs could read differently is refused, so that nothing behind
//! the gate ever sees it.

use std::borrow::Cow;

use super::limits::Limits;
use super::refusal::Refusal;
use crate::kit::http::multipart;
use crate::kit::http::request::Method;

const CONNECTION_OPTIONS_MAX: usize = 16;

/// Looks for the end of a head, line by line, and stops at the first byte that cannot belong to one.
/// It remembers where it was, so that bytes that come one by one are each looked at once.
#[derive(Debug, Default)]
pub struct Scan {
    at: usize,
    line_from: usize,
    line_count: usize,
    after_cr: bool,
}

impl Scan {
    /// Goes on through `bytes`, which begin with the request and have only grown since the last call.
    /// `Some` is the length of the head, its blank line included.
    pub fn advance(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        let allowed = bytes.get(..limits.head_bytes_max).unwrap_or(bytes);
        for &byte in allowed.get(self.at..).unwrap_or_default() {
            self.at = self.at.saturating_add(1);
            match (self.after_cr, byte) {
                (true, b'\n') => {
                    let line = allowed.get(self.line_from..self.at.saturating_sub(2));
                    if self.end_line(line.unwrap_or_default(), limits)? {
                        return Ok(Some(self.at));
                    }
                }
                (false, b'\r') => self.after_cr = true,
                (false, b'\t' | b' '..=b'~') => {}
                // A lone CR or LF, NUL and other controls, anything outside ASCII.
                _ => return Err(Refusal::Malformed),
            }
        }
        if allowed.len() < bytes.len() || bytes.len() == limits.head_bytes_max {
            return Err(Refusal::HeadTooLarge);
        }
        Ok(None)
    }

    /// Whether that was the blank line at the end of the head.
    fn end_line(&mut self, line: &[u8], limits: &Limits) -> Result<bool, Refusal> {
        self.after_cr = false;
        self.line_from = self.at;
        let line = text(line)?;
        if self.line_count == 0 {
            RequestLine::parse(line)?;
        } else if line.is_empty() {
            return Ok(true);
        } else if self.line_count > limits.header_count_max {
            return Err(Refusal::HeadTooLarge);
        } else {
            field(line)?;
        }
        self.line_count = self.line_count.saturating_add(1);
        Ok(false)
    }
}

/// What a client can wait for before it sends a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing.
    Nothing,
    /// `100 Continue`.
    Continue,
}

/// A request's head, understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// What is asked for.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub target: Cow<'a, str>,
    /// The x of HTTP/1.x.
    pub minor: u8,
    /// Names and values in the order they came, blanks around the values removed.
    pub fields: Vec<(&'a str, &'a str)>,
    /// How many bytes of body follow.
    pub length: usize,
    /// What the client waits for before it sends the body.
    pub expectation: Expectation,
    /// Whether the client wants to use the connection again.
    pub keep_alive: bool,
}

impl<'a> Head<'a> {
    /// Understands a head that `Scan` found whole.
    pub fn parse(bytes: &'a [u8], limits: &Limits, wide: &[String]) -> Result<Self, Refusal> {
        let mut lines = text(bytes)?.split("\r\n");
        let request = RequestLine::parse(lines.next().unwrap_or_default())?;
        let fields: Vec<_> = lines
            .take_while(|line| !line.is_empty())
            .map(field)
            .collect::<Result<_, _>>()?;
        // Each is looked for among the headers, so their number is bounded; browsers send one or two.
        if connection_options(&fields).count() > CONNECTION_OPTIONS_MAX {
            return Err(Refusal::Malformed);
        }
        let target = target(request.target, host(&fields, request.minor)?)?;
        let length = length(&request, &fields)?;
        let path = target.split('?').next().unwrap_or_default();
        let is_wide = wide.iter().any(|wide| wide == path);
        let (length_max, too_large) = if is_wide {
            (limits.wide_body_bytes_max, Refusal::UploadTooLarge)
        } else {
            (limits.body_bytes_max, Refusal::TooLarge)
        };
        if length > u64::try_from(length_max).unwrap_or(u64::MAX) {
            return Err(too_large);
        }
        let is_readable = is_form(&fields) || is_wide && is_upload(&fields);
        if request.method == Method::Post && !is_readable {
            return Err(Refusal::NotAForm);
        }
        Ok(Self {
            method: request.method,
            target,
            minor: request.minor,
            length: usize::try_from(length).map_err(|_| Refusal::TooLarge)?,
            expectation: expectation(&fields, request.minor)?,
            keep_alive: keep_alive(&fields, request.minor),
            fields,
        })
    }
}

/// The value of every header of that name.
pub fn values<'a>(
    fields: &[(&'a str, &'a str)],
    name: &str,
) -> impl DoubleEndedIterator<Item = &'a str> {
    fields
        .iter()
        .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| *value)
}

/// What the client says about this connection: how long it lasts, and which headers concern it alone.
pub(super) fn connection_options<'a>(
    fields: &[(&'a str, &'a str)],
) -> impl Iterator<Item = &'a str> {
    values(fields, "connection")
        .flat_map(|value| value.split(','))
        .map(|option| option.trim_matches([' ', '\t']))
}

struct RequestLine<'a> {
    method: Method,
    target: &'a str,
    minor: u8,
}

impl<'a> RequestLine<'a> {
    fn parse(line: &'a str) -> Result<Self, Refusal> {
        let mut words = line.split(' ');
        let (method, target, version) = (words.next(), words.next(), words.next());
        let (Some(method), Some(target), None) = (method, target, words.next()) else {
            return Err(Refusal::Malformed);
        };
        if !is_token(method) || target.is_empty() || target.contains(['\t', '#']) {
            return Err(Refusal::Malformed);
        }
        let minor = match version {
            Some("HTTP/1.1") => 1,
            Some("HTTP/1.0") => 0,
            // Without a version it is HTTP/0.9.
            None => return Err(Refusal::Version),
            Some(other) => return Err(other_version(other)),
        };
        let method = match method {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "CONNECT" | "DELETE" | "OPTIONS" | "PATCH" | "PUT" | "TRACE" => {
                return Err(Refusal::Method);
            }
            _ => return Err(Refusal::Unknown),
        };
        Ok(Self {
            method,
            target,
            minor,
        })
    }
}

fn other_version(version: &str) -> Refusal {
    let is_version = version
        .strip_prefix("HTTP/")
        .and_then(|numbers| numbers.split_once('.'))
        .is_some_and(|(major, minor)| {
            [major, minor]
                .iter()
                .all(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()))
        });
    if is_version {
        Refusal::Version
    } else {
        Refusal::Malformed
    }
}

fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| Refusal::Malformed)
}

/// One header line. A blank before the name (a folded line) or before the colon makes the name no token.
fn field(line: &str) -> Result<(&str, &str), Refusal> {
    match line.split_once(':') {
        Some((name, value)) if is_token(name) => Ok((name, value.trim_matches([' ', '\t']))),
        _ => Err(Refusal::Malformed),
    }
}

/// RFC 9110, 5.6.2.
fn is_token(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The one Host. HTTP/1.0 did not have it yet: then there is none, and nothing to compare with.
fn host<'a>(fields: &[(&'a str, &'a str)], minor: u8) -> Result<Option<&'a str>, Refusal> {
    let mut hosts = values(fields, "host");
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_authority(host) => Ok(Some(host)),
        (None, None) if minor == 0 => Ok(None),
        _ => Err(Refusal::Host),
    }
}

/// A name, an IPv4 address or an IPv6 address in brackets, then perhaps a port; nothing else, so no user.
fn is_authority(authority: &str) -> bool {
    let (is_host, after) = if let Some(rest) = authority.strip_prefix('[') {
        let Some((inside, after)) = rest.split_once(']') else {
            return false;
        };
        (inside.parse::<std::net::Ipv6Addr>().is_ok(), after)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        let (name, after) = authority.split_at_checked(end).unwrap_or_default();
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        (is_name && !name.is_empty() && name.len() <= 253, after)
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    is_host && (after.is_empty() || after.strip_prefix(':').is_some_and(is_port))
}

/// Path and query. A whole URL is accepted, as RFC 9112 asks, when it names the Host.
fn target<'a>(target: &'a str, host: Option<&str>) -> Result<Cow<'a, str>, Refusal> {
    if target.starts_with('/') {
        return Ok(Cow::Borrowed(target));
    }
    let Some((scheme, rest)) = target.split_once("://") else {
        return Err(Refusal::Malformed);
    };
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(Refusal::Malformed);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or_default();
    if !is_authority(authority) || host.is_some_and(|host| !host.eq_ignore_ascii_case(authority)) {
        return Err(Refusal::Host);
    }
    if path.starts_with('/') {
        Ok(Cow::Borrowed(path))
    } else {
        Ok(Cow::Owned(format!("/{path}")))
    }
}

/// How long the body is, when that is said in exactly one way.
fn length(request: &RequestLine<'_>, fields: &[(&str, &str)]) -> Result<u64, Refusal> {
    let mut codings = values(fields, "transfer-encoding");
    let mut lengths = values(fields, "content-length");
    let (coding, length) = (codings.next(), lengths.next());
    if codings.next().is_some() || lengths.next().is_some() {
        return Err(Refusal::Framing);
    }
    let post = request.method == Method::Post;
    match (coding, length) {
        (Some(coding), None)
            if post && request.minor == 1 && coding.eq_ignore_ascii_case("chunked") =>
        {
            Err(Refusal::Unmeasured)
        }
        (Some(_), _) => Err(Refusal::Framing),
        (None, None) if post => Err(Refusal::Unmeasured),
        (None, None) => Ok(0),
        (None, Some(length)) => {
            if !length.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Refusal::Framing);
            }
            // Empty, or more digits than a length can have.
            let length = length.parse().map_err(|_| Refusal::Framing)?;
            if length > 0 && !post {
                return Err(Refusal::Framing);
            }
            Ok(length)
        }
    }
}

/// The one Content-Type, when it is a form's; its only parameter may be the charset we read.
fn is_form(fields: &[(&str, &str)]) -> bool {
    let mut types = values(fields, "content-type");
    let (Some(value), None) = (types.next(), types.next()) else {
        return false;
    };
    let mut parts = value.split(';').map(|part| part.trim_matches([' ', '\t']));
    let is_form = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    is_form
        && parts.all(|parameter| {
            parameter.is_empty()
                || parameter.split_once('=').is_some_and(|(name, value)| {
                    name.eq_ignore_ascii_case("charset")
                        && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
                })
        })
}

/// The one Content-Type, when it is that of a form with files.
fn is_upload(fields: &[(&str, &str)]) -> bool {
    let mut types = values(fields, "content-type");
    match (types.next(), types.next()) {
        (Some(value), None) => multipart::boundary(value).is_some(),
        _ => false,
    }
}

/// HTTP/1.0 has no expectations: there the header is to be ignored.
fn expectation(fields: &[(&str, &str)], minor: u8) -> Result<Expectation, Refusal> {
    let mut expectation = Expectation::Nothing;
    for value in values(fields, "expect").filter(|_| minor == 1) {
        if !value.eq_ignore_ascii_case("100-continue") {
            return Err(Refusal::Expectation);
        }
        expectation = Expectation::Continue;
    }
    Ok(expectation)
}

fn keep_alive(fields: &[(&str, &str)], minor: u8) -> bool {
    let says =
        |word: &str| connection_options(fields).any(|option| option.eq_ignore_ascii_case(word));
    !says("close") && (minor == 1 || says("keep-alive"))
}
