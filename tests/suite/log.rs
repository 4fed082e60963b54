//! What the product logs while tests run: kept, so that a failing test can show it and no test may leak a secret
//! into it. One subscriber for the whole binary; it is installed by whoever asks first.

use std::io;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};

use tracing_subscriber::fmt::MakeWriter;

/// One event, as a line of text.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Which thread logged it: the test's own, or one that it started.
    pub(crate) thread: ThreadId,
    /// Its text, with a line feed at its end.
    pub(crate) text: String,
}

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());
static INSTALLED: Once = Once::new();

fn lines() -> MutexGuard<'static, Vec<Line>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to keep the log; answers with the place from which on it is kept for whoever asks.
pub(crate) fn keep() -> usize {
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(Keeper)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    lines().len()
}

/// Everything that was logged since that place, by any thread.
pub(crate) fn since(place: usize) -> Vec<Line> {
    lines()[place..].to_vec()
}

/// What this thread logged since that place.
pub(crate) fn own(place: usize) -> String {
    let own = thread::current().id();
    since(place)
        .into_iter()
        .filter(|line| line.thread == own)
        .map(|line| line.text)
        .collect()
}

struct Keeper;

impl MakeWriter<'_> for Keeper {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl io::Write for Keeper {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        lines().push(Line {
            thread: thread::current().id(),
            text: String::from_utf8_lossy(text).into_owned(),
        });
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
