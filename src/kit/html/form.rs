//! Forms: the form itself, and what its fields have in common. `field` has what is typed, `choice` what is chosen.
//! A field keeps what was typed, says what is wrong under itself in place of its hint, and ties both to the input
//! for those who do not see them.

use maud::{Markup, html};

use super::button::Button;

use super::icon::Icon;

/// A form that does something: POST, with the token that proves it came from our page.
/// The server judges what was typed, so the browser's own balloons are off.
#[must_use]
pub fn post(action: &str, csrf: &str, body: &Markup) -> Markup {
    html! {
        form.stack method="post" action=(action) novalidate {
            (hidden("csrf", csrf))
            (body)
        }
    }
}

/// As [`post`], with a file among its fields.
#[must_use]
pub fn upload(action: &str, csrf: &str, body: &Markup) -> Markup {
    html! {
        form.stack method="post" action=(action) enctype="multipart/form-data" novalidate {
            (hidden("csrf", csrf))
            (body)
        }
    }
}

/// As [`post`], for long pages of settings: leaving with something unsaved asks first, where the script runs.
#[must_use]
pub fn guarded(action: &str, csrf: &str, body: &Markup) -> Markup {
    html! {
        form.stack method="post" action=(action) novalidate data-guard {
            (hidden("csrf", csrf))
            (body)
        }
    }
}

/// A form that asks for a page: the browser sees to what is required, and what is sent stands in the address.
#[must_use]
pub fn get(action: &str, body: &Markup) -> Markup {
    html! { form.stack method="get" action=(action) { (body) } }
}

/// A form of one button, in a row of others.
#[must_use]
pub fn post_button(action: &str, csrf: &str, button: &Button) -> Markup {
    html! {
        form method="post" action=(action) { (hidden("csrf", csrf)) (button) }
    }
}

/// A field that is sent and not seen.
#[must_use]
pub fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// Fields that belong together, under one heading.
#[must_use]
pub fn group(heading: &str, body: &Markup) -> Markup {
    html! { fieldset.group { legend { (heading) } (body) } }
}

/// The label of a field, and what stands at its far end.
pub(super) fn label(id: &str, text: &str, aside: Option<&Markup>) -> Markup {
    html! {
        @match aside {
            None => label for=(id) { (text) },
            Some(aside) => span.label-row { label for=(id) { (text) } (aside) },
        }
    }
}

/// The line under a field: what is wrong, else what helps.
pub(super) fn told(id: &str, hint: Option<&Markup>, error: Option<&Markup>) -> Markup {
    html! {
        @match (error, hint) {
            (Some(error), _) => p.error id={ (id) "-error" } { (Icon::CircleAlert) span { (error) } },
            (None, Some(hint)) => p.hint id={ (id) "-hint" } { (hint) },
            (None, None) => {},
        }
    }
}

/// The ids of what tells more about a field, for `aria-describedby`: the line under it, and `more`.
pub(super) fn described_by(
    id: &str,
    hint: Option<&Markup>,
    error: Option<&Markup>,
    more: Option<&str>,
) -> Option<String> {
    let told = match (error, hint) {
        (Some(_), _) => Some("error"),
        (None, Some(_)) => Some("hint"),
        (None, None) => None,
    };
    let ids: Vec<String> = told
        .into_iter()
        .chain(more)
        .map(|part| format!("{id}-{part}"))
        .collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
