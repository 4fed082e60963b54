//! The statements of the set-up link.

use crate::domain::token::TokenHash;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

pub(super) fn put(tx: &Tx<'_>, hash: &TokenHash, expires_at: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO setup_links (id, hash, expires_at) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at",
        (hash, expires_at),
    )?;
    Ok(())
}

pub(super) fn is_live(read: &Read<'_>, hash: &TokenHash) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM setup_links WHERE hash = ?1 AND expires_at > ?2)",
        (hash, read.now()),
        |row| row.get(0),
    )
}

pub(super) fn drop_all(tx: &Tx<'_>) -> Result<()> {
    tx.execute("DELETE FROM setup_links", [])?;
    Ok(())
}

/// Whether the file belongs to this key.
pub(super) fn is_key(read: &Read<'_>, identity: &[u8; 32]) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM install WHERE key_id = ?1)",
        [identity],
        |row| row.get(0),
    )
}

/// The file belongs to this key from here on.
pub(super) fn set_key(tx: &Tx<'_>, identity: &[u8; 32]) -> Result<()> {
    tx.execute("UPDATE install SET key_id = ?1", [identity])?;
    Ok(())
}
