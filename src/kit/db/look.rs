//! The file as somebody sees it who only looks: nothing is written, neither in it nor beside it.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{Error, Read, Result, check_library, pool};
use crate::kit::time::Timestamp;

/// An open file that is only looked at.
pub struct Look {
    conn: Connection,
    log: PathBuf,
    is_still: bool,
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Look")
    }
}

impl Look {
    /// Opens the file, which must exist.
    pub fn open(path: &Path) -> Result<Self> {
        check_library()?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        // Without a log nobody has it open. A reader would begin one, and leave it: so it is read as what does not
        // change, without a lock.
        let is_still = !log.exists();
        let conn = if is_still {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_URI;
            let conn = Connection::open_with_flags(uri(path), flags)?;
            pool::set_up(&conn, pool::Role::Reader)?;
            conn
        } else {
            pool::connect(path, pool::Role::Reader)?
        };
        Ok(Self {
            conn,
            log,
            is_still,
        })
    }

    /// Whether somebody has begun to write meanwhile, so that what was seen may be half of one state and half of the
    /// next. It has to be opened again then.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        self.is_still && self.log.exists()
    }

    /// Runs one consistent read. `now` is what the reader takes for the present.
    pub fn read<T, E: From<Error>>(
        &mut self,
        now: Timestamp,
        work: impl FnOnce(&Read<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(Error::from)?;
        let result = work(&Read { conn: &tx, now })?;
        tx.commit().map_err(Error::from)?;
        Ok(result)
    }
}

/// The path as SQLite takes one with a parameter.
fn uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri + "?immutable=1"
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn count(look: &mut Look) -> i64 {
        look.read(NOW, |read| {
            read.get("SELECT count(*) FROM t", [], |row| row.get(0))
        })
        .map_err(|error: Error| error.to_string())
        .unwrap()
    }

    #[test]
    fn looking_leaves_nothing_behind_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?%41#.db");
        let writer = pool::connect(&path, pool::Role::Writer).unwrap();
        writer.execute_batch("CREATE TABLE t (x)").unwrap();
        writer.close().unwrap();
        let before = names(folder.path());
        let mut look = Look::open(&path).unwrap();
        assert_eq!(count(&mut look), 0);
        assert!(!look.is_overtaken());
        assert!(look.conn.execute_batch("INSERT INTO t VALUES (1)").is_err());
        assert_eq!(names(folder.path()), before);
        drop(look);
        assert_eq!(names(folder.path()), before);
    }

    #[test]
    fn what_is_being_written_is_seen_as_it_is_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let writer = pool::connect(&path, pool::Role::Writer).unwrap();
        writer.execute_batch("CREATE TABLE t (x)").unwrap();
        let mut look = Look::open(&path).unwrap();
        writer.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(count(&mut look), 1);
        assert!(!look.is_overtaken());
        drop((look, writer));
        let still = Look::open(&path).unwrap();
        let writer = pool::connect(&path, pool::Role::Writer).unwrap();
        writer.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        assert!(still.is_overtaken());
    }
}
