//! Asking before what cannot be undone, or what many would notice.

use std::io::{self, IsTerminal};

use clap::Args;

use super::failure::Failure;
use super::print;

/// Whether somebody is sure already.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Sure {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Asks for a name to be typed, unless `--yes` was given; whoever types another ends the command.
pub(super) fn ask_for(sure: Sure, name: &str, deed: &str) -> Result<(), Failure> {
    if sure.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "nobody is there to ask: add --yes to {deed}"
        )));
    }
    print::remark(&format!("To {deed}, type {name}:"));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::Failed(format!("cannot read the answer: {error}")))?;
    if answer.trim() == name {
        Ok(())
    } else {
        Err(Failure::Failed("nothing was changed".to_owned()))
    }
}

/// Asks, unless `--yes` was given; whoever does not type yes ends the command. `deed` is what it would do, as in
/// "delete the account".
pub(super) fn ask(sure: Sure, question: &str, deed: &str) -> Result<(), Failure> {
    if sure.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "nobody is there to ask: add --yes to {deed}"
        )));
    }
    print::remark(&format!("{question} Type yes:"));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::Failed(format!("cannot read the answer: {error}")))?;
    if answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(Failure::Failed("nothing was changed".to_owned()))
    }
}
