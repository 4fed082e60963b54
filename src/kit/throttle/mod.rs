//! Throttles: how often something may be judged before whoever tries has to wait. In memory, bounded, and written
//! down by the caller.
//!
//! A try is counted before the work and on all its subjects or on none, so that parallel guesses cannot pass
//! together. Nothing is locked for good: time frees everything. It knows nothing of accounts, tables or answers;
//! what an account's key is made of, and which row a count lies in, is the caller's. A day is not the calendar's:
//! it begins with its first try.

mod count;
mod rules;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::kit::throttle::count::{Count, Counted};
pub use crate::kit::throttle::rules::{Kind, Subject};
use crate::kit::time::Timestamp;

/// How many subjects are remembered: about 20 MB, or 50 where all of them are at their limits.
const CAPACITY: usize = 100_000;

/// All counts.
pub struct Throttle {
    table: Mutex<Table>,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Throttle({} subjects)", self.len())
    }
}

/// How long to wait before anything is judged again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Seconds, at least one.
    pub seconds: i64,
    /// The kind of subject that has to wait longest.
    pub kind: Kind,
}

/// One try that may be judged, and is already counted as one that failed.
#[derive(Debug)]
#[must_use = "the work it permits has to follow"]
pub struct Permit<'t> {
    throttle: &'t Throttle,
    counted: Vec<(Subject, Counted)>,
}

impl Permit<'_> {
    /// Takes the failure back from the windows and delays of accounts, devices, codes and links. The counts of the
    /// day, of mails and of network addresses are of everything that was judged, and stay.
    pub fn succeeded(self) {
        let mut table = self.throttle.lock();
        for (subject, counted) in self.counted {
            table.give_back(subject, counted);
        }
    }

    /// Nothing was judged, for want of a slot or of the file: the day's count is taken back as well. Network addresses
    /// stay counted, or whoever finds everything taken could press on without end.
    pub fn not_judged(self) {
        let mut table = self.throttle.lock();
        for (subject, counted) in self.counted {
            table.give_back(subject, counted);
            table.give_back_day(subject);
        }
    }
}

/// A count as it lies in a file; [`Throttle::new`] takes it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Of what kind.
    pub kind: Kind,
    /// Of which subject: 32 bytes, 64 for a device (those of the account come first), 4 or 16 for a network address.
    pub key: Vec<u8>,
    /// The tries that count, oldest first.
    pub recent: Vec<Timestamp>,
    /// How many were judged over the limit.
    pub over: u32,
    /// When the day's count began.
    pub day_began: Timestamp,
    /// The day's count.
    pub day_count: u32,
    /// From when on the row is of no use.
    pub until: Timestamp,
}

impl Saved {
    /// Whether nothing is counted any more: the row is to be deleted, not written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.day_count == 0
    }

    /// The tries as bytes, for one column: eight each, the highest first.
    #[must_use]
    pub fn recent_bytes(&self) -> Vec<u8> {
        self.recent
            .iter()
            .flat_map(|instant| instant.0.to_be_bytes())
            .collect()
    }

    /// The tries out of such a column; bytes that are left over are none.
    #[must_use]
    pub fn recent_from(bytes: &[u8]) -> Vec<Timestamp> {
        let (instants, _) = bytes.as_chunks::<8>();
        instants
            .iter()
            .map(|instant| Timestamp(i64::from_be_bytes(*instant)))
            .collect()
    }

    fn of(subject: &Subject, count: &Count) -> Self {
        let kind = subject.kind();
        Self {
            kind,
            key: subject.key(),
            recent: count.recent.iter().copied().collect(),
            over: count.over,
            day_began: count.day_began,
            day_count: count.day_count,
            until: count.until(kind.rule()),
        }
    }
}

impl Throttle {
    /// Goes on from what was saved; rows whose key is none of that kind are left out.
    #[must_use]
    pub fn new(saved: impl IntoIterator<Item = Saved>) -> Self {
        Self::bounded(saved, CAPACITY)
    }

    fn bounded(saved: impl IntoIterator<Item = Saved>, capacity: usize) -> Self {
        let mut table = Table {
            counts: HashMap::new(),
            unsaved: HashSet::new(),
            unsaved_addresses: HashSet::new(),
            capacity: capacity.max(1),
        };
        for row in saved {
            let Some(subject) = Subject::of(row.kind, &row.key) else {
                continue;
            };
            if table.counts.len() >= table.capacity {
                break;
            }
            let count = Count {
                recent: row.recent.into(),
                over: row.over,
                day_began: row.day_began,
                day_count: row.day_count,
            };
            let count = count.restored(row.kind.rule());
            table.counts.insert(subject.grouped(), count);
        }
        Self {
            table: Mutex::new(table),
        }
    }

    /// Counts one try on all these subjects, or on none of them and says how long to wait. A refused try counts
    /// nowhere and leaves nothing to save.
    pub fn take(&self, subjects: &[Subject], now: Timestamp) -> Result<Permit<'_>, Wait> {
        let mut grouped: Vec<Subject> = Vec::with_capacity(subjects.len());
        for subject in subjects.iter().map(|subject| subject.grouped()) {
            if !grouped.contains(&subject) {
                grouped.push(subject);
            }
        }
        let mut table = self.lock();
        if let Some(wait) = table.wait(&grouped, now) {
            return Err(wait);
        }
        Ok(Permit {
            throttle: self,
            counted: table.add(&grouped, now),
        })
    }

    /// Whether a try on these subjects would have to wait; counts nothing.
    #[must_use]
    pub fn would_wait(&self, subjects: &[Subject], now: Timestamp) -> Option<Wait> {
        let grouped: Vec<Subject> = subjects.iter().map(|subject| subject.grouped()).collect();
        self.lock().wait(&grouped, now)
    }

    /// Takes the file's word for what it holds: another process may have cleared an account. Counts of accounts,
    /// devices, codes and mails that the file no longer has are forgotten, but for those not written down yet.
    pub fn reload(&self, saved: impl IntoIterator<Item = Saved>) {
        let saved: Vec<Saved> = saved.into_iter().collect();
        // An empty row says that its account was cleared: what is not written down yet goes too.
        let cleared: Vec<Subject> = saved
            .iter()
            .filter(|row| row.is_empty())
            .filter_map(|row| Subject::of(row.kind, &row.key))
            .collect();
        let fresh = Self::new(saved);
        let kept = std::mem::take(&mut fresh.lock().counts);
        let mut table = self.lock();
        let Table {
            counts, unsaved, ..
        } = &mut *table;
        let was_cleared = |subject: &Subject| {
            cleared
                .iter()
                .any(|account| matches!(account, Subject::Account(key) if subject.belongs_to(key)))
        };
        unsaved.retain(|subject| !was_cleared(subject));
        counts.retain(|subject, _| {
            subject.kind().is_address()
                || unsaved.contains(subject)
                || (kept.contains_key(subject) && !was_cleared(subject))
        });
    }

    /// The counts of accounts, devices, codes and mails that changed since this was last asked.
    #[must_use]
    pub fn unsaved(&self) -> Vec<Saved> {
        let mut table = self.lock();
        let subjects = std::mem::take(&mut table.unsaved);
        table.rows(subjects)
    }

    /// The counts of network addresses that changed since this was last asked.
    #[must_use]
    pub fn unsaved_addresses(&self) -> Vec<Saved> {
        let mut table = self.lock();
        let subjects = std::mem::take(&mut table.unsaved_addresses);
        table.rows(subjects)
    }

    /// These rows could not be written: they are unsaved again, with whatever is counted by then.
    pub fn not_saved(&self, rows: &[Saved]) {
        let mut table = self.lock();
        for subject in rows
            .iter()
            .filter_map(|row| Subject::of(row.kind, &row.key))
        {
            table.mark(subject);
        }
    }

    /// Drops what makes no difference any more.
    pub fn sweep(&self, now: Timestamp) {
        self.lock().sweep(now);
    }

    /// How many subjects are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().counts.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Table {
    counts: HashMap<Subject, Count>,
    unsaved: HashSet<Subject>,
    unsaved_addresses: HashSet<Subject>,
    capacity: usize,
}

impl Table {
    fn wait(&mut self, subjects: &[Subject], now: Timestamp) -> Option<Wait> {
        let mut longest: Option<Wait> = None;
        for subject in subjects {
            let Some(count) = self.counts.get_mut(subject) else {
                continue;
            };
            let kind = subject.kind();
            let at = count.settle(now);
            let seconds = count.wait(kind.rule(), at);
            if seconds > longest.map_or(0, |wait| wait.seconds) {
                longest = Some(Wait { seconds, kind });
            }
        }
        longest
    }

    fn add(&mut self, subjects: &[Subject], now: Timestamp) -> Vec<(Subject, Counted)> {
        if self.counts.len() + subjects.len() > self.capacity {
            self.make_room(now);
        }
        let mut counted = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let count = self.counts.entry(*subject).or_insert_with(Count::new);
            let at = count.settle(now);
            counted.push((*subject, count.add(subject.kind().rule(), at)));
            self.mark(*subject);
        }
        counted
    }

    fn give_back(&mut self, subject: Subject, counted: Counted) {
        if !subject.kind().rule().given_back {
            return;
        }
        if let Some(count) = self.counts.get_mut(&subject)
            && count.give_back(counted)
        {
            self.mark(subject);
        }
    }

    fn give_back_day(&mut self, subject: Subject) {
        if subject.kind().rule().given_back
            && let Some(count) = self.counts.get_mut(&subject)
        {
            count.day_count = count.day_count.saturating_sub(1);
            self.mark(subject);
        }
    }

    fn mark(&mut self, subject: Subject) {
        if subject.kind().is_address() {
            self.unsaved_addresses.insert(subject);
        } else {
            self.unsaved.insert(subject);
        }
    }

    fn forget(&mut self, subject: &Subject) {
        self.counts.remove(subject);
        self.unsaved.remove(subject);
        self.unsaved_addresses.remove(subject);
    }

    fn rows(&self, subjects: HashSet<Subject>) -> Vec<Saved> {
        let empty = Count::new();
        subjects
            .iter()
            .map(|subject| Saved::of(subject, self.counts.get(subject).unwrap_or(&empty)))
            .collect()
    }

    fn sweep(&mut self, now: Timestamp) {
        let mut over = Vec::new();
        for (subject, count) in &mut self.counts {
            let at = count.settle(now);
            if count.until(subject.kind().rule()) <= at {
                over.push(*subject);
            }
        }
        for subject in &over {
            self.forget(subject);
        }
    }

    /// Drops a tenth at once, so that it is seldom done: what expires soonest, but first of all what took few
    /// tries to make, or a flood of new names would wash away the count that it wants to be rid of.
    fn make_room(&mut self, now: Timestamp) {
        self.sweep(now);
        let excess = (self.counts.len() + self.capacity / 10 + 1).saturating_sub(self.capacity);
        let mut order: Vec<(bool, Timestamp, Subject)> = self
            .counts
            .iter()
            .map(|(subject, count)| {
                let rule = subject.kind().rule();
                (count.is_heavy(rule), count.until(rule), *subject)
            })
            .collect();
        order.sort_unstable_by_key(|(is_heavy, until, _)| (*is_heavy, *until));
        for (_, _, subject) in order.iter().take(excess) {
            self.forget(subject);
        }
    }
}

#[cfg(test)]
mod tests;
