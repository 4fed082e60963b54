//! How resources are drawn: what the list, the page of one and the pages of deeds have in common.

pub mod deeds;
mod list;
mod resource;

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::Resource;
use crate::accounts::{Account, Status};
use crate::catalogue::Plan;
use crate::domain::id::AccountId;
use crate::domain::money::{Currency, Money};
use crate::domain::role::{Permission, Permissions};
use crate::domain::text::OrganisationName;
use crate::kit::html::icon::Icon;
use crate::kit::html::menu::Item;
use crate::kit::html::person::{avatar, erased_avatar, invited_avatar};
use crate::kit::time::Timestamp;
use crate::routes::Route;

pub use list::{Counts, Found, Query, Shown, index};
pub use resource::{Cost, Facts, Stretch, show};

/// Who looks, and when.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Their account.
    pub account: AccountId,
    /// What they may do.
    pub permissions: Permissions,
    /// To whom all of it is billed.
    pub organisation: OrganisationName,
    /// In which currency; none before the first catalogue.
    pub currency: Option<Currency>,
    /// Their present.
    pub now: Timestamp,
    /// Their zone.
    pub zone: TimeZone,
    /// The hue of an account's avatar.
    pub hue: fn(AccountId) -> u8,
}

impl Viewer {
    /// Whether they may create resources, and change and end them.
    #[must_use]
    pub const fn may_manage(&self) -> bool {
        self.permissions.has(Permission::ResourcesManage)
    }

    /// Whether they may see what stands under this account's name: their own, or all when they look after the bill.
    #[must_use]
    pub fn may_see_amounts_of(&self, holder: AccountId) -> bool {
        self.sees_all_amounts() || holder == self.account
    }

    /// Whether they may see what everything costs.
    #[must_use]
    pub const fn sees_all_amounts(&self) -> bool {
        self.permissions.has(Permission::BillingManage)
    }

    /// An amount as they read it.
    #[must_use]
    pub fn money(&self, amount: Money) -> String {
        self.currency
            .map_or_else(|| amount.0.to_string(), |currency| currency.show(amount))
    }

    /// "€12.40 a month".
    #[must_use]
    pub fn price(&self, amount: Money) -> String {
        format!("{} a month", self.money(amount))
    }
}

/// One resource with what belongs to it, as far as its reader may see it.
#[derive(Clone, Debug)]
pub struct Line {
    /// The resource.
    pub resource: Resource,
    /// The plan it has.
    pub plan: Plan,
    /// Who created it.
    pub creator: Account,
    /// Under whose name it is charged.
    pub holder: Account,
    /// What it has cost this month; none where that is not theirs to see.
    pub cost: Option<Money>,
}

/// The avatar: initials, or a dashed circle for somebody who is not here yet.
fn face(account: &Account, viewer: &Viewer) -> Markup {
    match &account.name {
        Some(name) => avatar(&name.initials(), (viewer.hue)(account.id)),
        None if matches!(account.status, Status::Deleted { .. }) => erased_avatar(),
        None => invited_avatar(),
    }
}

/// Their name, leading to their page where there is one that the viewer may see.
fn named(account: &Account, viewer: &Viewer) -> Markup {
    let is_there = !matches!(account.status, Status::Deleted { .. });
    html! {
        @if is_there && viewer.permissions.has(Permission::UsersRead) {
            a href=(Route::Account(account.id)) { (account.label()) }
        } @else { (account.label()) }
        @if account.id == viewer.account { " (you)" }
    }
}

/// "now Samuel's": what is said beside whoever created it.
fn now_of(holder: &Account, viewer: &Viewer) -> String {
    match &holder.name {
        _ if holder.id == viewer.account => "now yours".to_owned(),
        Some(name) => format!("now {}’s", name.first()),
        None => format!("now of {}", holder.label()),
    }
}

/// "37 resources".
fn resources(count: usize) -> String {
    match count {
        1 => "1 resource".to_owned(),
        count => format!("{count} resources"),
    }
}

/// What can be done with one that runs, as addresses: the lines of a menu borrow them.
struct Acts {
    edit: String,
    plan: String,
    hand_over: String,
    end: String,
}

impl Acts {
    /// None for one that has ended, and for whoever may only read.
    fn of(resource: &Resource, viewer: &Viewer) -> Option<Self> {
        let is_open = viewer.may_manage() && resource.ended_at.is_none();
        is_open.then(|| Self {
            edit: Route::DescribeResource(resource.id).to_string(),
            plan: Route::ChangePlan(resource.id).to_string(),
            hand_over: Route::HandOver(resource.id).to_string(),
            end: Route::EndResource(resource.id).to_string(),
        })
    }

    /// The menu of a row; what cannot be taken back stands below a line.
    fn menu(&self) -> [Item<'_>; 5] {
        let dialog = |icon, label, href| Item::Dialog { icon, label, href };
        [
            dialog(Icon::Pencil, "Rename or note…", &self.edit),
            dialog(Icon::Tag, "Change plan…", &self.plan),
            dialog(Icon::ArrowRightLeft, "Hand over…", &self.hand_over),
            Item::Rule,
            Item::Danger {
                icon: Icon::Ban,
                label: "End…",
                href: &self.end,
            },
        ]
    }
}
