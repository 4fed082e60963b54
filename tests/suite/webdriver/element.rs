//! An element of a page.

use serde_json::{Value, json};

use super::driver::Session;
use super::text;

/// The name under which the protocol keeps an element's number.
const NUMBER: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An element. It does not outlive its page: after the browser has moved on, its
/// methods fail the test.
pub(crate) struct Element<'a> {
    session: &'a Session,
    number: String,
}

/// Keys without a letter, for `press` and `keys`.
pub(crate) mod key {
    pub(crate) const TAB: &str = "\u{E004}";
    pub(crate) const ENTER: &str = "\u{E007}";
    pub(crate) const ESCAPE: &str = "\u{E00C}";
    pub(crate) const DOWN: &str = "\u{E015}";
    /// Held down for the keys that follow it in the same text; only for `Element::keys`.
    pub(crate) const CONTROL: &str = "\u{E009}";
    /// The same.
    pub(crate) const SHIFT: &str = "\u{E008}";
}

impl<'a> Element<'a> {
    pub(super) fn new(session: &'a Session, found: &Value) -> Self {
        let number = text(&found[NUMBER]);
        assert!(!number.is_empty(), "not an element: {found}");
        Self { session, number }
    }

    /// Clicks it, scrolling to it first. Where that leads to another page, wait for it
    /// with `Browser::leaving`.
    pub(crate) fn click(&self) {
        self.post("click", &json!({}));
    }

    /// Types into it.
    pub(crate) fn keys(&self, keys: &str) {
        self.post("value", &json!({ "text": keys }));
    }

    /// Empties a field.
    pub(crate) fn clear(&self) {
        self.post("clear", &json!({}));
    }

    /// Its text, as it is seen.
    pub(crate) fn text(&self) -> String {
        text(&self.get("text"))
    }

    /// An attribute, as the markup has it.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let value = self.get(&format!("attribute/{name}"));
        value.as_str().map(str::to_owned)
    }

    /// A property, as scripts see it: `value` of a field is what it holds now.
    pub(crate) fn property(&self, name: &str) -> Value {
        self.get(&format!("property/{name}"))
    }

    /// Whether it can be seen.
    pub(crate) fn is_shown(&self) -> bool {
        self.get("displayed") == true
    }

    /// Whether its page has been left.
    pub(super) fn is_gone(&self) -> bool {
        let name = self
            .session
            .try_get(&format!("element/{}/name", self.number));
        name.is_err_and(|fault| {
            fault.starts_with("stale element reference") || fault.starts_with("no such element")
        })
    }

    fn get(&self, what: &str) -> Value {
        self.session.get(&format!("element/{}/{what}", self.number))
    }

    fn post(&self, what: &str, body: &Value) {
        let path = format!("element/{}/{what}", self.number);
        self.session.post(&path, body);
    }
}
