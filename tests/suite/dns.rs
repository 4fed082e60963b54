//! What the house asks name servers, and how it takes their moods.

use std::time::Duration;

use doorward::kit::dns::{Exchange, Failure, Resolver};
use doorward::kit::names::Book;

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

fn book(server: &NameServer) -> Book {
    Book {
        hosts: "192.0.2.5 listed.example\n".to_owned(),
        endings: vec!["lan.example".to_owned()],
        resolver: asking(server),
    }
}

fn at(address: &str) -> Record {
    Record::At(address.parse().unwrap())
}

fn find(server: &NameServer, host: &str) -> Result<Vec<String>, String> {
    let found = book(server).find(host).map_err(|error| error.to_string())?;
    Ok(found.iter().map(ToString::to_string).collect())
}

#[test]
fn a_host_is_found_by_the_addresses_of_both_kinds_and_through_its_alias() {
    let server = NameServer::start();
    let both = [at("2001:db8::1"), at("192.0.2.1"), at("192.0.2.2")];
    server.know("mail.example", &both);
    server.know("also.example", &[Record::Alias("mail.example")]);
    let expected = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(str::to_owned);
    assert_eq!(find(&server, "Mail.Example"), Ok(expected.to_vec()));
    assert_eq!(find(&server, "mail.example."), Ok(expected.to_vec()));
    assert_eq!(find(&server, "also.example"), Ok(expected.to_vec()));
    server.know("six.example", &[at("2001:db8::6")]);
    assert_eq!(
        find(&server, "six.example"),
        Ok(vec!["2001:db8::6".to_owned()])
    );
}

#[test]
fn the_hosts_file_goes_before_name_servers_and_a_short_name_gets_its_ending() {
    let server = NameServer::start();
    server.know("listed.example", &[at("192.0.2.9")]);
    assert_eq!(
        find(&server, "listed.example"),
        Ok(vec!["192.0.2.5".to_owned()])
    );
    assert_eq!(server.asked(), [""; 0]);
    server.know("relay.lan.example", &[at("192.0.2.7")]);
    assert_eq!(find(&server, "relay"), Ok(vec!["192.0.2.7".to_owned()]));
    assert_eq!(server.asked(), ["relay.lan.example", "relay.lan.example"]);
}

#[test]
fn a_host_that_nobody_knows_is_told_from_name_servers_that_say_nothing() {
    let server = NameServer::start();
    let unknown = find(&server, "no.example").unwrap_err();
    assert_eq!(unknown, "there is no such name");
    server.know("bare.example", &[Record::Txt(&["no address"])]);
    let bare = find(&server, "bare.example").unwrap_err();
    assert_eq!(bare, "there is no such name");
    server.know("mute.example", &[Record::Silence]);
    let silent = find(&server, "mute.example").unwrap_err();
    assert_eq!(silent, "no name server answered in time");
}
