//! The mail about backups: to each owner, once, when the nightly ones begin to fail.

use crate::accounts::{self, Status};
use crate::app::Settings;
use crate::backups;
use crate::error::Result;
use crate::kit::dates::long_moment;
use crate::kit::db::Read;
use crate::kit::mail::letter::{Letter, Paragraph};
use crate::kit::time::Timestamp;
use crate::organisations;
use crate::outbox::Recipient;

/// To the owner; none once a backup succeeded, or the ownership moved.
pub fn failed(
    read: &Read<'_>,
    settings: &Settings,
    to: &Recipient,
    since: Timestamp,
) -> Result<Option<Letter>> {
    let organisation = organisations::get(read, to.organisation)?;
    let is_active =
        accounts::find(read, to.account)?.is_some_and(|account| account.status == Status::Active);
    let failing = backups::failing(read)?.filter(|failing| failing.since == since);
    let Some(failing) = failing.filter(|_| is_active && organisation.owner == to.account) else {
        return Ok(None);
    };
    let last = backups::last_good(read)?;
    let zone = organisation.zone();
    let words = format!(
        "The nightly backup of the Portal at {} failed: {}. It is tried again every hour, and this is the only mail about \
         it until one succeeds.",
        settings.host(),
        failing.words
    );
    let last = match last {
        Some(last) => format!(
            "The last backup was made on {}. What has changed since then is in no backup.",
            long_moment(last.ended_at, &zone)
        ),
        None => "There is no backup yet.".to_owned(),
    };
    Ok(Some(Letter {
        subject: format!("No backup could be made at {}", settings.host()),
        brand: organisation.name.to_string(),
        heading: "No backup could be made".to_owned(),
        paragraphs: vec![
            Paragraph::new(words),
            Paragraph::new(last),
            Paragraph::new(
                "Whoever runs the server can mend it: the command doorward doctor looks for the cause, and doorward backup \
                 makes one at once.",
            ),
        ],
        button: None,
        closing: Vec::new(),
        doubt: "You do not run the server? Pass this mail on to whoever does.".to_owned(),
        way_out: None,
        recipient: to.email.to_string(),
        host: settings.host().to_owned(),
    }))
}
