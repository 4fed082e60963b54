//! Roles and permissions: the one list that the Roles page, the matrix and every guard are drawn from.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::kit::db::values::contradiction;

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See what the organisation has.
    ResourcesRead,
    /// See and pay the bill.
    BillingManage,
    /// Create, change and end resources.
    ResourcesManage,
    /// See the list of accounts.
    UsersList,
    /// See one account.
    UsersRead,
    /// Invite, disable, delete.
    UsersManage,
    /// Give another role.
    RolesAssign,
    /// See who did what.
    AuditRead,
    /// Settings, security policy, ownership.
    OrganisationManage,
}

impl Permission {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 9] = [
        Self::ResourcesRead,
        Self::BillingManage,
        Self::ResourcesManage,
        Self::UsersList,
        Self::UsersRead,
        Self::UsersManage,
        Self::RolesAssign,
        Self::AuditRead,
        Self::OrganisationManage,
    ];

    /// The name for machines.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::ResourcesRead => "resources.read",
            Self::BillingManage => "billing.manage",
            Self::ResourcesManage => "resources.manage",
            Self::UsersList => "users.list",
            Self::UsersRead => "users.read",
            Self::UsersManage => "users.manage",
            Self::RolesAssign => "roles.assign",
            Self::AuditRead => "audit.read",
            Self::OrganisationManage => "organisation.manage",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ResourcesRead => "Get resources",
            Self::BillingManage => "Manage billing",
            Self::ResourcesManage => "Manage resources",
            Self::UsersList => "List users",
            Self::UsersRead => "Get user",
            Self::UsersManage => "Manage users (invite, disable, delete)",
            Self::RolesAssign => "Change role",
            Self::AuditRead => "Read the audit log",
            Self::OrganisationManage => {
                "Manage the organisation (settings, security policy, ownership)"
            }
        }
    }

    /// Under which heading of the matrix it stands.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::ResourcesRead | Self::ResourcesManage => "Resources",
            Self::BillingManage => "Billing",
            Self::UsersList | Self::UsersRead | Self::UsersManage | Self::RolesAssign => "Users",
            Self::AuditRead | Self::OrganisationManage => "Organisation",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of permissions, as a session carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Permissions(u16);

impl Permissions {
    /// All nine.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// Whether the set holds it.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether the set holds all of the other.
    #[must_use]
    pub const fn include(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(
            permissions
                .into_iter()
                .fold(0, |set, permission| set | permission.bit()),
        )
    }
}

impl ToSql for Permissions {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(i64::from(self.0)))
    }
}

impl FromSql for Permissions {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bits =
            u16::try_from(value.as_i64()?).map_err(|_| contradiction("set of permissions"))?;
        if Self::all().include(Self(bits)) {
            Ok(Self(bits))
        } else {
            Err(contradiction("set of permissions"))
        }
    }
}

/// The switch *Only Masters manage users* of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Managers {
    /// Off: Admins manage users as well.
    #[default]
    Admins,
    /// On: Admins neither manage users nor change roles.
    Masters,
}

impl Managers {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Admins, Self::Masters];

    /// The name in the file.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Admins => "admins",
            Self::Masters => "masters",
        }
    }
}

impl ToSql for Managers {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.slug()))
    }
}

impl FromSql for Managers {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let slug = value.as_str()?;
        Self::ALL
            .into_iter()
            .find(|one| one.slug() == slug)
            .ok_or_else(|| contradiction("who manages users"))
    }
}

/// What an account may do; exactly one per account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Reads resources.
    Member,
    /// And pays.
    Billing,
    /// Runs resources and people.
    Admin,
    /// Everything.
    Master,
}

impl Role {
    /// All of them, weakest first.
    pub const ALL: [Self; 4] = [Self::Member, Self::Billing, Self::Admin, Self::Master];

    /// The name for machines and forms.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Billing => "billing",
            Self::Admin => "admin",
            Self::Master => "master",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Member => "Member",
            Self::Billing => "Billing",
            Self::Admin => "Admin",
            Self::Master => "Master",
        }
    }

    /// What it allows, in a few words.
    #[must_use]
    pub const fn main_rights(self) -> &'static str {
        match self {
            Self::Member => "Read-only access to resources (get resources)",
            Self::Billing => "Manage billing + read resources",
            Self::Admin => "Manage resources + billing + users",
            Self::Master => "Full access: resources, billing, users",
        }
    }

    /// The same where it depends on who manages users: an Admin has fewer rights where only Masters do.
    #[must_use]
    pub const fn main_rights_under(self, managers: Managers) -> &'static str {
        match (self, managers) {
            (Self::Admin, Managers::Masters) => "Manage resources + billing",
            _ => self.main_rights(),
        }
    }

    /// Whom to give it to.
    #[must_use]
    pub const fn when_to_use(self) -> &'static str {
        match self {
            Self::Member => "Interns, read-only users",
            Self::Billing => "Accounting, finance",
            Self::Admin => "DevOps lead",
            Self::Master => "Account owner, CTO",
        }
    }

    /// What it allows.
    #[must_use]
    pub fn permissions(self, managers: Managers) -> Permissions {
        let upto = match (self, managers) {
            (Self::Member, _) => 1,
            (Self::Billing, _) => 2,
            (Self::Admin, Managers::Masters) => 5,
            (Self::Admin, Managers::Admins) => 7,
            (Self::Master, _) => 9,
        };
        Permission::ALL.into_iter().take(upto).collect()
    }

    /// The roles that hold a permission, weakest first.
    pub fn holding(permission: Permission, managers: Managers) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |role| role.permissions(managers).has(permission))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(key: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|role| role.key() == key)
            .ok_or(())
    }
}

impl ToSql for Role {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.key()))
    }
}

impl FromSql for Role {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(|()| contradiction("role"))
    }
}

/// The rule that makes escalation impossible: whoever acts must hold all that the other holds, or would be given.
#[must_use]
pub const fn may_act_on(own: Permissions, theirs: Permissions) -> bool {
    own.include(theirs)
}

/// Whom a refusal sends the visitor to: the roles that hold the permission, as a sentence.
#[must_use]
pub fn who_may(permission: Permission, managers: Managers) -> String {
    let roles: Vec<&str> = Role::holding(permission, managers)
        .map(Role::label)
        .collect();
    match roles.as_slice() {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_the_contracts() {
        for (managers, expected) in [
            (Managers::Admins, [1, 2, 7, 9]),
            (Managers::Masters, [1, 2, 5, 9]),
        ] {
            assert_eq!(
                Role::ALL.map(|role| role.permissions(managers).count()),
                expected
            );
        }
        let admin = Role::Admin.permissions(Managers::Masters);
        assert!(!admin.has(Permission::UsersManage) && !admin.has(Permission::RolesAssign));
    }

    #[test]
    fn nobody_acts_upwards() {
        for managers in [Managers::Admins, Managers::Masters] {
            for own in Role::ALL {
                for theirs in Role::ALL {
                    assert_eq!(
                        may_act_on(own.permissions(managers), theirs.permissions(managers)),
                        own >= theirs,
                        "{own} on {theirs}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_key_is_exact() {
        for wrong in ["Member", "MASTER", " admin", "admin ", "", "0", "owner"] {
            assert!(wrong.parse::<Role>().is_err(), "{wrong:?} was taken");
        }
    }
}
