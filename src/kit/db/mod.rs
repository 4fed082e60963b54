//! Storage: one SQLite file, one writer, many readers.
//!
//! [`Read`] can only query, [`Tx`] is the one write transaction; neither leaves its closure. The file is opened
//! here, with the pragmas that make an acknowledged write durable; what stands in it belongs to the capabilities.

mod glance;
mod pool;
#[cfg(test)]
mod tests;
pub mod upgrade;
pub mod values;

use std::cell::RefCell;
use std::fmt;
use std::fs::OpenOptions;
use std::ops::Deref;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row, TransactionBehavior};

use crate::kit::keys::Keys;
use crate::kit::random::{self, Random};
use crate::kit::time::{self, Timestamp};

pub use glance::glance;

/// What went wrong in the file.
#[derive(Debug)]
pub enum Error {
    /// A UNIQUE column already holds the value; its name as `table.column`.
    Taken(String),
    /// The writer, or every reader, was busy for longer than anyone should wait; or there was no memory for it just now.
    Busy,
    /// The disk is full, read-only, or answers with errors.
    Disk(Box<dyn std::error::Error + Send + Sync>),
    /// Everything else: never the visitor's fault.
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(column) => write!(f, "{column} is taken"),
            Self::Busy => f.write_str("the database is busy"),
            Self::Disk(cause) | Self::Broken(cause) => write!(f, "{cause}"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Whether there was no room left on the disk.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        let (Self::Disk(cause) | Self::Broken(cause)) = self else {
            return false;
        };
        let by_file = cause
            .downcast_ref::<rusqlite::Error>()
            .and_then(rusqlite::Error::sqlite_error_code);
        let by_system = cause.downcast_ref::<std::io::Error>();
        by_file == Some(ErrorCode::DiskFull)
            || by_system.is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, text) = &error else {
            return Self::Broken(Box::new(error));
        };
        let taken = text
            .as_ref()
            .and_then(|text| text.strip_prefix("UNIQUE constraint failed: "));
        if let Some(column) = taken {
            return Self::Taken(column.to_owned());
        }
        match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OutOfMemory => {
                Self::Busy
            }
            ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure => {
                Self::Disk(Box::new(error))
            }
            _ => Self::Broken(Box::new(error)),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(Box::new(error))
    }
}

/// What the house's storage answers.
pub type Result<T> = std::result::Result<T, Error>;

/// How long a write waits for the writer before its request is answered 503.
const WRITER_WAIT: Duration = Duration::from_secs(5);
/// How long folding the log waits for its readers.
const FOLD_WAIT: Duration = Duration::from_millis(100);
/// A statement that takes longer is worth a line in the log.
const SLOW: Duration = Duration::from_millis(100);

/// The open file.
pub struct Db {
    writer: Mutex<Connection>,
    readers: r2d2::Pool<pool::Readers>,
    /// Raised by a failed commit: nothing is acknowledged until a probe has reached the disk.
    suspect: AtomicBool,
    /// How often nobody got through.
    busy: Arc<AtomicU64>,
    path: PathBuf,
}

/// Asks the file, beside [`Db`] and for as long as it likes: for what is read while an answer is on its way.
#[derive(Clone)]
pub struct Reader {
    readers: r2d2::Pool<pool::Readers>,
    busy: Arc<AtomicU64>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// Runs one consistent read. `now` is what the reader takes for the present.
    pub fn read<T, E: From<Error>>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Read<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut reader = self.readers.get().map_err(|_| {
            self.busy.fetch_add(1, Ordering::Relaxed);
            Error::Busy
        })?;
        let tx = reader
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(Error::from)?;
        let read = Read { conn: &tx, now };
        let result = work(&read)?;
        tx.commit().map_err(Error::from)?;
        Ok(result)
    }
}

/// How large the file is, and the log beside it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The file.
    pub file: u64,
    /// What is not folded into it yet.
    pub wal: u64,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Db")
    }
}

impl Db {
    /// Opens the file, which must exist unless `create` says so, and so many readers at most.
    pub fn open(path: &Path, readers: u32) -> Result<Self> {
        check_library()?;
        let writer = pool::connect(path, pool::Role::Writer)?;
        let readers = pool::readers(path, readers)?;
        Ok(Self {
            writer: Mutex::new(writer),
            readers,
            suspect: AtomicBool::new(false),
            busy: Arc::new(AtomicU64::new(0)),
            path: path.to_owned(),
        })
    }

    /// Makes a new file that only its owner may read. What `work` writes is its first commit; then the file is closed:
    /// whole, on the disk, and without a log beside it. Fails where there is a file of this name.
    pub fn create<T, E: From<Error>>(
        path: &Path,
        world: World<'_>,
        work: impl FnOnce(&Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        check_library()?;
        // Made before SQLite sees it, so that nobody else can ever have opened it.
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(Error::from)?;
        let mut writer = pool::connect(path, pool::Role::Writer)?;
        let tx = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::from)?;
        let done = {
            let tx = Tx::new(&tx, world);
            work(&tx)?
        };
        tx.commit().map_err(Error::from)?;
        writer.close().map_err(|(_, error)| Error::from(error))?;
        Ok(done)
    }

    /// Runs one consistent read. `now` is what the reader takes for the present.
    pub fn read<T, E: From<Error>>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Read<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.reader().read(now, work)
    }

    /// The way to ask the file that outlives a borrow of it.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader {
            readers: self.readers.clone(),
            busy: Arc::clone(&self.busy),
        }
    }

    /// Runs one write: all of it is committed, or none. Private to the shell's `app.rs` and `cli.rs` by the
    /// rule of imports.
    pub fn write<T, E: From<Error>>(
        &self,
        world: World<'_>,
        work: impl FnOnce(&Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut writer = self.writer()?;
        self.mend(&mut writer)?;
        let conn = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| self.counted(error.into()))?;
        let tx = Tx::new(&conn, world);
        let done = work(&tx)?;
        let told = tx.told.take();
        conn.commit()
            .map_err(|error| self.counted(self.distrust(error)))?;
        drop(writer);
        for tell in told {
            tell();
        }
        Ok(done)
    }

    /// A number that changes when another process commits: how the server notices the command line.
    pub fn foreign_version(&self) -> Result<i64> {
        let writer = self.writer()?;
        Ok(writer.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    /// Proves that the file can be read and, where a commit has failed before, written again.
    pub fn probe(&self) -> Result<()> {
        let mut writer = self.writer()?;
        self.mend(&mut writer)?;
        writer.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })?;
        Ok(())
    }

    /// Runs `PRAGMA integrity_check` and `foreign_key_check`; answers with what they complain of.
    pub fn complaints(&self) -> Result<Vec<String>> {
        let writer = self.writer()?;
        let mut found = Vec::new();
        let mut check = writer.prepare("PRAGMA integrity_check")?;
        for line in check.query_map([], |row| row.get::<_, String>(0))? {
            let line = line?;
            if line != "ok" {
                found.push(line);
            }
        }
        let mut check = writer.prepare("PRAGMA foreign_key_check")?;
        for table in check.query_map([], |row| row.get::<_, String>(0))? {
            found.push(format!("a foreign key of {} points nowhere", table?));
        }
        Ok(found)
    }

    /// Folds the log into the file, so that a copied file is whole. Best effort: a reader may be in the way.
    pub fn checkpoint(&self) -> Result<()> {
        let writer = self.writer()?;
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// The same for a log that holds what is to be gone; answers whether it is empty now. A reader that is in the way keeps
    /// nobody waiting for longer than a moment.
    pub fn fold(&self) -> Result<bool> {
        let writer = self.writer()?;
        writer.busy_timeout(FOLD_WAIT)?;
        let busy = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
            row.get::<_, bool>(0)
        });
        writer.busy_timeout(pool::BUSY_WAIT)?;
        match busy.map_err(Error::from) {
            Ok(busy) => Ok(!busy),
            Err(Error::Busy) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How large the file and its log are.
    pub fn sizes(&self) -> Result<Sizes> {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        Ok(Sizes {
            file: std::fs::metadata(&self.path)?.len(),
            // There is none until something is written.
            wal: std::fs::metadata(wal).map_or(0, |wal| wal.len()),
        })
    }

    /// How often since the start a read or a write found everything taken for too long.
    #[must_use]
    pub fn busy_count(&self) -> u64 {
        self.busy.load(Ordering::Relaxed)
    }

    fn was_busy(&self) -> Error {
        self.counted(Error::Busy)
    }

    fn counted(&self, error: Error) -> Error {
        if matches!(error, Error::Busy) {
            self.busy.fetch_add(1, Ordering::Relaxed);
        }
        error
    }

    fn writer(&self) -> Result<MutexGuard<'_, Connection>> {
        // A poisoned lock is safe: the transaction in it was rolled back when it was dropped.
        let deadline = time::instant() + WRITER_WAIT;
        loop {
            match self.writer.try_lock() {
                Ok(writer) => return Ok(writer),
                Err(std::sync::TryLockError::Poisoned(poisoned)) => {
                    return Ok(poisoned.into_inner());
                }
                Err(std::sync::TryLockError::WouldBlock) if time::instant() >= deadline => {
                    return Err(self.was_busy());
                }
                Err(std::sync::TryLockError::WouldBlock) => {
                    std::thread::park_timeout(Duration::from_micros(200))
                }
            }
        }
    }

    /// After a failed commit what the connection holds in memory may be more than the disk has: a fresh one takes
    /// its place, and must reach the disk before anything is acknowledged again.
    fn mend(&self, writer: &mut Connection) -> Result<()> {
        if self.suspect.load(Ordering::Acquire) {
            let fresh = pool::connect(&self.path, pool::Role::Writer)?;
            fresh.execute_batch("BEGIN IMMEDIATE; UPDATE install SET probe = probe + 1; COMMIT")?;
            *writer = fresh;
            self.suspect.store(false, Ordering::Release);
        }
        Ok(())
    }

    fn distrust(&self, error: rusqlite::Error) -> Error {
        let is_out_of_memory = error.sqlite_error_code() == Some(ErrorCode::OutOfMemory);
        let error = Error::from(error);
        if is_out_of_memory || matches!(error, Error::Disk(_) | Error::Broken(_)) {
            self.suspect.store(true, Ordering::Release);
        }
        error
    }
}

/// What a write knows besides the file: its instant, its randomness, the install's keys.
#[derive(Clone, Copy)]
pub struct World<'w> {
    /// The instant every row of the transaction carries.
    pub now: Timestamp,
    /// Where ids and nonces come from.
    pub random: &'w dyn Random,
    /// The keys of `secret.key`.
    pub keys: &'w Keys,
    /// The domain that a mail's Message-ID ends in.
    pub mail_domain: &'w str,
}

/// One consistent view of the file. Can query, and nothing else.
pub struct Read<'c> {
    conn: &'c Connection,
    now: Timestamp,
}

impl Read<'_> {
    /// The instant the reader takes for the present.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The one row, or none.
    pub fn find<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        timed(sql, || {
            Ok(self
                .conn
                .prepare_cached(sql)?
                .query_row(params, row)
                .optional()?)
        })
    }

    /// The one row that is always there, as of a count.
    pub fn get<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        timed(sql, || {
            Ok(self.conn.prepare_cached(sql)?.query_row(params, row)?)
        })
    }

    /// All rows.
    pub fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        timed(sql, || {
            let mut statement = self.conn.prepare_cached(sql)?;
            let rows = statement.query_map(params, row)?;
            Ok(rows.collect::<rusqlite::Result<Vec<T>>>()?)
        })
    }
}

/// The one write transaction. Derefs to [`Read`], so every question can be asked inside it.
pub struct Tx<'c> {
    read: Read<'c>,
    world: World<'c>,
    told: RefCell<Vec<Tell>>,
}

/// What is told once the transaction is committed.
type Tell = Box<dyn FnOnce()>;

impl<'c> Deref for Tx<'c> {
    type Target = Read<'c>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

impl<'c> Tx<'c> {
    const fn new(conn: &'c Connection, world: World<'c>) -> Self {
        let now = world.now;
        Self {
            read: Read { conn, now },
            world,
            told: RefCell::new(Vec::new()),
        }
    }
}

impl Tx<'_> {
    /// Runs one statement; answers with the number of rows it changed.
    pub fn execute(&self, sql: &'static str, params: impl Params) -> Result<usize> {
        timed(sql, || {
            Ok(self.read.conn.prepare_cached(sql)?.execute(params)?)
        })
    }

    /// Runs a script, as `schema.sql` is.
    pub fn script(&self, sql: &str) -> Result<()> {
        Ok(self.read.conn.execute_batch(sql)?)
    }

    /// Work that may fail alone: what it did until then is taken back, and the transaction goes on without it.
    pub fn attempt<T, E: From<Error>>(
        &self,
        work: impl FnOnce() -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let told = self.told.borrow().len();
        self.script("SAVEPOINT attempt")?;
        let done = work();
        if done.is_err() {
            self.script("ROLLBACK TO attempt")?;
            self.told.borrow_mut().truncate(told);
        }
        self.script("RELEASE attempt")?;
        done
    }

    /// Tells of it once it is committed, and never when it is not: for the log, which nothing takes back.
    pub fn once_committed(&self, tell: impl FnOnce() + 'static) {
        self.told.borrow_mut().push(Box::new(tell));
    }

    /// So many random bytes.
    pub fn random<const N: usize>(&self) -> Result<[u8; N]> {
        Ok(random::bytes(self.world.random)?)
    }

    /// The keys of `secret.key`.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        self.world.keys
    }

    /// The domain that a mail's Message-ID ends in.
    #[must_use]
    pub const fn mail_domain(&self) -> &str {
        self.world.mail_domain
    }
}

fn timed<T>(sql: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = time::instant();
    let result = work();
    let took = start.elapsed();
    if took > SLOW {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(
            duration_ms = took,
            statement = sql
                .split_whitespace()
                .take(12)
                .collect::<Vec<_>>()
                .join(" "),
            "slow statement"
        );
    }
    result
}

/// SQLite before 3.51.3 can corrupt a file when its log is reset; the bundled one is newer, and stays so.
fn check_library() -> Result<()> {
    if rusqlite::version_number() < 3_051_003 {
        return Err(Error::Broken(
            format!("SQLite {} is too old", rusqlite::version()).into(),
        ));
    }
    Ok(())
}

/// Whether the lock was poisoned does not matter to data that a rolled-back transaction protects.
pub fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
