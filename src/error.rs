//! The one error of the house above the file, and which to use where.
//!
//! A verb answers with the variant that names the visitor's next step; the door turns it into a page or JSON.
//! Whatever is nobody's fault but ours is [`Error::Internal`]: logged once, at the door, and never shown.

use std::fmt;

use crate::domain::role::Permission;
use crate::kit::{db, hasher};

/// Why a request, or a command, was not done.
#[derive(Debug)]
pub enum Error {
    /// There is no such thing, or it is not theirs: 404.
    NotFound,
    /// They lack a permission: 403.
    Forbidden(Permission),
    /// They have the permission, but not over this account or role, or the thing is not in a state for it: 403.
    Refused(String),
    /// The form did not come from our page, or the page was open for too long: 403.
    Stale,
    /// Nobody is signed in: to the sign-in page and back.
    SignInFirst,
    /// The password was right and the code is owed: to the second step.
    CodeFirst,
    /// A second factor is required and the grace is over: to the set-up.
    EnrolFirst,
    /// Our pages cannot send this: 400.
    Malformed(&'static str),
    /// A person typed it, and it cannot be taken: the form again, the sentence beside the field.
    Invalid {
        /// The field's name.
        field: &'static str,
        /// What to do about it.
        sentence: String,
    },
    /// A link that once worked: a page of its own, 410.
    Gone(String),
    /// Too often: 429.
    TooMany {
        /// Seconds until it is worth another try.
        retry_after: i64,
        /// What to tell them.
        sentence: String,
    },
    /// Everything is taken for a moment: 503.
    Busy,
    /// The disk takes nothing just now: 503.
    Disk(Box<dyn std::error::Error + Send + Sync>),
    /// Our fault: 500.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// What the house answers.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Forbidden(_) | Self::Refused(_) | Self::Stale => 403,
            Self::SignInFirst | Self::CodeFirst | Self::EnrolFirst => 303,
            Self::Malformed(_) => 400,
            Self::Invalid { .. } => 422,
            Self::Gone(_) => 410,
            Self::TooMany { .. } => 429,
            Self::Busy | Self::Disk(_) => 503,
            Self::Internal(_) => 500,
        }
    }

    /// The name for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Forbidden(_) => "forbidden",
            Self::Refused(_) => "refused",
            Self::Stale => "form-expired",
            Self::SignInFirst => "unauthenticated",
            Self::CodeFirst => "code-required",
            Self::EnrolFirst => "two-factor-required",
            Self::Malformed(_) => "malformed",
            Self::Invalid { .. } => "validation",
            Self::Gone(_) => "gone",
            Self::TooMany { .. } => "too-many",
            Self::Busy => "busy",
            Self::Disk(_) => "disk",
            Self::Internal(_) => "internal",
        }
    }

    /// Something that should not have happened, in words for the log.
    #[must_use]
    pub fn internal(words: impl Into<String>) -> Self {
        Self::Internal(words.into().into())
    }

    /// One field that cannot be taken.
    #[must_use]
    pub fn invalid(field: &'static str, sentence: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            sentence: sentence.into(),
        }
    }

    /// Over a limit; the sentence tells when to try again.
    #[must_use]
    pub fn too_many(retry_after: i64) -> Self {
        let minutes = (retry_after.max(1) + 59) / 60;
        Self::TooMany {
            retry_after,
            sentence: format!("Too many tries. Try again in {minutes} min."),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such thing"),
            Self::Forbidden(permission) => {
                write!(f, "the permission {} is missing", permission.key())
            }
            Self::Refused(sentence) | Self::Gone(sentence) | Self::TooMany { sentence, .. } => {
                f.write_str(sentence)
            }
            Self::Stale => f.write_str("the form has expired"),
            Self::SignInFirst => f.write_str("nobody is signed in"),
            Self::CodeFirst => f.write_str("the code is owed"),
            Self::EnrolFirst => f.write_str("a second factor is required"),
            Self::Malformed(what) => f.write_str(what),
            Self::Invalid { field, sentence } => write!(f, "{field}: {sentence}"),
            Self::Busy => f.write_str("busy"),
            Self::Disk(cause) | Self::Internal(cause) => write!(f, "{cause}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Busy => Self::Busy,
            db::Error::Disk(cause) => Self::Disk(cause),
            db::Error::Taken(_) | db::Error::Broken(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<hasher::Error> for Error {
    fn from(error: hasher::Error) -> Self {
        match error {
            hasher::Error::Busy => Self::Busy,
            hasher::Error::Broken(words) => Self::internal(words),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Internal(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_disk_in_trouble_is_no_fault_of_ours_and_passes() {
        for (code, status) in [
            (ffi::SQLITE_FULL, 503),
            (ffi::SQLITE_READONLY, 503),
            (ffi::SQLITE_IOERR_FSYNC, 503),
            (ffi::SQLITE_BUSY, 503),
            (ffi::SQLITE_BUSY_SNAPSHOT, 503),
            (ffi::SQLITE_CORRUPT, 500),
            (ffi::SQLITE_CONSTRAINT, 500),
        ] {
            for text in [None, Some("words".to_owned())] {
                let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), text);
                let error = Error::from(db::Error::from(failure));
                assert_eq!(error.status(), status, "{code}");
            }
        }
    }
}
