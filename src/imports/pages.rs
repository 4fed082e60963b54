//! The pages of lists: sending one, what it means, how far it is, and what became of it.

use crate::accounts::views::ROLE_FIELD;
use crate::accounts::{self, EMAIL_FIELD};
use crate::domain::id::ImportId;
use crate::domain::role::Role;
use crate::error::{Error, Result};
use crate::imports::views::{self, FILE_FIELD, LIST_FIELD, Shown, Start};
use crate::imports::{self, Filter, State, file};
use crate::kit::csv;
use crate::kit::http::form::Form;
use crate::kit::http::multipart;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::routes::Route;
use crate::scope::{InviteAccounts, ManageAccounts};
use crate::visit::Visit;

/// Lines of one page.
const ROWS: i64 = 50;
/// How often a page looks again by itself while its list is worked through, and while that waits at a cap; in seconds.
const LOOK_AGAIN: &str = "3";
const LOOK_AGAIN_LATER: &str = "60";

/// The form for a list, and the lists before it.
pub fn new(visit: &Visit<'_>) -> Result<Response> {
    visit.allow::<InviteAccounts>()?;
    draw(visit, 200, &Form::default())
}

fn draw(visit: &Visit<'_>, status: u16, form: &Form) -> Result<Response> {
    let by = visit.allow::<InviteAccounts>()?;
    let recent = visit.read(|read| imports::recent(read, &by))?;
    let start = Start {
        form,
        recent: &recent,
        permissions: by.permissions(),
        managers: by.managers(),
        now: visit.now,
        zone: &visit.zone(),
    };
    let page = Page::new("Import · IAM", Place::Iam).with_errors(form.has_problems());
    layout::page(visit, status, &page, &views::start(&start, &visit.csrf()))
}

/// Judges a list that was pasted or sent as a file, and leads to what it means.
pub fn judge(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<InviteAccounts>()?;
    let mut form = visit.form(&[LIST_FIELD, FILE_FIELD, ROLE_FIELD])?;
    let role: Role = form
        .typed(ROLE_FIELD)
        .parse()
        .map_err(|()| Error::Malformed("There is no such permission."))?;
    accounts::may_give(&by, role)?;
    let pasted = form.typed(LIST_FIELD).to_owned();
    let file = uploaded(visit);
    let (field, bytes) = match (pasted.trim().is_empty(), &file) {
        (false, None) => (LIST_FIELD, pasted.as_bytes()),
        (true, Some(bytes)) => (FILE_FIELD, bytes.as_slice()),
        (false, Some(_)) => {
            form.problem(FILE_FIELD, "Paste a list or choose a file, not both.");
            return draw(visit, 422, &form);
        }
        (true, None) => {
            form.problem(LIST_FIELD, "Paste a list, or choose a file.");
            return draw(visit, 422, &form);
        }
    };
    let parsed = match file::parse(bytes) {
        Ok(parsed) => parsed,
        Err(mistake) => {
            form.problem(field, mistake.to_string());
            return draw(visit, 422, &form);
        }
    };
    let terms = visit.app.settings.terms;
    let id = visit.write(|tx| imports::check(tx, &by, &parsed.entries, role, terms))?;
    let page = Route::ImportList(id);
    if parsed.unused.is_empty() {
        return Ok(visit.redirect(&page));
    }
    let told = format!("Columns that were not used: {}.", parsed.unused.join(", "));
    Ok(visit.redirect_with(&page, &told))
}

/// The file that was chosen. A browser sends one without a name and without content where none was.
fn uploaded(visit: &Visit<'_>) -> Option<Vec<u8>> {
    let kind = visit.request.header("content-type")?;
    let parts = multipart::parse(kind, &visit.request.body)?;
    let file = parts.into_iter().find(|part| part.name == FILE_FIELD)?;
    let is_chosen = !file.bytes.is_empty() || file.file.is_some_and(|name| !name.is_empty());
    is_chosen.then(|| file.bytes.to_vec())
}

/// One list, as it stands.
pub fn show(visit: &Visit<'_>, id: ImportId) -> Result<Response> {
    let by = visit.allow::<InviteAccounts>()?;
    let filter = visit
        .query(views::VERDICT)
        .map(|key| Filter::from_key(&key))
        .unwrap_or_default();
    let (import, counts, offset, lines) = visit.read(|read| {
        let import = imports::find(read, &by, id)?.ok_or(Error::NotFound)?;
        let counts = imports::counts(read, id)?;
        let offset = offset(visit.query("page").as_deref(), counts.of(filter));
        let lines = imports::lines(read, &import, filter, (offset, ROWS))?;
        Ok((import, counts, offset, lines))
    })?;
    let shown = Shown {
        import: &import,
        counts: &counts,
        filter,
        lines: &lines,
        offset,
        page_rows: ROWS,
        now: visit.now,
        zone: &visit.zone(),
        csrf: &visit.csrf(),
        hour_max: visit.app.settings.terms.hour_max,
        day_max: visit.app.settings.terms.day_max,
        is_mailed: visit.app.mailer().is_some(),
    };
    let page = Page::new("Import · IAM", Place::Iam);
    let response = layout::page(visit, 200, &page, &views::list(&shown))?;
    Ok(match (import.state, import.waits_until) {
        (State::Running, None) => response.with("Refresh", LOOK_AGAIN),
        (State::Running, Some(_)) => response.with("Refresh", LOOK_AGAIN_LATER),
        (State::Judged | State::Done | State::Stopped, _) => response,
    })
}

/// How many lines stand on the pages before; a page past the end is the last one.
fn offset(page: Option<&str>, total: i64) -> i64 {
    let page: i64 = page.and_then(|text| text.parse().ok()).unwrap_or(1);
    let last = (total.max(1) - 1) / ROWS;
    page.saturating_sub(1).clamp(0, last) * ROWS
}

/// Begins to invite those on the list. Whoever presses twice is led to the same list.
pub fn begin(visit: &Visit<'_>, id: ImportId) -> Result<Response> {
    let by = visit.allow::<InviteAccounts>()?;
    visit.form(&[])?;
    visit.write_if(|tx| imports::begin(tx, &by, id))?;
    Ok(visit.redirect(&Route::ImportList(id)))
}

/// Throws the list away.
pub fn discard(visit: &Visit<'_>, id: ImportId) -> Result<Response> {
    let by = visit.allow::<InviteAccounts>()?;
    visit.form(&[])?;
    visit.write(|tx| imports::discard(tx, &by, id))?;
    Ok(visit.redirect_with(&Route::Import, "The list is gone. Nobody was invited."))
}

/// Invites nobody else by it.
pub fn stop(visit: &Visit<'_>, id: ImportId) -> Result<Response> {
    let by = visit.allow::<InviteAccounts>()?;
    visit.form(&[])?;
    let told = match visit.write_if(|tx| imports::stop(tx, &by, id))? {
        Some(()) => "Stopped. Who was invited stays invited.",
        None => "The list was over already.",
    };
    Ok(visit.redirect_with(&Route::ImportList(id), told))
}

/// What became of each line, for a spreadsheet; where mail is off with the links, which are shown in this answer alone.
pub fn csv(visit: &Visit<'_>, id: ImportId) -> Result<Response> {
    const HEADS: [&str; 7] = [
        "Line",
        EMAIL_FIELD,
        "Permission",
        "Name",
        "Phone",
        "Outcome",
        "Why",
    ];
    let by = visit.allow::<InviteAccounts>()?;
    let may_copy = visit.allow::<ManageAccounts>()?;
    let is_mailed = visit.app.mailer().is_some();
    let (import, lines, links) = visit.write(|tx| {
        let import = imports::find(tx, &by, id)?
            .filter(|import| import.state != State::Judged)
            .ok_or(Error::NotFound)?;
        let lines = imports::lines(tx, &import, Filter::All, (0, -1))?;
        let links = if is_mailed {
            Default::default()
        } else {
            imports::links(tx, &may_copy, &import)?
        };
        let recorded = imports::exported(tx, by.by(), &import, lines.len())?;
        Ok(recorded.map(|()| (import, lines, links)))
    })?;
    let mut heads = HEADS.to_vec();
    if !is_mailed {
        heads.extend(["Activation link", "Link works until"]);
    }
    let rows = lines.iter().map(|line| {
        let (outcome, why) = views::in_words(line, import.state);
        let mut row = vec![
            line.entry.line.to_string(),
            line.entry.email.clone(),
            views::role_label(&line.entry.role),
            line.entry.name.clone(),
            line.entry.phone.clone(),
            outcome,
            why,
        ];
        if !is_mailed {
            let link = line.account.and_then(|account| links.get(&account));
            row.extend(match link {
                Some(link) => [
                    visit
                        .app
                        .settings
                        .link(&Route::Activate(link.token.reveal())),
                    crate::kit::dates::machine(link.expires_at, &jiff::tz::TimeZone::UTC),
                ],
                None => [String::new(), String::new()],
            });
        }
        row
    });
    Ok(csv::response("import.csv", csv::document(&heads, rows)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_does_not_exist_is_the_nearest_one() {
        for (page, total, expected) in [
            (None, 0, 0),
            (Some("2"), 51, 50),
            (Some("3"), 51, 50),
            (Some("2"), 50, 0),
            (Some("0"), 120, 0),
            (Some("-9223372036854775808"), 120, 0),
            (Some("9223372036854775807"), 120, 100),
            (Some("x"), 120, 0),
        ] {
            assert_eq!(offset(page, total), expected, "{page:?} of {total}");
        }
    }
}
