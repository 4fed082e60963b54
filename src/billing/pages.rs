//! The bill: the month so far, and the invoices.

use crate::domain::invoice::InvoiceNumber;
use crate::error::{Error, Result};
use crate::kit::http::response::Response;
use crate::scope::ManageBilling;
use crate::visit::Visit;

/// The month so far, and the invoices.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    let _by = visit.allow::<ManageBilling>()?;
    Err(Error::NotFound)
}

/// The month so far, for a spreadsheet.
pub fn csv(visit: &Visit<'_>) -> Result<Response> {
    index(visit)
}

/// One invoice.
pub fn show(visit: &Visit<'_>, _number: InvoiceNumber) -> Result<Response> {
    index(visit)
}

/// Its lines for a spreadsheet.
pub fn invoice_csv(visit: &Visit<'_>, number: InvoiceNumber) -> Result<Response> {
    show(visit, number)
}

/// It was paid.
pub fn pay(visit: &Visit<'_>, number: InvoiceNumber) -> Result<Response> {
    show(visit, number)
}

/// The budget of a month.
pub fn save_budget(visit: &Visit<'_>) -> Result<Response> {
    index(visit)
}
