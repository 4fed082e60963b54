//! `doorward healthcheck`, as a container and a script use it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::thread;
use std::time::Duration;

use doorward::kit::time::instant;
use serde_json::Value;

use crate::process::{Doorward, Launch};
use crate::relay::{Papers, Relay, Security};
use crate::served;
use crate::wait;

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8(text).unwrap().trim().to_owned();
    (output.status.code(), text)
}

fn check(doorward: &Doorward) -> (Option<i32>, String) {
    said(&doorward.run(&["healthcheck"]))
}

/// Answers every connection like this, for as long as the test runs.
fn stranger(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 1024];
            let heard = stream.read(&mut bytes);
            assert!(heard.is_ok_and(|count| count > 0));
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    address
}

#[test]
fn a_server_is_found_by_its_folder_wherever_it_listens() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
        if TcpListener::bind(listen).is_err() {
            // A machine without IPv6.
            continue;
        }
        // What another server would be told does not matter to whoever asks this one.
        let mut doorward = Launch::serve_at(listen)
            .arg("--public-url")
            .arg("http://localhost")
            .env("DOORWARD_LISTEN", "127.0.0.1:1")
            .start();
        assert_eq!(check(&doorward), (Some(0), "ready".to_owned()), "{listen}");
        assert_eq!(doorward.terminate().code(), Some(0));
        let (code, words) = check(&doorward);
        assert_eq!(code, Some(1));
        assert!(
            words.starts_with("error: no server answers at http://"),
            "{words}"
        );
        assert!(words.ends_with(": start doorward serve"), "{words}");
    }
}

#[test]
fn a_server_that_speaks_tls_is_asked_so() {
    let papers = Papers::new("healthcheck");
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let doorward = Launch::serve()
        .arg("--tls-cert")
        .arg(put("cert.pem", &papers.certificate))
        .arg("--tls-key")
        .arg(put("key.pem", &papers.key))
        .start();
    assert_eq!(check(&doorward), (Some(0), "ready".to_owned()));
}

#[test]
fn trouble_is_said_and_is_no_failure() {
    let mut relay = Relay::start(Security::Plain);
    let doorward = served::launch(&relay, "").start();
    relay.stop();
    let mut owner = served::found(&doorward);
    served::invite(&mut owner, "tomasz@haldenworks.example");
    let seen = wait::until(Duration::from_secs(20), || {
        let (code, words) = check(&doorward);
        assert_eq!(code, Some(0), "{words}");
        (words == "ready, with trouble: mail").then_some(())
    });
    seen.unwrap();
    let output = doorward.run(&["healthcheck", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["status"], "degraded");
    assert_eq!(json["degraded"][0], "mail");
    assert_eq!(json["address"], doorward.address());
}

#[test]
fn what_is_no_doorward_is_not_taken_for_it() {
    let launch = Launch::serve();
    for (answer, says) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "is not Doorward",
        ),
        (
            "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}",
            "is not Doorward",
        ),
        ("SSH-2.0-OpenSSH\r\n", "does not answer"),
        ("", "does not answer"),
        (
            "HTTP/1.1 503 No\r\nContent-Length: 43\r\n\r\n{\"status\":\"failed\",\"failed\":[\"database\"]}  ",
            "is not ready: database failed",
        ),
    ] {
        let address = stranger(answer);
        let (code, words) = said(&launch.run(&["healthcheck", "--listen", &address]));
        assert_eq!(code, Some(1), "{answer}");
        assert!(words.contains(says), "{answer}: {words}");
    }
}

#[test]
fn a_server_that_is_silent_is_waited_for_five_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let before = instant();
    let launch = Launch::serve();
    let (code, words) = said(&launch.run(&["healthcheck", "--listen", &address]));
    let took = before.elapsed();
    assert_eq!(code, Some(1));
    assert!(words.ends_with("no answer came in time"), "{words}");
    assert!(
        took >= Duration::from_secs(4) && took < Duration::from_secs(9),
        "{took:?}"
    );
}

#[test]
fn waiting_ends_as_soon_as_the_server_is_there_or_the_time_is_over() {
    let mut doorward = Launch::serve().start();
    doorward.terminate();
    let before = instant();
    let (code, _) = said(&doorward.run(&["healthcheck", "--wait", "1s"]));
    assert_eq!(code, Some(1));
    assert!(before.elapsed() >= Duration::from_secs(1));

    let before = instant();
    let waiting = doorward.begin(&["healthcheck", "--wait", "60s"]);
    wait::pause(Duration::from_millis(400));
    doorward.restart();
    assert_eq!(
        said(&waiting.wait_with_output().unwrap()),
        (Some(0), "ready".to_owned())
    );
    assert!(before.elapsed() < Duration::from_secs(50));
}

#[test]
fn it_needs_nothing_but_itself() {
    let doorward = Launch::serve().start();
    let executable = Path::new(env!("CARGO_BIN_EXE_doorward"));
    // As a container's health check is run: without a shell, a path or a home.
    let output = std::process::Command::new(executable)
        .env_clear()
        .current_dir("/")
        .args(["healthcheck", "--data"])
        .arg(doorward.data())
        .output();
    assert_eq!(said(&output.unwrap()), (Some(0), "ready".to_owned()));
    let usage = doorward.run(&["healthcheck", "--wait", "soon"]);
    assert_eq!(usage.status.code(), Some(2));
}
