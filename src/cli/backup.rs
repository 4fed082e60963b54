//! `doorward backup`.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use clap::Args;
use data_encoding::HEXLOWER;
use serde_json::json;

use super::failure::Failure;
use super::print::Output;
use super::{beside, print};
use crate::audit;
use crate::backups::{self, Attempt, Cause, Facts, IfTaken, Made, Order};
use crate::config::Values;
use crate::config::flags::{Basics, Everything};
use crate::error::Error;
use crate::kit::key_file;
use crate::kit::keys::Keys;
use crate::kit::random::{self, OsRandom};
use crate::kit::time::{Clock, SystemClock, Timestamp};
use crate::kit::{log, size};
use crate::migrations::aside::Aside;
use crate::migrations::{DATABASE, IfEmpty, VERSION};

/// Make a backup of the database, or verify one. Works beside a running server. The key is not in it
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    settings: Everything,
    /// Where to put it: a folder, a new file, or - for standard output
    #[arg(long, value_name = "DIR|FILE|-", conflicts_with = "verify")]
    out: Option<PathBuf>,
    /// Verify this backup instead: a copy of it is read from end to end, and brought to this version
    #[arg(long, value_name = "FILE")]
    verify: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// How long it waits for another backup that is being made in the same folder, as at night.
const PATIENCE: Duration = Duration::from_secs(60);

/// What every backup leaves out.
const NO_KEY: &str = "The key is not in it: keep a copy of secret.key elsewhere. Without it no second factor and no link \
                      of this backup works.";

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match &command.verify {
        Some(file) => verify(command, file),
        None => make(command),
    }
}

fn make(command: &Command) -> Result<(), Failure> {
    let is_streamed = command.out.as_deref() == Some(Path::new("-"));
    if is_streamed && io::stdout().is_terminal() {
        return Err(Failure::Usage(
            "a backup is no text: send it into a file or a program, as in doorward backup --out - | gzip > backup.db.gz"
                .to_owned(),
        ));
    }
    if is_streamed && command.output.is_json() {
        return Err(Failure::Usage(
            "standard output takes the backup or the JSON, not both".to_owned(),
        ));
    }
    let values = super::read(&command.settings.0)?.values;
    let app = beside::open(&Basics(command.settings.0.clone()), IfEmpty::Refuse)?;
    let began = app.now();
    let usual = values.backups.folder.clone();
    let name = backups::by_hand_name(began);
    let (target, if_taken) = match command.out.as_deref() {
        None => (usual.join(name), IfTaken::CountUp),
        Some(_) if is_streamed => {
            let inside = app.settings.data.join("backups");
            (inside.join(name), IfTaken::CountUp)
        }
        Some(out) if out.is_dir() || ends_with_slash(out) => (out.join(name), IfTaken::CountUp),
        Some(out) => (out.to_owned(), IfTaken::Refuse),
    };
    let order = Order {
        database: app.settings.data.join(DATABASE),
        target: target.clone(),
        if_taken,
        patience: PATIENCE,
        keys: app.keys().clone(),
        version: VERSION,
        now: began,
    };
    let done = if is_streamed {
        backups::make_nameless(&order).map(|(copy, made)| (Some(copy), made))
    } else {
        backups::make(&order).map(|made| (None, made))
    };
    let target = done.as_ref().map_or(target, |(_, made)| made.place.clone());
    let place = if is_streamed {
        "standard output".to_owned()
    } else {
        // As it was asked for: systemd's folders are links to where nobody else looks.
        absolute(&target).unwrap_or(target).display().to_string()
    };
    let attempt = |outcome| Attempt {
        cause: Cause::Command,
        began_at: began,
        ended_at: app.now(),
        place: place.clone(),
        outcome,
    };
    let (copy, made) = match done {
        Ok(done) => done,
        Err(why) => {
            let attempt = attempt(Err(why.to_string()));
            // That it failed is worth a row; that the row could not be written is not worth a second error.
            drop(app.housekeep(app.now(), |tx| backups::note(tx, &attempt)));
            return Err(Failure::Failed(format!("no backup at {place}: {why}")));
        }
    };
    if let Some(copy) = copy {
        send(copy)?;
    }
    let bytes = i64::try_from(made.bytes).unwrap_or(i64::MAX);
    let attempt = attempt(Ok(bytes));
    app.write(app.now(), |tx| backups::made_by_hand(tx, &attempt))?;
    let summary = summary(command.output, &place, &made);
    if is_streamed {
        // Standard output has the backup itself.
        print::remark(&summary);
    } else {
        print::line(summary)?;
    }
    print::remark(&format!(
        "{NO_KEY}\nIt lies at {}",
        key_place(&values).display()
    ));
    Ok(())
}

fn ends_with_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

fn send(mut copy: File) -> Result<(), Failure> {
    io::copy(&mut copy, &mut io::stdout().lock())
        .map(drop)
        .map_err(|error| Failure::Failed(format!("the backup was cut off: {error}")))
}

fn summary(output: Output, place: &str, made: &Made) -> String {
    let Made { bytes, facts, .. } = made;
    if output.is_json() {
        let json = json!({
            "path": place, "bytes": bytes, "schema": VERSION, "organisations": facts.organisations,
            "accounts": facts.accounts, "events": facts.events, "verified": true, "key_included": false,
        });
        return format!("{json:#}");
    }
    format!(
        "Backup      {place}\nSize        {}\nAccounts    {}\nVerified    yes: pages, references and audit log",
        size::of(i64::try_from(*bytes).unwrap_or(i64::MAX)),
        facts.accounts
    )
}

/// Where the key lies, or should.
pub(super) fn key_place(values: &Values) -> PathBuf {
    let own = || values.data.join(key_file::NAME);
    values.secret_key_file.clone().unwrap_or_else(own)
}

/// The key, if it is there.
pub(super) fn key(values: &Values) -> Result<Option<Keys>, key_file::Error> {
    match &values.secret_key_file {
        Some(named) => key_file::read_named(named),
        None => key_file::read(&values.data),
    }
}

/// A private folder for a copy that is looked at.
fn private_folder() -> Result<PathBuf, Failure> {
    let mark: [u8; 8] = random::bytes(&OsRandom).map_err(Error::from)?;
    let name = format!("doorward-verify-{}", HEXLOWER.encode(&mark));
    Ok(std::env::temp_dir().join(name))
}

/// How the audit log of a backup stands to the key.
pub(super) enum Chains {
    /// Whole under the key.
    Whole,
    /// Whole as far as can be told without the key, and why it is without.
    Unproven(String),
}

/// What there is to know of a backup.
pub(super) struct Known {
    pub(super) facts: Facts,
    pub(super) chains: usize,
    pub(super) are: Chains,
}

/// Looks at the audit log and counts; refuses a log that is not what it was.
pub(super) fn judge(
    aside: &Aside,
    file: &Path,
    keys: Option<&Keys>,
    why_none: &str,
    now: Timestamp,
) -> Result<Known, Failure> {
    let (mut keys, mut why) = (keys, why_none.to_owned());
    if let Some(some) = keys
        && !aside.belongs(some)
    {
        keys = None;
        why = "the backup belongs to another secret.key than the one there is".to_owned();
    }
    let (facts, verdict) = aside.read(now, |read| {
        let verdict = match keys {
            Some(keys) => audit::verify(read, keys)?,
            None => audit::verify_without_key(read)?,
        };
        Ok::<_, Error>((backups::facts(read)?, verdict))
    })?;
    if let Some(fault) = verdict.faults.first() {
        return Err(Failure::Failed(format!(
            "{}: its audit log is not what it was (chain {}, row {}: {}); take another backup",
            file.display(),
            fault.chain_id,
            fault.number,
            fault.what
        )));
    }
    Ok(Known {
        facts,
        chains: verdict.chains,
        are: match keys {
            Some(_) => Chains::Whole,
            None => Chains::Unproven(why),
        },
    })
}

/// When a backup was made, as far as its name or its audit log tells.
pub(super) fn date(file: &Path, facts: &Facts) -> Option<Timestamp> {
    let name = file.file_name().and_then(|name| name.to_str());
    name.and_then(backups::made_at).or(facts.changed_at)
}

/// "2026-11-24 02:30 UTC", or that it is not known.
pub(super) fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(
        || "unknown".to_owned(),
        |at| format!("{} UTC", print::moment(at)),
    )
}

fn verify(command: &Command, file: &Path) -> Result<(), Failure> {
    let config = super::read(&command.settings.0)?;
    log::begin(tracing::level_filters::LevelFilter::WARN, log::Format::Text);
    let now = SystemClock::new().now();
    let (keys, why) = match key(&config.values) {
        Ok(Some(keys)) => (Some(keys), String::new()),
        Ok(None) => (
            None,
            format!("there is no {}", key_place(&config.values).display()),
        ),
        Err(error) => (None, error.to_string()),
    };
    let aside = Aside::take(file, &private_folder()?, now, None)?;
    let known = judge(&aside, file, keys.as_ref(), &why, now)?;
    let Known { facts, chains, are } = &known;
    if command.output.is_json() {
        return print::json(&json!({
            "path": file.display().to_string(), "schema": aside.version,
            "made_at": date(file, facts).map(print::instant), "changed_at": facts.changed_at.map(print::instant),
            "organisations": facts.organisations, "accounts": facts.accounts, "events": facts.events, "chains": chains,
            "key": match are { Chains::Whole => "right", Chains::Unproven(_) => "not checked" },
            "log_beside": aside.log.is_some(), "verified": true,
        }));
    }
    let is_older = aside.version < VERSION;
    let newer = format!(" (brought to {VERSION} without fault)");
    print::line(format!(
        "Backup         {}\nSchema         {}{}\nMade           {}\nLast change    {}\nOrganisations  {}\nAccounts       {}\n\
         Events         {} in {chains} chains\nVerified       yes: pages, references and audit log",
        file.display(),
        aside.version,
        if is_older { &newer } else { "" },
        shown(date(file, facts)),
        shown(facts.changed_at),
        facts.organisations,
        facts.accounts,
        facts.events,
    ))?;
    if let Some(log) = &aside.log {
        print::remark(&beside_it(log));
    }
    if let Chains::Unproven(why) = are {
        print::remark(&format!(
            "The audit log was checked without the key: {why}. To restore this backup you need the key it belongs to."
        ));
    }
    Ok(())
}

/// What is done about a log that lies beside a backup.
pub(super) fn beside_it(log: &Path) -> String {
    format!(
        "{} lies beside it and was taken along: what was committed in it counts. Neither file was changed.",
        log.display()
    )
}
