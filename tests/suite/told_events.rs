//! What the pages tell of second factors, from the events that the deeds themselves write down.

use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::{sessions, settings};

use crate::portal::Portal;

const MIA: &str = "mia@fjord.example";

#[test]
fn a_sign_in_is_told_step_by_step_to_its_person_and_to_whoever_looks_after_them() {
    let portal = Portal::start();
    let mut mia = portal.member(Role::Member, MIA);
    mia.enrol();
    let mut owner = portal.owner();
    let mut half = mia.elsewhere();
    let there = half.address;
    half.give_password();
    half.post("/sign-in/code", &[("code", "000000")])
        .answers(422);
    half.post("/sign-out", &[]).answers(303);
    let app = portal.app();
    let link = app
        .write(app.now(), |tx| sessions::make_link(tx, &mia.account()))
        .unwrap();
    let path = format!("/sign-in/link/{}", link.token.reveal());
    let mut by_link = mia.elsewhere();
    by_link.get(&path).answers(200);
    by_link.post(&path, &[]).answers(303);
    let code = mia.phone.as_ref().unwrap().recovery[0].clone();
    by_link
        .post("/sign-in/code", &[("code", &code)])
        .answers(303);
    portal.work();

    let page = format!("/iam/accounts/{}", mia.account().id);
    let away = by_link.address;
    for (whose, reader, path) in [
        ("your", &mut by_link, "/account"),
        ("mia@fjord.example's", &mut owner, page.as_str()),
    ] {
        reader
            .get(path)
            .answers(200)
            .sees(&format!(
                "Somebody gave {whose} password from {there}, and was asked for the code"
            ))
            .sees(&format!(
                "Somebody typed a wrong code for {whose} account from {there}"
            ))
            .sees(&format!(
                "A sign-in to {whose} account from {there} was left at the code"
            ))
            .sees(&format!(
                "Somebody opened {whose} sign-in link from {away}, and was asked for the code"
            ))
            .sees(&format!(
                "signed in with Firefox on Linux from {away}, and gave a recovery code"
            ));
    }
}

#[test]
fn a_changed_policy_is_told_by_what_changed_and_not_by_what_did_not() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let (app, by) = (portal.app(), owner.allowed());
    let wanted = Policies::each(|role| Policy {
        level: Level::Required,
        grace_days: if role == Role::Admin { 3 } else { 7 },
    });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &by, &wanted, Trust::Offered)
    })
    .unwrap();
    owner.get("/account").answers(200).sees(
        "You changed the two-factor policy: required after 3 days for Admin, browsers may be trusted for 30 days",
    );
}
