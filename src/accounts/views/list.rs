//! The list of accounts.

use maud::{Markup, html};

use super::{Acts, Viewer, address, face, invited_by, last_seen, status, tags};
use crate::accounts::{Account, Counts, DELETED, Filter, Line, Sort, Status};
use crate::domain::role::Role;
use crate::kit::html::Tone;
use crate::kit::html::badge::nothing;
use crate::kit::html::button::Button;
use crate::kit::html::form::hidden;
use crate::kit::html::icon::Icon;
use crate::kit::html::menu::Menu;
use crate::kit::html::nav::{View, filter, search, segmented, toolbar};
use crate::kit::html::notice::{empty, note};
use crate::kit::html::pages::Pager;
use crate::kit::html::person::person;
use crate::kit::html::table::{Cell, Column, Direction, Shape, Table, row};
use crate::kit::http::fields::encode;
use crate::routes::Route;

/// The field that filters by the second factor, and its two values.
const TWO_FACTOR_FIELD: &str = "two_factor";
const ON: &str = "on";
const OFF: &str = "off";
const FACTORS: [(&str, &str); 3] = [
    ("", "Any sign-in"),
    (ON, "Two-factor on"),
    (OFF, "No two-factor"),
];
/// The longest text that is searched for: as long as an address can be.
const TEXT_MAX: usize = 254;
/// Rows of one page.
const PER: [i64; 2] = [25, 50];
/// No list is longer; keeps the arithmetic small whatever the address says.
const PAGE_MAX: i64 = 1_000_000;

/// What the address of the list says: which accounts, in what order, which page of how many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which, and in what order.
    pub filter: Filter,
    /// From 1.
    pub page: i64,
    /// Rows of one page.
    pub per: i64,
}

impl Query {
    /// Reads it. What it does not know is ignored, and numbers are brought into their range: never an error.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = get("q").map(|text| text.trim().chars().take(TEXT_MAX).collect::<String>());
        let number = |name| get(name).and_then(|text| text.parse::<i64>().ok());
        let status = get("status");
        let filter = Filter {
            text: text.filter(|text| !text.is_empty()),
            status: ["active", "pending", "disabled", DELETED]
                .into_iter()
                .find(|known| status.as_deref() == Some(*known)),
            role: get("role").and_then(|key| key.parse().ok()),
            two_factor: get(TWO_FACTOR_FIELD).and_then(|slug| match slug.as_str() {
                ON => Some(true),
                OFF => Some(false),
                _ => None,
            }),
            sort: get("sort")
                .and_then(|key| Sort::ALL.into_iter().find(|sort| sort.key() == key))
                .unwrap_or_default(),
        };
        let [few, many] = PER;
        Self {
            filter,
            page: number("page").unwrap_or(1).clamp(1, PAGE_MAX),
            per: if number("per").is_some_and(|per| per > few) {
                many
            } else {
                few
            },
        }
    }

    /// The same, on the last page that has rows.
    #[must_use]
    pub fn within(self, total: i64) -> Self {
        let last = total.max(1).saturating_add(self.per - 1) / self.per;
        Self {
            page: self.page.min(last),
            ..self
        }
    }

    /// How many rows come before this page.
    #[must_use]
    pub const fn offset(&self) -> i64 {
        (self.page - 1).saturating_mul(self.per)
    }

    /// Where this list is.
    #[must_use]
    pub fn address(&self) -> String {
        let (page, per) = (self.page.to_string(), self.per.to_string());
        let Filter {
            text,
            status,
            role,
            two_factor,
            sort,
        } = &self.filter;
        let parts: Vec<String> = [
            ("q", text.as_deref().unwrap_or_default()),
            ("status", status.unwrap_or_default()),
            ("role", role.map_or("", Role::key)),
            (TWO_FACTOR_FIELD, two_factor_slug(*two_factor)),
            (
                "sort",
                if *sort == Sort::default() {
                    ""
                } else {
                    sort.key()
                },
            ),
            ("page", if self.page == 1 { "" } else { &page }),
            ("per", if self.per == PER[0] { "" } else { &per }),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
        if parts.is_empty() {
            return Route::Accounts.to_string();
        }
        format!("{}?{}", Route::Accounts, parts.join("&"))
    }

    const fn is_filtered(&self) -> bool {
        self.filter.text.is_some()
            || self.filter.status.is_some()
            || self.filter.role.is_some()
            || self.filter.two_factor.is_some()
    }

    /// The first page of another list.
    fn with(&self, filter: Filter) -> String {
        Self {
            filter,
            page: 1,
            per: self.per,
        }
        .address()
    }

    fn on_page(&self, page: i64) -> String {
        Self {
            page,
            ..self.clone()
        }
        .address()
    }
}

/// The filter by the second factor, as the address says it.
const fn two_factor_slug(two_factor: Option<bool>) -> &'static str {
    match two_factor {
        Some(true) => ON,
        Some(false) => OFF,
        None => "",
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The lines of this page.
    pub lines: Vec<Line>,
    /// How many lines all pages have.
    pub total: i64,
    /// How many accounts the organisation has, of the role and the second factor that are asked for.
    pub counts: Counts,
    /// How many Active accounts of the whole organisation have no second factor.
    pub unprotected: i64,
    /// Whether every role is asked for one already.
    pub is_required: bool,
    /// How many accounts of it are deleted.
    pub deleted: i64,
}

/// The list, its filters and its pages.
#[must_use]
pub fn index(viewer: &Viewer, query: &Query, found: &Found, csrf: &str) -> Markup {
    html! {
        @if found.unprotected > 0 && query.filter.two_factor.is_none() {
            (password_alone(viewer, query, found))
        }
        (filters(query, &found.counts))
        @if found.lines.is_empty() {
            (nobody())
        } @else {
            @if viewer.may_manage() { (selection(query, csrf)) }
            (table(viewer, query, &found.lines, csrf))
            (pager(query, found))
            @if found.total == 1 && !query.is_filtered() { (only_you(viewer)) }
        }
        (deleted(query, found))
    }
}

/// The weakest link, counted: who signs in with a password alone, and what to do about it.
fn password_alone(viewer: &Viewer, query: &Query, found: &Found) -> Markup {
    let (who, them) = match found.unprotected {
        1 => ("1 account signs in".to_owned(), "it"),
        count => (format!("{count} accounts sign in"), "them"),
    };
    let list = Query {
        filter: Filter {
            two_factor: Some(false),
            sort: query.filter.sort,
            ..Filter::default()
        },
        page: 1,
        per: query.per,
    };
    let policy = format!("{}#security", Route::Settings);
    note(
        Tone::Warn,
        &html! {
            p {
                (who) " with a password alone. " a href=(list.address()) { "Show " (them) }
                @match (viewer.may_decide(), found.is_required) {
                    (false, _) => { "." }
                    (true, false) => { " or " a href=(policy) { "require two-factor…" } }
                    (true, true) => { " or " a href=(policy) { "see when it is required" } "." }
                }
            }
        },
    )
}

fn filters(query: &Query, counts: &Counts) -> Markup {
    let mut roles = vec![("", "Any permission")];
    roles.extend(
        Role::ALL
            .iter()
            .rev()
            .map(|role| (role.key(), role.label())),
    );
    let links: Vec<(&str, Option<i64>, String, bool)> = [
        ("All", None, None),
        ("Active", Some("active"), Some(counts.active)),
        ("Pending", Some("pending"), Some(counts.pending)),
        ("Disabled", Some("disabled"), Some(counts.disabled)),
    ]
    .into_iter()
    .map(|(label, status, count)| {
        let href = query.with(Filter {
            status,
            ..query.filter.clone()
        });
        (label, count, href, query.filter.status == status)
    })
    .collect();
    let views: Vec<View<'_>> = links
        .iter()
        .map(|(label, count, href, current)| View {
            label,
            count: count.and_then(|count| u64::try_from(count).ok()),
            href,
            current: *current,
        })
        .collect();
    let text = query.filter.text.as_deref().unwrap_or_default();
    let body = html! {
        (search("q", "Name or email", text))
        (filter("role", "Permission", &roles, query.filter.role.map_or("", Role::key)))
        (filter(TWO_FACTOR_FIELD, "Two-factor", &FACTORS, two_factor_slug(query.filter.two_factor)))
        (segmented("Status", &views))
        @if let Some(status) = query.filter.status { (hidden("status", status)) }
        @if query.filter.sort != Sort::default() { (hidden("sort", query.filter.sort.key())) }
        @if query.per != PER[0] { (hidden("per", &query.per.to_string())) }
    };
    toolbar(&Route::Accounts.to_string(), &body)
}

/// The form that all ticks of the list belong to, wherever they stand: what is done to those that are ticked.
const SELECTED: &str = "selected";

/// The bar above the list: how many are ticked, and what can be done to them together.
fn selection(query: &Query, csrf: &str) -> Markup {
    let deeds = [
        ("resend", "Resend invitation"),
        ("disable", "Disable…"),
        ("sign-out", "Sign out everywhere"),
    ];
    html! {
        form.row.selection id=(SELECTED) method="post" action=(Route::SelectedAccounts) aria-label="Selected accounts" {
            (hidden("csrf", csrf))
            (hidden("from", &query.address()))
            label.pick.scripted for="all" {
                input type="checkbox" id="all" data-all="account";
                span { "Select all on this page" }
            }
            span.muted.unscripted { "With the ticked accounts:" }
            span.muted.scripted role="status" data-count="account" { "None selected" }
            span.row {
                @for (key, label) in deeds {
                    (Button::submit(label, "Opening…").plain().small().named("deed", key))
                }
            }
        }
    }
}

/// The tick of one line, which belongs to the bar's form.
fn tick(account: &Account) -> Markup {
    html! {
        @let id = format!("tick-{}", account.id);
        label.pick for=(id) {
            input type="checkbox" id=(id) name="account" value=(account.id) form=(SELECTED);
            span.vh { "Select " (account.label()) }
        }
    }
}

fn table(viewer: &Viewer, query: &Query, lines: &[Line], csrf: &str) -> Markup {
    let (name, name_direction) =
        heading(query, Sort::Name, Sort::NameBackwards, Direction::Ascending);
    let (seen, seen_direction) = heading(query, Sort::Seen, Sort::Unseen, Direction::Descending);
    let columns = [
        Column::new(Cell::Main, "Name").sorted(&name, name_direction),
        Column::new(Cell::Detail, "Email"),
        Column::new(Cell::Wide, "Phone"),
        Column::new(Cell::Aside, "Permission"),
        Column::new(Cell::State, "Status"),
        Column::new(Cell::Extra, "Last active").sorted(&seen, seen_direction),
        Column::new(Cell::End, "Actions"),
    ];
    let rows = html! {
        @for line in lines { (account(viewer, line, csrf)) }
    };
    html! { (Table { caption: "Accounts", shape: Shape::Cards, columns: &columns, rows, foot: None }) }
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
    let sort = query.filter.sort;
    let to = if sort == first { other } else { first };
    let direction = match sort {
        _ if sort == first => Some(natural),
        _ if sort == other => Some(reversed),
        _ => None,
    };
    (
        query.with(Filter {
            sort: to,
            ..query.filter.clone()
        }),
        direction,
    )
}

fn account(viewer: &Viewer, line: &Line, csrf: &str) -> Markup {
    let account = &line.account;
    let href = Route::Account(account.id);
    let name = match (&account.name, account.status) {
        (Some(name), _) => html! { a.clip href=(href) { (name.as_str()) } },
        (None, Status::Pending) => html! { span class="muted clip" { (invited_by(line)) } },
        (None, _) => html! { a.clip href=(href) { (account.label()) } },
    };
    let email = match account.name {
        Some(_) => address(account),
        // Who has no name yet is known by the address.
        None => html! { a href=(href) { (address(account)) } },
    };
    let phone = match &account.phone {
        Some(phone) => html! { span.nowrap { (phone.spaced()) } },
        None => nothing("No phone"),
    };
    let acts = Acts::of(line, viewer);
    let menu = Menu {
        label: &format!("Actions for {}", account.label()),
        csrf,
        items: &acts.menu(),
    };
    row(&[
        (
            Cell::Main,
            html! {
                @if viewer.may_manage() { (tick(account)) }
                (person(
                    &face(account, viewer),
                    &html! { (name) (tags(account, viewer)) },
                ))
            },
        ),
        (Cell::Detail, email),
        (Cell::Wide, phone),
        (Cell::Aside, html! { (account.role.label()) }),
        (Cell::State, status(line, viewer)),
        (
            Cell::Extra,
            html! { span.nowrap { (last_seen(account, viewer)) } },
        ),
        (Cell::End, html! { (menu) }),
    ])
}

fn pager(query: &Query, found: &Found) -> Markup {
    let (Query { page, per, .. }, total) = (query, found.total);
    let shown = i64::try_from(found.lines.len()).unwrap_or_default();
    let first = query.offset() + 1;
    let last = query.offset() + shown;
    let previous = (*page > 1).then(|| query.on_page(page - 1));
    let next = (last < total).then(|| query.on_page(page + 1));
    let whole = |number: i64| u64::try_from(number).unwrap_or_default();
    let sizes = PER.map(|size| {
        let address = Query {
            page: 1,
            per: size,
            ..query.clone()
        }
        .address();
        (format!("{size} rows"), address, size == *per)
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
            total: whole(total),
            previous: previous.as_deref(),
            next: next.as_deref(),
        })
        @if total > PER[0] { div.row { (segmented("Rows of a page", &sizes)) } }
    }
}

/// The way to what deleted accounts left, and back.
fn deleted(query: &Query, found: &Found) -> Markup {
    let list = |status| {
        query.with(Filter {
            status,
            two_factor: None,
            ..query.filter.clone()
        })
    };
    let words = match found.deleted {
        1 => "1 deleted account".to_owned(),
        count => format!("{count} deleted accounts"),
    };
    html! {
        @if query.filter.status == Some(DELETED) {
            p.hint { "These accounts are deleted. " a href=(list(None)) { "Show accounts that are there" } }
        } @else if found.deleted > 0 {
            p.hint { a href=(list(Some(DELETED))) { "Show " (words) } }
        }
    }
}

/// Filtered to nothing is not the same as empty.
fn nobody() -> Markup {
    empty(
        Icon::Users,
        "No accounts match",
        "Nobody here has all that you asked for.",
        Some(&html! { (Button::link("Clear filters", &Route::Accounts.to_string())) }),
    )
}

fn only_you(viewer: &Viewer) -> Markup {
    let new = Route::NewAccount.to_string();
    let create = viewer
        .may_invite()
        .then(|| html! { (Button::dialog("Create account", &new)) });
    empty(
        Icon::UserRoundPlus,
        "Only you so far",
        "Give every teammate an account of their own: one person, one account, each with just the rights they need.",
        create.as_ref(),
    )
}
