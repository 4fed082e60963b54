//! One answer, before it is put on the wire.

/// What is sent after the head.
#[derive(Clone, Debug)]
pub enum Body {
    /// Made for this answer.
    Made(Vec<u8>),
    /// Part of the binary.
    Embedded(&'static [u8]),
}

impl Body {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Made(bytes) => bytes,
            Self::Embedded(bytes) => bytes,
        }
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
