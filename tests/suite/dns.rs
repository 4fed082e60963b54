//! What the house asks name servers, and how it takes their moods.

use std::time::Duration;

use doorward::kit::dns::{Exchange, Failure, Resolver};

use crate::name_server::{NameServer, Record};

fn asking(server: &NameServer) -> Resolver {
    Resolver::new(vec![server.address()]).with_patience(Duration::from_millis(300))
}

#[test]
fn hosts_that_take_mail_come_in_their_order() {
    let server = NameServer::start();
    server.know(
        "a.example",
        &[Record::Mx(20, "late.example"), Record::Mx(10, "mx.example")],
    );
    let found = asking(&server).exchanges("A.Example").unwrap();
    let hosts: Vec<(u16, &str)> = found
        .iter()
        .map(|one| (one.preference, one.host.as_str()))
        .collect();
    assert_eq!(hosts, [(10, "mx.example"), (20, "late.example")]);
    assert_eq!(asking(&server).texts("a.example"), Ok(Vec::new()));
}

#[test]
fn a_text_in_several_strings_is_one() {
    let server = NameServer::start();
    server.know(
        "a.example",
        &[
            Record::Txt(&["v=spf1 include:", "b.example", " -all"]),
            Record::Txt(&["other"]),
        ],
    );
    let found = asking(&server).texts("a.example").unwrap();
    assert_eq!(found, ["v=spf1 include:b.example -all", "other"]);
}

#[test]
fn a_name_that_is_not_there_is_told_from_a_server_that_is_silent() {
    let server = NameServer::start();
    assert_eq!(asking(&server).texts("no.example"), Err(Failure::NoName));
    server.know("mute.example", &[Record::Silence]);
    assert_eq!(asking(&server).texts("mute.example"), Err(Failure::Silent));
    assert_eq!(
        server.asked(),
        ["no.example", "mute.example", "mute.example"]
    );
    server.know("ill.example", &[Record::Failure]);
    let refused = asking(&server).texts("ill.example").unwrap_err();
    assert!(matches!(refused, Failure::Refused(_)), "{refused:?}");
}

#[test]
fn an_answer_that_was_cut_short_is_asked_for_again_by_tcp() {
    let server = NameServer::start();
    server.know("a.example", &[Record::Long, Record::Txt(&["whole"])]);
    assert_eq!(asking(&server).texts("a.example").unwrap(), ["whole"]);
}

#[test]
fn an_alias_is_followed_and_a_circle_left() {
    let server = NameServer::start();
    server.know("a.example", &[Record::Alias("b.example")]);
    server.know("b.example", &[Record::Alias("c.example")]);
    server.know("c.example", &[Record::Mx(5, "mx.example")]);
    let found = asking(&server).exchanges("a.example").unwrap();
    let exchange = Exchange {
        preference: 5,
        host: "mx.example".to_owned(),
    };
    assert_eq!(found, [exchange]);
    server.know("x.example", &[Record::Alias("y.example")]);
    server.know("y.example", &[Record::Alias("x.example")]);
    let circle = asking(&server).texts("x.example");
    assert_eq!(circle, Err(Failure::Unreadable));
}

#[test]
fn an_answer_to_another_question_is_none() {
    let server = NameServer::start();
    server.know("a.example", &[Record::Forged, Record::Txt(&["right"])]);
    assert_eq!(asking(&server).texts("a.example").unwrap(), ["right"]);
}

#[test]
fn a_server_that_fails_gives_way_to_the_next() {
    let (ill, mute, well) = (
        NameServer::start(),
        NameServer::start(),
        NameServer::start(),
    );
    ill.know("a.example", &[Record::Failure]);
    mute.know("a.example", &[Record::Silence]);
    well.know("a.example", &[Record::Txt(&["here"])]);
    let servers = [&ill, &mute, &well].map(NameServer::address).to_vec();
    let resolver = Resolver::new(servers).with_patience(Duration::from_millis(300));
    assert_eq!(resolver.texts("a.example").unwrap(), ["here"]);
}
