//! The mails of the ownership.
//!
//! Each is written when it is sent, and only if what it says still holds.

use crate::accounts::{self, Account, Status};
use crate::app::Settings;
use crate::domain::id::AccountId;
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::organisations::{self, Organisation};
use crate::outbox::Recipient;
use crate::routes::Route;
use crate::sessions::mail::sign_out_everywhere;

/// To whoever it is offered to; none once it is not any more.
pub fn offered(read: &Read<'_>, settings: &Settings, to: &Recipient) -> Result<Option<Letter>> {
    let organisation = organisations::get(read, to.organisation)?;
    let is_offered = organisation
        .offer
        .is_some_and(|offer| offer.to == to.account);
    let (true, true) = (is_offered, is_usable(read, &organisation, to)?) else {
        return Ok(None);
    };
    let Some(owner) = accounts::find(read, organisation.owner)? else {
        return Ok(None);
    };
    let (name, owner) = (organisation.name.as_str(), owner.label());
    Ok(Some(Letter {
        subject: format!("{owner} offers you the ownership of {name}"),
        brand: name.to_owned(),
        heading: "The ownership is offered to you".to_owned(),
        paragraphs: vec![
            Paragraph::default()
                .strong(&owner)
                .then(" owns ")
                .strong(name)
                .then(", and offers the ownership to you."),
            Paragraph::new(format!(
                "If you accept, nobody can disable, delete or demote your account, and you alone can hand the ownership \
                 on. {owner} is a Master like any other then. Nothing changes until you accept; you are asked for your \
                 password."
            )),
        ],
        button: Some(Button {
            label: "Accept or decline".to_owned(),
            url: section(settings),
        }),
        closing: Vec::new(),
        doubt: format!("You did not expect this? Do nothing, and ask {owner}."),
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}

/// To who owned the organisation, and to who owns it now. It tells of a deed that stays true whatever came after.
pub fn moved(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    owner: AccountId,
) -> Result<Option<Letter>> {
    let organisation = organisations::get(read, to.organisation)?;
    let Some(owner) = accounts::find_in(read, organisation.id, owner)? else {
        return Ok(None);
    };
    if !is_usable(read, &organisation, to)? {
        return Ok(None);
    }
    Ok(Some(if owner.id == to.account {
        gained(settings, &organisation, to)
    } else {
        given(settings, &organisation, &owner, to)
    }))
}

/// To the new owner.
fn gained(settings: &Settings, organisation: &Organisation, to: &Recipient) -> Letter {
    let name = organisation.name.as_str();
    Letter {
        subject: format!("You own {name} now"),
        brand: name.to_owned(),
        heading: "You own the organisation now".to_owned(),
        paragraphs: vec![
            Paragraph::new("You accepted the ownership of ")
                .strong(name)
                .then(". Nobody can disable, delete or demote your account, and nobody but the operator resets your password."),
            Paragraph::new("Before you leave, hand it on: under Settings, Ownership, to another Master."),
        ],
        button: Some(Button {
            label: "See the ownership".to_owned(),
            url: section(settings),
        }),
        closing: Vec::new(),
        doubt: "Not you? Then somebody knows your password: choose a new one at the sign-in page, by “Forgot password?”; \
                that signs out everywhere."
            .to_owned(),
        way_out: sign_out_everywhere(settings),
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }
}

/// To the owner before.
fn given(
    settings: &Settings,
    organisation: &Organisation,
    owner: &Account,
    to: &Recipient,
) -> Letter {
    let (name, owner) = (organisation.name.as_str(), owner.label());
    Letter {
        subject: format!("{owner} owns {name} now"),
        brand: name.to_owned(),
        heading: "The ownership has moved".to_owned(),
        paragraphs: vec![
            Paragraph::default()
                .strong(&owner)
                .then(" accepted the ownership of ")
                .strong(name)
                .then(", which you had offered. From then on your account is one like any other: other Masters can change it."),
            Paragraph::new("Was it you who offered it? Then there is nothing to do. If not, somebody knows your password: choose a new one now."),
        ],
        button: Some(Button {
            label: "Choose a new password".to_owned(),
            url: settings.link(&Route::ForgotPassword),
        }),
        closing: Vec::new(),
        doubt: format!(
            "Not you? A new password signs out everywhere. Only {owner} can hand the ownership back; tell whoever runs \
             this Portal as well."
        ),
        way_out: sign_out_everywhere(settings),
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }
}

/// Whether the recipient can sign in at all: for whoever cannot there is nothing to do.
fn is_usable(read: &Read<'_>, organisation: &Organisation, to: &Recipient) -> Result<bool> {
    let account = accounts::find(read, to.account)?;
    let is_active = account.is_some_and(|account| account.status == Status::Active);
    Ok(is_active && organisation.disabled_at.is_none())
}

fn section(settings: &Settings) -> String {
    format!("{}#ownership", settings.link(&Route::Settings))
}
