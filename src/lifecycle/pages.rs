//! The pages of what is done to an account: what will happen, and doing it.
//!
//! Each deed leads back to the list as it was, when the menu of one of its rows led to it, else to the account's page;
//! which of the two travels in the form.

use super::views::{self, Ask, Enabling, FROM_FIELD, HANDOVER_FIELD, NewRole, Outcome};
use super::{Effect, Ends, effect};
use crate::accounts::pages::{list_at, list_before};
use crate::accounts::views::ROLE_FIELD;
use crate::accounts::{self, Account, Deed, Status};
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::role::{Managers, Role};
use crate::error::{Error, Result};
use crate::kit::http::form::Form;
use crate::kit::http::request::Method;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::lifecycle;
use crate::organisations;
use crate::passwords::{self, Handover};
use crate::routes::Route;
use crate::scope::{Allowed, AssignRoles, ManageAccounts, Right};
use crate::visit::Visit;

/// The list that led here: known by the browser when the page is opened, and by the form from then on.
fn list(visit: &Visit<'_>, form: &Form) -> Option<String> {
    match visit.request.method {
        Method::Get | Method::Head => list_before(visit),
        Method::Post => list_at(form.typed(FROM_FIELD)),
    }
}

/// After the deed: back to where it came from, with what happened.
pub fn done(visit: &Visit<'_>, form: &Form, otherwise: &Route, message: &str) -> Response {
    let to = match list(visit, form) {
        Some(list) => Response::see_other(&list),
        None => visit.redirect(otherwise),
    };
    visit.with_flash(to, message)
}

/// Draws one of the pages: `draw` has what all of them are drawn from.
pub fn page(
    visit: &Visit<'_>,
    title: &str,
    account: &Account,
    form: &Form,
    draw: impl FnOnce(&Ask<'_>) -> maud::Markup,
) -> Result<Response> {
    let list = list(visit, form);
    let ask = Ask {
        account,
        form,
        list: list.as_deref(),
        is_mailed: visit.app.mailer().is_some(),
        now: visit.now,
        zone: &visit.zone(),
        csrf: &visit.csrf(),
    };
    let title = format!("{title} · IAM");
    let status = if form.has_problems() { 422 } else { 200 };
    let page = Page::new(&title, Place::Iam).with_errors(form.has_problems());
    layout::page(visit, status, &page, &draw(&ask))
}

/// The account, if this may be done to it, and what would end if it were to have no right at all.
fn before<R: Right>(
    visit: &Visit<'_>,
    by: &Allowed<R>,
    id: AccountId,
    deed: Deed,
) -> Result<(Account, Ends)> {
    visit.read(|read| {
        let account = accounts::permitted(read, by, id, deed)?;
        let ends = lifecycle::ends(read, &account, None, visit.app.settings.lifetimes)?;
        Ok((account, ends))
    })
}

/// What another role means.
pub fn choose_role(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<AssignRoles>()?;
    ask_for_role(visit, &by, id, &Form::default())
}

fn ask_for_role(
    visit: &Visit<'_>,
    by: &Allowed<AssignRoles>,
    id: AccountId,
    form: &Form,
) -> Result<Response> {
    let (account, outcomes) = visit.read(|read| {
        let now = accounts::find_in(read, by.organisation(), id)?.ok_or(Error::NotFound)?;
        // Whether it may have another role at all: giving the one it has takes nothing from anybody.
        let account = accounts::permitted(read, by, id, Deed::ChangeRole(now.role))?;
        let lifetimes = visit.app.settings.lifetimes;
        let outcomes = Role::ALL
            .into_iter()
            .map(|role| {
                let ends = lifecycle::ends(read, &account, Some(role), lifetimes)?;
                Ok(Outcome { role, ends })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok((account, outcomes))
    })?;
    page(visit, "Change permission", &account, form, |ask| {
        views::choose_role(&NewRole {
            ask: *ask,
            permissions: by.permissions(),
            managers: by.managers(),
            outcomes: &outcomes,
        })
    })
}

/// Gives another role.
pub fn change_role(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<AssignRoles>()?;
    let mut form = visit.form(&[ROLE_FIELD, FROM_FIELD])?;
    let role: Role = form
        .typed(ROLE_FIELD)
        .parse()
        .map_err(|()| Error::Malformed("There is no such permission."))?;
    match visit.write(|tx| lifecycle::change_role(tx, &by, id, role)) {
        Ok(was) => {
            let message = changed(&was, role, by.managers());
            Ok(done(visit, &form, &Route::Account(id), &message))
        }
        Err(Error::Invalid { field, sentence }) => {
            form.problem(field, sentence);
            ask_for_role(visit, &by, id, &form)
        }
        Err(error) => Err(error),
    }
}

/// What a change of role did.
fn changed(was: &Account, role: Role, managers: Managers) -> String {
    let label = was.label();
    match (was.status, effect(was.role, role, managers)) {
        (Status::Pending, _) => {
            format!("{label} is {role} now. The activation link stays the same.")
        }
        (Status::Active, Effect::Gain) => {
            format!(
                "{label} is {role} now. It takes effect the next time they sign out and in again."
            )
        }
        (Status::Active, Effect::Loss) => {
            format!("{label} is {role} now, and signed out everywhere.")
        }
        (Status::Disabled { .. } | Status::Deleted { .. }, _) => {
            format!("{label} is {role} now, and still disabled.")
        }
    }
}

/// What switching on does.
pub fn confirm_enable(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let (account, has_password, revived) = visit.read(|read| {
        let account = accounts::permitted(read, &by, id, Deed::Enable)?;
        let has_password = passwords::changed_at(read, id)?.is_some();
        let revived = lifecycle::revived(read, &account)?;
        Ok((account, has_password, revived))
    })?;
    page(visit, "Enable account", &account, &Form::default(), |ask| {
        views::confirm_enable(&Enabling {
            ask: *ask,
            has_password,
            revived: &revived,
            managers: by.managers(),
        })
    })
}

/// Switches on.
pub fn enable(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let form = visit.form(&[FROM_FIELD])?;
    let account = visit.write(|tx| lifecycle::enable(tx, &by, id))?;
    let message = format!("{} is enabled and can sign in again.", account.label());
    Ok(done(visit, &form, &Route::Account(id), &message))
}

/// Which sessions there are.
pub fn confirm_sign_out(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let (account, ends) = before(visit, &by, id, Deed::SignOut)?;
    page(
        visit,
        "Sign out everywhere",
        &account,
        &Form::default(),
        |ask| views::confirm_sign_out(ask, &ends),
    )
}

/// Ends them.
pub fn sign_out(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let form = visit.form(&[FROM_FIELD])?;
    let account = visit.write(|tx| lifecycle::sign_out(tx, &by, id))?;
    let message = format!("{} is signed out everywhere.", account.label());
    Ok(done(visit, &form, &Route::Account(id), &message))
}

/// What a reset does.
pub fn confirm_reset(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    ask_to_reset(visit, &by, id, &Form::default())
}

fn ask_to_reset(
    visit: &Visit<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    form: &Form,
) -> Result<Response> {
    let (account, ends) = before(visit, by, id, Deed::ResetPassword)?;
    let email = address(&account)?;
    page(visit, "Reset password", &account, form, |ask| {
        views::confirm_reset(ask, email, &ends)
    })
}

/// Takes the password away. The link is mailed, or shown in answer to this POST alone: no address leads to it.
pub fn reset_password(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let mut form = visit.form(&[HANDOVER_FIELD, FROM_FIELD])?;
    let handover = match form.typed(HANDOVER_FIELD) {
        "mail" => Handover::Mail,
        "copy" => Handover::Copy,
        _ => return Err(Error::Malformed("A link is mailed or shown.")),
    };
    // Mail may have been turned off while the page was open; nothing may be owed that never leaves.
    if handover == Handover::Mail && visit.app.mailer().is_none() {
        form.problem(
            HANDOVER_FIELD,
            "Mail is off on this server. Let the link be shown to you, and hand it over.",
        );
        return ask_to_reset(visit, &by, id, &form);
    }
    let (account, issued) = visit.write(|tx| lifecycle::reset_password(tx, &by, id, handover))?;
    if handover == Handover::Mail {
        let message = format!(
            "The password of {} is reset, and every session ended. A link is on its way to {}.",
            account.label(),
            address(&account)?
        );
        return Ok(done(visit, &form, &Route::Account(id), &message));
    }
    let link = visit
        .app
        .settings
        .link(&Route::ResetPassword(issued.token.reveal()));
    page(visit, "Reset link", &account, &form, |ask| {
        views::reset_link(ask, &link, issued.expires_at)
    })
}

/// What a reset of the second factor does.
pub fn confirm_two_factor_reset(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let (account, ends) = before(visit, &by, id, Deed::ResetTwoFactor)?;
    let policies = visit.read(|read| Ok(organisations::policies(read, account.organisation)?))?;
    let policy = policies.of(account.role);
    page(
        visit,
        "Reset two-factor",
        &account,
        &Form::default(),
        |ask| views::confirm_two_factor_reset(ask, policy, &ends),
    )
}

/// Takes the second factor away.
pub fn reset_two_factor(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let form = visit.form(&[FROM_FIELD])?;
    let account = visit.write(|tx| lifecycle::reset_two_factor(tx, &by, id))?;
    let message = format!(
        "The two-factor of {} is reset, and every session ended. They sign in with the password alone, and set it up anew.",
        account.label()
    );
    Ok(done(visit, &form, &Route::Account(id), &message))
}

/// Its address, which it has until it is deleted.
pub fn address(account: &Account) -> Result<&Email> {
    account.email.as_ref().ok_or(Error::NotFound)
}
