//! The first run: one form behind a one-time link. Once any organisation exists none of it is there.

use crate::domain::email::Email;
use crate::domain::text::PersonName;
use crate::domain::token::Token;
use crate::error::{Error, Result};
use crate::kit::folder;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::organisations;
use crate::passwords::pages::{chosen, hashed};
use crate::setup::{self, Founding, LINK_FILE, views};
use crate::visit::Visit;

/// What the form sends.
const FIELDS: [&str; 6] = [
    "organisation",
    "name",
    "email",
    "timezone",
    "password",
    "password_confirmation",
];

/// The parts of the world that name their zones by places; the rest of the data are other spellings.
const AREAS: [&str; 10] = [
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
];

/// Where to find the link.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    check_first_run(visit)?;
    let page = Page::new("Set up", Place::Elsewhere);
    layout::page(visit, 200, &page, &views::where_to_look())
}

fn check_first_run(visit: &Visit<'_>) -> Result<()> {
    if visit.read(|read| Ok(organisations::any_exists(read)?))? {
        return Err(Error::NotFound);
    }
    Ok(())
}

/// The form, if the link is good.
pub fn new(visit: &Visit<'_>, token: &str) -> Result<Response> {
    check_first_run(visit)?;
    match open(visit, token)? {
        Some(_) => draw(visit, 200, token, &Form::default()),
        None => not_valid(visit),
    }
}

fn open(visit: &Visit<'_>, token: &str) -> Result<Option<Token>> {
    let found = visit.link(token, |read, token| {
        Ok(setup::is_open(read, token)?.then_some(()))
    });
    match found {
        Ok((token, ())) => Ok(Some(token)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn not_valid(visit: &Visit<'_>) -> Result<Response> {
    let page = Page::new("Set up", Place::Elsewhere);
    layout::page(visit, 404, &page, &views::not_valid())
}

fn draw(visit: &Visit<'_>, status: u16, token: &str, form: &Form) -> Result<Response> {
    let data = visit.app.settings.data.display().to_string();
    let relay = visit.app.way_out();
    let facts = views::facts(&views::Facts {
        version: env!("CARGO_PKG_VERSION"),
        data: &data,
        relay: relay.as_deref(),
    });
    let page = Page::new("Set up", Place::Elsewhere)
        .with_errors(form.has_problems())
        .beside(&facts);
    let set_up = views::SetUp {
        token,
        form,
        zones: &zones(),
    };
    let body = views::set_up(&set_up, &visit.csrf());
    layout::page(visit, status, &page, &body)
}

/// The names of the bundled time zones, UTC first.
#[must_use]
pub fn zones() -> Vec<String> {
    let mut zones: Vec<String> = jiff::tz::db()
        .available()
        .map(|zone| zone.to_string())
        .filter(|zone| AREAS.iter().any(|area| zone.starts_with(area)))
        .collect();
    zones.sort_unstable();
    zones.insert(0, "UTC".to_owned());
    zones
}

/// Founds the organisation and its Active owner; of two tabs one wins, and for the other there is nothing here.
pub fn create(visit: &Visit<'_>, token: &str) -> Result<Response> {
    let mut form = visit.form(&FIELDS)?;
    check_first_run(visit)?;
    let Some(secret) = open(visit, token)? else {
        visit.record_refusal("not-found")?;
        return not_valid(visit);
    };
    let organisation = form.check("organisation", organisations::name);
    let name = form.get::<PersonName>("name");
    let email = form.get::<Email>("email");
    let about = [
        email.as_ref().map_or("", Email::local),
        name.as_ref().map_or("", PersonName::as_str),
    ];
    let password = chosen(&mut form, &about);
    let time_zone = form.check("timezone", organisations::time_zone);
    let (Some(organisation), Some(name), Some(email), Some(password), Some(time_zone)) =
        (organisation, name, email, password, time_zone)
    else {
        return draw(visit, 422, token, &form);
    };
    let founding = Founding {
        organisation,
        time_zone,
        name,
        email,
        hash: hashed(visit, &password)?,
    };
    let email = visit.write(|tx| setup::found(tx, &visit.by(), &secret, &founding))?;
    forget_link(visit);
    let said = format!("{} is set up. Sign in.", founding.organisation);
    Ok(visit.to_sign_in(&email, &said))
}

/// The link is dead; the file that holds it is of no use any more.
fn forget_link(visit: &Visit<'_>) {
    if let Err(error) = folder::remove(&visit.app.settings.data.join(LINK_FILE)) {
        tracing::warn!(err = %error, "the file of the set-up link could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_on_offer_is_taken_and_the_worlds_browsers_find_theirs() {
        let zones = zones();
        assert_eq!(zones.first().map(String::as_str), Some("UTC"));
        for zone in &zones {
            assert!(organisations::time_zone(zone).is_ok(), "{zone}");
        }
        // Browsers name some zones by their older names.
        for zone in [
            "Europe/Oslo",
            "Asia/Calcutta",
            "Asia/Kolkata",
            "Europe/Kiev",
            "America/Argentina/Ushuaia",
        ] {
            assert!(zones.iter().any(|known| known == zone), "{zone}");
        }
        assert!(!zones.iter().any(|zone| zone.starts_with("Etc/")));
    }
}
