//! How invitations are drawn, for both sides.

pub mod invitee;
pub mod inviter;
