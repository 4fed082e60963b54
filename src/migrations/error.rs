//! Why a data folder is not opened, in sentences for whoever runs the binary.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::VERSION;
use crate::kit::db;
use crate::kit::folder;
use crate::kit::key_file;

/// Why the data folder is not opened: a sentence, with the way out where there is one.
#[derive(Debug)]
pub enum Error {
    /// The folder itself.
    Folder(folder::Error),
    /// The key file itself.
    Key(key_file::Error),
    /// It lies on a network file system, of this kind.
    NetworkFs(PathBuf, String),
    /// Nothing was set up here, and this command sets nothing up.
    Empty(PathBuf),
    /// There is a key and no database.
    KeyAlone(PathBuf),
    /// There is a database and no key.
    KeyMissing(PathBuf),
    /// There is no key where the operator says that it lies.
    KeyFileMissing {
        /// Where.
        path: PathBuf,
        /// The key in the data folder, where there is one.
        own: Option<PathBuf>,
    },
    /// Key and database are of two installs.
    KeyWrong {
        /// The data folder.
        folder: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// Something that belongs to a database that is not there.
    Trace(PathBuf),
    /// The database has another name too, under which another process may write to it.
    Linked(PathBuf),
    /// A file, but none of ours.
    NotOurs(PathBuf),
    /// Of a later version.
    Newer(PathBuf, i64),
    /// Of a version that the server brings to today's.
    Outdated(PathBuf, i64),
    /// Of a version from before the first release.
    Older(PathBuf, i64),
    /// A step to today's schema was not taken.
    Step {
        /// The database.
        path: PathBuf,
        /// The step's name.
        step: &'static str,
        /// The version it begins with.
        from: i64,
        /// Whether none was taken before it.
        is_first: bool,
        /// Why not.
        cause: String,
        /// The copy from before the upgrade, where one was made.
        copy: Option<PathBuf>,
    },
    /// The disk has no room for the copy that is made before an upgrade.
    NoRoom {
        /// Where it was to be.
        folder: PathBuf,
        /// How many bytes an upgrade takes.
        needed: u64,
        /// How many are free.
        free: Option<u64>,
    },
    /// That copy could not be made for another reason.
    Copy(PathBuf, db::Error),
    /// It holds what it cannot hold.
    Damaged(PathBuf, String),
    /// A file that was given as a backup, and is none.
    NoBackup(PathBuf),
    /// A backup that holds what it cannot hold.
    BackupDamaged(PathBuf, String),
    /// Storage refused.
    Storage(PathBuf, db::Error),
    /// The operating system refused.
    Io(PathBuf, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(error) => write!(f, "{error}"),
            Self::Key(error) => write!(f, "{error}"),
            Self::NetworkFs(folder, kind) => write!(
                f,
                "{} lies on a network file system ({kind}), where locks may not hold and the database may break; name \
                 a folder on a disk of this machine with --data, or take the risk with --allow-network-fs",
                folder.display()
            ),
            Self::Empty(folder) => write!(
                f,
                "there is no portal in {}; name its data folder with --data, or begin one: doorward serve",
                folder.display()
            ),
            Self::KeyAlone(folder) => write!(
                f,
                "the data folder {} holds secret.key and no doorward.db; put it back from a backup: doorward restore \
                 FILE, or name an empty folder to begin anew",
                folder.display()
            ),
            Self::KeyMissing(folder) => write!(
                f,
                "the data folder {0} holds doorward.db and no secret.key; put back your copy of secret.key, or, if it \
                 is lost, {1}",
                folder.display(),
                NewKey(folder)
            ),
            Self::KeyFileMissing {
                path,
                own: Some(own),
            } => write!(
                f,
                "there is no key at {0}, where secret_key_file says it lies; move it there: mv {1} {0}",
                path.display(),
                own.display()
            ),
            Self::KeyFileMissing { path, own: None } => write!(
                f,
                "there is no key at {0}, where secret_key_file says it lies; put your copy of the key there, or make \
                 one: doorward setup-link --data DIR, without secret_key_file, sets up an empty folder DIR, of which \
                 secret.key is the key",
                path.display()
            ),
            Self::KeyWrong { folder, key } => write!(
                f,
                "{} and doorward.db in {} do not belong together; put back the key that was made with this database, \
                 or, if it is lost, {}",
                key.display(),
                folder.display(),
                NewKey(folder)
            ),
            Self::Trace(path) => write!(
                f,
                "{} belongs to a database that is not there; put back secret.key and a backup: doorward restore FILE, \
                 or name an empty folder to begin anew",
                path.display()
            ),
            Self::Linked(path) => write!(
                f,
                "{} is a link, or has a second name, so that two processes could write to it; put the file itself \
                 there",
                path.display()
            ),
            Self::NotOurs(path) => write!(
                f,
                "{} is no database of doorward; put back a copy of yours, or name another folder",
                path.display()
            ),
            Self::Newer(path, version) => write!(
                f,
                "{} is of schema version {version}, and this doorward knows version {VERSION}; run the newer doorward",
                path.display()
            ),
            Self::Outdated(path, version) => write!(
                f,
                "{} is of schema version {version}, and this doorward works with version {VERSION}; start doorward serve, \
                 which brings it up to date after making a copy",
                path.display()
            ),
            Self::Older(path, version) => write!(
                f,
                "{} is of schema version {version}, from before the first release, and this doorward knows version \
                 {VERSION}; run the doorward that made it, or name another folder",
                path.display()
            ),
            Self::Step {
                path,
                step,
                from,
                is_first,
                cause,
                copy,
            } => {
                write!(
                    f,
                    "the step {step} from schema version {from} to {} failed on {}: {cause}; the file is as it was \
                     before this step",
                    from + 1,
                    path.display()
                )?;
                match copy {
                    None => Ok(()),
                    Some(copy) if *is_first => write!(
                        f,
                        "; to go back, start the doorward from before, which can use it as it is (a copy is in {})",
                        copy.display()
                    ),
                    Some(copy) => write!(
                        f,
                        "; to go back, put the doorward from before in its place again and run: doorward restore {}",
                        copy.display()
                    ),
                }
            }
            Self::NoRoom {
                folder,
                needed,
                free,
            } => {
                write!(
                    f,
                    "there is no room in {} for the copy that is made before an upgrade; nothing was changed; about {} \
                     must be free",
                    folder.display(),
                    Size(*needed)
                )?;
                match free {
                    Some(free) => write!(f, ", and {} are", Size(*free)),
                    None => Ok(()),
                }
            }
            Self::Copy(path, cause) => write!(
                f,
                "the copy that is made before an upgrade could not be written to {}: {cause}; nothing was changed",
                path.display()
            ),
            Self::Damaged(path, what) => write!(
                f,
                "{} is damaged ({what}); put back a backup: doorward restore FILE",
                path.display()
            ),
            Self::NoBackup(path) => write!(
                f,
                "{} is no backup of doorward; name another file",
                path.display()
            ),
            Self::BackupDamaged(path, what) => write!(
                f,
                "the backup {} is damaged ({what}); take another one",
                path.display()
            ),
            Self::Storage(path, cause @ db::Error::Disk(_)) => write!(
                f,
                "the database {} cannot be used: {cause}; make room on its disk, or mount it for writing if it is \
                 read-only",
                path.display()
            ),
            Self::Storage(path, cause @ db::Error::Busy) => {
                write!(f, "the database {} cannot be used: {cause}", path.display())
            }
            Self::Storage(path, cause) => write!(
                f,
                "the database {} cannot be used: {cause}; put back a copy of it: doorward restore FILE",
                path.display()
            ),
            Self::Io(path, cause) if cause.kind() == io::ErrorKind::PermissionDenied => write!(
                f,
                "{}: {cause}; run this as the user that serves the folder, or as root",
                path.display()
            ),
            Self::Io(path, cause) => {
                write!(f, "{}: {cause}{}", path.display(), folder::way_out(cause))
            }
        }
    }
}

impl std::error::Error for Error {}

/// The way out without a key.
struct NewKey<'f>(&'f Path);

impl fmt::Display for NewKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "begin with another: doorward restore FILE --new-key, where FILE is a backup or a copy of {} (links, \
             sessions and second factors become void)",
            self.0.join(super::DATABASE).display()
        )
    }
}

/// So many bytes, in words.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MEGABYTE: u64 = 1_000_000;
        if self.0 < MEGABYTE {
            write!(f, "{} kB", self.0.div_ceil(1000))
        } else {
            let tenths = self.0.div_ceil(MEGABYTE / 10);
            write!(f, "{}.{} MB", tenths / 10, tenths % 10)
        }
    }
}

impl From<Error> for crate::error::Error {
    fn from(error: Error) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<folder::Error> for Error {
    fn from(error: folder::Error) -> Self {
        Self::Folder(error)
    }
}
