//! The list of resources.

use maud::{Markup, html};

use super::{Acts, Line, Viewer, face, now_of, resources};
use crate::accounts::Account;
use crate::domain::id::AccountId;
use crate::domain::money::Money;
use crate::kit::html::Tone;
use crate::kit::html::badge::{nothing, sub};
use crate::kit::html::button::Button;
use crate::kit::html::copy::download;
use crate::kit::html::form::hidden;
use crate::kit::html::icon::Icon;
use crate::kit::html::menu::Menu;
use crate::kit::html::nav::{View, filter, page_head, search, segmented, toolbar};
use crate::kit::html::notice::empty;
use crate::kit::html::pages::Pager;
use crate::kit::html::person::person;
use crate::kit::html::table::{Cell, Column, Direction, Shape, Table, row};
use crate::kit::html::time::day;
use crate::kit::http::fields::encode;
use crate::resources::Resource;
use crate::routes::Route;

/// The longest text that is searched for.
const TEXT_MAX: usize = 100;
/// Rows of one page.
const PER: [usize; 2] = [25, 50];
/// No list is longer; keeps the arithmetic small whatever the address says.
const PAGE_MAX: usize = 1_000_000;

/// Which resources are shown: what runs, what has ended, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// What runs.
    #[default]
    Running,
    /// What has ended.
    Ended,
    /// Both.
    All,
}

impl Shown {
    const ALL: [Self; 3] = [Self::Running, Self::Ended, Self::All];

    const fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ended => "ended",
            Self::All => "all",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Ended => "Ended",
            Self::All => "All",
        }
    }

    const fn holds(self, resource: &Resource) -> bool {
        match self {
            Self::Running => resource.ended_at.is_none(),
            Self::Ended => resource.ended_at.is_some(),
            Self::All => true,
        }
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    /// By name.
    #[default]
    Name,
    /// By name from its end.
    NameBackwards,
    /// Created last first.
    Newest,
    /// Created first first.
    Oldest,
    /// What has cost most this month first.
    Dearest,
    /// What has cost least first.
    Cheapest,
}

impl Sort {
    const ALL: [Self; 6] = [
        Self::Name,
        Self::NameBackwards,
        Self::Newest,
        Self::Oldest,
        Self::Dearest,
        Self::Cheapest,
    ];

    const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameBackwards => "-name",
            Self::Newest => "-created",
            Self::Oldest => "created",
            Self::Dearest => "-cost",
            Self::Cheapest => "cost",
        }
    }
}

/// What the address of the list says: which resources, in what order, which page of how many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What the name or the note holds.
    pub text: Option<String>,
    /// The kind, by its key.
    pub kind: Option<String>,
    /// Who created it, or holds it now.
    pub account: Option<AccountId>,
    /// What runs, what has ended, or both.
    pub shown: Shown,
    sort: Sort,
    page: usize,
    per: usize,
}

impl Query {
    /// Reads it. What it does not know is ignored, and numbers are brought into their range: never an error.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = get("q").map(|text| text.trim().chars().take(TEXT_MAX).collect::<String>());
        let number = |name| get(name).and_then(|text| text.parse::<usize>().ok());
        let (status, sort) = (get("status"), get("sort"));
        let [few, many] = PER;
        Self {
            text: text.filter(|text| !text.is_empty()),
            kind: get("kind").filter(|kind| !kind.is_empty()),
            account: get("account").and_then(|id| id.parse().ok()),
            shown: Shown::ALL
                .into_iter()
                .find(|shown| status.as_deref() == Some(shown.key()))
                .unwrap_or_default(),
            sort: Sort::ALL
                .into_iter()
                .find(|known| sort.as_deref() == Some(known.key()))
                .unwrap_or_default(),
            page: number("page").unwrap_or(1).clamp(1, PAGE_MAX),
            per: if number("per").is_some_and(|per| per > few) {
                many
            } else {
                few
            },
        }
    }

    /// The same, without a kind that there is none of, and without an account that is nobody's here.
    #[must_use]
    pub fn known(
        self,
        has_kind: impl Fn(&str) -> bool,
        is_here: impl Fn(AccountId) -> bool,
    ) -> Self {
        Self {
            kind: self.kind.filter(|kind| has_kind(kind)),
            account: self.account.filter(|id| is_here(*id)),
            ..self
        }
    }

    /// The same, on the last page that has rows.
    #[must_use]
    pub fn within(self, total: usize) -> Self {
        let last = total.max(1).div_ceil(self.per);
        Self {
            page: self.page.min(last),
            ..self
        }
    }

    /// Whether the resource, of this kind, is one of them, whether or not it runs.
    #[must_use]
    pub fn matches(&self, resource: &Resource, kind: &str) -> bool {
        let holds = |text: &String| {
            let text = text.to_lowercase();
            resource.name.as_str().to_lowercase().contains(&text)
                || resource.note.to_lowercase().contains(&text)
        };
        self.text.as_ref().is_none_or(holds)
            && self.kind.as_deref().is_none_or(|wanted| wanted == kind)
            && self
                .account
                .is_none_or(|one| resource.created_by == one || resource.holder == one)
    }

    /// Whether it is one of them as far as its end goes.
    #[must_use]
    pub const fn shows(&self, resource: &Resource) -> bool {
        self.shown.holds(resource)
    }

    /// Puts them in order; they come by name. `cost` knows what the reader may see alone, so that the order tells no more.
    pub fn sort(&self, resources: &mut [&Resource], cost: impl Fn(&Resource) -> Option<Money>) {
        match self.sort {
            Sort::Name => {}
            Sort::NameBackwards => resources.reverse(),
            Sort::Newest => resources.sort_by_key(|one| std::cmp::Reverse(one.created_at)),
            Sort::Oldest => resources.sort_by_key(|one| one.created_at),
            Sort::Dearest => {
                resources.sort_by_key(|one| std::cmp::Reverse(cost(one).map(|cost| cost.0)));
            }
            Sort::Cheapest => resources.sort_by_key(|one| cost(one).map(|cost| cost.0)),
        }
    }

    /// The rows of this page.
    #[must_use]
    pub fn cut<'r, T>(&self, rows: &'r [T]) -> &'r [T] {
        let start = self.offset().min(rows.len());
        let end = start.saturating_add(self.per).min(rows.len());
        rows.get(start..end).unwrap_or_default()
    }

    const fn offset(&self) -> usize {
        (self.page - 1).saturating_mul(self.per)
    }

    /// Where this list is.
    #[must_use]
    pub fn address(&self) -> String {
        let page = self.page.to_string();
        let per = self.per.to_string();
        let more = [
            ("page", if self.page == 1 { "" } else { &page }),
            ("per", if self.per == PER[0] { "" } else { &per }),
        ];
        self.at(&Route::Resources, &more)
    }

    /// Where all of it is as rows for a spreadsheet.
    #[must_use]
    pub fn csv(&self) -> String {
        self.at(&Route::ResourcesCsv, &[])
    }

    fn at(&self, route: &Route, more: &[(&str, &str)]) -> String {
        let account = self.account.map(|id| id.to_string());
        let chosen = |is_default: bool, key: &'static str| if is_default { "" } else { key };
        let parts: Vec<String> = [
            ("q", self.text.as_deref().unwrap_or_default()),
            ("kind", self.kind.as_deref().unwrap_or_default()),
            ("account", account.as_deref().unwrap_or_default()),
            (
                "status",
                chosen(self.shown == Shown::default(), self.shown.key()),
            ),
            (
                "sort",
                chosen(self.sort == Sort::default(), self.sort.key()),
            ),
        ]
        .iter()
        .chain(more)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
        if parts.is_empty() {
            return route.to_string();
        }
        format!("{route}?{}", parts.join("&"))
    }

    const fn is_filtered(&self) -> bool {
        self.text.is_some() || self.kind.is_some() || self.account.is_some()
    }

    /// The first page of the same in this order.
    fn sorted(&self, sort: Sort) -> String {
        Self {
            sort,
            page: 1,
            ..self.clone()
        }
        .address()
    }

    fn showing(&self, shown: Shown) -> String {
        Self {
            shown,
            page: 1,
            ..self.clone()
        }
        .address()
    }

    fn on_page(&self, page: usize) -> String {
        Self {
            page,
            ..self.clone()
        }
        .address()
    }
}

/// How many there are of what the other filters leave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// That run.
    pub running: usize,
    /// That have ended.
    pub ended: usize,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The lines of this page.
    pub lines: Vec<Line>,
    /// How many lines all pages have.
    pub total: usize,
    /// What all of them have cost this month, as far as the reader may see it; none when they may see none of it.
    pub sum: Option<Money>,
    /// What has ended costs this month, where the list leaves it out.
    pub ended_sum: Money,
    /// How many there are, running and ended.
    pub counts: Counts,
    /// How many the organisation has or had at all.
    pub all: usize,
    /// The kinds to filter by: key and name.
    pub kinds: Vec<(String, String)>,
    /// The people to filter by.
    pub people: Vec<Account>,
}

/// The list, its filters and its pages.
#[must_use]
pub fn index(viewer: &Viewer, query: &Query, found: &Found, csrf: &str) -> Markup {
    let new = Route::NewResource.to_string();
    let create = Button::link("Create resource", &new)
        .primary()
        .icon(Icon::Plus)
        .key('n');
    let has_catalogue = viewer.currency.is_some();
    let actions = html! {
        @if found.all > 0 { (download("CSV", &query.csv(), "resources.csv")) }
        @if viewer.may_manage() && has_catalogue { (create) }
    };
    let lead = format!(
        "What {} has, and who created it. Sub-accounts share billing with the master account.",
        viewer.organisation
    );
    html! {
        (page_head("Resources", Some(&lead), Some(&actions)))
        @if found.all == 0 {
            (nothing_yet(viewer, &new))
        } @else {
            (filters(query, found))
            @if found.lines.is_empty() {
                (nothing_found(query, found))
            } @else {
                (table(viewer, query, found, csrf))
                (pager(query, found))
            }
            p.muted {
                "Billed to " (viewer.organisation) "."
                @if found.ended_sum > Money::ZERO {
                    " What has ended cost " (viewer.money(found.ended_sum)) " more this month: "
                    a href=(query.showing(Shown::Ended)) { "show it" } "."
                }
            }
        }
    }
}

fn filters(query: &Query, found: &Found) -> Markup {
    let mut kinds = vec![("", "Any kind")];
    kinds.extend(
        found
            .kinds
            .iter()
            .map(|(key, name)| (key.as_str(), name.as_str())),
    );
    let people: Vec<(String, String)> = found
        .people
        .iter()
        .map(|account| (account.id.to_string(), account.label()))
        .collect();
    let mut accounts = vec![("", "Created or held by anyone")];
    accounts.extend(
        people
            .iter()
            .map(|(id, label)| (id.as_str(), label.as_str())),
    );
    let account = query.account.map(|id| id.to_string());
    let Counts { running, ended } = found.counts;
    let links = Shown::ALL.map(|shown| {
        let count = match shown {
            Shown::Running => Some(running),
            Shown::Ended => Some(ended),
            Shown::All => None,
        };
        (shown, count, query.showing(shown))
    });
    let views: Vec<View<'_>> = links
        .iter()
        .map(|(shown, count, href)| View {
            label: shown.label(),
            count: count.and_then(|count| u64::try_from(count).ok()),
            href,
            current: query.shown == *shown,
        })
        .collect();
    let body = html! {
        (search("q", "Name or note", query.text.as_deref().unwrap_or_default()))
        (filter("kind", "Kind", &kinds, query.kind.as_deref().unwrap_or_default()))
        (filter("account", "Created or held by", &accounts, account.as_deref().unwrap_or_default()))
        (segmented("Status", &views))
        @if query.shown != Shown::default() { (hidden("status", query.shown.key())) }
        @if query.sort != Sort::default() { (hidden("sort", query.sort.key())) }
        @if query.per != PER[0] { (hidden("per", &query.per.to_string())) }
    };
    toolbar(&Route::Resources.to_string(), &body)
}

fn table(viewer: &Viewer, query: &Query, found: &Found, csrf: &str) -> Markup {
    let (name, name_direction) =
        heading(query, Sort::Name, Sort::NameBackwards, Direction::Ascending);
    let (created, created_direction) =
        heading(query, Sort::Newest, Sort::Oldest, Direction::Descending);
    let (cost, cost_direction) =
        heading(query, Sort::Dearest, Sort::Cheapest, Direction::Descending);
    let mut columns = vec![
        Column::new(Cell::Main, "Name").sorted(&name, name_direction),
        Column::new(Cell::Extra, "Kind and plan"),
        Column::new(Cell::Detail, "Created by"),
        Column::new(Cell::Extra, "Created").sorted(&created, created_direction),
    ];
    if found.sum.is_some() {
        columns.push(Column::new(Cell::Amount, "This month").sorted(&cost, cost_direction));
    }
    if viewer.may_manage() {
        columns.push(Column::new(Cell::End, "Actions"));
    }
    let rows = html! {
        @for line in &found.lines { (resource(viewer, line, found, csrf)) }
    };
    let foot = foot(viewer, found, columns.len());
    html! {
        (Table { caption: "Resources", shape: Shape::Cards, columns: &columns, rows, foot: Some(foot) })
    }
}

/// How many there are on all pages, and what they have cost together.
fn foot(viewer: &Viewer, found: &Found, columns: usize) -> Markup {
    let count = resources(found.total);
    let words = match (found.sum, viewer.sees_all_amounts()) {
        (Some(_), true) => format!("Total of {count}"),
        (Some(_), false) => format!("Yours, of {count}"),
        (None, _) => count,
    };
    let empty = || html! {};
    let mut cells = vec![
        (Cell::Main, html! { (words) }),
        (Cell::Extra, empty()),
        (Cell::Detail, empty()),
        (Cell::Extra, empty()),
    ];
    if let Some(sum) = found.sum {
        cells.push((Cell::Amount, html! { (viewer.money(sum)) }));
    }
    if cells.len() < columns {
        cells.push((Cell::End, empty()));
    }
    row(&cells)
}

/// Where the head of a column leads: to its first order, or to the other when it has that already.
fn heading(
    query: &Query,
    first: Sort,
    other: Sort,
    natural: Direction,
) -> (String, Option<Direction>) {
    let reversed = match natural {
        Direction::Ascending => Direction::Descending,
        Direction::Descending => Direction::Ascending,
    };
    let to = if query.sort == first { other } else { first };
    let direction = match query.sort {
        sort if sort == first => Some(natural),
        sort if sort == other => Some(reversed),
        _ => None,
    };
    (query.sorted(to), direction)
}

fn resource(viewer: &Viewer, line: &Line, found: &Found, csrf: &str) -> Markup {
    let one = &line.resource;
    let name = html! {
        a.break href=(Route::Resource(one.id)) { (one.name) }
        @if let Some(at) = one.ended_at {
            " " span.muted { "Ended " (day(at, &viewer.zone)) }
        }
    };
    let plan = html! { (line.plan.kind_name) (sub(Tone::Plain, &line.plan.name)) };
    let by = html! {
        span { (line.creator.label()) }
        @if line.holder.id != line.creator.id { " " span.sub { (now_of(&line.holder, viewer)) } }
    };
    let mut cells = vec![
        (Cell::Main, name),
        (Cell::Extra, plan),
        (
            Cell::Detail,
            person(&face(&line.creator, viewer), &html! { span { (by) } }),
        ),
        (
            Cell::Extra,
            html! { span.nowrap { (day(one.created_at, &viewer.zone)) } },
        ),
    ];
    if found.sum.is_some() {
        let amount = match line.cost {
            Some(cost) => html! { (viewer.money(cost)) },
            None => nothing("Not yours to see"),
        };
        cells.push((Cell::Amount, amount));
    }
    if viewer.may_manage() {
        let acts = Acts::of(one, viewer);
        let label = format!("Actions for {}", one.name);
        let menu = acts.as_ref().map(|acts| {
            let items = acts.menu();
            html! { (Menu { label: &label, csrf, items: &items }) }
        });
        cells.push((Cell::End, menu.unwrap_or_default()));
    }
    row(&cells)
}

fn pager(query: &Query, found: &Found) -> Markup {
    let first = query.offset() + 1;
    let last = query.offset() + found.lines.len();
    let previous = (query.page > 1).then(|| query.on_page(query.page - 1));
    let next = (last < found.total).then(|| query.on_page(query.page + 1));
    let whole = |number: usize| u64::try_from(number).unwrap_or_default();
    let sizes = PER.map(|size| {
        let address = Query {
            page: 1,
            per: size,
            ..query.clone()
        }
        .address();
        (format!("{size} rows"), address, size == query.per)
    });
    let sizes: Vec<View<'_>> = sizes
        .iter()
        .map(|(label, href, current)| View {
            label,
            count: None,
            href,
            current: *current,
        })
        .collect();
    html! {
        (Pager {
            first: whole(first),
            last: whole(last),
            total: whole(found.total),
            previous: previous.as_deref(),
            next: next.as_deref(),
        })
        @if found.total > PER[0] { div.row { (segmented("Rows of a page", &sizes)) } }
    }
}

/// Filtered to nothing is not the same as empty.
fn nothing_found(query: &Query, found: &Found) -> Markup {
    let everything = Route::Resources.to_string();
    if query.is_filtered() {
        let sentence = match (query.shown, found.counts) {
            (Shown::Running, Counts { ended: 1.., .. }) => {
                "Nothing that runs has all that you asked for. Something that has ended does."
            }
            (Shown::Ended, Counts { running: 1.., .. }) => {
                "Nothing that has ended has all that you asked for. Something that runs does."
            }
            _ => "Nothing here has all that you asked for.",
        };
        return empty(
            Icon::Server,
            "No resources match",
            sentence,
            Some(&html! { (Button::link("Clear filters", &everything)) }),
        );
    }
    if query.shown == Shown::Ended {
        return empty(
            Icon::Server,
            "Nothing has ended",
            "What is ended stays listed here, with what it has cost.",
            Some(&html! { (Button::link("Show what runs", &everything)) }),
        );
    }
    let ended = query.showing(Shown::Ended);
    empty(
        Icon::Server,
        "Nothing runs now",
        "All that there was has ended, and costs nothing any more.",
        Some(&html! { (Button::link("Show what has ended", &ended)) }),
    )
}

/// What will be here, and who makes it so.
fn nothing_yet(viewer: &Viewer, new: &str) -> Markup {
    if viewer.currency.is_none() {
        return no_catalogue();
    }
    if viewer.may_manage() {
        let create = html! { (Button::link("Create resource", new)) };
        return empty(
            Icon::Server,
            "Nothing yet",
            &format!(
                "Create the first resource: it says what it costs, and from then on stands on the bill of {}.",
                viewer.organisation
            ),
            Some(&create),
        );
    }
    empty(
        Icon::Server,
        "Nothing yet",
        "Resources appear here once an Admin or a Master creates one.",
        None,
    )
}

/// Before the first import, on the list and where one would be created.
pub(super) fn no_catalogue() -> Markup {
    empty(
        Icon::Server,
        "No catalogue yet",
        "The operator of this server says what can be had, and for how much, with “doorward catalogue import FILE”. \
         Resources can be created after that.",
        None,
    )
}
