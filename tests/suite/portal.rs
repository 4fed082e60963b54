//! The whole Portal in this process, on a folder of its own: a clock that stands still, randomness that repeats, a
//! mailbox in place of a relay. No thread and no socket: requests go to `door::handle`, the worker's rounds are ours.
//!
//! When a `Portal` goes, it checks what nobody asserts: mail that cannot be delivered, answers of 500 and more, a
//! damaged file, a broken audit chain, badly formed pages, and secrets in the log or in the file.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorward::app::{App, Mode, Outside, Settings};
use doorward::audit;
use doorward::domain::id::{AccountId, OrganisationId};
use doorward::domain::role::Role;
use doorward::error::Error;
use doorward::invitations::{self, Acceptance, Link, Terms};
use doorward::kit::db::{Db, World};
use doorward::kit::hasher::{Cost, Hasher};
use doorward::kit::http::cookie::Transport;
use doorward::kit::http::request::Request;
use doorward::kit::keys::Keys;
use doorward::kit::mail::{Mailbox, Mailer, Message};
use doorward::kit::random::SeededRandom;
use doorward::kit::time::{Clock, FixedClock, Timestamp};
use doorward::organisations;
use doorward::passwords::PasswordHash;
use doorward::scope::{Actor, Allowed, By, InviteAccounts};
use doorward::sessions::Lifetimes;
use doorward::setup::{self, Founding};
use doorward::worker::Worker;
use tempfile::TempDir;

use crate::answer::{self, Answer};
use crate::visitor::Visitor;
use crate::{log, markup};

/// When every test begins: Tuesday, 24 November 2026, 14:20 in Oslo.
pub(crate) const START: Timestamp = Timestamp(1_795_526_400);
/// The password of everybody whom the portal makes.
pub(crate) const PASSWORD: &str = "Correct-Horse-7!";
/// The root of the install's keys.
pub(crate) const KEY: [u8; 32] = [42; 32];
/// The first organisation, and its owner.
pub(crate) const ORGANISATION: &str = "Fjord Supply";
pub(crate) const OWNER: &str = "olivia@fjord.example";
const OWNER_NAME: &str = "Olivia Berg";
/// More rounds of the worker than any test needs.
const ROUNDS_MAX: usize = 10_000;

/// How a portal is set up.
pub(crate) struct Builder {
    settings: Settings,
    cost: Cost,
    has_mail: bool,
    mailer: Option<Arc<dyn Mailer>>,
}

impl Builder {
    /// Mail is off: nothing leaves, links are copied.
    pub(crate) fn mail_off(mut self) -> Self {
        self.has_mail = false;
        self.settings.relay = None;
        self
    }

    /// Over http, on loopback.
    pub(crate) fn http(mut self) -> Self {
        self.settings.public_url = "http://127.0.0.1:8080".to_owned();
        self.settings.hosts = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .to_vec();
        self.settings.transport = Transport::Http;
        self
    }

    /// The demonstration: its mail can be read.
    pub(crate) fn demo(mut self) -> Self {
        self.settings.mode = Mode::Demo;
        self
    }

    /// Mail leaves by this instead of the mailbox.
    pub(crate) fn mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.mailer = Some(mailer);
        self
    }

    /// Passwords are hashed at this cost.
    pub(crate) fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Anything else that the operator may decide.
    pub(crate) fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Begins.
    pub(crate) fn start(mut self) -> Portal {
        let log_place = log::keep();
        let folder = tempfile::tempdir().unwrap();
        self.settings.data = folder.path().to_owned();
        let house = House {
            clock: Arc::new(FixedClock::new(START)),
            random: Arc::new(SeededRandom::new(7)),
            mailbox: Arc::new(Mailbox::default()),
            has_mail: self.has_mail,
            mailer: self.mailer,
            running: Mutex::new(None),
            noted: Mutex::new(Noted::default()),
            leaves_mail: AtomicBool::new(false),
            expects_failures: AtomicBool::new(false),
            addresses: AtomicU32::new(0),
            log_place,
            folder,
        };
        house.create();
        house.run(self.settings, self.cost);
        Portal(Arc::new(house))
    }
}

/// What was seen on the way, to be judged at the end.
#[derive(Default)]
struct Noted {
    secrets: BTreeSet<String>,
    private: BTreeSet<String>,
    failures: Vec<String>,
    malformed: BTreeSet<String>,
}

struct Running {
    app: Arc<App>,
    worker: Worker,
    cost: Cost,
}

/// What a portal and its visitors share.
pub(crate) struct House {
    clock: Arc<FixedClock>,
    random: Arc<SeededRandom>,
    mailbox: Arc<Mailbox>,
    has_mail: bool,
    mailer: Option<Arc<dyn Mailer>>,
    running: Mutex<Option<Running>>,
    noted: Mutex<Noted>,
    leaves_mail: AtomicBool,
    expects_failures: AtomicBool,
    addresses: AtomicU32,
    log_place: usize,
    folder: TempDir,
}

impl House {
    /// The application as it runs now.
    pub(crate) fn app(&self) -> Arc<App> {
        Arc::clone(&self.running().as_ref().expect("the portal is stopped").app)
    }

    /// A network address that nobody here has yet, each in a network of its own.
    pub(crate) fn next_address(&self) -> IpAddr {
        let number = self.addresses.fetch_add(1, Ordering::SeqCst) + 1;
        let [_, a, b, c] = number.to_be_bytes();
        IpAddr::from([10 + a, b, c, 1])
    }

    /// Remembers what was sent and answered, for the checks at the end.
    pub(crate) fn note(&self, request: &Request, answer: &Answer) {
        let transport = self.app().settings.transport;
        let mut noted = unpoisoned(&self.noted);
        for cookie in answer.all("Set-Cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if ["session", "device", "visit"]
                .map(|one| transport.name(one))
                .contains(&name.to_owned())
            {
                noted.secrets.insert(value.to_owned());
            }
        }
        for (_, proof) in answer.forms() {
            noted.secrets.insert(proof);
        }
        for text in [
            request.path.as_str(),
            &answer.html(),
            answer.header("Location").unwrap_or_default(),
        ] {
            noted.secrets.extend(answer::tokens(text));
        }
        for (name, value) in form_urlencoded::parse(&request.body) {
            match &*name {
                "password" | "password_confirmation" => noted.secrets.insert(value.into_owned()),
                "email" | "name" | "phone" => noted.private.insert(value.into_owned()),
                _ => false,
            };
        }
        if answer.status >= 500 {
            noted.failures.push(format!(
                "{}: {}\n{}",
                answer.asked,
                answer.status,
                answer.text()
            ));
        }
        // A mail in its frame is no page of ours: it brings its styles along, under a policy of its own.
        let is_framed = answer
            .header("Content-Security-Policy")
            .is_some_and(|policy| policy.ends_with("sandbox"));
        if answer.is_page() && !is_framed {
            let problems = markup::problems(&answer.html());
            noted.malformed.extend(
                problems
                    .into_iter()
                    .map(|one| format!("{}: {one}", answer.asked)),
            );
        }
    }

    /// What a person needs to see when a test fails: the newest of the audit log, the mailbox, and the log.
    pub(crate) fn report(&self) -> String {
        let Some(app) = self
            .running()
            .as_ref()
            .map(|running| Arc::clone(&running.app))
        else {
            return "The portal is stopped.".to_owned();
        };
        let mut report = String::from("Audit log, newest first:\n");
        let entries = app.read(app.now(), |read| {
            let mut entries = audit::latest(read, None, 10)?;
            for organisation in organisations::list(read)? {
                entries.extend(audit::latest(read, Some(organisation.id), 10)?);
            }
            Ok(entries)
        });
        for entry in entries.unwrap_or_default() {
            report.push_str(&format!(
                "  {} {} by {} {} on {} {}\n",
                entry.number,
                entry.action,
                entry.actor,
                entry.actor_text.unwrap_or_default(),
                entry.target.unwrap_or_default(),
                entry.details
            ));
        }
        report.push_str("Mailbox:\n");
        for mail in self.mailbox.messages() {
            report.push_str(&format!("  to {}: {}\n", mail.to, mail.subject));
        }
        report + "Log of this thread:\n" + &log::own(self.log_place)
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        unpoisoned(&self.running)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("doorward.db")
    }

    fn keys() -> Keys {
        Keys::new(KEY)
    }

    fn create(&self) {
        let keys = Self::keys();
        let world = World {
            now: START,
            random: self.random.as_ref(),
            keys: &keys,
            mail_domain: "example.com",
        };
        let db = Db::open(&self.file(), 1).unwrap();
        db.write::<_, Error>(world, |tx| {
            tx.script(include_str!("../../schema.sql"))?;
            tx.execute(
                "INSERT INTO install (id, key_id, created_at) VALUES (1, ?1, ?2)",
                (keys.identity(), tx.now()),
            )?;
            Ok(())
        })
        .unwrap();
    }

    fn run(&self, settings: Settings, cost: Cost) {
        let mailer = self.mailer.clone();
        let mailer = mailer.unwrap_or_else(|| Arc::clone(&self.mailbox) as Arc<dyn Mailer>);
        let outside = Outside {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::clone(&self.random) as _,
            mailer: self.has_mail.then_some(mailer),
            mailbox: Some(Arc::clone(&self.mailbox)),
        };
        let db = Db::open(&self.file(), 4).unwrap();
        let hasher = Hasher::new(cost, 2);
        let app = Arc::new(App::new(db, Self::keys(), outside, hasher, settings).unwrap());
        let worker = Worker::begin(&app).unwrap();
        *self.running() = Some(Running { app, worker, cost });
    }
}

/// The whole Portal.
pub(crate) struct Portal(Arc<House>);

impl Portal {
    /// `https://portal.example.com`, with mail, and nobody in it.
    pub(crate) fn start() -> Self {
        Self::build().start()
    }

    /// The same, to be changed before it begins.
    pub(crate) fn build() -> Builder {
        Builder {
            settings: Settings {
                public_url: "https://portal.example.com".to_owned(),
                hosts: vec!["portal.example.com".to_owned()],
                transport: Transport::Https,
                brand: "Portal".to_owned(),
                mail_from: "Portal <portal@example.com>".to_owned(),
                relay: Some("smtp://mail.example.com:587".to_owned()),
                lifetimes: Lifetimes::default(),
                terms: Terms::default(),
                mode: Mode::Production,
                warning: None,
                data: PathBuf::new(),
            },
            cost: Cost::CHEAP,
            has_mail: true,
            mailer: None,
        }
    }

    /// The application as it runs now.
    pub(crate) fn app(&self) -> Arc<App> {
        self.0.app()
    }

    /// The database file.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.file()
    }

    /// The keys of the install.
    pub(crate) fn keys(&self) -> Keys {
        House::keys()
    }

    /// Time goes by, or back.
    pub(crate) fn travel(&self, seconds: i64) {
        self.0.clock.travel(seconds);
    }

    /// The worker does everything that is to be done now.
    #[track_caller]
    pub(crate) fn work(&self) {
        let mut running = self.0.running();
        let running = running.as_mut().unwrap();
        for _ in 0..ROUNDS_MAX {
            if !running.worker.tick(&running.app) {
                return;
            }
        }
        panic!("the worker never comes to an end");
    }

    /// The process ends and begins anew, on the same folder; this may change what the operator decided.
    pub(crate) fn restart(&self, change: impl FnOnce(&mut Settings, &mut Cost)) {
        let before = self.0.running().take().unwrap();
        let (mut settings, mut cost) = (before.app.settings.clone(), before.cost);
        drop(before);
        change(&mut settings, &mut cost);
        self.0.run(settings, cost);
    }

    /// Somebody who was never here.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(&self.0)
    }

    /// The owner of the first organisation, signed in; it is founded when it does not exist yet.
    #[track_caller]
    pub(crate) fn owner(&self) -> Visitor {
        self.found();
        self.signed_in(OWNER)
    }

    /// The first organisation.
    #[track_caller]
    pub(crate) fn first(&self) -> OrganisationId {
        self.named(ORGANISATION)
    }

    /// The id of the organisation of this name.
    #[track_caller]
    pub(crate) fn named(&self, name: &str) -> OrganisationId {
        let app = self.app();
        let all = app
            .read(app.now(), |read| Ok(organisations::list(read)?))
            .unwrap();
        all.into_iter()
            .find(|one| one.name.as_str() == name)
            .expect("there is no such organisation")
            .id
    }

    /// Founds another organisation beside the first; its owner, signed in.
    #[track_caller]
    pub(crate) fn organisation(&self, name: &str) -> Visitor {
        self.found();
        let email = format!("owner@{}.example", name.to_lowercase().replace(' ', "-"));
        let app = self.app();
        let (_, link) = app
            .write(app.now(), |tx| {
                setup::found_by_invitation(
                    tx,
                    &name.parse().unwrap(),
                    "Europe/Oslo",
                    &email.parse().unwrap(),
                    app.settings.terms,
                )
            })
            .unwrap();
        self.accept(&link, "Otto Lund");
        self.signed_in(&email)
    }

    /// An Active account of the first organisation, invited by its owner; signed in.
    #[track_caller]
    pub(crate) fn member(&self, role: Role, email: &str) -> Visitor {
        self.member_of(&self.owner(), role, email)
    }

    /// An Active account, invited by this person into their organisation; signed in.
    #[track_caller]
    pub(crate) fn member_of(&self, by: &Visitor, role: Role, email: &str) -> Visitor {
        let id = self.invite(by, role, email);
        let link = self.link_of(by, id);
        let name = email.split('@').next().unwrap();
        self.accept(&link, &format!("{} Vik", name.to_uppercase()));
        self.signed_in(email)
    }

    /// A Pending account, invited by this person into their organisation.
    #[track_caller]
    pub(crate) fn invite(&self, by: &Visitor, role: Role, email: &str) -> AccountId {
        let app = self.app();
        let allowed: Allowed<InviteAccounts> = by.allowed();
        app.write(app.now(), |tx| {
            invitations::invite(
                tx,
                &allowed,
                &email.parse().unwrap(),
                role,
                app.settings.terms,
            )
        })
        .unwrap()
    }

    /// The activation link of a Pending account, copied by this person.
    #[track_caller]
    pub(crate) fn link_of(&self, by: &Visitor, id: AccountId) -> Link {
        let app = self.app();
        app.write(app.now(), |tx| {
            invitations::copy_link(tx, &by.allowed(), id)
        })
        .unwrap()
    }

    /// Uses an activation link, with everybody's password.
    #[track_caller]
    pub(crate) fn accept(&self, link: &Link, name: &str) {
        let app = self.app();
        let acceptance = Acceptance {
            name: name.parse().unwrap(),
            phone: None,
            hash: self.hash(PASSWORD),
        };
        app.write(app.now(), |tx| {
            invitations::accept(tx, &stranger(), &link.token, &acceptance)
        })
        .unwrap();
    }

    /// A browser in which the person of this address is signed in.
    #[track_caller]
    pub(crate) fn signed_in(&self, email: &str) -> Visitor {
        let mut visitor = self.visitor();
        visitor.email = email.to_owned();
        visitor.password = PASSWORD.to_owned();
        visitor.sign_in();
        visitor
    }

    /// A password's hash, at today's cost.
    pub(crate) fn hash(&self, password: &str) -> PasswordHash {
        let app = self.app();
        PasswordHash::new(app.hasher.hash(password.as_bytes(), app.random()).unwrap())
    }

    /// All mails so far, oldest first.
    pub(crate) fn mails(&self) -> Vec<Message> {
        self.0.mailbox.messages()
    }

    /// The mailbox, to make it fail.
    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.0.mailbox
    }

    /// The path of the newest link that was mailed to this address.
    #[track_caller]
    pub(crate) fn link_for(&self, email: &str) -> String {
        let mails = self.mails();
        let link = mails
            .iter()
            .rev()
            .filter(|mail| mail.to == email)
            .find_map(|mail| {
                let (_, after) = mail.text.split_once(&self.app().settings.public_url)?;
                let path: String = after.chars().take_while(|c| !c.is_whitespace()).collect();
                Some(path)
            });
        link.unwrap_or_else(|| panic!("no link was mailed to {email}\n\n{}", self.0.report()))
    }

    /// A link that opens the first set-up.
    #[track_caller]
    pub(crate) fn setup_link(&self) -> String {
        let app = self.app();
        let token = app
            .write(app.now(), |tx| setup::make_link(tx, &By::operator()))
            .unwrap();
        format!("/setup/{}", token.reveal())
    }

    /// Asks the file whatever a test wants to know. Only questions: the connection cannot write.
    pub(crate) fn ask<T: rusqlite::types::FromSql>(&self, sql: &str) -> Vec<T> {
        let conn = rusqlite::Connection::open_with_flags(
            self.file(),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .unwrap();
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Does to the file what no code of ours would: for broken pasts.
    pub(crate) fn tamper(&self, script: &str) {
        let conn = rusqlite::Connection::open(self.file()).unwrap();
        conn.execute_batch(script).unwrap();
    }

    /// The newest events of an organisation, or of the system: each as its action.
    pub(crate) fn audit(&self, organisation: Option<OrganisationId>) -> Vec<audit::Entry> {
        let app = self.app();
        app.read(app.now(), |read| {
            Ok(audit::latest(read, organisation, 1_000)?)
        })
        .unwrap()
    }

    /// This test ends with mail that was not delivered.
    pub(crate) fn leave_mail(&self) {
        self.0.leaves_mail.store(true, Ordering::SeqCst);
    }

    /// In this test things break: answers of 500 and more are meant.
    pub(crate) fn expect_failures(&self) {
        self.0.expects_failures.store(true, Ordering::SeqCst);
    }

    /// Founds the first organisation, where it does not exist yet.
    fn found(&self) {
        let app = self.app();
        if app
            .read(app.now(), |read| Ok(organisations::any_exists(read)?))
            .unwrap()
        {
            return;
        }
        let token = app
            .write(app.now(), |tx| setup::make_link(tx, &By::operator()))
            .unwrap();
        let founding = Founding {
            organisation: ORGANISATION.parse().unwrap(),
            time_zone: "Europe/Oslo".to_owned(),
            name: OWNER_NAME.parse().unwrap(),
            email: OWNER.parse().unwrap(),
            hash: self.hash(PASSWORD),
        };
        app.write(app.now(), |tx| {
            setup::found(tx, &stranger(), &token, &founding)
        })
        .unwrap();
    }

    /// Everything that is not as it must be at the end of every test.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.0.has_mail && !self.0.leaves_mail.load(Ordering::SeqCst) {
            self.work();
            let owed: Vec<String> = self.ask(
                "SELECT kind || ' to ' || coalesce(recipient, 'nobody') || ': ' || state || ' ' || coalesce(answer, '')
                   FROM errands WHERE state IN ('waiting', 'sending', 'failed')",
            );
            faults.extend(
                owed.into_iter()
                    .map(|mail| format!("a mail was not delivered: {mail}")),
            );
        }
        let app = self.app();
        faults.extend(app.db().complaints().unwrap());
        let verdict = app
            .read(app.now(), |read| audit::verify(read, app.keys()))
            .unwrap();
        faults.extend(
            verdict
                .faults
                .iter()
                .map(|fault| format!("the audit log is broken: {fault:?}")),
        );
        let noted = unpoisoned(&self.0.noted);
        if !self.0.expects_failures.load(Ordering::SeqCst) {
            faults.extend(
                noted
                    .failures
                    .iter()
                    .map(|failure| format!("it broke: {failure}")),
            );
        }
        faults.extend(
            noted
                .malformed
                .iter()
                .map(|one| format!("a page is badly formed: {one}")),
        );
        faults.extend(self.leaks(&noted));
        faults
    }

    /// Secrets where they must not be.
    fn leaks(&self, noted: &Noted) -> Vec<String> {
        let mut secrets = noted.secrets.clone();
        for mail in self.mails() {
            secrets.extend(answer::tokens(&mail.text));
        }
        let mut leaks = Vec::new();
        for line in log::since(self.0.log_place) {
            for secret in secrets
                .iter()
                .chain(&noted.private)
                .filter(|secret| secret.len() >= 8)
            {
                if line.text.contains(secret.as_str()) {
                    leaks.push(format!("{secret:?} stands in the log: {}", line.text));
                }
            }
        }
        for name in ["doorward.db", "doorward.db-wal"] {
            let bytes = std::fs::read(self.0.folder.path().join(name)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            for secret in secrets.iter().filter(|secret| secret.len() >= 8) {
                if text.contains(secret.as_str()) {
                    leaks.push(format!("{secret:?} stands in {name}"));
                }
            }
        }
        leaks
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        if std::thread::panicking() || self.0.running().is_none() {
            return;
        }
        let faults = self.faults();
        assert!(
            faults.is_empty(),
            "{}\n\n{}",
            faults.join("\n"),
            self.0.report()
        );
    }
}

/// Somebody with a link and no session.
fn stranger() -> By {
    By {
        actor: Actor::Stranger,
        address: None,
        request_id: "test".to_owned(),
    }
}

fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
