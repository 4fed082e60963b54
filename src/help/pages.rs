//! Placeholder.
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::visit::Visit;
/// x
pub fn show(_: &Visit<'_>, _: crate::routes::HelpTopic) -> Result<Response> {
    Err(Error::NotFound)
}
