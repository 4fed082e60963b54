//! The frame of a page: the document itself, and the layouts around what is not yet, or not just, a signed-in page.
//! `shell` has the one with the navigation.

use maud::{DOCTYPE, Markup, Render, html};

use super::button::Button;
use super::form::post_button;
use super::icon::mark;
use crate::kit::http::assets::{
    FAVICON_SVG, PLEX_SANS_LATIN_WOFF2, PORTAL_CSS, PORTAL_JS, SHELL_CSS,
};

/// Which colours are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in forms and cookies.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that word.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.slug() == slug)
    }

    /// The label of its button.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }
}

/// What a document says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// "Accounts · IAM · Halden Works".
    pub title: &'a str,
    /// The colours.
    pub theme: Theme,
    /// Whether a form on it was refused: the title says so first.
    pub has_errors: bool,
}

/// A whole page around one of the layouts.
#[must_use]
pub fn document(head: &Head, body: &Markup) -> Markup {
    let forced = (head.theme != Theme::System).then_some(head.theme.slug());
    let scheme = forced.unwrap_or("light dark");
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[forced] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content=(scheme);
                meta name="robots" content="noindex";
                title { @if head.has_errors { "Error: " } (head.title) }
                link rel="icon" href=(FAVICON_SVG) type="image/svg+xml";
                link rel="preload" href=(PLEX_SANS_LATIN_WOFF2) as="font" type="font/woff2" crossorigin;
                link rel="stylesheet" href=(PORTAL_CSS);
                script type="module" src=(PORTAL_JS) {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (body)
            }
        }
    }
}

/// Pages before sign-in: a narrow form, and a panel with the doorway beside it on wide screens.
#[derive(Clone, Debug)]
pub struct Split<'a> {
    /// The name beside the mark.
    pub brand: &'a str,
    /// Where the mark leads.
    pub home: &'a str,
    /// What the panel says: paragraphs, the first one large.
    pub panel: Markup,
    /// The line at the foot.
    pub foot: Option<Markup>,
}

/// The layout of sign-in, activation, set-up.
#[must_use]
pub fn split(split: &Split, body: &Markup) -> Markup {
    html! {
        div.split {
            div.split-form {
                header { (brand(split.brand, split.home)) }
                main #main { (body) }
                footer.row { @if let Some(foot) = &split.foot { (foot) } }
            }
            aside.split-art aria-label={ "About " (split.brand) } { (split.panel) }
        }
    }
}

/// Pages that ask for one thing and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Focus<'a> {
    /// The name beside the mark.
    pub brand: &'a str,
    /// Where the mark leads.
    pub home: &'a str,
    /// The way out, if there is one.
    pub leave: Option<Leave<'a>>,
}

/// The way out of a page that asks for one thing.
#[derive(Clone, Copy, Debug)]
pub enum Leave<'a> {
    /// To another page, with its label ("Not now").
    To {
        /// What the link says.
        label: &'a str,
        /// Where it leads.
        href: &'a str,
    },
    /// Signing out, where no other page can be reached.
    SignOut {
        /// Where the form goes.
        action: &'a str,
        /// Its proof.
        csrf: &'a str,
    },
}

impl Render for Leave<'_> {
    fn render(&self) -> Markup {
        match self {
            Self::To { label, href } => html! { a.btn.quiet href=(href) { (label) } },
            Self::SignOut { action, csrf } => {
                let button = Button::submit("Sign out", "Signing out…").quiet();
                post_button(action, csrf, &button)
            }
        }
    }
}

/// The layout of enrolment and other courses of steps.
#[must_use]
pub fn focus(focus: &Focus, body: &Markup) -> Markup {
    html! {
        link rel="stylesheet" href=(SHELL_CSS);
        div.focus {
            header {
                (brand(focus.brand, focus.home))
                @if let Some(leave) = focus.leave { (leave) }
            }
            main #main .sheet.stack { (body) }
        }
    }
}

/// A page of few words, before it is known who asks; `home` is where the mark leads.
#[must_use]
pub fn plain(name: &str, home: &str, title: &str, body: &Markup) -> Markup {
    let frame = Focus {
        brand: name,
        home,
        leave: None,
    };
    let head = Head {
        title: &format!("{title} · {name}"),
        theme: Theme::System,
        has_errors: false,
    };
    document(&head, &focus(&frame, body))
}

fn brand(name: &str, home: &str) -> Markup {
    html! { a.brand href=(home) { (mark()) span { (name) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(head: Head) -> String {
        document(&head, &html! { main #main { "x" } }).into_string()
    }

    const HEAD: Head = Head {
        title: "Sign in · A & B",
        theme: Theme::System,
        has_errors: false,
    };

    #[test]
    fn the_title_says_first_that_something_is_wrong() {
        let refused = page(Head {
            has_errors: true,
            ..HEAD
        });
        assert!(refused.contains("<title>Error: Sign in · A &amp; B</title>"));
        assert!(page(HEAD).contains("<title>Sign in · A &amp; B</title>"));
    }

    #[test]
    fn a_theme_is_forced_and_the_system_is_left_alone() {
        let dark = page(Head {
            theme: Theme::Dark,
            ..HEAD
        });
        assert!(dark.contains("<html lang=\"en\" data-theme=\"dark\">"));
        assert!(dark.contains("name=\"color-scheme\" content=\"dark\""));
        let system = page(HEAD);
        assert!(system.contains("<html lang=\"en\">"));
        assert!(system.contains("content=\"light dark\""));
    }

    #[test]
    fn a_theme_is_its_word() {
        for theme in Theme::ALL {
            assert_eq!(Theme::from_slug(theme.slug()), Some(theme));
        }
        assert_eq!(Theme::from_slug("DARK"), None);
    }
}
