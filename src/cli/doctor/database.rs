//! The database: whether it is whole, whether somebody changed its log, when it was last backed up, and who is in it.

use std::io::ErrorKind;
use std::path::Path;

use crate::audit;
use crate::backups;
use crate::cli::doctor::files::{amount, size_of};
use crate::cli::doctor::finding::Group;
use crate::cli::doctor::sql::Owner;
use crate::cli::doctor::{Ground, capitalized, span, sql};
use crate::cli::print::moment;
use crate::error::{Error, Result};
use crate::kit::db::{self, Read};
use crate::kit::key_file;
use crate::kit::time::{DAY, HOUR, MINUTE};
use crate::migrations::{self, VERSION};

/// A larger file is read through only when it is asked for: it would take longer than people wait.
const READ_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The same for the rows of the audit log.
const AUDIT_ROWS_MAX: i64 = 200_000;
/// A log that grows beyond this is not folded in.
const LOG_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Clocks differ by as much without harm.
const AHEAD_MAX: i64 = 5 * MINUTE;
/// A backup of every night is older than this only if one failed.
const BACKUP_AGE_MAX: i64 = 2 * DAY;
/// Mail that waits for longer is stuck.
const MAIL_AGE_MAX: i64 = HOUR;

/// Looks at the database; what it says about mail goes into `mail`.
pub(super) fn look(ground: &Ground, mail: &mut Group) -> Vec<Group> {
    let mut database = Group::new("Database");
    let path = ground.database();
    if !path.exists() {
        // A folder that is not there or may not be looked into is told of with the files; one without either is new.
        if !ground.data().join(key_file::NAME).exists() {
            return Vec::new();
        }
        let gone = migrations::Error::KeyAlone(ground.data().to_owned());
        database.wrong("schema", capitalized(&format!("{gone}.")), way_back(ground));
        return vec![database];
    }
    match migrations::version(&path) {
        Ok(VERSION) => database.ok(
            "schema",
            format!("Schema version {VERSION}, {}.", amount(size_of(&path))),
        ),
        Ok(older) if older < VERSION => {
            database.warning(
                "schema",
                format!(
                    "The file is of schema version {older}; this program works with {VERSION}."
                ),
                "Start doorward serve: it makes a copy, and brings the file to today's schema.",
            );
            return vec![database];
        }
        Ok(newer) => {
            database.wrong(
                "schema",
                format!(
                    "The file is of schema version {newer}; this program knows {VERSION} at most."
                ),
                "Use the doorward that made it, or a newer one.",
            );
            return vec![database];
        }
        Err(error) => {
            let advice = match &error {
                migrations::Error::Io(_, cause) if cause.kind() == ErrorKind::PermissionDenied => {
                    "Run doctor as root, or as the user of the server.".to_owned()
                }
                _ => way_back(ground),
            };
            database.wrong("schema", capitalized(&format!("{error}.")), advice);
            return vec![database];
        }
    }
    log_size(&mut database, &path);
    let mut seen = seen(ground, &path);
    if is_overtaken(&path, &seen) {
        // A server has started meanwhile: what was half of its work is looked at again, whole.
        seen = self::seen(ground, &path);
    }
    match seen.result {
        Ok([whole, backups, people, owed]) => {
            database.absorb(whole);
            mail.absorb(owed);
            vec![database, backups, people]
        }
        Err(error) => {
            database.wrong(
                "integrity",
                format!("The file cannot be read: {error}."),
                way_back(ground),
            );
            vec![database]
        }
    }
}

/// What is done about a database that is damaged or gone.
fn way_back(ground: &Ground) -> String {
    let data = ground.data().display();
    match backups::newest(&ground.config.values.backups.folder) {
        Some(newest) => format!(
            "Stop the server, and put back the newest backup there is: doorward restore --data {data} {}",
            newest.display()
        ),
        None => "Stop the server, and put back a backup: doorward restore FILE.".to_owned(),
    }
}

/// What was seen at one instant, and whether anybody had the file open then.
struct Seen {
    was_still: bool,
    result: Result<[Group; 4]>,
}

fn seen(ground: &Ground, path: &Path) -> Seen {
    Seen {
        was_still: log_of(path) == 0,
        result: db::glance(path, |read| {
            Ok([
                whole(ground, read, path)?,
                copies(ground, read)?,
                people(read)?,
                owed(ground, read)?,
            ])
        }),
    }
}

fn is_overtaken(path: &Path, seen: &Seen) -> bool {
    seen.was_still && log_of(path) > 0
}

fn log_of(path: &Path) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    size_of(Path::new(&name))
}

fn log_size(group: &mut Group, path: &Path) {
    let size = log_of(path);
    if size > LOG_BYTES_MAX {
        group.warning(
            "log",
            format!("The database's log has grown to {}.", amount(size)),
            "Restart the server, which folds it in. If Litestream replicates the file, look whether it keeps up.",
        );
    }
}

/// Key, damage, audit log, clock.
fn whole(ground: &Ground, read: &Read<'_>, path: &Path) -> Result<Group> {
    let mut group = Group::new("Database");
    if let Some(keys) = ground.keys()
        && sql::key_id(read)? != keys.identity()
    {
        group.wrong(
            "key",
            "The database belongs to another key.",
            "Put back the secret.key that was made with it; if it is lost: doorward restore FILE --new-key.",
        );
        return Ok(group);
    }
    if ground.is_deep || size_of(path) <= READ_BYTES_MAX {
        let complaints = if ground.is_deep {
            sql::all_complaints(read)?
        } else {
            sql::quick_complaints(read)?
        };
        match complaints.first() {
            None if ground.is_deep => group.ok("integrity", "All of it is whole."),
            None => group.ok("integrity", "A quick check finds no damage."),
            Some(first) => group.wrong(
                "integrity",
                format!("The file is damaged: {first}."),
                "Put back a backup: doorward restore FILE. Keep the damaged file, and look after the disk.",
            ),
        }
    } else {
        group.remind(
            "integrity",
            "The file is large, and was not read through.",
            "doorward doctor --deep reads all of it.",
        );
    }
    chains(&mut group, ground, read)?;
    if let Some(newest) = sql::newest(read)?
        && newest.since(ground.now) > AHEAD_MAX
    {
        group.wrong(
            "clock",
            format!(
                "The newest entry is of {} UTC, {} from now: the clock is behind, or was ahead.",
                moment(newest),
                span(newest.since(ground.now))
            ),
            "Set the clock by a time server. If it was ahead, links and sessions of that time live for longer.",
        );
    }
    Ok(group)
}

fn chains(group: &mut Group, ground: &Ground, read: &Read<'_>) -> Result<()> {
    let Some(keys) = ground.keys() else {
        group.remind(
            "audit",
            "The audit log was not checked, since the key cannot be read.",
            "See what is said of the key.",
        );
        return Ok(());
    };
    let rows = sql::audit_rows(read)?;
    if !ground.is_deep && rows > AUDIT_ROWS_MAX {
        group.remind(
            "audit",
            format!("The audit log has {rows} rows, and was not checked."),
            "doorward doctor --deep checks all of them, and so does doorward audit verify.",
        );
        return Ok(());
    }
    let verdict = audit::verify(read, keys)?;
    match verdict.faults.len() {
        0 => group.ok(
            "audit",
            match verdict.rows {
                1 => "The audit log is what it was: 1 row.".to_owned(),
                rows => format!("The audit log is what it was: {rows} rows."),
            },
        ),
        count => group.wrong(
            "audit",
            format!("The audit log is not what it was, in {count} of its chains."),
            "doorward audit verify names the rows; a backup from before tells what stood there.",
        ),
    }
    Ok(())
}

fn copies(ground: &Ground, read: &Read<'_>) -> Result<Group> {
    let mut group = Group::new("Backups");
    let plan = &ground.config.values.backups;
    let last = sql::last_copy(read)?;
    let age = last.as_ref().map(|copy| ground.now.since(copy.at));
    match (&last, age) {
        (Some(copy), Some(age)) if age <= BACKUP_AGE_MAX => {
            group.ok(
                "age",
                format!("The last one is {} old: {}", span(age), copy.place),
            );
        }
        (Some(copy), Some(age)) => group.warning(
            "age",
            format!("The last one is {} old: {}", span(age), copy.place),
            "Make one now: doorward backup. Nightly ones are made while the server runs.",
        ),
        _ => none_noted(&mut group, ground, ground.now.since(sql::created_at(read)?)),
    }
    if plan.at.is_none() {
        group.warning(
            "nightly",
            "backup_time is off: none is made by itself.",
            "Set backup_time, like 02:30, unless something else copies the database, as Litestream does.",
        );
    }
    if let Some((at, why)) = sql::last_failed_copy(read)?
        && last.as_ref().is_none_or(|copy| copy.at < at)
    {
        group.wrong(
            "failure",
            format!("The latest one failed at {} UTC: {why}", moment(at)),
            "Mend that, and try: doorward backup.",
        );
    }
    if let Some(copy) = last
        && Path::new(&copy.place).is_absolute()
        && Path::new(&copy.place).parent().is_some_and(Path::exists)
        && !Path::new(&copy.place).exists()
    {
        group.warning(
            "place",
            format!("The last one is not where it was put: {}", copy.place),
            "If nobody moved it, make another: doorward backup.",
        );
    }
    Ok(group)
}

fn none_noted(group: &mut Group, ground: &Ground, install_age: i64) {
    const HOW: &str = "Make one now: doorward backup. Nightly ones are made while the server runs.";
    let plan = &ground.config.values.backups;
    match backups::newest(&plan.folder) {
        // A database that was put back knows nothing of the backup that it is, nor of those that came later.
        Some(newest) => group.remind(
            "age",
            format!(
                "It knows of none; the newest that lies there is {}",
                newest.display()
            ),
            HOW,
        ),
        None if install_age < BACKUP_AGE_MAX && plan.at.is_some() => {
            group.ok("age", "There is none yet; the first night will make one.");
        }
        None => group.warning("age", "There is none.", HOW),
    }
}

fn people(read: &Read<'_>) -> Result<Group> {
    let mut group = Group::new("Accounts");
    let tenants = sql::tenants(read)?;
    for tenant in &tenants {
        let name = &tenant.name;
        match tenant.owner {
            Owner::Absent => {
                group.warning(
                    "owner",
                    format!("The owner of {name} has not come yet."),
                    "Give them their link: doorward org invite-owner.",
                );
                continue;
            }
            Owner::Plain => group.warning(
                "owner",
                format!("The owner of {name} signs in with a password alone."),
                "Let them turn on 2-step verification: Account, Two-factor authentication.",
            ),
            Owner::Safe => {}
        }
        if tenant.policy == "off" {
            group.warning(
                "policy",
                format!("{name} asks its Masters for a password alone."),
                "Let it require 2-step verification of them: Settings, Security.",
            );
        }
        if tenant.masters < 2 {
            group.warning(
                "masters",
                format!(
                    "{name} has a single Master: nobody else can help when that account is lost."
                ),
                "Let it give a second person that permission.",
            );
        }
    }
    match tenants.len() {
        0 => {}
        1 => group.ok("organisations", "1 organisation is active."),
        count => group.ok(
            "organisations",
            format!("{count} organisations are active."),
        ),
    }
    Ok(group)
}

fn owed(ground: &Ground, read: &Read<'_>) -> Result<Group> {
    let mut group = Group::new("Mail");
    // While it is off all of it waits, which was said.
    if ground.config.values.relay.is_none() {
        return Ok(group);
    }
    let owed = sql::owed(read, ground.now.minus(7 * DAY)).map_err(Error::from)?;
    let age = owed.oldest.map_or(0, |oldest| ground.now.since(oldest));
    let waiting = match owed.waiting {
        1 => "1 mail waits".to_owned(),
        count => format!("{count} mails wait"),
    };
    if age > MAIL_AGE_MAX {
        group.warning(
            "queue",
            format!("{waiting}, the oldest for {}.", span(age)),
            "The page Mail shows what the relay said; the server has to run for them to leave.",
        );
    } else {
        group.ok("queue", format!("{waiting}."));
    }
    if owed.failed > 0 {
        group.warning(
            "failed",
            format!("{} given up in the last week.", owed.failed),
            "The page Mail shows which, and why; from there each can be tried again.",
        );
    }
    Ok(group)
}
