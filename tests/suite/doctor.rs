//! `doorward doctor` with the real executable: beside a server and without one, behind proxies of every habit, and with
//! a relay and a name server that misbehave.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::backups::{ended, names};
use crate::client::Client;
use crate::encrypted::Pair;
use crate::name_server::{NameServer, Record};
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security, Step, Twist};
use crate::served;
use crate::wait;

/// What doctor found, by the names of its checks.
struct Found {
    code: Option<i32>,
    json: Value,
}

impl Found {
    #[track_caller]
    fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        let Ok(json) = serde_json::from_str(&text) else {
            panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
        };
        Self {
            code: output.status.code(),
            json,
        }
    }

    /// Level, sentence and advice of each finding of this check.
    fn all(&self, check: &str) -> Vec<(&str, String)> {
        let findings = self.json["findings"].as_array().unwrap();
        findings
            .iter()
            .filter(|finding| finding["check"] == check)
            .map(|finding| {
                let sentence = finding["sentence"].as_str().unwrap();
                let advice = finding["advice"].as_str().unwrap_or_default();
                let level = finding["level"].as_str().unwrap();
                // Whatever is not as it should be says what to do.
                assert!(level == "ok" || !advice.is_empty(), "{sentence}");
                (level, format!("{sentence} -> {advice}"))
            })
            .collect()
    }

    /// Whether some check advises this, word for word.
    fn advises(&self, words: &str) -> bool {
        let findings = self.json["findings"].as_array().unwrap();
        let mut advice = findings.iter().filter_map(|one| one["advice"].as_str());
        advice.any(|advice| advice.contains(words))
    }

    /// Fails unless the check found this, with these words in what it says.
    #[track_caller]
    fn says(&self, check: &str, level: &str, words: &str) {
        let all = self.all(check);
        assert!(
            all.iter()
                .any(|(found, text)| *found == level && text.contains(words)),
            "{check}: {all:#?}"
        );
    }
}

#[track_caller]
fn look(doorward: &Doorward, args: &[&str]) -> Found {
    let all = [&["doctor", "--json"], args].concat();
    Found::of(&doorward.run(&all))
}

/// The port of a server.
fn port(doorward: &Doorward) -> &str {
    doorward.address().rsplit(':').next().unwrap()
}

/// Every file of a folder: its bytes, rights, owner, and when it was changed.
type State = BTreeMap<String, (Vec<u8>, u32, SystemTime)>;

fn state(folder: &Path) -> State {
    fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        // A killed server leaves the folder of its private socket.
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let found = entry.metadata().unwrap();
            let name = entry.file_name().into_string().unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            let rights = found.permissions().mode();
            (name, (bytes, rights, found.modified().unwrap()))
        })
        .collect()
}

#[test]
fn a_young_install_has_warnings_and_nothing_wrong() {
    let doorward = Launch::serve().start();
    let found = look(&doorward, &[]);
    assert_eq!(found.code, Some(0), "{:#}", found.json);
    found.says("server", "ok", "is ready");
    found.says("version", "ok", "serves this data folder");
    found.says("public_url", "warning", "is not set");
    found.says("relay", "warning", "Mail is off");
    found.says("setup", "warning", "Nobody has set up");
    found.says("folder", "ok", "its owner alone");
    found.says("key", "ok", "keep a copy of it elsewhere");
    found.says("schema", "ok", "Schema version");
    found.says("integrity", "ok", "no damage");
    found.says("audit", "ok", "what it was");
    found.says("age", "ok", "the first night");
    let deep = look(&doorward, &["--deep"]);
    deep.says("integrity", "ok", "All of it is whole");

    let output = doorward.run(&["doctor"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("\nServer\n  ok       It answers at "),
        "{text}"
    );
    assert!(text.contains("\n           -> Set public_url to"), "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.contains(" warnings, ") && last.ends_with(" ok."),
        "{last}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 110),
        "{text}"
    );
}

#[test]
fn looking_changes_nothing_with_and_without_a_server() {
    let mut doorward = Launch::serve().start();
    served::found(&doorward);
    doorward.kill9();
    let killed = state(doorward.data());
    assert!(
        killed.contains_key("doorward.db-wal"),
        "{:?}",
        killed.keys()
    );
    let found = look(&doorward, &["--deep"]);
    found.says("server", "warning", "Start it");
    assert_eq!(state(doorward.data()), killed, "of a killed one");

    doorward.restart();
    assert_eq!(doorward.terminate().code(), Some(0));
    let ended = state(doorward.data());
    look(&doorward, &[]).says("integrity", "ok", "no damage");
    assert_eq!(state(doorward.data()), ended, "of one that ended");

    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("nowhere");
    let found = look(&doorward, &["--data", nowhere.to_str().unwrap()]);
    found.says("folder", "warning", "is not there yet");
    assert_eq!(found.code, Some(0), "{:#}", found.json);
    assert!(!nowhere.exists());
}

#[test]
fn settings_that_cannot_be_read_are_findings_too() {
    let launch = Launch::serve();
    let found = Found::of(&launch.run(&["doctor", "--json", "--session-max", "soon"]));
    assert_eq!(found.code, Some(1));
    found.says("config", "wrong", "--session-max");

    let launch = Launch::serve().env("DOORWARD_WORKSPACE", "1");
    let found = Found::of(&launch.run(&[
        "doctor",
        "--json",
        "--session-max",
        "90d",
        "--public-url",
        "http://portal.example.com",
        "--insecure-http",
        "--trusted-proxies",
        "0.0.0.0/0,10.0.0.0/8",
        "--metrics-listen",
        "0.0.0.0:9464",
    ]));
    assert_eq!(found.code, Some(1));
    found.says("config", "warning", "DOORWARD_WORKSPACE");
    found.says("session_max", "warning", "90 days");
    found.says("encryption", "wrong", "without encryption");
    found.says("trusted_proxies", "wrong", "0.0.0.0/0");
    assert_eq!(found.all("trusted_proxies").len(), 1);
    found.says("metrics_listen", "warning", "0.0.0.0:9464");
}

#[test]
fn rights_owners_and_secrets_are_looked_at() {
    let mut doorward = Launch::serve().start();
    doorward.terminate();
    let open = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let database = doorward.data().join("doorward.db");
    open(&database, 0o644);
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "smtp://ann:hunter2@127.0.0.1:1").unwrap();
    open(secret.path(), 0o604);
    let found = look(&doorward, &[]);
    assert_eq!(found.code, Some(1));
    found.says("rights", "wrong", "doorward.db. -> Close it: chmod");
    assert!(!found.all("rights")[0].1.contains("secret.key"));
    open(&database, 0o600);

    let launch = Launch::serve().env("DOORWARD_SMTP_URL_FILE", secret.path());
    let data = doorward.data().to_str().unwrap().to_owned();
    let output = launch.run(&["doctor", "--json", "--data", &data]);
    let found = Found::of(&output);
    found.says("secrets", "wrong", "chmod o= ");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("hunter2"));

    let key = doorward.data().join("secret.key");
    open(&key, 0o640);
    look(&doorward, &[]).says("key", "wrong", "chmod 600");
    open(&key, 0o600);
    let foreign = std::os::unix::fs::chown(&database, Some(12_345), None);
    if foreign.is_ok() {
        // Only root can give a file away.
        look(&doorward, &[]).says(
            "owner",
            "wrong",
            "doorward.db. -> Give it to the folder's owner",
        );
    }
}

#[test]
fn a_key_or_a_file_that_is_not_ours_is_found() {
    let mut doorward = Launch::serve().start();
    doorward.terminate();
    let mut other = Launch::serve().start();
    other.terminate();
    let key = doorward.data().join("secret.key");
    let right = fs::read(&key).unwrap();
    fs::copy(other.data().join("secret.key"), &key).unwrap();
    look(&doorward, &[]).says("key", "wrong", "belongs to another key");
    fs::remove_file(&key).unwrap();
    let found = look(&doorward, &[]);
    found.says("key", "wrong", "no secret.key");
    found.says("audit", "ok", "was not checked");
    fs::write(&key, right).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();

    let database = doorward.data().join("doorward.db");
    let mut bytes = fs::read(&database).unwrap();
    let whole = bytes.clone();
    for byte in &mut bytes[200_704..241_664] {
        *byte ^= 0x5a;
    }
    fs::write(&database, bytes).unwrap();
    let found = look(&doorward, &[]);
    assert_eq!(found.code, Some(1));
    found.says("integrity", "wrong", "doorward restore FILE");
    fs::write(&database, &whole[..4096 * 3]).unwrap();
    let found = look(&doorward, &[]);
    assert_eq!(found.code, Some(1));
    found.says("schema", "wrong", "doorward restore FILE");
    fs::write(&database, "no database at all").unwrap();
    look(&doorward, &[]).says("schema", "wrong", "doorward.db");

    // With a backup there the way back is a line that can be typed.
    fs::write(&database, &whole).unwrap();
    ended(&doorward.run(&["backup"]), 0);
    let backups = doorward.data().join("backups");
    let backup = backups.join(&names(&backups)[0]);
    let line = format!(
        "doorward restore --data {} {}",
        doorward.data().display(),
        backup.display()
    );
    for (harm, says) in [
        (Some(&whole[..4096 * 3]), "cannot be used"),
        (None, "holds secret.key and no doorward.db"),
    ] {
        match harm {
            Some(bytes) => fs::write(&database, bytes).unwrap(),
            None => fs::remove_file(&database).unwrap(),
        }
        let found = look(&doorward, &[]);
        assert_eq!(found.code, Some(1));
        found.says("schema", "wrong", says);
        assert!(found.advises(&line), "{:#}", found.json);
    }
    // What was put back knows of no backup; it lies there all the same.
    ended(
        &doorward.run(&["restore", "--yes", backup.to_str().unwrap()]),
        0,
    );
    look(&doorward, &[]).says("age", "ok", backup.to_str().unwrap());
}

#[test]
fn backups_accounts_and_the_log_are_looked_at() {
    let mut doorward = Launch::serve().start();
    served::found(&doorward);
    doorward.terminate();
    let found = look(&doorward, &[]);
    found.says("owner", "warning", "password alone");
    found.says("masters", "warning", "single Master");
    found.says("organisations", "ok", "1 organisation");
    look(&doorward, &["--backup-time", "off"]).says("nightly", "warning", "backup_time is off");

    let backup = doorward.run(&["backup"]);
    assert_eq!(backup.status.code(), Some(0), "{backup:?}");
    let found = look(&doorward, &[]);
    found.says("age", "ok", "The last one is ");
    let conn = rusqlite::Connection::open(doorward.data().join("doorward.db")).unwrap();
    let place = conn
        .query_row("SELECT place FROM backups", [], |row| {
            row.get::<_, String>(0)
        })
        .unwrap();
    let change = |sql: &str| conn.execute_batch(sql).unwrap();
    change("UPDATE policies SET level = 'off' WHERE role = 'master'");
    look(&doorward, &[]).says("policy", "warning", "Halden Works");
    change("UPDATE backups SET began_at = began_at - 260000, ended_at = ended_at - 260000");
    look(&doorward, &[]).says("age", "warning", "3 days old");
    change(
        "INSERT INTO backups (cause, began_at, ended_at, place, failure)
         SELECT 'nightly', ended_at + 100, ended_at + 100, 'x', 'the disk is full' FROM backups",
    );
    let found = look(&doorward, &[]);
    assert_eq!(found.code, Some(1));
    found.says("failure", "wrong", "the disk is full");
    change("DELETE FROM backups WHERE failure IS NOT NULL");
    fs::remove_file(&place).unwrap();
    look(&doorward, &[]).says("place", "warning", &place);

    // Somebody writes to the log by hand, and the clock is a week behind what stands in the file.
    change(
        "DROP TRIGGER audit_events_stay;
         UPDATE audit_events SET at = at + 608400 WHERE number = (SELECT max(number) FROM audit_events);",
    );
    let found = look(&doorward, &[]);
    assert_eq!(found.code, Some(1));
    found.says("audit", "wrong", "not what it was");
    found.says("clock", "wrong", "7 days from now");
}

#[test]
fn an_older_and_a_newer_file_are_told_from_each_other() {
    let mut doorward = Launch::serve().start();
    doorward.terminate();
    let path = doorward.data().join("doorward.db");
    let version = |version: i64| {
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
    };
    version(99);
    let found = look(&doorward, &[]);
    assert_eq!(found.code, Some(1));
    found.says("schema", "wrong", "schema version 99");
    version(3);
    look(&doorward, &[]).says("schema", "warning", "Start doorward serve");
}

#[test]
fn a_relay_is_logged_in_to_and_gets_no_mail() {
    let relay = Relay::start(Security::StartTls);
    relay.ask_for_login("ann", "hunter2");
    let server = NameServer::start();
    let address = server.address().to_string();
    let launch = |login: &str| {
        let launch = Launch::serve()
            .env("DOORWARD_SMTP_URL", relay.url(login))
            .env("DOORWARD_MAIL_FROM", "portal@no.example");
        let output = launch.run(&["doctor", "--json", "--name-server", &address]);
        assert!(!String::from_utf8_lossy(&output.stdout).contains("hunter2"));
        Found::of(&output)
    };
    let found = launch("ann:hunter2@");
    found.says("relay", "ok", "takes the login");
    found.says("mx", "wrong", "There is no domain no.example");
    launch("ann:wrong@").says("relay", "wrong", "535");
    relay.at(Step::Auth, Twist::Say("535 5.7.8 hunter2 is wrong"));
    launch("ann:hunter2@").says("relay", "wrong", "535 5.7.8 *** is wrong");
    relay.at(Step::Hello, Twist::HangUp);
    launch("ann:hunter2@").says("relay", "wrong", "closed the connection");
    assert_eq!(relay.messages().len(), 0);

    let launch = Launch::serve().env("DOORWARD_SMTP_URL", "smtp://127.0.0.1:1");
    let found = Found::of(&launch.run(&["doctor", "--json"]));
    found.says("relay", "wrong", "Cannot connect to 127.0.0.1:1");
    found.says("mail_from", "warning", "portal@localhost");
    let flagged = format!("--smtp-url={}", relay.url("ann:hunter2@"));
    let found = Found::of(&launch.run(&["doctor", "--json", &flagged]));
    found.says("smtp_url", "warning", "on the command line");
}

#[test]
fn the_domain_of_mails_is_judged_by_its_records() {
    use Record::{Failure, Mx, Silence, Txt};
    let relay = Relay::start(Security::Plain);
    let server = NameServer::start();
    let address = server.address().to_string();
    let launch = Launch::serve()
        .env("DOORWARD_SMTP_URL", relay.url(""))
        .env("DOORWARD_PUBLIC_URL", "http://localhost")
        .env("DOORWARD_MAIL_FROM", "Portal <portal@mail.a.example>");
    let look = |domain: &[Record], dmarc: Option<&[Record]>| {
        server.know("mail.a.example", domain);
        if let Some(dmarc) = dmarc {
            server.know("_dmarc.a.example", dmarc);
        }
        Found::of(&launch.run(&["doctor", "--json", "--name-server", &address]))
    };
    let mx = Mx(10, "mx.a.example");

    let found = look(&[], None);
    found.says("mx", "warning", "has no MX record");
    found.says("spf", "warning", "has no SPF record");
    found.says("spf", "warning", "v=spf1 mx -all");
    found.says("dmarc", "warning", "_dmarc.mail.a.example");
    let found = look(
        &[
            mx.clone(),
            Txt(&["v=spf1 include:b.example ", "~all"]),
            Txt(&["v=spf10 x"]),
        ],
        Some(&[Txt(&["v=DMARC1; p=none"])]),
    );
    found.says("mx", "ok", "taken by mx.a.example");
    found.says("spf", "ok", "v=spf1 include:b.example ~all");
    found.says("dmarc", "ok", "a.example has a DMARC policy");
    look(&[Mx(0, ""), Txt(&["v=spf1 mx"])], None).says("mx", "warning", "takes no mail");
    let found = look(
        &[mx.clone(), Txt(&["v=spf1 mx"])],
        Some(&[Txt(&["v=DMARC1; p=none"]), Txt(&["v=DMARC1; p=reject"])]),
    );
    found.says("spf", "warning", "does not end in -all or ~all");
    found.says("dmarc", "warning", "2 DMARC records");
    look(&[mx.clone(), Txt(&["v=spf1 +all"])], None).says("spf", "wrong", "anybody");
    look(
        &[
            mx.clone(),
            Txt(&["v=spf1 mx -all"]),
            Txt(&["v=spf1 a -all"]),
        ],
        None,
    )
    .says("spf", "wrong", "2 SPF records");
    server.know("spf.b.example", &[Txt(&["v=spf1 mx -all"])]);
    look(&[mx.clone(), Txt(&["v=spf1 redirect=spf.b.example"])], None).says(
        "spf",
        "ok",
        "who may send",
    );
    look(&[mx, Txt(&["v=spf1 redirect=no.example"])], None).says(
        "spf",
        "warning",
        "cannot be found",
    );
    look(&[Failure], None).says("mx", "warning", "ServerFailure");
    look(&[Silence], None).says("mx", "warning", "no name server answered");
}

/// What a proxy does with a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Passes on what came, as it is.
    Silent,
    /// Says for whom it asks, and drops what visitors said.
    Replaces,
    /// The same, and gives another name.
    Renames,
    /// Sends people elsewhere.
    Redirects,
    /// Does not reach the server.
    Fails,
}

/// A proxy with TLS on a free port: passes requests on to the server, one a connection.
fn proxy(pair: &Pair, server: &str, habit: Habit) -> String {
    let chain: Vec<_> = CertificateDer::pem_file_iter(pair.cert())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_file(pair.key()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = server.trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(tls, stream.unwrap());
            // Who does not like the certificate is gone by now.
            if let Some(head) = head(&mut stream) {
                stream.write_all(&passed_on(&head, &server, habit)).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        }
    });
    format!("https://0.0.0.0:{port}")
}

fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(String::from_utf8(head).unwrap())
}

fn passed_on(head: &str, server: &str, habit: Habit) -> Vec<u8> {
    match habit {
        Habit::Redirects => {
            return b"HTTP/1.1 301 Moved\r\nLocation: https://www.example.com/\r\nContent-Length: 0\r\n\r\n".to_vec();
        }
        Habit::Fails => {
            return b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno\n".to_vec();
        }
        Habit::Silent | Habit::Replaces | Habit::Renames => {}
    }
    let mut lines: Vec<String> = head.trim_end().split("\r\n").map(str::to_owned).collect();
    let drop_all = |lines: &mut Vec<String>, name: &str| {
        lines.retain(|line| !line.to_ascii_lowercase().starts_with(name));
    };
    if habit != Habit::Silent {
        drop_all(&mut lines, "x-forwarded-for:");
        lines.push("X-Forwarded-For: 198.51.100.9".to_owned());
    }
    if habit == Habit::Renames {
        drop_all(&mut lines, "host:");
        lines.push("Host: backend.internal:8080".to_owned());
    }
    let mut inner = TcpStream::connect(server).unwrap();
    write!(inner, "{}\r\n\r\n", lines.join("\r\n")).unwrap();
    let mut answer = Vec::new();
    inner.read_to_end(&mut answer).unwrap();
    answer
}

/// A server behind a proxy of that habit, and what doctor finds; `trusted` is the server's and doctor's setting.
#[track_caller]
fn behind(pair: &Pair, habit: Habit, trusted: Option<&str>) -> Found {
    let mut launch = Launch::serve().env("SSL_CERT_FILE", pair.cert());
    if let Some(trusted) = trusted {
        launch = launch.env("DOORWARD_TRUSTED_PROXIES", trusted);
    }
    let doorward = launch.arg("--public-url").arg("https://0.0.0.0").start();
    let url = proxy(pair, doorward.address(), habit);
    look(&doorward, &["--public-url", &url])
}

#[test]
fn a_proxy_that_does_what_it_should_is_well() {
    let pair = Pair::ending_in(60);
    let found = behind(&pair, Habit::Replaces, Some("127.0.0.1"));
    assert_eq!(found.code, Some(0), "{:#}", found.json);
    found.says("address", "ok", "it is this server");
    found.says("certificate", "ok", "days more");
    found.says("forwarded", "ok", "198.51.100.9");
}

#[test]
fn a_proxy_that_is_not_trusted_is_named() {
    let pair = Pair::ending_in(9);
    let found = behind(&pair, Habit::Replaces, None);
    assert_eq!(found.code, Some(0), "{:#}", found.json);
    found.says("certificate", "warning", "The certificate ends in ");
    found.says("trusted_proxies", "warning", "names none");
    found.says("forwarded", "warning", "trusted_proxies = [\"127.0.0.1\"]");
    let silent = behind(&pair, Habit::Silent, None);
    silent.says("forwarded", "warning", "does not say for whom it asks");
}

#[test]
fn a_proxy_that_lets_visitors_say_who_they_are_is_wrong() {
    let found = behind(&Pair::new(), Habit::Silent, Some("127.0.0.1"));
    assert_eq!(found.code, Some(1));
    found.says(
        "forwarded",
        "wrong",
        "Whoever sends X-Forwarded-For is believed",
    );
}

#[test]
fn a_proxy_that_leads_elsewhere_is_wrong() {
    let pair = Pair::new();
    let found = behind(&pair, Habit::Renames, Some("127.0.0.1"));
    assert_eq!(found.code, Some(1));
    found.says("host", "wrong", "for the host backend.internal");
    let found = behind(&pair, Habit::Redirects, Some("127.0.0.1"));
    found.says("address", "wrong", "on to https://www.example.com/");
    let found = behind(&pair, Habit::Fails, Some("127.0.0.1"));
    found.says(
        "address",
        "wrong",
        "502: the proxy does not reach the server",
    );

    let other = Launch::serve()
        .arg("--public-url")
        .arg("https://0.0.0.0")
        .start();
    let doorward = Launch::serve().env("SSL_CERT_FILE", pair.cert()).start();
    let url = proxy(&pair, other.address(), Habit::Replaces);
    let found = look(&doorward, &["--public-url", &url]);
    found.says("address", "wrong", "it is not this server");
    found.says("version", "ok", "serves this data folder");
    let found = look(
        &doorward,
        &["--listen", other.address().trim_start_matches("http://")],
    );
    found.says("version", "wrong", "another key");
}

#[test]
fn a_certificate_that_browsers_refuse_is_wrong() {
    let (known, ended) = (Pair::new(), Pair::ending_in(-2));
    let doorward = Launch::serve()
        .env("SSL_CERT_FILE", known.cert())
        .env("DOORWARD_TRUSTED_PROXIES", "127.0.0.1")
        .arg("--public-url")
        .arg("https://0.0.0.0")
        .start();
    let unknown = proxy(&Pair::new(), doorward.address(), Habit::Replaces);
    let found = look(&doorward, &["--public-url", &unknown]);
    assert_eq!(found.code, Some(1));
    found.says("address", "wrong", "its authority is not known here");
    // What else there is to see is seen all the same.
    found.says("address", "ok", "it is this server");
    let ended = proxy(&ended, doorward.address(), Habit::Replaces);
    let found = look(&doorward, &["--public-url", &ended]);
    found.says("certificate", "wrong", "The certificate ended on");
    let nobody = look(&doorward, &["--public-url", "https://0.0.0.0:1"]);
    nobody.says("address", "wrong", "takes no connection");
    let nameless = look(&doorward, &["--public-url", "https://portal.invalid"]);
    nameless.says("address", "wrong", "portal.invalid");
    let plain = format!("https://0.0.0.0:{}", port(&doorward));
    let plain = look(&doorward, &["--public-url", &plain]);
    assert_eq!(plain.all("address")[0].0, "wrong");
}

#[test]
fn a_certificate_that_signed_itself_is_refused_in_a_sentence() {
    let own = Pair::of_an_authority();
    // Told to believe it, browsers and we refuse it all the same.
    let doorward = Launch::serve()
        .env("SSL_CERT_FILE", own.cert())
        .env("DOORWARD_TRUSTED_PROXIES", "127.0.0.1")
        .arg("--public-url")
        .arg("https://0.0.0.0")
        .start();
    let url = proxy(&own, doorward.address(), Habit::Replaces);
    let found = look(&doorward, &["--public-url", &url]);
    found.says(
        "address",
        "wrong",
        "refused, by browsers too: it signed itself",
    );
}

#[test]
fn a_renewed_certificate_that_was_not_read_is_told() {
    let (pair, newer) = (Pair::new(), Pair::ending_in(300));
    let doorward = Launch::serve()
        .env("SSL_CERT_FILE", pair.cert())
        .env("DOORWARD_TLS_CERT", pair.cert())
        .env("DOORWARD_TLS_KEY", pair.key())
        .arg("--public-url")
        .arg("https://0.0.0.0")
        .start();
    let url = format!("https://0.0.0.0:{}", port(&doorward));
    let found = look(&doorward, &["--public-url", &url]);
    found.says("address", "ok", "it is this server");
    found.says("forwarded", "ok", "No proxy");
    assert_eq!(found.all("certificate").len(), 1);
    let newer = newer.cert().to_str().unwrap().to_owned();
    let found = look(&doorward, &["--public-url", &url, "--tls-cert", &newer]);
    found.says("certificate", "warning", "still shows another certificate");
}

#[test]
fn only_the_install_itself_is_told_how_requests_arrive() {
    let doorward = Launch::serve().start();
    let mut visitor = Client::new(doorward.address());
    let plain = visitor.get("/healthz").body;
    let nonce = "00".repeat(16);
    let forged = format!("1795536000.{nonce}.{}", "0".repeat(64));
    for (name, value) in [
        ("Doorward-Probe", "x"),
        ("Doorward-Probe", &forged),
        ("Gate-Came", "192.0.2.1 0 trusted"),
    ] {
        let asked = visitor.send("GET", "/healthz", &[(name, value)], "");
        assert_eq!(asked.body, plain, "{name}: {value}");
    }
}

#[test]
fn a_proxy_that_is_not_believed_is_told_of_in_the_log_once() {
    let mut doorward = Launch::serve().start();
    let mut proxy = Client::new(doorward.address());
    for _ in 0..3 {
        let forwarded = [("X-Forwarded-For", "198.51.100.7")];
        proxy.send("GET", "/sign-in", &forwarded, "");
    }
    // Its output is read by a thread of the test, which may be behind: it has all once the process is over.
    let told = "X-Forwarded-For is not believed";
    wait::until(Duration::from_secs(10), || {
        doorward.output().contains(told).then_some(())
    });
    assert_eq!(doorward.terminate().code(), Some(0));
    let log = doorward.output();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(told)).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains(r#""peer":"127.0.0.1""#), "{}", lines[0]);

    let trusting = Launch::serve()
        .arg("--trusted-proxies")
        .arg("127.0.0.1")
        .start();
    let mut proxy = Client::new(trusting.address());
    proxy.send(
        "GET",
        "/sign-in",
        &[("X-Forwarded-For", "198.51.100.7")],
        "",
    );
    assert!(!trusting.output().contains("not believed"));
}
