//! Who asks, for which organisation, and what they may do.
//!
//! A [`Scope`] is a full sign-in, read from the database at each request. [`Allowed`] proves that its holder has
//! the right it names: verbs take it, and it carries the organisation, so that no query can name another.

use std::marker::PhantomData;
use std::net::IpAddr;

use crate::domain::email::Email;
use crate::domain::id::{AccountId, OrganisationId, SessionId};
use crate::domain::role::{Managers, Permission, Permissions, Role};
use crate::domain::text::{OrganisationName, PersonName};
use crate::error::{Error, Result};

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: PersonName,
    /// Its address.
    pub email: Email,
    /// The role it has now; what it may do is in `permissions`.
    pub role: Role,
    /// What it could do when it signed in: a gain waits for the next sign-in.
    pub permissions: Permissions,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The organisation's name.
    pub organisation_name: OrganisationName,
    /// Who manages users there.
    pub managers: Managers,
    /// The zone in which they read times: their own, or else the organisation's.
    pub time_zone: String,
    /// Whether single keys do something on their pages.
    pub has_shortcuts: bool,
    /// The session.
    pub session: SessionId,
}

/// Who did it, for the audit log.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A person with an account.
    Account {
        /// Which.
        id: AccountId,
        /// The address it had then.
        email: Email,
        /// In which session; none for what a link did.
        session: Option<SessionId>,
    },
    /// Whoever runs the binary.
    Operator,
    /// The background thread.
    System,
    /// Nobody we know.
    Stranger,
}

/// Who acts, from where, in which request.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// The network address; none on the command line.
    pub address: Option<IpAddr>,
    /// The request's id; empty on the command line.
    pub request_id: String,
}

impl By {
    /// The background thread.
    #[must_use]
    pub const fn system() -> Self {
        Self {
            actor: Actor::System,
            address: None,
            request_id: String::new(),
        }
    }

    /// The operator, on the command line.
    #[must_use]
    pub const fn operator() -> Self {
        Self {
            actor: Actor::Operator,
            address: None,
            request_id: String::new(),
        }
    }

    /// The account that acts, when one does.
    #[must_use]
    pub const fn account(&self) -> Option<AccountId> {
        match &self.actor {
            Actor::Account { id, .. } => Some(*id),
            Actor::Operator | Actor::System | Actor::Stranger => None,
        }
    }

    /// The same request, done by this account.
    #[must_use]
    pub fn account_of(&self, id: AccountId, email: Email) -> Self {
        Self {
            actor: Actor::Account {
                id,
                email,
                session: None,
            },
            ..self.clone()
        }
    }
}

/// A right: the permissions that an act needs.
pub trait Right {
    /// All of these.
    const NEEDS: &'static [Permission];
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident [$($permission:ident),+];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Right for $name {
            const NEEDS: &'static [Permission] = &[$(Permission::$permission),+];
        }
    )*};
}

rights! {
    /// See the accounts and roles.
    ListAccounts [UsersList];
    /// See one account.
    ReadAccount [UsersRead];
    /// Create an account and invite its person.
    InviteAccounts [UsersManage, RolesAssign];
    /// Disable, enable, delete, resend, copy the link, sign out, reset the password.
    ManageAccounts [UsersManage];
    /// Give another role.
    AssignRoles [RolesAssign];
    /// Settings, security policy, ownership.
    ManageOrganisation [OrganisationManage];
    /// See and retry the organisation's mail.
    ReadMail [UsersManage];
}

/// Proof that whoever acts has the right `R`, in this organisation.
#[derive(Debug)]
pub struct Allowed<R: Right> {
    by: By,
    organisation: OrganisationId,
    permissions: Permissions,
    managers: Managers,
    right: PhantomData<R>,
}

impl<R: Right> Allowed<R> {
    /// The right, if their session carries it.
    pub fn to(scope: &Scope, by: &By) -> Result<Self> {
        for permission in R::NEEDS {
            if !scope.permissions.has(*permission) {
                return Err(Error::Forbidden(*permission));
            }
        }
        Ok(Self {
            by: by.clone(),
            organisation: scope.organisation,
            permissions: scope.permissions,
            managers: scope.managers,
            right: PhantomData,
        })
    }

    /// The operator may do everything, in the organisation they name.
    #[must_use]
    pub fn operator(organisation: OrganisationId) -> Self {
        Self {
            by: By::operator(),
            organisation,
            permissions: Permissions::all(),
            managers: Managers::default(),
            right: PhantomData,
        }
    }

    /// Who acts.
    #[must_use]
    pub const fn by(&self) -> &By {
        &self.by
    }

    /// In which organisation.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// What they may do: for the rule "your own permissions include all of theirs".
    #[must_use]
    pub const fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// Who manages users in the organisation.
    #[must_use]
    pub const fn managers(&self) -> Managers {
        self.managers
    }
}
