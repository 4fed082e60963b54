//! Waiting for what another process does, with an end to it. Everything inside our
//! own process is waited for on a channel and does not come here.

use std::sync::mpsc;
use std::time::Duration;

use doorward::kit::time::{Clock, SystemClock};

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// What `look` finds, as soon as it finds something; `None` once `limit` is over.
/// It always looks at least once.
pub(crate) fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let clock = SystemClock::new();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if clock.elapsed() >= limit {
            return None;
        }
        pause(PAUSE);
    }
}

/// Lets time go by.
pub(crate) fn pause(time: Duration) {
    let (_open, silence) = mpsc::channel::<()>();
    // Nobody sends.
    silence.recv_timeout(time).unwrap_err();
}
