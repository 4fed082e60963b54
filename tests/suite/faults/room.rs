//! A disk of its own for a data folder: small, and read-only when asked. It is a tmpfs in a mount namespace that ends with
//! this test, however it ends.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use crate::process::Launch;

/// Mounts it where it is told, says so, and keeps it until nobody holds the other end any more.
const HOLD: &str =
    r#"mount -t tmpfs -o "size=$1,mode=0700" doorward "$2" && echo mounted && exec cat"#;

/// The disk.
pub(super) struct Room {
    holder: Child,
    place: Arc<TempDir>,
    is_root: bool,
}

impl Room {
    /// Lays a disk of this size over the data folder of what is to be started, which then runs where it is seen; or says
    /// why this machine lets nobody mount.
    pub(super) fn over(launch: Launch, size: &str) -> Result<(Self, Launch), String> {
        let place = launch.folder();
        let is_root = is_root();
        let mut command = Command::new("unshare");
        command.arg(if is_root { "-m" } else { "-rm" });
        command
            .args(["sh", "-c", HOLD, "sh", size])
            .arg(place.path());
        let mut holder = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare cannot be started: {error}"))?;
        let mut line = String::new();
        let stdout = holder.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        if line.trim() != "mounted" {
            let output = holder.wait_with_output().unwrap();
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let room = Self {
            holder,
            place,
            is_root,
        };
        let entered = room.enter();
        let words: Vec<&str> = entered.iter().map(String::as_str).collect();
        let launch = launch.by(&words);
        Ok((room, launch))
    }

    fn enter(&self) -> Vec<String> {
        let id = self.holder.id().to_string();
        let mut words = vec!["nsenter".to_owned(), "-t".to_owned(), id, "-m".to_owned()];
        if !self.is_root {
            words.extend(["-U", "--preserve-credentials"].map(str::to_owned));
        }
        words
    }

    /// Where its files are seen from outside.
    pub(super) fn outside(&self) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(self.place.path().strip_prefix("/").unwrap())
    }

    /// Changes how it is mounted, as in `ro` or `size=4m`.
    pub(super) fn remount(&self, how: &str) {
        let words = self.enter();
        let done = Command::new(&words[0])
            .args(&words[1..])
            .args(["mount", "-o", &format!("remount,{how}")])
            .arg(self.place.path())
            .status();
        assert!(done.unwrap().success(), "no remount with {how}");
    }

    /// Takes every byte that is left.
    pub(super) fn fill(&self) {
        let path = self.outside().join("filler");
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        let page = [b'x'; 4_096];
        while file.write_all(&page).is_ok() {}
    }

    /// Gives them back.
    pub(super) fn clear(&self) {
        std::fs::remove_file(self.outside().join("filler")).unwrap();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // It reads until the end, which this is.
        drop(self.holder.stdin.take());
        self.holder.wait().unwrap();
    }
}

/// Whether this user needs no namespace of users to mount.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;

    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}
