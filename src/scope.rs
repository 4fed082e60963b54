//! Who asks, for which organisation, and what they may do.
//!
//! A [`Scope`] is a full sign-in, read from the database at each request. Whoever still owes a code is a [`Half`], whoever
//! must set up a second factor first an [`Enrolling`]: neither is a `Scope`, nor becomes one, so that no page forgets the
//! second factor. [`Allowed`] proves that its holder has the right it names: verbs take it, and it carries the
//! organisation, so that no query can name another.

use std::marker::PhantomData;
use std::net::IpAddr;

use crate::domain::email::Email;
use crate::domain::id::{AccountId, OrganisationId, SessionId};
use crate::domain::policy::{Protection, Trust};
use crate::domain::role::{Managers, Permission, Permissions, Role};
use crate::domain::text::{OrganisationName, PersonName};
use crate::domain::token::TokenHash;
use crate::error::{Error, Result};
use crate::kit::time::{MINUTE, Timestamp};

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
    /// When its holder last showed a password or a code.
    pub proved_at: Timestamp,
    /// Where the account stands with its second factor.
    pub protection: Protection,
}

/// How long a password or a code that was shown is proof enough for a dangerous act.
pub const PROOF_TTL: i64 = 10 * MINUTE;

/// Somebody whose session may do nothing but set up a second factor: one is required, and the grace is over.
///
/// ```compile_fail
/// use doorward::scope::{Enrolling, Scope};
///
/// fn forgetful(enrolling: Enrolling) -> Scope {
///     // The scope inside does not come out.
///     enrolling.scope
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Enrolling {
    scope: Scope,
}

impl Enrolling {
    /// Whoever the session is of.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self { scope }
    }

    /// What the set-up needs to know of them.
    #[must_use]
    pub fn enroller(&self) -> Enroller {
        Enroller::from(&self.scope)
    }
}

/// Somebody who may set up a second factor: whoever is signed in, whether or not they must.
#[derive(Clone, Debug)]
pub struct Enroller {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: PersonName,
    /// Its address.
    pub email: Email,
    /// Its role.
    pub role: Role,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The organisation's name.
    pub organisation_name: OrganisationName,
    /// The zone in which they read times.
    pub time_zone: String,
    /// The session.
    pub session: SessionId,
    /// When they last showed a password or a code.
    pub proved_at: Timestamp,
    /// Where the account stands with its second factor.
    pub protection: Protection,
}

impl From<&Scope> for Enroller {
    fn from(scope: &Scope) -> Self {
        Self {
            account: scope.account,
            name: scope.name.clone(),
            email: scope.email.clone(),
            role: scope.role,
            organisation: scope.organisation,
            organisation_name: scope.organisation_name.clone(),
            time_zone: scope.time_zone.clone(),
            session: scope.session,
            proved_at: scope.proved_at,
            protection: scope.protection,
        }
    }
}

impl Enroller {
    /// Whether they showed who they are a moment ago.
    #[must_use]
    pub const fn is_proven(&self, now: Timestamp) -> bool {
        now.since(self.proved_at) < PROOF_TTL
    }
}

/// Somebody whose password was right, and who owes a code. Not signed in.
#[derive(Clone, Debug)]
pub struct Half {
    /// The account.
    pub account: AccountId,
    /// Its address.
    pub email: Email,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The zone in which they read times.
    pub time_zone: String,
    /// Whether the policy lets them trust this browser.
    pub trust: Trust,
    /// What it is found by.
    pub hash: TokenHash,
}

/// Whoever a cookie says holds it.
#[derive(Clone, Debug)]
pub enum Holder {
    /// Signed in.
    Full(Scope),
    /// Signed in, and reaches the set-up of the second factor alone.
    Enrolling(Enrolling),
    /// Owes the code.
    Half(Half),
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

    /// The same request, done by nobody we know yet: whoever signs in, whoever was signed in there before.
    #[must_use]
    pub fn stranger(&self) -> Self {
        Self {
            actor: Actor::Stranger,
            ..self.clone()
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
    /// Disable, enable, delete, resend, copy the link, sign out, reset the password or the second factor.
    ManageAccounts [UsersManage];
    /// Give another role.
    AssignRoles [RolesAssign];
    /// Settings, security policy, ownership.
    ManageOrganisation [OrganisationManage];
    /// See and retry the organisation's mail.
    ReadMail [UsersManage];
    /// See who did what.
    ReadAudit [AuditRead];
    /// See what the organisation has.
    ReadResources [ResourcesRead];
    /// Create, change, hand over and end it.
    ManageResources [ResourcesManage];
    /// The bill, its invoices, the budget.
    ManageBilling [BillingManage];
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

    /// The right of somebody whose deed goes on without them. What they may do by now is for the caller to have read from
    /// the file, in the transaction of the deed.
    pub fn of_absent(
        by: By,
        organisation: OrganisationId,
        permissions: Permissions,
        managers: Managers,
    ) -> Result<Self> {
        for permission in R::NEEDS {
            if !permissions.has(*permission) {
                return Err(Error::Forbidden(*permission));
            }
        }
        Ok(Self {
            by,
            organisation,
            permissions,
            managers,
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

    /// The background thread does what somebody ordered before, with what they may do today.
    pub fn in_the_name_of(
        organisation: OrganisationId,
        permissions: Permissions,
        managers: Managers,
    ) -> Result<Self> {
        for permission in R::NEEDS {
            if !permissions.has(*permission) {
                return Err(Error::Forbidden(*permission));
            }
        }
        Ok(Self {
            by: By::system(),
            organisation,
            permissions,
            managers,
            right: PhantomData,
        })
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
