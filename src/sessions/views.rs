//! How signing in is drawn.

use maud::{Markup, html};

use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::field::Field;
use crate::kit::html::form::{hidden, post};
use crate::kit::html::notice::alert;
use crate::kit::http::form::Form;
use crate::routes::Route;

/// What the sign-in form shows.
#[derive(Debug)]
pub struct SignInForm<'f> {
    /// What was typed, or what a link filled in.
    pub email: &'f str,
    /// Where to go afterwards.
    pub next: Option<&'f str>,
    /// Why it was refused.
    pub problem: Option<&'f str>,
    /// What is wrong with its fields.
    pub form: &'f Form,
}

/// The sign-in page.
#[must_use]
pub fn sign_in(form: &SignInForm<'_>, csrf: &str) -> Markup {
    let forgot = html! { a href=(Route::ForgotPassword) { "Forgot password?" } };
    // The cursor goes where something is missing.
    let missing = if form.email.is_empty() || form.form.error("email").is_some() {
        "email"
    } else {
        "password"
    };
    let email = Field::email("email", "Email")
        .autocomplete("username")
        .value(form.email)
        .required()
        .focus(missing);
    let password = Field::password("password", "Password")
        .aside(forgot)
        .focus(missing);
    let fields = html! {
        h1 { "Sign in to the Portal" }
        @if let Some(problem) = form.problem { (alert(Tone::Bad, &html! { p { (problem) } })) }
        (email.error(form.form.error("email")))
        (password.error(form.form.error("password")))
        @if let Some(next) = form.next { (hidden("next", next)) }
        (Button::submit("Sign in", "Signing in…").wide())
    };
    post(&Route::SignIn.to_string(), csrf, &fields)
}
