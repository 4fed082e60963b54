//! Which handler answers which route, and nothing else.

use subtle::ConstantTimeEq;

use crate::app::App;
use crate::audit::export::Format;
use crate::error::Result;
use crate::error_page;
use crate::kit::http::request::{Method, Request};
use crate::kit::http::response::Response;
use crate::kit::throttle::{Subject, Wait};
use crate::routes::Route;
use crate::visit::Visit;
use crate::watch::{self, Health};
use crate::{
    accounts, audit, billing, dashboard, erasing, help, imports, invitations, leaving, lifecycle,
    outbox, ownership, passwords, profile, resources, roles, selection, sessions, settings, setup,
    two_factor,
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
        Route::DisableAccount(id) => leaving::pages::confirm_disable(visit, *id),
        Route::EnableAccount(id) => lifecycle::pages::confirm_enable(visit, *id),
        Route::EraseAccount(id) => erasing::pages::confirm(visit, *id),
        Route::DeleteAccount(id) => leaving::pages::confirm_delete(visit, *id),
        Route::SignOutAccount(id) => lifecycle::pages::confirm_sign_out(visit, *id),
        Route::ResetAccountPassword(id) => lifecycle::pages::confirm_reset(visit, *id),
        Route::ResetAccountTwoFactor(id) => lifecycle::pages::confirm_two_factor_reset(visit, *id),
        Route::TwoFactor => two_factor::pages::show(visit),
        Route::Settings => settings::pages::show(visit),
        Route::Resources => resources::pages::index(visit),
        Route::ResourcesCsv => resources::pages::csv(visit),
        Route::Audit => audit::pages::index(visit),
        Route::AuditEvent(number) => audit::pages::show(visit, *number),
        Route::AuditCsv => audit::pages::export(visit, Format::Csv),
        Route::AuditJsonl => audit::pages::export(visit, Format::Jsonl),
        Route::NewResource => resources::pages::new(visit),
        Route::Resource(id) => resources::pages::show(visit, *id),
        Route::DescribeResource(id) => resources::pages::edit(visit, *id),
        Route::ChangePlan(id) => resources::pages::choose_plan(visit, *id),
        Route::HandOver(id) => resources::pages::choose_holder(visit, *id),
        Route::HandOverAll(id) => resources::pages::choose_heir(visit, *id),
        Route::EndResource(id) => resources::pages::confirm_end(visit, *id),
        Route::Billing => billing::pages::index(visit),
        Route::BillingCsv => billing::pages::csv(visit),
        Route::Invoice(number) => billing::pages::show(visit, *number),
        Route::InvoiceCsv(number) => billing::pages::invoice_csv(visit, *number),
        Route::Profile => profile::pages::show(visit),
        Route::ProfileData => profile::pages::export(visit),
        Route::ConfirmEmail(token) => profile::pages::confirm_email(visit, token),
        Route::Import => imports::pages::new(visit),
        Route::ImportList(id) => imports::pages::show(visit, *id),
        Route::ImportCsv(id) => imports::pages::csv(visit, *id),
        Route::Roles => roles::pages::index(visit),
        Route::Role(role) => roles::pages::show(visit, *role),
        Route::Mail => outbox::pages::index(visit),
        Route::Errand(id) => outbox::pages::show(visit, *id),
        Route::ErrandBody(id) => outbox::pages::body(visit, *id),
        Route::Help(topic) => help::pages::show(visit, *topic),
        Route::SignOut
        | Route::AskForLink(_)
        | Route::SelectedAccounts
        | Route::KeepAccount(_)
        | Route::ResendInvitation(_)
        | Route::CopyLink(_)
        | Route::TestMail
        | Route::RetryFailed
        | Route::BeginImport(_)
        | Route::DiscardImport(_)
        | Route::StopImport(_)
        | Route::RetryErrand(_)
        | Route::SaveGeneral
        | Route::SaveSecurity
        | Route::SavePolicy
        | Route::SaveBilling
        | Route::SaveDomains
        | Route::PutFirstStepsAway
        | Route::SaveBudget
        | Route::PayInvoice(_)
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
        | Route::Theme => Ok(error_page::not_allowed(visit, "POST")),
        Route::Asset(_) | Route::Healthz | Route::Readyz | Route::Metrics => {
            Err(crate::error::Error::NotFound)
        }
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
        Route::SelectedAccounts => selection::pages::select(visit),
        Route::KeepAccount(id) => leaving::pages::cancel(visit, *id),
        Route::ResendInvitation(id) => invitations::pages::resend(visit, *id),
        Route::CopyLink(id) => invitations::pages::copy_link(visit, *id),
        Route::ChangeRole(id) => lifecycle::pages::change_role(visit, *id),
        Route::DisableAccount(id) => leaving::pages::disable(visit, *id),
        Route::EnableAccount(id) => lifecycle::pages::enable(visit, *id),
        Route::EraseAccount(id) => erasing::pages::erase(visit, *id),
        Route::DeleteAccount(id) => leaving::pages::delete(visit, *id),
        Route::SignOutAccount(id) => lifecycle::pages::sign_out(visit, *id),
        Route::ResetAccountPassword(id) => lifecycle::pages::reset_password(visit, *id),
        Route::ResetAccountTwoFactor(id) => lifecycle::pages::reset_two_factor(visit, *id),
        Route::Import => imports::pages::judge(visit),
        Route::BeginImport(id) => imports::pages::begin(visit, *id),
        Route::DiscardImport(id) => imports::pages::discard(visit, *id),
        Route::StopImport(id) => imports::pages::stop(visit, *id),
        Route::TwoFactor => two_factor::pages::begin(visit),
        Route::ConfirmTwoFactor => two_factor::pages::confirm(visit),
        Route::DisableTwoFactor => two_factor::pages::disable(visit),
        Route::RenewCodes => two_factor::pages::renew_codes(visit),
        Route::SavePolicy => settings::pages::save_policy(visit),
        Route::SaveBilling => settings::pages::save_billing(visit),
        Route::SaveDomains => settings::pages::save_domains(visit),
        Route::PutFirstStepsAway => dashboard::pages::put_first_steps_away(visit),
        Route::NewResource => resources::pages::create(visit),
        Route::DescribeResource(id) => resources::pages::describe(visit, *id),
        Route::ChangePlan(id) => resources::pages::change_plan(visit, *id),
        Route::HandOver(id) => resources::pages::hand_over(visit, *id),
        Route::HandOverAll(id) => resources::pages::hand_over_all(visit, *id),
        Route::EndResource(id) => resources::pages::end(visit, *id),
        Route::SaveBudget => billing::pages::save_budget(visit),
        Route::PayInvoice(number) => billing::pages::pay(visit, *number),
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
        Route::TestMail => outbox::pages::send_test(visit),
        Route::RetryFailed => outbox::pages::retry_all(visit),
        Route::RetryErrand(id) => outbox::pages::retry(visit, *id),
        Route::Theme => sessions::pages::theme(visit),
        Route::Dashboard
        | Route::SetUpHelp
        | Route::NewAccount
        | Route::Account(_)
        | Route::ImportList(_)
        | Route::ImportCsv(_)
        | Route::Roles
        | Route::Role(_)
        | Route::Mail
        | Route::Errand(_)
        | Route::ErrandBody(_)
        | Route::Settings
        | Route::Resources
        | Route::ResourcesCsv
        | Route::Resource(_)
        | Route::Billing
        | Route::BillingCsv
        | Route::Invoice(_)
        | Route::InvoiceCsv(_)
        | Route::Audit
        | Route::AuditEvent(_)
        | Route::AuditCsv
        | Route::AuditJsonl
        | Route::Profile
        | Route::ProfileData
        | Route::Help(_)
        | Route::Asset(_)
        | Route::Healthz
        | Route::Readyz
        | Route::Metrics => Ok(error_page::not_allowed(visit, "GET, HEAD")),
    }
}

/// There is such an address, but not for that method; these it takes.
#[must_use]
pub fn not_allowed(allow: &str) -> Response {
    Response::text(405, "This address does not take that method.\n").with("Allow", allow)
}

/// The process lives: every thread is there and none is stuck.
#[must_use]
pub fn healthz(app: &App) -> Response {
    told(&watch::live(app), "ok")
}

/// The process can work: besides, the file can be read and written, and is ours. A relay in trouble, a backup that is
/// missing, a log that grows, a disk that is nearly full are degradations, and said in the body.
#[must_use]
pub fn readyz(app: &App) -> Response {
    told(&watch::ready(app), "ready")
}

fn told(health: &Health, well: &str) -> Response {
    let status = if health.is_well() { 200 } else { 503 };
    Response::json(status, health.json(well))
}

/// The metrics at the public address, for whoever shows the token. Where there is none, or none is shown, there is nothing
/// here: `None`.
#[must_use]
pub fn metrics(app: &App, request: &Request) -> Option<Response> {
    let token = app.settings.metrics_token.as_ref()?;
    let shown = request.header("authorization")?.strip_prefix("Bearer ")?;
    let guesses = [Subject::Links(request.client)];
    let too_many = |wait: Wait| {
        Response::text(429, "Too many wrong tokens. Try again later.\n")
            .with("Retry-After", &wait.seconds.to_string())
    };
    let now = app.now();
    if let Some(wait) = app.throttle.would_wait(&guesses, now) {
        return Some(too_many(wait));
    }
    if !bool::from(shown.as_bytes().ct_eq(token.reveal().as_bytes())) {
        // Only the wrong ones are counted: what is counted is written down, and scrapes are for ever.
        return Some(match app.throttle.take(&guesses, now) {
            Ok(_counted) => Response::text(401, "This is not the token of metrics_token.\n")
                .with("WWW-Authenticate", "Bearer"),
            Err(wait) => too_many(wait),
        });
    }
    Some(match request.method {
        Method::Get | Method::Head => scrape(app),
        Method::Post => not_allowed("GET, HEAD"),
    })
}

/// The metrics at the address of their own, where nothing else is served.
#[must_use]
pub fn metrics_alone(app: &App, request: &Request) -> Response {
    match (Route::parse(&request.path), request.method) {
        (Some(Route::Metrics), Method::Get | Method::Head) => scrape(app),
        (Some(Route::Metrics), Method::Post) => not_allowed("GET, HEAD"),
        _ => Response::text(404, "Here are only /metrics.\n"),
    }
}

fn scrape(app: &App) -> Response {
    watch::scrape::answer(app).unwrap_or_else(|error| {
        tracing::error!(err = %error, "the metrics could not be gathered");
        Response::text(
            503,
            "The metrics could not be gathered; the log says why.\n",
        )
    })
}
