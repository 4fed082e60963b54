//! What stands on the Billing page, from data alone.

use super::*;

#[test]
fn a_share_is_never_called_nothing_nor_full_too_early() {
    for (part, whole, words) in [
        (0, 0, "0\u{a0}%"),
        (0, 9, "0\u{a0}%"),
        (1, 1_000, "<\u{a0}1\u{a0}%"),
        (1, 2, "50\u{a0}%"),
        (999, 1_000, "99\u{a0}%"),
        (9, 9, "100\u{a0}%"),
        (i64::MAX, i64::MAX, "100\u{a0}%"),
    ] {
        assert_eq!(in_percent(Money(part), Money(whole)), words);
    }
}

#[test]
fn those_who_are_told_are_named_as_long_as_they_are_few() {
    let people = |count: usize| -> Vec<String> { (1..=count).map(|n| format!("P{n}")).collect() };
    for (count, begins) in [
        (
            0,
            "Whoever manages billing gets a mail when 50, 80 and 100\u{a0}% of it are spent",
        ),
        (1, "P1 gets a mail"),
        (2, "P1 and P2 get a mail"),
        (5, "P1, P2, P3, P4 and P5 get a mail"),
        (9, "P1, P2, P3, P4, P5 and 4 more get a mail"),
    ] {
        let told = told(&people(count));
        assert!(told.starts_with(begins), "{told}");
    }
}
