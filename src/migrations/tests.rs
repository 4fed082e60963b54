use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::kit::random::SeededRandom;

const NOW: Timestamp = Timestamp(1_764_000_000);

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn serve(folder: &Path) -> Result<(Opened, Lock)> {
    serve_seeded(folder, 1)
}

fn serve_seeded(folder: &Path, seed: u64) -> Result<(Opened, Lock)> {
    let random = SeededRandom::new(seed);
    open_to_serve(folder, Origin::new(NOW, &random))
}

fn beside(folder: &Path, if_empty: IfEmpty) -> Result<Opened> {
    let random = SeededRandom::new(2);
    open_beside(folder, if_empty, Origin::new(NOW, &random))
}

/// A folder that was set up and closed.
fn used() -> tempfile::TempDir {
    let folder = folder();
    drop(serve(folder.path()).unwrap());
    folder
}

fn refusal(folder: &Path) -> String {
    serve(folder).unwrap_err().to_string()
}

fn there(path: &Path) -> bool {
    is_there(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// Puts another file in the database's place. Not into the file itself: the pool may still be looking at it.
fn replace_database(folder: &Path, content: &[u8]) {
    fs::write(folder.join("other"), content).unwrap();
    fs::rename(folder.join("other"), folder.join(DATABASE)).unwrap();
}

fn script(folder: &Path, sql: &str) {
    let conn = rusqlite::Connection::open(folder.join(DATABASE)).unwrap();
    conn.execute_batch(sql).unwrap();
}

#[test]
fn the_version_is_the_schemas() {
    assert!(SCHEMA.ends_with(&format!("PRAGMA user_version = {VERSION};\n")));
}

#[test]
fn an_empty_folder_is_set_up_once_and_privately() {
    let folder = folder();
    let folder = folder.path().join("data");
    let (first, lock) = serve(&folder).unwrap();
    assert!(first.is_new);
    assert_eq!(first.db.complaints().unwrap(), Vec::<String>::new());
    assert_eq!(mode(&folder), 0o700);
    for name in [
        DATABASE,
        "doorward.db-wal",
        "doorward.db-shm",
        key_file::NAME,
    ] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    assert!(!there(&folder.join(UNFINISHED)));
    let identity = first.keys.identity();
    drop((first, lock));

    let (second, _lock) = serve_seeded(&folder, 9).unwrap();
    assert!(!second.is_new);
    assert_eq!(second.keys.identity(), identity);
}

#[test]
fn one_serves_and_commands_work_beside_it() {
    let folder = folder();
    let (_opened, _lock) = serve(folder.path()).unwrap();
    let words = refusal(folder.path());
    assert!(
        words.starts_with("another doorward serves this folder"),
        "{words}"
    );
    assert!(!beside(folder.path(), IfEmpty::Refuse).unwrap().is_new);
}

#[test]
fn a_command_that_only_looks_sets_nothing_up() {
    let around = folder();
    let folder = around.path().join("typo");
    let refused = beside(&folder, IfEmpty::Refuse).unwrap_err();
    assert!(matches!(refused, Error::Empty(_)), "{refused}");
    assert!(!there(&folder));
    assert!(beside(&folder, IfEmpty::SetUp).unwrap().is_new);
    // The lock was for setting up alone.
    drop(serve(&folder).unwrap());
}

#[test]
fn a_kill_before_the_database_is_in_place_leaves_an_empty_folder() {
    for leftovers in [
        &[][..],
        &[DATABASE],
        &[DATABASE, "doorward.db-wal"],
        &[key_file::NAME],
    ] {
        let folder = folder();
        let unfinished = folder.path().join(UNFINISHED);
        fs::create_dir(&unfinished).unwrap();
        for name in leftovers {
            fs::write(unfinished.join(name), "half").unwrap();
        }
        let refused = beside(folder.path(), IfEmpty::Refuse).unwrap_err();
        assert!(matches!(refused, Error::Empty(_)), "{refused}");
        let (opened, _lock) = serve(folder.path()).unwrap();
        assert!(opened.is_new, "{leftovers:?}");
        assert!(!there(&unfinished));
    }
}

#[test]
fn a_kill_between_database_and_key_is_made_good() {
    for command in [false, true] {
        let folder = used();
        let unfinished = folder.path().join(UNFINISHED);
        let key = folder.path().join(key_file::NAME);
        let before = fs::read(&key).unwrap();
        fs::create_dir(&unfinished).unwrap();
        fs::rename(&key, unfinished.join(key_file::NAME)).unwrap();
        if command {
            drop(beside(folder.path(), IfEmpty::Refuse).unwrap());
        } else {
            drop(serve(folder.path()).unwrap());
        }
        assert_eq!(fs::read(&key).unwrap(), before);
        assert!(!there(&unfinished));
    }
}

#[test]
fn a_kill_after_the_key_leaves_nothing_to_do_but_tidying() {
    let folder = used();
    fs::create_dir(folder.path().join(UNFINISHED)).unwrap();
    let (opened, _lock) = serve(folder.path()).unwrap();
    assert!(!opened.is_new);
    assert!(!there(&folder.path().join(UNFINISHED)));
}

#[test]
fn a_key_of_another_setting_up_does_not_complete_a_database() {
    let folder = used();
    fs::remove_file(folder.path().join(key_file::NAME)).unwrap();
    let unfinished = folder.path().join(UNFINISHED);
    fs::create_dir(&unfinished).unwrap();
    key_file::write(&unfinished, &Keys::new([9; 32])).unwrap();
    let words = refusal(folder.path());
    assert!(words.contains("doorward.db and no secret.key"), "{words}");
}

#[test]
fn a_folder_that_lost_a_part_is_refused_and_left_as_it_is() {
    for (name, says) in [
        (key_file::NAME, "put back your copy of secret.key"),
        (DATABASE, "holds secret.key and no doorward.db"),
    ] {
        let folder = used();
        fs::remove_file(folder.path().join(name)).unwrap();
        let words = refusal(folder.path());
        assert!(words.contains(says), "{words}");
        assert!(!there(&folder.path().join(name)), "nothing new was made");
        assert!(beside(folder.path(), IfEmpty::SetUp).is_err());
    }
    let folder = used();
    fs::remove_file(folder.path().join(DATABASE)).unwrap();
    fs::remove_file(folder.path().join(key_file::NAME)).unwrap();
    fs::create_dir(folder.path().join("backups")).unwrap();
    let words = refusal(folder.path());
    assert!(words.contains("a database that is not there"), "{words}");
}

#[test]
fn a_key_that_is_wrong_or_open_to_others_is_refused() {
    let folder = used();
    key_file::write(folder.path(), &Keys::new([9; 32])).unwrap();
    let words = refusal(folder.path());
    assert!(words.contains("do not belong together"), "{words}");

    let folder = used();
    let key = folder.path().join(key_file::NAME);
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let words = refusal(folder.path());
    assert!(words.contains("chmod 600"), "{words}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, "").unwrap();
    let words = refusal(folder.path());
    assert!(words.contains("is empty"), "{words}");
}

#[test]
fn another_schema_is_refused_by_server_and_command() {
    let folder = used();
    for (version, way_out) in [
        (VERSION + 1, "run the newer doorward"),
        (STEPS[0].from - 1, "run the doorward that made it"),
    ] {
        script(folder.path(), &format!("PRAGMA user_version = {version}"));
        let words = refusal(folder.path());
        assert!(
            words.contains(&format!("schema version {version}")) && words.contains(way_out),
            "{words}"
        );
        let refused = beside(folder.path(), IfEmpty::SetUp).unwrap_err();
        assert_eq!(refused.to_string(), words);
    }
}

#[test]
fn what_is_no_database_of_ours_is_refused() {
    for content in ["", "text", "SQLite format 3\0"] {
        let folder = used();
        replace_database(folder.path(), content.as_bytes());
        let before = fs::read(folder.path().join(DATABASE)).unwrap();
        assert!(serve(folder.path()).is_err(), "{content:?} was taken");
        assert_eq!(fs::read(folder.path().join(DATABASE)).unwrap(), before);
    }
    let folder = used();
    fs::remove_file(folder.path().join(DATABASE)).unwrap();
    script(
        folder.path(),
        "CREATE TABLE theirs (id); PRAGMA user_version = 1",
    );
    let words = refusal(folder.path());
    assert!(words.contains("no database of doorward"), "{words}");
}

#[test]
fn a_database_with_two_names_is_refused() {
    let folder = used();
    let path = folder.path().join(DATABASE);
    let other = folder.path().join("other.db");
    fs::hard_link(&path, &other).unwrap();
    assert!(refusal(folder.path()).contains("a second name"));
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    assert!(refusal(folder.path()).contains("is a link"));
}

#[test]
fn damage_is_found_at_the_start() {
    let folder = used();
    let path = folder.path().join(DATABASE);
    let mut bytes = fs::read(&path).unwrap();
    // The second page on: the head stays readable.
    for byte in bytes.iter_mut().skip(8192).take(4096) {
        *byte = 0x5a;
    }
    fs::write(&path, bytes).unwrap();
    let words = refusal(folder.path());
    assert!(
        words.contains("damaged") || words.contains("malformed"),
        "{words}"
    );
}

/// The step after today's schema, and the one after that, as later versions may have them.
const NEXT: Step = Step {
    from: VERSION,
    name: "next",
    sql: "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT; INSERT INTO later VALUES (7);",
};
const LAST: Step = Step {
    from: VERSION + 1,
    name: "last",
    sql: "ALTER TABLE later ADD COLUMN more TEXT;",
};

/// Brings the folder's file through these steps, at another instant each time: no two records are the same.
fn upgrade_by(folder: &Path, steps: &[Step]) -> Result<Upgraded> {
    let keys = keys(folder, None).unwrap();
    let random = SeededRandom::new(3);
    let world = World {
        now: NOW,
        random: &random,
        keys: &keys,
        mail_domain: "localhost",
    };
    upgrade::in_place(folder, &folder.join(DATABASE), steps, world)
}

fn ask(path: &Path, sql: &str) -> Vec<String> {
    let conn = rusqlite::Connection::open(path).unwrap();
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

const RECORDS: &str = "SELECT details FROM audit_events WHERE action = 'schema.upgraded'";
const VERSIONS: &str = "SELECT user_version || '' FROM pragma_user_version";
const TABLES: &str = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema
    WHERE name IN ('later', 'upgrade_begun') ORDER BY name)";

/// The names and bytes of all files, and when each was changed last: what a look must leave alone.
fn all_of(folder: &Path) -> std::collections::BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, (fs::read(&path).unwrap(), changed))
        })
        .collect()
}

fn copies(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join(BACKUPS)) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn first_copy() -> String {
    format!("pre-{}.db", env!("CARGO_PKG_VERSION"))
}

fn second_copy() -> String {
    format!("pre-{}-2.db", env!("CARGO_PKG_VERSION"))
}

#[test]
fn a_released_step_is_never_edited() {
    use sha2::{Digest, Sha256};

    // A line is added with a step, and none is ever changed: files exist that the step has changed.
    let released = [
        (
            "0004_backups",
            "4d7d56a3e4939393f6a977d09fae46c985603c7081d36da5f50d516f8b8203fb",
        ),
        (
            "0005_billing",
            "24da7375783fc64958f4d7b05bdd2de674fd4df3f2466a19d7ea882de15670d3",
        ),
        (
            "0006_portal",
            "b1605fa426d8ca17d9c27e96662de3cb58c91fae25572e978d077898bb1915f7",
        ),
    ];
    let now = STEPS.map(|step| {
        let digest = Sha256::digest(step.sql);
        (step.name, data_encoding::HEXLOWER.encode(&digest))
    });
    let now: Vec<(&str, &str)> = now
        .iter()
        .map(|(name, digest)| (*name, &**digest))
        .collect();
    assert_eq!(now, released);
}

#[test]
fn the_steps_lead_from_one_version_to_the_next_and_are_named_for_it() {
    let mut version = oldest();
    for step in STEPS {
        assert_eq!(step.from, version);
        version = step.to();
        assert!(step.name.starts_with(&format!("{version:04}_")), "{step:?}");
    }
    assert_eq!(version, VERSION);
    let mut files: Vec<String> = fs::read_dir("src/migrations")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
        .collect();
    files.sort();
    assert_eq!(files, STEPS.map(|step| step.name));
}

#[test]
fn an_upgrade_is_on_record_and_what_was_before_lies_beside_it() {
    let folder = used();
    let path = folder.path().join(DATABASE);
    let done = upgrade_by(folder.path(), &[NEXT, LAST]).unwrap();
    let copy = folder.path().join(BACKUPS).join(first_copy());
    assert_eq!((done.from, done.to), (VERSION, VERSION + 2));
    assert_eq!(done.copy, copy);
    assert_eq!((mode(&copy), mode(copy.parent().unwrap())), (0o600, 0o700));
    assert_eq!(copies(folder.path()), [first_copy()]);
    assert_eq!(ask(&copy, VERSIONS), [VERSION.to_string()]);
    assert_eq!(ask(&path, VERSIONS), [(VERSION + 2).to_string()]);
    assert_eq!(ask(&path, TABLES), ["later"]);
    assert_eq!(
        ask(&path, RECORDS),
        [format!("{{\"from\":{VERSION},\"to\":{}}}", VERSION + 2)]
    );
}

#[test]
fn a_step_that_fails_leaves_what_was_before_it_and_says_how_to_go_back() {
    let broken = [
        ("SELECT nonsense", "nonsense"),
        ("CREATE TABLE install (x)", "already exists"),
        (
            "DELETE FROM organisations; CREATE TABLE child (x INTEGER REFERENCES install (id)) STRICT; INSERT INTO child VALUES (9);",
            "points nowhere",
        ),
    ];
    for (sql, says) in broken {
        let folder = used();
        let path = folder.path().join(DATABASE);
        let copy = folder.path().join(BACKUPS).join(first_copy());
        let wrong = Step { sql, ..NEXT };
        let words = upgrade_by(folder.path(), &[wrong, LAST])
            .unwrap_err()
            .to_string();
        for says in [
            "the step next from schema version",
            says,
            "the file is as it was",
            "start the doorward from before",
            &copy.display().to_string(),
        ] {
            assert!(words.contains(says), "{words}");
        }
        assert_eq!(ask(&path, VERSIONS), [VERSION.to_string()]);
        assert_eq!(
            ask(
                &path,
                "SELECT name FROM sqlite_schema WHERE name IN ('later', 'child')"
            ),
            [""; 0]
        );
        drop(serve(folder.path()).unwrap());

        let wrong = Step { sql, ..LAST };
        let words = upgrade_by(folder.path(), &[NEXT, wrong])
            .unwrap_err()
            .to_string();
        let way_back = format!("doorward restore {}", copy.display());
        assert!(
            words.contains("the step last") && words.ends_with(&way_back),
            "{words}"
        );
        assert_eq!(ask(&path, VERSIONS), [(VERSION + 1).to_string()]);
        assert_eq!(ask(&path, RECORDS), [""; 0]);
    }
}

#[test]
fn an_upgrade_that_was_interrupted_between_two_steps_knows_where_it_began() {
    let folder = used();
    let path = folder.path().join(DATABASE);
    let stuck = Step {
        sql: "SELECT nonsense",
        ..LAST
    };
    for _ in 0..2 {
        assert!(upgrade_by(folder.path(), &[NEXT, stuck]).is_err());
        assert_eq!(ask(&path, TABLES), ["later,upgrade_begun"]);
    }
    // Of the version that it stands at now no copy is made: the first is the one to go back to.
    assert_eq!(copies(folder.path()), [first_copy()]);
    let done = upgrade_by(folder.path(), &[NEXT, LAST]).unwrap();
    assert_eq!((done.from, done.to), (VERSION, VERSION + 2));
    assert_eq!(done.copy, folder.path().join(BACKUPS).join(first_copy()));
    assert_eq!(ask(&done.copy, VERSIONS), [VERSION.to_string()]);
    assert_eq!(ask(&path, TABLES), ["later"]);
    assert_eq!(
        ask(&path, RECORDS),
        [format!("{{\"from\":{VERSION},\"to\":{}}}", VERSION + 2)]
    );
}

#[test]
fn a_copy_that_was_lost_between_two_steps_is_made_of_what_is_there() {
    let folder = used();
    let stuck = Step {
        sql: "SELECT nonsense",
        ..LAST
    };
    assert!(upgrade_by(folder.path(), &[NEXT, stuck]).is_err());
    fs::remove_file(folder.path().join(BACKUPS).join(first_copy())).unwrap();
    let done = upgrade_by(folder.path(), &[NEXT, LAST]).unwrap();
    assert_eq!(done.from, VERSION);
    assert_eq!(ask(&done.copy, VERSIONS), [(VERSION + 1).to_string()]);
}

#[test]
fn a_copy_never_takes_the_place_of_another() {
    let folder = used();
    let wrong = Step {
        sql: "SELECT nonsense",
        ..NEXT
    };
    let fail = || assert!(upgrade_by(folder.path(), &[wrong]).is_err());
    fail();
    // The file is as it was: so is the copy.
    let before = fs::read(folder.path().join(BACKUPS).join(first_copy())).unwrap();
    fail();
    assert_eq!(copies(folder.path()), [first_copy()]);
    // The doorward from before went on with it: the copy is old, and may be wanted all the same.
    script(folder.path(), "UPDATE install SET probe = probe + 1");
    fs::write(
        folder.path().join(BACKUPS).join(".pre-upgrade.unfinished"),
        "half",
    )
    .unwrap();
    fail();
    assert_eq!(copies(folder.path()), [second_copy(), first_copy()]);
    assert_eq!(
        fs::read(folder.path().join(BACKUPS).join(first_copy())).unwrap(),
        before
    );
    let newer = folder.path().join(BACKUPS).join(second_copy());
    assert_eq!(ask(&newer, "SELECT probe || '' FROM install"), ["1"]);
    // What is no copy is nobody's to remove.
    fs::write(folder.path().join(BACKUPS).join(first_copy()), "mine").unwrap();
    let done = upgrade_by(folder.path(), &[NEXT]).unwrap();
    assert_eq!(done.copy, newer);
    assert_eq!(
        fs::read(folder.path().join(BACKUPS).join(first_copy())).unwrap(),
        b"mine"
    );
}

#[test]
fn without_the_copy_nothing_changes() {
    let folder = used();
    fs::write(folder.path().join(BACKUPS), "in the way").unwrap();
    let words = upgrade_by(folder.path(), &[NEXT]).unwrap_err().to_string();
    assert!(words.contains("nothing was changed"), "{words}");
    assert_eq!(
        ask(&folder.path().join(DATABASE), VERSIONS),
        [VERSION.to_string()]
    );
}

#[test]
fn a_file_that_lies_aside_is_brought_up_with_or_without_a_record() {
    let folder = used();
    let path = folder.path().join(DATABASE);
    let random = SeededRandom::new(3);
    let world = World {
        now: NOW,
        random: &random,
        keys: &keys(folder.path(), None).unwrap(),
        mail_domain: "localhost",
    };
    assert_eq!(bring_up(&path, world, Record::Kept).unwrap(), None);
    assert_eq!(
        upgrade::aside(&path, &[NEXT], world, Record::Left).unwrap(),
        VERSION
    );
    assert_eq!(ask(&path, RECORDS), [""; 0]);
    assert_eq!(version(&path).unwrap(), VERSION + 1);
    let steps = [NEXT, LAST];
    assert_eq!(
        upgrade::aside(&path, &steps, world, Record::Kept).unwrap(),
        VERSION + 1
    );
    assert_eq!(ask(&path, RECORDS).len(), 1);
    assert_eq!(copies(folder.path()), [""; 0]);
    assert!(matches!(
        bring_up(&path, world, Record::Kept),
        Err(Error::Newer(..))
    ));
}

#[test]
fn a_file_that_is_not_for_this_program_or_this_key_is_not_touched() {
    let wrong_key: fn(&Path) = |folder| key_file::write(folder, &Keys::new([9; 32])).unwrap();
    let nothing: fn(&Path) = |_| {};
    for (change, spoil, says) in [
        (VERSION + 1, nothing, "run the newer doorward"),
        (oldest() - 1, nothing, "run the doorward that made it"),
        (VERSION, wrong_key, "do not belong together"),
        (oldest(), wrong_key, "do not belong together"),
    ] {
        for is_closed in [true, false] {
            let around = used();
            let folder = around.path().join("left");
            let conn = rusqlite::Connection::open(around.path().join(DATABASE)).unwrap();
            let change = format!("UPDATE install SET probe = 5; PRAGMA user_version = {change}");
            conn.execute_batch(&change).unwrap();
            DirBuilder::new().mode(0o700).create(&folder).unwrap();
            let names = [
                DATABASE,
                key_file::NAME,
                "doorward.db-wal",
                "doorward.db-shm",
            ];
            if is_closed {
                drop(conn);
                for name in &names[..2] {
                    fs::copy(around.path().join(name), folder.join(name)).unwrap();
                }
            } else {
                // As a kill leaves it: what is newest stands in the log.
                for name in names {
                    fs::copy(around.path().join(name), folder.join(name)).unwrap();
                }
            }
            spoil(&folder);
            let mut before = all_of(&folder);
            for _ in 0..2 {
                let words = refusal(&folder);
                assert!(words.contains(says), "{words}");
                assert_eq!(
                    beside(&folder, IfEmpty::SetUp).unwrap_err().to_string(),
                    words
                );
            }
            let mut after = all_of(&folder);
            // The lock is a file as well, where it was asked for.
            before.remove("doorward.lock");
            after.remove("doorward.lock");
            assert!(before == after, "{change} {is_closed}: {:?}", after.keys());
            assert_eq!(copies(&folder), [""; 0]);
        }
    }
}

/// A folder whose key lies elsewhere, and where.
fn with_named_key() -> (tempfile::TempDir, std::path::PathBuf) {
    let around = folder();
    let key = around.path().join("keys").join("doorward_key");
    fs::create_dir(key.parent().unwrap()).unwrap();
    key_file::write(around.path(), &Keys::new([7; 32])).unwrap();
    fs::rename(around.path().join(key_file::NAME), &key).unwrap();
    // A secret of a container is often readable by all in it.
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    (around, key)
}

fn serve_named(folder: &Path, key: &Path) -> Result<(Opened, Lock)> {
    let random = SeededRandom::new(4);
    let origin = Origin {
        key_file: Some(key),
        ..Origin::new(NOW, &random)
    };
    open_to_serve(folder, origin)
}

#[test]
fn a_key_that_lies_elsewhere_is_used_and_none_is_made() {
    let (around, key) = with_named_key();
    let data = around.path().join("data");
    let (opened, lock) = serve_named(&data, &key).unwrap();
    assert!(opened.is_new);
    assert_eq!(opened.keys.root(), &[7; 32]);
    drop((opened, lock));
    let (opened, lock) = serve_named(&data, &key).unwrap();
    assert!(!opened.is_new);
    drop((opened, lock));
    assert!(!there(&data.join(key_file::NAME)));
    assert!(!there(&data.join(UNFINISHED)));
    // Through a link, as Kubernetes has it, and beside a server.
    let link = around.path().join("link");
    std::os::unix::fs::symlink(&key, &link).unwrap();
    let random = SeededRandom::new(4);
    let origin = Origin {
        key_file: Some(&link),
        ..Origin::new(NOW, &random)
    };
    assert!(!open_beside(&data, IfEmpty::Refuse, origin).unwrap().is_new);
    // Without its name the folder lacks a key.
    let words = refusal(&data);
    assert!(
        words.contains("no secret.key") && words.contains("restore FILE --new-key"),
        "{words}"
    );
}

#[test]
fn a_key_that_is_not_where_it_was_said_to_lie_is_not_made_up() {
    let (around, key) = with_named_key();
    let data = around.path().join("data");
    let nowhere = around.path().join("nowhere");
    let words = serve_named(&data, &nowhere).unwrap_err().to_string();
    assert!(words.contains("doorward setup-link --data DIR"), "{words}");
    assert!(folder::is_empty(&data).unwrap());

    // The folder's own key waits to be moved there.
    drop(serve(&data).unwrap());
    let words = serve_named(&data, &nowhere).unwrap_err().to_string();
    let way_out = format!(
        "mv {} {}",
        data.join(key_file::NAME).display(),
        nowhere.display()
    );
    assert!(words.ends_with(&way_out), "{words}");
    let words = serve_named(&data, &key).unwrap_err().to_string();
    assert!(
        words.contains(&key.display().to_string()) && words.contains("do not belong together"),
        "{words}"
    );
    fs::rename(data.join(key_file::NAME), &nowhere).unwrap();
    drop(serve_named(&data, &nowhere).unwrap());

    fs::write(&nowhere, "").unwrap();
    let words = serve_named(&data, &nowhere).unwrap_err().to_string();
    assert!(words.contains("is empty"), "{words}");
    fs::remove_file(&nowhere).unwrap();
    fs::create_dir(&nowhere).unwrap();
    let words = serve_named(&data, &nowhere).unwrap_err().to_string();
    assert!(words.contains("no plain file"), "{words}");
}

#[test]
fn a_lost_database_is_not_replaced_where_the_key_lies_elsewhere() {
    let (around, key) = with_named_key();
    for trace in ["secret.key", "backups", "doorward.db-wal"] {
        let data = around.path().join(format!("data-{trace}"));
        drop(serve_named(&data, &key).unwrap());
        fs::rename(data.join(DATABASE), data.join(trace)).unwrap();
        let refused = serve_named(&data, &key).unwrap_err();
        assert!(
            matches!(refused, Error::Trace(_) | Error::KeyAlone(_)),
            "{refused}"
        );
        assert!(!there(&data.join(DATABASE)));
    }
}
