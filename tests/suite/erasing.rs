//! Erasing the personal data of somebody whose account is deleted: what the pages say, what goes, and what stays.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use doorward::audit::{self, Action, Event};
use doorward::domain::id::AccountId;
use doorward::domain::role::Role;
use doorward::kit::time::{self, MINUTE};
use doorward::scope::{Actor, Allowed, By, ManageOrganisation};
use doorward::{erasing, resources};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::client::Client;
use crate::letter::path_of;
use crate::portal::{OWNER, PASSWORD, Portal};
use crate::relay::{Relay, Security};
use crate::served;
use crate::visitor::Visitor;
use crate::wait;
use crate::wares;

const LEA: &str = "lea@fjord.example";
const MIA: &str = "mia@fjord.example";
const MIA_LATER: &str = "mia.holm@hav.example";
const NAME: &str = "MIA Vik";
const NAME_LATER: &str = "Mia Holm-Åsgård";
const PHONE: &str = "+4798765432";

/// Whoever was deleted by the owner.
fn deleted(portal: &Portal, owner: &Visitor, id: AccountId) {
    let app = portal.app();
    app.write(app.now(), |tx| {
        doorward::lifecycle::delete(tx, &owner.allowed(), id)
    })
    .unwrap();
}

fn page_of(id: AccountId) -> String {
    format!("/iam/accounts/{id}")
}

/// All that stands in the file, by table and column.
fn all_text(portal: &Portal) -> Vec<(String, String)> {
    let conn = Connection::open(portal.file()).unwrap();
    let mut tables = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
        .unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let mut rows = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = rows.column_names().map(str::to_owned).collect();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (at, column) in columns.iter().enumerate() {
                let text = match row.get_ref(at).unwrap() {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        String::from_utf8_lossy(bytes).into_owned()
                    }
                    ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => continue,
                };
                found.push((format!("{table}.{column}"), text));
            }
        }
    }
    found
}

/// Where any of these words stands.
fn places(portal: &Portal, words: &[&str]) -> Vec<String> {
    let mut places: Vec<String> = all_text(portal)
        .into_iter()
        .filter(|(_, text)| {
            let text = text.to_lowercase();
            words.iter().any(|word| text.contains(&word.to_lowercase()))
        })
        .map(|(place, _)| place)
        .collect();
    places.dedup();
    places
}

/// Which of these words stand in the bytes of the file or of the log beside it.
fn is_in_bytes(portal: &Portal, words: &[&str]) -> Vec<String> {
    in_folder(portal.file().parent().unwrap(), words)
}

#[test]
fn a_deleted_account_leaves_a_page_and_the_way_to_it() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .get("/iam/accounts")
        .answers(200)
        .sees_not("deleted account");
    let mia = portal.member(Role::Billing, MIA).account();
    deleted(&portal, &owner, mia.id);
    owner
        .get("/iam/accounts")
        .answers(200)
        .sees("Show 1 deleted account")
        .sees_not(NAME);
    owner
        .get("/iam/accounts?status=deleted")
        .answers(200)
        .sees(NAME)
        .sees("Deleted")
        .sees("Show accounts that are there")
        .sees_not(OWNER);
    assert!(owner.html().contains(&page_of(mia.id)));
    owner
        .get("/iam/accounts?status=deleted&q=nobody")
        .sees("No accounts match");
    owner
        .get(page_of(mia.id))
        .answers(200)
        .sees("This account is deleted. Nobody can sign in with it.")
        .sees("by you")
        .sees("Was Billing")
        .sees(&format!("You deleted {MIA}'s account"))
        .sees("Erase personal data…");
    // Whoever may see accounts sees what is left; only those who manage the organisation erase it.
    let mut ada = portal.member(Role::Admin, "ada@fjord.example");
    ada.get(page_of(mia.id))
        .answers(200)
        .sees(&format!("by {OWNER}"))
        .sees("A Master can erase it.")
        .sees_not("Erase personal data…");
    ada.get(format!("{}/erase", page_of(mia.id))).answers(403);
    let mut other = portal.organisation("Alder");
    other.get(page_of(mia.id)).answers(404);
    other.get(format!("{}/erase", page_of(mia.id))).answers(404);
    portal.leave_mail();
}

#[test]
fn only_what_is_deleted_is_erased_and_only_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mia = portal.member(Role::Member, MIA).account();
    let erase = format!("{}/erase", page_of(mia.id));
    owner.get(&erase).answers(403).sees("Delete it first");
    owner
        .post(&erase, &[("name", NAME), ("current_password", PASSWORD)])
        .answers(403)
        .sees("Delete it first");
    deleted(&portal, &owner, mia.id);
    owner
        .get(&erase)
        .answers(200)
        .sees("Erase personal data?")
        .sees("Issued invoices are never changed")
        .sees("This cannot be undone")
        .sees("Type MIA Vik to confirm");
    owner
        .post(&erase, &[("name", "Mia"), ("current_password", "")])
        .answers(422)
        .sees("Type MIA Vik, letter for letter.");
    assert_eq!(
        places(&portal, &[NAME]).first().map(String::as_str),
        Some("accounts.name")
    );
    owner
        .post(&erase, &[("name", NAME), ("current_password", "")])
        .answers(303)
        .goes_to(page_of(mia.id))
        .follow()
        .answers(200)
        .sees("The personal data of this account is erased")
        .sees("Erased account")
        .sees("the personal data of its person is erased.")
        .sees("You erased the personal data of an erased account")
        .sees("You deleted an erased account")
        .sees_not("erased account's account")
        .sees_not(NAME)
        .sees_not(MIA)
        .sees_not("Erase personal data…");
    owner.get(&erase).answers(403).sees("erased already");
    owner
        .get("/iam/accounts?status=deleted")
        .sees("Erased account")
        .sees_not(NAME);
    // The log, too, says that it was an erased account, and not just somebody.
    owner
        .get(format!("/audit?who={}", mia.id))
        .sees("An erased account activated their account")
        .sees_not("Somebody activated");
    owner
        .get(format!("/audit?target={}", mia.id))
        .sees("deleted an erased account")
        .sees_not("deleted somebody");
    portal.leave_mail();
}

#[test]
fn whoever_did_not_show_who_they_are_of_late_is_asked() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mia = portal.member(Role::Member, MIA).account();
    deleted(&portal, &owner, mia.id);
    let erase = format!("{}/erase", page_of(mia.id));
    portal.travel(11 * MINUTE);
    owner.get(&erase).answers(200).sees("Current password");
    owner
        .post(
            &erase,
            &[("name", NAME), ("current_password", "Wrong-Horse-7!")],
        )
        .answers(422);
    assert!(!places(&portal, &[NAME]).is_empty());
    owner
        .post(&erase, &[("name", NAME), ("current_password", PASSWORD)])
        .answers(303);
    assert!(places(&portal, &[NAME]).is_empty());
    owner.follow().answers(200);
    portal.leave_mail();
}

#[test]
fn one_who_never_activated_is_erased_too() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = portal.invite(&owner, Role::Member, MIA);
    deleted(&portal, &owner, id);
    let erase = format!("{}/erase", page_of(id));
    owner.get(&erase).answers(200).sees("Type erase to confirm");
    owner
        .post(&erase, &[("name", "erase"), ("current_password", "")])
        .answers(303)
        .follow()
        .sees("the personal data of its person is erased.");
    assert_eq!(places(&portal, &[MIA]), [""; 0]);
    portal.leave_mail();
}

/// A life with traces everywhere: other names and addresses, failures, resources, invitations, lists and mails.
fn live(portal: &Portal, owner: &mut Visitor) -> (AccountId, IpAddr) {
    wares::stocked(portal);
    let mut mia = portal.member(Role::Master, MIA);
    let id = mia.account().id;
    let own = mia.address;
    let rack = wares::create(portal, &mia, "rack-1", "server/s-1");
    mia.post(
        "/account/profile",
        &[("name", NAME_LATER), ("phone", PHONE)],
    )
    .answers(303);
    mia.post(
        "/account/email",
        &[("email", MIA_LATER), ("current_password", PASSWORD)],
    )
    .answers(303);
    portal.work();
    let link = portal.link_for(MIA_LATER);
    mia.get(&link).answers(200);
    mia.post(&link, &[]).answers(303);
    mia.elsewhere()
        .try_password(MIA_LATER, "Wrong-Horse-7!")
        .answers(422);
    // What others did with them.
    let (app, lea) = (portal.app(), portal.member(Role::Member, LEA).account().id);
    app.write_if(app.now(), |tx| {
        resources::hand_over(tx, &owner.allowed(), rack, lea)
    })
    .unwrap();
    owner
        .post("/iam/accounts", &[("email", MIA_LATER), ("role", "member")])
        .answers(422);
    deleted(portal, owner, id);
    // Somebody tries their address when nobody has it, and a list of people holds it.
    let mut stranger = portal.visitor();
    stranger.address = own;
    stranger.try_password(MIA_LATER, PASSWORD).answers(422);
    portal.work();
    portal.tamper(&format!(
        "INSERT INTO imports (id, organisation_id, state, given_by, address, created_at, ended_at)
           SELECT 7, organisation_id, 'done', id, '{own}', 1, 2 FROM accounts WHERE id = {id};
         INSERT INTO import_lines VALUES (7, 1, '{MIA}', 'member', '{NAME}', '{PHONE}', 'invited', {id}, NULL),
           (7, 2, 'Mia.Holm@hav.example', 'member', '', '', 'refused', NULL, 'taken'),
           (7, 3, '{LEA}', 'member', 'LEA Vik', '', 'refused', NULL, 'taken');
         INSERT INTO attempts SELECT id, 99, 1, 1, 1, '550 <{MIA_LATER}> unknown' FROM errands WHERE account_id = {lea} LIMIT 1;",
        id = id.number(),
        lea = lea.number()
    ));
    (id, own)
}

#[test]
fn names_and_addresses_go_everywhere_and_those_of_others_stay() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let (id, own) = live(&portal, &mut owner);
    let own = own.to_string();
    let words = [
        MIA, MIA_LATER, NAME, NAME_LATER, "mia.holm", PHONE, "98765432", &own,
    ];
    let before = places(&portal, &words);
    for place in [
        "accounts.name",
        "audit_texts.text",
        "import_lines.email",
        "attempts.answer",
    ] {
        assert!(before.iter().any(|one| one == place), "{place}: {before:?}");
    }
    let others = "SELECT count(*) FROM audit_texts WHERE text IN ('olivia@fjord.example', 'lea@fjord.example')";
    let of_others: i64 = portal.ask(others)[0];
    // Whoever has the address now is somebody else.
    portal.invite(&owner, Role::Member, MIA_LATER);
    let erase = format!("{}/erase", page_of(id));
    owner.get(&erase).answers(200);
    owner
        .post(&erase, &[("name", NAME_LATER), ("current_password", "")])
        .answers(303)
        .follow()
        .answers(200);
    let of_the_new = "SELECT count(*) FROM audit_texts WHERE text = 'mia.holm@hav.example'";
    assert_eq!(portal.ask::<i64>(of_the_new), [1]);
    let again =
        portal.ask::<AccountId>("SELECT id FROM accounts WHERE email = 'mia.holm@hav.example'")[0];
    deleted(&portal, &owner, again);
    let erase = format!("{}/erase", page_of(again));
    owner.get(&erase).answers(200);
    owner
        .post(&erase, &[("name", "erase"), ("current_password", "")])
        .answers(303);
    assert_eq!(places(&portal, &words), [""; 0]);
    assert_eq!(is_in_bytes(&portal, &words), [""; 0]);
    // Three more by the owner: the erasures, the invitation, the deletion.
    let now: i64 = portal.ask(others)[0];
    assert!(now >= of_others, "{now} of {of_others}");
    let kept = "SELECT email FROM import_lines ORDER BY line";
    assert_eq!(portal.ask::<String>(kept), ["", "", LEA]);
    let backup = portal.back_up("after.db");
    let bytes = std::fs::read(backup).unwrap();
    for word in words {
        let is_in = bytes
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
        assert!(!is_in, "{word} in a backup that was made after");
    }
    owner.get("/resources").answers(200).sees_not("Mia");
    portal.leave_mail();
}

#[test]
fn a_list_that_refused_them_is_still_to_be_read() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = portal.member(Role::Member, MIA).account().id;
    owner.get("/iam/import").answers(200);
    let list = format!("{MIA},Member,Mia Holm\nnew@fjord.example,Member,New Person\n");
    owner
        .post("/iam/import", &[("list", &list), ("role", "member")])
        .answers(303);
    let page = owner.location().unwrap();
    owner.get(&page).answers(200).sees(MIA);
    deleted(&portal, &owner, id);
    let name =
        portal.ask::<String>("SELECT name FROM accounts WHERE status = 'deleted'")[0].clone();
    let erase = format!("{}/erase", page_of(id));
    owner.get(&erase).answers(200);
    owner
        .post(&erase, &[("name", &name), ("current_password", "")])
        .answers(303);
    assert!(!places(&portal, &[MIA]).contains(&"import_lines.email".to_owned()));
    owner
        .get(&page)
        .answers(200)
        .sees("Already here")
        .sees("new@fjord.example");
}

#[test]
fn the_words_of_what_was_erased_are_found_no_more() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let (id, _) = live(&portal, &mut owner);
    let erase = format!("{}/erase", page_of(id));
    owner.get(&erase).answers(200);
    owner
        .post(&erase, &[("name", NAME_LATER), ("current_password", "")])
        .answers(303);
    let conn = Connection::open(portal.file()).unwrap();
    conn.execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, audit_index, row)")
        .unwrap();
    let count = |term: &str| -> i64 {
        conn.query_row(
            "SELECT count(*) FROM words WHERE term = ?1",
            [term],
            |row| row.get(0),
        )
        .unwrap()
    };
    for word in ["mia", "holm", "asgard", "hav", "98765432", "4798765432"] {
        assert_eq!(count(word), 0, "{word}");
    }
    // What was done is found by what it was, and by whom.
    for word in [
        "action:account:erased",
        &format!("by:{}", id.number()),
        "olivia",
        "lea",
    ] {
        assert_eq!(count(word), 1, "{word}");
    }
    portal.leave_mail();
}

/// Records so many events of theirs, and as many of somebody else.
fn many_events(portal: &Portal, id: AccountId, email: &str, events: i64) {
    let (app, first) = (portal.app(), portal.first());
    let by = |actor: Actor, number: i64| By {
        actor,
        address: Some([10, 9, 8, 7].into()),
        request_id: format!("{number:013}"),
    };
    let own = Actor::Account {
        id,
        email: email.parse().unwrap(),
        session: None,
    };
    for begin in (0..events).step_by(2_000) {
        let end = (begin + 2_000).min(events);
        app.housekeep(app.now(), |tx| {
            for number in begin..end {
                let done = Event::of(first, Action::PreferencesChanged).on(id, email);
                audit::record(tx, &by(own.clone(), number), &done, ())?.into_inner();
                let other = Event::of(first, Action::MailRetried).on_text("somebody@fjord.example");
                audit::record(tx, &by(Actor::System, number), &other, ())?.into_inner();
            }
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn an_erasure_that_is_interrupted_goes_on() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mia = portal.member(Role::Member, MIA).account().id;
    many_events(&portal, mia, MIA, 4_000);
    deleted(&portal, &owner, mia);
    let by = || Allowed::<ManageOrganisation>::operator(portal.first());
    let step = || {
        let app = portal.app();
        app.write(app.now(), |tx| erasing::erase(tx, &by(), mia))
            .unwrap()
    };
    // The first step takes as much as one transaction may, and leaves the rest for the next.
    let first = step();
    assert_eq!((first.texts, first.is_more), (2_000, true));
    while step().is_more {}
    let said: Vec<String> = portal.ask(
        "SELECT coalesce(json_extract(details, '$.more'), 0) || ' ' || json_extract(details, '$.texts')
           FROM audit_events WHERE action = 'account.erased' ORDER BY number",
    );
    assert!(said.len() > 2);
    assert_eq!(said[0], "1 2000");
    assert_eq!(places(&portal, &[MIA, NAME]), [""; 0]);
    // The process was killed before the words were out of the index: the next one takes them out.
    portal.restart(|_, _| ());
    portal.work();
    assert_eq!(is_in_bytes(&portal, &[MIA, NAME]), [""; 0]);
    portal.leave_mail();
}

#[test]
fn half_of_an_erasure_is_none_and_verifies() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mia = portal.member(Role::Member, MIA).account().id;
    many_events(&portal, mia, MIA, 4_000);
    deleted(&portal, &owner, mia);
    let app = portal.app();
    let by = Allowed::<ManageOrganisation>::operator(portal.first());
    let step = app
        .write(app.now(), |tx| erasing::erase(tx, &by, mia))
        .unwrap();
    assert!(step.is_more);
    let verdict = app
        .read(app.now(), |read| audit::verify(read, app.keys()))
        .unwrap();
    assert_eq!(verdict.faults, []);
    drop(app);
    portal.restart(|_, _| ());
    owner
        .get(page_of(mia))
        .answers(200)
        .sees(NAME)
        .sees("Erase personal data…");
    let erase = format!("{}/erase", page_of(mia));
    owner.get(&erase).answers(200);
    owner
        .post(&erase, &[("name", NAME), ("current_password", "")])
        .answers(303);
    assert_eq!(places(&portal, &[MIA, NAME]), [""; 0]);
    assert_eq!(is_in_bytes(&portal, &[MIA, NAME]), [""; 0]);
    portal.leave_mail();
}

#[test]
#[ignore = "a hundred thousand texts in a log of many rows: some minutes"]
fn a_hundred_thousand_texts_hold_up_writers_for_less_than_a_second_at_a_time() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mia = portal.member(Role::Member, MIA).account().id;
    many_events(&portal, owner.account().id, OWNER, 20_000);
    many_events(&portal, mia, MIA, 33_400);
    deleted(&portal, &owner, mia);
    let app = portal.app();
    let by = Allowed::<ManageOrganisation>::operator(portal.first());
    let begun = time::instant();
    let (mut slowest, mut texts) = (Duration::ZERO, 0);
    loop {
        let start = time::instant();
        let step = app
            .write(app.now(), |tx| erasing::erase(tx, &by, mia))
            .unwrap();
        slowest = slowest.max(start.elapsed());
        texts += step.texts;
        if !step.is_more {
            break;
        }
    }
    let erased = begun.elapsed();
    app.owe_scrub();
    let (mut merges, mut longest) = (0, Duration::ZERO);
    loop {
        let start = time::instant();
        let done = app.scrub(app.now()).unwrap();
        longest = longest.max(start.elapsed());
        merges += 1;
        if done {
            break;
        }
    }
    println!(
        "{texts} texts in {erased:?}, slowest step {slowest:?}; {merges} steps of the index, longest {longest:?}, all in {:?}",
        begun.elapsed()
    );
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    assert_eq!(is_in_bytes(&portal, &[MIA, NAME]), [""; 0]);
    portal.leave_mail();
}

/// Where any of these words stands in the files of a data folder, which may be written to meanwhile.
fn in_folder(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["doorward.db", "doorward.db-wal"] {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        for word in words {
            let is_in = bytes
                .windows(word.len())
                .any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
            if is_in {
                found.push(format!("{word} in {name}"));
            }
        }
    }
    found
}

#[test]
fn the_operator_erases_beside_a_running_server_and_no_trace_is_left() {
    const PERSON: &str = "piasecki@haldenworks.example";
    const FAR: &str = "203.0.113.77";
    let relay = Relay::start(Security::Plain);
    let process = served::launch(&relay, "")
        .arg("--trusted-proxies")
        .arg("127.0.0.1")
        .start();
    let owner = served::found(&process);
    let run = |args: &[&str], code: i32| {
        let output = process.run(args);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        text
    };
    let made = run(
        &["account", "create", "--email", PERSON, "--role", "admin"],
        0,
    );
    let site = process.address().to_owned();
    let mut person = Client::new(&site).behind(&site, &[("x-forwarded-for", FAR)]);
    let link = made.lines().find_map(|line| {
        line.split_whitespace()
            .find(|word| word.starts_with("http"))
    });
    let page = served::activate(&mut person, &path_of(link.unwrap()), "Pia Piasecka");
    served::expect(page, 303);
    served::sign_in(&mut person, PERSON);
    person.get("/account");
    let changed = person.post_form(
        "/account/profile",
        &[("name", "Pia Piasecka-Lund"), ("phone", "+4722334455")],
    );
    served::expect(changed, 303);
    let words = [
        PERSON,
        "Pia Piasecka",
        "22334455",
        FAR,
        "piasecka",
        "piasecki",
    ];
    assert!(!in_folder(process.data(), &words).is_empty());
    run(&["account", "delete", PERSON, "--yes"], 0);
    // Deleted, it keeps the name, and the log what it says; all else is gone.
    let file = Connection::open(process.data().join("doorward.db")).unwrap();
    let left: i64 = file
        .query_row(
            "SELECT (SELECT count(*) FROM accounts WHERE email = ?1 OR phone IS NOT NULL)
                  + (SELECT count(*) FROM errands WHERE recipient = ?1)
                  + (SELECT count(*) FROM sessions WHERE address = ?2)
                  + (SELECT count(*) FROM passwords) - 1",
            [PERSON, FAR],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
    drop(file);
    let listed: serde_json::Value =
        serde_json::from_str(&run(&["account", "list", "--deleted", "--json"], 0)).unwrap();
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(listed[0]["name"], "Pia Piasecka-Lund");
    assert!(run(&["account", "erase", PERSON, "--yes"], 2).contains("account list --deleted"));
    assert!(run(&["account", "erase", &id], 2).contains("--yes"));
    assert!(run(&["account", "erase", &id, "--yes"], 0).contains("is erased"));
    assert!(run(&["account", "erase", &id, "--yes"], 1).contains("erased already"));
    assert!(run(&["account", "list", "--deleted"], 0).contains("Erased account"));
    let gone = wait::until(Duration::from_secs(20), || {
        in_folder(process.data(), &words).is_empty().then_some(())
    });
    assert!(gone.is_some(), "{:?}", in_folder(process.data(), &words));
    let backup = process.data().join("after.db");
    run(&["backup", "--out", backup.to_str().unwrap()], 0);
    let bytes = std::fs::read(&backup).unwrap();
    for word in words {
        let is_in = bytes
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
        assert!(!is_in, "{word} in a backup that was made after");
    }
    assert!(run(&["audit", "verify"], 0).contains("rows checked"));
    run(&["backup", "--verify", backup.to_str().unwrap()], 0);
    drop(owner);
}
