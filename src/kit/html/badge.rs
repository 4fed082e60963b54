//! Short words about a thing: status, second line, tag, count. A status differs by shape as well as by colour.

use maud::{Markup, Render, html};

use super::{Tone, Yes};

/// A status, with its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge<'a> {
    /// Works (a dot).
    Good(&'a str),
    /// Not yet (a ring).
    Pending(&'a str),
    /// Turned off (a dash).
    Off(&'a str),
    /// Went wrong (a diamond).
    Failed(&'a str),
    /// Neither good nor bad, as in the legend of a chart.
    Info(&'a str),
    /// Not complete yet, as in the legend of a chart (hatched).
    Running(&'a str),
}

impl Render for Badge<'_> {
    fn render(&self) -> Markup {
        match self {
            Self::Good(word) => html! { span.badge { (word) } },
            Self::Pending(word) => html! { span.badge.pending { (word) } },
            Self::Off(word) => html! { span.badge.off { (word) } },
            Self::Failed(word) => html! { span.badge.failed { (word) } },
            Self::Info(word) => html! { span.badge.info { (word) } },
            Self::Running(word) => html! { span.badge.running { (word) } },
        }
    }
}

/// The line under a status, that says what to do about it.
#[must_use]
pub fn sub(tone: Tone, text: &str) -> Markup {
    match tone.class() {
        None => html! { span.sub { (text) } },
        Some(class) => html! { span class={ "sub " (class) } { (text) } },
    }
}

/// A word beside a name.
#[must_use]
pub fn tag(word: &str) -> Markup {
    html! { span.tag { (word) } }
}

/// A number beside a heading or a tab.
#[must_use]
pub fn count(number: u64) -> Markup {
    html! { span.count { (number) } }
}

/// "Yes" or "no" in a table, as a tick or a dash, with the word for those who do not see it.
#[must_use]
pub fn tick(yes: impl Into<Yes>) -> Markup {
    match yes.into() {
        Yes::Yes => html! { (super::icon::Icon::Check) span.vh { "Yes" } },
        Yes::No => html! { span.muted aria-hidden="true" { "–" } span.vh { "No" } },
    }
}

/// A cell that is empty, with the words for why ("No phone").
#[must_use]
pub fn nothing(words: &str) -> Markup {
    html! { span.muted aria-hidden="true" { "–" } span.vh { (words) } }
}
