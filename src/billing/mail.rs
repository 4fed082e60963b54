//! The mails about the bill: an invoice, and a budget that is nearly spent.

use crate::accounts::{self, Status};
use crate::app::Settings;
use crate::billing;
use crate::domain::invoice::InvoiceNumber;
use crate::domain::month::Month;
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::mail::letter::{Letter, Paragraph};
use crate::organisations;
use crate::outbox::Recipient;

/// To whoever gets the invoices.
pub fn invoice(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    number: InvoiceNumber,
) -> Result<Option<Letter>> {
    let organisation = organisations::get(read, to.organisation)?;
    let Some(invoice) = billing::find(read, to.organisation, number)? else {
        return Ok(None);
    };
    let currency = invoice.currency;
    Ok(Some(Letter {
        subject: format!("Invoice {number}, {}", currency.show(invoice.total)),
        brand: organisation.name.to_string(),
        heading: format!("Invoice {number}"),
        paragraphs: vec![Paragraph::new(format!(
            "The invoice for {} comes to {}.",
            invoice.month.label(),
            currency.write(invoice.total)
        ))],
        button: None,
        closing: Vec::new(),
        doubt: "You look after the bill there.".to_owned(),
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}

/// To those who look after the bill; none once the month is over.
pub fn budget(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    (month, percent): (Month, i64),
) -> Result<Option<Letter>> {
    let organisation = organisations::get(read, to.organisation)?;
    let is_active =
        accounts::find(read, to.account)?.is_some_and(|account| account.status == Status::Active);
    let budget = billing::budget(read, to.organisation)?;
    let Some(budget) = budget.filter(|_| is_active && month == Month::of(read.now())) else {
        return Ok(None);
    };
    let currency = billing::currency(read)?;
    Ok(Some(Letter {
        subject: format!("{percent} % of the budget of {} is spent", month.name()),
        brand: organisation.name.to_string(),
        heading: format!("{percent} % of the budget is spent"),
        paragraphs: vec![Paragraph::new(format!(
            "The budget of {} is {}.",
            month.label(),
            currency.write(budget)
        ))],
        button: None,
        closing: Vec::new(),
        doubt: "You look after the bill there.".to_owned(),
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}
