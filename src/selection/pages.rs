//! Several accounts at once: what will happen to each, and doing it.

use super::views::{self, Confirm, Each};
use super::{Act, Done, SEEN_FIELD, SELECTED_MAX, Verdict, judge, perform, stamp};
use crate::accounts::pages::{list_at, viewer};
use crate::accounts::{self, Account};
use crate::domain::id::AccountId;
use crate::error::{Error, Result};
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::lifecycle;
use crate::lifecycle::views::FROM_FIELD;
use crate::resources;
use crate::routes::Route;
use crate::scope::{Allowed, ManageAccounts};
use crate::visit::Visit;

/// The field of each account that is chosen, and of each that was left out.
pub const ACCOUNT_FIELD: &str = "account";
/// Those that were said to be left out.
pub const LEFT_FIELD: &str = "left";
/// What is to be done.
pub const DEED_FIELD: &str = "deed";
/// Sent once it was seen what will happen.
pub const CONFIRM_FIELD: &str = "confirm";

/// So much of a message is names; a cookie carries it.
const NAMES_MAX: usize = 300;

/// Shows what will happen; done, once that was seen and is so still.
pub fn select(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageAccounts>()?;
    let mut form = visit.form_with(
        &[DEED_FIELD, CONFIRM_FIELD, SEEN_FIELD, FROM_FIELD],
        &[ACCOUNT_FIELD, LEFT_FIELD],
    )?;
    let act = Act::ALL
        .into_iter()
        .find(|act| act.key() == form.typed(DEED_FIELD))
        .ok_or(Error::Malformed("There is no such deed."))?;
    let chosen = ids(&form, ACCOUNT_FIELD)?;
    let left = ids(&form, LEFT_FIELD)?;
    if chosen.len() + left.len() > SELECTED_MAX {
        return Err(Error::Malformed("These are more accounts than a page has."));
    }
    let is_confirmed = match form.typed(CONFIRM_FIELD) {
        "" => false,
        "yes" => true,
        _ => return Err(Error::Malformed("It is confirmed or it is not.")),
    };
    if chosen.is_empty() && left.is_empty() {
        form.problem(ACCOUNT_FIELD, "Tick the accounts in the list first.");
        return draw(visit, &form, act, Vec::new());
    }
    if !is_confirmed || chosen.is_empty() {
        return ask(visit, &by, act, &[chosen, left].concat(), &form);
    }
    let terms = visit.app.settings.terms;
    let seen = form.typed(SEEN_FIELD).to_owned();
    let mut result = Done::default();
    let done = visit.write_if(|tx| {
        let (what, recorded) = perform(tx, &by, (act, &chosen), &seen, terms)?;
        result = what;
        Ok(recorded)
    });
    match done {
        Ok(_) => {
            let others = labels(visit, &by, &left)?;
            let message = told(act, &result, &others);
            let to = list_at(form.typed(FROM_FIELD)).unwrap_or_else(|| Route::Accounts.to_string());
            Ok(visit.with_flash(Response::see_other(&to), &message))
        }
        Err(Error::Invalid { sentence, .. }) => {
            form.problem(SEEN_FIELD, sentence);
            ask(visit, &by, act, &[chosen, left].concat(), &form)
        }
        Err(error) => Err(error),
    }
}

fn ids(form: &Form, field: &str) -> Result<Vec<AccountId>> {
    form.all(field)
        .map(|id| id.parse())
        .collect::<std::result::Result<_, ()>>()
        .map_err(|()| Error::Malformed("There is no such account."))
}

fn ask(
    visit: &Visit<'_>,
    by: &Allowed<ManageAccounts>,
    act: Act,
    ids: &[AccountId],
    form: &Form,
) -> Result<Response> {
    let lifetimes = visit.app.settings.lifetimes;
    let each = visit.read(|read| {
        judge(read, by, act, ids)?
            .into_iter()
            .map(|verdict| {
                let account = &verdict.account;
                let ends = lifecycle::ends(read, account, None, lifetimes)?;
                Ok(Each {
                    sessions: ends.sessions.len(),
                    invited: ends.invited.len(),
                    held: resources::held(read, by.organisation(), account.id)?.len(),
                    verdict,
                })
            })
            .collect::<Result<Vec<_>>>()
    })?;
    draw(visit, form, act, each)
}

fn draw(visit: &Visit<'_>, form: &Form, act: Act, each: Vec<Each>) -> Result<Response> {
    let list = list_at(form.typed(FROM_FIELD)).unwrap_or_else(|| Route::Accounts.to_string());
    let (done, left): (Vec<Each>, Vec<Each>) = each
        .into_iter()
        .partition(|one| one.verdict.refusal.is_none());
    let verdicts: Vec<Verdict> = done.iter().map(|one| one.verdict.clone()).collect();
    let confirm = Confirm {
        act,
        done: &done,
        left: &left,
        stamp: &stamp(&verdicts),
        form,
        list: &list,
        is_mailed: visit.app.mailer().is_some(),
        viewer: &viewer(visit)?,
        csrf: &visit.csrf(),
    };
    let title = format!("{} · Accounts · IAM", views::title(act, done.len()));
    let status = if form.has_problems() { 422 } else { 200 };
    let page = Page::new(&title, Place::Iam).with_errors(form.has_problems());
    layout::page(visit, status, &page, &views::confirm(&confirm))
}

/// What those that were left out are called; another organisation's is none.
fn labels(
    visit: &Visit<'_>,
    by: &Allowed<ManageAccounts>,
    ids: &[AccountId],
) -> Result<Vec<String>> {
    visit.read(|read| {
        ids.iter()
            .map(|id| {
                let account = accounts::find_in(read, by.organisation(), *id)?;
                Ok(account.ok_or(Error::NotFound)?.label())
            })
            .collect()
    })
}

/// "3 of 5 accounts are disabled and signed out. Left out: Olivia Berg, Max Lie."
fn told(act: Act, result: &Done, others: &[String]) -> String {
    let stopped: Vec<String> = result
        .left_out
        .iter()
        .map(|(account, _)| account.label())
        .collect();
    let left = stopped.len() + others.len();
    let done = result.done.len();
    let what = match (act, done) {
        (Act::Resend, 1) => "invitation is resent",
        (Act::Resend, _) => "invitations are resent",
        (Act::Disable, 1) => "account is disabled and signed out everywhere",
        (Act::Disable, _) => "accounts are disabled and signed out everywhere",
        (Act::SignOut, 1) => "account is signed out everywhere",
        (Act::SignOut, _) => "accounts are signed out everywhere",
    };
    let how_many = match (done, left, result.done.first().map(Account::label)) {
        (1, 0, Some(label)) if act != Act::Resend => {
            return match act {
                Act::Disable => format!("{label} is disabled and signed out everywhere."),
                Act::Resend | Act::SignOut => format!("{label} is signed out everywhere."),
            };
        }
        (count, 0, _) => count.to_string(),
        (count, left, _) => format!("{count} of {}", count + left),
    };
    if left == 0 {
        return format!("{how_many} {what}.");
    }
    // Those that were stopped only now come with the reason: it stood on no page before.
    let mut named: Vec<String> = Vec::new();
    if let Some((_, why)) = result.left_out.first() {
        named.push(format!(
            "{} ({})",
            names(&stopped),
            why.trim_end_matches('.')
        ));
    }
    if !others.is_empty() {
        named.push(names(others));
    }
    format!("{how_many} {what}. Left out: {}.", named.join(", "))
}

/// As many names as a message has room for.
fn names(labels: &[String]) -> String {
    let mut named = String::new();
    for (at, label) in labels.iter().enumerate() {
        if named.len() + label.len() > NAMES_MAX {
            let rest = labels.len() - at;
            return match at {
                0 => format!("{rest} accounts"),
                _ => format!("{named} and {rest} more"),
            };
        }
        if at > 0 {
            named.push_str(", ");
        }
        named.push_str(label);
    }
    named
}
