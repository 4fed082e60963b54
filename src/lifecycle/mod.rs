//! Give, take, switch off: what is done to an account after its invitation. Owns no table; each verb composes what the
//! capabilities below own, in one transaction, after asking [`accounts::guards`].
//!
//! A loss ends every session of the account in the same transaction; a gain waits for the next sign-in.

pub mod mail;
pub mod pages;
pub mod views;

use crate::accounts::{self, Account, Deed, Departure, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::id::AccountId;
use crate::domain::role::{Managers, Role};
use crate::error::{Error, Result};
use crate::invitations::{self, Terms};
use crate::kit::db::{Read, Tx};
use crate::organisations;
use crate::outbox::{self, Errand};
use crate::passwords::{self, Handover, Issued};
use crate::profile;
use crate::scope::{Allowed, AssignRoles, By, ManageAccounts, Right};
use crate::sessions;
use crate::two_factor;

/// What a change of role means for whoever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is lost: it waits for the next sign-in.
    Gain,
    /// Something is lost: every session ends now.
    Loss,
}

/// What going from one role to another means.
#[must_use]
pub fn effect(from: Role, to: Role, managers: Managers) -> Effect {
    if to.permissions(managers).include(from.permissions(managers)) {
        Effect::Gain
    } else {
        Effect::Loss
    }
}

/// Gives an account another role; answers with how it was before.
pub fn change_role(
    tx: &Tx<'_>,
    by: &Allowed<AssignRoles>,
    id: AccountId,
    role: Role,
) -> Result<Audited<Account>> {
    let account = accounts::permitted(tx, by, id, Deed::ChangeRole(role))?;
    if account.role == role {
        return Err(Error::invalid(
            "role",
            format!("{} has the permission {role} already.", account.label()),
        ));
    }
    let email = account.address()?;
    let managers = organisations::get(tx, account.organisation)?.managers;
    accounts::set_role(tx, id, role)?;
    if effect(account.role, role, managers) == Effect::Loss {
        accounts::raise_epoch(tx, id)?;
        withdraw_offer(tx, &account)?;
    }
    match account.status {
        Status::Pending => invitations::given_anew(tx, by.by(), id)?,
        Status::Active => {
            let to = account.recipient()?;
            let errand = Errand::RoleChanged {
                from: account.role,
                to: role,
            };
            outbox::enqueue(tx, &to, &errand, None)?;
        }
        Status::Disabled { .. } | Status::Deleted { .. } => {}
    }
    let event = Event::of(account.organisation, Action::RoleChanged)
        .on(id, email)
        .with("from", account.role.key())
        .with("role", role.key());
    audit::record(tx, by.by(), &event, account)
}

/// Switches an Active account off: every session ends, links that would set a password are dead, all else is kept.
pub fn disable(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
) -> Result<Audited<Account>> {
    let account = switch_off(tx, by, id)?;
    record(tx, by, Action::AccountDisabled, account)
}

/// The same on the date that was set for it, in the name of whoever set it; `facts` say how that went.
pub fn disable_by_date(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    departure: &Departure,
    facts: &[(&str, &str)],
) -> Result<Audited<Account>> {
    let account = switch_off(tx, by, departure.account)?;
    let mut event = Event::of(account.organisation, Action::AccountDisabled)
        .on(account.id, account.address()?)
        .with("why", "date")
        .with("set_by", setter(departure));
    for (name, fact) in facts {
        event = event.with(name, *fact);
    }
    audit::record(tx, by.by(), &event, account)
}

/// Who set the date, as a fact of a record.
#[must_use]
pub fn setter(departure: &Departure) -> String {
    let account = departure.set_by.map(|id| id.to_string());
    account.unwrap_or_else(|| "operator".to_owned())
}

fn switch_off(tx: &Tx<'_>, by: &Allowed<ManageAccounts>, id: AccountId) -> Result<Account> {
    let account = accounts::permitted(tx, by, id, Deed::Disable)?;
    accounts::disable(tx, id)?;
    passwords::withdraw_links(tx, id)?;
    profile::withdraw_email_change(tx, id)?;
    withdraw_offer(tx, &account)?;
    Ok(account)
}

/// Switches it on again, as it was; what was ended stays ended.
pub fn enable(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
) -> Result<Audited<Account>> {
    let account = accounts::permitted(tx, by, id, Deed::Enable)?;
    accounts::enable(tx, id)?;
    record(tx, by, Action::AccountEnabled, account)
}

/// Ends every session of an account.
pub fn sign_out(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
) -> Result<Audited<Account>> {
    let account = accounts::permitted(tx, by, id, Deed::SignOut)?;
    accounts::raise_epoch(tx, id)?;
    sessions::distrust(tx, id)?;
    record(tx, by, Action::SessionsEnded, account)
}

/// Takes the password away, ends every session, and hands out a link that sets another.
pub fn reset_password(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    handover: Handover,
) -> Result<Audited<(Account, Issued)>> {
    let account = accounts::permitted(tx, by, id, Deed::ResetPassword)?;
    profile::withdraw_email_change(tx, id)?;
    // Whoever holds the link could accept in the heir's place.
    withdraw_offer(tx, &account)?;
    let audited = passwords::take_away(tx, by.by(), &account, handover)?;
    Ok(audited.map(|issued| (account, issued)))
}

/// Takes the second factor away and ends every session: sign-in asks for the password alone, until its person sets up
/// another. Its grace begins anew.
pub fn reset_two_factor(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
) -> Result<Audited<Account>> {
    let account = accounts::permitted(tx, by, id, Deed::ResetTwoFactor)?;
    accounts::raise_epoch(tx, id)?;
    sessions::drop_challenges(tx, id)?;
    sessions::distrust(tx, id)?;
    withdraw_offer(tx, &account)?;
    let audited = two_factor::reset(tx, by.by(), &account)?;
    Ok(audited.map(|()| account))
}

/// Deletes an account: credentials, address, telephone, sessions and links are gone, its address is free again, and a
/// tombstone keeps the name for what it made.
pub fn delete(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
) -> Result<Audited<Account>> {
    let account = accounts::permitted(tx, by, id, Deed::Delete)?;
    let audited = remove(tx, by.by(), &account, "by_hand")?;
    Ok(audited.map(|()| account))
}

/// One Pending account whose link died more than 30 days ago is deleted, so that an address can't be squatted on;
/// never an organisation's owner. Answers with none when there is no more.
pub fn release_one(tx: &Tx<'_>, terms: Terms) -> Result<Option<Audited<()>>> {
    let Some(id) = invitations::next_squatter(tx, terms)? else {
        return Ok(None);
    };
    let account = accounts::find(tx, id)?.ok_or(Error::NotFound)?;
    let audited = remove(tx, &By::system(), &account, "never_activated")?;
    Ok(Some(audited))
}

fn remove(tx: &Tx<'_>, by: &By, account: &Account, why: &str) -> Result<Audited<()>> {
    let email = account.address()?;
    invitations::forget(tx, account.id)?;
    passwords::forget(tx, account.id)?;
    profile::forget(tx, account.id)?;
    two_factor::forget(tx, account.id)?;
    sessions::forget(tx, account.id)?;
    outbox::forget_account(tx, account.id)?;
    withdraw_offer(tx, account)?;
    accounts::bury(tx, account.id)?;
    let event = Event::of(account.organisation, Action::AccountDeleted)
        .on(account.id, email)
        .with("status", account.status.slug())
        .with("role", account.role.key())
        .with("why", why);
    audit::record(tx, by, &event, ())
}

/// Whoever lost something is not offered the ownership any more.
fn withdraw_offer(tx: &Tx<'_>, account: &Account) -> Result<()> {
    let organisation = organisations::get(tx, account.organisation)?;
    if organisation
        .offer
        .is_some_and(|offer| offer.to == account.id)
    {
        organisations::set_offer(tx, organisation.id, None)?;
    }
    Ok(())
}

fn record<R: Right>(
    tx: &Tx<'_>,
    by: &Allowed<R>,
    action: Action,
    account: Account,
) -> Result<Audited<Account>> {
    let event = Event::of(account.organisation, action).on(account.id, account.address()?);
    audit::record(tx, by.by(), &event, account)
}

/// What ends with an account, or with its right to invite: what the pages say before anything is done.
#[derive(Clone, Debug)]
pub struct Ends {
    /// Its live sessions.
    pub sessions: Vec<sessions::Live>,
    /// Whom it invited and who has not come yet: these links are refused once it may no longer give their roles.
    pub invited: Vec<Account>,
    /// Whether the ownership is offered to it.
    pub is_offered_ownership: bool,
}

/// What ends if the account may do no more than `role` from here on; with none, nothing at all. Links that would be
/// refused today are not among it.
pub fn ends(
    read: &Read<'_>,
    account: &Account,
    role: Option<Role>,
    lifetimes: sessions::Lifetimes,
) -> Result<Ends> {
    let organisation = organisations::get(read, account.organisation)?;
    Ok(Ends {
        sessions: sessions::live(read, account.id, lifetimes)?,
        invited: orphaned(read, account, role)?,
        is_offered_ownership: organisation
            .offer
            .is_some_and(|offer| offer.to == account.id),
    })
}

/// Whose links would be refused if the account might do no more than `role` from here on; with none, nothing at all.
pub fn orphaned(read: &Read<'_>, account: &Account, role: Option<Role>) -> Result<Vec<Account>> {
    let managers = organisations::get(read, account.organisation)?.managers;
    let after = role.map(|role| Account {
        role,
        ..account.clone()
    });
    let mut invited = invitations::open_of(read, account.id)?;
    invited.retain(|one| {
        let may_give = |giver: &Account| invitations::may_still_give(giver, one.role, managers);
        may_give(account) && !after.as_ref().is_some_and(may_give)
    });
    Ok(invited)
}

/// Whose links work again once this account is Active: they were refused while it was not.
pub fn revived(read: &Read<'_>, account: &Account) -> Result<Vec<Account>> {
    let managers = organisations::get(read, account.organisation)?.managers;
    let after = Account {
        status: Status::Active,
        ..account.clone()
    };
    let mut invited = invitations::open_of(read, account.id)?;
    invited.retain(|one| invitations::may_still_give(&after, one.role, managers));
    Ok(invited)
}
