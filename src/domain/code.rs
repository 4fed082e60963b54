//! What people type as their second factor: six digits of an app, or one of ten recovery codes.

use std::fmt;

use crate::kit::db::{self, Tx};
use crate::kit::keys::{Keys, Use};
use crate::kit::secret::Secret;

use super::id::AccountId;

/// How many recovery codes there are beside a factor.
pub const RECOVERY_CODES: usize = 10;
/// 32 signs that no eye takes for each other, each worth five bits.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// Signs of a recovery code, in two groups.
const LETTERS: usize = 8;
const DIGITS: usize = 6;

/// What was typed into the field of the code.
#[derive(Clone, Debug)]
pub enum Code {
    /// Six digits, of an app.
    App(Secret<String>),
    /// A recovery code, by its form.
    Recovery(RecoveryCode),
}

impl Code {
    /// Reads it. Spaces and hyphens are tolerated anywhere, and capitals in a recovery code.
    pub fn typed(text: &str) -> Result<Self, String> {
        let plain: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '\t' | '\u{a0}'))
            .collect();
        if plain.is_empty() {
            return Err("Enter the code.".to_owned());
        }
        if plain.len() == DIGITS && plain.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self::App(Secret::new(plain)));
        }
        // The alphabet has no o: whoever types one means the nought.
        let lower = plain.to_ascii_lowercase().replace('o', "0");
        if lower.len() == LETTERS && lower.bytes().all(|b| ALPHABET.contains(&b)) {
            return Ok(Self::Recovery(RecoveryCode(Secret::new(lower))));
        }
        Err(
            "A code of the app has 6 digits, a recovery code has 8 letters and digits, like k7mq-2vfd."
                .to_owned(),
        )
    }
}

/// One recovery code: eight signs, 40 bits.
#[derive(Clone, Debug)]
pub struct RecoveryCode(Secret<String>);

impl RecoveryCode {
    /// A new one.
    pub fn new(tx: &Tx<'_>) -> db::Result<Self> {
        let bytes: [u8; LETTERS] = tx.random()?;
        // 256 is a multiple of 32: no sign is likelier than another.
        let letters = bytes.iter().map(|byte| {
            let place = usize::from(byte % 32);
            char::from(ALPHABET.get(place).copied().unwrap_or(b'a'))
        });
        Ok(Self(Secret::new(letters.collect())))
    }

    /// As it is shown: two groups of four.
    #[must_use]
    pub fn shown(&self) -> String {
        let (first, second) = self.0.reveal().split_at_checked(4).unwrap_or_default();
        format!("{first}-{second}")
    }

    /// What the file keeps: worth nothing without the key, so that 40 bits cannot be tried out on a stolen file.
    #[must_use]
    pub fn mac(&self, keys: &Keys, account: AccountId) -> [u8; 32] {
        let account = account.number().to_be_bytes();
        keys.mac(Use::Recovery, &[&account, self.0.reveal().as_bytes()])
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[code]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(text: &str) -> Option<String> {
        match Code::typed(text) {
            Ok(Code::App(code)) => Some(code.reveal().clone()),
            _ => None,
        }
    }

    fn recovery(text: &str) -> Option<String> {
        match Code::typed(text) {
            Ok(Code::Recovery(code)) => Some(code.shown()),
            _ => None,
        }
    }

    #[test]
    fn spaces_are_tolerated_and_nothing_else_is() {
        for good in [
            "123456",
            "123 456",
            " 1 2 3 4 5 6 ",
            "123-456",
            "123\u{a0}456",
        ] {
            assert_eq!(app(good).as_deref(), Some("123456"), "{good:?}");
        }
        assert_eq!(app("000000").as_deref(), Some("000000"));
        assert_eq!(recovery("O7mq-2vfo").as_deref(), Some("07mq-2vf0"));
        for good in ["k7mq-2vfd", "K7MQ 2VFD", "k7mq2vfd"] {
            assert_eq!(recovery(good).as_deref(), Some("k7mq-2vfd"), "{good:?}");
        }
        for bad in [
            "",
            "  ",
            "12345",
            "1234567",
            "-1",
            "１２３４５６",
            "٠١٢٣٤٥",
            "12345a",
            "+12345",
            "1e5000",
            "k7mq-2vf",
            "k7mq-2vfdx",
            "k7mq-2vfi",
            "k7mq-2vfl",
            "k7mq-2vf1",
            "123456\0",
            "12\n3456",
        ] {
            assert!(Code::typed(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_code_of_one_account_is_none_of_another() {
        let Ok(Code::Recovery(code)) = Code::typed("k7mq-2vfd") else {
            panic!("it is a recovery code");
        };
        let keys = Keys::new([7; 32]);
        let account = |id: &str| id.parse::<AccountId>().unwrap();
        let (one, other) = (account("acc_aaaaaaaaaaaab"), account("acc_aaaaaaaaaaaac"));
        assert_eq!(code.mac(&keys, one), code.mac(&keys, one));
        assert_ne!(code.mac(&keys, one), code.mac(&keys, other));
        assert_ne!(code.mac(&keys, one), code.mac(&Keys::new([8; 32]), one));
    }
}
