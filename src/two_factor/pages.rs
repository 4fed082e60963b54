//! The second step of signing in, the set-up of a second factor, and what its person does with it later.
//!
//! Every code that is typed goes through [`spend`]: it counts the guess before it is judged, and uses a right code up in
//! the transaction of what it is for.

use maud::Markup;

use super::views::{self, Given, Onward, Phone, Section, TRUST_FIELD, Waiting, Way};
use super::{CODE_FIELD, Codes, Judged, State};
use crate::accounts;
use crate::audit::{Action, Audited, Event};
use crate::domain::code::Code;
use crate::domain::email::Email;
use crate::domain::id::AccountId;
use crate::domain::policy::{Protection, Trust};
use crate::error::{Error, Result};
use crate::kit::dates::clock;
use crate::kit::db::Tx;
use crate::kit::http::fields::{Fields, encode};
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::kit::qr::Scan;
use crate::kit::throttle::Subject;
use crate::kit::totp::Shared;
use crate::layout::{self, Exit, Page, Place};
use crate::metrics;
use crate::passwords;
use crate::routes::Route;
use crate::scope::{Enroller, Half};
use crate::sessions::pages::{
    asked, asked_beside_code, local, place, prove, prove_beside_code, signed_in_at, signing_in,
};
use crate::sessions::views::PROOF_FIELD;
use crate::sessions::{self, Remember};
use crate::two_factor::{self, FactorProof, Typed};
use crate::visit::Visit;

/// Which of the two ways the page of the second step shows.
const WITH_FIELD: &str = "with";

/// Why a code was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not right.
    Wrong,
    /// It was right, and was used before.
    Used,
}

impl Why {
    /// In words, with what to do now: a phone whose clock is off shows codes that are never right.
    #[must_use]
    pub fn sentence(self, visit: &Visit<'_>, code: &Code) -> String {
        match (self, code) {
            (Self::Wrong, Code::App(_)) => format!(
                "That code is not right. Check the phone's clock: this server's time is {}.",
                clock(visit.now, &visit.zone())
            ),
            (Self::Wrong, Code::Recovery(_)) => {
                "That is none of your recovery codes. Codes of an older list are dead.".to_owned()
            }
            (Self::Used, Code::App(_)) => {
                "That code was used already. Wait until the app shows the next one.".to_owned()
            }
            (Self::Used, Code::Recovery(_)) => {
                "That recovery code was used already. Each is good for once: take another."
                    .to_owned()
            }
        }
    }
}

/// Judges a code for this account, and does `work` with it in one transaction. The guess is counted first, for the account
/// wherever it comes from; over the limit nothing is judged.
pub fn spend<T>(
    visit: &Visit<'_>,
    (account, email): (AccountId, &Email),
    code: &Code,
    work: impl FnOnce(&Tx<'_>, &FactorProof) -> Result<Audited<T>>,
) -> Result<std::result::Result<T, Why>> {
    let factor = match code {
        Code::App(_) => metrics::Factor::Totp,
        Code::Recovery(_) => metrics::Factor::Recovery,
    };
    let count = |result| visit.app.metrics.typed(factor, result);
    let key = passwords::throttle_key(visit.app.keys(), email);
    let failed = |action| failure(visit, action, (account, email));
    let permit = match visit.app.throttle.take(&[Subject::Code(key)], visit.now) {
        Ok(permit) => permit,
        Err(wait) => {
            count(metrics::Code::Throttled);
            failed(Action::CodeThrottled)?;
            return Err(Error::too_many(wait.seconds));
        }
    };
    let keys = visit.app.keys();
    let wall = visit.app.wall();
    let matched =
        match visit.read(|read| two_factor::judge(read, keys, account, Typed { code, wall })) {
            Ok(Judged::Right(matched)) => matched,
            Ok(Judged::Wrong) => {
                count(metrics::Code::BadCode);
                failed(Action::CodeFailed)?;
                return Ok(Err(Why::Wrong));
            }
            Ok(Judged::Used) => {
                count(metrics::Code::BadCode);
                failed(Action::CodeFailed)?;
                return Ok(Err(Why::Used));
            }
            Err(error) => {
                permit.not_judged();
                return Err(error);
            }
        };
    let place = place(visit);
    let done = visit.write_if(|tx| match two_factor::take(tx, &matched, &place)? {
        Some(factor) => work(tx, &factor).map(Some),
        None => Ok(None),
    });
    match done {
        Ok(Some(done)) => {
            count(metrics::Code::Ok);
            permit.succeeded();
            Ok(Ok(done))
        }
        // Somebody was faster with the same code.
        Ok(None) => {
            count(metrics::Code::BadCode);
            failed(Action::CodeFailed)?;
            Ok(Err(Why::Used))
        }
        Err(error) => {
            permit.not_judged();
            Err(error)
        }
    }
}

fn failure(visit: &Visit<'_>, action: Action, (account, email): (AccountId, &Email)) -> Result<()> {
    let of = visit.read(|read| accounts::find(read, account).map_err(Error::from))?;
    let organisation = of.ok_or(Error::SignInFirst)?.organisation;
    let event = Event::of(organisation, action).on(account, email);
    visit.app.refuse(visit.now, &visit.by(), &event)
}

/// The page that asks for the code.
pub fn ask(visit: &Visit<'_>) -> Result<Response> {
    let next = visit.query("next").and_then(|next| local(&next));
    let way = Way::of(visit.query(WITH_FIELD).as_deref());
    draw_step(visit, 200, next.as_deref(), (way, &Form::default(), None))
}

fn draw_step(
    visit: &Visit<'_>,
    status: u16,
    next: Option<&str>,
    (way, form, problem): (Way, &Form, Option<&str>),
) -> Result<Response> {
    let half = half(visit)?;
    let step = views::Step {
        way,
        next,
        trust: half.trust,
        form,
        problem,
    };
    let page = Page::new("Enter the code", Place::Elsewhere)
        .with_errors(form.has_problems() || problem.is_some());
    layout::page(visit, status, &page, &views::step(&step, &visit.csrf()))
}

fn half<'v>(visit: &'v Visit<'_>) -> Result<&'v Half> {
    visit.half().ok_or(Error::SignInFirst)
}

/// The second step: a right code signs in.
pub fn pass(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&[CODE_FIELD, TRUST_FIELD, WITH_FIELD, "next"])?;
    let half = half(visit)?;
    let next = local(form.typed("next"));
    let way = Way::of(Some(form.typed(WITH_FIELD)));
    let remember = match form.typed(TRUST_FIELD) {
        "" => Remember::Known,
        "yes" if half.trust == Trust::Offered => Remember::Trusted,
        "yes" => Remember::Known,
        _ => return Err(Error::Malformed("A tick sends yes, or nothing.")),
    };
    let Some(code) = form.check(CODE_FIELD, Code::typed) else {
        return draw_step(visit, 422, next.as_deref(), (way, &form, None));
    };
    let account = visit
        .read(|read| Ok(accounts::find(read, half.account)?))?
        .ok_or(Error::SignInFirst)?;
    let by = visit.by();
    let done = spend(visit, (half.account, &half.email), &code, |tx, factor| {
        signing_in(visit, &account, |sign_in| {
            sessions::pass(tx, &by, half, (factor, remember), sign_in)
        })
        .map(|opened| opened.map(|opened| (opened, factor.recovery_left())))
    });
    match done {
        Ok(Ok((opened, left))) => {
            let response = signed_in_at(visit, &opened, next.as_deref());
            Ok(match left {
                Some(left) => visit.with_flash(response, &views::recovery_used(left)),
                None => response,
            })
        }
        Ok(Err(why)) => {
            form.problem(CODE_FIELD, why.sentence(visit, &code));
            draw_step(visit, 422, next.as_deref(), (way, &form, None))
        }
        // The account was disabled or lost something meanwhile: the challenge is worth nothing any more.
        Err(Error::NotFound) => Err(Error::SignInFirst),
        Err(Error::TooMany {
            retry_after,
            sentence,
        }) => {
            let response = draw_step(visit, 429, next.as_deref(), (way, &form, Some(&sentence)))?;
            Ok(response.with("Retry-After", &retry_after.max(1).to_string()))
        }
        Err(error) => Err(error),
    }
}

/// The page of one's own second factor: what it is for, the key to scan once it was begun, what can be done once it is on.
pub fn show(visit: &Visit<'_>) -> Result<Response> {
    draw(visit, 200, Given::default())
}

fn next_of(visit: &Visit<'_>) -> Option<String> {
    let sent = visit.body.get("next").map(str::to_owned);
    sent.or_else(|| visit.query("next"))
        .and_then(|next| local(&next))
}

fn draw(visit: &Visit<'_>, status: u16, given: Given<'_>) -> Result<Response> {
    let who = visit.enroller()?;
    let keys = visit.app.keys();
    let (shared, state) = visit.read(|read| {
        Ok((
            two_factor::enrolment(read, keys, &who)?,
            two_factor::state(read, who.account)?,
        ))
    })?;
    match (shared, state) {
        (shared, Some(state)) if shared.is_none() || wants_manage(visit, given) => {
            let waiting = match shared {
                Some(_) => Waiting::Key,
                None => Waiting::Nothing,
            };
            draw_manage(visit, (status, given), &who, (state, waiting))
        }
        (Some(shared), state) if state.is_some() || given.section() != Some(Section::Start) => {
            let phone = state.map_or(Phone::First, |_| Phone::Another);
            draw_set_up(visit, (status, given), &who, (&shared, phone))
        }
        (_, _) => draw_start(visit, (status, given), &who),
    }
}

/// Whether it is about what can be done once it is on, though a key waits for its first code.
fn wants_manage(visit: &Visit<'_>, given: Given<'_>) -> bool {
    match given.section() {
        Some(Section::Replace | Section::Codes | Section::Disable) => true,
        Some(Section::Start | Section::Confirm) => false,
        None => visit.query("view").as_deref() == Some("manage"),
    }
}

fn draw_start(
    visit: &Visit<'_>,
    (status, given): (u16, Given<'_>),
    who: &Enroller,
) -> Result<Response> {
    let next = next_of(visit);
    let start = views::Start {
        who,
        asked: asked(visit)?,
        next: next.as_deref(),
        given,
        now: visit.now,
        zone: &visit.zone(),
    };
    let body = views::start(&start, &visit.csrf());
    in_course(visit, (status, given), Phone::First, &body)
}

fn draw_set_up(
    visit: &Visit<'_>,
    (status, given): (u16, Given<'_>),
    who: &Enroller,
    (shared, phone): (&Shared, Phone),
) -> Result<Response> {
    let address = shared.address(who.organisation_name.as_str(), who.email.as_str());
    let scan = Scan::of(&address)
        .ok_or_else(|| Error::internal("an address too long for a code to scan"))?;
    let next = next_of(visit);
    let set_up = views::SetUp {
        who,
        phone,
        scan: &scan,
        address: &address,
        key: &shared.base32(),
        next: next.as_deref(),
        given,
    };
    let body = views::set_up(&set_up, &visit.csrf());
    in_course(visit, (status, given), phone, &body)
}

/// A page of the set-up, with nothing around it but the way out of it: there is none for whoever must set it up but to
/// sign out.
fn in_course(
    visit: &Visit<'_>,
    (status, given): (u16, Given<'_>),
    phone: Phone,
    body: &Markup,
) -> Result<Response> {
    let account = account_page();
    let exit = if visit.must_enrol() {
        Exit::SignOut
    } else {
        Exit::To("Not now", &account)
    };
    let page = Page::new(phone.title(), Place::Elsewhere)
        .with_errors(given.is_refused())
        .alone(Some(exit));
    layout::page(visit, status, &page, body)
}

fn account_page() -> String {
    format!("{}#{}", Route::Profile, views::ACCOUNT_ANCHOR)
}

fn draw_manage(
    visit: &Visit<'_>,
    (status, given): (u16, Given<'_>),
    who: &Enroller,
    (state, waiting): (State, Waiting),
) -> Result<Response> {
    let is_required = visit.read(|read| {
        let account = accounts::find(read, who.account)?.ok_or(Error::SignInFirst)?;
        Ok(two_factor::check_optional(read, &account).is_err())
    })?;
    let manage = views::Manage {
        who,
        state,
        waiting,
        is_required,
        asked: asked(visit)?,
        asked_beside_code: asked_beside_code(visit)?,
        given,
        now: visit.now,
        zone: &visit.zone(),
    };
    let page = Page::new("Two-factor", Place::Elsewhere).with_errors(given.is_refused());
    layout::page(visit, status, &page, &views::manage(&manage, &visit.csrf()))
}

/// The page again, with what is wrong.
fn again(visit: &Visit<'_>, section: Section, form: &Form) -> Result<Response> {
    let given = Given::to(section, form, None);
    draw(visit, 422, given)
}

/// The page again, with when to come back; anything else goes on to the door.
fn later(visit: &Visit<'_>, section: Section, form: &Form, error: Error) -> Result<Response> {
    let Error::TooMany {
        retry_after,
        sentence,
    } = error
    else {
        return Err(error);
    };
    let response = draw(visit, 429, Given::to(section, form, Some(&sentence)))?;
    Ok(response.with("Retry-After", &retry_after.max(1).to_string()))
}

/// Begins: a key is made, and the page shows it. Where there is a factor already, a code of it is asked for.
pub fn begin(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&[PROOF_FIELD, CODE_FIELD, "next"])?;
    let who = visit.enroller()?;
    let by = visit.by();
    if who.protection == Protection::On {
        let section = Section::Replace;
        return with_code(visit, section, &mut form, |tx, proof, factor| {
            two_factor::begin(tx, &by, &who, proof, Some(factor))
        })
        .map(|done| match done {
            Ok(()) => to_set_up(visit),
            Err(response) => response,
        });
    }
    let section = Section::Start;
    let proof = match prove(visit, &mut form) {
        Ok(Some(proof)) => proof,
        Ok(None) => return again(visit, section, &form),
        Err(error) => return later(visit, section, &form, error),
    };
    visit.write(|tx| two_factor::begin(tx, &by, &who, &proof, None))?;
    Ok(to_set_up(visit))
}

fn to_set_up(visit: &Visit<'_>) -> Response {
    let route = Route::TwoFactor;
    match next_of(visit) {
        Some(next) => Response::see_other(&format!("{route}?next={}", encode(&next))),
        None => visit.redirect(&route),
    }
}

/// Does what needs a fresh proof and a code beside it; else the answer that says what is missing.
fn with_code<T>(
    visit: &Visit<'_>,
    section: Section,
    form: &mut Form,
    work: impl FnOnce(&Tx<'_>, &passwords::Proof, &FactorProof) -> Result<Audited<T>>,
) -> Result<std::result::Result<T, Response>> {
    let who = visit.enroller()?;
    let code = form.check(CODE_FIELD, Code::typed);
    let proof = match prove_beside_code(visit, form) {
        Ok(proof) => proof,
        Err(error) => return later(visit, section, form, error).map(Err),
    };
    let (Some(code), Some(proof)) = (code, proof) else {
        return again(visit, section, form).map(Err);
    };
    let spent = spend(visit, (who.account, &who.email), &code, |tx, factor| {
        work(tx, &proof, factor)
    });
    match spent {
        Ok(Ok(done)) => Ok(Ok(done)),
        Ok(Err(why)) => {
            form.problem(CODE_FIELD, why.sentence(visit, &code));
            again(visit, section, form).map(Err)
        }
        Err(error) => later(visit, section, form, error).map(Err),
    }
}

/// Confirms the key with a code: from here on sign-in asks for one. The recovery codes are shown in answer to this POST
/// alone: no address leads to them.
pub fn confirm(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&[CODE_FIELD, "next"])?;
    let who = visit.enroller()?;
    let Some(code) = form.check(CODE_FIELD, of_the_app) else {
        return again(visit, Section::Confirm, &form);
    };
    let key = passwords::throttle_key(visit.app.keys(), &who.email);
    let permit = match visit.app.throttle.take(&[Subject::Code(key)], visit.now) {
        Ok(permit) => permit,
        Err(wait) => {
            failure(visit, Action::CodeThrottled, (who.account, &who.email))?;
            let error = Error::too_many(wait.seconds);
            return later(visit, Section::Confirm, &form, error);
        }
    };
    let by = visit.by();
    let place = place(visit);
    let confirmed = visit.write_if(|tx| {
        let wall = visit.app.wall();
        let Some(audited) =
            two_factor::confirm(tx, &by, &who, Typed { code: &code, wall }, &place)?
        else {
            return Ok(None);
        };
        let token = sessions::renew(tx, who.session)?;
        Ok(Some(audited.map(|codes| (codes, token))))
    });
    match confirmed {
        Ok(Some((codes, token))) => {
            permit.succeeded();
            visit.renew(token);
            let phone = match who.protection {
                Protection::On => Phone::Another,
                Protection::Without(_) => Phone::First,
            };
            show_codes(visit, &codes, views::Occasion::SetUp(phone))
        }
        Ok(None) => {
            failure(visit, Action::CodeFailed, (who.account, &who.email))?;
            form.problem(CODE_FIELD, Why::Wrong.sentence(visit, &code));
            again(visit, Section::Confirm, &form)
        }
        Err(error) => {
            permit.not_judged();
            no_key(visit, &form, error)
        }
    }
}

/// A code of the app; a recovery code is none of the key's.
fn of_the_app(text: &str) -> std::result::Result<Code, String> {
    match Code::typed(text)? {
        code @ Code::App(_) => Ok(code),
        Code::Recovery(_) => {
            Err("Enter the 6-digit code that the app shows for this key.".to_owned())
        }
    }
}

/// No key waits for a code: the page says so where another is begun. Anything else goes on to the door.
fn no_key(visit: &Visit<'_>, form: &Form, error: Error) -> Result<Response> {
    let Error::Refused(sentence) = &error else {
        return Err(error);
    };
    visit.record_refusal(error.code())?;
    let given = Given::to(Section::Confirm, form, Some(sentence));
    draw(visit, error.status(), given)
}

fn show_codes(visit: &Visit<'_>, codes: &Codes, occasion: views::Occasion) -> Result<Response> {
    let who: Enroller = visit.enroller()?;
    let shown = codes.shown();
    let page = views::CodesPage {
        codes: &shown,
        occasion,
        organisation: who.organisation_name.as_str(),
        email: &who.email,
        onward: onward(visit),
        now: visit.now,
        zone: &visit.zone(),
    };
    let title = Page::new("Recovery codes", Place::Elsewhere).alone(None);
    layout::page(visit, 200, &title, &views::codes(&page))
}

/// Where the codes lead on to: where they were on their way to, or else to the first page where the set-up was in their
/// way, and to their account where they came from there.
fn onward(visit: &Visit<'_>) -> Onward {
    let next = next_of(visit).unwrap_or_else(|| {
        if visit.must_enrol() {
            Route::Dashboard.to_string()
        } else {
            account_page()
        }
    });
    let (next, anchor) = match next.split_once('#') {
        Some((next, anchor)) => (next, format!("#{anchor}")),
        None => (next.as_str(), String::new()),
    };
    // A form that asks for a page takes the place of the address's own query.
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    let fields = Fields::parse(query.as_bytes()).unwrap_or_default();
    Onward {
        path: format!("{path}{anchor}"),
        fields: fields
            .pairs()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

/// Turns it off, with a code of it; refused while the policy requires it.
pub fn disable(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&[PROOF_FIELD, CODE_FIELD])?;
    let who = visit.enroller()?;
    visit.read(|read| {
        let account = accounts::find(read, who.account)?.ok_or(Error::SignInFirst)?;
        two_factor::check_optional(read, &account)
    })?;
    let by = visit.by();
    let place = place(visit);
    let section = Section::Disable;
    let done = with_code(visit, section, &mut form, |tx, proof, factor| {
        let audited = two_factor::disable(tx, &by, &who, (proof, factor), &place)?;
        let token = sessions::renew(tx, who.session)?;
        Ok(audited.map(|()| token))
    })?;
    match done {
        Ok(token) => {
            visit.renew(token);
            let message = "2-step verification is off. You are signed out everywhere else.";
            Ok(visit.redirect_with(&Route::Profile, message))
        }
        Err(response) => Ok(response),
    }
}

/// Makes new recovery codes; shown in answer to this POST alone.
pub fn renew_codes(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&[PROOF_FIELD])?;
    let who = visit.enroller()?;
    let section = Section::Codes;
    let proof = match prove(visit, &mut form) {
        Ok(Some(proof)) => proof,
        Ok(None) => return again(visit, section, &form),
        Err(error) => return later(visit, section, &form, error),
    };
    let by = visit.by();
    let place = place(visit);
    let codes = visit.write(|tx| two_factor::renew_codes(tx, &by, &who, &proof, &place))?;
    show_codes(visit, &codes, views::Occasion::Renewed)
}
