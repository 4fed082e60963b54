//! `doorward completions` and `doorward man`: what shells and readers of manuals are given.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Arg;
use clap_complete::Shell;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::failure::Failure;
use super::print;
use crate::config::flags::HEADING;
use crate::config::keys::{Key, Kind};

const MANUAL: &str = "Doorward manual";
const SOURCE: &str = concat!("Doorward ", env!("CARGO_PKG_VERSION"));
/// When the text of the pages last changed in a way that matters.
const DATE: &str = "2026-11-24";

/// Where manual pages go.
#[derive(clap::Args, Debug)]
pub(super) struct Man {
    /// The folder; it is made when it is not there
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(super) folder: PathBuf,
}

/// Prints what completes the commands in a shell.
pub(super) fn completions(mut command: clap::Command, shell: Shell) -> Result<(), Failure> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    print::line(String::from_utf8_lossy(&script).trim_end())
}

/// Writes the manual pages into a folder: one for each command, and one about the configuration file.
pub(super) fn man(mut command: clap::Command, folder: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::Failed(format!("cannot write into {}: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    command.build();
    let mut count = 1;
    let mut open = vec![command];
    while let Some(command) = open.pop() {
        open.extend(command.get_subcommands().cloned());
        write_page(command, folder).map_err(failed)?;
        count += 1;
    }
    let mut file = BufWriter::new(File::create(folder.join("doorward.toml.5")).map_err(failed)?);
    settings_page()
        .to_writer(&mut file)
        .and_then(|()| file.flush())
        .map_err(failed)?;
    print::line(format!("{count} pages in {}", folder.display()))
}

fn write_page(mut command: clap::Command, folder: &Path) -> io::Result<()> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let spelled = command.get_bin_name().unwrap_or(&name).to_owned();
    let usage = command.render_usage().to_string();
    let settings = settings_of(&command);
    let is_server = name == "doorward-serve";
    if !is_server {
        // They are many and everywhere the same: they stand on one page.
        command = command.mut_args(|arg| {
            let is_setting = arg.get_help_heading() == Some(HEADING);
            arg.hide(is_setting)
        });
    }
    command = command.mut_args(with_values);
    let about: Vec<String> = [command.get_long_about().or_else(|| command.get_about())]
        .into_iter()
        .flatten()
        .flat_map(|about| {
            about
                .to_string()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let has_commands = command.has_subcommands();
    let page = Page::new(command)
        .title(name.to_uppercase())
        .date(DATE)
        .source(SOURCE)
        .manual(MANUAL);
    let mut file = BufWriter::new(File::create(folder.join(format!("{name}.1")))?);
    page.render_title(&mut file)?;
    // No option is cut in two at the end of a line.
    Roff::new().control("nh", []).to_writer(&mut file)?;
    page.render_name_section(&mut file)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    let usage = usage.trim_start_matches("Usage:").trim();
    let rest = usage.strip_prefix(&spelled).unwrap_or(usage);
    roff.text([bold(spelled), roman(rest)]);
    roff.control("SH", ["DESCRIPTION"]);
    for line in &about {
        let line = line.trim_end_matches('.');
        roff.text([roman(format!("{line}."))]);
    }
    roff.to_writer(&mut file)?;
    if has_commands {
        page.render_subcommands_section(&mut file)?;
    }
    page.render_options_section(&mut file)?;
    let mut roff = Roff::new();
    if !is_server && !settings.is_empty() {
        roff.control("SH", ["SETTINGS"]);
        roff.text([
            roman("These settings are options too, as "),
            bold("doorward-serve"),
            roman("(1) describes them: "),
            roman(format!("{}.", settings.join(", "))),
        ]);
    }
    if name == "doorward" {
        closing(&mut roff);
    }
    see_also(&mut roff, &name);
    roff.to_writer(&mut file)?;
    file.flush()
}

/// The values an argument may have, as the end of its sentence: a list of single words needs no lines of its own.
fn with_values(arg: Arg) -> Arg {
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let Some(help) = arg.get_long_help().or_else(|| arg.get_help()) else {
        return arg;
    };
    if values.is_empty() || !arg.get_action().takes_values() {
        return arg;
    }
    let help = format!("{help} (one of {})", values.join(", "));
    arg.hide_possible_values(true).long_help(help)
}

fn settings_of(command: &clap::Command) -> Vec<String> {
    command
        .get_arguments()
        .filter(|arg| arg.get_help_heading() == Some(HEADING))
        .filter_map(|arg| arg.get_long().map(|long| format!("--{long}")))
        .collect()
}

/// What the page of the program itself says besides.
fn closing(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        ("0", "It was done."),
        ("1", "It failed; a sentence on standard error says why."),
        ("2", "It was asked wrongly, or a setting is wrong."),
        ("3", "What was named is not there."),
    ] {
        entry(roff, vec![bold(code)], meaning);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([
        roman("Every setting is a variable too: "),
        bold("DOORWARD_"),
        roman(" and its name in capital letters. A flag wins over a variable, a variable over the file. See "),
        bold("doorward.toml"),
        roman("(5)."),
    ]);
    roff.control("SH", ["FILES"]);
    for (path, meaning) in [
        (
            "doorward.toml, /etc/doorward/doorward.toml",
            "The configuration; the first one that is there is read.",
        ),
        (
            "doorward.db",
            "The database, in the data folder, with doorward.db-wal and doorward.db-shm beside it while it is open.",
        ),
        (
            "secret.key",
            "The key, in the data folder. It is in no backup: keep a copy of it elsewhere.",
        ),
        (
            "setup-link",
            "The link of the first run, in the data folder until it is used.",
        ),
        ("backups", "The folder of backups, in the data folder."),
    ] {
        entry(roff, vec![italic(path)], meaning);
    }
    roff.control("SH", ["EXAMPLES"]);
    for (line, meaning) in [
        ("doorward demo", "Look around; nothing is kept."),
        (
            "doorward serve",
            "Serve the Portal in ./doorward-data, and print the link that sets it up.",
        ),
        (
            "doorward doctor",
            "Look for what is wrong, and say what to do.",
        ),
    ] {
        entry(roff, vec![bold(line)], meaning);
    }
}

fn see_also(roff: &mut Roff, name: &str) {
    let others = ["doorward(1)", "doorward-serve(1)", "doorward.toml(5)"];
    let others: Vec<&str> = others
        .into_iter()
        .filter(|other| other.split('(').next() != Some(name))
        .collect();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(others.join(", "))]);
}

fn entry(roff: &mut Roff, head: Vec<Inline>, body: &str) {
    roff.control("TP", []);
    roff.text(head);
    roff.text([roman(body)]);
}

/// The page about the configuration file.
fn settings_page() -> Roff {
    let mut roff = Roff::new();
    roff.control("TH", ["DOORWARD.TOML", "5", DATE, SOURCE, MANUAL]);
    roff.control("nh", []);
    roff.control("SH", ["NAME"]);
    roff.text([roman("doorward.toml - the settings of Doorward")]);
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([italic("./doorward.toml")]);
    roff.control("br", []);
    roff.text([italic("/etc/doorward/doorward.toml")]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([
        roman("A file in TOML: one key and its value a line. The first of the two files that is there is read, or the one that "),
        bold("--config"),
        roman(" or "),
        bold("DOORWARD_CONFIG"),
        roman(" names. A key that nobody knows is refused, with its line and the nearest right one."),
    ]);
    roff.control("PP", []);
    roff.text([
        roman("Every key is also a flag ("),
        bold("--public-url"),
        roman(") and a variable ("),
        bold("DOORWARD_PUBLIC_URL"),
        roman(
            "). A flag wins over a variable, a variable over the file that a variable ending in ",
        ),
        bold("_FILE"),
        roman(" names, that over a credential of systemd, and that over this file. "),
        bold("doorward config show"),
        roman(" says which value holds and where it comes from, "),
        bold("doorward config check"),
        roman(" what is wrong."),
    ]);
    roff.control("SH", ["KEYS"]);
    for key in Key::ALL {
        describe(&mut roff, key);
    }
    roff.control("SH", ["EXAMPLE"]);
    roff.control("EX", []);
    for key in [Key::PublicUrl, Key::TrustedProxies, Key::MailFrom] {
        roff.text([roman(written(key))]);
    }
    roff.control("EE", []);
    see_also(&mut roff, "doorward.toml");
    roff
}

fn describe(roff: &mut Roff, key: Key) {
    let spec = key.spec();
    roff.control("TP", []);
    roff.text([bold(spec.name), roman(" = "), italic(spec.value)]);
    let default = match spec.default {
        Some(default) => format!("Default: {default}."),
        None => format!("Default: {}.", spec.unset),
    };
    roff.text([roman(format!("{}. {default} As in:", spec.help))]);
    roff.control("RS", []);
    roff.control("PP", []);
    roff.text([bold(written(key))]);
    roff.control("RE", []);
}

/// The key with its example, as the file has it.
fn written(key: Key) -> String {
    let spec = key.spec();
    let value = match spec.kind {
        Kind::Number | Kind::Decimal | Kind::Switch => spec.example.to_owned(),
        Kind::List => {
            let items: Vec<String> = spec
                .example
                .split(',')
                .map(|item| format!("\"{item}\""))
                .collect();
            format!("[{}]", items.join(", "))
        }
        // In a manual it stands in one line.
        _ => format!("\"{}\"", spec.example.replace('\n', "\\n")),
    };
    format!("{} = {value}", spec.name)
}
