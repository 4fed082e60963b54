//! The statements of the second factors.

use super::{Due, REMINDER, UsedCode, Without};
use crate::domain::id::{AccountId, OrganisationId, SessionId};
use crate::domain::role::Role;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::{DAY, Timestamp};
use crate::scope::Enroller;

/// A factor as it lies in the file.
pub(super) struct Factor {
    pub(super) sealed: Vec<u8>,
    pub(super) last_step: i64,
    pub(super) created_at: Timestamp,
    pub(super) used_at: Timestamp,
}

pub(super) fn factor(read: &Read<'_>, account: AccountId) -> Result<Option<Factor>> {
    read.find(
        "SELECT sealed, last_step, created_at, used_at FROM factors WHERE account_id = ?1",
        [account],
        |row| {
            Ok(Factor {
                sealed: row.get(0)?,
                last_step: row.get(1)?,
                created_at: row.get(2)?,
                used_at: row.get(3)?,
            })
        },
    )
}

/// In place of an older one.
pub(super) fn set_factor(tx: &Tx<'_>, who: &Enroller, sealed: &[u8], last_step: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO factors (account_id, organisation_id, sealed, last_step, created_at, used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT DO UPDATE SET sealed = excluded.sealed, last_step = excluded.last_step,
           created_at = excluded.created_at, used_at = excluded.used_at",
        (who.account, who.organisation, sealed, last_step, tx.now()),
    )?;
    Ok(())
}

/// The row count decides: a code, and all before it, are good once.
pub(super) fn use_step(tx: &Tx<'_>, account: AccountId, step: i64) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE factors SET last_step = ?2, used_at = ?3 WHERE account_id = ?1 AND last_step < ?2",
        (account, step, tx.now()),
    )?;
    Ok(changed == 1)
}

/// The row count decides: a recovery code is good once.
pub(super) fn use_recovery(tx: &Tx<'_>, account: AccountId, mac: &[u8; 32]) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE recovery_codes SET used_at = ?3 WHERE account_id = ?1 AND mac = ?2 AND used_at IS NULL",
        (account, mac, tx.now()),
    )?;
    if changed == 1 {
        tx.execute(
            "UPDATE factors SET used_at = ?2 WHERE account_id = ?1",
            (account, tx.now()),
        )?;
    }
    Ok(changed == 1)
}

/// Whether it is one of the account's, and if so whether it is still good.
pub(super) fn recovery(
    read: &Read<'_>,
    account: AccountId,
    mac: &[u8; 32],
) -> Result<Option<bool>> {
    read.find(
        "SELECT used_at IS NULL FROM recovery_codes WHERE account_id = ?1 AND mac = ?2",
        (account, mac),
        |row| row.get(0),
    )
}

/// How many are still good.
pub(super) fn recovery_left(read: &Read<'_>, account: AccountId) -> Result<usize> {
    let left: i64 = read.get(
        "SELECT count(*) FROM recovery_codes WHERE account_id = ?1 AND used_at IS NULL",
        [account],
        |row| row.get(0),
    )?;
    Ok(usize::try_from(left).unwrap_or_default())
}

pub(super) fn insert_recovery(
    tx: &Tx<'_>,
    (organisation, account): (OrganisationId, AccountId),
    mac: &[u8; 32],
) -> Result<()> {
    tx.execute(
        "INSERT INTO recovery_codes (account_id, mac, organisation_id) VALUES (?1, ?2, ?3)",
        (account, mac, organisation),
    )?;
    Ok(())
}

pub(super) fn drop_recovery(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute(
        "DELETE FROM recovery_codes WHERE account_id = ?1",
        [account],
    )?;
    Ok(())
}

/// A secret that waits for its first code.
pub(super) struct Enrolment {
    pub(super) sealed: Vec<u8>,
    pub(super) replaces: bool,
}

pub(super) fn enrolment(read: &Read<'_>, session: SessionId) -> Result<Option<Enrolment>> {
    read.find(
        "SELECT sealed, replaces FROM enrolments WHERE session_id = ?1 AND expires_at > ?2",
        (session, read.now()),
        |row| {
            Ok(Enrolment {
                sealed: row.get(0)?,
                replaces: row.get(1)?,
            })
        },
    )
}

pub(super) fn set_enrolment(
    tx: &Tx<'_>,
    who: &Enroller,
    enrolment: &Enrolment,
    expires_at: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO enrolments (session_id, organisation_id, account_id, sealed, replaces, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET sealed = excluded.sealed, replaces = excluded.replaces, expires_at = excluded.expires_at",
        (
            who.session,
            who.organisation,
            who.account,
            &enrolment.sealed,
            enrolment.replaces,
            expires_at,
        ),
    )?;
    Ok(())
}

pub(super) fn drop_enrolments(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM enrolments WHERE account_id = ?1", [account])?;
    Ok(())
}

pub(super) fn drop_factor(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM factors WHERE account_id = ?1", [account])?;
    Ok(())
}

pub(super) fn close_until(tx: &Tx<'_>, step: i64) -> Result<()> {
    tx.execute("DELETE FROM enrolments", [])?;
    tx.execute(
        "UPDATE factors SET last_step = ?1 WHERE last_step < ?1",
        [step],
    )?;
    Ok(())
}

pub(super) fn used_codes(read: &Read<'_>) -> Result<Vec<UsedCode>> {
    read.list(
        "SELECT account_id, mac, used_at FROM recovery_codes WHERE used_at IS NOT NULL",
        [],
        |row| {
            Ok(UsedCode {
                account: row.get(0)?,
                mac: row.get(1)?,
                at: row.get(2)?,
            })
        },
    )
}

pub(super) fn use_up(tx: &Tx<'_>, code: &UsedCode) -> Result<()> {
    tx.execute(
        "UPDATE recovery_codes SET used_at = ?3 WHERE account_id = ?1 AND mac = ?2 AND used_at IS NULL",
        (code.account, code.mac, code.at),
    )?;
    Ok(())
}

pub(super) fn void_all(tx: &Tx<'_>) -> Result<()> {
    tx.execute("DELETE FROM factors", [])?;
    tx.execute("DELETE FROM recovery_codes", [])?;
    tx.execute("DELETE FROM enrolments", [])?;
    Ok(())
}

pub(super) fn sweep(tx: &Tx<'_>, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM enrolments WHERE session_id IN (SELECT session_id FROM enrolments WHERE expires_at <= ?1 LIMIT ?2)",
        (tx.now(), rows),
    )
}

/// When the grace of an account began: the latest of its activation, its role, the policy that became stricter, and a
/// reset by another.
pub(super) fn grace_began(read: &Read<'_>, account: AccountId) -> Result<Option<Timestamp>> {
    read.find(
        "SELECT max(coalesce(a.activated_at, 0), a.role_at, p.stricter_at, coalesce(a.factor_reset_at, 0))
           FROM accounts a JOIN policies p ON p.organisation_id = a.organisation_id AND p.role = a.role
          WHERE a.id = ?1",
        [account],
        |row| row.get(0),
    )
}

pub(super) fn without(read: &Read<'_>, organisation: OrganisationId) -> Result<Vec<Without>> {
    read.list(
        "SELECT a.role, count(*),
                min(max(coalesce(a.activated_at, 0), a.role_at, p.stricter_at, coalesce(a.factor_reset_at, 0))),
                max(max(coalesce(a.activated_at, 0), a.role_at, p.stricter_at, coalesce(a.factor_reset_at, 0)))
           FROM accounts a INDEXED BY accounts_without_factor
           JOIN policies p ON p.organisation_id = a.organisation_id AND p.role = a.role
          WHERE a.organisation_id = ?1 AND a.status = 'active' AND a.two_factor = 0
          GROUP BY a.role",
        [organisation],
        |row| {
            Ok(Without {
                role: row.get(0)?,
                count: row.get(1)?,
                first: row.get(2)?,
                last: row.get(3)?,
            })
        },
    )
}

pub(super) fn without_of(
    read: &Read<'_>,
    organisation: OrganisationId,
    role: Role,
    rows: i64,
) -> Result<Vec<AccountId>> {
    read.list(
        "SELECT id FROM accounts INDEXED BY accounts_without_factor
          WHERE organisation_id = ?1 AND role = ?2 AND status = 'active' AND two_factor = 0 LIMIT ?3",
        (organisation, role, rows),
        |row| row.get(0),
    )
}

/// Read from one index of those without a factor, and the few policies that require one. The joins are crossed so that
/// the policies are looked at first: of most, nobody's grace can end within two days.
pub(super) fn due(read: &Read<'_>, rows: i64) -> Result<Vec<Due>> {
    read.list(
        "SELECT a.id, max(coalesce(a.activated_at, 0), a.role_at, p.stricter_at, coalesce(a.factor_reset_at, 0))
                  + p.grace_days * ?3 AS grace_end
           FROM policies p
           CROSS JOIN organisations o ON o.id = p.organisation_id AND o.disabled_at IS NULL
           CROSS JOIN accounts a INDEXED BY accounts_without_factor
             ON a.organisation_id = p.organisation_id AND a.role = p.role AND a.status = 'active' AND a.two_factor = 0
          WHERE p.level = 'required' AND p.grace_days > 0 AND p.stricter_at + p.grace_days * ?3 - ?2 <= ?1
            AND a.activated_at <= ?1 + ?2 - p.grace_days * ?3
            AND grace_end > ?1 AND grace_end - ?2 <= ?1 AND a.reminded_of IS NOT grace_end
          LIMIT ?4",
        (read.now(), REMINDER, DAY, rows),
        |row| {
            Ok(Due {
                account: row.get(0)?,
                end: row.get(1)?,
            })
        },
    )
}
