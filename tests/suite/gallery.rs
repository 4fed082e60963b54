//! The parts of pages as the gallery draws them, and the style sheet's promises.

use std::collections::{BTreeMap, BTreeSet};

use doorward::kit::html::frame::Theme;
use doorward::kit::html::gallery::PAGES;

use crate::markup::{CSS, classes, parse, problems};

#[test]
fn every_sample_page_is_sound() {
    for (name, draw) in PAGES {
        for theme in Theme::ALL {
            let found = problems(&draw(theme).into_string());
            assert!(found.is_empty(), "{name}: {found:#?}");
        }
    }
}

/// Classes for pages to place things with, which no part needs.
const FOR_PAGES: [&str; 12] = [
    "break",
    "halves",
    "keep",
    "letterhead",
    "lines",
    "narrow",
    "nowrap",
    "pair",
    "prose",
    "screen-only",
    "small-only",
    "wide-only",
];

/// Classes that only the script sets.
const FOR_SCRIPT: [&str; 2] = ["met", "shown"];

#[test]
fn every_class_of_the_style_sheet_is_drawn() {
    let mut drawn: BTreeSet<String> = BTreeSet::new();
    for (_, draw) in PAGES {
        for element in parse(&draw(Theme::System).into_string()).0 {
            let class = element.get("class").unwrap_or_default();
            drawn.extend(class.split_whitespace().map(str::to_owned));
        }
    }
    let idle: Vec<String> = classes(CSS)
        .into_iter()
        .filter(|class| !drawn.contains(class))
        .filter(|class| {
            !FOR_PAGES.contains(&class.as_str()) && !FOR_SCRIPT.contains(&class.as_str())
        })
        // The ends of file names in addresses.
        .filter(|class| class != "svg" && class != "woff2")
        .collect();
    assert_eq!(idle, Vec::<String>::new());
}

#[test]
fn the_sheet_holds_no_foreign_address() {
    for needle in ["data:", "http", "//", "@import", "!important; }"] {
        let found = CSS.split("/*").any(|part| {
            part.split_once("*/")
                .map_or(part, |(_, code)| code)
                .contains(needle)
        });
        assert!(!found, "{needle}");
    }
}

type Colour = [f64; 3];

/// The colours of the style sheet by token, light and dark.
fn tokens() -> BTreeMap<String, [Colour; 2]> {
    let mut tokens = BTreeMap::new();
    for line in CSS.lines() {
        let declared = line
            .trim()
            .strip_prefix("--")
            .and_then(|line| line.split_once(": light-dark("));
        let Some((name, value)) = declared else {
            continue;
        };
        let Some((light, dark)) = value
            .split_once(')')
            .and_then(|(pair, _)| pair.split_once(", "))
        else {
            continue;
        };
        if let (Some(light), Some(dark)) = (colour(light), colour(dark)) {
            tokens.insert(name.to_owned(), [light, dark]);
        }
    }
    tokens
}

/// `#rgb` or `#rrggbb`; those with an alpha are veils and not judged.
fn colour(text: &str) -> Option<Colour> {
    let digits = text.strip_prefix('#')?;
    let full: String = match digits.len() {
        3 => digits.chars().flat_map(|c| [c, c]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let channel = |at| {
        let pair = full.get(at..at + 2)?;
        u8::from_str_radix(pair, 16)
            .ok()
            .map(|channel| f64::from(channel) / 255.0)
    };
    Some([channel(0)?, channel(2)?, channel(4)?])
}

/// Contrast as WCAG 2 counts it.
fn contrast(one: Colour, other: Colour) -> f64 {
    let luminance = |colour: Colour| {
        let [r, g, b] = colour.map(|c| {
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.0722_f64.mul_add(b, 0.2126_f64.mul_add(r, 0.7152 * g))
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Foreground, background, contrast in light and dark, and what WCAG 2.2 AA asks for.
const CONTRASTS: [(&str, &str, f64, f64, f64); 23] = [
    ("text", "canvas", 14.98, 15.88, 4.5),
    ("text", "surface", 16.45, 14.70, 4.5),
    ("text", "raised", 16.45, 13.35, 4.5),
    ("text", "sunken", 14.22, 15.61, 4.5),
    ("muted", "canvas", 5.94, 7.98, 4.5),
    ("muted", "surface", 6.53, 7.38, 4.5),
    ("muted", "raised", 6.53, 6.70, 4.5),
    ("muted", "sunken", 5.64, 7.84, 4.5),
    ("muted", "chip", 5.64, 6.10, 4.5),
    ("link", "canvas", 7.22, 10.33, 4.5),
    ("link", "surface", 7.93, 9.56, 4.5),
    ("link", "tint", 6.82, 7.79, 4.5),
    ("on-accent", "accent", 7.48, 8.66, 4.5),
    ("on-accent", "accent-hover", 10.17, 10.34, 4.5),
    ("warn", "surface", 6.87, 10.09, 4.5),
    ("bad", "surface", 6.98, 8.49, 4.5),
    ("bad", "raised", 6.98, 7.71, 4.5),
    ("on-bad", "bad-solid", 6.54, 7.39, 4.5),
    ("ok", "surface", 6.65, 9.58, 3.0),
    ("field", "surface", 3.48, 3.84, 3.0),
    ("field", "canvas", 3.17, 4.15, 3.0),
    ("field", "raised", 3.48, 3.49, 3.0),
    ("accent", "canvas", 6.81, 9.75, 3.0),
];

#[test]
fn colours_have_the_contrast_that_is_promised() {
    let tokens = tokens();
    for (front, back, light, dark, needed) in CONTRASTS {
        for (theme, promised) in [light, dark].into_iter().enumerate() {
            let found = contrast(tokens[front][theme], tokens[back][theme]);
            assert!(found >= needed, "{front} on {back}: {found:.2} < {needed}");
            assert!(
                (found - promised).abs() < 0.011,
                "{front} on {back}: {found:.2}, said to be {promised}"
            );
        }
    }
}

/// Pairs that the table does not list, and pages use all the same.
#[test]
fn every_text_colour_can_be_read_on_every_ground_it_stands_on() {
    let tokens = tokens();
    for back in ["canvas", "surface", "raised"] {
        for front in ["text", "muted", "link", "warn", "bad"] {
            for theme in [0, 1] {
                let found = contrast(tokens[front][theme], tokens[back][theme]);
                assert!(found >= 4.5, "{front} on {back}: {found:.2}");
            }
        }
    }
}

#[test]
fn the_sign_in_panel_can_be_read_from_top_to_bottom() {
    let arches = include_str!("../../assets/arches.svg");
    let stops: Vec<Colour> = arches
        .split("stop-color=\"")
        .skip(1)
        .filter_map(|stop| colour(stop.split('"').next()?))
        .take(2)
        .collect();
    let art = CSS.split(".split-art {").nth(1).unwrap();
    let large = colour(
        art.split("; color: ")
            .nth(1)
            .and_then(|rest| rest.split(';').next())
            .unwrap(),
    )
    .unwrap();
    let small = colour(
        art.rsplit_once("color: #d3e9ef")
            .map(|_| "#d3e9ef")
            .unwrap(),
    )
    .unwrap();
    assert_eq!(stops.len(), 2);
    for ground in stops {
        assert!(contrast(large, ground) >= 4.5);
        assert!(contrast(small, ground) >= 4.5);
    }
}
