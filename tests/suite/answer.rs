//! One answer as a browser gets it, and what a person sees of it.

use doorward::kit::http::headers::{self, Scheme};
use doorward::kit::http::request::Request;
use doorward::kit::http::response::{Body, Response};

use crate::markup;

/// One answer, with every header that leaves the house.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// What was asked: the method and the path with its query.
    pub(crate) asked: String,
    /// The status code.
    pub(crate) status: u16,
    /// Names as sent, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// What follows the head; empty for HEAD.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The answer as the server puts it on the wire.
    pub(crate) fn new(request: &Request, response: &Response, scheme: Scheme) -> Self {
        let query = request.query.as_deref().map(|query| format!("?{query}"));
        let method = format!("{:?}", request.method).to_uppercase();
        let body = match &response.body {
            _ if !headers::has_body(response.status, request.method) => Vec::new(),
            Body::Streamed(stream) => std::iter::from_fn(|| stream.next())
                .flat_map(|piece| piece.expect("the stream broke off"))
                .collect(),
            whole => whole.bytes().to_vec(),
        };
        Self {
            asked: format!("{method} {}{}", request.path, query.unwrap_or_default()),
            status: response.status,
            headers: headers::complete(response, scheme)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body,
        }
    }

    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// The body as text.
    pub(crate) fn html(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether it is a page.
    pub(crate) fn is_page(&self) -> bool {
        !self.body.is_empty()
            && self
                .header("Content-Type")
                .is_some_and(|kind| kind.starts_with("text/html"))
    }

    /// The words on the page, one blank between them.
    pub(crate) fn text(&self) -> String {
        if self.is_page() {
            words(&self.html())
        } else {
            self.html()
        }
    }

    /// What a phone learns from it, and the recovery codes on it: shown once, and kept nowhere as they are.
    pub(crate) fn keys(&self) -> Vec<String> {
        let page = self.html();
        let key = page
            .split_once("<output id=\"key\"")
            .and_then(|(_, rest)| rest.split_once('>'))
            .and_then(|(_, rest)| rest.split_once("</output>"))
            .map(|(key, _)| key.replace(' ', ""));
        let codes = page
            .split_once("<ol class=\"codes\"")
            .and_then(|(_, rest)| rest.split_once("</ol>"))
            .map(|(list, _)| list.to_owned())
            .unwrap_or_default();
        let codes = codes
            .split("<li>")
            .skip(1)
            .map(|item| item.split('<').next().unwrap_or_default().to_owned());
        key.into_iter().chain(codes).collect()
    }

    /// The forms that do something: where each goes, and the proof it carries.
    pub(crate) fn forms(&self) -> Vec<(String, String)> {
        if !self.is_page() {
            return Vec::new();
        }
        let (elements, _) = markup::parse(&self.html());
        let mut forms = Vec::new();
        for (index, form) in elements.iter().enumerate() {
            if form.name != "form" || form.get("method") != Some("post") {
                continue;
            }
            let proof = elements
                .iter()
                .find(|input| input.get("name") == Some("csrf") && input.around.contains(&index));
            if let (Some(action), Some(proof)) = (
                form.get("action"),
                proof.and_then(|input| input.get("value")),
            ) {
                forms.push((plain(action), plain(proof)));
            }
        }
        forms
    }
}

/// Markup without its tags, its entities read, its blanks made one.
pub(crate) fn words(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        // Words in neighbouring elements are words of their own, but for those that only colour a part of one.
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        let name = tag.trim_start_matches('/').split([' ', '\n']).next();
        if !matches!(
            name,
            Some("b" | "i" | "em" | "strong" | "code" | "a" | "time")
        ) {
            text.push(' ');
        }
        rest = after;
    }
    text.push_str(rest);
    plain(&text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Text with its entities read.
pub(crate) fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

/// What stands between the first of these and the next of those.
#[track_caller]
pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).expect(before);
    let (found, _) = rest.split_once(after).expect(after);
    found
}

/// The token of our length that follows this piece of a path, wherever it stands in the text.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for door in [
        "/activate/",
        "/reset-password/",
        "/account/email/",
        "/setup/",
        "/sign-in/link/",
    ] {
        for piece in text.split(door).skip(1) {
            let token: String = piece
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
                .collect();
            if token.len() == 43 && !found.contains(&token) {
                found.push(token);
            }
        }
    }
    found
}

#[test]
fn words_are_what_a_person_reads() {
    assert_eq!(
        words("<h1>A &amp; B</h1><p>one <b>two</b>,\n three</p><p>four</p>"),
        "A & B one two, three four"
    );
}

#[test]
fn a_link_is_found_in_any_text() {
    let token = "x".repeat(43);
    let text =
        format!("Go to https://portal.example.com/activate/{token}, or not: /activate/short");
    assert_eq!(tokens(&text), [token]);
}
