use proptest::prelude::*;

use super::file::{File, Kind, Plan, Spot, parse};
use crate::domain::money::{Currency, Money, PRICE_MAX};
use crate::kit::time::Timestamp;

/// The example that ships.
const EXAMPLE: &str = include_str!("../../packaging/catalogue.toml");

/// All that is wrong with it.
fn mistakes(text: impl AsRef<[u8]>) -> Vec<String> {
    let wrong = parse(text.as_ref()).unwrap_err();
    wrong.iter().map(ToString::to_string).collect()
}

/// A catalogue of one plan, with these lines in it.
fn of_plan(lines: &str) -> String {
    format!(
        "currency = \"EUR\"\n[[kind]]\nkey = \"server\"\nname = \"Server\"\n[[kind.plan]]\n{lines}\n"
    )
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    const NO_KIND: &str = "1:1: there is no kind; write [[kind]], and its key and name below it";
    const NO_CURRENCY: &str =
        "1:1: the currency is missing; write currency = \"EUR\" in the first line";
    for (text, expected) in [
        ("", &[NO_CURRENCY, NO_KIND][..]),
        ("currency = \"EUR\"", &[NO_KIND]),
        ("currency = \"EUR\"\nkind = []", &[NO_KIND]),
        (
            "currency = \"EUR\"\nkind = 3",
            &["2:8: write [[kind]] in its place, and what belongs to it below"],
        ),
        (
            "currency = \"EUR\"\n[kind]\nkey = \"a\"",
            &["2:1: write [[kind]], with two brackets"],
        ),
        (
            "currency = \"EUR\"\nkind = [1, {key = \"a\", name = \"A\", plan = 1}]",
            &[
                "2:9: this is no part of a catalogue; write [[kind]], and what belongs to it below",
                "2:43: write [[kind.plan]] in its place, and what belongs to it below",
            ],
        ),
        (
            "currency = 978\n[[kind]]",
            &[
                "1:12: currency is a text, in quotes, like \"EUR\"",
                "2:1: this kind has no key; write key = \"server\" below it",
                "2:1: this kind has no name; write name = \"Server\" below it",
                "2:1: this kind has no plan; write [[kind.plan]] below it, with key, name and price",
            ],
        ),
        (
            "currency = \"eur\"",
            &[NO_KIND, "1:12: a currency is three capitals; write \"EUR\""],
        ),
        (
            "currency = \"XAU\"",
            &[
                NO_KIND,
                "1:12: nobody pays in \"XAU\"; write the code of a currency, like \"EUR\" (ISO 4217)",
            ],
        ),
        (
            "currency = \"\\u0007\"",
            &[
                NO_KIND,
                "1:12: this is no currency; write the code of one, like \"EUR\" (ISO 4217)",
            ],
        ),
        // Whoever misspelled a key is not told besides that it is missing.
        (
            "currecy = \"EUR\"\ncolour = 1\n\"a b\" = 2",
            &[
                NO_KIND,
                "1:1: unknown key `currecy`, did you mean currency?",
                "2:1: unknown key `colour`; a catalogue has currency, and [[kind]] for each kind",
                "3:1: unknown key; a catalogue has currency, and [[kind]] for each kind",
            ],
        ),
        (
            "kind = [{key = \"a\", name = \"A\", currency = \"EUR\", price = 1, plan = [\n\
             {key = \"a\", name = \"A\", prise = 1, plan = 2, kind = 3}]}]",
            &[
                "1:33: currency belongs above the first [[kind]]; move it there",
                "1:51: price belongs to a plan; move it below a [[kind.plan]]",
                "2:25: unknown key `prise`, did you mean price?",
                "2:36: a plan is written below its kind, as [[kind.plan]]; write that",
                "2:46: a kind is written as [[kind]]; write that",
            ],
        ),
    ] {
        let mut found = mistakes(text);
        let mut expected = expected.to_vec();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn every_mistake_of_a_plan_is_told_with_its_place_and_what_to_do() {
    const KEY: &str = "6:7: a key is 1 to 40 of a to z, 0 to 9 and -; write it like ";
    const FROM: &str =
        "9:8: from is a day like 2026-12-01, or an instant like 2026-12-01T08:00:00Z";
    const NEGATIVE: &str = "8:9: a price is never below 0; write 0 for what is free";
    const HUGE: &str = "8:9: a price is at most 1000000000000; write one that somebody could pay";
    const POINT: &str =
        "8:9: a price is a whole number of cents; write it without a point, like 1250";
    let long = format!(
        "key = \"{}\"\nname = \"{0}{0}{0}\"\nprice = 1",
        "x".repeat(41)
    );
    let wrong_text = |what: &str| format!("{KEY}\"{what}\"");
    for (lines, expected) in [
        (
            "",
            vec![
                "5:1: this plan has no key; write key = \"small\" below it".to_owned(),
                "5:1: this plan has no name; write name = \"Small\" below it".to_owned(),
                "5:1: this plan has no price; write price = 1250 below it, a whole number of cents"
                    .to_owned(),
            ],
        ),
        (
            "key = \"S 1\"\nname = \"www.x.example\"\nprice = -1\nfrom = 10:00:00",
            vec![
                wrong_text("s-1"),
                "7:8: this name cannot be taken: A name cannot hold a web address.".to_owned(),
                NEGATIVE.to_owned(),
                format!("{FROM}, in whole seconds"),
            ],
        ),
        (
            "key = \"\"\nname = \"\"\nprice = 1000000000001\nfrom = \"2026-12-01\"",
            vec![
                wrong_text("small"),
                "7:8: this name cannot be taken: Enter a name.".to_owned(),
                HUGE.to_owned(),
                format!("{FROM}, without quotes"),
            ],
        ),
        (
            "key = 1\nname = [\"x\"]\nprice = 99999999999999999999999999999999999999999\nfrom = true",
            vec![
                "6:7: key is a text, in quotes, like \"small\"".to_owned(),
                "7:8: name is a text, in quotes, like \"Small\"".to_owned(),
                HUGE.to_owned(),
                FROM.to_owned(),
            ],
        ),
        (
            "key = \"é\"\nname = \"a\\u200bb\"\nprice = 12.50\nfrom = 2026-02-30",
            vec![
                wrong_text("small"),
                "7:8: this name cannot be taken: This holds characters that cannot be seen. Type it anew."
                    .to_owned(),
                "8:9: a price is a whole number of cents: write 1250 for 12.50".to_owned(),
                "9:8: there is no such day or time (invalid date, expected day between 01 and 28); correct it"
                    .to_owned(),
            ],
        ),
        (
            long.as_str(),
            vec![
                wrong_text("small"),
                "7:8: this name cannot be taken: At most 100 characters.".to_owned(),
            ],
        ),
    ] {
        assert_eq!(mistakes(of_plan(lines)), expected, "{lines}");
    }
    for (price, currency, expected) in [
        (
            "\"12.50\"",
            "EUR",
            "8:9: a price is a whole number of cents, without quotes: write 1250 for \"12.50\"",
        ),
        (
            "\"1250\"",
            "EUR",
            "8:9: a price is a number of cents: write 1250, without quotes",
        ),
        (
            "\"a lot\"",
            "GBP",
            "8:9: a price is a whole number of pence, without quotes, like 1250",
        ),
        (
            "true",
            "USD",
            "8:9: a price is a whole number of cents, like 1250",
        ),
        ("12.505", "EUR", POINT),
        ("1e3", "EUR", POINT),
        ("nan", "EUR", POINT),
        ("99999999999999.5", "EUR", POINT),
        ("-1.5", "EUR", NEGATIVE),
        ("-inf", "EUR", NEGATIVE),
        ("-9999999999999999999", "EUR", HUGE),
        (
            "12.5",
            "JPY",
            "8:9: a price is a whole number of JPY; write it without a point, like 1250",
        ),
        (
            "12.5",
            "KWD",
            "8:9: a price is a whole number of thousandths of a KWD: write 12500 for 12.5",
        ),
        (
            "12.5",
            "CHF",
            "8:9: a price is a whole number of hundredths of a CHF: write 1250 for 12.5",
        ),
    ] {
        let text = of_plan(&format!("key = \"s\"\nname = \"S\"\nprice = {price}"));
        assert_eq!(
            mistakes(text.replace("EUR", currency)),
            [expected],
            "{price}"
        );
    }
    for from in ["2026-02-03T10:00:00.5Z", "2026-02-03T10:00:60Z"] {
        let text = of_plan(&format!(
            "key = \"s\"\nname = \"S\"\nprice = 1\nfrom = {from}"
        ));
        assert_eq!(
            mistakes(text),
            [format!("{FROM}, in whole seconds")],
            "{from}"
        );
    }
}

#[test]
fn what_is_there_twice_names_the_first() {
    let plan = |name: &str| format!("key = \"s\"\nname = \"{name}\"\nprice = 1\n");
    let twice = format!("{}[[kind.plan]]\n{}", plan("S"), plan("s"));
    let kind = "[[kind]]\nkey = \"server\"\nname = \" server\"\n[[kind.plan]]\n";
    assert_eq!(
        mistakes(of_plan(&format!("{twice}{kind}{}", plan("S")))),
        [
            "10:7: line 6 has a plan with the key \"s\" already; choose another key",
            "11:8: line 7 has a plan with this name already; choose another name",
            "14:7: line 3 has a kind with the key \"server\" already; choose another key",
            "15:8: line 4 has a kind with this name already; choose another name",
        ]
    );
    // The plans of two kinds are not each other's.
    let other = kind.replace("server", "database");
    assert!(parse(of_plan(&format!("{}{other}{}", plan("S"), plan("S"))).as_bytes()).is_ok());
}

#[test]
fn lines_that_are_no_toml_are_told_and_nothing_is_said_to_be_missing() {
    assert_eq!(
        mistakes(of_plan("key = \"s\"\nprice = 1,50\nfrom\nnam = 3")),
        [
            "7:10: this is no TOML (unexpected key or value, expected newline, `#`); a line is written as  key = \"value\"",
            "8:5: this is no TOML (key with no value, expected `=`); a line is written as  key = \"value\"",
            "9:1: unknown key `nam`, did you mean name?",
        ]
    );
    assert_eq!(
        mistakes(of_plan("key = \"s\"\nname = \"S\"\nprice = 1\nprice = 2")),
        ["9:1: this key is here for the second time; keep one of them"]
    );
}

#[test]
fn what_is_no_text_or_too_large_is_refused_at_once() {
    assert_eq!(
        mistakes(b"currency = \"EUR\"\nname = \"\xff\""),
        ["2:9: this is not UTF-8; save the file as UTF-8"]
    );
    let mut large = EXAMPLE.as_bytes().to_vec();
    large.resize(super::file::FILE_MAX, b'\n');
    assert!(parse(&large).is_ok());
    large.push(b'\n');
    assert_eq!(
        mistakes(&large),
        ["1:1: no catalogue is larger than 1 MiB; name the file that holds the catalogue"]
    );
}

#[test]
fn a_price_begins_on_a_day_or_at_an_instant() {
    const FIRST: i64 = 1_796_083_200;
    for (from, instant) in [
        ("2026-12-01", FIRST),
        ("2026-12-01T00:00:00", FIRST),
        ("2026-12-01 00:00:00Z", FIRST),
        ("2026-12-01T02:00:00+02:00", FIRST),
        ("2026-11-30T22:30:00-01:30", FIRST),
        ("2026-12-01T08:00:01Z", FIRST + 8 * 3_600 + 1),
        ("2026-12-01T08:00Z", FIRST + 8 * 3_600),
    ] {
        let text = of_plan(&format!(
            "key = \"s\"\nname = \"S\"\nprice = 1\nfrom = {from}"
        ));
        let parsed = parse(text.as_bytes()).unwrap();
        assert_eq!(
            parsed.file.kinds[0].plans[0].from,
            Some(Timestamp(instant)),
            "{from}"
        );
        let spot = Spot::From { kind: 0, plan: 0 };
        assert_eq!(parsed.mistake(spot, "no".to_owned()).to_string(), "9:8: no");
        let mistake = parsed.mistake(Spot::Currency, "no".to_owned());
        assert_eq!(mistake.to_string(), "1:12: no");
    }
}

#[test]
fn the_example_is_a_catalogue_whatever_system_saved_it() {
    let file = parse(EXAMPLE.as_bytes()).unwrap().file;
    let slugs = file.kinds.iter().flat_map(|kind| {
        let plans = kind.plans.iter();
        plans.map(|plan| format!("{}/{}", kind.key, plan.key))
    });
    assert_eq!(
        slugs.collect::<Vec<_>>(),
        [
            "server/s-1",
            "server/s-2",
            "server/s-4",
            "database/db-20",
            "database/db-100",
            "storage/st-100",
            "storage/st-1000"
        ]
    );
    let windows = format!("\u{feff}{}", EXAMPLE.replace('\n', "\r\n"));
    assert_eq!(parse(windows.as_bytes()).unwrap().file, file);
    // The price change that it explains can be written as it says.
    let changed: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("#   ") {
            Some(code) if code.contains(" = ") => format!("{code}\n"),
            _ if line == "price = 4960" => String::new(),
            _ => format!("{line}\n"),
        })
        .collect();
    let changed = parse(changed.as_bytes()).unwrap().file;
    assert_eq!(changed.kinds[0].plans[2].price, Money(5_200));
    assert!(changed.kinds[0].plans[2].from.is_some());
}

/// A catalogue as somebody would write it.
fn written(file: &File) -> String {
    let mut text = format!("currency = \"{}\"\n", file.currency);
    for kind in &file.kinds {
        text += &format!(
            "\n[[kind]]\nkey = \"{}\"\nname = '{}'\n",
            kind.key, kind.name
        );
        for plan in &kind.plans {
            text += &format!(
                "\n  [[kind.plan]]\n  key = \"{}\"\n  name = '{}'\n  price = {}\n",
                plan.key, plan.name, plan.price.0
            );
            if let Some(from) = plan.from {
                let from = jiff::Timestamp::from_second(from.0).unwrap();
                text += &format!("  from = {from}\n");
            }
        }
    }
    text
}

/// Some of these, each with a key and a name of its own.
fn distinct<T>(all: Vec<T>, name: impl Fn(&mut T, String)) -> Vec<T> {
    let numbered = all.into_iter().enumerate();
    numbered
        .map(|(at, mut one)| {
            name(&mut one, format!("-{at}"));
            one
        })
        .collect()
}

prop_compose! {
    fn plan()(
        key in "[a-z0-9-]{1,36}",
        name in "[\\p{Lu}\\p{Ll}\\p{Nd}][^\\p{C}\\p{Z}\\p{M}'/.]{0,80}( [a-z]{1,9})?",
        price in 0..=PRICE_MAX.0,
        from in prop::option::of(0_i64..253_402_300_799),
    ) -> Plan {
        Plan { key, name, price: Money(price), from: from.map(Timestamp) }
    }
}

prop_compose! {
    fn kind()(key in "[a-z0-9-]{1,36}", name in "[A-Z][a-z0-9()+*]{0,80}", plans in prop::collection::vec(plan(), 1..5)) -> Kind {
        let plans = distinct(plans, |plan, end| { plan.key += &end; plan.name += &end; });
        Kind { key, name, plans }
    }
}

prop_compose! {
    fn catalogue()(code in prop::sample::select(vec!["EUR", "USD", "JPY", "KWD", "CHF"]), kinds in prop::collection::vec(kind(), 1..4)) -> File {
        let currency: Currency = code.parse().unwrap();
        let kinds = distinct(kinds, |kind, end| { kind.key += &end; kind.name += &end; });
        File { currency, kinds }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(file in catalogue()) {
        // Some letters cannot be seen, and no name may have them.
        let is_fine = |name: &str| name.parse::<crate::domain::text::CatalogueName>().is_ok();
        prop_assume!(file.kinds.iter().flat_map(|kind| &kind.plans).all(|plan| is_fine(&plan.name)));
        let parsed = parse(written(&file).as_bytes());
        prop_assert_eq!(parsed.unwrap().file, file);
    }

    #[test]
    fn whatever_is_broken_off_or_changed_is_a_catalogue_or_told(
        file in catalogue(),
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..6),
        is_cut in any::<bool>(),
    ) {
        let mut text = written(&file).into_bytes();
        let at = at.index(text.len());
        if is_cut {
            text.truncate(at);
        }
        let end = (at + bytes.len()).min(text.len());
        text.splice(at.min(end)..end, bytes);
        if let Err(mistakes) = parse(&text) {
            prop_assert!(!mistakes.is_empty());
            let places: Vec<_> = mistakes.iter().map(|one| (one.line, one.column)).collect();
            prop_assert!(places.is_sorted(), "{:?}", places);
            let lines = text.split(|byte| *byte == b'\n').count();
            prop_assert!(places.iter().all(|(line, column)| (1..=lines).contains(line) && *column > 0));
        }
    }
}
