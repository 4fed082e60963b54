//! `doorward doctor`: looks at an install from all sides, says what is wrong and what to do, and changes nothing.

mod database;
mod files;
mod finding;
mod mail;
mod public;
mod settings;
mod sql;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;
use tracing::level_filters::LevelFilter;

use self::finding::Report;
use super::failure::Failure;
use super::print::Output;
use super::running::Running;
use crate::config::flags::Everything;
use crate::config::sources::Surroundings;
use crate::config::{Config, PublicUrl};
use crate::kit::dns::Resolver;
use crate::kit::folder;
use crate::kit::keys::Keys;
use crate::kit::log;
use crate::kit::time::{Clock, SystemClock, Timestamp};
use crate::migrations;

/// Look for what is wrong with this install, and say what to do; exits with 1 when something is wrong
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    output: Output,
    /// Read the whole database and the whole audit log, however long they are
    #[arg(long)]
    deep: bool,
    /// Ask this name server about the domain of mails, instead of those of this machine
    #[arg(long, value_name = "ADDRESS", value_parser = name_server)]
    name_server: Option<SocketAddr>,
    #[command(flatten)]
    settings: Everything,
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    const PORT: u16 = 53;
    text.parse::<IpAddr>()
        .map(|ip| SocketAddr::new(ip, PORT))
        .or_else(|_| text.parse())
        .map_err(|_| "write an address like 192.0.2.53 or 192.0.2.53:53".to_owned())
}

/// Where the unit that comes with Doorward keeps its data.
const SERVICE_DATA: &str = "/var/lib/doorward";
/// The credentials of that unit, while it runs.
const CREDENTIALS: &str = "/run/credentials/doorward.service";

fn is_of_service(data: &Path) -> bool {
    let resolved = |path: &Path| path.canonicalize().ok();
    resolved(data).is_some_and(|data| Some(data) == resolved(Path::new(SERVICE_DATA)))
}

/// What is looked at, and what is known of it beforehand.
struct Ground {
    config: Config,
    /// The address people type.
    public_url: PublicUrl,
    running: Running,
    /// The keys, where they can be read.
    keys: Result<Keys, migrations::Error>,
    resolver: Resolver,
    is_deep: bool,
    now: Timestamp,
}

impl Ground {
    fn new(config: Config, command: &Command) -> Self {
        let values = &config.values;
        let noted = folder::note(&values.data);
        let noted = noted.first().and_then(|url| url.parse().ok());
        let public_url = values
            .public_url
            .clone()
            .or(noted)
            .unwrap_or_else(|| config.public_url(values.listen));
        Self {
            public_url,
            running: Running::of(&config),
            keys: migrations::keys(&values.data, values.secret_key_file.as_deref()),
            resolver: match command.name_server {
                Some(server) => Resolver::new(vec![server]),
                None => Resolver::of_machine(),
            },
            is_deep: command.deep,
            now: SystemClock::new().now(),
            config,
        }
    }

    fn data(&self) -> &Path {
        &self.config.values.data
    }

    fn database(&self) -> PathBuf {
        self.data().join(migrations::DATABASE)
    }

    fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref().ok()
    }
}

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    log::begin(LevelFilter::ERROR, log::Format::Text);
    let around = Surroundings::of_process();
    let mut config = Config::read(&command.settings.0, &around);
    if config
        .as_ref()
        .is_ok_and(|config| is_of_service(&config.values.data))
    {
        // systemd tells the service alone; root sees what it was told, and looks at the same.
        let around = around.with_credentials(Path::new(CREDENTIALS));
        config = Config::read(&command.settings.0, &around);
    }
    let config = match config {
        Ok(config) => config,
        Err(mistakes) => {
            let report = Report::new([settings::mistakes(&mistakes)]);
            return report.say(command.output);
        }
    };
    let ground = Ground::new(config, command);
    // Whoever is asked over a network may let us wait; all of them together wait no longer than the slowest.
    let (around, mail) = thread::scope(|scope| {
        let around = scope.spawn(|| public::look(&ground));
        let mail = scope.spawn(|| mail::look(&ground));
        (around.join(), mail.join())
    });
    let (Ok(around), Ok(mut mail)) = (around, mail) else {
        return Err(Failure::Failed(
            "something broke while looking; please report it".to_owned(),
        ));
    };
    let seen = database::look(&ground, &mut mail);
    let mut groups = vec![settings::look(&ground)];
    groups.extend(around);
    groups.push(mail);
    groups.extend(files::look(&ground));
    groups.extend(seen);
    Report::new(groups).say(command.output)
}

/// A time that has passed, or is to come, in the largest unit that says enough.
fn span(seconds: i64) -> String {
    let seconds = seconds.abs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if count == 1 {
        format!("1 {unit}")
    } else {
        format!("{count} {unit}s")
    }
}

/// A day, in UTC.
fn day(at: Timestamp) -> String {
    super::print::moment(at)
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// An error's words as a sentence.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
