//! The list of accounts: which are on a page, read from one index alone, and what each line says.

use std::cmp::Ordering;

use rusqlite::Row as SqlRow;

use super::departures::{Obstacle, dropped};
use super::{Account, from_row, push_literal};
use crate::domain::id::{AccountId, ErrandId, OrganisationId};
use crate::domain::role::Role;
use crate::domain::text::PersonName;
use crate::kit::db::{Read, Result};
use crate::kit::time::Timestamp;
use crate::scope::{Allowed, ListAccounts};

/// The orders a list can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Last used first; never used last.
    #[default]
    Seen,
    /// Never used first, then whoever was away longest: whom one might switch off.
    Unseen,
    /// By name, the nameless first.
    Name,
    /// By name from its end.
    NameBackwards,
    /// Created last first.
    Created,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Seen,
        Self::Unseen,
        Self::Name,
        Self::NameBackwards,
        Self::Created,
    ];

    /// The value in the address of the page.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Seen => "-last_active",
            Self::Unseen => "last_active",
            Self::Name => "name",
            Self::NameBackwards => "-name",
            Self::Created => "-created",
        }
    }

    /// It in SQL, from one end. Nothing is equal in it: ids and addresses are one account's.
    const fn order(self, from: End) -> &'static str {
        match (self, from) {
            (Self::Seen, End::First) | (Self::Unseen, End::Last) => "last_seen_at DESC, id DESC",
            (Self::Unseen, End::First) | (Self::Seen, End::Last) => "last_seen_at, id",
            (Self::Name, End::First) | (Self::NameBackwards, End::Last) => {
                "name COLLATE NOCASE, email"
            }
            (Self::NameBackwards, End::First) | (Self::Name, End::Last) => {
                "name COLLATE NOCASE DESC, email DESC"
            }
            (Self::Created, End::First) => "created_at DESC, id DESC",
            (Self::Created, End::Last) => "created_at, id",
        }
    }

    /// The index that has it.
    const fn index(self) -> &'static str {
        match self {
            Self::Seen | Self::Unseen => "accounts_by_seen",
            Self::Name | Self::NameBackwards => BY_NAME,
            Self::Created => "accounts_by_created",
        }
    }

    /// These places of the sorted whole, which by name it is already.
    fn sorted(self, hits: &mut [Hit], from: End, first: usize, end: usize) -> &[Hit] {
        match (self, from) {
            (Self::Name | Self::NameBackwards, _) => hits.get(first..end).unwrap_or_default(),
            (Self::Unseen, End::First) | (Self::Seen | Self::Created, End::Last) => {
                slice(hits, first, end, Ord::cmp)
            }
            (Self::Seen | Self::Created, End::First) | (Self::Unseen, End::Last) => {
                slice(hits, first, end, |a, b| b.cmp(a))
            }
        }
    }

    const fn is_by_seen(self) -> bool {
        matches!(self, Self::Seen | Self::Unseen)
    }

    const fn is_by_name(self) -> bool {
        matches!(self, Self::Name | Self::NameBackwards)
    }

    /// The column of instants that it goes by, if it does.
    const fn instant(self) -> &'static str {
        match self {
            Self::Seen | Self::Unseen => "last_seen_at",
            Self::Name | Self::NameBackwards => "NULL",
            Self::Created => "created_at",
        }
    }
}

/// Where to begin in an order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

/// The index of names, which has the addresses too.
const BY_NAME: &str = "accounts_by_name";
/// The index that has all that a list looks at.
const BY_STATUS: &str = "accounts_by_status";

/// Which accounts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What the name or address holds.
    pub text: Option<String>,
    /// A status slug of [`super::Status`]; without it none is deleted.
    pub status: Option<&'static str>,
    /// A role.
    pub role: Option<Role>,
    /// Active ones alone: those that have a second factor, or those that have none.
    pub two_factor: Option<bool>,
    /// The order.
    pub sort: Sort,
}

/// The status of those who may sign in.
const ACTIVE: &str = "active";
/// The status of tombstones, which are listed by themselves.
pub const DELETED: &str = "deleted";
/// The statuses that a list has.
const LISTED: [&str; 3] = [ACTIVE, "disabled", "pending"];

/// A status, a role, and whether there is a second factor: the index by status has each kind as it was seen.
type Kind = (&'static str, Role, bool);

impl Filter {
    /// The same for one kind of account.
    fn of(&self, (status, role, two_factor): Kind) -> Self {
        Self {
            text: None,
            status: Some(status),
            role: Some(role),
            two_factor: Some(two_factor),
            sort: self.sort,
        }
    }

    /// The same with all that it means: whoever asks for a second factor, or for none, asks for the Active. None where
    /// nobody can have all that is asked for.
    fn settled(&self) -> Option<Self> {
        match (self.two_factor, self.status) {
            (None, _) | (Some(_), Some(ACTIVE)) => Some(self.clone()),
            (Some(_), None) => Some(Self {
                status: Some(ACTIVE),
                ..self.clone()
            }),
            (Some(_), Some(_)) => None,
        }
    }

    /// The statement for one page, in this index and from this end: so many rows (?5) after so many (?6).
    fn page(&self, index: &str, from: End) -> String {
        format!(
            "SELECT {}, id FROM accounts INDEXED BY {index} WHERE {} ORDER BY {} LIMIT ?5 OFFSET ?6",
            self.sort.instant(),
            self.condition(index),
            self.sort.order(from)
        )
    }

    /// The statement for all that fit the pattern ?5, or all where it is NULL: by name in their order, else in any.
    fn hits(&self, index: &str) -> String {
        let fits = match self.text {
            Some(_) => "(name LIKE ?5 ESCAPE '\\' OR email LIKE ?5 ESCAPE '\\')",
            None => "?5 IS NULL",
        };
        let mut sql = format!(
            "SELECT {}, id, name FROM accounts INDEXED BY {index} WHERE {} AND {fits}",
            self.sort.instant(),
            self.condition(index)
        );
        if self.sort.is_by_name() {
            sql.push_str(" ORDER BY ");
            sql.push_str(self.sort.order(End::First));
        }
        sql
    }

    /// What it filters by, in the form that this index can use: it names all values of what it stands by before it comes to
    /// what is asked for. Every parameter is bound, whether it is used or not.
    fn condition(&self, index: &str) -> String {
        let is_by_status = index == BY_STATUS;
        let status = match (self.status, self.role) {
            (Some(_), _) => "status = ?2",
            (None, Some(_)) if is_by_status => {
                "?2 IS NULL AND status IN ('active', 'disabled', 'pending')"
            }
            (None, _) => "?2 IS NULL",
        };
        let role = match (self.role, self.two_factor) {
            (Some(_), _) => "role = ?3",
            (None, Some(_)) if is_by_status => {
                "?3 IS NULL AND role IN ('member', 'billing', 'admin', 'master')"
            }
            (None, _) => "?3 IS NULL",
        };
        let two_factor = match self.two_factor {
            Some(_) => "two_factor = ?4",
            None => "?4 IS NULL",
        };
        format!(
            "organisation_id = ?1 AND status <> 'deleted' AND {status} AND {role} AND {two_factor}"
        )
    }
}

/// What became of the mail that carries the activation link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// Owed.
    Waiting,
    /// Accepted by the server.
    Sent,
    /// Given up.
    Failed,
}

/// One line of the list: the account, and what its second line says.
#[derive(Clone, Debug)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// Who created it, as named now; none: the operator, or the set-up.
    pub created_by: Option<PersonName>,
    /// When its live invitation was written; none unless Pending.
    pub invited_at: Option<Timestamp>,
    /// When its live invitation expires; none unless Pending.
    pub link_expires_at: Option<Timestamp>,
    /// Who wrote its live invitation; none: the operator.
    pub invited_by: Option<PersonName>,
    /// The invitation's mail, while its row is kept.
    pub mail_id: Option<ErrandId>,
    /// What became of it.
    pub mail: Option<MailState>,
    /// The mail server's last words.
    pub mail_answer: Option<String>,
    /// When it leaves, or was to, if a date is set.
    pub leaves: Option<Leaves>,
}

/// When somebody leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaves {
    /// The first instant after their last day.
    pub at: Timestamp,
    /// Why it could not be done; none while it is to be.
    pub obstacle: Option<Obstacle>,
}

const LINE: &str = "SELECT a.id, a.organisation_id, a.status, a.role, a.email, a.name, a.phone, a.epoch, a.created_at,
    a.created_by, a.activated_at, a.last_seen_at, a.disabled_at, a.deleted_at, a.two_factor, CASE WHEN c.status = 'deleted' THEN coalesce(c.name, 'Erased account') ELSE c.name END,
    i.created_at, i.expires_at, CASE WHEN g.status = 'deleted' THEN coalesce(g.name, 'Erased account') ELSE g.name END,
    e.id, e.state, e.answer, d.leaves_at, d.dropped_at, d.why";

const LINE_JOINS: &str = "LEFT JOIN accounts c ON c.id = a.created_by
  LEFT JOIN invitations i ON i.account_id = a.id AND i.state IN ('open', 'expired')
  LEFT JOIN accounts g ON g.id = i.given_by
  LEFT JOIN errands e ON e.about_id = i.id AND e.kind = 'activation'
  LEFT JOIN departures d ON d.account_id = a.id";

fn line_from_row(row: &SqlRow<'_>) -> rusqlite::Result<Line> {
    let mail = match row.get::<_, Option<String>>(20)?.as_deref() {
        Some("waiting" | "sending") => Some(MailState::Waiting),
        Some("sent") => Some(MailState::Sent),
        Some("failed") => Some(MailState::Failed),
        _ => None,
    };
    Ok(Line {
        account: from_row(row)?,
        created_by: row.get(15)?,
        invited_at: row.get(16)?,
        link_expires_at: row.get(17)?,
        invited_by: row.get(18)?,
        mail_id: row.get(19)?,
        mail,
        mail_answer: row.get(21)?,
        leaves: match row.get(22)? {
            Some(at) => Some(Leaves {
                at,
                obstacle: dropped(row.get(23)?, row.get(24)?)?.map(|(_, why)| why),
            }),
            None => None,
        },
    })
}

/// One account with what its status line says.
pub fn line(read: &Read<'_>, organisation: OrganisationId, id: AccountId) -> Result<Option<Line>> {
    let mut lines = read.list(
        &format!("{LINE} FROM accounts a {LINE_JOINS} WHERE a.id = ?1 AND a.organisation_id = ?2"),
        (id, organisation),
        line_from_row,
    )?;
    Ok(lines.pop())
}

/// One page of the list, and how many lines all pages have. Beyond the last page is the last page.
///
/// Which accounts are on the page is read from one index alone; the rest of a line is read for those only.
pub fn list(
    read: &Read<'_>,
    by: &Allowed<ListAccounts>,
    filter: &Filter,
    offset: i64,
    rows: i64,
) -> Result<(Vec<Line>, i64)> {
    let Some(filter) = filter.settled() else {
        return Ok((Vec::new(), 0));
    };
    if filter.status == Some(DELETED) {
        return deleted(read, by.organisation(), &filter, offset, rows);
    }
    let selection = Selection::new(read, by.organisation(), &filter)?;
    let (ids, total) = match &filter.text {
        Some(text) => selection.found(read, Some(&Needle::new(text)), offset, rows)?,
        None => (selection.page(read, offset, rows)?, selection.matching),
    };
    Ok((lines(read, selection.organisation, &ids)?, total))
}

/// A page of what deleted accounts left, the newest first.
fn deleted(
    read: &Read<'_>,
    organisation: OrganisationId,
    filter: &Filter,
    offset: i64,
    rows: i64,
) -> Result<(Vec<Line>, i64)> {
    let pattern = filter.text.as_deref().map(super::contains);
    let total = read.get(
        "SELECT count(*) FROM accounts WHERE organisation_id = ?1 AND status = 'deleted'
            AND (?2 IS NULL OR role = ?2) AND (?3 IS NULL OR name LIKE ?3 ESCAPE '\\')",
        (organisation, filter.role, &pattern),
        |row| row.get(0),
    )?;
    let ids: Vec<i64> = read.list(
        "SELECT id FROM accounts WHERE organisation_id = ?1 AND status = 'deleted'
            AND (?2 IS NULL OR role = ?2) AND (?3 IS NULL OR name LIKE ?3 ESCAPE '\\')
          ORDER BY deleted_at DESC, id LIMIT ?4 OFFSET ?5",
        (
            organisation,
            filter.role,
            &pattern,
            rows,
            start(offset, rows, total),
        ),
        |row| row.get(0),
    )?;
    Ok((lines(read, organisation, &ids)?, total))
}

/// How many accounts of the organisation are deleted.
pub fn deleted_count(read: &Read<'_>, organisation: OrganisationId) -> Result<i64> {
    read.get(
        "SELECT coalesce(sum(count), 0) FROM account_counts WHERE organisation_id = ?1 AND status = 'deleted'",
        [organisation],
        |row| row.get(0),
    )
}

/// The lines of these accounts, in their order.
fn lines(read: &Read<'_>, organisation: OrganisationId, ids: &[i64]) -> Result<Vec<Line>> {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    read.list(
        &format!(
            "{LINE} FROM json_each(?2) place CROSS JOIN accounts a ON a.id = place.value {LINE_JOINS}
              WHERE a.organisation_id = ?1 ORDER BY place.key"
        ),
        (organisation, format!("[{}]", ids.join(","))),
        line_from_row,
    )
}

/// Where a page begins: on the last one when the offset lies beyond it.
fn start(offset: i64, rows: i64, total: i64) -> i64 {
    let rows = rows.max(1);
    offset.clamp(0, (total - 1).max(0) / rows * rows)
}

/// To take one out of all and sort them costs about as much as to walk past three in an index.
const SORT_COST: i64 = 3;
/// So few are sorted at once, since in an order they could all stand at the far end.
const FEW: i64 = 3_000;

/// An instant, if there is one, and the account: what a list by instants is sorted by.
type Hit = (Option<i64>, i64);

/// The accounts that a filter leaves before its text, and how to reach them.
struct Selection<'f> {
    organisation: OrganisationId,
    filter: &'f Filter,
    /// How many the organisation has.
    all: i64,
    /// How many of them are of the kinds that it leaves.
    matching: i64,
    /// Each kind that it leaves and that there is.
    kinds: Vec<Kind>,
}

/// Where a page lies in an order.
#[derive(Clone, Copy)]
struct Stretch {
    /// From this end.
    from: End,
    /// After so many.
    skipped: i64,
    /// So many.
    rows: i64,
}

impl Stretch {
    /// How many an order is followed for.
    const fn wanted(self) -> i64 {
        self.skipped + self.rows
    }
}

/// How to reach a page.
enum Way {
    /// Along the index of the order, past those that are not wanted.
    Walk,
    /// Along each kind's part of the index by status, which has them as they were seen.
    Kinds,
    /// By sorting all that match.
    Sort,
}

impl<'f> Selection<'f> {
    fn new(read: &Read<'_>, organisation: OrganisationId, filter: &'f Filter) -> Result<Self> {
        let mut selection = Self {
            organisation,
            filter,
            all: 0,
            matching: 0,
            kinds: Vec::new(),
        };
        let counts = read.list(
            "SELECT status, role, two_factor, count FROM account_counts WHERE organisation_id = ?1 AND count > 0",
            [organisation],
            |row| {
                let status = row.get_ref(0)?.as_str()?;
                let status = LISTED.into_iter().find(|listed| *listed == status);
                let kind = (row.get::<_, Role>(1)?, row.get::<_, bool>(2)?);
                Ok((status, kind, row.get::<_, i64>(3)?))
            },
        )?;
        for (status, (role, two_factor), count) in counts {
            let Some(status) = status else { continue };
            selection.all += count;
            if filter.status.is_none_or(|wanted| wanted == status)
                && filter.role.is_none_or(|wanted| wanted == role)
                && filter.two_factor.is_none_or(|wanted| wanted == two_factor)
            {
                selection.matching += count;
                selection.kinds.push((status, role, two_factor));
            }
        }
        Ok(selection)
    }

    /// The ids of one page, reached from the nearer end.
    fn page(&self, read: &Read<'_>, offset: i64, rows: i64) -> Result<Vec<i64>> {
        let start = start(offset, rows, self.matching);
        let shown = rows.min(self.matching - start);
        let after = self.matching - start - shown;
        let stretch = if after < start {
            Stretch {
                from: End::Last,
                skipped: after,
                rows: shown,
            }
        } else {
            Stretch {
                from: End::First,
                skipped: start,
                rows: shown,
            }
        };
        let sort = self.filter.sort;
        let hits = match (self.way(stretch.wanted()), self.kinds.as_slice()) {
            (Way::Walk, _) => self.walked(read, self.filter, sort.index(), stretch)?,
            (Way::Kinds, [kind]) => {
                self.walked(read, &self.filter.of(*kind), BY_STATUS, stretch)?
            }
            (Way::Kinds, kinds) => self.merged(read, kinds, stretch)?,
            (Way::Sort, _) if sort.is_by_name() => {
                self.walked(read, self.filter, BY_STATUS, stretch)?
            }
            (Way::Sort, _) => return Ok(self.found(read, None, offset, rows)?.0),
        };
        let mut ids: Vec<i64> = hits.into_iter().map(|(_, id)| id).collect();
        if stretch.from == End::Last {
            ids.reverse();
        }
        Ok(ids)
    }

    fn walked(
        &self,
        read: &Read<'_>,
        filter: &Filter,
        index: &str,
        stretch: Stretch,
    ) -> Result<Vec<Hit>> {
        read.list(
            &filter.page(index, stretch.from),
            (
                self.organisation,
                filter.status,
                filter.role,
                filter.two_factor,
                stretch.rows,
                stretch.skipped,
            ),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// The same out of several kinds: no more than the whole stretch can come from one of them.
    fn merged(&self, read: &Read<'_>, kinds: &[Kind], stretch: Stretch) -> Result<Vec<Hit>> {
        let each = Stretch {
            skipped: 0,
            rows: stretch.wanted(),
            ..stretch
        };
        let mut hits = Vec::new();
        for kind in kinds {
            hits.extend(self.walked(read, &self.filter.of(*kind), BY_STATUS, each)?);
        }
        let place = |row: i64| usize::try_from(row).unwrap_or_default();
        let (first, end) = (place(stretch.skipped), place(stretch.wanted()));
        let page = self.filter.sort.sorted(&mut hits, stretch.from, first, end);
        Ok(page.to_vec())
    }

    /// The cheapest way to a page where this many come first, itself included. Where those that match stand in an
    /// order is not known: few, or the pending, who were never seen and have no name, may stand at its far end.
    fn way(&self, wanted: i64) -> Way {
        if self.matching == self.all {
            return Way::Walk;
        }
        let walked = wanted.saturating_mul(self.all) / self.matching.max(1);
        let is_apart = self.matching <= FEW || self.filter.status == Some("pending");
        let sorted = self.matching.saturating_mul(SORT_COST);
        if self.filter.sort.is_by_seen() {
            let kinds = i64::try_from(self.kinds.len()).unwrap_or(i64::MAX);
            let merged = wanted.saturating_mul(kinds).saturating_mul(SORT_COST);
            if kinds <= 1 || merged <= sorted && (is_apart || merged <= self.all) {
                return Way::Kinds;
            }
        }
        if is_apart || sorted < walked {
            Way::Sort
        } else {
            Way::Walk
        }
    }

    /// One page of those that hold the text, or of all, and how many they are: read in one pass over one index.
    fn found(
        &self,
        read: &Read<'_>,
        needle: Option<&Needle>,
        offset: i64,
        rows: i64,
    ) -> Result<(Vec<i64>, i64)> {
        let sort = self.filter.sort;
        let is_walked = sort.is_by_name() && matches!(self.way(self.matching), Way::Walk);
        let index = if is_walked { BY_NAME } else { BY_STATUS };
        let hits = read.list(
            &self.filter.hits(index),
            (
                self.organisation,
                self.filter.status,
                self.filter.role,
                self.filter.two_factor,
                needle.map(|needle| &needle.pattern),
            ),
            |row| {
                let hit: Hit = (row.get(0)?, row.get(1)?);
                let is_hit = match needle {
                    Some(needle) => needle.is_in(row.get_ref(2)?.as_str_or_null()?),
                    None => true,
                };
                Ok(is_hit.then_some(hit))
            },
        )?;
        let mut hits: Vec<Hit> = hits.into_iter().flatten().collect();
        let total = i64::try_from(hits.len()).unwrap_or(i64::MAX);
        let start = start(offset, rows, total);
        let place = |row: i64| usize::try_from(row.min(total)).unwrap_or_default();
        let page = sort.sorted(&mut hits, End::First, place(start), place(start + rows));
        Ok((page.iter().map(|(_, id)| *id).collect(), total))
    }
}

/// These places of what would be the sorted whole.
fn slice<T>(
    all: &mut [T],
    first: usize,
    end: usize,
    order: impl Fn(&T, &T) -> Ordering + Copy,
) -> &[T] {
    if end < all.len() {
        all.select_nth_unstable_by(end, order);
    }
    let (head, _) = all.split_at_mut(end);
    if 0 < first && first < end {
        head.select_nth_unstable_by(first, order);
    }
    let (_, page) = head.split_at_mut(first);
    page.sort_unstable_by(order);
    page
}

/// A text that is looked for, whatever its case.
struct Needle {
    /// LIKE knows the two cases of ASCII alone: other letters that have two are any sign here, and looked at again.
    pattern: String,
    /// The text in one case, where it has such letters.
    folded: Option<String>,
}

impl Needle {
    fn new(text: &str) -> Self {
        let has_case = |c: char| !c.is_ascii() && (folded(c).ne([c]) || c.to_uppercase().ne([c]));
        let mut pattern = String::from("%");
        for c in text.chars() {
            if has_case(c) {
                pattern.push('_');
            } else {
                push_literal(&mut pattern, c);
            }
        }
        pattern.push('%');
        Self {
            pattern,
            folded: text
                .contains(has_case)
                .then(|| text.chars().flat_map(folded).collect()),
        }
    }

    /// Whether a row that fits the pattern holds the text. Addresses are ASCII: what LIKE finds in them is right.
    fn is_in(&self, name: Option<&str>) -> bool {
        self.folded.as_ref().is_none_or(|text| {
            name.is_some_and(|name| {
                let name: String = name.chars().flat_map(folded).collect();
                name.contains(text)
            })
        })
    }
}

/// One case of each letter, by way of the other, so that a final sigma is a sigma.
fn folded(c: char) -> impl Iterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    const SCHEMA: &str = include_str!("../../../schema.sql");

    /// Every filter, in every order.
    fn filters() -> Vec<Filter> {
        let mut all = Vec::new();
        for sort in Sort::ALL {
            for status in [None, Some("active"), Some("pending"), Some("disabled")] {
                for role in [None, Some(Role::Member), Some(Role::Master)] {
                    for two_factor in [None, Some(true), Some(false)] {
                        let filter = Filter {
                            text: None,
                            status,
                            role,
                            two_factor,
                            sort,
                        };
                        all.extend(filter.settled());
                    }
                }
            }
        }
        all
    }

    fn plan(conn: &Connection, sql: &str) -> String {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let unbound = vec![rusqlite::types::Null; statement.parameter_count()];
        let rows = statement.query_map(rusqlite::params_from_iter(unbound), |row| {
            row.get::<_, String>(3)
        });
        let steps: Vec<String> = rows.unwrap().map(std::result::Result::unwrap).collect();
        steps.join("; ")
    }

    #[test]
    fn a_page_reads_one_index_alone_and_sorts_nothing_that_it_can_walk() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        for filter in filters() {
            for from in [End::First, End::Last] {
                let walked = plan(&conn, &filter.page(filter.sort.index(), from));
                assert!(walked.contains("COVERING INDEX"), "{filter:?}: {walked}");
                assert!(!walked.contains("TEMP"), "{filter:?}: {walked}");
                let sorted = plan(&conn, &filter.page(BY_STATUS, from));
                assert!(sorted.contains("COVERING INDEX"), "{filter:?}: {sorted}");
                let is_whole = filter.role.is_some() && filter.two_factor.is_some();
                if is_whole && filter.sort.index() == "accounts_by_seen" {
                    assert!(!sorted.contains("TEMP"), "{filter:?}: {sorted}");
                }
                // What is asked for is gone to, and whatever the index stands by before it.
                let [by_factor, by_role, by_status] = [
                    filter.two_factor.is_some(),
                    filter.role.is_some(),
                    filter.status.is_some(),
                ];
                for (part, column) in [
                    (by_status || by_role, " AND status=?"),
                    (by_role || by_factor, " AND role=?"),
                    (by_factor, " AND two_factor=?"),
                ] {
                    assert_eq!(sorted.contains(column), part, "{filter:?}: {sorted}");
                }
            }
        }
    }

    #[test]
    fn a_second_factor_is_asked_of_the_active_alone() {
        assert_eq!(filters().len(), 5 * 3 * (4 + 2 * 2));
        for filter in filters() {
            assert!(
                filter.two_factor.is_none() || filter.status == Some("active"),
                "{filter:?}"
            );
        }
    }

    #[test]
    fn a_search_reads_one_index_alone() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        for filter in filters() {
            for text in [None, Some("ann".to_owned())] {
                let filter = Filter {
                    text,
                    ..filter.clone()
                };
                let found = plan(&conn, &filter.hits(BY_STATUS));
                assert!(found.contains("COVERING INDEX"), "{filter:?}: {found}");
                if filter.sort.is_by_name() {
                    let found = plan(&conn, &filter.hits(BY_NAME));
                    assert!(found.contains("COVERING INDEX"), "{filter:?}: {found}");
                    assert!(!found.contains("TEMP"), "{filter:?}: {found}");
                } else {
                    assert!(!found.contains("TEMP"), "{filter:?}: {found}");
                }
            }
        }
    }

    #[test]
    fn a_page_beyond_the_last_begins_where_the_last_does() {
        for (offset, rows, total, expected) in [
            (0, 25, 0, 0),
            (25, 25, 0, 0),
            (25, 25, 25, 0),
            (25, 25, 26, 25),
            (i64::MAX, 25, 26, 25),
            (-25, 25, 26, 0),
            (50, 50, 100, 50),
        ] {
            assert_eq!(start(offset, rows, total), expected, "{offset} of {total}");
        }
    }

    #[test]
    fn places_of_a_sorted_whole_are_found_without_sorting_it() {
        let shuffled: Vec<i64> = (0..100).map(|number| number * 37 % 100).collect();
        for first in [0, 1, 25, 75, 99, 100] {
            for end in [first, 100.min(first + 25), 100] {
                let mut all = shuffled.clone();
                let expected: Vec<i64> = (0..100).skip(first).take(end - first).collect();
                assert_eq!(slice(&mut all, first, end, i64::cmp), expected);
            }
        }
    }

    #[test]
    fn letters_are_found_in_either_case_and_signs_are_themselves() {
        let is_found = |text: &str, name: &str| {
            let conn = Connection::open_in_memory().unwrap();
            let needle = Needle::new(text);
            let fits: bool = conn
                .query_row(
                    "SELECT ?1 LIKE ?2 ESCAPE '\\'",
                    (name, &needle.pattern),
                    |row| row.get(0),
                )
                .unwrap();
            fits && needle.is_in(Some(name))
        };
        for (text, name) in [
            ("ann", "JOHANNA"),
            ("ødegård", "Kari ØDEGÅRD"),
            ("ØDE", "kari ødegård"),
            ("οδος", "ΟΔΟΣ"),
            ("ΟΔΟΣ", "οδος"),
            ("жанна", "Жанна"),
            ("李", "李小龍"),
            ("100%_é\\", "a 100%_É\\ b"),
        ] {
            assert!(is_found(text, name), "{text} in {name}");
        }
        for (text, name) in [
            ("ø", "oslo"),
            ("å", "Kari"),
            ("_", "Kari"),
            ("%", "Kari"),
            ("ø_", "Kari Ødegård"),
            ("李", "王小龍"),
            ("\\", "Kari"),
        ] {
            assert!(!is_found(text, name), "{text} in {name}");
        }
    }
}
