//! The help pages.

use crate::error::Result;
use crate::help::views;
use crate::kit::http::response::Response;
use crate::kit::time::HOUR;
use crate::layout::{self, Page, Place};
use crate::routes::HelpTopic;
use crate::scope::Scope;
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
        HelpTopic::TwoFactorSecurity => views::two_factor_security(),
    };
    layout::page(
        visit,
        200,
        &Page::new(topic.title(), Place::Elsewhere),
        &body,
    )
}
