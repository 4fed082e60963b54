//! The review of rights: every route, every kind of visitor, looking and doing, and the status of each answer. What
//! must be answered stands in `access.txt`, written by hand: a change of who may do what is a change of that table.
//!
//! Forms are sent as our pages send them, rightly filled in, so that a refusal is one of rights. Ids and links are
//! those of the first organisation's own rows, made anew for each cell.

use doorward::domain::id::AccountId;
use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::passwords;
use doorward::routes::Route;
use doorward::scope::By;
use doorward::two_factor;

use crate::portal::{OWNER, PASSWORD, Portal};
use crate::samples::{ROUTES, sample};
use crate::visitor::Visitor;

const EXPECTED: &str = include_str!("access.txt");

/// What a password is changed to.
const ANOTHER: &str = "Another-Horse-8!";

/// The kinds of visitors, in the order of the table's columns.
const KINDS: [&str; 8] = [
    "stranger",
    "member",
    "billing",
    "admin",
    "master",
    "other",
    "half",
    "enrolling",
];

/// One of each kind but the stranger. `other` is the Master of another organisation; `half` and `enrolling` are Masters
/// too, so that nothing but their state limits them: the one owes the code, the other must set up a second factor first.
fn visitor(portal: &Portal, owner: &Visitor, kind: &str) -> Visitor {
    match kind {
        "stranger" => portal.visitor(),
        "other" => portal.organisation("Other"),
        "half" => {
            let mut person = portal.member_of(owner, Role::Master, "half@fjord.example");
            person.enrol();
            person
        }
        "enrolling" => {
            let person = portal.member_of(owner, Role::Master, "enrolling@fjord.example");
            portal.end_grace(&person.email);
            person
        }
        role => {
            let role: Role = role.parse().unwrap();
            portal.member_of(owner, role, &format!("{}@fjord.example", role.key()))
        }
    }
}

/// What a rightly filled in form of this route holds.
pub(crate) fn fields(
    portal: &Portal,
    route: &Route,
    visitor: &Visitor,
) -> Vec<(&'static str, String)> {
    let password = [("password", PASSWORD), ("password_confirmation", PASSWORD)];
    let with = |fields: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    };
    match route {
        Route::SignIn => {
            let email = if visitor.email.is_empty() {
                OWNER
            } else {
                &visitor.email
            };
            with(&[("email", email), ("password", PASSWORD)])
        }
        Route::SetUp(_) => [
            with(&[
                ("organisation", "Late"),
                ("name", "Lea"),
                ("email", "lea@late.example"),
                ("timezone", "Europe/Oslo"),
            ]),
            with(&password),
        ]
        .concat(),
        Route::Activate(_) => [
            with(&[("name", "Lea Fontaine"), ("phone", "")]),
            with(&password),
        ]
        .concat(),
        Route::ResetPassword(_) => with(&password),
        Route::ForgotPassword => with(&[("email", OWNER)]),
        Route::Accounts => {
            let number = portal.ask::<i64>("SELECT count(*) FROM accounts")[0];
            with(&[
                ("email", &format!("new{number}@fjord.example")),
                ("role", "member"),
            ])
        }
        Route::SelectedAccounts => {
            let owner = portal
                .ask::<AccountId>(&format!("SELECT id FROM accounts WHERE email = '{OWNER}'"));
            with(&[("account", &owner[0].to_string()), ("deed", "sign-out")])
        }
        Route::Import => {
            let number = portal.ask::<i64>("SELECT count(*) FROM accounts")[0];
            with(&[
                ("list", &format!("new{number}@fjord.example")),
                ("role", "member"),
            ])
        }
        Route::DeleteAccount(id) => {
            let email = portal.ask::<String>(&format!(
                "SELECT email FROM accounts WHERE id = {}",
                id.number()
            ));
            with(&[("email", &email[0])])
        }
        Route::EraseAccount(_) => with(&[("name", "Aud Vik"), ("current_password", PASSWORD)]),
        Route::ChangeRole(_) => with(&[("role", "billing")]),
        Route::ResetAccountPassword(_) => with(&[("handover", "copy")]),
        Route::SaveGeneral => with(&[
            ("organisation", "Fjord Works"),
            ("address", "Storgata 1"),
            ("vat_number", ""),
            ("timezone", "Europe/Oslo"),
        ]),
        Route::SaveSecurity => with(&[]),
        Route::OfferOwnership => {
            let masters = portal.ask::<AccountId>(
                "SELECT a.id FROM accounts a JOIN organisations o ON o.id = a.organisation_id
                  WHERE a.role = 'master' AND a.status = 'active' AND a.id <> o.owner_id",
            );
            with(&[
                ("to", &masters[0].to_string()),
                ("current_password", PASSWORD),
            ])
        }
        Route::AcceptOwnership => with(&[("current_password", PASSWORD)]),
        Route::SaveProfile => with(&[("name", "Nora Vik"), ("phone", "")]),
        Route::SavePreferences => with(&[("timezone", ""), ("shortcuts", "yes")]),
        Route::ChangePassword => with(&[
            ("current_password", PASSWORD),
            ("password", ANOTHER),
            ("password_confirmation", ANOTHER),
            ("end_others", "yes"),
        ]),
        Route::ChangeEmail => {
            let number = portal.ask::<i64>("SELECT count(*) FROM email_changes")[0];
            with(&[
                ("email", &format!("other{number}@fjord.example")),
                ("current_password", PASSWORD),
            ])
        }
        Route::Theme => with(&[("theme", "dark")]),
        Route::NewResource => {
            let number = portal.ask::<i64>("SELECT count(*) FROM resources")[0];
            with(&[
                ("name", &format!("new-{number}")),
                ("note", ""),
                ("plan", "server/s-1"),
                ("confirm", "yes"),
            ])
        }
        Route::DescribeResource(id) => with(&[
            ("name", &format!("mended-{}", id.number())),
            ("note", "ours"),
        ]),
        Route::ChangePlan(_) => with(&[("plan", "server/s-2"), ("confirm", "yes")]),
        Route::HandOver(_) | Route::HandOverAll(_) => {
            let owner = portal
                .ask::<AccountId>(&format!("SELECT id FROM accounts WHERE email = '{OWNER}'"));
            with(&[("account", &owner[0].to_string())])
        }
        Route::SaveBudget => with(&[("budget", "1470")]),
        Route::PayInvoice(_) => with(&[("reference", "R-1")]),
        Route::SaveDomains => with(&[("domains", "")]),
        Route::SaveBilling => with(&[("contact", "")]),
        Route::Dashboard
        | Route::PutFirstStepsAway
        | Route::SignOut
        | Route::SetUpHelp
        | Route::AskForLink(_)
        | Route::NewAccount
        | Route::Account(_)
        | Route::ResendInvitation(_)
        | Route::CopyLink(_)
        | Route::ImportList(_)
        | Route::BeginImport(_)
        | Route::DiscardImport(_)
        | Route::StopImport(_)
        | Route::ImportCsv(_)
        | Route::Roles
        | Route::Role(_)
        | Route::Mail
        | Route::TestMail
        | Route::RetryFailed
        | Route::Errand(_)
        | Route::RetryErrand(_)
        | Route::ErrandBody(_)
        | Route::Help(_)
        | Route::Asset(_)
        | Route::Healthz
        | Route::Readyz
        | Route::Metrics
        | Route::DisableAccount(_)
        | Route::EnableAccount(_)
        | Route::KeepAccount(_)
        | Route::SignOutAccount(_)
        | Route::Settings
        | Route::WithdrawOwnership
        | Route::DeclineOwnership
        | Route::Profile
        | Route::ProfileData
        | Route::ConfirmEmail(_)
        | Route::EndSession(_)
        | Route::EndOtherSessions
        | Route::SignInLink(_)
        | Route::ResetAccountTwoFactor(_)
        | Route::Resources
        | Route::ResourcesCsv
        | Route::Resource(_)
        | Route::EndResource(_)
        | Route::Billing
        | Route::BillingCsv
        | Route::Invoice(_)
        | Route::InvoiceCsv(_)
        | Route::Audit
        | Route::AuditEvent(_)
        | Route::AuditCsv
        | Route::AuditJsonl => Vec::new(),
        Route::SignInCode | Route::ConfirmTwoFactor => with(&[("code", &visitor.code())]),
        Route::DisableTwoFactor => {
            with(&[("code", &visitor.code()), ("current_password", PASSWORD)])
        }
        Route::TwoFactor | Route::RenewCodes => with(&[("current_password", PASSWORD)]),
        Route::SavePolicy => with(&[
            ("member", "required"),
            ("member_days", "7"),
            ("billing", "required"),
            ("billing_days", "7"),
            ("admin", "required"),
            ("admin_days", "7"),
            ("master", "required"),
            ("master_days", "7"),
        ]),
    }
}

/// What must be done before, so that the form is right: a key on the page that is confirmed, a factor that new codes are
/// made for. Whoever owes the code comes to neither.
fn prepare(route: &Route, kind: &str, visitor: &mut Visitor) {
    match (route, kind) {
        (_, "stranger" | "half") => {}
        (Route::ConfirmTwoFactor, _) => {
            visitor.begin_two_factor();
        }
        (Route::DisableTwoFactor | Route::RenewCodes, kind) if kind != "enrolling" => {
            visitor.enrol();
        }
        _ => {}
    }
}

/// The statuses of looking at a route and of doing what it does.
fn cell(
    portal: &Portal,
    owner: &Visitor,
    (kind, visitor): (&str, &Visitor),
    number: usize,
) -> (Route, u16, u16) {
    let route = sample(portal, owner, number);
    let mut visitor = visitor.clone();
    prepare(&route, kind, &mut visitor);
    let got = visitor.get(&route).status();
    visitor.head(&route).answers(got);
    let filled = fields(portal, &route, &visitor);
    let mut draft = visitor.draft(Method::Post, &route).proven();
    for (name, value) in &filled {
        draft = draft.field(name, value);
    }
    let posted = draft.send().status();
    if route == Route::ChangePassword && !visitor.email.is_empty() {
        put_back(portal, &visitor);
    }
    if !matches!(kind, "stranger" | "half") && visitor.account().has_two_factor {
        take_back(portal, &visitor);
        if kind == "enrolling" {
            portal.end_grace(&visitor.email);
        }
    }
    (route, got, posted)
}

/// Everybody's password again, for the cells that follow.
fn put_back(portal: &Portal, visitor: &Visitor) {
    let (app, account, hash) = (portal.app(), visitor.account(), portal.hash(PASSWORD));
    app.write(app.now(), |tx| {
        passwords::change(tx, &By::operator(), &account, &hash)
    })
    .unwrap();
}

/// Nobody's second factor, for the cells that follow.
fn take_back(portal: &Portal, visitor: &Visitor) {
    let (app, account) = (portal.app(), visitor.account());
    app.write(app.now(), |tx| {
        two_factor::reset(tx, &By::operator(), &account)
    })
    .unwrap();
}

/// A minute that is the cell's own, so that no cap and no throttle counts the cells; and a session, which the cell before
/// may have ended. Whoever owes the code gave the password just now, in a browser that nobody knows.
fn begin_cell(portal: &Portal, owner: &mut Visitor, kind: &str, base: &mut Visitor) {
    portal.travel(60);
    portal.work();
    if kind == "half" {
        *base = portal.half(base);
    }
    if owner.holder().is_none() {
        owner.sign_in();
    }
    if !matches!(kind, "stranger" | "half") && base.holder().is_none() {
        base.sign_in();
    }
}

/// The table as the Portal answers today.
fn table() -> String {
    let portal = Portal::build().demo().start();
    let mut owner = portal.owner();
    let mut visitors = KINDS.map(|kind| visitor(&portal, &owner, kind));
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for number in 0..ROUTES {
        let mut row = (String::new(), Vec::new());
        for (kind, base) in KINDS.iter().zip(&mut visitors) {
            begin_cell(&portal, &mut owner, kind, base);
            let (route, got, posted) = cell(&portal, &owner, (kind, base), number);
            row.0 = route.name().to_owned();
            row.1.push(format!("{got} {posted}"));
        }
        rows.push(row);
    }
    portal.leave_mail();
    let mut text = format!("{:<36}", "");
    for kind in KINDS {
        text.push_str(&format!("{kind:<10}"));
    }
    for (name, cells) in rows {
        text = format!("{}\n{name:<36}", text.trim_end());
        for cell in cells {
            text.push_str(&format!("{cell:<10}"));
        }
    }
    text.trim_end().to_owned() + "\n"
}

#[test]
fn every_visitor_gets_what_the_table_says() {
    let expected: Vec<&str> = EXPECTED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let table = table();
    let found: Vec<&str> = table.lines().collect();
    let mut wrong = Vec::new();
    for (at, line) in found.iter().enumerate() {
        if expected.get(at) != Some(line) {
            wrong.push(format!(
                "expected {}\nfound    {line}",
                expected.get(at).unwrap_or(&"nothing")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n\nThe whole table:\n{table}",
        wrong.join("\n")
    );
    assert_eq!(
        expected.len(),
        ROUTES + 1,
        "a line for each route, and the head"
    );
}
