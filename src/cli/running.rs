//! The server of this install, as commands ask it: over loopback, at the address it left in the data folder.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use crate::config::keys::Key;
use crate::config::sources::Origin;
use crate::config::{Config, PublicUrl};
use crate::kit::folder;
use crate::kit::http::ask::{self, Answer, Failure, Question, Trust};
use crate::kit::http::headers::Scheme;

/// Where the server of this install is asked.
#[derive(Clone, Debug)]
pub(super) struct Running {
    places: Vec<PublicUrl>,
}

impl Running {
    /// The address that was typed, or else that which the server left in the data folder, or else the configured one.
    pub(super) fn of(config: &Config) -> Self {
        let values = &config.values;
        let is_typed = config
            .found
            .get(&Key::Listen)
            .is_some_and(|found| found.origin == Origin::Flag);
        let noted = if is_typed {
            None
        } else {
            noted(&folder::note(&values.data))
        };
        let scheme = match values.tls {
            Some(_) => Scheme::Https,
            None => Scheme::Http,
        };
        let (scheme, address) = noted.unwrap_or((scheme, values.listen));
        let places = on_this_machine(address)
            .into_iter()
            .map(|address| PublicUrl::of(scheme, address))
            .collect();
        Self { places }
    }

    /// Where it is asked first, as an URL.
    pub(super) fn url(&self) -> String {
        self.places
            .first()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Asks it, at each of its addresses until one takes a connection.
    pub(super) fn ask(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        limit: Duration,
    ) -> Result<Answer, Failure> {
        let mut last = Failure::Connection("it has no address".to_owned());
        for place in &self.places {
            let asked = ask::get(&Question {
                scheme: place.scheme(),
                host: place.host(),
                port: place.port(),
                path,
                headers,
                trust: Trust::Anyone,
                limit,
            });
            match asked {
                Err(failure @ Failure::Connection(_)) => last = failure,
                other => return other,
            }
        }
        Err(last)
    }

    /// Asks whether it is ready.
    pub(super) fn health(&self, limit: Duration) -> Health {
        let answer = match self.ask("/readyz", &[], limit) {
            Ok(answer) => answer,
            Err(Failure::Answer(words)) => return Health::Mute(words),
            Err(Failure::Name(_) | Failure::Connection(_) | Failure::Certificate(_)) => {
                return Health::Absent;
            }
        };
        Health::read(&answer)
    }
}

/// What the note of a server says about where it listens.
fn noted(note: &[String]) -> Option<(Scheme, SocketAddr)> {
    let (scheme, address) = note.get(1)?.split_once("://")?;
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return None,
    };
    Some((scheme, address.parse().ok()?))
}

/// How what listens there is reached from here.
fn on_this_machine(address: SocketAddr) -> Vec<SocketAddr> {
    let port = address.port();
    let v4 = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    let v6 = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port);
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => vec![v4],
        // One that listens on all addresses of IPv6 mostly takes those of IPv4 too, and IPv6 may be off on loopback.
        IpAddr::V6(ip) if ip.is_unspecified() => vec![v6, v4],
        _ => vec![address],
    }
}

/// How the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Ready; what works less well.
    Ready(Vec<String>),
    /// Not ready; what fails.
    Failed(Vec<String>),
    /// Something answers, and it is no Doorward.
    Stranger,
    /// Something takes connections and does not answer; why.
    Mute(String),
    /// Nobody is there.
    Absent,
}

impl Health {
    fn read(answer: &Answer) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
            return Self::Stranger;
        };
        let names = |list: &str| -> Vec<String> {
            let names = body.get(list).and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        };
        match (answer.status, body.get("status").and_then(Value::as_str)) {
            (200, Some("ready" | "degraded")) => Self::Ready(names("degraded")),
            (503, Some(_)) => Self::Failed(names("failed")),
            _ => Self::Stranger,
        }
    }

    /// One word for programs.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Ready(degraded) if degraded.is_empty() => "ready",
            Self::Ready(_) => "degraded",
            Self::Failed(_) => "failed",
            Self::Stranger => "stranger",
            Self::Mute(_) => "silent",
            Self::Absent => "absent",
        }
    }

    /// What it says about the server at this address.
    pub(super) fn sentence(&self, url: &str) -> String {
        match self {
            Self::Ready(degraded) if degraded.is_empty() => "ready".to_owned(),
            Self::Ready(degraded) => format!("ready, with trouble: {}", degraded.join(", ")),
            Self::Failed(failed) => format!(
                "the server at {url} is not ready: {} failed; its log says why",
                failed.join(", ")
            ),
            Self::Stranger => format!(
                "what answers at {url} is not Doorward; end it, or choose another address with --listen"
            ),
            Self::Mute(words) => format!("the server at {url} does not answer: {words}"),
            Self::Absent => format!("no server answers at {url}: start doorward serve"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(address: &str) -> Vec<String> {
        let places = on_this_machine(address.parse().unwrap());
        places.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_loopback() {
        assert_eq!(reached("0.0.0.0:80"), ["127.0.0.1:80"]);
        assert_eq!(reached("[::]:80"), ["[::1]:80", "127.0.0.1:80"]);
        assert_eq!(reached("192.0.2.7:80"), ["192.0.2.7:80"]);
    }

    #[test]
    fn a_note_that_says_nothing_is_none() {
        let note = |line: &str| noted(&["http://a.example".to_owned(), line.to_owned()]);
        let found = Some((Scheme::Https, "0.0.0.0:8443".parse().unwrap()));
        assert_eq!(note("https://0.0.0.0:8443"), found);
        for wrong in ["", "0.0.0.0:8443", "ftp://0.0.0.0:1", "http://a.example"] {
            assert_eq!(note(wrong), None, "{wrong}");
        }
        assert_eq!(noted(&["http://a.example".to_owned()]), None);
    }
}
