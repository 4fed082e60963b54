//! The mails of a changed address.
//!
//! Each is written when it is sent, and only if what it says still holds.

use crate::accounts::{self, Status};
use crate::app::Settings;
use crate::domain::id::EmailChangeId;
use crate::domain::role::Role;
use crate::error::Result;
use crate::kit::dates::long_moment;
use crate::kit::db::Read;
use crate::kit::keys::Keys;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::organisations;
use crate::outbox::Recipient;
use crate::routes::Route;
use crate::sessions::mail::sign_out_everywhere;

/// The link, to the new address; none once it would not open any more.
pub fn confirm(
    read: &Read<'_>,
    keys: &Keys,
    settings: &Settings,
    to: &Recipient,
    id: EmailChangeId,
) -> Result<Option<Letter>> {
    let organisation = organisations::get(read, to.organisation)?;
    let live = super::live_token(read, keys, id)?.filter(|(_, email, _)| *email == to.email);
    let (Some((token, _, expires_at)), None) = (live, organisation.disabled_at) else {
        return Ok(None);
    };
    let until = long_moment(expires_at, &organisation.zone());
    Ok(Some(Letter {
        subject: format!("Confirm your new email at {}", organisation.name),
        brand: organisation.name.to_string(),
        heading: "Confirm your new email".to_owned(),
        // Whoever reads this may be a stranger whose address was mistyped: it names nobody.
        paragraphs: vec![
            Paragraph::new("Somebody, most likely you, asked to sign in with ")
                .strong(to.email.as_str())
                .then(" from now on, to their account at ")
                .strong(organisation.name.as_str())
                .then(". Nothing changes until you confirm it, signed in to that account."),
        ],
        button: Some(Button {
            label: "Confirm the new email".to_owned(),
            url: settings.link(&Route::ConfirmEmail(token.reveal())),
        }),
        closing: vec![format!("The link works once, for one hour: until {until}.")],
        doubt: "You did not ask for this? Do nothing; without your confirmation nothing changes."
            .to_owned(),
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}

/// "Your email is now …", to both addresses; to the old one even when it has changed again since.
pub fn changed(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    id: EmailChangeId,
) -> Result<Option<Letter>> {
    let account = accounts::find(read, to.account)?.filter(|one| one.status == Status::Active);
    let (Some(account), Some(email)) = (account, super::email_of(read, id)?) else {
        return Ok(None);
    };
    let is_now = account.email.as_ref() == Some(&email);
    if to.email == email && !is_now {
        return Ok(None);
    }
    let organisation = organisations::get(read, to.organisation)?;
    let (heading, verb) = if is_now {
        (format!("Your email is now {email}"), " is now ")
    } else {
        (
            format!("Your email was changed to {email}"),
            " was changed to ",
        )
    };
    let masters = accounts::masters_active(read, organisation.id)?;
    let master = masters
        .into_iter()
        .filter(|master| master.id != account.id)
        .find_map(|master| master.name);
    let whom = match master {
        Some(name) => format!("{name}, a Master of {}", organisation.name),
        // The one Master there is reads this: only the operator is above them.
        None if account.role == Role::Master => "whoever runs the Portal".to_owned(),
        None => format!("a Master of {}", organisation.name),
    };
    Ok(Some(Letter {
        subject: format!("Your email was changed at {}", organisation.name),
        brand: organisation.name.to_string(),
        heading,
        paragraphs: vec![
            Paragraph::new("The email of your account at ")
                .strong(organisation.name.as_str())
                .then(verb)
                .strong(email.as_str())
                .then(". Sign in with that one; the password is the same."),
            Paragraph::new("Was it you? Then there is nothing to do."),
        ],
        button: None,
        closing: Vec::new(),
        doubt: format!(
            "Not you? Tell {whom} at once: somebody else has your password, and can sign in."
        ),
        way_out: sign_out_everywhere(settings),
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}
