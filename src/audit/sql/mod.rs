//! The statements of the audit log.

pub(super) mod past;
pub(super) mod search;

use rusqlite::Row as SqlRow;
use serde::Serialize;
use serde_json::Value;

use super::Action;
use super::chain::{Head, Row, Text, head_mac};
use crate::domain::id::{AccountId, OrganisationId};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::{DAY, MINUTE, Timestamp};
use crate::scope::Scope;

pub(super) fn head(read: &Read<'_>, chain_id: i64) -> Result<Option<Head>> {
    read.find(
        "SELECT number, hash, mac FROM audit_heads WHERE chain_id = ?1",
        [chain_id],
        |row| {
            Ok(Head {
                number: row.get(0)?,
                hash: row.get(1)?,
                mac: row.get(2)?,
            })
        },
    )
}

/// The last row there is, whatever the head says.
pub(super) fn end(read: &Read<'_>, chain_id: i64) -> Result<Option<(i64, [u8; 32])>> {
    read.find(
        "SELECT number, hash FROM audit_events WHERE chain_id = ?1 ORDER BY number DESC LIMIT 1",
        [chain_id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(super) fn append(tx: &Tx<'_>, row: &Row, texts: &[Text], hash: &[u8; 32]) -> Result<()> {
    tx.execute(
        "INSERT INTO audit_events (chain_id, number, at, action, actor, actor_id, session_id, target_id, details,
           request_id, commitments, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        rusqlite::params![
            row.chain_id,
            row.number,
            row.at,
            row.action,
            row.actor,
            row.actor_id,
            row.session_id,
            row.target_id,
            row.details,
            row.request_id,
            row.commitments,
            hash
        ],
    )?;
    for text in texts {
        tx.execute(
            "INSERT INTO audit_texts (chain_id, number, slot, salt, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            rusqlite::params![row.chain_id, row.number, text.slot, text.salt, text.text],
        )?;
    }
    tx.execute(
        "INSERT INTO audit_heads (chain_id, number, hash, mac, ordinal)
           VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(ordinal), 0) + 1 FROM audit_heads))
         ON CONFLICT (chain_id) DO UPDATE SET number = excluded.number, hash = excluded.hash, mac = excluded.mac",
        rusqlite::params![row.chain_id, row.number, hash, head_mac(tx.keys(), row.chain_id, row.number, hash)],
    )?;
    index(tx, row.chain_id, row.number)
}

/// Puts the words of an event into the index.
fn index(tx: &Tx<'_>, chain_id: i64, number: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO audit_index (rowid, words)
           SELECT (h.ordinal << 40) | e.number,
                  'action:' || replace(replace(e.action, '.', ':'), '_', ':') || ' by:' || coalesce(e.actor_id, e.actor)
                    || coalesce(' on:' || e.target_id, '') || ' ' || e.request_id
                    || coalesce((SELECT ' ' || group_concat(t.text, ' ') FROM audit_texts t
                                  WHERE t.chain_id = e.chain_id AND t.number = e.number), '')
             FROM audit_heads h JOIN audit_events e ON e.chain_id = h.chain_id
            WHERE h.chain_id = ?1 AND e.number = ?2",
        (chain_id, number),
    )?;
    Ok(())
}

/// Every chain there is, and every one that must be there: an organisation has one from its first moment.
pub(super) fn chains(read: &Read<'_>) -> Result<Vec<i64>> {
    read.list(
        "SELECT chain_id FROM audit_heads UNION SELECT DISTINCT chain_id FROM audit_events
          UNION SELECT chain_id FROM audit_checkpoints UNION SELECT id FROM organisations ORDER BY 1",
        [],
        |row| row.get(0),
    )
}

pub(super) fn page(
    read: &Read<'_>,
    chain_id: i64,
    from: i64,
    rows: i64,
) -> Result<Vec<(Row, [u8; 32])>> {
    read.list(
        "SELECT chain_id, number, at, action, actor, actor_id, session_id, target_id, details, request_id,
           commitments, hash FROM audit_events WHERE chain_id = ?1 AND number >= ?2 ORDER BY number LIMIT ?3",
        [chain_id, from, rows],
        from_row,
    )
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<(Row, [u8; 32])> {
    let event = Row {
        chain_id: row.get(0)?,
        number: row.get(1)?,
        at: row.get(2)?,
        action: row.get(3)?,
        actor: row.get(4)?,
        actor_id: row.get(5)?,
        session_id: row.get(6)?,
        target_id: row.get(7)?,
        details: row.get(8)?,
        request_id: row.get(9)?,
        commitments: row.get(10)?,
    };
    Ok((event, row.get(11)?))
}

pub(super) fn texts(read: &Read<'_>, chain_id: i64, number: i64) -> Result<Vec<Text>> {
    read.list(
        "SELECT slot, salt, text FROM audit_texts WHERE chain_id = ?1 AND number = ?2 ORDER BY slot",
        [chain_id, number],
        |row| Ok(Text { slot: row.get(0)?, salt: row.get(1)?, text: row.get(2)? }),
    )
}

/// One event as it is read: for the dashboard, the command line and tests.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its place in the chain.
    pub number: i64,
    /// When.
    pub at: i64,
    /// What.
    pub action: String,
    /// Whose hand.
    pub actor: String,
    /// The actor's address as it then was.
    pub actor_text: Option<String>,
    /// From which network address.
    pub address: Option<String>,
    /// To whom.
    pub target: Option<String>,
    /// Facts, as JSON.
    pub details: String,
    /// In which request.
    pub request_id: String,
}

fn entry_from_row(row: &SqlRow<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        number: row.get(0)?,
        at: row.get::<_, Timestamp>(1)?.0,
        action: row.get(2)?,
        actor: row.get(3)?,
        actor_text: row.get(4)?,
        address: row.get(5)?,
        target: row.get(6)?,
        details: row.get(7)?,
        request_id: row.get(8)?,
    })
}

/// The newest events of a chain (`None`: the system's), newest first.
pub fn latest(read: &Read<'_>, chain: Option<OrganisationId>, rows: i64) -> Result<Vec<Entry>> {
    read.list(
        "SELECT e.number, e.at, e.action, e.actor, a.text, n.text, t.text, e.details, e.request_id
           FROM audit_events e
           LEFT JOIN audit_texts a ON a.chain_id = e.chain_id AND a.number = e.number AND a.slot = 1
           LEFT JOIN audit_texts n ON n.chain_id = e.chain_id AND n.number = e.number AND n.slot = 2
           LEFT JOIN audit_texts t ON t.chain_id = e.chain_id AND t.number = e.number AND t.slot = 3
          WHERE e.chain_id = ?1 ORDER BY e.number DESC LIMIT ?2",
        (chain.map_or(0, OrganisationId::number), rows),
        entry_from_row,
    )
}

/// The latest instant that the newest record of any chain carries.
pub fn latest_instant(read: &Read<'_>) -> Result<Option<Timestamp>> {
    read.get(
        "SELECT max(e.at) FROM audit_heads h JOIN audit_events e ON e.chain_id = h.chain_id AND e.number = h.number",
        [],
        |row| row.get(0),
    )
}

/// The hash of one row of a chain.
pub(super) fn hash_of(read: &Read<'_>, chain_id: i64, number: i64) -> Result<Option<[u8; 32]>> {
    read.find(
        "SELECT hash FROM audit_events WHERE chain_id = ?1 AND number = ?2",
        (chain_id, number),
        |row| row.get(0),
    )
}

/// The events of these kinds behind that row of the chain, oldest first.
pub(super) fn after(
    read: &Read<'_>,
    chain_id: i64,
    number: i64,
    actions: &[Action],
) -> Result<Vec<Entry>> {
    let slugs: Vec<&str> = actions.iter().map(|action| action.slug()).collect();
    read.list(
        "SELECT e.number, e.at, e.action, e.actor, a.text, n.text, t.text, e.details, e.request_id
           FROM audit_events e
           LEFT JOIN audit_texts a ON a.chain_id = e.chain_id AND a.number = e.number AND a.slot = 1
           LEFT JOIN audit_texts n ON n.chain_id = e.chain_id AND n.number = e.number AND n.slot = 2
           LEFT JOIN audit_texts t ON t.chain_id = e.chain_id AND t.number = e.number AND t.slot = 3
          WHERE e.chain_id = ?1 AND e.number > ?2 AND instr(?3, ' ' || e.action || ' ') > 0 ORDER BY e.number",
        (chain_id, number, format!(" {} ", slugs.join(" "))),
        entry_from_row,
    )
}

/// When this was last done to that account of the organisation; none when it never was.
pub fn last_on(
    read: &Read<'_>,
    organisation: OrganisationId,
    account: AccountId,
    action: Action,
) -> Result<Option<Timestamp>> {
    read.find(
        "SELECT at FROM audit_events WHERE target_id = ?2 AND chain_id = ?1 AND action = ?3
          ORDER BY number DESC LIMIT 1",
        (organisation, account, action.slug()),
        |row| row.get(0),
    )
}

/// Whose hand it was, as the reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hand {
    /// The reader's own.
    Own,
    /// Another account's, by its address as it then was; in other words once that is erased.
    Other(String),
    /// Whoever runs the binary.
    Operator,
    /// The background thread.
    System,
    /// Somebody who was not signed in.
    Stranger,
}

/// What a person is called whose address was erased.
pub const ERASED: &str = "an erased account";

/// To whom it was done, as the reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The reader.
    Reader,
    /// Another, whose own hand it was.
    Doer,
    /// Another account or address, as it was then called; in other words once that is erased.
    Other(String),
    /// No account.
    Nobody,
}

/// One event as somebody reads of it who did it, to whom it was done, or who may know.
#[derive(Clone, Debug)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: Action,
    /// By whom.
    pub hand: Hand,
    /// To whom.
    pub whom: Whom,
    /// From which network address.
    pub address: Option<String>,
    /// Personal text before and after the change.
    pub change: Option<(String, String)>,
    /// Facts.
    pub details: Value,
}

/// Deeds, as the account of parameter 2 reads of them.
const DEEDS: &str = "SELECT e.at, e.action, e.actor, e.actor_id IS ?2, e.target_id IS ?2, e.target_id IS e.actor_id,
    (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 1),
    (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 2),
    (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 3),
    (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 4),
    (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 5),
    e.details, e.target_id IS NOT NULL FROM audit_events e";

fn deed_from_row(row: &SqlRow<'_>) -> rusqlite::Result<Deed> {
    let slug = row.get_ref(1)?.as_str()?;
    let action = Action::from_slug(slug).ok_or_else(|| contradiction("action of an event"))?;
    let hand = match (row.get_ref(2)?.as_str()?, row.get(3)?) {
        ("account", true) => Hand::Own,
        ("account", false) => {
            let address: Option<String> = row.get(6)?;
            Hand::Other(address.unwrap_or_else(|| "An erased account".to_owned()))
        }
        ("operator", _) => Hand::Operator,
        ("system", _) => Hand::System,
        ("stranger", _) => Hand::Stranger,
        _ => return Err(contradiction("actor of an event").into()),
    };
    let target: Option<String> = row.get(8)?;
    let whom = match (row.get(4)?, row.get(5)?, &hand, target) {
        (true, _, _, _) => Whom::Reader,
        (false, true, Hand::Other(_), _) => Whom::Doer,
        (false, _, _, Some(target)) => Whom::Other(target),
        (false, _, _, None) if row.get(12)? => Whom::Other(ERASED.to_owned()),
        (false, _, _, None) => Whom::Nobody,
    };
    let details = row.get_ref(11)?.as_str()?;
    Ok(Deed {
        at: row.get(0)?,
        action,
        hand,
        whom,
        address: row.get(7)?,
        change: row.get::<_, Option<String>>(9)?.zip(row.get(10)?),
        details: serde_json::from_str(details).map_err(|_| contradiction("details of an event"))?,
    })
}

/// What people are not told of themselves: on which day they leave. Telling them is for people, as with disabling itself.
const TOLD: &str = "action NOT IN ('account.departure_set', 'account.departure_cancelled', 'account.departure_dropped')";

/// The newest events about one account of the organisation, done by itself or by others, as the reader sees them.
pub fn about(
    read: &Read<'_>,
    organisation: OrganisationId,
    account: AccountId,
    reader: AccountId,
    rows: i64,
) -> Result<Vec<Deed>> {
    read.list(
        &format!(
            "{DEEDS} WHERE e.target_id = ?3 AND e.chain_id = ?1 AND (?3 <> ?2 OR {TOLD}) ORDER BY e.number DESC LIMIT ?4"
        ),
        (organisation, reader, account, rows),
        deed_from_row,
    )
}

/// The newest events that the account did or that were done to it, newest first.
pub fn own(
    read: &Read<'_>,
    organisation: OrganisationId,
    account: AccountId,
    rows: i64,
) -> Result<Vec<Deed>> {
    // Each half walks its own index from the end, however long the chain is.
    read.list(
        &format!(
            "{DEEDS} WHERE e.chain_id = ?1 AND e.number IN (
               SELECT number FROM (SELECT number FROM audit_events WHERE actor_id = ?2 AND chain_id = ?1
                                    ORDER BY number DESC LIMIT ?3)
               UNION
               SELECT number FROM (SELECT number FROM audit_events WHERE target_id = ?2 AND chain_id = ?1 AND {TOLD}
                                    ORDER BY number DESC LIMIT ?3)
             ) ORDER BY e.number DESC LIMIT ?3"
        ),
        (organisation, account, rows),
        deed_from_row,
    )
}

/// The newest sign-in of whoever is signed in, before this session's own.
pub fn sign_in_before(read: &Read<'_>, scope: &Scope) -> Result<Option<Deed>> {
    let mut deeds = read.list(
        &format!(
            "{DEEDS} WHERE e.actor_id = ?2 AND e.chain_id = ?1 AND e.action = 'sign_in.succeeded'
                AND e.session_id IS NOT ?3 ORDER BY e.number DESC LIMIT 1"
        ),
        (scope.organisation, scope.account, scope.session),
        deed_from_row,
    )?;
    Ok(deeds.pop())
}

/// When this was last done as the system's chain tells, and the facts of it, as JSON; none when it never was.
pub fn last_of_system(read: &Read<'_>, action: Action) -> Result<Option<(Timestamp, String)>> {
    // By its word: the chain may hold a million failures of strangers.
    let word = format!("\"action:{}\"", action.slug().replace(['.', '_'], ":"));
    read.find(
        "SELECT e.at, e.details FROM audit_heads h
           JOIN audit_index i ON i.rowid BETWEEN h.ordinal << 40 AND (h.ordinal << 40) + h.number
           JOIN audit_events e ON e.chain_id = h.chain_id AND e.number = i.rowid - (h.ordinal << 40)
          WHERE h.chain_id = 0 AND audit_index MATCH ?1 ORDER BY i.rowid DESC LIMIT 1",
        [word],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Of so many seconds is a quarter of an hour.
const QUARTER: i64 = 15 * MINUTE;
/// For so long they are kept: a month, and the days that any time zone adds to it.
const TALLIES_KEPT: i64 = 40 * DAY;

/// How often people signed in from some instant on, for less than a quarter of an hour, and how often somebody was not let
/// in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignIns {
    /// From when on.
    pub from: Timestamp,
    /// Those who came in.
    pub succeeded: i64,
    /// Those who did not: a wrong password, a wrong code, or too many of either before.
    pub failed: i64,
}

fn sign_ins_from_row(row: &SqlRow<'_>) -> rusqlite::Result<SignIns> {
    Ok(SignIns {
        from: row.get(0)?,
        succeeded: row.get(1)?,
        failed: row.get(2)?,
    })
}

/// Counts sign-ins of now, and forgets those that nobody looks at any more.
pub(super) fn tally(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    (succeeded, failed): (i64, i64),
) -> Result<()> {
    let now = tx.now();
    let quarter = Timestamp(now.0 - now.0.rem_euclid(QUARTER));
    tx.execute(
        "INSERT INTO sign_ins (organisation_id, from_at, succeeded, failed) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET succeeded = succeeded + excluded.succeeded, failed = failed + excluded.failed",
        (organisation, quarter, succeeded, failed),
    )?;
    tx.execute(
        "DELETE FROM sign_ins WHERE organisation_id = ?1 AND from_at < ?2",
        (organisation, quarter.minus(TALLIES_KEPT)),
    )?;
    Ok(())
}

/// The sign-ins of everybody in the organisation since then, oldest first.
pub fn sign_ins(
    read: &Read<'_>,
    organisation: OrganisationId,
    since: Timestamp,
) -> Result<Vec<SignIns>> {
    read.list(
        "SELECT from_at, succeeded, failed FROM sign_ins WHERE organisation_id = ?1 AND from_at >= ?2
          ORDER BY from_at",
        (organisation, since),
        sign_ins_from_row,
    )
}

/// The sign-ins of one account since then, as the log tells of them.
pub fn own_sign_ins(
    read: &Read<'_>,
    organisation: OrganisationId,
    account: AccountId,
    since: Timestamp,
) -> Result<Vec<SignIns>> {
    // The first number of that time, so that each half walks no more of its index than that.
    let Some(first) = read.find(
        "SELECT number FROM audit_events WHERE chain_id = ?1 AND at >= ?2 ORDER BY at, number LIMIT 1",
        (organisation, since),
        |row| row.get::<_, i64>(0),
    )?
    else {
        return Ok(Vec::new());
    };
    read.list(
        "SELECT at, 1, 0 FROM audit_events
          WHERE actor_id = ?2 AND chain_id = ?1 AND number >= ?3 AND action = 'sign_in.succeeded'
          UNION ALL
         SELECT at, 0, coalesce(json_extract(details, '$.count'), 1) FROM audit_events
          WHERE target_id = ?2 AND chain_id = ?1 AND number >= ?3 AND actor <> 'account'
            AND action IN ('sign_in.failed', 'sign_in.throttled', 'code.failed', 'code.throttled')
            AND json_extract(details, '$.asked') IS NULL",
        (organisation, account, first),
        sign_ins_from_row,
    )
}

/// The newest events of the organisation, as the reader sees them, newest first.
pub fn newest(
    read: &Read<'_>,
    organisation: OrganisationId,
    reader: AccountId,
    rows: i64,
) -> Result<Vec<Deed>> {
    read.list(
        &format!("{DEEDS} WHERE e.chain_id = ?1 ORDER BY e.number DESC LIMIT ?3"),
        (organisation, reader, rows),
        deed_from_row,
    )
}
