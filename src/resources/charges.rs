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

/// What a plan costs in this stretch of a month: the sum of its lines.
#[must_use]
pub fn of_plan(plan: PlanId, prices: &Prices, month: Month, stretch: Span) -> Money {
    let whole = month.span();
    let within = whole.and(stretch).into_iter();
    within
        .flat_map(|ran| prices.within(plan, ran))
        .map(|(span, price)| price.share(span.seconds(), whole.seconds()))
        .sum()
}

/// What a run costs within a month, as far as `until`: a line for each price that was in force.
pub fn of_run(
    run: &Run,
    prices: &Prices,
    month: Month,
    until: Timestamp,
) -> impl Iterator<Item = Charge> {
    let whole = month.span();
    let ran = Span {
        from: run.from,
        until: run.until.unwrap_or(until).min(until),
    };
    let run = *run;
    let lines = whole
        .and(ran)
        .into_iter()
        .flat_map(move |ran| prices.within(run.plan, ran));
    lines.map(move |(span, price)| Charge {
        resource: run.resource,
        holder: run.holder,
        plan: run.plan,
        price,
        span,
        amount: price.share(span.seconds(), whole.seconds()),
    })
}
