//! How passwords are asked for and set: the two fields of a new one, asking for a reset link, and what it opens.

use maud::{Markup, html};

use crate::domain::email::Email;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::field::Field;
use crate::kit::html::form::post;
use crate::kit::html::notice::note;
use crate::kit::http::form::Form;
use crate::routes::Route;

/// The two fields of a new password, with the list of what it must hold. `focus` is the field of the form where the
/// cursor goes.
#[must_use]
pub fn new_password(form: &Form, focus: &str) -> Markup {
    html! {
        (Field::new_password("password", "New password").rules().focus(focus).error(form.error("password")))
        (Field::new_password("password_confirmation", "New password again").focus(focus)
            .error(form.error("password_confirmation")))
    }
}

/// The address that a link belongs to: shown, sent along for the browser's password manager, and not to be changed.
#[must_use]
pub fn fixed_email(email: &Email) -> Markup {
    html! { (Field::email("email", "Email").value(email.as_str()).autocomplete("username").fixed()) }
}

/// A link that no longer works: what became of it, and what to do now.
#[must_use]
pub fn dead_link(title: &str, sentence: &Markup, actions: &Markup) -> Markup {
    html! {
        section.stack {
            h1 { (title) }
            p { (sentence) }
            div.row { (actions) }
        }
    }
}

/// Whether mail leaves this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    /// It does.
    On,
    /// It waits until somebody sets that up.
    Off,
}

/// Asking for a reset link.
#[derive(Debug)]
pub struct Forgotten<'f> {
    /// What was typed.
    pub form: &'f Form,
    /// Said where none leaves.
    pub mail: Mail,
}

/// The page that asks for the address.
#[must_use]
pub fn forgotten(page: &Forgotten<'_>, csrf: &str) -> Markup {
    let body = html! {
        h1 { "Reset your password" }
        p { "Enter the email you sign in with. We send a link to it that works for one hour." }
        @if page.mail == Mail::Off { (mail_is_off()) }
        (Field::email("email", "Email").autocomplete("username").value(page.form.typed("email")).required().focus("email")
            .error(page.form.error("email")))
        (Button::submit("Send the link", "Sending…").wide())
        p { a href=(Route::SignIn) { "Back to sign in" } }
    };
    post(&Route::ForgotPassword.to_string(), csrf, &body)
}

fn mail_is_off() -> Markup {
    note(
        Tone::Warn,
        &html! { p { "Mail is off on this server, so no link can reach you now. Ask whoever runs the Portal to set a new password." } },
    )
}

/// What is said whatever was typed: it must not tell which addresses have accounts.
#[must_use]
pub fn asked(mail: Mail) -> Markup {
    html! {
        section.stack {
            h1 { "Look into your mailbox" }
            p { "If that address belongs to an active account, a link is on its way. It works for one hour." }
            p { "Nothing there after a few minutes? Look in Spam/Junk too, and check that it is the address you sign in with." }
            @if mail == Mail::Off { (mail_is_off()) }
            div.row {
                (Button::link("Back to sign in", &Route::SignIn.to_string()).primary())
                (Button::link("Try another address", &Route::ForgotPassword.to_string()))
            }
        }
    }
}

/// Setting another password with a link.
#[derive(Debug)]
pub struct Reset<'r> {
    /// The link's token, as it came.
    pub token: &'r str,
    /// Whose password.
    pub email: &'r Email,
    /// Until when, in words.
    pub until: Markup,
    /// Whether somebody else took the password away.
    pub is_given: bool,
    /// What is wrong with its fields.
    pub form: &'r Form,
}

/// The page of a good reset link.
#[must_use]
pub fn reset(page: &Reset<'_>, csrf: &str) -> Markup {
    let focus = page.form.first_problem().unwrap_or("password");
    let body = html! {
        h1 { "Set a new password" }
        @if page.is_given {
            p { "Your password was reset by somebody who manages your account: the old one opens nothing any more." }
        } @else {
            p { "Every browser that is signed in with this account will be signed out." }
        }
        (fixed_email(page.email))
        (new_password(page.form, focus))
        (Button::submit("Set the password", "Saving…").wide())
        p.hint { "The link works until " (page.until) "." }
    };
    let action = Route::ResetPassword(page.token.to_owned()).to_string();
    post(&action, csrf, &body)
}

/// Why a reset link no longer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadReset {
    /// It was used.
    Used,
    /// A newer one was sent, or the password was changed since.
    Replaced,
    /// Its hour is over.
    Expired,
}

/// The page of a reset link that no longer works.
#[must_use]
pub fn dead_reset(why: DeadReset) -> Markup {
    let (title, sentence) = match why {
        DeadReset::Used => (
            "This link was used",
            "A new password was set with it. Sign in with that one.",
        ),
        DeadReset::Replaced => (
            "This link was replaced",
            "A newer link was sent, or the password was changed since. Use the newest mail.",
        ),
        DeadReset::Expired => (
            "The link expired",
            "It worked for one hour, which is over. Ask for a new one.",
        ),
    };
    let sign_in = Route::SignIn.to_string();
    let again = Route::ForgotPassword.to_string();
    let actions = html! {
        @if why == DeadReset::Expired {
            (Button::link("Ask for a new link", &again).primary())
            (Button::link("Sign in", &sign_in))
        } @else {
            (Button::link("Sign in", &sign_in).primary())
            (Button::link("Ask for a new link", &again))
        }
    };
    dead_link(title, &html! { (sentence) }, &actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::http::fields::Fields;

    fn typed(body: &str) -> Form {
        Form::new(Fields::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn a_password_is_never_drawn_back() {
        let mut form = typed("password=Zx9%21mnqa&password_confirmation=other");
        form.problem("password_confirmation", "The two passwords differ.");
        let drawn = new_password(&form, "password_confirmation").into_string();
        assert!(
            !drawn.contains("Zx9!mnqa") && !drawn.contains("other"),
            "{drawn}"
        );
        assert!(drawn.contains("The two passwords differ."));
        assert!(drawn.contains("data-rules=\"password\""));
        assert_eq!(drawn.matches("autocomplete=\"new-password\"").count(), 2);
        let confirmation = drawn.split("id=\"password_confirmation\"").nth(1).unwrap();
        assert!(confirmation.contains("autofocus"));
    }

    #[test]
    fn the_address_of_a_link_is_fixed() {
        let drawn = fixed_email(&"ann@x.example".parse().unwrap()).into_string();
        assert!(drawn.contains("readonly") && drawn.contains("value=\"ann@x.example\""));
        assert!(drawn.contains("autocomplete=\"username\""));
    }

    #[test]
    fn a_dead_reset_link_leads_on() {
        for why in [DeadReset::Used, DeadReset::Replaced, DeadReset::Expired] {
            let drawn = dead_reset(why).into_string();
            assert!(drawn.contains("href=\"/forgot-password\""), "{why:?}");
            assert!(!drawn.contains("<form"), "{why:?}");
            assert_eq!(drawn.matches("btn primary").count(), 1, "{why:?}");
        }
    }

    #[test]
    fn the_answer_names_no_address_and_where_to_look() {
        let drawn = asked(Mail::On).into_string();
        assert!(drawn.contains("Spam/Junk") && drawn.contains("one hour"));
        assert!(!drawn.contains('@') && !drawn.contains("Mail is off"));
        assert!(asked(Mail::Off).into_string().contains("Mail is off"));
    }
}
