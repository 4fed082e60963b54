//! The catalogue as the operator writes it: TOML, read whole, or refused with every mistake and where it stands.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use crate::domain::money::{Currency, Money, PRICE_MAX};
use crate::domain::text::CatalogueName;
use crate::kit::time::Timestamp;
use crate::kit::toml::{Lines, Mended};

/// No catalogue is larger, in bytes.
pub const FILE_MAX: usize = 1 << 20;
/// The longest key of a kind or a plan.
const KEY_MAX: usize = 40;
/// What is longer is not repeated in a message.
const REPEATED_MAX: usize = 40;

/// A whole catalogue: what it does not name is not on offer any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The currency of every price.
    pub currency: Currency,
    /// What can be had, in the order in which it is offered.
    pub kinds: Vec<Kind>,
}

/// One kind of thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// The ways to have it.
    pub plans: Vec<Plan>,
}

/// One way to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its key, its own among those of its kind.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it costs for a month.
    pub price: Money,
    /// From when; none: from the import on.
    pub from: Option<Timestamp>,
}

/// A part of a catalogue that may be right in itself, and not be possible here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spot {
    /// The currency.
    Currency,
    /// From when a plan has its price.
    From {
        /// Of which kind, counted from 0.
        kind: usize,
        /// Of which of its plans, counted from 0.
        plan: usize,
    },
}

/// A mistake, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// In which line, from 1.
    pub line: usize,
    /// At which of its characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub sentence: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.sentence)
    }
}

/// A catalogue, and where in its text things stand.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The catalogue.
    pub file: File,
    places: HashMap<Spot, (usize, usize)>,
}

impl Parsed {
    /// What cannot be here, as a mistake of the file.
    #[must_use]
    pub fn mistake(&self, spot: Spot, sentence: String) -> Mistake {
        let (line, column) = self.places.get(&spot).copied().unwrap_or((1, 1));
        Mistake {
            line,
            column,
            sentence,
        }
    }
}

/// Reads a catalogue; else all that is wrong with it, in the order of the lines.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Vec<Mistake>> {
    let lines = Lines::of(bytes);
    let one = |at, sentence: &str| {
        let (line, column) = lines.place(at);
        let sentence = sentence.to_owned();
        vec![Mistake {
            line,
            column,
            sentence,
        }]
    };
    if bytes.len() > FILE_MAX {
        return Err(one(
            0,
            "no catalogue is larger than 1 MiB; name the file that holds the catalogue",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|why| {
        one(
            why.valid_up_to(),
            "this is not UTF-8; save the file as UTF-8",
        )
    })?;
    let mended = Mended::new(text);
    let mut reader = Reader {
        torn: mended.torn.iter().map(|(at, _)| lines.line(*at)).collect(),
        wrong: mended.torn,
        lines,
        places: HashMap::new(),
    };
    let (table, _) = DeTable::parse_recoverable(&mended.text);
    let file = reader.file(table.get_ref());
    reader.end(file)
}

/// Where a key may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    File,
    Kind,
    Plan,
}

impl Level {
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::File => &["currency", "kind"],
            Self::Kind => &["key", "name", "plan"],
            Self::Plan => &["key", "name", "price", "from"],
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::File => "a catalogue has currency, and [[kind]] for each kind",
            Self::Kind => "a kind has key, name, and [[kind.plan]] for each plan",
            Self::Plan => "a plan has key, name, price and from",
        }
    }

    /// The key that was meant, perhaps.
    fn near(self, key: &str) -> Option<&'static str> {
        const SIMILAR: f64 = 0.75;
        let near = self
            .keys()
            .iter()
            .map(|known| (strsim::jaro_winkler(key, known), *known))
            .filter(|(likeness, _)| *likeness > SIMILAR)
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        near.map(|(_, near)| near)
    }

    /// What to say of a key that is none here.
    fn stranger(self, key: &str) -> String {
        match (key, self.near(key)) {
            ("currency", _) => {
                "currency belongs above the first [[kind]]; move it there".to_owned()
            }
            ("plan", _) => {
                "a plan is written below its kind, as [[kind.plan]]; write that".to_owned()
            }
            ("kind", _) => "a kind is written as [[kind]]; write that".to_owned(),
            ("price" | "from", _) => {
                format!("{key} belongs to a plan; move it below a [[kind.plan]]")
            }
            ("key" | "name", _) => {
                format!("{key} belongs to a kind or a plan; move it below a [[kind]]")
            }
            (_, Some(near)) => format!("unknown key{}, did you mean {near}?", named(key)),
            (_, None) => format!("unknown key{}; {}", named(key), self.what()),
        }
    }
}

/// " `prize`", where that can be repeated.
fn named(text: &str) -> String {
    repeated(text).map_or_else(String::new, |text| format!(" `{text}`"))
}

/// What was written, where it is short and can be seen.
fn repeated(text: &str) -> Option<&str> {
    let is_plain = text.len() <= REPEATED_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then_some(text)
}

/// Keys and names that are taken, each with the line of the first.
#[derive(Default)]
struct Taken {
    keys: HashMap<String, usize>,
    names: HashMap<String, usize>,
}

type Value<'i> = Spanned<DeValue<'i>>;
/// What stands under each key; none where that cannot be read, or stands under a key that was misspelled.
type Members<'t, 'i> = HashMap<&'static str, Option<&'t Value<'i>>>;

struct Reader<'t> {
    lines: Lines<'t>,
    /// Lines that are no TOML.
    torn: BTreeSet<usize>,
    /// Where, and what is wrong.
    wrong: Vec<(usize, String)>,
    places: HashMap<Spot, (usize, usize)>,
}

impl Reader<'_> {
    /// Something is wrong here. Of a line that is no TOML that is said already.
    fn wrong(&mut self, at: usize, sentence: impl Into<String>) {
        if !self.torn.contains(&self.lines.line(at)) {
            self.wrong.push((at, sentence.into()));
        }
    }

    /// Something is not there; it may stand in a line that cannot be read.
    fn missing(&mut self, at: usize, sentence: impl Into<String>) {
        if self.torn.is_empty() {
            self.wrong.push((at, sentence.into()));
        }
    }

    fn end(mut self, file: Option<File>) -> Result<Parsed, Vec<Mistake>> {
        match file {
            Some(file) if self.wrong.is_empty() => Ok(Parsed {
                file,
                places: self.places,
            }),
            Some(_) | None => {
                self.wrong.sort_by_key(|(at, _)| *at);
                let mistakes = self.wrong.into_iter().map(|(at, sentence)| {
                    let (line, column) = self.lines.place(at);
                    Mistake {
                        line,
                        column,
                        sentence,
                    }
                });
                Err(mistakes.collect())
            }
        }
    }

    /// What stands under the keys of this level.
    fn members<'v, 'i>(&mut self, table: &'v DeTable<'i>, level: Level) -> Members<'v, 'i> {
        let mut members = HashMap::new();
        for (key, value) in table {
            let at = key.span().start;
            let name: &str = key.get_ref();
            match level.keys().iter().find(|known| **known == name) {
                Some(known) => {
                    let is_torn = self.torn.contains(&self.lines.line(value.span().start));
                    members.insert(*known, (!is_torn).then_some(value));
                }
                None => {
                    self.wrong(at, level.stranger(name));
                    if let Some(near) = level.near(name) {
                        members.entry(near).or_default();
                    }
                }
            }
        }
        members
    }

    fn file(&mut self, table: &DeTable<'_>) -> Option<File> {
        let members = self.members(table, Level::File);
        let currency = self.currency(members.get("currency").copied(), table);
        let kinds = members.get("kind").copied();
        let tables = match kinds.flatten() {
            Some(value) => self.tables(value, "[[kind]]"),
            None => Vec::new(),
        };
        if is_empty(kinds) {
            self.missing(
                0,
                "there is no kind; write [[kind]], and its key and name below it",
            );
        }
        let mut taken = Taken::default();
        let kinds: Vec<Option<Kind>> = tables
            .into_iter()
            .enumerate()
            .map(|(index, (at, table))| self.kind((index, at), table, currency, &mut taken))
            .collect();
        Some(File {
            currency: currency?,
            kinds: kinds.into_iter().collect::<Option<_>>()?,
        })
    }

    fn currency(
        &mut self,
        value: Option<Option<&Value<'_>>>,
        table: &DeTable<'_>,
    ) -> Option<Currency> {
        let Some(value) = value else {
            let is_below = |value: &Value<'_>| match value.get_ref() {
                DeValue::Array(all) => all.iter().any(has_currency),
                _ => has_currency(value),
            };
            // One that stands too low is told where to go.
            if !table.iter().any(|(_, value)| is_below(value)) {
                self.missing(
                    0,
                    "the currency is missing; write currency = \"EUR\" in the first line",
                );
            }
            return None;
        };
        let value = value?;
        let at = value.span().start;
        self.places.insert(Spot::Currency, self.lines.place(at));
        let DeValue::String(code) = value.get_ref() else {
            self.wrong(at, "currency is a text, in quotes, like \"EUR\"");
            return None;
        };
        if let Ok(currency) = code.parse() {
            return Some(currency);
        }
        let capitals = code.trim().to_ascii_uppercase();
        let sentence = match (capitals.parse::<Currency>(), repeated(code)) {
            (Ok(currency), _) => format!("a currency is three capitals; write \"{currency}\""),
            (Err(()), Some(code)) => format!(
                "nobody pays in \"{code}\"; write the code of a currency, like \"EUR\" (ISO 4217)"
            ),
            (Err(()), None) => {
                "this is no currency; write the code of one, like \"EUR\" (ISO 4217)".to_owned()
            }
        };
        self.wrong(at, sentence);
        None
    }

    /// The tables below such headings, each with where it begins.
    fn tables<'v, 'i>(
        &mut self,
        value: &'v Value<'i>,
        heading: &str,
    ) -> Vec<(usize, &'v DeTable<'i>)> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Array(all) => {
                let mut tables = Vec::new();
                for one in all.iter() {
                    match one.get_ref() {
                        DeValue::Table(table) => tables.push((one.span().start, table)),
                        _ => self.wrong(
                            one.span().start,
                            format!("this is no part of a catalogue; write {heading}, and what belongs to it below"),
                        ),
                    }
                }
                tables
            }
            DeValue::Table(_) => {
                self.wrong(at, format!("write {heading}, with two brackets"));
                Vec::new()
            }
            _ => {
                self.wrong(
                    at,
                    format!("write {heading} in its place, and what belongs to it below"),
                );
                Vec::new()
            }
        }
    }

    fn kind(
        &mut self,
        (index, at): (usize, usize),
        table: &DeTable<'_>,
        currency: Option<Currency>,
        taken: &mut Taken,
    ) -> Option<Kind> {
        let members = self.members(table, Level::Kind);
        let key = self.key(&members, at, ("kind", "server"), taken);
        let name = self.name(&members, at, ("kind", "Server"), taken);
        let plans = members.get("plan").copied();
        let tables = match plans.flatten() {
            Some(value) => self.tables(value, "[[kind.plan]]"),
            None => Vec::new(),
        };
        if is_empty(plans) {
            self.missing(
                at,
                "this kind has no plan; write [[kind.plan]] below it, with key, name and price",
            );
        }
        let mut taken = Taken::default();
        let plans: Vec<Option<Plan>> = tables
            .into_iter()
            .enumerate()
            .map(|(plan, (at, table))| {
                let spot = Spot::From { kind: index, plan };
                self.plan((spot, at), table, currency, &mut taken)
            })
            .collect();
        Some(Kind {
            key: key?,
            name: name?,
            plans: plans.into_iter().collect::<Option<_>>()?,
        })
    }

    fn plan(
        &mut self,
        (spot, at): (Spot, usize),
        table: &DeTable<'_>,
        currency: Option<Currency>,
        taken: &mut Taken,
    ) -> Option<Plan> {
        let members = self.members(table, Level::Plan);
        let key = self.key(&members, at, ("plan", "small"), taken);
        let name = self.name(&members, at, ("plan", "Small"), taken);
        let price = match members.get("price") {
            Some(Some(value)) => price(value.get_ref(), currency)
                .map_err(|sentence| self.wrong(value.span().start, sentence))
                .ok(),
            Some(None) => None,
            None => {
                self.missing(
                    at,
                    format!(
                        "this plan has no price; write price = 1250 below it, a whole number of {}",
                        units(currency)
                    ),
                );
                None
            }
        };
        let from = match members.get("from") {
            Some(Some(value)) => {
                let at = value.span().start;
                self.places.insert(spot, self.lines.place(at));
                Some(instant(value.get_ref()).map_err(|sentence| self.wrong(at, sentence)))
            }
            Some(None) | None => None,
        };
        Some(Plan {
            key: key?,
            name: name?,
            price: price?,
            from: from.transpose().ok()?,
        })
    }

    /// The text under a key that must be there.
    fn text<'v>(
        &mut self,
        members: &Members<'v, '_>,
        key: &'static str,
        at: usize,
        (what, example): (&str, &str),
    ) -> Option<(usize, &'v str)> {
        let Some(value) = members.get(key) else {
            self.missing(
                at,
                format!("this {what} has no {key}; write {key} = \"{example}\" below it"),
            );
            return None;
        };
        let value = (*value)?;
        let at = value.span().start;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(
                at,
                format!("{key} is a text, in quotes, like \"{example}\""),
            );
        }
        Some((at, text?))
    }

    fn key(
        &mut self,
        members: &Members<'_, '_>,
        at: usize,
        what: (&str, &str),
        taken: &mut Taken,
    ) -> Option<String> {
        let (at, text) = self.text(members, "key", at, what)?;
        if !is_key(text) {
            let likely = likely_key(text).unwrap_or_else(|| what.1.to_owned());
            self.wrong(
                at,
                format!(
                    "a key is 1 to {KEY_MAX} of a to z, 0 to 9 and -; write it like \"{likely}\""
                ),
            );
            return None;
        }
        let line = self.lines.line(at);
        if let Some(first) = taken.keys.get(text) {
            self.wrong(
                at,
                format!(
                    "line {first} has a {} with the key \"{text}\" already; choose another key",
                    what.0
                ),
            );
            return None;
        }
        taken.keys.insert(text.to_owned(), line);
        Some(text.to_owned())
    }

    fn name(
        &mut self,
        members: &Members<'_, '_>,
        at: usize,
        what: (&str, &str),
        taken: &mut Taken,
    ) -> Option<String> {
        let (at, text) = self.text(members, "name", at, what)?;
        let name = match text.parse::<CatalogueName>() {
            Ok(name) => name.to_string(),
            Err(why) => {
                self.wrong(at, format!("this name cannot be taken: {why}"));
                return None;
            }
        };
        let line = self.lines.line(at);
        // In a list to choose from, nobody could tell the two apart.
        if let Some(first) = taken.names.get(&name.to_lowercase()) {
            self.wrong(
                at,
                format!(
                    "line {first} has a {} with this name already; choose another name",
                    what.0
                ),
            );
            return None;
        }
        taken.names.insert(name.to_lowercase(), line);
        Some(name)
    }
}

/// Whether nothing is there, where something could be read.
fn is_empty(value: Option<Option<&Value<'_>>>) -> bool {
    match value {
        None => true,
        Some(None) => false,
        Some(Some(value)) => matches!(value.get_ref(), DeValue::Array(all) if all.is_empty()),
    }
}

fn has_currency(value: &Value<'_>) -> bool {
    match value.get_ref() {
        DeValue::Table(table) => {
            table.contains_key("currency")
                || table.iter().any(|(_, value)| match value.get_ref() {
                    DeValue::Array(all) => all.iter().any(has_currency),
                    _ => false,
                })
        }
        _ => false,
    }
}

fn is_key(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The key that was meant, perhaps.
fn likely_key(text: &str) -> Option<String> {
    let folded = text.to_lowercase();
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    Some(words.join("-")).filter(|key| is_key(key))
}

/// What prices are whole numbers of.
fn units(currency: Option<Currency>) -> String {
    let Some(currency) = currency else {
        return "the smallest unit".to_owned();
    };
    match (currency.code(), currency.digits()) {
        ("EUR" | "USD", _) => "cents".to_owned(),
        ("GBP", _) => "pence".to_owned(),
        (code, 0) => code.to_owned(),
        (code, 2) => format!("hundredths of a {code}"),
        (code, 3) => format!("thousandths of a {code}"),
        (code, _) => format!("the smallest unit of a {code}"),
    }
}

/// A price; else what it should be.
fn price(value: &DeValue<'_>, currency: Option<Currency>) -> Result<Money, String> {
    match value {
        DeValue::Integer(number) => whole(number),
        DeValue::Float(number) => Err(fraction(number, currency)),
        DeValue::String(text) => Err(quoted_price(text, currency)),
        _ => Err(format!(
            "a price is a whole number of {}, like 1250",
            units(currency)
        )),
    }
}

fn whole(number: &DeInteger<'_>) -> Result<Money, String> {
    const HUGE: &str = "a price is at most 1000000000000; write one that somebody could pay";
    let number = i128::from_str_radix(number.as_str(), number.radix());
    match number.map(i64::try_from) {
        Ok(Ok(amount)) if amount > PRICE_MAX.0 => Err(HUGE.to_owned()),
        Ok(Ok(amount)) if amount >= 0 => Ok(Money(amount)),
        Ok(Ok(_)) => Err("a price is never below 0; write 0 for what is free".to_owned()),
        Ok(Err(_)) | Err(_) => Err(HUGE.to_owned()),
    }
}

fn fraction(number: &DeFloat<'_>, currency: Option<Currency>) -> String {
    let text = number.as_str();
    if text.starts_with('-') {
        return "a price is never below 0; write 0 for what is free".to_owned();
    }
    let units = units(currency);
    let amount = currency.and_then(|currency| currency.parse(text).ok());
    match (amount, repeated(text)) {
        (Some(amount), Some(text)) if amount <= PRICE_MAX => {
            format!(
                "a price is a whole number of {units}: write {} for {text}",
                amount.0
            )
        }
        _ => format!("a price is a whole number of {units}; write it without a point, like 1250"),
    }
}

fn quoted_price(text: &str, currency: Option<Currency>) -> String {
    let units = units(currency);
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let amount = currency.and_then(|currency| currency.parse(text).ok());
    match (amount, repeated(text)) {
        (_, Some(text)) if is_whole => {
            format!("a price is a number of {units}: write {text}, without quotes")
        }
        (Some(amount), Some(text)) if amount <= PRICE_MAX => format!(
            "a price is a whole number of {units}, without quotes: write {} for \"{text}\"",
            amount.0
        ),
        _ => format!("a price is a whole number of {units}, without quotes, like 1250"),
    }
}

/// From when a price holds; else how to say it.
fn instant(value: &DeValue<'_>) -> Result<Timestamp, String> {
    const FORM: &str = "from is a day like 2026-12-01, or an instant like 2026-12-01T08:00:00Z";
    match value {
        DeValue::Datetime(written) => {
            let is_leap = written.time.is_some_and(|time| time.second > Some(59));
            let instant = begin(&written.to_string()).filter(|_| !is_leap);
            instant.ok_or_else(|| format!("{FORM}, in whole seconds"))
        }
        DeValue::String(_) => Err(format!("{FORM}, without quotes")),
        _ => Err(FORM.to_owned()),
    }
}

/// The instant; a day begins at midnight, and what names no zone is UTC.
fn begin(text: &str) -> Option<Timestamp> {
    let instant = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil: jiff::civil::DateTime = text.parse()?;
        Ok::<_, jiff::Error>(civil.to_zoned_datetime(TimeZone::UTC)?.timestamp())
    });
    let instant = instant.ok()?;
    (instant.subsec_nanosecond() == 0).then(|| Timestamp(instant.as_second()))
}
