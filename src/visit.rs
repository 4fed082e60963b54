//! One request being answered: who asks, when, from where; and what a handler may do with it.

use std::cell::{Cell, RefCell};

use jiff::tz::TimeZone;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::audit::{Action, Audited, Event};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::token::Token;
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::html::frame::Theme;
use crate::kit::http::fields::{Fields, encode};
use crate::kit::http::form::Form;
use crate::kit::http::request::{Method, Request};
use crate::kit::http::response::Response;
use crate::kit::keys::Use;
use crate::kit::throttle::Subject;
use crate::kit::time::Timestamp;
use crate::routes::Route;
use crate::scope::{Actor, Allowed, By, Enroller, Half, Holder, Right, Scope};
use crate::sessions;

/// The field that proves a form came from our page.
pub const CSRF: &str = "csrf";
/// A flash message is for the very next page.
const FLASH_TTL: i64 = 60;
/// The longest flash message, in bytes of its cookie.
const FLASH_MAX: usize = 1_500;

/// One request being answered.
pub struct Visit<'v> {
    /// The application.
    pub app: &'v App,
    /// The request as it came.
    pub request: &'v Request,
    /// Where it goes.
    pub route: &'v Route,
    /// Its one instant.
    pub now: Timestamp,
    /// Its id, for the log, the audit log and the error page.
    pub request_id: String,
    /// The fields of its body.
    pub body: Fields,
    holder: Option<(Holder, Token)>,
    visitor: Token,
    is_new_visitor: bool,
    form_drawn: Cell<bool>,
    renewed: RefCell<Option<Token>>,
}

impl std::fmt::Debug for Visit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visit({})", self.request_id)
    }
}

impl<'v> Visit<'v> {
    /// Begins to answer. The session, if any, was found at `now`.
    pub fn new(
        app: &'v App,
        request: &'v Request,
        route: &'v Route,
        opened: Opened,
    ) -> Result<Self> {
        let carried = app
            .settings
            .transport
            .read(request, "visit")
            .and_then(|text| text.parse().ok());
        let is_new_visitor = carried.is_none();
        let visitor = match carried {
            Some(token) => token,
            None => Token::new(app.random())?,
        };
        Ok(Self {
            app,
            request,
            route,
            now: opened.now,
            request_id: opened.request_id,
            body: opened.body,
            holder: opened.holder,
            visitor,
            is_new_visitor,
            form_drawn: Cell::new(false),
            renewed: RefCell::new(None),
        })
    }

    /// Who is signed in; none for strangers, nor for whoever owes a code or must set up a second factor first.
    pub fn scope(&self) -> Option<&Scope> {
        match &self.holder {
            Some((Holder::Full(scope), _)) => Some(scope),
            Some((Holder::Enrolling(_) | Holder::Half(_), _)) | None => None,
        }
    }

    /// Who is signed in, which this page needs.
    pub fn signed_in(&self) -> Result<&Scope> {
        match &self.holder {
            Some((Holder::Full(scope), _)) => Ok(scope),
            Some((Holder::Enrolling(_), _)) => Err(Error::EnrolFirst),
            Some((Holder::Half(_), _)) => Err(Error::CodeFirst),
            None => Err(Error::SignInFirst),
        }
    }

    /// Whoever may set up a second factor: who is signed in, whether or not they must set it up first.
    pub fn enroller(&self) -> Result<Enroller> {
        match &self.holder {
            Some((Holder::Full(scope), _)) => Ok(Enroller::from(scope)),
            Some((Holder::Enrolling(enrolling), _)) => Ok(enrolling.enroller()),
            Some((Holder::Half(_), _)) => Err(Error::CodeFirst),
            None => Err(Error::SignInFirst),
        }
    }

    /// Whether the session reaches the set-up of the second factor alone.
    pub fn must_enrol(&self) -> bool {
        matches!(&self.holder, Some((Holder::Enrolling(_), _)))
    }

    /// Whoever owes the code.
    pub fn half(&self) -> Option<&Half> {
        match &self.holder {
            Some((Holder::Half(half), _)) => Some(half),
            Some((Holder::Full(_) | Holder::Enrolling(_), _)) | None => None,
        }
    }

    /// Who acts, for the audit log. Whoever owes the code is nobody we know yet.
    pub fn by(&self) -> By {
        let actor = match self.enroller() {
            Ok(who) => Actor::Account {
                id: who.account,
                email: who.email,
                session: Some(who.session),
            },
            Err(_) => Actor::Stranger,
        };
        By {
            actor,
            address: Some(self.request.client),
            request_id: self.request_id.clone(),
        }
    }

    /// Who asks, for the log: whoever is signed in, or has given the password.
    pub fn who(&self) -> Option<(AccountId, OrganisationId)> {
        match &self.holder {
            Some((Holder::Full(scope), _)) => Some((scope.account, scope.organisation)),
            Some((Holder::Enrolling(enrolling), _)) => {
                let enroller = enrolling.enroller();
                Some((enroller.account, enroller.organisation))
            }
            Some((Holder::Half(half), _)) => Some((half.account, half.organisation)),
            None => None,
        }
    }

    /// The session goes on under this cookie from here on: with this answer, and in the forms that it holds.
    pub fn renew(&self, token: Token) {
        *self.renewed.borrow_mut() = Some(token);
    }

    /// Whether it does: its holder showed who they are in this very request.
    pub fn is_renewed(&self) -> bool {
        self.renewed.borrow().is_some()
    }

    /// The answer with the session's new cookie, if it got one.
    #[must_use]
    pub fn with_renewed(&self, response: Response) -> Response {
        match self.renewed.borrow().as_ref() {
            Some(token) => {
                let cookies = self.app.settings.transport;
                response.with("Set-Cookie", &cookies.set("session", &token.reveal(), None))
            }
            None => response,
        }
    }

    /// That something was refused in this request, for the audit log: in the chain of whoever is signed in, else in the
    /// system's. `code` is the answer's name for machines.
    pub fn refusal(&self, action: Action, code: &str) -> Event {
        let organisation = match &self.holder {
            Some((Holder::Full(scope), _)) => Some(scope.organisation),
            Some((Holder::Enrolling(enrolling), _)) => Some(enrolling.enroller().organisation),
            Some((Holder::Half(half), _)) => Some(half.organisation),
            None => None,
        };
        let event = match organisation {
            Some(organisation) => Event::of(organisation, action),
            None => Event::of_system(action),
        };
        let method = match self.request.method {
            Method::Post => "POST",
            Method::Get | Method::Head => "GET",
        };
        event
            .with("route", self.route.name())
            .with("method", method)
            .with("code", code)
    }

    /// Records a deed that was refused with a page of its own, where no error reaches the door.
    pub fn record_refusal(&self, code: &str) -> Result<()> {
        let event = self.refusal(Action::Denied, code);
        self.app.refuse(self.now, &self.by(), &event)
    }

    /// The right, if this session carries it.
    pub fn allow<R: Right>(&self) -> Result<Allowed<R>> {
        Allowed::to(self.signed_in()?, &self.by())
    }

    /// The zone in which times are shown.
    pub fn zone(&self) -> TimeZone {
        let zone = |name: &str| TimeZone::get(name).unwrap_or(TimeZone::UTC);
        match &self.holder {
            Some((Holder::Full(scope), _)) => zone(&scope.time_zone),
            Some((Holder::Enrolling(enrolling), _)) => zone(&enrolling.enroller().time_zone),
            Some((Holder::Half(half), _)) => zone(&half.time_zone),
            None => TimeZone::UTC,
        }
    }

    /// The colours this browser chose.
    pub fn theme(&self) -> Theme {
        let chosen = self.app.settings.transport.read(self.request, "theme");
        chosen.and_then(Theme::from_slug).unwrap_or_default()
    }

    /// Asks the file, at this request's instant.
    pub fn read<T>(&self, work: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        self.app.read(self.now, work)
    }

    /// Does a deed, in one transaction with its record.
    pub fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<Audited<T>>) -> Result<T> {
        self.app.write(self.now, |tx| {
            self.still_holds(tx)?;
            work(tx)
        })
    }

    /// Whoever acts is still who the door let in: a loss that was committed meanwhile ends this deed too.
    fn still_holds(&self, tx: &Tx<'_>) -> Result<()> {
        match self.enroller() {
            Ok(who) => sessions::check(tx, who.session, who.account),
            // A challenge is looked at by what uses it up.
            Err(_) => Ok(()),
        }
    }

    /// Does a deed that may turn out to be none.
    pub fn write_if<T>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<Option<Audited<T>>>,
    ) -> Result<Option<T>> {
        self.app.write_if(self.now, |tx| {
            self.still_holds(tx)?;
            work(tx)
        })
    }

    /// Looks up what a link opens. Each look is counted for the network address before it costs one, and taken back
    /// when the link is known: guesses alone count.
    pub fn link<T>(
        &self,
        text: &str,
        find: impl FnOnce(&Read<'_>, &Token) -> Result<Option<T>>,
    ) -> Result<(Token, T)> {
        let permit = self
            .app
            .throttle
            .take(&[Subject::Links(self.request.client)], self.now)
            .map_err(|wait| Error::too_many(wait.seconds))?;
        let token: Token = text.parse().map_err(|()| Error::NotFound)?;
        let found = self
            .read(|read| find(read, &token))?
            .ok_or(Error::NotFound)?;
        permit.succeeded();
        Ok((token, found))
    }

    /// The form that was sent; fields our page does not have, or has once, are an error.
    pub fn form(&self, known: &[&str]) -> Result<Form> {
        self.form_with(known, &[])
    }

    /// The same, where these others may be there more than once, each time with another value.
    pub fn form_with(&self, known: &[&str], repeated: &[&str]) -> Result<Form> {
        let known: Vec<&str> = known.iter().copied().chain([CSRF]).collect();
        if !self.body.are_only_with(&known, repeated) {
            return Err(Error::Malformed(
                "The form holds a field that our page does not have, or one twice.",
            ));
        }
        Ok(Form::new(self.body.clone()))
    }

    /// A value of the query; unknown ones are ignored, unreadable ones too.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = Fields::parse(self.request.query.as_deref()?.as_bytes())?;
        query.get(name).map(str::to_owned)
    }

    /// The hidden value of every form on the page: bound to the session, or to this browser before sign-in.
    pub fn csrf(&self) -> String {
        self.form_drawn.set(true);
        self.csrf_value()
    }

    /// Whether the form that was sent carries it.
    pub fn has_csrf(&self) -> bool {
        let sent = self.body.get(CSRF).unwrap_or_default();
        // A visitor without the cookie never got a form from us.
        let may_have_form = self.holder.is_some() || !self.is_new_visitor;
        may_have_form && bool::from(sent.as_bytes().ct_eq(self.csrf_value().as_bytes()))
    }

    fn csrf_value(&self) -> String {
        let renewed = self.renewed.borrow();
        let (kind, holder): (&[u8], _) = match &self.holder {
            Some((Holder::Half(_), challenge)) => (b"csrf challenge", challenge.hash()),
            Some((_, session)) => (b"csrf session", renewed.as_ref().unwrap_or(session).hash()),
            None => (b"csrf visit", self.visitor.hash()),
        };
        let mac = self.app.keys().mac(Use::Forms, &[kind, holder.bytes()]);
        data_encoding::BASE64URL_NOPAD.encode(&mac)
    }

    /// Adds the cookie that a form before sign-in is bound to, where one was drawn.
    #[must_use]
    pub fn with_visitor(&self, response: Response) -> Response {
        if self.form_drawn.get() && self.is_new_visitor && self.holder.is_none() {
            let cookie = self
                .app
                .settings
                .transport
                .set("visit", &self.visitor.reveal(), None);
            return response.with("Set-Cookie", &cookie);
        }
        response
    }

    /// To that page, with nothing to say.
    pub fn redirect(&self, route: &Route) -> Response {
        Response::see_other(&route.to_string())
    }

    /// To that page, which then says what happened.
    pub fn redirect_with(&self, route: &Route, message: &str) -> Response {
        self.with_flash(self.redirect(route), message)
    }

    /// To the sign-in page with the address filled in, which then says what happened. No link signs anybody in.
    pub fn to_sign_in(&self, email: &Email, message: &str) -> Response {
        let path = format!("{}?email={}", Route::SignIn, encode(email.as_str()));
        self.with_flash(Response::see_other(&path), message)
    }

    /// The same answer; the page it leads to says what happened.
    pub fn with_flash(&self, response: Response, message: &str) -> Response {
        let text = data_encoding::BASE64URL_NOPAD.encode(message.as_bytes());
        if text.len() > FLASH_MAX {
            return response;
        }
        let value = format!("{text}.{}", self.flash_mac(&text));
        response.with(
            "Set-Cookie",
            &self
                .app
                .settings
                .transport
                .set("flash", &value, Some(FLASH_TTL)),
        )
    }

    /// What the page before left to be said; nothing that we did not sign.
    pub fn flash(&self) -> Option<String> {
        let (text, mac) = self
            .app
            .settings
            .transport
            .read(self.request, "flash")?
            .split_once('.')?;
        if !bool::from(mac.as_bytes().ct_eq(self.flash_mac(text).as_bytes())) {
            return None;
        }
        String::from_utf8(
            data_encoding::BASE64URL_NOPAD
                .decode(text.as_bytes())
                .ok()?,
        )
        .ok()
    }

    fn flash_mac(&self, text: &str) -> String {
        let mac = self
            .app
            .keys()
            .mac(Use::Forms, &[b"flash", text.as_bytes()]);
        data_encoding::BASE64URL_NOPAD.encode(&mac)
    }
}

/// What the door found out before the visit began.
#[derive(Debug)]
pub struct Opened {
    /// The request's instant.
    pub now: Timestamp,
    /// Its id.
    pub request_id: String,
    /// Its fields.
    pub body: Fields,
    /// Who holds a cookie of ours, and the cookie.
    pub holder: Option<(Holder, Token)>,
}
