//! The bill: the month so far, and the invoices.

use std::collections::HashMap;
use std::io;

use jiff::tz::TimeZone;

use super::views::{self, Bill, Filter, Paper, Part};
use super::{BUDGET_FIELD, InvoiceLine, REFERENCE_FIELD, Terms};
use crate::accounts::{self, Status};
use crate::billing;
use crate::catalogue;
use crate::domain::id::{AccountId, OrganisationId, PlanId};
use crate::domain::invoice::InvoiceNumber;
use crate::domain::money::{Currency, Money};
use crate::domain::month::Month;
use crate::error::{Error, Result};
use crate::kit::csv;
use crate::kit::dates;
use crate::kit::db::Read;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::kit::time::Timestamp;
use crate::layout::{self, Page, Place};
use crate::organisations;
use crate::resources::{self, Charge};
use crate::routes::Route;
use crate::scope::ManageBilling;
use crate::visit::Visit;

/// How many months the chart has, the running one among them.
const MONTHS: usize = 12;
const NO_CURRENCY: &str = "There is no catalogue yet, and so no currency to write a budget in. Whoever runs this Portal imports one first.";
/// What changes nothing is no deed, and said so.
const NOTHING: &str = "Nothing to save: it is so already.";

/// The month so far, and the invoices.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    draw(visit, 200, None)
}

fn draw(visit: &Visit<'_>, status: u16, refused: Option<&Form>) -> Result<Response> {
    let by = visit.allow::<ManageBilling>()?;
    let (organisation, bill) = visit.read(|read| {
        let organisation = organisations::get(read, by.organisation())?;
        let bill = bill(read, organisation.id, &visit.app.settings.billing)?;
        Ok((organisation, bill))
    })?;
    let page = views::Page {
        organisation: &organisation.name,
        bill: bill.as_ref(),
        reader: visit.signed_in()?.permissions,
        filter: filter(visit.query("invoices").as_deref()),
        refused,
        now: visit.now,
        csrf: &visit.csrf(),
    };
    let has_errors = refused.is_some_and(Form::has_problems);
    let frame = Page::new("Billing", Place::Billing).with_errors(has_errors);
    layout::page(visit, status, &frame, &views::page(&page))
}

/// Unknown values are ignored.
fn filter(key: Option<&str>) -> Filter {
    if key.is_some() && key == Filter::ToPay.key() {
        Filter::ToPay
    } else {
        Filter::All
    }
}

/// What there is to tell; none before the first catalogue.
fn bill(read: &Read<'_>, organisation: OrganisationId, terms: &Terms) -> Result<Option<Bill>> {
    let Some(currency) = catalogue::currency(read)? else {
        return Ok(None);
    };
    let running = Month::of(read.now());
    let closed_until = resources::closed_until(read, organisation)?;
    let charges = resources::month(read, organisation, running, read.now())?;
    let invoices = billing::invoices(read, organisation)?;
    let net_of: HashMap<Month, Money> = invoices.iter().map(|one| (one.month, one.net)).collect();
    let mut months = vec![(running, charges.iter().map(|charge| charge.amount).sum())];
    let mut unclosed = Vec::new();
    let mut month = running;
    while months.len() < MONTHS {
        month = month.previous();
        let is_open = closed_until.is_some_and(|closed| closed < month.span().until);
        let cost = if is_open {
            unclosed.push(month);
            let charges = resources::month(read, organisation, month, month.span().until)?;
            charges.iter().map(|charge| charge.amount).sum()
        } else {
            net_of.get(&month).copied().unwrap_or_default()
        };
        months.push((month, cost));
    }
    months.reverse();
    unclosed.reverse();
    let people = billing::people(read, organisation)?;
    Ok(Some(Bill {
        currency,
        months,
        expected: billing::expected(read, organisation)?,
        accounts: by_account(read, organisation, &charges)?,
        kinds: by_kind(read, &charges)?,
        budget: billing::budget(read, organisation)?,
        people: people.iter().map(accounts::Account::label).collect(),
        is_taxed: terms.tax_rate > 0 || invoices.iter().any(|one| one.tax > Money::ZERO),
        closed_until,
        invoices,
        unclosed,
    }))
}

/// Who caused what. Each account is asked for once, however much stands under its name.
fn by_account(
    read: &Read<'_>,
    organisation: OrganisationId,
    charges: &[Charge],
) -> Result<Vec<Part>> {
    let mut sums: HashMap<AccountId, Money> = HashMap::new();
    for charge in charges {
        let sum = sums.entry(charge.holder).or_default();
        *sum = sum.plus(charge.amount);
    }
    let mut parts = Vec::with_capacity(sums.len());
    for (id, amount) in sums {
        let account = accounts::find_in(read, organisation, id)?.ok_or(Error::NotFound)?;
        let is_there = !matches!(account.status, Status::Deleted { .. });
        parts.push(Part {
            label: account.label(),
            account: is_there.then_some(id),
            amount,
        });
    }
    Ok(largest_first(parts))
}

fn by_kind(read: &Read<'_>, charges: &[Charge]) -> Result<Vec<Part>> {
    let plans = catalogue::plans(read)?;
    let kind_of: HashMap<PlanId, (&str, &str)> = plans
        .iter()
        .map(|plan| (plan.id, (plan.kind.as_str(), plan.kind_name.as_str())))
        .collect();
    let mut sums: HashMap<(&str, &str), Money> = HashMap::new();
    for charge in charges {
        let kind = kind_of.get(&charge.plan).ok_or(Error::NotFound)?;
        let sum = sums.entry(*kind).or_default();
        *sum = sum.plus(charge.amount);
    }
    let parts = sums.into_iter().map(|((_, name), amount)| Part {
        label: name.to_owned(),
        account: None,
        amount,
    });
    Ok(largest_first(parts.collect()))
}

fn largest_first(mut parts: Vec<Part>) -> Vec<Part> {
    parts.sort_by(|one, other| {
        let by_amount = other.amount.cmp(&one.amount);
        by_amount.then_with(|| one.label.cmp(&other.label))
    });
    parts
}

/// The month so far, for a spreadsheet.
pub fn csv(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageBilling>()?;
    let month = Month::of(visit.now);
    let (currency, lines) = visit.read(|read| {
        let Some(currency) = catalogue::currency(read)? else {
            return Ok((None, Vec::new()));
        };
        let charges = resources::month(read, by.organisation(), month, read.now())?;
        let lines = billing::in_words(read, by.organisation(), &charges)?;
        Ok((Some(currency), lines))
    })?;
    let rows = currency.into_iter().flat_map(|currency| {
        let lines = lines.iter();
        lines.map(move |line| cells((month, ""), currency, line))
    });
    let document = csv::document(&HEADS, rows).map_err(unwritten)?;
    Ok(csv::response(
        &format!("billing-{month}-so-far.csv"),
        document,
    ))
}

/// The heads of a table of lines.
const HEADS: [&str; 12] = [
    "Month",
    "Invoice",
    "Resource",
    "Resource ID",
    "Kind",
    "Plan",
    "Account",
    "From",
    "Until",
    "Price a month",
    "Amount",
    "Currency",
];

/// A line of the bill as a row; the month so far has no number yet.
fn cells((month, number): (Month, &str), currency: Currency, line: &InvoiceLine) -> Vec<String> {
    let utc = |instant: Timestamp| {
        dates::zoned(instant, &TimeZone::UTC)
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    };
    vec![
        month.to_string(),
        number.to_owned(),
        line.resource.clone(),
        line.resource_id.to_string(),
        line.kind.clone(),
        line.plan.clone(),
        line.account.clone(),
        utc(line.span.from),
        utc(line.span.until),
        currency.plain(line.price),
        currency.plain(line.amount),
        currency.to_string(),
    ]
}

fn unwritten(error: io::Error) -> Error {
    Error::Internal(Box::new(error))
}

/// One invoice.
pub fn show(visit: &Visit<'_>, number: InvoiceNumber) -> Result<Response> {
    draw_invoice(visit, number, 200, None)
}

fn draw_invoice(
    visit: &Visit<'_>,
    number: InvoiceNumber,
    status: u16,
    refused: Option<&Form>,
) -> Result<Response> {
    let by = visit.allow::<ManageBilling>()?;
    let (invoice, lines, noted_by) = visit.read(|read| {
        let invoice = billing::find(read, by.organisation(), number)?.ok_or(Error::NotFound)?;
        let lines = billing::lines(read, by.organisation(), number)?;
        let noted_by = match invoice.paid.as_ref().and_then(|paid| paid.by) {
            Some(id) => accounts::find_in(read, by.organisation(), id)?,
            None => None,
        };
        Ok((invoice, lines, noted_by.map(|account| account.label())))
    })?;
    let paper = Paper {
        invoice: &invoice,
        lines: &lines,
        noted_by: noted_by.as_deref(),
        refused,
        now: visit.now,
        csrf: &visit.csrf(),
    };
    let title = format!("Invoice {number} · Billing");
    let has_errors = refused.is_some_and(Form::has_problems);
    let frame = Page::new(&title, Place::Billing).with_errors(has_errors);
    layout::page(visit, status, &frame, &views::paper(&paper))
}

/// Its lines for a spreadsheet.
pub fn invoice_csv(visit: &Visit<'_>, number: InvoiceNumber) -> Result<Response> {
    let by = visit.allow::<ManageBilling>()?;
    let (invoice, lines) = visit.read(|read| {
        let invoice = billing::find(read, by.organisation(), number)?.ok_or(Error::NotFound)?;
        let lines = billing::lines(read, by.organisation(), number)?;
        Ok((invoice, lines))
    })?;
    let (month, currency, number) = (invoice.month, invoice.currency, number.to_string());
    let rows = lines
        .iter()
        .map(|line| cells((month, &number), currency, line));
    let document = csv::document(&HEADS, rows).map_err(unwritten)?;
    Ok(csv::response(&format!("{number}.csv"), document))
}

/// It was paid.
pub fn pay(visit: &Visit<'_>, number: InvoiceNumber) -> Result<Response> {
    let by = visit.allow::<ManageBilling>()?;
    let mut form = visit.form(&[REFERENCE_FIELD])?;
    let Some(reference) = form.check(REFERENCE_FIELD, billing::reference) else {
        return draw_invoice(visit, number, 422, Some(&form));
    };
    visit.write(|tx| billing::mark_paid(tx, &by, number, &reference))?;
    let message = format!("{number} is marked as paid.");
    Ok(visit.redirect_with(&Route::Invoice(number), &message))
}

/// The budget of a month.
pub fn save_budget(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageBilling>()?;
    let mut form = visit.form(&[BUDGET_FIELD])?;
    let currency = visit.read(|read| Ok(catalogue::currency(read)?))?;
    let currency = currency.ok_or_else(|| Error::Refused(NO_CURRENCY.to_owned()))?;
    let budget = form.check(BUDGET_FIELD, |typed| match typed.trim() {
        "" => Ok(None),
        typed => currency.parse(typed).map(Some),
    });
    let Some(budget) = budget else {
        return draw(visit, 422, Some(&form));
    };
    let saved = match visit.write_if(|tx| billing::set_budget(tx, &by, budget)) {
        Err(Error::Invalid { field, sentence }) => {
            form.problem(field, sentence);
            return draw(visit, 422, Some(&form));
        }
        other => other?,
    };
    let message = match (saved, budget) {
        (None, _) => NOTHING.to_owned(),
        (Some(()), Some(budget)) => {
            format!("The budget of a month is now {}.", currency.show(budget))
        }
        (Some(()), None) => "There is no budget any more.".to_owned(),
    };
    Ok(visit.redirect_with(&Route::Billing, &message))
}
