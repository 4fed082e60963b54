//! `doorward healthcheck`: for containers and scripts, which have no curl.

use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::print;
use super::print::Output;
use super::running::{Health, Running};
use crate::config::flags::Everything;
use crate::kit::time::instant;

/// How long the server may take over one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);
const WAIT_MAX: u64 = 3_600;

/// Ask the running server whether it is ready; exits with 1 when it is not
#[derive(Args, Debug)]
pub(super) struct Command {
    /// Try again until it is ready, for so long at most, as in 30s or 2m
    #[arg(long, value_name = "TIME", value_parser = wait)]
    wait: Option<Duration>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    settings: Everything,
}

fn wait(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (number, unit) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 60),
        (None, None) => (text, 1),
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = number
        .parse::<u64>()
        .ok()
        .filter(|_| is_number)
        .and_then(|number| number.checked_mul(unit))
        .filter(|seconds| (1..=WAIT_MAX).contains(seconds));
    let seconds = seconds.ok_or("write a time from 1s to 60m, like 30s or 2m")?;
    Ok(Duration::from_secs(seconds))
}

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let config = super::read(&command.settings.0)?;
    let deadline = instant() + command.wait.unwrap_or_default();
    let (running, health) = loop {
        // A server that starts meanwhile leaves its address then.
        let running = Running::of(&config);
        let left = deadline.saturating_duration_since(instant());
        let limit = if command.wait.is_some() {
            left.clamp(PAUSE, PATIENCE)
        } else {
            PATIENCE
        };
        let health = running.health(limit);
        let left = deadline.saturating_duration_since(instant());
        if matches!(health, Health::Ready(_)) || left.is_zero() {
            break (running, health);
        }
        thread::park_timeout(PAUSE.min(left));
    };
    let url = running.url();
    if command.output.is_json() {
        let (degraded, failed) = match &health {
            Health::Ready(degraded) => (degraded.as_slice(), [].as_slice()),
            Health::Failed(failed) => ([].as_slice(), failed.as_slice()),
            Health::Stranger | Health::Mute(_) | Health::Absent => ([].as_slice(), [].as_slice()),
        };
        print::json(&json!({
            "status": health.word(),
            "address": url,
            "degraded": degraded,
            "failed": failed,
        }))?;
    }
    match health {
        Health::Ready(_) if command.output.is_json() => Ok(()),
        Health::Ready(_) => print::line(health.sentence(&url)),
        _ => Err(Failure::Failed(health.sentence(&url))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_has_an_end() {
        for (text, seconds) in [("30s", 30), (" 2m ", 120), ("5", 5), ("60m", 3_600)] {
            assert_eq!(wait(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "s", "0", "61m", "3601", "+5", "5h", "1.5s", "-1s"] {
            assert!(wait(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
