//! What commands read: a file, or standard input.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::failure::Failure;

/// What the file holds, and what it is called in messages; `-` is standard input. One byte more than may be is read, and
/// tells that there is more.
pub(super) fn read(path: &Path, most: usize) -> Result<(String, Vec<u8>), Failure> {
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let (name, read) = if path == Path::new("-") {
        let name = "standard input".to_owned();
        (name, io::stdin().lock().take(most).read_to_end(&mut bytes))
    } else {
        let opened = fs::File::open(path);
        let read = opened.and_then(|file| file.take(most).read_to_end(&mut bytes));
        (path.display().to_string(), read)
    };
    match read {
        Ok(_) => Ok((name, bytes)),
        Err(error) => Err(Failure::Failed(format!(
            "{name} cannot be read ({error}); name a file that you may read"
        ))),
    }
}
