//! The real executable is killed at every system call by which an upgrade writes, and the disk is full from any of
//! them on: the next start finds the file as it was, or as it is to be.
//!
//! `DOORWARD_FAULTS=all` tries every moment; otherwise every so many, from a place drawn at random.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Write as _, stderr};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use doorward::audit;
use doorward::migrations::VERSION;
use rusqlite::Connection;
use tempfile::TempDir;

use super::fixture::{FIXTURES, Fixture, schema};
use super::{SCHEMA, ask, kept, serve, tables};
use crate::wait;

/// By what a process changes a disk.
const CALLS: &str = "pwrite64,write,pwritev,fsync,fdatasync,ftruncate,fallocate,unlink,unlinkat,rename,renameat,\
     renameat2,mkdir,mkdirat,chmod,fchmod,fchown,lchown";
const EXECUTABLE: &str = env!("CARGO_BIN_EXE_doorward");
/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many moments are tried where not all are.
const SAMPLE: usize = 60;
const FULL_SAMPLE: usize = 8;
/// Where `tests/run` looks for what was done.
const REPORT: &str = "target/faults";

#[expect(
    clippy::disallowed_methods,
    reason = "how long the tests run is decided where they run"
)]
fn is_exhaustive() -> bool {
    std::env::var("DOORWARD_FAULTS").is_ok_and(|how| ["all", "long"].contains(&how.as_str()))
}

fn report(words: &str) {
    fs::create_dir_all(REPORT).unwrap();
    fs::write(Path::new(REPORT).join("upgrade"), format!("{words}\n")).unwrap();
    say(words);
}

fn say(words: &str) {
    // A test's own stream is silent unless it fails; this is to be seen.
    writeln!(stderr(), "faults: upgrade: {words}").ok();
}

/// Why no process can be traced here; none where one can.
fn refusal() -> Option<String> {
    let tried = Command::new("strace")
        .args([
            "-f",
            "-o",
            "/dev/null",
            "-e",
            "inject=fsync:error=EIO:when=9",
        ])
        .arg("/bin/true")
        .output();
    match tried {
        Err(error) => Some(format!("strace cannot be started: {error}")),
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// Lays the file as a kill of the old program left it, and upgrades it under strace until the process ends by itself or
/// listens; then it is killed too. `rule` is an argument of `-e`.
fn upgrade(fixture: &Fixture, rule: Option<&str>) -> Upgrade {
    let around = tempfile::tempdir().unwrap();
    let data = around.path().join("data");
    fs::create_dir(&data).unwrap();
    fixture.lay_killed_into(&data);
    fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    let (calls, output) = (around.path().join("calls"), around.path().join("output"));
    let mut command = Command::new("strace");
    command.args(["-f", "-s", "400", "-o"]).arg(&calls);
    command.arg("-e").arg(format!("trace={CALLS}"));
    if let Some(rule) = rule {
        command.args(["-e", rule]);
    }
    let told = fs::File::create(&output).unwrap();
    let mut child = command
        .args([EXECUTABLE, "serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir(around.path())
        .stdin(Stdio::null())
        .stdout(told.try_clone().unwrap())
        .stderr(told)
        .spawn()
        .unwrap();
    let status = wait::until(PATIENCE, || {
        let ended = child.try_wait().unwrap();
        let is_up = || fs::read_to_string(&output).unwrap().contains("Listening");
        (ended.is_some() || is_up()).then_some(ended)
    });
    let status = status.expect("it neither ended nor listened");
    if status.is_none() {
        // The traced process, and not strace, which would let it go.
        let lock = fs::read_to_string(data.join("doorward.lock")).unwrap();
        let kill = format!("kill -9 {}", lock.lines().next().unwrap());
        let killed = Command::new("/bin/sh").args(["-c", &kill]).status();
        assert!(killed.unwrap().success());
        child.wait().unwrap();
    }
    Upgrade {
        status,
        calls: fs::read_to_string(calls).unwrap(),
        output: fs::read_to_string(output).unwrap(),
        around,
    }
}

/// An upgrade that is over, one way or another.
struct Upgrade {
    /// How it ended by itself; nothing where it came to listen.
    status: Option<ExitStatus>,
    calls: String,
    output: String,
    around: TempDir,
}

impl Upgrade {
    fn data(&self) -> PathBuf {
        self.around.path().join("data")
    }

    /// How often the main thread made each call until the upgrade was told of.
    fn counts(&self) -> BTreeMap<String, usize> {
        let (main, _) = self.calls.split_once(' ').unwrap();
        let mut counts = BTreeMap::new();
        for line in self.calls.lines() {
            let Some(call) = line.strip_prefix(main) else {
                continue;
            };
            if let Some((name, arguments)) = call.trim_start().split_once('(')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            {
                *counts.entry(name.to_owned()).or_default() += 1;
                if arguments.contains("migrated") {
                    return counts;
                }
            }
        }
        panic!(
            "it did not tell of an upgrade:\n{}\n{}",
            self.output, self.calls
        );
    }

    /// The file is as it was or as it is to be, and every copy that has a name is whole. Of a copy of the folder, since
    /// who looks folds the log in.
    fn is_whole(&self, fixture: &Fixture, expected: &Rows, what: &str) -> i64 {
        let seen = self.around.path().join("seen");
        fs::create_dir(&seen).unwrap();
        for entry in fs::read_dir(self.data()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), seen.join(entry.file_name())).unwrap();
            }
        }
        let file = seen.join("doorward.db");
        let version = ask(&file, "SELECT user_version || '' FROM pragma_user_version");
        let version: i64 = version[0].parse().unwrap();
        // Each step is a transaction of its own: a kill may leave the file between two of them.
        assert!(
            (fixture.version..=VERSION).contains(&version),
            "{what}: {version}"
        );
        self.has_rows(&file, expected, what);
        let copies = copies(&self.data());
        assert!(
            version == fixture.version || !copies.is_empty(),
            "{what}: {copies:?}"
        );
        for copy in copies {
            assert_eq!(
                ask(&copy, "SELECT * FROM pragma_integrity_check"),
                ["ok"],
                "{what}"
            );
            assert_eq!(kept(&copy, expected.keys().cloned()), *expected, "{what}");
            let version = ask(&copy, "SELECT user_version || '' FROM pragma_user_version");
            assert_eq!(version, [fixture.version.to_string()], "{what}");
        }
        version
    }

    /// The file has these rows. Where the server came to listen, its background thread may have gone on with them.
    fn has_rows(&self, file: &Path, expected: &Rows, what: &str) {
        if self.status.is_some() {
            assert_eq!(kept(file, expected.keys().cloned()), *expected, "{what}");
        }
    }

    /// The next start completes it, from between two steps too: once, on record, with one copy and nothing else left over.
    fn completes(&self, fixture: &Fixture, expected: &Rows, what: &str) {
        let data = self.data();
        let (opened, lock) =
            serve(&data, fixture).unwrap_or_else(|error| panic!("{what}: {error}"));
        let verdict = opened
            .db
            .read(fixture.now(), |read| audit::verify(read, &opened.keys));
        assert!(verdict.unwrap().faults.is_empty(), "{what}");
        drop((opened, lock));
        let file = data.join("doorward.db");
        self.has_rows(&file, expected, what);
        let record = "SELECT details FROM audit_events WHERE action = 'schema.upgraded' ORDER BY number DESC LIMIT 1";
        let told = format!("{{\"from\":{},\"to\":{VERSION}}}", fixture.version);
        assert_eq!(ask(&file, record), [told], "{what}");
        let fresh = Connection::open_in_memory().unwrap();
        fresh.execute_batch(SCHEMA).unwrap();
        assert_eq!(
            schema(&Connection::open(&file).unwrap()),
            schema(&fresh),
            "{what}"
        );
        let all: Vec<_> = fs::read_dir(data.join("backups")).unwrap().collect();
        assert_eq!(all.len(), 1, "{what}: {all:?}");
        assert_eq!(copies(&data).len(), 1, "{what}");
    }
}

type Rows = BTreeMap<String, String>;

/// What bears the name of a copy.
fn copies(data: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(data.join("backups")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("pre-")
        })
        .collect()
}

/// The rows that were there before.
fn rows(fixture: &Fixture) -> Rows {
    let folder = tempfile::tempdir().unwrap();
    fixture.lay_killed_into(folder.path());
    let file = folder.path().join("doorward.db");
    kept(&file, tables(&file))
}

/// So many of these, from a place drawn at random; all of them where all are asked for.
fn some<T>(mut all: Vec<T>, sample: usize) -> Vec<T> {
    if is_exhaustive() || all.len() <= sample {
        return all;
    }
    let every = all.len().div_ceil(sample);
    let place = usize::try_from(RandomState::new().hash_one(0) % 1000).unwrap() % every;
    let mut at = 0;
    all.retain(|_| {
        at += 1;
        at % every == place
    });
    all
}

#[test]
fn an_upgrade_that_is_killed_or_finds_the_disk_full_is_as_before_or_completed() {
    if let Some(why) = refusal() {
        say(&format!(
            "NOT TRIED, this machine does not permit it: {why}"
        ));
        return;
    }
    let mut told = Vec::new();
    for fixture in FIXTURES {
        let expected = rows(fixture);
        let undisturbed = upgrade(fixture, None);
        let counts = undisturbed.counts();
        assert!(
            undisturbed.output.contains("migrated"),
            "{}",
            undisturbed.output
        );
        undisturbed.is_whole(fixture, &expected, "undisturbed");
        let moments: Vec<(String, usize)> = counts
            .iter()
            .flat_map(|(call, count)| (1..=*count).map(|at| (call.clone(), at)))
            .collect();
        assert!(moments.len() > 50, "{counts:?}");
        let (all, moments) = (moments.len(), some(moments, SAMPLE));
        let (mut before, mut after) = (0, 0);
        for (call, at) in &moments {
            let what = format!("killed at {call} {at}");
            let killed = upgrade(
                fixture,
                Some(&format!("inject={call}:signal=SIGKILL:when={at}")),
            );
            let status = killed.status.unwrap_or_else(|| panic!("not {what}"));
            assert_eq!(status.signal(), Some(9), "{what}: {}", killed.output);
            if killed.is_whole(fixture, &expected, &what) == VERSION {
                after += 1;
            } else {
                before += 1;
            }
            killed.completes(fixture, &expected, &what);
        }
        // A sample may have missed the few calls after the last commit.
        assert!(
            before > 0 && (after > 0 || !is_exhaustive()),
            "{before} {after}"
        );

        let writes: Vec<usize> = (1..=counts["pwrite64"]).collect();
        let (all_writes, writes) = (writes.len(), some(writes, FULL_SAMPLE));
        let (mut no_room, mut no_step) = (0, 0);
        for at in &writes {
            let what = format!("the disk full from pwrite64 {at} on");
            let full = upgrade(
                fixture,
                Some(&format!("inject=pwrite64:error=ENOSPC:when={at}+")),
            );
            let output = &full.output;
            let version = full.is_whole(fixture, &expected, &what);
            if output.contains("there is no room in") {
                assert!(
                    output.contains("must be free") && copies(&full.data()).is_empty(),
                    "{what}: {output}"
                );
                no_room += 1;
            } else if output.contains("nothing was changed") {
                // Of what lies beside the file SQLite says no more than that it could not be written.
                assert!(output.contains("disk I/O error"), "{what}: {output}");
                assert!(copies(&full.data()).is_empty(), "{what}: {output}");
                assert_eq!(version, fixture.version, "{what}: {output}");
                no_room += 1;
            } else if output.contains("the step 0") {
                let says = ["full", "disk I/O error"]
                    .iter()
                    .any(|words| output.contains(words));
                assert!(
                    says && output.contains("as it was before"),
                    "{what}: {output}"
                );
                let step = format!("from schema version {version} to {}", version + 1);
                assert!(output.contains(&step), "{what}: {version}, {output}");
                no_step += 1;
            } else {
                // The transaction was on the disk, and the log could not be folded in, or the next thing failed.
                assert_eq!(version, VERSION, "{what}: {output}");
            }
            full.completes(fixture, &expected, &what);
        }
        assert!(no_room > 0, "{no_room} {no_step}");
        told.push(format!(
            "from schema {}: killed at {} of {all} system calls, {before} times the file was as before and {after} times \
             as after; the disk full from {} of {all_writes} writes on, {no_room} times without room for the copy and \
             {no_step} times for the step; each time the next start completed it",
            fixture.version,
            moments.len(),
            writes.len(),
        ));
    }
    report(&told.join("\n"));
}
