//! Backups: made by night and by hand, whole or not at all, for their owner's eyes alone, without the key; and what is
//! told when none could be made.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use doorward::backups::{IfTaken, by_hand_name, made_at, make, prune};
use doorward::domain::role::Role;
use doorward::kit::mail::{Cause, Failure};
use doorward::kit::random::{OsRandom, bytes};
use doorward::kit::time::{DAY, HOUR, MINUTE};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::client::Client;
use crate::portal::{OWNER, Portal, START};
use crate::process::{Doorward, Launch};
use crate::served::{expect, found};
use crate::wait;

/// The second of the day at which backups are made, and when that is next.
const AT: i64 = 2 * HOUR + 30 * MINUTE;
const NIGHT: i64 = DAY - START.0.rem_euclid(DAY) + AT;
const FIRST: &str = "doorward-2026-11-25T02-30-59Z.db";

fn nightly() -> Portal {
    Portal::build()
        .settings(|settings| settings.backups.at = Some(AT))
        .start()
}

/// The names of what lies in a folder, sorted; none where there is no folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = found
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn folder(portal: &Portal) -> PathBuf {
    portal.app().settings.backups.folder.clone()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it printed to both streams, when it ended with this code.
#[track_caller]
pub(crate) fn ended(output: &Output, code: i32) -> String {
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn readyz(portal: &Portal) -> Value {
    serde_json::from_str(&portal.visitor().get("/readyz").answers(200).html()).unwrap()
}

fn told(portal: &Portal) -> Vec<String> {
    let mails = portal.mails().into_iter();
    let mut told: Vec<String> = mails
        .filter(|mail| mail.subject == "No backup could be made at portal.example.com")
        .map(|mail| mail.to)
        .collect();
    told.sort();
    told
}

#[test]
fn one_is_made_every_night_and_said_on_the_settings_page() {
    let portal = nightly();
    let mut owner = portal.owner();
    owner
        .get("/settings")
        .sees("There is no backup yet.")
        .sees("One is made every night");
    portal.travel(NIGHT - 1);
    portal.work_through();
    assert_eq!(names(&folder(&portal)), [""; 0]);
    // It is looked at once a minute.
    portal.travel(MINUTE);
    portal.work_through();
    assert_eq!(names(&folder(&portal)), [FIRST]);
    let file = folder(&portal).join(FIRST);
    assert_eq!((mode(&file), mode(&folder(&portal))), (0o600, 0o700));
    let rows: Vec<String> = portal.ask(
        "SELECT cause || ' ' || began_at || ' ' || place || ' ' || bytes || ' ' || (failure IS NULL) FROM backups",
    );
    let size = fs::metadata(&file).unwrap().len();
    let began = START.plus(NIGHT + 59).0;
    assert_eq!(
        rows,
        [format!("nightly {began} {} {size} 1", file.display())]
    );
    let mut owner = portal.owner();
    owner
        .get("/settings")
        .sees("Last backup 25 Nov 2026, 02:30 UTC, ")
        .sees("kB, verified.");
    // Once a night.
    portal.travel(HOUR);
    portal.work_through();
    portal.restart(|_, _| {});
    portal.work_through();
    assert_eq!(names(&folder(&portal)).len(), 1);
    assert_eq!(readyz(&portal)["status"], "ready");
    assert!(told(&portal).is_empty());
    // A member reads nothing of it.
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    mia.get("/settings").answers(403);
}

#[test]
fn the_last_seven_nights_are_kept_and_whatever_else_lies_there() {
    let portal = nightly();
    portal.owner();
    let others = [
        "pre-0.1.0.db",
        "doorward-by-hand-2020-01-01T00-00-00Z.db",
        "doorward-2020-01-01.db",
        "family.jpg",
    ];
    fs::create_dir(folder(&portal)).unwrap();
    for name in others {
        fs::write(folder(&portal).join(name), "").unwrap();
    }
    portal.travel(NIGHT + 1 - DAY);
    for night in 1..=10_usize {
        portal.travel(DAY);
        portal.work_through();
        assert_eq!(
            names(&folder(&portal)).len(),
            others.len() + night.min(7),
            "night {night}"
        );
    }
    let left = names(&folder(&portal));
    for name in others {
        assert!(left.contains(&name.to_owned()), "{name}");
    }
    assert!(!left.contains(&"doorward-2026-11-27T02-30-01Z.db".to_owned()));
    assert!(left.contains(&"doorward-2026-11-28T02-30-01Z.db".to_owned()));
}

/// The days of all nightly backups, by their names.
fn days(portal: &Portal) -> Vec<String> {
    let names = names(&folder(portal));
    let day = |name: &String| {
        let (day, _) = name.split_once('T').unwrap();
        day.strip_prefix("doorward-").unwrap().to_owned()
    };
    names.iter().map(day).collect()
}

/// Hours go by, ten minutes at a time.
fn hours(portal: &Portal, hours: i64) {
    for _ in 0..hours * 6 {
        portal.travel(10 * MINUTE);
        portal.work_through();
    }
}

#[test]
fn a_clock_that_jumps_makes_no_day_have_two_and_none_without() {
    const DAYS: [&str; 6] = [
        "2026-11-25",
        "2026-11-26",
        "2026-11-27",
        "2026-11-28",
        "2026-11-29",
        "2026-11-30",
    ];
    let portal = nightly();
    portal.owner();
    portal.travel(NIGHT + HOUR / 2);
    portal.work_through();
    assert_eq!(days(&portal), DAYS[..1]);
    // Back by 25 hours: what night it is now has its backup. The clock catches up after 50 hours, on the day after.
    portal.step(-25 * HOUR);
    hours(&portal, 50);
    assert_eq!(portal.app().behind(), 0);
    assert_eq!(days(&portal), DAYS[..2]);
    hours(&portal, 24);
    assert_eq!(days(&portal), DAYS[..3]);
    // Ahead by 25 hours: a night was passed over, and is made good at once; a process that begins there makes no other.
    portal.step(25 * HOUR);
    portal.work_through();
    assert_eq!(days(&portal), DAYS[..4]);
    portal.restart(|_, _| {});
    portal.work_through();
    assert_eq!(days(&portal), DAYS[..4]);
    // And back again, with a process that begins anew while it is behind.
    portal.step(-25 * HOUR);
    hours(&portal, 20);
    portal.restart(|_, _| {});
    hours(&portal, 31);
    assert_eq!(days(&portal), DAYS[..5]);
    hours(&portal, 24);
    assert_eq!(days(&portal), DAYS);
    let rows: Vec<i64> =
        portal.ask("SELECT count(*) FROM backups WHERE cause = 'nightly' AND failure IS NULL");
    assert_eq!(rows, [6]);
    assert_eq!(readyz(&portal)["status"], "ready");
}

#[test]
fn a_clock_that_was_years_ahead_ends_no_backups() {
    let portal = nightly();
    portal.owner();
    portal.travel(NIGHT + 1);
    portal.work_through();
    // Ten years ahead for more nights than are kept.
    portal.step(3_650 * DAY);
    for _ in 0..9 {
        portal.work_through();
        portal.travel(DAY);
    }
    portal.step(-3_650 * DAY);
    assert_eq!(days(&portal).len(), 7);
    assert!(days(&portal).iter().all(|day| day.starts_with("2036-")));
    portal.restart(|_, _| {});
    assert_eq!(readyz(&portal)["degraded"], serde_json::json!(["backup"]));
    portal.work_through();
    assert_eq!(readyz(&portal)["status"], "ready");
    let tonight = |portal: &Portal| {
        let days = days(portal);
        days.iter().filter(|day| day.starts_with("2026-")).count()
    };
    assert_eq!(tonight(&portal), 1);
    for night in 2..=8 {
        portal.travel(DAY);
        portal.work_through();
        assert_eq!(tonight(&portal), night.min(7), "night {night}");
        assert_eq!(days(&portal).len(), 7);
    }
}

#[test]
fn a_missed_night_is_made_good_but_not_in_the_first_minute() {
    let portal = nightly();
    portal.owner();
    portal.travel(3 * DAY);
    portal.restart(|_, _| {});
    portal.work_through();
    assert_eq!(names(&folder(&portal)).len(), 1);
    drop(portal);
    // A portal that is thirty seconds old when the night comes.
    let soon = START.0.rem_euclid(DAY) + 30;
    let portal = Portal::build()
        .settings(|settings| settings.backups.at = Some(soon))
        .start();
    portal.travel(31);
    portal.work_through();
    assert_eq!(names(&folder(&portal)), [""; 0]);
    portal.travel(60);
    portal.work_through();
    assert_eq!(names(&folder(&portal)).len(), 1);
}

#[test]
fn off_is_off() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.travel(3 * DAY);
    portal.work_through();
    assert_eq!(names(&folder(&portal)), [""; 0]);
    owner = owner.elsewhere();
    owner.sign_in();
    owner.get("/settings").sees("Nightly backups are off");
}

#[test]
fn a_failure_is_told_once_until_one_succeeds() {
    let portal = nightly();
    portal.owner();
    portal.organisation("Brae Energy");
    portal.work();
    let missing = portal.app().settings.data.join("mnt").join("disk");
    portal.restart(|settings, _| settings.backups.folder = missing.clone());
    portal.travel(NIGHT + 1);
    for tries in 1..=3 {
        portal.work_through();
        let rows: Vec<String> = portal.ask("SELECT failure FROM backups");
        assert_eq!(rows.len(), tries);
        assert_eq!(rows[0], "the folder is not there; is its disk mounted?");
        assert_eq!(readyz(&portal)["status"], "degraded");
        assert_eq!(readyz(&portal)["degraded"], serde_json::json!(["backup"]));
        // Not before an hour has gone by.
        portal.travel(HOUR - 1);
        portal.work_through();
        let rows: Vec<String> = portal.ask("SELECT failure FROM backups");
        assert_eq!(rows.len(), tries);
        portal.travel(1);
    }
    assert_eq!(told(&portal), [OWNER, "owner@brae-energy.example"]);
    let mut owner = portal.owner();
    owner.get("/settings").sees(
        "The nightly backup has failed since 25 Nov 2026, 02:30 UTC: the folder is not there",
    );
    let actions = |portal: &Portal| {
        let system = portal.audit(None).into_iter();
        system
            .filter(|entry| entry.action == "backup.failed")
            .count()
    };
    assert_eq!(actions(&portal), 1);
    // A process that begins anew knows it, tries at once, and still tells nobody again.
    portal.restart(|_, _| {});
    assert_eq!(readyz(&portal)["status"], "degraded");
    portal.work_through();
    assert_eq!(told(&portal).len(), 2);

    fs::create_dir_all(&missing).unwrap();
    portal.travel(HOUR);
    portal.work_through();
    assert_eq!(readyz(&portal)["status"], "ready");
    assert_eq!(names(&missing).len(), 1);
    let mut owner = portal.owner();
    owner
        .get("/settings")
        .sees_not("has failed")
        .sees("verified.");
    // Another streak, another mail.
    fs::remove_dir_all(&missing).unwrap();
    portal.travel(DAY);
    portal.work_through();
    assert_eq!(told(&portal).len(), 4);
    assert_eq!(actions(&portal), 2);
}

#[test]
fn word_of_a_failure_that_is_over_is_not_sent() {
    let portal = nightly();
    portal.owner();
    portal.work();
    let place = portal.app().settings.data.join("mnt").join("disk");
    portal.restart(|settings, _| settings.backups.folder = place.clone());
    // The relay is gone for an hour and a bit, and back after the backup.
    let gone = Failure::Relay(Cause::Service, "connection refused".to_owned());
    portal.mailbox().fail(Some(gone));
    portal.travel(NIGHT + 1);
    portal.work_through();
    fs::create_dir_all(&place).unwrap();
    portal.travel(HOUR);
    portal.work_through();
    portal.mailbox().fail(None);
    portal.travel(MINUTE);
    portal.work_through();
    assert!(told(&portal).is_empty());
    let states: Vec<String> = portal.ask("SELECT state FROM errands WHERE kind = 'backup_failed'");
    assert_eq!(states, ["not_needed"]);
}

#[test]
fn the_last_hundred_tries_are_kept_and_the_last_success() {
    let portal = nightly();
    portal.owner();
    portal.travel(NIGHT + 1);
    portal.work_through();
    let missing = portal.app().settings.data.join("mnt").join("disk");
    portal.restart(|settings, _| settings.backups.folder = missing);
    for _ in 0..130 {
        portal.travel(HOUR);
        portal.work_through();
    }
    let count = |what: &str| -> i64 {
        portal.ask(&format!("SELECT count(*) FROM backups WHERE {what}"))[0]
    };
    assert_eq!(
        (count("failure IS NOT NULL"), count("failure IS NULL")),
        (100, 1)
    );
    let mut owner = portal.owner();
    owner
        .get("/settings")
        .sees("Last backup 25 Nov 2026, 02:30 UTC");
    portal.work();
    assert_eq!(told(&portal).len(), 1);
}

#[test]
fn a_copy_that_is_not_whole_gets_no_name() {
    let portal = Portal::start();
    portal.owner();
    portal.work();
    fs::create_dir(folder(&portal)).unwrap();
    // A reference that points nowhere, and a row of the audit log that somebody changed.
    for (harm, undo, says) in [
        (
            "PRAGMA foreign_keys = OFF; UPDATE accounts SET created_by = 5",
            "PRAGMA foreign_keys = OFF; UPDATE accounts SET created_by = NULL",
            "the copy is damaged: a foreign key of accounts points nowhere",
        ),
        (
            "DROP TRIGGER audit_events_stay; UPDATE audit_events SET at = at - 1 WHERE number = 1 AND chain_id > 0",
            "UPDATE audit_events SET at = at + 1 WHERE number = 1 AND chain_id > 0",
            "the audit log is not what it was (this row was changed, put in or swapped)",
        ),
    ] {
        portal.tamper(harm);
        let app = portal.app();
        let order = doorward::backups::Order {
            database: portal.file(),
            target: folder(&portal).join("x.db"),
            if_taken: IfTaken::Refuse,
            patience: Duration::from_secs(10),
            keys: portal.keys(),
            version: doorward::migrations::VERSION,
            now: app.now(),
        };
        let refused = doorward::backups::make(&order).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
        assert_eq!(names(&folder(&portal)), [""; 0], "{says}");
        portal.tamper(undo);
        doorward::backups::make(&order).unwrap();
        fs::remove_file(&order.target).unwrap();
    }
}

#[test]
fn what_has_its_name_is_never_overwritten_and_leftovers_go() {
    let portal = Portal::start();
    portal.owner();
    let file = portal.back_up("x.db");
    let before = fs::read(&file).unwrap();
    fs::write(folder(&portal).join(".backup.unfinished"), "half").unwrap();
    fs::write(folder(&portal).join(".backup.unfinished-journal"), "half").unwrap();
    let order = doorward::backups::Order {
        database: portal.file(),
        target: file.clone(),
        if_taken: IfTaken::Refuse,
        patience: Duration::ZERO,
        keys: portal.keys(),
        version: doorward::migrations::VERSION,
        now: portal.app().now(),
    };
    let refused = doorward::backups::make(&order).unwrap_err().to_string();
    assert_eq!(
        refused,
        "there is a file of this name already; name another, or a folder"
    );
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(names(&folder(&portal)), ["x.db"]);
    // While another process is at it, nobody touches what it has not finished.
    let busy = fs::File::open(folder(&portal)).unwrap();
    busy.try_lock().unwrap();
    fs::write(folder(&portal).join(".backup.unfinished"), "half").unwrap();
    let order = doorward::backups::Order {
        target: folder(&portal).join("y.db"),
        ..order
    };
    let refused = doorward::backups::make(&order).unwrap_err().to_string();
    assert_eq!(
        refused,
        "another backup is being made in this folder; try again when it is done"
    );
    assert_eq!(names(&folder(&portal)), [".backup.unfinished", "x.db"]);
    drop(busy);
    // A process that another test begins at this moment may hold what we let go for an instant yet.
    let order = doorward::backups::Order {
        patience: Duration::from_secs(10),
        ..order
    };
    doorward::backups::make(&order).unwrap();
    assert_eq!(names(&folder(&portal)), ["x.db", "y.db"]);
}

#[test]
fn copies_of_the_same_second_each_get_a_name_and_one_waits_for_the_other() {
    let portal = Portal::start();
    portal.owner();
    portal.work();
    fs::create_dir(folder(&portal)).unwrap();
    let name = by_hand_name(START);
    let order = doorward::backups::Order {
        database: portal.file(),
        target: folder(&portal).join(&name),
        if_taken: IfTaken::CountUp,
        patience: Duration::from_secs(60),
        keys: portal.keys(),
        version: doorward::migrations::VERSION,
        now: portal.app().now(),
    };
    // Somebody is at it, as at night; then three at once.
    let busy = fs::File::open(folder(&portal)).unwrap();
    busy.try_lock().unwrap();
    let made: Vec<PathBuf> = thread::scope(|scope| {
        let three: Vec<_> = (0..3).map(|_| scope.spawn(|| make(&order))).collect();
        thread::park_timeout(Duration::from_millis(200));
        assert_eq!(names(&folder(&portal)), [""; 0]);
        drop(busy);
        let ended = three.into_iter();
        ended
            .map(|one| one.join().unwrap().unwrap().place)
            .collect()
    });
    let mut there = names(&folder(&portal));
    let mut said: Vec<String> = made
        .iter()
        .map(|place| place.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    said.sort();
    assert_eq!(said, there);
    there.sort_by_key(String::len);
    let stem = name.strip_suffix(".db").unwrap();
    assert_eq!(
        there,
        [name.clone(), format!("{stem}-2.db"), format!("{stem}-3.db")]
    );
    for place in &made {
        assert_eq!(accounts(place), 1);
        assert_eq!(mode(place), 0o600);
    }
    for name in &there {
        assert_eq!(made_at(name), Some(START), "{name}");
    }
    assert_eq!(prune(&folder(&portal), 1, portal.app().now()).unwrap(), 0);
}

#[test]
fn a_second_night_of_the_same_second_is_counted_among_the_nights() {
    let portal = nightly();
    portal.owner();
    fs::create_dir(folder(&portal)).unwrap();
    // The clock was set back, and the same second comes again.
    fs::write(folder(&portal).join(FIRST), "an earlier one").unwrap();
    portal.travel(NIGHT - 1);
    portal.work_through();
    portal.travel(MINUTE);
    portal.work_through();
    let again = FIRST.replace(".db", "-2.db");
    assert_eq!(names(&folder(&portal)), [again.as_str(), FIRST]);
    let places: Vec<String> = portal.ask("SELECT place FROM backups WHERE failure IS NULL");
    assert_eq!(places, [folder(&portal).join(&again).display().to_string()]);
    portal
        .owner()
        .get("/settings")
        .sees("Last backup 25 Nov 2026, 02:30 UTC, ");
    // Of the two the one that was made first goes first.
    assert_eq!(prune(&folder(&portal), 1, portal.app().now()).unwrap(), 1);
    assert_eq!(names(&folder(&portal)), [again]);
}

/// With a session, a second factor, recovery codes, and links of each kind: the portal looks for all of them in every
/// backup when it goes.
#[test]
fn no_secret_is_in_a_backup_and_a_deleted_person_leaves_the_next_one() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.enrol();
    let mut ann = portal.member_of(&owner, Role::Member, "ann@fjord.example");
    ann.post("/forgot-password", &[("email", "ann@fjord.example")]);
    let id = portal.invite(&owner, Role::Member, "bea.deleted@fjord.example");
    portal.work();
    let has = |file: &Path, needle: &[u8]| {
        let bytes = fs::read(file).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    let before = portal.back_up("before.db");
    assert!(has(&before, b"bea.deleted@fjord.example"));
    assert!(!has(&before, portal.keys().root()));
    owner
        .post(
            format!("/iam/accounts/{id}/delete"),
            &[("email", "bea.deleted@fjord.example")],
        )
        .answers(303);
    let after = portal.back_up("after.db");
    let conn = Connection::open_with_flags(&after, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let left: i64 = conn
        .query_row(
            "SELECT (SELECT count(*) FROM accounts WHERE email LIKE 'bea.deleted%')
                  + (SELECT count(*) FROM errands WHERE recipient LIKE 'bea.deleted%')
                  + (SELECT count(*) FROM invitations i JOIN accounts a ON a.id = i.account_id WHERE a.status = 'deleted')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

/// The number of accounts that are not deleted, in a file that nobody serves.
fn accounts(file: &Path) -> i64 {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.query_row("SELECT count(*) FROM accounts", [], |row| row.get(0))
        .unwrap()
}

/// Invites people by several browsers until it is told to stop; the addresses that were acknowledged.
fn invite_on(process: &Doorward, owner: &Client, number: usize, stop: &AtomicBool) -> Vec<String> {
    let mut client = Client::new(process.address());
    client.plant("session", &owner.cookie("session").unwrap().value);
    let mut told = Vec::new();
    for count in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        client.get("/iam/accounts/new");
        let email = format!("p{number}.{count}@haldenworks.example");
        let fields = [("email", email.as_str()), ("role", "member")];
        let page = client.post_form("/iam/accounts", &fields);
        match page.status {
            303 => told.push(email),
            429 | 503 => wait::pause(Duration::from_millis(20)),
            other => panic!("{other}: {page:#?}"),
        }
    }
    told
}

#[test]
fn a_backup_during_constant_writes_is_one_instant_of_them() {
    let process = Launch::serve().start();
    let owner = found(&process);
    let elsewhere = tempfile::tempdir().unwrap();
    let (stop, told) = (AtomicBool::new(false), Mutex::new(0_usize));
    let file = elsewhere.path().join("backup.db");
    thread::scope(|scope| {
        for number in 0..3 {
            let (process, owner, stop, told) = (&process, &owner, &stop, &told);
            scope.spawn(move || {
                *told.lock().unwrap() += invite_on(process, owner, number, stop).len();
            });
        }
        let live = process.data().join("doorward.db");
        wait::until(Duration::from_secs(20), || {
            (accounts(&live) > 10).then_some(())
        })
        .unwrap();
        let before = accounts(&live);
        let made = process.run(&["backup", "--json", "--out", file.to_str().unwrap()]);
        let after = accounts(&live);
        stop.store(true, Ordering::SeqCst);
        let made: Value = serde_json::from_str(&text(&made.stdout)).unwrap();
        let in_it = made["accounts"].as_i64().unwrap();
        assert!(
            before <= in_it && in_it <= after,
            "{before} {in_it} {after}"
        );
        assert_eq!(accounts(&file), in_it);
        assert_eq!(mode(&file), 0o600);
    });
    assert!(told.into_inner().unwrap() > 10);
    // Put back on another machine, with the key.
    let other = Launch::serve();
    fs::set_permissions(other.data(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(
        process.data().join("secret.key"),
        other.data().join("secret.key"),
    )
    .unwrap();
    ended(&other.run(&["restore", file.to_str().unwrap(), "--yes"]), 0);
    ended(&other.run(&["audit", "verify"]), 0);
    let other = other.start();
    expect(Client::new(other.address()).get("/sign-in"), 200);
}

#[test]
fn a_backup_that_is_killed_leaves_nothing_that_passes_for_one() {
    let process = Launch::serve().start();
    found(&process);
    let backups = process.data().join("backups");
    let longest = {
        let began = doorward::kit::time::instant();
        ended(&process.run(&["backup"]), 0);
        began.elapsed()
    };
    let mut whole = 1;
    for _ in 0..20 {
        let random = u32::from_be_bytes(bytes(&OsRandom).unwrap());
        let life = longest.mul_f64(f64::from(random) / f64::from(u32::MAX));
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["backup", "--data"])
            .arg(process.data())
            .arg("--out")
            .arg(backups.join(format!("{random}.db")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait::pause(life);
        child.kill().unwrap();
        child.wait().unwrap();
        let left = names(&backups);
        let named: Vec<&String> = left
            .iter()
            .filter(|name| !name.starts_with(".backup.unfinished"))
            .collect();
        for name in &named {
            let verified =
                process.run(&["backup", "--verify", backups.join(name).to_str().unwrap()]);
            ended(&verified, 0);
        }
        assert!(named.len() - whole <= 1);
        whole = named.len();
    }
    // Under a name of its own: all of this may have taken less than the second that a usual name tells apart.
    let last = backups.join("last.db");
    ended(
        &process.run(&["backup", "--out", last.to_str().unwrap()]),
        0,
    );
    let left = names(&backups);
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
}

#[test]
fn by_hand_it_goes_where_it_is_told_and_says_that_the_key_is_not_in_it() {
    let process = Launch::serve().start();
    found(&process);
    let said = ended(&process.run(&["backup"]), 0);
    for words in [
        "Accounts    1",
        "Verified    yes",
        "The key is not in it: keep a copy of secret.key elsewhere",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let made = names(&process.data().join("backups"));
    assert_eq!(made.len(), 1);
    assert!(made[0].starts_with("doorward-by-hand-"), "{made:?}");
    let elsewhere = tempfile::tempdir().unwrap();
    let place = elsewhere.path().to_str().unwrap();
    ended(&process.run(&["backup", "--out", place]), 0);
    assert_eq!(names(elsewhere.path()).len(), 1);
    // Again at once, into a folder: each has a name of its own, whichever second it is.
    for number in 2..=4 {
        let said = ended(&process.run(&["backup", "--out", place]), 0);
        assert_eq!(names(elsewhere.path()).len(), number);
        let made = said.lines().find_map(|line| line.strip_prefix("Backup"));
        let verified = process.run(&["backup", "--verify", made.unwrap().trim()]);
        assert!(!ended(&verified, 0).contains("unknown"));
    }
    let file = elsewhere.path().join("mine.db");
    let file = file.to_str().unwrap();
    ended(&process.run(&["backup", "--out", file]), 0);
    let again = process.run(&["backup", "--out", file]);
    assert!(ended(&again, 1).contains("there is a file of this name already"));
    let missing = process.run(&["backup", "--out", &format!("{place}/none/")]);
    assert!(ended(&missing, 1).contains("the folder is not there"));
    // Through a pipe it is the same file.
    let streamed = process.run(&["backup", "--out", "-"]);
    assert_eq!(streamed.status.code(), Some(0));
    assert!(text(&streamed.stderr).contains("The key is not in it"));
    let piped = elsewhere.path().join("piped.db");
    fs::write(&piped, &streamed.stdout).unwrap();
    ended(
        &process.run(&["backup", "--verify", piped.to_str().unwrap()]),
        0,
    );
    assert_eq!(
        names(&process.data().join("backups")),
        made,
        "nothing was left"
    );
    let both = process.run(&["backup", "--out", "-", "--json"]);
    ended(&both, 2);
    let conn = Connection::open(process.data().join("doorward.db")).unwrap();
    let (made, failed): (i64, i64) = conn
        .query_row(
            "SELECT count(*) FILTER (WHERE failure IS NULL), count(*) FILTER (WHERE failure IS NOT NULL)
               FROM backups WHERE cause = 'command'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((made, failed), (7, 2));
    let recorded: i64 = conn
        .query_row(
            "SELECT count(*) FROM audit_events WHERE action = 'backup.made' AND actor = 'operator'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(recorded, 7);
}

#[test]
fn a_backup_that_does_not_fit_leaves_nothing() {
    let process = Launch::serve().start();
    found(&process);
    let elsewhere = tempfile::tempdir().unwrap();
    // A file may be no longer than 100 KiB, and writing more is an error and no signal, as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 200; exec \"$0\" \"$@\"";
    let output = Command::new("/bin/sh")
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_doorward"),
            "backup",
            "--data",
        ])
        .arg(process.data())
        .arg("--out")
        .arg(elsewhere.path())
        .output()
        .unwrap();
    let said = ended(&output, 1);
    assert!(said.contains("no backup at"), "{said}");
    assert_eq!(names(elsewhere.path()), [""; 0]);
}

/// A file as version 4 had it: without the tables that the fifth brought.
pub(crate) fn make_older(file: &Path) {
    let conn = Connection::open(file).unwrap();
    conn.execute_batch(
        "DROP TABLE dialogues; DROP TABLE import_lines; DROP TABLE imports; DROP TABLE departures; DROP TABLE sign_ins;
         DROP TRIGGER audit_events_remain; DROP TRIGGER audit_texts_remain;
         DROP TABLE audit_index; DROP TABLE audit_erasures; DROP TABLE audit_checkpoints; DROP INDEX audit_by_time;
         CREATE TABLE heads AS SELECT chain_id, number, hash, mac FROM audit_heads; DROP TABLE audit_heads;
         ALTER TABLE heads RENAME TO audit_heads;
         CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
         CREATE TRIGGER audit_texts_remain BEFORE DELETE ON audit_texts BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
         ALTER TABLE organisations DROP COLUMN domains; ALTER TABLE organisations DROP COLUMN started_at;
         PRAGMA user_version = 5",
    )
    .unwrap();
}

#[test]
fn verifying_says_what_a_backup_is_and_what_is_wrong_with_it() {
    let process = Launch::serve().start();
    found(&process);
    let elsewhere = tempfile::tempdir().unwrap();
    let good = elsewhere.path().join("doorward-2026-11-24T02-30-00Z.db");
    ended(
        &process.run(&["backup", "--out", good.to_str().unwrap()]),
        0,
    );
    let temporary = elsewhere.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let verify = |file: &Path, data: &Path| {
        Command::new(env!("CARGO_BIN_EXE_doorward"))
            .env("TMPDIR", &temporary)
            .args(["backup", "--data"])
            .arg(data)
            .arg("--verify")
            .arg(file)
            .output()
            .unwrap()
    };
    let before = fs::read(&good).unwrap();
    let said = ended(&verify(&good, process.data()), 0);
    for words in [
        "Schema         6",
        "Made           2026-11-24 02:30 UTC",
        "Organisations  1",
        "Accounts       1",
        "in 2 chains",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains("without the key"), "{said}");
    // Elsewhere there is no key, or another.
    let said = ended(&verify(&good, elsewhere.path()), 0);
    assert!(
        said.contains("checked without the key: there is no /"),
        "{said}"
    );
    let other = Launch::serve().start();
    let said = ended(&verify(&good, other.data()), 0);
    assert!(said.contains("belongs to another secret.key"), "{said}");
    let older = elsewhere.path().join("older.db");
    fs::copy(&good, &older).unwrap();
    make_older(&older);
    let said = ended(&verify(&older, process.data()), 0);
    assert!(
        said.contains("Schema         5 (brought to 6 without fault)"),
        "{said}"
    );

    let newer = elsewhere.path().join("newer.db");
    fs::copy(&good, &newer).unwrap();
    Connection::open(&newer)
        .unwrap()
        .execute_batch("PRAGMA user_version = 7")
        .unwrap();
    let damaged = elsewhere.path().join("damaged.db");
    let mut bytes = before.clone();
    for byte in &mut bytes[8_192..40_000] {
        *byte ^= 0x5a;
    }
    fs::write(&damaged, &bytes).unwrap();
    let short = elsewhere.path().join("short.db");
    fs::write(&short, &before[..before.len() / 2]).unwrap();
    let changed = elsewhere.path().join("changed.db");
    fs::copy(&good, &changed).unwrap();
    Connection::open(&changed)
        .unwrap()
        .execute_batch("DROP TRIGGER audit_texts_stay; UPDATE audit_texts SET text = 'x'")
        .unwrap();
    let foreign = elsewhere.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE cats (name TEXT)")
        .unwrap();
    let words = elsewhere.path().join("words.txt");
    fs::write(&words, "words").unwrap();
    for (file, says) in [
        (
            &newer,
            "is of schema version 7, and this doorward knows version 6; run the newer doorward",
        ),
        (&damaged, "is damaged"),
        (&short, "is damaged"),
        (&changed, "its audit log is not what it was"),
        (&foreign, "is no backup of doorward"),
        (&words, "is no backup of doorward"),
        (&elsewhere.path().to_owned(), "is no backup of doorward"),
        (&elsewhere.path().join("none.db"), "No such file"),
    ] {
        for data in [process.data(), elsewhere.path()] {
            let said = ended(&verify(file, data), 1);
            assert!(said.contains(says), "{said}");
        }
    }
    assert_eq!(fs::read(&good).unwrap(), before, "it was changed");
    assert_eq!(names(&temporary), [""; 0], "copies were left");
}

#[test]
fn the_real_server_makes_the_night_good_beside_its_work() {
    let mut process = Launch::serve().arg("--backup-keep").arg("2").start();
    found(&process);
    process.terminate();
    // It was set up three days ago, and has no backup.
    Connection::open(process.data().join("doorward.db"))
        .unwrap()
        .execute_batch("UPDATE install SET created_at = created_at - 3 * 86400")
        .unwrap();
    process.restart();
    let made = wait::until(Duration::from_secs(20), || {
        let found = names(&process.data().join("backups"));
        found
            .first()
            .filter(|name| name.starts_with("doorward-2"))
            .cloned()
    });
    let made = made.expect("no backup was made");
    let file = process.data().join("backups").join(made);
    let verified = process.run(&["backup", "--verify", file.to_str().unwrap()]);
    ended(&verified, 0);
    let told = wait::until(Duration::from_secs(5), || {
        process
            .output()
            .contains("nightly backup made")
            .then_some(())
    });
    told.expect("it is not in the log");
}
