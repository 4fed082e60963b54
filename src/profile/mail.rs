//! The mails of a changed address.
//!
//! Each is written when it is sent, and only if what it says still holds.

use crate::app::Settings;
use crate::domain::id::EmailChangeId;
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::keys::Keys;
use crate::kit::mail::letter::Letter;
use crate::outbox::Recipient;

/// The link, to the new address; none once it would not open any more.
pub fn confirm(
    _read: &Read<'_>,
    _keys: &Keys,
    _settings: &Settings,
    _to: &Recipient,
    _id: EmailChangeId,
) -> Result<Option<Letter>> {
    Ok(None)
}

/// "Your email is now …", to both addresses.
pub fn changed(
    _read: &Read<'_>,
    _settings: &Settings,
    _to: &Recipient,
    _id: EmailChangeId,
) -> Result<Option<Letter>> {
    Ok(None)
}
