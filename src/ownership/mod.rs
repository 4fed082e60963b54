//! The ownership of an organisation: offered by its owner, accepted by another Active Master, in one transaction each.
//! Owns no table: the offer stands in the organisation's row.

pub mod mail;
pub mod pages;
pub mod views;

use crate::accounts::{self, Account, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::id::AccountId;
use crate::domain::role::Role;
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::time::Timestamp;
use crate::organisations::{self, Organisation};
use crate::outbox::{self, Errand};
use crate::passwords::Proof;
use crate::scope::{Allowed, ManageOrganisation};

/// The field that says to whom it is offered.
pub const TO_FIELD: &str = "to";

/// Offers the ownership to another Active Master, in place of an older offer; none when they have it already.
pub fn offer(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    proof: &Proof,
    to: AccountId,
) -> Result<Option<Audited<Account>>> {
    let (organisation, owner) = own(tx, by)?;
    proof.check(owner)?;
    // Another organisation's account is none, and told apart from one that cannot own by nothing.
    let heir = accounts::find_in(tx, organisation.id, to)?.ok_or_else(no_heir)?;
    check_heir(&organisation, &heir)?;
    if organisation.offer.is_some_and(|offer| offer.to == heir.id) {
        return Ok(None);
    }
    organisations::set_offer(tx, organisation.id, Some(heir.id))?;
    let email = heir.address()?;
    outbox::enqueue(tx, &heir.recipient()?, &Errand::OwnershipOffered, None)?;
    let event = Event::of(organisation.id, Action::OwnershipOffered).on(heir.id, email);
    Ok(Some(audit::record(tx, by.by(), &event, heir)?))
}

/// Whether whoever acts owns the organisation: asked before their password is.
pub fn check_owner(read: &Read<'_>, by: &Allowed<ManageOrganisation>) -> Result<()> {
    own(read, by).map(|_| ())
}

/// Whether the ownership is offered to whoever acts: asked before their password is.
pub fn check_offered(read: &Read<'_>, by: &Allowed<ManageOrganisation>) -> Result<()> {
    offered(read, by).map(|_| ())
}

/// Since when the owner owns it: since it was accepted, or since the organisation began.
pub fn owned_since(read: &Read<'_>, organisation: &Organisation) -> Result<Timestamp> {
    let moved = audit::last_on(
        read,
        organisation.id,
        organisation.owner,
        Action::OwnershipMoved,
    )?;
    Ok(moved.unwrap_or(organisation.created_at))
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
    let (old, new) = (before.address()?, heir.address()?);
    // An owner never leaves on a date.
    if accounts::clear_departure(tx, heir.id)? {
        let event = Event::of(organisation.id, Action::DepartureCancelled)
            .on(heir.id, &new)
            .with("why", "ownership");
        audit::record(tx, by.by(), &event, ())?.into_inner();
    }
    for account in [&before, &heir] {
        let errand = Errand::OwnershipMoved(heir.id);
        outbox::enqueue(tx, &account.recipient()?, &errand, None)?;
    }
    let event = Event::of(organisation.id, Action::OwnershipMoved)
        .on(heir.id, &new)
        .changed(old, &new);
    audit::record(tx, by.by(), &event, ())
}

/// The organisation, if whoever acts owns it.
fn own(read: &Read<'_>, by: &Allowed<ManageOrganisation>) -> Result<(Organisation, AccountId)> {
    let organisation = organisations::get(read, by.organisation())?;
    if by.by().account() != Some(organisation.owner) {
        return Err(Error::Refused(
            "Only the owner offers the ownership. Ask them to do it, under Settings.".to_owned(),
        ));
    }
    let owner = organisation.owner;
    Ok((organisation, owner))
}

/// The organisation, if its ownership is offered to whoever acts.
fn offered(read: &Read<'_>, by: &Allowed<ManageOrganisation>) -> Result<Organisation> {
    let organisation = organisations::get(read, by.organisation())?;
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
            TO_FIELD,
            "This account owns the organisation already.",
        ));
    }
    if heir.status != Status::Active || heir.role != Role::Master {
        return Err(no_heir());
    }
    Ok(())
}

fn no_heir() -> Error {
    Error::invalid(
        TO_FIELD,
        "Only an Active Master can own the organisation. Choose another, or make them a Master first.",
    )
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
    let event = Event::of(organisation.id, action).on(heir.id, heir.address()?);
    audit::record(tx, by.by(), &event, ())
}
