//! What a killed server left on the disk, looked at in a copy before anybody mends it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::FromSql;

use doorward::domain::id::AccountId;

use super::deeds::{Managed, Standing};
use super::person::{Done, Person, hash_of};

/// What must give no rows, whenever the power went.
const CONTRADICTIONS: [(&str, &str); 20] = [
    (
        "a second factor that its account does not know of, or the other way about",
        "SELECT email FROM accounts a WHERE two_factor <> EXISTS (SELECT 1 FROM factors WHERE account_id = a.id)",
    ),
    (
        "a second factor without ten recovery codes, or codes without one",
        "SELECT email FROM accounts a WHERE two_factor * 10 <> (SELECT count(*) FROM recovery_codes WHERE account_id = a.id)",
    ),
    (
        "a second factor without its record, or a record without it",
        "SELECT email FROM accounts a WHERE status <> 'deleted' AND two_factor <> coalesce(
            (SELECT action = 'two_factor.enabled' FROM audit_events WHERE target_id = a.id
                AND action IN ('two_factor.enabled', 'two_factor.disabled', 'two_factor.reset') ORDER BY number DESC LIMIT 1), 0)",
    ),
    (
        "a change of a second factor without its mail, or a mail without it",
        "SELECT column1 FROM (VALUES ('two_factor_on', 'two_factor.enabled'), ('two_factor_off', 'two_factor.disabled'),
              ('two_factor_reset', 'two_factor.reset'), ('codes_renewed', 'recovery_codes.renewed'))
            WHERE (SELECT count(*) FROM errands WHERE kind = column1)
              <> (SELECT count(*) FROM audit_events WHERE action = column2)",
    ),
    (
        "a recovery code used without its mail, or a mail without it",
        "SELECT email FROM accounts a WHERE (SELECT count(*) FROM errands WHERE account_id = a.id AND kind = 'recovery_used')
            <> (SELECT count(*) FROM audit_events WHERE target_id = a.id AND action = 'sign_in.succeeded'
                  AND json_extract(details, '$.second') = 'recovery')",
    ),
    (
        "an account without its invitation",
        "SELECT email FROM accounts a WHERE status = 'pending'
            AND NOT EXISTS (SELECT 1 FROM invitations WHERE account_id = a.id AND state = 'open')",
    ),
    (
        "an account without its mail",
        "SELECT email FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM errands WHERE account_id = a.id)
            AND created_by IS NOT NULL",
    ),
    (
        "an account without its record",
        "SELECT email FROM accounts a WHERE created_by IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM audit_events WHERE target_id = a.id AND action = 'account.created')",
    ),
    (
        "a record without its account",
        "SELECT target_id FROM audit_events WHERE action = 'account.created'
            AND target_id NOT IN (SELECT id FROM accounts)",
    ),
    (
        "an activation without its record, or a record without it",
        "SELECT email FROM accounts a WHERE (status IN ('active', 'disabled')) <> EXISTS
            (SELECT 1 FROM audit_events WHERE target_id = a.id AND action IN ('account.activated', 'organisation.created'))
            AND created_by IS NOT NULL AND status <> 'deleted'",
    ),
    (
        "an activation without its password, or a password without it",
        "SELECT email FROM accounts a WHERE status <> 'deleted'
            AND (status IN ('active', 'disabled') AND NOT EXISTS
              (SELECT 1 FROM resets WHERE account_id = a.id AND reset_by IS NOT NULL AND state = 'open'))
            <> EXISTS (SELECT 1 FROM passwords WHERE account_id = a.id)",
    ),
    (
        "an activation that left its link open",
        "SELECT email FROM accounts a WHERE status = 'active' AND EXISTS
            (SELECT 1 FROM invitations WHERE account_id = a.id AND state <> 'used')",
    ),
    (
        "a reset without its mail",
        "SELECT id FROM resets r WHERE NOT EXISTS (SELECT 1 FROM errands WHERE about_id = r.id AND kind = 'reset')",
    ),
    (
        "an account switched off without its record, or a record without it",
        "SELECT email FROM accounts a WHERE status <> 'deleted' AND (status = 'disabled') <> coalesce(
            (SELECT action = 'account.disabled' FROM audit_events
              WHERE target_id = a.id AND action IN ('account.disabled', 'account.enabled') ORDER BY number DESC LIMIT 1), 0)",
    ),
    (
        "a permission without its record, or a record without it",
        "SELECT email FROM accounts a WHERE status <> 'deleted' AND created_by IS NOT NULL AND role <>
            (SELECT json_extract(details, '$.role') FROM audit_events
              WHERE target_id = a.id AND action IN ('account.created', 'role.changed') ORDER BY number DESC LIMIT 1)",
    ),
    (
        "a change of permission without its mail",
        "SELECT email FROM accounts a WHERE
            (SELECT count(*) FROM audit_events WHERE target_id = a.id AND action = 'role.changed') <>
            (SELECT count(*) FROM errands WHERE account_id = a.id AND kind = 'role_changed')",
    ),
    (
        "a password taken away without its record, or a record without it",
        "SELECT email FROM accounts a WHERE status <> 'deleted' AND
            (SELECT count(*) FROM audit_events WHERE target_id = a.id AND action = 'password.reset') <>
            (SELECT count(*) FROM resets WHERE account_id = a.id AND reset_by IS NOT NULL)",
    ),
    (
        "a deletion without its record, or a record without it",
        "SELECT id FROM accounts a WHERE (status = 'deleted') <>
            EXISTS (SELECT 1 FROM audit_events WHERE target_id = a.id AND action = 'account.deleted')",
    ),
    (
        "a deletion that left something",
        "SELECT id FROM accounts a WHERE status = 'deleted' AND (email IS NOT NULL
            OR EXISTS (SELECT 1 FROM passwords WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM sessions WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM devices WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM challenges WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM sign_in_links WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM factors WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM enrolments WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM recovery_codes WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM invitations WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM resets WHERE account_id = a.id)
            OR EXISTS (SELECT 1 FROM errands WHERE account_id = a.id AND recipient IS NOT NULL))",
    ),
    (
        "an ownership without its record, or a record without it",
        "SELECT name FROM organisations o WHERE owner_id <>
            (SELECT target_id FROM audit_events WHERE chain_id = o.id
                AND action IN ('organisation.created', 'ownership.moved') ORDER BY number DESC LIMIT 1)",
    ),
];

/// A copy of the file, open.
pub(crate) struct File {
    conn: Connection,
    // The copy lies in it.
    _folder: tempfile::TempDir,
}

impl File {
    /// Copies database and log as they lie there.
    pub(crate) fn copy(data: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["doorward.db", "doorward.db-wal"] {
            let from = data.join(name);
            if from.exists() {
                std::fs::copy(from, folder.path().join(name)).unwrap();
            }
        }
        Self {
            conn: Connection::open(folder.path().join("doorward.db")).unwrap(),
            _folder: folder,
        }
    }

    /// The first column of what this asks.
    pub(crate) fn ask<T: FromSql>(&self, sql: &str) -> Vec<T> {
        let mut statement = self.conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Everybody's account.
    fn ids(&self) -> BTreeMap<String, AccountId> {
        let mut statement = self
            .conn
            .prepare("SELECT email, id FROM accounts WHERE email IS NOT NULL")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// How every account stands.
    fn standings(&self) -> BTreeMap<i64, Standing> {
        let mut statement = self
            .conn
            .prepare(
                "SELECT id, status, role, epoch, EXISTS (SELECT 1 FROM passwords WHERE account_id = a.id) FROM accounts a",
            )
            .unwrap();
        let rows = statement.query_map([], |row| {
            let standing = Standing {
                status: row.get(1)?,
                role: row.get(2)?,
                epoch: row.get(3)?,
                has_password: row.get(4)?,
            };
            Ok((row.get(0)?, standing))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// What is damaged, or half done.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self
            .ask::<String>("PRAGMA integrity_check")
            .into_iter()
            .filter(|word| word != "ok")
            .collect();
        faults.extend(self.ask::<String>("PRAGMA foreign_key_check"));
        for (what, sql) in CONTRADICTIONS {
            let rows = format!("SELECT count(*) FROM ({sql})");
            let count = self.ask::<i64>(&rows)[0];
            if count > 0 {
                faults.push(format!("{what} ({count})"));
            }
        }
        faults
    }

    /// Compares it with what people were told, and tells them what became of the rest. Answers with what is lost.
    pub(super) fn settle(&self, people: &mut [Person]) -> Vec<String> {
        let known = Known::of(self);
        let mut lost = Vec::new();
        for person in people {
            known.settle(person, &mut lost);
        }
        lost
    }
}

/// What the file says of everybody.
struct Known {
    ids: BTreeMap<String, AccountId>,
    standing: BTreeMap<i64, Standing>,
    status: BTreeMap<String, String>,
    asked: BTreeSet<String>,
    reset: BTreeSet<String>,
    sessions: BTreeSet<Vec<u8>>,
}

impl Known {
    fn of(file: &File) -> Self {
        let statuses: Vec<String> =
            file.ask("SELECT email || ' ' || status FROM accounts WHERE email IS NOT NULL");
        let split = |line: String| {
            let (email, status) = line.split_once(' ').unwrap();
            (email.to_owned(), status.to_owned())
        };
        let emails = |sql: &str| file.ask::<String>(sql).into_iter().collect();
        Self {
            ids: file.ids(),
            standing: file.standings(),
            status: statuses.into_iter().map(split).collect(),
            asked: emails(
                "SELECT email FROM accounts a WHERE EXISTS (SELECT 1 FROM resets WHERE account_id = a.id)",
            ),
            reset: emails(
                "SELECT email FROM accounts a WHERE EXISTS
                   (SELECT 1 FROM resets WHERE account_id = a.id AND state = 'used')",
            ),
            // Those of an older epoch are over, whether or not their row was swept yet.
            sessions: file
                .ask(
                    "SELECT hash FROM sessions s JOIN accounts a ON a.id = account_id
                        WHERE s.epoch = a.epoch AND a.status = 'active'",
                )
                .into_iter()
                .collect(),
        }
    }

    fn settle(&self, person: &mut Person, lost: &mut Vec<String>) {
        if person.managed.is_some() {
            self.settle_managed(person, lost);
        } else {
            self.settle_own(person, lost);
        }
        let email = &person.email;
        let is_open = |cookie: &String| self.sessions.contains(&hash_of(cookie));
        if person
            .session
            .as_ref()
            .is_some_and(|cookie| !is_open(cookie))
        {
            lost.push(format!("{email}: the session"));
        }
        if person.ended.iter().any(is_open) {
            lost.push(format!("{email}: a session that had ended is back"));
        }
    }

    /// What people did themselves.
    fn settle_own(&self, person: &mut Person, lost: &mut Vec<String>) {
        let status = self.status.get(&person.email).map(String::as_str);
        let email = &person.email;
        for (what, done, is_there) in [
            ("invited", &mut person.invited, status.is_some()),
            ("activated", &mut person.activated, status == Some("active")),
            ("asked", &mut person.asked, self.asked.contains(email)),
            ("reset", &mut person.reset, self.reset.contains(email)),
        ] {
            match done.settled(is_there.into()) {
                Some(settled) => *done = settled,
                None => lost.push(format!("{email}: {what} {done:?}, in the file: {is_there}")),
            }
        }
        if person.reset == Done::Yes {
            // If the answer did not come, this is how they learn of it.
            person.ended.extend(person.session.take());
        }
        if person.is_ready()
            && let Some(id) = self.ids.get(email)
        {
            person.managed = Some(Managed {
                id: *id,
                standing: self.standing[&id.number()].clone(),
                done: 0,
                perhaps: None,
            });
        }
    }

    /// What a Master did to them.
    fn settle_managed(&self, person: &mut Person, lost: &mut Vec<String>) {
        let Some(managed) = &mut person.managed else {
            return;
        };
        let found = &self.standing[&managed.id.number()];
        let perhaps = managed.perhaps.take();
        if *found == managed.standing {
            return;
        }
        match perhaps.filter(|deed| *found == managed.standing.after(*deed)) {
            Some(deed) => {
                managed.did(deed);
                if deed.ends_sessions() {
                    person.ended.extend(person.session.take());
                }
            }
            None => lost.push(format!(
                "{}: {:?} or after {perhaps:?}, in the file: {found:?}",
                person.email, managed.standing
            )),
        }
    }
}
