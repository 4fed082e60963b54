//! The command line: each command a few lines over a verb.
//!
//! Commands work beside a running server, on the same file, by the same code, and are recorded with the operator as
//! the actor. They send no mail themselves, but for `mail test`: what they owe is a row, and the server notices it within
//! a second.

mod account;
mod audit;
mod backup;
mod beside;
mod catalogue;
mod config;
mod confirm;
mod doctor;
mod failure;
mod healthcheck;
mod input;
mod invoice;
mod links;
mod mail;
mod org;
mod password;
mod print;
mod restore;
mod running;
mod setup_link;
mod shell;

use std::process::ExitCode;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Config;
use crate::config::flags::{Basics, Everything, Flags};
use crate::config::sources::{Mistake, Surroundings};
use crate::demo;
use crate::kit::log;
use crate::serve;

use failure::Failure;

/// An account portal in one binary with one SQLite file.
#[derive(Debug, Parser)]
#[command(
    name = "doorward",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "To look around:  doorward demo\n\
                  To begin:        doorward serve, then open the link it prints\n\
                  \n\
                  Every setting is a flag, an environment variable and a key of doorward.toml;\n\
                  a flag wins. doorward serve --help lists them all.\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look around: sample data in a folder that is thrown away, on this machine only
    Demo(demo::Options),
    /// Serve the Portal; an empty data folder is set up
    Serve {
        #[command(flatten)]
        settings: Everything,
    },
    /// Make a new one-time link for setting up the Portal; the one before is dead
    SetupLink {
        #[command(flatten)]
        basics: Basics,
    },
    /// Organisations: list, create, invite the owner, rename, disable, enable, delete
    Org(org::Command),
    /// Accounts: list, show, create, import, disable, enable, delete, give a permission, and help people in
    Account(account::Command),
    /// Mail: list, show, send failed ones again, send a test
    Mail(mail::Command),
    /// The audit log: tail, export, verify it
    Audit(audit::Command),
    /// Invoices: list, show, close the months that are over, mark one as paid
    Invoice(invoice::Command),
    /// The catalogue: import what can be had and for how much, list it
    Catalogue(catalogue::Command),
    /// Make a backup of the database, or verify one
    Backup(backup::Command),
    /// Put the database back from a backup
    Restore(restore::Command),
    /// The settings of the host: check, show, reference
    Config(config::Command),
    /// Look for what is wrong with this install, and say what to do; exits with 1 when something is wrong
    Doctor(doctor::Command),
    /// Ask the running server whether it is ready; exits with 1 when it is not
    Healthcheck(healthcheck::Command),
    /// Print what completes these commands in a shell
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    Man(shell::Man),
    /// Print the version
    Version,
}

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> ExitCode {
    let parsed = command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, and go to stdout with 0; everything else is wrong usage. When not even
            // that can be printed, the code still tells.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::error(&failure);
            failure.code()
        }
    }
}

/// The definition of all commands. The settings stand in the long help; in the short one those of the server's that
/// most people want.
fn command() -> clap::Command {
    const FIRST: [&str; 9] = [
        "config",
        "data",
        "public_url",
        "listen",
        "trusted_proxies",
        "tls_cert",
        "tls_key",
        "smtp_url",
        "mail_from",
    ];
    let show = |arg: Arg| {
        let is_hidden = arg.is_hide_short_help_set();
        let is_first = FIRST.contains(&arg.get_id().as_str());
        arg.hide_short_help(is_hidden && !is_first)
    };
    Cli::command().mut_subcommands(|command| match command.get_name() {
        "serve" => command.mut_args(show),
        _ => command,
    })
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(options) => demo(&options),
        Command::Serve { settings } => serve(&settings.0),
        Command::SetupLink { basics } => setup_link::run(&basics),
        Command::Org(command) => org::run(command),
        Command::Account(command) => account::run(command),
        Command::Mail(command) => mail::run(command),
        Command::Audit(command) => audit::run(&command),
        Command::Invoice(command) => invoice::run(command),
        Command::Catalogue(command) => catalogue::run(command),
        Command::Backup(command) => backup::run(&command),
        Command::Restore(command) => restore::run(&command),
        Command::Config(command) => config::run(&command),
        Command::Doctor(command) => doctor::run(&command),
        Command::Healthcheck(command) => healthcheck::run(&command),
        Command::Completions { shell } => shell::completions(self::command(), shell),
        Command::Man(man) => shell::man(self::command(), &man.folder),
        Command::Version => print::line(concat!("doorward ", env!("CARGO_PKG_VERSION"))),
    }
}

fn serve(flags: &Flags) -> Result<(), Failure> {
    let config = read(flags)?;
    log::begin(config.values.log.level, config.values.log.format);
    let again = || Config::read(flags, &Surroundings::of_process());
    Ok(serve::run(&config, &again)?)
}

/// The settings of this process; whatever is wrong with them is wrong usage.
fn read(flags: &Flags) -> Result<Config, Failure> {
    Config::read(flags, &Surroundings::of_process())
        .map_err(|mistakes| Failure::Usage(one_each(&mistakes)))
}

/// A line for each, below one another after `error: `.
fn one_each(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n       ")
}

fn demo(options: &demo::Options) -> Result<(), Failure> {
    options.check().map_err(Failure::Usage)?;
    log::begin(tracing::level_filters::LevelFilter::WARN, log::Format::Text);
    Ok(demo::run(options)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        command().debug_assert();
    }

    #[test]
    fn every_command_and_option_says_what_it_is() {
        let mut open = vec![command()];
        while let Some(command) = open.pop() {
            let name = command.get_name().to_owned();
            assert!(command.get_about().is_some(), "{name} says nothing");
            for arg in command.get_arguments() {
                assert!(
                    arg.get_help().is_some(),
                    "{name} {} says nothing",
                    arg.get_id()
                );
            }
            open.extend(command.get_subcommands().cloned());
        }
    }
}
