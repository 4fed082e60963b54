//! The background thread: a list of duties, each bounded, behind one function that tests call themselves.
//!
//! One mail between its other duties; activation and reset first, the oldest and the newest of them in turn. It also notices what the command line did beside
//! it, within a second.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::app::{App, Flood, Trouble};
use crate::audit::{self, Action, Event, Prunable, Scrub};
use crate::backups::{self, Attempt, Cause, IfTaken, Made, Order};
use crate::billing;
use crate::domain::id::{AccountId, ErrandId, OrganisationId};
use crate::error::{Error, Result};
use crate::invitations;
use crate::kit::db::{Tx, unpoisoned};
use crate::kit::floods::Sum;
use crate::kit::mail::letter::Letter;
use crate::kit::mail::{self, Failure, Mailer, Message, Said};
use crate::kit::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::leaving;
use crate::lifecycle;
use crate::metrics::Delivery;
use crate::migrations::{DATABASE, VERSION};
use crate::outbox::{self, Claimed, Errand, Turn};
use crate::ownership;
use crate::passwords;
use crate::profile;
use crate::scope::By;
use crate::sessions;
use crate::two_factor;
use crate::watch;

/// How often a relay in trouble is tried.
const RELAY_EVERY: i64 = 30;
/// How often the sweeps run.
const SWEEP_EVERY: i64 = MINUTE;
/// How often those are looked for whose grace ends.
const REMIND_EVERY: i64 = 10 * MINUTE;
/// How often it is asked whether a backup is due, and how long after one that failed.
const BACKUP_EVERY: i64 = MINUTE;
const BACKUP_AGAIN: i64 = HOUR;
/// How long a nightly backup waits for one that the operator is making: as long as one of a large file takes.
const COPY_PATIENCE: Duration = Duration::from_secs(600);
/// How often it is asked whether the audit log has rows that are older than the operator keeps.
const PRUNE_EVERY: i64 = HOUR;
/// How long the clock must have run evenly before anything is removed by it, once it did not.
const EVEN_FOR: Duration = Duration::from_secs(DAY.unsigned_abs());
/// Where the newest record is older than this at a start, the clock is taken as one that may be wrong.
const SILENCE_MAX: i64 = 7 * DAY;
/// How often what nobody notices by themselves is looked for.
const LOOK_EVERY: i64 = MINUTE;
/// How often budgets are looked at.
const BUDGETS_EVERY: i64 = 10 * MINUTE;
/// How many months are closed, or budgets looked at, in one round.
const BILLS_MAX: usize = 20;
/// How long after a month could not be closed that is tried again.
const CLOSE_AGAIN: i64 = 10 * MINUTE;
/// How many accounts are switched off in one round, and how long after one could not be that is tried again.
const DEPARTURES_MAX: usize = 20;
const DISABLE_AGAIN: i64 = 10 * MINUTE;
/// Rows each duty may touch in one round.
const ROWS_MAX: usize = 100;
/// The longest sleep: what the command line did is noticed within it.
const SLEEP: Duration = Duration::from_secs(1);

/// The duties, and what they remember from round to round.
#[derive(Debug)]
pub struct Worker {
    next_sweep: Timestamp,
    next_reminder: Timestamp,
    foreign_version: i64,
    told_of_clock: bool,
    /// From which end of the queue the next mail is taken: from each in turn.
    next_turn: Turn,
    /// What the relay said of a mail while the disk took nothing: nothing else is sent before it is written down, or the
    /// same mail would go out once for every lease.
    unsettled: Option<Outcome>,
    next_prune: Timestamp,
    /// The chain that is being pruned, and the last one that was in this round.
    pruning: Option<Prunable>,
    last_pruned: Option<Prunable>,
    pace: Pace,
    /// When texts were last erased, as this thread knows.
    last_erasure: Option<Timestamp>,
    next_look: Timestamp,
    next_backup: Timestamp,
    next_budgets: Timestamp,
    /// The last organisation whose budget was looked at in this round of them.
    last_budget: Option<OrganisationId>,
    /// Whose month could not be closed, and when that is tried again.
    unclosed: BTreeMap<OrganisationId, Timestamp>,
    /// Who could not be switched off for a fault of ours, and when that is tried again.
    staying: BTreeMap<AccountId, Timestamp>,
    /// The copy that is being made beside this thread, so that a large file holds up no mail.
    copying: Option<Copying>,
    /// How one ended that could not be written down yet.
    unwritten: Option<Attempt>,
}

/// Whether the machine's clock runs as evenly as the one that never steps: what is removed by its word is gone.
#[derive(Debug)]
struct Pace {
    at: Timestamp,
    elapsed: Duration,
    /// From when on it is believed.
    even_from: Duration,
}

impl Pace {
    /// At a start nothing is known but the log: a machine that was off for long may have the wrong time.
    fn begin(app: &App, now: Timestamp) -> Result<Self> {
        let newest = app.read(now, |read| Ok(audit::latest_instant(read)?))?;
        let is_near = newest.is_none_or(|newest| now.since(newest) <= SILENCE_MAX);
        let elapsed = app.elapsed();
        Ok(Self {
            at: now,
            elapsed,
            even_from: if is_near {
                elapsed
            } else {
                elapsed.saturating_add(EVEN_FOR)
            },
        })
    }

    fn is_even(&mut self, app: &App, now: Timestamp) -> bool {
        let elapsed = app.elapsed();
        let gone = elapsed.saturating_sub(self.elapsed).as_secs();
        let leap = now.since(self.at) - i64::try_from(gone).unwrap_or(i64::MAX);
        if leap.abs() > HOUR {
            self.even_from = elapsed.saturating_add(EVEN_FOR);
        }
        (self.at, self.elapsed) = (now, elapsed);
        app.behind() <= 2 * MINUTE && elapsed >= self.even_from
    }
}

/// A nightly backup that is being made.
#[derive(Debug)]
struct Copying {
    began_at: Timestamp,
    target: PathBuf,
    thread: JoinHandle<std::result::Result<Made, backups::Failure>>,
}

/// How an attempt at a mail ended.
struct Outcome {
    id: ErrandId,
    mailer: Arc<dyn Mailer>,
    sent: std::result::Result<String, Failure>,
    /// What was said; only of a test mail.
    said: Option<Vec<Said>>,
}

/// A mail that is about to leave.
struct Composed {
    message: Message,
    is_test: bool,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outcome({})", self.id)
    }
}

impl Worker {
    /// Begins. What a process that died had in its hands is owed again; the caller holds the serve lock.
    pub fn begin(app: &App) -> Result<Self> {
        let now = app.now();
        let recovered = app.housekeep(now, outbox::recover)?;
        if recovered > 0 {
            tracing::info!(
                count = recovered,
                "mails that were being sent are owed again"
            );
        }
        let plan = &app.settings.backups;
        if plan.at.is_some() {
            backups::tidy_up(&plan.folder);
            *unpoisoned(&app.backup_trouble) = app.read(now, backups::failing)?;
        }
        *unpoisoned(&app.scrub) = app.read(now, Scrub::owed)?;
        Ok(Self {
            next_prune: now,
            pruning: None,
            last_pruned: None,
            pace: Pace::begin(app, now)?,
            last_erasure: app.read(now, |read| Ok(audit::last_erasure(read)?))?,
            next_backup: now,
            next_budgets: now,
            last_budget: None,
            unclosed: BTreeMap::new(),
            staying: BTreeMap::new(),
            copying: None,
            unwritten: None,
            next_sweep: now,
            next_reminder: now,
            foreign_version: app.foreign_version()?,
            told_of_clock: false,
            next_turn: Turn::Urgent,
            unsettled: None,
            next_look: now,
        })
    }

    /// One round of all duties. Answers whether there is more to do at once.
    pub fn tick(&mut self, app: &App) -> bool {
        let now = app.now();
        let mut more = false;
        for (duty, outcome) in [
            ("deliver", self.deliver_one(app, now)),
            ("notice", self.notice(app, now)),
            ("flush", flush(app, now)),
            ("expire", expire(app, now)),
            ("disable on dates", self.disable_on_dates(app, now)),
            ("remind", self.remind(app, now)),
            ("close months", self.close_months(app, now)),
            ("look at budgets", self.look_at_budgets(app, now)),
            ("sweep", self.sweep(app, now)),
            ("scrub", scrub(app, now)),
            ("prune", self.prune(app, now)),
            ("back up", self.back_up(app, now)),
            ("look", self.look(app, now)),
        ] {
            match outcome {
                Ok(again) => more |= again,
                Err(error) => {
                    tracing::error!(duty, err = %error, "a duty of the background thread failed")
                }
            }
        }
        // It counts its own quiet time, which the sweep of each minute would stretch to two.
        app.hasher.sweep();
        app.beat();
        more
    }

    /// Sends the next mail that is due, if the relay may be tried. Answers whether there may be another.
    fn deliver_one(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        let Some(mailer) = app.mailer() else {
            return Ok(false);
        };
        if let Some(outcome) = &self.unsettled {
            settle(app, now, outcome)?;
            self.unsettled = None;
        }
        let next_try = unpoisoned(&app.trouble)
            .as_ref()
            .map(|trouble| trouble.next_try);
        let turn = match next_try {
            None => self.next_turn,
            // Whoever sent it looks at its page, and wants to see how the relay answers now.
            Some(_) if app.read(now, |read| Ok(outbox::is_test_due(read)?))? => Turn::Test,
            Some(next_try) if now < next_try => return Ok(false),
            Some(_) => Turn::Longest,
        };
        let Some(id) = claim(app, now, turn)? else {
            mailer.rest();
            if next_try.is_some() {
                probe(app, &mailer);
            }
            return Ok(false);
        };
        self.next_turn = match self.next_turn {
            Turn::Urgent => Turn::Freshest,
            Turn::Freshest | Turn::Test | Turn::Longest => Turn::Urgent,
        };
        let Composed { message, is_test } = match compose(app, id, now) {
            Ok(Some(composed)) => composed,
            Ok(None) => {
                app.housekeep(now, |tx| {
                    outbox::not_needed(tx, id, "What it says no longer holds.")
                })?;
                return Ok(true);
            }
            Err(error) => {
                // One that cannot be written must not hold up the others: it waits as if the server had refused it.
                tracing::error!(mail = %id, err = %error, "a mail could not be written");
                app.housekeep(now, |tx| {
                    outbox::refused_for_now(tx, id, "The mail could not be written.")
                })?;
                return Ok(true);
            }
        };
        if is_test {
            // Over a connection of its own, so that its dialogue is a whole one.
            mailer.rest();
        }
        let sent = mailer.send(&message);
        let said = is_test.then(|| mailer.dialogue());
        // The attempt may have taken a minute; what is written down carries the instant at which it ended.
        let now = app.now();
        app.metrics.delivered(match &sent {
            Ok(_) => Delivery::Sent,
            Err(Failure::Later(_)) => Delivery::Deferred,
            Err(Failure::Never(_)) => Delivery::Rejected,
            Err(Failure::Relay(..)) => Delivery::RelayFailed,
        });
        let outcome = self.unsettled.insert(Outcome {
            id,
            mailer,
            sent,
            said,
        });
        let is_well = settle(app, now, outcome)?;
        self.unsettled = None;
        Ok(is_well)
    }

    /// Notices another process's writes, and a clock that stepped back.
    fn notice(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        let version = app.foreign_version()?;
        if version != self.foreign_version {
            self.foreign_version = version;
            let saved = app.read(now, |read| Ok(passwords::load_throttles(read)?))?;
            app.throttle.reload(saved);
            let last = app.read(now, |read| Ok(audit::last_erasure(read)?))?;
            if last != self.last_erasure {
                self.last_erasure = last;
                app.owe_scrub();
            }
        }
        let is_behind = app.behind() > 2 * MINUTE;
        if is_behind && !self.told_of_clock {
            let event = Event::of_system(Action::ClockSteppedBack).with("seconds", app.behind());
            app.housekeep(now, |tx| {
                audit::record(tx, &By::system(), &event, ()).map(|_| ())
            })?;
        }
        self.told_of_clock = is_behind;
        Ok(false)
    }

    /// Every ten minutes: reminds those who must set up a second factor within two days.
    fn remind(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        if now < self.next_reminder {
            return Ok(false);
        }
        let due = app.read(now, |read| two_factor::due(read, ROWS_MAX as i64))?;
        if !due.is_empty() {
            app.housekeep(now, |tx| {
                due.iter().try_for_each(|one| two_factor::remind(tx, one))
            })?;
        }
        if due.len() < ROWS_MAX {
            self.next_reminder = now.plus(REMIND_EVERY);
        }
        Ok(!due.is_empty())
    }

    /// Whether a backup is being made at this moment.
    #[must_use]
    pub const fn is_copying(&self) -> bool {
        self.copying.is_some()
    }

    /// Begins the nightly backup when a night has gone by without one, and writes down how it ended.
    fn back_up(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        if let Some(done) = self.copying.take_if(|one| one.thread.is_finished()) {
            let attempt = done.end(app.settings.backups.keep, now);
            self.next_backup = match attempt.outcome {
                Ok(_) => now.plus(BACKUP_EVERY),
                Err(_) => now.plus(BACKUP_AGAIN),
            };
            self.unwritten = Some(attempt);
        }
        if let Some(attempt) = &self.unwritten {
            app.housekeep(now, |tx| backups::note_nightly(tx, attempt))?;
            self.unwritten = None;
            *unpoisoned(&app.backup_trouble) = app.read(now, backups::failing)?;
            return Ok(true);
        }
        let Some(at) = app.settings.backups.at else {
            return Ok(false);
        };
        // What was erased shall not be in it.
        let is_scrubbed = *unpoisoned(&app.scrub) == Scrub::Done;
        if self.is_copying() || now < self.next_backup || !is_scrubbed {
            return Ok(false);
        }
        self.next_backup = now.plus(BACKUP_EVERY);
        if app.read(now, |read| backups::is_due(read, at))? {
            self.copying = Some(Copying::begin(app, now)?);
        }
        Ok(false)
    }

    /// Every ten minutes: tells those who look after a bill when its budget is nearly spent.
    fn look_at_budgets(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        if now < self.next_budgets {
            return Ok(false);
        }
        let mut is_told = false;
        for _ in 0..BILLS_MAX {
            let after = self.last_budget;
            let next = app.read(now, |read| billing::next_budget(read, after))?;
            let Some((organisation, is_spent)) = next else {
                self.last_budget = None;
                self.next_budgets = now.plus(BUDGETS_EVERY);
                return Ok(is_told);
            };
            // Before it is told, so that one of which that fails holds up no other.
            self.last_budget = Some(organisation);
            if is_spent {
                is_told = true;
                app.housekeep(now, |tx| billing::tell_of_budget(tx, organisation))?;
            }
        }
        Ok(true)
    }

    /// Switches off those whose last day is over, each in a transaction of its own. One that fails holds up no other, and
    /// is tried again later.
    fn disable_on_dates(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        self.staying.retain(|_, again| now < *again);
        let at_most = DEPARTURES_MAX + self.staying.len();
        let due = app.read(now, |read| leaving::due(read, at_most as i64))?;
        let due = due.into_iter().filter(|id| !self.staying.contains_key(id));
        let due: Vec<AccountId> = due.take(DEPARTURES_MAX).collect();
        for account in &due {
            let done = app.housekeep(now, |tx| {
                Ok(leaving::carry_out(tx, *account)?.map(audit::Audited::into_inner))
            });
            match done {
                Ok(Some(leaving::Outcome::Disabled)) => {
                    tracing::info!(%account, "an account was disabled on the date that was set");
                }
                Ok(Some(leaving::Outcome::Dropped(why))) => {
                    tracing::warn!(
                        %account,
                        why = why.slug(),
                        "an account could not be disabled on the date that was set"
                    );
                }
                // Somebody was faster.
                Ok(None) => {}
                Err(error @ (Error::Busy | Error::Disk(_))) => return Err(error),
                Err(error) => {
                    self.staying.insert(*account, now.plus(DISABLE_AGAIN));
                    return Err(error);
                }
            }
        }
        Ok(!due.is_empty())
    }

    /// Closes the months that are over, each in a transaction of its own. One that cannot be closed holds up no other
    /// organisation, and is tried again later.
    fn close_months(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        self.unclosed.retain(|_, again| now < *again);
        let at_most = BILLS_MAX + self.unclosed.len();
        let due = app.read(now, |read| billing::due(read, at_most))?;
        let due = due.into_iter().filter(|id| !self.unclosed.contains_key(id));
        let due: Vec<OrganisationId> = due.take(BILLS_MAX).collect();
        let terms = &app.settings.billing;
        for organisation in &due {
            let closed = app.housekeep(now, |tx| {
                billing::close_next_of(tx, &By::system(), terms, *organisation)
            });
            match closed {
                Ok(Some(closed)) => tracing::info!(
                    organisation = %closed.organisation,
                    month = %closed.month,
                    invoice = closed.invoice.map(tracing::field::display),
                    "a month was closed"
                ),
                // The command line was faster.
                Ok(None) => {}
                // These say nothing about the organisation: the next round tries it again.
                Err(error @ (Error::Busy | Error::Disk(_))) => return Err(error),
                Err(error) => {
                    self.unclosed.insert(*organisation, now.plus(CLOSE_AGAIN));
                    return Err(error);
                }
            }
        }
        Ok(!due.is_empty())
    }

    /// Removes what is older in the audit log than the operator keeps, chain by chain, some thousand rows in a round.
    fn prune(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        let is_even = self.pace.is_even(app, now);
        let Some(days) = app.settings.audit_keep_days else {
            return Ok(false);
        };
        if !is_even || now < self.next_prune {
            return Ok(false);
        }
        let before = now.minus(days * DAY);
        let chain = match self.pruning.take() {
            Some(chain) => chain,
            None => {
                let behind = self.last_pruned;
                let next = app.read(now, |read| Ok(audit::next_prunable(read, behind, before)?))?;
                let Some(chain) = next else {
                    self.last_pruned = None;
                    self.next_prune = now.plus(PRUNE_EVERY);
                    return Ok(false);
                };
                chain
            }
        };
        // Before it is done, so that one where that fails holds up no other.
        self.last_pruned = Some(chain);
        let is_more = app.housekeep(now, |tx| audit::prune(tx, chain, before))?;
        self.pruning = is_more.then_some(chain);
        Ok(true)
    }

    /// Once a minute: whether there is something that somebody has to see to.
    fn look(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        if now < self.next_look {
            return Ok(false);
        }
        self.next_look = now.plus(LOOK_EVERY);
        *unpoisoned(&app.troubles) = watch::troubles(app, now)?;
        Ok(false)
    }

    /// Once a minute: forgets what is over.
    fn sweep(&mut self, app: &App, now: Timestamp) -> Result<bool> {
        if now < self.next_sweep {
            return Ok(false);
        }
        let lifetimes = app.settings.lifetimes;
        let swept = app.housekeep(now, |tx| {
            let rows = [
                outbox::sweep(tx)?,
                sessions::sweep(tx, lifetimes)?,
                passwords::sweep(tx)?,
                two_factor::sweep(tx)?,
                profile::sweep(tx)?,
                invitations::sweep(tx)?,
            ];
            Ok(rows.into_iter().max().unwrap_or(0))
        })?;
        app.throttle.sweep(now);
        // A full round means that there is more; it goes on in the next one.
        if swept < ROWS_MAX {
            self.next_sweep = now.plus(SWEEP_EVERY);
        }
        Ok(swept >= ROWS_MAX)
    }
}

impl Copying {
    fn begin(app: &App, now: Timestamp) -> Result<Self> {
        let target = app.settings.backups.folder.join(backups::nightly_name(now));
        let order = Order {
            database: app.settings.data.join(DATABASE),
            target: target.clone(),
            if_taken: IfTaken::CountUp,
            patience: COPY_PATIENCE,
            keys: app.keys().clone(),
            version: VERSION,
            now,
        };
        let bell = Arc::clone(&app.bell);
        let thread = std::thread::Builder::new()
            .name("backup".to_owned())
            .spawn(move || {
                let made = backups::make(&order);
                bell.ring();
                made
            })?;
        Ok(Self {
            began_at: now,
            target,
            thread,
        })
    }

    /// How it ended; older ones go once it is there.
    fn end(self, keep: usize, now: Timestamp) -> Attempt {
        let mut place = self.target.display().to_string();
        let outcome = match self.thread.join() {
            Ok(Ok(made)) => {
                place = made.place.display().to_string();
                tracing::info!(path = place, bytes = made.bytes, "nightly backup made");
                let folder = self.target.parent();
                if let Some(Err(error)) = folder.map(|folder| backups::prune(folder, keep, now)) {
                    tracing::warn!(err = %error, "older backups could not be removed");
                }
                Ok(i64::try_from(made.bytes).unwrap_or(i64::MAX))
            }
            Ok(Err(why)) => Err(why.to_string()),
            Err(_) => Err("making it panicked".to_owned()),
        };
        if let Err(why) = &outcome {
            tracing::error!(path = place, err = why, "the nightly backup failed");
        }
        Attempt {
            cause: Cause::Nightly,
            began_at: self.began_at,
            ended_at: now,
            place,
            outcome,
        }
    }
}

/// Takes the words of erased texts out of the file, a step in each round.
fn scrub(app: &App, now: Timestamp) -> Result<bool> {
    Ok(!app.scrub(now)?)
}

/// Writes down what memory decided: failures of the last second, and the sums of floods that are over.
fn flush(app: &App, now: Timestamp) -> Result<bool> {
    let sums = app.floods.sums(now);
    write_down(app, now, sums).map(|()| false)
}

/// What cannot be written now is written later.
fn write_down(app: &App, now: Timestamp, sums: Vec<Sum<Flood>>) -> Result<()> {
    let rows: Vec<_> = app
        .throttle
        .unsaved()
        .into_iter()
        .chain(app.throttle.unsaved_addresses())
        .collect();
    if rows.is_empty() && sums.is_empty() {
        return Ok(());
    }
    let written = app.housekeep(now, |tx| {
        passwords::save_throttles(tx, &rows)?;
        for sum in &sums {
            record_sum(tx, sum)?;
        }
        Ok(())
    });
    if written.is_err() {
        app.throttle.not_saved(&rows);
        app.floods.not_written(sums);
    }
    written
}

fn record_sum(tx: &Tx<'_>, sum: &Sum<Flood>) -> Result<()> {
    let by = By {
        address: sum.payload.address,
        ..By::system()
    };
    let event = sum
        .payload
        .event
        .clone()
        .with("count", sum.count)
        .with("minute", sum.minute.0)
        .with("sum", true);
    let event = if sum.is_mixed {
        event.with("mixed", true)
    } else {
        event
    };
    audit::record(tx, &by, &event, ())?.into_inner();
    Ok(())
}

/// Marks invitations that ran out, and releases addresses that nobody ever activated.
fn expire(app: &App, now: Timestamp) -> Result<bool> {
    let terms = app.settings.terms;
    let mut done = 0;
    while done < ROWS_MAX {
        let one = app.housekeep(now, |tx| {
            if let Some(audited) = invitations::expire_one(tx)? {
                audited.into_inner();
                return Ok(Some(()));
            }
            Ok(lifecycle::release_one(tx, terms)?.map(audit::Audited::into_inner))
        })?;
        if one.is_none() {
            return Ok(false);
        }
        done += 1;
    }
    Ok(true)
}

/// Asks before it writes: most rounds find nothing, and need no transaction.
fn claim(app: &App, now: Timestamp, turn: Turn) -> Result<Option<ErrandId>> {
    if !app.read(now, |read| Ok(outbox::is_any_due(read)?))? {
        return Ok(None);
    }
    app.housekeep(now, |tx| outbox::claim(tx, turn))
}

/// The mail as it leaves, if what it says still holds.
fn compose(app: &App, id: ErrandId, now: Timestamp) -> Result<Option<Composed>> {
    let claimed = app.read(now, |read| Ok(outbox::claimed(read, id)?))?;
    let letter = write(app, &claimed, now)?;
    Ok(letter.map(|letter| Composed {
        message: Message {
            id: claimed.message_id.clone(),
            date: now,
            from: app.settings.mail_from.clone(),
            to: claimed.to.email.to_string(),
            subject: letter.subject.clone(),
            text: letter.text(),
            html: letter.html(),
        },
        is_test: claimed.errand == Errand::Test,
    }))
}

fn settle(app: &App, now: Timestamp, outcome: &Outcome) -> Result<bool> {
    let Outcome {
        id,
        mailer,
        sent,
        said,
    } = outcome;
    let id = *id;
    let trouble = match sent {
        Err(Failure::Relay(cause, words)) => Some((*cause, words.as_str())),
        Ok(_) | Err(Failure::Later(_) | Failure::Never(_)) => None,
    };
    // Nobody waits for a test mail that is over: it breaks no connection a second time.
    let held = said.is_none().then_some(id);
    let before = note_relay(app, now, mailer, trouble, held);
    let suspect = before.and_then(|trouble| trouble.mail);
    app.housekeep(now, |tx| {
        match sent {
            Ok(answer) => outbox::sent(tx, id, answer),
            Err(Failure::Later(answer)) => outbox::refused_for_now(tx, id, answer),
            Err(Failure::Never(answer)) => outbox::failed(tx, id, answer),
            // What is asked by a test mail is answered by it.
            Err(Failure::Relay(_, answer)) if said.is_some() => outbox::failed(tx, id, answer),
            Err(Failure::Relay(_, answer)) => outbox::relay_failed(tx, id, answer),
        }?;
        if let Some(said) = said {
            outbox::keep_dialogue(tx, id, said)?;
        }
        match suspect {
            Some(suspect) if trouble.is_none() && suspect != id => outbox::suspect(tx, suspect),
            Some(_) | None => Ok(()),
        }
    })?;
    Ok(trouble.is_none())
}

/// Writes down whether the relay is in trouble, with which mail it held; answers with the trouble before. The log
/// hears when that changes; not in the relay's words, which may name people.
fn note_relay(
    app: &App,
    now: Timestamp,
    mailer: &Arc<dyn Mailer>,
    trouble: Option<(mail::Cause, &str)>,
    held: Option<ErrandId>,
) -> Option<Trouble> {
    let before = app.relay_was(mailer, |before| {
        trouble.map(|(cause, words)| Trouble {
            since: before.map_or(now, |trouble| trouble.since),
            cause,
            words: words.to_owned(),
            next_try: now.plus(RELAY_EVERY),
            // What goes wrong before a message is begun is no message's fault.
            mail: held
                .filter(|_| cause == mail::Cause::Service)
                .or_else(|| before.and_then(|trouble| trouble.mail)),
        })
    });
    match (&before, trouble) {
        (Some(before), Some((cause, _))) if before.cause == cause => {}
        (_, Some((cause, words))) => tracing::warn!(
            cause = cause.slug(),
            code = code_of(words),
            "the mail server is in trouble: mail waits"
        ),
        (Some(_), None) => tracing::info!("the mail server takes mail again"),
        (None, None) => {}
    }
    before
}

/// The code at the beginning of a server's answer; none where the words are ours.
fn code_of(words: &str) -> Option<u16> {
    words.split(' ').next()?.parse().ok()
}

/// A relay in trouble for which no mail is due is asked all the same, so that a trouble that is over is not told for ever.
fn probe(app: &App, mailer: &Arc<dyn Mailer>) {
    let outcome = mailer.probe(&app.settings.mail_from);
    let trouble = match &outcome {
        Err(Failure::Relay(cause, words)) => Some((*cause, words.as_str())),
        Ok(()) | Err(Failure::Later(_) | Failure::Never(_)) => None,
    };
    note_relay(app, app.now(), mailer, trouble, None);
}

/// What the mail says, if it still holds: asked just before it is sent.
fn write(app: &App, claimed: &Claimed, now: Timestamp) -> Result<Option<Letter>> {
    let settings = &app.settings;
    app.read(now, |read| match &claimed.errand {
        Errand::Activation(id) => {
            invitations::mail::activation(read, app.keys(), settings, &claimed.to, *id)
        }
        Errand::LinkAsked(account) => {
            invitations::mail::link_asked(read, settings, &claimed.to, *account)
        }
        Errand::Reset(id) => passwords::mail::reset(read, app.keys(), settings, &claimed.to, *id),
        Errand::PasswordChanged => passwords::mail::changed(read, settings, &claimed.to),
        Errand::PasswordTaken(id) => passwords::mail::taken(read, settings, &claimed.to, *id),
        Errand::NewDevice(place) => sessions::mail::new_device(read, settings, &claimed.to, place),
        Errand::RoleChanged { from, to } => {
            lifecycle::mail::role_changed(read, settings, &claimed.to, *from, *to)
        }
        Errand::EmailConfirm(id) => {
            profile::mail::confirm(read, app.keys(), settings, &claimed.to, *id)
        }
        Errand::EmailChanged(id) => profile::mail::changed(read, settings, &claimed.to, *id),
        Errand::OwnershipOffered => ownership::mail::offered(read, settings, &claimed.to),
        Errand::OwnershipMoved(owner) => {
            ownership::mail::moved(read, settings, &claimed.to, *owner)
        }
        Errand::BackupFailed(since) => backups::mail::failed(read, settings, &claimed.to, *since),
        Errand::Invoice(number) => billing::mail::invoice(read, settings, &claimed.to, *number),
        Errand::Budget { month, percent } => {
            billing::mail::budget(read, settings, &claimed.to, (*month, *percent))
        }
        Errand::Test => outbox::mail::test(read, settings, &claimed.to),
        errand @ (Errand::TwoFactorOn { .. }
        | Errand::TwoFactorOff(_)
        | Errand::TwoFactorReset(_)
        | Errand::RecoveryUsed(..)
        | Errand::CodesRenewed(_)
        | Errand::GraceEnds(_)) => two_factor::mail::letter(read, settings, &claimed.to, errand),
    })
}

/// The thread: rounds until it is told to stop. A round that panics is logged, and the next one begins.
pub fn run(app: &Arc<App>, stop: &AtomicBool) {
    let mut worker = match Worker::begin(app) {
        Ok(worker) => worker,
        Err(error) => {
            tracing::error!(err = %error, "the background thread could not begin");
            return;
        }
    };
    while !stop.load(Ordering::Acquire) {
        let round = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| worker.tick(app)));
        match round {
            Ok(true) => {}
            Ok(false) => app.bell.wait(SLEEP),
            Err(_) => {
                tracing::error!("a round of the background thread panicked");
                app.bell.wait(SLEEP);
            }
        }
    }
    // The tries of the last second survive the restart too, and the floods of the running minute.
    if let Err(error) = write_down(app, app.now(), app.floods.rest()) {
        tracing::error!(err = %error, "the last failures were not written down");
    }
    if let Some(mailer) = app.mailer() {
        mailer.rest();
    }
}
