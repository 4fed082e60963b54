//! How the process is, for whoever watches it: what has failed, what is in trouble, and all that is measured.

pub mod dog;
pub mod process;
pub mod scrape;

use crate::app::App;
use crate::backups;
use crate::error::Result;
use crate::kit::db::unpoisoned;
use crate::kit::disk;
use crate::kit::time::{HOUR, Timestamp};
use crate::setup;

/// How long the background thread may be silent: longer than one attempt at a mail, and then some.
const WORKER_SILENT_MAX: std::time::Duration = std::time::Duration::from_secs(150);
/// A log that grows beyond this is not folded in: a reader stays open, or the disk does not follow.
const WAL_MAX: u64 = 64 << 20;
/// With less room than this the next backup, or the day's log, may not fit.
const ROOM_MIN: u64 = 64 << 20;
/// A night, and time to make it in.
const BACKUP_AGE_MAX: i64 = 26 * HOUR;
/// Whoever looks while one is written down may be a moment behind; further ahead it is of a clock that was wrong.
const BACKUP_AHEAD_MAX: i64 = HOUR;

/// How it is. The words are few and fixed; none tells of anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What does not work at all.
    pub failed: Vec<&'static str>,
    /// What people can do without for a while, and somebody has to see to.
    pub degraded: Vec<&'static str>,
}

impl Health {
    /// Whether nothing has failed.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.failed.is_empty()
    }

    /// As JSON. `well` is the word for it when all is well.
    #[must_use]
    pub fn json(&self, well: &str) -> String {
        if !self.is_well() {
            return serde_json::json!({ "status": "failed", "failed": self.failed }).to_string();
        }
        let status = if self.degraded.is_empty() {
            well
        } else {
            "degraded"
        };
        serde_json::json!({ "status": status, "degraded": self.degraded }).to_string()
    }
}

/// Whether the process lives: every thread is there, and none is stuck. Asks neither the file nor the disk.
#[must_use]
pub fn live(app: &App) -> Health {
    let mut health = Health {
        failed: app.stuck_threads(),
        degraded: Vec::new(),
    };
    if app.quiet_for() > WORKER_SILENT_MAX {
        health.failed.push("worker");
    }
    if unpoisoned(&app.trouble).is_some() {
        health.degraded.push("mail");
    }
    health
}

/// Whether the process can work: it lives, the file can be read and written, and is that of our key. What people do not
/// notice yet is a degradation: the relay, backups, the file's log, the room on the disk.
#[must_use]
pub fn ready(app: &App) -> Health {
    let mut health = live(app);
    let now = app.now();
    let seen = app.probe().and_then(|()| {
        let is_our_key = app.read(now, |read| setup::is_under(read, app.keys()))?;
        Ok((is_our_key, troubles(app, now)?))
    });
    match seen {
        Ok((is_our_key, troubles)) => {
            if !is_our_key {
                health.failed.push("key");
            }
            health.degraded.extend(troubles);
        }
        Err(error) => {
            tracing::error!(err = %error, "not ready: the database does not answer");
            health.failed.insert(0, "database");
        }
    }
    health
}

/// What somebody has to see to before people notice: backups, the file's log, the room on the disk.
pub fn troubles(app: &App, now: Timestamp) -> Result<Vec<&'static str>> {
    let is_backup_missing = app.read(now, |read| {
        let state = backups::state(read, &app.settings.backups)?;
        let last = match state.last {
            Some((at, _)) => at,
            // A new install has made none yet.
            None => backups::installed_at(read)?,
        };
        let is_recent = (-BACKUP_AHEAD_MAX..=BACKUP_AGE_MAX).contains(&now.since(last));
        let is_late = state.is_nightly && !is_recent;
        Ok(state.failing.is_some() || is_late)
    })?;
    let wal = app.db().sizes()?.wal;
    let found = [
        ("backup", is_backup_missing),
        ("wal", wal > WAL_MAX),
        // What the system does not tell is no trouble.
        (
            "disk",
            disk::room(&app.settings.data).is_ok_and(|room| room < ROOM_MIN),
        ),
    ];
    Ok(found
        .into_iter()
        .filter_map(|(what, is_so)| is_so.then_some(what))
        .collect())
}
