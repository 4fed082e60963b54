//! The pages of a link: what an invitee sees and does. Looking never uses a link; only the form does, once.

use jiff::tz::TimeZone;
use maud::Markup;

use crate::audit::{Action, Event};
use crate::domain::email::Email;
use crate::domain::text::{PersonName, Phone};
use crate::error::{Error, Result};
use crate::invitations::views::invitee::{self as views, Asking};
use crate::invitations::{self, Acceptance, ActivationLink, Expired, OpenInvitation};
use crate::kit::html::time;
use crate::kit::http::fields::Fields;
use crate::kit::http::form::Form;
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::passwords::pages::{check_fixed, chosen, hashed};
use crate::routes::Route;
use crate::visit::Visit;

const TITLE: &str = "Activate your account";

/// What the link opens: the form, or why it does not.
pub fn show(visit: &Visit<'_>, token: &str) -> Result<Response> {
    let (_, link) = visit.link(token, invitations::find)?;
    present(visit, token, &link)
}

fn present(visit: &Visit<'_>, token: &str, link: &ActivationLink) -> Result<Response> {
    let body = match link {
        ActivationLink::Open(_) if visit.enroller().is_ok() => return stop(visit, 200, token),
        ActivationLink::Open(open) => return draw(visit, 200, token, open, &known(open)),
        ActivationLink::AlreadyActive => views::already_active(),
        ActivationLink::Replaced => views::replaced(),
        ActivationLink::Withdrawn { ask, .. } => views::withdrawn(ask.as_ref()),
        ActivationLink::Expired(expired) => past(visit, token, expired),
    };
    layout::page(visit, 410, &Page::new(TITLE, Place::Elsewhere), &body)
}

/// Somebody is signed in already: the link is for somebody else.
fn stop(visit: &Visit<'_>, status: u16, token: &str) -> Result<Response> {
    let email = &visit.enroller()?.email;
    let page = Page::new(TITLE, Place::Elsewhere);
    let body = views::signed_in_as(email, token, &visit.csrf());
    layout::page(visit, status, &page, &body)
}

fn draw(
    visit: &Visit<'_>,
    status: u16,
    token: &str,
    open: &OpenInvitation,
    form: &Form,
) -> Result<Response> {
    let organisation = open.organisation();
    let activation = views::Activation {
        token,
        invited_by: open.invited_by.as_ref(),
        organisation: organisation.name.as_str(),
        role: open.account().role,
        email: address(open)?,
        until: time::when(open.expires_at, visit.now, &organisation.zone()),
        form,
    };
    let page = Page::new(TITLE, Place::Elsewhere).with_errors(form.has_problems());
    let body = views::activate(&activation, &visit.csrf());
    layout::page(visit, status, &page, &body)
}

/// The form as it begins: with what whoever invited them knew already.
fn known(open: &OpenInvitation) -> Form {
    let account = open.account();
    let name = account.name.as_ref().map(ToString::to_string);
    let phone = account.phone.as_ref().map(Phone::spaced);
    let fields = [("name", name), ("phone", phone)];
    let filled = fields
        .into_iter()
        .filter_map(|(field, text)| Some((field.to_owned(), text?)));
    Form::new(Fields::of(filled.collect()))
}

fn address(open: &OpenInvitation) -> Result<&Email> {
    open.account().email.as_ref().ok_or(Error::NotFound)
}

/// A link past its time, and asking for a new one.
fn past(visit: &Visit<'_>, token: &str, expired: &Expired) -> Markup {
    let zone = TimeZone::get(&expired.time_zone).unwrap_or(TimeZone::UTC);
    let asking = visit
        .query("asked")
        .map_or(Asking::Possible, |_| Asking::Done);
    let page = views::Expired {
        token,
        since: time::when(expired.at, visit.now, &zone),
        asking,
    };
    views::expired(&page, &visit.csrf())
}

/// Sets name and password: the account is Active. Signs nobody in.
pub fn accept(visit: &Visit<'_>, token: &str) -> Result<Response> {
    let mut form = visit.form(&[
        "email",
        "name",
        "phone",
        "password",
        "password_confirmation",
    ])?;
    let (secret, link) = visit.link(token, invitations::find)?;
    let ActivationLink::Open(open) = &link else {
        record_dead(visit, &link)?;
        return present(visit, token, &link);
    };
    if visit.enroller().is_ok() {
        visit.record_refusal("refused")?;
        return stop(visit, 403, token);
    }
    let email = address(open)?;
    check_fixed(&form, email)?;
    let name = form.get::<PersonName>("name");
    let phone = form.optional::<Phone>("phone");
    let about = [email.local(), name.as_ref().map_or("", PersonName::as_str)];
    let password = chosen(&mut form, &about);
    let (Some(name), Some(password), false) = (name, password, form.has_problems()) else {
        return draw(visit, 422, token, open, &form);
    };
    let hash = hashed(visit, &password)?;
    let acceptance = Acceptance { name, phone, hash };
    match visit.write(|tx| invitations::accept(tx, &visit.by(), &secret, &acceptance)) {
        Ok(email) => Ok(visit.to_sign_in(
            &email,
            "Your account is active. Sign in with your new password.",
        )),
        // Somebody was faster, or the invitation was taken back: the link's own page says which.
        Err(error @ Error::Gone(_)) => {
            visit.record_refusal(error.code())?;
            show(visit, token)
        }
        Err(error) => Err(error),
    }
}

/// A link that opens nothing any more stands in the log when it was tried: for want of a right with the account.
fn record_dead(visit: &Visit<'_>, link: &ActivationLink) -> Result<()> {
    let ActivationLink::Withdrawn { account, .. } = link else {
        return visit.record_refusal("gone");
    };
    let event = Event::of(account.organisation, Action::InvitationRefused)
        .on(account.id, account.label())
        .with("role", account.role.key());
    visit.app.refuse(visit.now, &visit.by(), &event)
}

/// The invitee of an expired link asks for a new one. The answer is the same whether or not a mail goes.
pub fn ask(visit: &Visit<'_>, token: &str) -> Result<Response> {
    visit.form(&[])?;
    let (secret, link) = visit.link(token, invitations::find)?;
    if matches!(link, ActivationLink::Expired(_)) {
        visit.write_if(|tx| invitations::ask(tx, &visit.by(), &secret))?;
    }
    let page = Route::Activate(token.to_owned());
    Ok(Response::see_other(&format!("{page}?asked=yes")))
}
