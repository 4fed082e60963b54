//! Ways around a page: its head, tabs, and the filters above a list.

use maud::{Markup, html};

use super::icon::Icon;

/// The head of a page: title, one line on what it is for, and what can be done.
#[must_use]
pub fn page_head(title: &str, lead: Option<&str>, actions: Option<&Markup>) -> Markup {
    html! {
        div.page-head {
            div {
                h1 { (title) }
                @if let Some(lead) = lead { p { (lead) } }
            }
            @if let Some(actions) = actions { div.row { (actions) } }
        }
    }
}

/// The way to the page above this one.
#[must_use]
pub fn back(label: &str, href: &str) -> Markup {
    html! { p { a.back href=(href) { (Icon::ArrowLeft) (label) } } }
}

/// One of several views: a tab, or a filter's value.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What it is called.
    pub label: &'a str,
    /// How much is in it.
    pub count: Option<u64>,
    /// Where it is.
    pub href: &'a str,
    /// Whether it is the one shown.
    pub current: bool,
}

/// Tabs: pages that belong together. `label` says what they are tabs of.
#[must_use]
pub fn tabs(label: &str, views: &[View]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            @for view in views {
                a href=(view.href) aria-current=[view.current.then_some("page")] {
                    (view.label)
                    @if let Some(count) = view.count { " " (super::badge::count(count)) }
                }
            }
        }
    }
}

/// A filter as a row of links, one of them current.
#[must_use]
pub fn segmented(label: &str, views: &[View]) -> Markup {
    html! {
        nav.segmented aria-label=(label) {
            @for view in views {
                a href=(view.href) aria-current=[view.current.then_some("true")] {
                    (view.label)
                    @if let Some(count) = view.count { " " span { (count) } }
                }
            }
        }
    }
}

/// The filters above a list: a GET form to `action`, sent at each change where the script runs.
#[must_use]
pub fn toolbar(action: &str, body: &Markup) -> Markup {
    html! {
        form.toolbar.row method="get" action=(action) role="search" data-auto {
            (body)
            button class="btn unscripted" { "Filter" }
        }
    }
}

/// A search field; `/` goes to it where the script runs.
#[must_use]
pub fn search(name: &str, label: &str, value: &str) -> Markup {
    html! {
        div.search {
            (Icon::Search)
            label.vh for=(name) { (label) }
            input.input id=(name) name=(name) type="search" value=(value) placeholder=(label)
                autocomplete="off" spellcheck="false" data-search;
            kbd aria-hidden="true" { "/" }
        }
    }
}

/// A menu in a toolbar, without a visible label: its first option says what it filters by ("Any permission").
/// Each option is value and text.
#[must_use]
pub fn filter(name: &str, label: &str, options: &[(&str, &str)], chosen: &str) -> Markup {
    // A dialog over the list may hold a field of the same name, and its label must not lead here.
    let id = format!("filter-{name}");
    html! {
        label.vh for=(id) { (label) }
        select id=(id) name=(name) {
            @for (value, text) in options {
                option value=(value) selected[*value == chosen] { (text) }
            }
        }
    }
}

/// A day in a toolbar, as "2026-11-24" or empty, with its label in front.
#[must_use]
pub fn day_field(name: &str, label: &str, value: &str) -> Markup {
    let id = format!("filter-{name}");
    html! {
        label.day for=(id) {
            (label)
            input.input id=(id) name=(name) type="date" value=(value) min="1970-01-01" max="9998-12-31";
        }
    }
}
