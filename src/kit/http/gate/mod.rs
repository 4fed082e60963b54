//! The gate: the one owner of the TCP socket. It lets whole, bounded, well-framed requests through to the server
//! behind it, one at a time for each connection, and brings the answers back.
//!
//! One thread and one poll loop. What is understood of the bytes is decided in `head`, `body`, `answer` and
//! `chunks`, which are pure; what a connection does next in `caller`; who must go where room is needed in `crowd`;
//! here everything is moved; `line` moves a client's bytes, through TLS where certificates are given. It knows no
//! paths and no pages but its own refusals.

mod admission;
pub mod answer;
pub mod body;
mod caller;
mod chunks;
mod crowd;
mod date;
pub mod head;
mod limits;
mod line;
mod refusal;
mod relay;
mod slot;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};

use self::body::Rules;
use self::caller::{Next, Phase};
use self::crowd::Crowd;
use self::date::Date;
pub use self::limits::Limits;
pub use self::refusal::Refusal;
use self::slot::{Slots, Use};
use super::headers::Scheme;
use super::tls::Tls;
use crate::kit::pulse::Pulse;
use crate::kit::time::instant;

const LISTENER: Token = Token(0);
/// The token of the waker that `Signals` holds.
pub(super) const WAKER: Token = Token(1);
const FIRST_SLOT: usize = 2;
const FIRST_CALLER: usize = 1 << 16;

/// One read takes no more than this.
const SCRATCH_BYTES: usize = 64 * 1024;

/// However quiet it is, the gate shows this often that it is there.
const BEAT_EVERY: Duration = Duration::from_secs(5);

/// Deadlines are met this exactly.
const SWEEP_PAUSE: Duration = Duration::from_millis(20);

/// What the gate and the one who runs it tell each other.
#[derive(Debug)]
pub(super) struct Signals {
    waker: Waker,
    stop_at: Mutex<Option<Instant>>,
    /// Whether the gate runs and reaches the server behind it.
    pub(super) is_reaching: AtomicBool,
    /// Beats with every turn of the gate.
    pub(super) pulse: Pulse,
}

impl Signals {
    pub(super) fn new(waker: Waker) -> Self {
        Self {
            waker,
            stop_at: Mutex::new(None),
            is_reaching: AtomicBool::new(false),
            pulse: Pulse::new(),
        }
    }

    /// Stop: no new connections, and everything ends at that instant at the latest.
    pub(super) fn stop(&self, at: Instant) {
        *self.stop_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "the gate could not be woken");
        }
    }

    pub(super) fn stop_at(&self) -> Option<Instant> {
        *self.stop_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the gate came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was asked to stop, and has.
    Stopped,
    /// The server behind it no longer accepts connections.
    ServerLost,
}

/// What the gate is built from.
pub(super) struct Parts<'a> {
    pub(super) listener: std::net::TcpListener,
    pub(super) server: &'a Path,
    /// How many requests the server works on at once.
    pub(super) slot_count: usize,
    pub(super) rules: &'a Rules,
    pub(super) scheme: Scheme,
    /// None while TLS is done elsewhere.
    pub(super) tls: Option<&'a Tls>,
    pub(super) signals: &'a Signals,
}

/// The gate at work.
pub(super) struct Gate<'a> {
    poll: &'a mut Poll,
    listener: Option<TcpListener>,
    rules: &'a Rules,
    scheme: Scheme,
    tls: Option<&'a Tls>,
    signals: &'a Signals,
    crowd: Crowd,
    slots: Slots,
    /// Who waits for a slot, first come first served.
    queue: VecDeque<usize>,
    /// Who has something to do in this turn.
    ready: VecDeque<usize>,
    accept_at: Option<Instant>,
    sweep_at: Option<Instant>,
    stop_at: Option<Instant>,
    now: Instant,
    date: Date,
    scratch: Vec<u8>,
}

impl<'a> Gate<'a> {
    /// Takes the socket.
    pub(super) fn new(poll: &'a mut Poll, parts: Parts<'a>) -> std::io::Result<Self> {
        parts.listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(parts.listener);
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let now = instant();
        Ok(Self {
            poll,
            listener: Some(listener),
            rules: parts.rules,
            scheme: parts.scheme,
            tls: parts.tls,
            signals: parts.signals,
            crowd: Crowd::new(FIRST_CALLER),
            slots: Slots::new(parts.server, parts.slot_count, FIRST_SLOT, parts.rules),
            queue: VecDeque::new(),
            ready: VecDeque::new(),
            accept_at: Some(now),
            sweep_at: Some(now),
            stop_at: None,
            now,
            date: Date::new(),
            scratch: vec![0; SCRATCH_BYTES],
        })
    }

    /// Serves until it is stopped or loses the server.
    pub(super) fn run(mut self) -> std::io::Result<Outcome> {
        let mut events = Events::with_capacity(256);
        loop {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            self.now = instant();
            self.signals.pulse.beat();
            for event in &events {
                self.take_event(event);
            }
            self.accept();
            self.work();
            self.sweep();
            self.signals
                .is_reaching
                .store(self.slots.has_any(), Ordering::Relaxed);
            if self.slots.is_lost() {
                return Ok(Outcome::ServerLost);
            }
            if self.has_stopped() {
                return Ok(Outcome::Stopped);
            }
        }
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        [self.accept_at, self.sweep_at, self.stop_at]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.saturating_duration_since(instant()))
            .map_or(Some(BEAT_EVERY), |timeout| Some(timeout.min(BEAT_EVERY)))
    }

    fn take_event(&mut self, event: &Event) {
        let token = event.token();
        if token == LISTENER {
            self.accept_at = Some(self.now);
        } else if token == WAKER {
            self.begin_stop();
        } else if let Some(index) = self.slots.index(token.0) {
            if event.is_writable() && !self.slots.writable(index, self.poll.registry()) {
                return self.lose_slot(index);
            }
            if let Some(slot) = self.slots.get_mut(index) {
                slot.report(event);
                self.read_slot(index);
            }
        } else if event.is_error() || event.is_write_closed() {
            self.remove(token.0);
        } else if let Some(caller) = self.crowd.get_mut(token.0) {
            caller.report(event);
            if event.is_readable() || event.is_read_closed() {
                self.ready.push_back(token.0);
            }
            if event.is_writable() {
                self.flush(token.0);
            }
        }
    }

    /// Goes on with everyone who can, until all wait for something.
    fn work(&mut self) {
        // What comes back while this turn lasts has its turn in the next one, after the sockets' events.
        for _ in 0..self.ready.len() {
            if let Some(token) = self.ready.pop_front() {
                self.advance(token);
            }
        }
        // Slots may have come free since.
        self.dispatch();
    }

    fn advance(&mut self, token: usize) {
        let Some(caller) = self.crowd.get_mut(token) else {
            return;
        };
        let next = caller.advance(self.rules, &mut self.scratch, self.now);
        self.follow(token, next);
    }

    fn follow(&mut self, token: usize, next: Next) {
        match next {
            Next::Rest if self.is_done_with(token) => self.remove(token),
            Next::Rest => self.settle(token),
            Next::Again => {
                self.ready.push_back(token);
                self.settle(token);
            }
            Next::Queue if self.queue.len() >= self.rules.limits.waiting_max => {
                self.refuse(token, Refusal::Busy);
            }
            Next::Queue => {
                self.queue.push_back(token);
                self.settle(token);
                self.dispatch();
            }
            Next::Refuse(refusal) => self.refuse(token, refusal),
            Next::Close => self.remove(token),
        }
    }

    /// Whether a connection is only kept for a next request, which would not be taken any more.
    fn is_done_with(&self, token: usize) -> bool {
        self.stop_at.is_some()
            && (self.crowd.get(token))
                .is_some_and(|caller| matches!(caller.phase, Phase::Shaking | Phase::Idle))
    }

    fn flush(&mut self, token: usize) {
        let Some(caller) = self.crowd.get_mut(token) else {
            return;
        };
        let next = caller.flush(self.rules, self.now);
        let slot = match caller.phase {
            Phase::Answering(slot) => Some(slot),
            _ => None,
        };
        self.follow(token, next);
        // There may be room again for what the server has to say.
        if let Some(slot) = slot
            && self.slots.get_mut(slot).is_some_and(|slot| slot.is_paused)
        {
            self.read_slot(slot);
        }
    }

    fn refuse(&mut self, token: usize, refusal: Refusal) {
        if let Some(caller) = self.crowd.get_mut(token) {
            tracing::debug!(status = refusal.status(), "refused at the gate");
            caller.refuse(refusal, self.rules, self.scheme, self.date.now());
            caller.deadline = self.now + self.rules.limits.answer_time;
            self.flush(token);
        }
    }

    fn remove(&mut self, token: usize) {
        let Some(mut caller) = self.crowd.remove(token) else {
            return;
        };
        caller.leave();
        match caller.phase {
            Phase::Answering(slot) => self.abandon(slot),
            Phase::Waiting(_) => self.queue.retain(|waiting| *waiting != token),
            _ => {}
        }
    }

    /// Remembers the deadline, and makes room where all hold too much.
    fn settle(&mut self, token: usize) {
        if let Some(deadline) = self.crowd.settle(token) {
            self.sweep_at = Some(self.sweep_at.map_or(deadline, |at| at.min(deadline)));
        }
        while self.crowd.holds_too_much(&self.rules.limits) {
            let Some(heaviest) = self.crowd.heaviest() else {
                return;
            };
            self.remove(heaviest);
        }
    }

    /// Ends what has passed its deadline, once the earliest known one is there.
    fn sweep(&mut self) {
        if self.sweep_at.is_none_or(|at| at > self.now) {
            return;
        }
        let late: Vec<usize> = self
            .crowd
            .iter()
            .filter(|(_, caller)| caller.deadline <= self.now)
            .map(|(token, _)| token)
            .collect();
        for token in late {
            self.expire(token);
        }
        self.slots.expire(self.now);
        if !self.slots.has_any() {
            self.slots.open_one(self.poll.registry(), self.now);
        }
        self.sweep_at = self
            .crowd
            .iter()
            .map(|(_, caller)| caller.deadline)
            .chain(self.slots.look_at())
            .min()
            .map(|at| at.max(self.now + SWEEP_PAUSE));
        self.dispatch();
    }

    fn expire(&mut self, token: usize) {
        let Some(caller) = self.crowd.get(token) else {
            return;
        };
        match caller.phase {
            Phase::Shaking | Phase::Idle | Phase::Draining(_) | Phase::Lingering => {
                self.remove(token);
            }
            Phase::Head | Phase::Body => self.refuse(token, Refusal::Slow),
            Phase::Waiting(_) => {
                self.queue.retain(|waiting| *waiting != token);
                self.refuse(token, Refusal::Busy);
            }
            Phase::Answering(index) => {
                let has_begun = self.slots.get_mut(index).is_none_or(
                    |slot| matches!(&slot.used, Use::Busy { answer, .. } if answer.has_begun()),
                );
                if has_begun {
                    self.remove(token);
                } else {
                    self.abandon(index);
                    self.refuse(token, Refusal::Busy);
                }
            }
        }
    }

    fn has_stopped(&self) -> bool {
        self.stop_at
            .is_some_and(|at| at <= self.now || self.crowd.is_empty())
    }
}

impl Drop for Gate<'_> {
    /// After a panic too: the gate that follows uses the same poll.
    fn drop(&mut self) {
        self.close_listener();
    }
}
