//! How the first run is drawn: where the link is, the form it opens, and the facts beside it.

use maud::{Markup, html};

use crate::kit::html::button::Button;
use crate::kit::html::choice::{Choice, Select};
use crate::kit::html::field::Field;
use crate::kit::html::form::post;
use crate::kit::http::form::Form;
use crate::passwords::views::new_password;
use crate::routes::Route;

/// Where the set-up link is; nothing about the instance.
#[must_use]
pub fn where_to_look() -> Markup {
    html! {
        section.stack {
            h1 { "This Portal is not set up yet" }
            p { "Setting it up takes a link that only whoever runs the server has. It was printed on the terminal when the Portal started." }
            p { "On the server, run " code { "doorward setup-link" } ". It prints a new link, which works for 30 minutes." }
        }
    }
}

/// The link is not the one, or its 30 minutes are over.
#[must_use]
pub fn not_valid() -> Markup {
    html! {
        section.stack {
            h1 { "This set-up link is not valid." }
            p { "On the server, run " code { "doorward setup-link" } "." }
        }
    }
}

/// The set-up form.
#[derive(Debug)]
pub struct SetUp<'s> {
    /// The link's token, as it came.
    pub token: &'s str,
    /// What was typed, and what is wrong with it.
    pub form: &'s Form,
    /// The time zones to choose from.
    pub zones: &'s [String],
}

/// The page that founds the first organisation.
#[must_use]
pub fn set_up(page: &SetUp<'_>, csrf: &str) -> Markup {
    let form = page.form;
    let focus = form.first_problem().unwrap_or("organisation");
    let body = html! {
        h1 { "Set up this Portal" }
        (Field::text("organisation", "Organisation").autocomplete("organization").value(form.typed("organisation"))
            .required().focus(focus).error(form.error("organisation")))
        (Field::text("name", "Your name").autocomplete("name").value(form.typed("name")).required().focus(focus)
            .error(form.error("name")))
        (Field::email("email", "Email").autocomplete("username").value(form.typed("email")).required().focus(focus)
            .error(form.error("email")))
        (new_password(form, focus))
        (time_zone(page, focus))
        (Button::submit("Create organisation", "Creating…").wide())
        p.hint { "You become its Master." }
    };
    post(
        &Route::SetUp(page.token.to_owned()).to_string(),
        csrf,
        &body,
    )
}

fn time_zone<'s>(page: &'s SetUp<'_>, focus: &'s str) -> Select<'s> {
    let choices = page.zones.iter().map(|zone| Choice::new(zone, zone));
    let select = Select::new("timezone", "Time zone", choices.collect())
        .focus(focus)
        .error(page.form.error("timezone"));
    match page.form.typed("timezone") {
        "" => select.chosen("UTC").guess_zone(),
        chosen => select.chosen(chosen),
    }
}

/// What whoever runs the Portal wants to know.
#[derive(Debug)]
pub struct Facts<'f> {
    /// Of the binary.
    pub version: &'f str,
    /// The data folder.
    pub data: &'f str,
    /// How mail leaves, in words; none while it is off.
    pub relay: Option<&'f str>,
}

/// The facts, beside the form.
#[must_use]
pub fn facts(facts: &Facts<'_>) -> Markup {
    html! {
        p { "Nothing is sent anywhere." }
        p { "Version " (facts.version) }
        p { "Data in " (breakable(facts.data)) }
        p {
            @match facts.relay {
                Some(relay) => { "Only mail leaves, by " (breakable(relay)) },
                None => "Mail is off for now: messages wait, and links can be copied.",
            }
        }
    }
}

/// A path or address that may go on in the next line after each slash.
fn breakable(text: &str) -> Markup {
    html! {
        @for part in text.split_inclusive('/') { (part) wbr; }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::http::fields::Fields;

    fn drawn(form: &Form) -> String {
        let zones = ["UTC".to_owned(), "Europe/Oslo".to_owned()];
        let page = SetUp {
            token: "t0ken",
            form,
            zones: &zones,
        };
        set_up(&page, "proof").into_string()
    }

    #[test]
    fn the_browsers_zone_is_guessed_until_one_was_chosen() {
        let fresh = drawn(&Form::default());
        assert!(fresh.contains("data-timezone"));
        assert!(fresh.contains("<option value=\"UTC\" selected>"));
        let fields = Fields::parse(b"timezone=Europe%2FOslo&organisation=Halden").unwrap();
        let again = drawn(&Form::new(fields));
        assert!(!again.contains("data-timezone"));
        assert!(again.contains("<option value=\"Europe/Oslo\" selected>"));
        assert!(again.contains("value=\"Halden\""));
    }

    #[test]
    fn a_wrong_link_says_nothing_of_the_instance() {
        let page = not_valid().into_string();
        assert!(
            page.contains("This set-up link is not valid.") && page.contains("doorward setup-link")
        );
        assert!(!page.contains(env!("CARGO_PKG_VERSION")) && !page.contains("<form"));
    }

    #[test]
    fn the_facts_say_what_leaves_the_house() {
        let off = Facts {
            version: "1.2.3",
            data: "/var/lib/doorward",
            relay: None,
        };
        let page = facts(&off).into_string();
        for said in [
            "Nothing is sent anywhere.",
            "Version 1.2.3",
            "/<wbr>var/<wbr>lib/<wbr>doorward<wbr>",
            "Mail is off",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let on = facts(&Facts {
            relay: Some("smtp.example:587"),
            ..off
        });
        assert!(
            on.into_string()
                .contains("Only mail leaves, by smtp.example:587")
        );
    }
}
