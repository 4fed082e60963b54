//! The mails of the passwords: the reset link, and word that a password was changed.
//!
//! Each is written when it is sent, and only if what it says still holds.

use super::ResetLink;
use crate::accounts::{self, Account, Status};
use crate::app::Settings;
use crate::domain::id::ResetId;
use crate::error::Result;
use crate::kit::dates::long_moment;
use crate::kit::db::Read;
use crate::kit::keys::Keys;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::organisations::{self, Organisation};
use crate::outbox::Recipient;
use crate::routes::Route;
use crate::sessions::mail::sign_out_everywhere;

/// The reset link; none once it would not open any more.
pub fn reset(
    read: &Read<'_>,
    keys: &Keys,
    settings: &Settings,
    to: &Recipient,
    id: ResetId,
) -> Result<Option<Letter>> {
    let Some((token, expires_at)) = super::live_token(read, keys, id)? else {
        return Ok(None);
    };
    // The same judgement as the link's own page: no mail carries a link that would be refused.
    let Some(ResetLink::Open(open)) = super::find_reset(read, &token)? else {
        return Ok(None);
    };
    if open.account().email.as_ref() != Some(&to.email) {
        return Ok(None);
    }
    let organisation = organisations::get(read, to.organisation)?;
    let until = long_moment(expires_at, &organisation.zone());
    let link = settings.link(&Route::ResetPassword(token.reveal()));
    let words = match super::reset_by(read, id)? {
        Some(by) => given(&by.label(), &organisation),
        None => asked_for(&organisation),
    };
    Ok(Some(Letter {
        subject: words.subject,
        brand: organisation.name.to_string(),
        heading: words.heading.to_owned(),
        paragraphs: vec![words.paragraph],
        button: Some(Button {
            label: "Choose a new password".to_owned(),
            url: link,
        }),
        closing: vec![format!("The link works once, for one hour: until {until}.")],
        doubt: words.doubt,
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}

/// What differs between a link that was asked for and one that came of itself.
struct Words {
    subject: String,
    heading: &'static str,
    paragraph: Paragraph,
    doubt: String,
}

fn asked_for(organisation: &Organisation) -> Words {
    Words {
        subject: format!("Reset your password at {}", organisation.name),
        heading: "Reset your password",
        paragraph: Paragraph::new(
            "Somebody, most likely you, asked to reset the password of your account at ",
        )
        .strong(organisation.name.as_str())
        .then(". Choose a new one; it ends every session of the account."),
        doubt: "You did not ask for this? Do nothing; your password stays as it is.".to_owned(),
    }
}

/// Somebody else took the password away: doing nothing does not bring it back.
fn given(by: &str, organisation: &Organisation) -> Words {
    Words {
        subject: format!("{by} reset your password at {}", organisation.name),
        heading: "Your password was reset",
        paragraph: Paragraph::default()
            .strong(by)
            .then(" reset the password of your account at ")
            .strong(organisation.name.as_str())
            .then(". The old one opens nothing any more, and every session was ended. Choose a new one."),
        doubt: format!("You did not expect this? Ask {by}, or a Master of {}.", organisation.name),
    }
}

/// "Your password was changed", to whoever has the account; none once it may not be used any more.
pub fn changed(read: &Read<'_>, settings: &Settings, to: &Recipient) -> Result<Option<Letter>> {
    let account = accounts::find(read, to.account)?;
    let is_active = account.is_some_and(|account| account.status == Status::Active);
    let (true, Some(at)) = (is_active, super::changed_at(read, to.account)?) else {
        return Ok(None);
    };
    let organisation = organisations::get(read, to.organisation)?;
    let at = long_moment(at, &organisation.zone());
    Ok(Some(Letter {
        subject: format!("Your password was changed at {}", organisation.name),
        brand: organisation.name.to_string(),
        heading: "Your password was changed".to_owned(),
        paragraphs: vec![
            Paragraph::new("The password of your account at ")
                .strong(organisation.name.as_str())
                .then(format!(" was changed on {at}.")),
            Paragraph::new("Was it you? Then there is nothing to do. If not, reset it now."),
        ],
        button: Some(Button {
            label: "Reset password".to_owned(),
            url: settings.link(&Route::ForgotPassword),
        }),
        closing: Vec::new(),
        doubt: format!(
            "Not you? Reset it now, sign out everywhere, and tell a Master of {}.",
            organisation.name
        ),
        way_out: sign_out_everywhere(settings),
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}

/// Who did it, another account or whoever runs the Portal: at the beginning of a sentence, and within one.
#[must_use]
pub fn doer(settings: &Settings, by: Option<&Account>) -> (String, String) {
    match by {
        Some(account) => (account.label(), account.label()),
        None => (
            format!("The operator of {}", settings.host()),
            format!("the operator of {}", settings.host()),
        ),
    }
}

/// "Your password was reset", to whoever has the account: somebody else took it away, and has the link. None once the
/// account may not be used any more.
pub fn taken(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    id: ResetId,
) -> Result<Option<Letter>> {
    let account = accounts::find(read, to.account)?;
    let is_active = account.is_some_and(|account| {
        account.status == Status::Active && account.email.as_ref() == Some(&to.email)
    });
    if !is_active {
        return Ok(None);
    }
    let organisation = organisations::get(read, to.organisation)?;
    let (first, within) = doer(settings, super::reset_by(read, id)?.as_ref());
    // Whoever has the link may have used it before this was sent, and that is not always whom it was meant for.
    let next = if super::changed_at(read, to.account)?.is_some() {
        "A new one was set since. Was it not you? Then reset it now."
    } else {
        "Choose a new one with the link that they hand you, or ask for a link of your own."
    };
    Ok(Some(Letter {
        subject: format!("Your password was reset at {}", organisation.name),
        brand: organisation.name.to_string(),
        heading: "Your password was reset".to_owned(),
        paragraphs: vec![
            Paragraph::default()
                .strong(first)
                .then(" reset the password of your account at ")
                .strong(organisation.name.as_str())
                .then(". The old one opens nothing any more, and every session was ended."),
            Paragraph::new(next),
        ],
        button: Some(Button {
            label: "Ask for a link".to_owned(),
            url: settings.link(&Route::ForgotPassword),
        }),
        closing: Vec::new(),
        doubt: format!(
            "You did not expect this? Ask {within}, or a Master of {}.",
            organisation.name
        ),
        // Every session has ended with it; another password is what helps, and the button leads to one.
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}
