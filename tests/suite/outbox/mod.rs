//! The outbox over hours and days: a relay that goes and comes back, refuses, breaks off, and a process that dies
//! with a mail in its hands. Time is the test's own, and so is the relay.

mod post;
mod queue;
mod relay;

use std::sync::Arc;

use doorward::kit::mail::{Failure, Mailer, Message};

use crate::portal::Portal;
use crate::visitor::Visitor;

use post::{Deed, Post};

const LEA: &str = "lea@fjord.example";
const MAX: &str = "max@fjord.example";
const LATER: &str = "451 4.3.0 later";
const REFUSED: &str = "Connection refused";

fn later(words: &str) -> Deed {
    Deed::Fails(Failure::Later(words.to_owned()))
}

fn never(words: &str) -> Deed {
    Deed::Fails(Failure::Never(words.to_owned()))
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
