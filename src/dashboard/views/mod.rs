//! How the dashboard is drawn.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::accounts::Counts;
use crate::audit::Deed;
use crate::audit::views::activity;
use crate::domain::policy::Asked;
use crate::domain::text::OrganisationName;
use crate::kit::dates;
use crate::kit::html::badge::sub;
use crate::kit::html::nav::page_head;
use crate::kit::html::stats::{Stat, details, stats};
use crate::kit::html::time::{time, when};
use crate::kit::html::{Tone, Yes};
use crate::kit::time::Timestamp;
use crate::outbox::{self, Relay};
use crate::routes::Route;

/// The dashboard.
#[derive(Debug)]
pub struct Dashboard<'d> {
    /// By which name the reader is greeted.
    pub name: &'d str,
    /// For those who may list the accounts.
    pub numbers: Option<&'d Numbers>,
    /// What the reader can see to. For those who answer for the organisation an empty list says that all is well.
    pub concerns: Option<&'d [Concern]>,
    /// The reader's sign-in before this one.
    pub sign_in_before: Option<&'d Deed>,
    /// What the reader did, and what was done to their account, newest first.
    pub deeds: &'d [Deed],
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'d TimeZone,
}

/// What can be counted.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// The accounts.
    pub accounts: Counts,
    /// Those among the Pending ones whose link has run out.
    pub expired: i64,
    /// The mails, for those who may see them.
    pub mail: Option<outbox::Counts>,
}

/// What should be seen to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The ownership is offered to the reader.
    Ownership {
        /// By whom.
        owner: String,
        /// Of what.
        organisation: OrganisationName,
    },
    /// Links begin with an address that does not serve.
    PublicAddress(PublicAddress, String),
    /// Mail does not leave.
    Mail(Relay),
    /// Nobody could step in for the one Master.
    OneMaster,
    /// So many links ran out before they were used.
    Expired(i64),
    /// So many mails were given up.
    FailedMail(i64),
    /// So many Active accounts have no second factor; and whether the reader decides what is asked of them.
    PasswordAlone(i64, Yes),
    /// The reader has none, and this is asked of them.
    OwnFactor(Asked),
}

/// What is wrong with the public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicAddress {
    /// It leads nobody but this machine here.
    Loopback,
    /// It is http, for all the way to see.
    InTheClear,
}

/// The page.
#[must_use]
pub fn dashboard(page: &Dashboard<'_>) -> Markup {
    let title = format!("{}, {}", greeting(page.now, page.zone), page.name);
    let today = today(page.now, page.zone);
    html! {
        (page_head(&title, Some(&today), None))
        @if let Some(numbers) = page.numbers { (tiles(numbers)) }
        @if let Some(concerns) = page.concerns { (attention(concerns, page)) }
        section.stack-2 {
            h2 { "Your recent activity" }
            p.muted { (last_sign_in(page)) }
            (activity("Your recent activity", page.deeds, page.now, page.zone))
        }
    }
}

/// By the clock on the reader's wall.
fn greeting(now: Timestamp, zone: &TimeZone) -> &'static str {
    match dates::zoned(now, zone).hour() {
        5..=11 => "Good morning",
        12..=17 => "Good afternoon",
        _ => "Good evening",
    }
}

fn today(now: Timestamp, zone: &TimeZone) -> String {
    let day = dates::long_day(now, zone);
    match zone.iana_name() {
        Some(name) => format!("{day}, {name}"),
        None => day,
    }
}

fn last_sign_in(page: &Dashboard<'_>) -> Markup {
    let Some(before) = page.sign_in_before else {
        return html! { "This is your first sign-in." };
    };
    let agent = before.details.get("agent").and_then(|agent| agent.as_str());
    html! {
        "Last sign-in before this one: " (time(before.at, page.now, page.zone))
        @if let Some(agent) = agent { ", " (agent) }
        @if let Some(address) = &before.address { ", " (address) }
        "."
    }
}

fn tiles(numbers: &Numbers) -> Markup {
    let accounts = numbers.accounts;
    let (all, active, pending) = (
        accounts.all().to_string(),
        accounts.active.to_string(),
        accounts.pending.to_string(),
    );
    let split = format!("{active} active, {pending} pending");
    let expired = counted(numbers.expired, "link expired", "links expired");
    // Rounded down: only all are 100 %.
    let with = (accounts.active - accounts.unprotected) * 100;
    let protected = format!("{}%", with / accounts.active.max(1));
    let without = counted(accounts.unprotected, "account without", "accounts without");
    let [list, only_without, only_pending] = [
        Route::Accounts.to_string(),
        format!(
            "{}?two_factor={}",
            Route::Accounts,
            if accounts.unprotected > 0 {
                "off"
            } else {
                "on"
            }
        ),
        accounts_with("pending"),
    ];
    let mail = numbers.mail.map(|mail| {
        let unsent = (mail.waiting + mail.failed).to_string();
        let split = format!("{} waiting, {} failed", mail.waiting, mail.failed);
        (unsent, split, mail.failed > 0)
    });
    let all_mail = Route::Mail.to_string();
    let mut tiles = vec![
        Stat {
            label: "Accounts",
            value: &all,
            note: Some((Tone::Plain, &split)),
            href: Some(&list),
        },
        Stat {
            label: "Two-factor",
            value: &protected,
            note: (accounts.unprotected > 0).then_some((Tone::Warn, &without)),
            href: Some(&only_without),
        },
        Stat {
            label: "Pending",
            value: &pending,
            note: (numbers.expired > 0).then_some((Tone::Warn, &expired)),
            href: Some(&only_pending),
        },
    ];
    if let Some((unsent, split, has_failed)) = &mail {
        let tone = if *has_failed { Tone::Warn } else { Tone::Plain };
        tiles.push(Stat {
            label: "Mail to be sent",
            value: unsent,
            note: Some((tone, split)),
            href: Some(&all_mail),
        });
    }
    stats(&tiles)
}

fn accounts_with(status: &str) -> String {
    format!("{}?status={status}", Route::Accounts)
}

fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn attention(concerns: &[Concern], page: &Dashboard<'_>) -> Markup {
    let lines: Vec<(&str, Markup)> = concerns.iter().map(|one| line(one, page)).collect();
    html! {
        section.stack-2 {
            h2 { "Needs attention" }
            @if lines.is_empty() { p.muted { "Nothing just now." } } @else { (details(&lines)) }
        }
    }
}

/// What it is about, how it stands, and the way to mend it.
fn line<'l>(concern: &Concern, page: &Dashboard<'_>) -> (&'l str, Markup) {
    match concern {
        Concern::Ownership {
            owner,
            organisation,
        } => (
            "Ownership",
            html! {
                (sub(Tone::Warn, "Offered to you"))
                (owner) " offers you the ownership of " (organisation) ". "
                a href={ (Route::Settings) "#ownership" } { "Accept or decline" } "."
            },
        ),
        Concern::PublicAddress(wrong, url) => ("Public address", public_address(*wrong, url)),
        Concern::Mail(relay) => ("Mail", mail(relay, page)),
        Concern::OneMaster => (
            "Second Master",
            html! {
                (sub(Tone::Warn, "One Master"))
                "Without a second one nobody but the operator can help when you are away or locked out. "
                a href=(Route::NewAccount) { "Create one" } "."
            },
        ),
        Concern::PasswordAlone(count, may_decide) => (
            "Two-factor",
            html! {
                (sub(Tone::Warn, &counted(*count, "account without it", "accounts without it")))
                (counted(*count, "account signs", "accounts sign")) " in with a password alone. "
                a href={ (Route::Accounts) "?two_factor=off" } { "Show who" }
                @if *may_decide == Yes::Yes {
                    " or " a href={ (Route::Settings) "#security" } { "change what is asked" }
                }
                "."
            },
        ),
        Concern::OwnFactor(asked) => (
            "Your sign-in",
            html! {
                (sub(Tone::Warn, "Password alone"))
                @if let Asked::By(end) = asked {
                    "Two-factor is required of you from " (when(*end, page.now, page.zone)) " on. "
                } @else {
                    "Two-factor is strongly recommended. "
                }
                a href=(Route::TwoFactor) { "Set it up" } "."
            },
        ),
        Concern::Expired(count) => (
            "Invitations",
            html! {
                (sub(Tone::Warn, &counted(*count, "link expired", "links expired")))
                "Resend or delete: " a href=(accounts_with("pending")) { "Pending accounts" } "."
            },
        ),
        Concern::FailedMail(count) => (
            "Failed mail",
            html! {
                (sub(Tone::Warn, &counted(*count, "mail failed", "mails failed")))
                "See what the mail server said: "
                a href={ (Route::Mail) "?state=failed" } { "failed mail" } "."
            },
        ),
    }
}

fn public_address(wrong: PublicAddress, url: &str) -> Markup {
    let (state, so) = match wrong {
        PublicAddress::Loopback => (
            "This machine only",
            "so links in mails lead nobody else here",
        ),
        PublicAddress::InTheClear => (
            "Not encrypted",
            "so passwords and links can be read on the way",
        ),
    };
    html! {
        (sub(Tone::Warn, state))
        "Links begin with " a href=(Route::Dashboard) { (url) } ", " (so) ". Whoever runs this Portal sets "
        code { "public_url" } " to the https address that people type."
    }
}

fn mail(relay: &Relay, page: &Dashboard<'_>) -> Markup {
    let see = html! { a href=(Route::Mail) { "See what waits" } "." };
    match relay {
        Relay::Off | Relay::Works => html! {
            (sub(Tone::Warn, "Mail is off"))
            "Invitations wait; their links can be copied. Whoever runs this Portal turns mail on with "
            code { "DOORWARD_SMTP_URL" } ". " (see)
        },
        Relay::Fails {
            since, next_try, ..
        } => html! {
            (sub(Tone::Warn, "Mail server in trouble"))
            "Since " (time(*since, page.now, page.zone)) "; next try " (time(*next_try, page.now, page.zone)) ". " (see)
        },
    }
}

#[cfg(test)]
mod tests;
