//! The statements of the organisations.

use rusqlite::Row as SqlRow;

use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::text::OrganisationName;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

/// One organisation.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// Which.
    pub id: OrganisationId,
    /// Its name.
    pub name: OrganisationName,
    /// Its time zone, an IANA name.
    pub time_zone: String,
    /// Its owner, the master account.
    pub owner: AccountId,
    /// When it was founded.
    pub created_at: Timestamp,
    /// Since when nobody may sign in; none while they may.
    pub disabled_at: Option<Timestamp>,
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Organisation> {
    Ok(Organisation {
        id: row.get(0)?,
        name: row.get(1)?,
        time_zone: row.get(2)?,
        owner: row.get(3)?,
        created_at: row.get(4)?,
        disabled_at: row.get(5)?,
    })
}

/// One organisation.
pub fn find(read: &Read<'_>, id: OrganisationId) -> Result<Option<Organisation>> {
    read.find(
        "SELECT id, name, time_zone, owner_id, created_at, disabled_at FROM organisations WHERE id = ?1",
        [id],
        from_row,
    )
}

/// All of them, oldest first: the operator's view.
pub fn list(read: &Read<'_>) -> Result<Vec<Organisation>> {
    read.list(
        "SELECT id, name, time_zone, owner_id, created_at, disabled_at FROM organisations ORDER BY created_at, id",
        [],
        from_row,
    )
}

/// Whether the first run is over.
pub fn any_exists(read: &Read<'_>) -> Result<bool> {
    read.get("SELECT EXISTS (SELECT 1 FROM organisations)", [], |row| {
        row.get(0)
    })
}

pub(super) fn insert(tx: &Tx<'_>, new: &Organisation) -> Result<()> {
    tx.execute(
        "INSERT INTO organisations (id, name, time_zone, owner_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        (new.id, &new.name, &new.time_zone, new.owner, new.created_at),
    )?;
    Ok(())
}

pub(super) fn remove(tx: &Tx<'_>, id: OrganisationId) -> Result<()> {
    tx.execute("DELETE FROM organisations WHERE id = ?1", [id])?;
    Ok(())
}
