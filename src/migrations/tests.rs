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
