//! How bytes come from a client and go to it: as they are, or through TLS. Whoever reads and writes here need not
//! know which.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mio::event::Event;
use mio::net::TcpStream;
use rustls::{IoState, ServerConnection};

use super::wire::{Outbox, Readable, Sent};

/// Bytes of TLS records that wait for one client's socket; more than one record, so that none is cut in two.
const BUFFER_BYTES: usize = 32 * 1024;

/// What a connection holds inside rustls as long as it stands: its keys, and room for one read.
const STATE_BYTES: usize = 8 * 1024;

/// The transport of a client's connection.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) socket: TcpStream,
    readable: Readable,
    transport: Transport,
}

#[derive(Debug)]
enum Transport {
    Plain,
    Tls(Box<Session>),
}

#[derive(Debug)]
struct Session {
    tls: ServerConnection,
    /// Bytes of the client that were decrypted and not yet read.
    unread: usize,
    heard: Heard,
}

/// How much of a client's TLS has been heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// Not a byte.
    Nothing,
    /// Something.
    Something,
    /// It has said that nothing more comes.
    TheEnd,
}

/// What follows the bytes that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// There may be more.
    Perhaps,
    /// They are the last.
    Nothing,
}

/// What a handshake has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shaken {
    /// It is done.
    Done,
    /// More bytes are needed.
    NotYet,
    /// The client does not speak TLS, but perhaps HTTP: the line is plain now, and nothing was read of it.
    Plain,
}

impl Line {
    pub(super) const fn plain(socket: TcpStream) -> Self {
        Self {
            socket,
            readable: Readable::Yes,
            transport: Transport::Plain,
        }
    }

    pub(super) fn tls(socket: TcpStream, mut tls: ServerConnection) -> Self {
        tls.set_buffer_limit(Some(BUFFER_BYTES));
        Self {
            socket,
            readable: Readable::Yes,
            transport: Transport::Tls(Box::new(Session {
                tls,
                unread: 0,
                heard: Heard::Nothing,
            })),
        }
    }

    /// Whether a handshake is due before anything can be said.
    pub(super) fn is_shaking(&self) -> bool {
        matches!(&self.transport, Transport::Tls(session) if session.tls.is_handshaking())
    }

    /// How many bytes are held besides those of the caller.
    pub(super) fn held(&self) -> usize {
        match &self.transport {
            Transport::Plain => 0,
            Transport::Tls(session) if session.tls.wants_write() => {
                STATE_BYTES + BUFFER_BYTES + session.unread
            }
            Transport::Tls(session) => STATE_BYTES + session.unread,
        }
    }

    /// The socket reports something.
    pub(super) fn report(&mut self, event: &Event) {
        self.readable.report(event);
    }

    /// There may be more, whatever was known.
    pub(super) const fn look_again(&mut self) {
        self.readable = Readable::Yes;
    }

    /// Whether the client has sent, or may have sent, more than was read of it.
    pub(super) fn has_more(&self) -> bool {
        let is_left = match &self.transport {
            Transport::Plain => false,
            Transport::Tls(session) => session.unread > 0 || session.heard == Heard::TheEnd,
        };
        is_left || self.readable != Readable::No
    }

    /// Whether bytes are left that the socket did not take.
    pub(super) fn has_unsent(&self) -> bool {
        matches!(&self.transport, Transport::Tls(session) if session.tls.wants_write())
    }

    /// Goes on with the handshake as far as the bytes allow. After an error only the end makes sense.
    pub(super) fn shake(&mut self) -> Result<Shaken> {
        let Transport::Tls(session) = &mut self.transport else {
            return Ok(Shaken::Done);
        };
        if session.heard == Heard::Nothing {
            let mut first = [0];
            match self.socket.peek(&mut first) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => session.heard = Heard::Something,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Shaken::NotYet),
                Err(error) => return Err(error),
            }
            // Records begin with a small number, every method of HTTP with a letter.
            if first.iter().all(u8::is_ascii_alphabetic) {
                self.transport = Transport::Plain;
                return Ok(Shaken::Plain);
            }
        }
        while session.tls.is_handshaking() {
            match session.pull(&mut self.socket, &mut self.readable)? {
                None => return Ok(Shaken::NotYet),
                Some(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Some(_) => {}
            }
        }
        Ok(Shaken::Done)
    }

    /// Reads; 0 is the end that the client has declared, `WouldBlock` nothing for now.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> Result<usize> {
        match &mut self.transport {
            Transport::Plain => Tap {
                socket: &mut self.socket,
                readable: &mut self.readable,
            }
            .read(scratch),
            Transport::Tls(session) => loop {
                match session.tls.reader().read(scratch) {
                    Ok(count) => {
                        session.unread = session.unread.saturating_sub(count);
                        return Ok(count);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    // The connection broke off without a word: whatever has begun is not whole.
                    Err(error) => return Err(error),
                }
                if session
                    .pull(&mut self.socket, &mut self.readable)?
                    .is_none()
                {
                    return Err(ErrorKind::WouldBlock.into());
                }
            },
        }
    }

    /// Throws away what comes, without looking at it.
    pub(super) fn discard(&mut self, scratch: &mut [u8]) -> Result<usize> {
        self.socket.read(scratch)
    }

    /// Writes what the socket takes.
    pub(super) fn write(&mut self, outbox: &mut Outbox, follows: Follows) -> Result<Sent> {
        match &mut self.transport {
            Transport::Plain => outbox.write_to(&mut self.socket),
            Transport::Tls(session) => session.write(&mut self.socket, outbox, follows),
        }
    }

    /// Tells the client, if its socket has room, that the end is no accident.
    pub(super) fn farewell(&mut self) {
        if let Transport::Tls(session) = &mut self.transport
            && !session.tls.is_handshaking()
        {
            session.tls.send_close_notify();
            session.push(&mut self.socket).ok();
        }
    }

    /// Nothing more will be written.
    pub(super) fn shutdown(&self) -> Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }
}

impl Session {
    /// Takes bytes from the socket, and answers what TLS itself has to answer. How many there were: 0 is the end,
    /// none is nothing for now.
    fn pull(&mut self, socket: &mut TcpStream, readable: &mut Readable) -> Result<Option<usize>> {
        let mut tap = Tap {
            socket: &mut *socket,
            readable,
        };
        let count = match self.tls.read_tls(&mut tap) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // What TLS said before may still be waiting.
                self.push(socket)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let understood = guarded(|| self.tls.process_new_packets());
        // First what TLS answers: if it does not go on, the client learns why.
        let pushed = self.push(socket);
        let state = understood?;
        self.unread = state.plaintext_bytes_to_read();
        if state.peer_has_closed() {
            self.heard = Heard::TheEnd;
        }
        pushed?;
        Ok(Some(count))
    }

    fn write(
        &mut self,
        socket: &mut TcpStream,
        outbox: &mut Outbox,
        follows: Follows,
    ) -> Result<Sent> {
        let mut has_moved = false;
        loop {
            let taken = match outbox.rest() {
                [] => 0,
                rest => self.tls.writer().write(rest)?,
            };
            outbox.took(taken);
            if follows == Follows::Nothing && outbox.len() == 0 {
                // Said once, however often it is asked for.
                self.tls.send_close_notify();
            }
            if !self.tls.wants_write() {
                outbox.clear();
                return Ok(Sent::All);
            }
            match self.push(socket)? {
                0 if has_moved => return Ok(Sent::Some),
                0 => return Ok(Sent::None),
                _ => has_moved = true,
            }
        }
    }

    /// Gives the socket what it takes of the records; how many bytes.
    fn push(&mut self, socket: &mut TcpStream) -> Result<usize> {
        let mut all: usize = 0;
        while self.tls.wants_write() {
            match self.tls.write_tls(socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => all = all.saturating_add(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }
}

/// Nothing that a client sends ends more than its own connection, even where it finds a fault of rustls.
fn guarded(read: impl FnOnce() -> std::result::Result<IoState, rustls::Error>) -> Result<IoState> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(state)) => Ok(state),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a client's TLS was not understood");
            Err(ErrorKind::InvalidData.into())
        }
        Err(_) => {
            tracing::error!("reading a client's TLS fell; its connection is closed");
            Err(ErrorKind::InvalidData.into())
        }
    }
}

/// Reads a socket that reports changes only, and remembers whether it is empty.
struct Tap<'l> {
    socket: &'l mut TcpStream,
    readable: &'l mut Readable,
}

impl Read for Tap<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while *self.readable != Readable::No {
            match self.socket.read(buffer) {
                Ok(count) => {
                    if count < buffer.len() {
                        self.readable.emptied();
                    }
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    *self.readable = Readable::No
                }
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::WouldBlock.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_while_reading_is_an_error_of_one_connection() {
        let fallen = guarded(|| panic!("as a fault of rustls would"));
        assert_eq!(fallen.unwrap_err().kind(), ErrorKind::InvalidData);
        let refused = guarded(|| Err(rustls::Error::DecryptError));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
