//! The seed's story with the real executable, over HTTP and SMTP, and how it starts and stops.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use doorward::kit::time::instant;
use sha2::{Digest as _, Sha256};

use crate::client::Client;
use crate::letter::{Letter, path_of};
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::served::{
    self, PASSWORD, activate, expect, found, invite, link_for, setup_link, sign_in, try_password,
};
use crate::wait;

const ANN: &str = "ann@haldenworks.example";
const WRONG: &str = "Email or password is wrong.";

/// Whether a session opens anything.
fn is_signed_in(client: &mut Client) -> bool {
    let page = client.get("/");
    match page.status {
        200 => true,
        303 => {
            assert_eq!(page.location(), "/sign-in");
            false
        }
        other => panic!("{other}:\n{page:#?}"),
    }
}

/// Somebody who copied this person's session cookie.
fn thief(process: &Doorward, from: &Client) -> Client {
    let mut thief = Client::new(process.address());
    thief.plant("session", &from.cookie("session").unwrap().value);
    thief
}

/// The secrets that a browser holds.
fn secrets_of(client: &Client) -> Vec<String> {
    ["session", "device", "visit", "challenge"]
        .into_iter()
        .filter_map(|name| client.cookie(name))
        .map(|cookie| cookie.value.clone())
        .collect()
}

/// Everything a secret may look like: as it is written, and for one of ours as bytes, and in other letters.
fn guises(secret: &str) -> Vec<Vec<u8>> {
    let mut guises = vec![
        secret.as_bytes().to_vec(),
        BASE64.encode(secret.as_bytes()).into_bytes(),
        HEXLOWER.encode(secret.as_bytes()).into_bytes(),
    ];
    if let Ok(bytes) = BASE64URL_NOPAD.decode(secret.as_bytes()) {
        guises.push(BASE64.encode(&bytes).trim_end_matches('=').into());
        guises.push(HEXLOWER.encode(&bytes).into_bytes());
        guises.push(HEXUPPER.encode(&bytes).into_bytes());
        guises.push(bytes);
    }
    guises
}

/// Whether these bytes stand in the database or in the log of it.
fn is_in_the_file(process: &Doorward, needle: &[u8]) -> bool {
    ["doorward.db", "doorward.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(process.data().join(name)).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

/// No secret stands in what the process wrote, nor in its database or the log of that.
#[track_caller]
fn nothing_leaked(process: &Doorward, secrets: &[String]) {
    let mut places = vec![("output".to_owned(), process.output().into_bytes())];
    for name in ["doorward.db", "doorward.db-wal", "doorward.db-shm"] {
        let bytes = std::fs::read(process.data().join(name)).unwrap_or_default();
        places.push((name.to_owned(), bytes));
    }
    assert!(places[0].1.len() > 100 && places[1].1.len() > 10_000);
    for secret in secrets {
        assert!(
            secret.len() >= 8,
            "{secret:?} is too short to be looked for"
        );
        for guise in guises(secret) {
            for (place, bytes) in &places {
                let found = bytes.windows(guise.len()).any(|window| window == guise);
                assert!(!found, "{secret:?} stands in {place}");
            }
        }
    }
}

#[test]
fn the_seeds_story_over_http_and_smtp() {
    let relay = Relay::start(Security::Plain);
    let mut process = served::launch(&relay, "").start();
    let mut secrets = vec![PASSWORD.to_owned()];

    let set_up = setup_link(&process);
    let file = process.data().join("setup-link");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut owner = found(&process);
    assert!(!file.exists(), "the file of the set-up link is still there");
    assert_eq!(owner.get(&path_of(&set_up)).status, 404);
    secrets.push(set_up.rsplit('/').next().unwrap().to_owned());
    let session = owner.cookie("session").unwrap();
    assert_eq!(session.attributes, "; Path=/; HttpOnly; SameSite=Lax");

    invite(&mut owner, ANN);
    let received = relay.wait_for(1);
    assert_eq!(received[0].to, [ANN]);
    assert_eq!(received[0].from, "portal@localhost");
    let letter = Letter::read(&received[0].data);
    assert_eq!(letter.header("to"), format!("<{ANN}>"));
    assert_eq!(
        letter.header("subject"),
        "Activate your account at Halden Works"
    );
    assert!(letter.text.contains("Ingrid Solheim"), "{}", letter.text);
    assert!(letter.html.contains(&letter.link()));
    let link = letter.link();
    assert!(
        link.starts_with(&format!("{}/activate/", process.address())),
        "{link}"
    );
    secrets.push(link.rsplit('/').next().unwrap().to_owned());

    // Mail scanners look, and look again.
    let path = path_of(&link);
    let mut scanner = Client::new(process.address());
    for _ in 0..50 {
        expect(scanner.get(&path), 200);
    }
    nothing_leaked(&process, &secrets);

    let mut ann = Client::new(process.address());
    let done = activate(&mut ann, &path, "Ann Vik");
    assert_eq!(
        expect(done, 303).location(),
        "/sign-in?email=ann%40haldenworks.example"
    );
    assert!(ann.cookie("session").is_none(), "a link signed her in");
    expect(scanner.get(&path), 410);
    sign_in(&mut ann, ANN);
    assert!(is_signed_in(&mut ann));
    expect(ann.get("/iam/accounts"), 403);
    assert!(owner.get("/iam/accounts").text().contains("Ann Vik"));

    // One answer for a wrong password and an address that nobody has.
    let mut stranger = Client::new(process.address());
    let answers = [ANN, "nobody@haldenworks.example"].map(|email| {
        let page = expect(try_password(&mut stranger, email, "Wrong-Horse-7!"), 422);
        assert!(page.text().contains(WRONG));
        page.body.replace(email, "EMAIL")
    });
    assert_eq!(answers[0], answers[1]);
    secrets.push("Wrong-Horse-7!".to_owned());

    // Signed out is signed out, whoever kept the cookie.
    let mut thief = thief(&process, &ann);
    assert!(is_signed_in(&mut thief));
    secrets.extend(secrets_of(&ann));
    ann.get("/");
    expect(ann.post_form("/sign-out", &[]), 303);
    assert!(ann.cookie("session").is_none());
    assert!(!is_signed_in(&mut thief));
    sign_in(&mut ann, ANN);
    // What is looked for would be found: the hash of the cookie is there.
    let cookie = ann.cookie("session").unwrap().value.clone();
    let bytes = BASE64URL_NOPAD.decode(cookie.as_bytes()).unwrap();
    assert!(is_in_the_file(&process, &Sha256::digest(&bytes)));

    // Whatever ends the process: who was in stays in, who was out stays out.
    assert_eq!(process.terminate().code(), Some(0));
    for _ in 0..2 {
        process.restart();
        for client in [&mut owner, &mut ann, &mut thief] {
            client.move_to(process.address());
        }
        assert!(is_signed_in(&mut owner) && is_signed_in(&mut ann) && !is_signed_in(&mut thief));
        for client in [&owner, &ann, &scanner, &stranger] {
            secrets.extend(secrets_of(client));
        }
        nothing_leaked(&process, &secrets);
        process.kill9();
    }
    nothing_leaked(&process, &secrets);
    assert_eq!(relay.messages().len(), 1, "a mail came twice");
}

#[test]
fn while_mail_is_off_the_link_is_copied_from_the_account() {
    let process = Launch::serve().start();
    let mut owner = found(&process);
    owner.get("/iam/accounts/new");
    let fields = [("email", ANN), ("role", "admin")];
    let page = expect(owner.post_form("/iam/accounts", &fields), 303);
    let account = page.location().to_owned();
    let page = owner.get(&account);
    assert!(page.text().contains("mail is off"), "{}", page.text());
    let page = expect(owner.post_form(&format!("{account}/copy-link"), &[]), 200);
    let (_, after) = page.body.split_once("/activate/").unwrap();
    let token: String = after
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect();
    let mut ann = Client::new(process.address());
    let path = format!("/activate/{token}");
    expect(activate(&mut ann, &path, "Ann Vik"), 303);
    sign_in(&mut ann, ANN);
    expect(ann.get("/iam/accounts"), 200);
    nothing_leaked(&process, &[token, PASSWORD.to_owned()]);
}

#[test]
fn a_burst_of_24_connections_is_answered() {
    let process = Launch::serve().start();
    let together = Barrier::new(24);
    thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let mut client = Client::new(process.address());
                together.wait();
                expect(client.get("/sign-in"), 200);
            });
        }
    });
}

#[test]
fn sigterm_under_load_ends_in_good_order_and_keeps_what_it_said() {
    let relay = Relay::start(Security::Plain);
    let mut process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    let session = owner.cookie("session").unwrap().value.clone();
    let address = process.address().to_owned();
    let kept = Mutex::new(Vec::new());
    let is_over = AtomicBool::new(false);
    let (status, took) = thread::scope(|scope| {
        for person in 0..6 {
            let (session, address, kept, is_over) = (&session, &address, &kept, &is_over);
            scope.spawn(move || {
                let mut client = Client::new(address);
                client.plant("session", session);
                for number in 0.. {
                    let email = format!("p{person}.{number}@haldenworks.example");
                    let fields = [("email", email.as_str()), ("role", "member")];
                    let page = client.try_get("/iam/accounts/new");
                    if page.is_none_or(|page| page.status != 200) {
                        break;
                    }
                    match client.try_post_form("/iam/accounts", &fields) {
                        Some(page) if page.status == 303 => kept.lock().unwrap().push(email),
                        Some(page) if page.status == 503 || page.status == 429 => {}
                        Some(page) => panic!("{page:#?}"),
                        None => break,
                    }
                }
                is_over.store(true, Ordering::SeqCst);
            });
        }
        wait::until(Duration::from_secs(20), || {
            (kept.lock().unwrap().len() >= 30).then_some(())
        })
        .unwrap();
        assert!(!is_over.load(Ordering::SeqCst), "the load ended by itself");
        let began = instant();
        (process.terminate(), began.elapsed())
    });
    assert_eq!(status.code(), Some(0), "{}", process.output());
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(process.output().contains("\"stopped\""));

    process.restart();
    owner.move_to(process.address());
    for email in kept.into_inner().unwrap() {
        let page = owner.get(&format!("/iam/accounts?q={}", email.replace('@', "%40")));
        assert!(page.text().contains(&email), "{email} was acknowledged");
    }
}

#[test]
fn a_second_server_on_the_folder_is_refused_and_the_first_goes_on() {
    let process = Launch::serve().start();
    let second = process.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(
        said.contains("another doorward serves this folder (pid "),
        "{said}"
    );
    assert!(!String::from_utf8_lossy(&second.stdout).contains("Listening"));
    expect(Client::new(process.address()).get("/sign-in"), 200);
    found(&process);
}

#[test]
fn what_the_command_line_founds_beside_the_server_is_mailed_by_it() {
    let relay = Relay::start(Security::Plain);
    let process = served::launch(&relay, "").start();
    let made = process.run(&[
        "org",
        "create",
        "--name",
        "Brae Energy",
        "--master-email",
        "bo@brae.example",
    ]);
    assert!(made.status.success(), "{made:?}");
    let printed = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    let received = relay.wait_for(1);
    assert_eq!(link_for(&received, "bo@brae.example"), printed);
    let mut bo = Client::new(process.address());
    expect(activate(&mut bo, &path_of(&printed), "Bo Lie"), 303);
    sign_in(&mut bo, "bo@brae.example");
    expect(bo.get("/iam/accounts"), 200);
    let verified = process.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    assert!(!process.data().join("setup-link").exists());
    // There is no first run any more.
    assert_eq!(bo.get("/setup").status, 404);
}
