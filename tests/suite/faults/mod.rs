//! Faults of machine, disk, clock and network, done to the real executable by the kernel's own means: system calls that
//! kill or fail (strace), small and read-only disks (mounts of its own), another time of day (libfaketime).
//!
//! `DOORWARD_FAULTS=long` makes them exhaustive, as `tests/faults long` does; otherwise each takes some of its moments
//! at random, from the seed that it prints (`DOORWARD_FAULTS_SEED` gives it back). What a machine does not permit is
//! said aloud and left out. Each test leaves a line about what it did in `target/faults`.

mod clock;
mod damage;
mod disk;
mod kills;
mod locks;
mod memory;
mod moods;
mod power;
mod room;
pub(crate) mod seed;
mod soak;
mod stage;
mod tracer;

use std::io::{Write as _, stderr};

/// What goes on the report, below the target folder.
const REPORT: &str = "target/faults";

/// Whether every moment is tried.
#[expect(
    clippy::disallowed_methods,
    reason = "how long the tests run is decided where they run"
)]
fn is_long() -> bool {
    std::env::var("DOORWARD_FAULTS").is_ok_and(|how| how == "long")
}

/// Writes down what a test did, where `tests/run` and people look for it.
fn report(test: &str, words: &str) {
    std::fs::create_dir_all(REPORT).unwrap();
    std::fs::write(format!("{REPORT}/{test}"), format!("{words}\n")).unwrap();
    // A test's own stream is silent unless it fails; this is to be seen.
    writeln!(stderr(), "faults: {test}: {words}").ok();
}

/// The same for a test that this machine does not let happen.
fn left_out(test: &str, why: &str) {
    report(
        test,
        &format!("NOT TRIED, this machine does not permit it: {why}"),
    );
}
