//! Placeholder.
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;
/// x
pub fn show(_: &Visit<'_>) -> Result<Response> {
    Err(Error::NotFound)
}
