//! One event: all that the log knows of it.

use data_encoding::HEXLOWER;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::Value;

use super::{kind, list::Query, sentence};
use crate::audit::Hand;
use crate::audit::export::named;
use crate::audit::search::{Event, Outcome, What, Who};
use crate::domain::id::AccountId;
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::badge::sub;
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::stats::details;
use crate::routes::Route;

/// The page.
#[derive(Debug)]
pub struct Opened<'e> {
    /// The event.
    pub event: &'e Event,
    /// The name that whoever did it has now.
    pub actor: Option<&'e str>,
    /// The name of whoever it was done to.
    pub target: Option<&'e str>,
    /// Whether accounts may be looked at.
    pub links: Links,
    /// Where the list is from which somebody came.
    pub list: &'e str,
    /// Where it is read.
    pub zone: &'e TimeZone,
}

/// Whether the page leads to those it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// It does.
    Shown,
    /// The reader may not look at accounts.
    Hidden,
}

/// One event.
#[must_use]
pub fn event(opened: &Opened<'_>) -> Markup {
    let line = &opened.event.line;
    let deed = named(&line.deed, opened.actor);
    let words = sentence(&deed);
    let mut rows = vec![
        (
            "When",
            html! { (dates::exact_moment(deed.at, opened.zone)) },
        ),
        ("By", by(opened)),
    ];
    if let Some(target) = target(opened) {
        rows.push(("To", target));
    }
    if let Some((before, after)) = &deed.change {
        rows.push(("Before", html! { span.break { (before) } }));
        rows.push(("After", html! { span.break { (after) } }));
    }
    rows.push((
        "From",
        match (&deed.address, opened.event.erased.contains(&2)) {
            (Some(address), _) => html! { (address) },
            (None, true) => erased(),
            (None, false) => html! { span.muted { "No network address" } },
        },
    ));
    if let Some(session) = line.session {
        rows.push(("Session", html! { code { (session) } }));
    }
    rows.push((
        "Request",
        match line.request_id.as_str() {
            "" => html! { span.muted { "None: not by a browser" } },
            id => html! { code { (id) } },
        },
    ));
    rows.push(("Result", html! { (Outcome::of(deed.action).label()) }));
    rows.push((
        "Kind",
        html! { a href=(of_kind(opened)) { (kind(deed.action)) } " " code { (deed.action.slug()) } },
    ));
    let facts = facts(&deed.details);
    html! {
        (back("Audit log", opened.list))
        (page_head(&words, None, None))
        (details(&rows))
        @if !facts.is_empty() {
            section.stack-2 {
                h2 { "Facts" }
                (details(&facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect::<Vec<_>>()))
            }
        }
        section.stack-2 {
            h2 { "Place in the log" }
            (details(&[
                ("Number", html! { (line.number) " of " (opened.event.newest) }),
                ("Hash", html! { code.break { (HEXLOWER.encode(&opened.event.hash)) } }),
            ]))
            p.hint {
                "The hash is over this entry and the hash before it. Whoever runs this Portal checks the whole log with "
                code { "doorward audit verify" } "; an export as JSON lines can be checked anywhere."
            }
        }
    }
}

fn erased() -> Markup {
    html! { span.muted { "Erased" } }
}

/// The list of events of the same kind.
fn of_kind(opened: &Opened<'_>) -> String {
    Query {
        what: Some(What::One(opened.event.line.deed.action)),
        ..Query::default()
    }
    .address()
}

fn by(opened: &Opened<'_>) -> Markup {
    let line = &opened.event.line;
    let (words, who) = match line.deed.hand {
        Hand::Operator => ("The operator, on the command line", Who::Operator),
        Hand::System => ("The Portal", Who::System),
        Hand::Stranger => ("Somebody who was not signed in", Who::Stranger),
        Hand::Own | Hand::Other(_) => {
            let Some(id) = line.actor else {
                return erased();
            };
            return person(
                opened,
                (id, opened.actor),
                line.actor_text.as_deref(),
                Query {
                    who: Some(Who::Account(id)),
                    ..Query::default()
                },
                "What they did",
            );
        }
    };
    let all = Query {
        who: Some(who),
        ..Query::default()
    };
    html! { (words) " " a href=(all.address()) { "All of theirs" } }
}

fn target(opened: &Opened<'_>) -> Option<Markup> {
    let line = &opened.event.line;
    match (line.target, &line.target_text) {
        (Some(id), text) => Some(person(
            opened,
            (id, opened.target),
            text.as_deref(),
            Query {
                target: Some(id),
                ..Query::default()
            },
            "What was done to them",
        )),
        (None, Some(text)) => Some(html! { span.break { (text) } }),
        (None, None) if opened.event.erased.contains(&3) => Some(erased()),
        (None, None) => None,
    }
}

fn person(
    opened: &Opened<'_>,
    (id, name): (AccountId, Option<&str>),
    then: Option<&str>,
    all: Query,
    all_words: &str,
) -> Markup {
    let label = name.or(then).unwrap_or("Erased account");
    html! {
        @match opened.links {
            Links::Shown => a href=(Route::Account(id)) { (label) },
            Links::Hidden => (label),
        }
        " · " a href=(all.address()) { (all_words) }
        @if let Some(then) = then.filter(|then| *then != label) { (sub(Tone::Plain, then)) }
    }
}

/// The facts by their names; what is nested is shown as it stands.
fn facts(value: &Value) -> Vec<(String, Markup)> {
    let Value::Object(fields) = value else {
        return Vec::new();
    };
    fields
        .iter()
        .map(|(name, value)| {
            let words = super::spoken(name);
            let value = match value {
                Value::String(text) => html! { span.break { (text) } },
                Value::Bool(true) => html! { "Yes" },
                Value::Bool(false) => html! { "No" },
                Value::Array(items) => {
                    let items: Vec<String> = items.iter().map(plain).collect();
                    html! { (items.join(", ")) }
                }
                Value::Object(fields) => {
                    let items: Vec<String> = fields
                        .iter()
                        .map(|(name, value)| format!("{name}: {}", plain(value)))
                        .collect();
                    html! { (items.join(", ")) }
                }
                Value::Null | Value::Number(_) => html! { (plain(value)) },
            };
            (words, value)
        })
        .collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
