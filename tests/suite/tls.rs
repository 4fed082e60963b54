//! TLS at the gate: what a client gets that speaks it well, badly, slowly or not at all, in process; and the real
//! executable with certificates that are wrong, end soon and are exchanged while it runs.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use doorward::kit::http::headers::Scheme;
use doorward::kit::http::server::Settings;
use doorward::kit::http::tls::Tls;
use doorward::kit::time::instant;
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, ClientConfig, ProtocolVersion};

use crate::client::Client as Browser;
use crate::encrypted::{NAME, Pair, Stream, begin, connect, tunnel};
use crate::gate::{Client, House, form, get, post, process};
use crate::process::{Doorward, Launch};
use crate::served::{found_by, setup_link};
use crate::wait;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(10);

/// A server that speaks TLS with this pair.
fn house(pair: &Pair) -> House {
    house_with(pair, |_| {})
}

fn house_with(pair: &Pair, change: impl FnOnce(&mut Settings)) -> House {
    let tls = Tls::load(&pair.cert(), &pair.key()).unwrap();
    House::with(|settings| {
        settings.scheme = Scheme::Https;
        settings.tls = Some(Arc::new(tls));
        change(settings);
    })
}

fn client(pair: &Pair, house: &House) -> Client<Stream> {
    Client::new(pair.connect(house.address))
}

/// A connection in the clear.
fn bare(house: &House) -> Client {
    let stream = TcpStream::connect(house.address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    Client::new(stream)
}

/// Whether the server says that this is the end, and no accident.
fn is_ended_in_order(client: &mut Client<Stream>) -> bool {
    matches!(client.more(), Ok(0))
}

/// What a client sees whose TLS is refused.
fn refusal(config: &Arc<ClientConfig>, to: SocketAddr) -> rustls::Error {
    let mut stream = begin(config, to);
    loop {
        if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
            let inner = error.into_inner().expect("a word of TLS");
            return *inner.downcast::<rustls::Error>().unwrap();
        }
        assert!(stream.conn.is_handshaking(), "it was let in");
    }
}

#[test]
fn pages_and_forms_are_served_over_both_versions() {
    let pair = Pair::new();
    let house = house(&pair);
    for (version, name) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let mut client = Client::new(connect(&pair.client(&[version]), house.address));
        assert_eq!(client.stream.conn.protocol_version(), Some(name));
        let protocol = client.stream.conn.alpn_protocol();
        assert_eq!(protocol, Some(b"http/1.1".as_slice()));
        for number in 0..50 {
            client.send(get(&format!("/{number}")));
            let page = client.answer();
            assert_eq!(page.body, format!("Get /{number}  a "));
            let promised = page.header("Strict-Transport-Security");
            assert_eq!(promised, Some("max-age=63072000"));
            client.send(form("/f", "x=y"));
            assert_eq!(client.answer().body, "Post /f  a x=y");
        }
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(client.answer().header("Connection"), Some("close"));
        assert!(is_ended_in_order(&mut client), "{name:?}");
    }
}

#[test]
fn requests_sent_at_once_are_answered_in_order() {
    let pair = Pair::new();
    let house = house(&pair);
    let mut client = client(&pair, &house);
    let many: String = (0..200)
        .map(|number| match number % 2 {
            0 => form(&format!("/{number}"), "a=b"),
            _ => get(&format!("/{number}")),
        })
        .collect();
    client.send(many);
    for number in 0..200 {
        let body = client.answer().body;
        assert!(body.contains(&format!(" /{number} ")), "{body}");
    }
}

#[test]
fn what_a_request_brings_may_come_in_any_pieces() {
    let pair = Pair::new();
    let house = house(&pair);
    let body = format!("a={}", "b".repeat(5_000));
    for piece in [1_000_000, 700, 61] {
        let mut client = client(&pair, &house);
        for bytes in form("/f", &body).as_bytes().chunks(piece) {
            // Each of them is a record of its own.
            client.send(bytes);
        }
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        assert!(answer.body.ends_with(&body));
    }
}

#[test]
fn large_forms_and_large_answers_pass_whole() {
    let pair = Pair::new();
    let house = house(&pair);
    for version in [&TLS12, &TLS13] {
        let mut client = Client::new(connect(&pair.client(&[version]), house.address));
        let wide = "x".repeat(1024 * 1024);
        client.send(form("/wide", &wide));
        assert!(client.answer().body.ends_with(&wide));
        for (path, length) in [("/long", 500_000), ("/huge", 20_000_000)] {
            client.send(get(path));
            assert_eq!(client.answer().body.len(), length);
        }
        client.send("GET /huge HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(client.answer().body.len(), 20_000_000);
        assert!(is_ended_in_order(&mut client));
    }
}

#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let pair = Pair::new();
    let house = house(&pair);
    let mut client = client(&pair, &house);
    client.send(post("/", "Content-Length: 3000000"));
    for _ in 0..40 {
        // The server may have closed before it has all.
        client.try_send(&"x".repeat(10_000));
    }
    let answer = client.answer();
    assert_eq!(answer.status, 413);
    assert!(is_ended_in_order(&mut client));
}

#[test]
fn a_client_that_says_it_is_done_gets_its_answer_and_the_end_in_order() {
    let pair = Pair::new();
    let house = house(&pair);
    for closes_socket in [false, true] {
        let mut client = client(&pair, &house);
        client.send(get("/slow"));
        client.stream.conn.send_close_notify();
        client.stream.flush().unwrap();
        if closes_socket {
            client.stream.sock.shutdown(Shutdown::Write).unwrap();
        }
        assert_eq!(client.answer().body, "slow");
        let began = instant();
        assert!(is_ended_in_order(&mut client));
        // Not only when its time is over.
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_request_that_breaks_off_is_no_request() {
    let pair = Pair::new();
    let house = house(&pair);
    for begun in [
        "GET / HT".to_owned(),
        post("/", "Content-Length: 10") + "a=b",
        post("/", "Content-Length: 10\r\nExpect: x-y") + "a=b",
    ] {
        for says_so in [false, true] {
            let mut client = client(&pair, &house);
            client.send(&begun);
            if says_so {
                client.stream.conn.send_close_notify();
                client.stream.flush().unwrap();
            }
            client.stream.sock.shutdown(Shutdown::Write).unwrap();
            let mut said = Vec::new();
            client.stream.read_to_end(&mut said).ok();
            let said = String::from_utf8(said).unwrap();
            // The one that is refused by its head is told so; nobody is answered as if all had come.
            let is_refused = begun.contains("x-y");
            assert_eq!(said.starts_with("HTTP/1.1 417 "), is_refused, "{said}");
            assert_eq!(said.is_empty(), !is_refused, "{said}");
        }
    }
    assert!(house.is_well());
}

#[test]
fn a_record_cut_off_or_changed_on_its_way_ends_its_connection_alone() {
    let pair = Pair::new();
    let house = house(&pair);
    let mut other = client(&pair, &house);
    for change in [0, 1, 3, 5, 9] {
        let Stream { mut conn, mut sock } = pair.connect(house.address);
        conn.writer().write_all(get("/").as_bytes()).unwrap();
        let mut record = Vec::new();
        conn.write_tls(&mut record).unwrap();
        if change == 0 {
            record.truncate(20);
        } else {
            record[change] ^= 0x40;
        }
        sock.write_all(&record).unwrap();
        sock.shutdown(Shutdown::Write).unwrap();
        // What comes are tickets and perhaps an alert.
        while conn.read_tls(&mut sock).is_ok_and(|count| count > 0) {
            if conn.process_new_packets().is_err() {
                break;
            }
        }
        let mut answer = Vec::new();
        conn.reader().read_to_end(&mut answer).ok();
        assert!(answer.is_empty(), "an answer to {change}: {answer:?}");
    }
    other.send(get("/after"));
    assert_eq!(other.answer().body, "Get /after  a ");
    assert!(house.is_well());
}

#[test]
fn garbage_is_shown_out_and_disturbs_nobody() {
    let pair = Pair::new();
    let house = house(&pair);
    let mut other = client(&pair, &house);
    let hello = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x02";
    for garbage in [
        b"\x00".repeat(100_000),
        b"\xff".repeat(100_000),
        b"\x16\x03\x01\x40\x00".repeat(10_000),
        b"\x16\x03\x01\x00\x00".repeat(10_000),
        b"\x14\x03\x03\x00\x01\x01".repeat(10_000),
        b"\x15\x03\x03\x00\x02\x01\x5a".repeat(10_000),
        b"\x17\x03\x03\x00\x01\x00".repeat(10_000),
        // A greeting of SSL 2.
        b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80".to_vec(),
        // One of 16 MiB, said beforehand.
        [
            b"\x16\x03\x01\x40\x00\x01\xff\xff\xff\x03\x03".to_vec(),
            vec![0; 200_000],
        ]
        .concat(),
        [hello.as_slice(), &[0xaa; 4]].concat(),
    ] {
        let mut client = bare(&house);
        client.stream.write_all(&garbage).ok();
        client.stream.shutdown(Shutdown::Write).ok();
        let mut said = Vec::new();
        client.stream.read_to_end(&mut said).ok();
        // At most a short alert.
        assert!(said.len() <= 7, "{said:?}");
        other.send(get("/meanwhile"));
        assert_eq!(other.answer().status, 200);
    }
    assert!(house.is_well());
}

#[test]
fn older_versions_are_refused() {
    let pair = Pair::new();
    let house = house(&pair);
    for version in [b"\x03\x00", b"\x03\x01", b"\x03\x02"] {
        // Its version, a random, no session, one cipher of that time, no compression, one curve.
        let mut body = version.to_vec();
        body.extend([7; 32]);
        body.extend(b"\x00\x00\x02\xc0\x13\x01\x00\x00\x08\x00\x0a\x00\x04\x00\x02\x00\x17");
        let length = u8::try_from(body.len()).unwrap();
        let mut hello = b"\x16\x03\x01\x00".to_vec();
        hello.extend([length + 4, 1, 0, 0, length]);
        hello.extend(body);
        let mut client = bare(&house);
        client.stream.write_all(&hello).unwrap();
        let mut said = Vec::new();
        client.stream.read_to_end(&mut said).ok();
        // A fatal alert, and nothing else.
        assert_eq!(said.first(), Some(&0x15), "{said:?}");
        assert_eq!((said.len(), said[5]), (7, 2), "{said:?}");
    }
}

#[test]
fn a_client_that_speaks_no_http_1_is_refused_by_name() {
    let pair = Pair::new();
    let house = house(&pair);
    let mut config = (*pair.client(rustls::ALL_VERSIONS)).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let refused = refusal(&Arc::new(config.clone()), house.address);
    let expected = rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol);
    assert_eq!(refused, expected);
    for offered in [&[][..], &[b"h2".as_slice(), b"http/1.1"]] {
        config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        let mut client = Client::new(connect(&Arc::new(config.clone()), house.address));
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn http_in_the_clear_is_told_to_use_https_and_promised_nothing() {
    let pair = Pair::new();
    let house = house(&pair);
    let sentence = "This port speaks HTTPS only. Write https:// at the beginning of the address.\n";
    let answer_to = |request: &str| {
        let mut client = bare(&house);
        client.try_send(request);
        let answer = client.answer();
        assert_eq!(answer.body, sentence);
        let kind = answer.header("Content-Type");
        assert_eq!(kind, Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("Strict-Transport-Security"), None);
        assert_eq!(answer.header("Connection"), Some("close"));
        assert!(client.is_closed());
        answer
    };
    for request in [
        "G",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "BREW /pot HTCPCP/1.0\r\n\r\n",
        &form("/", "a=b"),
        &form("/wide", &"x".repeat(300_000)),
    ] {
        let answer = answer_to(request);
        assert_eq!((answer.status, answer.header("Location")), (400, None));
    }
    // A page is found there; a form has been in the open already.
    let answer = answer_to("GET /a?b=c HTTP/1.1\r\nHost: a.example:8443\r\n\r\n");
    assert_eq!(answer.status, 307);
    let location = answer.header("Location");
    assert_eq!(location, Some("https://a.example:8443/a?b=c"));
    let mut client = bare(&house);
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer_to("HEAD");
    assert_eq!(answer.header("Location"), Some("https://a/"));
    assert!(client.is_closed(), "an answer to HEAD has no body");
}

#[test]
fn who_is_slow_to_greet_is_shown_out_and_who_is_slow_afterwards_is_told() {
    let pair = Pair::new();
    let house = house_with(&pair, |settings| {
        settings.limits.head_time = SHORT;
        settings.limits.idle_time = SHORT;
    });
    let mut silent = bare(&house);
    let mut slow = bare(&house);
    let mut kept = client(&pair, &house);
    let mut late = client(&pair, &house);
    late.send("GET / HT");
    let mut hello = begin(&pair.client(rustls::ALL_VERSIONS), house.address);
    let mut greeting = Vec::new();
    hello.conn.write_tls(&mut greeting).unwrap();
    let began = instant();
    // A byte now and then moves no deadline.
    for byte in &greeting {
        if began.elapsed() > SHORT * 2 {
            break;
        }
        slow.stream.write_all(&[*byte]).ok();
        thread::park_timeout(Duration::from_millis(40));
    }
    assert!(began.elapsed() < LONG);
    assert!(silent.is_closed());
    assert!(slow.is_closed());
    assert_eq!(late.answer().status, 408);
    assert!(is_ended_in_order(&mut kept));
    // The one who has greeted half is gone, and whoever greets in time is not.
    let mut client = client(&pair, &house);
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
}

#[test]
fn an_answer_that_nobody_takes_is_given_up_and_does_not_look_whole() {
    let pair = Pair::new();
    let house = house_with(&pair, |settings| {
        settings.workers = 2;
        settings.limits.answer_time = SHORT * 2;
    });
    let mut readers: Vec<_> = (0..8).map(|_| client(&pair, &house)).collect();
    for reader in &mut readers {
        reader.send(get("/long"));
    }
    let mut client = client(&pair, &house);
    for _ in 0..20 {
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
    }
    let mut greedy = Client::new(pair.connect(house.address));
    greedy.send(get("/huge"));
    thread::park_timeout(SHORT * 4);
    let mut taken = 0;
    let end = loop {
        match greedy.more() {
            Ok(0) => break None,
            Ok(count) => taken += count,
            Err(error) => break Some(error.kind()),
        }
    };
    assert!(taken < 20_000_000, "who stood still was served on");
    let is_broken = matches!(
        end,
        Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
    );
    assert!(is_broken, "{end:?}");
    assert!(house.is_well());
}

#[test]
fn two_hundred_idle_connections_are_cheap_and_stay() {
    let pair = Pair::new();
    let house = house_with(&pair, |settings| {
        settings.limits.per_address_max = 300;
        settings.limits.idle_time = Duration::from_secs(60);
    });
    let before = process();
    let mut idle: Vec<_> = (0..200).map(|_| client(&pair, &house)).collect();
    let mut client = client(&pair, &house);
    for _ in 0..20 {
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
    }
    let after = process();
    // No thread for a connection, and memory for both ends of them, theirs and ours, within 100 KiB.
    assert!(after.1 < before.1 + 100, "{before:?} {after:?}");
    assert!(
        after.2 < before.2 + 200 * 100 + 50_000,
        "{before:?} {after:?}"
    );
    for client in &mut idle {
        client.send(get("/still"));
        assert_eq!(client.answer().body, "Get /still  a ");
    }
}

#[test]
fn at_the_limit_of_an_address_who_has_not_greeted_makes_room_first() {
    let pair = Pair::new();
    let house = house_with(&pair, |settings| settings.limits.per_address_max = 3);
    let mut silent: Vec<_> = (0..3).map(|_| bare(&house)).collect();
    let mut clients: Vec<_> = (0..3).map(|_| client(&pair, &house)).collect();
    for silent in &mut silent {
        assert!(silent.is_closed());
    }
    for client in &mut clients {
        client.send(get("/"));
        assert_eq!(client.answer().status, 200);
    }
    let mut fourth = client(&pair, &house);
    fourth.send(get("/"));
    assert_eq!(fourth.answer().status, 200);
    assert!(is_ended_in_order(&mut clients[0]));
}

#[test]
fn a_handshake_can_be_shortened_when_a_client_comes_back() {
    let pair = Pair::new();
    let house = house(&pair);
    for version in [&TLS12, &TLS13] {
        let config = pair.client(&[version]);
        let kinds: Vec<_> = (0..2)
            .map(|_| {
                let mut client = Client::new(connect(&config, house.address));
                client.send(get("/"));
                assert_eq!(client.answer().status, 200);
                client.stream.conn.handshake_kind().unwrap()
            })
            .collect();
        assert_eq!(
            kinds,
            [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed]
        );
    }
}

/// The real executable with this pair.
fn launch(pair: &Pair) -> Launch {
    Launch::serve()
        .arg("--tls-cert")
        .arg(pair.cert())
        .arg("--tls-key")
        .arg(pair.key())
}

fn address(process: &Doorward) -> SocketAddr {
    let (_, address) = process.address().split_once("://").unwrap();
    address.parse().unwrap()
}

/// What the process has written, once it has written this.
fn until_it_says(process: &Doorward, words: &str) -> String {
    let said = wait::until(LONG, || {
        let output = process.output();
        output.contains(words).then_some(output)
    });
    said.unwrap_or_else(|| panic!("not {words:?}:\n{}", process.output()))
}

#[test]
fn the_executable_serves_https_and_people_sign_in_by_it() {
    let pair = Pair::new();
    let process = launch(&pair)
        .arg("--public-url")
        .arg(format!("https://{NAME}"))
        .start();
    let address = address(&process);
    until_it_says(&process, &format!("Listening   https://{address}\n"));
    assert!(setup_link(&process).starts_with(&format!("https://{NAME}/")));
    let trusted = pair.client(rustls::ALL_VERSIONS);
    let through = tunnel(trusted, move || TcpStream::connect(address).unwrap());
    let site = format!("https://{NAME}");
    let owner = found_by(&process, Browser::new(&through).behind(&site, &[]));
    let session = owner.cookie("__Host-session").unwrap();
    assert!(session.attributes.contains("; Secure"), "{session:?}");
    let output = process.output();
    assert!(!output.contains("the certificate"), "{output}");
}

#[test]
fn without_a_public_url_links_go_to_where_it_listens_by_https() {
    let pair = Pair::new();
    let process = launch(&pair).start();
    let expected = format!("https://{}/", address(&process));
    let link = setup_link(&process);
    assert!(link.starts_with(&expected), "{link}");
    let note = process.run(&["setup-link"]);
    let note = String::from_utf8_lossy(&note.stdout).into_owned();
    assert!(note.contains(&expected), "{note}");
}

#[test]
fn a_new_certificate_is_taken_on_hangup_while_old_connections_go_on() {
    let pair = Pair::new();
    let (renewed, stranger) = (Pair::new(), Pair::new());
    let process = launch(&pair)
        .arg("--public-url")
        .arg(format!("https://{NAME}"))
        .start();
    let address = address(&process);
    let page = format!("GET /sign-in HTTP/1.1\r\nHost: {NAME}\r\n\r\n");
    let old_config = pair.client(rustls::ALL_VERSIONS);
    let mut old = Client::new(connect(&old_config, address));
    old.send(&page);
    assert_eq!(old.answer().status, 200);

    renewed.copy_over(&pair);
    process.signal("HUP");
    until_it_says(&process, "the certificate was read anew");
    let new_config = renewed.client(rustls::ALL_VERSIONS);
    let serves_the_renewed = || {
        let mut new = Client::new(connect(&new_config, address));
        let shown = new.stream.conn.peer_certificates().unwrap()[0].clone();
        assert_eq!(&shown, renewed.der());
        new.send(&page);
        assert_eq!(new.answer().status, 200);
    };
    serves_the_renewed();
    old.send(&page);
    assert_eq!(old.answer().status, 200, "the old connection goes on");
    // Not even who was known before gets in by what is over.
    let refused = refusal(&old_config, address);
    assert!(
        matches!(refused, rustls::Error::InvalidCertificate(_)),
        "{refused}"
    );

    std::fs::copy(stranger.key(), pair.key()).unwrap();
    process.signal("HUP");
    let output = until_it_says(&process, "the certificate is wrong; the one before stays");
    assert!(
        output.contains("does not belong to the first certificate in"),
        "{output}"
    );
    serves_the_renewed();

    std::fs::remove_file(pair.cert()).unwrap();
    process.signal("HUP");
    until_it_says(&process, "there is no certificate at");
    serves_the_renewed();
    old.send(&page);
    assert_eq!(old.answer().status, 200);
}

#[test]
fn a_wrong_pair_is_said_before_anything_is_made() {
    let (pair, other) = (Pair::new(), Pair::new());
    std::fs::copy(other.key(), pair.key()).unwrap();
    let launch = Launch::serve();
    let (cert, key) = (pair.cert(), pair.key());
    let ended = launch.run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        cert.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ]);
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(std::fs::read_dir(launch.data()).unwrap().count(), 0);
    let sentence = format!(
        "the key in {} does not belong to the first certificate in {}",
        key.display(),
        cert.display()
    );
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains(&sentence), "{said}");
}

#[test]
fn a_certificate_that_ends_soon_or_is_over_is_said_at_the_start_and_on_hangup() {
    for (days, words) in [
        (20, None),
        (13, Some("the certificate ends soon: renew it, then reload")),
        (
            -1,
            Some("the certificate is over, and browsers refuse it: renew it, then reload"),
        ),
    ] {
        let pair = Pair::ending_in(days);
        let process = launch(&pair).start();
        if let Some(words) = words {
            until_it_says(&process, words);
        }
        process.signal("HUP");
        let output = until_it_says(&process, "the certificate was read anew");
        let count = words.map_or(0, |words| output.matches(words).count());
        // The second stands in the log after the line that was waited for.
        assert!(count <= 2, "{output}");
        assert_eq!(output.contains("renew it"), words.is_some(), "{output}");
        if let Some(words) = words {
            let twice = wait::until(LONG, || {
                (process.output().matches(words).count() == 2).then_some(())
            });
            assert!(twice.is_some(), "{}", process.output());
        }
    }
}
