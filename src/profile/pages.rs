//! Everybody's own account: one page of sections, a form in each, and the page of the link to a new address.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::accounts::{self, EMAIL_FIELD, EMAIL_TAKEN, Preferences, Profile};
use crate::audit::views::sentence;
use crate::domain::email::Email;
use crate::domain::id::SessionId;
use crate::domain::text::{PersonName, Phone};
use crate::domain::token::Token;
use crate::error::{Error, Result};
use crate::invitations;
use crate::kit::dates;
use crate::kit::db::Read;
use crate::kit::html::time;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::kit::keys::Use;
use crate::kit::throttle::Subject;
use crate::kit::time::Timestamp;
use crate::layout::{self, Page, Place};
use crate::organisations;
use crate::passwords::pages::{chosen, hashed};
use crate::passwords::views::Mail;
use crate::passwords::{self, Sessions};
use crate::profile::views::{self, Awaited, DeadLink, Known, Section, Sent};
use crate::profile::{self, EmailLink, NewPassword, OpenChange};
use crate::resources;
use crate::routes::Route;
use crate::scope::Scope;
use crate::sessions::pages::{asked, prove, prove_by_password};
use crate::sessions::views::PROOF_FIELD;
use crate::sessions::{self, Lifetimes};
use crate::setup::pages::zones;
use crate::two_factor;
use crate::visit::Visit;

const TITLE: &str = "Account";
const LINK_TITLE: &str = "Confirm your new email";
/// Own events on the page.
const ACTIVITY_MAX: i64 = 15;

/// All of it.
pub fn show(visit: &Visit<'_>) -> Result<Response> {
    draw(visit, 200, None)
}

/// The page; `sent` is the form that was refused, which keeps what was typed into it.
fn draw(visit: &Visit<'_>, status: u16, sent: Option<&Sent<'_>>) -> Result<Response> {
    let scope = visit.signed_in()?;
    let zone = visit.zone();
    let known = visit.read(|read| {
        let account = accounts::find_in(read, scope.organisation, scope.account)?
            .ok_or(Error::SignInFirst)?;
        let awaited = profile::awaited_email(read, scope.account)?;
        Ok(Known {
            phone: account.phone,
            preferences: accounts::preferences(read, scope.account)?,
            organisation_zone: organisations::get(read, scope.organisation)?.time_zone,
            awaited: awaited.map(|(email, expires_at)| Awaited {
                email,
                until: time::when(expires_at, visit.now, &zone),
            }),
            password_changed_at: passwords::changed_at(read, scope.account)?,
            two_factor: two_factor::state(read, scope.account)?,
            sessions: sessions::live(read, scope.account, visit.app.settings.lifetimes)?,
            deeds: accounts::own_deeds(read, scope, ACTIVITY_MAX)?,
        })
    })?;
    let account = views::Account {
        scope,
        known: &known,
        sent,
        mail: mail(visit),
        asked: asked(visit)?,
        theme: visit.theme(),
        zones: &zones(),
        now: visit.now,
        zone: &zone,
    };
    let page = Page::new(TITLE, Place::Elsewhere).with_errors(sent.is_some());
    layout::page(
        visit,
        status,
        &page,
        &views::account(&account, &visit.csrf()),
    )
}

/// What is kept about whoever asks, and about nobody else, as a file.
pub fn export(visit: &Visit<'_>) -> Result<Response> {
    let scope = visit.signed_in()?;
    let data = visit.read(|read| data(read, scope, visit.app.settings.lifetimes))?;
    let json =
        serde_json::to_string_pretty(&data).map_err(|error| Error::Internal(error.into()))?;
    Ok(Response::json(200, json).with(
        "Content-Disposition",
        "attachment; filename=\"my-data.json\"",
    ))
}

fn data(read: &Read<'_>, scope: &Scope, lifetimes: Lifetimes) -> Result<Value> {
    let account =
        accounts::find_in(read, scope.organisation, scope.account)?.ok_or(Error::SignInFirst)?;
    let preferences = accounts::preferences(read, scope.account)?;
    let instant = |at: Timestamp| dates::machine(at, &TimeZone::UTC);
    let browsers = sessions::browsers(read, scope.account)?;
    let deeds = accounts::own_deeds(read, scope, i64::MAX)?;
    let resources = resources::all(read, scope.organisation)?;
    let mine = resources
        .iter()
        .filter(|one| one.holder == scope.account || one.created_by == scope.account);
    Ok(json!({
        "exported_at": instant(read.now()),
        "organisation": scope.organisation_name.as_str(),
        "profile": {
            "id": account.id.to_string(),
            "name": account.name.as_ref().map(PersonName::as_str),
            "email": account.email.as_ref().map(Email::as_str),
            "phone": account.phone.as_ref().map(Phone::as_str),
            "permission": account.role.key(),
            "created_at": instant(account.created_at),
            "activated_at": account.activated_at.map(instant),
            "last_active_at": account.last_seen_at.map(instant),
            "new_email": profile::awaited_email(read, scope.account)?
                .map(|(email, until)| json!({ "email": email.as_str(), "until": instant(until) })),
            "password_changed_at": passwords::changed_at(read, scope.account)?.map(instant),
            "time_zone": preferences.time_zone,
            "keys": preferences.has_shortcuts,
        },
        "two_factor": two_factor::state(read, scope.account)?.map(|state| json!({
            "since": instant(state.since),
            "used_at": instant(state.used_at),
            "recovery_codes_left": state.codes_left,
        })),
        "sessions": sessions::live(read, scope.account, lifetimes)?.iter().map(|live| json!({
            "id": live.id.to_string(),
            "browser": live.agent,
            "network_address": live.address,
            "opened_at": instant(live.created_at),
            "used_at": instant(live.used_at),
            "is_this": live.id == scope.session,
        })).collect::<Vec<_>>(),
        "known_browsers": browsers.iter().map(|one| json!({
            "used_at": instant(one.used_at),
            "trusted_at": one.trusted_at.map(instant),
        })).collect::<Vec<_>>(),
        "activity": deeds.iter().map(|deed| json!({
            "at": instant(deed.at),
            "action": deed.action.slug(),
            "what": sentence(deed),
        })).collect::<Vec<_>>(),
        "resources": mine.map(|one| json!({
            "id": one.id.to_string(),
            "name": one.name.as_str(),
            "note": one.note,
            "created_by_you": one.created_by == scope.account,
            "under_your_name": one.holder == scope.account,
            "created_at": instant(one.created_at),
            "ended_at": one.ended_at.map(instant),
        })).collect::<Vec<_>>(),
    }))
}

fn mail(visit: &Visit<'_>) -> Mail {
    visit.app.mailer().map_or(Mail::Off, |_| Mail::On)
}

/// The page again, with what is wrong beside the fields.
fn again(visit: &Visit<'_>, section: Section, form: &Form) -> Result<Response> {
    let sent = Sent {
        section,
        form,
        problem: None,
    };
    draw(visit, 422, Some(&sent))
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
    visit.record_refusal("too-many")?;
    let sent = Sent {
        section,
        form,
        problem: Some(&sentence),
    };
    let response = draw(visit, 429, Some(&sent))?;
    Ok(response.with("Retry-After", &retry_after.max(1).to_string()))
}

/// To the section whose form was sent, which then says what was done, if anything was.
fn back(visit: &Visit<'_>, section: Section, message: Option<&str>) -> Response {
    let response = Response::see_other(&format!("{}#{}", Route::Profile, section.anchor()));
    match message {
        Some(message) => visit.with_flash(response, message),
        None => response,
    }
}

/// A tick sends one value, or nothing.
fn is_ticked(form: &Form, name: &str) -> Result<bool> {
    match form.typed(name) {
        "" => Ok(false),
        "yes" => Ok(true),
        _ => Err(Error::Malformed("A tick sends yes, or nothing.")),
    }
}

/// Name and telephone.
pub fn save_profile(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&["name", "phone"])?;
    let scope = visit.signed_in()?;
    let name = form.get::<PersonName>("name");
    let phone = form.optional::<Phone>("phone");
    let (Some(name), false) = (name, form.has_problems()) else {
        return again(visit, Section::Profile, &form);
    };
    let wanted = Profile { name, phone };
    let done = visit.write_if(|tx| profile::update(tx, &visit.by(), scope, &wanted))?;
    let message = done.map(|()| "Your profile is saved.");
    Ok(back(visit, Section::Profile, message))
}

/// Time zone and keys.
pub fn save_preferences(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&["timezone", "shortcuts"])?;
    let scope = visit.signed_in()?;
    let has_shortcuts = is_ticked(&form, "shortcuts")?;
    let time_zone = if form.typed("timezone").is_empty() {
        None
    } else {
        form.check("timezone", organisations::time_zone)
    };
    if form.has_problems() {
        return again(visit, Section::Preferences, &form);
    }
    let wanted = Preferences {
        time_zone,
        has_shortcuts,
    };
    let done = visit.write_if(|tx| profile::prefer(tx, &visit.by(), scope, &wanted))?;
    let message = done.map(|()| "Your preferences are saved.");
    Ok(back(visit, Section::Preferences, message))
}

/// Another password. This browser stays signed in, under a new cookie.
pub fn change_password(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&[
        PROOF_FIELD,
        "password",
        "password_confirmation",
        "end_others",
    ])?;
    let scope = visit.signed_in()?;
    let others = if is_ticked(&form, "end_others")? {
        Sessions::End
    } else {
        Sessions::Keep
    };
    let proof = match prove_by_password(visit, &mut form) {
        Ok(proof) => proof,
        Err(error) => return later(visit, Section::Password, &form, error),
    };
    let password = chosen(&mut form, &[scope.email.local(), scope.name.as_str()]);
    if proof.is_some() && form.typed("password") == form.typed(PROOF_FIELD) {
        form.problem(
            "password",
            "This is your password already. Choose another one.",
        );
    }
    let (Some(proof), Some(password), false) = (proof, password, form.has_problems()) else {
        return again(visit, Section::Password, &form);
    };
    let new = NewPassword {
        hash: hashed(visit, &password)?,
        others,
    };
    let session =
        visit.write(|tx| profile::change_password(tx, &visit.by(), scope, &proof, &new))?;
    let message = match others {
        Sessions::End => "Your password is changed. You are signed out everywhere else.",
        Sessions::Keep => "Your password is changed.",
    };
    visit.renew(session);
    Ok(back(visit, Section::Password, Some(message)))
}

/// Another address: nothing changes until the link that goes there is used.
pub fn ask_for_email(visit: &Visit<'_>) -> Result<Response> {
    let mut form = visit.form(&[EMAIL_FIELD, PROOF_FIELD])?;
    let scope = visit.signed_in()?;
    if visit.app.mailer().is_none() {
        form.problem(EMAIL_FIELD, views::MAIL_IS_OFF);
        return again(visit, Section::Email, &form);
    }
    let email = form.get::<Email>(EMAIL_FIELD);
    if email.as_ref() == Some(&scope.email) {
        form.problem(EMAIL_FIELD, "This is your email already.");
    }
    let proof = match prove(visit, &mut form) {
        Ok(proof) => proof,
        Err(error) => return later(visit, Section::Email, &form, error),
    };
    let (Some(email), Some(proof), false) = (email, proof, form.has_problems()) else {
        return again(visit, Section::Email, &form);
    };
    let organisation = scope.organisation;
    if let Err(Error::Invalid { field, sentence }) =
        visit.read(|read| invitations::check_domain(read, &visit.by(), organisation, &email))
    {
        let event = invitations::outside(organisation, &email).with("for", "own_account");
        visit.app.refuse(visit.now, &visit.by(), &event)?;
        form.problem(field, sentence);
        return again(visit, Section::Email, &form);
    }
    // Before anything is told of the address: the form must not answer for every address there is.
    let done = may_ask(visit, &email).and_then(|()| {
        visit.write(|tx| profile::ask_for_email(tx, &visit.by(), scope, &proof, &email))
    });
    match done {
        Ok(()) => {
            let message = format!("A link is on its way to {email}. It works for one hour.");
            Ok(back(visit, Section::Email, Some(&message)))
        }
        Err(Error::Invalid { field, sentence }) => {
            if sentence == EMAIL_TAKEN {
                refuse_taken(visit, &email)?;
            }
            form.problem(field, sentence);
            again(visit, Section::Email, &form)
        }
        Err(error) => later(visit, Section::Email, &form, error),
    }
}

/// The organisation's cap on refused addresses, and ours on links: three an hour to one mailbox, and from one account.
fn may_ask(visit: &Visit<'_>, email: &Email) -> Result<()> {
    let scope = visit.signed_in()?;
    let terms = visit.app.settings.terms;
    visit.read(|read| invitations::check_refused(read, scope.organisation, terms))?;
    let keys = visit.app.keys();
    let account = scope.account.number().to_be_bytes();
    let asking = keys.mac(Use::Throttle, &[b"email change", &account]);
    let mailbox = passwords::throttle_key(keys, email);
    let subjects = [Subject::Mail(asking), Subject::Mail(mailbox)];
    let _counted = visit
        .app
        .throttle
        .take(&subjects, visit.now)
        .map_err(|wait| Error::too_many(wait.seconds))?;
    Ok(())
}

fn refuse_taken(visit: &Visit<'_>, email: &Email) -> Result<()> {
    let organisation = visit.signed_in()?.organisation;
    visit.write(|tx| invitations::refuse_change(tx, &visit.by(), organisation, email))
}

/// Ends every other session.
pub fn end_others(visit: &Visit<'_>) -> Result<Response> {
    visit.form(&[])?;
    let scope = visit.signed_in()?;
    visit.write(|tx| sessions::end_others(tx, &visit.by(), scope))?;
    let message = "You are signed out everywhere else.";
    Ok(back(visit, Section::Sessions, Some(message)))
}

/// Ends one other session. Ending this one is signing out.
pub fn end_session(visit: &Visit<'_>, id: SessionId) -> Result<Response> {
    visit.form(&[])?;
    let scope = visit.signed_in()?;
    if id == scope.session {
        return sessions::pages::delete(visit);
    }
    visit.write(|tx| sessions::end(tx, &visit.by(), scope, id))?;
    let message = "That browser is signed out.";
    Ok(back(visit, Section::Sessions, Some(message)))
}

/// What the link to the new address opens. Looking never uses it.
pub fn confirm_email(visit: &Visit<'_>, token: &str) -> Result<Response> {
    match find(visit, token) {
        Ok((_, link)) => present(visit, token, &link),
        Err(Error::NotFound) => not_theirs(visit, token),
        Err(error) => Err(error),
    }
}

fn find(visit: &Visit<'_>, token: &str) -> Result<(Token, EmailLink)> {
    let scope = visit.signed_in()?;
    visit.link(token, |read, token| {
        // Whoever was deleted since the door has no links any more: that is no link of somebody else.
        sessions::check(read, scope.session, scope.account)?;
        profile::find_email_change(read, scope, token)
    })
}

fn present(visit: &Visit<'_>, token: &str, link: &EmailLink) -> Result<Response> {
    let why = match link {
        EmailLink::Open(open) => return ask(visit, 200, token, open, None),
        EmailLink::Used => DeadLink::Used,
        EmailLink::Replaced => DeadLink::Replaced,
        EmailLink::Expired(_) => DeadLink::Expired,
    };
    let page = Page::new(LINK_TITLE, Place::Elsewhere);
    layout::page(visit, 410, &page, &views::dead_link(why))
}

fn ask(
    visit: &Visit<'_>,
    status: u16,
    token: &str,
    open: &OpenChange,
    problem: Option<&str>,
) -> Result<Response> {
    let confirm = views::Confirm {
        token,
        before: &visit.signed_in()?.email,
        after: &open.email,
        until: time::when(open.expires_at, visit.now, &visit.zone()),
        problem,
    };
    let page = Page::new(LINK_TITLE, Place::Elsewhere).with_errors(problem.is_some());
    let body = views::confirm(&confirm, &visit.csrf());
    layout::page(visit, status, &page, &body)
}

/// Nobody's link, or somebody else's: one page for both, so that it does not tell which.
fn not_theirs(visit: &Visit<'_>, token: &str) -> Result<Response> {
    let email = &visit.signed_in()?.email;
    let page = Page::new(LINK_TITLE, Place::Elsewhere);
    let body = views::not_theirs(email, token, &visit.csrf());
    layout::page(visit, 404, &page, &body)
}

/// Uses it, once.
pub fn use_email_link(visit: &Visit<'_>, token: &str) -> Result<Response> {
    visit.form(&[])?;
    let scope = visit.signed_in()?;
    let link = match find(visit, token) {
        Ok((_, link)) => link,
        Err(Error::NotFound) => {
            visit.record_refusal("not-found")?;
            return not_theirs(visit, token);
        }
        Err(error) => return Err(error),
    };
    let EmailLink::Open(open) = &link else {
        visit.record_refusal("gone")?;
        return present(visit, token, &link);
    };
    match visit.write(|tx| profile::confirm_email(tx, &visit.by(), scope, open)) {
        Ok(()) => {
            let message = format!("Your email is now {}. Sign in with it.", open.email);
            Ok(back(visit, Section::Email, Some(&message)))
        }
        // Somebody was faster, or it was withdrawn: the link's own page says which.
        Err(error @ Error::Gone(_)) => {
            visit.record_refusal(error.code())?;
            confirm_email(visit, token)
        }
        // Somebody else has the address by now, and nothing was changed.
        Err(Error::Invalid { sentence, .. }) => {
            refuse_taken(visit, &open.email)?;
            ask(visit, 422, token, open, Some(&sentence))
        }
        Err(error) => Err(error),
    }
}
