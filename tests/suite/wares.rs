//! Something to have and to pay for: a catalogue, a resource, an invoice.

use doorward::billing::{self, Terms};
use doorward::catalogue::file::{File, Kind, Plan};
use doorward::catalogue::{self, Imported};
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

/// The install has this catalogue from here on; answers what that changed, none when nothing.
pub(crate) fn import(portal: &Portal, file: &File) -> Option<Imported> {
    let app = portal.app();
    app.write_if(app.now(), |tx| catalogue::import(tx, &By::operator(), file))
        .unwrap()
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

/// The install has a catalogue, if it had none.
pub(crate) fn stocked(portal: &Portal) {
    if portal.ask::<i64>("SELECT count(*) FROM catalogue")[0] == 0 {
        stock(portal);
    }
}

/// A resource under a name that nothing else has, with a catalogue if there was none.
pub(crate) fn resource(portal: &Portal, by: &Visitor) -> ResourceId {
    stocked(portal);
    let number = portal.ask::<i64>("SELECT count(*) FROM resources")[0];
    create(portal, by, &format!("web-{number:04}"), "server/s-1")
}

/// An invoice of last month that is not paid.
pub(crate) fn invoice(portal: &Portal, by: &Visitor) -> InvoiceNumber {
    let scope = by.scope().unwrap();
    let organisation = scope.organisation.number();
    let known: Vec<i64> = portal.ask(&format!(
        "SELECT count(*) FROM invoices WHERE organisation_id = {organisation}"
    ));
    let app = portal.app();
    if known == [0] {
        let id = resource(portal, by).number();
        let last = Month::of(app.now()).previous().start().0;
        // What it costs was so then, too.
        portal.tamper(&format!(
            "INSERT INTO prices SELECT plan_id, {last}, min(amount) FROM prices WHERE true GROUP BY plan_id ON CONFLICT DO NOTHING;
             UPDATE resources SET created_at = {last} WHERE id = {id};
             UPDATE runs SET from_at = {last} WHERE resource_id = {id};
             UPDATE ledgers SET closed_until = {last} WHERE organisation_id = {organisation};
             INSERT OR IGNORE INTO prices SELECT plan_id, {last}, amount FROM prices;"
        ));
        app.housekeep(app.now(), |tx| {
            billing::close_next_of(tx, &By::system(), &Terms::default(), scope.organisation)
        })
        .unwrap()
        .unwrap();
    }
    portal.tamper(&format!(
        "DELETE FROM payments WHERE organisation_id = {organisation}"
    ));
    let invoices = app.read(app.now(), |read| {
        Ok(billing::invoices(read, scope.organisation)?)
    });
    invoices.unwrap()[0].number
}

/// So many organisations at once, each with an owner and with so many resources that run since then, put into the file as if
/// it had all happened: nobody does a thousand things by hand.
pub(crate) fn crowd(
    file: &rusqlite::Connection,
    (organisations, resources): (i64, i64),
    since: i64,
) {
    file.execute_batch(&format!(
        "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;
         BEGIN IMMEDIATE;
         INSERT OR IGNORE INTO catalogue (id, currency, imported_at) VALUES (1, 'EUR', {since});
         INSERT OR IGNORE INTO kinds (key, name, position) VALUES ('server', 'Server', 0);
         INSERT OR IGNORE INTO plans (id, kind, key, name, position) VALUES (77, 'server', 'crowd', 'In a crowd', 9);
         INSERT OR IGNORE INTO prices (plan_id, starts_at, amount) VALUES (77, {since}, 1240);
         CREATE TEMP TABLE many AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {organisations}) SELECT i FROM n;
         INSERT INTO organisations (id, name, time_zone, owner_id, managers, trust, created_at)
           SELECT 1000 + i, 'Crowd ' || i, 'UTC', 500000 + i, 'admins', 'off', {since} FROM many;
         INSERT INTO policies (organisation_id, role, level, grace_days, stricter_at)
           SELECT 1000 + i, column1, 'off', 7, {since} FROM many, (VALUES ('member'), ('billing'), ('admin'), ('master'));
         INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, activated_at, role_at)
           SELECT 500000 + i, 1000 + i, 'active', 'master', 'owner' || i || '@crowd.example', 'Owner ' || i, {since}, {since}, {since}
             FROM many;
         CREATE TEMP TABLE things AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {resources}) SELECT i FROM n;
         INSERT INTO resources (id, organisation_id, name, note, plan_id, created_by, holder_id, created_at)
           SELECT 1000000 + m.i * 10000 + t.i, 1000 + m.i, 'web-' || t.i, '', 77, 500000 + m.i, 500000 + m.i, {since}
             FROM many m, things t;
         INSERT INTO runs (organisation_id, resource_id, from_at, plan_id, holder_id)
           SELECT organisation_id, id, created_at, plan_id, holder_id FROM resources WHERE plan_id = 77;
         INSERT INTO ledgers (organisation_id, closed_until) SELECT 1000 + i, {since} FROM many;
         COMMIT;
         DROP TABLE many; DROP TABLE things;"
    ))
    .unwrap();
}

/// What must give no rows, whatever happened to the months that were closed.
pub(crate) const CONTRADICTIONS: [(&str, &str); 7] = [
    (
        "an invoice that is not the sum of its lines",
        "SELECT net FROM invoices i WHERE net <> (SELECT sum(amount) FROM invoice_lines l
            WHERE l.organisation_id = i.organisation_id AND l.year = i.year AND l.number = i.number)",
    ),
    (
        "an invoice whose total is not net and tax",
        "SELECT net FROM invoices WHERE total <> net + tax OR tax <> (net * tax_rate * 2 + 10000) / 20000",
    ),
    (
        "a gap in the numbers, or a number twice",
        "SELECT year FROM invoices GROUP BY organisation_id, year HAVING count(*) <> max(number) OR min(number) <> 1",
    ),
    (
        "numbers that are not in the order of the months",
        "SELECT i.number FROM invoices i JOIN invoices j USING (organisation_id, year)
          WHERE i.number < j.number AND i.from_at >= j.from_at",
    ),
    (
        "a closed month without its invoice, or an invoice of an open one",
        "SELECT 1 FROM ledgers l WHERE closed_until <> (SELECT max(until_at) FROM invoices i
            WHERE i.organisation_id = l.organisation_id)",
    ),
    (
        "an invoice without its record, or a record without it",
        "SELECT 1 FROM organisations o WHERE (SELECT count(*) FROM invoices WHERE organisation_id = o.id)
            <> (SELECT count(*) FROM audit_events WHERE chain_id = o.id AND action = 'invoice.issued')",
    ),
    (
        "an invoice without its mail, or with two",
        "SELECT 1 FROM invoices i WHERE (SELECT count(*) FROM errands e WHERE e.organisation_id = i.organisation_id
            AND kind = 'invoice' AND json_extract(details, '$') = printf('INV-%04d-%03d', i.year, i.number)) <> 1",
    ),
];
