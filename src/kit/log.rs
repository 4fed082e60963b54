//! The log: one line an event, on standard error, as text or as JSON.
//!
//! A line says what happened in a constant sentence and carries fields. What may stand in a field is the writer's to
//! know: never a secret, never somebody's address. Fields are quoted, so that no value begins a line of its own.

use std::cell::RefCell;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry, reload};

use crate::kit::time;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For eyes.
    Text,
    /// For eyes that see the time beside it already, as the journal shows it.
    UndatedText,
    /// One object a line.
    Json,
}

/// Which requests are worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every one.
    All,
    /// Those that change something.
    Writes,
    /// None.
    Off,
}

/// Which requests are worth a line, changed while they come.
#[derive(Debug)]
pub struct AccessDial(AtomicU8);

impl Default for AccessDial {
    fn default() -> Self {
        Self(AtomicU8::new(Access::Writes as u8))
    }
}

impl AccessDial {
    /// From here on these.
    pub fn set(&self, access: Access) {
        self.0.store(access as u8, Ordering::Relaxed);
    }

    /// At present.
    pub fn get(&self) -> Access {
        let number = self.0.load(Ordering::Relaxed);
        [Access::All, Access::Off]
            .into_iter()
            .find(|access| *access as u8 == number)
            .unwrap_or(Access::Writes)
    }
}

/// The target of lines that say what was done, as the audit log does.
pub const AUDIT: &str = "audit";

thread_local! {
    /// The request that this thread works on.
    static REQUEST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// While it lives, every line of this thread carries the request's id.
#[derive(Debug)]
#[must_use = "the request is over when it is dropped"]
pub struct OnRequest {
    before: Option<String>,
}

/// This thread works on that request from here on.
pub fn on_request(id: &str) -> OnRequest {
    OnRequest {
        before: REQUEST.replace(Some(id.to_owned())),
    }
}

impl Drop for OnRequest {
    fn drop(&mut self) {
        REQUEST.set(self.before.take());
    }
}

/// Where the level of the log that began is turned.
static LEVEL: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// From here on events of this level and above are written. Does nothing where that was decided before.
pub fn begin(level: LevelFilter, format: Format) {
    let (targets, handle) = reload::Layer::new(targets(level));
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines(format))
        .with_writer(std::io::stderr)
        .with_filter(targets);
    let subscriber = tracing_subscriber::registry().with(lines);
    // The first one wins: in tests many begin in one process.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        LEVEL.get_or_init(|| handle);
    }
}

/// From here on events of this level and above are written, in the form that was decided at the beginning.
pub fn set_level(level: LevelFilter) {
    if let Some(handle) = LEVEL.get()
        && let Err(error) = handle.reload(targets(level))
    {
        tracing::error!(err = %error, "the level of the log stays as it was");
    }
}

/// Others' events only where they may matter to an operator.
fn targets(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_target(AUDIT, level)
}

struct Lines(Format);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields {
            format: self.0,
            message: String::new(),
            rest: String::new(),
        };
        REQUEST.with_borrow(|request| {
            if let Some(id) = request {
                fields.put_text("request_id", id);
            }
        });
        event.record(&mut fields);
        let metadata = event.metadata();
        let line = line(
            self.0,
            *metadata.level(),
            metadata.target(),
            &timestamp(),
            &fields,
        );
        writer.write_str(&line)
    }
}

/// RFC 3339 in UTC, with milliseconds.
fn timestamp() -> String {
    let millis = i64::try_from(time::wall().as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| String::new(), |now| format!("{now:.3}"))
}

fn line(format: Format, level: Level, target: &str, ts: &str, fields: &Fields) -> String {
    let Fields { message, rest, .. } = fields;
    match format {
        Format::Text => format!("{ts} {level:<5} {}{rest}\n", harmless(message)),
        Format::UndatedText => format!("{level:<5} {}{rest}\n", harmless(message)),
        Format::Json => {
            let level = level.as_str().to_ascii_lowercase();
            format!(
                "{{\"ts\":{},\"level\":\"{level}\",\"msg\":{},\"target\":{}{rest}}}\n",
                quoted(ts),
                quoted(message),
                quoted(target)
            )
        }
    }
}

/// As JSON, and so that a terminal shows it as it is.
fn quoted(text: &str) -> String {
    harmless(&serde_json::Value::from(text).to_string())
}

/// Signs that steer a terminal, begin a line somewhere or turn the direction of reading, in the spelling of JSON.
fn harmless(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    if !text.contains(steers) {
        return text.to_owned();
    }
    let spelt = |c: char| {
        if steers(c) {
            format!("\\u{:04x}", u32::from(c))
        } else {
            c.to_string()
        }
    };
    text.chars().map(spelt).collect()
}

/// The fields of one event, written down as they come.
struct Fields {
    format: Format,
    message: String,
    rest: String,
}

impl Fields {
    fn put(&mut self, name: &str, value: &str) {
        self.rest += &match self.format {
            Format::Text | Format::UndatedText => format!(" {name}={value}"),
            Format::Json => format!(",{}:{value}", quoted(name)),
        };
    }

    fn put_text(&mut self, name: &str, text: &str) {
        if name == "message" {
            text.clone_into(&mut self.message);
            return;
        }
        let is_plain = !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if is_plain && self.format != Format::Json {
            self.put(name, text);
        } else {
            self.put(name, &quoted(text));
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_text(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), &value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), &value.to_string());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.put(field.name(), &value.to_string());
        } else {
            self.put_text(field.name(), &value.to_string());
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), &value.to_string());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put_text(field.name(), &value.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: Format, work: impl FnOnce()) -> String {
        let paper = Paper::default();
        let sink = paper.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(Lines(format))
            .with_writer(move || sink.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, work);
        String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
    }

    fn sample() {
        tracing::warn!(
            count = 3,
            well = false,
            words = "two\nlines \"and\" more",
            err = %"plain",
            "something happened"
        );
    }

    #[test]
    fn a_line_of_json_is_one_object_with_the_agreed_keys() {
        let line = written(Format::Json, sample);
        assert_eq!(line.lines().count(), 1, "{line}");
        let keys = [
            "\"ts\":",
            "\"level\":\"warn\"",
            "\"msg\":\"something happened\"",
        ];
        assert!(keys.iter().all(|key| line.contains(key)), "{line}");
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["count"], 3);
        assert_eq!(object["well"], false);
        assert_eq!(object["words"], "two\nlines \"and\" more");
        assert_eq!(object["target"], "doorward::kit::log::tests");
        let ts = object["ts"].as_str().unwrap();
        assert_eq!(ts.len(), "2026-11-24T10:11:12.345Z".len(), "{ts}");
        assert!(ts.ends_with('Z'), "{ts}");
    }

    #[test]
    fn every_line_of_a_request_carries_its_id_and_no_other() {
        let lines = written(Format::Json, || {
            tracing::warn!("before");
            let outer = on_request("abc234");
            tracing::warn!("within");
            {
                let _inner = on_request("xyz567");
                tracing::warn!("further within");
            }
            tracing::warn!(status = 200, "within again");
            std::thread::scope(|scope| {
                scope.spawn(|| assert!(REQUEST.with_borrow(Option::is_none)));
            });
            drop(outer);
            tracing::warn!("after");
        });
        let ids: Vec<_> = lines
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                line["request_id"].as_str().map(str::to_owned)
            })
            .collect();
        let ids: Vec<_> = ids.iter().map(Option::as_deref).collect();
        assert_eq!(
            ids,
            [None, Some("abc234"), Some("xyz567"), Some("abc234"), None]
        );
    }

    #[test]
    fn no_value_leaves_its_line_or_steers_a_terminal() {
        let evil = "a\r\n{\"level\":\"error\"}\u{1b}[2J\u{9b}31m\u{2028}\u{202e}\u{7f}\0\u{85}";
        let none = None::<u64>;
        for format in [Format::Json, Format::Text, Format::UndatedText] {
            let line = written(format, || {
                tracing::warn!(words = evil, err = %evil, debug = ?evil, none, ratio = f64::NAN, "{evil}");
            });
            assert!(line.ends_with('\n'));
            let inside = line.trim_end_matches('\n');
            let steers = |c: char| c.is_control() || "\u{2028}\u{202e}".contains(c);
            assert!(!inside.contains(steers), "{line:?}");
            if format == Format::Json {
                let object: serde_json::Value = serde_json::from_str(inside).unwrap();
                assert_eq!(object["words"], evil);
                assert_eq!(object["err"], evil);
                assert_eq!(object["msg"], evil);
                assert_eq!(object["ratio"], "NaN");
                assert_eq!(object["level"], "warn");
            }
        }
    }

    #[test]
    fn a_value_never_begins_a_line_of_text() {
        let line = written(Format::UndatedText, sample);
        assert_eq!(
            line,
            "WARN  something happened count=3 well=false words=\"two\\nlines \\\"and\\\" more\" err=plain\n"
        );
        let dated = written(Format::Text, sample);
        assert!(dated.ends_with(&line) && dated.starts_with("20"), "{dated}");
    }
}
