//! The words that stand in the file for ever: the enums of the code and the CHECKs of `schema.sql` say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use doorward::accounts::Status;
use doorward::backups;
use doorward::domain::policy::{Level, Trust};
use doorward::domain::role::{Managers, Role};
use doorward::imports;
use doorward::kit::throttle;
use doorward::kit::time::Timestamp;
use doorward::outbox;

use super::source::{Source, all};

/// Each `CHECK (column IN ('…'))` of the schema, by table and column.
fn checks() -> BTreeMap<String, BTreeSet<String>> {
    let schema = fs::read_to_string("schema.sql").unwrap();
    let mut checks = BTreeMap::new();
    let mut table = String::new();
    for line in schema.lines() {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = rest.split(' ').next().unwrap().to_owned();
        }
        let Some((_, check)) = line.split_once("NOT NULL CHECK (") else {
            continue;
        };
        let Some((column, list)) = check.split_once(" IN (") else {
            continue;
        };
        let list = list.split(')').next().unwrap();
        if list.contains('\'') {
            let slugs = list
                .split(", ")
                .map(|slug| slug.trim_matches('\'').to_owned());
            checks.insert(format!("{table}.{column}"), slugs.collect());
        }
    }
    checks
}

fn set<'s>(slugs: impl IntoIterator<Item = &'s str>) -> BTreeSet<String> {
    slugs.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_check_lists_what_the_code_writes() {
    let then = Timestamp(0);
    let statuses = [
        Status::Pending,
        Status::Active,
        Status::Disabled { since: then },
        Status::Deleted { at: then },
    ];
    let mut expected = BTreeMap::new();
    let mut known = |column: &str, slugs: BTreeSet<String>| {
        expected.insert(column.to_owned(), slugs);
    };
    known("accounts.status", set(statuses.map(Status::slug)));
    known("accounts.role", set(Role::ALL.map(Role::key)));
    known(
        "organisations.managers",
        set(Managers::ALL.map(Managers::slug)),
    );
    known("organisations.trust", set(Trust::ALL.map(Trust::slug)));
    known("policies.level", set(Level::ALL.map(Level::slug)));
    known("policies.role", set(Role::ALL.map(Role::key)));
    known(
        "errands.kind",
        set(outbox::Kind::ALL.map(outbox::Kind::slug)),
    );
    known(
        "errands.state",
        set(outbox::State::ALL.map(outbox::State::slug)),
    );
    known(
        "imports.state",
        set(imports::State::ALL.map(imports::State::slug)),
    );
    known(
        "import_lines.state",
        set(imports::LineState::ALL.map(imports::LineState::slug)),
    );
    known(
        "throttles.kind",
        set(throttle::Kind::ALL.map(throttle::Kind::slug)),
    );
    known(
        "backups.cause",
        set(backups::Cause::ALL.map(backups::Cause::slug)),
    );
    let checks = checks();
    // What only one file writes is not public; there each word must at least stand in it, and no other may.
    for (column, file) in [
        ("resets.state", "src/passwords/sql.rs"),
        ("sign_in_links.state", "src/sessions/sql.rs"),
        ("email_changes.state", "src/profile/sql.rs"),
        ("invitations.state", "src/invitations/sql.rs"),
        ("invitation_tallies.kind", "src/invitations/mod.rs"),
        ("audit_events.actor", "src/audit/mod.rs"),
    ] {
        let source = Source::new(file, &fs::read_to_string(file).unwrap());
        let stands = |slug: &String| {
            source
                .texts
                .iter()
                .any(|(_, text)| text == slug || text.contains(&format!("'{slug}'")))
        };
        let missing: Vec<&String> = checks[column].iter().filter(|slug| !stands(slug)).collect();
        assert!(
            missing.is_empty(),
            "{file} never writes {missing:?} into {column}"
        );
        known(column, checks[column].clone());
    }
    assert_eq!(checks, expected);
}

/// The enums that list themselves, and how many they list: name, variants, entries.
fn listed(source: &Source) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = source.code.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some(count) = line.trim().strip_prefix("pub const ALL: [Self; ") else {
            continue;
        };
        let count = count.split(']').next().unwrap().parse().unwrap();
        let name = lines[..at]
            .iter()
            .rev()
            .find_map(|line| line.strip_prefix("impl "))
            .unwrap();
        let name = name.split([' ', '{']).next().unwrap();
        let Some(start) = lines
            .iter()
            .position(|line| *line == format!("pub enum {name} {{"))
        else {
            continue;
        };
        let variants = lines[start + 1..].iter().take_while(|line| **line != "}");
        let is_variant = |line: &&&str| {
            line.strip_prefix("    ")
                .is_some_and(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        };
        found.push((name.to_owned(), variants.filter(is_variant).count(), count));
    }
    found
}

#[test]
fn an_enum_that_lists_itself_lists_all_of_itself() {
    let mut names = BTreeSet::new();
    for source in all("src", "rs") {
        for (name, variants, count) in listed(&source) {
            assert_eq!(count, variants, "{}: {name}::ALL is not all", source.path);
            names.insert(name);
        }
    }
    for name in [
        "Action",
        "Kind",
        "State",
        "Permission",
        "Role",
        "HelpTopic",
        "Sort",
    ] {
        assert!(names.contains(name), "{name} was not found: {names:?}");
    }
    let wrong = "pub enum A {\n    /// x\n    B,\n    C { d: u8 },\n}\nimpl A {\n    pub const ALL: [Self; 1] = [Self::B];\n}\n";
    assert_eq!(
        listed(&Source::new("src/a.rs", wrong)),
        [("A".to_owned(), 2, 1)]
    );
}
