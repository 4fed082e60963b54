//! The relay's URL: where mail goes, how the way there is protected, and what to say about it. Does not connect.

use std::net::{IpAddr, Ipv6Addr};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::kit::secret::Secret;

const FORM: &str = "The mail relay is written as smtps://user:password@mail.example.com for TLS from the start, \
                    or as smtp://user:password@mail.example.com for STARTTLS.";
const ENCODE: &str = "In the user name and the password of the mail relay, write % as %25, / as %2F, ? as %3F, \
                      # as %23 and @ as %40; in the name of the ?ca= file, write @ as %40.";
const HOST: &str = "The host of the mail relay is a name or an address with an optional port, like \
                    mail.example.com:587; an IPv6 address stands in square brackets.";

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS before the first word.
    Implicit,
    /// TLS by STARTTLS, or nothing at all.
    StartTls,
    /// None.
    Plain,
}

/// What the relay wants to hear before it takes mail.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret<String>,
}

/// A mail relay, as `smtp_url` describes it.
#[derive(Clone, Debug)]
pub struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<Login>,
    /// The only roots, when there are some: who names a private authority does not mean everybody else's too.
    pub(super) authorities: Vec<CertificateDer<'static>>,
}

impl Relay {
    /// Reads `smtps://…` or `smtp://…`, and the file that `?ca=` names. The error is one sentence that says what to
    /// write instead; it never repeats the URL, which holds a password.
    ///
    /// - `smtps://[user:password@]host[:465]`: TLS from the start.
    /// - `smtp://[user:password@]host[:587]`: STARTTLS, required; on loopback plain, unless `?tls=starttls`.
    /// - `?tls=none`: no protection, for a relay on the local network that wants no login.
    /// - `?ca=FILE`: certificates in PEM that take the place of the platform's authorities.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(FORM)?;
        let (port, usual) = match scheme.to_ascii_lowercase().as_str() {
            "smtps" => (465, Security::Implicit),
            "smtp" => (587, Security::StartTls),
            _ => return Err(FORM.to_owned()),
        };
        let (authority, query) = divide(rest)?;
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(parse_login(login)?), place),
            None => (None, authority),
        };
        let (host, chosen_port) = parse_place(place)?;
        let options = Options::parse(query)?;
        let security = options.security(usual, &host)?;
        if security == Security::Plain && login.is_some() && !is_loopback(&host) {
            return Err(
                "A login is never sent in clear: remove ?tls=none, or remove user and password from the \
                        mail relay's URL."
                    .to_owned(),
            );
        }
        if security == Security::Plain && options.authorities.is_some() {
            return Err(
                "Without TLS there is no certificate to check: remove ?ca=, or on loopback add \
                        &tls=starttls."
                    .to_owned(),
            );
        }
        Ok(Self {
            host,
            port: chosen_port.unwrap_or(port),
            security,
            login,
            authorities: options.authorities.unwrap_or_default(),
        })
    }

    /// One line for people, without user and password: `smtp://mail.example.com:587 (STARTTLS, login)`.
    #[must_use]
    pub fn summary(&self) -> String {
        let (scheme, security) = match self.security {
            Security::Implicit => ("smtps", "TLS"),
            Security::StartTls => ("smtp", "STARTTLS"),
            Security::Plain => ("smtp", "no TLS"),
        };
        let mut notes = vec![security];
        if !self.authorities.is_empty() {
            notes.push("own authority");
        }
        if self.login.is_some() {
            notes.push("login");
        }
        format!("{scheme}://{} ({})", self.place(), notes.join(", "))
    }

    /// Whether mail would leave in the same way, with the same login, and the same certificates in the `?ca=` file.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let login = |relay: &Self| {
            let login = relay.login.as_ref();
            login.map(|login| (login.user.clone(), login.password.reveal().clone()))
        };
        (&self.host, self.port, self.security) == (&other.host, other.port, other.security)
            && self.authorities == other.authorities
            && login(self) == login(other)
    }

    /// Whether it wants a user and a password.
    #[must_use]
    pub const fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// What the operator should know about this choice, if anything.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        (self.security == Security::Plain && !is_loopback(&self.host)).then_some(
            "Mail goes to the relay in clear (?tls=none): whoever can listen on that network can read and use \
             the links in it.",
        )
    }

    /// Host and port, as a URL writes them.
    pub(super) fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// The part with the host, and the query after it.
fn divide(rest: &str) -> Result<(&str, &str), String> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at_checked(end).ok_or(FORM)?;
    // A password with one of these characters in it would be taken for the host: an @ further on gives it away.
    if after.contains('@') {
        return Err(ENCODE.to_owned());
    }
    let after = after.strip_prefix('/').unwrap_or(after);
    match after.strip_prefix('?') {
        Some(query) if !query.contains('#') => Ok((authority, query)),
        None if after.is_empty() => Ok((authority, "")),
        _ => Err(
            "After the host of the mail relay only ?tls=… and ?ca=… may follow, joined by &."
                .to_owned(),
        ),
    }
}

fn parse_login(text: &str) -> Result<Login, String> {
    let (user, password) = text
        .split_once(':')
        .filter(|(user, password)| !user.is_empty() && !password.is_empty())
        .ok_or("A login at the mail relay needs both user and password, like smtp://user:password@host.")?;
    Ok(Login {
        user: decode(user).ok_or(ENCODE)?,
        password: Secret::new(decode(password).ok_or(ENCODE)?),
    })
}

fn parse_place(place: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match place.strip_prefix('[') {
        Some(opened) => {
            let (address, after) = opened.split_once(']').ok_or(HOST)?;
            let address: Ipv6Addr = address.parse().map_err(|_| HOST)?;
            let port = after.strip_prefix(':');
            if port.is_none() && !after.is_empty() {
                return Err(HOST.to_owned());
            }
            (address.to_string(), port)
        }
        None => {
            let (name, port) = match place.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (place, None),
            };
            let name = idna::domain_to_ascii(name).map_err(|_| HOST)?;
            (name, port)
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || host.len() > 253 || !host.chars().all(plain) {
        return Err(HOST.to_owned());
    }
    let port = match port {
        Some(port) => {
            let number = port.parse().ok().filter(|number| *number != 0);
            Some(number.ok_or(HOST)?)
        }
        None => None,
    };
    Ok((host, port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What stands after the question mark.
#[derive(Default)]
struct Options {
    tls: Option<Security>,
    authorities: Option<Vec<CertificateDer<'static>>>,
}

impl Options {
    fn parse(query: &str) -> Result<Self, String> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("tls", "none")) if options.tls.is_none() => {
                    options.tls = Some(Security::Plain);
                }
                Some(("tls", "starttls")) if options.tls.is_none() => {
                    options.tls = Some(Security::StartTls);
                }
                Some(("ca", file)) if options.authorities.is_none() => {
                    options.authorities = Some(read_authorities(&decode(file).ok_or(ENCODE)?)?);
                }
                _ => {
                    return Err(
                        "The mail relay's URL knows ?tls=none, ?tls=starttls and ?ca=FILE, each at \
                                most once."
                            .to_owned(),
                    );
                }
            }
        }
        Ok(options)
    }

    fn security(&self, usual: Security, host: &str) -> Result<Security, String> {
        match (usual, self.tls) {
            (Security::Implicit, Some(_)) => Err(
                "smtps:// is TLS from the start: remove ?tls=, or write smtp:// instead."
                    .to_owned(),
            ),
            (_, Some(chosen)) => Ok(chosen),
            (Security::StartTls, None) if is_loopback(host) => Ok(Security::Plain),
            (usual, None) => Ok(usual),
        }
    }
}

fn read_authorities(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(file)
        .map_err(|error| format!("The file {file} of ?ca= cannot be read: {error}."))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .unwrap_or_default();
    // Whether they can serve as roots is found out now rather than with the first mail.
    let mut roots = rustls::RootCertStore::empty();
    let usable = certificates
        .iter()
        .all(|certificate| roots.add(certificate.clone()).is_ok());
    if certificates.is_empty() || !usable {
        return Err(format!(
            "The file {file} of ?ca= must hold certificates in PEM (-----BEGIN CERTIFICATE-----)."
        ));
    }
    Ok(certificates)
}

/// Undoes percent-encoding; none where that leaves no clean text.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests;
