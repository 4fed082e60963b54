//! What an invitee sees.
