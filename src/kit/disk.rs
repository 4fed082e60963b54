//! On what kind of disk a folder lies, and how much room there is.
//!
//! SQLite's locks and its shared memory need a disk of this machine: over a network two processes may both believe
//! that they have the file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{statfs, statvfs};

/// What to do with a data folder that lies on a network file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFs {
    /// Refuse it.
    Refused,
    /// Use it: the operator takes the risk.
    Allowed,
}

/// How many bytes are free for us where this path lies.
pub fn room(path: &Path) -> io::Result<u64> {
    let found = statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The network file system on which this path lies, or would lie; none when it is a disk of this machine.
pub fn network(path: &Path) -> io::Result<Option<String>> {
    let path = nearest(path)?;
    // The kernel's numbers have 32 bits; in a wider type they may come with their sign.
    let magic = i128::from(statfs(&path)?.f_type) & 0xffff_ffff;
    Ok(match Kind::of(u32::try_from(magic).unwrap_or_default()) {
        Kind::Local => None,
        Kind::Network(name) => Some(name.to_owned()),
        Kind::Fuse => {
            let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            fuse(&mounts, &fs::canonicalize(&path)?)
        }
    })
}

/// What the kernel's number of a file system says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Local,
    Network(&'static str),
    /// A program serves it: it may be anything.
    Fuse,
}

impl Kind {
    const fn of(magic: u32) -> Self {
        match magic {
            0x6969 => Self::Network("NFS"),
            0x517b => Self::Network("SMB"),
            0xff53_4d42 | 0xfe53_4d42 => Self::Network("CIFS"),
            0x0102_1997 => Self::Network("9P"),
            0x00c3_6400 => Self::Network("Ceph"),
            0x5346_414f | 0x6b41_4653 => Self::Network("AFS"),
            0x7375_7245 => Self::Network("Coda"),
            0x564c => Self::Network("NCP"),
            0x6573_5546 => Self::Fuse,
            _ => Self::Local,
        }
    }
}

/// The name of a file system that a program serves; none for one on a disk of this machine, as NTFS is.
fn fuse(mounts: &str, path: &Path) -> Option<String> {
    let name = mounts
        .lines()
        .filter_map(mount)
        .filter(|(place, _)| path.starts_with(place))
        // The last one that was mounted at a place hides those before it.
        .max_by_key(|(place, _)| place.components().count())
        .map_or("fuse", |(_, name)| name);
    (name != "fuseblk").then(|| name.to_owned())
}

/// Where a line of mountinfo says that something is mounted, and what.
fn mount(line: &str) -> Option<(PathBuf, &str)> {
    let (before, after) = line.split_once(" - ")?;
    let place = before.split(' ').nth(4)?;
    let place = place
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
    Some((PathBuf::from(place), after.split(' ').next()?))
}

/// The path, or what is there of it.
fn nearest(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let there = path.ancestors().find(|one| one.exists());
    Ok(there.unwrap_or(Path::new("/")).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_number_tells_what_is_of_this_machine() {
        for (magic, kind) in [
            // ext4, xfs, btrfs, tmpfs, overlay, zfs, f2fs.
            (0xef53, Kind::Local),
            (0x5846_5342, Kind::Local),
            (0x9123_683e, Kind::Local),
            (0x0102_1994, Kind::Local),
            (0x794c_7630, Kind::Local),
            (0x2fc1_2fc1, Kind::Local),
            (0xf2f5_2010, Kind::Local),
            (0x6969, Kind::Network("NFS")),
            (0x517b, Kind::Network("SMB")),
            (0xff53_4d42, Kind::Network("CIFS")),
            (0xfe53_4d42, Kind::Network("CIFS")),
            (0x0102_1997, Kind::Network("9P")),
            (0x00c3_6400, Kind::Network("Ceph")),
            (0x5346_414f, Kind::Network("AFS")),
            (0x6573_5546, Kind::Fuse),
        ] {
            assert_eq!(Kind::of(magic), kind, "{magic:#x}");
        }
    }

    #[test]
    fn what_a_program_serves_is_known_by_its_mount() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                      40 22 0:50 / /mnt/far\\040away rw - fuse.sshfs a@b: rw\n\
                      41 22 8:17 / /mnt/disk rw shared:9 - fuseblk /dev/sdb1 rw\n\
                      42 41 0:51 / /mnt/disk/host rw - virtiofs host rw\n";
        for (path, name) in [
            ("/mnt/far away/data", Some("fuse.sshfs")),
            ("/mnt/disk", None),
            ("/mnt/disk/data", None),
            ("/mnt/disk/host/data", Some("virtiofs")),
            ("/mnt/diskette", Some("ext4")),
        ] {
            assert_eq!(fuse(mounts, Path::new(path)).as_deref(), name, "{path}");
        }
        assert_eq!(fuse("", Path::new("/data")).as_deref(), Some("fuse"));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_asked_by_what_is_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        assert_eq!(network(&deep).unwrap(), network(folder.path()).unwrap());
        assert!(network(Path::new("nowhere")).is_ok());
        assert!(room(folder.path()).unwrap() > 0);
    }
}
