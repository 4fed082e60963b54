//! Copies of the file, and steps from one schema to the next, each in a transaction of its own.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{Error, Read, Result, Tx, World, check_library, pool};
use crate::kit::time::Timestamp;

/// How long a copy waits for a writer that is in the way.
const BUSY: Duration = Duration::from_secs(5);

/// A step from one schema to the next.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The version it begins with; it ends with the next one.
    pub from: i64,
    /// Its name: that of its file, without the ending.
    pub name: &'static str,
    /// What it does, without transaction and version.
    pub sql: &'static str,
}

impl Step {
    /// The version it ends with.
    #[must_use]
    pub const fn to(&self) -> i64 {
        self.from + 1
    }
}

/// Takes the step, and does in the same transaction what is to be done `then`: whole and on the disk, or not at all.
/// Fails where the file is of another version.
pub fn take<E: From<Error>>(
    path: &Path,
    step: &Step,
    world: World<'_>,
    then: impl FnOnce(&Tx<'_>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    check_library()?;
    let mut writer = pool::connect(path, pool::Role::Writer)?;
    let conn = begin(&mut writer)?;
    change(&conn, step)?;
    let told = {
        let tx = Tx::new(&conn, world);
        then(&tx)?;
        tx.told.take()
    };
    conn.commit().map_err(Error::from)?;
    for tell in told {
        tell();
    }
    Ok(writer.close().map_err(|(_, error)| Error::from(error))?)
}

fn begin(writer: &mut Connection) -> Result<rusqlite::Transaction<'_>> {
    // Inside a transaction SQLite ignores the switch; a table that others refer to could not be rebuilt with it on.
    writer.execute_batch("PRAGMA foreign_keys = OFF")?;
    Ok(writer.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

fn change(tx: &Connection, step: &Step) -> Result<()> {
    let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != step.from {
        let words = format!("the file is of version {version}, not {}", step.from);
        return Err(Error::Broken(words.into()));
    }
    tx.execute_batch(step.sql)?;
    let loose = tx
        .prepare("PRAGMA foreign_key_check")?
        .query_map([], |row| row.get::<_, String>(0))?
        .next()
        .transpose()?;
    if let Some(table) = loose {
        let words = format!("after it a row of {table} points nowhere");
        return Err(Error::Broken(words.into()));
    }
    Ok(tx.pragma_update(None, "user_version", step.to())?)
}

/// Writes a whole, compact copy of the file at `from` to `to`, as of one instant, while others go on writing. Only its
/// owner may read it, and it is on the disk when this answers. Fails where there is something at `to`; what a failure
/// leaves there is the caller's to remove.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    check_library()?;
    let target = to
        .to_str()
        .ok_or_else(|| Error::Broken("the path of a copy must be text".into()))?;
    // Made before SQLite sees it, so that nobody else can ever have opened it.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    let reader = open_to_read(from)?;
    reader.prepare("VACUUM INTO ?1")?.execute([target])?;
    file.sync_all()?;
    if let Some(folder) = to.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Folds the log into the file, which nobody else has open: then it is whole by itself, and nothing lies beside it.
pub fn fold(path: &Path) -> Result<()> {
    check_library()?;
    let writer = pool::connect(path, pool::Role::Writer)?;
    writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    writer.close().map_err(|(_, error)| Error::from(error))
}

/// Reads a file that nobody writes to, as a copy is, and leaves it as it is.
pub fn look<T, E: From<Error>>(
    path: &Path,
    now: Timestamp,
    work: impl FnOnce(&Read<'_>) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let conn = open_to_read(path)?;
    work(&Read { conn: &conn, now })
}

/// What `PRAGMA integrity_check` and `foreign_key_check` complain of.
pub fn complaints(read: &Read<'_>) -> Result<Vec<String>> {
    let mut found = read.list("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?;
    found.retain(|line| line != "ok");
    found.extend(read.list("PRAGMA foreign_key_check", [], |row| {
        let table: String = row.get(0)?;
        Ok(format!("a foreign key of {table} points nowhere"))
    })?);
    Ok(found)
}

/// The schema that the file says it has.
pub fn version(read: &Read<'_>) -> Result<i64> {
    read.get("PRAGMA user_version", [], |row| row.get(0))
}

fn open_to_read(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags)?;
    reader.busy_timeout(BUSY)?;
    Ok(reader)
}
