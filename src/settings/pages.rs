//! The settings of an organisation: one page, on which each section is saved by itself.

use crate::accounts;
use crate::backups;
use crate::billing::{self, ADDRESS_FIELD, CONTACT_FIELD, Details, VAT_NUMBER_FIELD};
use crate::domain::domains::Domains;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::policy::{GRACE_MAX, Level, Policies, Policy, Protection, Trust};
use crate::domain::role::{Managers, Role};
use crate::error::{Error, Result};
use crate::kit::db::Read;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::migrations;
use crate::organisations::{self, Organisation};
use crate::ownership;
use crate::routes::Route;
use crate::scope::{Allowed, ManageOrganisation};
use crate::settings;
use crate::settings::views::{
    self, About, AllowedDomains, Billing, CONFIRM_FIELD, DOMAINS_FIELD, General, ONLY_MASTERS,
    Security, TRUST_FIELD, TwoFactor, policy_fields,
};
use crate::setup::pages::zones;
use crate::two_factor;
use crate::visit::Visit;
use crate::watch;

/// What changes nothing is no deed, and said so.
const NOTHING: &str = "Nothing to save: it is so already.";
const NO_CONTACT: &str = "Invoices go to an Active account that manages billing. Choose another.";

/// What was sent to a section and could not be taken; the other sections show how things are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refused<'f> {
    /// To name and time zone.
    pub general: Option<&'f Form>,
    /// To the two-factor policy.
    pub policy: Option<&'f Form>,
    /// To whose addresses may be invited.
    pub domains: Option<&'f Form>,
    /// To what stands on invoices.
    pub billing: Option<&'f Form>,
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
    let zone = visit.zone();
    let about = about(visit, by.organisation())?;
    let (organisation, active, facts, policies, without, backup, bill, outside) =
        visit.read(|read| {
            let organisation = organisations::get(read, by.organisation())?;
            let mut active = Vec::new();
            for role in Role::ALL {
                let counts = accounts::counts_with(read, organisation.id, Some(role), None)?;
                active.push((role, counts.active));
            }
            let facts = ownership::pages::facts(read, visit, &organisation)?;
            let policies = organisations::policies(read, organisation.id)?;
            let without = two_factor::without(read, organisation.id)?;
            let backup = backups::state(read, &visit.app.settings.backups)?;
            let bill = bill(read, &organisation, refused.billing)?;
            let outside = match organisation.domains.is_empty() {
                true => (Vec::new(), 0),
                false => {
                    accounts::outside(read, organisation.id, &organisation.domains, OUTSIDE_MAX)?
                }
            };
            Ok((
                organisation,
                active,
                facts,
                policies,
                without,
                backup,
                bill,
                outside,
            ))
        })?;
    let csrf = visit.csrf();
    let zones = zones_with(&organisation.time_zone);
    let general = General {
        name: organisation.name.as_str(),
        address: &bill.details.address,
        vat_number: &bill.details.vat_number,
        time_zone: &organisation.time_zone,
        zones: &zones,
        refused: refused.general,
    };
    let security = Security {
        managers: organisation.managers,
        admins: active
            .iter()
            .find(|(role, _)| *role == Role::Admin)
            .map_or(0, |(_, count)| *count),
    };
    let domains = AllowedDomains {
        domains: &organisation.domains,
        outside: (&outside.0, outside.1),
        refused: refused.domains,
    };
    let two_factor = TwoFactor {
        policies: &policies,
        trust: organisation.trust,
        active: &active,
        without: &without,
        refused: refused.policy,
        now: visit.now,
        zone: &zone,
    };
    let sections = [
        views::general(&general, &csrf),
        maud::html! {
            h3 { "Two-factor" }
            (views::two_factor(&two_factor, &csrf))
            h3 { "Who manages users" }
            (views::security(&security, &csrf))
            h3 { "Email domains" }
            (views::allowed_domains(&domains, &csrf))
        },
        views::billing(&bill, &csrf),
        views::backup(&backup),
        views::about(&about, &zone),
        ownership::views::section(&facts, refused.ownership, &csrf),
    ];
    let forms = [
        refused.general,
        refused.policy,
        refused.domains,
        refused.billing,
        refused.ownership,
    ];
    let has_errors = forms.into_iter().flatten().any(Form::has_problems);
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

/// What is known of the Portal itself, as of now.
fn about(visit: &Visit<'_>, organisation: OrganisationId) -> Result<About> {
    let health = watch::ready(visit.app);
    let sizes = visit.app.db().sizes()?;
    // Where there are others, it would tell how much they do.
    let is_only_one = visit.read(|read| Ok(organisations::is_only_one(read, organisation)?))?;
    let bytes = i64::try_from(sizes.file.saturating_add(sizes.wal)).unwrap_or(i64::MAX);
    Ok(About {
        version: env!("CARGO_PKG_VERSION"),
        licence: env!("CARGO_PKG_LICENSE"),
        schema: migrations::VERSION,
        bytes: is_only_one.then_some(bytes),
        started_at: visit.app.started_at(),
        troubles: [health.failed, health.degraded].concat(),
        now: visit.now,
    })
}

/// Name and time zone, and what stands of the organisation on invoices.
pub fn save_general(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let mut form = visit.form(&["organisation", ADDRESS_FIELD, VAT_NUMBER_FIELD, "timezone"])?;
    let name = form.check("organisation", organisations::name);
    let time_zone = form.check("timezone", organisations::time_zone);
    // What was not sent at all stays as it is; only an empty field empties it.
    let is_sent = |field| visit.body.get(field).is_some();
    let (has_address, has_vat_number) = (is_sent(ADDRESS_FIELD), is_sent(VAT_NUMBER_FIELD));
    let address = form.check(ADDRESS_FIELD, billing::address);
    let vat_number = form.check(VAT_NUMBER_FIELD, billing::vat_number);
    let (Some(name), Some(time_zone), Some(address), Some(vat_number)) =
        (name, time_zone, address, vat_number)
    else {
        let refused = Refused {
            general: Some(&form),
            ..Refused::default()
        };
        return draw(visit, 422, refused);
    };
    let saved = visit.write_if(|tx| {
        let renamed = settings::rename(tx, &by, &name)?;
        let moved = settings::move_to(tx, &by, &time_zone)?;
        let mut details = billing::details(tx, by.organisation())?;
        if has_address {
            details.address.clone_from(&address);
        }
        if has_vat_number {
            details.vat_number.clone_from(&vat_number);
        }
        let detailed = billing::set_details(tx, &by, &details)?;
        let what = (renamed.is_some(), moved.is_some(), detailed.is_some());
        let done = renamed.or(moved).or(detailed);
        Ok(done.map(|audited| audited.map(|()| what)))
    })?;
    let Some((is_renamed, is_moved, is_detailed)) = saved else {
        return Ok(visit.redirect_with(&Route::Settings, NOTHING));
    };
    let named = match (is_renamed, is_moved) {
        (true, true) => Some(format!(
            "The organisation is now called {name}, and times are those of {time_zone}."
        )),
        (true, false) => Some(format!("The organisation is now called {name}.")),
        (false, true) => Some(format!("Times are now those of {time_zone}.")),
        (false, false) => None,
    };
    let detailed = is_detailed.then(|| {
        "Address and VAT number are saved. They stand on every invoice from the next on.".to_owned()
    });
    let said: Vec<String> = named.into_iter().chain(detailed).collect();
    Ok(visit.redirect_with(&Route::Settings, &said.join(" ")))
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

/// So many of those whose address is of another domain are named.
const OUTSIDE_MAX: i64 = 20;
/// So many of those whom a policy meets are named.
const MET_MAX: i64 = 50;

/// What each role is asked for besides the password. Where it becomes stricter for somebody who has no second factor, a
/// page says whom it meets before anything is saved.
pub fn save_policy(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let fields = Role::ALL.map(policy_fields);
    let known: Vec<&str> = fields
        .iter()
        .flat_map(|(level, days)| [*level, *days])
        .chain([TRUST_FIELD, CONFIRM_FIELD])
        .collect();
    let mut form = visit.form(&known)?;
    let trust = match form.typed(TRUST_FIELD) {
        "" => Trust::Off,
        "yes" => Trust::Offered,
        _ => return Err(Error::Malformed("There is no such switch.")),
    };
    let before = visit.read(|read| Ok(organisations::policies(read, by.organisation())?))?;
    let mut wanted = Vec::new();
    for role in Role::ALL {
        wanted.push(policy(&mut form, role, before.of(role))?);
    }
    let mut wanted = wanted.into_iter();
    let wanted = Policies::each(|role| {
        let one = wanted.next().flatten();
        one.unwrap_or_else(|| before.of(role))
    });
    if form.has_problems() {
        let refused = Refused {
            policy: Some(&form),
            ..Refused::default()
        };
        return draw(visit, 422, refused);
    }
    let is_confirmed = match form.typed(CONFIRM_FIELD) {
        "" => false,
        "yes" => true,
        _ => return Err(Error::Malformed("A confirmation sends yes, or nothing.")),
    };
    if !is_confirmed && let Some(preview) = preview(visit, &by, (&before, &wanted), &form)? {
        return Ok(preview);
    }
    let saved = visit.write_if(|tx| {
        let was = (
            organisations::policies(tx, by.organisation())?,
            organisations::get(tx, by.organisation())?.trust,
        );
        let done = settings::set_policies(tx, &by, &wanted, trust)?;
        Ok(done.map(|audited| audited.map(|()| was)))
    })?;
    let message = match saved {
        Some((was, was_trust)) => views::saved((&was, was_trust), (&wanted, trust)),
        None => NOTHING.to_owned(),
    };
    Ok(visit.redirect_with(&Route::Settings, &message))
}

/// One role's policy, as it was typed. Days are needed only where they are counted; what is typed must be right all the
/// same.
fn policy(form: &mut Form, role: Role, before: Policy) -> Result<Option<Policy>> {
    let (level_field, days_field) = policy_fields(role);
    let level = Level::from_slug(form.typed(level_field))
        .ok_or(Error::Malformed("There is no such level."))?;
    let days = form.check(days_field, |typed| match (typed.trim(), level) {
        ("", Level::Off | Level::Recommended) => Ok(before.grace_days),
        (typed, _) => days(typed).ok_or_else(|| format!("Give whole days from 0 to {GRACE_MAX}.")),
    });
    Ok(days.map(|grace_days| Policy { level, grace_days }))
}

/// Days of grace in plain digits.
fn days(typed: &str) -> Option<u8> {
    let is_plain = typed.bytes().all(|byte| byte.is_ascii_digit());
    let days = typed.parse().ok()?;
    (is_plain && days <= GRACE_MAX).then_some(days)
}

/// The page that says whom it meets; none when nobody is.
fn preview(
    visit: &Visit<'_>,
    by: &Allowed<ManageOrganisation>,
    (before, wanted): (&Policies, &Policies),
    form: &Form,
) -> Result<Option<Response>> {
    let stricter: Vec<Role> = Role::ALL
        .into_iter()
        .filter(|role| wanted.of(*role).is_stricter_than(before.of(*role)))
        .collect();
    let (without, mut met) = visit.read(|read| {
        Ok((
            two_factor::without(read, by.organisation())?,
            two_factor::met(read, by.organisation(), &stricter, MET_MAX)?,
        ))
    })?;
    let roles: Vec<(Role, Policy, i64)> = stricter
        .iter()
        .filter_map(|role| without.iter().find(|one| one.role == *role))
        .map(|one| (one.role, wanted.of(one.role), one.count))
        .collect();
    let count = roles.iter().map(|(_, _, count)| count).sum();
    if count == 0 {
        return Ok(None);
    }
    let scope = visit.signed_in()?;
    let reader = scope.account;
    // Whoever saves it is named first, however many there are.
    if scope.protection != Protection::On && stricter.contains(&scope.role) {
        let own = visit.read(|read| Ok(accounts::find_in(read, by.organisation(), reader)?))?;
        met.retain(|account| account.id != reader);
        met.splice(0..0, own);
        met.truncate(usize::try_from(MET_MAX).unwrap_or_default());
    }
    let preview = views::Preview {
        roles: &roles,
        met: &met,
        count,
        reader,
        form,
        now: visit.now,
        zone: &visit.zone(),
    };
    let page = Page::new("Whom this meets · Settings", Place::Settings);
    let body = views::preview(&preview, &visit.csrf());
    layout::page(visit, 200, &page, &body).map(Some)
}

/// What stands on invoices, and who may get them.
fn bill<'f>(
    read: &Read<'_>,
    organisation: &Organisation,
    refused: Option<&'f Form>,
) -> Result<Billing<'f>> {
    let details = billing::details(read, organisation.id)?;
    let people = billing::people(read, organisation.id)?;
    let owner = accounts::find(read, organisation.owner)?.ok_or(Error::NotFound)?;
    let chosen = match details.contact {
        Some(id) => accounts::find_in(read, organisation.id, id)?,
        None => None,
    };
    let lost = chosen.filter(|one| !billing::looks_after(one, organisation.managers));
    Ok(Billing {
        details,
        owner,
        people,
        lost,
        refused,
    })
}

/// Who gets the invoices.
pub fn save_billing(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let mut form = visit.form(&[CONTACT_FIELD])?;
    let contact = contact(form.typed(CONTACT_FIELD))?;
    if !visit.read(|read| may_be_contact(read, &by, contact))? {
        form.problem(CONTACT_FIELD, NO_CONTACT);
        let refused = Refused {
            billing: Some(&form),
            ..Refused::default()
        };
        return draw(visit, 422, refused);
    };
    let saved = visit.write_if(|tx| {
        let details = Details {
            contact,
            ..billing::details(tx, by.organisation())?
        };
        billing::set_details(tx, &by, &details)
    })?;
    let message = match saved {
        Some(()) => "The billing contact is saved: invoices go there from the next on.",
        None => NOTHING,
    };
    Ok(visit.redirect_with(&Route::Settings, message))
}

/// Whoever was chosen to get the invoices; none: the owner.
fn contact(typed: &str) -> Result<Option<AccountId>> {
    match typed {
        "" => Ok(None),
        id => id
            .parse()
            .map(Some)
            .map_err(|_| Error::Malformed("There is no such account.")),
    }
}

/// Whoever looks after the bill may get it, and whoever was chosen before stays so until another is.
fn may_be_contact(
    read: &Read<'_>,
    by: &Allowed<ManageOrganisation>,
    contact: Option<AccountId>,
) -> Result<bool> {
    let Some(contact) = contact else {
        return Ok(true);
    };
    let before = billing::details(read, by.organisation())?.contact;
    let people = billing::people(read, by.organisation())?;
    Ok(before == Some(contact) || people.iter().any(|one| one.id == contact))
}

/// Whose addresses may be invited.
pub fn save_domains(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ManageOrganisation>()?;
    let mut form = visit.form(&[DOMAINS_FIELD])?;
    let Some(domains) = form.check(DOMAINS_FIELD, Domains::typed) else {
        let refused = Refused {
            domains: Some(&form),
            ..Refused::default()
        };
        return draw(visit, 422, refused);
    };
    let saved = visit.write_if(|tx| settings::set_domains(tx, &by, &domains))?;
    let message = match saved {
        Some(()) if domains.is_empty() => "Addresses of any domain may be invited.".to_owned(),
        Some(()) => format!(
            "From now on only addresses at {} may be invited.",
            domains.named()
        ),
        None => NOTHING.to_owned(),
    };
    Ok(visit.redirect_with(&Route::Settings, &message))
}
