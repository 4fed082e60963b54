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
use crate::outbox::{self, Errand};
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

/// Proof that whoever acts knows their password, of a moment ago: what dangerous acts ask for. Only [`proof`] makes one.
#[derive(Debug)]
pub struct Proof {
    account: AccountId,
}

/// The proof, once the hasher found the password right that was typed for this account.
#[must_use]
pub const fn proof(account: AccountId) -> Proof {
    Proof { account }
}

impl Proof {
    /// Whether it is this account's.
    pub fn check(&self, account: AccountId) -> Result<()> {
        if self.account == account {
            Ok(())
        } else {
            Err(Error::internal("a proof of another account"))
        }
    }
}

/// An Active account asks for a reset link; the one before it dies. Read again inside the transaction: what was disabled
/// or deleted since is owed no mail.
pub fn request_reset(tx: &Tx<'_>, by: &By, account: &accounts::Account) -> Result<Audited<()>> {
    let account = &accounts::find(tx, account.id)?
        .filter(|account| account.status == Status::Active)
        .ok_or(Error::NotFound)?;
    let issued = issue(tx, account, None)?;
    let to = account.recipient()?;
    outbox::enqueue(tx, &to, &Errand::Reset(issued.id), Some(issued.expires_at))?;
    let event = Event::of(account.organisation, Action::ResetRequested).on(account.id, &to.email);
    audit::record(tx, by, &event, ())
}

/// A reset link that was written just now.
#[derive(Debug)]
pub struct Issued {
    /// Which.
    pub id: ResetId,
    /// What opens it.
    pub token: Token,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Writes a reset link; the one before it dies.
fn issue(tx: &Tx<'_>, account: &accounts::Account, reset_by: Option<AccountId>) -> Result<Issued> {
    sql::replace_open(tx, account.id)?;
    let id = ResetId::new(tx)?;
    let nonce = Nonce::new(tx)?;
    let expires_at = tx.now().plus(RESET_TTL);
    let token = Token::derived(tx.keys(), Purpose::Reset, id.number(), nonce);
    sql::insert_reset(
        tx,
        &sql::NewReset {
            id,
            account,
            nonce,
            hash: token.hash(),
            reset_by,
            expires_at,
        },
    )?;
    Ok(Issued {
        id,
        token,
        expires_at,
    })
}

/// How somebody gets the link after another took their password away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// By mail.
    Mail,
    /// By whoever did it, who sees it once; a notice goes by mail.
    Copy,
}

/// Takes the password of an account away: it opens nothing from here on, every session ends, and a link sets another.
/// Whether whoever acts may do it is asked by whoever composes the deed.
pub fn take_away(
    tx: &Tx<'_>,
    by: &By,
    account: &accounts::Account,
    handover: Handover,
) -> Result<Audited<Issued>> {
    sql::take_away(tx, account.id)?;
    accounts::raise_epoch(tx, account.id)?;
    let issued = issue(tx, account, by.account())?;
    let to = account.recipient()?;
    match handover {
        Handover::Mail => {
            outbox::enqueue(tx, &to, &Errand::Reset(issued.id), Some(issued.expires_at))?
        }
        Handover::Copy => outbox::enqueue(tx, &to, &Errand::PasswordTaken(issued.id), None)?,
    };
    let event = Event::of(account.organisation, Action::PasswordReset)
        .on(account.id, &to.email)
        .with(
            "link",
            match handover {
                Handover::Mail => "mailed",
                Handover::Copy => "shown",
            },
        );
    audit::record(tx, by, &event, issued)
}

/// Reset links that were not used are dead from here on.
pub fn withdraw_links(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    Ok(sql::replace_open(tx, account)?)
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
    /// Whether somebody else took the password away.
    pub is_given: bool,
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
            is_given: row.reset_by.is_some(),
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

/// What becomes of the account's sessions when its password changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// All are over.
    End,
    /// They stay: its person changed it, and wanted that.
    Keep,
}

/// Sets the password for somebody: the operator on the command line. Ends every session, tells the person.
pub fn change(
    tx: &Tx<'_>,
    by: &By,
    account: &accounts::Account,
    hash: &PasswordHash,
) -> Result<Audited<()>> {
    if account.status == Status::Pending {
        return Err(Error::Refused(
            "The account is Pending: its person sets the first password themselves.".to_owned(),
        ));
    }
    set_anew(tx, by, account, hash, Sessions::End)
}

/// Sets the password in place of the one before; links that would set another are dead, and the person is told.
pub fn set_anew(
    tx: &Tx<'_>,
    by: &By,
    account: &accounts::Account,
    hash: &PasswordHash,
    sessions: Sessions,
) -> Result<Audited<()>> {
    let to = account.recipient()?;
    sql::set(tx, account.organisation, account.id, hash)?;
    sql::replace_open(tx, account.id)?;
    if sessions == Sessions::End {
        accounts::raise_epoch(tx, account.id)?;
    }
    outbox::enqueue(tx, &to, &Errand::PasswordChanged, None)?;
    let event = Event::of(account.organisation, Action::PasswordChanged)
        .on(account.id, &to.email)
        .with("sessions_ended", sessions == Sessions::End);
    audit::record(tx, by, &event, ())
}

/// Who took the password away that this link sets anew; none where its person asked for it, or the link is forgotten.
pub fn reset_by(read: &Read<'_>, id: ResetId) -> Result<Option<accounts::Account>> {
    match sql::reset_by(read, id)? {
        Some(account) => Ok(accounts::find(read, account)?),
        None => Ok(None),
    }
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

/// Every reset link of the install is void, and what was counted under the name of an account forgotten: the key of both
/// is gone. Passwords stay: no key is in their hashes.
pub fn void_all(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::void_all(tx)?)
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
