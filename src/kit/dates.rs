//! Instants as people read them: 24 h, days before months, months spelled out, the zone named.
//! Text only; `html::time` puts it into a page, mails use it as it is.

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

use super::time::{DAY, HOUR, MINUTE, Timestamp};

/// The instant on the wall clock of `zone`. What lies outside the calendar is drawn to its edge.
#[must_use]
pub fn zoned(instant: Timestamp, zone: &TimeZone) -> ZonedDateTime {
    let edge = if instant.0 < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    };
    jiff::Timestamp::from_second(instant.0)
        .unwrap_or(edge)
        .to_zoned_datetime(zone.clone())
}

/// "12 min ago", "Yesterday", "14 Nov", "tomorrow, 14:20": how far `instant` lies from `now`, as briefly as can
/// be understood. What lies ahead is in lower case, since it stands in sentences ("until tomorrow, 14:20").
#[must_use]
pub fn relative(instant: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let then = zoned(instant, zone);
    let today = zoned(now, zone);
    let days = days_since(&then, &today);
    let age = now.since(instant);
    if age < 0 {
        return clocked(&then, &today, days);
    }
    match days {
        _ if age < MINUTE => "Now".to_owned(),
        _ if age < HOUR => format!("{} min ago", age / MINUTE),
        // Late in the evening is still "3 h ago" shortly after midnight.
        0 => format!("{} h ago", age / HOUR),
        1 if age < 6 * HOUR => format!("{} h ago", age / HOUR),
        1 => "Yesterday".to_owned(),
        2..=6 => format!("{days} days ago"),
        _ => date(&then, &today),
    }
}

/// "yesterday, 14:20", "today, 09:00", "14 Nov, 14:20": the day and the clock, whichever way it lies. In lower case,
/// since it stands in sentences ("The link expired yesterday, 14:20.").
#[must_use]
pub fn when(instant: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let then = zoned(instant, zone);
    let today = zoned(now, zone);
    clocked(&then, &today, days_since(&then, &today))
}

/// Midnights between the two on the wall clock of `zone`: 0 on the same day; negative when `instant` lies ahead.
#[must_use]
pub fn days_ago(instant: Timestamp, now: Timestamp, zone: &TimeZone) -> i32 {
    days_since(&zoned(instant, zone), &zoned(now, zone))
}

/// "14 Nov", of the day so many days before that of `now`, however long the days between were.
#[must_use]
pub fn day_before(days: i32, now: Timestamp, zone: &TimeZone) -> String {
    let today = zoned(now, zone).date();
    let then = today.checked_sub(jiff::Span::new().days(days));
    then.unwrap_or(today).strftime("%-d %b").to_string()
}

/// Midnights from `then` to `today`; negative when it lies ahead.
fn days_since(then: &ZonedDateTime, today: &ZonedDateTime) -> i32 {
    today
        .date()
        .since(then.date())
        .map_or(0, |span| span.get_days())
}

fn clocked(then: &ZonedDateTime, today: &ZonedDateTime, days: i32) -> String {
    let clock = then.strftime("%H:%M");
    match days {
        1 => format!("yesterday, {clock}"),
        0 => format!("today, {clock}"),
        -1 => format!("tomorrow, {clock}"),
        _ => format!("{}, {clock}", date(then, today)),
    }
}

/// "14 Nov", with the year when it is another than today's.
fn date(then: &ZonedDateTime, today: &ZonedDateTime) -> String {
    let format = if then.year() == today.year() {
        "%-d %b"
    } else {
        "%-d %b %Y"
    };
    then.strftime(format).to_string()
}

/// "24 Nov 2026".
#[must_use]
pub fn day(instant: Timestamp, zone: &TimeZone) -> String {
    zoned(instant, zone).strftime("%-d %b %Y").to_string()
}

/// "24 Nov 2026, 14:20 (Europe/Oslo)".
#[must_use]
pub fn moment(instant: Timestamp, zone: &TimeZone) -> String {
    named(instant, zone, "%-d %b %Y, %H:%M")
}

/// "24 Nov 2026, 13:20 UTC".
#[must_use]
pub fn utc(instant: Timestamp) -> String {
    let then = zoned(instant, &TimeZone::UTC);
    then.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// "24 Nov 2026, 14:20:31 (Europe/Oslo)".
#[must_use]
pub fn exact_moment(instant: Timestamp, zone: &TimeZone) -> String {
    named(instant, zone, "%-d %b %Y, %H:%M:%S")
}

/// "6 days", "5 hours": how long it is until then, rounded down, so that nobody thinks that there is more.
#[must_use]
pub fn left(end: Timestamp, now: Timestamp) -> String {
    let seconds = end.since(now);
    match (seconds / DAY, seconds / HOUR) {
        (0, 0) => "less than an hour".to_owned(),
        (0, 1) => "1 hour".to_owned(),
        (0, hours) => format!("{hours} hours"),
        (1, _) => "1 day".to_owned(),
        (days, _) => format!("{days} days"),
    }
}

/// "14:20:31", to be compared with another clock.
#[must_use]
pub fn clock(instant: Timestamp, zone: &TimeZone) -> String {
    zoned(instant, zone).strftime("%H:%M:%S").to_string()
}

/// "Wednesday 25 November 2026, 14:20 (Europe/Oslo)".
#[must_use]
pub fn long_moment(instant: Timestamp, zone: &TimeZone) -> String {
    named(instant, zone, "%A %-d %B %Y, %H:%M")
}

/// "Wednesday 25 November 2026".
#[must_use]
pub fn long_day(instant: Timestamp, zone: &TimeZone) -> String {
    zoned(instant, zone).strftime("%A %-d %B %Y").to_string()
}

/// "2026-11-24T14:20:00+01:00", for machines.
#[must_use]
pub fn machine(instant: Timestamp, zone: &TimeZone) -> String {
    zoned(instant, zone)
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

fn named(instant: Timestamp, zone: &TimeZone, format: &str) -> String {
    let then = zoned(instant, zone);
    match zone.iana_name() {
        Some(name) => format!("{} ({name})", then.strftime(format)),
        None => format!("{} (UTC{})", then.strftime(format), then.offset()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::time::DAY;

    fn oslo() -> TimeZone {
        TimeZone::get("Europe/Oslo").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        let civil: jiff::civil::DateTime = text.parse().unwrap();
        Timestamp(
            civil
                .to_zoned_datetime(oslo())
                .unwrap()
                .timestamp()
                .as_second(),
        )
    }

    fn seen(then: &str) -> String {
        relative(at(then), at("2026-11-24T14:20:00"), &oslo())
    }

    #[test]
    fn what_is_left_is_told_in_whole_days_or_hours() {
        let now = Timestamp(1_000);
        for (seconds, words) in [
            (7 * DAY, "7 days"),
            (7 * DAY - 1, "6 days"),
            (2 * DAY - 1, "1 day"),
            (DAY - 1, "23 hours"),
            (2 * HOUR - 1, "1 hour"),
            (HOUR - 1, "less than an hour"),
            (1, "less than an hour"),
        ] {
            assert_eq!(left(now.plus(seconds), now), words, "{seconds}");
        }
    }

    #[test]
    fn the_past_is_told_in_the_largest_unit_that_still_helps() {
        for (then, told) in [
            ("2026-11-24T14:20:00", "Now"),
            ("2026-11-24T14:19:01", "Now"),
            ("2026-11-24T14:19:00", "1 min ago"),
            ("2026-11-24T14:08:00", "12 min ago"),
            ("2026-11-24T13:20:01", "59 min ago"),
            ("2026-11-24T13:20:00", "1 h ago"),
            ("2026-11-24T00:10:00", "14 h ago"),
            ("2026-11-23T23:50:00", "Yesterday"),
            ("2026-11-23T00:00:00", "Yesterday"),
            ("2026-11-22T23:59:59", "2 days ago"),
            ("2026-11-18T17:55:00", "6 days ago"),
            ("2026-11-17T23:59:00", "17 Nov"),
            ("2026-01-01T00:00:00", "1 Jan"),
            ("2025-12-31T23:59:00", "31 Dec 2025"),
        ] {
            assert_eq!(seen(then), told, "{then}");
        }
    }

    #[test]
    fn shortly_after_midnight_the_evening_is_hours_ago() {
        let now = at("2026-11-24T01:30:00");
        assert_eq!(relative(at("2026-11-23T22:15:00"), now, &oslo()), "3 h ago");
        assert_eq!(
            relative(at("2026-11-23T18:15:00"), now, &oslo()),
            "Yesterday"
        );
    }

    #[test]
    fn the_future_is_told_by_the_clock() {
        for (then, told) in [
            ("2026-11-24T14:25:00", "today, 14:25"),
            ("2026-11-24T23:59:00", "today, 23:59"),
            ("2026-11-25T14:20:00", "tomorrow, 14:20"),
            ("2026-11-26T00:00:00", "26 Nov, 00:00"),
            ("2027-02-01T09:05:00", "1 Feb 2027, 09:05"),
        ] {
            assert_eq!(seen(then), told, "{then}");
        }
    }

    #[test]
    fn the_day_and_the_clock_are_told_of_past_and_future_alike() {
        let now = at("2026-11-24T14:20:00");
        for (then, told) in [
            ("2026-11-23T14:20:00", "yesterday, 14:20"),
            ("2026-11-24T14:19:00", "today, 14:19"),
            ("2026-11-25T00:00:00", "tomorrow, 00:00"),
            ("2026-11-22T23:59:00", "22 Nov, 23:59"),
            ("2025-11-24T14:20:00", "24 Nov 2025, 14:20"),
        ] {
            assert_eq!(when(at(then), now, &oslo()), told, "{then}");
        }
    }

    #[test]
    fn a_month_that_turned_does_not_hide_the_days() {
        let now = at("2026-03-02T12:00:00");
        assert_eq!(
            relative(at("2026-02-27T12:00:00"), now, &oslo()),
            "3 days ago"
        );
    }

    #[test]
    fn moments_name_their_zone() {
        let then = at("2026-11-24T14:20:31");
        assert_eq!(day(then, &oslo()), "24 Nov 2026");
        assert_eq!(moment(then, &oslo()), "24 Nov 2026, 14:20 (Europe/Oslo)");
        assert_eq!(
            exact_moment(then, &oslo()),
            "24 Nov 2026, 14:20:31 (Europe/Oslo)"
        );
        assert_eq!(
            long_moment(then, &oslo()),
            "Tuesday 24 November 2026, 14:20 (Europe/Oslo)"
        );
        assert_eq!(long_day(then, &oslo()), "Tuesday 24 November 2026");
        assert_eq!(machine(then, &oslo()), "2026-11-24T14:20:31+01:00");
        assert_eq!(moment(then, &TimeZone::UTC), "24 Nov 2026, 13:20 (UTC)");
    }

    #[test]
    fn no_instant_is_too_far() {
        for instant in [i64::MIN, i64::MAX, -DAY, 0] {
            let instant = Timestamp(instant);
            assert!(!relative(instant, Timestamp(0), &oslo()).is_empty());
            assert!(!moment(instant, &oslo()).is_empty());
        }
    }
}
