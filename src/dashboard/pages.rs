//! The first page after sign-in. Each part is read only for those who may see it.

use std::net::IpAddr;

use super::views::{self, Bill, Concern, Costs, Numbers, Own, PublicAddress, Running};
use crate::accounts;
use crate::app::{Mode, Settings};
use crate::audit;
use crate::billing::{self, Standing};
use crate::catalogue;
use crate::domain::money::{Currency, Money};
use crate::domain::month::Month;
use crate::domain::policy::{Asked, Protection};
use crate::domain::role::Permission;
use crate::error::{Error, Result};
use crate::invitations;
use crate::kit::db::Read;
use crate::kit::http::response::Response;
use crate::kit::time::DAY;
use crate::layout::{self, Page, Place};
use crate::organisations;
use crate::outbox::{self, Relay};
use crate::resources;
use crate::scope::Scope;
use crate::visit::Visit;

/// So many of one's own events.
const DEEDS: i64 = 8;

/// The dashboard.
pub fn show(visit: &Visit<'_>) -> Result<Response> {
    let scope = visit.signed_in()?;
    let relay = visit.app.relay();
    let (numbers, wares, concerns, deeds, before) = visit.read(|read| {
        let wares = wares(read, scope)?;
        let concerns = concerns(read, scope, &visit.app.settings, (&relay, &wares))?;
        Ok((
            numbers(read, scope)?,
            wares,
            concerns,
            accounts::own_deeds(read, scope, DEEDS)?,
            audit::sign_in_before(read, scope)?,
        ))
    })?;
    let dashboard = views::Dashboard {
        name: scope.name.first(),
        numbers: numbers.as_ref(),
        running: wares.running.as_ref(),
        bill: wares.bill.as_ref(),
        own: wares.own.as_ref(),
        concerns: concerns.as_deref(),
        sign_in_before: before.as_ref(),
        deeds: &deeds,
        now: visit.now,
        zone: &visit.zone(),
    };
    let page = Page::new("Dashboard", Place::Dashboard);
    layout::page(visit, 200, &page, &views::dashboard(&dashboard))
}

fn numbers(read: &Read<'_>, scope: &Scope) -> Result<Option<Numbers>> {
    if !scope.permissions.has(Permission::UsersList) {
        return Ok(None);
    }
    let may_see_mail = scope.permissions.has(Permission::UsersManage);
    let mail = if may_see_mail {
        Some(outbox::unsent_counts(read, scope.organisation)?)
    } else {
        None
    };
    Ok(Some(Numbers {
        accounts: accounts::counts(read, scope.organisation)?,
        expired: invitations::expired_count(read, scope.organisation)?,
        mail,
    }))
}

/// What there is to be had and paid for, as far as the reader may see it; nothing of it before there is a catalogue.
#[derive(Debug, Default)]
struct Wares {
    running: Option<Running>,
    bill: Option<Bill>,
    own: Option<Own>,
}

fn wares(read: &Read<'_>, scope: &Scope) -> Result<Wares> {
    let mut wares = Wares::default();
    let Some(currency) = catalogue::currency(read)? else {
        return Ok(wares);
    };
    let id = scope.organisation;
    let manages_billing = scope.permissions.has(Permission::BillingManage);
    if manages_billing || scope.permissions.has(Permission::ResourcesManage) {
        wares.running = Some(Running {
            count: resources::running(read, id)?,
            added: resources::running_since(read, id, read.now().minus(7 * DAY))?,
        });
    } else if scope.permissions.has(Permission::ResourcesRead) {
        wares.own = Some(Own {
            account: scope.account,
            count: resources::held(read, id, scope.account)?.len(),
            costs: costs(read, scope, currency, |charge| {
                charge.holder == scope.account
            })?,
        });
    }
    if manages_billing {
        wares.bill = Some(bill(read, scope, currency)?);
    }
    Ok(wares)
}

/// What the running month costs of what is meant: until now, and as a whole if everything goes on as it is.
fn costs(
    read: &Read<'_>,
    scope: &Scope,
    currency: Currency,
    is_meant: impl Fn(&resources::Charge) -> bool,
) -> Result<Costs> {
    let month = Month::of(read.now());
    let until = |end| -> Result<Money> {
        let charges = resources::month(read, scope.organisation, month, end)?;
        let meant = charges.iter().filter(|charge| is_meant(charge));
        Ok(meant.map(|charge| charge.amount).sum())
    };
    Ok(Costs {
        currency,
        month,
        so_far: until(read.now())?,
        expected: until(month.span().until)?,
    })
}

fn bill(read: &Read<'_>, scope: &Scope, currency: Currency) -> Result<Bill> {
    let mut bill = Bill {
        costs: costs(read, scope, currency, |_| true)?,
        budget: billing::budget(read, scope.organisation)?,
        open: 0,
        owed: Money::ZERO,
        overdue: Vec::new(),
    };
    for invoice in billing::invoices(read, scope.organisation)? {
        let standing = invoice.standing(read.now());
        if standing == Standing::Paid {
            continue;
        }
        bill.open += 1;
        bill.owed = bill.owed.plus(invoice.total);
        if standing == Standing::Overdue {
            bill.overdue.push((invoice.number, invoice.due_at));
        }
    }
    Ok(bill)
}

/// What the reader should see to. Those who answer for the organisation are told too that there is nothing.
fn concerns(
    read: &Read<'_>,
    scope: &Scope,
    settings: &Settings,
    (relay, wares): (&Relay, &Wares),
) -> Result<Option<Vec<Concern>>> {
    let answers = scope.permissions.has(Permission::OrganisationManage);
    let mut concerns = Vec::new();
    if answers {
        concerns.extend(of_organisation(read, scope, settings, relay)?);
    }
    if scope.permissions.has(Permission::UsersList) {
        let alone = accounts::counts(read, scope.organisation)?.unprotected;
        if alone > 0 {
            concerns.push(Concern::PasswordAlone(alone, answers.into()));
        }
    }
    if let Some(bill) = &wares.bill {
        concerns.extend(of_bill(bill));
    }
    match scope.protection {
        Protection::On | Protection::Without(Asked::Nothing) => {}
        Protection::Without(asked) => concerns.push(Concern::OwnFactor(asked)),
    }
    Ok((answers || !concerns.is_empty()).then_some(concerns))
}

/// What those who answer for the organisation should see to.
fn of_organisation(
    read: &Read<'_>,
    scope: &Scope,
    settings: &Settings,
    relay: &Relay,
) -> Result<Vec<Concern>> {
    let mut concerns = Vec::new();
    let organisation = organisations::get(read, scope.organisation)?;
    if organisation
        .offer
        .is_some_and(|offer| offer.to == scope.account)
    {
        let owner = accounts::find(read, organisation.owner)?.ok_or(Error::NotFound)?;
        concerns.push(Concern::Ownership {
            owner: owner.label(),
            organisation: organisation.name,
        });
    }
    if let Some(trouble) = public_address(settings) {
        concerns.push(Concern::PublicAddress(trouble, settings.public_url.clone()));
    }
    if *relay != Relay::Works {
        concerns.push(Concern::Mail(relay.clone()));
    }
    if accounts::masters_active(read, scope.organisation)?.len() < 2 {
        concerns.push(Concern::OneMaster);
    }
    let expired = invitations::expired_count(read, scope.organisation)?;
    if expired > 0 {
        concerns.push(Concern::Expired(expired));
    }
    let failed = outbox::unsent_counts(read, scope.organisation)?.failed;
    if failed > 0 {
        concerns.push(Concern::FailedMail(failed));
    }
    Ok(concerns)
}

/// From how much of the budget on it is a concern, in percent.
const NEARLY_SPENT: i64 = 80;

/// What those who look after the bill should see to.
fn of_bill(bill: &Bill) -> Vec<Concern> {
    let mut concerns = Vec::new();
    // Newest first, and so the last is the one that waits for longest.
    if let Some((number, due_at)) = bill.overdue.last() {
        concerns.push(Concern::Overdue {
            number: *number,
            due_at: *due_at,
            others: i64::try_from(bill.overdue.len()).unwrap_or(i64::MAX) - 1,
        });
    }
    if let Some(budget) = bill.budget {
        let percent = billing::step(bill.costs.so_far, budget);
        if percent >= NEARLY_SPENT {
            concerns.push(Concern::Budget {
                percent,
                budget,
                costs: bill.costs,
            });
        }
    }
    concerns
}

/// What is wrong with the address that links begin with. The demonstration is meant for this machine alone.
fn public_address(settings: &Settings) -> Option<PublicAddress> {
    if settings.mode == Mode::Demo {
        return None;
    }
    if is_loopback(settings.host()) {
        return Some(PublicAddress::Loopback);
    }
    settings
        .public_url
        .starts_with("http://")
        .then_some(PublicAddress::InTheClear)
}

/// Whether a host, with or without a port, is this machine alone.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:80",
            "127.8.8.8",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "portal.example.com",
            "localhost.example.com",
            "192.0.2.1:8080",
            "[2001:db8::1]",
            "0.0.0.0",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
