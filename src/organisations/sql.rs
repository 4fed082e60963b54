//! The statements of the organisations.

use rusqlite::Row as SqlRow;

use crate::domain::domains::Domains;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::policy::{Policies, Policy, Trust};
use crate::domain::role::{Managers, Role};
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
    /// Who manages users in it.
    pub managers: Managers,
    /// Whether its people may trust their browsers to skip the code.
    pub trust: Trust,
    /// The ownership, while it is offered to another Master.
    pub offer: Option<Offer>,
    /// Whose addresses may be invited.
    pub domains: Domains,
    /// When the list of first steps was put away; none while it is shown.
    pub started_at: Option<Timestamp>,
    /// When it was founded.
    pub created_at: Timestamp,
    /// Since when nobody may sign in; none while they may.
    pub disabled_at: Option<Timestamp>,
}

/// The ownership, offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// To whom.
    pub to: AccountId,
    /// Since when.
    pub at: Timestamp,
}

fn offer(to: Option<AccountId>, at: Option<Timestamp>) -> Option<Offer> {
    Some(Offer { to: to?, at: at? })
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Organisation> {
    Ok(Organisation {
        id: row.get(0)?,
        name: row.get(1)?,
        time_zone: row.get(2)?,
        owner: row.get(3)?,
        created_at: row.get(4)?,
        disabled_at: row.get(5)?,
        managers: row.get(6)?,
        trust: row.get(9)?,
        domains: row.get(10)?,
        started_at: row.get(11)?,
        offer: offer(row.get(7)?, row.get(8)?),
    })
}

/// One organisation.
pub fn find(read: &Read<'_>, id: OrganisationId) -> Result<Option<Organisation>> {
    read.find(
        "SELECT id, name, time_zone, owner_id, created_at, disabled_at, managers, offered_to, offered_at, trust,
                domains, started_at
           FROM organisations WHERE id = ?1",
        [id],
        from_row,
    )
}

/// All of them, oldest first: the operator's view.
pub fn list(read: &Read<'_>) -> Result<Vec<Organisation>> {
    read.list(
        "SELECT id, name, time_zone, owner_id, created_at, disabled_at, managers, offered_to, offered_at, trust,
                domains, started_at
           FROM organisations ORDER BY created_at, id",
        [],
        from_row,
    )
}

/// Whether there is no other in this file.
pub fn is_only_one(read: &Read<'_>, id: OrganisationId) -> Result<bool> {
    read.get(
        "SELECT NOT EXISTS (SELECT 1 FROM organisations WHERE id <> ?1)",
        [id],
        |row| row.get(0),
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
        "INSERT INTO organisations (id, name, time_zone, owner_id, managers, trust, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            new.id,
            &new.name,
            &new.time_zone,
            new.owner,
            new.managers,
            new.trust,
            new.created_at,
        ),
    )?;
    Ok(())
}

/// What each role is asked for; what no row says is what is asked at the beginning.
pub fn policies(read: &Read<'_>, id: OrganisationId) -> Result<Policies> {
    let rows = read.list(
        "SELECT role, level, grace_days FROM policies WHERE organisation_id = ?1",
        [id],
        |row| {
            let policy = Policy {
                level: row.get(1)?,
                grace_days: row.get(2)?,
            };
            Ok((row.get::<_, Role>(0)?, policy))
        },
    )?;
    Ok(Policies::each(|role| {
        let found = rows.iter().find(|(one, _)| *one == role);
        found.map_or_else(Policy::default, |(_, policy)| *policy)
    }))
}

/// Another policy for a role. Where it is stricter, grace begins anew.
pub(super) fn set_policy(
    tx: &Tx<'_>,
    id: OrganisationId,
    role: Role,
    (policy, is_stricter): (Policy, bool),
) -> Result<()> {
    tx.execute(
        "INSERT INTO policies (organisation_id, role, level, grace_days, stricter_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET level = excluded.level, grace_days = excluded.grace_days,
           stricter_at = iif(?6, excluded.stricter_at, stricter_at)",
        (
            id,
            role,
            policy.level,
            policy.grace_days,
            tx.now(),
            is_stricter,
        ),
    )?;
    Ok(())
}

pub(super) fn set_trust(tx: &Tx<'_>, id: OrganisationId, trust: Trust) -> Result<()> {
    tx.execute(
        "UPDATE organisations SET trust = ?2 WHERE id = ?1",
        (id, trust),
    )?;
    Ok(())
}

/// Grace begins anew for everybody.
pub(super) fn begin_grace_anew(tx: &Tx<'_>) -> Result<()> {
    tx.execute("UPDATE policies SET stricter_at = ?1", [tx.now()])?;
    Ok(())
}

pub(super) fn set_name(tx: &Tx<'_>, id: OrganisationId, name: &OrganisationName) -> Result<()> {
    tx.execute(
        "UPDATE organisations SET name = ?2 WHERE id = ?1",
        (id, name),
    )?;
    Ok(())
}

pub(super) fn set_time_zone(tx: &Tx<'_>, id: OrganisationId, time_zone: &str) -> Result<()> {
    tx.execute(
        "UPDATE organisations SET time_zone = ?2 WHERE id = ?1",
        (id, time_zone),
    )?;
    Ok(())
}

pub(super) fn set_domains(tx: &Tx<'_>, id: OrganisationId, domains: &Domains) -> Result<()> {
    tx.execute(
        "UPDATE organisations SET domains = ?2 WHERE id = ?1",
        (id, domains),
    )?;
    Ok(())
}

/// The row count decides: it is put away once.
pub(super) fn set_started(tx: &Tx<'_>, id: OrganisationId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE organisations SET started_at = ?2 WHERE id = ?1 AND started_at IS NULL",
        (id, tx.now()),
    )?;
    Ok(changed == 1)
}

pub(super) fn set_managers(tx: &Tx<'_>, id: OrganisationId, managers: Managers) -> Result<()> {
    tx.execute(
        "UPDATE organisations SET managers = ?2 WHERE id = ?1",
        (id, managers),
    )?;
    Ok(())
}

/// The row count decides: only what works is disabled, and only what is disabled is enabled.
pub(super) fn set_disabled(
    tx: &Tx<'_>,
    id: OrganisationId,
    since: Option<Timestamp>,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE organisations SET disabled_at = ?2 WHERE id = ?1 AND (disabled_at IS NULL) = (?2 IS NOT NULL)",
        (id, since),
    )?;
    Ok(changed == 1)
}

pub(super) fn set_offer(tx: &Tx<'_>, id: OrganisationId, to: Option<AccountId>) -> Result<()> {
    tx.execute(
        "UPDATE organisations SET offered_to = ?2, offered_at = iif(?2 IS NULL, NULL, ?3) WHERE id = ?1",
        (id, to, tx.now()),
    )?;
    Ok(())
}

/// The row count decides: the offer may have been withdrawn meanwhile.
pub(super) fn set_owner(
    tx: &Tx<'_>,
    id: OrganisationId,
    before: AccountId,
    after: AccountId,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE organisations SET owner_id = ?3, offered_to = NULL, offered_at = NULL
          WHERE id = ?1 AND owner_id = ?2 AND offered_to = ?3",
        (id, before, after),
    )?;
    Ok(changed == 1)
}

pub(super) fn remove(tx: &Tx<'_>, id: OrganisationId) -> Result<()> {
    tx.execute("DELETE FROM organisations WHERE id = ?1", [id])?;
    Ok(())
}
