//! Load for as long as one likes, with a relay that is in another mood every few seconds: what the process holds does not
//! grow. By hand alone: `tests/faults soak MINUTES`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use doorward::kit::time::instant;

use super::moods::MOODS;
use super::report;
use crate::client::Client;
use crate::process::Doorward;
use crate::relay::{Relay, Security};
use crate::served::{self, OWNER, PASSWORD, found_by, sign_in};
use crate::wait;

/// Between two looks at what the process holds.
const LOOK: Duration = Duration::from_secs(5);
/// How long a mood lasts, and the peace after it.
const MOOD: Duration = Duration::from_secs(4);
/// A log that is folded in as it should be stays far below the alarm.
const WAL_MAX: u64 = 16 << 20;
/// Over the second half: more than this for each minute, in KiB, would be a leak.
const SLOPE_MAX: f64 = 512.0;

/// What the process holds at one moment.
#[derive(Clone, Copy, Debug)]
struct Held {
    seconds: f64,
    resident_kib: f64,
    files: usize,
    threads: usize,
    wal: u64,
}

impl Held {
    fn by(process: &Doorward, seconds: f64) -> Self {
        let place = format!("/proc/{}", process.id());
        let status = std::fs::read_to_string(format!("{place}/status")).unwrap();
        let number = |name: &str| -> f64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let text = line.unwrap().trim().trim_end_matches(" kB");
            text.parse().unwrap()
        };
        let wal = std::fs::metadata(process.data().join("doorward.db-wal"));
        Self {
            seconds,
            resident_kib: number("VmRSS:"),
            files: std::fs::read_dir(format!("{place}/fd")).unwrap().count(),
            threads: std::fs::read_dir(format!("{place}/task")).unwrap().count(),
            wal: wal.map_or(0, |wal| wal.len()),
        }
    }
}

/// By the method of least squares, in KiB for each minute.
fn slope(of: &[Held]) -> f64 {
    let count = of.len() as f64;
    let mean = |what: &dyn Fn(&Held) -> f64| of.iter().map(what).sum::<f64>() / count;
    let (time, kib) = (mean(&|held| held.seconds), mean(&|held| held.resident_kib));
    let above: f64 = of
        .iter()
        .map(|held| (held.seconds - time) * (held.resident_kib - kib))
        .sum();
    let below: f64 = of.iter().map(|held| (held.seconds - time).powi(2)).sum();
    above / below * 60.0
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the tests run is decided where they run"
)]
fn minutes() -> u64 {
    let text = std::env::var("DOORWARD_SOAK_MINUTES");
    text.map_or(5, |text| text.parse().unwrap())
}

fn browser(process: &Doorward) -> Client {
    Client::new(process.address()).behind("http://localhost", &[])
}

/// Signs in, if there is a slot for it.
fn enter(client: &mut Client, counts: &Counts) {
    counts.note(client.get("/sign-in").status);
    let fields = [("email", OWNER), ("password", PASSWORD)];
    if let Some(page) = client.try_post_form("/sign-in", &fields) {
        counts.note(page.status);
    }
}

/// What people do all day; each is a thread of its own, for as long as the day lasts.
fn load(process: &Doorward, number: usize, is_over: &AtomicBool, counts: &Counts) {
    let mut owner = browser(process);
    sign_in(&mut owner, OWNER);
    let mut turn = 0_usize;
    while !is_over.load(Ordering::Relaxed) {
        turn += 1;
        let home = owner.get("/").status;
        counts.note(home);
        if home == 303 {
            // So many have signed in since that this session had to go.
            owner = browser(process);
            enter(&mut owner, counts);
        }
        for path in ["/iam/accounts", "/mail", "/account", "/readyz"] {
            counts.note(owner.get(path).status);
        }
        if turn.is_multiple_of(40) {
            counts.note(owner.get("/iam/accounts/new").status);
            let email = format!("guest{number}.{turn}@haldenworks.example");
            let fields = [("email", email.as_str()), ("role", "member")];
            // No form: the organisation has invited as many as it may for now.
            if let Some(page) = owner.try_post_form("/iam/accounts", &fields) {
                counts.note(page.status);
            }
        }
        if turn.is_multiple_of(6) {
            // A browser that nobody knows: a notice is owed.
            enter(&mut browser(process), counts);
        }
        if turn.is_multiple_of(7) {
            let mut anybody = browser(process);
            counts.note(anybody.get("/forgot-password").status);
            if let Some(page) = anybody.try_post_form("/forgot-password", &[("email", OWNER)]) {
                counts.note(page.status);
            }
        }
        wait::pause(Duration::from_millis(20));
    }
}

#[derive(Default)]
struct Counts {
    all: AtomicUsize,
    failed: AtomicUsize,
    by_status: std::sync::Mutex<BTreeMap<u16, usize>>,
}

impl Counts {
    fn note(&self, status: u16) {
        self.all.fetch_add(1, Ordering::Relaxed);
        if status >= 500 {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        *self.by_status.lock().unwrap().entry(status).or_default() += 1;
    }
}

fn owed(data: &Path) -> i64 {
    crate::crash::file::File::copy(data)
        .ask("SELECT count(*) FROM errands WHERE state IN ('waiting', 'sending')")[0]
}

#[test]
#[ignore = "takes as long as one likes: tests/faults soak MINUTES"]
fn what_the_process_holds_does_not_grow_under_load_and_a_moody_relay() {
    let time = Duration::from_secs(60 * minutes());
    let relay = Relay::start(Security::Plain);
    let process = served::launch(&relay, "")
        .arg("--public-url")
        .arg("http://localhost")
        .start();
    found_by(&process, browser(&process));
    let (is_over, counts) = (AtomicBool::new(false), Counts::default());
    let began = instant();
    let seen = std::thread::scope(|scope| {
        for number in 0..4 {
            let (process, is_over, counts) = (&process, &is_over, &counts);
            scope.spawn(move || load(process, number, is_over, counts));
        }
        let mut seen: Vec<Held> = Vec::new();
        let (mut next_look, mut moods) = (LOOK, MOODS.iter().cycle());
        while began.elapsed() < time {
            // Moody for a while, and well for as long.
            let turn = began.elapsed().as_secs() / MOOD.as_secs();
            relay.behave();
            if turn.is_multiple_of(2)
                && let Some((step, twist)) = moods.next()
            {
                relay.at(*step, *twist);
            }
            wait::pause(MOOD.min(Duration::from_secs(2)));
            if began.elapsed() >= next_look {
                seen.push(Held::by(&process, began.elapsed().as_secs_f64()));
                next_look += LOOK;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        seen
    });
    relay.behave();
    let half = &seen[seen.len() / 2..];
    let first = &seen[..seen.len() / 2];
    let most = |of: &[Held], what: fn(&Held) -> usize| of.iter().map(what).max().unwrap();
    let (slope, wal) = (slope(half), seen.iter().map(|held| held.wal).max().unwrap());
    let all = counts.all.load(Ordering::Relaxed);
    let words = format!(
        "{} min, {all} requests ({:.0}/s), {} connections to a moody relay, {} mails taken, {} owed: resident {:.1} MiB after a \
         quarter, {:.1} at half, {:.1} at the end ({slope:+.0} KiB/min over the second half); files at most {} then {}, threads {} \
         then {}, log at most {} kB; answers {:?}",
        minutes(),
        all as f64 / time.as_secs_f64(),
        relay.connections(),
        relay.messages().len(),
        owed(process.data()),
        seen[seen.len() / 4].resident_kib / 1024.0,
        half[0].resident_kib / 1024.0,
        half[half.len() - 1].resident_kib / 1024.0,
        most(first, |held| held.files),
        most(half, |held| held.files),
        most(first, |held| held.threads),
        most(half, |held| held.threads),
        wal / 1024,
        counts.by_status.lock().unwrap(),
    );
    report("soak", &words);
    assert_eq!(counts.failed.load(Ordering::Relaxed), 0, "{words}");
    assert!(slope < SLOPE_MAX, "{words}");
    assert!(wal < WAL_MAX, "{words}");
    assert!(
        most(half, |held| held.files) <= most(first, |held| held.files) + 8,
        "{words}"
    );
    assert!(
        most(half, |held| held.threads) <= most(first, |held| held.threads) + 2,
        "{words}"
    );
    assert!(
        !process.output().contains("panicked"),
        "{}",
        process.output()
    );
}
