//! The statements of the accounts.

mod departures;
mod list;

use rusqlite::Row as SqlRow;

use super::{NewAccount, Preferences, Profile};
use crate::domain::domains::Domains;
use crate::domain::email::Email;
use crate::domain::id::{AccountId, OrganisationId};
use crate::domain::policy::{Level, Policy, Protection};
use crate::domain::role::Role;
use crate::domain::text::{PersonName, Phone};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

pub use departures::{
    Departure, Obstacle, departing, departure, departures_dropped, departures_set_by,
};
pub(super) use departures::{clear_departure, drop_departure, remove_departures, set_departure};
pub use list::{DELETED, Filter, Leaves, Line, MailState, Sort, deleted_count, line, list};

/// Where an account stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Invited, no password yet.
    Pending,
    /// May sign in.
    Active,
    /// May not, and keeps everything.
    Disabled {
        /// Since when.
        since: Timestamp,
    },
    /// A tombstone.
    Deleted {
        /// When.
        at: Timestamp,
    },
}

impl Status {
    /// The name in the file and in addresses.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Disabled { .. } => "disabled",
            Self::Deleted { .. } => "deleted",
        }
    }
}

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Where it stands.
    pub status: Status,
    /// What it may do.
    pub role: Role,
    /// Its address; none once deleted.
    pub email: Option<Email>,
    /// Its person's name; until activated what whoever invited them wrote, or none.
    pub name: Option<PersonName>,
    /// Their telephone, if they gave it.
    pub phone: Option<Phone>,
    /// Raised by each loss.
    pub epoch: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// By whom; none: the operator, or the set-up.
    pub created_by: Option<AccountId>,
    /// When its person set the first password.
    pub activated_at: Option<Timestamp>,
    /// When it was last used.
    pub last_seen_at: Option<Timestamp>,
    /// Whether it has a second factor.
    pub has_two_factor: bool,
}

/// What somebody is called whose personal data was erased.
const ERASED: &str = "Erased account";

impl Account {
    /// What people call it: its name, or its address, or what is left.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.name, &self.email) {
            (Some(name), _) => name.to_string(),
            (None, Some(email)) => email.to_string(),
            // Whoever activated an account gave a name.
            (None, None) if self.activated_at.is_some() => ERASED.to_owned(),
            (None, None) => "a deleted account".to_owned(),
        }
    }
}

const ACCOUNT: &str = "id, organisation_id, status, role, email, name, phone, epoch, created_at, created_by, activated_at, last_seen_at, disabled_at, deleted_at, two_factor";

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get(0)?,
        organisation: row.get(1)?,
        status: status(row.get_ref(2)?.as_str()?, row.get(12)?, row.get(13)?)?,
        role: row.get(3)?,
        email: row.get(4)?,
        name: row.get(5)?,
        phone: row.get(6)?,
        epoch: row.get(7)?,
        created_at: row.get(8)?,
        created_by: row.get(9)?,
        activated_at: row.get(10)?,
        last_seen_at: row.get(11)?,
        has_two_factor: row.get(14)?,
    })
}

fn status(
    slug: &str,
    disabled: Option<Timestamp>,
    deleted: Option<Timestamp>,
) -> rusqlite::Result<Status> {
    match (slug, disabled, deleted) {
        ("pending", None, None) => Ok(Status::Pending),
        ("active", None, None) => Ok(Status::Active),
        ("disabled", Some(since), None) => Ok(Status::Disabled { since }),
        ("deleted", None, Some(at)) => Ok(Status::Deleted { at }),
        _ => Err(contradiction("status").into()),
    }
}

/// One account of the whole install: for the capabilities that already know whose it is.
pub fn find(read: &Read<'_>, id: AccountId) -> Result<Option<Account>> {
    read.find(
        "SELECT id, organisation_id, status, role, email, name, phone, epoch, created_at, created_by, activated_at,
           last_seen_at, disabled_at, deleted_at, two_factor FROM accounts WHERE id = ?1",
        [id],
        from_row,
    )
}

/// One account of that organisation; another's is none.
pub fn find_in(
    read: &Read<'_>,
    organisation: OrganisationId,
    id: AccountId,
) -> Result<Option<Account>> {
    read.find(
        "SELECT id, organisation_id, status, role, email, name, phone, epoch, created_at, created_by, activated_at,
           last_seen_at, disabled_at, deleted_at, two_factor FROM accounts WHERE id = ?1 AND organisation_id = ?2",
        (id, organisation),
        from_row,
    )
}

/// Whoever has this address, in the whole install.
pub fn by_email(read: &Read<'_>, email: &Email) -> Result<Option<Account>> {
    read.find(
        "SELECT id, organisation_id, status, role, email, name, phone, epoch, created_at, created_by, activated_at,
           last_seen_at, disabled_at, deleted_at, two_factor FROM accounts WHERE email = ?1",
        [email],
        from_row,
    )
}

/// Accounts whose address or name holds the text: the operator's list.
pub fn matching(
    read: &Read<'_>,
    organisation: OrganisationId,
    text: &str,
    rows: i64,
) -> Result<Vec<Account>> {
    read.list(
        &format!(
            "SELECT {ACCOUNT} FROM accounts WHERE organisation_id = ?1 AND status <> 'deleted'
                AND (email LIKE ?2 ESCAPE '\\' OR name LIKE ?2 ESCAPE '\\') ORDER BY name COLLATE NOCASE, id LIMIT ?3"
        ),
        (organisation, contains(text), rows),
        from_row,
    )
}

/// Whose address is of none of these domains, in the order of their names: so many of them, and how many there are.
pub fn outside(
    read: &Read<'_>,
    organisation: OrganisationId,
    domains: &Domains,
    rows: i64,
) -> Result<(Vec<Account>, i64)> {
    let some = read.list(
        &format!(
            "SELECT {ACCOUNT} FROM accounts WHERE organisation_id = ?1 AND status <> 'deleted'
                AND instr(char(10) || ?2 || char(10), char(10) || substr(email, instr(email, '@') + 1) || char(10)) = 0
              ORDER BY name COLLATE NOCASE, id LIMIT ?3"
        ),
        (organisation, domains, rows),
        from_row,
    )?;
    let all = read.get(
        "SELECT count(*) FROM accounts WHERE organisation_id = ?1 AND status <> 'deleted'
            AND instr(char(10) || ?2 || char(10), char(10) || substr(email, instr(email, '@') + 1) || char(10)) = 0",
        (organisation, domains),
        |row| row.get(0),
    )?;
    Ok((some, all))
}

/// Among how many accounts a name is looked for.
const NAMED_AMONG: i64 = 20_000;

/// Whose address or name holds the text, whatever became of them: ids alone, so many at most. Of a very large organisation
/// not all are looked at.
pub fn named(
    read: &Read<'_>,
    organisation: OrganisationId,
    text: &str,
    rows: i64,
) -> Result<Vec<AccountId>> {
    read.list(
        "SELECT id FROM (SELECT id, email, name FROM accounts WHERE organisation_id = ?1 LIMIT ?4)
          WHERE email LIKE ?2 ESCAPE '\\' OR name LIKE ?2 ESCAPE '\\' LIMIT ?3",
        (organisation, contains(text), rows, NAMED_AMONG),
        |row| row.get(0),
    )
}

/// All accounts of the organisation that are not deleted, if there are so many at most.
pub fn few(
    read: &Read<'_>,
    organisation: OrganisationId,
    most: i64,
) -> Result<Option<Vec<Account>>> {
    let some = read.list(
        &format!(
            "SELECT {ACCOUNT} FROM accounts WHERE organisation_id = ?1 AND status <> 'deleted' LIMIT ?2"
        ),
        (organisation, most + 1),
        from_row,
    )?;
    let is_few = i64::try_from(some.len()).is_ok_and(|count| count <= most);
    Ok(is_few.then_some(some))
}

/// The pattern that finds this very text, whatever signs it holds.
fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        push_literal(&mut pattern, c);
    }
    pattern.push('%');
    pattern
}

/// A sign that stands for itself.
fn push_literal(pattern: &mut String, c: char) {
    if matches!(c, '\\' | '%' | '_') {
        pattern.push('\\');
    }
    pattern.push(c);
}

pub(super) fn insert(tx: &Tx<'_>, id: AccountId, new: &NewAccount) -> Result<()> {
    tx.execute(
        "INSERT INTO accounts (id, organisation_id, status, role, email, created_at, role_at, created_by, name, phone)
         VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
        (
            id,
            new.organisation,
            new.role,
            &new.email,
            tx.now(),
            new.created_by,
            &new.known.name,
            &new.known.phone,
        ),
    )?;
    Ok(())
}

pub(super) fn activate(
    tx: &Tx<'_>,
    id: AccountId,
    name: &PersonName,
    phone: Option<&Phone>,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET status = 'active', name = ?2, phone = ?3, activated_at = ?4
          WHERE id = ?1 AND status = 'pending'",
        (id, name, phone, tx.now()),
    )?;
    Ok(changed == 1)
}

pub(super) fn disable(tx: &Tx<'_>, id: AccountId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET status = 'disabled', disabled_at = ?2, epoch = epoch + 1 WHERE id = ?1 AND status = 'active'",
        (id, tx.now()),
    )?;
    Ok(changed == 1)
}

pub(super) fn enable(tx: &Tx<'_>, id: AccountId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET status = 'active', disabled_at = NULL WHERE id = ?1 AND status = 'disabled'",
        [id],
    )?;
    Ok(changed == 1)
}

pub(super) fn set_role(tx: &Tx<'_>, id: AccountId, role: Role) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET role = ?2, role_at = ?3 WHERE id = ?1 AND status <> 'deleted'",
        (id, role, tx.now()),
    )?;
    Ok(changed == 1)
}

pub(super) fn set_profile(tx: &Tx<'_>, id: AccountId, profile: &Profile) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET name = ?2, phone = ?3 WHERE id = ?1 AND status = 'active'",
        (id, &profile.name, &profile.phone),
    )?;
    Ok(changed == 1)
}

pub(super) fn preferences(read: &Read<'_>, id: AccountId) -> Result<Option<Preferences>> {
    read.find(
        "SELECT time_zone, shortcuts FROM accounts WHERE id = ?1",
        [id],
        |row| {
            Ok(Preferences {
                time_zone: row.get(0)?,
                has_shortcuts: row.get(1)?,
            })
        },
    )
}

pub(super) fn set_preferences(
    tx: &Tx<'_>,
    id: AccountId,
    preferences: &Preferences,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET time_zone = ?2, shortcuts = ?3 WHERE id = ?1 AND status = 'active'",
        (id, &preferences.time_zone, preferences.has_shortcuts),
    )?;
    Ok(changed == 1)
}

pub(super) fn set_email(tx: &Tx<'_>, id: AccountId, email: &Email) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET email = ?2 WHERE id = ?1 AND status = 'active'",
        (id, email),
    )?;
    Ok(changed == 1)
}

pub(super) fn bury(tx: &Tx<'_>, id: AccountId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET status = 'deleted', email = NULL, phone = NULL, two_factor = 0, disabled_at = NULL, deleted_at = ?2,
           epoch = epoch + 1 WHERE id = ?1 AND status <> 'deleted'",
        (id, tx.now()),
    )?;
    Ok(changed == 1)
}

pub(super) fn forget_name(tx: &Tx<'_>, id: AccountId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET name = NULL, time_zone = NULL WHERE id = ?1 AND status = 'deleted'",
        [id],
    )?;
    Ok(changed == 1)
}

pub(super) fn remove_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    tx.execute(
        "DELETE FROM accounts WHERE organisation_id = ?1",
        [organisation],
    )?;
    Ok(())
}

pub(super) fn readdress(tx: &Tx<'_>, id: AccountId, email: &Email) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET email = ?2 WHERE id = ?1 AND status = 'pending'",
        (id, email),
    )?;
    Ok(changed == 1)
}

pub(super) fn gain_factor(tx: &Tx<'_>, id: AccountId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET two_factor = 1 WHERE id = ?1 AND status = 'active'",
        [id],
    )?;
    Ok(changed == 1)
}

pub(super) fn lose_factor(tx: &Tx<'_>, id: AccountId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET two_factor = 0 WHERE id = ?1 AND status <> 'deleted'",
        [id],
    )?;
    Ok(changed == 1)
}

pub(super) fn factor_was_reset(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    tx.execute(
        "UPDATE accounts SET factor_reset_at = ?2 WHERE id = ?1",
        (id, tx.now()),
    )?;
    Ok(())
}

/// The row count decides: once for each end.
pub(super) fn reminded(tx: &Tx<'_>, id: AccountId, of: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE accounts SET reminded_of = ?2 WHERE id = ?1 AND reminded_of IS NOT ?2",
        (id, of),
    )?;
    Ok(changed == 1)
}

pub(super) fn void_two_factor(tx: &Tx<'_>) -> Result<()> {
    tx.execute(
        "UPDATE accounts SET two_factor = 0 WHERE two_factor = 1",
        [],
    )?;
    Ok(())
}

/// Where an account stands with its second factor, by the policy of its role.
pub fn protection(read: &Read<'_>, id: AccountId) -> Result<Option<Protection>> {
    read.find(
        "SELECT a.two_factor, p.level, p.grace_days,
                max(coalesce(a.activated_at, 0), a.role_at, p.stricter_at, coalesce(a.factor_reset_at, 0))
           FROM accounts a JOIN policies p ON p.organisation_id = a.organisation_id AND p.role = a.role
          WHERE a.id = ?1",
        [id],
        |row| {
            if row.get(0)? {
                return Ok(Protection::On);
            }
            let policy = Policy {
                level: row.get::<_, Level>(1)?,
                grace_days: row.get(2)?,
            };
            Ok(Protection::Without(policy.asks(row.get(3)?)))
        },
    )
}

pub(super) fn raise_epoch(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    tx.execute("UPDATE accounts SET epoch = epoch + 1 WHERE id = ?1", [id])?;
    Ok(())
}

pub(super) fn raise_epochs(tx: &Tx<'_>, organisation: OrganisationId, role: Role) -> Result<()> {
    tx.execute(
        "UPDATE accounts SET epoch = epoch + 1 WHERE organisation_id = ?1 AND status = 'active' AND role = ?2",
        (organisation, role),
    )?;
    Ok(())
}

/// How many accounts of an organisation have this status and this role.
pub(super) fn count(
    read: &Read<'_>,
    organisation: OrganisationId,
    status: &'static str,
    role: Role,
) -> Result<i64> {
    read.get(
        "SELECT coalesce(sum(count), 0) FROM account_counts WHERE organisation_id = ?1 AND status = ?2 AND role = ?3",
        (organisation, status, role),
        |row| row.get(0),
    )
}

pub(super) fn saw(tx: &Tx<'_>, id: AccountId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE accounts SET last_seen_at = max(coalesce(last_seen_at, 0), ?2) WHERE id = ?1",
        (id, at),
    )?;
    Ok(())
}

/// The Active Masters of an organisation, the owner first: whom to ask.
pub fn masters_active(read: &Read<'_>, organisation: OrganisationId) -> Result<Vec<Account>> {
    read.list(
        "SELECT a.id, a.organisation_id, a.status, a.role, a.email, a.name, a.phone, a.epoch, a.created_at, a.created_by,
           a.activated_at, a.last_seen_at, a.disabled_at, a.deleted_at, a.two_factor
           FROM accounts a JOIN organisations o ON o.id = a.organisation_id
          WHERE a.organisation_id = ?1 AND a.status = 'active' AND a.role = 'master'
          ORDER BY a.id = o.owner_id DESC, a.activated_at, a.id LIMIT 10",
        [organisation],
        from_row,
    )
}

/// The Active accounts of this role, by name.
pub fn active(read: &Read<'_>, organisation: OrganisationId, role: Role) -> Result<Vec<Account>> {
    read.list(
        "SELECT id, organisation_id, status, role, email, name, phone, epoch, created_at, created_by, activated_at,
           last_seen_at, disabled_at, deleted_at, two_factor
           FROM accounts WHERE organisation_id = ?1 AND status = 'active' AND role = ?2 ORDER BY name COLLATE NOCASE, id",
        (organisation, role),
        from_row,
    )
}

/// The Active Masters beside this account, by name: who may be given what only a Master can have.
pub fn masters_beside(
    read: &Read<'_>,
    organisation: OrganisationId,
    account: AccountId,
) -> Result<Vec<Account>> {
    read.list(
        &format!(
            "SELECT {ACCOUNT} FROM accounts
              WHERE organisation_id = ?1 AND status = 'active' AND role = 'master' AND id <> ?2
              ORDER BY name COLLATE NOCASE, id LIMIT 500"
        ),
        (organisation, account),
        from_row,
    )
}

/// How many accounts an organisation has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Active ones.
    pub active: i64,
    /// Pending ones.
    pub pending: i64,
    /// Disabled ones.
    pub disabled: i64,
    /// Active ones without a second factor.
    pub unprotected: i64,
    /// By role, in the order of [`Role::ALL`], deleted ones left out.
    pub by_role: [i64; 4],
}

impl Counts {
    /// All that are not deleted.
    #[must_use]
    pub const fn all(&self) -> i64 {
        self.active + self.pending + self.disabled
    }

    /// Those with this role.
    #[must_use]
    pub fn with(&self, role: Role) -> i64 {
        Role::ALL
            .iter()
            .zip(self.by_role)
            .find(|(one, _)| **one == role)
            .map_or(0, |(_, count)| count)
    }
}

/// How many accounts an organisation has.
pub fn counts(read: &Read<'_>, organisation: OrganisationId) -> Result<Counts> {
    counts_with(read, organisation, None, None)
}

/// The same, of one role alone, or of the Active alone that have a second factor or have none.
pub fn counts_with(
    read: &Read<'_>,
    organisation: OrganisationId,
    role: Option<Role>,
    two_factor: Option<bool>,
) -> Result<Counts> {
    let rows = read.list(
        "SELECT status, role, two_factor, count FROM account_counts WHERE organisation_id = ?1 AND status <> 'deleted'
            AND (?2 IS NULL OR role = ?2) AND (?3 IS NULL OR status = 'active' AND two_factor = ?3)",
        (organisation, role, two_factor),
        counted,
    )?;
    Ok(summed(rows))
}

/// How many accounts all organisations have together.
pub fn counts_of_all(read: &Read<'_>) -> Result<Counts> {
    let rows = read.list(
        "SELECT status, role, two_factor, count FROM account_counts WHERE status <> 'deleted'",
        [],
        counted,
    )?;
    Ok(summed(rows))
}

/// Status and whether there is a second factor, role, and how many.
type CountRow = ((String, bool), Role, i64);

fn counted(row: &SqlRow<'_>) -> rusqlite::Result<CountRow> {
    Ok(((row.get(0)?, row.get(2)?), row.get(1)?, row.get(3)?))
}

fn summed(rows: Vec<CountRow>) -> Counts {
    let mut counts = Counts::default();
    for ((status, has_two_factor), role, count) in rows {
        match status.as_str() {
            "active" => {
                counts.active += count;
                counts.unprotected += if has_two_factor { 0 } else { count };
            }
            "pending" => counts.pending += count,
            _ => counts.disabled += count,
        }
        if let Some((_, sum)) = Role::ALL
            .iter()
            .zip(counts.by_role.iter_mut())
            .find(|(one, _)| **one == role)
        {
            *sum += count;
        }
    }
    counts
}
