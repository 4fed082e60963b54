//! What is counted while the process runs, for Prometheus. Labels are few and fixed: a route is its pattern, never an
//! address with an id in it, and nothing names a person.
//!
//! What stands in the file or is known to the kernel is not counted here; [`crate::watch::scrape`] asks when it is asked.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::kit::hasher::Hasher;

/// What every name of ours begins with.
pub const PREFIX: &str = "doorward";
/// How the text is announced.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Upper bounds of what an answer may take, in seconds.
const ANSWER_TIMES: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// How a sign-in began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With the password.
    Password,
    /// With the link by which the operator lets somebody in who has lost it.
    Recovery,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// A session.
    Ok,
    /// Nothing: the password was wrong, or there is no such account.
    BadCredentials,
    /// The code is owed.
    SecondFactor,
    /// Nothing was looked at.
    Throttled,
}

/// What a code was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// One of an app.
    Totp,
    /// A recovery code.
    Recovery,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It was right.
    Ok,
    /// It was wrong, or used before.
    BadCode,
    /// Nothing was looked at.
    Throttled,
}

/// What the relay said to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It took it.
    Sent,
    /// Not now.
    Deferred,
    /// Never.
    Rejected,
    /// Nothing of use: it could not be reached, or wants nobody.
    RelayFailed,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    route: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SignedIn {
    method: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Typed {
    r#type: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    result: &'static str,
}

/// All counters of the process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Of, Histogram>,
    sign_ins: Family<SignedIn, Counter>,
    codes: Family<Typed, Counter>,
    deliveries: Family<Ended, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// All at nought. Of the hasher it shows how long its hashes take.
    #[must_use]
    pub fn new(hasher: &Hasher) -> Self {
        let requests = Family::default();
        let durations = Family::new_with_constructor(answer_times as fn() -> Histogram);
        let sign_ins = Family::default();
        let codes = Family::default();
        let deliveries = Family::default();
        let mut registry = Registry::with_prefix(PREFIX);
        let build = Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION")),
            ("commit", env!("DOORWARD_COMMIT")),
            ("rustc", env!("DOORWARD_RUSTC")),
        ]);
        registry.register("build", "Which build this is", build);
        registry.register(
            "http_requests",
            "Requests that were answered",
            Family::clone(&requests),
        );
        registry.register(
            "http_request_duration_seconds",
            "How long answers took",
            Family::clone(&durations),
        );
        registry.register(
            "signins",
            "Sign-ins that were tried",
            Family::clone(&sign_ins),
        );
        registry.register(
            "second_factor",
            "Codes that were tried, at sign-in and later",
            Family::clone(&codes),
        );
        registry.register(
            "mail_delivery",
            "Mails that were offered to the relay",
            Family::clone(&deliveries),
        );
        registry.register(
            "password_hash_duration_seconds",
            "How long password hashes took, the wait for a slot included",
            hasher.durations.clone(),
        );
        let metrics = Self {
            registry,
            requests,
            durations,
            sign_ins,
            codes,
            deliveries,
        };
        metrics.begin();
        metrics
    }

    /// Series that are there from the start: what never happened is nought, and a rate of it has a beginning.
    fn begin(&self) {
        for way in [Way::Password, Way::Recovery] {
            for result in [SignIn::Ok, SignIn::SecondFactor] {
                self.sign_ins
                    .get_or_create(&signed_in(way, result))
                    .inc_by(0);
            }
        }
        for result in [SignIn::BadCredentials, SignIn::Throttled] {
            self.sign_ins
                .get_or_create(&signed_in(Way::Password, result))
                .inc_by(0);
        }
        for factor in [Factor::Totp, Factor::Recovery] {
            for result in [Code::Ok, Code::BadCode, Code::Throttled] {
                self.codes.get_or_create(&typed(factor, result)).inc_by(0);
            }
        }
        for delivery in [
            Delivery::Sent,
            Delivery::Deferred,
            Delivery::Rejected,
            Delivery::RelayFailed,
        ] {
            self.deliveries.get_or_create(&ended(delivery)).inc_by(0);
        }
    }

    /// One request was answered.
    pub fn answered(&self, route: &'static str, method: &'static str, code: u16, took: Duration) {
        let answered = Answered {
            route,
            method,
            code,
        };
        self.requests.get_or_create(&answered).inc();
        self.durations
            .get_or_create(&Of { route })
            .observe(took.as_secs_f64());
    }

    /// Somebody tried to sign in.
    pub fn signed_in(&self, way: Way, result: SignIn) {
        self.sign_ins.get_or_create(&signed_in(way, result)).inc();
    }

    /// Somebody typed a code.
    pub fn typed(&self, factor: Factor, result: Code) {
        self.codes.get_or_create(&typed(factor, result)).inc();
    }

    /// The relay has answered to a mail.
    pub fn delivered(&self, delivery: Delivery) {
        self.deliveries.get_or_create(&ended(delivery)).inc();
    }

    /// Writes all of it down, in the text format of Prometheus.
    pub fn write(&self, text: &mut String) -> fmt::Result {
        prometheus_text::encode(text, &self.registry)
    }
}

fn answer_times() -> Histogram {
    Histogram::new(ANSWER_TIMES)
}

const fn signed_in(way: Way, result: SignIn) -> SignedIn {
    SignedIn {
        method: match way {
            Way::Password => "password",
            Way::Recovery => "recovery",
        },
        result: match result {
            SignIn::Ok => "ok",
            SignIn::BadCredentials => "bad_credentials",
            SignIn::SecondFactor => "second_factor",
            SignIn::Throttled => "throttled",
        },
    }
}

const fn typed(factor: Factor, result: Code) -> Typed {
    Typed {
        r#type: match factor {
            Factor::Totp => "totp",
            Factor::Recovery => "recovery",
        },
        result: match result {
            Code::Ok => "ok",
            Code::BadCode => "bad_code",
            Code::Throttled => "throttled",
        },
    }
}

const fn ended(delivery: Delivery) -> Ended {
    Ended {
        result: match delivery {
            Delivery::Sent => "sent",
            Delivery::Deferred => "deferred",
            Delivery::Rejected => "rejected",
            Delivery::RelayFailed => "relay_failed",
        },
    }
}
