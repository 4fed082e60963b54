//! What the service manager is told: ready, reloading, stopping, alive. The protocol is that of sd_notify(3).
//!
//! The words are the crate's; the socket is ours, since its address comes with the settings, and may be abstract.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

/// A manager that takes nothing for so long is not waited for.
const SEND_TIME_MAX: Duration = Duration::from_secs(1);

/// Where to tell, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    /// A path, or an abstract name behind an `@`.
    pub socket: String,
    /// Within which time it wants to hear that the process is well; none when it does not ask.
    pub watchdog: Option<Duration>,
}

/// Tells the service manager, where there is one.
#[derive(Debug)]
pub struct Notifier {
    line: Option<(UnixDatagram, SocketAddr)>,
    is_heard: AtomicBool,
}

impl Notifier {
    /// To this manager, or to nobody.
    pub fn new(manager: Option<&Manager>) -> io::Result<Self> {
        let line = match manager {
            Some(manager) => Some((socket()?, address(&manager.socket)?)),
            None => None,
        };
        Ok(Self {
            line,
            is_heard: AtomicBool::new(true),
        })
    }

    /// Everything is open: what depends on it may begin.
    pub fn ready(&self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The settings were read anew. How it is has not changed by that.
    pub fn reloaded(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// The settings are read anew; [`Notifier::reloaded`] ends it.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!(err = %error, "the service manager does not hear of this"),
        }
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status("Stopping")]);
    }

    /// The process is well.
    pub fn is_well(&self) {
        self.tell(&[NotifyState::Watchdog]);
    }

    /// One line for whoever asks how it is.
    pub fn status(&self, status: &str) {
        self.tell(&[NotifyState::Status(status)]);
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        let Some((socket, address)) = &self.line else {
            return;
        };
        let words: String = states.iter().map(|state| format!("{state}\n")).collect();
        let sent = socket.send_to_addr(words.as_bytes(), address);
        let was_heard = self.is_heard.swap(sent.is_ok(), Ordering::Relaxed);
        if let Err(error) = sent
            && was_heard
        {
            tracing::warn!(err = %error, "the service manager cannot be told");
        }
    }
}

fn socket() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(SEND_TIME_MAX))?;
    Ok(socket)
}

fn address(name: &str) -> io::Result<SocketAddr> {
    match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name.as_bytes()),
        None => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    fn notifier(socket: &str) -> Notifier {
        let manager = Manager {
            socket: socket.to_owned(),
            watchdog: None,
        };
        Notifier::new(Some(&manager)).unwrap()
    }

    #[test]
    fn it_says_the_agreed_words_to_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = notifier(path.to_str().unwrap());
        notifier.ready("Serving");
        assert_eq!(heard(&manager), "READY=1\nSTATUS=Serving\n");
        notifier.reloading();
        let words = heard(&manager);
        let since = words.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(since.trim_end().parse::<u64>().unwrap() > 0, "{words}");
        notifier.is_well();
        assert_eq!(heard(&manager), "WATCHDOG=1\n");
        notifier.stopping();
        assert!(heard(&manager).starts_with("STOPPING=1\n"));
        // A manager that is gone is nothing to end for.
        drop(manager);
        notifier.is_well();
        notifier.is_well();
    }

    #[test]
    fn it_finds_an_abstract_socket_and_does_without_any() {
        let name = format!("doorward-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        notifier(&format!("@{name}")).is_well();
        assert_eq!(heard(&manager), "WATCHDOG=1\n");
        Notifier::new(None).unwrap().ready("Serving");
    }
}
