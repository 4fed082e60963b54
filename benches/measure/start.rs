//! How long until the first answer, and how large the executable is.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::nginx::Nginx;
use crate::server::{EXECUTABLE, Server};
use crate::table::{Aim, Row, median};

const ROUNDS: usize = 7;
const MB: f64 = 1e6;

/// Starts on a small and on a large file, and nginx in turn.
pub(crate) fn rows(folder: &Path, small: &Path, large: &Path) -> Result<Vec<Row>> {
    let (mut ours, mut ours_large, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(start(small)?);
        ours_large.push(start(large)?);
        theirs.push(Nginx::start(folder)?.took().as_secs_f64() * 1e3);
    }
    let theirs = median(theirs);
    let row = |measure: &str, ours: f64| {
        Row::new(measure, format!("{ours:.1} ms"))
            .beside(format!("nginx {theirs:.1} ms"), ours / theirs)
            .judged(ours, Aim::AtMost(30.0), "ms")
    };
    Ok(vec![
        row("start to first answer, existing file", median(ours)),
        row(
            "start to first answer, 100,000 accounts",
            median(ours_large),
        ),
    ])
}

fn start(data: &Path) -> Result<f64> {
    let server = Server::start(data, &[])?;
    let took = server.took().as_secs_f64() * 1e3;
    server.stop()?;
    Ok(took)
}

/// The executable alone: there is nothing else to ship.
pub(crate) fn binary() -> Result<Vec<Row>> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a file is no larger than 2^52 bytes"
    )]
    let size = fs::metadata(EXECUTABLE)?.len() as f64 / MB;
    Ok(vec![
        Row::new("binary", format!("{size:.1} MB"))
            .beside_words("published: PocketBase 33 MB, Rauthy 67 MB")
            .judged(size, Aim::AtMost(12.0), "MB"),
    ])
}
