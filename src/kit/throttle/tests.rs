use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::kit::time::{DAY, HOUR, MINUTE};

const START: Timestamp = Timestamp(1_800_000_000);
const ANN: [u8; 32] = [1; 32];
const BEN: [u8; 32] = [2; 32];
const LAPTOP: Subject = Subject::Device {
    account: ANN,
    device: [3; 32],
};

fn fresh() -> Throttle {
    Throttle::new([])
}

fn address(text: &str) -> Subject {
    Subject::Address(text.parse::<IpAddr>().unwrap())
}

/// Judges as many wrong ones as are let through at once.
fn exhaust(throttle: &Throttle, subject: Subject, now: Timestamp) -> usize {
    (0..1_000)
        .take_while(|_| throttle.take(&[subject], now).is_ok())
        .count()
}

fn wait(throttle: &Throttle, subject: Subject, now: Timestamp) -> i64 {
    throttle
        .take(&[subject], now)
        .map_or_else(|wait| wait.seconds, |_| 0)
}

#[test]
fn an_account_has_ten_tries_and_then_delays_that_double() {
    let throttle = fresh();
    let account = Subject::Account(ANN);
    assert_eq!(exhaust(&throttle, account, START), 10);
    let mut now = START;
    for delay in [30, 60, 120, 240, 480, 900, 900, 900] {
        assert_eq!(wait(&throttle, account, now), delay);
        assert_eq!(wait(&throttle, account, now.plus(delay - 1)), 1);
        now = now.plus(delay);
        assert_eq!(wait(&throttle, account, now), 0, "judged after {delay} s");
    }
    assert_eq!(
        exhaust(&throttle, account, now.plus(HOUR)),
        10,
        "a quiet hour is enough"
    );
    assert_eq!(exhaust(&throttle, Subject::Account(BEN), START), 10);
}

#[test]
fn nobody_waits_longer_than_the_window() {
    let throttle = fresh();
    let account = Subject::Account(ANN);
    for seconds in 0..9 {
        assert!(throttle.take(&[account], START.plus(seconds)).is_ok());
    }
    let late = START.plus(15 * MINUTE - 5);
    assert!(throttle.take(&[account], late).is_ok());
    assert_eq!(
        wait(&throttle, account, late),
        5,
        "the oldest leaves before the delay is over"
    );
    assert!(throttle.take(&[account], late.plus(5)).is_ok());
}

#[test]
fn an_account_is_judged_a_hundred_times_a_day() {
    let throttle = fresh();
    let account = Subject::Account(ANN);
    let mut now = START;
    let mut judged = 0;
    while now < START.plus(DAY) {
        match throttle.take(&[account], now) {
            Ok(permit) => {
                permit.succeeded();
                judged += 1;
            }
            Err(wait) => now = now.plus(wait.seconds),
        }
    }
    assert_eq!(judged, 100, "right ones count for the day");
    assert_eq!(now, START.plus(DAY));
    assert!(throttle.take(&[account], now).is_ok());
}

#[test]
fn each_kind_has_its_own_number() {
    let throttle = fresh();
    for (subject, limit, window) in [
        (LAPTOP, 20, 15 * MINUTE),
        (Subject::Code(ANN), 10, 15 * MINUTE),
        (Subject::Mail(ANN), 3, HOUR),
        (address("192.0.2.1"), 30, MINUTE),
        (Subject::Links("192.0.2.1".parse().unwrap()), 60, MINUTE),
    ] {
        assert_eq!(exhaust(&throttle, subject, START), limit, "{subject:?}");
        assert_eq!(
            wait(&throttle, subject, START.plus(1)),
            window - 1,
            "{subject:?}"
        );
        assert_eq!(
            exhaust(&throttle, subject, START.plus(window)),
            limit,
            "{subject:?}"
        );
    }
}

#[test]
fn codes_are_judged_a_hundred_times_a_day() {
    let throttle = fresh();
    let code = Subject::Code(ANN);
    let quarters = 0..DAY / (15 * MINUTE);
    let judged: usize = quarters
        .map(|quarter| exhaust(&throttle, code, START.plus(quarter * 15 * MINUTE)))
        .sum();
    assert_eq!(judged, 100);
    assert_eq!(exhaust(&throttle, code, START.plus(DAY)), 10);
}

#[test]
fn a_known_device_does_not_wait_for_strangers() {
    let throttle = fresh();
    let _ = exhaust(&throttle, Subject::Account(ANN), START);
    assert!(throttle.take(&[LAPTOP], START).is_ok());
    let other = Subject::Device {
        account: ANN,
        device: [4; 32],
    };
    let _ = exhaust(&throttle, LAPTOP, START);
    assert!(throttle.take(&[other], START).is_ok());
}

#[test]
fn all_subjects_are_counted_or_none() {
    let throttle = fresh();
    let subjects = [Subject::Account(ANN), address("192.0.2.1")];
    for _ in 0..10 {
        assert!(throttle.take(&subjects, START).is_ok());
    }
    let refused = throttle.take(&subjects, START).unwrap_err();
    assert_eq!(
        refused,
        Wait {
            seconds: 30,
            kind: Kind::Account
        }
    );
    for _ in 0..100 {
        assert!(throttle.take(&subjects, START).is_err());
    }
    assert_eq!(
        exhaust(&throttle, address("192.0.2.1"), START),
        20,
        "refused tries count nowhere"
    );
    assert_eq!(
        throttle.take(&subjects, START).unwrap_err(),
        Wait {
            seconds: 60,
            kind: Kind::Address
        }
    );
}

#[test]
fn a_right_password_counts_for_the_address_and_not_for_the_account() {
    let throttle = fresh();
    let subjects = [Subject::Account(ANN), address("192.0.2.1")];
    for _ in 0..30 {
        throttle.take(&subjects, START).unwrap().succeeded();
    }
    assert_eq!(
        throttle.take(&subjects, START).unwrap_err().kind,
        Kind::Address
    );
    assert_eq!(exhaust(&throttle, Subject::Account(ANN), START), 10);
}

#[test]
fn a_right_password_opens_nothing_for_others() {
    let throttle = fresh();
    let account = Subject::Account(ANN);
    let _ = exhaust(&throttle, account, START);
    let now = START.plus(30);
    throttle.take(&[account], now).unwrap().succeeded();
    assert_eq!(
        exhaust(&throttle, account, now),
        1,
        "as if it had not been there"
    );
    assert_eq!(wait(&throttle, account, now), 60);
}

#[test]
fn a_network_has_one_count_however_it_is_written() {
    let throttle = fresh();
    let _ = exhaust(&throttle, address("2001:db8::1"), START);
    assert!(
        throttle
            .take(&[address("2001:db8::ffff:0:0:2")], START)
            .is_err()
    );
    assert!(throttle.take(&[address("2001:db8:0:1::1")], START).is_ok());
    let _ = exhaust(&throttle, address("192.0.2.1"), START);
    assert!(
        throttle
            .take(&[address("::ffff:192.0.2.1")], START)
            .is_err()
    );
    assert!(throttle.take(&[address("192.0.2.2")], START).is_ok());
}

#[test]
fn a_subject_named_twice_is_counted_once() {
    let throttle = fresh();
    let twice = [Subject::Mail(ANN), Subject::Mail(ANN)];
    let taken = (0..10)
        .take_while(|_| throttle.take(&twice, START).is_ok())
        .count();
    assert_eq!(taken, 3);
}

#[test]
fn unlocking_forgets_the_account_and_its_devices_alone() {
    let throttle = fresh();
    for subject in [
        Subject::Account(ANN),
        LAPTOP,
        Subject::Code(ANN),
        Subject::Mail(ANN),
        Subject::Account(BEN),
    ] {
        let _ = exhaust(&throttle, subject, START);
    }
    let rows = throttle.unsaved();
    assert_eq!(rows.len(), 5);
    let (ann, rest): (Vec<Saved>, Vec<Saved>) =
        rows.into_iter().partition(|row| row.key.starts_with(&ANN));
    assert_eq!(ann.len(), 4);
    let marker = Saved {
        kind: Kind::Account,
        key: ANN.to_vec(),
        recent: Vec::new(),
        over: 0,
        day_began: START,
        day_count: 0,
        until: START.plus(60),
    };
    throttle.reload(rest.into_iter().chain([marker]));
    assert_eq!(exhaust(&throttle, Subject::Account(ANN), START), 10);
    assert_eq!(exhaust(&throttle, LAPTOP, START), 20);
    assert_eq!(exhaust(&throttle, Subject::Account(BEN), START), 0);
}

#[test]
fn counts_survive_a_restart() {
    let throttle = fresh();
    let account = Subject::Account(ANN);
    let subjects = [account, address("2001:db8::1")];
    for _ in 0..10 {
        assert!(throttle.take(&subjects, START).is_ok());
    }
    assert!(throttle.take(&subjects, START.plus(30)).is_ok());
    let mut rows = throttle.unsaved();
    assert_eq!(rows.len(), 1, "one row, however many tries");
    assert!(throttle.unsaved().is_empty());
    rows.extend(throttle.unsaved_addresses());
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(Saved::recent_from(&row.recent_bytes()), row.recent);
        assert_eq!(row.kind.slug().parse(), Ok(row.kind));
    }
    let again = Throttle::new(rows);
    for now in [START.plus(31), START.plus(89), START.plus(90)] {
        assert_eq!(
            wait(&again, account, now),
            wait(&throttle, account, now),
            "at {now:?}"
        );
    }
    assert_eq!(exhaust(&again, subjects[1], START.plus(59)), 19);
}

#[test]
fn a_refused_try_leaves_nothing_to_save() {
    let throttle = fresh();
    let subjects = [Subject::Account(ANN), address("192.0.2.1")];
    for _ in 0..10 {
        assert!(throttle.take(&subjects, START).is_ok());
    }
    let rows = throttle.unsaved();
    assert_eq!(throttle.unsaved_addresses().len(), 1);
    assert!(throttle.take(&subjects, START).is_err());
    assert_eq!(throttle.unsaved(), []);
    assert_eq!(throttle.unsaved_addresses(), []);
    throttle.not_saved(&rows);
    assert_eq!(throttle.unsaved(), rows);
}

#[test]
fn a_row_that_is_none_of_ours_is_left_out() {
    let row = |kind, length| Saved {
        kind,
        key: vec![1; length],
        recent: vec![START],
        over: 0,
        day_began: START,
        day_count: 1,
        until: START.plus(DAY),
    };
    let rows = Kind::ALL
        .into_iter()
        .flat_map(|kind| [0, 5, 31, 65].map(|length| row(kind, length)));
    assert!(Throttle::new(rows).is_empty());
    let far = Saved {
        recent: vec![Timestamp(i64::MAX), Timestamp(i64::MIN)],
        day_began: Timestamp(i64::MAX),
        over: u32::MAX,
        ..row(Kind::Account, 32)
    };
    let throttle = Throttle::new([far]);
    let seconds = wait(&throttle, Subject::Account([1; 32]), START);
    assert_eq!(seconds, 15 * MINUTE);
}

#[test]
fn what_is_over_is_swept() {
    let throttle = fresh();
    let subjects = [Subject::Account(ANN), address("192.0.2.1")];
    assert!(throttle.take(&subjects, START).is_ok());
    throttle.sweep(START.plus(MINUTE - 1));
    assert_eq!(throttle.len(), 2);
    throttle.sweep(START.plus(MINUTE));
    assert_eq!(throttle.len(), 1);
    throttle.sweep(START.plus(DAY));
    assert!(throttle.is_empty());
    assert_eq!(throttle.unsaved(), []);
    assert_eq!(throttle.unsaved_addresses(), []);
}

#[test]
fn a_flood_of_names_stays_bounded_and_frees_nobody() {
    let throttle = Throttle::bounded([], 100);
    let victim = Subject::Account(ANN);
    let _ = exhaust(&throttle, victim, START);
    for n in 0..10_000_u64 {
        let mut key = [9; 32];
        key[..8].copy_from_slice(&n.to_be_bytes());
        assert!(
            throttle
                .take(&[Subject::Account(key)], START.plus(1))
                .is_ok()
        );
        assert!(throttle.len() <= 100);
    }
    assert!(throttle.unsaved().len() <= 100);
    assert_eq!(wait(&throttle, victim, START.plus(1)), 29);
}

#[test]
fn of_two_light_counts_the_one_that_ends_first_goes() {
    let throttle = Throttle::bounded([], 10);
    for n in 0..10 {
        let subject = Subject::Mail([n; 32]);
        assert!(throttle.take(&[subject], START.plus(i64::from(n))).is_ok());
    }
    assert!(
        throttle
            .take(&[Subject::Mail(BEN), LAPTOP], START.plus(20))
            .is_ok()
    );
    let left = throttle.lock();
    assert!(!left.counts.contains_key(&Subject::Mail([0; 32])));
    assert!(left.counts.contains_key(&Subject::Mail([9; 32])));
}

#[test]
fn a_clock_that_steps_back_frees_nobody_and_holds_nobody() {
    for step in [1, 60, 121, HOUR, DAY, 365 * DAY] {
        for subject in [Subject::Account(ANN), LAPTOP, address("192.0.2.1")] {
            let throttle = fresh();
            let _ = exhaust(&throttle, subject, START);
            let before = wait(&throttle, subject, START);
            let now = START.minus(step);
            throttle.sweep(now);
            assert_eq!(wait(&throttle, subject, now), before, "{step} s back");
            // A small step is waited out; a large one is not.
            let later = now.plus(before).plus(step.min(2 * MINUTE));
            assert!(throttle.take(&[subject], later).is_ok(), "{step} s back");
        }
    }
    let throttle = fresh();
    let code = Subject::Code(ANN);
    for quarter in 0..10 {
        let _ = exhaust(&throttle, code, START.plus(quarter * 15 * MINUTE));
    }
    let now = START.minus(30 * DAY);
    assert!(wait(&throttle, code, now) <= DAY);
    assert!(throttle.take(&[code], now.plus(DAY)).is_ok());
}

#[test]
fn parallel_tries_never_pass_the_limit() {
    let throttle = fresh();
    let subjects = [Subject::Account(ANN), address("192.0.2.1")];
    let judged: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    (0..200)
                        .filter(|_| throttle.take(&subjects, START).is_ok())
                        .count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(judged, 10);
    let rows = throttle.unsaved();
    assert_eq!(rows[0].day_count, 10);
    assert_eq!(rows[0].recent.len(), 10);
}

#[test]
fn every_slug_reads_back() {
    for kind in Kind::ALL {
        assert_eq!(kind.slug().parse(), Ok(kind));
    }
    assert_eq!("Account".parse::<Kind>(), Err(()));
}

/// The rules once more, as simply as they can be said: all tries are kept, and everything is worked out anew.
#[derive(Default)]
struct Naive {
    judged: Vec<i64>,
    failed: Vec<i64>,
}

impl Naive {
    /// The first instant from `now` on at which an account's next try may be judged.
    fn account_from(&self, now: i64) -> i64 {
        self.from(now, |naive, at| {
            naive.day_has_room(at) && naive.account_may(at)
        })
    }

    /// The same for a second-factor code.
    fn code_from(&self, now: i64) -> i64 {
        self.from(now, |naive, at| {
            naive.day_has_room(at) && naive.in_window(at) < 10
        })
    }

    /// The same for a device.
    fn device_from(&self, now: i64) -> i64 {
        self.from(now, |naive, at| naive.in_window(at) < 20)
    }

    fn from(&self, now: i64, may: impl Fn(&Self, i64) -> bool) -> i64 {
        // It can only change when a try grows old enough for one of the rules.
        let ages = [30, 60, 120, 240, 480, 900, 3_600, 86_400];
        let mut instants: Vec<i64> = self
            .judged
            .iter()
            .flat_map(|t| ages.map(|age| t + age))
            .filter(|t| *t > now)
            .chain([now])
            .collect();
        instants.sort_unstable();
        instants
            .into_iter()
            .find(|at| may(self, *at))
            .expect("time frees everything")
    }

    fn in_window(&self, at: i64) -> usize {
        self.failed.iter().filter(|t| at - **t < 900).count()
    }

    fn day_has_room(&self, at: i64) -> bool {
        let mut began = i64::MIN / 2;
        let mut count = 0;
        for t in &self.judged {
            if t - began >= 86_400 {
                began = *t;
                count = 0;
            }
            count += 1;
        }
        at - began >= 86_400 || count < 100
    }

    fn account_may(&self, at: i64) -> bool {
        let mut over = 0;
        for (n, t) in self.failed.iter().enumerate() {
            let before = &self.failed[..n];
            if before.last().is_none_or(|last| t - last >= 3_600) {
                over = 0;
            }
            if over > 0 || before.iter().filter(|b| t - **b < 900).count() >= 10 {
                over += 1;
            }
        }
        let Some(last) = self.failed.last() else {
            return true;
        };
        if at - last >= 3_600 {
            over = 0;
        }
        let delay = (30 * 2_i64.pow(over.min(5))).min(900);
        at - last >= delay || (over == 0 && self.in_window(at) < 10)
    }
}

#[derive(Clone, Debug)]
struct Step {
    seconds: i64,
    after_refusal: Patience,
    is_right: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Patience {
    Waits,
    GoesOn,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seconds = prop_oneof![
        8 => Just(0),
        4 => 0..40_i64,
        2 => 0..1_000_i64,
        1 => 0..5_000_i64,
        1 => 0..100_000_i64,
    ];
    let patience = prop_oneof![Just(Patience::Waits), Just(Patience::GoesOn)];
    let step = (seconds, patience, prop::bool::weighted(0.2)).prop_map(
        |(seconds, after_refusal, is_right)| Step {
            seconds,
            after_refusal,
            is_right,
        },
    );
    prop::collection::vec(step, 1..250)
}

/// Takes the steps with one subject, and compares each answer with the naive one.
fn agree(
    subject: Subject,
    steps: &[Step],
    naive_from: impl Fn(&Naive, i64) -> i64,
) -> Result<Naive, TestCaseError> {
    let mut throttle = fresh();
    let mut naive = Naive::default();
    let mut now = START;
    for (n, step) in steps.iter().enumerate() {
        now = now.plus(step.seconds);
        if n % 10 == 9 {
            throttle.sweep(now);
        }
        if n % 50 == 49 {
            throttle.not_saved(&[Saved::of(&subject, &Count::new())]);
            throttle = Throttle::new(throttle.unsaved());
        }
        let from = naive_from(&naive, now.0);
        match throttle.take(&[subject], now) {
            Ok(permit) => {
                prop_assert_eq!(from, now.0, "judged too early");
                naive.judged.push(now.0);
                if step.is_right {
                    permit.succeeded();
                } else {
                    naive.failed.push(now.0);
                }
            }
            Err(wait) => {
                prop_assert_eq!(wait.seconds, from - now.0, "told a wrong wait");
                prop_assert!(wait.seconds > 0);
                if step.after_refusal == Patience::Waits {
                    now = now.plus(wait.seconds);
                }
            }
        }
    }
    Ok(naive)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accounts_agree_with_the_naive_model(steps in steps()) {
        agree(Subject::Account(ANN), &steps, Naive::account_from)?;
    }

    #[test]
    fn codes_agree_with_the_naive_model(steps in steps()) {
        agree(Subject::Code(ANN), &steps, Naive::code_from)?;
    }

    #[test]
    fn devices_agree_with_the_naive_model(steps in steps()) {
        agree(LAPTOP, &steps, Naive::device_from)?;
    }

    #[test]
    fn a_guesser_is_held_and_freed(gaps in prop::collection::vec(0..1_200_i64, 1..400)) {
        let throttle = fresh();
        let account = Subject::Account(ANN);
        let mut now = START.0;
        let mut judged: Vec<i64> = Vec::new();
        for gap in gaps {
            now += gap;
            match throttle.take(&[account], Timestamp(now)) {
                Ok(_) => judged.push(now),
                Err(wait) => {
                    let last = judged.last().copied().unwrap_or_default();
                    let day_is_used = judged.len() >= 100;
                    prop_assert!(day_is_used || now + wait.seconds <= last + 900);
                }
            }
        }
        for (n, t) in judged.iter().enumerate().skip(10) {
            let is_eleventh = t - judged[n - 10] < 900;
            prop_assert!(!is_eleventh || t - judged[n - 1] >= 30, "the eleventh had no delay");
        }
        for (n, t) in judged.iter().enumerate() {
            let of_this_day = judged[..n].iter().filter(|b| t - **b < 86_400);
            prop_assert!(of_this_day.count() < 200);
        }
    }

    #[test]
    fn no_step_of_the_clock_holds_anybody_for_longer_than_the_rule(
        jumps in prop::collection::vec((-200_000..200_000_i64, 0..40_usize), 1..60),
    ) {
        let throttle = fresh();
        let mut now = START;
        for (jump, tries) in jumps {
            now = now.plus(jump);
            for _ in 0..tries {
                if let Err(wait) = throttle.take(&[LAPTOP], now) {
                    prop_assert!(wait.seconds <= 15 * MINUTE);
                }
            }
            let rest = throttle.lock().counts.get(&LAPTOP).map_or(0, |count| count.recent.len());
            prop_assert!(rest <= 20);
        }
    }
}

#[test]
fn what_another_process_cleared_is_forgotten_and_what_is_unsaved_stays() {
    let throttle = Throttle::new([]);
    let now = Timestamp(1_000_000);
    let (cleared, fresh) = (Subject::Account([1; 32]), Subject::Account([2; 32]));
    for _ in 0..10 {
        drop(throttle.take(&[cleared], now).unwrap());
    }
    assert_eq!(throttle.unsaved().len(), 1);
    drop(throttle.take(&[fresh], now).unwrap());
    throttle.reload([]);
    assert!(
        throttle.take(&[cleared], now).is_ok(),
        "the cleared account still waits"
    );
    assert_eq!(throttle.len(), 2, "the unsaved count was forgotten");
}

#[test]
fn an_empty_row_clears_tries_that_were_not_written_down_yet() {
    let throttle = Throttle::new([]);
    let now = Timestamp(1_000_000);
    let (account, device) = ([1; 32], [9; 32]);
    for _ in 0..10 {
        drop(throttle.take(&[Subject::Account(account)], now).unwrap());
        drop(
            throttle
                .take(&[Subject::Device { account, device }], now)
                .unwrap(),
        );
    }
    let marker = Saved {
        kind: Kind::Account,
        key: account.to_vec(),
        recent: Vec::new(),
        over: 0,
        day_began: now,
        day_count: 0,
        until: now.plus(60),
    };
    throttle.reload([marker]);
    assert!(throttle.is_empty());
    assert!(throttle.unsaved().is_empty());
}
