//! The log: its filters, its rows by day, and the ways to what is older.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{icon, kind, sentence};
use crate::audit::export::named;
use crate::audit::search::{Filter, Group, Line, Outcome, Term, What, Who, terms};
use crate::domain::id::AccountId;
use crate::kit::dates;
use crate::kit::html::badge::nothing;
use crate::kit::html::button::Button;
use crate::kit::html::copy::download;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{day_field, filter, page_head, search, toolbar};
use crate::kit::html::notice::empty;
use crate::kit::html::table::{Cell, Column, Shape, Table, heading, row};
use crate::kit::html::time::clock;
use crate::kit::http::fields::encode;
use crate::kit::time::Timestamp;
use crate::routes::Route;

/// The longest text that is searched for.
const TEXT_MAX: usize = 254;

/// What the address of the log says: which events, and from which one back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words.
    pub text: Option<String>,
    /// By whom.
    pub who: Option<Who>,
    /// What.
    pub what: Option<What>,
    /// To whom.
    pub target: Option<AccountId>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The first day, on the reader's calendar.
    pub from: Option<Date>,
    /// The last one.
    pub to: Option<Date>,
    /// Events before this number alone.
    pub before: Option<i64>,
}

impl Query {
    /// Reads it. What it does not know is ignored: never an error.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = get("q").map(|text| text.trim().chars().take(TEXT_MAX).collect::<String>());
        let day = |name| get(name).and_then(|text| day_of(&text));
        Self {
            text: text.filter(|text| !text.is_empty()),
            who: get("who").and_then(|key| Who::parse(&key)),
            what: get("what").and_then(|key| What::parse(&key)),
            target: get("target").and_then(|key| key.parse().ok()),
            outcome: get("result").and_then(|key| {
                Outcome::ALL
                    .into_iter()
                    .find(|outcome| outcome.key() == key)
            }),
            from: day("from"),
            to: day("to"),
            before: get("before")
                .and_then(|text| text.parse().ok())
                .filter(|number| *number > 0),
        }
    }

    /// The events that it asks for, by a calendar of that zone. `people` finds whose name or address holds a word.
    pub fn filter<E>(
        &self,
        zone: &TimeZone,
        mut people: impl FnMut(&str) -> Result<Vec<AccountId>, E>,
    ) -> Result<Filter, E> {
        let typed = self.text.as_deref().map(terms).unwrap_or_default();
        let terms = typed
            .into_iter()
            .map(|typed| {
                let people = people(&typed)?;
                Ok(Term { typed, people })
            })
            .collect::<Result<_, E>>()?;
        Ok(Filter {
            terms,
            who: self.who,
            what: self.what,
            target: self.target,
            outcome: self.outcome,
            from: self.from.and_then(|day| start_of(day, zone)),
            until: self
                .to
                .and_then(|day| day.checked_add(1.day()).ok())
                .and_then(|day| start_of(day, zone)),
        })
    }

    /// Where this list is.
    #[must_use]
    pub fn address(&self) -> String {
        self.at(&Route::Audit, self.before)
    }

    /// Where all of it is as a file.
    #[must_use]
    pub fn export(&self, route: &Route) -> String {
        self.at(route, None)
    }

    fn at(&self, route: &Route, before: Option<i64>) -> String {
        let text = |value: Option<String>| value.unwrap_or_default();
        let parts: Vec<String> = [
            ("q", text(self.text.clone())),
            ("who", text(self.who.map(Who::key))),
            ("what", self.what.map_or("", What::key).to_owned()),
            ("target", text(self.target.map(|id| id.to_string()))),
            ("result", self.outcome.map_or("", Outcome::key).to_owned()),
            ("from", text(self.from.map(|day| day.to_string()))),
            ("to", text(self.to.map(|day| day.to_string()))),
            ("before", text(before.map(|number| number.to_string()))),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(&value)))
        .collect();
        if parts.is_empty() {
            return route.to_string();
        }
        format!("{route}?{}", parts.join("&"))
    }

    /// Whether it leaves anything out.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        let everything = Self {
            before: self.before,
            ..Self::default()
        };
        *self != everything
    }

    fn before(&self, before: Option<i64>) -> String {
        Self {
            before,
            ..self.clone()
        }
        .address()
    }
}

/// "2026-11-24", within the centuries that a calendar needs.
fn day_of(text: &str) -> Option<Date> {
    let day: Date = text.parse().ok()?;
    (day.to_string() == text && (1970..=9998).contains(&day.year())).then_some(day)
}

fn start_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let start = day.to_zoned_datetime(zone.clone()).ok()?;
    Some(Timestamp(start.timestamp().as_second()))
}

/// One row: the event, and by which name whoever did it is known now.
#[derive(Clone, Debug)]
pub struct Told {
    /// The event.
    pub line: Line,
    /// The name of whoever did it.
    pub name: Option<String>,
}

/// The page.
#[derive(Debug)]
pub struct List<'l> {
    /// What is asked.
    pub query: &'l Query,
    /// The events, newest first.
    pub rows: &'l [Told],
    /// Whether there are older ones.
    pub has_older: bool,
    /// Words that were looked for only as they are.
    pub whole: &'l [String],
    /// The people to filter by, as id and name: all, where they are few; or those that are filtered by.
    pub people: &'l [(String, String)],
    /// For how many days events are kept; none: for ever.
    pub keep_days: Option<i64>,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'l TimeZone,
}

/// The Audit log page.
#[must_use]
pub fn list(list: &List<'_>) -> Markup {
    let query = list.query;
    let [csv, jsonl] = [Route::AuditCsv, Route::AuditJsonl].map(|route| query.export(&route));
    let actions = html! {
        (download("CSV", &csv, "audit.csv"))
        (download("JSON lines", &jsonl, "audit.jsonl"))
    };
    let lead = "Who did what, and what was refused. Each entry is sealed to the one before it.";
    html! {
        (page_head("Audit log", Some(lead), Some(&actions)))
        (filters(list))
        @if list.rows.is_empty() {
            (none(list))
        } @else {
            (table(list))
            (ways(list))
        }
        p.muted { (kept(list.keep_days)) }
    }
}

/// How long events are kept, in words.
#[must_use]
pub fn kept(days: Option<i64>) -> String {
    match days {
        None => "Kept for ever.".to_owned(),
        Some(1) => "Kept for 1 day.".to_owned(),
        Some(days) => format!("Kept for {days} days."),
    }
}

fn filters(list: &List<'_>) -> Markup {
    let query = list.query;
    let mut whos = vec![("", "Anyone")];
    whos.extend(
        list.people
            .iter()
            .map(|(id, name)| (id.as_str(), name.as_str())),
    );
    whos.extend([
        ("operator", "The operator"),
        ("system", "The Portal"),
        ("stranger", "Somebody not signed in"),
    ]);
    let mut targets = vec![("", "Done to anyone")];
    let target = query.target.map(|id| id.to_string()).unwrap_or_default();
    let labels: Vec<(&str, String)> = list
        .people
        .iter()
        .filter(|(id, _)| *id == target)
        .map(|(id, name)| (id.as_str(), format!("Done to {name}")))
        .collect();
    targets.extend(labels.iter().map(|(id, label)| (*id, label.as_str())));
    let mut whats = vec![("", "Anything")];
    whats.extend(Group::ALL.map(|group| (group.key(), group.label())));
    let one = match query.what {
        Some(What::One(action)) => Some((action.slug(), kind(action))),
        _ => None,
    };
    whats.extend(one.iter().map(|(slug, words)| (*slug, words.as_str())));
    let mut outcomes = vec![("", "Any result")];
    outcomes.extend(Outcome::ALL.map(|outcome| (outcome.key(), outcome.label())));
    let who = query.who.map(Who::key).unwrap_or_default();
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let body = html! {
        (search("q", "Name, email or address", query.text.as_deref().unwrap_or_default()))
        (filter("who", "Who", &whos, &who))
        (filter("what", "What", &whats, query.what.map_or("", What::key)))
        (filter("result", "Result", &outcomes, query.outcome.map_or("", Outcome::key)))
        @if query.target.is_some() { (filter("target", "Done to", &targets, &target)) }
        (day_field("from", "From", &day(query.from)))
        (day_field("to", "To", &day(query.to)))
        @if query.is_filtered() { (Button::link("Clear", &Route::Audit.to_string()).quiet()) }
    };
    toolbar(&Route::Audit.to_string(), &body)
}

fn table(list: &List<'_>) -> Markup {
    let columns = [
        Column::new(Cell::Aside, "Time"),
        Column::new(Cell::Main, "Event"),
        Column::new(Cell::Detail, "By"),
        Column::new(Cell::Extra, "From"),
    ];
    let mut last = None;
    let rows = html! {
        @for told in list.rows {
            @let day = dates::zoned(told.line.deed.at, list.zone).date();
            @if last.replace(day) != Some(day) {
                (heading(columns.len(), &day_words(told.line.deed.at, list.now, list.zone)))
            }
            (event(told, list.zone))
        }
    };
    html! {
        (Table { caption: "Events", shape: Shape::Cards, columns: &columns, rows, foot: None })
    }
}

/// "Today", "Yesterday", "14 Nov 2026".
fn day_words(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (then, today) = (
        dates::zoned(at, zone).date(),
        dates::zoned(now, zone).date(),
    );
    if then == today {
        return "Today".to_owned();
    }
    if today.yesterday().ok() == Some(then) {
        return "Yesterday".to_owned();
    }
    dates::day(at, zone)
}

fn event(told: &Told, zone: &TimeZone) -> Markup {
    let line = &told.line;
    let address = line.deed.address.as_deref();
    // Its own column says from where.
    let mut deed = named(&line.deed, told.name.as_deref());
    deed.address = None;
    let words = html! {
        span.person {
            span.muted { (icon(deed.action)) }
            a.break href=(Route::AuditEvent(line.number)) { (sentence(&deed)) }
        }
    };
    let by = match (&line.actor_text, line.actor) {
        (Some(email), _) => html! { (email) },
        (None, Some(_)) => html! { span.muted { "Erased account" } },
        (None, None) => nothing("No account"),
    };
    let from = match address {
        Some(address) => html! { span.nowrap { (address) } },
        None if line.actor.is_some() && line.actor_text.is_none() => nothing("Erased"),
        None => nothing("Not by a browser"),
    };
    row(&[
        (
            Cell::Aside,
            html! { span.nowrap { (clock(line.deed.at, zone)) } },
        ),
        (Cell::Main, words),
        (Cell::Detail, by),
        (Cell::Extra, from),
    ])
}

fn ways(list: &List<'_>) -> Markup {
    let oldest = list.rows.last().map(|told| told.line.number);
    let older = oldest
        .filter(|_| list.has_older)
        .map(|oldest| list.query.before(Some(oldest)));
    let newest = list.query.before.map(|_| list.query.before(None));
    html! {
        @if older.is_some() || newest.is_some() {
            nav.pager aria-label="Events" {
                div.row {
                    @if let Some(href) = &newest { a.btn.sm href=(href) rel="first" { "Newest" } }
                    @if let Some(href) = &older { a.btn.sm href=(href) rel="next" { "Older events" } }
                }
            }
        }
    }
}

/// Filtered to nothing, past the end, or truly empty.
fn none(list: &List<'_>) -> Markup {
    let everything = Route::Audit.to_string();
    if list.query.is_filtered() {
        let sentence = match list.whole {
            [] => "No event has all that you asked for.".to_owned(),
            [one, ..] => format!(
                "No event has all that you asked for. Too many words begin with “{one}”: it was looked for as a whole \
                 word. Type more of it."
            ),
        };
        return empty(
            Icon::ScrollText,
            "No events match",
            &sentence,
            Some(&html! { (Button::link("Clear filters", &everything)) }),
        );
    }
    if list.query.before.is_some() {
        return empty(
            Icon::ScrollText,
            "Nothing older",
            "The log begins after that.",
            Some(&html! { (Button::link("Newest", &everything)) }),
        );
    }
    empty(
        Icon::ScrollText,
        "Nothing yet",
        "Sign-ins, changes and refusals appear here as they happen.",
        None,
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(query: &[(&str, &str)]) -> Query {
        let known: BTreeMap<&str, &str> = query.iter().copied().collect();
        Query::read(|name| known.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn the_address_says_what_is_shown_and_nothing_else() {
        let all = [
            ("q", "lea fjord"),
            ("who", "operator"),
            ("what", "role.changed"),
            ("target", "acc_bbbbbbbbbbbbb"),
            ("result", "refused"),
            ("from", "2026-11-01"),
            ("to", "2026-11-24"),
            ("before", "77"),
        ];
        let query = read(&all);
        assert_eq!(
            query.address(),
            "/audit?q=lea+fjord&who=operator&what=role.changed&target=acc_bbbbbbbbbbbbb&result=refused\
             &from=2026-11-01&to=2026-11-24&before=77"
        );
        assert!(!query.export(&Route::AuditCsv).contains("before"));
        assert_eq!(read(&[]).address(), "/audit");
        assert!(!read(&[("before", "5")]).is_filtered() && query.is_filtered());
    }

    #[test]
    fn what_is_not_known_is_ignored() {
        for (name, value) in [
            ("q", "  "),
            ("who", "acc_x"),
            ("what", "everything"),
            ("target", "operator"),
            ("result", "maybe"),
            ("from", "yesterday"),
            ("from", "2026-02-30"),
            ("to", "24.11.2026"),
            ("to", "-000001-01-01"),
            ("before", "-1"),
            ("before", "99999999999999999999"),
            ("page", "2"),
        ] {
            assert_eq!(read(&[(name, value)]), Query::default(), "{name}={value}");
        }
    }

    #[test]
    fn days_are_those_of_the_reader() {
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        let query = read(&[("from", "2026-10-25"), ("to", "2026-10-25")]);
        let filter = query.filter(&oslo, |_| Ok::<_, ()>(Vec::new())).unwrap();
        let (from, until) = (filter.from.unwrap(), filter.until.unwrap());
        // The day on which the clocks go back has 25 hours.
        assert_eq!(until.since(from), 25 * 3_600);
        assert_eq!(dates::machine(from, &oslo), "2026-10-25T00:00:00+02:00");
    }

    #[test]
    fn the_days_head_their_events() {
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        let now = Timestamp(1_795_525_680);
        for (hours, words) in [(0, "Today"), (15, "Yesterday"), (39, "22 Nov 2026")] {
            assert_eq!(day_words(now.minus(hours * 3_600), now, &oslo), words);
        }
    }

    #[test]
    fn how_long_it_is_kept_is_said() {
        assert_eq!(kept(None), "Kept for ever.");
        assert_eq!(kept(Some(1)), "Kept for 1 day.");
        assert_eq!(kept(Some(400)), "Kept for 400 days.");
    }
}
