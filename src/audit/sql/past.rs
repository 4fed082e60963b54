//! The statements about what the log no longer has: rows that were pruned, and texts that were erased.

use rusqlite::Row as SqlRow;

use crate::audit::Action;
use crate::domain::id::{AccountId, OrganisationId};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

/// Behind which row a chain begins.
pub(in crate::audit) struct Checkpoint {
    pub(in crate::audit) number: i64,
    pub(in crate::audit) hash: [u8; 32],
    pub(in crate::audit) pruned_at: Timestamp,
    pub(in crate::audit) mac: [u8; 32],
}

pub(in crate::audit) fn checkpoint(read: &Read<'_>, chain_id: i64) -> Result<Option<Checkpoint>> {
    read.find(
        "SELECT number, hash, pruned_at, mac FROM audit_checkpoints WHERE chain_id = ?1",
        [chain_id],
        |row| {
            Ok(Checkpoint {
                number: row.get(0)?,
                hash: row.get(1)?,
                pruned_at: row.get(2)?,
                mac: row.get(3)?,
            })
        },
    )
}

/// Never moves back: what is gone stays gone.
pub(in crate::audit) fn set_checkpoint(
    tx: &Tx<'_>,
    chain_id: i64,
    checkpoint: &Checkpoint,
) -> Result<()> {
    tx.execute(
        "INSERT INTO audit_checkpoints (chain_id, number, hash, pruned_at, mac) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET number = excluded.number, hash = excluded.hash, pruned_at = excluded.pruned_at,
           mac = excluded.mac WHERE excluded.number >= number",
        rusqlite::params![
            chain_id,
            checkpoint.number,
            checkpoint.hash,
            checkpoint.pruned_at,
            checkpoint.mac
        ],
    )?;
    Ok(())
}

/// Whether anything is there that a checkpoint says is gone.
pub(in crate::audit) fn is_any_until(read: &Read<'_>, chain_id: i64, number: i64) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM audit_events WHERE chain_id = ?1 AND number <= ?2)
             OR EXISTS (SELECT 1 FROM audit_texts WHERE chain_id = ?1 AND number <= ?2)",
        [chain_id, number],
        |row| row.get(0),
    )
}

/// The next chain behind this one whose first row is older, and is not its newest.
pub(in crate::audit) fn next_old(
    read: &Read<'_>,
    behind: Option<i64>,
    before: Timestamp,
) -> Result<Option<i64>> {
    read.find(
        "SELECT h.chain_id FROM audit_heads h WHERE (?1 IS NULL OR h.chain_id > ?1)
            AND (SELECT e.at < ?2 AND e.number < h.number FROM audit_events e
                  WHERE e.chain_id = h.chain_id ORDER BY e.number LIMIT 1)
          ORDER BY h.chain_id LIMIT 1",
        (behind, before),
        |row| row.get(0),
    )
}

/// A row, as far as pruning looks at it.
pub(in crate::audit) struct Old {
    pub(in crate::audit) number: i64,
    pub(in crate::audit) at: Timestamp,
    pub(in crate::audit) hash: [u8; 32],
}

/// The first rows there are.
pub(in crate::audit) fn oldest(read: &Read<'_>, chain_id: i64, rows: i64) -> Result<Vec<Old>> {
    read.list(
        "SELECT number, at, hash FROM audit_events WHERE chain_id = ?1 ORDER BY number LIMIT ?2",
        [chain_id, rows],
        |row| {
            Ok(Old {
                number: row.get(0)?,
                at: row.get(1)?,
                hash: row.get(2)?,
            })
        },
    )
}

/// Removes all rows up to this one, which the checkpoint allows. Which texts were erased is known as long as the event
/// that says so: it always stands behind them.
pub(in crate::audit) fn remove_until(tx: &Tx<'_>, chain_id: i64, number: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM audit_index WHERE rowid BETWEEN
           (SELECT ordinal << 40 FROM audit_heads WHERE chain_id = ?1) AND
           (SELECT (ordinal << 40) | ?2 FROM audit_heads WHERE chain_id = ?1)",
        [chain_id, number],
    )?;
    tx.execute(
        "DELETE FROM audit_texts WHERE chain_id = ?1 AND number <= ?2",
        [chain_id, number],
    )?;
    tx.execute(
        "DELETE FROM audit_events WHERE chain_id = ?1 AND number <= ?2",
        [chain_id, number],
    )?;
    tx.execute(
        "DELETE FROM audit_erasures WHERE chain_id = ?1 AND event <= ?2",
        [chain_id, number],
    )?;
    Ok(())
}

/// When the last event of this kind was recorded in the chain, and its facts.
pub(in crate::audit) fn last_of(
    read: &Read<'_>,
    chain_id: i64,
    action: Action,
) -> Result<Option<(Timestamp, String)>> {
    let word = format!("\"action:{}\"", action.slug().replace(['.', '_'], ":"));
    read.find(
        "SELECT e.at, e.details FROM audit_heads h
           JOIN audit_index i ON i.rowid BETWEEN h.ordinal << 40 AND (h.ordinal << 40) | h.number
           JOIN audit_events e ON e.chain_id = h.chain_id AND e.number = i.rowid & ((1 << 40) - 1)
          WHERE h.chain_id = ?1 AND audit_index MATCH ?2 AND e.action = ?3 ORDER BY i.rowid DESC LIMIT 1",
        (chain_id, word, action.slug()),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// In which event it is recorded that this text was erased.
pub(in crate::audit) fn erased_in(
    read: &Read<'_>,
    chain_id: i64,
    number: i64,
    slot: u8,
) -> Result<Option<i64>> {
    read.find(
        "SELECT event FROM audit_erasures WHERE chain_id = ?1 AND number = ?2 AND slot = ?3",
        (chain_id, number, slot),
        |row| row.get(0),
    )
}

/// The texts that were erased with this event, in their order.
pub(in crate::audit) fn erased_with(
    read: &Read<'_>,
    chain_id: i64,
    event: i64,
) -> Result<Vec<(i64, u8)>> {
    read.list(
        "SELECT number, slot FROM audit_erasures WHERE chain_id = ?1 AND event = ?2 ORDER BY number, slot",
        [chain_id, event],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The events with which texts of the chain were erased.
pub(in crate::audit) fn erasing_events(read: &Read<'_>, chain_id: i64) -> Result<Vec<i64>> {
    read.list(
        "SELECT DISTINCT event FROM audit_erasures WHERE chain_id = ?1 ORDER BY event",
        [chain_id],
        |row| row.get(0),
    )
}

/// A text that is there although it was erased.
pub(in crate::audit) fn returned(read: &Read<'_>, chain_id: i64) -> Result<Option<i64>> {
    read.find(
        "SELECT x.number FROM audit_erasures x JOIN audit_texts t
             ON t.chain_id = x.chain_id AND t.number = x.number AND t.slot = x.slot
          WHERE x.chain_id = ?1 ORDER BY x.number LIMIT 1",
        [chain_id],
        |row| row.get(0),
    )
}

/// A text of an event, and how its account stands to it.
pub(in crate::audit) struct Mention {
    pub(in crate::audit) number: i64,
    pub(in crate::audit) slot: u8,
    pub(in crate::audit) action: Action,
    /// Nobody who is signed in did it: a stranger, or the sum of what strangers did.
    pub(in crate::audit) is_by_stranger: bool,
    /// By this very account.
    pub(in crate::audit) is_by: bool,
    /// To this very account.
    pub(in crate::audit) is_on: bool,
    /// To another account.
    pub(in crate::audit) is_on_other: bool,
    pub(in crate::audit) text: String,
}

const MENTION: &str =
    "SELECT e.number, t.slot, e.action, e.actor IN ('stranger', 'system'), e.actor_id IS ?1,
    e.target_id IS ?1, e.target_id IS NOT NULL AND e.target_id <> ?1, t.text";

fn mention_from_row(row: &SqlRow<'_>) -> rusqlite::Result<Mention> {
    let slug = row.get_ref(2)?.as_str()?;
    Ok(Mention {
        number: row.get(0)?,
        slot: row.get(1)?,
        action: Action::from_slug(slug).ok_or_else(|| contradiction("action of an event"))?,
        is_by_stranger: row.get(3)?,
        is_by: row.get(4)?,
        is_on: row.get(5)?,
        is_on_other: row.get(6)?,
        text: row.get(7)?,
    })
}

/// The texts of all events that the account did or that were done to it.
pub(in crate::audit) fn own(
    read: &Read<'_>,
    account: AccountId,
    chain_id: i64,
) -> Result<Vec<Mention>> {
    read.list(
        &format!(
            "{MENTION} FROM (SELECT number FROM audit_events WHERE actor_id = ?1 AND chain_id = ?2
                       UNION SELECT number FROM audit_events WHERE target_id = ?1 AND chain_id = ?2) o
               JOIN audit_events e ON e.chain_id = ?2 AND e.number = o.number
               JOIN audit_texts t ON t.chain_id = ?2 AND t.number = o.number
              ORDER BY e.number, t.slot"
        ),
        (account, chain_id),
        mention_from_row,
    )
}

/// The texts of all events of the chain that hold these words, in any order: some of them, all of which are to be looked
/// at again. Words are quoted.
pub(in crate::audit) fn holding(
    read: &Read<'_>,
    account: AccountId,
    chain_id: i64,
    words: &str,
) -> Result<Vec<Mention>> {
    read.list(
        &format!(
            "{MENTION} FROM audit_heads h
               JOIN audit_index i ON i.rowid BETWEEN h.ordinal << 40 AND (h.ordinal << 40) | h.number
               JOIN audit_events e ON e.chain_id = h.chain_id AND e.number = i.rowid & ((1 << 40) - 1)
               JOIN audit_texts t ON t.chain_id = e.chain_id AND t.number = e.number
              WHERE h.chain_id = ?2 AND audit_index MATCH ?3 ORDER BY e.number, t.slot"
        ),
        (account, chain_id, words),
        mention_from_row,
    )
}

/// The texts of all events of the chain: for what no word of the index finds.
pub(in crate::audit) fn all(
    read: &Read<'_>,
    account: AccountId,
    chain_id: i64,
) -> Result<Vec<Mention>> {
    read.list(
        &format!(
            "{MENTION} FROM audit_texts t JOIN audit_events e ON e.chain_id = t.chain_id AND e.number = t.number
              WHERE t.chain_id = ?2 ORDER BY e.number, t.slot"
        ),
        (account, chain_id),
        mention_from_row,
    )
}

/// Erases a text; the event says so.
pub(in crate::audit) fn erase(
    tx: &Tx<'_>,
    chain_id: i64,
    (number, slot): (i64, u8),
    event: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO audit_erasures (chain_id, number, slot, event) VALUES (?1, ?2, ?3, ?4)",
        (chain_id, number, slot, event),
    )?;
    tx.execute(
        "DELETE FROM audit_texts WHERE chain_id = ?1 AND number = ?2 AND slot = ?3",
        (chain_id, number, slot),
    )?;
    Ok(())
}

/// Puts an event into the index anew, with the texts that it has now.
pub(in crate::audit) fn index_anew(tx: &Tx<'_>, chain_id: i64, number: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM audit_index
          WHERE rowid = (SELECT (ordinal << 40) | ?2 FROM audit_heads WHERE chain_id = ?1)",
        [chain_id, number],
    )?;
    super::index(tx, chain_id, number)
}

/// Merges so many pages of the index: words that no event has any more are left out of what is written. A negative number
/// begins with all of it. Answers whether anything was done.
pub(in crate::audit) fn merge(tx: &Tx<'_>, pages: i64) -> Result<bool> {
    let changes = |tx: &Tx<'_>| tx.get("SELECT total_changes()", [], |row| row.get::<_, i64>(0));
    let before = changes(tx)?;
    tx.execute(
        "INSERT INTO audit_index (audit_index, rank) VALUES ('merge', ?1)",
        [pages],
    )?;
    Ok(changes(tx)? - before >= 2)
}

/// When texts were last erased, of whomever.
pub fn last_erasure(read: &Read<'_>) -> Result<Option<Timestamp>> {
    read.get(
        "SELECT max(e.at) FROM audit_events e
          WHERE (e.chain_id, e.number) IN (SELECT chain_id, event FROM audit_erasures)",
        [],
        |row| row.get(0),
    )
}

/// Whether the personal data of the organisation's account was erased, with nothing left to do.
pub fn is_erased(
    read: &Read<'_>,
    organisation: OrganisationId,
    account: AccountId,
) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM audit_events WHERE target_id = ?2 AND chain_id = ?1 AND action = 'account.erased'
            AND json_extract(details, '$.more') IS NULL)",
        (organisation, account),
        |row| row.get(0),
    )
}
