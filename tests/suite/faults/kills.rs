//! SIGKILL at each system call by which a deed reaches the disk or the client: what the client was told is there
//! afterwards, the rest is whole or not at all, and can be done then.

use std::time::Duration;

use doorward::kit::time::instant;

use super::seed::Seed;
use super::stage::{Deed, Life, Stage};
use super::tracer::{self, Threads, Tracer, WRITES, counts};
use super::{is_long, left_out, report};
use crate::wait;

/// Of each deed's moments so many are tried, unless all are.
const SOME: usize = 3;
/// How long a server that was not killed is watched after its answer: its gate may still have something to write.
const AFTER: Duration = Duration::from_millis(150);
const MAIL_TIME: Duration = Duration::from_secs(20);

/// A moment: at the so-manieth call of this name in one thread.
type Point = (String, usize);

/// Lets a life do its deed while it is watched.
fn watched<'s>(mut life: Life<'s>, threads: Threads, rule: &str) -> (Life<'s>, String, bool) {
    let tracer = Tracer::attach(life.process.id(), threads, &[rule]);
    life.act();
    let is_over = if threads == Threads::Background {
        let mut is_dead = false;
        wait::until(MAIL_TIME, || {
            is_dead = life.process.ends_within(Duration::ZERO);
            (is_dead || life.is_quiet()).then_some(())
        })
        .unwrap();
        is_dead || life.process.ends_within(AFTER)
    } else {
        life.process.ends_within(AFTER)
    };
    let written = tracer.detach();
    (life, written, is_over)
}

/// All moments of a deed, found by letting it happen.
fn points(stage: &Stage, threads: Threads) -> Vec<Point> {
    let (mut life, written, _) = watched(stage.life(), threads, &format!("trace={WRITES}"));
    assert!(life.is_acknowledged(), "it does not even work");
    life.process.kill9();
    let mut points = Vec::new();
    for (name, count) in counts(&written) {
        points.extend((1..=count).map(|at| (name.clone(), at)));
    }
    points
}

/// What came of all kills of a test.
#[derive(Default)]
struct Tally {
    kills: usize,
    missed: usize,
    told: usize,
    done: usize,
    doubles: usize,
    lost: Vec<String>,
}

impl Tally {
    fn kill_at(&mut self, stage: &Stage, deed: Deed, threads: Threads, (name, at): &Point) {
        let rule = format!("inject={name}:signal=SIGKILL:when={at}");
        let (mut life, _, was_killed) = watched(stage.life(), threads, &rule);
        if was_killed {
            life.process.wait();
            self.kills += 1;
        } else {
            // It took another turn this time, and did not come here so often.
            life.process.kill9();
            self.missed += 1;
        }
        let was_told = life.is_acknowledged();
        let (is_done, mut faults) = life.look();
        self.told += usize::from(was_told);
        self.done += usize::from(is_done && !was_told);
        let (more, doubles) = life.come_back(is_done.into());
        faults.extend(more);
        if doubles > usize::from(was_killed) {
            faults.push(format!("{doubles} mails came twice"));
        }
        self.doubles += doubles;
        self.lost.extend(
            faults
                .into_iter()
                .map(|fault| format!("{deed:?}, killed at {name} {at}: {fault}")),
        );
    }
}

fn run(test: &str, deeds: &[Deed], threads: Threads) {
    if let Some(why) = tracer::refusal() {
        left_out(test, why);
        return;
    }
    let began = instant();
    let mut seed = Seed::new();
    let mut tally = Tally::default();
    let mut all = 0;
    for deed in deeds {
        let mut stage = Stage::before(*deed);
        let mut points = points(&stage, threads);
        all += points.len();
        if !is_long() {
            points = seed.some(points, SOME);
        }
        for point in &points {
            if stage.is_old() {
                stage = Stage::before(*deed);
            }
            tally.kill_at(&stage, *deed, threads, point);
        }
        assert!(
            tally.lost.is_empty(),
            "seed {}:\n{}",
            seed.first,
            tally.lost.join("\n")
        );
    }
    report(
        test,
        &format!(
            "seed {}: {} deeds with {all} moments; {} kills and {} moments not reached, {} acknowledged, {} done and not \
             acknowledged, 0 lost, {} mails came twice under their Message-ID, {} s",
            seed.first,
            deeds.len(),
            tally.kills,
            tally.missed,
            tally.told,
            tally.done,
            tally.doubles,
            began.elapsed().as_secs()
        ),
    );
    assert!(tally.kills > tally.missed, "hardly anything was killed");
}

#[test]
fn a_kill_at_any_call_of_a_deed_loses_nothing_that_was_acknowledged() {
    run("kills-of-answers", &Deed::ALL, Threads::Answering);
}

#[test]
fn a_kill_at_any_call_of_a_delivery_loses_no_mail() {
    let owing: &[Deed] = if is_long() {
        &Deed::ALL
    } else {
        &[Deed::Invite, Deed::Reset]
    };
    let owing: Vec<Deed> = owing
        .iter()
        .copied()
        .filter(|deed| deed.mails() > 0)
        .collect();
    run("kills-of-deliveries", &owing, Threads::Background);
}
