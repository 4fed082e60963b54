//! The gate's way to the server and back: requests into free slots, answers out of them.

use super::Gate;
use super::answer::{Answer, Asked};
use super::caller::{After, Phase};
use super::refusal::Refusal;
use super::slot::{Heard, Use};

/// An answer whose client has gone is read to its end unless that is further away than this, or nobody knows where it is.
const ABANDONED_MAX: u64 = 1024 * 1024;

impl Gate<'_> {
    /// Gives waiting requests to free slots.
    pub(super) fn dispatch(&mut self) {
        while let Some(&token) = self.queue.front() {
            let Some(slot) = self.slots.take_free() else {
                return self.open_slot();
            };
            self.queue.pop_front();
            self.send(token, slot);
        }
    }

    fn open_slot(&mut self) {
        self.slots.open_one(self.poll.registry(), self.now);
        self.sweep_at = self.sweep_at.into_iter().chain(self.slots.look_at()).min();
    }

    fn send(&mut self, token: usize, index: usize) {
        let answer_time = self.rules.limits.answer_time;
        let whole = self
            .crowd
            .get_mut(token)
            .and_then(|caller| caller.dispatch(index, answer_time, self.now));
        let Some(whole) = whole else {
            return self.slots.set_free(index);
        };
        if let Some(slot) = self.slots.get_mut(index) {
            let answer = Answer::new(Asked::of(&whole));
            slot.used = Use::Busy {
                caller: token,
                answer,
            };
        }
        if !self.slots.send(index, whole.bytes, self.poll.registry()) {
            self.lose_slot(index);
        }
        self.settle(token);
    }

    pub(super) fn read_slot(&mut self, index: usize) {
        while let Some(slot) = self.slots.get_mut(index) {
            let caller = match &slot.used {
                Use::Busy { caller, answer } => self
                    .crowd
                    .get(*caller)
                    .map(|caller| caller.has_room(answer.remaining())),
                _ => None,
            };
            slot.is_paused = caller == Some(false);
            if slot.is_paused {
                return;
            }
            let count = match slot.read(&mut self.scratch) {
                Heard::Bytes(count) => count,
                Heard::Nothing => return,
                Heard::End => return self.lose_slot(index),
            };
            if self.relay(index, count).is_none() {
                return self.lose_slot(index);
            }
        }
    }

    /// Gives the client what the server said; `None` when the connection to the server is of no use any more.
    fn relay(&mut self, index: usize, count: usize) -> Option<()> {
        let bytes = self.scratch.get(..count)?;
        let mut unheard = Vec::new();
        match &mut self.slots.get_mut(index)?.used {
            Use::Free => return None,
            Use::Opening { answer, .. } | Use::Abandoned { answer } => {
                answer.feed(bytes, "", &mut unheard).ok()?;
                if answer.is_done() {
                    self.slots.set_free(index);
                } else if answer.is_endless()
                    || answer.remaining().is_some_and(|left| left > ABANDONED_MAX)
                {
                    return None;
                }
            }
            Use::Busy { caller, answer } => {
                let token = *caller;
                let caller = self.crowd.get_mut(token)?;
                if self.stop_at.is_some() {
                    answer.close_after();
                }
                answer
                    .feed(bytes, self.date.now(), &mut caller.outbox.bytes)
                    .ok()?;
                if answer.is_done() {
                    caller.phase = Phase::Draining(After::of(answer));
                    self.slots.set_free(index);
                }
                self.flush(token);
            }
        }
        Some(())
    }

    /// The client has gone; the worker has not noticed, and goes on.
    pub(super) fn abandon(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        if let Use::Busy { answer, .. } = std::mem::replace(&mut slot.used, Use::Free) {
            slot.used = Use::Abandoned { answer };
            if slot.is_paused {
                self.read_slot(index);
            }
        }
    }

    /// A connection to the server is gone, and with it the answer it carried.
    pub(super) fn lose_slot(&mut self, index: usize) {
        let Some(Use::Busy { caller, answer }) = self.slots.remove(index, self.now) else {
            return;
        };
        tracing::warn!("an answer broke off");
        // A client that has seen the beginning must see that the end is missing.
        if answer.has_begun() {
            self.remove(caller);
        } else {
            self.refuse(caller, Refusal::Broken);
        }
    }
}
