//! Why a data folder is not opened, in sentences for whoever runs the binary.

use std::fmt;
use std::io;
use std::path::PathBuf;

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
    /// Nothing was set up here, and this command sets nothing up.
    Empty(PathBuf),
    /// There is a key and no database.
    KeyAlone(PathBuf),
    /// There is a database and no key.
    KeyMissing(PathBuf),
    /// Key and database are of two installs.
    KeyWrong(PathBuf),
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
    /// It holds what it cannot hold.
    Damaged(PathBuf, String),
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
            Self::Empty(folder) => write!(
                f,
                "there is no portal in {}; name its data folder with --data, or begin one: doorward serve",
                folder.display()
            ),
            Self::KeyAlone(folder) => write!(
                f,
                "the data folder {} holds secret.key and no doorward.db; put back a copy of doorward.db, or name an \
                 empty folder to begin anew",
                folder.display()
            ),
            Self::KeyMissing(folder) => write!(
                f,
                "the data folder {} holds doorward.db and no secret.key; put back your copy of secret.key",
                folder.display()
            ),
            Self::KeyWrong(folder) => write!(
                f,
                "secret.key and doorward.db in {} do not belong together; put back the secret.key that was made with \
                 this database",
                folder.display()
            ),
            Self::Trace(path) => write!(
                f,
                "{} belongs to a database that is not there; put back doorward.db and secret.key, or name an empty \
                 folder to begin anew",
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
            Self::Damaged(path, what) => write!(
                f,
                "{} is damaged ({what}); put back a copy of it",
                path.display()
            ),
            Self::Storage(path, cause @ db::Error::Disk(_)) => write!(
                f,
                "the database {} cannot be used: {cause}; make room on its disk, or mount it for writing if it is \
                 read-only",
                path.display()
            ),
            Self::Storage(path, cause) => {
                write!(f, "the database {} cannot be used: {cause}", path.display())
            }
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
