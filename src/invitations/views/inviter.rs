//! What those who invite see: the form, the link, and what is asked before an account goes.

use jiff::tz::TimeZone;
use maud::{Markup, Render, html};

use crate::accounts::views::{ROLE_FIELD, RoleField, about};
use crate::accounts::{Account, EMAIL_FIELD};
use crate::domain::id::AccountId;
use crate::domain::role::{Managers, Permission, Permissions};
use crate::domain::text::OrganisationName;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::copy::first_copy_box;
use crate::kit::html::dialog::{Panel, buttons};
use crate::kit::html::field::Field;
use crate::kit::html::form::post;
use crate::kit::html::notice::{alert, note};
use crate::kit::html::time::time;
use crate::kit::http::form::Form;
use crate::kit::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::routes::{HelpTopic, Route};

/// What the form to create an account shows.
#[derive(Clone, Copy, Debug)]
pub struct NewForm<'f> {
    /// What was typed, and what is wrong with it.
    pub form: &'f Form,
    /// Why it has to wait.
    pub problem: Option<&'f str>,
    /// The account that has this address already, when it is in the same organisation.
    pub taken_by: Option<AccountId>,
    /// What whoever fills it in may do.
    pub permissions: Permissions,
    /// Who manages users there.
    pub managers: Managers,
    /// To whom everything is billed.
    pub organisation: &'f OrganisationName,
    /// How long the link will live, in seconds.
    pub ttl: i64,
    /// Whether the link is mailed.
    pub is_mailed: bool,
}

/// "+ Create account": a dialog where the script runs, a page everywhere.
#[must_use]
pub fn new(new: &NewForm<'_>, csrf: &str) -> Markup {
    let form = new.form;
    let begin = form.first_problem().unwrap_or(EMAIL_FIELD);
    let error = form.error(EMAIL_FIELD).map(|sentence| {
        html! {
            (sentence)
            @if let Some(id) = new.taken_by { " " a href=(Route::Account(id)) { "See the account" } }
        }
    });
    let email = Field::email(EMAIL_FIELD, "Email")
        .value(form.typed(EMAIL_FIELD))
        .placeholder("name@company.com")
        .hint("Also used to sign in. Each email can be registered once across the whole system.")
        .error(error)
        .focus(begin)
        .required();
    let billed = format!(
        "Can be changed later. What this account creates is billed to {}.",
        new.organisation
    );
    let role = RoleField {
        permissions: new.permissions,
        managers: new.managers,
        chosen: form.typed(ROLE_FIELD),
        hint: &billed,
        error: None,
        is_first: false,
        about: &|role| about(role, new.managers),
    };
    let list = Route::Accounts.to_string();
    let body = html! {
        @if let Some(problem) = new.problem { (alert(Tone::Bad, &html! { p { (problem) } })) }
        (email)
        (role)
        (buttons(&html! { (Button::close("Cancel", &list)) (Button::submit("Confirm", "Creating…")) }))
    };
    let life = lifetime(new.ttl);
    let lead = if new.is_mailed {
        format!("We send an activate account link. It works once, for {life}.")
    } else {
        format!(
            "Mail is off on this server: you get the link and hand it over. It works once, for {life}."
        )
    };
    Panel {
        title: "Create account",
        lead: Some(html! {
            p { (lead) }
            p { a href=(Route::Help(HelpTopic::SubAccountPermissions)) { "What each role may do" } }
        }),
        back: &list,
        body: post(&list, csrf, &body),
    }
    .render()
}

/// "24 hours", "3 days", "30 minutes".
fn lifetime(seconds: i64) -> String {
    let (number, unit) = match seconds {
        _ if seconds > 2 * DAY && seconds % DAY == 0 => (seconds / DAY, "day"),
        _ if seconds >= HOUR => (seconds / HOUR, "hour"),
        _ => ((seconds / MINUTE).max(1), "minute"),
    };
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{s}")
}

/// The activation link, shown in answer to whoever asked for it.
#[derive(Clone, Copy, Debug)]
pub struct ShownLink<'l> {
    /// Whose.
    pub account: &'l Account,
    /// The link in full.
    pub link: &'l str,
    /// When it dies.
    pub expires_at: Timestamp,
    /// The present.
    pub now: Timestamp,
    /// The viewer's zone.
    pub zone: &'l TimeZone,
    /// Whether the link is mailed as well.
    pub is_mailed: bool,
    /// What whoever looks may do.
    pub permissions: Permissions,
}

/// The link to hand over by other means.
#[must_use]
pub fn link(shown: &ShownLink<'_>) -> Markup {
    let account = Route::Account(shown.account.id).to_string();
    let new = Route::NewAccount.to_string();
    let may_invite = shown.permissions.has(Permission::UsersManage)
        && shown.permissions.has(Permission::RolesAssign);
    let lead = html! {
        p { b { (shown.account.label()) } " is Pending as " (shown.account.role) " until the link is used." }
    };
    let body = html! {
        @if !shown.is_mailed {
            (note(Tone::Warn, &html! {
                p { "Mail is off on this server, so nothing was sent. Give the link to the person yourself." }
            }))
        }
        div.stack-2 {
            (first_copy_box("activation-link", "Activate account link", shown.link))
            p.hint {
                "Works once, until " (time(shown.expires_at, shown.now, shown.zone))
                ". Whoever opens it sets the password: give it to nobody else. You can copy it again from the account’s menu."
            }
        }
        (buttons(&html! {
            @if may_invite { (Button::dialog("Create another", &new)) }
            (Button::close("Done", &account).primary())
        }))
    };
    Panel {
        title: "Activation link",
        lead: Some(lead),
        back: &account,
        body,
    }
    .render()
}
