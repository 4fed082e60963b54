//! strace at a running process: writes down its system calls, or makes them kill or fail.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::wait;

const PATIENCE: Duration = Duration::from_secs(20);
/// Between taking hold of the last thread and stopping it.
const SETTLE: Duration = Duration::from_millis(5);

/// Every system call by which something leaves the process, for the disk or for others.
pub(super) const WRITES: &str = "pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,fsync,fdatasync,sync_file_range,\
     ftruncate,fallocate,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,shutdown";

/// Which threads of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// Every one.
    All,
    /// The background thread, which sends mail.
    Background,
    /// All others, which answer.
    Answering,
}

/// strace, attached.
pub(super) struct Tracer {
    child: Child,
    output: NamedTempFile,
    reader: Option<JoinHandle<()>>,
}

/// Why nothing can be traced here; none where it can.
pub(super) fn refusal() -> Option<&'static str> {
    static REFUSAL: OnceLock<Option<String>> = OnceLock::new();
    let refusal = REFUSAL.get_or_init(|| {
        let tried = Command::new("strace")
            .args([
                "-f",
                "-o",
                "/dev/null",
                "-e",
                "inject=fsync:error=EIO:when=9",
                "/bin/true",
            ])
            .output();
        match tried {
            Err(error) => Some(format!("strace cannot be started: {error}")),
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    });
    refusal.as_deref()
}

impl Tracer {
    /// Writes down every call of all threads whole, its paths and bytes; the number of the thread of this name besides.
    pub(super) fn record(process: u32, rules: &[&str], thread: &str) -> (String, Self) {
        let name = |id: &String| {
            let file = format!("/proc/{process}/task/{id}/comm");
            std::fs::read_to_string(file).unwrap_or_default()
        };
        let mut all = ids(process, Threads::All).into_iter();
        let found = all.rfind(|id| name(id).trim() == thread).unwrap();
        let whole = ["-y", "-xx", "-s", "1000000"];
        (
            found,
            Self::attach_with(process, Threads::All, rules, &whole),
        )
    }

    /// Takes hold of these threads; `rule` is an argument of `-e`, such as `inject=fsync:error=EIO`.
    pub(super) fn attach(process: u32, threads: Threads, rules: &[&str]) -> Self {
        Self::attach_with(process, threads, rules, &[])
    }

    fn attach_with(process: u32, threads: Threads, rules: &[&str], how: &[&str]) -> Self {
        // A thread takes its name when it begins to run, which is later than its process says that it listens.
        let is_named = || (!ids(process, Threads::Background).is_empty()).then_some(());
        wait::until(PATIENCE, is_named).expect("there is no background thread");
        let output = NamedTempFile::new().unwrap();
        let mut command = Command::new("strace");
        command.args(how).arg("-o").arg(output.path());
        for rule in rules {
            command.args(["-e", rule]);
        }
        if threads == Threads::All {
            command.args(["-f", "-p", &process.to_string()]);
        } else {
            command.args(ids(process, threads).iter().flat_map(|id| ["-p", id]));
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut words = child.stderr.take().unwrap();
        // Nobody may stand still because nobody reads.
        let reader = std::thread::spawn(move || {
            std::io::copy(&mut words, &mut std::io::sink()).unwrap_or_default();
        });
        // Threads may end meanwhile; those that are there are held, each by its own.
        let mark = format!("TracerPid:\t{}", child.id());
        let is_held = |id: &String| {
            let status = format!("/proc/{process}/task/{id}/status");
            std::fs::read_to_string(status).is_ok_and(|status| status.contains(&mark))
        };
        let held = wait::until(PATIENCE, || {
            let ids = ids(process, threads);
            (!ids.is_empty() && ids.iter().all(is_held)).then_some(())
        });
        held.expect("strace did not attach");
        wait::pause(SETTLE);
        Self {
            child,
            output,
            reader: Some(reader),
        }
    }

    /// Lets go; answers with what it wrote down.
    pub(super) fn detach(mut self) -> String {
        self.let_go();
        std::fs::read_to_string(self.output.path()).unwrap()
    }

    fn let_go(&mut self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        // SIGKILL would take the traced process along; asked to end, it lets go first. It may have ended already.
        let asked = Command::new("/bin/sh")
            .args(["-c", &format!("kill -INT {} 2>/dev/null", self.child.id())])
            .status();
        asked.unwrap();
        self.child.wait().unwrap();
        reader.join().unwrap();
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// How often each system call comes in what was written down, in the thread that makes the most of them: strace counts
/// each thread's for itself.
pub(super) fn counts(written: &str) -> BTreeMap<String, usize> {
    let mut by_thread: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in written.lines() {
        // A single thread has no number in front.
        let call = line.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ' ');
        let thread = line.strip_suffix(call).unwrap_or(line);
        if let Some((name, _)) = call.split_once('(')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.is_empty()
        {
            *by_thread.entry((thread, name)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((_, name), count) in by_thread {
        let entry: &mut usize = most.entry(name.to_owned()).or_default();
        *entry = count.max(*entry);
    }
    most
}

fn ids(process: u32, threads: Threads) -> Vec<String> {
    let tasks = std::fs::read_dir(Path::new("/proc").join(process.to_string()).join("task"));
    let mut ids = Vec::new();
    for task in tasks.unwrap() {
        let task = task.unwrap();
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let is_background = name.trim() == "worker";
        // One that is named `doorward` and is not the first may end at any time: tiny_http makes and ends them.
        if threads == Threads::All || is_background == (threads == Threads::Background) {
            ids.push(task.file_name().into_string().unwrap());
        }
    }
    ids
}

#[test]
fn calls_are_counted_by_thread() {
    let written = "12 pwrite64(5, \"a\") = 1\n13 pwrite64(5, \"b\") = 1\n12 pwrite64(5, \"c\" <unfinished ...>\n\
                   12 <... pwrite64 resumed>) = 1\n12 fsync(5) = 0\n12 --- SIGCHLD {} ---\n12 +++ exited with 0 +++\n";
    let expected = [("fsync".to_owned(), 1), ("pwrite64".to_owned(), 2)];
    assert_eq!(counts(written), BTreeMap::from(expected));
    assert_eq!(counts("fsync(5) = 0\n")["fsync"], 1);
}
