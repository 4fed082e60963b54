//! The frame around every page: navigation by rights, what was just done, and the error page.

use maud::{Markup, html};

use crate::app::{Mode, who_may};
use crate::domain::id::AccountId;
use crate::domain::role::Permission;
use crate::error::{Error, Result};
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::frame::{Head, Split, document, split};
use crate::kit::html::icon::Icon;
use crate::kit::html::notice::{note, toast};
use crate::kit::html::shell::{Entry, Group, Keys, Shell, Who, shell};
use crate::kit::http::response::Response;
use crate::outbox;
use crate::routes::{HelpTopic, Route};
use crate::scope::Scope;
use crate::visit::Visit;

/// Which entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first page.
    Dashboard,
    /// Accounts and roles.
    Iam,
    /// The outbox.
    Mail,
    /// None of them.
    Elsewhere,
}

/// What a page says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    /// "Accounts · IAM"; the organisation's or the Portal's name follows.
    pub title: &'p str,
    /// Where it belongs.
    pub place: Place,
    /// Whether a form on it was refused.
    pub has_errors: bool,
}

impl<'p> Page<'p> {
    /// A page without errors.
    #[must_use]
    pub const fn new(title: &'p str, place: Place) -> Self {
        Self {
            title,
            place,
            has_errors: false,
        }
    }

    /// The same, when the form on it was refused.
    #[must_use]
    pub const fn with_errors(self, has_errors: bool) -> Self {
        Self { has_errors, ..self }
    }
}

/// The hue of an account's avatar: one of six, always the same.
#[must_use]
pub fn hue(id: AccountId) -> u8 {
    u8::try_from(id.number().rem_euclid(6)).unwrap_or_default()
}

/// A page for whoever asks, as the answer to their request.
pub fn page(visit: &Visit<'_>, status: u16, page: &Page<'_>, body: &Markup) -> Result<Response> {
    let flash = visit.flash();
    let markup = draw(visit, page, flash.as_deref(), body)?;
    let mut response = Response::html(status, markup.into_string());
    if flash.is_some() {
        response = response.with("Set-Cookie", &visit.app.settings.transport.clear("flash"));
    }
    Ok(visit.with_visitor(response))
}

/// Draws it: with the navigation when signed in, beside the doorway when not.
fn draw(visit: &Visit<'_>, page: &Page<'_>, flash: Option<&str>, body: &Markup) -> Result<Markup> {
    match visit.scope() {
        Some(scope) if !is_for_strangers(visit.route) => signed_in(visit, scope, page, flash, body),
        Some(_) | None => Ok(stranger(visit, page, flash, body)),
    }
}

/// Pages that show nothing of an organisation, whoever looks at them.
const fn is_for_strangers(route: &Route) -> bool {
    matches!(
        route,
        Route::SignIn
            | Route::SetUpHelp
            | Route::SetUp(_)
            | Route::Activate(_)
            | Route::AskForLink(_)
            | Route::ForgotPassword
            | Route::ResetPassword(_)
    )
}

fn signed_in(
    visit: &Visit<'_>,
    scope: &Scope,
    page: &Page<'_>,
    flash: Option<&str>,
    body: &Markup,
) -> Result<Markup> {
    let csrf = visit.csrf();
    let title = format!("{} · {}", page.title, scope.organisation_name);
    let unsent = if scope.permissions.has(Permission::UsersManage) {
        visit.read(|read| Ok(outbox::unsent(read, scope.organisation)?))?
    } else {
        0
    };
    let (dashboard, accounts, mail) = (
        Route::Dashboard.to_string(),
        Route::Accounts.to_string(),
        Route::Mail.to_string(),
    );
    let help = Route::Help(HelpTopic::AddASubAccount).to_string();
    let entry = |label, href, icon, place, key| Entry {
        label,
        href,
        icon,
        current: page.place == place,
        waiting: None,
        key: Some(key),
    };
    let mut main = vec![entry(
        "Dashboard",
        dashboard.as_str(),
        Icon::LayoutDashboard,
        Place::Dashboard,
        'd',
    )];
    if scope.permissions.has(Permission::UsersList) {
        main.push(entry(
            "IAM",
            accounts.as_str(),
            Icon::Users,
            Place::Iam,
            'a',
        ));
    }
    let mut organisation = Vec::new();
    if scope.permissions.has(Permission::UsersManage) {
        let waiting = u64::try_from(unsent).ok().filter(|count| *count > 0);
        organisation.push(Entry {
            waiting: waiting.map(|count| (count, "waiting or failed")),
            ..entry("Mail", mail.as_str(), Icon::Mail, Place::Mail, 'm')
        });
    }
    let groups: Vec<Group<'_>> = [(None, &main), (Some("Organisation"), &organisation)]
        .into_iter()
        .filter(|(_, entries)| !entries.is_empty())
        .map(|(label, entries)| Group { label, entries })
        .collect();
    let own = [Entry {
        label: "Help",
        href: &help,
        icon: Icon::Info,
        current: false,
        waiting: None,
        key: None,
    }];
    let initials = scope.name.initials();
    let frame = Shell {
        brand: scope.organisation_name.as_str(),
        sub: &visit.app.settings.brand,
        home: &dashboard,
        ribbon: (visit.app.settings.mode == Mode::Demo).then_some("Demo"),
        groups: &groups,
        who: Who {
            name: scope.name.as_str(),
            sub: scope.role.label(),
            initials: &initials,
            hue: hue(scope.account),
            entries: &own,
            csrf: &csrf,
            sign_out: &Route::SignOut.to_string(),
            theme_action: &Route::Theme.to_string(),
            theme: visit.theme(),
        },
        banner: banner(visit, scope),
        toast: flash,
        keys: Keys::On,
    };
    let head = Head {
        title: &title,
        theme: visit.theme(),
        has_errors: page.has_errors,
    };
    Ok(document(&head, &shell(&frame, body)))
}

/// What stands above every page: the operator's warning, and a gain that waits for the next sign-in.
fn banner(visit: &Visit<'_>, scope: &Scope) -> Option<Markup> {
    let gains = !scope.permissions.include(scope.role.permissions());
    if visit.app.settings.warning.is_none() && !gains {
        return None;
    }
    Some(html! {
        @if let Some(warning) = visit.app.settings.warning { (note(Tone::Warn, &html! { p { (warning) } })) }
        @if gains {
            (note(Tone::Plain, &html! { p { "Your permission is now " (scope.role) ". Sign out and in to use it." } }))
        }
    })
}

fn stranger(visit: &Visit<'_>, page: &Page<'_>, flash: Option<&str>, body: &Markup) -> Markup {
    let brand = &visit.app.settings.brand;
    let title = format!("{} · {brand}", page.title);
    let help = Route::Help(HelpTopic::AddASubAccount);
    let frame = Split {
        brand,
        home: &Route::SignIn.to_string(),
        panel: html! {
            p { "One person, one account." }
            p { "Clean audit logs for who did what, and each role with just the rights it needs." }
        },
        foot: Some(html! { a href=(help) { "Help signing in" } }),
    };
    let inside = html! {
        @if let Some(warning) = visit.app.settings.warning { (note(Tone::Warn, &html! { p { (warning) } })) }
        (body)
    };
    let head = Head {
        title: &title,
        theme: visit.theme(),
        has_errors: page.has_errors,
    };
    document(
        &head,
        &html! {
            (split(&frame, &inside))
            @if let Some(text) = flash { (toast(text)) }
        },
    )
}

/// Draws what went wrong: what happened, what to do next, and the id to quote.
pub fn error(visit: &Visit<'_>, error: &Error) -> Response {
    let words = words(visit, error);
    let (label, way_on) = way_on(visit, error);
    let body = html! {
        section.stack {
            h1 { (words.title) }
            p { (words.sentence) }
            @if let Some(kept) = kept(visit, error) { (kept) }
            p { (Button::link(label, &way_on).primary()) }
            p.hint { "Request " code { (visit.request_id) } }
        }
    };
    let response = match page(
        visit,
        error.status(),
        &Page::new(words.title, Place::Elsewhere),
        &body,
    ) {
        Ok(response) => response,
        // The frame itself needs the file; without it the words must do.
        Err(_) => Response::text(
            error.status(),
            format!("{}\n{}\n", words.title, words.sentence),
        ),
    };
    match error {
        Error::TooMany { retry_after, .. } => {
            response.with("Retry-After", &(*retry_after).max(1).to_string())
        }
        Error::Busy => response.with("Retry-After", "2"),
        _ => response,
    }
}

/// The same for programs: `{code, message, request_id}` and the field, where one is to blame.
#[must_use]
pub fn error_json(visit: &Visit<'_>, error: &Error) -> Response {
    let words = words(visit, error);
    let mut body = serde_json::json!({
        "code": error.code(),
        "message": words.sentence,
        "request_id": visit.request_id,
    });
    if let (Error::Invalid { field, sentence }, Some(body)) = (error, body.as_object_mut()) {
        body.insert("fields".to_owned(), serde_json::json!({ *field: sentence }));
    }
    Response::json(error.status(), body.to_string())
}

struct Words {
    title: &'static str,
    sentence: String,
}

fn words(visit: &Visit<'_>, error: &Error) -> Words {
    let (title, sentence) = match error {
        Error::NotFound => ("There is nothing here", "The address may be mistyped, or what was here is gone.".to_owned()),
        Error::Forbidden(permission) => ("You cannot open this", forbidden(visit, *permission)),
        Error::Refused(sentence) => ("This cannot be done", sentence.clone()),
        Error::Stale => (
            "The form has expired",
            "The page was open too long, or you signed in or out meanwhile. What you typed is kept below.".to_owned(),
        ),
        Error::SignInFirst => ("Sign in first", "Sign in, and you will come back here.".to_owned()),
        Error::Malformed(sentence) => ("This request cannot be read", (*sentence).to_owned()),
        Error::Invalid { sentence, .. } => ("Something is missing", sentence.clone()),
        Error::Gone(sentence) => ("This link no longer works", sentence.clone()),
        Error::TooMany { sentence, .. } => ("Too many tries", sentence.clone()),
        Error::Busy => ("Too busy just now", "Everything is taken for a moment. Nothing was saved. Try again in a few seconds.".to_owned()),
        Error::Internal(_) => ("Something broke here", "Nothing was saved. Try again; if it stays so, tell whoever runs this Portal the request below.".to_owned()),
    };
    Words { title, sentence }
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
        who_may(permission)
    )
}

/// One way on for every refusal.
fn way_on(visit: &Visit<'_>, error: &Error) -> (&'static str, String) {
    match (error, visit.scope()) {
        (Error::Stale | Error::TooMany { .. } | Error::Busy, _) => {
            ("Try again", visit.request.path.clone())
        }
        (_, Some(_)) => ("Back to the dashboard", Route::Dashboard.to_string()),
        (_, None) => ("To the sign-in page", Route::SignIn.to_string()),
    }
}

/// What was typed into a form that had expired, to be copied into a fresh one; never a password.
fn kept(visit: &Visit<'_>, error: &Error) -> Option<Markup> {
    if !matches!(error, Error::Stale) {
        return None;
    }
    let typed: Vec<(&str, &str)> = ["email", "name", "phone", "organisation"]
        .into_iter()
        .filter_map(|name| {
            visit
                .body
                .get(name)
                .filter(|text| !text.is_empty())
                .map(|text| (name, text))
        })
        .collect();
    (!typed.is_empty()).then(|| {
        html! { dl.details { @for (name, text) in typed { div { dt { (name) } dd { (text) } } } } }
    })
}
