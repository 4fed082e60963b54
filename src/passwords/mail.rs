//! The mails of the passwords: the reset link, and word that a password was changed.
//!
//! Each is written when it is sent, and only if what it says still holds.

use super::ResetLink;
use crate::accounts::{self, Status};
use crate::app::Settings;
use crate::domain::id::ResetId;
use crate::error::Result;
use crate::kit::dates::long_moment;
use crate::kit::db::Read;
use crate::kit::keys::Keys;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::organisations;
use crate::outbox::Recipient;
use crate::routes::Route;

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
    Ok(Some(Letter {
        subject: format!("Reset your password at {}", organisation.name),
        brand: organisation.name.to_string(),
        heading: "Reset your password".to_owned(),
        paragraphs: vec![
            Paragraph::new(
                "Somebody, most likely you, asked to reset the password of your account at ",
            )
            .strong(organisation.name.as_str())
            .then(". Choose a new one; it ends every session of the account."),
        ],
        button: Some(Button {
            label: "Choose a new password".to_owned(),
            url: settings.link(&Route::ResetPassword(token.reveal())),
        }),
        closing: vec![format!("The link works once, for one hour: until {until}.")],
        doubt: "You did not ask for this? Do nothing; your password stays as it is.".to_owned(),
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
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
            "Not you? Resetting it signs out everywhere; tell a Master of {} as well.",
            organisation.name
        ),
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}

/// "Your password was reset", to whoever has the account: somebody else took it away, and has the link.
pub fn taken(
    _read: &Read<'_>,
    _settings: &Settings,
    _to: &Recipient,
    _id: ResetId,
) -> Result<Option<Letter>> {
    Ok(None)
}
