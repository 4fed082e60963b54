//! Who is let in, for whom room is made, and the end of letting in.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Token};

use super::Gate;
use super::caller::{Caller, Phase};
use super::line::Line;
use crate::kit::http::tls::Tls;

/// New connections taken before the others have their turn.
const ACCEPTS_PER_TURN: usize = 64;

/// After a failed accept for which no room could be made.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Gate<'_> {
    pub(super) fn accept(&mut self) {
        if self.accept_at.is_none_or(|at| at > self.now) {
            return;
        }
        let mut has_made_room = false;
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(listener) = &self.listener else {
                self.accept_at = None;
                return;
            };
            match listener.accept() {
                Ok((socket, address)) => {
                    has_made_room = false;
                    self.admit(socket, address.ip());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.accept_at = None;
                    return;
                }
                // The one that came has gone again.
                Err(error) if is_passing(error.kind()) => {}
                Err(error) => {
                    // Most likely no file can be opened any more. No error may end the loop.
                    let least = self.crowd.least().filter(|_| !has_made_room);
                    let Some(least) = least else {
                        tracing::warn!(%error, "a connection could not be accepted");
                        self.accept_at = Some(self.now + ACCEPT_PAUSE);
                        return;
                    };
                    has_made_room = true;
                    self.remove(least);
                }
            }
        }
    }

    fn admit(&mut self, mut socket: TcpStream, peer: IpAddr) {
        let token = Token(self.crowd.next_token());
        let interest = Interest::READABLE | Interest::WRITABLE;
        // Without NODELAY an answer in two writes waits for the client's delayed acknowledgement.
        let prepared = socket
            .set_nodelay(true)
            .and_then(|()| self.poll.registry().register(&mut socket, token, interest));
        if prepared.is_err() {
            return;
        }
        let line = match self.tls.map(Tls::connection) {
            None => Line::plain(socket),
            Some(Ok(tls)) => Line::tls(socket, tls),
            Some(Err(error)) => {
                tracing::error!(%error, "TLS could not begin");
                return;
            }
        };
        let caller = Caller::new(line, peer, self.rules, self.now);
        let limits = &self.rules.limits;
        let full = caller
            .network
            .filter(|network| self.crowd.count(*network) >= limits.per_address_max);
        if full.is_some() || self.crowd.len() >= limits.connections_max {
            let least = match full {
                Some(network) => self.crowd.least_of(network),
                None => self.crowd.least(),
            };
            // Where all are being worked for, the new one has to go.
            let Some(least) = least else { return };
            self.remove(least);
        }
        let token = self.crowd.insert(caller);
        self.ready.push_back(token);
        self.settle(token);
    }

    pub(super) fn begin_stop(&mut self) {
        self.stop_at = self.signals.stop_at();
        if self.stop_at.is_none() || self.listener.is_none() {
            return;
        }
        // Who is in the kernel's queue already was let in, as far as that client knows.
        for _ in 0..ACCEPTS_PER_TURN {
            self.accept_at = self
                .accept_at
                .or(Some(self.now))
                .filter(|at| *at <= self.now);
            self.accept();
            if self.accept_at.is_none() {
                break;
            }
        }
        self.close_listener();
        self.work();
        let idle: Vec<usize> = self
            .crowd
            .iter()
            .filter(|(_, caller)| {
                matches!(
                    caller.phase,
                    Phase::Shaking | Phase::Idle | Phase::Lingering
                )
            })
            .map(|(token, _)| token)
            .collect();
        for token in idle {
            self.remove(token);
        }
    }

    /// The socket has other owners, so closing ours does not take it out of the poll.
    pub(super) fn close_listener(&mut self) {
        if let Some(mut listener) = self.listener.take()
            && let Err(error) = self.poll.registry().deregister(&mut listener)
        {
            tracing::warn!(%error, "the listener stays in the poll");
        }
    }
}

/// Errors of one connection that was accepted, as accept(2) lists them; nothing is wrong with the socket itself.
const fn is_passing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
            | ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut
            | ErrorKind::PermissionDenied
    )
}
