//! The statements of the changes of address.

use crate::accounts::Account;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, EmailChangeId};
use crate::domain::token::{Nonce, TokenHash};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

pub(super) struct New<'n> {
    pub(super) id: EmailChangeId,
    pub(super) account: &'n Account,
    pub(super) email: &'n Email,
    pub(super) nonce: Nonce,
    pub(super) hash: TokenHash,
    pub(super) expires_at: Timestamp,
}

pub(super) fn insert(tx: &Tx<'_>, new: &New<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO email_changes (id, organisation_id, account_id, email, nonce, hash, created_at, expires_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open')",
        (
            new.id,
            new.account.organisation,
            new.account.id,
            new.email,
            new.nonce,
            new.hash,
            tx.now(),
            new.expires_at,
        ),
    )?;
    Ok(())
}

/// Where such a link stands.
pub(super) enum State {
    Open,
    Used,
    Replaced,
}

pub(super) struct Row {
    pub(super) id: EmailChangeId,
    pub(super) account: AccountId,
    pub(super) email: Email,
    pub(super) expires_at: Timestamp,
    pub(super) state: State,
}

pub(super) fn by_hash(read: &Read<'_>, hash: &TokenHash) -> Result<Option<Row>> {
    read.find(
        "SELECT id, account_id, email, expires_at, state FROM email_changes WHERE hash = ?1",
        [hash],
        |row| {
            let state = match row.get_ref(4)?.as_str()? {
                "open" => State::Open,
                "used" => State::Used,
                "replaced" => State::Replaced,
                _ => return Err(contradiction("state of a change of address").into()),
            };
            Ok(Row {
                id: row.get(0)?,
                account: row.get(1)?,
                email: row.get(2)?,
                expires_at: row.get(3)?,
                state,
            })
        },
    )
}

pub(super) fn open_of(read: &Read<'_>, account: AccountId) -> Result<Option<(Email, Timestamp)>> {
    read.find(
        "SELECT email, expires_at FROM email_changes WHERE account_id = ?1 AND state = 'open' AND expires_at > ?2",
        (account, read.now()),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The row count decides: of two that arrive together, one wins.
pub(super) fn use_up(tx: &Tx<'_>, id: EmailChangeId, account: AccountId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE email_changes SET state = 'used'
          WHERE id = ?1 AND account_id = ?2 AND state = 'open' AND expires_at > ?3",
        (id, account, tx.now()),
    )?;
    Ok(changed == 1)
}

pub(super) fn withdraw(tx: &Tx<'_>, account: AccountId) -> Result<Option<EmailChangeId>> {
    tx.find(
        "UPDATE email_changes SET state = 'replaced' WHERE account_id = ?1 AND state = 'open' RETURNING id",
        [account],
        |row| row.get(0),
    )
}

pub(super) fn live(
    read: &Read<'_>,
    id: EmailChangeId,
) -> Result<Option<(Nonce, Email, Timestamp)>> {
    read.find(
        "SELECT c.nonce, c.email, c.expires_at FROM email_changes c JOIN accounts a ON a.id = c.account_id
          WHERE c.id = ?1 AND c.state = 'open' AND c.expires_at > ?2 AND a.status = 'active'",
        (id, read.now()),
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

pub(super) fn email_of(read: &Read<'_>, id: EmailChangeId) -> Result<Option<Email>> {
    read.find(
        "SELECT email FROM email_changes WHERE id = ?1",
        [id],
        |row| row.get(0),
    )
}

pub(super) fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM email_changes WHERE account_id = ?1", [account])?;
    Ok(())
}

pub(super) fn sweep(tx: &Tx<'_>, before: Timestamp, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM email_changes WHERE id IN (SELECT id FROM email_changes WHERE expires_at <= ?1 LIMIT ?2)",
        (before, rows),
    )
}

pub(super) fn void_all(tx: &Tx<'_>) -> Result<()> {
    tx.execute(
        "UPDATE email_changes SET state = 'replaced' WHERE state = 'open'",
        [],
    )?;
    Ok(())
}
