//! What Doorward costs and how fast it is, each beside a yardstick of the same machine in the same run.
//!
//! It starts the real executable on seeded data and loads it from outside: with wrk where the client must be cheap, with
//! a client of its own where forms and addresses change. It asserts nothing and decides nothing: it prints a table. A
//! missed aim ends with 0; only what could not be measured ends with 1.

mod accounts;
mod checks;
mod client;
mod invites;
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
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use doorward::kit::time::instant;

use crate::seed::Seeded;
use crate::server::Server;
use crate::table::{Aim, Row, Table};

/// What goes wrong here is told in a sentence, and ends one measure.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Accounts of the large organisation.
const ACCOUNTS: usize = 100_000;
/// Accounts of the small one.
const FEW: usize = 10;

const USAGE: &str =
    "usage: benches/run [--quiet SECONDS]\n       benches/run seed FOLDER [ACCOUNTS]\n";

fn main() -> ExitCode {
    let outcome = match Command::read() {
        Some(Command::Measure { quiet }) => measure(quiet),
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
    /// All measures; the memory at rest after so long.
    Measure { quiet: Duration },
    /// Only the data folder.
    Seed { folder: PathBuf, accounts: usize },
}

impl Command {
    fn read() -> Option<Self> {
        let mut args: Vec<String> = std::env::args().skip(1).collect();
        // Cargo's own.
        args.retain(|arg| arg != "--bench");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match args.as_slice() {
            [] => Some(Self::Measure {
                quiet: Duration::from_secs(60),
            }),
            ["--quiet", seconds] => Some(Self::Measure {
                quiet: Duration::from_secs(seconds.parse().ok()?),
            }),
            ["seed", folder] => Some(Self::Seed {
                folder: folder.into(),
                accounts: ACCOUNTS,
            }),
            ["seed", folder, accounts] => Some(Self::Seed {
                folder: folder.into(),
                accounts: accounts.parse().ok()?,
            }),
            _ => None,
        }
    }
}

fn seed_alone(folder: &std::path::Path, accounts: usize) -> Result<ExitCode> {
    let seeded = seed::seed(folder, accounts, FEW)?;
    writeln!(
        io::stdout(),
        "{accounts} accounts in {}. Cookie of their owner: session={}",
        folder.display(),
        seeded.large
    )?;
    Ok(ExitCode::SUCCESS)
}

fn measure(quiet: Duration) -> Result<ExitCode> {
    let began = instant();
    // On the disk of the build, since on a file system in memory a durable write would cost nothing.
    let folder = tempfile::Builder::new()
        .prefix("measure-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut table = Table::new();
    say(began, "seeding");
    let (small, large) = (folder.path().join("small"), folder.path().join("large"));
    seed::seed(&small, FEW, FEW)?;
    let seeded = seed::seed(&large, ACCOUNTS, FEW)?;

    say(began, "start and binary");
    table.take(
        "start to first answer",
        start::rows(folder.path(), &small, &large),
    );
    table.take("binary", start::binary());

    let mailbox = mails::Sink::reserve()?;
    let server = Server::start(&large, &["--smtp-url", &mailbox.url()])?;
    say(began, "idle memory");
    table.take("RSS idle", idle(&server));
    under_load(&mut table, &server, &seeded, folder.path(), began);
    say(began, "mail out");
    table.take("mail out", mails::rows(&mailbox, &large));
    say(began, "sign-in");
    table.take("sign-in", sign_ins::rows(&server, &seeded));
    say(began, "a quiet time");
    thread::park_timeout(quiet);
    table.take("RSS after load", after_load(&server, quiet));
    drop(server);

    say(began, "done");
    table.print(&mut io::stdout().lock())?;
    Ok(if table.is_whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn under_load(
    table: &mut Table,
    server: &Server,
    seeded: &Seeded,
    folder: &std::path::Path,
    began: Instant,
) {
    say(began, "session check");
    table.take("session check", checks::rows(server, seeded, folder));
    say(began, "accounts page");
    table.take("accounts page", accounts::rows(server, seeded));
    say(began, "sign-in page");
    table.take("sign-in page", weight::rows(server));
    say(began, "invite");
    table.take("invite", invites::rows(server, seeded, folder));
}

fn idle(server: &Server) -> Result<Vec<Row>> {
    thread::park_timeout(Duration::from_secs(2));
    memory(server, "RSS idle, 2 s after the first answer", 14.0)
}

fn after_load(server: &Server, quiet: Duration) -> Result<Vec<Row>> {
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

/// Where the run is; the table comes last, and alone on the standard output.
fn say(began: Instant, what: &str) {
    let line = writeln!(io::stderr(), "[{:>3} s] {what}", began.elapsed().as_secs());
    // A closed standard error costs nobody the table.
    drop(line);
}
