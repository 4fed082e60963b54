//! What each way of tampering with a chain looks like to whoever checks it.

use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    Action, Event, Names, Person, Scrub, Verdict, checkpoint, erase, next_prunable, prune, record,
    verify, verify_without_key,
};
use crate::domain::id::{AccountId, OrganisationId};
use crate::error::Error;
use crate::kit::db::{Db, World};
use crate::kit::keys::Keys;
use crate::kit::random::SeededRandom;
use crate::kit::time::{DAY, Timestamp};
use crate::scope::{Actor, By};

/// When the first event of every file is recorded.
const START: Timestamp = Timestamp(1_795_526_400);

const CHANGED: &str = "this row was changed, put in or swapped";
const REMOVED: &str = "this row was removed";
const CUT: &str = "this row was removed from the end";
const ADDED: &str = "this row was put in at the end";
const FORGED: &str = "the chain's head was forged";
const HEADLESS: &str = "the chain's head was removed";
const REWORDED: &str = "the text of this row was changed";
const MISSING: &str = "a text of this row is missing, and no erasure is on record";
const MOVED: &str = "the checkpoint that says where this chain begins was forged";
const BACK: &str = "rows that the checkpoint says were pruned are there";
const UNLISTED: &str = "the list of texts that were erased with this row was changed";
const UNRECORDED: &str = "a list of erased texts names this row, which erased nothing";
const RETURNED: &str = "a text of this row was erased, and is there again";

/// A file with two chains: six events of an organisation, and three of the system.
struct File {
    folder: TempDir,
    keys: Keys,
    organisation: OrganisationId,
}

impl File {
    fn new() -> Self {
        let file = Self::empty();
        for number in 0..6 {
            file.record(Some(file.organisation), number);
        }
        for number in 0..3 {
            file.record(None, number);
        }
        assert_eq!(file.verdict().faults, []);
        file
    }

    fn empty() -> Self {
        let file = Self {
            folder: tempfile::tempdir().unwrap(),
            keys: Keys::new([1; 32]),
            organisation: "org_bbbbbbbbbbbbb".parse().unwrap(),
        };
        file.write(|tx| Ok(tx.script(include_str!("../../schema.sql"))?), 0);
        file
    }

    fn db(&self) -> Db {
        Db::open(&self.folder.path().join("doorward.db"), 1).unwrap()
    }

    fn write(&self, work: impl FnOnce(&crate::kit::db::Tx<'_>) -> Result<(), Error>, seed: u64) {
        self.write_at(START, work, seed);
    }

    fn write_at(
        &self,
        now: Timestamp,
        work: impl FnOnce(&crate::kit::db::Tx<'_>) -> Result<(), Error>,
        seed: u64,
    ) {
        let world = World {
            now,
            random: &SeededRandom::new(seed),
            keys: &self.keys,
            mail_domain: "example.com",
        };
        self.db().write(world, work).unwrap();
    }

    fn record(&self, organisation: Option<OrganisationId>, seed: u64) {
        self.record_at(START, organisation, seed);
    }

    fn record_at(&self, now: Timestamp, organisation: Option<OrganisationId>, seed: u64) {
        let account: AccountId = "acc_bbbbbbbbbbbbb".parse().unwrap();
        let by = By {
            actor: Actor::Account {
                id: account,
                email: "ann@example.com".parse().unwrap(),
                session: Some("ses_bbbbbbbbbbbbb".parse().unwrap()),
            },
            address: Some([192, 0, 2, 1].into()),
            request_id: format!("request {seed}"),
        };
        let event = match organisation {
            Some(organisation) => Event::of(organisation, Action::AccountCreated),
            None => Event::of_system(Action::SignInFailed),
        };
        let event = event
            .on(account, "ben@example.com")
            .with("role", "member")
            .changed("before", "after");
        self.write_at(now, |tx| record(tx, &by, &event, ()).map(|_| ()), seed);
    }

    /// A file whose organisation's chain has an event of each of six days, the first three of which were pruned: it begins
    /// with row 4, and row 7 says so.
    fn pruned() -> Self {
        let file = Self::empty();
        for number in 0..6_u64 {
            let day = START.plus(i64::try_from(number).unwrap() * DAY);
            file.record_at(day, Some(file.organisation), number);
        }
        for number in 0..3 {
            file.record_at(START.plus(3 * DAY), None, number);
        }
        file.prune(START.plus(6 * DAY), START.plus(3 * DAY));
        assert_eq!(file.verdict().faults, []);
        file
    }

    /// Prunes all that is older, as the background thread does; answers with how many transactions that took.
    fn prune(&self, now: Timestamp, before: Timestamp) -> usize {
        let mut steps = 0;
        let mut behind = None;
        let next = |behind| {
            let read = |read: &crate::kit::db::Read<'_>| next_prunable(read, behind, before);
            self.db().read(now, read).unwrap()
        };
        while let Some(chain) = next(behind) {
            let mut more = true;
            while more {
                self.write_at(
                    now,
                    |tx| {
                        more = prune(tx, chain, before)?;
                        Ok(())
                    },
                    steps,
                );
                steps += 1;
            }
            behind = Some(chain);
        }
        usize::try_from(steps).unwrap()
    }

    fn person(&self) -> Person {
        Person {
            organisation: self.organisation,
            account: "acc_bbbbbbbbbbbbb".parse().unwrap(),
        }
    }

    /// A file from which all that says who the account of its events is was erased, with row 7 and row 4.
    fn erased() -> Self {
        let file = Self::new();
        let names = file
            .db()
            .read(START, |read| Names::known(read, file.person()))
            .unwrap();
        file.write(
            |tx| erase(tx, &By::operator(), file.person(), &names).map(|_| ()),
            9,
        );
        assert_eq!(file.verdict().faults, []);
        file
    }

    fn found(&self) -> Vec<(bool, i64, &'static str)> {
        let faults = self.verdict().faults.into_iter();
        faults
            .map(|fault| (fault.chain_id != 0, fault.number, fault.what))
            .collect()
    }

    fn ask<T: rusqlite::types::FromSql>(&self, sql: &str) -> Vec<T> {
        let conn = Connection::open(self.folder.path().join("doorward.db")).unwrap();
        let own = self.organisation.number().to_string();
        let mut statement = conn.prepare(&sql.replace(":own", &own)).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn verdict(&self) -> Verdict {
        let read = |read: &crate::kit::db::Read<'_>| verify(read, &self.keys);
        self.db().read(Timestamp(0), read).unwrap()
    }

    /// Changes the file as whoever owns the disk can: without the triggers, without our code.
    fn tamper(&self, script: &str) {
        let conn = Connection::open(self.folder.path().join("doorward.db")).unwrap();
        conn.execute_batch(
            "DROP TRIGGER IF EXISTS audit_events_stay; DROP TRIGGER IF EXISTS audit_events_remain;
             DROP TRIGGER IF EXISTS audit_texts_stay; DROP TRIGGER IF EXISTS audit_texts_remain;",
        )
        .unwrap();
        let own = self.organisation.number().to_string();
        conn.execute_batch(&script.replace(":own", &own)).unwrap();
    }
}

/// What is found once this was done to a good file: the chain (the system's is 0), the row, and the words.
fn found(script: &str) -> Vec<(bool, i64, &'static str)> {
    let file = File::new();
    file.tamper(script);
    file.found()
}

/// The same of a file that was pruned, or from which texts were erased.
fn found_in(file: &File, script: &str) -> Vec<(bool, i64, &'static str)> {
    file.tamper(script);
    file.found()
}

#[test]
fn a_good_file_has_no_fault() {
    let verdict = File::new().verdict();
    assert_eq!((verdict.chains, verdict.rows), (2, 9));
    assert_eq!(File::empty().verdict().chains, 0);
}

#[test]
fn a_change_of_any_field_is_found() {
    for change in [
        "at = at + 1",
        "action = 'account.deleted'",
        "actor = 'operator', actor_id = NULL",
        "actor_id = actor_id + 1",
        "session_id = session_id + 1",
        "session_id = NULL",
        "target_id = NULL",
        "target_id = 0",
        "details = '{\"role\":\"master\"}'",
        "details = details || ' '",
        "request_id = ''",
        // What moves from one field into its neighbour is no less a change.
        "action = action || actor, actor = 'stranger', actor_id = NULL",
        "commitments = zeroblob(length(commitments))",
        "commitments = x''",
        "hash = zeroblob(32)",
    ] {
        let script =
            format!("UPDATE audit_events SET {change} WHERE chain_id = :own AND number = 3");
        assert_eq!(found(&script), [(true, 3, CHANGED)], "{change}");
    }
}

#[test]
fn a_removed_row_is_found() {
    for (number, what) in [(1, REMOVED), (3, REMOVED), (6, CUT)] {
        let script =
            format!("DELETE FROM audit_events WHERE chain_id = :own AND number = {number}");
        assert_eq!(found(&script), [(true, number, what)]);
    }
    let closed_up = "DELETE FROM audit_events WHERE chain_id = :own AND number = 3;
                     UPDATE audit_events SET number = number - 1 WHERE chain_id = :own AND number > 3";
    assert_eq!(found(closed_up), [(true, 3, CHANGED)]);
}

#[test]
fn a_row_put_in_is_found() {
    const COPY: &str = "INSERT INTO audit_events SELECT chain_id, 3, at, action, actor, actor_id, session_id, target_id,
         details, request_id, commitments, hash FROM audit_events WHERE chain_id = :own AND number =";
    const ROOM: &str =
        "UPDATE audit_events SET number = -number WHERE chain_id = :own AND number >= 3;
         UPDATE audit_events SET number = 1 - number WHERE chain_id = :own AND number < 0;";
    // The CHECK on numbers is in the way of this trick, not in the way of whoever owns the disk.
    let open = "PRAGMA ignore_check_constraints = ON;";
    assert_eq!(
        found(&format!("{open}{ROOM}{COPY} 1")),
        [(true, 3, CHANGED)]
    );
    // A double of the row itself fits where it stood; what was moved for it does not.
    assert_eq!(
        found(&format!("{open}{ROOM}{COPY} 4")),
        [(true, 4, CHANGED)]
    );
}

#[test]
fn swapped_rows_are_found() {
    let script = "PRAGMA ignore_check_constraints = ON;
        UPDATE audit_events SET number = -number WHERE chain_id = :own AND number IN (3, 4);
        UPDATE audit_events SET number = 7 + number WHERE chain_id = :own AND number < 0;";
    assert_eq!(found(script), [(true, 3, CHANGED)]);
}

#[test]
fn rows_of_another_chain_are_found() {
    let script = "INSERT INTO audit_events SELECT :own, 7, at, action, actor, actor_id, session_id, target_id, details,
        request_id, commitments, hash FROM audit_events WHERE chain_id = 0 AND number = 3;";
    assert_eq!(found(script), [(true, 7, CHANGED)]);
    let moved = "DELETE FROM audit_events WHERE chain_id = :own;
        UPDATE audit_events SET chain_id = :own WHERE chain_id = 0";
    assert_eq!(found(moved), [(false, 1, CUT), (true, 1, CHANGED)]);
}

#[test]
fn rows_cut_off_the_end_are_found() {
    let cut = "DELETE FROM audit_events WHERE chain_id = :own AND number > 4;";
    assert_eq!(found(cut), [(true, 5, CUT)]);
    let all = "DELETE FROM audit_events WHERE chain_id = :own;";
    assert_eq!(found(all), [(true, 1, CUT)]);
}

#[test]
fn a_forged_head_is_found() {
    let put_back = "DELETE FROM audit_events WHERE chain_id = :own AND number > 4;
        UPDATE audit_heads SET number = 4, hash = (SELECT hash FROM audit_events WHERE chain_id = :own AND number = 4)
         WHERE chain_id = :own";
    assert_eq!(found(put_back), [(true, 4, FORGED)]);
    let of_the_other =
        "UPDATE audit_heads SET mac = (SELECT mac FROM audit_heads WHERE chain_id = 0)";
    assert_eq!(found(of_the_other), [(true, 6, FORGED)]);
    assert_eq!(
        found("DELETE FROM audit_heads WHERE chain_id = :own"),
        [(true, 7, HEADLESS)]
    );
}

#[test]
fn a_chain_that_was_made_anew_without_the_key_is_found() {
    let file = File::new();
    let other = File {
        keys: Keys::new([2; 32]),
        folder: file.folder,
        organisation: file.organisation,
    };
    let faults: Vec<_> = other
        .verdict()
        .faults
        .iter()
        .map(|fault| fault.what)
        .collect();
    assert_eq!(faults, [FORGED, FORGED]);
}

#[test]
fn a_row_added_without_the_head_is_found() {
    let file = File::new();
    let head = "CREATE TABLE kept AS SELECT * FROM audit_heads;";
    file.tamper(head);
    file.record(Some(file.organisation), 99);
    file.tamper(
        "DELETE FROM audit_heads; INSERT INTO audit_heads SELECT * FROM kept; DROP TABLE kept",
    );
    let faults = file.verdict().faults;
    assert_eq!(
        (faults.len(), faults[0].number, faults[0].what),
        (1, 7, ADDED)
    );
}

#[test]
fn a_chain_that_is_gone_with_its_head_is_missed_in_its_organisation() {
    let script = "PRAGMA foreign_keys = OFF;
        INSERT INTO organisations (id, name, time_zone, owner_id, managers, trust, created_at) VALUES (:own, 'Own', 'UTC', 1, 'admins', 'off', 0);
        DELETE FROM audit_events WHERE chain_id = :own; DELETE FROM audit_heads WHERE chain_id = :own";
    assert_eq!(found(script), [(true, 1, HEADLESS)]);
}

#[test]
fn a_changed_text_is_found_and_so_is_one_that_was_only_deleted() {
    let row = "WHERE chain_id = :own AND number = 3";
    for slot in 1..=5 {
        for change in ["text = 'eve@example.com'", "salt = zeroblob(16)"] {
            let script = format!("UPDATE audit_texts SET {change} {row} AND slot = {slot}");
            assert_eq!(found(&script), [(true, 3, REWORDED)], "{slot} {change}");
        }
    }
    let exchanged = "UPDATE audit_texts SET slot = -1 WHERE slot = 4; UPDATE audit_texts SET slot = 4 WHERE slot = 5;
        UPDATE audit_texts SET slot = 5 WHERE slot = -1";
    let exchanged = format!("PRAGMA ignore_check_constraints = ON; {exchanged}");
    assert_eq!(
        found(&exchanged),
        [(false, 1, REWORDED), (true, 1, REWORDED)]
    );
    let all = found("DELETE FROM audit_texts");
    assert_eq!(all, [(false, 1, MISSING), (true, 1, MISSING)]);
    for slot in 1..=5 {
        let script = format!("DELETE FROM audit_texts {row} AND slot = {slot}");
        assert_eq!(found(&script), [(true, 3, MISSING)], "{slot}");
    }
}

#[test]
fn a_text_that_no_row_commits_to_is_found() {
    let file = File::empty();
    let event = Event::of(file.organisation, Action::MailRetried);
    file.write(|tx| record(tx, &By::operator(), &event, ()).map(|_| ()), 1);
    assert_eq!(file.verdict().faults, []);
    file.tamper("INSERT INTO audit_texts VALUES (:own, 1, 3, zeroblob(16), 'ann@example.com')");
    assert_eq!(file.verdict().faults[0].what, REWORDED);
}

#[test]
fn chains_longer_than_one_page_are_checked_to_their_end() {
    let file = File::empty();
    let event = Event::of(file.organisation, Action::MailRetried).on_text("ann@example.com");
    let many = |tx: &crate::kit::db::Tx<'_>| {
        for _ in 0..2_001 {
            record(tx, &By::system(), &event, ())?.into_inner();
        }
        Ok(())
    };
    file.write(many, 1);
    assert_eq!(
        (file.verdict().rows, file.verdict().faults),
        (2_001, vec![])
    );
    for number in [2_001, 2_000, 1_001, 1_000] {
        file.tamper(&format!(
            "UPDATE audit_events SET at = at + 1 WHERE number = {number}"
        ));
        let faults = file.verdict().faults;
        assert_eq!(
            (faults.len(), faults[0].number, faults[0].what),
            (1, number, CHANGED)
        );
    }
}

#[test]
fn a_pruned_chain_begins_behind_its_checkpoint() {
    let file = File::pruned();
    let verdict = file.verdict();
    assert_eq!((verdict.chains, verdict.rows), (2, 7));
    let numbers = "SELECT number FROM audit_events WHERE chain_id = :own ORDER BY number";
    assert_eq!(file.ask::<i64>(numbers), [4, 5, 6, 7]);
    assert_eq!(
        file.ask::<i64>("SELECT count(*) FROM audit_texts WHERE number < 4 AND chain_id = :own"),
        [0]
    );
    let said = file.ask::<String>("SELECT action || details FROM audit_events WHERE number = 7");
    let until = START.plus(2 * DAY).0;
    assert_eq!(
        said,
        [format!(
            "audit.pruned{{\"rows\":3,\"until\":{until},\"up_to\":3}}"
        )]
    );
    let index = "SELECT count(*) FROM audit_index('\"action:account:created\"')";
    assert_eq!(file.ask::<i64>(index), [3], "of the organisation's events");
    let keyless = |read: &crate::kit::db::Read<'_>| verify_without_key(read);
    assert_eq!(file.db().read(START, keyless).unwrap().faults, []);
}

#[test]
fn pruning_is_said_once_a_day_and_never_takes_the_newest_row() {
    let file = File::pruned();
    let kept = "SELECT group_concat(number) FROM audit_events GROUP BY chain_id ORDER BY chain_id";
    // The chain of which it was said within the day waits; the other has its turn.
    let later = START.plus(6 * DAY + 60);
    assert_eq!(file.prune(later, START.plus(5 * DAY)), 1);
    assert_eq!(file.ask::<String>(kept), ["3,4", "4,5,6,7"]);
    let later = START.plus(8 * DAY);
    assert_eq!(file.prune(later, later.plus(1_000 * DAY)), 2);
    // Each chain keeps its newest row, and the one that says what was pruned.
    assert_eq!(file.ask::<String>(kept), ["4,5", "7,8"]);
    let rows = "SELECT json_extract(details, '$.rows') FROM audit_events WHERE action = 'audit.pruned' ORDER BY chain_id, number";
    assert_eq!(file.ask::<i64>(rows), [2, 1, 3, 3]);
    assert_eq!(file.found(), []);
}

#[test]
fn long_chains_are_pruned_in_steps_and_said_once() {
    let file = File::empty();
    let event = Event::of(file.organisation, Action::MailRetried).on_text("ann@example.com");
    let many = |tx: &crate::kit::db::Tx<'_>| {
        for _ in 0..4_500 {
            record(tx, &By::system(), &event, ())?.into_inner();
        }
        Ok(())
    };
    file.write(many, 1);
    // A process that is killed after the first step leaves a chain that verifies.
    let before = START.plus(1);
    let now = START.plus(40 * DAY);
    let next = |read: &crate::kit::db::Read<'_>| next_prunable(read, None, before);
    let chain = file.db().read(now, next).unwrap().unwrap();
    let step = |tx: &crate::kit::db::Tx<'_>| prune(tx, chain, before).map(|more| assert!(more));
    file.write_at(now, step, 2);
    assert_eq!((file.verdict().rows, file.found()), (2_500, vec![]));
    assert_eq!(file.prune(now, before), 2);
    let said = "SELECT details FROM audit_events WHERE action = 'audit.pruned'";
    let until = START.0;
    assert_eq!(
        file.ask::<String>(said),
        [format!(
            "{{\"rows\":4499,\"until\":{until},\"up_to\":4499}}"
        )]
    );
    assert_eq!((file.verdict().rows, file.found()), (2, vec![]));
}

#[test]
fn rows_behind_one_that_is_newer_stay() {
    let file = File::empty();
    for (number, day) in [(0, 0), (1, 9), (2, 0), (3, 0)] {
        file.record_at(START.plus(day * DAY), Some(file.organisation), number);
    }
    file.prune(START.plus(10 * DAY), START.plus(5 * DAY));
    let numbers = "SELECT number FROM audit_events ORDER BY number";
    assert_eq!(file.ask::<i64>(numbers), [2, 3, 4, 5]);
    assert_eq!(file.found(), []);
}

#[test]
fn what_was_done_to_a_pruned_chain_is_found() {
    const OWN: &str = "WHERE chain_id = :own";
    for (script, number, what) in [
        ("UPDATE audit_events SET at = at + 1 WHERE chain_id = :own AND number = 5", 5, CHANGED),
        ("UPDATE audit_events SET at = at + 1 WHERE chain_id = :own AND number = 4", 4, CHANGED),
        ("DELETE FROM audit_events WHERE chain_id = :own AND number = 4", 4, REMOVED),
        ("DELETE FROM audit_events WHERE chain_id = :own AND number = 5", 5, REMOVED),
        ("DELETE FROM audit_events WHERE chain_id = :own AND number = 7", 7, CUT),
        ("DELETE FROM audit_events WHERE chain_id = :own", 4, CUT),
        ("DELETE FROM audit_heads WHERE chain_id = :own", 8, HEADLESS),
        ("UPDATE audit_texts SET text = 'eve' WHERE chain_id = :own AND number = 5 AND slot = 3", 5, REWORDED),
        ("DELETE FROM audit_texts WHERE chain_id = :own AND number = 5 AND slot = 3", 5, MISSING),
        ("DELETE FROM audit_checkpoints WHERE chain_id = :own", 1, REMOVED),
        ("UPDATE audit_checkpoints SET mac = zeroblob(32)", 3, MOVED),
        ("UPDATE audit_checkpoints SET hash = zeroblob(32)", 3, MOVED),
        ("UPDATE audit_checkpoints SET pruned_at = pruned_at - 1", 3, MOVED),
        ("UPDATE audit_checkpoints SET number = 2", 2, MOVED),
        // Whoever prunes more has no key for it.
        (
            "UPDATE audit_checkpoints SET number = 5, hash = (SELECT hash FROM audit_events WHERE chain_id = :own AND number = 5);
             DELETE FROM audit_events WHERE chain_id = :own AND number <= 5;
             DELETE FROM audit_texts WHERE chain_id = :own AND number <= 5",
            5,
            MOVED,
        ),
        ("INSERT INTO audit_texts VALUES (:own, 2, 3, zeroblob(16), 'ann@example.com')", 3, BACK),
        (
            "INSERT INTO audit_events SELECT chain_id, 3, at, action, actor, actor_id, session_id, target_id, details,
               request_id, commitments, hash FROM audit_events WHERE chain_id = :own AND number = 4",
            3,
            BACK,
        ),
    ] {
        assert_eq!(found_in(&File::pruned(), script), [(true, number, what)], "{script}");
    }
    // Nor does the checkpoint of one chain fit another.
    let moved = format!("UPDATE audit_checkpoints SET chain_id = 0 {OWN}");
    let found = found_in(&File::pruned(), &moved);
    assert_eq!(found, [(false, 3, MOVED), (true, 1, REMOVED)]);
    // Without the key it is the hash of the first row that does not fit.
    let file = File::pruned();
    file.tamper("UPDATE audit_checkpoints SET hash = zeroblob(32)");
    let keyless = |read: &crate::kit::db::Read<'_>| verify_without_key(read);
    let faults = file.db().read(START, keyless).unwrap().faults;
    assert_eq!(
        (faults.len(), faults[0].number, faults[0].what),
        (1, 4, CHANGED)
    );
}

#[test]
fn another_key_takes_a_pruned_chain_over() {
    let file = File::pruned();
    let other = File {
        keys: Keys::new([2; 32]),
        folder: file.folder,
        organisation: file.organisation,
    };
    assert_eq!(other.found()[1], (true, 3, MOVED));
    other.write(|tx| checkpoint(tx, &By::operator(), ()).map(|_| ()), 11);
    assert_eq!(other.found(), []);
}

#[test]
fn erased_texts_are_on_record_and_their_words_leave_the_index() {
    let file = File::erased();
    assert_eq!(file.verdict().rows, 11);
    assert_eq!(
        file.ask::<i64>("SELECT count(*) FROM audit_texts WHERE slot <= 3"),
        [0]
    );
    // What somebody changed of something else is nobody's name.
    assert_eq!(
        file.ask::<i64>("SELECT count(*) FROM audit_texts WHERE slot > 3"),
        [18]
    );
    let said = "SELECT json_extract(details, '$.texts') FROM audit_events WHERE action = 'account.erased' ORDER BY chain_id";
    assert_eq!(file.ask::<i64>(said), [9, 18]);
    let mut stage = Scrub::Owed;
    while stage != Scrub::Done {
        let step = |tx: &crate::kit::db::Tx<'_>| {
            stage = stage.go_on(tx)?;
            Ok(())
        };
        file.write(step, 12);
    }
    let words = "SELECT term FROM words WHERE term NOT LIKE '%:%'";
    let conn = Connection::open(file.folder.path().join("doorward.db")).unwrap();
    conn.execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, audit_index, row)")
        .unwrap();
    let mut statement = conn.prepare(words).unwrap();
    let terms: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(
        terms,
        ["0", "1", "2", "3", "4", "5", "after", "before", "request"]
    );
}

#[test]
fn an_erasure_that_is_not_what_it_was_is_found() {
    for (script, number, what) in [
        (
            "DELETE FROM audit_erasures WHERE chain_id = :own AND number = 2 AND slot = 1",
            2,
            MISSING,
        ),
        (
            "INSERT INTO audit_erasures VALUES (:own, 2, 4, 7); DELETE FROM audit_texts WHERE chain_id = :own AND number = 2 AND slot = 4",
            7,
            UNLISTED,
        ),
        (
            "UPDATE audit_erasures SET event = 6 WHERE chain_id = :own AND number = 2 AND slot = 1",
            7,
            UNLISTED,
        ),
        (
            "INSERT INTO audit_erasures VALUES (:own, 2, 4, 6); DELETE FROM audit_texts WHERE chain_id = :own AND number = 2 AND slot = 4",
            6,
            UNRECORDED,
        ),
        (
            "INSERT INTO audit_erasures VALUES (:own, 1, 4, 99)",
            99,
            UNRECORDED,
        ),
        (
            "INSERT INTO audit_texts VALUES (:own, 2, 1, zeroblob(16), 'eve@example.com')",
            2,
            REWORDED,
        ),
        (
            "DELETE FROM audit_texts WHERE chain_id = :own AND number = 2 AND slot = 4",
            2,
            MISSING,
        ),
    ] {
        assert_eq!(
            found_in(&File::erased(), script),
            [(true, number, what)],
            "{script}"
        );
    }
    // Whoever kept a text can put it back, and that is found as well.
    let file = File::new();
    file.tamper("CREATE TABLE kept AS SELECT * FROM audit_texts WHERE chain_id = :own AND number = 2 AND slot = 1");
    let names = Names::default();
    file.write(
        |tx| erase(tx, &By::operator(), file.person(), &names).map(|_| ()),
        9,
    );
    file.tamper("INSERT INTO audit_texts SELECT * FROM kept");
    assert_eq!(file.found(), [(true, 2, RETURNED)]);
}

#[test]
fn the_record_of_an_erasure_goes_with_its_event() {
    let file = File::erased();
    for day in 1..9_u64 {
        let at = START.plus(i64::try_from(day).unwrap() * DAY);
        file.record_at(at, Some(file.organisation), 20 + day);
    }
    file.prune(START.plus(20 * DAY), START.plus(3 * DAY));
    assert_eq!(file.found(), []);
    let left = "SELECT count(*) FROM audit_erasures WHERE chain_id = :own";
    assert_eq!(file.ask::<i64>(left), [0]);
}

#[test]
fn a_name_is_found_as_words_of_its_own() {
    let mut names = Names::default();
    names.add("Ann Ås");
    names.add("ann@example.com");
    names.add("Kim");
    names.add("Al");
    for (text, is_in) in [
        ("ann ås", true),
        ("Rack of Ann Ås, cold", true),
        ("Ann Åsen", false),
        ("Joann Ås", false),
        ("to <ANN@example.com>", true),
        ("joann@example.com", false),
        ("ann@example.com.au", true),
        ("Kim", true),
        ("kim ", true),
        ("Kim Wold", false),
        ("al", false),
        ("", false),
    ] {
        assert_eq!(names.are_in(text), is_in, "{text}");
    }
}

#[test]
fn every_slug_is_one_of_a_kind() {
    let mut slugs: Vec<&str> = Action::ALL.iter().map(|action| action.slug()).collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), Action::ALL.len());
}
