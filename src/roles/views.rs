//! How the roles are drawn: the table, and the matrix of permissions.

use maud::{Markup, html};

use crate::accounts::Status;
use crate::domain::id::AccountId;
use crate::domain::role::{Managers, Permission, Role};
use crate::kit::html::Tone;
use crate::kit::html::badge::{Badge, tick};
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::note;
use crate::kit::html::person::{avatar, invited_avatar, person};
use crate::kit::html::table::{Cell, Column, Shape, Table, heading, row};
use crate::routes::{HelpTopic, Route};

/// Somebody who has a role.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The account.
    pub id: AccountId,
    /// The hue of its avatar.
    pub hue: u8,
    /// Its name, or its address.
    pub label: String,
    /// For the avatar; none until there is a name.
    pub initials: Option<String>,
    /// Where it stands.
    pub status: Status,
}

/// Who has a role: the first of them, and how many there are.
#[derive(Clone, Debug)]
pub struct Holders {
    /// The first.
    pub first: Vec<Holder>,
    /// All.
    pub total: i64,
}

/// The four roles, and what each may do.
#[must_use]
pub fn index(managers: Managers, accounts: &dyn Fn(Role) -> i64) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Role"),
        Column::new(Cell::Detail, "Main rights"),
        Column::new(Cell::Extra, "When to use"),
        Column::new(Cell::Number, "Permissions"),
        Column::new(Cell::Amount, "Accounts"),
    ];
    let rows = html! {
        @for role in Role::ALL {
            (row(&[
                (Cell::Main, html! { a href=(Route::Role(role)) { (role.label()) } }),
                (Cell::Detail, html! { (role.main_rights_under(managers)) }),
                (Cell::Extra, html! { (role.when_to_use()) }),
                (Cell::Number, html! { a href=(Route::Role(role)) { (role.permissions(managers).count()) } }),
                (Cell::Amount, html! { a href=(list_of(role)) { (accounts(role)) span.small-only { (accounts_word(accounts(role))) } } }),
            ]))
        }
    };
    html! {
        (Table { caption: "Roles", shape: Shape::Cards, columns: &columns, rows, foot: None })
        (built_in(managers))
        section.stack-2 {
            h2 { "What each role may do" }
            (matrix(None, managers))
        }
    }
}

/// One role: what it may do, and who has it.
#[must_use]
pub fn show(role: Role, managers: Managers, holders: &Holders) -> Markup {
    let count = role.permissions(managers).count();
    let word = if count == 1 {
        "permission"
    } else {
        "permissions"
    };
    let lead = format!(
        "{}. {count} {word}. For: {}.",
        role.main_rights_under(managers),
        role.when_to_use()
    );
    html! {
        (back("Roles", &Route::Roles.to_string()))
        (page_head(role.label(), Some(&lead), None))
        (built_in(managers))
        section.stack-2 {
            h2 { "Who has it" }
            (who(role, holders))
        }
        section.stack-2 {
            h2 { "What it may do" }
            (matrix(Some(role), managers))
        }
    }
}

fn built_in(managers: Managers) -> Markup {
    let help = Route::Help(HelpTopic::SubAccountPermissions);
    note(
        Tone::Plain,
        &html! {
            p {
                "The four roles are built in and cannot be edited. " a href=(help) { "What each may do, and to whom" } "."
            }
            @if managers == Managers::Masters {
                p {
                    "Only Masters manage users here: Admins lack “" (Permission::UsersManage.label()) "” and “"
                    (Permission::RolesAssign.label()) "”. A Master decides so under Settings, Security."
                }
            }
        },
    )
}

const fn accounts_word(count: i64) -> &'static str {
    if count == 1 { " account" } else { " accounts" }
}

fn list_of(role: Role) -> String {
    format!("{}?role={}", Route::Accounts, role.key())
}

fn who(role: Role, holders: &Holders) -> Markup {
    if holders.first.is_empty() {
        return html! { p.muted { "Nobody has this role." } };
    }
    let shown = i64::try_from(holders.first.len()).unwrap_or_default();
    html! {
        ul.stack-2 {
            @for holder in &holders.first {
                li.row { (person(&face(holder), &html! { a.clip href=(Route::Account(holder.id)) { (holder.label) } })) (status(holder.status)) }
            }
        }
        @if holders.total > shown {
            p { a href=(list_of(role)) { "All " (holders.total) " accounts with this role" } }
        } @else {
            p { a href=(list_of(role)) { "Show them in the list" } }
        }
    }
}

fn face(holder: &Holder) -> Markup {
    match &holder.initials {
        Some(initials) => avatar(initials, holder.hue),
        None => invited_avatar(),
    }
}

/// Only where it is not Active.
fn status(status: Status) -> Markup {
    html! {
        @match status {
            Status::Pending => (Badge::Pending("Pending")),
            Status::Disabled { .. } | Status::Deleted { .. } => (Badge::Off("Disabled")),
            Status::Active => {},
        }
    }
}

/// Each permission against each role; `current` is the column that is looked at.
#[must_use]
pub fn matrix(current: Option<Role>, managers: Managers) -> Markup {
    let mut columns = vec![Column::new(Cell::Main, "Permission")];
    columns.extend(Role::ALL.map(|role| {
        let column = Column::new(Cell::Extra, role.label());
        if Some(role) == current {
            column.current()
        } else {
            column
        }
    }));
    let mut groups: Vec<&str> = Permission::ALL.map(Permission::group).to_vec();
    let mut seen = Vec::new();
    groups.retain(|group| {
        let is_new = !seen.contains(group);
        seen.push(*group);
        is_new
    });
    let rows = html! {
        @for group in groups {
            (heading(columns.len(), group))
            @for permission in Permission::ALL.into_iter().filter(|one| one.group() == group) {
                (permission_row(permission, managers))
            }
        }
    };
    html! { (Table { caption: "What each role may do", shape: Shape::Plain, columns: &columns, rows, foot: None }) }
}

fn permission_row(permission: Permission, managers: Managers) -> Markup {
    let mut cells = vec![(
        Cell::Main,
        html! { (permission.label()) span.sub { code { (permission.key()) } } },
    )];
    cells.extend(Role::ALL.into_iter().map(|role| {
        (
            Cell::Extra,
            tick(role.permissions(managers).has(permission)),
        )
    }));
    row(&cells)
}
