//! How a connection is opened: the pragmas, and the readers' pool.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{Error, Result};

/// How long a statement waits for another process.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Writes, one at a time, durably.
    Writer,
    /// Reads; the file refuses it everything else.
    Reader,
}

/// Opens the file in that role.
pub(super) fn connect(path: &Path, role: Role) -> Result<Connection> {
    let access = match role {
        Role::Writer => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Role::Reader => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY_WAIT)?;
    // Without it every use of a cached statement compiles the statement anew.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_prepared_statement_cache_capacity(128);
    // Not mapped into memory: a disk that fails to read, or a file cut short, would kill the process (SIGBUS) where
    // a read answers with an error.
    conn.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;",
    )?;
    match role {
        // recursive_triggers: INSERT OR REPLACE deletes, and must not pass by the triggers that forbid it.
        // FULL: an answer is sent after the commit, and the commit after the disk has it.
        Role::Writer => conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA recursive_triggers = ON;
             PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 67108864;",
        )?,
        Role::Reader => conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -2000;")?,
    }
    Ok(conn)
}

/// The r2d2 manager of the readers.
pub(super) struct Readers {
    path: PathBuf,
}

impl r2d2::ManageConnection for Readers {
    type Connection = Connection;
    type Error = Error;

    fn connect(&self) -> Result<Connection> {
        connect(&self.path, Role::Reader)
    }

    fn is_valid(&self, conn: &mut Connection) -> Result<()> {
        Ok(conn.execute_batch("SELECT 1")?)
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}

/// So many readers at most; opened when they are needed, and kept for good, since their statements are compiled.
pub(super) fn readers(path: &Path, size: u32) -> Result<r2d2::Pool<Readers>> {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .test_on_check_out(false)
        .max_lifetime(None)
        .idle_timeout(None)
        .connection_timeout(Duration::from_secs(2))
        .build(Readers {
            path: path.to_owned(),
        })
        .map_err(|error| Error::Broken(Box::new(error)))
}
