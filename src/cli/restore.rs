//! `doorward restore`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::backup::{self, Chains, Known, beside_it, date, key_place, shown};
use super::confirm::{self, Sure};
use super::failure::Failure;
use super::print;
use crate::audit::{self, Action, Entry, Later};
use crate::backups::{self, Facts, Restored};
use crate::config::Values;
use crate::config::flags::Everything;
use crate::domain::role::{Managers, Role};
use crate::error::Error;
use crate::kit::db::upgrade;
use crate::kit::db::{self, Read, World};
use crate::kit::folder;
use crate::kit::key_file;
use crate::kit::keys::Keys;
use crate::kit::log;
use crate::kit::random::OsRandom;
use crate::kit::time::{Clock, SystemClock, Timestamp};
use crate::migrations::aside::Aside;
use crate::migrations::swap::{self, Swap};
use crate::migrations::{DATABASE, VERSION};
use crate::organisations;
use crate::scope::By;
use crate::setup;
use crate::two_factor::{self, UsedCode};

/// Put the database back from a backup, after it was verified. The server must be stopped; what is there is kept
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    settings: Everything,
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The backup's secret.key is lost: take the one that is there, or make another. Second factors are void then
    #[arg(long)]
    new_key: bool,
    #[command(flatten)]
    sure: Sure,
}

/// Decisions that must be made again when they are younger than the backup: each took something from somebody.
const DECISIONS: [Action; 15] = [
    Action::OrganisationDisabled,
    Action::OrganisationDeleted,
    Action::ManagersChanged,
    Action::DomainsChanged,
    Action::PolicyChanged,
    Action::OwnershipMoved,
    Action::AccountDisabled,
    Action::AccountDeleted,
    Action::RoleChanged,
    Action::EmailChanged,
    Action::PasswordChanged,
    Action::PasswordReset,
    Action::TwoFactorReset,
    Action::TwoFactorOn,
    Action::RecoveryCodesRenewed,
];
/// So many of them are listed.
const LISTED_MAX: usize = 200;

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    log::begin(tracing::level_filters::LevelFilter::WARN, log::Format::Text);
    let config = super::read(&command.settings.0)?;
    let data = &config.values.data;
    let now = SystemClock::new().now();
    crate::migrations::check_disk(data, config.values.network_fs)?;
    let of_folder = |error| Failure::from(crate::migrations::Error::Folder(error));
    folder::prepare(data).map_err(of_folder)?;
    let lock = folder::lock(data).map_err(|error| match error {
        folder::Error::Served { .. } => Failure::Failed(format!(
            "{error}; stop it first (systemctl stop doorward, or Ctrl-C where it runs), restore, and start it again"
        )),
        other => of_folder(other),
    })?;
    swap::complete(data)?;
    let key = Key::find(&config.values, command)?;
    let swap = Swap::begin(data, &backups::replaced_name(now))?;
    let old_key = key.is_there.then_some(&key.keys);
    let aside = Aside::take(&command.file, &swap.folder(), now, old_key)?;
    let known = backup::judge(&aside, &command.file, old_key, "", now)?;
    let is_key_new = match known.are {
        Chains::Whole => false,
        Chains::Unproven(_) if command.new_key => true,
        Chains::Unproven(_) => return Err(wrong_key(&key.place)),
    };
    let current = Current::look(data);
    current.say(data);
    say_backup(&command.file, &aside, &known);
    if is_key_new {
        print::remark(
            "\nIts secret.key is lost: another one takes over. All second factors are void, and grace begins anew.",
        );
    }
    let first = current.first().or(known.facts.first.as_deref());
    confirm::ask_for(
        command.sure,
        first.unwrap_or("restore"),
        "overwrite it with the backup",
    )?;
    let (lost, used) = current.compare(data, &aside, now);
    let world = World {
        now,
        random: &OsRandom,
        keys: &key.keys,
        mail_domain: "localhost",
    };
    let restored = Restored {
        made_at: date(&command.file, &known.facts),
        version: aside.version,
        is_key_new,
        used: if is_key_new { &[] } else { &used },
    };
    let done = aside.write(world, |tx| {
        backups::restored(tx, &By::operator(), &restored)
    });
    done.map_err(Failure::from)?.into_inner();
    aside.finish()?;
    if !key.is_there {
        swap.put_key(&key.keys)?;
    }
    let is_any = known.facts.organisations > 0;
    current.close(data);
    let replaced = swap.commit()?;
    if is_any {
        // The link of a first run that is over opens nothing; should it stay, it still does not.
        drop(folder::remove(&data.join(setup::LINK_FILE)));
    }
    drop(lock);
    print::line("Restored. Start the server: doorward serve, or systemctl start doorward")?;
    say_after(replaced.as_deref(), &key, &lost);
    Ok(())
}

fn wrong_key(place: &Path) -> Failure {
    Failure::Failed(format!(
        "the backup belongs to another key than the one in {}; put back the secret.key it was made with, or add \
         --new-key: then all second factors and links are void, and people sign in with their passwords",
        place.display()
    ))
}

/// The key that the restored file will belong to.
struct Key {
    keys: Keys,
    /// Where it lies, or will.
    place: PathBuf,
    /// Whether it is there already.
    is_there: bool,
}

impl Key {
    fn find(values: &Values, command: &Command) -> Result<Self, Failure> {
        let place = key_place(values);
        let found = backup::key(values).map_err(crate::migrations::Error::Key)?;
        if let Some(keys) = found {
            return Ok(Self {
                keys,
                place,
                is_there: true,
            });
        }
        if !command.new_key {
            return Err(Failure::Failed(format!(
                "there is no {}, and no backup holds the key; put your copy of it there first, or, if it is lost, add \
                 --new-key: then all second factors and links are void, and people sign in with their passwords",
                place.display()
            )));
        }
        if values.secret_key_file.is_some() {
            return Err(Failure::Failed(format!(
                "there is no {}, where secret_key_file says the key lies, and keys are not made there; put one there, or \
                 restore without secret_key_file: then one is made in the data folder",
                place.display()
            )));
        }
        Ok(Self {
            keys: key_file::generate(&OsRandom).map_err(Error::from)?,
            place,
            is_there: false,
        })
    }
}

/// The database that is there now.
enum Current {
    /// None.
    None,
    /// One that cannot be read, and why.
    Unreadable(String),
    /// One that can.
    Readable { version: i64, facts: Facts },
}

impl Current {
    fn look(data: &Path) -> Self {
        let path = data.join(DATABASE);
        if std::fs::symlink_metadata(&path).is_err() {
            return Self::None;
        }
        // Without a trace: where it is damaged, what is kept must be what was found.
        let seen: db::Result<Self> = db::glance(&path, |read| {
            Ok(Self::Readable {
                version: upgrade::version(read)?,
                facts: backups::facts(read)?,
            })
        });
        seen.unwrap_or_else(|error| Self::Unreadable(error.to_string()))
    }

    fn first(&self) -> Option<&str> {
        match self {
            Self::Readable { facts, .. } => facts.first.as_deref(),
            Self::None | Self::Unreadable(_) => None,
        }
    }

    fn say(&self, data: &Path) {
        let path = data.join(DATABASE);
        match self {
            Self::None => {
                print::remark(&format!("There is no database in {} yet.", data.display()))
            }
            Self::Unreadable(why) => print::remark(&format!(
                "This will be overwritten (it is kept in backups):\n  File           {}\n  It cannot be read: {why}",
                path.display()
            )),
            Self::Readable { version, facts, .. } => print::remark(&format!(
                "This will be overwritten (it is kept in backups):\n  File           {}\n  Schema         {version}\n  \
                 Last change    {}\n  Organisations  {}\n  Accounts       {}",
                path.display(),
                shown(facts.changed_at),
                facts.organisations,
                facts.accounts
            )),
        }
    }

    /// Folds its log in, where it is whole; else both are kept as they were found.
    fn close(&self, data: &Path) {
        let path = data.join(DATABASE);
        if let Self::Readable { .. } = self
            && db::glance(&path, upgrade::complaints).is_ok_and(|found| found.is_empty())
        {
            // Where that fails the log is moved along with it.
            drop(upgrade::fold(&path));
        }
    }

    /// What was decided since the backup, and the recovery codes that were used up since; as far as it can be told.
    fn compare(&self, data: &Path, aside: &Aside, now: Timestamp) -> (Vec<String>, Vec<UsedCode>) {
        let Self::Readable { .. } = self else {
            return (Vec::new(), Vec::new());
        };
        let path = data.join(DATABASE);
        let compared = db::glance(&path, |newer| since(newer, aside, now));
        compared.unwrap_or_else(|error| {
            print::remark(&format!(
                "What was decided since the backup cannot be listed: {error}"
            ));
            (Vec::new(), Vec::new())
        })
    }
}

/// The decisions that the newer file knows and the older does not, and the recovery codes that it knows to be used.
fn since(
    newer: &Read<'_>,
    older: &Aside,
    now: Timestamp,
) -> Result<(Vec<String>, Vec<UsedCode>), Error> {
    let names = organisations::list(newer)?;
    let later = older.read(now, |older| audit::later(newer, older, &DECISIONS))?;
    let lines = later.iter().filter_map(|one| {
        let name = names
            .iter()
            .find(|organisation| organisation.id.number() == one.chain_id);
        line(one, name.map(|organisation| organisation.name.as_str()))
    });
    Ok((lines.collect(), two_factor::used_codes(newer)?))
}

/// One decision, as it must be made again; none for a permission that was raised.
fn line(later: &Later, organisation: Option<&str>) -> Option<String> {
    let Entry {
        at,
        action,
        target,
        details,
        ..
    } = &later.entry;
    let who = target.as_deref().unwrap_or("somebody");
    let what = match Action::from_slug(action)? {
        Action::OrganisationDisabled => "the organisation was disabled".to_owned(),
        Action::OrganisationDeleted => format!("the organisation {who} was deleted"),
        Action::ManagersChanged => "who manages users was changed".to_owned(),
        Action::DomainsChanged => "the allowed email domains were changed".to_owned(),
        Action::PolicyChanged => "the two-factor policy was changed".to_owned(),
        Action::OwnershipMoved => format!("the ownership moved to {who}"),
        Action::AccountDisabled => format!("{who} was disabled"),
        Action::AccountDeleted => format!("{who} was deleted"),
        Action::RoleChanged => {
            let (from, to) = lowered(details)?;
            format!("{who} was made {to}, and is {from} again")
        }
        Action::EmailChanged => format!("{who} changed the email"),
        Action::PasswordChanged => {
            format!("the password of {who} was changed; the older one works again")
        }
        Action::PasswordReset => {
            format!("the password of {who} was reset; the older one works again")
        }
        Action::TwoFactorReset => {
            format!("the two-factor of {who} was reset; the older app works again")
        }
        Action::TwoFactorOn => {
            format!("{who} set up two-factor, and has none or the older app again")
        }
        Action::RecoveryCodesRenewed => {
            format!("{who} made new recovery codes; the older ones work again")
        }
        _ => return None,
    };
    let place = organisation.map_or_else(String::new, |name| format!("{name}: "));
    Some(format!(
        "{} UTC  {place}{what}",
        print::moment(Timestamp(*at))
    ))
}

/// From which role to which, where something was lost by it.
fn lowered(details: &str) -> Option<(Role, Role)> {
    let details: serde_json::Value = serde_json::from_str(details).ok()?;
    let role = |key: &str| details.get(key)?.as_str()?.parse::<Role>().ok();
    let (from, to) = (role("from")?, role("role")?);
    let may = |role: Role| role.permissions(Managers::Admins);
    (!may(to).include(may(from))).then_some((from, to))
}

fn say_backup(file: &Path, aside: &Aside, known: &Known) {
    let facts = &known.facts;
    let newer = if aside.version < VERSION {
        format!(" (brought to {VERSION})")
    } else {
        String::new()
    };
    print::remark(&format!(
        "\nBy this backup:\n  File           {}\n  Schema         {}{newer}\n  Made           {}\n  Last change    {}\n  \
         Organisations  {}\n  Accounts       {}\n  Verified       yes: pages, references and audit log",
        file.display(),
        aside.version,
        shown(date(file, facts)),
        shown(facts.changed_at),
        facts.organisations,
        facts.accounts
    ));
    if let Some(log) = &aside.log {
        print::remark(&beside_it(log));
    }
}

fn say_after(replaced: Option<&Path>, key: &Key, lost: &[String]) {
    if let Some(replaced) = replaced {
        print::remark(&format!(
            "What was there is kept: {}. Delete it when nothing of it is missed.",
            replaced.display()
        ));
    }
    if !key.is_there {
        print::remark(&format!(
            "A new key was made: {}. Keep a copy of it elsewhere.",
            key.place.display()
        ));
    }
    print::remark(
        "Everybody is signed out, and links of before are void: people sign in again, invitations are sent again. Mail \
         that was owed is not sent, since it may have been sent before.",
    );
    if lost.is_empty() {
        return;
    }
    print::remark("\nDecided after the backup, and gone. Decide again before people come back:");
    for line in lost.iter().take(LISTED_MAX) {
        print::remark(&format!("  {line}"));
    }
    if lost.len() > LISTED_MAX {
        print::remark(&format!("  and {} more", lost.len() - LISTED_MAX));
    }
}
