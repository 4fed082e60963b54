//! Upgrades: for each schema that was ever released a file made by the program of that time, brought to today's.
//!
//! `NNNN.sql` is what `sqlite3 .dump` makes of the file, `NNNN.key` its secret.key, `NNNN.facts` what people hold who
//! were there: a session's cookie, a link, the key of an authenticator app.

mod fixture;
mod kills;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use doorward::audit;
use doorward::kit::db::Db;
use doorward::kit::folder::{self, Lock};
use doorward::kit::random::SeededRandom;
use doorward::kit::time::{DAY, HOUR};
use doorward::migrations::{self, Opened, Origin, VERSION};
use rusqlite::Connection;

use crate::log;
use crate::phone::Phone;
use crate::portal::Portal;
use crate::wait;
use fixture::{FIXTURES, Fixture, digests, schema};

const SCHEMA: &str = include_str!("../../../schema.sql");

/// Opens the folder as the server does. A program that another test starts at this moment holds the lock that was just
/// given back, until it has become that program: so it is asked for again for a while.
fn serve(folder: &Path, fixture: &Fixture) -> Result<(Opened, Lock), migrations::Error> {
    let random = SeededRandom::new(1);
    let mut answer = migrations::open_to_serve(folder, Origin::new(fixture.now(), &random));
    for _ in 0..100 {
        if !matches!(
            answer,
            Err(migrations::Error::Folder(folder::Error::Served { .. }))
        ) {
            break;
        }
        wait::pause(Duration::from_millis(20));
        answer = migrations::open_to_serve(folder, Origin::new(fixture.now(), &random));
    }
    answer
}

/// What must be the same before and after: all rows of all tables the file had, but for what the upgrade itself adds.
fn kept(file: &Path, tables: impl IntoIterator<Item = String>) -> BTreeMap<String, String> {
    let conn = Connection::open(file).unwrap();
    let mut kept = digests(&conn);
    let tables: Vec<String> = tables.into_iter().collect();
    kept.retain(|table, _| tables.contains(table));
    kept
}

fn tables(file: &Path) -> Vec<String> {
    digests(&Connection::open(file).unwrap())
        .into_keys()
        .collect()
}

fn ask(file: &Path, sql: &str) -> Vec<String> {
    let conn = Connection::open(file).unwrap();
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn there_is_a_file_of_each_schema_before_todays() {
    let versions: Vec<i64> = FIXTURES.iter().map(|fixture| fixture.version).collect();
    let expected: Vec<i64> = (3..VERSION).collect();
    assert_eq!(versions, expected);
}

#[test]
fn every_row_is_there_afterwards_in_the_schema_of_a_new_file() {
    for fixture in FIXTURES {
        let folder = fixture.lay();
        let file = folder.path().join("doorward.db");
        let had = tables(&file);
        let before = kept(&file, had.clone());
        assert!(before.len() > 20, "{before:?}");

        let (opened, lock) = serve(folder.path(), fixture).unwrap();
        let upgraded = opened.upgraded.unwrap();
        assert_eq!((upgraded.from, upgraded.to), (fixture.version, VERSION));
        assert_eq!(opened.db.complaints().unwrap(), [""; 0]);
        let verdict = opened
            .db
            .read(fixture.now(), |read| audit::verify(read, &opened.keys))
            .unwrap();
        assert!(verdict.faults.is_empty(), "{:?}", verdict.faults);
        drop((opened.db, lock));

        assert_eq!(kept(&file, had.clone()), before);
        assert_eq!(
            ask(
                &file,
                "SELECT details FROM audit_events WHERE action = 'schema.upgraded' ORDER BY number DESC LIMIT 1"
            ),
            [format!("{{\"from\":{},\"to\":{VERSION}}}", fixture.version)]
        );
        let copy = upgraded.copy.display();
        assert_eq!(
            ask(
                &file,
                "SELECT cause || ' ' || place FROM backups WHERE cause = 'upgrade' ORDER BY id DESC LIMIT 1"
            ),
            [format!("upgrade {copy}")]
        );
        let fresh = Connection::open_in_memory().unwrap();
        fresh.execute_batch(SCHEMA).unwrap();
        assert_eq!(schema(&Connection::open(&file).unwrap()), schema(&fresh));

        // The copy is the file as it was, and a second start has nothing to do.
        assert_eq!(kept(&upgraded.copy, had), before);
        let (again, _lock) = serve(folder.path(), fixture).unwrap();
        assert_eq!(again.upgraded, None);
        assert_eq!(
            fs::read_dir(folder.path().join("backups")).unwrap().count(),
            1
        );
    }
}

#[test]
fn what_was_begun_before_goes_on_afterwards() {
    for fixture in FIXTURES {
        let _place = log::keep();
        let portal = Portal::build()
            .http()
            .settings(|settings| settings.public_url = "http://localhost".to_owned())
            .on(|folder| {
                fixture.lay_into(folder);
                let (opened, _lock) = serve(folder, fixture).unwrap();
                (opened.keys, fixture.now())
            });
        // Somebody could not be reached by the old program either.
        portal.leave_mail();

        let mut owner = portal.visitor();
        owner.plant("session", fixture.fact("owner_session"));
        owner
            .get("/iam/accounts")
            .answers(200)
            .sees("nora@haldenworks.example");
        owner.get("/settings").answers(200).sees("hedda");

        // The second step that was owed is taken, with a code of the app that was set up then.
        let phone = Phone::new(fixture.fact("ann_key"));
        portal.travel(31);
        let mut half = portal.visitor();
        half.plant("challenge", fixture.fact("half"));
        let code = phone.code(portal.app().now().0);
        half.post("/sign-in/code", &[("code", &code)])
            .answers(303)
            .goes_to("/");
        let mut ann = portal.visitor();
        ann.plant("session", fixture.fact("ann_session"));
        ann.get("/account").answers(200);
        let mut other = portal.visitor();
        other
            .try_password(fixture.fact("ann"), fixture.fact("password"))
            .goes_to("/sign-in/code");
        other
            .post("/sign-in/code", &[("code", fixture.fact("ann_recovery"))])
            .answers(303);

        let mut dan = portal.visitor();
        let fields = [
            ("name", "Dan Vik"),
            ("phone", ""),
            ("password", "Louder-Harbour-10"),
            ("password_confirmation", "Louder-Harbour-10"),
        ];
        dan.post(fixture.fact("invitation"), &fields).answers(303);
        dan.try_password("dan@haldenworks.example", "Louder-Harbour-10")
            .goes_to("/");
        let mut finn = portal.visitor();
        finn.post(fixture.fact("sign_in_link"), &[])
            .answers(303)
            .goes_to("/");

        let file = portal.file();
        let owed = "SELECT message_id || ' ' || recipient FROM errands WHERE state IN ('waiting', 'sending')";
        let mut owed = ask(&file, owed);
        assert!(owed.len() >= 5, "{owed:?}");
        portal.work();
        let reset = portal.link_for("gus@haldenworks.example");
        portal.visitor().get(&reset).answers(200);
        let confirm = portal.link_for("finn.vik@haldenworks.example");
        finn.get(&confirm).answers(200);
        // The lease of the one that was under way runs out, and what was refused for now is tried again.
        for _ in 0..4 {
            portal.travel(HOUR / 2);
            portal.work();
        }
        let mut sent: Vec<String> = portal
            .mails()
            .iter()
            .map(|mail| format!("{} {}", mail.id, mail.to))
            .collect();
        sent.retain(|mail| owed.contains(mail));
        owed.sort();
        sent.sort();
        assert_eq!(sent, owed);
        let pia = portal.link_for("pia@haldenworks.example");
        portal.visitor().get(&pia).answers(200);

        portal.travel(DAY);
        portal.work();
        portal.visitor().get(&pia).answers(410);
    }
}

#[test]
fn a_command_leaves_the_upgrade_to_the_server() {
    for fixture in FIXTURES {
        let folder = fixture.lay();
        let file = folder.path().join("doorward.db");
        let before = fs::read(&file).unwrap();
        let random = SeededRandom::new(1);
        let origin = Origin::new(fixture.now(), &random);
        let refused = migrations::open_beside(folder.path(), migrations::IfEmpty::SetUp, origin)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("start doorward serve"), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(Db::open(&file, 1).is_ok());
    }
}
