//! The data folder as a whole: set up when it is empty, and opened only when database and key belong together.
//!
//! Setting up happens in a folder of its own inside the data folder, whose name counts as nothing. Database and key
//! are whole and on the disk before the database is moved into place, and the key after it. A kill before the first
//! move leaves an empty folder; one between the two leaves the key where the next start finds it. An
//! older file is brought to today's schema step by step, after a copy of it was made; only `serve` does that, under its
//! lock.

pub mod aside;
mod error;
pub mod swap;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::kit::db::upgrade::{self, Step};
use crate::kit::db::{self, Db, World};
use crate::kit::folder::{self, Lock};
use crate::kit::key_file;
use crate::kit::keys::Keys;
use crate::kit::random::Random;
use crate::kit::time::{Timestamp, instant};

pub use error::Error;

/// The database's name in the data folder.
pub const DATABASE: &str = "doorward.db";

/// The database as it is today.
const SCHEMA: &str = include_str!("../../schema.sql");
/// The number in its last line.
pub const VERSION: i64 = 4;
/// The steps to it, in order; the first one is from the oldest schema that is known.
const STEPS: [Step; 1] = [Step {
    from: 3,
    sql: include_str!("0004_backups.sql"),
}];
/// The folder of copies in the data folder.
const BACKUPS: &str = "backups";
/// Where a folder is set up before anything is in its place; see [`folder::is_empty`].
const UNFINISHED: &str = ".setup.unfinished";
/// What a lost database leaves behind. A new one must not be put beside it, as if there had been none.
const TRACES: [&str; 4] = [
    "doorward.db-wal",
    "doorward.db-shm",
    "doorward.db-journal",
    "backups",
];
/// Threads that may read at once.
const READERS: u32 = 16;
/// A larger file is not read through at each start: it would take longer than people wait.
const CHECKED_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How long a command waits for a server that is setting up the folder at this moment.
const SETUP_WAIT: Duration = Duration::from_secs(5);
const SETUP_PAUSE: Duration = Duration::from_millis(20);

/// What opening a folder answers.
pub type Result<T> = std::result::Result<T, Error>;

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |cause| Error::Io(path, cause)
}

fn of(path: &Path) -> impl FnOnce(db::Error) -> Error {
    let path = path.to_owned();
    |cause| Error::Storage(path, cause)
}

/// What a new install is made of.
#[derive(Clone, Copy)]
pub struct Origin<'o> {
    /// When.
    pub now: Timestamp,
    /// Where its key comes from.
    pub random: &'o dyn Random,
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({:?})", self.now)
    }
}

/// An open data folder.
#[derive(Debug)]
pub struct Opened {
    /// Its database.
    pub db: Db,
    /// Its keys.
    pub keys: Keys,
    /// Whether it was set up just now.
    pub is_new: bool,
    /// From which older schema it was brought to today's just now.
    pub upgraded: Option<Upgraded>,
}

/// A file that was brought to today's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The schema it had.
    pub from: i64,
    /// The copy that was made before.
    pub copy: PathBuf,
}

/// Whether a command may set up an empty folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfEmpty {
    /// It makes something, and so may begin.
    SetUp,
    /// It only looks: an empty folder is a wrong name.
    Refuse,
}

/// Opens the folder for the one process that serves it, which holds the lock as long as it lives.
pub fn open_to_serve(folder: &Path, origin: Origin<'_>) -> Result<(Opened, Lock)> {
    folder::prepare(folder)?;
    let lock = folder::lock(folder)?;
    let is_new = settle(folder, origin)?;
    let upgraded = upgrade_if_older(folder, origin.now)?;
    let (db, keys) = open(folder, origin.now)?;
    check_small(&folder.join(DATABASE), &db, origin.now)?;
    let opened = Opened {
        db,
        keys,
        is_new,
        upgraded,
    };
    Ok((opened, lock))
}

/// Opens the folder beside a server that may be running: without the lock, unless there is something to set up.
pub fn open_beside(folder: &Path, if_empty: IfEmpty, origin: Origin<'_>) -> Result<Opened> {
    if if_empty == IfEmpty::Refuse && is_bare(folder)? {
        return Err(Error::Empty(folder.to_owned()));
    }
    folder::prepare(folder)?;
    let is_new = settle_beside(folder, origin)?;
    let (db, keys) = open(folder, origin.now)?;
    Ok(Opened {
        db,
        keys,
        is_new,
        upgraded: None,
    })
}

/// Neither database nor key, finished or not.
fn is_bare(folder: &Path) -> Result<bool> {
    Ok(!swap::is_pending(folder)?
        && !is_there(&folder.join(DATABASE))?
        && !is_there(&folder.join(key_file::NAME))?)
}

fn is_whole(folder: &Path) -> Result<bool> {
    Ok(!swap::is_pending(folder)?
        && is_there(&folder.join(DATABASE))?
        && is_there(&folder.join(key_file::NAME))?)
}

/// A folder that may not be looked into is no empty one.
fn is_there(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(at(path)(error)),
    }
}

fn settle_beside(folder: &Path, origin: Origin<'_>) -> Result<bool> {
    let deadline = instant() + SETUP_WAIT;
    while !is_whole(folder)? {
        match folder::lock(folder) {
            Ok(_lock) => return settle(folder, origin),
            // A server has it and may be half-way through; one that is not will never be.
            Err(folder::Error::Served { .. }) if instant() < deadline => {
                thread::park_timeout(SETUP_PAUSE);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Sets up an empty folder, or ends what a kill interrupted. The caller holds the lock.
fn settle(folder: &Path, origin: Origin<'_>) -> Result<bool> {
    swap::complete(folder)?;
    let unfinished = folder.join(UNFINISHED);
    let is_new = match (
        is_there(&folder.join(DATABASE))?,
        is_there(&folder.join(key_file::NAME))?,
    ) {
        (true, true) => false,
        (false, false) => {
            set_up(folder, &unfinished, origin)?;
            true
        }
        (true, false) => {
            move_key(folder, &unfinished)?;
            true
        }
        (false, true) => return Err(Error::KeyAlone(folder.to_owned())),
    };
    remove_all(&unfinished).map_err(at(&unfinished))?;
    Ok(is_new)
}

fn set_up(folder: &Path, unfinished: &Path, origin: Origin<'_>) -> Result<()> {
    for trace in TRACES.map(|name| folder.join(name)) {
        if is_there(&trace)? {
            return Err(Error::Trace(trace));
        }
    }
    remove_all(unfinished).map_err(at(unfinished))?;
    DirBuilder::new()
        .mode(0o700)
        .create(unfinished)
        .and_then(|()| folder::take_owner(unfinished))
        .map_err(at(unfinished))?;
    let keys = key_file::generate(origin.random).map_err(at(unfinished))?;
    create_database(&unfinished.join(DATABASE), &keys, origin)?;
    key_file::write(unfinished, &keys).map_err(at(unfinished))?;
    move_into(folder, unfinished, DATABASE)?;
    move_into(folder, unfinished, key_file::NAME)
}

fn create_database(path: &Path, keys: &Keys, origin: Origin<'_>) -> Result<()> {
    let world = World {
        now: origin.now,
        random: origin.random,
        keys,
        mail_domain: "localhost",
    };
    Db::create(path, world, |tx| {
        tx.script(SCHEMA)?;
        tx.execute(
            "INSERT INTO install (id, key_id, created_at) VALUES (1, ?1, ?2)",
            (keys.identity(), tx.now()),
        )
    })
    .map_err(of(path))?;
    folder::take_owner(path).map_err(at(path))
}

fn move_into(folder: &Path, from: &Path, name: &str) -> Result<()> {
    let to = folder.join(name);
    fs::rename(from.join(name), &to)
        .and_then(|()| folder::sync(folder))
        .map_err(at(&to))
}

/// The database is in its place and the key is not: if that is so because of a kill, the key still waits.
fn move_key(folder: &Path, unfinished: &Path) -> Result<()> {
    let missing = || Error::KeyMissing(folder.to_owned());
    let keys = key_file::read(unfinished)
        .map_err(|_| missing())?
        .ok_or_else(missing)?;
    let db = open_database(&folder.join(DATABASE))?;
    if !belongs(&db, &keys, Timestamp(0)).map_err(of(&folder.join(DATABASE)))? {
        return Err(missing());
    }
    drop(db);
    move_into(folder, unfinished, key_file::NAME)
}

fn remove_all(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn open(folder: &Path, now: Timestamp) -> Result<(Db, Keys)> {
    let keys = key_file::read(folder)
        .map_err(Error::Key)?
        .ok_or_else(|| Error::KeyMissing(folder.to_owned()))?;
    let path = folder.join(DATABASE);
    let db = open_database(&path)?;
    check_version(&path, &db, now)?;
    if !belongs(&db, &keys, now).map_err(of(&path))? {
        return Err(Error::KeyWrong(folder.to_owned()));
    }
    Ok((db, keys))
}

/// Brings an older file that belongs to the key to today's schema. A copy is made first, and without it nothing changes.
fn upgrade_if_older(folder: &Path, now: Timestamp) -> Result<Option<Upgraded>> {
    let path = folder.join(DATABASE);
    let keys = key_file::read(folder)
        .map_err(Error::Key)?
        .ok_or_else(|| Error::KeyMissing(folder.to_owned()))?;
    let from = {
        let db = open_database(&path)?;
        match version_of(&path, &db, now)? {
            older if older < VERSION && older >= oldest() => {
                check_small(&path, &db, now)?;
                if !belongs(&db, &keys, now).map_err(of(&path))? {
                    return Err(Error::KeyWrong(folder.to_owned()));
                }
                older
            }
            _ => return Ok(None),
        }
    };
    let copy = folder
        .join(BACKUPS)
        .join(format!("pre-{}.db", env!("CARGO_PKG_VERSION")));
    put_copy(&path, &copy)?;
    for step in STEPS.iter().filter(|step| step.from >= from) {
        upgrade::take(&path, step).map_err(of(&path))?;
    }
    Ok(Some(Upgraded { from, copy }))
}

/// The oldest schema that is known.
fn oldest() -> i64 {
    STEPS.first().map_or(VERSION, |step| step.from)
}

/// A copy that has its name only once it is whole and on the disk.
fn put_copy(path: &Path, copy: &Path) -> Result<()> {
    let around = copy.parent().unwrap_or(path);
    let unfinished = around.join(".backup.unfinished");
    if !is_there(around)? {
        DirBuilder::new()
            .mode(0o700)
            .create(around)
            .and_then(|()| folder::take_owner(around))
            .map_err(at(around))?;
    }
    folder::remove(&unfinished).map_err(at(&unfinished))?;
    upgrade::copy(path, &unfinished).map_err(of(copy))?;
    folder::take_owner(&unfinished)
        .and_then(|()| fs::rename(&unfinished, copy))
        .and_then(|()| folder::sync(around))
        .map_err(at(copy))
}

fn open_database(path: &Path) -> Result<Db> {
    let found = fs::symlink_metadata(path).map_err(at(path))?;
    if found.file_type().is_symlink() || found.nlink() > 1 {
        return Err(Error::Linked(path.to_owned()));
    }
    if !found.is_file() || !is_sqlite(path).map_err(at(path))? {
        return Err(Error::NotOurs(path.to_owned()));
    }
    Db::open(path, READERS).map_err(of(path))
}

/// Looked at before SQLite does, which would turn an empty file into a database.
fn is_sqlite(path: &Path) -> io::Result<bool> {
    use std::io::Read;

    let mut head = Vec::with_capacity(16);
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(head == b"SQLite format 3\0")
}

fn check_version(path: &Path, db: &Db, now: Timestamp) -> Result<()> {
    match version_of(path, db, now)? {
        VERSION => Ok(()),
        newer if newer > VERSION => Err(Error::Newer(path.to_owned(), newer)),
        older if older >= oldest() => Err(Error::Outdated(path.to_owned(), older)),
        older => Err(Error::Older(path.to_owned(), older)),
    }
}

fn version_of(path: &Path, db: &Db, now: Timestamp) -> Result<i64> {
    let version = db
        .read(now, |read| {
            let is_ours = read.get(
                "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'install')",
                [],
                |row| row.get::<_, bool>(0),
            )?;
            let version = read.get("PRAGMA user_version", [], |row| row.get::<_, i64>(0))?;
            Ok(is_ours.then_some(version))
        })
        .map_err(of(path))?;
    match version {
        Some(version) if version > 0 => Ok(version),
        Some(_) | None => Err(Error::NotOurs(path.to_owned())),
    }
}

fn belongs(db: &Db, keys: &Keys, now: Timestamp) -> db::Result<bool> {
    db.read(now, |read| {
        let key_id = read.find("SELECT key_id FROM install", [], |row| {
            row.get::<_, Vec<u8>>(0)
        })?;
        Ok(key_id.is_some_and(|key_id| key_id == keys.identity()))
    })
}

/// Reads a small file through, so that damage is found before anybody signs in.
fn check_small(path: &Path, db: &Db, now: Timestamp) -> Result<()> {
    if fs::metadata(path).map_err(at(path))?.len() > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let words = db
        .read(now, |read| {
            read.list("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        })
        .map_err(of(path))?;
    match words.first().map(String::as_str) {
        Some("ok") => Ok(()),
        other => Err(Error::Damaged(
            path.to_owned(),
            other.unwrap_or("no answer").to_owned(),
        )),
    }
}
