//! How accounts are drawn: what the list and the page of one account have in common.

mod account;
mod acts;
mod list;
mod role;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use maud::{Markup, Render, html};

use super::{Account, Counts, Deed, Leaves, Line, MailState, Standing, Status, guards};
use crate::domain::id::AccountId;
use crate::domain::role::Permission;
use crate::domain::text::OrganisationName;
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::badge::{Badge, nothing, sub, tag};
use crate::kit::html::button::Button;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{View, page_head, tabs};
use crate::kit::html::person::{avatar, erased_avatar, invited_avatar};
use crate::kit::html::time::time;
use crate::kit::time::{HOUR, MINUTE, Timestamp};
use crate::routes::Route;

pub use account::{Facts, Held, Leaving, show};
pub use list::{Found, Query, index};
pub use role::{ROLE_FIELD, RoleField, about};

use acts::{Act, Acts};

/// A link that dies within this time is worth a warning.
const SOON: i64 = 6 * HOUR;
/// The longest answer of a mail server in a list; the account's page has all of it.
const ANSWER_MAX: usize = 48;

/// Who looks, when, and on what kind of server.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Their account.
    pub account: AccountId,
    /// What they may do, and how things stand in their organisation.
    pub standing: Standing,
    /// Their present.
    pub now: Timestamp,
    /// Their zone.
    pub zone: TimeZone,
    /// The organisation's, in whose days people leave.
    pub place: TimeZone,
    /// Whether mail leaves this server.
    pub mail: Mail,
    /// The hue of an account's avatar.
    pub hue: fn(AccountId) -> u8,
}

/// Whether mail leaves this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    /// It does.
    On,
    /// None was set up: links are handed over by other means.
    Off,
}

impl Viewer {
    /// Whether they may create accounts.
    #[must_use]
    pub const fn may_invite(&self) -> bool {
        self.standing.permissions.has(Permission::UsersManage)
            && self.standing.permissions.has(Permission::RolesAssign)
    }

    /// Whether they may do something to accounts at all.
    #[must_use]
    pub const fn may_manage(&self) -> bool {
        self.standing.permissions.has(Permission::UsersManage)
    }

    /// Whether they may do this to that account: the same guards that the verb asks.
    #[must_use]
    pub fn may(&self, account: &Account, deed: Deed) -> bool {
        guards::judge(&self.standing, account, deed).is_ok()
    }

    /// Whether they may change what the organisation asks for.
    #[must_use]
    pub const fn may_decide(&self) -> bool {
        self.standing
            .permissions
            .has(Permission::OrganisationManage)
    }

    /// Why they may do nothing to that account; none when they may do something.
    #[must_use]
    pub fn hindrance(&self, account: &Account) -> Option<String> {
        guards::not_oneself(&self.standing, account)
            .and_then(|()| guards::not_the_owner(&self.standing, account, Deed::Disable))
            .and_then(|()| guards::permission(&self.standing, Deed::Disable))
            .and_then(|()| guards::rule(&self.standing, account.role))
            .err()
    }
}

/// The head of both pages of IAM, with the way to the form.
#[must_use]
pub fn head(
    viewer: &Viewer,
    organisation: &OrganisationName,
    accounts: &Counts,
    current: Tab,
) -> Markup {
    let lead = format!("Who can sign in to {organisation}, and what they can do.");
    let new = Route::NewAccount.to_string();
    let import = Route::Import.to_string();
    let create = viewer.may_invite().then(|| {
        html! { (Button::link("Import", &import).icon(Icon::Upload)) (Button::dialog("Create account", &new).primary().icon(Icon::Plus).key('n')) }
    });
    let (list, roles) = (Route::Accounts.to_string(), Route::Roles.to_string());
    let view = |label, count: i64, href, tab| View {
        label,
        count: Some(u64::try_from(count).unwrap_or_default()),
        href,
        current: tab == current,
    };
    html! {
        (page_head("IAM", Some(&lead), create.as_ref()))
        (tabs("IAM", &[
            view("Accounts", accounts.all(), &list, Tab::Accounts),
            view("Roles", 4, &roles, Tab::Roles),
        ]))
    }
}

/// The two pages of IAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The list.
    Accounts,
    /// The roles.
    Roles,
}

/// The status, and what to do about it.
fn status(line: &Line, viewer: &Viewer) -> Markup {
    let badge = match line.account.status {
        Status::Active => Badge::Good("Active"),
        Status::Pending => Badge::Pending("Pending"),
        Status::Disabled { .. } => Badge::Off("Disabled"),
        Status::Deleted { .. } => Badge::Off("Deleted"),
    };
    let (tone, words) = second_line(line, viewer);
    html! {
        (badge)
        (sub(tone, &words))
    }
}

/// The line under a status: the first thing that wants to be done, else how things stand.
fn second_line(line: &Line, viewer: &Viewer) -> (Tone, String) {
    if let Some(leaves) = leaves(line, viewer) {
        return leaving(leaves, viewer);
    }
    match line.account.status {
        Status::Active if line.account.has_two_factor => (Tone::Plain, "Two-factor on".to_owned()),
        Status::Active => (Tone::Warn, "No two-factor".to_owned()),
        Status::Disabled { since } | Status::Deleted { at: since } => {
            (Tone::Plain, since_when(since, viewer))
        }
        Status::Pending => invitation(line, viewer),
    }
}

/// When somebody leaves, which is told to everybody who manages accounts but themself: as with disabling itself, telling
/// them is for people.
fn leaves(line: &Line, viewer: &Viewer) -> Option<Leaves> {
    line.leaves.filter(|_| line.account.id != viewer.account)
}

/// "Leaves 30 Nov", or that it was to be so.
fn leaving(leaves: Leaves, viewer: &Viewer) -> (Tone, String) {
    let day = without_year(leaves.at.minus(1), &viewer.place, viewer.now);
    match leaves.obstacle {
        None => (Tone::Warn, format!("Leaves {day}")),
        Some(_) => (Tone::Bad, format!("Not disabled on {day}")),
    }
}

/// "30 Nov", with the year when it is another than this.
fn without_year(instant: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let (day, today) = (dates::day(instant, zone), dates::day(now, zone));
    match (day.rsplit_once(' '), today.rsplit_once(' ')) {
        (Some((short, year)), Some((_, this))) if year == this => short.to_owned(),
        _ => day,
    }
}

/// "Since 3 Nov", or an hour of today.
fn since_when(since: Timestamp, viewer: &Viewer) -> String {
    let day = dates::day(since, &viewer.zone);
    if day == dates::day(viewer.now, &viewer.zone) {
        return "Since today".to_owned();
    }
    format!("Since {}", without_year(since, &viewer.zone, viewer.now))
}

fn invitation(line: &Line, viewer: &Viewer) -> (Tone, String) {
    let left = line.link_expires_at.map_or(0, |at| at.since(viewer.now));
    if left <= 0 {
        return (Tone::Bad, "Link expired".to_owned());
    }
    match (line.mail, viewer.mail) {
        (Some(MailState::Failed), _) => {
            let answer = line.mail_answer.as_deref().unwrap_or("no answer");
            return (Tone::Bad, format!("Mail failed: {}", shortened(answer)));
        }
        (Some(MailState::Waiting), Mail::Off) => {
            return (Tone::Warn, "Not sent, mail is off".to_owned());
        }
        (Some(MailState::Waiting), Mail::On) => return (Tone::Warn, "Mail waiting".to_owned()),
        (Some(MailState::Sent) | None, _) => {}
    }
    if left < SOON {
        return (Tone::Warn, format!("Link expires in {}", span(left)));
    }
    let invited_at = line.invited_at.unwrap_or(line.account.created_at);
    let age = viewer.now.since(invited_at);
    if age < MINUTE {
        return (Tone::Plain, "Invited just now".to_owned());
    }
    (Tone::Plain, format!("Invited {} ago", span(age)))
}

/// "5 h", or minutes, or days where links live long.
fn span(seconds: i64) -> String {
    match seconds {
        ..HOUR => format!("{} min", (seconds / MINUTE).max(1)),
        _ if seconds < 48 * HOUR => format!("{} h", seconds / HOUR),
        _ => format!("{} days", seconds / (24 * HOUR)),
    }
}

fn shortened(answer: &str) -> String {
    let line = answer.lines().next().unwrap_or_default();
    if line.chars().count() <= ANSWER_MAX {
        return line.to_owned();
    }
    let start: String = line.chars().take(ANSWER_MAX - 1).collect();
    format!("{}…", start.trim_end())
}

/// Words beside a name.
fn tags(account: &Account, viewer: &Viewer) -> Markup {
    html! {
        @if account.id == viewer.account { (tag("You")) }
        @if account.id == viewer.standing.owner { (tag("Owner")) }
    }
}

/// "Invited by Ingrid": what stands where a name will be.
fn invited_by(line: &Line) -> String {
    match &line.invited_by {
        Some(name) => format!("Invited by {}", name.first()),
        None => "Invited by the operator".to_owned(),
    }
}

/// When somebody was last here.
fn last_seen(account: &Account, viewer: &Viewer) -> Markup {
    match account.last_seen_at {
        Some(at) => time(at, viewer.now, &viewer.zone),
        None => html! { span.muted { "Never" } },
    }
}

/// The avatar: initials, or a dashed circle for somebody who is not here yet.
fn face(account: &Account, viewer: &Viewer) -> Markup {
    match &account.name {
        Some(name) if account.status != Status::Pending => {
            avatar(&name.initials(), (viewer.hue)(account.id))
        }
        None if matches!(account.status, Status::Deleted { .. }) => erased_avatar(),
        Some(_) | None => invited_avatar(),
    }
}

/// The address as it reads; none once deleted.
fn address(account: &Account) -> Markup {
    match &account.email {
        Some(email) => email.as_str().render(),
        None => nothing("No address"),
    }
}
