//! The pages of those who invite.
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;
/// x
pub fn new(_: &Visit<'_>) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn confirm_delete(_: &Visit<'_>, _: crate::domain::id::AccountId) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn create(_: &Visit<'_>) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn resend(_: &Visit<'_>, _: crate::domain::id::AccountId) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn copy_link(_: &Visit<'_>, _: crate::domain::id::AccountId) -> Result<Response> {
    Err(Error::NotFound)
}
/// x
pub fn delete(_: &Visit<'_>, _: crate::domain::id::AccountId) -> Result<Response> {
    Err(Error::NotFound)
}
