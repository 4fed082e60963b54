//! Another database takes the place of the one that is there: one of them whole, whenever the process dies.
//!
//! The new one is prepared in a folder of its own. One rename decides: from then on every opening of the data folder first
//! ends what was begun, and a log of the old one is never read into the new one. The old one is moved aside and kept.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::aside::log_of;
use super::{BACKUPS, DATABASE, Result, at, is_there, remove_all};
use crate::kit::folder;
use crate::kit::key_file;
use crate::kit::keys::Keys;

/// Where the new one is prepared; what lies there counts as nothing.
const UNFINISHED: &str = ".restore.unfinished";
/// The same folder once it is decided.
const READY: &str = ".restore.ready";
/// In it: where the old one goes, as a path in the data folder.
const REPLACED: &str = "replaced";

/// A new database that is being prepared.
#[derive(Debug)]
pub struct Swap {
    data: PathBuf,
    name: String,
    replaced: PathBuf,
}

impl Swap {
    /// Begins; `name` is what the old one will be called, without its end. The caller holds the lock.
    pub fn begin(data: &Path, name: &str) -> Result<Self> {
        let unfinished = data.join(UNFINISHED);
        remove_all(&unfinished).map_err(at(&unfinished))?;
        Ok(Self {
            data: data.to_owned(),
            name: name.to_owned(),
            replaced: PathBuf::new(),
        })
    }

    /// The folder for the new one, which whoever prepares it makes.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.data.join(UNFINISHED)
    }

    /// With a key of its own, which will be the folder's.
    pub fn put_key(&self, keys: &Keys) -> Result<()> {
        let unfinished = self.folder();
        key_file::write(&unfinished, keys).map_err(at(&unfinished))
    }

    /// Puts the new one into its place. Answers with where the old one lies now, if there was one.
    pub fn commit(mut self) -> Result<Option<PathBuf>> {
        let is_any = is_there(&self.data.join(DATABASE))?;
        self.find_room()?;
        let unfinished = self.folder();
        let replaced = self.replaced.to_string_lossy();
        folder::write_private(&unfinished.join(REPLACED), replaced.as_bytes())
            .map_err(at(&unfinished))?;
        let ready = self.data.join(READY);
        fs::rename(&unfinished, &ready)
            .and_then(|()| folder::sync(&self.data))
            .map_err(at(&ready))?;
        complete(&self.data)?;
        Ok(is_any.then(|| self.data.join(&self.replaced)))
    }

    /// The old one stays on its disk, since only there a rename moves it: beside the database, where backups lie on
    /// another.
    fn find_room(&mut self) -> Result<()> {
        let backups = self.data.join(BACKUPS);
        if !is_there(&backups)? {
            DirBuilder::new()
                .mode(0o700)
                .create(&backups)
                .and_then(|()| folder::take_owner(&backups))
                .map_err(at(&backups))?;
        }
        let disk = |path: &Path| {
            fs::metadata(path)
                .map(|found| found.dev())
                .map_err(at(path))
        };
        let around = if disk(&backups)? == disk(&self.data)? {
            Path::new(BACKUPS)
        } else {
            Path::new("")
        };
        // Never over what is there, as after two in one second.
        for number in 1.. {
            self.replaced = around.join(match number {
                1 => format!("{}.db", self.name),
                number => format!("{}-{number}.db", self.name),
            });
            let to = self.data.join(&self.replaced);
            if !is_there(&to)? && !is_there(&log_of(&to))? {
                break;
            }
        }
        Ok(())
    }
}

/// Whether a database waits to take its place.
pub(super) fn is_pending(data: &Path) -> Result<bool> {
    is_there(&data.join(READY))
}

/// Ends what a kill interrupted, if anything was decided. The caller holds the lock.
pub fn complete(data: &Path) -> Result<()> {
    let unfinished = data.join(UNFINISHED);
    remove_all(&unfinished).map_err(at(&unfinished))?;
    let ready = data.join(READY);
    let new = ready.join(DATABASE);
    if is_there(&new)? {
        let mark = ready.join(REPLACED);
        let replaced = data.join(fs::read_to_string(&mark).map_err(at(&mark))?);
        let old = data.join(DATABASE);
        move_if_there(&old, &replaced)?;
        // What was committed last may stand there alone, where the old one could not be opened any more.
        move_if_there(&log_of(&old), &log_of(&replaced))?;
        for end in ["-shm", "-journal"] {
            let beside = data.join(format!("{DATABASE}{end}"));
            folder::remove(&beside).map_err(at(&beside))?;
        }
        if let Some(around) = replaced.parent() {
            folder::sync(around).map_err(at(around))?;
        }
        let key = data.join(key_file::NAME);
        move_if_there(&ready.join(key_file::NAME), &key)?;
        folder::sync(data).map_err(at(data))?;
        // The last step: before it there is no database, and so nothing that could be opened half.
        fs::rename(&new, &old)
            .and_then(|()| folder::sync(data))
            .map_err(at(&old))?;
    }
    remove_all(&ready).map_err(at(&ready))
}

fn move_if_there(from: &Path, to: &Path) -> Result<()> {
    if is_there(from)? {
        fs::rename(from, to).map_err(at(to))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lies in the folder: names and contents, but for the marker's own folder.
    fn files(data: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for folder in [data.to_owned(), data.join(BACKUPS), data.join(READY)] {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let name = path.strip_prefix(data).unwrap().display().to_string();
                    found.push(format!("{name}: {}", fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    /// A folder with an old database, its log, and a new one prepared.
    fn prepared() -> (tempfile::TempDir, Swap) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        for (name, text) in [
            ("doorward.db", "old"),
            ("doorward.db-wal", "old log"),
            ("doorward.db-shm", "old index"),
        ] {
            fs::write(data.join(name), text).unwrap();
        }
        let swap = Swap::begin(data, "replaced-x").unwrap();
        fs::create_dir(swap.folder()).unwrap();
        fs::write(swap.folder().join(DATABASE), "new").unwrap();
        fs::write(swap.folder().join(key_file::NAME), "key").unwrap();
        (folder, swap)
    }

    const DONE: [&str; 4] = [
        "backups/replaced-x.db-wal: old log",
        "backups/replaced-x.db: old",
        "doorward.db: new",
        "secret.key: key",
    ];

    #[test]
    fn the_new_one_is_in_its_place_and_the_old_one_is_kept_with_its_log() {
        let (folder, swap) = prepared();
        let replaced = swap.commit().unwrap();
        assert_eq!(replaced, Some(folder.path().join("backups/replaced-x.db")));
        assert_eq!(files(folder.path()), DONE);
        assert!(!is_pending(folder.path()).unwrap());
        complete(folder.path()).unwrap();
        assert_eq!(files(folder.path()), DONE, "there is nothing more to do");
    }

    #[test]
    fn before_it_is_decided_nothing_has_changed() {
        let (folder, swap) = prepared();
        drop(swap);
        complete(folder.path()).unwrap();
        assert_eq!(
            files(folder.path()),
            [
                "doorward.db-shm: old index",
                "doorward.db-wal: old log",
                "doorward.db: old"
            ]
        );
    }

    #[test]
    fn after_it_is_decided_it_is_ended_from_wherever_it_stopped() {
        // Each step of `complete` as it lies on the disk after a kill: what was moved, from where and to where.
        let steps = [
            ("doorward.db", "backups/replaced-x.db"),
            ("doorward.db-wal", "backups/replaced-x.db-wal"),
            ("doorward.db-shm", ""),
            (".restore.ready/secret.key", "secret.key"),
            (".restore.ready/doorward.db", "doorward.db"),
            (".restore.ready/replaced", ""),
        ];
        for done in 0..=steps.len() {
            let (folder, mut swap) = prepared();
            let data = folder.path();
            swap.find_room().unwrap();
            fs::write(swap.folder().join(REPLACED), "backups/replaced-x.db").unwrap();
            fs::rename(swap.folder(), data.join(READY)).unwrap();
            for (from, to) in &steps[..done] {
                if to.is_empty() {
                    fs::remove_file(data.join(from)).unwrap();
                } else {
                    fs::rename(data.join(from), data.join(to)).unwrap();
                }
            }
            assert!(is_pending(data).unwrap());
            complete(data).unwrap();
            assert_eq!(files(data), DONE, "after {done} steps");
            assert!(!is_pending(data).unwrap());
        }
    }

    #[test]
    fn what_bears_the_name_already_is_not_overwritten() {
        let (folder, swap) = prepared();
        fs::create_dir(folder.path().join(BACKUPS)).unwrap();
        fs::write(folder.path().join("backups/replaced-x.db"), "mine").unwrap();
        swap.commit().unwrap();
        assert_eq!(
            files(folder.path()),
            [
                "backups/replaced-x-2.db-wal: old log",
                "backups/replaced-x-2.db: old",
                "backups/replaced-x.db: mine",
                "doorward.db: new",
                "secret.key: key",
            ]
        );
    }

    #[test]
    fn an_empty_folder_gets_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let swap = Swap::begin(folder.path(), "replaced-x").unwrap();
        fs::create_dir(swap.folder()).unwrap();
        fs::write(swap.folder().join(DATABASE), "new").unwrap();
        assert_eq!(swap.commit().unwrap(), None);
        assert_eq!(files(folder.path()), ["doorward.db: new"]);
    }
}
