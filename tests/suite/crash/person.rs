//! Somebody who is invited, comes, goes and forgets their password, and remembers what they were told.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use super::deeds::{Deed, Managed};
use crate::client::{Client, Page};
use crate::letter::{Letter, path_of};
use crate::relay::Relay;
use crate::served::PASSWORD;

const NEW_PASSWORD: &str = "Louder-Harbour-10";
const THIRD_PASSWORD: &str = "Calmer-Harbour-11";

/// Whether something was done, as far as its person knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Nobody asked for it.
    No,
    /// It was asked for, and the server died before it answered.
    Perhaps,
    /// The server said so.
    Yes,
}

impl Done {
    /// What it turned out to be, once the file says so; `None` if that contradicts what was said or asked for.
    pub(crate) const fn settled(self, found: Self) -> Option<Self> {
        match (self, found) {
            (Self::Yes | Self::Perhaps, Self::Yes) => Some(Self::Yes),
            (Self::No | Self::Perhaps, Self::No) => Some(Self::No),
            _ => None,
        }
    }
}

impl From<bool> for Done {
    fn from(is_done: bool) -> Self {
        if is_done { Self::Yes } else { Self::No }
    }
}

/// What came of a step.
pub(crate) enum Came {
    /// The server said yes to a change.
    Done,
    /// A mail has to come first.
    Waits,
    /// There is nothing left to do.
    Finished,
    /// The server is gone.
    ServerGone,
}

/// A person, and what they know.
pub(crate) struct Person {
    /// Their address.
    pub(crate) email: String,
    /// Whether they are invited.
    pub(crate) invited: Done,
    /// Whether their account is Active.
    pub(crate) activated: Done,
    /// Whether they asked for a reset link.
    pub(crate) asked: Done,
    /// Whether they used it.
    pub(crate) reset: Done,
    /// How their account stands, once a Master has it in hand.
    pub(crate) managed: Option<Managed>,
    /// Whether a Master has it in hand as soon as it is Active.
    pub(crate) is_early: bool,
    /// In which organisation, counted from the first.
    pub(crate) home: usize,
    /// The cookie that must open the Portal.
    pub(crate) session: Option<String>,
    /// Cookies that must open nothing any more.
    pub(crate) ended: Vec<String>,
    client: Client,
}

impl Person {
    /// Somebody whom nobody has invited yet. Each has a network address of their own.
    pub(crate) fn new(number: usize) -> Self {
        let [.., a, b, c] = number.to_be_bytes();
        let address = format!("10.{a}.{b}.{c}");
        Self {
            email: format!("person{number}@haldenworks.example"),
            invited: Done::No,
            activated: Done::No,
            asked: Done::No,
            reset: Done::No,
            managed: None,
            is_early: false,
            home: 0,
            session: None,
            ended: Vec::new(),
            client: Client::new("").behind("http://localhost", &[("x-forwarded-for", &address)]),
        }
    }

    /// The password that opens their account; none while nobody can sign in with it.
    pub(crate) fn password(&self) -> Option<&'static str> {
        if let Some(managed) = &self.managed {
            let standing = &managed.standing;
            if standing.status != "active" || !standing.has_password {
                return None;
            }
            if managed.is_done(Deed::SetAnother) {
                return Some(THIRD_PASSWORD);
            }
        }
        Some(match self.reset {
            Done::Yes => NEW_PASSWORD,
            Done::No | Done::Perhaps => PASSWORD,
        })
    }

    /// Whether they have done all that they do of their own accord.
    pub(crate) fn is_ready(&self) -> bool {
        self.reset == Done::Yes || self.is_early && self.activated == Done::Yes
    }

    /// The server is here now.
    pub(crate) fn move_to(&mut self, address: &str) {
        self.client.move_to(address);
    }

    /// The next thing this person does.
    pub(crate) fn step(&mut self, relay: &Relay) -> Came {
        if self.activated != Done::Yes {
            return self.activate(relay);
        }
        if self.session.is_none() && self.ended.len() < 2 {
            return self.sign_in();
        }
        if self.ended.is_empty() {
            return self.sign_out();
        }
        if self.asked != Done::Yes {
            return self.ask();
        }
        if self.reset != Done::Yes {
            return self.set_another_password(relay);
        }
        Came::Finished
    }

    /// Opens the activation link.
    pub(crate) fn activate(&mut self, relay: &Relay) -> Came {
        let Some(path) = link(relay, &self.email, "/activate/") else {
            return Came::Waits;
        };
        let fields = [
            ("name", "Pia Person"),
            ("password", PASSWORD),
            ("password_confirmation", PASSWORD),
        ];
        let came = self.post(&path, &path, &fields, |person| &mut person.activated);
        came.map_or(Came::ServerGone, |_| Came::Done)
    }

    /// Signs in.
    pub(crate) fn sign_in(&mut self) -> Came {
        let email = self.email.clone();
        let fields = [("email", &*email), ("password", self.password().unwrap())];
        // A session nobody knows of does no harm.
        let mut ignored = Done::No;
        if self
            .send("/sign-in", "/sign-in", &fields, &mut ignored)
            .is_none()
        {
            return Came::ServerGone;
        }
        let cookie = self.client.cookie("session").unwrap();
        self.session = Some(cookie.value.clone());
        Came::Done
    }

    fn sign_out(&mut self) -> Came {
        // Until the server says so, this session is neither here nor there.
        let cookie = self.session.take().unwrap();
        let mut ignored = Done::No;
        if self.send("/", "/sign-out", &[], &mut ignored).is_none() {
            self.client.plant("session", "");
            return Came::ServerGone;
        }
        self.ended.push(cookie);
        Came::Done
    }

    fn ask(&mut self) -> Came {
        let email = self.email.clone();
        let page = "/forgot-password";
        let came = self.post(page, page, &[("email", &email)], |person| &mut person.asked);
        came.map_or(Came::ServerGone, |_| Came::Done)
    }

    fn set_another_password(&mut self, relay: &Relay) -> Came {
        let Some(path) = link(relay, &self.email, "/reset-password/") else {
            return Came::Waits;
        };
        let fields = [
            ("password", NEW_PASSWORD),
            ("password_confirmation", NEW_PASSWORD),
        ];
        // Whatever comes of it: if it was done, every session is over.
        if self
            .post(&path, &path, &fields, |person| &mut person.reset)
            .is_none()
        {
            return Came::ServerGone;
        }
        self.ended.extend(self.session.take());
        Came::Done
    }

    /// Uses the link that came after a Master took the password away.
    pub(crate) fn set_a_third_password(&mut self, relay: &Relay) -> Came {
        let Some(path) = link(relay, &self.email, "/reset-password/") else {
            return Came::Waits;
        };
        // The newest may still be one from before.
        let Some(page) = self.client.try_get(&path) else {
            return Came::ServerGone;
        };
        if page.status != 200 {
            return Came::Waits;
        }
        let fields = [
            ("password", THIRD_PASSWORD),
            ("password_confirmation", THIRD_PASSWORD),
        ];
        self.managed.as_mut().unwrap().perhaps = Some(Deed::SetAnother);
        match self.client.try_post_form(&path, &fields) {
            None => Came::ServerGone,
            Some(answer) => {
                assert_eq!(answer.status, 303, "{} {answer:#?}", self.email);
                Came::Done
            }
        }
    }

    /// Invites this person, in somebody else's name.
    pub(crate) fn invite(&mut self, by: &mut Client) -> Came {
        let Some(page) = by.try_get("/iam/accounts/new") else {
            return Came::ServerGone;
        };
        assert_eq!(page.status, 200, "{page:#?}");
        self.invited = Done::Perhaps;
        let fields = [("email", &*self.email), ("role", "member")];
        match by.try_post_form("/iam/accounts", &fields) {
            None => Came::ServerGone,
            Some(page) => {
                assert_eq!(page.status, 303, "{page:#?}");
                self.invited = Done::Yes;
                Came::Done
            }
        }
    }

    /// Sends the form of a page, and keeps in mind what came of it.
    fn post(
        &mut self,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
        what: fn(&mut Self) -> &mut Done,
    ) -> Option<Page> {
        let mut done = *what(self);
        let answer = self.send(page, action, fields, &mut done);
        *what(self) = done;
        answer
    }

    fn send(
        &mut self,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
        done: &mut Done,
    ) -> Option<Page> {
        let form = self.client.try_get(page)?;
        assert_eq!(form.status, 200, "{} {form:#?}", self.email);
        *done = Done::Perhaps;
        let answer = self.client.try_post_form(action, fields)?;
        assert_eq!(answer.status, 303, "{} {answer:#?}", self.email);
        *done = Done::Yes;
        Some(answer)
    }
}

/// The path of the link in the newest mail to this person that has one through this door.
fn link(relay: &Relay, to: &str, door: &str) -> Option<String> {
    let mail = relay.newest(|mail| mail.to == [to] && mail.data.contains(door))?;
    Some(path_of(&Letter::read(&mail.data).link()))
}

/// What the file keeps of a cookie.
pub(crate) fn hash_of(cookie: &str) -> Vec<u8> {
    let bytes = BASE64URL_NOPAD.decode(cookie.as_bytes()).unwrap();
    Sha256::digest(bytes).to_vec()
}
