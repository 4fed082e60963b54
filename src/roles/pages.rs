//! The roles, and the page of each.

use maud::html;

use crate::accounts::views::{self as accounts_views, Tab};
use crate::accounts::{self, Filter, Sort};
use crate::domain::role::Role;
use crate::error::Result;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::roles::views::{self, Holder, Holders};
use crate::scope::ListAccounts;
use crate::visit::Visit;

/// Names on the page of one role.
const HOLDERS_MAX: i64 = 10;

/// The four roles and the matrix.
pub fn index(visit: &Visit<'_>) -> Result<Response> {
    let by = visit.allow::<ListAccounts>()?;
    let viewer = accounts::pages::viewer(visit)?;
    let counts = visit.read(|read| Ok(accounts::counts(read, by.organisation())?))?;
    let name = &visit.signed_in()?.organisation_name;
    let body = html! {
        (accounts_views::head(&viewer, name, &counts, Tab::Roles))
        (views::index(viewer.standing.managers, &|role| counts.with(role)))
    };
    layout::page(visit, 200, &Page::new("Roles · IAM", Place::Iam), &body)
}

/// One role: what it may do, and who has it.
pub fn show(visit: &Visit<'_>, role: Role) -> Result<Response> {
    let by = visit.allow::<ListAccounts>()?;
    let filter = Filter {
        role: Some(role),
        sort: Sort::Seen,
        ..Filter::default()
    };
    let (lines, total) =
        visit.read(|read| Ok(accounts::list(read, &by, &filter, 0, HOLDERS_MAX)?))?;
    let holders = Holders {
        first: lines
            .into_iter()
            .map(|line| Holder {
                id: line.account.id,
                hue: layout::hue(line.account.id),
                label: line.account.label(),
                initials: line.account.name.as_ref().map(|name| name.initials()),
                status: line.account.status,
            })
            .collect(),
        total,
    };
    let title = format!("{role} · Roles · IAM");
    layout::page(
        visit,
        200,
        &Page::new(&title, Place::Iam),
        &views::show(role, by.managers(), &holders),
    )
}
