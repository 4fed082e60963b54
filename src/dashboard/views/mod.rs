//! How the dashboard is drawn.

mod first_steps;
mod sign_ins;
mod tiles;

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::accounts::Counts;
use crate::audit::Deed;
use crate::audit::views::activity;
use crate::backups::Failing;
use crate::domain::id::AccountId;
use crate::domain::invoice::InvoiceNumber;
use crate::domain::money::{Currency, Money};
use crate::domain::month::Month;
use crate::domain::policy::Asked;
use crate::domain::text::OrganisationName;
use crate::kit::dates;
use crate::kit::html::badge::sub;
use crate::kit::html::nav::page_head;
use crate::kit::html::stats::details;
use crate::kit::html::time::{time, when};
use crate::kit::html::{Tone, Yes};
use crate::kit::time::Timestamp;
use crate::outbox::{self, Relay};
use crate::routes::Route;

pub use first_steps::FirstSteps;
pub use sign_ins::{Day, SignIns};

/// Where the log of the whole organisation is read.
const AUDIT_LOG: &str = "/audit";

/// The dashboard.
#[derive(Debug)]
pub struct Dashboard<'d> {
    /// By which name the reader is greeted.
    pub name: &'d str,
    /// For those who may list the accounts.
    pub numbers: Option<&'d Numbers>,
    /// What runs, for those who see all of it.
    pub running: Option<&'d Running>,
    /// For those who look after the bill.
    pub bill: Option<&'d Bill>,
    /// For those who see amounts of their own alone.
    pub own: Option<&'d Own>,
    /// The first steps, for those who answer for the organisation while it is new.
    pub first_steps: Option<&'d FirstSteps>,
    /// What the reader can see to. For those who answer for the organisation an empty list says that all is well.
    pub concerns: Option<&'d [Concern]>,
    /// The reader's sign-in before this one.
    pub sign_in_before: Option<&'d Deed>,
    /// How often people signed in.
    pub sign_ins: &'d SignIns,
    /// What was done in the organisation, for those who read its log; else what the reader did, and what was done to their
    /// account. Newest first.
    pub deeds: &'d [Deed],
    /// Of which of the two.
    pub deeds_of: Whose,
    /// The proof of the forms.
    pub csrf: &'d str,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'d TimeZone,
}

/// Of whom something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of everybody in the organisation.
    Organisation,
    /// Of the reader.
    Own,
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

/// What the organisation has.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    /// How many resources run.
    pub count: i64,
    /// How many of them were created within a week.
    pub added: i64,
}

/// What the running month costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// In what it is paid.
    pub currency: Currency,
    /// The running month.
    pub month: Month,
    /// Until now.
    pub so_far: Money,
    /// All of it, if everything goes on as it is.
    pub expected: Money,
}

/// What is to be paid.
#[derive(Clone, Debug)]
pub struct Bill {
    /// For the running month.
    pub costs: Costs,
    /// What a month may cost; none: whatever it does.
    pub budget: Option<Money>,
    /// How many invoices are not paid.
    pub open: usize,
    /// What is owed for them.
    pub owed: Money,
    /// Those among them that should have been, newest first, with the start of the day until whose end.
    pub overdue: Vec<(InvoiceNumber, Timestamp)>,
}

/// What runs under the reader's name.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// The reader.
    pub account: AccountId,
    /// How many resources.
    pub count: usize,
    /// What they cost.
    pub costs: Costs,
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
    /// The nightly backups fail.
    Backup(Failing),
    /// There is no backup yet; and whether one is made every night.
    NoBackup(Yes),
    /// Nobody could step in for the one Master.
    OneMaster,
    /// So many links ran out before they were used.
    Expired(i64),
    /// Somebody was to be disabled on a date, and could not be.
    NotDisabled {
        /// Which account.
        account: AccountId,
        /// What it is called.
        label: String,
        /// Why not.
        why: &'static str,
    },
    /// So many mails were given up.
    FailedMail(i64),
    /// So many Active accounts have no second factor; and whether the reader decides what is asked of them.
    PasswordAlone(i64, Yes),
    /// An invoice was not paid in time.
    Overdue {
        /// The one that waits for longest.
        number: InvoiceNumber,
        /// The start of the day until whose end it was to be paid.
        due_at: Timestamp,
        /// How many others were not paid in time either.
        others: i64,
    },
    /// The budget of the month is nearly spent, or more than spent.
    Budget {
        /// How much of it at least, in percent.
        percent: i64,
        /// The budget.
        budget: Money,
        /// What the month costs.
        costs: Costs,
    },
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
        (tiles::tiles(page))
        @if let Some(steps) = page.first_steps { (first_steps::card(steps, page)) }
        @if let Some(concerns) = page.concerns { (attention(concerns, page)) }
        (sign_ins::chart(page))
        (recent(page))
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

fn recent(page: &Dashboard<'_>) -> Markup {
    let heading = match page.deeds_of {
        Whose::Organisation => "Recent activity",
        Whose::Own => "Your recent activity",
    };
    html! {
        section.stack-2 {
            div.page-head {
                h2 { (heading) }
                @if page.deeds_of == Whose::Organisation { a href=(AUDIT_LOG) { "Audit log" } }
            }
            p.muted { (last_sign_in(page)) }
            (activity(heading, page.deeds, page.now, page.zone))
        }
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
        Concern::Backup(failing) => (
            "Backup",
            html! {
                (sub(Tone::Warn, "Backups fail"))
                "Since " (time(failing.since, page.now, page.zone)) ". Whoever runs this Portal has to see to it: "
                a href={ (Route::Settings) "#backup" } { "what is known" } "."
            },
        ),
        Concern::NoBackup(is_nightly) => (
            "Backup",
            html! {
                (sub(Tone::Warn, "None yet"))
                @if *is_nightly == Yes::Yes {
                    "The first one is made in the coming night. "
                } @else {
                    "Nightly backups are off: whoever runs this Portal makes them in another way, or turns them on. "
                }
                a href={ (Route::Settings) "#backup" } { "What is known" } "."
            },
        ),
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
        Concern::Overdue {
            number,
            due_at,
            others,
        } => (
            "Invoices",
            html! {
                (sub(Tone::Warn, &counted(*others + 1, "invoice overdue", "invoices overdue")))
                "Invoice " a href=(Route::Invoice(*number)) { (number) } " was due on "
                (dates::day(*due_at, &TimeZone::UTC)) "."
                @if *others > 0 {
                    " " (counted(*others, "other waits", "others wait")) " too: "
                    a href={ (Route::Billing) "#invoices" } { "all invoices" } "."
                }
            },
        ),
        Concern::Budget {
            percent,
            budget,
            costs,
        } => ("Budget", budget_line(*percent, *budget, costs)),
        Concern::Expired(count) => (
            "Invitations",
            html! {
                (sub(Tone::Warn, &counted(*count, "link expired", "links expired")))
                "Resend or delete: " a href=(accounts_with("pending")) { "Pending accounts" } "."
            },
        ),
        Concern::NotDisabled {
            account,
            label,
            why,
        } => (
            "Leaving",
            html! {
                (sub(Tone::Bad, "Not disabled"))
                (label) " was to be disabled on a date, and was not. " (why) " "
                a href=(Route::Account(*account)) { "Set another date, or put this away" } "."
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

fn budget_line(percent: i64, budget: Money, costs: &Costs) -> Markup {
    let state = if percent < 100 {
        format!("{percent} % spent")
    } else {
        "All spent".to_owned()
    };
    let show = |amount| costs.currency.show(amount);
    html! {
        (sub(Tone::Warn, &state))
        (costs.month.name()) " has cost " (show(costs.so_far)) " so far, of a budget of " (show(budget)) ". "
        a href=(Route::Billing) { "See what it is spent on" } "."
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
            since,
            cause,
            next_try,
            ..
        } => html! {
            (sub(Tone::Warn, outbox::views::trouble(*cause)))
            "Since " (time(*since, page.now, page.zone)) "; next try " (time(*next_try, page.now, page.zone)) ". "
            (outbox::views::what_helps(*cause)) " " (see)
        },
    }
}

#[cfg(test)]
mod tests;
