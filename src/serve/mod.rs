//! The server as a process: lock, file, port, threads; what it says when it starts, and how it stops.

mod reload;
mod welcome;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::app::{App, Outside};
use crate::config::Config;
use crate::dispatch;
use crate::door;
use crate::error::{Error, Result};
use crate::kit::folder;
use crate::kit::hasher::{Cost, Hasher};
use crate::kit::http::gate::Limits;
use crate::kit::http::headers::Scheme;
use crate::kit::http::server::{self, Server};
use crate::kit::http::tls::Tls;
use crate::kit::key_file;
use crate::kit::memory;
use crate::kit::notify::Notifier;
use crate::kit::random::OsRandom;
use crate::kit::time::{Clock, SystemClock, instant};
use crate::migrations::{self, Origin, Upgraded};
use crate::organisations;
use crate::routes::Route;
use crate::scope::By;
use crate::setup;
use crate::watch::dog::Dog;
use crate::worker;

use reload::{certificate, mailer, reload, renew, warn_of_relay};
use welcome::Welcome;

pub use reload::Reread;

/// Requests worked on at once: as many as may wait for a password hash, and enough besides that pages go on.
const WORKERS: usize = 48;
/// One scraper, and somebody who looks.
const METRICS_WORKERS: usize = 2;
/// From the signal to the end, at most; the last second of ten is for closing the file.
const STOP_TIME: Duration = Duration::from_secs(9);
/// The part of it in which requests may be finished.
const REQUESTS_TIME: Duration = Duration::from_secs(7);
/// Stacks of all threads that are to come, and a password's memory: with less nobody would be answered for long.
const MEMORY_MIN: usize = 128 << 20;
/// Before a background thread that ended begins again.
const WORKER_PAUSE: Duration = Duration::from_secs(1);

/// Serves the folder until a signal comes. SIGHUP reads the settings anew.
pub fn run(config: &Config, again: &dyn Fn() -> Reread) -> Result<()> {
    let values = &config.values;
    if !memory::has_room(MEMORY_MIN) {
        return Err(Error::internal(
            "there is too little memory to serve; give it 200 MB or more (ulimit -v, LimitAS=, or the machine's own limit)",
        ));
    }
    let stop = Stop::listen()?;
    let tls = certificate(config)?;
    let clock = SystemClock::new();
    let origin = Origin {
        key_file: values.secret_key_file.as_deref(),
        network_fs: values.network_fs,
        ..Origin::new(clock.now(), &OsRandom)
    };
    let (opened, mut lock) = migrations::open_to_serve(&values.data, origin)?;
    if let Some(upgraded) = &opened.upgraded {
        tell(upgraded, &values.data);
    }
    let is_new = opened.is_new;
    let listener = bind(values.listen)?;
    let address = listener.local_addr()?;
    let settings = config.settings(address);
    // For commands beside this process: what links begin with, and where it listens.
    lock.leave_note(&[&settings.public_url, &listening(config, address)])?;
    let outside = Outside {
        clock: Arc::new(clock),
        random: Arc::new(OsRandom),
        mailer: mailer(values.relay.as_ref(), &config.public_url(address))?,
        mailbox: None,
    };
    let notifier = Arc::new(Notifier::new(values.manager.as_ref())?);
    let hasher = Hasher::new(Cost::PRODUCTION, cores());
    let app = Arc::new(App::new(opened.db, opened.keys, outside, hasher, settings)?);
    let link = set_up_link(&app)?;
    app.access.set(values.log.access);
    let metrics = metrics_server(config, &app)?;
    let running = Running::start(&app, listener, server_of(config, address, tls.clone()))?;
    let serving = format!("Serving {}", app.settings.public_url);
    let watchdog = values.manager.as_ref().and_then(|manager| manager.watchdog);
    let dog = Dog::start(&app, &notifier, watchdog, &serving)?;
    warn(config, &app);
    let welcome = Welcome {
        address: running.address(),
        is_new,
        link: link.as_deref(),
        config,
    };
    welcome.say(&app)?;
    let mut present = config.clone();
    notifier.ready(&serving);
    stop.wait(|| {
        notifier.reloading();
        reload(&app, config, &mut present, again);
        renew(tls.as_deref(), present.values.tls.as_ref());
        notifier.reloaded();
    });
    notifier.stopping();
    running.stop(STOP_TIME);
    drop(metrics);
    drop(dog);
    if let Err(error) = app.db().checkpoint() {
        tracing::warn!(err = %error, "the database's log was not folded in; the next start does it");
    }
    tracing::info!("stopped");
    drop(lock);
    Ok(())
}

/// Where the server listens, as an address.
fn listening(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.values.tls.is_some() {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{address}")
}

/// How many hashes may be made at once.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Takes the port, or says who else may have it.
pub fn bind(address: SocketAddr) -> Result<TcpListener> {
    bind_by(address, "--listen")
}

/// The same; `flag` chooses another.
fn bind_by(address: SocketAddr, flag: &str) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        Error::internal(match error.kind() {
            ErrorKind::AddrInUse => format!(
                "{address} is taken by another program; end it, or choose another address with {flag}"
            ),
            ErrorKind::PermissionDenied => format!(
                "this user may not listen on {address}; choose a port above 1023 with {flag}"
            ),
            ErrorKind::AddrNotAvailable => {
                format!("{address} is no address of this machine; choose another with {flag}")
            }
            _ => format!("cannot listen on {address}: {error}"),
        })
    })
}

fn server_of(config: &Config, address: SocketAddr, tls: Option<Arc<Tls>>) -> server::Settings {
    server::Settings {
        trusted: config.values.trusted.clone(),
        tls,
        ..server_settings(&config.values.runtime, config.public_url(address).scheme())
    }
}

/// The metrics at an address of their own, where nothing else is served; none where nobody named one.
fn metrics_server(config: &Config, app: &Arc<App>) -> Result<Option<Server>> {
    let values = &config.values;
    let Some(listen) = values.metrics_listen else {
        return Ok(None);
    };
    let listener = bind_by(listen, "--metrics-listen")?;
    let settings = server::Settings {
        workers: METRICS_WORKERS,
        ..server_settings(&values.runtime, Scheme::Http)
    };
    let handler = {
        let app = Arc::clone(app);
        Arc::new(move |request| dispatch::metrics_alone(&app, &request))
    };
    let server = Server::start(listener, settings, handler)?;
    look_after(app, &server, ["metrics", "metrics"]);
    tracing::info!(address = %server.address(), "serving metrics");
    Ok(Some(server))
}

/// The health of the process is that of the server's threads too: those of the gate, and those that answer.
fn look_after(app: &App, server: &Server, [gate, workers]: [&'static str; 2]) {
    let watch = server.watch();
    if gate == workers {
        return app.look_after(gate, move || watch.is_well());
    }
    let of_workers = watch.clone();
    app.look_after(gate, move || watch.is_gate_well());
    app.look_after(workers, move || of_workers.are_workers_well());
}

/// How the server is set up where nobody says otherwise.
#[must_use]
pub fn server_settings(socket_folder: &Path, scheme: Scheme) -> server::Settings {
    server::Settings {
        workers: WORKERS,
        limits: Limits::default(),
        trusted: Vec::new(),
        wide_body_paths: vec![Route::Import.to_string()],
        socket_folder: socket_folder.to_owned(),
        scheme,
        tls: None,
    }
}

fn warn(config: &Config, app: &App) {
    let own = config.values.data.join(key_file::NAME);
    if config.values.secret_key_file.is_some() && own.exists() {
        tracing::warn!(
            file = %own.display(),
            "the key lies elsewhere (secret_key_file), and this one is not used; remove it"
        );
    }
    if let Some(warning) = app.settings.warning {
        tracing::warn!(public_url = app.settings.public_url, "{warning}");
    }
    for variable in &config.strangers {
        tracing::warn!(
            variable,
            "no setting has this name; the variable is not looked at"
        );
    }
    if let Some(file) = config.file.as_ref().filter(|_| config.is_exposed) {
        tracing::warn!(
            file = %file.display(),
            "everybody on this machine may read the configuration file, and there is a secret in it"
        );
    }
    warn_of_relay(config);
}

/// The one line about an upgrade, with what it takes to go back.
fn tell(upgraded: &Upgraded, data: &Path) {
    let copy = upgraded.copy.strip_prefix(data).unwrap_or(&upgraded.copy);
    tracing::info!(
        from = upgraded.from,
        to = upgraded.to,
        took = format!("{:.2}s", upgraded.took.as_secs_f64()),
        backup = %copy.display(),
        "migrated"
    );
}

/// A new set-up link, on the terminal and in its file; none once any organisation exists.
fn set_up_link(app: &App) -> Result<Option<String>> {
    let now = app.now();
    if app.read(now, |read| Ok(organisations::any_exists(read)?))? {
        forget_link(app)?;
        return Ok(None);
    }
    make_link(app, &By::system()).map(Some)
}

/// Makes a set-up link and writes it to its file; answers with the address.
pub fn make_link(app: &App, by: &By) -> Result<String> {
    let token = app.write(app.now(), |tx| setup::make_link(tx, by))?;
    let link = app.settings.link(&Route::SetUp(token.reveal()));
    let file = app.settings.data.join(setup::LINK_FILE);
    folder::write_private(&file, format!("{link}\n").as_bytes())?;
    Ok(link)
}

/// The file of a link that opens nothing any more goes.
pub fn forget_link(app: &App) -> Result<()> {
    Ok(folder::remove(&app.settings.data.join(setup::LINK_FILE))?)
}

/// SIGTERM and SIGINT end the process: the first in good order, the second at once. SIGHUP reads the
/// settings anew, so that a closed terminal ends nobody's session.
#[derive(Debug)]
pub struct Stop {
    signals: Signals,
}

impl Stop {
    /// From here on no signal ends the process unasked.
    pub fn listen() -> io::Result<Self> {
        let was_told = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            // In this order: the first signal finds the flag down and raises it, the second finds it raised.
            flag::register_conditional_shutdown(signal, 1, Arc::clone(&was_told))?;
            flag::register(signal, Arc::clone(&was_told))?;
        }
        let signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        Ok(Self { signals })
    }

    /// Waits until the process is told to end, and does on every SIGHUP before it what is asked.
    pub fn wait(mut self, mut on_hangup: impl FnMut()) {
        for signal in self.signals.forever() {
            if signal != SIGHUP {
                return;
            }
            on_hangup();
        }
    }
}

/// The threads of a running server.
#[derive(Debug)]
pub struct Running {
    app: Arc<App>,
    server: Server,
    is_stopping: Arc<AtomicBool>,
    worker: JoinHandle<()>,
    /// Closed when the background thread has ended.
    ended: Receiver<()>,
}

impl Running {
    /// Starts the background thread, then lets visitors in.
    pub fn start(
        app: &Arc<App>,
        listener: TcpListener,
        settings: server::Settings,
    ) -> Result<Self> {
        let is_stopping = Arc::new(AtomicBool::new(false));
        let (ending, ended) = mpsc::channel::<()>();
        let worker = {
            let (app, is_stopping) = (Arc::clone(app), Arc::clone(&is_stopping));
            thread::Builder::new()
                .name("worker".to_owned())
                .spawn(move || {
                    let _ending = ending;
                    keep_working(&app, &is_stopping);
                })?
        };
        let handler = {
            let app = Arc::clone(app);
            Arc::new(move |request| door::handle(&app, &request))
        };
        let server = Server::start(listener, settings, handler)?;
        look_after(app, &server, ["gate", "server"]);
        Ok(Self {
            app: Arc::clone(app),
            server,
            is_stopping,
            worker,
            ended,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Finishes what has begun, for so long at most. A mail that is on its way then is owed again at the next start.
    pub fn stop(self, at_most: Duration) {
        let deadline = instant() + at_most;
        self.server.stop(REQUESTS_TIME.min(at_most));
        self.is_stopping.store(true, Ordering::Release);
        self.app.bell.ring();
        let left = deadline.saturating_duration_since(instant());
        if self.ended.recv_timeout(left) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("a mail is still on its way, and is left behind");
            return;
        }
        if self.worker.join().is_err() {
            tracing::error!("the background thread had ended before");
        }
    }
}

/// The background thread, again and again: neither an error at its beginning nor a panic ends it for good.
fn keep_working(app: &Arc<App>, is_stopping: &AtomicBool) {
    loop {
        let outcome = catch_unwind(AssertUnwindSafe(|| worker::run(app, is_stopping)));
        if is_stopping.load(Ordering::Acquire) {
            return;
        }
        tracing::error!(
            panicked = outcome.is_err(),
            "the background thread ended and begins anew"
        );
        app.bell.wait(WORKER_PAUSE);
    }
}
