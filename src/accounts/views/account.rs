//! The page of one account: facts, what can be done, what happened.

use maud::{Markup, html};

use super::{Act, Acts, Mail, Viewer, address, last_seen, status, tags};
use crate::accounts::{Account, Deed, Departure, Line, MailState, Status};
use crate::audit;
use crate::domain::day;
use crate::domain::policy::{Asked, Protection};
use crate::domain::role::Permission;
use crate::domain::text::ResourceName;
use crate::kit::dates;
use crate::kit::html::badge::{count, nothing};
use crate::kit::html::button::Button;
use crate::kit::html::form::post_button;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::note;
use crate::kit::html::stats::details;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::{day as on_day, time, when};
use crate::kit::html::{Tone, Yes};
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
    /// When its password was set; none when there is none.
    pub password_since: Option<Timestamp>,
    /// When its second factor was set up; none when there is none.
    pub factor_since: Option<Timestamp>,
    /// What it is asked for besides the password.
    pub protection: Protection,
    /// What runs under its name; none before there is anything to hold.
    pub held: Option<Held>,
    /// Its last day, if one is set, or was; not told to its own person.
    pub departure: Option<Leaving>,
    /// The newest events about it.
    pub activity: Vec<audit::Deed>,
}

/// A last day, with the names of whom it names.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// The day, and what stood in the way.
    pub departure: Departure,
    /// Who set it; none: the operator.
    pub set_by: Option<String>,
    /// Who gets what the account holds.
    pub heir: Option<String>,
}

/// What runs under an account's name.
#[derive(Clone, Debug)]
pub struct Held {
    /// What the resources are called.
    pub names: Vec<ResourceName>,
    /// What its name is charged this month, for those who may see it.
    pub this_month: Option<String>,
    /// Whether whoever looks may give it to somebody else.
    pub may_hand_over: Yes,
}

impl Held {
    /// "4 resources (€88.00 this month)".
    #[must_use]
    pub fn counted(&self) -> String {
        let resources = match self.names.len() {
            1 => "1 resource".to_owned(),
            count => format!("{count} resources"),
        };
        match &self.this_month {
            Some(amount) => format!("{resources} ({amount} this month)"),
            None => resources,
        }
    }
}

/// So many resources are named; of more the number is told.
const NAMED_MAX: usize = 4;

/// The page.
#[must_use]
pub fn show(viewer: &Viewer, facts: &Facts, csrf: &str) -> Markup {
    let line = &facts.line;
    let account = &line.account;
    let acts = Acts::of(line, viewer);
    let buttons = buttons(&acts, viewer, csrf);
    html! {
        (back("Accounts", &Route::Accounts.to_string()))
        (page_head(&account.label(), Some(&lead(account, viewer)), buttons.as_ref()))
        @if let Some(words) = hint(line, viewer, &acts) { (words) }
        @if let Some(leaving) = &facts.departure { (last_day(leaving, facts, viewer, csrf)) }
        (details(&rows(facts, viewer)))
        @if account.status == Status::Active { (sessions(&facts.sessions, &acts, viewer)) }
        (activity(facts, viewer))
        (danger(facts, &acts))
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

/// What is done most at the head; the rest stands in its section.
fn buttons(acts: &Acts, viewer: &Viewer, csrf: &str) -> Option<Markup> {
    let copy = Button::submit("Copy activation link", "Fetching…").icon(Icon::Link);
    // Without mail the link is the one way on.
    let copy = if viewer.mail == Mail::Off {
        copy
    } else {
        copy.plain()
    };
    let of = |act| acts.to(act);
    let any = [Act::Resend, Act::Copy, Act::Enable, Act::ChangeRole]
        .into_iter()
        .any(|act| acts.has(act));
    any.then(|| {
        html! {
            @if let Some(action) = of(Act::Resend) {
                (post_button(action, csrf, &Button::submit("Resend invitation", "Sending…").plain().icon(Icon::RefreshCw)))
            }
            @if let Some(action) = of(Act::Copy) { (post_button(action, csrf, &copy)) }
            @if let Some(href) = of(Act::Enable) { (Button::dialog("Enable", href).icon(Icon::CircleCheck)) }
            @if let Some(href) = of(Act::ChangeRole) {
                (Button::dialog("Change permission", href).icon(Icon::UserRoundCog))
            }
        }
    })
}

/// What stands above the facts: what to do next, or why nothing can be done.
fn hint(line: &Line, viewer: &Viewer, acts: &Acts) -> Option<Markup> {
    if let Some(why) = viewer.hindrance(&line.account) {
        let is_own = line.account.id == viewer.account;
        return Some(note(
            Tone::Plain,
            &html! {
                p {
                    (why)
                    @if is_own { " " a href=(Route::Profile) { "Open your Account page" } "." }
                }
            },
        ));
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

/// That a last day is set, or that it came and nothing was done, and how to change that.
fn last_day(leaving: &Leaving, facts: &Facts, viewer: &Viewer, csrf: &str) -> Markup {
    let (departure, id) = (&leaving.departure, facts.line.account.id);
    let ending = day::ending(departure.at, &viewer.place);
    let by = leaving.set_by.as_deref().unwrap_or("the operator");
    let may = |deed| viewer.may(&facts.line.account, deed);
    let (disable, keep) = (
        Route::DisableAccount(id).to_string(),
        Route::KeepAccount(id).to_string(),
    );
    let (tone, words, cancel) = match departure.dropped {
        None => (
            Tone::Warn,
            html! {
                p { b { "Leaves " (ending) "." } " The account is disabled then. Set by " (by) "." }
                @if let Some(heir) = &leaving.heir { p { "What it holds is handed over to " (heir) " at the same time." } }
            },
            "Cancel the last day",
        ),
        Some((_, why)) => (
            Tone::Bad,
            html! {
                p {
                    b { "Was to be disabled " (ending) ", and was not." } " " (why.sentence()) " Set by " (by) "."
                }
            },
            "Put this away",
        ),
    };
    note(
        tone,
        &html! {
            div.stack-2 {
                div { (words) }
                div.row {
                    @if may(Deed::Disable) { (Button::dialog("Change or disable now…", &disable).small()) }
                    @if may(Deed::Keep) { (post_button(&keep, csrf, &Button::submit(cancel, "Cancelling…").plain().small())) }
                }
            }
        },
    )
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
        rows.push(("Activated", on_day(at, &viewer.zone)));
        rows.push(("Sign-in", sign_in(facts, viewer)));
        rows.push(("Password", password(facts.password_since, viewer)));
    }
    rows.push(("Last active", last_seen(account, viewer)));
    if let (Some(held), Some(_)) = (&facts.held, account.activated_at) {
        rows.push(("Resources", resources(held, account)));
    }
    rows
}

/// What runs under its name: how much, what it costs, and the way there.
fn resources(held: &Held, account: &Account) -> Markup {
    let names: Vec<&str> = held.names.iter().map(ResourceName::as_str).collect();
    let more = names.len().saturating_sub(NAMED_MAX);
    let all = format!("{}?account={}", Route::Resources, account.id);
    html! {
        @if names.is_empty() {
            "None"
            @if let Some(amount) = &held.this_month { ", " (amount) " this month" }
        } @else {
            a href=(all) { (held.counted()) } ": "
            (names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", "))
            @if more > 0 { " and " (more) " more" }
            "."
            @if held.may_hand_over == Yes::Yes {
                " " a href=(Route::HandOverAll(account.id)) { "Hand them over" } "."
            }
        }
    }
}

/// How its person proves who they are: what a thief would need.
fn sign_in(facts: &Facts, viewer: &Viewer) -> Markup {
    let has_password = facts.password_since.is_some();
    let Some(since) = facts.factor_since else {
        let what = if has_password {
            "Password"
        } else {
            "No password"
        };
        return html! {
            (what) ". No two-factor" (asked(facts, viewer))
        };
    };
    html! {
        @if has_password { "Password and two-factor" } @else { "No password. Two-factor" }
        " since " (on_day(since, &viewer.zone))
    }
}

/// Until when it may go on without, where a second factor is required.
fn asked(facts: &Facts, viewer: &Viewer) -> Markup {
    let Protection::Without(Asked::By(end)) = facts.protection else {
        return html! {};
    };
    html! {
        @if facts.protection.is_overdue(viewer.now) {
            ". Required since " (when(end, viewer.now, &viewer.zone))
            ": until it is set up, nothing else can be reached"
        } @else {
            ". Required from " (when(end, viewer.now, &viewer.zone))
        }
    }
}

fn password(since: Option<Timestamp>, viewer: &Viewer) -> Markup {
    match since {
        Some(at) => html! { "Set " (when(at, viewer.now, &viewer.zone)) },
        None => html! { "None: it was reset, and its person has not set another yet" },
    }
}

fn by(name: Option<&crate::domain::text::PersonName>) -> &str {
    name.map_or("the operator", crate::domain::text::PersonName::as_str)
}

fn created(line: &Line, viewer: &Viewer) -> Markup {
    let account = &line.account;
    html! {
        (on_day(account.created_at, &viewer.zone))
        @match &line.created_by {
            Some(name) => { ", by " (name.as_str()) }
            // Of those whom nobody here invited, the set-up's owner was Active from the first moment.
            None if account.activated_at == Some(account.created_at) => ", with the organisation",
            None => ", by the operator",
        }
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

/// Where its person is signed in, and how to end that.
fn sessions(sessions: &[sessions::Live], acts: &Acts, viewer: &Viewer) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Browser"),
        Column::new(Cell::Detail, "Network address"),
        Column::new(Cell::Extra, "Signed in"),
        Column::new(Cell::Aside, "Last used"),
    ];
    let at = |at| html! { span.nowrap { (time(at, viewer.now, &viewer.zone)) } };
    let rows = html! {
        @for session in sessions {
            (row(&[
                (Cell::Main, html! { (session.agent) }),
                (Cell::Detail, html! { (session.address) }),
                (Cell::Extra, at(session.created_at)),
                (Cell::Aside, at(session.used_at)),
            ]))
        }
    };
    let number = u64::try_from(sessions.len()).unwrap_or_default();
    html! {
        section.stack-2 {
            h2 { "Sessions " (count(number)) }
            @if sessions.is_empty() {
                p.muted { "Nobody is signed in with this account." }
            } @else {
                (Table { caption: "Sessions", shape: Shape::Cards, columns: &columns, rows, foot: None })
            }
            @if [Act::SignOut, Act::ResetPassword, Act::ResetTwoFactor].into_iter().any(|act| acts.has(act)) {
                div.row {
                    @if let Some(href) = acts.to(Act::SignOut) {
                        (Button::dialog("Sign out everywhere", href).icon(Icon::LogOut))
                    }
                    @if let Some(href) = acts.to(Act::ResetPassword) {
                        (Button::dialog("Reset password…", href).icon(Icon::KeyRound))
                    }
                    @if let Some(href) = acts.to(Act::ResetTwoFactor) {
                        (Button::dialog("Reset two-factor…", href).icon(Icon::Smartphone))
                    }
                }
            }
        }
    }
}

/// What locks its person out, last on the page.
fn danger(facts: &Facts, acts: &Acts) -> Markup {
    let account = &facts.line.account;
    let holds = facts.held.as_ref().filter(|held| !held.names.is_empty());
    let (disable, delete) = (acts.to(Act::Disable), acts.to(Act::Delete));
    let gone = match account.status {
        Status::Pending => "Deleting: the activation link dies and the address is free again.",
        _ if account.has_two_factor => {
            "Deleting removes password, two-factor, address and every session for good, and frees the address. The name \
             stays in the audit log."
        }
        _ => {
            "Deleting removes the password, the address and every session for good, and frees the address. The name \
             stays in the audit log."
        }
    };
    html! {
        @if disable.is_some() || delete.is_some() {
            section.stack-2 {
                h2 { "Danger" }
                @if let Some(href) = disable {
                    p { "Disabling blocks sign-in and keeps everything, now or on a date. It can be taken back." }
                    div.row { (Button::dialog("Disable account…", href).danger()) }
                }
                @if let Some(href) = delete {
                    p {
                        (gone)
                        @if let Some(held) = holds {
                            " Its " (held.counted()) " can be handed over with it."
                        }
                    }
                    div.row { (Button::dialog("Delete account…", href).danger()) }
                }
            }
        }
    }
}

fn activity(facts: &Facts, viewer: &Viewer) -> Markup {
    let deeds = &facts.activity;
    let id = facts.line.account.id;
    html! {
        section.stack-2 {
            h2 { "Activity" }
            @if deeds.is_empty() {
                p.muted { "Nothing yet." }
            } @else {
                (audit::views::activity("Activity", deeds, viewer.now, &viewer.zone))
            }
            @if viewer.standing.permissions.has(Permission::AuditRead) {
                p {
                    "In the audit log: "
                    a href=(format!("{}?target={id}", Route::Audit)) { "all that was done to this account" }
                    ", "
                    a href=(format!("{}?who={id}", Route::Audit)) { "all that it did" } "."
                }
            }
        }
    }
}
