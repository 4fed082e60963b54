//! The mails of the invitations.

use crate::app::Settings;
use crate::domain::id::{AccountId, InvitationId};
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::keys::Keys;
use crate::kit::mail::letter::Letter;
use crate::outbox::Recipient;

/// x
pub fn activation(
    _: &Read<'_>,
    _: &Keys,
    _: &Settings,
    _: &Recipient,
    _: InvitationId,
) -> Result<Option<Letter>> {
    Ok(None)
}
/// x
pub fn link_asked(
    _: &Read<'_>,
    _: &Settings,
    _: &Recipient,
    _: AccountId,
) -> Result<Option<Letter>> {
    Ok(None)
}
