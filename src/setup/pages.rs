//! Placeholder.
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;
/// x
pub fn index(_: &Visit<'_>) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn new(_: &Visit<'_>, _: &str) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn create(_: &Visit<'_>, _: &str) -> Result<Response> {
    Err(Error::NotFound)
}
