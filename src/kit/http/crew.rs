//! The threads that answer requests, seen from outside: whether all are there, and whether one has been at the same
//! request for too long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::kit::time::instant;

/// All of them.
#[derive(Debug)]
pub(super) struct Crew {
    began: Instant,
    hands: Mutex<Vec<Arc<AtomicU64>>>,
}

/// No request in hand.
const IDLE: u64 = 0;

impl Crew {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: instant(),
            hands: Mutex::default(),
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.hands().len()
    }

    /// For how long the slowest has been at its request; nothing while all are idle.
    pub(super) fn longest(&self) -> Duration {
        let now = self.age();
        let hands = self.hands();
        let began = hands
            .iter()
            .map(|hand| hand.load(Ordering::Relaxed))
            .filter(|began| *began != IDLE);
        let longest = began.map(|began| now.saturating_sub(began)).max();
        Duration::from_millis(longest.unwrap_or_default())
    }

    /// Milliseconds, never [`IDLE`].
    fn age(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    fn hands(&self) -> MutexGuard<'_, Vec<Arc<AtomicU64>>> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thread. Counts from before it is spawned until it has ended: one that has yet to run is not missing.
pub(super) struct Hand {
    crew: Arc<Crew>,
    began: Arc<AtomicU64>,
}

impl Hand {
    pub(super) fn new(crew: &Arc<Crew>) -> Self {
        let began = Arc::new(AtomicU64::new(IDLE));
        crew.hands().push(Arc::clone(&began));
        Self {
            crew: Arc::clone(crew),
            began,
        }
    }

    /// Does one piece of work, which is seen from outside; also when it panics.
    pub(super) fn at_work<T>(&self, work: impl FnOnce() -> T) -> T {
        let _rest = Rest(&self.began);
        self.began.store(self.crew.age(), Ordering::Relaxed);
        work()
    }
}

struct Rest<'h>(&'h AtomicU64);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.store(IDLE, Ordering::Relaxed);
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.crew
            .hands()
            .retain(|hand| !Arc::ptr_eq(hand, &self.began));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_missing_or_slow_is_seen() {
        let crew = Crew::new();
        let (first, second) = (Hand::new(&crew), Hand::new(&crew));
        assert_eq!((crew.count(), crew.longest()), (2, Duration::ZERO));
        let slow = first.at_work(|| {
            std::thread::park_timeout(Duration::from_millis(30));
            second.at_work(|| crew.longest())
        });
        assert!(slow >= Duration::from_millis(20), "{slow:?}");
        assert_eq!(crew.longest(), Duration::ZERO);
        let fell = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            first.at_work(|| panic!("as a handler might"))
        }));
        assert!(fell.is_err());
        assert_eq!(crew.longest(), Duration::ZERO);
        drop(first);
        assert_eq!(crew.count(), 1);
        drop(second);
        assert_eq!(crew.count(), 0);
    }
}
