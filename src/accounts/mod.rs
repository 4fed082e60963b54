//! Accounts: one person each. Owns `accounts`, `departures` and, by triggers, `account_counts`.
//!
//! Passwords, sessions and invitations live higher up; what must end with an account ends by its `epoch`, or is
//! ended by the capability that composes the deed.

pub mod guards;
pub mod pages;
mod sql;
pub mod views;

use crate::audit::{self, Hand};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::role::{Permission, Permissions, Role};
use crate::domain::text::{PersonName, Phone};
use crate::error::{Error, Result};
use crate::kit::db::{self, Read, Tx};
use crate::kit::time::Timestamp;
use crate::organisations;
use crate::outbox::Recipient;
use crate::scope::{Allowed, Right, Scope};

pub use guards::{Deed, Standing};

pub use sql::{
    Account, Counts, DELETED, Departure, Filter, Leaves, Line, MailState, Obstacle, Sort, Status,
    active, by_email, counts, counts_of_all, counts_with, deleted_count, departing, departure,
    departures_dropped, departures_set_by, few, find, find_in, line, list, masters_active,
    masters_beside, matching, named, outside, protection,
};

impl Account {
    /// Its address, which it has until it is deleted.
    pub fn address(&self) -> Result<Email> {
        self.email.clone().ok_or(Error::NotFound)
    }

    /// Where its mail goes.
    pub fn recipient(&self) -> Result<Recipient> {
        Ok(Recipient {
            organisation: self.organisation,
            account: self.id,
            email: self.address()?,
        })
    }
}

/// In use anywhere: the same sentence whoever has it.
pub const EMAIL_TAKEN: &str = "This email already belongs to an account. Each email can be registered once across the whole system.";

/// The field that an address is typed into, on every form.
pub const EMAIL_FIELD: &str = "email";

/// What a new account is made of.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The address.
    pub email: Email,
    /// The role.
    pub role: Role,
    /// Who creates it; none: the operator, or the set-up.
    pub created_by: Option<AccountId>,
    /// What is known of its person already; they may change it.
    pub known: Known,
}

/// What whoever invites may know of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Their name.
    pub name: Option<PersonName>,
    /// Their telephone.
    pub phone: Option<Phone>,
}

/// Writes a Pending account. A taken address is the person's to mend.
pub fn create(tx: &Tx<'_>, new: &NewAccount) -> Result<AccountId> {
    let id = AccountId::new(tx)?;
    create_as(tx, id, new)?;
    Ok(id)
}

/// The same under an id that was drawn before: an organisation's row names its owner.
pub fn create_as(tx: &Tx<'_>, id: AccountId, new: &NewAccount) -> Result<()> {
    sql::insert(tx, id, new).map_err(taken)
}

/// Pending becomes Active: its person has a name now.
pub fn activate(
    tx: &Tx<'_>,
    id: AccountId,
    name: &PersonName,
    phone: Option<&Phone>,
) -> Result<()> {
    done(sql::activate(tx, id, name, phone))
}

/// Active becomes Disabled, and every session is over. It left: no date is set for that any more.
pub fn disable(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    sql::clear_departure(tx, id)?;
    done(sql::disable(tx, id))
}

/// Disabled becomes Active again; what was over stays over.
pub fn enable(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    done(sql::enable(tx, id))
}

/// Another role. Whoever composes the deed ends the sessions that lose by it.
pub fn set_role(tx: &Tx<'_>, id: AccountId, role: Role) -> Result<()> {
    done(sql::set_role(tx, id, role))
}

/// An Active account has a second factor from here on.
pub fn gain_factor(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    done(sql::gain_factor(tx, id))
}

/// It has none from here on.
pub fn lose_factor(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    done(sql::lose_factor(tx, id))
}

/// Another took its second factor away: its grace begins anew.
pub fn factor_was_reset(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    Ok(sql::factor_was_reset(tx, id)?)
}

/// Its person is reminded of this end of grace; false when they were before.
pub fn reminded(tx: &Tx<'_>, id: AccountId, of: Timestamp) -> Result<bool> {
    Ok(sql::reminded(tx, id, of)?)
}

/// No account of the install has a second factor any more.
pub fn void_two_factor(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::void_two_factor(tx)?)
}

/// What people may change of their own account without being asked for the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Their name.
    pub name: PersonName,
    /// Their telephone, if they give it.
    pub phone: Option<Phone>,
}

/// Another name and telephone for an Active account.
pub fn set_profile(tx: &Tx<'_>, id: AccountId, profile: &Profile) -> Result<()> {
    done(sql::set_profile(tx, id, profile))
}

/// How an account's pages behave for its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// The zone in which they read times; none: the organisation's.
    pub time_zone: Option<String>,
    /// Whether single keys do something.
    pub has_shortcuts: bool,
}

/// What this account's person prefers.
pub fn preferences(read: &Read<'_>, id: AccountId) -> Result<Preferences> {
    sql::preferences(read, id)?.ok_or(Error::NotFound)
}

/// Keeps what they prefer.
pub fn set_preferences(tx: &Tx<'_>, id: AccountId, preferences: &Preferences) -> Result<()> {
    done(sql::set_preferences(tx, id, preferences))
}

/// Another address for an Active account; a taken one is the person's to mend.
pub fn set_email(tx: &Tx<'_>, id: AccountId, email: &Email) -> Result<()> {
    let changed = sql::set_email(tx, id, email).map_err(taken)?;
    done(Ok(changed))
}

/// The row was there to be changed.
fn done(changed: db::Result<bool>) -> Result<()> {
    if changed? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// The account is to be disabled at that instant; an earlier date is forgotten.
pub fn set_departure(tx: &Tx<'_>, departure: &Departure) -> Result<()> {
    Ok(sql::set_departure(tx, departure)?)
}

/// Its time had come, and it could not be disabled: the row stays, and says why.
pub fn drop_departure(tx: &Tx<'_>, id: AccountId, why: Obstacle) -> Result<bool> {
    Ok(sql::drop_departure(tx, id, why)?)
}

/// It is not to leave any more; false when it was not to.
pub fn clear_departure(tx: &Tx<'_>, id: AccountId) -> Result<bool> {
    Ok(sql::clear_departure(tx, id)?)
}

/// Leaves the tombstone: address and phone are gone, the name stays.
pub fn bury(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    sql::clear_departure(tx, id)?;
    done(sql::bury(tx, id))
}

/// What the tombstone said is gone, too: what the account made was made by an erased one.
pub fn forget_name(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    done(sql::forget_name(tx, id))
}

/// Removes a row that nothing refers to: only for an organisation that never began.
pub fn remove_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    sql::remove_departures(tx, organisation)?;
    Ok(sql::remove_all(tx, organisation)?)
}

/// Another address for a Pending owner.
pub fn readdress(tx: &Tx<'_>, id: AccountId, email: &Email) -> Result<()> {
    if sql::readdress(tx, id, email).map_err(taken)? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Ends every session of all Active accounts of this role in the organisation.
pub fn raise_epochs(tx: &Tx<'_>, organisation: OrganisationId, role: Role) -> Result<()> {
    Ok(sql::raise_epochs(tx, organisation, role)?)
}

/// Ends every session of the account: they carry an older epoch from here on.
pub fn raise_epoch(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    Ok(sql::raise_epoch(tx, id)?)
}

/// The account was used just now.
pub fn saw(tx: &Tx<'_>, id: AccountId, at: Timestamp) -> Result<()> {
    Ok(sql::saw(tx, id, at)?)
}

/// The account, if whoever acts may do this to it, as of this read. Another organisation's, and a deleted one, is none.
pub fn permitted<R: Right>(
    read: &Read<'_>,
    by: &Allowed<R>,
    id: AccountId,
    deed: Deed,
) -> Result<Account> {
    let account = sql::find_in(read, by.organisation(), id)?
        .filter(|account| !matches!(account.status, Status::Deleted { .. }))
        .ok_or(Error::NotFound)?;
    let standing = standing(read, by.organisation(), by.by().account(), by.permissions())?;
    guards::judge(&standing, &account, deed).map_err(Error::Refused)?;
    Ok(account)
}

/// How things stand in the organisation for whoever acts.
pub fn standing(
    read: &Read<'_>,
    organisation: OrganisationId,
    actor: Option<AccountId>,
    permissions: Permissions,
) -> Result<Standing> {
    let organisation = organisations::get(read, organisation)?;
    let owner = sql::find(read, organisation.owner)?.ok_or(Error::NotFound)?;
    Ok(Standing {
        actor,
        permissions,
        managers: organisation.managers,
        owner: owner.id,
        is_owner_active: owner.status == Status::Active,
        masters: sql::count(read, organisation.id, "active", Role::Master)?,
    })
}

/// Whether whoever acts may give this role.
pub fn may_give<R: Right>(by: &Allowed<R>, role: Role) -> Result<()> {
    guards::given_role(by.permissions(), by.managers(), role).map_err(Error::Refused)
}

fn taken(error: db::Error) -> Error {
    match error {
        db::Error::Taken(column) if column == "accounts.email" => {
            Error::invalid(EMAIL_FIELD, EMAIL_TAKEN)
        }
        other => other.into(),
    }
}

/// What somebody did and what was done to them. Whoever may not see the accounts of others is told their names, and not
/// their addresses.
pub fn own_deeds(read: &Read<'_>, scope: &Scope, at_most: i64) -> Result<Vec<audit::Deed>> {
    let mut deeds = audit::own(read, scope.organisation, scope.account, at_most)?;
    if scope.permissions.has(Permission::UsersList) {
        return Ok(deeds);
    }
    for deed in &mut deeds {
        let Hand::Other(words) = &mut deed.hand else {
            continue;
        };
        *words = name_of(read, scope.organisation, words)?.unwrap_or_default();
    }
    Ok(deeds)
}

/// What was done in the organisation last. Whoever still has the address of then is called by name.
pub fn newest_deeds(read: &Read<'_>, scope: &Scope, at_most: i64) -> Result<Vec<audit::Deed>> {
    let mut deeds = audit::newest(read, scope.organisation, scope.account, at_most)?;
    for deed in &mut deeds {
        if let Hand::Other(words) = &mut deed.hand
            && let Some(name) = name_of(read, scope.organisation, words)?
        {
            *words = name;
        }
    }
    Ok(deeds)
}

/// The name of whoever of the organisation has this address now.
fn name_of(read: &Read<'_>, organisation: OrganisationId, address: &str) -> Result<Option<String>> {
    let Ok(email) = address.parse::<Email>() else {
        return Ok(None);
    };
    let other = by_email(read, &email)?.filter(|other| other.organisation == organisation);
    Ok(other
        .and_then(|other| other.name)
        .map(|name| name.to_string()))
}
