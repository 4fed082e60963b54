//! When people leave: what they hold, what ends with them, and who gets it; now, or at the end of a day that is set
//! before. Owns no table; it composes [`lifecycle`] and [`resources`] in one transaction.

pub mod pages;
pub mod views;

use crate::accounts::{self, Account, Deed, Departure, Obstacle, Status, guards};
use crate::audit::{self, Action, Audited, Event};
use crate::billing;
use crate::domain::day::{self, LastDay};
use crate::domain::id::AccountId;
use crate::domain::role::Permissions;
use crate::error::{Error, Result};
use crate::invitations::{self, Terms};
use crate::kit::db::{Read, Tx};
use crate::lifecycle::{self, Ends};
use crate::organisations::{self, Organisation};
use crate::resources;
use crate::scope::{Allowed, ManageAccounts, ManageResources, Right};
use crate::sessions::Lifetimes;

/// Who gets all that somebody holds, and the right to give it.
#[derive(Clone, Copy, Debug)]
pub struct Heir<'h> {
    /// The right of whoever hands it over.
    pub by: &'h Allowed<ManageResources>,
    /// Who gets it: an Active account.
    pub to: AccountId,
}

/// What is wished beside what always happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'w> {
    /// Who gets what the account holds; none: it stays under its name.
    pub heir: Option<Heir<'w>>,
    /// By which terms the invitations that would die are sent anew, in the name of whoever acts; none: they die.
    pub resend: Option<Terms>,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Left {
    /// The account, as it was.
    pub account: Account,
    /// How many resources were handed over.
    pub handed: usize,
    /// How many invitations were sent anew.
    pub resent: usize,
    /// How many could not be.
    pub kept_back: usize,
}

/// Switches an account off, with all that is wished, in this one transaction.
pub fn disable(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    wishes: &Wishes<'_>,
) -> Result<Audited<Left>> {
    let before = accounts::permitted(tx, by, id, Deed::Disable)?;
    let left = settle(tx, by, before, wishes)?;
    Ok(lifecycle::disable(tx, by, id)?.map(|_| left))
}

/// Deletes an account, with all that is wished, in this one transaction.
pub fn delete(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    wishes: &Wishes<'_>,
) -> Result<Audited<Left>> {
    let before = accounts::permitted(tx, by, id, Deed::Delete)?;
    let left = settle(tx, by, before, wishes)?;
    Ok(lifecycle::delete(tx, by, id)?.map(|_| left))
}

/// What is done before the account loses its rights: what it holds goes to the heir, and its invitations get a new giver.
fn settle(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    account: Account,
    wishes: &Wishes<'_>,
) -> Result<Left> {
    let handed = match wishes.heir {
        Some(heir) => {
            check_heir(tx, heir, account.id)?;
            let done = resources::hand_over_all(tx, heir.by, account.id, heir.to)?;
            done.map_or(0, Audited::into_inner)
        }
        None => 0,
    };
    let (resent, kept_back) = match wishes.resend {
        Some(terms) => resend(tx, by, &account, terms)?,
        None => (0, 0),
    };
    Ok(Left {
        account,
        handed,
        resent,
        kept_back,
    })
}

/// The field in which the heir is chosen.
pub const HEIR_FIELD: &str = "heir";

/// Only another Active account can be given something.
fn check_heir(read: &Read<'_>, heir: Heir<'_>, giver: AccountId) -> Result<()> {
    let wrong = || Error::invalid(HEIR_FIELD, "Choose another account, one that is Active.");
    if heir.to == giver {
        return Err(wrong());
    }
    match resources::receiver(read, heir.by, heir.to) {
        Ok(_) => Ok(()),
        Err(Error::Invalid { .. }) => Err(wrong()),
        Err(error) => Err(error),
    }
}

/// Sends anew what would die with the account, and answers how many were sent, and how many could not be: a cap is
/// reached, or the last link is less than a minute old.
fn resend(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    account: &Account,
    terms: Terms,
) -> Result<(usize, usize)> {
    let (mut resent, mut kept_back) = (0, 0);
    for one in lifecycle::orphaned(tx, account, None)? {
        match tx.attempt(|| invitations::resend(tx, by, one.id, terms)) {
            Ok(audited) => {
                audited.into_inner();
                resent += 1;
            }
            Err(Error::Refused(_) | Error::TooMany { .. } | Error::NotFound) => kept_back += 1,
            Err(error) => return Err(error),
        }
    }
    Ok((resent, kept_back))
}

/// Sets the last day of an Active account, in place of one that was set before: at its end the account is switched off, by
/// whatever guards hold then. What is wished for its invitations is done at once.
pub fn set_last_day(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    last: LastDay,
    wishes: &Wishes<'_>,
) -> Result<Audited<Left>> {
    let account = accounts::permitted(tx, by, id, Deed::Disable)?;
    if let Some(heir) = wishes.heir {
        check_heir(tx, heir, id)?;
    }
    let now = Wishes {
        heir: None,
        ..*wishes
    };
    let left = settle(tx, by, account, &now)?;
    let zone = organisations::get(tx, left.account.organisation)?.zone();
    let before = accounts::departure(tx, id)?.filter(|before| before.dropped.is_none());
    let departure = Departure {
        account: id,
        organisation: left.account.organisation,
        at: last.ends_at(),
        set_by: by.by().account(),
        heir: wishes.heir.map(|heir| heir.to),
        dropped: None,
    };
    accounts::set_departure(tx, &departure)?;
    let mut event = Event::of(departure.organisation, Action::DepartureSet)
        .on(id, left.account.address()?)
        .with("day", day::iso(departure.at, &zone))
        .with("at", departure.at.0);
    if let Some(before) = before {
        event = event.with("from", day::iso(before.at, &zone));
    }
    if let Some(heir) = departure.heir {
        event = event.with("heir", heir.to_string());
    }
    audit::record(tx, by.by(), &event, left)
}

/// No date is set any more: neither one that is to come, nor one that could not be kept.
pub fn cancel(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
) -> Result<Audited<Account>> {
    let account = accounts::permitted(tx, by, id, Deed::Keep)?;
    let Some(departure) = accounts::departure(tx, id)? else {
        return Err(Error::Refused(
            "No date is set on which this account is disabled: there is nothing to cancel."
                .to_owned(),
        ));
    };
    accounts::clear_departure(tx, id)?;
    let zone = organisations::get(tx, account.organisation)?.zone();
    let mut event = Event::of(account.organisation, Action::DepartureCancelled)
        .on(id, account.address()?)
        .with("day", day::iso(departure.at, &zone));
    if departure.dropped.is_some() {
        event = event.with("why", "dropped");
    }
    audit::record(tx, by.by(), &event, account)
}

/// Whose last day is over.
pub fn due(read: &Read<'_>, rows: i64) -> Result<Vec<AccountId>> {
    let due = accounts::departing(read, rows)?;
    Ok(due.into_iter().map(|one| one.account).collect())
}

/// How a last day ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The account is switched off.
    Disabled,
    /// It could not be.
    Dropped(Obstacle),
}

/// The last day of this account is over: it is switched off in the name of whoever set that, if they may do it now. What it
/// holds goes to the heir, if they can still get it. None when somebody was faster.
pub fn carry_out(tx: &Tx<'_>, id: AccountId) -> Result<Option<Audited<Outcome>>> {
    let Some(departure) = accounts::departure(tx, id)?.filter(|one| {
        let is_over = one.at <= tx.now();
        is_over && one.dropped.is_none()
    }) else {
        return Ok(None);
    };
    let account = accounts::find_in(tx, departure.organisation, id)?.ok_or(Error::NotFound)?;
    if account.status != Status::Active {
        // No verb leads there: whatever ends an Active account forgets its date.
        accounts::clear_departure(tx, id)?;
        return Ok(None);
    }
    let organisation = organisations::get(tx, departure.organisation)?;
    let by = match allowed(tx, &departure, &organisation, &account)? {
        Ok(by) => by,
        Err(obstacle) => return drop_it(tx, &account, &departure, obstacle).map(Some),
    };
    let mut facts = Vec::new();
    if let Some(to) = departure.heir {
        let in_name = Allowed::<ManageResources>::in_the_name_of(
            organisation.id,
            by.permissions(),
            by.managers(),
        );
        let heir = in_name.as_ref().map(|by| Heir { by, to });
        let handed = match heir {
            Ok(heir) if check_heir(tx, heir, id).is_ok() => {
                let done = resources::hand_over_all(tx, heir.by, id, to)?;
                done.map(Audited::into_inner);
                true
            }
            Ok(_) | Err(_) => false,
        };
        if !handed {
            // Whoever leaves is kept out all the same; what they hold stays under their name, and that is said.
            facts.push(("heir", "gone"));
        }
    }
    let audited = lifecycle::disable_by_date(tx, &by, &departure, &facts)?;
    Ok(Some(audited.map(|_| Outcome::Disabled)))
}

/// The right of whoever set the date, as it is today; or what stands in the way.
fn allowed(
    read: &Read<'_>,
    departure: &Departure,
    organisation: &Organisation,
    account: &Account,
) -> Result<std::result::Result<Allowed<ManageAccounts>, Obstacle>> {
    let permissions = match departure.set_by {
        None => Some(Permissions::all()),
        Some(giver) => accounts::find_in(read, organisation.id, giver)?
            .filter(|giver| giver.status == Status::Active)
            .map(|giver| giver.role.permissions(organisation.managers)),
    };
    let Some(permissions) = permissions else {
        return Ok(Err(Obstacle::Giver));
    };
    let Ok(by) = in_the_name(organisation, permissions) else {
        return Ok(Err(Obstacle::Giver));
    };
    let standing = accounts::standing(read, organisation.id, None, permissions)?;
    Ok(
        if guards::not_the_owner(&standing, account, Deed::Disable).is_err() {
            Err(Obstacle::Owner)
        } else if guards::rule(&standing, account.role).is_err() {
            Err(Obstacle::Giver)
        } else if guards::keeps_a_master(&standing, account, Deed::Disable).is_err() {
            Err(Obstacle::LastMaster)
        } else {
            Ok(by)
        },
    )
}

fn in_the_name<R: Right>(
    organisation: &Organisation,
    permissions: Permissions,
) -> Result<Allowed<R>> {
    Allowed::in_the_name_of(organisation.id, permissions, organisation.managers)
}

fn drop_it(
    tx: &Tx<'_>,
    account: &Account,
    departure: &Departure,
    obstacle: Obstacle,
) -> Result<Audited<Outcome>> {
    accounts::drop_departure(tx, account.id, obstacle)?;
    let event = Event::of(account.organisation, Action::DepartureDropped)
        .on(account.id, account.address()?)
        .with("why", obstacle.slug())
        .with("set_by", lifecycle::setter(departure))
        .with("at", departure.at.0);
    let by = crate::scope::By::system();
    audit::record(tx, &by, &event, Outcome::Dropped(obstacle))
}

/// What there is to know before somebody leaves.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// What ends with the account.
    pub ends: Ends,
    /// Who gets the invoices once this account, which gets them now, does not; none where it does not get them.
    pub invoices_to: Option<Account>,
    /// Whose last days this account set, which are not kept once it may not disable anybody.
    pub lets_leave: Vec<(Account, Departure)>,
    /// Its own last day, if one is set.
    pub departure: Option<Departure>,
}

/// All of it, as of this read.
pub fn inventory(read: &Read<'_>, account: &Account, lifetimes: Lifetimes) -> Result<Inventory> {
    let organisation = organisations::get(read, account.organisation)?;
    let contact = billing::contact(read, account.organisation)?;
    let invoices_to = if contact.id == account.id && account.id != organisation.owner {
        accounts::find(read, organisation.owner)?
    } else {
        None
    };
    let mut lets_leave = Vec::new();
    for one in accounts::departures_set_by(read, account.organisation, account.id)? {
        if let Some(whose) = accounts::find(read, one.account)? {
            lets_leave.push((whose, one));
        }
    }
    Ok(Inventory {
        ends: lifecycle::ends(read, account, None, lifetimes)?,
        invoices_to,
        lets_leave,
        departure: accounts::departure(read, account.id)?,
    })
}
