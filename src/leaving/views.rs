//! The one page before somebody leaves: what they own, what ends, what stays, and what it costs.

use jiff::tz::TimeZone;
use maud::{Markup, Render, html};

use super::{HEIR_FIELD, Inventory};
use crate::accounts::views::Held;
use crate::accounts::{Account, Departure, EMAIL_FIELD, Status};
use crate::domain::day;
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::kit::dates;
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Check, Choice, Select, Way, Ways};
use crate::kit::html::field::Field;
use crate::kit::html::notice::note;
use crate::kit::html::stats::details;
use crate::kit::html::{Tone, Yes};
use crate::lifecycle::views::{Ask, Begin, NAMED_MAX, Question, also_ends_offer, more, people};
use crate::routes::Route;
use crate::sessions::Live;

/// The field that says whether it is done now or on a date, and its two values.
pub const WHEN_FIELD: &str = "when";
/// At once.
pub const NOW: &str = "now";
/// At the end of the day in [`DATE_FIELD`].
pub const ON_DATE: &str = "date";
/// The last day.
pub const DATE_FIELD: &str = "date";
/// Whether invitations are sent anew.
pub const RESEND_FIELD: &str = "resend";

/// What both pages are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Farewell<'f> {
    /// Whom it is about.
    pub ask: Ask<'f>,
    /// What ends, and what does not.
    pub inventory: &'f Inventory,
    /// What runs under its name; none before there is anything to hold.
    pub held: Option<&'f Held>,
    /// Who can get it, for those who may hand over.
    pub heirs: &'f [Account],
    /// Who acts.
    pub own: AccountId,
    /// The organisation's zone, in whose days people leave.
    pub zone: &'f TimeZone,
}

impl Farewell<'_> {
    fn label(&self) -> String {
        self.ask.account.label()
    }

    /// The lines that both deeds have in common.
    fn lines(&self) -> Vec<(&'static str, Markup)> {
        let Inventory {
            ends,
            invoices_to,
            lets_leave,
            ..
        } = self.inventory;
        let mut lines = Vec::new();
        if self.ask.account.status != Status::Pending {
            lines.push(("Sessions", self.sessions(&ends.sessions)));
        }
        if !ends.invited.is_empty() {
            let invited = html! {
                "The links this account sent to these people stop working: " (people(&ends.invited))
            };
            lines.push(("Invitations", invited));
        }
        if let Some(owner) = invoices_to {
            lines.push((
                "Invoices",
                html! { "They are mailed to this account. From then on they go to the owner, " (owner.label()) "." },
            ));
        }
        if !lets_leave.is_empty() {
            lines.push(("Dates", self.dates(lets_leave)));
        }
        also_ends_offer(&mut lines, ends);
        lines.extend(self.held.and_then(|held| self.resources(held)));
        lines
    }

    fn sessions(&self, sessions: &[Live]) -> Markup {
        html! {
            @match sessions.len() {
                0 => "Nobody is signed in with this account now.",
                1 => "1 session ends:",
                count => { (count) " sessions end:" }
            }
            @if !sessions.is_empty() {
                ul { @for live in sessions.iter().take(NAMED_MAX) { li { (self.ask.session(live)) } } }
                (more(sessions.len()))
            }
        }
    }

    /// The last days that it set for others.
    fn dates(&self, others: &[(Account, Departure)]) -> Markup {
        html! {
            "The last days this account set are not kept: "
            @for (at, (one, departure)) in others.iter().take(NAMED_MAX).enumerate() {
                @if at > 0 { ", " }
                a href=(Route::Account(one.id)) { (one.label()) }
                " (" (dates::day(departure.at.minus(1), self.zone)) ")"
            }
            @if others.len() > NAMED_MAX { " and " (others.len() - NAMED_MAX) " more" }
            ". Set a date anew to keep it: it is yours then."
        }
    }

    /// What it holds, by name; nothing where it holds nothing.
    fn resources(&self, held: &Held) -> Option<(&'static str, Markup)> {
        if held.names.is_empty() {
            return None;
        }
        let names = held.names.iter().take(NAMED_MAX);
        let line = html! {
            (held.counted()) ": "
            @for (at, name) in names.enumerate() { @if at > 0 { ", " } (name.as_str()) }
            @if held.names.len() > NAMED_MAX { " and " (held.names.len() - NAMED_MAX) " more" }
            ". They run on, and are charged as before. What they have cost until now stays under the name " (self.label())
            "."
        };
        Some(("Resources", line))
    }

    /// To whom it goes, for those who may say; else where it stays.
    fn heir(&self) -> Markup {
        let Some(held) = self.held.filter(|held| !held.names.is_empty()) else {
            return html! {};
        };
        let label = self.label();
        if held.may_hand_over != Yes::Yes || self.heirs.is_empty() {
            return html! { p { "The resources stay under the name " (label) "." } };
        }
        let keep = format!("Keep them under the name {label}");
        let options: Vec<(String, String)> = self
            .heirs
            .iter()
            .map(|heir| (heir.id.to_string(), self.handing(heir)))
            .collect();
        let mut choices = vec![Choice::new("", &keep)];
        choices.extend(options.iter().map(|(id, words)| Choice::new(id, words)));
        let typed = self.ask.form.typed(HEIR_FIELD);
        let before = self.inventory.departure.and_then(|one| one.heir);
        let before = before.filter(|_| !self.ask.form.has_problems());
        let before = before.map(|heir| heir.to_string()).unwrap_or_default();
        Select::new(HEIR_FIELD, "Resources", choices)
            .chosen(if typed.is_empty() { &before } else { typed })
            .hint("Handed over together with this, all or none. No mail tells anybody.")
            .error(self.ask.form.error(HEIR_FIELD))
            .render()
    }

    fn handing(&self, heir: &Account) -> String {
        match (&heir.name, &heir.email) {
            _ if heir.id == self.own => "Hand them all over to you".to_owned(),
            (Some(name), Some(email)) => format!("Hand them all over to {name} ({email})"),
            _ => format!("Hand them all over to {}", heir.label()),
        }
    }

    /// Whether the invitations live on, under the name of whoever acts.
    fn resend(&self) -> Markup {
        let count = self.inventory.ends.invited.len();
        if count == 0 {
            return html! {};
        }
        let label = match count {
            1 => "Resend this invitation in my name".to_owned(),
            count => format!("Resend these {count} invitations in my name"),
        };
        Check::new(RESEND_FIELD, &label)
            .hint("New links go out at once and stay good. The older ones stop working.")
            .ticked(self.ask.form.typed(RESEND_FIELD) == "yes")
            .render()
    }

    /// That a last day is set already.
    fn set_before(&self, then: &str) -> Markup {
        let Some(departure) = self.inventory.departure else {
            return html! {};
        };
        match departure.dropped {
            None => note(
                Tone::Plain,
                &html! {
                    p { "This account is to be disabled " (day::ending(departure.at, self.zone)) ". " (then) }
                },
            ),
            Some((_, why)) => note(
                Tone::Warn,
                &html! {
                    p {
                        "This account was to be disabled " (day::ending(departure.at, self.zone)) ", and was not. "
                        (why.sentence())
                    }
                },
            ),
        }
    }
}

/// What switching off does, and when.
#[must_use]
pub fn confirm_disable(page: &Farewell<'_>) -> Markup {
    let (ask, label) = (&page.ask, page.label());
    let mut lines = vec![(
        "Sign-in",
        html! {
            "Blocked. Reset links that were not used stop working, and a change of email that waits for its confirmation "
            "is dropped."
        },
    )];
    lines.extend(page.lines());
    lines.push((
        "Kept",
        html! {
            "Name, email, phone, password, " @if ask.account.has_two_factor { "two-factor, " } "the permission "
            (ask.account.role) ", and all that the account did. Enabling it brings it back as it was."
        },
    ));
    let body = html! {
        (page.set_before("Disabling it now puts that date away; another date takes its place."))
        (details(&lines))
        (page.heir())
        (page.resend())
        (when(page))
    };
    ask.panel(&Question {
        title: format!("Disable {label}?"),
        lead: html! { "Blocks sign-in and keeps everything. No mail tells " (label) "." },
        body,
        does: Route::DisableAccount(ask.account.id),
        deed: Button::submit(&format!("Disable {label}"), "Disabling…").danger(),
        begin: if ask.form.has_problems() {
            Begin::Field
        } else {
            Begin::Cancel
        },
    })
}

/// Now, or at the end of a day.
fn when(page: &Farewell<'_>) -> Markup {
    let form = page.ask.form;
    let set = page
        .inventory
        .departure
        .filter(|departure| departure.dropped.is_none())
        .map(|departure| day::iso(departure.at, page.zone));
    let chosen = match (form.typed(WHEN_FIELD), &set) {
        (ON_DATE, _) | ("", Some(_)) => ON_DATE,
        _ => NOW,
    };
    let typed = match form.typed(DATE_FIELD) {
        "" if !form.has_problems() => set.as_deref().unwrap_or_default(),
        typed => typed,
    };
    let zone = page.zone.iana_name().unwrap_or("UTC");
    let hint = format!("The account works until the end of this day, {zone}.");
    let ways = vec![Way::new(NOW, "Now"), Way::new(ON_DATE, "On a date")];
    html! {
        (Ways::new(WHEN_FIELD, vec![("When", ways)]).chosen(chosen).error(form.error(WHEN_FIELD))
            .focused(form.first_problem() == Some(WHEN_FIELD)))
        // Choosing a day chooses "On a date", where the script runs.
        div data-picks={ (WHEN_FIELD) "-2" } {
            (Field::date(DATE_FIELD, "Last day").value(typed).hint(hint).error(form.error(DATE_FIELD))
                .focus(form.first_problem().unwrap_or_default()))
        }
    }
}

/// What deleting does, and the address to type before it is done.
#[must_use]
pub fn confirm_delete(page: &Farewell<'_>, email: &Email) -> Markup {
    let (ask, account, label) = (&page.ask, page.ask.account, page.label());
    let mut lines = match account.status {
        Status::Pending => vec![(
            "Ends",
            html! { "The activation link dies, and a mail that still waits is not sent." },
        )],
        Status::Active | Status::Disabled { .. } | Status::Deleted { .. } => vec![(
            "Ends",
            html! {
                "Password, " @if account.has_two_factor { "two-factor and its recovery codes, " }
                "email, phone, reset links and known browsers are removed. Mail that still waits is not sent."
            },
        )],
    };
    lines.extend(page.lines());
    lines.push((
        "Freed",
        html! { (email) " can be invited again, here or in another organisation." },
    ));
    lines.push((
        "Kept",
        html! {
            @match account.status {
                Status::Pending => "The audit log keeps what happened.",
                _ => "The name, in the audit log and beside what the account made.",
            }
        },
    ));
    let disable = Route::DisableAccount(account.id);
    let body = html! {
        (page.set_before("Deleting it puts that date away."))
        (details(&lines))
        @if account.status == Status::Active {
            p {
                "To block sign-in and keep everything, now or on a date, " a href=(disable) { "disable the account" }
                " instead."
            }
        }
        (page.heir())
        (page.resend())
        (Field::email(EMAIL_FIELD, &format!("Type {email} to confirm"))
            .value(ask.form.typed(EMAIL_FIELD))
            .error(ask.form.error(EMAIL_FIELD))
            .focus(ask.form.first_problem().unwrap_or(EMAIL_FIELD))
            .required())
    };
    ask.panel(&Question {
        title: format!("Delete {label}?"),
        lead: html! { "This cannot be undone." },
        body,
        does: Route::DeleteAccount(account.id),
        deed: Button::submit(&format!("Delete {label}"), "Deleting…").danger(),
        begin: Begin::Field,
    })
}
