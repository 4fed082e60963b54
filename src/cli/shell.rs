//! `doorward completions` and `doorward man`: what shells and readers of manuals are given.

use std::path::{Path, PathBuf};

use clap_complete::Shell;

use super::failure::Failure;

/// Prints what completes the commands in a shell.
pub(super) fn completions(_shell: Shell) -> Result<(), Failure> {
    Err(Failure::Failed("not built yet".to_owned()))
}

/// Writes the manual pages into a folder.
pub(super) fn man(_folder: &Path) -> Result<(), Failure> {
    Err(Failure::Failed("not built yet".to_owned()))
}

/// Where manual pages go.
#[derive(clap::Args, Debug)]
pub(super) struct Man {
    /// The folder
    #[arg(value_name = "DIR")]
    pub(super) folder: PathBuf,
}
