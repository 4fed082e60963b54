//! The e-mail domains of an organisation: whose addresses may be invited.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::email::Email;
use crate::kit::db::values::contradiction;

/// So many may be written down.
const COUNT_MAX: usize = 50;
/// All of them together are no longer, with a line break after each.
const LENGTH_MAX: usize = 4_000;
/// So many are named in a sentence.
const NAMED_MAX: usize = 5;

/// The domains that addresses may have, each in IDNA ASCII, in the order in which they were written. None: any. A domain
/// does not stand for those below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains(Vec<String>);

impl Domains {
    /// As typed: separated by blanks, line breaks or commas, with or without an `@` in front.
    pub fn typed(text: &str) -> Result<Self, String> {
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        let mut domains: Vec<String> = Vec::new();
        for word in words.filter(|word| !word.is_empty()) {
            let domain = domain(word).ok_or_else(|| {
                format!("“{word}” is no email domain. Write what stands after the @, like company.example.")
            })?;
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        let domains = Self(domains);
        if domains.0.len() > COUNT_MAX || domains.lines().len() > LENGTH_MAX {
            return Err(format!("That is more than {COUNT_MAX} domains."));
        }
        Ok(domains)
    }

    /// Whether any address will do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this address will do.
    #[must_use]
    pub fn allow(&self, email: &Email) -> bool {
        self.is_empty() || self.0.iter().any(|domain| domain == email.domain())
    }

    /// One on each line, as they are kept and edited.
    #[must_use]
    pub fn lines(&self) -> String {
        self.0.join("\n")
    }

    /// As they stand in a sentence: "a.example", "a.example or b.example"; of many the first.
    #[must_use]
    pub fn named(&self) -> String {
        match self.0.as_slice() {
            [] => "any domain".to_owned(),
            [one] => one.clone(),
            [first @ .., last] if first.len() < NAMED_MAX => {
                format!("{} or {last}", first.join(", "))
            }
            many => {
                let named: Vec<&str> = many.iter().take(NAMED_MAX).map(String::as_str).collect();
                let rest = many.len() - named.len();
                format!("{} or one of {rest} more", named.join(", "))
            }
        }
    }
}

/// The domain in its one spelling, if addresses can have it.
fn domain(word: &str) -> Option<String> {
    let word = word.strip_prefix('@').unwrap_or(word);
    if word.contains('@') {
        return None;
    }
    let email: Email = format!("a@{word}").parse().ok()?;
    Some(email.domain().to_owned())
}

impl ToSql for Domains {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.lines().into())
    }
}

impl FromSql for Domains {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::typed(value.as_str()?).map_err(|_| contradiction("domains"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_one_spelling_and_stands_once() {
        let domains =
            Domains::typed(" Fjord.example,@bücher.example\r\n fjord.EXAMPLE; mail.fjord.example ");
        let domains = domains.unwrap();
        assert_eq!(
            domains.lines(),
            "fjord.example\nxn--bcher-kva.example\nmail.fjord.example"
        );
        assert_eq!(Domains::typed(&domains.lines()).unwrap(), domains);
        assert!(Domains::typed(" \n ").unwrap().is_empty());
    }

    #[test]
    fn what_no_address_can_have_is_refused_by_name() {
        for wrong in [
            "fjord",
            "*.fjord.example",
            "lea@fjord.example",
            "https://fjord.example",
            "192.0.2.1",
            ".example",
            "fjord.example.",
            "@",
            "@@fjord.example",
            "fjord_.example",
        ] {
            let text = format!("good.example {wrong}");
            let told = Domains::typed(&text).unwrap_err();
            assert!(told.starts_with(&format!("“{wrong}” is no")), "{told}");
        }
        let many: Vec<String> = (0..51).map(|one| format!("d{one}.example")).collect();
        assert!(Domains::typed(&many.join(" ")).is_err());
        assert!(Domains::typed(&many[..50].join(" ")).is_ok());
    }

    #[test]
    fn a_domain_is_itself_alone() {
        let domains = Domains::typed("fjord.example bücher.example").unwrap();
        for (email, is_fine) in [
            ("lea@fjord.example", true),
            ("LEA@Fjord.Example", true),
            ("lea@bücher.example", true),
            ("lea@mail.fjord.example", false),
            ("lea@notfjord.example", false),
            ("lea@fjord.example.org", false),
            ("fjord.example@else.example", false),
        ] {
            assert_eq!(domains.allow(&email.parse().unwrap()), is_fine, "{email}");
        }
        assert!(Domains::default().allow(&"lea@any.example".parse().unwrap()));
    }

    #[test]
    fn a_sentence_names_a_few() {
        let named = |count: usize| {
            let all: Vec<String> = (1..=count).map(|one| format!("{one}.example")).collect();
            Domains(all).named()
        };
        assert_eq!(named(1), "1.example");
        assert_eq!(named(2), "1.example or 2.example");
        assert_eq!(
            named(5),
            "1.example, 2.example, 3.example, 4.example or 5.example"
        );
        assert!(named(8).ends_with("5.example or one of 3 more"));
    }
}
