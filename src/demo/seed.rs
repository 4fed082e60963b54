//! How the sample came about: a month of it, lived through in order with a clock that is moved by hand.

use std::net::{IpAddr, Ipv4Addr};

use super::people::{self, Person, With};
use crate::accounts::{self, Account};
use crate::app::App;
use crate::audit::Audited;
use crate::domain::code::Code;
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
use crate::kit::totp::Shared;
use crate::lifecycle;
use crate::outbox::Place;
use crate::passwords::PasswordHash;
use crate::scope::{Actor, Allowed, By, Enroller, Holder, Scope};
use crate::sessions::{self, Entered, Key, Opened, Remember, SignIn};
use crate::settings;
use crate::setup::{self, Founding};
use crate::two_factor::{self, Judged, Typed};
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
        let mut callers: Vec<Caller> = Vec::new();
        for (person, step) in joined.iter().zip(0..) {
            self.go(first.plus(STEP * step));
            // An Admin, who joins first, may invite whomever an Admin may be.
            let by = callers.first_mut().unwrap_or(&mut ingrid);
            let mut caller = self.join(by, person)?;
            if people::WITH_TWO_FACTOR.contains(&person.email) {
                self.enrol(&mut caller)?;
            }
            callers.push(caller);
            for (after, who, with) in people::RETURNS {
                let back = callers
                    .iter_mut()
                    .find(|caller| caller.scope.email.as_str() == who);
                if let Some(back) = back.filter(|_| after == person.email) {
                    self.clock.travel(3 * MINUTE);
                    self.sign_in_with(back, with)?;
                }
            }
        }
        if let Some(tomasz) = callers.first_mut() {
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
        let opened = self.open(&account, (None, None), (person.agent, address))?;
        Ok(Caller {
            account: account.id,
            device: opened.device.map(|device| device.hash()),
            agent: person.agent,
            address,
            scope: self.scope(&opened.session)?,
            since: self.app.now(),
            factor: None,
        })
    }

    /// Sets up two-factor: the key is shown, and a code of it confirms it.
    fn enrol(&mut self, caller: &mut Caller) -> Result<()> {
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

    fn sign_in(&mut self, caller: &mut Caller) -> Result<()> {
        self.sign_in_with(caller, With::App)
    }

    fn sign_in_with(&mut self, caller: &mut Caller, with: With) -> Result<()> {
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
