//! `doorward config`: the settings of the host, before they are used and while they hold.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::Failure;
use super::print;
use super::print::Output;
use crate::config::flags::{Everything, Flags};
use crate::config::sources::Surroundings;
use crate::config::{self, Config, Shown};

/// The settings of the host: check, show, reference
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    settings: Everything,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Read everything that says something, and name every mistake with its line
    Check,
    /// Print every setting with its value and who said so; secrets only as set
    Show {
        #[command(flatten)]
        output: Output,
    },
    /// Print a configuration file that explains every setting; what is given as flags is set in it
    Reference,
}

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let flags = &command.settings.0;
    match command.act {
        Act::Check => check(flags),
        Act::Show { output } => show(&super::read(flags)?, output),
        Act::Reference => reference(flags),
    }
}

fn check(flags: &Flags) -> Result<(), Failure> {
    let config = Config::read(flags, &Surroundings::of_process())
        .map_err(|mistakes| Failure::Failed(super::one_each(&mistakes)))?;
    for warning in config.warnings() {
        print::remark(&format!("warning: {warning}"));
    }
    print::line(what_was_read(&config))
}

/// `The settings are right: 2 of /etc/doorward/doorward.toml, 1 variable, 20 by default.`
fn what_was_read(config: &Config) -> String {
    let shown = config.shown();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &shown {
        *counts.entry(one.source).or_default() += 1;
    }
    let count = |source: &str| counts.get(source).copied().unwrap_or(0);
    let mut parts = vec![match &config.file {
        Some(file) => format!("{} from {}", count("configuration"), file.display()),
        None => "no configuration file".to_owned(),
    }];
    for (source, words) in [
        ("flag", "by flag"),
        ("variable", "by variable"),
        ("file", "from a file that a variable names"),
        ("credential", "by credential"),
    ] {
        if count(source) > 0 {
            parts.push(format!("{} {words}", count(source)));
        }
    }
    parts.push(format!("{} by default", count("default")));
    format!("The settings are right: {}.", parts.join(", "))
}

fn show(config: &Config, output: Output) -> Result<(), Failure> {
    let shown = config.shown();
    if output.is_json() {
        let all: Vec<Value> = shown.iter().map(object).collect();
        return print::json(&Value::from(all));
    }
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    print::table(&["Setting", "Value", "Source"], &rows)
}

fn object(one: &Shown) -> Value {
    json!({
        "setting": one.key.name(),
        "value": one.value,
        "secret": one.key.is_secret(),
        "source": one.source,
        "place": one.place,
    })
}

fn row(one: &Shown) -> Vec<String> {
    let source = match (one.source, &one.place) {
        // A file and its line, or a flag with its dashes, say what they are.
        ("configuration" | "flag", Some(place)) => place.clone(),
        (source, Some(place)) => format!("{source} {place}"),
        (source, None) => source.to_owned(),
    };
    let value = one.value.as_deref().unwrap_or("not set");
    // A table has a line for each setting, also for one of several lines.
    let value = value.lines().collect::<Vec<_>>().join(" / ");
    vec![one.key.name().to_owned(), value, source]
}

/// The same wherever it is printed: of all sources only the flags count.
fn reference(flags: &Flags) -> Result<(), Failure> {
    let flags = Flags {
        config: None,
        ..flags.clone()
    };
    Config::read(&flags, &Surroundings::default())
        .map_err(|mistakes| Failure::Usage(super::one_each(&mistakes)))?;
    print::line(config::reference(&flags).trim_end())
}
