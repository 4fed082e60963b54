//! Two at once, with real threads on one file: whoever loses something does nothing after it, and of two who want the
//! same one gets it.
//!
//! Threads meet at a barrier and send their forms; who comes first is the machine's to say. Whatever it says, the log
//! must read as if one had come after the other. `DOORWARD_RACE_ROUNDS` sets how often Masters demote each other; the
//! other races run a twentieth of it.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use doorward::accounts;
use doorward::domain::id::AccountId;
use doorward::domain::role::{Managers, Role};
use doorward::kit::db::Tx;
use doorward::kit::time::{HOUR, MINUTE};
use doorward::lifecycle;
use doorward::routes::Route;
use doorward::scope::{Allowed, By};
use doorward::sessions::{self, SignIn};
use doorward::settings;

use crate::links::filled;
use crate::portal::{PASSWORD, Portal};
use crate::visitor::Visitor;

/// How often Masters demote each other, unless told otherwise.
const ROUNDS: usize = 1_000;

/// How often, in all.
#[expect(
    clippy::disallowed_methods,
    reason = "how long the tests run is decided where they run"
)]
pub(crate) fn rounds() -> usize {
    let asked = std::env::var("DOORWARD_RACE_ROUNDS").ok();
    asked
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(ROUNDS)
}

/// Both at once, now the one a little ahead, now the other.
pub(crate) fn together<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    static MEETINGS: AtomicU64 = AtomicU64::new(0);
    let meeting = MEETINGS.fetch_add(1, Ordering::Relaxed);
    let barrier = Barrier::new(2);
    let begin = |late: u64| {
        barrier.wait();
        std::thread::park_timeout(Duration::from_micros(late * 150));
    };
    std::thread::scope(|threads| {
        let one = threads.spawn(|| {
            begin(meeting % 7);
            one()
        });
        let other = threads.spawn(|| {
            begin(meeting / 7 % 7);
            other()
        });
        (one.join().unwrap(), other.join().unwrap())
    })
}

/// What came of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// It was done.
    Done,
    /// Nobody is signed in any more.
    SignedOut,
    /// It is refused, or not there.
    Refused(u16),
}

/// Sends a form.
fn send(visitor: &mut Visitor, path: &str, fields: &[(&str, &str)]) -> Came {
    let status = visitor.post(path, fields).status();
    match (status, visitor.location().as_deref()) {
        (303, Some("/sign-in")) => Came::SignedOut,
        (200 | 303, _) => Came::Done,
        (403 | 404 | 410 | 422, _) => Came::Refused(status),
        _ => visitor.fail("no answer of a race"),
    }
}

/// Opens a session without a password.
fn open(tx: &Tx<'_>, visitor: &mut Visitor) {
    let email = visitor.email.parse().unwrap();
    let account = accounts::by_email(tx, &email).unwrap().unwrap();
    let sign_in = SignIn {
        account: &account,
        device: None,
        agent: "Firefox on Linux",
        address: visitor.address,
    };
    let opened = sessions::enter(
        tx,
        &By::operator(),
        &sign_in,
        doorward::sessions::Key::Password,
    )
    .unwrap();
    let doorward::sessions::Entered::Full(opened) = opened.into_inner() else {
        panic!("a code is owed");
    };
    visitor.carry(&opened.session);
}

/// Signed in again, if the session is over.
fn enter(portal: &Portal, visitor: &mut Visitor) {
    if !visitor.is_signed_in() {
        let app = portal.app();
        app.housekeep(app.now(), |tx| {
            open(tx, visitor);
            Ok(())
        })
        .unwrap();
    }
}

/// One row of the log.
struct Row {
    number: i64,
    action: String,
    actor: Option<i64>,
    session: Option<i64>,
    target: Option<i64>,
    details: serde_json::Value,
}

/// The first organisation's log, from its first row.
fn log(portal: &Portal) -> Vec<Row> {
    let rows = portal.ask::<String>(
        "SELECT json_array(number, action, actor_id, session_id, target_id, json(details))
           FROM audit_events WHERE chain_id = (SELECT id FROM organisations) ORDER BY number",
    );
    rows.iter()
        .map(|row| {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            Row {
                number: row[0].as_i64().unwrap(),
                action: row[1].as_str().unwrap().to_owned(),
                actor: row[2].as_i64(),
                session: row[3].as_i64(),
                target: row[4].as_i64(),
                details: row[5].clone(),
            }
        })
        .collect()
}

/// What was refused is no deed; neither is what a stranger did.
fn is_refusal(action: &str) -> bool {
    matches!(
        action,
        "denied" | "form.refused" | "request.malformed" | "invitation.refused"
    ) || action.starts_with("sign_in.")
}

/// Every deed that stands in the log after the loss that ended its session; and how many losses there were.
fn deeds_after_a_loss(log: &[Row]) -> (Vec<String>, usize) {
    let mut began: BTreeMap<i64, i64> = BTreeMap::new();
    let mut lost: BTreeMap<i64, i64> = BTreeMap::new();
    let mut roles: BTreeMap<i64, Role> = BTreeMap::new();
    let mut managers = Managers::Admins;
    let (mut faults, mut losses) = (Vec::new(), 0);
    for row in log {
        let role = |name: &str| -> Option<Role> { row.details[name].as_str()?.parse().ok() };
        if let (Some(session), Some(actor), false) =
            (row.session, row.actor, is_refusal(&row.action))
        {
            let begin = began.get(&session).copied();
            match (begin, lost.get(&actor)) {
                (None, _) => faults.push(format!("{}: no such session", row.number)),
                (Some(begin), Some(lost)) if begin < *lost => faults.push(format!(
                    "{} {} by a session of {begin}, which ended with {lost}",
                    row.number, row.action
                )),
                (Some(_), _) => {}
            }
        }
        let Some(target) = row.target.or(row.actor) else {
            continue;
        };
        let is_loss = match row.action.as_str() {
            "sign_in.succeeded" => {
                began.extend(row.session.map(|session| (session, row.number)));
                false
            }
            "account.created" => {
                roles.extend(role("role").map(|role| (target, role)));
                false
            }
            "role.changed" => {
                let (from, to) = (role("from").unwrap(), role("role").unwrap());
                roles.insert(target, to);
                lifecycle::effect(from, to, managers) == lifecycle::Effect::Loss
            }
            "account.disabled" | "account.deleted" | "sessions.ended" | "password.reset" => true,
            "organisation.managers_changed" => {
                managers = match row.details["managers"].as_str() {
                    Some("masters") => Managers::Masters,
                    _ => Managers::Admins,
                };
                if managers == Managers::Masters {
                    for (account, role) in &roles {
                        if *role == Role::Admin {
                            lost.insert(*account, row.number);
                            losses += 1;
                        }
                    }
                }
                false
            }
            _ => false,
        };
        if is_loss {
            lost.insert(target, row.number);
            losses += 1;
        }
    }
    (faults, losses)
}

/// What must hold after every race: the owner is who they were and Active, and nobody did anything after a loss.
#[track_caller]
fn settled(portal: &Portal, owner: AccountId) -> usize {
    let owners = portal.ask::<AccountId>(
        "SELECT o.owner_id FROM organisations o JOIN accounts a ON a.id = o.owner_id
          WHERE a.role = 'master' AND a.status = 'active'",
    );
    assert_eq!(owners, [owner]);
    let (faults, losses) = deeds_after_a_loss(&log(portal));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    losses
}

#[test]
fn the_log_of_a_late_deed_is_found() {
    let row = |number, action: &str, session, target, details| Row {
        number,
        action: action.to_owned(),
        actor: Some(7),
        session,
        target,
        details,
    };
    let none = || serde_json::json!({});
    let demoted = || serde_json::json!({ "from": "master", "role": "admin" });
    let mut log = vec![
        row(1, "sign_in.succeeded", Some(70), Some(7), none()),
        row(2, "account.created", Some(70), Some(8), none()),
        row(3, "role.changed", None, Some(7), demoted()),
        row(4, "denied", Some(70), None, none()),
        row(5, "sign_in.succeeded", Some(71), Some(7), none()),
        row(6, "account.created", Some(71), Some(9), none()),
    ];
    assert_eq!(deeds_after_a_loss(&log), (Vec::new(), 1));
    log.push(row(7, "account.created", Some(70), Some(9), none()));
    assert_eq!(deeds_after_a_loss(&log).0.len(), 1);
}

#[test]
fn of_two_masters_who_demote_each_other_one_does_a_thousand_times() {
    let portal = Portal::start();
    portal.leave_mail();
    let owner = portal.owner();
    let mut hands = ["ann", "ben"]
        .map(|name| portal.member_of(&owner, Role::Master, &format!("{name}@fjord.example")));
    let ids = [hands[0].account().id, hands[1].account().id];
    let pages = ids.map(|id| Route::ChangeRole(id).to_string());
    let app = portal.app();
    let organisation = owner.scope().unwrap().organisation;
    let mut won = [0; 2];
    for round in 0..rounds() {
        let given = Role::ALL[round % 3];
        let [ann, ben] = &mut hands;
        let role = [("role", given.key())];
        let (one, other) = together(
            || send(ann, &pages[1], &role),
            || send(ben, &pages[0], &role),
        );
        let winner = match (one, other) {
            (Came::Done, Came::SignedOut | Came::Refused(403)) => 0,
            (Came::SignedOut | Came::Refused(403), Came::Done) => 1,
            both => panic!("round {round}: {both:?}"),
        };
        won[winner] += 1;
        let loser = 1 - winner;
        let roles = portal.ask::<String>(
            "SELECT role FROM accounts WHERE email IN ('ann@fjord.example', 'ben@fjord.example') ORDER BY email",
        );
        assert_eq!(roles[winner], "master", "round {round}");
        assert_eq!(roles[loser], given.key(), "round {round}");
        // Up again, and in again.
        app.write(app.now(), |tx| {
            let operator = Allowed::operator(organisation);
            let promoted = lifecycle::change_role(tx, &operator, ids[loser], Role::Master)?;
            open(tx, &mut hands[loser]);
            Ok(promoted)
        })
        .unwrap();
    }
    let losses = settled(&portal, owner.account().id);
    println!(
        "{} rounds: {} won by the one, {} by the other",
        rounds(),
        won[0],
        won[1]
    );
    assert_eq!((won[0] + won[1], losses), (rounds(), rounds()));
}

/// What takes something from somebody: the form, and whether they are gone by it.
const LOSSES: [&str; 5] = ["role", "disable", "sign-out", "reset-password", "delete"];
/// What they do meanwhile.
const DEEDS: [&str; 6] = ["invite", "resend", "copy-link", "role", "rename", "switch"];

#[test]
fn whoever_loses_something_does_nothing_after_it() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let third = portal
        .member_of(&owner, Role::Member, "third@fjord.example")
        .account()
        .id;
    let app = portal.app();
    let organisation = portal.first();
    let mut outcomes: BTreeMap<(&str, Came), usize> = BTreeMap::new();
    let each = (rounds() / 20 / 10).max(1);
    let mut number = 0;
    let mut target = portal.member_of(&owner, Role::Master, "max@fjord.example");
    for loss in LOSSES {
        for deed in DEEDS {
            for _ in 0..each {
                number += 1;
                let id = target.account().id;
                let pending =
                    portal.invite(&owner, Role::Member, &format!("p{number}@fjord.example"));
                // Old enough to be sent again, and the caps of an hour are kept.
                portal.travel(2 * MINUTE);
                if number % 40 == 0 {
                    portal.travel(HOUR);
                }
                enter(&portal, &mut owner);
                enter(&portal, &mut target);
                let name = format!("Fjord {number}");
                let guest = format!("g{number}@fjord.example");
                let email = target.email.clone();
                // Something else than there is, so that each deed leaves its row.
                let is = |sql: &str| portal.ask::<String>(sql).remove(0);
                let third_is = is(&format!(
                    "SELECT role FROM accounts WHERE id = {}",
                    third.number()
                ));
                let wanted = if third_is == "admin" {
                    "billing"
                } else {
                    "admin"
                };
                let only = match is("SELECT managers FROM organisations").as_str() {
                    "masters" => "",
                    _ => "yes",
                };
                let (path, fields): (String, Vec<(&str, &str)>) = match deed {
                    "invite" => (
                        "/iam/accounts".to_owned(),
                        vec![("email", &guest), ("role", "admin")],
                    ),
                    "resend" | "copy-link" => (format!("/iam/accounts/{pending}/{deed}"), vec![]),
                    "role" => (
                        format!("/iam/accounts/{third}/role"),
                        vec![("role", wanted)],
                    ),
                    "rename" => (
                        "/settings/general".to_owned(),
                        vec![("organisation", &name), ("timezone", "Europe/Oslo")],
                    ),
                    _ => (
                        "/settings/security".to_owned(),
                        vec![("only_masters", only)],
                    ),
                };
                let theirs = match loss {
                    "role" => vec![("role", "member")],
                    "reset-password" => vec![("handover", "copy")],
                    "delete" => vec![("email", email.as_str())],
                    _ => vec![],
                };
                let before = log(&portal).len();
                let session = target.scope().unwrap().session.number();
                let (came, ended) = together(
                    || send(&mut target, &path, &fields),
                    || send(&mut owner, &format!("/iam/accounts/{id}/{loss}"), &theirs),
                );
                assert_eq!(ended, Came::Done, "{loss} beside {deed}");
                assert!(!target.is_signed_in(), "{loss} beside {deed}");
                let log = log(&portal);
                let recorded = log[before..]
                    .iter()
                    .filter(|row| row.session == Some(session) && !is_refusal(&row.action))
                    .count();
                match came {
                    Came::Done => assert_eq!(recorded, 1, "{loss} beside {deed}"),
                    Came::SignedOut => assert_eq!(recorded, 0, "{loss} beside {deed}"),
                    Came::Refused(status) => panic!("{loss} beside {deed}: {status}"),
                }
                if deed == "invite" {
                    let made = portal.ask::<i64>(&format!(
                        "SELECT count(*) FROM accounts WHERE email = '{guest}'"
                    ));
                    assert_eq!(made, [i64::from(came == Came::Done)], "{loss}");
                }
                *outcomes.entry((loss, came)).or_default() += 1;
                match loss {
                    "role" => {
                        app.write(app.now(), |tx| {
                            lifecycle::change_role(
                                tx,
                                &Allowed::operator(organisation),
                                id,
                                Role::Master,
                            )
                        })
                        .unwrap();
                    }
                    "disable" => {
                        app.write(app.now(), |tx| {
                            lifecycle::enable(tx, &Allowed::operator(organisation), id)
                        })
                        .unwrap();
                    }
                    "delete" => {
                        enter(&portal, &mut owner);
                        target = portal.member_of(&owner, Role::Master, "max@fjord.example");
                        // At most five invitations a day go to one address.
                        portal.tamper("DELETE FROM invitation_tallies WHERE kind = 'address'");
                    }
                    _ => {}
                }
            }
        }
    }
    let losses = settled(&portal, owner.account().id);
    println!("{number} rounds, {losses} losses: {outcomes:?}");
    assert!(losses >= number);
}

#[test]
fn an_admin_does_nothing_after_only_masters_manage_users() {
    let portal = Portal::start();
    portal.leave_mail();
    let mut owner = portal.owner();
    let mut admin = portal.member_of(&owner, Role::Admin, "ada@fjord.example");
    let third = portal
        .member_of(&owner, Role::Member, "third@fjord.example")
        .account()
        .id;
    let mut came_first = 0;
    let count = (rounds() / 20).max(1);
    for number in 0..count {
        enter(&portal, &mut admin);
        let wanted = Role::ALL[number % 3].key();
        let is_new = portal.ask::<String>(&format!(
            "SELECT role FROM accounts WHERE id = {}",
            third.number()
        ))[0]
            != wanted;
        let (came, switched) = together(
            || {
                send(
                    &mut admin,
                    &format!("/iam/accounts/{third}/role"),
                    &[("role", wanted)],
                )
            },
            || send(&mut owner, "/settings/security", &[("only_masters", "yes")]),
        );
        assert_eq!(switched, Came::Done);
        assert!(!admin.is_signed_in());
        match came {
            Came::Done if is_new => came_first += 1,
            Came::SignedOut => {}
            Came::Refused(422) if !is_new => {}
            other => panic!("round {number}: {other:?}"),
        }
        send(&mut owner, "/settings/security", &[("only_masters", "")]);
    }
    let losses = settled(&portal, owner.account().id);
    println!("{count} rounds, the Admin came first in {came_first}");
    assert!(losses >= count);
}

#[test]
fn of_two_who_do_the_same_to_one_account_one_does() {
    let portal = Portal::start();
    portal.leave_mail();
    let owner = portal.owner();
    let mut hands = ["ann", "ben"]
        .map(|name| portal.member_of(&owner, Role::Admin, &format!("{name}@fjord.example")));
    let mut third = portal
        .member_of(&owner, Role::Member, "third@fjord.example")
        .account()
        .id;
    let app = portal.app();
    let organisation = portal.first();
    for round in 0..(rounds() / 20).max(2) {
        let deeds = [
            ["disable", "disable"],
            ["delete", "delete"],
            ["disable", "delete"],
        ][round % 3];
        let before = log(&portal).len();
        let [ann, ben] = &mut hands;
        let path = |deed: &str| format!("/iam/accounts/{third}/{deed}");
        let fields = |deed: &str| match deed {
            "delete" => vec![("email", "third@fjord.example")],
            _ => vec![],
        };
        let came = together(
            || send(ann, &path(deeds[0]), &fields(deeds[0])),
            || send(ben, &path(deeds[1]), &fields(deeds[1])),
        );
        let done: Vec<String> = log(&portal)[before..]
            .iter()
            .filter(|row| !is_refusal(&row.action))
            .map(|row| row.action.clone())
            .collect();
        match (deeds, came) {
            (
                ["disable", "disable"],
                (Came::Done, Came::Refused(403)) | (Came::Refused(403), Came::Done),
            ) => {
                assert_eq!(done, ["account.disabled"]);
            }
            (
                ["delete", "delete"],
                (Came::Done, Came::Refused(404)) | (Came::Refused(404), Came::Done),
            ) => {
                assert_eq!(done, ["account.deleted"]);
            }
            (["disable", "delete"], (Came::Done, Came::Done)) => {
                assert_eq!(done, ["account.disabled", "account.deleted"]);
            }
            (["disable", "delete"], (Came::Refused(404), Came::Done)) => {
                assert_eq!(done, ["account.deleted"]);
            }
            other => panic!("round {round}: {other:?}"),
        }
        if done.contains(&"account.deleted".to_owned()) {
            portal.tamper("DELETE FROM invitation_tallies WHERE kind = 'address'");
            third = portal
                .member_of(&owner, Role::Member, "third@fjord.example")
                .account()
                .id;
        } else {
            app.write(app.now(), |tx| {
                lifecycle::enable(tx, &Allowed::operator(organisation), third)
            })
            .unwrap();
        }
    }
    settled(&portal, owner.account().id);
}

#[test]
fn whoever_accepts_an_invitation_gets_what_holds_at_that_moment() {
    let portal = Portal::start();
    portal.leave_mail();
    let owner = portal.owner();
    let mut outcomes: BTreeMap<(&str, Came), usize> = BTreeMap::new();
    let app = portal.app();
    let each = (rounds() / 20 / 4).max(1);
    let mut ada = portal.member_of(&owner, Role::Admin, "ada@fjord.example");
    let giver = ada.account().id;
    for against in ["delete", "role", "giver", "switch"] {
        for number in 0..each {
            enter(&portal, &mut ada);
            let email = format!("{against}{number}@fjord.example");
            let id = portal.invite(&ada, Role::Member, &email);
            let link = Route::Activate(portal.link_of(&ada, id).token.reveal()).to_string();
            let mut lea = portal.visitor();
            lea.get(&link).answers(200);
            let before = log(&portal).len();
            let now = app.now();
            let (came, ()) = together(
                || send(&mut lea, &link, &filled("Lea Fontaine", PASSWORD)),
                || match against {
                    "delete" => {
                        app.write(now, |tx| lifecycle::delete(tx, &owner.allowed(), id))
                            .unwrap();
                    }
                    "role" => {
                        app.write(now, |tx| {
                            lifecycle::change_role(tx, &owner.allowed(), id, Role::Billing)
                        })
                        .unwrap();
                    }
                    "giver" => {
                        app.write(now, |tx| lifecycle::disable(tx, &owner.allowed(), giver))
                            .unwrap();
                    }
                    _ => {
                        app.write_if(now, |tx| {
                            settings::set_managers(tx, &owner.allowed(), Managers::Masters)
                        })
                        .unwrap();
                    }
                },
            );
            let rows = log(&portal);
            let deeds: Vec<(&str, &serde_json::Value)> = rows[before..]
                .iter()
                .filter(|row| !is_refusal(&row.action))
                .map(|row| (row.action.as_str(), &row.details["role"]))
                .collect();
            let at = deeds
                .iter()
                .position(|(action, _)| *action == "account.activated");
            assert_eq!(at.is_some(), came == Came::Done, "{against}: {deeds:?}");
            assert_eq!(
                deeds.len(),
                1 + usize::from(at.is_some()),
                "{against}: {deeds:?}"
            );
            match (against, at) {
                // Of a role that is changed, whichever holds when they come in.
                ("role", Some(at)) => {
                    let expected = ["member", "billing"][at];
                    assert_eq!(deeds[at].1, expected, "{deeds:?}");
                }
                // Whoever gave it may do so still: nobody came in after that was over.
                (_, Some(at)) => assert_eq!(at, 0, "{against}: {deeds:?}"),
                ("role", None) => panic!("another role keeps nobody out"),
                (_, None) => assert!(
                    matches!(came, Came::Refused(404 | 410)),
                    "{against}: {came:?}"
                ),
            }
            let now_is = portal.ask::<String>(&format!(
                "SELECT status || ' ' || role FROM accounts WHERE id = {}",
                id.number()
            ));
            let expected = match (against, at) {
                ("delete", _) => "deleted member",
                ("role", _) => "active billing",
                (_, Some(_)) => "active member",
                (_, None) => "pending member",
            };
            assert_eq!(now_is, [expected], "{against}");
            *outcomes.entry((against, came)).or_default() += 1;
            match against {
                "giver" => {
                    app.write(now, |tx| lifecycle::enable(tx, &owner.allowed(), giver))
                        .unwrap();
                }
                "switch" => {
                    app.write_if(now, |tx| {
                        settings::set_managers(tx, &owner.allowed(), Managers::Admins)
                    })
                    .unwrap();
                }
                _ => {}
            }
        }
    }
    settled(&portal, owner.account().id);
    println!("{outcomes:?}");
    assert_eq!(outcomes.values().sum::<usize>(), each * 4);
}
