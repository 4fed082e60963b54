//! Who may do what to whom: one function for each guard, and one that asks them all.
//!
//! Verbs ask inside the transaction of the change, from what the file says then; pages ask the same function for what
//! they offer, so that a menu and a refusal cannot differ.

use super::{Account, Status};
use crate::domain::id::AccountId;
use crate::domain::role::{Managers, Permission, Permissions, Role, may_act_on};

/// Nobody does any of it to themself.
pub const OWN_ACCOUNT: &str = "This is your own account. What you may change yourself is on your Account page; for the rest ask another \
                               Master.";
/// The owner stays, and stays a Master.
pub const OWNER_STAYS: &str = "This account owns the organisation. Nobody can disable, delete or demote it; the ownership can be handed \
                               over first, under Settings.";
/// Nobody in the organisation locks its owner out.
pub const OWNERS_OWN: &str =
    "This account owns the organisation: only its person and the operator can do this.";
/// An owner's invitation is the operator's.
pub const OWNERS_LINK: &str =
    "This account owns the organisation: only the operator sends its link.";
/// Somebody is left who can do everything.
pub const LAST_MASTER: &str = "This is the last Active Master. Make somebody else a Master first.";

/// What somebody wants to do to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Give it another role.
    ChangeRole(Role),
    /// Switch it off.
    Disable,
    /// Switch it on again.
    Enable,
    /// Let it stay: no date is set any more.
    Keep,
    /// Remove it.
    Delete,
    /// End its sessions.
    SignOut,
    /// Take its password away and hand out a link for another.
    ResetPassword,
    /// Take its second factor away.
    ResetTwoFactor,
    /// Send a new invitation.
    Resend,
    /// Show the invitation's link.
    CopyLink,
}

impl Deed {
    /// The permission it needs.
    #[must_use]
    pub const fn needs(self) -> Permission {
        match self {
            Self::ChangeRole(_) => Permission::RolesAssign,
            Self::Disable
            | Self::Enable
            | Self::Keep
            | Self::Delete
            | Self::SignOut
            | Self::ResetPassword
            | Self::ResetTwoFactor
            | Self::Resend
            | Self::CopyLink => Permission::UsersManage,
        }
    }
}

/// Whoever acts, and how things stand in their organisation: all that the guards look at beside the account itself.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Who acts; none: the operator.
    pub actor: Option<AccountId>,
    /// What they may do.
    pub permissions: Permissions,
    /// Who manages users in the organisation.
    pub managers: Managers,
    /// The account that owns the organisation.
    pub owner: AccountId,
    /// Whether that account is Active.
    pub is_owner_active: bool,
    /// How many Active Masters there are.
    pub masters: i64,
}

/// Asks every guard; the refusal says why, and what to do instead.
pub fn judge(standing: &Standing, account: &Account, deed: Deed) -> Result<(), String> {
    permission(standing, deed)?;
    not_oneself(standing, account)?;
    not_the_owner(standing, account, deed)?;
    state(account, deed)?;
    rule(standing, account.role)?;
    if let Deed::ChangeRole(role) = deed {
        given_role(standing.permissions, standing.managers, role)?;
    }
    keeps_a_master(standing, account, deed)
}

/// The permission itself.
pub fn permission(standing: &Standing, deed: Deed) -> Result<(), String> {
    if standing.permissions.has(deed.needs()) {
        return Ok(());
    }
    Err(format!(
        "Your role lacks the permission “{}”.",
        deed.needs().label()
    ))
}

/// Whether the account is in a state for it.
pub fn state(account: &Account, deed: Deed) -> Result<(), String> {
    let sentence = match (deed, account.status) {
        (_, Status::Deleted { .. }) => "This account is deleted.",
        (Deed::ResetTwoFactor, Status::Active) if account.has_two_factor => return Ok(()),
        (Deed::ResetTwoFactor, Status::Active) => {
            "This account has no second factor: there is nothing to reset."
        }
        (Deed::ResetTwoFactor, Status::Pending) => {
            "This account is Pending: nobody has set up a second factor with it yet."
        }
        (Deed::ResetTwoFactor, Status::Disabled { .. }) => {
            "This account is disabled: nobody can sign in with it. Enable it first."
        }
        (Deed::ChangeRole(_) | Deed::Delete, _)
        | (Deed::Disable | Deed::Keep | Deed::SignOut | Deed::ResetPassword, Status::Active)
        | (Deed::Enable, Status::Disabled { .. })
        | (Deed::Resend | Deed::CopyLink, Status::Pending) => return Ok(()),
        (Deed::Disable, Status::Pending) => {
            "A Pending account cannot be disabled: nobody can sign in with it yet. Delete it instead."
        }
        (Deed::Disable, Status::Disabled { .. }) => "This account is disabled already.",
        (Deed::Keep, Status::Pending) => {
            "This account is Pending: no date is set on which it leaves."
        }
        (Deed::Keep, Status::Disabled { .. }) => {
            "This account is disabled already. Enabling it lets its person sign in again."
        }
        (Deed::Enable, Status::Active) => "This account is not disabled.",
        (Deed::Enable, Status::Pending) => {
            "This account is Pending: its person activates it with the link of the invitation."
        }
        (Deed::SignOut, Status::Pending | Status::Disabled { .. }) => {
            "Nobody is signed in with this account: it is not Active."
        }
        (Deed::ResetPassword, Status::Pending) => {
            "This account is Pending: its person sets the first password. Resend the invitation instead."
        }
        (Deed::ResetPassword, Status::Disabled { .. }) => {
            "This account is disabled: its password opens nothing. Enable it first."
        }
        (Deed::Resend | Deed::CopyLink, Status::Active | Status::Disabled { .. }) => {
            "This account is activated already: it needs no invitation."
        }
    };
    Err(sentence.to_owned())
}

/// Nobody does any of it to themself.
pub fn not_oneself(standing: &Standing, account: &Account) -> Result<(), String> {
    if standing.actor == Some(account.id) {
        return Err(OWN_ACCOUNT.to_owned());
    }
    Ok(())
}

/// The owner is never disabled, deleted or demoted, by anybody; and only the operator does the rest to them.
pub fn not_the_owner(standing: &Standing, account: &Account, deed: Deed) -> Result<(), String> {
    if account.id != standing.owner {
        return Ok(());
    }
    let sentence = match deed {
        Deed::ChangeRole(_) | Deed::Disable | Deed::Enable | Deed::Keep | Deed::Delete => {
            OWNER_STAYS
        }
        Deed::SignOut
        | Deed::ResetPassword
        | Deed::ResetTwoFactor
        | Deed::Resend
        | Deed::CopyLink
            if standing.actor.is_none() =>
        {
            return Ok(());
        }
        Deed::SignOut | Deed::ResetPassword | Deed::ResetTwoFactor => OWNERS_OWN,
        Deed::Resend | Deed::CopyLink => OWNERS_LINK,
    };
    Err(sentence.to_owned())
}

/// Your own permissions include all of theirs.
pub fn rule(standing: &Standing, theirs: Role) -> Result<(), String> {
    if may_act_on(standing.permissions, theirs.permissions(standing.managers)) {
        return Ok(());
    }
    Err(format!("Only a {theirs} can do this to a {theirs}."))
}

/// Your own permissions include all that you give.
pub fn given_role(own: Permissions, managers: Managers, role: Role) -> Result<(), String> {
    if may_act_on(own, role.permissions(managers)) {
        return Ok(());
    }
    Err(format!("Only a {role} can give the permission {role}."))
}

/// Once its owner is Active, an organisation always keeps one Active Master.
pub fn keeps_a_master(standing: &Standing, account: &Account, deed: Deed) -> Result<(), String> {
    let takes_one = account.status == Status::Active
        && account.role == Role::Master
        && match deed {
            Deed::ChangeRole(role) => role != Role::Master,
            Deed::Disable | Deed::Delete => true,
            Deed::Enable
            | Deed::Keep
            | Deed::SignOut
            | Deed::ResetPassword
            | Deed::ResetTwoFactor
            | Deed::Resend
            | Deed::CopyLink => false,
        };
    if takes_one && standing.is_owner_active && standing.masters <= 1 {
        return Err(LAST_MASTER.to_owned());
    }
    Ok(())
}
