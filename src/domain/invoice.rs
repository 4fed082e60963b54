//! The number of an invoice: the year of its month, and its place in that year, as in `INV-2026-010`.

use std::fmt;
use std::str::FromStr;

/// The number of an invoice, which is its organisation's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvoiceNumber {
    /// The year of the month that it is for.
    pub year: i16,
    /// Its place in the year, from 1, without gaps.
    pub place: i64,
}

impl fmt::Display for InvoiceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INV-{:04}-{:03}", self.year, self.place)
    }
}

impl FromStr for InvoiceNumber {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (year, place) = text
            .strip_prefix("INV-")
            .and_then(|rest| rest.split_once('-'))
            .ok_or(())?;
        let number = Self {
            year: year.parse().map_err(drop)?,
            place: place.parse().map_err(drop)?,
        };
        // One spelling alone, so that an invoice has one address.
        (number.place > 0 && number.to_string() == text)
            .then_some(number)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for text in [
            "INV-2026-001",
            "INV-2026-010",
            "INV-2026-1000",
            "INV-1999-999",
        ] {
            assert_eq!(text.parse::<InvoiceNumber>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "INV-",
            "INV-2026-",
            "INV-2026-1",
            "INV-2026-0001",
            "INV-2026-000",
            "INV-26-001",
            "inv-2026-001",
            "INV-2026--01",
            "INV-+026-001",
            "INV-2026-001 ",
        ] {
            assert_eq!(wrong.parse::<InvoiceNumber>(), Err(()), "{wrong}");
        }
    }
}
