//! The mails of the invitations: the link for the invitee, and word to the inviter that a new one is wanted.
//!
//! Each is written when it is sent, and only if what it says still holds.

use super::{ActivationLink, OpenInvitation, sql};
use crate::accounts::{self, Status};
use crate::app::Settings;
use crate::domain::id::{AccountId, InvitationId};
use crate::domain::role::{Managers, Role};
use crate::error::Result;
use crate::kit::dates::long_moment;
use crate::kit::db::Read;
use crate::kit::keys::Keys;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::organisations;
use crate::outbox::Recipient;
use crate::routes::Route;

/// The activation link, to the invitee; none once it would not open any more.
pub fn activation(
    read: &Read<'_>,
    keys: &Keys,
    settings: &Settings,
    to: &Recipient,
    id: InvitationId,
) -> Result<Option<Letter>> {
    let Some((token, _)) = super::live_token(read, keys, id)? else {
        return Ok(None);
    };
    // The same judgement as the link's own page: no mail carries a link that would be refused.
    let Some(ActivationLink::Open(open)) = super::find(read, &token)? else {
        return Ok(None);
    };
    if open.account().email.as_ref() != Some(&to.email) {
        return Ok(None);
    }
    let link = settings.link(&Route::Activate(token.reveal()));
    Ok(Some(invitation(settings, to, &open, link)))
}

fn invitation(settings: &Settings, to: &Recipient, open: &OpenInvitation, link: String) -> Letter {
    let organisation = open.organisation();
    let role = open.account().role;
    let inviter = match &open.invited_by {
        Some(name) => name.to_string(),
        None => format!("The operator of {}", settings.host()),
    };
    let until = long_moment(open.expires_at, &organisation.zone());
    Letter {
        subject: format!("Activate your account at {}", organisation.name),
        brand: organisation.name.to_string(),
        heading: "Activate your account".to_owned(),
        paragraphs: vec![
            Paragraph::new(format!(
                "{inviter} invited you to the {} portal as ",
                organisation.name
            ))
            .strong(role.label())
            .then(format!(
                ": {}. Choose a password to start.",
                rights_in_words(role, organisation.managers)
            )),
        ],
        button: Some(Button {
            label: "Activate account".to_owned(),
            url: link,
        }),
        closing: vec![format!("The link works once, until {until}.")],
        doubt: "You did not expect this? Do nothing; no account is opened without the link."
            .to_owned(),
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }
}

/// The main rights in the middle of a sentence.
#[must_use]
pub fn rights_in_words(role: Role, managers: Managers) -> String {
    let mut letters = role.main_rights_under(managers).chars();
    letters
        .next()
        .into_iter()
        .flat_map(char::to_lowercase)
        .chain(letters)
        .collect()
}

/// "They ask for a new activation link", to whoever can send one; none once the account is activated or gone, or has a
/// link that works.
pub fn link_asked(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    account: AccountId,
) -> Result<Option<Letter>> {
    let Some(asker) = accounts::find_in(read, to.organisation, account)? else {
        return Ok(None);
    };
    let is_asked_still_there =
        accounts::find(read, to.account)?.is_some_and(|asked| asked.status == Status::Active);
    let has_link = sql::live(read, asker.id)?.is_some_and(|live| !live.is_over(read.now()));
    let (Status::Pending, Some(email), true, false) =
        (asker.status, &asker.email, is_asked_still_there, has_link)
    else {
        return Ok(None);
    };
    let organisation = organisations::get(read, to.organisation)?;
    if organisation.disabled_at.is_some() {
        return Ok(None);
    }
    Ok(Some(Letter {
        subject: format!(
            "{email} asks for a new activation link at {}",
            organisation.name
        ),
        brand: organisation.name.to_string(),
        heading: "A new activation link is wanted".to_owned(),
        paragraphs: vec![
            Paragraph::default()
                .strong(email.to_string())
                .then(" opened an activation link that had expired, and asks for a new one. The account is Pending as ")
                .strong(asker.role.label())
                .then(format!(" in {}.", organisation.name)),
            Paragraph::new("To send one, open the account and choose Resend invitation."),
        ],
        button: Some(Button {
            label: "Open the account".to_owned(),
            url: settings.link(&Route::Account(asker.id)),
        }),
        closing: Vec::new(),
        doubt: "You do not want this person here any more? Delete the account; without a new link nobody gets in."
            .to_owned(),
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}
