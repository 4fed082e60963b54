//! A look at a file that leaves no trace: no byte of it changes, and nothing appears beside it.
//!
//! A connection as others have it makes `-wal` and `-shm`, and folds a log into the file when it goes. Whoever does not
//! know yet whether the file is theirs must not do that.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{Error, Read, Result, check_library};
use crate::kit::time::Timestamp;

/// Asks the file as it is now, also of what stands only in its log yet: all at one instant.
pub fn glance<T, E: From<Error>>(
    path: &Path,
    ask: impl FnOnce(&Read<'_>) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    check_library()?;
    let conn = open(path)?;
    let read = Read {
        conn: &conn,
        now: Timestamp(0),
    };
    ask(&read)
}

/// Begins the one instant: what is asked first takes the lock.
fn begin(conn: Connection) -> Result<Connection> {
    conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; BEGIN;")?;
    conn.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0))?;
    Ok(conn)
}

fn open(path: &Path) -> Result<Connection> {
    let log = fs::metadata(beside(path, "-wal")).map_or(0, |found| found.len());
    if log == 0 {
        // All of it is in the file: nothing else need be looked at.
        return read_only(path, "immutable=1").and_then(begin);
    }
    // A log that nobody keeps, as in a copied folder or after a kill, may have an index that was half written, or none:
    // another is built in memory, which only who has the file alone may do.
    match alone(path).and_then(begin) {
        Err(_) if beside(path, "-shm").exists() => {
            let conn = read_only(path, "readonly_shm=1")?;
            conn.busy_timeout(Duration::from_secs(5))?;
            begin(conn)
        }
        other => other,
    }
}

/// The log is left as it is. Answers at once where others have the file open.
fn alone(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::ZERO)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON;")?;
    Ok(conn)
}

fn read_only(path: &Path, option: &str) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let path = std::path::absolute(path)?;
    let name = format!("file:{}?mode=ro&{option}", escaped(path.as_os_str())?);
    Ok(Connection::open_with_flags(name, flags)?)
}

/// A path as it stands in a URI.
fn escaped(path: &OsStr) -> Result<String> {
    let text = path
        .to_str()
        .ok_or_else(|| Error::Broken("the path of the database must be text".into()))?;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(escaped)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(OsStr::from_bytes(ending.as_bytes()));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Each file of the folder: its bytes, and when it was changed last.
    fn folder(path: &Path) -> BTreeMap<OsString, (Vec<u8>, std::time::SystemTime)> {
        fs::read_dir(path)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let changed = entry.metadata().unwrap().modified().unwrap();
                (
                    entry.file_name(),
                    (fs::read(entry.path()).unwrap(), changed),
                )
            })
            .collect()
    }

    fn version(path: &Path) -> i64 {
        glance(path, |read| {
            read.get("PRAGMA user_version", [], |row| row.get(0))
        })
        .unwrap()
    }

    /// A file whose newest version stands in its log alone, as a kill leaves it.
    fn killed(around: &Path) -> PathBuf {
        let made = around.join("made");
        fs::create_dir(&made).unwrap();
        let file = made.join("a.db");
        let conn = Connection::open(&file).unwrap();
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x); PRAGMA user_version = 3;
             PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = 7;",
        )
        .unwrap();
        let left = around.join("left, 100% ?");
        fs::create_dir(&left).unwrap();
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            fs::copy(made.join(name), left.join(name)).unwrap();
        }
        left
    }

    #[test]
    fn a_file_that_was_closed_is_read_and_left_alone() {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("a.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); PRAGMA user_version = 5")
            .unwrap();
        let before = folder(around.path());
        assert_eq!(before.len(), 1, "it was closed");
        assert_eq!(version(&path), 5);
        assert_eq!(folder(around.path()), before);
    }

    #[test]
    fn what_stands_only_in_the_log_is_read_and_left_there() {
        let around = tempfile::tempdir().unwrap();
        let left = killed(around.path());
        let path = left.join("a.db");
        for lost in [None, Some("a.db-shm")] {
            if let Some(lost) = lost {
                fs::remove_file(left.join(lost)).unwrap();
            }
            let before = folder(&left);
            assert_eq!(version(&path), 7, "{lost:?}");
            assert_eq!(folder(&left), before, "{lost:?}");
        }
    }

    #[test]
    fn whoever_has_the_file_open_is_not_disturbed() {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("a.db");
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); PRAGMA user_version = 8")
            .unwrap();
        assert_eq!(version(&path), 8);
        other
            .execute_batch("BEGIN IMMEDIATE; PRAGMA user_version = 9")
            .unwrap();
        assert_eq!(version(&path), 8);
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(version(&path), 9);
    }

    #[test]
    fn nothing_is_written_and_nothing_is_made() {
        let around = tempfile::tempdir().unwrap();
        let left = killed(around.path());
        for path in [left.join("a.db"), left.join("none.db")] {
            let before = folder(&left);
            let done = glance(&path, |read| {
                read.list("PRAGMA user_version = 1", [], |_| Ok(()))?;
                read.list("CREATE TABLE u (x)", [], |_| Ok(()))
            });
            assert!(done.is_err(), "{}", path.display());
            assert_eq!(folder(&left), before);
        }
    }
}
