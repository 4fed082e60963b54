//! The statements of the outbox.

use rusqlite::Row as SqlRow;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::{Claimed, Errand, Kind, Recipient, State, Turn};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, ErrandId, OrganisationId};
use crate::domain::role::Role;
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;
use crate::scope::{Allowed, ReadMail};

macro_rules! slugs {
    ($($name:ident $what:literal;)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.slug()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let slug = value.as_str()?;
                $name::ALL.into_iter().find(|one| one.slug() == slug).ok_or_else(|| contradiction($what))
            }
        }
    )*};
}

slugs! {
    Kind "kind of mail";
    State "state of a mail";
}

pub(super) struct New<'n> {
    pub(super) id: ErrandId,
    pub(super) to: &'n Recipient,
    pub(super) kind: Kind,
    pub(super) about: Option<i64>,
    pub(super) details: &'n str,
    pub(super) message_id: &'n str,
    pub(super) is_urgent: bool,
    pub(super) deadline: Timestamp,
}

pub(super) fn insert(tx: &Tx<'_>, new: &New<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO errands (id, organisation_id, kind, account_id, about_id, details, recipient, message_id, urgency,
           state, created_at, due_at, deadline_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'waiting', ?10, ?10, ?11)",
        rusqlite::params![
            new.id,
            new.to.organisation,
            new.kind,
            new.to.account,
            new.about,
            new.details,
            new.to.email,
            new.message_id,
            i64::from(!new.is_urgent),
            tx.now(),
            new.deadline
        ],
    )?;
    Ok(())
}

/// The mail of a disabled organisation waits until it is enabled, or its time is over.
pub(super) fn next_due(tx: &Tx<'_>, turn: Turn) -> Result<Option<ErrandId>> {
    let sql = match turn {
        Turn::Urgent => {
            "SELECT id FROM errands
              WHERE state IN ('waiting', 'sending') AND due_at <= ?1 AND deadline_at > ?1
                AND (leased_until IS NULL OR leased_until <= ?1)
                AND organisation_id NOT IN (SELECT id FROM organisations WHERE disabled_at IS NOT NULL)
              ORDER BY urgency, due_at, id LIMIT 1"
        }
        Turn::Freshest => {
            "SELECT id FROM errands
              WHERE state IN ('waiting', 'sending') AND urgency = 0 AND refusals = 0 AND due_at <= ?1 AND deadline_at > ?1
                AND (leased_until IS NULL OR leased_until <= ?1)
                AND organisation_id NOT IN (SELECT id FROM organisations WHERE disabled_at IS NOT NULL)
              ORDER BY due_at DESC, id DESC LIMIT 1"
        }
        Turn::Test => {
            "SELECT id FROM errands
              WHERE state IN ('waiting', 'sending') AND urgency = 0 AND kind = 'test' AND due_at <= ?1 AND deadline_at > ?1
                AND (leased_until IS NULL OR leased_until <= ?1)
                AND organisation_id NOT IN (SELECT id FROM organisations WHERE disabled_at IS NOT NULL)
              ORDER BY due_at, id LIMIT 1"
        }
        Turn::Longest => {
            "SELECT id FROM errands
              WHERE state IN ('waiting', 'sending') AND due_at <= ?1 AND deadline_at > ?1
                AND (leased_until IS NULL OR leased_until <= ?1)
                AND organisation_id NOT IN (SELECT id FROM organisations WHERE disabled_at IS NOT NULL)
              ORDER BY due_at, id LIMIT 1"
        }
    };
    tx.find(sql, [tx.now()], |row| row.get(0))
}

/// What was claimed.
pub fn claimed(read: &Read<'_>, id: ErrandId) -> Result<Claimed> {
    read.get(
        "SELECT id, organisation_id, account_id, recipient, kind, about_id, details, message_id FROM errands
          WHERE id = ?1",
        [id],
        |row| {
            let to = Recipient { organisation: row.get(1)?, account: row.get(2)?, email: row.get(3)? };
            Ok(Claimed { id: row.get(0)?, to, errand: errand(row, 4, 5, 6)?, message_id: row.get(7)? })
        },
    )
}

/// Whether any mail is due.
pub fn is_any_due(read: &Read<'_>) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM errands WHERE state IN ('waiting', 'sending') AND due_at <= ?1
           AND deadline_at > ?1 AND (leased_until IS NULL OR leased_until <= ?1)
           AND organisation_id NOT IN (SELECT id FROM organisations WHERE disabled_at IS NOT NULL))",
        [read.now()],
        |row| row.get(0),
    )
}

/// Whether a test mail is due.
pub fn is_test_due(read: &Read<'_>) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM errands
          WHERE state IN ('waiting', 'sending') AND urgency = 0 AND kind = 'test' AND due_at <= ?1 AND deadline_at > ?1
            AND (leased_until IS NULL OR leased_until <= ?1)
            AND organisation_id NOT IN (SELECT id FROM organisations WHERE disabled_at IS NOT NULL))",
        [read.now()],
        |row| row.get(0),
    )
}

/// What was said when a test mail was offered, and when that was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// When it ended.
    pub said_at: Timestamp,
    /// Line by line.
    pub text: String,
}

/// What was said of one mail; none but of a test mail that was offered.
pub fn dialogue(read: &Read<'_>, id: ErrandId) -> Result<Option<Dialogue>> {
    read.find(
        "SELECT said_at, text FROM dialogues WHERE errand_id = ?1",
        [id],
        |row| {
            Ok(Dialogue {
                said_at: row.get(0)?,
                text: row.get(1)?,
            })
        },
    )
}

fn errand(row: &SqlRow<'_>, kind: usize, about: usize, details: usize) -> rusqlite::Result<Errand> {
    Ok(match row.get::<_, Kind>(kind)? {
        Kind::Activation => Errand::Activation(row.get(about)?),
        Kind::LinkAsked => Errand::LinkAsked(row.get(about)?),
        Kind::Reset => Errand::Reset(row.get(about)?),
        Kind::PasswordChanged => Errand::PasswordChanged,
        Kind::NewDevice => Errand::NewDevice(json(row, details)?),
        Kind::PasswordTaken => Errand::PasswordTaken(row.get(about)?),
        Kind::RoleChanged => {
            let details: String = row.get(details)?;
            Errand::RoleChanged {
                from: role(&details, super::FROM)?,
                to: role(&details, super::ROLE)?,
            }
        }
        Kind::EmailConfirm => Errand::EmailConfirm(row.get(about)?),
        Kind::EmailChanged => Errand::EmailChanged(row.get(about)?),
        Kind::OwnershipOffered => Errand::OwnershipOffered,
        Kind::OwnershipMoved => Errand::OwnershipMoved(row.get(about)?),
        Kind::TwoFactorOn => {
            let (place, replaced) = json(row, details)?;
            Errand::TwoFactorOn { place, replaced }
        }
        Kind::TwoFactorOff => Errand::TwoFactorOff(json(row, details)?),
        Kind::TwoFactorReset => {
            let by: Option<String> = json(row, details)?;
            let by = by.map(|by| by.parse()).transpose();
            Errand::TwoFactorReset(by.map_err(|()| contradiction("details of a mail"))?)
        }
        Kind::RecoveryUsed => {
            let (place, left) = json(row, details)?;
            Errand::RecoveryUsed(place, left)
        }
        Kind::CodesRenewed => Errand::CodesRenewed(json(row, details)?),
        Kind::GraceEnds => Errand::GraceEnds(Timestamp(json(row, details)?)),
        Kind::BackupFailed => Errand::BackupFailed(Timestamp(json(row, details)?)),
        Kind::Invoice => Errand::Invoice(read_back(&json::<String>(row, details)?)?),
        Kind::Test => Errand::Test,
        Kind::Budget => {
            let (month, percent): (String, i64) = json(row, details)?;
            Errand::Budget {
                month: read_back(&month)?,
                percent,
            }
        }
    })
}

fn read_back<T: std::str::FromStr>(text: &str) -> rusqlite::Result<T> {
    text.parse()
        .map_err(|_| contradiction("details of a mail").into())
}

fn json<T: serde::de::DeserializeOwned>(row: &SqlRow<'_>, details: usize) -> rusqlite::Result<T> {
    serde_json::from_str(&row.get::<_, String>(details)?)
        .map_err(|_| contradiction("details of a mail").into())
}

fn role(details: &str, key: &str) -> rusqlite::Result<Role> {
    let details: serde_json::Value =
        serde_json::from_str(details).map_err(|_| contradiction("changed role"))?;
    let role = details.get(key).and_then(serde_json::Value::as_str);
    role.and_then(|role| role.parse().ok())
        .ok_or_else(|| contradiction("changed role").into())
}

/// Test mails of an organisation that were asked for since then: how many, and when the first was.
pub(super) fn tests_since(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    since: Timestamp,
) -> Result<(i64, Option<Timestamp>)> {
    tx.get(
        "SELECT count(*), min(created_at) FROM errands
          WHERE organisation_id = ?1 AND created_at > ?2 AND kind = 'test'",
        (organisation, since),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(super) fn keep_dialogue(tx: &Tx<'_>, id: ErrandId, text: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO dialogues (errand_id, said_at, text) VALUES (?1, ?2, ?3)
         ON CONFLICT (errand_id) DO UPDATE SET said_at = excluded.said_at, text = excluded.text",
        (id, tx.now(), text),
    )?;
    Ok(())
}

pub(super) fn lease(tx: &Tx<'_>, id: ErrandId, until: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE errands SET state = 'sending', leased_until = ?2 WHERE id = ?1",
        (id, until),
    )?;
    Ok(())
}

pub(super) fn end(tx: &Tx<'_>, id: ErrandId, state: State, answer: &str) -> Result<()> {
    tx.execute(
        "UPDATE errands SET state = ?2, leased_until = NULL, ended_at = ?3, answer = ?4
          WHERE id = ?1 AND state IN ('waiting', 'sending')",
        (id, state, tx.now(), answer),
    )?;
    Ok(())
}

pub(super) fn put_back(
    tx: &Tx<'_>,
    id: ErrandId,
    due: Timestamp,
    refusals: i64,
    answer: &str,
) -> Result<()> {
    tx.execute(
        "UPDATE errands SET state = 'waiting', leased_until = NULL, due_at = ?2, refusals = refusals + ?3, answer = ?4
          WHERE id = ?1 AND state = 'sending'",
        (id, due, refusals, answer),
    )?;
    Ok(())
}

pub(super) fn refusals(tx: &Tx<'_>, id: ErrandId) -> Result<i64> {
    tx.get("SELECT refusals FROM errands WHERE id = ?1", [id], |row| {
        row.get(0)
    })
}

pub(super) fn refusals_while_waiting(tx: &Tx<'_>, id: ErrandId) -> Result<Option<i64>> {
    tx.find(
        "SELECT refusals FROM errands WHERE id = ?1 AND state = 'waiting'",
        [id],
        |row| row.get(0),
    )
}

pub(super) fn put_off(tx: &Tx<'_>, id: ErrandId, due: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE errands SET due_at = ?2, refusals = refusals + 1 WHERE id = ?1 AND state = 'waiting'",
        (id, due),
    )?;
    Ok(())
}

pub(super) fn note_attempt(tx: &Tx<'_>, id: ErrandId, answer: &str) -> Result<()> {
    let again = tx.execute(
        "UPDATE attempts SET last_at = ?2, count = count + 1
          WHERE errand_id = ?1 AND answer = ?3
            AND number = (SELECT max(number) FROM attempts WHERE errand_id = ?1)",
        (id, tx.now(), answer),
    )?;
    if again == 0 {
        tx.execute(
            "INSERT INTO attempts (errand_id, number, first_at, last_at, count, answer)
             VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE errand_id = ?1), ?2, ?2, 1, ?3)",
            (id, tx.now(), answer),
        )?;
    }
    Ok(())
}

pub(super) fn release_all(tx: &Tx<'_>) -> Result<usize> {
    tx.execute(
        "UPDATE errands SET state = 'waiting', leased_until = NULL WHERE state = 'sending'",
        [],
    )
}

pub(super) fn pull_in(tx: &Tx<'_>, latest: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE errands SET due_at = ?1 WHERE state IN ('waiting', 'sending') AND due_at > ?2",
        (tx.now(), latest),
    )?;
    Ok(())
}

pub(super) fn fail_late(tx: &Tx<'_>, why: &str, rows: i64) -> Result<usize> {
    tx.execute(
        "UPDATE errands SET state = 'failed', leased_until = NULL, ended_at = ?1, answer = ?2
          WHERE id IN (SELECT id FROM errands WHERE state IN ('waiting', 'sending') AND deadline_at <= ?1
                         AND (leased_until IS NULL OR leased_until <= ?1) LIMIT ?3)",
        (tx.now(), why, rows),
    )
}

pub(super) fn forget_old(
    tx: &Tx<'_>,
    sent: Timestamp,
    failed: Timestamp,
    rows: i64,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM errands WHERE id IN (SELECT id FROM errands WHERE ended_at IS NOT NULL AND
           ended_at <= CASE state WHEN 'failed' THEN ?2 ELSE ?1 END LIMIT ?3)",
        (sent, failed, rows),
    )
}

pub(super) fn revive(tx: &Tx<'_>, id: ErrandId, deadline: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE errands SET state = 'waiting', ended_at = NULL, due_at = ?2, deadline_at = ?3, refusals = 0
          WHERE id = ?1 AND state = 'failed'",
        (id, tx.now(), deadline),
    )?;
    Ok(())
}

pub(super) fn drop_about(tx: &Tx<'_>, about: i64, why: &str) -> Result<()> {
    tx.execute(
        "UPDATE errands SET state = 'not_needed', leased_until = NULL, ended_at = ?2, answer = ?3
          WHERE about_id = ?1 AND state IN ('waiting', 'sending')",
        (about, tx.now(), why),
    )?;
    Ok(())
}

pub(super) fn drop_owed(tx: &Tx<'_>, why: &str) -> Result<usize> {
    tx.execute(
        "UPDATE errands SET state = 'not_needed', leased_until = NULL, ended_at = ?1, answer = ?2
          WHERE state IN ('waiting', 'sending')",
        (tx.now(), why),
    )
}

pub(super) fn drop_all_to(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM errands WHERE account_id = ?1", [account])?;
    Ok(())
}

/// What a server said where it named them.
pub(super) fn forget_words(tx: &Tx<'_>, organisation: OrganisationId, name: &str) -> Result<()> {
    tx.execute(
        "UPDATE errands SET answer = 'Erased.' WHERE organisation_id = ?1 AND instr(lower(answer), ?2) > 0",
        (organisation, name),
    )?;
    tx.execute(
        "UPDATE attempts SET answer = 'Erased.' WHERE instr(lower(answer), ?2) > 0
            AND errand_id IN (SELECT id FROM errands WHERE organisation_id = ?1)",
        (organisation, name),
    )?;
    tx.execute(
        "DELETE FROM dialogues WHERE instr(lower(text), ?2) > 0
            AND errand_id IN (SELECT id FROM errands WHERE organisation_id = ?1)",
        (organisation, name),
    )?;
    Ok(())
}

pub(super) fn forget_account(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute(
        "UPDATE errands SET state = 'not_needed', leased_until = NULL, ended_at = ?2, answer = 'The account was deleted.'
          WHERE (account_id = ?1 OR about_id = ?1) AND state IN ('waiting', 'sending')",
        (account, tx.now()),
    )?;
    tx.execute(
        "UPDATE errands SET recipient = NULL WHERE account_id = ?1",
        [account],
    )?;
    Ok(())
}

pub(super) fn remove_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    tx.execute(
        "DELETE FROM errands WHERE organisation_id = ?1",
        [organisation],
    )?;
    Ok(())
}

/// One mail as the Mail page shows it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub id: ErrandId,
    /// Whose mail.
    pub account: AccountId,
    /// What kind.
    pub kind: Kind,
    /// To which address; none once the account was deleted.
    pub recipient: Option<Email>,
    /// How far it has come.
    pub state: State,
    /// The server's last words.
    pub answer: Option<String>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// Until when it is worth sending.
    pub deadline_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Its Message-ID.
    pub message_id: String,
}

const fn columns() -> &'static str {
    "id, account_id, kind, recipient, state, answer, created_at, due_at, deadline_at, ended_at, message_id"
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        account: row.get(1)?,
        kind: row.get(2)?,
        recipient: row.get(3)?,
        state: row.get(4)?,
        answer: row.get(5)?,
        created_at: row.get(6)?,
        due_at: row.get(7)?,
        deadline_at: row.get(8)?,
        ended_at: row.get(9)?,
        message_id: row.get(10)?,
    })
}

/// One mail of the organisation.
pub fn find(read: &Read<'_>, by: &Allowed<ReadMail>, id: ErrandId) -> Result<Option<Row>> {
    read.find(
        "SELECT id, account_id, kind, recipient, state, answer, created_at, due_at, deadline_at, ended_at, message_id
           FROM errands WHERE id = ?1 AND organisation_id = ?2",
        (id, by.organisation()),
        from_row,
    )
}

/// Which mails to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// What is owed.
    Waiting,
    /// What was accepted.
    Sent,
    /// What was given up.
    Failed,
}

impl Filter {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 4] = [Self::All, Self::Waiting, Self::Sent, Self::Failed];

    /// The value in the address of the Mail page; none for what needs no filter.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Waiting => Some("waiting"),
            Self::Sent => Some("sent"),
            Self::Failed => Some("failed"),
        }
    }
}

/// A mail's recipient is searched for by this text.
#[derive(Clone, Copy, Debug)]
pub struct Search<'s> {
    /// In which state.
    pub filter: Filter,
    /// A part of the address; none for any.
    pub text: Option<&'s str>,
}

/// The organisation's mails, newest first. Which they are is read from an index alone, however many come before them.
pub fn list(
    read: &Read<'_>,
    by: &Allowed<ReadMail>,
    search: Search<'_>,
    offset: i64,
    rows: i64,
) -> Result<Vec<Row>> {
    let (index, which) = match (search.filter, search.text) {
        (Filter::All, None) => ("errands_by_organisation", "?4 IS NULL"),
        (Filter::All, Some(_)) => (
            "errands_by_state",
            "state IN ('waiting', 'sending', 'sent', 'failed', 'not_needed')",
        ),
        (Filter::Waiting, _) => ("errands_by_state", "state IN ('waiting', 'sending')"),
        (Filter::Sent, _) => ("errands_by_state", "state = 'sent'"),
        (Filter::Failed, _) => ("errands_by_state", "state = 'failed'"),
    };
    let found = match search.text {
        None => "?4 IS NULL",
        Some(_) => "recipient LIKE ?4 ESCAPE '\\'",
    };
    read.list(
        &format!(
            "SELECT {} FROM
               (SELECT id AS found, created_at AS at FROM errands INDEXED BY {index}
                 WHERE organisation_id = ?1 AND {which} AND {found}
                 ORDER BY created_at DESC, id DESC LIMIT ?3 OFFSET ?2)
               CROSS JOIN errands ON id = found ORDER BY at DESC, found DESC",
            columns()
        ),
        (by.organisation(), offset, rows, search.text.map(containing)),
        from_row,
    )
}

/// The pattern that finds this very text, whatever signs it holds.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// How many mails the organisation has in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Owed.
    pub waiting: i64,
    /// Accepted.
    pub sent: i64,
    /// Given up.
    pub failed: i64,
    /// No longer needed.
    pub not_needed: i64,
}

impl Counts {
    /// How many a filter lets through.
    #[must_use]
    pub const fn of(&self, filter: Filter) -> i64 {
        match filter {
            Filter::All => self.waiting + self.sent + self.failed + self.not_needed,
            Filter::Waiting => self.waiting,
            Filter::Sent => self.sent,
            Filter::Failed => self.failed,
        }
    }
}

/// How many mails the organisation has in each state.
pub fn counts(read: &Read<'_>, organisation: OrganisationId) -> Result<Counts> {
    Ok(counted(read.list(
        "SELECT state, count(*) FROM errands INDEXED BY errands_by_state WHERE organisation_id = ?1 GROUP BY state",
        [organisation],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?))
}

/// The same of those whose recipient holds this text.
pub fn counts_with(read: &Read<'_>, organisation: OrganisationId, text: &str) -> Result<Counts> {
    Ok(counted(read.list(
        "SELECT state, count(*) FROM errands INDEXED BY errands_by_state
          WHERE organisation_id = ?1 AND recipient LIKE ?2 ESCAPE '\\' GROUP BY state",
        (organisation, containing(text)),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?))
}

/// How many of the organisation's failed mails can be sent again; the same judgement as [`Row::why_no_retry`].
pub fn retriable(read: &Read<'_>, by: &Allowed<ReadMail>) -> Result<i64> {
    read.get(
        "SELECT count(*) FROM errands
          WHERE organisation_id = ?1 AND state = 'failed' AND recipient IS NOT NULL AND kind <> 'test'
            AND (kind NOT IN ('activation', 'reset', 'email_confirm') OR deadline_at > ?2)",
        (by.organisation(), read.now()),
        |row| row.get(0),
    )
}

/// Each of these is owed again, the oldest first: a link for as long as it lives, a notice for as long as given.
pub(super) fn revive_all(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    notices: Timestamp,
    rows: i64,
) -> Result<usize> {
    tx.execute(
        "UPDATE errands SET state = 'waiting', ended_at = NULL, due_at = ?2, refusals = 0,
           deadline_at = CASE WHEN kind IN ('activation', 'reset', 'email_confirm') THEN deadline_at ELSE ?3 END
          WHERE id IN (
            SELECT id FROM errands
             WHERE organisation_id = ?1 AND state = 'failed' AND recipient IS NOT NULL AND kind <> 'test'
               AND (kind NOT IN ('activation', 'reset', 'email_confirm') OR deadline_at > ?2)
             ORDER BY created_at, id LIMIT ?4)",
        (organisation, tx.now(), notices, rows),
    )
}

/// The same of those that want attention, and nought of the others: however many were sent, they are not read.
pub fn unsent_counts(read: &Read<'_>, organisation: OrganisationId) -> Result<Counts> {
    Ok(counted(read.list(
        "SELECT state, count(*) FROM errands WHERE organisation_id = ?1 AND state IN ('waiting', 'sending', 'failed')
          GROUP BY state",
        [organisation],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?))
}

fn counted(rows: Vec<(State, i64)>) -> Counts {
    let mut counts = Counts::default();
    for (state, count) in rows {
        match state {
            State::Waiting | State::Sending => counts.waiting += count,
            State::Sent => counts.sent += count,
            State::Failed => counts.failed += count,
            State::NotNeeded => counts.not_needed += count,
        }
    }
    counts
}

/// The mails of all organisations that are owed or were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Owed.
    pub waiting: i64,
    /// Given up.
    pub failed: i64,
    /// When the oldest that is owed was written; none while none is.
    pub oldest: Option<Timestamp>,
}

/// How the mail of all organisations stands; that of a disabled one waits for it, and holds up nothing.
pub fn queue(read: &Read<'_>) -> Result<Queue> {
    read.get(
        "SELECT coalesce(sum(state <> 'failed'), 0), coalesce(sum(state = 'failed'), 0),
                min(created_at) FILTER (WHERE state <> 'failed')
           FROM errands WHERE state IN ('waiting', 'sending', 'failed')
            AND organisation_id NOT IN (SELECT id FROM organisations WHERE disabled_at IS NOT NULL)",
        [],
        |row| {
            Ok(Queue {
                waiting: row.get(0)?,
                failed: row.get(1)?,
                oldest: row.get(2)?,
            })
        },
    )
}

/// How many of the organisation's mails want attention: owed or given up.
pub fn unsent(read: &Read<'_>, organisation: OrganisationId) -> Result<i64> {
    read.get(
        "SELECT count(*) FROM errands WHERE organisation_id = ?1 AND state IN ('waiting', 'sending', 'failed')",
        [organisation],
        |row| row.get(0),
    )
}

/// One line of a mail's history: equal answers in a row are one.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When it first ended so.
    pub first_at: Timestamp,
    /// When it last ended so.
    pub last_at: Timestamp,
    /// How often.
    pub count: i64,
    /// The server's words.
    pub answer: String,
}

/// The history of one mail, oldest first.
pub fn attempts(read: &Read<'_>, id: ErrandId) -> Result<Vec<Attempt>> {
    read.list(
        "SELECT first_at, last_at, count, answer FROM attempts WHERE errand_id = ?1 ORDER BY number",
        [id],
        |row| Ok(Attempt { first_at: row.get(0)?, last_at: row.get(1)?, count: row.get(2)?, answer: row.get(3)? }),
    )
}
