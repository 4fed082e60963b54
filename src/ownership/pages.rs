//! Offering, taking back, accepting and declining the ownership.

use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;

/// Offers it.
pub fn offer(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Takes the offer back.
pub fn withdraw(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Takes the ownership.
pub fn accept(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Does not.
pub fn decline(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}
