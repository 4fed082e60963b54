//! What will happen to each of those that were chosen, and who is left out, and why.

use maud::{Markup, Render, html};

use super::pages::{ACCOUNT_FIELD, CONFIRM_FIELD, DEED_FIELD, LEFT_FIELD};
use super::{Act, SEEN_FIELD, Verdict};
use crate::accounts::Account;
use crate::accounts::views::Viewer;
use crate::kit::html::Tone;
use crate::kit::html::badge::count;
use crate::kit::html::button::Button;
use crate::kit::html::dialog::{Panel, buttons};
use crate::kit::html::form::{hidden, post};
use crate::kit::html::notice::alert;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::http::form::Form;
use crate::lifecycle::views::FROM_FIELD;
use crate::routes::Route;

/// One of them, with what hangs on it.
#[derive(Clone, Debug)]
pub struct Each {
    /// Whether it can have it done.
    pub verdict: Verdict,
    /// How many sessions it has.
    pub sessions: usize,
    /// How many invitations would die with its rights.
    pub invited: usize,
    /// How many resources run under its name.
    pub held: usize,
}

/// The page.
#[derive(Clone, Copy, Debug)]
pub struct Confirm<'c> {
    /// What is to be done.
    pub act: Act,
    /// To whom.
    pub done: &'c [Each],
    /// To whom not.
    pub left: &'c [Each],
    /// How they stand now.
    pub stamp: &'c str,
    /// What was sent, and what is wrong with it.
    pub form: &'c Form,
    /// The list they were chosen in.
    pub list: &'c str,
    /// Whether mail leaves this server.
    pub is_mailed: bool,
    /// Who looks.
    pub viewer: &'c Viewer,
    /// For its form.
    pub csrf: &'c str,
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// Verb and object: the button, and the title of the page.
#[must_use]
pub fn title(act: Act, count: usize) -> String {
    match act {
        Act::Resend => format!("Resend {}", counted(count, "invitation", "invitations")),
        Act::Disable => format!("Disable {}", counted(count, "account", "accounts")),
        Act::SignOut => format!(
            "Sign out {} everywhere",
            counted(count, "account", "accounts")
        ),
    }
}

/// What will happen, and the button that does it.
#[must_use]
pub fn confirm(page: &Confirm<'_>) -> Markup {
    let title = title(page.act, page.done.len());
    let problem = [SEEN_FIELD, ACCOUNT_FIELD]
        .into_iter()
        .find_map(|field| page.form.error(field));
    if page.done.is_empty() {
        return nothing(page, problem);
    }
    let busy = match page.act {
        Act::Resend => "Sending…",
        Act::Disable => "Disabling…",
        Act::SignOut => "Signing out…",
    };
    let deed = Button::submit(&title, busy);
    let deed = if page.act == Act::Disable {
        deed.danger()
    } else {
        deed.primary()
    };
    let inside = html! {
        (hidden(DEED_FIELD, page.act.key()))
        (hidden(CONFIRM_FIELD, "yes"))
        (hidden(SEEN_FIELD, page.stamp))
        (hidden(FROM_FIELD, page.list))
        @for one in page.done { (hidden(ACCOUNT_FIELD, &one.verdict.account.id.to_string())) }
        @for one in page.left { (hidden(LEFT_FIELD, &one.verdict.account.id.to_string())) }
        @if let Some(problem) = problem { (alert(Tone::Warn, &html! { p { (problem) } })) }
        (each(page))
        @if !page.left.is_empty() { (left_out(page)) }
        (buttons(&html! { (Button::close("Cancel", page.list).focused()) (deed) }))
    };
    Panel {
        title: &format!("{title}?"),
        lead: Some(html! { p { (lead(page)) } }),
        back: page.list,
        body: post(&Route::SelectedAccounts.to_string(), page.csrf, &inside),
    }
    .render()
}

fn lead(page: &Confirm<'_>) -> Markup {
    match page.act {
        Act::Resend => html! {
            "Each gets a new link in your name, and the older one stops working. "
            @if page.is_mailed { "The links go out by mail." }
            @else { "Mail is off on this server: copy each link afterwards, and hand it over." }
        },
        Act::Disable => html! {
            "Blocks sign-in and keeps everything; resources stay under the name they have. No mail tells anybody. To hand "
            "resources over, or to set a date, disable one account at a time."
        },
        Act::SignOut => html! {
            "Every browser has to sign in again. What is typed there and not saved is lost. Passwords and permissions stay."
        },
    }
}

/// Nothing can be done to any of them.
fn nothing(page: &Confirm<'_>, problem: Option<&str>) -> Markup {
    let (title, lead) = match (page.act, page.left.is_empty()) {
        (_, true) => ("No account is chosen", problem.unwrap_or_default()),
        (Act::Resend, false) => (
            "No invitation can be resent",
            "None of the accounts that were chosen can have it.",
        ),
        (Act::Disable, false) => (
            "No account can be disabled",
            "None of the accounts that were chosen can have it.",
        ),
        (Act::SignOut, false) => (
            "No account can be signed out",
            "None of the accounts that were chosen can have it.",
        ),
    };
    let body = html! {
        @if !page.left.is_empty() { (left_out(page)) }
        (buttons(&html! { (Button::close("Back to the list", page.list).primary().focused()) }))
    };
    Panel {
        title,
        lead: Some(html! { p { (lead) } }),
        back: page.list,
        body,
    }
    .render()
}

fn name(account: &Account) -> Markup {
    html! { a href=(Route::Account(account.id)) { (account.label()) } }
}

fn each(page: &Confirm<'_>) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Account"),
        Column::new(Cell::Detail, "What happens"),
    ];
    let rows = html! {
        @for one in page.done {
            (row(&[
                (Cell::Main, name(&one.verdict.account)),
                (Cell::Detail, html! { (happens(page.act, one)) }),
            ]))
        }
    };
    Table {
        caption: "What happens",
        shape: Shape::Cards,
        columns: &columns,
        rows,
        foot: None,
    }
    .render()
}

/// "Admin. 2 sessions end, 1 invitation dies, 4 resources stay under the name."
fn happens(act: Act, one: &Each) -> String {
    let account = &one.verdict.account;
    let sessions = match one.sessions {
        0 => "nobody is signed in".to_owned(),
        1 => "1 session ends".to_owned(),
        count => format!("{count} sessions end"),
    };
    let parts = match act {
        Act::Resend => vec!["a new link".to_owned()],
        Act::SignOut => vec![sessions],
        Act::Disable => {
            let mut parts = vec![sessions];
            match one.invited {
                0 => {}
                1 => parts.push("1 invitation stops working".to_owned()),
                count => parts.push(format!("{count} invitations stop working")),
            }
            match one.held {
                0 => {}
                1 => parts.push("1 resource stays under the name".to_owned()),
                count => parts.push(format!("{count} resources stay under the name")),
            }
            parts
        }
    };
    format!("{}: {}", account.role, parts.join(", "))
}

fn left_out(page: &Confirm<'_>) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Account"),
        Column::new(Cell::Detail, "Why"),
    ];
    let rows = html! {
        @for one in page.left {
            (row(&[
                (Cell::Main, name(&one.verdict.account)),
                (Cell::Detail, html! { (one.verdict.refusal.as_deref().unwrap_or_default()) }),
            ]))
        }
    };
    let number = u64::try_from(page.left.len()).unwrap_or_default();
    html! {
        section.stack-2 {
            h2 { "Left out " (count(number)) }
            (Table { caption: "Left out", shape: Shape::Cards, columns: &columns, rows, foot: None })
        }
    }
}
