//! The Audit log: the list, one event, and the files.

use super::export::{self, Export, Format, Wanted};
use super::search::{self, Filter, Who};
use super::views::{self, Links, List, Opened, Query};
use crate::accounts;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::role::Permission;
use crate::error::{Error, Result};
use crate::kit::csv;
use crate::kit::db::Read;
use crate::kit::http::fields::Fields;
use crate::kit::http::request::Method;
use crate::kit::http::response::{Body, Response, Stream};
use crate::layout::{self, Page, Place};
use crate::routes::Route;
use crate::scope::ReadAudit;
use crate::visit::Visit;

/// Events on one page.
const ROWS: usize = 50;
/// People whose name or address holds a word that was typed: so many at most are looked for.
const PEOPLE_MAX: i64 = 12;
/// So many people can be chosen from a menu.
const CHOICES_MAX: i64 = 100;

/// What an export says that the log itself does not know.
pub const TOLD: export::Told = export::Told {
    name,
    sentence: views::sentence,
};

/// The list.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ReadAudit>()?;
    let query = Query::read(|name| visit.query(name));
    let zone = visit.zone();
    let organisation = by.organisation();
    let (rows, found, people) = visit.read(|read| {
        let filter = filter(read, organisation, &query, &zone)?;
        let found = search::find(read, &by, &filter, query.before, ROWS)?;
        let mut rows = Vec::with_capacity(found.lines.len());
        for line in &found.lines {
            let name = match line.actor {
                Some(id) => name_in(read, organisation, id)?,
                None => None,
            };
            rows.push(views::Told {
                line: line.clone(),
                name,
            });
        }
        Ok((rows, found, people(read, organisation, &query)?))
    })?;
    let list = List {
        query: &query,
        rows: &rows,
        has_older: found.has_older,
        whole: &found.whole,
        people: &people,
        keep_days: visit.app.settings.audit_keep_days,
        now: visit.now,
        zone: &zone,
    };
    let page = Page::new("Audit log", Place::Audit);
    layout::page(visit, 200, &page, &views::list(&list))
}

/// One event; another organisation's is none.
pub fn show(visit: &Visit<'_>, number: i64) -> Result<Response> {
    let by = visit.allow::<ReadAudit>()?;
    let (event, actor, target) = visit.read(|read| {
        let event = search::event(read, &by, number)?.ok_or(Error::NotFound)?;
        let called = |id: Option<AccountId>| match id {
            Some(id) => name_in(read, by.organisation(), id),
            None => Ok(None),
        };
        let (actor, target) = (called(event.line.actor)?, called(event.line.target)?);
        Ok((event, actor, target))
    })?;
    let links = if by.permissions().has(Permission::UsersRead) {
        Links::Shown
    } else {
        Links::Hidden
    };
    let body = views::event(&Opened {
        event: &event,
        actor: actor.as_deref(),
        target: target.as_deref(),
        links,
        list: &list_before(visit).unwrap_or_else(|| Route::Audit.to_string()),
        zone: &visit.zone(),
    });
    let title = format!("Event {number} · Audit log");
    layout::page(visit, 200, &Page::new(&title, Place::Audit), &body)
}

/// Exactly what is filtered, as a file. It is recorded before the first byte of it.
pub fn export(visit: &Visit<'_>, format: Format) -> Result<Response> {
    let by = visit.allow::<ReadAudit>()?;
    let query = Query::read(|name| visit.query(name));
    let organisation = by.organisation();
    let zone = visit.zone();
    let (file, kind) = match format {
        Format::Csv => ("audit.csv", "text/csv; charset=utf-8"),
        Format::Jsonl => ("audit.jsonl", "application/jsonl"),
    };
    if visit.request.method == Method::Head {
        // Nothing leaves, and so nothing is recorded.
        let body = Body::Streamed(Stream::new(std::iter::empty()));
        return Ok(csv::download(file, kind, body));
    }
    let seat = visit.app.exports.sit(organisation)?;
    let filter = visit.read(|read| filter(read, organisation, &query, &zone))?;
    let wanted = Wanted {
        format,
        filter,
        typed: query.text,
    };
    visit.write(|tx| export::begin(tx, &by, &wanted))?;
    let pieces = Export::new(
        visit.app.db().reader(),
        visit.now,
        Some(organisation),
        &wanted,
        TOLD,
    )?
    .seated(seat);
    Ok(csv::download(
        file,
        kind,
        Body::Streamed(Stream::new(pieces)),
    ))
}

/// What the address asks for, with the people whose names its words hold.
pub fn filter(
    read: &Read<'_>,
    organisation: OrganisationId,
    query: &Query,
    zone: &jiff::tz::TimeZone,
) -> Result<Filter> {
    query.filter(zone, |word| called(read, organisation, word))
}

/// Whose name or address holds the word. Of what holds no letter, and of what very many have, nobody: each of them makes the
/// search longer, and the words of the events find them too.
pub fn called(read: &Read<'_>, organisation: OrganisationId, word: &str) -> Result<Vec<AccountId>> {
    if word.chars().count() < 2 || !word.chars().any(char::is_alphabetic) {
        return Ok(Vec::new());
    }
    let people = accounts::named(read, organisation, word, PEOPLE_MAX + 1)?;
    let is_few = i64::try_from(people.len()).is_ok_and(|count| count <= PEOPLE_MAX);
    Ok(if is_few { people } else { Vec::new() })
}

/// The name that an account has, whatever became of it; none once it is erased, or before it has one.
fn name(read: &Read<'_>, id: AccountId) -> Result<Option<String>> {
    let account = accounts::find(read, id)?;
    Ok(account.and_then(|account| account.name.map(|name| name.to_string())))
}

fn name_in(read: &Read<'_>, organisation: OrganisationId, id: AccountId) -> Result<Option<String>> {
    let account = accounts::find_in(read, organisation, id)?;
    Ok(account.and_then(|account| account.name.map(|name| name.to_string())))
}

/// Whom the menu offers, as id and name: all where they are few, and whoever is filtered by.
fn people(
    read: &Read<'_>,
    organisation: OrganisationId,
    query: &Query,
) -> Result<Vec<(String, String)>> {
    let mut people: Vec<(String, String)> = accounts::few(read, organisation, CHOICES_MAX)?
        .unwrap_or_default()
        .iter()
        .map(|account| (account.id.to_string(), account.label()))
        .collect();
    people.sort_by_key(|(_, label)| label.to_lowercase());
    let who = match query.who {
        Some(Who::Account(id)) => Some(id),
        _ => None,
    };
    for id in [who, query.target].into_iter().flatten() {
        let key = id.to_string();
        if people.iter().any(|(known, _)| *known == key) {
            continue;
        }
        let label = accounts::find_in(read, organisation, id)?.map_or_else(
            || "an unknown account".to_owned(),
            |account| account.label(),
        );
        people.push((key, label));
    }
    Ok(people)
}

/// The list from which the visitor comes, as it was; written anew from what it means.
fn list_before(visit: &Visit<'_>) -> Option<String> {
    let referer = visit.request.header("referer")?;
    let address = referer.strip_prefix(&visit.app.settings.public_url)?;
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    if Route::parse(path) != Some(Route::Audit) {
        return None;
    }
    let fields = Fields::parse(query.as_bytes()).unwrap_or_default();
    Some(Query::read(|name| fields.get(name).map(str::to_owned)).address())
}
