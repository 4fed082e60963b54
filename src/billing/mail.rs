//! The mails about the bill: an invoice, and a budget that is nearly spent.
//!
//! Each is written when it is sent, and sent only to whoever may see then what it says.

use crate::accounts;
use crate::app::Settings;
use crate::billing::{self, Invoice, InvoiceLine};
use crate::domain::invoice::InvoiceNumber;
use crate::domain::money::Money;
use crate::domain::month::Month;
use crate::error::Result;
use crate::kit::dates::long_day;
use crate::kit::db::Read;
use crate::kit::mail::letter::{Button, Letter, Paragraph};
use crate::organisations;
use crate::outbox::Recipient;
use crate::routes::Route;

use jiff::tz::TimeZone;

/// A bill of more kinds than this says so in one line.
const KINDS_MAX: usize = 8;

/// To whoever gets the invoices; none once they may not see them any more, or the address is not theirs.
pub fn invoice(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    number: InvoiceNumber,
) -> Result<Option<Letter>> {
    let organisation = organisations::get(read, to.organisation)?;
    let account = accounts::find_in(read, to.organisation, to.account)?
        .filter(|account| account.email.as_ref() == Some(&to.email));
    let is_owner = organisation.owner == to.account;
    let is_theirs = account
        .is_some_and(|account| is_owner || billing::looks_after(&account, organisation.managers));
    let found = billing::find(read, to.organisation, number)?;
    let Some(invoice) = found.filter(|_| is_theirs) else {
        return Ok(None);
    };
    let lines = billing::lines(read, to.organisation, number)?;
    let name = &organisation.name;
    let currency = invoice.currency;
    let mut paragraphs = vec![asked(&invoice), Paragraph::facts(facts(&invoice, &lines))];
    if invoice.paid.is_none() && !invoice.payment.is_empty() {
        paragraphs.push(Paragraph::lines(&format!(
            "How to pay:\n{}",
            invoice.payment
        )));
    }
    Ok(Some(Letter {
        subject: format!("Invoice {number}, {}", currency.show(invoice.total)),
        brand: name.to_string(),
        heading: format!("Invoice {number}"),
        paragraphs,
        button: Some(Button {
            label: "Open invoice".to_owned(),
            url: settings.link(&Route::Invoice(number)),
        }),
        closing: vec![
            "The page has every line of it, prints on paper, and saves them for a spreadsheet."
                .to_owned(),
        ],
        doubt: if is_owner {
            format!(
                "You get this as the owner of {name}. A billing contact can be chosen in Settings."
            )
        } else {
            format!(
                "You get this as the billing contact of {name}. Another can be chosen in Settings."
            )
        },
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}

/// How much, for what, and until when.
fn asked(invoice: &Invoice) -> Paragraph {
    let (currency, month) = (invoice.currency, invoice.month.label());
    let first = Paragraph::new(format!(
        "The invoice of {} for {month} comes to ",
        sender(invoice)
    ))
    .strong(currency.write(invoice.total));
    match &invoice.paid {
        Some(paid) => first.then(format!(
            ". It was marked as paid on {}: there is nothing left to do.",
            long_day(paid.at, &TimeZone::UTC)
        )),
        None => first
            .then(". Please pay it by ")
            .strong(long_day(invoice.due_at, &TimeZone::UTC))
            .then("."),
    }
}

/// The first line of the issuer is its name.
fn sender(invoice: &Invoice) -> &str {
    invoice.issuer.lines().next().unwrap_or("the Portal")
}

fn facts(invoice: &Invoice, lines: &[InvoiceLine]) -> Vec<(String, String)> {
    let currency = invoice.currency;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = vec![
        fact("Number", invoice.number.to_string()),
        fact("Month", invoice.month.label()),
        fact("Billed to", invoice.bill_to.clone()),
    ];
    facts.extend(
        by_kind(lines)
            .into_iter()
            .map(|(kind, amount)| (kind, currency.write(amount))),
    );
    if invoice.tax_rate > 0 {
        facts.push(fact("Sum", currency.write(invoice.net)));
        let tax = format!("Tax {} %", billing::percent(invoice.tax_rate));
        facts.push((tax, currency.write(invoice.tax)));
    }
    facts.push(fact("Total", currency.write(invoice.total)));
    facts.push(fact("Due", long_day(invoice.due_at, &TimeZone::UTC)));
    facts
}

/// What each kind comes to, in the order of the lines.
fn by_kind(lines: &[InvoiceLine]) -> Vec<(String, Money)> {
    let mut kinds: Vec<(String, Money)> = Vec::new();
    for line in lines {
        match kinds.iter_mut().find(|(kind, _)| *kind == line.kind) {
            Some((_, amount)) => *amount = amount.plus(line.amount),
            None => kinds.push((line.kind.clone(), line.amount)),
        }
    }
    if kinds.len() > KINDS_MAX {
        let all = kinds.iter().map(|(_, amount)| *amount).sum();
        return vec![(format!("{} kinds", kinds.len()), all)];
    }
    kinds
}

/// To those who look after the bill; none once the month is over, or it does not hold of the budget any more.
pub fn budget(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    (month, percent): (Month, i64),
) -> Result<Option<Letter>> {
    let organisation = organisations::get(read, to.organisation)?;
    let is_theirs = accounts::find_in(read, to.organisation, to.account)?
        .filter(|account| account.email.as_ref() == Some(&to.email))
        .is_some_and(|account| billing::looks_after(&account, organisation.managers));
    let budget = billing::budget(read, to.organisation)?;
    let Some(budget) = budget.filter(|_| is_theirs && month == Month::of(read.now())) else {
        return Ok(None);
    };
    let spent = billing::so_far(read, to.organisation)?;
    if billing::step(spent, budget) < percent {
        return Ok(None);
    }
    let expected = billing::expected(read, to.organisation)?;
    let currency = billing::currency(read)?;
    let name = &organisation.name;
    let heading = if percent >= 100 {
        format!("{}'s budget is spent", month.name())
    } else {
        format!("{percent} % of {}'s budget is spent", month.name())
    };
    let goes_on = match expected.0.checked_sub(budget.0) {
        Some(over @ 1..) => format!(
            "If everything goes on as it is, the month comes to {}: {} more than the budget.",
            currency.show(expected),
            currency.show(Money(over))
        ),
        Some(_) | None => format!(
            "If everything goes on as it is, the month comes to {}, which is within the budget.",
            currency.show(expected)
        ),
    };
    let fact = |name: &str, amount| (name.to_owned(), currency.write(amount));
    let mut closing =
        vec!["Nothing is switched off by it: the budget is a mark, not a limit.".to_owned()];
    if settings.billing.tax_rate > 0 {
        closing.push("All amounts are before tax.".to_owned());
    }
    Ok(Some(Letter {
        subject: format!("{heading} at {name}"),
        brand: name.to_string(),
        heading,
        paragraphs: vec![
            Paragraph::default()
                .strong(name.as_str())
                .then(" has spent ")
                .strong(currency.show(spent))
                .then(format!(
                    " of the {} that it set for {}. {goes_on}",
                    currency.show(budget),
                    month.label()
                )),
            Paragraph::facts(vec![
                fact("Spent so far", spent),
                fact("Expected", expected),
                fact("Budget", budget),
            ]),
        ],
        button: Some(Button {
            label: "Open Billing".to_owned(),
            url: settings.link(&Route::Billing),
        }),
        closing,
        doubt: format!(
            "You get this because you manage the billing of {name}. The budget is changed on the Billing page."
        ),
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}
