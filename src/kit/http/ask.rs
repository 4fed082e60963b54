//! Asks an HTTP server one thing: for commands that look whether a server answers. Every step has a deadline, nothing
//! is kept, no redirect is followed, and an answer is bounded.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme,
};
use rustls_platform_verifier::BuilderVerifierExt;

use super::headers::Scheme;
use crate::kit::names;
use crate::kit::time::instant;

/// No answer that is of use here is longer.
const ANSWER_MAX: usize = 64 * 1024;

/// Whose certificate is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// One that this machine's authorities vouch for, as browsers do.
    Platform,
    /// Any. For one's own server on this machine, whose certificate names the public host and may have been renewed a
    /// moment ago; nothing that is secret is said there. And for looking at one that was refused.
    Anyone,
}

/// What is asked, and of whom.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// With TLS or without.
    pub scheme: Scheme,
    /// The host as an URL has it: an IPv6 address in brackets.
    pub host: &'q str,
    /// The port.
    pub port: u16,
    /// What is asked for.
    pub path: &'q str,
    /// Headers besides the necessary ones.
    pub headers: &'q [(&'q str, &'q str)],
    /// Whose certificate is believed.
    pub trust: Trust,
    /// How long all of it may take.
    pub limit: Duration,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, values as sent.
    pub headers: Vec<(String, String)>,
    /// The body, or as much of it as is read.
    pub body: Vec<u8>,
    /// Who answered.
    pub peer: SocketAddr,
    /// The certificate that was shown, in DER.
    pub certificate: Option<Vec<u8>>,
}

impl Answer {
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

/// Why there was no answer: the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The name has no address.
    Name(String),
    /// No connection was taken.
    Connection(String),
    /// The certificate is not believed.
    Certificate(String),
    /// There was a connection, and then nothing that is an answer.
    Answer(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(words)
            | Self::Connection(words)
            | Self::Certificate(words)
            | Self::Answer(words) => f.write_str(words),
        }
    }
}

/// Asks, and waits for the answer.
pub fn get(question: &Question<'_>) -> Result<Answer, Failure> {
    let deadline = instant() + question.limit;
    let addresses = resolve(question, deadline)?;
    let mut stream = connect(&addresses, deadline)?;
    let peer = stream.socket.peer_addr().map_err(broken)?;
    let request = request(question);
    let (bytes, certificate) = match question.scheme {
        Scheme::Http => {
            stream.write_all(request.as_bytes()).map_err(broken)?;
            (read(&mut stream)?, None)
        }
        Scheme::Https => {
            let mut tls = connection(question)?;
            while tls.is_handshaking() {
                tls.complete_io(&mut stream).map_err(unsafe_line)?;
            }
            let certificate = tls
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|certificate| certificate.to_vec());
            let mut line = rustls::Stream::new(&mut tls, &mut stream);
            line.write_all(request.as_bytes()).map_err(broken)?;
            (read(&mut line)?, certificate)
        }
    };
    let (status, headers, body) = parse(&bytes)
        .ok_or_else(|| Failure::Answer("what answers does not speak HTTP".to_owned()))?;
    Ok(Answer {
        status,
        headers,
        body,
        peer,
        certificate,
    })
}

/// The addresses of the host. A name server that hangs is left behind in its thread.
fn resolve(question: &Question<'_>, deadline: Instant) -> Result<Vec<SocketAddr>, Failure> {
    let host = bare(question.host).to_owned();
    let port = question.port;
    let (found, finding) = mpsc::channel();
    thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || {
            // Nobody may wait any more.
            drop(found.send(names::addresses(&host, port)));
        })
        .map_err(broken)?;
    let host = question.host;
    match finding.recv_timeout(left(deadline)) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(Failure::Name(format!("{host} has no address"))),
        Ok(Err(error)) => Err(Failure::Name(format!(
            "{host} cannot be looked up ({error})"
        ))),
        Err(_) => Err(Failure::Name(format!(
            "no name server answered about {host}"
        ))),
    }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<Timed, Failure> {
    // An address that swallows packets must not use up the time of the others.
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let share = (left(deadline) / count).max(Duration::from_millis(50));
    let mut last = String::new();
    for address in addresses {
        match TcpStream::connect_timeout(address, share) {
            Ok(socket) => {
                socket.set_nodelay(true).map_err(broken)?;
                return Ok(Timed { socket, deadline });
            }
            Err(error) => last = format!("{address} takes no connection ({error})"),
        }
    }
    Err(Failure::Connection(last))
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(instant())
}

/// A socket on which all reads and writes together have one deadline.
struct Timed {
    socket: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        match left(self.deadline) {
            Duration::ZERO => Err(ErrorKind::TimedOut.into()),
            left => Ok(left),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(bytes)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

fn request(question: &Question<'_>) -> String {
    let Question {
        host, port, path, ..
    } = question;
    let host = match (question.scheme, port) {
        (Scheme::Http, 80) | (Scheme::Https, 443) => (*host).to_owned(),
        (_, port) => format!("{host}:{port}"),
    };
    let mut text = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: doorward/{}\r\nAccept: application/json, */*\r\n\
         Connection: close\r\n",
        env!("CARGO_PKG_VERSION")
    );
    for (name, value) in question.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text + "\r\n"
}

fn read(stream: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while bytes.len() < ANSWER_MAX && !is_whole(&bytes) {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(part.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Many end the line of TLS without saying so first.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof && !bytes.is_empty() => break,
            Err(error) => return Err(broken(error)),
        }
    }
    if bytes.is_empty() {
        return Err(Failure::Answer(
            "the connection was closed without an answer".to_owned(),
        ));
    }
    Ok(bytes)
}

/// Whether all is there that was promised, so that a server that keeps the line open is not waited for.
fn is_whole(bytes: &[u8]) -> bool {
    parse(bytes).is_some_and(|(_, headers, body)| {
        let length = headers.iter().find(|(name, _)| name == "content-length");
        length.is_some_and(|(_, length)| {
            length
                .parse::<usize>()
                .is_ok_and(|length| body.len() >= length)
        })
    })
}

type Parsed = (u16, Vec<(String, String)>, Vec<u8>);

fn parse(bytes: &[u8]) -> Option<Parsed> {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(bytes).ok()? else {
        return None;
    };
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|field| {
            let value = String::from_utf8_lossy(field.value).trim().to_owned();
            (field.name.to_ascii_lowercase(), value)
        })
        .collect();
    let is_chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value.eq_ignore_ascii_case("chunked"));
    let rest = bytes.get(length..).unwrap_or_default();
    let body = if is_chunked {
        joined(rest)
    } else {
        rest.to_vec()
    };
    Some((head.code?, headers, body))
}

/// The chunks as far as they are there.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(httparse::Status::Complete((start, length))) = httparse::parse_chunk_size(rest) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let chunk = rest.get(start..).unwrap_or_default();
        let chunk = chunk.get(..length).unwrap_or(chunk);
        body.extend_from_slice(chunk);
        let end = start.saturating_add(length).saturating_add(2);
        rest = rest.get(end..).unwrap_or_default();
        if length == 0 {
            break;
        }
    }
    body
}

fn broken(error: impl Into<io::Error>) -> Failure {
    let error = error.into();
    Failure::Answer(match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "no answer came in time".to_owned(),
        _ => format!("the connection broke ({error})"),
    })
}

fn connection(question: &Question<'_>) -> Result<ClientConnection, Failure> {
    let unusable = |words: String| Failure::Certificate(words);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(format!("TLS cannot be set up ({error})")))?;
    let config = match question.trust {
        Trust::Platform => builder
            .with_platform_verifier()
            .map_err(|error| {
                unusable(format!(
                    "this machine has no certificate authorities to check it with ({error}): install ca-certificates"
                ))
            })?
            .with_no_client_auth(),
        Trust::Anyone => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
            .with_no_client_auth(),
    };
    let name = ServerName::try_from(bare(question.host).to_owned())
        .map_err(|_| unusable(format!("{} cannot stand in a certificate", question.host)))?;
    ClientConnection::new(Arc::new(config), name)
        .map_err(|error| unusable(format!("TLS cannot be set up ({error})")))
}

/// Why the handshake failed.
fn unsafe_line(error: io::Error) -> Failure {
    let cause = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(why)) => Failure::Certificate(refused(why)),
        Some(rustls::Error::InvalidMessage(_)) => {
            Failure::Answer("what answers does not speak TLS on this port".to_owned())
        }
        Some(other) => Failure::Answer(format!("TLS failed ({other})")),
        None if error.kind() == ErrorKind::UnexpectedEof => {
            Failure::Answer("the connection was closed before TLS was agreed on".to_owned())
        }
        None => broken(error),
    }
}

fn refused(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its authority is not known here; the chain may be incomplete".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet, or this machine's clock is behind".to_owned()
        }
        CertificateError::Revoked => "its authority has revoked it".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it was not made for servers".to_owned()
        }
        // What an authority shows in place of a server's certificate, as one that signed itself does.
        CertificateError::Other(why) if why.to_string().contains("CaUsedAsEndEntity") => {
            "it signed itself, and no authority vouches for it".to_owned()
        }
        other => other.to_string(),
    }
}

/// Believes every certificate, and only what was signed with its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers one connection with these bytes, and then keeps it open until the other goes.
    fn server(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(answer).unwrap();
            let mut rest = [0; 1024];
            while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
        });
        port
    }

    fn ask(scheme: Scheme, port: u16) -> Result<Answer, Failure> {
        get(&Question {
            scheme,
            host: "127.0.0.1",
            port,
            path: "/readyz",
            headers: &[],
            trust: Trust::Anyone,
            limit: Duration::from_millis(500),
        })
    }

    #[test]
    fn an_answer_is_whole_as_soon_as_it_is_all_there() {
        let port = server(b"HTTP/1.1 503 No\r\nContent-Length: 3\r\nX-A:  b \r\n\r\nabc");
        let answer = ask(Scheme::Http, port).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (503, &b"abc"[..]));
        assert_eq!(answer.header("x-a"), Some("b"));
    }

    #[test]
    fn chunks_are_joined() {
        let bytes =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        let (status, _, body) = parse(bytes).unwrap();
        assert_eq!((status, body.as_slice()), (200, &b"abcd"[..]));
    }

    #[test]
    fn what_does_not_answer_is_given_up() {
        let silent = ask(Scheme::Http, server(b"")).unwrap_err();
        assert_eq!(silent.to_string(), "no answer came in time");
        let plain = ask(Scheme::Https, server(b"HTTP/1.1 400 Bad\r\n\r\n")).unwrap_err();
        assert!(plain.to_string().contains("does not speak TLS"), "{plain}");
        let other = server(b"220 mail.example.com\r\n");
        let other = ask(Scheme::Http, other).unwrap_err();
        assert!(matches!(other, Failure::Answer(_)), "{other}");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let nobody = ask(Scheme::Http, port.unwrap().port()).unwrap_err();
        assert!(matches!(nobody, Failure::Connection(_)), "{nobody}");
    }
}
