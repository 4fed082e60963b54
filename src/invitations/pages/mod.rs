//! The invitations' pages: those who invite, and those who are invited.

mod invitee;
mod inviter;

pub use invitee::{accept, ask, show};
pub use inviter::{copy_link, create, new, resend};
