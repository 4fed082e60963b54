//! How the sample came about: a month of it, lived through in order with a clock that is moved by hand.

use std::net::{IpAddr, Ipv4Addr};

use super::people::{self, Person};
use crate::accounts::{self, Account};
use crate::app::App;
use crate::audit::Audited;
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::policy::{Level, Policies, Policy, Trust};
use crate::domain::role::Role;
use crate::domain::token::{Token, TokenHash};
use crate::error::{Error, Result};
use crate::invitations::{self, Acceptance};
use crate::kit::db::Tx;
use crate::kit::random;
use crate::kit::time::{Clock, DAY, FixedClock, HOUR, MINUTE, Timestamp};
use crate::lifecycle;
use crate::passwords::PasswordHash;
use crate::scope::{Actor, Allowed, By, Holder, Scope};
use crate::sessions::{self, Entered, Key, SignIn};
use crate::settings;
use crate::setup::{self, Founding};
use crate::worker::Worker;

/// How long the organisation has been there.
const AGE: i64 = 30 * DAY;
/// From one person of today to the next.
const STEP: i64 = 17 * MINUTE;

/// When it all began.
pub(super) const fn beginning(now: Timestamp) -> Timestamp {
    now.minus(AGE)
}

/// Lives through the month up to `now`. The clock stands at [`beginning`].
pub(super) fn seed(app: &App, clock: &FixedClock, now: Timestamp) -> Result<()> {
    let hash = app.hasher.hash(people::PASSWORD.as_bytes(), app.random())?;
    let mut story = Story {
        app,
        clock,
        worker: Worker::begin(app)?,
        // One hash for all: hashing seventeen times would only make people wait.
        hash: PasswordHash::new(hash),
        callers: 0,
    };
    story.live(now)
}

/// Somebody at a browser that knows them.
struct Caller {
    account: AccountId,
    device: Option<TokenHash>,
    agent: &'static str,
    address: IpAddr,
    scope: Scope,
    since: Timestamp,
}

struct Story<'s> {
    app: &'s App,
    clock: &'s FixedClock,
    worker: Worker,
    hash: PasswordHash,
    callers: u8,
}

impl Story<'_> {
    fn live(&mut self, now: Timestamp) -> Result<()> {
        let [owner, joined @ ..] = people::ACTIVE;
        let mut ingrid = self.found(&owner)?;
        self.decide(&mut ingrid, Level::Recommended)?;

        self.go(beginning(now).plus(2 * DAY));
        let mut priya = self.join(&mut ingrid, &people::DISABLED)?;
        for day in (1..=8).rev() {
            self.go(now.minus(20 * DAY + day * DAY).minus(day * 23 * MINUTE));
            self.sign_in(&mut priya)?;
        }
        self.go(now.minus(20 * DAY));
        self.disable(&mut ingrid, &priya)?;
        for day in (2..=19).rev() {
            self.go(now.minus(day * DAY).plus(day * 11 * MINUTE));
            self.sign_in(&mut ingrid)?;
        }

        self.go(now.minus(30 * HOUR));
        self.invite(&mut ingrid, people::EXPIRED)?;
        // Five hours are left of its link, and stay five for a while.
        self.go(now.minus(18 * HOUR + 5 * MINUTE));
        self.invite(&mut ingrid, people::PENDING)?;
        // The background thread notices that the older of the two has run out.
        self.go(now.minus(6 * HOUR));

        let first = now.minus(STEP * 14);
        // Required from today on: everybody's grace begins now, and nobody who looks around lands on the set-up.
        self.go(first.minus(STEP));
        self.decide(&mut ingrid, Level::Required)?;
        let mut tomasz = None;
        for (person, step) in joined.iter().zip(0..) {
            self.go(first.plus(STEP * step));
            // An Admin may invite whomever an Admin may be.
            let by = tomasz.as_mut().unwrap_or(&mut ingrid);
            let caller = self.join(by, person)?;
            tomasz.get_or_insert(caller);
        }
        if let Some(tomasz) = &mut tomasz {
            self.go(now.minus(12 * MINUTE));
            self.sign_in(tomasz)?;
        }
        self.go(now);
        Ok(())
    }

    /// Moves the clock forward, and lets the background thread do what it does in that time.
    fn go(&mut self, to: Timestamp) {
        self.work();
        self.clock.travel(to.since(self.clock.now()));
        self.work();
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
        self.callers += 1;
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, self.callers))
    }

    fn found(&mut self, owner: &Person) -> Result<Caller> {
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
    fn join(&mut self, by: &mut Caller, person: &Person) -> Result<Caller> {
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

    fn arrive(&mut self, person: &Person, address: IpAddr) -> Result<Caller> {
        self.clock.travel(MINUTE);
        let email: Email = parse(person.email)?;
        let account = self.account(|read| Ok(accounts::by_email(read, &email)?))?;
        let (session, device) = self.open(&account, None, person.agent, address)?;
        Ok(Caller {
            account: account.id,
            device: device.map(|device| device.hash()),
            agent: person.agent,
            address,
            scope: self.scope(&session)?,
            since: self.app.now(),
        })
    }

    fn account(
        &self,
        find: impl FnOnce(&crate::kit::db::Read<'_>) -> Result<Option<Account>>,
    ) -> Result<Account> {
        self.app.read(self.app.now(), find)?.ok_or(Error::NotFound)
    }

    fn open(
        &self,
        account: &Account,
        device: Option<TokenHash>,
        agent: &str,
        address: IpAddr,
    ) -> Result<(Token, Option<Token>)> {
        let by = self.stranger(address)?;
        let sign_in = SignIn {
            account,
            device,
            agent,
            address,
        };
        match self.write(|tx| sessions::enter(tx, &by, &sign_in, Key::Password))? {
            Entered::Full(opened) => Ok((opened.session, opened.device)),
            Entered::Half(_) => Err(Error::internal("the sample asks for a code")),
        }
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

    fn sign_in(&mut self, caller: &mut Caller) -> Result<()> {
        let account = self.account(|read| Ok(accounts::find(read, caller.account)?))?;
        let (session, _) = self.open(&account, caller.device, caller.agent, caller.address)?;
        caller.scope = self.scope(&session)?;
        caller.since = self.app.now();
        Ok(())
    }

    /// Who acts, signed in anew when they were away for long: no session lasts a month.
    fn by(&mut self, caller: &mut Caller) -> Result<By> {
        if self.app.now().since(caller.since) >= HOUR {
            self.sign_in(caller)?;
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
    fn decide(&mut self, caller: &mut Caller, level: Level) -> Result<()> {
        let by = self.by(caller)?;
        let allowed = Allowed::to(&caller.scope, &by)?;
        let policies = Policies::each(|_| Policy {
            level,
            ..Policy::default()
        });
        let app = self.app;
        app.write_if(app.now(), |tx| {
            settings::set_policies(tx, &allowed, &policies, Trust::Off)
        })?;
        Ok(())
    }

    fn invite(&mut self, caller: &mut Caller, (email, role): (&str, Role)) -> Result<AccountId> {
        let by = self.by(caller)?;
        let allowed = Allowed::to(&caller.scope, &by)?;
        let email = parse(email)?;
        let terms = self.app.settings.terms;
        self.write(|tx| invitations::invite(tx, &allowed, &email, role, terms))
    }

    fn disable(&mut self, caller: &mut Caller, other: &Caller) -> Result<()> {
        let by = self.by(caller)?;
        let allowed = Allowed::to(&caller.scope, &by)?;
        self.write(|tx| {
            let done = lifecycle::disable(tx, &allowed, other.account)?;
            Ok(done.map(|_| ()))
        })
    }
}

/// A value of ours that the rules must take.
fn parse<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse()
        .map_err(|_| Error::internal(format!("the sample's {text:?} is refused")))
}
