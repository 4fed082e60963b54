//! `doorward invoice`: what was billed, and closing the months that are over.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::failure::Failure;
use super::print::Output;
use super::{beside, print};
use crate::app::App;
use crate::billing::{self, Closed, Invoice, InvoiceLine};
use crate::config::flags::Basics;
use crate::domain::id::OrganisationId;
use crate::domain::invoice::InvoiceNumber;
use crate::domain::money::{Currency, Money};
use crate::domain::month::Month;
use crate::kit::dates;
use crate::kit::time::{DAY, HOUR, Timestamp};
use crate::migrations::IfEmpty;
use crate::organisations::{self, Organisation};
use crate::resources;
use crate::scope::{Allowed, By};

/// Invoices: list, show, close the months that are over, mark one as paid
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    basics: Basics,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// List the invoices of an organisation, newest first
    List {
        /// Which organisation, by name or id; needed where there are several
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Show one invoice with all its lines
    Show {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        output: Output,
    },
    /// Close the months that are over, as the server does by itself: each becomes an invoice, by the terms of this
    /// command's settings
    Close {
        /// Only of this organisation, by name or id
        #[arg(long, value_name = "ORGANISATION")]
        org: Option<String>,
    },
    /// Mark an invoice as paid
    Paid {
        #[command(flatten)]
        which: Which,
        /// What the payment is known by, as on the statement of the bank
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, value_parser = billing::reference)]
        reference: String,
    },
}

/// Which invoice is meant.
#[derive(Args, Debug)]
struct Which {
    /// Its number, as in INV-2026-010
    #[arg(value_name = "NUMBER", value_parser = number)]
    number: InvoiceNumber,
    /// Of which organisation, by name or id; needed where there are several
    #[arg(long, value_name = "ORGANISATION")]
    org: Option<String>,
}

fn number(text: &str) -> Result<InvoiceNumber, String> {
    text.to_ascii_uppercase()
        .parse()
        .map_err(|()| "an invoice has a number like INV-2026-010".to_owned())
}

/// Does it.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command { basics, act } = command;
    let app = beside::open(&basics, IfEmpty::Refuse)?;
    match act {
        Act::List { org, output } => {
            list(&app, &beside::organisation(&app, org.as_deref())?, output)
        }
        Act::Show { which, output } => show(&app, &which, output),
        Act::Close { org: Some(org) } => {
            let organisation = beside::organisation(&app, Some(&org))?;
            close(&app, &[organisation])
        }
        Act::Close { org: None } => {
            let all = app.read(app.now(), |read| Ok(organisations::list(read)?))?;
            close(&app, &all)
        }
        Act::Paid { which, reference } => paid(&app, &which, &reference),
    }
}

fn list(app: &App, organisation: &Organisation, output: Output) -> Result<(), Failure> {
    let invoices = app.read(app.now(), |read| {
        Ok(billing::invoices(read, organisation.id)?)
    })?;
    let now = app.now();
    if output.is_json() {
        let rows: Vec<Value> = invoices.iter().map(|one| value(one, now)).collect();
        return print::json(&rows.into());
    }
    let rows: Vec<Vec<String>> = invoices
        .iter()
        .map(|invoice| {
            vec![
                invoice.number.to_string(),
                invoice.month.to_string(),
                amount(invoice.currency, invoice.total),
                standing(invoice, now),
                day(invoice.issued_at),
                day(invoice.due_at),
            ]
        })
        .collect();
    print::table(
        &["NUMBER", "MONTH", "TOTAL", "STATUS", "ISSUED", "DUE"],
        &rows,
    )
}

fn show(app: &App, which: &Which, output: Output) -> Result<(), Failure> {
    let (_, invoice, lines) = find(app, which)?;
    let now = app.now();
    if output.is_json() {
        let mut shown = value(&invoice, now);
        if let Some(object) = shown.as_object_mut() {
            let lines = lines.iter().map(|line| line_value(line, invoice.currency));
            object.insert("lines".to_owned(), lines.collect());
        }
        return print::json(&shown);
    }
    let currency = invoice.currency;
    let mut head = vec![
        ("Number", invoice.number.to_string()),
        ("Month", invoice.month.label()),
        ("Status", standing(&invoice, now)),
        ("Issued", day(invoice.issued_at)),
        ("Due", day(invoice.due_at)),
        ("From", one_line(&invoice.issuer)),
        ("To", invoice.bill_to.clone()),
        ("Owner", invoice.owner.clone()),
        ("Address", one_line(&invoice.address)),
        ("VAT number", invoice.vat_number.clone()),
    ];
    head.retain(|(_, value)| !value.is_empty());
    for (name, value) in head {
        print::line(format!("{name:<12}{value}"))?;
    }
    print::line("")?;
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                line.kind.clone(),
                line.resource.clone(),
                line.plan.clone(),
                line.account.clone(),
                print::moment(line.span.from),
                print::moment(line.span.until),
                amount(currency, line.price),
                amount(currency, line.amount),
            ]
        })
        .collect();
    print::table(
        &[
            "KIND",
            "RESOURCE",
            "PLAN",
            "ACCOUNT",
            "FROM (UTC)",
            "UNTIL (UTC)",
            "PRICE A MONTH",
            "AMOUNT",
        ],
        &rows,
    )?;
    print::line("")?;
    let tax = format!("Tax {} %", billing::percent(invoice.tax_rate));
    for (name, value) in [
        ("Sum", invoice.net),
        (tax.as_str(), invoice.tax),
        ("Total", invoice.total),
    ] {
        print::line(format!("{name:<12}{}", amount(currency, value)))?;
    }
    Ok(())
}

/// Closes what is over; of each month it says so at once, so that a failure later hides none.
fn close(app: &App, organisations: &[Organisation]) -> Result<(), Failure> {
    let terms = &app.settings.billing;
    let mut closed_any = false;
    for organisation in organisations {
        loop {
            let closed = app.housekeep(app.now(), |tx| {
                billing::close_next_of(tx, &By::operator(), terms, organisation.id)
            })?;
            let Some(closed) = closed else {
                break;
            };
            closed_any = true;
            print::line(closed_line(app, organisation, &closed)?)?;
        }
    }
    if closed_any {
        return Ok(());
    }
    let ids: Vec<OrganisationId> = organisations.iter().map(|one| one.id).collect();
    print::line(nothing(app, &ids)?)
}

fn closed_line(app: &App, organisation: &Organisation, closed: &Closed) -> Result<String, Failure> {
    let (name, month) = (&organisation.name, closed.month.label());
    let Some(number) = closed.invoice else {
        return Ok(format!("{name}: {month} is closed, with nothing to pay."));
    };
    let invoice = app.read(app.now(), |read| {
        Ok(billing::find(read, organisation.id, number)?)
    })?;
    let invoice = invoice.ok_or_else(|| Failure::missing("invoice", &number.to_string()))?;
    let tax = match invoice.tax_rate {
        0 => "without tax".to_owned(),
        rate => format!("with {} % tax", billing::percent(rate)),
    };
    Ok(format!(
        "{name}: {month} is closed: {number}, {} {tax}, due on {}.",
        amount(invoice.currency, invoice.total),
        day(invoice.due_at)
    ))
}

/// `Nothing to close: November 2026 ends in 6 days.`
fn nothing(app: &App, ids: &[OrganisationId]) -> Result<String, Failure> {
    let now = app.now();
    let ledgers = app.read(now, |read| {
        ids.iter()
            .map(|id| Ok(resources::closed_until(read, *id)?))
            .collect::<crate::error::Result<Vec<_>>>()
    })?;
    // After a clock that ran ahead, months are closed that are not over yet.
    let next = ledgers.into_iter().flatten().min();
    let Some(next) = next else {
        return Ok("Nothing to close: there were no resources yet.".to_owned());
    };
    let month = Month::of(next);
    let left = month.span().until.since(now);
    let days = left.div_euclid(DAY);
    let when = match (days, left.div_euclid(HOUR)) {
        (1, _) => "in 1 day".to_owned(),
        (2.., _) => format!("in {days} days"),
        (_, 0) => "within the hour".to_owned(),
        (_, 1) => "in 1 hour".to_owned(),
        (_, hours) => format!("in {hours} hours"),
    };
    Ok(format!("Nothing to close: {} ends {when}.", month.label()))
}

fn paid(app: &App, which: &Which, reference: &str) -> Result<(), Failure> {
    let (organisation, _, _) = find(app, which)?;
    let by = Allowed::operator(organisation.id);
    let invoice = app.write(app.now(), |tx| {
        billing::mark_paid(tx, &by, which.number, reference)
    })?;
    let reference = match reference {
        "" => String::new(),
        reference => format!(", reference {reference}"),
    };
    print::line(format!(
        "{} of {} is paid: {}{reference}.",
        invoice.number,
        organisation.name,
        amount(invoice.currency, invoice.total)
    ))
}

fn find(app: &App, which: &Which) -> Result<(Organisation, Invoice, Vec<InvoiceLine>), Failure> {
    let organisation = beside::organisation(app, which.org.as_deref())?;
    let found = app.read(app.now(), |read| {
        let invoice = billing::find(read, organisation.id, which.number)?;
        Ok((
            invoice,
            billing::lines(read, organisation.id, which.number)?,
        ))
    })?;
    match found {
        (Some(invoice), lines) => Ok((organisation, invoice, lines)),
        (None, _) => Err(Failure::missing("invoice", &which.number.to_string())),
    }
}

fn standing(invoice: &Invoice, now: Timestamp) -> String {
    let label = invoice.standing(now).label();
    match &invoice.paid {
        Some(paid) if paid.reference.is_empty() => format!("{label} {}", day(paid.at)),
        Some(paid) => format!("{label} {}, {}", day(paid.at), paid.reference),
        None => label.to_owned(),
    }
}

fn day(at: Timestamp) -> String {
    dates::day(at, &TimeZone::UTC)
}

/// With a plain blank, which terminals and programs know.
fn amount(currency: Currency, money: Money) -> String {
    currency.write(money).replace('\u{a0}', " ")
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(", ")
}

fn value(invoice: &Invoice, now: Timestamp) -> Value {
    let plain = |amount| invoice.currency.plain(amount);
    let paid = invoice.paid.as_ref();
    json!({
        "number": invoice.number.to_string(),
        "month": invoice.month.to_string(),
        "status": invoice.standing(now).label().to_lowercase(),
        "currency": invoice.currency.code(),
        "net": plain(invoice.net),
        "tax_rate": billing::percent(invoice.tax_rate),
        "tax": plain(invoice.tax),
        "total": plain(invoice.total),
        "issued_at": print::instant(invoice.issued_at),
        "due_on": date(invoice.due_at),
        "paid_at": paid.map(|paid| print::instant(paid.at)),
        "reference": paid.map(|paid| paid.reference.as_str()),
        "issuer": invoice.issuer,
        "bill_to": invoice.bill_to,
        "owner": invoice.owner,
        "address": invoice.address,
        "vat_number": invoice.vat_number,
    })
}

/// A day for programs.
fn date(at: Timestamp) -> String {
    print::instant(at).chars().take(10).collect()
}

fn line_value(line: &InvoiceLine, currency: Currency) -> Value {
    json!({
        "resource_id": line.resource_id.to_string(),
        "resource": line.resource,
        "kind": line.kind,
        "plan": line.plan,
        "account_id": line.account_id.to_string(),
        "account": line.account,
        "from": print::instant(line.span.from),
        "until": print::instant(line.span.until),
        "price": currency.plain(line.price),
        "amount": currency.plain(line.amount),
    })
}
