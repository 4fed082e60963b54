//! A person with a browser: cookies, the forms on the pages they saw, a network address of their own.
//!
//! `get` and `post` behave as a browser does; a [`Draft`] can leave out or forge what no browser would.

mod draft;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;

use doorward::accounts::Account;
use doorward::domain::token::Token;
use doorward::kit::http::cookie::Transport;
use doorward::kit::http::headers::Scheme;
use doorward::kit::http::request::{Method, Request};
use doorward::kit::keys::Use;
use doorward::scope::{Allowed, By, Holder, Right, Scope};
use doorward::{door, sessions};

use crate::answer::{self, Answer};
use crate::phone::Phone;
use crate::portal::House;
pub(crate) use draft::Draft;

/// What a cookie jar keeps of one cookie.
#[derive(Clone, Debug)]
struct Kept {
    value: String,
    ends_at: Option<i64>,
}

/// The cookies that forms are bound to.
const BINDING: [&str; 3] = ["session", "visit", "challenge"];

/// A person with a browser. A clone is another window of the same browser, as it is now.
#[derive(Clone)]
pub(crate) struct Visitor {
    house: Arc<House>,
    jar: BTreeMap<String, Kept>,
    forms: BTreeMap<String, String>,
    last: Option<Answer>,
    /// Where they come from.
    pub(crate) address: IpAddr,
    /// What their browser calls itself.
    pub(crate) agent: String,
    /// The address they sign in with; empty for a stranger.
    pub(crate) email: String,
    /// The password they type.
    pub(crate) password: String,
    /// Their telephone, once they set up two-factor.
    pub(crate) phone: Option<Phone>,
}

impl Visitor {
    /// Somebody who was never here, from an address of their own.
    pub(crate) fn new(house: &Arc<House>) -> Self {
        Self {
            address: house.next_address(),
            house: Arc::clone(house),
            jar: BTreeMap::new(),
            forms: BTreeMap::new(),
            last: None,
            agent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
                .to_owned(),
            email: String::new(),
            password: String::new(),
            phone: None,
        }
    }

    /// Opens a page.
    pub(crate) fn get(&mut self, path: impl Display) -> &mut Self {
        self.draft(Method::Get, path).send()
    }

    /// Asks for a page without its body.
    pub(crate) fn head(&mut self, path: impl Display) -> &mut Self {
        self.draft(Method::Head, path).send()
    }

    /// Sends the form that goes to this path. Its proof is that of the newest page that had one; where none had,
    /// the page is opened first.
    #[track_caller]
    pub(crate) fn post(&mut self, path: impl Display, fields: &[(&str, &str)]) -> &mut Self {
        let path = path.to_string();
        let proof = self.proof(&path);
        self.draft(Method::Post, path)
            .field("csrf", &proof)
            .fields(fields)
            .send()
    }

    /// Opens this page, and sends a form from it.
    #[track_caller]
    pub(crate) fn post_from(
        &mut self,
        page: impl Display,
        path: impl Display,
        fields: &[(&str, &str)],
    ) -> &mut Self {
        self.get(page);
        self.post(path, fields)
    }

    /// A request that looks like this browser's until it is told otherwise. It carries no proof by itself.
    pub(crate) fn draft(&mut self, method: Method, path: impl Display) -> Draft<'_> {
        let path = path.to_string();
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (path, None),
        };
        let settings = &self.house.app().settings;
        let host = settings.public_url.split("://").nth(1).unwrap().to_owned();
        let mut headers = vec![
            ("host".to_owned(), host),
            ("user-agent".to_owned(), self.agent.clone()),
            (
                "accept".to_owned(),
                "text/html,application/xhtml+xml,*/*;q=0.8".to_owned(),
            ),
            ("sec-fetch-site".to_owned(), "same-origin".to_owned()),
        ];
        if method == Method::Post {
            headers.push(("origin".to_owned(), settings.public_url.clone()));
            headers.push((
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ));
        }
        let cookies = self.cookie_header();
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies));
        }
        let request = Request {
            method,
            path,
            query,
            headers,
            body: Vec::new(),
            client: self.address,
        };
        Draft::new(self, request)
    }

    /// The proof for a form that goes to this path.
    #[track_caller]
    pub(crate) fn proof(&mut self, path: &str) -> String {
        if let Some(proof) = self.forms.get(path) {
            return proof.clone();
        }
        // Proofs are bound to the session, not to the form: any page of this visitor has a good one.
        if let Some(proof) = self.forms.values().next() {
            return proof.clone();
        }
        for page in [path, "/", "/sign-in", "/account/two-factor"] {
            self.get(page);
            if let Some(proof) = self.forms.get(path).or(self.forms.values().next()) {
                return proof.clone();
            }
        }
        self.fail(&format!("no page has a form for {path}"))
    }

    /// Goes where the answer points.
    #[track_caller]
    pub(crate) fn follow(&mut self) -> &mut Self {
        let Some(location) = self.location() else {
            self.fail("the answer points nowhere")
        };
        // The place on the page is for the browser alone.
        let page = location.split('#').next().unwrap_or_default().to_owned();
        self.get(page)
    }

    /// Signs in with their own address and password.
    #[track_caller]
    pub(crate) fn sign_in(&mut self) -> &mut Self {
        let (email, password) = (self.email.clone(), self.password.clone());
        self.try_password(&email, &password).answers(303);
        if self.phone.is_some() && self.cookie("challenge").is_some() {
            let code = self.code();
            self.post("/sign-in/code", &[("code", &code)]).answers(303);
        }
        self
    }

    /// A code of their phone that is good now, and was not used before. Without a phone it is one of nobody's.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let now = self.house.app().now().0;
        self.phone
            .as_ref()
            .map_or_else(|| "000000".to_owned(), |phone| phone.code(now))
    }

    /// Gives the password, and owes the code from here on.
    #[track_caller]
    pub(crate) fn give_password(&mut self) -> &mut Self {
        let (email, password) = (self.email.clone(), self.password.clone());
        self.try_password(&email, &password)
            .answers(303)
            .goes_to("/sign-in/code");
        assert!(self.cookie("challenge").is_some() && self.cookie("session").is_none());
        self
    }

    /// Begins to set up two-factor: their phone learns the key that the page shows.
    #[track_caller]
    pub(crate) fn begin_two_factor(&mut self) -> &mut Self {
        // It is asked for only where they showed it longer than ten minutes ago.
        let password = self.password.clone();
        self.post("/account/two-factor", &[("current_password", &password)])
            .answers(303)
            .follow();
        self.answers(200).learn_key()
    }

    /// Their phone learns the key that the page shows.
    #[track_caller]
    pub(crate) fn learn_key(&mut self) -> &mut Self {
        let page = self.html();
        let key = answer::between(&page, "<output id=\"key\"", "</output>");
        let (_, key) = key.split_once('>').unwrap();
        self.phone = Some(Phone::new(key));
        self
    }

    /// Sets up two-factor with a phone of their own.
    #[track_caller]
    pub(crate) fn enrol(&mut self) -> &mut Self {
        self.begin_two_factor();
        let code = self.code();
        self.post("/account/two-factor/confirm", &[("code", &code)])
            .answers(200);
        let page = self.html();
        let list = answer::between(&page, "<ol class=\"codes\"", "</ol>");
        let codes: Vec<String> = list
            .split("<li>")
            .skip(1)
            .map(|item| item.split('<').next().unwrap_or_default().to_owned())
            .collect();
        if let Some(phone) = &mut self.phone {
            phone.recovery = codes;
        }
        self
    }

    /// Types an address and a password into the sign-in form, whatever comes of it.
    #[track_caller]
    pub(crate) fn try_password(&mut self, email: &str, password: &str) -> &mut Self {
        self.post("/sign-in", &[("email", email), ("password", password)])
    }

    /// Signs out.
    #[track_caller]
    pub(crate) fn sign_out(&mut self) -> &mut Self {
        self.post("/sign-out", &[]).answers(303)
    }

    /// Another browser of the same person: no cookies, another network address.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            email: self.email.clone(),
            password: self.password.clone(),
            phone: self.phone.clone(),
            ..Self::new(&self.house)
        }
    }

    /// The last answer.
    #[track_caller]
    pub(crate) fn last(&self) -> &Answer {
        self.last.as_ref().expect("nothing was asked yet")
    }

    /// Its status.
    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        self.last().status
    }

    /// Where it points.
    #[track_caller]
    pub(crate) fn location(&self) -> Option<String> {
        self.last().header("Location").map(str::to_owned)
    }

    /// The words on its page.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.last().text()
    }

    /// Its body.
    #[track_caller]
    pub(crate) fn html(&self) -> String {
        self.last().html()
    }

    /// A header of it.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.last().header(name).map(str::to_owned)
    }

    /// It must have this status.
    #[track_caller]
    pub(crate) fn answers(&mut self, status: u16) -> &mut Self {
        if self.status() != status {
            self.fail(&format!("{status} was expected"));
        }
        self
    }

    /// It must point there.
    #[track_caller]
    pub(crate) fn goes_to(&mut self, path: impl Display) -> &mut Self {
        let path = path.to_string();
        if self.location().as_deref() != Some(path.as_str()) {
            self.fail(&format!("it should point to {path}"));
        }
        self
    }

    /// A person must be able to read this on it.
    #[track_caller]
    pub(crate) fn sees(&mut self, words: &str) -> &mut Self {
        if !self.text().contains(words) {
            self.fail(&format!("{words:?} should be on it"));
        }
        self
    }

    /// Nobody may be able to read this on it.
    #[track_caller]
    pub(crate) fn sees_not(&mut self, words: &str) -> &mut Self {
        if self.text().contains(words) {
            self.fail(&format!("{words:?} should not be on it"));
        }
        self
    }

    /// The value of a cookie, by its name without prefix.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let name = self.transport().name(name);
        self.jar.get(&name).map(|kept| kept.value.clone())
    }

    /// The names of all cookies, as they stand in the jar.
    pub(crate) fn cookie_names(&self) -> Vec<&str> {
        self.jar.keys().map(String::as_str).collect()
    }

    /// Puts a cookie into the jar, under exactly that name.
    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        let kept = Kept {
            value: value.to_owned(),
            ends_at: None,
        };
        self.jar.insert(name.to_owned(), kept);
    }

    /// Carries this session from here on, with the proof that its forms have: as after a sign-in, without one.
    pub(crate) fn carry(&mut self, session: &Token) {
        let name = self.transport().name("session");
        self.plant(&name, &session.reveal());
        let hash = session.hash();
        let parts: [&[u8]; 2] = [b"csrf session", hash.bytes()];
        let proof = self.house.app().keys().mac(Use::Forms, &parts);
        self.forms.clear();
        let proof = data_encoding::BASE64URL_NOPAD.encode(&proof);
        self.forms.insert("/".to_owned(), proof);
    }

    /// Loses a cookie, by its name without prefix.
    pub(crate) fn lose(&mut self, name: &str) {
        if BINDING.contains(&name) {
            self.forms.clear();
        }
        let name = self.transport().name(name);
        self.jar.remove(&name);
    }

    /// The Cookie header this browser sends.
    pub(crate) fn cookie_header(&mut self) -> String {
        let now = self.house.app().now().0;
        self.jar
            .retain(|_, kept| kept.ends_at.is_none_or(|end| now < end));
        let pairs: Vec<String> = self
            .jar
            .iter()
            .map(|(name, kept)| format!("{name}={}", kept.value))
            .collect();
        pairs.join("; ")
    }

    /// Whose address this is, as the file has it now.
    #[track_caller]
    pub(crate) fn account(&self) -> Account {
        self.house.account(&self.email)
    }

    /// What their session is, as the door finds it; none when it is over, or reaches the set-up of two-factor alone.
    pub(crate) fn scope(&self) -> Option<Scope> {
        match self.holder()? {
            Holder::Full(scope) => Some(scope),
            Holder::Enrolling(_) | Holder::Half(_) => None,
        }
    }

    /// Who their session says they are; none when it is over.
    pub(crate) fn holder(&self) -> Option<Holder> {
        let token: Token = self.cookie("session")?.parse().ok()?;
        let app = self.house.app();
        app.read(app.now(), |read| {
            sessions::find(read, &token.hash(), app.settings.lifetimes)
        })
        .unwrap()
        .map(|found| found.holder)
    }

    /// Whether their session reaches the set-up of two-factor alone.
    pub(crate) fn must_enrol(&self) -> bool {
        matches!(self.holder(), Some(Holder::Enrolling(_)))
    }

    /// Whether their session is alive, and more than that of somebody who must set up two-factor first.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.scope().is_some()
    }

    /// Who acts, for verbs that a test calls itself.
    #[track_caller]
    pub(crate) fn by(&self) -> By {
        let scope = self.scope().expect("they are not signed in");
        By {
            actor: doorward::scope::Actor::Account {
                id: scope.account,
                email: scope.email,
                session: Some(scope.session),
            },
            address: Some(self.address),
            request_id: "test".to_owned(),
        }
    }

    /// The right, as their session carries it, for verbs that a test calls itself.
    #[track_caller]
    pub(crate) fn allowed<R: Right>(&self) -> Allowed<R> {
        Allowed::to(&self.scope().unwrap(), &self.by()).expect("their session lacks the right")
    }

    /// Ends the test, with everything a person needs to see why.
    #[track_caller]
    pub(crate) fn fail(&self, why: &str) -> ! {
        let answer = self.last.as_ref().map_or_else(
            || "nothing was asked".to_owned(),
            |answer| {
                let location = answer.header("Location").map(|to| format!(" to {to}"));
                format!(
                    "{} answered {}{}\n{}",
                    answer.asked,
                    answer.status,
                    location.unwrap_or_default(),
                    answer.text()
                )
            },
        );
        panic!("{why}\n\n{answer}\n\n{}", self.house.report());
    }

    fn transport(&self) -> Transport {
        self.house.app().settings.transport
    }

    fn send(&mut self, request: &Request) -> &mut Self {
        let app = self.house.app();
        let response = door::handle(&app, request);
        let scheme = match app.settings.transport {
            Transport::Https => Scheme::Https,
            Transport::Http => Scheme::Http,
        };
        let answer = Answer::new(request, &response, scheme);
        self.house.note(request, &answer);
        for cookie in answer.all("Set-Cookie") {
            self.keep(cookie, app.now().0);
        }
        for (action, proof) in answer.forms() {
            self.forms.insert(action, proof);
        }
        self.last = Some(answer);
        self
    }

    /// Does with a Set-Cookie what a browser does.
    fn keep(&mut self, cookie: &str, now: i64) {
        let mut parts = cookie.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let age = parts
            .find_map(|part| part.strip_prefix("Max-Age="))
            .map(|age| age.parse::<i64>().unwrap());
        if BINDING
            .map(|one| self.transport().name(one))
            .contains(&name.to_owned())
        {
            // The forms seen so far were bound to what this cookie was before.
            self.forms.clear();
        }
        if age == Some(0) {
            self.jar.remove(name);
        } else {
            let kept = Kept {
                value: value.to_owned(),
                ends_at: age.map(|age| now + age),
            };
            self.jar.insert(name.to_owned(), kept);
        }
    }
}
