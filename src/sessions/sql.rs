//! The statements of the sessions.

use super::{Browser, Lifetimes, Live, SignIn};
use crate::accounts::Account;
use crate::domain::id::{AccountId, OrganisationId, SessionId, SignInLinkId};
use crate::domain::policy::{Level, Policy, Protection};
use crate::domain::role::Permissions;
use crate::domain::token::{Nonce, TokenHash};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;
use crate::scope::{Half, Scope};

pub(super) fn insert(
    tx: &Tx<'_>,
    (id, hash): (SessionId, &TokenHash),
    account: &Account,
    permissions: Permissions,
    sign_in: &SignIn<'_>,
) -> Result<()> {
    let agent: String = sign_in.agent.chars().take(60).collect();
    tx.execute(
        "INSERT INTO sessions (hash, id, organisation_id, account_id, epoch, permissions, created_at, used_at, proved_at, address, agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7, ?8, ?9)",
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
) -> Result<Option<(Scope, Timestamp)>> {
    read.find(
        "SELECT a.id, a.name, a.email, a.role, s.permissions, o.id, o.name, coalesce(a.time_zone, o.time_zone), s.id, s.used_at,
                o.managers, a.shortcuts, s.proved_at, a.two_factor, p.level, p.grace_days,
                max(coalesce(a.activated_at, 0), a.role_at, p.stricter_at, coalesce(a.factor_reset_at, 0))
           FROM sessions s
           JOIN accounts a ON a.id = s.account_id
           JOIN organisations o ON o.id = a.organisation_id
           JOIN policies p ON p.organisation_id = a.organisation_id AND p.role = a.role
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
                proved_at: row.get(12)?,
                protection: if row.get(13)? {
                    Protection::On
                } else {
                    let policy = Policy {
                        level: row.get::<_, Level>(14)?,
                        grace_days: row.get(15)?,
                    };
                    Protection::Without(policy.asks(row.get(16)?))
                },
            };
            Ok((scope, row.get(9)?))
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
    tx.execute("DELETE FROM challenges WHERE account_id = ?1", [account])?;
    tx.execute("DELETE FROM sign_in_links WHERE account_id = ?1", [account])?;
    Ok(())
}

/// The browsers that completed a sign-in of this account before, newest first.
pub fn browsers(read: &Read<'_>, account: AccountId) -> Result<Vec<Browser>> {
    read.list(
        "SELECT used_at, trusted_at FROM devices WHERE account_id = ?1 ORDER BY used_at DESC, hash",
        [account],
        |row| {
            Ok(Browser {
                used_at: row.get(0)?,
                trusted_at: row.get(1)?,
            })
        },
    )
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

/// How many sessions of all organisations are not over.
pub fn count_live(read: &Read<'_>, lifetimes: Lifetimes) -> Result<i64> {
    read.get(
        "SELECT count(*) FROM sessions s
           JOIN accounts a ON a.id = s.account_id JOIN organisations o ON o.id = a.organisation_id
          WHERE s.used_at > ?1 AND s.created_at > ?2 AND s.epoch = a.epoch AND a.status = 'active' AND o.disabled_at IS NULL",
        (
            read.now().minus(lifetimes.idle),
            read.now().minus(lifetimes.max),
        ),
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
pub(super) fn holds(read: &Read<'_>, session: SessionId, account: AccountId) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM sessions s
           JOIN accounts a ON a.id = s.account_id
           JOIN organisations o ON o.id = a.organisation_id
          WHERE s.id = ?1 AND s.account_id = ?2 AND a.status = 'active' AND a.epoch = s.epoch AND o.disabled_at IS NULL)",
        (session, account),
        |row| row.get(0),
    )
}

/// Another cookie for the same session, the account's present epoch, and a proof of now.
pub(super) fn renew(tx: &Tx<'_>, id: SessionId, hash: &TokenHash) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE sessions SET hash = ?2, proved_at = ?3, epoch = (SELECT epoch FROM accounts WHERE id = account_id)
          WHERE id = ?1",
        (id, hash, tx.now()),
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

pub(super) fn insert_challenge(
    tx: &Tx<'_>,
    account: &Account,
    hash: &TokenHash,
    expires_at: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO challenges (hash, organisation_id, account_id, epoch, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            hash,
            account.organisation,
            account.id,
            account.epoch,
            tx.now(),
            expires_at,
        ),
    )?;
    Ok(())
}

pub(super) fn make_room_for_challenge(tx: &Tx<'_>, account: AccountId, kept: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM challenges WHERE hash IN
           (SELECT hash FROM challenges WHERE account_id = ?1 ORDER BY created_at DESC, hash LIMIT -1 OFFSET ?2)",
        (account, kept),
    )?;
    Ok(())
}

/// Whoever gave the password with this challenge, as of this read; none once it is over, or the account may not sign in.
pub fn find_half(read: &Read<'_>, hash: &TokenHash) -> Result<Option<Half>> {
    read.find(
        "SELECT a.id, a.email, o.id, coalesce(a.time_zone, o.time_zone), o.trust
           FROM challenges c
           JOIN accounts a ON a.id = c.account_id
           JOIN organisations o ON o.id = a.organisation_id
          WHERE c.hash = ?1 AND c.expires_at > ?2 AND a.status = 'active' AND a.epoch = c.epoch AND a.two_factor = 1
            AND o.disabled_at IS NULL",
        (hash, read.now()),
        |row| {
            Ok(Half {
                account: row.get(0)?,
                email: row.get(1)?,
                organisation: row.get(2)?,
                time_zone: row.get(3)?,
                trust: row.get(4)?,
                hash: *hash,
            })
        },
    )
}

/// The row count decides: a challenge opens one session, and none once the account lost something.
pub(super) fn use_challenge(tx: &Tx<'_>, hash: &TokenHash) -> Result<bool> {
    let changed = tx.execute(
        "DELETE FROM challenges WHERE hash = ?1 AND expires_at > ?2
            AND epoch = (SELECT epoch FROM accounts WHERE id = account_id)",
        (hash, tx.now()),
    )?;
    Ok(changed == 1)
}

pub(super) fn drop_challenges(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM challenges WHERE account_id = ?1", [account])?;
    Ok(())
}

pub(super) fn sweep_challenges(tx: &Tx<'_>, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM challenges WHERE hash IN (SELECT hash FROM challenges WHERE expires_at <= ?1 LIMIT ?2)",
        (tx.now(), rows),
    )
}

/// Whether this browser was trusted by the account in the last 30 days, and since its password and its factor are what
/// they are.
pub(super) fn is_trusted(tx: &Tx<'_>, account: AccountId, device: &TokenHash) -> Result<bool> {
    tx.get(
        "SELECT EXISTS (SELECT 1 FROM devices d
           JOIN passwords p ON p.account_id = d.account_id
           JOIN factors f ON f.account_id = d.account_id
          WHERE d.hash = ?1 AND d.account_id = ?2 AND d.trusted_at > max(?3, p.changed_at, f.created_at))",
        (device, account, tx.now().minus(super::TRUST_TTL)),
        |row| row.get(0),
    )
}

/// The same browser under another cookie, for everybody who uses it.
pub(super) fn rename_device(tx: &Tx<'_>, before: &TokenHash, hash: &TokenHash) -> Result<()> {
    tx.execute(
        "UPDATE devices SET hash = ?2 WHERE hash = ?1",
        (before, hash),
    )?;
    Ok(())
}

pub(super) fn trust_device(tx: &Tx<'_>, account: AccountId, device: &TokenHash) -> Result<()> {
    tx.execute(
        "UPDATE devices SET trusted_at = ?3 WHERE hash = ?1 AND account_id = ?2",
        (device, account, tx.now()),
    )?;
    Ok(())
}

pub(super) fn distrust(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute(
        "UPDATE devices SET trusted_at = NULL WHERE account_id = ?1 AND trusted_at IS NOT NULL",
        [account],
    )?;
    Ok(())
}

pub(super) fn distrust_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    tx.execute(
        "UPDATE devices SET trusted_at = NULL WHERE organisation_id = ?1 AND trusted_at IS NOT NULL",
        [organisation],
    )?;
    Ok(())
}

/// A sign-in link to be written.
pub(super) struct NewLink<'n> {
    pub(super) id: SignInLinkId,
    pub(super) account: &'n Account,
    pub(super) nonce: Nonce,
    pub(super) hash: TokenHash,
    pub(super) expires_at: Timestamp,
}

pub(super) fn insert_link(tx: &Tx<'_>, new: &NewLink<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO sign_in_links (id, organisation_id, account_id, nonce, hash, created_at, expires_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open')",
        (
            new.id,
            new.account.organisation,
            new.account.id,
            new.nonce,
            new.hash,
            tx.now(),
            new.expires_at,
        ),
    )?;
    Ok(())
}

pub(super) fn replace_link(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute(
        "UPDATE sign_in_links SET state = 'replaced' WHERE account_id = ?1 AND state = 'open'",
        [account],
    )?;
    Ok(())
}

/// How far a sign-in link has come.
#[derive(Clone, Copy)]
pub(super) enum LinkState {
    Open,
    Used,
    Replaced,
}

/// A sign-in link as it lies in the file.
pub(super) struct LinkRow {
    pub(super) id: SignInLinkId,
    pub(super) account: AccountId,
    pub(super) state: LinkState,
    pub(super) expires_at: Timestamp,
}

pub(super) fn find_link(read: &Read<'_>, hash: &TokenHash) -> Result<Option<LinkRow>> {
    read.find(
        "SELECT id, account_id, state, expires_at FROM sign_in_links WHERE hash = ?1",
        [hash],
        |row| {
            let state = match row.get_ref(2)?.as_str()? {
                "open" => LinkState::Open,
                "used" => LinkState::Used,
                "replaced" => LinkState::Replaced,
                _ => return Err(contradiction("state of a sign-in link").into()),
            };
            Ok(LinkRow {
                id: row.get(0)?,
                account: row.get(1)?,
                state,
                expires_at: row.get(3)?,
            })
        },
    )
}

/// The row count decides: a link is good once.
pub(super) fn use_link(tx: &Tx<'_>, id: SignInLinkId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE sign_in_links SET state = 'used' WHERE id = ?1 AND state = 'open' AND expires_at > ?2",
        (id, tx.now()),
    )?;
    Ok(changed == 1)
}

pub(super) fn sweep_links(tx: &Tx<'_>, dead_before: Timestamp, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM sign_in_links WHERE id IN (SELECT id FROM sign_in_links WHERE expires_at <= ?1 LIMIT ?2)",
        (dead_before, rows),
    )
}

pub(super) fn end_everything(tx: &Tx<'_>) -> Result<()> {
    tx.execute("DELETE FROM sessions", [])?;
    tx.execute("DELETE FROM challenges", [])?;
    tx.execute("DELETE FROM sign_in_links", [])?;
    tx.execute(
        "UPDATE devices SET trusted_at = NULL WHERE trusted_at IS NOT NULL",
        [],
    )?;
    Ok(())
}

pub(super) fn void_all(tx: &Tx<'_>) -> Result<()> {
    tx.execute("DELETE FROM sessions", [])?;
    tx.execute("DELETE FROM challenges", [])?;
    tx.execute("DELETE FROM devices", [])?;
    tx.execute("DELETE FROM sign_in_links", [])?;
    Ok(())
}
