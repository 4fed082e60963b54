//! Several accounts at once: each is looked through first, each is a deed of its own, and all of them are one transaction.

use doorward::domain::id::AccountId;
use doorward::domain::role::Role;
use doorward::kit::time::{HOUR, MINUTE};

use crate::portal::Portal;
use crate::visitor::Visitor;

const ANN: &str = "ann@fjord.example";
const BO: &str = "bo@fjord.example";
const LEA: &str = "lea@fjord.example";
const TO: &str = "/iam/accounts/selected";

fn status_of(portal: &Portal, id: AccountId) -> String {
    let sql = format!("SELECT status FROM accounts WHERE id = {}", id.number());
    portal.ask(&sql).remove(0)
}

fn recorded(portal: &Portal, action: &str) -> usize {
    let entries = portal.audit(Some(portal.first()));
    entries.iter().filter(|one| one.action == action).count()
}

/// The hidden fields of the page that asks, as its form sends them.
fn asked(visitor: &Visitor) -> Vec<(String, String)> {
    let html = visitor.html();
    let part = |line: &str, name: &str| {
        let from = line.split_once(&format!("{name}=\""))?.1;
        Some(from.split('"').next()?.replace("&amp;", "&"))
    };
    html.split("<input ")
        .skip(1)
        .filter_map(|line| Some(line.split('>').next()?.to_owned()))
        .filter(|line| line.contains("type=\"hidden\""))
        .filter_map(|line| Some((part(&line, "name")?, part(&line, "value")?)))
        .filter(|(name, _)| {
            ["deed", "confirm", "seen", "from", "account", "left"].contains(&name.as_str())
        })
        .collect()
}

/// Asks about these accounts.
#[track_caller]
fn ask<'v>(visitor: &'v mut Visitor, deed: &str, ids: &[AccountId]) -> &'v mut Visitor {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let mut fields = vec![("deed", deed), ("from", "/iam/accounts?per=50")];
    fields.extend(ids.iter().map(|id| ("account", id.as_str())));
    visitor.post_from("/iam/accounts", TO, &fields)
}

/// Confirms what was asked.
#[track_caller]
fn confirm<'v>(visitor: &'v mut Visitor, asked: &[(String, String)]) -> &'v mut Visitor {
    let fields: Vec<(&str, &str)> = asked
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    visitor.post(TO, &fields)
}

#[test]
fn the_list_has_a_tick_for_each_account_and_a_bar_of_deeds() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let ann = portal.member(Role::Admin, ANN);
    portal.work();
    owner
        .get("/iam/accounts")
        .sees("With the ticked accounts:")
        .sees("Resend invitation Disable… Sign out everywhere");
    let html = owner.html();
    assert!(html.contains("id=\"selected\""));
    let tick = format!(
        "name=\"account\" value=\"{}\" form=\"selected\"",
        ann.account().id
    );
    assert!(html.contains(&tick), "{tick}");
    assert!(html.contains("<span class=\"vh\">Select ANN Vik</span>"));
}

#[test]
fn several_are_disabled_in_one_transaction_with_a_record_each_and_the_others_are_told() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ann = portal.member(Role::Admin, ANN);
    let bo = portal.member(Role::Member, BO);
    let lea = portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let (own, ann_id, bo_id) = (owner.account().id, ann.account().id, bo.account().id);
    ask(&mut owner, "disable", &[own, ann_id, lea, bo_id])
        .answers(200)
        .sees("Disable 2 accounts?")
        .sees("ANN Vik Admin: 1 session ends")
        .sees("BO Vik Member: 1 session ends")
        .sees("Olivia Berg This is your own account.")
        .sees("lea@fjord.example A Pending account cannot be disabled")
        .sees("Cancel Disable 2 accounts");
    assert_eq!(status_of(&portal, ann_id), "active", "asking does nothing");
    let form = asked(&owner);
    let rows = portal.ask::<i64>("SELECT count(*) FROM audit_events")[0];
    confirm(&mut owner, &form)
        .answers(303)
        .goes_to("/iam/accounts?per=50")
        .follow()
        .sees("2 of 4 accounts are disabled and signed out everywhere. Left out: Olivia Berg, lea@fjord.example.");
    assert_eq!(status_of(&portal, ann_id), "disabled");
    assert_eq!(status_of(&portal, bo_id), "disabled");
    assert_eq!(recorded(&portal, "account.disabled"), 2);
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM audit_events")[0],
        rows + 2
    );
    let requests = portal.audit(Some(portal.first())).into_iter();
    let mut requests: Vec<String> = requests
        .filter(|one| one.action == "account.disabled")
        .map(|one| one.request_id)
        .collect();
    requests.dedup();
    assert_eq!(requests.len(), 1, "one request, one transaction");
    ann.get("/").answers(303).goes_to("/sign-in");
}

#[test]
fn an_admin_acts_on_no_master_here_either() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut ann = portal.member(Role::Admin, ANN);
    let max = portal.member(Role::Master, "max@fjord.example");
    let bo = portal.member(Role::Member, BO);
    portal.work();
    let ids = [owner.account().id, max.account().id, bo.account().id];
    ask(&mut ann, "sign-out", &ids)
        .answers(200)
        .sees("Sign out 1 account everywhere?")
        .sees("MAX Vik Only a Master can do this to a Master.")
        .sees("Olivia Berg This account owns the organisation");
    // Whoever writes the form themself is refused all the same.
    let forged: Vec<(String, String)> = asked(&ann)
        .into_iter()
        .map(|(name, value)| match name.as_str() {
            "left" => ("account".to_owned(), value),
            "seen" => (name, "active.member active.master active.master".to_owned()),
            _ => (name, value),
        })
        .collect();
    confirm(&mut ann, &forged)
        .answers(422)
        .sees("Something has changed since this page was opened");
    assert!(max.is_signed_in() && bo.is_signed_in());
    ask(&mut ann, "sign-out", &ids);
    let form = asked(&ann);
    confirm(&mut ann, &form).answers(303);
    assert!(max.is_signed_in() && !bo.is_signed_in());
    // Nobody is left to do it to.
    ask(&mut ann, "disable", &ids[..2])
        .answers(200)
        .sees("No account can be disabled")
        .sees("Back to the list");
}

#[test]
fn nothing_is_done_to_anybody_once_something_has_changed() {
    for change in ["role", "disable", "delete"] {
        let portal = Portal::start();
        let mut owner = portal.owner();
        let ids = [ANN, BO].map(|email| portal.member(Role::Member, email).account().id);
        portal.leave_mail();
        ask(&mut owner, "sign-out", &ids).answers(200);
        let form = asked(&owner);
        let sent: &[(&str, &str)] = match change {
            "role" => &[("role", "billing")],
            "delete" => &[("email", ANN)],
            _ => &[],
        };
        owner
            .post(format!("/iam/accounts/{}/{change}", ids[0]), sent)
            .answers(303);
        confirm(&mut owner, &form)
            .answers(422)
            .sees("Something has changed since this page was opened, so nothing was done yet.");
        assert_eq!(recorded(&portal, "sessions.ended"), 0, "{change}");
        match change {
            "role" => owner
                .sees("Sign out 2 accounts everywhere?")
                .sees("ANN Vik Billing:"),
            "disable" => owner
                .sees("Sign out 1 account everywhere?")
                .sees("it is not Active"),
            _ => owner
                .sees("Sign out 1 account everywhere?")
                .sees("This account is deleted."),
        };
        let again = asked(&owner);
        confirm(&mut owner, &again).answers(303);
        let ended = if change == "role" { 2 } else { 1 };
        assert_eq!(recorded(&portal, "sessions.ended"), ended, "{change}");
    }
}

#[test]
fn invitations_are_resent_within_the_caps_and_no_sooner_than_a_minute_later() {
    let portal = Portal::build()
        .settings(|settings| settings.terms.hour_max = 6)
        .start();
    let mut owner = portal.owner();
    let active = portal.member(Role::Member, BO).account().id;
    let old = ["a", "b", "c"].map(|name| {
        let email = format!("{name}@fjord.example");
        portal.invite(&owner, Role::Member, &email)
    });
    portal.work();
    portal.travel(2 * MINUTE);
    let young = portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let ids = [old[0], young, active];
    ask(&mut owner, "resend", &ids)
        .answers(200)
        .sees("Resend 2 invitations?")
        .sees("BO Vik This account is activated already");
    let form = asked(&owner);
    confirm(&mut owner, &form).answers(303).follow().sees(
        "1 of 3 invitations is resent. Left out: lea@fjord.example (The last link is less than a minute old. Give it a moment), BO Vik.",
    );
    // The cap of the hour: six were invited or resent by then.
    portal.travel(2 * MINUTE);
    let before = portal.ask::<i64>("SELECT count(*) FROM invitations")[0];
    ask(&mut owner, "resend", &old).answers(200);
    let form = asked(&owner);
    confirm(&mut owner, &form)
        .answers(303)
        .follow()
        .sees("0 of 3 invitations are resent. Left out: a@fjord.example, b@fjord.example, c@fjord.example (That is more than 6 invitations this hour");
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM invitations")[0],
        before
    );
    // What was taken back is whole: the links of before still live.
    assert_eq!(
        portal.ask::<i64>("SELECT count(*) FROM invitations WHERE state = 'open'")[0],
        4
    );
    portal.travel(HOUR);
    ask(&mut owner, "resend", &old);
    let form = asked(&owner);
    confirm(&mut owner, &form)
        .answers(303)
        .follow()
        .sees("3 invitations are resent.");
    portal.work();
}

#[test]
fn what_the_page_cannot_send_is_refused() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut lakeside = portal.organisation("Lakeside");
    let ids = [ANN, BO].map(|email| portal.member(Role::Member, email).account().id.to_string());
    portal.work();
    let mut post = |fields: &[(&str, &str)]| owner.post_from("/iam/accounts", TO, fields).status();
    let (ann, bo) = (ids[0].as_str(), ids[1].as_str());
    assert_eq!(
        post(&[("deed", "disable"), ("account", ann), ("account", bo)]),
        200
    );
    assert_eq!(
        post(&[("deed", "disable"), ("account", ann), ("account", ann)]),
        400
    );
    assert_eq!(post(&[("deed", "delete"), ("account", ann)]), 400);
    assert_eq!(post(&[("account", ann)]), 400);
    assert_eq!(
        post(&[("deed", "disable"), ("deed", "resend"), ("account", ann)]),
        400
    );
    assert_eq!(
        post(&[("deed", "disable"), ("account", ann), ("role", "master")]),
        400
    );
    assert_eq!(post(&[("deed", "disable"), ("account", "acc_x")]), 400);
    assert_eq!(
        post(&[("deed", "disable"), ("account", ann), ("confirm", "no")]),
        400
    );
    // Nobody is ticked: told, and nothing done.
    assert_eq!(post(&[("deed", "disable")]), 422);
    let many: Vec<String> = (0..51)
        .map(|n| {
            format!(
                "acc_bbbbbbbbbbb{}{}",
                char::from(b'b' + n / 7),
                char::from(b'b' + n % 7)
            )
        })
        .collect();
    let mut fields = vec![("deed", "disable")];
    fields.extend(many.iter().map(|id| ("account", id.as_str())));
    assert_eq!(post(&fields), 400);
    // Another organisation's account is nobody, also among one's own.
    let theirs = lakeside.account().id.to_string();
    assert_eq!(
        post(&[("deed", "disable"), ("account", ann), ("account", &theirs)]),
        404
    );
    lakeside
        .post_from(
            "/iam/accounts",
            TO,
            &[("deed", "sign-out"), ("account", ann)],
        )
        .answers(404);
    assert_eq!(recorded(&portal, "account.disabled"), 0);
}

#[test]
fn a_list_elsewhere_is_not_where_it_leads_back_to() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = portal.member(Role::Member, ANN).account().id.to_string();
    portal.work();
    owner.post_from(
        "/iam/accounts",
        TO,
        &[
            ("deed", "sign-out"),
            ("account", &id),
            ("from", "https://evil.example/iam/accounts"),
        ],
    );
    assert!(!owner.html().contains("evil.example"));
    let form = asked(&owner);
    confirm(&mut owner, &form)
        .answers(303)
        .goes_to("/iam/accounts");
}
