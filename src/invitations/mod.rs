//! Invitations: the mailed link that turns a Pending account Active. Owns `invitations` and `invitation_tallies`.
//!
//! The token is derived from the row's nonce under the link key: the file never holds a usable link, and a retried
//! mail carries the same one. Looking at a link never uses it; only [`accept`] does, once.

pub mod mail;
pub mod pages;
mod sql;
pub mod views;

use crate::accounts::{self, Account, Deed, NewAccount, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, InvitationId, OrganisationId};
use crate::domain::role::{Managers, Permission, Role, may_act_on};
use crate::domain::text::{PersonName, Phone};
use crate::domain::token::{Nonce, Purpose, Token};
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::keys::{Keys, Use};
use crate::kit::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::organisations::{self, Organisation};
use crate::outbox::{self, Errand};
use crate::passwords::{self, PasswordHash};
use crate::scope::{Allowed, By, InviteAccounts, ManageAccounts};

pub use sql::{Invitation, expired_count};

/// How much an organisation may invite, and how long a link lives; the operator's to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Seconds a link lives.
    pub ttl: i64,
    /// Invitations an hour.
    pub hour_max: i64,
    /// Invitations a day.
    pub day_max: i64,
    /// Invitations a day to one address.
    pub address_max: i64,
    /// Refused duplicates an hour.
    pub refused_max: i64,
    /// Days after which a Pending account with a dead link is deleted.
    pub pending_days: i64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            ttl: DAY,
            hour_max: 300,
            day_max: 1_000,
            address_max: 5,
            refused_max: 30,
            pending_days: 30,
        }
    }
}

/// Rows one duty of the worker may touch at a time.
const SWEEP_MAX: i64 = 100;
/// A Pending person may ask for a new link so often.
const ASK_EVERY: i64 = HOUR;

/// Creates the account, its invitation and the mail that is owed, in this one transaction.
pub fn invite(
    tx: &Tx<'_>,
    by: &Allowed<InviteAccounts>,
    email: &Email,
    role: Role,
    terms: Terms,
) -> Result<Audited<AccountId>> {
    accounts::may_give(by, role)?;
    let organisation = by.organisation();
    check_domain(tx, by.by(), organisation, email)?;
    check_caps(tx, by, email, terms)?;
    let created_by = by.by().account();
    let new = NewAccount {
        organisation,
        email: email.clone(),
        role,
        created_by,
    };
    let id = accounts::create(tx, &new)?;
    let account = accounts::find(tx, id)?.ok_or(Error::NotFound)?;
    send(tx, by.by(), &account, terms)?;
    let event = Event::of(organisation, Action::AccountCreated)
        .on(id, email)
        .with("role", role.key());
    audit::record(tx, by.by(), &event, id)
}

/// Whether this address may belong to somebody of the organisation: asked of everybody who is invited, singly or by a list,
/// and of whoever wants another address. The operator is exempt, as from caps and from what a giver may give.
pub fn check_domain(
    read: &Read<'_>,
    by: &By,
    organisation: OrganisationId,
    email: &Email,
) -> Result<()> {
    if by.account().is_none() {
        return Ok(());
    }
    let domains = organisations::get(read, organisation)?.domains;
    if domains.allow(email) {
        return Ok(());
    }
    Err(Error::invalid(
        accounts::EMAIL_FIELD,
        format!(
            "Only addresses at {} are allowed here. A Master can change that in Settings.",
            domains.named()
        ),
    ))
}

/// What the log says where an address is outside the allowed domains.
#[must_use]
pub fn outside(organisation: OrganisationId, email: &Email) -> Event {
    Event::of(organisation, Action::InvitationRefused)
        .on_text(email)
        .with("why", "domain")
}

/// The operator is exempt: the command line has no caps.
fn check_caps<R: crate::scope::Right>(
    tx: &Tx<'_>,
    by: &Allowed<R>,
    email: &Email,
    terms: Terms,
) -> Result<()> {
    if by.by().account().is_none() {
        return Ok(());
    }
    let organisation = by.organisation().number().to_be_bytes();
    let address = tx
        .keys()
        .mac(Use::Throttle, &[b"invited", email.as_str().as_bytes()]);
    let hour = Timestamp(tx.now().0 - tx.now().0.rem_euclid(HOUR));
    let day = Timestamp(tx.now().0 - tx.now().0.rem_euclid(DAY));
    for (kind, subject, since, length, max, what) in [
        (
            "hour",
            organisation.as_slice(),
            hour,
            HOUR,
            terms.hour_max,
            "invitations this hour",
        ),
        (
            "day",
            organisation.as_slice(),
            day,
            DAY,
            terms.day_max,
            "invitations today",
        ),
        (
            "address",
            address.as_slice(),
            day,
            DAY,
            terms.address_max,
            "invitations to this address today",
        ),
    ] {
        if sql::tally(tx, kind, subject, since)? > max {
            let retry_after = since.plus(length).since(tx.now());
            return Err(Error::TooMany {
                retry_after,
                sentence: format!(
                    "That is more than {max} {what}. Try again in {} min.",
                    (retry_after + 59) / 60
                ),
            });
        }
    }
    Ok(())
}

/// Records and counts a refused duplicate, after the rollback; over the cap the form says to wait. The operator's do not
/// count.
pub fn refuse_duplicate(
    tx: &Tx<'_>,
    by: &By,
    organisation: OrganisationId,
    email: &Email,
) -> Result<Audited<()>> {
    refuse(tx, by, organisation, &taken(organisation, email))
}

/// The same where somebody wanted the address for their own account: it tells as much, and so counts as much.
pub fn refuse_change(
    tx: &Tx<'_>,
    by: &By,
    organisation: OrganisationId,
    email: &Email,
) -> Result<Audited<()>> {
    let event = taken(organisation, email).with("for", "own_account");
    refuse(tx, by, organisation, &event)
}

fn taken(organisation: OrganisationId, email: &Email) -> Event {
    Event::of(organisation, Action::InvitationRefused)
        .on_text(email)
        .with("why", "taken")
}

fn refuse(
    tx: &Tx<'_>,
    by: &By,
    organisation: OrganisationId,
    event: &Event,
) -> Result<Audited<()>> {
    if by.account().is_some() {
        let hour = Timestamp(tx.now().0 - tx.now().0.rem_euclid(HOUR));
        sql::tally(tx, "refused", &organisation.number().to_be_bytes(), hour)?;
    }
    audit::record(tx, by, event, ())
}

/// Whether the form may still be asked whether an address is taken.
pub fn check_refused(read: &Read<'_>, organisation: OrganisationId, terms: Terms) -> Result<()> {
    let hour = Timestamp(read.now().0 - read.now().0.rem_euclid(HOUR));
    if sql::tallied(read, "refused", &organisation.number().to_be_bytes(), hour)?
        >= terms.refused_max
    {
        return Err(Error::too_many(hour.plus(HOUR).since(read.now())));
    }
    Ok(())
}

/// Writes an invitation and the mail that carries it.
pub fn send(tx: &Tx<'_>, by: &By, account: &Account, terms: Terms) -> Result<InvitationId> {
    let id = InvitationId::new(tx)?;
    let nonce = Nonce::new(tx)?;
    let hash = Token::derived(tx.keys(), Purpose::Activation, id.number(), nonce).hash();
    let expires_at = tx.now().plus(terms.ttl);
    let new = sql::New {
        id,
        account,
        nonce,
        hash,
        given_by: by.account(),
        expires_at,
    };
    sql::insert(tx, &new)?;
    let to = account.recipient()?;
    outbox::enqueue(tx, &to, &Errand::Activation(id), Some(expires_at))?;
    Ok(id)
}

/// Sends a new link; the older is dead, and remembered as replaced.
pub fn resend(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    terms: Terms,
) -> Result<Audited<Account>> {
    let account = accounts::permitted(tx, by, id, Deed::Resend)?;
    let Some(email) = account.email.clone() else {
        return Err(Error::NotFound);
    };
    // Whoever resends gives the role anew.
    accounts::may_give(by, account.role)?;
    if let Some(older) = sql::live(tx, account.id)? {
        let age = tx.now().since(older.created_at);
        if by.by().account().is_some() && age < MINUTE {
            return Err(Error::TooMany {
                retry_after: MINUTE - age.max(0),
                sentence: "The last link is less than a minute old. Give it a moment.".to_owned(),
            });
        }
        retire(tx, &older)?;
    }
    check_caps(tx, by, &email, terms)?;
    send(tx, by.by(), &account, terms)?;
    let event = Event::of(account.organisation, Action::InvitationResent)
        .on(account.id, email)
        .with("role", account.role.key());
    audit::record(tx, by.by(), &event, account)
}

/// A newer link takes its place: it is dead, and its mail not needed any more.
fn retire(tx: &Tx<'_>, older: &Invitation) -> Result<()> {
    sql::replace(tx, older.id)?;
    outbox::drop_about(tx, older.id.number(), "A newer link was sent.")
}

/// A link to hand over by other means.
#[derive(Clone, Debug)]
pub struct Link {
    /// The account it activates.
    pub account: Account,
    /// What opens it.
    pub token: Token,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Shows the activation link, as often as needed while it lives; each time is recorded.
pub fn copy_link(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
) -> Result<Audited<Link>> {
    let account = accounts::permitted(tx, by, id, Deed::CopyLink)?;
    let Some(email) = account.email.clone() else {
        return Err(Error::NotFound);
    };
    let link = link(tx, account)?;
    let event = Event::of(link.account.organisation, Action::InvitationLinkCopied)
        .on(link.account.id, email);
    audit::record(tx, by.by(), &event, link)
}

/// The link that a Pending account has, as long as it lives: for whoever has just written it, or may see it.
pub fn link(tx: &Tx<'_>, account: Account) -> Result<Link> {
    let live = sql::live(tx, account.id)?.filter(|live| !live.is_over(tx.now()));
    let Some(live) = live else {
        return Err(Error::Refused(
            "The link has expired. Resend the invitation to make a new one.".to_owned(),
        ));
    };
    Ok(Link {
        token: Token::derived(tx.keys(), Purpose::Activation, live.id.number(), live.nonce),
        expires_at: live.expires_at,
        account,
    })
}

/// The account was deleted: its invitations go.
pub fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    Ok(sql::forget(tx, account)?)
}

/// Somebody gave a Pending account another role: from here on the link is judged against them.
pub fn given_anew(tx: &Tx<'_>, by: &By, account: AccountId) -> Result<()> {
    Ok(sql::give_anew(tx, account, by.account())?)
}

/// Whom this account invited and who has not come yet: the links that would be refused if it lost the right to invite.
pub fn open_of(read: &Read<'_>, giver: AccountId) -> Result<Vec<Account>> {
    Ok(sql::open_of(read, giver)?
        .into_iter()
        .map(|account| accounts::find(read, account))
        .collect::<crate::kit::db::Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// What a link opens.
#[derive(Clone, Debug)]
pub enum ActivationLink {
    /// The form.
    Open(Box<OpenInvitation>),
    /// "This account is already active."
    AlreadyActive,
    /// "The link expired", and whom to ask.
    Expired(Expired),
    /// "A newer link was sent."
    Replaced,
    /// Whoever gave the role may no longer give it: whom to ask instead.
    Withdrawn {
        /// A Master's name, when there is one.
        ask: Option<PersonName>,
        /// Whose invitation.
        account: Box<Account>,
    },
}

/// A link past its time.
#[derive(Clone, Debug)]
pub struct Expired {
    /// Since when.
    pub at: Timestamp,
    /// In which zone to say so.
    pub time_zone: String,
}

/// An invitation that works, as of this read. Only [`find`] makes one.
#[derive(Clone, Debug)]
pub struct OpenInvitation {
    id: InvitationId,
    account: Account,
    organisation: Organisation,
    /// Who invited; none: the operator.
    pub invited_by: Option<PersonName>,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl OpenInvitation {
    /// Whom it is for.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Where to.
    #[must_use]
    pub const fn organisation(&self) -> &Organisation {
        &self.organisation
    }
}

/// What the token opens; none for anything that was never a link of ours.
pub fn find(read: &Read<'_>, token: &Token) -> Result<Option<ActivationLink>> {
    let Some(row) = sql::by_hash(read, &token.hash())? else {
        return Ok(None);
    };
    let account = accounts::find(read, row.account)?.ok_or(Error::NotFound)?;
    let organisation = organisations::get(read, account.organisation)?;
    if row.state == sql::State::Used {
        return Ok(Some(ActivationLink::AlreadyActive));
    }
    if row.state == sql::State::Replaced {
        return Ok(Some(ActivationLink::Replaced));
    }
    if organisation.disabled_at.is_some() || account.status != Status::Pending {
        return Ok(None);
    }
    if row.is_over(read.now()) {
        return Ok(Some(ActivationLink::Expired(Expired {
            at: row.expires_at,
            time_zone: organisation.time_zone,
        })));
    }
    let giver = match row.given_by {
        Some(giver) => Some(accounts::find(read, giver)?.ok_or(Error::NotFound)?),
        None => None,
    };
    if giver
        .as_ref()
        .is_some_and(|giver| !may_still_give(giver, account.role, organisation.managers))
    {
        let masters = accounts::masters_active(read, account.organisation)?;
        let ask = masters.into_iter().find_map(|master| master.name);
        return Ok(Some(ActivationLink::Withdrawn {
            ask,
            account: Box::new(account),
        }));
    }
    Ok(Some(ActivationLink::Open(Box::new(OpenInvitation {
        id: row.id,
        account,
        organisation,
        invited_by: giver.and_then(|giver| giver.name),
        expires_at: row.expires_at,
    }))))
}

/// Judged when the link is used, against what whoever gave the role is today.
#[must_use]
pub fn may_still_give(giver: &Account, role: Role, managers: Managers) -> bool {
    let own = giver.role.permissions(managers);
    giver.status == Status::Active
        && own.has(Permission::UsersManage)
        && own.has(Permission::RolesAssign)
        && may_act_on(own, role.permissions(managers))
}

/// What the invitee fills in.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// Their name.
    pub name: PersonName,
    /// Their telephone, if they give it.
    pub phone: Option<Phone>,
    /// The hash of their password.
    pub hash: PasswordHash,
}

/// Uses the link, once: of two that arrive together, one wins.
pub fn accept(
    tx: &Tx<'_>,
    by: &By,
    token: &Token,
    acceptance: &Acceptance,
) -> Result<Audited<Email>> {
    // Looked at again inside the transaction: the page that was filled in may be a day old.
    let Some(ActivationLink::Open(open)) = find(tx, token)? else {
        return Err(Error::Gone("This link no longer works.".to_owned()));
    };
    let account = open.account;
    let Some(email) = account.email.clone() else {
        return Err(Error::NotFound);
    };
    if !sql::use_up(tx, open.id, tx.now())? {
        return Err(Error::Gone("This link was used just now.".to_owned()));
    }
    accounts::activate(tx, account.id, &acceptance.name, acceptance.phone.as_ref())?;
    passwords::set(tx, account.organisation, account.id, &acceptance.hash)?;
    outbox::drop_about(tx, open.id.number(), "The account is already active.")?;
    let by = by.account_of(account.id, email.clone());
    let event = Event::of(account.organisation, Action::AccountActivated)
        .on(account.id, &email)
        .with("role", account.role.key());
    audit::record(tx, &by, &event, email)
}

/// The invitee of an expired link asks for a new one: a mail to the inviter, or to the owner when the inviter is gone,
/// at most once an hour. Answers with none when no mail goes; the page says the same either way.
pub fn ask(tx: &Tx<'_>, by: &By, token: &Token) -> Result<Option<Audited<()>>> {
    let Some(row) = sql::by_hash(tx, &token.hash())? else {
        return Ok(None);
    };
    let account = accounts::find(tx, row.account)?.ok_or(Error::NotFound)?;
    let is_expired =
        row.is_over(tx.now()) && matches!(row.state, sql::State::Open | sql::State::Expired);
    if !is_expired || account.status != Status::Pending {
        return Ok(None);
    }
    if row
        .asked_at
        .is_some_and(|at| tx.now().since(at) < ASK_EVERY)
    {
        return Ok(None);
    }
    let Some(email) = account.email.clone() else {
        return Ok(None);
    };
    let organisation = organisations::get(tx, account.organisation)?;
    let inviter = match row.given_by {
        Some(giver) => {
            let managers = organisation.managers;
            accounts::find(tx, giver)?.filter(|giver| may_still_give(giver, account.role, managers))
        }
        None => None,
    };
    let asked = match inviter {
        Some(inviter) => Some(inviter),
        None => {
            accounts::find(tx, organisation.owner)?.filter(|owner| owner.status == Status::Active)
        }
    };
    let Some(asked) = asked else { return Ok(None) };
    sql::asked(tx, row.id)?;
    let to = asked.recipient()?;
    outbox::enqueue(tx, &to, &Errand::LinkAsked(account.id), None)?;
    let event = Event::of(account.organisation, Action::InvitationLinkAsked).on(account.id, email);
    Ok(Some(audit::record(tx, by, &event, ())?))
}

/// Sends an invitation from the command line, in place of an older one, and gives its link to be printed.
pub fn send_link(tx: &Tx<'_>, account: Account, terms: Terms) -> Result<Link> {
    if let Some(older) = sql::live(tx, account.id)? {
        retire(tx, &older)?;
    }
    send(tx, &By::operator(), &account, terms)?;
    link(tx, account)
}

/// The organisation never began: its invitations go with it.
pub fn remove_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    Ok(sql::remove_all(tx, organisation)?)
}

/// The link that an invitation mail carries, if it still works: what the worker asks when it writes the mail.
pub fn live_token(
    read: &Read<'_>,
    keys: &Keys,
    id: InvitationId,
) -> Result<Option<(Token, Timestamp)>> {
    Ok(sql::live_by_id(read, id)?.map(|(nonce, expires_at)| {
        (
            Token::derived(keys, Purpose::Activation, id.number(), nonce),
            expires_at,
        )
    }))
}

/// The invitation of a Pending account that was not used or replaced, whether it has run out or not.
pub fn live(read: &Read<'_>, account: AccountId) -> Result<Option<Invitation>> {
    Ok(sql::live(read, account)?)
}

/// One invitation that has run out is marked so. Answers with none when there is no more.
pub fn expire_one(tx: &Tx<'_>) -> Result<Option<Audited<()>>> {
    let Some(row) = sql::next_expired(tx)? else {
        return Ok(None);
    };
    let account = accounts::find(tx, row.account)?.ok_or(Error::NotFound)?;
    sql::expire(tx, row.id)?;
    let email = account
        .email
        .clone()
        .map(|email| email.to_string())
        .unwrap_or_default();
    let event = Event::of(account.organisation, Action::InvitationExpired).on(account.id, email);
    Ok(Some(audit::record(tx, &By::system(), &event, ())?))
}

/// A Pending account whose link died more than 30 days ago; never an organisation's owner.
pub fn next_squatter(read: &Read<'_>, terms: Terms) -> Result<Option<AccountId>> {
    let before = read.now().minus(terms.pending_days.saturating_mul(DAY));
    Ok(sql::next_squatter(read, before)?)
}

/// Every link of the install is void: the key that they were derived from is gone. Their accounts are as if the links had
/// run out, so that each can be sent another; what was counted under that key is forgotten.
pub fn void_all(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::void_all(tx)?)
}

/// Forgets tallies of hours and days that are over.
pub fn sweep(tx: &Tx<'_>) -> Result<usize> {
    Ok(sql::sweep(tx, tx.now().minus(2 * DAY), SWEEP_MAX)?)
}
