//! The catalogue: what can be had, and for how much. Owns `catalogue`, `kinds`, `plans` and `prices`.
//!
//! It is the operator's, and one for the whole install. A price is never changed, but followed by another: what ran
//! until then was charged by the one before.

pub mod file;
mod sql;

use std::collections::HashMap;

use crate::audit::{self, Action, Audited, Event};
use crate::domain::id::PlanId;
use crate::domain::money::Money;
use crate::domain::month::Span;
use crate::error::Result;
use crate::kit::db::Tx;
use crate::kit::time::Timestamp;
use crate::scope::By;

use file::File;

pub use sql::{Plan, currency, find, offers, plans, prices};

impl Plan {
    /// How forms name it: "server/s-2".
    #[must_use]
    pub fn slug(&self) -> String {
        format!("{}/{}", self.kind, self.key)
    }
}

/// A plan that can be had now, and what it costs for a month.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The plan.
    pub plan: Plan,
    /// Its price.
    pub price: Money,
}

/// What each plan costs, at each moment.
#[derive(Clone, Debug, Default)]
pub struct Prices(HashMap<PlanId, Vec<(Timestamp, Money)>>);

impl Prices {
    /// Of rows in the order of their instants.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = (PlanId, Timestamp, Money)>) -> Self {
        let mut prices: HashMap<PlanId, Vec<(Timestamp, Money)>> = HashMap::new();
        for (plan, from, amount) in rows {
            prices.entry(plan).or_default().push((from, amount));
        }
        Self(prices)
    }

    /// The price at this instant; none before the first.
    #[must_use]
    pub fn at(&self, plan: PlanId, instant: Timestamp) -> Option<Money> {
        let begun = self
            .of(plan)
            .iter()
            .rev()
            .find(|(from, _)| *from <= instant);
        begun.map(|(_, amount)| *amount)
    }

    /// The prices in force within the span, each with the part of it in which it is.
    pub fn within(&self, plan: PlanId, span: Span) -> impl Iterator<Item = (Span, Money)> {
        let rows = self.of(plan);
        rows.iter()
            .enumerate()
            .filter_map(move |(index, (from, amount))| {
                let next = rows.get(index + 1);
                let in_force = Span {
                    from: *from,
                    until: next.map_or(Timestamp(i64::MAX), |(until, _)| *until),
                };
                Some((in_force.and(span)?, *amount))
            })
    }

    fn of(&self, plan: PlanId) -> &[(Timestamp, Money)] {
        self.0.get(&plan).map_or(&[], Vec::as_slice)
    }
}

/// What an import has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Plans that are new.
    pub added: usize,
    /// Plans whose price changes.
    pub repriced: usize,
    /// Plans that nothing new may have any more.
    pub closed: usize,
    /// Plans that are on offer again.
    pub reopened: usize,
}

/// The catalogue is this one from here on: new plans and prices are added, plans that it does not name are closed for what
/// is new, and kept for what runs.
pub fn import(tx: &Tx<'_>, by: &By, file: &File) -> Result<Audited<Imported>> {
    let mut imported = Imported::default();
    sql::set_currency(tx, file.currency)?;
    let before = sql::plans(tx)?;
    let mut named = Vec::new();
    for (kind, place) in file.kinds.iter().zip(0_i64..) {
        sql::set_kind(tx, (&kind.key, &kind.name), place)?;
        for (plan, place) in kind.plans.iter().zip(0_i64..) {
            let known = before
                .iter()
                .find(|one| one.kind == kind.key && one.key == plan.key);
            let id = match known {
                Some(known) => known.id,
                None => PlanId::new(tx)?,
            };
            named.push(id);
            sql::set_plan(tx, id, &kind.key, (&plan.key, &plan.name), place)?;
            imported.added += usize::from(known.is_none());
            imported.reopened += usize::from(known.is_some_and(|known| known.closed_at.is_some()));
            // What was announced and has not begun is what this file says, and no price reaches back.
            sql::forget_prices(tx, id)?;
            let prices = sql::prices(tx)?;
            let from = plan.from.map_or(tx.now(), |from| from.max(tx.now()));
            if prices.at(id, from) != Some(plan.price) {
                sql::add_price(tx, id, (from, plan.price))?;
                imported.repriced += usize::from(known.is_some());
            }
        }
    }
    for plan in before {
        if plan.closed_at.is_none() && !named.contains(&plan.id) {
            sql::close(tx, plan.id)?;
            imported.closed += 1;
        }
    }
    let event = Event::of_system(Action::CatalogueImported)
        .with("added", imported.added)
        .with("repriced", imported.repriced)
        .with("closed", imported.closed);
    audit::record(tx, by, &event, imported)
}
