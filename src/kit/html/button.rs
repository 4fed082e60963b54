//! Buttons: a `button` for what does something, an `a` for what leads somewhere.

use maud::{Markup, Render, html};

use super::icon::Icon;

/// How much a button asks to be pressed; one `Primary` to a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Plain,
    Primary,
    Quiet,
    Danger,
}

#[derive(Clone, Debug)]
enum Does<'a> {
    /// Sends its form; the label while it does, and name and value when the form has several buttons.
    Submit {
        busy: &'a str,
        value: Option<(&'a str, &'a str)>,
    },
    /// Leads to a page; with the script, that page's panel opens as a dialog when asked for.
    Link { href: &'a str, dialog: bool },
    /// Leads back; inside a dialog, closes it.
    Close { href: &'a str },
    /// Copies the text of the element with this id. Needs the script, and is hidden without it.
    Copy { id: &'a str },
    /// Opens the browser's print dialog. Needs the script, and is hidden without it.
    Print,
    /// Nothing yet: shown with the reason beside it.
    Nothing { reason: &'a str },
}

/// One button. Begin with what it does, then say how it looks.
#[derive(Clone, Debug)]
pub struct Button<'a> {
    label: &'a str,
    does: Does<'a>,
    look: Look,
    icon: Option<Icon>,
    class: &'static str,
    key: Option<char>,
    focused: bool,
}

impl<'a> Button<'a> {
    const fn new(label: &'a str, does: Does<'a>, look: Look) -> Self {
        Self {
            label,
            does,
            look,
            icon: None,
            class: "",
            key: None,
            focused: false,
        }
    }

    /// The one primary button of a form; `busy` is its label while the form is sent ("Saving…").
    #[must_use]
    pub const fn submit(label: &'a str, busy: &'a str) -> Self {
        Self::new(label, Does::Submit { busy, value: None }, Look::Primary)
    }

    /// A link that looks like a button.
    #[must_use]
    pub const fn link(label: &'a str, href: &'a str) -> Self {
        let does = Does::Link {
            href,
            dialog: false,
        };
        Self::new(label, does, Look::Plain)
    }

    /// A link to a page whose panel ([`super::dialog::Panel`]) opens as a dialog where the script runs.
    #[must_use]
    pub const fn dialog(label: &'a str, href: &'a str) -> Self {
        Self::new(label, Does::Link { href, dialog: true }, Look::Plain)
    }

    /// The way out of a panel: leads to `href`, or closes the dialog that the panel stands in.
    #[must_use]
    pub const fn close(label: &'a str, href: &'a str) -> Self {
        Self::new(label, Does::Close { href }, Look::Plain)
    }

    /// Copies the text of the element with this id.
    #[must_use]
    pub const fn copy(label: &'a str, id: &'a str) -> Self {
        let button = Self::new(label, Does::Copy { id }, Look::Plain);
        button.icon(Icon::Copy)
    }

    /// Prints the page.
    #[must_use]
    pub const fn print(label: &'a str) -> Self {
        let button = Self::new(label, Does::Print, Look::Plain);
        button.icon(Icon::Printer)
    }

    /// What may not be done yet, with the reason.
    #[must_use]
    pub const fn unavailable(label: &'a str, reason: &'a str) -> Self {
        Self::new(label, Does::Nothing { reason }, Look::Plain)
    }

    /// The one that is meant to be pressed.
    #[must_use]
    pub const fn primary(mut self) -> Self {
        self.look = Look::Primary;
        self
    }

    /// With an edge and no colour, for a submit that is not the point of the view.
    #[must_use]
    pub const fn plain(mut self) -> Self {
        self.look = Look::Plain;
        self
    }

    /// Without an edge.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.look = Look::Quiet;
        self
    }

    /// For what cannot be taken back.
    #[must_use]
    pub const fn danger(mut self) -> Self {
        self.look = Look::Danger;
        self
    }

    /// Low, for rows and pagers.
    #[must_use]
    pub const fn small(mut self) -> Self {
        self.class = "sm";
        self
    }

    /// As wide as its column.
    #[must_use]
    pub const fn wide(mut self) -> Self {
        self.class = "wide";
        self
    }

    /// With an icon before the label.
    #[must_use]
    pub const fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Sends this name and value along, for forms with several buttons.
    #[must_use]
    pub const fn named(mut self, name: &'a str, value: &'a str) -> Self {
        if let Does::Submit { value: sent, .. } = &mut self.does {
            *sent = Some((name, value));
        }
        self
    }

    /// The key that presses a link where the script runs and the person has not turned keys off.
    #[must_use]
    pub const fn key(mut self, key: char) -> Self {
        self.key = Some(key);
        self
    }

    /// Focused when the page or its dialog opens.
    #[must_use]
    pub const fn focused(mut self) -> Self {
        self.focused = true;
        self
    }

    fn classes(&self) -> String {
        let look = match self.look {
            Look::Plain => "",
            Look::Primary => "primary",
            Look::Quiet => "quiet",
            Look::Danger => "danger",
        };
        ["btn", look, self.class]
            .into_iter()
            .filter(|class| !class.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Render for Button<'_> {
    fn render(&self) -> Markup {
        let class = self.classes();
        let inside = html! {
            @if let Some(icon) = self.icon { (icon) }
            span { (self.label) }
        };
        match &self.does {
            Does::Submit { busy, value } => html! {
                button class=(class) data-busy=(busy)
                    name=[value.map(|(name, _)| name)] value=[value.map(|(_, value)| value)] { (inside) }
            },
            Does::Link { href, dialog } => html! {
                a class=(class) href=(href) data-dialog[*dialog] data-key=[self.key] autofocus[self.focused] { (inside) }
            },
            Does::Close { href } => html! {
                a class=(class) href=(href) data-close autofocus[self.focused] { (inside) }
            },
            Does::Copy { id } => html! {
                button type="button" class=(class) data-copy=(id) autofocus[self.focused] {
                    @if let Some(icon) = self.icon { (icon) }
                    span aria-live="polite" { (self.label) }
                }
            },
            Does::Print => html! {
                button type="button" class=(class) data-print { (inside) }
            },
            Does::Nothing { reason } => html! {
                span.row {
                    button type="button" class=(class) disabled { (inside) }
                    span.hint { (reason) }
                }
            },
        }
    }
}

/// A `×` that leads to `href`, or closes the dialog it stands in.
pub(super) fn close_mark(href: &str) -> Markup {
    html! {
        a.btn.quiet.icon-only href=(href) data-close aria-label="Close" { (Icon::X) }
    }
}
