//! An instant in a page: how far it is from now, with the exact moment for those who ask.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::kit::dates;
use crate::kit::time::Timestamp;

/// "12 min ago" or "14 Nov", the moment with its zone in `title`.
#[must_use]
pub fn time(instant: Timestamp, now: Timestamp, zone: &TimeZone) -> Markup {
    element(instant, zone, &dates::relative(instant, now, zone))
}

/// "yesterday, 14:20" for sentences, the moment with its zone in `title`.
#[must_use]
pub fn when(instant: Timestamp, now: Timestamp, zone: &TimeZone) -> Markup {
    element(instant, zone, &dates::when(instant, now, zone))
}

/// "14:20:31" on the day it stands under, the moment with its zone in `title`.
#[must_use]
pub fn clock(instant: Timestamp, zone: &TimeZone) -> Markup {
    element(instant, zone, &dates::clock(instant, zone))
}

/// "24 Nov 2026", the moment with its zone in `title`.
#[must_use]
pub fn day(instant: Timestamp, zone: &TimeZone) -> Markup {
    element(instant, zone, &dates::day(instant, zone))
}

fn element(instant: Timestamp, zone: &TimeZone, text: &str) -> Markup {
    html! {
        time datetime=(dates::machine(instant, zone)) title=(dates::exact_moment(instant, zone)) { (text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_stands_behind_the_words() {
        let zone = TimeZone::get("Europe/Oslo").unwrap();
        let then = Timestamp(1_795_525_680);
        assert_eq!(
            time(then, then.plus(12 * 60), &zone).into_string(),
            "<time datetime=\"2026-11-24T14:08:00+01:00\" title=\"24 Nov 2026, 14:08:00 (Europe/Oslo)\">12 min ago</time>"
        );
        assert!(clock(then, &zone).into_string().contains(">14:08:00<"));
        assert!(day(then, &zone).into_string().contains(">24 Nov 2026<"));
    }
}
