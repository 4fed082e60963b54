//! One answer, before it is put on the wire.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What is sent after the head.
#[derive(Clone, Debug)]
pub enum Body {
    /// Made for this answer.
    Made(Vec<u8>),
    /// Part of the binary.
    Embedded(&'static [u8]),
    /// Made while it is sent, piece by piece, as fast as the client takes it: nobody knows beforehand how long it is.
    Streamed(Stream),
}

impl Body {
    /// The bytes, as far as they are there before they are sent: none of what is streamed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Made(bytes) => bytes,
            Self::Embedded(bytes) => bytes,
            Self::Streamed(_) => &[],
        }
    }
}

/// The pieces of a body, each made when the one before is on its way. One that fails breaks the answer off, which the
/// client sees; whoever goes away lets it fall, and with it all that it holds.
#[derive(Clone)]
pub struct Stream(Arc<Mutex<Pieces>>);

type Pieces = Box<dyn Iterator<Item = io::Result<Vec<u8>>> + Send>;

impl Stream {
    /// These pieces.
    #[must_use]
    pub fn new(pieces: impl Iterator<Item = io::Result<Vec<u8>>> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(pieces))))
    }

    /// The next piece; none at the end.
    pub fn next(&self) -> Option<io::Result<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

/// An answer: status, headers, body.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    /// What is sent after the head.
    pub body: Body,
}

impl Response {
    /// An answer without a body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Made(Vec::new()),
        }
    }

    /// A page.
    #[must_use]
    pub fn html(status: u16, page: String) -> Self {
        Self::new(status).typed("text/html; charset=utf-8", Body::Made(page.into_bytes()))
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status).typed(
            "text/plain; charset=utf-8",
            Body::Made(text.into().into_bytes()),
        )
    }

    /// JSON.
    #[must_use]
    pub fn json(status: u16, json: String) -> Self {
        Self::new(status).typed("application/json", Body::Made(json.into_bytes()))
    }

    /// Go and GET that (303): the answer to a POST that did something.
    #[must_use]
    pub fn see_other(location: &str) -> Self {
        Self::new(303).with("Location", location)
    }

    /// This body, of this type.
    #[must_use]
    pub fn typed(mut self, content_type: &'static str, body: Body) -> Self {
        self.body = body;
        self.with("Content-Type", content_type)
    }

    /// One more header. Bytes outside visible ASCII and the blank are percent-encoded, so that no value can
    /// end its line and begin another.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        let mut clean = String::with_capacity(value.len());
        for byte in value.bytes() {
            if matches!(byte, 0x20..=0x7e) {
                clean.push(char::from(byte));
            } else {
                clean.push_str(&format!("%{byte:02X}"));
            }
        }
        self.headers.push((name, clean));
        self
    }

    /// The value of the first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }
}
