//! The mails of the sessions.

use crate::app::Settings;
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::mail::letter::Letter;
use crate::outbox::{Place, Recipient};

/// x
pub fn new_device(_: &Read<'_>, _: &Settings, _: &Recipient, _: &Place) -> Result<Option<Letter>> {
    Ok(None)
}
