//! Everybody's own account.

use crate::domain::id::SessionId;
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;

/// All of it.
pub fn show(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Name and telephone.
pub fn save_profile(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Time zone and keys.
pub fn save_preferences(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Another password.
pub fn change_password(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Another address.
pub fn ask_for_email(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Ends every other session.
pub fn end_others(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// What the link to the new address opens.
pub fn confirm_email(visit: &Visit<'_>, _token: &str) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Uses it.
pub fn use_email_link(visit: &Visit<'_>, _token: &str) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Ends one other session.
pub fn end_session(visit: &Visit<'_>, _id: SessionId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}
