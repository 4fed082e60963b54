//! What commands say: lines, tables, JSON. Never anything but what was asked for on standard output.

use std::io::{self, ErrorKind, Write};

use clap::Args;
use serde_json::Value;

use super::failure::Failure;
use crate::kit::time::Timestamp;

/// For whom a command writes.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Output {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Output {
    /// Whether a program reads it.
    pub(super) const fn is_json(self) -> bool {
        self.json
    }
}

/// One line or more on standard output. A reader that has gone away is no failure.
pub(super) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("cannot write: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Why it was not done, on standard error. When even that fails, the exit code still tells.
pub(super) fn error(failure: &Failure) {
    drop(writeln!(io::stderr().lock(), "error: {failure}"));
}

/// A remark that is no part of the answer, on standard error.
pub(super) fn remark(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// The beginning of a line that somebody goes on to type.
pub(super) fn ask(prompt: &str) {
    drop(write!(io::stderr().lock(), "{prompt}"));
}

/// A value for programs.
pub(super) fn json(value: &Value) -> Result<(), Failure> {
    line(format!("{value:#}"))
}

/// Rows under their headings, each column as wide as its widest cell.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let headings: Vec<String> = headings.iter().map(|text| (*text).to_owned()).collect();
    let all = || std::iter::once(&headings).chain(rows);
    let mut widths = vec![0; headings.len()];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in all() {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line += &format!("{cell:<width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    line(text.trim_end())
}

/// An instant for programs: RFC 3339 in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// An instant for people: a day and a time, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(
        |_| at.0.to_string(),
        |at| at.strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
