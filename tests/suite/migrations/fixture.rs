//! The files of each schema, laid into a data folder; and what a file holds, to be compared.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use doorward::kit::time::Timestamp;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A file made by the program of its time.
#[derive(Debug)]
pub(super) struct Fixture {
    /// Its schema.
    pub(super) version: i64,
    sql: &'static str,
    key: &'static str,
    facts: &'static str,
}

/// One for each schema, the oldest first.
pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        version: 3,
        sql: include_str!("0003.sql"),
        key: include_str!("0003.key"),
        facts: include_str!("0003.facts"),
    },
    Fixture {
        version: 4,
        sql: include_str!("0004.sql"),
        key: include_str!("0004.key"),
        facts: include_str!("0004.facts"),
    },
    Fixture {
        version: 5,
        sql: include_str!("0005.sql"),
        key: include_str!("0005.key"),
        facts: include_str!("0005.facts"),
    },
];

impl Fixture {
    /// A data folder as the program left it when it was stopped.
    pub(super) fn lay(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.lay_into(folder.path());
        folder
    }

    /// The same, in this folder.
    pub(super) fn lay_into(&self, folder: &Path) {
        drop(self.open(folder));
    }

    /// The same, as a kill left it: what was written last stands in the log, which lies beside.
    pub(super) fn lay_killed_into(&self, folder: &Path) {
        let around = tempfile::tempdir().unwrap();
        let conn = self.open(around.path());
        conn.execute_batch("UPDATE install SET probe = probe + 1")
            .unwrap();
        for name in [
            "secret.key",
            "doorward.db",
            "doorward.db-wal",
            "doorward.db-shm",
        ] {
            fs::copy(around.path().join(name), folder.join(name)).unwrap();
        }
    }

    /// What somebody holds who was there.
    pub(super) fn fact(&self, name: &str) -> &'static str {
        let fact = self
            .facts
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .find(|(known, _)| *known == name);
        fact.unwrap_or_else(|| panic!("{name} is not known")).1
    }

    /// When the program was stopped.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.fact("at").parse().unwrap())
    }

    fn open(&self, folder: &Path) -> Connection {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
        let private = |name: &str, bytes: &str| {
            let path = folder.join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            path
        };
        private("secret.key", self.key);
        let conn = Connection::open(private("doorward.db", "")).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        conn.execute_batch(self.sql).unwrap();
        conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
            .unwrap();
        conn
    }
}

/// Columns that a later schema added to a table that was there.
const ADDED: [&str; 3] = ["domains", "started_at", "ordinal"];

/// The rows of each table, in whatever order, in one number; without what an upgrade itself writes down.
pub(super) fn digests(conn: &Connection) -> BTreeMap<String, String> {
    let mut names = conn
        // The words of events are made of the events.
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'audit_index%'",
        )
        .unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    names
        .map(|name| {
            let name = name.unwrap();
            let digest = digest(conn, &name);
            (name, digest)
        })
        .collect()
}

fn digest(conn: &Connection, table: &str) -> String {
    let own = match table {
        "audit_events" => "WHERE action <> 'schema.upgraded'",
        // The head of the chain that the record stands in moves with it; `audit verify` compares it.
        "audit_heads" => "WHERE chain_id <> 0",
        "backups" => "WHERE cause <> 'upgrade'",
        _ => "",
    };
    let mut statement = conn
        .prepare(&format!("SELECT * FROM \"{table}\" {own}"))
        .unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        // By their names: a table that was built anew may have them in another order.
        let mut fields: Vec<String> = columns
            .iter()
            .enumerate()
            .filter(|(_, name)| !ADDED.contains(&name.as_str()))
            .map(|(at, name)| match row.get_ref(at).unwrap() {
                ValueRef::Null => format!("{name} null"),
                ValueRef::Integer(number) => format!("{name} {number}"),
                ValueRef::Real(number) => format!("{name} {number:?}"),
                ValueRef::Text(text) => format!("{name} text {text:?}"),
                ValueRef::Blob(blob) => format!("{name} blob {blob:?}"),
            })
            .collect();
        fields.sort();
        all.push(fields);
    }
    all.sort();
    let digest = Sha256::digest(format!("{all:?}"));
    format!(
        "{} rows {}",
        all.len(),
        data_encoding::HEXLOWER.encode(&digest)
    )
}

/// Everything the schema consists of; the text without what SQLite may write otherwise: whitespace, comments, quotes.
pub(super) fn schema(conn: &Connection) -> BTreeMap<String, String> {
    let mut all = conn
        .prepare("SELECT type || ' ' || name || ' on ' || tbl_name, coalesce(sql, '') FROM sqlite_schema")
        .unwrap();
    let rows = all
        .query_map([], |row| {
            Ok((row.get(0)?, plain(&row.get::<_, String>(1)?)))
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn plain(sql: &str) -> String {
    let lines = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    let words: Vec<String> = lines.map(|line| line.replace('"', "")).collect();
    words
        .join(" ")
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect()
}

#[test]
fn a_changed_row_and_a_changed_column_are_told() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("CREATE TABLE a (x, y); INSERT INTO a VALUES (1, '1'), (NULL, x'31')")
        .unwrap();
    let before = (digests(&conn), schema(&conn));
    for change in [
        "UPDATE a SET x = '1' WHERE x = 1",
        "UPDATE a SET x = 0 WHERE x IS NULL",
        "DELETE FROM a WHERE x IS NULL",
        "INSERT INTO a SELECT * FROM a LIMIT 1",
    ] {
        conn.execute_batch(&format!("BEGIN; {change}")).unwrap();
        assert_ne!(digests(&conn), before.0, "{change}");
        conn.execute_batch("ROLLBACK").unwrap();
    }
    conn.execute_batch("CREATE TABLE b (y, x); INSERT INTO b SELECT y, x FROM a; DROP TABLE a; ALTER TABLE b RENAME TO a").unwrap();
    assert_eq!(digests(&conn), before.0);
    assert_ne!(schema(&conn), before.1);
    conn.execute_batch("DROP TABLE a; CREATE TABLE \"a\" (x,  -- why\n y)")
        .unwrap();
    assert_eq!(schema(&conn), before.1);
}
