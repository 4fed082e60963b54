//! The ownership of an organisation: offered by its owner, accepted by another Active Master, in one transaction each.
//! Owns no table: the offer stands in the organisation's row.

pub mod mail;
pub mod pages;
pub mod views;

use crate::accounts::{self, Account, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::role::Role;
use crate::error::{Error, Result};
use crate::kit::db::Tx;
use crate::organisations::{self, Organisation};
use crate::outbox::{self, Errand, Recipient};
use crate::passwords::Proof;
use crate::scope::{Allowed, ManageOrganisation};

/// Offers the ownership to another Active Master, in place of an older offer.
pub fn offer(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    proof: &Proof,
    to: AccountId,
) -> Result<Audited<Account>> {
    let (organisation, owner) = own(tx, by)?;
    proof.check(owner)?;
    let heir = accounts::find_in(tx, organisation.id, to)?.ok_or(Error::NotFound)?;
    check_heir(&organisation, &heir)?;
    organisations::set_offer(tx, organisation.id, Some(heir.id))?;
    let email = address(&heir)?;
    outbox::enqueue(
        tx,
        &recipient(&heir, &email),
        &Errand::OwnershipOffered,
        None,
    )?;
    let event = Event::of(organisation.id, Action::OwnershipOffered).on(heir.id, email);
    audit::record(tx, by.by(), &event, heir)
}

/// The owner takes the offer back.
pub fn withdraw(tx: &Tx<'_>, by: &Allowed<ManageOrganisation>) -> Result<Audited<()>> {
    let (organisation, _) = own(tx, by)?;
    end(tx, by, &organisation, Action::OwnershipWithdrawn)
}

/// Whoever it is offered to does not want it.
pub fn decline(tx: &Tx<'_>, by: &Allowed<ManageOrganisation>) -> Result<Audited<()>> {
    let organisation = offered(tx, by)?;
    end(tx, by, &organisation, Action::OwnershipDeclined)
}

/// Whoever it is offered to takes it: they own the organisation from here on, and who owned it is a Master like any
/// other.
pub fn accept(tx: &Tx<'_>, by: &Allowed<ManageOrganisation>, proof: &Proof) -> Result<Audited<()>> {
    let organisation = offered(tx, by)?;
    let heir = by
        .by()
        .account()
        .map(|id| accounts::find_in(tx, organisation.id, id))
        .transpose()?
        .flatten()
        .ok_or(Error::NotFound)?;
    proof.check(heir.id)?;
    check_heir(&organisation, &heir)?;
    let before = accounts::find(tx, organisation.owner)?.ok_or(Error::NotFound)?;
    if !organisations::set_owner(tx, organisation.id, before.id, heir.id)? {
        return Err(gone());
    }
    let (old, new) = (address(&before)?, address(&heir)?);
    for (account, email) in [(&before, &old), (&heir, &new)] {
        let errand = Errand::OwnershipMoved(heir.id);
        outbox::enqueue(tx, &recipient(account, email), &errand, None)?;
    }
    let event = Event::of(organisation.id, Action::OwnershipMoved)
        .on(heir.id, &new)
        .changed(old, &new);
    audit::record(tx, by.by(), &event, ())
}

/// The organisation, if whoever acts owns it.
fn own(tx: &Tx<'_>, by: &Allowed<ManageOrganisation>) -> Result<(Organisation, AccountId)> {
    let organisation = organisations::get(tx, by.organisation())?;
    if by.by().account() != Some(organisation.owner) {
        return Err(Error::Refused(
            "Only the owner offers the ownership. Ask them to do it, under Settings.".to_owned(),
        ));
    }
    let owner = organisation.owner;
    Ok((organisation, owner))
}

/// The organisation, if its ownership is offered to whoever acts.
fn offered(tx: &Tx<'_>, by: &Allowed<ManageOrganisation>) -> Result<Organisation> {
    let organisation = organisations::get(tx, by.organisation())?;
    match (organisation.offer, by.by().account()) {
        (Some(offer), Some(account)) if offer.to == account => Ok(organisation),
        _ => Err(gone()),
    }
}

fn gone() -> Error {
    Error::Refused(
        "The ownership is not offered to you any more. Ask the owner, if you still want it."
            .to_owned(),
    )
}

/// Only another Active Master can own an organisation.
fn check_heir(organisation: &Organisation, heir: &Account) -> Result<()> {
    if heir.id == organisation.owner {
        return Err(Error::invalid(
            "to",
            "This account owns the organisation already.",
        ));
    }
    if heir.status != Status::Active || heir.role != Role::Master {
        return Err(Error::invalid(
            "to",
            "Only an Active Master can own the organisation. Make them a Master first.",
        ));
    }
    Ok(())
}

fn end(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    organisation: &Organisation,
    action: Action,
) -> Result<Audited<()>> {
    let Some(offer) = organisation.offer else {
        return Err(Error::Refused(
            "The ownership is offered to nobody: there is nothing to take back.".to_owned(),
        ));
    };
    organisations::set_offer(tx, organisation.id, None)?;
    let heir = accounts::find(tx, offer.to)?.ok_or(Error::NotFound)?;
    let event = Event::of(organisation.id, action).on(heir.id, address(&heir)?);
    audit::record(tx, by.by(), &event, ())
}

fn recipient(account: &Account, email: &Email) -> Recipient {
    Recipient {
        organisation: account.organisation,
        account: account.id,
        email: email.clone(),
    }
}

fn address(account: &Account) -> Result<Email> {
    account.email.clone().ok_or(Error::NotFound)
}
