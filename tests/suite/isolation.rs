//! Nothing of one organisation reaches another: by no route, search, count, error or id, whoever asks.
//!
//! The table is made from the routes: a new one does not compile until [`kind`] says what it is. Every text and every
//! id of the first organisation, whatever table it stands in, is a mark that may be on no page of the other's.

use std::collections::{BTreeMap, BTreeSet};

use doorward::accounts;
use doorward::audit;
use doorward::domain::id::{AccountId, ErrandId, InvitationId, OrganisationId, SessionId};
use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::{Managers, Role};
use doorward::kit::http::request::Method;
use doorward::kit::time::{HOUR, MINUTE};
use doorward::lifecycle;
use doorward::organisations;
use doorward::ownership;
use doorward::passwords;
use doorward::routes::{Access, Route};
use doorward::sessions;
use doorward::settings;
use doorward::setup;

use crate::access;
use crate::portal::{OWNER, PASSWORD, Portal};
use crate::samples::{self, ROUTES, sample};
use crate::visitor::Visitor;
use crate::wares;

/// What a route has to do with whose things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It names something of somebody by an id, or by a link that one person alone may use.
    Named,
    /// It shows or changes what belongs to whoever asks.
    Own,
    /// A mailed link: whoever holds it may open it, signed in elsewhere or not.
    Link,
    /// It is the same for everybody.
    Common,
}

/// What a route is. Every route has its place here.
const fn kind(route: &Route) -> Kind {
    match route {
        Route::Account(_)
        | Route::ResendInvitation(_)
        | Route::CopyLink(_)
        | Route::ImportList(_)
        | Route::BeginImport(_)
        | Route::DiscardImport(_)
        | Route::StopImport(_)
        | Route::ImportCsv(_)
        | Route::ChangeRole(_)
        | Route::DisableAccount(_)
        | Route::EnableAccount(_)
        | Route::KeepAccount(_)
        | Route::DeleteAccount(_)
        | Route::EraseAccount(_)
        | Route::SignOutAccount(_)
        | Route::ResetAccountPassword(_)
        | Route::ResetAccountTwoFactor(_)
        | Route::Errand(_)
        | Route::RetryErrand(_)
        | Route::ErrandBody(_)
        | Route::ConfirmEmail(_)
        | Route::EndSession(_)
        | Route::Resource(_)
        | Route::DescribeResource(_)
        | Route::ChangePlan(_)
        | Route::HandOver(_)
        | Route::EndResource(_)
        | Route::HandOverAll(_)
        | Route::Invoice(_)
        | Route::InvoiceCsv(_)
        | Route::PayInvoice(_) => Kind::Named,
        Route::Dashboard
        | Route::Accounts
        | Route::NewAccount
        | Route::SelectedAccounts
        | Route::Import
        | Route::Roles
        | Route::Role(_)
        | Route::Mail
        | Route::TestMail
        | Route::RetryFailed
        | Route::Settings
        | Route::SaveGeneral
        | Route::SaveSecurity
        | Route::OfferOwnership
        | Route::WithdrawOwnership
        | Route::AcceptOwnership
        | Route::DeclineOwnership
        | Route::Profile
        | Route::ProfileData
        | Route::SaveProfile
        | Route::SavePreferences
        | Route::ChangePassword
        | Route::ChangeEmail
        | Route::SavePolicy
        | Route::SignInCode
        | Route::TwoFactor
        | Route::ConfirmTwoFactor
        | Route::DisableTwoFactor
        | Route::RenewCodes
        | Route::EndOtherSessions
        | Route::SaveBilling
        | Route::SaveDomains
        | Route::PutFirstStepsAway
        | Route::Resources
        | Route::ResourcesCsv
        | Route::NewResource
        | Route::Billing
        | Route::BillingCsv
        | Route::Audit
        // Numbers are those of one's own log.
        | Route::AuditEvent(_)
        | Route::AuditCsv
        | Route::AuditJsonl
        | Route::SaveBudget => Kind::Own,
        Route::Activate(_)
        | Route::AskForLink(_)
        | Route::ResetPassword(_)
        | Route::SignInLink(_)
        | Route::SetUp(_) => Kind::Link,
        Route::SignIn
        | Route::SignOut
        | Route::SetUpHelp
        | Route::ForgotPassword
        | Route::Theme
        | Route::Help(_)
        | Route::Asset(_)
        | Route::Healthz
        | Route::Readyz
        | Route::Metrics => Kind::Common,
    }
}

/// The same route about something that never was.
fn about_nothing(route: &Route) -> Route {
    let account: AccountId = "acc_b7mzq4kdp2xwe".parse().unwrap();
    let errand: ErrandId = "mail_b7mzq4kdp2xwe".parse().unwrap();
    let session: SessionId = "ses_b7mzq4kdp2xwe".parse().unwrap();
    let import = "imp_b7mzq4kdp2xwe".parse().unwrap();
    let resource = "res_b7mzq4kdp2xwe".parse().unwrap();
    let invoice = "INV-1999-001".parse().unwrap();
    match route {
        Route::Account(_) => Route::Account(account),
        Route::ResendInvitation(_) => Route::ResendInvitation(account),
        Route::CopyLink(_) => Route::CopyLink(account),
        Route::ChangeRole(_) => Route::ChangeRole(account),
        Route::DisableAccount(_) => Route::DisableAccount(account),
        Route::EnableAccount(_) => Route::EnableAccount(account),
        Route::KeepAccount(_) => Route::KeepAccount(account),
        Route::DeleteAccount(_) => Route::DeleteAccount(account),
        Route::EraseAccount(_) => Route::EraseAccount(account),
        Route::SignOutAccount(_) => Route::SignOutAccount(account),
        Route::ResetAccountPassword(_) => Route::ResetAccountPassword(account),
        Route::ResetAccountTwoFactor(_) => Route::ResetAccountTwoFactor(account),
        Route::ImportList(_) => Route::ImportList(import),
        Route::BeginImport(_) => Route::BeginImport(import),
        Route::DiscardImport(_) => Route::DiscardImport(import),
        Route::StopImport(_) => Route::StopImport(import),
        Route::ImportCsv(_) => Route::ImportCsv(import),
        Route::Errand(_) => Route::Errand(errand),
        Route::RetryErrand(_) => Route::RetryErrand(errand),
        Route::ErrandBody(_) => Route::ErrandBody(errand),
        Route::ConfirmEmail(_) => Route::ConfirmEmail("n".repeat(43)),
        Route::EndSession(_) => Route::EndSession(session),
        Route::Resource(_) => Route::Resource(resource),
        Route::DescribeResource(_) => Route::DescribeResource(resource),
        Route::ChangePlan(_) => Route::ChangePlan(resource),
        Route::HandOver(_) => Route::HandOver(resource),
        Route::EndResource(_) => Route::EndResource(resource),
        Route::HandOverAll(_) => Route::HandOverAll(account),
        Route::Invoice(_) => Route::Invoice(invoice),
        Route::InvoiceCsv(_) => Route::InvoiceCsv(invoice),
        Route::PayInvoice(_) => Route::PayInvoice(invoice),
        other => other.clone(),
    }
}

/// A rightly filled in form of the other organisation's people; what names an account of it names one of the first.
fn filled(portal: &Portal, route: &Route, visitor: &Visitor) -> Vec<(&'static str, String)> {
    let number = portal.ask::<i64>("SELECT count(*) FROM accounts")[0];
    let asked = portal.ask::<i64>("SELECT count(*) FROM email_changes")[0];
    let mut fields = access::fields(portal, route, visitor);
    for (name, value) in &mut fields {
        match (route, *name) {
            (Route::Accounts, "email") => *value = format!("guest{number}@lakeside.example"),
            (Route::Import, "list") => *value = format!("guest{number}@lakeside.example"),
            (Route::ChangeEmail, "email") => *value = format!("asked{asked}@lakeside.example"),
            (Route::ForgotPassword, "email") => "nobody@lakeside.example".clone_into(value),
            (Route::ChangePassword, "password" | "password_confirmation") => {
                PASSWORD.clone_into(value);
            }
            (Route::SaveGeneral, "organisation") => "Lakeside".clone_into(value),
            _ => {}
        }
    }
    fields
}

/// Everything of an answer but what is new in each: the request's id, and the address that was asked for.
fn whole(visitor: &Visitor, path: &str) -> String {
    let answer = visitor.last();
    let mut text = format!("{}\n", answer.status);
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&answer.html());
    for before in ["Request <code>", "\"request_id\":\""] {
        if let Some(at) = text.find(before) {
            let from = at + before.len();
            text.replace_range(from..from + 16, "R");
        }
    }
    if path.len() > 1 {
        text = text.replace(path, "PATH");
    }
    text
}

/// Where two texts part, for messages.
fn parting(before: &str, after: &str) -> String {
    let at = before
        .chars()
        .zip(after.chars())
        .take_while(|(one, other)| one == other)
        .count();
    let around =
        |text: &str| -> String { text.chars().skip(at.saturating_sub(80)).take(240).collect() };
    format!("before: {}\nafter: {}", around(before), around(after))
}

#[track_caller]
fn assert_as_before(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (page, text) in before {
        assert!(
            *text == after[page],
            "{page} changed\n{}",
            parting(text, &after[page])
        );
    }
}

/// Asks, and answers with all that came back.
fn got(visitor: &mut Visitor, method: Method, path: &str) -> String {
    visitor.draft(method, path).send();
    whole(visitor, path)
}

/// Sends a form, and answers with all that came back.
fn posted(visitor: &mut Visitor, path: &str, fields: &[(&'static str, String)]) -> String {
    let mut draft = visitor.draft(Method::Post, path).proven();
    for (name, value) in fields {
        draft = draft.field(name, value);
    }
    draft.send();
    whole(visitor, path)
}

/// All rows of an organisation, whatever table they stand in.
pub(crate) fn rows_of(portal: &Portal, organisation: OrganisationId) -> Vec<String> {
    let id = organisation.number();
    let tables: Vec<String> = portal.ask(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
    );
    let mut rows = Vec::new();
    for table in tables {
        let columns: Vec<String> =
            portal.ask(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let which = match table.as_str() {
            // Of the install, not of anybody in it.
            "backups" | "catalogue" | "install" | "kinds" | "plans" | "prices" | "setup_links"
            | "throttles" => continue,
            // Made of the events, and not to be read by itself.
            _ if table.starts_with("audit_index") => continue,
            "organisations" => format!("id = {id}"),
            // Words of the log's own rows, by numbers that say nothing of whose they are.
            _ if table.starts_with("audit_index") => continue,
            "import_lines" => {
                format!("import_id IN (SELECT id FROM imports WHERE organisation_id = {id})")
            }
            "attempts" | "dialogues" => {
                format!("errand_id IN (SELECT id FROM errands WHERE organisation_id = {id})")
            }
            "invitation_tallies" => format!("subject = x'{}'", hex(&id.to_be_bytes())),
            // Words of the log's rows, which stand in it for themselves.
            _ if table.starts_with("audit_index") => continue,
            _ if table.starts_with("audit_") => format!("chain_id = {id}"),
            _ => {
                assert!(
                    columns.contains(&"organisation_id".to_owned()),
                    "whose are the rows of {table}?"
                );
                format!("organisation_id = {id}")
            }
        };
        let quoted: Vec<String> = columns
            .iter()
            .map(|name| format!("quote({name})"))
            .collect();
        let row = quoted.join(" || ',' || ");
        rows.extend(portal.ask::<String>(&format!(
            "SELECT '{table} ' || {row} FROM {table} WHERE {which} ORDER BY 1"
        )));
    }
    rows
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What differs between two sets of rows, for messages.
fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
    let gone = old.difference(&new).map(|row| format!("- {row}"));
    let come = new.difference(&old).map(|row| format!("+ {row}"));
    gone.chain(come).collect()
}

#[track_caller]
fn assert_same(before: &[String], after: &[String], why: &str) {
    assert!(
        before == after,
        "{why}\n{}",
        difference(before, after).join("\n")
    );
}

/// Every text and id that is the organisation's alone.
struct Marks(BTreeSet<String>);

impl Marks {
    /// Gives everything of the organisation a name that nobody else has, and collects all of it.
    fn make(portal: &Portal, organisation: OrganisationId) -> Self {
        let id = organisation.number();
        portal.tamper(&format!(
            "UPDATE organisations SET name = 'Quagga Works' WHERE id = {id};
             UPDATE accounts SET name = 'Quagga ' || printf('%06d', id % 1000000) WHERE organisation_id = {id} AND name IS NOT NULL;
             UPDATE accounts SET phone = '+479' || printf('%08d', id % 100000000) WHERE organisation_id = {id} AND status <> 'deleted';
             UPDATE sessions SET agent = 'Quagga on ' || printf('%06d', id % 1000000) WHERE organisation_id = {id};
             UPDATE errands SET answer = '550 quagga ' || printf('%06d', id % 1000000)
              WHERE organisation_id = {id} AND answer IS NOT NULL;"
        ));
        let mut marks = BTreeSet::new();
        for sql in [
            "SELECT name FROM organisations WHERE id = ?",
            "SELECT email FROM accounts WHERE organisation_id = ? AND email IS NOT NULL",
            "SELECT name FROM accounts WHERE organisation_id = ? AND name IS NOT NULL",
            "SELECT phone FROM accounts WHERE organisation_id = ? AND phone IS NOT NULL",
            "SELECT email FROM email_changes WHERE organisation_id = ?",
            "SELECT agent FROM sessions WHERE organisation_id = ?",
            "SELECT name FROM resources WHERE organisation_id = ?",
            "SELECT resource FROM invoice_lines WHERE organisation_id = ?",
            "SELECT address FROM sessions WHERE organisation_id = ?",
            "SELECT recipient FROM errands WHERE organisation_id = ? AND recipient IS NOT NULL",
            "SELECT message_id FROM errands WHERE organisation_id = ?",
            "SELECT answer FROM errands WHERE organisation_id = ? AND answer IS NOT NULL",
            "SELECT text FROM audit_texts WHERE chain_id = ?",
            "SELECT request_id FROM audit_events WHERE chain_id = ? AND request_id <> 'test'",
        ] {
            marks.extend(portal.ask::<String>(&sql.replace('?', &id.to_string())));
        }
        let number = |sql: &str| sql.replace('?', &id.to_string());
        marks.extend(
            portal
                .ask::<AccountId>(&number("SELECT id FROM accounts WHERE organisation_id = ?"))
                .iter()
                .map(ToString::to_string),
        );
        marks.extend(
            portal
                .ask::<ErrandId>(&number("SELECT id FROM errands WHERE organisation_id = ?"))
                .iter()
                .map(ToString::to_string),
        );
        marks.extend(
            portal
                .ask::<SessionId>(&number("SELECT id FROM sessions WHERE organisation_id = ?"))
                .iter()
                .map(ToString::to_string),
        );
        marks.extend(
            portal
                .ask::<InvitationId>(&number(
                    "SELECT id FROM invitations WHERE organisation_id = ?",
                ))
                .iter()
                .map(ToString::to_string),
        );
        marks.insert(organisation.to_string());
        marks.insert("quagga".to_owned());
        marks.insert("fjord".to_owned());
        marks.retain(|mark| !mark.is_empty());
        Self(marks.into_iter().map(|mark| mark.to_lowercase()).collect())
    }

    /// The marks that stand in this text.
    fn on<'m>(&'m self, text: &str) -> Vec<&'m str> {
        let text = text.to_lowercase();
        let found = self.0.iter().filter(|mark| text.contains(mark.as_str()));
        found.map(String::as_str).collect()
    }
}

/// Two organisations: the first, and Lakeside with one of each role.
struct Two {
    portal: Portal,
    owner: Visitor,
    people: Vec<Visitor>,
}

/// Rows of every kind that two-factor has, of this person's organisation: a factor with its recovery codes, an enrolment
/// that was begun, a code that is owed, a sign-in link.
fn guard(portal: &Portal, by: &Visitor, domain: &str) {
    let mut factor = portal.member_of(by, Role::Member, &format!("factor@{domain}"));
    factor.enrol();
    portal.half(&factor);
    let mut begun = portal.member_of(by, Role::Member, &format!("begun@{domain}"));
    begun.begin_two_factor();
    let app = portal.app();
    app.write(app.now(), |tx| sessions::make_link(tx, &begun.account()))
        .unwrap();
}

/// Whether the rows hold some of each of these.
#[track_caller]
fn assert_guarded(rows: &[String]) {
    for table in [
        "factors",
        "recovery_codes",
        "enrolments",
        "challenges",
        "policies",
        "sign_in_links",
    ] {
        let count = rows
            .iter()
            .filter(|row| row.starts_with(&format!("{table} ")))
            .count();
        assert!(count > 0, "no row of {table}");
    }
}

impl Two {
    fn new() -> Self {
        let portal = Portal::build().demo().start();
        // Of the install: both see it from the beginning.
        wares::stock(&portal);
        let owner = portal.owner();
        let mut lakeside = portal.organisation("Lakeside");
        lakeside.enrol();
        let mut people = Vec::new();
        for role in [Role::Admin, Role::Member] {
            let email = format!("{}@lakeside.example", role.key());
            people.push(portal.member_of(&lakeside, role, &email));
        }
        people.insert(0, lakeside);
        guard(&portal, &people[0], "lakeside.example");
        guard(&portal, &owner, "fjord.example");
        // Both have something; one alone has an invoice, since each numbers its own from 001.
        wares::resource(&portal, &people[0]);
        wares::invoice(&portal, &owner);
        portal.work();
        portal.leave_mail();
        Self {
            portal,
            owner,
            people,
        }
    }

    /// A challenge, an enrolment and a sign-in link of the first organisation that are open just now.
    fn guard_again(&self) {
        let (portal, first) = (&self.portal, self.first().number());
        portal.tamper(&format!(
            "UPDATE challenges SET expires_at = created_at + 86400 WHERE organisation_id = {first};
             UPDATE enrolments SET expires_at = expires_at + 86400 WHERE organisation_id = {first};
             UPDATE sign_in_links SET expires_at = created_at + 86400 WHERE organisation_id = {first};"
        ));
    }

    fn first(&self) -> OrganisationId {
        self.owner.scope().unwrap().organisation
    }

    fn lakeside(&self) -> OrganisationId {
        self.portal.named("Lakeside")
    }

    /// Everybody whose session is over signs in again.
    fn sign_in_again(&mut self) {
        for person in self.people.iter_mut().chain([&mut self.owner]) {
            if !person.is_signed_in() {
                person.sign_in();
            }
        }
    }
}

#[test]
fn what_is_not_yours_is_not_there_by_any_route() {
    let mut two = Two::new();
    two.portal
        .member_of(&two.owner.clone(), Role::Master, "heir@fjord.example");
    two.guard_again();
    let mut covered: BTreeMap<Kind, BTreeSet<&'static str>> = BTreeMap::new();
    let mut answers = 0;
    for number in 0..ROUTES {
        // A minute of its own, so that no cap and no throttle counts the others.
        two.portal.travel(MINUTE);
        two.portal.work();
        two.sign_in_again();
        let route = sample(&two.portal, &two.owner, number);
        let marks = Marks::make(&two.portal, two.first());
        let before = rows_of(&two.portal, two.first());
        assert_guarded(&before);
        for at in 0..two.people.len() {
            let mut person = two.people[at].clone();
            // What asks for a proof asks for none of whoever signed in just now: else the first of two answers would
            // bring another cookie.
            if !person.is_signed_in() || matches!(route, Route::OfferOwnership) {
                person.lose("session");
                person.sign_in();
            }
            let fields = filled(&two.portal, &route, &person);
            let (theirs, nothing) = (route.to_string(), about_nothing(&route).to_string());
            for method in [Method::Get, Method::Head] {
                let answer = got(&mut person, method, &theirs);
                if kind(&route) == Kind::Named {
                    assert_eq!(answer, got(&mut person, method, &nothing), "{route}");
                    assert_ne!(person.status(), 200, "{route}");
                }
                if kind(&route) != Kind::Link && marks.on(&answer) != [""; 0] {
                    person.fail(&format!("{:?} stands there", marks.on(&answer)));
                }
                answers += 1;
            }
            if kind(&route) == Kind::Link {
                continue;
            }
            let answer = posted(&mut person, &theirs, &fields);
            match kind(&route) {
                Kind::Named => {
                    assert_eq!(answer, posted(&mut person, &nothing, &fields), "{route}");
                    if !matches!(person.status(), 403..=405) {
                        person.fail("it is not theirs");
                    }
                }
                // It names an account in its form.
                Kind::Own if matches!(route, Route::OfferOwnership) => {
                    let nobody: AccountId = "acc_b7mzq4kdp2xwe".parse().unwrap();
                    let mut unknown = fields.clone();
                    let theirs_to = std::mem::replace(&mut unknown[0].1, nobody.to_string());
                    let other = posted(&mut person, &theirs, &unknown);
                    assert_eq!(
                        answer.replace(&theirs_to, "TO"),
                        other.replace(&unknown[0].1, "TO"),
                        "{route}"
                    );
                }
                Kind::Own | Kind::Common | Kind::Link => {}
            }
            let seen = marks.on(&answer);
            if seen != [""; 0] {
                person.fail(&format!("{seen:?} stands there"));
            }
            answers += 1;
            two.people[at] = person;
        }
        assert_same(
            &before,
            &rows_of(&two.portal, two.first()),
            &format!("{route} changed something of the other organisation"),
        );
        covered
            .entry(kind(&route))
            .or_default()
            .insert(route.name());
    }
    let count = |kind| covered.get(&kind).map_or(0, BTreeSet::len);
    println!(
        "{answers} answers of {} routes: {} name something, {} show one's own, {} are links, {} are the same for all",
        covered.values().map(BTreeSet::len).sum::<usize>(),
        count(Kind::Named),
        count(Kind::Own),
        count(Kind::Link),
        count(Kind::Common)
    );
    assert_eq!(covered.values().map(BTreeSet::len).sum::<usize>(), ROUTES);
    // A link is looked at, and not used.
    assert_eq!(answers, (ROUTES * 3 - 5) * two.people.len());
}

/// Every page of the other organisation's people, as each of them sees it.
fn pages(two: &Two) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let ids = two.portal.ask::<AccountId>(&format!(
        "SELECT id FROM accounts WHERE organisation_id = {}",
        two.lakeside().number()
    ));
    let errands = two.portal.ask::<ErrandId>(&format!(
        "SELECT id FROM errands WHERE organisation_id = {}",
        two.lakeside().number()
    ));
    let mut paths: Vec<String> = [
        "/",
        "/iam/accounts",
        "/iam/accounts?q=a",
        "/iam/accounts?status=pending&sort=name",
        "/iam/accounts?status=disabled",
        "/iam/accounts?role=master",
        "/iam/accounts?page=2",
        "/iam/accounts/new",
        "/iam/roles",
        "/mail",
        "/mail?state=failed",
        "/mail?state=waiting",
        "/settings",
        "/account",
        "/account/two-factor",
        "/iam/accounts?two_factor=on",
        "/iam/accounts?two_factor=off",
        "/help/add-a-sub-account",
    ]
    .map(str::to_owned)
    .into();
    paths.extend(Role::ALL.map(|role| Route::Role(role).to_string()));
    paths.extend(ids.iter().map(|id| Route::Account(*id).to_string()));
    paths.extend(errands.iter().map(|id| Route::Errand(*id).to_string()));
    for person in &two.people {
        let mut person = person.clone();
        let permissions = person.scope().unwrap().permissions;
        for path in &paths {
            // A page that is refused is told of on the next one.
            let route = Route::parse(path.split('?').next().unwrap()).unwrap();
            if let Access::With(needed) = route.access()
                && !permissions.has(needed)
            {
                continue;
            }
            let page = got(&mut person, Method::Get, path);
            pages.insert(format!("{} {path}", person.email), page);
        }
    }
    pages
}

/// All that an organisation can do: every route's own things made, sixty accounts, and every deed there is.
fn flood(two: &Two) {
    let (portal, owner) = (&two.portal, &two.owner);
    let app = portal.app();
    samples::all(portal, owner);
    for number in 0..60 {
        portal.invite(owner, Role::Member, &format!("crowd{number}@fjord.example"));
    }
    let heir = portal.member_of(owner, Role::Master, "heir@fjord.example");
    let admin = portal.member_of(owner, Role::Admin, "ada@fjord.example");
    let (heir_id, id) = (heir.account().id, admin.account().id);
    let now = app.now();
    let own = || owner.allowed();
    app.write(now, |tx| lifecycle::sign_out(tx, &owner.allowed(), id))
        .unwrap();
    app.write(now, |tx| {
        lifecycle::change_role(tx, &owner.allowed(), id, Role::Member)
    })
    .unwrap();
    app.write(now, |tx| {
        lifecycle::reset_password(tx, &owner.allowed(), id, passwords::Handover::Mail)
    })
    .unwrap();
    app.write(now, |tx| lifecycle::disable(tx, &owner.allowed(), id))
        .unwrap();
    app.write(now, |tx| lifecycle::enable(tx, &owner.allowed(), id))
        .unwrap();
    app.write(now, |tx| lifecycle::delete(tx, &owner.allowed(), id))
        .unwrap();
    app.write_if(now, |tx| {
        settings::rename(tx, &own(), &"Quagga Works".parse().unwrap())
    })
    .unwrap();
    app.write_if(now, |tx| settings::move_to(tx, &own(), "Pacific/Chatham"))
        .unwrap();
    app.write_if(now, |tx| {
        settings::set_managers(tx, &own(), Managers::Masters)
    })
    .unwrap();
    let strict = Policies::each(|_| Policy {
        level: Level::Required,
        grace_days: 30,
    });
    app.write_if(now, |tx| {
        settings::set_policies(tx, &own(), &strict, Trust::Offered)
    })
    .unwrap();
    let factor = portal.signed_in("begun@fjord.example").enrol().clone();
    portal.half(&factor);
    for (email, times) in [("factor@fjord.example", 1), ("begun@fjord.example", 2)] {
        let account = app
            .read(now, |read| {
                Ok(accounts::by_email(read, &email.parse().unwrap())?)
            })
            .unwrap()
            .unwrap();
        for _ in 0..times {
            app.write(now, |tx| sessions::make_link(tx, &account))
                .unwrap();
        }
        app.write(now, |tx| {
            lifecycle::reset_two_factor(tx, &owner.allowed(), account.id)
        })
        .unwrap();
    }
    let proof = passwords::proof(owner.account().id);
    app.write_if(now, |tx| ownership::offer(tx, &own(), &proof, heir_id))
        .unwrap();
    let proof = passwords::proof(heir_id);
    app.write(now, |tx| ownership::accept(tx, &heir.allowed(), &proof))
        .unwrap();
    for guess in 0..12 {
        portal
            .visitor()
            .try_password(OWNER, &format!("Wrong-Horse-{guess}!"));
    }
    for _ in 0..4 {
        let fields = [("email", OWNER)];
        portal.visitor().post("/forgot-password", &fields);
    }
    portal.work();
}

#[test]
fn what_one_organisation_does_changes_no_page_and_no_row_of_another() {
    let two = Two::new();
    let (shown, rows) = (pages(&two), rows_of(&two.portal, two.lakeside()));
    assert!(rows.len() > 40, "{} rows", rows.len());
    assert_guarded(&rows);
    flood(&two);
    assert_same(
        &rows,
        &rows_of(&two.portal, two.lakeside()),
        "a row of the other organisation changed",
    );
    let now = pages(&two);
    assert_as_before(&shown, &now);
    println!(
        "{} pages and {} rows are as they were",
        now.len(),
        rows.len()
    );
    let marks = Marks::make(&two.portal, two.first());
    for (page, text) in &now {
        assert_eq!(marks.on(text), [""; 0], "on {page}");
    }
}

#[test]
fn searching_filtering_and_sorting_find_nothing_of_another() {
    let two = Two::new();
    for number in 0..30 {
        two.portal.invite(
            &two.owner,
            Role::Member,
            &format!("crowd{number}@fjord.example"),
        );
    }
    let marks = Marks::make(&two.portal, two.first());
    let ids = two.portal.ask::<AccountId>(&format!(
        "SELECT id FROM accounts WHERE organisation_id = {}",
        two.first().number()
    ));
    let hostile = [
        "page=0",
        "page=-1",
        "page=4294967296",
        "page=9223372036854775807",
        "per=0",
        "per=-1",
        "per=1000000000",
        "limit=0",
        "limit=-1",
        "limit=1e9",
        "sort=organisation_id",
        "sort=id%20UNION%20SELECT%20email%20FROM%20accounts",
        "order=asc",
        "q=%25",
        "q=_",
        "q=%27%20OR%20%271%27%3D%271",
        "q=quagga",
        "q=QUAGGA",
        "q=fjord",
        "q=%40fjord.example",
        "q=olivia",
        "state=sent",
        "state=failed",
        "organisation=Quagga+Works",
        "status=deleted",
        "status=active&role=master&sort=-created",
        "two_factor=on",
        "two_factor=off",
        "two_factor=%27%20OR%201%3D1--",
        "two_factor=1%20UNION%20SELECT%20sealed%20FROM%20factors",
    ];
    let mut queries: Vec<String> = hostile.map(str::to_owned).into();
    for name in ["cursor", "after", "org", "organisation", "q", "id", "page"] {
        queries.push(format!("{name}={}", ids[0]));
        queries.push(format!("{name}={}", two.first()));
        queries.push(format!("{name}={}", two.first().number()));
    }
    let mut asked = 0;
    let (mut person, mut other) = (two.people[0].clone(), two.owner.clone());
    for (path, queries) in [
        ("/iam/accounts", &queries[..]),
        ("/mail", &queries[..30]),
        ("/iam/roles/admin", &queries[..2]),
        ("/", &queries[..2]),
    ] {
        for query in queries {
            let address = format!("{path}?{query}");
            person.get(&address).answers(200);
            // What was asked for stands in the search field and in the address of other pages, and nowhere else.
            let typed: Vec<String> = form_urlencoded::parse(query.as_bytes())
                .map(|(_, value)| value.to_lowercase())
                .collect();
            let seen: Vec<&str> = marks
                .on(&whole(&person, &address))
                .into_iter()
                .filter(|mark| !typed.iter().any(|typed| typed.contains(mark)))
                .collect();
            assert_eq!(seen, [""; 0], "{address}");
            other.get(&address).answers(200);
            asked += 2;
        }
    }
    for text in ["quagga", "fjord", "olivia", "@fjord"] {
        person
            .get(format!("/iam/accounts?q={text}"))
            .sees("No accounts match");
    }
    println!("{asked} hostile queries");
}

#[test]
fn disabling_an_organisation_touches_nobody_else() {
    let mut two = Two::new();
    let (first, lakeside) = (two.first(), two.lakeside());
    let app = two.portal.app();
    let shown = pages(&two);
    let rows = rows_of(&two.portal, lakeside);
    let organisation = app
        .read(app.now(), |read| organisations::get(read, first))
        .unwrap();
    app.write(app.now(), |tx| settings::disable(tx, &organisation))
        .unwrap();
    assert!(!two.owner.is_signed_in());
    two.owner.get("/").answers(303);
    two.owner.try_password(OWNER, PASSWORD).answers(422);
    assert_same(&rows, &rows_of(&two.portal, lakeside), "Lakeside changed");
    assert_as_before(&shown, &pages(&two));
    for person in &mut two.people {
        person.get("/").answers(200);
    }
    // One whose owner never came is deleted beside it, with all that is owed.
    let terms = app.settings.terms;
    let (name, email) = ("Reeds", "reed@reeds.example");
    app.write(app.now(), |tx| {
        let (name, email) = (name.parse().unwrap(), email.parse().unwrap());
        setup::found_by_invitation(tx, &name, "Europe/Oslo", &email, terms)
    })
    .unwrap();
    let reeds = two.portal.named(name);
    let theirs = rows_of(&two.portal, first);
    let deleted = app
        .read(app.now(), |read| organisations::get(read, reeds))
        .unwrap();
    app.write(app.now(), |tx| setup::delete_organisation(tx, &deleted))
        .unwrap();
    assert_same(&theirs, &rows_of(&two.portal, first), "the first changed");
    assert_same(&rows, &rows_of(&two.portal, lakeside), "Lakeside changed");
    app.write(app.now(), |tx| settings::enable(tx, &organisation))
        .unwrap();
    // What was over stays over.
    assert!(!two.owner.is_signed_in());
    two.owner.sign_in();
    assert_same(&rows, &rows_of(&two.portal, lakeside), "Lakeside changed");
}

#[test]
fn ids_tell_nothing_of_how_many_there_are() {
    let two = Two::new();
    flood(&two);
    for table in ["accounts", "invitations", "errands", "sessions"] {
        let ids: Vec<i64> = two.portal.ask(&format!("SELECT id FROM {table}"));
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        let near = sorted
            .windows(2)
            .filter(|two| two[1] - two[0] < 1 << 32)
            .count();
        assert_eq!(near, 0, "{table}: neighbours");
        // Each of the 63 bits is as often set as not: nothing counts up, and no clock is in it.
        if ids.len() >= 60 {
            for bit in 0..63 {
                let set = ids.iter().filter(|id| *id >> bit & 1 == 1).count();
                let share = set * 100 / ids.len();
                assert!(
                    (20..=80).contains(&share),
                    "{table}: bit {bit} is set in {share} %"
                );
            }
        }
    }
}

#[test]
fn the_form_answers_for_thirty_addresses_an_hour_whoever_asks() {
    let mut two = Two::new();
    two.portal
        .travel(HOUR - two.portal.app().now().0.rem_euclid(HOUR));
    two.sign_in_again();
    let ids: Vec<String> = (0..50)
        .map(|number| format!("crowd{number}@fjord.example"))
        .collect();
    for email in &ids {
        two.portal.invite(&two.owner, Role::Member, email);
    }
    let lakeside = two.lakeside();
    let told = |portal: &Portal, action: &str| {
        let log = portal.audit(Some(lakeside));
        log.iter().filter(|one| one.action == action).count()
    };
    let rows = rows_of(&two.portal, two.first());
    let mut statuses = BTreeMap::new();
    for round in 0..2 {
        for (at, email) in ids.iter().enumerate() {
            // The Master and an Admin share what their organisation may ask.
            let person = &mut two.people[at % 2];
            let fields = [("email", email.as_str()), ("role", "member")];
            let status = person.post("/iam/accounts", &fields).status();
            *statuses.entry(status).or_insert(0) += 1;
            assert_eq!(status, if round == 0 && at < 30 { 422 } else { 429 });
        }
    }
    assert_eq!(statuses, BTreeMap::from([(422, 30), (429, 70)]));
    // A free address gets the answer of a taken one.
    let fields = [("email", "free@elsewhere.example"), ("role", "member")];
    two.people[0].post("/iam/accounts", &fields).answers(429);
    assert_eq!(told(&two.portal, "invitation.refused"), 30);
    assert!(
        told(&two.portal, "denied") >= 10,
        "the others are told of too"
    );
    assert_same(
        &rows,
        &rows_of(&two.portal, two.first()),
        "asking changed something of the other organisation",
    );
    // The form for another address of one's own is the same question, and counted with it.
    let fields = [("email", OWNER), ("current_password", PASSWORD)];
    for person in &mut two.people {
        person.post("/account/email", &fields).answers(429);
    }
    // Whoever was asked about has caps of their own.
    two.portal
        .invite(&two.owner, Role::Member, "late@fjord.example");
    two.portal.travel(HOUR);
    two.sign_in_again();
    two.people[0].post("/iam/accounts", &[("email", OWNER), ("role", "member")]);
    two.people[0].answers(422);
}

#[test]
fn who_was_deleted_here_begins_anew_there() {
    let mut two = Two::new();
    let email = "wanderer@road.example";
    let person = two.portal.member_of(&two.owner, Role::Admin, email);
    let before = person.account();
    two.portal.work();
    let app = two.portal.app();
    app.write(app.now(), |tx| {
        lifecycle::delete(tx, &two.owner.allowed(), before.id)
    })
    .unwrap();
    two.portal.work();
    let marks = Marks::make(&two.portal, two.first());
    let rows = rows_of(&two.portal, two.first());
    let mut anew = two
        .portal
        .member_of(&two.people[0].clone(), Role::Admin, email);
    two.portal.work();
    let after = anew.account();
    assert_ne!(before.id, after.id);
    assert_eq!(after.organisation, two.lakeside());
    // The same person, in the browser they always had: the cookies of before open nothing.
    let mut older = person.clone();
    older.get("/iam/accounts").answers(303);
    older.sign_in();
    for visitor in [&mut anew, &mut older, &mut two.people[0]] {
        for path in [
            "/".to_owned(),
            "/account".to_owned(),
            "/iam/accounts".to_owned(),
            "/mail".to_owned(),
            Route::Account(after.id).to_string(),
        ] {
            let text = got(visitor, Method::Get, &path);
            let seen: Vec<&str> = marks
                .on(&text)
                .into_iter()
                // Their own address is theirs, there as here.
                .filter(|mark| *mark != email)
                .filter(|mark| *mark != person.address.to_string())
                .collect();
            assert_eq!(seen, [""; 0], "{path}");
        }
        visitor
            .get(Route::Account(before.id))
            .answers(404)
            .sees_not("wanderer");
    }
    assert_same(
        &rows,
        &rows_of(&two.portal, two.first()),
        "what they left behind changed",
    );
    let about = app
        .read(app.now(), |read| {
            Ok(audit::about(
                read,
                after.organisation,
                after.id,
                after.id,
                100,
            )?)
        })
        .unwrap();
    assert!(
        about
            .iter()
            .all(|deed| deed.action != audit::Action::AccountDeleted),
        "the log of the first organisation followed them"
    );
}
