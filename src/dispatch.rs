//! Which handler answers which route, and nothing else.

use crate::app::App;
use crate::error::Result;
use crate::kit::db::unpoisoned;
use crate::kit::http::request::Method;
use crate::kit::http::response::Response;
use crate::routes::Route;
use crate::visit::Visit;
use crate::{
    accounts, dashboard, help, invitations, lifecycle, outbox, ownership, passwords, profile,
    roles, sessions, settings, setup, two_factor,
};

/// The answer of the route's handler. HEAD is answered as GET; the server leaves the body out.
pub fn to(visit: &Visit<'_>, route: &Route) -> Result<Response> {
    match visit.request.method {
        Method::Get | Method::Head => show(visit, route),
        Method::Post => act(visit, route),
    }
}

fn show(visit: &Visit<'_>, route: &Route) -> Result<Response> {
    match route {
        Route::Dashboard => dashboard::pages::show(visit),
        Route::SignIn => sessions::pages::new(visit),
        Route::SignInCode => two_factor::pages::ask(visit),
        Route::SignInLink(token) => sessions::pages::show_link(visit, token),
        Route::SetUpHelp => setup::pages::index(visit),
        Route::SetUp(token) => setup::pages::new(visit, token),
        Route::Activate(token) => invitations::pages::show(visit, token),
        Route::ForgotPassword => passwords::pages::new(visit),
        Route::ResetPassword(token) => passwords::pages::edit(visit, token),
        Route::Accounts => accounts::pages::index(visit),
        Route::NewAccount => invitations::pages::new(visit),
        Route::Account(id) => accounts::pages::show(visit, *id),
        Route::ChangeRole(id) => lifecycle::pages::choose_role(visit, *id),
        Route::DisableAccount(id) => lifecycle::pages::confirm_disable(visit, *id),
        Route::EnableAccount(id) => lifecycle::pages::confirm_enable(visit, *id),
        Route::DeleteAccount(id) => lifecycle::pages::confirm_delete(visit, *id),
        Route::SignOutAccount(id) => lifecycle::pages::confirm_sign_out(visit, *id),
        Route::ResetAccountPassword(id) => lifecycle::pages::confirm_reset(visit, *id),
        Route::ResetAccountTwoFactor(id) => lifecycle::pages::confirm_two_factor_reset(visit, *id),
        Route::TwoFactor => two_factor::pages::show(visit),
        Route::Settings => settings::pages::show(visit),
        Route::Profile => profile::pages::show(visit),
        Route::ConfirmEmail(token) => profile::pages::confirm_email(visit, token),
        Route::Roles => roles::pages::index(visit),
        Route::Role(role) => roles::pages::show(visit, *role),
        Route::Mail => outbox::pages::index(visit),
        Route::Errand(id) => outbox::pages::show(visit, *id),
        Route::ErrandBody(id) => outbox::pages::body(visit, *id),
        Route::Help(topic) => help::pages::show(visit, *topic),
        Route::SignOut
        | Route::AskForLink(_)
        | Route::ResendInvitation(_)
        | Route::CopyLink(_)
        | Route::RetryErrand(_)
        | Route::SaveGeneral
        | Route::SaveSecurity
        | Route::SavePolicy
        | Route::ConfirmTwoFactor
        | Route::DisableTwoFactor
        | Route::RenewCodes
        | Route::OfferOwnership
        | Route::WithdrawOwnership
        | Route::AcceptOwnership
        | Route::DeclineOwnership
        | Route::SaveProfile
        | Route::SavePreferences
        | Route::ChangePassword
        | Route::ChangeEmail
        | Route::EndSession(_)
        | Route::EndOtherSessions
        | Route::Theme => Ok(not_allowed("POST")),
        Route::Asset(_) | Route::Healthz | Route::Readyz => Err(crate::error::Error::NotFound),
    }
}

fn act(visit: &Visit<'_>, route: &Route) -> Result<Response> {
    match route {
        Route::SignIn => sessions::pages::create(visit),
        Route::SignInCode => two_factor::pages::pass(visit),
        Route::SignInLink(token) => sessions::pages::use_link(visit, token),
        Route::SignOut => sessions::pages::delete(visit),
        Route::SetUp(token) => setup::pages::create(visit, token),
        Route::Activate(token) => invitations::pages::accept(visit, token),
        Route::AskForLink(token) => invitations::pages::ask(visit, token),
        Route::ForgotPassword => passwords::pages::create(visit),
        Route::ResetPassword(token) => passwords::pages::update(visit, token),
        Route::Accounts => invitations::pages::create(visit),
        Route::ResendInvitation(id) => invitations::pages::resend(visit, *id),
        Route::CopyLink(id) => invitations::pages::copy_link(visit, *id),
        Route::ChangeRole(id) => lifecycle::pages::change_role(visit, *id),
        Route::DisableAccount(id) => lifecycle::pages::disable(visit, *id),
        Route::EnableAccount(id) => lifecycle::pages::enable(visit, *id),
        Route::DeleteAccount(id) => lifecycle::pages::delete(visit, *id),
        Route::SignOutAccount(id) => lifecycle::pages::sign_out(visit, *id),
        Route::ResetAccountPassword(id) => lifecycle::pages::reset_password(visit, *id),
        Route::ResetAccountTwoFactor(id) => lifecycle::pages::reset_two_factor(visit, *id),
        Route::TwoFactor => two_factor::pages::begin(visit),
        Route::ConfirmTwoFactor => two_factor::pages::confirm(visit),
        Route::DisableTwoFactor => two_factor::pages::disable(visit),
        Route::RenewCodes => two_factor::pages::renew_codes(visit),
        Route::SavePolicy => settings::pages::save_policy(visit),
        Route::SaveGeneral => settings::pages::save_general(visit),
        Route::SaveSecurity => settings::pages::save_security(visit),
        Route::OfferOwnership => ownership::pages::offer(visit),
        Route::WithdrawOwnership => ownership::pages::withdraw(visit),
        Route::AcceptOwnership => ownership::pages::accept(visit),
        Route::DeclineOwnership => ownership::pages::decline(visit),
        Route::SaveProfile => profile::pages::save_profile(visit),
        Route::SavePreferences => profile::pages::save_preferences(visit),
        Route::ChangePassword => profile::pages::change_password(visit),
        Route::ChangeEmail => profile::pages::ask_for_email(visit),
        Route::ConfirmEmail(token) => profile::pages::use_email_link(visit, token),
        Route::EndSession(id) => profile::pages::end_session(visit, *id),
        Route::EndOtherSessions => profile::pages::end_others(visit),
        Route::RetryErrand(id) => outbox::pages::retry(visit, *id),
        Route::Theme => sessions::pages::theme(visit),
        Route::Dashboard
        | Route::SetUpHelp
        | Route::NewAccount
        | Route::Account(_)
        | Route::Roles
        | Route::Role(_)
        | Route::Mail
        | Route::Errand(_)
        | Route::ErrandBody(_)
        | Route::Settings
        | Route::Profile
        | Route::Help(_)
        | Route::Asset(_)
        | Route::Healthz
        | Route::Readyz => Ok(not_allowed("GET, HEAD")),
    }
}

/// There is such an address, but not for that method; these it takes.
#[must_use]
pub fn not_allowed(allow: &str) -> Response {
    Response::text(405, "This address does not take that method.\n").with("Allow", allow)
}

/// The process lives.
#[must_use]
pub fn healthz(app: &App) -> Response {
    health(app, "ok")
}

/// The process can work: the database answers, the background thread moves, every thread that answers is there. A relay
/// in trouble is only a degradation, and said in the body.
#[must_use]
pub fn readyz(app: &App) -> Response {
    if let Err(error) = app.probe() {
        tracing::error!(err = %error, "not ready: the database does not answer");
        return Response::json(
            503,
            serde_json::json!({ "status": "failed", "failed": ["database"] }).to_string(),
        );
    }
    health(app, "ready")
}

/// How long the background thread may be silent: longer than one attempt at a mail, and then some.
const WORKER_SILENT_MAX: std::time::Duration = std::time::Duration::from_secs(150);

fn health(app: &App, well: &str) -> Response {
    let silent = app.elapsed().saturating_sub(*unpoisoned(&app.worked_at));
    let is_front_well = app.front.get().is_none_or(|is_well| is_well());
    let failed: Vec<&str> = [
        (silent > WORKER_SILENT_MAX, "worker"),
        (!is_front_well, "server"),
    ]
    .into_iter()
    .filter_map(|(is_dead, thread)| is_dead.then_some(thread))
    .collect();
    if !failed.is_empty() {
        return Response::json(
            503,
            serde_json::json!({ "status": "failed", "failed": failed }).to_string(),
        );
    }
    let degraded: Vec<&str> = [
        (unpoisoned(&app.trouble).is_some(), "mail"),
        (unpoisoned(&app.backup_trouble).is_some(), "backup"),
    ]
    .into_iter()
    .filter_map(|(is_troubled, what)| is_troubled.then_some(what))
    .collect();
    let status = if degraded.is_empty() {
        well
    } else {
        "degraded"
    };
    Response::json(
        200,
        serde_json::json!({ "status": status, "degraded": degraded }).to_string(),
    )
}
