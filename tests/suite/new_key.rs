//! Another key takes over the file, because the one before is lost: nothing of the past opens anything, people come back
//! with their passwords, and the audit log goes on from a checkpoint that hides nothing.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use doorward::audit::{self, Verdict};
use doorward::domain::role::Role;
use doorward::error::Error;
use doorward::kit::db::{Db, World};
use doorward::kit::key_file;
use doorward::kit::keys::Keys;
use doorward::kit::random::SeededRandom;
use doorward::kit::time::DAY;
use doorward::migrations::{self, IfEmpty, Origin};
use doorward::scope::By;
use doorward::{sessions, setup};

use crate::portal::{OWNER, Portal};

const OTHER: [u8; 32] = [43; 32];
const ANN: &str = "ann@fjord.example";
const BEA: &str = "bea@fjord.example";

fn verdict(portal: &Portal) -> Verdict {
    let app = portal.app();
    app.read(app.now(), |read| audit::verify(read, app.keys()))
        .unwrap()
}

fn count(portal: &Portal, what: &str) -> i64 {
    portal.ask(&format!("SELECT count(*) FROM {what}"))[0]
}

#[test]
fn nothing_of_the_past_opens_anything_and_people_come_back_with_their_passwords() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut ann = portal.member_of(&owner, Role::Member, ANN);
    owner.enrol();
    portal.tamper("UPDATE organisations SET trust = 'offered'");
    // Ann's grace is over: she reaches the set-up alone.
    portal.work();
    portal.travel(8 * DAY);
    ann.sign_in();
    assert!(!ann.is_signed_in(), "her grace is not over");
    let mut trusted = owner.elsewhere();
    trusted.try_password(OWNER, &owner.password).answers(303);
    let code = trusted.code();
    trusted
        .post("/sign-in/code", &[("code", &code), ("trust", "yes")])
        .answers(303);
    portal.travel(60);
    owner.get("/sign-in").answers(200);
    owner.sign_in();
    // Somebody who owes the code, links of every kind, and tries that were counted.
    let mut half = owner.elsewhere();
    half.try_password(OWNER, &owner.password).answers(303);
    half.get("/sign-in/code").answers(200);
    let id = portal.invite(&owner, Role::Member, BEA);
    let activation = portal.link_of(&owner, id);
    portal
        .visitor()
        .post("/forgot-password", &[("email", ANN)])
        .answers(303);
    let to = "olivia@elsewhere.example";
    owner
        .post(
            "/account/email",
            &[("email", to), ("current_password", &owner.password.clone())],
        )
        .answers(303);
    portal.work();
    let mut links = vec![
        format!("/activate/{}", activation.token.reveal()),
        portal.link_for(ANN),
        portal.link_for(to),
    ];
    let app = portal.app();
    let account = app
        .read(app.now(), |read| {
            Ok(doorward::accounts::by_email(read, &ANN.parse().unwrap())?)
        })
        .unwrap()
        .unwrap();
    let link = app
        .write(app.now(), |tx| sessions::make_link(tx, &account))
        .unwrap();
    links.push(format!("/sign-in/link/{}", link.token.reveal()));
    let mut stranger = portal.visitor();
    for link in &links {
        let page = if link.starts_with("/account/email") {
            owner.get(link)
        } else {
            stranger.get(link)
        };
        page.answers(200);
    }
    for _ in 0..11 {
        stranger.try_password(ANN, "Wrong-Horse-7!");
    }
    stranger.answers(429);
    // Mail that is owed speaks of a link that will be dead.
    portal.invite(&owner, Role::Member, "carl@fjord.example");
    app.write(app.now(), |tx| {
        doorward::passwords::request_reset(tx, &By::operator(), &account)
    })
    .unwrap();
    drop(app);

    portal.take_over(OTHER);

    for table in [
        "sessions",
        "challenges",
        "devices",
        "sign_in_links",
        "factors",
        "enrolments",
        "recovery_codes",
        "accounts WHERE two_factor = 1",
        "invitations WHERE state = 'open'",
        "resets WHERE state = 'open'",
        "email_changes WHERE state = 'open'",
        "throttles WHERE kind NOT IN ('address', 'links')",
        "invitation_tallies WHERE kind = 'address'",
    ] {
        assert_eq!(count(&portal, table), 0, "{table}");
    }
    for visitor in [&mut owner, &mut ann, &mut trusted] {
        visitor.get("/account").answers(303);
        visitor.goes_to("/sign-in?next=%2Faccount");
    }
    half.get("/sign-in/code").answers(303).goes_to("/sign-in");
    for (link, status) in links.iter().zip([410, 410, 303, 404]) {
        stranger.get(link).answers(status);
    }
    assert_eq!(verdict(&portal).faults, []);
    for chain in [None, Some(portal.first())] {
        let last = &portal.audit(chain)[0];
        assert_eq!(
            (last.action.as_str(), last.actor.as_str()),
            ("key.replaced", "operator")
        );
    }
    // What was owed about dead links is not sent.
    let before = portal.mails().len();
    portal.work();
    let sent = portal.mails().split_off(before);
    assert!(
        sent.iter().all(
            |mail| !mail.text.contains("/activate/") && !mail.text.contains("/reset-password/")
        ),
        "{sent:?}"
    );

    // Nobody is asked for a code, not where the browser was trusted either, and nobody waits for anything.
    owner.phone = None;
    for visitor in [&mut owner, &mut ann, &mut trusted] {
        visitor.phone = None;
        // Forms of the past are worth nothing either.
        visitor.get("/sign-in").answers(200);
        visitor.sign_in().goes_to("/");
        visitor.get("/").answers(200);
        assert!(visitor.is_signed_in());
    }
    owner.get(&links[2]).answers(410);
    // Their grace is as long as at the beginning.
    portal.work();
    portal.travel(7 * DAY - 60);
    let mut later = ann.elsewhere();
    assert!(later.sign_in().is_signed_in());
    let mut owner = owner.elsewhere();
    owner.sign_in();
    portal.travel(120);
    let mut later = ann.elsewhere();
    assert!(!later.sign_in().is_signed_in());
    // A second factor under the new key, and an invitation.
    owner.enrol();
    portal.travel(60);
    owner.sign_out();
    owner.sign_in();
    assert!(owner.is_signed_in());
    owner
        .post(format!("/iam/accounts/{id}/resend"), &[])
        .answers(303);
    portal.work();
    let link = portal.link_for(BEA);
    assert!(!links.contains(&link));
    stranger.get(&link).answers(200);
    assert_eq!(verdict(&portal).faults, []);
}

#[test]
fn the_link_of_the_first_run_is_void_as_well() {
    let portal = Portal::start();
    let link = portal.setup_link();
    portal.visitor().get(&link).answers(200);
    portal.take_over(OTHER);
    portal.visitor().get(&link).answers(404);
    assert_eq!(portal.audit(None)[0].action, "key.replaced");
    let again = portal.setup_link();
    portal.visitor().get(&again).answers(200);
}

#[test]
fn the_file_belongs_to_the_new_key_alone() {
    let portal = Portal::start();
    portal.owner();
    portal.take_over(OTHER);
    portal.app().db().checkpoint().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    std::fs::copy(portal.file(), folder.path().join("doorward.db")).unwrap();
    let random = SeededRandom::new(1);
    let open = |root: [u8; 32]| {
        key_file::write(folder.path(), &Keys::new(root)).unwrap();
        let origin = Origin::new(portal.app().now(), &random);
        migrations::open_beside(folder.path(), IfEmpty::Refuse, origin).map(drop)
    };
    let refused = open(crate::portal::KEY).unwrap_err().to_string();
    assert!(refused.contains("do not belong together"), "{refused}");
    open(OTHER).unwrap();
}

/// What a key that takes over this file finds in its log.
fn taken_over(portal: &Portal, file: &Path, change: &str) -> Verdict {
    std::fs::copy(portal.file(), file).unwrap();
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.execute_batch(
        "DROP TRIGGER audit_events_stay; DROP TRIGGER audit_events_remain;
         DROP TRIGGER audit_texts_stay; DROP TRIGGER audit_texts_remain;",
    )
    .unwrap();
    conn.execute_batch(change).unwrap();
    drop(conn);
    let db = Db::open(file, 1).unwrap();
    let (keys, random) = (Keys::new(OTHER), SeededRandom::new(2));
    let now = portal.app().now();
    let world = World {
        now,
        random: &random,
        keys: &keys,
        mail_domain: "example.com",
    };
    db.write(world, |tx| setup::take_over(tx, &By::operator()))
        .unwrap()
        .into_inner();
    db.read::<_, Error>(now, |read| audit::verify(read, &keys))
        .unwrap()
}

#[test]
fn a_log_that_was_tampered_with_before_is_found_after_it_too() {
    let portal = Portal::start();
    portal.owner().sign_out();
    portal.app().db().checkpoint().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let chain = portal.first().number();
    let end: i64 = portal.ask(&format!(
        "SELECT max(number) FROM audit_events WHERE chain_id = {chain}"
    ))[0];
    let of = |what: &str| format!("{what} WHERE chain_id = {chain}");
    for (number, (change, row)) in [
        (String::new(), None),
        (of("UPDATE audit_events SET at = at + 1") + " AND number = 2", Some(2)),
        (of("DELETE FROM audit_events") + " AND number = 2", Some(2)),
        // Cut off at the end: the checkpoint stands where the head says.
        (of("DELETE FROM audit_events") + &format!(" AND number = {end}"), Some(end)),
        // Cut off, and the head moved: what its number was is lost with the key, but not its hash.
        (
            of("DELETE FROM audit_events")
                + &format!(" AND number = {end}; ")
                + &of(&format!("UPDATE audit_heads SET number = {}", end - 1)),
            Some(end),
        ),
        // Put in at the end.
        (
            format!(
                "INSERT INTO audit_events SELECT chain_id, number + 1, at, action, actor, actor_id, session_id, target_id,
                   details, request_id, commitments, hash FROM audit_events WHERE chain_id = {chain} AND number = {end}"
            ),
            Some(end + 1),
        ),
        // A head that is gone.
        (of("DELETE FROM audit_heads"), Some(end + 1)),
        // A chain that is gone: none is begun that would hide it.
        (of("DELETE FROM audit_heads") + "; " + &of("DELETE FROM audit_events"), Some(1)),
        (of("UPDATE audit_texts SET text = 'eve'") + " AND number = 1 AND slot = 1", Some(1)),
    ]
    .into_iter()
    .enumerate()
    {
        let file = folder.path().join(format!("{number}.db"));
        let verdict = taken_over(&portal, &file, &change);
        let found: Vec<(i64, i64)> = verdict
            .faults
            .iter()
            .map(|fault| (fault.chain_id, fault.number))
            .collect();
        let expected: Vec<(i64, i64)> = row.map(|row| (chain, row)).into_iter().collect();
        assert_eq!(found, expected, "{change}: {verdict:?}");
    }
}

#[test]
fn a_key_can_take_over_again_and_again() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    for root in 1..4 {
        portal.take_over([root; 32]);
        owner.get("/sign-in").answers(200);
        owner.sign_in();
        owner.get("/").answers(200);
    }
    assert_eq!(
        count(&portal, "audit_events WHERE action = 'key.replaced'"),
        6
    );
    assert_eq!(verdict(&portal).faults, []);
}
