//! Paging: which rows these are, and the ways to those before and after.

use maud::{Markup, Render, html};

/// The line under a table.
#[derive(Clone, Copy, Debug)]
pub struct Pager<'a> {
    /// The number of the first row shown, from 1; 0 when there is none.
    pub first: u64,
    /// The number of the last row shown.
    pub last: u64,
    /// How many there are.
    pub total: u64,
    /// Where the rows before are.
    pub previous: Option<&'a str>,
    /// Where the rows after are.
    pub next: Option<&'a str>,
}

impl Render for Pager<'_> {
    fn render(&self) -> Markup {
        html! {
            nav.pager aria-label="Pages" {
                span { (self.first) " to " (self.last) " of " (self.total) }
                @if self.previous.is_some() || self.next.is_some() {
                    div.row { (step("Previous", "prev", self.previous)) (step("Next", "next", self.next)) }
                }
            }
        }
    }
}

/// For lists that are not counted: only a way further back.
#[must_use]
pub fn older(label: &str, href: &str) -> Markup {
    html! {
        nav.pager aria-label=(label) { a.btn.sm href=(href) rel="next" { (label) } }
    }
}

fn step(label: &str, rel: &str, href: Option<&str>) -> Markup {
    html! {
        @match href {
            Some(href) => a.btn.sm href=(href) rel=(rel) { (label) },
            None => span.btn.sm aria-disabled="true" { (label) },
        }
    }
}
