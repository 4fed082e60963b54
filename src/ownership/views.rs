//! How the ownership is drawn, as a section of the settings: who has it, and what the reader can do about it.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::TO_FIELD;
use crate::domain::id::AccountId;
use crate::domain::text::OrganisationName;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Choice, Select};
use crate::kit::html::form::{post, post_button};
use crate::kit::html::notice::{alert, note};
use crate::kit::html::time::{day, when};
use crate::kit::http::form::Form;
use crate::kit::time::Timestamp;
use crate::routes::Route;
use crate::sessions::views::{Asked, PROOF_FIELD, proof_field};

/// Another Master, to whom it may be offered.
#[derive(Clone, Debug)]
pub struct Heir {
    /// The account.
    pub id: AccountId,
    /// What people call it.
    pub label: String,
    /// What tells namesakes apart.
    pub email: String,
}

/// Where the reader stands.
#[derive(Clone, Debug)]
pub enum Part {
    /// They own it, and may offer it to one of these.
    Owner(Vec<Heir>),
    /// They own it, and offered it: to whom, since when.
    Offering(String, Timestamp),
    /// It is offered to them, since then.
    Heir(Timestamp),
    /// Neither; it may be offered to somebody else.
    Bystander(Option<(String, Timestamp)>),
}

/// How the ownership stands.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is owned.
    pub organisation: OrganisationName,
    /// What people call the owner.
    pub owner: String,
    /// Since when they own it.
    pub since: Timestamp,
    /// Where the reader stands.
    pub part: Part,
    /// In which field the password is asked for again.
    pub asked: Asked,
    /// The reader's present.
    pub now: Timestamp,
    /// The reader's zone.
    pub zone: TimeZone,
}

/// The section, with what was refused at its place.
#[must_use]
pub fn section(facts: &Facts, refused: Option<&Form>, csrf: &str) -> Markup {
    let blank = Form::default();
    let form = refused.unwrap_or(&blank);
    html! {
        @match &facts.part {
            Part::Owner(heirs) => {
                p { "You own " b { (facts.organisation) } ", since " (day(facts.since, &facts.zone)) ". " (what_it_is()) }
                @if heirs.is_empty() { (nobody(form)) } @else { (offer(facts, heirs, form, csrf)) }
            },
            Part::Offering(heir, since) => {
                p { "You own " b { (facts.organisation) } ", since " (day(facts.since, &facts.zone)) "." }
                (told_again(form))
                p { "You offered it to " b { (heir) } " " (when(*since, facts.now, &facts.zone)) ". Nothing changes until they accept." }
                (post_button(&Route::WithdrawOwnership.to_string(), csrf, &Button::submit("Withdraw offer", "Withdrawing…").plain()))
            },
            Part::Heir(since) => (accept(facts, *since, form, csrf)),
            Part::Bystander(offer) => {
                p { b { (facts.owner) } " owns " b { (facts.organisation) } ", since " (day(facts.since, &facts.zone)) ". " (what_it_is()) }
                @match offer {
                    Some((heir, since)) => p { "It is offered to " b { (heir) } ", since " (when(*since, facts.now, &facts.zone)) "." },
                    None => p.hint { "Only the owner can hand it over." },
                }
            },
        }
    }
}

fn what_it_is() -> &'static str {
    "The owner is a Master whom nobody can disable, delete or demote, and whose password nobody but the operator resets."
}

/// To whom; then the password, once more.
fn offer(facts: &Facts, heirs: &[Heir], form: &Form, csrf: &str) -> Markup {
    let focus = form.first_problem().unwrap_or_default();
    let lines: Vec<(String, String)> = heirs
        .iter()
        .map(|heir| {
            (
                heir.id.to_string(),
                format!("{} ({})", heir.label, heir.email),
            )
        })
        .collect();
    let mut choices = vec![Choice::new("", "Choose a Master")];
    choices.extend(lines.iter().map(|(id, label)| Choice::new(id, label)));
    let body = html! {
        (Select::new(TO_FIELD, "Offer it to", choices).chosen(form.typed(TO_FIELD)).focus(focus)
            .hint("You own it until they accept. Then you are a Master like any other.").error(form.error(TO_FIELD)))
        @if let Some(field) = proof_field(facts.asked) {
            (field.focus(focus).error(form.error(PROOF_FIELD)))
        }
        (Button::submit("Offer ownership", "Offering…").plain())
    };
    post(&Route::OfferOwnership.to_string(), csrf, &body)
}

/// Nobody could take it.
fn nobody(form: &Form) -> Markup {
    html! {
        (told_again(form))
        p {
            "There is no other Active Master to hand it to. Make somebody a Master first, under "
            a href=(Route::Accounts) { "Accounts" } "."
        }
    }
}

/// What was refused, where the form it was typed into is not drawn any more.
fn told_again(form: &Form) -> Markup {
    html! {
        @if let Some(sentence) = form.first_problem().and_then(|field| form.error(field)) {
            (alert(Tone::Bad, &html! { p { (sentence) } }))
        }
    }
}

/// What it means to take it, and both ways to answer.
fn accept(facts: &Facts, since: Timestamp, form: &Form, csrf: &str) -> Markup {
    let focus = form.first_problem().unwrap_or_default();
    let body = html! {
        @if let Some(field) = proof_field(facts.asked) {
            (field.focus(focus).error(form.error(PROOF_FIELD)))
        }
        (Button::submit("Accept ownership", "Accepting…").plain())
    };
    html! {
        (note(Tone::Warn, &html! {
            p {
                b { (facts.owner) } " offers you the ownership of " b { (facts.organisation) } ", since "
                (when(since, facts.now, &facts.zone)) "."
            }
        }))
        p {
            "If you accept, you own it: nobody can disable, delete or demote you, and nobody but the operator resets your \
             password. You alone can hand it on. " (facts.owner) " is a Master like any other then."
        }
        (post(&Route::AcceptOwnership.to_string(), csrf, &body))
        p { "If you decline, " (facts.owner) " stays the owner, and can offer it to somebody else." }
        (post_button(&Route::DeclineOwnership.to_string(), csrf, &Button::submit("Decline", "Declining…").plain()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::http::fields::Fields;

    /// 24 November 2026, 14:20 in Oslo.
    const NOW: Timestamp = Timestamp(1_795_526_400);

    fn drawn(part: Part, refused: Option<&Form>) -> String {
        let facts = Facts {
            organisation: "Halden & Works".parse().unwrap(),
            owner: "Ingrid <Solheim>".to_owned(),
            since: NOW.minus(86_400),
            part,
            asked: Asked::Password,
            now: NOW,
            zone: TimeZone::get("Europe/Oslo").unwrap(),
        };
        section(&facts, refused, "proof").into_string()
    }

    fn heirs() -> Vec<Heir> {
        vec![Heir {
            id: "acc_bbbbbbbbbbbbb".parse().unwrap(),
            label: "Max & Vik".to_owned(),
            email: "max@halden.example".to_owned(),
        }]
    }

    #[test]
    fn each_sees_what_they_can_do_and_nothing_else() {
        let offer = || Some(("Max & Vik".to_owned(), NOW));
        for (part, actions) in [
            (Part::Owner(heirs()), vec!["/settings/ownership/offer"]),
            (Part::Owner(Vec::new()), vec![]),
            (
                Part::Offering("Max & Vik".to_owned(), NOW),
                vec!["/settings/ownership/withdraw"],
            ),
            (
                Part::Heir(NOW),
                vec!["/settings/ownership/accept", "/settings/ownership/decline"],
            ),
            (Part::Bystander(None), vec![]),
            (Part::Bystander(offer()), vec![]),
        ] {
            let page = drawn(part, None);
            let found: Vec<&str> = page
                .split("action=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            assert_eq!(found, actions, "{page}");
            assert!(!page.contains("<Solheim>") && !page.contains("Max & Vik"));
        }
        assert!(drawn(Part::Owner(Vec::new()), None).contains("href=\"/iam/accounts\""));
    }

    #[test]
    fn what_was_refused_is_told_even_where_its_form_is_gone() {
        let fields = Fields::parse(b"to=acc_bbbbbbbbbbbbb&current_password=Secret-1").unwrap();
        let mut form = Form::new(fields);
        form.problem("to", "Not them.");
        let page = drawn(Part::Owner(heirs()), Some(&form));
        assert!(page.contains("id=\"to-error\""), "{page}");
        assert!(page.contains("<option value=\"acc_bbbbbbbbbbbbb\" selected>"));
        for part in [
            Part::Owner(Vec::new()),
            Part::Offering("Max".to_owned(), NOW),
        ] {
            let page = drawn(part, Some(&form));
            assert!(page.contains("role=\"alert\"") && page.contains("Not them."));
        }
        assert!(!page.contains("Secret-1"));
    }
}
