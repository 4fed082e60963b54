//! Bills: months that are closed once, in order and for ever, what they say, budgets, and the mails about both.

mod budgets;
mod closing;
mod command;
mod histories;
mod kills;
mod mails;
mod model;

use doorward::billing::{self, Invoice, InvoiceLine};
use doorward::domain::id::OrganisationId;
use doorward::domain::invoice::InvoiceNumber;
use doorward::domain::month::Month;

use crate::portal::Portal;
use crate::wares;

/// Waits until the next month has begun; the worker is not at work.
fn turn_the_month(portal: &Portal) {
    let app = portal.app();
    let end = Month::of(app.now()).span().until;
    portal.travel(end.since(app.now()));
}

/// The invoices, oldest first.
fn invoices(portal: &Portal, organisation: OrganisationId) -> Vec<Invoice> {
    let app = portal.app();
    let mut all = app
        .read(app.now(), |read| Ok(billing::invoices(read, organisation)?))
        .unwrap();
    all.reverse();
    all
}

fn lines(portal: &Portal, organisation: OrganisationId, number: InvoiceNumber) -> Vec<InvoiceLine> {
    let app = portal.app();
    app.read(app.now(), |read| {
        Ok(billing::lines(read, organisation, number)?)
    })
    .unwrap()
}

/// What the file must not say of bills, and says.
fn faults(ask: impl Fn(&str) -> i64) -> Vec<String> {
    wares::CONTRADICTIONS
        .iter()
        .map(|(what, sql)| (what, ask(&format!("SELECT count(*) FROM ({sql})"))))
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what} ({count})"))
        .collect()
}

/// The subjects of the mails to this address, oldest first.
fn subjects(portal: &Portal, to: &str) -> Vec<String> {
    let mails = portal.mails().into_iter();
    let theirs = mails.filter(|mail| mail.to == to);
    theirs.map(|mail| mail.subject).collect()
}
