//! Something to have and to pay for: a catalogue, a resource, an invoice.

use doorward::billing::{self, Terms};
use doorward::catalogue;
use doorward::catalogue::file::{File, Kind, Plan};
use doorward::domain::id::ResourceId;
use doorward::domain::invoice::InvoiceNumber;
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::resources::{self, NewResource};
use doorward::scope::{Allowed, By};

use crate::portal::Portal;
use crate::visitor::Visitor;

/// Servers in two sizes and a database: 12.40 and 24.80 and 88.00 euros a month.
pub(crate) fn file() -> File {
    let plan = |key: &str, name: &str, price| Plan {
        key: key.to_owned(),
        name: name.to_owned(),
        price: Money(price),
        from: None,
    };
    let kind = |key: &str, name: &str, plans| Kind {
        key: key.to_owned(),
        name: name.to_owned(),
        plans,
    };
    File {
        currency: "EUR".parse().unwrap(),
        kinds: vec![
            kind(
                "server",
                "Server",
                vec![
                    plan("s-1", "1 core, 2 GB", 1_240),
                    plan("s-2", "2 cores, 4 GB", 2_480),
                ],
            ),
            kind("database", "Database", vec![plan("db-1", "20 GB", 8_800)]),
        ],
    }
}

/// The install has the catalogue from here on.
pub(crate) fn stock(portal: &Portal) {
    import(portal, &file());
}

/// The install has this catalogue from here on.
pub(crate) fn import(portal: &Portal, file: &File) {
    let app = portal.app();
    app.write(app.now(), |tx| catalogue::import(tx, &By::operator(), file))
        .unwrap();
}

/// A resource of this name with this plan, created by its verb.
pub(crate) fn create(portal: &Portal, by: &Visitor, name: &str, plan: &str) -> ResourceId {
    let app = portal.app();
    let allowed = Allowed::to(&by.scope().unwrap(), &by.by()).unwrap();
    let new = NewResource {
        name: name.parse().unwrap(),
        note: String::new(),
        plan: plan.to_owned(),
    };
    app.write(app.now(), |tx| resources::create(tx, &allowed, &new))
        .unwrap()
}

/// A resource under a name that nothing else has, with a catalogue if there was none.
pub(crate) fn resource(portal: &Portal, by: &Visitor) -> ResourceId {
    if portal.ask::<i64>("SELECT count(*) FROM catalogue")[0] == 0 {
        stock(portal);
    }
    let number = portal.ask::<i64>("SELECT count(*) FROM resources")[0];
    create(portal, by, &format!("web-{number}"), "server/s-1")
}

/// An invoice of last month that is not paid.
pub(crate) fn invoice(portal: &Portal, by: &Visitor) -> InvoiceNumber {
    let organisation = by.scope().unwrap().organisation.number();
    let known: Vec<i64> = portal.ask(&format!(
        "SELECT count(*) FROM invoices WHERE organisation_id = {organisation}"
    ));
    let app = portal.app();
    if known == [0] {
        let id = resource(portal, by).number();
        let last = Month::of(app.now()).previous().start().0;
        // What it costs was so then, too.
        portal.tamper(&format!(
            "INSERT INTO prices SELECT plan_id, {last}, amount FROM prices WHERE true ON CONFLICT DO NOTHING;
             UPDATE resources SET created_at = {last} WHERE id = {id};
             UPDATE runs SET from_at = {last} WHERE resource_id = {id};
             UPDATE ledgers SET closed_until = {last} WHERE organisation_id = {organisation};"
        ));
        app.housekeep(app.now(), |tx| {
            billing::close_next(tx, &By::system(), &Terms::default())
        })
        .unwrap()
        .unwrap();
    }
    portal.tamper(&format!(
        "DELETE FROM payments WHERE organisation_id = {organisation}"
    ));
    let invoices = app.read(app.now(), |read| {
        Ok(billing::invoices(read, by.scope().unwrap().organisation)?)
    });
    invoices.unwrap()[0].number
}
