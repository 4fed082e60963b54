//! A list as somebody pastes or exports it: rows for a spreadsheet (RFC 4180), or plain addresses. Read whole, or refused
//! with the line that is to blame.
//!
//! What cannot be told apart is refused: a quote that never ends would swallow people. What is wrong with one person is
//! for the judgement of that line, which comes later.

use std::collections::VecDeque;
use std::fmt;

/// No list is larger, in bytes.
pub const FILE_MAX: usize = 1 << 20;
/// No list holds more people.
pub const PEOPLE_MAX: usize = 5_000;
/// What is longer is cut where it is kept: it is no address, name or number anyway.
const KEPT_MAX: usize = 500;
/// So many columns that mean nothing are named.
const UNUSED_MAX: usize = 5;

/// One person on a list, as written there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Entry {
    /// In which line, from 1; where several stand in one line, which of all, from 1.
    pub line: usize,
    /// The address.
    pub email: String,
    /// The permission; empty where the list says none.
    pub role: String,
    /// The name; empty where it is not told.
    pub name: String,
    /// The telephone number; empty where it is not told.
    pub phone: String,
    /// Whether there is more in the line than it has columns.
    pub is_overfull: bool,
}

/// A list that could be read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Parsed {
    /// Who is on it, in order.
    pub entries: Vec<Entry>,
    /// The heads of columns that mean nothing here.
    pub unused: Vec<String>,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// In which line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub sentence: String,
}

impl Mistake {
    fn new(line: usize, sentence: impl Into<String>) -> Self {
        Self {
            line,
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}: {}", self.line, self.sentence)
    }
}

/// Reads a list.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Mistake> {
    if bytes.len() > FILE_MAX {
        return Err(Mistake::new(
            1,
            "This list is larger than 1 MiB. Send it in several parts.",
        ));
    }
    let text = text(bytes)?;
    let records = records(text, delimiter(text))?;
    let mut records = VecDeque::from(records);
    let columns = match records.front().map(header).transpose()?.flatten() {
        Some(columns) => {
            records.pop_front();
            Some(columns)
        }
        None => None,
    };
    let mut parsed = Parsed::default();
    let mut is_crowded = false;
    for record in records {
        let before = parsed.entries.len();
        match &columns {
            Some(columns) => parsed.entries.push(columns.entry(&record)),
            None => match addresses(&record) {
                Some(entries) => parsed.entries.extend(entries),
                None => parsed.entries.push(Columns::usual().entry(&record)),
            },
        }
        is_crowded |= parsed.entries.len() > before + 1;
        if parsed.entries.len() > PEOPLE_MAX {
            return Err(Mistake::new(
                record.line,
                "A list holds at most 5,000 people. Send it in several parts.",
            ));
        }
    }
    if parsed.entries.is_empty() {
        return Err(Mistake::new(
            1,
            "There is nobody on this list. Write one person to a line, the email first.",
        ));
    }
    if is_crowded {
        for (entry, number) in parsed.entries.iter_mut().zip(1..) {
            entry.line = number;
        }
    }
    parsed.unused = columns.map(|columns| columns.unused).unwrap_or_default();
    Ok(parsed)
}

/// The bytes as text, without the mark that some programs put in front.
fn text(bytes: &[u8]) -> Result<&str, Mistake> {
    const NOT_TEXT: &str =
        "This is not UTF-8 text. Save the list as “CSV UTF-8”, or paste it here.";
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            return Err(Mistake::new(line_of(good), NOT_TEXT));
        }
    };
    match text.find('\0') {
        Some(at) => Err(Mistake::new(
            line_of(text.as_bytes().get(..at).unwrap_or_default()),
            NOT_TEXT,
        )),
        None => Ok(text),
    }
}

/// The line in which what follows these bytes stands.
fn line_of(before: &[u8]) -> usize {
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// What separates the columns: what the first line that has any has most of, outside quotes.
fn delimiter(text: &str) -> char {
    for line in text.split(['\n', '\r']) {
        let mut is_quoted = false;
        let mut counts = [(',', 0_usize), (';', 0), ('\t', 0)];
        for c in line.chars() {
            if c == '"' {
                is_quoted = !is_quoted;
            } else if let Some((_, count)) =
                counts.iter_mut().find(|(one, _)| *one == c && !is_quoted)
            {
                *count += 1;
            }
        }
        // Of equals the first counts: the comma.
        let most = counts.iter().rev().max_by_key(|(_, count)| *count);
        if let Some((delimiter, 1..)) = most {
            return *delimiter;
        }
    }
    ','
}

/// One row.
#[derive(Debug)]
struct Record {
    line: usize,
    fields: Vec<String>,
}

/// The rows that are not blank.
fn records(text: &str, delimiter: char) -> Result<Vec<Record>, Mistake> {
    let mut reader = Reader {
        rest: text,
        line: 1,
        delimiter,
    };
    let mut records = Vec::new();
    while !reader.rest.is_empty() {
        let record = reader.record()?;
        if record.fields.iter().any(|field| !field.is_empty()) {
            records.push(record);
        }
    }
    Ok(records)
}

/// Where the reading is.
struct Reader<'t> {
    rest: &'t str,
    line: usize,
    delimiter: char,
}

impl Reader<'_> {
    fn record(&mut self) -> Result<Record, Mistake> {
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            match self.take() {
                Some(c) if c == self.delimiter => {}
                // The end of the line, or of the text.
                _ => return Ok(Record { line, fields }),
            }
        }
    }

    /// One field; what ends it is left. Blanks around it are not part of it.
    fn field(&mut self) -> Result<String, Mistake> {
        let blanks = |c: char| matches!(c, ' ' | '\u{a0}');
        let start = self.rest.trim_start_matches(blanks);
        let bare = if let Some(quoted) = start.strip_prefix('"') {
            self.rest = quoted;
            let mut text = self.quoted()?;
            let line = self.line;
            let after = self.bare().trim().to_owned();
            // As mail programs write it: "Fontaine, Lea" <lea@company.example>.
            if after.starts_with('<') && after.ends_with('>') {
                text = format!("{text} {after}");
            } else if !after.is_empty() {
                return Err(Mistake::new(
                    line,
                    "After a closing quote the column ends. Write a quote within a text twice.",
                ));
            }
            text
        } else {
            self.bare().to_owned()
        };
        Ok(unguarded(bare.trim()).to_owned())
    }

    fn bare(&mut self) -> &str {
        let delimiter = self.delimiter;
        let end = self
            .rest
            .find([delimiter, '\n', '\r'])
            .unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        field
    }

    /// What stands up to the closing quote, which is taken too.
    fn quoted(&mut self) -> Result<String, Mistake> {
        let began = self.line;
        let mut text = String::new();
        while let Some(c) = self.take() {
            if c != '"' {
                text.push(c);
            } else if let Some(rest) = self.rest.strip_prefix('"') {
                self.rest = rest;
                text.push('"');
            } else {
                return Ok(text);
            }
        }
        Err(Mistake::new(
            began,
            "A quote begins here and never ends. Close it, or leave it out.",
        ))
    }

    /// The next sign; a line break of two is one.
    fn take(&mut self) -> Option<char> {
        if let Some(rest) = self.rest.strip_prefix("\r\n") {
            self.rest = rest;
            self.line += 1;
            return Some('\n');
        }
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        if matches!(c, '\n' | '\r') {
            self.line += 1;
        }
        Some(c)
    }
}

/// Without the apostrophe that keeps a spreadsheet from reckoning with a cell, as our own files have it.
fn unguarded(field: &str) -> &str {
    match field.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => field,
    }
}

/// Which column holds what.
struct Columns {
    email: usize,
    role: Option<usize>,
    name: Option<usize>,
    phone: Option<usize>,
    count: usize,
    unused: Vec<String>,
}

impl Columns {
    /// Where there are no heads: email, permission, name, phone.
    const fn usual() -> Self {
        Self {
            email: 0,
            role: Some(1),
            name: Some(2),
            phone: Some(3),
            count: 4,
            unused: Vec::new(),
        }
    }

    fn entry(&self, record: &Record) -> Entry {
        let field = |at: Option<usize>| {
            let field = at.and_then(|at| record.fields.get(at));
            kept(field.map(String::as_str).unwrap_or_default())
        };
        let mut surplus = record.fields.iter().skip(self.count);
        let (name, email) = named(record.fields.get(self.email).map_or("", String::as_str));
        let own_name = field(self.name);
        Entry {
            line: record.line,
            email: kept(email),
            role: field(self.role),
            name: if own_name.is_empty() {
                kept(name)
            } else {
                own_name
            },
            phone: field(self.phone),
            is_overfull: surplus.any(|field| !field.is_empty()),
        }
    }
}

/// The columns by their heads, if this row has heads: none of its cells is an address, and one names a column of ours.
fn header(record: &Record) -> Result<Option<Columns>, Mistake> {
    let known = |field: &str| match field.to_lowercase().as_str() {
        "email" | "e-mail" | "mail" | "email address" | "e-mail address" => Some("email"),
        "permission" | "role" => Some("permission"),
        "name" | "full name" => Some("name"),
        "phone" | "phone number" | "telephone" | "mobile" => Some("phone"),
        _ => None,
    };
    let is_header = record.fields.iter().any(|field| known(field).is_some())
        && !record.fields.iter().any(|field| field.contains('@'));
    if !is_header {
        return Ok(None);
    }
    let mut unused = Vec::new();
    let mut places: [(&str, Option<usize>); 4] =
        ["email", "permission", "name", "phone"].map(|name| (name, None));
    for (at, field) in record.fields.iter().enumerate() {
        let column = known(field);
        let place = places.iter_mut().find(|(name, _)| Some(*name) == column);
        match place {
            Some((name, Some(_))) => {
                let sentence = format!("There are two columns for the {name}. Leave one out.");
                return Err(Mistake::new(record.line, sentence));
            }
            Some((_, place)) => *place = Some(at),
            None if field.is_empty() || unused.len() >= UNUSED_MAX => {}
            None => unused.push(kept(field)),
        }
    }
    let [(_, email), (_, role), (_, name), (_, phone)] = places;
    let Some(email) = email else {
        let sentence = "No column is called “email”. Name the one with the addresses so.";
        return Err(Mistake::new(record.line, sentence));
    };
    Ok(Some(Columns {
        email,
        role,
        name,
        phone,
        count: record.fields.len(),
        unused,
    }))
}

/// Several people in one line: where every part of it is an address. None where it is a row of columns.
fn addresses(record: &Record) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    for field in record.fields.iter().filter(|field| !field.is_empty()) {
        if field.contains('<') {
            let (name, email) = named(field);
            entries.push((name, email));
        } else {
            let parts = field.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
            entries.extend(parts.filter(|part| !part.is_empty()).map(|part| ("", part)));
        }
    }
    let is_all = entries.iter().all(|(_, email)| email.contains('@'));
    (is_all && entries.len() > 1).then(|| {
        let entry = |(name, email)| Entry {
            line: record.line,
            email: kept(email),
            name: kept(name),
            ..Entry::default()
        };
        entries.into_iter().map(entry).collect()
    })
}

/// The name and the address of `Lea Fontaine <lea@company.example>`; else there is no name.
fn named(field: &str) -> (&str, &str) {
    match field
        .strip_suffix('>')
        .and_then(|rest| rest.split_once('<'))
    {
        Some((name, email)) if email.contains('@') => {
            (name.trim().trim_matches('"').trim(), email.trim())
        }
        _ => ("", field),
    }
}

/// As it is kept: without signs that a page cannot show, and no longer than anything that could be right.
fn kept(field: &str) -> String {
    let mut kept = String::new();
    for c in field.chars() {
        if kept.len() + c.len_utf8() > KEPT_MAX {
            kept.push('…');
            break;
        }
        kept.push(match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        });
    }
    kept
}
