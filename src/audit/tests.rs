//! What each way of tampering with a chain looks like to whoever checks it.

use rusqlite::Connection;
use tempfile::TempDir;

use super::{Action, Event, Verdict, record, verify};
use crate::domain::id::{AccountId, OrganisationId};
use crate::error::Error;
use crate::kit::db::{Db, World};
use crate::kit::keys::Keys;
use crate::kit::random::SeededRandom;
use crate::kit::time::Timestamp;
use crate::scope::{Actor, By};

const CHANGED: &str = "this row was changed, put in or swapped";
const REMOVED: &str = "this row was removed";
const CUT: &str = "this row was removed from the end";
const ADDED: &str = "this row was put in at the end";
const FORGED: &str = "the chain's head was forged";
const HEADLESS: &str = "the chain's head was removed";
const REWORDED: &str = "the text of this row was changed";

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
        let world = World {
            now: Timestamp(1_795_526_400),
            random: &SeededRandom::new(seed),
            keys: &self.keys,
            mail_domain: "example.com",
        };
        self.db().write(world, work).unwrap();
    }

    fn record(&self, organisation: Option<OrganisationId>, seed: u64) {
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
        self.write(|tx| record(tx, &by, &event, ()).map(|_| ()), seed);
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
    file.verdict()
        .faults
        .into_iter()
        .map(|fault| (fault.chain_id != 0, fault.number, fault.what))
        .collect()
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
fn a_changed_text_is_found_and_an_erased_one_is_none() {
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
    assert_eq!(found("DELETE FROM audit_texts"), [], "texts may be erased");
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
fn every_slug_is_one_of_a_kind() {
    let mut slugs: Vec<&str> = Action::ALL.iter().map(|action| action.slug()).collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), Action::ALL.len());
}
