//! The first page after sign-in. Each part is read only for those who may see it.

use std::net::IpAddr;

use jiff::tz::TimeZone;

use super::views::{
    self, Bill, Concern, Costs, Day, FirstSteps, Numbers, Own, PublicAddress, Running, SignIns,
    Whose,
};
use crate::accounts;
use crate::app::{Mode, Settings};
use crate::audit;
use crate::backups;
use crate::billing::{self, Standing};
use crate::catalogue;
use crate::domain::money::{Currency, Money};
use crate::domain::month::Month;
use crate::domain::policy::{Asked, Protection};
use crate::domain::role::Permission;
use crate::error::{Error, Result};
use crate::invitations;
use crate::kit::dates;
use crate::kit::db::Read;
use crate::kit::http::response::Response;
use crate::kit::time::DAY;
use crate::layout::{self, Page, Place};
use crate::organisations::{self, Organisation};
use crate::outbox::{self, Relay};
use crate::resources;
use crate::routes::Route;
use crate::scope::{ManageOrganisation, Scope};
use crate::settings;
use crate::visit::Visit;

/// So many events.
const DEEDS: i64 = 8;
/// The sign-ins of so many days.
const DAYS: usize = 30;
/// For so long an organisation is new, and shown its first steps; from then on what needs attention says the same.
const NEW_FOR: i64 = 30 * DAY;

/// The dashboard.
pub fn show(visit: &Visit<'_>) -> Result<Response> {
    let scope = visit.signed_in()?;
    let relay = visit.app.relay();
    let zone = visit.zone();
    let (deeds_of, sign_ins_of) = whose(scope);
    let (numbers, wares, (steps, concerns), sign_ins, deeds, before) = visit.read(|read| {
        let wares = wares(read, scope)?;
        let concerns = concerns(read, scope, &visit.app.settings, (&relay, &wares))?;
        let deeds = match deeds_of {
            Whose::Organisation => accounts::newest_deeds(read, scope, DEEDS)?,
            Whose::Own => accounts::own_deeds(read, scope, DEEDS)?,
        };
        Ok((
            numbers(read, scope)?,
            wares,
            concerns,
            sign_ins(read, scope, sign_ins_of, &zone)?,
            deeds,
            audit::sign_in_before(read, scope)?,
        ))
    })?;
    let csrf = visit.csrf();
    let dashboard = views::Dashboard {
        name: scope.name.first(),
        numbers: numbers.as_ref(),
        running: wares.running.as_ref(),
        bill: wares.bill.as_ref(),
        own: wares.own.as_ref(),
        first_steps: steps.as_ref(),
        concerns: concerns.as_deref(),
        sign_in_before: before.as_ref(),
        sign_ins: &sign_ins,
        deeds: &deeds,
        deeds_of,
        csrf: &csrf,
        now: visit.now,
        zone: &zone,
    };
    let page = Page::new("Dashboard", Place::Dashboard);
    layout::page(visit, 200, &page, &views::dashboard(&dashboard))
}

/// Whose events and whose sign-ins the reader is told of. The first is the log; the second is no more than the sum of what
/// stands on the pages of all accounts, and so needs what these need.
fn whose(scope: &Scope) -> (Whose, Whose) {
    let of_all = |permission| {
        if scope.permissions.has(permission) {
            Whose::Organisation
        } else {
            Whose::Own
        }
    };
    (of_all(Permission::AuditRead), of_all(Permission::UsersRead))
}

/// The days are those of the clock on the page, as all of its times are.
fn sign_ins(read: &Read<'_>, scope: &Scope, whose: Whose, zone: &TimeZone) -> Result<SignIns> {
    let now = read.now();
    // One more than the days: they may have 25 hours.
    let since = now.minus(i64::try_from(DAYS).unwrap_or_default() * DAY + DAY);
    let counted = match whose {
        Whose::Organisation => audit::sign_ins(read, scope.organisation, since)?,
        Whose::Own => audit::own_sign_ins(read, scope.organisation, scope.account, since)?,
    };
    let mut days = vec![Day::default(); DAYS];
    for one in counted {
        let ago = usize::try_from(dates::days_ago(one.from, now, zone)).unwrap_or_default();
        if let Some(day) = days.iter_mut().rev().nth(ago) {
            day.succeeded += one.succeeded;
            day.failed += one.failed;
        }
    }
    Ok(SignIns { whose, days })
}

/// Puts the list of first steps away, for everybody who answers for the organisation.
pub fn put_first_steps_away(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    visit.form(&[])?;
    visit.write_if(|tx| settings::put_first_steps_away(tx, &by))?;
    let message = "The first steps are put away. What is still open stands under Needs attention.";
    Ok(visit.redirect_with(&Route::Dashboard, message))
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

/// What the reader should see to: the first steps, and everything else. Those who answer for the organisation are told too
/// that there is nothing.
fn concerns(
    read: &Read<'_>,
    scope: &Scope,
    settings: &Settings,
    (relay, wares): (&Relay, &Wares),
) -> Result<(Option<FirstSteps>, Option<Vec<Concern>>)> {
    let answers = scope.permissions.has(Permission::OrganisationManage);
    let mut concerns = Vec::new();
    let mut open = open_steps(read, scope, settings, relay)?;
    let mut first_steps = None;
    if answers {
        let organisation = organisations::get(read, scope.organisation)?;
        concerns.extend(ownership_offered(read, scope, &organisation)?);
        let is_new = organisation.started_at.is_none()
            && read.now().since(organisation.created_at) < NEW_FOR;
        if is_new && !open.are_done() {
            // What stands there is not said twice.
            first_steps = Some(std::mem::take(&mut open));
        }
    }
    // That there is no backup yet is of the first days; that they fail is not.
    let backup = open.backup.filter(|one| matches!(one, Concern::Backup(_)));
    let is_in_trouble = answers && matches!(relay, Relay::Fails { .. });
    let trouble = is_in_trouble.then(|| Concern::Mail(relay.clone()));
    let of_host = [open.address, open.mail, trouble, backup, open.master];
    concerns.extend(of_host.into_iter().flatten());
    if answers {
        concerns.extend(of_organisation(read, scope)?);
    }
    concerns.extend(open.two_factor);
    if scope.permissions.has(Permission::UsersManage) {
        concerns.extend(of_departures(read, scope)?);
    }
    if let Some(bill) = &wares.bill {
        concerns.extend(of_bill(bill));
    }
    match scope.protection {
        Protection::On | Protection::Without(Asked::Nothing) => {}
        Protection::Without(asked) => concerns.push(Concern::OwnFactor(asked)),
    }
    let concerns = (answers || !concerns.is_empty()).then_some(concerns);
    Ok((first_steps, concerns))
}

/// The first steps that are still to be done, as far as the reader may know of them.
fn open_steps(
    read: &Read<'_>,
    scope: &Scope,
    settings: &Settings,
    relay: &Relay,
) -> Result<FirstSteps> {
    let answers = scope.permissions.has(Permission::OrganisationManage);
    let mut open = FirstSteps::default();
    if scope.permissions.has(Permission::UsersList) {
        let alone = accounts::counts(read, scope.organisation)?.unprotected;
        open.two_factor = (alone > 0).then(|| Concern::PasswordAlone(alone, answers.into()));
    }
    if !answers {
        return Ok(open);
    }
    let url = &settings.public_url;
    open.address = public_address(settings).map(|wrong| Concern::PublicAddress(wrong, url.clone()));
    open.mail = (*relay == Relay::Off).then(|| Concern::Mail(relay.clone()));
    let masters = accounts::masters_active(read, scope.organisation)?.len();
    open.master = (masters < 2).then_some(Concern::OneMaster);
    let backups = backups::state(read, &settings.backups)?;
    open.backup = match backups.failing {
        Some(failing) => Some(Concern::Backup(failing)),
        None if backups.last.is_some() || backups.put_back.is_some() => None,
        None => Some(Concern::NoBackup(backups.is_nightly.into())),
    };
    Ok(open)
}

/// The ownership, where it is offered to the reader.
fn ownership_offered(
    read: &Read<'_>,
    scope: &Scope,
    organisation: &Organisation,
) -> Result<Option<Concern>> {
    if organisation
        .offer
        .is_none_or(|offer| offer.to != scope.account)
    {
        return Ok(None);
    }
    let owner = accounts::find(read, organisation.owner)?.ok_or(Error::NotFound)?;
    Ok(Some(Concern::Ownership {
        owner: owner.label(),
        organisation: organisation.name.clone(),
    }))
}

/// What those who answer for the organisation should see to, of its people and its mail.
fn of_organisation(read: &Read<'_>, scope: &Scope) -> Result<Vec<Concern>> {
    let mut concerns = Vec::new();
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

/// So many of them are told.
const DEPARTURES: i64 = 5;

/// Whose last day came, and who is here still; to everybody who manages accounts but themself.
fn of_departures(read: &Read<'_>, scope: &Scope) -> Result<Vec<Concern>> {
    let mut concerns = Vec::new();
    for one in accounts::departures_dropped(read, scope.organisation, DEPARTURES)? {
        let account = accounts::find(read, one.account)?.ok_or(Error::NotFound)?;
        if let Some((_, why)) = one.dropped
            && account.id != scope.account
        {
            concerns.push(Concern::NotDisabled {
                account: account.id,
                label: account.label(),
                why: why.sentence(),
            });
        }
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
