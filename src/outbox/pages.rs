//! The Mail page: what is owed, what was sent and what was given up, and once more.
//!
//! No page shows what a mail says, but in the demonstration, whose mail never leaves the process.

use super::views::{self, Letter, Query, ROWS};
use super::{Kind, Recipient, Relay, Row, State};
use crate::app::Mode;
use crate::domain::id::ErrandId;
use crate::error::{Error, Result};
use crate::kit::http::headers::CONTENT_SECURITY_POLICY;
use crate::kit::http::response::Response;
use crate::kit::mail::Message;
use crate::kit::time::Timestamp;
use crate::layout::{self, Page, Place};
use crate::outbox;
use crate::routes::Route;
use crate::scope::ReadMail;
use crate::visit::Visit;

/// The seconds between two looks at a test mail that is on its way.
const REFRESH_MIN: i64 = 2;
const REFRESH_MAX: i64 = 30;
/// A mail's HTML may colour itself, and nothing else: it fetches, runs and sends nothing, and stands in our frame only.
const BODY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";

/// The list.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ReadMail>()?;
    let query = Query::read(|name| visit.query(name));
    let (counts, retriable, offset, rows) = visit.read(|read| {
        let counts = match &query.text {
            None => outbox::counts(read, by.organisation())?,
            Some(text) => outbox::counts_with(read, by.organisation(), text)?,
        };
        let offset = query.offset(counts.of(query.filter));
        let rows = outbox::list(read, &by, query.search(), offset, ROWS)?;
        Ok((counts, outbox::retriable(read, &by)?, offset, rows))
    })?;
    let list = views::List {
        query: &query,
        counts,
        retriable,
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

/// One mail, with each attempt.
pub fn show(visit: &Visit<'_>, id: ErrandId) -> Result<Response> {
    let by = visit.allow::<ReadMail>()?;
    let (row, attempts, dialogue) = visit.read(|read| {
        let row = outbox::find(read, &by, id)?.ok_or(Error::NotFound)?;
        let attempts = outbox::attempts(read, id)?;
        let dialogue = outbox::dialogue(read, id)?;
        Ok((row, attempts, dialogue))
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
        dialogue: dialogue.as_ref(),
        letter,
        relay: &visit.app.relay(),
        now: visit.now,
        zone: &visit.zone(),
        csrf: &visit.csrf(),
    };
    let page = Page::new("Message · Mail", Place::Mail);
    let mut response = layout::page(visit, 200, &page, &views::mail(&mail))?;
    if let Some(seconds) = again_in(&row, visit.now) {
        response = response.with("Refresh", &seconds.to_string());
    }
    if mail.letter.is_none() {
        return Ok(response);
    }
    let policy = format!("{CONTENT_SECURITY_POLICY}; frame-src 'self'");
    Ok(response.with("Content-Security-Policy", &policy))
}

/// After how many seconds the page of a test mail asks anew by itself: only while it is on its way, and seldom while it
/// waits for a time.
fn again_in(row: &Row, now: Timestamp) -> Option<i64> {
    let is_on_its_way = matches!(row.state, State::Waiting | State::Sending);
    (row.kind == Kind::Test && is_on_its_way && row.deadline_at > now)
        .then(|| row.due_at.since(now).clamp(REFRESH_MIN, REFRESH_MAX))
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

/// A mail to whoever asks for it.
pub fn send_test(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ReadMail>()?;
    let scope = visit.signed_in()?;
    visit.form(&[])?;
    if visit.app.relay() == Relay::Off {
        return Err(Error::Refused(views::OFF.to_owned()));
    }
    let to = Recipient {
        organisation: scope.organisation,
        account: scope.account,
        email: scope.email.clone(),
    };
    let id = visit.write(|tx| outbox::test(tx, &by, &to))?;
    let told = format!("A test mail to {} is on its way.", to.email);
    Ok(visit.redirect_with(&Route::Errand(id), &told))
}

/// All failed mails that can be sent again are owed again.
pub fn retry_all(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ReadMail>()?;
    visit.form(&[])?;
    let told = match visit.write(|tx| outbox::retry_all(tx, &by))? {
        1 => "1 mail waits to be sent again.".to_owned(),
        count => format!("{count} mails wait to be sent again."),
    };
    Ok(visit.redirect_with(&Route::Mail, &told))
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
    fn the_link_is_the_line_that_begins_with_our_address() {
        let text = "See https://portal.example.com/no\n\nhttps://portal.example.com/activate/x\n";
        let found = link(text, "https://portal.example.com");
        assert_eq!(found, Some("https://portal.example.com/activate/x"));
        assert_eq!(link(text, "https://other.example"), None);
    }
}
