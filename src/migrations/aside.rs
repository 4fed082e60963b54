//! A database that lies aside: the copy of a backup, to be looked at or to be put back.
//!
//! The backup itself is only read. Its copy lies in a private folder that goes with it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::{
    DATABASE, Error, READERS, Record, Result, at, bring_up, is_sqlite, is_there, look, of,
    remove_all,
};
use crate::kit::db::upgrade;
use crate::kit::db::{self, Db, Read, Tx, World};
use crate::kit::folder;
use crate::kit::keys::Keys;
use crate::kit::random::OsRandom;
use crate::kit::time::{Timestamp, instant};

/// The end of the name of a database's log, which may hold what was committed last.
pub const LOG: &str = "-wal";

/// How long whoever still has the copy open may take to close it.
const FOLD_WAIT: Duration = Duration::from_secs(5);
const FOLD_PAUSE: Duration = Duration::from_millis(20);

/// The copy of a backup, whole and of today's schema.
#[derive(Debug)]
pub struct Aside {
    /// None once it is finished.
    db: Option<Db>,
    folder: PathBuf,
    /// The schema that the backup has.
    pub version: i64,
    /// The log that lay beside the backup, and was taken along.
    pub log: Option<PathBuf>,
    key_id: Vec<u8>,
    is_kept: bool,
}

/// Where the log of a database lies.
#[must_use]
pub fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(LOG);
    PathBuf::from(name)
}

impl Aside {
    /// Copies the backup into this folder, which must not be there yet, checks it from the first page to the last, and
    /// brings the copy to today's schema. Whoever will put it back says with which keys: where it belongs to them, its
    /// audit log says so.
    pub fn take(file: &Path, folder: &Path, now: Timestamp, keys: Option<&Keys>) -> Result<Self> {
        let found = fs::metadata(file).map_err(at(file))?;
        if !found.is_file() || !is_sqlite(file).map_err(at(file))? {
            return Err(Error::NoBackup(file.to_owned()));
        }
        DirBuilder::new()
            .mode(0o700)
            .create(folder)
            .and_then(|()| folder::take_owner(folder))
            .map_err(at(folder))?;
        let mut aside = Self {
            db: None,
            folder: folder.to_owned(),
            version: 0,
            log: None,
            key_id: Vec::new(),
            is_kept: false,
        };
        let path = aside.path();
        copy(file, &path).map_err(at(&path))?;
        let (log, own_log) = (log_of(file), log_of(&path));
        if is_there(&log)? {
            copy(&log, &own_log).map_err(at(&own_log))?;
            aside.log = Some(log);
        }
        aside.open(file, now, keys)?;
        Ok(aside)
    }

    /// The copy.
    fn path(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    fn open(&mut self, file: &Path, now: Timestamp, keys: Option<&Keys>) -> Result<()> {
        let path = self.path();
        let unreadable = |error: db::Error| match error {
            db::Error::Broken(cause) => Error::BackupDamaged(file.to_owned(), cause.to_string()),
            other => Error::Storage(file.to_owned(), other),
        };
        let named = |error: Error| match error {
            Error::NotOurs(_) => Error::NoBackup(file.to_owned()),
            Error::Newer(_, version) => Error::Newer(file.to_owned(), version),
            Error::Older(_, version) => Error::Older(file.to_owned(), version),
            Error::Storage(_, cause) => unreadable(cause),
            other => other,
        };
        // Of a newer schema nothing else can be told, not even damage.
        super::known(&path).map_err(named)?;
        upgrade::fold(&path).map_err(unreadable)?;
        let complaints = upgrade::look(&path, now, upgrade::complaints).map_err(unreadable)?;
        if let Some(first) = complaints.into_iter().next() {
            return Err(Error::BackupDamaged(file.to_owned(), first));
        }
        let found = look(&path).map_err(named)?;
        let nobody = Keys::new([0; 32]);
        let own = keys.filter(|keys| found.key_id == keys.identity());
        let world = World {
            now,
            random: &OsRandom,
            keys: own.unwrap_or(&nobody),
            mail_domain: "localhost",
        };
        let record = if own.is_some() {
            Record::Kept
        } else {
            Record::Left
        };
        bring_up(&path, world, record).map_err(named)?;
        self.version = found.version;
        self.key_id = found.key_id;
        self.db = Some(Db::open(&path, READERS).map_err(of(file))?);
        Ok(())
    }

    /// Asks the copy.
    pub fn read<T, E: From<db::Error>>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Read<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.db().map_err(E::from)?.read(now, work)
    }

    /// Changes the copy.
    pub fn write<T, E: From<db::Error>>(
        &self,
        world: World<'_>,
        work: impl FnOnce(&Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.db().map_err(E::from)?.write(world, work)
    }

    /// Whether it is of the install with these keys.
    #[must_use]
    pub fn belongs(&self, keys: &Keys) -> bool {
        self.key_id == keys.identity()
    }

    fn db(&self) -> db::Result<&Db> {
        let closed = || db::Error::Broken("it is closed".into());
        self.db.as_ref().ok_or_else(closed)
    }

    /// Closes the copy, whole and on the disk, and leaves it in its folder.
    pub fn finish(mut self) -> Result<()> {
        let path = self.path();
        drop(self.db.take());
        // The readers' pool ends in threads of its own: one may have the copy open for a moment yet.
        let deadline = instant() + FOLD_WAIT;
        upgrade::fold(&path).map_err(of(&path))?;
        while is_there(&log_of(&path))? && instant() < deadline {
            thread::park_timeout(FOLD_PAUSE);
            upgrade::fold(&path).map_err(of(&path))?;
        }
        if is_there(&log_of(&path))? {
            let words = "its log could not be folded in".to_owned();
            return Err(Error::BackupDamaged(path, words));
        }
        folder::take_owner(&path)
            .and_then(|()| File::open(&path)?.sync_all())
            .and_then(|()| folder::sync(&self.folder))
            .map_err(at(&path))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.db = None;
        if !self.is_kept {
            // The first failure is the one that tells why; the next start removes what stays.
            drop(remove_all(&self.folder));
        }
    }
}

/// A file of its owner's alone, with the bytes of another.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}
