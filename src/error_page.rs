//! What a visitor sees when something was refused or went wrong: what happened, one way on, and the id to quote.
//!
//! Never the cause of what is our fault, and never a password that was typed.

use maud::{Markup, html};

use crate::app::App;
use crate::domain::role::{Permission, who_may};
use crate::error::Error;
use crate::kit::html::button::Button;
use crate::kit::html::frame;
use crate::kit::html::stats::details;
use crate::kit::http::request::{Method, Request};
use crate::kit::http::response::Response;
use crate::layout::{self, Page, Place};
use crate::routes::{HelpTopic, Route};
use crate::visit::Visit;

/// Draws what went wrong: what happened, what to do next, and the id to quote.
pub fn page(visit: &Visit<'_>, error: &Error) -> Response {
    let kept = kept(visit, error);
    let words = words(visit, error, kept.as_ref());
    let (label, way_on) = way_on(visit, error);
    let body = html! {
        section.stack.narrow {
            h1 { (words.title) }
            p { (words.sentence) }
            @if let Some(kept) = kept { (kept) }
            div.row { (Button::link(label, &way_on).primary()) }
            @if let Error::Forbidden(_) = error {
                p { a href=(Route::Help(HelpTopic::SubAccountPermissions)) { "What each role may do" } }
            }
            p.hint { "Request " code { (visit.request_id) } }
        }
    };
    let response = match layout::page(
        visit,
        error.status(),
        &Page::new(words.title, Place::Elsewhere),
        &body,
    ) {
        Ok(response) => response,
        // The frame itself needs the file; without it the words must do.
        Err(_) => Response::text(
            error.status(),
            format!(
                "{}\n{}\nRequest {}\n",
                words.title, words.sentence, visit.request_id
            ),
        ),
    };
    with_patience(response, error)
}

/// An address that only takes what a form sends was typed, or was left in the address bar after a refusal; or the other way
/// round. These are the methods it takes.
#[must_use]
pub fn not_allowed(visit: &Visit<'_>, allow: &str) -> Response {
    // What is named in the address may not be theirs to know of.
    let (label, way_on) = if visit.route.name().contains('{') {
        ("Back to the dashboard", Route::Dashboard.to_string())
    } else {
        ("To the form", page_of(visit))
    };
    let body = html! {
        section.stack.narrow {
            h1 { "Nothing to see here" }
            p { "This address only does something when a form is sent to it." }
            div.row { (Button::link(label, &way_on).primary()) }
            p.hint { "Request " code { (visit.request_id) } }
        }
    };
    let page = Page::new("Nothing to see here", Place::Elsewhere);
    let is_asked = visit.request.method != Method::Post && wants_page(visit.request);
    let drawn = is_asked.then(|| layout::page(visit, 405, &page, &body));
    let response = match drawn {
        Some(Ok(response)) => response,
        Some(Err(_)) | None => Response::text(405, "This address does not take that method.\n"),
    };
    response.with("Allow", allow)
}

/// What is refused before it is known who asks: what happened, and what to do. Whoever did not ask for a page gets the words.
#[must_use]
pub fn bare(
    (app, request, request_id): (&App, &Request, &str),
    status: u16,
    title: &str,
    sentences: &[&str],
) -> Response {
    if !wants_page(request) {
        let words = sentences.join("\n");
        return Response::text(status, format!("{title}.\n{words}\nRequest {request_id}\n"));
    }
    let home = Route::Dashboard.to_string();
    let body = html! {
        section.stack.narrow {
            h1 { (title) }
            @for sentence in sentences { p { (sentence) } }
            // Under a name that is not ours the first page would say the same.
            @if status != 421 { div.row { (Button::link("To the first page", &home).primary()) } }
            p.hint { "Request " code { (request_id) } }
        }
    };
    let page = frame::plain(&app.settings.brand, &home, title, &body);
    Response::html(status, page.into_string())
}

fn wants_page(request: &Request) -> bool {
    let accept = request.header("accept").unwrap_or_default();
    accept.contains("text/html")
}

/// The same for programs: `{code, message, request_id}` and the field, where one is to blame.
#[must_use]
pub fn json(visit: &Visit<'_>, error: &Error) -> Response {
    let words = words(visit, error, None);
    let mut body = serde_json::json!({
        "code": error.code(),
        "message": words.sentence,
        "request_id": visit.request_id,
    });
    if let (Error::Invalid { field, sentence }, Some(body)) = (error, body.as_object_mut()) {
        body.insert("fields".to_owned(), serde_json::json!({ *field: sentence }));
    }
    with_patience(Response::json(error.status(), body.to_string()), error)
}

/// Says when to come back, where coming back helps.
fn with_patience(response: Response, error: &Error) -> Response {
    match error {
        Error::TooMany { retry_after, .. } => {
            response.with("Retry-After", &(*retry_after).max(1).to_string())
        }
        Error::Busy => response.with("Retry-After", "2"),
        Error::Disk(_) => response.with("Retry-After", "60"),
        _ => response,
    }
}

struct Words {
    title: &'static str,
    sentence: String,
}

fn words(visit: &Visit<'_>, error: &Error, kept: Option<&Markup>) -> Words {
    let (title, sentence) = match error {
        Error::NotFound if is_link(visit.route) => (
            "This link does not work",
            "It may have been cut in two on its way, or it is gone. Open it from the mail once more, or copy all of it. \
             If that does not help, ask whoever sent it for a new one."
                .to_owned(),
        ),
        Error::NotFound => (
            "There is nothing here",
            "The address may be mistyped, or what was here is gone.".to_owned(),
        ),
        Error::Forbidden(permission) => (cannot(visit), forbidden(visit, *permission)),
        Error::Refused(sentence) => ("This cannot be done", sentence.clone()),
        Error::Stale => ("The form has expired", stale(kept)),
        Error::CodeFirst | Error::EnrolFirst => (
            "One step is missing",
            "Your second factor comes first; then you can come back here.".to_owned(),
        ),
        Error::SignInFirst => (
            "Sign in first",
            "Sign in, and you will come back here.".to_owned(),
        ),
        Error::Malformed(sentence) => ("This request cannot be read", (*sentence).to_owned()),
        Error::Invalid { sentence, .. } => ("This cannot be taken", sentence.clone()),
        Error::Gone(sentence) => ("This link no longer works", sentence.clone()),
        Error::TooMany { sentence, .. } => ("Too many tries", sentence.clone()),
        Error::Busy => (
            "Too busy just now",
            "Everything is taken for a moment. Nothing was saved. Try again in a few seconds."
                .to_owned(),
        ),
        Error::Disk(_) => (
            "Nothing can be saved just now",
            "The server's disk takes nothing. What you typed was not saved. Try again in a minute; if it stays so, tell \
             whoever runs this Portal."
                .to_owned(),
        ),
        Error::Internal(_) => (
            "Something broke here",
            "Nothing was saved. Try again; if it stays so, tell whoever runs this Portal the request below."
                .to_owned(),
        ),
    };
    Words { title, sentence }
}

/// What is out of reach, by its name where it is a page that others have in their menu.
const fn cannot(visit: &Visit<'_>) -> &'static str {
    if matches!(visit.request.method, Method::Post) {
        return "You cannot do this";
    }
    match visit.route {
        Route::Accounts | Route::NewAccount => "You cannot open Accounts",
        Route::Roles | Route::Role(_) => "You cannot open Roles",
        Route::Account(_) => "You cannot open this account",
        Route::Resources | Route::Resource(_) => "You cannot open Resources",
        Route::Billing | Route::BillingCsv => "You cannot open Billing",
        Route::Invoice(_) | Route::InvoiceCsv(_) => "You cannot open this invoice",
        Route::Mail | Route::Errand(_) => "You cannot open Mail",
        Route::Settings => "You cannot open Settings",
        _ => "You cannot open this",
    }
}

const fn is_link(route: &Route) -> bool {
    matches!(
        route,
        Route::Activate(_)
            | Route::AskForLink(_)
            | Route::ResetPassword(_)
            | Route::SignInLink(_)
            | Route::ConfirmEmail(_)
    )
}

fn stale(kept: Option<&Markup>) -> String {
    let sentence =
        "The page was open too long, or you signed in or out meanwhile. Nothing was saved.";
    if kept.is_some() {
        format!("{sentence} What you typed is kept below, to be copied into a fresh form.")
    } else {
        format!("{sentence} Open the form again.")
    }
}

fn forbidden(visit: &Visit<'_>, permission: Permission) -> String {
    let Some(scope) = visit.scope() else {
        return "Sign in with an account that may.".to_owned();
    };
    let masters = visit
        .read(|read| Ok(crate::accounts::masters_active(read, scope.organisation)?))
        .unwrap_or_default();
    let ask = masters
        .iter()
        .filter(|master| master.id != scope.account)
        .find_map(|master| master.name.as_ref())
        .map_or_else(
            || "Ask a Master.".to_owned(),
            |name| format!("Ask {name}, Master."),
        );
    format!(
        "Your role is {}. This needs the permission “{}”, which {} has. {ask}",
        scope.role,
        permission.label(),
        who_may(permission, scope.managers)
    )
}

/// One way on for every refusal.
fn way_on(visit: &Visit<'_>, error: &Error) -> (&'static str, String) {
    match (error, visit.scope()) {
        (Error::Stale, _) => ("Open the form again", form_of(visit)),
        (Error::TooMany { .. } | Error::Busy | Error::Disk(_), _) => ("Try again", form_of(visit)),
        (_, Some(_)) => ("Back to the dashboard", Route::Dashboard.to_string()),
        // Nothing else can be reached before the step that is missing.
        (_, None) if visit.half().is_some() => ("Enter the code", Route::SignInCode.to_string()),
        (_, None) if visit.must_enrol() => {
            ("Enable 2-step verification", Route::TwoFactor.to_string())
        }
        (_, None) => ("To the sign-in page", Route::SignIn.to_string()),
    }
}

/// The page to come back to: what was asked for, or the page whose form was sent.
fn form_of(visit: &Visit<'_>) -> String {
    if visit.request.method != Method::Post {
        // The route as we write it, never the path as it was sent: that one may lead elsewhere.
        return match &visit.request.query {
            Some(query) => format!("{}?{query}", visit.route),
            None => visit.route.to_string(),
        };
    }
    page_of(visit)
}

/// The page whose form is sent to this address; the address itself where it is a page.
fn page_of(visit: &Visit<'_>) -> String {
    let page = match visit.route {
        Route::SignOut | Route::Theme | Route::PutFirstStepsAway => Route::Dashboard,
        Route::AskForLink(token) => Route::Activate(token.clone()),
        Route::Accounts => Route::NewAccount,
        Route::SaveGeneral
        | Route::SaveSecurity
        | Route::SavePolicy
        | Route::SaveBilling
        | Route::SaveDomains
        | Route::OfferOwnership
        | Route::WithdrawOwnership
        | Route::AcceptOwnership
        | Route::DeclineOwnership => Route::Settings,
        Route::SaveProfile
        | Route::SavePreferences
        | Route::ChangePassword
        | Route::ChangeEmail
        | Route::EndSession(_)
        | Route::EndOtherSessions => Route::Profile,
        Route::ConfirmTwoFactor | Route::DisableTwoFactor | Route::RenewCodes => Route::TwoFactor,
        Route::SelectedAccounts => Route::Accounts,
        Route::ResendInvitation(id) | Route::CopyLink(id) | Route::KeepAccount(id) => {
            Route::Account(*id)
        }
        Route::TestMail | Route::RetryFailed => Route::Mail,
        Route::RetryErrand(id) => Route::Errand(*id),
        Route::SaveBudget => Route::Billing,
        Route::PayInvoice(number) => Route::Invoice(*number),
        other => other.clone(),
    };
    page.to_string()
}

/// What was typed into a form that had expired, to be copied into a fresh one; never a password.
fn kept(visit: &Visit<'_>, error: &Error) -> Option<Markup> {
    if !matches!(error, Error::Stale) {
        return None;
    }
    let typed: Vec<(&str, Markup)> = [
        ("organisation", "Organisation"),
        ("name", "Name"),
        ("email", "Email"),
        ("phone", "Phone"),
        ("note", "Note"),
        ("address", "Address"),
        ("vat_number", "VAT number"),
        ("domains", "Email domains"),
        ("budget", "Budget"),
        ("reference", "Reference"),
    ]
    .into_iter()
    .filter_map(|(field, label)| Some((label, visit.body.get(field)?)))
    .filter(|(_, text)| !text.is_empty())
    .map(|(label, text)| (label, html! { span.lines { (text) } }))
    .collect();
    (!typed.is_empty()).then(|| details(&typed))
}
