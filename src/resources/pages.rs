//! What the organisation has and pays for.

use crate::domain::id::{AccountId, ResourceId};
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::scope::{ManageResources, ReadResources};
use crate::visit::Visit;

/// The list, as its address says.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    let _by = visit.allow::<ReadResources>()?;
    Err(Error::NotFound)
}

/// The same as rows for a spreadsheet.
pub fn csv(visit: &Visit<'_>) -> Result<Response> {
    index(visit)
}

/// One resource.
pub fn show(visit: &Visit<'_>, _id: ResourceId) -> Result<Response> {
    index(visit)
}

/// The form for a new one.
pub fn new(visit: &Visit<'_>) -> Result<Response> {
    let _by = visit.allow::<ManageResources>()?;
    Err(Error::NotFound)
}

/// What it costs, and then creating it.
pub fn create(visit: &Visit<'_>) -> Result<Response> {
    new(visit)
}

/// The form for another name or note.
pub fn edit(visit: &Visit<'_>, _id: ResourceId) -> Result<Response> {
    new(visit)
}

/// Saving them.
pub fn describe(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    edit(visit, id)
}

/// The form for another plan.
pub fn choose_plan(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    edit(visit, id)
}

/// What it costs, and then giving it.
pub fn change_plan(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    edit(visit, id)
}

/// To whom.
pub fn choose_holder(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    edit(visit, id)
}

/// Handing it over.
pub fn hand_over(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    edit(visit, id)
}

/// All that an account holds: to whom.
pub fn choose_heir(visit: &Visit<'_>, _from: AccountId) -> Result<Response> {
    new(visit)
}

/// Handing all of it over.
pub fn hand_over_all(visit: &Visit<'_>, from: AccountId) -> Result<Response> {
    choose_heir(visit, from)
}

/// What ending does.
pub fn confirm_end(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    edit(visit, id)
}

/// Doing it.
pub fn end(visit: &Visit<'_>, id: ResourceId) -> Result<Response> {
    edit(visit, id)
}
