//! The statements of the sessions.

use super::{Found, Lifetimes, Live, SignIn};
use crate::accounts::Account;
use crate::domain::id::{AccountId, OrganisationId, SessionId};
use crate::domain::role::Permissions;
use crate::domain::token::TokenHash;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;
use crate::scope::Scope;

pub(super) fn insert(
    tx: &Tx<'_>,
    (id, hash): (SessionId, &TokenHash),
    account: &Account,
    permissions: Permissions,
    sign_in: &SignIn<'_>,
) -> Result<()> {
    let agent: String = sign_in.agent.chars().take(60).collect();
    tx.execute(
        "INSERT INTO sessions (hash, id, organisation_id, account_id, epoch, permissions, created_at, used_at, address, agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)",
        (
            hash,
            id,
            account.organisation,
            account.id,
            account.epoch,
            permissions,
            tx.now(),
            sign_in.address.to_string(),
            agent,
        ),
    )?;
    Ok(())
}

pub(super) fn make_room(tx: &Tx<'_>, account: AccountId, kept: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM sessions WHERE hash IN
           (SELECT hash FROM sessions WHERE account_id = ?1 ORDER BY created_at DESC, id LIMIT -1 OFFSET ?2)",
        (account, kept),
    )?;
    Ok(())
}

pub(super) fn find(
    read: &Read<'_>,
    hash: &TokenHash,
    used_after: Timestamp,
    made_after: Timestamp,
) -> Result<Option<Found>> {
    read.find(
        "SELECT a.id, a.name, a.email, a.role, s.permissions, o.id, o.name, coalesce(a.time_zone, o.time_zone), s.id, s.used_at,
                o.managers, a.shortcuts
           FROM sessions s
           JOIN accounts a ON a.id = s.account_id
           JOIN organisations o ON o.id = a.organisation_id
          WHERE s.hash = ?1 AND s.used_at > ?2 AND s.created_at > ?3
            AND a.status = 'active' AND a.epoch = s.epoch AND o.disabled_at IS NULL",
        (hash, used_after, made_after),
        |row| {
            let scope = Scope {
                account: row.get(0)?,
                name: row.get(1)?,
                email: row.get(2)?,
                role: row.get(3)?,
                permissions: row.get(4)?,
                organisation: row.get(5)?,
                organisation_name: row.get(6)?,
                time_zone: row.get(7)?,
                session: row.get(8)?,
                managers: row.get(10)?,
                has_shortcuts: row.get(11)?,
            };
            Ok(Found { scope, used_at: row.get(9)? })
        },
    )
}

pub(super) fn touch(tx: &Tx<'_>, hash: &TokenHash) -> Result<()> {
    // Never backwards: a clock that stepped back must not make a session live longer or end.
    tx.execute(
        "UPDATE sessions SET used_at = max(used_at, ?2) WHERE hash = ?1",
        (hash, tx.now()),
    )?;
    Ok(())
}

pub(super) fn delete(tx: &Tx<'_>, id: SessionId) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE id = ?1", [id])?;
    Ok(())
}

pub(super) fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE account_id = ?1", [account])?;
    tx.execute("DELETE FROM devices WHERE account_id = ?1", [account])?;
    Ok(())
}

pub(super) fn sweep_sessions(
    tx: &Tx<'_>,
    used: Timestamp,
    made: Timestamp,
    rows: i64,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE used_at <= ?1 OR created_at <= ?2 LIMIT ?3)",
        (used, made, rows),
    )
}

pub(super) fn sweep_devices(tx: &Tx<'_>, used: Timestamp, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM devices WHERE (hash, account_id) IN (SELECT hash, account_id FROM devices WHERE used_at <= ?1 LIMIT ?2)",
        (used, rows),
    )
}

/// Whether this browser completed a sign-in of the account in the last 180 days.
pub fn knows_device(read: &Read<'_>, account: AccountId, device: &TokenHash) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM devices WHERE hash = ?1 AND account_id = ?2 AND used_at > ?3)",
        (device, account, read.now().minus(super::DEVICE_TTL)),
        |row| row.get(0),
    )
}

/// The sessions of an account that are not over, last used first.
pub fn live(read: &Read<'_>, account: AccountId, lifetimes: Lifetimes) -> Result<Vec<Live>> {
    read.list(
        "SELECT s.id, s.agent, s.address, s.created_at, s.used_at
           FROM sessions s JOIN accounts a ON a.id = s.account_id
          WHERE s.account_id = ?1 AND s.epoch = a.epoch AND s.used_at > ?2 AND s.created_at > ?3
          ORDER BY s.used_at DESC, s.id",
        (
            account,
            read.now().minus(lifetimes.idle),
            read.now().minus(lifetimes.max),
        ),
        |row| {
            Ok(Live {
                id: row.get(0)?,
                agent: row.get(1)?,
                address: row.get(2)?,
                created_at: row.get(3)?,
                used_at: row.get(4)?,
            })
        },
    )
}

/// Whether the session is still what the door saw: not ended, its account Active and of the same epoch, its organisation
/// not disabled.
pub(super) fn holds(read: &Read<'_>, scope: &Scope) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM sessions s
           JOIN accounts a ON a.id = s.account_id
           JOIN organisations o ON o.id = a.organisation_id
          WHERE s.id = ?1 AND s.account_id = ?2 AND a.status = 'active' AND a.epoch = s.epoch AND o.disabled_at IS NULL)",
        (scope.session, scope.account),
        |row| row.get(0),
    )
}

/// Another cookie for the same session, and the account's present epoch.
pub(super) fn renew(tx: &Tx<'_>, id: SessionId, hash: &TokenHash) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE sessions SET hash = ?2, epoch = (SELECT epoch FROM accounts WHERE id = account_id) WHERE id = ?1",
        (id, hash),
    )?;
    Ok(changed == 1)
}

pub(super) fn delete_of(tx: &Tx<'_>, account: AccountId, id: SessionId) -> Result<bool> {
    let changed = tx.execute(
        "DELETE FROM sessions WHERE id = ?1 AND account_id = ?2",
        (id, account),
    )?;
    Ok(changed == 1)
}

pub(super) fn delete_others(tx: &Tx<'_>, account: AccountId, kept: SessionId) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE account_id = ?1 AND id <> ?2",
        (account, kept),
    )
}

pub(super) fn delete_all_of(tx: &Tx<'_>, organisation: OrganisationId) -> Result<usize> {
    tx.execute(
        "DELETE FROM sessions WHERE organisation_id = ?1",
        [organisation],
    )
}

pub(super) fn has_devices(tx: &Tx<'_>, account: AccountId) -> Result<bool> {
    tx.get(
        "SELECT EXISTS (SELECT 1 FROM devices WHERE account_id = ?1)",
        [account],
        |row| row.get(0),
    )
}

/// Whether it is the cookie of a browser that any account knows.
pub(super) fn is_device(tx: &Tx<'_>, hash: &TokenHash) -> Result<bool> {
    tx.get(
        "SELECT EXISTS (SELECT 1 FROM devices WHERE hash = ?1 AND used_at > ?2)",
        (hash, tx.now().minus(super::DEVICE_TTL)),
        |row| row.get(0),
    )
}

pub(super) fn insert_device(tx: &Tx<'_>, account: &Account, hash: &TokenHash) -> Result<()> {
    tx.execute(
        "INSERT INTO devices (hash, account_id, organisation_id, used_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET used_at = excluded.used_at",
        (hash, account.id, account.organisation, tx.now()),
    )?;
    Ok(())
}

pub(super) fn touch_device(tx: &Tx<'_>, account: AccountId, hash: &TokenHash) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE devices SET used_at = ?3 WHERE hash = ?1 AND account_id = ?2 AND used_at > ?4",
        (hash, account, tx.now(), tx.now().minus(super::DEVICE_TTL)),
    )?;
    Ok(changed == 1)
}
