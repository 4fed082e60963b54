//! Asks name servers for MX and TXT records, for commands that look whether mail will be believed, and for addresses
//! where the C library cannot. Over UDP, and over TCP where the answer was cut short. Nothing is cached, and nothing
//! that was answered is a promise.

use std::fmt;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};

use crate::kit::random::{self, OsRandom};
use crate::kit::time::instant;

/// Where the machine's name servers stand.
const RESOLV_CONF: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
/// How long one server may take over one question.
const PATIENCE: Duration = Duration::from_secs(2);
/// As often each server is asked before it counts as silent.
const ROUNDS: u32 = 2;
/// Aliases that are followed.
const ALIASES_MAX: usize = 8;
const ANSWER_MAX: usize = 65_535;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such name.
    NoName,
    /// No server answered in time.
    Silent,
    /// A server answered that it cannot or will not.
    Refused(String),
    /// This is no name that can be asked for, or no answer that can be read.
    Unreadable,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("there is no such name"),
            Self::Silent => f.write_str("no name server answered in time"),
            Self::Refused(code) => write!(f, "the name server answered {code}"),
            Self::Unreadable => f.write_str("the name server's answer cannot be read"),
        }
    }
}

/// A host that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Smaller ones are tried first.
    pub preference: u16,
    /// The host; empty where the domain says that it takes no mail (RFC 7505).
    pub host: String,
}

/// Name servers to ask, in their order.
#[derive(Clone, Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    patience: Duration,
}

impl Resolver {
    /// The servers of this machine; that on loopback where none is named.
    #[must_use]
    pub fn of_machine() -> Self {
        Self::of_text(&std::fs::read_to_string(RESOLV_CONF).unwrap_or_default())
    }

    fn of_text(text: &str) -> Self {
        let mut servers: Vec<SocketAddr> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok())
            .map(|ip: IpAddr| SocketAddr::new(ip, PORT))
            .collect();
        if servers.is_empty() {
            servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT));
        }
        Self::new(servers)
    }

    /// These servers.
    #[must_use]
    pub const fn new(servers: Vec<SocketAddr>) -> Self {
        Self {
            servers,
            patience: PATIENCE,
        }
    }

    /// The same, giving up on a server after this time.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The hosts that take mail for this domain, those that are tried first before the others.
    pub fn exchanges(&self, domain: &str) -> Result<Vec<Exchange>, Failure> {
        let mut found = self.look_up(domain, TYPE::MX, |data| match data {
            RData::MX(mx) => Some(Exchange {
                preference: mx.preference,
                host: mx.exchange.to_string(),
            }),
            _ => None,
        })?;
        found.sort_by_key(|exchange| exchange.preference);
        Ok(found)
    }

    /// The texts at this name, each whole: one that was cut into strings is put together.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        self.look_up(name, TYPE::TXT, |data| match data {
            RData::TXT(text) => String::try_from(text.clone()).ok(),
            _ => None,
        })
    }

    /// The addresses of this name, IPv4 first: a network without the other kind is more usual than one without this.
    pub fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let mut found = self.look_up(name, TYPE::A, |data| match data {
            RData::A(a) => Some(IpAddr::from(Ipv4Addr::from(a.address))),
            _ => None,
        })?;
        // Some servers fail at the second question; what the first brought is good.
        let more = self.look_up(name, TYPE::AAAA, |data| match data {
            RData::AAAA(aaaa) => Some(IpAddr::from(Ipv6Addr::from(aaaa.address))),
            _ => None,
        });
        match more {
            Ok(more) => found.extend(more),
            Err(failure) if found.is_empty() => return Err(failure),
            Err(_) => {}
        }
        Ok(found)
    }

    fn look_up<T>(
        &self,
        name: &str,
        kind: TYPE,
        pick: impl Fn(&RData<'_>) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let mut name = name.to_ascii_lowercase();
        for _ in 0..=ALIASES_MAX {
            let bytes = self.ask(&name, kind)?;
            let packet = Packet::parse(&bytes).map_err(|_| Failure::Unreadable)?;
            let asked = name.clone();
            // A server that looks up for others follows aliases itself; the last one is what the records stand at.
            for _ in 0..packet.answers.len() {
                let alias = packet
                    .answers
                    .iter()
                    .find_map(|record| match &record.rdata {
                        RData::CNAME(to) if is_name(&record.name, &name) => Some(to.0.to_string()),
                        _ => None,
                    });
                match alias {
                    Some(alias) => name = alias.to_ascii_lowercase(),
                    None => break,
                }
            }
            let found: Vec<T> = packet
                .answers
                .iter()
                .filter(|record| is_name(&record.name, &name))
                .filter_map(|record| pick(&record.rdata))
                .collect();
            match packet.rcode() {
                RCODE::NoError if found.is_empty() && name != asked => {}
                RCODE::NoError => return Ok(found),
                RCODE::NameError => return Err(Failure::NoName),
                other => return Err(Failure::Refused(format!("{other:?}"))),
            }
        }
        Err(Failure::Unreadable)
    }

    /// The first answer that says something: a server that fails gives way to the next.
    fn ask(&self, name: &str, kind: TYPE) -> Result<Vec<u8>, Failure> {
        let mut failure = Failure::Silent;
        for _ in 0..ROUNDS {
            for server in &self.servers {
                let query = Query::new(name, kind)?;
                match query.send(*server, self.patience) {
                    Some(answer) => match Packet::parse(&answer).map(|packet| packet.rcode()) {
                        Ok(RCODE::NoError | RCODE::NameError) => return Ok(answer),
                        Ok(other) => failure = Failure::Refused(format!("{other:?}")),
                        Err(_) => failure = Failure::Unreadable,
                    },
                    None => continue,
                }
            }
            if failure != Failure::Silent {
                break;
            }
        }
        Err(failure)
    }
}

fn is_name(name: &Name<'_>, wanted: &str) -> bool {
    let wanted = wanted.trim_end_matches('.');
    name.to_string()
        .trim_end_matches('.')
        .eq_ignore_ascii_case(wanted)
}

/// One question, and what its answer is known by.
struct Query {
    id: u16,
    name: String,
    bytes: Vec<u8>,
}

impl Query {
    fn new(name: &str, kind: TYPE) -> Result<Self, Failure> {
        // Guessed by nobody who does not see the question.
        let id = u16::from_be_bytes(random::bytes(&OsRandom).map_err(|_| Failure::Silent)?);
        let asked = Name::new(name).map_err(|_| Failure::Unreadable)?;
        let mut packet = Packet::new_query(id);
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
        packet
            .questions
            .push(Question::new(asked, kind.into(), CLASS::IN.into(), false));
        Ok(Self {
            id,
            name: name.to_owned(),
            bytes: packet.build_bytes_vec().map_err(|_| Failure::Unreadable)?,
        })
    }

    fn send(&self, server: SocketAddr, patience: Duration) -> Option<Vec<u8>> {
        let deadline = instant() + patience;
        let answer = self.by_udp(server, deadline)?;
        let is_cut =
            Packet::parse(&answer).map_or(true, |packet| packet.has_flags(PacketFlag::TRUNCATION));
        if is_cut {
            return self.by_tcp(server, instant() + patience).or(Some(answer));
        }
        Some(answer)
    }

    fn by_udp(&self, server: SocketAddr, deadline: Instant) -> Option<Vec<u8>> {
        let here: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((here, 0)).ok()?;
        // From here on only this server's packets come in.
        socket.connect(server).ok()?;
        socket.send(&self.bytes).ok()?;
        let mut bytes = vec![0; ANSWER_MAX];
        loop {
            socket.set_read_timeout(Some(left(deadline)?)).ok()?;
            let count = socket.recv(&mut bytes).ok()?;
            let answer = bytes.get(..count)?;
            if self.is_answered_by(answer) {
                return Some(answer.to_vec());
            }
        }
    }

    fn by_tcp(&self, server: SocketAddr, deadline: Instant) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&server, left(deadline)?).ok()?;
        stream.set_write_timeout(Some(left(deadline)?)).ok()?;
        let length = u16::try_from(self.bytes.len()).ok()?;
        let framed = [&length.to_be_bytes(), self.bytes.as_slice()].concat();
        stream.write_all(&framed).ok()?;
        let mut length = [0; 2];
        fill(&mut stream, &mut length, deadline)?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        fill(&mut stream, &mut answer, deadline)?;
        self.is_answered_by(&answer).then_some(answer)
    }

    /// Whether these bytes answer this question, as far as can be read before the rest is.
    fn is_answered_by(&self, bytes: &[u8]) -> bool {
        let Ok(packet) = Packet::parse(bytes) else {
            // Cut short in the middle of a record: the id alone is there to go by.
            return bytes.get(..2) == Some(&self.id.to_be_bytes());
        };
        let is_same = |question: &Question<'_>| is_name(&question.qname, &self.name);
        packet.id() == self.id
            && packet.has_flags(PacketFlag::RESPONSE)
            && packet.questions.first().is_none_or(is_same)
    }
}

fn left(deadline: Instant) -> Option<Duration> {
    let left = deadline.saturating_duration_since(instant());
    (left > Duration::ZERO).then_some(left)
}

fn fill(stream: &mut TcpStream, bytes: &mut [u8], deadline: Instant) -> Option<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        stream.set_read_timeout(Some(left(deadline)?)).ok()?;
        match stream.read(bytes.get_mut(filled..)?).ok()? {
            0 => return None,
            count => filled += count,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_servers_are_read_in_their_order() {
        let text = "# made by hand\nsearch example.com\nnameserver 192.0.2.1\n nameserver\t2001:db8::1\nnameserver x\n";
        let resolver = Resolver::of_text(text);
        let addresses: Vec<String> = resolver.servers.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["192.0.2.1:53", "[2001:db8::1]:53"]);
        let fallback = Resolver::of_text("");
        assert_eq!(fallback.servers, ["127.0.0.1:53".parse().unwrap()]);
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        let resolver = Resolver::new(Vec::new());
        for wrong in ["a..b", &"x".repeat(64), &"x.".repeat(200)] {
            let found = resolver.texts(wrong);
            assert!(found.is_err(), "{wrong}: {found:?}");
        }
    }
}
