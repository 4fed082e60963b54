//! Placeholder.
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;
/// x
pub fn index(_: &Visit<'_>) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn show(_: &Visit<'_>, _: crate::domain::id::ErrandId) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn body(_: &Visit<'_>, _: crate::domain::id::ErrandId) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn retry(_: &Visit<'_>, _: crate::domain::id::ErrandId) -> Result<Response> {
    Err(Error::NotFound)
}
