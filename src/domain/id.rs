//! Ids: random 63-bit integers, shown as a prefix and 13 letters. Never reused, and they tell nothing of how
//! many there are.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::kit::db::{self, Tx};

/// Crockford's idea with our alphabet: 32 signs that no eye takes for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const LETTERS: usize = 13;

fn encode(id: i64) -> String {
    let mut rest = id.cast_unsigned();
    let mut letters = [b'a'; LETTERS];
    for letter in letters.iter_mut().rev() {
        let digit = usize::try_from(rest % 32).unwrap_or_default();
        *letter = ALPHABET.get(digit).copied().unwrap_or(b'a');
        rest /= 32;
    }
    letters.iter().copied().map(char::from).collect()
}

fn decode(text: &str) -> Option<i64> {
    if text.len() != LETTERS {
        return None;
    }
    let mut id = 0_u64;
    for byte in text.bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        id = id
            .checked_mul(32)?
            .checked_add(u64::try_from(digit).ok()?)?;
    }
    i64::try_from(id).ok().filter(|id| *id > 0)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(i64);

        impl $name {
            /// A new one, never used before.
            pub fn new(tx: &Tx<'_>) -> db::Result<Self> {
                let [a, b, c, d, e, f, g, h] = tx.random()?;
                // The sign bit stays clear, and zero means "the system" elsewhere.
                Ok(Self((i64::from_be_bytes([a, b, c, d, e, f, g, h]) & i64::MAX).max(1)))
            }

            /// The number that stands in the file.
            #[must_use]
            pub const fn number(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                text.strip_prefix($prefix).and_then(|rest| rest.strip_prefix('_')).and_then(decode).map(Self).ok_or(())
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.0))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    )*};
}

ids! {
    /// An organisation.
    OrganisationId "org";
    /// An account, for ever: a tombstone keeps it.
    AccountId "acc";
    /// An invitation.
    InvitationId "inv";
    /// A list of people who are invited together.
    ImportId "imp";
    /// A request to set a new password.
    ResetId "rst";
    /// A change of address that waits to be confirmed.
    EmailChangeId "chg";
    /// A link by which the operator lets somebody in.
    SignInLinkId "way";
    /// A session; not the secret in its cookie.
    SessionId "ses";
    /// A mail that is owed.
    ErrandId "mail";
    /// A plan of the catalogue.
    PlanId "plan";
    /// Something that the organisation has and pays for.
    ResourceId "res";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_itself_and_as_nothing_else() {
        for number in [1, 31, 32, 33, i64::MAX - 1, i64::MAX] {
            let id = AccountId(number);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(id.to_string().len(), 4 + LETTERS);
            assert_eq!(id.to_string().parse::<OrganisationId>(), Err(()));
        }
        for wrong in [
            "",
            "acc_",
            "acc_aaaaaaaaaaaaa",
            "acc_AAAAAAAAAAAAB",
            "acc_zzzzzzzzzzzzz",
            "accbbbbbbbbbbbbbb",
            "acc_bbbbbbbbbbbbbb",
        ] {
            assert_eq!(wrong.parse::<AccountId>(), Err(()), "{wrong}");
        }
    }
}
