//! From the server's bytes to what the client is sent, and where the answer ends.
//! Pure: no socket, no clock. The answer's own framing is followed; an answer that breaks off never looks whole.

use super::body::Whole;
use super::chunks::{Chunks, Piece};
use crate::kit::http::headers;
use crate::kit::http::request::Method;

/// Far more than any page's; a head beyond it is a fault of ours.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADER_COUNT_MAX: usize = 64;

/// The answer cannot be followed: its head is wrong, or something came after its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// What the client of an answer asked and understands.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What was asked for.
    pub method: Method,
    /// The x of the client's HTTP/1.x.
    pub minor: u8,
    /// Whether the connection is used again, as far as the client and the gate are concerned.
    pub keep_alive: bool,
}

impl Asked {
    /// What a request asked.
    #[must_use]
    pub const fn of(whole: &Whole) -> Self {
        Self {
            method: whole.method,
            minor: whole.minor,
            keep_alive: whole.keep_alive,
        }
    }
}

/// One answer on its way.
#[derive(Debug)]
pub struct Answer {
    asked: Asked,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Vec<u8>),
    Length(u64),
    Chunked(Chunks),
    Done,
}

impl Answer {
    /// Waits for the answer to such a request.
    #[must_use]
    pub const fn new(asked: Asked) -> Self {
        Self {
            asked,
            state: State::Head(Vec::new()),
        }
    }

    /// Whether all of it has come.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Whether the client has been sent any of it.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        !matches!(self.state, State::Head(_))
    }

    /// How many bytes are still to come, where that is known.
    #[must_use]
    pub const fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Head(_) | State::Chunked(_) => None,
            State::Length(remaining) => Some(remaining),
            State::Done => Some(0),
        }
    }

    /// Whether it is being streamed: nobody knows how much is still to come.
    #[must_use]
    pub const fn is_endless(&self) -> bool {
        matches!(self.state, State::Chunked(_))
    }

    /// Whether the client's connection is used again after this answer; decided with its head.
    #[must_use]
    pub const fn keep_alive(&self) -> bool {
        self.asked.keep_alive
    }

    /// The connection is to be closed after this answer; too late once it has begun.
    pub const fn close_after(&mut self) {
        if !self.has_begun() {
            self.asked.keep_alive = false;
        }
    }

    /// Takes the server's bytes, and puts what the client is to be sent at the end of `out`.
    pub fn feed(&mut self, bytes: &[u8], date: &str, out: &mut Vec<u8>) -> Result<(), Broken> {
        let rest = match &mut self.state {
            State::Head(before) if before.is_empty() => {
                // Nearly always the whole head comes at once, and need not be kept.
                match self.relay_head(bytes, date, out)? {
                    Some(length) => bytes.get(length..).unwrap_or_default(),
                    None => {
                        self.state = State::Head(bytes.to_vec());
                        return Ok(());
                    }
                }
            }
            State::Head(before) => {
                before.extend_from_slice(bytes);
                let all = std::mem::take(before);
                let known = all.len().saturating_sub(bytes.len());
                match self.relay_head(&all, date, out)? {
                    Some(length) => bytes
                        .get(length.saturating_sub(known)..)
                        .unwrap_or_default(),
                    None => {
                        self.state = State::Head(all);
                        return Ok(());
                    }
                }
            }
            State::Length(_) | State::Chunked(_) | State::Done => bytes,
        };
        self.relay_body(rest, out)
    }

    fn relay_body(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        match &mut self.state {
            State::Length(remaining) => {
                let length = u64::try_from(bytes.len()).map_err(|_| Broken)?;
                *remaining = remaining.checked_sub(length).ok_or(Broken)?;
                out.extend_from_slice(bytes);
                if *remaining == 0 {
                    self.state = State::Done;
                }
                Ok(())
            }
            State::Chunked(chunks) => {
                let is_chunked = self.asked.minor == 1;
                let mut rest = bytes;
                while let Some(piece) = chunks.next(&mut rest)? {
                    match piece {
                        Piece::Data(data) if is_chunked => {
                            out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
                            out.extend_from_slice(data);
                            out.extend_from_slice(b"\r\n");
                        }
                        Piece::Data(data) => out.extend_from_slice(data),
                        Piece::End => {
                            if is_chunked {
                                out.extend_from_slice(b"0\r\n\r\n");
                            }
                            self.state = State::Done;
                            return if rest.is_empty() { Ok(()) } else { Err(Broken) };
                        }
                    }
                }
                Ok(())
            }
            State::Head(_) | State::Done if bytes.is_empty() => Ok(()),
            State::Head(_) | State::Done => Err(Broken),
        }
    }

    /// Writes the head for the client once it is whole: the server's, less what concerned only the connection
    /// to the server, and with what concerns the connection to the client. `Some` is the length of the server's.
    fn relay_head(
        &mut self,
        bytes: &[u8],
        date: &str,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, Broken> {
        let mut fields = [httparse::EMPTY_HEADER; HEADER_COUNT_MAX];
        let mut head = httparse::Response::new(&mut fields);
        let length = match head.parse(bytes).map_err(|_| Broken)? {
            httparse::Status::Complete(length) if length <= HEAD_BYTES_MAX => length,
            httparse::Status::Partial if bytes.len() <= HEAD_BYTES_MAX => return Ok(None),
            _ => return Err(Broken),
        };
        let status = head.code.filter(|status| *status >= 200).ok_or(Broken)?;
        self.state = self.framing(status, head.headers)?;
        out.reserve(bytes.len().saturating_add(128));
        let mut put = |parts: &[&[u8]]| {
            for part in parts {
                out.extend_from_slice(part);
            }
        };
        let reason = headers::reason(status).as_bytes();
        put(&[b"HTTP/1.1 ", status.to_string().as_bytes(), b" ", reason]);
        put(&[b"\r\nDate: ", date.as_bytes(), b"\r\n"]);
        for field in head.headers.iter().filter(|field| goes_on(field.name)) {
            put(&[field.name.as_bytes(), b": ", field.value, b"\r\n"]);
        }
        if matches!(self.state, State::Chunked(_)) && self.asked.minor == 1 {
            put(&[b"Transfer-Encoding: chunked\r\n"]);
        }
        match (self.asked.keep_alive, self.asked.minor) {
            (false, _) => put(&[b"Connection: close\r\n\r\n"]),
            (true, 0) => put(&[b"Connection: keep-alive\r\n\r\n"]),
            (true, _) => put(&[b"\r\n"]),
        }
        Ok(Some(length))
    }

    /// How the body is delimited.
    fn framing(&mut self, status: u16, fields: &[httparse::Header<'_>]) -> Result<State, Broken> {
        let mut lengths = values(fields, "content-length");
        let mut codings = values(fields, "transfer-encoding");
        let (length, coding) = (lengths.next(), codings.next());
        if lengths.next().is_some() || codings.next().is_some() {
            return Err(Broken);
        }
        if !headers::has_body(status, self.asked.method) {
            return Ok(State::Done);
        }
        match (length, coding) {
            (Some(length), None) if length.iter().all(u8::is_ascii_digit) => {
                let length = std::str::from_utf8(length).map_err(|_| Broken)?;
                match length.parse().map_err(|_| Broken)? {
                    0 => Ok(State::Done),
                    length => Ok(State::Length(length)),
                }
            }
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => {
                // HTTP/1.0 knows no chunks: there the end of the connection is the end of the answer.
                self.asked.keep_alive &= self.asked.minor == 1;
                Ok(State::Chunked(Chunks::default()))
            }
            // The server keeps its connection, so an answer without any framing would never end.
            _ => Err(Broken),
        }
    }
}

fn values<'a>(fields: &'a [httparse::Header<'a>], name: &str) -> impl Iterator<Item = &'a [u8]> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value)
}

/// Whether a header of the server's answer is for the client too.
fn goes_on(name: &str) -> bool {
    const STAYS: [&str; 7] = [
        "connection",
        "date",
        "keep-alive",
        "server",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    !STAYS.iter().any(|stays| name.eq_ignore_ascii_case(stays))
}
