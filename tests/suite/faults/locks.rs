//! What others do to the file while it is served: hold its lock, read it for ever, serve it too.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use doorward::kit::time::instant;
use rusqlite::Connection;

use super::report;
use super::stage::{Deed, Life, Stage};
use crate::client::Client;
use crate::served::{self, expect};

/// Longer than a write waits for the file.
const HELD: Duration = Duration::from_secs(8);
/// Longer than that no answer may take, on a busy machine.
const ANSWER_TIME: Duration = Duration::from_secs(12);

fn open(life: &Life<'_>) -> Connection {
    Connection::open(life.files.join("doorward.db")).unwrap()
}

fn invite(owner: &mut Client, number: usize) -> u16 {
    expect(owner.get("/iam/accounts/new"), 200);
    let email = format!("guest{number}@haldenworks.example");
    let page = owner.post_form("/iam/accounts", &[("email", &email), ("role", "member")]);
    if page.status == 503 {
        assert!(page.header("retry-after").is_some(), "{page:#?}");
        assert!(page.text().contains("Too busy just now"), "{page:#?}");
    }
    page.status
}

#[test]
fn while_another_process_holds_the_lock_writes_are_put_off_and_pages_go_on() {
    let stage = Stage::before(Deed::Invite);
    let life = stage.life();
    let other = open(&life);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = instant();
    let (slowest, refused) = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..6)
            .map(|number| {
                let mut owner = life.owner();
                scope.spawn(move || {
                    let began = instant();
                    (invite(&mut owner, number), began.elapsed())
                })
            })
            .collect();
        let mut reader = life.owner();
        while began.elapsed() < HELD {
            for path in ["/", "/iam/accounts", "/mail", "/healthz"] {
                let asked = instant();
                expect(reader.get(path), 200);
                assert!(asked.elapsed() < Duration::from_secs(4), "{path} waited");
            }
        }
        let answers: Vec<_> = crowd.into_iter().map(|one| one.join().unwrap()).collect();
        for (status, took) in &answers {
            assert_eq!(*status, 503);
            assert!(*took < ANSWER_TIME, "{took:?}");
        }
        let slowest = answers.iter().map(|(_, took)| *took).max().unwrap();
        (slowest, answers.len())
    });
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(invite(&mut life.owner(), 100), 303);
    let mut owner = life.owner();
    assert_eq!(owner.get("/readyz").status, 200);
    assert!(
        !life.process.output().contains("\"status\":500"),
        "{}",
        life.process.output()
    );
    report(
        "lock-held",
        &format!(
            "the lock held for {} s: {refused} writes answered 503 in {:.1} s at most, pages went on, the next write was done",
            HELD.as_secs(),
            slowest.as_secs_f32()
        ),
    );
}

#[test]
fn the_log_stops_growing_when_a_reader_that_stayed_lets_go() {
    let stage = Stage::before(Deed::Invite);
    let life = stage.life();
    let log = || {
        std::fs::metadata(life.files.join("doorward.db-wal"))
            .unwrap()
            .len()
    };
    let reader = open(&life);
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM accounts")
        .unwrap();
    reader
        .query_row("SELECT count(*) FROM accounts", [], |_| Ok(()))
        .unwrap();
    let mut owner = life.owner();
    for number in 0..80 {
        assert_eq!(invite(&mut owner, number), 303);
    }
    super::stage::until_nothing_is_owed(&life.files, &life.process);
    let held = log();
    assert!(held > 2 * 1024 * 1024, "the reader held nothing: {held}");
    reader.execute_batch("COMMIT").unwrap();
    for number in 100..180 {
        assert_eq!(invite(&mut owner, number), 303);
    }
    super::stage::until_nothing_is_owed(&life.files, &life.process);
    let after = log();
    assert!(after <= held + 4 * 1024 * 1024, "{held}, then {after}");
    report(
        "reader-that-stays",
        &format!(
            "80 invitations with their mail under a reader that stayed: the log has {} kB; 80 more after it let go: {} kB",
            held / 1024,
            after / 1024
        ),
    );
}

/// Whoever reads slowly holds a connection and a page that is made already, never the file.
#[test]
fn a_visitor_who_reads_slowly_holds_nothing_back_in_the_file() {
    const SLOW: usize = 60;
    let stage = Stage::before(Deed::Invite);
    let life = stage.life();
    let mut owner = life.owner();
    for number in 0..20 {
        assert_eq!(invite(&mut owner, number), 303);
    }
    let session = owner.cookie("session").unwrap().value.clone();
    let place = life.process.address().strip_prefix("http://").unwrap();
    let request = format!(
        "GET /iam/accounts HTTP/1.1\r\nHost: localhost\r\nCookie: session={session}\r\n\r\n"
    );
    let slow: Vec<TcpStream> = (0..SLOW)
        .map(|_| {
            let mut stream = TcpStream::connect(place).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            // The page has begun to come, and they look at its first byte for as long as this test runs.
            let mut first = [0];
            stream.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"H");
            stream
        })
        .collect();
    assert_eq!(invite(&mut owner, 100), 303);
    super::stage::until_nothing_is_owed(&life.files, &life.process);
    // Only where nobody reads can the log be folded in to its end and cut to nothing.
    let other = open(&life);
    let [is_busy, pages]: [i64; 2] = other
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
            Ok([row.get(0)?, row.get(1)?])
        })
        .unwrap();
    assert_eq!([is_busy, pages], [0, 0], "somebody reads still");
    drop(slow);
    report(
        "slow-readers",
        &format!(
            "{SLOW} visitors who stopped at the first byte of a page: the log was folded in and cut to nothing meanwhile"
        ),
    );
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let stage = Stage::before(Deed::Invite);
    let life = stage.life();
    for _ in 0..3 {
        let second = life.process.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(second.status.code(), Some(1), "{second:?}");
        let words = String::from_utf8_lossy(&second.stderr).into_owned();
        let expected = format!(
            "another doorward serves this folder (pid {})",
            life.process.id()
        );
        assert!(words.contains(&expected), "{words}");
    }
    assert_eq!(invite(&mut life.owner(), 1), 303);
    let mut guest = Client::new(life.process.address()).behind("http://localhost", &[]);
    served::sign_in(&mut guest, served::OWNER);
    report("two-servers", "the second is refused, and names the first");
}
