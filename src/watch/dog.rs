//! The watchdog: a thread that looks after all others, and lets the service manager know as long as they are well.
//! When it falls silent, the manager starts the process anew.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Health, live};
use crate::app::App;
use crate::kit::db::unpoisoned;
use crate::kit::notify::Notifier;
use crate::kit::pulse::Pulse;

/// How often it looks where no manager asks for more.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// One that has not come to the end of a look for so long has failed itself.
const SILENT_MAX: Duration = Duration::from_secs(45);

/// The thread. It ends when this is dropped.
#[derive(Debug)]
pub struct Dog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Dog {
    /// Looks at everything from here on; `watchdog` is within which time the manager wants to hear of it. `well` is the
    /// line for whoever asks the manager how it is.
    pub fn start(
        app: &Arc<App>,
        notifier: &Arc<Notifier>,
        watchdog: Option<Duration>,
        well: &str,
    ) -> io::Result<Self> {
        let (stop, told) = mpsc::channel();
        let mut round = Round {
            app: Arc::clone(app),
            notifier: Arc::clone(notifier),
            is_asked: watchdog.is_some(),
            well: well.to_owned(),
            before: Health::default(),
        };
        let pulse = Arc::new(Pulse::new());
        let seen = Arc::clone(&pulse);
        let every = watchdog.map_or(LOOK_EVERY, |within| LOOK_EVERY.min(within / 2));
        let thread = thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || {
                loop {
                    // Nobody watches it where no manager does: it must outlive whatever goes wrong in one look.
                    match catch_unwind(AssertUnwindSafe(|| round.look())) {
                        Ok(()) => pulse.beat(),
                        Err(_) => tracing::error!("the watchdog fell, and looks again"),
                    }
                    if told.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            })?;
        app.look_after("watchdog", move || seen.silent() <= SILENT_MAX);
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Dog {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the watchdog had ended before");
        }
    }
}

struct Round {
    app: Arc<App>,
    notifier: Arc<Notifier>,
    is_asked: bool,
    well: String,
    before: Health,
}

impl Round {
    fn look(&mut self) {
        // Nothing in here waits for the file or the disk, or a slow one would pass for a thread that is stuck.
        let mut health = live(&self.app);
        if health.is_well() && self.is_asked {
            self.notifier.is_well();
        }
        health
            .degraded
            .extend(unpoisoned(&self.app.troubles).iter());
        if health != self.before {
            self.tell(&health);
            self.before = health;
        }
    }

    fn tell(&self, health: &Health) {
        let line = if !health.is_well() {
            let failed = health.failed.join(", ");
            tracing::error!(failed, "not well");
            format!("Failed: {failed}")
        } else if health.degraded.is_empty() {
            tracing::info!("well again");
            self.well.clone()
        } else {
            let degraded = health.degraded.join(", ");
            tracing::warn!(degraded, "in trouble");
            format!("Degraded: {degraded}")
        };
        self.notifier.status(&line);
    }
}
