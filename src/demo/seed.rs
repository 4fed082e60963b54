//! How the sample came about: a year of it, lived through in order with a clock that is moved by hand.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use super::people::{self, Person, With};
use super::year::{self, Deed, INGRID, Try};
use crate::accounts::{self, Account};
use crate::app::App;
use crate::audit::{Action, Audited, Event};
use crate::billing::{self, Details};
use crate::catalogue;
use crate::domain::code::Code;
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::month::Month;
use crate::domain::policy::{Level, Policies, Policy, Trust};
use crate::domain::role::Role;
use crate::domain::token::{Token, TokenHash};
use crate::error::{Error, Result};
use crate::invitations::{self, Acceptance};
use crate::kit::db::Tx;
use crate::kit::random;
use crate::kit::time::{Clock, DAY, FixedClock, HOUR, MINUTE, Timestamp};
use crate::kit::totp::Shared;
use crate::lifecycle;
use crate::outbox::Place;
use crate::passwords::PasswordHash;
use crate::resources::{self, NewResource, Resource};
use crate::scope::{
    Actor, Allowed, By, Enroller, Holder, ManageBilling, ManageResources, Right, Scope,
};
use crate::sessions::{self, Entered, Key, Opened, Remember, SignIn};
use crate::settings;
use crate::setup::{self, Founding};
use crate::two_factor::{self, Judged, Typed};
use crate::worker::Worker;

/// From one person of today to the next.
const STEP: i64 = 17 * MINUTE;
/// So long before the present the year is over, and the last day begins.
const LAST_DAY: i64 = 32 * HOUR;

/// Lives through the year up to `now`. The clock stands at [`year::beginning`].
pub(super) fn seed(app: &App, clock: &FixedClock, now: Timestamp) -> Result<()> {
    let hash = app.hasher.hash(people::PASSWORD.as_bytes(), app.random())?;
    let mut story = Story {
        app,
        clock,
        worker: Worker::begin(app)?,
        // One hash for all: hashing two dozen times would only make people wait.
        hash: PasswordHash::new(hash),
        addresses: 0,
        callers: BTreeMap::new(),
        shared: Vec::new(),
        agenda: agenda(now),
    };
    story.live(now)
}

/// From where a stranger guessed (RFC 5737).
const GUESSER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 24));

/// What happens of itself while the clock moves.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A month begins, and the background thread closes the one before.
    Month,
    /// The invoice of this month is paid, by reference to the place in the year.
    Pay(Month, usize),
    /// Somebody does something.
    Deed(Deed),
    /// Somebody tries the account that everybody shared.
    Try(Try),
}

/// The year in its order.
fn agenda(now: Timestamp) -> VecDeque<(Timestamp, Step)> {
    let mut steps: Vec<(Timestamp, Step)> = year::deeds(now)
        .into_iter()
        .map(|(at, deed)| (at, Step::Deed(deed)))
        .collect();
    let mut month = Month::of(now);
    for months_ago in 0..13 {
        // A minute after midnight, as a thread that wakes every second would not be late.
        steps.push((month.start().plus(1), Step::Month));
        month = month.previous();
        if months_ago > 0 {
            steps.push((
                year::paid_at(month, months_ago),
                Step::Pay(month, months_ago),
            ));
        }
    }
    steps.retain(|(at, step)| matches!(step, Step::Month) || *at < now.minus(LAST_DAY));
    steps.extend(
        year::tries(now)
            .into_iter()
            .map(|(at, one)| (at, Step::Try(one))),
    );
    steps.sort_by_key(|(at, _)| at.0);
    steps.into()
}

/// Somebody at a browser that knows them.
struct Caller {
    account: AccountId,
    device: Option<TokenHash>,
    agent: &'static str,
    address: IpAddr,
    scope: Scope,
    since: Timestamp,
    factor: Option<Factor>,
}

/// A phone with an app, and a sheet of recovery codes.
struct Factor {
    shared: Shared,
    /// Those that were not used yet.
    recovery: Vec<String>,
}

struct Story<'s> {
    app: &'s App,
    clock: &'s FixedClock,
    worker: Worker,
    hash: PasswordHash,
    addresses: u8,
    callers: BTreeMap<&'static str, Caller>,
    /// From where the owner's account was used, and by which cookie each browser is known.
    shared: Vec<(IpAddr, Option<TokenHash>)>,
    agenda: VecDeque<(Timestamp, Step)>,
}

impl Story<'_> {
    fn live(&mut self, now: Timestamp) -> Result<()> {
        let [owner, joined @ ..] = people::ACTIVE;
        let (ingrid, priya) = (owner.email, people::DISABLED.email);
        self.import(None)?;
        self.found(&owner)?;
        self.decide(ingrid, Level::Recommended)?;
        self.present(ingrid, &year::details())?;

        for day in (1..=8).rev() {
            self.go(now.minus(20 * DAY + day * DAY).minus(day * 23 * MINUTE))?;
            self.sign_in(priya)?;
        }
        self.go(now.minus(20 * DAY))?;
        self.disable(ingrid, priya)?;
        for day in (2..=19).rev() {
            self.go(now.minus(day * DAY).plus(day * 11 * MINUTE))?;
            self.sign_in(ingrid)?;
        }

        self.go(now.minus(30 * HOUR))?;
        self.invite(ingrid, people::EXPIRED)?;
        // Five hours are left of its link, and stay five for a while.
        self.go(now.minus(18 * HOUR + 5 * MINUTE))?;
        self.invite(ingrid, people::PENDING)?;
        // The background thread notices that the older of the two has run out.
        self.go(now.minus(6 * HOUR))?;

        let first = now.minus(STEP * 14);
        // Required from today on: everybody's grace begins now, and nobody who looks around lands on the set-up.
        self.go(first.minus(STEP))?;
        self.decide(ingrid, Level::Required)?;
        // An Admin, who joins first, may invite whomever an Admin may be.
        let admin = joined.first().map_or(ingrid, |first| first.email);
        for (person, step) in joined.iter().zip(0..) {
            self.go(first.plus(STEP * step))?;
            let by = if step == 0 { ingrid } else { admin };
            self.join(by, person)?;
            if people::WITH_TWO_FACTOR.contains(&person.email) {
                self.enrol(person.email)?;
            }
            self.give(admin, person.email)?;
            for (after, who, with) in people::RETURNS {
                if after == person.email && self.callers.contains_key(who) {
                    self.clock.travel(3 * MINUTE);
                    self.sign_in_with(who, with)?;
                }
            }
        }
        self.go(now.minus(12 * MINUTE))?;
        self.sign_in(admin)?;
        self.go(now)
    }

    /// Moves the clock forward through what happens on the way, and lets the background thread do what it does in that
    /// time.
    fn go(&mut self, to: Timestamp) -> Result<()> {
        while let Some((at, step)) = self.agenda.pop_front_if(|(at, _)| *at <= to) {
            self.reach(at);
            self.take(step)?;
        }
        self.reach(to);
        Ok(())
    }

    fn reach(&mut self, to: Timestamp) {
        self.work();
        self.clock.travel(to.since(self.clock.now()).max(0));
        self.work();
    }

    fn take(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Month => Ok(()),
            Step::Pay(month, place) => self.pay(month, place),
            Step::Deed(deed) => self.act(deed),
            Step::Try(one) => self.attempt(one),
        }
    }

    /// Somebody tries the owner's account, as its sign-in form does.
    fn attempt(&mut self, one: Try) -> Result<()> {
        let owner = self.caller(INGRID)?.account;
        let account = self.account(|read| Ok(accounts::find(read, owner)?))?;
        let browser = match one {
            Try::Right(browser) | Try::Wrong(browser) => Some(browser),
            Try::Guess => None,
        };
        let Some(browser) = browser else {
            return self.fail(&account, GUESSER);
        };
        while self.shared.len() <= browser {
            let address = self.address();
            self.shared.push((address, None));
        }
        let agent = people::SHARED_WITH.get(browser).copied();
        let (Some((address, device)), Some(agent)) = (self.shared.get(browser).copied(), agent)
        else {
            return Ok(());
        };
        if let Try::Wrong(_) = one {
            return self.fail(&account, address);
        }
        let opened = self.open(&account, (device, None), (agent, address))?;
        if let (Some(new), Some(shared)) = (opened.device, self.shared.get_mut(browser)) {
            shared.1 = Some(new.hash());
        }
        Ok(())
    }

    /// A wrong password, from there.
    fn fail(&self, account: &Account, address: IpAddr) -> Result<()> {
        let email = account.address()?;
        let event = Event::of(account.organisation, Action::SignInFailed).on(account.id, &email);
        self.app
            .refuse(self.app.now(), &self.stranger(address)?, &event)
    }

    fn act(&mut self, deed: Deed) -> Result<()> {
        match deed {
            Deed::Join(person) => self.join(INGRID, person),
            Deed::Leave(who) => self.delete(INGRID, who),
            Deed::Reprice => self.import(Some(Month::of(self.app.now()).next().start())),
            Deed::Create(by, name, plan, note) => self.create(by, name, plan, note),
            Deed::Rename(by, name, to) => self.resource(by, name, |tx, allowed, one| {
                resources::describe(tx, allowed, one.id, (&parse(to)?, &one.note))
            }),
            Deed::Plan(by, name, plan) => self.resource(by, name, |tx, allowed, one| {
                resources::change_plan(tx, allowed, one.id, plan)
            }),
            Deed::Hand(by, name, to) => self.hand_over(by, name, to),
            Deed::Take(from, but) => {
                let from = self.caller(from)?.account;
                let held = self.app.read(self.app.now(), |read| {
                    Ok(resources::held(
                        read,
                        self.caller(INGRID)?.scope.organisation,
                        from,
                    )?)
                })?;
                for one in held {
                    if !but.contains(&one.name.as_str()) {
                        self.hand_over(INGRID, one.name.as_str(), INGRID)?;
                    }
                }
                Ok(())
            }
            Deed::End(by, name) => self.resource(by, name, |tx, allowed, one| {
                resources::end(tx, allowed, one.id).map(Some)
            }),
            Deed::Contact(who) => {
                let contact = who.map(|who| Ok::<_, Error>(self.caller(who)?.account));
                let details = Details {
                    contact: contact.transpose()?,
                    ..year::details()
                };
                self.present(INGRID, &details)
            }
            Deed::Budget(budget) => self.with(INGRID, |story, caller| {
                let allowed = story.allowed(caller)?;
                story.write_if(|tx| billing::set_budget(tx, &allowed, Some(budget)))
            }),
        }
    }

    fn caller(&self, who: &str) -> Result<&Caller> {
        self.callers.get(who).ok_or_else(|| absent(who))
    }

    /// Lets somebody act who is there.
    fn with<T>(
        &mut self,
        who: &str,
        act: impl FnOnce(&mut Self, &mut Caller) -> Result<T>,
    ) -> Result<T> {
        let (email, mut caller) = self.callers.remove_entry(who).ok_or_else(|| absent(who))?;
        let done = act(self, &mut caller);
        self.callers.insert(email, caller);
        done
    }

    /// Their right, if they have it.
    fn allowed<R: Right>(&mut self, caller: &mut Caller) -> Result<Allowed<R>> {
        let by = self.by(caller)?;
        Allowed::to(&caller.scope, &by)
    }

    fn import(&mut self, repriced: Option<Timestamp>) -> Result<()> {
        let file = year::catalogue(parse("EUR")?, repriced);
        self.write_if(|tx| {
            let imported = catalogue::import(tx, &By::operator(), &file)?;
            Ok(imported.map(|audited| audited.map(drop)))
        })
    }

    /// What stands on the organisation's invoices from here on.
    fn present(&mut self, who: &str, details: &Details) -> Result<()> {
        self.with(who, |story, caller| {
            let allowed = story.allowed(caller)?;
            story.write_if(|tx| billing::set_details(tx, &allowed, details))
        })
    }

    fn create(&mut self, by: &str, name: &str, plan: &str, note: &str) -> Result<()> {
        let new = NewResource {
            name: parse(name)?,
            note: note.to_owned(),
            plan: plan.to_owned(),
        };
        self.with(by, |story, caller| {
            let allowed = story.allowed(caller)?;
            story.write(|tx| resources::create(tx, &allowed, &new))?;
            Ok(())
        })
    }

    /// Does something to the resource that runs under this name.
    fn resource(
        &mut self,
        by: &str,
        name: &str,
        act: impl FnOnce(&Tx<'_>, &Allowed<ManageResources>, Resource) -> Result<Option<Audited<()>>>,
    ) -> Result<()> {
        self.with(by, |story, caller| {
            let allowed: Allowed<ManageResources> = story.allowed(caller)?;
            story.write_if(|tx| {
                let all = resources::all(tx, allowed.organisation())?;
                let is_meant = |one: &Resource| one.ended_at.is_none() && one.name.as_str() == name;
                let one = all.into_iter().find(is_meant).ok_or_else(|| absent(name))?;
                act(tx, &allowed, one)
            })
        })
    }

    fn hand_over(&mut self, by: &str, name: &str, to: &str) -> Result<()> {
        let to = self.caller(to)?.account;
        self.resource(by, name, |tx, allowed, one| {
            resources::hand_over(tx, allowed, one.id, to)
        })
    }

    /// Somebody who has just joined gets what is theirs to look after.
    fn give(&mut self, by: &str, to: &str) -> Result<()> {
        for (who, names) in year::GIVEN {
            for name in names.iter().filter(|_| *who == to) {
                self.hand_over(by, name, to)?;
            }
        }
        if to == year::CONTACT {
            self.act(Deed::Contact(Some(year::CONTACT)))?;
        }
        Ok(())
    }

    /// By whoever pays the bills at the time.
    fn pay(&mut self, month: Month, place: usize) -> Result<()> {
        let who = [year::NORA, INGRID]
            .into_iter()
            .find(|who| self.callers.contains_key(who))
            .unwrap_or(INGRID);
        self.with(who, |story, caller| {
            let allowed: Allowed<ManageBilling> = story.allowed(caller)?;
            story.write_if(|tx| {
                let invoices = billing::invoices(tx, allowed.organisation())?;
                let Some(one) = invoices.iter().find(|one| one.month == month) else {
                    return Ok(None);
                };
                let reference = format!("SEPA {}", 418_207 + place * 1_931);
                billing::mark_paid(tx, &allowed, one.number, &reference)
                    .map(|done| Some(done.map(|_| ())))
            })
        })
    }

    fn write_if(&self, work: impl FnOnce(&Tx<'_>) -> Result<Option<Audited<()>>>) -> Result<()> {
        self.app.write_if(self.app.now(), work)?;
        Ok(())
    }

    fn work(&mut self) {
        while self.worker.tick(self.app) {}
    }

    fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<Audited<T>>) -> Result<T> {
        self.app.write(self.app.now(), work)
    }

    fn stranger(&self, address: IpAddr) -> Result<By> {
        let id = random::bytes::<10>(self.app.random())?;
        Ok(By {
            actor: Actor::Stranger,
            address: Some(address),
            request_id: data_encoding::BASE32_NOPAD.encode(&id).to_lowercase(),
        })
    }

    /// Each from an address of their own, of those that documentation may use (RFC 5737).
    fn address(&mut self) -> IpAddr {
        self.addresses += 1;
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, self.addresses))
    }

    fn found(&mut self, owner: &Person) -> Result<()> {
        let address = self.address();
        let token = self.write(|tx| setup::make_link(tx, &By::system()))?;
        self.clock.travel(3 * MINUTE);
        let founding = Founding {
            organisation: parse(people::ORGANISATION)?,
            time_zone: people::TIME_ZONE.to_owned(),
            name: parse(owner.name)?,
            email: parse(owner.email)?,
            hash: self.hash.clone(),
        };
        let by = self.stranger(address)?;
        self.write(|tx| setup::found(tx, &by, &token, &founding))?;
        self.arrive(owner, address)
    }

    /// Invited, activated and signed in.
    fn join(&mut self, by: &str, person: &Person) -> Result<()> {
        let account = self.invite(by, (person.email, person.role))?;
        self.work();
        self.clock.travel(4 * MINUTE);
        let address = self.address();
        let acceptance = Acceptance {
            name: parse(person.name)?,
            phone: person.phone.map(parse).transpose()?,
            hash: self.hash.clone(),
        };
        let stranger = self.stranger(address)?;
        self.write(|tx| {
            // What the mail's link holds.
            let live = invitations::live(tx, account)?.ok_or(Error::NotFound)?;
            let token = invitations::live_token(tx, tx.keys(), live.id)?;
            let (token, _) = token.ok_or(Error::NotFound)?;
            invitations::accept(tx, &stranger, &token, &acceptance)
        })?;
        self.arrive(person, address)
    }

    fn arrive(&mut self, person: &Person, address: IpAddr) -> Result<()> {
        self.clock.travel(MINUTE);
        let email: Email = parse(person.email)?;
        let account = self.account(|read| Ok(accounts::by_email(read, &email)?))?;
        let opened = self.open(&account, (None, None), (person.agent, address))?;
        let caller = Caller {
            account: account.id,
            device: opened.device.map(|device| device.hash()),
            agent: person.agent,
            address,
            scope: self.scope(&opened.session)?,
            since: self.app.now(),
            factor: None,
        };
        self.callers.insert(person.email, caller);
        Ok(())
    }

    /// Sets up two-factor: the key is shown, and a code of it confirms it.
    fn enrol(&mut self, who: &str) -> Result<()> {
        self.with(who, Self::set_up)
    }

    fn set_up(&mut self, caller: &mut Caller) -> Result<()> {
        let by = self.by(caller)?;
        let who = Enroller::from(&caller.scope);
        let proof = sessions::proof_of(&who, self.app.now()).ok_or(Error::SignInFirst)?;
        self.write(|tx| two_factor::begin(tx, &by, &who, &proof, None))?;
        self.clock.travel(MINUTE);
        let shared = self.app.read(self.app.now(), |read| {
            two_factor::enrolment(read, self.app.keys(), &who)
        })?;
        let shared = shared.ok_or(Error::NotFound)?;
        let (code, place) = (
            self.code(&shared)?,
            self.place(caller.agent, caller.address),
        );
        let (codes, session) = self.write(|tx| {
            let codes = two_factor::confirm(
                tx,
                &by,
                &who,
                Typed {
                    code: &code,
                    wall: tx.now(),
                },
                &place,
            )?;
            let codes = codes.ok_or_else(|| Error::internal("the sample's code is wrong"))?;
            let session = sessions::renew(tx, who.session)?;
            Ok(codes.map(|codes| (codes.shown(), session)))
        })?;
        caller.scope = self.scope(&session)?;
        caller.factor = Some(Factor {
            shared,
            recovery: codes,
        });
        Ok(())
    }

    /// What the app shows now.
    fn code(&self, shared: &Shared) -> Result<Code> {
        let shown = shared.code_at(self.app.now().0).unwrap_or_default();
        Code::typed(&shown).map_err(Error::internal)
    }

    fn place(&self, agent: &str, address: IpAddr) -> Place {
        Place {
            agent: agent.to_owned(),
            address: address.to_string(),
            at: self.app.now().0,
        }
    }

    fn account(
        &self,
        find: impl FnOnce(&crate::kit::db::Read<'_>) -> Result<Option<Account>>,
    ) -> Result<Account> {
        self.app.read(self.app.now(), find)?.ok_or(Error::NotFound)
    }

    /// Signs in, with this code where one is asked for.
    fn open(
        &self,
        account: &Account,
        (device, code): (Option<TokenHash>, Option<&Code>),
        (agent, address): (&str, IpAddr),
    ) -> Result<Opened> {
        let by = self.stranger(address)?;
        let sign_in = SignIn {
            account,
            device,
            agent,
            address,
        };
        let challenge = match self.write(|tx| sessions::enter(tx, &by, &sign_in, Key::Password))? {
            Entered::Full(opened) => return Ok(opened),
            Entered::Half(challenge) => challenge,
        };
        let code = code.ok_or_else(|| Error::internal("the sample asks for a code"))?;
        let (half, judged) = self.app.read(self.app.now(), |read| {
            let half = sessions::find_half(read, &challenge.hash())?.ok_or(Error::NotFound)?;
            let judged = two_factor::judge(
                read,
                self.app.keys(),
                account.id,
                Typed {
                    code,
                    wall: read.now(),
                },
            )?;
            Ok((half, judged))
        })?;
        let Judged::Right(right) = judged else {
            return Err(Error::internal("the sample's code is wrong"));
        };
        let place = self.place(agent, address);
        self.write(|tx| {
            let factor = two_factor::take(tx, &right, &place)?;
            let factor = factor.ok_or_else(|| Error::internal("the sample's code was used"))?;
            sessions::pass(tx, &by, &half, (&factor, Remember::Known), &sign_in)
        })
    }

    fn scope(&self, session: &Token) -> Result<Scope> {
        let lifetimes = self.app.settings.lifetimes;
        let found = self.app.read(self.app.now(), |read| {
            sessions::find(read, &session.hash(), lifetimes)
        })?;
        match found.ok_or(Error::NotFound)?.holder {
            Holder::Full(scope) => Ok(scope),
            Holder::Enrolling(_) | Holder::Half(_) => {
                Err(Error::internal("the sample needs a second factor"))
            }
        }
    }

    fn sign_in(&mut self, who: &str) -> Result<()> {
        self.sign_in_with(who, With::App)
    }

    fn sign_in_with(&mut self, who: &str, with: With) -> Result<()> {
        self.with(who, |story, caller| story.come_back(caller, with))
    }

    fn come_back(&mut self, caller: &mut Caller, with: With) -> Result<()> {
        let account = self.account(|read| Ok(accounts::find(read, caller.account)?))?;
        let code = match (&mut caller.factor, with) {
            (None, _) => None,
            (Some(factor), With::App) => Some(self.code(&factor.shared)?),
            (Some(factor), With::Recovery) => {
                let next = factor.recovery.pop().unwrap_or_default();
                Some(Code::typed(&next).map_err(Error::internal)?)
            }
        };
        let key = (caller.device, code.as_ref());
        let opened = self.open(&account, key, (caller.agent, caller.address))?;
        caller.scope = self.scope(&opened.session)?;
        caller.since = self.app.now();
        Ok(())
    }

    /// Who acts, signed in anew when they were away for long: no session lasts a month.
    fn by(&mut self, caller: &mut Caller) -> Result<By> {
        if self.app.now().since(caller.since) >= HOUR {
            self.come_back(caller, With::App)?;
        }
        Ok(By {
            actor: Actor::Account {
                id: caller.account,
                email: caller.scope.email.clone(),
                session: Some(caller.scope.session),
            },
            ..self.stranger(caller.address)?
        })
    }

    /// What every role is asked for besides the password.
    fn decide(&mut self, who: &str, level: Level) -> Result<()> {
        let policies = Policies::each(|_| Policy {
            level,
            ..Policy::default()
        });
        self.with(who, |story, caller| {
            let allowed = story.allowed(caller)?;
            story.write_if(|tx| settings::set_policies(tx, &allowed, &policies, Trust::Off))
        })
    }

    fn invite(&mut self, who: &str, (email, role): (&str, Role)) -> Result<AccountId> {
        let email = parse(email)?;
        let terms = self.app.settings.terms;
        self.with(who, |story, caller| {
            let allowed = story.allowed(caller)?;
            story.write(|tx| invitations::invite(tx, &allowed, &email, role, terms))
        })
    }

    fn disable(&mut self, who: &str, other: &str) -> Result<()> {
        let other = self.caller(other)?.account;
        self.with(who, |story, caller| {
            let allowed = story.allowed(caller)?;
            story.write(|tx| lifecycle::disable(tx, &allowed, other))?;
            Ok(())
        })
    }

    fn delete(&mut self, who: &str, other: &str) -> Result<()> {
        let other = self.callers.remove(other).ok_or_else(|| absent(other))?;
        self.with(who, |story, caller| {
            let allowed = story.allowed(caller)?;
            story.write(|tx| lifecycle::delete(tx, &allowed, other.account))?;
            Ok(())
        })
    }
}

/// The story names somebody or something that is not there.
fn absent(what: &str) -> Error {
    Error::internal(format!("the sample's {what:?} is not there"))
}

/// A value of ours that the rules must take.
fn parse<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse()
        .map_err(|_| Error::internal(format!("the sample's {text:?} is refused")))
}
