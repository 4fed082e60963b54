//! What Doorward costs and how fast it is, each beside a yardstick of the same machine in the same run.
//!
//! It starts the real executable on seeded data and loads it from outside: with wrk where the client must be cheap, with
//! a client of its own where forms and addresses change. It asserts nothing and decides nothing: it prints a table. A
//! missed aim ends with 0; only what could not be measured ends with 1.

mod accounts;
mod bills;
mod checks;
mod client;
mod codes;
mod invites;
mod log;
mod mails;
mod nginx;
mod process;
mod seed;
mod server;
mod sign_ins;
mod start;
mod table;
mod weight;
mod wrk;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use doorward::kit::time::instant;

use crate::server::Server;
use crate::table::{Aim, Row, Table};

/// What goes wrong here is told in a sentence, and ends one measure.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Accounts of the large organisation.
const ACCOUNTS: usize = 100_000;
/// Accounts of the small one.
const FEW: usize = 10;

/// After the quiet time, for the background thread to notice that it is over.
const SETTLING: Duration = Duration::from_secs(3);

const USAGE: &str = "usage: benches/run [--quiet SECONDS] [--only WORD,WORD]\n       \
                     benches/run seed FOLDER [ACCOUNTS]\n";

fn main() -> ExitCode {
    let outcome = match Command::read() {
        Some(Command::Measure { quiet, only }) => measure(quiet, only),
        Some(Command::Seed { folder, accounts }) => seed_alone(&folder, accounts),
        None => Err(USAGE.into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            let told = writeln!(io::stderr(), "{error}");
            ExitCode::from(if told.is_ok() { 2 } else { 1 })
        }
    }
}

/// What was asked for.
enum Command {
    /// The measures whose name holds one of these words, or all; the memory at rest after so long.
    Measure { quiet: Duration, only: Vec<String> },
    /// Only the data folder.
    Seed { folder: PathBuf, accounts: usize },
}

impl Command {
    fn read() -> Option<Self> {
        // Cargo adds a word of its own.
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        let (mut quiet, mut only) = (60, Vec::new());
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quiet" => quiet = args.next()?.parse().ok()?,
                "--only" => only = args.next()?.split(',').map(str::to_owned).collect(),
                "seed" => {
                    let folder = args.next()?.into();
                    let accounts = args
                        .next()
                        .map_or(Some(ACCOUNTS), |text| text.parse().ok())?;
                    return Some(Self::Seed { folder, accounts });
                }
                _ => return None,
            }
        }
        Some(Self::Measure {
            quiet: Duration::from_secs(quiet),
            only,
        })
    }
}

fn seed_alone(folder: &Path, accounts: usize) -> Result<ExitCode> {
    let seeded = seed::seed(folder, accounts, FEW)?;
    writeln!(
        io::stdout(),
        "{accounts} accounts in {}. Cookie of their owner: session={}",
        folder.display(),
        seeded.large
    )?;
    Ok(ExitCode::SUCCESS)
}

fn measure(quiet: Duration, only: Vec<String>) -> Result<ExitCode> {
    // On the disk of the build, since on a file system in memory a durable write would cost nothing.
    let folder = tempfile::Builder::new()
        .prefix("measure-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let folder = folder.path();
    let (small, large) = (folder.join("small"), folder.join("large"));
    let mut run = Run::new(only);
    let is_alone = |word: &String| word == "billing" || word == "audit log";
    if run.only.iter().all(is_alone) && !run.only.is_empty() {
        run.take("billing", || bills::rows(folder));
        run.take("audit log", || log::rows(folder));
        return run.end();
    }
    run.say("seeding");
    seed::seed(&small, FEW, FEW)?;
    let seeded = seed::seed(&large, ACCOUNTS, FEW)?;

    run.take("start", || start::rows(folder, &small, &large));
    run.take("binary", start::binary);
    let sink = mails::Sink::reserve()?;
    let server = Server::start(&large, &["--smtp-url", &sink.url()])?;
    run.take("idle memory", || idle(&server));
    run.take("session check", || checks::rows(&server, &seeded, folder));
    run.take("accounts page", || accounts::rows(&server, &seeded));
    run.take("sign-in page", || weight::rows(&server));
    run.take("invite", || invites::rows(&server, &seeded, folder));
    run.take("mail out", || mails::rows(&sink, &server, &large));
    run.take("mail backlog", || {
        mails::backlog(&sink, &server, &seeded, &large)
    });
    run.take("sign-in", || sign_ins::rows(&server, &seeded));
    run.take("second step", || codes::rows(&server, &seeded, folder));
    run.take("memory after load", || after_load(&server, quiet));
    drop(server);
    run.take("billing", || bills::rows(folder));
    run.take("audit log", || log::rows(folder));
    run.end()
}

/// One run of the measures.
struct Run {
    began: Instant,
    only: Vec<String>,
    table: Table,
}

impl Run {
    fn new(only: Vec<String>) -> Self {
        Self {
            began: instant(),
            only,
            table: Table::new(),
        }
    }

    /// Takes one measure, if it was asked for.
    fn take(&mut self, name: &str, measure: impl FnOnce() -> Result<Vec<Row>>) {
        if self.only.is_empty() || self.only.iter().any(|word| name.contains(word)) {
            self.say(name);
            self.table.take(name, measure());
        }
    }

    /// Prints the table.
    fn end(&self) -> Result<ExitCode> {
        self.say("done");
        self.table.print(&mut io::stdout().lock())?;
        Ok(if self.table.is_whole() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// Where the run is; the table comes last, and alone on the standard output.
    fn say(&self, what: &str) {
        let seconds = self.began.elapsed().as_secs();
        // A closed standard error costs nobody the table.
        drop(writeln!(io::stderr(), "[{seconds:>3} s] {what}"));
    }
}

fn idle(server: &Server) -> Result<Vec<Row>> {
    process::rest(Duration::from_secs(2));
    memory(server, "RSS idle, 2 s after the first answer", 14.0)
}

fn after_load(server: &Server, quiet: Duration) -> Result<Vec<Row>> {
    process::rest(quiet + SETTLING);
    let measure = format!(
        "RSS after all load and {} s without a request",
        quiet.as_secs()
    );
    memory(server, &measure, 60.0)
}

fn memory(server: &Server, measure: &str, most: f64) -> Result<Vec<Row>> {
    let memory = process::memory(server.id())?;
    let text = format!(
        "{:.1} MiB ({:.1} of its own, {:.1} of files)",
        memory.resident, memory.own, memory.of_files
    );
    Ok(vec![Row::new(measure, text).judged(
        memory.resident,
        Aim::AtMost(most),
        "MiB",
    )])
}
