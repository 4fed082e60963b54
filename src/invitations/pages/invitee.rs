//! The pages of a link: what an invitee sees.
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;
/// x
pub fn show(_: &Visit<'_>, _: &str) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn accept(_: &Visit<'_>, _: &str) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn ask(_: &Visit<'_>, _: &str) -> Result<Response> {
    Err(Error::NotFound)
}
