//! The Mail page: what is owed, what was sent and what was given up, and once more.
//!
//! No page shows what a mail says, but in the demonstration, whose mail never leaves the process.

use super::views::{self, Letter};
use super::{Filter, Row};
use crate::app::Mode;
use crate::domain::id::ErrandId;
use crate::error::{Error, Result};
use crate::kit::http::headers::CONTENT_SECURITY_POLICY;
use crate::kit::http::response::Response;
use crate::kit::mail::Message;
use crate::layout::{self, Page, Place};
use crate::outbox;
use crate::routes::Route;
use crate::scope::ReadMail;
use crate::visit::Visit;

/// Mails on one page.
const ROWS: i64 = 25;
/// A mail's HTML may colour itself, and nothing else: it fetches, runs and sends nothing, and stands in our frame only.
const BODY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";

/// The list.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ReadMail>()?;
    let filter = filter(visit.query("state").as_deref());
    let (counts, offset, rows) = visit.read(|read| {
        let counts = outbox::counts(read, by.organisation())?;
        let offset = offset(visit.query("page").as_deref(), counts.of(filter));
        let rows = outbox::list(read, &by, filter, offset, ROWS)?;
        Ok((counts, offset, rows))
    })?;
    let list = views::List {
        filter,
        counts,
        rows: &rows,
        offset,
        page_rows: ROWS,
        relay: &visit.app.relay(),
        now: visit.now,
        zone: &visit.zone(),
        csrf: &visit.csrf(),
    };
    let page = Page::new("Mail", Place::Mail);
    layout::page(visit, 200, &page, &views::list(&list))
}

/// Unknown values are ignored.
fn filter(key: Option<&str>) -> Filter {
    Filter::ALL
        .into_iter()
        .find(|one| one.key().is_some() && one.key() == key)
        .unwrap_or_default()
}

/// How many rows stand on the pages before; a page past the end is the last one.
fn offset(page: Option<&str>, total: i64) -> i64 {
    let page: i64 = page.and_then(|text| text.parse().ok()).unwrap_or(1);
    let last = (total.max(1) - 1) / ROWS;
    page.saturating_sub(1).clamp(0, last) * ROWS
}

/// One mail, with each attempt.
pub fn show(visit: &Visit<'_>, id: ErrandId) -> Result<Response> {
    let by = visit.allow::<ReadMail>()?;
    let (row, attempts) = visit.read(|read| {
        let row = outbox::find(read, &by, id)?.ok_or(Error::NotFound)?;
        let attempts = outbox::attempts(read, id)?;
        Ok((row, attempts))
    })?;
    let message = kept(visit, &row);
    let letter = message.as_ref().map(|message| Letter {
        subject: &message.subject,
        text: &message.text,
        link: link(&message.text, &visit.app.settings.public_url),
    });
    let mail = views::Mail {
        row: &row,
        attempts: &attempts,
        letter,
        relay: &visit.app.relay(),
        now: visit.now,
        zone: &visit.zone(),
        csrf: &visit.csrf(),
    };
    let page = Page::new("Message · Mail", Place::Mail);
    let response = layout::page(visit, 200, &page, &views::mail(&mail))?;
    if mail.letter.is_none() {
        return Ok(response);
    }
    let policy = format!("{CONTENT_SECURITY_POLICY}; frame-src 'self'");
    Ok(response.with("Content-Security-Policy", &policy))
}

/// The message as it was sent; only the demonstration has it.
fn kept(visit: &Visit<'_>, row: &Row) -> Option<Message> {
    if visit.app.settings.mode != Mode::Demo {
        return None;
    }
    visit.app.mailbox()?.find(&row.message_id)
}

/// The address that stands in a line of its own.
fn link<'t>(text: &'t str, public_url: &str) -> Option<&'t str> {
    text.lines().find(|line| line.starts_with(public_url))
}

/// The HTML of one mail, for the frame on its page.
pub fn body(visit: &Visit<'_>, id: ErrandId) -> Result<Response> {
    let by = visit.allow::<ReadMail>()?;
    let row = visit.read(|read| Ok(outbox::find(read, &by, id)?))?;
    let message = row
        .and_then(|row| kept(visit, &row))
        .ok_or(Error::NotFound)?;
    Ok(Response::html(200, message.html)
        .with("Content-Security-Policy", BODY_POLICY)
        .with("X-Frame-Options", "SAMEORIGIN"))
}

/// A failed mail is owed again.
pub fn retry(visit: &Visit<'_>, id: ErrandId) -> Result<Response> {
    let by = visit.allow::<ReadMail>()?;
    visit.form(&[])?;
    let row = visit.write(|tx| outbox::retry(tx, &by, id))?;
    let to = row.recipient.map(|email| email.to_string());
    let told = format!(
        "The mail to {} waits to be sent again.",
        to.as_deref().unwrap_or(views::GONE)
    );
    Ok(visit.redirect_with(&Route::Errand(id), &told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_state_is_ignored() {
        for (key, expected) in [
            (None, Filter::All),
            (Some("waiting"), Filter::Waiting),
            (Some("sent"), Filter::Sent),
            (Some("failed"), Filter::Failed),
            (Some("Failed"), Filter::All),
            (Some("not_needed"), Filter::All),
            (Some(""), Filter::All),
        ] {
            assert_eq!(filter(key), expected, "{key:?}");
        }
    }

    #[test]
    fn a_page_that_does_not_exist_is_the_nearest_one() {
        for (page, total, expected) in [
            (None, 0, 0),
            (Some("1"), 26, 0),
            (Some("2"), 26, 25),
            (Some("3"), 26, 25),
            (Some("2"), 25, 0),
            (Some("0"), 60, 0),
            (Some("-9223372036854775808"), 60, 0),
            (Some("9223372036854775807"), 60, 50),
            (Some("x"), 60, 0),
        ] {
            assert_eq!(offset(page, total), expected, "{page:?} of {total}");
        }
    }

    #[test]
    fn the_link_is_the_line_that_begins_with_our_address() {
        let text = "See https://portal.example.com/no\n\nhttps://portal.example.com/activate/x\n";
        let found = link(text, "https://portal.example.com");
        assert_eq!(found, Some("https://portal.example.com/activate/x"));
        assert_eq!(link(text, "https://other.example"), None);
    }
}
