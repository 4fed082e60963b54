//! How the outbox is drawn: the list, and one mail with its attempts.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Attempt, Cause, Counts, Dialogue, Filter, Kind, Relay, Row, Search, State};
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::badge::{Badge, nothing, sub};
use crate::kit::html::button::Button;
use crate::kit::html::copy::copy_box;
use crate::kit::html::form::{hidden, post_button};
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{View, back, page_head, search, segmented, toolbar};
use crate::kit::html::notice::{empty, note};
use crate::kit::html::pages::Pager;
use crate::kit::html::stats::details;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::time;
use crate::kit::http::fields::encode;
use crate::kit::time::{MINUTE, Timestamp};
use crate::routes::Route;

/// What stands for an address that went with its account.
pub const GONE: &str = "a deleted account";
/// So much of a server's answer fits into the list; all of it stands on the mail's own page.
const ANSWER_SHOWN: usize = 60;
/// After how long a trouble that may pass by itself stands on every page.
const BANNER_AFTER: i64 = 15 * MINUTE;

/// Why nothing can be sent while mail is off, and who can change that.
pub const OFF: &str = "Mail is off: no mail server is set. Whoever runs this Portal turns it on with DOORWARD_SMTP_URL (smtp_url).";
/// Mails on one page.
pub const ROWS: i64 = 25;
/// The longest text that is searched for: as long as an address can be.
const TEXT_MAX: usize = 254;

/// What the address of the list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// In which state.
    pub filter: Filter,
    /// A part of the recipient's address.
    pub text: Option<String>,
    /// From 1.
    pub page: i64,
}

impl Query {
    /// Reads it. What it does not know is ignored, and numbers are brought into their range: never an error.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let state = get("state");
        let text = get("q").map(|text| text.trim().chars().take(TEXT_MAX).collect::<String>());
        let page = get("page").and_then(|text| text.parse().ok());
        Self {
            filter: Filter::ALL
                .into_iter()
                .find(|one| one.key().is_some() && one.key() == state.as_deref())
                .unwrap_or_default(),
            text: text.filter(|text| !text.is_empty()),
            page: page.unwrap_or(1).max(1),
        }
    }

    /// Which mails it means.
    #[must_use]
    pub fn search(&self) -> Search<'_> {
        Search {
            filter: self.filter,
            text: self.text.as_deref(),
        }
    }

    /// How many rows stand on the pages before; a page past the end is the last one.
    #[must_use]
    pub fn offset(&self, total: i64) -> i64 {
        let last = (total.max(1) - 1) / ROWS;
        (self.page - 1).clamp(0, last) * ROWS
    }

    fn address(&self, filter: Filter, page: i64) -> String {
        let text = self.text.as_ref().map(|text| format!("q={}", encode(text)));
        let state = filter.key().map(|key| format!("state={key}"));
        let page = (page > 1).then(|| format!("page={page}"));
        let query: Vec<String> = text.into_iter().chain(state).chain(page).collect();
        if query.is_empty() {
            Route::Mail.to_string()
        } else {
            format!("{}?{}", Route::Mail, query.join("&"))
        }
    }
}

/// The list.
#[derive(Debug)]
pub struct List<'l> {
    /// Which mails.
    pub query: &'l Query,
    /// How many there are of each state, of those that are searched for.
    pub counts: Counts,
    /// How many failed ones can be sent again, of all.
    pub retriable: i64,
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
    let is_empty = *list.query
        == Query {
            page: list.query.page,
            ..Query::default()
        }
        && list.rows.is_empty();
    html! {
        (page_head("Mail", Some(lead), Some(&send_test(list.relay, list.csrf))))
        @if let Some(told) = relay(list.relay, list.now, list.zone) { (told) }
        @if is_empty { (nothing_yet()) } @else {
            (filters(list))
            @if list.rows.is_empty() { (none(list)) } @else { (table(list)) (pager(list)) }
        }
    }
}

fn send_test(relay: &Relay, csrf: &str) -> Markup {
    if *relay == Relay::Off {
        return html! { (Button::unavailable("Send test mail", OFF)) };
    }
    let action = Route::TestMail.to_string();
    let button = Button::submit("Send test mail", "Sending…")
        .plain()
        .icon(Icon::Mail);
    post_button(&action, csrf, &button)
}

/// What is to be known about the way out; nothing while it works.
fn relay(relay: &Relay, now: Timestamp, zone: &TimeZone) -> Option<Markup> {
    let (tone, told) = match relay {
        Relay::Works => return None,
        Relay::Off => (
            Tone::Warn,
            html! {
                p {
                    "Mail is off. Messages wait; copy an activation link from the account's menu. Whoever runs this Portal "
                    "turns mail on with " code { "DOORWARD_SMTP_URL" } "."
                }
            },
        ),
        Relay::Fails {
            since,
            cause,
            words,
            next_try,
        } => (
            if cause.is_setting() {
                Tone::Bad
            } else {
                Tone::Warn
            },
            html! {
                p {
                    b { (trouble(*cause)) "." } " Since " (time(*since, now, zone)) ": “" (words)
                    "”. Messages wait; next try " (time(*next_try, now, zone)) ". " (what_helps(*cause))
                }
            },
        ),
    };
    Some(note(tone, &told))
}

/// What kind of trouble the mail server is in, in a few words.
#[must_use]
pub const fn trouble(cause: Cause) -> &'static str {
    match cause {
        Cause::Connection => "The mail server cannot be reached",
        Cause::Tls => "The line to the mail server cannot be protected",
        Cause::Login => "The mail server refuses our login",
        Cause::Sender => "The mail server refuses our sender",
        Cause::Service => "The mail server is in trouble",
    }
}

/// What to do about it.
#[must_use]
pub fn what_helps(cause: Cause) -> Markup {
    let who = "Whoever runs this Portal checks ";
    match cause {
        Cause::Connection => {
            html! { (who) "host and port in " code { "smtp_url" } ", and the network between." }
        }
        Cause::Tls => {
            html! { (who) code { "smtp_url" } ": its scheme, its host and its " code { "?ca=" } "." }
        }
        Cause::Login => html! { (who) "user and password in " code { "smtp_url" } "." },
        Cause::Sender => {
            html! { (who) code { "mail_from" } ", and what the mail server lets this login send." }
        }
        Cause::Service => {
            html! { "If it goes on, whoever runs this Portal asks whoever runs the mail server." }
        }
    }
}

/// For those who answer for the organisation, on every page: no mail leaves, and waiting does not help, or it has lasted
/// for a while.
#[must_use]
pub fn banner(relay: &Relay, now: Timestamp, zone: &TimeZone) -> Option<Markup> {
    let Relay::Fails { since, cause, .. } = relay else {
        return None;
    };
    let is_told = cause.is_setting() || now.since(*since) >= BANNER_AFTER;
    is_told.then(|| {
        note(
            Tone::Bad,
            &html! {
                p {
                    b { (trouble(*cause)) "." } " No mail has left since " (time(*since, now, zone)) ". "
                    (what_helps(*cause)) " " a href=(Route::Mail) { "See what waits" } "."
                }
            },
        )
    })
}

fn filters(list: &List<'_>) -> Markup {
    let query = list.query;
    let hrefs = Filter::ALL.map(|filter| query.address(filter, 1));
    let views: Vec<View<'_>> = Filter::ALL
        .into_iter()
        .zip(&hrefs)
        .map(|(filter, href)| View {
            label: filter_label(filter),
            count: Some(positive(list.counts.of(filter))),
            href,
            current: filter == query.filter,
        })
        .collect();
    let body = html! {
        (search("q", "Recipient", query.text.as_deref().unwrap_or_default()))
        (segmented("State", &views))
        @if let Some(state) = query.filter.key() { (hidden("state", state)) }
    };
    html! {
        (toolbar(&Route::Mail.to_string(), &body))
        @if query.filter == Filter::Failed && query.text.is_none() && list.retriable > 1 { (retry_all(list)) }
    }
}

/// All that can be sent again, for when what was wrong is mended.
fn retry_all(list: &List<'_>) -> Markup {
    let label = format!("Retry all {}", list.retriable);
    let button = Button::submit(&label, "Retrying…").plain();
    let action = Route::RetryFailed.to_string();
    html! {
        div.row {
            (post_button(&action, list.csrf, &button))
            p.hint { "For when what was wrong is mended. Links that have expired are not sent again." }
        }
    }
}

const fn filter_label(filter: Filter) -> &'static str {
    match filter {
        Filter::All => "All",
        Filter::Waiting => "Waiting",
        Filter::Sent => "Sent",
        Filter::Failed => "Failed",
    }
}

fn nothing_yet() -> Markup {
    let sentence = "Invitations, reset links and notices about sign-ins stand here from the moment they are owed.";
    empty(Icon::Inbox, "No mail yet", sentence, None)
}

fn none(list: &List<'_>) -> Markup {
    let query = list.query;
    let (title, sentence) = match (&query.text, query.filter) {
        (Some(text), Filter::All) => (
            "No mail matches",
            format!("No recipient's address holds “{text}”."),
        ),
        (Some(text), filter) => (
            "No mail matches",
            format!(
                "None that is {} went to an address that holds “{text}”.",
                filter_label(filter).to_lowercase()
            ),
        ),
        (None, Filter::All | Filter::Waiting) => (
            "Nothing waits",
            "Every mail that was owed has left, or was given up.".to_owned(),
        ),
        (None, Filter::Sent) => (
            "Nothing was sent",
            "What the mail server takes stands here for 30 days.".to_owned(),
        ),
        (None, Filter::Failed) => (
            "Nothing failed",
            "What a mail server refuses for good stands here for 90 days, with its words."
                .to_owned(),
        ),
    };
    let all = Route::Mail.to_string();
    let clear = html! { (Button::link("Clear filters", &all)) };
    empty(Icon::Inbox, title, &sentence, Some(&clear))
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
        (Relay::Fails { cause, .. }, _) => match cause {
            Cause::Login => "Login refused",
            Cause::Sender => "Sender refused",
            Cause::Connection | Cause::Tls | Cause::Service => "Mail server in trouble",
        }
        .to_owned(),
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
    let query = list.query;
    let total = list.counts.of(query.filter);
    let page = list.offset / list.page_rows.max(1) + 1;
    let last = (list.offset + list.page_rows).min(total);
    let previous = (page > 1).then(|| query.address(query.filter, page - 1));
    let next = (last < total).then(|| query.address(query.filter, page + 1));
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
    /// What was said with the mail server; only of a test mail that was offered.
    pub dialogue: Option<&'m Dialogue>,
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
    let is_test = mail.row.kind == Kind::Test;
    let once_more = if is_test {
        another(mail)
    } else {
        once_more(mail)
    };
    html! {
        (back("Mail", &Route::Mail.to_string()))
        div.break { (page_head(mail.row.kind.label(), Some(&lead), once_more.as_ref())) }
        @if let Some(told) = relay(mail.relay, mail.now, mail.zone) {
            @if matches!(mail.row.state, State::Waiting | State::Sending) { (told) }
        }
        (facts(mail))
        @if is_test { (on_its_way(mail)) }
        section.stack-2 { h2 { "Attempts" } (attempts(mail)) }
        @if is_test { (dialogue(mail)) }
        @if let Some(letter) = &mail.letter { (opened(letter, &Route::ErrandBody(mail.row.id))) }
    }
}

/// Another test mail, once this one is over.
fn another(mail: &Mail<'_>) -> Option<Markup> {
    let is_over = !matches!(mail.row.state, State::Waiting | State::Sending);
    is_over.then(|| {
        if *mail.relay == Relay::Off {
            return html! { (Button::unavailable("Send another", OFF)) };
        }
        let action = Route::TestMail.to_string();
        let button = Button::submit("Send another", "Sending…")
            .plain()
            .icon(Icon::Mail);
        post_button(&action, mail.csrf, &button)
    })
}

/// What a test mail has shown so far.
fn on_its_way(mail: &Mail<'_>) -> Markup {
    let row = mail.row;
    match row.state {
        State::Waiting | State::Sending => html! {
            div role="status" {
                (note(Tone::Plain, &html! {
                    p {
                        "On its way. This page looks again by itself until the mail server has answered. "
                        a href=(Route::Errand(row.id)) { "Look now" } "."
                    }
                }))
            }
        },
        State::Sent => note(
            Tone::Plain,
            &html! {
                p { b { "The mail server took it." } " Look into your inbox, and among junk: whether it lands there is decided by the servers after this one." }
            },
        ),
        State::Failed => note(
            Tone::Bad,
            &html! {
                p { b { "It did not leave." } " The last line below says why. " @if let Relay::Fails { cause, .. } = mail.relay { (what_helps(*cause)) } }
            },
        ),
        State::NotNeeded => html! {},
    }
}

/// What was said with the mail server, line by line.
fn dialogue(mail: &Mail<'_>) -> Markup {
    let Some(dialogue) = mail.dialogue else {
        return html! {
            section.stack-2 { h2 { "Dialogue" } p.muted { "The mail server was not spoken to yet." } }
        };
    };
    html! {
        section.stack-2 {
            h2 { "Dialogue" }
            p.hint {
                "Seconds since it began, C: what we said, S: what the mail server said. User, password and the mail itself are "
                "left out. Ended " (time(dialogue.said_at, mail.now, mail.zone)) "."
            }
            pre { (dialogue.text.trim_end_matches('\n')) }
        }
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
