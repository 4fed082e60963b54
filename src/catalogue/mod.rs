//! The catalogue: what can be had, and for how much. Owns `catalogue`, `kinds`, `plans` and `prices`.
//!
//! It is the operator's, and one for the whole install. A price is never changed, but followed by another: what ran
//! until then was charged by the one before.

pub mod file;
mod sql;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::audit::{self, Action, Audited, Event};
use crate::domain::id::PlanId;
use crate::domain::money::{Currency, Money};
use crate::domain::month::Span;
use crate::error::{Error, Result};
use crate::kit::dates;
use crate::kit::db::{Read, Tx};
use crate::kit::time::Timestamp;
use crate::scope::By;

use file::{File, Spot};

pub use sql::{Plan, currency, find, offers, plans, prices, running};

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

    /// The first price that begins after this instant, and when.
    #[must_use]
    pub fn after(&self, plan: PlanId, instant: Timestamp) -> Option<(Timestamp, Money)> {
        let rows = self.of(plan).iter();
        rows.copied().find(|(from, _)| *from > instant)
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

/// What an import changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The currency before, where it becomes another.
    pub currency_before: Option<Currency>,
    /// Plans that are new.
    pub added: usize,
    /// Those among them that can be had later: from when, and how many.
    pub opening: BTreeMap<Timestamp, usize>,
    /// Plans whose price changes: when, and how many.
    pub repriced: BTreeMap<Timestamp, usize>,
    /// Plans whose price was to change, and does not any more.
    pub taken_back: usize,
    /// Kinds and plans with another name.
    pub renamed: usize,
    /// Whether they are offered in another order.
    pub is_moved: bool,
    /// Plans that nothing new may have any more.
    pub closed: usize,
    /// Resources that run with one of these.
    pub kept: i64,
    /// Plans that are on offer again.
    pub reopened: usize,
}

impl Imported {
    /// Whether all is as it was.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A part of a catalogue that cannot be here, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which part.
    pub spot: Spot,
    /// Why not, and what to do.
    pub sentence: String,
}

/// What the import of this catalogue would change; else all that cannot be.
pub fn changes(
    read: &Read<'_>,
    file: &File,
) -> Result<std::result::Result<Imported, Vec<Refusal>>> {
    let comparison = Comparison::new(read, file)?;
    Ok(if comparison.refused.is_empty() {
        Ok(comparison.imported)
    } else {
        Err(comparison.refused)
    })
}

/// The catalogue is this one from here on: new plans and prices are added, plans that it does not name are closed for what
/// is new, and kept for what runs. None when it is so already.
///
/// A price that has begun stays for ever; one that is still to come holds only as long as the catalogue says so.
pub fn import(tx: &Tx<'_>, by: &By, file: &File) -> Result<Option<Audited<Imported>>> {
    let comparison = Comparison::new(tx, file)?;
    if !comparison.refused.is_empty() {
        let sentences = comparison.refused.into_iter().map(|one| one.sentence);
        return Err(Error::Refused(sentences.collect::<Vec<_>>().join("; ")));
    }
    if comparison.is_nothing() {
        return Ok(None);
    }
    comparison.apply(tx, file)?;
    let imported = comparison.imported;
    let event = Event::of_system(Action::CatalogueImported)
        .with("currency", file.currency.code())
        .with("added", imported.added)
        .with("repriced", imported.repriced.values().sum::<usize>())
        .with("taken_back", imported.taken_back)
        .with("renamed", imported.renamed)
        .with("closed", imported.closed)
        .with("reopened", imported.reopened);
    Ok(Some(audit::record(tx, by, &event, imported)?))
}

/// What is done with one plan of a catalogue.
struct Step {
    kind: usize,
    plan: usize,
    /// None for a new one.
    known: Option<PlanId>,
    is_described: bool,
    /// Prices to come that come no more.
    gone: Vec<Timestamp>,
    next: Option<(Timestamp, Money)>,
}

/// A catalogue beside what there is.
struct Comparison {
    imported: Imported,
    refused: Vec<Refusal>,
    /// Whether the currency is another: then there is nothing that was ever charged, and all prices go.
    is_currency_new: bool,
    /// Kinds that are new, or have another name or place.
    kinds: Vec<usize>,
    steps: Vec<Step>,
    /// Plans that it does not name and that are on offer.
    closed: Vec<PlanId>,
    /// Prices to come of plans that it does not name.
    gone: Vec<(PlanId, Timestamp)>,
}

impl Comparison {
    fn new(read: &Read<'_>, file: &File) -> Result<Self> {
        let mut all = Self {
            imported: Imported::default(),
            refused: Vec::new(),
            is_currency_new: false,
            kinds: Vec::new(),
            steps: Vec::new(),
            closed: Vec::new(),
            gone: Vec::new(),
        };
        all.compare_currency(read, file)?;
        let prices = if all.is_currency_new {
            Prices::default()
        } else {
            sql::prices(read)?
        };
        all.compare_kinds(read, file)?;
        // A month that is closed stays as it is, whatever the clock says now.
        let closed_until = sql::closed_until(read)?;
        let begin = closed_until.map_or(read.now(), |closed| closed.max(read.now()));
        let before = sql::plans(read)?;
        let places = sql::places(read)?;
        let by_key: HashMap<(&str, &str), &Plan> = before
            .iter()
            .map(|plan| ((plan.kind.as_str(), plan.key.as_str()), plan))
            .collect();
        let mut named = HashSet::new();
        for (at, kind) in file.kinds.iter().enumerate() {
            for (place, wanted) in kind.plans.iter().enumerate() {
                let known = by_key
                    .get(&(kind.key.as_str(), wanted.key.as_str()))
                    .copied();
                named.extend(known.map(|plan| plan.id));
                let rows = known.map_or(&[][..], |plan| prices.of(plan.id));
                if let Some(sentence) = contradiction(rows, wanted, begin) {
                    let spot = Spot::From {
                        kind: at,
                        plan: place,
                    };
                    let slug = format!("{}/{}", kind.key, wanted.key);
                    let sentence = sentence.of(&slug, file.currency);
                    all.refused.push(Refusal { spot, sentence });
                }
                let mut step = Step {
                    kind: at,
                    plan: place,
                    known: known.map(|plan| plan.id),
                    is_described: false,
                    gone: Vec::new(),
                    next: None,
                };
                all.compare_plan(&mut step, known, wanted, &places);
                all.compare_price(&mut step, rows, wanted, begin);
                all.steps.push(step);
            }
        }
        let running = sql::running(read)?;
        for plan in before.iter().filter(|plan| !named.contains(&plan.id)) {
            if plan.closed_at.is_none() {
                all.closed.push(plan.id);
                all.imported.closed += 1;
                all.imported.kept += running.get(&plan.id).copied().unwrap_or_default();
            }
            let coming = prices.of(plan.id).iter().filter(|(from, _)| *from > begin);
            let gone: Vec<_> = coming.map(|(from, _)| (plan.id, *from)).collect();
            all.imported.taken_back += usize::from(!gone.is_empty());
            all.gone.extend(gone);
        }
        Ok(all)
    }

    fn compare_currency(&mut self, read: &Read<'_>, file: &File) -> Result<()> {
        let Some(before) = sql::currency(read)?.filter(|before| *before != file.currency) else {
            return Ok(());
        };
        self.is_currency_new = true;
        self.imported.currency_before = Some(before);
        if sql::is_in_use(read)? {
            self.refused.push(Refusal {
                spot: Spot::Currency,
                sentence: format!(
                    "the currency is {before} for good, since there are resources or budgets in it; write \"{before}\", \
                     and prices in it"
                ),
            });
        }
        Ok(())
    }

    fn compare_kinds(&mut self, read: &Read<'_>, file: &File) -> Result<()> {
        let before = sql::kinds(read)?;
        for (at, kind) in file.kinds.iter().enumerate() {
            match before.get(&kind.key) {
                Some((name, place)) => {
                    let is_renamed = *name != kind.name;
                    let is_moved = *place != position(at);
                    self.imported.renamed += usize::from(is_renamed);
                    self.imported.is_moved |= is_moved;
                    if is_renamed || is_moved {
                        self.kinds.push(at);
                    }
                }
                None => self.kinds.push(at),
            }
        }
        Ok(())
    }

    fn compare_plan(
        &mut self,
        step: &mut Step,
        known: Option<&Plan>,
        wanted: &file::Plan,
        places: &HashMap<PlanId, i64>,
    ) {
        let Some(known) = known else {
            step.is_described = true;
            self.imported.added += 1;
            return;
        };
        let is_renamed = known.name != wanted.name;
        let is_moved = places.get(&known.id) != Some(&position(step.plan));
        let is_reopened = known.closed_at.is_some();
        step.is_described = is_renamed || is_moved || is_reopened;
        self.imported.renamed += usize::from(is_renamed);
        self.imported.is_moved |= is_moved;
        self.imported.reopened += usize::from(is_reopened);
    }

    fn compare_price(
        &mut self,
        step: &mut Step,
        rows: &[(Timestamp, Money)],
        wanted: &file::Plan,
        begin: Timestamp,
    ) {
        let start = wanted.from.map_or(begin, |from| from.max(begin));
        // What begins in this very second may still become another, and stays where nothing takes its place.
        let split =
            rows.partition_point(|(from, _)| *from < begin || *from == begin && start > begin);
        let (past, coming) = rows.split_at(split);
        let in_force = past.last().map(|(_, amount)| *amount);
        let next = (in_force != Some(wanted.price)).then_some((start, wanted.price));
        let gone = coming.iter().filter(|row| Some(**row) != next);
        step.gone = gone.map(|(from, _)| *from).collect();
        step.next = next.filter(|next| !coming.contains(next));
        match (step.next, step.known) {
            (Some((from, _)), Some(_)) => {
                *self.imported.repriced.entry(from).or_default() += 1;
            }
            (Some((from, _)), None) if from > begin => {
                *self.imported.opening.entry(from).or_default() += 1;
            }
            (Some(_), None) => {}
            (None, _) => self.imported.taken_back += usize::from(!step.gone.is_empty()),
        }
    }

    /// Whether all is as it was.
    fn is_nothing(&self) -> bool {
        self.imported.is_nothing() && self.kinds.is_empty()
    }

    fn apply(&self, tx: &Tx<'_>, file: &File) -> Result<()> {
        sql::set_currency(tx, file.currency)?;
        if self.is_currency_new {
            sql::drop_prices(tx)?;
        }
        for at in &self.kinds {
            if let Some(kind) = file.kinds.get(*at) {
                sql::set_kind(tx, (&kind.key, &kind.name), position(*at))?;
            }
        }
        for step in &self.steps {
            let Some(kind) = file.kinds.get(step.kind) else {
                continue;
            };
            let Some(plan) = kind.plans.get(step.plan) else {
                continue;
            };
            let id = match step.known {
                Some(id) => id,
                None => PlanId::new(tx)?,
            };
            if step.is_described {
                let place = position(step.plan);
                sql::set_plan(tx, id, &kind.key, (&plan.key, &plan.name), place)?;
            }
            for from in &step.gone {
                sql::take_back(tx, id, *from)?;
            }
            if let Some(next) = step.next {
                sql::add_price(tx, id, next)?;
            }
        }
        for id in &self.closed {
            sql::close(tx, *id)?;
        }
        for (id, from) in &self.gone {
            sql::take_back(tx, *id, *from)?;
        }
        Ok(())
    }
}

fn position(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// A price that was another than a catalogue says: which, since when, and until when, if that is over.
struct Contradiction {
    price: Money,
    since: Timestamp,
    until: Option<Timestamp>,
}

/// What speaks against a price that is said to hold for longer than it can be changed.
fn contradiction(
    rows: &[(Timestamp, Money)],
    wanted: &file::Plan,
    begin: Timestamp,
) -> Option<Contradiction> {
    let said = wanted.from.filter(|from| *from < begin)?;
    let past = rows.get(..rows.partition_point(|(from, _)| *from < begin))?;
    past.iter().enumerate().find_map(|(at, (since, price))| {
        let until = past.get(at + 1).map(|(until, _)| *until);
        let is_over = until.is_some_and(|until| until <= said);
        (!is_over && *price != wanted.price).then_some(Contradiction {
            price: *price,
            since: *since,
            until,
        })
    })
}

impl Contradiction {
    fn of(&self, slug: &str, currency: Currency) -> String {
        let price = currency.plain(self.price);
        let fact = match self.until {
            Some(until) => format!("cost {price} {currency} until {}", dates::utc(until)),
            None => format!("costs {price} {currency} since {}", dates::utc(self.since)),
        };
        format!(
            "{slug} {fact}, and a price that has begun is never changed; leave from out to change it from now on, or name a day \
             to come"
        )
    }
}
