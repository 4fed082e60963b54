//! The mail of the sessions: word of a sign-in from a browser that the account does not know.
//!
//! Written when it is sent, and only while the account may still be used.

use crate::accounts::{self, Status};
use crate::app::Settings;
use crate::error::Result;
use crate::kit::dates::long_moment;
use crate::kit::db::Read;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::kit::time::Timestamp;
use crate::organisations;
use crate::outbox::{Place, Recipient};
use crate::routes::Route;

/// Where whoever did not do it signs out everywhere; it needs a sign-in.
#[must_use]
pub fn sign_out_everywhere(settings: &Settings) -> Option<Button> {
    Some(Button {
        label: "Sign out everywhere".to_owned(),
        url: format!("{}#sessions", settings.link(&Route::Profile)),
    })
}

/// "New sign-in from Firefox on Linux."
pub fn new_device(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    place: &Place,
) -> Result<Option<Letter>> {
    let account = accounts::find(read, to.account)?;
    if !account.is_some_and(|account| account.status == Status::Active) {
        return Ok(None);
    }
    let organisation = organisations::get(read, to.organisation)?;
    let at = long_moment(Timestamp(place.at), &organisation.zone());
    Ok(Some(Letter {
        subject: format!("New sign-in from {} at {}", place.agent, organisation.name),
        brand: organisation.name.to_string(),
        heading: "New sign-in".to_owned(),
        paragraphs: vec![
            Paragraph::new("Your account at ")
                .strong(organisation.name.as_str())
                .then(" was signed in to from a browser it did not know: ")
                .strong(place.agent.as_str())
                .then(format!(", network address {}, on {at}.", place.address)),
            Paragraph::new(
                "Was it you? Then there is nothing to do. If not, somebody knows your password: choose a new one now.",
            ),
        ],
        button: Some(Button {
            label: "Choose a new password".to_owned(),
            url: settings.link(&Route::ForgotPassword),
        }),
        closing: Vec::new(),
        doubt: format!(
            "Not you? Sign out everywhere, choose a new password, and tell a Master of {}.",
            organisation.name
        ),
        way_out: sign_out_everywhere(settings),
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}
