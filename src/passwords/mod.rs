//! Passwords: their hashes, the links that set another, and the throttle's memory on disk. Owns `passwords`,
//! `resets` and `throttles`.
//!
//! Hashing itself happens before a transaction begins, in `kit::hasher`.

pub mod mail;
pub mod pages;
mod sql;
pub mod views;

use crate::accounts::{self, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, OrganisationId, ResetId};
use crate::domain::token::{Nonce, Purpose, Token};
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::keys::{Keys, Use};
use crate::kit::throttle::Saved;
use crate::kit::time::{DAY, HOUR, Timestamp};
use crate::organisations;
use crate::outbox::{self, Errand, Recipient};
use crate::scope::By;

pub use sql::{changed_at, hash_of, load_throttles};

/// How long a reset link lives.
pub const RESET_TTL: i64 = HOUR;
/// How long a dead link still says why it is dead.
const RESETS_KEPT: i64 = 30 * DAY;
/// Rows one sweep may touch.
const SWEEP_MAX: i64 = 100;

/// A hash in PHC form, made by `kit::hasher` before the transaction began.
#[derive(Clone, Debug)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes the hasher's answer.
    #[must_use]
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Keeps the hash, in place of an older one.
pub fn set(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    account: AccountId,
    hash: &PasswordHash,
) -> Result<()> {
    Ok(sql::set(tx, organisation, account, hash)?)
}

/// The same password, hashed at today's cost. No deed: nothing the person knows has changed.
pub fn rehash(tx: &Tx<'_>, account: AccountId, hash: &PasswordHash) -> Result<()> {
    Ok(sql::rehash(tx, account, hash)?)
}

/// The account was deleted: its hash and its reset links go.
pub fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    Ok(sql::forget(tx, account)?)
}

/// An Active account asks for a reset link; the one before it dies.
pub fn request_reset(tx: &Tx<'_>, by: &By, account: &accounts::Account) -> Result<Audited<()>> {
    let Some(email) = account.email.clone() else {
        return Err(Error::NotFound);
    };
    sql::replace_open(tx, account.id)?;
    let id = ResetId::new(tx)?;
    let nonce = Nonce::new(tx)?;
    let expires_at = tx.now().plus(RESET_TTL);
    let hash = Token::derived(tx.keys(), Purpose::Reset, id.number(), nonce).hash();
    sql::insert_reset(
        tx,
        &sql::NewReset {
            id,
            account,
            nonce,
            hash,
            expires_at,
        },
    )?;
    let to = Recipient {
        organisation: account.organisation,
        account: account.id,
        email: email.clone(),
    };
    outbox::enqueue(tx, &to, &Errand::Reset(id), Some(expires_at))?;
    let event = Event::of(account.organisation, Action::ResetRequested).on(account.id, email);
    audit::record(tx, by, &event, ())
}

/// What a reset link opens.
#[derive(Clone, Debug)]
pub enum ResetLink {
    /// A new password may be set.
    Open(OpenReset),
    /// It was used.
    Used,
    /// A newer one was sent.
    Replaced,
    /// Its hour is over.
    Expired(Timestamp),
}

/// A reset link that works, as of this read. Only [`find_reset`] makes one.
#[derive(Clone, Debug)]
pub struct OpenReset {
    id: ResetId,
    account: accounts::Account,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl OpenReset {
    /// Whose password.
    #[must_use]
    pub const fn account(&self) -> &accounts::Account {
        &self.account
    }
}

/// What the token opens; none for anything that was never a link of ours, or belongs to an account that may not sign
/// in.
pub fn find_reset(read: &Read<'_>, token: &Token) -> Result<Option<ResetLink>> {
    let Some(row) = sql::find_reset(read, &token.hash())? else {
        return Ok(None);
    };
    let account = accounts::find(read, row.account)?.ok_or(Error::NotFound)?;
    let organisation = organisations::get(read, account.organisation)?;
    Ok(match row.state {
        sql::ResetState::Used => Some(ResetLink::Used),
        sql::ResetState::Replaced => Some(ResetLink::Replaced),
        sql::ResetState::Open if row.expires_at <= read.now() => {
            Some(ResetLink::Expired(row.expires_at))
        }
        sql::ResetState::Open
            if account.status != Status::Active || organisation.disabled_at.is_some() =>
        {
            None
        }
        sql::ResetState::Open => Some(ResetLink::Open(OpenReset {
            id: row.id,
            account,
            expires_at: row.expires_at,
        })),
    })
}

/// Sets the password with an open link, once: the link is used, every session ends, a notice goes out.
pub fn reset(tx: &Tx<'_>, by: &By, open: &OpenReset, hash: &PasswordHash) -> Result<Audited<()>> {
    if !sql::use_reset(tx, open.id, tx.now())? {
        return Err(Error::Gone("This link was used just now.".to_owned()));
    }
    change(tx, by, &open.account, hash)
}

/// Sets the password for somebody: the operator on the command line. Ends every session, tells the person.
pub fn change(
    tx: &Tx<'_>,
    by: &By,
    account: &accounts::Account,
    hash: &PasswordHash,
) -> Result<Audited<()>> {
    let Some(email) = account.email.clone() else {
        return Err(Error::NotFound);
    };
    if account.status == Status::Pending {
        return Err(Error::Refused(
            "The account is Pending: its person sets the first password themselves.".to_owned(),
        ));
    }
    sql::set(tx, account.organisation, account.id, hash)?;
    sql::replace_open(tx, account.id)?;
    accounts::raise_epoch(tx, account.id)?;
    let to = Recipient {
        organisation: account.organisation,
        account: account.id,
        email: email.clone(),
    };
    outbox::enqueue(tx, &to, &Errand::PasswordChanged, None)?;
    let event = Event::of(account.organisation, Action::PasswordChanged).on(account.id, email);
    audit::record(tx, by, &event, ())
}

/// The link that a reset mail carries, if it still works: what the worker asks when it writes the mail.
pub fn live_token(read: &Read<'_>, keys: &Keys, id: ResetId) -> Result<Option<(Token, Timestamp)>> {
    Ok(sql::live_nonce(read, id)?.map(|(nonce, expires_at)| {
        (
            Token::derived(keys, Purpose::Reset, id.number(), nonce),
            expires_at,
        )
    }))
}

/// Under which key an address is throttled, known or not: the file holds no list of what strangers typed.
#[must_use]
pub fn throttle_key(keys: &Keys, email: &Email) -> [u8; 32] {
    keys.mac(Use::Throttle, &[b"account", email.as_str().as_bytes()])
}

/// Writes the throttle's memory down.
pub fn save_throttles(tx: &Tx<'_>, rows: &[Saved]) -> Result<()> {
    for row in rows {
        sql::save_throttle(tx, row)?;
    }
    Ok(())
}

/// Forgets the throttle rows that are of no use any more, and links that died long ago; at most 100 of each.
pub fn sweep(tx: &Tx<'_>) -> Result<usize> {
    let throttles = sql::sweep_throttles(tx, SWEEP_MAX)?;
    let resets = sql::sweep_resets(tx, tx.now().minus(RESETS_KEPT), SWEEP_MAX)?;
    Ok(throttles + resets)
}

/// The operator lets an account's tries begin anew; a running server notices within a second.
pub fn unlock(tx: &Tx<'_>, account: &accounts::Account) -> Result<Audited<()>> {
    let Some(email) = account.email.clone() else {
        return Err(Error::NotFound);
    };
    sql::clear_throttles(tx, &throttle_key(tx.keys(), &email))?;
    let event = Event::of(account.organisation, Action::AccountUnlocked).on(account.id, email);
    audit::record(tx, &By::operator(), &event, ())
}
