//! A relay in every bad mood, with a hundred mails owed: none is lost, doubles carry the same Message-ID, one that cannot
//! be written holds up none of the others, and no page waits.

use std::collections::BTreeMap;
use std::time::Duration;

use doorward::kit::time::instant;

use super::clock::Faked;
use super::stage::{Deed, Stage, until_nothing_is_owed};
use super::{is_long, left_out, report};
use crate::client::Client;
use crate::crash::file::File;
use crate::letter::Letter;
use crate::relay::{Relay, Security, Step, Twist};
use crate::served::{self, OWNER, expect, found_by, invite, sign_in};
use crate::wait;

const OWED: usize = 100;
/// Far less than any time limit of a relay.
const PAGE_TIME: Duration = Duration::from_secs(4);
/// After a recovery.
const DELIVERED: Duration = Duration::from_secs(60);

/// What a relay can do wrong within a moment, and how long it is let.
pub(super) const MOODS: [(Step, Twist); 12] = [
    (Step::Greeting, Twist::HangUp),
    (Step::Greeting, Twist::Say("421 4.3.2 closing")),
    (Step::Greeting, Twist::Say("554 5.7.1 nobody is wanted")),
    (
        Step::Greeting,
        Twist::Say("\u{7f}\u{1}garbage\u{2} without end"),
    ),
    (Step::Hello, Twist::Say("500 5.5.1 what?")),
    (Step::Mail, Twist::Say("451 4.3.0 later")),
    (Step::Mail, Twist::HangUp),
    (Step::Rcpt, Twist::Say("421 4.7.0 too many")),
    (Step::Rcpt, Twist::Say("450 4.2.1 busy")),
    (Step::Data, Twist::Say("451 4.3.0 later")),
    (Step::Dot, Twist::Say("452 4.3.1 full")),
    (Step::Dot, Twist::HangUp),
];

#[track_caller]
fn pages_do_not_wait(owner: &mut Client) {
    for path in ["/", "/iam/accounts", "/mail", "/readyz"] {
        let began = instant();
        expect(owner.get(path), 200);
        let took = began.elapsed();
        assert!(took < PAGE_TIME, "{path} took {took:?}");
    }
}

/// How many mails are in this state.
fn count(data: &std::path::Path, state: &str) -> i64 {
    File::copy(data).ask(&format!(
        "SELECT count(*) FROM errands WHERE state = '{state}'"
    ))[0]
}

#[test]
fn a_hundred_mails_get_past_a_relay_in_every_mood() {
    const TEST: &str = "relay-moods";
    let mut relay = Relay::start(Security::Plain);
    let launch = served::launch(&relay, "")
        .arg("--public-url")
        .arg("http://localhost");
    let (clock, launch) = match Faked::on(launch) {
        Ok(faked) => faked,
        Err(why) => return left_out(TEST, &why),
    };
    let process = launch.start();
    let mut owner = found_by(
        &process,
        Client::new(process.address()).behind("http://localhost", &[]),
    );
    until_nothing_is_owed(process.data(), &process);

    // Nobody answers; two hours go by.
    relay.stop();
    for number in 0..OWED {
        invite(&mut owner, &format!("guest{number}@haldenworks.example"));
    }
    let poisoned = File::copy(process.data())
        .ask::<i64>("SELECT id FROM errands WHERE state = 'waiting' ORDER BY id DESC LIMIT 1")[0];
    let file = rusqlite::Connection::open(process.data().join("doorward.db")).unwrap();
    file.execute_batch(&format!(
        "PRAGMA busy_timeout = 5000; UPDATE errands SET kind = 'role_changed', about_id = NULL WHERE id = {poisoned}"
    ))
    .unwrap();
    drop(file);
    pages_do_not_wait(&mut owner);
    let mut seconds = 7_200;
    clock.set(&format!("+{seconds}"));
    // Nobody stays signed in for so long without doing anything.
    sign_in(&mut owner, OWNER);
    relay.start_again();

    let mut tried = 0;
    for (step, twist) in MOODS {
        relay.behave();
        relay.at(step, twist);
        let before = relay.connections();
        // Half a minute later it is tried again; a mail that was put off, within the hour.
        seconds += 35;
        clock.set(&format!("+{seconds}"));
        let is_met = || (relay.connections() > before).then_some(());
        if wait::until(Duration::from_secs(5), is_met).is_some() {
            tried += 1;
        }
        wait::pause(Duration::from_millis(if is_long() { 3_000 } else { 150 }));
        pages_do_not_wait(&mut owner);
    }

    // Well again: what was put off is due within hours, all else at once.
    relay.behave();
    seconds += 35;
    clock.set(&format!("+{seconds}"));
    let began = instant();
    for _ in 0..6 {
        seconds += 3_700;
        clock.set(&format!("+{seconds}"));
        wait::pause(Duration::from_millis(2_500));
        if count(process.data(), "waiting") + count(process.data(), "sending") <= 1 {
            break;
        }
    }
    let left =
        || (count(process.data(), "waiting") + count(process.data(), "sending") == 1).then_some(());
    wait::until(DELIVERED, left)
        .unwrap_or_else(|| panic!("mail is still owed:\n{}", process.output()));
    let took = began.elapsed();

    let answer: String = File::copy(process.data())
        .ask("SELECT answer FROM errands WHERE state = 'waiting'")
        .remove(0);
    assert_eq!(answer, "The mail could not be written.");
    let mut came: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for mail in relay.messages() {
        let letter = Letter::read(&mail.data);
        let id = letter.header("message-id").to_owned();
        came.entry(mail.to[0].clone())
            .or_default()
            .push((id, letter.text));
    }
    let mut doubles = 0;
    let guests: Vec<_> = came
        .iter()
        .filter(|(to, _)| to.starts_with("guest"))
        .collect();
    assert_eq!(guests.len(), OWED - 1, "a mail was lost");
    for (to, mails) in guests {
        assert!(
            mails.iter().all(|mail| *mail == mails[0]),
            "different mails to {to}"
        );
        doubles += mails.len() - 1;
    }
    let lost_answers = relay.lost_answers();
    assert!(
        doubles <= lost_answers,
        "{doubles} doubles after {lost_answers} answers that were lost"
    );
    assert!(
        !process.output().contains("panicked"),
        "{}",
        process.output()
    );
    assert!(tried >= 8, "only {tried} moods were met");
    report(
        TEST,
        &format!(
            "{OWED} mails owed for two hours, {tried} of {} moods met: {} delivered in {} s after it was well, 1 that cannot be \
             written waits and is shown, 0 lost, {lost_answers} answers after the dot lost, {doubles} doubles under the same Message-ID",
            MOODS.len(),
            OWED - 1,
            took.as_secs()
        ),
    );
}

#[test]
fn a_process_that_stood_still_while_it_sent_sends_nothing_twice() {
    const TEST: &str = "stood-still";
    let stage = Stage::before(Deed::Invite);
    let (clock, launch) = match Faked::on(stage.launch()) {
        Ok(faked) => faked,
        Err(why) => return left_out(TEST, &why),
    };
    super::stage::copy_files(stage.files(), launch.data());
    let files = launch.data().to_owned();
    let mut life = stage.life_of(launch.start(), files);
    let before = stage.relay.messages().len();
    stage
        .relay
        .at(Step::Dot, Twist::Pause(Duration::from_millis(1_500)));
    life.act();
    assert!(life.is_acknowledged());
    stage.relay.wait_for(before + 1);
    // The relay has it; its answer comes while the process stands still, and the lease is over when it goes on.
    life.process.signal("STOP");
    clock.set("+180");
    wait::pause(Duration::from_secs(2));
    life.process.signal("CONT");
    stage.relay.behave();
    until_nothing_is_owed(&life.files, &life.process);
    wait::pause(Duration::from_secs(1));
    let came = stage.relay.messages().len() - before;
    assert_eq!(came, 1, "it came {came} times");
    report(
        TEST,
        "stopped for longer than a lease while the relay answered: the mail came once",
    );
}
