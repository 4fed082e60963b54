//! The page that a deleted account leaves, and erasing what is left of it.

use super::views::{self, Confirm, NAME_FIELD, Tombstone};
use super::{erasable, left};
use crate::accounts::pages::{held, viewer};
use crate::accounts::{Account, Status};
use crate::audit;
use crate::domain::id::AccountId;
use crate::domain::role::Permission;
use crate::erasing;
use crate::error::{Error, Result};
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::routes::Route;
use crate::scope::{Allowed, ManageOrganisation, ReadAccount};
use crate::sessions::pages::{asked, prove};
use crate::sessions::views::PROOF_FIELD;
use crate::visit::Visit;

/// Events on the page of a deleted account.
const ACTIVITY_MAX: i64 = 20;
/// Steps of taking the words of erased texts out of the file within the request; the background thread goes on with more.
const SCRUBS_MAX: usize = 20;

/// What a deleted account leaves: its name, when it was deleted and by whom, and the way to erase that too.
pub fn tombstone(
    visit: &Visit<'_>,
    by: &Allowed<ReadAccount>,
    account: &Account,
) -> Result<Response> {
    let Status::Deleted { at } = account.status else {
        return Err(Error::NotFound);
    };
    let viewer = viewer(visit)?;
    let tombstone = visit.read(|read| {
        Ok(Tombstone {
            account: account.clone(),
            deleted_at: at,
            left: left(read, account)?,
            may_erase: by.permissions().has(Permission::OrganisationManage).into(),
            held: held(read, by, account.id)?,
            activity: audit::about(
                read,
                by.organisation(),
                account.id,
                viewer.account,
                ACTIVITY_MAX,
            )?,
            now: visit.now,
            zone: visit.zone(),
        })
    })?;
    let title = format!("{} · Accounts", account.label());
    let body = views::tombstone(&tombstone);
    layout::page(visit, 200, &Page::new(&title, Place::Iam), &body)
}

/// What erasing does.
pub fn confirm(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    ask(visit, &by, id, &Form::default())
}

fn ask(
    visit: &Visit<'_>,
    by: &Allowed<ManageOrganisation>,
    id: AccountId,
    form: &Form,
) -> Result<Response> {
    let account = visit.read(|read| erasable(read, by, id))?;
    let keep = visit
        .app
        .settings
        .backups
        .at
        .map(|_| visit.app.settings.backups.keep);
    let body = views::confirm(&Confirm {
        account: &account,
        asked: asked(visit)?,
        backups: keep,
        form,
        csrf: &visit.csrf(),
    });
    let status = if form.has_problems() { 422 } else { 200 };
    let page = Page::new("Erase personal data · IAM", Place::Iam).with_errors(form.has_problems());
    layout::page(visit, status, &page, &body)
}

/// Erases it, once the name was typed.
pub fn erase(visit: &Visit<'_>, id: AccountId) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let mut form = visit.form(&[NAME_FIELD, PROOF_FIELD])?;
    let account = visit.read(|read| erasable(read, &by, id))?;
    let word = views::word(&account);
    if form.typed(NAME_FIELD).trim() != word {
        form.problem(NAME_FIELD, format!("Type {word}, letter for letter."));
    }
    let is_proven = prove(visit, &mut form)?.is_some();
    if !is_proven || form.has_problems() {
        return ask(visit, &by, id, &form);
    }
    let mut texts = 0;
    loop {
        let erased = visit.write(|tx| erasing::erase(tx, &by, id))?;
        texts += erased.texts;
        if !erased.is_more {
            break;
        }
    }
    visit.app.owe_scrub();
    for _ in 0..SCRUBS_MAX {
        if visit.app.scrub(visit.now)? {
            break;
        }
    }
    let message = match texts {
        0 => "The personal data of this account is erased.".to_owned(),
        1 => "The personal data of this account is erased, 1 text of the audit log among it."
            .to_owned(),
        texts => format!(
            "The personal data of this account is erased, {texts} texts of the audit log among it."
        ),
    };
    Ok(visit.redirect_with(&Route::Account(id), &message))
}
