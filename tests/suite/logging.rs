//! The log of the real executable over a whole life, at its most talkative: every line is one object with the agreed keys,
//! requests are followed by their ids, what the audit log holds is told, and no secret and nobody's address stands in it.

use std::collections::{BTreeMap, BTreeSet};

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::log::Access;
use serde_json::Value;

use crate::answer::tokens;
use crate::client::{Client, Page};
use crate::letter::{Letter, path_of};
use crate::log;
use crate::portal::{OWNER as PORTAL_OWNER, Portal};
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security, Step, Twist};
use crate::served::{
    self, OWNER, PASSWORD, activate, begin_to_enrol, codes_on, expect, found, invite, link_for,
    now, setup_link, try_code, try_password,
};
use crate::wait;

const ANN: &str = "ann.vik@haldenworks.example";
const TOKEN: &str = "metrics-token-of-this-test";
/// What is typed wrongly is as secret as what is right: it may be right elsewhere.
const WRONG: &str = "Wrong-Harbour-9";
const ANOTHER: &str = "Other-Harbour-8";
const STRANGER: &str = "stranger@elsewhere.example";
const RELAY_PASSWORD: &str = "relay-secret-4711";

/// Everything that must not stand in the log.
struct Secrets(BTreeSet<String>);

impl Secrets {
    /// What people type and are called.
    fn new() -> Self {
        let known = [
            OWNER,
            ANN,
            STRANGER,
            PASSWORD,
            WRONG,
            ANOTHER,
            TOKEN,
            RELAY_PASSWORD,
            "Ingrid",
            "Solheim",
            "Ann Vik",
            "haldenworks.example",
            "Halden Works",
            "+47 22 12",
        ];
        Self(known.map(str::to_owned).into())
    }

    #[track_caller]
    fn keep(&mut self, text: impl Into<String>) {
        let text = text.into();
        assert!(text.len() > 5, "{text:?} would be found everywhere");
        self.0.insert(text);
    }

    /// The links in a page or a mail, and the proofs of the forms in it.
    fn learn(&mut self, text: &str) {
        self.0.extend(tokens(text));
        for proof in text.split("name=\"csrf\" value=\"").skip(1) {
            self.keep(proof.split('"').next().unwrap());
        }
    }

    fn see(&mut self, client: &Client, page: &Page) {
        self.learn(&page.body);
        self.learn(page.header("location").unwrap_or_default());
        for name in ["session", "visit", "device", "challenge", "flash"] {
            if let Some(cookie) = client.cookie(name)
                && cookie.value.len() > 8
            {
                self.keep(cookie.value.as_str());
            }
        }
    }
}

/// The lines of the log, each understood. What is no line of it is what the terminal is told.
#[track_caller]
fn lines(output: &str) -> Vec<BTreeMap<String, Value>> {
    let mut lines = Vec::new();
    for line in output.lines() {
        if line.starts_with("Listening ") {
            continue;
        }
        let read: BTreeMap<String, Value> =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let names = line.matches("\"request_id\":").count();
        assert!(names <= 1, "{line}");
        for key in ["ts", "level", "msg", "target"] {
            assert!(read.get(key).is_some_and(Value::is_string), "{key}: {line}");
        }
        lines.push(read);
    }
    lines
}

fn text<'l>(line: &'l BTreeMap<String, Value>, key: &str) -> &'l str {
    line.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What the server itself wrote into the audit log: action and request.
fn audited(process: &Doorward) -> Vec<(String, String)> {
    let conn = rusqlite::Connection::open_with_flags(
        process.data().join("doorward.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    let mut statement = conn
        .prepare("SELECT action, request_id FROM audit_events WHERE actor <> 'operator'")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_whole_life_leaves_no_secret_and_nobody_s_address_in_the_log() {
    let relay = Relay::start(Security::StartTls);
    relay.ask_for_login("portal", RELAY_PASSWORD);
    let mut process = served::launch(&relay, &format!("portal:{RELAY_PASSWORD}@"))
        .arg("--log-level")
        .arg("trace")
        .arg("--log-access")
        .arg("all")
        .arg("--log-format")
        .arg("json")
        .env("DOORWARD_METRICS_TOKEN", TOKEN)
        .start();
    let mut secrets = Secrets::new();

    // The first run; somebody is invited, and sets a password.
    secrets.learn(&setup_link(&process));
    let mut owner = found(&process);
    let page = owner.get("/iam/accounts");
    secrets.see(&owner, &page);
    invite(&mut owner, ANN);
    relay.wait_for(1);
    let link = path_of(&link_for(&relay.messages(), ANN));
    secrets.learn(&link);
    let mut ann = Client::new(process.address());
    expect(activate(&mut ann, &link, "Ann Vik"), 303);
    expect(ann.get(&link), 410);
    expect(ann.get(&format!("{link}x")), 404);
    served::sign_in(&mut ann, ANN);

    // Two-factor: set up, and signed in with a code and a recovery code; wrong ones of each.
    let mut phone = begin_to_enrol(&mut ann);
    secrets.keep(phone.key.as_str());
    let code = phone.code(now());
    let page = ann.post_form("/account/two-factor/confirm", &[("code", &code)]);
    phone.recovery = codes_on(&expect(page, 200));
    secrets.keep(code);
    for code in &phone.recovery {
        secrets.keep(code.as_str());
        secrets.keep(code.replace('-', ""));
    }
    let mut other = Client::new(process.address());
    let code = phone.code(now());
    secrets.keep(code.as_str());
    let page = try_code(&mut other, ANN, &code);
    secrets.see(&other, &page);
    expect(page, 303);
    let mut third = Client::new(process.address());
    let page = try_code(&mut third, ANN, "918273");
    secrets.keep("918273");
    secrets.see(&third, &page);
    expect(page, 422);
    expect(third.get("/sign-in/code?with=recovery"), 200);
    let page = third.post_form("/sign-in/code", &[("code", &phone.recovery[0])]);
    secrets.see(&third, &page);
    expect(page, 303);

    // Sign-ins that fail: a wrong password, nobody, the password in the other field.
    let mut stranger = Client::new(process.address());
    for (email, password) in [(ANN, WRONG), (STRANGER, PASSWORD), (PASSWORD, ANN)] {
        let page = try_password(&mut stranger, email, password);
        secrets.see(&stranger, &page);
        expect(page, 422);
    }

    // A reset, with a relay that answers with the address.
    let before = relay.messages().len();
    relay.refuse(ANN, "451 4.2.0 <ann.vik@haldenworks.example> is greylisted");
    expect(stranger.get("/forgot-password"), 200);
    expect(
        stranger.post_form("/forgot-password", &[("email", ANN)]),
        303,
    );
    served::until_seen(&mut owner, "/mail", "greylisted");
    relay.behave();
    expect(stranger.get("/forgot-password"), 200);
    expect(
        stranger.post_form("/forgot-password", &[("email", OWNER)]),
        303,
    );
    relay.wait_for(before + 1);
    let link = path_of(&link_for(&relay.messages(), OWNER));
    secrets.learn(&link);
    expect(stranger.get(&link), 200);
    let fields = [("password", ANOTHER), ("password_confirmation", ANOTHER)];
    let page = stranger.post_form(&link, &fields);
    secrets.see(&stranger, &page);
    expect(page, 303);

    // A way in by the operator; another address; a form without its proof; a wrong metrics token.
    let made = process.run(&["account", "sign-in-link", OWNER]);
    let made = String::from_utf8(made.stdout).unwrap();
    secrets.learn(&made);
    let token = tokens(&made).remove(0);
    let path = format!("/sign-in/link/{token}");
    expect(stranger.get(&path), 200);
    let page = expect(stranger.post_form(&path, &[]), 303);
    secrets.see(&stranger, &page);
    expect(stranger.get("/account"), 200);
    let fields = [("email", "ingrid.solheim@haldenworks.example")];
    let page = stranger.post_form("/account/email", &fields);
    secrets.see(&stranger, &page);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let forged = format!("email={ANN}&role=member&csrf=forged-proof-of-nothing");
    secrets.keep("forged-proof-of-nothing");
    expect(stranger.send("POST", "/iam/accounts", &form, &forged), 403);
    let shown = format!("Bearer {TOKEN}");
    expect(
        stranger.send("GET", "/metrics", &[("authorization", &shown)], ""),
        200,
    );
    let wrong = [("authorization", "Bearer wrong-token-of-somebody")];
    secrets.keep("wrong-token-of-somebody");
    expect(stranger.send("GET", "/metrics", &wrong, ""), 401);
    relay.at(Step::Greeting, Twist::HangUp);
    wait::pause(std::time::Duration::from_millis(1_200));
    for mail in relay.messages() {
        let letter = Letter::read(&mail.data);
        secrets.learn(&letter.text);
        secrets.keep(letter.header("message-id").trim_matches(['<', '>']));
        secrets.keep(letter.header("subject"));
    }
    assert_eq!(process.terminate().code(), Some(0));

    let output = process.output();
    let lines = lines(&output);
    assert!(secrets.0.len() > 50, "{:?}", secrets.0);
    for secret in &secrets.0 {
        let at = output.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(at, None, "{secret:?} stands in the log");
    }
    follow(&lines);
    tells_what_was_audited(&process, &lines);
}

/// Every request has its line, with all that belongs there, and an id of its own.
fn follow(lines: &[BTreeMap<String, Value>]) {
    let answered: Vec<_> = lines
        .iter()
        .filter(|line| text(line, "msg") == "answered")
        .collect();
    let ids: BTreeSet<&str> = answered
        .iter()
        .map(|line| text(line, "request_id"))
        .collect();
    assert_eq!(ids.len(), answered.len());
    let mut routes = BTreeSet::new();
    for line in &answered {
        assert_eq!(text(line, "request_id").len(), 16, "{line:?}");
        assert!(
            ["GET", "POST", "HEAD"].contains(&text(line, "method")),
            "{line:?}"
        );
        assert_eq!(text(line, "ip"), "127.0.0.1");
        for key in ["status", "duration_ms"] {
            assert!(line[key].is_u64(), "{line:?}");
        }
        assert_eq!(line.contains_key("account"), line.contains_key("org"));
        if let Some(account) = line.get("account") {
            assert!(account.as_str().unwrap().starts_with("acc_"), "{line:?}");
            assert!(text(line, "org").starts_with("org_"), "{line:?}");
        }
        routes.insert(text(line, "route"));
    }
    for route in [
        "/setup/{token}",
        "/activate/{token}",
        "/reset-password/{token}",
        "/sign-in/link/{token}",
        "/sign-in/code",
        "/iam/accounts",
        "/metrics",
    ] {
        assert!(routes.contains(route), "{route} is not in {routes:?}");
    }
    let signed_in = answered.iter().filter(|line| line.contains_key("account"));
    assert!(signed_in.count() > 5);
}

/// What the server wrote into its audit log stands in the log too, once, and under the same request.
fn tells_what_was_audited(process: &Doorward, lines: &[BTreeMap<String, Value>]) {
    let told: Vec<_> = lines
        .iter()
        .filter(|line| text(line, "target") == "audit")
        .collect();
    let mut of_log: Vec<(String, String)> = told
        .iter()
        .map(|line| {
            (
                text(line, "action").to_owned(),
                text(line, "request_id").to_owned(),
            )
        })
        .collect();
    let mut of_file = audited(process);
    for (_, request) in &mut of_file {
        // What no request did has none.
        if request.len() != 16 {
            request.clear();
        }
    }
    of_log.sort();
    of_file.sort();
    assert_eq!(of_log, of_file);
    let actions: BTreeSet<&str> = told.iter().map(|line| text(line, "action")).collect();
    for action in [
        "organisation.created",
        "account.created",
        "account.activated",
        "sign_in.succeeded",
        "sign_in.failed",
        "sign_in.code_asked",
        "code.failed",
        "two_factor.enabled",
        "password.changed",
        "form.refused",
    ] {
        assert!(actions.contains(action), "{action} is not in {actions:?}");
    }
    for line in &told {
        assert_eq!(text(line, "msg"), "done");
        assert!(
            line["number"].is_u64() || line["number"].is_i64(),
            "{line:?}"
        );
        if line.contains_key("request_id") {
            assert_eq!(text(line, "ip"), "127.0.0.1", "{line:?}");
        }
        if let Some(details) = line.get("details") {
            let details: Value = serde_json::from_str(details.as_str().unwrap()).unwrap();
            assert!(details.is_object(), "{line:?}");
        }
    }
}

#[test]
fn no_request_forges_a_line() {
    let mut process = Launch::serve()
        .arg("--log-level")
        .arg("trace")
        .arg("--log-access")
        .arg("all")
        .start();
    let mut client = Client::new(process.address());
    let evil = "x\"},{\"msg\":\"FORGED\"";
    for path in [
        "/%0a%7b%22msg%22:%22FORGED%22%7d",
        "/iam/accounts/FORGED%0d%0a",
        "/activate/FORGED%1b%5b2J",
        "/help/FORGED?next=%0aFORGED&q=FORGED",
        "/FORGED",
    ] {
        let headers = [
            ("user-agent", evil),
            ("referer", evil),
            ("accept", evil),
            ("accept-language", "FORGED"),
            ("x-request-id", "FORGED"),
            ("traceparent", "FORGED"),
            ("x-forwarded-for", "FORGED, 203.0.113.9"),
            ("cookie", "session=FORGED; visit=FORGED"),
            ("authorization", "Bearer FORGED"),
        ];
        client.send("GET", path, &headers, "");
    }
    client.send("GET", "/sign-in", &[("host", "FORGED.example")], "");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    client.send(
        "POST",
        "/sign-in",
        &form,
        "email=FORGED%0aFORGED&FORGED=%00&csrf=FORGED",
    );
    client.send("POST", "/theme", &form, "theme=FORGED%0a%ff");
    assert_eq!(process.terminate().code(), Some(0));
    let output = process.output();
    assert!(!output.contains("FORGED"), "{output}");
    let lines = lines(&output);
    let answered = lines.iter().filter(|line| text(line, "msg") == "answered");
    assert_eq!(answered.count(), 8);
}

#[test]
fn the_operator_decides_which_requests_have_a_line() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut logged = |access: Access| {
        let place = log::keep();
        portal.app().access.set(access);
        owner.get("/iam/accounts").answers(200);
        owner.get("/healthz").answers(200);
        owner.post("/theme", &[("theme", "dark")]).answers(303);
        let lines = log::own(place);
        let answered = lines.lines().filter(|line| line.contains("answered"));
        answered
            .map(|line| {
                let (_, after) = line.split_once("route=\"").unwrap();
                after.split('"').next().unwrap().to_owned()
            })
            .collect::<Vec<_>>()
    };
    // The form's page is asked for where its proof is not known yet.
    logged(Access::Off);
    assert_eq!(logged(Access::All), ["/iam/accounts", "/healthz", "/theme"]);
    assert_eq!(logged(Access::Writes), ["/theme"]);
    assert_eq!(logged(Access::Off), Vec::<String>::new());
}

#[test]
fn what_was_rolled_back_is_told_as_little_as_it_is_kept() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.invite(&owner, Role::Member, "bea@fjord.example");
    let place = log::keep();
    let mut again = owner.clone();
    // The address is taken: the transaction that wrote the row was rolled back.
    let fields = [("email", "bea@fjord.example"), ("role", "member")];
    again.post("/iam/accounts", &fields).answers(422);
    let lines = log::own(place);
    assert!(!lines.contains("account.created"), "{lines}");
    let place = log::keep();
    let fields = [("email", "cas@fjord.example"), ("role", "member")];
    again.post("/iam/accounts", &fields).answers(303);
    let lines = log::own(place);
    assert_eq!(lines.matches("account.created").count(), 1, "{lines}");
    assert!(!lines.contains(PORTAL_OWNER), "{lines}");
    again.draft(Method::Get, "/").send().answers(200);
}
