//! The mails of two-factor: on, off, reset by another, recovery codes used or made anew, and the end of grace that draws
//! near.
//!
//! Each is written when it is sent. Word of what happened stays true whatever came after; it is not sent to whoever may
//! not use the account any more, nor to an address that is no longer theirs. The reminder is sent only while it holds.

use crate::accounts::{self, Account, Status};
use crate::app::Settings;
use crate::domain::id::AccountId;
use crate::domain::policy::Asked;
use crate::error::Result;
use crate::kit::dates::{long_day, long_moment};
use crate::kit::db::Read;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::kit::time::Timestamp;
use crate::organisations::{self, Organisation};
use crate::outbox::{Errand, Place, Recipient};
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
        Errand::TwoFactorOn(place) => Ok(Some(facts.on(place))),
        Errand::TwoFactorOff(place) => Ok(Some(facts.off(place))),
        Errand::TwoFactorReset(by) => facts.reset(*by).map(Some),
        Errand::RecoveryUsed(place, left) => Ok(Some(facts.recovery_used(place, *left))),
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

    fn here(&self) -> Paragraph {
        Paragraph::new("Your account at ").strong(self.organisation.name.as_str())
    }

    /// ", on Tuesday 24 November 2026, 14:20 (Europe/Oslo), from Firefox on Linux, network address 192.0.2.1."
    fn at(&self, place: &Place) -> String {
        let at = long_moment(Timestamp(place.at), &self.organisation.zone());
        format!(
            " on {at}, from {}, network address {}.",
            place.agent, place.address
        )
    }

    fn on(&self, place: &Place) -> Letter {
        let what = self
            .here()
            .then(" asks for a code after the password: 2-step verification was set up")
            .then(self.at(place));
        self.notice(
            "2-step verification is on",
            what,
            "Keep your recovery codes somewhere other than your phone. Every other browser was signed out.",
        )
    }

    fn off(&self, place: &Place) -> Letter {
        let what = self
            .here()
            .then(" asks for the password alone: 2-step verification was disabled")
            .then(self.at(place));
        self.notice(
            "2-step verification is off",
            what,
            "The key in your app and the recovery codes are worth nothing any more. You can enable it again at any time.",
        )
    }

    fn codes_renewed(&self, place: &Place) -> Letter {
        let what = self
            .here()
            .then(" has new recovery codes; the older ones stopped working. They were made")
            .then(self.at(place));
        self.notice(
            "New recovery codes were made",
            what,
            "Was it you? Then keep the new ones somewhere other than your phone.",
        )
    }

    fn recovery_used(&self, place: &Place, left: usize) -> Letter {
        let what = self
            .here()
            .then(" was opened with a recovery code, in place of the code of the app,")
            .then(self.at(place));
        let then = match left {
            0 => "It was the last one. Make new ones on your Account page, or you are locked out when your phone is lost.".to_owned(),
            1 => "One is left. Make new ones on your Account page.".to_owned(),
            left => format!("{left} are left. Your Account page makes new ones, or moves the key to another phone."),
        };
        Letter {
            subject: format!("A recovery code was used ({left} left)"),
            ..self.notice("A recovery code was used", what, &then)
        }
    }

    /// Every session has ended with it: there is nothing to sign out.
    fn reset(&self, by: Option<AccountId>) -> Result<Letter> {
        let by = match by {
            Some(id) => accounts::find(self.read, id)?
                .map_or_else(|| "Somebody".to_owned(), |account| account.label()),
            None => format!("The operator of {}", self.settings.host()),
        };
        let name = &self.organisation.name;
        Ok(Letter {
            subject: format!("Your 2-step verification was reset at {name}"),
            button: Some(Button {
                label: "Sign in".to_owned(),
                url: self.settings.link(&Route::SignIn),
            }),
            doubt: format!(
                "You did not expect this? Change your password, and ask {by}, or a Master of {name}."
            ),
            way_out: None,
            ..self.notice(
                "Your 2-step verification was reset",
                Paragraph::default()
                    .strong(by.as_str())
                    .then(" took the second factor of your account at ")
                    .strong(name.as_str())
                    .then(" away. The key in your app and the recovery codes stopped working, and every session was ended."),
                "Sign in with your password, and set up 2-step verification anew.",
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
