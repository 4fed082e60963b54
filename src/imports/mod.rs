//! Many at once: lists of people who are invited together. Owns `imports` and `import_lines`.
//!
//! A list is judged first, line by line, and nobody is invited by that. Once confirmed the background thread works through
//! it, each line in a transaction of its own with the account, the mail that is owed and the record, by the verb that
//! invites one person: so a line is done once, whatever breaks in between. Whoever confirmed it is looked at anew before
//! each line. What is found out about addresses counts as if each had been typed into the form.

pub mod file;
pub mod pages;
mod sql;
#[cfg(test)]
mod tests;
pub mod views;

use std::collections::HashMap;

use crate::accounts::{self, Account, EMAIL_TAKEN, Known, Status};
use crate::audit::{self, Action, Audited, Event, Names};
use crate::domain::email::Email;
use crate::domain::id::{AccountId, ImportId, OrganisationId};
use crate::domain::role::Role;
use crate::domain::text::{PersonName, Phone};
use crate::error::{Error, Result};
use crate::invitations::{self, Invitee, Link, Room, Terms};
use crate::kit::db::{Read, Tx};
use crate::kit::time::{DAY, HOUR, Timestamp};
use crate::organisations;
use crate::scope::{Actor, Allowed, By, InviteAccounts, ManageAccounts};

pub use file::Entry;
pub use sql::{Counts, Import, Line, Recent, counts, due};

/// How long a list waits to be confirmed.
pub const JUDGED_FOR: i64 = HOUR;
/// How long what became of a list can be looked up.
const KEPT_FOR: i64 = 30 * DAY;
/// So many lists of one person may wait to be confirmed; one more takes the place of the oldest.
const JUDGED_MAX: i64 = 5;
/// So many lists of one organisation are worked through at a time.
const RUNNING_MAX: i64 = 5;
/// So many lists are shown below the form.
const RECENT_MAX: i64 = 10;
/// Lines that one sweep removes.
const SWEEP_MAX: i64 = 500;

/// Where a list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was judged, and waits to be confirmed.
    Judged,
    /// It is worked through.
    Running,
    /// Every line has come to its end.
    Done,
    /// It was stopped before that.
    Stopped,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Judged, Self::Running, Self::Done, Self::Stopped];

    /// The name in the file.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineState {
    /// Its person can be invited, as far as is known.
    Waiting,
    /// They are.
    Invited,
    /// They are not, and will not be.
    Refused,
}

impl LineState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Invited, Self::Refused];

    /// The name in the file.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Invited => "invited",
            Self::Refused => "refused",
        }
    }
}

/// Why a line is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The person has an account in this organisation.
    Here,
    /// The address belongs to an account elsewhere.
    Taken,
    /// The address is none.
    Email,
    /// The same address stands in an earlier line.
    Twice(i64),
    /// There is no such permission.
    Unknown,
    /// Whoever invites may not give the permission.
    Role,
    /// The organisation wants addresses of other domains.
    Domain,
    /// The name cannot be taken.
    Name,
    /// The telephone number cannot be taken.
    Phone,
    /// The line holds more than its columns.
    Overfull,
    /// The address was invited as often today as one may be.
    Often,
    /// The fault was ours.
    Broken,
}

impl Refusal {
    /// One of each, in the order in which they are shown; which line an address stands in first is left open.
    pub const KINDS: [Self; 12] = [
        Self::Here,
        Self::Taken,
        Self::Email,
        Self::Twice(0),
        Self::Unknown,
        Self::Role,
        Self::Domain,
        Self::Name,
        Self::Phone,
        Self::Overfull,
        Self::Often,
        Self::Broken,
    ];

    /// The name of its kind, in the file and in addresses.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Taken => "taken",
            Self::Email => "email",
            Self::Twice(_) => "twice",
            Self::Unknown => "permission",
            Self::Role => "role",
            Self::Domain => "domain",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Overfull => "columns",
            Self::Often => "often",
            Self::Broken => "broken",
        }
    }

    /// As it stands in the file.
    #[must_use]
    pub fn slug(self) -> String {
        match self {
            Self::Twice(line) => format!("twice:{line}"),
            other => other.key().to_owned(),
        }
    }

    /// As it was written there.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        match slug.split_once(':') {
            Some(("twice", line)) => line.parse().ok().map(Self::Twice),
            Some(_) => None,
            None => Self::KINDS
                .into_iter()
                .find(|one| one.key() == slug && !matches!(one, Self::Twice(_))),
        }
    }

    /// In a few words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Here => "Already here",
            Self::Taken => "In use",
            Self::Email => "Not an email",
            Self::Twice(_) => "Twice in this list",
            Self::Unknown => "No such permission",
            Self::Role => "Permission you cannot give",
            Self::Domain => "Not an allowed domain",
            Self::Name => "Name wrong",
            Self::Phone => "Phone wrong",
            Self::Overfull => "Too many columns",
            Self::Often => "Invited too often",
            Self::Broken => "Not created",
        }
    }

    /// What it means for this line, and what to do about it.
    #[must_use]
    pub fn sentence(self, entry: &Entry) -> String {
        let role: Option<Role> = role(&entry.role);
        match self {
            Self::Here => "This person has an account here already.".to_owned(),
            Self::Taken => EMAIL_TAKEN.to_owned(),
            Self::Email => entry
                .email
                .parse::<Email>()
                .err()
                .unwrap_or_else(|| "This is not an email address.".to_owned()),
            Self::Twice(line) => format!("The same email stands in line {line}."),
            Self::Unknown => "The permissions are Member, Billing, Admin and Master.".to_owned(),
            Self::Role => match role {
                Some(role) => format!("Only a {role} can give the permission {role}."),
                None => "This permission is not yours to give.".to_owned(),
            },
            Self::Domain => {
                "The organisation invites addresses of other domains only. A Master can change that in Settings."
                    .to_owned()
            }
            Self::Name => entry
                .name
                .parse::<PersonName>()
                .err()
                .unwrap_or_else(|| "This name cannot be taken.".to_owned()),
            Self::Phone => entry
                .phone
                .parse::<Phone>()
                .err()
                .unwrap_or_else(|| "This number cannot be taken.".to_owned()),
            Self::Overfull => {
                "The line holds more than its columns. Put a text that has a comma in it in quotes.".to_owned()
            }
            Self::Often => {
                "This address was invited as often as one may be in a day. Try it tomorrow.".to_owned()
            }
            Self::Broken => {
                "Something broke on the server. Try this line again; if it stays so, tell whoever runs this Portal."
                    .to_owned()
            }
        }
    }
}

/// A permission as people write it: by its name or its key, in any case of the letters.
#[must_use]
pub fn role(text: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| {
        role.key().eq_ignore_ascii_case(text.trim())
            || role.label().eq_ignore_ascii_case(text.trim())
    })
}

/// Somebody to invite: a line of which nothing is wrong in itself.
#[derive(Clone, Debug)]
struct Person {
    email: Email,
    role: Role,
    known: Known,
}

impl Person {
    /// Reads a line, of which an empty permission is this one.
    fn of(entry: &Entry, default: Role) -> std::result::Result<Self, Refusal> {
        if entry.is_overfull {
            return Err(Refusal::Overfull);
        }
        let email = entry.email.parse().map_err(|_| Refusal::Email)?;
        let role = if entry.role.trim().is_empty() {
            default
        } else {
            role(&entry.role).ok_or(Refusal::Unknown)?
        };
        let filled = |text: &str| !text.trim().is_empty();
        let name = filled(&entry.name).then(|| entry.name.parse());
        let phone = filled(&entry.phone).then(|| entry.phone.parse());
        Ok(Self {
            email,
            role,
            known: Known {
                name: name.transpose().map_err(|_: String| Refusal::Name)?,
                phone: phone.transpose().map_err(|_: String| Refusal::Phone)?,
            },
        })
    }

    /// The line as it is kept: each thing in its one spelling.
    fn entry(&self, line: usize) -> Entry {
        let Known { name, phone } = &self.known;
        Entry {
            line,
            email: self.email.to_string(),
            role: self.role.key().to_owned(),
            name: name.as_ref().map(ToString::to_string).unwrap_or_default(),
            phone: phone.as_ref().map(ToString::to_string).unwrap_or_default(),
            is_overfull: false,
        }
    }
}

/// Why whoever acts may not invite this person, as far as it has nothing to do with who has the address.
fn unfit(
    read: &Read<'_>,
    by: &Allowed<InviteAccounts>,
    person: &Person,
) -> Result<Option<Refusal>> {
    if accounts::may_give(by, person.role).is_err() {
        return Ok(Some(Refusal::Role));
    }
    match invitations::check_domain(read, by.by(), by.organisation(), &person.email) {
        Ok(()) => Ok(None),
        Err(Error::Invalid { .. }) => Ok(Some(Refusal::Domain)),
        Err(other) => Err(other),
    }
}

/// What is found out about one line.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The line; where it is right, each thing in its one spelling.
    pub entry: Entry,
    /// Why it is refused; none where its person can be invited, as far as is known.
    pub refusal: Option<Refusal>,
}

/// What is found out about a list.
#[derive(Clone, Debug)]
pub struct Verdicts {
    /// Line by line.
    pub lines: Vec<Judged>,
    /// Whether there were so many addresses in use that the rest were not looked up.
    pub is_cut_short: bool,
}

/// Judges a list, with this permission where a line says none. `may_learn` is how many addresses may be found to belong to
/// accounts elsewhere; once there were so many nothing is told of any other.
pub fn judge(
    read: &Read<'_>,
    by: &Allowed<InviteAccounts>,
    entries: &[Entry],
    default: Role,
    may_learn: i64,
) -> Result<Verdicts> {
    let mut seen: HashMap<Email, i64> = HashMap::new();
    let mut left = may_learn;
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        let person = match Person::of(entry, default) {
            Ok(person) => person,
            Err(refusal) => {
                lines.push(Judged {
                    entry: entry.clone(),
                    refusal: Some(refusal),
                });
                continue;
            }
        };
        let number = i64::try_from(entry.line).unwrap_or(i64::MAX);
        let refusal = if let Some(first) = seen.get(&person.email) {
            Some(Refusal::Twice(*first))
        } else {
            seen.insert(person.email.clone(), number);
            match unfit(read, by, &person)? {
                Some(refusal) => Some(refusal),
                None => match whose(read, by.organisation(), &person.email)? {
                    Whose::Ours => Some(Refusal::Here),
                    Whose::Others if left > 0 => {
                        left -= 1;
                        Some(Refusal::Taken)
                    }
                    Whose::Others | Whose::Nobody => None,
                },
            }
        };
        // Once nothing may be learned any more, an address of others looks like one of nobody's.
        lines.push(Judged {
            entry: person.entry(entry.line),
            refusal,
        });
    }
    Ok(Verdicts {
        lines,
        is_cut_short: left == 0,
    })
}

/// Who has an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Nobody,
    Ours,
    Others,
}

fn whose(read: &Read<'_>, organisation: OrganisationId, email: &Email) -> Result<Whose> {
    Ok(match accounts::by_email(read, email)? {
        None => Whose::Nobody,
        Some(account) if account.organisation == organisation => Whose::Ours,
        Some(_) => Whose::Others,
    })
}

/// Judges a list and keeps it, to be confirmed within the hour. Every address that is found to be in use elsewhere counts,
/// and is recorded, as if it had been typed into the form.
pub fn check(
    tx: &Tx<'_>,
    by: &Allowed<InviteAccounts>,
    entries: &[Entry],
    default: Role,
    terms: Terms,
) -> Result<Audited<ImportId>> {
    let organisation = by.organisation();
    let Some(giver) = by.by().account() else {
        return Err(Error::internal("the operator's lists are not kept"));
    };
    let (may_learn, until) = invitations::refusals_left(tx, organisation, terms)?;
    let verdicts = judge(tx, by, entries, default, may_learn)?;
    for line in &verdicts.lines {
        if line.refusal == Some(Refusal::Taken) {
            let email = line.entry.email.parse().map_err(Error::internal)?;
            invitations::refuse_duplicate(tx, by.by(), organisation, &email)?.into_inner();
        }
    }
    sql::make_room(tx, organisation, giver, JUDGED_MAX - 1)?;
    let id = ImportId::new(tx)?;
    sql::insert(
        tx,
        &sql::New {
            id,
            organisation,
            given_by: giver,
            unlooked_until: verdicts.is_cut_short.then_some(until),
        },
    )?;
    for line in &verdicts.lines {
        sql::insert_line(tx, id, line)?;
    }
    let event = Event::of(organisation, Action::ImportChecked)
        .with("import", id.to_string())
        .with("lines", verdicts.lines.len());
    audit::record(tx, by.by(), &event, id)
}

/// A list that whoever looks may see: their own, and once it was confirmed every one of the organisation's.
pub fn find(read: &Read<'_>, by: &Allowed<InviteAccounts>, id: ImportId) -> Result<Option<Import>> {
    let import = sql::find(read, id)?.filter(|import| import.organisation == by.organisation());
    Ok(import.filter(|import| is_seen(read, by, import)))
}

fn is_seen(read: &Read<'_>, by: &Allowed<InviteAccounts>, import: &Import) -> bool {
    match import.state {
        State::Judged => {
            import.given_by == by.by().account() && read.now().since(import.created_at) < JUDGED_FOR
        }
        State::Running => true,
        State::Done | State::Stopped => import
            .ended_at
            .is_some_and(|at| read.now().since(at) < KEPT_FOR),
    }
}

/// The newest lists that whoever looks may see.
pub fn recent(read: &Read<'_>, by: &Allowed<InviteAccounts>) -> Result<Vec<Recent>> {
    let mut recent = sql::recent(read, by.organisation(), by.by().account(), RECENT_MAX)?;
    recent.retain(|one| is_seen(read, by, &one.import));
    Ok(recent)
}

/// Which lines of a list are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// Those whose people can be invited.
    Waiting,
    /// Those whose people are.
    Invited,
    /// Those that are refused for this reason.
    Refused(Refusal),
}

impl Filter {
    /// The filter of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        match key {
            "new" => Self::Waiting,
            "invited" => Self::Invited,
            _ => Refusal::KINDS
                .into_iter()
                .find(|one| one.key() == key)
                .map_or(Self::All, Self::Refused),
        }
    }

    /// Its name in addresses; none for all.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Waiting => Some("new"),
            Self::Invited => Some("invited"),
            Self::Refused(refusal) => Some(refusal.key()),
        }
    }
}

/// So many lines of a list, from this one on.
pub fn lines(
    read: &Read<'_>,
    import: &Import,
    filter: Filter,
    (offset, rows): (i64, i64),
) -> Result<Vec<Line>> {
    Ok(sql::lines(read, import, filter, (offset, rows))?)
}

/// Begins to invite those on a list; answers with none when it was begun before.
pub fn begin(
    tx: &Tx<'_>,
    by: &Allowed<InviteAccounts>,
    id: ImportId,
) -> Result<Option<Audited<()>>> {
    let import = find(tx, by, id)?.ok_or(Error::NotFound)?;
    let Actor::Account {
        id: giver, session, ..
    } = by.by().actor
    else {
        return Err(Error::internal("the operator's lists are not kept"));
    };
    if import.state != State::Judged {
        return Ok(None);
    }
    let waiting = sql::counts(tx, id)?.waiting;
    if waiting == 0 {
        return Err(Error::Refused(
            "There is nobody to invite on this list.".to_owned(),
        ));
    }
    if sql::running(tx, import.organisation)? >= RUNNING_MAX {
        return Err(Error::Refused(format!(
            "{RUNNING_MAX} lists are being worked through already. Wait for one of them to end."
        )));
    }
    let account = accounts::find(tx, giver)?.ok_or(Error::NotFound)?;
    let begun = sql::Begun {
        session,
        address: by.by().address,
        epoch: account.epoch,
    };
    if !sql::begin(tx, id, &begun)? {
        return Ok(None);
    }
    let event = Event::of(import.organisation, Action::ImportBegan)
        .with("import", id.to_string())
        .with("lines", waiting);
    audit::record(tx, by.by(), &event, ()).map(Some)
}

/// Throws a list away that nobody was invited by.
pub fn discard(tx: &Tx<'_>, by: &Allowed<InviteAccounts>, id: ImportId) -> Result<Audited<()>> {
    let import = find(tx, by, id)?.ok_or(Error::NotFound)?;
    if import.state != State::Judged {
        return Err(Error::Refused(
            "People were invited by this list already: it can be stopped, and not thrown away."
                .to_owned(),
        ));
    }
    sql::remove(tx, id)?;
    let event =
        Event::of(import.organisation, Action::ImportDiscarded).with("import", id.to_string());
    audit::record(tx, by.by(), &event, ())
}

/// Invites nobody else by a list; who is invited stays so. Answers with none when it is over already.
pub fn stop(
    tx: &Tx<'_>,
    by: &Allowed<InviteAccounts>,
    id: ImportId,
) -> Result<Option<Audited<()>>> {
    let import = find(tx, by, id)?.ok_or(Error::NotFound)?;
    match import.state {
        State::Running => end(
            tx,
            by.by(),
            &import,
            Some(("by_hand", "It was stopped by hand.")),
        )
        .map(Some),
        State::Judged => Err(Error::Refused(
            "This list has not begun: discard it instead.".to_owned(),
        )),
        State::Done | State::Stopped => Ok(None),
    }
}

/// What became of one turn at a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A line came to its end, and there may be another.
    Went,
    /// The list is over, or waits at a cap.
    Rests,
}

/// Does the next line of a list, or ends it. Whoever confirmed the list is judged by what they are now.
pub fn step(tx: &Tx<'_>, id: ImportId, terms: Terms) -> Result<Step> {
    let Some(import) = sql::find(tx, id)?.filter(|import| import.state == State::Running) else {
        return Ok(Step::Rests);
    };
    let by = match absent(tx, &import)? {
        Ok(by) => by,
        Err(why) => {
            end(tx, &By::system(), &import, Some(("not_allowed", why)))?.into_inner();
            return Ok(Step::Rests);
        }
    };
    let Some(line) = sql::next_waiting(tx, id)? else {
        end(tx, by.by(), &import, None)?.into_inner();
        return Ok(Step::Rests);
    };
    match invite(tx, &by, &line, terms)? {
        Outcome::Invited(account) => sql::invited(tx, id, line.line, account)?,
        Outcome::Refused(refusal) => sql::refused(tx, id, line.line, refusal)?,
        Outcome::Waits(until) => {
            sql::wait(tx, id, until)?;
            return Ok(Step::Rests);
        }
    }
    Ok(Step::Went)
}

/// What became of one line.
enum Outcome {
    Invited(AccountId),
    Refused(Refusal),
    /// The organisation has had all that the caps let it have until then.
    Waits(Timestamp),
}

fn invite(
    tx: &Tx<'_>,
    by: &Allowed<InviteAccounts>,
    entry: &Entry,
    terms: Terms,
) -> Result<Outcome> {
    let organisation = by.organisation();
    let person = match Person::of(entry, Role::Member) {
        Ok(person) => person,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    if let Some(refusal) = unfit(tx, by, &person)? {
        return Ok(Outcome::Refused(refusal));
    }
    let whose = whose(tx, organisation, &person.email)?;
    if whose == Whose::Ours {
        return Ok(Outcome::Refused(Refusal::Here));
    }
    // Before anything depends on whether others have it: that an address waits must not tell so either.
    let (may_learn, until) = invitations::refusals_left(tx, organisation, terms)?;
    if may_learn == 0 {
        return Ok(Outcome::Waits(until));
    }
    match invitations::room(tx, organisation, &person.email, terms)? {
        Room::Free => {}
        Room::Until(until) => return Ok(Outcome::Waits(until)),
        Room::Enough => return Ok(Outcome::Refused(Refusal::Often)),
    }
    if whose == Whose::Others {
        invitations::refuse_duplicate(tx, by.by(), organisation, &person.email)?.into_inner();
        return Ok(Outcome::Refused(Refusal::Taken));
    }
    let invitee = Invitee {
        email: &person.email,
        role: person.role,
        known: person.known.clone(),
    };
    let account = invitations::invite_known(tx, by, &invitee, terms)?.into_inner();
    Ok(Outcome::Invited(account))
}

/// The right of whoever confirmed a list, as things stand now; or why they have it no more.
fn absent(
    tx: &Tx<'_>,
    import: &Import,
) -> Result<std::result::Result<Allowed<InviteAccounts>, &'static str>> {
    let organisation = organisations::get(tx, import.organisation)?;
    if organisation.disabled_at.is_some() {
        return Ok(Err("The organisation was disabled."));
    }
    let giver = match import.given_by {
        Some(giver) => accounts::find(tx, giver)?,
        None => None,
    };
    let Some((giver, email)) = giver.and_then(active) else {
        return Ok(Err("Whoever began it has no Active account any more."));
    };
    if import.epoch != Some(giver.epoch) {
        return Ok(Err(
            "Whoever began it was signed out everywhere, or their permission or password changed.",
        ));
    }
    let by = By {
        actor: Actor::Account {
            id: giver.id,
            email,
            session: import.session,
        },
        address: import.address,
        // What a list did is found together.
        request_id: import.id.to_string(),
    };
    let permissions = giver.role.permissions(organisation.managers);
    Ok(
        Allowed::of_absent(by, organisation.id, permissions, organisation.managers)
            .map_err(|_| "Whoever began it may not invite any more."),
    )
}

fn active(account: Account) -> Option<(Account, Email)> {
    let email = account.email.clone()?;
    (account.status == Status::Active).then_some((account, email))
}

/// It is over; why, where it was stopped: for the log, and for people.
fn end(tx: &Tx<'_>, by: &By, import: &Import, why: Option<(&str, &str)>) -> Result<Audited<()>> {
    sql::end(tx, import.id, why.map(|(_, sentence)| sentence))?;
    let counts = sql::counts(tx, import.id)?;
    let event = Event::of(import.organisation, Action::ImportEnded)
        .with("import", import.id.to_string())
        .with("invited", counts.invited)
        .with("refused", counts.refused())
        .with("left", counts.waiting);
    let event = match why {
        Some((slug, _)) => event.with("why", slug),
        None => event,
    };
    audit::record(tx, by, &event, ())
}

/// The next line broke something of ours: it is refused, so that the others go on.
pub fn give_up(tx: &Tx<'_>, id: ImportId) -> Result<()> {
    if let Some(line) = sql::next_waiting(tx, id)? {
        sql::refused(tx, id, line.line, Refusal::Broken)?;
    }
    Ok(())
}

/// The links of those whom a list invited and who have not come yet, as far as whoever asks may copy them; each is recorded
/// as if it had been copied by hand.
pub fn links(
    tx: &Tx<'_>,
    by: &Allowed<ManageAccounts>,
    import: &Import,
) -> Result<HashMap<AccountId, Link>> {
    let mut links = HashMap::new();
    for account in sql::pending(tx, import.id)? {
        match invitations::copy_link(tx, by, account) {
            Ok(link) => {
                links.insert(account, link.into_inner());
            }
            // It ran out, or is not theirs to hand over.
            Err(Error::Refused(_) | Error::NotFound) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(links)
}

/// Records that what became of a list was taken out of the Portal.
pub fn exported(tx: &Tx<'_>, by: &By, import: &Import, lines: usize) -> Result<Audited<()>> {
    let event = Event::of(import.organisation, Action::ImportExported)
        .with("import", import.id.to_string())
        .with("lines", lines);
    audit::record(tx, by, &event, ())
}

/// The account was deleted: no list knows its person any more.
pub fn forget(tx: &Tx<'_>, account: &Account) -> Result<()> {
    let email = account.address()?;
    Ok(sql::forget(tx, account.organisation, (account.id, &email))?)
}

/// The personal data of a deleted account is erased: no list knows the person by any of these names and addresses, nor
/// from where they gave one. What still waits is of somebody who is invited now.
pub fn erase(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    account: AccountId,
    names: &Names,
) -> Result<()> {
    Ok(sql::erase(tx, organisation, account, names)?)
}

/// The file was put back, or its key is lost: what went on then does not go on by itself.
pub fn void_all(tx: &Tx<'_>) -> Result<()> {
    Ok(sql::stop_all(
        tx,
        "The Portal was put back from a backup, or got another key.",
    )?)
}

/// Forgets lists that nobody confirmed, and those that ended long ago.
pub fn sweep(tx: &Tx<'_>) -> Result<usize> {
    let (judged, ended) = (tx.now().minus(JUDGED_FOR), tx.now().minus(KEPT_FOR));
    let Some(id) = sql::next_over(tx, judged, ended)? else {
        return Ok(0);
    };
    let removed = sql::remove_lines(tx, id, SWEEP_MAX)?;
    if removed == 0 {
        sql::remove(tx, id)?;
    }
    // There may be more of it, and others after it.
    Ok(usize::try_from(SWEEP_MAX).unwrap_or_default())
}

/// What an operator's line came to.
#[derive(Clone, Debug)]
pub enum Done {
    /// The account, and its link.
    Invited(Box<Link>),
    /// Why not.
    Refused(Refusal),
}

/// Invites the person of one line from the command line, which has no caps.
pub fn invite_as_operator(
    tx: &Tx<'_>,
    by: &Allowed<InviteAccounts>,
    entry: &Entry,
    terms: Terms,
) -> Result<Option<Audited<Done>>> {
    let Ok(person) = Person::of(entry, Role::Member) else {
        return Ok(None);
    };
    match whose(tx, by.organisation(), &person.email)? {
        Whose::Nobody => {}
        Whose::Ours => return Ok(None),
        Whose::Others => {
            let refused =
                invitations::refuse_duplicate(tx, by.by(), by.organisation(), &person.email)?;
            return Ok(Some(refused.map(|()| Done::Refused(Refusal::Taken))));
        }
    }
    let invitee = Invitee {
        email: &person.email,
        role: person.role,
        known: person.known.clone(),
    };
    let invited = invitations::invite_known(tx, by, &invitee, terms)?;
    let invited = invited.try_map(|id| {
        let account = accounts::find(tx, id)?.ok_or(Error::NotFound)?;
        Ok(Done::Invited(Box::new(invitations::link(tx, account)?)))
    })?;
    Ok(Some(invited))
}

/// Records that an operator's list was begun.
pub fn operator_began(
    tx: &Tx<'_>,
    by: &Allowed<InviteAccounts>,
    lines: usize,
) -> Result<Audited<()>> {
    let event = Event::of(by.organisation(), Action::ImportBegan).with("lines", lines);
    audit::record(tx, by.by(), &event, ())
}

/// Records what became of it.
pub fn operator_ended(
    tx: &Tx<'_>,
    by: &Allowed<InviteAccounts>,
    (invited, refused): (usize, usize),
) -> Result<Audited<()>> {
    let event = Event::of(by.organisation(), Action::ImportEnded)
        .with("invited", invited)
        .with("refused", refused);
    audit::record(tx, by.by(), &event, ())
}
