//! The log as a file: exactly what a filter leaves, oldest first, made while it is sent.
//!
//! Rows never change and are only put at the end, so that what lies up to the head of the beginning is one state of the
//! log however long the reading takes; it is read in short turns, so that the file's own log is folded in meanwhile. Only
//! pruning takes rows away: an export that meets it breaks off.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use super::search::{Filter, Line, Outcome};
use super::sql::past;
use super::sql::search::{Order, Sealed, Search, beginning, sealed};
use super::{Action, Audited, Deed, Event, Hand, record, sql};
use crate::domain::id::{AccountId, OrganisationId};
use crate::error::{Error, Result};
use crate::kit::csv;
use crate::kit::dates;
use crate::kit::db::{Read, Reader, Tx, unpoisoned};
use crate::kit::time::Timestamp;
use crate::scope::{Allowed, By, ReadAudit};

/// Rows that are read in one turn.
const TURN: i64 = 250;

/// Exports that run at once: each holds a thread of the server until its client has taken everything.
const RUNNING_MAX: usize = 6;

/// As what it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Rows for a spreadsheet.
    Csv,
    /// One JSON object to a line, with all that is needed to check the chain.
    Jsonl,
}

impl Format {
    /// The end of the file's name, and the name in the log.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

/// What is exported.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// As what.
    pub format: Format,
    /// Which events.
    pub filter: Filter,
    /// The words that were looked for, as typed.
    pub typed: Option<String>,
}

/// How an export says things that the log itself does not know.
#[derive(Clone, Copy)]
pub struct Told {
    /// The name that an account has now.
    pub name: fn(&Read<'_>, AccountId) -> Result<Option<String>>,
    /// An event in words.
    pub sentence: fn(&Deed) -> String,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told")
    }
}

/// Where whoever exports takes a seat: one for each organisation, and few in all.
#[derive(Debug, Default)]
pub struct Desk(Mutex<HashSet<i64>>);

/// A seat, free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    desk: Arc<Desk>,
    chain_id: i64,
}

impl Desk {
    /// A seat for this organisation; or when to come back.
    pub fn sit(self: &Arc<Self>, organisation: OrganisationId) -> Result<Seat> {
        let chain_id = organisation.number();
        let mut taken = unpoisoned(&self.0);
        if taken.len() >= RUNNING_MAX || !taken.insert(chain_id) {
            return Err(Error::TooMany {
                retry_after: 30,
                sentence:
                    "Another export of the audit log is running. Start this one when it has ended."
                        .to_owned(),
            });
        }
        Ok(Seat {
            desk: Arc::clone(self),
            chain_id,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        unpoisoned(&self.desk.0).remove(&self.chain_id);
    }
}

/// Records that the organisation's log is exported. What stands in the log by then, this included, is what is exported.
pub fn begin(tx: &Tx<'_>, by: &Allowed<ReadAudit>, wanted: &Wanted) -> Result<Audited<()>> {
    recorded(tx, by.by(), Some(by.organisation()), wanted)
}

/// The same of the system's own log, which is the operator's.
pub fn begin_of_system(tx: &Tx<'_>, wanted: &Wanted) -> Result<Audited<()>> {
    recorded(tx, &By::operator(), None, wanted)
}

fn recorded(
    tx: &Tx<'_>,
    by: &By,
    chain: Option<OrganisationId>,
    wanted: &Wanted,
) -> Result<Audited<()>> {
    let mut event = match chain {
        Some(organisation) => Event::of(organisation, Action::AuditExported),
        None => Event::of_system(Action::AuditExported),
    };
    event = event.with("format", wanted.format.key());
    let filters = filters(&wanted.filter);
    if !filters.is_empty() {
        event = event.with("filters", filters);
    } else if wanted.filter.is_any() {
        let chain_id = chain.map_or(0, OrganisationId::number);
        let newest = sql::head(tx, chain_id)?.map_or(0, |head| head.number);
        let (before, _) = beginning(tx, chain_id)?;
        // The record of the export is one of them.
        event = event.with("rows", newest - before + 1);
    }
    if let Some(typed) = &wanted.typed {
        event = event.on_text(typed);
    }
    record(tx, by, &event, ())
}

/// The filters as facts: ids and words of our own, never what was typed.
fn filters(filter: &Filter) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            facts.insert(name.to_owned(), value);
        }
    };
    say("who", filter.who.map(|who| who.key().into()));
    say("what", filter.what.map(|what| what.key().into()));
    say("target", filter.target.map(|id| id.to_string().into()));
    say("result", filter.outcome.map(|outcome| outcome.key().into()));
    say("from", filter.from.map(|at| instant(at).into()));
    say("until", filter.until.map(|at| instant(at).into()));
    facts
}

fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// What has been written so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Rows,
    Done,
}

/// A file on its way.
#[derive(Debug)]
pub struct Export {
    reader: Reader,
    now: Timestamp,
    chain: Option<OrganisationId>,
    format: Format,
    is_whole: bool,
    told: Told,
    search: Search,
    /// The newest row as the chain's head says; none where it has lost its head.
    head: Option<(i64, [u8; 32])>,
    before: (i64, [u8; 32]),
    stage: Stage,
    /// The number of the newest row that was looked at.
    reached: i64,
    rows: u64,
    names: HashMap<AccountId, Option<String>>,
    seat: Option<Seat>,
}

impl Export {
    /// Begins it (`None`: the system's chain). The record of it must be in the file already.
    pub fn new(
        reader: Reader,
        now: Timestamp,
        chain: Option<OrganisationId>,
        wanted: &Wanted,
        told: Told,
    ) -> Result<Self> {
        let chain_id = chain.map_or(0, OrganisationId::number);
        let (search, head, before) = reader.read(now, |read| {
            let head = sql::head(read, chain_id)?.map(|head| (head.number, head.hash));
            let search = Search::new(read, chain, &wanted.filter)?;
            Ok::<_, Error>((search, head, beginning(read, chain_id)?))
        })?;
        Ok(Self {
            reader,
            now,
            chain,
            format: wanted.format,
            is_whole: wanted.filter.is_any(),
            told,
            search,
            head,
            before,
            stage: Stage::Head,
            reached: 0,
            rows: 0,
            names: HashMap::new(),
            seat: None,
        })
    }

    /// The same, which keeps this seat until it is written or given up.
    #[must_use]
    pub fn seated(self, seat: Seat) -> Self {
        Self {
            seat: Some(seat),
            ..self
        }
    }

    /// How many rows were written.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    fn chain_id(&self) -> i64 {
        self.chain.map_or(0, OrganisationId::number)
    }

    fn piece(&mut self) -> Result<Option<Vec<u8>>> {
        match self.stage {
            Stage::Head => {
                self.stage = Stage::Rows;
                Ok(Some(self.beginning()?))
            }
            Stage::Rows => {
                let (written, is_last) = self.turn()?;
                let mut piece = written;
                if is_last {
                    self.stage = Stage::Done;
                    piece.extend(self.ending()?);
                }
                Ok(Some(piece))
            }
            Stage::Done => {
                self.seat = None;
                Ok(None)
            }
        }
    }

    /// The rows of one turn, and whether they were the last.
    fn turn(&mut self) -> Result<(Vec<u8>, bool)> {
        let chain_id = self.chain_id();
        // The search is bounded by what was the newest row when it began.
        let bounds = (self.reached.saturating_add(1), i64::MAX);
        let (reader, now) = (self.reader.clone(), self.now);
        reader.read(now, |read| {
            if beginning(read, chain_id)? != self.before {
                return Err(Error::internal(
                    "the log was pruned while it was being exported",
                ));
            }
            let numbers = self.search.numbers(read, bounds, Order::Oldest, TURN)?;
            let is_last = i64::try_from(numbers.len()).unwrap_or(i64::MAX) < TURN;
            let mut piece = Vec::new();
            for number in numbers {
                self.reached = number;
                self.rows += 1;
                match self.format {
                    Format::Csv => {
                        let Some(line) = self.search.line(read, number)? else {
                            return Err(Error::internal("a row of the log has vanished"));
                        };
                        piece.extend(csv::lines([self.cells(read, &line)?])?);
                    }
                    Format::Jsonl => {
                        piece.extend(json_row(read, chain_id, number)?.to_string().bytes());
                        piece.push(b'\n');
                    }
                }
            }
            Ok((piece, is_last))
        })
    }

    fn beginning(&self) -> Result<Vec<u8>> {
        match self.format {
            Format::Csv => Ok(csv::document(&HEADS, [])?),
            Format::Jsonl => Ok(line_of(&json!({
                "format": "doorward audit 1",
                "chain": self.chain_id(),
                "organisation": self.chain.map(|organisation| organisation.to_string()),
                "is_whole": self.is_whole,
                "exported_at": instant(self.now),
                "after": { "number": self.before.0, "hash": HEXLOWER.encode(&self.before.1) },
            }))),
        }
    }

    fn ending(&self) -> Result<Vec<u8>> {
        match self.format {
            Format::Csv => {
                let mut cells = vec!["rows".to_owned(), self.rows.to_string()];
                cells.resize(HEADS.len(), String::new());
                Ok(csv::lines([cells])?)
            }
            Format::Jsonl => Ok(line_of(&json!({
                "rows": self.rows,
                "head": self.head.map(|(number, hash)| json!({ "number": number, "hash": HEXLOWER.encode(&hash) })),
            }))),
        }
    }

    fn cells(&mut self, read: &Read<'_>, line: &Line) -> Result<Vec<String>> {
        let actor = match line.actor {
            Some(id) => self.name(read, id)?,
            None => None,
        };
        let target = match line.target {
            Some(id) => self.name(read, id)?,
            None => None,
        };
        let deed = &line.deed;
        let (before, after) = deed.change.clone().unwrap_or_default();
        let who = match (&deed.hand, &actor) {
            (Hand::Operator, _) => "operator".to_owned(),
            (Hand::System, _) => "system".to_owned(),
            (Hand::Stranger, _) => "stranger".to_owned(),
            (Hand::Own | Hand::Other(_), Some(name)) => name.clone(),
            (Hand::Own | Hand::Other(_), None) => String::new(),
        };
        let words = (self.told.sentence)(&named(deed, actor.as_deref()));
        Ok(vec![
            line.number.to_string(),
            dates::machine(deed.at, &jiff::tz::TimeZone::UTC),
            words,
            deed.action.slug().to_owned(),
            Outcome::of(deed.action).key().to_owned(),
            who,
            line.actor_text.clone().unwrap_or_default(),
            id(line.actor),
            target.unwrap_or_default(),
            line.target_text.clone().unwrap_or_default(),
            id(line.target),
            before,
            after,
            deed.address.clone().unwrap_or_default(),
            id(line.session),
            line.request_id.clone(),
            deed.details.to_string(),
        ])
    }

    fn name(&mut self, read: &Read<'_>, id: AccountId) -> Result<Option<String>> {
        if let Some(known) = self.names.get(&id) {
            return Ok(known.clone());
        }
        let name = (self.told.name)(read, id)?;
        self.names.insert(id, name.clone());
        Ok(name)
    }
}

impl Iterator for Export {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.piece()
            .map_err(|error| {
                self.stage = Stage::Done;
                tracing::warn!(err = %error, "an export of the audit log broke off");
                io::Error::other(error.to_string())
            })
            .transpose()
    }
}

/// The columns for a spreadsheet.
const HEADS: [&str; 17] = [
    "number",
    "time",
    "event",
    "action",
    "result",
    "actor",
    "actor_email",
    "actor_id",
    "target",
    "target_text",
    "target_id",
    "before",
    "after",
    "network_address",
    "session",
    "request",
    "details",
];

/// The same deed, told of whoever did it by name.
#[must_use]
pub fn named(deed: &Deed, name: Option<&str>) -> Deed {
    let hand = match (&deed.hand, name) {
        (Hand::Other(_), Some(name)) => Hand::Other(name.to_owned()),
        (hand, _) => hand.clone(),
    };
    Deed {
        hand,
        ..deed.clone()
    }
}

fn id(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn line_of(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

/// A row with all that its hash is over, its texts, and what these are worth without the rest: a time to read.
pub fn json_row(read: &Read<'_>, chain_id: i64, number: i64) -> Result<Value> {
    let Some(Sealed { row, hash, texts }) = sealed(read, chain_id, number)? else {
        return Err(Error::internal("a row of the log has vanished"));
    };
    let texts: Vec<Value> = texts
        .iter()
        .map(|text| json!({ "slot": text.slot, "salt": HEXLOWER.encode(&text.salt), "text": text.text }))
        .collect();
    let erased = past::erased_with(read, chain_id, number)?;
    let is_told = row.action == Action::AccountErased.slug() || !erased.is_empty();
    Ok(json!({
        "number": row.number,
        "time": instant(row.at),
        "at": row.at.0,
        "action": row.action,
        "actor": row.actor,
        "actor_id": row.actor_id,
        "session_id": row.session_id,
        "target_id": row.target_id,
        "details": row.details,
        "request_id": row.request_id,
        "texts": texts,
        "commitments": HEXLOWER.encode(&row.commitments),
        "hash": HEXLOWER.encode(&hash),
        "erased": is_told.then_some(erased),
    }))
}
