//! The menu of roles: for a new account, and for one that gets another.

use maud::{Markup, Render};

use crate::domain::role::{Managers, Permission, Permissions, Role, may_act_on};
use crate::kit::html::choice::{Choice, Select, facts};

/// The field in which forms send a role.
pub const ROLE_FIELD: &str = "role";

/// All four roles; those that cannot be given say why.
pub struct RoleField<'f> {
    /// What whoever fills it in may do.
    pub permissions: Permissions,
    /// Who manages users there.
    pub managers: Managers,
    /// The role that is chosen now.
    pub chosen: &'f str,
    /// What helps to choose.
    pub hint: &'f str,
    /// What is wrong with the choice.
    pub error: Option<&'f str>,
    /// Whether the cursor begins here.
    pub is_first: bool,
    /// What each means, shown while it is chosen.
    pub about: &'f dyn Fn(Role) -> Markup,
}

impl std::fmt::Debug for RoleField<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RoleField({})", self.chosen)
    }
}

impl Render for RoleField<'_> {
    fn render(&self) -> Markup {
        let reasons = Role::ALL.map(|role| refusal(self.permissions, role, self.managers));
        let choices = Role::ALL
            .into_iter()
            .zip(&reasons)
            .map(|(role, reason)| {
                Choice::new(role.key(), role.label())
                    .about((self.about)(role))
                    .refused(reason.as_deref())
            })
            .collect();
        let select = Select::new(ROLE_FIELD, "Permission", choices)
            .chosen(self.chosen)
            .hint(self.hint)
            .error(self.error);
        if self.is_first {
            select.focus(ROLE_FIELD).render()
        } else {
            select.render()
        }
    }
}

/// Why this role cannot be given; none when it can.
fn refusal(own: Permissions, role: Role, managers: Managers) -> Option<String> {
    if may_act_on(own, role.permissions(managers)) {
        return None;
    }
    let givers: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|giver| {
            let theirs = giver.permissions(managers);
            may_act_on(theirs, role.permissions(managers)) && theirs.has(Permission::RolesAssign)
        })
        .map(Role::label)
        .collect();
    Some(format!("only a {} can give this", givers.join(" or ")))
}

/// What a role means, in a sentence and three facts.
#[must_use]
pub fn about(role: Role, managers: Managers) -> Markup {
    let permissions = role.permissions(managers);
    let is_full = permissions == Permissions::all();
    let level = |manage: Permission, read: Option<Permission>| {
        if is_full {
            "Full"
        } else if permissions.has(manage) {
            "Manage"
        } else if read.is_some_and(|read| permissions.has(read)) {
            "Get"
        } else {
            "None"
        }
    };
    facts(
        role.main_rights_under(managers),
        &[
            (
                "Resources",
                level(Permission::ResourcesManage, Some(Permission::ResourcesRead)),
            ),
            ("Billing", level(Permission::BillingManage, None)),
            (
                "Users",
                level(Permission::UsersManage, Some(Permission::UsersRead)),
            ),
        ],
    )
}
