//! One client's connection: its line, what it is doing, and until when it may.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use mio::event::Event;

use super::answer::{Answer, Asked};
use super::body::{Inbound, Rules, Stage, Step, Whole};
use super::line::{Follows, Line, Shaken};
use super::refusal::{self, Refusal};
use super::wire::{Outbox, Sent};
use crate::kit::http::client;
use crate::kit::http::headers::Scheme;

/// An answer of which no more than this is left is taken from the server whole, so that a slow reader does not
/// hold a worker.
const SWALLOWED_MAX: u64 = 1024 * 1024;

/// Of a larger one, no more than this is held for the client at a time.
const AHEAD_MAX: usize = 256 * 1024;

/// Reads of a connection that is only waited out, before the others have their turn.
const DISCARDS_PER_TURN: usize = 8;

/// What a connection is doing.
#[derive(Debug)]
pub(super) enum Phase {
    /// TLS begins.
    Shaking,
    /// Nothing is asked.
    Idle,
    /// A head has begun.
    Head,
    /// A body is due.
    Body,
    /// A request waits for a free connection to the server.
    Waiting(Whole),
    /// The server works, and its answer comes through this slot.
    Answering(usize),
    /// The answer is there; the client has to take it.
    Draining(After),
    /// All is said; what the client still sends is thrown away until it closes.
    Lingering,
}

/// What happens once the client has taken its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The next request.
    Stay,
    /// The end. With bytes of the client unread, an immediate close would make its system throw our answer away,
    /// so the connection is waited out.
    Close,
}

impl After {
    pub(super) const fn of(answer: &Answer) -> Self {
        if answer.keep_alive() {
            Self::Stay
        } else {
            Self::Close
        }
    }
}

/// What the gate has to do next about a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait for events.
    Rest,
    /// Find a slot for its request.
    Queue,
    /// Come back in this turn.
    Again,
    /// Answer so.
    Refuse(Refusal),
    /// Drop it.
    Close,
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) line: Line,
    pub(super) peer: IpAddr,
    /// What the limits count; nothing for a trusted proxy, which stands for many.
    pub(super) network: Option<IpAddr>,
    pub(super) phase: Phase,
    pub(super) deadline: Instant,
    /// When it came or last finished a request: the oldest goes first where room must be made.
    pub(super) since: Instant,
    pub(super) outbox: Outbox,
    /// The bytes it was last counted with.
    pub(super) counted: usize,
    inbound: Inbound,
    /// What the request in hand asked.
    asked: Option<Asked>,
    /// Since when it takes the answer in hand, and how many bytes it took.
    taken: Option<(Instant, u64)>,
}

impl Caller {
    pub(super) fn new(line: Line, peer: IpAddr, rules: &Rules, now: Instant) -> Self {
        let peer = peer.to_canonical();
        let (phase, time) = if line.is_shaking() {
            (Phase::Shaking, rules.limits.head_time)
        } else {
            (Phase::Idle, rules.limits.idle_time)
        };
        Self {
            line,
            peer,
            network: (!client::is_trusted(peer, &rules.trusted)).then(|| client::network(peer)),
            phase,
            deadline: now + time,
            since: now,
            outbox: Outbox::default(),
            counted: 0,
            inbound: Inbound::default(),
            asked: None,
            taken: None,
        }
    }

    /// How many bytes are held for it.
    pub(super) fn held(&self) -> usize {
        let waiting = match &self.phase {
            Phase::Waiting(whole) => whole.bytes.capacity(),
            _ => 0,
        };
        self.inbound.held() + self.outbox.held() + self.line.held() + waiting
    }

    /// The socket reports something.
    pub(super) fn report(&mut self, event: &Event) {
        self.line.report(event);
    }

    /// Whether the client has sent, or may have sent, more than was read of it.
    fn has_more(&self) -> bool {
        self.line.has_more() || !self.inbound.is_empty()
    }

    /// Goes on as far as the bytes allow.
    pub(super) fn advance(&mut self, rules: &Rules, scratch: &mut [u8], now: Instant) -> Next {
        match self.phase {
            Phase::Shaking => self.shake(rules, scratch, now),
            Phase::Idle | Phase::Head | Phase::Body => self.receive(rules, scratch, now),
            Phase::Lingering => self.discard(scratch),
            // One request at a time: what else the client sends waits in the kernel, which bounds it.
            Phase::Waiting(_) | Phase::Answering(_) | Phase::Draining(_) => Next::Rest,
        }
    }

    fn shake(&mut self, rules: &Rules, scratch: &mut [u8], now: Instant) -> Next {
        match self.line.shake() {
            Ok(Shaken::Done) => {
                self.phase = Phase::Idle;
                self.deadline = now + rules.limits.idle_time;
                self.receive(rules, scratch, now)
            }
            Ok(Shaken::NotYet) => Next::Rest,
            // What is here of it tells where to send it; the rest is not waited for.
            Ok(Shaken::Plain) => match self.read(scratch) {
                Ok(_) => Next::Refuse(Refusal::Unencrypted),
                Err(Ended) => Next::Close,
            },
            Err(_) => Next::Close,
        }
    }

    fn receive(&mut self, rules: &Rules, scratch: &mut [u8], now: Instant) -> Next {
        loop {
            match self.inbound.step(rules, self.peer) {
                Step::More(stage) => {
                    self.enter(stage, rules, now);
                    match self.read(scratch) {
                        Ok(true) => {}
                        Ok(false) => return Next::Rest,
                        Err(Ended) => return Next::Close,
                    }
                }
                Step::Continue => {
                    self.enter(Stage::Body, rules, now);
                    let line = b"HTTP/1.1 100 Continue\r\n\r\n";
                    self.outbox.bytes.extend_from_slice(line);
                    if self.line.write(&mut self.outbox, Follows::Perhaps).is_err() {
                        return Next::Close;
                    }
                }
                Step::Whole(whole) => {
                    self.asked = Some(Asked::of(&whole));
                    self.phase = Phase::Waiting(whole);
                    self.deadline = now + rules.limits.answer_time;
                    return Next::Queue;
                }
                Step::Refuse(refusal) => return Next::Refuse(refusal),
            }
        }
    }

    /// Deadlines are absolute: they begin with the stage, and no byte moves them.
    fn enter(&mut self, stage: Stage, rules: &Rules, now: Instant) {
        match (stage, &self.phase) {
            (Stage::Idle, _) | (Stage::Head, Phase::Head) | (Stage::Body, Phase::Body) => {}
            (Stage::Head, _) => {
                self.phase = Phase::Head;
                self.deadline = now + rules.limits.head_time;
            }
            (Stage::Body, _) => {
                self.phase = Phase::Body;
                self.deadline = now + rules.limits.body_time;
            }
        }
    }

    /// Whether bytes came.
    fn read(&mut self, scratch: &mut [u8]) -> Result<bool, Ended> {
        match self.line.read(scratch) {
            Ok(0) => Err(Ended),
            Ok(count) => {
                self.inbound.feed(scratch.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(_) => Err(Ended),
        }
    }

    fn discard(&mut self, scratch: &mut [u8]) -> Next {
        for _ in 0..DISCARDS_PER_TURN {
            match self.line.discard(scratch) {
                Ok(count) if count > 0 => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Next::Rest,
                Ok(_) | Err(_) => return Next::Close,
            }
        }
        Next::Again
    }

    /// Takes the request out, to be sent to the server through a slot.
    pub(super) fn dispatch(
        &mut self,
        slot: usize,
        answer_time: Duration,
        now: Instant,
    ) -> Option<Whole> {
        self.deadline = now + answer_time;
        self.taken = None;
        match std::mem::replace(&mut self.phase, Phase::Answering(slot)) {
            Phase::Waiting(whole) => Some(whole),
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// Puts the refusal in the place of an answer; the connection ends with it.
    pub(super) fn refuse(&mut self, refusal: Refusal, rules: &Rules, scheme: Scheme, date: &str) {
        let mut asked = self.asked.take().unwrap_or(Asked {
            method: self.inbound.method(),
            minor: 1,
            keep_alive: false,
        });
        asked.keep_alive = false;
        let wire = match refusal {
            Refusal::Unencrypted => {
                let address = self.inbound.encrypted_address(rules);
                refusal::unencrypted(address.as_deref(), asked.method)
            }
            _ => refusal.wire(scheme, asked.method),
        };
        let mut answer = Answer::new(asked);
        self.outbox = Outbox::default();
        // A page of ours that does not read as an answer would leave the client with a closed connection.
        let _ = answer.feed(&wire, date, &mut self.outbox.bytes);
        // The rest of what it sent is unread, whatever it was.
        self.line.look_again();
        self.phase = Phase::Draining(After::Close);
    }

    /// Whether more of an answer may be taken from the server.
    pub(super) fn has_room(&self, remaining: Option<u64>) -> bool {
        let ahead = self.outbox.len();
        let all = remaining.and_then(|remaining| remaining.checked_add(u64::try_from(ahead).ok()?));
        ahead < AHEAD_MAX || all.is_some_and(|all| all <= SWALLOWED_MAX)
    }

    /// Says good-bye where nothing is owed to the client: an answer that breaks off must not look whole.
    pub(super) fn leave(&mut self) {
        if matches!(
            self.phase,
            Phase::Idle | Phase::Head | Phase::Body | Phase::Lingering
        ) {
            self.line.farewell();
        }
    }

    /// Writes what the client takes, and goes on when that was all.
    pub(super) fn flush(&mut self, rules: &Rules, now: Instant) -> Next {
        let is_draining = matches!(self.phase, Phase::Draining(_));
        if self.outbox.len() == 0 && !self.line.has_unsent() && !is_draining {
            return Next::Rest;
        }
        let follows = match self.phase {
            Phase::Draining(After::Close) => Follows::Nothing,
            _ => Follows::Perhaps,
        };
        let before = self.outbox.len();
        let Ok(sent) = self.line.write(&mut self.outbox, follows) else {
            return Next::Close;
        };
        let took = before.saturating_sub(self.outbox.len());
        if sent != Sent::None && self.keeps_pace(took, rules, now) {
            self.deadline = now + rules.limits.answer_time;
        }
        match self.phase {
            Phase::Draining(after) if sent == Sent::All => self.finish(after, rules, now),
            _ => Next::Rest,
        }
    }

    /// Whether what it takes moves its deadline: not where it holds a worker and takes next to nothing.
    fn keeps_pace(&mut self, took: usize, rules: &Rules, now: Instant) -> bool {
        let (since, before) = self.taken.unwrap_or((now, 0));
        let all = before.saturating_add(u64::try_from(took).unwrap_or(u64::MAX));
        self.taken = Some((since, all));
        match self.phase {
            Phase::Draining(_) => true,
            Phase::Answering(_) => {
                let gone = now.saturating_duration_since(since);
                gone < rules.limits.pace_after
                    || all >= gone.as_secs().saturating_mul(rules.limits.pace_min)
            }
            _ => false,
        }
    }

    fn finish(&mut self, after: After, rules: &Rules, now: Instant) -> Next {
        match after {
            After::Stay => {
                self.asked = None;
                self.phase = Phase::Idle;
                self.since = now;
                self.deadline = now + rules.limits.idle_time;
                if self.has_more() {
                    Next::Again
                } else {
                    Next::Rest
                }
            }
            After::Close if self.has_more() => {
                self.inbound.clear();
                self.phase = Phase::Lingering;
                self.deadline = now + rules.limits.linger_time;
                if self.line.shutdown().is_err() {
                    return Next::Close;
                }
                Next::Again
            }
            After::Close => Next::Close,
        }
    }
}

/// The client closed, or its connection failed.
struct Ended;
