//! The outbox over hours and days: a relay that goes and comes back, refuses, breaks off, and a process that dies
//! with a mail in its hands. Time is the test's own, and so is the relay.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorward::domain::role::Role;
use doorward::kit::mail::{Failure, Mailer, Message};
use doorward::kit::time::{DAY, HOUR, MINUTE};
use doorward::outbox::{self, Turn};

use crate::portal::{OWNER, Portal};
use crate::visitor::Visitor;

const LEA: &str = "lea@fjord.example";
const MAX: &str = "max@fjord.example";
const LATER: &str = "451 4.3.0 later";
const REFUSED: &str = "Connection refused";

/// What a relay does with one message.
#[derive(Clone, Debug)]
enum Deed {
    /// It fails like this.
    Fails(Failure),
    /// It takes the message, and its answer is lost.
    TakesAndHangsUp,
    /// The process dies once the relay has the message.
    TakesAndWeDie,
    /// The process dies before.
    WeDie,
}

/// A relay in this process, which does as it is told and takes whatever it was told nothing about.
#[derive(Default)]
struct Post(Mutex<Told>);

#[derive(Default)]
struct Told {
    down: Option<Failure>,
    always: BTreeMap<String, Deed>,
    next: BTreeMap<String, VecDeque<Deed>>,
    tries: usize,
    taken: Vec<Message>,
}

impl Post {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn down(&self, words: &str) {
        self.told().down = Some(Failure::Relay(words.to_owned()));
    }

    fn up(&self) {
        self.told().down = None;
    }

    /// What happens to the next mails to this address, one by one.
    fn next(&self, to: &str, deeds: impl IntoIterator<Item = Deed>) {
        self.told()
            .next
            .insert(to.to_owned(), deeds.into_iter().collect());
    }

    /// What happens to every mail to this address.
    fn always(&self, to: &str, deed: Deed) {
        self.told().always.insert(to.to_owned(), deed);
    }

    fn tries(&self) -> usize {
        self.told().tries
    }

    fn taken(&self) -> Vec<Message> {
        self.told().taken.clone()
    }

    fn recipients(&self) -> Vec<String> {
        self.taken().into_iter().map(|mail| mail.to).collect()
    }
}

impl Mailer for Post {
    fn send(&self, message: &Message) -> Result<String, Failure> {
        let mut told = self.told();
        told.tries += 1;
        if let Some(failure) = &told.down {
            return Err(failure.clone());
        }
        let next = told.next.get_mut(&message.to).and_then(VecDeque::pop_front);
        let deed = next.or_else(|| told.always.get(&message.to).cloned());
        if !matches!(deed, Some(Deed::Fails(_) | Deed::WeDie)) {
            told.taken.push(message.clone());
        }
        drop(told);
        match deed {
            None => Ok("250 2.0.0 taken".to_owned()),
            Some(Deed::Fails(failure)) => Err(failure),
            Some(Deed::TakesAndHangsUp) => Err(broken()),
            Some(Deed::TakesAndWeDie | Deed::WeDie) => panic!("the process dies here"),
        }
    }
}

fn later(words: &str) -> Deed {
    Deed::Fails(Failure::Later(words.to_owned()))
}

fn never(words: &str) -> Deed {
    Deed::Fails(Failure::Never(words.to_owned()))
}

fn broken() -> Failure {
    Failure::Relay("The relay closed the connection instead of an answer.".to_owned())
}

fn start() -> (Portal, Arc<Post>) {
    let post = Arc::new(Post::default());
    let portal = Portal::build()
        .mailer(Arc::clone(&post) as Arc<dyn Mailer>)
        .start();
    (portal, post)
}

/// Time goes by, and the worker looks every ten seconds.
fn pass(portal: &Portal, seconds: i64) {
    for _ in 0..seconds / 10 {
        portal.travel(10);
        portal.work();
    }
}

/// Each owed or ended mail to this address: its state and its last answer.
fn states(portal: &Portal, to: &str) -> Vec<String> {
    portal.ask(&format!(
        "SELECT state || ': ' || coalesce(answer, '') FROM errands WHERE recipient = '{to}' ORDER BY created_at, id"
    ))
}

/// The lines of the history of all mails to this address.
fn history(portal: &Portal, to: &str) -> Vec<String> {
    portal.ask(&format!(
        "SELECT attempts.count || ' ' || attempts.answer FROM attempts JOIN errands ON errands.id = errand_id
          WHERE recipient = '{to}' ORDER BY created_at, errand_id, number"
    ))
}

/// The path of the first link of ours in a mail.
fn link(mail: &Message) -> String {
    let (_, after) = mail.text.split_once("https://portal.example.com").unwrap();
    after.chars().take_while(|c| !c.is_whitespace()).collect()
}

/// A notice to the owner is owed: somebody signed in from a browser that was not known.
fn notice(owner: &Visitor) {
    owner.elsewhere().sign_in();
}

/// A round that may end in the middle, as a process does.
fn round_that_dies(portal: &Portal) {
    assert!(catch_unwind(AssertUnwindSafe(|| portal.work())).is_err());
}

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
    let closing = Failure::Relay("421 4.3.2 closing".to_owned());
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
fn a_mail_that_cannot_be_written_holds_up_none_of_the_others() {
    let (portal, post) = start();
    let owner = portal.owner();
    notice(&owner);
    // JSON, as the schema asks, and still nothing that says where the sign-in came from.
    portal.tamper("UPDATE errands SET details = '{}', urgency = 0 WHERE kind = 'new_device'");
    for number in 0..99 {
        portal.invite(&owner, Role::Member, &format!("p{number}@fjord.example"));
    }
    portal.work();
    assert_eq!(post.taken().len(), 99);
    assert_eq!(
        states(&portal, OWNER),
        ["waiting: The mail could not be written."]
    );
    // It is looked at ever less often, and given up when it is worth nothing any more.
    for _ in 0..3 * 24 * 12 {
        portal.travel(5 * MINUTE);
        portal.work();
    }
    assert_eq!(
        states(&portal, OWNER),
        ["failed: It could not be delivered before it expired."]
    );
    let counts: Vec<i64> = portal.ask(
        "SELECT attempts.count FROM attempts JOIN errands ON errands.id = errand_id WHERE kind = 'new_device'",
    );
    assert_eq!(counts.len(), 1);
    assert!((70..=80).contains(&counts[0]), "{counts:?}");
    assert_eq!(post.taken().len(), 99);
    portal.leave_mail();
}

#[test]
fn a_mail_on_which_a_round_dies_holds_up_none_of_the_others() {
    let (portal, post) = start();
    let owner = portal.owner();
    post.always(LEA, Deed::WeDie);
    for email in [LEA, MAX] {
        portal.invite(&owner, Role::Member, email);
    }
    // Whichever is first; what died keeps its lease.
    for _ in 0..3 {
        catch_unwind(AssertUnwindSafe(|| portal.work())).ok();
    }
    assert_eq!(post.recipients(), [MAX]);
    // Its lease is over every two minutes; at last so is its link, and it is given up.
    for _ in 0..26 {
        portal.travel(HOUR);
        catch_unwind(AssertUnwindSafe(|| portal.work())).ok();
    }
    assert_eq!(
        states(&portal, LEA),
        ["failed: It could not be delivered before it expired."]
    );
    assert_eq!(post.recipients(), [MAX]);
    portal.leave_mail();
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
fn what_a_process_that_died_had_in_its_hands_is_sent_by_the_next_one() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    portal.invite(&owner, Role::Member, MAX);
    let app = portal.app();
    // Between taking it up and handing it over.
    let claim = app.housekeep(app.now(), |tx| outbox::claim(tx, Turn::Urgent));
    assert!(claim.unwrap().is_some());
    drop(app);
    let sending: Vec<String> = portal.ask("SELECT state FROM errands ORDER BY state");
    assert_eq!(sending, ["sending", "waiting"]);
    portal.restart(|_, _| {});
    portal.work();
    let mut recipients = post.recipients();
    recipients.sort_unstable();
    assert_eq!(recipients, [LEA, MAX]);
}

#[test]
fn a_process_that_dies_after_the_relay_took_it_sends_the_same_mail_again() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    post.next(LEA, [Deed::TakesAndWeDie]);
    round_that_dies(&portal);
    assert_eq!(post.taken().len(), 1);
    portal.restart(|_, _| {});
    portal.work();
    let taken = post.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].id, taken[1].id);
    assert_eq!(taken[0].text, taken[1].text);
    portal.restart(|_, _| {});
    pass(&portal, HOUR);
    assert_eq!(post.taken().len(), 2);
}

#[test]
fn a_mail_whose_round_died_is_due_again_when_its_lease_is_over() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, LEA);
    post.next(LEA, [Deed::WeDie]);
    round_that_dies(&portal);
    portal.travel(2 * MINUTE - 1);
    portal.work();
    assert!(post.taken().is_empty(), "two attempts at once");
    portal.travel(1);
    portal.work();
    assert_eq!(post.recipients(), [LEA]);
}

#[test]
fn links_go_before_notices_however_long_these_have_waited() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.work();
    post.down(REFUSED);
    notice(&owner);
    notice(&owner);
    notice(&owner);
    portal.work();
    portal.travel(25);
    portal.invite(&owner, Role::Member, LEA);
    portal.invite(&owner, Role::Member, MAX);
    post.up();
    pass(&portal, MINUTE);
    // The first shows that the relay is back: it is whoever waited longest. The last broke off before.
    let mut recipients = post.recipients();
    recipients[1..3].sort_unstable();
    assert_eq!(recipients, [OWNER, LEA, MAX, OWNER, OWNER]);
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

#[test]
fn each_kind_of_mail_is_given_up_when_it_is_worth_nothing_any_more() {
    let (portal, post) = start();
    let owner = portal.owner();
    portal.work();
    post.down(REFUSED);
    portal.invite(&owner, Role::Member, LEA);
    portal
        .visitor()
        .post("/forgot-password", &[("email", OWNER)])
        .answers(303);
    notice(&owner);
    let owed = || {
        portal
            .ask::<String>("SELECT kind FROM errands WHERE state = 'waiting' ORDER BY kind")
            .join(" ")
    };
    assert_eq!(owed(), "activation new_device reset");
    for (wait, left) in [
        (HOUR - 1, "activation new_device reset"),
        (MINUTE + 1, "activation new_device"),
        (23 * HOUR - MINUTE - 1, "activation new_device"),
        (MINUTE + 1, "new_device"),
        (2 * DAY - MINUTE - 1, "new_device"),
        (MINUTE + 1, ""),
    ] {
        portal.travel(wait);
        portal.work();
        assert_eq!(owed(), left, "after {wait} s more");
    }
    portal.leave_mail();
}

#[test]
fn what_was_sent_is_forgotten_after_30_days_and_what_failed_after_90() {
    let (portal, post) = start();
    let owner = portal.owner();
    post.always(LEA, never("550 5.1.1 no such user here"));
    for number in 0..250 {
        portal.invite(&owner, Role::Member, &format!("p{number}@fjord.example"));
    }
    portal.invite(&owner, Role::Member, LEA);
    portal.work();
    let kept = || {
        let counts: Vec<String> = portal
            .ask("SELECT state || ' ' || count(*) FROM errands GROUP BY state ORDER BY state");
        let attempts: Vec<i64> = portal.ask("SELECT count(*) FROM attempts");
        format!("{} {}", counts.join(" "), attempts[0])
    };
    assert_eq!(kept(), "failed 1 sent 250 251");
    portal.travel(30 * DAY - 1);
    portal.work();
    assert_eq!(kept(), "failed 1 sent 250 251");
    portal.travel(MINUTE + 1);
    portal.work();
    assert_eq!(kept(), "failed 1 1");
    portal.travel(60 * DAY - MINUTE - 1);
    portal.work();
    assert_eq!(kept(), "failed 1 1");
    portal.travel(MINUTE + 1);
    portal.work();
    assert_eq!(kept(), " 0");
}
