//! How signing in is drawn.

use maud::{Markup, html};

use crate::domain::email::Email;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::field::Field;
use crate::kit::html::form::{hidden, post};
use crate::kit::html::notice::{alert, note};
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

/// The field in which dangerous acts ask for the password, or for a code, again.
pub const PROOF_FIELD: &str = "current_password";

/// What a dangerous act asks of whoever is signed in, before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing: they showed who they are less than ten minutes ago.
    Nothing,
    /// The password.
    Password,
    /// The password, or a code.
    PasswordOrCode,
}

/// The field in which a dangerous act asks who acts; none where it is known.
#[must_use]
pub fn proof_field<'f>(asked: Asked) -> Option<Field<'f>> {
    match asked {
        Asked::Nothing => None,
        Asked::Password => Some(Field::password(PROOF_FIELD, "Current password")),
        Asked::PasswordOrCode => Some(
            Field::password(PROOF_FIELD, "Current password")
                .hint("Or the 6-digit code that your app shows now."),
        ),
    }
}

/// A sign-in link that works.
#[derive(Clone, Copy, Debug)]
pub struct LinkPage<'l> {
    /// The link's token, as it came.
    pub token: &'l str,
    /// Whose account.
    pub email: &'l Email,
    /// Who is signed in in this browser, if it is somebody else.
    pub instead_of: Option<&'l Email>,
}

/// The page of the operator's link: who would be signed in.
#[must_use]
pub fn link(page: &LinkPage<'_>, csrf: &str) -> Markup {
    let fields = html! {
        h1 { "Sign in to the Portal" }
        p { "This link is from whoever runs this Portal. It signs you in as " b.break { (page.email.as_str()) } ", once." }
        @if let Some(other) = page.instead_of {
            (note(Tone::Warn, &html! { p { "You are signed in as " b.break { (other.as_str()) } " here. That ends in this browser." } }))
        }
        (Button::submit("Sign in", "Signing in…").wide())
    };
    post(
        &Route::SignInLink(page.token.to_owned()).to_string(),
        csrf,
        &fields,
    )
}

/// Why a sign-in link no longer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLink {
    /// It was used.
    Used,
    /// A newer one was made.
    Replaced,
    /// Its 15 minutes are over.
    Expired,
}

/// The page of a sign-in link that no longer works.
#[must_use]
pub fn dead_link(why: DeadLink) -> Markup {
    let (title, sentence) = match why {
        DeadLink::Used => ("This link was used", "A sign-in link works once."),
        DeadLink::Replaced => (
            "This link was replaced",
            "A newer link was made. Use that one.",
        ),
        DeadLink::Expired => ("The link expired", "A sign-in link works for 15 minutes."),
    };
    html! {
        section.stack {
            h1 { (title) }
            p { (sentence) " Sign in with your password, or ask whoever runs this Portal for another." }
            div.row { (Button::link("To the sign-in page", &Route::SignIn.to_string()).primary()) }
        }
    }
}
