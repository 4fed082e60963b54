//! The address people type.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::kit::http::headers::Scheme;

const FORM: &str = "write it as people type it, like https://portal.example.com";

/// Scheme, host and port, and nothing after them: the Portal lives at the root of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
}

impl PublicUrl {
    /// The address of a server that is reached where it listens. One that listens everywhere is reached on this
    /// machine, for all we know.
    #[must_use]
    pub fn of(scheme: Scheme, address: SocketAddr) -> Self {
        let host = match address.ip() {
            ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let usual = match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        Self {
            scheme,
            host,
            port: other_than(usual, address.port()),
        }
    }

    /// How people reach it.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in small letters; an IPv6 address in its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, said or not.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        })
    }

    /// The host as the domain of mail addresses.
    #[must_use]
    pub fn mail_domain(&self) -> &str {
        if self.ip().is_some() {
            return "localhost";
        }
        &self.host
    }

    /// Whether only this machine can use it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.ip() {
            Some(ip) => ip.is_loopback(),
            None => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }

    /// Whether what is sent can be read on the way.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        self.scheme == Scheme::Http && !self.is_loopback()
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok()
    }
}

const fn other_than(usual: u16, port: u16) -> Option<u16> {
    if port == usual { None } else { Some(port) }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(FORM)?;
        let (scheme, usual) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Scheme::Http, 80),
            "https" => (Scheme::Https, 443),
            _ => return Err(FORM.to_owned()),
        };
        // The slash alone is what browsers show and people copy.
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(format!(
                "the Portal lives at the root of its host, without a path; {FORM}"
            ));
        }
        if rest.contains('@') {
            return Err(format!("it names no user; {FORM}"));
        }
        let (host, port) = split(rest)?;
        let port = match port {
            Some(port) => other_than(usual, parse_port(port)?),
            None => None,
        };
        Ok(Self {
            scheme,
            host: parse_host(host)?,
            port,
        })
    }
}

fn split(authority: &str) -> Result<(&str, Option<&str>), String> {
    let Some(inner) = authority.strip_prefix('[') else {
        return Ok(match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        });
    };
    let (address, after) = inner.split_once(']').ok_or(FORM)?;
    let host = authority.get(..address.len() + 2).ok_or(FORM)?;
    match after.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if after.is_empty() => Ok((host, None)),
        None => Err(FORM.to_owned()),
    }
}

fn parse_port(port: &str) -> Result<u16, String> {
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if is_number && port != 0 => Ok(port),
        _ => Err("its port is a number from 1 to 65535".to_owned()),
    }
}

/// The host as browsers send it back: small letters, IDNA in ASCII, addresses in their usual form.
fn parse_host(host: &str) -> Result<String, String> {
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        let address: Ipv6Addr = inner.parse().map_err(|_| FORM)?;
        return Ok(format!("[{address}]"));
    }
    let name = Uts46::new()
        .to_ascii(
            host.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| FORM)?;
    let is_numbers = name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if is_numbers && name.parse::<std::net::Ipv4Addr>().is_err() {
        return Err(FORM.to_owned());
    }
    Ok(name.into_owned())
}
