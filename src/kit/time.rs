//! Time as a parameter: instants in whole seconds, and the clocks that make them.
//! The only file that reads a clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This instant, and so many seconds.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This instant, less so many seconds.
    #[must_use]
    pub const fn minus(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this instant; negative when it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Seconds in a minute.
pub const MINUTE: i64 = 60;
/// Seconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Seconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// Where instants come from.
pub trait Clock: Send + Sync {
    /// The wall clock: what is written down, and what expiry is judged by.
    fn now(&self) -> Timestamp;
    /// A clock that never steps back: what lengths of time are measured with.
    fn elapsed(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// The machine's clocks; `elapsed` counts from here.
    #[must_use]
    pub fn new() -> Self {
        Self { start: instant() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The wall clock with its fraction, since 1970: for log lines alone.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn wall() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// The monotonic instant, for deadlines of sockets and threads.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn instant() -> Instant {
    Instant::now()
}

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct FixedClock {
    now: AtomicI64,
    start: AtomicI64,
}

impl FixedClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self {
            now: AtomicI64::new(now.0),
            start: AtomicI64::new(now.0),
        }
    }

    /// Moves the clock by so many seconds, backwards too.
    pub fn travel(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Somebody sets the clock: it shows so many seconds more or less, and no time has gone by.
    pub fn step(&self, seconds: i64) {
        self.start.fetch_add(seconds, Ordering::SeqCst);
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        let start = self.start.load(Ordering::SeqCst);
        let seconds = self.now.load(Ordering::SeqCst).saturating_sub(start);
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }
}
