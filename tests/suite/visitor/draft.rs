//! A request before it is sent: what a browser would send, until it is told otherwise.

use doorward::kit::http::fields::encode;
use doorward::kit::http::request::Request;

use super::Visitor;

/// A request that has not been sent yet.
pub(crate) struct Draft<'v> {
    visitor: &'v mut Visitor,
    request: Request,
    fields: Vec<(String, String)>,
}

impl<'v> Draft<'v> {
    /// This request of this visitor's.
    pub(super) const fn new(visitor: &'v mut Visitor, request: Request) -> Self {
        Self {
            visitor,
            request,
            fields: Vec::new(),
        }
    }

    /// This header, in place of any other of the name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.also(name, value)
    }

    /// This header, beside others of the name.
    pub(crate) fn also(mut self, name: &str, value: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.request.headers.push((name, value.to_owned()));
        self
    }

    /// No header of that name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.request.headers.retain(|(found, _)| *found != name);
        self
    }

    /// One more field.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// More fields.
    pub(crate) fn fields(mut self, fields: &[(&str, &str)]) -> Self {
        for (name, value) in fields {
            self = self.field(name, value);
        }
        self
    }

    /// The proof that a form of ours going there carries.
    #[track_caller]
    pub(crate) fn proven(mut self) -> Self {
        let path = self.request.path.clone();
        let proof = self.visitor.proof(&path);
        // Fetching it may have brought the cookie that it is bound to.
        let cookies = self.visitor.cookie_header();
        if !self
            .request
            .headers
            .iter()
            .any(|(name, _)| name == "cookie")
            && !cookies.is_empty()
        {
            self = self.also("cookie", &cookies);
        }
        self.field("csrf", &proof)
    }

    /// These very bytes, in place of fields.
    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.request.body = bytes.into();
        self
    }

    /// Sends it.
    pub(crate) fn send(mut self) -> &'v mut Visitor {
        if self.request.body.is_empty() {
            let pairs: Vec<String> = self
                .fields
                .iter()
                .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
                .collect();
            self.request.body = pairs.join("&").into_bytes();
        }
        self.visitor.send(&self.request)
    }
}
