//! One bill for all that an organisation has. Owns `billing`, `invoices`, `invoice_lines` and `payments`.
//!
//! A month is closed once it is over, in UTC and in order; what stands on its invoice is a copy, and never changes. What the
//! running month has cost so far is computed each time it is asked for.

pub mod mail;
pub mod pages;
mod sql;
pub mod views;

use std::collections::HashMap;
use std::hash::Hash;

use crate::accounts::{self, Account, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::catalogue;
use crate::domain::id::{AccountId, OrganisationId, ResourceId};
use crate::domain::invoice::InvoiceNumber;
use crate::domain::money::{BUDGET_MAX, Currency, Money};
use crate::domain::month::Month;
use crate::domain::role::{Managers, Permission, Role};
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::time::{DAY, Timestamp};
use crate::organisations;
use crate::outbox::{self, Errand};
use crate::resources::{self, Charge};
use crate::scope::{Allowed, By, ManageBilling, ManageOrganisation};

pub use sql::{
    Details, Invoice, InvoiceLine, Payment, budget, details, find, invoices, latest, lines,
};

/// What the operator decides about every invoice of the install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Who sends them: name and address, a line each.
    pub issuer: String,
    /// How to pay, a line each; may be empty.
    pub payment: String,
    /// The tax, in hundredths of a percent.
    pub tax_rate: i64,
    /// How many days there are to pay.
    pub due_days: i64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            payment: String::new(),
            tax_rate: 0,
            due_days: 14,
        }
    }
}

/// A percentage as people write it: "19", "8.1"; given in hundredths of a percent.
#[must_use]
pub fn percent(hundredths: i64) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match (rest, rest % 10) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("{whole}.{}", rest / 10),
        (_, _) => format!("{whole}.{rest:02}"),
    }
}

/// How an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// To be paid.
    Open,
    /// It should have been.
    Overdue,
    /// It was.
    Paid,
}

impl Standing {
    /// The word for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Overdue => "Overdue",
            Self::Paid => "Paid",
        }
    }
}

impl Invoice {
    /// How it stands at this instant.
    #[must_use]
    pub const fn standing(&self, now: Timestamp) -> Standing {
        if self.paid.is_some() {
            Standing::Paid
        } else if now.since(self.due_at) >= DAY {
            Standing::Overdue
        } else {
            Standing::Open
        }
    }
}

/// The fields of the forms.
pub const REFERENCE_FIELD: &str = "reference";
/// The field of the monthly amount.
pub const BUDGET_FIELD: &str = "budget";
/// The field of the address on invoices.
pub const ADDRESS_FIELD: &str = "address";
/// The field of the VAT number.
pub const VAT_NUMBER_FIELD: &str = "vat_number";
/// The field of whoever gets the invoices.
pub const CONTACT_FIELD: &str = "contact";
/// The longest address, in code points.
pub const ADDRESS_MAX: usize = 500;
/// The longest VAT number, in code points.
pub const VAT_NUMBER_MAX: usize = 40;
/// The longest reference of a payment, in code points.
pub const REFERENCE_MAX: usize = 100;
const BUDGET_RANGE: &str =
    "Write an amount above zero that a month can cost, or leave it empty for no budget.";
/// How long word of an invoice is worth sending.
const INVOICE_TTL: i64 = 30 * DAY;
/// How long word of a budget is.
const BUDGET_TTL: i64 = 7 * DAY;
/// Of how much of the budget people are told, in percent.
pub const STEPS: [i64; 3] = [50, 80, 100];

/// A month that was closed.
#[derive(Clone, Debug)]
pub struct Closed {
    /// Whose.
    pub organisation: OrganisationId,
    /// Which.
    pub month: Month,
    /// Its invoice; none where there was nothing to pay.
    pub invoice: Option<InvoiceNumber>,
}

/// Who has a month that is over and not closed: those first for whom it has been over for longest, at most so many.
pub fn due(read: &Read<'_>, at_most: usize) -> Result<Vec<OrganisationId>> {
    let running = Month::of(read.now());
    Ok(resources::due(read, running.start(), at_most)?)
}

/// Closes the month that has been over for longest, of whichever organisation; none when none is over.
pub fn close_next(tx: &Tx<'_>, by: &By, terms: &Terms) -> Result<Option<Closed>> {
    match due(tx, 1)?.first() {
        Some(organisation) => close_next_of(tx, by, terms, *organisation),
        None => Ok(None),
    }
}

/// Closes the oldest open month of this organisation; none when none is over. Its invoice, its record and the mail about it
/// come with it or not at all.
pub fn close_next_of(
    tx: &Tx<'_>,
    by: &By,
    terms: &Terms,
    organisation: OrganisationId,
) -> Result<Option<Closed>> {
    let running = Month::of(tx.now());
    let open = resources::closed_until(tx, organisation)?.filter(|from| *from < running.start());
    let Some(from) = open else {
        return Ok(None);
    };
    close(tx, by, terms, (organisation, Month::of(from))).map(Some)
}

fn close(
    tx: &Tx<'_>,
    by: &By,
    terms: &Terms,
    (organisation, month): (OrganisationId, Month),
) -> Result<Closed> {
    let end = month.span().until;
    let charges = resources::month(tx, organisation, month, end)?;
    resources::close_until(tx, organisation, end)?;
    let net: Money = charges.iter().map(|charge| charge.amount).sum();
    let invoice = if net > Money::ZERO {
        Some(issue(tx, by, terms, (organisation, month, &charges))?)
    } else {
        None
    };
    Ok(Closed {
        organisation,
        month,
        invoice,
    })
}

fn issue(
    tx: &Tx<'_>,
    by: &By,
    terms: &Terms,
    (id, month, charges): (OrganisationId, Month, &[Charge]),
) -> Result<InvoiceNumber> {
    let organisation = organisations::get(tx, id)?;
    let owner = accounts::find(tx, organisation.owner)?.ok_or(Error::NotFound)?;
    let details = sql::details(tx, id)?;
    let currency = currency(tx)?;
    let lines = in_words(tx, id, charges)?;
    let net: Money = lines.iter().map(|line| line.amount).sum();
    let tax = net.share(terms.tax_rate, 10_000);
    let number = InvoiceNumber {
        year: month.year(),
        place: sql::last_place(tx, id, month.year())? + 1,
    };
    let today = tx.now().0.div_euclid(DAY) * DAY;
    let invoice = Invoice {
        number,
        month,
        issued_at: tx.now(),
        due_at: Timestamp(today).plus(terms.due_days * DAY),
        currency,
        net,
        tax_rate: terms.tax_rate,
        tax,
        total: net.plus(tax),
        issuer: terms.issuer.clone(),
        payment: terms.payment.clone(),
        bill_to: organisation.name.to_string(),
        owner: owner.label(),
        address: details.address,
        vat_number: details.vat_number,
        paid: None,
    };
    sql::insert(tx, id, &invoice, &lines)?;
    let to = contact(tx, id)?;
    // One without an address is told nothing, and gets the bill all the same.
    if to.email.is_some() {
        let deadline = tx.now().plus(INVOICE_TTL);
        outbox::enqueue(
            tx,
            &to.recipient()?,
            &Errand::Invoice(number),
            Some(deadline),
        )?;
    }
    let event = Event::of(id, Action::InvoiceIssued)
        .with("invoice", number.to_string())
        .with("month", month.to_string())
        .with("total", currency.write(invoice.total));
    audit::record(tx, by, &event, number).map(Audited::into_inner)
}

/// The currency of the install, which there is once there is anything to pay for.
pub fn currency(read: &Read<'_>) -> Result<Currency> {
    catalogue::currency(read)?.ok_or(Error::NotFound)
}

/// Charges as they will stand on the invoice: by kind in the order of the catalogue, then by name, then by time.
pub fn in_words(
    read: &Read<'_>,
    organisation: OrganisationId,
    charges: &[Charge],
) -> Result<Vec<InvoiceLine>> {
    let plans: HashMap<_, _> = catalogue::plans(read)?
        .into_iter()
        .zip(0_usize..)
        .map(|(plan, place)| (plan.id, (plan, place)))
        .collect();
    // A kind stands where the first of its plans does, and keeps all of them together.
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (plan, place) in plans.values() {
        let first = places.entry(&plan.kind).or_insert(*place);
        *first = (*first).min(*place);
    }
    let mut names: HashMap<ResourceId, String> = HashMap::new();
    let mut labels: HashMap<AccountId, String> = HashMap::new();
    let mut lines = Vec::with_capacity(charges.len());
    for charge in charges {
        let resource = known(&mut names, charge.resource, || {
            let found = resources::find(read, organisation, charge.resource)?;
            Ok(found.map(|resource| resource.name.to_string()))
        })?;
        let account = known(&mut labels, charge.holder, || {
            let found = accounts::find_in(read, organisation, charge.holder)?;
            Ok(found.map(|account| account.label()))
        })?;
        let (plan, _) = plans.get(&charge.plan).ok_or(Error::NotFound)?;
        let place = places.get(plan.kind.as_str()).copied();
        let line = InvoiceLine {
            resource_id: charge.resource,
            resource,
            kind: plan.kind_name.clone(),
            plan: plan.name.clone(),
            account_id: charge.holder,
            account,
            price: charge.price,
            span: charge.span,
            amount: charge.amount,
        };
        lines.push((place, line.resource.to_lowercase(), line));
    }
    lines.sort_by(|(one_place, one_name, one), (place, name, other)| {
        (one_place, one_name, one.resource_id.number(), one.span.from).cmp(&(
            place,
            name,
            other.resource_id.number(),
            other.span.from,
        ))
    });
    Ok(lines.into_iter().map(|(_, _, line)| line).collect())
}

/// What this one is called, asked for once.
fn known<K: Copy + Eq + Hash>(
    names: &mut HashMap<K, String>,
    key: K,
    ask: impl FnOnce() -> Result<Option<String>>,
) -> Result<String> {
    if let Some(name) = names.get(&key) {
        return Ok(name.clone());
    }
    let name = ask()?.ok_or(Error::NotFound)?;
    names.insert(key, name.clone());
    Ok(name)
}

/// Who gets the invoices: the account that was chosen, as long as it is Active and manages billing; else the owner.
pub fn contact(read: &Read<'_>, organisation: OrganisationId) -> Result<Account> {
    let chosen = match sql::details(read, organisation)?.contact {
        Some(id) => accounts::find_in(read, organisation, id)?,
        None => None,
    };
    let owner = organisations::get(read, organisation)?;
    let managers = owner.managers;
    match chosen.filter(|account| looks_after(account, managers)) {
        Some(account) => Ok(account),
        None => accounts::find(read, owner.owner)?.ok_or(Error::NotFound),
    }
}

/// Whether this account may look after the bill: Active, with the permission.
#[must_use]
pub fn looks_after(account: &Account, managers: Managers) -> bool {
    let permissions = account.role.permissions(managers);
    account.status == Status::Active && permissions.has(Permission::BillingManage)
}

/// Whoever may look after the bill: Active, with the permission.
pub fn people(read: &Read<'_>, organisation: OrganisationId) -> Result<Vec<Account>> {
    let managers = organisations::get(read, organisation)?.managers;
    let mut people = Vec::new();
    for role in Role::ALL {
        if role.permissions(managers).has(Permission::BillingManage) {
            people.extend(accounts::active(read, organisation, role)?);
        }
    }
    Ok(people)
}

/// It was paid, with this reference.
pub fn mark_paid(
    tx: &Tx<'_>,
    by: &Allowed<ManageBilling>,
    number: InvoiceNumber,
    reference: &str,
) -> Result<Audited<Invoice>> {
    let organisation = by.organisation();
    let invoice = sql::find(tx, organisation, number)?.ok_or(Error::NotFound)?;
    if invoice.paid.is_some() {
        return Err(Error::Refused(format!(
            "{number} is marked as paid already."
        )));
    }
    sql::pay(tx, organisation, number, reference, by.by().account())?;
    let event = Event::of(organisation, Action::InvoicePaid)
        .with("invoice", number.to_string())
        .with("total", invoice.currency.write(invoice.total));
    // What somebody typed may name a person: it can be erased, and stands in no log line.
    let event = if reference.is_empty() {
        event
    } else {
        event.on_text(reference)
    };
    audit::record(tx, by.by(), &event, invoice)
}

/// A reference as it was typed; may be left out.
pub fn reference(typed: &str) -> std::result::Result<String, String> {
    written(typed, REFERENCE_MAX, char::is_control)
}

/// A VAT number as it was typed; may be left out.
pub fn vat_number(typed: &str) -> std::result::Result<String, String> {
    written(typed, VAT_NUMBER_MAX, char::is_control)
}

/// An address as it was typed, a line each; may be left out.
pub fn address(typed: &str) -> std::result::Result<String, String> {
    let is_unseen = |c: char| c.is_control() && c != '\n';
    written(&typed.replace("\r\n", "\n"), ADDRESS_MAX, is_unseen)
}

/// What will stand on invoices for ever: of a length, and without what cannot be seen.
fn written(
    typed: &str,
    at_most: usize,
    is_unseen: impl Fn(char) -> bool,
) -> std::result::Result<String, String> {
    let text = typed.trim();
    if text.chars().count() > at_most {
        return Err(format!("At most {at_most} characters."));
    }
    if text.chars().any(is_unseen) {
        return Err("This holds characters that cannot be seen. Type it anew.".to_owned());
    }
    Ok(text.to_owned())
}

/// Another budget, or none. Of what is spent of it already nobody is told by mail: whoever decides it sees it.
pub fn set_budget(
    tx: &Tx<'_>,
    by: &Allowed<ManageBilling>,
    budget: Option<Money>,
) -> Result<Option<Audited<()>>> {
    let organisation = by.organisation();
    if budget.is_some_and(|budget| !(Money(1)..=BUDGET_MAX).contains(&budget)) {
        return Err(Error::invalid(BUDGET_FIELD, BUDGET_RANGE));
    }
    let before = sql::budget(tx, organisation)?;
    if before == budget {
        return Ok(None);
    }
    let month = Month::of(tx.now());
    let spent = so_far(tx, organisation)?;
    let percent = budget.map_or(0, |budget| step(spent, budget));
    sql::set_budget(tx, organisation, budget, (month, percent))?;
    let currency = currency(tx)?;
    let written = |amount: Option<Money>| amount.map(|amount| currency.write(amount));
    let event = Event::of(organisation, Action::BudgetChanged)
        .with("from", written(before))
        .with("to", written(budget));
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// What the whole running month will cost if everything goes on as it is, with the prices that are known.
pub fn expected(read: &Read<'_>, organisation: OrganisationId) -> Result<Money> {
    let month = Month::of(read.now());
    let charges = resources::month(read, organisation, month, month.span().until)?;
    Ok(charges.iter().map(|charge| charge.amount).sum())
}

/// What the running month has cost until now.
pub fn so_far(read: &Read<'_>, organisation: OrganisationId) -> Result<Money> {
    let month = Month::of(read.now());
    let charges = resources::month(read, organisation, month, read.now())?;
    Ok(charges.iter().map(|charge| charge.amount).sum())
}

/// The highest of [`STEPS`] that is reached; 0 below the first.
#[must_use]
pub fn step(spent: Money, budget: Money) -> i64 {
    let is_reached =
        |percent: &i64| i128::from(spent.0) * 100 >= i128::from(budget.0) * i128::from(*percent);
    STEPS.into_iter().filter(is_reached).max().unwrap_or(0)
}

/// The next organisation after this one that has a budget, and whether more of it is spent than people were told of this
/// month; none when there is no other.
pub fn next_budget(
    read: &Read<'_>,
    after: Option<OrganisationId>,
) -> Result<Option<(OrganisationId, bool)>> {
    let month = Month::of(read.now());
    let Some((organisation, budget, told)) = sql::next_budget(read, after, month)? else {
        return Ok(None);
    };
    let reached = step(so_far(read, organisation)?, budget);
    Ok(Some((organisation, reached > told)))
}

/// Tells those who look after the bill how much of the budget is spent, if that is more than they were told of this month.
pub fn tell_of_budget(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    let month = Month::of(tx.now());
    let Some((budget, told)) = sql::budget_and_told(tx, organisation, month)? else {
        return Ok(());
    };
    let reached = step(so_far(tx, organisation)?, budget);
    if reached <= told {
        return Ok(());
    }
    sql::told(tx, organisation, (month, reached))?;
    let errand = Errand::Budget {
        month,
        percent: reached,
    };
    let deadline = tx.now().plus(BUDGET_TTL);
    for account in people(tx, organisation)? {
        outbox::enqueue(tx, &account.recipient()?, &errand, Some(deadline))?;
    }
    Ok(())
}

/// Address, VAT number and contact, as they will stand on invoices from here on.
pub fn set_details(
    tx: &Tx<'_>,
    by: &Allowed<ManageOrganisation>,
    details: &Details,
) -> Result<Option<Audited<()>>> {
    let organisation = by.organisation();
    let before = sql::details(tx, organisation)?;
    if before == *details {
        return Ok(None);
    }
    sql::set_details(tx, organisation, details)?;
    let changed: Vec<&str> = [
        ("address", before.address != details.address),
        ("vat_number", before.vat_number != details.vat_number),
        ("contact", before.contact != details.contact),
    ]
    .into_iter()
    .filter_map(|(what, is_changed)| is_changed.then_some(what))
    .collect();
    let event = Event::of(organisation, Action::BillingDetailsChanged).with("changed", changed);
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}
