//! A process that is given no more memory (`RLIMIT_AS`, as `ulimit -v` sets it): passwords wait, pages go on, and all is well
//! again once there is some.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Barrier;

use super::{left_out, report};
use crate::client::Client;
use crate::process::Doorward;
use crate::relay::{Relay, Security};
use crate::served::{self, OWNER, PASSWORD, expect, found_by};

/// All who sign in at the same moment: nearly as many as the gate takes from one address.
const CROWD: usize = 60;
/// Enough for all that is small, and not for a password besides.
const TOO_LITTLE: u64 = 24 << 20;

/// What the process has reserved, in bytes.
fn reserved(process: &Doorward) -> u64 {
    let file = PathBuf::from(format!("/proc/{}/status", process.id()));
    let status = std::fs::read_to_string(file).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))
        .unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib << 10
}

/// From now on the process gets no more than this; or why not.
fn limit(process: &Doorward, most: &str) -> Result<(), String> {
    let done = Command::new("prlimit")
        .arg(format!("--pid={}", process.id()))
        .arg(format!("--as={most}:unlimited"))
        .output()
        .map_err(|error| format!("prlimit cannot be started: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&done.stderr).trim().to_owned())
}

/// Somebody at this network address: of one address alone a few tries are taken.
fn browser_at(process: &Doorward, address: &str) -> Client {
    let headers = [("x-forwarded-for", address)];
    Client::new(process.address()).behind("http://localhost", &headers)
}

fn browser(process: &Doorward) -> Client {
    browser_at(process, "192.0.2.1")
}

/// How many of those who sign in together are let in, and how many are told to come again (503, or 429 since so many are
/// at the same account); nobody gets anything else.
#[track_caller]
fn rush(process: &Doorward, network: &str) -> (usize, usize) {
    // One after the other to the form, and all together from there.
    let crowd: Vec<Client> = (0..CROWD)
        .map(|number| {
            let mut client = browser_at(process, &format!("{network}.{number}"));
            expect(client.get("/sign-in"), 200);
            client
        })
        .collect();
    let all_there = Barrier::new(CROWD);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let crowd: Vec<_> = crowd
            .into_iter()
            .map(|mut client| {
                let all_there = &all_there;
                scope.spawn(move || {
                    all_there.wait();
                    let fields = [("email", OWNER), ("password", PASSWORD)];
                    let page = client.try_post_form("/sign-in", &fields);
                    let page = page.unwrap_or_else(|| {
                        panic!("the connection was lost:\n{}", process.output())
                    });
                    if page.status == 503 {
                        assert!(page.header("retry-after").is_some(), "{page:#?}");
                    }
                    page.status
                })
            })
            .collect();
        crowd.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    let (is_in, is_put_off) = (count(303), count(503) + count(429));
    assert_eq!(is_in + is_put_off, CROWD, "{answers:?}");
    (is_in, is_put_off)
}

#[test]
fn without_memory_for_a_password_it_is_put_off_and_the_process_lives() {
    const TEST: &str = "memory";
    const WORDS: &str = "there is no memory to check a password";
    let relay = Relay::start(Security::Plain);
    let launch = served::launch(&relay, "")
        .arg("--public-url")
        .arg("http://localhost")
        .arg("--trusted-proxies")
        .arg("127.0.0.1/32");
    // Else threads reserve 64 MiB each beforehand, in which a password finds room whatever the limit is.
    let mut process = launch.env("MALLOC_ARENA_MAX", "1").start();
    found_by(&process, browser(&process));
    // A process that has hashed nothing keeps no memory for it; what pages take it has taken.
    assert_eq!(process.terminate().code(), Some(0), "{}", process.output());
    process.restart();
    let mut witness = browser(&process);
    for _ in 0..50 {
        expect(witness.get("/sign-in"), 200);
    }

    let rest = reserved(&process);
    if let Err(why) = limit(&process, &(rest + TOO_LITTLE).to_string()) {
        return left_out(TEST, &why);
    }
    let none = rush(&process, "198.51.100");
    assert_eq!(none, (0, CROWD));
    assert!(process.output().contains(WORDS), "{}", process.output());
    expect(witness.get("/readyz"), 200);

    limit(&process, "unlimited").unwrap();
    let (is_in, is_put_off) = rush(&process, "203.0.113");
    assert!(is_in >= 1, "nobody was let in");
    assert_eq!(process.terminate().code(), Some(0), "{}", process.output());
    report(
        TEST,
        &format!(
            "{CROWD} sign in at once, {} MiB above what is reserved ({} MiB): all put off, and the process lived; without the \
             limit: {is_in} let in, {is_put_off} put off",
            TOO_LITTLE >> 20,
            rest >> 20,
        ),
    );
}

#[test]
fn with_too_little_memory_from_the_beginning_it_refuses_in_a_sentence() {
    let launch = crate::process::Launch::serve();
    let data = launch.data().join("doorward.db");
    let words = ["sh", "-c", "ulimit -v 100000; exec \"$@\"", "sh"];
    let ended = launch.by(&words).try_start().unwrap_err();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    assert!(
        ended.output.contains("there is too little memory to serve"),
        "{}",
        ended.output
    );
    assert!(!ended.output.contains("panicked"), "{}", ended.output);
    assert!(!data.exists(), "it began all the same");
}
