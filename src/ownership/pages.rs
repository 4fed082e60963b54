//! Offering, taking back, accepting and declining the ownership: forms of the settings page.
//!
//! The password is asked for again where something moves; the session then goes on under a new cookie.

use super::views::{Facts, Heir, Part};
use super::{TO_FIELD, check_offered, check_owner, owned_since};
use crate::accounts::{self, Account};
use crate::domain::id::AccountId;
use crate::error::{Error, Result};
use crate::kit::db::Read;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::organisations::Organisation;
use crate::ownership;
use crate::routes::Route;
use crate::scope::ManageOrganisation;
use crate::sessions::pages::{asked, prove};
use crate::sessions::views::PROOF_FIELD;
use crate::settings::pages::{Refused, draw};
use crate::visit::Visit;

/// How the ownership stands, for whoever looks.
pub fn facts(read: &Read<'_>, visit: &Visit<'_>, organisation: &Organisation) -> Result<Facts> {
    let reader = visit.signed_in()?.account;
    let label = |id: AccountId| -> Result<String> {
        let account = accounts::find(read, id)?.ok_or(Error::NotFound)?;
        Ok(account.label())
    };
    let part = match organisation.offer {
        Some(offer) if offer.to == reader => Part::Heir(offer.at),
        Some(offer) if organisation.owner == reader => Part::Offering(label(offer.to)?, offer.at),
        Some(offer) => Part::Bystander(Some((label(offer.to)?, offer.at))),
        None if organisation.owner == reader => {
            let masters = accounts::masters_beside(read, organisation.id, reader)?;
            Part::Owner(masters.iter().map(heir).collect())
        }
        None => Part::Bystander(None),
    };
    Ok(Facts {
        organisation: organisation.name.clone(),
        owner: label(organisation.owner)?,
        since: owned_since(read, organisation)?,
        part,
        asked: asked(visit)?,
        now: visit.now,
        zone: visit.zone(),
    })
}

fn heir(account: &Account) -> Heir {
    Heir {
        id: account.id,
        label: account.label(),
        email: account
            .email
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// Offers it.
pub fn offer(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let mut form = visit.form(&[TO_FIELD, PROOF_FIELD])?;
    visit.read(|read| check_owner(read, &by))?;
    let to = chosen(&mut form)?;
    let proof = prove(visit, &mut form)?;
    let (Some(to), Some(proof)) = (to, proof) else {
        return refuse(visit, &form);
    };
    let offered = visit.write_if(|tx| ownership::offer(tx, &by, &proof, to));
    match offered {
        Ok(Some(heir)) => {
            let how = if visit.app.mailer().is_some() {
                "A mail tells them."
            } else {
                "Their dashboard tells them; mail is off."
            };
            let message = format!("The ownership is offered to {}. {how}", heir.label());
            Ok(done(visit, &message))
        }
        Ok(None) => Ok(done(visit, "The ownership is offered to them already.")),
        Err(Error::Invalid { field, sentence }) => {
            form.problem(field, sentence);
            refuse(visit, &form)
        }
        Err(error) => Err(error),
    }
}

/// To whom. Our page sends an id, or nothing where nobody was chosen.
fn chosen(form: &mut Form) -> Result<Option<AccountId>> {
    let typed = form.typed(TO_FIELD);
    if typed.is_empty() {
        form.problem(TO_FIELD, "Choose a Master.");
        return Ok(None);
    }
    let id = typed
        .parse()
        .map_err(|()| Error::Malformed("There is no such account."))?;
    Ok(Some(id))
}

fn refuse(visit: &Visit<'_>, form: &Form) -> Result<Response> {
    let refused = Refused {
        ownership: Some(form),
        ..Refused::default()
    };
    draw(visit, 422, refused)
}

/// Back to the settings, which say what happened.
fn done(visit: &Visit<'_>, message: &str) -> Response {
    visit.redirect_with(&Route::Settings, message)
}

/// Takes the offer back.
pub fn withdraw(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    visit.form(&[])?;
    visit.write(|tx| ownership::withdraw(tx, &by))?;
    Ok(done(
        visit,
        "The offer is withdrawn. You own the organisation as before.",
    ))
}

/// Takes the ownership.
pub fn accept(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let mut form = visit.form(&[PROOF_FIELD])?;
    visit.read(|read| check_offered(read, &by))?;
    let Some(proof) = prove(visit, &mut form)? else {
        return refuse(visit, &form);
    };
    let scope = visit.signed_in()?;
    visit.write(|tx| ownership::accept(tx, &by, &proof))?;
    let message = format!("You own {} now.", scope.organisation_name);
    Ok(done(visit, &message))
}

/// Does not.
pub fn decline(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    visit.form(&[])?;
    visit.write(|tx| ownership::decline(tx, &by))?;
    Ok(done(visit, "You declined the ownership."))
}
