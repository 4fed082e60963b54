//! The menu at the end of a row: what can be done with it. Opens without the script.

use maud::{Markup, Render, html};

use super::form::hidden;
use super::icon::Icon;

/// One line of a menu.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// Leads to a page.
    Link {
        /// What stands before the label.
        icon: Icon,
        /// Verb first; ends in "…" when the page asks before anything happens.
        label: &'a str,
        /// Where it leads.
        href: &'a str,
    },
    /// Leads to a page whose panel opens as a dialog where the script runs.
    Dialog {
        /// What stands before the label.
        icon: Icon,
        /// Verb first, ending in "…".
        label: &'a str,
        /// Where it leads.
        href: &'a str,
    },
    /// As `Dialog`, for what cannot be taken back.
    Danger {
        /// What stands before the label.
        icon: Icon,
        /// Verb first, ending in "…".
        label: &'a str,
        /// Where it leads.
        href: &'a str,
    },
    /// Does it at once: a form of its own with one button.
    Post {
        /// What stands before the label.
        icon: Icon,
        /// Verb first.
        label: &'a str,
        /// Where the form is sent.
        action: &'a str,
    },
    /// A line between groups.
    Rule,
}

/// The menu of a row.
#[derive(Clone, Copy, Debug)]
pub struct Menu<'a> {
    /// For those who do not see the row: "Actions for Samuel Osei".
    pub label: &'a str,
    /// The token that its forms send along.
    pub csrf: &'a str,
    /// Its lines; without any the menu is not drawn.
    pub items: &'a [Item<'a>],
}

impl Render for Menu<'_> {
    fn render(&self) -> Markup {
        html! {
            @if !self.items.is_empty() {
                details.menu {
                    summary class="btn quiet icon-only sm" aria-label=(self.label) { (Icon::Ellipsis) }
                    div { @for item in self.items { (line(item, self.csrf)) } }
                }
            }
        }
    }
}

pub(super) fn line(item: &Item, csrf: &str) -> Markup {
    match item {
        Item::Link { icon, label, href } => html! {
            a href=(href) { (icon) (label) }
        },
        Item::Dialog { icon, label, href } => html! {
            a href=(href) data-dialog { (icon) (label) }
        },
        Item::Danger { icon, label, href } => html! {
            a.bad href=(href) data-dialog { (icon) (label) }
        },
        Item::Post {
            icon,
            label,
            action,
        } => html! {
            form method="post" action=(action) {
                (hidden("csrf", csrf))
                button { (icon) (label) }
            }
        },
        Item::Rule => html! { hr; },
    }
}
