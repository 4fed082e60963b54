//! The data folder as a whole: set up when it is empty, and opened only when database and key belong together.
//!
//! Setting up happens in a folder of its own inside the data folder, whose name counts as nothing. Database and key
//! are whole and on the disk before the database is moved into place, and the key after it. A kill before the first
//! move leaves an empty folder; one between the two leaves the key where the next start finds it. A key that the
//! operator keeps elsewhere is only read.
//!
//! An older file is brought to today's schema by whoever has the lock, see `upgrade.rs`. A file is
//! looked at before it is opened: of one that is not for this program, or not for this key, no byte changes.

pub mod aside;
mod error;
pub mod swap;
#[cfg(test)]
mod tests;
mod upgrade;

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::kit::db::upgrade::Step;
use crate::kit::db::{self, Db, World};
use crate::kit::disk::{self, NetworkFs};
use crate::kit::folder::{self, Lock};
use crate::kit::key_file;
use crate::kit::keys::Keys;
use crate::kit::random::Random;
use crate::kit::time::{Timestamp, instant};

pub use error::Error;
pub use upgrade::{Record, Upgraded};

/// The database's name in the data folder.
pub const DATABASE: &str = "doorward.db";

/// The database as it is today.
const SCHEMA: &str = include_str!("../../schema.sql");
/// The number in its last line.
pub const VERSION: i64 = 6;
/// The steps to it, in order; the first one is from the oldest schema that is known. Once it was released a step is
/// never edited: files exist that it has changed.
const STEPS: [Step; 3] = [
    Step {
        from: 3,
        name: "0004_backups",
        sql: include_str!("0004_backups.sql"),
    },
    Step {
        from: 4,
        name: "0005_billing",
        sql: include_str!("0005_billing.sql"),
    },
    Step {
        from: 5,
        name: "0006_portal",
        sql: include_str!("0006_portal.sql"),
    },
];
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

/// What a data folder is opened with.
#[derive(Clone, Copy)]
pub struct Origin<'o> {
    /// When.
    pub now: Timestamp,
    /// Where a new install's key comes from.
    pub random: &'o dyn Random,
    /// Where the key lies, when that is not in the folder.
    pub key_file: Option<&'o Path>,
    /// Whether a network file system will do.
    pub network_fs: NetworkFs,
}

impl<'o> Origin<'o> {
    /// With the key in the folder, on a disk of this machine.
    #[must_use]
    pub const fn new(now: Timestamp, random: &'o dyn Random) -> Self {
        Self {
            now,
            random,
            key_file: None,
            network_fs: NetworkFs::Refused,
        }
    }
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
    check_disk(folder, origin.network_fs)?;
    folder::prepare(folder)?;
    let path = folder.join(DATABASE);
    if is_there(&path)? && !swap::is_pending(folder)? {
        // Before the lock, which is a file as well.
        known(&path)?;
    }
    let lock = folder::lock(folder)?;
    let is_new = settle(folder, origin)?;
    let upgraded = upgrade_if_older(folder, origin)?;
    let (db, keys) = open(folder, origin)?;
    check_small(&path)?;
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
    check_disk(folder, origin.network_fs)?;
    folder::prepare(folder)?;
    let is_new = settle_beside(folder, origin)?;
    let (db, keys) = open(folder, origin)?;
    Ok(Opened {
        db,
        keys,
        is_new,
        upgraded: None,
    })
}

/// Refuses a network file system, unless it is allowed: to be asked before anything is made on it.
pub fn check_disk(folder: &Path, network_fs: NetworkFs) -> Result<()> {
    if network_fs == NetworkFs::Allowed {
        return Ok(());
    }
    match disk::network(folder).map_err(at(folder))? {
        Some(kind) => Err(Error::NetworkFs(folder.to_owned(), kind)),
        None => Ok(()),
    }
}

/// The keys that open this folder's database: its own, or those of the file that the operator named.
pub fn keys(folder: &Path, key_file: Option<&Path>) -> Result<Keys> {
    match key_file {
        None => key_file::read(folder)
            .map_err(Error::Key)?
            .ok_or_else(|| Error::KeyMissing(folder.to_owned())),
        Some(named) => key_file::read_named(named)
            .map_err(Error::Key)?
            .ok_or_else(|| Error::KeyFileMissing {
                path: named.to_owned(),
                own: Some(folder.join(key_file::NAME)).filter(|own| own.exists()),
            }),
    }
}

/// Which schema the file has, without a trace of the look. Answers as well for one that this program cannot use.
pub fn version(path: &Path) -> Result<i64> {
    Ok(look(path)?.version)
}

/// Brings a file that lies aside and that nobody has open to today's schema; answers with the version it was of, or
/// with none when it is today's already. For a copy that is verified, and for one that is about to be put back.
pub fn bring_up(path: &Path, world: World<'_>, record: Record) -> Result<Option<i64>> {
    match known(path)? {
        VERSION => Ok(None),
        _ => upgrade::aside(path, &STEPS, world, record).map(Some),
    }
}

/// Neither database nor key, finished or not.
fn is_bare(folder: &Path) -> Result<bool> {
    Ok(!swap::is_pending(folder)? && !is_there(&folder.join(DATABASE))? && !has_key(folder)?)
}

fn is_whole(folder: &Path, origin: Origin<'_>) -> Result<bool> {
    Ok(!swap::is_pending(folder)?
        && is_there(&folder.join(DATABASE))?
        && (origin.key_file.is_some() || has_key(folder)?))
}

/// Whether the folder's own key is there.
fn has_key(folder: &Path) -> Result<bool> {
    is_there(&folder.join(key_file::NAME))
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
    while !is_whole(folder, origin)? {
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
    let is_new = match (is_there(&folder.join(DATABASE))?, has_key(folder)?) {
        (true, true) => false,
        // A key of the folder's own belongs to a database that is lost, also where another is named.
        (false, true) => return Err(Error::KeyAlone(folder.to_owned())),
        (false, false) => {
            set_up(folder, &unfinished, origin)?;
            true
        }
        (true, false) if origin.key_file.is_some() => false,
        (true, false) => {
            move_key(folder, &unfinished)?;
            true
        }
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
    let named = match origin.key_file {
        Some(_) => Some(keys(folder, origin.key_file)?),
        None => None,
    };
    remove_all(unfinished).map_err(at(unfinished))?;
    DirBuilder::new()
        .mode(0o700)
        .create(unfinished)
        .and_then(|()| folder::take_owner(unfinished))
        .map_err(at(unfinished))?;
    if let Some(keys) = named {
        create_database(&unfinished.join(DATABASE), &keys, origin)?;
        return move_into(folder, unfinished, DATABASE);
    }
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
    let path = folder.join(DATABASE);
    known(&path)?;
    if look(&path)?.key_id != keys.identity() {
        return Err(missing());
    }
    move_into(folder, unfinished, key_file::NAME)
}

fn remove_all(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn open(folder: &Path, origin: Origin<'_>) -> Result<(Db, Keys)> {
    let path = folder.join(DATABASE);
    let keys = keys(folder, origin.key_file)?;
    let found = known(&path)?;
    check_key(folder, &path, &keys, origin)?;
    if found < VERSION {
        return Err(Error::Outdated(path, found));
    }
    let db = Db::open(&path, READERS).map_err(of(&path))?;
    Ok((db, keys))
}

fn check_key(folder: &Path, path: &Path, keys: &Keys, origin: Origin<'_>) -> Result<()> {
    if look(path)?.key_id == keys.identity() {
        return Ok(());
    }
    Err(Error::KeyWrong {
        folder: folder.to_owned(),
        key: origin
            .key_file
            .map_or_else(|| folder.join(key_file::NAME), Path::to_owned),
    })
}

/// Brings an older file that is whole and belongs to the key to today's schema. A copy is made first, and without it
/// nothing changes.
fn upgrade_if_older(folder: &Path, origin: Origin<'_>) -> Result<Option<Upgraded>> {
    let path = folder.join(DATABASE);
    let keys = keys(folder, origin.key_file)?;
    if known(&path)? == VERSION {
        return Ok(None);
    }
    check_key(folder, &path, &keys, origin)?;
    check_small(&path)?;
    let world = World {
        now: origin.now,
        random: origin.random,
        keys: &keys,
        mail_domain: "localhost",
    };
    upgrade::in_place(folder, &path, &STEPS, world).map(Some)
}

/// The oldest schema that is known.
fn oldest() -> i64 {
    STEPS.first().map_or(VERSION, |step| step.from)
}

/// The version of a file that this program can use, or bring to where it can.
fn known(path: &Path) -> Result<i64> {
    match look(path)?.version {
        newer if newer > VERSION => Err(Error::Newer(path.to_owned(), newer)),
        older if older < oldest() => Err(Error::Older(path.to_owned(), older)),
        version => Ok(version),
    }
}

/// What a file says of itself.
struct Looked {
    version: i64,
    /// The key it belongs to.
    key_id: Vec<u8>,
}

/// Looks at the file, of which no byte changes, and beside which nothing appears.
fn look(path: &Path) -> Result<Looked> {
    let found = fs::symlink_metadata(path).map_err(at(path))?;
    if found.file_type().is_symlink() || found.nlink() > 1 {
        return Err(Error::Linked(path.to_owned()));
    }
    if !found.is_file() || !is_sqlite(path).map_err(at(path))? {
        return Err(Error::NotOurs(path.to_owned()));
    }
    let looked = db::glance(path, |read| {
        let is_ours = read.get(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'install')",
            [],
            |row| row.get::<_, bool>(0),
        )?;
        if !is_ours {
            return Ok(None);
        }
        let version = read.get("PRAGMA user_version", [], |row| row.get::<_, i64>(0))?;
        if !(oldest()..=VERSION).contains(&version) {
            // What else it holds is not for this program to know.
            let key_id = Vec::new();
            return Ok(Some(Looked { version, key_id }));
        }
        let key_id = read.find("SELECT key_id FROM install", [], |row| row.get(0))?;
        Ok(Some(Looked {
            version,
            key_id: key_id.unwrap_or_default(),
        }))
    });
    match looked.map_err(of(path))? {
        Some(looked) if looked.version > 0 => Ok(looked),
        Some(_) | None => Err(Error::NotOurs(path.to_owned())),
    }
}

/// Looked at before SQLite does, which would turn an empty file into a database.
fn is_sqlite(path: &Path) -> io::Result<bool> {
    use std::io::Read;

    let mut head = Vec::with_capacity(16);
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(head == b"SQLite format 3\0")
}

/// Reads a small file through, so that damage is found before anybody signs in, and before a step changes anything.
fn check_small(path: &Path) -> Result<()> {
    if fs::metadata(path).map_err(at(path))?.len() > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let words = db::glance(path, |read| {
        read.list("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    })
    .map_err(of(path))?;
    match words.first().map(String::as_str) {
        Some("ok") => Ok(()),
        other => Err(Error::Damaged(
            path.to_owned(),
            // The first line only names the database.
            other
                .and_then(|words| words.lines().last())
                .unwrap_or("no answer")
                .to_owned(),
        )),
    }
}
