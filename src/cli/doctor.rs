//! `doorward doctor`.

use clap::Args;

use super::failure::Failure;
use crate::config::flags::Everything;

/// Look for what is wrong with this install, and say what to do
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    settings: Everything,
}

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    super::read(&command.settings.0)?;
    Err(Failure::Failed("not built yet".to_owned()))
}
