//! "Sub-account permissions": what each role may do, and to whom.
//!
//! Nothing here is remembered: roles, counts, addresses, the rule and its refusals are asked of the code that holds them.

use maud::{Markup, html};

use crate::accounts::guards::{LAST_MASTER, OWN_ACCOUNT, OWNER_STAYS, OWNERS_LINK, OWNERS_OWN};
use crate::domain::role::{Managers, Permission, Permissions, Role, may_act_on, who_may};
use crate::help::views::{roles_table, sequence, topic};
use crate::kit::html::Tone;
use crate::kit::html::notice::note;
use crate::kit::html::table::{Cell, Column, Shape, Table, heading, row};
use crate::lifecycle::{Effect, effect};
use crate::roles::views::matrix;
use crate::routes::{Access, HelpTopic, Route};
use crate::scope::{InviteAccounts, Right};

/// What the page needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// What the Portal is called.
    pub brand: &'f str,
    /// Who reads it; none for strangers.
    pub reader: Option<Reader<'f>>,
}

/// Somebody who is signed in.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'f> {
    /// Their organisation.
    pub organisation: &'f str,
    /// Their role.
    pub role: Role,
    /// What their session carries.
    pub permissions: Permissions,
    /// Who manages users there.
    pub managers: Managers,
}

impl Facts<'_> {
    fn managers(&self) -> Managers {
        self.reader
            .map(|reader| reader.managers)
            .unwrap_or_default()
    }

    /// A link, for those who may follow it; for others the words alone.
    fn to(&self, permission: Permission, route: &Route, words: &str) -> Markup {
        let may = self
            .reader
            .is_some_and(|reader| reader.permissions.has(permission));
        html! { @if may { a href=(route) { (words) } } @else { b { (words) } } }
    }
}

/// A line of the table of pages and acts: what it is in words, and the addresses that do it.
struct Line {
    words: &'static str,
    paths: &'static [&'static str],
    /// What it needs beside the permission by which its address is reached.
    also: &'static [Permission],
}

const fn line(words: &'static str, paths: &'static [&'static str]) -> Line {
    Line {
        words,
        paths,
        also: &[],
    }
}

/// Every page and act that is not everybody's. An address that is no route is left out, so that nothing is told of what
/// does not exist; a test finds the route that is not here.
const LINES: [Line; 16] = [
    line(
        "See resources; as a file too",
        &[
            "/resources",
            "/resources.csv",
            "/resources/res_bbbbbbbbbbbbb",
        ],
    ),
    line(
        "Create, change, hand over and end resources",
        &[
            "/resources/new",
            "/resources/res_bbbbbbbbbbbbb/edit",
            "/resources/res_bbbbbbbbbbbbb/plan",
            "/resources/res_bbbbbbbbbbbbb/hand-over",
            "/resources/res_bbbbbbbbbbbbb/end",
            "/iam/accounts/acc_bbbbbbbbbbbbb/hand-over",
        ],
    ),
    line(
        "The month so far, invoices, the budget",
        &[
            "/billing",
            "/billing.csv",
            "/billing/budget",
            "/billing/invoices/INV-2026-001",
            "/billing/invoices/INV-2026-001.csv",
            "/billing/invoices/INV-2026-001/paid",
        ],
    ),
    line(
        "See the list of accounts, and the roles",
        &["/iam/accounts", "/iam/roles", "/iam/roles/member"],
    ),
    line(
        "See an account, and its activity",
        &["/iam/accounts/acc_bbbbbbbbbbbbb"],
    ),
    Line {
        words: "Create an account: invite somebody",
        paths: &["/iam/accounts/new"],
        also: InviteAccounts::NEEDS,
    },
    line(
        "Resend an invitation, copy its link",
        &[
            "/iam/accounts/acc_bbbbbbbbbbbbb/resend",
            "/iam/accounts/acc_bbbbbbbbbbbbb/copy-link",
        ],
    ),
    line(
        "Change permission",
        &["/iam/accounts/acc_bbbbbbbbbbbbb/role"],
    ),
    line(
        "Disable, enable and delete an account",
        &[
            "/iam/accounts/acc_bbbbbbbbbbbbb/disable",
            "/iam/accounts/acc_bbbbbbbbbbbbb/enable",
            "/iam/accounts/acc_bbbbbbbbbbbbb/keep",
            "/iam/accounts/acc_bbbbbbbbbbbbb/delete",
        ],
    ),
    Line {
        words: "Invite many people by a list",
        paths: &[
            "/iam/import",
            "/iam/import/imp_bbbbbbbbbbbbb",
            "/iam/import/imp_bbbbbbbbbbbbb/begin",
            "/iam/import/imp_bbbbbbbbbbbbb/discard",
            "/iam/import/imp_bbbbbbbbbbbbb/stop",
            "/iam/import/imp_bbbbbbbbbbbbb/result.csv",
        ],
        also: InviteAccounts::NEEDS,
    },
    line(
        "Several accounts at once: resend, disable, sign out",
        &["/iam/accounts/selected"],
    ),
    line(
        "Sign somebody out, reset their password or two-factor",
        &[
            "/iam/accounts/acc_bbbbbbbbbbbbb/sign-out",
            "/iam/accounts/acc_bbbbbbbbbbbbb/reset-password",
            "/iam/accounts/acc_bbbbbbbbbbbbb/reset-two-factor",
        ],
    ),
    line(
        "Mail: what was sent to whom, and what became of it",
        &[
            "/mail",
            "/mail/test",
            "/mail/retry",
            "/mail/mail_bbbbbbbbbbbbb",
            "/mail/mail_bbbbbbbbbbbbb/retry",
            "/mail/mail_bbbbbbbbbbbbb/body",
        ],
    ),
    line(
        "Read the audit log; as a file too",
        &["/audit", "/audit/1", "/audit.csv", "/audit.jsonl"],
    ),
    line(
        "Erase the personal data of somebody who is gone",
        &["/iam/accounts/acc_bbbbbbbbbbbbb/erase"],
    ),
    line(
        "Settings: the organisation, its security policy, its ownership",
        &[
            "/settings",
            "/settings/general",
            "/settings/security",
            "/settings/two-factor",
            "/settings/billing",
            "/settings/domains",
            "/settings/first-steps",
            "/settings/ownership/offer",
            "/settings/ownership/withdraw",
            "/settings/ownership/accept",
            "/settings/ownership/decline",
        ],
    ),
];

/// What is everybody's, with an address that shows it.
const EVERYBODY: [(&str, &str); 2] = [
    ("Dashboard", "/"),
    (
        "Your own account: name, password, two-factor, sessions",
        "/account",
    ),
];

impl Line {
    fn routes(&self) -> impl Iterator<Item = Route> {
        self.paths.iter().filter_map(|path| Route::parse(path))
    }

    /// What it needs: what its addresses are reached by, and what is asked besides.
    fn needs(&self) -> Vec<Permission> {
        let mut needs = Vec::new();
        let reached = self.routes().filter_map(|route| match route.access() {
            Access::With(permission) => Some(permission),
            Access::Public | Access::Halfway | Access::Enrolling | Access::SignedIn => None,
        });
        for permission in reached.chain(self.also.iter().copied()) {
            if !needs.contains(&permission) {
                needs.push(permission);
            }
        }
        needs
    }
}

/// The words for a route that needs a permission, if the page has any.
#[must_use]
pub fn words_for(route: &Route) -> Option<&'static str> {
    LINES
        .iter()
        .find(|line| line.routes().any(|one| one.name() == route.name()))
        .map(|line| line.words)
}

/// The page.
#[must_use]
pub fn sub_account_permissions(facts: &Facts<'_>) -> Markup {
    html! {
        article.prose {
            (introduction(facts))
            (roles(facts))
            (permissions(facts))
            (needs(facts))
            (rule(facts))
            (when(facts))
            (only_masters(facts))
            (owner(facts))
            (see_also())
        }
    }
}

fn introduction(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h1 { (HelpTopic::SubAccountPermissions.title()) }
            p {
                "Each account has exactly one role, which the forms of " (facts.brand) " call Permission. A role is a set of \
                 permissions: there are " (Permission::ALL.len()) " of them, and " (Role::ALL.len()) " roles. The roles are \
                 built in and cannot be edited. What you may not use is not shown to you, and is refused all the same."
            }
            @if let Some(reader) = facts.reader {
                (note(Tone::Plain, &html! {
                    p {
                        "Your role at " (reader.organisation) " is " b { (reader.role) } ": " (may_do(reader.permissions)) "."
                        @if !reader.permissions.include(reader.role.permissions(reader.managers)) {
                            " The rest of it is yours once you have signed out and in again."
                        }
                    }
                    @if reader.managers == Managers::Masters {
                        p { b { "Only Masters manage users" } " is on here: everything below is told as it is with the switch on." }
                    }
                }))
            } @else {
                p { "When you are signed in, this page tells what holds in your organisation." }
            }
        }
    }
}

fn may_do(permissions: Permissions) -> String {
    let labels: Vec<&str> = held(permissions).map(Permission::label).collect();
    sequence(&labels, "and")
}

fn held(permissions: Permissions) -> impl Iterator<Item = Permission> {
    Permission::ALL
        .into_iter()
        .filter(move |one| permissions.has(*one))
}

fn roles(facts: &Facts<'_>) -> Markup {
    let managers = facts.managers();
    html! {
        section.stack {
            h2 { "The four roles" }
            (roles_table(managers, &|role| facts.to(Permission::UsersList, &Route::Role(role), role.label())))
            p { "Each role has what the one before it has, and more:" }
            ul {
                @for (at, role) in Role::ALL.into_iter().enumerate() {
                    li { b { (role) } ": " (beyond(role, at.checked_sub(1).and_then(|before| Role::ALL.get(before).copied()), managers)) }
                }
            }
            p { "Begin with the smallest role that will do: it can be changed later." }
        }
    }
}

/// What a role has that the one before it lacks.
fn beyond(role: Role, before: Option<Role>, managers: Managers) -> String {
    let own = role.permissions(managers);
    let theirs = before
        .map(|before| before.permissions(managers))
        .unwrap_or_default();
    let more: Permissions = held(own).filter(|one| !theirs.has(*one)).collect();
    match before {
        Some(before) if own.include(theirs) => {
            format!("what {before} may, and {}.", may_do(more))
        }
        _ => format!("{}.", may_do(own)),
    }
}

fn permissions(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "Every permission" }
            p { "Under each permission stands its name for programs." }
            (matrix(facts.reader.map(|reader| reader.role), facts.managers()))
        }
    }
}

fn needs(facts: &Facts<'_>) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Page or act"),
        Column::new(Cell::Detail, "Needs"),
        Column::new(Cell::Aside, "Roles that have it"),
    ];
    let managers = facts.managers();
    let groups = LINES.iter().fold(Vec::new(), |mut groups, line| {
        if let Some(first) = line.needs().first().map(|one| one.group())
            && !groups.contains(&first)
        {
            groups.push(first);
        }
        groups
    });
    let rows = html! {
        @for group in groups {
            (heading(columns.len(), group))
            @for line in &LINES {
                @let needs = line.needs();
                @if needs.first().is_some_and(|one| one.group() == group) {
                    (row(&[
                        (Cell::Main, html! { (line.words) }),
                        (Cell::Detail, html! { (named(&needs)) }),
                        (Cell::Aside, html! { (all_of(&needs, managers)) }),
                    ]))
                }
            }
        }
        (heading(columns.len(), "Everybody"))
        @for (words, path) in EVERYBODY {
            @if Route::parse(path).is_some_and(|route| route.access() == Access::SignedIn) {
                (row(&[
                    (Cell::Main, html! { (words) }),
                    (Cell::Detail, html! { "To be signed in" }),
                    (Cell::Aside, html! { "Every role" }),
                ]))
            }
        }
    };
    html! {
        section.stack {
            h2 { "Which page or act needs what" }
            (Table { caption: "Which page or act needs what", shape: Shape::Cards, columns: &columns, rows, foot: None })
            p {
                "Of a resource that stands under somebody else's name, what it costs is shown to whoever has also “"
                (Permission::BillingManage.label()) "”. Help is for everybody, signed in or not."
            }
        }
    }
}

fn named(needs: &[Permission]) -> String {
    let labels: Vec<&str> = needs.iter().map(|one| one.label()).collect();
    sequence(&labels, "and")
}

/// The roles that have all of these.
fn all_of(needs: &[Permission], managers: Managers) -> String {
    let needed: Permissions = needs.iter().copied().collect();
    let roles: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|role| role.permissions(managers).include(needed))
        .map(Role::label)
        .collect();
    if roles.len() == Role::ALL.len() {
        return "Every role".to_owned();
    }
    sequence(&roles, "or")
}

fn rule(facts: &Facts<'_>) -> Markup {
    let managers = facts.managers();
    html! {
        section.stack {
            h2 { "Whom you may act on" }
            p {
                "You may act on an account, and give a role, only if your own permissions include all of theirs: those that \
                 the account has, and those that you give. So nobody makes anybody mightier than they are themselves, and \
                 nobody touches somebody who is."
            }
            ul { @for role in Role::ALL { li { (reach(role, managers)) } } }
            p {
                "The rule holds on every path: inviting, a list of people invited together, resending, changing permission, \
                 disabling, deleting, resetting; and once more when an invitation is accepted. Roles that you cannot give are \
                 shown in the Permission menu, disabled, with the reason."
            }
        }
    }
}

/// On whom a role may act, by the rule itself.
fn reach(role: Role, managers: Managers) -> Markup {
    let own = role.permissions(managers);
    if !own.has(Permission::UsersManage) {
        return html! { b { (role) } " acts on nobody: it lacks “" (Permission::UsersManage.label()) "”." };
    }
    let (within, beyond): (Vec<Role>, Vec<Role>) = Role::ALL
        .into_iter()
        .partition(|other| may_act_on(own, other.permissions(managers)));
    let names = |roles: &[Role]| roles.iter().map(|one| one.label()).collect::<Vec<_>>();
    html! {
        b { (role) } " acts on, and gives, " (sequence(&names(&within), "and"))
        @if beyond.is_empty() { "." } @else { "; never " (sequence(&names(&beyond), "or")) "." }
    }
}

fn when(facts: &Facts<'_>) -> Markup {
    let managers = facts.managers();
    let columns = [
        Column::new(Cell::Main, "Change"),
        Column::new(Cell::Detail, "Takes effect"),
    ];
    let rows = html! {
        @for (from, to) in changes() {
            (row(&[
                (Cell::Main, html! { (from) " → " (to) }),
                (Cell::Detail, html! { (takes_effect(effect(from, to, managers))) }),
            ]))
        }
    };
    html! {
        section.stack {
            h2 { "When a change takes effect" }
            p {
                "What somebody gains waits until they sign out and in again; a line above every page tells them. What somebody \
                 loses is lost at once: every session of theirs ends in the same moment, and the narrower role comes with the \
                 next sign-in."
            }
            (Table { caption: "When a change of permission takes effect", shape: Shape::Cards, columns: &columns, rows, foot: None })
            p {
                "Disabling and deleting an account, and a reset of its password or its two-factor by somebody else, end its \
                 sessions at once too."
            }
        }
    }
}

/// Every change by one step, up and down.
fn changes() -> impl Iterator<Item = (Role, Role)> {
    let up = Role::ALL.into_iter().zip(Role::ALL.into_iter().skip(1));
    up.clone().chain(up.map(|(from, to)| (to, from)))
}

const fn takes_effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Gain => "The next time the person signs out and in again",
        Effect::Loss => "At once: the person is signed out",
    }
}

fn only_masters(facts: &Facts<'_>) -> Markup {
    let [off, on] = Managers::ALL.map(|managers| Role::Admin.permissions(managers));
    let lost: Permissions = held(off).filter(|one| !on.has(*one)).collect();
    html! {
        section.stack {
            h2 { "Only Masters manage users" }
            p {
                "An organisation can decide so under "
                (facts.to(Permission::OrganisationManage, &Route::Settings, "Settings")) ", Security. Then an " (Role::Admin)
                " has " (on.count()) " permissions of " (off.count()) ", without " (may_do(lost))
                "; every Admin is signed out at once, and links of their invitations that nobody has used are refused. Accounts \
                 are managed by the role " (who_may(Permission::UsersManage, Managers::Masters)) " then; without the switch by "
                (who_may(Permission::UsersManage, Managers::Admins)) "."
            }
            @if let Some(reader) = facts.reader {
                p {
                    "At " (reader.organisation) " it is "
                    @match reader.managers { Managers::Admins => b { "off" }, Managers::Masters => b { "on" } } "."
                }
            }
        }
    }
}

fn owner(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "The owner, and yourself" }
            p {
                "The master account owns the organisation. Whatever somebody's role, these are refused, in these words:"
            }
            ul {
                li { b { "To the owner, from anybody." } " " (OWNER_STAYS) }
                li { b { "Signing the owner out, or resetting their password or two-factor." } " " (OWNERS_OWN) }
                li { b { "The owner's invitation." } " " (OWNERS_LINK) }
                li { b { "To yourself." } " " (OWN_ACCOUNT) }
                li { b { "To the last who can do everything." } " " (LAST_MASTER) }
            }
            p {
                "The ownership moves in two steps: the owner offers it to another Master under "
                (facts.to(Permission::OrganisationManage, &Route::Settings, "Settings")) ", with their password, and that Master \
                 accepts it."
            }
        }
    }
}

fn see_also() -> Markup {
    html! {
        section.stack {
            h2 { "See also" }
            ul {
                li { (topic(HelpTopic::AddASubAccount)) ": how somebody gets an account, and what can be done with it." }
                li { (topic(HelpTopic::TwoFactorSecurity)) ": what is asked besides the password." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(reader: Option<Reader<'_>>) -> String {
        sub_account_permissions(&Facts {
            brand: "Halden Portal",
            reader,
        })
        .into_string()
    }

    fn reader(role: Role, managers: Managers) -> Reader<'static> {
        Reader {
            organisation: "Fjord Supply",
            role,
            permissions: role.permissions(managers),
            managers,
        }
    }

    /// What is read, without the marks.
    fn read(page: &str) -> String {
        let mut text = String::new();
        let mut is_mark = false;
        for c in page.chars() {
            match c {
                '<' => is_mark = true,
                '>' => is_mark = false,
                _ if !is_mark => text.push(c),
                _ => {}
            }
        }
        text
    }

    #[test]
    fn each_line_is_of_addresses_that_need_the_same() {
        for line in &LINES {
            let Some(first) = line.routes().next().map(|route| route.access()) else {
                continue;
            };
            assert!(matches!(first, Access::With(_)), "{}", line.words);
            for route in line.routes() {
                assert_eq!(route.access(), first, "{route}");
                assert_eq!(words_for(&route), Some(line.words));
            }
        }
        for (_, path) in EVERYBODY {
            assert_eq!(Route::parse(path).unwrap().access(), Access::SignedIn);
        }
    }

    #[test]
    fn what_is_told_of_the_rule_is_what_the_rule_says() {
        for managers in Managers::ALL {
            let text = read(&page(Some(reader(Role::Master, managers))));
            for role in Role::ALL {
                let own = role.permissions(managers);
                let (_, told) = text
                    .split_once(&format!("{role} acts on"))
                    .unwrap_or_else(|| panic!("{role} under {managers:?}"));
                let told = told.split_once('.').unwrap().0;
                let (within, beyond) = told.split_once("; never ").unwrap_or((told, ""));
                for other in Role::ALL {
                    let may = own.has(Permission::UsersManage)
                        && may_act_on(own, other.permissions(managers));
                    assert_eq!(
                        within.contains(other.label()),
                        may,
                        "{role} on {other}: {told}"
                    );
                    if own.has(Permission::UsersManage) {
                        assert_eq!(
                            beyond.contains(other.label()),
                            !may,
                            "{role} on {other}: {told}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_told_of_a_change_is_when_it_bites() {
        let text = read(&page(None));
        assert_eq!(changes().count(), 6);
        for (from, to) in changes() {
            let words = if to > from {
                "The next time the person signs out and in again"
            } else {
                "At once: the person is signed out"
            };
            assert!(
                text.contains(&format!("{from} → {to}{words}")),
                "{from} → {to}"
            );
        }
    }

    #[test]
    fn the_roles_build_on_each_other_as_the_contract_has_it() {
        let text = read(&page(None));
        for said in [
            "Member: Get resources.",
            "Billing: what Member may, and Manage billing.",
            "Admin: what Billing may, and Manage resources, List users, Get user, Manage users (invite, disable, delete) \
             and Change role.",
            "Master: what Admin may, and Read the audit log and Manage the organisation",
            "an Admin has 5 permissions of 7, without Manage users (invite, disable, delete) and Change role",
            "Create an account: invite somebodyManage users (invite, disable, delete) and Change roleAdmin or Master",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let strict = read(&page(Some(reader(Role::Admin, Managers::Masters))));
        for said in [
            "Your role at Fjord Supply is Admin: Get resources, Manage billing, Manage resources, List users and Get user.",
            "Only Masters manage users is on here",
            "Admin acts on nobody: it lacks “Manage users (invite, disable, delete)”.",
            "Create an account: invite somebodyManage users (invite, disable, delete) and Change roleMaster",
            "At Fjord Supply it is on.",
        ] {
            assert!(strict.contains(said), "{said}: {strict}");
        }
        assert!(!text.contains("is on here"));
    }

    #[test]
    fn links_lead_only_where_the_reader_may_go() {
        let stranger = page(None);
        assert!(!stranger.contains("href=\"/iam/") && !stranger.contains("href=\"/settings\""));
        let admin = page(Some(reader(Role::Admin, Managers::Admins)));
        assert!(
            admin.contains("href=\"/iam/roles/member\"") && !admin.contains("href=\"/settings\"")
        );
        let master = page(Some(reader(Role::Master, Managers::Admins)));
        assert!(master.contains("href=\"/settings\""));
    }
}
