//! One bill for all that an organisation has. Owns `billing`, `invoices`, `invoice_lines` and `payments`.
//!
//! A month is closed once it is over, in UTC and in order; what stands on its invoice is a copy, and never changes. What the
//! running month has cost so far is computed each time it is asked for.

pub mod mail;
pub mod pages;
mod sql;

use std::collections::HashMap;

use crate::accounts::{self, Account, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::catalogue;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::invoice::InvoiceNumber;
use crate::domain::money::{Currency, Money};
use crate::domain::month::Month;
use crate::domain::role::{Permission, Role};
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
/// The longest reference of a payment, in code points.
pub const REFERENCE_MAX: usize = 100;
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

/// Closes the month that has been over for longest, of whichever organisation; none when none is over. Its invoice, its
/// record and the mail about it come with it or not at all.
pub fn close_next(tx: &Tx<'_>, by: &By, terms: &Terms) -> Result<Option<Closed>> {
    let running = Month::of(tx.now());
    let Some((organisation, from)) = resources::due(tx, running.start())? else {
        return Ok(None);
    };
    close(tx, by, terms, (organisation, Month::of(from))).map(Some)
}

/// Closes the oldest open month of this organisation; none when none is over.
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
    let deadline = tx.now().plus(INVOICE_TTL);
    outbox::enqueue(
        tx,
        &to.recipient()?,
        &Errand::Invoice(number),
        Some(deadline),
    )?;
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

/// Charges as they will stand on the invoice, by kind, then by name.
pub fn in_words(
    read: &Read<'_>,
    organisation: OrganisationId,
    charges: &[Charge],
) -> Result<Vec<InvoiceLine>> {
    let names: HashMap<_, _> = resources::all(read, organisation)?
        .into_iter()
        .map(|resource| (resource.id, resource.name.to_string()))
        .collect();
    let plans: HashMap<_, _> = catalogue::plans(read)?
        .into_iter()
        .enumerate()
        .map(|(place, plan)| (plan.id, (place, plan)))
        .collect();
    let mut labels: HashMap<AccountId, String> = HashMap::new();
    let mut lines = Vec::with_capacity(charges.len());
    for charge in charges {
        let account = match labels.get(&charge.holder) {
            Some(label) => label.clone(),
            None => {
                let account = accounts::find(read, charge.holder)?.ok_or(Error::NotFound)?;
                labels.insert(charge.holder, account.label());
                account.label()
            }
        };
        let (place, plan) = plans.get(&charge.plan).ok_or(Error::NotFound)?;
        let resource = names.get(&charge.resource).cloned().unwrap_or_default();
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
        lines.push((*place, line));
    }
    lines.sort_by(|(one_place, one), (other_place, other)| {
        let by_kind = (&one.kind, &one.resource).cmp(&(&other.kind, &other.resource));
        by_kind
            .then(one.resource_id.cmp(&other.resource_id))
            .then(one.span.from.0.cmp(&other.span.from.0))
            .then(one_place.cmp(other_place))
    });
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// Who gets the invoices: the account that was chosen, as long as it is Active and manages billing; else the owner.
pub fn contact(read: &Read<'_>, organisation: OrganisationId) -> Result<Account> {
    let chosen = match sql::details(read, organisation)?.contact {
        Some(id) => accounts::find_in(read, organisation, id)?,
        None => None,
    };
    let owner = organisations::get(read, organisation)?;
    let managers = owner.managers;
    let is_able = |account: &Account| {
        account.status == Status::Active
            && account
                .role
                .permissions(managers)
                .has(Permission::BillingManage)
    };
    match chosen.filter(is_able) {
        Some(account) => Ok(account),
        None => accounts::find(read, owner.owner)?.ok_or(Error::NotFound),
    }
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
        .with("total", invoice.currency.write(invoice.total))
        .with("reference", reference);
    audit::record(tx, by.by(), &event, invoice)
}

/// A reference as it was typed; may be left out.
pub fn reference(typed: &str) -> std::result::Result<String, String> {
    let reference = typed.trim();
    if reference.chars().count() > REFERENCE_MAX {
        return Err(format!("At most {REFERENCE_MAX} characters."));
    }
    if reference.chars().any(char::is_control) {
        return Err("This holds characters that cannot be seen. Type it anew.".to_owned());
    }
    Ok(reference.to_owned())
}

/// Another budget, or none. Of what is spent of it already nobody is told by mail: whoever decides it sees it.
pub fn set_budget(
    tx: &Tx<'_>,
    by: &Allowed<ManageBilling>,
    budget: Option<Money>,
) -> Result<Option<Audited<()>>> {
    let organisation = by.organisation();
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

/// Looks at the budget of the next organisation after this one, and tells those who look after its bill when more of it is
/// spent than they were told of this month. Answers which it was; none when there is no other.
pub fn look_at_budget(
    tx: &Tx<'_>,
    after: Option<OrganisationId>,
) -> Result<Option<OrganisationId>> {
    let month = Month::of(tx.now());
    let Some((organisation, budget, told)) = sql::next_budget(tx, after, month)? else {
        return Ok(None);
    };
    let reached = step(so_far(tx, organisation)?, budget);
    if reached > told {
        sql::told(tx, organisation, (month, reached))?;
        let errand = Errand::Budget {
            month,
            percent: reached,
        };
        let deadline = tx.now().plus(BUDGET_TTL);
        for account in people(tx, organisation)? {
            outbox::enqueue(tx, &account.recipient()?, &errand, Some(deadline))?;
        }
    }
    Ok(Some(organisation))
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
