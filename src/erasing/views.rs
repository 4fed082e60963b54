//! How a deleted account looks, and what is said before the rest of it is erased.

use jiff::tz::TimeZone;
use maud::{Markup, Render, html};

use super::Left;
use crate::accounts::Account;
use crate::accounts::views::Held;
use crate::audit::{self, Action, Deed, Hand};
use crate::kit::html::badge::Badge;
use crate::kit::html::button::Button;
use crate::kit::html::dialog::{Panel, buttons};
use crate::kit::html::field::Field;
use crate::kit::html::form::post;
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::note;
use crate::kit::html::stats::details;
use crate::kit::html::time::day;
use crate::kit::html::{Tone, Yes};
use crate::kit::http::form::Form;
use crate::kit::time::Timestamp;
use crate::routes::Route;
use crate::sessions::views::{Asked, PROOF_FIELD, proof_field};

/// The field into which the name is typed.
pub const NAME_FIELD: &str = "name";
/// What is typed where there is no name.
const NAMELESS: &str = "erase";

/// What a deleted account leaves.
#[derive(Clone, Debug)]
pub struct Tombstone {
    /// The account.
    pub account: Account,
    /// Since when it is one.
    pub deleted_at: Timestamp,
    /// Whether its name and addresses may stand somewhere.
    pub left: Left,
    /// Whether whoever looks may erase them.
    pub may_erase: Yes,
    /// What still runs under its name.
    pub held: Option<Held>,
    /// The newest events about it.
    pub activity: Vec<Deed>,
    /// The viewer's present.
    pub now: Timestamp,
    /// The viewer's zone.
    pub zone: TimeZone,
}

/// The page of it.
#[must_use]
pub fn tombstone(tombstone: &Tombstone) -> Markup {
    let account = &tombstone.account;
    let lead = match tombstone.left {
        Left::Something => "This account is deleted. Nobody can sign in with it.",
        Left::Nothing => "This account is deleted, and the personal data of its person is erased.",
    };
    html! {
        (back("Accounts", &Route::Accounts.to_string()))
        (page_head(&account.label(), Some(lead), None))
        (details(&rows(tombstone)))
        section.stack-2 {
            h2 { "Activity" }
            @if tombstone.activity.is_empty() {
                p.muted { "Nothing is left in the audit log." }
            } @else {
                (audit::views::activity("Activity", &tombstone.activity, tombstone.now, &tombstone.zone))
            }
        }
        @if tombstone.left == Left::Something { (personal_data(tombstone)) }
    }
}

fn rows(tombstone: &Tombstone) -> Vec<(&'static str, Markup)> {
    let account = &tombstone.account;
    let deleted = tombstone
        .activity
        .iter()
        .find(|deed| deed.action == Action::AccountDeleted);
    let by = deleted.map(|deed| match &deed.hand {
        Hand::Own => "you".to_owned(),
        Hand::Other(email) => email.clone(),
        Hand::Operator => "the operator".to_owned(),
        Hand::System | Hand::Stranger => "the Portal, as it was never activated".to_owned(),
    });
    let mut rows = vec![
        ("Status", html! { (Badge::Off("Deleted")) }),
        (
            "Deleted",
            html! {
                (day(tombstone.deleted_at, &tombstone.zone))
                @if let Some(by) = by { ", by " (by) }
            },
        ),
        ("Permission", html! { "Was " (account.role.label()) }),
        ("Created", day(account.created_at, &tombstone.zone)),
    ];
    if let Some(at) = account.activated_at {
        rows.push(("Activated", day(at, &tombstone.zone)));
    }
    if let Some(held) = tombstone
        .held
        .as_ref()
        .filter(|held| !held.names.is_empty())
    {
        let all = format!("{}?account={}", Route::Resources, account.id);
        rows.push((
            "Resources",
            html! {
                a href=(all) { (held.counted()) } " still under this account."
                @if held.may_hand_over == Yes::Yes {
                    " " a href=(Route::HandOverAll(account.id)) { "Hand them over" } "."
                }
            },
        ));
    }
    rows
}

fn personal_data(tombstone: &Tombstone) -> Markup {
    let account = &tombstone.account;
    let what = match account.name {
        Some(_) => {
            "The name stays beside what the account made, and in the audit log with the addresses of then."
        }
        None => "The audit log keeps the addresses that the account had.",
    };
    let href = Route::EraseAccount(account.id).to_string();
    html! {
        section.stack-2 {
            h2 { "Personal data" }
            p { (what) }
            @if tombstone.may_erase == Yes::Yes {
                div.row { (Button::dialog("Erase personal data…", &href).danger()) }
            } @else {
                p.hint { "A Master can erase it." }
            }
        }
    }
}

/// What is typed to confirm.
#[must_use]
pub fn word(account: &Account) -> String {
    match &account.name {
        Some(name) => name.to_string(),
        None => NAMELESS.to_owned(),
    }
}

/// What is drawn before it is done.
#[derive(Clone, Copy, Debug)]
pub struct Confirm<'c> {
    /// Whose data.
    pub account: &'c Account,
    /// What proves who does it.
    pub asked: Asked,
    /// How many nightly backups are kept; none where none are made.
    pub backups: Option<usize>,
    /// What was typed, and what is wrong with it.
    pub form: &'c Form,
    /// For its form.
    pub csrf: &'c str,
}

/// What erasing does, and the name to type before it is done.
#[must_use]
pub fn confirm(ask: &Confirm<'_>) -> Markup {
    let account = ask.account;
    let page = Route::Account(account.id).to_string();
    let word = word(account);
    let mut lines = vec![
        (
            "Goes",
            html! {
                "The name, and every email, phone number and network address of this person: here, beside what the account "
                "made, in the audit log, in mails and in lists of invitations. Whoever reads them sees “Erased account”."
            },
        ),
        (
            "Kept",
            html! {
                "What was done and when, under the number of the account. The audit log stays whole, and says that you "
                "erased this and which lines it changed."
            },
        ),
        (
            "Invoices",
            html! { "Issued invoices are never changed: a name that stands on one stays there." },
        ),
        (
            "Free text",
            html! {
                "Names, notes and addresses that others typed for resources or invoices are not searched. Change them "
                "where they name this person."
            },
        ),
    ];
    if let Some(kept) = ask.backups {
        lines.push((
            "Backups",
            html! {
                "Copies made before today still hold it. The last " (kept)
                " nightly ones are kept; the operator removes other copies by hand."
            },
        ));
    }
    let focus = ask.form.first_problem().unwrap_or(NAME_FIELD);
    let cancel = Button::close("Cancel", &page);
    let deed = Button::submit("Erase personal data", "Erasing…").danger();
    let inside = html! {
        (details(&lines))
        (note(Tone::Warn, &html! { p { "This cannot be undone, and nobody can tell afterwards who this was." } }))
        (Field::text(NAME_FIELD, &format!("Type {word} to confirm"))
            .value(ask.form.typed(NAME_FIELD))
            .error(ask.form.error(NAME_FIELD))
            .focus(focus)
            .autocomplete("off")
            .required())
        @if let Some(field) = proof_field(ask.asked) {
            (field.error(ask.form.error(PROOF_FIELD)).focus(focus))
        }
        (buttons(&html! { (cancel) (deed) }))
    };
    let does = Route::EraseAccount(account.id).to_string();
    Panel {
        title: "Erase personal data?",
        lead: Some(html! {
            p { "Everything that says who " b { (account.label()) } " was." }
        }),
        back: &page,
        body: post(&does, ask.csrf, &inside),
    }
    .render()
}
