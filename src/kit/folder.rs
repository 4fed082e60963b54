//! The data folder: made, kept private, and served by one process.
//!
//! It knows files and their owners, and not what lies in them. One writer at a time for each name: whoever writes
//! holds the lock, or is the one command that an operator runs.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown,
};
use std::path::{Path, PathBuf};

/// The side file that is locked. It stays when the lock goes: removing it would let two processes lock two files.
const LOCK: &str = "doorward.lock";
/// What a file that is not yet whole ends in.
const UNFINISHED: &str = ".unfinished";
/// A disk that is mounted as the data folder brings this.
const LOST_AND_FOUND: &str = "lost+found";
/// What the side file says is no longer than this.
const NOTE_MAX: u64 = 512;
/// Rights of anybody but the owner.
const OTHERS: u32 = 0o077;

/// Why the folder cannot be used.
#[derive(Debug)]
pub enum Error {
    /// There is something else at this path.
    NotAFolder(PathBuf),
    /// It holds files, and others may enter it.
    ReadableByOthers {
        /// The folder.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// It is empty, but somebody else's, so that it cannot be made private.
    NotOurs(PathBuf),
    /// Another process serves it.
    Served {
        /// The folder.
        path: PathBuf,
        /// Which process, when it said so.
        pid: Option<u32>,
    },
    /// The operating system refused.
    Io {
        /// What was tried.
        path: PathBuf,
        /// What it answered.
        cause: io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFolder(path) => {
                write!(f, "{} is no folder; name another", path.display())
            }
            Self::ReadableByOthers { path, mode } => write!(
                f,
                "the data folder {path} is open to other users (its rights are {mode:04o}); close it: chmod 700 {path}",
                path = path.display(),
                mode = mode & 0o7777
            ),
            Self::NotOurs(path) => write!(
                f,
                "the data folder {path} is another user's and open to others; give it to the user that runs doorward, or close it: chmod 700 {path}",
                path = path.display()
            ),
            Self::Served {
                path,
                pid: Some(pid),
            } => write!(
                f,
                "another doorward serves this folder (pid {pid}): {}",
                path.display()
            ),
            Self::Served { path, pid: None } => {
                write!(f, "another doorward serves this folder: {}", path.display())
            }
            Self::Io { path, cause } => {
                write!(f, "{}: {cause}{}", path.display(), way_out(cause))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { cause, .. } => Some(cause),
            Self::NotAFolder(_)
            | Self::ReadableByOthers { .. }
            | Self::NotOurs(_)
            | Self::Served { .. } => None,
        }
    }
}

/// What to do about a disk that takes nothing, as the end of a sentence; nothing where it is not the disk.
#[must_use]
pub fn way_out(cause: &io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; make room on that disk, and start again"
        }
        ErrorKind::ReadOnlyFilesystem => "; that disk is mounted read-only, mount it for writing",
        _ => "",
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |cause| Error::Io { path, cause }
}

/// Sees to it that the folder is there and private. A missing one is made, an empty one closed to others; one that
/// holds files and is open to others is refused, since nobody knows who has read them.
pub fn prepare(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(found) if !found.is_dir() => Err(Error::NotAFolder(path.to_owned())),
        Ok(found) if found.mode() & OTHERS == 0 => Ok(()),
        Ok(found) => {
            if !is_empty(path)? {
                return Err(Error::ReadableByOthers {
                    path: path.to_owned(),
                    mode: found.mode(),
                });
            }
            close(path)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => create(path).map_err(at(path)),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            Err(Error::NotAFolder(path.to_owned()))
        }
        Err(error) => Err(at(path)(error)),
    }
}

/// Whether the folder holds nothing of ours: neither the lock's side file nor what a killed write left counts.
pub fn is_empty(path: &Path) -> Result<bool, Error> {
    for entry in fs::read_dir(path).map_err(at(path))? {
        let name = entry.map_err(at(path))?.file_name();
        let is_nothing = name == LOCK || name == LOST_AND_FOUND || is_unfinished(&name);
        if !is_nothing {
            return Ok(false);
        }
    }
    Ok(true)
}

fn create(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    folder_of(path).map_or(Ok(()), sync)
}

fn close(path: &Path) -> Result<(), Error> {
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|cause| {
        if cause.kind() == ErrorKind::PermissionDenied {
            return Error::NotOurs(path.to_owned());
        }
        at(path)(cause)
    })
}

/// The folder is this process's for as long as this lives.
#[derive(Debug)]
#[must_use = "the folder is free again when the lock goes"]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Leaves some lines about this process beside its id, for [`note`].
    pub fn leave_note(&mut self, lines: &[&str]) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        writeln!(self.file, "{}\n{}", std::process::id(), lines.join("\n"))
    }
}

/// The lines that the process that has the lock, or had it last, left as its note; none where there are none.
#[must_use]
pub fn note(folder: &Path) -> Vec<String> {
    let mut text = String::new();
    let read = File::open(folder.join(LOCK))
        .and_then(|file| file.take(NOTE_MAX).read_to_string(&mut text));
    match read {
        Ok(_) => text.lines().skip(1).map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    }
}

/// Takes the folder for this process, or says who has it.
pub fn lock(folder: &Path) -> Result<Lock, Error> {
    let path = folder.join(LOCK);
    // Somebody may have put another file in its place while we waited for nothing: the lock is the file's, not the
    // name's. A second look settles it; whoever keeps replacing it is no doorward.
    for _ in 0..8 {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Served {
                    path: folder.to_owned(),
                    pid: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(cause)) => return Err(at(&path)(cause)),
        }
        if is_at(&file, &path) {
            write_pid(&mut file, folder).map_err(at(&path))?;
            return Ok(Lock { file });
        }
    }
    Err(at(&path)(io::Error::other(
        "the file is replaced again and again",
    )))
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(NOTE_MAX).read_to_string(&mut text).ok()?;
    text.lines().next()?.trim().parse().ok()
}

fn write_pid(file: &mut File, folder: &Path) -> io::Result<()> {
    hand_over(file, folder)?;
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// Writes a file that only its owner may read: whole and on the disk, or not at all. One of that name is replaced.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (Some(folder), Some(name)) = (folder_of(path), path.file_name()) else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "no file's name"));
    };
    let mut unfinished = OsString::from(".");
    unfinished.push(name);
    unfinished.push(UNFINISHED);
    let unfinished = folder.join(unfinished);
    let written = write_new(&unfinished, folder, bytes)
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| sync(folder));
    if written.is_err() {
        // The first error is the one that tells why.
        drop(remove(&unfinished));
    }
    written
}

fn write_new(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a killed write left, whatever its owner and rights.
    remove(path)?;
    // A new file, so that no link is followed and nobody has it open.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    hand_over(&file, folder)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes a file, and says nothing when there is none.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Gives a file that root made in this folder to the folder's owner, so that the server can still use it after an
/// operator's command.
pub fn take_owner(path: &Path) -> io::Result<()> {
    let Some(folder) = folder_of(path) else {
        return Ok(());
    };
    match heir(&fs::symlink_metadata(path)?, folder)? {
        Some((user, group)) => lchown(path, Some(user), Some(group)),
        None => Ok(()),
    }
}

fn hand_over(file: &File, folder: &Path) -> io::Result<()> {
    match heir(&file.metadata()?, folder)? {
        Some((user, group)) => fchown(file, Some(user), Some(group)),
        None => Ok(()),
    }
}

/// Whose the file should be, when it is root's and the folder is not.
fn heir(file: &fs::Metadata, folder: &Path) -> io::Result<Option<(u32, u32)>> {
    let folder = fs::metadata(folder)?;
    let is_roots = file.uid() == 0 && folder.uid() != 0;
    Ok(is_roots.then(|| (folder.uid(), folder.gid())))
}

fn folder_of(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    let is_here = parent.as_os_str().is_empty();
    Some(if is_here { Path::new(".") } else { parent })
}

/// Brings the names in the folder to the disk: a rename is not there before.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn is_unfinished(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && name.ends_with(UNFINISHED.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_missing_folder_is_made_private_with_those_above_it() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("a/b");
        prepare(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&around.path().join("a")), 0o700);
        prepare(&folder).unwrap();
    }

    #[test]
    fn an_empty_folder_is_closed_and_a_used_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        set_mode(folder, 0o755);
        fs::write(folder.join(".secret.key.unfinished"), "").unwrap();
        fs::create_dir(folder.join("lost+found")).unwrap();
        prepare(folder).unwrap();
        assert_eq!(mode(folder), 0o700);

        fs::write(folder.join("doorward.db"), "").unwrap();
        prepare(folder).unwrap();
        for open in [0o750, 0o705, 0o701, 0o2770] {
            set_mode(folder, open);
            let refused = prepare(folder).unwrap_err();
            assert!(matches!(refused, Error::ReadableByOthers { .. }));
            let words = refused.to_string();
            assert!(words.contains(&format!("{open:04o}")), "{words}");
            assert!(
                words.ends_with(&format!("chmod 700 {}", folder.display())),
                "{words}"
            );
            assert_eq!(mode(folder), open, "a refusal changes nothing");
        }
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path().to_owned(), file.path().join("below")] {
            let refused = prepare(&path).unwrap_err();
            assert!(matches!(refused, Error::NotAFolder(_)), "{refused}");
        }
    }

    #[test]
    fn a_link_to_a_folder_is_that_folder() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("private");
        prepare(&folder).unwrap();
        let link = around.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        prepare(&link).unwrap();
        let held = lock(&link).unwrap();
        assert!(matches!(lock(&folder), Err(Error::Served { .. })));
        drop(held);
    }

    #[test]
    fn a_folder_is_served_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        let refused = lock(folder.path()).unwrap_err();
        let words = format!(
            "another doorward serves this folder (pid {}): {}",
            std::process::id(),
            folder.path().display()
        );
        assert_eq!(refused.to_string(), words);
        drop(first);
        let again = lock(folder.path()).unwrap();
        assert_eq!(mode(&folder.path().join(LOCK)), 0o600);
        assert!(is_empty(folder.path()).unwrap());
        drop(again);
    }

    #[test]
    fn whoever_serves_leaves_a_note_and_is_still_named() {
        let folder = tempfile::tempdir().unwrap();
        let nothing: [&str; 0] = [];
        assert_eq!(note(folder.path()), nothing);
        let mut held = lock(folder.path()).unwrap();
        assert_eq!(note(folder.path()), nothing);
        held.leave_note(&["http://a.example:8080", "and more"])
            .unwrap();
        held.leave_note(&["http://b.example", "more"]).unwrap();
        assert_eq!(note(folder.path()), ["http://b.example", "more"]);
        let refused = lock(folder.path()).unwrap_err();
        assert!(
            matches!(refused, Error::Served { pid: Some(pid), .. } if pid == std::process::id())
        );
        drop(held);
        drop(lock(folder.path()).unwrap());
        assert_eq!(note(folder.path()), nothing, "the next one begins anew");
    }

    #[test]
    fn a_lock_file_that_names_nobody_still_locks() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        fs::write(folder.path().join(LOCK), "nonsense").unwrap();
        let refused = lock(folder.path()).unwrap_err();
        assert!(matches!(refused, Error::Served { pid: None, .. }));
        drop(held);
    }

    #[test]
    fn a_private_file_is_whole_private_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("setup-link");
        fs::write(&path, "older and longer").unwrap();
        set_mode(&path, 0o666);
        let reader = File::open(&path).unwrap();
        let stale = folder.path().join(".setup-link.unfinished");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), stale).unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(
            io::read_to_string(reader).unwrap(),
            "older and longer",
            "who had it open does not see the new one"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert!(is_empty(folder.path()).unwrap());
    }

    #[test]
    fn a_bare_name_lies_in_the_folder_we_are_in() {
        assert_eq!(folder_of(Path::new("data")), Some(Path::new(".")));
        assert_eq!(folder_of(Path::new("a/data")), Some(Path::new("a")));
        assert_eq!(folder_of(Path::new("/")), None);
    }

    #[test]
    fn a_write_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        assert!(write_private(&path, b"new").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_private(Path::new("/"), b"new").is_err());
    }

    #[test]
    fn what_root_makes_takes_the_folders_owner() {
        let folder = tempfile::tempdir().unwrap();
        let owner = (12_345, 12_346);
        if std::os::unix::fs::chown(folder.path(), Some(owner.0), Some(owner.1)).is_err() {
            // Only root can be asked this; for anybody else there is no difference to see.
            return;
        }
        let path = folder.path().join("secret");
        write_private(&path, b"secret").unwrap();
        let held = lock(folder.path()).unwrap();
        let database = folder.path().join("doorward.db");
        fs::write(&database, "").unwrap();
        take_owner(&database).unwrap();
        for path in [path, folder.path().join(LOCK), database] {
            let found = fs::metadata(&path).unwrap();
            assert_eq!((found.uid(), found.gid()), owner, "{}", path.display());
        }
        drop(held);
    }
}
