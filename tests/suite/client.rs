//! A person without a browser, in front of the real binary: HTTP over a socket, with
//! cookies and the hidden fields of forms. It follows no redirect and takes every
//! status as an answer, because those are what the tests look at.

use std::time::Duration;

use crate::html;
use crate::stand_in::{Answer, Asked, StandIn};

/// Someone with cookies, and the page before them.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    origin: String,
    site: Option<String>,
    always: Vec<(String, String)>,
    cookies: Vec<Cookie>,
    page: Option<Page>,
}

/// A cookie as the server set it.
#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    /// Its name.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
    /// The rest of its line: `; Path=/; HttpOnly …`.
    pub(crate) attributes: String,
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// The path that was asked for.
    pub(crate) path: String,
    /// The status code.
    pub(crate) status: u16,
    /// The headers in order, their names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

impl Page {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// Where the answer sends the reader.
    pub(crate) fn location(&self) -> &str {
        self.header("location")
            .unwrap_or_else(|| panic!("no redirect:\n{self:#?}"))
    }

    /// What a reader sees.
    pub(crate) fn text(&self) -> String {
        html::text(&self.body)
    }
}

impl Client {
    /// Someone without cookies, in front of the server at `origin` (`http://…:port`).
    pub(crate) fn new(origin: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(30)));
        Self {
            agent: config.build().into(),
            origin: origin.to_owned(),
            site: None,
            always: Vec::new(),
            cookies: Vec::new(),
            page: None,
        }
    }

    /// The same, where a proxy stands in between: the browser knows the server by this name, and the proxy adds these
    /// headers to every request.
    pub(crate) fn behind(mut self, site: &str, headers: &[(&str, &str)]) -> Self {
        let (_, host) = site.split_once("://").unwrap();
        self.site = Some(site.to_owned());
        self.always = vec![("host".to_owned(), host.to_owned())];
        for (name, value) in headers {
            self.always.push(((*name).to_owned(), (*value).to_owned()));
        }
        self
    }

    /// Asks for a page.
    pub(crate) fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, &[], "")
    }

    /// Sends the form of the last page whose action is `action`, with its hidden
    /// fields as they are and these fields besides; a field named like a hidden one
    /// takes its place.
    pub(crate) fn post_form(&mut self, action: &str, fields: &[(&str, &str)]) -> Page {
        let Some((headers, body)) = self.filled_in(action, fields) else {
            panic!("no form {action} on this page:\n{:#?}", self.page)
        };
        let headers = headers.each_ref().map(|(name, value)| (*name, &**value));
        self.send("POST", action, &headers, &body)
    }

    /// The same, for a server that may end meanwhile: nothing unless a whole status line came.
    pub(crate) fn try_post_form(&mut self, action: &str, fields: &[(&str, &str)]) -> Option<Page> {
        let (headers, body) = self.filled_in(action, fields)?;
        let headers = headers.each_ref().map(|(name, value)| (*name, &**value));
        self.try_send("POST", action, &headers, &body).ok()
    }

    /// Asks for a page of a server that may end meanwhile.
    pub(crate) fn try_get(&mut self, path: &str) -> Option<Page> {
        self.try_send("GET", path, &[], "").ok()
    }

    /// Sends just this, and the cookies: nothing is added that a browser would add.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Page {
        let sent = self.try_send(method, path, headers, body);
        sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Page, ureq::Error> {
        let url = format!("{}{path}", self.origin);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in &self.always {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(Cookie::pair).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        let answer = if body.is_empty() {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body.to_owned()).unwrap())
        };
        Ok(self.take_in(path, answer?))
    }

    /// The server is at this address from now on; cookies and the page before stay.
    pub(crate) fn move_to(&mut self, origin: &str) {
        origin.clone_into(&mut self.origin);
    }

    /// Holds a cookie that no server set.
    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        self.keep(Cookie::read(&format!("{name}={value}")));
    }

    /// The cookie of this name, if it is held.
    pub(crate) fn cookie(&self, name: &str) -> Option<&Cookie> {
        self.cookies.iter().find(|cookie| cookie.name == name)
    }

    /// The headers and the body that a browser makes of the form with this action.
    fn filled_in(
        &self,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Option<([(&'static str, String); 3], String)> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        for input in self.form(action)?.inputs {
            if input.kind == "hidden" && fields.iter().all(|(name, _)| *name != input.name) {
                body.append_pair(&input.name, &input.value);
            }
        }
        body.extend_pairs(fields);
        // What browsers say of a form that is sent from the site itself.
        let headers = [
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
            ("origin", self.site.clone().unwrap_or(self.origin.clone())),
            ("sec-fetch-site", "same-origin".to_owned()),
        ];
        Some((headers, body.finish()))
    }

    /// The form of the last page with this action.
    fn form(&self, action: &str) -> Option<html::Form> {
        let page = self.page.as_ref()?;
        html::forms(&page.body)
            .into_iter()
            .find(|form| form.action == action || (form.action.is_empty() && action == page.path))
    }

    fn take_in(&mut self, path: &str, mut answer: ureq::http::Response<ureq::Body>) -> Page {
        let mut headers = Vec::new();
        for (name, value) in answer.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if name == "set-cookie" {
                self.keep(Cookie::read(&value));
            }
            headers.push((name.as_str().to_owned(), value));
        }
        // A server that ended in the middle has answered all the same.
        let body = answer.body_mut().read_to_vec().unwrap_or_default();
        let page = Page {
            path: path.to_owned(),
            status: answer.status().as_u16(),
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        self.page = Some(page.clone());
        page
    }

    fn keep(&mut self, cookie: Cookie) {
        self.cookies.retain(|known| known.name != cookie.name);
        if !cookie.is_gone() {
            self.cookies.push(cookie);
        }
    }
}

impl Cookie {
    fn read(line: &str) -> Self {
        let (pair, attributes) = line.split_at(line.find(';').unwrap_or(line.len()));
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            attributes: attributes.to_owned(),
        }
    }

    fn pair(&self) -> String {
        format!("{}={}", self.name, self.value)
    }

    fn is_gone(&self) -> bool {
        let mut attributes = self.attributes.split(';');
        attributes.any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"))
    }
}

const SIGN_IN: &str = r#"<form method="post" action="/other"><input type="hidden" name="csrf" value="no"></form>
    <form method="post" action="/sign-in"><input type="hidden" name="csrf" value="a+b">
    <input type="hidden" name="next" value="/iam"><input name="email"></form>"#;

fn answer(asked: &Asked) -> Answer {
    let line = |line: &str| line.to_owned();
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/sign-in") => Answer(
            200,
            vec![line("Set-Cookie: a=1; Path=/; HttpOnly")],
            SIGN_IN,
        ),
        ("POST", "/sign-in") => {
            assert_eq!(asked.body, "csrf=a%2Bb&email=ann%40x.example&next=%2Fhome");
            assert_eq!(asked.header("cookie"), "a=1");
            assert_eq!(
                asked.header("origin"),
                format!("http://{}", asked.header("host"))
            );
            let cookies = vec![
                line("Set-Cookie: a=; Max-Age=0"),
                line("Set-Cookie: b=2"),
                line("Location: /home"),
            ];
            Answer(303, cookies, "")
        }
        ("GET", "/home") => {
            assert_eq!(asked.header("cookie"), "b=2");
            Answer(500, Vec::new(), "<p>Out of order</p>")
        }
        _ => Answer(404, Vec::new(), ""),
    }
}

#[test]
fn a_client_keeps_cookies_and_sends_hidden_fields() {
    let server = StandIn::serve(answer);
    let mut client = Client::new(&server.url());

    assert_eq!(client.get("/sign-in").status, 200);
    assert_eq!(client.cookie("a").unwrap().attributes, "; Path=/; HttpOnly");

    let sent = client.post_form("/sign-in", &[("email", "ann@x.example"), ("next", "/home")]);
    assert_eq!((sent.status, sent.location()), (303, "/home"));
    assert!(client.cookie("a").is_none());

    let home = client.get("/home");
    assert_eq!((home.status, home.text().as_str()), (500, "Out of order"));
    assert_eq!(
        client.send("PUT", "/home", &[("x-a", "b")], "c").status,
        404
    );
}
