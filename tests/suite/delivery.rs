//! Mail of the real executable, over every way it can leave and past every mood of a relay that shows within seconds.
//! What takes hours is in `outbox`, with a clock of its own.

use std::time::Duration;

use doorward::kit::time::instant;

use crate::client::Client;
use crate::letter::{Letter, path_of};
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security, Step, Twist};
use crate::served::{self, activate, expect, found, invite, link_for, sign_in, until_seen};
use crate::wait;

const ANN: &str = "ann@haldenworks.example";
const BEA: &str = "bea@haldenworks.example";
/// No page waits for a relay: far less than any of a relay's time limits, and enough for a busy machine.
const PAGE_TIME: Duration = Duration::from_secs(4);

/// An invitation goes out, and its link opens an account.
#[track_caller]
fn tells_its_story(process: &Doorward, relay: &Relay) {
    let mut owner = found(process);
    invite(&mut owner, ANN);
    let received = relay.wait_for(1);
    assert_eq!(received[0].to, [ANN]);
    let mut ann = Client::new(process.address());
    let path = path_of(&link_for(&received, ANN));
    expect(activate(&mut ann, &path, "Ann Vik"), 303);
    sign_in(&mut ann, ANN);
    until_seen(&mut owner, "/mail", "250 2.0.0 taken");
}

/// Neither password of the relay's login, nor the login as it is sent, stands in what the process wrote.
#[track_caller]
fn keeps_the_login_to_itself(process: &Doorward, password: &str) {
    let output = process.output();
    let login = data_encoding::BASE64.encode(format!("\0portal\0{password}").as_bytes());
    assert!(output.contains("\"listening\""));
    for secret in [password, "s%40cret", &login] {
        assert!(!output.contains(secret), "{output}");
    }
}

/// Invites, and looks at pages, all of which answer as if there were no relay.
#[track_caller]
fn pages_do_not_notice(owner: &mut Client, invited: &str) {
    let began = instant();
    invite(owner, invited);
    let took = began.elapsed();
    assert!(took < PAGE_TIME, "inviting took {took:?}");
    for path in ["/", "/iam/accounts", "/mail", "/sign-in", "/readyz"] {
        let began = instant();
        let page = owner.get(path);
        let took = began.elapsed();
        assert!(page.status < 400, "{page:#?}");
        assert!(took < PAGE_TIME, "{path} took {took:?}");
    }
}

/// The address of the page of the only mail in this state.
#[track_caller]
fn page_of_the_mail(owner: &mut Client, state: &str) -> String {
    let page = owner.get(&format!("/mail?state={state}"));
    let (_, after) = page.body.split_once("href=\"/mail/mail_").unwrap();
    format!("/mail/mail_{}", after.split('"').next().unwrap())
}

/// The number beside a filter of the Mail page.
#[track_caller]
fn count(owner: &mut Client, state: &str) -> String {
    let text = owner.get("/mail").text();
    let (_, after) = text.split_once(&format!("{state} ")).unwrap();
    after.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn mail_leaves_by_starttls_with_a_login_and_a_private_authority() {
    let relay = Relay::start(Security::StartTls);
    relay.ask_for_login("portal", "s@cret");
    let process = served::launch(&relay, "portal:s%40cret@").start();
    tells_its_story(&process, &relay);
    let received = &relay.messages()[0];
    assert!(received.protected);
    assert_eq!(received.user.as_deref(), Some("portal"));
    keeps_the_login_to_itself(&process, "s@cret");
}

#[test]
fn mail_leaves_by_tls_from_the_start_and_the_url_may_come_from_a_file() {
    let relay = Relay::start(Security::Implicit);
    relay.ask_for_login("portal", "s@cret");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("relay");
    std::fs::write(&file, format!("{}\n", relay.url("portal:s%40cret@"))).unwrap();
    let process = Launch::serve()
        .env("DOORWARD_SMTP_URL_FILE", &file)
        .env(
            "DOORWARD_MAIL_FROM",
            "Halden Portal <portal@halden.example>",
        )
        .start();
    tells_its_story(&process, &relay);
    let received = &relay.messages()[0];
    assert!(received.protected);
    assert_eq!(received.user.as_deref(), Some("portal"));
    assert_eq!(received.from, "portal@halden.example");
    let letter = Letter::read(&received.data);
    assert!(letter.header("from").contains("<portal@halden.example>"));
    assert!(letter.header("message-id").ends_with("@halden.example>"));
    keeps_the_login_to_itself(&process, "s@cret");
}

#[test]
fn a_relay_that_the_authority_does_not_vouch_for_gets_neither_login_nor_mail() {
    let relay = Relay::start(Security::StartTls);
    relay.ask_for_login("portal", "s@cret");
    let other = Relay::start(Security::StartTls);
    let url = relay
        .url("portal:s%40cret@")
        .replace(&relay.authority(), &other.authority());
    let process = Launch::serve().env("DOORWARD_SMTP_URL", url).start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    until_seen(
        &mut owner,
        "/mail",
        "The line to the mail server cannot be protected.",
    );
    assert!(relay.messages().is_empty());
    assert_eq!(count(&mut owner, "Waiting"), "1");
    keeps_the_login_to_itself(&process, "s@cret");
}

#[test]
fn a_relay_that_is_down_loses_nothing_and_is_tried_again() {
    let mut relay = Relay::start(Security::Plain);
    relay.stop();
    let mut process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    pages_do_not_notice(&mut owner, ANN);
    until_seen(&mut owner, "/mail", "The mail server cannot be reached.");
    let health = owner.get("/readyz");
    assert_eq!(
        (health.status, health.body.contains("degraded")),
        (200, true)
    );
    pages_do_not_notice(&mut owner, BEA);
    assert_eq!(count(&mut owner, "Waiting"), "2");
    relay.start_again();
    // A new process tries at once; the old one would within half a minute.
    process.kill9();
    process.restart();
    owner.move_to(process.address());
    let received = relay.wait_for(2);
    until_seen(&mut owner, "/mail", "Sent 2");
    let mut recipients: Vec<&str> = received.iter().map(|mail| mail.to[0].as_str()).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, [ANN, BEA]);
    assert!(owner.get("/readyz").body.contains("ready"));
}

#[test]
fn a_relay_that_wants_nobody_is_shown_in_its_own_words() {
    let relay = Relay::start(Security::Plain);
    relay.at(Step::Greeting, Twist::Say("554 5.7.1 no service for you"));
    let process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    pages_do_not_notice(&mut owner, ANN);
    until_seen(&mut owner, "/mail", "554 5.7.1 no service for you");
    let mail = page_of_the_mail(&mut owner, "waiting");
    let page = owner.get(&mail).text();
    assert!(page.contains("Next try") && page.contains(ANN), "{page}");
    assert_eq!(count(&mut owner, "Failed"), "0");
}

#[test]
fn a_mute_relay_keeps_no_page_waiting_and_does_not_keep_the_process_from_stopping() {
    let relay = Relay::start(Security::Plain);
    relay.at(Step::Greeting, Twist::Mute);
    let mut process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    wait::until(Duration::from_secs(10), || {
        (relay.connections() > 0).then_some(())
    })
    .unwrap();
    pages_do_not_notice(&mut owner, BEA);
    let began = instant();
    assert_eq!(process.terminate().code(), Some(0), "{}", process.output());
    assert!(began.elapsed() < Duration::from_secs(10));
    relay.behave();
    process.restart();
    relay.wait_for(2);
    owner.move_to(process.address());
    until_seen(&mut owner, "/mail", "Sent 2");
    assert_eq!(relay.messages().len(), 2);
}

#[test]
fn a_slow_relay_gets_its_mail_and_keeps_no_page_waiting() {
    let relay = Relay::start(Security::Plain);
    for step in [Step::Greeting, Step::Rcpt, Step::Dot] {
        relay.at(step, Twist::Pause(Duration::from_millis(600)));
    }
    let process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    pages_do_not_notice(&mut owner, BEA);
    relay.wait_for(2);
    until_seen(&mut owner, "/mail", "Sent 2");
}

#[test]
fn a_refused_recipient_is_shown_where_people_look_and_retried_when_they_say_so() {
    let relay = Relay::start(Security::Plain);
    relay.refuse(ANN, "550 5.1.1 no such user here");
    let process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    invite(&mut owner, BEA);
    assert_eq!(relay.wait_for(1)[0].to, [BEA]);
    until_seen(&mut owner, "/mail", "Failed 1");
    let accounts = owner.get("/iam/accounts").text();
    assert!(accounts.contains("550 5.1.1 no such user"), "{accounts}");
    let mail = page_of_the_mail(&mut owner, "failed");
    let page = owner.get(&mail);
    assert!(page.text().contains("550 5.1.1 no such user here"));

    relay.behave();
    expect(owner.post_form(&format!("{mail}/retry"), &[]), 303);
    let received = relay.wait_for(2);
    let page = until_seen(&mut owner, &mail, "250 2.0.0 taken").text();
    assert!(page.contains("550 5.1.1 no such user here"), "{page}");
    let id = Letter::read(&received[1].data)
        .header("message-id")
        .to_owned();
    assert!(page.contains(&id), "{id} is not on {page}");
    let mut ann = Client::new(process.address());
    let path = path_of(&link_for(&received, ANN));
    expect(activate(&mut ann, &path, "Ann Vik"), 303);
}

#[test]
fn a_recipient_refused_for_now_waits_and_the_next_one_does_not() {
    let relay = Relay::start(Security::Plain);
    relay.refuse(ANN, "451 4.3.0 later");
    let process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    until_seen(&mut owner, "/mail", "451 4.3.0 later");
    invite(&mut owner, BEA);
    assert_eq!(relay.wait_for(1)[0].to, [BEA]);
    let text = until_seen(&mut owner, "/mail", "Sent 1").text();
    assert!(text.contains("Next try "), "{text}");
    assert!(text.contains(": 451 4.3.0 later"), "{text}");
    assert!(!text.contains("in trouble"), "{text}");
    let mail = page_of_the_mail(&mut owner, "waiting");
    assert!(owner.get(&mail).text().contains("451 4.3.0 later"));
}

#[test]
fn a_relay_that_hangs_up_after_the_message_gets_it_again_as_the_same_mail() {
    let relay = Relay::start(Security::Plain);
    relay.at(Step::Dot, Twist::HangUp);
    let mut process = served::launch(&relay, "")
        .arg("--public-url")
        .arg("http://localhost:8080")
        .start();
    let mut owner = found(&process);
    invite(&mut owner, ANN);
    relay.wait_for(1);
    until_seen(&mut owner, "/mail", "The mail server is in trouble.");
    relay.behave();
    process.kill9();
    process.restart();
    let received = relay.wait_for(2);
    let doubles = [0, 1].map(|at: usize| Letter::read(&received[at].data));
    assert_eq!(
        doubles[0].header("message-id"),
        doubles[1].header("message-id")
    );
    assert_eq!(doubles[0].text, doubles[1].text);
    owner.move_to(process.address());
    until_seen(&mut owner, "/mail", "Sent 1");
    assert_eq!(relay.messages().len(), 2);
}
