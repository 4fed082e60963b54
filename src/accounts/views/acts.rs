//! What can be done with an account: the lines of its row's menu, and the buttons of its page.

use super::Viewer;
use crate::accounts::{Deed, Line};
use crate::kit::html::icon::Icon;
use crate::kit::html::menu::Item;
use crate::routes::Route;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Resend,
    Copy,
    Enable,
    ChangeRole,
    SignOut,
    ResetPassword,
    ResetTwoFactor,
    Disable,
    Delete,
}

impl Act {
    /// In the order of a menu: what can be taken back first.
    const ALL: [Self; 9] = [
        Self::Resend,
        Self::Copy,
        Self::Enable,
        Self::ChangeRole,
        Self::SignOut,
        Self::ResetPassword,
        Self::ResetTwoFactor,
        Self::Disable,
        Self::Delete,
    ];

    /// Whether somebody who looks at this line may do it. A dead link cannot be copied.
    fn is_open(self, line: &Line, viewer: &Viewer) -> bool {
        let account = &line.account;
        let deed = match self {
            Self::Resend => Deed::Resend,
            Self::Copy if line.link_expires_at.is_none_or(|at| at <= viewer.now) => return false,
            Self::Copy => Deed::CopyLink,
            Self::Enable => Deed::Enable,
            // Whether it may have another role at all: giving the one it has takes nothing from anybody.
            Self::ChangeRole => Deed::ChangeRole(account.role),
            Self::SignOut => Deed::SignOut,
            Self::ResetPassword => Deed::ResetPassword,
            Self::ResetTwoFactor => Deed::ResetTwoFactor,
            Self::Disable => Deed::Disable,
            Self::Delete => Deed::Delete,
        };
        viewer.may(account, deed)
    }
}

/// What can be done with one account, as addresses: the lines of a menu borrow them.
pub(super) struct Acts(Vec<(Act, String)>);

impl Acts {
    /// By status and by rights.
    pub(super) fn of(line: &Line, viewer: &Viewer) -> Self {
        let id = line.account.id;
        let open = Act::ALL
            .into_iter()
            .filter(|act| act.is_open(line, viewer))
            .map(|act| {
                let route = match act {
                    Act::Resend => Route::ResendInvitation(id),
                    Act::Copy => Route::CopyLink(id),
                    Act::Enable => Route::EnableAccount(id),
                    Act::ChangeRole => Route::ChangeRole(id),
                    Act::SignOut => Route::SignOutAccount(id),
                    Act::ResetPassword => Route::ResetAccountPassword(id),
                    Act::ResetTwoFactor => Route::ResetAccountTwoFactor(id),
                    Act::Disable => Route::DisableAccount(id),
                    Act::Delete => Route::DeleteAccount(id),
                };
                (act, route.to_string())
            });
        Self(open.collect())
    }

    /// Where this is done; none when it is not to be done.
    pub(super) fn to(&self, act: Act) -> Option<&str> {
        let found = self.0.iter().find(|(one, _)| *one == act);
        found.map(|(_, href)| href.as_str())
    }

    pub(super) fn has(&self, act: Act) -> bool {
        self.to(act).is_some()
    }

    /// All of them, in order.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Act> {
        self.0.iter().map(|(act, _)| *act).collect()
    }

    /// The menu of a row; what cannot be taken back, or locks somebody out, stands below a line.
    pub(super) fn menu(&self) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        for (act, href) in &self.0 {
            if matches!(act, Act::Disable | Act::Delete)
                && !matches!(items.last(), None | Some(Item::Danger { .. }))
            {
                items.push(Item::Rule);
            }
            items.push(item(*act, href));
        }
        items
    }
}

fn item(act: Act, href: &str) -> Item<'_> {
    let post = |icon, label| Item::Post {
        icon,
        label,
        action: href,
    };
    let dialog = |icon, label| Item::Dialog { icon, label, href };
    let danger = |icon, label| Item::Danger { icon, label, href };
    match act {
        Act::Resend => post(Icon::RefreshCw, "Resend invitation"),
        Act::Copy => post(Icon::Link, "Copy activation link"),
        Act::Enable => dialog(Icon::CircleCheck, "Enable"),
        Act::ChangeRole => dialog(Icon::UserRoundCog, "Change permission…"),
        Act::SignOut => dialog(Icon::LogOut, "Sign out everywhere"),
        Act::ResetPassword => dialog(Icon::KeyRound, "Reset password…"),
        Act::ResetTwoFactor => dialog(Icon::Smartphone, "Reset two-factor…"),
        Act::Disable => danger(Icon::Ban, "Disable…"),
        Act::Delete => danger(Icon::Trash2, "Delete…"),
    }
}
