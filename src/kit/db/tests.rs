use rusqlite::StatementStatus;

use super::*;
use crate::kit::random::SeededRandom;

const NOW: Timestamp = Timestamp(1_795_526_400);

/// A file with one table, open.
struct File {
    folder: tempfile::TempDir,
    db: Db,
    keys: Keys,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("doorward.db"), 2).unwrap();
        let file = Self {
            folder,
            db,
            keys: Keys::new([1; 32]),
        };
        file.write(|tx| {
            tx.script(
                "CREATE TABLE people (name TEXT UNIQUE COLLATE NOCASE, age INTEGER) STRICT;
                 CREATE INDEX people_by_age ON people (age)",
            )
        })
        .unwrap();
        file
    }

    fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let world = World {
            now: NOW,
            random: &SeededRandom::new(1),
            keys: &self.keys,
            mail_domain: "example.com",
        };
        self.db.write(world, work)
    }

    fn add(&self, name: &str) -> Result<usize> {
        self.write(|tx| tx.execute("INSERT INTO people VALUES (?1, 40)", [name]))
    }

    fn count(&self) -> i64 {
        let count = |read: &Read<'_>| read.get("SELECT count(*) FROM people", [], |row| row.get(0));
        self.db.read(NOW, count).unwrap()
    }

    fn connect(&self, role: pool::Role) -> Connection {
        pool::connect(&self.folder.path().join("doorward.db"), role).unwrap()
    }
}

#[test]
fn what_is_to_be_told_is_told_after_the_commit_or_never() {
    let file = File::new();
    let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let tell = |tx: &Tx<'_>, words: &'static str| {
        let told = std::rc::Rc::clone(&told);
        tx.once_committed(move || told.borrow_mut().push(words));
    };
    file.write(|tx| {
        tell(tx, "first");
        tell(tx, "second");
        assert!(told.borrow().is_empty(), "nothing is committed yet");
        Ok(())
    })
    .unwrap();
    let undone = file.write(|tx| {
        tell(tx, "never");
        Err::<(), _>(Error::Busy)
    });
    undone.unwrap_err();
    assert_eq!(*told.borrow(), ["first", "second"]);
}

#[test]
fn whoever_finds_it_taken_is_counted_and_its_sizes_are_told() {
    let file = File::new();
    assert_eq!(file.db.busy_count(), 0);
    let other = file.connect(pool::Role::Writer);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(file.add("Ann"), Err(Error::Busy)));
    assert_eq!(file.db.busy_count(), 1);
    other.execute_batch("COMMIT").unwrap();
    file.add("Ann").unwrap();
    assert_eq!(file.db.busy_count(), 1);
    let sizes = file.db.sizes().unwrap();
    assert!(sizes.wal > 0, "{sizes:?}");
    file.db.checkpoint().unwrap();
    assert_eq!(file.db.sizes().unwrap().wal, 0);
}

#[test]
fn a_write_is_all_or_nothing() {
    let file = File::new();
    file.add("Ann").unwrap();
    let failed: Result<()> = file.write(|tx| {
        tx.execute("INSERT INTO people VALUES ('Ben', 40)", [])?;
        Err(Error::Busy)
    });
    assert!(matches!(failed, Err(Error::Busy)));
    assert_eq!(file.count(), 1);
}

#[test]
fn a_write_that_panics_leaves_nothing_and_the_next_one_works() {
    let file = File::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        file.write(|tx| -> Result<()> {
            tx.execute("INSERT INTO people VALUES ('Ben', 40)", [])?;
            panic!("in the middle")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(file.count(), 0);
    file.add("Ann").unwrap();
}

#[test]
fn what_is_taken_is_named() {
    let file = File::new();
    file.add("Ann").unwrap();
    let taken = file.add("ANN").unwrap_err();
    assert!(
        matches!(&taken, Error::Taken(column) if column == "people.name"),
        "{taken:?}"
    );
}

#[test]
fn readers_cannot_write() {
    let file = File::new();
    let reader = file.connect(pool::Role::Reader);
    for change in [
        "INSERT INTO people VALUES ('Eve', 1)",
        "DELETE FROM people",
        "CREATE TABLE other (a)",
        "PRAGMA user_version = 9",
    ] {
        let refused = reader.execute_batch(change).unwrap_err().to_string();
        assert!(refused.contains("readonly"), "{change}: {refused}");
    }
    // Not even where nothing forbids it but the way the file was opened.
    reader.execute_batch("PRAGMA query_only = OFF").unwrap();
    let refused = reader.execute_batch("DELETE FROM people").unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
}

#[test]
fn a_cached_statement_is_compiled_once_whatever_is_bound_to_it() {
    let file = File::new();
    for number in 0..50 {
        file.add(&format!("name {number}")).unwrap();
    }
    // Both are statements that SQLite would like to compile anew for other values.
    for sql in [
        "SELECT count(*) FROM people WHERE name LIKE ?1",
        "SELECT count(*) FROM people WHERE age > ?1",
    ] {
        let reader = file.connect(pool::Role::Reader);
        for bound in ["a%", "%", "_b", "n%"] {
            let mut statement = reader.prepare_cached(sql).unwrap();
            statement
                .query_row([bound], |row| row.get::<_, i64>(0))
                .unwrap();
            assert_eq!(
                statement.get_status(StatementStatus::RePrepare),
                0,
                "{sql} {bound}"
            );
        }
        let statement = reader.prepare_cached(sql).unwrap();
        assert_eq!(
            statement.get_status(StatementStatus::Run),
            4,
            "it was not kept: {sql}"
        );
    }
}

#[test]
fn what_is_acknowledged_is_durable() {
    let file = File::new();
    let writer = file.connect(pool::Role::Writer);
    let ask = |sql: &str| {
        writer
            .query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0))
            .unwrap()
    };
    for (pragma, expected) in [
        (
            "PRAGMA journal_mode",
            rusqlite::types::Value::Text("wal".to_owned()),
        ),
        ("PRAGMA synchronous", rusqlite::types::Value::Integer(2)),
        ("PRAGMA foreign_keys", rusqlite::types::Value::Integer(1)),
        ("PRAGMA trusted_schema", rusqlite::types::Value::Integer(0)),
        ("PRAGMA secure_delete", rusqlite::types::Value::Integer(1)),
        ("PRAGMA mmap_size", rusqlite::types::Value::Integer(0)),
    ] {
        assert_eq!(ask(pragma), expected, "{pragma}");
    }
}

#[test]
fn one_read_sees_one_state() {
    let file = File::new();
    let counts = file.db.read(NOW, |read| -> Result<(i64, i64)> {
        let count = || read.get("SELECT count(*) FROM people", [], |row| row.get(0));
        let before = count()?;
        file.add("Ann")?;
        Ok((before, count()?))
    });
    assert_eq!(counts.unwrap(), (0, 0));
    assert_eq!(file.count(), 1);
}

#[test]
fn when_every_reader_is_taken_the_next_is_put_off_and_writes_go_on() {
    let file = File::new();
    file.add("Ann").unwrap();
    let count = |read: &Read<'_>| read.get("SELECT count(*) FROM people", [], |row| row.get(0));
    // Two readers there are: one within the other takes both, as no request does.
    let put_off = file.db.read(NOW, |_| {
        file.db.read(NOW, |_| -> Result<_> {
            let began = time::instant();
            let third: Result<i64> = file.db.read(NOW, count);
            let took = began.elapsed();
            file.add("Bea")?;
            Ok((matches!(third, Err(Error::Busy)), took))
        })
    });
    let (is_busy, took) = put_off.unwrap();
    assert!(is_busy);
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(file.count(), 2);
}

#[test]
fn another_process_that_writes_is_noticed() {
    let file = File::new();
    let before = file.db.foreign_version().unwrap();
    file.add("Ann").unwrap();
    assert_eq!(
        file.db.foreign_version().unwrap(),
        before,
        "our own writes are no news"
    );
    file.connect(pool::Role::Writer)
        .execute_batch("INSERT INTO people VALUES ('Ben', 40)")
        .unwrap();
    assert_ne!(file.db.foreign_version().unwrap(), before);
}

#[test]
fn a_full_disk_is_told_from_a_fault_of_ours_and_can_be_mended() {
    let file = File::new();
    file.write(|tx| tx.script("PRAGMA max_page_count = 8"))
        .unwrap();
    let failed = file.add(&"A".repeat(100_000));
    assert!(matches!(failed, Err(Error::Disk(_))), "{failed:?}");
    assert_eq!(file.count(), 0);
    file.write(|tx| tx.script("PRAGMA max_page_count = 1000000"))
        .unwrap();
    file.add(&"A".repeat(100_000)).unwrap();
    assert_eq!(file.count(), 1);
}

#[test]
fn no_memory_just_now_is_busy_and_no_fault_of_ours() {
    let nomem = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOMEM);
    let error = Error::from(rusqlite::Error::SqliteFailure(nomem, None));
    assert!(matches!(error, Error::Busy), "{error:?}");
}
