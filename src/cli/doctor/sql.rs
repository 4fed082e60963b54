//! What doctor asks the file, across the tables of all capabilities. It only reads.

use crate::kit::db::{Read, Result};
use crate::kit::time::Timestamp;

/// Which key the file belongs to.
pub(super) fn key_id(read: &Read<'_>) -> Result<Vec<u8>> {
    read.get("SELECT key_id FROM install", [], |row| row.get(0))
}

/// What is damaged, as far as a quick look finds it.
pub(super) fn quick_complaints(read: &Read<'_>) -> Result<Vec<String>> {
    let lines = read.list("PRAGMA quick_check(3)", [], |row| row.get::<_, String>(0))?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// What is damaged, by the whole file.
pub(super) fn all_complaints(read: &Read<'_>) -> Result<Vec<String>> {
    let lines = read.list("PRAGMA integrity_check(10)", [], |row| {
        row.get::<_, String>(0)
    })?;
    let mut found: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
    let tables = read.list("PRAGMA foreign_key_check", [], |row| {
        row.get::<_, String>(0)
    })?;
    found.extend(
        tables
            .into_iter()
            .take(10)
            .map(|table| format!("a row of {table} points nowhere")),
    );
    Ok(found)
}

/// How many rows the audit log has.
pub(super) fn audit_rows(read: &Read<'_>) -> Result<i64> {
    read.get(
        "SELECT coalesce(sum(number), 0) FROM audit_heads",
        [],
        |row| row.get(0),
    )
}

/// The newest instant that somebody wrote down.
pub(super) fn newest(read: &Read<'_>) -> Result<Option<Timestamp>> {
    read.get(
        "SELECT max(at) FROM (SELECT max(e.at) AS at FROM audit_heads h
           JOIN audit_events e ON e.chain_id = h.chain_id AND e.number = h.number
         UNION ALL SELECT max(used_at) FROM sessions
         UNION ALL SELECT created_at FROM install)",
        [],
        |row| Ok(row.get::<_, Option<i64>>(0)?.map(Timestamp)),
    )
}

/// When the file was set up.
pub(super) fn created_at(read: &Read<'_>) -> Result<Timestamp> {
    read.get("SELECT created_at FROM install", [], |row| {
        Ok(Timestamp(row.get(0)?))
    })
}

/// A copy that was made and verified.
pub(super) struct Copy {
    /// When.
    pub(super) at: Timestamp,
    /// Where it is.
    pub(super) place: String,
}

/// The newest copy that somebody can go back to; one made before an upgrade is of an older schema.
pub(super) fn last_copy(read: &Read<'_>) -> Result<Option<Copy>> {
    read.find(
        "SELECT ended_at, place FROM backups WHERE failure IS NULL AND cause <> 'upgrade'
         ORDER BY ended_at DESC LIMIT 1",
        [],
        |row| {
            Ok(Copy {
                at: Timestamp(row.get(0)?),
                place: row.get(1)?,
            })
        },
    )
}

/// The latest try that failed: when, and why.
pub(super) fn last_failed_copy(read: &Read<'_>) -> Result<Option<(Timestamp, String)>> {
    read.find(
        "SELECT ended_at, failure FROM backups WHERE failure IS NOT NULL ORDER BY ended_at DESC LIMIT 1",
        [],
        |row| Ok((Timestamp(row.get(0)?), row.get(1)?)),
    )
}

/// Mail that is owed.
pub(super) struct Owed {
    /// How many wait.
    pub(super) waiting: i64,
    /// Since when the oldest waits.
    pub(super) oldest: Option<Timestamp>,
    /// How many were given up in the last week.
    pub(super) failed: i64,
}

/// The mail of organisations that are not disabled: theirs waits on purpose.
pub(super) fn owed(read: &Read<'_>, week_ago: Timestamp) -> Result<Owed> {
    read.get(
        "SELECT coalesce(sum(e.state IN ('waiting', 'sending')), 0),
                min(CASE WHEN e.state IN ('waiting', 'sending') THEN e.created_at END),
                coalesce(sum(e.state = 'failed' AND e.ended_at > ?1), 0)
         FROM errands e JOIN organisations o ON o.id = e.organisation_id
         WHERE o.disabled_at IS NULL AND e.state IN ('waiting', 'sending', 'failed')",
        [week_ago.0],
        |row| {
            Ok(Owed {
                waiting: row.get(0)?,
                oldest: row.get::<_, Option<i64>>(1)?.map(Timestamp),
                failed: row.get(2)?,
            })
        },
    )
}

/// How the owner of an organisation signs in.
pub(super) enum Owner {
    /// Not yet, or not any more.
    Absent,
    /// With a password alone.
    Plain,
    /// With a second factor.
    Safe,
}

/// An organisation, as far as its safety goes.
pub(super) struct Tenant {
    /// Its name.
    pub(super) name: String,
    /// How many Masters are active.
    pub(super) masters: i64,
    /// How its owner signs in.
    pub(super) owner: Owner,
    /// What it asks of Masters besides the password.
    pub(super) policy: String,
}

/// All that are not disabled.
pub(super) fn tenants(read: &Read<'_>) -> Result<Vec<Tenant>> {
    read.list(
        "SELECT o.name, a.status = 'active', a.two_factor, p.level,
                (SELECT coalesce(sum(count), 0) FROM account_counts c
                 WHERE c.organisation_id = o.id AND c.status = 'active' AND c.role = 'master')
         FROM organisations o
         JOIN accounts a ON a.id = o.owner_id
         JOIN policies p ON p.organisation_id = o.id AND p.role = 'master'
         WHERE o.disabled_at IS NULL ORDER BY o.name",
        [],
        |row| {
            Ok(Tenant {
                name: row.get(0)?,
                owner: match (row.get(1)?, row.get(2)?) {
                    (false, _) => Owner::Absent,
                    (true, false) => Owner::Plain,
                    (true, true) => Owner::Safe,
                },
                policy: row.get(3)?,
                masters: row.get(4)?,
            })
        },
    )
}
