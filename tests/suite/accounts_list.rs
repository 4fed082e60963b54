//! The list of accounts is what its address says: beside a plain one that sorts and filters everything in memory.

use std::cmp::{Ordering, Reverse};
use std::fmt::Write as _;

use doorward::accounts::{self, Filter, Sort};
use doorward::domain::role::Role;
use doorward::scope::{Allowed, ListAccounts};

use crate::portal::Portal;
use crate::visitor::Visitor;

/// More than are sorted at once, of one role and of one status, so that every way to a page is gone.
const CROWD: u64 = 9_000;
const STATUSES: [Option<&str>; 4] = [None, Some("active"), Some("pending"), Some("disabled")];
const TWO_FACTOR: [Option<bool>; 3] = [None, Some(true), Some(false)];
const NAMES: [&str; 12] = [
    "Ada Berg",
    "ada berg",
    "ADA BERG",
    "Kari Ødegård",
    "KARI ØDEGÅRD",
    "Жанна Ким",
    "李小龍",
    "100% _sure_",
    "Zoë",
    "zoe",
    "Éa",
    "\\o/ Bo",
];

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Accounts of every kind, with few names and few instants, so that many are equal.
fn crowd(portal: &Portal, organisation: i64, domain: &str, count: u64) {
    let mut dice = Dice(organisation.unsigned_abs());
    let mut script = String::from("BEGIN;");
    for number in 1..=count {
        let id = dice.roll(1 << 30) << 20 | number;
        let role = Role::ALL
            [usize::try_from([0, 0, 0, 0, 0, 1, 1, 2, 3][dice.roll(9) as usize]).unwrap()]
        .key();
        let name = NAMES[dice.roll(12) as usize];
        let created = dice.roll(7);
        let (email, seen) = (
            format!("'P{number}_x@{domain}'").to_lowercase(),
            dice.roll(9),
        );
        let seen = if seen == 0 {
            "NULL".to_owned()
        } else {
            seen.to_string()
        };
        let factor = dice.roll(2);
        let values = match dice.roll(10) {
            0 => {
                format!("'pending', '{role}', {email}, NULL, {created}, NULL, NULL, NULL, NULL, 0")
            }
            1 => format!(
                "'disabled', '{role}', {email}, '{name}', {created}, 1, 5, NULL, {seen}, {factor}"
            ),
            2 => format!("'deleted', '{role}', NULL, '{name}', {created}, 1, NULL, 9, {seen}, 0"),
            _ => format!(
                "'active', '{role}', {email}, '{name}', {created}, 1, NULL, NULL, {seen}, {factor}"
            ),
        };
        write!(
            script,
            "INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, activated_at, disabled_at,
               deleted_at, last_seen_at, two_factor, role_at) VALUES ({id}, {organisation}, {values}, 1);"
        )
        .unwrap();
    }
    portal.tamper(&(script + "COMMIT;"));
}

/// What a list looks at.
struct Row {
    id: i64,
    status: String,
    role: String,
    email: String,
    name: Option<String>,
    created_at: i64,
    seen_at: Option<i64>,
    has_two_factor: bool,
}

/// Everybody of an organisation but the deleted.
fn everybody(portal: &Portal, organisation: i64) -> Vec<Row> {
    let conn = rusqlite::Connection::open(portal.file()).unwrap();
    let mut statement = conn
        .prepare(
            "SELECT id, status, role, email, name, created_at, last_seen_at, two_factor FROM accounts NOT INDEXED
              WHERE organisation_id = ?1 AND status <> 'deleted'",
        )
        .unwrap();
    let rows = statement.query_map([organisation], |row| {
        Ok(Row {
            id: row.get(0)?,
            status: row.get(1)?,
            role: row.get(2)?,
            email: row.get(3)?,
            name: row.get(4)?,
            created_at: row.get(5)?,
            seen_at: row.get(6)?,
            has_two_factor: row.get(7)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The plain way: all ids that a filter leaves, in order.
fn plainly(rows: &[Row], filter: &Filter) -> Vec<i64> {
    let folded = |text: &str| text.to_lowercase();
    let mut left: Vec<&Row> = rows
        .iter()
        .filter(|row| {
            let holds = |text: &str| {
                let text = folded(text);
                folded(&row.email).contains(&text)
                    || row
                        .name
                        .as_ref()
                        .is_some_and(|name| folded(name).contains(&text))
            };
            filter.status.is_none_or(|status| row.status == status)
                && filter.role.is_none_or(|role| row.role == role.key())
                && filter
                    .two_factor
                    .is_none_or(|wanted| row.status == "active" && row.has_two_factor == wanted)
                && filter.text.as_deref().is_none_or(holds)
        })
        .collect();
    let by_name = |a: &&Row, b: &&Row| -> Ordering {
        let key = |row: &Row| {
            (
                row.name.as_ref().map(|name| name.to_ascii_lowercase()),
                row.email.clone(),
            )
        };
        key(a).cmp(&key(b))
    };
    match filter.sort {
        Sort::Seen => left.sort_by_key(|row| Reverse((row.seen_at, row.id))),
        Sort::Unseen => left.sort_by_key(|row| (row.seen_at, row.id)),
        Sort::Name => left.sort_by(by_name),
        Sort::NameBackwards => left.sort_by(|a, b| by_name(b, a)),
        Sort::Created => left.sort_by_key(|row| Reverse((row.created_at, row.id))),
    }
    left.iter().map(|row| row.id).collect()
}

/// Each order of all, of those with a second factor, and of those without.
fn every_order() -> impl Iterator<Item = (Sort, Option<bool>)> {
    Sort::ALL
        .into_iter()
        .flat_map(|sort| TWO_FACTOR.map(|two_factor| (sort, two_factor)))
}

/// One list by the portal's own code, and whoever asks for it.
struct Asked<'p> {
    portal: &'p Portal,
    by: Allowed<ListAccounts>,
    filter: Filter,
}

impl Asked<'_> {
    /// Looks at this page of it and of what is expected, and at the total.
    #[track_caller]
    fn compare(&self, expected: &[i64], page: usize, per: usize) {
        let (app, filter) = (self.portal.app(), &self.filter);
        let (offset, rows) = ((page - 1).saturating_mul(per), i64::try_from(per).unwrap());
        let offset = i64::try_from(offset).unwrap();
        let (lines, total) = app
            .read(app.now(), |read| {
                Ok(accounts::list(read, &self.by, filter, offset, rows)?)
            })
            .unwrap();
        let ids: Vec<i64> = lines.iter().map(|line| line.account.id.number()).collect();
        let last = expected.len().div_ceil(per).max(1);
        let start = (page.min(last) - 1) * per;
        let end = expected.len().min(start + per);
        assert_eq!(
            usize::try_from(total).unwrap(),
            expected.len(),
            "{filter:?}"
        );
        assert_eq!(ids, expected[start..end], "page {page} of {filter:?}");
    }
}

#[test]
fn every_page_of_every_list_is_what_sorting_everybody_gives() {
    let portal = Portal::start();
    let owner = portal.owner();
    let other = portal.organisation("Other");
    let (ours, theirs) = (portal.first().number(), portal.named("Other").number());
    crowd(&portal, ours, "fjord.example", CROWD);
    crowd(&portal, theirs, "other.example", 60);
    let mut dice = Dice(1);
    let mut compared = 0;
    for (visitor, organisation) in [(&owner, ours), (&other, theirs)] {
        let rows = everybody(&portal, organisation);
        assert!(rows.len() > 50);
        for status in STATUSES {
            for role in [
                None,
                Some(Role::Member),
                Some(Role::Billing),
                Some(Role::Admin),
                Some(Role::Master),
            ] {
                for (sort, two_factor) in every_order() {
                    let filter = Filter {
                        text: None,
                        status,
                        role,
                        two_factor,
                        sort,
                    };
                    let expected = plainly(&rows, &filter);
                    let asked = Asked {
                        portal: &portal,
                        by: visitor.allowed(),
                        filter,
                    };
                    let last = expected.len().div_ceil(25).max(1);
                    let anywhere = 1 + usize::try_from(dice.roll(last as u64)).unwrap();
                    for page in [
                        1,
                        2,
                        last / 2 + 1,
                        anywhere,
                        last.saturating_sub(1).max(1),
                        last,
                        last + 7,
                        1_000_000,
                    ] {
                        asked.compare(&expected, page, 25);
                        compared += 1;
                    }
                    asked.compare(&expected, anywhere, 50);
                }
            }
        }
    }
    assert_eq!(compared, 2 * 4 * 5 * 5 * 3 * 8);
}

#[test]
fn every_search_is_what_looking_at_everybody_finds() {
    let portal = Portal::start();
    let owner = portal.owner();
    let organisation = portal.first().number();
    crowd(&portal, organisation, "fjord.example", CROWD);
    portal.organisation("Other");
    let rows = everybody(&portal, organisation);
    let mut dice = Dice(2);
    for (text, is_found) in [
        ("fjord", true),
        ("FJORD.Example", true),
        ("ada", true),
        ("p4711_", true),
        ("1_x", true),
        ("%", true),
        ("_", true),
        ("\\", true),
        ("ødegård", true),
        ("ØDEG", true),
        ("é", true),
        ("жаННа", true),
        ("小", true),
        ("zoë", true),
        ("nobody", false),
        ("%o", false),
        ("ø_", false),
        ("'", false),
        ("other.example", false),
    ] {
        let mut found = 0;
        for _ in 0..6 {
            let filter = Filter {
                text: Some(text.to_owned()),
                status: STATUSES[dice.roll(8) as usize % 4].filter(|_| found > 0),
                role: Role::ALL
                    .get(dice.roll(9) as usize)
                    .copied()
                    .filter(|_| found > 0),
                two_factor: TWO_FACTOR[dice.roll(5) as usize % 3].filter(|_| found > 0),
                sort: Sort::ALL[dice.roll(5) as usize],
            };
            let expected = plainly(&rows, &filter);
            let asked = Asked {
                portal: &portal,
                by: owner.allowed(),
                filter,
            };
            let last = expected.len().div_ceil(25).max(1);
            for page in [1, last / 2 + 1, last, last + 1] {
                asked.compare(&expected, page, 25);
            }
            found += expected.len();
        }
        assert_eq!(found > 0, is_found, "{text}");
    }
}

/// Every address of the list that the page links to.
fn links(visitor: &Visitor) -> Vec<String> {
    visitor
        .html()
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(link, _)| link.replace("&amp;", "&"))
        .filter(|link| link.starts_with("/iam/accounts?"))
        .collect()
}

#[test]
fn the_address_holds_the_whole_list_in_one_spelling() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    crowd(&portal, portal.first().number(), "fjord.example", 400);
    owner.get(
        "/iam/accounts?q=p&status=active&role=member&two_factor=off&sort=-name&page=2&per=25&limit=9&cursor=acc_b",
    );
    let once = links(&owner);
    // Whatever the order of the fields, and whatever else stands there, links are the same.
    owner.get("/iam/accounts?cursor=&two_factor=off&per=25&x=1&page=2&sort=-name&role=member&status=active&order=desc&q=p");
    assert_eq!(links(&owner), once);
    for link in &once {
        let (_, query) = link.split_once('?').unwrap();
        let names: Vec<&str> = query
            .split('&')
            .filter_map(|field| field.split('=').next())
            .collect();
        let known = ["q", "status", "role", "two_factor", "sort", "page", "per"];
        let in_order: Vec<&str> = known
            .into_iter()
            .filter(|name| names.contains(name))
            .collect();
        assert_eq!(names, in_order, "{link}");
        // A link is the address of what it leads to: that page links back to it by the same spelling.
        owner.get(link).answers(200);
    }
    let kept = ["q=p", "role=member", "two_factor=off", "sort=-name"];
    let pages: Vec<&String> = once.iter().filter(|link| link.contains("page=3")).collect();
    assert_eq!(pages.len(), 1);
    assert!(
        kept.iter().all(|field| pages[0].contains(field)) && pages[0].contains("status=active")
    );
    let wide: Vec<&String> = once.iter().filter(|link| link.contains("per=50")).collect();
    assert_eq!(wide.len(), 1);
    assert!(kept.iter().all(|field| wide[0].contains(field)) && !wide[0].contains("page="));
}

#[test]
fn a_list_that_holds_nobody_says_so_and_shows_the_way_back() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.organisation("Other");
    for query in [
        "q=owner%40other.example",
        "q=Otto",
        "status=disabled",
        "status=pending&role=master&page=4294967296",
        "q=olivia&role=billing&sort=name&per=50",
        "two_factor=on",
        "two_factor=off&status=pending",
        "two_factor=off&q=Otto",
    ] {
        owner
            .get(format!("/iam/accounts?{query}"))
            .answers(200)
            .sees("No accounts match")
            .sees("Clear filters")
            .sees_not("Otto");
        assert!(owner.html().contains("href=\"/iam/accounts\""), "{query}");
    }
}

#[test]
fn a_search_finds_letters_in_either_case_and_keeps_what_was_typed() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    crowd(&portal, portal.first().number(), "fjord.example", 12);
    portal.tamper("UPDATE accounts SET name = 'Åse Ødegård', status = 'active', activated_at = 1, email = 'ase@fjord.example',
        deleted_at = NULL, disabled_at = NULL WHERE id = (SELECT max(id) FROM accounts WHERE id & 1048575 = 1)");
    for typed in [
        "%C3%A5se+%C3%B8",
        "%C3%85SE",
        "ASE%40",
        "%C3%A5se%20%C3%98DEG%C3%85RD",
    ] {
        owner
            .get(format!("/iam/accounts?q={typed}&page=9"))
            .answers(200)
            .sees("1 to 1 of 1")
            .sees("Åse Ødegård");
    }
    assert!(owner.html().contains("value=\"åse ØDEGÅRD\""));
}
