//! The addresses of a host, by its name.
//!
//! As the machine's C library finds them, but in a static build: there that library loads whatever nsswitch.conf names
//! from the machine, beside a copy of itself of another version, and the process dies of it. A static build therefore
//! reads the hosts file and asks the name servers itself, and knows no other way.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use super::dns::{Failure, Resolver};

const HOSTS: &str = "/etc/hosts";
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// As many endings as the C library tries.
const ENDINGS_MAX: usize = 6;

/// Where this port of the host is, the most likely address first. Waits for name servers: some seconds for each that
/// is silent.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if !cfg!(target_feature = "crt-static") {
        return Ok((host, port).to_socket_addrs()?.collect());
    }
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let book = Book {
        hosts: text(HOSTS),
        endings: endings(&text(RESOLV_CONF)),
        resolver: Resolver::of_machine(),
    };
    let found = book.find(host)?;
    Ok(found
        .into_iter()
        .map(|address| SocketAddr::new(address, port))
        .collect())
}

/// Where names are looked up without the C library.
#[derive(Debug)]
pub struct Book {
    /// What the hosts file says.
    pub hosts: String,
    /// What may follow a name that is not whole.
    pub endings: Vec<String>,
    /// Whom to ask about what stands in no file.
    pub resolver: Resolver,
}

impl Book {
    /// The addresses of the host: its own if it is one, those in the file, else what name servers say.
    pub fn find(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let listed = listed(&self.hosts, &name);
        if !listed.is_empty() {
            return Ok(listed);
        }
        // No name server is to say where this machine is (RFC 6761).
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let mut last = Failure::NoName;
        for candidate in self.candidates(&host.to_ascii_lowercase()) {
            match self.resolver.addresses(&candidate) {
                Ok(found) if !found.is_empty() => return Ok(found),
                Ok(_) | Err(Failure::NoName) => {}
                Err(failure) => {
                    last = failure;
                    break;
                }
            }
        }
        Err(io::Error::new(ErrorKind::NotFound, last.to_string()))
    }

    /// The name as it is and with each ending; one without a dot is likely not whole, one that ends in a dot is.
    fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(whole) = name.strip_suffix('.') {
            return vec![whole.to_owned()];
        }
        let mut longer: Vec<String> = self
            .endings
            .iter()
            .map(|ending| format!("{name}.{ending}"))
            .collect();
        let place = if name.contains('.') { 0 } else { longer.len() };
        longer.insert(place, name.to_owned());
        longer
    }
}

/// The addresses of the name in a hosts file, IPv4 first.
fn listed(hosts: &str, name: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = hosts
        .lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words
                .any(|word| word.eq_ignore_ascii_case(name))
                .then_some(address)
        })
        .collect();
    found.sort_by_key(IpAddr::is_ipv6);
    found
}

/// What resolv.conf says may follow a name; its last word on it counts.
fn endings(text: &str) -> Vec<String> {
    let said = text.lines().rev().find_map(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("search" | "domain")).then_some(words)
    });
    said.into_iter()
        .flatten()
        .map(|ending| ending.trim_matches('.').to_ascii_lowercase())
        .filter(|ending| !ending.is_empty())
        .take(ENDINGS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(hosts: &str, endings: &[&str]) -> Book {
        Book {
            hosts: hosts.to_owned(),
            endings: endings.iter().copied().map(str::to_owned).collect(),
            // It has nobody to ask, so that what is found was found without.
            resolver: Resolver::new(Vec::new()),
        }
    }

    fn found(book: &Book, host: &str) -> Vec<String> {
        let found = book.find(host).unwrap_or_default();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_address_is_its_own_and_the_hosts_file_is_believed() {
        let hosts = "# by hand\n2001:db8::7 mail.lan mail # the relay\n192.0.2.7\tMAIL.lan\nx y\n192.0.2.8\n";
        let book = book(hosts, &[]);
        assert_eq!(found(&book, "192.0.2.1"), ["192.0.2.1"]);
        assert_eq!(found(&book, "::1"), ["::1"]);
        assert_eq!(found(&book, "mail.LAN"), ["192.0.2.7", "2001:db8::7"]);
        assert_eq!(found(&book, "mail.lan."), ["192.0.2.7", "2001:db8::7"]);
        assert_eq!(found(&book, "mail"), ["2001:db8::7"]);
        for stranger in ["relay", "the", "y", "192.0.2.8.example"] {
            assert_eq!(found(&book, stranger), [""; 0], "{stranger}");
        }
    }

    #[test]
    fn localhost_is_this_machine_whatever_else_is_there() {
        let nothing = book("", &[]);
        assert_eq!(found(&nothing, "localhost"), ["127.0.0.1", "::1"]);
        assert_eq!(found(&nothing, "a.localhost"), ["127.0.0.1", "::1"]);
        let listed = book("127.0.0.9 localhost", &[]);
        assert_eq!(found(&listed, "localhost"), ["127.0.0.9"]);
    }

    #[test]
    fn a_short_name_is_tried_with_its_endings_first_and_a_long_one_as_it_is() {
        let book = book("", &["example.com", "lan"]);
        assert_eq!(
            book.candidates("mail"),
            ["mail.example.com", "mail.lan", "mail"]
        );
        assert_eq!(
            book.candidates("mail.example.org"),
            [
                "mail.example.org",
                "mail.example.org.example.com",
                "mail.example.org.lan"
            ]
        );
        assert_eq!(book.candidates("mail."), ["mail"]);
    }

    #[test]
    fn the_last_word_on_endings_counts() {
        let text =
            "domain old.example\nsearch Example.com. lan . a b c d e f\nnameserver 192.0.2.1\n";
        assert_eq!(endings(text), ["example.com", "lan", "a", "b", "c", "d"]);
        assert_eq!(endings("nameserver 192.0.2.1"), [""; 0]);
    }
}
