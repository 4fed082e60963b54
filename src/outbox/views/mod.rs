//! How the outbox is drawn: the list, and one mail with its attempts.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Attempt, Counts, Filter, Relay, Row, State};
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::badge::{Badge, nothing, sub};
use crate::kit::html::button::Button;
use crate::kit::html::copy::copy_box;
use crate::kit::html::form::post_button;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{View, back, page_head, segmented};
use crate::kit::html::notice::{empty, note};
use crate::kit::html::pages::Pager;
use crate::kit::html::stats::details;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::time;
use crate::kit::time::Timestamp;
use crate::routes::Route;

/// What stands for an address that went with its account.
pub const GONE: &str = "a deleted account";
/// So much of a server's answer fits into the list; all of it stands on the mail's own page.
const ANSWER_SHOWN: usize = 60;

/// The list.
#[derive(Debug)]
pub struct List<'l> {
    /// Which mails.
    pub filter: Filter,
    /// How many there are of each.
    pub counts: Counts,
    /// Those of this page.
    pub rows: &'l [Row],
    /// How many stand on the pages before.
    pub offset: i64,
    /// How many stand on one page.
    pub page_rows: i64,
    /// How the way out is.
    pub relay: &'l Relay,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'l TimeZone,
    /// The token of its forms.
    pub csrf: &'l str,
}

/// The Mail page.
#[must_use]
pub fn list(list: &List<'_>) -> Markup {
    let lead = "Every mail that the Portal owes, and what became of it.";
    html! {
        (page_head("Mail", Some(lead), None))
        @if let Some(told) = relay(list.relay, list.now, list.zone) { (told) }
        (filters(list))
        @if list.rows.is_empty() { (none(list.filter)) } @else { (table(list)) (pager(list)) }
    }
}

/// What is to be known about the way out; nothing while it works.
fn relay(relay: &Relay, now: Timestamp, zone: &TimeZone) -> Option<Markup> {
    let told = match relay {
        Relay::Works => return None,
        Relay::Off => html! {
            p {
                "Mail is off. Messages wait; copy an activation link from the account's menu. Whoever runs this Portal "
                "turns mail on with " code { "DOORWARD_SMTP_URL" } "."
            }
        },
        Relay::Fails {
            since,
            words,
            next_try,
        } => html! {
            p {
                b { "The mail server is in trouble." } " Since " (time(*since, now, zone)) " it answers: “" (words)
                "”. Messages wait; next try " (time(*next_try, now, zone)) "."
            }
        },
    };
    Some(note(Tone::Warn, &told))
}

fn filters(list: &List<'_>) -> Markup {
    let hrefs = Filter::ALL.map(|filter| address(filter, 1));
    let views: Vec<View<'_>> = Filter::ALL
        .into_iter()
        .zip(&hrefs)
        .map(|(filter, href)| View {
            label: filter_label(filter),
            count: Some(positive(list.counts.of(filter))),
            href,
            current: filter == list.filter,
        })
        .collect();
    html! { div.row { (segmented("State", &views)) } }
}

const fn filter_label(filter: Filter) -> &'static str {
    match filter {
        Filter::All => "All",
        Filter::Waiting => "Waiting",
        Filter::Sent => "Sent",
        Filter::Failed => "Failed",
    }
}

/// The address of a page of the list.
fn address(filter: Filter, page: i64) -> String {
    let state = filter.key().map(|key| format!("state={key}"));
    let page = (page > 1).then(|| format!("page={page}"));
    let query: Vec<String> = state.into_iter().chain(page).collect();
    if query.is_empty() {
        Route::Mail.to_string()
    } else {
        format!("{}?{}", Route::Mail, query.join("&"))
    }
}

fn none(filter: Filter) -> Markup {
    if filter == Filter::All {
        let sentence = "Invitations, reset links and notices about sign-ins stand here from the moment they are owed.";
        return empty(Icon::Inbox, "No mail yet", sentence, None);
    }
    let all = Route::Mail.to_string();
    let clear = html! { (Button::link("Clear filters", &all)) };
    let sentence = "There is none in this state.";
    empty(Icon::Inbox, "No mail matches", sentence, Some(&clear))
}

fn table(list: &List<'_>) -> Markup {
    let columns = [
        Column::new(Cell::Main, "To"),
        Column::new(Cell::Detail, "Subject"),
        Column::new(Cell::State, "State"),
        Column::new(Cell::Aside, "When"),
        Column::new(Cell::End, "Actions"),
    ];
    let rows = html! {
        @for mail in list.rows {
            (row(&[
                (Cell::Main, html! { a href=(Route::Errand(mail.id)) { (recipient(mail)) } }),
                (Cell::Detail, html! { (mail.kind.label()) }),
                (Cell::State, state(mail, list)),
                (Cell::Aside, html! {
                    span.nowrap { (time(mail.ended_at.unwrap_or(mail.created_at), list.now, list.zone)) }
                }),
                (Cell::End, html! {
                    @if mail.why_no_retry(list.now).is_none() { div.wide-only { (retry(mail, list.csrf)) } }
                }),
            ]))
        }
    };
    html! {
        div.break { (Table { caption: "Mail", shape: Shape::Cards, columns: &columns, rows, foot: None }) }
    }
}

fn recipient(mail: &Row) -> String {
    mail.recipient
        .as_ref()
        .map_or_else(|| GONE.to_owned(), ToString::to_string)
}

fn retry(mail: &Row, csrf: &str) -> Markup {
    let action = Route::RetryErrand(mail.id).to_string();
    let button = Button::submit("Retry", "Retrying…").plain().small();
    post_button(&action, csrf, &button)
}

fn state(mail: &Row, list: &List<'_>) -> Markup {
    let second = match mail.state {
        State::Waiting => Some((Tone::Warn, waits(mail, list))),
        State::Sending => None,
        State::Failed => mail
            .answer
            .as_deref()
            .map(|words| (Tone::Bad, short(words))),
        State::Sent | State::NotNeeded => mail
            .answer
            .as_deref()
            .map(|words| (Tone::Plain, short(words))),
    };
    html! {
        (badge(mail.state))
        @if let Some((tone, words)) = second { (sub(tone, &words)) }
    }
}

const fn badge(state: State) -> Badge<'static> {
    match state {
        State::Waiting => Badge::Pending("Waiting"),
        State::Sending => Badge::Info("Sending"),
        State::Sent => Badge::Good("Sent"),
        State::Failed => Badge::Failed("Failed"),
        State::NotNeeded => Badge::Off("Not needed"),
    }
}

/// For what a mail waits.
fn waits(mail: &Row, list: &List<'_>) -> String {
    match (list.relay, &mail.answer) {
        (Relay::Off, _) => "Mail is off".to_owned(),
        (Relay::Fails { .. }, _) => "Mail server in trouble".to_owned(),
        (Relay::Works, Some(answer)) if mail.due_at > list.now => format!(
            "Next try {}: {}",
            dates::relative(mail.due_at, list.now, list.zone),
            short(answer)
        ),
        (Relay::Works, _) => "Goes out next".to_owned(),
    }
}

fn short(words: &str) -> String {
    let mut letters = words.chars();
    let mut shown: String = letters.by_ref().take(ANSWER_SHOWN).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

fn pager(list: &List<'_>) -> Markup {
    let total = list.counts.of(list.filter);
    let page = list.offset / list.page_rows.max(1) + 1;
    let last = (list.offset + list.page_rows).min(total);
    let previous = (page > 1).then(|| address(list.filter, page - 1));
    let next = (last < total).then(|| address(list.filter, page + 1));
    html! {
        (Pager {
            first: positive(list.offset + 1),
            last: positive(last),
            total: positive(total),
            previous: previous.as_deref(),
            next: next.as_deref(),
        })
    }
}

fn positive(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// One mail.
#[derive(Debug)]
pub struct Mail<'m> {
    /// The mail.
    pub row: &'m Row,
    /// Its history, oldest first.
    pub attempts: &'m [Attempt],
    /// What it says; none but in the demonstration.
    pub letter: Option<Letter<'m>>,
    /// How the way out is.
    pub relay: &'m Relay,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'m TimeZone,
    /// The token of its forms.
    pub csrf: &'m str,
}

/// What a mail says, as the mailbox of the demonstration keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'l> {
    /// The subject.
    pub subject: &'l str,
    /// The plain part.
    pub text: &'l str,
    /// Where its button leads.
    pub link: Option<&'l str>,
}

/// The page of one mail.
#[must_use]
pub fn mail(mail: &Mail<'_>) -> Markup {
    let lead = format!("To {}", recipient(mail.row));
    let once_more = once_more(mail);
    html! {
        (back("Mail", &Route::Mail.to_string()))
        div.break { (page_head(mail.row.kind.label(), Some(&lead), once_more.as_ref())) }
        @if let Some(told) = relay(mail.relay, mail.now, mail.zone) {
            @if matches!(mail.row.state, State::Waiting | State::Sending) { (told) }
        }
        (facts(mail))
        section.stack-2 { h2 { "Attempts" } (attempts(mail)) }
        @if let Some(letter) = &mail.letter { (opened(letter, &Route::ErrandBody(mail.row.id))) }
    }
}

fn once_more(mail: &Mail<'_>) -> Option<Markup> {
    if mail.row.state != State::Failed {
        return None;
    }
    Some(match mail.row.why_no_retry(mail.now) {
        None => {
            let action = Route::RetryErrand(mail.row.id).to_string();
            post_button(&action, mail.csrf, &Button::submit("Retry", "Retrying…"))
        }
        Some(why) => html! { (Button::unavailable("Retry", why)) },
    })
}

fn facts(mail: &Mail<'_>) -> Markup {
    let row = mail.row;
    let moment = |at| html! { (dates::moment(at, mail.zone)) };
    let mut facts = vec![
        ("To", html! { (recipient(row)) }),
        ("Kind", html! { (row.kind.label()) }),
        ("State", html! { (badge(row.state)) }),
    ];
    if let Some(answer) = &row.answer {
        facts.push(("Last answer", html! { (answer) }));
    }
    facts.push(("Written", moment(row.created_at)));
    match (row.state, row.ended_at) {
        (State::Waiting, _) if *mail.relay == Relay::Off => {
            facts.push(("Next try", html! { "When mail is on" }));
        }
        (State::Waiting, _) => facts.push(("Next try", next_try(mail))),
        (State::Sending, _) => facts.push(("Next try", html! { "Now" })),
        (State::Sent, Some(at)) => facts.push(("Sent", moment(at))),
        (State::Failed, Some(at)) => facts.push(("Given up", moment(at))),
        (State::NotNeeded, Some(at)) => facts.push(("Put aside", moment(at))),
        (State::Sent | State::Failed | State::NotNeeded, None) => {}
    }
    facts.push(("Worth sending until", moment(row.deadline_at)));
    facts.push(("Message-ID", html! { code { "<" (row.message_id) ">" } }));
    html! { div.break { (details(&facts)) } }
}

/// A mail that is due waits for its relay.
fn next_try(mail: &Mail<'_>) -> Markup {
    let due = mail.row.due_at;
    let at = match mail.relay {
        Relay::Fails { next_try, .. } if *next_try > due => *next_try,
        Relay::Fails { .. } | Relay::Works | Relay::Off => due,
    };
    if at <= mail.now {
        return html! { "Now" };
    }
    html! { (dates::moment(at, mail.zone)) }
}

fn attempts(mail: &Mail<'_>) -> Markup {
    if mail.attempts.is_empty() {
        return html! { p.muted { "None yet." } };
    }
    let columns = [
        Column::new(Cell::Main, "When"),
        Column::new(Cell::Amount, "Times"),
        Column::new(Cell::Detail, "Answer of the mail server"),
    ];
    let rows = html! {
        @for one in mail.attempts {
            (row(&[
                (Cell::Main, html! {
                    (time(one.first_at, mail.now, mail.zone))
                    @if one.count > 1 { " to " (time(one.last_at, mail.now, mail.zone)) }
                }),
                (Cell::Amount, html! { (one.count) }),
                (Cell::Detail, html! { @if one.answer.is_empty() { (nothing("No answer")) } @else { (one.answer) } }),
            ]))
        }
    };
    html! {
        div.break { (Table { caption: "Attempts", shape: Shape::Plain, columns: &columns, rows, foot: None }) }
    }
}

/// What the mail says. Its HTML stands in a frame of its own policy, since none of ours would let its styles in.
fn opened(letter: &Letter<'_>, body: &Route) -> Markup {
    html! {
        section.stack-2 {
            h2 { "What it says" }
            p.hint { "Only the demonstration shows this. Subject: " (letter.subject) }
            @if let Some(link) = letter.link { (copy_box("mail-link", "Its link", link)) }
            iframe sandbox src=(body) title="The mail as HTML" {}
            h3 { "The same as text" }
            pre { (letter.text) }
        }
    }
}

#[cfg(test)]
mod tests;
