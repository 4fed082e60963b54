//! A relay in this process, which does as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use doorward::kit::mail::{Cause, Failure, Mailer, Message, Said};

/// What a relay does with one message.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// It fails like this.
    Fails(Failure),
    /// It takes the message, and its answer is lost.
    TakesAndHangsUp,
    /// The process dies once the relay has the message.
    TakesAndWeDie,
    /// The process dies before.
    WeDie,
}

/// A relay in this process, which does as it is told and takes whatever it was told nothing about.
#[derive(Default)]
pub(super) struct Post(Mutex<Told>);

#[derive(Default)]
struct Told {
    down: Option<Failure>,
    always: BTreeMap<String, Deed>,
    next: BTreeMap<String, VecDeque<Deed>>,
    offered: Vec<String>,
    taken: Vec<Message>,
}

impl Post {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every attempt fails like this.
    pub(super) fn down(&self, words: &str) {
        self.told().down = Some(Failure::Relay(Cause::Service, words.to_owned()));
    }

    /// It works again.
    pub(super) fn up(&self) {
        self.told().down = None;
    }

    /// What happens to the next mails to this address, one by one.
    pub(super) fn next(&self, to: &str, deeds: impl IntoIterator<Item = Deed>) {
        self.told()
            .next
            .insert(to.to_owned(), deeds.into_iter().collect());
    }

    /// What happens to every mail to this address.
    pub(super) fn always(&self, to: &str, deed: Deed) {
        self.told().always.insert(to.to_owned(), deed);
    }

    /// How many attempts there have been.
    pub(super) fn tries(&self) -> usize {
        self.told().offered.len()
    }

    /// For whom each attempt was, oldest first.
    pub(super) fn offered(&self) -> Vec<String> {
        self.told().offered.clone()
    }

    /// What it took, oldest first.
    pub(super) fn taken(&self) -> Vec<Message> {
        self.told().taken.clone()
    }

    /// For whom.
    pub(super) fn recipients(&self) -> Vec<String> {
        self.taken().into_iter().map(|mail| mail.to).collect()
    }
}

impl Mailer for Post {
    fn probe(&self, _: &str) -> Result<(), Failure> {
        self.told().down.clone().map_or(Ok(()), Err)
    }

    fn dialogue(&self) -> Vec<Said> {
        Vec::new()
    }

    fn send(&self, message: &Message) -> Result<String, Failure> {
        let mut told = self.told();
        told.offered.push(message.to.clone());
        if let Some(failure) = &told.down {
            return Err(failure.clone());
        }
        let next = told.next.get_mut(&message.to).and_then(VecDeque::pop_front);
        let deed = next.or_else(|| told.always.get(&message.to).cloned());
        if !matches!(deed, Some(Deed::Fails(_) | Deed::WeDie)) {
            told.taken.push(message.clone());
        }
        drop(told);
        match deed {
            None => Ok("250 2.0.0 taken".to_owned()),
            Some(Deed::Fails(failure)) => Err(failure),
            Some(Deed::TakesAndHangsUp) => Err(broken()),
            Some(Deed::TakesAndWeDie | Deed::WeDie) => panic!("the process dies here"),
        }
    }
}

/// How a connection ends that was not meant to.
pub(super) fn broken() -> Failure {
    Failure::Relay(
        Cause::Service,
        "The relay closed the connection instead of an answer.".to_owned(),
    )
}
