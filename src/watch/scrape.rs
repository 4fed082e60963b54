//! One answer to Prometheus: what was counted, and what the file and the kernel say at this moment.

use std::fmt;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::process::Process;
use crate::accounts;
use crate::app::App;
use crate::backups;
use crate::error::{Error, Result};
use crate::kit::http::response::{Body, Response};
use crate::metrics::{CONTENT_TYPE, PREFIX};
use crate::outbox;
use crate::sessions;

/// Gauges of one number each state.
type PerLabel = Family<[(&'static str, &'static str); 1], Gauge>;

/// The answer to whoever may read it.
pub fn answer(app: &App) -> Result<Response> {
    let text = Body::Made(text(app)?.into_bytes());
    Ok(Response::new(200).typed(CONTENT_TYPE, text))
}

/// Everything that is measured, in the text format of Prometheus.
pub fn text(app: &App) -> Result<String> {
    let mut now = Registry::with_prefix(PREFIX);
    of_file(app, &mut now)?;
    let mut process = Registry::with_prefix("process");
    if let Some(seen) = Process::look() {
        of_process(&mut process, &seen);
    }
    let mut text = String::with_capacity(32 * 1024);
    app.metrics
        .write(&mut text)
        .and_then(|()| prometheus_text::encode(&mut text, &now))
        .and_then(|()| prometheus_text::encode(&mut text, &process))
        .map_err(|fmt::Error| Error::internal("the metrics could not be written"))?;
    Ok(text)
}

fn of_file(app: &App, registry: &mut Registry) -> Result<()> {
    let now = app.now();
    let (accounts, sessions, mail, backup) = app.read(now, |read| {
        Ok((
            accounts::counts_of_all(read)?,
            sessions::count_live(read, app.settings.lifetimes)?,
            outbox::queue(read)?,
            backups::last_good(read)?,
        ))
    })?;
    let sizes = app.db().sizes()?;
    let states = [
        ("active", accounts.active),
        ("pending", accounts.pending),
        ("disabled", accounts.disabled),
    ];
    registry.register("accounts", "Accounts", per("status", &states));
    registry.register(
        "accounts_without_two_factor",
        "Active accounts without a second factor",
        ConstGauge::new(accounts.unprotected),
    );
    registry.register(
        "sessions_active",
        "Sessions that are not over",
        ConstGauge::new(sessions),
    );
    let states = [("waiting", mail.waiting), ("failed", mail.failed)];
    registry.register(
        "mail_queue_messages",
        "Mails that are owed, or were given up",
        per("state", &states),
    );
    registry.register(
        "mail_oldest_waiting_seconds",
        "How long the oldest mail that is owed has waited; nought while none is",
        ConstGauge::new(mail.oldest.map_or(0, |oldest| now.since(oldest).max(0))),
    );
    registry.register(
        "db_size_bytes",
        "Size of the database",
        ConstGauge::new(sizes.file),
    );
    registry.register(
        "db_wal_size_bytes",
        "Size of the database's log",
        ConstGauge::new(sizes.wal),
    );
    registry.register(
        "db_busy",
        "Reads and writes that found the database taken for too long",
        ConstCounter::new(app.db().busy_count()),
    );
    // Nought while there is none: whoever is told by the age of the last one is told of that too.
    let (at, bytes) = match backup {
        Some(backup) => (backup.ended_at.0, backup.outcome.unwrap_or_default()),
        None => (0, 0),
    };
    registry.register(
        "backup_last_success_timestamp_seconds",
        "When the last good backup was made; nought while there is none",
        ConstGauge::new(at),
    );
    registry.register(
        "backup_size_bytes",
        "Size of the last good backup",
        ConstGauge::new(bytes),
    );
    Ok(())
}

fn per(label: &'static str, values: &[(&'static str, i64)]) -> PerLabel {
    let family = PerLabel::default();
    for (value, number) in values {
        family.get_or_create(&[(label, *value)]).set(*number);
    }
    family
}

fn of_process(registry: &mut Registry, seen: &Process) {
    let cpu: Counter<f64, std::sync::atomic::AtomicU64> = Counter::default();
    cpu.inc_by(seen.cpu_seconds);
    registry.register("cpu_seconds", "Time on a processor", cpu);
    registry.register(
        "resident_memory_bytes",
        "Memory in use",
        ConstGauge::new(seen.resident),
    );
    registry.register(
        "virtual_memory_bytes",
        "Memory reserved",
        ConstGauge::new(seen.reserved),
    );
    registry.register("open_fds", "Open files", ConstGauge::new(seen.open_files));
    if let Some(max) = seen.files_max {
        registry.register("max_fds", "Files that may be open", ConstGauge::new(max));
    }
    registry.register("threads", "Threads", ConstGauge::new(seen.threads));
    registry.register(
        "start_time_seconds",
        "When the process began, since 1970",
        ConstGauge::new(seen.started),
    );
}
