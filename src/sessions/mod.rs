//! Sessions and known devices: who is signed in, and from which browsers they were before. Owns `sessions` and
//! `devices`.

pub mod mail;
pub mod pages;
mod sql;
pub mod views;

use std::net::IpAddr;

use crate::accounts::{self, Account};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::id::{AccountId, SessionId};
use crate::domain::token::{Token, TokenHash};
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::organisations;
use crate::outbox::{self, Errand, Place};
use crate::scope::{By, Scope};

pub use sql::{knows_device, live};

/// How long sessions live; the operator's to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Seconds without a request.
    pub idle: i64,
    /// Seconds in all.
    pub max: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            idle: 2 * HOUR,
            max: 24 * HOUR,
        }
    }
}

/// How long a browser stays known.
pub const DEVICE_TTL: i64 = 180 * DAY;
/// The last use is written at most so often.
const TOUCH_EVERY: i64 = MINUTE;
/// So many sessions of one account; the oldest give way.
const SESSIONS_MAX: i64 = 50;
/// Rows one sweep may touch.
const SWEEP_MAX: i64 = 100;

/// What a right password opens.
#[derive(Debug)]
pub struct SignIn<'s> {
    /// Whose.
    pub account: &'s Account,
    /// The browser's device cookie, if it has one.
    pub device: Option<TokenHash>,
    /// Browser and system, as "Firefox on Linux".
    pub agent: &'s str,
    /// From where.
    pub address: IpAddr,
}

/// The cookies of a new session.
#[derive(Debug)]
pub struct Opened {
    /// For the session cookie.
    pub session: Token,
    /// For the device cookie; none when the browser's own stays good.
    pub device: Option<Token>,
}

/// Opens a session: a new id, today's permissions, and a notice where the browser is not known.
pub fn open(tx: &Tx<'_>, by: &By, sign_in: &SignIn<'_>) -> Result<Audited<Opened>> {
    let account = sign_in.account;
    // Read again inside the transaction: a password may have been right for an account that was disabled since.
    let current = accounts::find(tx, account.id)?.ok_or(Error::NotFound)?;
    if current.status != accounts::Status::Active || current.epoch != account.epoch {
        return Err(Error::NotFound);
    }
    let Some(email) = current.email.clone() else {
        return Err(Error::NotFound);
    };
    let organisation = organisations::get(tx, current.organisation)?;
    if organisation.disabled_at.is_some() {
        return Err(Error::NotFound);
    }
    let id = SessionId::new(tx)?;
    let session = Token::fresh(tx)?;
    sql::make_room(tx, account.id, SESSIONS_MAX - 1)?;
    let permissions = current.role.permissions(organisation.managers);
    sql::insert(tx, (id, &session.hash()), &current, permissions, sign_in)?;
    accounts::saw(tx, account.id, tx.now())?;
    let known = match sign_in.device {
        Some(device) => sql::touch_device(tx, account.id, &device)?,
        None => false,
    };
    let device = if known {
        None
    } else {
        remember_device(tx, &current, sign_in)?
    };
    let by = By {
        actor: crate::scope::Actor::Account {
            id: account.id,
            email: email.clone(),
            session: Some(id),
        },
        ..by.clone()
    };
    let event = Event::of(account.organisation, Action::SignedIn)
        .on(account.id, email)
        .with("agent", sign_in.agent)
        .with("known_device", known);
    audit::record(tx, &by, &event, Opened { session, device })
}

/// Remembers a browser that is new to the account; answers with the cookie that it needs, if it has none of ours.
fn remember_device(tx: &Tx<'_>, account: &Account, sign_in: &SignIn<'_>) -> Result<Option<Token>> {
    // The first sign-in of all is no news to whoever has just activated the account.
    let is_news = sql::has_devices(tx, account.id)?;
    // A browser that two people share stays known to both. A cookie that nobody knows may have been planted.
    let (hash, device) = match sign_in.device {
        Some(hash) if sql::is_device(tx, &hash)? => (hash, None),
        Some(_) | None => {
            let device = Token::fresh(tx)?;
            (device.hash(), Some(device))
        }
    };
    sql::insert_device(tx, account, &hash)?;
    if is_news {
        let to = account.recipient()?;
        let place = Place {
            agent: sign_in.agent.to_owned(),
            address: sign_in.address.to_string(),
            at: tx.now().0,
        };
        outbox::enqueue(tx, &to, &Errand::NewDevice(place), None)?;
    }
    Ok(device)
}

/// Who holds the cookie, as of this read; none when the session, the account or the organisation is over.
pub fn find(read: &Read<'_>, token: &TokenHash, lifetimes: Lifetimes) -> Result<Option<Found>> {
    Ok(sql::find(
        read,
        token,
        read.now().minus(lifetimes.idle),
        read.now().minus(lifetimes.max),
    )?)
}

/// A live session.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who and what they may do.
    pub scope: Scope,
    /// When the last use was written down.
    pub used_at: Timestamp,
}

impl Found {
    /// Whether the last use is worth writing down again.
    #[must_use]
    pub const fn is_stale(&self, now: Timestamp) -> bool {
        now.since(self.used_at) >= TOUCH_EVERY
    }
}

/// Writes the last use down: the machine's own bookkeeping.
pub fn touch(tx: &Tx<'_>, token: &TokenHash, account: AccountId) -> Result<()> {
    sql::touch(tx, token)?;
    accounts::saw(tx, account, tx.now())
}

/// One session of an account, for its person and for whoever looks after them.
#[derive(Clone, Debug)]
pub struct Live {
    /// Which.
    pub id: SessionId,
    /// Browser and system.
    pub agent: String,
    /// The network address it was opened from.
    pub address: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Timestamp,
}

/// Asked again inside the transaction of whatever its holder does: between the door and the deed the session may have
/// ended, and then nothing is done.
pub fn check(read: &Read<'_>, scope: &Scope) -> Result<()> {
    if sql::holds(read, scope)? {
        Ok(())
    } else {
        Err(Error::SignInFirst)
    }
}

/// The same session under a new cookie, after a proof of who its holder is: the old cookie is worth nothing.
pub fn renew(tx: &Tx<'_>, scope: &Scope) -> Result<Token> {
    let token = Token::fresh(tx)?;
    if sql::renew(tx, scope.session, &token.hash())? {
        Ok(token)
    } else {
        Err(Error::SignInFirst)
    }
}

/// Ends another session of the same person.
pub fn end(tx: &Tx<'_>, by: &By, scope: &Scope, id: SessionId) -> Result<Audited<()>> {
    if !sql::delete_of(tx, scope.account, id)? {
        return Err(Error::NotFound);
    }
    let event = Event::of(scope.organisation, Action::SessionEnded)
        .on(scope.account, &scope.email)
        .with("session", id.to_string());
    audit::record(tx, by, &event, ())
}

/// Ends every session of the same person but this one; answers with how many.
pub fn end_others(tx: &Tx<'_>, by: &By, scope: &Scope) -> Result<Audited<usize>> {
    let ended = sql::delete_others(tx, scope.account, scope.session)?;
    let event = Event::of(scope.organisation, Action::SessionsEnded)
        .on(scope.account, &scope.email)
        .with("sessions", ended);
    audit::record(tx, by, &event, ended)
}

/// Ends every session of an organisation: it was disabled.
pub fn end_all_of(tx: &Tx<'_>, organisation: crate::domain::id::OrganisationId) -> Result<usize> {
    Ok(sql::delete_all_of(tx, organisation)?)
}

/// Ends this session.
pub fn close(tx: &Tx<'_>, by: &By, scope: &Scope) -> Result<Audited<()>> {
    sql::delete(tx, scope.session)?;
    let event = Event::of(scope.organisation, Action::SignedOut).on(scope.account, &scope.email);
    audit::record(tx, by, &event, ())
}

/// The account was deleted: its sessions and devices go.
pub fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    Ok(sql::forget(tx, account)?)
}

/// Removes what is over: sessions past their time, devices unused for 180 days; at most 100 of each. A session of an
/// older epoch is used no more, and so goes with those that were idle for too long.
pub fn sweep(tx: &Tx<'_>, lifetimes: Lifetimes) -> Result<usize> {
    let now = tx.now();
    let sessions = sql::sweep_sessions(
        tx,
        now.minus(lifetimes.idle),
        now.minus(lifetimes.max),
        SWEEP_MAX,
    )?;
    let devices = sql::sweep_devices(tx, now.minus(DEVICE_TTL), SWEEP_MAX)?;
    Ok(sessions + devices)
}
