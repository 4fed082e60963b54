//! The mails of two-factor: on, off, reset by another, recovery codes used or made anew, and the end of grace that draws
//! near.
//!
//! Each is written when it is sent. Word of what happened is sent though it changed since: whoever did not do it must learn
//! that somebody did, also of what was undone again. It is not sent to whoever may not use the account any more, nor to an
//! address that is no longer theirs. The reminder is sent only while it holds.

use crate::accounts::{self, Account, Status};
use crate::app::Settings;
use crate::domain::id::AccountId;
use crate::domain::policy::Asked;
use crate::error::{Error, Result};
use crate::kit::dates::{long_day, long_moment};
use crate::kit::db::Read;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::kit::time::Timestamp;
use crate::organisations::{self, Organisation};
use crate::outbox::{Errand, Place, Recipient};
use crate::passwords::mail::doer;
use crate::routes::Route;
use crate::sessions::mail::sign_out_everywhere;
use crate::two_factor;

/// What a mail needs to know.
struct Facts<'f> {
    read: &'f Read<'f>,
    settings: &'f Settings,
    to: &'f Recipient,
    account: Account,
    organisation: Organisation,
}

/// The mail of this errand; none once it is not to be sent any more, or for another kind of errand.
pub fn letter(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    errand: &Errand,
) -> Result<Option<Letter>> {
    let account = accounts::find(read, to.account)?.filter(|account| {
        account.status == Status::Active && account.email.as_ref() == Some(&to.email)
    });
    let Some(account) = account else {
        return Ok(None);
    };
    let organisation = organisations::get(read, to.organisation)?;
    let facts = Facts {
        read,
        settings,
        to,
        account,
        organisation,
    };
    match errand {
        Errand::TwoFactorOn {
            place,
            replaced: false,
        } => Ok(Some(facts.on(place))),
        Errand::TwoFactorOn {
            place,
            replaced: true,
        } => Ok(Some(facts.moved(place))),
        Errand::TwoFactorOff(place) => Ok(Some(facts.off(place))),
        Errand::TwoFactorReset(by) => facts.reset(*by).map(Some),
        Errand::RecoveryUsed(place, left) => facts.recovery_used(place, *left).map(Some),
        Errand::CodesRenewed(place) => Ok(Some(facts.codes_renewed(place))),
        Errand::GraceEnds(end) => facts.grace_ends(*end),
        _ => Ok(None),
    }
}

impl Facts<'_> {
    /// What most of them have in common: something happened, here is your account, and the way out.
    fn notice(&self, heading: &str, what: Paragraph, then: &str) -> Letter {
        let name = &self.organisation.name;
        Letter {
            subject: format!("{heading} at {name}"),
            brand: name.to_string(),
            heading: heading.to_owned(),
            paragraphs: vec![what, Paragraph::new(then)],
            button: Some(Button {
                label: "Open your account".to_owned(),
                url: self.settings.link(&Route::Profile),
            }),
            closing: Vec::new(),
            doubt: format!(
                "Not you? Sign out everywhere, choose a new password, and tell a Master of {name}."
            ),
            way_out: sign_out_everywhere(self.settings),
            recipient: self.to.email.to_string(),
            host: self.settings.host().to_owned(),
        }
    }

    /// " on Tuesday 24 November 2026, 14:20 (Europe/Oslo), from Firefox on Linux, network address 192.0.2.1."
    fn at(&self, place: &Place) -> String {
        let at = long_moment(Timestamp(place.at), &self.organisation.zone());
        format!(
            " on {at}, from {}, network address {}.",
            place.agent, place.address
        )
    }

    fn on(&self, place: &Place) -> Letter {
        let what = Paragraph::new("2-step verification was enabled for your account at ")
            .strong(self.organisation.name.as_str())
            .then(self.at(place));
        self.notice(
            "2-step verification is on",
            what,
            "Signing in asks for a code of the app after the password from then on, and every other browser was signed out. \
             Was it you? Then there is nothing to do but to keep the recovery codes somewhere other than your phone.",
        )
    }

    fn moved(&self, place: &Place) -> Letter {
        let what = Paragraph::new("The 2-step verification of your account at ")
            .strong(self.organisation.name.as_str())
            .then(" was moved to another phone")
            .then(self.at(place));
        self.notice(
            "2-step verification is on another phone",
            what,
            "The app on the phone before and the older recovery codes stopped working, and every other browser was signed \
             out. Was it you? Then there is nothing to do but to keep the new recovery codes somewhere other than your phone.",
        )
    }

    fn off(&self, place: &Place) -> Letter {
        let what = Paragraph::new("2-step verification was disabled for your account at ")
            .strong(self.organisation.name.as_str())
            .then(self.at(place));
        self.notice(
            "2-step verification is off",
            what,
            "The app and the recovery codes stopped working, and the password alone signs in from then on. Every other \
             browser was signed out. Was it you? Then there is nothing to do.",
        )
    }

    fn codes_renewed(&self, place: &Place) -> Letter {
        let what = Paragraph::new("New recovery codes were made for your account at ")
            .strong(self.organisation.name.as_str())
            .then(self.at(place));
        self.notice(
            "New recovery codes were made",
            what,
            "The older ones stopped working. Was it you? Then there is nothing to do but to keep the new ones somewhere \
             other than your phone.",
        )
    }

    /// What is left is told as it was then, and what to do as it is now: whoever disabled it with this very code has
    /// none to count.
    fn recovery_used(&self, place: &Place, left: usize) -> Result<Letter> {
        let heading = "A recovery code was used";
        let what = Paragraph::new("A recovery code of your account at ")
            .strong(self.organisation.name.as_str())
            .then(" was used in place of a code of the app")
            .then(self.at(place));
        let (count, then) = match two_factor::state(self.read, self.account.id)? {
            None => (None, "2-step verification is off since, and the other codes stopped working.".to_owned()),
            Some(now) if now.codes_left > left => {
                (None, "New recovery codes were made since, and the others stopped working.".to_owned())
            }
            Some(_) => match left {
                0 => (
                    Some("none left".to_owned()),
                    "It was the last one: without another, a lost phone locks you out. Make new ones now, on the \
                     Two-factor page of your account."
                        .to_owned(),
                ),
                1 => (
                    Some("1 left".to_owned()),
                    "One is left. Make new ones soon, on the Two-factor page of your account.".to_owned(),
                ),
                left => (
                    Some(format!("{left} left")),
                    format!(
                        "{left} are left. Is the phone lost? Then move 2-step verification to another one, on the \
                         Two-factor page of your account."
                    ),
                ),
            },
        };
        Ok(Letter {
            subject: match count {
                Some(count) => format!("{heading} ({count})"),
                None => format!("{heading} at {}", self.organisation.name),
            },
            button: Some(Button {
                label: "Open two-factor".to_owned(),
                url: self.settings.link(&Route::TwoFactor),
            }),
            ..self.notice(heading, what, &then)
        })
    }

    /// Every session has ended with it, so that there is nothing to sign out; and the password alone opens the account, so
    /// that another password is what helps.
    fn reset(&self, by: Option<AccountId>) -> Result<Letter> {
        let by = match by {
            Some(id) => Some(accounts::find(self.read, id)?.ok_or(Error::NotFound)?),
            None => None,
        };
        let (first, within) = doer(self.settings, by.as_ref());
        let name = &self.organisation.name;
        Ok(Letter {
            button: Some(Button {
                label: "Sign in".to_owned(),
                url: self.settings.link(&Route::SignIn),
            }),
            doubt: format!(
                "You did not expect this? Choose a new password now, and ask {within}, or a Master of {name}."
            ),
            way_out: Some(Button {
                label: "Choose a new password".to_owned(),
                url: self.settings.link(&Route::ForgotPassword),
            }),
            ..self.notice(
                "Your 2-step verification was reset",
                Paragraph::default()
                    .strong(first)
                    .then(" reset the 2-step verification of your account at ")
                    .strong(name.as_str())
                    .then(". The app and the recovery codes stopped working, and every session was ended."),
                "Sign in with your password, and set up 2-step verification again.",
            )
        })
    }

    /// Only while it is so: no factor, required, and until that very instant.
    fn grace_ends(&self, end: Timestamp) -> Result<Option<Letter>> {
        let asked = two_factor::asked(self.read, &self.account)?;
        if self.account.has_two_factor || asked != Asked::By(end) || end <= self.read.now() {
            return Ok(None);
        }
        let zone = self.organisation.zone();
        let name = &self.organisation.name;
        let until = long_moment(end, &zone);
        Ok(Some(Letter {
            subject: format!(
                "Set up 2-step verification at {name} by {}",
                long_day(end, &zone)
            ),
            button: Some(Button {
                label: "Set it up".to_owned(),
                url: self.settings.link(&Route::TwoFactor),
            }),
            doubt: format!("Questions? Ask a Master of {name}."),
            way_out: None,
            ..self.notice(
                "Set up 2-step verification",
                Paragraph::default()
                    .strong(name.as_str())
                    .then(format!(
                        " requires it for the permission {}. You can go on without until ",
                        self.account.role
                    ))
                    .strong(until.as_str())
                    .then("; from then on nothing else can be opened before it is set up."),
                "It takes about a minute, and a phone with an authenticator app.",
            )
        }))
    }
}
