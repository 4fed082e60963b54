//! Mail: a message, how it leaves, and the mailbox that keeps it in memory.

pub mod address;
pub mod smtp;
pub mod wire;

pub mod letter;

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use crate::kit::time::Timestamp;

/// A message, ready to be put on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The Message-ID without its angle brackets; fixed when the errand was written down, so that a double can
    /// be recognised.
    pub id: String,
    /// When the text was written.
    pub date: Timestamp,
    /// The sender, exactly as configured: `portal@example.com` or `Portal <portal@example.com>`.
    pub from: String,
    /// The one recipient.
    pub to: String,
    /// The subject, any Unicode without control characters.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// Why a message did not leave, and so what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The relay is in trouble (no connection, 421, anything wrong at greeting, EHLO, TLS, AUTH or MAIL FROM):
    /// the queue stops, the message is not to blame.
    Relay(Cause, String),
    /// A 4xx at RCPT or DATA: this message again, later.
    Later(String),
    /// A 5xx at RCPT or DATA: this message never.
    Never(String),
}

/// What kind of trouble a relay is in, and so who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No connection comes about: wrong host or port, or something between.
    Connection,
    /// No protected connection: no TLS there, or a certificate that is not believed.
    Tls,
    /// It refuses our login, or wants one that we do not have.
    Login,
    /// It refuses the sender of all our mail.
    Sender,
    /// Anything else: it is overloaded, closing, or cannot be understood.
    Service,
}

impl Cause {
    /// The word for programs and the log.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Service => "service",
        }
    }

    /// Whether waiting helps nothing: somebody has to change a setting, here or there.
    #[must_use]
    pub const fn is_setting(self) -> bool {
        matches!(self, Self::Login | Self::Sender)
    }
}

/// Who said a line of a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The client: we.
    Us,
    /// The server.
    Relay,
    /// Nobody: what happened between two lines, as a handshake.
    Remark,
}

/// One line of what was said with a relay; neither login nor message is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// How long after the attempt began.
    pub after: Duration,
    /// By whom.
    pub speaker: Speaker,
    /// The words, on one line.
    pub words: String,
}

impl fmt::Display for Said {
    /// `   0.012  S: 220 mail.example.com`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.speaker {
            Speaker::Us => "C: ",
            Speaker::Relay => "S: ",
            Speaker::Remark => "-- ",
        };
        write!(f, "{:>8.3}  {mark}{}", self.after.as_secs_f32(), self.words)
    }
}

/// How mail leaves the house.
pub trait Mailer: Send + Sync {
    /// Hands one message over; answers with the server's words. Keeps its connection for the next.
    fn send(&self, message: &Message) -> Result<String, Failure>;
    /// Whether a mail of this sender could be handed over, without one.
    fn probe(&self, from: &str) -> Result<(), Failure>;
    /// What was said in the latest attempt.
    fn dialogue(&self) -> Vec<Said>;
    /// No more for now: closes the connection in good order.
    fn rest(&self) {}
}

/// Keeps messages in memory: for tests and for the demonstration.
#[derive(Debug, Default)]
pub struct Mailbox {
    messages: Mutex<Vec<Message>>,
    failure: Mutex<Option<Failure>>,
}

impl Mailbox {
    /// All messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.messages
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// The newest message of this Message-ID.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Message> {
        let messages = self
            .messages
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        messages
            .iter()
            .rev()
            .find(|message| message.id == id)
            .cloned()
    }

    /// From now on every message fails like this; `None` mends it.
    pub fn fail(&self, failure: Option<Failure>) {
        *self
            .failure
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = failure;
    }
}

impl Mailer for Mailbox {
    fn probe(&self, _from: &str) -> Result<(), Failure> {
        match &*self
            .failure
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            Some(failure @ Failure::Relay(..)) => Err(failure.clone()),
            Some(Failure::Later(_) | Failure::Never(_)) | None => Ok(()),
        }
    }

    fn dialogue(&self) -> Vec<Said> {
        let words = "Mail stays in this process: there is no server to talk to.".to_owned();
        vec![Said {
            after: Duration::ZERO,
            speaker: Speaker::Remark,
            words,
        }]
    }

    fn send(&self, message: &Message) -> Result<String, Failure> {
        if let Some(failure) = self
            .failure
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
        {
            return Err(failure);
        }
        let mut messages = self
            .messages
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // The demonstration runs for hours; its mailbox stays bounded.
        if messages.len() >= 1_000 {
            messages.remove(0);
        }
        messages.push(message.clone());
        Ok("250 2.0.0 kept in the mailbox".to_owned())
    }
}
