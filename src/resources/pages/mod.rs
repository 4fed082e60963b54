//! What the organisation has and pays for: the list, its rows for a spreadsheet, and the page of each.

mod deeds;

use std::collections::{BTreeSet, HashMap};

use crate::accounts::{self, Account};
use crate::catalogue::{self, Plan, Prices};
use crate::domain::id::{AccountId, PlanId, ResourceId};
use crate::domain::money::Money;
use crate::domain::month::{Month, Span};
use crate::domain::role::Permission;
use crate::error::{Error, Result};
use crate::kit::csv;
use crate::kit::db::Read;
use crate::kit::http::fields::Fields;
use crate::kit::http::response::Response;
use crate::kit::time::Timestamp;
use crate::layout::{self, Page, Place};
use crate::resources::views::{
    self, Cost, Counts, Facts, Found, Line, Query, Shown, Stretch, Viewer,
};
use crate::resources::{self, Resource, Run, charges};
use crate::routes::Route;
use crate::scope::ReadResources;
use crate::visit::Visit;

pub use deeds::{
    change_plan, choose_heir, choose_holder, choose_plan, confirm_end, create, describe, edit, end,
    hand_over, hand_over_all, new, receivers,
};

/// So many months are shown, the running one among them.
const MONTHS: usize = 12;

/// Who looks: what views need to know of them.
fn viewer(visit: &Visit<'_>) -> Result<Viewer> {
    let scope = visit.signed_in()?;
    Ok(Viewer {
        account: scope.account,
        permissions: scope.permissions,
        organisation: scope.organisation_name.clone(),
        currency: visit.read(|read| Ok(catalogue::currency(read)?))?,
        now: visit.now,
        zone: visit.zone(),
        hue: layout::hue,
    })
}

/// All that the organisation has or had, with what belongs to it, as far as the viewer may see it.
struct Stock {
    resources: Vec<Resource>,
    plans: HashMap<PlanId, Plan>,
    /// The kinds in the order of the catalogue: key and name.
    kinds: Vec<(String, String)>,
    people: HashMap<AccountId, Account>,
    /// What each has cost this month; none where that is not theirs to see.
    costs: HashMap<ResourceId, Money>,
}

impl Stock {
    fn load(read: &Read<'_>, visit: &Visit<'_>, viewer: &Viewer) -> Result<Self> {
        let organisation = visit.allow::<ReadResources>()?.organisation();
        let resources = resources::all(read, organisation)?;
        let charges = resources::month(read, organisation, Month::of(visit.now), visit.now)?;
        // Whoever holds one knows that it has cost nothing, too.
        let mut costs: HashMap<ResourceId, Money> = resources
            .iter()
            .filter(|one| viewer.may_see_amounts_of(one.holder))
            .map(|one| (one.id, Money::ZERO))
            .collect();
        for charge in charges {
            if viewer.may_see_amounts_of(charge.holder) {
                let cost = costs.entry(charge.resource).or_default();
                *cost = cost.plus(charge.amount);
            }
        }
        let plans = catalogue::plans(read)?;
        let mut kinds: Vec<(String, String)> = plans
            .iter()
            .map(|plan| (plan.kind.clone(), plan.kind_name.clone()))
            .collect();
        kinds.dedup();
        let ids = resources
            .iter()
            .flat_map(|one| [one.created_by, one.holder]);
        Ok(Self {
            people: people(read, ids)?,
            plans: plans.into_iter().map(|plan| (plan.id, plan)).collect(),
            kinds,
            costs,
            resources,
        })
    }

    /// What the query asks for, in its order, and how many of it run and have ended.
    fn find(&self, query: &Query) -> (Vec<&Resource>, Counts) {
        let matching: Vec<&Resource> = self
            .resources
            .iter()
            .filter(|one| query.matches(one, self.kind(one)))
            .collect();
        let running = matching.iter().filter(|one| one.ended_at.is_none()).count();
        let counts = Counts {
            running,
            ended: matching.len() - running,
        };
        let mut found: Vec<&Resource> = matching
            .into_iter()
            .filter(|one| query.shows(one))
            .collect();
        query.sort(&mut found, |one| self.cost(one));
        (found, counts)
    }

    fn kind(&self, resource: &Resource) -> &str {
        self.plans
            .get(&resource.plan)
            .map_or("", |plan| plan.kind.as_str())
    }

    fn cost(&self, resource: &Resource) -> Option<Money> {
        self.costs.get(&resource.id).copied()
    }

    /// What these have cost this month, as far as it is known; none when none of it is.
    fn sum<'r>(&self, resources: impl IntoIterator<Item = &'r Resource>) -> Option<Money> {
        let known: Vec<Money> = resources
            .into_iter()
            .filter_map(|one| self.cost(one))
            .collect();
        (!known.is_empty()).then(|| known.into_iter().sum())
    }

    fn line(&self, resource: &Resource) -> Result<Line> {
        let person = |id| self.people.get(&id).cloned().ok_or(Error::NotFound);
        Ok(Line {
            plan: self
                .plans
                .get(&resource.plan)
                .cloned()
                .ok_or(Error::NotFound)?,
            creator: person(resource.created_by)?,
            holder: person(resource.holder)?,
            cost: self.cost(resource),
            resource: resource.clone(),
        })
    }
}

/// The accounts of these ids, each once; tombstones too.
fn people(
    read: &Read<'_>,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<HashMap<AccountId, Account>> {
    let ids: BTreeSet<AccountId> = ids.into_iter().collect();
    let mut people = HashMap::with_capacity(ids.len());
    for id in ids {
        people.insert(id, accounts::find(read, id)?.ok_or(Error::NotFound)?);
    }
    Ok(people)
}

/// What this address asks for, without what it does not know.
fn asked(read: &Read<'_>, visit: &Visit<'_>, stock: &Stock) -> Result<Query> {
    let organisation = visit.signed_in()?.organisation;
    let query = Query::read(|name| visit.query(name));
    let is_here = match query.account {
        Some(id) => {
            stock.people.contains_key(&id) || accounts::find_in(read, organisation, id)?.is_some()
        }
        None => false,
    };
    Ok(query.known(
        |kind| stock.kinds.iter().any(|(key, _)| key == kind),
        |_| is_here,
    ))
}

/// The list, as its address says.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    let _by = visit.allow::<ReadResources>()?;
    let viewer = viewer(visit)?;
    let (query, found) = visit.read(|read| {
        let stock = Stock::load(read, visit, &viewer)?;
        let query = asked(read, visit, &stock)?;
        let (rows, counts) = stock.find(&query);
        // A page beyond the last is the last.
        let query = query.within(rows.len());
        let ended = stock
            .resources
            .iter()
            .filter(|one| one.ended_at.is_some() && query.matches(one, stock.kind(one)));
        let ended_sum = match query.shown {
            Shown::Running if viewer.sees_all_amounts() => stock.sum(ended).unwrap_or_default(),
            _ => Money::ZERO,
        };
        let mut people: HashMap<AccountId, Account> = stock.people.clone();
        if let Some(id) = query.account.filter(|id| !people.contains_key(id)) {
            people.extend(accounts::find(read, id)?.map(|account| (id, account)));
        }
        let mut people: Vec<Account> = people.into_values().collect();
        people.sort_by_cached_key(|account| (account.label().to_lowercase(), account.id));
        let found = Found {
            lines: query
                .cut(&rows)
                .iter()
                .map(|one| stock.line(one))
                .collect::<Result<_>>()?,
            total: rows.len(),
            sum: stock.sum(rows.iter().copied()),
            ended_sum,
            counts,
            all: stock.resources.len(),
            kinds: stock.kinds,
            people,
        };
        Ok((query, found))
    })?;
    let body = views::index(&viewer, &query, &found, &visit.csrf());
    layout::page(visit, 200, &Page::new("Resources", Place::Resources), &body)
}

/// The heads of the rows for a spreadsheet.
const HEADS: [&str; 11] = [
    "ID",
    "Name",
    "Kind",
    "Plan",
    "Created by",
    "Held by",
    "Created",
    "Ended",
    "This month",
    "Currency",
    "Note",
];

/// All of the list as rows for a spreadsheet.
pub fn csv(visit: &Visit<'_>) -> Result<Response> {
    let _by = visit.allow::<ReadResources>()?;
    let viewer = viewer(visit)?;
    let lines = visit.read(|read| {
        let stock = Stock::load(read, visit, &viewer)?;
        let query = asked(read, visit, &stock)?;
        let (rows, _) = stock.find(&query);
        rows.into_iter()
            .map(|one| stock.line(one))
            .collect::<Result<Vec<_>>>()
    })?;
    let instant = |at: Timestamp| crate::kit::dates::machine(at, &jiff::tz::TimeZone::UTC);
    let currency = viewer.currency;
    let rows = lines.into_iter().map(|line| {
        let one = &line.resource;
        let cost = line.cost.zip(currency);
        vec![
            one.id.to_string(),
            one.name.to_string(),
            line.plan.kind_name.clone(),
            line.plan.name.clone(),
            line.creator.label(),
            line.holder.label(),
            instant(one.created_at),
            one.ended_at.map(instant).unwrap_or_default(),
            cost.map(|(cost, currency)| currency.plain(cost))
                .unwrap_or_default(),
            currency
                .map(|currency| currency.code().to_owned())
                .unwrap_or_default(),
            one.note.clone(),
        ]
    });
    Ok(csv::response("resources.csv", csv::document(&HEADS, rows)?))
}

/// One resource; another organisation's is none.
pub fn show(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    let by = visit.allow::<ReadResources>()?;
    let viewer = viewer(visit)?;
    let facts = visit.read(|read| {
        let resource = resources::find(read, by.organisation(), id)?.ok_or(Error::NotFound)?;
        facts(read, &viewer, resource)
    })?;
    let title = format!("{} · Resources", facts.line.resource.name);
    let body = views::show(&viewer, &facts);
    layout::page(visit, 200, &Page::new(&title, Place::Resources), &body)
}

fn facts(read: &Read<'_>, viewer: &Viewer, resource: Resource) -> Result<Facts> {
    let runs = resources::runs_of(read, resource.id)?;
    let prices = catalogue::prices(read)?;
    let plans: HashMap<PlanId, Plan> = catalogue::plans(read)?
        .into_iter()
        .map(|plan| (plan.id, plan))
        .collect();
    let plan = |id: PlanId| plans.get(&id).ok_or(Error::NotFound);
    let ids = runs.iter().map(|run| run.holder);
    let people = people(read, ids.chain([resource.created_by, resource.holder]))?;
    let person = |id: AccountId| people.get(&id).cloned().ok_or(Error::NotFound);
    let is_holder = viewer.may_see_amounts_of(resource.holder);
    let was_holder = runs.iter().any(|run| viewer.may_see_amounts_of(run.holder));
    let sees_any = is_holder || was_holder;
    let month = Month::of(viewer.now);
    let cost = |month, until| cost(viewer, &runs, &prices, (month, until));
    let costs: Vec<Cost> = last_months(month)
        .into_iter()
        .map(|month| Cost {
            month,
            amount: cost(month, viewer.now),
        })
        .collect();
    let is_priced = resource.ended_at.is_none() && is_holder;
    let ahead = Span {
        from: viewer.now,
        until: Timestamp(i64::MAX),
    };
    let next_prices = prices
        .within(resource.plan, ahead)
        .filter(|(span, _)| span.from > viewer.now)
        .map(|(span, price)| (span.from, price));
    let next_prices = if is_priced {
        next_prices.collect()
    } else {
        Vec::new()
    };
    let history = runs
        .iter()
        .rev()
        .map(|run| {
            Ok(Stretch {
                plan: plan(run.plan)?.name.clone(),
                holder: person(run.holder)?,
                from: run.from,
                until: run.until,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Facts {
        price: prices.at(resource.plan, viewer.now).filter(|_| is_priced),
        next_prices,
        expected: cost(month, month.span().until),
        line: Line {
            plan: plan(resource.plan)?.clone(),
            creator: person(resource.created_by)?,
            holder: person(resource.holder)?,
            cost: sees_any.then(|| cost(month, viewer.now)),
            resource,
        },
        costs: sees_any.then_some(costs),
        history,
    })
}

/// What these runs cost in a month, as far as `until` and as far as the viewer may see it: the same lines that its bill has.
fn cost(
    viewer: &Viewer,
    runs: &[Run],
    prices: &Prices,
    (month, until): (Month, Timestamp),
) -> Money {
    charges::of_runs(runs, prices, month, until)
        .iter()
        .filter(|charge| viewer.may_see_amounts_of(charge.holder))
        .map(|charge| charge.amount)
        .sum()
}

/// The months until this one, oldest first.
fn last_months(running: Month) -> Vec<Month> {
    let mut months: Vec<Month> =
        std::iter::successors(Some(running), |month| Some(month.previous()))
            .take(MONTHS)
            .collect();
    months.reverse();
    months
}

/// The list that this address shows, written anew from what it means; none for the address of anything else.
fn list_at(address: &str) -> Option<String> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    if Route::parse(path) != Some(Route::Resources) {
        return None;
    }
    let fields = Fields::parse(query.as_bytes()).unwrap_or_default();
    Some(Query::read(|name| fields.get(name).map(str::to_owned)).address())
}

/// The list from which the visitor comes, as it was: the menu of one of its rows led here.
fn list_before(visit: &Visit<'_>) -> Option<String> {
    let referer = visit.request.header("referer")?;
    list_at(referer.strip_prefix(&visit.app.settings.public_url)?)
}

/// Whether the page of this account is there for the viewer.
fn has_page(viewer: &Viewer, account: &Account) -> bool {
    viewer.permissions.has(Permission::UsersRead)
        && !matches!(account.status, accounts::Status::Deleted { .. })
}
