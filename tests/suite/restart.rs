//! The server is killed, and starts again: what people gave, took and switched off is as they were told, whoever was
//! signed in still is, and links and mail that were under way arrive.

use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::client::Client;
use crate::letter::{Letter, path_of};
use crate::process::Doorward;
use crate::relay::{Relay, Security};
use crate::served::{
    self, ORGANISATION, OWNER, PASSWORD, activate, expect, found_by, sign_in, try_password,
};
use crate::wait;

const OTHER: &str = "Louder-Harbour-10";
const PATIENCE: Duration = Duration::from_secs(30);

struct Town {
    relay: Relay,
    process: Doorward,
    owner: Client,
}

/// Somebody with an account, and the browser in which they are signed in.
struct Person {
    email: String,
    page: String,
    client: Client,
}

fn browser(process: &Doorward) -> Client {
    Client::new(process.address()).behind("http://localhost", &[])
}

impl Town {
    fn new() -> Self {
        let relay = Relay::start(Security::Plain);
        let process = served::launch(&relay, "")
            .arg("--public-url")
            .arg("http://localhost")
            .start();
        let owner = found_by(&process, browser(&process));
        Self {
            relay,
            process,
            owner,
        }
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> String {
        let output = self.process.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[track_caller]
    fn person(&self, name: &str, role: &str) -> Person {
        let email = format!("{name}@haldenworks.example");
        let link = self.run(&["account", "create", "--email", &email, "--role", role]);
        let mut client = browser(&self.process);
        expect(
            activate(&mut client, &path_of(&link), &format!("{name} Vik")),
            303,
        );
        sign_in(&mut client, &email);
        let shown = self.run(&["account", "show", &email, "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let page = format!("/iam/accounts/{}", shown["id"].as_str().unwrap());
        Person {
            email,
            page,
            client,
        }
    }

    /// The owner fills in the page of this deed.
    #[track_caller]
    fn does(
        &mut self,
        deed: &str,
        person: &Person,
        fields: &[(&str, &str)],
    ) -> crate::client::Page {
        let page = format!("{}/{deed}", person.page);
        expect(self.owner.get(&page), 200);
        self.owner.post_form(&page, fields)
    }

    /// Pulls the plug, and starts again on what is left.
    fn restart(&mut self, people: &mut [&mut Person]) {
        self.process.kill9();
        self.process.restart();
        let address = self.process.address().to_owned();
        self.owner.move_to(&address);
        for person in people {
            person.client.move_to(&address);
        }
        self.run(&["audit", "verify"]);
    }

    /// The subjects and Message-IDs of all mail to this address.
    fn mails(&self, to: &str) -> Vec<(String, String)> {
        let mails = self.relay.messages().into_iter();
        mails
            .filter(|mail| mail.to == [to])
            .map(|mail| {
                let letter = Letter::read(&mail.data);
                let header = |name: &str| letter.header(name).to_owned();
                (header("subject"), header("message-id"))
            })
            .collect()
    }

    /// Waits until nothing is owed any more.
    #[track_caller]
    fn until_sent(&self) {
        let file = self.process.data().join("doorward.db");
        let is_sent = || {
            let file =
                Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            let owed = "SELECT count(*) FROM errands WHERE state IN ('waiting', 'sending')";
            let owed: i64 = file.query_row(owed, [], |row| row.get(0)).unwrap();
            (owed == 0).then_some(())
        };
        wait::until(PATIENCE, is_sent).expect("mail is still owed");
    }
}

impl Person {
    #[track_caller]
    fn is_in(&mut self) {
        expect(self.client.get("/"), 200);
    }

    #[track_caller]
    fn is_out(&mut self) {
        let page = expect(self.client.get("/account"), 303);
        assert_eq!(
            page.location(),
            "/sign-in?next=%2Faccount",
            "{}",
            self.email
        );
    }

    /// The status of a sign-in from a browser of their own.
    fn signs_in(&self, process: &Doorward, password: &str) -> (u16, Client) {
        let mut client = browser(process);
        let page = try_password(&mut client, &self.email, password);
        (page.status, client)
    }
}

#[test]
fn all_that_was_given_and_taken_is_so_after_a_kill() {
    let mut town = Town::new();
    let names = ["ann", "bea", "carl", "dora", "eve", "finn", "gus"];
    let mut people = names.map(|name| {
        let role = if name == "ann" { "admin" } else { "member" };
        town.person(name, role)
    });
    let mut hedda = town.person("hedda", "master");
    town.until_sent();
    let [ann, bea, carl, dora, eve, finn, gus] = &mut people;
    let pending = [
        "account",
        "create",
        "--email",
        "iris@haldenworks.example",
        "--role",
        "admin",
    ];

    // From here on no mail leaves: whatever is owed is owed when the plug is pulled.
    town.relay.stop();
    let iris = path_of(&town.run(&pending));
    expect(town.does("role", ann, &[("role", "member")]), 303);
    expect(town.does("role", eve, &[("role", "admin")]), 303);
    expect(town.does("sign-out", carl, &[]), 303);
    expect(
        town.does("delete", dora, &[("email", &dora.email.clone())]),
        303,
    );
    let shown = expect(
        town.does("reset-password", gus, &[("handover", "copy")]),
        200,
    );
    let link = shown
        .body
        .split("http://localhost/reset-password/")
        .nth(1)
        .unwrap();
    let token: String = link
        .chars()
        .take_while(|one| one.is_ascii_alphanumeric() || "-_".contains(*one))
        .collect();
    let reset = format!("/reset-password/{token}");
    town.run(&["account", "disable", &bea.email]);
    expect(finn.client.get("/account"), 200);
    let moved = "finn.vik@haldenworks.example";
    let asked = [("email", moved), ("current_password", PASSWORD)];
    expect(finn.client.post_form("/account/email", &asked), 303);
    expect(town.owner.get("/settings"), 200);
    let heir = hedda.page.rsplit('/').next().unwrap();
    let offer = [("to", heir), ("current_password", PASSWORD)];
    expect(
        town.owner.post_form("/settings/ownership/offer", &offer),
        303,
    );

    town.restart(&mut [ann, bea, carl, dora, eve, finn, gus, &mut hedda]);
    // What ended stays ended, what lives lives.
    expect(town.owner.get("/"), 200);
    for person in [&mut *ann, &mut *bea, &mut *carl, &mut *dora, &mut *gus] {
        person.is_out();
    }
    for person in [&mut *eve, &mut *finn, &mut hedda] {
        person.is_in();
    }
    for (person, status) in [
        (&*ann, 303),
        (bea, 422),
        (carl, 303),
        (dora, 422),
        (gus, 422),
    ] {
        assert_eq!(
            person.signs_in(&town.process, PASSWORD).0,
            status,
            "{}",
            person.email
        );
    }
    expect(
        ann.signs_in(&town.process, PASSWORD).1.get("/iam/accounts"),
        403,
    );
    // A gain still waits for the next sign-in.
    expect(eve.client.get("/iam/accounts"), 403);
    expect(
        eve.signs_in(&town.process, PASSWORD).1.get("/iam/accounts"),
        200,
    );
    let listed = town.run(&["account", "list"]);
    let line = |name: &str| listed.lines().find(|line| line.contains(name));
    assert!(line("bea@").unwrap().contains("Disabled"), "{listed}");
    assert!(line("dora@").is_none(), "{listed}");
    let set = [("password", OTHER), ("password_confirmation", OTHER)];
    expect(gus.client.get(&reset), 200);
    expect(gus.client.post_form(&reset, &set), 303);
    assert_eq!(gus.signs_in(&town.process, OTHER).0, 303);

    // The mail that was owed goes out, once or again under its Message-ID.
    town.relay.start_again();
    town.restart(&mut [ann, bea, carl, dora, eve, finn, gus, &mut hedda]);
    town.until_sent();
    for (to, subject) in [
        (&*ann.email, "You are now Member at Halden Works".to_owned()),
        (&eve.email, "You are now Admin at Halden Works".to_owned()),
        (
            &hedda.email,
            format!("Ingrid Solheim offers you the ownership of {ORGANISATION}"),
        ),
        (moved, "Confirm your new email at Halden Works".to_owned()),
        (
            "iris@haldenworks.example",
            "Activate your account at Halden Works".to_owned(),
        ),
    ] {
        let all = town.mails(to);
        let mut ids: Vec<&str> = all
            .iter()
            .filter(|mail| mail.0 == subject)
            .map(|mail| &*mail.1)
            .collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{to}: {all:?}");
    }
    assert!(
        town.mails(&dora.email)
            .iter()
            .all(|mail| !mail.0.contains("You are now"))
    );

    // Links and offers of before the kill are good after it.
    let confirm = town.relay.newest(|mail| mail.to == [moved]).unwrap();
    let confirm = path_of(&Letter::read(&confirm.data).link());
    expect(finn.client.get(&confirm), 200);
    expect(finn.client.post_form(&confirm, &[]), 303);
    expect(hedda.client.get("/settings"), 200);
    let accept = [("current_password", PASSWORD)];
    expect(
        hedda
            .client
            .post_form("/settings/ownership/accept", &accept),
        303,
    );
    town.run(&["account", "enable", &bea.email]);
    expect(
        activate(&mut browser(&town.process), &iris, "Iris Moe"),
        303,
    );

    town.restart(&mut [ann, bea, carl, dora, eve, finn, gus, &mut hedda]);
    finn.is_in();
    assert_eq!(finn.signs_in(&town.process, PASSWORD).0, 422);
    moved.clone_into(&mut finn.email);
    assert_eq!(finn.signs_in(&town.process, PASSWORD).0, 303);
    bea.is_out();
    assert_eq!(bea.signs_in(&town.process, PASSWORD).0, 303);
    hedda.is_in();
    assert!(
        expect(hedda.client.get("/settings"), 200)
            .text()
            .contains(&format!("You own {ORGANISATION}"))
    );
    let organisations = town.run(&["org", "list"]);
    assert!(
        organisations.contains(&hedda.email) && !organisations.contains(OWNER),
        "{organisations}"
    );
    // Who owned it is a Master like any other now.
    town.run(&["account", "set-role", OWNER, "member"]);
    assert_eq!(town.owner.get("/").status, 303);
    expect(browser(&town.process).get(&iris), 410);
}

#[test]
fn an_organisation_that_was_switched_off_is_off_after_a_kill() {
    let mut town = Town::new();
    let mut ann = town.person("ann", "admin");
    town.until_sent();
    town.run(&["org", "disable", "--yes"]);
    town.restart(&mut [&mut ann]);
    assert_eq!(town.owner.get("/").status, 303);
    ann.is_out();
    assert_eq!(ann.signs_in(&town.process, PASSWORD).0, 422);
    town.run(&["org", "enable"]);
    town.restart(&mut [&mut ann]);
    ann.is_out();
    assert_eq!(ann.signs_in(&town.process, PASSWORD).0, 303);
}
