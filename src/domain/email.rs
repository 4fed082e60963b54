//! An e-mail address with one spelling.

use std::fmt;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::kit::db::values::contradiction;

/// The longest address that SMTP carries (RFC 5321, 4.5.3.1.3, less the angle brackets).
const LENGTH_MAX: usize = 254;
/// The longest local part (RFC 5321, 4.5.3.1.1).
const LOCAL_MAX: usize = 64;

/// An address: trimmed, lower case, ASCII local part, domain in IDNA ASCII. Plus signs and dots stay distinct.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

impl Email {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// What stands behind the `@`, in IDNA ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Enter an email address.".to_owned());
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err("An email address has an @ in it, like name@company.com.".to_owned());
        };
        // Judged before the case is folded: the Kelvin sign would fold to an ASCII k.
        if !local.is_ascii() {
            return Err(
                "The part before the @ can hold only plain letters, digits and signs.".to_owned(),
            );
        }
        let not_valid =
            || "This is not a valid email address. Check it for typing mistakes.".to_owned();
        let domain = Uts46::new()
            .to_ascii(
                domain.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::CheckFirstLast,
                DnsLength::Verify,
            )
            .map_err(|_| not_valid())?;
        let address = format!("{}@{}", local.to_ascii_lowercase(), domain);
        if address.len() > LENGTH_MAX || local.len() > LOCAL_MAX {
            return Err(
                "This email address is too long: at most 254 characters, 64 of them before the @."
                    .to_owned(),
            );
        }
        let is_plain = local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b));
        let has_dots_apart =
            !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
        let is_named = domain.contains('.')
            && !domain.ends_with('.')
            && !domain.rsplit('.').next().is_some_and(is_number);
        if local.is_empty() || !is_plain || !has_dots_apart || !is_named {
            return Err(not_valid());
        }
        if !email_address::EmailAddress::is_valid(&address) {
            return Err(not_valid());
        }
        Ok(Self(address))
    }
}

/// A last label of digits alone is an IPv4 address, not a name.
fn is_number(label: &str) -> bool {
    label.bytes().all(|b| b.is_ascii_digit())
}

impl ToSql for Email {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Email {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map_err(|_| contradiction("address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        for (typed, kept) in [
            (" Ann@Example.COM ", "ann@example.com"),
            ("a+1@x.example", "a+1@x.example"),
            ("a.b@x.example", "a.b@x.example"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("ann@ＥＸＡＭＰＬＥ.com", "ann@example.com"),
        ] {
            assert_eq!(typed.parse::<Email>().unwrap().as_str(), kept);
        }
    }

    #[test]
    fn what_could_reach_another_mailbox_or_another_header_is_refused() {
        for wrong in [
            "",
            "ann",
            "@x.example",
            "ann@",
            "ann@x",
            "a@b@c.example",
            "ann@x..example",
            "ann@.example",
            ".ann@x.example",
            "ann.@x.example",
            "an..n@x.example",
            "ann@[127.0.0.1]",
            "ann@127.0.0.1",
            "\"ann\"@x.example",
            "ann(c)@x.example",
            "ann@x.example\r\nBcc: b@x.example",
            "an\nn@x.example",
            "an\0n@x.example",
            "an\tn@x.example",
            "an n@x.example",
            "<ann@x.example>",
            "ann,b@x.example",
            "ann;b@x.example",
            "ann@x.example,",
            "änn@x.example",
            "\u{212a}im@x.example",
            "ann@x.example.",
            "ann@-x.example",
            "ann@x_y.example",
            "ann@\u{200b}.example",
        ] {
            assert!(wrong.parse::<Email>().is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn the_length_is_exact() {
        let local = "a".repeat(64);
        let label = "b".repeat(63);
        let domain = format!("{label}.{label}.{}", "c".repeat(61));
        let exact = format!("{local}@{domain}");
        assert_eq!(exact.len(), 254);
        assert!(exact.parse::<Email>().is_ok());
        assert!(format!("{local}@{domain}c").parse::<Email>().is_err());
        assert!(format!("{local}a@x.example").parse::<Email>().is_err());
    }
}
