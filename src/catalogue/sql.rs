//! The statements of the catalogue.

use std::collections::HashMap;

use rusqlite::Row as SqlRow;

use super::{Offer, Prices};
use crate::domain::id::PlanId;
use crate::domain::money::{Currency, Money};
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

/// One plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Which.
    pub id: PlanId,
    /// Of which kind, by its key.
    pub kind: String,
    /// What people call the kind.
    pub kind_name: String,
    /// Its key, its own among those of its kind.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Since when nothing new may have it; none while it is on offer.
    pub closed_at: Option<Timestamp>,
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Plan> {
    Ok(Plan {
        id: row.get(0)?,
        kind: row.get(1)?,
        kind_name: row.get(2)?,
        key: row.get(3)?,
        name: row.get(4)?,
        closed_at: row.get(5)?,
    })
}

/// The currency of the install; none before the first import.
pub fn currency(read: &Read<'_>) -> Result<Option<Currency>> {
    read.find("SELECT currency FROM catalogue", [], |row| row.get(0))
}

/// All plans that there ever were, in the order of the catalogue.
pub fn plans(read: &Read<'_>) -> Result<Vec<Plan>> {
    read.list(
        "SELECT p.id, p.kind, k.name, p.key, p.name, p.closed_at FROM plans p JOIN kinds k ON k.key = p.kind
          ORDER BY k.position, k.key, p.position, p.key",
        [],
        from_row,
    )
}

/// One plan.
pub fn find(read: &Read<'_>, id: PlanId) -> Result<Option<Plan>> {
    read.find(
        "SELECT p.id, p.kind, k.name, p.key, p.name, p.closed_at FROM plans p JOIN kinds k ON k.key = p.kind
          WHERE p.id = ?1",
        [id],
        from_row,
    )
}

/// What can be had now: plans that are not closed and have a price in force.
pub fn offers(read: &Read<'_>) -> Result<Vec<Offer>> {
    read.list(
        "SELECT p.id, p.kind, k.name, p.key, p.name, p.closed_at, c.amount
           FROM plans p JOIN kinds k ON k.key = p.kind
           JOIN prices c ON c.plan_id = p.id
            AND c.starts_at = (SELECT max(starts_at) FROM prices WHERE plan_id = p.id AND starts_at <= ?1)
          WHERE p.closed_at IS NULL
          ORDER BY k.position, k.key, p.position, p.key",
        [read.now()],
        |row| {
            Ok(Offer {
                plan: from_row(row)?,
                price: row.get(6)?,
            })
        },
    )
}

/// Every price that there ever was or will be.
pub fn prices(read: &Read<'_>) -> Result<Prices> {
    let rows = read.list(
        "SELECT plan_id, starts_at, amount FROM prices ORDER BY plan_id, starts_at",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(Prices::new(rows))
}

/// Every kind that there ever was, by its key: its name and its place.
pub(super) fn kinds(read: &Read<'_>) -> Result<HashMap<String, (String, i64)>> {
    let rows = read.list("SELECT key, name, position FROM kinds", [], |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
    })?;
    Ok(rows.into_iter().collect())
}

/// The place of each plan among those of its kind.
pub(super) fn places(read: &Read<'_>) -> Result<HashMap<PlanId, i64>> {
    let rows = read.list("SELECT id, position FROM plans", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.into_iter().collect())
}

/// How many resources run with each plan, in all organisations; a plan with none is not named.
pub fn running(read: &Read<'_>) -> Result<HashMap<PlanId, i64>> {
    let rows = read.list(
        "SELECT plan_id, count(*) FROM resources WHERE ended_at IS NULL GROUP BY plan_id",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(rows.into_iter().collect())
}

/// Whether anything was ever counted in the currency.
pub(super) fn is_in_use(read: &Read<'_>) -> Result<bool> {
    read.get(
        "SELECT EXISTS (SELECT 1 FROM resources) OR EXISTS (SELECT 1 FROM billing WHERE budget IS NOT NULL)",
        [],
        |row| row.get(0),
    )
}

/// Up to when months are closed, of whichever organisation is furthest; none before the first resource.
pub(super) fn closed_until(read: &Read<'_>) -> Result<Option<Timestamp>> {
    read.get("SELECT max(closed_until) FROM ledgers", [], |row| {
        row.get(0)
    })
}

/// The currency of the install from here on.
pub(super) fn set_currency(tx: &Tx<'_>, currency: Currency) -> Result<()> {
    tx.execute(
        "INSERT INTO catalogue (id, currency, imported_at) VALUES (1, ?1, ?2)
         ON CONFLICT DO UPDATE SET currency = ?1, imported_at = ?2",
        (currency, tx.now()),
    )?;
    Ok(())
}

/// A kind, by its key, with this name at this place.
pub(super) fn set_kind(tx: &Tx<'_>, (key, name): (&str, &str), place: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO kinds (key, name, position) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET name = ?2, position = ?3",
        (key, name, place),
    )?;
    Ok(())
}

/// A plan that is on offer, with this name at this place.
pub(super) fn set_plan(
    tx: &Tx<'_>,
    id: PlanId,
    kind: &str,
    (key, name): (&str, &str),
    place: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO plans (id, kind, key, name, position) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET name = ?4, position = ?5, closed_at = NULL",
        (id, kind, key, name, place),
    )?;
    Ok(())
}

/// Nothing new may have it.
pub(super) fn close(tx: &Tx<'_>, id: PlanId) -> Result<()> {
    tx.execute(
        "UPDATE plans SET closed_at = ?2 WHERE id = ?1",
        (id, tx.now()),
    )?;
    Ok(())
}

/// A price from an instant on, which is now or later: one that began in this very second was charged to nobody.
pub(super) fn add_price(tx: &Tx<'_>, id: PlanId, (from, amount): (Timestamp, Money)) -> Result<()> {
    tx.execute(
        "DELETE FROM prices WHERE plan_id = ?1 AND starts_at = ?2",
        (id, from),
    )?;
    tx.execute(
        "INSERT INTO prices (plan_id, starts_at, amount) VALUES (?1, ?2, ?3)",
        (id, from, amount),
    )?;
    Ok(())
}

/// A price that was to come does not.
pub(super) fn take_back(tx: &Tx<'_>, id: PlanId, from: Timestamp) -> Result<()> {
    tx.execute(
        "DELETE FROM prices WHERE plan_id = ?1 AND starts_at = ?2",
        (id, from),
    )?;
    Ok(())
}

/// No plan has a price any more.
pub(super) fn drop_prices(tx: &Tx<'_>) -> Result<()> {
    tx.execute("DELETE FROM prices", [])?;
    Ok(())
}
