//! The pages of what is done to resources: what it costs and what changes, said before it is done.

use maud::{Markup, Render, html};

use super::{Line, Viewer, list, resources};
use crate::accounts::Account;
use crate::catalogue::{Offer, Plan};
use crate::domain::id::ResourceId;
use crate::domain::money::Money;
use crate::domain::month::Month;
use crate::domain::text::ResourceName;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Choice, Select, Way, Ways};
use crate::kit::html::dialog::{Panel, buttons};
use crate::kit::html::field::Field;
use crate::kit::html::form::{hidden, post};
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::{alert, note};
use crate::kit::html::stats::details;
use crate::kit::http::form::Form;
use crate::lifecycle::views::FROM_FIELD;
use crate::resources::{HOLDER_FIELD, NAME_FIELD, NOTE_FIELD, NOTE_MAX, PLAN_FIELD};
use crate::routes::Route;

/// The field that says whether what was asked is to be done (`yes`), or typed anew (`no`).
pub const CONFIRM_FIELD: &str = "confirm";
/// The hidden field that carries the price that was shown, in minor units: it is done for that price or not at all.
pub const PRICE_FIELD: &str = "price";

/// So many of what somebody holds are named; of more the number is told.
const NAMED_MAX: usize = 50;

/// What all of these pages are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Who looks.
    pub viewer: &'a Viewer,
    /// What was typed, and what is wrong with it.
    pub form: &'a Form,
    /// The list that the page was opened from; none: the page of what it is about.
    pub list: Option<&'a str>,
    /// For its form.
    pub csrf: &'a str,
}

/// What one page asks.
struct Question {
    title: String,
    /// In a sentence or two.
    lead: Markup,
    /// What changes, and what is to be filled in.
    body: Markup,
    /// Where its form goes.
    does: Route,
    /// What it is about: where one goes back to.
    about: Route,
    /// The buttons after the way out, the deed last.
    deeds: Markup,
    /// Whether the cursor begins at the way out.
    begins_at_cancel: bool,
}

impl Ask<'_> {
    fn back(&self, about: &Route) -> String {
        self.list
            .map_or_else(|| about.to_string(), ToOwned::to_owned)
    }

    /// The panel with its form.
    fn panel(&self, question: &Question) -> Markup {
        let back = self.back(&question.about);
        let cancel = Button::close("Cancel", &back);
        let cancel = if question.begins_at_cancel {
            cancel.focused()
        } else {
            cancel
        };
        let inside = html! {
            @if let Some(list) = self.list { (hidden(FROM_FIELD, list)) }
            (question.body)
            (buttons(&html! { (cancel) (question.deeds) }))
        };
        Panel {
            title: &question.title,
            lead: Some(html! { p { (question.lead) } }),
            back: &back,
            body: post(&question.does.to_string(), self.csrf, &inside),
        }
        .render()
    }

    /// The panel where there is nothing to be done.
    fn dead_end(&self, title: &str, sentence: &Markup, about: &Route) -> Markup {
        let back = self.back(about);
        Panel {
            title,
            lead: Some(html! { p { (sentence) } }),
            back: &back,
            body: html! {
                (self.changed(PLAN_FIELD))
                (buttons(&html! { (Button::close("Close", &back).focused()) }))
            },
        }
        .render()
    }

    /// What was typed, or what is so now where nothing was sent yet.
    fn typed<'t>(&'t self, field: &str, now: &'t str) -> &'t str {
        if self.form.has_problems() {
            self.form.typed(field)
        } else {
            now
        }
    }

    /// "November".
    fn month(&self) -> String {
        Month::of(self.viewer.now).name()
    }

    /// That something changed since the page was drawn, where it did.
    fn changed(&self, field: &str) -> Markup {
        html! {
            @if let Some(sentence) = self.form.error(field) { (alert(Tone::Warn, &html! { p { (sentence) } })) }
        }
    }

    /// What is wrong with the name, with the way to whatever has it.
    fn name_error(&self, taken_by: Option<ResourceId>) -> Option<Markup> {
        let sentence = self.form.error(NAME_FIELD)?;
        Some(html! {
            (sentence)
            @if let Some(id) = taken_by { " " a href=(Route::Resource(id)) { "Show it" } }
        })
    }

    fn note_field<'f>(&'f self, value: &'f str, focus: &'f str) -> Field<'f> {
        Field::area(NOTE_FIELD, "Note", 4)
            .value(value)
            .hint(html! { "What people want to remember about it. At most " (NOTE_MAX) " characters; may stay empty." })
            .error(self.form.error(NOTE_FIELD))
            .focus(focus)
    }
}

/// The ways to have something: slug, label, price.
struct Offered(Vec<(String, String, String)>);

impl Offered {
    fn of(offers: &[Offer], viewer: &Viewer) -> Self {
        let lines = offers.iter().map(|offer| {
            (
                offer.plan.slug(),
                offer.plan.name.clone(),
                viewer.price(offer.price),
            )
        });
        Self(lines.collect())
    }

    /// Grouped by kind, in the order of the catalogue.
    fn groups<'o>(&'o self, offers: &'o [Offer]) -> Vec<(&'o str, Vec<Way<'o>>)> {
        let mut groups: Vec<(&str, Vec<Way<'_>>)> = Vec::new();
        let mut last = None;
        for (offer, (slug, label, price)) in offers.iter().zip(&self.0) {
            let way = Way::new(slug, label).hint(price.as_str());
            match groups.last_mut() {
                Some((_, ways)) if last == Some(&offer.plan.kind) => ways.push(way),
                _ => groups.push((&offer.plan.kind_name, vec![way])),
            }
            last = Some(&offer.plan.kind);
        }
        groups
    }
}

/// The form for a new one.
#[must_use]
pub fn new(ask: &Ask<'_>, offers: &[Offer], taken_by: Option<ResourceId>) -> Markup {
    let viewer = ask.viewer;
    let list = Route::Resources;
    if viewer.currency.is_none() {
        return html! {
            (back("Resources", &list.to_string()))
            (page_head("Create resource", None, None))
            (list::no_catalogue())
        };
    }
    if offers.is_empty() {
        let sentence = html! {
            "Nothing is on offer now: the operator of this server closed every plan. What runs goes on; ask them for another "
            "catalogue before you create more."
        };
        return ask.dead_end("Create resource", &sentence, &list);
    }
    let form = ask.form;
    let focus = form.first_problem().unwrap_or(NAME_FIELD);
    let offered = Offered::of(offers, viewer);
    let body = html! {
        (Field::text(NAME_FIELD, "Name").value(form.typed(NAME_FIELD))
            .hint("Its own among all that run. At most 100 characters.")
            .error(ask.name_error(taken_by)).focus(focus).required())
        (Ways::new(PLAN_FIELD, offered.groups(offers)).chosen(form.typed(PLAN_FIELD))
            .error(form.error(PLAN_FIELD)).focused(focus == PLAN_FIELD))
        (ask.note_field(form.typed(NOTE_FIELD), focus))
    };
    ask.panel(&Question {
        title: "Create resource".to_owned(),
        lead: html! { "Nothing is created, and nothing costs anything, until you have seen what it costs and confirmed it." },
        body,
        does: Route::NewResource,
        about: list,
        deeds: html! { (Button::submit("Continue", "Looking…")) },
        begins_at_cancel: false,
    })
}

/// A new one that is ready to be created.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'d> {
    /// Its name.
    pub name: &'d ResourceName,
    /// What people want to remember about it.
    pub note: &'d str,
    /// Its plan.
    pub offer: &'d Offer,
    /// What it costs from now until the end of the month.
    pub rest: Money,
}

/// What it costs.
#[must_use]
pub fn confirm_new(ask: &Ask<'_>, draft: &Draft<'_>) -> Markup {
    let (viewer, offer) = (ask.viewer, draft.offer);
    let lines = [
        ("Name", html! { (draft.name) }),
        (
            "Plan",
            html! { (offer.plan.kind_name) ", " (offer.plan.name) },
        ),
        ("Price", html! { b { (viewer.price(offer.price)) } }),
        (
            "Charged",
            html! { "To the second, from now until it is ended, under your name." },
        ),
    ];
    let body = html! {
        (ask.changed(PRICE_FIELD))
        (details(&lines))
        (hidden(NAME_FIELD, draft.name.as_str()))
        (hidden(NOTE_FIELD, draft.note))
        (hidden(PLAN_FIELD, &offer.plan.slug()))
        (hidden(PRICE_FIELD, &offer.price.0.to_string()))
    };
    ask.panel(&Question {
        title: format!("Create {}?", draft.name),
        lead: html! {
            (viewer.price(offer.price)) ", about " (viewer.money(draft.rest)) " for the rest of " (ask.month())
            ", on the bill of " (viewer.organisation) "."
        },
        body,
        does: Route::NewResource,
        about: Route::Resources,
        deeds: html! {
            (Button::submit("Edit", "Opening…").plain().named(CONFIRM_FIELD, "no"))
            (Button::submit(&format!("Create {}", draft.name), "Creating…").named(CONFIRM_FIELD, "yes"))
        },
        begins_at_cancel: false,
    })
}

/// The form for another name or note.
#[must_use]
pub fn edit(ask: &Ask<'_>, line: &Line, taken_by: Option<ResourceId>) -> Markup {
    let one = &line.resource;
    let focus = ask.form.first_problem().unwrap_or(NAME_FIELD);
    let body = html! {
        (Field::text(NAME_FIELD, "Name").value(ask.typed(NAME_FIELD, one.name.as_str()))
            .hint("Its own among all that run. Invoices that are written keep the name it had.")
            .error(ask.name_error(taken_by)).focus(focus).required())
        (ask.note_field(ask.typed(NOTE_FIELD, &one.note), focus))
    };
    ask.panel(&Question {
        title: format!("Name and note of {}", one.name),
        lead: html! { "Changes neither what it is nor what it costs." },
        body,
        does: Route::DescribeResource(one.id),
        about: Route::Resource(one.id),
        deeds: html! { (Button::submit("Save", "Saving…")) },
        begins_at_cancel: false,
    })
}

/// The ways to have it.
#[derive(Clone, Copy, Debug)]
pub struct NewPlan<'n> {
    /// What it is about.
    pub line: &'n Line,
    /// What it costs a month now.
    pub price: Money,
    /// What there is of its kind, without what it has when that is on offer no more.
    pub offers: &'n [Offer],
}

/// The form for another plan.
#[must_use]
pub fn choose_plan(ask: &Ask<'_>, new: &NewPlan<'_>) -> Markup {
    let (viewer, one, plan) = (ask.viewer, &new.line.resource, &new.line.plan);
    let title = format!("Change plan of {}", one.name);
    let about = Route::Resource(one.id);
    let is_offered = new.offers.iter().any(|offer| offer.plan.id == plan.id);
    let others = new.offers.len() - usize::from(is_offered);
    if others == 0 {
        let sentence = html! {
            (one.name) " has the plan " (plan.name) ", at " (viewer.price(new.price)) ". Nothing else of the kind "
            (plan.kind_name) " is on offer."
        };
        return ask.dead_end(&title, &sentence, &about);
    }
    // What it has stands first when it is on offer no more, so that it can be seen and kept.
    let mut offers = new.offers.to_vec();
    if !is_offered {
        offers.insert(
            0,
            Offer {
                plan: plan.clone(),
                price: new.price,
            },
        );
    }
    let mut offered = Offered::of(&offers, viewer);
    for (offer, (_, label, _)) in offers.iter().zip(&mut offered.0) {
        if offer.plan.id == plan.id {
            label.push_str(if is_offered {
                " (now)"
            } else {
                " (now; no longer on offer, so there is no way back to it)"
            });
        }
    }
    let slug = plan.slug();
    let chosen = match ask.form.typed(PLAN_FIELD) {
        "" => &slug,
        typed => typed,
    };
    let body = html! {
        (Ways::new(PLAN_FIELD, offered.groups(&offers)).chosen(chosen)
            .error(ask.form.error(PLAN_FIELD)).focused(true))
    };
    ask.panel(&Question {
        title,
        lead: html! { "It keeps its kind, name and holder. Nothing changes until you have seen what it costs and confirmed it." },
        body,
        does: Route::ChangePlan(one.id),
        about,
        deeds: html! { (Button::submit("Continue", "Looking…")) },
        begins_at_cancel: false,
    })
}

/// What another plan costs beside the one it has.
#[derive(Clone, Copy, Debug)]
pub struct Change<'c> {
    /// What it is about, and what it costs now.
    pub new: NewPlan<'c>,
    /// The plan it would have.
    pub offer: &'c Offer,
    /// What the rest of the month costs with the one it has, and with the other.
    pub rest: (Money, Money),
}

/// What it costs.
#[must_use]
pub fn confirm_plan(ask: &Ask<'_>, change: &Change<'_>) -> Markup {
    let (viewer, one, offer) = (ask.viewer, &change.new.line.resource, change.offer);
    let price = |plan: &Plan, price| html! { (plan.name) ", " (viewer.price(price)) };
    let (before, after) = (change.new.price, offer.price);
    let difference = match after.0 - before.0 {
        0 => "None: it costs the same.".to_owned(),
        more @ 1.. => format!("{} more a month", viewer.money(Money(more))),
        less => format!("{} less a month", viewer.money(Money(-less))),
    };
    let (rest_before, rest_after) = change.rest;
    let lines = [
        ("Now", price(&change.new.line.plan, before)),
        ("Then", price(&offer.plan, after)),
        ("Difference", html! { b { (difference) } }),
        (
            "This month",
            html! {
                "About " (viewer.money(rest_after)) " for the rest of " (ask.month()) " instead of "
                (viewer.money(rest_before)) ". What it has cost until now stays."
            },
        ),
    ];
    let body = html! {
        (ask.changed(PRICE_FIELD))
        (details(&lines))
        (hidden(PLAN_FIELD, &offer.plan.slug()))
        (hidden(PRICE_FIELD, &after.0.to_string()))
    };
    ask.panel(&Question {
        title: format!("Change {} to {}?", one.name, offer.plan.name),
        lead: html! {
            (viewer.price(after)) " instead of " (viewer.price(before)) ", from now on, on the bill of "
            (viewer.organisation) "."
        },
        body,
        does: Route::ChangePlan(one.id),
        about: Route::Resource(one.id),
        deeds: html! {
            (Button::submit("Edit", "Opening…").plain().named(CONFIRM_FIELD, "no"))
            (Button::submit("Change plan", "Changing…").named(CONFIRM_FIELD, "yes"))
        },
        begins_at_cancel: false,
    })
}

/// The menu of those who can be given something.
fn receivers(ask: &Ask<'_>, people: &[Account]) -> Markup {
    let options: Vec<(String, String)> = people
        .iter()
        .map(|account| {
            let label = match (&account.name, &account.email) {
                (Some(name), Some(email)) => format!("{name} ({email})"),
                _ => account.label(),
            };
            (account.id.to_string(), label)
        })
        .collect();
    let mut choices = vec![Choice::new("", "Choose an account")];
    choices.extend(options.iter().map(|(id, label)| Choice::new(id, label)));
    Select::new(HOLDER_FIELD, "To", choices)
        .chosen(ask.form.typed(HOLDER_FIELD))
        .hint("Active accounts of the organisation.")
        .error(ask.form.error(HOLDER_FIELD))
        .focus(HOLDER_FIELD)
        .render()
}

/// To whom.
#[must_use]
pub fn choose_holder(ask: &Ask<'_>, line: &Line, people: &[Account]) -> Markup {
    let one = &line.resource;
    let about = Route::Resource(one.id);
    let holder = line.holder.label();
    let title = format!("Hand over {}", one.name);
    if people.is_empty() {
        let sentence = html! {
            (holder) " holds it, and no other account of the organisation is Active. Create one first."
        };
        return ask.dead_end(&title, &sentence, &about);
    }
    let lines = [
        ("Held by", html! { (holder) }),
        (
            "From now",
            html! { "What it costs stands under the name of whoever gets it." },
        ),
        (
            "Until now",
            html! { "What it has cost stays under the name of " (holder) ". So does who created it." },
        ),
    ];
    ask.panel(&Question {
        title,
        lead: html! { "It goes on as it is, and so does its price. No mail tells anybody." },
        body: html! { (details(&lines)) (receivers(ask, people)) },
        does: Route::HandOver(one.id),
        about,
        deeds: html! { (Button::submit(&format!("Hand over {}", one.name), "Handing over…")) },
        begins_at_cancel: false,
    })
}

/// All that somebody holds.
#[derive(Clone, Copy, Debug)]
pub struct Estate<'e> {
    /// Whose.
    pub account: &'e Account,
    /// Each with its plan, and what it costs a month.
    pub held: &'e [(Line, Money)],
    /// Who can be given it.
    pub people: &'e [Account],
    /// Where one goes back to.
    pub about: &'e Route,
}

/// All of it: to whom.
#[must_use]
pub fn choose_heir(ask: &Ask<'_>, estate: &Estate<'_>) -> Markup {
    let label = estate.account.label();
    let title = format!("Hand over all that {label} holds");
    if estate.held.is_empty() {
        let sentence = html! {
            (label) " holds nothing that runs: there is nothing to hand over. What they created or held before stays listed "
            "under their name."
        };
        return ask.dead_end(&title, &sentence, estate.about);
    }
    if estate.people.is_empty() {
        let sentence = html! {
            (label) " holds " (resources(estate.held.len())) ", and no other account of the organisation is Active. Create "
            "one first."
        };
        return ask.dead_end(&title, &sentence, estate.about);
    }
    let viewer = ask.viewer;
    let count = estate.held.len();
    let all = resources(count);
    let sum: Money = estate.held.iter().map(|(_, price)| *price).sum();
    let list = html! {
        ul {
            @for (line, price) in estate.held.iter().take(NAMED_MAX) {
                li {
                    a href=(Route::Resource(line.resource.id)) { (line.resource.name) }
                    ", " (line.plan.kind_name) ", " (viewer.price(*price))
                }
            }
        }
        @if count > NAMED_MAX { "and " (count - NAMED_MAX) " more." }
    };
    let lines = [
        ("Held now", list),
        ("Together", html! { (viewer.price(sum)) }),
        (
            "From now",
            html! { "What they cost stands under the name of whoever gets them." },
        ),
        (
            "Until now",
            html! { "What they have cost stays under the name of " (label) ". So does who created them." },
        ),
    ];
    ask.panel(&Question {
        title,
        lead: html! { (all) ", all at once. They go on as they are, and so do their prices. No mail tells anybody." },
        body: html! { (details(&lines)) (receivers(ask, estate.people)) },
        does: Route::HandOverAll(estate.account.id),
        about: estate.about.clone(),
        deeds: html! { (Button::submit(&format!("Hand over {all}"), "Handing over…")) },
        begins_at_cancel: false,
    })
}

/// What ending does.
#[must_use]
pub fn confirm_end(ask: &Ask<'_>, line: &Line) -> Markup {
    let (viewer, one) = (ask.viewer, &line.resource);
    let lines = [
        (
            "Cost",
            html! {
                @if let Some(cost) = line.cost {
                    (viewer.money(cost)) " this month until now, which stays on the bill. "
                }
                "Nothing from now on."
            },
        ),
        ("Name", html! { (one.name) " is free again for another." }),
        (
            "Kept",
            html! { "It stays in the list of what has ended, with who held it and what it has cost." },
        ),
    ];
    let body = html! {
        (details(&lines))
        (note(Tone::Plain, &html! {
            p { "The Portal keeps the books: what runs under this name elsewhere is switched off there." }
        }))
    };
    ask.panel(&Question {
        title: format!("End {}?", one.name),
        lead: html! { "This cannot be undone." },
        body,
        does: Route::EndResource(one.id),
        about: Route::Resource(one.id),
        deeds: html! { (Button::submit(&format!("End {}", one.name), "Ending…").danger()) },
        begins_at_cancel: true,
    })
}
