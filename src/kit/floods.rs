//! The audit log's rule for floods: of like events in one minute the first five are rows of their own, and the rest
//! one sum. What strangers do is bounded beyond that: whoever fails from many addresses at many accounts does nothing twice. It knows neither rows nor chains: what makes events alike, and what a sum row says, is the caller's.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::kit::time::{MINUTE, Timestamp};

/// So many like events of a minute are recorded one by one.
const RECORDED_MAX: u64 = 5;
/// So many kinds of events are told apart within a minute; beyond, there is one sum for all others.
const CAPACITY: usize = 10_000;
/// So many rows of strangers are written at once, and so many more in each minute after: a million failures in a night leave
/// some ten thousand rows, and a sum for each minute.
const STRANGERS_AT_ONCE: u64 = 5_000;
const STRANGERS_A_MINUTE: u64 = 30;
/// A clock that is behind by so many minutes is taken as standing still; by more, as set back.
const BEHIND_MAX: i64 = 2;

/// Whose event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody's who is known: their rows are theirs, whatever others do.
    Known,
    /// A stranger's: all of them share what is written of strangers.
    Stranger,
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Write it down.
    Record,
    /// It is in the sum that [`Floods::sums`] gives when the minute is over.
    Count,
}

/// The events of one minute that were not written down one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum<T> {
    /// What the first of them carried.
    pub payload: T,
    /// How many there were.
    pub count: u64,
    /// When their minute began.
    pub minute: Timestamp,
    /// Whether they were of more kinds than could be told apart, so that the payload stands for the first alone.
    pub is_mixed: bool,
}

/// The events of the minute.
pub struct Floods<T> {
    state: Mutex<State<T>>,
    capacity: usize,
}

impl<T> std::fmt::Debug for Floods<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Floods({} kinds)", self.lock().kinds.len())
    }
}

struct State<T> {
    kinds: HashMap<[u8; 32], Kind<T>>,
    others: Option<Sum<T>>,
    ended: Vec<Sum<T>>,
    ended_before: i64,
    /// Rows that strangers may have by this minute.
    strangers: u64,
    refilled: i64,
}

struct Kind<T> {
    minute: i64,
    recorded: u64,
    sum: Option<Sum<T>>,
}

impl<T: Clone> Default for Floods<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> Floods<T> {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        Self::bounded(CAPACITY)
    }

    fn bounded(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State {
                kinds: HashMap::new(),
                others: None,
                ended: Vec::new(),
                ended_before: i64::MIN,
                strangers: STRANGERS_AT_ONCE,
                refilled: i64::MIN,
            }),
            capacity,
        }
    }

    /// Whether this event is to be recorded. Events with the same key are alike; the payload is kept for the sum.
    pub fn judge(&self, key: [u8; 32], source: Source, payload: &T, now: Timestamp) -> Verdict {
        let mut state = self.lock();
        let minute = minute(now);
        // Once a minute is enough: within it nothing ends.
        if state.kinds.len() >= self.capacity && state.ended_before != minute {
            state.end(minute);
        }
        let may_write = source == Source::Known || state.has_room(minute);
        let is_new = !state.kinds.contains_key(&key);
        if is_new && (state.kinds.len() >= self.capacity || !may_write) {
            add(&mut state.others, payload, minute).is_mixed = true;
            return Verdict::Count;
        }
        let State {
            kinds,
            ended,
            strangers,
            ..
        } = &mut *state;
        let kind = kinds.entry(key).or_insert_with(|| Kind::new(minute));
        if is_over(kind.minute, minute) {
            let before = std::mem::replace(kind, Kind::new(minute));
            ended.extend(before.sum);
        }
        if kind.recorded < RECORDED_MAX && may_write {
            kind.recorded += 1;
            if source == Source::Stranger {
                *strangers = strangers.saturating_sub(1);
            }
            return Verdict::Record;
        }
        add(&mut kind.sum, payload, kind.minute);
        Verdict::Count
    }

    /// The sums of the minutes that are over, each once, in the order of their minutes.
    #[must_use]
    pub fn sums(&self, now: Timestamp) -> Vec<Sum<T>> {
        let mut state = self.lock();
        state.end(minute(now));
        let mut ended = std::mem::take(&mut state.ended);
        drop(state);
        ended.sort_by_key(|sum| sum.minute);
        ended
    }

    /// These sums could not be written: they are given again.
    pub fn not_written(&self, sums: Vec<Sum<T>>) {
        self.lock().ended.extend(sums);
    }

    /// All sums, that of the running minute too: for a process that stops.
    #[must_use]
    pub fn rest(&self) -> Vec<Sum<T>> {
        self.sums(Timestamp(i64::MAX))
    }
}

impl<T> Floods<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Whether a stranger's row may be written in this minute.
    fn has_room(&mut self, minute: i64) -> bool {
        if minute > self.refilled {
            let gone = minute.saturating_sub(self.refilled).unsigned_abs();
            let more = gone.saturating_mul(STRANGERS_A_MINUTE);
            self.strangers = self.strangers.saturating_add(more).min(STRANGERS_AT_ONCE);
            self.refilled = minute;
        }
        self.strangers > 0
    }

    /// Moves to `ended` whatever does not belong to this minute.
    fn end(&mut self, minute: i64) {
        let Self {
            kinds,
            others,
            ended,
            ended_before,
            ..
        } = self;
        *ended_before = minute;
        kinds.retain(|_, kind| {
            let is_over = is_over(kind.minute, minute);
            if is_over {
                ended.extend(kind.sum.take());
            }
            !is_over
        });
        ended.extend(others.take_if(|sum| is_over(self::minute(sum.minute), minute)));
    }
}

impl<T> Kind<T> {
    const fn new(minute: i64) -> Self {
        Self {
            minute,
            recorded: 0,
            sum: None,
        }
    }
}

fn add<'s, T: Clone>(sum: &'s mut Option<Sum<T>>, payload: &T, minute: i64) -> &'s mut Sum<T> {
    let sum = sum.get_or_insert_with(|| Sum {
        payload: payload.clone(),
        count: 0,
        minute: Timestamp(minute.saturating_mul(MINUTE)),
        is_mixed: false,
    });
    sum.count = sum.count.saturating_add(1);
    sum
}

const fn minute(now: Timestamp) -> i64 {
    now.0.div_euclid(MINUTE)
}

/// Whether that minute is over in this one.
const fn is_over(that: i64, this: i64) -> bool {
    that < this || that.saturating_sub(this) > BEHIND_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_800_000_000);

    fn verdicts(floods: &Floods<&str>, count: usize, now: Timestamp) -> usize {
        (0..count)
            .filter(|_| floods.judge([1; 32], Source::Known, &"ann", now) == Verdict::Record)
            .count()
    }

    #[test]
    fn five_are_recorded_and_the_rest_is_one_sum() {
        let floods = Floods::new();
        assert_eq!(verdicts(&floods, 1_000, START), 5);
        assert_eq!(
            floods.judge([2; 32], Source::Known, &"ben", START),
            Verdict::Record
        );
        assert_eq!(floods.sums(START.plus(59)), [], "the minute is not over");
        let sum = Sum {
            payload: "ann",
            count: 995,
            minute: START,
            is_mixed: false,
        };
        assert_eq!(floods.sums(START.plus(60)), [sum]);
        assert_eq!(floods.sums(START.plus(120)), [], "each sum once");
        assert_eq!(verdicts(&floods, 5, START.plus(60)), 5);
        assert_eq!(floods.sums(START.plus(999)), [], "five make no sum");
    }

    #[test]
    fn what_could_not_be_written_is_given_again() {
        let floods = Floods::new();
        verdicts(&floods, 7, START);
        let sums = floods.sums(START.plus(60));
        floods.not_written(sums.clone());
        assert_eq!(floods.sums(START.plus(60)), sums);
        assert_eq!(floods.sums(START.plus(60)), []);
    }

    #[test]
    fn each_minute_has_its_own_sum_whenever_it_is_asked_for() {
        let floods = Floods::new();
        for minute in 0..3 {
            assert_eq!(verdicts(&floods, 10, START.plus(minute * 60)), 5);
        }
        let sums = floods.rest();
        let minutes: Vec<_> = sums.iter().map(|sum| (sum.minute, sum.count)).collect();
        assert_eq!(
            minutes,
            [(START, 5), (START.plus(60), 5), (START.plus(120), 5)]
        );
    }

    #[test]
    fn more_kinds_than_fit_become_one_sum_and_none_is_lost() {
        let floods = Floods::bounded(3);
        let mut recorded = 0;
        for n in 0..=99 {
            for _ in 0..6 {
                recorded +=
                    u64::from(floods.judge([n; 32], Source::Known, &n, START) == Verdict::Record);
            }
        }
        assert_eq!(recorded, 3 * 5);
        let sums = floods.sums(START.plus(60));
        assert_eq!(sums.iter().map(|sum| sum.count).sum::<u64>(), 600 - 15);
        assert_eq!(sums.iter().filter(|sum| sum.is_mixed).count(), 1);
        assert_eq!(
            floods.judge([9; 32], Source::Known, &9, START.plus(60)),
            Verdict::Record
        );
    }

    #[test]
    fn a_minute_that_is_over_makes_room() {
        let floods = Floods::bounded(1);
        assert_eq!(
            floods.judge([1; 32], Source::Known, &1, START),
            Verdict::Record
        );
        assert_eq!(
            floods.judge([2; 32], Source::Known, &2, START),
            Verdict::Count
        );
        assert_eq!(
            floods.judge([2; 32], Source::Known, &2, START.plus(60)),
            Verdict::Record
        );
    }

    #[test]
    fn requests_out_of_order_earn_no_further_rows() {
        let floods = Floods::new();
        assert_eq!(verdicts(&floods, 6, START.plus(60)), 5);
        for _ in 0..10 {
            assert_eq!(verdicts(&floods, 1, START.plus(59)), 0);
            assert_eq!(verdicts(&floods, 1, START.plus(60)), 0);
        }
        assert_eq!(floods.rest()[0].count, 21);
    }

    #[test]
    fn a_clock_set_back_ends_the_minute() {
        let floods = Floods::new();
        assert_eq!(verdicts(&floods, 7, START), 5);
        assert_eq!(verdicts(&floods, 7, START.minus(86_400)), 5);
        assert_eq!(floods.rest().len(), 2);
    }

    #[test]
    fn what_strangers_do_is_bounded_however_different_it_is() {
        let floods = Floods::new();
        let key = |n: u64| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_be_bytes());
            key
        };
        let (mut rows, mut recorded, mut summed) = (0, 0, 0);
        // A different failure each time, ten a second for ten hours.
        for n in 0..360_000_u64 {
            let now = START.plus(i64::try_from(n / 10).unwrap());
            let verdict = floods.judge(key(n), Source::Stranger, &n, now);
            recorded += u64::from(verdict == Verdict::Record);
            let sums = floods.sums(now);
            rows += sums.len() as u64;
            summed += sums.iter().map(|sum| sum.count).sum::<u64>();
        }
        rows += recorded;
        assert!((22_000..=25_000).contains(&rows), "{rows}");
        let last = floods.rest();
        assert_eq!(recorded + summed + last[0].count, 360_000);
        // Whoever is known has rows all the same.
        let now = START.plus(36_000);
        assert_eq!(
            floods.judge([1; 32], Source::Known, &1, now),
            Verdict::Record
        );
    }
}
