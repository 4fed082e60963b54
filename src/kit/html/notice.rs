//! What the portal tells: notes in the page, a toast after a deed, and the words where there is nothing yet.

use maud::{Markup, html};

use super::Tone;
use super::icon::Icon;

/// A note that belongs to the page.
#[must_use]
pub fn note(tone: Tone, body: &Markup) -> Markup {
    html! { div class=(classes(tone)) { (icon(tone)) div { (body) } } }
}

/// A note that answers what was just sent, and is read out at once.
#[must_use]
pub fn alert(tone: Tone, body: &Markup) -> Markup {
    html! { div class=(classes(tone)) role="alert" { (icon(tone)) div { (body) } } }
}

fn classes(tone: Tone) -> String {
    format!("note {}", tone.class().unwrap_or_default())
        .trim_end()
        .to_owned()
}

const fn icon(tone: Tone) -> Icon {
    match tone {
        Tone::Plain => Icon::Info,
        Tone::Warn => Icon::TriangleAlert,
        Tone::Bad => Icon::CircleAlert,
    }
}

/// One line on what was just done; never the only place where something is said to have gone wrong.
#[must_use]
pub fn toast(text: &str) -> Markup {
    html! {
        div.toasts role="status" {
            div.toast {
                (Icon::CircleCheck)
                span.grow { (text) }
                button type="button" class="btn sm icon-only" data-dismiss aria-label="Dismiss" { (Icon::X) }
            }
        }
    }
}

/// Where there is nothing yet: what will be here, and the one thing to do.
#[must_use]
pub fn empty(icon: Icon, title: &str, sentence: &str, action: Option<&Markup>) -> Markup {
    html! {
        div.empty {
            (icon)
            h2 { (title) }
            p { (sentence) }
            @if let Some(action) = action { (action) }
        }
    }
}
