use rusqlite::Connection;

use super::*;

const SCHEMA: &str = include_str!("../../../schema.sql");

/// Every filter, in every order.
fn filters() -> Vec<Filter> {
    let mut all = Vec::new();
    for sort in Sort::ALL {
        for status in [None, Some("active"), Some("pending"), Some("disabled")] {
            for role in [None, Some(Role::Member), Some(Role::Master)] {
                all.push(Filter {
                    text: None,
                    status,
                    role,
                    sort,
                });
            }
        }
    }
    all
}

fn plan(conn: &Connection, sql: &str) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let unbound = vec![rusqlite::types::Null; statement.parameter_count()];
    let rows = statement.query_map(rusqlite::params_from_iter(unbound), |row| {
        row.get::<_, String>(3)
    });
    let steps: Vec<String> = rows.unwrap().map(std::result::Result::unwrap).collect();
    steps.join("; ")
}

#[test]
fn a_page_reads_one_index_alone_and_sorts_nothing_that_it_can_walk() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    for filter in filters() {
        for from in [End::First, End::Last] {
            let walked = plan(&conn, &filter.page(filter.sort.index(), from));
            assert!(walked.contains("COVERING INDEX"), "{filter:?}: {walked}");
            assert!(!walked.contains("TEMP"), "{filter:?}: {walked}");
            let sorted = plan(&conn, &filter.page(BY_STATUS, from));
            assert!(sorted.contains("COVERING INDEX"), "{filter:?}: {sorted}");
            let is_whole = filter.status.is_some() && filter.role.is_some();
            if is_whole && filter.sort.index() == "accounts_by_seen" {
                assert!(!sorted.contains("TEMP"), "{filter:?}: {sorted}");
            }
            for (part, column) in [
                (filter.status.is_some(), "status=?"),
                (filter.role.is_some(), "role=?"),
            ] {
                assert_eq!(
                    sorted.contains(column),
                    part || (column == "status=?" && filter.role.is_some()),
                    "{filter:?}: {sorted}"
                );
            }
        }
    }
}

#[test]
fn a_search_reads_one_index_alone() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    for filter in filters() {
        let found = plan(&conn, &filter.hits(BY_STATUS));
        assert!(found.contains("COVERING INDEX"), "{filter:?}: {found}");
        if filter.sort.is_by_name() {
            let found = plan(&conn, &filter.hits(BY_NAME));
            assert!(found.contains("COVERING INDEX"), "{filter:?}: {found}");
            assert!(!found.contains("TEMP"), "{filter:?}: {found}");
        } else {
            assert!(!found.contains("TEMP"), "{filter:?}: {found}");
        }
    }
}

#[test]
fn a_page_beyond_the_last_begins_where_the_last_does() {
    for (offset, rows, total, expected) in [
        (0, 25, 0, 0),
        (25, 25, 0, 0),
        (25, 25, 25, 0),
        (25, 25, 26, 25),
        (i64::MAX, 25, 26, 25),
        (-25, 25, 26, 0),
        (50, 50, 100, 50),
    ] {
        assert_eq!(start(offset, rows, total), expected, "{offset} of {total}");
    }
}

#[test]
fn places_of_a_sorted_whole_are_found_without_sorting_it() {
    let shuffled: Vec<i64> = (0..100).map(|number| number * 37 % 100).collect();
    for first in [0, 1, 25, 75, 99, 100] {
        for end in [first, 100.min(first + 25), 100] {
            let mut all = shuffled.clone();
            let expected: Vec<i64> = (0..100).skip(first).take(end - first).collect();
            assert_eq!(slice(&mut all, first, end, i64::cmp), expected);
        }
    }
}

#[test]
fn letters_are_found_in_either_case_and_signs_are_themselves() {
    let is_found = |text: &str, name: &str| {
        let conn = Connection::open_in_memory().unwrap();
        let needle = Needle::new(text);
        let fits: bool = conn
            .query_row(
                "SELECT ?1 LIKE ?2 ESCAPE '\\'",
                (name, &needle.pattern),
                |row| row.get(0),
            )
            .unwrap();
        fits && needle.is_in(Some(name))
    };
    for (text, name) in [
        ("ann", "JOHANNA"),
        ("ødegård", "Kari ØDEGÅRD"),
        ("ØDE", "kari ødegård"),
        ("οδος", "ΟΔΟΣ"),
        ("ΟΔΟΣ", "οδος"),
        ("жанна", "Жанна"),
        ("李", "李小龍"),
        ("100%_é\\", "a 100%_É\\ b"),
    ] {
        assert!(is_found(text, name), "{text} in {name}");
    }
    for (text, name) in [
        ("ø", "oslo"),
        ("å", "Kari"),
        ("_", "Kari"),
        ("%", "Kari"),
        ("ø_", "Kari Ødegård"),
        ("李", "王小龍"),
        ("\\", "Kari"),
    ] {
        assert!(!is_found(text, name), "{text} in {name}");
    }
}
