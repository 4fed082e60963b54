//! The headers of an answer, and how its head is written down.
//! Every answer goes through here, the gate's refusals too, so that none leaves without the security headers.
//! `Date` and `Connection` are not set here: they belong to the moment and the connection, so the gate adds them.

use super::request::Method;
use super::response::{Body, Response};

/// What a page may load and do, unless it says otherwise itself.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Added to every answer that does not itself say something else under that name.
const SECURITY: [(&str, &str); 8] = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    // With no-referrer browsers send `Origin: null` from our own forms.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    // Only names that today's browsers know: an unknown one is an error in their console.
    (
        "Permissions-Policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
    ),
    ("Cache-Control", "no-store"),
];

/// Two years, for this host alone: what runs on its sub-domains is not ours to promise.
const STRICT_TRANSPORT: (&str, &str) = ("Strict-Transport-Security", "max-age=63072000");

/// Set by whoever frames the message, never by a page; `Server` would name our parts.
const FRAMING: [&str; 8] = [
    "Connection",
    "Content-Length",
    "Date",
    "Keep-Alive",
    "Server",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// How people reach this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear: no promise about HTTPS may be made.
    Http,
    /// Through TLS: browsers are told to come back by HTTPS only.
    Https,
}

/// The headers of an answer in the order they are sent, without `Date`, `Connection` and the length: its own,
/// then each security header that it does not set itself.
pub fn complete(response: &Response, scheme: Scheme) -> impl Iterator<Item = (&'static str, &str)> {
    let own = response
        .headers()
        .filter(|(name, _)| !FRAMING.iter().any(|framing| is(name, framing)));
    let added = SECURITY
        .into_iter()
        .filter(|(name, _)| response.header(name).is_none());
    let transport = (scheme == Scheme::Https).then_some(STRICT_TRANSPORT);
    own.filter(|(name, _)| !is(name, STRICT_TRANSPORT.0))
        .chain(added)
        .chain(transport)
}

/// The head of an answer as bytes, up to and with the blank line.
#[must_use]
pub fn head(response: &Response, scheme: Scheme) -> Vec<u8> {
    let mut head = Vec::with_capacity(1024);
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(response.status.to_string().as_bytes());
    head.push(b' ');
    head.extend_from_slice(reason(response.status).as_bytes());
    head.extend_from_slice(b"\r\n");
    for (name, value) in complete(response, scheme) {
        line(&mut head, name, value);
    }
    match &response.body {
        _ if !has_length(response.status) => {}
        Body::Streamed(_) => line(&mut head, "Transfer-Encoding", "chunked"),
        Body::Made(_) | Body::Embedded(_) => {
            let length = response.body.bytes().len().to_string();
            line(&mut head, "Content-Length", &length);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Whether the body follows the head of this answer.
#[must_use]
pub const fn has_body(status: u16, method: Method) -> bool {
    has_length(status) && status != 304 && !matches!(method, Method::Head)
}

/// RFC 9110, 8.6: no length in 1xx and 204. One in 304 would have to be that of the page it stands for.
const fn has_length(status: u16) -> bool {
    status >= 200 && status != 204 && status != 304
}

fn line(head: &mut Vec<u8>, name: &str, value: &str) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value.as_bytes());
    head.extend_from_slice(b"\r\n");
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

/// The words after a status; they inform people, not programs.
#[must_use]
pub const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(response: &Response, scheme: Scheme, name: &str) -> Vec<String> {
        complete(response, scheme)
            .filter(|(found, _)| is(found, name))
            .map(|(_, value)| value.to_owned())
            .collect()
    }

    #[test]
    fn every_answer_carries_the_set_once() {
        let response = Response::text(404, "There is nothing here.");
        for (name, expected) in SECURITY {
            assert_eq!(value(&response, Scheme::Http, name), [expected]);
        }
    }

    #[test]
    fn transport_security_is_promised_only_over_https() {
        let name = "Strict-Transport-Security";
        let response = Response::new(200).with(name, "max-age=1");
        assert!(value(&response, Scheme::Http, name).is_empty());
        let promised = value(&response, Scheme::Https, name);
        assert_eq!(promised, ["max-age=63072000"]);
    }

    #[test]
    fn what_a_page_says_itself_stands() {
        let response = Response::new(200)
            .with("cache-control", "public, max-age=31536000, immutable")
            .with("Content-Security-Policy", "sandbox")
            .with("X-Frame-Options", "SAMEORIGIN");
        for (name, own) in [
            ("Cache-Control", "public, max-age=31536000, immutable"),
            ("Content-Security-Policy", "sandbox"),
            ("X-Frame-Options", "SAMEORIGIN"),
        ] {
            assert_eq!(value(&response, Scheme::Http, name), [own]);
        }
        assert_eq!(
            value(&response, Scheme::Http, "X-Content-Type-Options").len(),
            1
        );
    }

    #[test]
    fn a_page_cannot_frame_the_message() {
        let mut response = Response::text(200, "four");
        for name in FRAMING {
            response = response.with(name, "99");
        }
        let head = String::from_utf8(head(&response, Scheme::Http)).unwrap();
        assert!(!head.contains("99"), "{head}");
        assert_eq!(head.matches("Content-Length: 4\r\n").count(), 1);
    }

    #[test]
    fn no_value_can_end_its_line() {
        let response = Response::see_other("/a\r\nSet-Cookie: planted=1\0");
        let head = String::from_utf8(head(&response, Scheme::Http)).unwrap();
        assert!(head.contains("Location: /a%0D%0ASet-Cookie: planted=1%00\r\n"));
        assert!(!head.contains("\r\nSet-Cookie"));
    }

    #[test]
    fn answers_without_a_body_have_no_length() {
        for status in [204, 304] {
            let head = String::from_utf8(head(&Response::new(status), Scheme::Http)).unwrap();
            assert!(!head.contains("Content-Length"), "{head}");
            assert!(!has_body(status, Method::Get));
        }
        assert!(!has_body(200, Method::Head));
        assert!(has_body(200, Method::Post));
    }
}
