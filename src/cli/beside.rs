//! How a command opens the data folder: beside a server that may be running, as the operator.

use std::sync::Arc;

use super::failure::Failure;
use crate::app::{App, Outside};
use crate::config::flags::Basics;
use crate::kit::folder;
use crate::kit::hasher::{Cost, Hasher};
use crate::kit::log;
use crate::kit::random::OsRandom;
use crate::kit::time::{Clock, SystemClock};
use crate::migrations::{self, IfEmpty, Origin};
use crate::organisations::{self, Organisation};

/// The application without a mailer: the server sends what the command owes.
pub(super) fn open(basics: &Basics, if_empty: IfEmpty) -> Result<App, Failure> {
    log::begin(tracing::level_filters::LevelFilter::WARN, log::Format::Text);
    let config = super::read(&basics.0)?;
    let data = &config.values.data;
    let clock = SystemClock::new();
    let origin = Origin {
        key_file: config.values.secret_key_file.as_deref(),
        network_fs: config.values.network_fs,
        ..Origin::new(clock.now(), &OsRandom)
    };
    let opened = migrations::open_beside(data, if_empty, origin)?;
    let noted = folder::note(data).first().and_then(|url| url.parse().ok());
    let outside = Outside {
        clock: Arc::new(clock),
        random: Arc::new(OsRandom),
        mailer: None,
        mailbox: None,
    };
    let hasher = Hasher::new(Cost::PRODUCTION, 1);
    let settings = config.settings_beside(noted);
    Ok(App::new(opened.db, opened.keys, outside, hasher, settings)?)
}

/// The organisation that `--org` names, or the only one.
pub(super) fn organisation(app: &App, wanted: Option<&str>) -> Result<Organisation, Failure> {
    let picked = app.read(app.now(), |read| organisations::pick(read, wanted));
    picked.map_err(|error| match (error, wanted) {
        (crate::error::Error::NotFound, Some(name)) => Failure::missing("organisation", name),
        (crate::error::Error::NotFound, None) => Failure::NotFound(
            "there is no organisation yet; create one: doorward org create --name NAME --master-email EMAIL"
                .to_owned(),
        ),
        (other, _) => other.into(),
    })
}
