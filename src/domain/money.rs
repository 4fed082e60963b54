//! Amounts of money: whole numbers of the smallest unit of one currency (ISO 4217). Nothing here divides but
//! [`Money::share`], which rounds half up.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::kit::db::values::contradiction;

/// The highest price of a plan for a month.
pub const PRICE_MAX: Money = Money(1_000_000_000_000);
/// The highest budget.
pub const BUDGET_MAX: Money = Money(1_000_000_000_000_000);

/// An amount, in the smallest unit of the install's currency; what is owed, and so never below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This amount times `part` ÷ `whole`, rounded half up; nothing of nothing.
    #[must_use]
    pub fn share(self, part: i64, whole: i64) -> Self {
        let whole = i128::from(whole.max(1));
        let twice = 2 * i128::from(self.0) * i128::from(part.max(0));
        let rounded = (twice + whole) / (2 * whole);
        Self(i64::try_from(rounded).unwrap_or(i64::MAX))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::plus)
    }
}

impl ToSql for Money {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for Money {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

/// A currency that people pay in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        let currency = iso_currency::Currency::from_code(code).ok_or(())?;
        // Gold, test codes and units of account have no smallest unit, and nobody pays in them.
        let is_paid_in =
            currency.exponent().is_some() && !currency.is_fund() && !currency.is_special();
        (is_paid_in && currency.code() == code)
            .then_some(Self(currency))
            .ok_or(())
    }
}

impl Currency {
    /// Its code, three capitals.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many digits stand after the point.
    #[must_use]
    pub fn digits(self) -> usize {
        self.0.exponent().map_or(2, usize::from)
    }

    /// How many smallest units one of it has.
    fn unit(self) -> i64 {
        10_i64.saturating_pow(u32::try_from(self.digits()).unwrap_or(2))
    }

    /// "1184.20", for programs.
    #[must_use]
    pub fn plain(self, amount: Money) -> String {
        let (whole, rest) = (amount.0 / self.unit(), amount.0 % self.unit());
        match self.digits() {
            0 => whole.to_string(),
            digits => format!("{whole}.{rest:0digits$}"),
        }
    }

    /// Its sign, where that means this currency alone to everybody; else none.
    const fn sign(self) -> Option<&'static str> {
        match self.0 {
            iso_currency::Currency::EUR => Some("€"),
            iso_currency::Currency::GBP => Some("£"),
            iso_currency::Currency::JPY => Some("¥"),
            iso_currency::Currency::USD => Some("$"),
            _ => None,
        }
    }

    /// "€1,184.20", for pages; with the code where there is no sign.
    #[must_use]
    pub fn show(self, amount: Money) -> String {
        match self.sign() {
            Some(sign) => format!("{sign}{}", self.grouped(amount)),
            None => format!("{}\u{a0}{}", self.code(), self.grouped(amount)),
        }
    }

    /// "1,184.20 EUR", for invoices.
    #[must_use]
    pub fn write(self, amount: Money) -> String {
        format!("{}\u{a0}{}", self.grouped(amount), self.code())
    }

    /// "1,184.20".
    #[must_use]
    pub fn grouped(self, amount: Money) -> String {
        let plain = self.plain(amount);
        let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if rest.is_empty() {
            grouped
        } else {
            format!("{grouped}.{rest}")
        }
    }

    /// An amount as somebody types it: "1470", "1,470.00", "1470.5", with or without the sign or the code.
    pub fn parse(self, typed: &str) -> Result<Money, String> {
        let bare = typed.trim();
        let bare = bare
            .strip_prefix(self.sign().unwrap_or_default())
            .unwrap_or(bare);
        let bare = bare.strip_prefix(self.code()).unwrap_or(bare);
        let bare = bare.strip_suffix(self.code()).unwrap_or(bare);
        let digits: String = bare
            .chars()
            .filter(|c| !matches!(c, ',' | ' ' | '\'' | '\u{a0}'))
            .collect();
        self.read(&digits).ok_or_else(|| {
            format!(
                "Write an amount like {}.",
                self.plain(Money(1_470 * self.unit()))
            )
        })
    }

    fn read(self, digits: &str) -> Option<Money> {
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_plain(whole) || !is_plain(rest) || rest.len() > self.digits() {
            return None;
        }
        let missing = self.digits() - rest.len();
        format!("{whole}{rest}{}", "0".repeat(missing))
            .parse()
            .ok()
            .map(Money)
    }
}

impl ToSql for Currency {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.code()))
    }
}

impl FromSql for Currency {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map_err(|()| contradiction("currency"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn a_share_is_rounded_half_up() {
        assert_eq!(Money(1).share(1, 2), Money(1));
        assert_eq!(Money(1).share(1, 3), Money(0));
        assert_eq!(Money(1).share(2, 3), Money(1));
        assert_eq!(Money(100).share(3, 3), Money(100));
        assert_eq!(Money(100).share(0, 3), Money(0));
        let month = 31 * 86_400;
        assert_eq!(PRICE_MAX.share(month, month), PRICE_MAX);
    }

    #[test]
    fn each_currency_has_its_own_digits_and_sign() {
        let amount = Money(118_420);
        for (code, plain, shown, written) in [
            ("EUR", "1184.20", "€1,184.20", "1,184.20\u{a0}EUR"),
            ("USD", "1184.20", "$1,184.20", "1,184.20\u{a0}USD"),
            ("JPY", "118420", "¥118,420", "118,420\u{a0}JPY"),
            ("KWD", "118.420", "KWD\u{a0}118.420", "118.420\u{a0}KWD"),
            ("CHF", "1184.20", "CHF\u{a0}1,184.20", "1,184.20\u{a0}CHF"),
        ] {
            let currency = currency(code);
            assert_eq!(currency.plain(amount), plain, "{code}");
            assert_eq!(currency.show(amount), shown, "{code}");
            assert_eq!(currency.write(amount), written, "{code}");
        }
        assert_eq!(currency("EUR").plain(Money(5)), "0.05");
        assert_eq!(
            currency("EUR").grouped(Money(12_345_678_900)),
            "123,456,789.00"
        );
    }

    #[test]
    fn what_nobody_pays_in_is_no_currency() {
        for code in ["", "eur", "EURO", "XAU", "XTS", "XDR", "€", "ZZZ"] {
            assert_eq!(code.parse::<Currency>(), Err(()), "{code}");
        }
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        let euro = currency("EUR");
        for (typed, amount) in [
            ("1470", 147_000),
            ("1,470.00", 147_000),
            (" € 1 470.5 ", 147_050),
            ("1470 EUR", 147_000),
            ("0.01", 1),
        ] {
            assert_eq!(euro.parse(typed), Ok(Money(amount)), "{typed}");
        }
        for typed in [
            "",
            "-1",
            "1.005",
            "1e3",
            "abc",
            ".5",
            "99999999999999999999",
            "1.2.3",
        ] {
            assert_eq!(
                euro.parse(typed),
                Err("Write an amount like 1470.00.".to_owned()),
                "{typed}"
            );
        }
        assert_eq!(
            currency("JPY").parse("1.5"),
            Err("Write an amount like 1470.".to_owned())
        );
    }
}
