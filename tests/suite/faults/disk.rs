//! A disk that is full, read-only, or answers with errors: what needs it is refused in a sentence and can be done later,
//! what does not goes on, and nothing that was acknowledged is lost.

use std::time::Duration;

use doorward::kit::time::instant;

use super::room::Room;
use super::seed::Seed;
use super::stage::{Deed, Life, Stage, copy_files, until_nothing_is_owed};
use super::tracer::{self, Threads, Tracer, counts};
use super::{is_long, left_out, report};
use crate::client::{Client, Page};
use crate::crash::file::File;
use crate::process::{Ended, Launch};
use crate::relay::{Relay, Security, Step, Twist};
use crate::served::{self, OWNER, expect, found, sign_in};
use crate::wait;

const SOON: Duration = Duration::from_secs(10);
/// What the disk is asked for.
const DISK: &str =
    "pwrite64,pwritev,fsync,fdatasync,ftruncate,fallocate,unlink,unlinkat,rename,renameat2";
/// Of each deed's calls so many fail, unless all do.
const SOME: usize = 2;

/// Whether an answer says that nothing can be saved, what to do, and when.
#[track_caller]
fn is_patient(page: &Page) {
    assert_eq!(page.status, 503, "{page:#?}");
    assert!(page.header("retry-after").is_some(), "{page:#?}");
    assert!(page.text().contains("Try again"), "{page:#?}");
}

/// Reading goes on.
#[track_caller]
fn can_be_read(client: &mut Client) {
    for path in [
        "/",
        "/iam/accounts",
        "/mail",
        "/settings",
        "/account",
        "/healthz",
    ] {
        let page = client.get(path);
        assert_eq!(page.status, 200, "{page:#?}");
    }
}

/// An end before it listened, in a sentence.
#[track_caller]
fn is_refusal(ended: &Ended) {
    assert!(
        ended.status.code().is_some_and(|code| code != 0),
        "{ended:?}"
    );
    assert!(!ended.output.contains("panicked"), "{ended:?}");
    assert!(ended.output.contains("error: "), "{ended:?}");
}

fn try_invite(owner: &mut Client, number: usize) -> (String, Page) {
    let email = format!("guest{number}@haldenworks.example");
    expect(owner.get("/iam/accounts/new"), 200);
    let page = owner.post_form("/iam/accounts", &[("email", &email), ("role", "member")]);
    (email, page)
}

#[test]
fn a_full_disk_refuses_what_needs_it_and_all_goes_on_when_there_is_room() {
    const TEST: &str = "disk-full";
    let relay = Relay::start(Security::Plain);
    let (room, launch) = match Room::over(served::launch(&relay, ""), "6m") {
        Ok(room) => room,
        Err(why) => return left_out(TEST, &why),
    };
    let mut process = launch.start();
    // The set-up link lies where only this disk is seen.
    let link = std::fs::read_to_string(room.outside().join("setup-link")).unwrap();
    std::fs::write(process.data().join("setup-link"), link).unwrap();
    let mut owner = found(&process);
    let mut told = Vec::new();
    let mut refused = 0;
    for cycle in 0..if is_long() { 10 } else { 2 } {
        room.fill();
        let until_refused = (0..200).any(|number| {
            let (email, page) = try_invite(&mut owner, cycle * 1_000 + number);
            if page.status == 303 {
                told.push(email);
                return false;
            }
            is_patient(&page);
            true
        });
        assert!(until_refused, "it was never full");
        for number in 0..3 {
            let (_, page) = try_invite(&mut owner, cycle * 1_000 + 500 + number);
            is_patient(&page);
            refused += 1;
        }
        can_be_read(&mut owner);
        let ready = owner.get("/readyz");
        assert_eq!(ready.status, 503, "{ready:?}");
        assert!(ready.body.contains("database"), "{ready:?}");
        let mut other = Client::new(process.address());
        is_patient(&served::try_password(&mut other, OWNER, served::PASSWORD));

        room.clear();
        sign_in(&mut other, OWNER);
        let (email, page) = try_invite(&mut owner, cycle * 1_000 + 900);
        expect(page, 303);
        told.push(email);
        assert_eq!(owner.get("/readyz").status, 200);
    }
    until_nothing_is_owed(&room.outside(), &process);
    process.kill9();
    let file = File::copy(&room.outside());
    assert_eq!(file.faults(), [""; 0]);
    let there = file.ask::<String>("SELECT email FROM accounts");
    for email in &told {
        assert!(
            there.contains(email),
            "{email} was acknowledged and is lost"
        );
        let mails = relay
            .messages()
            .into_iter()
            .filter(|mail| mail.to == [&**email]);
        assert_eq!(mails.count(), 1, "the mail to {email}");
    }
    assert!(
        !process.output().contains("panicked"),
        "{}",
        process.output()
    );
    report(
        TEST,
        &format!(
            "{} invitations acknowledged around a full disk, {refused} refused with 503, 0 lost, each mail came once",
            told.len()
        ),
    );
}

#[test]
fn a_disk_that_is_full_or_read_only_at_the_start_is_named_and_the_next_start_is_well() {
    const TEST: &str = "disk-at-the-start";
    let stage = Stage::before(Deed::Disable);
    let (room, launch) = match Room::over(stage.launch(), "6m") {
        Ok(room) => room,
        Err(why) => return left_out(TEST, &why),
    };
    copy_files(stage.files(), &room.outside());
    room.remount("ro");
    let ended = launch.try_start().unwrap_err();
    is_refusal(&ended);
    assert!(ended.output.contains("mount it for writing"), "{ended:?}");
    drop(room);

    // A full one is served: pages can be read, and need no restart when there is room.
    let (room, launch) = Room::over(stage.launch(), "6m").unwrap();
    copy_files(stage.files(), &room.outside());
    room.fill();
    let mut life = stage.life_of(launch.start(), room.outside());
    assert_eq!(life.reads_on(), [""; 0]);
    is_patient(&life.act().unwrap());
    room.clear();
    expect(life.again().unwrap(), 303);
    assert!(life.is_ready());
    life.process.kill9();
    assert_eq!(life.look(), (true, Vec::new()));
    assert_eq!(life.come_back(true.into()), (Vec::new(), 0));
    report(
        TEST,
        &format!(
            "read-only: {} | full: served for reading, deeds answered 503, done when there is room",
            ended.output.trim()
        ),
    );
}

#[test]
fn a_set_up_that_runs_out_of_room_is_done_by_the_next_start() {
    const TEST: &str = "disk-full-at-set-up";
    let mut sizes = Vec::new();
    let all = ["4k", "16k", "64k", "128k", "256k", "512k", "768k"];
    let all = if is_long() { &all[..] } else { &all[1..5] };
    for size in all {
        let (room, launch) = match Room::over(Launch::serve(), size) {
            Ok(room) => room,
            Err(why) => return left_out(TEST, &why),
        };
        match launch.try_start() {
            Err(ended) => {
                is_refusal(&ended);
                assert!(ended.output.contains("make room"), "{size}: {ended:?}");
                sizes.push(size.to_owned());
            }
            // There was just enough.
            Ok(_process) => {}
        }
        let launch = Launch::serve();
        copy_all(&room.outside(), launch.data());
        let process = launch.start();
        found(&process);
        let verified = process.run(&["audit", "verify"]);
        assert!(verified.status.success(), "{size}: {verified:?}");
    }
    assert!(!sizes.is_empty(), "no disk was small enough");
    report(
        TEST,
        &format!(
            "refused in a sentence with {}, and set up after that",
            sizes.join(", ")
        ),
    );
}

/// Copies a folder with those in it.
fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    copy_files(from, to);
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let inner = to.join(entry.file_name());
            std::fs::create_dir(&inner).unwrap();
            copy_all(&entry.path(), &inner);
        }
    }
}

#[test]
fn what_the_relay_took_is_not_sent_again_while_the_disk_takes_nothing() {
    const TEST: &str = "disk-full-while-mail-is-sent";
    if let Some(why) = tracer::refusal() {
        return left_out(TEST, why);
    }
    let stage = Stage::before(Deed::Invite);
    stage
        .relay
        .at(Step::Dot, Twist::Pause(Duration::from_secs(1)));
    let before = stage.relay.messages().len();
    let mut life = stage.life();
    life.act();
    assert!(life.is_acknowledged());
    stage.relay.wait_for(before + 1);
    // The relay has it and has not said so yet; when it does, nothing can be written down.
    let tracer = Tracer::attach(
        life.process.id(),
        Threads::All,
        &["inject=pwrite64,pwritev:error=ENOSPC"],
    );
    wait::pause(Duration::from_secs(4));
    drop(tracer);
    stage.relay.behave();
    until_nothing_is_owed(life.process.data(), &life.process);
    assert_eq!(stage.relay.messages().len(), before + 1, "it came twice");
    report(
        TEST,
        "a mail whose delivery could not be written down for seconds came once",
    );
}

/// How long a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Once,
    FromThenOn,
}

/// Lets one call of a deed fail, or it and all after it, and then the disk is well again.
fn fail(
    stage: &Stage,
    (name, at): &(String, usize),
    error: &str,
    span: Span,
) -> (bool, bool, Vec<String>) {
    let mut life = stage.life();
    let plus = match span {
        Span::Once => "",
        Span::FromThenOn => "+",
    };
    let rule = format!("inject={name}:error={error}:when={at}{plus}");
    let tracer = Tracer::attach(life.process.id(), Threads::Answering, &[&rule]);
    let answer = life.act();
    let was_told = life.is_acknowledged();
    let mut faults = Vec::new();
    match &answer {
        Some(page) if was_told || page.status == 503 && page.header("retry-after").is_some() => {}
        other => faults.push(format!("answered {other:#?}")),
    }
    if span == Span::FromThenOn && !was_told {
        faults.extend(life.reads_on());
    }
    drop(tracer);
    faults.extend(goes_on(&mut life));
    // Killed while a mail is on its way, it would rightly come twice.
    until_nothing_is_owed(&life.files, &life.process);
    life.process.kill9();
    let (is_done, more) = life.look();
    faults.extend(more);
    let (more, doubles) = life.come_back(is_done.into());
    faults.extend(more);
    if doubles > 0 {
        faults.push(format!("{doubles} mails came twice"));
    }
    (was_told, is_done, faults)
}

/// Without a restart, all is well within a few seconds.
fn goes_on(life: &mut Life<'_>) -> Vec<String> {
    let is_ready = || life.is_ready().then_some(());
    if wait::until(SOON, is_ready).is_none() {
        return vec!["it stays unwell".to_owned()];
    }
    if life.process.output().contains("panicked") {
        return vec![life.process.output()];
    }
    Vec::new()
}

#[test]
fn a_disk_that_fails_at_any_call_of_a_deed_makes_nobody_believe_in_it() {
    const TEST: &str = "disk-errors";
    if let Some(why) = tracer::refusal() {
        return left_out(TEST, why);
    }
    let began = instant();
    let mut seed = Seed::new();
    let (mut tried, mut told, mut done) = (0, 0, 0);
    let deeds = if is_long() {
        &Deed::ALL[..]
    } else {
        &[Deed::Invite, Deed::Recover]
    };
    for deed in deeds {
        let mut stage = Stage::before(*deed);
        let mut life = stage.life();
        let tracer = Tracer::attach(
            life.process.id(),
            Threads::Answering,
            &[&format!("trace={DISK}")],
        );
        life.act();
        let mut points = Vec::new();
        for (name, count) in counts(&tracer.detach()) {
            points.extend((1..=count).map(|at| (name.clone(), at)));
        }
        drop(life);
        assert!(!points.is_empty());
        for error in ["EIO", "ENOSPC", "EROFS"] {
            for span in [Span::Once, Span::FromThenOn] {
                let some = if is_long() {
                    points.clone()
                } else {
                    seed.some(points.clone(), SOME)
                };
                for point in &some {
                    if stage.is_old() {
                        stage = Stage::before(*deed);
                    }
                    let (was_told, is_done, faults) = fail(&stage, point, error, span);
                    assert!(
                        faults.is_empty(),
                        "{deed:?}, {error} at {point:?} ({span:?}), seed {}:\n{}",
                        seed.first,
                        faults.join("\n")
                    );
                    tried += 1;
                    told += usize::from(was_told);
                    done += usize::from(is_done && !was_told);
                }
            }
        }
    }
    report(
        TEST,
        &format!(
            "seed {}: {tried} times a call failed (EIO, ENOSPC, EROFS; once or from then on): {told} deeds acknowledged, \
             {done} done and not acknowledged, 0 lost, all well again without a restart, {} s",
            seed.first,
            began.elapsed().as_secs()
        ),
    );
    assert!(told < tried, "nothing failed");
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_until_the_disk_has_taken_something() {
    const TEST: &str = "sync-errors";
    if let Some(why) = tracer::refusal() {
        return left_out(TEST, why);
    }
    let stage = Stage::before(Deed::Invite);
    let mut life = stage.life();
    let rule = "inject=fsync,fdatasync:error=EIO";
    let tracer = Tracer::attach(life.process.id(), Threads::All, &[rule]);
    for _ in 0..5 {
        let page = life.again().unwrap();
        is_patient(&page);
        assert!(!life.is_ready(), "it says it is ready");
        assert_eq!(life.reads_on(), [""; 0]);
    }
    drop(tracer);
    expect(life.again().unwrap(), 303);
    assert!(life.is_ready());
    // A kill between the relay's answer and its record may double a mail; here none may be doubled.
    until_nothing_is_owed(&life.files, &life.process);
    life.process.kill9();
    let (is_done, faults) = life.look();
    assert!(is_done);
    assert_eq!(faults, [""; 0]);
    assert_eq!(life.come_back(true.into()), (Vec::new(), 0));
    report(
        TEST,
        "5 deeds refused with 503 and readyz failed while no sync succeeds, the first one after it acknowledged",
    );
}
