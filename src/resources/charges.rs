//! What a resource costs: price × seconds run ÷ seconds of the month, rounded half up, for each stretch with one plan, one
//! holder and one price. Pure arithmetic; the sum of the charges is the bill.

use crate::catalogue::Prices;
use crate::domain::id::{AccountId, PlanId, ResourceId};
use crate::domain::money::Money;
use crate::domain::month::{Month, Span};
use crate::kit::time::Timestamp;

/// A stretch of a resource's life with one plan and one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Of which resource.
    pub resource: ResourceId,
    /// Since when.
    pub from: Timestamp,
    /// Until when; none while it goes on.
    pub until: Option<Timestamp>,
    /// With which plan.
    pub plan: PlanId,
    /// Under whose name.
    pub holder: AccountId,
}

/// A line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// For which resource.
    pub resource: ResourceId,
    /// Under whose name.
    pub holder: AccountId,
    /// For which plan.
    pub plan: PlanId,
    /// What it costs for the whole month.
    pub price: Money,
    /// When it ran.
    pub span: Span,
    /// What is to be paid.
    pub amount: Money,
}

impl Charge {
    /// Whether this one is the same line, a little later.
    fn goes_on(&self, next: &Self) -> bool {
        self.resource == next.resource
            && self.holder == next.holder
            && self.plan == next.plan
            && self.price == next.price
            && self.span.until == next.span.from
    }
}

/// What runs cost within a month, as far as `until`: a line for each stretch of a resource with one plan, one holder and one
/// price. The runs come by resource, and then by time. Each line is rounded once, so that what was changed and changed back
/// within a second leaves no trace on the bill.
#[must_use]
pub fn of_runs(runs: &[Run], prices: &Prices, month: Month, until: Timestamp) -> Vec<Charge> {
    let whole = month.span();
    let mut lines: Vec<Charge> = Vec::with_capacity(runs.len());
    for run in runs {
        let ran = Span {
            from: run.from,
            until: run.until.unwrap_or(until).min(until),
        };
        let Some(ran) = whole.and(ran) else {
            continue;
        };
        for (span, price) in prices.within(run.plan, ran) {
            let line = Charge {
                resource: run.resource,
                holder: run.holder,
                plan: run.plan,
                price,
                span,
                amount: Money::ZERO,
            };
            match lines.last_mut().filter(|last| last.goes_on(&line)) {
                Some(last) => last.span.until = span.until,
                None => lines.push(line),
            }
        }
    }
    for line in &mut lines {
        line.amount = line.price.share(line.span.seconds(), whole.seconds());
    }
    lines
}

/// What a plan costs in this stretch of a month.
#[must_use]
pub fn of_plan(plan: PlanId, prices: &Prices, month: Month, stretch: Span) -> Money {
    let whole = month.span();
    let within = whole.and(stretch).into_iter();
    within
        .flat_map(|ran| prices.within(plan, ran))
        .map(|(span, price)| price.share(span.seconds(), whole.seconds()))
        .sum()
}
