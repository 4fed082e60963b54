//! The invitations' pages: those who invite, and those who are invited.

mod invitee;
mod inviter;

pub use invitee::{accept, ask, show};
pub use inviter::{confirm_delete, copy_link, create, delete, new, resend};
