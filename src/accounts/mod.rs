//! Accounts: one person each. Owns `accounts` and, by triggers, `account_counts`.
//!
//! Passwords, sessions and invitations live higher up; what must end with an account ends by its `epoch`, or is
//! ended by the capability that composes the deed.

pub mod pages;
mod sql;
pub mod views;

use crate::domain::email::Email;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::role::{self, Role};
use crate::domain::text::{PersonName, Phone};
use crate::error::{Error, Result};
use crate::kit::db::{self, Read, Tx};
use crate::kit::time::Timestamp;
use crate::scope::{Allowed, Right};

pub use sql::{
    Account, Counts, Filter, Line, MailState, Sort, Status, by_email, counts, counts_with, find,
    find_in, line, list, masters_active, matching,
};

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
    if sql::activate(tx, id, name, phone)? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// For the demonstration alone: the account is Disabled from here on, and its sessions are over. This is only the row
/// that such an account has; whoever composes the deed looks after its guards and its record.
pub fn seed_disabled(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    if sql::seed_disabled(tx, id)? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Leaves the tombstone: address and phone are gone, the name stays.
pub fn bury(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    if sql::bury(tx, id)? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

/// Removes a row that nothing refers to: only for an organisation that never began.
pub fn remove_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
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

/// Ends every session of the account: they carry an older epoch from here on.
pub fn raise_epoch(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    Ok(sql::raise_epoch(tx, id)?)
}

/// The account was used just now.
pub fn saw(tx: &Tx<'_>, id: AccountId, at: Timestamp) -> Result<()> {
    Ok(sql::saw(tx, id, at)?)
}

/// The account, if whoever acts may act on it: theirs must be in the same organisation, and their own permissions
/// must include all of its role's. Nobody acts on themselves by these ways.
pub fn actionable<R: Right>(read: &Read<'_>, by: &Allowed<R>, id: AccountId) -> Result<Account> {
    let account = sql::find_in(read, by.organisation(), id)?.ok_or(Error::NotFound)?;
    if matches!(account.status, Status::Deleted { .. }) {
        return Err(Error::NotFound);
    }
    if by.by().account() == Some(id) {
        return Err(Error::Refused(
            "This is your own account. Ask another Master or Admin.".to_owned(),
        ));
    }
    if !role::may_act_on(by.permissions(), account.role) {
        return Err(Error::Refused(format!(
            "Only a {} can do this to a {}.",
            account.role, account.role
        )));
    }
    Ok(account)
}

/// Whether whoever acts may give this role.
pub fn may_give<R: Right>(by: &Allowed<R>, role: Role) -> Result<()> {
    if role::may_act_on(by.permissions(), role) {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "Only a {role} can give the permission {role}."
    )))
}

fn taken(error: db::Error) -> Error {
    match error {
        db::Error::Taken(column) if column == "accounts.email" => {
            Error::invalid(EMAIL_FIELD, EMAIL_TAKEN)
        }
        other => other.into(),
    }
}
