//! `doorward audit`: the audit log.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use serde_json::json;

use super::failure::Failure;
use super::print::Output;
use super::{beside, print};
use crate::app::App;
use crate::audit::export::{self, Export, Format, Wanted, named};
use crate::audit::pages::{TOLD, called};
use crate::audit::search::{self, Filter, Line, Outcome, What, Who};
use crate::audit::views::{Query, sentence};
use crate::audit::{self, Fault, Verdict};
use crate::config::flags::Basics;
use crate::domain::id::OrganisationId;
use crate::migrations::IfEmpty;
use crate::organisations::{self, Organisation};
use crate::scope::Allowed;

/// Between two looks for new events.
const LOOK: Duration = Duration::from_secs(1);
/// Events of one look.
const LOOK_ROWS: i64 = 500;

/// The audit log: tail, export, verify it.
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    basics: Basics,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show the newest events, the newest last
    Tail(Tail),
    /// Write events into a file, oldest first, and record that
    Export {
        #[command(flatten)]
        chain: Chain,
        #[command(flatten)]
        filters: Filters,
        /// For a spreadsheet, or to be verified
        #[arg(long, value_enum, default_value_t = As::Jsonl)]
        format: As,
        /// The file, which must not exist yet; - is standard output
        #[arg(long, value_name = "FILE", default_value = "-")]
        out: PathBuf,
    },
    /// Check every chain from its first row to its head; name the first row changed, removed, put in or swapped
    Verify {
        #[command(flatten)]
        output: Output,
    },
}

/// Which events are shown, and how.
#[derive(Args, Debug)]
struct Tail {
    #[command(flatten)]
    chain: Chain,
    #[command(flatten)]
    filters: Filters,
    /// So many events
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    lines: u16,
    /// Go on with what is done from now on
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    output: Output,
}

/// Whose log.
#[derive(Args, Clone, Debug)]
struct Chain {
    /// The organisation, by id or name; not needed where there is only one
    #[arg(long, value_name = "ORGANISATION")]
    org: Option<String>,
    /// The log of the server itself, in which no organisation is
    #[arg(long, conflicts_with = "org")]
    system: bool,
}

/// Which events.
#[derive(Args, Clone, Debug)]
struct Filters {
    /// Only events with these words: a name, an address, a request
    #[arg(short, long = "query", value_name = "WORDS")]
    q: Option<String>,
    /// Only what was done by this account, or by: operator, system, stranger
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Only this action, or this group of actions
    #[arg(long, value_name = "WHAT")]
    what: Option<String>,
    /// Only what was done to this account
    #[arg(long, value_name = "ACCOUNT")]
    target: Option<String>,
    /// Only what was done, or only what was refused
    #[arg(long, value_name = "RESULT", value_parser = ["done", "refused"])]
    result: Option<String>,
    /// Only from this day on, in UTC: 2026-11-24
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Only up to this day, in UTC: 2026-11-30
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
}

/// The formats of an export.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum As {
    /// Rows for a spreadsheet
    Csv,
    /// One JSON object to a line, with all that is needed to check the chain
    Jsonl,
}

impl From<As> for Format {
    fn from(format: As) -> Self {
        match format {
            As::Csv => Self::Csv,
            As::Jsonl => Self::Jsonl,
        }
    }
}

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let open = || beside::open(&command.basics, IfEmpty::Refuse);
    match &command.act {
        Act::Tail(tail) => show(&open()?, tail),
        Act::Export {
            chain,
            filters,
            format,
            out,
        } => export(&open()?, (chain, filters), (*format).into(), out),
        Act::Verify { output } => verify(&open()?, *output),
    }
}

fn picked(app: &App, chain: &Chain) -> Result<Option<OrganisationId>, Failure> {
    if chain.system {
        return Ok(None);
    }
    Ok(Some(beside::organisation(app, chain.org.as_deref())?.id))
}

/// What the flags ask for. Unlike an address a command that is wrong is refused: it was typed by hand.
fn wanted(
    app: &App,
    chain: Option<OrganisationId>,
    filters: &Filters,
) -> Result<(Filter, Option<String>), Failure> {
    let query = Query::read(|name| match name {
        "q" => filters.q.clone(),
        "who" => filters.who.clone(),
        "what" => filters.what.clone(),
        "target" => filters.target.clone(),
        "result" => filters.result.clone(),
        "from" => filters.from.clone(),
        "to" => filters.to.clone(),
        _ => None,
    });
    let known = [
        ("--who", &filters.who, query.who.map(Who::key)),
        (
            "--what",
            &filters.what,
            query.what.map(|what| What::key(what).to_owned()),
        ),
        (
            "--target",
            &filters.target,
            query.target.map(|id| id.to_string()),
        ),
        (
            "--result",
            &filters.result,
            query
                .outcome
                .map(|outcome| Outcome::key(outcome).to_owned()),
        ),
        (
            "--from",
            &filters.from,
            query.from.map(|day| day.to_string()),
        ),
        ("--to", &filters.to, query.to.map(|day| day.to_string())),
    ];
    for (flag, given, read) in known {
        if let Some(given) = given
            && read.is_none()
        {
            return Err(Failure::Usage(format!(
                "{flag}: \"{given}\" is not known; packaging/audit.md lists what is"
            )));
        }
    }
    let filter = app.read(app.now(), |read| {
        query.filter(&TimeZone::UTC, |word| match chain {
            Some(organisation) => called(read, organisation, word),
            None => Ok::<_, crate::error::Error>(Vec::new()),
        })
    })?;
    Ok((filter, query.text))
}

fn show(app: &App, tail: &Tail) -> Result<(), Failure> {
    let chain = picked(app, &tail.chain)?;
    let (filter, _) = wanted(app, chain, &tail.filters)?;
    let (mut shown, mut newest) = app.read(app.now(), |read| {
        let found = search::found(read, chain, &filter, None, tail.lines.into())?;
        Ok((found.lines, search::newest(read, chain)?))
    })?;
    shown.reverse();
    loop {
        for line in &shown {
            print::line(told(app, chain, line, tail)?)?;
        }
        if !tail.follow {
            return Ok(());
        }
        thread::park_timeout(LOOK);
        (shown, newest) = app.read(app.now(), |read| {
            let head = search::newest(read, chain)?;
            let shown = search::since(read, chain, &filter, newest, LOOK_ROWS)?;
            let is_all = i64::try_from(shown.len()).is_ok_and(|count| count < LOOK_ROWS);
            let reached = shown.last().map_or(newest, |line| line.number);
            Ok((shown, if is_all { head } else { reached }))
        })?;
    }
}

/// One event on one line.
fn told(
    app: &App,
    chain: Option<OrganisationId>,
    line: &Line,
    tail: &Tail,
) -> Result<String, Failure> {
    Ok(app.read(app.now(), |read| {
        if tail.output.is_json() {
            let chain_id = chain.map_or(0, OrganisationId::number);
            return Ok(export::json_row(read, chain_id, line.number)?.to_string());
        }
        let name = match line.actor {
            Some(id) => (TOLD.name)(read, id)?,
            None => None,
        };
        let words = sentence(&named(&line.deed, name.as_deref()));
        // What people type could steer a terminal, or pretend to be a line of its own.
        let words: String = words
            .chars()
            .map(|sign| if sign.is_control() { ' ' } else { sign })
            .collect();
        let moment = print::instant(line.deed.at);
        Ok(format!("{:>8}  {moment}  {words}", line.number))
    })?)
}

fn export(
    app: &App,
    (chain, filters): (&Chain, &Filters),
    format: Format,
    out: &Path,
) -> Result<(), Failure> {
    let chain = picked(app, chain)?;
    let (filter, typed) = wanted(app, chain, filters)?;
    let wanted = Wanted {
        format,
        filter,
        typed,
    };
    let to_file = out != Path::new("-");
    let mut writer: Box<dyn Write> = if to_file {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(out)
            .map_err(|error| Failure::Failed(format!("{}: {error}", out.display())))?;
        Box::new(BufWriter::new(file))
    } else {
        Box::new(BufWriter::new(io::stdout().lock()))
    };
    app.write(app.now(), |tx| match chain {
        Some(organisation) => export::begin(tx, &Allowed::operator(organisation), &wanted),
        None => export::begin_of_system(tx, &wanted),
    })?;
    let mut pieces = Export::new(app.db().reader(), app.now(), chain, &wanted, TOLD)?;
    for piece in &mut pieces {
        let written = piece.and_then(|piece| writer.write_all(&piece));
        match written {
            // A reader that has seen enough is no failure.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::Failed(format!("the export broke off: {error}"))),
            Ok(()) => {}
        }
    }
    match writer.flush() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Failure::Failed(format!("cannot write: {error}")));
        }
        Ok(()) | Err(_) => {}
    }
    if to_file {
        print::remark(&format!("{} events in {}.", pieces.rows(), out.display()));
    }
    Ok(())
}

fn verify(app: &App, output: Output) -> Result<(), Failure> {
    let (verdict, organisations) = app.read(app.now(), |read| {
        Ok((audit::verify(read, app.keys())?, organisations::list(read)?))
    })?;
    let Verdict {
        chains,
        rows,
        faults,
    } = verdict;
    let named: Vec<(String, &Fault)> = faults
        .iter()
        .map(|fault| (chain(fault.chain_id, &organisations), fault))
        .collect();
    if output.is_json() {
        let faults: Vec<_> = named
            .iter()
            .map(
                |(chain, fault)| json!({ "chain": chain, "row": fault.number, "what": fault.what }),
            )
            .collect();
        print::json(&json!({ "chains": chains, "rows": rows, "faults": faults }))?;
    } else {
        print::line(format!("{chains} chains, {rows} rows checked."))?;
    }
    if named.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = named
        .iter()
        .map(|(chain, fault)| format!("{chain}, row {}: {}", fault.number, fault.what))
        .collect();
    Err(Failure::Failed(format!(
        "the audit log is not what it was\n  {}",
        words.join("\n  ")
    )))
}

fn chain(id: i64, organisations: &[Organisation]) -> String {
    if id == 0 {
        return "the system's chain".to_owned();
    }
    organisations
        .iter()
        .find(|organisation| organisation.id.number() == id)
        .map_or_else(
            || format!("the chain {id} of a deleted organisation"),
            |organisation| format!("the chain of {}", organisation.name),
        )
}
