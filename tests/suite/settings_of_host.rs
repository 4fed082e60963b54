//! The settings of the host with the real executable: checked, shown and explained, and read anew while it serves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::served::{expect, found, invite, until_seen};
use crate::wait;

const ANN: &str = "ann@haldenworks.example";
const BEA: &str = "bea@haldenworks.example";
const PATIENCE: Duration = Duration::from_secs(20);
/// The file that packages put into /etc.
const SHIPPED: &str = include_str!("../../packaging/doorward.toml");

/// A configuration file outside the data folder.
struct Paper(TempDir);

impl Paper {
    fn new(text: &str) -> Self {
        let paper = Self(tempfile::tempdir().unwrap());
        paper.write(text);
        paper
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("doorward.toml")
    }

    fn name(&self) -> String {
        self.path().display().to_string()
    }

    /// Closed to others, as what holds a secret should be.
    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
        fs::set_permissions(self.path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// What it printed to both streams, when it ended with this code.
#[track_caller]
fn ended(output: &Output, code: i32) -> (String, String) {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

/// Sends SIGHUP, and waits until one more of these lines stands in the log.
#[track_caller]
fn hang_up(process: &Doorward, words: &str) {
    let count = || process.output().matches(words).count();
    let before = count();
    process.signal("HUP");
    let told = wait::until(PATIENCE, || (count() > before).then_some(()));
    assert!(
        told.is_some(),
        "{words:?} was not said:\n{}",
        process.output()
    );
}

/// The lines of the log with this message, once there are so many: the test may be behind in reading them.
#[track_caller]
fn told_times(process: &Doorward, message: &str, count: usize) -> Vec<Value> {
    wait::until(PATIENCE, || {
        (told(process, message).len() >= count).then_some(())
    });
    let lines = told(process, message);
    assert_eq!(lines.len(), count, "{message:?}:\n{}", process.output());
    lines
}

/// The lines of the log with this message.
fn told(process: &Doorward, message: &str) -> Vec<Value> {
    let output = process.output();
    let lines = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["msg"] == message).collect()
}

#[test]
fn the_shipped_file_is_what_the_reference_prints() {
    let launch = Launch::serve();
    let args = ["config", "reference", "--data", "/var/lib/doorward"];
    let (printed, said) = ended(&launch.run(&args), 0);
    assert_eq!(said, "");
    assert!(
        printed == SHIPPED,
        "packaging/doorward.toml is out of date: doorward {} > packaging/doorward.toml",
        args.join(" ")
    );
    assert!(
        printed
            .lines()
            .any(|line| line == "data = \"/var/lib/doorward\"")
    );
    // It is the same whatever surrounds it, and sets nothing that is wrong.
    let launch = launch.env("DOORWARD_LISTEN", "nonsense");
    assert_eq!(ended(&launch.run(&args), 0).0, printed);
    let (_, why) = ended(&launch.run(&["config", "reference", "--listen", "here"]), 2);
    assert!(why.contains("--listen: write an address"), "{why}");
    let paper = Paper::new(&printed);
    let launch = Launch::serve();
    let (right, _) = ended(
        &launch.run(&["config", "check", "--config", &paper.name()]),
        0,
    );
    // The tests' own variable wins over the data folder of the file.
    let expected = format!(
        "The settings are right: 0 from {}, 1 by variable, 27 by default.\n",
        paper.name()
    );
    assert_eq!(right, expected);
}

#[test]
fn a_check_says_what_was_read_or_every_mistake() {
    let paper = Paper::new(
        "public_url = \"https://portal.example.com\"\n\
         smtp_url = \"smtp://ann:hidden@mail.example.com\"\n",
    );
    let name = paper.name();
    let check = ["config", "check", "--config", &name];
    let launch = Launch::serve().env("DOORWARD_LOG_LEVEL", "debug");
    let listening = [&check[..], &["--listen", "[::1]:8080"]].concat();
    let (right, warnings) = ended(&launch.run(&listening), 0);
    let expected = format!(
        "The settings are right: 2 from {name}, 1 by flag, 2 by variable, 23 by default.\n"
    );
    assert_eq!((right, warnings), (expected, String::new()));

    fs::set_permissions(paper.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let launch = launch.env("DOORWARD_SERVICE_HOST", "10.0.0.1");
    let (_, warnings) = ended(&launch.run(&check), 0);
    let lines: Vec<_> = warnings.lines().collect();
    assert!(
        lines[0].starts_with(&format!("warning: {name}: everybody")),
        "{warnings}"
    );
    assert!(
        lines[1].starts_with("warning: DOORWARD_SERVICE_HOST: no setting"),
        "{warnings}"
    );
    assert_eq!(lines.len(), 2, "{warnings}");

    paper.write(
        "smtp_ulr = \"smtp://ann:hidden@mail.example.com\"\n\
         listen 8080\n\
         backup_keep = \"7\"\n\
         session_idle = \"2\"\n",
    );
    let launch = launch.env("DOORWARD_PUBLIC_URI", "https://portal.example.com");
    let (right, mistakes) = ended(&launch.run(&check), 1);
    assert_eq!(right, "");
    let lines: Vec<_> = mistakes.lines().map(str::trim).collect();
    let expected = [
        "error: DOORWARD_PUBLIC_URI: unknown variable, did you mean `DOORWARD_PUBLIC_URL`?"
            .to_owned(),
        format!("{name}:1: unknown key `smtp_ulr`, did you mean `smtp_url`?"),
        format!(
            "{name}:2: this is no TOML (key with no value, expected `=`); a line is written as  key = \"value\""
        ),
        format!("{name}:3: backup_keep is a whole number, without quotes, like 30"),
        format!("{name}:4: session_idle: write a time like 30m, 2h or 3d"),
    ];
    assert_eq!(lines, expected);
    // The server does not start with them either, and says the same.
    let (_, refused) = ended(&launch.run(&["serve", "--config", &name]), 2);
    assert_eq!(refused, mistakes);
    let (_, missing) = ended(&launch.run(&["config", "check", "--config", "/nowhere"]), 1);
    assert!(
        missing.contains("/nowhere (named by --config): there is no such file"),
        "{missing}"
    );
}

#[test]
fn what_holds_is_shown_with_its_source_and_without_secrets() {
    let paper = Paper::new("log_level = \"debug\"\n[branding]\nname = \"Halden Works\"\n");
    let name = paper.name();
    let credentials = tempfile::tempdir().unwrap();
    let token = credentials.path().join("metrics_token");
    fs::write(&token, "hidden-hidden-hidden\n").unwrap();
    let relay = credentials.path().join("relay");
    fs::write(&relay, "smtp://ann:hidden@mail.example.com\n").unwrap();
    let launch = Launch::serve()
        .env("DOORWARD_CONFIG", &name)
        .env("DOORWARD_LOG_LEVEL", "warn")
        .env("DOORWARD_SMTP_URL_FILE", &relay)
        .env("CREDENTIALS_DIRECTORY", credentials.path());
    let show = ["config", "show", "--listen", "[::1]:9000"];
    let (text, said) = ended(&launch.run(&show), 0);
    let (json, _) = ended(&launch.run(&[&show[..], &["--json"]].concat()), 0);
    assert_eq!(said, "");
    let all: Vec<Value> = serde_json::from_str(&json).unwrap();
    let token = token.display().to_string();
    let relay = relay.display().to_string();
    for (setting, value, source, place, shown) in [
        ("listen", "[::1]:9000", "flag", "--listen", "--listen"),
        (
            "log_level",
            "warn",
            "variable",
            "DOORWARD_LOG_LEVEL",
            "variable DOORWARD_LOG_LEVEL",
        ),
        ("smtp_url", "set", "file", &relay, &format!("file {relay}")),
        (
            "metrics_token",
            "set",
            "credential",
            &token,
            &format!("credential {token}"),
        ),
        (
            "branding.name",
            "Halden Works",
            "configuration",
            &format!("{name}:3"),
            &format!("{name}:3"),
        ),
        ("public_url", "http://[::1]:9000", "default", "", "default"),
        ("tls_key", "", "default", "", "default"),
    ] {
        let one = all.iter().find(|one| one["setting"] == setting).unwrap();
        assert_eq!(
            one["value"].as_str().unwrap_or_default(),
            value,
            "{setting}"
        );
        assert_eq!(one["source"], source, "{setting}");
        assert_eq!(
            one["place"].as_str().unwrap_or_default(),
            place,
            "{setting}"
        );
        let line = text
            .lines()
            .find(|line| line.split(' ').next() == Some(setting));
        let line: Vec<_> = line
            .unwrap()
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        let value = if value.is_empty() { "not set" } else { value };
        assert_eq!(line, [setting, value, shown]);
    }
    assert!(
        !text.contains("hidden") && !json.contains("hidden"),
        "{text}"
    );
    let (_, why) = ended(&launch.run(&["config", "show", "--listen", "here"]), 2);
    assert!(why.contains("--listen"), "{why}");
}

#[test]
fn a_hangup_changes_relay_and_log_and_names_what_waits_for_a_restart() {
    // Nothing listens there: the relay is in trouble, and would be tried every half minute.
    let mut first = Relay::start(Security::Plain);
    first.stop();
    let second = Relay::start(Security::Plain);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("relay");
    fs::write(&file, first.url("")).unwrap();
    let paper = Paper::new("log_level = \"warn\"\n");
    let mut process = Launch::serve()
        .arg("--config")
        .arg(paper.path())
        .env("DOORWARD_SMTP_URL_FILE", &file)
        .env("DOORWARD_PORT_8080_TCP", "tcp://10.0.0.1:8080")
        .start();
    let strangers = told_times(
        &process,
        "no setting has this name; the variable is not looked at",
        1,
    );
    assert_eq!(strangers[0]["variable"], "DOORWARD_PORT_8080_TCP");
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    until_seen(&mut owner, "/mail", "The mail server is in trouble.");
    assert!(
        told(&process, "listening").is_empty(),
        "{}",
        process.output()
    );

    fs::write(&file, second.url("")).unwrap();
    paper.write("log_level = \"info\"\nsession_max = \"12h\"\n[branding]\nname = \"Halden\"\n");
    hang_up(&process, "the settings were read anew");
    let received = second.wait_for(1);
    assert_eq!(received[0].to, [ANN]);
    until_seen(&mut owner, "/mail", "250 2.0.0 taken");
    let waiting = told_times(&process, "these settings changed and wait for a restart", 1);
    assert_eq!(waiting[0]["settings"], "session_max, branding.name");
    told_times(&process, "mail leaves another way from now on", 1);

    // Nothing new: the relay stays as it is, and what waits is named again.
    hang_up(&process, "the settings were read anew");
    told_times(&process, "mail leaves another way from now on", 1);
    told_times(&process, "these settings changed and wait for a restart", 2);

    // Wrong ones: those before stay, the log's level too.
    fs::write(&file, "mail.example.com hidden").unwrap();
    paper.write("log_level = \"error\"\nlog_levle = \"error\"\nbackup_keep = 0\n");
    hang_up(&process, "unknown key `log_levle`");
    let wrong = told_times(&process, "the settings are wrong; those before stay", 3);
    let wrong: Vec<_> = wrong
        .iter()
        .map(|line| line["err"].as_str().unwrap())
        .collect();
    assert!(wrong[0].starts_with("DOORWARD_SMTP_URL_FILE "), "{wrong:?}");
    assert!(wrong[1].contains(":2: unknown key `log_levle`, did you mean `log_level`?"));
    assert!(
        wrong[2].contains(":3: backup_keep: a number from 1 to 1000"),
        "{wrong:?}"
    );
    assert!(!process.output().contains("hidden"));
    invite(&mut owner, BEA);
    assert_eq!(second.wait_for(2)[1].to, [BEA]);

    // Once mended they are taken, and the level is turned before anything is said.
    fs::write(&file, second.url("")).unwrap();
    paper.write("log_level = \"error\"\n");
    process.signal("HUP");
    assert_eq!(process.terminate().code(), Some(0));
    assert!(told(&process, "stopped").is_empty(), "{}", process.output());
    told_times(&process, "the settings were read anew", 2);
}

#[test]
fn mail_is_switched_on_and_off_by_a_hangup() {
    let relay = Relay::start(Security::Plain);
    let paper = Paper::new("");
    let process = Launch::serve().arg("--config").arg(paper.path()).start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    until_seen(&mut owner, "/mail", "Mail is off");
    paper.write(&format!("smtp_url = \"{}\"\n", relay.url("")));
    hang_up(&process, "the settings were read anew");
    assert_eq!(relay.wait_for(1)[0].to, [ANN]);
    until_seen(&mut owner, "/mail", "250 2.0.0 taken");
    paper.write("smtp_url = \"\"\n");
    hang_up(&process, "the settings were read anew");
    let ways: Vec<_> = told_times(&process, "mail leaves another way from now on", 2)
        .iter()
        .map(|line| line["mail"].as_str().unwrap().to_owned())
        .collect();
    assert!(ways[0].starts_with("smtp://127.0.0.1:"), "{ways:?}");
    assert_eq!(ways[1], "off");
    invite(&mut owner, BEA);
    until_seen(&mut owner, "/mail", "Mail is off");
    assert_eq!(relay.messages().len(), 1);
}

#[test]
fn a_demonstration_looks_at_nothing_that_surrounds_it() {
    let launch = Launch::demo()
        .env("DOORWARD_SMTP_ULR", "smtp://mail.example.com")
        .env("DOORWARD_BRANDING_NAME", "Halden Works");
    fs::write(launch.data().join("doorward.toml"), "nonsense").unwrap();
    let demo = launch.start();
    let page = expect(Client::new(demo.address()).get("/sign-in"), 200);
    assert!(!page.text().contains("Halden Works"), "{}", page.text());
}
