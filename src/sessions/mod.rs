//! Sessions and known devices: who is signed in, who is half-way, and from which browsers they were before. Owns
//! `sessions`, `challenges`, `devices` and `sign_in_links`.
//!
//! Whoever has a second factor gets no session for a password: [`enter`] answers with a challenge, and [`pass`] makes a
//! session of it for a [`FactorProof`], which only a code makes.

pub mod mail;
pub mod pages;
mod sql;
pub mod views;

use std::net::IpAddr;

use crate::accounts::{self, Account};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::id::{AccountId, OrganisationId, SessionId, SignInLinkId};
use crate::domain::policy::Trust;
use crate::domain::token::{Nonce, Purpose, Token, TokenHash};
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::organisations;
use crate::outbox::{self, Errand, Place};
use crate::passwords::Proof;
use crate::scope::{By, Enroller, Enrolling, Half, Holder, Scope};
use crate::two_factor::FactorProof;

pub use sql::{browsers, count_live, find_half, knows_device, live};

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
/// How long whoever gave the password may take for the code.
pub const CHALLENGE_TTL: i64 = 10 * MINUTE;
/// So many challenges of one account at once; the oldest give way.
const CHALLENGES_MAX: i64 = 10;
/// How long a trusted browser skips the code.
pub const TRUST_TTL: i64 = 30 * DAY;
/// How long the operator's link lives.
pub const LINK_TTL: i64 = 15 * MINUTE;
/// How long a dead link still says why it is dead.
const LINKS_KEPT: i64 = 30 * DAY;
/// Rows one sweep may touch.
const SWEEP_MAX: i64 = 100;

/// From where somebody signs in.
#[derive(Debug)]
pub struct SignIn<'s> {
    /// Whose account, as it was when the password was found right.
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

/// What a right password, or the operator's link, leads to.
#[derive(Debug)]
pub enum Entered {
    /// Signed in.
    Full(Opened),
    /// The code is owed: for the cookie of the challenge.
    Half(Token),
}

/// What opened the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The password.
    Password,
    /// The operator's link, which no trusted browser makes enough.
    Link,
}

impl Key {
    /// Its name in the log.
    const fn slug(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
        }
    }
}

/// Lets somebody in: to a session, or to the second step where the account has a second factor and this browser is not
/// trusted to skip it.
pub fn enter(tx: &Tx<'_>, by: &By, sign_in: &SignIn<'_>, key: Key) -> Result<Audited<Entered>> {
    let (account, organisation) = current(tx, sign_in.account)?;
    let second = if !account.has_two_factor {
        "none"
    } else if key == Key::Password && is_trusted(tx, &organisation, &account, sign_in)? {
        "trusted"
    } else {
        return Ok(challenge(tx, by, &account, key)?.map(Entered::Half));
    };
    let opened = open(tx, by, sign_in, &account, second)?;
    Ok(opened.map(Entered::Full))
}

/// Read again inside the transaction: a password may have been right for an account that was disabled since.
fn current(tx: &Tx<'_>, account: &Account) -> Result<(Account, organisations::Organisation)> {
    let current = accounts::find(tx, account.id)?.ok_or(Error::NotFound)?;
    if current.status != accounts::Status::Active || current.epoch != account.epoch {
        return Err(Error::NotFound);
    }
    let organisation = organisations::get(tx, current.organisation)?;
    if organisation.disabled_at.is_some() {
        return Err(Error::NotFound);
    }
    Ok((current, organisation))
}

fn is_trusted(
    tx: &Tx<'_>,
    organisation: &organisations::Organisation,
    account: &Account,
    sign_in: &SignIn<'_>,
) -> Result<bool> {
    match (organisation.trust, sign_in.device) {
        (Trust::Offered, Some(device)) => Ok(sql::is_trusted(tx, account.id, &device)?),
        (Trust::Off, _) | (_, None) => Ok(false),
    }
}

/// Writes down that the code is owed.
fn challenge(tx: &Tx<'_>, by: &By, account: &Account, key: Key) -> Result<Audited<Token>> {
    let token = Token::fresh(tx)?;
    sql::make_room_for_challenge(tx, account.id, CHALLENGES_MAX - 1)?;
    sql::insert_challenge(tx, account, &token.hash(), tx.now().plus(CHALLENGE_TTL))?;
    let event = Event::of(account.organisation, Action::CodeAsked)
        .on(account.id, account.address()?)
        .with("key", key.slug());
    audit::record(tx, by, &event, token)
}

/// How a browser wants to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remember {
    /// As known, which it is after every sign-in.
    Known,
    /// As trusted to skip the code for 30 days, where the policy offers it.
    Trusted,
}

/// The second step: the challenge is used up, and its holder is signed in.
pub fn pass(
    tx: &Tx<'_>,
    by: &By,
    half: &Half,
    (factor, remember): (&FactorProof, Remember),
    sign_in: &SignIn<'_>,
) -> Result<Audited<Opened>> {
    factor.check(half.account)?;
    if half.account != sign_in.account.id || !sql::use_challenge(tx, &half.hash)? {
        return Err(Error::SignInFirst);
    }
    let (account, organisation) = current(tx, sign_in.account)?;
    let opened = open(tx, by, sign_in, &account, factor.slug())?;
    if remember == Remember::Trusted && organisation.trust == Trust::Offered {
        return opened.try_map(|opened| trust(tx, &account, sign_in, opened));
    }
    Ok(opened)
}

/// This browser skips the code from here on. Its cookie is worth a code then, so it is a new one: whoever has a copy of the
/// one until now, or planted it, has nothing. Others who use the browser are known by the new one as well.
fn trust(tx: &Tx<'_>, account: &Account, sign_in: &SignIn<'_>, opened: Opened) -> Result<Opened> {
    let device = match (opened.device, sign_in.device) {
        (Some(device), _) => device,
        (None, Some(before)) => {
            let device = Token::fresh(tx)?;
            sql::rename_device(tx, &before, &device.hash())?;
            device
        }
        (None, None) => return Err(Error::internal("a browser without a cookie to trust")),
    };
    sql::trust_device(tx, account.id, &device.hash())?;
    Ok(Opened {
        device: Some(device),
        session: opened.session,
    })
}

/// Opens a session: a new id, today's permissions, and a notice where the browser is not known.
fn open(
    tx: &Tx<'_>,
    by: &By,
    sign_in: &SignIn<'_>,
    current: &Account,
    second: &str,
) -> Result<Audited<Opened>> {
    let account = sign_in.account;
    let email = current.address()?;
    let organisation = organisations::get(tx, current.organisation)?;
    let id = SessionId::new(tx)?;
    let session = Token::fresh(tx)?;
    sql::make_room(tx, account.id, SESSIONS_MAX - 1)?;
    let permissions = current.role.permissions(organisation.managers);
    sql::insert(tx, (id, &session.hash()), current, permissions, sign_in)?;
    accounts::saw(tx, account.id, tx.now())?;
    let known = match sign_in.device {
        Some(device) => sql::touch_device(tx, account.id, &device)?,
        None => false,
    };
    let device = if known {
        None
    } else {
        remember_device(tx, current, sign_in)?
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
        .with("known_device", known)
        .with("second", second);
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

/// Who holds the cookie, as of this read; none when the session, the account or the organisation is over. Where a second
/// factor is required and the grace is over, whoever has none reaches the set-up alone, on every path.
pub fn find(read: &Read<'_>, token: &TokenHash, lifetimes: Lifetimes) -> Result<Option<Found>> {
    let found = sql::find(
        read,
        token,
        read.now().minus(lifetimes.idle),
        read.now().minus(lifetimes.max),
    )?;
    Ok(found.map(|(scope, used_at)| Found {
        account: scope.account,
        used_at,
        holder: if scope.protection.is_overdue(read.now()) {
            Holder::Enrolling(Enrolling::new(scope))
        } else {
            Holder::Full(scope)
        },
    }))
}

/// A live session.
#[derive(Clone, Debug)]
pub struct Found {
    /// Whose it is.
    pub account: AccountId,
    /// Who, and what they may do.
    pub holder: Holder,
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

/// A browser that completed a sign-in of the account before, as its person may know of it.
#[derive(Clone, Copy, Debug)]
pub struct Browser {
    /// When it was last used to sign in.
    pub used_at: Timestamp,
    /// Since when it is trusted to skip the code, if it is.
    pub trusted_at: Option<Timestamp>,
}

/// Asked again inside the transaction of whatever its holder does: between the door and the deed the session may have
/// ended, and then nothing is done.
pub fn check(read: &Read<'_>, session: SessionId, account: AccountId) -> Result<()> {
    if sql::holds(read, session, account)? {
        Ok(())
    } else {
        Err(Error::SignInFirst)
    }
}

/// The same session under a new cookie, after a proof of who its holder is: the old cookie is worth nothing, and for ten
/// minutes no other proof is asked for.
pub fn renew(tx: &Tx<'_>, session: SessionId) -> Result<Token> {
    let token = Token::fresh(tx)?;
    if sql::renew(tx, session, &token.hash())? {
        Ok(token)
    } else {
        Err(Error::SignInFirst)
    }
}

/// Whoever is signed in showed their password or a code again: the session goes on under a new cookie.
pub fn prove(tx: &Tx<'_>, by: &By, who: &Enroller, how: &str) -> Result<Audited<Token>> {
    let token = renew(tx, who.session)?;
    let event = Event::of(who.organisation, Action::ProofGiven)
        .on(who.account, &who.email)
        .with("how", how);
    audit::record(tx, by, &event, token)
}

/// The proof that a session carries for ten minutes after its holder showed who they are; none later.
#[must_use]
pub fn proof_of(who: &Enroller, now: Timestamp) -> Option<Proof> {
    who.is_proven(now)
        .then(|| crate::passwords::proof(who.account))
}

/// Passwords and codes that were right until now open no second step any more.
pub fn drop_challenges(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    Ok(sql::drop_challenges(tx, account)?)
}

/// Whoever gave the password does not want to go on.
pub fn leave(tx: &Tx<'_>, by: &By, half: &Half) -> Result<Audited<()>> {
    sql::use_challenge(tx, &half.hash)?;
    let event = Event::of(half.organisation, Action::SignedOut)
        .on(half.account, &half.email)
        .with("half", true);
    audit::record(tx, by, &event, ())
}

/// No browser of this account skips the code from here on.
pub fn distrust(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    Ok(sql::distrust(tx, account)?)
}

/// No browser of anybody in the organisation skips the code from here on.
pub fn distrust_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    Ok(sql::distrust_all(tx, organisation)?)
}

/// A link by which the operator lets somebody in.
#[derive(Debug)]
pub struct Link {
    /// What opens it.
    pub token: Token,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Makes a sign-in link for an Active account, in place of an older one. It is shown once, to the operator.
pub fn make_link(tx: &Tx<'_>, account: &Account) -> Result<Audited<Link>> {
    let account = accounts::find(tx, account.id)?.ok_or(Error::NotFound)?;
    check_may_enter(tx, &account)?;
    sql::replace_link(tx, account.id)?;
    let id = SignInLinkId::new(tx)?;
    let nonce = Nonce::new(tx)?;
    let token = Token::derived(tx.keys(), Purpose::SignIn, id.number(), nonce);
    let expires_at = tx.now().plus(LINK_TTL);
    let new = sql::NewLink {
        id,
        account: &account,
        nonce,
        hash: token.hash(),
        expires_at,
    };
    sql::insert_link(tx, &new)?;
    let event =
        Event::of(account.organisation, Action::SignInLinkMade).on(account.id, account.address()?);
    audit::record(tx, &By::operator(), &event, Link { token, expires_at })
}

/// A link would open nothing where the account or its organisation is not in use: the operator is told what to do first.
fn check_may_enter(read: &Read<'_>, account: &Account) -> Result<()> {
    let sentence = match account.status {
        accounts::Status::Pending => {
            "The account is Pending: its person activates it first. `doorward account resend` makes a new link for that."
        }
        accounts::Status::Disabled { .. } => {
            "The account is disabled: nobody signs in with it. Enable it first: `doorward account enable`."
        }
        accounts::Status::Deleted { .. } => return Err(Error::NotFound),
        accounts::Status::Active => {
            if organisations::get(read, account.organisation)?
                .disabled_at
                .is_none()
            {
                return Ok(());
            }
            "The organisation is disabled: nobody of it signs in. Enable it first: `doorward org enable`."
        }
    };
    Err(Error::Refused(sentence.to_owned()))
}

/// What a sign-in link opens.
#[derive(Clone, Debug)]
pub enum SignInLink {
    /// This account may be signed in to.
    Open(OpenLink),
    /// It was used.
    Used,
    /// A newer one was made.
    Replaced,
    /// Its 15 minutes are over.
    Expired,
}

/// A sign-in link that works, as of this read. Only [`find_link`] makes one.
#[derive(Clone, Debug)]
pub struct OpenLink {
    id: SignInLinkId,
    account: Account,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl OpenLink {
    /// Whose it is.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }
}

/// What the token opens; none for anything that was never a link of ours, or of an account that may not sign in.
pub fn find_link(read: &Read<'_>, token: &Token) -> Result<Option<SignInLink>> {
    let Some(row) = sql::find_link(read, &token.hash())? else {
        return Ok(None);
    };
    let account = accounts::find(read, row.account)?.ok_or(Error::NotFound)?;
    let organisation = organisations::get(read, account.organisation)?;
    Ok(match row.state {
        sql::LinkState::Used => Some(SignInLink::Used),
        sql::LinkState::Replaced => Some(SignInLink::Replaced),
        sql::LinkState::Open if row.expires_at <= read.now() => Some(SignInLink::Expired),
        sql::LinkState::Open
            if account.status != accounts::Status::Active || organisation.disabled_at.is_some() =>
        {
            None
        }
        sql::LinkState::Open => Some(SignInLink::Open(OpenLink {
            id: row.id,
            account,
            expires_at: row.expires_at,
        })),
    })
}

/// Uses the link, once: to a session, or to the second step.
pub fn use_link(
    tx: &Tx<'_>,
    by: &By,
    open: &OpenLink,
    sign_in: &SignIn<'_>,
) -> Result<Audited<Entered>> {
    if open.account.id != sign_in.account.id || !sql::use_link(tx, open.id)? {
        return Err(Error::Gone("This link was used just now.".to_owned()));
    }
    enter(tx, by, sign_in, Key::Link)
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
    sql::drop_challenges(tx, scope.account)?;
    sql::distrust(tx, scope.account)?;
    let event = Event::of(scope.organisation, Action::SessionsEnded)
        .on(scope.account, &scope.email)
        .with("sessions", ended);
    audit::record(tx, by, &event, ended)
}

/// Ends every session of an organisation: it was disabled.
pub fn end_all_of(tx: &Tx<'_>, organisation: OrganisationId) -> Result<usize> {
    Ok(sql::delete_all_of(tx, organisation)?)
}

/// Ends this session.
pub fn close(tx: &Tx<'_>, by: &By, who: &Enroller) -> Result<Audited<()>> {
    sql::delete(tx, who.session)?;
    let event = Event::of(who.organisation, Action::SignedOut).on(who.account, &who.email);
    audit::record(tx, by, &event, ())
}

/// The file is of the past: nobody of it is signed in or half-way, no link lets anybody in, no browser skips the code.
/// Browsers stay known.
pub fn end_everything(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::end_everything(tx)?)
}

/// Every session, challenge, known browser and sign-in link of the install is void: their key is gone.
pub fn void_all(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::void_all(tx)?)
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
    let challenges = sql::sweep_challenges(tx, SWEEP_MAX)?;
    let links = sql::sweep_links(tx, now.minus(LINKS_KEPT), SWEEP_MAX)?;
    Ok(sessions + devices + challenges + links)
}
