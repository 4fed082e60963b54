//! What machines are told about the health of the process, and what the service manager hears: every word, and that a
//! thread that is stuck turns it red and ends the pings, while one that panics goes on.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorward::app::{App, Outside};
use doorward::domain::role::Role;
use doorward::kit::db::Db;
use doorward::kit::hasher::{Cost, Hasher};
use doorward::kit::http::headers::Scheme;
use doorward::kit::keys::Keys;
use doorward::kit::mail::{Cause, Failure, Mailer, Message, Said};
use doorward::kit::notify::{Manager, Notifier};
use doorward::kit::random::OsRandom;
use doorward::kit::time::{Clock, FixedClock, HOUR, MINUTE, SystemClock, Timestamp};
use doorward::serve::{Running, server_settings};
use doorward::watch::dog::Dog;
use serde_json::{Value, json};

use crate::client::Client;
use crate::portal::{KEY, Portal};
use crate::process::Launch;
use crate::served::expect;
use crate::visitor::Visitor;
use crate::wait;

/// For what threads do beside each other on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than the background thread may be silent.
const TOO_LONG: i64 = 151;

/// The status and the body of an answer about health.
fn asked(visitor: &mut Visitor, path: &str) -> (u16, Value) {
    visitor.get(path);
    let body = serde_json::from_str(&visitor.html()).unwrap();
    (visitor.status(), body)
}

fn ready() -> (u16, Value) {
    (200, json!({ "status": "ready", "degraded": [] }))
}

fn degraded(what: &[&str]) -> (u16, Value) {
    (200, json!({ "status": "degraded", "degraded": what }))
}

fn failed(what: &[&str]) -> (u16, Value) {
    (503, json!({ "status": "failed", "failed": what }))
}

#[test]
fn a_silent_background_thread_is_red_until_it_works_again() {
    let portal = Portal::start();
    portal.expect_failures();
    let mut asker = portal.visitor();
    portal.travel(TOO_LONG - 2);
    assert_eq!(asked(&mut asker, "/readyz"), ready());
    portal.travel(2);
    assert_eq!(asked(&mut asker, "/healthz"), failed(&["worker"]));
    assert_eq!(asked(&mut asker, "/readyz"), failed(&["worker"]));
    portal.work();
    let well = (200, json!({ "status": "ok", "degraded": [] }));
    assert_eq!(asked(&mut asker, "/healthz"), well);
}

#[test]
fn threads_that_are_looked_after_are_named_when_they_are_stuck() {
    let portal = Portal::start();
    portal.expect_failures();
    let is_well = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&is_well);
    portal
        .app()
        .look_after("gate", move || seen.load(Ordering::Relaxed));
    portal.app().look_after("metrics", || false);
    let mut asker = portal.visitor();
    assert_eq!(asked(&mut asker, "/healthz"), failed(&["metrics"]));
    is_well.store(false, Ordering::Relaxed);
    assert_eq!(asked(&mut asker, "/healthz"), failed(&["gate", "metrics"]));
}

#[test]
fn a_relay_in_trouble_is_a_degradation() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.work();
    portal.mailbox().fail(Some(Failure::Relay(
        Cause::Service,
        "421 not today".to_owned(),
    )));
    portal.invite(&owner, Role::Member, "ann@fjord.example");
    portal.work();
    let mut asker = portal.visitor();
    assert_eq!(asked(&mut asker, "/healthz"), degraded(&["mail"]));
    assert_eq!(asked(&mut asker, "/readyz"), degraded(&["mail"]));
    portal.mailbox().fail(None);
    portal.travel(31);
    portal.work();
    assert_eq!(asked(&mut asker, "/readyz"), ready());
}

/// Writes down a nightly backup that ended that long ago.
fn backed_up(portal: &Portal, ago: i64, failure: Option<&str>) {
    let at = portal.app().now().0 - ago;
    let outcome = match failure {
        Some(why) => format!("NULL, '{why}'"),
        None => "4711, NULL".to_owned(),
    };
    portal.tamper(&format!(
        "INSERT INTO backups (cause, began_at, ended_at, place, bytes, failure)
         VALUES ('nightly', {at}, {at}, '/b', {outcome})"
    ));
}

#[test]
fn a_missing_backup_is_a_degradation_while_there_should_be_one() {
    let portal = Portal::build()
        .settings(|settings| settings.backups.at = Some(9_000))
        .start();
    let mut asker = portal.visitor();
    // What is asked here is the file alone: nothing in this test makes a backup.
    let tell = |asker: &mut Visitor, seconds: i64| {
        portal.travel(seconds);
        portal.app().beat();
        asked(asker, "/readyz")
    };
    assert_eq!(
        tell(&mut asker, 26 * HOUR),
        ready(),
        "a new install has time"
    );
    assert_eq!(tell(&mut asker, 1), degraded(&["backup"]));
    backed_up(&portal, 0, None);
    assert_eq!(tell(&mut asker, 0), ready());
    backed_up(&portal, 0, Some("the disk is full"));
    assert_eq!(tell(&mut asker, 0), degraded(&["backup"]));
    backed_up(&portal, 0, None);
    assert_eq!(tell(&mut asker, 26 * HOUR), ready());
    assert_eq!(tell(&mut asker, MINUTE), degraded(&["backup"]));
    portal.restart(|settings, _| settings.backups.at = None);
    assert_eq!(tell(&mut asker, 0), ready(), "nobody asked for one");
}

#[test]
fn a_log_that_is_not_folded_in_is_a_degradation_that_the_worker_sees_too() {
    let portal = Portal::start();
    portal.owner();
    portal.work();
    let mut wal = portal.file().into_os_string();
    wal.push("-wal");
    let wal = std::fs::OpenOptions::new().write(true).open(wal).unwrap();
    let length = wal.metadata().unwrap().len();
    wal.set_len((64 << 20) + 1).unwrap();
    let mut asker = portal.visitor();
    assert_eq!(asked(&mut asker, "/readyz"), degraded(&["wal"]));
    assert!(portal.app().troubles.lock().unwrap().is_empty());
    portal.travel(61);
    portal.work();
    assert_eq!(*portal.app().troubles.lock().unwrap(), ["wal"]);
    wal.set_len(length).unwrap();
    assert_eq!(asked(&mut asker, "/readyz"), ready());
}

#[test]
fn a_file_of_another_key_and_a_file_that_is_none_are_failures() {
    let portal = Portal::start();
    portal.expect_failures();
    let mut asker = portal.visitor();
    let install = "UPDATE install SET key_id =";
    let own: String = portal.ask("SELECT hex(key_id) FROM install").remove(0);
    portal.tamper(&format!("{install} zeroblob(32)"));
    assert_eq!(asked(&mut asker, "/readyz"), failed(&["key"]));
    let alive = asked(&mut asker, "/healthz");
    assert_eq!(alive.0, 200, "the process lives: {alive:?}");
    portal.tamper(&format!("{install} x'{own}'"));
    assert_eq!(asked(&mut asker, "/readyz"), ready());
    portal.tamper("ALTER TABLE install RENAME TO gone");
    assert_eq!(asked(&mut asker, "/readyz"), failed(&["database"]));
    portal.tamper("ALTER TABLE gone RENAME TO install");
    assert_eq!(asked(&mut asker, "/readyz"), ready());
}

/// The service manager: the socket it listens at.
struct Ears {
    socket: UnixDatagram,
    name: String,
    _folder: tempfile::TempDir,
}

impl Ears {
    fn at_path() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        Self::new(
            UnixDatagram::bind(&path).unwrap(),
            path.to_str().unwrap(),
            folder,
        )
    }

    fn abstract_one() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // As unlike any other as the folder's name.
        let name = folder.path().to_str().unwrap().to_owned();
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        Self::new(
            UnixDatagram::bind_addr(&address).unwrap(),
            &format!("@{name}"),
            folder,
        )
    }

    fn new(socket: UnixDatagram, name: &str, folder: tempfile::TempDir) -> Self {
        Self {
            socket,
            name: name.to_owned(),
            _folder: folder,
        }
    }

    /// The next words; none when nothing comes for so long.
    fn hear(&self, patience: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = [0; 1_024];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    /// Hears what comes until it is something that begins like this.
    #[track_caller]
    fn hear_until(&self, begin: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.hear(PATIENCE) {
                Some(words) if words.starts_with(begin) => return words,
                Some(words) => before.push(words),
                None => panic!("never heard {begin:?}, but {before:?}"),
            }
        }
    }
}

#[test]
fn the_service_manager_hears_of_every_turn() {
    for ears in [Ears::at_path(), Ears::abstract_one()] {
        let mut process = Launch::serve()
            .env("NOTIFY_SOCKET", &ears.name)
            .env("WATCHDOG_USEC", "1000000")
            .start();
        let ready = ears.hear_until("READY=1\n");
        let serving = format!("STATUS=Serving {}\n", process.address());
        assert_eq!(ready, format!("READY=1\n{serving}"));
        // It is true: whoever comes now is answered.
        expect(Client::new(process.address()).get("/readyz"), 200);
        let clock = SystemClock::new();
        for _ in 0..4 {
            ears.hear_until("WATCHDOG=1\n");
        }
        let took = clock.elapsed();
        assert!(took < Duration::from_secs(4), "four pings took {took:?}");

        process.signal("HUP");
        let reloading = ears.hear_until("RELOADING=1\n");
        let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        let since: u64 = since.unwrap().trim_end().parse().unwrap();
        assert!(since > 0);
        assert_eq!(ears.hear_until("READY=1\n"), "READY=1\n");

        assert_eq!(process.terminate().code(), Some(0));
        assert_eq!(
            ears.hear_until("STOPPING=1\n"),
            "STOPPING=1\nSTATUS=Stopping\n"
        );
    }
}

#[test]
fn a_start_that_fails_is_never_ready_and_a_watchdog_of_another_process_is_none() {
    let ears = Ears::at_path();
    let taken = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    let ended = Launch::serve()
        .env("NOTIFY_SOCKET", &ears.name)
        .arg("--metrics-listen")
        .arg(taken.local_addr().unwrap().to_string())
        .try_start();
    assert!(ended.is_err());
    assert_eq!(ears.hear(Duration::from_millis(50)), None);

    let process = Launch::serve()
        .env("NOTIFY_SOCKET", &ears.name)
        .env("WATCHDOG_USEC", "200000")
        .env("WATCHDOG_PID", "1")
        .start();
    ears.hear_until("READY=1\n");
    while let Some(words) = ears.hear(Duration::from_secs(1)) {
        assert!(!words.contains("WATCHDOG"), "{words}");
    }
    drop(process);
}

/// What the relay does with the next mails.
enum Mood {
    /// Takes them.
    Well,
    /// Hangs until it is told to go on.
    Hangs(Receiver<()>),
    /// Panics, once.
    Panics,
}

struct Moody {
    mood: Mutex<Mood>,
    taken: Mutex<Sender<String>>,
}

impl Mailer for Moody {
    fn probe(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn dialogue(&self) -> Vec<Said> {
        Vec::new()
    }

    fn send(&self, message: &Message) -> Result<String, Failure> {
        let mood = std::mem::replace(&mut *self.mood.lock().unwrap(), Mood::Well);
        match mood {
            Mood::Well => {}
            // Whoever drops the other end lets it go too.
            Mood::Hangs(until) => drop(until.recv()),
            Mood::Panics => panic!("a mailer panics, as this test wants"),
        }
        self.taken.lock().unwrap().send(message.to.clone()).unwrap();
        Ok("250 taken".to_owned())
    }
}

/// A clock on which the thread of this name panics; nobody while there is none.
struct Trap {
    clock: Arc<FixedClock>,
    thread: Mutex<Option<&'static str>>,
}

impl Trap {
    fn set(&self, thread: Option<&'static str>) {
        *self.thread.lock().unwrap() = thread;
    }

    fn spring(&self) {
        let wanted = *self.thread.lock().unwrap();
        let is_wanted = wanted.is_some() && std::thread::current().name() == wanted;
        assert!(!is_wanted, "{wanted:?} panics, as this test wants");
    }
}

impl Clock for Trap {
    fn now(&self) -> Timestamp {
        self.spring();
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.spring();
        self.clock.elapsed()
    }
}

/// A server with all its threads in this process, whose clock is ours and whose relay has moods.
struct Alive {
    app: Arc<App>,
    clock: Arc<FixedClock>,
    trap: Arc<Trap>,
    running: Running,
    mailer: Arc<Moody>,
    taken: Receiver<String>,
    portal: Portal,
}

impl Alive {
    /// On the file of a portal in which one mail is owed.
    fn start() -> Self {
        Self::with_trap(None)
    }

    /// The same where this thread panics from the beginning.
    fn with_trap(thread: Option<&'static str>) -> Self {
        let portal = Portal::start();
        portal.leave_mail();
        let owner = portal.owner();
        portal.invite(&owner, Role::Member, "ann@fjord.example");
        let (sender, taken) = mpsc::channel();
        let mailer = Arc::new(Moody {
            mood: Mutex::new(Mood::Well),
            taken: Mutex::new(sender),
        });
        let clock = Arc::new(FixedClock::new(portal.app().now()));
        let trap = Arc::new(Trap {
            clock: Arc::clone(&clock),
            thread: Mutex::new(thread),
        });
        let outside = Outside {
            clock: Arc::clone(&trap) as _,
            random: Arc::new(OsRandom),
            mailer: Some(Arc::clone(&mailer) as _),
            mailbox: None,
        };
        let settings = portal.app().settings.clone();
        let data: PathBuf = settings.data.clone();
        let db = Db::open(&portal.file(), 4).unwrap();
        let hasher = Hasher::new(Cost::CHEAP, 2);
        let app = Arc::new(App::new(db, Keys::new(KEY), outside, hasher, settings).unwrap());
        Self {
            running: Self::run(&app, &data),
            app,
            clock,
            trap,
            mailer,
            taken,
            portal,
        }
    }

    fn run(app: &Arc<App>, data: &std::path::Path) -> Running {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = doorward::kit::http::server::Settings {
            workers: 4,
            ..server_settings(data, Scheme::Http)
        };
        Running::start(app, listener, settings).unwrap()
    }

    /// Until it is written down that the mail was sent: the relay knows it before.
    #[track_caller]
    fn settled(&self) {
        let is_sent =
            "SELECT count(*) FROM errands WHERE recipient = 'ann@fjord.example' AND state = 'sent'";
        let settled = wait::until(PATIENCE, || {
            (self.portal.ask::<i64>(is_sent) == [1]).then_some(())
        });
        assert!(settled.is_some(), "it was never written down");
    }

    /// The mail is owed once more.
    fn owe_again(&self) {
        self.portal.tamper(
            "UPDATE errands SET state = 'waiting', ended_at = NULL, due_at = 0 WHERE recipient = 'ann@fjord.example'",
        );
        self.app.bell.ring();
    }

    /// The same; comes back when it is in the relay's hands, whatever that makes of it.
    #[track_caller]
    fn offer_again(&self) {
        self.owe_again();
        let offered = wait::until(PATIENCE, || {
            let mood = self.mailer.mood.lock().unwrap();
            matches!(*mood, Mood::Well).then_some(())
        });
        assert!(offered.is_some(), "the mail was never offered");
    }

    fn asks(&self, path: &str) -> (u16, String) {
        let mut client = Client::new(&format!("http://{}", self.running.address()));
        let page = client.send("GET", path, &[], "");
        (page.status, page.body)
    }
}

#[test]
fn a_background_thread_that_hangs_ends_the_pings_until_it_goes_on() {
    let ears = Ears::at_path();
    let (go_on, until) = mpsc::channel();
    let alive = Alive::start();
    // The mail of the start may be on its way already.
    alive.taken.recv_timeout(PATIENCE).unwrap();
    alive.settled();
    *alive.mailer.mood.lock().unwrap() = Mood::Hangs(until);
    let notifier = Arc::new(
        Notifier::new(Some(&Manager {
            socket: ears.name.clone(),
            watchdog: None,
        }))
        .unwrap(),
    );
    let within = Some(Duration::from_millis(200));
    let dog = Dog::start(&alive.app, &notifier, within, "Serving").unwrap();
    ears.hear_until("WATCHDOG=1\n");

    alive.offer_again();
    alive.clock.travel(TOO_LONG - 1);
    assert_eq!(alive.asks("/healthz").0, 200);
    ears.hear_until("WATCHDOG=1\n");

    alive.clock.travel(1);
    ears.hear_until("STATUS=Failed: worker\n");
    let silence = ears.hear(Duration::from_secs(2));
    assert_eq!(silence, None, "it pinged though a thread is stuck");
    let (status, body) = alive.asks("/healthz");
    assert_eq!(status, 503);
    assert!(body.contains(r#""failed":["worker"]"#), "{body}");
    assert_eq!(
        alive.asks("/sign-in").0,
        421,
        "pages are answered meanwhile"
    );

    go_on.send(()).unwrap();
    alive.taken.recv_timeout(PATIENCE).unwrap();
    ears.hear_until("WATCHDOG=1\n");
    ears.hear_until("STATUS=Serving\n");
    assert_eq!(alive.asks("/healthz").0, 200);
    drop(dog);
    let ended = ears.hear(Duration::from_millis(300));
    assert!(
        ended.is_none_or(|words| words == "WATCHDOG=1\n"),
        "the last one may have been on its way"
    );
    assert_eq!(ears.hear(Duration::from_millis(500)), None);
    alive.running.stop(Duration::from_secs(5));
}

#[test]
fn a_background_thread_that_panics_goes_on() {
    let alive = Alive::start();
    alive.taken.recv_timeout(PATIENCE).unwrap();
    alive.settled();
    *alive.mailer.mood.lock().unwrap() = Mood::Panics;
    alive.offer_again();
    // What it had in its hands is owed again once the lease is over.
    alive.clock.travel(10 * MINUTE);
    alive.app.bell.ring();
    assert_eq!(
        alive.taken.recv_timeout(PATIENCE).unwrap(),
        "ann@fjord.example"
    );
    let healthy = wait::until(PATIENCE, || (alive.asks("/healthz").0 == 200).then_some(()));
    assert!(healthy.is_some(), "{:?}", alive.asks("/healthz"));
    alive.running.stop(Duration::from_secs(5));
}

/// Asks until the answer is this, while time goes by.
#[track_caller]
fn until_health_is(alive: &Alive, wanted: u16, seconds: i64) -> String {
    let seen = wait::until(PATIENCE, || {
        alive.clock.travel(seconds);
        let (status, body) = alive.asks("/readyz");
        (status == wanted).then_some(body)
    });
    seen.unwrap_or_else(|| panic!("never {wanted}: {:?}", alive.asks("/readyz")))
}

#[test]
fn a_background_thread_that_panics_every_time_is_red_and_works_once_it_can() {
    // Before it has begun, and in the midst of its rounds.
    let alive = Alive::with_trap(Some("worker"));
    for _ in 0..2 {
        let body = until_health_is(&alive, 503, TOO_LONG);
        assert!(body.contains(r#""failed":["worker"]"#), "{body}");
        assert_eq!(
            alive.asks("/sign-in").0,
            421,
            "pages are answered meanwhile"
        );
        assert!(alive.taken.try_recv().is_err(), "it worked all the same");
        alive.trap.set(None);
        alive.app.bell.ring();
        assert_eq!(
            alive.taken.recv_timeout(PATIENCE).unwrap(),
            "ann@fjord.example"
        );
        alive.settled();
        until_health_is(&alive, 200, 0);
        alive.trap.set(Some("worker"));
        alive.owe_again();
    }
    alive.trap.set(None);
    alive.running.stop(Duration::from_secs(5));
}

#[test]
fn a_watchdog_that_panics_falls_silent_and_watches_again_once_it_can() {
    let ears = Ears::at_path();
    let alive = Alive::start();
    let notifier = Arc::new(
        Notifier::new(Some(&Manager {
            socket: ears.name.clone(),
            watchdog: None,
        }))
        .unwrap(),
    );
    let within = Some(Duration::from_millis(200));
    let dog = Dog::start(&alive.app, &notifier, within, "Serving").unwrap();
    ears.hear_until("WATCHDOG=1\n");
    alive.trap.set(Some("watchdog"));
    let is_silent = wait::until(PATIENCE, || {
        ears.hear(Duration::from_secs(1)).is_none().then_some(())
    });
    assert!(is_silent.is_some(), "it pings though it cannot look");
    assert_eq!(alive.asks("/sign-in").0, 421, "pages are answered");
    alive.trap.set(None);
    ears.hear_until("WATCHDOG=1\n");
    drop(dog);
    alive.running.stop(Duration::from_secs(5));
}

#[test]
fn a_reader_of_somebody_elses_that_stays_rings_until_it_lets_go() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.work();
    let mut asker = portal.visitor();
    let stays = rusqlite::Connection::open(portal.file()).unwrap();
    stays
        .execute_batch("BEGIN; SELECT count(*) FROM accounts")
        .unwrap();
    stays
        .query_row("SELECT count(*) FROM accounts", [], |_| Ok(()))
        .unwrap();
    // As much as a busy day writes.
    portal.tamper(
        "CREATE TABLE day (what BLOB) STRICT; INSERT INTO day VALUES (zeroblob(35 << 20)), (zeroblob(35 << 20))",
    );
    assert_eq!(asked(&mut asker, "/readyz"), degraded(&["wal"]));
    portal.travel(MINUTE + 1);
    portal.work();
    assert_eq!(*portal.app().troubles.lock().unwrap(), ["wal"]);
    // It serves on meanwhile; and with the reader gone, two more changes end it: one folds it in, one begins it anew.
    portal.invite(&owner, Role::Member, "ann@fjord.example");
    assert_eq!(asked(&mut asker, "/readyz"), degraded(&["wal"]));
    stays.execute_batch("COMMIT").unwrap();
    portal.invite(&owner, Role::Member, "bea@fjord.example");
    portal.invite(&owner, Role::Member, "cia@fjord.example");
    assert_eq!(asked(&mut asker, "/readyz"), ready());
    portal.tamper("DROP TABLE day");
    portal.work();
}
