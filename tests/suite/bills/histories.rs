//! Random histories of resources, done by the verbs on a real file, and billed; held against the [`model`](super::model).
//!
//! `DOORWARD_BILL_HISTORIES` says how many, `DOORWARD_FAULTS_SEED` gives a run back.

use std::collections::BTreeMap;
use std::io::{Write as _, stderr};
use std::sync::Arc;

use doorward::app::App;
use doorward::billing::{self, Invoice, InvoiceLine, Terms};
use doorward::catalogue;
use doorward::catalogue::file::{File, Kind, Plan};
use doorward::domain::id::{AccountId, OrganisationId, PlanId, ResourceId};
use doorward::domain::money::{Money, PRICE_MAX};
use doorward::domain::month::Month;
use doorward::error::Error;
use doorward::kit::time::{DAY, Timestamp, instant};
use doorward::resources::{self, NewResource};
use doorward::scope::{Actor, Allowed, By, ManageResources, Scope};
use num_rational::Ratio;

use super::model::{self, Line, Model, What};
use crate::faults::seed::Seed;
use crate::portal::Portal;

/// How many there are when nobody asks for more.
const HISTORIES: usize = 60;
/// How many share a file.
const SHARED: usize = 20;
/// Three of one kind, two of another.
const PLANS: [(&str, &str); 5] = [
    ("server", "s-1"),
    ("server", "s-2"),
    ("server", "s-3"),
    ("disk", "d-1"),
    ("disk", "d-2"),
];
const HOLDERS: [&str; 3] = ["Ann Vik", "Bo Lund", "Cleo Dahl"];

/// What was done and checked.
#[derive(Default)]
struct Tally {
    deeds: usize,
    invoices: usize,
    lines: usize,
    free: usize,
    asked: usize,
}

/// One organisation, and what happens in it.
struct History<'h> {
    app: Arc<App>,
    chance: &'h mut Seed,
    organisation: OrganisationId,
    template: Scope,
    holders: [AccountId; 3],
    terms: Terms,
    model: Model,
    /// The resources, and whether they run.
    resources: Vec<(ResourceId, bool)>,
    plans: Vec<PlanId>,
    offered: [bool; 5],
    now: i64,
    /// The latest instant there was: prices are never imported before it.
    latest: i64,
    /// The first import: nothing happens before it.
    first: i64,
    issued: BTreeMap<(i64, usize), (Invoice, Vec<InvoiceLine>)>,
    places: BTreeMap<i64, i64>,
    closed: Vec<(i64, usize)>,
    tally: &'h mut Tally,
}

/// Organisations with three Active accounts each, and the session of somebody who may do anything.
fn organisations(portal: &Portal, count: usize) -> (Scope, Vec<(OrganisationId, [AccountId; 3])>) {
    let owner = portal.owner();
    let template = owner.scope().unwrap();
    let mut all = Vec::new();
    for number in 0..count {
        let (name, email) = (format!("Org {number}"), format!("a{number}@org.example"));
        let app = portal.app();
        let (organisation, _) = app
            .write(app.now(), |tx| {
                doorward::setup::found_by_invitation(
                    tx,
                    &name.parse().unwrap(),
                    "UTC",
                    &email.parse().unwrap(),
                    app.settings.terms,
                )
            })
            .unwrap();
        let (id, owner) = (organisation.id.number(), organisation.owner.number());
        let mut script = format!(
            "UPDATE accounts SET status = 'active', name = '{}', activated_at = created_at WHERE id = {owner};",
            HOLDERS[0]
        );
        for (other, name) in (1..).zip(&HOLDERS[1..]) {
            let next = owner - other;
            script += &format!(
                "INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, created_by, activated_at, role_at)
                 SELECT {next}, {id}, 'active', 'admin', 'b{number}-{other}@org.example', '{name}', created_at, {owner},
                   created_at, created_at FROM accounts WHERE id = {owner};"
            );
        }
        portal.tamper(&script);
        let ids: Vec<i64> = portal.ask(&format!(
            "SELECT id FROM accounts WHERE organisation_id = {id} ORDER BY name"
        ));
        let app = portal.app();
        let accounts = app
            .read(app.now(), |read| {
                Ok(doorward::billing::people(read, organisation.id)?)
            })
            .unwrap();
        let find = |id: &i64| {
            accounts
                .iter()
                .find(|one| one.id.number() == *id)
                .unwrap()
                .id
        };
        all.push((
            organisation.id,
            [find(&ids[0]), find(&ids[1]), find(&ids[2])],
        ));
    }
    (template, all)
}

impl History<'_> {
    fn at(&self) -> Timestamp {
        Timestamp(self.now)
    }

    fn allowed(&self, holder: usize) -> Allowed<ManageResources> {
        let account = self.holders[holder];
        let scope = Scope {
            account,
            organisation: self.organisation,
            ..self.template.clone()
        };
        let by = By {
            actor: Actor::Account {
                id: account,
                email: scope.email.clone(),
                session: None,
            },
            address: None,
            request_id: "history".to_owned(),
        };
        Allowed::to(&scope, &by).unwrap()
    }

    fn amount(&mut self) -> i64 {
        match self.chance.below(12) {
            0 => 0,
            1 => 1,
            2 => 2 + i64::try_from(self.chance.below(50)).unwrap(),
            3 => PRICE_MAX.0,
            4 => PRICE_MAX.0 - i64::try_from(self.chance.below(1_000_000_000)).unwrap(),
            _ => i64::try_from(self.chance.below(1_000_000)).unwrap(),
        }
    }

    /// A catalogue with other prices: some from now on, some later, and some plans no more.
    fn import(&mut self, is_first: bool) {
        self.now = self.now.max(self.latest);
        let mut kinds: Vec<Kind> = Vec::new();
        let mut next = self.model.clone();
        for (index, (kind, key)) in PLANS.iter().enumerate() {
            let is_named = is_first || self.chance.below(5) > 0;
            self.offered[index] = is_named;
            if !is_named {
                next.costs(self.now, index, None);
                continue;
            }
            let amount = self.amount();
            let ahead = match self.chance.below(6) {
                0 => Some(1),
                1 => Some(i64::try_from(self.chance.below(70 * 86_400)).unwrap()),
                2 => {
                    let month = model::after(model::month_of(self.now));
                    Some(model::start(month.0, month.1) - self.now)
                }
                _ => None,
            };
            let from = ahead.filter(|_| !is_first).map(|ahead| self.now + ahead);
            next.costs(self.now, index, Some((from.unwrap_or(self.now), amount)));
            let plan = Plan {
                key: (*key).to_owned(),
                name: format!("Plan {key}"),
                price: Money(amount),
                from: from.map(Timestamp),
            };
            match kinds.iter_mut().find(|one| one.key == *kind) {
                Some(one) => one.plans.push(plan),
                None => kinds.push(Kind {
                    key: (*kind).to_owned(),
                    name: format!("Kind {kind}"),
                    plans: vec![plan],
                }),
            }
        }
        let file = File {
            currency: "EUR".parse().unwrap(),
            kinds,
        };
        self.app
            .write_if(self.at(), |tx| {
                catalogue::import(tx, &By::operator(), &file)
            })
            .unwrap();
        self.model = next;
    }

    fn create(&mut self) {
        let (plan, holder) = (
            self.chance.below(PLANS.len()),
            self.chance.below(HOLDERS.len()),
        );
        let new = NewResource {
            name: format!("thing-{}", self.resources.len()).parse().unwrap(),
            note: String::new(),
            plan: format!("{}/{}", PLANS[plan].0, PLANS[plan].1),
        };
        let allowed = self.allowed(holder);
        let made = self
            .app
            .write(self.at(), |tx| resources::create(tx, &allowed, &new));
        if !self.offered[plan] {
            assert!(matches!(made, Err(Error::Invalid { .. })), "{made:?}");
            return;
        }
        self.model
            .does(self.now, self.resources.len(), What::Begins(plan, holder));
        self.resources.push((made.unwrap(), true));
    }

    /// One that runs, if there is any.
    fn one(&mut self) -> Option<usize> {
        let running: Vec<usize> = (0..self.resources.len())
            .filter(|index| self.resources[*index].1)
            .collect();
        (!running.is_empty()).then(|| running[self.chance.below(running.len())])
    }

    fn change_plan(&mut self) {
        let Some(one) = self.one() else { return };
        let plan = self.chance.below(PLANS.len());
        let (allowed, id) = (self.allowed(0), self.resources[one].0);
        let before = self.app.read(self.at(), |read| {
            Ok(resources::find(read, self.organisation, id)?.unwrap().plan)
        });
        let before = before.unwrap();
        let before = self.plans.iter().position(|one| *one == before).unwrap();
        let slug = format!("{}/{}", PLANS[plan].0, PLANS[plan].1);
        let changed = self.app.write_if(self.at(), |tx| {
            resources::change_plan(tx, &allowed, id, &slug)
        });
        if before == plan {
            assert!(matches!(changed, Ok(None)), "{changed:?}");
        } else if !self.offered[plan] || PLANS[plan].0 != PLANS[before].0 {
            assert!(matches!(changed, Err(Error::Invalid { .. })), "{changed:?}");
        } else {
            changed.unwrap().unwrap();
            self.model.does(self.now, one, What::Plan(plan));
        }
    }

    fn hand_over(&mut self) {
        let Some(one) = self.one() else { return };
        let to = self.chance.below(HOLDERS.len());
        let (allowed, id) = (self.allowed(0), self.resources[one].0);
        let handed = self.app.write_if(self.at(), |tx| {
            resources::hand_over(tx, &allowed, id, self.holders[to])
        });
        if handed.unwrap().is_some() {
            self.model.does(self.now, one, What::Holder(to));
        }
    }

    fn hand_over_all(&mut self) {
        let (from, to) = (
            self.chance.below(HOLDERS.len()),
            self.chance.below(HOLDERS.len()),
        );
        let held = self.app.read(self.at(), |read| {
            Ok(resources::held(
                read,
                self.organisation,
                self.holders[from],
            )?)
        });
        let held: Vec<ResourceId> = held.unwrap().iter().map(|one| one.id).collect();
        let allowed = self.allowed(0);
        let handed = self.app.write_if(self.at(), |tx| {
            resources::hand_over_all(tx, &allowed, self.holders[from], self.holders[to])
        });
        let handed = handed.unwrap();
        if from == to || held.is_empty() {
            assert_eq!(handed, None);
            return;
        }
        assert_eq!(handed, Some(held.len()));
        for index in 0..self.resources.len() {
            if held.contains(&self.resources[index].0) {
                self.model.does(self.now, index, What::Holder(to));
            }
        }
    }

    fn end(&mut self) {
        let Some(one) = self.one() else { return };
        let (allowed, id) = (self.allowed(0), self.resources[one].0);
        self.app
            .write(self.at(), |tx| resources::end(tx, &allowed, id))
            .unwrap();
        self.model.does(self.now, one, What::Ends);
        self.resources[one].1 = false;
    }

    /// Closes the oldest month that is over, and holds its invoice against the model.
    fn close(&mut self) -> bool {
        let closed = self.app.housekeep(self.at(), |tx| {
            billing::close_next_of(tx, &By::system(), &self.terms, self.organisation)
        });
        let running = model::month_of(self.now);
        let due = self
            .model
            .closed
            .filter(|closed| *closed < model::start(running.0, running.1));
        let Some(begin) = due else {
            assert!(closed.unwrap().is_none());
            return false;
        };
        let closed = closed.unwrap().unwrap();
        let month = model::month_of(begin);
        assert_eq!(
            closed.month.to_string(),
            format!("{:04}-{:02}", month.0, month.1)
        );
        let next = model::after(month);
        let end = model::start(next.0, next.1);
        self.model.closed = Some(end);
        self.closed.push(month);
        let lines = self.model.lines(month, end);
        let net: i64 = lines.iter().map(|line| line.amount).sum();
        let Some(number) = closed.invoice else {
            assert_eq!(net, 0, "something is to be paid: {lines:?}");
            self.tally.free += 1;
            return true;
        };
        assert!(net > 0, "there is nothing to pay");
        let place = self.places.entry(month.0).or_default();
        *place += 1;
        assert_eq!(number.to_string(), format!("INV-{:04}-{place:03}", month.0));
        let (invoice, stored) = self.stored(month);
        assert_eq!(invoice.number, number);
        assert_eq!(invoice.net, Money(net));
        let tax = model::half_up(Ratio::new(
            i128::from(net) * i128::from(self.terms.tax_rate),
            10_000,
        ));
        assert_eq!(invoice.tax, Money(tax));
        assert_eq!(invoice.total, Money(net + tax));
        assert_eq!(
            invoice.due_at.0,
            self.now - self.now % DAY + self.terms.due_days * DAY
        );
        self.compare(&lines, &stored);
        self.tally.invoices += 1;
        self.tally.lines += stored.len();
        self.issued.insert(month, (invoice, stored));
        true
    }

    /// The invoice of this month as the file has it.
    fn stored(&self, month: (i64, usize)) -> (Invoice, Vec<InvoiceLine>) {
        self.app
            .read(self.at(), |read| {
                let all = billing::invoices(read, self.organisation)?;
                let begin = model::start(month.0, month.1);
                let invoice = all
                    .into_iter()
                    .find(|one| one.month.start().0 == begin)
                    .unwrap();
                let lines = billing::lines(read, self.organisation, invoice.number)?;
                Ok((invoice, lines))
            })
            .unwrap()
    }

    /// Whether the lines are those of the model, in whatever order, and in words as in numbers.
    fn compare(&self, expected: &[Line], lines: &[InvoiceLine]) {
        let mut found: Vec<Line> = lines
            .iter()
            .map(|line| {
                let resource = self
                    .resources
                    .iter()
                    .position(|one| one.0 == line.resource_id);
                let holder = self.holders.iter().position(|one| *one == line.account_id);
                let (resource, holder) = (resource.unwrap(), holder.unwrap());
                let plan = PLANS
                    .iter()
                    .position(|(kind, key)| {
                        line.plan == format!("Plan {key}") && line.kind == format!("Kind {kind}")
                    })
                    .unwrap();
                assert_eq!(line.resource, format!("thing-{resource}"));
                assert_eq!(line.account, HOLDERS[holder]);
                Line {
                    resource,
                    from: line.span.from.0,
                    until: line.span.until.0,
                    plan,
                    holder,
                    price: line.price.0,
                    amount: line.amount.0,
                }
            })
            .collect();
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    /// What the running month has cost, and will: both sums, and each line.
    fn ask(&mut self) {
        self.tally.asked += 1;
        let month = model::month_of(self.now);
        let next = model::after(month);
        let end = model::start(next.0, next.1);
        let (so_far, expected, lines) = self
            .app
            .read(self.at(), |read| {
                let running = Month::of(read.now());
                let charges = resources::month(read, self.organisation, running, read.now())?;
                Ok((
                    billing::so_far(read, self.organisation)?,
                    billing::expected(read, self.organisation)?,
                    billing::in_words(read, self.organisation, &charges)?,
                ))
            })
            .unwrap();
        let sum = |lines: &[Line]| Money(lines.iter().map(|line| line.amount).sum());
        let (accrued, whole) = (
            self.model.lines(month, self.now),
            self.model.lines(month, end),
        );
        self.compare(&accrued, &lines);
        assert_eq!(so_far, sum(&accrued));
        assert_eq!(expected, sum(&whole));
        // What is still to come is the difference but for a unit of rounding for each line.
        let rest: Ratio<i128> = whole
            .iter()
            .filter(|line| line.until > self.now)
            .map(|line| {
                let left = line.until - line.from.max(self.now);
                let length = end - model::start(month.0, month.1);
                Ratio::new(
                    i128::from(left) * i128::from(line.price),
                    i128::from(length),
                )
            })
            .sum();
        let gap = Ratio::from_integer(i128::from(expected.0) - i128::from(so_far.0)) - rest;
        let bound = i128::try_from(whole.len() + accrued.len()).unwrap();
        assert!(
            gap <= Ratio::new(bound, 2) && gap >= Ratio::new(-bound, 2),
            "{gap}"
        );
    }

    fn wait(&mut self) {
        let month = model::after(model::month_of(self.now));
        let turn = model::start(month.0, month.1);
        self.now = match self.chance.below(14) {
            0..=2 => self.now,
            3 => self.now + 1,
            4 => turn,
            5 => turn - 1,
            6 => turn + 1,
            7 => self.now + i64::try_from(self.chance.below(20 * 86_400)).unwrap(),
            // The clock is set back a little.
            8 => (self.now - i64::try_from(self.chance.below(5_000)).unwrap()).max(self.first),
            _ => self.now + i64::try_from(self.chance.below(3 * 86_400)).unwrap(),
        };
        self.latest = self.latest.max(self.now);
    }

    /// All of it, until `until` and until every month of it is closed.
    fn live(&mut self, until: i64, deeds: usize) {
        self.import(true);
        let ids = self
            .app
            .read(self.at(), |read| Ok(catalogue::plans(read)?))
            .unwrap();
        self.plans = PLANS
            .iter()
            .map(|(kind, key)| {
                ids.iter()
                    .find(|one| one.kind == *kind && one.key == *key)
                    .unwrap()
                    .id
            })
            .collect();
        for _ in 0..deeds {
            self.wait();
            if self.now >= until {
                break;
            }
            self.tally.deeds += 1;
            match self.chance.below(20) {
                0..=4 if self.resources.len() < 9 => self.create(),
                5..=8 => self.change_plan(),
                9..=11 => self.hand_over(),
                12 => self.hand_over_all(),
                13 => self.end(),
                14..=15 => self.import(false),
                16..=17 => drop(self.close()),
                _ => self.ask(),
            }
        }
        self.now = until.max(self.latest);
        while self.close() {}
        self.judge();
    }

    /// Nothing that was closed has changed, all of it can be worked out anew, and no second is missing or double.
    fn judge(&mut self) {
        let mut seconds = 0;
        for month in self.closed.clone() {
            let next = model::after(month);
            let end = model::start(next.0, next.1);
            let lines = self.model.lines(month, end);
            seconds += lines.iter().map(|line| line.until - line.from).sum::<i64>();
            let again = self
                .app
                .read(self.at(), |read| {
                    let month = Month::of(Timestamp(model::start(month.0, month.1)));
                    let charges = resources::month(read, self.organisation, month, Timestamp(end))?;
                    billing::in_words(read, self.organisation, &charges)
                })
                .unwrap();
            self.compare(&lines, &again);
            let Some((invoice, stored)) = self.issued.get(&month) else {
                continue;
            };
            let (now, lines) = self.stored(month);
            assert_eq!(format!("{now:?}"), format!("{invoice:?}"));
            assert_eq!(&lines, stored);
        }
        let closed = self.model.closed.unwrap_or(self.now);
        assert_eq!(
            seconds,
            self.model.lived(closed),
            "a second is missing or double"
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the tests run is decided where they run"
)]
fn histories() -> usize {
    std::env::var("DOORWARD_BILL_HISTORIES").map_or(HISTORIES, |count| count.parse().unwrap())
}

#[test]
fn every_bill_is_what_exact_fractions_say_whatever_happened() {
    let (began, wanted) = (instant(), histories());
    let mut chance = Seed::new();
    let seed = chance.first;
    let mut tally = Tally::default();
    let mut done = 0;
    while done < wanted {
        let count = SHARED.min(wanted - done);
        let portal = Portal::start();
        portal.leave_mail();
        let (template, organisations) = organisations(&portal, count);
        for (organisation, holders) in organisations {
            let month = match chance.below(12) {
                0 => (2024, 1),
                1 => (2024, 2),
                2 => (2027, 12),
                3 => (2028, 2),
                4 => (2099, 12),
                5 => (2100, 2),
                _ => (
                    2023 + i64::try_from(chance.below(80)).unwrap(),
                    1 + chance.below(12),
                ),
            };
            let begin = model::start(month.0, month.1);
            let now = begin + i64::try_from(chance.below(28 * 86_400)).unwrap();
            let months = match chance.below(4) {
                0 => 1,
                1 => 14,
                _ => 2 + chance.below(4),
            };
            let end = (0..months).fold(month, |month, _| model::after(month));
            let until = model::start(end.0, end.1) + i64::try_from(chance.below(86_400)).unwrap();
            let deeds = 10 + chance.below(50);
            let terms = Terms {
                tax_rate: [0, 1_900, 810, 1, 3_333, 10_000][chance.below(6)],
                due_days: i64::try_from(chance.below(366)).unwrap(),
                ..Terms::default()
            };
            // What went before has other prices, and months of other years, in the same file.
            portal.tamper("DELETE FROM prices; DELETE FROM ledgers;");
            History {
                app: portal.app(),
                chance: &mut chance,
                organisation,
                template: template.clone(),
                holders,
                terms,
                model: Model::default(),
                resources: Vec::new(),
                plans: Vec::new(),
                offered: [true; 5],
                now,
                latest: now,
                first: now,
                issued: BTreeMap::new(),
                places: BTreeMap::new(),
                closed: Vec::new(),
                tally: &mut tally,
            }
            .live(until, deeds);
        }
        done += count;
    }
    let words = format!(
        "bills: seed {seed}: {done} histories, {} deeds, {} invoices, {} months without one, {} lines, {} looks at running \
         months, {} s",
        tally.deeds,
        tally.invoices,
        tally.free,
        tally.lines,
        tally.asked,
        began.elapsed().as_secs()
    );
    writeln!(stderr(), "{words}").ok();
    assert!(tally.lines > done && tally.invoices > done, "{words}");
}
