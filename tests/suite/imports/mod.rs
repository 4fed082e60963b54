//! Many at once: what each line means before anybody is invited, working through a list, and what became of it.

mod command;
mod kills;
mod sent;

use std::fmt::Write as _;
use std::io::{Write as _, stderr};

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::{DAY, HOUR, MINUTE, instant};
use doorward::lifecycle;

use crate::portal::{OWNER, Portal};
use crate::races::together;
use crate::visitor::Visitor;

/// Sends a list, and stands on the page that says what it means; answers with its address.
#[track_caller]
fn judged(visitor: &mut Visitor, list: &str) -> String {
    visitor
        .post("/iam/import", &[("list", list), ("role", "member")])
        .answers(303);
    let page = visitor.location().unwrap();
    visitor.get(&page).answers(200);
    page
}

/// Confirms a list.
#[track_caller]
fn begun(visitor: &mut Visitor, list: &str) -> String {
    let page = judged(visitor, list);
    visitor.post(format!("{page}/begin"), &[]).answers(303);
    page
}

/// Whether the page holds this markup.
#[track_caller]
fn holds(visitor: &Visitor, markup: &str) {
    let html = visitor.html();
    assert!(html.contains(markup), "no {markup} in {html}");
}

fn addresses(count: usize, domain: &str) -> String {
    (1..=count).fold(String::new(), |mut list, one| {
        writeln!(list, "p{one}@{domain}").unwrap();
        list
    })
}

fn counts(portal: &Portal) -> (i64, i64, i64) {
    let of = |state: &str| {
        portal.ask::<i64>(&format!(
            "SELECT count(*) FROM import_lines WHERE state = '{state}'"
        ))[0]
    };
    (of("waiting"), of("invited"), of("refused"))
}

fn events(portal: &Portal, action: &str) -> i64 {
    portal.ask(&format!(
        "SELECT count(*) FROM audit_events WHERE action = '{action}'"
    ))[0]
}

#[test]
fn each_line_gets_its_verdict_and_nobody_is_invited_by_looking() {
    let portal = Portal::start();
    portal.organisation("Lakeside");
    portal.member(Role::Member, "mia@fjord.example");
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    portal.work();
    let (accounts, mails) = (
        portal.ask::<i64>("SELECT count(*) FROM accounts")[0],
        portal.mails().len(),
    );
    let page = judged(
        &mut admin,
        "email,permission,name,phone\n\
         new@x.example,Billing,Léa Fontaine,+47 922 41 108\n\
         mia@fjord.example,,,\n\
         owner@lakeside.example,,,\n\
         no address,,,\n\
         NEW@x.example,member,,\n\
         a@x.example,owner,,\n\
         b@x.example,MASTER,,\n\
         c@x.example,,www.x,\n\
         d@x.example,,,92241108\n\
         e@x.example,,Ann,,more\n",
    );
    admin
        .sees("10 people on the list")
        .sees("Nobody has been invited yet")
        .sees("Invite 1 person")
        .sees("New")
        .sees("Already here")
        .sees("In use")
        .sees("Each email can be registered once across the whole system.")
        .sees("Not an email")
        .sees("An email address has an @ in it")
        .sees("The same email stands in line 2.")
        .sees("No such permission")
        .sees("Only a Master can give the permission Master.")
        .sees("A name cannot hold a web address.")
        .sees("Write the number with its country code")
        .sees("Too many columns")
        .sees_not("Lakeside");
    let mia = portal.ask::<doorward::domain::id::AccountId>(
        "SELECT id FROM accounts WHERE email = 'mia@fjord.example'",
    )[0];
    holds(
        &admin,
        &format!("<a href=\"/iam/accounts/{mia}\">mia@fjord.example</a>"),
    );
    assert_eq!(counts(&portal), (1, 0, 9));
    // One kind alone, and what is no kind.
    admin
        .get(format!("{page}?verdict=taken"))
        .answers(200)
        .sees("owner@lakeside.example")
        .sees_not("new@x.example");
    admin
        .get(format!("{page}?verdict=nothing&page=99"))
        .answers(200)
        .sees("new@x.example");
    admin
        .get(format!("{page}?verdict=invited"))
        .answers(200)
        .sees("No lines match");
    portal.work();
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM accounts"),
        [accounts]
    );
    assert_eq!(portal.mails().len(), mails);
    assert_eq!(events(&portal, "import.checked"), 1);
    assert_eq!(events(&portal, "invitation.refused"), 1);
    assert_eq!(events(&portal, "import.began"), 0);
}

#[test]
fn only_allowed_domains_are_invited() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.tamper("UPDATE organisations SET domains = 'fjord.example'");
    let page = judged(&mut owner, "a@fjord.example\nb@x.example\n");
    owner.sees("Not an allowed domain").sees("Invite 1 person");
    // The setting is looked at anew when it is done.
    portal.tamper("UPDATE organisations SET domains = 'y.example'");
    owner.post(format!("{page}/begin"), &[]).answers(303);
    portal.work();
    assert_eq!(counts(&portal), (0, 0, 2));
    owner.get(&page).answers(200).sees("0 people invited");
}

#[test]
fn a_confirmed_list_invites_each_and_their_pages_begin_with_what_is_known() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let page = judged(
        &mut owner,
        "lea@x.example,Billing,Léa Fontaine,+47 922 41 108\nbo@x.example\nno address\n",
    );
    owner.sees("Invite 2 people");
    owner
        .post(format!("{page}/begin"), &[])
        .answers(303)
        .goes_to(&page);
    owner
        .get(&page)
        .answers(200)
        .sees("Inviting people")
        .sees("1 of 3, 1 failed");
    assert_eq!(owner.last().header("refresh"), Some("3"));
    portal.work();
    owner
        .get(&page)
        .answers(200)
        .sees("2 people invited")
        .sees("Of 3 lines. 1 line was refused.")
        .sees("Result as CSV");
    assert_eq!(owner.last().header("refresh"), None);
    // Named, and Pending all the same.
    owner
        .get("/iam/accounts?q=fontaine")
        .answers(200)
        .sees("Léa Fontaine")
        .sees("+47 922 41 108")
        .sees("Pending");
    let link = portal.link_for("lea@x.example");
    let mut lea = portal.visitor();
    lea.get(&link).answers(200);
    holds(&lea, "value=\"Léa Fontaine\"");
    holds(&lea, "value=\"+47 922 41 108\"");
    lea.post(
        &link,
        &[
            ("name", "Léa F."),
            ("phone", ""),
            ("password", "Correct-Horse-7!"),
            ("password_confirmation", "Correct-Horse-7!"),
        ],
    )
    .answers(303);
    assert_eq!(
        portal.ask::<String>(
            "SELECT name || ' ' || role || ' ' || coalesce(phone, '-') FROM accounts WHERE email = 'lea@x.example'"
        ),
        ["Léa F. billing -"]
    );
    let mut bo = portal.visitor();
    bo.get(portal.link_for("bo@x.example")).answers(200);
    // Each line is on record as its sender's, in their session and from their address, and found together.
    let recorded = portal.ask::<String>(
        "SELECT action || ' ' || (session_id IS NOT NULL) || ' ' || actor || ' ' || request_id FROM audit_events
          WHERE request_id LIKE 'imp%' ORDER BY number",
    );
    let id = page.rsplit('/').next().unwrap();
    assert_eq!(
        recorded,
        [
            format!("account.created 1 account {id}"),
            format!("account.created 1 account {id}"),
            format!("import.ended 1 account {id}")
        ]
    );
    let texts = portal.ask::<String>(&format!(
        "SELECT t.text FROM audit_texts t JOIN audit_events e ON e.chain_id = t.chain_id AND e.number = t.number
          WHERE e.request_id = '{id}' AND t.slot IN (1, 2)"
    ));
    assert!(
        texts.contains(&OWNER.to_owned()) && texts.contains(&owner.address.to_string()),
        "{texts:?}"
    );
    assert_eq!(events(&portal, "import.began"), 1);
}

#[test]
fn a_list_tells_no_more_of_other_organisations_than_the_form_does() {
    let portal = Portal::start();
    let mut elsewhere = portal.organisation("Lakeside");
    let mut owner = portal.owner();
    portal.restart(|settings, _| settings.terms.refused_max = 3);
    let taken = addresses(5, "lakeside.example");
    begun(&mut elsewhere, &taken);
    portal.work();
    portal.member(Role::Member, "mia@fjord.example");
    portal.work();
    // Three are told; of the rest nothing is, whether somebody has them or not.
    let list = format!("{taken}free@x.example\nmia@fjord.example\n");
    let page = judged(&mut owner, &list);
    owner
        .sees("Too many addresses were in use")
        .sees("after line 3")
        .sees("Not looked up")
        .sees("Already here")
        .sees("Invite 3 people");
    assert_eq!(events(&portal, "invitation.refused"), 3);
    let shown: Vec<bool> = [
        "p3@lakeside.example",
        "p4@lakeside.example",
        "free@x.example",
    ]
    .map(|email| {
        let html = owner.html();
        let row = html.split("<tr").find(|row| row.contains(email)).unwrap();
        row.contains("Not looked up")
    })
    .to_vec();
    assert_eq!(shown, [false, true, true]);
    // The form says to wait, and so does another list; neither tells whether an address is free.
    for email in ["p5@lakeside.example", "free@x.example"] {
        owner
            .post("/iam/accounts", &[("email", email), ("role", "member")])
            .answers(429);
    }
    judged(&mut owner, "p5@lakeside.example\nother@x.example\n");
    owner.sees("Invite 2 people").sees_not("In use");
    assert_eq!(events(&portal, "invitation.refused"), 3);
    // Nor does the list that is worked through: it waits with all of them.
    owner.post(format!("{page}/begin"), &[]).answers(303);
    portal.work();
    owner
        .get(&page)
        .answers(200)
        .sees("may not invite more people for now")
        .sees("4 failed");
    assert_eq!(owner.last().header("refresh"), Some("60"));
    assert_eq!(events(&portal, "account.created"), 6);
    portal.travel(HOUR);
    portal.work();
    owner
        .get(&page)
        .answers(200)
        .sees("1 person invited")
        .sees("6 lines were refused");
    assert_eq!(events(&portal, "invitation.refused"), 5);
}

#[test]
fn a_list_waits_at_the_caps_through_restarts_and_goes_on() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.restart(|settings, _| {
        settings.terms.hour_max = 2;
        settings.terms.day_max = 5;
    });
    let page = begun(&mut owner, &addresses(7, "x.example"));
    portal.work();
    assert_eq!(counts(&portal), (5, 2, 0));
    owner
        .get(&page)
        .answers(200)
        .sees("2 of 7, 0 failed")
        .sees("goes on by itself")
        .sees("today, 15:00");
    // Nobody else invites past the caps meanwhile.
    owner
        .post(
            "/iam/accounts",
            &[("email", "n@x.example"), ("role", "member")],
        )
        .answers(429);
    portal.work();
    assert_eq!(counts(&portal), (5, 2, 0));
    portal.restart(|_, _| {});
    portal.travel(40 * MINUTE);
    portal.work();
    assert_eq!(counts(&portal), (3, 4, 0));
    portal.travel(HOUR);
    portal.work();
    // The day is over its cap: till midnight in UTC.
    assert_eq!(counts(&portal), (2, 5, 0));
    owner.get(&page).answers(200).sees("tomorrow, 01:00");
    portal.travel(5 * HOUR);
    portal.work();
    assert_eq!(counts(&portal), (2, 5, 0));
    portal.travel(4 * HOUR);
    portal.work();
    portal.travel(HOUR);
    portal.work();
    assert_eq!(counts(&portal), (0, 7, 0));
    let mut owner = portal.signed_in(OWNER);
    owner.get(&page).answers(200).sees("7 people invited");
}

#[test]
fn an_address_that_had_its_share_today_holds_up_no_other() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.restart(|settings, _| settings.terms.address_max = 1);
    let id = portal.invite(&owner, Role::Member, "a@x.example");
    let app = portal.app();
    app.write(app.now(), |tx| lifecycle::delete(tx, &owner.allowed(), id))
        .unwrap();
    let page = begun(&mut owner, "a@x.example\nb@x.example\n");
    portal.work();
    owner
        .get(&page)
        .answers(200)
        .sees("1 person invited")
        .sees("Invited too often");
}

#[test]
fn of_two_who_confirm_at_once_one_begins_and_each_is_invited_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for round in 0..20 {
        let page = judged(&mut owner, &addresses(3, &format!("r{round}.example")));
        let (mut one, mut other) = (owner.clone(), owner.clone());
        let path = format!("{page}/begin");
        let (first, second) = together(
            || one.post(&path, &[]).status(),
            || other.post(&path, &[]).status(),
        );
        assert_eq!((first, second), (303, 303));
        assert_eq!(events(&portal, "import.began"), round + 1);
        portal.work();
        // Once more, long after.
        owner.post(&path, &[]).answers(303).goes_to(&page);
        portal.work();
        assert_eq!(events(&portal, "import.began"), round + 1);
        assert_eq!(counts(&portal).1, 3 * (round + 1));
        portal.travel(10 * MINUTE);
        owner.sign_in();
    }
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM accounts WHERE status = 'pending'"),
        [60]
    );
}

#[test]
fn two_lists_with_the_same_people_invite_them_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let list = addresses(5, "x.example");
    let (first, second) = (judged(&mut owner, &list), judged(&mut owner, &list));
    owner.post(format!("{first}/begin"), &[]).answers(303);
    owner.post(format!("{second}/begin"), &[]).answers(303);
    portal.work();
    assert_eq!(counts(&portal), (0, 5, 5));
    assert_eq!(portal.mails().len(), 5);
    owner.get(&second).answers(200).sees("Already here");
}

#[test]
fn what_happened_between_looking_and_doing_is_seen() {
    let portal = Portal::start();
    let mut elsewhere = portal.organisation("Lakeside");
    let mut owner = portal.owner();
    let page = judged(&mut owner, "a@x.example\nb@x.example\nc@x.example\n");
    owner.sees("Invite 3 people");
    portal.invite(&elsewhere, Role::Member, "a@x.example");
    portal.invite(&owner, Role::Member, "b@x.example");
    owner.post(format!("{page}/begin"), &[]).answers(303);
    portal.work();
    owner
        .get(&page)
        .answers(200)
        .sees("1 person invited")
        .sees("In use")
        .sees("Already here");
    assert_eq!(events(&portal, "invitation.refused"), 1);
    elsewhere.get(&page).answers(404);
}

/// A list of five, of which two are done and the others wait; begun by an Admin.
fn half_done() -> (Portal, Visitor, Visitor, String) {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    portal.restart(|settings, _| settings.terms.hour_max = 3);
    let page = begun(&mut admin, &addresses(5, "x.example"));
    portal.work();
    assert_eq!(counts(&portal), (3, 2, 0));
    (portal, owner, admin, page)
}

#[track_caller]
fn goes_on(portal: &Portal, owner: &mut Visitor, page: &str) {
    portal.travel(40 * MINUTE);
    portal.work();
    assert_eq!(counts(portal), (0, 5, 0));
    owner.get(page).answers(200).sees("5 people invited");
}

#[track_caller]
fn is_stopped(portal: &Portal, owner: &mut Visitor, page: &str, why: &str) {
    portal.travel(40 * MINUTE);
    portal.work();
    assert_eq!(counts(portal), (3, 2, 0));
    assert_eq!(events(portal, "import.ended"), 1);
    owner
        .get(page)
        .answers(200)
        .sees("2 people invited")
        .sees("3 lines were not reached")
        .sees(why);
    portal.travel(HOUR);
    portal.work();
    assert_eq!(counts(portal), (3, 2, 0));
}

#[test]
fn whoever_leaves_the_page_or_signs_out_leaves_the_list_at_work() {
    let (portal, mut owner, mut admin, page) = half_done();
    admin.post("/sign-out", &[]).answers(303);
    goes_on(&portal, &mut owner, &page);
}

#[test]
fn whoever_may_not_invite_any_more_invites_nobody_by_a_list_either() {
    let (portal, mut owner, admin, page) = half_done();
    let app = portal.app();
    app.write(app.now(), |tx| {
        lifecycle::change_role(tx, &owner.allowed(), admin.account().id, Role::Billing)
    })
    .unwrap();
    is_stopped(&portal, &mut owner, &page, "permission or password changed");
}

#[test]
fn a_list_of_somebody_disabled_is_stopped() {
    let (portal, mut owner, admin, page) = half_done();
    let app = portal.app();
    app.write(app.now(), |tx| {
        lifecycle::disable(tx, &owner.allowed(), admin.account().id)
    })
    .unwrap();
    is_stopped(&portal, &mut owner, &page, "has no Active account any more");
}

#[test]
fn a_list_of_somebody_signed_out_by_others_is_stopped() {
    let (portal, mut owner, admin, page) = half_done();
    let app = portal.app();
    app.write(app.now(), |tx| {
        lifecycle::sign_out(tx, &owner.allowed(), admin.account().id)
    })
    .unwrap();
    is_stopped(&portal, &mut owner, &page, "signed out everywhere");
}

#[test]
fn only_masters_manage_users_stops_the_lists_of_admins() {
    let (portal, mut owner, _, page) = half_done();
    owner
        .post("/settings/security", &[("only_masters", "yes")])
        .answers(303);
    is_stopped(&portal, &mut owner, &page, "signed out everywhere");
}

#[test]
fn a_disabled_organisation_invites_nobody() {
    let (portal, mut owner, _, page) = half_done();
    portal.tamper("UPDATE organisations SET disabled_at = 1795526400");
    portal.travel(40 * MINUTE);
    portal.work();
    assert_eq!(counts(&portal), (3, 2, 0));
    portal.tamper("UPDATE organisations SET disabled_at = NULL");
    owner
        .get(&page)
        .answers(200)
        .sees("The organisation was disabled.");
}

#[test]
fn a_list_can_be_stopped_and_keeps_what_is_done() {
    let (portal, mut owner, mut admin, page) = half_done();
    let stop = format!("{page}/stop");
    // Whoever may invite may stop it, whoever began it.
    owner.post(&stop, &[]).answers(303).goes_to(&page);
    owner
        .get(&page)
        .answers(200)
        .sees("It was stopped by hand.")
        .sees("Not invited");
    admin.post(&stop, &[]).answers(303);
    admin.follow().sees("The list was over already.");
    is_stopped(&portal, &mut owner, &page, "Who was invited stays invited.");
    assert_eq!(
        portal.ask::<String>("SELECT details FROM audit_events WHERE action = 'import.ended'")[0]
            .matches("by_hand")
            .count(),
        1
    );
}

#[test]
fn a_list_that_is_not_confirmed_is_its_senders_alone_and_gone_after_an_hour() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    let page = judged(&mut admin, "a@x.example\nb@x.example\n");
    owner.get(&page).answers(404);
    owner.post(format!("{page}/begin"), &[]).answers(404);
    owner.post(format!("{page}/discard"), &[]).answers(404);
    owner
        .get("/iam/import")
        .answers(200)
        .sees_not("Recent lists");
    admin
        .get("/iam/import")
        .answers(200)
        .sees("Not confirmed")
        .sees("2 people");
    admin.get(format!("{page}/result.csv")).answers(404);
    admin.post(format!("{page}/stop"), &[]).answers(403);
    // Discarded, it is gone at once.
    let other = judged(&mut admin, "c@x.example\n");
    admin
        .post(format!("{other}/discard"), &[])
        .answers(303)
        .goes_to("/iam/import");
    admin.get(&other).answers(404);
    assert_eq!(events(&portal, "import.discarded"), 1);
    // After an hour it is nobody's, and then not there any more.
    portal.travel(HOUR);
    admin.get(&page).answers(404);
    admin.post(format!("{page}/begin"), &[]).answers(404);
    portal.work();
    portal.travel(MINUTE);
    portal.work();
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM imports"), [0]);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM import_lines"), [0]);
    assert_eq!(events(&portal, "account.created"), 1);
}

#[test]
fn a_sixth_unconfirmed_list_takes_the_place_of_the_first() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let pages: Vec<String> = (0..6)
        .map(|one| {
            portal.travel(1);
            judged(&mut owner, &format!("p{one}@x.example"))
        })
        .collect();
    owner.get(&pages[0]).answers(404);
    owner.get(&pages[1]).answers(200);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM imports"), [5]);
    // So many are worked through at a time.
    portal.restart(|settings, _| settings.terms.hour_max = 0);
    for page in &pages[1..] {
        owner.post(format!("{page}/begin"), &[]).answers(303);
    }
    let sixth = judged(&mut owner, "p9@x.example");
    owner
        .post(format!("{sixth}/begin"), &[])
        .answers(403)
        .sees("Wait for one of them to end.");
    let nobody = judged(&mut owner, OWNER);
    owner
        .sees_not("Invite 0")
        .post(format!("{nobody}/begin"), &[])
        .answers(403)
        .sees("There is nobody to invite on this list.");
}

#[test]
fn what_became_of_a_list_is_kept_for_a_month() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let page = begun(&mut owner, &addresses(700, "x.example"));
    portal.work();
    portal.travel(HOUR);
    portal.work();
    portal.travel(HOUR);
    portal.work();
    assert_eq!(counts(&portal).1, 700);
    let mut owner = portal.signed_in(OWNER);
    owner
        .get("/iam/import")
        .answers(200)
        .sees("700 people")
        .sees("Done");
    owner
        .get(format!("{page}?page=14"))
        .answers(200)
        .sees("651 to 700 of 700");
    portal.tamper("UPDATE policies SET level = 'off'");
    portal.travel(30 * DAY);
    let mut owner = portal.signed_in(OWNER);
    portal.leave_mail();
    owner.get(&page).answers(404);
    for _ in 0..4 {
        portal.work();
        portal.travel(MINUTE);
    }
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM import_lines"), [0]);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM imports"), [0]);
}

#[test]
fn a_deleted_account_leaves_no_trace_of_its_person_on_any_list() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let page = begun(
        &mut owner,
        "lea@x.example,Member,Léa Fontaine,+4792241108\n",
    );
    portal.work();
    let again = judged(&mut owner, "lea@x.example\n");
    owner.sees("Already here");
    let id = portal.ask("SELECT id FROM accounts WHERE email = 'lea@x.example'")[0];
    let app = portal.app();
    app.write(app.now(), |tx| lifecycle::delete(tx, &owner.allowed(), id))
        .unwrap();
    for page in [&page, &again] {
        owner
            .get(page)
            .answers(200)
            .sees_not("lea@")
            .sees_not("Fontaine")
            .sees_not("4792241108");
    }
    owner.get(&page).sees("a deleted account").sees("Deleted");
}

#[test]
fn the_result_is_a_file_that_reckons_nothing_and_has_links_only_where_mail_is_off() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let list = "lea@x.example,Admin,Léa \"=Fontaine\",+4792241108\nbo@x.example,master\n=1+1\n";
    let page = begun(&mut owner, list);
    portal.work();
    let csv = format!("{page}/result.csv");
    owner.get(&csv).answers(200);
    let text = owner.html();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Line,email,Permission,Name,Phone,Outcome,Why");
    assert_eq!(
        lines[1],
        "1,lea@x.example,Admin,\"Léa \"\"=Fontaine\"\"\",'+4792241108,Invited,Pending"
    );
    assert!(
        lines[3].starts_with("3,'=1+1,Member,") || lines[3].starts_with("3,'=1+1,,"),
        "{}",
        lines[3]
    );
    assert!(!text.contains("/activate/"));
    assert_eq!(events(&portal, "import.exported"), 1);
    assert_eq!(events(&portal, "invitation.link_copied"), 0);
    // Without mail the links are in it, those alone that whoever asks may copy, each on record.
    portal.app().change_way_out(None, None);
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    admin.get(&csv).answers(200);
    let text = admin.html();
    let told = |email: &str| {
        text.lines()
            .find(|line| line.contains(email))
            .unwrap()
            .to_owned()
    };
    assert!(
        told("lea@x.example").contains("https://portal.example.com/activate/"),
        "{text}"
    );
    assert!(!told("bo@x.example").contains("/activate/"), "{text}");
    owner.get(&csv).answers(200);
    let text = owner.html();
    assert_eq!(text.matches("/activate/").count(), 2);
    let link = text
        .split("https://portal.example.com")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    let mut lea = portal.visitor();
    lea.get(&link).answers(200);
    holds(&lea, "value=\"lea@x.example\"");
    // One was copied by the member's own making, by the house of these tests.
    assert_eq!(events(&portal, "invitation.link_copied"), 4);
    owner
        .get(&page)
        .answers(200)
        .sees("the result as CSV holds the activation links");
    portal.leave_mail();
}

#[test]
fn nothing_goes_on_by_itself_in_a_file_that_was_put_back() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.restart(|settings, _| settings.terms.hour_max = 2);
    let page = begun(&mut owner, &addresses(4, "x.example"));
    portal.work();
    let backup = portal.back_up("amid.db");
    portal.restore(&backup);
    portal.travel(HOUR);
    portal.work();
    assert_eq!(counts(&portal), (2, 2, 0));
    let mut owner = portal.signed_in(OWNER);
    owner.get(&page).answers(200).sees("put back from a backup");
}

#[test]
fn a_thousand_lines_are_looked_at_and_worked_through_in_no_time() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.restart(|settings, _| {
        settings.terms.hour_max = 100_000;
        settings.terms.day_max = 100_000;
    });
    let list: String = (0..1_000).fold(String::new(), |mut list, one| {
        writeln!(
            list,
            "p{one}@x.example,Member,Person Number {one},+47922{one:05}"
        )
        .unwrap();
        list
    });
    let began = instant();
    let page = judged(&mut owner, &list);
    let looked = began.elapsed();
    let began = instant();
    owner
        .get(format!("{page}?verdict=new&page=20"))
        .answers(200)
        .sees("951 to 1000 of 1000");
    let drawn = began.elapsed();
    owner.post(format!("{page}/begin"), &[]).answers(303);
    let began = instant();
    while portal.ask::<i64>("SELECT count(*) FROM import_lines WHERE state = 'waiting'")[0] > 0 {
        for _ in 0..20 {
            portal.round();
        }
    }
    let done = began.elapsed();
    portal.work();
    assert_eq!(counts(&portal), (0, 1_000, 0));
    let large = addresses(5_000, "y.example");
    let began = instant();
    let page = judged(&mut owner, &large);
    let five = began.elapsed();
    let began = instant();
    owner.get(format!("{page}?page=100")).answers(200);
    writeln!(
        stderr(),
        "imports: 1,000 lines: dry run {} ms, a page of it {} ms, run {} ms (each line its own transaction, a mail between); \
         5,000 lines: dry run {} ms, last page {} ms",
        looked.as_millis(),
        drawn.as_millis(),
        done.as_millis(),
        five.as_millis(),
        began.elapsed().as_millis()
    )
    .ok();
    assert!(looked.as_secs() < 10 && done.as_secs() < 60);
}

#[test]
fn the_way_to_the_form_is_shown_to_those_who_may_invite() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.get("/iam/accounts").answers(200).sees("Import");
    holds(&owner, "href=\"/iam/import\"");
    owner.get("/iam/import").answers(200);
    holds(&owner, "enctype=\"multipart/form-data\"");
    let mut member = portal.member(Role::Member, "mia@fjord.example");
    member.get("/iam/import").answers(403);
    member
        .draft(Method::Post, "/iam/import")
        .proven()
        .field("list", "a@x.example")
        .field("role", "member")
        .send();
    assert_eq!(member.status(), 403);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM imports"), [0]);
    portal.work();
}
