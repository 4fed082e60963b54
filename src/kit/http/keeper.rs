//! Runs the gate in its thread, and sets it up again when it falls: no single fault may end the service.

use std::any::Any;
use std::io;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::crew::Crew;
use super::gate::body::Rules;
use super::gate::{Gate, Outcome, Parts, Signals, WAKER};
use super::headers::Scheme;
use super::server::{Handler, Inner, Settings};
use super::tls::Tls;
use crate::kit::random::{self, OsRandom};

/// Files that are not clients': the database and its companions, mail, logs.
const FILES_KEPT_BACK: usize = 64;

/// A connection to tiny_http is three files: our end, and its own for each direction.
const FILES_PER_WORKER: usize = 3;

/// After the gate fell, before it stands again.
const RESTART_PAUSE: Duration = Duration::from_millis(100);

fn rules(settings: &Settings) -> io::Result<Rules> {
    let mut limits = settings.limits.clone();
    if let Some(files_max) = files_max() {
        let kept_back = FILES_KEPT_BACK + FILES_PER_WORKER * settings.workers.max(1);
        let left = files_max.saturating_sub(kept_back).max(1);
        if left < limits.connections_max {
            tracing::warn!(
                connections = left,
                "fewer connections than configured: the process may not open more files"
            );
            limits.connections_max = left;
        }
    }
    Ok(Rules {
        limits,
        wide_body_paths: settings.wide_body_paths.clone(),
        trusted: settings.trusted.clone(),
        secret: HEXLOWER.encode(&random::bytes::<32>(&OsRandom)?),
    })
}

/// How many files this process may have open, where the system tells.
fn files_max() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What the gate and all workers share.
pub(super) struct House {
    pub(super) rules: Rules,
    pub(super) scheme: Scheme,
    pub(super) handler: Handler,
    pub(super) crew: Arc<Crew>,
}

/// Runs the gate, and sets it up again when it falls.
pub(super) struct Keeper {
    listener: TcpListener,
    poll: mio::Poll,
    pub(super) house: Arc<House>,
    pub(super) worker_count: usize,
    socket_folder: PathBuf,
    tls: Option<Arc<Tls>>,
    pub(super) signals: Arc<Signals>,
}

impl Keeper {
    pub(super) fn new(
        listener: TcpListener,
        settings: Settings,
        handler: Handler,
    ) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKER)?;
        Ok(Self {
            listener,
            poll,
            house: Arc::new(House {
                rules: rules(&settings)?,
                scheme: settings.scheme,
                handler,
                crew: Crew::new(),
            }),
            worker_count: settings.workers.max(1),
            socket_folder: settings.socket_folder,
            tls: settings.tls,
            signals: Arc::new(Signals::new(waker)),
        })
    }

    pub(super) fn start_inner(&self) -> io::Result<Inner> {
        Inner::start(&self.socket_folder, self.worker_count, &self.house)
    }

    pub(super) fn keep(mut self, mut inner: Inner) {
        loop {
            let outcome = catch_unwind(AssertUnwindSafe(|| self.run_gate(&inner.folder.socket())));
            self.signals.is_reaching.store(false, Ordering::Relaxed);
            match outcome {
                Ok(Ok(Outcome::Stopped)) => break,
                Ok(Ok(Outcome::ServerLost)) => {
                    tracing::error!("the server behind the gate is lost and starts anew");
                    match self.start_inner() {
                        Ok(new) => std::mem::replace(&mut inner, new).stop(),
                        Err(error) => tracing::error!(%error, "it could not be started"),
                    }
                }
                Ok(Err(error)) => tracing::error!(%error, "the gate failed and starts anew"),
                Err(panic) => {
                    tracing::error!(panic = text(&*panic), "the gate fell and starts anew");
                }
            }
            if self.signals.stop_at().is_some() {
                break;
            }
            thread::park_timeout(RESTART_PAUSE);
        }
        // No client can be refused more clearly than by a closed port.
        drop(self.listener);
        inner.stop();
    }

    fn run_gate(&mut self, socket: &Path) -> io::Result<Outcome> {
        let parts = Parts {
            listener: self.listener.try_clone()?,
            server: socket,
            slot_count: self.worker_count,
            rules: &self.house.rules,
            scheme: self.house.scheme,
            tls: self.tls.as_deref(),
            signals: &self.signals,
        };
        Gate::new(&mut self.poll, parts)?.run()
    }
}

/// What a panic said.
pub(super) fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("something else than text")
}
