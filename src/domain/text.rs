//! Names and telephone numbers.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::kit::db::values::contradiction;

/// The longest name, in code points.
const NAME_MAX: usize = 100;

/// Cleans one line of text: trimmed, runs of blanks folded. Refuses what could hide, reorder or link.
fn line(text: &str, what: &str) -> Result<String, String> {
    let text = text
        .split(char::is_whitespace)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if text.is_empty() {
        return Err(format!("Enter {what}."));
    }
    if text.chars().count() > NAME_MAX {
        return Err(format!("At most {NAME_MAX} characters."));
    }
    if text.chars().any(is_unseen) {
        return Err("This holds characters that cannot be seen. Type it anew.".to_owned());
    }
    let folded = text.to_lowercase();
    if folded.contains("://") || folded.contains("www.") {
        return Err("A name cannot hold a web address.".to_owned());
    }
    if !text.chars().any(char::is_alphanumeric) {
        return Err("A name needs at least one letter or digit.".to_owned());
    }
    Ok(text)
}

/// Controls, and what has no width or reorders its neighbours: two names that look alike must be alike.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                line(text, $what).map(Self)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                line(value.as_str()?, $what).map(Self).map_err(|_| contradiction("name"))
            }
        }
    )*};
}

texts! {
    /// A person's name, 1 to 100 code points.
    PersonName "a name";
    /// An organisation's name, 1 to 100 code points.
    OrganisationName "the organisation's name";
    /// A resource's name, 1 to 100 code points.
    ResourceName "a name";
    /// The name of a kind of thing or of a plan in the catalogue, 1 to 100 code points.
    CatalogueName "a name";
}

impl PersonName {
    /// The first word: how the house greets.
    #[must_use]
    pub fn first(&self) -> &str {
        self.0.split(' ').next().unwrap_or(&self.0)
    }

    /// One or two letters for the avatar.
    #[must_use]
    pub fn initials(&self) -> String {
        let mut words = self
            .0
            .split(' ')
            .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
        let first = words.next();
        let last = words.next_back();
        first
            .into_iter()
            .chain(last)
            .flat_map(char::to_uppercase)
            .collect()
    }
}

/// A telephone number in E.164: a plus sign and 7 to 15 digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// The number, `+` first.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as people read it: the country's code, then groups of three where that comes out even, else of two
    /// and four. Spaces within are ours: each country has its own, and a table of them would be out of date.
    #[must_use]
    pub fn spaced(&self) -> String {
        let mut digits: VecDeque<char> = self.0.chars().skip(1).collect();
        let code: String = digits.iter().take(3).collect();
        let mut spaced = String::from("+");
        spaced.extend(digits.drain(..code_length(&code).min(digits.len())));
        while !digits.is_empty() {
            let group = match digits.len() {
                left @ (1 | 2 | 4) => left,
                5 => 2,
                _ => 3,
            };
            spaced.push(' ');
            spaced.extend(digits.drain(..group));
        }
        spaced
    }
}

/// How many digits a country's code has (ITU-T E.164, the zones and their exceptions).
fn code_length(start: &str) -> usize {
    const TWO: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 \
                       66 81 82 84 86 90 91 92 93 94 95 98";
    if start.starts_with(['1', '7']) {
        1
    } else if TWO.split_whitespace().any(|code| start.starts_with(code)) {
        2
    } else {
        3
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Phone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}'))
            .collect();
        let is_e164 = digits.strip_prefix('+').is_some_and(|rest| {
            (7..=15).contains(&rest.len())
                && rest.bytes().all(|b| b.is_ascii_digit())
                && !rest.starts_with('0')
        });
        if !is_e164 {
            return Err("Write the number with its country code, like +47 922 41 108.".to_owned());
        }
        Ok(Self(digits))
    }
}

impl ToSql for Phone {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Phone {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map_err(|_| contradiction("telephone number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_visible_line() {
        assert_eq!(
            "  Nguyễn   Thị\tHương "
                .parse::<PersonName>()
                .unwrap()
                .as_str(),
            "Nguyễn Thị Hương"
        );
        assert_eq!(
            "Ingrid Solheim".parse::<PersonName>().unwrap().initials(),
            "IS"
        );
        assert_eq!("Cher".parse::<PersonName>().unwrap().initials(), "C");
        for wrong in [
            "",
            " ",
            "\u{202e}nnA",
            "A\u{200b}nn",
            "see http://x",
            "WWW.x",
            "a\0b",
            "--",
            "\u{e0041}x",
        ] {
            assert!(wrong.parse::<PersonName>().is_err(), "{wrong:?} was taken");
        }
        assert!("x".repeat(100).parse::<OrganisationName>().is_ok());
        assert!("x".repeat(101).parse::<OrganisationName>().is_err());
    }

    #[test]
    fn a_number_is_read_in_groups() {
        for (typed, spaced) in [
            ("+4792241108", "+47 922 41 108"),
            ("+48601220314", "+48 601 220 314"),
            ("+14185550164", "+1 418 555 0164"),
            ("+233245550192", "+233 245 550 192"),
            ("+79161234567", "+7 916 123 4567"),
            ("+8613912345678", "+86 139 123 45 678"),
            ("+6421234567", "+64 212 34 567"),
            ("+2908123", "+290 8123"),
            ("+999123456789012", "+999 123 456 789 012"),
        ] {
            let number: Phone = typed.parse().unwrap();
            assert_eq!(number.spaced(), spaced);
            assert_eq!(spaced.parse::<Phone>().unwrap(), number);
        }
    }

    #[test]
    fn a_number_is_e164() {
        assert_eq!(
            "+47 922 41 108".parse::<Phone>().unwrap().as_str(),
            "+4792241108"
        );
        for wrong in [
            "",
            "92241108",
            "+123456",
            "+1234567890123456",
            "+0123456789",
            "+47 abc",
            "+",
        ] {
            assert!(wrong.parse::<Phone>().is_err(), "{wrong:?} was taken");
        }
    }
}
