//! How the bill is drawn: the month so far, the months before, the invoices and the budget.

mod invoice;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{BUDGET_FIELD, Invoice, STEPS, Standing};
use crate::domain::id::AccountId;
use crate::domain::money::{Currency, Money};
use crate::domain::month::Month;
use crate::domain::text::OrganisationName;
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::badge::{Badge, sub};
use crate::kit::html::button::Button;
use crate::kit::html::chart::{Bar, Chart, Unfinished, share};
use crate::kit::html::field::Field;
use crate::kit::html::form::post;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{View, page_head, segmented};
use crate::kit::html::notice::empty;
use crate::kit::html::stats::{Stat, stats};
use crate::kit::html::table::{Cell, Column, Shape, Table, heading, row};
use crate::kit::http::form::Form;
use crate::kit::time::Timestamp;
use crate::routes::Route;

pub use invoice::{Paper, paper};

/// So many accounts or kinds are named; what is left of more than one stands in one line.
const PARTS_MAX: usize = 10;
/// So many invoices are looked through without a filter.
const FEW: usize = 12;
/// So many people are named.
const NAMED_MAX: usize = 5;

/// The Billing page.
#[derive(Debug)]
pub struct Page<'p> {
    /// To whom all of it is billed.
    pub organisation: &'p OrganisationName,
    /// What there is to tell; none before the first catalogue.
    pub bill: Option<&'p Bill>,
    /// What the reader may do besides.
    pub reader: Reader,
    /// Which invoices.
    pub filter: Filter,
    /// A budget that was typed and could not be taken.
    pub refused: Option<&'p Form>,
    /// The instant of the page.
    pub now: Timestamp,
    /// The token of its forms.
    pub csrf: &'p str,
}

/// What the reader may do besides looking after the bill.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader {
    /// Change what stands on invoices.
    pub manages_organisation: bool,
    /// Create resources.
    pub manages_resources: bool,
    /// Look at the accounts.
    pub reads_users: bool,
}

/// Which invoices are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// Those that are not paid.
    ToPay,
}

impl Filter {
    /// The value in the address; none for all.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::ToPay => Some("open"),
        }
    }
}

/// What the bill is.
#[derive(Clone, Debug)]
pub struct Bill {
    /// What it is paid in.
    pub currency: Currency,
    /// What the months have cost, before tax, oldest first; the last is the running one.
    pub months: Vec<(Month, Money)>,
    /// What the running month will come to.
    pub expected: Money,
    /// The running month by account, the largest first.
    pub accounts: Vec<Part>,
    /// The same by kind.
    pub kinds: Vec<Part>,
    /// How much a month may cost, if somebody decided that.
    pub budget: Option<Money>,
    /// Who is told when much of it is spent.
    pub people: Vec<String>,
    /// All invoices, newest first.
    pub invoices: Vec<Invoice>,
    /// The months that are over and not closed yet.
    pub unclosed: Vec<Month>,
    /// Whether there was ever anything to pay for.
    pub has_begun: bool,
    /// Whether invoices come with a tax.
    pub is_taxed: bool,
}

/// What one account or kind has cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is called.
    pub label: String,
    /// The account that can be looked at, if it is one.
    pub account: Option<AccountId>,
    /// How much.
    pub amount: Money,
}

impl Bill {
    /// What the running month has cost so far.
    #[must_use]
    pub fn so_far(&self) -> Money {
        self.months.last().map_or(Money::ZERO, |(_, cost)| *cost)
    }
}

/// All of it.
#[must_use]
pub fn page(page: &Page<'_>) -> Markup {
    let lead = format!(
        "Sub-accounts share billing with the master account: everything is on one bill, to {}.",
        page.organisation
    );
    let actions = actions(page);
    html! {
        (page_head("Billing", Some(&lead), actions.as_ref()))
        @match page.bill {
            None => (empty(Icon::ReceiptText, "Nothing to pay for yet",
                "Whoever runs this Portal imports a catalogue first: what there is to have, and what it costs.", None)),
            Some(bill) if !bill.has_begun => {
                (nothing_yet(page.reader))
                (budget(page, bill))
            },
            Some(bill) => {
                (tiles(bill, page.now))
                (chart(bill))
                (parts(bill, page.reader))
                (invoices(page, bill))
                (budget(page, bill))
            },
        }
    }
}

fn actions(page: &Page<'_>) -> Option<Markup> {
    let csv = Route::BillingCsv.to_string();
    let details = format!("{}#billing", Route::Settings);
    let has_lines = page.bill.is_some_and(|bill| bill.has_begun);
    (has_lines || page.reader.manages_organisation).then(|| {
        html! {
            @if has_lines { (Button::link("CSV", &csv).icon(Icon::Download)) }
            @if page.reader.manages_organisation { (Button::link("Change billing details", &details)) }
        }
    })
}

fn nothing_yet(reader: Reader) -> Markup {
    let sentence = "The bill begins with the first resource. From then on its cost stands here, to the second.";
    let new = Route::NewResource.to_string();
    let action = html! { (Button::link("Create resource", &new).primary().icon(Icon::Plus)) };
    let action = reader.manages_resources.then_some(&action);
    empty(
        Icon::ReceiptText,
        "Nothing to pay for yet",
        sentence,
        action,
    )
}

fn tiles(bill: &Bill, now: Timestamp) -> Markup {
    let month = Month::of(now);
    let so_far = bill.currency.show(bill.so_far());
    let expected = bill.currency.show(bill.expected);
    let next = short_day(month.next().start());
    let label = format!("{} so far", month.name());
    let for_all = format!("For all of {}, as things are", month.name());
    let mut tiles = vec![
        Stat {
            label: &label,
            value: &so_far,
            note: None,
            href: None,
        },
        Stat {
            label: "Expected",
            value: &expected,
            note: Some((Tone::Plain, &for_all)),
            href: None,
        },
        Stat {
            label: "Next invoice",
            value: &next,
            note: Some((Tone::Plain, "Months end at midnight, UTC")),
            href: None,
        },
    ];
    let spent = bill.budget.map(|budget| {
        let percent = percent(bill.so_far(), budget);
        let of = format!("{so_far} of {}", bill.currency.show(budget));
        let (tone, note) = match percent {
            ..80 => (Tone::Plain, of),
            80..100 => (Tone::Warn, format!("{of}, nearly spent")),
            100 => (Tone::Bad, format!("{of}, spent")),
            101.. => (Tone::Bad, format!("{of}, overspent")),
        };
        (format!("{percent}\u{a0}%"), tone, note)
    });
    if let Some((value, tone, note)) = &spent {
        tiles.push(Stat {
            label: "Budget",
            value,
            note: Some((*tone, note)),
            href: Some("#budget"),
        });
    }
    html! {
        (stats(&tiles))
        @if bill.is_taxed { p.hint { "Amounts here are before tax; the totals of invoices are with it." } }
    }
}

/// How much of the whole this is, in percent, rounded down: nothing is called full that is not.
fn percent(part: Money, whole: Money) -> i64 {
    let percent = i128::from(part.0) * 100 / i128::from(whole.0.max(1));
    i64::try_from(percent).unwrap_or(i64::MAX)
}

/// "1 Dec", in UTC.
fn short_day(instant: Timestamp) -> String {
    dates::zoned(instant, &TimeZone::UTC)
        .strftime("%-d %b")
        .to_string()
}

/// "24 Nov 2026", in UTC as everything on invoices.
fn utc_day(instant: Timestamp) -> String {
    dates::day(instant, &TimeZone::UTC)
}

fn positive(amount: Money) -> u64 {
    u64::try_from(amount.0).unwrap_or_default()
}

fn chart(bill: &Bill) -> Markup {
    let last = bill.months.len().saturating_sub(1);
    let words: Vec<(String, String)> = bill
        .months
        .iter()
        .enumerate()
        .map(|(index, (month, cost))| {
            let cost = bill.currency.show(*cost);
            let read = if index == last {
                format!("{cost} so far")
            } else {
                cost
            };
            (month.short(), read)
        })
        .collect();
    let bars: Vec<Bar<'_>> = bill
        .months
        .iter()
        .zip(&words)
        .map(|((_, cost), (label, text))| Bar {
            label,
            value: positive(*cost),
            failed: 0,
            text,
        })
        .collect();
    let running = bill.months.last().map(|(month, _)| month.name());
    let title = if bill.is_taxed {
        "Cost by month, before tax"
    } else {
        "Cost by month"
    };
    html! {
        (Unfinished {
            chart: Chart {
                id: "months",
                title,
                legend: ("Whole months", None),
                heads: ("Month", "Cost", None),
                bars: &bars,
            },
            legend: &format!("{} so far", running.unwrap_or_default()),
        })
    }
}

fn parts(bill: &Bill, reader: Reader) -> Markup {
    let by_account = table_of_parts(bill, &bill.accounts, ("Account", "accounts"), reader);
    let by_kind = table_of_parts(bill, &bill.kinds, ("Kind", "kinds"), reader);
    html! {
        @if !bill.accounts.is_empty() {
            div.pair {
                section.stack-2 { h2 { "By account" } (by_account) }
                section.stack-2 { h2 { "By kind" } (by_kind) }
            }
        }
    }
}

/// Names, shares and amounts of the running month. `words` are the head, and what is left in the plural.
fn table_of_parts(
    bill: &Bill,
    parts: &[Part],
    (head, many): (&str, &str),
    reader: Reader,
) -> Markup {
    // A line that stands for one alone would be that one.
    let named = if parts.len() > PARTS_MAX + 1 {
        PARTS_MAX
    } else {
        parts.len()
    };
    let (named, others) = parts.split_at_checked(named).unwrap_or((parts, &[]));
    let whole = bill.so_far();
    let line = |label: Markup, amount: Money| {
        row(&[
            (Cell::Main, label),
            (Cell::Extra, share(positive(amount), positive(whole))),
            (
                Cell::Number,
                html! { span.nowrap { (in_percent(amount, whole)) } },
            ),
            (
                Cell::Amount,
                html! { span.nowrap { (bill.currency.show(amount)) } },
            ),
        ])
    };
    let columns = [
        Column::new(Cell::Main, head),
        Column::new(Cell::Extra, "Share, drawn").unseen(),
        Column::new(Cell::Number, "Share"),
        Column::new(Cell::Amount, "So far"),
    ];
    let left: Money = others.iter().map(|part| part.amount).sum();
    let rows = html! {
        @for part in named { (line(name(part, reader), part.amount)) }
        @if !others.is_empty() {
            (line(html! { span.muted { (others.len()) " other " (many) } }, left))
        }
    };
    let foot = row(&[
        (Cell::Main, html! { "Total" }),
        (Cell::Extra, html! {}),
        (Cell::Number, html! {}),
        (
            Cell::Amount,
            html! { span.nowrap { (bill.currency.show(whole)) } },
        ),
    ]);
    let caption = format!("This month by {}", head.to_lowercase());
    html! {
        div.break { (Table { caption: &caption, shape: Shape::Plain, columns: &columns, rows, foot: Some(foot) }) }
    }
}

/// "60 %"; of what is more than nothing, never "0 %".
fn in_percent(part: Money, whole: Money) -> String {
    match percent(part, whole) {
        0 if part > Money::ZERO => "<\u{a0}1\u{a0}%".to_owned(),
        percent => format!("{percent}\u{a0}%"),
    }
}

fn name(part: &Part, reader: Reader) -> Markup {
    match part.account.filter(|_| reader.reads_users) {
        Some(id) => html! { a href=(Route::Account(id)) { (part.label) } },
        None => html! { (part.label) },
    }
}

fn invoices(page: &Page<'_>, bill: &Bill) -> Markup {
    let to_pay = bill.invoices.iter().filter(|one| one.paid.is_none());
    let to_pay = to_pay.count();
    let is_many = bill.invoices.len() > FEW && to_pay > 0;
    let shown: Vec<&Invoice> = bill
        .invoices
        .iter()
        .filter(|one| page.filter == Filter::All || one.paid.is_none())
        .collect();
    html! {
        section.stack-2.keep id="invoices" {
            h2 { "Invoices" }
            @for month in &bill.unclosed {
                p.hint { (month.label()) " is over. Its invoice is being made, if there is anything to pay." }
            }
            @if bill.invoices.is_empty() {
                p.muted { (first_invoice(bill, page.now)) }
            } @else {
                @if is_many || page.filter != Filter::All { (filters(page.filter, (bill.invoices.len(), to_pay))) }
                @if shown.is_empty() {
                    p.muted { "Nothing is left to pay. " a href=(address(Filter::All)) { "Show all invoices" } "." }
                } @else {
                    (table_of_invoices(&shown, page.now))
                }
            }
        }
    }
}

fn first_invoice(bill: &Bill, now: Timestamp) -> String {
    if bill.expected == Money::ZERO {
        return "There is no invoice yet: a month in which nothing is to be paid has none."
            .to_owned();
    }
    let first = dates::zoned(Month::of(now).next().start(), &TimeZone::UTC);
    format!("The first invoice comes on {}.", first.strftime("%-d %B"))
}

fn filters(current: Filter, (all, to_pay): (usize, usize)) -> Markup {
    let (everything, open) = (address(Filter::All), address(Filter::ToPay));
    let view = |label, count, href, filter| View {
        label,
        count: u64::try_from(count).ok(),
        href,
        current: filter == current,
    };
    let views = [
        view("All", all, everything.as_str(), Filter::All),
        view("To pay", to_pay, open.as_str(), Filter::ToPay),
    ];
    html! { div.row { (segmented("Invoices", &views)) } }
}

fn address(filter: Filter) -> String {
    match filter.key() {
        Some(key) => format!("{}?invoices={key}#invoices", Route::Billing),
        None => format!("{}#invoices", Route::Billing),
    }
}

fn table_of_invoices(invoices: &[&Invoice], now: Timestamp) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Number"),
        Column::new(Cell::Detail, "Month"),
        Column::new(Cell::Amount, "Total"),
        Column::new(Cell::State, "State"),
        Column::new(Cell::End, "Actions"),
    ];
    let year = |invoice: &&Invoice| invoice.number.year;
    let is_of_years = invoices.first().map(year) != invoices.last().map(year);
    let rows = html! {
        @for group in invoices.chunk_by(|one, next| one.number.year == next.number.year) {
            @if let Some(first) = group.first().filter(|_| is_of_years) {
                (heading(columns.len(), &first.number.year.to_string()))
            }
            @for invoice in group { (row(&line(invoice, now))) }
        }
    };
    html! {
        (Table { caption: "Invoices", shape: Shape::Cards, columns: &columns, rows, foot: None })
    }
}

fn line(invoice: &Invoice, now: Timestamp) -> [(Cell, Markup); 5] {
    let number = invoice.number;
    let act = |label: &str, route: Route| {
        html! { a.btn.sm href=(route) { span { (label) span.vh { " " (number) } } } }
    };
    [
        (
            Cell::Main,
            html! { a.nowrap href=(Route::Invoice(number)) { (number) } },
        ),
        (Cell::Detail, html! { (invoice.month.label()) }),
        (
            Cell::Amount,
            html! { span.nowrap { (invoice.currency.show(invoice.total)) } },
        ),
        (Cell::State, standing(invoice, now)),
        (
            Cell::End,
            html! {
                div.wide-only { div.row {
                    (act("View", Route::Invoice(number)))
                    (act("CSV", Route::InvoiceCsv(number)))
                } }
            },
        ),
    ]
}

/// How an invoice stands, in a badge and the line under it.
fn standing(invoice: &Invoice, now: Timestamp) -> Markup {
    let due = utc_day(invoice.due_at);
    match (invoice.standing(now), &invoice.paid) {
        (Standing::Paid, Some(paid)) => {
            html! { (Badge::Good(&format!("Paid {}", utc_day(paid.at)))) }
        }
        (standing @ Standing::Overdue, _) => html! {
            (Badge::Failed(standing.label())) (sub(Tone::Bad, &format!("It was due {due}")))
        },
        (standing @ (Standing::Open | Standing::Paid), _) => html! {
            (Badge::Pending(standing.label())) (sub(Tone::Plain, &format!("Due {due}")))
        },
    }
}

fn budget(page: &Page<'_>, bill: &Bill) -> Markup {
    let kept = bill
        .budget
        .map(|budget| bill.currency.grouped(budget))
        .unwrap_or_default();
    let typed = page
        .refused
        .map_or(kept.as_str(), |form| form.typed(BUDGET_FIELD));
    let error = page.refused.and_then(|form| form.error(BUDGET_FIELD));
    let focus = page.refused.and_then(Form::first_problem);
    let label = format!("Budget of a month, in {}", bill.currency);
    // The section has the name of the field.
    let body = html! {
        (Field::text(BUDGET_FIELD, &label).id("amount").value(typed).focus(focus.unwrap_or_default())
            .hint("Leave it empty for no budget.").error(error))
        (Button::submit("Save budget", "Saving…").plain())
    };
    html! {
        section.stack.narrow.screen-only id="budget" {
            h2 { "Budget" }
            p { (told(&bill.people)) }
            (post(&Route::SaveBudget.to_string(), page.csrf, &body))
        }
    }
}

/// What happens once much of the budget is spent.
fn told(people: &[String]) -> String {
    let [first, second, last] = STEPS;
    let (named, others) = people.split_at_checked(NAMED_MAX).unwrap_or((people, &[]));
    let mut names: Vec<String> = named.to_vec();
    if !others.is_empty() {
        names.push(format!("{} more", others.len()));
    }
    let to = match names.split_last() {
        None => "Whoever manages billing gets".to_owned(),
        Some((one, [])) => format!("{one} gets"),
        Some((one, others)) => format!("{} and {one} get", others.join(", ")),
    };
    format!(
        "{to} a mail when {first}, {second} and {last}\u{a0}% of it are spent, once each a month. Nothing is switched off: \
         it is a mark, not a limit."
    )
}
