//! The statements of the backups.

use rusqlite::Row as SqlRow;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::{Attempt, Cause, Facts};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

impl ToSql for Cause {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.slug().to_sql()
    }
}

impl FromSql for Cause {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let slug = value.as_str()?;
        Self::ALL
            .into_iter()
            .find(|cause| cause.slug() == slug)
            .ok_or_else(|| contradiction("cause of a backup"))
    }
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Attempt> {
    let failure: Option<String> = row.get(5)?;
    Ok(Attempt {
        cause: row.get(0)?,
        began_at: row.get(1)?,
        ended_at: row.get(2)?,
        place: row.get(3)?,
        outcome: match failure {
            Some(words) => Err(words),
            None => Ok(row.get(4)?),
        },
    })
}

/// Numbers go up, so that what came later is told apart within a second.
pub(super) fn insert(tx: &Tx<'_>, attempt: &Attempt) -> Result<()> {
    tx.execute(
        "INSERT INTO backups (cause, began_at, ended_at, place, bytes, failure) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            attempt.cause,
            attempt.began_at,
            attempt.ended_at.max(attempt.began_at),
            &attempt.place,
            attempt.outcome.as_ref().ok(),
            attempt.outcome.as_ref().err(),
        ),
    )?;
    Ok(())
}

/// The last that succeeded stay, however many have failed since: they say when there was a copy.
pub(super) fn forget_old(tx: &Tx<'_>, rows: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM backups WHERE id NOT IN (SELECT id FROM backups ORDER BY id DESC LIMIT ?1)
            AND id NOT IN (SELECT max(id) FROM backups WHERE failure IS NULL GROUP BY cause)",
        [rows],
    )?;
    Ok(())
}

/// The last that succeeded, whoever asked for it; not what was put aside before an upgrade.
pub fn last_good(read: &Read<'_>) -> Result<Option<Attempt>> {
    read.find(
        "SELECT cause, began_at, ended_at, place, bytes, failure FROM backups
          WHERE failure IS NULL AND cause <> 'upgrade' ORDER BY id DESC LIMIT 1",
        [],
        from_row,
    )
}

/// When the last nightly one that succeeded began; not later than now.
pub(super) fn last_night(read: &Read<'_>) -> Result<Option<Timestamp>> {
    read.get(
        "SELECT max(began_at) FROM backups WHERE cause = 'nightly' AND failure IS NULL AND began_at <= ?1",
        [read.now()],
        |row| row.get(0),
    )
}

/// Since when every nightly one has failed, and the words of the last.
pub(super) fn streak(read: &Read<'_>) -> Result<Option<(Timestamp, String)>> {
    read.find(
        "SELECT min(began_at) OVER (), failure FROM backups
          WHERE cause = 'nightly' AND failure IS NOT NULL
            AND id > coalesce((SELECT max(id) FROM backups WHERE cause = 'nightly' AND failure IS NULL), 0)
          ORDER BY id DESC LIMIT 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// When the install was set up.
pub fn installed_at(read: &Read<'_>) -> Result<Timestamp> {
    read.get("SELECT created_at FROM install", [], |row| row.get(0))
}

/// What a file holds, of whatever schema that is known.
pub fn facts(read: &Read<'_>) -> Result<Facts> {
    read.get(
        "SELECT (SELECT count(*) FROM organisations), (SELECT count(*) FROM accounts WHERE status <> 'deleted'),
                (SELECT count(*) FROM audit_events), (SELECT max(at) FROM audit_events),
                (SELECT name FROM organisations ORDER BY created_at, id LIMIT 1)",
        [],
        |row| {
            Ok(Facts {
                organisations: row.get(0)?,
                accounts: row.get(1)?,
                events: row.get(2)?,
                changed_at: row.get(3)?,
                first: row.get(4)?,
            })
        },
    )
}
