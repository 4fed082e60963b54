//! What the kernel tells of a process: its memory, and the time it was given.

use std::fs;
use std::net::TcpListener;
use std::process::Child;
use std::process::Command;
use std::thread;
use std::time::Duration;

use doorward::kit::time::instant;

use crate::Result;

/// The kernel counts in hundredths of a second, whatever its own clock's rate is.
const TICKS: f64 = 100.0;
const MIB: f64 = 1024.0;

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// All of it that is resident.
    pub(crate) resident: f64,
    /// What only this process has.
    pub(crate) own: f64,
    /// Mapped files: its binary and libraries, and the database.
    pub(crate) of_files: f64,
}

/// What a process holds now.
pub(crate) fn memory(id: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let field = |name: &str| -> Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.trim_end_matches("kB").trim().parse::<f64>().ok());
        Ok(number.ok_or("the kernel tells nothing of this process's memory")? / MIB)
    };
    Ok(Memory {
        resident: field("VmRSS:")?,
        own: field("RssAnon:")?,
        of_files: field("RssFile:")?,
    })
}

/// Seconds of processor time that a process has used so far.
pub(crate) fn used(id: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name in the second field may hold anything, brackets and blanks too.
    let (_, rest) = stat.rsplit_once(") ").ok_or("no process")?;
    let ticks: f64 = rest
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Ok(ticks / TICKS)
}

/// Does nothing for so long.
pub(crate) fn rest(long: Duration) {
    let end = instant() + long;
    loop {
        let left = end.saturating_duration_since(instant());
        if left.is_zero() {
            return;
        }
        // Scoped threads leave a wake-up behind, which ends one wait at once.
        thread::park_timeout(left);
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A process that ends with this value.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Asks it to end in good order, and waits.
    pub(crate) fn stop(&mut self) -> Result<()> {
        // The shell's own `kill`: not every machine has the command.
        let id = self.0.id();
        Command::new("/bin/sh")
            .args(["-c", &format!("kill -TERM {id}")])
            .status()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) && self.stop().is_err() {
            // Neither asked nor waited for: then at least it is gone.
            drop(self.0.kill());
        }
    }
}
