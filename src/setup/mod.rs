//! The first run, and organisations before they begin: founding, their owner's invitation, removal. And the install
//! itself, when another key takes over. Owns `setup_links`.
//!
//! The set-up link is printed on the terminal and kept in a file of mode 0600; the database holds its hash. Once any
//! organisation exists there is no set-up any more.

pub mod pages;
mod sql;
pub mod views;

use crate::accounts::{self, Account, NewAccount, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::domains::Domains;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::policy::Trust;
use crate::domain::role::{Managers, Role};
use crate::domain::text::{OrganisationName, PersonName};
use crate::domain::token::Token;
use crate::error::{Error, Result};
use crate::invitations::{self, Link, Terms};
use crate::kit::db::{Read, Tx};
use crate::kit::keys::Keys;
use crate::kit::time::MINUTE;
use crate::organisations::{self, Organisation};
use crate::outbox;
use crate::passwords::{self, PasswordHash};
use crate::profile;
use crate::scope::By;
use crate::sessions;
use crate::two_factor;

/// How long a set-up link lives.
pub const LINK_TTL: i64 = 30 * MINUTE;
/// The file in the data folder that holds the link until it is used.
pub const LINK_FILE: &str = "setup-link";

/// Makes a new set-up link; the one before is dead. Refused once any organisation exists.
pub fn make_link(tx: &Tx<'_>, by: &By) -> Result<Audited<Token>> {
    if organisations::any_exists(tx)? {
        return Err(Error::Refused(
            "The Portal is set up. Sign in, or use `doorward org create`.".to_owned(),
        ));
    }
    let token = Token::fresh(tx)?;
    sql::put(tx, &token.hash(), tx.now().plus(LINK_TTL))?;
    audit::record(tx, by, &Event::of_system(Action::SetupLinkMade), token)
}

/// Whether the token opens the set-up, as of this read.
pub fn is_open(read: &Read<'_>, token: &Token) -> Result<bool> {
    Ok(!organisations::any_exists(read)? && sql::is_live(read, &token.hash())?)
}

/// Whether the file belongs to these keys: another process may have put another file in its place, or taken it over.
pub fn is_under(read: &Read<'_>, keys: &Keys) -> Result<bool> {
    Ok(sql::is_key(read, &keys.identity())?)
}

/// What the set-up form asks for.
#[derive(Clone, Debug)]
pub struct Founding {
    /// The organisation's name.
    pub organisation: OrganisationName,
    /// Its time zone, checked.
    pub time_zone: String,
    /// The owner's name.
    pub name: PersonName,
    /// The owner's address.
    pub email: Email,
    /// The hash of the owner's password.
    pub hash: PasswordHash,
}

/// Founds the first organisation, with an Active owner. Of two tabs that arrive together, one wins.
pub fn found(tx: &Tx<'_>, by: &By, token: &Token, founding: &Founding) -> Result<Audited<Email>> {
    if !is_open(tx, token)? {
        return Err(Error::NotFound);
    }
    let (organisation, owner) = begin(
        tx,
        &founding.organisation,
        &founding.time_zone,
        &founding.email,
    )?;
    accounts::activate(tx, owner, &founding.name, None)?;
    passwords::set(tx, organisation, owner, &founding.hash)?;
    sql::drop_all(tx)?;
    let by = by.account_of(owner, founding.email.clone());
    let event = Event::of(organisation, Action::OrganisationCreated).on(owner, &founding.email);
    audit::record(tx, &by, &event, founding.email.clone())
}

/// Founds an organisation from the command line: its owner is Pending and gets the invitation.
pub fn found_by_invitation(
    tx: &Tx<'_>,
    name: &OrganisationName,
    time_zone: &str,
    email: &Email,
    terms: Terms,
) -> Result<Audited<(Organisation, Link)>> {
    organisations::check_name(tx, name, None)?;
    let (id, owner) = begin(tx, name, time_zone, email)?;
    sql::drop_all(tx)?;
    let owner = accounts::find(tx, owner)?.ok_or(Error::NotFound)?;
    let link = invitations::send_link(tx, owner, terms)?;
    let organisation = organisations::get(tx, id)?;
    let event = Event::of(id, Action::OrganisationCreated).on(organisation.owner, email);
    audit::record(tx, &By::operator(), &event, (organisation, link))
}

/// The operator mends the address of an owner who is still Pending, or sends them a new link.
pub fn invite_owner(
    tx: &Tx<'_>,
    organisation: &Organisation,
    email: Option<&Email>,
    terms: Terms,
) -> Result<Audited<Link>> {
    let owner = pending_owner(
        tx,
        organisation,
        "Its owner is active: there is nobody to invite. The ownership is handed over by its owner, under Settings; other \
         people are invited with `doorward account create`.",
    )?;
    let before = owner.email.clone().ok_or(Error::NotFound)?;
    let after = email.cloned().unwrap_or_else(|| before.clone());
    if after != before {
        accounts::readdress(tx, owner.id, &after)?;
    }
    let owner = accounts::find(tx, owner.id)?.ok_or(Error::NotFound)?;
    let link = invitations::send_link(tx, owner, terms)?;
    let event = Event::of(organisation.id, Action::OwnerInvited)
        .on(organisation.owner, &after)
        .changed(before, after);
    audit::record(tx, &By::operator(), &event, link)
}

/// The link of the first run is dead.
pub fn void_link(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::drop_all(tx)?)
}

/// Another `secret.key` takes over, the one before is gone: it is the transaction's, and the file belongs to it from here
/// on. All that the older one signed, derived or sealed is void; people sign in with their passwords, and have their grace
/// anew to set up another second factor. Pending accounts wait to be sent another link.
pub fn take_over(tx: &Tx<'_>, by: &By) -> Result<Audited<()>> {
    sessions::void_all(tx)?;
    two_factor::void_all(tx)?;
    organisations::begin_grace_anew(tx)?;
    passwords::void_all(tx)?;
    invitations::void_all(tx)?;
    profile::void_all(tx)?;
    sql::drop_all(tx)?;
    sql::set_key(tx, &tx.keys().identity())?;
    audit::checkpoint(tx, by, ())
}

/// Removes an organisation whose owner never came, and all that is in it; the audit log stays.
pub fn delete_organisation(tx: &Tx<'_>, organisation: &Organisation) -> Result<Audited<()>> {
    pending_owner(
        tx,
        organisation,
        "Its owner is active: an organisation in use is not deleted. `doorward org disable` switches it off, `doorward \
         account disable` a single person.",
    )?;
    let event = Event::of_system(Action::OrganisationDeleted)
        .on_text(&organisation.name)
        .with("organisation", organisation.id.to_string());
    let audited = audit::record(tx, &By::operator(), &event, ())?;
    invitations::remove_all(tx, organisation.id)?;
    outbox::remove_all(tx, organisation.id)?;
    accounts::remove_all(tx, organisation.id)?;
    organisations::remove(tx, organisation.id)?;
    Ok(audited)
}

/// The owner, as long as nobody has come; else why it is too late.
fn pending_owner(tx: &Tx<'_>, organisation: &Organisation, too_late: &str) -> Result<Account> {
    let owner = accounts::find(tx, organisation.owner)?.ok_or(Error::NotFound)?;
    if owner.status != Status::Pending {
        return Err(Error::Refused(too_late.to_owned()));
    }
    Ok(owner)
}

fn begin(
    tx: &Tx<'_>,
    name: &OrganisationName,
    time_zone: &str,
    email: &Email,
) -> Result<(OrganisationId, AccountId)> {
    let id = OrganisationId::new(tx)?;
    let owner = AccountId::new(tx)?;
    // The organisation first: its reference to the owner is checked when the transaction commits.
    organisations::insert(
        tx,
        &Organisation {
            id,
            name: name.clone(),
            time_zone: time_zone.to_owned(),
            owner,
            managers: Managers::default(),
            trust: Trust::default(),
            offer: None,
            domains: Domains::default(),
            started_at: None,
            created_at: tx.now(),
            disabled_at: None,
        },
    )?;
    let new = NewAccount {
        organisation: id,
        email: email.clone(),
        role: Role::Master,
        created_by: None,
    };
    accounts::create_as(tx, owner, &new)?;
    Ok((id, owner))
}
