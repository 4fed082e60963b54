//! The last day of somebody who leaves: a day of the calendar, which ends in one zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::kit::dates;
use crate::kit::time::Timestamp;

/// A day, and when it ends in the zone for which it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastDay {
    day: Date,
    ends_at: Timestamp,
}

impl LastDay {
    /// Reads `YYYY-MM-DD`: a day that is not over in this zone, and lies no more than a year ahead.
    pub fn read(typed: &str, now: Timestamp, zone: &TimeZone) -> Result<Self, String> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err("Choose the last day.".to_owned());
        }
        let day = parsed(typed).ok_or_else(|| {
            "There is no such day. Write it as year-month-day, like 2026-11-30.".to_owned()
        })?;
        let today = dates::zoned(now, zone).date();
        if day < today {
            return Err(
                "This day is over. Choose today or a later day, or disable the account now."
                    .to_owned(),
            );
        }
        let ends_at = end(day, zone);
        let is_too_far = match next_year(today) {
            Some(latest) => day > latest,
            None => true,
        };
        match ends_at.filter(|_| !is_too_far) {
            Some(ends_at) => Ok(Self { day, ends_at }),
            None => Err("Choose a day within a year from today.".to_owned()),
        }
    }

    /// The first instant after it.
    #[must_use]
    pub const fn ends_at(self) -> Timestamp {
        self.ends_at
    }
}

/// The day that ends at this instant in this zone, as `2026-11-30`: for records, and for the field it is chosen in.
#[must_use]
pub fn iso(ends_at: Timestamp, zone: &TimeZone) -> String {
    dates::zoned(ends_at.minus(1), zone).date().to_string()
}

/// "30 Nov 2026", of what [`iso`] wrote.
#[must_use]
pub fn spelled(iso: &str) -> Option<String> {
    parsed(iso).map(|day| day.strftime("%-d %b %Y").to_string())
}

/// "at the end of 30 Nov 2026 (Europe/Oslo)". The instant stays when a zone changes: where it is the end of no day any
/// more, the clock is told.
#[must_use]
pub fn ending(ends_at: Timestamp, zone: &TimeZone) -> String {
    let then = dates::zoned(ends_at, zone);
    let is_first = then
        .date()
        .to_zoned_datetime(zone.clone())
        .is_ok_and(|start| start.timestamp().as_second() == ends_at.0);
    let name = zone.iana_name().unwrap_or("UTC");
    if is_first {
        format!(
            "at the end of {} ({name})",
            dates::day(ends_at.minus(1), zone)
        )
    } else {
        format!(
            "on {} at {} ({name})",
            dates::day(ends_at, zone),
            then.strftime("%H:%M")
        )
    }
}

fn parsed(typed: &str) -> Option<Date> {
    let is_shaped = typed.len() == 10
        && typed.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 4 | 7) {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    if !is_shaped {
        return None;
    }
    typed.parse().ok()
}

/// The same day of the next year; the last of February where it has no 29th.
fn next_year(day: Date) -> Option<Date> {
    let year = day.year().checked_add(1)?;
    Date::new(year, day.month(), day.day())
        .or_else(|_| Date::new(year, day.month(), 28))
        .ok()
}

fn end(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?;
    let start = next.to_zoned_datetime(zone.clone()).ok()?;
    Some(Timestamp(start.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::time::{DAY, HOUR};

    /// 24 November 2026, 14:20 in Oslo.
    const NOW: Timestamp = Timestamp(1_795_526_400);

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn end_of(typed: &str, now: Timestamp, name: &str) -> Result<i64, String> {
        LastDay::read(typed, now, &zone(name)).map(|day| day.ends_at().0)
    }

    fn utc(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_second())
    }

    #[test]
    fn a_day_ends_when_the_next_begins_in_its_zone() {
        for (typed, name, ends) in [
            ("2026-11-30", "Europe/Oslo", "2026-11-30T23:00:00Z"),
            ("2026-11-30", "UTC", "2026-12-01T00:00:00Z"),
            ("2026-11-30", "Pacific/Chatham", "2026-11-30T10:15:00Z"),
            // The last Sunday of March has 23 hours, that of October 25.
            ("2027-03-28", "Europe/Oslo", "2027-03-28T22:00:00Z"),
            ("2027-10-31", "Europe/Oslo", "2027-10-31T23:00:00Z"),
            // There the clocks go on at midnight, so that the day after begins at one.
            ("2027-03-27", "Asia/Beirut", "2027-03-27T22:00:00Z"),
            ("2026-12-31", "Europe/Oslo", "2026-12-31T23:00:00Z"),
        ] {
            let now = if typed > "2027-09" {
                NOW.plus(200 * DAY)
            } else {
                NOW
            };
            assert_eq!(end_of(typed, now, name), Ok(utc(ends).0), "{typed} {name}");
        }
    }

    #[test]
    fn today_can_still_be_chosen_and_what_is_over_cannot() {
        assert_eq!(
            end_of("2026-11-24", NOW, "Europe/Oslo"),
            Ok(utc("2026-11-24T23:00:00Z").0)
        );
        assert!(
            end_of("2026-11-23", NOW, "Europe/Oslo")
                .unwrap_err()
                .contains("is over")
        );
        // Which day it is depends on where one stands.
        let late = utc("2026-11-24T23:30:00Z");
        assert!(end_of("2026-11-24", late, "Europe/Oslo").is_err());
        assert!(end_of("2026-11-24", late, "America/New_York").is_ok());
    }

    #[test]
    fn a_year_ahead_is_the_furthest() {
        for (typed, is_taken) in [
            ("2027-11-24", true),
            ("2027-11-25", false),
            ("2028-01-01", false),
            ("9999-12-31", false),
        ] {
            assert_eq!(end_of(typed, NOW, "UTC").is_ok(), is_taken, "{typed}");
        }
        // From a 29 February a year ahead is the last of the next.
        let leap = utc("2028-02-29T12:00:00Z");
        assert!(end_of("2029-02-28", leap, "UTC").is_ok());
        assert!(end_of("2029-03-01", leap, "UTC").is_err());
    }

    #[test]
    fn what_is_no_day_is_told_so() {
        for typed in [
            "2027-02-29",
            "2026-13-01",
            "2026-11-31",
            "30.11.2026",
            "2026-11-3",
            "+02026-11-30",
            "2026-11-30T00:00",
            "tomorrow",
            "20261130",
            "2026/11/30",
            "２０２６-11-30",
        ] {
            let said = end_of(typed, NOW, "UTC").unwrap_err();
            assert!(said.contains("no such day"), "{typed}: {said}");
        }
        // The 29 February of a leap year is one.
        let before = utc("2027-12-01T12:00:00Z");
        assert!(end_of("2028-02-29", before, "UTC").is_ok());
        assert!(
            end_of(" ", NOW, "UTC")
                .unwrap_err()
                .contains("Choose the last day")
        );
    }

    #[test]
    fn an_instant_that_ends_no_day_here_is_told_with_its_clock() {
        let at = utc("2026-11-30T23:00:00Z");
        assert_eq!(
            ending(at, &zone("Europe/Oslo")),
            "at the end of 30 Nov 2026 (Europe/Oslo)"
        );
        assert_eq!(
            ending(at, &zone("Asia/Tokyo")),
            "on 1 Dec 2026 at 08:00 (Asia/Tokyo)"
        );
        // A day that begins at one ends the day before all the same.
        let beirut = utc("2027-03-27T22:00:00Z");
        assert_eq!(
            ending(beirut, &zone("Asia/Beirut")),
            "at the end of 27 Mar 2027 (Asia/Beirut)"
        );
        assert_eq!(
            ending(at.plus(HOUR), &TimeZone::UTC),
            "at the end of 30 Nov 2026 (UTC)"
        );
    }
}
