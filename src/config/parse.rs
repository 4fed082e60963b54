//! How single values are written. Each error is the end of a sentence that begins with the option.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use tracing::level_filters::LevelFilter;

use crate::kit::mail::address::Sender;
use crate::kit::time::{DAY, HOUR, MINUTE};

/// No time that anybody sets is longer.
const SECONDS_MAX: i64 = 366 * DAY;

/// A time such as `90s`, `30m`, `2h`, `3d` or `1h30m`, in seconds.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let form = || "write a time like 30m, 2h or 3d".to_owned();
    let mut sum = 0_i64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(form());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(form)?;
        let (number, after) = rest.split_at_checked(end).ok_or_else(form)?;
        let mut letters = after.chars();
        let unit = match letters.next() {
            Some('s') => 1,
            Some('m') => MINUTE,
            Some('h') => HOUR,
            Some('d') => DAY,
            _ => return Err(form()),
        };
        let number: i64 = number.parse().map_err(|_| form())?;
        sum = number
            .checked_mul(unit)
            .and_then(|part| sum.checked_add(part))
            .ok_or_else(form)?;
        rest = letters.as_str();
    }
    if (MINUTE..=SECONDS_MAX).contains(&sum) {
        Ok(sum)
    } else {
        Err("a time from 1m to 366d is needed".to_owned())
    }
}

/// Where to listen.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let spelled = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    spelled
        .parse()
        .map_err(|_| "write an address and a port, like 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpAddr>()
        .map(IpNet::from)
        .or_else(|_| text.parse())
        .map_err(|_| "write a network like 10.0.0.0/8 or an address like 192.0.2.7".to_owned())
}

/// A sender, kept exactly as it was written.
pub(super) fn sender(text: &str) -> Result<String, String> {
    Sender::parse(text).map(|_| text.trim().to_owned())
}

/// How much to log.
pub(super) fn level(text: &str) -> Result<LevelFilter, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err("it is one of error, warn, info, debug, trace".to_owned()),
    }
}

/// The first of the folders that systemd lists.
pub(super) fn first_folder(list: Option<&str>) -> Option<PathBuf> {
    let first = list?.split(':').next()?;
    (!first.is_empty()).then(|| PathBuf::from(first))
}
