//! The statements of the lists.

use std::net::IpAddr;

use super::{Filter, Judged, LineState, Refusal, State};
use crate::accounts::Status;
use crate::audit::Names;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, ImportId, OrganisationId, SessionId};
use crate::imports::file::Entry;
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

/// One list.
#[derive(Clone, Debug)]
pub struct Import {
    /// Which.
    pub id: ImportId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Where it stands.
    pub state: State,
    /// Who sent it.
    pub given_by: Option<AccountId>,
    /// In which session it was confirmed.
    pub(super) session: Option<SessionId>,
    /// From which network address.
    pub(super) address: Option<IpAddr>,
    /// The epoch of whoever confirmed it, then.
    pub(super) epoch: Option<i64>,
    /// When it was judged.
    pub created_at: Timestamp,
    /// When it was confirmed.
    pub begun_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Until when it waits at a cap; of a list that was only judged, until when no more addresses could be looked up.
    pub waits_until: Option<Timestamp>,
    /// Why it was stopped.
    pub why: Option<String>,
}

/// One list among others.
#[derive(Clone, Debug)]
pub struct Recent {
    /// The list.
    pub import: Import,
    /// Who sent it, as they are called now.
    pub by: Option<String>,
    /// What became of its lines.
    pub counts: Counts,
}

/// How many lines there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those whose people can be invited.
    pub waiting: i64,
    /// Those whose people are.
    pub invited: i64,
    /// Those that are refused, by why: of each kind how many.
    pub why: Vec<(Refusal, i64)>,
    /// The last line whose address was found to be in use elsewhere.
    pub last_taken: i64,
}

impl Counts {
    /// How many are refused.
    #[must_use]
    pub fn refused(&self) -> i64 {
        self.why.iter().map(|(_, count)| count).sum()
    }

    /// How many there are.
    #[must_use]
    pub fn all(&self) -> i64 {
        self.waiting + self.invited + self.refused()
    }

    /// How many the filter lets through.
    #[must_use]
    pub fn of(&self, filter: Filter) -> i64 {
        match filter {
            Filter::All => self.all(),
            Filter::Waiting => self.waiting,
            Filter::Invited => self.invited,
            Filter::Refused(refusal) => self
                .why
                .iter()
                .find(|(one, _)| one.key() == refusal.key())
                .map_or(0, |(_, count)| *count),
        }
    }
}

/// One line, and what became of it.
#[derive(Clone, Debug)]
pub struct Line {
    /// As it is kept.
    pub entry: Entry,
    /// What became of it.
    pub fate: Fate,
    /// The account that it made, or that was here already, as long as that is there.
    pub account: Option<AccountId>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing yet.
    Waiting,
    /// Its person was invited, and how their account is now; none: it is deleted.
    Invited(Option<Stage>),
    /// It was refused.
    Refused(Refusal),
}

/// How far an invited person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not here yet.
    Pending,
    /// Here.
    Active,
    /// Switched off again.
    Disabled,
}

const IMPORT: &str = "i.id, i.organisation_id, i.state, i.given_by, i.session_id, i.address, i.epoch, i.created_at, i.begun_at, i.ended_at, i.waits_until_at, i.why";

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Import> {
    let slug = row.get_ref(2)?.as_str()?;
    let state = State::ALL.into_iter().find(|one| one.slug() == slug);
    let address: Option<String> = row.get(5)?;
    let address = address
        .map(|text| text.parse().map_err(|_| contradiction("network address")))
        .transpose()?;
    Ok(Import {
        id: row.get(0)?,
        organisation: row.get(1)?,
        state: state.ok_or_else(|| contradiction("state of a list"))?,
        given_by: row.get(3)?,
        session: row.get(4)?,
        address,
        epoch: row.get(6)?,
        created_at: row.get(7)?,
        begun_at: row.get(8)?,
        ended_at: row.get(9)?,
        waits_until: row.get(10)?,
        why: row.get(11)?,
    })
}

fn refusal(slug: Option<String>) -> rusqlite::Result<Refusal> {
    slug.as_deref()
        .and_then(Refusal::from_slug)
        .ok_or_else(|| contradiction("refusal of a line").into())
}

pub(super) struct New {
    pub(super) id: ImportId,
    pub(super) organisation: OrganisationId,
    pub(super) given_by: AccountId,
    pub(super) unlooked_until: Option<Timestamp>,
}

pub(super) fn insert(tx: &Tx<'_>, new: &New) -> Result<()> {
    tx.execute(
        "INSERT INTO imports (id, organisation_id, state, given_by, created_at, waits_until_at)
         VALUES (?1, ?2, 'judged', ?3, ?4, ?5)",
        (
            new.id,
            new.organisation,
            new.given_by,
            tx.now(),
            new.unlooked_until,
        ),
    )?;
    Ok(())
}

pub(super) fn insert_line(tx: &Tx<'_>, id: ImportId, line: &Judged) -> Result<()> {
    let Entry {
        line: number,
        email,
        role,
        name,
        phone,
        is_overfull: _,
    } = &line.entry;
    let state = match line.refusal {
        None => LineState::Waiting,
        Some(_) => LineState::Refused,
    };
    tx.execute(
        "INSERT INTO import_lines (import_id, line, email, role, name, phone, state, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            id,
            i64::try_from(*number).unwrap_or(i64::MAX),
            email,
            role,
            name,
            phone,
            state.slug(),
            line.refusal.map(Refusal::slug),
        ),
    )?;
    Ok(())
}

/// Keeps so many lists of this person that wait to be confirmed, the newest.
pub(super) fn make_room(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    given_by: AccountId,
    kept: i64,
) -> Result<()> {
    tx.execute(
        "DELETE FROM imports WHERE id IN
           (SELECT id FROM imports WHERE organisation_id = ?1 AND given_by = ?2 AND state = 'judged'
             ORDER BY created_at DESC, id LIMIT -1 OFFSET ?3)",
        (organisation, given_by, kept),
    )?;
    Ok(())
}

pub(super) fn find(read: &Read<'_>, id: ImportId) -> Result<Option<Import>> {
    read.find(
        "SELECT i.id, i.organisation_id, i.state, i.given_by, i.session_id, i.address, i.epoch, i.created_at, i.begun_at,
                i.ended_at, i.waits_until_at, i.why
           FROM imports i WHERE i.id = ?1",
        [id],
        from_row,
    )
}

pub(super) fn recent(
    read: &Read<'_>,
    organisation: OrganisationId,
    own: Option<AccountId>,
    rows: i64,
) -> Result<Vec<Recent>> {
    let found = read.list(
        &format!(
            "SELECT {IMPORT}, coalesce(a.name, a.email) FROM imports i LEFT JOIN accounts a ON a.id = i.given_by
              WHERE i.organisation_id = ?1 AND (i.state <> 'judged' OR i.given_by = ?2)
              ORDER BY i.created_at DESC, i.id LIMIT ?3"
        ),
        (organisation, own, rows),
        |row| Ok((from_row(row)?, row.get(12)?)),
    )?;
    found
        .into_iter()
        .map(|(import, by)| {
            let counts = counts(read, import.id)?;
            Ok(Recent { import, by, counts })
        })
        .collect()
}

/// How many lines of a list there are of each kind.
pub fn counts(read: &Read<'_>, id: ImportId) -> Result<Counts> {
    let rows = read.list(
        "SELECT state, why, count(*), max(line) FROM
           (SELECT state, line, CASE WHEN why LIKE 'twice:%' THEN 'twice:0' ELSE why END AS why
              FROM import_lines WHERE import_id = ?1)
          GROUP BY state, why",
        [id],
        |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
            ))
        },
    )?;
    let mut counts = Counts::default();
    let mut found = Vec::new();
    for (state, why, count, last) in rows {
        if state == LineState::Waiting.slug() {
            counts.waiting = count;
        } else if state == LineState::Invited.slug() {
            counts.invited = count;
        } else {
            let why = refusal(why)?;
            if why == Refusal::Taken {
                counts.last_taken = last;
            }
            found.push((why, count));
        }
    }
    let of = |kind: Refusal| {
        let count = found.iter().find(|(why, _)| why.key() == kind.key());
        count.map(|(_, count)| (kind, *count))
    };
    counts.why = Refusal::KINDS.into_iter().filter_map(of).collect();
    Ok(counts)
}

pub(super) fn lines(
    read: &Read<'_>,
    import: &Import,
    filter: Filter,
    (offset, rows): (i64, i64),
) -> Result<Vec<Line>> {
    let (state, why) = match filter {
        Filter::All => (None, None),
        Filter::Waiting => (Some(LineState::Waiting.slug()), None),
        Filter::Invited => (Some(LineState::Invited.slug()), None),
        Filter::Refused(refusal) => (Some(LineState::Refused.slug()), Some(refusal.key())),
    };
    read.list(
        "SELECT l.line, l.email, l.role, l.name, l.phone, l.state, l.why, a.id, a.status, h.id
           FROM import_lines l
           LEFT JOIN accounts a ON a.id = l.account_id
           LEFT JOIN accounts h ON l.why = 'here' AND h.email = l.email AND h.organisation_id = ?2
          WHERE l.import_id = ?1 AND (?3 IS NULL OR l.state = ?3) AND (?4 IS NULL OR l.why = ?4 OR l.why LIKE ?4 || ':%')
          ORDER BY l.line LIMIT ?6 OFFSET ?5",
        (import.id, import.organisation, state, why, offset, rows),
        |row| {
            let slug = row.get_ref(5)?.as_str()?.to_owned();
            let status: Option<String> = row.get(8)?;
            let stage = match status.as_deref() {
                Some("pending") => Some(Stage::Pending),
                Some("active") => Some(Stage::Active),
                Some("disabled") => Some(Stage::Disabled),
                _ => None,
            };
            let fate = match LineState::ALL.into_iter().find(|one| one.slug() == slug) {
                Some(LineState::Waiting) => Fate::Waiting,
                Some(LineState::Invited) => Fate::Invited(stage),
                Some(LineState::Refused) => Fate::Refused(refusal(row.get(6)?)?),
                None => return Err(contradiction("state of a line").into()),
            };
            let made: Option<AccountId> = row.get(7)?;
            Ok(Line {
                entry: entry(row)?,
                fate,
                account: match stage {
                    Some(_) => made,
                    None => row.get(9)?,
                },
            })
        },
    )
}

/// Line, address, permission, name and telephone, as the first columns.
fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Entry> {
    let line: i64 = row.get(0)?;
    Ok(Entry {
        line: usize::try_from(line).map_err(|_| contradiction("number of a line"))?,
        email: row.get(1)?,
        role: row.get(2)?,
        name: row.get(3)?,
        phone: row.get(4)?,
        is_overfull: false,
    })
}

/// How many lists of an organisation are worked through.
pub(super) fn running(read: &Read<'_>, organisation: OrganisationId) -> Result<i64> {
    read.get(
        "SELECT count(*) FROM imports WHERE state = 'running' AND organisation_id = ?1",
        [organisation],
        |row| row.get(0),
    )
}

/// Lists that can go on, in the order in which they came.
pub fn due(read: &Read<'_>, rows: usize) -> Result<Vec<ImportId>> {
    read.list(
        "SELECT id FROM imports WHERE state = 'running' AND (waits_until_at IS NULL OR waits_until_at <= ?1)
          ORDER BY created_at, id LIMIT ?2",
        (read.now(), i64::try_from(rows).unwrap_or(i64::MAX)),
        |row| row.get(0),
    )
}

pub(super) struct Begun {
    pub(super) session: Option<SessionId>,
    pub(super) address: Option<IpAddr>,
    pub(super) epoch: i64,
}

/// The row count decides: of two who confirm together, one begins.
pub(super) fn begin(tx: &Tx<'_>, id: ImportId, begun: &Begun) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE imports SET state = 'running', begun_at = ?2, session_id = ?3, address = ?4, epoch = ?5, waits_until_at = NULL
          WHERE id = ?1 AND state = 'judged'",
        (
            id,
            tx.now(),
            begun.session,
            begun.address.map(|address| address.to_string()),
            begun.epoch,
        ),
    )?;
    Ok(changed == 1)
}

pub(super) fn next_waiting(read: &Read<'_>, id: ImportId) -> Result<Option<Entry>> {
    read.find(
        "SELECT line, email, role, name, phone FROM import_lines
          WHERE import_id = ?1 AND state = 'waiting' ORDER BY line LIMIT 1",
        [id],
        entry,
    )
}

pub(super) fn invited(tx: &Tx<'_>, id: ImportId, line: usize, account: AccountId) -> Result<()> {
    tx.execute(
        "UPDATE import_lines SET state = 'invited', account_id = ?3 WHERE import_id = ?1 AND line = ?2 AND state = 'waiting'",
        (id, i64::try_from(line).unwrap_or(i64::MAX), account),
    )?;
    goes_on(tx, id)
}

pub(super) fn refused(tx: &Tx<'_>, id: ImportId, line: usize, refusal: Refusal) -> Result<()> {
    tx.execute(
        "UPDATE import_lines SET state = 'refused', why = ?3 WHERE import_id = ?1 AND line = ?2 AND state = 'waiting'",
        (
            id,
            i64::try_from(line).unwrap_or(i64::MAX),
            refusal.slug(),
        ),
    )?;
    goes_on(tx, id)
}

fn goes_on(tx: &Tx<'_>, id: ImportId) -> Result<()> {
    tx.execute(
        "UPDATE imports SET waits_until_at = NULL WHERE id = ?1 AND waits_until_at IS NOT NULL",
        [id],
    )?;
    Ok(())
}

pub(super) fn wait(tx: &Tx<'_>, id: ImportId, until: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE imports SET waits_until_at = ?2 WHERE id = ?1 AND state = 'running'",
        (id, until),
    )?;
    Ok(())
}

pub(super) fn end(tx: &Tx<'_>, id: ImportId, why: Option<&str>) -> Result<()> {
    tx.execute(
        "UPDATE imports SET state = CASE WHEN ?2 IS NULL THEN 'done' ELSE 'stopped' END, ended_at = ?3, why = ?2,
                waits_until_at = NULL
          WHERE id = ?1 AND state = 'running'",
        (id, why, tx.now()),
    )?;
    Ok(())
}

pub(super) fn stop_all(tx: &Tx<'_>, why: &str) -> Result<()> {
    tx.execute(
        "UPDATE imports SET state = 'stopped', ended_at = ?2, why = ?1, waits_until_at = NULL WHERE state = 'running'",
        (why, tx.now()),
    )?;
    Ok(())
}

/// The accounts that a list made and that nobody has activated yet, in the order of the lines.
pub(super) fn pending(read: &Read<'_>, id: ImportId) -> Result<Vec<AccountId>> {
    read.list(
        "SELECT a.id FROM import_lines l JOIN accounts a ON a.id = l.account_id
          WHERE l.import_id = ?1 AND a.status = ?2 ORDER BY l.line",
        (id, Status::Pending.slug()),
        |row| row.get(0),
    )
}

/// The address in a refused line may be that of an account which was here already.
pub(super) fn forget(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    (account, email): (AccountId, &Email),
) -> Result<()> {
    tx.execute(
        "UPDATE import_lines SET email = '', name = '', phone = '' WHERE account_id = ?1",
        [account],
    )?;
    tx.execute(
        "UPDATE import_lines SET email = '', name = '', phone = ''
          WHERE import_id IN (SELECT id FROM imports WHERE organisation_id = ?1) AND state = 'refused' AND email = ?2",
        (organisation, email),
    )?;
    Ok(())
}

pub(super) fn erase(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    account: AccountId,
    names: &Names,
) -> Result<()> {
    tx.execute(
        "UPDATE imports SET address = NULL WHERE given_by = ?1 AND organisation_id = ?2",
        (account, organisation),
    )?;
    tx.execute(
        "UPDATE import_lines SET email = '', name = '', phone = '' WHERE account_id = ?1",
        [account],
    )?;
    for name in names.iter() {
        tx.execute(
            "UPDATE import_lines SET email = '', name = '', phone = ''
              WHERE import_id IN (SELECT id FROM imports WHERE organisation_id = ?1) AND state = 'refused'
                AND (lower(email) = ?2 OR lower(name) = ?2 OR phone = ?2)",
            (organisation, name),
        )?;
    }
    Ok(())
}

pub(super) fn remove(tx: &Tx<'_>, id: ImportId) -> Result<()> {
    tx.execute("DELETE FROM imports WHERE id = ?1", [id])?;
    Ok(())
}

/// A list that is over and past its time.
pub(super) fn next_over(
    read: &Read<'_>,
    judged: Timestamp,
    ended: Timestamp,
) -> Result<Option<ImportId>> {
    read.find(
        "SELECT id FROM imports
          WHERE state = 'judged' AND created_at <= ?1 OR state IN ('done', 'stopped') AND ended_at <= ?2
          LIMIT 1",
        (judged, ended),
        |row| row.get(0),
    )
}

pub(super) fn remove_lines(tx: &Tx<'_>, id: ImportId, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM import_lines WHERE import_id = ?1 AND line IN
           (SELECT line FROM import_lines WHERE import_id = ?1 ORDER BY line LIMIT ?2)",
        (id, rows),
    )
}
