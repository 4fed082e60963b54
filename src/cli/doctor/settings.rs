//! Settings that cannot be understood, and those that are weak.

use crate::cli::doctor::finding::Group;
use crate::cli::doctor::{Ground, span};
use crate::config::sources::Mistake;
use crate::kit::http::headers::Scheme;
use crate::kit::time::DAY;

const NAME: &str = "Settings";
/// Who has a browser for longer than this without signing in may not be its owner any more.
const SESSION_MAX: i64 = 30 * DAY;

/// All that keeps the settings from being read.
pub(super) fn mistakes(mistakes: &[Mistake]) -> Group {
    let mut group = Group::new(NAME);
    for mistake in mistakes {
        group.wrong(
            "config",
            mistake.to_string(),
            "Correct it; doorward config check says whether that is all. Nothing else was looked at.",
        );
    }
    group
}

/// Looks at what was read.
pub(super) fn look(ground: &Ground) -> Group {
    let mut group = Group::new(NAME);
    let config = &ground.config;
    match &config.file {
        Some(file) => group.ok("config", format!("{} is read.", file.display())),
        None => group.ok(
            "config",
            "There is no configuration file: flags, variables and defaults hold.",
        ),
    }
    for warning in config.warnings() {
        group.warning(
            "config",
            warning.to_string(),
            "doorward config reference lists the settings that there are.",
        );
    }
    encryption(&mut group, ground);
    proxies(&mut group, ground);
    times(&mut group, ground);
    if let Some(address) = config.values.metrics_listen
        && !address.ip().is_loopback()
    {
        group.warning(
            "metrics_listen",
            format!("/metrics is served at {address}, to whoever reaches that address."),
            "Set metrics_listen to an address of the loopback, or of a network that only you reach.",
        );
    }
    group
}

fn encryption(group: &mut Group, ground: &Ground) {
    let values = &ground.config.values;
    let url = &ground.public_url;
    if url.is_in_the_clear() {
        group.wrong(
            "encryption",
            format!("{url} is used without encryption: passwords can be read on the way."),
            "Put a proxy with TLS in front, or set tls_cert and tls_key; then give the https:// address as public_url \
             and remove insecure_http.",
        );
    } else if values.is_insecure {
        group.warning(
            "encryption",
            "insecure_http is set and not needed: it would let an address without encryption pass.",
            "Remove insecure_http.",
        );
    }
    if values.public_url.is_none() {
        group.warning(
            "public_url",
            format!("public_url is not set: links in mails begin with {url}."),
            "Set public_url to the address people type, like https://portal.example.com.",
        );
    } else if url.is_loopback() {
        group.remind(
            "public_url",
            format!("public_url is {url}, which only this machine reaches."),
            "Set it to the address people type before you invite anybody.",
        );
    }
    let is_open = !values.listen.ip().is_loopback();
    if is_open && values.tls.is_none() && url.scheme() == Scheme::Https {
        group.remind(
            "listen",
            format!(
                "It listens on {} without TLS: a proxy has to stand in front.",
                values.listen
            ),
            "See to it that only the proxy reaches that port, as with a firewall, or by publishing a container's port on \
             127.0.0.1.",
        );
    }
}

fn proxies(group: &mut Group, ground: &Ground) {
    let values = &ground.config.values;
    for network in &values.trusted {
        if network.prefix_len() == 0 {
            group.wrong(
                "trusted_proxies",
                format!("trusted_proxies names {network}: whoever asks can say that they are somebody else."),
                "Name only the addresses of your proxies, like 127.0.0.1 or 172.16.0.0/12.",
            );
        }
    }
    let needs_proxy = ground.public_url.scheme() == Scheme::Https && values.tls.is_none();
    if needs_proxy && values.trusted.is_empty() {
        group.warning(
            "trusted_proxies",
            "A proxy does TLS, and trusted_proxies names none: all visitors have the proxy's address, and share one \
             limit of tries.",
            "Set trusted_proxies to the address of the proxy as it is seen here, like 127.0.0.1.",
        );
    }
}

fn times(group: &mut Group, ground: &Ground) {
    let lifetimes = &ground.config.values.lifetimes;
    if lifetimes.max > SESSION_MAX {
        group.warning(
            "session_max",
            format!("A session lives for {} in all.", span(lifetimes.max)),
            "Set session_max to 30d or less.",
        );
    }
}
