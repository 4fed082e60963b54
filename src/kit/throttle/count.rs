//! The count of one subject: pure arithmetic over instants.

use std::collections::VecDeque;

use crate::kit::throttle::rules::{DAY_LENGTH, QUIET, Rule, Then, delay};
use crate::kit::time::{MINUTE, Timestamp};

/// A clock that is behind by less is taken as standing still: requests do not arrive in the order of their instants,
/// and a small correction must not move what was counted.
const BEHIND_MAX: i64 = 2 * MINUTE;

/// What is known of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// The tries that count, oldest first: all of the window, and the newest before it.
    pub(super) recent: VecDeque<Timestamp>,
    /// How many tries were judged over the limit, since the last quiet hour.
    pub(super) over: u32,
    /// When the day's count began.
    pub(super) day_began: Timestamp,
    /// Tries judged since then.
    pub(super) day_count: u32,
}

/// One try that was counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    at: Timestamp,
    was_over: bool,
}

impl Count {
    /// Nothing known yet.
    pub(super) const fn new() -> Self {
        Self {
            recent: VecDeque::new(),
            over: 0,
            day_began: Timestamp(0),
            day_count: 0,
        }
    }

    /// Brings the count to `now`, and says by which instant to judge. Where the clock was set back, everything
    /// moves back with it: intervals stay, so that nobody is freed by it and nobody waits for the clock to return.
    pub(super) fn settle(&mut self, now: Timestamp) -> Timestamp {
        let mut newest = self.recent.back().copied().unwrap_or(now);
        if self.day_count > 0 {
            newest = newest.max(self.day_began);
        }
        let ahead = newest.since(now);
        if ahead <= 0 {
            return now;
        }
        if ahead <= BEHIND_MAX {
            return newest;
        }
        for instant in &mut self.recent {
            *instant = instant.minus(ahead);
        }
        self.day_began = self.day_began.minus(ahead);
        now
    }

    /// Seconds until one more try may be judged; zero or less when it may be now. `now` comes from [`Self::settle`].
    pub(super) fn wait(&self, rule: Rule, now: Timestamp) -> i64 {
        self.wait_of_day(rule, now)
            .max(self.wait_of_window(rule, now))
    }

    fn wait_of_day(&self, rule: Rule, now: Timestamp) -> i64 {
        match rule.day_max {
            Some(max) if self.day_count >= max => self.day_began.plus(DAY_LENGTH).since(now),
            Some(_) | None => 0,
        }
    }

    fn wait_of_window(&self, rule: Rule, now: Timestamp) -> i64 {
        let Some(last) = self.recent.back() else {
            return 0;
        };
        let until_room = self.until_room(rule, now);
        if rule.then == Then::Wait {
            return until_room;
        }
        match self.over_now(now) {
            // The window is full for the first time: it empties, or the first delay ends, whichever comes first.
            0 => until_room.min(last.plus(delay(0)).since(now)),
            over => last.plus(delay(over)).since(now),
        }
    }

    /// Seconds until the window holds less than the limit.
    fn until_room(&self, rule: Rule, now: Timestamp) -> i64 {
        let first = self.recent.len().checked_sub(rule.limit);
        first
            .and_then(|first| self.recent.get(first))
            .map_or(0, |first| first.plus(rule.window).since(now))
    }

    fn over_now(&self, now: Timestamp) -> u32 {
        match self.recent.back() {
            Some(last) if now.since(*last) < QUIET => self.over,
            Some(_) | None => 0,
        }
    }

    /// Counts one try, judged at `now`, which comes from [`Self::settle`].
    pub(super) fn add(&mut self, rule: Rule, now: Timestamp) -> Counted {
        if rule.day_max.is_some() {
            if self.day_count == 0 || now.since(self.day_began) >= DAY_LENGTH {
                self.day_began = now;
                self.day_count = 0;
            }
            self.day_count = self.day_count.saturating_add(1);
        }
        self.over = self.over_now(now);
        let was_over =
            rule.then == Then::Delay && (self.over > 0 || self.until_room(rule, now) > 0);
        if was_over {
            self.over = self.over.saturating_add(1);
        }
        // One from before the window stays: were the try given back, the delay would be measured from it.
        while self.recent.len() > 1
            && self
                .recent
                .front()
                .is_some_and(|first| now.since(*first) >= rule.window)
        {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        Counted { at: now, was_over }
    }

    /// Takes a try out of the window; the day's count keeps it. Says whether it was still there.
    pub(super) fn give_back(&mut self, counted: Counted) -> bool {
        let Some(place) = self.recent.iter().rposition(|at| *at == counted.at) else {
            return false;
        };
        self.recent.remove(place);
        if counted.was_over {
            self.over = self.over.saturating_sub(1);
        }
        true
    }

    /// From when on the count makes no difference to anybody.
    pub(super) fn until(&self, rule: Rule) -> Timestamp {
        let day = (self.day_count > 0).then(|| self.day_began.plus(DAY_LENGTH));
        let last = self.recent.back().map(|last| {
            last.plus(if self.over > 0 {
                QUIET.max(rule.window)
            } else {
                rule.window
            })
        });
        day.max(last).unwrap_or(Timestamp(i64::MIN))
    }

    /// Whether it took many tries to make: such a count is not given up for one that took a few.
    pub(super) fn is_heavy(&self, rule: Rule) -> bool {
        let day = usize::try_from(self.day_count).unwrap_or(usize::MAX);
        self.over > 0 || self.recent.len().max(day) >= rule.limit
    }

    /// A count read from a file: in order, and no larger than one we would have made.
    pub(super) fn restored(self, rule: Rule) -> Self {
        let mut recent: Vec<Timestamp> = self.recent.into();
        recent.sort_unstable();
        let most = rule.limit.saturating_mul(2);
        let skip = recent.len().saturating_sub(most);
        Self {
            recent: recent.into_iter().skip(skip).collect(),
            ..self
        }
    }
}
