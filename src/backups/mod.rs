//! Copies of the file: how they are made, verified and named, which ones stay, and what a file that was put back must
//! forget. Owns `backups`.
//!
//! A copy is verified before it gets its name, so that whatever bears the name of a backup is whole. It never holds the
//! key. Nightly ones are told from all other files by their exact name, and only they are ever removed.

pub mod mail;
mod sql;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::accounts::{self, Status};
use crate::audit::{self, Action, Audited, Event};
use crate::error::Result;
use crate::invitations;
use crate::kit::db::upgrade;
use crate::kit::db::{self, Read, Tx};
use crate::kit::folder;
use crate::kit::keys::Keys;
use crate::kit::time::{DAY, MINUTE, Timestamp, instant};
use crate::organisations;
use crate::outbox::{self, Errand};
use crate::passwords;
use crate::profile;
use crate::scope::By;
use crate::sessions;
use crate::setup;
use crate::two_factor::{self, UsedCode};

pub use sql::{facts, installed_at, last_good};

/// What a copy is called until it is verified.
const UNFINISHED: &str = ".backup.unfinished";
/// How the name of a nightly one begins.
const NIGHTLY: &str = "doorward-";
/// How the name of a database begins that a backup has replaced.
const REPLACED: &str = "replaced-";
/// What SQLite may leave beside it.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];
/// So many rows are kept of what was tried.
const KEPT: i64 = 100;
/// So many copies of one second have a name.
const SAME_SECOND: u32 = 1000;
/// How often it is asked whether another copy in the same folder is done.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a stamp is: `2026-11-24T02-30-00Z`.
const STAMP_LEN: usize = 20;
/// A new install is left alone at first.
const YOUNG: i64 = MINUTE;

/// Why a copy was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Because it is night.
    Nightly,
    /// The operator asked for it.
    Command,
    /// The file is about to get another schema.
    Upgrade,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nightly, Self::Command, Self::Upgrade];

    /// The name in the file.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Nightly => "nightly",
            Self::Command => "command",
            Self::Upgrade => "upgrade",
        }
    }
}

/// When backups are made, where they go, how many stay: what the operator decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The second of the UTC day; none: not by itself.
    pub at: Option<i64>,
    /// How many nightly ones stay.
    pub keep: usize,
    /// Where they go.
    pub folder: PathBuf,
}

/// One try to make a copy, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Why.
    pub cause: Cause,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The copy, or where it was to be.
    pub place: String,
    /// Its size, or why there is none.
    pub outcome: std::result::Result<i64, String>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How many organisations.
    pub organisations: i64,
    /// How many accounts that are not deleted.
    pub accounts: i64,
    /// How many events in the audit log.
    pub events: i64,
    /// When the last of them was; none while there are none.
    pub changed_at: Option<Timestamp>,
    /// The oldest organisation's name.
    pub first: Option<String>,
}

/// How the backups are, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whether there are nightly ones.
    pub is_nightly: bool,
    /// Where none is known of: when this file was put back from one, and of when that was, as far as it said so.
    pub put_back: Option<(Timestamp, Option<Timestamp>)>,
    /// The last that succeeded: when, and its size.
    pub last: Option<(Timestamp, i64)>,
    /// Since when the nightly ones fail, while they do.
    pub failing: Option<Failing>,
}

/// Nightly backups that fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// Why, the last time.
    pub words: String,
}

/// A copy to be made: everything it needs, so that a thread of its own can make it.
#[derive(Clone, Debug)]
pub struct Order {
    /// The file that is copied.
    pub database: PathBuf,
    /// Where the copy goes, with its name.
    pub target: PathBuf,
    /// What becomes of it when that name is taken.
    pub if_taken: IfTaken,
    /// How long it waits for another copy that is being made in the same folder.
    pub patience: Duration,
    /// The keys under which the audit log must be whole.
    pub keys: Keys,
    /// The schema that it must have.
    pub version: i64,
    /// When.
    pub now: Timestamp,
}

/// What becomes of a copy whose name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfTaken {
    /// There is none: the name is what somebody asked for.
    Refuse,
    /// It gets the next name that is free, with a number behind: two of the same second.
    CountUp,
}

/// A copy that was made and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where it lies; where it would have had a name, of one that has none.
    pub place: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it holds.
    pub facts: Facts,
}

/// Why there is no copy. Its words name no path, since people read them who do not run the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let words = match error.kind() {
            ErrorKind::NotFound => "the folder is not there; is its disk mounted?",
            ErrorKind::NotADirectory => "the place of backups is no folder",
            ErrorKind::PermissionDenied => "this user may not write there",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full",
            ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
            ErrorKind::AlreadyExists => {
                "there is a file of this name already; name another, or a folder"
            }
            _ => return Self(error.to_string()),
        };
        Self(words.to_owned())
    }
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Self {
        if error.is_disk_full() {
            return io::Error::from(ErrorKind::StorageFull).into();
        }
        match error {
            // What the system refused comes as it is, in the words for people.
            db::Error::Broken(cause) if cause.is::<io::Error>() => {
                match cause.downcast::<io::Error>() {
                    Ok(error) => (*error).into(),
                    Err(cause) => Self(cause.to_string()),
                }
            }
            other => Self(other.to_string()),
        }
    }
}

impl From<crate::error::Error> for Failure {
    fn from(error: crate::error::Error) -> Self {
        Self(error.to_string())
    }
}

/// The name of a nightly backup.
#[must_use]
pub fn nightly_name(at: Timestamp) -> String {
    format!("{NIGHTLY}{}.db", stamp(at))
}

/// The name of one that somebody asked for: never that of a nightly one, which goes with time.
#[must_use]
pub fn by_hand_name(at: Timestamp) -> String {
    format!("doorward-by-hand-{}.db", stamp(at))
}

/// The name of a database that a backup replaces, without its end.
#[must_use]
pub fn replaced_name(at: Timestamp) -> String {
    format!("{REPLACED}{}", stamp(at))
}

/// `2026-11-24T02-30-00Z`: sorts by time, and is a file's name everywhere.
fn stamp(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(
        |_| at.0.to_string(),
        |at| at.strftime("%Y-%m-%dT%H-%M-%SZ").to_string(),
    )
}

/// When a backup was made, if its name is one of ours.
#[must_use]
pub fn made_at(name: &str) -> Option<Timestamp> {
    read_name(name).map(|(_, at, _)| at)
}

/// What a name of ours says: how it begins, the second, and which of that second it is.
fn read_name(name: &str) -> Option<(&'static str, Timestamp, u32)> {
    let name = name.strip_suffix(".db")?;
    let (start, rest) = ["doorward-by-hand-", NIGHTLY, REPLACED]
        .into_iter()
        .find_map(|start| Some((start, name.strip_prefix(start)?)))?;
    let (stamped, number) = rest.split_at_checked(STAMP_LEN)?;
    let number = match number {
        "" => 1,
        number => {
            let digits = number.strip_prefix('-')?;
            let number: u32 = digits.parse().ok()?;
            // As we write it, so that no two names say the same.
            (number > 1 && number.to_string() == digits).then_some(number)?
        }
    };
    let at = jiff::civil::DateTime::strptime("%Y-%m-%dT%H-%M-%SZ", stamped).ok()?;
    let at = Timestamp(
        at.to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_second(),
    );
    (stamp(at) == stamped).then_some((start, at, number))
}

/// When a nightly backup was made and which of that second it is, if this is the exact name of one.
fn night(name: &str) -> Option<(Timestamp, u32)> {
    read_name(name)
        .filter(|(start, ..)| *start == NIGHTLY)
        .map(|(_, at, number)| (at, number))
}

/// Makes the copy: whole, verified, on the disk and its owner's alone; or nothing at all. What has its name already stays.
pub fn make(order: &Order) -> std::result::Result<Made, Failure> {
    let (room, name) = Room::of(order)?;
    let target = room.name(name, order.if_taken)?;
    let made = room.copy(order, target)?;
    fs::rename(&room.unfinished, &made.place)?;
    folder::sync(&room.folder)?;
    Ok(made)
}

/// The same without a name: the copy is whoever has it open, and gone with them.
pub fn make_nameless(order: &Order) -> std::result::Result<(File, Made), Failure> {
    let (room, _) = Room::of(order)?;
    let made = room.copy(order, order.target.clone())?;
    Ok((File::open(&room.unfinished)?, made))
}

/// Removes what a killed process left in the folder of backups, unless somebody is at it.
pub fn tidy_up(folder: &Path) {
    // Whoever cannot look cannot tidy up; the next copy says why.
    drop(Room::enter(folder, Duration::ZERO));
}

/// A folder in which one copy is being made.
struct Room {
    folder: PathBuf,
    unfinished: PathBuf,
    /// Locked for as long as the copy is made, so that what lies there unfinished is nobody's.
    _lock: File,
}

impl Room {
    fn of(order: &Order) -> std::result::Result<(Self, &OsStr), Failure> {
        let (Some(folder), Some(name)) = (order.target.parent(), order.target.file_name()) else {
            return Err(Failure("that is no file's name".to_owned()));
        };
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        // Only the folder beside the database is ours to make: elsewhere a missing one means a disk that is not there.
        let is_ours = folder.parent() == order.database.parent();
        if is_ours && !folder.exists() {
            DirBuilder::new().mode(0o700).create(folder)?;
            folder::take_owner(folder)?;
        }
        Ok((Self::enter(folder, order.patience)?, name))
    }

    fn enter(folder: &Path, patience: Duration) -> std::result::Result<Self, Failure> {
        let lock = File::open(folder)?;
        let deadline = instant() + patience;
        // Some network file systems know no locks; there two copies at once are the operator's to avoid.
        while let Err(TryLockError::WouldBlock) = lock.try_lock() {
            if instant() >= deadline {
                return Err(Failure(
                    "another backup is being made in this folder; try again when it is done"
                        .to_owned(),
                ));
            }
            thread::park_timeout(PAUSE);
        }
        let room = Self {
            folder: folder.to_owned(),
            unfinished: folder.join(UNFINISHED),
            _lock: lock,
        };
        room.clear()?;
        Ok(room)
    }

    fn clear(&self) -> io::Result<()> {
        folder::remove(&self.unfinished)?;
        for end in BESIDE {
            folder::remove(&self.folder.join(format!("{UNFINISHED}{end}")))?;
        }
        Ok(())
    }

    /// The name that the copy will have, which nothing has yet.
    fn name(&self, wanted: &OsStr, if_taken: IfTaken) -> io::Result<PathBuf> {
        let is_free = |target: &Path| fs::symlink_metadata(target).is_err();
        let target = self.folder.join(wanted);
        if is_free(&target) {
            return Ok(target);
        }
        let stem = Path::new(wanted).file_stem().and_then(OsStr::to_str);
        stem.filter(|_| if_taken == IfTaken::CountUp)
            .and_then(|stem| {
                (2..=SAME_SECOND)
                    .map(|number| self.folder.join(format!("{stem}-{number}.db")))
                    .find(|target| is_free(target))
            })
            .ok_or_else(|| ErrorKind::AlreadyExists.into())
    }

    fn copy(&self, order: &Order, place: PathBuf) -> std::result::Result<Made, Failure> {
        upgrade::copy(&order.database, &self.unfinished)?;
        folder::take_owner(&self.unfinished)?;
        let facts = upgrade::look(&self.unfinished, order.now, |read| judge(read, order))?;
        let bytes = fs::metadata(&self.unfinished)?.len();
        Ok(Made {
            place,
            bytes,
            facts,
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // The first failure is the one that tells why; what stays is removed next time.
        drop(self.clear());
    }
}

fn judge(read: &Read<'_>, order: &Order) -> std::result::Result<Facts, Failure> {
    let version = upgrade::version(read)?;
    if version != order.version {
        return Err(Failure(format!(
            "the copy is of schema version {version}, not {}",
            order.version
        )));
    }
    if let Some(first) = upgrade::complaints(read)?.into_iter().next() {
        return Err(Failure(format!("the copy is damaged: {first}")));
    }
    if let Some(fault) = audit::verify(read, &order.keys)?.faults.first() {
        return Err(Failure(format!(
            "the audit log is not what it was ({}); run doorward audit verify",
            fault.what
        )));
    }
    Ok(facts(read)?)
}

/// Removes nightly backups beyond the newest ones; nothing else, whatever lies there. Those that bear a later time than
/// the present are of a clock that was wrong, and count as the oldest: they must not drive out what is made tonight.
/// Answers with how many went.
pub fn prune(folder: &Path, keep: usize, now: Timestamp) -> io::Result<usize> {
    let mut nights = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(night) = name.to_str().and_then(night) else {
            continue;
        };
        if entry.file_type()?.is_file() {
            nights.push((night.0 <= now, night, name));
        }
    }
    nights.sort();
    let old = nights.len().saturating_sub(keep);
    for (_, _, name) in nights.iter().take(old) {
        folder::remove(&folder.join(name))?;
    }
    Ok(old)
}

/// The newest backup in a folder, by the names; none where there is none, or the folder may not be looked into.
#[must_use]
pub fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let ours = entries.filter_map(|entry| {
        let name = entry.file_name();
        // What was replaced is what went before a backup, and may be damaged.
        let (_, at, number) = read_name(name.to_str()?).filter(|(start, ..)| *start != REPLACED)?;
        entry
            .file_type()
            .is_ok_and(|of| of.is_file())
            .then(|| ((at, number), entry.path()))
    });
    ours.max().map(|(_, path)| path)
}

/// Whether a night has gone by without a backup: the last one since the install began, or since its first minute. What
/// bears a later time than the present is of a clock that was wrong for long, and says nothing.
pub fn is_due(read: &Read<'_>, at: i64) -> Result<bool> {
    let now = read.now();
    let night = Timestamp(now.0 - (now.0 - at).rem_euclid(DAY));
    let installed = sql::installed_at(read)?;
    if installed <= now && (night <= installed || now < installed.plus(YOUNG)) {
        return Ok(false);
    }
    Ok(sql::last_night(read)?.is_none_or(|last| last < night))
}

/// How the backups are.
pub fn state(read: &Read<'_>, plan: &Plan) -> Result<State> {
    let last = last_good(read)?;
    let put_back = match last {
        Some(_) => None,
        None => put_back(read)?,
    };
    Ok(State {
        is_nightly: plan.at.is_some(),
        put_back,
        last: last.and_then(|last| Some((last.ended_at, last.outcome.ok()?))),
        failing: match plan.at {
            Some(_) => failing(read)?,
            None => None,
        },
    })
}

/// When the file was last put back from a copy, and of when that was. The copy knew nothing of itself.
fn put_back(read: &Read<'_>) -> Result<Option<(Timestamp, Option<Timestamp>)>> {
    let Some((at, details)) = audit::last_of_system(read, Action::BackupRestored)? else {
        return Ok(None);
    };
    let details: serde_json::Value = serde_json::from_str(&details).unwrap_or_default();
    let made_at = details.get("made_at").and_then(serde_json::Value::as_i64);
    Ok(Some((at, made_at.map(Timestamp))))
}

/// Since when the nightly ones fail; none while the last one succeeded.
pub fn failing(read: &Read<'_>) -> Result<Option<Failing>> {
    let streak = sql::streak(read)?;
    Ok(streak.map(|(since, words)| Failing { since, words }))
}

/// Writes down how a try ended.
pub fn note(tx: &Tx<'_>, attempt: &Attempt) -> Result<()> {
    sql::insert(tx, attempt)?;
    Ok(sql::forget_old(tx, KEPT)?)
}

/// Writes down how a nightly try ended. The first that fails is recorded, and the owners are told; those that follow are
/// not, until one succeeds.
pub fn note_nightly(tx: &Tx<'_>, attempt: &Attempt) -> Result<()> {
    let is_first = attempt.outcome.is_err() && failing(tx)?.is_none();
    note(tx, attempt)?;
    if !is_first {
        return Ok(());
    }
    let mut told = 0;
    for organisation in organisations::list(tx)? {
        let owner = accounts::find(tx, organisation.owner)?
            .filter(|owner| owner.status == Status::Active && organisation.disabled_at.is_none());
        if let Some(owner) = owner {
            let errand = Errand::BackupFailed(attempt.began_at);
            outbox::enqueue(tx, &owner.recipient()?, &errand, None)?;
            told += 1;
        }
    }
    let event = Event::of_system(Action::BackupFailed).with("told", told);
    audit::record(tx, &By::system(), &event, ())?.into_inner();
    Ok(())
}

/// The operator made a copy.
pub fn made_by_hand(tx: &Tx<'_>, attempt: &Attempt) -> Result<Audited<()>> {
    note(tx, attempt)?;
    let bytes = attempt.outcome.as_ref().ok().copied();
    let event = Event::of_system(Action::BackupMade).with("bytes", bytes);
    audit::record(tx, &By::operator(), &event, ())
}

/// A backup that is about to be put back.
#[derive(Clone, Debug)]
pub struct Restored<'r> {
    /// When it was made, as far as is known.
    pub made_at: Option<Timestamp>,
    /// The schema it had.
    pub version: i64,
    /// Whether its key is lost, and the transaction's takes over.
    pub is_key_new: bool,
    /// Recovery codes that are known to be used since.
    pub used: &'r [UsedCode],
}

/// Why mail that the backup owed is not sent.
const MAY_BE_SENT: &str = "A backup was restored: it may have been sent before.";

/// The file was put back from a backup: whatever opened something then opens nothing any more, and no mail is sent twice.
/// Passwords, second factors and browsers that are known stay.
pub fn restored(tx: &Tx<'_>, by: &By, restored: &Restored<'_>) -> Result<Audited<()>> {
    two_factor::pass_over_due(tx)?;
    sessions::end_everything(tx)?;
    two_factor::close_the_past(tx, restored.used)?;
    passwords::void_all(tx)?;
    invitations::void_all(tx)?;
    profile::void_all(tx)?;
    setup::void_link(tx)?;
    let mails = outbox::drop_owed(tx, MAY_BE_SENT)?;
    if restored.is_key_new {
        setup::take_over(tx, by)?.into_inner();
    }
    let event = Event::of_system(Action::BackupRestored)
        .with("made_at", restored.made_at.map(|at| at.0))
        .with("schema", restored.version)
        .with("mails", mails);
    audit::record(tx, by, &event, ())
}
