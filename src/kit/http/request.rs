//! One request, whole and owned: what the gate let through.

use std::net::IpAddr;

/// The methods the house knows; the gate refuses every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Read; changes nothing.
    Get,
    /// Read without the body.
    Head,
    /// Do.
    Post,
}

impl Method {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

/// A whole, bounded, well-framed request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// The path as sent, still percent-encoded, beginning with `/`.
    pub path: String,
    /// What followed `?`, still encoded.
    pub query: Option<String>,
    /// Names in lower case, values as sent (visible ASCII, blanks and tabs), in order.
    pub headers: Vec<(String, String)>,
    /// The body, at most the gate's cap.
    pub body: Vec<u8>,
    /// The client's address, as the gate judged it (trusted proxies looked through).
    pub client: IpAddr,
}

impl Request {
    /// The only value of a header; `None` when it is absent or sent twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }

    /// The value of a cookie; `None` when it is absent or sent twice, since then one of them is planted.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(n, _)| n == "cookie")
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(n, _)| *n == name)
            .map(|(_, value)| value);
        match (found.next(), found.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }
}
