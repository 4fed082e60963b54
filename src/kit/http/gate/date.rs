//! The `Date` header, written once a second.

use crate::kit::time::{Clock, SystemClock, Timestamp};

/// The current second as HTTP writes it.
#[derive(Debug)]
pub(super) struct Date {
    clock: SystemClock,
    second: Timestamp,
    text: String,
}

impl Date {
    pub(super) fn new() -> Self {
        let clock = SystemClock::new();
        let second = clock.now();
        Self {
            clock,
            second,
            text: format(second),
        }
    }

    /// The text for this moment.
    pub(super) fn now(&mut self) -> &str {
        let second = self.clock.now();
        if second != self.second {
            self.second = second;
            self.text = format(second);
        }
        &self.text
    }
}

/// RFC 9110, 5.6.7.
fn format(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0)
        .unwrap_or_default()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_rfc_writes_them() {
        for (at, text) in [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        ] {
            assert_eq!(format(Timestamp(at)), text);
        }
    }
}
