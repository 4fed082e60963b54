//! The statements of the resources.

use rusqlite::Row as SqlRow;

use super::Run;
use crate::domain::id::{AccountId, OrganisationId, PlanId, ResourceId};
use crate::domain::month::Span;
use crate::domain::text::ResourceName;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

/// One resource.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Which.
    pub id: ResourceId,
    /// Whose.
    pub organisation: OrganisationId,
    /// What people call it.
    pub name: ResourceName,
    /// What they want to remember about it.
    pub note: String,
    /// The plan it has now.
    pub plan: PlanId,
    /// Who created it.
    pub created_by: AccountId,
    /// Under whose name it is charged now.
    pub holder: AccountId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ended; none while it runs.
    pub ended_at: Option<Timestamp>,
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Resource> {
    Ok(Resource {
        id: row.get(0)?,
        organisation: row.get(1)?,
        name: row.get(2)?,
        note: row.get(3)?,
        plan: row.get(4)?,
        created_by: row.get(5)?,
        holder: row.get(6)?,
        created_at: row.get(7)?,
        ended_at: row.get(8)?,
    })
}

/// One resource of that organisation; another's is none.
pub fn find(
    read: &Read<'_>,
    organisation: OrganisationId,
    id: ResourceId,
) -> Result<Option<Resource>> {
    read.find(
        "SELECT id, organisation_id, name, note, plan_id, created_by, holder_id, created_at, ended_at
           FROM resources WHERE organisation_id = ?1 AND id = ?2",
        (organisation, id),
        from_row,
    )
}

/// All that the organisation has or had, by name.
pub fn all(read: &Read<'_>, organisation: OrganisationId) -> Result<Vec<Resource>> {
    read.list(
        "SELECT id, organisation_id, name, note, plan_id, created_by, holder_id, created_at, ended_at
           FROM resources WHERE organisation_id = ?1 ORDER BY name COLLATE NOCASE, id",
        [organisation],
        from_row,
    )
}

/// What runs under this account's name, by name.
pub fn held(
    read: &Read<'_>,
    organisation: OrganisationId,
    holder: AccountId,
) -> Result<Vec<Resource>> {
    read.list(
        "SELECT id, organisation_id, name, note, plan_id, created_by, holder_id, created_at, ended_at
           FROM resources WHERE organisation_id = ?1 AND holder_id = ?2 AND ended_at IS NULL
          ORDER BY name COLLATE NOCASE, id",
        (organisation, holder),
        from_row,
    )
}

/// How many run.
pub fn running(read: &Read<'_>, organisation: OrganisationId) -> Result<i64> {
    read.get(
        "SELECT count(*) FROM resources WHERE organisation_id = ?1 AND ended_at IS NULL",
        [organisation],
        |row| row.get(0),
    )
}

/// How many of them were created after this instant.
pub fn running_since(
    read: &Read<'_>,
    organisation: OrganisationId,
    since: Timestamp,
) -> Result<i64> {
    read.get(
        "SELECT count(*) FROM resources WHERE organisation_id = ?1 AND ended_at IS NULL AND created_at > ?2",
        (organisation, since),
        |row| row.get(0),
    )
}

/// Writes the row of one that runs.
pub(super) fn insert(tx: &Tx<'_>, resource: &Resource) -> Result<()> {
    tx.execute(
        "INSERT INTO resources (id, organisation_id, name, note, plan_id, created_by, holder_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            resource.id,
            resource.organisation,
            &resource.name,
            &resource.note,
            resource.plan,
            resource.created_by,
            resource.holder,
            resource.created_at,
        ),
    )?;
    Ok(())
}

/// Another name and note.
pub(super) fn describe(tx: &Tx<'_>, id: ResourceId, name: &ResourceName, note: &str) -> Result<()> {
    tx.execute(
        "UPDATE resources SET name = ?2, note = ?3 WHERE id = ?1",
        (id, name, note),
    )?;
    Ok(())
}

/// Another plan.
pub(super) fn set_plan(tx: &Tx<'_>, id: ResourceId, plan: PlanId) -> Result<()> {
    tx.execute(
        "UPDATE resources SET plan_id = ?2 WHERE id = ?1",
        (id, plan),
    )?;
    Ok(())
}

/// Another holder.
pub(super) fn set_holder(tx: &Tx<'_>, id: ResourceId, holder: AccountId) -> Result<()> {
    tx.execute(
        "UPDATE resources SET holder_id = ?2 WHERE id = ?1",
        (id, holder),
    )?;
    Ok(())
}

/// It has ended.
pub(super) fn end(tx: &Tx<'_>, id: ResourceId, at: Timestamp) -> Result<()> {
    tx.execute("UPDATE resources SET ended_at = ?2 WHERE id = ?1", (id, at))?;
    Ok(())
}

fn run(row: &SqlRow<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        resource: row.get(0)?,
        from: row.get(1)?,
        until: row.get(2)?,
        plan: row.get(3)?,
        holder: row.get(4)?,
    })
}

/// The life of one resource, oldest run first.
pub fn runs_of(read: &Read<'_>, id: ResourceId) -> Result<Vec<Run>> {
    read.list(
        "SELECT resource_id, from_at, until_at, plan_id, holder_id FROM runs WHERE resource_id = ?1 ORDER BY from_at",
        [id],
        run,
    )
}

/// All runs that touch the span, by resource and then by time.
pub(super) fn runs_within(
    read: &Read<'_>,
    organisation: OrganisationId,
    span: Span,
) -> Result<Vec<Run>> {
    read.list(
        "SELECT resource_id, from_at, until_at, plan_id, holder_id FROM runs
          WHERE organisation_id = ?1 AND until_at > ?2 AND from_at < ?3
         UNION ALL
         SELECT resource_id, from_at, until_at, plan_id, holder_id FROM runs
          WHERE organisation_id = ?1 AND until_at IS NULL AND from_at < ?3
          ORDER BY resource_id, from_at",
        (organisation, span.from, span.until),
        run,
    )
}

/// Begins a run with what the resource has.
pub(super) fn begin_run(tx: &Tx<'_>, resource: &Resource, at: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO runs (organisation_id, resource_id, from_at, plan_id, holder_id) VALUES (?1, ?2, ?3, ?4, ?5)",
        (
            resource.organisation,
            resource.id,
            at,
            resource.plan,
            resource.holder,
        ),
    )?;
    Ok(())
}

/// When the open run began; none when the resource has ended.
pub(super) fn open_since(read: &Read<'_>, id: ResourceId) -> Result<Option<Timestamp>> {
    read.find(
        "SELECT from_at FROM runs WHERE resource_id = ?1 AND until_at IS NULL",
        [id],
        |row| row.get(0),
    )
}

/// Ends the open run; one without length goes.
pub(super) fn close_run(tx: &Tx<'_>, id: ResourceId, at: Timestamp) -> Result<()> {
    tx.execute(
        "DELETE FROM runs WHERE resource_id = ?1 AND until_at IS NULL AND from_at >= ?2",
        (id, at),
    )?;
    tx.execute(
        "UPDATE runs SET until_at = ?2 WHERE resource_id = ?1 AND until_at IS NULL",
        (id, at),
    )?;
    Ok(())
}

/// The organisation has a ledger from here on, if it had none.
pub(super) fn open_ledger(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    from: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO ledgers (organisation_id, closed_until) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        (organisation, from),
    )?;
    Ok(())
}

/// Up to when its months are closed; none before its first resource.
pub fn closed_until(read: &Read<'_>, organisation: OrganisationId) -> Result<Option<Timestamp>> {
    read.find(
        "SELECT closed_until FROM ledgers WHERE organisation_id = ?1",
        [organisation],
        |row| row.get(0),
    )
}

/// Closes up to there.
pub(super) fn close_until(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    until: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE ledgers SET closed_until = ?2 WHERE organisation_id = ?1",
        (organisation, until),
    )?;
    Ok(())
}

/// Whose next open month began before this instant: those first for whom it began longest ago, at most so many.
pub fn due(read: &Read<'_>, before: Timestamp, at_most: usize) -> Result<Vec<OrganisationId>> {
    read.list(
        "SELECT organisation_id FROM ledgers WHERE closed_until < ?1 ORDER BY closed_until, organisation_id LIMIT ?2",
        (before, i64::try_from(at_most).unwrap_or(i64::MAX)),
        |row| row.get(0),
    )
}
