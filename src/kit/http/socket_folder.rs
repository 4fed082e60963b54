//! Where the private socket lives: a folder that only this user can enter.

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
pub(super) struct SocketFolder(PathBuf);

impl SocketFolder {
    const PREFIX: &str = "gate-";
    const SOCKET: &str = "http";

    pub(super) fn make(parent: &Path) -> io::Result<Self> {
        let name = HEXLOWER.encode(&random::bytes::<8>(&OsRandom)?);
        let name = format!("{}{name}", Self::PREFIX);
        let mut folder = Self(parent.join(&name));
        if folder.socket().as_os_str().len() > SOCKET_PATH_MAX {
            // The folder is ours alone wherever it is, so a shared place will do.
            folder.0 = std::env::temp_dir().join(&name);
        } else {
            remove_stale(parent);
        }
        std::fs::DirBuilder::new().mode(0o700).create(&folder.0)?;
        Ok(folder)
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.0.join(Self::SOCKET)
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(folder: &Path) {
    let removed = match std::fs::remove_file(folder.join(SocketFolder::SOCKET)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => std::fs::remove_dir(folder),
    };
    if let Err(error) = removed {
        tracing::warn!(%error, folder = %folder.display(), "the private socket's folder remains");
    }
}

/// Removes the folders of processes that were killed: those whose socket nobody listens on.
fn remove_stale(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(SocketFolder::PREFIX));
        let refuses = |folder: &Path| {
            UnixStream::connect(folder.join(SocketFolder::SOCKET))
                .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
        };
        if is_ours && refuses(&entry.path()) {
            remove(&entry.path());
        }
    }
}
