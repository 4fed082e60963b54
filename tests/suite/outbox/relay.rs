//! What becomes of mail when the relay is in trouble, or refuses.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use doorward::domain::role::Role;
use doorward::kit::mail::{Cause, Failure, Mailer, Message, Said};
use doorward::kit::time::{HOUR, MINUTE};
use doorward::outbox;

use super::post::{Deed, Post, broken};
use super::{LATER, LEA, MAX, REFUSED, history, later, link, never, notice, pass, start, states};
use crate::portal::{OWNER, Portal};

#[test]
fn a_relay_down_for_two_hours_gets_everything_within_a_minute_of_its_return() {
    let (portal, post) = start();
    let mut owner = portal.owner();
    portal.work();
    post.down(REFUSED);
    // A link of one hour dies meanwhile.
    portal
        .visitor()
        .post("/forgot-password", &[("email", OWNER)])
        .answers(303);
    notice(&owner);
    for ten_minutes in 0..12 {
        for number in 0..4 {
            let email = format!("p{ten_minutes}.{number}@fjord.example");
            let fields = [("email", email.as_str()), ("role", "member")];
            owner.post("/iam/accounts", &fields).answers(303);
        }
        pass(&portal, 10 * MINUTE);
    }
    // Every half minute, give or take the first.
    assert!((239..=241).contains(&post.tries()), "{}", post.tries());
    owner
        .get("/mail")
        .sees("The mail server is in trouble.")
        .sees(REFUSED)
        .sees("Waiting 49")
        .sees("Failed 1");

    post.up();
    pass(&portal, MINUTE);
    let recipients: BTreeSet<String> = post.recipients().into_iter().collect();
    assert_eq!((post.taken().len(), recipients.len()), (49, 49));
    owner
        .get("/mail")
        .sees_not("in trouble")
        .sees("Sent 49")
        .sees("Waiting 0");
    for mail in post.taken().iter().filter(|mail| mail.to != OWNER) {
        portal.visitor().get(link(mail)).answers(200);
    }
    assert!(
        post.taken()
            .iter()
            .all(|mail| !mail.text.contains("/reset-password/")),
        "a dead link was sent"
    );
    let mut expected = [
        "failed: It could not be delivered before it expired.",
        "sent: 250 2.0.0 taken",
    ];
    let mut found = states(&portal, OWNER);
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    portal.leave_mail();
}

#[test]
fn a_mail_refused_for_now_is_tried_after_1_5_15_minutes_and_then_hourly_and_arrives_once() {
    let (portal, post) = start();
    let mut owner = portal.owner();
    let closing = Failure::Relay(Cause::Service, "421 4.3.2 closing".to_owned());
    post.next(
        LEA,
        [
            later(LATER),
            later(LATER),
            later("450 4.2.1 mailbox busy"),
            Deed::Fails(closing),
            later(LATER),
            later(LATER),
        ],
    );
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    // 421 is the relay's trouble: half a minute, and the message keeps its place in the row of waits.
    for wait in [MINUTE, 5 * MINUTE, 15 * MINUTE, 30, HOUR, HOUR] {
        let tries = post.tries();
        portal.travel(wait - 1);
        portal.work();
        assert_eq!(post.tries(), tries, "sooner than {wait} s");
        assert!(post.taken().is_empty());
        portal.travel(1);
        portal.work();
        assert_eq!(post.tries(), tries + 1, "not after {wait} s");
    }
    assert_eq!(post.recipients(), [LEA]);
    assert_eq!(
        history(&portal, LEA),
        [
            "2 451 4.3.0 later",
            "1 450 4.2.1 mailbox busy",
            "1 421 4.3.2 closing",
            "2 451 4.3.0 later",
            "1 250 2.0.0 taken"
        ]
    );
    owner.sign_in();
    let ids: Vec<String> =
        portal.ask("SELECT substr(message_id, 1, instr(message_id, '@') - 1) FROM errands");
    owner
        .get(format!("/mail/{}", ids[0]))
        .sees("450 4.2.1 mailbox busy")
        .sees("421 4.3.2 closing")
        .sees("250 2.0.0 taken");
    pass(&portal, 2 * HOUR);
    assert_eq!(post.taken().len(), 1);
}

#[test]
fn what_a_server_will_never_take_fails_at_once_and_holds_up_nobody() {
    let (portal, post) = start();
    let mut owner = portal.owner();
    post.always(LEA, never("550 5.1.1 no such user here"));
    post.always(MAX, never("552 5.3.4 message too big"));
    for email in [LEA, MAX, "ann@fjord.example"] {
        portal.invite(&owner, Role::Member, email);
    }
    portal.work();
    assert_eq!(post.recipients(), ["ann@fjord.example"]);
    assert_eq!(
        states(&portal, LEA),
        ["failed: 550 5.1.1 no such user here"]
    );
    assert_eq!(states(&portal, MAX), ["failed: 552 5.3.4 message too big"]);
    pass(&portal, HOUR);
    assert_eq!(post.tries(), 3, "it was tried again");
    owner.get("/mail").sees("Failed 2").sees("550 5.1.1");
    owner.get("/iam/accounts").sees("550 5.1.1 no such user");
    portal.leave_mail();
}

#[test]
fn a_wrong_login_stops_the_queue_and_blames_no_message() {
    let (portal, post) = start();
    let mut owner = portal.owner();
    post.down("535 5.7.8 wrong password");
    for email in [LEA, MAX] {
        portal.invite(&owner, Role::Member, email);
    }
    pass(&portal, HOUR);
    assert!((119..=121).contains(&post.tries()), "{}", post.tries());
    owner
        .get("/mail")
        .sees("535 5.7.8 wrong password")
        .sees("Waiting 2")
        .sees("Failed 0");
    post.up();
    pass(&portal, MINUTE);
    assert_eq!(post.taken().len(), 2);
}

#[test]
fn an_answer_that_was_lost_makes_a_double_under_the_same_message_id_with_the_same_link() {
    let (portal, post) = start();
    let owner = portal.owner();
    post.next(LEA, [Deed::TakesAndHangsUp, Deed::TakesAndHangsUp]);
    portal.invite(&owner, Role::Member, LEA);
    pass(&portal, 2 * MINUTE);
    let taken = post.taken();
    assert_eq!(taken.len(), 3);
    for double in &taken[1..] {
        assert_eq!(double.id, taken[0].id);
        assert_eq!(double.text, taken[0].text);
        assert_eq!(double.html, taken[0].html);
    }
    assert_eq!(states(&portal, LEA), ["sent: 250 2.0.0 taken"]);
    pass(&portal, HOUR);
    assert_eq!(post.taken().len(), 3);
}

#[test]
fn a_link_that_dies_before_it_is_delivered_is_not_sent_and_one_press_makes_another() {
    let (portal, post) = start();
    let mut owner = portal.owner();
    post.down(REFUSED);
    let lea = portal.invite(&owner, Role::Member, LEA);
    for _ in 0..25 * 6 {
        portal.travel(10 * MINUTE);
        portal.work();
    }
    post.up();
    pass(&portal, 2 * MINUTE);
    assert!(post.taken().is_empty(), "a dead link was sent");
    owner.sign_in();
    owner
        .get("/mail")
        .sees("Failed 1")
        .sees("It could not be delivered before it expired.");
    owner
        .post(format!("/iam/accounts/{lea}/resend"), &[])
        .answers(303);
    portal.work();
    assert_eq!(post.recipients(), [LEA]);
    portal.visitor().get(link(&post.taken()[0])).answers(200);
    portal.leave_mail();
}

#[test]
fn a_message_that_breaks_every_connection_holds_up_none_of_the_others() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.work();
    post.always(LEA, Deed::Fails(broken()));
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    notice(&owner);
    for number in 0..20 {
        portal.invite(&owner, Role::Member, &format!("p{number}@fjord.example"));
    }
    pass(&portal, 2 * MINUTE);
    assert_eq!(
        post.taken().len(),
        21,
        "{:?}",
        portal.ask::<String>("SELECT recipient || ' ' || state FROM errands WHERE state <> 'sent'")
    );
    // Nor does it hold up what comes later.
    let mut slow = 0;
    for number in 0..30 {
        let email = format!("later{number}@fjord.example");
        portal.invite(&owner, Role::Member, &email);
        portal.work();
        slow += i32::from(!post.recipients().contains(&email));
        pass(&portal, MINUTE);
        assert!(post.recipients().contains(&email), "{email}");
    }
    assert!(slow <= 3, "{slow} of 30 had to wait");
    assert_eq!(post.taken().len(), 51);
    portal.leave_mail();
}

/// Works until it is told to go: then it fails, but only after another has taken its place.
struct Leaving(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Mailer for Leaving {
    fn probe(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn dialogue(&self) -> Vec<Said> {
        Vec::new()
    }

    fn send(&self, _: &Message) -> Result<String, Failure> {
        let Some(leave) = self.0.lock().unwrap().take() else {
            return Ok("250 2.0.0 taken".to_owned());
        };
        leave();
        Err(Failure::Relay(Cause::Service, REFUSED.to_owned()))
    }
}

#[test]
fn a_relay_that_is_replaced_while_it_fails_tells_nothing_of_the_next() {
    let leaving = Arc::new(Leaving(Mutex::default()));
    let portal = Portal::build()
        .mailer(Arc::clone(&leaving) as Arc<dyn Mailer>)
        .start();
    portal.owner();
    portal.work();
    let next = Arc::new(Post::default());
    {
        let (app, next) = (portal.app(), Arc::clone(&next) as Arc<dyn Mailer>);
        let leave = move || app.change_way_out(Some(next), Some("smtp://next".to_owned()));
        *leaving.0.lock().unwrap() = Some(Box::new(leave));
    }
    portal
        .visitor()
        .post("/forgot-password", &[("email", OWNER)])
        .answers(303);
    portal.work();
    // No half minute goes by: the next relay is not in trouble, whatever the one before said last.
    portal.work();
    assert_eq!(next.recipients(), [OWNER]);
    assert_eq!(portal.app().relay(), outbox::Relay::Works);
    assert_eq!(portal.app().way_out().as_deref(), Some("smtp://next"));
    assert!(leaving.0.lock().unwrap().is_none());
    portal.leave_mail();
}
