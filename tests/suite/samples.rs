//! One of every route, made from real rows: for the tests that go everywhere.

use doorward::domain::day::LastDay;
use doorward::domain::id::{AccountId, EmailChangeId, ErrandId, ImportId, ResetId, SessionId};
use doorward::domain::role::Role;
use doorward::imports;
use doorward::kit::http::assets::PORTAL_CSS;
use doorward::leaving::{self, Wishes};
use doorward::lifecycle;
use doorward::passwords;
use doorward::profile;
use doorward::routes::{HelpTopic, Route};
use jiff::tz::TimeZone;

use crate::portal::Portal;
use crate::visitor::Visitor;
use crate::wares;

/// How many routes there are.
pub(crate) const ROUTES: usize = 89;

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
        Route::TestMail => 23,
        Route::RetryFailed => 24,
        Route::Errand(_) => 25,
        Route::RetryErrand(_) => 26,
        Route::ErrandBody(_) => 27,
        Route::Settings => 28,
        Route::SaveGeneral => 29,
        Route::SaveSecurity => 30,
        Route::OfferOwnership => 31,
        Route::WithdrawOwnership => 32,
        Route::AcceptOwnership => 33,
        Route::DeclineOwnership => 34,
        Route::Profile => 35,
        Route::SaveProfile => 36,
        Route::SavePreferences => 37,
        Route::ChangePassword => 38,
        Route::ChangeEmail => 39,
        Route::ConfirmEmail(_) => 40,
        Route::EndSession(_) => 41,
        Route::EndOtherSessions => 42,
        Route::Theme => 43,
        Route::Help(_) => 44,
        Route::Asset(_) => 45,
        Route::Healthz => 46,
        Route::Readyz => 47,
        Route::SignInCode => 48,
        Route::SignInLink(_) => 49,
        Route::ResetAccountTwoFactor(_) => 50,
        Route::SavePolicy => 51,
        Route::TwoFactor => 52,
        Route::ConfirmTwoFactor => 53,
        Route::DisableTwoFactor => 54,
        Route::RenewCodes => 55,
        Route::Metrics => 56,
        Route::SaveBilling => 57,
        Route::Resources => 58,
        Route::ResourcesCsv => 59,
        Route::NewResource => 60,
        Route::Resource(_) => 61,
        Route::DescribeResource(_) => 62,
        Route::ChangePlan(_) => 63,
        Route::HandOver(_) => 64,
        Route::EndResource(_) => 65,
        Route::HandOverAll(_) => 66,
        Route::Billing => 67,
        Route::BillingCsv => 68,
        Route::SaveBudget => 69,
        Route::Invoice(_) => 70,
        Route::InvoiceCsv(_) => 71,
        Route::PayInvoice(_) => 72,
        Route::EraseAccount(_) => 73,
        Route::SaveDomains => 74,
        Route::PutFirstStepsAway => 75,
        Route::SelectedAccounts => 76,
        Route::KeepAccount(_) => 77,
        Route::ProfileData => 78,
        Route::Import => 79,
        Route::ImportList(_) => 80,
        Route::BeginImport(_) => 81,
        Route::DiscardImport(_) => 82,
        Route::StopImport(_) => 83,
        Route::ImportCsv(_) => 84,
        Route::Audit => 85,
        Route::AuditEvent(_) => 86,
        Route::AuditCsv => 87,
        Route::AuditJsonl => 88,
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
        25 => Route::Errand(errand(portal, pending())),
        26 => Route::RetryErrand(failed(portal, errand(portal, pending()))),
        23 => Route::TestMail,
        24 => {
            failed(portal, errand(portal, pending()));
            Route::RetryFailed
        }
        27 => Route::ErrandBody(sent(portal, errand(portal, pending()))),
        28 => Route::Settings,
        29 => Route::SaveGeneral,
        30 => Route::SaveSecurity,
        31 => Route::OfferOwnership,
        32 => Route::WithdrawOwnership,
        33 => Route::AcceptOwnership,
        34 => Route::DeclineOwnership,
        35 => Route::Profile,
        36 => Route::SaveProfile,
        37 => Route::SavePreferences,
        38 => Route::ChangePassword,
        39 => Route::ChangeEmail,
        40 => Route::ConfirmEmail(email_link(portal, owner)),
        41 => Route::EndSession(other_session(owner)),
        42 => Route::EndOtherSessions,
        43 => Route::Theme,
        44 => Route::Help(HelpTopic::AddASubAccount),
        45 => Route::parse(PORTAL_CSS).unwrap(),
        46 => Route::Healthz,
        47 => Route::Readyz,
        48 => Route::SignInCode,
        49 => Route::SignInLink(sign_in_link(portal, active(portal, owner))),
        50 => Route::ResetAccountTwoFactor(protected(portal, owner)),
        51 => Route::SavePolicy,
        52 => Route::TwoFactor,
        53 => Route::ConfirmTwoFactor,
        54 => Route::DisableTwoFactor,
        55 => Route::RenewCodes,
        56 => Route::Metrics,
        57 => Route::SaveBilling,
        58 => Route::Resources,
        59 => Route::ResourcesCsv,
        60 => {
            wares::stocked(portal);
            Route::NewResource
        }
        61 => Route::Resource(resource()),
        62 => Route::DescribeResource(resource()),
        63 => Route::ChangePlan(resource()),
        64 => Route::HandOver(resource()),
        65 => Route::EndResource(resource()),
        66 => Route::HandOverAll(active(portal, owner)),
        67 => Route::Billing,
        68 => Route::BillingCsv,
        69 => Route::SaveBudget,
        70 => Route::Invoice(invoice()),
        71 => Route::InvoiceCsv(invoice()),
        72 => Route::PayInvoice(invoice()),
        73 => Route::EraseAccount(deleted(portal, owner)),
        74 => Route::SaveDomains,
        75 => Route::PutFirstStepsAway,
        76 => Route::SelectedAccounts,
        77 => Route::KeepAccount(leaving(portal, owner)),
        78 => Route::ProfileData,
        79 => Route::Import,
        80 => Route::ImportList(begun(portal, owner)),
        81 => Route::BeginImport(list(portal, owner)),
        82 => Route::DiscardImport(list(portal, owner)),
        83 => Route::StopImport(begun(portal, owner)),
        84 => Route::ImportCsv(begun(portal, owner)),
        85 => Route::Audit,
        86 => Route::AuditEvent(1),
        87 => Route::AuditCsv,
        88 => Route::AuditJsonl,
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

/// A member who was deleted.
fn deleted(portal: &Portal, owner: &Visitor) -> AccountId {
    let id = active(portal, owner);
    let app = portal.app();
    app.write(app.now(), |tx| lifecycle::delete(tx, &owner.allowed(), id))
        .unwrap();
    id
}

/// A member whose last day is set.
fn leaving(portal: &Portal, owner: &Visitor) -> AccountId {
    let id = active(portal, owner);
    let app = portal.app();
    let last = LastDay::read("2027-06-30", app.now(), &TimeZone::UTC).unwrap();
    app.write(app.now(), |tx| {
        leaving::set_last_day(tx, &owner.allowed(), id, last, &Wishes::default())
    })
    .unwrap();
    id
}

/// The token of the link that gives the owner another address.
pub(crate) fn email_link(portal: &Portal, owner: &Visitor) -> String {
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

/// A list with one new person, which the owner has not confirmed yet.
fn list(portal: &Portal, owner: &Visitor) -> ImportId {
    let number =
        portal.ask::<i64>("SELECT count(*) FROM audit_events WHERE action = 'import.checked'")[0];
    let entry = imports::Entry {
        line: 1,
        email: format!("listed{number}@fjord.example"),
        ..imports::Entry::default()
    };
    let app = portal.app();
    let terms = app.settings.terms;
    app.write(app.now(), |tx| {
        imports::check(tx, &owner.allowed(), &[entry], Role::Member, terms)
    })
    .unwrap()
}

/// The same, being worked through.
fn begun(portal: &Portal, owner: &Visitor) -> ImportId {
    let (app, id) = (portal.app(), list(portal, owner));
    app.write_if(app.now(), |tx| imports::begin(tx, &owner.allowed(), id))
        .unwrap()
        .unwrap();
    id
}
