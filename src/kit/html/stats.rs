//! Numbers with their names, each a link to what stands behind it.

use maud::{Markup, Render, html};

use super::Tone;
use super::badge::sub;

/// One number.
#[derive(Clone, Copy, Debug)]
pub struct Stat<'a> {
    /// What is counted.
    pub label: &'a str,
    /// The number, as text.
    pub value: &'a str,
    /// What it means, if that needs saying.
    pub note: Option<(Tone, &'a str)>,
    /// The list behind it.
    pub href: Option<&'a str>,
}

impl Render for Stat<'_> {
    fn render(&self) -> Markup {
        html! {
            div {
                dt { @if let Some(href) = self.href { a href=(href) { (self.label) } } @else { (self.label) } }
                dd.value { (self.value) }
                @if let Some((tone, note)) = self.note { dd { (sub(tone, note)) } }
            }
        }
    }
}

/// Some numbers in a row.
#[must_use]
pub fn stats(stats: &[Stat]) -> Markup {
    html! { dl.stats { @for stat in stats { (stat) } } }
}

/// What is known of a thing: names and values, one pair to a line.
#[must_use]
pub fn details(pairs: &[(&str, Markup)]) -> Markup {
    html! {
        dl.details { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } }
    }
}

/// Sums under a list, to the right; the last is that of all.
#[must_use]
pub fn totals(pairs: &[(String, Markup)]) -> Markup {
    html! {
        dl.details.totals.keep { @for (name, sum) in pairs { div { dt { (name) } dd { (sum) } } } }
    }
}
