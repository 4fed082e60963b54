//! The dashboard: what each sees, and when it warns.

use doorward::billing;
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::domain::role::Role;
use doorward::kit::http::cookie::Transport;
use doorward::kit::mail::{Cause, Failure};
use doorward::kit::time::{DAY, HOUR};
use doorward::resources;
use doorward::routes::Route;
use doorward::scope::Allowed;

use crate::portal::Portal;
use crate::visitor::Visitor;
use crate::wares;

const LEA: &str = "lea@fjord.example";

#[test]
fn whoever_signs_in_is_greeted_by_name_and_clock() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .get("/")
        .answers(200)
        .sees("Good afternoon, Olivia")
        .sees("Tuesday 24 November 2026, Europe/Oslo")
        .sees("This is your first sign-in.");
    portal.travel(19 * HOUR);
    owner.get("/sign-in");
    owner.sign_in();
    owner
        .get("/")
        .sees("Good morning, Olivia")
        .sees("Last sign-in before this one: Yesterday, Firefox on Linux,");
}

#[test]
fn a_member_sees_what_is_their_own_and_nothing_else() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Admin, LEA);
    let mut ann = portal.member(Role::Member, "ann@fjord.example");
    ann.get("/")
        .answers(200)
        .sees("You activated your account")
        .sees("Olivia Berg invited you as Member")
        .sees("You signed in with Firefox on Linux from")
        .sees("Needs attention Your sign-in Password alone Two-factor is required of you from 1 Dec, 14:20 on. Set it up.")
        .sees_not("Accounts")
        .sees_not("Pending")
        .sees_not("account signs in")
        .sees_not("Mail")
        .sees_not(LEA);
    // What is theirs to see to is the one thing; once it is done there is none.
    ann.enrol();
    ann.get("/").sees_not("Needs attention");
    assert!(!ann.html().contains(&owner.address.to_string()));
}

#[test]
fn an_admin_sees_numbers_and_a_master_also_what_needs_attention() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    let mut admin = portal.member(Role::Admin, "ann@fjord.example");
    admin
        .get("/")
        .sees("Accounts 3 2 active, 1 pending")
        .sees("Mail to be sent")
        .sees("2 accounts sign in with a password alone. Show who.")
        .sees_not("Second Master");
    owner
        .get("/")
        .sees("Accounts 3 2 active, 1 pending")
        .sees("Needs attention");
    assert!(
        owner
            .html()
            .contains("href=\"/iam/accounts?status=pending\"")
    );
    portal
        .member(Role::Billing, "bo@fjord.example")
        .get("/")
        .sees_not("Accounts")
        .sees_not("account signs in");
}

#[test]
fn where_all_is_well_nothing_needs_attention() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Master, "ann@fjord.example");
    ann.enrol();
    let mut owner = portal.owner();
    owner.enrol();
    portal.work();
    owner
        .get("/")
        .sees("Needs attention Nothing just now.")
        .sees("Two-factor 100%");
    assert!(
        owner
            .html()
            .contains("href=\"/iam/accounts?two_factor=on\"")
    );
}

#[test]
fn passwords_that_stand_alone_are_counted_and_led_to() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .get("/")
        .sees("Two-factor 0% 1 account without")
        .sees("1 account without it 1 account signs in with a password alone.");
    let mut ann = portal.member(Role::Admin, "ann@fjord.example");
    portal.member(Role::Member, "mia@fjord.example");
    // Whoever is invited, and whoever is switched off, signs in with nothing.
    portal.invite(&owner, Role::Member, LEA);
    let gone = portal.member(Role::Member, "gone@fjord.example");
    owner.get("/").sees("Two-factor 0% 4 accounts without");
    owner
        .post(format!("/iam/accounts/{}/disable", gone.account().id), &[])
        .answers(303);
    owner.get("/").sees("Two-factor 0% 3 accounts without");
    owner.enrol();
    // Rounded down: one of three is not a third and something.
    owner
        .get("/")
        .sees("Two-factor 33% 2 accounts without")
        .sees("2 accounts without it 2 accounts sign in with a password alone. Show who or change what is asked.");
    for link in ["/iam/accounts?two_factor=off", "/settings#security"] {
        let link = format!("href=\"{link}\"");
        assert!(owner.html().contains(&link), "{link}");
    }
    // An Admin lists accounts, and so is told too; what is asked of people is a Master's to change.
    ann.enrol();
    ann.get("/")
        .sees("Two-factor 66% 1 account without")
        .sees("1 account signs in with a password alone. Show who.")
        .sees_not("change what is asked")
        .sees_not("Your sign-in");
    portal
        .signed_in("mia@fjord.example")
        .get("/")
        .answers(200)
        .sees_not("account without");
}

#[test]
fn each_thing_that_is_wrong_is_named_with_its_way_out() {
    let portal = Portal::build().http().mail_off().start();
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    owner
        .get("/")
        .sees("This machine only")
        .sees("public_url")
        .sees("Mail is off")
        .sees("DOORWARD_SMTP_URL")
        .sees("One Master")
        .sees_not("link expired");
    portal.travel(DAY);
    owner.get("/sign-in");
    owner.sign_in();
    owner.get("/").sees("1 link expired");
    let in_the_clear = Portal::build()
        .settings(|settings| {
            settings.public_url = "http://portal.example.com".to_owned();
            settings.transport = Transport::Http;
        })
        .start();
    in_the_clear
        .owner()
        .get("/")
        .sees("Not encrypted")
        .sees("public_url");
}

#[test]
fn mail_that_does_not_leave_is_told_and_stops_being_told() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.mailbox().fail(Some(Failure::Relay(
        Cause::Service,
        "no connection".to_owned(),
    )));
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    owner.get("/").sees("The mail server is in trouble");
    portal
        .mailbox()
        .fail(Some(Failure::Never("550 no".to_owned())));
    portal.travel(60);
    portal.work();
    owner
        .get("/")
        .sees_not("in trouble")
        .sees("1 mail failed")
        .sees("0 waiting, 1 failed");
    portal.leave_mail();
}

#[test]
fn the_demonstration_is_not_told_that_it_serves_this_machine_only() {
    let portal = Portal::build().http().demo().start();
    portal.owner().get("/").answers(200).sees_not("public_url");
}

#[test]
fn each_role_sees_the_resources_and_the_money_that_are_theirs_to_see() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    let mut admin = portal.member(Role::Admin, "ann@fjord.example");
    let mut billing = portal.member(Role::Billing, "bo@fjord.example");
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    mia.get("/")
        .answers(200)
        .sees("Your resources 0")
        .sees_not("so far");
    wares::create(&portal, &owner, "db-1", "database/db-1");
    let web = wares::create(&portal, &owner, "web-1", "server/s-1");
    let allowed = Allowed::to(&owner.scope().unwrap(), &owner.by()).unwrap();
    let to = mia.account().id;
    let app = portal.app();
    app.write_if(app.now(), |tx| resources::hand_over(tx, &allowed, web, to))
        .unwrap()
        .unwrap();
    portal.travel(12 * HOUR);
    for person in [&mut owner, &mut admin] {
        person.get("/sign-in").answers(200);
        person.sign_in();
        person
            .get("/")
            .sees("Accounts 4 4 active, 0 pending")
            .sees("Resources 2 2 added this week")
            // Half a day of 88.00 and 12.40 a month; and all of it from 14:20 on 24 November.
            .sees("November so far €1.68 €21.56 expected");
        assert!(person.html().contains("href=\"/billing\""));
    }
    billing.get("/sign-in");
    billing.sign_in();
    billing
        .get("/")
        .sees("November so far €1.68 €21.56 expected")
        .sees("Unpaid invoices 0")
        .sees("Resources 2 2 added this week")
        .sees_not("Accounts");
    mia.get("/sign-in");
    mia.sign_in();
    mia.get("/")
        .sees("Your resources 1")
        .sees("November so far €0.21 €2.66 expected")
        .sees_not("€1.68")
        .sees_not("Unpaid");
    let own = format!("href=\"/resources?account={}\"", mia.account().id);
    assert!(mia.html().contains(&own));
    assert!(!mia.html().contains("/billing"));
}

#[test]
fn an_invoice_that_is_not_paid_and_a_budget_that_is_nearly_spent_want_attention() {
    let portal = Portal::start();
    wares::stock(&portal);
    let mut owner = portal.owner();
    let mut mia = portal.member(Role::Member, "mia@fjord.example");
    owner.enrol();
    mia.enrol();
    wares::create(&portal, &owner, "db-1", "database/db-1");
    portal.work();
    let app = portal.app();
    let ends = Month::of(app.now()).span().until;
    portal.travel(ends.since(app.now()));
    portal.work();
    owner.get("/sign-in");
    owner.sign_in();
    let number = "INV-2026-001";
    let set_budget = |owner: &Visitor, budget| {
        let allowed = Allowed::to(&owner.scope().unwrap(), &owner.by()).unwrap();
        app.write_if(app.now(), |tx| {
            billing::set_budget(tx, &allowed, Some(budget))
        })
        .unwrap()
        .unwrap();
    };
    set_budget(&owner, Money(10_000));
    let back = |person: &mut Visitor, days| {
        portal.travel(days * DAY);
        person.get("/sign-in");
        person.sign_in();
        person.get("/").answers(200);
    };
    owner.get("/").sees_not("overdue").sees_not("spent");
    // Issued today and due in a fortnight, until that day is over.
    back(&mut owner, 14);
    owner.sees_not("overdue");
    back(&mut owner, 1);
    owner
        .sees("Invoices 1 invoice overdue Invoice INV-2026-001 was due on 15 Dec 2026.")
        .sees_not("spent");
    assert!(
        owner
            .html()
            .contains(&format!("href=\"/billing/invoices/{number}\""))
    );
    set_budget(&owner, Money(5_000));
    owner.get("/").sees("Budget 80 % spent December has cost €");
    set_budget(&owner, Money(4_000));
    owner
        .get("/")
        .sees("Budget All spent December has cost €")
        .sees("of a budget of €40.00.");
    mia.get("/sign-in");
    mia.sign_in();
    mia.get("/").sees_not("overdue").sees_not("spent");
}

/// A backup was made this night.
const BACKED_UP: &str = "INSERT INTO backups (id, cause, began_at, ended_at, place, bytes)
    VALUES (1, 'nightly', 1795500000, 1795500001, 'a', 1)";

/// The numbers of the chart, one row a day: the day, who came in, and who did not.
fn days(visitor: &Visitor) -> Vec<(String, i64, i64)> {
    let page = visitor.html();
    let (_, table) = page.split_once("ign-ins, last 30 days</caption>").unwrap();
    let table = table.split("</table>").next().unwrap();
    let body = table.split("<tbody").nth(1).unwrap();
    let cell = |cell: &str| {
        let text = cell.split('>').nth(1).unwrap();
        text.split('<').next().unwrap().to_owned()
    };
    let rows = body.split("<tr").skip(1).map(|row| {
        let cells: Vec<String> = row.split("<td").skip(1).map(cell).collect();
        (
            cells[0].clone(),
            cells[1].parse().unwrap(),
            cells[2].parse().unwrap(),
        )
    });
    rows.collect()
}

/// What is counted is what the log tells: a file that is brought up from a version before is counted by the same rule.
fn counted_as_the_log_tells(portal: &Portal) {
    let all = "SELECT organisation_id || ' ' || from_at || ' ' || succeeded || ' ' || failed FROM sign_ins ORDER BY 1";
    let kept = portal.ask::<String>(all);
    let migration = std::fs::read_to_string("src/migrations/0006_portal.sql").unwrap();
    let statement = migration.split("INSERT INTO sign_ins").nth(1).unwrap();
    let statement = statement.split(';').next().unwrap();
    portal.tamper(&format!(
        "DELETE FROM sign_ins; INSERT INTO sign_ins {statement};"
    ));
    assert_eq!(portal.ask::<String>(all), kept);
    assert!(!kept.is_empty());
}

#[test]
fn sign_ins_are_counted_by_day_with_the_sums_of_floods() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut mia = portal.member_of(&owner, Role::Member, "mia@fjord.example");
    mia.enrol();
    let mut stranger = portal.visitor();
    // Five are rows and three a sum.
    for _ in 0..8 {
        stranger
            .try_password("mia@fjord.example", "Wrong-Horse-7!")
            .answers(422);
    }
    // Of nobody here, and so of nobody's chart.
    stranger.try_password("nobody@fjord.example", "Wrong-Horse-7!");
    // A wrong code is a sign-in that failed; whoever is in and types a wrong password is in all the same.
    portal.travel(11 * 60);
    let mut half = mia.elsewhere();
    half.try_password("mia@fjord.example", &mia.password)
        .answers(303);
    half.post("/sign-in/code", &[("code", "000000")])
        .answers(422);
    owner.post(
        "/account/email",
        &[
            ("email", "o@fjord.example"),
            ("current_password", "Wrong-1!"),
        ],
    );
    owner.answers(422);
    portal.travel(60);
    portal.work();
    owner
        .get("/")
        .sees("Sign-ins, last 30 days 2 signed in 9 failed")
        .sees("Days of Europe/Oslo.");
    let rows = days(&owner);
    assert_eq!(rows.len(), 30);
    assert_eq!(rows[29], ("Today".to_owned(), 2, 9));
    assert_eq!(rows[0], ("26 Oct".to_owned(), 0, 0));
    // A Member is told of their own alone.
    mia.get("/")
        .sees("Your sign-ins, last 30 days 1 signed in 9 failed");
    assert_eq!(days(&mia)[29], ("Today".to_owned(), 1, 9));
    counted_as_the_log_tells(&portal);
    // The day after they are of yesterday, and thirty days later of no day of the chart.
    portal.travel(DAY);
    owner.get("/sign-in");
    owner.sign_in();
    owner.get("/");
    let rows = days(&owner);
    assert_eq!(rows[28], ("24 Nov".to_owned(), 2, 9));
    assert_eq!(rows[29], ("Today".to_owned(), 1, 0));
    portal.leave_mail();
    portal.tamper("UPDATE policies SET level = 'off'");
    portal.travel(29 * DAY);
    owner.get("/sign-in");
    owner.sign_in();
    owner.get("/").sees("2 signed in 25 Nov 2 Dec");
    let first = &days(&owner)[0];
    assert_eq!(*first, ("25 Nov".to_owned(), 1, 0));
    portal.travel(12 * DAY);
    owner.get("/sign-in");
    owner.sign_in();
    let kept = portal.ask::<i64>("SELECT count(*) FROM sign_ins");
    assert_eq!(kept, [2], "older ones are forgotten");
}

#[test]
fn a_day_is_that_of_the_readers_clock() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    // 14:20 in Oslo is early on the next day nowhere, but 03:20 of the day after in Kiritimati.
    owner
        .post(
            "/account/preferences",
            &[("timezone", "Pacific/Kiritimati"), ("shortcuts", "yes")],
        )
        .answers(303);
    // Nineteen hours later it is 22:20 of the same day there, and the day after in Oslo.
    portal.travel(19 * HOUR);
    owner.get("/sign-in");
    owner.sign_in();
    owner.get("/").sees("Days of Pacific/Kiritimati.");
    assert_eq!(days(&owner)[29].1, 2);
    owner
        .post(
            "/account/preferences",
            &[("timezone", ""), ("shortcuts", "yes")],
        )
        .answers(303);
    owner.get("/");
    assert_eq!((days(&owner)[28].1, days(&owner)[29].1), (1, 1));
}

#[test]
fn whoever_reads_the_log_sees_what_happened_to_everybody() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut admin = portal.member_of(&owner, Role::Admin, "ann@fjord.example");
    let mut bo = portal.member_of(&owner, Role::Billing, "bo@fjord.example");
    portal.invite(&admin, Role::Member, LEA);
    let told = "ANN Vik invited lea@fjord.example as Member";
    owner
        .get("/")
        .sees("Recent activity")
        .sees(told)
        .sees("Sign-ins, last 30 days 3 signed in")
        .sees_not("Your recent activity");
    // As soon as there is a page of all of it, it is led to.
    let leads_there = owner.html().contains("<a href=\"/audit\">Audit log</a>");
    assert_eq!(leads_there, Route::parse("/audit").is_some());
    // Who lists accounts may look at each one's sign-ins, and so at their number; the log is for Masters.
    admin
        .get("/")
        .sees("Your recent activity")
        .sees("Sign-ins, last 30 days 3 signed in")
        .sees("You invited lea@fjord.example as Member")
        .sees_not("Audit log");
    bo.get("/")
        .sees("Your recent activity")
        .sees("Your sign-ins, last 30 days 1 signed in")
        .sees_not("Audit log")
        .sees_not(LEA);
    // Eight at most.
    let page = owner.html();
    let table = crate::answer::between(&page, "<caption class=\"vh\">Recent activity", "</table>");
    let rows = table.split("<tbody").nth(1).unwrap().matches("<tr").count();
    assert_eq!(rows, 8, "{table}");
}

#[test]
fn the_first_steps_are_ticked_by_what_is_true() {
    let portal = Portal::build()
        .settings(|settings| {
            settings.public_url = "http://portal.example.com".to_owned();
            settings.transport = Transport::Http;
        })
        .mail_off()
        .start();
    let mut owner = portal.owner();
    owner
        .get("/")
        .sees("First steps 0 of 5 done")
        .sees("Public address Not encrypted")
        .sees("Mail Mail is off")
        .sees("Two-factor for all 1 account without it")
        .sees("Second Master One Master")
        .sees("Backup None yet");
    // Nothing is said twice.
    let page = owner.html();
    for once in ["Not encrypted", "Mail is off", "One Master", "None yet"] {
        assert_eq!(page.matches(once).count(), 1, "{once}");
    }
    // Others have no list of theirs.
    let mut admin = portal.member_of(&owner, Role::Admin, "ann@fjord.example");
    admin.get("/").sees_not("First steps");
    admin
        .post("/settings/first-steps", &[])
        .answers(403)
        .sees("You cannot do this");

    let mut max = portal.member_of(&owner, Role::Master, "max@fjord.example");
    for visitor in [&mut owner, &mut admin, &mut max] {
        visitor.enrol();
    }
    owner
        .get("/")
        .sees("First steps 2 of 5 done")
        .sees("Two-factor for all Done Every account has it.")
        .sees("Second Master Done Somebody can step in");
    portal.tamper(BACKED_UP);
    owner.get("/").sees("3 of 5 done").sees("Backup Done");
    // Put away, what is open stands where everything else does; for every Master, and once.
    owner
        .post("/settings/first-steps", &[])
        .answers(303)
        .goes_to("/")
        .follow()
        .sees("The first steps are put away.")
        .sees_not("of 5 done")
        .sees("Needs attention Public address Not encrypted")
        .sees("Mail is off");
    max.get("/").sees_not("First steps").sees("Mail is off");
    max.post("/settings/first-steps", &[]).answers(303);
    let log = portal.audit(Some(portal.first()));
    let away = "organisation.first_steps_put_away";
    assert_eq!(log.iter().filter(|one| one.action == away).count(), 1);
    owner.get("/").sees("You put the list of first steps away");
}

#[test]
fn the_first_steps_go_by_themselves() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut max = portal.member_of(&owner, Role::Master, "max@fjord.example");
    max.enrol();
    owner.enrol();
    owner.get("/").sees("First steps 4 of 5 done");
    portal.tamper(BACKED_UP);
    owner.get("/").sees_not("First steps");
    // What is undone again within the first days stands there again.
    let mia = portal.member_of(&owner, Role::Member, "mia@fjord.example");
    owner.get("/").sees("First steps 4 of 5 done");
    owner
        .post(format!("/iam/accounts/{}/disable", mia.account().id), &[])
        .answers(303);
    owner.get("/").sees_not("First steps");
    owner
        .post(format!("/iam/accounts/{}/enable", mia.account().id), &[])
        .answers(303);
    owner.get("/").sees("First steps");
    portal.leave_mail();
    portal.travel(30 * DAY);
    owner.get("/sign-in");
    owner.sign_in();
    owner
        .get("/")
        .answers(200)
        .sees_not("First steps")
        .sees("1 account without it");
}

#[test]
fn backups_that_fail_are_told_of_once_and_stop_being_told_of() {
    let portal = Portal::build()
        .settings(|settings| settings.backups.at = Some(9_000))
        .start();
    let mut owner = portal.owner();
    owner
        .get("/")
        .sees("Backup None yet The first one is made in the coming night.");
    let failed = "INSERT INTO backups (id, cause, began_at, ended_at, place, failure)
        VALUES (1, 'nightly', 1795500000, 1795500001, 'a', 'no room')";
    portal.tamper(failed);
    owner
        .get("/")
        .sees("Backup Backups fail Since 7 h ago.")
        .sees_not("None yet");
    assert_eq!(owner.html().matches("Backups fail").count(), 1);
    owner.post("/settings/first-steps", &[]).answers(303);
    owner
        .get("/")
        .sees_not("First steps")
        .sees("Backup Backups fail Since 7 h ago. Whoever runs this Portal has to see to it: what is known.");
    portal.tamper(
        "INSERT INTO backups (id, cause, began_at, ended_at, place, bytes)
           VALUES (2, 'nightly', 1795500010, 1795500011, 'a', 1)",
    );
    owner.get("/").sees_not("Backups fail");
}
