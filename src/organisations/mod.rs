//! Organisations: the tenants. Owns `organisations`.
//!
//! Founding one needs an owner, and so happens higher up, in `setup`.

mod sql;

use jiff::tz::TimeZone;

use crate::domain::domains::Domains;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::policy::{Policies, Policy, Trust};
use crate::domain::role::{Managers, Role};
use crate::domain::text::OrganisationName;
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};

pub use sql::{Offer, Organisation, any_exists, find, is_only_one, list, policies};

impl Organisation {
    /// The zone in which its times are shown.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// The organisation, which must exist.
pub fn get(read: &Read<'_>, id: OrganisationId) -> Result<Organisation> {
    sql::find(read, id)?.ok_or(Error::NotFound)
}

/// Writes the row. Its owner follows in the same transaction.
pub fn insert(tx: &Tx<'_>, organisation: &Organisation) -> Result<()> {
    sql::insert(tx, organisation)?;
    for role in Role::ALL {
        sql::set_policy(tx, organisation.id, role, (Policy::default(), true))?;
    }
    Ok(())
}

/// Other policies for its roles. Where one is stricter than before, the grace of that role begins anew.
pub fn set_policies(tx: &Tx<'_>, id: OrganisationId, wanted: &Policies) -> Result<()> {
    let before = sql::policies(tx, id)?;
    for role in Role::ALL {
        let (policy, before) = (wanted.of(role), before.of(role));
        if policy != before {
            sql::set_policy(tx, id, role, (policy, policy.is_stricter_than(before)))?;
        }
    }
    Ok(())
}

/// Whether browsers may be trusted from here on.
pub fn set_trust(tx: &Tx<'_>, id: OrganisationId, trust: Trust) -> Result<()> {
    Ok(sql::set_trust(tx, id, trust)?)
}

/// Every grace of the install begins anew: all second factors are void.
pub fn begin_grace_anew(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::begin_grace_anew(tx)?)
}

/// Whether the operator may give this name: no other organisation has it, in any case of its letters.
pub fn check_name(
    read: &Read<'_>,
    name: &OrganisationName,
    of: Option<OrganisationId>,
) -> Result<()> {
    let is_taken = |other: &Organisation| {
        Some(other.id) != of && other.name.as_str().eq_ignore_ascii_case(name.as_str())
    };
    if sql::list(read)?.iter().any(is_taken) {
        return Err(Error::invalid(
            "--name",
            "There is an organisation of this name already.",
        ));
    }
    Ok(())
}

/// Another name.
pub fn set_name(tx: &Tx<'_>, id: OrganisationId, name: &OrganisationName) -> Result<()> {
    Ok(sql::set_name(tx, id, name)?)
}

/// Another time zone, an IANA name that was checked.
pub fn set_time_zone(tx: &Tx<'_>, id: OrganisationId, time_zone: &str) -> Result<()> {
    Ok(sql::set_time_zone(tx, id, time_zone)?)
}

/// Who manages users from here on. Whoever composes the deed ends the sessions that lose by it.
pub fn set_managers(tx: &Tx<'_>, id: OrganisationId, managers: Managers) -> Result<()> {
    Ok(sql::set_managers(tx, id, managers)?)
}

/// Whose addresses may be invited from here on.
pub fn set_domains(tx: &Tx<'_>, id: OrganisationId, domains: &Domains) -> Result<()> {
    Ok(sql::set_domains(tx, id, domains)?)
}

/// The list of first steps is not shown any more; answers whether it was until now.
pub fn put_first_steps_away(tx: &Tx<'_>, id: OrganisationId) -> Result<bool> {
    Ok(sql::set_started(tx, id)?)
}

/// Nobody of it may sign in from here on; answers whether it was not so before.
pub fn disable(tx: &Tx<'_>, id: OrganisationId) -> Result<bool> {
    Ok(sql::set_disabled(tx, id, Some(tx.now()))?)
}

/// Its people may sign in again; answers whether they could not before.
pub fn enable(tx: &Tx<'_>, id: OrganisationId) -> Result<bool> {
    Ok(sql::set_disabled(tx, id, None)?)
}

/// Offers the ownership to this account, instead of whoever had the offer; to nobody, with none.
pub fn set_offer(tx: &Tx<'_>, id: OrganisationId, to: Option<AccountId>) -> Result<()> {
    Ok(sql::set_offer(tx, id, to)?)
}

/// The owner changes, if the ownership is still offered to whoever takes it; the offer is used up.
pub fn set_owner(
    tx: &Tx<'_>,
    id: OrganisationId,
    before: AccountId,
    after: AccountId,
) -> Result<bool> {
    Ok(sql::set_owner(tx, id, before, after)?)
}

/// Removes the row, when nothing belongs to it any more.
pub fn remove(tx: &Tx<'_>, id: OrganisationId) -> Result<()> {
    Ok(sql::remove(tx, id)?)
}

/// The organisation the operator means: by name or id, or the only one.
pub fn pick(read: &Read<'_>, wanted: Option<&str>) -> Result<Organisation> {
    let all = sql::list(read)?;
    match wanted {
        Some(wanted) => {
            let id = wanted.parse().ok();
            let is_meant = |one: &Organisation| {
                Some(one.id) == id || one.name.as_str().eq_ignore_ascii_case(wanted)
            };
            let mut meant = all.into_iter().filter(is_meant);
            match (meant.next(), meant.next()) {
                (Some(one), None) => Ok(one),
                (Some(_), Some(_)) => Err(Error::invalid(
                    "--org",
                    "Several organisations have this name. Give the id.",
                )),
                (None, _) => Err(Error::NotFound),
            }
        }
        None => {
            let mut all = all.into_iter();
            match (all.next(), all.next()) {
                (Some(one), None) => Ok(one),
                (Some(_), Some(_)) => Err(Error::invalid(
                    "--org",
                    "There are several organisations. Say which, with --org.",
                )),
                (None, _) => Err(Error::NotFound),
            }
        }
    }
}

/// A zone that the bundled data knows.
pub fn time_zone(text: &str) -> std::result::Result<String, String> {
    match TimeZone::get(text.trim()) {
        Ok(zone) => zone
            .iana_name()
            .map(str::to_owned)
            .ok_or_else(|| "Choose a time zone from the list.".to_owned()),
        Err(_) => Err("Choose a time zone from the list.".to_owned()),
    }
}

/// The name, parsed.
pub fn name(text: &str) -> std::result::Result<OrganisationName, String> {
    text.parse()
}
