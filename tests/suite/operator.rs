//! What the operator does to people and organisations beside a live server, with the real executable: each command with
//! what it prints, what it leaves in the log, what somebody who is signed in notices at the next request, and the mail.

use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::client::Client;
use crate::letter::{Letter, path_of};
use crate::process::Doorward;
use crate::relay::{Received, Relay, Security};
use crate::served::{self, ORGANISATION, OWNER, activate, expect, found, sign_in, try_password};
use crate::wait;

const ANN: &str = "ann@haldenworks.example";
const BEA: &str = "bea@haldenworks.example";
const MARA: &str = "mara@lakeside.example";
const LAKESIDE: &str = "Lakeside";
/// How long a server with mail may take to send what a command owes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A portal with an organisation, its owner signed in, and a relay.
struct Office {
    relay: Relay,
    process: Doorward,
    owner: Client,
}

impl Office {
    fn open() -> Self {
        let relay = Relay::start(Security::Plain);
        let process = served::launch(&relay, "").start();
        let owner = found(&process);
        Self {
            relay,
            process,
            owner,
        }
    }

    /// What a command says when it does what it is asked.
    #[track_caller]
    fn done(&self, args: &[&str]) -> String {
        let output = self.process.run(args);
        let (out, err) = said(&output);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {out}{err}");
        out.trim().to_owned()
    }

    /// Why a command does not, with this exit code; it prints nothing else.
    #[track_caller]
    fn not_done(&self, args: &[&str], code: i32) -> String {
        let output = self.process.run(args);
        let (out, err) = said(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {out}{err}");
        assert_eq!(out, "", "{args:?}");
        err
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.done(args)).unwrap()
    }

    /// Somebody with an Active account that the operator made, signed in.
    #[track_caller]
    fn person(&self, email: &str, role: &str, org: &str) -> Client {
        let made = ["account", "create", "--email", email, "--role", role];
        let link = self.done(&[&made[..], &["--org", org]].concat());
        let mut person = Client::new(self.process.address());
        expect(activate(&mut person, &path_of(&link), "Pia Person"), 303);
        sign_in(&mut person, email);
        person
    }

    /// Another organisation, its owner signed in.
    #[track_caller]
    fn lakeside(&self) -> Client {
        let create = ["org", "create", "--name", LAKESIDE, "--master-email", MARA];
        let link = self.done(&create);
        let mut mara = Client::new(self.process.address());
        expect(activate(&mut mara, &path_of(&link), "Mara Lind"), 303);
        sign_in(&mut mara, MARA);
        mara
    }

    /// The newest mail to this address with these words, as soon as it has come.
    #[track_caller]
    fn mail(&self, to: &str, words: &str) -> Received {
        let came = || {
            self.relay
                .newest(|mail| mail.to == [to] && Letter::read(&mail.data).text.contains(words))
        };
        wait::until(PATIENCE, came).unwrap_or_else(|| {
            panic!(
                "nothing came for {to} with {words:?}:\n{}",
                self.process.output()
            )
        })
    }

    fn file(&self) -> Connection {
        let file = self.process.data().join("doorward.db");
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    /// What this query gives, one word for each row.
    fn ask(&self, sql: &str) -> Vec<String> {
        let file = self.file();
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// What the operator did, oldest first, in all organisations.
    fn operators(&self) -> Vec<String> {
        self.ask(
            "SELECT action FROM audit_events WHERE actor = 'operator' AND chain_id <> 0 ORDER BY chain_id, number",
        )
    }
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// At the next request nobody is signed in any more.
#[track_caller]
fn is_out(client: &mut Client) {
    assert_eq!(
        expect(client.get("/account"), 303).location(),
        "/sign-in?next=%2Faccount"
    );
}

#[track_caller]
fn is_in(client: &mut Client) {
    expect(client.get("/"), 200);
}

#[test]
fn an_account_is_created_promoted_demoted_switched_and_deleted_beside_the_server() {
    let office = Office::open();
    let create = ["account", "create", "--email", ANN, "--role", "member"];
    let output = office.process.run(&create);
    let (link, remark) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{remark}");
    assert_eq!(link.lines().count(), 1, "{link}");
    let words = format!("{ORGANISATION}: {ANN} activates the account as Member with this link");
    assert!(remark.contains(&words), "{remark}");
    // The mail carries the same link, and says who invites.
    let mail = office.mail(ANN, "Activate your account");
    assert_eq!(Letter::read(&mail.data).link(), link.trim());
    assert!(Letter::read(&mail.data).text.contains("The operator of "));
    let mut ann = Client::new(office.process.address());
    expect(activate(&mut ann, &path_of(link.trim()), "Ann Vik"), 303);
    sign_in(&mut ann, ANN);
    let shown = office.json(&["account", "show", ANN, "--json"]);
    assert_eq!(shown["sessions"], 1);
    let id = shown["id"].as_str().unwrap();

    // A gain waits for the next sign-in; a loss does not wait.
    let said = office.done(&["account", "set-role", ANN, "ADMIN"]);
    assert_eq!(
        said,
        "The permission of Ann Vik is now Admin, from their next sign-in on."
    );
    is_in(&mut ann);
    expect(ann.get("/iam/accounts"), 403);
    ann = Client::new(office.process.address());
    sign_in(&mut ann, ANN);
    expect(ann.get("/iam/accounts"), 200);
    let said = office.done(&["account", "set-role", id, "billing"]);
    assert_eq!(
        said,
        "The permission of Ann Vik is now Billing; their sessions have ended."
    );
    is_out(&mut ann);
    sign_in(&mut ann, ANN);
    expect(ann.get("/iam/accounts"), 403);

    let said = office.done(&["account", "sign-out", ANN]);
    assert_eq!(said, "Ann Vik is signed out everywhere.");
    is_out(&mut ann);
    sign_in(&mut ann, ANN);

    let said = office.done(&["account", "disable", ANN]);
    assert_eq!(said, "Ann Vik is disabled; their sessions have ended.");
    is_out(&mut ann);
    assert_eq!(try_password(&mut ann, ANN, served::PASSWORD).status, 422);
    let listed = office.done(&["account", "list"]);
    assert!(
        listed
            .lines()
            .any(|line| line.contains(ANN) && line.contains("Disabled")),
        "{listed}"
    );

    let said = office.done(&["account", "enable", ANN]);
    assert_eq!(said, "Ann Vik is enabled, and may sign in again.");
    is_out(&mut ann);
    sign_in(&mut ann, ANN);

    let said = office.done(&["account", "delete", ANN, "--yes"]);
    assert_eq!(said, format!("{ANN} is deleted."));
    is_out(&mut ann);
    assert_eq!(try_password(&mut ann, ANN, served::PASSWORD).status, 422);
    office.not_done(&["account", "show", ANN], 3);
    office.not_done(&["account", "enable", id], 3);
    // The address is free again.
    let again = office.json(&[&create[..], &["--json"]].concat());
    assert_eq!(again["account"]["email"], ANN);
    assert_eq!(again["account"]["permission"], "member");
    assert_eq!(again["organisation"]["name"], ORGANISATION);
    let link = again["activation_link"].as_str().unwrap();
    expect(ann.get(&path_of(link)), 200);

    assert_eq!(
        office.operators(),
        [
            "account.created",
            "role.changed",
            "role.changed",
            "sessions.ended",
            "account.disabled",
            "account.enabled",
            "account.deleted",
            "account.created",
        ]
    );
    office.done(&["audit", "verify"]);
}

#[test]
fn what_the_guards_refuse_is_refused_to_the_operator_as_well() {
    let mut office = Office::open();
    let owns = "This account owns the organisation. Nobody can disable, delete or demote it";
    for args in [
        &["account", "disable", OWNER][..],
        &["account", "delete", OWNER, "--yes"],
        // Before anybody is asked whether they are sure.
        &["account", "delete", OWNER],
        &["account", "set-role", OWNER, "admin"],
        &["account", "enable", OWNER],
    ] {
        let why = office.not_done(args, 1);
        assert!(
            why.contains(owns) || why.contains("not disabled"),
            "{args:?}: {why}"
        );
    }
    is_in(&mut office.owner);
    let owner = office.json(&["account", "show", OWNER, "--json"]);
    assert_eq!(
        (&owner["status"], &owner["permission"]),
        (&"active".into(), &"master".into())
    );
    // Their sessions are the operator's to end.
    office.done(&["account", "sign-out", OWNER]);
    is_out(&mut office.owner);

    let create = ["account", "create", "--email", ANN, "--role", "member"];
    office.done(&create);
    office.person(BEA, "billing", ORGANISATION);
    for (args, says) in [
        (&["account", "disable", ANN][..], "Delete it instead."),
        (&["account", "enable", ANN], "This account is Pending"),
        (
            &["account", "sign-out", ANN],
            "Nobody is signed in with this account",
        ),
        (&["account", "enable", BEA], "This account is not disabled."),
        (
            &["account", "resend", BEA],
            "This account is activated already",
        ),
        (
            &["account", "set-role", BEA, "billing"],
            "has the permission Billing already",
        ),
        (&create, "already belongs to an account"),
        (&["org", "delete", "--yes"], "doorward org disable"),
        (&["org", "invite-owner"], "under Settings"),
    ] {
        let why = office.not_done(args, 1);
        assert!(why.contains(says), "{args:?}: {why}");
    }
    for (args, says) in [
        (&["account", "delete", BEA][..], "--yes"),
        (&["org", "disable"], "--yes"),
        (
            &["account", "set-role", BEA, "owner"],
            "possible values: member, billing, admin, master",
        ),
        (&["account", "set-role", BEA], "<ROLE>"),
        (&["account", "create", "--email", "x@y.example"], "--role"),
        (
            &["account", "create", "--email", "nobody", "--role", "member"],
            "has an @ in it",
        ),
        (&["org", "rename"], "--name"),
    ] {
        let why = office.not_done(args, 2);
        assert!(why.contains(says), "{args:?}: {why}");
    }
    for deed in ["disable", "enable", "delete", "resend", "sign-out"] {
        let why = office.not_done(&["account", deed, "nobody@x.example"], 3);
        assert!(why.contains("nobody@x.example"), "{deed}: {why}");
    }
    office.not_done(&["account", "set-role", "acc_aaaaaaaaaaaaa", "admin"], 3);
    for deed in ["disable", "enable"] {
        office.not_done(&["org", deed, "--org", "Nowhere"], 3);
    }

    let refused = office.ask(
        "SELECT action || ' ' || coalesce(json_extract(details, '$.command'), json_extract(details, '$.why'))
           FROM audit_events WHERE actor = 'operator' AND action IN ('denied', 'invitation.refused') ORDER BY chain_id, number",
    );
    assert_eq!(
        refused,
        [
            "denied account disable",
            "denied account delete",
            "denied account delete",
            "denied account set-role",
            "denied account enable",
            "denied account disable",
            "denied account enable",
            "denied account sign-out",
            "denied account enable",
            "denied account resend",
            "invitation.refused taken",
        ]
    );
}

#[test]
fn the_operator_sends_links_without_caps_and_without_a_minutes_wait() {
    let office = Office::open();
    let mut links = vec![office.done(&["account", "create", "--email", ANN, "--role", "admin"])];
    // Five invitations a day to one address, and one a minute, are for people.
    for _ in 0..6 {
        links.push(office.done(&["account", "resend", ANN]));
    }
    let newest = links.pop().unwrap();
    let mut ann = Client::new(office.process.address());
    for link in &links {
        assert!(
            expect(ann.get(&path_of(link)), 410)
                .text()
                .contains("newer"),
            "{link}"
        );
    }
    expect(ann.get(&path_of(&newest)), 200);
    let arrived = || {
        let mail = office.relay.newest(|mail| mail.to == [ANN])?;
        (Letter::read(&mail.data).link() == newest).then_some(())
    };
    wait::until(PATIENCE, arrived).expect("the newest link was not mailed");
    let shown = office.json(&["account", "resend", ANN, "--json"]);
    assert_eq!(shown["account"]["email"], ANN);
    let link = shown["activation_link"].as_str().unwrap();
    expect(activate(&mut ann, &path_of(link), "Ann Vik"), 303);
    let resent = office.ask("SELECT actor FROM audit_events WHERE action = 'invitation.resent'");
    assert_eq!(resent, ["operator"; 7]);
}

#[test]
fn where_there_are_several_organisations_the_operator_says_which() {
    let office = Office::open();
    let mut mara = office.lakeside();
    let create = ["account", "create", "--email", ANN, "--role", "member"];
    for args in [
        &create[..],
        &["account", "list"],
        &["org", "rename", "--name", "Seaside"],
        &["org", "disable", "--yes"],
        &["org", "enable"],
    ] {
        let why = office.not_done(args, 2);
        assert!(why.contains("Say which, with --org."), "{args:?}: {why}");
    }
    office.done(&[&create[..], &["--org", "lakeside"]].concat());
    let there = office.json(&["account", "list", "--org", LAKESIDE, "--json"]);
    let emails: Vec<&str> = there
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["email"].as_str().unwrap())
        .collect();
    assert_eq!(emails.len(), 2);
    assert!(
        emails.contains(&ANN) && emails.contains(&MARA),
        "{emails:?}"
    );
    let here = office.json(&["account", "list", "--org", ORGANISATION, "--json"]);
    assert_eq!(here.as_array().unwrap().len(), 1);
    assert!(mara.get("/iam/accounts").text().contains(ANN));
    // An account is found wherever it is.
    office.done(&["account", "set-role", ANN, "billing"]);
    assert_eq!(
        office.json(&["account", "show", ANN, "--json"])["organisation"],
        LAKESIDE
    );
    let in_lakeside = office.ask(
        "SELECT action FROM audit_events WHERE actor = 'operator' AND chain_id =
           (SELECT id FROM organisations WHERE name = 'Lakeside') ORDER BY number",
    );
    assert_eq!(
        in_lakeside,
        ["organisation.created", "account.created", "role.changed"]
    );
}

#[test]
fn an_organisation_is_renamed_on_a_live_server() {
    let mut office = Office::open();
    let mut mara = office.lakeside();
    let rename = |name| {
        office
            .process
            .run(&["org", "rename", "--org", LAKESIDE, "--name", name])
    };
    for taken in [ORGANISATION, "HALDEN works"] {
        let output = rename(taken);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said(&output)
                .1
                .contains("There is an organisation of this name already.")
        );
    }
    let same = rename(LAKESIDE);
    assert_eq!(
        said(&same),
        ("Lakeside is its name already.\n".to_owned(), String::new())
    );
    let wrong = rename("www.lakeside.example");
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    // Another case of its own letters is no other organisation's name.
    assert_eq!(said(&rename("LAKESIDE")).0, "Lakeside is now LAKESIDE.\n");
    assert_eq!(said(&rename("Seaside")).0, "LAKESIDE is now Seaside.\n");
    assert!(expect(mara.get("/"), 200).text().contains("Seaside"));
    assert!(office.owner.get("/").text().contains(ORGANISATION));
    office.not_done(&["account", "list", "--org", LAKESIDE], 3);
    office.done(&[
        "account", "create", "--org", "Seaside", "--email", BEA, "--role", "member",
    ]);
    office.mail(BEA, "invited you to the Seaside portal");
    let renamed = "SELECT actor FROM audit_events WHERE action = 'organisation.renamed'";
    assert_eq!(office.ask(renamed), ["operator", "operator"]);
    office.done(&["audit", "verify"]);
}

#[test]
fn a_lost_phone_is_made_good_beside_the_server_the_owners_too() {
    let mut office = Office::open();
    let mut ann = office.person(ANN, "member", ORGANISATION);
    let phone = served::enrol(&mut ann);
    let shown = office.json(&["account", "show", ANN, "--json"]);
    assert_eq!(
        (&shown["two_factor"], &shown["recovery_codes_left"]),
        (&true.into(), &10.into())
    );
    let since = shown["two_factor_since"].as_str().unwrap();
    let (day, time) = since.split_once('T').unwrap();
    let moment = format!("{day} {}", time.split_at(5).0);
    let text = office.done(&["account", "show", ANN]);
    let says = format!("on since {moment} UTC, 10 of 10 recovery codes left");
    assert!(text.contains(&says), "{text}");
    let listed = office.done(&["account", "list"]);
    let line = |listed: &str, email: &str| {
        let line = listed.lines().find(|line| line.contains(email));
        line.unwrap().to_owned()
    };
    assert!(listed.contains("TWO-FACTOR SINCE (UTC)"), "{listed}");
    assert!(line(&listed, ANN).contains(&moment), "{listed}");
    assert!(line(&listed, OWNER).contains("  off  "), "{listed}");
    let listed = office.json(&["account", "list", "--json"]);
    let of = |email: &str| {
        let all = listed.as_array().unwrap();
        all.iter()
            .find(|one| one["email"] == email)
            .unwrap()
            .clone()
    };
    assert_eq!(of(ANN)["two_factor_since"], since);
    assert_eq!(of(OWNER)["two_factor"], false);
    assert!(of(OWNER)["two_factor_since"].is_null());

    // Whoever guesses codes must wait, until the operator lets them begin anew.
    let mut guesser = Client::new(office.process.address());
    for _ in 0..10 {
        let page = served::try_code(&mut guesser, ANN, "aaaa-aaaa");
        expect(page, 422);
    }
    let page = served::try_code(&mut guesser, ANN, &phone.recovery[0]);
    expect(page, 429);
    let said = office.done(&["account", "unlock", ANN]);
    assert_eq!(
        said,
        "Ann Vik may try to sign in again: wrong passwords and codes are forgotten."
            .replace("Ann Vik", "Pia Person")
    );
    let is_let_in = || {
        let page = guesser.post_form("/sign-in/code", &[("code", &phone.recovery[0])]);
        (page.status == 303).then_some(())
    };
    wait::until(PATIENCE, is_let_in).expect("the codes still wait");
    is_in(&mut guesser);
    assert_eq!(
        office.json(&["account", "show", ANN, "--json"])["recovery_codes_left"],
        9
    );

    // Somebody half-way in, and somebody in: both are out at the next request.
    let mut half = Client::new(office.process.address());
    expect(try_password(&mut half, ANN, served::PASSWORD), 303);
    expect(half.get("/sign-in/code"), 200);
    let said = office.done(&["account", "reset-two-factor", ANN]);
    let grace = office.ask("SELECT date(strftime('%s', 'now') + 7 * 86400, 'unixepoch')");
    for words in [
        "The second factor of Pia Person is void, with its recovery codes; their sessions have ended.",
        "They sign in with their password alone, then set up another on their Account page",
        &format!("requires it, from {}", grace[0]),
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    is_out(&mut ann);
    is_out(&mut guesser);
    assert_eq!(
        expect(half.get("/sign-in/code"), 303).location(),
        "/sign-in"
    );
    sign_in(&mut ann, ANN);
    is_in(&mut ann);
    let shown = office.json(&["account", "show", ANN, "--json"]);
    assert_eq!(shown["two_factor"], false);
    assert!(shown["two_factor_since"].is_null() && shown["recovery_codes_left"].is_null());
    assert!(
        office
            .done(&["account", "show", ANN])
            .contains("Two-factor    off")
    );

    // Nobody in the organisation does it for the owner; the operator does, by the id too.
    served::enrol(&mut office.owner);
    let owner = office.json(&["account", "show", OWNER, "--json"]);
    office.done(&["account", "reset-two-factor", owner["id"].as_str().unwrap()]);
    is_out(&mut office.owner);
    sign_in(&mut office.owner, OWNER);

    let pending = "carl@haldenworks.example";
    office.done(&["account", "create", "--email", pending, "--role", "member"]);
    for (email, says) in [
        (
            OWNER,
            "This account has no second factor: there is nothing to reset.",
        ),
        (pending, "This account is Pending"),
    ] {
        let why = office.not_done(&["account", "reset-two-factor", email], 1);
        assert!(why.contains(says), "{why}");
    }
    office.not_done(&["account", "reset-two-factor", "nobody@x.example"], 3);
    office.not_done(&["account", "reset-two-factor"], 2);
    let told = office.ask(
        "SELECT kind || ' ' || recipient FROM errands WHERE kind = 'two_factor_reset' ORDER BY created_at, id",
    );
    assert_eq!(told.len(), 2, "{told:?}");
    let did = office.ask(
        "SELECT action || ' ' || coalesce(json_extract(details, '$.command'), '') FROM audit_events
          WHERE actor = 'operator' AND action IN ('two_factor.reset', 'denied') ORDER BY number",
    );
    assert_eq!(
        did,
        [
            "two_factor.reset ",
            "two_factor.reset ",
            "denied account reset-two-factor",
            "denied account reset-two-factor",
        ]
    );
    office.done(&["audit", "verify"]);
}

#[test]
fn a_sign_in_link_lets_somebody_in_once_and_asks_for_the_code_all_the_same() {
    let office = Office::open();
    let mut ann = office.person(ANN, "member", ORGANISATION);
    let output = office.process.run(&["account", "sign-in-link", ANN]);
    let (link, remark) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{remark}");
    assert_eq!(link.lines().count(), 1, "{link}");
    let begins = format!("{}/sign-in/link/", office.process.address());
    assert!(link.starts_with(&begins), "{link}");
    for words in [
        "Pia Person signs in with this link once, within 15 minutes. An older one is dead.",
        "Whoever opens it is signed in: hand it to nobody else.",
    ] {
        assert!(remark.contains(words), "{remark}");
    }
    // Another takes its place; looking at it uses nothing.
    let made = office.json(&["account", "sign-in-link", ANN, "--json"]);
    assert_eq!(made["asks_for_code"], false);
    assert_eq!(made["account"]["email"], ANN);
    assert!(made["expires_at"].as_str().unwrap().ends_with('Z'));
    let newer = path_of(made["sign_in_link"].as_str().unwrap());
    let mut elsewhere = Client::new(office.process.address());
    expect(elsewhere.get(&path_of(link.trim())), 410);
    for _ in 0..3 {
        expect(elsewhere.get(&newer), 200);
    }
    assert_eq!(
        expect(elsewhere.post_form(&newer, &[]), 303).location(),
        "/"
    );
    is_in(&mut elsewhere);
    expect(Client::new(office.process.address()).get(&newer), 410);

    // With a second factor the link takes the place of the password, and of nothing else.
    let phone = served::enrol(&mut ann);
    let output = office.process.run(&["account", "sign-in-link", ANN]);
    let (link, remark) = said(&output);
    assert!(
        remark.contains("the code of their app, or a recovery code, is asked for all the same."),
        "{remark}"
    );
    let path = path_of(link.trim());
    let mut elsewhere = Client::new(office.process.address());
    expect(elsewhere.get(&path), 200);
    let page = expect(elsewhere.post_form(&path, &[]), 303);
    assert_eq!(page.location(), "/sign-in/code");
    assert!(elsewhere.cookie("session").is_none());
    expect(elsewhere.get("/sign-in/code"), 200);
    let code = [("code", &*phone.recovery[0])];
    expect(elsewhere.post_form("/sign-in/code", &code), 303);
    is_in(&mut elsewhere);

    // Where it would open nothing, none is made.
    let pending = "carl@haldenworks.example";
    office.done(&["account", "create", "--email", pending, "--role", "member"]);
    let refused = |email: &str, says: &str| {
        let why = office.not_done(&["account", "sign-in-link", email], 1);
        assert!(why.contains(says), "{why}");
    };
    refused(
        pending,
        "The account is Pending: its person activates it first.",
    );
    office.done(&["account", "disable", ANN]);
    refused(ANN, "The account is disabled: nobody signs in with it.");
    office.done(&["account", "enable", ANN]);
    let dead = path_of(&office.done(&["account", "sign-in-link", ANN]));
    office.done(&["org", "disable", "--yes"]);
    refused(
        OWNER,
        "The organisation is disabled: nobody of it signs in.",
    );
    expect(Client::new(office.process.address()).get(&dead), 404);
    office.not_done(&["account", "sign-in-link", "nobody@x.example"], 3);
    office.not_done(&["account", "sign-in-link"], 2);
    let did = office.ask(
        "SELECT action || ' ' || coalesce(json_extract(details, '$.command'), '') FROM audit_events
          WHERE actor = 'operator' AND action IN ('sign_in.link_made', 'denied') ORDER BY number",
    );
    let (made, denied) = ("sign_in.link_made ", "denied account sign-in-link");
    assert_eq!(did, [made, made, made, denied, denied, made, denied]);
    let owed = office.ask("SELECT kind FROM errands WHERE details LIKE '%sign-in/link%'");
    assert_eq!(owed, [""; 0]);
    office.done(&["audit", "verify"]);
}

#[test]
fn while_the_server_is_stopped_the_operator_does_the_same() {
    let mut office = Office::open();
    let mut ann = office.person(ANN, "member", ORGANISATION);
    served::enrol(&mut ann);
    served::enrol(&mut office.owner);
    office.process.terminate();
    office.done(&["account", "reset-two-factor", ANN]);
    let url = ["--public-url", "http://localhost:4711"];
    let link = office.done(&[&["account", "sign-in-link", OWNER][..], &url].concat());
    assert!(
        link.starts_with("http://localhost:4711/sign-in/link/"),
        "{link}"
    );
    office.process.restart();
    let address = office.process.address().to_owned();
    ann.move_to(&address);
    is_out(&mut ann);
    sign_in(&mut ann, ANN);
    let mut owner = Client::new(&address);
    let path = path_of(&link);
    expect(owner.get(&path), 200);
    let page = expect(owner.post_form(&path, &[]), 303);
    assert_eq!(page.location(), "/sign-in/code");
    office.done(&["audit", "verify"]);
}

/// Every row that belongs to this organisation, table by table.
fn rows_of(file: &Connection, name: &str) -> BTreeMap<String, Vec<Vec<Cell>>> {
    let id: i64 = file
        .query_row(
            "SELECT id FROM organisations WHERE name = ?1",
            [name],
            |row| row.get(0),
        )
        .unwrap();
    let mut tables = file
        .prepare(
            "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c
              WHERE t.schema = 'main' AND c.name IN ('organisation_id', 'chain_id')
                 OR t.name = 'organisations' AND c.name = 'id'",
        )
        .unwrap();
    let tables: Vec<(String, String)> = tables
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let rows = |(table, column): (String, String)| {
        let mut statement = file
            .prepare(&format!(
                "SELECT * FROM {table} WHERE {column} = ?1 ORDER BY 1, 2"
            ))
            .unwrap();
        let columns = statement.column_count();
        let rows = statement
            .query_map([id], |row| (0..columns).map(|at| row.get(at)).collect())
            .unwrap();
        let rows = rows.map(Result::unwrap).collect();
        (table, rows)
    };
    tables.into_iter().map(rows).collect()
}

#[test]
fn a_disabled_organisation_is_shut_at_once_and_no_other_notices() {
    let mut office = Office::open();
    let mut mara = office.lakeside();
    let mut ann = office.person(ANN, "admin", ORGANISATION);
    let bea = [
        "account",
        "create",
        "--org",
        ORGANISATION,
        "--email",
        BEA,
        "--role",
        "member",
    ];
    let activation = path_of(&office.done(&bea));
    ann.get("/forgot-password");
    let mut stranger = Client::new(office.process.address());
    stranger.get("/forgot-password");
    expect(
        stranger.post_form("/forgot-password", &[("email", ANN)]),
        303,
    );
    let reset = path_of(&Letter::read(&office.mail(ANN, "/reset-password/").data).link());
    office.mail(BEA, "/activate/");
    for link in [&activation, &reset] {
        expect(stranger.get(link), 200);
    }

    let before = rows_of(&office.file(), LAKESIDE);
    assert!(
        before.len() > 5 && !before["sessions"].is_empty(),
        "{:?}",
        before.keys()
    );
    let said = office.done(&["org", "disable", "--org", ORGANISATION, "--yes"]);
    assert_eq!(said, "Halden Works is disabled; 2 sessions have ended.");
    assert_eq!(
        rows_of(&office.file(), LAKESIDE),
        before,
        "another organisation's rows changed"
    );

    for client in [&mut office.owner, &mut ann] {
        is_out(client);
    }
    for email in [OWNER, ANN] {
        let mut client = Client::new(office.process.address());
        assert_eq!(
            try_password(&mut client, email, served::PASSWORD).status,
            422,
            "{email}"
        );
    }
    for link in [&activation, &reset] {
        expect(stranger.get(link), 404);
    }
    // What is owed in it waits, and what is owed elsewhere does not.
    let carl = "carl@haldenworks.example";
    let dora = "dora@lakeside.example";
    let output = office.process.run(&[
        "account",
        "create",
        "--org",
        ORGANISATION,
        "--email",
        carl,
        "--role",
        "member",
    ]);
    let (link, remark) = self::said(&output);
    assert!(remark.contains("The organisation is disabled"), "{remark}");
    expect(stranger.get(&path_of(link.trim())), 404);
    office.done(&[
        "account", "create", "--org", LAKESIDE, "--email", dora, "--role", "member",
    ]);
    office.mail(dora, "/activate/");
    is_in(&mut mara);
    assert!(office.relay.newest(|mail| mail.to == [carl]).is_none());
    let listed = office.done(&["org", "list"]);
    let line = |name: &str| listed.lines().find(|line| line.contains(name)).unwrap();
    assert!(line(ORGANISATION).contains("Disabled 20"), "{listed}");
    assert!(line(LAKESIDE).contains("Active"), "{listed}");
    let why = office.not_done(&["org", "disable", "--org", ORGANISATION], 1);
    assert!(why.contains("Halden Works is disabled already."), "{why}");

    let said = office.done(&["org", "enable", "--org", ORGANISATION]);
    assert_eq!(
        said,
        "Halden Works is enabled: its people may sign in again."
    );
    let why = office.not_done(&["org", "enable", "--org", ORGANISATION], 1);
    assert!(why.contains("Halden Works is not disabled."), "{why}");
    for (client, email) in [(&mut office.owner, OWNER), (&mut ann, ANN)] {
        is_out(client);
        sign_in(client, email);
        is_in(client);
    }
    expect(activate(&mut stranger, &activation, "Bea Dahl"), 303);
    expect(stranger.get(&reset), 200);
    office.mail(carl, "/activate/");
    let events = office.ask(
        "SELECT action || ' ' || details FROM audit_events
          WHERE actor = 'operator' AND action IN ('organisation.disabled', 'organisation.enabled') ORDER BY chain_id, number",
    );
    assert_eq!(
        events,
        [
            r#"organisation.disabled {"sessions":2}"#,
            "organisation.enabled {}"
        ]
    );
    office.done(&["audit", "verify"]);
}
