//! How lists are drawn: the form, what each line means, how far it is, and what became of it.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::sql::{Fate, Stage};
use super::{Counts, Filter, Import, JUDGED_FOR, Line, Recent, Refusal, State, role};
use crate::accounts::views::ROLE_FIELD;
use crate::domain::role::{Managers, Permissions, Role, may_act_on};
use crate::domain::text::Phone;
use crate::kit::html::Tone;
use crate::kit::html::badge::{Badge, nothing, sub};
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Choice, Select};
use crate::kit::html::field::Field;
use crate::kit::html::form::{post_button, upload};
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{back, filter, page_head, toolbar};
use crate::kit::html::notice::{empty, note};
use crate::kit::html::pages::Pager;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::time;
use crate::kit::http::form::Form;
use crate::kit::time::Timestamp;
use crate::routes::Route;

/// The field into which a list is pasted.
pub const LIST_FIELD: &str = "list";
/// The field in which one is chosen as a file.
pub const FILE_FIELD: &str = "file";
/// What the lines are filtered by, in addresses.
pub const VERDICT: &str = "verdict";
/// What stands for an address that went with its account.
const GONE: &str = "a deleted account";

/// The form for a list.
#[derive(Debug)]
pub struct Start<'s> {
    /// What was sent, and what is wrong with it.
    pub form: &'s Form,
    /// The lists before it.
    pub recent: &'s [Recent],
    /// What whoever fills it in may do.
    pub permissions: Permissions,
    /// Who manages users there.
    pub managers: Managers,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'s TimeZone,
}

/// The page with the form, and the lists before it.
#[must_use]
pub fn start(start: &Start<'_>, csrf: &str) -> Markup {
    let form = start.form;
    let begin = form.first_problem().unwrap_or(LIST_FIELD);
    let lead =
        "Invite many people at once. You see what each line means before anybody is invited.";
    let body = html! {
        (Field::area(LIST_FIELD, "List of people", 8).value(form.typed(LIST_FIELD)).focus(begin)
            .placeholder("lea@company.com, Member, Léa Fontaine, +47 922 41 108")
            .hint("One person to a line: email, permission, name, phone. Only the email is needed. A first line may name the columns, in any order. Plain addresses will do, too.")
            .error(form.error(LIST_FIELD)))
        (Field::file(FILE_FIELD, "Or a file").focus(begin)
            .hint("CSV or text in UTF-8, with the same columns: at most 5,000 people and 1 MiB.")
            .error(form.error(FILE_FIELD)))
        (permission(start))
        div.row { (Button::submit("Check the list", "Checking…")) }
    };
    html! {
        (back("Accounts", &Route::Accounts.to_string()))
        (page_head("Import accounts", Some(lead), None))
        div.narrow { (upload(&Route::Import.to_string(), csrf, &body)) }
        @if !start.recent.is_empty() {
            section.stack-2 { h2 { "Recent lists" } (recent(start)) }
        }
    }
}

/// What those get of whom the list says nothing.
fn permission(start: &Start<'_>) -> Markup {
    let reasons = Role::ALL.map(|role| {
        let theirs = role.permissions(start.managers);
        (!may_act_on(start.permissions, theirs)).then(|| format!("only a {role} can give this"))
    });
    let choices = Role::ALL
        .into_iter()
        .zip(&reasons)
        .map(|(role, reason)| Choice::new(role.key(), role.label()).refused(reason.as_deref()))
        .collect();
    let select = Select::new(ROLE_FIELD, "Permission where the list says none", choices)
        .chosen(start.form.typed(ROLE_FIELD));
    html! { (select) }
}

fn recent(start: &Start<'_>) -> Markup {
    let columns = [
        Column::new(Cell::Main, "List"),
        Column::new(Cell::Detail, "By"),
        Column::new(Cell::State, "State"),
        Column::new(Cell::Aside, "When"),
    ];
    let rows = html! {
        @for one in start.recent {
            (row(&[
                (Cell::Main, html! { a href=(Route::ImportList(one.import.id)) { (people(one.counts.all())) } }),
                (Cell::Detail, html! { (one.by.as_deref().unwrap_or(GONE)) }),
                (Cell::State, html! {
                    (state(&one.import))
                    (sub(Tone::Plain, &sum(&one.import, &one.counts)))
                }),
                (Cell::Aside, html! { span.nowrap { (time(one.import.created_at, start.now, start.zone)) } }),
            ]))
        }
    };
    html! {
        div.break { (Table { caption: "Recent lists", shape: Shape::Cards, columns: &columns, rows, foot: None }) }
    }
}

const fn state(import: &Import) -> Badge<'static> {
    match (import.state, import.waits_until) {
        (State::Judged, _) => Badge::Pending("Not confirmed"),
        (State::Running, None) => Badge::Pending("Running"),
        (State::Running, Some(_)) => Badge::Pending("Waiting"),
        (State::Done, _) => Badge::Good("Done"),
        (State::Stopped, _) => Badge::Off("Stopped"),
    }
}

/// "38 can be invited", "38 of 120, 2 failed", "38 invited, 2 refused".
fn sum(import: &Import, counts: &Counts) -> String {
    match import.state {
        State::Judged => format!("{} can be invited", number(counts.waiting)),
        State::Running => progress(counts),
        State::Done | State::Stopped => format!(
            "{} invited, {} refused",
            number(counts.invited),
            number(counts.refused())
        ),
    }
}

fn progress(counts: &Counts) -> String {
    let done = counts.invited + counts.refused();
    format!(
        "{} of {}, {} failed",
        number(done),
        number(counts.all()),
        number(counts.refused())
    )
}

fn people(count: i64) -> String {
    match count {
        1 => "1 person".to_owned(),
        count => format!("{} people", number(count)),
    }
}

/// "1,200": as the rest of the Portal writes what is large.
fn number(count: i64) -> String {
    if count < 1_000 {
        return count.to_string();
    }
    format!("{},{:03}", count / 1_000, count % 1_000)
}

/// One list.
#[derive(Debug)]
pub struct Shown<'s> {
    /// The list.
    pub import: &'s Import,
    /// How many lines there are of each kind.
    pub counts: &'s Counts,
    /// Which lines are shown.
    pub filter: Filter,
    /// Those of this page.
    pub lines: &'s [Line],
    /// How many stand on the pages before.
    pub offset: i64,
    /// How many stand on one page.
    pub page_rows: i64,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'s TimeZone,
    /// The token of its forms.
    pub csrf: &'s str,
    /// How many invitations an hour there may be.
    pub hour_max: i64,
    /// And how many a day.
    pub day_max: i64,
    /// Whether links are mailed.
    pub is_mailed: bool,
}

/// The page of one list, as it stands.
#[must_use]
pub fn list(shown: &Shown<'_>) -> Markup {
    let (title, lead) = told(shown);
    html! {
        (back("Import", &Route::Import.to_string()))
        (page_head(&title, Some(&lead), acts(shown).as_ref()))
        (notes(shown))
        (filters(shown))
        @if shown.lines.is_empty() { (none(shown)) } @else { (table(shown)) (pager(shown)) }
    }
}

/// The title, and the line below it.
fn told(shown: &Shown<'_>) -> (String, String) {
    let counts = shown.counts;
    match shown.import.state {
        State::Judged => {
            let until = shown.import.created_at.plus(JUDGED_FOR);
            let until = crate::kit::dates::when(until, shown.now, shown.zone);
            (
                format!("{} on the list", people(counts.all())),
                format!("Nobody has been invited yet. The list waits for you until {until}."),
            )
        }
        State::Running => (
            "Inviting people".to_owned(),
            format!(
                "{}. You can leave this page: it goes on without you.",
                progress(counts)
            ),
        ),
        State::Done | State::Stopped => {
            let refused = match counts.refused() {
                0 => String::new(),
                1 => " 1 line was refused.".to_owned(),
                count => format!(" {} lines were refused.", number(count)),
            };
            let left = match counts.waiting {
                0 => String::new(),
                1 => " 1 line was not reached.".to_owned(),
                count => format!(" {} lines were not reached.", number(count)),
            };
            (
                format!("{} invited", people(counts.invited)),
                format!("Of {}.{refused}{left}", lines(counts.all())),
            )
        }
    }
}

fn lines(count: i64) -> String {
    match count {
        1 => "1 line".to_owned(),
        count => format!("{} lines", number(count)),
    }
}

/// What can be done with the list now.
fn acts(shown: &Shown<'_>) -> Option<Markup> {
    let id = shown.import.id;
    let (begin, discard) = (
        Route::BeginImport(id).to_string(),
        Route::DiscardImport(id).to_string(),
    );
    let (stop, result, another) = (
        Route::StopImport(id).to_string(),
        Route::ImportCsv(id).to_string(),
        Route::Import.to_string(),
    );
    Some(match shown.import.state {
        State::Judged => {
            let label = format!("Invite {}", people(shown.counts.waiting));
            html! {
                (post_button(&discard, shown.csrf, &Button::submit("Discard", "Discarding…").plain()))
                @if shown.counts.waiting > 0 {
                    (post_button(&begin, shown.csrf, &Button::submit(&label, "Beginning…")))
                }
            }
        }
        State::Running => {
            html! { (post_button(&stop, shown.csrf, &Button::submit("Stop", "Stopping…").plain())) }
        }
        State::Done | State::Stopped => html! {
            (Button::link("Result as CSV", &result).icon(Icon::Download))
            (Button::link("Import another list", &another).icon(Icon::Upload))
        },
    })
}

/// What is to be known before and while people are invited.
fn notes(shown: &Shown<'_>) -> Markup {
    let import = shown.import;
    html! {
        @match import.state {
            State::Judged => {
                @if import.waits_until.is_some() {
                    (note(Tone::Warn, &html! { p {
                        "Too many addresses were in use, so those "
                        @if shown.counts.last_taken > 0 { "after line " (shown.counts.last_taken) " " }
                        "have not been looked up. That is done when they are invited."
                    } }))
                }
                @if shown.counts.waiting > shown.hour_max {
                    (note(Tone::Plain, &html! { p {
                        "At most " (number(shown.hour_max)) " invitations go out in an hour, and " (number(shown.day_max))
                        " in a day. The list waits in between and goes on by itself."
                    } }))
                }
                @if !shown.is_mailed && shown.counts.waiting > 0 { (mail_is_off("Nothing is sent: you find the links in the result, and hand them over.")) }
            },
            State::Running => {
                @if let Some(until) = import.waits_until {
                    (note(Tone::Warn, &html! { p {
                        "The organisation may not invite more people for now. The list goes on by itself "
                        b { (crate::kit::dates::when(until, shown.now, shown.zone)) } "."
                    } }))
                }
            },
            State::Done | State::Stopped => {
                @if let Some(why) = &import.why { (note(Tone::Warn, &html! { p { (why) " Who was invited stays invited." } })) }
                @if !shown.is_mailed && shown.counts.invited > 0 { (mail_is_off("Nothing was sent: the result as CSV holds the activation links, to be handed over.")) }
            },
        }
    }
}

fn mail_is_off(then: &str) -> Markup {
    note(
        Tone::Warn,
        &html! { p { "Mail is off on this server. " (then) } },
    )
}

fn filters(shown: &Shown<'_>) -> Markup {
    let counts = shown.counts;
    let mut kinds = vec![Filter::All];
    kinds.extend([Filter::Waiting, Filter::Invited]);
    kinds.extend(Refusal::KINDS.map(Filter::Refused));
    kinds.retain(|kind| counts.of(*kind) > 0 || *kind == shown.filter || *kind == Filter::All);
    let options: Vec<(&str, String)> = kinds
        .iter()
        .map(|kind| {
            let label = match kind {
                Filter::All => "All lines",
                Filter::Waiting => waiting(shown.import.state),
                Filter::Invited => "Invited",
                Filter::Refused(refusal) => refusal.label(),
            };
            let text = format!("{label} ({})", number(counts.of(*kind)));
            (kind.key().unwrap_or_default(), text)
        })
        .collect();
    let options: Vec<(&str, &str)> = options
        .iter()
        .map(|(key, text)| (*key, text.as_str()))
        .collect();
    let list = Route::ImportList(shown.import.id).to_string();
    let chosen = shown.filter.key().unwrap_or_default();
    // With one kind there is nothing to choose.
    html! { @if options.len() > 2 { (toolbar(&list, &filter(VERDICT, "Lines", &options, chosen))) } }
}

const fn waiting(state: State) -> &'static str {
    match state {
        State::Judged => "New",
        State::Running => "Waiting",
        State::Done | State::Stopped => "Not invited",
    }
}

/// The address of a page of the list.
fn address(shown: &Shown<'_>, filter: Filter, page: i64) -> String {
    let verdict = filter.key().map(|key| format!("{VERDICT}={key}"));
    let page = (page > 1).then(|| format!("page={page}"));
    let query: Vec<String> = verdict.into_iter().chain(page).collect();
    let list = Route::ImportList(shown.import.id);
    if query.is_empty() {
        list.to_string()
    } else {
        format!("{list}?{}", query.join("&"))
    }
}

fn none(shown: &Shown<'_>) -> Markup {
    let all = address(shown, Filter::All, 1);
    let clear = html! { (Button::link("Clear filters", &all)) };
    empty(
        Icon::Users,
        "No lines match",
        "There is none of this kind.",
        Some(&clear),
    )
}

fn table(shown: &Shown<'_>) -> Markup {
    let columns = [
        Column::new(Cell::Number, "Line"),
        Column::new(Cell::Main, "Email"),
        Column::new(Cell::Detail, "Name"),
        Column::new(Cell::Wide, "Phone"),
        Column::new(Cell::Aside, "Permission"),
        Column::new(
            Cell::State,
            if shown.import.state == State::Judged {
                "Verdict"
            } else {
                "Outcome"
            },
        ),
    ];
    let rows = html! { @for one in shown.lines { (line(shown, one)) } };
    html! {
        div.break { (Table { caption: "Lines of the list", shape: Shape::Cards, columns: &columns, rows, foot: None }) }
    }
}

fn line(shown: &Shown<'_>, line: &Line) -> Markup {
    let entry = &line.entry;
    let email = match (entry.email.as_str(), line.account) {
        ("", _) => {
            html! { span.muted { (if matches!(line.fate, Fate::Invited(_)) { GONE } else { "–" }) } }
        }
        (email, Some(account)) => html! { a href=(Route::Account(account)) { (email) } },
        (email, None) => html! { (email) },
    };
    let or_nothing = |text: &str, words: &str| match text {
        "" => nothing(words),
        text => html! { (text) },
    };
    row(&[
        (Cell::Number, html! { (entry.line) }),
        (Cell::Main, email),
        (Cell::Detail, or_nothing(&entry.name, "No name")),
        (Cell::Wide, phone(&entry.phone)),
        (
            Cell::Aside,
            or_nothing(&role_label(&entry.role), "No permission"),
        ),
        (Cell::State, fate(shown, line)),
    ])
}

/// The number as people read it; what is none as it was written.
fn phone(text: &str) -> Markup {
    match (text, text.parse::<Phone>()) {
        ("", _) => nothing("No phone"),
        (_, Ok(phone)) => html! { span.nowrap { (phone.spaced()) } },
        (_, Err(_)) => html! { (text) },
    }
}

/// What is found out about a line, or what became of it.
fn fate(shown: &Shown<'_>, line: &Line) -> Markup {
    let import = shown.import;
    match line.fate {
        Fate::Waiting => {
            let number = i64::try_from(line.entry.line).unwrap_or(i64::MAX);
            let is_unlooked = import.state == State::Judged
                && import.waits_until.is_some()
                && number > shown.counts.last_taken;
            let word = if is_unlooked {
                "Not looked up"
            } else {
                waiting(import.state)
            };
            html! {
                @if import.state == State::Stopped { (Badge::Off(word)) } @else { (Badge::Pending(word)) }
            }
        }
        Fate::Invited(stage) => html! {
            (Badge::Good("Invited"))
            (sub(Tone::Plain, stage_label(stage)))
        },
        Fate::Refused(refusal @ (Refusal::Here | Refusal::Twice(_))) => html! {
            (Badge::Off(refusal.label()))
            (sub(Tone::Plain, &refusal.sentence(&line.entry)))
        },
        Fate::Refused(refusal) => html! {
            (Badge::Failed(refusal.label()))
            (sub(Tone::Bad, &refusal.sentence(&line.entry)))
        },
    }
}

const fn stage_label(stage: Option<Stage>) -> &'static str {
    match stage {
        Some(Stage::Pending) => "Pending",
        Some(Stage::Active) => "Active",
        Some(Stage::Disabled) => "Disabled",
        None => "Deleted",
    }
}

/// What became of a line, and why, in words for a file.
#[must_use]
pub fn in_words(line: &Line, state: State) -> (String, String) {
    match line.fate {
        Fate::Waiting => (waiting(state).to_owned(), String::new()),
        Fate::Invited(stage) => ("Invited".to_owned(), stage_label(stage).to_owned()),
        Fate::Refused(refusal) => (refusal.label().to_owned(), refusal.sentence(&line.entry)),
    }
}

/// The permission by its name; what is none as it was written.
#[must_use]
pub fn role_label(text: &str) -> String {
    role(text).map_or_else(|| text.to_owned(), |role| role.label().to_owned())
}

fn pager(shown: &Shown<'_>) -> Markup {
    let total = shown.counts.of(shown.filter);
    let page = shown.offset / shown.page_rows.max(1) + 1;
    let last = (shown.offset + shown.page_rows).min(total);
    let previous = (page > 1).then(|| address(shown, shown.filter, page - 1));
    let next = (last < total).then(|| address(shown, shown.filter, page + 1));
    let whole = |number: i64| u64::try_from(number).unwrap_or_default();
    html! {
        (Pager {
            first: whole(shown.offset + 1),
            last: whole(last),
            total: whole(total),
            previous: previous.as_deref(),
            next: next.as_deref(),
        })
    }
}
