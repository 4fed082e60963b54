//! `kill -9` at any moment, again and again: what a client was told is there afterwards, what it was not told is there
//! whole or not at all, and every mail that is owed arrives.
//!
//! Told means: the client read a whole answer's head. `DOORWARD_CRASH_ROUNDS` sets how many rounds there are.

mod crown;
mod deeds;
pub(crate) mod file;
mod keeper;
mod person;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Write as _, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use doorward::kit::random::{OsRandom, bytes};
use doorward::kit::time::instant;

use self::crown::Crown;
use self::deeds::{Deed, manage};
use self::file::File;
use self::keeper::Keeper;
use self::person::{Came, Done, Person};
use crate::answer;
use crate::client::Client;
use crate::letter::{Letter, path_of};
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security, Step, Twist};
use crate::served::{self, activate, expect, found_by, setup_link, sign_in, try_password};
use crate::wait;

const ROUNDS: usize = 50;
/// Until every deed was done to somebody, there are more rounds, at most so many.
const ROUNDS_MAX: usize = 60;
/// So many people have an account from the beginning, for a Master to have in hand.
const EARLY: usize = 4;
/// The longest that a server lives in a round, of those that there are in any case.
const LIFE_MAX: Duration = Duration::from_millis(450);
/// So many people at work at once, and so many who wait for their turn.
const AT_ONCE: usize = 3;
const WAITING_MAX: usize = 30;
/// An organisation may invite 300 an hour.
const INVITED_MAX: usize = 250;
/// Password checks at the end: each costs what a hash costs.
const CHECKED_MAX: usize = 40;
const PATIENCE: Duration = Duration::from_secs(60);

/// A random time up to this one.
fn up_to(longest: Duration) -> Duration {
    let random = u32::from_be_bytes(bytes(&OsRandom).unwrap());
    longest.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the tests, not a setting"
)]
fn rounds() -> usize {
    let asked = std::env::var("DOORWARD_CRASH_ROUNDS").ok();
    asked.map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

/// A town whose portal loses its power every half second.
struct Town {
    relay: Relay,
    process: Doorward,
    owner: Client,
    /// The owner too, in another browser: has the accounts in hand.
    master: Client,
    crown: Crown,
    keeper: Keeper,
    home: usize,
    invited: usize,
    number: usize,
    people: Vec<Person>,
    deeds: BTreeSet<Deed>,
    told: usize,
    kills: usize,
    lost: Vec<String>,
}

impl Town {
    fn new() -> Self {
        let relay = Relay::start(Security::Plain);
        // Between the relay's taking a mail and our knowing of it, there is time to die.
        relay.at(Step::Dot, Twist::Pause(Duration::from_millis(8)));
        let process = served::launch(&relay, "")
            .arg("--public-url")
            .arg("http://localhost")
            .arg("--trusted-proxies")
            .arg("127.0.0.0/8")
            .start();
        let browser = || Client::new(process.address()).behind("http://localhost", &[]);
        let owner = found_by(&process, browser());
        let mut master = browser();
        sign_in(&mut master, served::OWNER);
        let mut town = Self {
            owner,
            master,
            crown: Crown::new(&process, browser),
            keeper: Keeper::new(&process, |address| {
                Client::new(address).behind("http://localhost", &[("x-forwarded-for", "10.99.0.1")])
            }),
            home: 0,
            relay,
            process,
            invited: 0,
            number: 0,
            people: Vec::new(),
            deeds: BTreeSet::new(),
            told: 1,
            kills: 0,
            lost: Vec::new(),
        };
        for _ in 0..EARLY {
            let person = town.early();
            town.people.push(person);
        }
        town
    }

    /// Somebody whose account is Active before the power goes for the first time.
    fn early(&mut self) -> Person {
        self.number += 1;
        self.invited += 1;
        let mut person = Person::new(self.number);
        person.is_early = true;
        person.move_to(self.process.address());
        assert!(matches!(person.invite(&mut self.owner), Came::Done));
        let is_active = || matches!(person.activate(&self.relay), Came::Done).then_some(());
        wait::until(PATIENCE, is_active).expect("no invitation came");
        let lost = File::copy(self.process.data()).settle(std::slice::from_mut(&mut person));
        assert!(lost.is_empty(), "{lost:?}");
        person
    }

    /// One life of the server, and what is left of it.
    fn round(&mut self, life_max: Duration) {
        if self.invited >= INVITED_MAX {
            self.found_another();
        }
        let crowd = Crowd::of(self);
        let (relay, process) = (&self.relay, &mut self.process);
        let (owner, master) = (&mut self.owner, &mut self.master);
        let (number, home) = (&mut self.number, self.home);
        let (crown, keeper) = (&mut self.crown, &mut self.keeper);
        let ended = thread::scope(|scope| {
            scope.spawn(|| crowd.invite_on(owner, number, home));
            scope.spawn(|| crowd.manage_on(master, relay));
            scope.spawn(|| crowd.hand_over_on(crown));
            scope.spawn(|| crowd.keep_on(keeper));
            for _ in 0..AT_ONCE {
                scope.spawn(|| crowd.live_on(relay));
            }
            let life = up_to(life_max);
            wait::pause(life);
            process.kill9();
            crowd.is_over.store(1, Ordering::SeqCst);
            life
        });
        self.kills += 1;
        self.invited += crowd.invited.load(Ordering::SeqCst);
        self.told += crowd.told.load(Ordering::SeqCst);
        self.deeds.extend(crowd.deeds.lock().unwrap().iter());
        self.people = crowd.everybody();
        self.look(ended);
        // Every third time, the power goes again while the server comes back.
        if self.kills.is_multiple_of(3) {
            self.process.kill9_after(up_to(Duration::from_millis(80)));
            self.look(ended);
        }
        self.come_back();
    }

    /// Whether there is a deed that was acknowledged to nobody yet.
    fn misses_something(&self) -> bool {
        self.deeds.len() < Deed::ALL.len()
            || self.crown.moved == 0
            || !self.keeper.missing().is_empty()
    }

    /// How many deeds were done to accounts.
    fn done(&self) -> usize {
        let managed = self.people.iter().filter_map(|one| one.managed.as_ref());
        managed.map(|managed| managed.done).sum()
    }

    /// What the disk says, against what people were told.
    fn look(&mut self, life: Duration) {
        let file = File::copy(self.process.data());
        let mut faults = file.faults();
        faults.extend(file.settle(&mut self.people));
        faults.extend(self.crown.settle(&file));
        faults.extend(self.keeper.settle(&file));
        self.people.retain(|person| person.invited == Done::Yes);
        self.lost.extend(
            faults
                .into_iter()
                .map(|fault| format!("kill {} after {life:?}: {fault}", self.kills)),
        );
    }

    fn come_back(&mut self) {
        self.keeper.unlock(&self.process);
        self.process.restart();
        let verified = self.process.run(&["audit", "verify"]);
        if !verified.status.success() {
            self.lost.push(format!("kill {}: {verified:?}", self.kills));
        }
        let address = self.process.address().to_owned();
        self.owner.move_to(&address);
        let page = self.owner.get("/");
        assert_eq!(page.status, 200, "the owner's session is lost: {page:#?}");
        self.master.move_to(&address);
        let page = self.master.get("/iam/accounts");
        assert_eq!(page.status, 200, "the Master's session is lost: {page:#?}");
        self.lost.extend(self.crown.come_back(&self.process));
        self.lost.extend(self.keeper.come_back(&self.process));
        for person in &mut self.people {
            person.move_to(&address);
        }
    }

    /// Another organisation, so that no cap is reached.
    fn found_another(&mut self) {
        let name = format!("Town {}", self.kills);
        let email = format!("owner{}@town.example", self.kills);
        let args = ["org", "create", "--name", &name, "--master-email", &email];
        let made = self.process.run(&args);
        assert!(made.status.success(), "{made:?}");
        let link = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let site = Client::new(self.process.address()).behind("http://localhost", &[]);
        self.owner = site;
        expect(
            activate(&mut self.owner, &path_of(&link), "Olga Owner"),
            303,
        );
        sign_in(&mut self.owner, &email);
        self.master = Client::new(self.process.address()).behind("http://localhost", &[]);
        sign_in(&mut self.master, &email);
        self.home += 1;
        self.invited = 0;
    }

    /// Nothing owed is left, and nothing came that was not owed.
    fn mails(&mut self) -> usize {
        let owed = wait::until(PATIENCE, || {
            let file = File::copy(self.process.data());
            let owed = "SELECT message_id FROM errands WHERE state IN ('waiting', 'sending')";
            file.ask::<String>(owed).is_empty().then_some(file)
        });
        let file = owed.unwrap_or_else(|| panic!("mail is still owed:\n{}", self.process.output()));
        let mut came: BTreeMap<String, Vec<Letter>> = BTreeMap::new();
        for mail in self.relay.messages() {
            let letter = Letter::read(&mail.data);
            let id = letter.header("message-id").trim_matches(['<', '>']);
            came.entry(id.to_owned()).or_default().push(letter);
        }
        for id in file.ask::<String>("SELECT message_id FROM errands WHERE state = 'sent'") {
            if !came.contains_key(&id) {
                self.lost.push(format!("the mail {id} never came"));
            }
        }
        for words in file.ask::<String>(
            "SELECT kind || ' ' || message_id || ' ' || coalesce(answer, '') FROM errands WHERE state = 'failed'",
        ) {
            self.lost.push(format!("a mail failed: {words}"));
        }
        let owed = file.ask::<String>("SELECT message_id FROM errands");
        for (id, letters) in &came {
            if !owed.contains(id) {
                self.lost.push(format!("the mail {id} was never owed"));
            }
            let first = &letters[0];
            // What it says is written when it is sent, and things may have changed meanwhile: recovery codes were renewed.
            // To whom it goes and where it leads stays.
            let marks = |letter: &Letter| {
                let to = letter.header("to").to_owned();
                (to, answer::tokens(&letter.text))
            };
            if let Some(other) = letters.iter().find(|letter| marks(letter) != marks(first)) {
                self.lost.push(format!(
                    "two mails are called {id}:\n{}\nand\n{}",
                    first.text, other.text
                ));
            }
        }
        for person in &self.people {
            let came = self.relay.newest(|mail| mail.to == [&*person.email]);
            if came.is_none() {
                self.lost.push(format!("nothing came for {}", person.email));
            }
        }
        came.values().map(|letters| letters.len() - 1).sum()
    }

    /// Passwords that were acknowledged open accounts, those before them do not.
    fn passwords(&mut self) {
        let mut active: Vec<(&Person, &str)> = self
            .people
            .iter()
            .filter(|person| person.activated == Done::Yes)
            .filter_map(|person| Some((person, person.password()?)))
            .collect();
        // Those with the most behind them first.
        active.sort_by_key(|(person, _)| {
            let deeds = person.managed.as_ref().map_or(0, |managed| managed.done);
            (
                Reverse(deeds),
                person.reset != Done::Yes,
                person.asked != Done::Yes,
            )
        });
        for (number, (person, password)) in active.into_iter().take(CHECKED_MAX).enumerate() {
            let address = format!("172.16.{number}.1");
            let mut client = Client::new(self.process.address())
                .behind("http://localhost", &[("x-forwarded-for", &address)]);
            let page = try_password(&mut client, &person.email, password);
            if page.status != 303 {
                self.lost.push(format!("{}: the password", person.email));
            }
        }
    }
}

/// Everybody, while the server lives.
struct Crowd {
    waiting: Mutex<VecDeque<Person>>,
    managed: Mutex<VecDeque<Person>>,
    deeds: Mutex<BTreeSet<Deed>>,
    finished: Mutex<Vec<Person>>,
    invited: AtomicUsize,
    told: AtomicUsize,
    is_over: AtomicUsize,
    address: String,
}

impl Crowd {
    fn of(town: &mut Town) -> Self {
        let (ready, waiting): (Vec<Person>, Vec<Person>) = std::mem::take(&mut town.people)
            .into_iter()
            .partition(|person| person.managed.is_some());
        // Nobody has people of another organisation in hand.
        let (managed, finished): (Vec<Person>, Vec<Person>) =
            ready.into_iter().partition(|person| {
                person.home == town.home && person.managed.as_ref().unwrap().next().is_some()
            });
        Self {
            waiting: Mutex::new(waiting.into()),
            managed: Mutex::new(managed.into()),
            deeds: Mutex::default(),
            finished: Mutex::new(finished),
            invited: AtomicUsize::new(0),
            told: AtomicUsize::new(0),
            is_over: AtomicUsize::new(0),
            address: town.process.address().to_owned(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Person>> {
        self.waiting.lock().unwrap()
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst) > 0
    }

    fn everybody(self) -> Vec<Person> {
        let mut people = self.finished.into_inner().unwrap();
        people.extend(self.waiting.into_inner().unwrap());
        people.extend(self.managed.into_inner().unwrap());
        people
    }

    /// Invites people until the server is gone.
    fn invite_on(&self, owner: &mut Client, number: &mut usize, home: usize) {
        while !self.is_over() {
            if self.waiting().len() >= WAITING_MAX {
                wait::pause(Duration::from_millis(2));
                continue;
            }
            *number += 1;
            let mut person = Person::new(*number);
            person.home = home;
            person.move_to(&self.address);
            let came = person.invite(owner);
            if person.invited != Done::No {
                self.invited.fetch_add(1, Ordering::SeqCst);
                self.waiting().push_back(person);
            }
            if matches!(came, Came::ServerGone) {
                return;
            }
            self.told.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Has accounts in hand, one deed after the other, until the server is gone.
    fn manage_on(&self, master: &mut Client, relay: &Relay) {
        while !self.is_over() {
            let next = self.managed.lock().unwrap().pop_front();
            let Some(mut person) = next else {
                wait::pause(Duration::from_millis(2));
                continue;
            };
            let deed = person.managed.as_ref().unwrap().next();
            let came = manage(&mut person, master, relay);
            let is_done = person.managed.as_ref().unwrap().next() != deed;
            self.deeds.lock().unwrap().extend(deed.filter(|_| is_done));
            let mut managed = self.managed.lock().unwrap();
            match came {
                Came::Finished => self.finished.lock().unwrap().push(person),
                Came::Done => {
                    self.told.fetch_add(1, Ordering::SeqCst);
                    managed.push_front(person);
                }
                Came::Waits => {
                    managed.push_back(person);
                    drop(managed);
                    wait::pause(Duration::from_millis(2));
                }
                Came::ServerGone => {
                    managed.push_back(person);
                    return;
                }
            }
        }
    }

    /// Hands the ownership to and fro, until the server is gone.
    fn hand_over_on(&self, crown: &mut Crown) {
        while !self.is_over() {
            if crown.step().is_none() {
                return;
            }
            self.told.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Sets two-factor up, uses it and ends it, until the server is gone.
    fn keep_on(&self, keeper: &mut Keeper) {
        while !self.is_over() {
            if keeper.step().is_none() {
                return;
            }
            self.told.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Lets whoever is next do something, until the server is gone.
    fn live_on(&self, relay: &Relay) {
        while !self.is_over() {
            let next = self.waiting().pop_front();
            let Some(mut person) = next else {
                wait::pause(Duration::from_millis(2));
                continue;
            };
            if person.invited != Done::Yes {
                // The server died before it answered; so it will for us.
                self.waiting().push_back(person);
                return;
            }
            let came = person.step(relay);
            match came {
                Came::Finished => self.finished.lock().unwrap().push(person),
                Came::Done => {
                    self.told.fetch_add(1, Ordering::SeqCst);
                    // The same person goes on: sessions are to be ended too, not only begun.
                    self.waiting().push_front(person);
                }
                Came::Waits => {
                    self.waiting().push_back(person);
                    wait::pause(Duration::from_millis(2));
                }
                Came::ServerGone => {
                    self.waiting().push_back(person);
                    return;
                }
            }
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_at_any_moment() {
    let began = instant();
    let rounds = rounds();
    let mut town = Town::new();
    while town.kills < rounds || town.misses_something() && town.kills < rounds + ROUNDS_MAX {
        // On a busy machine little is done in such short lives.
        let life_max = if town.kills < rounds {
            LIFE_MAX
        } else {
            6 * LIFE_MAX
        };
        town.round(life_max);
        assert!(town.lost.is_empty(), "{}", town.lost.join("\n"));
    }
    let doubles = town.mails();
    town.passwords();
    writeln!(
        stderr(),
        "kill -9: {} rounds, {} changes acknowledged, {} lost, {} mails, {doubles} of them doubles, {} accounts, {} deeds \
         to them, the ownership moved {} times, {} deeds to a second factor, {} used codes tried again, {} s",
        town.kills,
        town.told,
        town.lost.len(),
        town.relay.messages().len(),
        town.people.len(),
        town.done(),
        town.crown.moved,
        town.keeper.told,
        town.keeper.tried,
        began.elapsed().as_secs()
    )
    .ok();
    assert!(town.lost.is_empty(), "{}", town.lost.join("\n"));
    assert!(doubles <= town.kills, "{doubles} doubles");
    assert!(town.told > rounds, "hardly anything happened");
    assert!(
        !town.misses_something(),
        "only {:?} were done, and not {:?}",
        town.deeds,
        town.keeper.missing()
    );
    assert!(town.keeper.tried > 0, "no used code was tried again");
}

#[test]
fn a_first_start_that_is_killed_at_any_moment_is_made_good_by_the_next() {
    let began = instant();
    drop(Launch::serve().start());
    let usual = began.elapsed();
    for _ in 0..20 {
        let launch = Launch::serve();
        // Twice: what mends a broken set-up may be broken off too.
        let lives = [up_to(usual), up_to(usual)];
        for life in lives {
            launch.kill9_after(life);
        }
        let process = match launch.try_start() {
            Ok(process) => process,
            Err(ended) => panic!("after {lives:?}: {ended:?}"),
        };
        let path = path_of(&setup_link(&process));
        assert_eq!(Client::new(process.address()).get(&path).status, 200);
        let verified = process.run(&["audit", "verify"]);
        assert!(verified.status.success(), "{lives:?}: {verified:?}");
        let mut left: Vec<String> = std::fs::read_dir(process.data())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort_unstable();
        left.retain(|name| !name.starts_with("doorward.db"));
        // Of the folders with the private socket, only that of the living process is left.
        let sockets = left.extract_if(.., |name| name.starts_with("gate-"));
        assert_eq!(sockets.count(), 1, "{lives:?}");
        assert_eq!(left, ["doorward.lock", "secret.key", "setup-link"]);
        assert_eq!(File::copy(process.data()).faults(), [""; 0]);
    }
}
