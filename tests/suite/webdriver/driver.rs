//! chromedriver as a child process, and the wire to it.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Scripts;

/// Longer than any step of a test on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Each start takes another port.
const STARTS_MAX: usize = 5;

/// Pictures of long pages are large; nothing else is.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;

/// Quiet and alone: nothing that fetches what the page did not ask for. The sandbox
/// needs privileges that containers lack, and the pages are ours; /dev/shm is small there.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    // Pictures show the page, not a bar whose width the browser chooses.
    "--hide-scrollbars",
    // A host that is this machine, but is not trusted like it: what plain http is like.
    "--host-resolver-rules=MAP portal.test 127.0.0.1",
    "--lang=en-GB",
];

/// One browser, with its own chromedriver; both end when this is dropped.
pub(super) struct Session {
    driver: Child,
    agent: ureq::Agent,
    url: String,
    // The browser's profile, which must outlive it.
    home: TempDir,
}

/// Whether browser tests are asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the tests, not a setting"
)]
pub(super) fn is_wanted() -> bool {
    std::env::var("DOORWARD_BROWSER").is_ok_and(|value| value == "1")
}

impl Session {
    pub(super) fn new(scripts: Scripts) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (driver, port) = start(home.path());
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT));
        let mut session = Self {
            driver,
            agent: config.build().into(),
            url: format!("http://127.0.0.1:{port}"),
            home,
        };
        let wanted = capabilities(session.home.path(), scripts);
        let created = session.post("session", &wanted);
        let id = created["sessionId"].as_str().unwrap();
        session.url = session.at(&format!("session/{id}"));
        session
    }

    /// A folder of this browser's own.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let answer = self.try_get(path);
        answer.unwrap_or_else(|fault| panic!("{path}: {fault}"))
    }

    /// The answer, or the fault in the protocol's words.
    pub(super) fn try_get(&self, path: &str) -> Result<Value, String> {
        read(self.agent.get(self.at(path)).call())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.try_post(path, body);
        answer.unwrap_or_else(|fault| panic!("{path}: {fault}"))
    }

    /// The answer, or the fault in the protocol's words.
    pub(super) fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        read(self.agent.post(self.at(path)).send_json(body))
    }

    pub(super) fn delete(&self, path: &str) {
        let answer = self.agent.delete(self.at(path)).call();
        read(answer).unwrap_or_else(|fault| panic!("{path}: {fault}"));
    }

    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The browser goes first: killing chromedriver alone would leave it behind.
        // What fails here was gone already.
        let closed = self.agent.delete(&self.url).call();
        if let Err(fault) = read(closed) {
            println!("The browser did not close: {fault}");
        }
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

/// The `value` of an answer, or what went wrong in the protocol's words.
fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
    let mut answer = answer.map_err(|error| error.to_string())?;
    let body = answer.body_mut().with_config().limit(ANSWER_MAX);
    let mut answer: Value = body.read_json().map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    match value["error"].as_str() {
        Some(error) => {
            let message = value["message"].as_str().unwrap_or_default();
            Err(format!("{error}: {message}"))
        }
        None => Ok(value),
    }
}

/// chromedriver on a port that was free, in a home of its own. It takes a free port of
/// IPv4 and ends if the same one is in use on IPv6, so it may need to choose again.
fn start(home: &Path) -> (Child, u16) {
    let mut words = String::new();
    for _ in 0..STARTS_MAX {
        let mut driver = spawn(home);
        let stdout = driver.stdout.take().unwrap();
        match port(stdout) {
            Ok(port) => return (driver, port),
            Err(said) => words = said,
        }
        driver.kill().ok();
        driver.wait().ok();
    }
    panic!("chromedriver named no port, {STARTS_MAX} times; the last time it said:\n{words}");
}

fn spawn(home: &Path) -> Child {
    let started = Command::new("chromedriver")
        .arg("--port=0")
        .env("HOME", home)
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    match started {
        Ok(driver) => driver,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("chromedriver is not installed; tests/run installs it and runs these tests")
        }
        Err(error) => panic!("chromedriver: {error}"),
    }
}

/// The port that chromedriver says it listens on, or what it said instead. Its further
/// words are read and dropped, so that it never waits for us.
fn port(stdout: ChildStdout) -> Result<u16, String> {
    let (found, ports) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut said = String::new();
        loop {
            let before = said.len();
            if reader.read_line(&mut said).unwrap_or(0) == 0 {
                found.send(Err(said)).ok();
                return;
            }
            let line = said.get(before..).unwrap_or_default();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                let port = port.trim().trim_end_matches('.').parse();
                found.send(port.map_err(|_| said)).ok();
                break;
            }
        }
        drop(found);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).ok();
    });
    let silent = |_| Err("nothing for a whole minute".to_owned());
    ports.recv_timeout(TIMEOUT).unwrap_or_else(silent)
}

fn capabilities(home: &Path, scripts: Scripts) -> Value {
    let mut arguments: Vec<_> = ARGUMENTS
        .iter()
        .map(|&argument| argument.to_owned())
        .collect();
    arguments.push(format!(
        "--user-data-dir={}",
        home.join("profile").display()
    ));
    let mut options = json!({
        "args": arguments,
        "perfLoggingPrefs": { "enableNetwork": true, "enablePage": false },
    });
    if scripts == Scripts::Off {
        // Content setting 2: blocked.
        let setting = json!({ "profile.managed_default_content_settings.javascript": 2 });
        options["prefs"] = setting;
    }
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "timeouts": { "pageLoad": 30_000, "script": 30_000, "implicit": 0 },
        // A dialog that nobody expected fails the step that meets it.
        "unhandledPromptBehavior": "dismiss and notify",
    } } })
}
