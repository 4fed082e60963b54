//! Who is asking: the client's address, from the socket and from proxies that are trusted.
//! A pure function; it knows nothing of sockets.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// The client's address: the socket's peer, unless that is a trusted proxy; then the right-most address in
/// `forwarded` (the values of `X-Forwarded-For`, in the order they came) that is not a trusted proxy's.
///
/// An entry that is not an address ends the walk at the last good one, since nothing to its left was written
/// by somebody we trust.
pub fn address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpNet],
) -> IpAddr {
    let mut found = peer.to_canonical();
    for entry in forwarded.rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(found, trusted) {
            break;
        }
        let Some(next) = parse(entry) else { break };
        found = next;
    }
    found
}

/// Whether an address belongs to one of the trusted networks.
#[must_use]
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// The network that one subscriber holds: an IPv4 address, or the /64 of an IPv6 address. Limits count these,
/// or one subscriber would have 2^64 addresses to spend.
#[must_use]
pub const fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let high = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(high))
        }
    }
}

/// One entry: an address, perhaps with brackets, a port or a zone, which proxies are known to add.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    let address = if let Some(rest) = entry.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        if !is_port(after) {
            return None;
        }
        IpAddr::V6(without_zone(inside).parse().ok()?)
    } else if let Ok(SocketAddr::V4(with_port)) = entry.parse() {
        IpAddr::V4(*with_port.ip())
    } else {
        without_zone(entry).parse().ok()?
    };
    Some(address.to_canonical())
}

fn is_port(after: &str) -> bool {
    after.is_empty()
        || after
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok())
}

/// A zone names an interface of the machine that wrote it, so it means nothing here.
fn without_zone(address: &str) -> &str {
    address
        .split_once('%')
        .filter(|(before, zone)| before.contains(':') && !zone.is_empty())
        .map_or(address, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        address(peer.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_say_who_it_is() {
        assert_eq!(
            judged("203.0.113.9", &["198.51.100.1"], &["127.0.0.0/8"]),
            "203.0.113.9"
        );
        assert_eq!(judged("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
    }

    #[test]
    fn the_right_most_untrusted_entry_is_the_client() {
        let trusted = &["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"];
        for (forwarded, client) in [
            (&["198.51.100.1"] as &[&str], "198.51.100.1"),
            (&["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            (&["6.6.6.6, 198.51.100.1, 10.0.0.7"], "198.51.100.1"),
            (&["6.6.6.6", "198.51.100.1,10.0.0.7"], "198.51.100.1"),
            (&["6.6.6.6", "198.51.100.1", "fd00::3"], "198.51.100.1"),
            (&["10.0.0.9, 10.0.0.7"], "10.0.0.9"),
            (&[], "127.0.0.1"),
        ] {
            assert_eq!(judged("127.0.0.1", forwarded, trusted), client);
        }
    }

    #[test]
    fn a_malformed_entry_ends_the_walk_at_the_last_good_one() {
        for forwarded in [
            "198.51.100.1, junk",
            "198.51.100.1, ",
            "198.51.100.1,,",
            "",
            "unknown",
            "198.51.100.1, [::1",
            "198.51.100.1, 1.2.3.4:99999",
            "198.51.100.1, [::1]x",
            "198.51.100.1, 01.2.3.4",
            "198.51.100.1, 1.2.3.4%eth0",
        ] {
            assert_eq!(
                judged("10.0.0.1", &[forwarded], &["10.0.0.0/8"]),
                "10.0.0.1",
                "{forwarded}"
            );
        }
        assert_eq!(
            judged(
                "10.0.0.1",
                &["198.51.100.1, junk, 10.0.0.2"],
                &["10.0.0.0/8"]
            ),
            "10.0.0.2"
        );
    }

    #[test]
    fn ports_brackets_zones_and_mapped_addresses_are_understood() {
        for (entry, client) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]:80", "fe80::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("\t198.51.100.1 ", "198.51.100.1"),
        ] {
            assert_eq!(judged("127.0.0.1", &[entry], &["127.0.0.1/32"]), client);
        }
    }

    #[test]
    fn a_mapped_peer_is_the_address_it_maps() {
        assert_eq!(
            judged("::ffff:127.0.0.1", &["198.51.100.1"], &["127.0.0.0/8"]),
            "198.51.100.1"
        );
    }

    #[test]
    fn a_subscriber_is_counted_once() {
        let one = network("2001:db8:1:2:3:4:5:6".parse().unwrap());
        assert_eq!(one, network("2001:db8:1:2::".parse().unwrap()));
        assert_ne!(one, network("2001:db8:1:3::".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_hides_an_untrusted_peer(values in prop::collection::vec("[ -~]{0,40}", 0..6)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            judged("127.0.0.1", &values, &["127.0.0.0/8", "::/0"]);
            prop_assert_eq!(judged("203.0.113.9", &values, &["127.0.0.0/8"]), "203.0.113.9");
        }
    }
}
