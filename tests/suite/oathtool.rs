//! Two-factor with the real executable and an authenticator that others wrote, `oathtool`: set up, used, used again,
//! over a restart and a kill; its secrets stand in no file; and a key that is gone, wrong or open is refused with them
//! in the file. `tests/run` installs `oathtool`; where it is not, the tests that need it say so and do not run.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Write as _, stderr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use doorward::kit::totp::STEP;

use crate::client::Client;
use crate::letter::{Letter, path_of};
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::sealed::{guises_of_code, guises_of_key, holds};
use crate::served::{
    self, OWNER, begin_to_enrol, codes_on, expect, found, invite, now, sign_in, try_code,
    try_password,
};

/// Under tests/run nothing is left out: it asks for the browser tests, and installs this as it installs theirs.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the tests, not a setting"
)]
fn is_needed() -> bool {
    std::env::var("DOORWARD_BROWSER").is_ok_and(|value| value == "1")
}

/// The code that oathtool shows for this key at that step; none where it is not installed.
fn code_at(key: &str, step: i64) -> Option<String> {
    let asked = Command::new("oathtool")
        .args([
            "--totp",
            "--base32",
            "--now",
            &format!("@{}", step * STEP),
            key,
        ])
        .output();
    match asked {
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        }
        Err(error) => {
            assert!(!is_needed(), "oathtool: {error}");
            writeln!(stderr(), "oathtool is not here: {error}").ok();
            None
        }
    }
}

/// Everything that stands in this folder, by its name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            for (inner, bytes) in files(&path) {
                found.insert(format!("{name}/{inner}"), bytes);
            }
        } else if path.is_file() {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// The same without what holds nothing: the lock, in which each process that asks for it writes its number, and the index
/// of the log, which SQLite makes anew whenever it looks.
fn data(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = files(folder);
    for name in ["doorward.lock", "doorward.db-shm"] {
        found.remove(name);
    }
    found
}

/// None of these stands in the data folder, in what the process wrote, or in its arguments and environment.
#[track_caller]
fn stand_nowhere(process: &Doorward, needles: &[Vec<u8>]) {
    let mut places = files(process.data());
    places.insert("output".to_owned(), process.output().into_bytes());
    for entry in fs::read_dir("/proc").unwrap() {
        let path = entry.unwrap().path();
        let command = fs::read(path.join("cmdline")).unwrap_or_default();
        if holds(&command, process.data().to_string_lossy().as_bytes()) {
            places.insert("argv".to_owned(), command);
            places.insert(
                "env".to_owned(),
                fs::read(path.join("environ")).unwrap_or_default(),
            );
        }
    }
    for name in ["doorward.db", "secret.key", "argv", "output"] {
        assert!(places.contains_key(name), "{:?}", places.keys());
    }
    for needle in needles {
        for (place, bytes) in &places {
            let words = String::from_utf8_lossy(needle);
            assert!(!holds(bytes, needle), "{words} stands in {place}");
        }
    }
}

#[test]
fn set_up_with_oathtool_used_once_restarted_and_killed() {
    let relay = Relay::start(Security::Plain);
    let mut process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    let phone = begin_to_enrol(&mut owner);
    let mut needles = guises_of_key(&phone.key);
    // Shown and not yet confirmed: sealed already.
    stand_nowhere(&process, &needles);
    // The step before is good too: so three codes are good at a time, and nobody waits here.
    let step = now() / STEP;
    let Some(first) = code_at(&phone.key, step) else {
        return;
    };
    let wrong = code_at(&phone.key, step - 100).unwrap();
    let confirm = "/account/two-factor/confirm";
    expect(owner.post_form(confirm, &[("code", &wrong)]), 422);
    let page = expect(owner.post_form(confirm, &[("code", &first)]), 200);
    let recovery = codes_on(&page);
    for code in &recovery {
        needles.extend(guises_of_code(code));
    }
    expect(owner.get("/"), 200);

    let again =
        |process: &Doorward, code: &str| try_code(&mut Client::new(process.address()), OWNER, code);
    let refused = |process: &Doorward, code: &str| {
        let page = expect(again(process, code), 422);
        assert!(
            page.header("set-cookie")
                .is_none_or(|cookie| !cookie.starts_with("session=")),
            "{page:#?}"
        );
    };
    refused(&process, &first);
    let second = code_at(&phone.key, step + 1).unwrap();
    let mut signed_in = Client::new(process.address());
    expect(try_code(&mut signed_in, OWNER, &second), 303);
    expect(signed_in.get("/"), 200);
    refused(&process, &second);
    // Older ones are no better than the last.
    refused(&process, &first);
    expect(again(&process, &recovery[0]), 303);
    refused(&process, &recovery[0]);
    // Typed as people type.
    expect(
        again(&process, &recovery[1].to_uppercase().replace('-', " ")),
        303,
    );
    stand_nowhere(&process, &needles);

    for stop in [Doorward::terminate_gently, Doorward::kill9] {
        stop(&mut process);
        process.restart();
        let address = process.address().to_owned();
        signed_in.move_to(&address);
        expect(signed_in.get("/"), 200);
        let mut half = Client::new(&address);
        expect(try_password(&mut half, OWNER, served::PASSWORD), 303);
        assert!(half.cookie("session").is_none());
        expect(half.get("/account"), 303);
        for code in [&first, &second, &recovery[0], &recovery[1]] {
            refused(&process, code);
        }
        let unlocked = process.run(&["account", "unlock", OWNER]);
        assert!(unlocked.status.success(), "{unlocked:?}");
        stand_nowhere(&process, &needles);
    }
    expect(again(&process, &recovery[2]), 303);
    // Another good code comes with the time.
    let next = crate::wait::until(std::time::Duration::from_secs(3 * 30), || {
        let step_now = now() / STEP;
        (step_now > step).then(|| code_at(&phone.key, step_now + 1).unwrap())
    });
    expect(again(&process, &next.unwrap()), 303);
    let verified = process.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    for mail in relay.messages() {
        let letter = Letter::read(&mail.data);
        for needle in &needles {
            let text = format!("{}{}{}", mail.data, letter.text, letter.html);
            assert!(!holds(text.as_bytes(), needle), "{text}");
        }
    }
}

impl Doorward {
    /// Asks it to stop, and is content that it does.
    fn terminate_gently(&mut self) {
        assert_eq!(self.terminate().code(), Some(0));
    }
}

/// A way in which a key can be no good.
struct Fault {
    name: &'static str,
    says: [&'static str; 2],
    put: fn(&Path, &Path),
}

const FAULTS: [Fault; 6] = [
    Fault {
        name: "missing",
        says: [
            "holds doorward.db and no secret.key",
            "put back your copy of secret.key",
        ],
        put: |key, _| fs::remove_file(key).unwrap(),
    },
    Fault {
        name: "empty",
        says: ["is empty", "put back your copy of it"],
        put: |key, _| fs::write(key, "").unwrap(),
    },
    Fault {
        name: "wrong",
        says: [
            "holds a key that does not match its check",
            "put back your copy of it",
        ],
        put: |key, _| {
            let mut text = fs::read_to_string(key).unwrap().trim_end().to_owned();
            let last = text.pop().unwrap();
            text.push(if last == '0' { '1' } else { '0' });
            fs::write(key, text).unwrap();
        },
    },
    Fault {
        name: "open to others",
        says: ["(its rights are 0644)", "chmod 600"],
        put: |key, _| fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap(),
    },
    Fault {
        name: "another install's",
        says: [
            "do not belong together",
            "put back the key that was made with this database",
        ],
        put: |key, other| {
            fs::copy(other, key).unwrap();
        },
    },
    Fault {
        name: "a link",
        says: ["is no plain file", "put the key itself there"],
        put: |key, other| {
            fs::remove_file(key).unwrap();
            std::os::unix::fs::symlink(other, key).unwrap();
        },
    },
];

#[test]
fn without_its_key_the_folder_is_refused_by_all_and_left_as_it_is() {
    let mut process = Launch::serve().start();
    let mut owner = found(&process);
    let phone = served::enrol(&mut owner);
    assert!(process.terminate().success());
    let others = Launch::serve().start();
    let other = others.data().join("secret.key");
    let key = process.data().join("secret.key");
    let kept = fs::read(&key).unwrap();
    let before = data(process.data());
    let commands: [&[&str]; 12] = [
        &["serve", "--listen", "127.0.0.1:0"],
        &["setup-link"],
        &["org", "list"],
        &[
            "org",
            "create",
            "--name",
            "Other",
            "--master-email",
            "o@x.example",
        ],
        &["account", "list"],
        &["account", "show", OWNER],
        &[
            "account",
            "create",
            "--email",
            "a@x.example",
            "--role",
            "member",
        ],
        &["account", "reset-two-factor", OWNER],
        &["account", "sign-in-link", OWNER],
        &["account", "unlock", OWNER],
        &["account", "sign-out", OWNER],
        &["audit", "verify"],
    ];
    for Fault { name, says, put } in FAULTS {
        put(&key, &other);
        let with_fault = data(process.data());
        for command in commands {
            let output = process.run(command);
            let why = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{name} {command:?}: {why}");
            assert!(output.stdout.is_empty(), "{name} {command:?}: {output:?}");
            for words in says {
                assert!(why.contains(words), "{name} {command:?}: {why}");
            }
            // Whoever lost the key is told of the way out; whoever has it only puts it right.
            let is_lost = ["missing", "another install's"].contains(&name);
            assert_eq!(why.contains("--new-key"), is_lost, "{why}");
            let after = data(process.data());
            for (file, bytes) in &with_fault {
                assert!(
                    after.get(file) == Some(bytes),
                    "{name} {command:?} changed {file}"
                );
            }
            let made: Vec<&String> = after
                .keys()
                .filter(|file| !with_fault.contains_key(*file))
                .collect();
            assert!(made.is_empty(), "{name} {command:?} made {made:?}");
        }
        fs::remove_file(&key).ok();
        fs::write(&key, &kept).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert!(data(process.data()) == before, "something is not as it was");
    // With its own key all is as it was: the second factor too.
    process.restart();
    let mut owner = Client::new(process.address());
    expect(try_code(&mut owner, OWNER, &phone.recovery[0]), 303);
    expect(owner.get("/"), 200);
    let verified = process.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    drop(others);
}

#[test]
fn an_invitee_with_a_phone_is_asked_for_its_code_like_everybody() {
    let relay = Relay::start(Security::Plain);
    let process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    let ann = "ann@haldenworks.example";
    invite(&mut owner, ann);
    let link = served::link_for(&relay.wait_for(1), ann);
    let mut person = Client::new(process.address());
    expect(
        served::activate(&mut person, &path_of(&link), "Ann Vik"),
        303,
    );
    sign_in(&mut person, ann);
    let phone = served::enrol(&mut person);
    let mut elsewhere = Client::new(process.address());
    // A code of no phone, of five digits, of another alphabet: each is refused beside its field.
    for code in ["000000", "12345", "１２３４５６", "", "zzzz-zzzz"] {
        let page = expect(try_code(&mut elsewhere, ann, code), 422);
        assert!(
            page.body.contains("class=\"error\"") || page.body.contains("aria-invalid"),
            "{page:#?}"
        );
        assert!(elsewhere.cookie("session").is_none());
    }
    expect(try_code(&mut elsewhere, ann, &phone.code(now())), 303);
    expect(elsewhere.get("/"), 200);
}
