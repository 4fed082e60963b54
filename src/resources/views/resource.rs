//! The page of one resource: facts, what can be done, what it has cost, and whose it was.

use maud::{Markup, Render, html};

use super::{Acts, Line, Viewer, face, named};
use crate::accounts::Account;
use crate::domain::money::Money;
use crate::domain::month::Month;
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::badge::{Badge, nothing, tag};
use crate::kit::html::button::Button;
use crate::kit::html::chart::{Bar, Chart, Unfinished};
use crate::kit::html::copy::copy_box;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::note;
use crate::kit::html::person::person;
use crate::kit::html::stats::details;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::{day, when};
use crate::kit::time::Timestamp;
use crate::routes::Route;

/// What one month cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The month.
    pub month: Month,
    /// As far as it is over.
    pub amount: Money,
}

/// A stretch of its life.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// With which plan.
    pub plan: String,
    /// Under whose name.
    pub holder: Account,
    /// Since when.
    pub from: Timestamp,
    /// Until when; none while it goes on.
    pub until: Option<Timestamp>,
}

/// What the page of one resource shows.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The resource.
    pub line: Line,
    /// What its plan costs now; none where that is not the reader's to see, or it has ended.
    pub price: Option<Money>,
    /// What it will cost instead, and from when.
    pub next_prices: Vec<(Timestamp, Money)>,
    /// What it will have cost at the end of the month when it goes on like this.
    pub expected: Money,
    /// The last months, oldest first, the running one last; none where nothing of it is the reader's to see.
    pub costs: Option<Vec<Cost>>,
    /// Its life, newest first.
    pub history: Vec<Stretch>,
}

/// The page.
#[must_use]
pub fn show(viewer: &Viewer, facts: &Facts) -> Markup {
    let line = &facts.line;
    let acts = Acts::of(&line.resource, viewer);
    let buttons = acts.as_ref().map(buttons);
    let id = line.resource.id.to_string();
    html! {
        (back("Resources", &Route::Resources.to_string()))
        (page_head(line.resource.name.as_str(), Some(&lead(line)), buttons.as_ref()))
        @if let Some(at) = line.resource.ended_at {
            (note(Tone::Plain, &html! {
                p { "It ended " (when(at, viewer.now, &viewer.zone)) ", and has cost nothing since. It changes no more." }
            }))
        }
        (details(&rows(facts, viewer)))
        (copy_box("resource-id", "ID", &id))
        @if let Some(costs) = &facts.costs { (cost_by_month(costs, viewer)) }
        (history(&facts.history, viewer))
        @if let Some(acts) = &acts { (danger(acts)) }
        p.muted { "Billed to " (viewer.organisation) "." }
    }
}

fn lead(line: &Line) -> String {
    format!("{} · {}", line.plan.kind_name, line.plan.name)
}

fn buttons(acts: &Acts) -> Markup {
    html! {
        (Button::dialog("Rename or note", &acts.edit).icon(Icon::Pencil))
        (Button::dialog("Change plan", &acts.plan).icon(Icon::Tag))
        (Button::dialog("Hand over", &acts.hand_over).icon(Icon::ArrowRightLeft))
    }
}

fn rows(facts: &Facts, viewer: &Viewer) -> Vec<(&'static str, Markup)> {
    let line = &facts.line;
    let one = &line.resource;
    let is_running = one.ended_at.is_none();
    let status = match one.ended_at {
        None => html! { (Badge::Good("Running")) },
        Some(_) => html! { (Badge::Off("Ended")) },
    };
    let plan = html! {
        (line.plan.kind_name) ", " (line.plan.name)
        @if is_running && line.plan.closed_at.is_some() { " " (tag("No longer on offer")) }
    };
    let mut rows = vec![("Status", status), ("Plan", plan)];
    if let Some(price) = facts.price {
        rows.push((
            "Price",
            html! {
                (viewer.price(price))
                @for (from, next) in &facts.next_prices {
                    ", " (viewer.price(*next)) " from " (when(*from, viewer.now, &viewer.zone))
                }
            },
        ));
    }
    if let (Some(cost), true) = (line.cost, facts.costs.is_some()) {
        rows.push(("This month", this_month(cost, facts.expected, line, viewer)));
    }
    rows.push(("Note", written(&one.note)));
    rows.push((
        "Created",
        html! { (day(one.created_at, &viewer.zone)) ", by " (named(&line.creator, viewer)) },
    ));
    let held = person(&face(&line.holder, viewer), &named(&line.holder, viewer));
    rows.push((
        if is_running {
            "Held by"
        } else {
            "Last held by"
        },
        held,
    ));
    if let Some(at) = one.ended_at {
        rows.push(("Ended", day(at, &viewer.zone)));
    }
    rows
}

fn this_month(cost: Money, expected: Money, line: &Line, viewer: &Viewer) -> Markup {
    let month = Month::of(viewer.now);
    let is_shared = !viewer.sees_all_amounts();
    html! {
        (viewer.money(cost))
        @if line.resource.ended_at.is_none() {
            " so far, " (viewer.money(expected)) " expected by the end of " (month.name())
        }
        @if is_shared { ", under your name" }
    }
}

/// A note as it was typed, line by line.
fn written(text: &str) -> Markup {
    if text.is_empty() {
        return nothing("No note");
    }
    html! { span.lines { (text) } }
}

fn cost_by_month(costs: &[Cost], viewer: &Viewer) -> Markup {
    let running = Month::of(viewer.now);
    let read: Vec<(String, String)> = costs
        .iter()
        .map(|cost| {
            let amount = viewer.money(cost.amount);
            let text = if cost.month == running {
                format!("{amount} so far")
            } else {
                amount
            };
            (cost.month.short(), text)
        })
        .collect();
    let bars: Vec<Bar<'_>> = costs
        .iter()
        .zip(&read)
        .map(|(cost, (label, text))| Bar {
            label,
            value: u64::try_from(cost.amount.0).unwrap_or_default(),
            failed: 0,
            text,
        })
        .collect();
    let sum = costs.iter().map(|cost| cost.amount).sum();
    let legend = format!("{} in {} months", viewer.money(sum), costs.len());
    let title = if viewer.sees_all_amounts() {
        "Cost by month"
    } else {
        "Cost by month, under your name"
    };
    let chart = Chart {
        id: "cost",
        title,
        legend: (&legend, None),
        heads: ("Month", "Cost", None),
        bars: &bars,
    };
    // Of what had ended before the month began nothing is still to come.
    if costs.last().is_none_or(|last| last.amount == Money::ZERO) {
        return chart.render();
    }
    let legend = format!("{} so far", running.name());
    Unfinished {
        chart,
        legend: &legend,
    }
    .render()
}

/// Plan and holder, of each stretch.
fn history(stretches: &[Stretch], viewer: &Viewer) -> Markup {
    let columns = [
        Column::new(Cell::Main, "Plan"),
        Column::new(Cell::Detail, "Held by"),
        Column::new(Cell::Aside, "From and until"),
    ];
    let date = |at| dates::day(at, &viewer.zone);
    let rows = html! {
        @for one in stretches {
            (row(&[
                (Cell::Main, html! { (one.plan) }),
                (Cell::Detail, person(&face(&one.holder, viewer), &named(&one.holder, viewer))),
                (Cell::Aside, html! {
                    @match one.until {
                        None => { "Since " (day(one.from, &viewer.zone)) },
                        Some(until) if date(one.from) == date(until) => (day(one.from, &viewer.zone)),
                        Some(until) => { (day(one.from, &viewer.zone)) " to " (day(until, &viewer.zone)) },
                    }
                }),
            ]))
        }
    };
    html! {
        section.stack-2 {
            h2 { "History" }
            @if stretches.is_empty() {
                p.muted { "It ended in the very second in which it was created." }
            } @else {
                (Table { caption: "History", shape: Shape::Cards, columns: &columns, rows, foot: None })
            }
        }
    }
}

fn danger(acts: &Acts) -> Markup {
    html! {
        section.stack-2 {
            h2 { "Danger" }
            p { "Ending it cannot be undone. It costs nothing from then on, and its name is free again." }
            div.row { (Button::dialog("End resource…", &acts.end).danger()) }
        }
    }
}
