//! Panels: a narrow column with a head, a form and its buttons. A panel is the whole of its page; a link to that
//! page with `data-dialog` opens it as a dialog where the script runs. So every dialog is a page first.

use maud::{Markup, Render, html};

use super::button::close_mark;

/// The one panel of a page.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// What is asked or told.
    pub title: &'a str,
    /// What will happen, in a sentence or two.
    pub lead: Option<Markup>,
    /// Where one comes from, and goes back to when it is closed.
    pub back: &'a str,
    /// Usually a form that ends in a `footer` ([`buttons`]).
    pub body: Markup,
}

impl Panel<'_> {
    fn inside(&self, heading: &Markup) -> Markup {
        html! {
            header {
                (heading)
                (close_mark(self.back))
                @if let Some(lead) = &self.lead { div.lead { (lead) } }
            }
            (self.body)
        }
    }

    /// The same as a dialog of the page it stands in, open at once: the answer to a deed, above the list it
    /// changed. Without the script it is drawn as a sheet above the page.
    #[must_use]
    pub fn open_dialog(&self) -> Markup {
        let heading = html! { h2 #panel-title { (self.title) } };
        html! {
            dialog open data-open aria-labelledby="panel-title" {
                section.panel { (self.inside(&heading)) }
            }
        }
    }
}

impl Render for Panel<'_> {
    fn render(&self) -> Markup {
        let heading = html! { h1 #panel-title { (self.title) } };
        html! {
            section.panel data-panel aria-labelledby="panel-title" { (self.inside(&heading)) }
        }
    }
}

/// The buttons at the foot of a panel: the way out first, the deed last.
#[must_use]
pub fn buttons(body: &Markup) -> Markup {
    html! { footer { (body) } }
}
