//! What SIGHUP changes while people are signed in: how much is logged, the way out for mail, the certificate.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::app::App;
use crate::config::keys::Key;
use crate::config::sources::Mistake;
use crate::config::{Config, PublicUrl, TlsFiles};
use crate::error::{Error, Result};
use crate::kit::dates;
use crate::kit::http::tls::Tls;
use crate::kit::log;
use crate::kit::mail::Mailer;
use crate::kit::mail::smtp::{Relay, Smtp};
use crate::kit::time::{Clock, DAY, SystemClock};

/// Renewals are due by then: those who issue certificates for ninety days renew them a month before.
const END_NEAR: i64 = 14 * DAY;

/// The settings as they are now, or what is wrong with them.
pub type Reread = std::result::Result<Config, Vec<Mistake>>;

/// Takes the settings that may change while people are signed in: `present` becomes what holds now. Those that wait for
/// the next start are named. Wrong ones change nothing.
pub(super) fn reload(app: &App, start: &Config, present: &mut Config, again: &dyn Fn() -> Reread) {
    let config = match again() {
        Ok(config) => config,
        Err(mistakes) => {
            for mistake in mistakes {
                tracing::error!(err = %mistake, "the settings are wrong; those before stay");
            }
            return;
        }
    };
    log::set_level(config.values.log.level);
    app.access.set(config.values.log.access);
    if let Err(error) = change_relay(app, start, present, &config) {
        tracing::error!(err = %error, "mail leaves as before");
    }
    let waiting = waiting(start, &config);
    if !waiting.is_empty() {
        let settings = waiting.join(", ");
        tracing::warn!(settings, "these settings changed and wait for a restart");
    }
    *present = config;
    tracing::info!("the settings were read anew");
}

/// Certificate and key for the gate; none while a proxy does TLS.
pub(super) fn certificate(config: &Config) -> Result<Option<Arc<Tls>>> {
    let Some(files) = &config.values.tls else {
        return Ok(None);
    };
    let tls = Tls::load(&files.cert, &files.key).map_err(Error::internal)?;
    warn_of_end(&tls);
    Ok(Some(Arc::new(tls)))
}

/// Takes the certificate as the files have it now. A wrong one changes nothing.
pub(super) fn renew(tls: Option<&Tls>, files: Option<&TlsFiles>) {
    match (tls, files) {
        (Some(tls), Some(files)) => match tls.reload(&files.cert, &files.key) {
            Ok(()) => {
                tracing::info!(cert = %files.cert.display(), "the certificate was read anew");
                warn_of_end(tls);
            }
            Err(sentence) => {
                tracing::error!(
                    err = sentence,
                    "the certificate is wrong; the one before stays"
                );
            }
        },
        (None, None) => {}
        _ => tracing::warn!("TLS is turned on and off by a restart"),
    }
}

/// A certificate that ends soon is said while there is time to renew it.
fn warn_of_end(tls: &Tls) {
    let Some(ends) = tls.ends() else { return };
    let now = SystemClock::new().now();
    let day = dates::zoned(ends, &TimeZone::UTC).date();
    if ends <= now {
        tracing::warn!(
            ended = %day,
            "the certificate is over, and browsers refuse it: renew it, then reload"
        );
    } else if ends.since(now) < END_NEAR {
        tracing::warn!(
            ends = %day,
            days = ends.since(now) / DAY,
            "the certificate ends soon: renew it, then reload"
        );
    }
}

/// The settings of which a running server cannot take another value.
fn waiting(start: &Config, config: &Config) -> Vec<&'static str> {
    let changed = Key::ALL
        .into_iter()
        .filter(|key| !key.is_reread() && start.text(*key) != config.text(*key));
    changed.map(Key::name).collect()
}

/// The next mail leaves by the relay that is named now.
fn change_relay(app: &App, start: &Config, before: &Config, config: &Config) -> Result<()> {
    let is_same = match (&before.values.relay, &config.values.relay) {
        (None, None) => true,
        (Some(before), Some(now)) => before.is_same(now),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if is_same {
        return Ok(());
    }
    let relay = config.values.relay.as_ref();
    let words = relay.map(Relay::summary);
    app.change_way_out(
        mailer(relay, &start.public_url(start.values.listen))?,
        words.clone(),
    );
    tracing::info!(
        mail = words.as_deref().unwrap_or("off"),
        "mail leaves another way from now on"
    );
    warn_of_relay(config);
    Ok(())
}

/// The way out of the house; none while mail is off.
pub(super) fn mailer(
    relay: Option<&Relay>,
    public_url: &PublicUrl,
) -> Result<Option<Arc<dyn Mailer>>> {
    let Some(relay) = relay else {
        return Ok(None);
    };
    let smtp = Smtp::new(relay.clone(), public_url.host())?;
    Ok(Some(Arc::new(smtp)))
}

/// What is worth knowing about the relay as it is configured.
pub(super) fn warn_of_relay(config: &Config) {
    let relay = config.values.relay.as_ref();
    if let Some(warning) = relay.and_then(Relay::warning) {
        tracing::warn!("{warning}");
    }
}
