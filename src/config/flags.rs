//! The settings as flags of the command line, drawn from the table of keys.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::keys::{Key, Kind, Reach};

const CONFIG: &str = "config";
/// What the settings stand under in the help.
pub const HEADING: &str = "Settings";
/// The long help has all of them; the short one what a command alone takes.
const CONFIG_HELP: &str = "The configuration file (default: ./doorward.toml, then /etc/doorward/doorward.toml) [env: DOORWARD_CONFIG]";

/// What was given as flags.
#[derive(Clone, Default)]
pub struct Flags {
    /// The file that `--config` names.
    pub config: Option<PathBuf>,
    /// The keys, as they were written.
    pub given: BTreeMap<Key, String>,
}

impl fmt::Debug for Flags {
    // One of them may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}

impl Flags {
    /// With one more, as if it had been typed.
    #[must_use]
    pub fn with(mut self, key: Key, value: impl Into<String>) -> Self {
        self.given.insert(key, value.into());
        self
    }

    fn take(matches: &ArgMatches, keys: impl Iterator<Item = Key>) -> Self {
        let given = keys.filter(|key| key.has_flag()).filter_map(|key| {
            let values = matches.get_many::<String>(key.name())?;
            let values: Vec<&str> = values.map(String::as_str).collect();
            Some((key, values.join(",")))
        });
        Self {
            config: matches.get_one::<PathBuf>(CONFIG).cloned(),
            given: given.collect(),
        }
    }
}

/// The flags of every command that opens the data folder.
#[derive(Clone, Debug, Default)]
pub struct Basics(pub Flags);

/// The flags of the server, and of commands that look at it as a whole.
#[derive(Clone, Debug, Default)]
pub struct Everything(pub Flags);

fn basics() -> impl Iterator<Item = Key> {
    Key::ALL
        .into_iter()
        .filter(|key| key.spec().reach == Reach::Everywhere)
}

fn augment(command: Command, keys: impl Iterator<Item = Key>) -> Command {
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(ValueParser::path_buf())
        .value_hint(ValueHint::FilePath)
        .help(CONFIG_HELP)
        .long_help(CONFIG_HELP)
        .hide_short_help(true)
        .help_heading(HEADING)
        .global(true);
    keys.filter(|key| key.has_flag())
        .map(|key| arg(key).help_heading(HEADING).global(true))
        .fold(command.arg(config), Command::arg)
}

fn arg(key: Key) -> Arg {
    let spec = key.spec();
    let default = spec.default.unwrap_or(spec.unset);
    let help = format!(
        "{} (default: {default}) [env: {}]",
        spec.help,
        key.variable()
    );
    let arg = Arg::new(spec.name)
        .long(key.flag())
        .value_name(spec.value)
        .help(help.clone())
        .long_help(help)
        .hide_short_help(true);
    match spec.kind {
        Kind::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(PossibleValuesParser::new(["true", "false"])),
        Kind::List => arg.value_delimiter(','),
        Kind::Path => arg.value_hint(ValueHint::FilePath),
        Kind::Folder => arg.value_hint(ValueHint::DirPath),
        Kind::Text
        | Kind::Lines
        | Kind::Number
        | Kind::Decimal
        | Kind::Secret
        | Kind::FlaglessSecret => arg,
    }
}

impl FromArgMatches for Basics {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(Flags::take(matches, basics())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Basics {
    fn augment_args(command: Command) -> Command {
        augment(command, basics())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Everything {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(Flags::take(matches, Key::ALL.into_iter())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Everything {
    fn augment_args(command: Command) -> Command {
        augment(command, Key::ALL.into_iter())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
