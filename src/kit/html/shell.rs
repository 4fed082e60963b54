//! The layout of signed-in pages: navigation on the canvas, the page on one sheet. On phones the navigation folds
//! into the top bar. Who is signed in stands at its foot, with a menu of what is theirs.

use maud::{Markup, html};

use super::form::hidden;
use super::frame::Theme;
use super::icon::{Icon, mark};
use super::notice::toast;
use super::person::avatar;
use crate::kit::http::assets::{SHELL_CSS, SHELL_JS};

/// A page of the navigation.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it is called.
    pub label: &'a str,
    /// Where it is.
    pub href: &'a str,
    /// What stands before the label.
    pub icon: Icon,
    /// Whether this page is it, or in it.
    pub current: bool,
    /// How much waits there, and the words for it ("2", "waiting to be sent").
    pub waiting: Option<(u64, &'a str)>,
    /// The key that leads there after `g`.
    pub key: Option<char>,
}

/// Entries under one heading, or none.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// The heading.
    pub label: Option<&'a str>,
    /// The pages.
    pub entries: &'a [Entry<'a>],
}

/// Who is signed in, and what is theirs.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// Their name.
    pub name: &'a str,
    /// What they are.
    pub sub: &'a str,
    /// For the avatar.
    pub initials: &'a str,
    /// For the avatar.
    pub hue: u8,
    /// Their own pages.
    pub entries: &'a [Entry<'a>],
    /// The token that the forms here send along.
    pub csrf: &'a str,
    /// Where the form that signs out is sent.
    pub sign_out: &'a str,
    /// Where the form that changes the theme is sent (`theme` = [`Theme::slug`]).
    pub theme_action: &'a str,
    /// The theme now.
    pub theme: Theme,
}

/// Whether single keys do something; each person may turn them off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// They do.
    On,
    /// They do not.
    Off,
}

/// Everything around a signed-in page.
#[derive(Clone, Debug)]
pub struct Shell<'a> {
    /// The organisation.
    pub brand: &'a str,
    /// What this is.
    pub sub: &'a str,
    /// Where the mark leads.
    pub home: &'a str,
    /// A word on every page, such as "Demo".
    pub ribbon: Option<&'a str>,
    /// The navigation.
    pub groups: &'a [Group<'a>],
    /// Who is signed in.
    pub who: Who<'a>,
    /// Notes above every page.
    pub banner: Option<Markup>,
    /// What was just done.
    pub toast: Option<&'a str>,
    /// Whether single keys do something.
    pub keys: Keys,
}

/// The layout of signed-in pages.
#[must_use]
pub fn shell(shell: &Shell, body: &Markup) -> Markup {
    html! {
        link rel="stylesheet" href=(SHELL_CSS);
        div.shell data-keys[shell.keys == Keys::On] {
            (top_bar(shell))
            header.side {
                a.brand href=(shell.home) {
                    (mark())
                    span.two {
                        span { (shell.brand) }
                        small { (shell.sub) @if let Some(word) = shell.ribbon { " " span.tag { (word) } } }
                    }
                }
                nav.nav aria-label="Main" { (groups(shell.groups)) }
                (who(&shell.who))
            }
            main #main .sheet {
                div.page {
                    @if let Some(banner) = &shell.banner { (banner) }
                    (body)
                }
            }
        }
        @if let Some(text) = shell.toast { (toast(text)) }
        @if shell.keys == Keys::On { (keys(shell.groups)) }
        script type="module" src=(SHELL_JS) {}
    }
}

fn top_bar(shell: &Shell) -> Markup {
    let who = &shell.who;
    html! {
        details.topbar {
            summary {
                span.brand {
                    (mark())
                    span { (shell.brand) }
                    @if let Some(word) = shell.ribbon { span.tag { (word) } }
                }
                span.vh { "Menu" }
                (Icon::Menu)
            }
            nav.nav aria-label="Main menu" {
                (groups(shell.groups))
                p { (who.name) ", " (who.sub) }
                (entries(who.entries))
                (themes(who.theme_action, who.csrf, who.theme))
                (sign_out(who))
            }
        }
    }
}

fn groups(groups: &[Group]) -> Markup {
    html! {
        @for group in groups {
            @if let Some(label) = group.label { p { (label) } }
            (entries(group.entries))
        }
    }
}

fn entries(entries: &[Entry]) -> Markup {
    html! {
        @for entry in entries {
            a href=(entry.href) aria-current=[entry.current.then_some("page")] data-go=[entry.key] {
                (entry.icon)
                span { (entry.label) }
                @if let Some((count, words)) = entry.waiting {
                    span.count { (count) span.vh { " " (words) } }
                }
            }
        }
    }
}

fn who(who: &Who) -> Markup {
    html! {
        details.menu.up {
            summary.who {
                (avatar(who.initials, who.hue))
                span.two { span.clip { (who.name) } small { (who.sub) } }
                (Icon::ChevronsUpDown)
            }
            div {
                (entries(who.entries))
                hr;
                (themes(who.theme_action, who.csrf, who.theme))
                hr;
                (sign_out(who))
            }
        }
    }
}

fn sign_out(who: &Who) -> Markup {
    html! {
        form method="post" action=(who.sign_out) {
            (hidden("csrf", who.csrf))
            button { (Icon::LogOut) span { "Sign out" } }
        }
    }
}

/// The colours to choose from, the present ones marked; the choice is sent to `action` (`theme` = [`Theme::slug`]).
#[must_use]
pub fn themes(action: &str, csrf: &str, chosen: Theme) -> Markup {
    html! {
        form.theme method="post" action=(action) data-themes {
            (hidden("csrf", csrf))
            fieldset {
                legend.vh { "Theme" }
                @for theme in Theme::ALL {
                    button name="theme" value=(theme.slug()) aria-pressed=(theme == chosen) { (theme.label()) }
                }
            }
        }
    }
}

/// What the keys do; `?` opens it.
/// Where the list of keys stands on a page whose keys are on: a link there opens it, with the script or without.
pub const KEYS: &str = "#keys";

fn keys(groups: &[Group]) -> Markup {
    let line = |keys: &[&str], does: &str| {
        html! {
            div {
                dt { @for key in keys { kbd { (key) } " " } }
                dd { (does) }
            }
        }
    };
    html! {
        dialog #keys aria-labelledby="keys-title" {
            section.panel {
                header { h2 #keys-title { "Keys" } (super::button::close_mark("#main")) }
                dl.details {
                    (line(&["/"], "Search"))
                    (line(&["n"], "Create, on lists"))
                    @for entry in groups.iter().flat_map(|group| group.entries) {
                        @if let Some(key) = entry.key { (line(&["g", &key.to_string()], entry.label)) }
                    }
                    (line(&["↑", "↓"], "Through an open menu"))
                    (line(&["Esc"], "Close"))
                    (line(&["?"], "This list"))
                }
            }
        }
    }
}
