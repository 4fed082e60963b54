//! Mail over real sockets, against a relay that misbehaves.

use std::time::Duration;

use doorward::kit::mail::smtp::{Limits, Relay, Smtp};
use doorward::kit::mail::{Cause, Failure, Mailer, Message};
use doorward::kit::time::{Timestamp, instant};

use crate::relay::{Relay as Fake, Security, Step, Twist};

fn smtp(url: &str) -> Smtp {
    let relay = Relay::parse(url).unwrap();
    Smtp::new(relay, "portal.example.com")
        .unwrap()
        .with_limits(Limits {
            connect: Duration::from_millis(2_000),
            attempt: Duration::from_millis(4_000),
        })
}

/// One that waits no longer than a test can.
fn impatient(url: &str) -> Smtp {
    smtp(url).with_limits(Limits {
        connect: Duration::from_millis(200),
        attempt: Duration::from_millis(400),
    })
}

fn message(number: usize) -> Message {
    Message {
        id: format!("errand-{number}@portal.example.com"),
        date: Timestamp(1_764_000_000),
        from: "Portal <portal@example.com>".to_owned(),
        to: "ann@example.com".to_owned(),
        subject: "Grüße".to_owned(),
        text: ".\n..\n.hidden\nyour link: https://portal.example.com/activate/x\n".to_owned(),
        html: "<p>.</p>\n".to_owned(),
    }
}

fn words(outcome: Result<String, Failure>) -> String {
    match outcome {
        Ok(words)
        | Err(Failure::Relay(_, words) | Failure::Later(words) | Failure::Never(words)) => words,
    }
}

fn relay_trouble(cause: Cause, words: &str) -> Result<String, Failure> {
    Err(Failure::Relay(cause, words.to_owned()))
}

/// What was said, without when.
fn spoken(smtp: &Smtp) -> Vec<String> {
    let lines = smtp.dialogue();
    let lines = lines.iter().map(|line| line.to_string());
    lines
        .map(|line| line.split_at_checked(10).unwrap().1.to_owned())
        .collect()
}

#[test]
fn mail_arrives_with_and_without_tls_and_login() {
    for security in [Security::Plain, Security::StartTls, Security::Implicit] {
        for login in ["", "ann:s%40cret@"] {
            let fake = Fake::start(security);
            if !login.is_empty() {
                fake.ask_for_login("ann", "s@cret");
            }
            let smtp = smtp(&fake.url(login));
            let outcome = smtp.send(&message(1));
            assert_eq!(
                outcome,
                Ok("250 2.0.0 taken".to_owned()),
                "{security:?} {login}"
            );
            let received = fake.messages().pop().unwrap();
            assert_eq!(received.from, "portal@example.com");
            assert_eq!(received.to, ["ann@example.com"]);
            assert_eq!(received.protected, security != Security::Plain);
            assert_eq!(received.user.is_some(), !login.is_empty());
            assert!(
                received
                    .data
                    .contains("Message-ID: <errand-1@portal.example.com>\r\n")
            );
            assert!(
                received
                    .data
                    .contains("\r\n\r\n.\r\n..\r\n.hidden\r\nyour link: https://")
            );
            assert!(received.data.ends_with("--"), "a line was added at the end");
            assert!(!format!("{:?}", smtp.dialogue()).contains("cret"));
        }
    }
}

#[test]
fn an_authority_nobody_named_is_not_trusted() {
    for security in [Security::StartTls, Security::Implicit] {
        let fake = Fake::start(security);
        let other = Fake::start(security);
        let url = fake.url("");
        let (bare, _) = url.rsplit_once("ca=").unwrap();
        let by_the_platform = words(smtp(bare.trim_end_matches(['?', '&'])).send(&message(1)));
        let by_another = smtp(&format!("{bare}ca={}", other.authority())).send(&message(1));
        assert_eq!(
            by_another,
            relay_trouble(
                Cause::Tls,
                "The relay's certificate comes from an authority that is not trusted here; a private one is \
                 named with ?ca=FILE."
            ),
            "{security:?}"
        );
        assert!(by_the_platform.contains("?ca=FILE"), "{by_the_platform}");
        assert_eq!(fake.messages().len(), 0);
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_even_from_a_known_authority() {
    let fake = Fake::start(Security::Implicit);
    let url = format!("smtps://127.0.0.1:{}?ca={}", fake.port(), fake.authority());
    assert_eq!(
        smtp(&url).send(&message(1)),
        relay_trouble(
            Cause::Tls,
            "The relay's certificate is not for 127.0.0.1: write the name that stands in it."
        )
    );
}

#[test]
fn without_starttls_nothing_is_sent_in_clear() {
    let fake = Fake::start(Security::Plain);
    fake.ask_for_login("ann", "secret");
    let url = format!("smtp://ann:secret@localhost:{}?tls=starttls", fake.port());
    let smtp = smtp(&url);
    assert_eq!(
        smtp.send(&message(1)),
        relay_trouble(
            Cause::Tls,
            "The relay does not offer STARTTLS (502 5.5.1 not known here); smtps:// is TLS from the start."
        )
    );
    assert!(!spoken(&smtp).iter().any(|line| line.starts_with("C: AUTH")));
}

#[test]
fn answers_pushed_in_before_the_handshake_are_thrown_away() {
    let fake = Fake::start(Security::StartTls);
    fake.at(
        Step::StartTls,
        Twist::Say("220 go\r\n250-evil.test\r\n250 AUTH PLAIN"),
    );
    let smtp = smtp(&fake.url(""));
    assert_eq!(smtp.send(&message(1)), Ok("250 2.0.0 taken".to_owned()));
    assert!(!spoken(&smtp).join(" ").contains("evil"));
}

#[test]
fn smtps_to_a_port_without_tls_says_so() {
    let fake = Fake::start(Security::Plain);
    let outcome = smtp(&format!("smtps://localhost:{}", fake.port())).send(&message(1));
    let said = words(outcome.clone());
    assert!(matches!(outcome, Err(Failure::Relay(Cause::Tls, _))));
    assert!(said.contains("does not speak TLS on this port"), "{said}");
}

#[test]
fn a_wrong_password_is_the_relays_trouble() {
    let fake = Fake::start(Security::StartTls);
    fake.ask_for_login("ann", "right");
    let smtp = smtp(&fake.url("ann:wrong-one@"));
    assert_eq!(
        smtp.send(&message(1)),
        relay_trouble(Cause::Login, "535 5.7.8 user or password is wrong")
    );
}

#[test]
fn a_relay_that_wants_no_login_here_is_told_apart() {
    let fake = Fake::start(Security::Plain);
    let said = words(smtp(&fake.url("ann:secret@")).send(&message(1)));
    assert!(said.starts_with("The relay offers no login"), "{said}");
}

#[test]
fn what_goes_wrong_before_rcpt_is_the_relays_trouble() {
    for step in [Step::Greeting, Step::Hello, Step::Auth, Step::Mail] {
        for answer in ["421 4.3.2 not now", "450 4.3.0 busy", "554 5.3.0 go away"] {
            let fake = Fake::start(Security::Plain);
            fake.ask_for_login("ann", "secret");
            fake.at(step, Twist::Say(answer));
            let smtp = smtp(&fake.url("ann:secret@"));
            // After AUTH was refused, mail-send may try the other mechanism on a connection that is closing.
            match smtp.send(&message(1)) {
                Err(Failure::Relay(cause, words)) if step == Step::Auth => {
                    assert!(!words.is_empty());
                    let is_refused = answer.starts_with('5');
                    assert_eq!(cause == Cause::Login, is_refused, "{answer}: {words}");
                }
                outcome => {
                    let cause = match (step, answer.starts_with('5')) {
                        (Step::Mail, true) => Cause::Sender,
                        _ => Cause::Service,
                    };
                    assert_eq!(outcome, relay_trouble(cause, answer), "{step:?}");
                }
            }
            fake.behave();
            assert!(smtp.send(&message(1)).is_ok(), "{step:?} {answer}");
        }
    }
}

#[test]
fn at_rcpt_and_data_the_code_decides_what_becomes_of_the_message() {
    for step in [Step::Rcpt, Step::Data, Step::Dot] {
        let later = || Failure::Later("451 4.7.1 greylisted".to_owned());
        let never = || Failure::Never("550 5.1.1 no such user".to_owned());
        let relay = || Failure::Relay(Cause::Service, "421 4.3.2 shutting down".to_owned());
        let cases = [
            ("451 4.7.1 greylisted", later()),
            ("550 5.1.1 no such user", never()),
            ("550-5.1.1 no such\r\n550 5.1.1 user", never()),
            ("421 4.3.2 shutting down", relay()),
            (
                "199 what",
                Failure::Relay(Cause::Service, "199 what".to_owned()),
            ),
        ];
        for (answer, failure) in cases {
            let fake = Fake::start(Security::Plain);
            fake.at(step, Twist::Say(answer));
            let smtp = smtp(&fake.url(""));
            let keeps = !matches!(failure, Failure::Relay(..));
            assert_eq!(smtp.send(&message(1)), Err(failure), "{step:?} {answer}");
            fake.behave();
            assert!(smtp.send(&message(2)).is_ok(), "{step:?} {answer}");
            assert_eq!(fake.messages().len(), 1);
            assert_eq!(
                fake.connections(),
                if keeps { 1 } else { 2 },
                "{step:?} {answer}"
            );
        }
    }
}

#[test]
fn one_refused_recipient_does_not_hold_up_the_others() {
    let fake = Fake::start(Security::Plain);
    fake.refuse("ann@example.com", "550 5.1.1 no such user");
    let smtp = smtp(&fake.url(""));
    let mut other = message(2);
    other.to = "bob@example.com".to_owned();
    assert!(matches!(smtp.send(&message(1)), Err(Failure::Never(_))));
    assert!(smtp.send(&other).is_ok());
    assert!(matches!(smtp.send(&message(3)), Err(Failure::Never(_))));
    // A relay that does not even take RSET is left, and met again.
    fake.at(Step::Reset, Twist::HangUp);
    assert!(smtp.send(&other).is_ok());
    assert_eq!(fake.connections(), 2);
    assert_eq!(fake.messages().len(), 2);
}

#[test]
fn a_mute_relay_is_given_up_in_time() {
    let cases = [
        (Security::Plain, Step::Greeting, "No greeting within 0.2 s."),
        (
            Security::Plain,
            Step::Hello,
            "No answer to EHLO within 0.2 s.",
        ),
        (
            Security::StartTls,
            Step::StartTls,
            "No answer to STARTTLS within 0.2 s.",
        ),
        (
            Security::Plain,
            Step::Auth,
            "No answer to the login within 0.2 s.",
        ),
        (
            Security::Plain,
            Step::Mail,
            "No answer to MAIL FROM within 0.4 s.",
        ),
        (
            Security::Plain,
            Step::Rcpt,
            "No answer to RCPT TO within 0.4 s.",
        ),
        (
            Security::Plain,
            Step::Data,
            "No answer to DATA within 0.4 s.",
        ),
        (
            Security::Plain,
            Step::Dot,
            "No answer to the message within 0.4 s.",
        ),
    ];
    for (security, step, said) in cases {
        let fake = Fake::start(security);
        fake.ask_for_login("ann", "secret");
        fake.at(step, Twist::Mute);
        let began = instant();
        let outcome = impatient(&fake.url("ann:secret@")).send(&message(1));
        assert_eq!(outcome, relay_trouble(Cause::Service, said));
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{step:?}: {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn a_slow_relay_is_waited_for() {
    let fake = Fake::start(Security::Plain);
    fake.at(Step::Greeting, Twist::Pause(Duration::from_millis(150)));
    assert!(smtp(&fake.url("")).send(&message(1)).is_ok());
}

#[test]
fn a_connection_lost_after_the_dot_is_the_relays_trouble_and_a_retry_can_be_recognised() {
    let fake = Fake::start(Security::Plain);
    fake.at(Step::Dot, Twist::HangUp);
    let smtp = smtp(&fake.url(""));
    let lost =
        "No answer to the message: the relay closed the connection, or its words cannot be read.";
    assert_eq!(smtp.send(&message(1)), relay_trouble(Cause::Service, lost));
    // Whether it was taken cannot be known, so it is not sent again in the same attempt.
    assert_eq!(fake.connections(), 1);
    fake.behave();
    assert!(smtp.send(&message(1)).is_ok());
    let received = fake.messages();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].data, received[1].data);
}

#[test]
fn ten_messages_share_one_connection_until_the_mailer_rests() {
    for security in [Security::Plain, Security::StartTls] {
        let fake = Fake::start(security);
        let smtp = smtp(&fake.url(""));
        for number in 0..10 {
            assert!(smtp.send(&message(number)).is_ok());
        }
        assert_eq!(fake.connections(), 1);
        assert_eq!(fake.wait_for(10).len(), 10);
        smtp.rest();
        smtp.rest();
        assert!(smtp.send(&message(10)).is_ok());
        assert_eq!(fake.connections(), 2);
    }
}

#[test]
fn no_message_waits_for_an_acknowledgement() {
    let fake = Fake::start(Security::Plain);
    let smtp = smtp(&fake.url(""));
    let began = instant();
    for number in 0..25 {
        assert!(smtp.send(&message(number)).is_ok());
    }
    // With Nagle's algorithm it is 40 ms for each, a second in all; without, about 20 ms in all.
    let took = began.elapsed();
    assert!(took < Duration::from_millis(700), "{took:?}");
}

#[test]
fn a_kept_connection_that_was_closed_meanwhile_is_replaced_without_a_word() {
    for (security, farewell) in [
        (Security::Plain, ""),
        (Security::Plain, "421 4.4.2 idle for too long\r\n"),
        (Security::StartTls, ""),
        (Security::Implicit, ""),
    ] {
        let fake = Fake::start(security);
        let smtp = smtp(&fake.url(""));
        assert!(smtp.send(&message(1)).is_ok());
        fake.hang_up(farewell);
        assert!(smtp.send(&message(2)).is_ok(), "{security:?} {farewell}");
        assert_eq!(fake.connections(), 2);
        assert_eq!(fake.messages().len(), 2);
    }
}

#[test]
fn a_relay_that_was_down_is_met_again() {
    let mut fake = Fake::start(Security::Plain);
    let smtp = smtp(&fake.url(""));
    assert!(smtp.send(&message(1)).is_ok());
    fake.stop();
    let outcome = smtp.send(&message(2));
    let said = words(outcome.clone());
    assert!(matches!(outcome, Err(Failure::Relay(Cause::Connection, _))));
    assert!(
        said.starts_with(&format!("Cannot connect to 127.0.0.1:{}: ", fake.port())),
        "{said}"
    );
    fake.start_again();
    assert!(smtp.send(&message(2)).is_ok());
    assert_eq!(fake.messages().len(), 2);
}

#[test]
fn an_address_with_a_line_end_reaches_no_relay() {
    let fake = Fake::start(Security::Plain);
    let smtp = smtp(&fake.url(""));
    for evil in [
        "ann@example.com>\r\nRCPT TO:<eve@example.com",
        "ann@example.com\r\n",
        "ann@example.com\nDATA",
        "ann@example.com> SIZE=1",
    ] {
        let mut message = message(1);
        message.to = evil.to_owned();
        assert!(
            matches!(smtp.send(&message), Err(Failure::Never(_))),
            "{evil:?}"
        );
    }
    assert_eq!(fake.connections(), 0);
}

#[test]
fn the_dialogue_shows_what_was_said_but_no_secret_and_no_message() {
    let fake = Fake::start(Security::StartTls);
    fake.ask_for_login("ann", "secret");
    let smtp = smtp(&fake.url("ann:secret@"));
    assert!(smtp.send(&message(1)).is_ok());
    let connected = format!(
        "-- Connected to localhost:{0} (127.0.0.1:{0}).",
        fake.port()
    );
    let dialogue = spoken(&smtp);
    let shown: Vec<&str> = dialogue
        .iter()
        .map(|line| {
            line.split_once(" (the message")
                .map_or(line.as_str(), |(first, _)| first)
        })
        .collect();
    assert_eq!(
        shown,
        [
            connected.as_str(),
            "S: 220 relay.test ESMTP",
            "C: EHLO portal.example.com",
            "S: 250 relay.test 8BITMIME STARTTLS ENHANCEDSTATUSCODES",
            "C: STARTTLS",
            "S: 220 2.0.0 go ahead",
            "-- TLS 1.3 from here on (TLS13_AES_256_GCM_SHA384); the certificate is believed.",
            "C: EHLO portal.example.com",
            "S: 250 relay.test 8BITMIME AUTH PLAIN LOGIN ENHANCEDSTATUSCODES",
            "C: AUTH (user and password not shown)",
            "S: 235 2.7.0 welcome",
            "C: MAIL FROM:<portal@example.com>",
            "S: 250 2.1.0 sender taken",
            "C: RCPT TO:<ann@example.com>",
            "S: 250 2.1.5 recipient taken",
            "C: DATA",
            "S: 354 end with a dot",
            "C:",
            "S: 250 2.0.0 taken",
        ]
    );
    let size = dialogue
        .iter()
        .find_map(|line| line.strip_prefix("C: (the message, "));
    let size: usize = size
        .unwrap()
        .strip_suffix(" bytes)")
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(size, fake.messages()[0].data.len());
    let times: Vec<_> = smtp.dialogue().iter().map(|line| line.after).collect();
    assert!(times.is_sorted() && times[times.len() - 1] < Duration::from_secs(4));
}

#[test]
fn a_dialogue_that_failed_ends_with_why() {
    for (step, twist, last) in [
        (Step::Greeting, Twist::Mute, "-- No greeting within 0.2 s."),
        (
            Step::Auth,
            Twist::Say("535 5.7.8 not you"),
            "S: 535 5.7.8 not you",
        ),
        (
            Step::Mail,
            Twist::Say("550 5.7.1 not this sender"),
            "S: 550 5.7.1 not this sender",
        ),
        (
            Step::Rcpt,
            Twist::Say("550 5.1.1 no such user"),
            "S: 550 5.1.1 no such user",
        ),
        (
            Step::Dot,
            Twist::HangUp,
            "-- No answer to the message: the relay closed the connection, or its words cannot be read.",
        ),
    ] {
        let fake = Fake::start(Security::Plain);
        fake.ask_for_login("ann", "secret");
        fake.at(step, twist);
        let smtp = impatient(&fake.url("ann:secret@"));
        assert!(smtp.send(&message(1)).is_err());
        assert_eq!(spoken(&smtp).last().unwrap(), last, "{step:?}");
    }
    let mut gone = Fake::start(Security::Plain);
    gone.stop();
    let smtp = smtp(&gone.url(""));
    assert!(smtp.send(&message(1)).is_err());
    let said = spoken(&smtp);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("-- Cannot connect to 127.0.0.1:"),
        "{said:?}"
    );
    let fake = Fake::start(Security::Implicit);
    let other = Fake::start(Security::Implicit);
    let smtp = self::smtp(&format!(
        "smtps://localhost:{}?ca={}",
        fake.port(),
        other.authority()
    ));
    assert!(smtp.send(&message(1)).is_err());
    let said = spoken(&smtp);
    assert!(
        said.last()
            .unwrap()
            .starts_with("-- The relay's certificate comes from"),
        "{said:?}"
    );
}

#[test]
fn a_message_that_cannot_be_written_leaves_no_dialogue_of_another() {
    let fake = Fake::start(Security::Plain);
    let smtp = smtp(&fake.url(""));
    assert!(smtp.send(&message(1)).is_ok());
    let mut broken = message(2);
    broken.subject = "a\nb".to_owned();
    assert!(smtp.send(&broken).is_err());
    assert_eq!(spoken(&smtp), Vec::<String>::new());
}

#[test]
fn a_relay_that_is_asked_without_a_mail_is_told_of_none() {
    let fake = Fake::start(Security::StartTls);
    fake.ask_for_login("ann", "secret");
    let from = "Portal <portal@example.com>";
    assert_eq!(smtp(&fake.url("ann:secret@")).probe(from), Ok(()));
    let refused = |url: &str| match smtp(url).probe(from) {
        Err(Failure::Relay(cause, _)) => cause,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&fake.url("ann:wrong@")), Cause::Login);
    // Without a login it says at the sender that it wants one.
    fake.at(Step::Mail, Twist::Say("530 5.7.0 login first"));
    assert_eq!(refused(&fake.url("")), Cause::Login);
    fake.at(Step::Mail, Twist::Say("553 5.7.1 not this sender"));
    assert_eq!(refused(&fake.url("ann:secret@")), Cause::Sender);
    assert!(fake.messages().is_empty());
}
