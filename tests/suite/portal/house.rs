//! What a portal and its visitors share: the folder, the outside things, the application as it runs, and what was
//! seen on the way.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorward::accounts::{self, Account};
use doorward::app::{App, Outside, Settings};
use doorward::audit;
use doorward::backups::{self, Restored};
use doorward::error::Error;
use doorward::kit::db::{Db, World, upgrade};
use doorward::kit::hasher::{Cost, Hasher};
use doorward::kit::http::request::Request;
use doorward::kit::keys::Keys;
use doorward::kit::mail::{Mailbox, Mailer};
use doorward::kit::random::SeededRandom;
use doorward::kit::time::{Clock, FixedClock, Timestamp};
use doorward::migrations::aside::Aside;
use doorward::migrations::swap::Swap;
use doorward::organisations;
use doorward::scope::By;
use doorward::setup;
use doorward::two_factor;
use doorward::worker::Worker;
use tempfile::TempDir;

use super::{KEY, START};
use crate::answer::{self, Answer};
use crate::{log, markup};

/// Whether mail leaves.
#[derive(Clone)]
pub(super) enum MailIs {
    /// Into the mailbox.
    On,
    /// To this.
    By(Arc<dyn Mailer>),
    /// Nowhere.
    Off,
}

/// What was seen on the way, to be judged at the end.
#[derive(Default)]
pub(super) struct Noted {
    pub(super) secrets: BTreeSet<String>,
    pub(super) private: BTreeSet<String>,
    pub(super) failures: Vec<String>,
    pub(super) malformed: BTreeSet<String>,
}

pub(super) struct Running {
    pub(super) app: Arc<App>,
    pub(super) worker: Worker,
    pub(super) cost: Cost,
}

/// What a portal and its visitors share.
pub(crate) struct House {
    pub(super) clock: Arc<FixedClock>,
    keys: Mutex<Keys>,
    pub(super) random: Arc<SeededRandom>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) mail: MailIs,
    pub(super) running: Mutex<Option<Running>>,
    pub(super) noted: Mutex<Noted>,
    pub(super) leaves_mail: AtomicBool,
    pub(super) expects_failures: AtomicBool,
    pub(super) addresses: AtomicU32,
    pub(super) log_place: usize,
    pub(super) folder: TempDir,
}

impl House {
    /// A folder and the outside things; nothing runs yet.
    pub(super) fn new(seed: u64, mail: MailIs) -> Self {
        Self {
            clock: Arc::new(FixedClock::new(START)),
            keys: Mutex::new(Keys::new(KEY)),
            random: Arc::new(SeededRandom::new(seed)),
            mailbox: Arc::new(Mailbox::default()),
            mail,
            running: Mutex::new(None),
            noted: Mutex::new(Noted::default()),
            leaves_mail: AtomicBool::new(false),
            expects_failures: AtomicBool::new(false),
            addresses: AtomicU32::new(0),
            log_place: log::keep(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The data folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

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

    /// Whose address this is, as the file has it now.
    #[track_caller]
    pub(crate) fn account(&self, email: &str) -> Account {
        let (app, email) = (self.app(), email.parse().unwrap());
        app.read(app.now(), |read| Ok(accounts::by_email(read, &email)?))
            .unwrap()
            .expect("there is no account of that address")
    }

    /// Remembers what was sent and answered, for the checks at the end.
    pub(crate) fn note(&self, request: &Request, answer: &Answer) {
        let transport = self.app().settings.transport;
        let mut noted = unpoisoned(&self.noted);
        for cookie in answer.all("Set-Cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if ["session", "device", "visit", "challenge"]
                .map(|one| transport.name(one))
                .contains(&name.to_owned())
            {
                noted.secrets.insert(value.to_owned());
            }
        }
        for (_, proof) in answer.forms() {
            noted.secrets.insert(proof);
        }
        noted.secrets.extend(answer.keys());
        for text in [
            request.path.as_str(),
            &answer.html(),
            answer.header("Location").unwrap_or_default(),
        ] {
            noted.secrets.extend(answer::tokens(text));
        }
        for (name, value) in form_urlencoded::parse(&request.body) {
            match &*name {
                "password" | "password_confirmation" | "current_password" => {
                    noted.secrets.insert(value.into_owned())
                }
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

    pub(super) fn running(&self) -> MutexGuard<'_, Option<Running>> {
        unpoisoned(&self.running)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("doorward.db")
    }

    pub(super) fn keys(&self) -> Keys {
        unpoisoned(&self.keys).clone()
    }

    /// Another key takes over the file, which nobody has open.
    pub(super) fn take_over(&self, keys: Keys) {
        let world = World {
            now: self.clock.now(),
            random: self.random.as_ref(),
            keys: &keys,
            mail_domain: "example.com",
        };
        let db = Db::open(&self.file(), 1).unwrap();
        db.write(world, |tx| setup::take_over(tx, &By::operator()))
            .unwrap()
            .into_inner();
        *unpoisoned(&self.keys) = keys;
    }

    /// The file is put back from this backup, as the command does it; nobody has it open. Recovery codes that the file
    /// which is there knows to be used stay used.
    pub(super) fn restore(&self, backup: &Path) {
        let keys = self.keys();
        let world = World {
            now: self.clock.now(),
            random: self.random.as_ref(),
            keys: &keys,
            mail_domain: "example.com",
        };
        upgrade::fold(&self.file()).unwrap();
        let used = upgrade::look(&self.file(), world.now, two_factor::used_codes).unwrap();
        let swap = Swap::begin(self.folder(), "replaced").unwrap();
        let aside = Aside::take(backup, &swap.folder(), world.now, Some(&keys)).unwrap();
        let restored = Restored {
            made_at: None,
            version: aside.version,
            is_key_new: false,
            used: &used,
        };
        aside
            .write(world, |tx| {
                backups::restored(tx, &By::operator(), &restored)
            })
            .unwrap()
            .into_inner();
        aside.finish().unwrap();
        swap.commit().unwrap();
    }

    /// The file belongs to these keys, and it is this late.
    pub(super) fn is_of(&self, keys: Keys, now: Timestamp) {
        *unpoisoned(&self.keys) = keys;
        self.clock.travel(now.0 - START.0);
    }

    pub(super) fn create(&self) {
        let keys = self.keys();
        let world = World {
            now: START,
            random: self.random.as_ref(),
            keys: &keys,
            mail_domain: "example.com",
        };
        let db = Db::open(&self.file(), 1).unwrap();
        db.write::<_, Error>(world, |tx| {
            tx.script(include_str!("../../../schema.sql"))?;
            tx.execute(
                "INSERT INTO install (id, key_id, created_at) VALUES (1, ?1, ?2)",
                (keys.identity(), tx.now()),
            )?;
            Ok(())
        })
        .unwrap();
    }

    pub(super) fn run(&self, settings: Settings, cost: Cost) {
        let outside = Outside {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::clone(&self.random) as _,
            mailer: match &self.mail {
                MailIs::On => Some(Arc::clone(&self.mailbox) as Arc<dyn Mailer>),
                MailIs::By(mailer) => Some(Arc::clone(mailer)),
                MailIs::Off => None,
            },
            mailbox: Some(Arc::clone(&self.mailbox)),
        };
        let db = Db::open(&self.file(), 4).unwrap();
        let hasher = Hasher::new(cost, 2);
        let app = Arc::new(App::new(db, self.keys(), outside, hasher, settings).unwrap());
        let worker = Worker::begin(&app).unwrap();
        *self.running() = Some(Running { app, worker, cost });
    }
}

pub(super) fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
