//! Mail: a message, how it leaves, and the mailbox that keeps it in memory.

pub mod address;
pub mod smtp;
pub mod wire;

pub mod letter;

use std::sync::Mutex;

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
    Relay(String),
    /// A 4xx at RCPT or DATA: this message again, later.
    Later(String),
    /// A 5xx at RCPT or DATA: this message never.
    Never(String),
}

/// How mail leaves the house.
pub trait Mailer: Send + Sync {
    /// Hands one message over; answers with the server's words. Keeps its connection for the next.
    fn send(&self, message: &Message) -> Result<String, Failure>;
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
