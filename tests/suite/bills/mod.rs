//! Months that are closed: what stands on an invoice, once, in order, and for ever.

mod histories;
mod model;

use doorward::billing::{self, Standing};
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::kit::time::{DAY, Timestamp};

use crate::portal::Portal;
use crate::wares;

/// Waits until the next month has begun, with the worker at work.
fn turn_the_month(portal: &Portal) {
    let app = portal.app();
    let end = Month::of(app.now()).span().until;
    portal.travel(end.since(app.now()));
    portal.work();
}

#[test]
fn a_month_becomes_an_invoice_once_it_is_over() {
    let portal = Portal::start();
    let owner = portal.owner();
    let organisation = portal.first();
    wares::stock(&portal);
    let began = portal.app().now();
    wares::create(&portal, &owner, "web-1", "server/s-1");
    turn_the_month(&portal);
    portal.work();

    let app = portal.app();
    let invoices = app
        .read(app.now(), |read| Ok(billing::invoices(read, organisation)?))
        .unwrap();
    assert_eq!(invoices.len(), 1);
    let (invoice, month) = (&invoices[0], Month::of(began));
    let ran = month.span().until.since(began);
    assert_eq!(invoice.month, month);
    assert_eq!(
        invoice.number.to_string(),
        format!("INV-{}-001", month.year())
    );
    assert_eq!(invoice.net, Money(1_240).share(ran, month.span().seconds()));
    assert_eq!(invoice.standing(app.now()), Standing::Open);
    let late = Timestamp(invoice.due_at.0 + DAY);
    assert_eq!(invoice.standing(late), Standing::Overdue);
    let lines = app
        .read(app.now(), |read| {
            Ok(billing::lines(read, organisation, invoice.number)?)
        })
        .unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].resource, "web-1");
    let mails = portal.mails();
    let subjects: Vec<_> = mails.iter().map(|mail| mail.subject.clone()).collect();
    assert!(
        subjects
            .iter()
            .any(|subject| subject.starts_with(&format!("Invoice {}", invoice.number))),
        "{subjects:?}"
    );
}
