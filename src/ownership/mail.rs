//! The mails of the ownership.
//!
//! Each is written when it is sent, and only if what it says still holds.

use crate::app::Settings;
use crate::domain::id::AccountId;
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::mail::letter::Letter;
use crate::outbox::Recipient;

/// To whoever it is offered to; none once it is not any more.
pub fn offered(_read: &Read<'_>, _settings: &Settings, _to: &Recipient) -> Result<Option<Letter>> {
    Ok(None)
}

/// To who owned the organisation, and to who owns it now.
pub fn moved(
    _read: &Read<'_>,
    _settings: &Settings,
    _to: &Recipient,
    _owner: AccountId,
) -> Result<Option<Letter>> {
    Ok(None)
}
