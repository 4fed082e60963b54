//! The statements of the passwords.

use super::PasswordHash;
use crate::accounts::Account;
use crate::domain::id::{AccountId, OrganisationId, ResetId};
use crate::domain::token::{Nonce, TokenHash};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::throttle::Saved;
use crate::kit::time::{MINUTE, Timestamp};

/// The hash of an account's password, in PHC form.
pub fn hash_of(read: &Read<'_>, account: AccountId) -> Result<Option<String>> {
    read.find(
        "SELECT hash FROM passwords WHERE account_id = ?1",
        [account],
        |row| row.get(0),
    )
}

/// When an account's password was last set.
pub fn changed_at(read: &Read<'_>, account: AccountId) -> Result<Option<Timestamp>> {
    read.find(
        "SELECT changed_at FROM passwords WHERE account_id = ?1",
        [account],
        |row| row.get(0),
    )
}

pub(super) fn set(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    account: AccountId,
    hash: &PasswordHash,
) -> Result<()> {
    tx.execute(
        "INSERT INTO passwords (account_id, organisation_id, hash, changed_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at",
        (account, organisation, hash.as_str(), tx.now()),
    )?;
    Ok(())
}

pub(super) fn rehash(tx: &Tx<'_>, account: AccountId, hash: &PasswordHash) -> Result<()> {
    tx.execute(
        "UPDATE passwords SET hash = ?2 WHERE account_id = ?1",
        (account, hash.as_str()),
    )?;
    Ok(())
}

/// The old password opens nothing from here on.
pub(super) fn take_away(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM passwords WHERE account_id = ?1", [account])?;
    Ok(())
}

pub(super) fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM passwords WHERE account_id = ?1", [account])?;
    tx.execute("DELETE FROM resets WHERE account_id = ?1", [account])?;
    Ok(())
}

/// Where a reset link stands.
pub(super) enum ResetState {
    Open,
    Used,
    Replaced,
}

pub(super) struct NewReset<'n> {
    pub(super) id: ResetId,
    pub(super) account: &'n Account,
    pub(super) nonce: Nonce,
    pub(super) hash: TokenHash,
    pub(super) reset_by: Option<AccountId>,
    pub(super) expires_at: Timestamp,
}

pub(super) fn insert_reset(tx: &Tx<'_>, new: &NewReset<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO resets (id, organisation_id, account_id, nonce, hash, reset_by, created_at, expires_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open')",
        (
            new.id,
            new.account.organisation,
            new.account.id,
            new.nonce,
            new.hash,
            new.reset_by,
            tx.now(),
            new.expires_at,
        ),
    )?;
    Ok(())
}

pub(super) fn replace_open(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute(
        "UPDATE resets SET state = 'replaced' WHERE account_id = ?1 AND state = 'open'",
        [account],
    )?;
    Ok(())
}

pub(super) struct ResetRow {
    pub(super) id: ResetId,
    pub(super) account: AccountId,
    pub(super) expires_at: Timestamp,
    pub(super) state: ResetState,
    pub(super) reset_by: Option<AccountId>,
}

pub(super) fn find_reset(read: &Read<'_>, hash: &TokenHash) -> Result<Option<ResetRow>> {
    read.find(
        "SELECT id, account_id, expires_at, state, reset_by FROM resets WHERE hash = ?1",
        [hash],
        |row| {
            let state = match row.get_ref(3)?.as_str()? {
                "open" => ResetState::Open,
                "used" => ResetState::Used,
                "replaced" => ResetState::Replaced,
                _ => return Err(contradiction("state of a reset").into()),
            };
            Ok(ResetRow {
                id: row.get(0)?,
                account: row.get(1)?,
                expires_at: row.get(2)?,
                state,
                reset_by: row.get(4)?,
            })
        },
    )
}

/// The row count decides: of two that arrive together, one wins.
pub(super) fn use_reset(tx: &Tx<'_>, id: ResetId, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE resets SET state = 'used' WHERE id = ?1 AND state = 'open' AND expires_at > ?2",
        (id, now),
    )?;
    Ok(changed == 1)
}

/// Who took the password away that this link sets anew; none where its person asked for it.
pub(super) fn reset_by(read: &Read<'_>, id: ResetId) -> Result<Option<AccountId>> {
    Ok(read
        .find("SELECT reset_by FROM resets WHERE id = ?1", [id], |row| {
            row.get(0)
        })?
        .flatten())
}

pub(super) fn live_nonce(read: &Read<'_>, id: ResetId) -> Result<Option<(Nonce, Timestamp)>> {
    read.find(
        "SELECT r.nonce, r.expires_at FROM resets r JOIN accounts a ON a.id = r.account_id
          WHERE r.id = ?1 AND r.state = 'open' AND r.expires_at > ?2 AND a.status = 'active'",
        (id, read.now()),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(super) fn sweep_resets(tx: &Tx<'_>, expired: Timestamp, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM resets WHERE id IN (SELECT id FROM resets WHERE expires_at <= ?1 LIMIT ?2)",
        (expired, rows),
    )
}

/// The throttle's memory, as it was written down.
pub fn load_throttles(read: &Read<'_>) -> Result<Vec<Saved>> {
    read.list(
        "SELECT kind, subject, recent, over, day_began_at, day_count, until_at FROM throttles WHERE until_at > ?1",
        [read.now()],
        |row| {
            let kind = row.get_ref(0)?.as_str()?.parse().map_err(|()| contradiction("kind of throttle"))?;
            Ok(Saved {
                kind,
                key: row.get(1)?,
                recent: Saved::recent_from(row.get_ref(2)?.as_blob()?),
                over: row.get(3)?,
                day_began: row.get(4)?,
                day_count: row.get(5)?,
                until: row.get(6)?,
            })
        },
    )
}

pub(super) fn save_throttle(tx: &Tx<'_>, row: &Saved) -> Result<()> {
    if row.is_empty() {
        tx.execute(
            "DELETE FROM throttles WHERE kind = ?1 AND subject = ?2",
            (row.kind.slug(), &row.key),
        )?;
        return Ok(());
    }
    tx.execute(
        "INSERT INTO throttles (kind, subject, recent, over, day_began_at, day_count, until_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET recent = excluded.recent, over = excluded.over, day_began_at = excluded.day_began_at,
           day_count = excluded.day_count, until_at = excluded.until_at",
        (row.kind.slug(), &row.key, row.recent_bytes(), row.over, row.day_began, row.day_count, row.until),
    )?;
    Ok(())
}

/// Forgets an account's tries. An empty row stays for a while, so that a running server, which may hold tries that no
/// row has yet, knows that they were cleared; it may have a slow mail in its hands first.
pub(super) fn clear_throttles(tx: &Tx<'_>, key: &[u8]) -> Result<()> {
    tx.execute(
        "DELETE FROM throttles WHERE kind NOT IN ('address', 'links') AND substr(subject, 1, 32) = ?1",
        [key],
    )?;
    tx.execute(
        "INSERT INTO throttles (kind, subject, recent, over, day_began_at, day_count, until_at)
         VALUES ('account', ?1, x'', 0, ?2, 0, ?3)",
        (key, tx.now(), tx.now().plus(5 * MINUTE)),
    )?;
    Ok(())
}

pub(super) fn sweep_throttles(tx: &Tx<'_>, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM throttles WHERE (kind, subject) IN (SELECT kind, subject FROM throttles WHERE until_at <= ?1 LIMIT ?2)",
        (tx.now(), rows),
    )
}

pub(super) fn void_all(tx: &Tx<'_>) -> Result<()> {
    tx.execute(
        "UPDATE resets SET state = 'replaced' WHERE state = 'open'",
        [],
    )?;
    tx.execute(
        "DELETE FROM throttles WHERE kind NOT IN ('address', 'links')",
        [],
    )?;
    Ok(())
}
