//! Several accounts at once: resend, disable, sign out. Owns no table; each account is a deed of its own, by the same verb
//! and the same guards, with its own record, and all of them are one transaction.

pub mod pages;
pub mod views;

use crate::accounts::{self, Account, Deed};
use crate::audit::Audited;
use crate::domain::id::AccountId;
use crate::error::{Error, Result};
use crate::invitations::{self, Terms};
use crate::kit::db::{Read, Tx};
use crate::lifecycle;
use crate::scope::{Allowed, ManageAccounts};

/// The most that are chosen together: a page of the list.
pub const SELECTED_MAX: usize = 50;

/// What is done to all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Send a new invitation.
    Resend,
    /// Switch them off.
    Disable,
    /// End their sessions.
    SignOut,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Resend, Self::Disable, Self::SignOut];

    /// The value in the form.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Disable => "disable",
            Self::SignOut => "sign-out",
        }
    }

    /// The deed to each.
    #[must_use]
    pub const fn deed(self) -> Deed {
        match self {
            Self::Resend => Deed::Resend,
            Self::Disable => Deed::Disable,
            Self::SignOut => Deed::SignOut,
        }
    }
}

/// Whether one of them can have it done.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Which.
    pub account: Account,
    /// Why not; none when it can.
    pub refusal: Option<String>,
}

/// What the guards say of each. One of another organisation is not found; one that was deleted meanwhile is said to be.
pub fn judge(
    read: &Read<'_>,
    by: &Allowed<ManageAccounts>,
    act: Act,
    ids: &[AccountId],
) -> Result<Vec<Verdict>> {
    ids.iter()
        .map(|id| {
            let account =
                accounts::find_in(read, by.organisation(), *id)?.ok_or(Error::NotFound)?;
            let refusal = match accounts::permitted(read, by, *id, act.deed()) {
                Ok(_) => None,
                Err(Error::NotFound) => Some("This account is deleted.".to_owned()),
                Err(Error::Refused(sentence)) => Some(sentence),
                Err(error) => return Err(error),
            };
            Ok(Verdict { account, refusal })
        })
        .collect()
}

/// How the accounts stood when somebody was asked about them: what must still be so when it is done.
#[must_use]
pub fn stamp(verdicts: &[Verdict]) -> String {
    let stamps: Vec<String> = verdicts
        .iter()
        .map(|one| format!("{}.{}", one.account.status.slug(), one.account.role.key()))
        .collect();
    stamps.join(" ")
}

/// The field that carries the stamp.
pub const SEEN_FIELD: &str = "seen";
/// What is said when they stand otherwise.
const CHANGED: &str = "Something has changed since this page was opened, so nothing was done yet. Look through it again, and confirm it then.";

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// To whom.
    pub done: Vec<Account>,
    /// To whom not, and why.
    pub left_out: Vec<(Account, String)>,
}

/// Does it to all of them that were seen as they are. Whoever a cap or the last Master's guard stops is left out; none when
/// all are. Where one of them stands otherwise than was seen, nothing is done to any.
pub fn perform(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    (act, ids): (Act, &[AccountId]),
    seen: &str,
    terms: Terms,
) -> Result<(Done, Option<Audited<()>>)> {
    let verdicts = judge(tx, by, act, ids)?;
    if stamp(&verdicts) != seen || verdicts.iter().any(|one| one.refusal.is_some()) {
        return Err(Error::invalid(SEEN_FIELD, CHANGED));
    }
    let mut result = Done::default();
    let mut recorded = None;
    for Verdict { account, .. } in verdicts {
        let done = tx.attempt(|| match act {
            Act::Resend => invitations::resend(tx, by, account.id, terms),
            Act::Disable => lifecycle::disable(tx, by, account.id),
            Act::SignOut => lifecycle::sign_out(tx, by, account.id),
        });
        match done {
            Ok(audited) => {
                recorded = Some(audited.map(|_| ()));
                result.done.push(account);
            }
            Err(Error::Refused(sentence) | Error::TooMany { sentence, .. }) => {
                result.left_out.push((account, sentence));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((result, recorded))
}
