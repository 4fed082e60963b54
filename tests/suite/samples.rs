//! One of every route, made from real rows: for the tests that go everywhere.

use doorward::domain::id::{AccountId, EmailChangeId, ErrandId, ResetId, SessionId};
use doorward::domain::role::Role;
use doorward::kit::http::assets::PORTAL_CSS;
use doorward::lifecycle;
use doorward::passwords;
use doorward::profile;
use doorward::routes::{HelpTopic, Route};

use crate::portal::Portal;
use crate::visitor::Visitor;
use crate::wares;

/// How many routes there are.
pub(crate) const ROUTES: usize = 75;

/// Which of them a route is. A new route does not compile until it has its place here, and so in [`sample`].
const fn place(route: &Route) -> usize {
    match route {
        Route::Dashboard => 0,
        Route::SignIn => 1,
        Route::SignOut => 2,
        Route::SetUpHelp => 3,
        Route::SetUp(_) => 4,
        Route::Activate(_) => 5,
        Route::AskForLink(_) => 6,
        Route::ForgotPassword => 7,
        Route::ResetPassword(_) => 8,
        Route::Accounts => 9,
        Route::NewAccount => 10,
        Route::Account(_) => 11,
        Route::ResendInvitation(_) => 12,
        Route::CopyLink(_) => 13,
        Route::ChangeRole(_) => 14,
        Route::DisableAccount(_) => 15,
        Route::EnableAccount(_) => 16,
        Route::DeleteAccount(_) => 17,
        Route::SignOutAccount(_) => 18,
        Route::ResetAccountPassword(_) => 19,
        Route::Roles => 20,
        Route::Role(_) => 21,
        Route::Mail => 22,
        Route::Errand(_) => 23,
        Route::RetryErrand(_) => 24,
        Route::ErrandBody(_) => 25,
        Route::Settings => 26,
        Route::SaveGeneral => 27,
        Route::SaveSecurity => 28,
        Route::OfferOwnership => 29,
        Route::WithdrawOwnership => 30,
        Route::AcceptOwnership => 31,
        Route::DeclineOwnership => 32,
        Route::Profile => 33,
        Route::SaveProfile => 34,
        Route::SavePreferences => 35,
        Route::ChangePassword => 36,
        Route::ChangeEmail => 37,
        Route::ConfirmEmail(_) => 38,
        Route::EndSession(_) => 39,
        Route::EndOtherSessions => 40,
        Route::Theme => 41,
        Route::Help(_) => 42,
        Route::Asset(_) => 43,
        Route::Healthz => 44,
        Route::Readyz => 45,
        Route::SignInCode => 46,
        Route::SignInLink(_) => 47,
        Route::ResetAccountTwoFactor(_) => 48,
        Route::SavePolicy => 49,
        Route::TwoFactor => 50,
        Route::ConfirmTwoFactor => 51,
        Route::DisableTwoFactor => 52,
        Route::RenewCodes => 53,
        Route::Metrics => 54,
        Route::SaveBilling => 55,
        Route::Resources => 56,
        Route::ResourcesCsv => 57,
        Route::NewResource => 58,
        Route::Resource(_) => 59,
        Route::DescribeResource(_) => 60,
        Route::ChangePlan(_) => 61,
        Route::HandOver(_) => 62,
        Route::EndResource(_) => 63,
        Route::HandOverAll(_) => 64,
        Route::Billing => 65,
        Route::BillingCsv => 66,
        Route::SaveBudget => 67,
        Route::Invoice(_) => 68,
        Route::InvoiceCsv(_) => 69,
        Route::PayInvoice(_) => 70,
        Route::Audit => 71,
        Route::AuditEvent(_) => 72,
        Route::AuditCsv => 73,
        Route::AuditJsonl => 74,
    }
}

/// The route of that place, with what it needs made for it alone: links that work, an account that is Pending, a
/// mail that failed. All of it belongs to the owner's organisation.
pub(crate) fn sample(portal: &Portal, owner: &Visitor, number: usize) -> Route {
    let pending = || pending(portal, owner);
    let resource = || wares::resource(portal, owner);
    let invoice = || wares::invoice(portal, owner);
    let route = match number {
        0 => Route::Dashboard,
        1 => Route::SignIn,
        2 => Route::SignOut,
        3 => Route::SetUpHelp,
        4 => Route::SetUp("s".repeat(43)),
        5 => Route::Activate(portal.link_of(owner, pending()).token.reveal()),
        6 => Route::AskForLink(expired(portal, owner)),
        7 => Route::ForgotPassword,
        8 => Route::ResetPassword(reset(portal, owner)),
        9 => Route::Accounts,
        10 => Route::NewAccount,
        11 => Route::Account(pending()),
        12 => Route::ResendInvitation(old(portal, pending())),
        13 => Route::CopyLink(pending()),
        14 => Route::ChangeRole(pending()),
        15 => Route::DisableAccount(active(portal, owner)),
        16 => Route::EnableAccount(disabled(portal, owner)),
        17 => Route::DeleteAccount(pending()),
        18 => Route::SignOutAccount(active(portal, owner)),
        19 => Route::ResetAccountPassword(active(portal, owner)),
        20 => Route::Roles,
        21 => Route::Role(Role::Admin),
        22 => Route::Mail,
        23 => Route::Errand(errand(portal, pending())),
        24 => Route::RetryErrand(failed(portal, errand(portal, pending()))),
        25 => Route::ErrandBody(sent(portal, errand(portal, pending()))),
        26 => Route::Settings,
        27 => Route::SaveGeneral,
        28 => Route::SaveSecurity,
        29 => Route::OfferOwnership,
        30 => Route::WithdrawOwnership,
        31 => Route::AcceptOwnership,
        32 => Route::DeclineOwnership,
        33 => Route::Profile,
        34 => Route::SaveProfile,
        35 => Route::SavePreferences,
        36 => Route::ChangePassword,
        37 => Route::ChangeEmail,
        38 => Route::ConfirmEmail(email_link(portal, owner)),
        39 => Route::EndSession(other_session(owner)),
        40 => Route::EndOtherSessions,
        41 => Route::Theme,
        42 => Route::Help(HelpTopic::AddASubAccount),
        43 => Route::parse(PORTAL_CSS).unwrap(),
        44 => Route::Healthz,
        45 => Route::Readyz,
        46 => Route::SignInCode,
        47 => Route::SignInLink(sign_in_link(portal, active(portal, owner))),
        48 => Route::ResetAccountTwoFactor(protected(portal, owner)),
        49 => Route::SavePolicy,
        50 => Route::TwoFactor,
        51 => Route::ConfirmTwoFactor,
        52 => Route::DisableTwoFactor,
        53 => Route::RenewCodes,
        54 => Route::Metrics,
        55 => Route::SaveBilling,
        56 => Route::Resources,
        57 => Route::ResourcesCsv,
        58 => {
            wares::stocked(portal);
            Route::NewResource
        }
        59 => Route::Resource(resource()),
        60 => Route::DescribeResource(resource()),
        61 => Route::ChangePlan(resource()),
        62 => Route::HandOver(resource()),
        63 => Route::EndResource(resource()),
        64 => Route::HandOverAll(active(portal, owner)),
        65 => Route::Billing,
        66 => Route::BillingCsv,
        67 => Route::SaveBudget,
        68 => Route::Invoice(invoice()),
        69 => Route::InvoiceCsv(invoice()),
        70 => Route::PayInvoice(invoice()),
        71 => Route::Audit,
        72 => Route::AuditEvent(1),
        73 => Route::AuditCsv,
        74 => Route::AuditJsonl,
        _ => panic!("there is no route {number}"),
    };
    assert_eq!(place(&route), number, "{route} is in the wrong place");
    route
}

/// One of every route.
pub(crate) fn all(portal: &Portal, owner: &Visitor) -> Vec<Route> {
    (0..ROUTES)
        .map(|number| sample(portal, owner, number))
        .collect()
}

fn pending(portal: &Portal, owner: &Visitor) -> AccountId {
    let number = portal.ask::<i64>("SELECT count(*) FROM accounts")[0];
    portal.invite(
        owner,
        Role::Member,
        &format!("pending{number}@fjord.example"),
    )
}

/// A link of yesterday.
fn expired(portal: &Portal, owner: &Visitor) -> String {
    let id = pending(portal, owner);
    let link = portal.link_of(owner, id);
    portal.tamper(&format!(
        "UPDATE invitations SET created_at = created_at - 90000, expires_at = expires_at - 90000 WHERE account_id = {}",
        id.number()
    ));
    link.token.reveal()
}

/// Invited a while ago: a link that was sent just now is not sent again.
fn old(portal: &Portal, id: AccountId) -> AccountId {
    portal.tamper(&format!(
        "UPDATE invitations SET created_at = created_at - 3600 WHERE account_id = {}",
        id.number()
    ));
    id
}

/// A link with which a member of their own sets another password.
fn reset(portal: &Portal, owner: &Visitor) -> String {
    let id = pending(portal, owner);
    portal.accept(&portal.link_of(owner, id), "Rolf Vik");
    let app = portal.app();
    let account = app
        .read(app.now(), |read| Ok(doorward::accounts::find(read, id)?))
        .unwrap()
        .unwrap();
    app.write(app.now(), |tx| {
        passwords::request_reset(tx, &owner.by(), &account)
    })
    .unwrap();
    let reset: Vec<ResetId> = portal.ask(&format!(
        "SELECT id FROM resets WHERE account_id = {}",
        id.number()
    ));
    let live = app.read(app.now(), |read| {
        passwords::live_token(read, app.keys(), reset[0])
    });
    let (token, _) = live.unwrap().unwrap();
    token.reveal()
}

/// A link by which the operator lets this account in.
fn sign_in_link(portal: &Portal, id: AccountId) -> String {
    let app = portal.app();
    let account = app
        .read(app.now(), |read| Ok(doorward::accounts::find(read, id)?))
        .unwrap()
        .unwrap();
    let link = app.write(app.now(), |tx| doorward::sessions::make_link(tx, &account));
    link.unwrap().token.reveal()
}

/// A member who is Active and has a second factor.
fn protected(portal: &Portal, owner: &Visitor) -> AccountId {
    let id = active(portal, owner);
    let emails: Vec<String> = portal.ask(&format!(
        "SELECT email FROM accounts WHERE id = {}",
        id.number()
    ));
    portal.signed_in(&emails[0]).enrol();
    id
}

/// A member who is Active.
fn active(portal: &Portal, owner: &Visitor) -> AccountId {
    let id = pending(portal, owner);
    portal.accept(&portal.link_of(owner, id), "Aud Vik");
    id
}

/// A member who was switched off.
fn disabled(portal: &Portal, owner: &Visitor) -> AccountId {
    let id = active(portal, owner);
    let app = portal.app();
    app.write(app.now(), |tx| lifecycle::disable(tx, &owner.allowed(), id))
        .unwrap();
    id
}

/// The link that gives the owner another address.
fn email_link(portal: &Portal, owner: &Visitor) -> String {
    let app = portal.app();
    let scope = owner.scope().unwrap();
    let proof = passwords::proof(scope.account);
    let number = portal.ask::<i64>("SELECT count(*) FROM email_changes")[0];
    let email = format!("new-owner{number}@fjord.example").parse().unwrap();
    app.write(app.now(), |tx| {
        profile::ask_for_email(tx, &owner.by(), &scope, &proof, &email)
    })
    .unwrap();
    let change: Vec<EmailChangeId> = portal.ask(&format!(
        "SELECT id FROM email_changes WHERE state = 'open' AND account_id = {}",
        scope.account.number()
    ));
    let live = app.read(app.now(), |read| {
        profile::live_token(read, app.keys(), change[0])
    });
    let (token, _, _) = live.unwrap().unwrap();
    token.reveal()
}

/// Another session of the owner.
fn other_session(owner: &Visitor) -> SessionId {
    let mut elsewhere = owner.elsewhere();
    elsewhere.sign_in();
    elsewhere.scope().unwrap().session
}

fn errand(portal: &Portal, to: AccountId) -> ErrandId {
    portal.ask(&format!(
        "SELECT id FROM errands WHERE account_id = {}",
        to.number()
    ))[0]
}

fn sent(portal: &Portal, id: ErrandId) -> ErrandId {
    portal.work();
    id
}

fn failed(portal: &Portal, id: ErrandId) -> ErrandId {
    portal.tamper(&format!(
        "UPDATE errands SET state = 'failed', ended_at = created_at, answer = '550 no such user' WHERE id = {}",
        id.number()
    ));
    id
}

#[test]
fn every_route_has_a_sample_that_reads_back_as_itself() {
    let portal = Portal::start();
    let owner = portal.owner();
    for route in all(&portal, &owner) {
        assert_eq!(Route::parse(&route.to_string()), Some(route));
    }
    portal.leave_mail();
}
