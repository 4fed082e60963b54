//! The mail of a changed permission.
//!
//! Written when it is sent, and only if what it says still holds.

use super::{Effect, effect};
use crate::accounts::{self, Status};
use crate::app::Settings;
use crate::domain::role::Role;
use crate::error::Result;
use crate::invitations::mail::rights_in_words;
use crate::kit::db::Read;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::organisations;
use crate::outbox::Recipient;
use crate::routes::Route;
use crate::sessions::mail::sign_out_everywhere;

/// "You are now Admin at …"; none once that is not so any more, or the account may not be used.
pub fn role_changed(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    from: Role,
    role: Role,
) -> Result<Option<Letter>> {
    let account = accounts::find(read, to.account)?;
    let still_holds = account.is_some_and(|account| {
        account.status == Status::Active
            && account.role == role
            && account.email.as_ref() == Some(&to.email)
    });
    let organisation = organisations::get(read, to.organisation)?;
    if !still_holds || organisation.disabled_at.is_some() {
        return Ok(None);
    }
    let (when, label, route) = match effect(from, role, organisation.managers) {
        Effect::Gain => (
            "It takes effect the next time you sign out and in again.",
            "Open the Portal",
            Route::Dashboard,
        ),
        Effect::Loss => (
            "It took effect at once, and every session was ended. Sign in again to go on.",
            "Sign in",
            Route::SignIn,
        ),
    };
    Ok(Some(Letter {
        subject: format!("You are now {role} at {}", organisation.name),
        brand: organisation.name.to_string(),
        heading: format!("You are now {role}"),
        paragraphs: vec![
            Paragraph::new("Your permission at ")
                .strong(organisation.name.as_str())
                .then(format!(" was {from}, and is now "))
                .strong(role.label())
                .then(format!(
                    ": {}. {when}",
                    rights_in_words(role, organisation.managers)
                )),
        ],
        button: Some(Button {
            label: label.to_owned(),
            url: settings.link(&route),
        }),
        closing: Vec::new(),
        doubt: format!(
            "Not what you expected? Ask a Master of {}.",
            organisation.name
        ),
        way_out: sign_out_everywhere(settings),
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}
