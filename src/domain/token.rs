//! Secrets that open something once shown: cookies and mailed links. The file keeps only their SHA-256.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use sha2::{Digest, Sha256};

use crate::kit::db::values::contradiction;
use crate::kit::db::{self, Tx};
use crate::kit::keys::{Keys, Use};
use crate::kit::random::{self, Random};
use crate::kit::secret::Secret;

/// What a mailed link does; part of what its token is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sets the first password.
    Activation,
    /// Sets another password.
    Reset,
    /// Gives an account another address.
    EmailChange,
    /// Lets somebody in, for the operator.
    SignIn,
}

/// 256 bits that open something; in memory and in the mail only.
#[derive(Clone, Debug)]
pub struct Token(Secret<[u8; 32]>);

impl Token {
    /// A new random one.
    pub fn new(random: &dyn Random) -> db::Result<Self> {
        Ok(Self(Secret::new(random::bytes(random)?)))
    }

    /// A new random one, inside a transaction.
    pub fn fresh(tx: &Tx<'_>) -> db::Result<Self> {
        Ok(Self(Secret::new(tx.random()?)))
    }

    /// The token of a mailed link: always the same for the same nonce, and worth nothing without the key.
    #[must_use]
    pub fn derived(keys: &Keys, purpose: Purpose, id: i64, nonce: Nonce) -> Self {
        let purpose: &[u8] = match purpose {
            Purpose::Activation => b"activation",
            Purpose::Reset => b"reset",
            Purpose::EmailChange => b"email change",
            Purpose::SignIn => b"sign in",
        };
        Self(Secret::new(
            keys.mac(Use::Links, &[purpose, &id.to_be_bytes(), &nonce.0]),
        ))
    }

    /// What the file keeps of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.reveal()).into())
    }

    /// How it stands in a cookie or a link: 43 signs of base64url.
    #[must_use]
    pub fn reveal(&self) -> String {
        BASE64URL_NOPAD.encode(self.0.reveal())
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| ())?;
        Ok(Self(Secret::new(bytes.try_into().map_err(|_| ())?)))
    }
}

macro_rules! blobs {
    ($($(#[$doc:meta])* $name:ident $size:literal $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name([u8; $size]);

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.0.as_slice()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_blob()?.try_into().map(Self).map_err(|_| contradiction($what))
            }
        }
    )*};
}

blobs! {
    /// The SHA-256 of a token: enough to recognise it, useless to forge it.
    TokenHash 32 "token hash";
    /// What distinguishes one link from the next of the same invitation.
    Nonce 16 "nonce";
}

impl Nonce {
    /// A new one.
    pub fn new(tx: &Tx<'_>) -> db::Result<Self> {
        Ok(Self(tx.random()?))
    }
}

impl TokenHash {
    /// The bytes, for values that are bound to the token's holder.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_bound_to_its_purpose_its_row_and_its_nonce() {
        let keys = Keys::new([7; 32]);
        let token = |purpose, id, nonce| Token::derived(&keys, purpose, id, Nonce(nonce)).reveal();
        let first = token(Purpose::Activation, 1, [1; 16]);
        assert_eq!(first, token(Purpose::Activation, 1, [1; 16]));
        assert_eq!(first.len(), 43);
        for other in [
            token(Purpose::Reset, 1, [1; 16]),
            token(Purpose::Activation, 2, [1; 16]),
            token(Purpose::Activation, 1, [2; 16]),
            Token::derived(&Keys::new([8; 32]), Purpose::Activation, 1, Nonce([1; 16])).reveal(),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn a_mangled_token_is_none() {
        let token = Token::new(&crate::kit::random::SeededRandom::new(1)).unwrap();
        let text = token.reveal();
        assert_eq!(text.parse::<Token>().unwrap().hash(), token.hash());
        for wrong in [
            &text.chars().take(42).collect::<String>(),
            "",
            "a",
            &format!("{text}A"),
            &text.replacen(|_| true, "*", 1),
        ] {
            assert!(wrong.parse::<Token>().is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let token = Token::new(&crate::kit::random::SeededRandom::new(1)).unwrap();
        assert_eq!(format!("{token:?}"), "Token([secret])");
    }
}
