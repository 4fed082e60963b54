//! Mail by SMTP: one relay, one kept connection, one deadline around each attempt. The only place that names tokio:
//! mail-send is asynchronous, and a runtime of its own on the caller's thread drives it. Does not queue, does not
//! decide when to try again.

mod line;
mod relay;
mod session;
mod tls;

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use data_encoding::BASE64;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use self::line::one_line;
pub use self::relay::Relay;
use self::relay::Security;
use self::session::{Parcel, Session, Trace, Way};
use crate::kit::mail::address::Sender;
use crate::kit::mail::wire::wire;
use crate::kit::mail::{Cause, Failure, Mailer, Message, Said, Speaker};

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connection, greeting, TLS and login together.
    pub connect: Duration,
    /// One attempt at one message, all in all.
    pub attempt: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            attempt: Duration::from_secs(60),
        }
    }
}

/// How long a relay may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// Sends through one relay, over one connection that it keeps until it may rest.
pub struct Smtp {
    relay: Relay,
    helo: String,
    limits: Limits,
    kept: Mutex<Kept>,
    dialogue: Mutex<Vec<Said>>,
}

/// What lasts from one message to the next.
struct Kept {
    session: Option<Session>,
    connector: Option<TlsConnector>,
    /// None only while it is dropped.
    runtime: Option<Runtime>,
}

impl Smtp {
    /// A way through `relay`; `helo_host` is the name or address of this machine as the relay may know it. Nothing
    /// is connected yet. Fails only where the operating system gives no event queue.
    pub fn new(relay: Relay, helo_host: &str) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // For looking up names; one may hang on a dead name server while the next is tried.
            .max_blocking_threads(2)
            .build()?;
        Ok(Self {
            relay,
            helo: helo_name(helo_host),
            limits: Limits::default(),
            kept: Mutex::new(Kept {
                session: None,
                connector: None,
                runtime: Some(runtime),
            }),
            dialogue: Mutex::default(),
        })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Connects, protects the line, logs in and takes leave: whether a mail could be handed over, without one. Answers
    /// with what is wrong, in the relay's own words where it has some.
    pub fn try_login(&self) -> Result<(), Failure> {
        let mut trace = Trace::default();
        let outcome = self.log_in(None, &mut trace);
        self.kept_dialogue(trace, outcome)
    }

    /// Keeps what was said, with what ended it; answers with the outcome in words fit to be kept.
    fn kept_dialogue<T>(
        &self,
        mut trace: Trace,
        outcome: Result<T, Failure>,
    ) -> Result<T, Failure> {
        let outcome = outcome.map_err(|failure| self.fit_failure(failure));
        if let Err(Failure::Relay(_, words)) = &outcome {
            let is_said = trace
                .lines
                .last()
                .is_some_and(|last| last.speaker == Speaker::Relay && last.words == *words);
            if !is_said {
                trace.remark(words.as_str());
            }
        }
        let lines = trace.lines.into_iter().map(|line| Said {
            words: self.fit(&line.words),
            ..line
        });
        *lock(&self.dialogue) = lines.collect();
        outcome
    }

    fn fit_failure(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Relay(cause, words) => Failure::Relay(cause, self.fit(&words)),
            Failure::Later(words) => Failure::Later(self.fit(&words)),
            Failure::Never(words) => Failure::Never(self.fit(&words)),
        }
    }

    /// As [`Self::try_login`]; and where a sender is given, whether it is taken.
    fn log_in(&self, from: Option<&str>, trace: &mut Trace) -> Result<(), Failure> {
        let kept = lock(&self.kept);
        let Some(runtime) = &kept.runtime else {
            return Err(shut_down());
        };
        let connector = match self.relay.security {
            Security::Plain => None,
            Security::Implicit | Security::StartTls => Some(self.connector()?),
        };
        let way = Way {
            relay: &self.relay,
            helo: &self.helo,
            connector: connector.as_ref(),
            limit: self.limits.connect,
        };
        runtime.block_on(async {
            let opened = timeout(way.limit, Session::open(&way, trace)).await;
            let mut session = opened.unwrap_or_else(|_| Err(trace.silence(way.limit)))?;
            if let Some(from) = from {
                let begun = timeout(way.limit, session.begin(from, trace)).await;
                begun.unwrap_or_else(|_| Err(trace.silence(way.limit)))?;
            }
            // A relay that does not answer is left all the same.
            timeout(FAREWELL, session.quit()).await.ok();
            Ok(())
        })
    }

    fn connector(&self) -> Result<TlsConnector, Failure> {
        tls::connector(&self.relay).map_err(|words| Failure::Relay(Cause::Tls, words))
    }

    fn attempt(&self, parcel: &Parcel<'_>, trace: &mut Trace) -> Result<String, Failure> {
        let mut kept = lock(&self.kept);
        let Kept {
            session,
            connector,
            runtime: Some(runtime),
        } = &mut *kept
        else {
            return Err(shut_down());
        };
        if connector.is_none() && self.relay.security != Security::Plain {
            *connector = Some(self.connector()?);
        }
        let way = Way {
            relay: &self.relay,
            helo: &self.helo,
            connector: connector.as_ref(),
            limit: self.limits.connect,
        };
        runtime.block_on(async {
            match timeout(self.limits.attempt, deliver(&way, session, parcel, trace)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(trace.silence(self.limits.attempt)),
            }
        })
    }

    /// Foreign words made fit to be kept: one line, and no password even from a relay that repeats it.
    fn fit(&self, words: &str) -> String {
        let mut words = words.to_owned();
        if let Some(login) = &self.relay.login {
            let password = login.password.reveal();
            let plain = format!("\0{}\0{password}", login.user);
            for secret in [
                BASE64.encode(plain.as_bytes()),
                BASE64.encode(password.as_bytes()),
                password.clone(),
            ] {
                words = words.replace(&secret, "***");
            }
        }
        one_line(&words)
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp")
            .field("relay", &self.relay.summary())
            .field("helo", &self.helo)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Mailer for Smtp {
    fn send(&self, message: &Message) -> Result<String, Failure> {
        lock(&self.dialogue).clear();
        let sender = sender(&message.from)?;
        let bytes = wire(message).map_err(Failure::Never)?;
        let parcel = Parcel {
            from: sender.address(),
            to: &message.to,
            // The line end belongs to the dot that follows.
            bytes: bytes.strip_suffix(b"\r\n").unwrap_or(&bytes),
        };
        let mut trace = Trace::default();
        let outcome = self.attempt(&parcel, &mut trace);
        self.kept_dialogue(trace, outcome)
            .map(|words| self.fit(&words))
    }

    fn probe(&self, from: &str) -> Result<(), Failure> {
        lock(&self.dialogue).clear();
        let sender = sender(from)?;
        let mut trace = Trace::default();
        let outcome = self.log_in(Some(sender.address()), &mut trace);
        self.kept_dialogue(trace, outcome)
    }

    fn dialogue(&self) -> Vec<Said> {
        lock(&self.dialogue).clone()
    }

    fn rest(&self) {
        let mut kept = lock(&self.kept);
        if let Some(session) = kept.session.take()
            && let Some(runtime) = &kept.runtime
        {
            // A relay that does not answer is left all the same.
            runtime
                .block_on(async { timeout(FAREWELL, session.quit()).await })
                .ok();
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let mut kept = lock(&self.kept);
        kept.session = None;
        if let Some(runtime) = kept.runtime.take() {
            // Does not wait for a name server that hangs.
            runtime.shutdown_background();
        }
    }
}

/// The sender is a setting: if it is wrong, no message is to blame.
fn sender(from: &str) -> Result<Sender, Failure> {
    Sender::parse(from).map_err(|words| Failure::Relay(Cause::Sender, words))
}

fn shut_down() -> Failure {
    Failure::Relay(Cause::Service, "Mail has been shut down.".to_owned())
}

/// One message over the kept session or a new one, which is kept in turn unless the relay is in trouble.
async fn deliver(
    way: &Way<'_>,
    kept: &mut Option<Session>,
    parcel: &Parcel<'_>,
    trace: &mut Trace,
) -> Result<String, Failure> {
    let mut session = ready(way, kept.take(), parcel.from, trace).await?;
    let outcome = session.hand_over(parcel, trace).await;
    if !matches!(outcome, Err(Failure::Relay(..))) {
        *kept = Some(session);
    }
    outcome
}

/// A session that has taken MAIL FROM. A kept one may have been closed by the relay meanwhile, or be worn out; that
/// shows here, before anything of the message is said, so a new one can take its place without a double.
async fn ready(
    way: &Way<'_>,
    kept: Option<Session>,
    from: &str,
    trace: &mut Trace,
) -> Result<Session, Failure> {
    if let Some(mut session) = kept
        && let Ok(Ok(())) = timeout(way.limit, session.begin(from, trace)).await
    {
        return Ok(session);
    }
    let opened = timeout(way.limit, Session::open(way, trace)).await;
    let mut session = opened.unwrap_or_else(|_| Err(trace.silence(way.limit)))?;
    session.begin(from, trace).await?;
    Ok(session)
}

/// The name for EHLO: a host name, or an address as a literal of RFC 5321.
fn helo_name(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Err(_) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
            if !host.is_empty() && host.len() <= 253 && host.chars().all(plain) {
                host.to_owned()
            } else {
                "[127.0.0.1]".to_owned()
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
