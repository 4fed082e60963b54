//! What the help pages say.
//!
//! What the product knows itself (roles, rights, how long a link lives) is drawn from it, so that the page stays true.

mod permissions;
mod two_factor;

use maud::{Markup, html};

use crate::domain::role::{Managers, Permission, Permissions, Role, who_may};
use crate::kit::html::Tone;
use crate::kit::html::notice::note;
use crate::kit::html::stats::details;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::routes::{HelpTopic, Route};

pub use permissions::{
    Facts as PermissionFacts, Reader as PermissionReader, sub_account_permissions, words_for,
};
pub use two_factor::{Facts as TwoFactorFacts, Known as KnownReader, Reader, two_factor_security};

/// What the pages need to know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// What the Portal is called.
    pub brand: &'f str,
    /// How long an activation link lives.
    pub link_hours: i64,
    /// What the reader may do; none for strangers.
    pub permissions: Option<Permissions>,
    /// Who manages users in the reader's organisation.
    pub managers: Managers,
}

impl Facts<'_> {
    /// A link, for those who may follow it; for others the words alone.
    fn to(&self, permission: Permission, route: &Route, words: &str) -> Markup {
        let may = self.permissions.is_some_and(|held| held.has(permission));
        html! { @if may { a href=(route) { (words) } } @else { b { (words) } } }
    }

    fn hours(&self) -> String {
        match self.link_hours {
            1 => "1 hour".to_owned(),
            hours => format!("{hours} hours"),
        }
    }
}

/// How a teammate gets an account of their own.
#[must_use]
pub fn add_a_sub_account(facts: &Facts<'_>) -> Markup {
    html! {
        article.prose {
            (introduction(facts))
            (iam_page(facts))
            (roles(facts))
            (create(facts))
            (afterwards())
            (notes())
            (see_also())
        }
    }
}

fn introduction(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h1 { "Add a sub-account" }
            p {
                "A sub-account lets a teammate use " (facts.brand) " with their own email and password, so that nobody \
                 shares the master account. Each sub-account has one role, and the role says what it may do."
            }
            ul {
                li { b { "One person, one account." } " The audit log shows who did what." }
                li { b { "Rights by role." } " Managers, accounting and engineering each get the rights they need." }
                li { b { "Fast revocation." } " When somebody leaves, nobody else has to change a password." }
            }
            (note(Tone::Plain, &html! {
                p { "To create and manage sub-accounts you need the role " (who_may(Permission::UsersManage, facts.managers)) "." }
            }))
        }
    }
}

fn iam_page(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "Open the IAM page" }
            p {
                @if facts.permissions.is_none() { a href=(Route::SignIn) { "Sign in" } ". " }
                "In the menu on the left, choose " (facts.to(Permission::UsersList, &Route::Accounts, "IAM"))
                ". The page has two parts:"
            }
            ul {
                li {
                    (facts.to(Permission::UsersList, &Route::Accounts, "Accounts")) ": every account, master and sub, \
                     with Name, Email, Phone, Permission and Status."
                }
                li {
                    (facts.to(Permission::UsersList, &Route::Roles, "Roles")) ": the roles, and how many permissions \
                     each one carries."
                }
            }
        }
    }
}

fn roles(facts: &Facts<'_>) -> Markup {
    let name = |role| facts.to(Permission::UsersList, &Route::Role(role), role.label());
    html! {
        section.stack {
            h2 { "Available roles" }
            (roles_table(facts.managers, &name))
            p {
                "You can give a role only if your own permissions include all of its permissions: "
                @match facts.managers {
                    Managers::Admins => "an Admin invites Members, Billing and Admins, and never a Master.",
                    Managers::Masters => "in this organisation only Masters invite, and to any role.",
                }
                " Per-role permissions are listed in " (topic(HelpTopic::SubAccountPermissions)) "."
            }
        }
    }
}

/// The roles with their rights, whom they are for, and how many permissions they carry.
fn roles_table(managers: Managers, name: &dyn Fn(Role) -> Markup) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Role"),
        Column::new(Cell::Detail, "Main rights"),
        Column::new(Cell::Extra, "When to use"),
        Column::new(Cell::Amount, "Permissions"),
    ];
    let rows = html! {
        @for role in Role::ALL {
            @let count = role.permissions(managers).count();
            (row(&[
                (Cell::Main, name(role)),
                (Cell::Detail, html! { (role.main_rights_under(managers)) }),
                (Cell::Extra, html! { (role.when_to_use()) }),
                (Cell::Amount, html! { (count) span.small-only { (permissions_word(count)) } }),
            ]))
        }
    };
    html! { (Table { caption: "Available roles", shape: Shape::Cards, columns: &columns, rows, foot: None }) }
}

/// A link to another topic, by its title.
fn topic(topic: HelpTopic) -> Markup {
    html! { a href=(Route::Help(topic)) { (topic.title()) } }
}

/// "a", "a and b", "a, b and c"; nothing is "nothing".
fn sequence(words: &[&str], last_but_one: &str) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {last_but_one} {last}", first.join(", ")),
    }
}

const fn permissions_word(count: u32) -> &'static str {
    if count == 1 {
        " permission"
    } else {
        " permissions"
    }
}

fn create(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "Create a sub-account" }
            h3 { "Step 1. Open the form" }
            p {
                "On the Accounts tab, choose "
                (facts.to(Permission::UsersManage, &Route::NewAccount, "+ Create account")) " in the top right."
            }
            h3 { "Step 2. Fill it in" }
            (details(&[
                ("Email", html! { "Required. The address of the person who gets the sub-account; they sign in with it. \
                    Each email can be registered once across the whole system." }),
                ("Permission", html! { "Required. One of the roles above. Can be changed later; begin with the smallest that will do." }),
            ]))
            p {
                "Choose " b { "Confirm" } ". Many people can be invited together from a list: each line of it is judged \
                 before anything is sent."
            }
            h3 { "Step 3. The person activates it by email" }
            p { "An invitation goes to that address. The person:" }
            ol {
                li { "opens the email and follows the activate account link," }
                li { "sets a password of at least 8 characters, with upper case, lower case, a number and a special character," }
                li { "signs in with the email and that password." }
            }
            p {
                "Nothing in the inbox? Look in Spam/Junk. The link is valid for " (facts.hours()) ". After that, choose "
                b { "Resend invitation" } " in the account's menu, or delete the account and invite anew; the page of an \
                 expired link also lets the person ask for a new one. Where mail is off, " b { "Copy activation link" }
                " shows the link, to be handed over by other means."
            }
            h3 { "Step 4. Make it hard to steal" }
            p {
                "We strongly recommend two-factor authentication (2FA) for every sub-account: one without it is the \
                 weakest link in the IAM set-up. Your organisation decides for each role whether it is required, and the \
                 list of accounts shows who has none. "
                a href=(Route::Help(HelpTopic::TwoFactorSecurity)) { "How 2FA is set up, and what to do when a phone is lost" } "."
            }
        }
    }
}

fn afterwards() -> Markup {
    html! {
        section.stack {
            h2 { "After creation" }
            p { "The new sub-account stands in the list with a status:" }
            (details(&[
                ("Active", html! { "Activated by email, ready to sign in." }),
                ("Pending", html! { "Waiting for the person to open the email." }),
                ("Disabled", html! { "Switched off: nobody can sign in with it, and everything is kept." }),
            ]))
            p { "While it is Pending you can resend the invitation or copy the activation link. In the menu of a sub-account you can also:" }
            ul {
                li { b { "Change permission." } " A wider permission takes effect the next time the person signs out and in again. A narrower one takes effect at once: every session of the account ends." }
                li { b { "Disable." } " Blocks sign-in at once and keeps everything; " b { "Enable" } " brings the account back as it was. For somebody who is away, or when something looks wrong." }
                li { b { "Delete." } " For somebody who leaves for good: password, email, phone and sessions are removed, and the email is free again. The name stays in the audit log. This cannot be undone. Before either, a page says what the person holds, and to whom it can be handed over." }
                li { b { "Sign out everywhere" } " and " b { "Reset password." } " When a browser is lost, or a password may be known to somebody else." }
                li { b { "Reset two-factor." } " When a phone is lost, and the recovery codes too: the person signs in with the password alone, and sets up another." }
            }
            p { "Each opens a page that says what will happen before anything does. The master account that owns the organisation cannot be disabled or deleted, and nobody does any of this to themself." }
        }
    }
}

fn notes() -> Markup {
    html! {
        section.stack {
            h2 { "Notes" }
            ul {
                li { "Each email belongs to exactly one account in the whole system. If another organisation uses it already, it cannot be added here." }
                li { "Sub-accounts share billing with the master account: what a sub-account creates is billed to the organisation. The bill names whose it is; when somebody leaves, their resources and costs stay under their name until they are handed over." }
                li { "A forgotten password: " a href=(Route::ForgotPassword) { "ask for a reset link" } "." }
            }
        }
    }
}

fn see_also() -> Markup {
    html! {
        section.stack {
            h2 { "See also" }
            ul {
                li { (topic(HelpTopic::TwoFactorSecurity)) ": for every sub-account." }
                li { (topic(HelpTopic::SubAccountPermissions)) ": what each role can do, and to whom." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(link_hours: i64, permissions: Option<Permissions>) -> String {
        add_a_sub_account(&Facts {
            brand: "Halden Portal",
            link_hours,
            permissions,
            managers: Managers::default(),
        })
        .into_string()
    }

    #[test]
    fn the_page_says_what_the_product_does() {
        let page = page(24, None);
        for said in [
            "Halden Portal",
            "valid for 24 hours",
            "Spam/Junk",
            "at least 8 characters",
            "registered once across the whole system",
            "the role Admin or Master",
            "+ Create account",
            "Confirm",
            "Can be changed later",
            "A wider permission takes effect the next time the person signs out and in again.",
            "Blocks sign-in at once and keeps everything",
            "the email is free again. The name stays in the audit log. This cannot be undone.",
            "Sub-accounts share billing with the master account",
            "stay under their name until they are handed over",
        ] {
            assert!(page.contains(said), "{said}");
        }
        for role in Role::ALL {
            assert!(
                page.contains(role.main_rights()) && page.contains(role.when_to_use()),
                "{role}"
            );
        }
        assert!(super::tests::page(48, None).contains("valid for 48 hours"));
        assert!(super::tests::page(1, None).contains("valid for 1 hour."));
    }

    #[test]
    fn links_lead_only_where_the_reader_may_go() {
        let stranger = page(24, None);
        assert!(stranger.contains("href=\"/sign-in\"") && !stranger.contains("href=\"/iam/"));
        let member = page(24, Some(Role::Member.permissions(Managers::default())));
        assert!(!member.contains("href=\"/iam/") && !member.contains("href=\"/sign-in\""));
        let admin = page(24, Some(Role::Admin.permissions(Managers::default())));
        for path in [
            "/iam/accounts",
            "/iam/accounts/new",
            "/iam/roles",
            "/iam/roles/member",
        ] {
            assert!(admin.contains(&format!("href=\"{path}\"")), "{path}");
        }
    }
}
