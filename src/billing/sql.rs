//! The statements of the bill.

use rusqlite::Row as SqlRow;

use crate::domain::id::{AccountId, OrganisationId, ResourceId};
use crate::domain::invoice::InvoiceNumber;
use crate::domain::money::{Currency, Money};
use crate::domain::month::{Month, Span};
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

/// What an organisation decides about its bill, but for the budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Its address, a line each; empty when not given.
    pub address: String,
    /// Its VAT number; empty when not given.
    pub vat_number: String,
    /// Who gets the invoices; none: the owner.
    pub contact: Option<AccountId>,
}

/// One invoice, as it was issued.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// Which.
    pub number: InvoiceNumber,
    /// For which month.
    pub month: Month,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The start of the day until whose end it is to be paid.
    pub due_at: Timestamp,
    /// What it is paid in.
    pub currency: Currency,
    /// The sum of its lines.
    pub net: Money,
    /// The tax, in hundredths of a percent.
    pub tax_rate: i64,
    /// The tax.
    pub tax: Money,
    /// Both.
    pub total: Money,
    /// Who sends it, a line each.
    pub issuer: String,
    /// How to pay, a line each.
    pub payment: String,
    /// The organisation as it was called.
    pub bill_to: String,
    /// The owner as they were called.
    pub owner: String,
    /// The organisation's address then.
    pub address: String,
    /// Its VAT number then.
    pub vat_number: String,
    /// That it was paid.
    pub paid: Option<Payment>,
}

/// That an invoice was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// When that was noted.
    pub at: Timestamp,
    /// The reference; may be empty.
    pub reference: String,
    /// By whom; none: the operator.
    pub by: Option<AccountId>,
}

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceLine {
    /// For which resource.
    pub resource_id: ResourceId,
    /// Its name then.
    pub resource: String,
    /// The kind's name then.
    pub kind: String,
    /// The plan's name then.
    pub plan: String,
    /// Under whose name.
    pub account_id: AccountId,
    /// What they were called then.
    pub account: String,
    /// The price of the whole month.
    pub price: Money,
    /// When it ran.
    pub span: Span,
    /// What is to be paid.
    pub amount: Money,
}

fn payment(
    at: Option<Timestamp>,
    reference: Option<String>,
    by: Option<AccountId>,
) -> Option<Payment> {
    Some(Payment {
        at: at?,
        reference: reference?,
        by,
    })
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Invoice> {
    Ok(Invoice {
        number: InvoiceNumber {
            year: row.get(0)?,
            place: row.get(1)?,
        },
        month: Month::of(row.get(2)?),
        issued_at: row.get(3)?,
        due_at: row.get(4)?,
        currency: row.get(5)?,
        net: row.get(6)?,
        tax_rate: row.get(7)?,
        tax: row.get(8)?,
        total: row.get(9)?,
        issuer: row.get(10)?,
        payment: row.get(11)?,
        bill_to: row.get(12)?,
        owner: row.get(13)?,
        address: row.get(14)?,
        vat_number: row.get(15)?,
        paid: payment(row.get(16)?, row.get(17)?, row.get(18)?),
    })
}

/// One invoice of that organisation; another's is none.
pub fn find(
    read: &Read<'_>,
    organisation: OrganisationId,
    number: InvoiceNumber,
) -> Result<Option<Invoice>> {
    read.find(
        "SELECT i.year, i.number, i.from_at, i.issued_at, i.due_at, i.currency, i.net, i.tax_rate, i.tax, i.total, i.issuer,
           i.payment, i.bill_to, i.owner, i.address, i.vat_number, p.paid_at, p.reference, p.noted_by
           FROM invoices i LEFT JOIN payments p USING (organisation_id, year, number)
          WHERE i.organisation_id = ?1 AND i.year = ?2 AND i.number = ?3",
        (organisation, number.year, number.place),
        from_row,
    )
}

/// All of them, newest first.
pub fn invoices(read: &Read<'_>, organisation: OrganisationId) -> Result<Vec<Invoice>> {
    read.list(
        "SELECT i.year, i.number, i.from_at, i.issued_at, i.due_at, i.currency, i.net, i.tax_rate, i.tax, i.total, i.issuer,
           i.payment, i.bill_to, i.owner, i.address, i.vat_number, p.paid_at, p.reference, p.noted_by
           FROM invoices i LEFT JOIN payments p USING (organisation_id, year, number)
          WHERE i.organisation_id = ?1 ORDER BY i.year DESC, i.number DESC",
        [organisation],
        from_row,
    )
}

/// The newest ones, at most so many.
pub fn latest(read: &Read<'_>, organisation: OrganisationId, at_most: i64) -> Result<Vec<Invoice>> {
    read.list(
        "SELECT i.year, i.number, i.from_at, i.issued_at, i.due_at, i.currency, i.net, i.tax_rate, i.tax, i.total, i.issuer,
           i.payment, i.bill_to, i.owner, i.address, i.vat_number, p.paid_at, p.reference, p.noted_by
           FROM invoices i LEFT JOIN payments p USING (organisation_id, year, number)
          WHERE i.organisation_id = ?1 ORDER BY i.year DESC, i.number DESC LIMIT ?2",
        (organisation, at_most),
        from_row,
    )
}

/// Its lines, in their order.
pub fn lines(
    read: &Read<'_>,
    organisation: OrganisationId,
    number: InvoiceNumber,
) -> Result<Vec<InvoiceLine>> {
    read.list(
        "SELECT resource_id, resource, kind, plan, account_id, account, price, from_at, until_at, amount
           FROM invoice_lines WHERE organisation_id = ?1 AND year = ?2 AND number = ?3 ORDER BY line",
        (organisation, number.year, number.place),
        |row| {
            Ok(InvoiceLine {
                resource_id: row.get(0)?,
                resource: row.get(1)?,
                kind: row.get(2)?,
                plan: row.get(3)?,
                account_id: row.get(4)?,
                account: row.get(5)?,
                price: row.get(6)?,
                span: Span {
                    from: row.get(7)?,
                    until: row.get(8)?,
                },
                amount: row.get(9)?,
            })
        },
    )
}

/// The place of the last invoice of the year; 0 before the first.
pub(super) fn last_place(read: &Read<'_>, organisation: OrganisationId, year: i16) -> Result<i64> {
    read.get(
        "SELECT coalesce(max(number), 0) FROM invoices WHERE organisation_id = ?1 AND year = ?2",
        (organisation, year),
        |row| row.get(0),
    )
}

/// Writes an invoice and its lines.
pub(super) fn insert(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    invoice: &Invoice,
    lines: &[InvoiceLine],
) -> Result<()> {
    let (number, span) = (invoice.number, invoice.month.span());
    tx.execute(
        "INSERT INTO invoices (organisation_id, year, number, from_at, until_at, issued_at, due_at, currency, net, tax_rate,
           tax, total, issuer, payment, bill_to, owner, address, vat_number)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        rusqlite::params![
            organisation,
            number.year,
            number.place,
            span.from,
            span.until,
            invoice.issued_at,
            invoice.due_at,
            invoice.currency,
            invoice.net,
            invoice.tax_rate,
            invoice.tax,
            invoice.total,
            invoice.issuer,
            invoice.payment,
            invoice.bill_to,
            invoice.owner,
            invoice.address,
            invoice.vat_number,
        ],
    )?;
    for (line, place) in lines.iter().zip(1_i64..) {
        tx.execute(
            "INSERT INTO invoice_lines (organisation_id, year, number, line, resource_id, resource, kind, plan, account_id,
               account, price, from_at, until_at, amount)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            rusqlite::params![
                organisation,
                number.year,
                number.place,
                place,
                line.resource_id,
                line.resource,
                line.kind,
                line.plan,
                line.account_id,
                line.account,
                line.price,
                line.span.from,
                line.span.until,
                line.amount,
            ],
        )?;
    }
    Ok(())
}

/// Notes that it was paid.
pub(super) fn pay(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    number: InvoiceNumber,
    reference: &str,
    by: Option<AccountId>,
) -> Result<()> {
    tx.execute(
        "INSERT INTO payments (organisation_id, year, number, paid_at, reference, noted_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (organisation, number.year, number.place, tx.now(), reference, by),
    )?;
    Ok(())
}

/// What was decided; nothing when nothing was.
pub fn details(read: &Read<'_>, organisation: OrganisationId) -> Result<Details> {
    let details = read.find(
        "SELECT address, vat_number, contact_id FROM billing WHERE organisation_id = ?1",
        [organisation],
        |row| {
            Ok(Details {
                address: row.get(0)?,
                vat_number: row.get(1)?,
                contact: row.get(2)?,
            })
        },
    )?;
    Ok(details.unwrap_or_default())
}

/// Decides it.
pub(super) fn set_details(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    details: &Details,
) -> Result<()> {
    tx.execute(
        "INSERT INTO billing (organisation_id, address, vat_number, contact_id) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET address = ?2, vat_number = ?3, contact_id = ?4",
        (
            organisation,
            &details.address,
            &details.vat_number,
            details.contact,
        ),
    )?;
    Ok(())
}

/// The budget of a month; none when there is none.
pub fn budget(read: &Read<'_>, organisation: OrganisationId) -> Result<Option<Money>> {
    let budget = read.find(
        "SELECT budget FROM billing WHERE organisation_id = ?1",
        [organisation],
        |row| row.get(0),
    )?;
    Ok(budget.flatten())
}

/// Decides it, and how much of it people know to be spent.
pub(super) fn set_budget(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    budget: Option<Money>,
    (month, percent): (Month, i64),
) -> Result<()> {
    tx.execute(
        "INSERT INTO billing (organisation_id, budget, told_month_at, told_percent) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET budget = ?2, told_month_at = ?3, told_percent = ?4",
        (organisation, budget, month.start(), percent),
    )?;
    Ok(())
}

/// The next organisation after this one that has a budget, the budget, and of how much of it people were told this month.
pub(super) fn next_budget(
    read: &Read<'_>,
    after: Option<OrganisationId>,
    month: Month,
) -> Result<Option<(OrganisationId, Money, i64)>> {
    read.find(
        "SELECT organisation_id, budget, CASE WHEN told_month_at = ?2 THEN told_percent ELSE 0 END
           FROM billing WHERE organisation_id > ?1 AND budget IS NOT NULL ORDER BY organisation_id LIMIT 1",
        (after.map_or(0, OrganisationId::number), month.start()),
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// The budget of this organisation, and of how much of it people were told this month; none without one.
pub(super) fn budget_and_told(
    read: &Read<'_>,
    organisation: OrganisationId,
    month: Month,
) -> Result<Option<(Money, i64)>> {
    read.find(
        "SELECT budget, CASE WHEN told_month_at = ?2 THEN told_percent ELSE 0 END
           FROM billing WHERE organisation_id = ?1 AND budget IS NOT NULL",
        (organisation, month.start()),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// People were told.
pub(super) fn told(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    (month, percent): (Month, i64),
) -> Result<()> {
    tx.execute(
        "UPDATE billing SET told_month_at = ?2, told_percent = ?3 WHERE organisation_id = ?1",
        (organisation, month.start(), percent),
    )?;
    Ok(())
}
