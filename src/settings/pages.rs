//! The settings of an organisation.

use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;

/// All of them.
pub fn show(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Name and time zone.
pub fn save_general(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Who manages users.
pub fn save_security(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}
