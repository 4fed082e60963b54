//! The power goes: of what was written since the last sync any part may be missing, down to the sector. The writes and
//! syncs of a run are recorded, and the files built anew as they may lie on the disk at any moment of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::seed::Seed;
use super::stage::{Deed, Stage};
use super::tracer::{self, Tracer};
use super::{is_long, left_out, report};
use crate::crash::file::File;
use crate::served::expect;

const SECTOR: usize = 512;
const NAMES: [&str; 2] = ["doorward.db", "doorward.db-wal"];
/// The head of an answer that acknowledges, as strace writes it.
const ACKNOWLEDGED: &str = r"\x48\x54\x54\x50\x2f\x31\x2e\x31\x20\x33\x30\x33";

/// What happened, in its order.
enum Event {
    Write {
        file: usize,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        file: usize,
        length: usize,
    },
    /// All that was written to the file before this began is on the disk.
    Synced {
        file: usize,
        begun: usize,
    },
    Acknowledged,
}

/// What strace writes as `\\x2f`, byte by byte.
fn unhex(text: &str) -> Vec<u8> {
    text.split("\\x")
        .skip(1)
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

/// Reads what strace wrote down. `gate` is the thread whose answers go to clients.
fn events(written: &str, gate: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut syncing: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for line in written.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if let Some(resumed) = call.strip_prefix("<... ") {
            let is_sync = resumed.starts_with("fsync") || resumed.starts_with("fdatasync");
            if is_sync
                && resumed.trim_end().ends_with("= 0")
                && let Some((file, begun)) = syncing.remove(thread)
            {
                events.push(Event::Synced { file, begun });
            }
            continue;
        }
        let Some((name, rest)) = call.split_once('(') else {
            continue;
        };
        if matches!(name, "write" | "writev" | "sendto" | "sendmsg") {
            if thread == gate && rest.contains(ACKNOWLEDGED) {
                events.push(Event::Acknowledged);
            }
            continue;
        }
        let Some(path) = rest
            .split_once('<')
            .and_then(|(_, path)| path.split_once('>'))
        else {
            continue;
        };
        let opened = String::from_utf8_lossy(&unhex(path.0)).into_owned();
        let Some(file) = NAMES
            .iter()
            .position(|name| opened.ends_with(&format!("/{name}")))
        else {
            continue;
        };
        match name {
            "pwrite64" => {
                let (text, numbers) = path
                    .1
                    .trim_start_matches(", \"")
                    .rsplit_once("\", ")
                    .unwrap();
                assert!(!text.ends_with('"'), "strace wrote down a part of it");
                let mut numbers = numbers
                    .split([',', ')', ' '])
                    .filter_map(|number| number.parse().ok());
                let length: usize = numbers.next().unwrap();
                let at = numbers.next().unwrap();
                let bytes = unhex(text);
                assert_eq!(bytes.len(), length);
                events.push(Event::Write { file, at, bytes });
            }
            "ftruncate" => {
                let length = path
                    .1
                    .trim_start_matches(", ")
                    .split([')', ' '])
                    .next()
                    .unwrap();
                events.push(Event::Cut {
                    file,
                    length: length.parse().unwrap(),
                });
            }
            "fsync" | "fdatasync" => {
                if call.contains("<unfinished") {
                    syncing.insert(thread, (file, events.len()));
                } else if call.trim_end().ends_with("= 0") {
                    events.push(Event::Synced {
                        file,
                        begun: events.len(),
                    });
                }
            }
            _ => {}
        }
    }
    events
}

/// Puts bytes where they belong.
fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Whether it keeps what it was told to sync.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disk {
    Syncs,
    Lies,
}

/// The files as they may lie on the disk when the power goes after so many events; and how many deeds were acknowledged.
fn after_power_cut(
    base: &[Vec<u8>; 2],
    events: &[Event],
    seed: &mut Seed,
    disk: Disk,
) -> ([Vec<u8>; 2], usize) {
    let mut safe = [0, 0];
    let mut acknowledged = 0;
    for event in events {
        match event {
            Event::Synced { file, begun } if disk == Disk::Syncs => {
                safe[*file] = safe[*file].max(*begun)
            }
            Event::Acknowledged => acknowledged += 1,
            Event::Synced { .. } | Event::Write { .. } | Event::Cut { .. } => {}
        }
    }
    let mut files = base.clone();
    let spared = seed.below(4);
    for (number, event) in events.iter().enumerate() {
        match event {
            Event::Write { file, at, bytes } if number < safe[*file] => {
                put(&mut files[*file], *at, bytes)
            }
            Event::Write { file, at, bytes } => {
                for (sector, part) in bytes.chunks(SECTOR).enumerate() {
                    // Sometimes all of it, sometimes none, and mostly any part.
                    let is_written = match spared {
                        0 => false,
                        1 => true,
                        _ => seed.below(2) == 0,
                    };
                    if is_written {
                        put(&mut files[*file], at + sector * SECTOR, part);
                    }
                }
            }
            Event::Cut { file, length } => {
                if number < safe[*file] || seed.below(2) == 0 {
                    files[*file].resize(*length, 0);
                }
            }
            Event::Synced { .. } | Event::Acknowledged => {}
        }
    }
    (files, acknowledged)
}

fn read(folder: &Path) -> [Vec<u8>; 2] {
    NAMES.map(|name| std::fs::read(folder.join(name)).unwrap_or_default())
}

#[test]
fn whatever_part_of_the_last_writes_is_lost_with_the_power_what_was_acknowledged_is_there() {
    const TEST: &str = "power";
    if let Some(why) = tracer::refusal() {
        return left_out(TEST, why);
    }
    let deeds = if is_long() { 120 } else { 25 };
    let stage = Stage::before(Deed::Invite);
    let life = stage.life();
    super::stage::until_nothing_is_owed(&life.files, &life.process);
    let rules = ["trace=pwrite64,ftruncate,fsync,fdatasync,write,writev,sendto,sendmsg"];
    let (gate, tracer) = Tracer::record(life.process.id(), &rules, "gate");
    let base = read(&life.files);
    let mut owner = life.owner();
    for number in 0..deeds {
        expect(owner.get("/iam/accounts/new"), 200);
        let email = format!("guest{number}@haldenworks.example");
        expect(
            owner.post_form("/iam/accounts", &[("email", &email), ("role", "member")]),
            303,
        );
    }
    super::stage::until_nothing_is_owed(&life.files, &life.process);
    let events = events(&tracer.detach(), &gate);
    let synced = events
        .iter()
        .filter(|event| matches!(event, Event::Synced { .. }))
        .count();
    let told = events
        .iter()
        .filter(|event| matches!(event, Event::Acknowledged))
        .count();
    assert_eq!(told, deeds, "not every answer was seen");
    assert!(synced >= deeds, "hardly anything was synced: {synced}");

    let mut seed = Seed::new();
    // A disk that lies about syncs does lose something, or this would prove nothing.
    let is_lost = (0..20).any(|_| {
        let (files, _) = after_power_cut(&base, &events, &mut seed, Disk::Lies);
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in NAMES.iter().zip(&files) {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let file = rusqlite::Connection::open(folder.path().join(NAMES[0])).unwrap();
        let guests = "SELECT count(*) FROM accounts WHERE email LIKE 'guest%'";
        let there = file.query_row(guests, [], |row| row.get::<_, i64>(0));
        there.map_or(true, |there| usize::try_from(there).unwrap() < deeds)
    });
    assert!(is_lost, "nothing can be lost here");
    let cuts = if is_long() { 3_000 } else { 60 };
    let mut partial = 0;
    for cut in 0..cuts {
        let until = seed.below(events.len() + 1);
        let (files, acknowledged) =
            after_power_cut(&base, &events[..until], &mut seed, Disk::Syncs);
        let folder = tempfile::tempdir().unwrap();
        super::stage::copy_files(stage.files(), folder.path());
        for (name, bytes) in NAMES.iter().zip(&files) {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        std::fs::remove_file(folder.path().join("doorward.db-shm")).unwrap_or_default();
        let file = File::copy(folder.path());
        let what = format!(
            "cut {cut} after event {until} of {}, seed {}",
            events.len(),
            seed.first
        );
        assert_eq!(file.faults(), [""; 0], "{what}");
        let there: i64 = file.ask("SELECT count(*) FROM accounts WHERE email LIKE 'guest%'")[0];
        let there = usize::try_from(there).unwrap();
        assert!(
            there >= acknowledged,
            "{what}: {acknowledged} acknowledged, {there} there"
        );
        partial += usize::from(there > acknowledged);
        if cut % 20 == 0 {
            let verified = life.process.run(&[
                "audit",
                "verify",
                "--data",
                &folder.path().display().to_string(),
            ]);
            assert!(verified.status.success(), "{what}: {verified:?}");
        }
    }
    report(
        TEST,
        &format!(
            "seed {}: {deeds} invitations, {} writes, cuts and syncs; the power went {cuts} times, with any part of what was \
             not synced: 0 acknowledged lost, always whole ({partial} times one more was there than acknowledged)",
            seed.first,
            events.len() - told
        ),
    );
}
