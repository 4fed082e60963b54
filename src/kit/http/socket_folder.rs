//! Where the private socket lives: a folder that only this user can enter.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use crate::kit::random::{self, OsRandom};

/// The longest path a Unix socket can have.
const SOCKET_PATH_MAX: usize = 107;

/// A folder that only this user can enter, with the socket in it; it goes when it is dropped.
#[derive(Debug)]
pub(super) struct SocketFolder {
    path: PathBuf,
    /// The folder itself, locked for as long as its process lives: how the next one tells it from what a kill left.
    _lock: File,
}

impl SocketFolder {
    const PREFIX: &str = "gate-";
    const RANDOM: usize = 8;
    const SOCKET: &str = "http";

    pub(super) fn make(parent: &Path) -> io::Result<Self> {
        let name = random::bytes::<{ Self::RANDOM }>(&OsRandom)?;
        let name = format!("{}{}", Self::PREFIX, HEXLOWER.encode(&name));
        let path = parent.join(&name);
        if socket_in(&path).as_os_str().len() > SOCKET_PATH_MAX {
            // The folder is ours alone wherever it is, so a shared place will do.
            return Self::create(std::env::temp_dir().join(&name));
        }
        // One after another: whoever has this lock sees no folder that is made and not locked yet, but a dead one.
        let turn = File::open(parent)?;
        turn.lock()?;
        remove_stale(parent);
        Self::create(path)
    }

    fn create(path: PathBuf) -> io::Result<Self> {
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        let lock = File::open(&path)?;
        lock.try_lock()?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket_in(&self.path)
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join(SocketFolder::SOCKET)
}

fn remove(folder: &Path) {
    let removed = match std::fs::remove_file(socket_in(folder)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => std::fs::remove_dir(folder),
    };
    if let Err(error) = removed {
        tracing::warn!(%error, folder = %folder.display(), "the private socket's folder remains");
    }
}

/// Removes the folders of processes that were killed: nobody holds their lock, and nobody listens in them.
fn remove_stale(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let folder = entry.path();
        if entry.file_name().to_str().is_some_and(is_ours) && is_dead(&folder) {
            remove(&folder);
        }
    }
}

fn is_ours(name: &str) -> bool {
    let random = name.strip_prefix(SocketFolder::PREFIX);
    random
        .and_then(|random| HEXLOWER.decode(random.as_bytes()).ok())
        .is_some_and(|random| random.len() == SocketFolder::RANDOM)
}

fn is_dead(folder: &Path) -> bool {
    File::open(folder).is_ok_and(|file| file.try_lock().is_ok())
        && UnixStream::connect(socket_in(folder)).is_err()
}
