//! The one file that holds the key: `secret.key` in the data folder, or one that the operator keeps elsewhere. One line,
//! so that it can be kept on paper too.
//!
//! It says whether there is a key and whether it can be trusted; what to do without one is for others to say.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::kit::folder;
use crate::kit::keys::Keys;
use crate::kit::random::{self, Random};

/// The file's name in the data folder.
pub const NAME: &str = "secret.key";

const FORMAT: &str = "doorward-key-1";
/// Longer files are none of ours.
const LENGTH_MAX: u64 = 256;
const OTHERS: u32 = 0o077;

/// Why a key file cannot be used.
#[derive(Debug)]
pub enum Error {
    /// It is there and holds nothing.
    Empty(PathBuf),
    /// It is a link, a folder or a device.
    NotAFile(PathBuf),
    /// Other users may read it.
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// It holds something else than one key, or a key that was damaged.
    Damaged {
        /// The file.
        path: PathBuf,
        /// In what way.
        what: &'static str,
    },
    /// The operating system refused.
    Io {
        /// The file.
        path: PathBuf,
        /// What it answered.
        cause: io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(path) => write!(
                f,
                "the key file {} is empty; put back your copy of it",
                path.display()
            ),
            Self::NotAFile(path) => write!(
                f,
                "{} is no plain file; put the key itself there",
                path.display()
            ),
            Self::ReadableByOthers { path, mode } => write!(
                f,
                "the key file {path} is open to other users (its rights are {mode:04o}); close it: chmod 600 {path}",
                path = path.display(),
                mode = mode & 0o7777
            ),
            Self::Damaged { path, what } => write!(
                f,
                "the key file {} {what}; put back your copy of it",
                path.display()
            ),
            Self::Io { path, cause } => write!(f, "the key file {}: {cause}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { cause, .. } => Some(cause),
            Self::Empty(_)
            | Self::NotAFile(_)
            | Self::ReadableByOthers { .. }
            | Self::Damaged { .. } => None,
        }
    }
}

/// New keys, for a new install.
pub fn generate(random: &dyn Random) -> io::Result<Keys> {
    Ok(Keys::new(random::bytes(random)?))
}

/// The keys of this data folder; none when it has no key file.
pub fn read(folder: &Path) -> Result<Option<Keys>, Error> {
    read_file(folder.join(NAME), &Keeper::Us)
}

/// The keys in a file that somebody else keeps, as a secret of the machine or of a container; none when it is not
/// there. It may be a link, and its rights are theirs to decide.
pub fn read_named(path: &Path) -> Result<Option<Keys>, Error> {
    read_file(path.to_owned(), &Keeper::Others)
}

/// Who sees to it that nobody else reads the file.
enum Keeper {
    Us,
    Others,
}

fn read_file(path: PathBuf, keeper: &Keeper) -> Result<Option<Keys>, Error> {
    let failed = |cause| Error::Io {
        path: path.clone(),
        cause,
    };
    let found = match keeper {
        Keeper::Us => fs::symlink_metadata(&path),
        Keeper::Others => fs::metadata(&path),
    };
    // Looked at before it is opened, since opening a pipe would wait for ever.
    match found {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(Error::NotAFile(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let file = File::open(&path).map_err(failed)?;
    // The rights of what was opened, not of what stands at the name by now.
    let mode = file.metadata().map_err(failed)?.mode();
    if matches!(keeper, Keeper::Us) && mode & OTHERS != 0 {
        return Err(Error::ReadableByOthers { path, mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(512));
    file.take(LENGTH_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.trim_ascii().is_empty() {
        return Err(Error::Empty(path));
    }
    match parse(&bytes) {
        Ok(keys) => Ok(Some(keys)),
        Err(what) => Err(Error::Damaged { path, what }),
    }
}

/// Puts the keys into this data folder, for its owner alone: whole and on the disk, or not at all.
pub fn write(folder: &Path, keys: &Keys) -> io::Result<()> {
    let root = keys.root();
    let key = Zeroizing::new(BASE64URL_NOPAD.encode(root));
    let line = Zeroizing::new(format!("{FORMAT} {} {}\n", key.as_str(), check(root)));
    folder::write_private(&folder.join(NAME), line.as_bytes())
}

fn parse(bytes: &[u8]) -> Result<Keys, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "holds no text")?;
    let mut words = text.split_ascii_whitespace();
    if words.next() != Some(FORMAT) {
        return Err("does not begin with doorward-key-1");
    }
    let (Some(key), Some(kept), None) = (words.next(), words.next(), words.next()) else {
        return Err("does not hold one key and its check");
    };
    let key = BASE64URL_NOPAD
        .decode(key.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| "holds a key that is not base64url")?;
    let root: Zeroizing<[u8; 32]> = key
        .as_slice()
        .try_into()
        .map(Zeroizing::new)
        .map_err(|_| "holds a key that has not 32 bytes")?;
    if !kept.eq_ignore_ascii_case(&check(&root)) {
        return Err("holds a key that does not match its check");
    }
    Ok(Keys::new(*root))
}

/// Finds slips of a pen or a disk; it keeps nobody from making a key of their own.
fn check(root: &[u8; 32]) -> String {
    let digest = Sha256::new()
        .chain_update(FORMAT)
        .chain_update(root)
        .finalize();
    let [a, b, c, d, ..]: [u8; 32] = digest.into();
    HEXLOWER.encode(&[a, b, c, d])
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::kit::random::SeededRandom;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    /// Puts this text in the place of the key.
    fn put(folder: &Path, text: &[u8]) {
        folder::write_private(&folder.join(NAME), text).unwrap();
    }

    #[test]
    fn a_key_reads_back_as_itself() {
        let folder = folder();
        assert!(read(folder.path()).unwrap().is_none());
        let keys = generate(&SeededRandom::new(1)).unwrap();
        write(folder.path(), &keys).unwrap();
        let again = read(folder.path()).unwrap().unwrap();
        assert_eq!(again.root(), keys.root());
        let found = fs::metadata(folder.path().join(NAME)).unwrap();
        assert_eq!(found.mode() & 0o7777, 0o600);

        let other = generate(&SeededRandom::new(2)).unwrap();
        write(folder.path(), &other).unwrap();
        assert_eq!(
            read(folder.path()).unwrap().unwrap().root(),
            other.root(),
            "a new key takes the old one's place"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_format_stays_what_it_is() {
        let folder = folder();
        write(folder.path(), &Keys::new([7; 32])).unwrap();
        let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
        let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        assert_eq!(text, format!("doorward-key-1 {key} 0f818aae\n"));
        for spelling in [
            text.trim().to_owned(),
            format!("\n {}\r\n", text.trim().replace(' ', "\t")),
            text.replace("0f818aae", "0F818AAE"),
        ] {
            put(folder.path(), spelling.as_bytes());
            assert!(read(folder.path()).unwrap().is_some(), "{spelling:?}");
        }
    }

    #[test]
    fn a_damaged_key_is_refused_with_a_sentence() {
        let folder = folder();
        let keys = generate(&SeededRandom::new(1)).unwrap();
        write(folder.path(), &keys).unwrap();
        let right = fs::read_to_string(folder.path().join(NAME)).unwrap();
        let words: Vec<&str> = right.split_whitespace().collect();
        let (key, check) = (words[1], words[2]);
        let short = BASE64URL_NOPAD.encode(&[1; 31]);
        for (text, says) in [
            (String::new(), "is empty"),
            (" \n".to_owned(), "is empty"),
            ("\u{fffd}".to_owned(), "does not begin"),
            (right.replace("key-1", "key-2"), "does not begin"),
            (format!("{FORMAT} {key}"), "one key"),
            (format!("{right} more"), "one key"),
            (format!("{FORMAT} {key}= {check}"), "not base64url"),
            (format!("{FORMAT} {short} {check}"), "not 32 bytes"),
            (format!("{FORMAT} {key} 00000000"), "match its check"),
            (format!("{}{right}", "\n".repeat(300)), "is empty"),
            (format!("{right}{}", "x".repeat(300)), "one key"),
        ] {
            put(folder.path(), text.as_bytes());
            let words = read(folder.path()).unwrap_err().to_string();
            assert!(words.contains(says), "{text:?}: {words}");
            assert!(!words.contains(key), "the key is in {words}");
        }
        put(folder.path(), &[0xff; 40]);
        let words = read(folder.path()).unwrap_err().to_string();
        assert!(words.contains("holds no text"), "{words}");
    }

    #[test]
    fn no_single_slip_goes_unnoticed() {
        let right = format!(
            "{FORMAT} {} {}",
            BASE64URL_NOPAD.encode(&[5; 32]),
            check(&[5; 32])
        );
        assert!(parse(right.as_bytes()).is_ok());
        for place in 0..right.len() {
            for sign in *b"aZ0_ " {
                let mut wrong = right.clone().into_bytes();
                if wrong[place] != sign {
                    wrong[place] = sign;
                    assert!(parse(&wrong).is_err(), "{place} {sign}");
                }
            }
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = folder();
        let path = folder.path().join(NAME);
        write(folder.path(), &Keys::new([7; 32])).unwrap();
        for open in [0o640, 0o604, 0o610, 0o660, 0o644] {
            fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
            let words = read(folder.path()).unwrap_err().to_string();
            assert!(words.contains(&format!("{open:04o}")), "{words}");
            assert!(
                words.ends_with(&format!("chmod 600 {}", path.display())),
                "{words}"
            );
        }
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert!(read(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_link_is_no_key() {
        let elsewhere = folder();
        let folder = folder();
        write(elsewhere.path(), &Keys::new([7; 32])).unwrap();
        let path = folder.path().join(NAME);
        std::os::unix::fs::symlink(elsewhere.path().join(NAME), &path).unwrap();
        assert!(matches!(read(folder.path()), Err(Error::NotAFile(_))));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(read(folder.path()), Err(Error::NotAFile(_))));
    }
}
