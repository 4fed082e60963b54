//! What the gate answers by itself: one sentence that says what to do, and nothing about our parts.

use maud::html;

use crate::kit::html::button::Button;
use crate::kit::html::frame;
use crate::kit::http::headers::{self, Scheme};
use crate::kit::http::request::Method;
use crate::kit::http::response::Response;

/// What its pages call the house: here nobody knows its name.
const NAME: &str = "Portal";
/// The one way on.
const HOME: &str = "/";

/// Why the gate does not let something through, or could not bring back an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400: not HTTP, or HTTP that two readers could understand differently.
    Malformed,
    /// 400: no single, well-formed `Host`.
    Host,
    /// 400: the length of the body is said in no way, or in more than one.
    Framing,
    /// 400: HTTP in the clear where TLS is spoken.
    Unencrypted,
    /// 405: a method that HTTP knows and this house does not use.
    Method,
    /// 408: begun, but not finished in time.
    Slow,
    /// 411: a body whose length is not said beforehand.
    Unmeasured,
    /// 413: a body over the cap.
    TooLarge,
    /// 415: not a form.
    NotAForm,
    /// 417: an expectation other than `100-continue`.
    Expectation,
    /// 431: a head over the cap.
    HeadTooLarge,
    /// 500: the answer broke off before it began.
    Broken,
    /// 501: no method that HTTP knows.
    Unknown,
    /// 503: more requests wait than can be answered soon.
    Busy,
    /// 505: not HTTP/1.1 nor HTTP/1.0.
    Version,
}

impl Refusal {
    /// The status code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::Host | Self::Framing | Self::Unencrypted => 400,
            Self::Method => 405,
            Self::Slow => 408,
            Self::Unmeasured => 411,
            Self::TooLarge => 413,
            Self::NotAForm => 415,
            Self::Expectation => 417,
            Self::HeadTooLarge => 431,
            Self::Broken => 500,
            Self::Unknown => 501,
            Self::Busy => 503,
            Self::Version => 505,
        }
    }

    /// What happened, in plain words.
    const fn title(self) -> &'static str {
        match self {
            Self::Malformed | Self::Host | Self::Framing | Self::Unencrypted | Self::Unmeasured => {
                "This request cannot be read"
            }
            Self::Method | Self::Unknown => "This cannot be asked here",
            Self::Slow => "The request came too slowly",
            Self::TooLarge => "This is too much at once",
            Self::NotAForm => "Only forms can be sent here",
            Self::Expectation | Self::Version => "This server speaks otherwise",
            Self::HeadTooLarge => "The address is too long",
            Self::Broken => "Something broke here",
            Self::Busy => "Too busy just now",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => {
                "The request could not be read. Check the address, or start again from the first page."
            }
            Self::Host => {
                "The request does not say clearly which host it is for. Check the address."
            }
            Self::Framing => {
                "The request does not say clearly where it ends. Send it with one plain Content-Length."
            }
            Self::Unencrypted => {
                "This port speaks HTTPS only. Write https:// at the beginning of the address."
            }
            Self::Method => "This server answers GET, HEAD and POST only.",
            Self::Slow => "The request took too long to arrive. Try again.",
            Self::Unmeasured => {
                "The request has a body without a length. Send it with a Content-Length."
            }
            Self::TooLarge => "What was sent is too large. Send less at once.",
            Self::NotAForm => "Only forms can be sent here (application/x-www-form-urlencoded).",
            Self::Expectation => "The only expectation this server can meet is 100-continue.",
            Self::HeadTooLarge => {
                "The address or the cookies are too long. Shorten the address, or delete this site's cookies."
            }
            Self::Broken => "Something went wrong on our side. Try again in a moment.",
            Self::Unknown => {
                "This server does not know that method. It answers GET, HEAD and POST."
            }
            Self::Busy => "The server is busy. Try again in a few seconds.",
            Self::Version => "This server speaks HTTP/1.1 and HTTP/1.0.",
        }
    }

    /// The refusal as a page.
    #[must_use]
    pub fn response(self) -> Response {
        let (title, sentence) = (self.title(), self.sentence());
        if self == Self::Unencrypted {
            return Response::text(self.status(), format!("{sentence}\n"));
        }
        let body = html! {
            section.stack.narrow {
                h1 { (title) }
                p { (sentence) }
                @if self == Self::TooLarge { p { "The back button of the browser brings back what was typed." } }
                div.row { (Button::link("To the first page", HOME).primary()) }
            }
        };
        let page = frame::plain(NAME, HOME, title, &body);
        let page = Response::html(self.status(), page.into_string());
        match self {
            Self::Method => page.with("Allow", "GET, HEAD, POST"),
            Self::Busy => page.with("Retry-After", "2"),
            _ => page,
        }
    }

    /// The refusal as bytes, complete but for `Date` and `Connection`.
    #[must_use]
    pub fn wire(self, scheme: Scheme, method: Method) -> Vec<u8> {
        wire(&self.response(), scheme, method)
    }
}

/// What the gate says in the clear where TLS is spoken: the page's address by HTTPS, where it can be told from what
/// has come. It promises nothing about HTTPS, since anybody on the way could have said it.
#[must_use]
pub(super) fn unencrypted(address: Option<&str>, method: Method) -> Vec<u8> {
    let refusal = Refusal::Unencrypted;
    let response = match address {
        Some(address) => {
            Response::text(307, format!("{}\n", refusal.sentence())).with("Location", address)
        }
        None => refusal.response(),
    };
    wire(&response, Scheme::Http, method)
}

fn wire(response: &Response, scheme: Scheme, method: Method) -> Vec<u8> {
    let mut wire = headers::head(response, scheme);
    if headers::has_body(response.status, method) {
        wire.extend_from_slice(response.body.bytes());
    }
    wire
}
