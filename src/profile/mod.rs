//! What people do to their own account: name, telephone, address, password, preferences, sessions. Owns
//! `email_changes`.
//!
//! A new address is confirmed by a link that goes to it, opened by the person who asked, signed in; the old address is
//! told.

pub mod mail;
pub mod pages;
mod sql;
pub mod views;

use crate::accounts::{self, Account, Preferences, Profile, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, EmailChangeId};
use crate::domain::token::{Nonce, Purpose, Token};
use crate::error::{Error, Result};
use crate::invitations;
use crate::kit::db::{Read, Tx};
use crate::kit::keys::Keys;
use crate::kit::time::{DAY, HOUR, Timestamp};
use crate::outbox::{self, Errand, Recipient};
use crate::passwords::{self, PasswordHash, Proof, Sessions};
use crate::scope::{By, Scope};
use crate::sessions;

/// How long the link to a new address lives.
pub const EMAIL_TTL: i64 = HOUR;
/// How long a dead link still says why it is dead.
const CHANGES_KEPT: i64 = 30 * DAY;
/// Rows one sweep may touch.
const SWEEP_MAX: i64 = 100;

/// Another name or telephone; none when both are what they were.
pub fn update(
    tx: &Tx<'_>,
    by: &By,
    scope: &Scope,
    profile: &Profile,
) -> Result<Option<Audited<()>>> {
    let account = own(tx, scope)?;
    let before = Profile {
        name: account.name.clone().ok_or(Error::NotFound)?,
        phone: account.phone.clone(),
    };
    if before == *profile {
        return Ok(None);
    }
    accounts::set_profile(tx, account.id, profile)?;
    let event = Event::of(account.organisation, Action::ProfileChanged)
        .on(account.id, &scope.email)
        .changed(in_words(&before), in_words(profile));
    Ok(Some(audit::record(tx, by, &event, ())?))
}

fn in_words(profile: &Profile) -> String {
    match &profile.phone {
        Some(phone) => format!("{}, {phone}", profile.name),
        None => profile.name.to_string(),
    }
}

/// How their pages behave; none when it is as it was.
pub fn prefer(
    tx: &Tx<'_>,
    by: &By,
    scope: &Scope,
    preferences: &Preferences,
) -> Result<Option<Audited<()>>> {
    let account = own(tx, scope)?;
    if accounts::preferences(tx, account.id)? == *preferences {
        return Ok(None);
    }
    accounts::set_preferences(tx, account.id, preferences)?;
    let event = Event::of(account.organisation, Action::PreferencesChanged)
        .on(account.id, &scope.email)
        .with("time_zone", preferences.time_zone.clone())
        .with("shortcuts", preferences.has_shortcuts);
    Ok(Some(audit::record(tx, by, &event, ())?))
}

/// Another password, and what becomes of the other sessions.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// Its hash.
    pub hash: PasswordHash,
    /// What becomes of the sessions beside this one.
    pub others: Sessions,
}

/// Another password. This session goes on under a new cookie; the others end, unless they are wanted.
pub fn change_password(
    tx: &Tx<'_>,
    by: &By,
    scope: &Scope,
    proof: &Proof,
    new: &NewPassword,
) -> Result<Audited<Token>> {
    let account = own(tx, scope)?;
    proof.check(account.id)?;
    let audited = passwords::set_anew(tx, by, &account, &new.hash, new.others)?;
    sessions::drop_challenges(tx, account.id)?;
    let cookie = sessions::renew(tx, scope.session)?;
    Ok(audited.map(|()| cookie))
}

/// Asks for another address: a link goes to it, and nothing changes until that is used. An older link is dead.
pub fn ask_for_email(
    tx: &Tx<'_>,
    by: &By,
    scope: &Scope,
    proof: &Proof,
    email: &Email,
) -> Result<Audited<()>> {
    let account = own(tx, scope)?;
    proof.check(account.id)?;
    if account.email.as_ref() == Some(email) {
        return Err(Error::invalid(
            accounts::EMAIL_FIELD,
            "This is your email already.",
        ));
    }
    invitations::check_domain(tx, by, account.organisation, email)?;
    if accounts::by_email(tx, email)?.is_some() {
        return Err(Error::invalid(accounts::EMAIL_FIELD, accounts::EMAIL_TAKEN));
    }
    withdraw_email_change(tx, account.id)?;
    let id = EmailChangeId::new(tx)?;
    let nonce = Nonce::new(tx)?;
    let expires_at = tx.now().plus(EMAIL_TTL);
    let token = Token::derived(tx.keys(), Purpose::EmailChange, id.number(), nonce);
    sql::insert(
        tx,
        &sql::New {
            id,
            account: &account,
            email,
            nonce,
            hash: token.hash(),
            expires_at,
        },
    )?;
    let to = Recipient {
        organisation: account.organisation,
        account: account.id,
        email: email.clone(),
    };
    outbox::enqueue(tx, &to, &Errand::EmailConfirm(id), Some(expires_at))?;
    let event = Event::of(account.organisation, Action::EmailChangeAsked)
        .on(account.id, &scope.email)
        .changed(&scope.email, email);
    audit::record(tx, by, &event, ())
}

/// What a link to a new address opens, for the person who is signed in.
#[derive(Clone, Debug)]
pub enum EmailLink {
    /// It may be confirmed.
    Open(OpenChange),
    /// It was.
    Used,
    /// A newer one was asked for, or it was withdrawn.
    Replaced,
    /// Its hour is over.
    Expired(Timestamp),
}

/// A change that may be confirmed, as of this read. Only [`find_email_change`] makes one.
#[derive(Clone, Debug)]
pub struct OpenChange {
    id: EmailChangeId,
    /// The new address.
    pub email: Email,
    /// When the link expires.
    pub expires_at: Timestamp,
}

/// What the token opens for this person; somebody else's is none.
pub fn find_email_change(
    read: &Read<'_>,
    scope: &Scope,
    token: &Token,
) -> Result<Option<EmailLink>> {
    let Some(row) = sql::by_hash(read, &token.hash())? else {
        return Ok(None);
    };
    if row.account != scope.account {
        return Ok(None);
    }
    Ok(Some(match row.state {
        sql::State::Used => EmailLink::Used,
        sql::State::Replaced => EmailLink::Replaced,
        sql::State::Open if row.expires_at <= read.now() => EmailLink::Expired(row.expires_at),
        sql::State::Open => EmailLink::Open(OpenChange {
            id: row.id,
            email: row.email,
            expires_at: row.expires_at,
        }),
    }))
}

/// The address that waits to be confirmed, and until when; none when none was asked for.
pub fn awaited_email(read: &Read<'_>, account: AccountId) -> Result<Option<(Email, Timestamp)>> {
    Ok(sql::open_of(read, account)?)
}

/// Uses the link, once: the address is the new one from here on, and both are told. Links that set another password
/// went to the old address, and are dead.
pub fn confirm_email(
    tx: &Tx<'_>,
    by: &By,
    scope: &Scope,
    open: &OpenChange,
) -> Result<Audited<()>> {
    let account = own(tx, scope)?;
    if !sql::use_up(tx, open.id, account.id)? {
        return Err(Error::Gone("This link was used just now.".to_owned()));
    }
    accounts::set_email(tx, account.id, &open.email)?;
    passwords::withdraw_links(tx, account.id)?;
    for email in [&scope.email, &open.email] {
        let to = Recipient {
            organisation: account.organisation,
            account: account.id,
            email: email.clone(),
        };
        outbox::enqueue(tx, &to, &Errand::EmailChanged(open.id), None)?;
    }
    let event = Event::of(account.organisation, Action::EmailChanged)
        .on(account.id, &open.email)
        .changed(&scope.email, &open.email);
    audit::record(tx, by, &event, ())
}

/// A change that was not confirmed is not wanted any more; its mail neither.
pub fn withdraw_email_change(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    if let Some(id) = sql::withdraw(tx, account)? {
        outbox::drop_about(
            tx,
            id.number(),
            "A newer link was sent, or it was withdrawn.",
        )?;
    }
    Ok(())
}

/// The link that a confirmation carries, and the address it goes to, if it still works: what the worker asks when it
/// writes the mail.
pub fn live_token(
    read: &Read<'_>,
    keys: &Keys,
    id: EmailChangeId,
) -> Result<Option<(Token, Email, Timestamp)>> {
    Ok(sql::live(read, id)?.map(|(nonce, email, expires_at)| {
        let token = Token::derived(keys, Purpose::EmailChange, id.number(), nonce);
        (token, email, expires_at)
    }))
}

/// The new address of a change; none once it is forgotten.
pub fn email_of(read: &Read<'_>, id: EmailChangeId) -> Result<Option<Email>> {
    Ok(sql::email_of(read, id)?)
}

/// The account was deleted: its changes of address go.
pub fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    Ok(sql::forget(tx, account)?)
}

/// Every link of the install is void: the key that they were derived from is gone.
pub fn void_all(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::void_all(tx)?)
}

/// Forgets links that died long ago; at most 100.
pub fn sweep(tx: &Tx<'_>) -> Result<usize> {
    Ok(sql::sweep(tx, tx.now().minus(CHANGES_KEPT), SWEEP_MAX)?)
}

/// Whoever acts, as the file has them now.
fn own(read: &Read<'_>, scope: &Scope) -> Result<Account> {
    accounts::find_in(read, scope.organisation, scope.account)?
        .filter(|account| account.status == Status::Active)
        .ok_or(Error::SignInFirst)
}
