//! The statements that look for events.

use rusqlite::Row as SqlRow;

use crate::audit::chain::{Row, Text};
use crate::audit::search::{Filter, Question, Who, question};
use crate::audit::{Action, Deed, ERASED, Hand, Line, Whom};
use crate::domain::id::{AccountId, OrganisationId, SessionId};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result};
use crate::kit::time::Timestamp;

/// A row's id in the index is the chain's ordinal, so many bits to the left, and the number.
const NUMBER_BITS: i64 = 40;

/// Pages of the index that are read to find all words with one beginning; each holds some thousand rows.
const PREFIX_PAGES_MAX: i64 = 12;

/// The order in which rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audit) enum Order {
    Newest,
    Oldest,
}

/// A search that was prepared once: its bounds and its question stay while it is read page by page.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Search {
    chain_id: i64,
    ordinal: i64,
    question: Question,
    actions: Option<String>,
    actor: Option<&'static str>,
    actor_id: Option<i64>,
    target_id: Option<i64>,
    from: i64,
    until: i64,
    /// The first number that can match.
    pub(in crate::audit) first: i64,
    /// The last one.
    pub(in crate::audit) last: i64,
}

impl Search {
    /// Prepares it, up to the newest row of now.
    pub(in crate::audit) fn new(
        read: &Read<'_>,
        chain: Option<OrganisationId>,
        filter: &Filter,
    ) -> Result<Self> {
        let chain_id = chain.map_or(0, OrganisationId::number);
        let ordinal = read.find(
            "SELECT ordinal FROM audit_heads WHERE chain_id = ?1",
            [chain_id],
            |row| row.get(0),
        )?;
        // The last row there is, whatever the head says.
        let newest = super::end(read, chain_id)?.map_or(0, |(number, _)| number);
        let question = question(filter, |token| is_cheap(read, token))?;
        let actions = filter.actions().map(|actions| {
            let slugs: Vec<&str> = actions.iter().map(|action| action.slug()).collect();
            format!(" {} ", slugs.join(" "))
        });
        let mut search = Self {
            chain_id,
            ordinal: ordinal.unwrap_or_default(),
            question,
            actions,
            actor: filter.who.and_then(Who::slug),
            actor_id: match filter.who {
                Some(Who::Account(id)) => Some(id.number()),
                _ => None,
            },
            target_id: filter.target.map(AccountId::number),
            from: filter.from.map_or(i64::MIN, |at| at.0),
            until: filter.until.map_or(i64::MAX, |at| at.0),
            first: 1,
            last: newest,
        };
        if filter.from.is_some() {
            let first = read.find(
                "SELECT number FROM audit_events WHERE chain_id = ?1 AND at >= ?2 ORDER BY at, number LIMIT 1",
                [chain_id, search.from],
                |row| row.get(0),
            )?;
            search.first = first.unwrap_or(i64::MAX);
        }
        if filter.until.is_some() {
            let last: Option<i64> = read.find(
                "SELECT number FROM audit_events WHERE chain_id = ?1 AND at < ?2 ORDER BY at DESC, number DESC LIMIT 1",
                [chain_id, search.until],
                |row| row.get(0),
            )?;
            search.last = search.last.min(last.unwrap_or_default());
        }
        if search.question.is_hopeless {
            search.last = 0;
        }
        Ok(search)
    }

    /// The words that are found only as they are.
    pub(in crate::audit) fn whole(&self) -> &[String] {
        &self.question.whole
    }

    /// The numbers of the events that match, between these two, so many at most.
    pub(in crate::audit) fn numbers(
        &self,
        read: &Read<'_>,
        (first, last): (i64, i64),
        order: Order,
        rows: i64,
    ) -> Result<Vec<i64>> {
        let (first, last) = (first.max(self.first), last.min(self.last));
        if first > last {
            return Ok(Vec::new());
        }
        let place = self.ordinal << NUMBER_BITS;
        let (asked, low, high) = match &self.question.asked {
            Some(asked) => (asked.as_str(), place | first, place | last),
            None => ("", first, last),
        };
        // The index leads, whatever the planner thinks of it; the columns decide.
        let (found, by) = match &self.question.asked {
            Some(_) => (
                "audit_index CROSS JOIN audit_events e
                     ON e.chain_id = ?1 AND e.number = audit_index.rowid & 1099511627775 AND audit_index MATCH ?2",
                "audit_index.rowid",
            ),
            None => ("audit_events e", "e.number"),
        };
        let backwards = match order {
            Order::Newest => "DESC",
            Order::Oldest => "",
        };
        read.list(
            &format!(
                "SELECT e.number FROM {found} WHERE e.chain_id = ?1 AND {by} BETWEEN ?3 AND ?4
                    AND (?5 IS NULL OR instr(?5, ' ' || e.action || ' ') > 0) AND (?6 IS NULL OR e.actor = ?6)
                    AND (?7 IS NULL OR e.actor_id = ?7) AND (?8 IS NULL OR e.target_id = ?8)
                    AND e.at >= ?9 AND e.at < ?10 ORDER BY {by} {backwards} LIMIT ?11"
            ),
            rusqlite::params![
                self.chain_id,
                asked,
                low,
                high,
                self.actions,
                self.actor,
                self.actor_id,
                self.target_id,
                self.from,
                self.until,
                rows
            ],
            |row| row.get(0),
        )
    }

    /// The event of that number of the chain.
    pub(in crate::audit) fn line(&self, read: &Read<'_>, number: i64) -> Result<Option<Line>> {
        line(read, self.chain_id, number)
    }
}

/// Whether few enough words begin so. The index tells on how many of its own pages they lie, without looking at them; for a
/// word that begins with other letters than those of English, what comes before these is asked for.
fn is_cheap(read: &Read<'_>, beginning: &str) -> Result<bool> {
    let plain: String = beginning.chars().take_while(char::is_ascii).collect();
    if plain.is_empty() {
        return Ok(false);
    }
    // Words stand there behind a mark of one byte, and no byte of a word is as high as the last.
    let first = [b"0", plain.as_bytes()].concat();
    let last = [&first[..], &[0xff]].concat();
    let pages: i64 = read.get(
        "WITH RECURSIVE segment (id) AS (
           SELECT min(segid) FROM audit_index_idx
           UNION ALL
           SELECT (SELECT min(segid) FROM audit_index_idx WHERE segid > segment.id) FROM segment WHERE segment.id IS NOT NULL
         )
         SELECT coalesce(sum(max(0, coalesce(
             (SELECT pgno / 2 FROM audit_index_idx WHERE segid = segment.id AND term > ?2 ORDER BY term LIMIT 1),
             (SELECT max(id) - (segment.id << 37) FROM audit_index_data
               WHERE id BETWEEN segment.id << 37 AND (segment.id << 37) + 2147483647))
           - coalesce((SELECT pgno / 2 FROM audit_index_idx WHERE segid = segment.id AND term <= ?1
                        ORDER BY term DESC LIMIT 1), 1)
           - 1)), 0)
           FROM segment WHERE segment.id IS NOT NULL",
        (first, last),
        |row| row.get(0),
    )?;
    Ok(pages <= PREFIX_PAGES_MAX)
}

/// One event of a chain.
pub(in crate::audit) fn line(read: &Read<'_>, chain_id: i64, number: i64) -> Result<Option<Line>> {
    read.find(
        "SELECT e.number, e.at, e.action, e.actor, e.actor_id, e.session_id, e.target_id, e.details, e.request_id,
           (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 1),
           (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 2),
           (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 3),
           (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 4),
           (SELECT text FROM audit_texts WHERE chain_id = e.chain_id AND number = e.number AND slot = 5)
           FROM audit_events e WHERE e.chain_id = ?1 AND e.number = ?2",
        [chain_id, number],
        line_from_row,
    )
}

fn line_from_row(row: &SqlRow<'_>) -> rusqlite::Result<Line> {
    let slug = row.get_ref(2)?.as_str()?;
    let action = Action::from_slug(slug).ok_or_else(|| contradiction("action of an event"))?;
    let actor: Option<AccountId> = row.get(4)?;
    let actor_text: Option<String> = row.get(9)?;
    let target: Option<AccountId> = row.get(6)?;
    let target_text: Option<String> = row.get(11)?;
    let hand = match row.get_ref(3)?.as_str()? {
        "account" => Hand::Other(match (&actor_text, actor) {
            (Some(text), _) => text.clone(),
            (None, Some(_)) => "An erased account".to_owned(),
            (None, None) => String::new(),
        }),
        "operator" => Hand::Operator,
        "system" => Hand::System,
        "stranger" => Hand::Stranger,
        _ => return Err(contradiction("actor of an event").into()),
    };
    let whom = match &target_text {
        _ if actor.is_some() && actor == target => Whom::Doer,
        Some(text) => Whom::Other(text.clone()),
        None if target.is_some() => Whom::Other(ERASED.to_owned()),
        None => Whom::Nobody,
    };
    let facts: String = row.get(7)?;
    Ok(Line {
        number: row.get(0)?,
        actor,
        actor_text,
        session: row.get::<_, Option<SessionId>>(5)?,
        target,
        target_text,
        request_id: row.get(8)?,
        deed: Deed {
            at: row.get::<_, Timestamp>(1)?,
            action,
            hand,
            whom,
            address: row.get(10)?,
            change: row.get::<_, Option<String>>(12)?.zip(row.get(13)?),
            details: serde_json::from_str(&facts)
                .map_err(|_| contradiction("details of an event"))?,
        },
    })
}

/// One event as it is hashed, its hash, and its texts.
pub(in crate::audit) struct Sealed {
    pub(in crate::audit) row: Row,
    pub(in crate::audit) hash: [u8; 32],
    pub(in crate::audit) texts: Vec<Text>,
}

/// The event of that number, with all that is checked of it.
pub(in crate::audit) fn sealed(
    read: &Read<'_>,
    chain_id: i64,
    number: i64,
) -> Result<Option<Sealed>> {
    let mut rows = super::page(read, chain_id, number, 1)?;
    match rows.pop().filter(|(row, _)| row.number == number) {
        Some((row, hash)) => Ok(Some(Sealed {
            row,
            hash,
            texts: super::texts(read, chain_id, number)?,
        })),
        None => Ok(None),
    }
}

/// Behind which row the chain begins: none is before its first, unless the oldest were pruned.
pub(in crate::audit) fn beginning(read: &Read<'_>, chain_id: i64) -> Result<(i64, [u8; 32])> {
    let pruned = read.find(
        "SELECT number, hash FROM audit_checkpoints WHERE chain_id = ?1",
        [chain_id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(pruned.unwrap_or((0, [0; 32])))
}
