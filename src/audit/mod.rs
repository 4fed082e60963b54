//! The audit log: who did what, written in the transaction that does it. Owns every table whose name begins with
//! `audit_`, and `sign_ins`, which counts what the log tells of sign-ins.
//!
//! One chain for each organisation and one for the system. A row's hash is SHA-256 over the hash before it and the
//! canonical row (every field with its length); personal text stands in the row as a commitment, SHA-256 of a salt
//! and the text, so that the text can be erased and the chain still verifies. The head of each chain carries a MAC
//! under the audit key, so that rows cut off the end are missed. Never holds a secret.

mod chain;
mod erase;
pub mod export;
pub mod pages;
mod prune;
pub mod search;
mod sql;
#[cfg(test)]
mod tests;
pub mod views;

use std::fmt;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use crate::domain::id::{AccountId, OrganisationId};
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::log::AUDIT;
use crate::scope::{Actor, By};
use sql::past;

pub use chain::{Fault, Verdict};
pub use erase::{Erased, Names, Person, Scrub, erase};
pub use prune::{Prunable, next_prunable, prune};
pub use search::Line;
pub use sql::past::{is_erased, last_erasure};
pub use sql::{
    Deed, ERASED, Entry, Hand, SignIns, Whom, about, last_of_system, last_on, latest,
    latest_instant, newest, own, own_sign_ins, sign_in_before, sign_ins,
};

/// What was done. The slug stands in the log for ever: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// An organisation was founded.
    OrganisationCreated,
    /// An organisation whose owner never came was removed.
    OrganisationDeleted,
    /// The organisation has another name.
    OrganisationRenamed,
    /// The organisation has another time zone.
    OrganisationMoved,
    /// Who manages users was decided.
    ManagersChanged,
    /// Whose addresses may be invited was decided.
    DomainsChanged,
    /// The list of first steps was put away.
    FirstStepsPutAway,
    /// Nobody of the organisation may sign in.
    OrganisationDisabled,
    /// Its people may sign in again.
    OrganisationEnabled,
    /// The owner offered the ownership to another Master.
    OwnershipOffered,
    /// The offer was taken back.
    OwnershipWithdrawn,
    /// The offer was not taken.
    OwnershipDeclined,
    /// The other Master accepted.
    OwnershipMoved,
    /// An account was created, its invitation written.
    AccountCreated,
    /// Its person set a password.
    AccountActivated,
    /// It was switched off.
    AccountDisabled,
    /// It was switched on again.
    AccountEnabled,
    /// A day was set at whose end it is switched off.
    DepartureSet,
    /// It is not to be switched off on a date any more.
    DepartureCancelled,
    /// The day was over, and it could not be switched off.
    DepartureDropped,
    /// It was removed.
    AccountDeleted,
    /// What was left of the personal data of one that is deleted was erased.
    AccountErased,
    /// It was given another role.
    RoleChanged,
    /// A Pending owner's address was changed by the operator.
    OwnerInvited,
    /// A new link replaced the older.
    InvitationResent,
    /// The link was shown to be copied.
    InvitationLinkCopied,
    /// The link's time ran out.
    InvitationExpired,
    /// The invitee asked for a new link.
    InvitationLinkAsked,
    /// The address was taken, or whoever gave the role may no longer give it.
    InvitationRefused,
    /// It was found out what a list of people to invite means.
    ImportChecked,
    /// A list that nobody was invited by was thrown away.
    ImportDiscarded,
    /// Inviting by a list began.
    ImportBegan,
    /// It came to its end, or was stopped.
    ImportEnded,
    /// What became of a list was taken out of the Portal.
    ImportExported,
    /// Somebody signed in.
    SignedIn,
    /// Somebody did not.
    SignInFailed,
    /// Somebody was told to wait.
    SignInThrottled,
    /// Somebody signed out.
    SignedOut,
    /// A person ended one of their other sessions.
    SessionEnded,
    /// All sessions of an account were ended.
    SessionsEnded,
    /// A reset link was asked for.
    ResetRequested,
    /// A password was set with a reset link, or by the operator.
    PasswordChanged,
    /// Its password was taken away, and a link to set another handed out.
    PasswordReset,
    /// A person asked for another address.
    EmailChangeAsked,
    /// The new address was confirmed.
    EmailChanged,
    /// A person changed their name or telephone.
    ProfileChanged,
    /// A person changed how their pages behave.
    PreferencesChanged,
    /// The operator cleared the throttles of an account.
    AccountUnlocked,
    /// A failed mail was sent on its way again.
    MailRetried,
    /// A test mail was sent.
    MailTested,
    /// The log was exported.
    AuditExported,
    /// A deed was refused for want of a right.
    Denied,
    /// A form came without its proof, or from elsewhere.
    FormRefused,
    /// Our pages cannot send this.
    RequestMalformed,
    /// A set-up link was made.
    SetupLinkMade,
    /// The oldest events were removed, as the operator's setting says.
    LogPruned,
    /// The system's clock stepped back.
    ClockSteppedBack,
    /// What is asked of a role besides the password was decided.
    PolicyChanged,
    /// A secret was shown, to be confirmed.
    TwoFactorBegun,
    /// A second factor was confirmed.
    TwoFactorOn,
    /// Its person took it away.
    TwoFactorOff,
    /// Another took it away.
    TwoFactorReset,
    /// New recovery codes were made, and the older are dead.
    RecoveryCodesRenewed,
    /// The password was right, and the code is owed.
    CodeAsked,
    /// A code was wrong, or was used before.
    CodeFailed,
    /// Somebody was told to wait before another code.
    CodeThrottled,
    /// Somebody who is signed in showed a password or a code again.
    ProofGiven,
    /// The operator made a link that lets somebody in.
    SignInLinkMade,
    /// Another secret.key took over: what the older one sealed or signed is void.
    KeyReplaced,
    /// The operator made a copy of the file.
    BackupMade,
    /// A copy could not be made, or was not whole.
    BackupFailed,
    /// The file was put back from a copy: what came after it is gone.
    BackupRestored,
    /// The file was brought to the schema of a newer version.
    SchemaUpgraded,
    /// The operator imported a catalogue.
    CatalogueImported,
    /// A resource was created.
    ResourceCreated,
    /// It was given another name or note.
    ResourceDescribed,
    /// It was given another plan.
    ResourcePlanChanged,
    /// It is charged under another's name.
    ResourceHandedOver,
    /// It ended.
    ResourceEnded,
    /// A month was closed, and its invoice issued.
    InvoiceIssued,
    /// An invoice was marked as paid.
    InvoicePaid,
    /// The budget of a month was decided.
    BudgetChanged,
    /// What stands on invoices was changed.
    BillingDetailsChanged,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 83] = [
        Self::OrganisationCreated,
        Self::OrganisationDeleted,
        Self::OrganisationRenamed,
        Self::OrganisationMoved,
        Self::ManagersChanged,
        Self::DomainsChanged,
        Self::FirstStepsPutAway,
        Self::OrganisationDisabled,
        Self::OrganisationEnabled,
        Self::OwnershipOffered,
        Self::OwnershipWithdrawn,
        Self::OwnershipDeclined,
        Self::OwnershipMoved,
        Self::AccountCreated,
        Self::AccountActivated,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::DepartureSet,
        Self::DepartureCancelled,
        Self::DepartureDropped,
        Self::AccountDeleted,
        Self::AccountErased,
        Self::RoleChanged,
        Self::OwnerInvited,
        Self::InvitationResent,
        Self::InvitationLinkCopied,
        Self::InvitationExpired,
        Self::InvitationLinkAsked,
        Self::InvitationRefused,
        Self::ImportChecked,
        Self::ImportDiscarded,
        Self::ImportBegan,
        Self::ImportEnded,
        Self::ImportExported,
        Self::SignedIn,
        Self::SignInFailed,
        Self::SignInThrottled,
        Self::SignedOut,
        Self::SessionEnded,
        Self::SessionsEnded,
        Self::ResetRequested,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChangeAsked,
        Self::EmailChanged,
        Self::ProfileChanged,
        Self::PreferencesChanged,
        Self::AccountUnlocked,
        Self::MailRetried,
        Self::MailTested,
        Self::AuditExported,
        Self::Denied,
        Self::FormRefused,
        Self::RequestMalformed,
        Self::SetupLinkMade,
        Self::LogPruned,
        Self::ClockSteppedBack,
        Self::PolicyChanged,
        Self::TwoFactorBegun,
        Self::TwoFactorOn,
        Self::TwoFactorOff,
        Self::TwoFactorReset,
        Self::RecoveryCodesRenewed,
        Self::CodeAsked,
        Self::CodeFailed,
        Self::CodeThrottled,
        Self::ProofGiven,
        Self::SignInLinkMade,
        Self::KeyReplaced,
        Self::BackupMade,
        Self::BackupFailed,
        Self::BackupRestored,
        Self::SchemaUpgraded,
        Self::CatalogueImported,
        Self::ResourceCreated,
        Self::ResourceDescribed,
        Self::ResourcePlanChanged,
        Self::ResourceHandedOver,
        Self::ResourceEnded,
        Self::InvoiceIssued,
        Self::InvoicePaid,
        Self::BudgetChanged,
        Self::BillingDetailsChanged,
    ];

    /// The name in the log.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::OrganisationCreated => "organisation.created",
            Self::OrganisationDeleted => "organisation.deleted",
            Self::OrganisationRenamed => "organisation.renamed",
            Self::OrganisationMoved => "organisation.time_zone_changed",
            Self::ManagersChanged => "organisation.managers_changed",
            Self::DomainsChanged => "organisation.domains_changed",
            Self::FirstStepsPutAway => "organisation.first_steps_put_away",
            Self::OrganisationDisabled => "organisation.disabled",
            Self::OrganisationEnabled => "organisation.enabled",
            Self::OwnershipOffered => "ownership.offered",
            Self::OwnershipWithdrawn => "ownership.withdrawn",
            Self::OwnershipDeclined => "ownership.declined",
            Self::OwnershipMoved => "ownership.moved",
            Self::AccountCreated => "account.created",
            Self::AccountActivated => "account.activated",
            Self::AccountDisabled => "account.disabled",
            Self::AccountEnabled => "account.enabled",
            Self::DepartureSet => "account.departure_set",
            Self::DepartureCancelled => "account.departure_cancelled",
            Self::DepartureDropped => "account.departure_dropped",
            Self::AccountDeleted => "account.deleted",
            Self::AccountErased => "account.erased",
            Self::RoleChanged => "role.changed",
            Self::OwnerInvited => "owner.invited",
            Self::InvitationResent => "invitation.resent",
            Self::InvitationLinkCopied => "invitation.link_copied",
            Self::InvitationExpired => "invitation.expired",
            Self::InvitationLinkAsked => "invitation.link_asked",
            Self::InvitationRefused => "invitation.refused",
            Self::ImportChecked => "import.checked",
            Self::ImportDiscarded => "import.discarded",
            Self::ImportBegan => "import.began",
            Self::ImportEnded => "import.ended",
            Self::ImportExported => "import.exported",
            Self::SignedIn => "sign_in.succeeded",
            Self::SignInFailed => "sign_in.failed",
            Self::SignInThrottled => "sign_in.throttled",
            Self::SignedOut => "signed_out",
            Self::SessionEnded => "session.ended",
            Self::SessionsEnded => "sessions.ended",
            Self::ResetRequested => "password.reset_requested",
            Self::PasswordChanged => "password.changed",
            Self::PasswordReset => "password.reset",
            Self::EmailChangeAsked => "email.change_asked",
            Self::EmailChanged => "email.changed",
            Self::ProfileChanged => "profile.changed",
            Self::PreferencesChanged => "preferences.changed",
            Self::AccountUnlocked => "account.unlocked",
            Self::MailRetried => "mail.retried",
            Self::MailTested => "mail.tested",
            Self::AuditExported => "audit.exported",
            Self::Denied => "denied",
            Self::FormRefused => "form.refused",
            Self::RequestMalformed => "request.malformed",
            Self::SetupLinkMade => "setup.link_made",
            Self::LogPruned => "audit.pruned",
            Self::ClockSteppedBack => "clock.stepped_back",
            Self::PolicyChanged => "organisation.policy_changed",
            Self::TwoFactorBegun => "two_factor.begun",
            Self::TwoFactorOn => "two_factor.enabled",
            Self::TwoFactorOff => "two_factor.disabled",
            Self::TwoFactorReset => "two_factor.reset",
            Self::RecoveryCodesRenewed => "recovery_codes.renewed",
            Self::CodeAsked => "sign_in.code_asked",
            Self::CodeFailed => "code.failed",
            Self::CodeThrottled => "code.throttled",
            Self::ProofGiven => "proof.given",
            Self::SignInLinkMade => "sign_in.link_made",
            Self::KeyReplaced => "key.replaced",
            Self::BackupMade => "backup.made",
            Self::BackupFailed => "backup.failed",
            Self::BackupRestored => "backup.restored",
            Self::SchemaUpgraded => "schema.upgraded",
            Self::CatalogueImported => "catalogue.imported",
            Self::ResourceCreated => "resource.created",
            Self::ResourceDescribed => "resource.described",
            Self::ResourcePlanChanged => "resource.plan_changed",
            Self::ResourceHandedOver => "resource.handed_over",
            Self::ResourceEnded => "resource.ended",
            Self::InvoiceIssued => "invoice.issued",
            Self::InvoicePaid => "invoice.paid",
            Self::BudgetChanged => "budget.changed",
            Self::BillingDetailsChanged => "billing.details_changed",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.slug() == slug)
    }
}

/// One deed, or one refusal, as it will stand in the log.
#[derive(Clone, Debug)]
pub struct Event {
    action: Action,
    organisation: Option<OrganisationId>,
    target: Option<AccountId>,
    target_text: Option<String>,
    before: Option<String>,
    after: Option<String>,
    details: Map<String, Value>,
}

impl Event {
    /// Something in an organisation's chain.
    #[must_use]
    pub fn of(organisation: OrganisationId, action: Action) -> Self {
        Self {
            organisation: Some(organisation),
            ..Self::of_system(action)
        }
    }

    /// Something in the system's chain.
    #[must_use]
    pub fn of_system(action: Action) -> Self {
        Self {
            action,
            organisation: None,
            target: None,
            target_text: None,
            before: None,
            after: None,
            details: Map::new(),
        }
    }

    /// To whom it was done, and their address or name as it then was.
    #[must_use]
    pub fn on(mut self, target: AccountId, text: impl fmt::Display) -> Self {
        self.target = Some(target);
        self.target_text = Some(text.to_string());
        self
    }

    /// To which address, where there is no account.
    #[must_use]
    pub fn on_text(mut self, text: impl fmt::Display) -> Self {
        self.target_text = Some(text.to_string());
        self
    }

    /// A fact without personal text: a role, a state, a count.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Personal text before and after the change.
    #[must_use]
    pub fn changed(mut self, before: impl fmt::Display, after: impl fmt::Display) -> Self {
        self.before = Some(before.to_string());
        self.after = Some(after.to_string());
        self
    }

    /// What is done.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// What makes two failures alike, for the flood rule: chain, action, target.
    #[must_use]
    pub fn likeness(&self) -> String {
        format!(
            "{:?} {} {:?} {}",
            self.organisation.map(OrganisationId::number),
            self.action.slug(),
            self.target.map(AccountId::number),
            self.target_text.as_deref().unwrap_or_default()
        )
    }
}

/// The result of a change whose record is in the same transaction. `app.write` commits nothing else.
///
/// ```compile_fail
/// // The field is private: a change cannot pretend to have been recorded.
/// let forged = doorward::audit::Audited { value: () };
/// ```
#[derive(Debug)]
#[must_use]
pub struct Audited<T> {
    value: T,
}

impl<T> Audited<T> {
    /// The value, for whoever commits.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The same record, another value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Audited<U> {
        Audited {
            value: make(self.value),
        }
    }

    /// The same record, another value, or why there is none.
    pub fn try_map<U>(self, make: impl FnOnce(T) -> Result<U>) -> Result<Audited<U>> {
        Ok(Audited {
            value: make(self.value)?,
        })
    }
}

/// Writes the event at the end of its chain and moves the chain's head.
pub fn record<T>(tx: &Tx<'_>, by: &By, event: &Event, value: T) -> Result<Audited<T>> {
    let chain_id = event.organisation.map_or(0, OrganisationId::number);
    let head = sql::head(tx, chain_id)?.map(|head| (head.number, head.hash));
    append(tx, by, event, (chain_id, head))?;
    Ok(Audited { value })
}

/// Another key took over, which is the transaction's: every chain goes on from a checkpoint that says where the head was
/// under the key before. What was no longer whole by then stays so: [`verify`] compares the checkpoint with its row.
pub fn checkpoint<T>(tx: &Tx<'_>, by: &By, value: T) -> Result<Audited<T>> {
    let mut chains = sql::chains(tx)?;
    if !chains.contains(&0) {
        chains.push(0);
    }
    for chain_id in chains {
        let head = sql::head(tx, chain_id)?.map(|head| (head.number, head.hash));
        let end = sql::end(tx, chain_id)?;
        if chain_id != 0 && head.is_none() && end.is_none() {
            // An organisation without a chain was robbed of it: a new one would hide that.
            continue;
        }
        let (number, hash) = head.unwrap_or((0, [0; 32]));
        let event = Event::of_system(Action::KeyReplaced)
            .with(chain::HEAD_NUMBER, number)
            .with(chain::HEAD_HASH, HEXLOWER.encode(&hash));
        // Where a pruned chain begins was under the key before, too; the new one takes it as it is.
        if let Some(begun) = past::checkpoint(tx, chain_id)? {
            let mac = chain::checkpoint_mac(tx.keys(), chain_id, &begun);
            past::set_checkpoint(tx, chain_id, &past::Checkpoint { mac, ..begun })?;
        }
        // It stands behind the last row there is: behind one that was put in, or where some were cut off.
        append(tx, by, &event, (chain_id, end.max(head)))?;
    }
    Ok(Audited { value })
}

fn append(
    tx: &Tx<'_>,
    by: &By,
    event: &Event,
    (chain_id, last): (i64, Option<(i64, [u8; 32])>),
) -> Result<()> {
    let (actor, actor_id, actor_text, session_id) = match &by.actor {
        Actor::Account { id, email, session } => (
            "account",
            Some(id.number()),
            Some(email.to_string()),
            session.map(crate::domain::id::SessionId::number),
        ),
        Actor::Operator => ("operator", None, None, None),
        Actor::System => ("system", None, None, None),
        Actor::Stranger => ("stranger", None, None, None),
    };
    let texts = [
        (1, actor_text),
        (2, by.address.map(|address| address.to_string())),
        (3, event.target_text.clone()),
        (4, event.before.clone()),
        (5, event.after.clone()),
    ];
    let mut sealed = Vec::new();
    for (slot, text) in texts {
        if let Some(text) = text {
            sealed.push(chain::Text {
                slot,
                salt: tx.random()?,
                text,
            });
        }
    }
    let (number, before) = last.unwrap_or((0, [0; 32]));
    let row = chain::Row {
        chain_id,
        number: number + 1,
        at: tx.now(),
        action: event.action.slug().to_owned(),
        actor: actor.to_owned(),
        actor_id,
        session_id,
        target_id: event.target.map(AccountId::number),
        details: Value::Object(event.details.clone()).to_string(),
        request_id: by.request_id.clone(),
        commitments: chain::commitments(&sealed),
    };
    let hash = row.hash(&before);
    sql::append(tx, &row, &sealed, &hash)?;
    tally(tx, by, event)?;
    tell(tx, by, event, row);
    Ok(())
}

/// Counts who signed in and who was not let in. Whoever is signed in and types a wrong password or code is in already; the sum
/// of a flood counts for as many as it sums.
fn tally(tx: &Tx<'_>, by: &By, event: &Event) -> Result<()> {
    let Some(organisation) = event.organisation else {
        return Ok(());
    };
    let is_at_the_door = by.account().is_none() && !event.details.contains_key("asked");
    let counted = match event.action {
        Action::SignedIn => (1, 0),
        Action::SignInFailed
        | Action::SignInThrottled
        | Action::CodeFailed
        | Action::CodeThrottled
            if is_at_the_door =>
        {
            let count = event.details.get("count").and_then(Value::as_i64);
            (0, count.unwrap_or(1))
        }
        _ => return Ok(()),
    };
    Ok(sql::tally(tx, organisation, counted)?)
}

/// The log says so too once it is committed, for whoever collects logs: ids, and no personal text but the network address.
fn tell(tx: &Tx<'_>, by: &By, event: &Event, row: chain::Row) {
    let (actor, session) = match &by.actor {
        Actor::Account { id, session, .. } => (Some(*id), *session),
        Actor::Operator | Actor::System | Actor::Stranger => (None, None),
    };
    let (address, organisation, on) = (by.address, event.organisation, event.target);
    tx.once_committed(move || {
        tracing::info!(
            target: AUDIT,
            action = row.action,
            number = row.number,
            org = organisation.map(display),
            by = row.actor,
            account = actor.map(display),
            session = session.map(display),
            on = on.map(display),
            ip = address.map(display),
            details = (row.details != "{}").then_some(row.details),
            "done"
        );
    });
}

/// Checks every chain of the file from its first row to its head.
pub fn verify(read: &Read<'_>, keys: &crate::kit::keys::Keys) -> Result<Verdict> {
    chain::verify(read, Some(keys))
}

/// The same without the key, as of a backup that lies elsewhere: what was changed is found, and that somebody made all of
/// it anew is not.
pub fn verify_without_key(read: &Read<'_>) -> Result<Verdict> {
    chain::verify(read, None)
}

/// What stands in one file's log and not in that of an older copy of it.
#[derive(Clone, Debug)]
pub struct Later {
    /// The organisation's id as a number, or 0 for the system's chain.
    pub chain_id: i64,
    /// The event.
    pub entry: Entry,
}

/// The events of these kinds that are in `newer` and not in `older`, a copy of its past: behind the last row that both
/// have. Oldest first in each chain.
pub fn later(newer: &Read<'_>, older: &Read<'_>, actions: &[Action]) -> Result<Vec<Later>> {
    let mut found = Vec::new();
    for chain_id in sql::chains(newer)? {
        let end = |read| Ok::<_, Error>(sql::end(read, chain_id)?.map_or(0, |(number, _)| number));
        // What is pruned from either cannot be compared, nor be told.
        let gone = |read| {
            let begun = past::checkpoint(read, chain_id)?;
            Ok::<_, Error>(begun.map_or(0, |begun| begun.number))
        };
        // Once two chains part they never meet again: each row's hash is over the one before.
        let (mut common, mut parted) = (
            gone(newer)?.max(gone(older)?),
            end(newer)?.min(end(older)?) + 1,
        );
        while common + 1 < parted {
            let middle = common + (parted - common) / 2;
            let is_common =
                sql::hash_of(newer, chain_id, middle)? == sql::hash_of(older, chain_id, middle)?;
            *(if is_common { &mut common } else { &mut parted }) = middle;
        }
        for entry in sql::after(newer, chain_id, common, actions)? {
            found.push(Later { chain_id, entry });
        }
    }
    Ok(found)
}
