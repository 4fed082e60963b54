//! What a bill must say, worked out another way: from a list of what happened, second by second where anything may change,
//! in exact fractions. Shares no code with what makes the bills, not even the calendar.

use num_rational::Ratio;

/// What happened to a resource.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// It runs with this plan, under this holder's name.
    Begins(usize, usize),
    /// It has this plan.
    Plan(usize),
    /// It is under this holder's name.
    Holder(usize),
    /// It runs no more.
    Ends,
}

/// Everything that happened in one organisation.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// Since when, to which resource, what; in the order in which it was done.
    deeds: Vec<(i64, usize, What)>,
    /// For which plan, since when, how much.
    prices: Vec<(usize, i64, i64)>,
    /// Up to where months are closed; none before the first resource.
    pub(super) closed: Option<i64>,
}

/// A line as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) resource: usize,
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) plan: usize,
    pub(super) holder: usize,
    pub(super) price: i64,
    pub(super) amount: i64,
}

/// A fraction, rounded to the nearest whole number, a half upwards.
pub(super) fn half_up(exact: Ratio<i128>) -> i64 {
    i64::try_from((exact + Ratio::new(1, 2)).floor().to_integer()).unwrap()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days(year: i64, month: usize) -> i64 {
    let february = if is_leap(year) { 29 } else { 28 };
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
}

/// When a month begins, which is counted from 1.
pub(super) fn start(year: i64, month: usize) -> i64 {
    let years: i64 = (1970..year)
        .map(|one| if is_leap(one) { 366 } else { 365 })
        .sum();
    let months: i64 = (1..month).map(|one| days(year, one)).sum();
    (years + months) * 86_400
}

/// The month after this one.
pub(super) fn after((year, month): (i64, usize)) -> (i64, usize) {
    match month {
        12 => (year + 1, 1),
        _ => (year, month + 1),
    }
}

/// The month in which this second lies.
pub(super) fn month_of(second: i64) -> (i64, usize) {
    // Near enough below, and then on.
    let mut month = (1970 + second / (366 * 86_400), 1);
    while start(after(month).0, after(month).1) <= second {
        month = after(month);
    }
    month
}

impl Model {
    /// When something that is done now counts: not within what is closed, nor before what was done to it last.
    fn counts(&self, now: i64, resource: usize) -> i64 {
        let last = self.deeds.iter().filter(|(_, of, _)| *of == resource);
        let last = last.map(|(at, _, _)| *at).max();
        now.max(self.closed.unwrap_or(now)).max(last.unwrap_or(now))
    }

    pub(super) fn does(&mut self, now: i64, resource: usize, what: What) {
        if self.closed.is_none() {
            let (year, month) = month_of(now);
            self.closed = Some(start(year, month));
        }
        let at = self.counts(now, resource);
        self.deeds.push((at, resource, what));
    }

    /// A plan costs this from then on, or from now on; what was announced before and has not begun is void. None: it is
    /// not on offer any more, and goes on as it is.
    pub(super) fn costs(&mut self, now: i64, plan: usize, next: Option<(i64, i64)>) {
        let begin = now.max(self.closed.unwrap_or(now));
        self.prices
            .retain(|(of, since, _)| *of != plan || *since <= begin);
        if let Some((from, amount)) = next {
            self.prices.push((plan, from.max(begin), amount));
        }
    }

    /// What it has at this second: plan and holder.
    fn state(&self, resource: usize, second: i64) -> Option<(usize, usize)> {
        let mut state = None;
        for (at, of, what) in &self.deeds {
            if *of != resource || *at > second {
                continue;
            }
            state = match (*what, state) {
                (What::Begins(plan, holder), _) => Some((plan, holder)),
                (What::Plan(plan), Some((_, holder))) => Some((plan, holder)),
                (What::Holder(holder), Some((plan, _))) => Some((plan, holder)),
                (What::Ends, _) => None,
                (_, None) => panic!("it does not run"),
            };
        }
        state
    }

    fn price(&self, plan: usize, second: i64) -> i64 {
        let begun = self
            .prices
            .iter()
            .filter(|(of, since, _)| *of == plan && *since <= second);
        begun
            .max_by_key(|(_, since, _)| *since)
            .expect("it has no price")
            .2
    }

    /// The lines of a month, as far as this second.
    pub(super) fn lines(&self, month: (i64, usize), until: i64) -> Vec<Line> {
        let (begin, next) = (start(month.0, month.1), after(month));
        let end = start(next.0, next.1);
        let until = until.min(end);
        let mut lines = Vec::new();
        if begin >= until {
            return lines;
        }
        let mut cuts: Vec<i64> = self.deeds.iter().map(|(at, _, _)| *at).collect();
        cuts.extend(self.prices.iter().map(|(_, since, _)| *since));
        cuts.retain(|cut| begin < *cut && *cut < until);
        cuts.extend([begin, until]);
        cuts.sort_unstable();
        cuts.dedup();
        let resources = self.deeds.iter().map(|(_, of, _)| of + 1).max();
        for resource in 0..resources.unwrap_or(0) {
            let mut open: Option<Line> = None;
            for ends in cuts.windows(2) {
                let piece = self.state(resource, ends[0]).map(|(plan, holder)| Line {
                    resource,
                    from: ends[0],
                    until: ends[1],
                    plan,
                    holder,
                    price: self.price(plan, ends[0]),
                    amount: 0,
                });
                match (&mut open, piece) {
                    (Some(line), Some(piece))
                        if (line.plan, line.holder, line.price)
                            == (piece.plan, piece.holder, piece.price) =>
                    {
                        line.until = piece.until;
                    }
                    (_, piece) => lines.extend(std::mem::replace(&mut open, piece)),
                }
            }
            lines.extend(open);
        }
        for line in &mut lines {
            let part = Ratio::new(i128::from(line.until - line.from), i128::from(end - begin));
            line.amount = half_up(part * i128::from(line.price));
        }
        lines
    }

    /// How many seconds all resources together ran before this one.
    pub(super) fn lived(&self, second: i64) -> i64 {
        let resources = self
            .deeds
            .iter()
            .map(|(_, of, _)| of + 1)
            .max()
            .unwrap_or(0);
        let of = |resource: usize| {
            let own = || self.deeds.iter().filter(move |(_, of, _)| *of == resource);
            let first = own().map(|(at, _, _)| *at).min().unwrap_or(second);
            let ended = own().find(|(_, _, what)| matches!(what, What::Ends));
            let last = ended.map_or(second, |(at, _, _)| (*at).min(second));
            (last - first).max(0)
        };
        (0..resources).map(of).sum()
    }
}

#[test]
fn the_model_knows_the_calendar() {
    assert_eq!(start(1970, 1), 0);
    assert_eq!(start(2026, 11), 1_793_491_200);
    for (month, length) in [
        ((2024, 2), 29),
        ((2028, 2), 29),
        ((2100, 2), 28),
        ((2000, 2), 29),
        ((2026, 12), 31),
    ] {
        let (begin, next) = (start(month.0, month.1), after(month));
        assert_eq!(start(next.0, next.1) - begin, length * 86_400);
        assert_eq!(month_of(begin), month);
        assert_eq!(month_of(start(next.0, next.1) - 1), month);
    }
    assert_eq!(half_up(Ratio::new(1, 2)), 1);
    assert_eq!(half_up(Ratio::new(49, 100)), 0);
}
