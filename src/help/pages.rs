//! The help pages.

use maud::Markup;

use crate::error::{Error, Result};
use crate::help::views;
use crate::kit::http::response::Response;
use crate::kit::time::{DAY, HOUR, MINUTE};
use crate::layout::{self, Page, Place};
use crate::organisations;
use crate::routes::HelpTopic;
use crate::scope::Scope;
use crate::sessions;
use crate::two_factor;
use crate::visit::Visit;

/// One topic.
pub fn show(visit: &Visit<'_>, topic: HelpTopic) -> Result<Response> {
    let body = match topic {
        HelpTopic::AddASubAccount => views::add_a_sub_account(&views::Facts {
            brand: &visit.app.settings.brand,
            link_hours: visit.app.settings.terms.ttl / HOUR,
            permissions: visit.scope().map(|scope: &Scope| scope.permissions),
            managers: visit
                .scope()
                .map(|scope| scope.managers)
                .unwrap_or_default(),
        }),
        HelpTopic::SubAccountPermissions => {
            views::sub_account_permissions(&views::PermissionFacts {
                brand: &visit.app.settings.brand,
                reader: visit.scope().map(|scope: &Scope| views::PermissionReader {
                    organisation: scope.organisation_name.as_str(),
                    role: scope.role,
                    permissions: scope.permissions,
                    managers: scope.managers,
                }),
            })
        }
        HelpTopic::TwoFactorSecurity => two_factor_security(visit)?,
    };
    layout::page(
        visit,
        200,
        &Page::new(topic.title(), Place::Elsewhere),
        &body,
    )
}

/// For whoever is signed in, must set up, or owes the code, and for strangers.
fn two_factor_security(visit: &Visit<'_>) -> Result<Markup> {
    let draw = |reader| {
        views::two_factor_security(&views::TwoFactorFacts {
            brand: &visit.app.settings.brand,
            trust_days: sessions::TRUST_TTL / DAY,
            key_minutes: two_factor::ENROLMENT_TTL / MINUTE,
            reader,
        })
    };
    let who = match visit.enroller() {
        Ok(who) => who,
        Err(Error::CodeFirst) => return Ok(draw(views::Reader::Half)),
        Err(_) => return Ok(draw(views::Reader::Stranger)),
    };
    let (organisation, policies) = visit.read(|read| {
        let organisation = organisations::get(read, who.organisation)?;
        Ok((
            organisation,
            organisations::policies(read, who.organisation)?,
        ))
    })?;
    Ok(draw(views::Reader::Known(views::KnownReader {
        organisation: organisation.name.as_str(),
        role: who.role,
        is_owner: organisation.owner == who.account,
        protection: who.protection,
        policy: policies.of(who.role),
        trust: organisation.trust,
        managers: organisation.managers,
        now: visit.now,
        zone: &visit.zone(),
    })))
}
