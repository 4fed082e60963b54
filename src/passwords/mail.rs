//! The mails of the passwords.

use crate::app::Settings;
use crate::domain::id::ResetId;
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::keys::Keys;
use crate::kit::mail::letter::Letter;
use crate::outbox::Recipient;

/// x
pub fn reset(
    _: &Read<'_>,
    _: &Keys,
    _: &Settings,
    _: &Recipient,
    _: ResetId,
) -> Result<Option<Letter>> {
    Ok(None)
}
/// x
pub fn changed(_: &Read<'_>, _: &Settings, _: &Recipient) -> Result<Option<Letter>> {
    Ok(None)
}
