//! A clock that is set a day forward and back, while the server runs and between its runs: what expired stays dead, nobody
//! waits for ever, and mail goes on.

use std::path::PathBuf;
use std::time::Duration;

use super::stage::{Deed, Stage, until_nothing_is_owed};
use super::{is_long, left_out, report};
use crate::client::Client;
use crate::crash::file::File;
use crate::letter::{Letter, path_of};
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::served::{self, OWNER, PASSWORD, expect, found_by, invite, try_password};
use crate::wait;

/// Where Debian has it.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// How long the background thread may take to notice.
const NOTICED: Duration = Duration::from_secs(20);
const ANN: &str = "ann@haldenworks.example";
const BEA: &str = "bea@haldenworks.example";

/// Another time of day for one process.
pub(super) struct Faked {
    file: PathBuf,
    // It lies in it.
    _folder: tempfile::TempDir,
}

impl Faked {
    /// The present, at first; or why there is none but the machine's.
    pub(super) fn on(launch: Launch) -> Result<(Self, Launch), String> {
        let machine = format!("/usr/lib/{}-linux-gnu/{LIBRARY}", std::env::consts::ARCH);
        let found = [machine, format!("/usr/lib/{LIBRARY}")];
        let library = found
            .iter()
            .find(|path| std::path::Path::new(path).exists());
        let library = library.ok_or("libfaketime is not installed")?;
        let folder = tempfile::tempdir().unwrap();
        let faked = Self {
            file: folder.path().join("time"),
            _folder: folder,
        };
        faked.set("+0");
        let launch = launch
            .env("LD_PRELOAD", library)
            .env("FAKETIME_TIMESTAMP_FILE", &faked.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DONT_RESET", "1");
        Ok((faked, launch))
    }

    /// So far from the present.
    pub(super) fn set(&self, offset: &str) {
        std::fs::write(&self.file, format!("{offset}\n")).unwrap();
    }
}

fn browser(process: &Doorward) -> Client {
    Client::new(process.address()).behind("http://localhost", &[])
}

/// The path of the link in the newest mail to this address.
fn link(relay: &Relay, to: &str, door: &str) -> String {
    let newest = || relay.newest(|mail| mail.to == [to] && mail.data.contains(door));
    let mail = wait::until(NOTICED, newest).unwrap_or_else(|| panic!("no {door} for {to}"));
    path_of(&Letter::read(&mail.data).link())
}

fn ask_for_reset(process: &Doorward, email: &str) {
    let mut anybody = browser(process);
    expect(anybody.get("/forgot-password"), 200);
    expect(
        anybody.post_form("/forgot-password", &[("email", email)]),
        303,
    );
}

/// How often this was recorded.
fn records(process: &Doorward, action: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM audit_events WHERE action = '{action}'");
    File::copy(process.data()).ask(&sql)[0]
}

#[test]
fn a_clock_set_a_day_forward_and_back_revives_nothing_and_holds_up_nobody() {
    const TEST: &str = "clock";
    let relay = Relay::start(Security::Plain);
    let launch = served::launch(&relay, "")
        .arg("--public-url")
        .arg("http://localhost");
    let (clock, launch) = match Faked::on(launch) {
        Ok(faked) => faked,
        Err(why) => return left_out(TEST, &why),
    };
    let mut process = launch.start();
    let mut owner = found_by(&process, browser(&process));
    let mut phone = served::enrol(&mut owner);
    invite(&mut owner, ANN);
    let invitation = link(&relay, ANN, "/activate/");
    ask_for_reset(&process, OWNER);
    let reset = link(&relay, OWNER, "/reset-password/");
    expect(browser(&process).get(&invitation), 200);
    expect(browser(&process).get(&reset), 200);
    let mails = relay.messages().len();

    // Forward: links are over at once, and so is a session that was idle for a day.
    clock.set("+25h");
    expect(browser(&process).get(&invitation), 410);
    let dead = browser(&process).get(&reset).status;
    assert!(matches!(dead, 404 | 410), "{dead}");
    wait::until(NOTICED, || {
        (records(&process, "invitation.expired") == 1).then_some(())
    })
    .expect("nobody noticed that the invitation is over");
    assert_eq!(relay.messages().len(), mails, "mail because of the clock");

    // Back: nothing lives again, a day that was there already is no day to wait for, and codes of phones are good.
    clock.set("+0");
    for path in [&invitation, &reset] {
        let page = browser(&process).get(path);
        assert!(matches!(page.status, 404 | 410), "{page:#?}");
    }
    wait::until(NOTICED, || {
        (records(&process, "clock.stepped_back") == 1).then_some(())
    })
    .expect("the step is not on record");
    let mut again = browser(&process);
    let page = served::try_code(&mut again, OWNER, &phone.recovery.pop().unwrap());
    expect(page, 303);
    expect(again.get("/iam/accounts"), 200);
    let code = phone.code(served::now() + 30);
    let page = served::try_code(&mut browser(&process), OWNER, &code);
    expect(page, 303);
    invite(&mut again, BEA);
    let bea = link(&relay, BEA, "/activate/");
    expect(browser(&process).get(&bea), 200);
    until_nothing_is_owed(process.data(), &process);

    // Between two runs: the same, as far as anybody was there to see it.
    for offset in ["-25h", "+0", "+25h", "+0"] {
        assert_eq!(process.terminate().code(), Some(0), "{}", process.output());
        clock.set(offset);
        process.restart();
        for path in [&invitation, &reset] {
            let page = browser(&process).get(path);
            assert!(matches!(page.status, 404 | 410), "{offset}: {page:#?}");
        }
        assert_eq!(browser(&process).get("/readyz").status, 200);
        let verified = process.run(&["audit", "verify"]);
        assert!(verified.status.success(), "{verified:?}");
    }
    // Made after the first step forward, it lives from there.
    expect(browser(&process).get(&bea), 200);
    until_nothing_is_owed(process.data(), &process);
    let storm = relay.messages().len() - mails;
    // One for the invitation, two or three for sign-ins from new browsers and the used code.
    assert!(storm <= 6, "{storm} mails");
    assert!(
        !process.output().contains("panicked"),
        "{}",
        process.output()
    );
    report(
        TEST,
        &format!(
            "25 h forward and back while it ran, and back, forward and back between runs: 2 links stayed dead, codes, \
             sign-ins and invitations went on, {storm} mails, all owed"
        ),
    );
}

#[test]
fn whoever_was_locked_out_before_the_clock_stepped_back_is_let_in_when_their_time_is_over() {
    const TEST: &str = "clock-and-throttle";
    let stage = Stage::before(Deed::Disable);
    let launch = stage.launch();
    super::stage::copy_files(stage.files(), launch.data());
    let (clock, launch) = match Faked::on(launch) {
        Ok(faked) => faked,
        Err(why) => return left_out(TEST, &why),
    };
    let process = launch.start();
    clock.set("+25h");
    let mut guesser = browser(&process);
    let locked = (0..30).find_map(|_| {
        let page = try_password(&mut guesser, OWNER, "Wrong-Harbour-1");
        (page.status == 429).then_some(page)
    });
    let locked = locked.expect("nobody has to wait");
    let seconds: u64 = locked.header("retry-after").unwrap().parse().unwrap();
    clock.set("+0");
    assert_eq!(try_password(&mut guesser, OWNER, PASSWORD).status, 429);
    // The time that goes by after the step counts, half of it at least.
    let mut wait = || {
        let page = try_password(&mut guesser, OWNER, PASSWORD);
        page.header("retry-after")
            .map(|seconds| seconds.parse::<u64>().unwrap())
    };
    let before = wait().expect("let in too soon");
    if is_long() {
        let is_let_in = || {
            wait::pause(Duration::from_secs(2));
            wait().is_none().then_some(())
        };
        let limit = Duration::from_secs(2 * seconds + 20);
        wait::until(limit, is_let_in).expect("they wait for ever");
    } else {
        wait::pause(Duration::from_secs(6));
        let after = wait().expect("let in too soon");
        assert!(after + 2 <= before, "{before} s, and 6 s later {after} s");
    }
    report(
        TEST,
        &format!(
            "locked out for {seconds} s a day ahead, the wait went on to its end after the step back"
        ),
    );
}
