//! The page of one account: facts, what can be done, what happened.

use maud::{Markup, html};

use super::{Act, Acts, Mail, Viewer, address, last_seen, status, tags};
use crate::accounts::{Account, Line, MailState, Status};
use crate::audit;
use crate::domain::role::Permission;
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::badge::nothing;
use crate::kit::html::button::Button;
use crate::kit::html::form::post_button;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::note;
use crate::kit::html::stats::details;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::{day, time, when};
use crate::kit::time::Timestamp;
use crate::routes::Route;
use crate::sessions;

/// What the page of one account shows.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The account, and how its invitation stands.
    pub line: Line,
    /// Its sessions that are not over.
    pub sessions: Vec<sessions::Live>,
    /// The newest events about it.
    pub activity: Vec<audit::Entry>,
}

/// The page.
#[must_use]
pub fn show(viewer: &Viewer, facts: &Facts, csrf: &str) -> Markup {
    let line = &facts.line;
    let account = &line.account;
    let acts = Acts::of(line, viewer);
    let buttons = (!acts.items.is_empty()).then(|| buttons(&acts, viewer, csrf));
    html! {
        (back("Accounts", &Route::Accounts.to_string()))
        (page_head(&account.label(), Some(&lead(account, viewer)), buttons.as_ref()))
        @if let Some(words) = hint(line, viewer, &acts) { (words) }
        (details(&rows(facts, viewer)))
        (activity(&facts.activity, viewer))
        @if acts.has(Act::Delete) { (danger(&acts)) }
    }
}

/// One line on who this is.
fn lead(account: &Account, viewer: &Viewer) -> String {
    let since = match (account.status, account.activated_at) {
        (Status::Pending, _) | (_, None) => {
            format!("{}, not activated yet", account.role)
        }
        (_, Some(at)) => format!("{} · Joined {}", account.role, dates::day(at, &viewer.zone)),
    };
    match (&account.name, &account.email) {
        (Some(_), Some(email)) => format!("{email} · {since}"),
        _ => since,
    }
}

fn buttons(acts: &Acts, viewer: &Viewer, csrf: &str) -> Markup {
    let copy = Button::submit("Copy activation link", "Fetching…").icon(Icon::Link);
    // Without mail the link is the one way on.
    let copy = if viewer.mail == Mail::Off {
        copy
    } else {
        copy.plain()
    };
    html! {
        @if acts.has(Act::Resend) {
            (post_button(&acts.resend, csrf, &Button::submit("Resend invitation", "Sending…").plain().icon(Icon::RefreshCw)))
        }
        @if acts.has(Act::Copy) { (post_button(&acts.copy, csrf, &copy)) }
    }
}

/// What stands above the facts: what to do next, or why nothing can be done.
fn hint(line: &Line, viewer: &Viewer, acts: &Acts) -> Option<Markup> {
    if let Some(why) = viewer.hindrance(&line.account) {
        return Some(note(Tone::Plain, &html! { p { (why) } }));
    }
    if !acts.has(Act::Resend) {
        return None;
    }
    if !acts.has(Act::Copy) {
        return Some(note(
            Tone::Warn,
            &html! { p { "The link has expired. Resend the invitation to make a new one." } },
        ));
    }
    (line.mail == Some(MailState::Waiting) && viewer.mail == Mail::Off).then(|| {
        note(
            Tone::Warn,
            &html! { p { "Mail is off on this server, so nothing was sent. Give the link to the person yourself." } },
        )
    })
}

fn rows(facts: &Facts, viewer: &Viewer) -> Vec<(&'static str, Markup)> {
    let line = &facts.line;
    let account = &line.account;
    let mut rows = vec![
        ("Status", html! { (status(line, viewer)) }),
        (
            "Permission",
            html! {
                a href=(Route::Role(account.role)) { (account.role.label()) } ". " (account.role.main_rights_under(viewer.standing.managers))
            },
        ),
        (
            "Email",
            html! { (address(account)) " " (tags(account, viewer)) },
        ),
        (
            "Phone",
            match &account.phone {
                Some(phone) => html! { (phone.spaced()) },
                None => nothing("No phone"),
            },
        ),
        ("Created", created(line, viewer)),
    ];
    if let (Status::Pending, Some(at)) = (account.status, line.invited_at) {
        rows.push((
            "Invited",
            html! { (time(at, viewer.now, &viewer.zone)) ", by " (by(line.invited_by.as_ref())) },
        ));
    }
    if let (Status::Pending, Some(at)) = (account.status, line.link_expires_at) {
        rows.push(("Activation link", link(at, viewer)));
    }
    if let Some(mail) = line.mail {
        rows.push(("Invitation mail", mail_row(line, mail, viewer)));
    }
    if let Some(at) = account.activated_at {
        rows.push(("Activated", day(at, &viewer.zone)));
        rows.push(("Sessions", html! { (facts.sessions.len()) }));
    }
    rows.push(("Last active", last_seen(account, viewer)));
    rows
}

fn by(name: Option<&crate::domain::text::PersonName>) -> &str {
    name.map_or("the operator", crate::domain::text::PersonName::as_str)
}

fn created(line: &Line, viewer: &Viewer) -> Markup {
    let account = &line.account;
    html! {
        (day(account.created_at, &viewer.zone))
        @if account.id == viewer.standing.owner { ", with the organisation" }
        @else { ", by " (by(line.created_by.as_ref())) }
    }
}

fn link(expires_at: Timestamp, viewer: &Viewer) -> Markup {
    html! {
        @if expires_at > viewer.now { "Works once, until " } @else { "Expired " }
        (when(expires_at, viewer.now, &viewer.zone))
    }
}

fn mail_row(line: &Line, mail: MailState, viewer: &Viewer) -> Markup {
    let words = match (mail, viewer.mail) {
        (MailState::Sent, _) => "Sent".to_owned(),
        (MailState::Waiting, Mail::On) => "Waiting".to_owned(),
        (MailState::Waiting, Mail::Off) => "Not sent: mail is off".to_owned(),
        (MailState::Failed, _) => {
            format!(
                "Failed: {}",
                line.mail_answer.as_deref().unwrap_or("no answer")
            )
        }
    };
    let href = line
        .mail_id
        .filter(|_| viewer.standing.permissions.has(Permission::UsersManage))
        .map(Route::Errand);
    html! {
        (words)
        @if let Some(href) = href { ". " a href=(href) { "See the mail" } }
    }
}

fn danger(acts: &Acts) -> Markup {
    html! {
        section.stack-2 {
            h2 { "Delete" }
            p { "The activation link dies and the address is free again." }
            div.row { (Button::dialog("Delete account…", &acts.delete).danger()) }
        }
    }
}

fn activity(entries: &[audit::Entry], viewer: &Viewer) -> Markup {
    let columns = [
        Column::new(Cell::Main, "What"),
        Column::new(Cell::Detail, "Who"),
        Column::new(Cell::Aside, "When"),
    ];
    let rows = html! {
        @for entry in entries {
            (row(&[
                (Cell::Main, html! { (entry.sentence()) }),
                (Cell::Detail, html! { (entry.actor_label()) }),
                (Cell::Aside, html! { span.nowrap { (time(Timestamp(entry.at), viewer.now, &viewer.zone)) } }),
            ]))
        }
    };
    html! {
        section.stack-2 {
            h2 { "Activity" }
            @if entries.is_empty() {
                p.muted { "Nothing yet." }
            } @else {
                (Table { caption: "Activity", shape: Shape::Cards, columns: &columns, rows, foot: None })
            }
        }
    }
}
