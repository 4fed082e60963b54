//! The server as it answers here, and as it is reached at the address people type: by whom, through which proxy, and
//! with which certificate.

use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::cli::doctor::finding::Group;
use crate::cli::doctor::{Ground, capitalized, day, span};
use crate::cli::running::Health;
use crate::kit::http::ask::{self, Answer, Failure, Trust};
use crate::kit::http::client;
use crate::kit::http::headers::Scheme;
use crate::kit::http::tls::{self, validity};
use crate::kit::keys::Keys;
use crate::kit::probe::{self, Came, Question};
use crate::kit::random::OsRandom;
use crate::kit::time::{Clock, DAY, SystemClock, Timestamp};

const PATIENCE: Duration = Duration::from_secs(5);
/// The way to the public address may lead round the world.
const PUBLIC_PATIENCE: Duration = Duration::from_secs(10);
/// Who issues certificates for ninety days renews them a month before their end.
const END_NEAR: i64 = 14 * DAY;
/// An address that is nobody's (RFC 5737).
const NOBODY: &str = "192.0.2.77";
/// Codes of apps are good for half a minute; one more is forgiven.
const SKEW_MAX: i64 = 30;
/// A file of systemd, touched when it has set the clock by a time server.
const SET_BY_SYSTEMD: &str = "/run/systemd/timesync/synchronized";

/// What the server of this install says to one of its own commands.
struct Probe {
    version: String,
    came: Came,
    client: String,
    host: String,
    is_host_known: bool,
}

impl Probe {
    /// None where the answer is not that of this install's server.
    fn read(answer: &Answer, question: &Question, keys: &Keys) -> Option<Self> {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        if !question.is_proven_by(body.get("proof")?.as_str()?, keys) {
            return None;
        }
        let text = |name: &str| Some(body.get(name)?.as_str()?.to_owned());
        Some(Self {
            version: text("version")?,
            came: text("came")?.parse().ok()?,
            client: text("client")?,
            host: text("host")?,
            is_host_known: body.get("is_host_known")?.as_bool()?,
        })
    }
}

/// What answered at the public address.
struct Seen {
    answer: Answer,
    /// When it did.
    at: Timestamp,
    /// What our own server said about it, if it was our own.
    probe: Option<Probe>,
}

/// Looks at the server, the public address, the proxy and the clock.
pub(super) fn look(ground: &Ground) -> Vec<Group> {
    let mut server = Group::new("Server");
    let health = here(&mut server, ground);
    let mut address = Group::new("Public address");
    let mut proxy = Group::new("Proxy");
    let mut clock = Group::new("Clock");
    let url = &ground.public_url;
    let mut seen = None;
    if url.is_loopback() {
        address.ok(
            "address",
            format!("{url} is an address of this machine alone: nothing to look at."),
        );
    } else {
        seen = reach(&mut address, ground, &health);
        if let Some(probe) = seen.as_ref().and_then(|seen| seen.probe.as_ref()) {
            through(&mut proxy, ground, probe);
        }
    }
    set(&mut clock, ground.now, seen.as_ref());
    vec![server, address, proxy, clock]
}

/// The server at its own port.
fn here(group: &mut Group, ground: &Ground) -> Health {
    let url = ground.running.url();
    let health = ground.running.health(PATIENCE);
    match &health {
        Health::Ready(degraded) if degraded.is_empty() => {
            group.ok("server", format!("It answers at {url} and is ready."));
        }
        Health::Ready(degraded) => group.warning(
            "server",
            format!(
                "It answers at {url} and is ready, with trouble: {}.",
                degraded.join(", ")
            ),
            "Below is what can be seen from here; the server's log says more.",
        ),
        Health::Absent => group.warning(
            "server",
            format!("No server answers at {url}."),
            "Start it: systemctl start doorward, or doorward serve. Some things can only be looked at while it runs.",
        ),
        Health::Failed(_) | Health::Mute(_) | Health::Stranger => group.wrong(
            "server",
            format!("{}.", capitalized(&health.sentence(&url))),
            "Look into its log; if it says nothing, restart it.",
        ),
    }
    if is_running(&health)
        && let Some(keys) = ground.keys()
    {
        is_ours(group, ground, keys);
    }
    health
}

const fn is_running(health: &Health) -> bool {
    matches!(health, Health::Ready(_) | Health::Failed(_))
}

fn is_ours(group: &mut Group, ground: &Ground, keys: &Keys) {
    let Ok(question) = Question::new(&OsRandom, ground.now) else {
        return;
    };
    let header = question.to_header(keys);
    let headers = [(probe::HEADER, header.as_str())];
    let Ok(answer) = ground.running.ask("/healthz", &headers, PATIENCE) else {
        return;
    };
    match Probe::read(&answer, &question, keys) {
        None => group.wrong(
            "version",
            "The server there has another key, or is of another version: it does not serve this data folder as it is \
             now.",
            "Restart it, or name its data folder with --data.",
        ),
        Some(probe) if probe.version != env!("CARGO_PKG_VERSION") => group.warning(
            "version",
            format!(
                "The server that runs is {}, this program is {}.",
                probe.version,
                env!("CARGO_PKG_VERSION")
            ),
            "Restart the server to end the upgrade.",
        ),
        Some(_) => group.ok(
            "version",
            format!("It serves this data folder, in version {}.", env!("CARGO_PKG_VERSION")),
        ),
    }
    let served = answer.certificate.as_deref();
    if let (Some(files), Some(served)) = (&ground.config.values.tls, served) {
        renewed(group, &files.cert, served);
    }
}

/// A certificate that was renewed is read at SIGHUP.
fn renewed(group: &mut Group, file: &Path, served: &[u8]) {
    match tls::leaf(file) {
        Err(error) => group.wrong(
            "certificate",
            capitalized(&format!("{error}.")),
            "Put the certificate and its chain there, in PEM.",
        ),
        Ok(certificate) if certificate != served => group.warning(
            "certificate",
            format!("The server still shows another certificate than {} holds.", file.display()),
            "Let it read the file anew: systemctl reload doorward, or kill -HUP and its process id.",
        ),
        Ok(_) => {}
    }
}

/// The public address: what answers there, and what our own server says of how the question came.
fn reach(group: &mut Group, ground: &Ground, health: &Health) -> Option<Seen> {
    let url = &ground.public_url;
    let question = Question::new(&OsRandom, ground.now).ok()?;
    let header = ground.keys().map(|keys| question.to_header(keys));
    let headers: Vec<(&str, &str)> = header
        .iter()
        .map(|header| (probe::HEADER, header.as_str()))
        .collect();
    let answer = match ask(ground, &headers, Trust::Platform) {
        Ok(answer) => answer,
        Err(failure) => {
            group.wrong(
                "address",
                unreached(ground, &failure),
                way_out(ground, &failure),
            );
            if !matches!(failure, Failure::Certificate(_)) {
                return None;
            }
            // What else there is to see is seen without the certificate too.
            ask(ground, &headers, Trust::Anyone).ok()?
        }
    };
    let at = SystemClock::new().now();
    if let Some(certificate) = &answer.certificate {
        ends(group, certificate, ground.now);
    }
    let probe = ground
        .keys()
        .and_then(|keys| Probe::read(&answer, &question, keys));
    match &probe {
        Some(probe) if probe.is_host_known => {
            group.ok("address", format!("{url} answers, and it is this server."));
        }
        Some(probe) => group.wrong(
            "host",
            format!(
                "{url} leads to this server, but the request arrives for the host {}: people get the answer 421.",
                named(&probe.host)
            ),
            "Let the proxy pass on the name people type; in nginx: proxy_set_header Host $host;",
        ),
        None => not_ours(group, ground, &answer, health),
    }
    Some(Seen { answer, at, probe })
}

fn ask(ground: &Ground, headers: &[(&str, &str)], trust: Trust) -> Result<Answer, Failure> {
    let url = &ground.public_url;
    ask::get(&ask::Question {
        scheme: url.scheme(),
        host: url.host(),
        port: url.port(),
        path: "/healthz",
        headers,
        trust,
        limit: PUBLIC_PATIENCE,
    })
}

fn unreached(ground: &Ground, failure: &Failure) -> String {
    let url = &ground.public_url;
    match failure {
        Failure::Certificate(why) => {
            format!("The certificate of {url} is refused, by browsers too: {why}.")
        }
        other => format!("{url} does not answer: {other}."),
    }
}

fn way_out(ground: &Ground, failure: &Failure) -> String {
    let url = &ground.public_url;
    match failure {
        Failure::Name(_) => format!(
            "Make an A or AAAA record for {} at whoever runs its domain; the name servers of this machine stand in \
             /etc/resolv.conf.",
            url.host()
        ),
        Failure::Connection(_) => format!(
            "Let something listen there on port {}, and let it pass the firewall. Some routers do not lead a machine to \
             its own public address: then try from elsewhere.",
            url.port()
        ),
        Failure::Certificate(_) => format!(
            "Get a certificate for {}, and let the server show its whole chain.",
            url.host()
        ),
        Failure::Answer(_) => "Look into the log of the proxy, or of the server.".to_owned(),
    }
}

/// Something else answers at the public address.
fn not_ours(group: &mut Group, ground: &Ground, answer: &Answer, health: &Health) {
    let url = &ground.public_url;
    let status = answer.status;
    match (status, answer.header("location")) {
        (300..=399, Some(location)) => group.wrong(
            "address",
            format!("{url} sends people on to {location}."),
            "Set public_url to the address at which they arrive, or end the redirection.",
        ),
        (502..=504, _) => group.wrong(
            "address",
            format!("{url} answers {status}: the proxy does not reach the server."),
            if is_running(health) {
                format!("Let the proxy pass requests on to {}.", ground.running.url())
            } else {
                "Start the server: systemctl start doorward, or doorward serve.".to_owned()
            },
        ),
        _ if ground.keys().is_none() => group.warning(
            "address",
            format!("{url} answers {status}; without the key it cannot be told whether it is this server."),
            "Run doctor as root, or as the user of the server.",
        ),
        _ => group.wrong(
            "address",
            format!("{url} answers {status}, and it is not this server."),
            format!(
                "Let the name lead to this machine, and the proxy pass all paths on to {}.",
                ground.running.url()
            ),
        ),
    }
}

fn named(host: &str) -> &str {
    if host.is_empty() { "of no name" } else { host }
}

fn ends(group: &mut Group, certificate: &[u8], now: Timestamp) {
    let Some(end) = validity::end(certificate) else {
        return;
    };
    let left = end.since(now);
    if left <= 0 {
        group.wrong(
            "certificate",
            format!("The certificate ended on {}.", day(end)),
            "Renew it.",
        );
    } else if left < END_NEAR {
        group.warning(
            "certificate",
            format!("The certificate ends in {}, on {}.", span(left), day(end)),
            "Renew it; what renews it by itself should have done so by now.",
        );
    } else {
        group.ok(
            "certificate",
            format!(
                "The certificate is good for {} more, until {}.",
                span(left),
                day(end)
            ),
        );
    }
}

/// What the proxy says about visitors, and whether it is believed.
fn through(group: &mut Group, ground: &Ground, probe: &Probe) {
    let Came {
        peer,
        entries,
        is_trusted,
    } = probe.came;
    // Without TLS of its own the server is not reached by https:// unless somebody stands in between.
    let is_proxied =
        ground.public_url.scheme() == Scheme::Https && ground.config.values.tls.is_none();
    if entries == 0 && !is_proxied {
        group.ok("forwarded", "No proxy stands in between.");
        return;
    }
    // What an address says that is trusted itself is believed with good reason: nothing is to be learnt by it.
    let is_stranger = probe.client == peer.to_string() || !is_trusted_here(ground, &probe.client);
    if is_trusted && is_stranger && is_fooled(ground) {
        group.wrong(
            "forwarded",
            "Whoever sends X-Forwarded-For is believed: limits of tries can be passed by, and the audit log lies about \
             addresses.",
            "Name only your proxies in trusted_proxies, and let the outermost one replace what visitors send; in nginx: \
             proxy_set_header X-Forwarded-For $remote_addr;",
        );
        return;
    }
    if entries == 0 {
        group.warning(
            "forwarded",
            format!("The proxy at {peer} does not say for whom it asks: all visitors seem to come from there."),
            "Let it send X-Forwarded-For; in nginx: proxy_set_header X-Forwarded-For $remote_addr;",
        );
        return;
    }
    if !is_trusted {
        group.warning(
            "forwarded",
            format!(
                "X-Forwarded-For arrives from {peer}, which trusted_proxies does not name: it is not believed, and all \
                 visitors share one limit of tries."
            ),
            format!("If {peer} is your proxy, set trusted_proxies = [\"{peer}\"] and restart the server."),
        );
        return;
    }
    group.ok(
        "forwarded",
        format!(
            "The proxy at {peer} is trusted, and says for whom it asks ({}).",
            probe.client
        ),
    );
}

fn is_trusted_here(ground: &Ground, address: &str) -> bool {
    let trusted = &ground.config.values.trusted;
    address
        .parse()
        .is_ok_and(|address| client::is_trusted(address, trusted))
}

/// Whether a visitor can pass for another: asks as one who tries.
fn is_fooled(ground: &Ground) -> bool {
    let (Some(keys), Ok(question)) = (ground.keys(), Question::new(&OsRandom, ground.now)) else {
        return false;
    };
    let header = question.to_header(keys);
    let headers = [
        (probe::HEADER, header.as_str()),
        ("X-Forwarded-For", NOBODY),
    ];
    let answer = ask(ground, &headers, Trust::Anyone).ok();
    answer
        .and_then(|answer| Probe::read(&answer, &question, keys))
        .is_some_and(|probe| probe.client == NOBODY)
}

/// The clock, against one of another machine where one answered.
fn set(group: &mut Group, now: Timestamp, seen: Option<&Seen>) {
    // Of this machine itself, or of a server whose words its proxy passes on, the clock is this one.
    let skew = seen
        .filter(|seen| !is_here(seen.answer.peer.ip()))
        .and_then(|seen| Some(seen.at.since(date(seen.answer.header("date")?)?)));
    match skew {
        Some(skew) if skew.abs() > SKEW_MAX => group.wrong(
            "clock",
            format!(
                "This machine's clock is {} {} that of the public address.",
                span(skew),
                if skew > 0 { "ahead of" } else { "behind" }
            ),
            "Let a time server set it: timedatectl set-ntp true. Codes of apps are good for half a minute.",
        ),
        Some(_) => group.ok("clock", "The clock agrees with that of the public address."),
        None if Path::new(SET_BY_SYSTEMD).exists() => {
            group.ok("clock", "systemd has set the clock by a time server.");
        }
        None => group.remind(
            "clock",
            format!(
                "It is {} UTC by the clock; no other machine's clock was there to compare with.",
                crate::cli::print::moment(now)
            ),
            "Compare it with your own; timedatectl says whether a time server sets it.",
        ),
    }
}

/// Whether an address is one of this machine's: only then can something be bound to it.
fn is_here(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

fn date(text: &str) -> Option<Timestamp> {
    let at = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp(at.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_http_is_read() {
        let found = date("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(found, Some(Timestamp(784_111_777)));
        assert_eq!(date("yesterday"), None);
    }

    #[test]
    fn this_machine_is_known_by_its_addresses() {
        assert!(is_here("127.0.0.1".parse().unwrap()));
        assert!(!is_here(NOBODY.parse().unwrap()));
    }
}
