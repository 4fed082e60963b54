//! What each deed does, said before it is done.

use maud::{Markup, Render, html};

use crate::accounts::{Account, EMAIL_FIELD};
use crate::domain::email::Email;
use crate::kit::html::button::Button;
use crate::kit::html::dialog::{Panel, buttons};
use crate::kit::html::field::Field;
use crate::kit::html::form::post;
use crate::kit::http::form::Form;
use crate::routes::Route;

/// What deleting does, and the address to type before it is done.
#[must_use]
pub fn confirm_delete(account: &Account, email: &Email, form: &Form, csrf: &str) -> Markup {
    let back = Route::Account(account.id).to_string();
    let label = format!("Type {email} to confirm");
    let body = html! {
        (Field::email(EMAIL_FIELD, &label)
            .value(form.typed(EMAIL_FIELD))
            .error(form.error(EMAIL_FIELD))
            .focus(EMAIL_FIELD)
            .required())
        (buttons(&html! {
            (Button::close("Cancel", &back))
            (Button::submit("Delete account", "Deleting…").danger())
        }))
    };
    let lead = html! {
        p {
            "The activation link dies, a mail that still waits is not sent, and the address is free again. "
            "The audit log keeps what happened. This cannot be undone."
        }
    };
    let title = format!("Delete {email}?");
    Panel {
        title: &title,
        lead: Some(lead),
        back: &back,
        body: post(&Route::DeleteAccount(account.id).to_string(), csrf, &body),
    }
    .render()
}
