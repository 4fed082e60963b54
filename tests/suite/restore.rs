//! A file that is put back from a backup: what opened something then opens nothing any more, what people know and hold
//! stays, nothing is mailed twice, what was decided since is named; and a kill leaves one of the two files whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use doorward::audit;
use doorward::domain::role::Role;
use doorward::kit::random::{OsRandom, bytes};
use doorward::kit::time::{DAY, instant};
use doorward::sessions;
use rusqlite::{Connection, OpenFlags};

use crate::backups::make_older;
use crate::backups::{ended, names};
use crate::client::Client;
use crate::portal::Portal;
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::served::{self, enrol, expect, found, sign_in, try_code, try_password};
use crate::wait;

const ANN: &str = "ann@fjord.example";
const BEA: &str = "bea@fjord.example";
const CARL: &str = "carl@fjord.example";

fn count(portal: &Portal, what: &str) -> i64 {
    portal.ask(&format!("SELECT count(*) FROM {what}"))[0]
}

fn subjects(portal: &Portal, from: usize) -> Vec<String> {
    let mails = portal.mails().split_off(from);
    mails.into_iter().map(|mail| mail.subject).collect()
}

#[test]
fn nothing_of_the_past_opens_anything_and_what_people_have_stays() {
    let portal = Portal::start();
    portal.owner();
    portal.tamper("UPDATE organisations SET trust = 'offered'");
    let mut owner = portal.owner();
    owner.enrol();
    let mut ann = portal.member_of(&owner, Role::Member, ANN);
    portal.travel(60);
    // A browser that skips the code, and another that owes it.
    let mut trusted = owner.elsewhere();
    trusted.give_password();
    let code = trusted.code();
    trusted
        .post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    let mut half = portal.half(&owner);
    // Links of every kind.
    let id = portal.invite(&owner, Role::Member, BEA);
    portal
        .visitor()
        .post("/forgot-password", &[("email", ANN)])
        .answers(303);
    let to = "olivia@elsewhere.example";
    let password = owner.password.clone();
    owner
        .post(
            "/account/email",
            &[("email", to), ("current_password", &password)],
        )
        .answers(303);
    portal.work();
    let app = portal.app();
    let link = app
        .write(app.now(), |tx| sessions::make_link(tx, &ann.account()))
        .unwrap();
    drop(app);
    let links = [
        portal.link_for(BEA),
        portal.link_for(ANN),
        portal.link_for(to),
        format!("/sign-in/link/{}", link.token.reveal()),
    ];
    // Mail that the backup still owes.
    portal.invite(&owner, Role::Member, CARL);
    let backup = portal.back_up("x.db");
    portal.work();
    let sent = portal.mails().len();
    // Since the backup: a recovery code is used, and a code of the app.
    portal.travel(30);
    let used = owner.phone.as_ref().unwrap().recovery[0].clone();
    let mut there = owner.elsewhere();
    there.give_password();
    there.post("/sign-in/code", &[("code", &used)]).answers(303);
    let mut there = owner.elsewhere();
    there.give_password();
    let seen = there.code();
    there.post("/sign-in/code", &[("code", &seen)]).answers(303);
    portal.work();
    let before = portal.mails().len();

    portal.restore(&backup);

    for table in [
        "sessions",
        "challenges",
        "sign_in_links",
        "enrolments",
        "devices WHERE trusted_at IS NOT NULL",
        "invitations WHERE state = 'open'",
        "resets WHERE state = 'open'",
        "email_changes WHERE state = 'open'",
        "errands WHERE state IN ('waiting', 'sending')",
        "setup_links",
    ] {
        assert_eq!(count(&portal, table), 0, "{table}");
    }
    for table in ["devices", "factors", "accounts WHERE two_factor = 1"] {
        assert!(count(&portal, table) > 0, "{table}");
    }
    let reasons: Vec<String> = portal.ask(&format!(
        "SELECT answer FROM errands WHERE state = 'not_needed' AND recipient = '{CARL}'"
    ));
    assert_eq!(
        reasons,
        ["A backup was restored: it may have been sent before."]
    );
    portal.work();
    assert_eq!(
        subjects(&portal, before),
        [""; 0],
        "something was mailed again ({sent} before)"
    );
    for visitor in [&mut owner, &mut ann, &mut trusted] {
        visitor
            .get("/account")
            .answers(303)
            .goes_to("/sign-in?next=%2Faccount");
    }
    half.get("/sign-in/code").answers(303).goes_to("/sign-in");
    let mut stranger = portal.visitor();
    for (link, status) in links.iter().zip([410, 410, 303, 404]) {
        stranger.get(link).answers(status);
    }

    // What was used since the backup stays used, and what was shown is closed.
    half.give_password();
    half.post("/sign-in/code", &[("code", &used)])
        .answers(422)
        .sees("That recovery code was used already.");
    half.post("/sign-in/code", &[("code", &seen)]).answers(422);
    portal.travel(90);
    // Everybody comes back with what they have; the browser that was trusted is asked for the code, and is still known.
    trusted.give_password();
    let code = trusted.code();
    trusted
        .post("/sign-in/code", &[("code", &code)])
        .answers(303);
    assert!(trusted.is_signed_in());
    assert!(ann.sign_in().is_signed_in());
    portal.work();
    assert_eq!(subjects(&portal, before), [""; 0], "a browser is not known");
    // Another recovery code works.
    let fresh = owner.phone.as_ref().unwrap().recovery[1].clone();
    half.give_password();
    half.post("/sign-in/code", &[("code", &fresh)]).answers(303);
    // The invitation is sent anew.
    half.post(format!("/iam/accounts/{id}/resend"), &[])
        .answers(303);
    portal.work();
    let link = portal.link_for(BEA);
    assert_ne!(link, links[0]);
    stranger.get(&link).answers(200);

    let system = portal.audit(None);
    assert_eq!(
        (system[0].action.as_str(), system[0].actor.as_str()),
        ("backup.restored", "operator")
    );
    let app = portal.app();
    let verdict = app
        .read(app.now(), |read| audit::verify(read, app.keys()))
        .unwrap();
    assert_eq!(verdict.faults, []);
}

#[test]
fn whoever_was_reminded_before_is_not_reminded_again() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.enrol();
    portal.member_of(&owner, Role::Member, ANN);
    portal.work();
    let reminded = |portal: &Portal| {
        let mails = portal.mails().into_iter();
        mails
            .filter(|mail| mail.subject.starts_with("Set up 2-step verification"))
            .count()
    };
    portal.travel(4 * DAY);
    portal.work();
    let backup = portal.back_up("x.db");
    portal.travel(DAY + 3600);
    portal.work();
    assert_eq!(reminded(&portal), 1);
    portal.restore(&backup);
    for _ in 0..3 {
        portal.travel(3600);
        portal.work();
    }
    assert_eq!(reminded(&portal), 1);
}

#[test]
fn the_first_run_s_link_is_void_as_well() {
    let portal = Portal::start();
    let link = portal.setup_link();
    let backup = portal.back_up("x.db");
    portal.restore(&backup);
    portal.visitor().get(&link).answers(404);
    let link = portal.setup_link();
    portal.visitor().get(&link).answers(200);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The addresses that a file knows.
fn emails(file: &Path) -> Vec<String> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = conn
        .prepare("SELECT email FROM accounts WHERE email IS NOT NULL ORDER BY email")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A portal that is stopped, with a backup of it from before this person was invited.
fn stopped(email: &str) -> (Doorward, tempfile::TempDir, PathBuf) {
    let mut process = Launch::serve().start();
    let mut owner = found(&process);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup.db");
    let path = file.to_str().unwrap();
    ended(&process.run(&["backup", "--out", path]), 0);
    served::invite(&mut owner, email);
    process.terminate();
    (process, elsewhere, file)
}

/// An empty folder, private as the data folder must be.
fn empty() -> Launch {
    let launch = Launch::serve();
    fs::set_permissions(launch.data(), Permissions::from_mode(0o700)).unwrap();
    launch
}

#[test]
fn the_command_says_what_it_overwrites_and_keeps_it() {
    let (mut process, _elsewhere, file) = stopped("later@haldenworks.example");
    let data = process.data().to_owned();
    // Nobody is there to ask.
    let asked = ended(&process.run(&["restore", file.to_str().unwrap()]), 2);
    assert!(asked.contains("add --yes"), "{asked}");
    assert!(emails(&data.join("doorward.db")).len() == 2);
    let said = ended(
        &process.run(&["restore", file.to_str().unwrap(), "--yes"]),
        0,
    );
    for words in [
        "This will be overwritten",
        "Accounts       2",
        "By this backup:",
        "Schema         6",
        "Accounts       1",
        "Verified       yes",
        "Restored. Start the server",
        "What was there is kept: ",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert_eq!(
        names(&data),
        ["backups", "doorward.db", "doorward.lock", "secret.key"]
    );
    let kept = names(&data.join("backups"));
    assert_eq!(kept.len(), 1);
    assert!(kept[0].starts_with("replaced-2"), "{kept:?}");
    assert_eq!(emails(&data.join("doorward.db")), [served::OWNER]);
    assert_eq!(emails(&data.join("backups").join(&kept[0])).len(), 2);
    for path in [
        data.join("doorward.db"),
        data.join("backups").join(&kept[0]),
        data.join("secret.key"),
    ] {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{}", path.display());
    }
    process.restart();
    sign_in(&mut Client::new(process.address()), served::OWNER);
    ended(&process.run(&["audit", "verify"]), 0);
    // And what was kept can be put back as well.
    process.terminate();
    let kept = data.join("backups").join(&kept[0]);
    let back = process.run(&["restore", kept.to_str().unwrap(), "--yes"]);
    ended(&back, 0);
    assert_eq!(emails(&data.join("doorward.db")).len(), 2);
    let kept = names(&data.join("backups")).into_iter();
    assert_eq!(kept.filter(|name| name.ends_with(".db")).count(), 2);
}

/// At a terminal: `script` from Debian's util-linux gives it one, where it is there.
#[test]
fn at_a_terminal_the_organisations_name_must_be_typed() {
    if Command::new("script").arg("--version").output().is_err() {
        return;
    }
    let (process, _elsewhere, file) = stopped("later@haldenworks.example");
    let data = process.data();
    let typed = |answer: &str| {
        let command = format!(
            "{} restore --data {} {}",
            env!("CARGO_BIN_EXE_doorward"),
            data.display(),
            file.display()
        );
        let mut child = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // Not before it asks: what is typed earlier may be lost with the terminal's mode.
        wait::pause(Duration::from_millis(1500));
        std::io::Write::write_all(&mut input, format!("{answer}\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), text(&output.stdout))
    };
    let (code, said) = typed("yes");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("type Halden Works:"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(emails(&data.join("doorward.db")).len(), 2);
    assert!(!data.join(".restore.unfinished").exists());
    let (code, said) = typed("Halden Works");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(emails(&data.join("doorward.db")).len(), 1);
}

#[test]
fn while_a_server_runs_nothing_is_restored() {
    let process = Launch::serve().start();
    found(&process);
    let file = process.data().join("x.db");
    let path = file.to_str().unwrap();
    ended(&process.run(&["backup", "--out", path]), 0);
    let said = ended(&process.run(&["restore", path, "--yes"]), 1);
    assert!(
        said.contains("another doorward serves this folder (pid ")
            && said.contains("stop it first"),
        "{said}"
    );
    expect(Client::new(process.address()).get("/sign-in"), 200);
}

#[test]
fn decisions_since_the_backup_are_named() {
    let relay = Relay::start(Security::Plain);
    let mut process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    for (number, email) in [ANN, BEA, CARL].into_iter().enumerate() {
        served::invite(&mut owner, email);
        let link = served::link_for(&relay.wait_for(number + 1), email);
        let path = crate::letter::path_of(&link);
        let mut person = Client::new(process.address());
        expect(served::activate(&mut person, &path, "Person"), 303);
    }
    let promote = process.run(&["account", "set-role", BEA, "admin"]);
    ended(&promote, 0);
    let file = process.data().join("x.db");
    let path = file.to_str().unwrap();
    ended(&process.run(&["backup", "--out", path]), 0);
    ended(&process.run(&["account", "disable", ANN]), 0);
    ended(&process.run(&["account", "set-role", BEA, "member"]), 0);
    ended(&process.run(&["account", "set-role", CARL, "admin"]), 0);
    ended(&process.run(&["account", "delete", CARL, "--yes"]), 0);
    process.terminate();
    let restored = process.run(&["restore", path, "--yes"]);
    ended(&restored, 0);
    let said = text(&restored.stderr);
    let (_, listed) = said
        .split_once("Decided after the backup, and gone.")
        .unwrap();
    for words in [
        format!("Halden Works: {ANN} was disabled"),
        format!("Halden Works: {BEA} was made Member, and is Admin again"),
        format!("Halden Works: {CARL} was deleted"),
    ] {
        assert!(listed.contains(&words), "{words}\n{listed}");
    }
    assert!(!listed.contains("made Admin"), "{listed}");
    // What the mails of before said is not said again.
    let before = relay.messages().len();
    process.restart();
    wait::pause(Duration::from_millis(1500));
    assert_eq!(relay.messages().len(), before);
    // Of a backup of what is there now, nothing is lost.
    let again = process.data().join("y.db");
    let path = again.to_str().unwrap();
    ended(&process.run(&["backup", "--out", path]), 0);
    process.terminate();
    let said = ended(&process.run(&["restore", path, "--yes"]), 0);
    assert!(!said.contains("Decided after"), "{said}");
}

#[test]
fn without_its_key_or_with_another_it_is_refused_with_the_way_out() {
    let (process, elsewhere, file) = stopped("later@haldenworks.example");
    let path = file.to_str().unwrap();
    // A new machine: an empty folder.
    let bare = empty();
    let said = ended(&bare.run(&["restore", path, "--yes"]), 1);
    assert!(
        said.contains("no backup holds the key; put your copy of it there first"),
        "{said}"
    );
    assert!(said.contains("--new-key"), "{said}");
    assert_eq!(names(bare.data()), ["doorward.lock"]);
    // The key of another install.
    let mut other = Launch::serve().start();
    found(&other);
    other.terminate();
    let before = fs::read(other.data().join("doorward.db")).unwrap();
    let said = ended(&other.run(&["restore", path, "--yes"]), 1);
    assert!(said.contains("belongs to another key"), "{said}");
    assert!(said.contains("put back the secret.key it was made with"));
    assert_eq!(fs::read(other.data().join("doorward.db")).unwrap(), before);
    assert!(
        !names(other.data())
            .iter()
            .any(|name| name.contains("restore"))
    );
    // The right one works, on a new machine too.
    fs::copy(
        process.data().join("secret.key"),
        bare.data().join("secret.key"),
    )
    .unwrap();
    let said = ended(&bare.run(&["restore", path, "--yes"]), 0);
    assert!(said.contains("There is no database in"), "{said}");
    let bare = bare.start();
    sign_in(&mut Client::new(bare.address()), served::OWNER);
    drop(elsewhere);
}

#[test]
fn with_a_new_key_people_come_back_with_their_passwords_alone() {
    let mut process = Launch::serve().start();
    let mut owner = found(&process);
    let phone = enrol(&mut owner);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup.db");
    let path = file.to_str().unwrap();
    ended(&process.run(&["backup", "--out", path]), 0);
    process.kill9();
    // The disk is lost and the key with it.
    let bare = empty();
    let said = ended(&bare.run(&["restore", path, "--yes", "--new-key"]), 0);
    assert!(said.contains("All second factors are void"), "{said}");
    assert!(said.contains("A new key was made: "), "{said}");
    let bare = bare.start();
    sign_in(&mut Client::new(bare.address()), served::OWNER);
    ended(&bare.run(&["audit", "verify"]), 0);
    drop(bare);
    // The key alone is lost: the file that is there goes on under another.
    fs::remove_file(process.data().join("secret.key")).unwrap();
    let own = process.data().join("doorward.db");
    let own = own.to_str().unwrap();
    let said = ended(&process.run(&["restore", own, "--yes"]), 1);
    assert!(said.contains("--new-key"), "{said}");
    let said = ended(&process.run(&["restore", own, "--yes", "--new-key"]), 0);
    assert!(!said.contains("Decided after"), "{said}");
    process.restart();
    sign_in(&mut Client::new(process.address()), served::OWNER);
    ended(&process.run(&["audit", "verify"]), 0);
    // Another key that is there is taken.
    process.terminate();
    let other = empty();
    fs::copy(
        process.data().join("secret.key"),
        other.data().join("secret.key"),
    )
    .unwrap();
    let key = fs::read(other.data().join("secret.key")).unwrap();
    let said = ended(&other.run(&["restore", path, "--yes", "--new-key"]), 0);
    assert!(!said.contains("A new key was made"), "{said}");
    assert_eq!(fs::read(other.data().join("secret.key")).unwrap(), key);
    drop(phone);
}

#[test]
fn the_second_factor_goes_on_under_the_right_key() {
    let mut process = Launch::serve().start();
    let mut owner = found(&process);
    let mut phone = enrol(&mut owner);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup.db");
    let path = file.to_str().unwrap();
    ended(&process.run(&["backup", "--out", path]), 0);
    process.terminate();
    ended(&process.run(&["restore", path, "--yes"]), 0);
    process.restart();
    let mut client = Client::new(process.address());
    let page = expect(
        try_password(&mut client, served::OWNER, served::PASSWORD),
        303,
    );
    assert_eq!(page.location(), "/sign-in/code");
    let code = phone.recovery.remove(0);
    let mut client = Client::new(process.address());
    assert_eq!(
        expect(try_code(&mut client, served::OWNER, &code), 303).location(),
        "/"
    );
}

/// Litestream, `cp` and a snapshot of the disk leave the log beside the file.
#[test]
fn a_copied_folder_of_a_killed_server_is_restored_with_its_log() {
    let mut process = Launch::serve().start();
    let mut owner = found(&process);
    served::invite(&mut owner, ANN);
    process.kill9();
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["doorward.db", "doorward.db-wal"] {
        fs::copy(process.data().join(name), elsewhere.path().join(name)).unwrap();
    }
    let file = elsewhere.path().join("doorward.db");
    let log = elsewhere.path().join("doorward.db-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0);
    let before = (fs::read(&file).unwrap(), fs::read(&log).unwrap());
    let bare = empty();
    fs::copy(
        process.data().join("secret.key"),
        bare.data().join("secret.key"),
    )
    .unwrap();
    let said = ended(&bare.run(&["restore", file.to_str().unwrap(), "--yes"]), 0);
    assert!(
        said.contains("doorward.db-wal lies beside it and was taken along"),
        "{said}"
    );
    assert_eq!(
        emails(&bare.data().join("doorward.db")),
        [ANN, served::OWNER]
    );
    assert_eq!((fs::read(&file).unwrap(), fs::read(&log).unwrap()), before);
    // The old log of the folder is not read into the new file.
    let said = ended(
        &process.run(&["restore", file.to_str().unwrap(), "--yes"]),
        0,
    );
    assert!(said.contains("Restored."), "{said}");
    assert!(!process.data().join("doorward.db-wal").exists());
}

#[test]
fn a_damaged_database_is_replaced_and_kept_with_its_log() {
    let (process, _elsewhere, file) = stopped("later@haldenworks.example");
    let data = process.data();
    let mut broken = fs::read(data.join("doorward.db")).unwrap();
    broken[..4_096].fill(0x5a);
    fs::write(data.join("doorward.db"), &broken).unwrap();
    fs::write(data.join("doorward.db-wal"), "rests of a log").unwrap();
    let said = ended(
        &process.run(&["restore", file.to_str().unwrap(), "--yes"]),
        0,
    );
    assert!(said.contains("It cannot be read"), "{said}");
    let kept = names(&data.join("backups"));
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert_eq!(
        fs::read(data.join("backups").join(&kept[0])).unwrap(),
        broken
    );
    assert!(kept[1].ends_with(".db-wal"), "{kept:?}");
    assert_eq!(emails(&data.join("doorward.db")), [served::OWNER]);
    ended(&process.run(&["audit", "verify"]), 0);
}

#[test]
fn what_is_no_whole_backup_changes_nothing() {
    let (process, elsewhere, file) = stopped("later@haldenworks.example");
    let before = fs::read(process.data().join("doorward.db")).unwrap();
    let there = names(process.data());
    let good = fs::read(&file).unwrap();
    let bad = elsewhere.path().join("bad.db");
    let make = |harm: &str| {
        fs::write(&bad, &good).unwrap();
        Connection::open(&bad).unwrap().execute_batch(harm).unwrap();
    };
    let mut damaged = good.clone();
    damaged[8_192..40_000].fill(0x5a);
    fs::write(&bad, damaged).unwrap();
    let path = bad.to_str().unwrap();
    let said = ended(&process.run(&["restore", path, "--yes"]), 1);
    assert!(said.contains("is damaged"), "{said}");
    make("PRAGMA user_version = 7");
    let said = ended(&process.run(&["restore", path, "--yes"]), 1);
    assert!(said.contains("run the newer doorward"), "{said}");
    make("DROP TRIGGER audit_texts_stay; UPDATE audit_texts SET text = 'x'");
    let said = ended(&process.run(&["restore", path, "--yes"]), 1);
    assert!(said.contains("its audit log is not what it was"), "{said}");
    assert_eq!(
        fs::read(process.data().join("doorward.db")).unwrap(),
        before
    );
    assert_eq!(names(process.data()), there);
}

#[test]
fn an_older_backup_is_brought_to_today() {
    let (mut process, _elsewhere, file) = stopped("later@haldenworks.example");
    make_older(&file);
    let said = ended(
        &process.run(&["restore", file.to_str().unwrap(), "--yes"]),
        0,
    );
    assert!(said.contains("Schema         5 (brought to 6)"), "{said}");
    ended(&process.run(&["audit", "verify"]), 0);
    process.restart();
    sign_in(&mut Client::new(process.address()), served::OWNER);
}

#[test]
fn killed_at_any_moment_the_old_or_the_new_one_is_whole() {
    let (process, _elsewhere, file) = stopped("later@haldenworks.example");
    let data = process.data().to_owned();
    let path = file.to_str().unwrap().to_owned();
    let old = fs::read(data.join("doorward.db")).unwrap();
    let log = fs::read(data.join("doorward.db-wal")).unwrap_or_default();
    let reset = || {
        for entry in fs::read_dir(&data).unwrap() {
            let place = entry.unwrap().path();
            if place.ends_with("secret.key") {
            } else if place.is_dir() {
                fs::remove_dir_all(&place).unwrap();
            } else {
                fs::remove_file(&place).unwrap();
            }
        }
        fs::write(data.join("doorward.db"), &old).unwrap();
        if !log.is_empty() {
            fs::write(data.join("doorward.db-wal"), &log).unwrap();
        }
    };
    let longest = {
        let began = instant();
        ended(&process.run(&["restore", &path, "--yes"]), 0);
        began.elapsed()
    };
    let mut outcomes = [0, 0];
    for round in 0..40_u32 {
        reset();
        let random = u32::from_be_bytes(bytes(&OsRandom).unwrap());
        // Half of them towards the end, where files are moved.
        let part = f64::from(random) / f64::from(u32::MAX);
        let part = if round.is_multiple_of(2) {
            part
        } else {
            0.6 + part * 0.4
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["restore", "--yes", "--data"])
            .arg(&data)
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait::pause(longest.mul_f64(part));
        child.kill().unwrap();
        child.wait().unwrap();
        // The next command ends what was begun, or finds it undone.
        ended(&process.run(&["audit", "verify"]), 0);
        let known = emails(&data.join("doorward.db")).len();
        assert!(known == 1 || known == 2, "{known}");
        outcomes[known - 1] += 1;
        let restored: i64 = Connection::open(data.join("doorward.db"))
            .unwrap()
            .query_row(
                "SELECT count(*) FROM audit_events WHERE action = 'backup.restored'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(restored, i64::from(known == 1));
        assert!(!data.join(".restore.ready").exists());
    }
    assert!(outcomes[1] > 0, "it was never killed before the end");
    assert_eq!(outcomes.iter().sum::<i32>(), 40);
}

/// Each step of the move, as a kill leaves it: whatever opens the folder next ends it first.
#[test]
fn a_restore_that_was_decided_is_ended_by_whoever_opens_the_folder_next() {
    let (process, _elsewhere, file) = stopped("later@haldenworks.example");
    let data = process.data().to_owned();
    let prepare = || {
        let ready = data.join(".restore.ready");
        fs::create_dir(&ready).unwrap();
        let aside = tempfile::tempdir().unwrap();
        fs::set_permissions(aside.path(), Permissions::from_mode(0o700)).unwrap();
        fs::copy(data.join("secret.key"), aside.path().join("secret.key")).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["restore", "--yes", "--data"])
            .arg(aside.path())
            .arg(&file)
            .output()
            .unwrap();
        ended(&done, 0);
        fs::copy(aside.path().join("doorward.db"), ready.join("doorward.db")).unwrap();
        fs::write(ready.join("replaced"), "replaced-x.db").unwrap();
    };
    prepare();
    // A log of the old file that must not be read into the new one.
    fs::write(data.join("doorward.db-wal"), "a stale log").unwrap();
    ended(&process.run(&["audit", "verify"]), 0);
    assert_eq!(emails(&data.join("doorward.db")), [served::OWNER]);
    assert_eq!(emails(&data.join("replaced-x.db")).len(), 2);
    assert_eq!(
        fs::read(data.join("replaced-x.db-wal")).unwrap(),
        b"a stale log"
    );
    // While the old one is gone already and the new one not there yet.
    fs::remove_file(data.join("replaced-x.db-wal")).unwrap();
    prepare();
    fs::rename(data.join("doorward.db"), data.join("replaced-x.db")).unwrap();
    let mut process = process;
    process.restart();
    sign_in(&mut Client::new(process.address()), served::OWNER);
}
