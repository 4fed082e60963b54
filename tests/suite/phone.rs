//! A telephone with an authenticator app: it learns the key that the set-up page shows, and knows the code of any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use doorward::kit::totp::STEP;
use totp_rs::{Builder, Secret, Totp};

/// The phone of one person.
#[derive(Clone)]
pub(crate) struct Phone {
    totp: Totp,
    /// The key in base32, without spaces.
    pub(crate) key: String,
    /// The step of the last code that it showed: each is good for once.
    shown: Arc<AtomicI64>,
    /// The recovery codes, as they were shown.
    pub(crate) recovery: Vec<String>,
}

impl Phone {
    /// Learns a key in base32; spaces do not matter.
    #[track_caller]
    pub(crate) fn new(key: &str) -> Self {
        let key = key.replace(' ', "");
        let secret = Secret::try_from_base32(key.clone()).unwrap();
        Self {
            key,
            totp: Builder::new().with_secret(secret).build().unwrap(),
            shown: Arc::default(),
            recovery: Vec::new(),
        }
    }

    /// The code at that time, whether it was shown before or not.
    pub(crate) fn code_at(&self, at: i64) -> String {
        self.totp.generate(u64::try_from(at).unwrap()).to_string()
    }

    /// A code that is good now and was not shown before: the present one, or the next.
    #[track_caller]
    pub(crate) fn code(&self, now: i64) -> String {
        let step = (now / STEP).max(self.shown.load(Ordering::SeqCst) + 1);
        assert!(
            step <= now / STEP + 1,
            "the next code is too far ahead: let 30 seconds go by"
        );
        self.shown.store(step, Ordering::SeqCst);
        self.code_at(step * STEP)
    }
}
