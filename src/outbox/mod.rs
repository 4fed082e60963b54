//! The outbox: every mail is a row, written in the transaction that owes it. Owns `errands` and `attempts`.
//!
//! An [`Errand`] says what is owed and to whom; what the mail says is written when it is sent, by the capability
//! that owes it, and only if it still holds. Sending is the worker's; this is the queue.

pub mod mail;
pub mod pages;
mod sql;
pub mod views;

use serde::{Deserialize, Serialize};

use crate::audit::{self, Action, Audited, Event, Names};
use crate::domain::email::Email;
use crate::domain::id::{
    AccountId, EmailChangeId, ErrandId, InvitationId, OrganisationId, ResetId,
};
use crate::domain::invoice::InvoiceNumber;
use crate::domain::month::Month;
use crate::domain::role::Role;
use crate::error::{Error, Result};
use crate::kit::db::Tx;
pub use crate::kit::mail::Cause;
use crate::kit::mail::Said;
use crate::kit::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::scope::{Allowed, By, ReadMail};

pub use sql::{
    Attempt, Counts, Dialogue, Filter, Queue, Row, Search, attempts, claimed, counts, counts_with,
    dialogue, find, is_any_due, is_test_due, list, queue, retriable, unsent, unsent_counts,
};

/// What is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// The activation link, to the invitee.
    Activation(InvitationId),
    /// "They ask for a new link", to the inviter or the owner; about this account.
    LinkAsked(AccountId),
    /// The reset link.
    Reset(ResetId),
    /// "Your password was changed."
    PasswordChanged,
    /// "Your password was reset": somebody else took it away, and has the link.
    PasswordTaken(ResetId),
    /// "New sign-in from …"
    NewDevice(Place),
    /// "You are now Admin at …"
    RoleChanged {
        /// What the account was.
        from: Role,
        /// What it is now.
        to: Role,
    },
    /// The link that confirms a new address, to that address.
    EmailConfirm(EmailChangeId),
    /// "Your email is now …", to the old and to the new address.
    EmailChanged(EmailChangeId),
    /// "The ownership is offered to you."
    OwnershipOffered,
    /// "The ownership has moved", to the old and to the new owner; about the new one.
    OwnershipMoved(AccountId),
    /// "2-step verification is on", or on another phone.
    TwoFactorOn {
        /// Where it was done.
        place: Place,
        /// Whether it took the place of another.
        replaced: bool,
    },
    /// "2-step verification is off."
    TwoFactorOff(Place),
    /// "Your 2-step verification was reset"; by this account, or the operator.
    TwoFactorReset(Option<AccountId>),
    /// "A recovery code was used", and how many are left.
    RecoveryUsed(Place, usize),
    /// "New recovery codes were made."
    CodesRenewed(Place),
    /// "You need a second factor by …"
    GraceEnds(Timestamp),
    /// "No backup could be made", since that instant.
    BackupFailed(Timestamp),
    /// "Invoice INV-2026-011, €1,470.00"
    Invoice(InvoiceNumber),
    /// "80 % of November's budget is spent"
    Budget {
        /// Of which month.
        month: Month,
        /// How much of it, in percent.
        percent: i64,
    },
    /// "Test mail from …", to whoever asked for it.
    Test,
}

/// Where a sign-in or a change came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Browser and system.
    pub agent: String,
    /// The network address.
    pub address: String,
    /// When, in seconds since 1970.
    pub at: i64,
}

/// What kind of mail; the slug in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// See [`Errand::Activation`].
    Activation,
    /// See [`Errand::LinkAsked`].
    LinkAsked,
    /// See [`Errand::Reset`].
    Reset,
    /// See [`Errand::PasswordChanged`].
    PasswordChanged,
    /// See [`Errand::PasswordTaken`].
    PasswordTaken,
    /// See [`Errand::NewDevice`].
    NewDevice,
    /// See [`Errand::RoleChanged`].
    RoleChanged,
    /// See [`Errand::EmailConfirm`].
    EmailConfirm,
    /// See [`Errand::EmailChanged`].
    EmailChanged,
    /// See [`Errand::OwnershipOffered`].
    OwnershipOffered,
    /// See [`Errand::OwnershipMoved`].
    OwnershipMoved,
    /// See [`Errand::TwoFactorOn`].
    TwoFactorOn,
    /// See [`Errand::TwoFactorOff`].
    TwoFactorOff,
    /// See [`Errand::TwoFactorReset`].
    TwoFactorReset,
    /// See [`Errand::RecoveryUsed`].
    RecoveryUsed,
    /// See [`Errand::CodesRenewed`].
    CodesRenewed,
    /// See [`Errand::GraceEnds`].
    GraceEnds,
    /// See [`Errand::BackupFailed`].
    BackupFailed,
    /// See [`Errand::Invoice`].
    Invoice,
    /// See [`Errand::Budget`].
    Budget,
    /// See [`Errand::Test`].
    Test,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Activation,
        Self::LinkAsked,
        Self::Reset,
        Self::PasswordChanged,
        Self::PasswordTaken,
        Self::NewDevice,
        Self::RoleChanged,
        Self::EmailConfirm,
        Self::EmailChanged,
        Self::OwnershipOffered,
        Self::OwnershipMoved,
        Self::TwoFactorOn,
        Self::TwoFactorOff,
        Self::TwoFactorReset,
        Self::RecoveryUsed,
        Self::CodesRenewed,
        Self::GraceEnds,
        Self::BackupFailed,
        Self::Invoice,
        Self::Budget,
        Self::Test,
    ];

    /// The name in the file.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::LinkAsked => "link_asked",
            Self::Reset => "reset",
            Self::PasswordChanged => "password_changed",
            Self::PasswordTaken => "password_taken",
            Self::NewDevice => "new_device",
            Self::RoleChanged => "role_changed",
            Self::EmailConfirm => "email_confirm",
            Self::EmailChanged => "email_changed",
            Self::OwnershipOffered => "ownership_offered",
            Self::OwnershipMoved => "ownership_moved",
            Self::TwoFactorOn => "two_factor_on",
            Self::TwoFactorOff => "two_factor_off",
            Self::TwoFactorReset => "two_factor_reset",
            Self::RecoveryUsed => "recovery_used",
            Self::CodesRenewed => "codes_renewed",
            Self::GraceEnds => "grace_ends",
            Self::BackupFailed => "backup_failed",
            Self::Invoice => "invoice",
            Self::Budget => "budget",
            Self::Test => "test",
        }
    }

    /// The name on the Mail page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Activation => "Activate your account",
            Self::LinkAsked => "Asks for a new activation link",
            Self::Reset => "Reset your password",
            Self::PasswordChanged => "Your password was changed",
            Self::PasswordTaken => "Your password was reset",
            Self::NewDevice => "New sign-in",
            Self::RoleChanged => "Your permission was changed",
            Self::EmailConfirm => "Confirm your new email",
            Self::EmailChanged => "Your email was changed",
            Self::OwnershipOffered => "The ownership is offered to you",
            Self::OwnershipMoved => "The ownership has moved",
            Self::TwoFactorOn => "2-step verification is on",
            Self::TwoFactorOff => "2-step verification is off",
            Self::TwoFactorReset => "Your 2-step verification was reset",
            Self::RecoveryUsed => "A recovery code was used",
            Self::CodesRenewed => "New recovery codes were made",
            Self::GraceEnds => "Set up 2-step verification",
            Self::BackupFailed => "No backup could be made",
            Self::Invoice => "Invoice",
            Self::Budget => "Budget",
            Self::Test => "Test mail",
        }
    }

    /// Whether it is worth nothing without its link, and so is urgent and dies with it.
    const fn carries_link(self) -> bool {
        matches!(self, Self::Activation | Self::Reset | Self::EmailConfirm)
    }
}

/// How far a mail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Owed.
    Waiting,
    /// On its way just now.
    Sending,
    /// Accepted by the server.
    Sent,
    /// Given up.
    Failed,
    /// Its reason is gone.
    NotNeeded,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::NotNeeded,
    ];

    /// The name in the file and in the address of the Mail page.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::NotNeeded => "not_needed",
        }
    }
}

/// How the way out of the house is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relay {
    /// Mail is off: the operator named no server.
    Off,
    /// As far as is known, it works.
    Works,
    /// It is in trouble; every mail waits.
    Fails {
        /// Since when.
        since: Timestamp,
        /// What kind of trouble it is.
        cause: Cause,
        /// Its words.
        words: String,
        /// When it is tried next.
        next_try: Timestamp,
    },
}

/// The keys under which a changed role stands in the details of its errand: what it was, and what it is.
const FROM: &str = "from";
const ROLE: &str = "role";
/// How long a notice is worth sending.
const NOTICE_TTL: i64 = 3 * DAY;
/// How long a test mail is worth sending, and how many of them an organisation may send in that time.
const TEST_TTL: i64 = 10 * MINUTE;
const TESTS_MAX: i64 = 5;
/// How long a text the file takes as a dialogue, in characters.
const DIALOGUE_MAX: usize = 100_000;
/// How long one attempt may hold a mail. Longer than the 60 s an attempt may last.
const LEASE: i64 = 2 * MINUTE;
/// How long a mail waits that may have broken a connection.
const SUSPECT_WAIT: i64 = MINUTE / 2;
/// How long sent and failed rows are kept.
const SENT_KEPT: i64 = 30 * DAY;
const FAILED_KEPT: i64 = 90 * DAY;
/// How many failed mails one press of a button sends again.
const RETRY_MAX: i64 = 1_000;
/// Rows one sweep may touch.
const SWEEP_MAX: i64 = 100;

/// To whom a mail is owed.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The account.
    pub account: AccountId,
    /// Its address.
    pub email: Email,
}

/// Writes down that a mail is owed. `deadline` is when its link dies; `None` for a notice, worth three days.
pub fn enqueue(
    tx: &Tx<'_>,
    to: &Recipient,
    errand: &Errand,
    deadline: Option<Timestamp>,
) -> Result<ErrandId> {
    let id = ErrandId::new(tx)?;
    let (kind, about, details) = match errand {
        Errand::Activation(invitation) => (Kind::Activation, Some(invitation.number()), None),
        Errand::LinkAsked(account) => (Kind::LinkAsked, Some(account.number()), None),
        Errand::Reset(reset) => (Kind::Reset, Some(reset.number()), None),
        Errand::PasswordChanged => (Kind::PasswordChanged, None, None),
        Errand::PasswordTaken(reset) => (Kind::PasswordTaken, Some(reset.number()), None),
        Errand::NewDevice(place) => (Kind::NewDevice, None, Some(json(place)?)),
        Errand::RoleChanged { from, to } => (
            Kind::RoleChanged,
            None,
            Some(serde_json::json!({ FROM: from.key(), ROLE: to.key() }).to_string()),
        ),
        Errand::EmailConfirm(change) => (Kind::EmailConfirm, Some(change.number()), None),
        Errand::EmailChanged(change) => (Kind::EmailChanged, Some(change.number()), None),
        Errand::OwnershipOffered => (Kind::OwnershipOffered, None, None),
        Errand::OwnershipMoved(owner) => (Kind::OwnershipMoved, Some(owner.number()), None),
        Errand::TwoFactorOn { place, replaced } => {
            (Kind::TwoFactorOn, None, Some(json(&(place, replaced))?))
        }
        Errand::TwoFactorOff(place) => (Kind::TwoFactorOff, None, Some(json(place)?)),
        // Not what it is about: word of it is owed though whoever did it is deleted.
        Errand::TwoFactorReset(by) => (
            Kind::TwoFactorReset,
            None,
            Some(json(&by.map(|by| by.to_string()))?),
        ),
        Errand::RecoveryUsed(place, left) => {
            (Kind::RecoveryUsed, None, Some(json(&(place, left))?))
        }
        Errand::CodesRenewed(place) => (Kind::CodesRenewed, None, Some(json(place)?)),
        Errand::GraceEnds(at) => (Kind::GraceEnds, None, Some(json(&at.0)?)),
        Errand::BackupFailed(since) => (Kind::BackupFailed, None, Some(json(&since.0)?)),
        Errand::Invoice(number) => (Kind::Invoice, None, Some(json(&number.to_string())?)),
        Errand::Budget { month, percent } => (
            Kind::Budget,
            None,
            Some(json(&(month.to_string(), percent))?),
        ),
        Errand::Test => (Kind::Test, None, None),
    };
    let details = details.unwrap_or_else(|| "{}".to_owned());
    sql::insert(
        tx,
        &sql::New {
            id,
            to,
            kind,
            about,
            details: &details,
            message_id: &format!("{id}@{}", tx.mail_domain()),
            is_urgent: kind.carries_link() || kind == Kind::Test,
            deadline: deadline.unwrap_or_else(|| tx.now().plus(NOTICE_TTL)),
        },
    )?;
    Ok(id)
}

fn json(details: &impl Serialize) -> Result<String> {
    serde_json::to_string(details).map_err(|error| Error::Internal(Box::new(error)))
}

/// Which of the mails that are due goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Links before notices: somebody waits for them.
    Urgent,
    /// The link that was asked for last and was never refused, so that nobody at the door waits behind a backlog, or
    /// behind addresses that refuse again and again; as [`Turn::Urgent`] where there is none.
    Freshest,
    /// The oldest test mail, whatever else waits: whoever sent it looks at its page.
    Test,
    /// Whichever has waited longest. A relay in trouble is tried with another mail each time, so that one that breaks
    /// every connection does not keep the others from showing that the relay is well.
    Longest,
}

/// A mail in the worker's hands.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Which.
    pub id: ErrandId,
    /// To whom.
    pub to: Recipient,
    /// What is owed.
    pub errand: Errand,
    /// The Message-ID, the same at each attempt.
    pub message_id: String,
}

/// Takes the next mail that is due, for as long as one attempt may last. What it is, [`claimed`] says: a row that
/// cannot be read is taken all the same, or it would hold up all the others.
pub fn claim(tx: &Tx<'_>, turn: Turn) -> Result<Option<ErrandId>> {
    let mut next = sql::next_due(tx, turn)?;
    if next.is_none() && turn == Turn::Freshest {
        next = sql::next_due(tx, Turn::Urgent)?;
    }
    let Some(id) = next else {
        return Ok(None);
    };
    sql::lease(tx, id, tx.now().plus(LEASE))?;
    Ok(Some(id))
}

/// The server took it.
pub fn sent(tx: &Tx<'_>, id: ErrandId, answer: &str) -> Result<()> {
    sql::note_attempt(tx, id, answer)?;
    Ok(sql::end(tx, id, State::Sent, answer)?)
}

/// The server will never take it.
pub fn failed(tx: &Tx<'_>, id: ErrandId, answer: &str) -> Result<()> {
    sql::note_attempt(tx, id, answer)?;
    Ok(sql::end(tx, id, State::Failed, answer)?)
}

/// Its reason is gone: nothing was sent.
pub fn not_needed(tx: &Tx<'_>, id: ErrandId, why: &str) -> Result<()> {
    Ok(sql::end(tx, id, State::NotNeeded, why)?)
}

/// The server refused it for now (4xx): again after 1, 5 and 15 minutes and an hour, then hourly.
pub fn refused_for_now(tx: &Tx<'_>, id: ErrandId, answer: &str) -> Result<()> {
    sql::note_attempt(tx, id, answer)?;
    let wait = wait_after(sql::refusals(tx, id)?).unwrap_or(MINUTE);
    Ok(sql::put_back(tx, id, tx.now().plus(wait), 1, answer)?)
}

/// How long a mail waits that was refused so often before; none when it never was.
const fn wait_after(refusals: i64) -> Option<i64> {
    match refusals {
        0 => None,
        1 => Some(5 * MINUTE),
        2 => Some(15 * MINUTE),
        _ => Some(HOUR),
    }
}

/// The relay is in trouble: the mail is not to blame and stays due.
pub fn relay_failed(tx: &Tx<'_>, id: ErrandId, answer: &str) -> Result<()> {
    sql::note_attempt(tx, id, answer)?;
    Ok(sql::put_back(tx, id, tx.now(), 0, answer)?)
}

/// The relay failed with this one in its hands, and took another right after: it may be to blame, and waits as if it
/// had been refused. The first time that is short: the likelier reason is a relay that has just come back.
pub fn suspect(tx: &Tx<'_>, id: ErrandId) -> Result<()> {
    if let Some(refusals) = sql::refusals_while_waiting(tx, id)? {
        let wait = wait_after(refusals).unwrap_or(SUSPECT_WAIT);
        sql::put_off(tx, id, tx.now().plus(wait))?;
    }
    Ok(())
}

/// What a process that died had in its hands is owed again, and what waits for longer than any wait is due: the clock
/// was set back. Called once, under the serve lock.
pub fn recover(tx: &Tx<'_>) -> Result<usize> {
    sql::pull_in(tx, tx.now().plus(HOUR))?;
    Ok(sql::release_all(tx)?)
}

/// Gives up what can no longer be delivered in time, and forgets what is over for long. At most 100 rows of each.
pub fn sweep(tx: &Tx<'_>) -> Result<usize> {
    let now = tx.now();
    let late = sql::fail_late(
        tx,
        "It could not be delivered before it expired.",
        SWEEP_MAX,
    )?;
    let old = sql::forget_old(tx, now.minus(SENT_KEPT), now.minus(FAILED_KEPT), SWEEP_MAX)?;
    Ok(late + old)
}

impl Row {
    /// Why it cannot be sent again; none when it can.
    #[must_use]
    pub fn why_no_retry(&self, now: Timestamp) -> Option<&'static str> {
        if self.state != State::Failed {
            return Some("Only a failed mail can be sent again.");
        }
        if self.recipient.is_none() {
            return Some("Its recipient's account was deleted.");
        }
        if self.kind == Kind::Test {
            return Some("A test mail is tried once. Send another one.");
        }
        if !self.kind.carries_link() || self.deadline_at > now {
            return None;
        }
        Some(match self.kind {
            Kind::Reset => {
                "Its link has expired. Its person can ask for a new one, by “Forgot password?”."
            }
            Kind::EmailConfirm => {
                "Its link has expired. Its person can ask for a new one, on their Account page."
            }
            _ => "Its link has expired. Send a new one from the account's menu.",
        })
    }
}

/// A mail is owed to whoever asks for it, so that they see how one leaves. At most five in ten minutes for each
/// organisation.
pub fn test(tx: &Tx<'_>, by: &Allowed<ReadMail>, to: &Recipient) -> Result<Audited<ErrandId>> {
    let since = tx.now().minus(TEST_TTL);
    let (count, first) = sql::tests_since(tx, by.organisation(), since)?;
    if let (TESTS_MAX.., Some(first)) = (count, first) {
        let wait = first.plus(TEST_TTL).since(tx.now()).max(1);
        return Err(Error::TooMany {
            retry_after: wait,
            sentence: format!(
                "{TESTS_MAX} test mails in ten minutes are enough. Send the next one in {} min.",
                (wait + MINUTE - 1) / MINUTE
            ),
        });
    }
    let id = enqueue(tx, to, &Errand::Test, Some(tx.now().plus(TEST_TTL)))?;
    let event = Event::of(by.organisation(), Action::MailTested)
        .on(to.account, &to.email)
        .with("mail", id.to_string());
    audit::record(tx, by.by(), &event, id)
}

/// The operator sends a test mail from the command line, at once and beside the queue.
pub fn note_test(tx: &Tx<'_>, to: &Email) -> Result<Audited<()>> {
    let event = Event::of_system(Action::MailTested).on_text(to);
    audit::record(tx, &By::operator(), &event, ())
}

/// What was said when a test mail was offered to the relay; what does not fit is cut off.
pub fn keep_dialogue(tx: &Tx<'_>, id: ErrandId, said: &[Said]) -> Result<()> {
    let mut text = String::new();
    let mut length = 0;
    for line in said {
        let line = line.to_string();
        length += line.chars().count() + 1;
        if length > DIALOGUE_MAX {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    Ok(sql::keep_dialogue(tx, id, &text)?)
}

/// A failed mail is owed again: it gets another day, or as long as its link still lives.
pub fn retry(tx: &Tx<'_>, by: &Allowed<ReadMail>, id: ErrandId) -> Result<Audited<Row>> {
    let row = sql::find(tx, by, id)?.ok_or(Error::NotFound)?;
    if let Some(why) = row.why_no_retry(tx.now()) {
        return Err(Error::Refused(why.to_owned()));
    }
    let Some(email) = row.recipient.clone() else {
        return Err(Error::NotFound);
    };
    let deadline = if row.kind.carries_link() {
        row.deadline_at
    } else {
        tx.now().plus(DAY)
    };
    sql::revive(tx, id, deadline)?;
    let event = Event::of(by.organisation(), Action::MailRetried)
        .on(row.account, email)
        .with("mail", id.to_string());
    audit::record(tx, by.by(), &event, row)
}

/// Every failed mail that can be sent again is owed again, the thousand oldest at most; answers with how many.
pub fn retry_all(tx: &Tx<'_>, by: &Allowed<ReadMail>) -> Result<Audited<usize>> {
    let notices = tx.now().plus(DAY);
    let count = sql::revive_all(tx, by.organisation(), notices, RETRY_MAX)?;
    if count == 0 {
        return Err(Error::Refused(
            "No failed mail can be sent again: the page of each says why.".to_owned(),
        ));
    }
    let event = Event::of(by.organisation(), Action::MailRetried).with("count", count);
    audit::record(tx, by.by(), &event, count)
}

/// What is still owed about this link or account is not needed any more.
pub fn drop_about(tx: &Tx<'_>, about: i64, why: &str) -> Result<()> {
    Ok(sql::drop_about(tx, about, why)?)
}

/// Nothing that is owed is sent, of anybody.
pub fn drop_owed(tx: &Tx<'_>, why: &str) -> Result<usize> {
    Ok(sql::drop_owed(tx, why)?)
}

/// The account was deleted: what was owed to it is not needed, and its address goes from every row.
pub fn forget_account(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    Ok(sql::forget_account(tx, account)?)
}

/// Nothing is left of what was mailed to them, nor of what a server said of them to others.
pub fn erase(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    account: AccountId,
    names: &Names,
) -> Result<()> {
    sql::drop_all_to(tx, account)?;
    for name in names.iter() {
        sql::forget_words(tx, organisation, name)?;
    }
    Ok(())
}

/// The organisation never began: its mail goes with it.
pub fn remove_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    Ok(sql::remove_all(tx, organisation)?)
}
