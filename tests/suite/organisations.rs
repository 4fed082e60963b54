//! What the operator decides about whole organisations, by the verbs: a name, off, on. The commands are in `operator`.

use doorward::domain::role::Role;
use doorward::error::Error;
use doorward::kit::time::DAY;
use doorward::organisations;
use doorward::scope::{Allowed, By, ManageOrganisation};
use doorward::sessions::{self, SignIn};
use doorward::settings;

use crate::portal::{ORGANISATION, PASSWORD, Portal};

const LEA: &str = "lea.fontaine@fjord.example";

/// Switches the first organisation off; with how many sessions.
fn disable(portal: &Portal) -> Result<usize, Error> {
    let app = portal.app();
    let id = portal.first();
    app.write(app.now(), |tx| {
        settings::disable(tx, &organisations::get(tx, id)?)
    })
}

fn enable(portal: &Portal) -> Result<(), Error> {
    let app = portal.app();
    let id = portal.first();
    app.write(app.now(), |tx| {
        settings::enable(tx, &organisations::get(tx, id)?)
    })
}

/// Names an organisation anew; the answer is whether anything changed.
fn rename(portal: &Portal, by: &Allowed<ManageOrganisation>, name: &str) -> Result<bool, Error> {
    let app = portal.app();
    let renamed = app.write_if(app.now(), |tx| {
        settings::rename(tx, by, &name.parse().unwrap())
    })?;
    Ok(renamed.is_some())
}

fn states(portal: &Portal) -> Vec<String> {
    portal.ask("SELECT kind || ' ' || state || coalesce(': ' || answer, '') FROM errands WHERE recipient LIKE 'lea%'")
}

#[test]
fn what_a_disabled_organisation_owes_waits_until_it_is_enabled() {
    let portal = Portal::start();
    let owner = portal.owner();
    let other = portal.organisation("Lakeside");
    portal.invite(&owner, Role::Member, LEA);
    assert_eq!(disable(&portal).unwrap(), 1);
    portal.invite(&other, Role::Member, "nils@lakeside.example");
    portal.work();
    let to: Vec<String> = portal.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, ["nils@lakeside.example"]);
    assert_eq!(states(&portal), ["activation waiting"]);
    enable(&portal).unwrap();
    portal.work();
    assert_eq!(
        states(&portal),
        ["activation sent: 250 2.0.0 kept in the mailbox"]
    );
    let link = portal.link_for(LEA);
    portal.visitor().get(&link).answers(200).sees(ORGANISATION);
}

#[test]
fn mail_that_waited_for_too_long_is_given_up() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    disable(&portal).unwrap();
    portal.travel(DAY + 1);
    portal.work();
    enable(&portal).unwrap();
    portal.work();
    assert_eq!(
        states(&portal),
        ["activation failed: It could not be delivered before it expired."]
    );
    assert!(portal.mails().is_empty());
    portal.leave_mail();
}

#[test]
fn sessions_that_a_disabled_organisation_lost_stay_lost() {
    let portal = Portal::start();
    let mut ann = portal.member(Role::Billing, "ann@fjord.example");
    let mut there = portal.organisation("Lakeside");
    portal.owner();
    assert_eq!(disable(&portal).unwrap(), 3);
    ann.get("/").answers(303);
    there.get("/").answers(200);
    let again = disable(&portal).unwrap_err();
    assert_eq!(
        again.to_string(),
        format!("{ORGANISATION} is disabled already.")
    );
    let mut anew = portal.visitor();
    let typed = [("email", "ann@fjord.example"), ("password", PASSWORD)];
    anew.post("/sign-in", &typed).answers(422);
    enable(&portal).unwrap();
    let again = enable(&portal).unwrap_err();
    assert_eq!(
        again.to_string(),
        format!("{ORGANISATION} is not disabled.")
    );
    ann.get("/").answers(303);
    anew.post("/sign-in", &typed).answers(303);
    let actions: Vec<String> = portal
        .audit(Some(portal.first()))
        .into_iter()
        .filter(|entry| entry.actor == "operator")
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, ["organisation.enabled", "organisation.disabled"]);
}

/// The password was right before the organisation was switched off; the session would have been opened after it.
#[test]
fn a_sign_in_that_comes_too_late_opens_no_session_that_lives_again() {
    let portal = Portal::start();
    let mia = portal.member(Role::Member, "mia@fjord.example");
    let account = mia.account();
    disable(&portal).unwrap();
    let app = portal.app();
    let sign_in = SignIn {
        account: &account,
        device: None,
        agent: "Firefox on Linux",
        address: [192, 0, 2, 1].into(),
    };
    let late = app.write(app.now(), |tx| {
        sessions::enter(
            tx,
            &By::operator(),
            &sign_in,
            doorward::sessions::Key::Password,
        )
    });
    assert!(matches!(late, Err(Error::NotFound)), "{late:?}");
    enable(&portal).unwrap();
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM sessions"), [0]);
}

#[test]
fn the_operator_tells_organisations_apart_by_name_and_their_people_need_not() {
    let portal = Portal::start();
    let owner = portal.owner();
    let there = portal.organisation("Lakeside");
    let operator = || Allowed::operator(portal.named("Lakeside"));
    for taken in [ORGANISATION, "FJORD supply"] {
        let refused = rename(&portal, &operator(), taken).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "--name: There is an organisation of this name already."
        );
    }
    assert!(!rename(&portal, &operator(), "Lakeside").unwrap());
    assert!(rename(&portal, &operator(), "LAKESIDE").unwrap());
    // A Master who was told would learn which other organisations there are.
    assert!(rename(&portal, &owner.allowed(), "LAKESIDE").unwrap());
    assert!(rename(&portal, &there.allowed(), ORGANISATION).unwrap());
}
