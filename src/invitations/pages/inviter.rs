//! The pages of those who invite.

use crate::accounts::pages::list_before;
use crate::accounts::views::ROLE_FIELD;
use crate::accounts::{self, EMAIL_FIELD};
use crate::audit::Action;
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::role::Role;
use crate::error::{Error, Result};
use crate::invitations::views::inviter::{self as views, NewForm, ShownLink};
use crate::invitations::{self, Link};
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::routes::Route;
use crate::scope::{InviteAccounts, ManageAccounts};
use crate::visit::Visit;

/// The form to create an account.
pub fn new(visit: &Visit<'_>) -> Result<Response> {
    visit.allow::<InviteAccounts>()?;
    draw(visit, 200, &Form::default(), None, None)
}

/// Creates the account and owes its person the mail.
pub fn create(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<InviteAccounts>()?;
    let mut form = visit.form(&[EMAIL_FIELD, ROLE_FIELD])?;
    let role: Role = form
        .typed(ROLE_FIELD)
        .parse()
        .map_err(|()| Error::Malformed("There is no such permission."))?;
    accounts::may_give(&by, role)?;
    let terms = visit.app.settings.terms;
    let Some(email) = form.get::<Email>(EMAIL_FIELD) else {
        return draw(visit, 422, &form, None, None);
    };
    let organisation = by.organisation();
    if let Err(Error::Invalid { field, sentence }) =
        visit.read(|read| invitations::check_domain(read, by.by(), organisation, &email))
    {
        let event = invitations::outside(organisation, &email);
        visit.app.refuse(visit.now, by.by(), &event)?;
        form.problem(field, sentence);
        return draw(visit, 422, &form, None, None);
    }
    // Before anything is told of the address: the form must not answer for every address there is.
    let asked = visit.read(|read| invitations::check_refused(read, by.organisation(), terms));
    let done =
        asked.and_then(|()| visit.write(|tx| invitations::invite(tx, &by, &email, role, terms)));
    match done {
        Ok(id) => Ok(created(visit, id, &email)),
        Err(Error::Invalid { field, sentence }) => {
            visit.write(|tx| {
                invitations::refuse_duplicate(tx, by.by(), by.organisation(), &email)
            })?;
            form.problem(field, sentence);
            let taken_by = visit.read(|read| Ok(accounts::by_email(read, &email)?))?;
            let ours = taken_by.filter(|account| account.organisation == by.organisation());
            draw(visit, 422, &form, None, ours.map(|account| account.id))
        }
        Err(Error::TooMany {
            retry_after,
            sentence,
        }) => {
            refuse_for_now(visit, &email)?;
            let response = draw(visit, 429, &form, Some(&sentence), None)?;
            Ok(response.with("Retry-After", &retry_after.max(1).to_string()))
        }
        Err(error) => Err(error),
    }
}

fn created(visit: &Visit<'_>, id: AccountId, email: &Email) -> Response {
    if visit.app.mailer().is_some() {
        let message =
            format!("Invited {email}. If nothing arrives, ask them to look in Spam/Junk.");
        visit.redirect_with(&Route::Accounts, &message)
    } else {
        // The account's page says that nothing was sent, and has the link.
        visit.redirect_with(&Route::Account(id), &format!("Created {email}."))
    }
}

/// What a cap refused stands in the log, as every refusal does.
fn refuse_for_now(visit: &Visit<'_>, email: &Email) -> Result<()> {
    let event = visit.refusal(Action::Denied, "too-many").on_text(email);
    visit.app.refuse(visit.now, &visit.by(), &event)
}

fn draw(
    visit: &Visit<'_>,
    status: u16,
    form: &Form,
    problem: Option<&str>,
    taken_by: Option<AccountId>,
) -> Result<Response> {
    let scope = visit.signed_in()?;
    let new = NewForm {
        form,
        problem,
        taken_by,
        permissions: scope.permissions,
        managers: scope.managers,
        organisation: &scope.organisation_name,
        ttl: visit.app.settings.terms.ttl,
        is_mailed: visit.app.mailer().is_some(),
    };
    let has_errors = form.has_problems() || problem.is_some();
    let page = Page::new("Create account · IAM", Place::Iam).with_errors(has_errors);
    layout::page(visit, status, &page, &views::new(&new, &visit.csrf()))
}

/// Sends a new link, and the older is dead.
pub fn resend(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    visit.form(&[])?;
    let terms = visit.app.settings.terms;
    let account = visit.write(|tx| invitations::resend(tx, &by, id, terms))?;
    let message = if visit.app.mailer().is_some() {
        format!(
            "A new link is on its way to {}. The older one no longer works.",
            account.label()
        )
    } else {
        "There is a new link to copy. The older one no longer works.".to_owned()
    };
    Ok(visit.with_flash(back(visit, id), &message))
}

/// To the list as it was, when the menu of one of its rows was used; else to the account.
fn back(visit: &Visit<'_>, id: AccountId) -> Response {
    match list_before(visit) {
        Some(list) => Response::see_other(&list),
        None => visit.redirect(&Route::Account(id)),
    }
}

/// Shows the activation link, in answer to this POST alone: no address leads to it.
pub fn copy_link(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    visit.form(&[])?;
    let Link {
        account,
        token,
        expires_at,
    } = visit.write(|tx| invitations::copy_link(tx, &by, id))?;
    let link = visit.app.settings.link(&Route::Activate(token.reveal()));
    let shown = ShownLink {
        account: &account,
        link: &link,
        expires_at,
        now: visit.now,
        zone: &visit.zone(),
        is_mailed: visit.app.mailer().is_some(),
        permissions: visit.signed_in()?.permissions,
    };
    let page = Page::new("Activation link · IAM", Place::Iam);
    layout::page(visit, 200, &page, &views::link(&shown))
}
