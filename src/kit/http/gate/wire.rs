//! What is known of a socket between two events: whether it has bytes, and the bytes it has not taken yet.

use std::io::{ErrorKind, Write};

use mio::event::Event;

/// What a socket may have to read. The sockets report changes only, so what was reported must be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readable {
    /// Nothing, until it is reported.
    No,
    /// Bytes; a read that fills less than it could has emptied the socket.
    Yes,
    /// Perhaps bytes, then the end, which is reported only once, perhaps together with the bytes before it.
    ToTheEnd,
}

impl Readable {
    /// After an event.
    pub(super) fn report(&mut self, event: &Event) {
        if event.is_read_closed() || event.is_error() {
            *self = Self::ToTheEnd;
        } else if event.is_readable() && *self == Self::No {
            *self = Self::Yes;
        }
    }

    /// After a read that filled less than it could.
    pub(super) fn emptied(&mut self) {
        if *self == Self::Yes {
            *self = Self::No;
        }
    }
}

/// What is still to be written.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) bytes: Vec<u8>,
    sent: usize,
}

/// What a socket took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Everything.
    All,
    /// Something; the rest must wait.
    Some,
    /// Nothing.
    None,
}

impl Outbox {
    pub(super) const fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.sent)
    }

    /// How many bytes are held, those sent already included.
    pub(super) const fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// What is to be written next.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// So much of it was taken.
    pub(super) fn took(&mut self, count: usize) {
        self.sent = self.sent.saturating_add(count);
        self.forget_sent();
    }

    /// An idle connection holds no buffer.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Writes what the socket takes.
    pub(super) fn write_to(&mut self, socket: &mut impl Write) -> std::io::Result<Sent> {
        let before = self.sent;
        while self.len() > 0 {
            match socket.write(self.rest()) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.sent = self.sent.saturating_add(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let moved = self.sent > before;
                    self.forget_sent();
                    return Ok(if moved { Sent::Some } else { Sent::None });
                }
                Err(error) => return Err(error),
            }
        }
        self.clear();
        Ok(Sent::All)
    }

    fn forget_sent(&mut self) {
        if self.sent > 64 * 1024 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}
