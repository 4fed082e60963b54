//! A password for a command: typed without echo, or from a file or standard input. Never an argument, which every
//! user of the machine could read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::print;
use crate::domain::password::Password;

/// A line longer than this is no password.
const LINE_MAX: u64 = 4_096;

/// A new password that passes the rule.
pub(super) fn new(
    file: Option<&Path>,
    rule: impl Fn(&str) -> Result<Password, String>,
) -> Result<Password, Failure> {
    let text = match file {
        Some(path) if path == Path::new("-") => first_line(io::stdin().lock(), "standard input")?,
        Some(path) => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| failed(&name, &error))?;
            first_line(BufReader::new(file), &name)?
        }
        None => typed_twice()?,
    };
    rule(&text).map_err(Failure::Failed)
}

fn failed(name: &str, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot read the password from {name}: {error}"))
}

/// Without the line's end, and nothing else trimmed.
fn first_line(input: impl BufRead, name: &str) -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::with_capacity(512));
    input
        .take(LINE_MAX)
        .read_line(&mut line)
        .map_err(|error| failed(name, &error))?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

fn typed_twice() -> Result<Zeroizing<String>, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody is there to type the password: give --password-file FILE, or - for standard input".to_owned(),
        ));
    }
    let first = typed("New password: ")?;
    let second = typed("The same again: ")?;
    if first != second {
        return Err(Failure::Failed("the two passwords differ".to_owned()));
    }
    Ok(first)
}

fn typed(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    print::ask(prompt);
    let silence = Silence::begin().map_err(|error| failed("the terminal", &error))?;
    let line = first_line(io::stdin().lock(), "the terminal");
    drop(silence);
    print::remark("");
    line
}

/// The terminal shows nothing of what is typed until this goes.
struct Silence(rustix::termios::Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // What was typed ahead is dropped: it may have been meant for somebody else.
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that has gone away needs no echo.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.0).ok();
    }
}
