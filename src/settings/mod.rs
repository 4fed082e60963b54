//! What an organisation decides for itself, and what the operator decides about it. Owns no table: it all stands in the
//! organisation's row.

pub mod pages;
pub mod views;

use crate::accounts;
use crate::audit::{self, Action, Audited, Event};
use crate::domain::domains::Domains;
use crate::domain::policy::{Level, Policies, Policy, Trust};
use crate::domain::role::{Managers, Role};
use crate::domain::text::OrganisationName;
use crate::error::{Error, Result};
use crate::kit::db::Tx;
use crate::organisations::{self, Organisation};
use crate::scope::{Allowed, By, ManageOrganisation};
use crate::sessions;

/// Another name for the organisation. The operator names organisations apart, since commands go by their names; people
/// are not told which other organisations there are.
pub fn rename(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    name: &OrganisationName,
) -> Result<Option<Audited<()>>> {
    let organisation = organisations::get(tx, by.organisation())?;
    if organisation.name == *name {
        return Ok(None);
    }
    if by.by().account().is_none() {
        organisations::check_name(tx, name, Some(organisation.id))?;
    }
    organisations::set_name(tx, organisation.id, name)?;
    let event =
        Event::of(organisation.id, Action::OrganisationRenamed).changed(&organisation.name, name);
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// Another time zone, an IANA name that was checked.
pub fn move_to(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    time_zone: &str,
) -> Result<Option<Audited<()>>> {
    let organisation = organisations::get(tx, by.organisation())?;
    if organisation.time_zone == time_zone {
        return Ok(None);
    }
    organisations::set_time_zone(tx, organisation.id, time_zone)?;
    let event = Event::of(organisation.id, Action::OrganisationMoved)
        .with("from", organisation.time_zone)
        .with("to", time_zone);
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// Who manages users. What Admins lose they lose now: their sessions end with the change.
pub fn set_managers(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    managers: Managers,
) -> Result<Option<Audited<()>>> {
    let organisation = organisations::get(tx, by.organisation())?;
    if organisation.managers == managers {
        return Ok(None);
    }
    organisations::set_managers(tx, organisation.id, managers)?;
    if managers == Managers::Masters {
        accounts::raise_epochs(tx, organisation.id, Role::Admin)?;
    }
    let event =
        Event::of(organisation.id, Action::ManagersChanged).with("managers", managers.slug());
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// Whose addresses may be invited from here on. Whoever has another keeps it.
pub fn set_domains(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    domains: &Domains,
) -> Result<Option<Audited<()>>> {
    let organisation = organisations::get(tx, by.organisation())?;
    if organisation.domains == *domains {
        return Ok(None);
    }
    organisations::set_domains(tx, organisation.id, domains)?;
    let event = Event::of(organisation.id, Action::DomainsChanged)
        .changed(organisation.domains.lines(), domains.lines());
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// The list of first steps is not shown any more, to nobody of the organisation.
pub fn put_first_steps_away(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
) -> Result<Option<Audited<()>>> {
    if !organisations::put_first_steps_away(tx, by.organisation())? {
        return Ok(None);
    }
    let event = Event::of(by.organisation(), Action::FirstStepsPutAway);
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// What each role is asked for besides the password, and whether browsers may be trusted. Where it is stricter than
/// before, grace begins anew; no browser that was trusted until now skips the code any more.
pub fn set_policies(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    wanted: &Policies,
    trust: Trust,
) -> Result<Option<Audited<()>>> {
    let organisation = organisations::get(tx, by.organisation())?;
    let before = organisations::policies(tx, organisation.id)?;
    if before == *wanted && organisation.trust == trust {
        return Ok(None);
    }
    organisations::set_policies(tx, organisation.id, wanted)?;
    organisations::set_trust(tx, organisation.id, trust)?;
    sessions::distrust_all(tx, organisation.id)?;
    let roles = Role::ALL.into_iter();
    let mut changed: Vec<&str> = roles
        .filter(|role| wanted.of(*role) != before.of(*role))
        .map(Role::key)
        .collect();
    if organisation.trust != trust {
        changed.push("trust");
    }
    let mut event = Event::of(organisation.id, Action::PolicyChanged)
        .with("trust", trust.slug())
        .with("changed", changed);
    for role in Role::ALL {
        event = event.with(role.key(), in_words(wanted.of(role)));
    }
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// "off", "recommended", "required after 7 days".
fn in_words(policy: Policy) -> String {
    match policy.level {
        Level::Required => match policy.grace_days {
            0 => "required at once".to_owned(),
            1 => "required after 1 day".to_owned(),
            days => format!("required after {days} days"),
        },
        Level::Off | Level::Recommended => policy.level.slug().to_owned(),
    }
}

/// The operator switches a whole organisation off: every session ends, and nobody of it signs in.
pub fn disable(tx: &Tx<'_>, organisation: &Organisation) -> Result<Audited<usize>> {
    if !organisations::disable(tx, organisation.id)? {
        return Err(Error::Refused(format!(
            "{} is disabled already.",
            organisation.name
        )));
    }
    let ended = sessions::end_all_of(tx, organisation.id)?;
    let event = Event::of(organisation.id, Action::OrganisationDisabled).with("sessions", ended);
    audit::record(tx, &By::operator(), &event, ended)
}

/// The operator switches it on again.
pub fn enable(tx: &Tx<'_>, organisation: &Organisation) -> Result<Audited<()>> {
    if !organisations::enable(tx, organisation.id)? {
        return Err(Error::Refused(format!(
            "{} is not disabled.",
            organisation.name
        )));
    }
    let event = Event::of(organisation.id, Action::OrganisationEnabled);
    audit::record(tx, &By::operator(), &event, ())
}
