//! What a Master does to somebody's account, one deed after the other, and how the account must stand after each.

use doorward::domain::id::AccountId;

use super::person::{Came, Person};
use crate::client::Client;
use crate::relay::Relay;

/// What is done to every account in the end, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    /// "Sign out everywhere."
    SignOut,
    /// Member becomes Admin.
    Promote,
    /// And Member again.
    Demote,
    /// Switched off.
    Disable,
    /// And on again.
    Enable,
    /// The password is taken away, a link is mailed.
    TakePassword,
    /// The person uses that link.
    SetAnother,
    /// Removed.
    Delete,
}

impl Deed {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 8] = [
        Self::SignOut,
        Self::Promote,
        Self::Demote,
        Self::Disable,
        Self::Enable,
        Self::TakePassword,
        Self::SetAnother,
        Self::Delete,
    ];

    /// Whether somebody should be signed in when it happens.
    pub(crate) const fn wants_session(self) -> bool {
        !matches!(self, Self::Enable | Self::SetAnother)
    }

    /// Whether it ends every session.
    pub(crate) const fn ends_sessions(self) -> bool {
        !matches!(self, Self::Promote | Self::Enable)
    }

    /// Its page, below the account's, and what is filled in there; none for what the person does.
    fn form(self, email: &str) -> Option<(&'static str, Vec<(&'static str, &str)>)> {
        Some(match self {
            Self::SignOut => ("sign-out", Vec::new()),
            Self::Promote => ("role", vec![("role", "admin")]),
            Self::Demote => ("role", vec![("role", "member")]),
            Self::Disable => ("disable", Vec::new()),
            Self::Enable => ("enable", Vec::new()),
            Self::TakePassword => ("reset-password", vec![("handover", "mail")]),
            Self::SetAnother => return None,
            Self::Delete => ("delete", vec![("email", email)]),
        })
    }
}

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its status.
    pub(crate) status: String,
    /// Its role.
    pub(crate) role: String,
    /// How often its sessions were ended.
    pub(crate) epoch: i64,
    /// Whether a password opens it.
    pub(crate) has_password: bool,
}

impl Standing {
    /// How it must stand after this.
    pub(crate) fn after(&self, deed: Deed) -> Self {
        let mut after = self.clone();
        after.epoch += i64::from(deed.ends_sessions());
        match deed {
            Deed::SignOut => {}
            Deed::Promote => "admin".clone_into(&mut after.role),
            Deed::Demote => "member".clone_into(&mut after.role),
            Deed::Disable => "disabled".clone_into(&mut after.status),
            Deed::Enable => "active".clone_into(&mut after.status),
            Deed::TakePassword => after.has_password = false,
            Deed::SetAnother => after.has_password = true,
            Deed::Delete => {
                "deleted".clone_into(&mut after.status);
                after.has_password = false;
            }
        }
        after
    }
}

/// An account in a Master's hands.
#[derive(Clone, Debug)]
pub(crate) struct Managed {
    /// Which.
    pub(crate) id: AccountId,
    /// How it stands, as far as anybody was told.
    pub(crate) standing: Standing,
    /// How many deeds are done.
    pub(crate) done: usize,
    /// The one that the server died over.
    pub(crate) perhaps: Option<Deed>,
}

impl Managed {
    /// What is done to it next; none when all is done.
    pub(crate) fn next(&self) -> Option<Deed> {
        Deed::ALL.get(self.done).copied()
    }

    /// Whether this was done.
    pub(crate) fn is_done(&self, deed: Deed) -> bool {
        Deed::ALL[..self.done].contains(&deed)
    }

    /// The server said so, or the file.
    pub(crate) fn did(&mut self, deed: Deed) {
        self.standing = self.standing.after(deed);
        self.done += 1;
        self.perhaps = None;
    }
}

/// Does the next deed to this person, who signs in first where that matters.
pub(crate) fn manage(person: &mut Person, master: &mut Client, relay: &Relay) -> Came {
    let managed = person.managed.as_ref().unwrap();
    let Some(deed) = managed.next() else {
        return Came::Finished;
    };
    if deed.wants_session() && person.session.is_none() {
        return person.sign_in();
    }
    let email = person.email.clone();
    let came = match deed.form(&email) {
        Some((page, fields)) => {
            let page = format!("/iam/accounts/{}/{page}", managed.id);
            fill_in(person, deed, master, &page, &fields)
        }
        None => person.set_a_third_password(relay),
    };
    if matches!(came, Came::Done) {
        person.managed.as_mut().unwrap().did(deed);
        if deed.ends_sessions() {
            person.ended.extend(person.session.take());
        }
    }
    came
}

fn fill_in(
    person: &mut Person,
    deed: Deed,
    master: &mut Client,
    page: &str,
    fields: &[(&str, &str)],
) -> Came {
    let Some(form) = master.try_get(page) else {
        return Came::ServerGone;
    };
    assert_eq!(form.status, 200, "{} {form:#?}", person.email);
    person.managed.as_mut().unwrap().perhaps = Some(deed);
    match master.try_post_form(page, fields) {
        None => Came::ServerGone,
        Some(answer) => {
            assert_eq!(answer.status, 303, "{} {deed:?} {answer:#?}", person.email);
            Came::Done
        }
    }
}
