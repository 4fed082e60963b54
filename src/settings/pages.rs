//! The settings of an organisation: one page, on which each section is saved by itself.

use crate::accounts;
use crate::domain::role::{Managers, Role};
use crate::error::{Error, Result};
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::organisations;
use crate::ownership;
use crate::routes::Route;
use crate::scope::ManageOrganisation;
use crate::settings;
use crate::settings::views::{self, General, ONLY_MASTERS, Security};
use crate::setup::pages::zones;
use crate::visit::Visit;

/// What changes nothing is no deed, and said so.
const NOTHING: &str = "Nothing to save: it is so already.";

/// What was sent to a section and could not be taken; the other sections show how things are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refused<'f> {
    /// To name and time zone.
    pub general: Option<&'f Form>,
    /// To the ownership.
    pub ownership: Option<&'f Form>,
}

/// All of them.
pub fn show(visit: &Visit<'_>) -> Result<Response> {
    draw(visit, 200, Refused::default())
}

/// The page, with what was refused at its place.
pub fn draw(visit: &Visit<'_>, status: u16, refused: Refused<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let (organisation, admins, facts) = visit.read(|read| {
        let organisation = organisations::get(read, by.organisation())?;
        let admins = accounts::counts_with(read, organisation.id, Some(Role::Admin), None)?.active;
        let facts = ownership::pages::facts(read, visit, &organisation)?;
        Ok((organisation, admins, facts))
    })?;
    let csrf = visit.csrf();
    let zones = zones_with(&organisation.time_zone);
    let general = General {
        name: organisation.name.as_str(),
        time_zone: &organisation.time_zone,
        zones: &zones,
        refused: refused.general,
    };
    let security = Security {
        managers: organisation.managers,
        admins,
    };
    let sections = [
        views::general(&general, &csrf),
        views::security(&security, &csrf),
        ownership::views::section(&facts, refused.ownership, &csrf),
    ];
    let has_errors = [refused.general, refused.ownership]
        .into_iter()
        .flatten()
        .any(Form::has_problems);
    let page = Page::new("Settings", Place::Settings).with_errors(has_errors);
    layout::page(
        visit,
        status,
        &page,
        &views::page(&organisation.name, &sections),
    )
}

/// The zones on offer, and the one that is set: the command line takes names that no form offers.
fn zones_with(set: &str) -> Vec<String> {
    let mut zones = zones();
    if !zones.iter().any(|zone| zone == set) {
        zones.insert(0, set.to_owned());
    }
    zones
}

/// Name and time zone.
pub fn save_general(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let mut form = visit.form(&["organisation", "timezone"])?;
    let name = form.check("organisation", organisations::name);
    let time_zone = form.check("timezone", organisations::time_zone);
    let (Some(name), Some(time_zone)) = (name, time_zone) else {
        let refused = Refused {
            general: Some(&form),
            ..Refused::default()
        };
        return draw(visit, 422, refused);
    };
    let saved = visit.write_if(|tx| {
        let renamed = settings::rename(tx, &by, &name)?;
        let moved = settings::move_to(tx, &by, &time_zone)?;
        let what = (renamed.is_some(), moved.is_some());
        Ok(renamed.or(moved).map(|audited| audited.map(|()| what)))
    })?;
    let message = match saved {
        Some((true, true)) => {
            format!("The organisation is now called {name}, and times are those of {time_zone}.")
        }
        Some((true, false)) => format!("The organisation is now called {name}."),
        Some((false, _)) => format!("Times are now those of {time_zone}."),
        None => NOTHING.to_owned(),
    };
    Ok(visit.redirect_with(&Route::Settings, &message))
}

/// Who manages users.
pub fn save_security(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let form = visit.form(&[ONLY_MASTERS])?;
    let managers = match form.typed(ONLY_MASTERS) {
        "" => Managers::Admins,
        "yes" => Managers::Masters,
        _ => return Err(Error::Malformed("There is no such switch.")),
    };
    let saved = visit.write_if(|tx| settings::set_managers(tx, &by, managers))?;
    let message = match (saved, managers) {
        (Some(()), Managers::Masters) => "Only Masters manage users now. Admins are signed out.",
        (Some(()), Managers::Admins) => "Admins manage users again, from their next sign-in on.",
        (None, _) => NOTHING,
    };
    Ok(visit.redirect_with(&Route::Settings, message))
}

/// What each role is asked for besides the password.
pub fn save_policy(visit: &Visit<'_>) -> Result<Response> {
    visit.allow::<ManageOrganisation>()?;
    Err(Error::NotFound)
}
