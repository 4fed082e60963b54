//! Erasing the personal data that is left of somebody whose account is deleted: their name, every address, telephone number
//! and network address of theirs. What was done stays in the log, and invoices that were issued stay as they are. Owns no
//! table; composes what the capabilities below own.

pub mod pages;
pub mod views;

use crate::accounts::{self, Account, Status};
use crate::audit::{self, Audited, Erased, Names, Person};
use crate::domain::id::AccountId;
use crate::error::{Error, Result};
use crate::imports;
use crate::kit::db::{Read, Tx};
use crate::outbox;
use crate::scope::{Allowed, ManageOrganisation};

/// Whether something of a deleted account is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Its name or addresses may stand somewhere.
    Something,
    /// All was erased.
    Nothing,
}

/// What is left of a deleted account.
pub fn left(read: &Read<'_>, account: &Account) -> Result<Left> {
    let is_erased = audit::is_erased(read, account.organisation, account.id)?;
    Ok(if is_erased {
        Left::Nothing
    } else {
        Left::Something
    })
}

/// The account, if its personal data can be erased, as of this read. Another organisation's is none.
pub fn erasable(
    read: &Read<'_>,
    by: &Allowed<ManageOrganisation>,
    id: AccountId,
) -> Result<Account> {
    let account = accounts::find_in(read, by.organisation(), id)?.ok_or(Error::NotFound)?;
    if !matches!(account.status, Status::Deleted { .. }) {
        return Err(Error::Refused(
            "This account is not deleted. Delete it first: its personal data can be erased after that.".to_owned(),
        ));
    }
    match left(read, &account)? {
        Left::Something => Ok(account),
        Left::Nothing => Err(Error::Refused(
            "The personal data of this account is erased already.".to_owned(),
        )),
    }
}

/// Erases the next of it: first in the audit log, some thousand texts at a time, and with the last of them everything else.
/// Whoever has so many calls it until there are no more; one that was interrupted goes on where it was.
pub fn erase(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    id: AccountId,
) -> Result<Audited<Erased>> {
    let account = erasable(tx, by, id)?;
    let person = Person {
        organisation: account.organisation,
        account: id,
    };
    let mut names = Names::known(tx, person)?;
    if let Some(name) = &account.name {
        names.add(name.as_str());
    }
    audit::erase(tx, by.by(), person, &names)?.try_map(|erased| {
        if !erased.is_more {
            accounts::forget_name(tx, id)?;
            outbox::erase(tx, account.organisation, id, &names)?;
            imports::erase(tx, account.organisation, id, &names)?;
        }
        Ok(erased)
    })
}
