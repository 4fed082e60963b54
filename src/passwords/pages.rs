//! Forgotten passwords: asking for a reset link, and setting another password with it. Also what every form with a
//! new password does with it.
//!
//! Asking answers the same, after as much work, whatever address was typed; only the mailbox tells.

use crate::accounts::{self, Account, Status};
use crate::audit::{Action, Event};
use crate::domain::email::Email;
use crate::domain::password::Password;
use crate::error::{Error, Result};
use crate::kit::html::time;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::kit::throttle::Subject;
use crate::layout::{self, Page, Place};
use crate::organisations::{self, Organisation};
use crate::passwords::views::{self, DeadReset, Mail};
use crate::passwords::{self, OpenReset, PasswordHash, ResetLink};
use crate::routes::Route;
use crate::visit::Visit;

/// A new password, typed twice. `about` is what a guesser would try first: the e-mail's local part and the name.
pub fn chosen(form: &mut Form, about: &[&str]) -> Option<Password> {
    let password = form.check("password", |text| Password::chosen(text, about));
    if form.typed("password") != form.typed("password_confirmation") {
        form.problem("password_confirmation", "The two passwords differ.");
        return None;
    }
    password
}

/// Hashes a new password: before the transaction, which must not wait for it.
pub fn hashed(visit: &Visit<'_>, password: &Password) -> Result<PasswordHash> {
    let hash = visit
        .app
        .hasher
        .hash(password.bytes(), visit.app.random())?;
    Ok(PasswordHash::new(hash))
}

/// The page of a link sends its address along; another one was put there by hand.
pub fn check_fixed(form: &Form, email: &Email) -> Result<()> {
    match form.typed("email") {
        "" => Ok(()),
        sent if sent == email.as_str() => Ok(()),
        _ => Err(Error::Malformed("The address of a link cannot be changed.")),
    }
}

/// The form that asks for the address; after it was sent, what to do now.
pub fn new(visit: &Visit<'_>) -> Result<Response> {
    if visit.query("sent").is_some() {
        let page = Page::new("Look into your mailbox", Place::Elsewhere);
        return layout::page(visit, 200, &page, &views::asked(mail(visit)));
    }
    ask(visit, 200, &Form::default())
}

fn ask(visit: &Visit<'_>, status: u16, form: &Form) -> Result<Response> {
    let page = Page::new("Reset your password", Place::Elsewhere).with_errors(form.has_problems());
    let forgotten = views::Forgotten {
        form,
        mail: mail(visit),
    };
    layout::page(
        visit,
        status,
        &page,
        &views::forgotten(&forgotten, &visit.csrf()),
    )
}

fn mail(visit: &Visit<'_>) -> Mail {
    visit.app.mailer().map_or(Mail::Off, |_| Mail::On)
}

/// Sends a reset link to an Active account, at most three an hour; one answer for every address.
pub fn create(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&["email"])?;
    let Some(email) = form.get::<Email>("email") else {
        return ask(visit, 422, &form);
    };
    let throttle = &visit.app.throttle;
    let _judged = throttle
        .take(&[Subject::Address(visit.request.client)], visit.now)
        .map_err(|wait| Error::too_many(wait.seconds))?;
    // Every address is counted, known or not, and over the limit nothing is written for any.
    let key = passwords::throttle_key(visit.app.keys(), &email);
    if let Ok(_mail) = throttle.take(&[Subject::Mail(key)], visit.now) {
        request(visit, &email)?;
    }
    Ok(Response::see_other(&format!(
        "{}?sent=yes",
        Route::ForgotPassword
    )))
}

/// One transaction whoever it is: with a link and its mail for an Active account, with the record alone for others.
fn request(visit: &Visit<'_>, email: &Email) -> Result<()> {
    let account = visit.read(|read| match accounts::by_email(read, email)? {
        Some(account) => {
            let organisation = organisations::get(read, account.organisation)?;
            let may_sign_in = may_sign_in(&account, &organisation);
            Ok(Some((account, may_sign_in)))
        }
        None => Ok(None),
    })?;
    let event = match account {
        Some((account, true)) => {
            match visit.write(|tx| passwords::request_reset(tx, &visit.by(), &account)) {
                // It was disabled or deleted since: the same answer, and the record alone.
                Err(Error::NotFound) => {
                    Event::of(account.organisation, Action::ResetRequested).on(account.id, email)
                }
                done => return done,
            }
        }
        Some((account, false)) => {
            Event::of(account.organisation, Action::ResetRequested).on(account.id, email)
        }
        None => Event::of_system(Action::ResetRequested).on_text(email),
    };
    visit
        .app
        .refuse(visit.now, &visit.by(), &event.with("mailed", false))
}

fn may_sign_in(account: &Account, organisation: &Organisation) -> bool {
    account.status == Status::Active && organisation.disabled_at.is_none()
}

/// What the link opens: the form, or why it does not. Looking never uses it.
pub fn edit(visit: &Visit<'_>, token: &str) -> Result<Response> {
    let (_, link) = visit.link(token, passwords::find_reset)?;
    show(visit, token, &link)
}

fn show(visit: &Visit<'_>, token: &str, link: &ResetLink) -> Result<Response> {
    let why = match link {
        ResetLink::Open(open) => return draw(visit, 200, token, open, &Form::default()),
        ResetLink::Used => DeadReset::Used,
        ResetLink::Replaced => DeadReset::Replaced,
        ResetLink::Expired(_) => DeadReset::Expired,
    };
    let page = Page::new("Set a new password", Place::Elsewhere);
    layout::page(visit, 410, &page, &views::dead_reset(why))
}

fn draw(
    visit: &Visit<'_>,
    status: u16,
    token: &str,
    open: &OpenReset,
    form: &Form,
) -> Result<Response> {
    let organisation = visit.read(|read| organisations::get(read, open.account().organisation))?;
    let reset = views::Reset {
        token,
        email: address(open)?,
        is_given: open.is_given,
        until: time::when(open.expires_at, visit.now, &organisation.zone()),
        form,
    };
    let page = Page::new("Set a new password", Place::Elsewhere).with_errors(form.has_problems());
    layout::page(visit, status, &page, &views::reset(&reset, &visit.csrf()))
}

fn address(open: &OpenReset) -> Result<&Email> {
    open.account().email.as_ref().ok_or(Error::NotFound)
}

/// Sets the password, once, and ends every session of the account. Signs nobody in.
pub fn update(visit: &Visit<'_>, token: &str) -> Result<Response> {
    let mut form = visit.form(&["email", "password", "password_confirmation"])?;
    let (secret, link) = visit.link(token, passwords::find_reset)?;
    let ResetLink::Open(open) = &link else {
        visit.record_refusal("gone")?;
        return show(visit, token, &link);
    };
    let email = address(open)?;
    check_fixed(&form, email)?;
    let name = open
        .account()
        .name
        .as_ref()
        .map_or("", |name| name.as_str());
    let Some(password) = chosen(&mut form, &[email.local(), name]) else {
        return draw(visit, 422, token, open, &form);
    };
    let hash = hashed(visit, &password)?;
    let by = visit.by().account_of(open.account().id, email.clone());
    let done = visit.write(|tx| match passwords::find_reset(tx, &secret)? {
        // Asked again inside the transaction: the account may have been disabled since.
        Some(ResetLink::Open(open)) => passwords::reset(tx, &by, &open, &hash),
        _ => Err(Error::Gone("This link no longer works.".to_owned())),
    });
    match done {
        Ok(()) => {
            Ok(visit.to_sign_in(email, "Your password is changed. Sign in with the new one."))
        }
        Err(error @ Error::Gone(_)) => {
            visit.record_refusal(error.code())?;
            edit(visit, token)
        }
        Err(error) => Err(error),
    }
}
