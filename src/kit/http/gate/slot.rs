//! The kept connections to the server behind the gate. Each carries one request at a time.
//!
//! tiny_http gives every connection a thread, but counts a thread that is just waking up as free: two connections
//! that come close together may share one, and the second is then served when the first is closed, which here is
//! never. So connections are opened one at a time, and the next only after the last has answered a ping; that is
//! the proof that its thread is awake and taken.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use super::answer::{Answer, Asked};
use super::body::{PING_HEADER, Rules};
use super::wire::{Outbox, Readable, Sent};
use crate::kit::http::request::Method;
use crate::kit::memory;

/// A server that is there answers a ping within this.
const PING_TIME: Duration = Duration::from_secs(2);

/// After a failure, before the next attempt.
const RETRY_TIME: Duration = Duration::from_millis(100);

/// So many failures in a row, with no connection left, mean that the server no longer accepts any.
const FAILURES_MAX: u32 = 3;

/// What a thread takes by itself.
const THREAD_BYTES: usize = 2 << 20;

/// What a connection to the server is doing.
#[derive(Debug)]
pub(super) enum Use {
    /// Waits for the answer to its first ping.
    Opening { answer: Answer, until: Instant },
    /// Nothing.
    Free,
    /// Answers a client.
    Busy { caller: usize, answer: Answer },
    /// Answers a client that has gone. Workers cannot be called back, so the answer is read to its end.
    Abandoned { answer: Answer },
}

/// One connection to the server.
#[derive(Debug)]
pub(super) struct Slot {
    socket: UnixStream,
    outbox: Outbox,
    readable: Readable,
    pub(super) used: Use,
    /// There may be something to read, but its client has no room for it.
    pub(super) is_paused: bool,
}

/// What reading a slot gave.
pub(super) enum Heard {
    /// So many bytes.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// The connection is gone.
    End,
}

impl Slot {
    /// The socket reports something.
    pub(super) fn report(&mut self, event: &Event) {
        self.readable.report(event);
    }

    pub(super) fn read(&mut self, scratch: &mut [u8]) -> Heard {
        while self.readable != Readable::No {
            match self.socket.read(scratch) {
                Ok(0) => return Heard::End,
                Ok(count) => {
                    if count < scratch.len() {
                        self.readable.emptied();
                    }
                    return Heard::Bytes(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = Readable::No,
                Err(_) => return Heard::End,
            }
        }
        Heard::Nothing
    }
}

/// Begins and ends a thread as large as the one that tiny_http is about to make for a connection. Where there is no room
/// for it, tiny_http's own would panic, and the server with all its connections would be lost; so no connection is opened,
/// and whoever comes is answered by those that are there.
fn try_a_thread() -> std::io::Result<()> {
    if !memory::has_room(THREAD_BYTES) {
        return Err(ErrorKind::OutOfMemory.into());
    }
    let tried = std::thread::Builder::new()
        .name("room".to_owned())
        .spawn(|| {})?;
    tried
        .join()
        .map_err(|_| std::io::Error::other("a thread that does nothing fell"))
}

/// All connections to the server, and what opening more of them has come to.
#[derive(Debug)]
pub(super) struct Slots {
    path: PathBuf,
    ping: Vec<u8>,
    first_token: usize,
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    failures: u32,
    retry_at: Option<Instant>,
}

impl Slots {
    pub(super) fn new(path: &Path, count: usize, first_token: usize, rules: &Rules) -> Self {
        let secret = &rules.secret;
        Self {
            path: path.to_owned(),
            ping: format!("GET / HTTP/1.1\r\n{PING_HEADER}: {secret}\r\n\r\n").into_bytes(),
            first_token,
            slots: std::iter::repeat_with(|| None).take(count).collect(),
            free: Vec::new(),
            failures: 0,
            retry_at: None,
        }
    }

    /// The slot that a token stands for.
    pub(super) fn index(&self, token: usize) -> Option<usize> {
        token
            .checked_sub(self.first_token)
            .filter(|index| *index < self.slots.len())
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Slot> {
        self.slots.get_mut(index)?.as_mut()
    }

    /// A free one, taken; the last used first, since its threads are warm.
    pub(super) fn take_free(&mut self) -> Option<usize> {
        self.free.pop()
    }

    /// The answer has come to its end.
    pub(super) fn set_free(&mut self, index: usize) {
        if let Some(slot) = self.get_mut(index) {
            slot.used = Use::Free;
            slot.is_paused = false;
            self.free.push(index);
            self.failures = 0;
        }
    }

    /// Whether any connection could carry a request now or soon.
    pub(super) fn has_any(&self) -> bool {
        self.slots
            .iter()
            .flatten()
            .any(|slot| matches!(slot.used, Use::Free | Use::Busy { .. }))
    }

    /// Sends a request; false when the connection failed.
    pub(super) fn send(&mut self, index: usize, request: Vec<u8>, registry: &Registry) -> bool {
        let token = Token(self.first_token + index);
        let Some(slot) = self.get_mut(index) else {
            return false;
        };
        slot.outbox.bytes = request;
        match slot.outbox.write_to(&mut slot.socket) {
            Ok(Sent::All) => true,
            // Only for large bodies: a Unix socket reports every byte that is taken from it, so this interest
            // would wake the gate once more for every request.
            Ok(_) => registry
                .reregister(
                    &mut slot.socket,
                    token,
                    Interest::READABLE | Interest::WRITABLE,
                )
                .is_ok(),
            Err(_) => false,
        }
    }

    /// Goes on sending; false when the connection failed.
    pub(super) fn writable(&mut self, index: usize, registry: &Registry) -> bool {
        let token = Token(self.first_token + index);
        let Some(slot) = self.get_mut(index) else {
            return true;
        };
        match slot.outbox.write_to(&mut slot.socket) {
            Ok(Sent::All) => registry
                .reregister(&mut slot.socket, token, Interest::READABLE)
                .is_ok(),
            Ok(_) => true,
            Err(_) => false,
        }
    }

    /// Closes a connection; what it was doing.
    pub(super) fn remove(&mut self, index: usize, now: Instant) -> Option<Use> {
        let slot = self.slots.get_mut(index)?.take()?;
        self.free.retain(|free| *free != index);
        if matches!(slot.used, Use::Opening { .. }) {
            self.failed(now);
        }
        Some(slot.used)
    }

    /// Opens one more, unless one is being opened, all are open, or the last attempt has just failed.
    pub(super) fn open_one(&mut self, registry: &Registry, now: Instant) {
        if self.retry_at.is_some_and(|at| now < at) || self.opening().is_some() {
            return;
        }
        let Some(index) = self.slots.iter().position(Option::is_none) else {
            return;
        };
        self.retry_at = None;
        if self.open(index, registry, now).is_err() {
            self.failed(now);
        }
    }

    fn open(&mut self, index: usize, registry: &Registry, now: Instant) -> std::io::Result<()> {
        try_a_thread()?;
        let mut socket = UnixStream::connect(&self.path)?;
        let token = Token(self.first_token + index);
        registry.register(&mut socket, token, Interest::READABLE)?;
        let asked = Asked {
            method: Method::Get,
            minor: 1,
            keep_alive: true,
        };
        let slot = Slot {
            socket,
            outbox: Outbox::default(),
            readable: Readable::No,
            used: Use::Opening {
                answer: Answer::new(asked),
                until: now + PING_TIME,
            },
            is_paused: false,
        };
        if let Some(place) = self.slots.get_mut(index) {
            *place = Some(slot);
        }
        if !self.send(index, self.ping.clone(), registry) {
            self.remove(index, now);
        }
        Ok(())
    }

    fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(now + RETRY_TIME);
    }

    /// Gives up an opening whose ping is not answered.
    pub(super) fn expire(&mut self, now: Instant) {
        if let Some((index, until)) = self.opening()
            && until <= now
        {
            self.remove(index, now);
        }
    }

    /// When to look again: at the end of the wait for a ping, or of the pause after a failure.
    pub(super) fn look_at(&self) -> Option<Instant> {
        self.opening().map(|(_, until)| until).or(self.retry_at)
    }

    fn opening(&self) -> Option<(usize, Instant)> {
        self.slots
            .iter()
            .enumerate()
            .find_map(|(index, slot)| match slot.as_ref()?.used {
                Use::Opening { until, .. } => Some((index, until)),
                _ => None,
            })
    }

    /// Whether the server is beyond reach and has to be started anew.
    pub(super) fn is_lost(&self) -> bool {
        self.failures >= FAILURES_MAX && !self.has_any()
    }
}
