//! The pages before somebody leaves, and doing it: at once, or at the end of a day.

use super::views::{self, DATE_FIELD, Farewell, NOW, ON_DATE, RESEND_FIELD, WHEN_FIELD};
use super::{HEIR_FIELD, Heir, Inventory, Left, Wishes};
use crate::accounts::pages::held;
use crate::accounts::views::Held;
use crate::accounts::{self, Account, Deed, EMAIL_FIELD};
use crate::domain::day::{self, LastDay};
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::error::{Error, Result};
use crate::kit::html::Yes;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::leaving;
use crate::lifecycle::pages::{address, done, page};
use crate::lifecycle::views::FROM_FIELD;
use crate::organisations::{self, Organisation};
use crate::resources::pages::receivers;
use crate::routes::Route;
use crate::scope::{Allowed, ManageAccounts, ManageResources};
use crate::visit::Visit;

/// What both pages show.
#[derive(Debug)]
struct Known {
    account: Account,
    organisation: Organisation,
    inventory: Inventory,
    held: Option<Held>,
    heirs: Vec<Account>,
}

/// All of it, if this may be done to the account.
fn known(
    visit: &Visit<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    deed: Deed,
) -> Result<Known> {
    visit.read(|read| {
        let account = accounts::permitted(read, by, id, deed)?;
        let held = held(read, by, id)?;
        let may_choose = held
            .as_ref()
            .is_some_and(|held| held.may_hand_over == Yes::Yes && !held.names.is_empty());
        let mut heirs = if may_choose {
            receivers(read, by.organisation(), id)?
        } else {
            Vec::new()
        };
        // Whoever acts stands first.
        heirs.sort_by_key(|heir| Some(heir.id) != by.by().account());
        Ok(Known {
            organisation: organisations::get(read, account.organisation)?,
            inventory: leaving::inventory(read, &account, visit.app.settings.lifetimes)?,
            account,
            held,
            heirs,
        })
    })
}

fn draw(
    visit: &Visit<'_>,
    known: &Known,
    (title, form): (&str, &Form),
    view: impl FnOnce(&Farewell<'_>) -> maud::Markup,
) -> Result<Response> {
    let own = visit.signed_in()?.account;
    page(visit, title, &known.account, form, |ask| {
        view(&Farewell {
            ask: *ask,
            inventory: &known.inventory,
            held: known.held.as_ref(),
            heirs: &known.heirs,
            own,
            zone: &known.organisation.zone(),
        })
    })
}

/// Who was chosen to get what the account holds; none where it stays.
fn heir(visit: &Visit<'_>, form: &Form) -> Result<Option<(Allowed<ManageResources>, AccountId)>> {
    match form.typed(HEIR_FIELD) {
        "" => Ok(None),
        typed => {
            let to = typed
                .parse()
                .map_err(|()| Error::Malformed("There is no such account."))?;
            Ok(Some((visit.allow::<ManageResources>()?, to)))
        }
    }
}

fn wishes<'w>(
    visit: &Visit<'_>,
    form: &Form,
    heir: Option<&'w (Allowed<ManageResources>, AccountId)>,
) -> Result<Wishes<'w>> {
    let resend = match form.typed(RESEND_FIELD) {
        "" => None,
        "yes" => Some(visit.app.settings.terms),
        _ => return Err(Error::Malformed("Invitations are resent or they are not.")),
    };
    Ok(Wishes {
        heir: heir.map(|(by, to)| Heir { by, to: *to }),
        resend,
    })
}

/// What was done beside, in sentences.
fn beside(left: &Left) -> String {
    let mut words = String::new();
    match left.handed {
        0 => {}
        1 => words.push_str(" 1 resource was handed over."),
        count => words.push_str(&format!(" {count} resources were handed over.")),
    }
    match left.resent {
        0 => {}
        1 => words.push_str(" 1 invitation was resent."),
        count => words.push_str(&format!(" {count} invitations were resent.")),
    }
    match left.kept_back {
        0 => {}
        1 => {
            words.push_str(" 1 invitation could not be: too many went out lately. Resend it later.")
        }
        count => words.push_str(&format!(
            " {count} invitations could not be: too many went out lately. Resend them later."
        )),
    }
    words
}

/// What switching off does.
pub fn confirm_disable(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    ask_to_disable(visit, &by, id, &Form::default())
}

fn ask_to_disable(
    visit: &Visit<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    form: &Form,
) -> Result<Response> {
    let known = known(visit, by, id, Deed::Disable)?;
    draw(
        visit,
        &known,
        ("Disable account", form),
        views::confirm_disable,
    )
}

/// Switches off, now or at the end of the day that was chosen.
pub fn disable(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let mut form = visit.form(&[WHEN_FIELD, DATE_FIELD, HEIR_FIELD, RESEND_FIELD, FROM_FIELD])?;
    let heir = heir(visit, &form)?;
    let wishes = wishes(visit, &form, heir.as_ref())?;
    let (zone, departure) = visit.read(|read| {
        let account = accounts::permitted(read, &by, id, Deed::Disable)?;
        let zone = organisations::get(read, account.organisation)?.zone();
        Ok((zone, accounts::departure(read, id)?))
    })?;
    let last = match form.typed(WHEN_FIELD) {
        // Other clients may leave it out.
        "" | NOW => {
            let set = departure.map(|set| day::iso(set.at, &zone));
            let typed = form.typed(DATE_FIELD).trim();
            if !typed.is_empty() && Some(typed) != set.as_deref() {
                form.problem(
                    WHEN_FIELD,
                    "There is a last day below. Choose “On a date”, or empty the day to disable the account now.",
                );
            }
            None
        }
        ON_DATE => form.check(DATE_FIELD, |typed| LastDay::read(typed, visit.now, &zone)),
        _ => return Err(Error::Malformed("It is done now or on a date.")),
    };
    if form.has_problems() {
        return ask_to_disable(visit, &by, id, &form);
    }
    let done_so = visit.write(|tx| match last {
        None => leaving::disable(tx, &by, id, &wishes),
        Some(last) => leaving::set_last_day(tx, &by, id, last, &wishes),
    });
    match done_so {
        Ok(left) => {
            let label = left.account.label();
            let what = match last {
                None => format!("{label} is disabled and signed out everywhere."),
                Some(last) => {
                    let end = day::ending(last.ends_at(), &zone);
                    format!("{label} is disabled {end}.")
                }
            };
            let message = format!("{what}{}", beside(&left));
            Ok(done(visit, &form, &Route::Account(id), &message))
        }
        Err(Error::Invalid { field, sentence }) => {
            form.problem(field, sentence);
            ask_to_disable(visit, &by, id, &form)
        }
        Err(error) => Err(error),
    }
}

/// No date is set any more.
pub fn cancel(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    visit.form(&[])?;
    let account = visit.write(|tx| leaving::cancel(tx, &by, id))?;
    let message = format!("{} stays: no last day is set any more.", account.label());
    Ok(visit.redirect_with(&Route::Account(id), &message))
}

/// What deleting does.
pub fn confirm_delete(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    ask_to_delete(visit, &by, id, &Form::default())
}

fn ask_to_delete(
    visit: &Visit<'_>,
    by: &Allowed<ManageAccounts>,
    id: AccountId,
    form: &Form,
) -> Result<Response> {
    let known = known(visit, by, id, Deed::Delete)?;
    let email = address(&known.account)?;
    draw(visit, &known, ("Delete account", form), |page| {
        views::confirm_delete(page, email)
    })
}

/// Deletes it, once its address was typed.
pub fn delete(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let mut form = visit.form(&[EMAIL_FIELD, HEIR_FIELD, RESEND_FIELD, FROM_FIELD])?;
    let heir = heir(visit, &form)?;
    let wishes = wishes(visit, &form, heir.as_ref())?;
    let account = visit.read(|read| accounts::permitted(read, &by, id, Deed::Delete))?;
    let email = address(&account)?;
    let typed = form.typed(EMAIL_FIELD).parse::<Email>();
    if typed.as_ref() != Ok(email) {
        form.problem(EMAIL_FIELD, format!("Type {email}, letter for letter."));
        return ask_to_delete(visit, &by, id, &form);
    }
    match visit.write(|tx| leaving::delete(tx, &by, id, &wishes)) {
        Ok(left) => {
            let label = left.account.label();
            let message = format!(
                "Deleted {label}. The address is free again.{}",
                beside(&left)
            );
            Ok(done(visit, &form, &Route::Accounts, &message))
        }
        Err(Error::Invalid { field, sentence }) => {
            form.problem(field, sentence);
            ask_to_delete(visit, &by, id, &form)
        }
        Err(error) => Err(error),
    }
}
