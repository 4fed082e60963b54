//! How events look to whoever reads of them: in sentences, never in slugs.

mod event;
mod list;
mod sentence;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Action, Deed};
use crate::kit::html::icon::Icon;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::time;
use crate::kit::time::Timestamp;

pub use event::{Links, Opened, event};
pub use list::{List, Query, Told, kept, list};
pub use sentence::sentence;

/// What an action is called: "Role changed".
#[must_use]
pub fn kind(action: Action) -> String {
    match action {
        Action::Denied => "Refused for want of a permission".to_owned(),
        _ => spoken(action.slug()),
    }
}

/// A name of ours as people write it.
fn spoken(name: &str) -> String {
    let words = name.replace(['.', '_'], " ");
    let mut letters = words.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}", letters.as_str())
}

/// Events as a table: what, and when.
#[must_use]
pub fn activity(caption: &str, deeds: &[Deed], now: Timestamp, zone: &TimeZone) -> Markup {
    let columns = [
        Column::new(Cell::Main, "What").unseen(),
        Column::new(Cell::End, "When"),
    ];
    let rows = html! {
        @for deed in deeds {
            (row(&[
                (Cell::Main, html! { span.person { span.muted { (icon(deed.action)) } span { (sentence(deed)) } } }),
                (Cell::End, html! { span.muted.nowrap { (time(deed.at, now, zone)) } }),
            ]))
        }
    };
    html! {
        div.break { (Table { caption, shape: Shape::Plain, columns: &columns, rows, foot: None }) }
    }
}

const fn icon(action: Action) -> Icon {
    match action {
        Action::AuditExported => Icon::Download,
        Action::OrganisationCreated
        | Action::OrganisationDeleted
        | Action::OrganisationRenamed
        | Action::OrganisationMoved
        | Action::OrganisationDisabled
        | Action::OrganisationEnabled => Icon::Building2,
        Action::OwnershipOffered
        | Action::OwnershipWithdrawn
        | Action::OwnershipDeclined
        | Action::OwnershipMoved
        | Action::RoleChanged
        | Action::ManagersChanged
        | Action::DomainsChanged => Icon::Users,
        Action::PolicyChanged => Icon::ShieldCheck,
        Action::AccountCreated | Action::OwnerInvited => Icon::UserRoundPlus,
        Action::ImportChecked
        | Action::ImportDiscarded
        | Action::ImportBegan
        | Action::ImportEnded => Icon::Upload,
        Action::ImportExported => Icon::Download,
        Action::AccountActivated | Action::AccountEnabled => Icon::CircleCheck,
        Action::AccountDisabled => Icon::Ban,
        Action::AccountDeleted | Action::AccountErased | Action::LogPruned => Icon::Trash2,
        Action::DepartureSet | Action::DepartureCancelled | Action::DepartureDropped => Icon::Clock,
        Action::InvitationResent
        | Action::InvitationLinkAsked
        | Action::MailRetried
        | Action::MailTested
        | Action::EmailChangeAsked
        | Action::EmailChanged => Icon::Mail,
        Action::ProfileChanged | Action::PreferencesChanged | Action::FirstStepsPutAway => {
            Icon::Settings
        }
        Action::InvitationLinkCopied | Action::SetupLinkMade | Action::SignInLinkMade => Icon::Link,
        Action::InvitationExpired
        | Action::ClockSteppedBack
        | Action::BackupMade
        | Action::BackupRestored
        | Action::SchemaUpgraded => Icon::Clock,
        Action::SignedIn => Icon::LogIn,
        Action::SignedOut | Action::SessionEnded | Action::SessionsEnded => Icon::LogOut,
        Action::SignInFailed
        | Action::SignInThrottled
        | Action::CodeFailed
        | Action::CodeThrottled
        | Action::BackupFailed => Icon::CircleAlert,
        Action::ResetRequested
        | Action::PasswordChanged
        | Action::PasswordReset
        | Action::AccountUnlocked
        | Action::ProofGiven
        | Action::RecoveryCodesRenewed
        | Action::KeyReplaced => Icon::KeyRound,
        Action::TwoFactorBegun | Action::TwoFactorOn | Action::CodeAsked => Icon::Smartphone,
        Action::TwoFactorOff | Action::TwoFactorReset => Icon::ShieldOff,
        Action::CatalogueImported
        | Action::ResourceCreated
        | Action::ResourceDescribed
        | Action::ResourcePlanChanged
        | Action::ResourceHandedOver
        | Action::ResourceEnded => Icon::Server,
        Action::InvoiceIssued
        | Action::InvoicePaid
        | Action::BudgetChanged
        | Action::BillingDetailsChanged => Icon::CreditCard,
        Action::InvitationRefused
        | Action::Denied
        | Action::FormRefused
        | Action::RequestMalformed => Icon::Ban,
    }
}
