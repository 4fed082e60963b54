//! The statements of those who are to leave.

use rusqlite::Row as SqlRow;

use crate::domain::id::{AccountId, OrganisationId};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

/// Why an account could not be disabled when its time had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It owns the organisation.
    Owner,
    /// It is the last Active Master.
    LastMaster,
    /// Whoever set the date may not disable it any more.
    Giver,
}

impl Obstacle {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Owner, Self::LastMaster, Self::Giver];

    /// The name in the file and in the log.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::LastMaster => "last_master",
            Self::Giver => "giver",
        }
    }

    /// What people are told of it.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Owner => "The account owned the organisation by then.",
            Self::LastMaster => "It was the last Active Master by then.",
            Self::Giver => "Whoever set the date could not disable this account any more.",
        }
    }

    /// The obstacle of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.slug() == slug)
    }
}

/// An account that is to be disabled at an instant, or that was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Which.
    pub account: AccountId,
    /// Whose.
    pub organisation: OrganisationId,
    /// When it leaves: the first instant after its last day.
    pub at: Timestamp,
    /// Who set it; none: the operator.
    pub set_by: Option<AccountId>,
    /// Who then gets what it holds; none: it stays under its name.
    pub heir: Option<AccountId>,
    /// When and why it could not be done; none while it is to be.
    pub dropped: Option<(Timestamp, Obstacle)>,
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Departure> {
    Ok(Departure {
        account: row.get(0)?,
        organisation: row.get(1)?,
        at: row.get(2)?,
        set_by: row.get(3)?,
        heir: row.get(4)?,
        dropped: dropped(row.get(5)?, row.get(6)?)?,
    })
}

/// The two columns that say that it could not be done.
pub(super) fn dropped(
    at: Option<Timestamp>,
    why: Option<String>,
) -> rusqlite::Result<Option<(Timestamp, Obstacle)>> {
    match (at, why) {
        (None, None) => Ok(None),
        (Some(at), Some(why)) => {
            let why = Obstacle::from_slug(&why).ok_or_else(|| contradiction("why"))?;
            Ok(Some((at, why)))
        }
        _ => Err(contradiction("dropped_at").into()),
    }
}

/// When this account leaves, if a date is set.
pub fn departure(read: &Read<'_>, account: AccountId) -> Result<Option<Departure>> {
    read.find(
        "SELECT account_id, organisation_id, leaves_at, set_by, heir_id, dropped_at, why FROM departures
          WHERE account_id = ?1",
        [account],
        from_row,
    )
}

/// Those whose time has come, the first to leave first.
pub fn departing(read: &Read<'_>, rows: i64) -> Result<Vec<Departure>> {
    read.list(
        "SELECT account_id, organisation_id, leaves_at, set_by, heir_id, dropped_at, why FROM departures
          WHERE dropped_at IS NULL AND leaves_at <= ?1 ORDER BY leaves_at LIMIT ?2",
        (read.now(), rows),
        from_row,
    )
}

/// Those of an organisation whom this account lets leave, the first to leave first: they stay if it may not any more.
pub fn departures_set_by(
    read: &Read<'_>,
    organisation: OrganisationId,
    account: AccountId,
) -> Result<Vec<Departure>> {
    read.list(
        "SELECT account_id, organisation_id, leaves_at, set_by, heir_id, dropped_at, why FROM departures
          WHERE organisation_id = ?1 AND set_by = ?2 AND dropped_at IS NULL ORDER BY leaves_at, account_id",
        (organisation, account),
        from_row,
    )
}

/// Those of an organisation that could not be done, the newest first.
pub fn departures_dropped(
    read: &Read<'_>,
    organisation: OrganisationId,
    rows: i64,
) -> Result<Vec<Departure>> {
    read.list(
        "SELECT account_id, organisation_id, leaves_at, set_by, heir_id, dropped_at, why FROM departures
          WHERE organisation_id = ?1 AND dropped_at IS NOT NULL ORDER BY leaves_at DESC, account_id LIMIT ?2",
        (organisation, rows),
        from_row,
    )
}

pub(in crate::accounts) fn set_departure(tx: &Tx<'_>, departure: &Departure) -> Result<()> {
    tx.execute(
        "INSERT INTO departures (account_id, organisation_id, leaves_at, set_by, heir_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (account_id) DO UPDATE SET leaves_at = excluded.leaves_at, set_by = excluded.set_by,
           heir_id = excluded.heir_id, created_at = excluded.created_at, dropped_at = NULL, why = NULL",
        (
            departure.account,
            departure.organisation,
            departure.at,
            departure.set_by,
            departure.heir,
            tx.now(),
        ),
    )?;
    Ok(())
}

pub(in crate::accounts) fn drop_departure(
    tx: &Tx<'_>,
    account: AccountId,
    why: Obstacle,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE departures SET dropped_at = ?2, why = ?3 WHERE account_id = ?1 AND dropped_at IS NULL",
        (account, tx.now(), why.slug()),
    )?;
    Ok(changed == 1)
}

pub(in crate::accounts) fn clear_departure(tx: &Tx<'_>, account: AccountId) -> Result<bool> {
    let changed = tx.execute("DELETE FROM departures WHERE account_id = ?1", [account])?;
    Ok(changed == 1)
}

pub(in crate::accounts) fn remove_departures(
    tx: &Tx<'_>,
    organisation: OrganisationId,
) -> Result<()> {
    tx.execute(
        "DELETE FROM departures WHERE organisation_id = ?1",
        [organisation],
    )?;
    Ok(())
}
