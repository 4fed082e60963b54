//! The real executable as a process: started in a data folder of its own, listened
//! to, killed as a power cut would or stopped as systemd would, and started again
//! on what it left behind.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use crate::wait;

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_doorward");

/// How long a start or a stop may take on a busy machine before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to start: program, arguments, environment.
#[derive(Debug)]
pub(crate) struct Launch {
    wrapper: Vec<OsString>,
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    data: Arc<TempDir>,
}

/// A running Doorward, or one that ran: the data folder stays until this is dropped.
#[derive(Debug)]
pub(crate) struct Doorward {
    launch: Launch,
    child: Child,
    address: String,
    output: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// A process that ended before it listened.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it wrote, to both streams.
    pub(crate) output: String,
}

impl Launch {
    /// `doorward serve` on a new data folder and a free port of the loopback.
    pub(crate) fn serve() -> Self {
        Self::serve_at("127.0.0.1:0")
    }

    /// The same, listening somewhere else.
    pub(crate) fn serve_at(listen: &str) -> Self {
        let launch = Self::program(EXECUTABLE);
        let data = launch.data.path().to_owned();
        launch
            .arg("serve")
            .arg("--data")
            .arg(data)
            .arg("--listen")
            .arg(listen)
    }

    /// `doorward demo` on a free port, the same ids and links each time.
    pub(crate) fn demo() -> Self {
        let launch = Self::program(EXECUTABLE);
        // Its throw-away folder lies in ours, which goes however it ends.
        let place = launch.data.path().to_owned();
        let arguments = ["demo", "--listen", "127.0.0.1:0", "--seed", "1"];
        let launch = arguments.into_iter().fold(launch, Self::arg);
        launch.env("TMPDIR", place)
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// The data folder, to be kept for longer than what runs in it.
    pub(crate) fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.data)
    }

    /// Runs another command of the executable while nothing is served, and waits for its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command().args(args).output().unwrap()
    }

    fn program(program: &str) -> Self {
        Self {
            wrapper: Vec::new(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            data: Arc::new(tempfile::tempdir().unwrap()),
        }
    }

    /// With one more argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// With one more environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// By way of another program, which takes it and its arguments as its last ones and becomes it.
    pub(crate) fn by(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(OsString::from).collect();
        self
    }

    /// The running process; the test fails if it ends instead.
    pub(crate) fn start(self) -> Doorward {
        match self.try_start() {
            Ok(doorward) => doorward,
            Err(ended) => panic!("it did not start ({}):\n{}", ended.status, ended.output),
        }
    }

    /// The running process, or how it ended.
    pub(crate) fn try_start(self) -> Result<Doorward, Ended> {
        let child = self.spawn();
        let mut doorward = Doorward {
            launch: self,
            child,
            address: String::new(),
            output: Arc::default(),
            readers: Vec::new(),
        };
        doorward.listen()?;
        Ok(doorward)
    }

    /// Starts it, and kills it that much later, however far it has come.
    pub(crate) fn kill9_after(&self, time: Duration) {
        let mut command = self.command();
        command.args(&self.args);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap();
        wait::pause(time);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn spawn(&self) -> Child {
        self.command()
            .args(&self.args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()))
    }

    /// The program in its folder, with nothing of the surrounding environment but
    /// the path: a variable of the developer's must not decide a test.
    fn command(&self) -> Command {
        let mut words = self.wrapper.iter().chain([&self.program]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.data.path())
            .env("DOORWARD_DATA", self.data.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.data.path())
            .stdin(Stdio::null());
        command
    }
}

impl Doorward {
    /// Where it listens, as the beginning of a URL: `http://127.0.0.1:40123`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        self.launch.data.path()
    }

    /// What it has written so far, to both streams and over all its starts.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Runs another command of the executable on the same data folder, and waits
    /// for its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.launch.run(args)
    }

    /// Starts another command of the executable on the same data folder.
    pub(crate) fn begin(&self, args: &[&str]) -> Child {
        let mut command = self.launch.command();
        let piped = command
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        piped.spawn().unwrap()
    }

    /// Ends it as a power cut would (but for what the kernel still writes).
    pub(crate) fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.wait();
    }

    /// Asks it to stop, as systemd does, and waits for its end.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it ends within this time, without being asked to.
    pub(crate) fn ends_within(&mut self, time: Duration) -> bool {
        wait::until(time, || self.child.try_wait().unwrap()).is_some()
    }

    /// Sends it a signal, by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: not every machine has the command.
        let sent = Command::new("/bin/sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status();
        assert!(sent.unwrap().success(), "it was gone already");
    }

    /// Starts it again and kills it that much later. Only for one that has ended.
    pub(crate) fn kill9_after(&self, time: Duration) {
        assert!(self.readers.is_empty(), "it is still running");
        self.launch.kill9_after(time);
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let Some(status) = wait::until(PATIENCE, || self.child.try_wait().unwrap()) else {
            self.child.kill().unwrap();
            panic!("it did not end:\n{}", self.output());
        };
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        status
    }

    /// Starts it again on the same data folder, at an address of its own. Only for
    /// one that has ended.
    pub(crate) fn restart(&mut self) {
        if let Err(ended) = self.try_restart() {
            panic!("no restart ({}):\n{}", ended.status, ended.output);
        }
    }

    /// The same, where it may end instead.
    pub(crate) fn try_restart(&mut self) -> Result<(), Ended> {
        assert!(self.readers.is_empty(), "it is still running");
        self.child = self.launch.spawn();
        self.listen()
    }

    /// Reads both streams until the address is heard, and goes on reading, so that
    /// the process never waits for a full pipe.
    fn listen(&mut self) -> Result<(), Ended> {
        let (heard, addresses) = mpsc::channel();
        let stdout = self.child.stdout.take().unwrap();
        let stderr = self.child.stderr.take().unwrap();
        self.readers.push(self.read(stdout, heard.clone()));
        self.readers.push(self.read(stderr, heard));
        match addresses.recv_timeout(PATIENCE) {
            Ok(address) => {
                self.address = address;
                Ok(())
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                panic!("it named no address:\n{}", self.output())
            }
            // Both streams have ended.
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(Ended {
                status: self.wait(),
                output: self.output(),
            }),
        }
    }

    fn read(&self, stream: impl Read + Send + 'static, heard: Sender<String>) -> JoinHandle<()> {
        let output = Arc::clone(&self.output);
        thread::spawn(move || {
            let mut heard = Some(heard);
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
                let text = String::from_utf8_lossy(&line);
                output.lock().unwrap().push_str(&text);
                if let Some(address) = address_in(&text)
                    && let Some(heard) = heard.take()
                {
                    // The other stream may have been first; then nobody listens.
                    heard.send(address).ok();
                }
                line.clear();
            }
        })
    }
}

impl Drop for Doorward {
    fn drop(&mut self) {
        // An error means that it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The first loopback address with a port that a line names, as a URL; of a server that listens everywhere too.
fn address_in(line: &str) -> Option<String> {
    let (_, after) = ["127.0.0.1:", "//0.0.0.0:", "//[::]:"]
        .into_iter()
        .find_map(|host| line.split_once(host))?;
    let mut parts = after.split(|letter: char| !letter.is_ascii_digit());
    let port: u16 = parts.next()?.parse().ok()?;
    (port != 0).then(|| format!("http://127.0.0.1:{port}"))
}

/// A shell script in the executable's place: counts its starts in the data folder,
/// names an address, and stops when asked.
const SCRIPT: &str = r#"
    trap 'echo "Stopped." >&2; exit 3' TERM
    [ "$1" = count ] && exec wc -l starts
    echo start >> "$DOORWARD_DATA/starts"
    echo "asked for 127.0.0.1:0, $GREETING"
    echo "Listening on http://127.0.0.1:4$(wc -l < starts)"
    while :; do sleep 0.1 & wait; done
"#;

/// The script as a program that takes arguments.
fn script() -> Launch {
    let mut launch = Launch::program("");
    let program = launch.data.path().join("program");
    std::fs::write(&program, SCRIPT).unwrap();
    launch.program = "/bin/sh".into();
    launch.arg(program)
}

#[test]
fn a_process_is_heard_killed_restarted_and_stopped() {
    let mut process = script().env("GREETING", "good day").start();
    assert_eq!(process.address(), "http://127.0.0.1:41");
    assert!(process.output().contains("good day"));

    process.kill9();
    process.restart();
    assert_eq!(process.address(), "http://127.0.0.1:42");
    let starts = std::fs::read_to_string(process.data().join("starts"));
    assert_eq!(starts.unwrap(), "start\nstart\n");

    let beside = process.run(&["program", "count"]);
    assert!(String::from_utf8_lossy(&beside.stdout).starts_with("2 "));

    assert_eq!(process.terminate().code(), Some(3));
    assert!(process.output().ends_with("Stopped.\n"));
}

#[test]
fn a_process_that_ends_before_it_listens_is_reported() {
    let ended = Launch::serve().arg("--no-such-option").try_start();
    let ended = ended.unwrap_err();
    assert!(ended.status.code().is_some(), "{ended:?}");
    assert!(!ended.output.contains("Listening"), "{ended:?}");
}
