//! What an invitee sees: the form of a good link, and a page for each way in which a link is good no more.
//!
//! Only the page of a good link names the organisation.

use maud::{Markup, html};

use crate::domain::email::Email;
use crate::domain::role::Role;
use crate::domain::text::PersonName;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::field::Field;
use crate::kit::html::form::{hidden, post};
use crate::kit::html::notice::note;
use crate::kit::http::form::Form;
use crate::passwords::views::{dead_link, fixed_email, new_password};
use crate::routes::Route;

/// A good link.
#[derive(Debug)]
pub struct Activation<'a> {
    /// The link's token, as it came.
    pub token: &'a str,
    /// Who invited; none: the operator.
    pub invited_by: Option<&'a PersonName>,
    /// Where to.
    pub organisation: &'a str,
    /// As what.
    pub role: Role,
    /// Whom.
    pub email: &'a Email,
    /// Until when, in words.
    pub until: Markup,
    /// What was typed, and what is wrong with it.
    pub form: &'a Form,
}

/// The page of a good link.
#[must_use]
pub fn activate(page: &Activation<'_>, csrf: &str) -> Markup {
    let form = page.form;
    let focus = form.first_problem().unwrap_or("name");
    let body = html! {
        div {
            h1 { "Activate your account" }
            p.lead {
                @match page.invited_by {
                    Some(name) => { (name.as_str()) " invited you to " },
                    None => "You are invited to ",
                }
                b { (page.organisation) } " as " b { (page.role) } "."
            }
        }
        (fixed_email(page.email))
        (Field::text("name", "Your name").autocomplete("name").value(form.typed("name")).required().focus(focus)
            .error(form.error("name")))
        (Field::tel("phone", "Phone (optional)").value(form.typed("phone")).focus(focus)
            .hint("With the country code, like +47 922 41 108.").error(form.error("phone")))
        (new_password(form, focus))
        (Button::submit("Activate account", "Activating…").wide())
        p.hint { "The link works until " (page.until) "." }
    };
    post(
        &Route::Activate(page.token.to_owned()).to_string(),
        csrf,
        &body,
    )
}

/// The link is good, but somebody is signed in: they end that first.
#[must_use]
pub fn signed_in_as(email: &Email, token: &str, csrf: &str) -> Markup {
    let link = Route::Activate(token.to_owned()).to_string();
    let body = html! {
        h1 { "Activate an account" }
        p { "You are signed in as " b { (email.as_str()) } ". This link is for somebody who has no password yet." }
        (hidden("next", &link))
        div.row {
            (Button::submit("Sign out and continue", "Signing out…"))
            (Button::link("Back to the dashboard", &Route::Dashboard.to_string()))
        }
    };
    post(&Route::SignOut.to_string(), csrf, &body)
}

/// Used: the account has its password.
#[must_use]
pub fn already_active() -> Markup {
    let sentence = html! { "This link did its work. Sign in with your email and password." };
    let sign_in = Route::SignIn.to_string();
    let forgot = Route::ForgotPassword.to_string();
    let actions = html! {
        (Button::link("Sign in", &sign_in).primary())
        (Button::link("Forgot password?", &forgot))
    };
    dead_link("This account is already active.", &sentence, &actions)
}

/// A newer link was sent.
#[must_use]
pub fn replaced() -> Markup {
    let sentence = html! { "It is in the newest mail; this older one works no more." };
    let actions = html! { (Button::link("To the sign-in page", &Route::SignIn.to_string())) };
    dead_link("A newer link was sent. Use that one.", &sentence, &actions)
}

/// Whoever gave the role may no longer give it.
#[must_use]
pub fn withdrawn(ask: Option<&PersonName>) -> Markup {
    let whom = ask.map_or("a Master of your organisation", PersonName::as_str);
    let title = format!("Ask {whom} for a new invitation.");
    let sentence =
        html! { "This link works no more: whoever sent it may no longer invite to this role." };
    let actions = html! { (Button::link("To the sign-in page", &Route::SignIn.to_string())) };
    dead_link(&title, &sentence, &actions)
}

/// Past its time.
#[derive(Debug)]
pub struct Expired<'e> {
    /// The link's token, as it came.
    pub token: &'e str,
    /// Since when, in words ("yesterday, 14:20").
    pub since: Markup,
    /// Whether a new one may still be asked for here, or was just now.
    pub asking: Asking,
}

/// Where asking for a new link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// The button is there.
    Possible,
    /// It was pressed.
    Done,
}

/// The page of a link that is past its time. What is said after asking is the same whether or not a mail goes.
#[must_use]
pub fn expired(page: &Expired<'_>, csrf: &str) -> Markup {
    let action = Route::AskForLink(page.token.to_owned()).to_string();
    html! {
        section.stack {
            h1 { "The link expired " (page.since) "." }
            @match page.asking {
                Asking::Possible => {
                    p { "Nothing is lost: whoever invited you can send a new one." }
                    (post(&action, csrf, &html! { (Button::submit("Ask for a new link", "Asking…").wide()) }))
                },
                Asking::Done => (note(Tone::Plain, &html! {
                    p { "If the person who invited you can be reached, they have been asked for a new link, at most once an hour." }
                    p { "It comes to the same mailbox as this one. Look in Spam/Junk too." }
                })),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email() -> Email {
        "lea.fontaine@haldenworks.example".parse().unwrap()
    }

    fn drawn(invited_by: Option<&PersonName>, form: &Form) -> String {
        let page = Activation {
            token: "t0ken",
            invited_by,
            organisation: "Halden & Works",
            role: Role::Member,
            email: &email(),
            until: html! { "tomorrow, 14:20" },
            form,
        };
        activate(&page, "proof").into_string()
    }

    #[test]
    fn a_good_link_says_who_invited_whom_where_as_what_and_until_when() {
        let name: PersonName = "Ingrid Solheim".parse().unwrap();
        let page = drawn(Some(&name), &Form::default());
        for said in [
            "Ingrid Solheim invited you to <b>Halden &amp; Works</b> as <b>Member</b>.",
            "value=\"lea.fontaine@haldenworks.example\"",
            "readonly",
            "The link works until tomorrow, 14:20.",
            "action=\"/activate/t0ken\"",
            "value=\"proof\"",
            "data-rules=\"password\"",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert!(
            drawn(None, &Form::default()).contains("You are invited to <b>Halden &amp; Works</b>")
        );
    }

    #[test]
    fn what_was_typed_is_kept_and_the_cursor_goes_to_the_first_problem() {
        let fields =
            crate::kit::http::fields::Fields::parse(b"name=L%C3%A9a&phone=123&password=secret");
        let mut form = Form::new(fields.unwrap());
        form.problem("phone", "Write the number with its country code.");
        form.problem("password", "At least 8 characters.");
        let page = drawn(None, &form);
        assert!(page.contains("value=\"Léa\"") && page.contains("value=\"123\""));
        assert!(!page.contains("secret"));
        assert_eq!(page.matches("autofocus").count(), 1);
        let phone = page.split("id=\"phone\"").nth(1).unwrap();
        assert!(phone.split('>').next().unwrap().contains("autofocus"));
        for said in [
            "Write the number with its country code.",
            "At least 8 characters.",
        ] {
            assert!(page.contains(said), "{said}");
        }
    }

    #[test]
    fn a_link_past_its_time_can_be_asked_about_once() {
        let page = |asking| {
            let page = Expired {
                token: "t0ken",
                since: html! { "yesterday, 14:20" },
                asking,
            };
            expired(&page, "proof").into_string()
        };
        let before = page(Asking::Possible);
        assert!(before.contains("The link expired yesterday, 14:20."));
        assert!(
            before.contains("action=\"/activate/t0ken/ask\"")
                && before.contains("Ask for a new link")
        );
        let after = page(Asking::Done);
        assert!(
            !after.contains("<form")
                && after.contains("If the person who invited you can be reached")
        );
    }

    #[test]
    fn whoever_is_signed_in_ends_that_and_comes_back() {
        let page = signed_in_as(&email(), "t0ken", "proof").into_string();
        assert!(page.contains("action=\"/sign-out\""));
        assert!(page.contains("name=\"next\" value=\"/activate/t0ken\""));
    }

    #[test]
    fn a_withdrawn_link_says_whom_to_ask() {
        let name: PersonName = "Ingrid Solheim".parse().unwrap();
        assert!(
            withdrawn(Some(&name))
                .into_string()
                .contains("Ask Ingrid Solheim for a new invitation.")
        );
        assert!(
            withdrawn(None)
                .into_string()
                .contains("Ask a Master of your organisation for a new invitation.")
        );
    }
}
