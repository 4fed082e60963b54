//! The application: the file, the outside things, the settings, and the only places where transactions open.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::audit::export::Desk;
use crate::audit::{self, Audited, Event, Scrub};
use crate::backups::{Failing, Plan};
use crate::domain::id::{AccountId, ErrandId};
use crate::error::{Error, Result};
use crate::invitations::Terms;
use crate::kit::db::{Db, Read, Tx, World, unpoisoned};
use crate::kit::floods::{Floods, Source, Verdict};
use crate::kit::hasher::Hasher;
use crate::kit::http::cookie::Transport;
use crate::kit::keys::Keys;
use crate::kit::log::AccessDial;
use crate::kit::mail::{Cause, Mailbox, Mailer};
use crate::kit::random::Random;
use crate::kit::secret::Secret;
use crate::kit::throttle::Throttle;
use crate::kit::time::{Clock, DAY, Timestamp};
use crate::metrics::Metrics;
use crate::outbox::Relay;
use crate::scope::{Actor, By};
use crate::sessions::Lifetimes;

/// What the operator decided.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address people type, without a slash at the end: every link begins with it.
    pub public_url: String,
    /// Hosts that requests may name.
    pub hosts: Vec<String>,
    /// How cookies are marked.
    pub transport: Transport,
    /// What pages before sign-in call the Portal.
    pub brand: String,
    /// The sender of every mail, as configured.
    pub mail_from: String,
    /// How mail leaves at the start, in words; none while it is off. [`App::way_out`] knows the present.
    pub relay: Option<String>,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// How long invitations live, and how many there may be.
    pub terms: Terms,
    /// Whether this is the demonstration.
    pub mode: Mode,
    /// A warning that stands on every page, as for http in the open.
    pub warning: Option<&'static str>,
    /// The data folder.
    pub data: PathBuf,
    /// What opens the metrics at the public address.
    pub metrics_token: Option<Secret<String>>,
    /// When backups are made, and where they go.
    pub backups: Plan,
    /// For how many days events stay in the audit log; none: for ever.
    pub audit_keep_days: Option<i64>,
    /// What stands on every invoice.
    pub billing: crate::billing::Terms,
}

/// For whom this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For an organisation.
    Production,
    /// For somebody who looks around: mail stays in the process, and its bodies can be read.
    Demo,
}

impl Settings {
    /// An address of the Portal, for mails and the terminal.
    #[must_use]
    pub fn link(&self, route: &crate::routes::Route) -> String {
        format!("{}{route}", self.public_url)
    }

    /// What people know the Portal by: its address without the scheme.
    #[must_use]
    pub fn host(&self) -> &str {
        self.public_url
            .split_once("://")
            .map_or(&self.public_url, |(_, host)| host)
    }

    /// The domain of Message-IDs: the sender's.
    #[must_use]
    pub fn mail_domain(&self) -> &str {
        let address = self.mail_from.trim_end_matches('>');
        address
            .rsplit_once('@')
            .map_or("localhost", |(_, domain)| domain)
    }
}

/// The relay's state of health, as the worker last saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Since when it fails.
    pub since: Timestamp,
    /// What kind of trouble it is.
    pub cause: Cause,
    /// Its words.
    pub words: String,
    /// When it is tried next.
    pub next_try: Timestamp,
    /// The mail that was in its hands when it last failed; none when it was tried without one.
    pub mail: Option<ErrandId>,
}

/// Rings when there is work for the background thread.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    ring: Condvar,
}

impl Bell {
    /// There is work.
    pub fn ring(&self) {
        *unpoisoned(&self.rung) = true;
        self.ring.notify_all();
    }

    /// Waits for work, at most so long.
    pub fn wait(&self, at_most: Duration) {
        let rung = unpoisoned(&self.rung);
        let (mut rung, _) = self
            .ring
            .wait_timeout_while(rung, at_most, |rung| !*rung)
            .unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

/// What one flood of failures has in common, kept for its sum row.
#[derive(Clone, Debug)]
pub struct Flood {
    /// The event as it was first recorded.
    pub event: Event,
    /// From where.
    pub address: Option<IpAddr>,
}

/// Threads that are looked after.
struct Watched {
    name: &'static str,
    is_well: Box<dyn Fn() -> bool + Send + Sync>,
}

/// The outside things, each with one implementation for production and one for tests.
pub struct Outside {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Mail; none while it is off.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// The mailbox in the process, in the demonstration.
    pub mailbox: Option<Arc<Mailbox>>,
}

/// How mail leaves the house.
struct Way {
    mailer: Option<Arc<dyn Mailer>>,
    words: Option<String>,
}

/// How far the newest record may lie ahead of the clock at a start for time to go on from there.
const AHEAD_MAX: i64 = 3 * DAY;

/// The latest instant that the machine's clock showed, and when, by the clock that never steps back.
struct Latest {
    at: Timestamp,
    shown_at: Duration,
}

/// Everything a request or a tick needs.
pub struct App {
    db: Db,
    keys: Keys,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    mailbox: Option<Arc<Mailbox>>,
    way: Mutex<Way>,
    /// Password hashing.
    pub hasher: Hasher,
    /// Who must wait.
    pub throttle: Throttle,
    /// Failures that are summed instead of written one by one.
    pub floods: Floods<Flood>,
    /// What the operator decided.
    pub settings: Settings,
    /// Wakes the worker.
    pub bell: Arc<Bell>,
    /// The relay's state of health; none while it is well.
    pub trouble: Mutex<Option<Trouble>>,
    /// Which requests are logged.
    pub access: AccessDial,
    /// What is counted.
    pub metrics: Metrics,
    /// How far the words of erased texts are out of the file.
    pub scrub: Mutex<Scrub>,
    /// Who exports the audit log just now.
    pub exports: Arc<Desk>,
    /// What somebody has to see to, as the worker last saw it.
    pub troubles: Mutex<Vec<&'static str>>,
    /// Nightly backups that fail; none while the last one succeeded, or none is made by itself.
    pub backup_trouble: Mutex<Option<Failing>>,
    /// When the worker last finished a round, by the clock that never steps back.
    worked_at: Mutex<Duration>,
    /// The threads that answer requests; none on the command line.
    watched: Mutex<Vec<Watched>>,
    /// When it began.
    started_at: Timestamp,
    /// When it was last said in the log that a proxy is not believed, by the clock that never steps back.
    pub disbelieved_at: Mutex<Option<Duration>>,
    latest: Mutex<Latest>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl App {
    /// Puts it together. The throttle's memory is read back from the file.
    pub fn new(
        db: Db,
        keys: Keys,
        outside: Outside,
        hasher: Hasher,
        settings: Settings,
    ) -> Result<Self> {
        let wall = outside.clock.now();
        let recorded = db.read(wall, |read| {
            audit::latest_instant(read).map_err(Error::from)
        })?;
        // Further ahead it is the record that was wrong: nobody should live by it for years.
        let now = recorded
            .filter(|recorded| recorded.since(wall) <= AHEAD_MAX)
            .map_or(wall, |recorded| recorded.max(wall));
        let latest = Latest {
            at: now,
            shown_at: outside.clock.elapsed(),
        };
        let saved = db.read(now, |read| {
            crate::passwords::load_throttles(read).map_err(Error::from)
        })?;
        let metrics = Metrics::new(&hasher);
        let worked_at = Mutex::new(outside.clock.elapsed());
        let way = Way {
            mailer: outside.mailer,
            words: settings.relay.clone(),
        };
        Ok(Self {
            db,
            keys,
            clock: outside.clock,
            random: outside.random,
            mailbox: outside.mailbox,
            way: Mutex::new(way),
            hasher,
            throttle: Throttle::new(saved),
            floods: Floods::default(),
            settings,
            bell: Arc::default(),
            trouble: Mutex::new(None),
            access: AccessDial::default(),
            metrics,
            scrub: Mutex::new(Scrub::Done),
            exports: Arc::default(),
            troubles: Mutex::default(),
            backup_trouble: Mutex::new(None),
            worked_at,
            started_at: now,
            watched: Mutex::default(),
            disbelieved_at: Mutex::new(None),
            latest: Mutex::new(latest),
        })
    }

    /// The present. Never earlier than it was: a clock that steps back revives nothing. Until it has caught up, time goes
    /// on from the latest instant it showed, or nothing that waits for a time would come to an end meanwhile; at half
    /// its pace, or it would never be caught up with.
    pub fn now(&self) -> Timestamp {
        let mut latest = unpoisoned(&self.latest);
        let (wall, elapsed) = (self.clock.now(), self.clock.elapsed());
        let gone = elapsed.saturating_sub(latest.shown_at).as_secs() / 2;
        let now = latest
            .at
            .plus(i64::try_from(gone).unwrap_or_default())
            .max(wall);
        if now == wall {
            *latest = Latest {
                at: wall,
                shown_at: elapsed,
            };
        }
        now
    }

    /// Since when it runs.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// What the machine's clock shows, which other machines' clocks are to be compared with; it may step back.
    pub fn wall(&self) -> Timestamp {
        self.clock.now()
    }

    /// How far the machine's clock lies behind the present, in seconds.
    pub fn behind(&self) -> i64 {
        self.now().since(self.clock.now())
    }

    /// The clock that never steps back.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The background thread is at work.
    pub fn beat(&self) {
        *unpoisoned(&self.worked_at) = self.elapsed();
    }

    /// For how long the background thread has given no sign of life.
    pub fn quiet_for(&self) -> Duration {
        self.elapsed().saturating_sub(*unpoisoned(&self.worked_at))
    }

    /// From here on these threads are looked after; `is_well` answers at once.
    pub fn look_after(
        &self,
        name: &'static str,
        is_well: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        unpoisoned(&self.watched).push(Watched {
            name,
            is_well: Box::new(is_well),
        });
    }

    /// Those that are missing or stuck.
    pub fn stuck_threads(&self) -> Vec<&'static str> {
        let watched = unpoisoned(&self.watched);
        let stuck = watched.iter().filter(|one| !(one.is_well)());
        stuck.map(|one| one.name).collect()
    }

    /// The keys of `secret.key`.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Where random bytes come from.
    pub fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    /// How mail leaves; none while it is off.
    pub fn mailer(&self) -> Option<Arc<dyn Mailer>> {
        unpoisoned(&self.way).mailer.clone()
    }

    /// How mail leaves, in words; none while it is off.
    pub fn way_out(&self) -> Option<String> {
        unpoisoned(&self.way).words.clone()
    }

    /// From here on mail leaves by this one, or not at all. Of a new way no trouble is known: it is tried at once.
    pub fn change_way_out(&self, mailer: Option<Arc<dyn Mailer>>, words: Option<String>) {
        {
            let mut way = unpoisoned(&self.way);
            *way = Way { mailer, words };
            *unpoisoned(&self.trouble) = None;
        }
        self.bell.ring();
    }

    /// Writes down what a try by this mailer has shown; answers with the trouble before. Of one that was replaced
    /// meanwhile nothing is kept: it says nothing about the one that is here now.
    pub fn relay_was(
        &self,
        mailer: &Arc<dyn Mailer>,
        judge: impl FnOnce(Option<&Trouble>) -> Option<Trouble>,
    ) -> Option<Trouble> {
        let way = unpoisoned(&self.way);
        let is_present = way
            .mailer
            .as_ref()
            .is_some_and(|present| Arc::ptr_eq(present, mailer));
        if !is_present {
            return None;
        }
        let mut trouble = unpoisoned(&self.trouble);
        let after = judge(trouble.as_ref());
        std::mem::replace(&mut *trouble, after)
    }

    /// How the way out of the house is, as the worker last saw it.
    pub fn relay(&self) -> Relay {
        if self.mailer().is_none() {
            return Relay::Off;
        }
        match unpoisoned(&self.trouble).as_ref() {
            None => Relay::Works,
            Some(trouble) => Relay::Fails {
                since: trouble.since,
                cause: trouble.cause,
                words: trouble.words.clone(),
                next_try: trouble.next_try,
            },
        }
    }

    /// The mailbox in the process; only in the demonstration and in tests.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        self.mailbox.as_deref()
    }

    /// Asks the file.
    pub fn read<T>(&self, now: Timestamp, work: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        self.db.read(now, work)
    }

    /// Does somebody's deed: commits only what was recorded, then wakes the worker.
    ///
    /// ```compile_fail
    /// # use doorward::app::App;
    /// # use doorward::kit::time::Timestamp;
    /// fn forgetful(app: &App) {
    ///     // A change without its audit record is no `Audited`.
    ///     app.write(Timestamp(0), |tx| Ok(()));
    /// }
    /// ```
    pub fn write<T>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Tx<'_>) -> Result<Audited<T>>,
    ) -> Result<T> {
        let done = self.db.write(self.world(now), work)?;
        self.bell.ring();
        Ok(done.into_inner())
    }

    /// The same for a deed that may turn out to be none: then nothing is written, and nothing needs a record.
    pub fn write_if<T>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Tx<'_>) -> Result<Option<Audited<T>>>,
    ) -> Result<Option<T>> {
        let done = self.db.write(self.world(now), |tx| match work(tx) {
            Ok(Some(audited)) => Ok(audited),
            Ok(None) => Err(Undone::Needless),
            Err(error) => Err(Undone::Failed(error)),
        });
        match done {
            Ok(audited) => {
                self.bell.ring();
                Ok(Some(audited.into_inner()))
            }
            Err(Undone::Needless) => Ok(None),
            Err(Undone::Failed(error)) => Err(error),
        }
    }

    /// Does the machine's own bookkeeping. Called only by the door, the worker and the command that closes months as it does.
    pub fn housekeep<T>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        self.db.write(self.world(now), work)
    }

    /// Records what was not done, after the rollback; of a flood the first five a minute, then a sum.
    pub fn refuse(&self, now: Timestamp, by: &By, event: &Event) -> Result<()> {
        let flood = Flood {
            event: event.clone(),
            address: by.address,
        };
        // Whoever is signed in has five rows of their own, or a neighbour's flood would hide who did what.
        let likeness = format!(
            "{} {:?} {:?}",
            event.likeness(),
            by.account().map(AccountId::number),
            by.address
        );
        let key = self.keys.mac(
            crate::kit::keys::Use::Throttle,
            &[b"flood", likeness.as_bytes()],
        );
        let source = match by.actor {
            Actor::Stranger => Source::Stranger,
            Actor::Account { .. } | Actor::Operator | Actor::System => Source::Known,
        };
        match self.floods.judge(key, source, &flood, now) {
            Verdict::Record => {
                self.housekeep(now, |tx| audit::record(tx, by, event, ()).map(|_| ()))
            }
            Verdict::Count => Ok(()),
        }
    }

    /// Texts were erased: their words are still in the index, and in the log beside the file.
    pub fn owe_scrub(&self) {
        *unpoisoned(&self.scrub) = Scrub::Owed;
        self.bell.ring();
    }

    /// Takes the next step towards a file that holds nothing of what was erased; answers whether it was the last.
    pub fn scrub(&self, now: Timestamp) -> Result<bool> {
        let mut stage = unpoisoned(&self.scrub);
        if *stage == Scrub::Done {
            return Ok(true);
        }
        let next = self.housekeep(now, |tx| stage.go_on(tx))?;
        // The pages as they were stand in the log until it is folded.
        *stage = if next == Scrub::Done && !self.db.fold()? {
            Scrub::Begun
        } else {
            next
        };
        Ok(*stage == Scrub::Done)
    }

    /// Another process wrote to the file since this number was asked last.
    pub fn foreign_version(&self) -> Result<i64> {
        Ok(self.db.foreign_version()?)
    }

    /// Whether the file can be used.
    pub fn probe(&self) -> Result<()> {
        Ok(self.db.probe()?)
    }

    /// The open file, for what checks it as a whole.
    pub const fn db(&self) -> &Db {
        &self.db
    }

    fn world(&self, now: Timestamp) -> World<'_> {
        World {
            now,
            random: self.random.as_ref(),
            keys: &self.keys,
            mail_domain: self.settings.mail_domain(),
        }
    }
}

/// Why a transaction was rolled back.
enum Undone {
    /// There was nothing to do.
    Needless,
    /// It went wrong.
    Failed(Error),
}

impl From<crate::kit::db::Error> for Undone {
    fn from(error: crate::kit::db::Error) -> Self {
        Self::Failed(error.into())
    }
}
