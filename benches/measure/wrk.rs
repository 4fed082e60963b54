//! Loading a page with wrk, which costs the machine little, and reading what it prints.

use std::process::Command;

use crate::Result;
use crate::process;

/// What to load, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'l> {
    /// Where.
    pub(crate) port: u16,
    /// What.
    pub(crate) path: &'l str,
    /// The cookie of a session; empty for a stranger.
    pub(crate) cookie: &'l str,
    /// Connections that are kept, each with one request at a time.
    pub(crate) clients: u32,
    /// For so long.
    pub(crate) seconds: u32,
}

/// What wrk saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Answers in all.
    pub(crate) requests: f64,
    /// Answers a second.
    pub(crate) rate: f64,
    /// Half of them took no longer, in milliseconds.
    pub(crate) p50: f64,
    /// All but one in a hundred took no longer, in milliseconds.
    pub(crate) p99: f64,
}

impl Load<'_> {
    /// Runs it. Fails when an answer was no 2xx or 3xx, or a connection broke.
    pub(crate) fn run(&self) -> Result<Seen> {
        let mut command = Command::new("wrk");
        command
            .args(["--latency", "-t1"])
            .arg(format!("-c{}", self.clients))
            .arg(format!("-d{}s", self.seconds));
        if !self.cookie.is_empty() {
            command
                .arg("-H")
                .arg(format!("Cookie: session={}", self.cookie));
        }
        let output = command
            .arg(format!("http://127.0.0.1:{}{}", self.port, self.path))
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("wrk: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        read(&text)
    }

    /// Runs it, and says how much processor time that process used for each answer, in microseconds.
    pub(crate) fn run_on(&self, process: u32) -> Result<(Seen, f64)> {
        let before = process::used(process)?;
        let seen = self.run()?;
        let used = process::used(process)? - before;
        Ok((seen, used * 1e6 / seen.requests.max(1.0)))
    }
}

fn read(text: &str) -> Result<Seen> {
    for trouble in ["Non-2xx or 3xx responses:", "Socket errors:"] {
        if let Some(line) = text.lines().find(|line| line.contains(trouble)) {
            return Err(format!("wrk: {}", line.trim()).into());
        }
    }
    let after = |start: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(start))
            .map(str::trim)
            .ok_or_else(|| format!("wrk does not say {start:?}:\n{text}"))
    };
    let requests = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .and_then(|(count, _)| count.parse().ok())
        .ok_or("wrk does not say how many requests")?;
    Ok(Seen {
        requests,
        rate: after("Requests/sec:")?.parse()?,
        p50: milliseconds(after("50%")?)?,
        p99: milliseconds(after("99%")?)?,
    })
}

fn milliseconds(text: &str) -> Result<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(number.parse::<f64>()? * factor);
        }
    }
    Err(format!("{text:?} is no time").into())
}
