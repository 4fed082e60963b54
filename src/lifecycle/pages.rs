//! The pages of what is done to an account: what will happen, and doing it.

use super::views;
use crate::accounts::{self, Account, Deed, EMAIL_FIELD};
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::error::{Error, Result};
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::lifecycle;
use crate::routes::Route;
use crate::scope::ManageAccounts;
use crate::visit::Visit;

/// What deleting does.
pub fn confirm_delete(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let account = visit.read(|read| accounts::permitted(read, &by, id, Deed::Delete))?;
    ask_to_delete(visit, 200, &account, &Form::default())
}

fn ask_to_delete(
    visit: &Visit<'_>,
    status: u16,
    account: &Account,
    form: &Form,
) -> Result<Response> {
    let email = account.email.as_ref().ok_or(Error::NotFound)?;
    let page = Page::new("Delete account · IAM", Place::Iam).with_errors(form.has_problems());
    let body = views::confirm_delete(account, email, form, &visit.csrf());
    layout::page(visit, status, &page, &body)
}

/// Deletes it, once its address was typed.
pub fn delete(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let mut form = visit.form(&[EMAIL_FIELD])?;
    let account = visit.read(|read| accounts::permitted(read, &by, id, Deed::Delete))?;
    let email = account.email.clone().ok_or(Error::NotFound)?;
    let typed = form.typed(EMAIL_FIELD).parse::<Email>();
    if typed.as_ref() != Ok(&email) {
        form.problem(EMAIL_FIELD, format!("Type {email}, letter for letter."));
        return ask_to_delete(visit, 422, &account, &form);
    }
    visit.write(|tx| lifecycle::delete(tx, &by, id))?;
    let message = format!("Deleted {email}. The address is free again.");
    Ok(visit.redirect_with(&Route::Accounts, &message))
}

/// What another role means.
pub fn choose_role(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Gives another role.
pub fn change_role(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// What switching off does.
pub fn confirm_disable(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Switches off.
pub fn disable(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// What switching on does.
pub fn confirm_enable(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Switches on.
pub fn enable(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Which sessions there are.
pub fn confirm_sign_out(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Ends them.
pub fn sign_out(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// What a reset does.
pub fn confirm_reset(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}

/// Takes the password away.
pub fn reset_password(visit: &Visit<'_>, _id: AccountId) -> Result<Response> {
    visit.form(&[])?;
    Err(Error::NotFound)
}
