//! The second step of signing in: a code judged, used up and turned into a session, durable before the answer, beside
//! single rows that are durable; and what a guess costs once nothing is judged any more.

use std::path::Path;

use doorward::kit::time::{Clock as _, SystemClock, instant};
use totp_rs::{Builder, Secret};

use crate::Result;
use crate::invites::Raw;
use crate::process;
use crate::seed::{Half, Seeded};
use crate::server::Server;
use crate::table::{Aim, Row, percentile};

/// Guesses of one account.
const GUESSES: u32 = 2_000;
/// The most that are judged in 15 minutes.
const JUDGED_MAX: u32 = 10;

/// Everybody's code once, then very many guesses at one account.
pub(crate) fn rows(server: &Server, seeded: &Seeded, folder: &Path) -> Result<Vec<Row>> {
    let (victim, people) = seeded.halves.split_last().ok_or("nobody owes a code")?;
    let raw = Raw::new(&folder.join("codes.db"))?;
    let theirs = raw.commits(std::time::Duration::from_secs(2))?;
    let before = process::used(server.id())?;
    let began = instant();
    let mut took = Vec::new();
    let mut client = server.client()?;
    for person in people {
        let code = code(person)?;
        let one = instant();
        client
            .post("/sign-in/code", &[&cookies(person)], &form(person, &code))?
            .expect(303)?
            .cookie("session")?;
        took.push(one.elapsed().as_secs_f64() * 1e3);
    }
    let count = took.len() as f64;
    let rate = count / began.elapsed().as_secs_f64();
    let cost = (process::used(server.id())? - before) * 1e6 / count;
    let tail = percentile(took, 99);

    let (mut judged, mut waited) = (0_u32, 0_u32);
    let wrong = wrong(victim)?;
    let mut before = process::used(server.id())?;
    for _ in 0..GUESSES {
        let answer = client.post("/sign-in/code", &[&cookies(victim)], &form(victim, &wrong))?;
        match answer.status {
            422 => judged += 1,
            429 => {
                // What is judged costs more, and is over by the first that is not.
                if waited == 0 {
                    before = process::used(server.id())?;
                }
                waited += 1;
            }
            other => return Err(format!("a guess was answered with {other}").into()),
        }
    }
    let guess = (process::used(server.id())? - before) * 1e6 / f64::from(waited.max(1));
    Ok(vec![
        Row::new(
            "second step, one client",
            format!("{rate:.0}/s ({cost:.0} µs of processor), p99 {tail:.1} ms"),
        )
        .beside(format!("SQLite {theirs:.0}/s"), rate / theirs),
        Row::new(
            "a guess that is not judged",
            format!("{guess:.0} µs of processor ({judged} of {GUESSES} judged)"),
        )
        .judged(guess, Aim::AtMost(200.0), "µs"),
        Row::new("guesses judged in a burst", format!("{judged}")).judged(
            f64::from(judged),
            Aim::AtMost(f64::from(JUDGED_MAX)),
            "",
        ),
    ])
}

fn cookies(half: &Half) -> String {
    format!(
        "Cookie: challenge={}; device={}",
        half.challenge, half.device
    )
}

fn form(half: &Half, code: &str) -> String {
    format!("csrf={}&code={code}", half.csrf)
}

fn code(half: &Half) -> Result<String> {
    let totp = Builder::new()
        .with_secret(Secret::new_stack(half.secret))
        .build()?;
    let now = u64::try_from(SystemClock::new().now().0)?;
    Ok(totp.generate(now).to_string())
}

/// One that is right at no time near the present.
fn wrong(half: &Half) -> Result<String> {
    let totp = Builder::new()
        .with_secret(Secret::new_stack(half.secret))
        .build()?;
    let now = u64::try_from(SystemClock::new().now().0)?;
    let near: Vec<String> = (0..40)
        .map(|step| totp.generate(now + step * 30 - 600).to_string())
        .collect();
    (0..100)
        .map(|number| format!("{number:06}"))
        .find(|code| !near.contains(code))
        .ok_or_else(|| "every code is right".into())
}
