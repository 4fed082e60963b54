//! Where a request comes in: panic guard, host, session, right of way, form proof, dispatch, errors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::app::App;
use crate::audit::Action;
use crate::dispatch;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::token::Token;
use crate::error::{Error, Result};
use crate::error_page;
use crate::kit::db::unpoisoned;
use crate::kit::http::assets;
use crate::kit::http::fields::{Fields, decode_path, encode};
use crate::kit::http::request::{Method, Request};
use crate::kit::http::response::Response;
use crate::kit::log::{self, Access};
use crate::kit::probe::{self, Came};
use crate::kit::random;
use crate::kit::time::Timestamp;
use crate::routes::{self, Route};
use crate::scope::Holder;
use crate::sessions;
use crate::visit::{Opened, Visit};

/// Answers one request. Never panics, and never answers before what it acknowledges is on the disk.
pub fn handle(app: &App, request: &Request) -> Response {
    let started = app.elapsed();
    let request_id = request_id(app);
    let _lines = log::on_request(&request_id);
    tell_of_disbelief(app, request);
    let answer = catch_unwind(AssertUnwindSafe(|| answer(app, request, &request_id)));
    let answered = answer.unwrap_or_else(|_| {
        tracing::error!("a handler panicked");
        Answered::by_nobody("panic", broken((app, request, &request_id)))
    });
    let took = app.elapsed().saturating_sub(started);
    let status = answered.response.status;
    let method = request.method.name();
    app.metrics.answered(answered.route, method, status, took);
    let is_worth_a_line = match app.access.get() {
        Access::All => true,
        Access::Writes => request.method == Method::Post || status >= 500,
        Access::Off => false,
    };
    if is_worth_a_line {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (account, org) = answered.who.unzip();
        tracing::info!(
            method,
            route = answered.route,
            status,
            duration_ms = took,
            ip = %request.client,
            account = account.map(tracing::field::display),
            org = org.map(tracing::field::display),
            "answered"
        );
    }
    answered.response
}

/// An answer, and what the log says of it.
struct Answered {
    /// The pattern of the address.
    route: &'static str,
    /// Who asked, where we know.
    who: Who,
    response: Response,
}

impl Answered {
    const fn by_nobody(route: &'static str, response: Response) -> Self {
        Self {
            route,
            who: None,
            response,
        }
    }
}

fn request_id(app: &App) -> String {
    // An id is a convenience: without randomness the request fails where it needs some.
    random::bytes::<10>(app.random()).map_or_else(
        |_| "none".to_owned(),
        |bytes| data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase(),
    )
}

fn answer(app: &App, request: &Request, request_id: &str) -> Answered {
    let mut route = match decode_path(&request.path) {
        None => {
            let page = error_page::bare(
                (app, request, request_id),
                400,
                "This address cannot be read",
                &["It holds signs that no address of ours has. Check it for typing mistakes."],
            );
            return Answered::by_nobody("bad path", page);
        }
        Some(_) => Route::parse(&request.path),
    };
    if let Some(known) = &route
        && let Some(response) = plain(app, request, known)
    {
        return Answered::by_nobody(known.name(), response);
    }
    // Whoever shows no token is told what anybody is told of an address that is not there.
    route = route.filter(|route| *route != Route::Metrics);
    if let Some(refusal) = unknown_host(app, request, request_id) {
        return Answered::by_nobody("unknown host", refusal);
    }
    let name = route.as_ref().map_or("unknown", Route::name);
    let (who, response) = in_visit(app, request, request_id, route.as_ref());
    Answered {
        route: name,
        who,
        response,
    }
}

/// Assets are the same for everybody, and health is asked by machines that know no name.
fn plain(app: &App, request: &Request, route: &Route) -> Option<Response> {
    let is_post = request.method == Method::Post;
    match route {
        Route::Metrics => dispatch::metrics(app, request),
        Route::Asset(_) | Route::Healthz | Route::Readyz if is_post => {
            Some(dispatch::not_allowed("GET, HEAD"))
        }
        Route::Asset(name) => {
            let answer = assets::answer(name, request.header("accept-encoding"));
            Some(answer.unwrap_or_else(|| Response::text(404, "There is no such file.\n")))
        }
        Route::Healthz => Some(probed(app, request).unwrap_or_else(|| dispatch::healthz(app))),
        Route::Readyz => Some(dispatch::readyz(app)),
        _ => None,
    }
}

/// A proxy that is not believed hides everybody behind its own address, so that all share one throttle. Said once an
/// hour, since anybody can send that header.
fn tell_of_disbelief(app: &App, request: &Request) {
    const PAUSE: Duration = Duration::from_secs(3_600);
    let Some(came) = came(request) else {
        return;
    };
    if came.entries == 0 || came.is_trusted || request.header(probe::HEADER).is_some() {
        return;
    }
    let now = app.elapsed();
    let mut said_at = unpoisoned(&app.disbelieved_at);
    if said_at.is_none_or(|at| now.saturating_sub(at) >= PAUSE) {
        *said_at = Some(now);
        tracing::warn!(
            peer = %came.peer,
            "X-Forwarded-For is not believed: trusted_proxies does not name the address it came from; if that is your \
             proxy, add it"
        );
    }
}

/// How a request came, where the gate says so.
fn came(request: &Request) -> Option<Came> {
    request.header(probe::CAME_HEADER)?.parse().ok()
}

/// The answer to a question of this install itself: that it is the same, and how requests arrive here. Anybody else's
/// question is answered as if it had not been asked.
fn probed(app: &App, request: &Request) -> Option<Response> {
    let header = request.header(probe::HEADER)?;
    let question = probe::Question::from_header(header, app.keys(), app.now())?;
    let came = came(request)?;
    let host = host_name(request.header("host").unwrap_or_default());
    let answer = serde_json::json!({
        "proof": question.proof(app.keys()),
        "version": env!("CARGO_PKG_VERSION"),
        "came": came.to_string(),
        "client": request.client.to_string(),
        "host": host,
        "is_host_known": is_known(app, request),
    });
    Some(Response::json(200, answer.to_string()))
}

/// A name we are not known by: somebody else's page, or a setting that is missing.
fn unknown_host(app: &App, request: &Request, request_id: &str) -> Option<Response> {
    if is_known(app, request) {
        return None;
    }
    Some(error_page::bare(
        (app, request, request_id),
        421,
        "This Portal is not known by the name you used",
        &[
            "Open it by the address that you were given.",
            "If you run it: set public_url to the address people type, as in public_url = \"https://portal.example.com\".",
        ],
    ))
}

fn is_known(app: &App, request: &Request) -> bool {
    let host = host_name(request.header("host").unwrap_or_default());
    let mut hosts = app.settings.hosts.iter();
    hosts.any(|known| known.eq_ignore_ascii_case(host))
}

/// What broke where not even a visit could be drawn.
fn broken(asked: (&App, &Request, &str)) -> Response {
    error_page::bare(
        asked,
        500,
        "Something broke here",
        &[
            "Nothing was saved. Try again; if it stays so, tell whoever runs this Portal the request below.",
        ],
    )
}

/// A Host or authority without its port.
fn host_name(host: &str) -> &str {
    if let Some(end) = host.find(']') {
        return host.get(..=end).unwrap_or(host);
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

/// Who asked, as account and organisation.
type Who = Option<(AccountId, OrganisationId)>;

fn in_visit(
    app: &App,
    request: &Request,
    request_id: &str,
    route: Option<&Route>,
) -> (Who, Response) {
    let now = app.now();
    let place = route.unwrap_or(&Route::Dashboard);
    let (holder, lost) = split(find_holder(app, request, now));
    let (body, unreadable) = split(read_body(request));
    let opened = Opened {
        now,
        request_id: request_id.to_owned(),
        body: body.unwrap_or_default(),
        holder: holder.flatten(),
    };
    let visit = match Visit::new(app, request, place, opened) {
        Ok(visit) => visit,
        Err(error) => {
            tracing::error!(err = %error, "a visit could not begin");
            return (None, broken((app, request, request_id)));
        }
    };
    let who = visit.who();
    let result = match (lost.or(unreadable), route) {
        (Some(error), _) => Err(error),
        // There is nothing here that could be refused: whoever tries addresses fills no log.
        (None, None) => return (who, tell(&visit, &Error::NotFound)),
        (None, Some(route)) => admit(&visit, route).and_then(|()| dispatch::to(&visit, route)),
    };
    let response = visit.with_renewed(result.unwrap_or_else(|error| refuse(&visit, &error)));
    (who, response)
}

fn split<T>(result: Result<T>) -> (Option<T>, Option<Error>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}

fn read_body(request: &Request) -> Result<Fields> {
    match request.method {
        Method::Post => Fields::parse(&request.body).ok_or(Error::Malformed(
            "The form cannot be read: it is not UTF-8, or holds too many fields.",
        )),
        Method::Get | Method::Head => Ok(Fields::default()),
    }
}

/// Finds out who asks: by the session's cookie, or else by the challenge's.
fn find_holder(app: &App, request: &Request, now: Timestamp) -> Result<Option<(Holder, Token)>> {
    if let Some(token) = carried(app, request, "session") {
        let hash = token.hash();
        let found = app.read(now, |read| {
            sessions::find(read, &hash, app.settings.lifetimes)
        })?;
        if let Some(found) = found {
            if found.is_stale(now) {
                // Reading goes on when nothing can be written; the last use is then simply older.
                if let Err(error) =
                    app.housekeep(now, |tx| sessions::touch(tx, &hash, found.account))
                {
                    tracing::warn!(err = %error, "the last use was not written down");
                }
            }
            return Ok(Some((found.holder, token)));
        }
    }
    let Some(token) = carried(app, request, "challenge") else {
        return Ok(None);
    };
    let half = app.read(now, |read| Ok(sessions::find_half(read, &token.hash())?))?;
    Ok(half.map(|half| (Holder::Half(half), token)))
}

fn carried(app: &App, request: &Request, name: &str) -> Option<Token> {
    let text = app.settings.transport.read(request, name)?;
    text.parse().ok()
}

/// Who may come to this route at all, and whether a form that does something is ours.
fn admit(visit: &Visit<'_>, route: &Route) -> Result<()> {
    if visit.request.method == Method::Post {
        check_origin(visit)?;
    }
    match route.access() {
        routes::Access::Public => {}
        routes::Access::Halfway => {
            if visit.half().is_none() {
                return Err(Error::SignInFirst);
            }
        }
        routes::Access::Enrolling => {
            visit.enroller()?;
        }
        routes::Access::SignedIn => {
            visit.signed_in()?;
        }
        routes::Access::With(permission) => {
            if !visit.signed_in()?.permissions.has(permission) {
                return Err(Error::Forbidden(permission));
            }
        }
    }
    // Whoever signs out of a session that is over needs no proof: there is nothing left to do.
    let is_needless =
        *route == Route::SignOut && visit.half().is_none() && visit.enroller().is_err();
    if visit.request.method == Method::Post && !is_needless && !visit.has_csrf() {
        return Err(Error::Stale);
    }
    Ok(())
}

/// A form from elsewhere is refused before anything else is looked at: by Origin, by Sec-Fetch-Site, and for the
/// browsers that send neither by Referer.
fn check_origin(visit: &Visit<'_>) -> Result<()> {
    let request = visit.request;
    let is_ours = |origin: &str| {
        let Some((scheme, rest)) = origin.split_once("://") else {
            return false;
        };
        let host = host_name(rest.split('/').next().unwrap_or_default());
        let scheme_ours = visit
            .app
            .settings
            .public_url
            .split("://")
            .next()
            .unwrap_or_default();
        scheme.eq_ignore_ascii_case(scheme_ours)
            && visit
                .app
                .settings
                .hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(host))
    };
    let has = |name: &str| request.headers.iter().any(|(n, _)| n == name);
    let site = request.header("sec-fetch-site");
    let trusted = match request.header("origin") {
        Some(origin) => is_ours(origin) && site.is_none_or(|site| site == "same-origin"),
        None if has("origin") => false,
        None if has("sec-fetch-site") => matches!(site, Some("same-origin" | "none")),
        None if has("referer") => request.header("referer").is_some_and(is_ours),
        None => true,
    };
    if trusted { Ok(()) } else { Err(Error::Stale) }
}

/// Turns an error into its page, and records what was refused.
fn refuse(visit: &Visit<'_>, error: &Error) -> Response {
    record(visit, error);
    tell(visit, error)
}

fn tell(visit: &Visit<'_>, error: &Error) -> Response {
    match error {
        Error::SignInFirst => return to_sign_in(visit),
        Error::CodeFirst => return to_step(visit, &Route::SignInCode),
        Error::EnrolFirst => return to_step(visit, &Route::TwoFactor),
        _ => {}
    }
    let trouble = match error {
        Error::Internal(cause) => Some((cause, "internal error")),
        Error::Disk(cause) => Some((cause, "the disk takes nothing")),
        _ => None,
    };
    if let Some((cause, words)) = trouble {
        tracing::error!(route = visit.route.name(), err = %cause, "{words}");
    }
    let accept = visit.request.header("accept").unwrap_or_default();
    if accept.contains("application/json") && !accept.contains("text/html") {
        return error_page::json(visit, error);
    }
    error_page::page(visit, error)
}

fn to_sign_in(visit: &Visit<'_>) -> Response {
    if *visit.route == Route::SignInCode {
        // The second step is behind whoever is signed in, and its time is over for everybody else.
        return match visit.enroller() {
            Ok(_) => visit.redirect(&Route::Dashboard),
            Err(_) => visit.redirect_with(
                &Route::SignIn,
                "Sign in again: the code was not entered in time.",
            ),
        };
    }
    if *visit.route == Route::ConfirmTwoFactor && visit.request.method == Method::Post {
        // Another window was faster, or the same one was sent twice; or the session was idle for too long.
        return visit.redirect_with(
            &Route::SignIn,
            "You are signed out here. If 2-step verification was enabled a moment ago, sign in with a code of the phone \
             that enabled it. If not, sign in and begin again.",
        );
    }
    to_step(visit, &Route::SignIn)
}

/// To the step that is missing, from which the page that was asked for can be come back to.
fn to_step(visit: &Visit<'_>, step: &Route) -> Response {
    // Only a page can be come back to; what a form would have done is not done unasked.
    let page = match (visit.request.method, &visit.request.query) {
        (Method::Post, _) => return visit.redirect(step),
        (Method::Get | Method::Head, Some(query)) => format!("{}?{query}", visit.request.path),
        (Method::Get | Method::Head, None) => visit.request.path.clone(),
    };
    if *visit.route == Route::Dashboard && visit.request.query.is_none() {
        return visit.redirect(step);
    }
    Response::see_other(&format!("{step}?next={}", encode(&page)))
}

/// Refusals are deeds too: they stand in the audit log, unless the handler wrote them itself. Looking for what is not
/// there is no deed; wanting to do something to it is.
fn record(visit: &Visit<'_>, error: &Error) {
    let action = match error {
        Error::Forbidden(_) | Error::Refused(_) | Error::TooMany { .. } => Action::Denied,
        Error::NotFound | Error::Gone(_) if visit.request.method == Method::Post => Action::Denied,
        Error::Stale => Action::FormRefused,
        Error::Malformed(_) => Action::RequestMalformed,
        Error::NotFound
        | Error::SignInFirst
        | Error::CodeFirst
        | Error::EnrolFirst
        | Error::Invalid { .. }
        | Error::Gone(_)
        | Error::Busy
        | Error::Disk(_)
        | Error::Internal(_) => return,
    };
    let event = visit.refusal(action, error.code());
    let event = match error {
        Error::Forbidden(permission) => event.with("permission", permission.key()),
        _ => event,
    };
    if let Err(error) = visit.app.refuse(visit.now, &visit.by(), &event) {
        tracing::error!(err = %error, "a refusal could not be recorded");
    }
}
