//! Months of the calendar in UTC: what bills are made for.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::kit::time::Timestamp;

/// One month, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

/// A stretch of time: from its first second until before its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant in it.
    pub from: Timestamp,
    /// The first after it.
    pub until: Timestamp,
}

impl Span {
    /// What both have in common; none where they do not touch.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let both = Self {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
        };
        (both.from < both.until).then_some(both)
    }

    /// How long it is.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.until.since(self.from)
    }
}

impl Month {
    /// The one in which this instant lies.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        let day = jiff::Timestamp::from_second(instant.0)
            .unwrap_or_default()
            .to_zoned_datetime(TimeZone::UTC)
            .date();
        Self(day.first_of_month())
    }

    /// The one after it; the last of the calendar is its own.
    #[must_use]
    pub fn next(self) -> Self {
        let next = self.0.last_of_month().tomorrow();
        next.map_or(self, Self)
    }

    /// The one before it; the first of the calendar is its own.
    #[must_use]
    pub fn previous(self) -> Self {
        let before = self.0.yesterday();
        before.map_or(self, |day| Self(day.first_of_month()))
    }

    /// Its first instant.
    #[must_use]
    pub fn start(self) -> Timestamp {
        let start = self.0.to_zoned_datetime(TimeZone::UTC);
        Timestamp(start.map_or(0, |start| start.timestamp().as_second()))
    }

    /// All of it.
    #[must_use]
    pub fn span(self) -> Span {
        Span {
            from: self.start(),
            until: self.next().start(),
        }
    }

    /// The year that it is in.
    #[must_use]
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// "November 2026".
    #[must_use]
    pub fn label(self) -> String {
        self.0.strftime("%B %Y").to_string()
    }

    /// "Nov 2026".
    #[must_use]
    pub fn short(self) -> String {
        self.0.strftime("%b %Y").to_string()
    }

    /// "November".
    #[must_use]
    pub fn name(self) -> String {
        self.0.strftime("%B").to_string()
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// "2026-11".
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Month {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (year, month) = text.split_once('-').ok_or(())?;
        let is_plain = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_plain(year, 4) || !is_plain(month, 2) {
            return Err(());
        }
        let (year, month) = (year.parse().map_err(drop)?, month.parse().map_err(drop)?);
        Date::new(year, month, 1).map(Self).map_err(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::time::DAY;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    #[test]
    fn months_follow_each_other_without_a_gap() {
        let mut one = month("1999-11");
        for _ in 0..400 {
            assert_eq!(one.span().until, one.next().start());
            assert_eq!(one.next().previous(), one);
            assert_eq!(Month::of(one.start()), one);
            assert_eq!(Month::of(one.span().until.minus(1)), one);
            one = one.next();
        }
    }

    #[test]
    fn february_is_as_long_as_its_year_makes_it() {
        for (text, days) in [
            ("2024-02", 29),
            ("2026-02", 28),
            ("2000-02", 29),
            ("2100-02", 28),
        ] {
            assert_eq!(month(text).span().seconds(), days * DAY, "{text}");
        }
    }

    #[test]
    fn a_month_is_written_and_read_back() {
        let november = Month::of(Timestamp(1_795_535_293));
        assert_eq!(november.to_string(), "2026-11");
        assert_eq!(november.label(), "November 2026");
        assert_eq!(november.short(), "Nov 2026");
        assert_eq!(month("2026-11"), november);
        for wrong in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-1",
            "26-01",
            "2026-11-01",
            "+026-11",
        ] {
            assert_eq!(wrong.parse::<Month>(), Err(()), "{wrong}");
        }
    }
}
