//! How single values are written. Each error is the end of a sentence that begins with the option.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use tracing::level_filters::LevelFilter;

use super::keys::Key;
use super::sources::{Found, Mistake};
use crate::kit::log::Access;
use crate::kit::mail::address::Sender;
use crate::kit::secret::Secret;
use crate::kit::time::{DAY, HOUR, MINUTE};

/// No time that anybody sets is longer.
const SECONDS_MAX: i64 = 366 * DAY;

/// As much as stands well on a page, in lines and in characters.
const LINES_MAX: usize = 10;
const LETTERS_MAX: usize = 1_000;

/// A time such as `90s`, `30m`, `2h`, `3d` or `1h30m`, in seconds.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let form = || "write a time like 30m, 2h or 3d".to_owned();
    let mut sum = 0_i64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(form());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(form)?;
        let (number, after) = rest.split_at_checked(end).ok_or_else(form)?;
        let mut letters = after.chars();
        let unit = match letters.next() {
            Some('s') => 1,
            Some('m') => MINUTE,
            Some('h') => HOUR,
            Some('d') => DAY,
            _ => return Err(form()),
        };
        let number: i64 = number.parse().map_err(|_| form())?;
        sum = number
            .checked_mul(unit)
            .and_then(|part| sum.checked_add(part))
            .ok_or_else(form)?;
        rest = letters.as_str();
    }
    if (MINUTE..=SECONDS_MAX).contains(&sum) {
        Ok(sum)
    } else {
        Err("a time from 1m to 366d is needed".to_owned())
    }
}

/// Where to listen.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let spelled = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    spelled
        .parse()
        .map_err(|_| "write an address and a port, like 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpAddr>()
        .map(IpNet::from)
        .or_else(|_| text.parse())
        .map_err(|_| "write a network like 10.0.0.0/8 or an address like 192.0.2.7".to_owned())
}

/// A sender, kept exactly as it was written.
pub(super) fn sender(text: &str) -> Result<String, String> {
    Sender::parse(text).map(|_| text.trim().to_owned())
}

/// How much to log.
pub(super) fn level(text: &str) -> Result<LevelFilter, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err("it is one of error, warn, info, debug, trace".to_owned()),
    }
}

/// How to write the log.
pub(super) fn is_text(text: &str) -> Result<bool, String> {
    match text.trim() {
        "text" => Ok(true),
        "json" => Ok(false),
        "auto" => Ok(std::io::stderr().is_terminal()),
        _ => Err("it is one of auto, text, json".to_owned()),
    }
}

/// Which requests to log.
pub(super) fn access(text: &str) -> Result<Access, String> {
    match text.trim() {
        "all" => Ok(Access::All),
        "writes" => Ok(Access::Writes),
        "off" => Ok(Access::Off),
        _ => Err("it is one of all, writes, off".to_owned()),
    }
}

/// Networks, separated by commas.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    text.split(',').map(network).collect()
}

/// Yes or no.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("it is true or false".to_owned()),
    }
}

/// What opens the metrics.
pub(super) fn token(text: &str) -> Result<Secret<String>, String> {
    let text = text.trim();
    let is_long = text.len() >= 16;
    if is_long && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Secret::new(text.to_owned()))
    } else {
        Err("16 or more letters, digits and signs are needed, without spaces".to_owned())
    }
}

/// The second of a day, as in `02:30`; none for `off`.
pub(super) fn time_of_day(text: &str) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text == "off" {
        return Ok(None);
    }
    let form = || "write a time of day like 02:30, in UTC, or off".to_owned();
    let part = |text: &str, end: i64| {
        let number: i64 = text.parse().ok()?;
        let is_right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_right && number < end).then_some(number)
    };
    let (hour, minute) = text.split_once(':').ok_or_else(form)?;
    let (hour, minute) = part(hour, 24).zip(part(minute, 60)).ok_or_else(form)?;
    Ok(Some(hour * HOUR + minute * MINUTE))
}

/// How many backups stay.
pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(count @ 1..=1000) => Ok(count),
        Ok(_) | Err(_) => Err("a number from 1 to 1000 is needed".to_owned()),
    }
}

/// For how many days the audit log is kept.
pub(super) fn audit_days(text: &str) -> Result<i64, String> {
    match text.trim().parse() {
        Ok(days @ 30..=36_500) => Ok(days),
        Ok(_) | Err(_) => Err(
            "a number of days from 30 to 36500 is needed; without this setting events are kept for ever"
                .to_owned(),
        ),
    }
}

/// What stands on invoices: lines of text that can be seen.
pub(super) fn lines(text: &str) -> Result<String, String> {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    if lines.len() > LINES_MAX || text.chars().count() > LETTERS_MAX {
        return Err(format!(
            "at most {LINES_MAX} lines and {LETTERS_MAX} characters are possible; shorten it"
        ));
    }
    if lines.iter().any(|line| line.contains(char::is_control)) {
        return Err("it holds characters that cannot be seen; write it anew".to_owned());
    }
    Ok(lines.join("\n"))
}

/// A percentage such as `19` or `8.1`, in hundredths of a percent.
pub(super) fn percent(text: &str) -> Result<i64, String> {
    let form =
        || "write a percentage from 0 to 100, with two decimals at most, like 19 or 8.1".to_owned();
    let text = text.trim();
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_plain(whole, 3) || !is_plain(rest, 2) {
        return Err(form());
    }
    let hundredths = format!("{whole}{rest:0<2}").parse();
    match hundredths {
        Ok(hundredths @ 0..=10_000) => Ok(hundredths),
        Ok(_) | Err(_) => Err(form()),
    }
}

/// How many days there are to pay.
pub(super) fn days(text: &str) -> Result<i64, String> {
    match text.trim().parse() {
        Ok(days @ 0..=365) => Ok(days),
        Ok(_) | Err(_) => Err("a number of days from 0 to 365 is needed".to_owned()),
    }
}

/// Understands what was gathered, key by key, and collects what cannot be understood.
pub(super) struct Reader<'f> {
    found: &'f BTreeMap<Key, Found>,
    /// Keys whose value is not known.
    unread: BTreeSet<Key>,
    pub(super) mistakes: Vec<Mistake>,
}

impl<'f> Reader<'f> {
    pub(super) const fn new(found: &'f BTreeMap<Key, Found>, unread: BTreeSet<Key>) -> Self {
        Self {
            found,
            unread,
            mistakes: Vec::new(),
        }
    }

    /// What somebody wrote. Empty is as good as nothing.
    fn written(&self, key: Key) -> Option<&'f str> {
        let text = self.found.get(&key)?.text.as_str();
        (!text.trim().is_empty()).then_some(text)
    }

    /// Something is wrong with this key.
    pub(super) fn wrong(&mut self, key: Key, sentence: impl Into<String>) {
        let found = self.found.get(&key);
        let place = found.map_or_else(|| format!("--{}", key.flag()), |found| found.place(key));
        let mistake = Mistake::new(place, sentence);
        self.mistakes.push(mistake.at(found.and_then(Found::line)));
        self.unread.insert(key);
    }

    /// Whether these can be judged together: one whose value is not known would be blamed for others' mistakes.
    pub(super) fn knows(&self, keys: &[Key]) -> bool {
        keys.iter().all(|key| !self.unread.contains(key))
    }

    /// The value of a key that may be missing.
    pub(super) fn optional<T, E: ToString>(
        &mut self,
        key: Key,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.written(key)?;
        parse(text)
            .map_err(|why| self.wrong(key, why.to_string()))
            .ok()
    }

    /// The value of a key that has a default; none only where what is written is wrong.
    pub(super) fn value<T>(
        &mut self,
        key: Key,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.written(key).or(key.spec().default).unwrap_or_default();
        parse(text).map_err(|why| self.wrong(key, why)).ok()
    }

    /// A file or folder.
    pub(super) fn path(&self, key: Key) -> Option<PathBuf> {
        self.written(key).map(PathBuf::from)
    }
}
