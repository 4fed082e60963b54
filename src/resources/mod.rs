//! Resources: what an organisation has and pays for. Owns `resources`, `runs` and `ledgers`.
//!
//! A resource's life is a row of runs, each with one plan and one holder, from which every charge is computed. What lies
//! in a closed month never changes: a deed takes effect no earlier than the ledger's end.

pub mod charges;
pub mod pages;
mod sql;
pub mod views;

use crate::accounts::{self, Account, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::catalogue::{self, Offer, Plan};
use crate::domain::id::{AccountId, OrganisationId, ResourceId};
use crate::domain::money::Money;
use crate::domain::month::Month;
use crate::domain::text::ResourceName;
use crate::error::{Error, Result};
use crate::kit::db::{self, Read, Tx};
use crate::kit::time::Timestamp;
use crate::scope::{Allowed, ManageResources};

pub use charges::{Charge, Run};
pub use sql::{Resource, all, closed_until, due, find, held, running, running_since, runs_of};

/// The fields of the forms.
pub const NAME_FIELD: &str = "name";
/// The field of the note.
pub const NOTE_FIELD: &str = "note";
/// The field of the plan, as [`Plan::slug`] has it.
pub const PLAN_FIELD: &str = "plan";
/// The field of whoever gets it.
pub const HOLDER_FIELD: &str = "account";

/// The longest note, in code points.
pub const NOTE_MAX: usize = 1_000;
/// The name runs already.
pub const NAME_TAKEN: &str = "There is a resource of this name already. Choose another.";
const NOT_OFFERED: &str = "This plan is not on offer. Choose another.";
/// A plan of another kind.
pub const KEEPS_KIND: &str = "A resource keeps its kind. Choose a plan of the same kind.";

/// What a new resource is made of.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// Its name.
    pub name: ResourceName,
    /// What people want to remember about it.
    pub note: String,
    /// Its plan, as forms name it.
    pub plan: String,
}

/// A note as it was typed: lines, without what cannot be seen.
pub fn note(typed: &str) -> std::result::Result<String, String> {
    let note = typed.replace("\r\n", "\n").trim().to_owned();
    if note.chars().count() > NOTE_MAX {
        return Err(format!("At most {NOTE_MAX} characters."));
    }
    if note.chars().any(|c| c.is_control() && c != '\n') {
        return Err("This holds characters that cannot be seen. Type it anew.".to_owned());
    }
    Ok(note)
}

/// The offer of this name.
pub fn offer(read: &Read<'_>, slug: &str) -> Result<Offer> {
    let mut offers = catalogue::offers(read)?.into_iter();
    offers
        .find(|offer| offer.plan.slug() == slug)
        .ok_or_else(|| Error::invalid(PLAN_FIELD, NOT_OFFERED))
}

/// It runs from here on, under the name of whoever creates it.
pub fn create(
    tx: &Tx<'_>,
    by: &Allowed<ManageResources>,
    new: &NewResource,
) -> Result<Audited<ResourceId>> {
    let account = by.by().account().ok_or_else(|| {
        Error::Refused("A resource is created by an account, in the Portal.".to_owned())
    })?;
    let offer = offer(tx, &new.plan)?;
    let organisation = by.organisation();
    sql::open_ledger(tx, organisation, Month::of(tx.now()).start())?;
    let resource = Resource {
        id: ResourceId::new(tx)?,
        organisation,
        name: new.name.clone(),
        note: new.note.clone(),
        plan: offer.plan.id,
        created_by: account,
        holder: account,
        created_at: present(tx, organisation)?,
        ended_at: None,
    };
    sql::insert(tx, &resource).map_err(taken)?;
    sql::begin_run(tx, &resource, resource.created_at)?;
    let event = event(Action::ResourceCreated, &resource, &offer.plan);
    audit::record(tx, by.by(), &event, resource.id)
}

/// Another name or note; none when it is so already.
pub fn describe(
    tx: &Tx<'_>,
    by: &Allowed<ManageResources>,
    id: ResourceId,
    (name, note): (&ResourceName, &str),
) -> Result<Option<Audited<()>>> {
    let resource = changeable(tx, by, id)?;
    if resource.name == *name && resource.note == note {
        return Ok(None);
    }
    sql::describe(tx, id, name, note).map_err(taken)?;
    let plan = plan(tx, &resource)?;
    let event = event(Action::ResourceDescribed, &resource, &plan);
    let event = if resource.name == *name {
        event.with("what", "note")
    } else {
        event.changed(&resource.name, name)
    };
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// Another plan from here on; none when it has it already.
pub fn change_plan(
    tx: &Tx<'_>,
    by: &Allowed<ManageResources>,
    id: ResourceId,
    slug: &str,
) -> Result<Option<Audited<()>>> {
    let resource = changeable(tx, by, id)?;
    let before = plan(tx, &resource)?;
    if before.slug() == slug {
        return Ok(None);
    }
    let after = offer(tx, slug)?.plan;
    if after.kind != before.kind {
        return Err(Error::invalid(PLAN_FIELD, KEEPS_KIND));
    }
    let changed = Resource {
        plan: after.id,
        ..resource
    };
    sql::set_plan(tx, id, after.id)?;
    next_run(tx, &changed)?;
    let event = event(Action::ResourcePlanChanged, &changed, &after)
        .with("from", before.slug())
        .changed(before.name, after.name);
    Ok(Some(audit::record(tx, by.by(), &event, ())?))
}

/// Under another's name from here on: an Active account of the organisation. None when it is theirs already.
pub fn hand_over(
    tx: &Tx<'_>,
    by: &Allowed<ManageResources>,
    id: ResourceId,
    to: AccountId,
) -> Result<Option<Audited<()>>> {
    let resource = changeable(tx, by, id)?;
    let to = receiver(tx, by, to)?;
    if resource.holder == to.id {
        return Ok(None);
    }
    Ok(Some(hand(tx, by, resource, &to)?))
}

/// All that somebody holds, under another's name from here on; answers how many there were, none when none.
pub fn hand_over_all(
    tx: &Tx<'_>,
    by: &Allowed<ManageResources>,
    from: AccountId,
    to: AccountId,
) -> Result<Option<Audited<usize>>> {
    let to = receiver(tx, by, to)?;
    if from == to.id {
        return Ok(None);
    }
    let mut done = None;
    let held = sql::held(tx, by.organisation(), from)?;
    let count = held.len();
    for resource in held {
        done = Some(hand(tx, by, resource, &to)?);
    }
    Ok(done.map(|audited| audited.map(|()| count)))
}

fn hand(
    tx: &Tx<'_>,
    by: &Allowed<ManageResources>,
    resource: Resource,
    to: &Account,
) -> Result<Audited<()>> {
    let before = accounts::find(tx, resource.holder)?.ok_or(Error::NotFound)?;
    let plan = plan(tx, &resource)?;
    let changed = Resource {
        holder: to.id,
        ..resource
    };
    sql::set_holder(tx, changed.id, to.id)?;
    next_run(tx, &changed)?;
    let event = event(Action::ResourceHandedOver, &changed, &plan)
        .with("to", to.id.to_string())
        .changed(before.label(), to.label());
    audit::record(tx, by.by(), &event, ())
}

/// Who may be given a resource: an Active account of the organisation.
pub fn receiver(read: &Read<'_>, by: &Allowed<ManageResources>, to: AccountId) -> Result<Account> {
    accounts::find_in(read, by.organisation(), to)?
        .filter(|account| account.status == Status::Active)
        .ok_or_else(|| Error::invalid(HOLDER_FIELD, "Choose an Active account."))
}

/// It costs nothing from here on. Its name is free again; it stays in the list of what has ended.
pub fn end(tx: &Tx<'_>, by: &Allowed<ManageResources>, id: ResourceId) -> Result<Audited<()>> {
    let resource = changeable(tx, by, id)?;
    let at = close_run(tx, &resource)?;
    sql::end(tx, id, at)?;
    let plan = plan(tx, &resource)?;
    audit::record(
        tx,
        by.by(),
        &event(Action::ResourceEnded, &resource, &plan),
        (),
    )
}

/// The resource, if it runs in this organisation. Another's is none; of one that has ended nothing changes.
pub fn changeable(
    read: &Read<'_>,
    by: &Allowed<ManageResources>,
    id: ResourceId,
) -> Result<Resource> {
    let resource = sql::find(read, by.organisation(), id)?.ok_or(Error::NotFound)?;
    if resource.ended_at.is_some() {
        return Err(Error::Refused(format!(
            "{} has ended, and changes no more. Create another if you need one.",
            resource.name
        )));
    }
    Ok(resource)
}

/// The plan that it has.
pub fn plan(read: &Read<'_>, resource: &Resource) -> Result<Plan> {
    catalogue::find(read, resource.plan)?.ok_or(Error::NotFound)
}

/// When something that begins now takes effect: never within a month that is closed, whatever the clock says.
fn present(read: &Read<'_>, organisation: OrganisationId) -> Result<Timestamp> {
    let closed = sql::closed_until(read, organisation)?;
    Ok(closed.map_or(read.now(), |closed| closed.max(read.now())))
}

/// Ends the open run, and answers when: never before it began. One that began in this very second was none.
fn close_run(tx: &Tx<'_>, resource: &Resource) -> Result<Timestamp> {
    let begun = sql::open_since(tx, resource.id)?;
    let present = present(tx, resource.organisation)?;
    let at = begun.map_or(present, |begun| begun.max(present));
    sql::close_run(tx, resource.id, at)?;
    Ok(at)
}

/// A run with what the resource has now, after the one before.
fn next_run(tx: &Tx<'_>, resource: &Resource) -> Result<()> {
    let at = close_run(tx, resource)?;
    Ok(sql::begin_run(tx, resource, at)?)
}

fn event(action: Action, resource: &Resource, plan: &Plan) -> Event {
    Event::of(resource.organisation, action)
        .on_text(&resource.name)
        .with("resource", resource.id.to_string())
        .with("plan", plan.slug())
}

fn taken(error: db::Error) -> Error {
    match error {
        db::Error::Taken(_) => Error::invalid(NAME_FIELD, NAME_TAKEN),
        other => other.into(),
    }
}

/// What the organisation pays for a month, as far as `until`: a line for each stretch, in the order of resources.
pub fn month(
    read: &Read<'_>,
    organisation: OrganisationId,
    month: Month,
    until: Timestamp,
) -> Result<Vec<Charge>> {
    let prices = catalogue::prices(read)?;
    let runs = sql::runs_within(read, organisation, month.span())?;
    Ok(charges::of_runs(&runs, &prices, month, until))
}

/// What runs under an account's name, and what its name is charged.
#[derive(Clone, Debug)]
pub struct Holding {
    /// What its resources are called, by name.
    pub names: Vec<ResourceName>,
    /// What the running month has cost until now, with what ran under the name before.
    pub this_month: Money,
}

/// What this account holds.
pub fn holding(
    read: &Read<'_>,
    organisation: OrganisationId,
    holder: AccountId,
) -> Result<Holding> {
    let held = sql::held(read, organisation, holder)?;
    let charges = month(read, organisation, Month::of(read.now()), read.now())?;
    let own = charges.iter().filter(|charge| charge.holder == holder);
    Ok(Holding {
        names: held.into_iter().map(|one| one.name).collect(),
        this_month: own.map(|charge| charge.amount).sum(),
    })
}

/// The months before this instant are closed, and stay as they are.
pub fn close_until(tx: &Tx<'_>, organisation: OrganisationId, until: Timestamp) -> Result<()> {
    Ok(sql::close_until(tx, organisation, until)?)
}
