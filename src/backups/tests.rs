use super::*;

#[test]
fn a_name_tells_when_a_backup_was_made_and_of_which_kind() {
    let at = Timestamp(1_795_487_400);
    assert_eq!(nightly_name(at), "doorward-2026-11-24T02-30-00Z.db");
    assert_eq!(by_hand_name(at), "doorward-by-hand-2026-11-24T02-30-00Z.db");
    for name in [nightly_name(at), by_hand_name(at)] {
        assert_eq!(made_at(&name), Some(at), "{name}");
    }
    assert_eq!(made_at("replaced-2026-11-24T02-30-00Z.db"), Some(at));
    assert_eq!(nightly_at(&nightly_name(at)), Some(at));
    for other in [
        by_hand_name(at).as_str(),
        "replaced-2026-11-24T02-30-00Z.db",
        "pre-0.1.0.db",
        "doorward-2026-11-24T02-30-00Z.db-wal",
        "doorward-2026-11-24T02-30-00Z.db.gz",
        "Doorward-2026-11-24T02-30-00Z.db",
        "doorward-2026-11-24T02-30Z.db",
        "doorward-2026-13-24T02-30-00Z.db",
        "doorward-2026-02-31T02-30-00Z.db",
        "doorward-2026-11-24T2-30-00Z.db",
        "doorward-2026-11-24T02-30-60Z.db",
        "doorward-+2026-11-24T02-30-00Z.db",
        "doorward-2026-11-24T02-30-00Z .db",
        "doorward-.db",
        "doorward.db",
        "",
    ] {
        assert_eq!(nightly_at(other), None, "{other}");
    }
}

#[test]
fn only_old_nightly_backups_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let night = |number: i64| nightly_name(Timestamp(1_795_487_400 + number * DAY));
    let mut stay = vec![
        "doorward.db".to_owned(),
        "pre-0.1.0.db".to_owned(),
        "notes.txt".to_owned(),
        by_hand_name(Timestamp(1_000_000_000)),
        "doorward-2020-01-01T02-30-00Z.db.gz".to_owned(),
    ];
    for number in 0..10 {
        fs::write(folder.path().join(night(number)), "").unwrap();
    }
    stay.extend((3..10).map(night));
    for name in &stay {
        fs::write(folder.path().join(name), "").unwrap();
    }
    // What only looks like one is none.
    fs::create_dir(folder.path().join("doorward-2020-01-01T02-30-00Z.db")).unwrap();
    let link = folder.path().join("doorward-2020-01-02T02-30-00Z.db");
    std::os::unix::fs::symlink(folder.path().join("notes.txt"), link).unwrap();
    stay.push("doorward-2020-01-01T02-30-00Z.db".to_owned());
    stay.push("doorward-2020-01-02T02-30-00Z.db".to_owned());
    let last = Timestamp(1_795_487_400 + 9 * DAY);
    assert_eq!(prune(folder.path(), 7, last).unwrap(), 3);
    assert_eq!(prune(folder.path(), 7, last).unwrap(), 0);
    let left = fs::read_dir(folder.path()).unwrap();
    let mut left: Vec<String> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    stay.sort();
    assert_eq!(left, stay);
}
