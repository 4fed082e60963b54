//! Litestream, as others wrote it, beside a running server: what it has shipped is there after both were killed, whole,
//! and serves again. `tests/run` installs it; where it is not, the test says so and does not run.

use std::fs::{self, Permissions};
use std::io::{Write as _, stderr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::backups::ended;
use crate::client::Client;
use crate::process::{Doorward, Launch};
use crate::served::{OWNER, expect, found, sign_in};
use crate::wait;

/// Where `tests/run` puts it, and what a test that ran leaves.
const PROGRAM: &str = "target/tools/litestream/bin/litestream";
const LOG: &str = "target/litestream.log";
const SHIPPED: &str = include_str!("../../packaging/litestream.yml");
const PATIENCE: Duration = Duration::from_secs(60);
/// So many invitations write several times what SQLite folds into the file at once: 1,000 pages.
const WRITES: usize = 150;

/// Litestream beside a data folder, by the settings we ship.
struct Litestream {
    child: Child,
    config: PathBuf,
    database: PathBuf,
}

impl Litestream {
    fn start(data: &Path, around: &Path) -> Self {
        let database = data.join("doorward.db");
        let config = around.join("litestream.yml");
        let text = SHIPPED
            .replace("/var/lib/doorward/doorward.db", database.to_str().unwrap())
            .replace(
                "/mnt/backup/doorward",
                around.join("replica").to_str().unwrap(),
            );
        assert!(text.contains(around.to_str().unwrap()));
        fs::write(&config, text).unwrap();
        let log = fs::File::create(LOG).unwrap();
        let child = Command::new(PROGRAM)
            .args(["replicate", "-config"])
            .arg(&config)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            config,
            database,
        }
    }

    /// What the replica has now, as a file; none while it has nothing.
    fn restore(&self, to: &Path) -> Option<()> {
        let output = Command::new(PROGRAM)
            .args(["restore", "-config"])
            .arg(&self.config)
            .arg("-force")
            .arg("-o")
            .arg(to)
            .arg(&self.database)
            .output()
            .unwrap();
        output.status.success().then_some(())
    }

    fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Litestream {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn emails(file: &Path) -> Vec<String> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = conn.prepare("SELECT email FROM accounts").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Invites one after the other; notes each that was acknowledged.
fn invite_on(
    process: &Doorward,
    owner: &Client,
    stop: &AtomicBool,
    told: &Mutex<Vec<String>>,
    name: &str,
) {
    let mut client = Client::new(process.address());
    client.plant("session", &owner.cookie("session").unwrap().value);
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let email = format!("{name}{number}@haldenworks.example");
        let fields = [("email", email.as_str()), ("role", "member")];
        let page = client.try_get("/iam/accounts/new");
        if page.is_none_or(|page| page.status != 200) {
            return;
        }
        match client.try_post_form("/iam/accounts", &fields) {
            Some(page) if page.status == 303 => told.lock().unwrap().push(email),
            Some(page) if page.status == 503 || page.status == 429 => {}
            Some(page) => panic!("{page:#?}"),
            None => return,
        }
    }
}

#[test]
fn what_litestream_has_shipped_is_whole_and_serves_again() {
    if !Path::new(PROGRAM).exists() {
        writeln!(
            stderr(),
            "litestream is not installed: nothing was tried with it"
        )
        .unwrap();
        return;
    }
    let around = tempfile::tempdir().unwrap();
    let mut process = Launch::serve().start();
    let owner = found(&process);
    let mut litestream = Litestream::start(process.data(), around.path());
    let (stop, told) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let look = around.path().join("look.db");
    let shipped = thread::scope(|scope| {
        scope.spawn(|| invite_on(&process, &owner, &stop, &told, "a"));
        scope.spawn(|| invite_on(&process, &owner, &stop, &told, "b"));
        wait::until(PATIENCE, || {
            (told.lock().unwrap().len() >= WRITES).then_some(())
        })
        .expect("the writes took too long");
        // What was acknowledged so far arrives in the replica, while more is written.
        let early = told.lock().unwrap().clone();
        wait::until(PATIENCE, || {
            litestream.restore(&look)?;
            let there = emails(&look);
            early
                .iter()
                .all(|email| there.contains(email))
                .then_some(())
        })
        .expect("what was written never arrived in the replica");
        litestream.kill9();
        let killed = process.run(&["audit", "verify"]);
        stop.store(true, Ordering::SeqCst);
        ended(&killed, 0);
        early
    });
    process.kill9();

    let file = around.path().join("restored.db");
    litestream.restore(&file).unwrap();
    let there = emails(&file);
    for email in &shipped {
        assert!(there.contains(email), "{email} was shipped, and is lost");
    }
    // Another machine: the key was put there first.
    let other = Launch::serve();
    fs::set_permissions(other.data(), Permissions::from_mode(0o700)).unwrap();
    fs::copy(
        process.data().join("secret.key"),
        other.data().join("secret.key"),
    )
    .unwrap();
    let path = file.to_str().unwrap();
    let verified = ended(&other.run(&["backup", "--verify", path]), 0);
    assert!(verified.contains("Verified       yes"), "{verified}");
    ended(&other.run(&["restore", path, "--yes"]), 0);
    let mut other = other.start();
    let mut owner = Client::new(other.address());
    sign_in(&mut owner, OWNER);
    expect(owner.get("/iam/accounts"), 200);
    ended(&other.run(&["audit", "verify"]), 0);

    // It goes on there, through an orderly stop and a start of the server.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut litestream = Litestream::start(other.data(), elsewhere.path());
    wait::until(PATIENCE, || litestream.restore(&look)).expect("nothing arrived");
    other.terminate();
    other.restart();
    let created = other.run(&[
        "account",
        "create",
        "--email",
        "late@haldenworks.example",
        "--role",
        "member",
    ]);
    ended(&created, 0);
    wait::until(PATIENCE, || {
        litestream.restore(&look)?;
        emails(&look)
            .contains(&"late@haldenworks.example".to_owned())
            .then_some(())
    })
    .expect("after a stop nothing is shipped any more");
    litestream.kill9();
    ended(
        &other.run(&["backup", "--verify", look.to_str().unwrap()]),
        0,
    );
}
