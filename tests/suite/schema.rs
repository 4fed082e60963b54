//! The schema by itself: what every table has in common, and the rows that it refuses whoever writes them.

use rusqlite::Connection;

const SCHEMA: &str = include_str!("../../schema.sql");

/// A good organisation with its policies, an owner with a second factor, a Pending, a Disabled and a deleted account, and
/// a mail that waits.
const ROWS: &str = "
    BEGIN;
    INSERT INTO organisations (id, name, time_zone, owner_id, managers, trust, created_at)
      VALUES (1, 'Fjord', 'UTC', 11, 'admins', 'off', 1), (2, 'Other', 'UTC', 21, 'admins', 'offered', 1);
    INSERT INTO policies VALUES (1, 'member', 'required', 7, 1), (1, 'master', 'off', 0, 1);
    INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, role_at, activated_at)
      VALUES (11, 1, 'active', 'master', 'olivia@fjord.example', 'Olivia', 1, 1, 1),
             (21, 2, 'active', 'master', 'otto@other.example', 'Otto', 1, 1, 1);
    INSERT INTO accounts (id, organisation_id, status, role, email, created_at, role_at)
      VALUES (12, 1, 'pending', 'member', 'ann@fjord.example', 1, 1);
    INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, role_at, activated_at, disabled_at)
      VALUES (13, 1, 'disabled', 'admin', 'ben@fjord.example', 'Ben', 1, 1, 1, 2);
    INSERT INTO accounts (id, organisation_id, status, role, created_at, role_at, deleted_at)
      VALUES (14, 1, 'deleted', 'member', 1, 1, 2);
    UPDATE accounts SET two_factor = 1 WHERE id = 11;
    INSERT INTO factors VALUES (11, 1, zeroblob(64), 5, 1, 1);
    INSERT INTO recovery_codes VALUES (11, zeroblob(32), 1, NULL);
    INSERT INTO enrolments VALUES (51, 1, 11, zeroblob(64), 1, 9);
    INSERT INTO challenges VALUES (zeroblob(32), 1, 11, 0, 1, 2);
    INSERT INTO sign_in_links VALUES (61, 1, 11, zeroblob(16), zeroblob(32), 1, 2, 'open');
    INSERT INTO errands (id, organisation_id, kind, account_id, message_id, urgency, state, created_at, due_at, deadline_at)
      VALUES (31, 1, 'activation', 12, 'm', 0, 'waiting', 1, 1, 2);
    INSERT INTO invitations (id, organisation_id, account_id, nonce, hash, created_at, expires_at, state)
      VALUES (41, 1, 12, zeroblob(16), zeroblob(32), 1, 2, 'open');
    COMMIT;";

fn fresh() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    conn
}

fn ask(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

const TABLES: &str =
    "SELECT t.name FROM pragma_table_list t WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%'
    AND t.name NOT LIKE 'audit\\_index%' ESCAPE '\\' AND";

#[test]
fn it_applies_to_an_empty_file_in_one_transaction() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(&format!("BEGIN; {SCHEMA} ROLLBACK"))
        .unwrap();
    let state = "SELECT count(*) || ' ' || (SELECT user_version FROM pragma_user_version) FROM sqlite_schema";
    assert_eq!(ask(&conn, state), ["0 0"]);
    conn.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT"))
        .unwrap();
    assert_eq!(
        ask(&conn, "SELECT user_version || '' FROM pragma_user_version"),
        ["6"]
    );
    assert_eq!(
        ask(&conn, "SELECT integrity_check FROM pragma_integrity_check"),
        ["ok"]
    );
    conn.execute_batch(ROWS).unwrap();
}

#[test]
fn every_table_is_strict() {
    assert_eq!(ask(&fresh(), &format!("{TABLES} NOT t.strict")), [""; 0]);
}

#[test]
fn what_belongs_to_somebody_names_its_organisation() {
    let without = format!(
        "{TABLES} NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = 'organisation_id') ORDER BY t.name"
    );
    let expected = [
        // By its errand.
        "attempts",
        // By the number of its chain; the log outlives the organisation.
        "audit_checkpoints",
        "audit_erasures",
        "audit_events",
        "audit_heads",
        "audit_texts",
        // The install's own.
        "backups",
        "catalogue",
        // By its errand.
        "dialogues",
        // By its list.
        "import_lines",
        "install",
        // By the organisation's id or a MAC, as the kind says.
        "invitation_tallies",
        // The operator's.
        "kinds",
        "organisations",
        "plans",
        "prices",
        "setup_links",
        "throttles",
    ];
    assert_eq!(ask(&fresh(), &without), expected);
}

#[test]
fn every_id_of_another_table_is_a_foreign_key_within_the_organisation() {
    let conn = fresh();
    let columns = "SELECT t.name || '.' || c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c
        WHERE t.schema = 'main' AND (c.name LIKE '%\\_id' ESCAPE '\\' OR c.name LIKE '%\\_by' ESCAPE '\\')
          AND NOT EXISTS (SELECT 1 FROM pragma_foreign_key_list(t.name) f WHERE f.\"from\" = c.name) ORDER BY 1";
    let expected = [
        // The log keeps what is gone.
        "audit_checkpoints.chain_id",
        "audit_erasures.chain_id",
        "audit_events.actor_id",
        "audit_events.chain_id",
        "audit_events.request_id",
        "audit_events.session_id",
        "audit_events.target_id",
        "audit_heads.chain_id",
        "audit_texts.chain_id",
        // A session may end before what was begun in it.
        "enrolments.session_id",
        // Of several tables, as the kind says.
        "errands.about_id",
        // No ids of ours; a list of people remembers whom it invited, and its session may end before it.
        "errands.message_id",
        "import_lines.account_id",
        "imports.session_id",
        "install.key_id",
        // An invoice is a copy, and leans on nothing.
        "invoice_lines.account_id",
        "invoice_lines.resource_id",
    ];
    assert_eq!(ask(&conn, columns), expected);
    // An account is named together with its organisation, so that nobody's row points into another's.
    let alone = "SELECT DISTINCT t.name || '.' || f.\"from\" FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f
        WHERE f.\"table\" = 'accounts' AND f.\"to\" = 'id'
          AND NOT EXISTS (SELECT 1 FROM pragma_foreign_key_list(t.name) o WHERE o.id = f.id AND o.\"to\" = 'organisation_id')";
    assert_eq!(ask(&conn, alone), [""; 0]);
}

#[test]
fn every_reference_to_an_account_can_be_looked_up() {
    // Without an index on it, deleting from the parent would read the whole child.
    let conn = fresh();
    let references = "SELECT t.name || '.' || f.\"from\" FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f
        WHERE t.schema = 'main' AND f.\"to\" = 'id' AND NOT EXISTS (
          SELECT 1 FROM pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c ON c.seqno = 0 AND c.name = f.\"from\")
          AND NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) p WHERE p.pk = 1 AND p.name = f.\"from\")
        ORDER BY 1";
    let expected = [
        "accounts.created_by",
        // Accounts are deleted from where they stand only in an organisation that never began, and plans never.
        "billing.contact_id",
        "departures.heir_id",
        "departures.set_by",
        "imports.given_by",
        "invitations.given_by",
        // Found by their own id, which stands beside them.
        "organisations.offered_to",
        "organisations.owner_id",
        "payments.noted_by",
        "resets.reset_by",
        "resources.created_by",
        "resources.plan_id",
        "runs.holder_id",
        "runs.plan_id",
    ];
    assert_eq!(ask(&conn, references), expected);
}

#[test]
fn times_are_whole_seconds_in_columns_named_for_it() {
    let wrong =
        "SELECT t.name || '.' || c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c
        WHERE t.schema = 'main' AND c.name LIKE '%\\_at' ESCAPE '\\' AND c.type <> 'INTEGER'";
    assert_eq!(ask(&fresh(), wrong), [""; 0]);
}

#[test]
fn every_table_and_every_column_that_may_be_absent_says_why() {
    let lines: Vec<&str> = SCHEMA.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("CREATE TABLE") {
            assert!(lines[at - 1].starts_with("-- "), "{line}");
        }
        let is_column = line
            .strip_prefix("  ")
            .is_some_and(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        if is_column && !line.contains("NOT NULL") && !line.contains("PRIMARY KEY") {
            assert!(line.contains("-- "), "{line}");
        }
    }
}

#[test]
fn rows_that_contradict_themselves_are_refused() {
    let account = |change: &str| format!("UPDATE accounts SET {change}");
    let errand = |change: &str| format!("UPDATE errands SET {change} WHERE id = 31");
    let cases = [
        account("status = 'active' WHERE id = 12"),
        account("name = NULL WHERE id = 11"),
        account("activated_at = NULL WHERE id = 11"),
        account("activated_at = 1 WHERE id = 12"),
        account("email = NULL WHERE id = 11"),
        account("email = 'back@fjord.example' WHERE id = 14"),
        account("phone = '+4722334455' WHERE id = 14"),
        account("deleted_at = NULL WHERE id = 14"),
        account("deleted_at = 5 WHERE id = 11"),
        account("disabled_at = NULL WHERE id = 13"),
        account("disabled_at = 5 WHERE id = 11"),
        account("status = 'retired' WHERE id = 11"),
        account("status = NULL WHERE id = 11"),
        account("role = 'owner' WHERE id = 11"),
        account("role = 'Master' WHERE id = 11"),
        account("name = '' WHERE id = 11"),
        account("phone = '22334455' WHERE id = 11"),
        account("phone = '+0722334455' WHERE id = 11"),
        account("phone = '' WHERE id = 11"),
        account("email = 'a@' WHERE id = 11"),
        account("email = 'otto@other.example' WHERE id = 11"),
        account("organisation_id = 2 WHERE id = 11"),
        account("organisation_id = 3 WHERE id = 12"),
        account("created_by = 21 WHERE id = 12"),
        account("epoch = 'x' WHERE id = 11"),
        account("id = 0 WHERE id = 14"),
        account("role_at = NULL WHERE id = 11"),
        account("two_factor = 2 WHERE id = 11"),
        account("two_factor = NULL WHERE id = 11"),
        account("two_factor = 1 WHERE id = 12"),
        account("two_factor = 1 WHERE id = 14"),
        errand("state = 'sending'"),
        errand("leased_until = 5"),
        errand("state = 'sent'"),
        errand("ended_at = 5"),
        errand("kind = 'advertisement'"),
        errand("urgency = 2"),
        errand("details = 'x'"),
        errand("account_id = 21"),
        "UPDATE organisations SET owner_id = 21 WHERE id = 1".to_owned(),
        "UPDATE organisations SET name = '' WHERE id = 1".to_owned(),
        "UPDATE invitations SET state = 'dead'".to_owned(),
        "UPDATE invitations SET expires_at = created_at".to_owned(),
        "UPDATE invitations SET hash = x'00'".to_owned(),
        "UPDATE invitations SET organisation_id = 2".to_owned(),
        "UPDATE invitations SET given_by = 21".to_owned(),
        "INSERT INTO invitations (id, organisation_id, account_id, nonce, hash, created_at, expires_at, state)
           VALUES (42, 1, 12, zeroblob(16), randomblob(32), 1, 2, 'expired')"
            .to_owned(),
        "INSERT INTO passwords VALUES (11, 1, 'Correct-Horse-7!', 1)".to_owned(),
        "INSERT INTO passwords VALUES (11, 2, '$argon2id$x', 1)".to_owned(),
        "INSERT INTO sessions VALUES (x'00', 1, 1, 11, 0, 1, 1, 1, 1, '', '')".to_owned(),
        "INSERT INTO sessions VALUES (zeroblob(32), 1, 1, 11, 0, 512, 1, 1, 1, '', '')".to_owned(),
        "INSERT INTO sessions VALUES (zeroblob(32), 1, 2, 11, 0, 1, 1, 1, 1, '', '')".to_owned(),
        "INSERT INTO sessions VALUES (zeroblob(32), 1, 1, 11, 0, 1, 1, 1, NULL, '', '')".to_owned(),
        "UPDATE organisations SET trust = 'always' WHERE id = 1".to_owned(),
        "UPDATE organisations SET trust = NULL WHERE id = 1".to_owned(),
        "UPDATE policies SET level = 'sometimes'".to_owned(),
        "UPDATE policies SET role = 'owner' WHERE role = 'member'".to_owned(),
        "UPDATE policies SET role = 'member'".to_owned(),
        "UPDATE policies SET grace_days = -1".to_owned(),
        "UPDATE policies SET grace_days = 31".to_owned(),
        "UPDATE policies SET stricter_at = NULL".to_owned(),
        "UPDATE policies SET organisation_id = 3".to_owned(),
        "UPDATE factors SET sealed = zeroblob(20)".to_owned(),
        "UPDATE factors SET sealed = zeroblob(129)".to_owned(),
        "UPDATE factors SET last_step = NULL".to_owned(),
        "UPDATE factors SET organisation_id = 2".to_owned(),
        "INSERT INTO factors VALUES (11, 1, zeroblob(64), 5, 1, 1)".to_owned(),
        "UPDATE recovery_codes SET mac = x'00'".to_owned(),
        "UPDATE recovery_codes SET organisation_id = 2".to_owned(),
        "INSERT INTO recovery_codes VALUES (11, zeroblob(32), 1, 5)".to_owned(),
        "UPDATE enrolments SET sealed = zeroblob(20)".to_owned(),
        "UPDATE enrolments SET replaces = 2".to_owned(),
        "UPDATE enrolments SET organisation_id = 2".to_owned(),
        "INSERT INTO enrolments VALUES (51, 1, 12, zeroblob(64), 0, 9)".to_owned(),
        "UPDATE challenges SET hash = x'00'".to_owned(),
        "UPDATE challenges SET expires_at = created_at".to_owned(),
        "UPDATE challenges SET organisation_id = 2".to_owned(),
        "UPDATE sign_in_links SET state = 'expired'".to_owned(),
        "UPDATE sign_in_links SET nonce = x'00'".to_owned(),
        "UPDATE sign_in_links SET expires_at = created_at".to_owned(),
        "UPDATE sign_in_links SET organisation_id = 2".to_owned(),
        "INSERT INTO sign_in_links VALUES (62, 1, 11, zeroblob(16), randomblob(32), 1, 2, 'open')".to_owned(),
        "INSERT INTO devices VALUES (x'00', 11, 1, 1, NULL)".to_owned(),
        "INSERT INTO devices VALUES (zeroblob(32), 11, 2, 1, NULL)".to_owned(),
        "INSERT INTO throttles VALUES ('tea', x'', x'', 0, 0, 0, 0)".to_owned(),
        "INSERT INTO setup_links VALUES (2, zeroblob(32), 1)".to_owned(),
        "INSERT INTO install VALUES (2, zeroblob(32), 1, 0)".to_owned(),
        "INSERT INTO audit_events VALUES (1, 0, 1, 'a', 'system', NULL, NULL, NULL, '', '', x'', zeroblob(32))".to_owned(),
        "INSERT INTO audit_events VALUES (1, 1, 1, 'a', 'system', 11, NULL, NULL, '', '', x'', zeroblob(32))".to_owned(),
        "INSERT INTO audit_events VALUES (1, 1, 1, 'a', 'account', NULL, NULL, NULL, '', '', x'', zeroblob(32))".to_owned(),
        "INSERT INTO audit_events VALUES (1, 1, 1, 'a', 'ghost', NULL, NULL, NULL, '', '', x'', zeroblob(32))".to_owned(),
        "INSERT INTO audit_texts VALUES (1, 1, 6, zeroblob(16), '')".to_owned(),
        "DELETE FROM accounts WHERE id = 12".to_owned(),
        "DELETE FROM organisations WHERE id = 1".to_owned(),
    ];
    let conn = fresh();
    conn.execute_batch(ROWS).unwrap();
    for case in cases {
        // References that are checked at the end of a transaction are refused there.
        let refused = conn.execute_batch(&format!("BEGIN; {case}; COMMIT"));
        let why = refused.expect_err(&case).to_string();
        assert!(
            ["CHECK", "NOT NULL", "FOREIGN KEY", "UNIQUE", "cannot store"]
                .iter()
                .any(|kind| why.contains(kind)),
            "{case}: {why}"
        );
        // It may have failed before the end of its transaction, or at it.
        drop(conn.execute_batch("ROLLBACK"));
    }
}

#[test]
fn accounts_are_counted_as_they_are() {
    let conn = fresh();
    conn.execute_batch(ROWS).unwrap();
    let changes = [
        "UPDATE accounts SET status = 'disabled', disabled_at = 5 WHERE id = 11",
        "UPDATE accounts SET two_factor = 1 WHERE id = 13",
        "UPDATE accounts SET two_factor = 0 WHERE id = 11",
        "UPDATE accounts SET two_factor = 1, status = 'active', disabled_at = NULL WHERE id = 11",
        "UPDATE accounts SET role = 'billing' WHERE id = 13",
        "UPDATE accounts SET status = 'deleted', deleted_at = 9, disabled_at = NULL, email = NULL, two_factor = 0 WHERE id = 13",
        "UPDATE accounts SET name = 'Olivia Berg' WHERE id = 11",
        "DELETE FROM invitations; DELETE FROM errands; DELETE FROM accounts WHERE id = 12",
        "INSERT INTO accounts (id, organisation_id, status, role, email, created_at, role_at)
           VALUES (15, 1, 'pending', 'member', 'new@fjord.example', 1, 1)",
    ];
    for change in changes {
        conn.execute_batch(change).unwrap();
        let kept = "SELECT organisation_id || status || role || two_factor || ' ' || count FROM account_counts
            WHERE count > 0 ORDER BY 1";
        let counted = "SELECT organisation_id || status || role || two_factor || ' ' || count(*) FROM accounts
            GROUP BY organisation_id, status, role, two_factor ORDER BY 1";
        assert_eq!(ask(&conn, kept), ask(&conn, counted), "{change}");
    }
}
