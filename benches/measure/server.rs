//! The real executable, serving a seeded folder.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use doorward::kit::time::instant;

use crate::Result;
use crate::client::Client;
use crate::process::{Running, free_port, rest};

/// The executable under measure.
pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_doorward");

/// Between two looks whether a port is open.
const LOOK: Duration = Duration::from_micros(200);
const PATIENCE: Duration = Duration::from_secs(20);

/// A serving process.
#[derive(Debug)]
pub(crate) struct Server {
    running: Running,
    port: u16,
    took: Duration,
}

impl Server {
    /// Starts it, and waits for its first answer. Its log goes to a file beside the folder.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Result<Self> {
        let port = free_port()?;
        let log = File::create(data.with_extension("log"))?;
        let mut command = Command::new(EXECUTABLE);
        command
            .env_clear()
            .args(["serve", "--trusted-proxies", "127.0.0.1/32", "--listen"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("--data")
            .arg(data)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let began = instant();
        let running = Running(command.spawn()?);
        first_answer(port, "/sign-in", began)?;
        Ok(Self {
            running,
            port,
            took: began.elapsed(),
        })
    }

    /// Where it listens.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.running.0.id()
    }

    /// How long it took from the start of the process to the end of its first answer.
    pub(crate) const fn took(&self) -> Duration {
        self.took
    }

    /// A connection to it.
    pub(crate) fn client(&self) -> Result<Client> {
        Client::to(self.port)
    }

    /// Stops it in good order.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.running.stop()
    }
}

/// Asks until there is an answer of 200.
pub(crate) fn first_answer(port: u16, path: &str, began: Instant) -> Result<()> {
    while began.elapsed() < PATIENCE {
        match Client::to(port) {
            Ok(mut client) => {
                client.get(path, &[])?.expect(200)?;
                return Ok(());
            }
            Err(_) => rest(LOOK),
        }
    }
    Err(format!("nothing answers on port {port}").into())
}
