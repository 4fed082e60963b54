//! Why a command did not do what it was asked, and the exit code that says so.

use std::fmt;
use std::process::ExitCode;

use crate::error::Error;
use crate::migrations;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// It could not be done: 1.
    Failed(String),
    /// It was asked wrongly: 2.
    Usage(String),
    /// There is no such thing: 3.
    NotFound(String),
}

impl Failure {
    /// What the shell is told.
    pub(super) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
        })
    }

    /// Something with this name is not there.
    pub(super) fn missing(what: &str, name: &str) -> Self {
        Self::NotFound(format!("there is no {what} \"{name}\""))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(words) | Self::Usage(words) | Self::NotFound(words) => f.write_str(words),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound(error.to_string()),
            // A field that is an option was given wrongly, or not at all; any other was taken or refused.
            Error::Invalid { field, sentence } if field == "--org" => {
                Self::Usage(format!("{field}: {sentence}"))
            }
            Error::Invalid { sentence, .. } => Self::Failed(sentence),
            Error::Busy => Self::Failed("the database is busy; try again in a moment".to_owned()),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<migrations::Error> for Failure {
    fn from(error: migrations::Error) -> Self {
        match error {
            migrations::Error::Empty(_) => Self::NotFound(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}
