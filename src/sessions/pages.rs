//! Signing in and out, and the theme.

use crate::accounts::{self, Account, Status};
use crate::audit::{Action, Event};
use crate::domain::code::Code;
use crate::domain::email::Email;
use crate::domain::password::Password;
use crate::domain::policy::Protection;
use crate::domain::token::{Token, TokenHash};
use crate::error::{Error, Result};
use crate::kit::html::frame::Theme;
use crate::kit::http::agent;
use crate::kit::http::fields::encode;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::kit::throttle::{Kind, Permit, Subject, Wait};
use crate::layout::{self, Page, Place};
use crate::metrics::{SignIn as Tried, Way};
use crate::organisations;
use crate::outbox;
use crate::passwords::{self, PasswordHash, Proof};
use crate::routes::Route;
use crate::sessions::views::{Asked, PROOF_FIELD};
use crate::sessions::{
    self, CHALLENGE_TTL, DEVICE_TTL, Entered, Key, OpenLink, Opened, SignIn, SignInLink, views,
};
use crate::two_factor;
use crate::visit::Visit;

/// One sentence for a wrong password, an unknown address, a Pending and a Disabled account.
const WRONG: &str = "Email or password is wrong.";
/// How long a browser keeps the theme it chose.
const THEME_TTL: i64 = 365 * crate::kit::time::DAY;

/// The form. Whoever is signed in already goes on.
pub fn new(visit: &Visit<'_>) -> Result<Response> {
    let next = visit.query("next").and_then(|next| local(&next));
    if visit.enroller().is_ok() {
        return Ok(go_on(visit, next.as_deref()));
    }
    let email = visit.query("email").unwrap_or_default();
    draw(
        visit,
        200,
        &views::SignInForm {
            email: &email,
            next: next.as_deref(),
            problem: None,
            form: &Form::default(),
        },
    )
}

/// Signs in: throttle before hash, one answer for every failure, and as long for each.
pub fn create(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&["email", "password", "next"])?;
    let next = local(form.typed("next"));
    let email = form.get::<Email>("email");
    let password = form.check("password", Password::typed);
    let (Some(email), Some(password)) = (email, password) else {
        return refused(visit, 422, &form, None);
    };
    let account = visit.read(|read| Ok(accounts::by_email(read, &email)?))?;
    let device = known_device(visit, account.as_ref())?;
    let permit = match take(visit, &email, device) {
        Ok(permit) => permit,
        Err(wait) => {
            visit.app.metrics.signed_in(Way::Password, Tried::Throttled);
            return throttled(visit, &form, account.as_ref(), &email, wait);
        }
    };
    let is_right = match verify(visit, account.as_ref(), &password) {
        Ok(is_right) => is_right,
        Err(error) => {
            // A password that nobody looked at was no wrong one.
            permit.not_judged();
            return Err(error);
        }
    };
    if !is_right {
        visit
            .app
            .metrics
            .signed_in(Way::Password, Tried::BadCredentials);
        visit.app.refuse(
            visit.now,
            &visit.by(),
            &failure(Action::SignInFailed, account.as_ref(), &email),
        )?;
        return refused(visit, 422, &form, Some(WRONG));
    }
    permit.succeeded();
    let Some(account) = account else {
        return refused(visit, 422, &form, Some(WRONG));
    };
    match enter(visit, &account, &password, next.as_deref()) {
        // It was disabled or deleted while the hash was verified: no answer of its own for that either.
        Err(Error::NotFound) => refused(visit, 422, &form, Some(WRONG)),
        opened => opened,
    }
}

/// Counts the try before it costs a hash: for the browser alone where the account knows it, so that no stranger makes
/// it wait, not even one behind the same network address; else for all strangers together and for the network address.
fn take<'v>(
    visit: &'v Visit<'_>,
    email: &Email,
    device: Option<TokenHash>,
) -> std::result::Result<Permit<'v>, Wait> {
    let account = passwords::throttle_key(visit.app.keys(), email);
    let throttle = &visit.app.throttle;
    match device {
        Some(device) => {
            let device = *device.bytes();
            throttle.take(&[Subject::Device { account, device }], visit.now)
        }
        None => {
            let address = Subject::Address(visit.request.client);
            throttle.take(&[Subject::Account(account), address], visit.now)
        }
    }
}

/// What a dangerous act asks for just now: the field that its page draws.
pub fn asked(visit: &Visit<'_>) -> Result<Asked> {
    Ok(match asked_beside_code(visit)? {
        Asked::Password if visit.enroller()?.protection == Protection::On => Asked::PasswordOrCode,
        asked => asked,
    })
}

/// The same for an act that asks for a code in any case: what it asks for beside.
pub fn asked_beside_code(visit: &Visit<'_>) -> Result<Asked> {
    let is_proven = visit.is_renewed() || visit.enroller()?.is_proven(visit.now);
    Ok(if is_proven {
        Asked::Nothing
    } else {
        Asked::Password
    })
}

/// Whether whoever is signed in is who they were when they signed in: what dangerous acts ask. For ten minutes after they
/// last showed it nothing is asked; then it is the password, or a code where there is a second factor. The session goes
/// on under a new cookie. None when it is wrong: the form then says so.
pub fn prove(visit: &Visit<'_>, form: &mut Form) -> Result<Option<Proof>> {
    let who = visit.enroller()?;
    // A password has 8 signs or more, so six digits are no password.
    if !who.is_proven(visit.now)
        && who.protection == Protection::On
        && let Ok(code @ Code::App(_)) = Code::typed(form.typed(PROOF_FIELD))
    {
        return prove_by_code(visit, form, &code);
    }
    prove_beside_code(visit, form)
}

/// The same for an act that asks for a code in any case: it is the password alone.
pub fn prove_beside_code(visit: &Visit<'_>, form: &mut Form) -> Result<Option<Proof>> {
    let who = visit.enroller()?;
    if let Some(proof) = sessions::proof_of(&who, visit.now) {
        return Ok(Some(proof));
    }
    let Some(proof) = prove_by_password(visit, form)? else {
        return Ok(None);
    };
    let token = visit.write(|tx| sessions::prove(tx, &visit.by(), &who, "password"))?;
    visit.renew(token);
    Ok(Some(proof))
}

fn prove_by_code(visit: &Visit<'_>, form: &mut Form, code: &Code) -> Result<Option<Proof>> {
    let who = visit.enroller()?;
    let done = two_factor::pages::spend(visit, (who.account, &who.email), code, |tx, factor| {
        sessions::prove(tx, &visit.by(), &who, factor.slug())
    })?;
    match done {
        Ok(token) => {
            visit.renew(token);
            Ok(Some(passwords::proof(who.account)))
        }
        Err(why) => {
            form.problem(PROOF_FIELD, why.sentence(visit, code));
            Ok(None)
        }
    }
}

/// Whether whoever is signed in knows their password. It is the sign-in's own oracle, with the sign-in's counters, taken
/// before the hash. None when it is wrong: the form then says so.
pub fn prove_by_password(visit: &Visit<'_>, form: &mut Form) -> Result<Option<Proof>> {
    let who = visit.enroller()?;
    let Some(password) = form.check(PROOF_FIELD, Password::typed) else {
        return Ok(None);
    };
    let account = visit.read(|read| Ok(accounts::find(read, who.account)?))?;
    let device = known_device(visit, account.as_ref())?;
    let permit = match take(visit, &who.email, device) {
        Ok(permit) => permit,
        Err(wait) => return Err(Error::too_many(wait.seconds)),
    };
    let is_right = match verify(visit, account.as_ref(), &password) {
        Ok(is_right) => is_right,
        Err(error) => {
            permit.not_judged();
            return Err(error);
        }
    };
    if is_right {
        permit.succeeded();
    } else {
        let event = failure(Action::SignInFailed, account.as_ref(), &who.email);
        visit
            .app
            .refuse(visit.now, &visit.by(), &event.with("asked", "again"))?;
        form.problem(PROOF_FIELD, "This is not your password.");
    }
    Ok(is_right.then(|| passwords::proof(who.account)))
}

/// The browser's device cookie, if this account knows it.
fn known_device(visit: &Visit<'_>, account: Option<&Account>) -> Result<Option<TokenHash>> {
    let (Some(account), Some(device)) = (account, device_cookie(visit)) else {
        return Ok(None);
    };
    let knows = visit.read(|read| Ok(sessions::knows_device(read, account.id, &device)?))?;
    Ok(knows.then_some(device))
}

/// The cookie by which browsers are known, if it carries one.
pub fn device_cookie(visit: &Visit<'_>) -> Option<TokenHash> {
    let carried = visit.app.settings.transport.read(visit.request, "device")?;
    carried.parse::<Token>().ok().map(|token| token.hash())
}

/// Whether this password opens this account. A hash is verified in every case, so that all take as long.
fn verify(visit: &Visit<'_>, account: Option<&Account>, password: &Password) -> Result<bool> {
    let (hash, is_open) = match account {
        Some(account) => visit.read(|read| {
            let organisation = organisations::get(read, account.organisation)?;
            let is_open = account.status == Status::Active && organisation.disabled_at.is_none();
            Ok((passwords::hash_of(read, account.id)?, is_open))
        })?,
        None => (None, false),
    };
    let is_kept = hash.is_some();
    let hash = hash.unwrap_or_else(|| visit.app.hasher.decoy());
    let is_right = visit.app.hasher.verify(password.bytes(), &hash)?;
    Ok(is_right && is_kept && is_open)
}

/// Where somebody is, as mails and lists tell it.
pub fn place(visit: &Visit<'_>) -> outbox::Place {
    outbox::Place {
        agent: agent::describe(visit.request.header("user-agent")),
        address: visit.request.client.to_string(),
        at: visit.now.0,
    }
}

fn enter(
    visit: &Visit<'_>,
    account: &Account,
    password: &Password,
    next: Option<&str>,
) -> Result<Response> {
    let stronger = stronger_hash(visit, account, password)?;
    let entered = signing_in(visit, account, |sign_in| {
        visit.write(|tx| {
            if let Some(hash) = &stronger {
                passwords::rehash(tx, account.id, hash)?;
            }
            sessions::enter(tx, &visit.by().stranger(), sign_in, Key::Password)
        })
    })?;
    Ok(entered_at(visit, entered, Way::Password, next))
}

/// Does it with what is known of the browser that signs in.
pub fn signing_in<T>(
    visit: &Visit<'_>,
    account: &Account,
    work: impl FnOnce(&SignIn<'_>) -> Result<T>,
) -> Result<T> {
    work(&SignIn {
        account,
        device: device_cookie(visit),
        agent: &agent::describe(visit.request.header("user-agent")),
        address: visit.request.client,
    })
}

/// The answer to whoever was let in: to where they wanted to go, or to the second step.
fn entered_at(visit: &Visit<'_>, entered: Entered, way: Way, next: Option<&str>) -> Response {
    let cookies = visit.app.settings.transport;
    let result = match &entered {
        Entered::Full(_) => Tried::Ok,
        Entered::Half(_) => Tried::SecondFactor,
    };
    visit.app.metrics.signed_in(way, result);
    match entered {
        Entered::Full(opened) => signed_in_at(visit, &opened, next),
        Entered::Half(challenge) => step(&Route::SignInCode, next)
            .with(
                "Set-Cookie",
                &cookies.set("challenge", &challenge.reveal(), Some(CHALLENGE_TTL)),
            )
            // Whoever was signed in here is not any more: the step would be theirs.
            .with("Set-Cookie", &cookies.clear("session"))
            .with("Set-Cookie", &cookies.clear("visit")),
    }
}

fn step(route: &Route, next: Option<&str>) -> Response {
    match next {
        Some(next) => Response::see_other(&format!("{route}?next={}", encode(next))),
        None => Response::see_other(&route.to_string()),
    }
}

/// The answer to whoever is signed in from here on: their cookies, and to where they wanted to go.
pub fn signed_in_at(visit: &Visit<'_>, opened: &Opened, next: Option<&str>) -> Response {
    let cookies = visit.app.settings.transport;
    let mut response = go_on(visit, next).with(
        "Set-Cookie",
        &cookies.set("session", &opened.session.reveal(), None),
    );
    if let Some(device) = &opened.device {
        response = response.with(
            "Set-Cookie",
            &cookies.set("device", &device.reveal(), Some(DEVICE_TTL)),
        );
    }
    // The visit before sign-in is over: its forms are no longer ours.
    without_challenge(visit, response.with("Set-Cookie", &cookies.clear("visit")))
}

/// The second step is over, or left: its cookie goes, where there is one.
fn without_challenge(visit: &Visit<'_>, response: Response) -> Response {
    let cookies = visit.app.settings.transport;
    match cookies.read(visit.request, "challenge") {
        Some(_) => response.with("Set-Cookie", &cookies.clear("challenge")),
        None => response,
    }
}

/// What the operator's link opens. Looking never uses it.
pub fn show_link(visit: &Visit<'_>, token: &str) -> Result<Response> {
    let (_, link) = visit.link(token, sessions::find_link)?;
    present(visit, token, &link)
}

fn present(visit: &Visit<'_>, token: &str, link: &SignInLink) -> Result<Response> {
    let page = Page::new("Sign in", Place::Elsewhere);
    let why = match link {
        SignInLink::Open(open) => {
            let email = open.account().address()?;
            let here = visit.enroller().map(|who| who.email).ok();
            let link = views::LinkPage {
                token,
                email: &email,
                instead_of: here.as_ref().filter(|here| **here != email),
            };
            let body = views::link(&link, &visit.csrf());
            return layout::page(visit, 200, &page, &body);
        }
        SignInLink::Used => views::DeadLink::Used,
        SignInLink::Replaced => views::DeadLink::Replaced,
        SignInLink::Expired => views::DeadLink::Expired,
    };
    layout::page(visit, 410, &page, &views::dead_link(why))
}

/// Uses it, once. The second factor is asked for all the same.
pub fn use_link(visit: &Visit<'_>, token: &str) -> Result<Response> {
    visit.form(&[])?;
    let (secret, link) = visit.link(token, sessions::find_link)?;
    let SignInLink::Open(open) = &link else {
        visit.record_refusal("gone")?;
        return present(visit, token, &link);
    };
    let by = visit.by();
    let entered = signing_in(visit, open.account(), |sign_in| {
        // Not `visit.write`: a session that ended meanwhile keeps nobody else out.
        visit.app.write(visit.now, |tx| {
            // Asked again inside the transaction: the account may have been disabled since.
            let open: OpenLink = match sessions::find_link(tx, &secret)? {
                Some(SignInLink::Open(open)) => open,
                _ => return Err(Error::Gone("This link no longer works.".to_owned())),
            };
            // Whoever was signed in in this browser loses the cookie, so their session ends; they do not stand for
            // whoever signs in.
            if let Ok(who) = visit.enroller() {
                sessions::close(tx, &by, &who)?.into_inner();
            }
            sessions::use_link(tx, &by.stranger(), &open, sign_in)
        })
    });
    match entered {
        Ok(entered) => Ok(entered_at(visit, entered, Way::Recovery, None)),
        Err(error @ (Error::Gone(_) | Error::NotFound)) => {
            visit.record_refusal(error.code())?;
            show_link(visit, token)
        }
        Err(error) => Err(error),
    }
}

/// The hash at today's cost, when the kept one is cheaper: made here, before the transaction.
fn stronger_hash(
    visit: &Visit<'_>,
    account: &Account,
    password: &Password,
) -> Result<Option<PasswordHash>> {
    let kept = visit.read(|read| Ok(passwords::hash_of(read, account.id)?))?;
    if kept.is_some_and(|kept| visit.app.hasher.is_weaker(&kept)) {
        let hash = visit
            .app
            .hasher
            .hash(password.bytes(), visit.app.random())?;
        return Ok(Some(PasswordHash::new(hash)));
    }
    Ok(None)
}

fn throttled(
    visit: &Visit<'_>,
    form: &Form,
    account: Option<&Account>,
    email: &Email,
    wait: Wait,
) -> Result<Response> {
    // Where the network address has to wait, all its tries are alike whatever is typed, or whoever goes through a
    // list of names would fill the log.
    let event = if wait.kind == Kind::Address {
        Event::of_system(Action::SignInThrottled)
    } else {
        failure(Action::SignInThrottled, account, email)
    };
    visit.app.refuse(visit.now, &visit.by(), &event)?;
    let sentence = Error::too_many(wait.seconds).to_string();
    let response = refused(visit, 429, form, Some(&sentence))?;
    Ok(response.with("Retry-After", &wait.seconds.to_string()))
}

/// A failure stands in the chain of the account's organisation; one about an unknown address in the system's. What
/// was typed there may be a password in the wrong field, so only what reads as an address is written down.
fn failure(action: Action, account: Option<&Account>, email: &Email) -> Event {
    match account {
        Some(account) => Event::of(account.organisation, action).on(account.id, email),
        None => Event::of_system(action).on_text(email),
    }
}

fn refused(visit: &Visit<'_>, status: u16, form: &Form, problem: Option<&str>) -> Result<Response> {
    let next = local(form.typed("next"));
    let email = form.typed("email").to_owned();
    draw(
        visit,
        status,
        &views::SignInForm {
            email: &email,
            next: next.as_deref(),
            problem,
            form,
        },
    )
}

fn draw(visit: &Visit<'_>, status: u16, form: &views::SignInForm<'_>) -> Result<Response> {
    let has_errors = form.problem.is_some() || form.form.has_problems();
    let page = Page::new("Sign in", Place::Elsewhere).with_errors(has_errors);
    layout::page(visit, status, &page, &views::sign_in(form, &visit.csrf()))
}

/// A path of ours to come back to, and nothing else: it must read as one of our routes.
#[must_use]
pub fn local(next: &str) -> Option<String> {
    let path = next.split(['?', '#']).next()?;
    let is_plain = next.bytes().all(|b| b.is_ascii_graphic()) && !next.contains('\\');
    (is_plain && Route::parse(path).is_some_and(|route| route.is_page())).then(|| next.to_owned())
}

fn go_on(visit: &Visit<'_>, next: Option<&str>) -> Response {
    next.map_or_else(|| visit.redirect(&Route::Dashboard), Response::see_other)
}

/// Signs out: this session is over, the browser stays known. A link that is for somebody else goes on from here.
pub fn delete(visit: &Visit<'_>) -> Result<Response> {
    let next = local(visit.form(&["next"])?.typed("next"));
    match (visit.enroller(), visit.half()) {
        (Ok(who), _) => visit.write(|tx| sessions::close(tx, &visit.by(), &who))?,
        (Err(_), Some(half)) => visit.write(|tx| sessions::leave(tx, &visit.by(), half))?,
        (Err(_), None) => {}
    }
    let to = next.unwrap_or_else(|| Route::SignIn.to_string());
    let response = visit.with_flash(Response::see_other(&to), "You are signed out.");
    let cookies = visit.app.settings.transport;
    let response = response.with("Set-Cookie", &cookies.clear("session"));
    Ok(without_challenge(visit, response))
}

/// Keeps the colours this browser chose.
pub fn theme(visit: &Visit<'_>) -> Result<Response> {
    let form = visit.form(&["theme"])?;
    let theme =
        Theme::from_slug(form.typed("theme")).ok_or(Error::Malformed("There is no such theme."))?;
    let cookie = visit
        .app
        .settings
        .transport
        .set("theme", theme.slug(), Some(THEME_TTL));
    let back = visit.request.header("referer").and_then(|referer| {
        let path = referer.strip_prefix(&visit.app.settings.public_url)?;
        local(path)
    });
    Ok(go_on(visit, back.as_deref()).with("Set-Cookie", &cookie))
}
