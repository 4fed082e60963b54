//! Two-factor: the secret that an app and the Portal share (RFC 6238), ten recovery codes beside it, and the judgement of
//! what is typed. Owns `factors`, `enrolments` and `recovery_codes`.
//!
//! A code is judged in a read ([`judge`]) and used up in the transaction of what it is for ([`take`]), whose row count
//! decides: of two that arrive together, one is taken. Only [`take`] makes a [`FactorProof`].

pub mod mail;
pub mod pages;
mod sql;
pub mod views;

use crate::accounts::{self, Account};
use crate::audit::{self, Action, Audited, Event};
use crate::domain::code::{Code, RECOVERY_CODES, RecoveryCode};
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::policy::{Asked, Level};
use crate::domain::role::Role;
use crate::error::{Error, Result};
use crate::kit::db::{Read, Tx};
use crate::kit::keys::Keys;
use crate::kit::seal::{self, Place};
use crate::kit::time::{DAY, MINUTE, Timestamp};
use crate::kit::totp::{self, SECRET, Shared};
use crate::organisations;
use crate::outbox::{self, Errand};
use crate::passwords::Proof;
use crate::scope::{By, Enroller};

/// The field into which a code is typed.
pub const CODE_FIELD: &str = "code";
/// How long a secret that was shown waits for its first code.
pub const ENROLMENT_TTL: i64 = 30 * MINUTE;
/// Rows one sweep may touch.
const SWEEP_MAX: i64 = 100;

const fn factor_of(account: AccountId) -> Place {
    Place {
        table: "factors",
        row: account.number(),
    }
}

/// An enrolment is one session's.
const fn enrolment_of(who: &Enroller) -> Place {
    Place {
        table: "enrolments",
        row: who.session.number(),
    }
}

/// The log says which did not open and whose it is: recovery codes still let its person in.
fn open(keys: &Keys, place: Place, whose: AccountId, sealed: &[u8]) -> Result<Shared> {
    let secret = seal::open(keys, place, sealed)
        .map_err(|error| Error::internal(format!("{error}: in {}, of {whose}", place.table)))?;
    let secret: [u8; SECRET] = secret
        .as_slice()
        .try_into()
        .map_err(|_| Error::internal("a sealed secret has another length"))?;
    Ok(Shared::new(secret))
}

fn close(tx: &Tx<'_>, place: Place, shared: &Shared) -> Result<Vec<u8>> {
    let nonce = tx.random()?;
    seal::seal(tx.keys(), place, nonce, shared.reveal())
        .map_err(|error| Error::Internal(Box::new(error)))
}

/// How an account's second factor is, for its person and for whoever looks after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Since when it is on.
    pub since: Timestamp,
    /// When a code was last taken.
    pub used_at: Timestamp,
    /// How many recovery codes are still good.
    pub codes_left: usize,
}

/// It, if there is one.
pub fn state(read: &Read<'_>, account: AccountId) -> Result<Option<State>> {
    let Some(factor) = sql::factor(read, account)? else {
        return Ok(None);
    };
    Ok(Some(State {
        since: factor.created_at,
        used_at: factor.used_at,
        codes_left: sql::recovery_left(read, account)?,
    }))
}

/// What a code is worth, as of this read.
#[derive(Debug)]
pub enum Judged {
    /// It is right, and may be taken.
    Right(Match),
    /// It was right once, and was taken then.
    Used,
    /// It is not right.
    Wrong,
}

/// A code that was right a moment ago, to be taken in the transaction of what it is for. Only [`judge`] makes one.
#[derive(Debug)]
pub struct Match {
    account: AccountId,
    what: What,
}

#[derive(Debug)]
enum What {
    Step(i64),
    Recovery([u8; 32]),
}

/// A code that somebody typed. `wall` is what the machine's clock shows, though it has stepped back: phones go by theirs.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'c> {
    /// The code.
    pub code: &'c Code,
    /// When.
    pub wall: Timestamp,
}

/// What this code is worth for the account. Each call is a guess: whoever asks counts it first.
pub fn judge(read: &Read<'_>, keys: &Keys, account: AccountId, typed: Typed<'_>) -> Result<Judged> {
    let Some(factor) = sql::factor(read, account)? else {
        return Ok(Judged::Wrong);
    };
    let what = match typed.code {
        Code::App(digits) => {
            let shared = open(keys, factor_of(account), account, &factor.sealed)?;
            match shared.step_of(digits.reveal(), typed.wall.0) {
                None => return Ok(Judged::Wrong),
                Some(step) if step <= factor.last_step => return Ok(Judged::Used),
                Some(step) => What::Step(step),
            }
        }
        Code::Recovery(code) => {
            let mac = code.mac(keys, account);
            match sql::recovery(read, account, &mac)? {
                None => return Ok(Judged::Wrong),
                Some(false) => return Ok(Judged::Used),
                Some(true) => What::Recovery(mac),
            }
        }
    };
    Ok(Judged::Right(Match { account, what }))
}

/// Proof that whoever acts has the second factor of this account: a code of it was used up for this. Only [`take`] makes
/// one.
///
/// ```compile_fail
/// // Its fields are private: nobody says so without a code.
/// let forged = doorward::two_factor::FactorProof { account: todo!(), left: None };
/// ```
#[derive(Debug)]
#[must_use]
pub struct FactorProof {
    account: AccountId,
    left: Option<usize>,
}

impl FactorProof {
    /// Whether it is this account's.
    pub fn check(&self, account: AccountId) -> Result<()> {
        if self.account == account {
            Ok(())
        } else {
            Err(Error::internal("a factor of another account"))
        }
    }

    /// How many recovery codes are left, where one was used.
    #[must_use]
    pub const fn recovery_left(&self) -> Option<usize> {
        self.left
    }

    /// Its name in the log.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self.left {
            Some(_) => "recovery",
            None => "code",
        }
    }
}

/// Uses a code up; none when it was used meanwhile. A recovery code is told by mail.
pub fn take(tx: &Tx<'_>, code: &Match, place: &outbox::Place) -> Result<Option<FactorProof>> {
    let account = code.account;
    let left = match &code.what {
        What::Step(step) => {
            if !sql::use_step(tx, account, *step)? {
                return Ok(None);
            }
            None
        }
        What::Recovery(mac) => {
            if !sql::use_recovery(tx, account, mac)? {
                return Ok(None);
            }
            let left = sql::recovery_left(tx, account)?;
            let to = accounts::find(tx, account)?
                .ok_or(Error::NotFound)?
                .recipient()?;
            let errand = Errand::RecoveryUsed(place.clone(), left);
            outbox::enqueue(tx, &to, &errand, None)?;
            Some(left)
        }
    };
    Ok(Some(FactorProof { account, left }))
}

/// Begins to set up: a secret is made for this session, to be shown until it is confirmed. Where there is a factor
/// already, whoever acts has shown a code of it (`old`), and the new one takes its place.
pub fn begin(
    tx: &Tx<'_>,
    by: &By,
    who: &Enroller,
    proof: &Proof,
    old: Option<&FactorProof>,
) -> Result<Audited<()>> {
    proof.check(who.account)?;
    let account = current(tx, who)?;
    match old {
        Some(old) => old.check(who.account)?,
        None if account.has_two_factor => return Err(on_already()),
        None => {}
    }
    let shared = Shared::new(tx.random()?);
    let enrolment = sql::Enrolment {
        sealed: close(tx, enrolment_of(who), &shared)?,
        replaces: old.is_some(),
    };
    sql::set_enrolment(tx, who, &enrolment, tx.now().plus(ENROLMENT_TTL))?;
    let event = Event::of(who.organisation, Action::TwoFactorBegun)
        .on(who.account, &who.email)
        .with("replaces", enrolment.replaces);
    audit::record(tx, by, &event, ())
}

fn on_already() -> Error {
    Error::Refused(
        "2-step verification is on already: it was enabled in another window. Your Account page shows it."
            .to_owned(),
    )
}

/// The secret that waits for its first code in this session; none when none was begun, or its time is over.
pub fn enrolment(read: &Read<'_>, keys: &Keys, who: &Enroller) -> Result<Option<Shared>> {
    match sql::enrolment(read, who.session)? {
        Some(enrolment) => Ok(Some(open(
            keys,
            enrolment_of(who),
            who.account,
            &enrolment.sealed,
        )?)),
        None => Ok(None),
    }
}

/// Recovery codes, to be shown once.
#[derive(Debug)]
pub struct Codes(Vec<RecoveryCode>);

impl Codes {
    /// As they are shown.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        self.0.iter().map(RecoveryCode::shown).collect()
    }
}

/// Confirms the secret with a code of the app: from here on sign-in asks for one. Every session ends; the one that did it
/// goes on under a new cookie, which is for whoever composes the deed. None when the code is not right.
pub fn confirm(
    tx: &Tx<'_>,
    by: &By,
    who: &Enroller,
    typed: Typed<'_>,
    place: &outbox::Place,
) -> Result<Option<Audited<Codes>>> {
    let account = current(tx, who)?;
    let Some(enrolment) = sql::enrolment(tx, who.session)? else {
        let sentence = if account.has_two_factor {
            "No key waits for a code: it was confirmed already, or it is older than 30 minutes. The phone that is on is \
             the one below."
        } else {
            "The key that was shown is too old. Begin again, and scan the new one."
        };
        return Err(Error::Refused(sentence.to_owned()));
    };
    if account.has_two_factor && !enrolment.replaces {
        return Err(on_already());
    }
    let shared = open(tx.keys(), enrolment_of(who), who.account, &enrolment.sealed)?;
    let Code::App(digits) = typed.code else {
        return Ok(None);
    };
    let Some(step) = shared.step_of(digits.reveal(), typed.wall.0) else {
        return Ok(None);
    };
    let sealed = close(tx, factor_of(account.id), &shared)?;
    sql::set_factor(tx, who, &sealed, step)?;
    let codes = new_codes(tx, &account)?;
    sql::drop_enrolments(tx, account.id)?;
    accounts::gain_factor(tx, account.id)?;
    accounts::raise_epoch(tx, account.id)?;
    let errand = Errand::TwoFactorOn {
        place: place.clone(),
        replaced: enrolment.replaces,
    };
    outbox::enqueue(tx, &account.recipient()?, &errand, None)?;
    let event = Event::of(account.organisation, Action::TwoFactorOn)
        .on(account.id, &who.email)
        .with("replaced", enrolment.replaces);
    Ok(Some(audit::record(tx, by, &event, codes)?))
}

/// Ten codes, in place of the older ones.
fn new_codes(tx: &Tx<'_>, account: &Account) -> Result<Codes> {
    sql::drop_recovery(tx, account.id)?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let code = RecoveryCode::new(tx)?;
        let mac = code.mac(tx.keys(), account.id);
        sql::insert_recovery(tx, (account.organisation, account.id), &mac)?;
        codes.push(code);
    }
    Ok(Codes(codes))
}

/// Makes new recovery codes; the older ones are dead.
pub fn renew_codes(
    tx: &Tx<'_>,
    by: &By,
    who: &Enroller,
    proof: &Proof,
    place: &outbox::Place,
) -> Result<Audited<Codes>> {
    proof.check(who.account)?;
    let account = current(tx, who)?;
    if !account.has_two_factor {
        return Err(off_already());
    }
    let codes = new_codes(tx, &account)?;
    let errand = Errand::CodesRenewed(place.clone());
    outbox::enqueue(tx, &account.recipient()?, &errand, None)?;
    let event =
        Event::of(account.organisation, Action::RecoveryCodesRenewed).on(account.id, &who.email);
    audit::record(tx, by, &event, codes)
}

fn off_already() -> Error {
    Error::Refused(
        "2-step verification is off. Your Account page shows how to enable it.".to_owned(),
    )
}

/// Takes one's own factor away, with a code of it. Every session ends; see [`confirm`]. Refused while the policy requires
/// one: that is for whoever asks to have looked at.
pub fn disable(
    tx: &Tx<'_>,
    by: &By,
    who: &Enroller,
    (proof, factor): (&Proof, &FactorProof),
    place: &outbox::Place,
) -> Result<Audited<()>> {
    proof.check(who.account)?;
    factor.check(who.account)?;
    let account = current(tx, who)?;
    if !account.has_two_factor {
        return Err(off_already());
    }
    check_optional(tx, &account)?;
    drop_all(tx, account.id)?;
    accounts::raise_epoch(tx, account.id)?;
    let errand = Errand::TwoFactorOff(place.clone());
    outbox::enqueue(tx, &account.recipient()?, &errand, None)?;
    let event = Event::of(account.organisation, Action::TwoFactorOff).on(account.id, &who.email);
    audit::record(tx, by, &event, ())
}

/// Whether the policy lets this account be without one.
pub fn check_optional(read: &Read<'_>, account: &Account) -> Result<()> {
    let policies = organisations::policies(read, account.organisation)?;
    if policies.of(account.role).level == Level::Required {
        return Err(Error::Refused(format!(
            "Your organisation requires two-factor for {}: it cannot be turned off. Move it to another phone instead.",
            account.role
        )));
    }
    Ok(())
}

/// What is asked of an account that has no second factor.
pub fn asked(read: &Read<'_>, account: &Account) -> Result<Asked> {
    let policies = organisations::policies(read, account.organisation)?;
    let Some(began) = sql::grace_began(read, account.id)? else {
        return Ok(Asked::Nothing);
    };
    Ok(policies.of(account.role).asks(began))
}

/// Active accounts of one role that have no second factor, and when their grace began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Without {
    /// The role.
    pub role: Role,
    /// How many.
    pub count: i64,
    /// When the first of these graces began.
    pub first: Timestamp,
    /// When the last did.
    pub last: Timestamp,
}

/// Who has none, by role; roles in which everybody has one are left out.
pub fn without(read: &Read<'_>, organisation: OrganisationId) -> Result<Vec<Without>> {
    Ok(sql::without(read, organisation)?)
}

/// Active accounts of these roles that have no second factor, by name; at most so many.
pub fn met(
    read: &Read<'_>,
    organisation: OrganisationId,
    roles: &[Role],
    rows: i64,
) -> Result<Vec<Account>> {
    let mut met = Vec::new();
    for role in roles {
        for id in sql::without_of(read, organisation, *role, rows)? {
            met.extend(accounts::find_in(read, organisation, id)?);
        }
    }
    met.sort_by_key(|account| account.label().to_lowercase());
    met.truncate(usize::try_from(rows).unwrap_or_default());
    Ok(met)
}

/// How long before the end of grace its person is reminded.
pub const REMINDER: i64 = 2 * DAY;

/// Somebody to be reminded of the end of their grace.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    account: AccountId,
    end: Timestamp,
}

/// Whose grace ends within two days and who was not reminded of that end; at most so many.
pub fn due(read: &Read<'_>, rows: i64) -> Result<Vec<Due>> {
    Ok(sql::due(read, rows)?)
}

/// Owes them the reminder, once for each end of grace. Looked at again: they may have set it up meanwhile.
pub fn remind(tx: &Tx<'_>, due: &Due) -> Result<()> {
    let Some(account) = accounts::find(tx, due.account)? else {
        return Ok(());
    };
    let still_holds = account.status == accounts::Status::Active
        && !account.has_two_factor
        && asked(tx, &account)? == Asked::By(due.end);
    if still_holds && accounts::reminded(tx, account.id, due.end)? {
        let errand = Errand::GraceEnds(due.end);
        outbox::enqueue(tx, &account.recipient()?, &errand, Some(due.end))?;
    }
    Ok(())
}

/// Another takes the factor away: grace begins anew, and the person is told. Whether whoever acts may do it, and that
/// every session ends, is for whoever composes the deed.
pub fn reset(tx: &Tx<'_>, by: &By, account: &Account) -> Result<Audited<()>> {
    drop_all(tx, account.id)?;
    accounts::factor_was_reset(tx, account.id)?;
    let errand = Errand::TwoFactorReset(by.account());
    outbox::enqueue(tx, &account.recipient()?, &errand, None)?;
    let event =
        Event::of(account.organisation, Action::TwoFactorReset).on(account.id, account.address()?);
    audit::record(tx, by, &event, ())
}

/// The account was deleted: its secret and its codes go.
pub fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    drop_all(tx, account)
}

fn drop_all(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    sql::drop_factor(tx, account)?;
    sql::drop_recovery(tx, account)?;
    sql::drop_enrolments(tx, account)?;
    accounts::lose_factor(tx, account)
}

/// A recovery code that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedCode {
    account: AccountId,
    mac: [u8; 32],
    at: Timestamp,
}

/// The recovery codes that are used up, of everybody.
pub fn used_codes(read: &Read<'_>) -> Result<Vec<UsedCode>> {
    Ok(sql::used_codes(read)?)
}

/// The file is of the past: codes that an app has shown until now are closed, secrets that nobody confirmed are gone, and
/// recovery codes that are known to be used stay used.
pub fn close_the_past(tx: &Tx<'_>, used: &[UsedCode]) -> Result<()> {
    // The latest step whose code can have been taken: the one after the present, by a clock that is ahead.
    sql::close_until(tx, tx.now().0.div_euclid(totp::STEP) + 1)?;
    used.iter().try_for_each(|code| sql::use_up(tx, code))?;
    Ok(())
}

/// Whoever would be reminded now was reminded already, in the time that is gone.
pub fn pass_over_due(tx: &Tx<'_>) -> Result<()> {
    loop {
        let due = sql::due(tx, SWEEP_MAX)?;
        let mut is_any = false;
        for one in &due {
            is_any |= accounts::reminded(tx, one.account, one.end)?;
        }
        if !is_any {
            return Ok(());
        }
    }
}

/// Every second factor of the install is void: their key is gone.
pub fn void_all(tx: &Tx<'_>) -> Result<()> {
    sql::void_all(tx)?;
    accounts::void_two_factor(tx)
}

/// Forgets secrets that nobody confirmed; at most 100.
pub fn sweep(tx: &Tx<'_>) -> Result<usize> {
    Ok(sql::sweep(tx, SWEEP_MAX)?)
}

/// Whoever acts, as the file has them now.
fn current(read: &Read<'_>, who: &Enroller) -> Result<Account> {
    accounts::find_in(read, who.organisation, who.account)?
        .filter(|account| account.status == accounts::Status::Active)
        .ok_or(Error::SignInFirst)
}
