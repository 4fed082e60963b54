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
    assert_eq!(night(&nightly_name(at)), Some((at, 1)));
    // Those that came later in the same second.
    for (start, is_night) in [
        ("doorward", true),
        ("doorward-by-hand", false),
        ("replaced", false),
    ] {
        let name = format!("{start}-2026-11-24T02-30-00Z-12.db");
        assert_eq!(made_at(&name), Some(at), "{name}");
        assert_eq!(night(&name), is_night.then_some((at, 12)), "{name}");
    }
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
        "doorward-2026-11-24T02-30-00Z-.db",
        "doorward-2026-11-24T02-30-00Z-1.db",
        "doorward-2026-11-24T02-30-00Z-02.db",
        "doorward-2026-11-24T02-30-00Z-+2.db",
        "doorward-2026-11-24T02-30-00Z-2-2.db",
        "doorward-2026-11-24T02-30-00Z-99999999999.db",
        "doorward-2026-11-24T02-30-00Z2.db",
        "doorward-2026-11-24T02-30-00é.db",
        "doorward-.db",
        "doorward.db",
        "",
    ] {
        assert_eq!(night(other), None, "{other}");
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
    stay.extend((4..10).map(night));
    // Three nights of one second: numbers, not letters, say which was first.
    for number in [2, 10] {
        let name = night(3).replace(".db", &format!("-{number}.db"));
        fs::write(folder.path().join(name), "").unwrap();
    }
    stay.push(night(3).replace(".db", "-10.db"));
    for name in &stay {
        fs::write(folder.path().join(name), "").unwrap();
    }
    // What only looks like one is none.
    fs::create_dir(folder.path().join("doorward-2020-01-01T02-30-00Z.db")).unwrap();
    let link = folder.path().join("doorward-2020-01-02T02-30-00Z.db");
    std::os::unix::fs::symlink(folder.path().join("notes.txt"), link).unwrap();
    stay.push("doorward-2020-01-01T02-30-00Z.db".to_owned());
    stay.push("doorward-2020-01-02T02-30-00Z.db".to_owned());
    let later = Timestamp(1_795_487_400 + 20 * DAY);
    assert_eq!(prune(folder.path(), 7, later).unwrap(), 5);
    assert_eq!(prune(folder.path(), 7, later).unwrap(), 0);
    let left = fs::read_dir(folder.path()).unwrap();
    let mut left: Vec<String> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    stay.sort();
    assert_eq!(left, stay);
}

#[test]
fn the_newest_is_told_by_the_names_and_is_none_that_was_replaced() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(newest(folder.path()), None);
    assert_eq!(newest(&folder.path().join("none")), None);
    let at = |day: i64| Timestamp(1_795_487_400 + day * DAY);
    for name in [
        nightly_name(at(1)),
        by_hand_name(at(2)),
        by_hand_name(at(2)).replace(".db", "-2.db"),
        by_hand_name(at(2)).replace(".db", "-10.db"),
        format!("{}.db", replaced_name(at(4))),
        "pre-9.0.0.db".to_owned(),
    ] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    fs::create_dir(folder.path().join(nightly_name(at(5)))).unwrap();
    let tenth = by_hand_name(at(2)).replace(".db", "-10.db");
    assert_eq!(newest(folder.path()), Some(folder.path().join(tenth)));
    fs::write(folder.path().join(nightly_name(at(3))), "").unwrap();
    let night = folder.path().join(nightly_name(at(3)));
    assert_eq!(newest(folder.path()), Some(night));
}
