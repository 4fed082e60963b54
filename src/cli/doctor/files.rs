//! Files: whose they are, who may read them, and how much room there is.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::cli::doctor::finding::Group;
use crate::cli::doctor::{Ground, capitalized};
use crate::config::sources::Origin;
use crate::kit::disk::{self, NetworkFs};
use crate::kit::key_file;
use crate::migrations::DATABASE;
use crate::setup;

/// Rights of anybody but the owner.
const OTHERS: u32 = 0o077;
/// Rights of those who are neither the owner nor of the group.
const EVERYBODY: u32 = 0o007;
const MIB: u64 = 1024 * 1024;
/// Less room than this is soon gone.
const ROOM_MIN: u64 = 1024 * MIB;
/// With less than this hardly anything can be written.
const ROOM_LAST: u64 = 64 * MIB;

/// Looks at the data folder, at what holds secrets, and at the disks.
pub(super) fn look(ground: &Ground) -> Vec<Group> {
    let mut files = Group::new("Files");
    let folder = ground.data();
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => inside(&mut files, ground, &found),
        Ok(_) => files.wrong(
            "folder",
            format!("{} is no folder.", folder.display()),
            "Name the data folder with --data.",
        ),
        Err(error) => missing(&mut files, folder, &error),
    }
    key(&mut files, ground);
    for (path, what) in secrets(ground) {
        let who = fs::metadata(&path).map(|found| found.mode() & EVERYBODY);
        if who.is_ok_and(|rights| rights != 0) {
            files.wrong(
                "secrets",
                format!(
                    "{}, {what}, is open to everybody on this machine.",
                    path.display()
                ),
                format!("Close it: chmod o= {}", path.display()),
            );
        }
    }
    let mut disks = Group::new("Disk");
    room(&mut disks, ground);
    vec![files, disks]
}

fn missing(group: &mut Group, folder: &Path, error: &io::Error) {
    match error.kind() {
        ErrorKind::NotFound => group.warning(
            "folder",
            format!("The data folder {} is not there yet.", folder.display()),
            "Start doorward serve, which makes it, or name another with --data.",
        ),
        _ => group.wrong(
            "folder",
            format!("The data folder {}: {error}.", folder.display()),
            "Run doctor as root, or as the user of the server.",
        ),
    }
}

/// The folder and what lies in it.
fn inside(group: &mut Group, ground: &Ground, folder: &Metadata) {
    let path = ground.data();
    let mut open: Vec<PathBuf> = Vec::new();
    let mut foreign: Vec<PathBuf> = Vec::new();
    let mut unseen: Option<(PathBuf, io::Error)> = None;
    let mut judge = |path: &Path, found: &Metadata| {
        if found.mode() & OTHERS != 0 {
            open.push(path.to_owned());
        }
        if found.uid() != folder.uid() {
            foreign.push(path.to_owned());
        }
    };
    judge(path, folder);
    let mut folders = vec![path.to_owned(), ground.config.values.backups.folder.clone()];
    folders.dedup();
    for folder in folders {
        match listed(&folder) {
            Ok(entries) => {
                for (entry, found) in entries {
                    judge(&entry, &found);
                }
            }
            // Backups have no folder before the first one.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => unseen = Some((folder, error)),
        }
    }
    if let Some((folder, error)) = unseen {
        group.warning(
            "folder",
            format!("{} cannot be looked into: {error}.", folder.display()),
            "Run doctor as root, or as the user of the server.",
        );
    }
    if open.is_empty() && foreign.is_empty() {
        group.ok(
            "folder",
            format!(
                "{} is open to its owner alone, and so is what lies in it.",
                path.display()
            ),
        );
    }
    if !open.is_empty() {
        group.wrong(
            "rights",
            format!("Open to other users: {}.", names(&open)),
            format!("Close it: chmod -R go= {}", names_to_type(&open)),
        );
    }
    if !foreign.is_empty() {
        group.wrong(
            "owner",
            format!(
                "Of another owner than the data folder: {}.",
                names(&foreign)
            ),
            format!(
                "Give it to the folder's owner: chown --reference={} {}",
                path.display(),
                names_to_type(&foreign)
            ),
        );
    }
    let link = path.join(setup::LINK_FILE);
    if link.exists() {
        group.warning(
            "setup",
            "Nobody has set up this Portal yet.",
            format!(
                "Open the link in {}; doorward setup-link makes a new one.",
                link.display()
            ),
        );
    }
}

/// What lies in a folder and is ours to judge: no link, no socket's folder, no lost+found.
fn listed(folder: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // It may be gone by now: the server goes on working.
        let Ok(found) = fs::symlink_metadata(entry.path()) else {
            continue;
        };
        if found.is_file() || (found.is_dir() && entry.file_name() != "lost+found") {
            entries.push((entry.path(), found));
        }
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}

fn names(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths
        .iter()
        .take(4)
        .map(|path| path.display().to_string())
        .collect();
    match paths.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

fn names_to_type(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths
        .iter()
        .take(4)
        .map(|path| path.display().to_string())
        .collect();
    shown.join(" ")
}

fn key(group: &mut Group, ground: &Ground) {
    let own = ground.data().join(key_file::NAME);
    let place = ground
        .config
        .values
        .secret_key_file
        .as_ref()
        .unwrap_or(&own);
    match &ground.keys {
        Ok(_) => group.remind(
            "key",
            format!("The key in {} can be read.", place.display()),
            "It is in no backup: keep a copy of it elsewhere, without which a backup loses all second factors.",
        ),
        // Before the first start there is neither.
        Err(_) if !ground.database().exists() && !place.exists() => {}
        Err(error) => group.wrong(
            "key",
            capitalized(&format!("{error}.")),
            "Without its key the server does not start.",
        ),
    }
}

/// Files outside the data folder with a secret in them. The configuration file is looked at with the settings.
fn secrets(ground: &Ground) -> Vec<(PathBuf, &'static str)> {
    let config = &ground.config;
    let mut found: Vec<(PathBuf, &str)> = config
        .found
        .iter()
        .filter(|(key, _)| key.is_secret())
        .filter_map(|(_, found)| match &found.origin {
            Origin::File(path) | Origin::Credential(path) => {
                Some((path.clone(), "which holds a secret"))
            }
            _ => None,
        })
        .collect();
    found.extend(
        config
            .values
            .tls
            .iter()
            .map(|files| (files.key.clone(), "the private key of the certificate")),
    );
    found.extend(
        config
            .values
            .secret_key_file
            .iter()
            .map(|path| (path.clone(), "the key")),
    );
    found
}

fn room(group: &mut Group, ground: &Ground) {
    let values = &ground.config.values;
    let size = size_of(&ground.data().join(DATABASE));
    let mut places = vec![
        ("data", "the data folder", values.data.as_path()),
        (
            "backups",
            "the folder of backups",
            values.backups.folder.as_path(),
        ),
    ];
    // Of two folders on one disk one is enough.
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    if device(&values.data) == device(&values.backups.folder) || !values.backups.folder.exists() {
        places.truncate(1);
    }
    for (check, what, path) in places {
        let Ok(free) = disk::room(path) else { continue };
        let wanted = ROOM_MIN.max(size.saturating_mul(2));
        let sentence = format!("{} free where {what} lies.", amount(free));
        let advice = "Make room; every nightly backup takes about as much as the database.";
        if free < ROOM_LAST.max(size / 4) {
            group.wrong(check, sentence, advice);
        } else if free < wanted {
            group.warning(check, sentence, advice);
        } else {
            group.ok(check, sentence);
        }
    }
    if let Ok(Some(kind)) = disk::network(&values.data) {
        let sentence = format!("The data folder lies on a network file system ({kind}).");
        let advice = "Move it to a disk of this machine: over a network locks may not hold, and the file may break.";
        match values.network_fs {
            NetworkFs::Refused => group.wrong("network", sentence, advice),
            NetworkFs::Allowed => group.warning("network", sentence, advice),
        }
    }
}

/// The size of a file; none is as good as nothing.
pub(super) fn size_of(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// An amount of bytes for eyes.
pub(super) fn amount(bytes: u64) -> String {
    match bytes / MIB {
        0 => format!("{} KiB", bytes.div_ceil(1024)),
        mib @ 1..10_240 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib / 1024),
    }
}
