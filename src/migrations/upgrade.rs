//! An older file is brought to today's schema: a copy first, then each step in a transaction of its own.
//!
//! A kill leaves the file as it was before the step it met, and the copy whole. Between two steps the file itself
//! remembers with which version the upgrade began and which copy is of that version; the last step forgets it again,
//! and records the upgrade in the system's audit chain, in its own transaction.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, Read as _};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::aside::log_of;
use super::{BACKUPS, Error, Result, at, look, of};
use crate::audit::{self, Action, Event};
use crate::backups::{self, Attempt, Cause};
use crate::kit::db::upgrade::{self, Step};
use crate::kit::db::{self, Read, Tx, World};
use crate::kit::disk;
use crate::kit::folder;
use crate::kit::time::instant;
use crate::scope::By;

/// What is not yet a copy.
const UNFINISHED: &str = ".pre-upgrade.unfinished";
/// More copies of one name than anybody makes.
const COPIES_MAX: u32 = 1000;
/// The table of an upgrade that has begun and is not over: no part of any schema.
const BEGIN: &str =
    "CREATE TABLE upgrade_begun (version INTEGER NOT NULL, copy TEXT NOT NULL) STRICT";

/// A file that was brought to today's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The schema it had.
    pub from: i64,
    /// The one it has.
    pub to: i64,
    /// How long that took, the copy included.
    pub took: Duration,
    /// The copy that was made before.
    pub copy: PathBuf,
}

/// Whether the system's audit chain is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// In the transaction of the last step, under the world's keys.
    Kept,
    /// Not: the file's key is not there.
    Left,
}

/// The upgrade as the file remembers it between two steps.
struct Begun {
    version: i64,
    /// The copy's name in the folder of backups.
    copy: String,
}

/// Brings the data folder's file to the schema after the last step. The caller has the lock, and knows that file and
/// key belong together and that the first steps' schema is the file's.
pub(super) fn in_place(
    folder: &Path,
    path: &Path,
    steps: &[Step],
    world: World<'_>,
) -> Result<Upgraded> {
    let start = instant();
    let now = look(path)?.version;
    let begun = begun(path)?;
    let kept = begun
        .as_ref()
        .map(|begun| folder.join(BACKUPS).join(&begun.copy))
        .filter(|copy| look(copy).is_ok());
    let from = begun.as_ref().map_or(now, |begun| begun.version);
    let copy = match kept {
        Some(copy) => copy,
        None => put_copy(folder, path, now)?,
    };
    tracing::info!(from, to = end(steps), "migrating the database");
    take_all(path, steps, world, Record::Kept, Some(&copy))?;
    Ok(Upgraded {
        from,
        to: end(steps),
        took: start.elapsed(),
        copy,
    })
}

/// Brings a file that nobody serves to the schema after the last step, without a copy; answers with the version the
/// upgrade began with.
pub(super) fn aside(path: &Path, steps: &[Step], world: World<'_>, record: Record) -> Result<i64> {
    let now = look(path)?.version;
    let from = begun(path)?.map_or(now, |begun| begun.version);
    take_all(path, steps, world, record, None)?;
    Ok(from)
}

fn end(steps: &[Step]) -> i64 {
    steps.last().map_or(0, Step::to)
}

fn take_all(
    path: &Path,
    steps: &[Step],
    world: World<'_>,
    record: Record,
    copy: Option<&Path>,
) -> Result<()> {
    let now = look(path)?.version;
    for step in steps.iter().filter(|step| step.from >= now) {
        let is_last = step.to() == end(steps);
        let taken = upgrade::take(path, step, world, |tx| {
            if is_last {
                finish(tx, step, record, copy)
            } else {
                Ok(begin(tx, step, copy)?)
            }
        });
        taken.map_err(|cause: crate::error::Error| Error::Step {
            path: path.to_owned(),
            step: step.name,
            from: step.from,
            is_first: step.from == now,
            cause: cause.to_string(),
            copy: copy.map(Path::to_owned),
        })?;
    }
    Ok(())
}

/// What the file remembers while steps are still to come. A later step finds it there.
fn begin(tx: &Tx<'_>, step: &Step, copy: Option<&Path>) -> db::Result<()> {
    if remembered(tx)?.is_some() {
        return Ok(());
    }
    let name = copy.and_then(Path::file_name).unwrap_or_default();
    tx.script(BEGIN)?;
    tx.execute(
        "INSERT INTO upgrade_begun (version, copy) VALUES (?1, ?2)",
        (step.from, name.to_string_lossy()),
    )?;
    Ok(())
}

/// The last step: nothing is left to remember, and the upgrade and its copy are on record.
fn finish(
    tx: &Tx<'_>,
    step: &Step,
    record: Record,
    copy: Option<&Path>,
) -> crate::error::Result<()> {
    let begun = remembered(tx)?;
    if begun.is_some() {
        tx.script("DROP TABLE upgrade_begun")?;
    }
    if let Some(copy) = copy {
        let bytes = fs::metadata(copy)?.len();
        let attempt = Attempt {
            cause: Cause::Upgrade,
            began_at: tx.now(),
            ended_at: tx.now(),
            place: copy.display().to_string(),
            outcome: Ok(i64::try_from(bytes).unwrap_or(i64::MAX)),
        };
        backups::note(tx, &attempt)?;
    }
    if record == Record::Left {
        return Ok(());
    }
    let event = Event::of_system(Action::SchemaUpgraded)
        .with("from", begun.map_or(step.from, |begun| begun.version))
        .with("to", step.to());
    audit::record(tx, &By::system(), &event, ()).map(|recorded| recorded.into_inner())
}

fn begun(path: &Path) -> Result<Option<Begun>> {
    db::glance(path, remembered).map_err(of(path))
}

fn remembered(read: &Read<'_>) -> db::Result<Option<Begun>> {
    let is_there = read.get(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'upgrade_begun')",
        [],
        |row| row.get::<_, bool>(0),
    )?;
    if !is_there {
        return Ok(None);
    }
    read.find("SELECT version, copy FROM upgrade_begun", [], |row| {
        Ok(Begun {
            version: row.get(0)?,
            copy: row.get(1)?,
        })
    })
}

/// A copy of the file as it is now. It has its name only once it is whole and on the disk, and it takes nobody's
/// place: of an upgrade that was killed before its first step the copy is there, with the same bytes, and stays; any
/// other file of that name is left alone, since it may be the only one of its kind.
fn put_copy(folder: &Path, path: &Path, version: i64) -> Result<PathBuf> {
    let around = folder.join(BACKUPS);
    let unfinished = around.join(UNFINISHED);
    make_way(folder, &around, &unfinished).map_err(|cause| {
        let cause = db::Error::from(cause);
        Error::Copy(unfinished.clone(), cause)
    })?;
    let put = make_copy(path, &unfinished, version).and_then(|()| name_copy(&around, &unfinished));
    if put.is_err() {
        // The first error is the one that tells why.
        drop(folder::remove(&unfinished));
    }
    put
}

/// The folder of copies is there, and nothing of an earlier try is in it.
fn make_way(folder: &Path, around: &Path, unfinished: &Path) -> io::Result<()> {
    if !around.exists() {
        DirBuilder::new().mode(0o700).create(around)?;
        folder::take_owner(around)?;
        folder::sync(folder)?;
    }
    for ending in ["", "-journal"] {
        let mut name = unfinished.as_os_str().to_owned();
        name.push(ending);
        folder::remove(Path::new(&name))?;
    }
    Ok(())
}

fn make_copy(path: &Path, unfinished: &Path, version: i64) -> Result<()> {
    upgrade::copy(path, unfinished).map_err(|error| {
        // What was written of it goes, and is free again.
        drop(folder::remove(unfinished));
        let around = unfinished.parent().unwrap_or(path);
        let (needed, free) = (needed(path), disk::room(around).ok());
        // Of files beside it SQLite says no more than that they could not be written.
        let is_full = error.is_disk_full()
            || matches!(error, db::Error::Disk(_)) && free.is_some_and(|free| free < needed);
        if is_full {
            let folder = around.to_owned();
            Error::NoRoom {
                folder,
                needed,
                free,
            }
        } else {
            Error::Copy(unfinished.to_owned(), error)
        }
    })?;
    let words = db::glance(unfinished, |read| {
        read.list("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    })
    .map_err(of(unfinished))?;
    if words != ["ok"] || look(unfinished)?.version != version {
        return Err(Error::Damaged(path.to_owned(), words.join(", ")));
    }
    folder::take_owner(unfinished).map_err(at(unfinished))
}

fn name_copy(around: &Path, unfinished: &Path) -> Result<PathBuf> {
    for number in 1..COPIES_MAX {
        let copy = around.join(copy_name(number));
        if !super::is_there(&copy)? {
            fs::rename(unfinished, &copy)
                .and_then(|()| folder::sync(around))
                .map_err(at(&copy))?;
            return Ok(copy);
        }
        if is_same(unfinished, &copy).map_err(at(&copy))? {
            folder::remove(unfinished).map_err(at(unfinished))?;
            return Ok(copy);
        }
    }
    let words = "there are too many copies of this name; move some elsewhere";
    Err(at(&around.join(copy_name(1)))(io::Error::other(words)))
}

/// The copy's name tells which version of the program was about to change the file.
fn copy_name(number: u32) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match number {
        1 => format!("pre-{version}.db"),
        more => format!("pre-{version}-{more}.db"),
    }
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let found = fs::symlink_metadata(other)?;
    if !found.is_file() || found.len() != fs::metadata(one)?.len() {
        return Ok(false);
    }
    let mut one = BufReader::new(File::open(one)?).bytes();
    for byte in BufReader::new(File::open(other)?).bytes() {
        if one.next().transpose()? != Some(byte?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many bytes an upgrade takes for a while: the copy as many as the file and its log have, and a step that builds
/// tables anew may take as much twice again.
fn needed(path: &Path) -> u64 {
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    (bytes(path) + bytes(&log_of(path))).saturating_mul(3)
}
