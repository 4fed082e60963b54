//! A thread's sign of life, which others look at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::kit::time::instant;

/// When a thread was last seen at work.
#[derive(Debug)]
pub struct Pulse {
    began: Instant,
    /// Milliseconds since then.
    last: AtomicU64,
}

impl Pulse {
    /// Beats for the first time.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: instant(),
            last: AtomicU64::new(0),
        }
    }

    /// Still at work.
    pub fn beat(&self) {
        self.last.store(self.age(), Ordering::Relaxed);
    }

    /// How long there was no sign of life.
    #[must_use]
    pub fn silent(&self) -> Duration {
        let last = self.last.load(Ordering::Relaxed);
        Duration::from_millis(self.age().saturating_sub(last))
    }

    fn age(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for Pulse {
    fn default() -> Self {
        Self::new()
    }
}
