//! Damaged files: refused in a sentence with a way out, or served; never a panic, never a process that dies later.

use std::path::Path;

use super::seed::Seed;
use super::stage::{Deed, Stage, copy_files};
use super::{is_long, report};
use crate::client::Client;
use crate::crash::file::File;
use crate::process::{Doorward, Ended};
use crate::served;

const PAGE: usize = 4_096;
/// So many bytes are damaged, unless some in every page are.
const SOME: usize = 24;

/// What came of one damage.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    /// It was not served.
    Refused,
    /// Every page is as before.
    Right,
    /// Some pages say that something broke.
    Told,
    /// The pages open and read otherwise: a byte of a text is a text.
    Other,
}

/// A refusal that somebody who runs it understands.
#[track_caller]
fn is_refusal(ended: &Ended, what: &str) {
    assert!(
        ended.status.code().is_some_and(|code| code != 0),
        "{what}: {ended:?}"
    );
    assert!(!ended.output.contains("panicked"), "{what}: {ended:?}");
    let line = ended
        .output
        .lines()
        .find(|line| line.starts_with("error: "));
    let line = line.unwrap_or_else(|| panic!("{what}: {ended:?}"));
    let has_way_out = ["put back", "run ", "name another", "chmod", "make room"]
        .iter()
        .any(|words| line.contains(words));
    assert!(has_way_out, "{what}: no way out in: {line}");
}

/// What the owner sees.
fn tour(owner: &mut Client) -> Vec<(u16, String)> {
    [
        "/",
        "/iam/accounts",
        "/mail",
        "/settings",
        "/account",
        "/iam/roles",
    ]
    .iter()
    .map(|path| {
        let page = owner.get(path);
        // Ages such as "2 min ago" go on.
        let text = page
            .text()
            .replace(|letter: char| letter.is_ascii_digit(), "");
        (page.status, text)
    })
    .collect()
}

fn start_on(stage: &Stage, damage: impl FnOnce(&Path)) -> Result<Doorward, Ended> {
    let launch = stage.launch();
    copy_files(stage.files(), launch.data());
    damage(launch.data());
    launch.try_start()
}

fn flip(path: &Path, at: usize, bits: u8) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= bits;
    std::fs::write(path, bytes).unwrap();
}

/// What is done to a data folder.
type Harm = Box<dyn Fn(&Path)>;

#[test]
fn a_database_with_a_damaged_byte_is_refused_or_served_and_breaks_nothing() {
    let mut seed = Seed::new();
    let stage = Stage::before(Deed::Disable);
    let before = tour(&mut stage.life().owner());
    let size = usize::try_from(
        std::fs::metadata(stage.files().join("doorward.db"))
            .unwrap()
            .len(),
    )
    .unwrap();
    let mut places = Vec::new();
    for page in 0..size / PAGE {
        for _ in 0..3 {
            // Where a page says how it is built, and anywhere.
            places.push(page * PAGE + seed.below(64));
            places.push(page * PAGE + seed.below(PAGE));
        }
    }
    if !is_long() {
        places = seed.some(places, SOME);
    }
    // Of a few places it may be that none matters; that it is a database at all stands in the first byte.
    places.push(0);
    let (mut refused, mut right, mut told, mut other, mut unseen) = (0, 0, 0, 0, 0);
    for at in &places {
        let bits = [0xff, 0x01, 0x80, 0x10][seed.below(4)];
        let what = format!("byte {at} xor {bits:#x}, seed {}", seed.first);
        let came = match start_on(&stage, |data| flip(&data.join("doorward.db"), *at, bits)) {
            Err(ended) => {
                is_refusal(&ended, &what);
                Came::Refused
            }
            Ok(mut process) => {
                let mut owner = stage.owner_at(&process);
                let seen = tour(&mut owner);
                assert!(
                    seen.iter()
                        .all(|(status, _)| matches!(status, 200 | 303 | 403 | 500 | 503)),
                    "{what}: {seen:?}"
                );
                assert!(
                    !process.output().contains("panicked"),
                    "{what}: {}",
                    process.output()
                );
                let verified = process.run(&["audit", "verify"]);
                assert!(verified.status.code().is_some(), "{what}: {verified:?}");
                assert!(
                    !process.ends_within(std::time::Duration::ZERO),
                    "{what}: it died"
                );
                if seen == before {
                    unseen += usize::from(verified.status.success());
                    Came::Right
                } else if seen.iter().any(|(status, _)| *status >= 500) {
                    Came::Told
                } else {
                    Came::Other
                }
            }
        };
        match came {
            Came::Refused => refused += 1,
            Came::Right => right += 1,
            Came::Told => told += 1,
            Came::Other => other += 1,
        }
    }
    assert!(refused > 0, "no damage was found");
    report(
        "damaged-database",
        &format!(
            "seed {}: {} bytes damaged in {} pages: {refused} refused at the start, {told} told by a page that broke, \
             {other} read otherwise, {right} pages as before (of these the audit log was whole in {unseen}); no panic",
            seed.first,
            places.len(),
            size / PAGE
        ),
    );
}

#[test]
fn a_database_that_was_cut_short_and_a_key_that_was_damaged_are_refused() {
    let stage = Stage::before(Deed::Disable);
    let database = std::fs::metadata(stage.files().join("doorward.db"))
        .unwrap()
        .len();
    let mut tried = 0;
    for length in [
        0,
        15,
        100,
        4_095,
        4_096,
        12_288,
        database / 2,
        database - 4_096,
    ] {
        let cut = |data: &Path| {
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(data.join("doorward.db"));
            file.unwrap().set_len(length).unwrap();
        };
        let ended = start_on(&stage, cut).map(|process| process.output());
        let ended = ended.expect_err(&format!("{length} bytes of {database} are served"));
        is_refusal(&ended, &format!("{length} bytes"));
        tried += 1;
    }
    let key = std::fs::read(stage.files().join("secret.key")).unwrap();
    let mut keys = vec![
        Vec::new(),
        key[..key.len() / 2].to_vec(),
        vec![b'x'; 4_096],
        vec![0; key.len()],
    ];
    for at in [0, key.len() / 2, key.len() - 2] {
        let mut damaged = key.clone();
        damaged[at] ^= 0x04;
        keys.push(damaged);
    }
    for damaged in keys {
        let put = |data: &Path| std::fs::write(data.join("secret.key"), &damaged).unwrap();
        let ended = start_on(&stage, put).map(|process| process.output());
        is_refusal(&ended.unwrap_err(), "a key");
        tried += 1;
    }
    report(
        "cut-and-keys",
        &format!("{tried} files cut short or keys damaged, each refused with a way out"),
    );
}

#[test]
fn whatever_lies_beside_the_database_it_is_served_whole() {
    let stage = Stage::before(Deed::Invite);
    let mut life = stage.life();
    life.act();
    assert!(life.is_acknowledged());
    life.process.kill9();
    let mut seed = Seed::new();
    let log = std::fs::metadata(life.files.join("doorward.db-wal"))
        .unwrap()
        .len();
    let log = usize::try_from(log).unwrap();
    assert!(log > PAGE, "nothing stands in the log");
    let mut kinds: Vec<(String, Harm, bool)> = vec![
        (
            "no shm".to_owned(),
            Box::new(|data| std::fs::remove_file(data.join("doorward.db-shm")).unwrap()),
            true,
        ),
        (
            "nonsense as shm".to_owned(),
            Box::new(|data| {
                std::fs::write(data.join("doorward.db-shm"), vec![0xa5; 32_768]).unwrap()
            }),
            true,
        ),
        (
            "a zeroed head of the log".to_owned(),
            Box::new(|data| {
                let path = data.join("doorward.db-wal");
                let mut bytes = std::fs::read(&path).unwrap();
                bytes[..32].fill(0);
                std::fs::write(path, bytes).unwrap();
            }),
            false,
        ),
    ];
    for _ in 0..if is_long() { 200 } else { 6 } {
        let (at, length) = (seed.below(log), seed.below(log));
        kinds.push((
            format!("byte {at} of the log"),
            Box::new(move |data| flip(&data.join("doorward.db-wal"), at, 0x11)),
            false,
        ));
        kinds.push((
            format!("{length} bytes of the log"),
            Box::new(move |data| {
                let file = std::fs::OpenOptions::new()
                    .write(true)
                    .open(data.join("doorward.db-wal"));
                file.unwrap()
                    .set_len(u64::try_from(length).unwrap())
                    .unwrap();
            }),
            false,
        ));
    }
    let (mut with, mut without) = (0, 0);
    for (what, damage, keeps) in &kinds {
        let launch = stage.launch();
        copy_files(&life.files, launch.data());
        damage(launch.data());
        let mut process = launch.start();
        let verified = process.run(&["audit", "verify"]);
        assert!(verified.status.success(), "{what}: {verified:?}");
        let mut owner = stage.owner_at(&process);
        assert_eq!(owner.get("/iam/accounts").status, 200, "{what}");
        assert!(
            !process.output().contains("panicked"),
            "{what}: {}",
            process.output()
        );
        process.kill9();
        let file = File::copy(process.data());
        assert_eq!(file.faults(), [""; 0], "{what}, seed {}", seed.first);
        let there = file.ask::<String>("SELECT email FROM accounts");
        let is_there = there.iter().any(|email| email == super::stage::SUBJECT);
        assert!(
            is_there || !keeps,
            "{what}: an acknowledged invitation is lost"
        );
        assert!(there.iter().any(|email| email == served::OWNER));
        with += usize::from(is_there);
        without += usize::from(!is_there);
    }
    report(
        "damage-beside",
        &format!(
            "seed {}: {} times log or shm was damaged after a kill: always whole; with all commits {with}, with those before \
             the damage {without}",
            seed.first,
            kinds.len()
        ),
    );
}
