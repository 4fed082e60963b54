//! The list of accounts, and the page of each.

use super::views::{self, Facts, Found, Held, Leaving, Mail, Query, Tab, Viewer};
use super::{
    Filter, Status, counts, counts_with, deleted_count, departure, find, find_in, line, list,
    protection, standing,
};
use crate::audit;
use crate::catalogue;
use crate::domain::id::AccountId;
use crate::domain::policy::Level;
use crate::domain::role::{Permission, Role};
use crate::erasing;
use crate::error::{Error, Result};
use crate::kit::db::Read;
use crate::kit::http::fields::Fields;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::organisations;
use crate::passwords;
use crate::resources;
use crate::routes::Route;
use crate::scope::{Allowed, ListAccounts, ReadAccount, Right};
use crate::sessions;
use crate::two_factor;
use crate::visit::Visit;

/// Events on the page of one account.
const ACTIVITY_MAX: i64 = 10;

/// The list, as its address says.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ListAccounts>()?;
    let scope = visit.signed_in()?;
    let viewer = viewer(visit)?;
    let asked = Query::read(|name| visit.query(name));
    let (query, found, all) = visit.read(|read| {
        let (lines, total) = list(read, &by, &asked.filter, asked.offset(), asked.per)?;
        // A page beyond the last is the last, here and in the list.
        let query = asked.clone().within(total);
        let all = counts(read, by.organisation())?;
        let Filter {
            role, two_factor, ..
        } = query.filter;
        let counts = counts_with(read, by.organisation(), role, two_factor)?;
        let policies = organisations::policies(read, by.organisation())?;
        Ok((
            query,
            Found {
                lines,
                total,
                counts,
                unprotected: all.unprotected,
                is_required: Role::ALL
                    .into_iter()
                    .all(|role| policies.of(role).level == Level::Required),
                deleted: deleted_count(read, by.organisation())?,
            },
            all,
        ))
    })?;
    let body = maud::html! {
        (views::head(&viewer, &scope.organisation_name, &all, Tab::Accounts))
        (views::index(&viewer, &query, &found, &visit.csrf()))
    };
    layout::page(visit, 200, &Page::new("Accounts · IAM", Place::Iam), &body)
}

/// One account, or what a deleted one leaves; another organisation's is none.
pub fn show(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ReadAccount>()?;
    let account = visit.read(|read| Ok(find_in(read, by.organisation(), id)?))?;
    if let Some(account) =
        account.filter(|account| matches!(account.status, Status::Deleted { .. }))
    {
        return erasing::pages::tombstone(visit, &by, &account);
    }
    let viewer = viewer(visit)?;
    let facts = visit.read(|read| {
        let line = line(read, by.organisation(), id)?.ok_or(Error::NotFound)?;
        if matches!(line.account.status, Status::Deleted { .. }) {
            return Err(Error::NotFound);
        }
        Ok(Facts {
            line,
            sessions: sessions::live(read, id, visit.app.settings.lifetimes)?,
            password_since: passwords::changed_at(read, id)?,
            // How many recovery codes are left is for nobody else to know.
            factor_since: two_factor::state(read, id)?.map(|state| state.since),
            protection: protection(read, id)?.ok_or(Error::NotFound)?,
            held: held(read, &by, id)?,
            departure: leaving(read, id, viewer.account)?,
            activity: audit::about(read, by.organisation(), id, viewer.account, ACTIVITY_MAX)?,
        })
    })?;
    let title = format!("{} · Accounts", facts.line.account.label());
    let body = views::show(&viewer, &facts, &visit.csrf());
    layout::page(visit, 200, &Page::new(&title, Place::Iam), &body)
}

/// Its last day, which is told to everybody but its own person.
fn leaving(read: &Read<'_>, id: AccountId, reader: AccountId) -> Result<Option<Leaving>> {
    let Some(departure) = departure(read, id)?.filter(|one| one.account != reader) else {
        return Ok(None);
    };
    let named = |id: Option<AccountId>| -> Result<Option<String>> {
        let Some(id) = id else { return Ok(None) };
        Ok(find(read, id)?.map(|account| account.label()))
    };
    Ok(Some(Leaving {
        departure,
        set_by: named(departure.set_by)?,
        heir: named(departure.heir)?,
    }))
}

/// What an account holds, as far as whoever looks may see it; none before there is anything to hold.
pub fn held<R: Right>(read: &Read<'_>, by: &Allowed<R>, id: AccountId) -> Result<Option<Held>> {
    let Some(currency) = catalogue::currency(read)? else {
        return Ok(None);
    };
    let holding = resources::holding(read, by.organisation(), id)?;
    let may = by.permissions();
    let is_told = may.has(Permission::BillingManage) || by.by().account() == Some(id);
    Ok(Some(Held {
        names: holding.names,
        this_month: is_told.then(|| currency.show(holding.this_month)),
        may_hand_over: may.has(Permission::ResourcesManage).into(),
    }))
}

/// Who looks: what views need to know of them.
pub fn viewer(visit: &Visit<'_>) -> Result<Viewer> {
    let scope = visit.signed_in()?;
    let (standing, place) = visit.read(|read| {
        let standing = standing(
            read,
            scope.organisation,
            Some(scope.account),
            scope.permissions,
        )?;
        Ok((
            standing,
            organisations::get(read, scope.organisation)?.zone(),
        ))
    })?;
    Ok(Viewer {
        account: scope.account,
        standing,
        now: visit.now,
        zone: visit.zone(),
        place,
        mail: if visit.app.mailer().is_some() {
            Mail::On
        } else {
            Mail::Off
        },
        hue: layout::hue,
    })
}

/// The list that this address shows, written anew from what it means: nothing of it goes into an answer as it came.
/// None for the address of anything else.
#[must_use]
pub fn list_at(address: &str) -> Option<String> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    if Route::parse(path) != Some(Route::Accounts) {
        return None;
    }
    let fields = Fields::parse(query.as_bytes()).unwrap_or_default();
    Some(Query::read(|name| fields.get(name).map(str::to_owned)).address())
}

/// The list from which the visitor comes, as it was: the menu of one of its rows led here.
#[must_use]
pub fn list_before(visit: &Visit<'_>) -> Option<String> {
    let referer = visit.request.header("referer")?;
    list_at(referer.strip_prefix(&visit.app.settings.public_url)?)
}
