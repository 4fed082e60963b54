//! TLS from the client's side: certificates made when the tests run, connections that trust them, and a tunnel for
//! clients that speak none.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use doorward::kit::time::{Clock as _, DAY, SystemClock};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);

/// The name that every certificate here is for, besides localhost and 0.0.0.0, by which this machine reaches itself.
pub(crate) const NAME: &str = "portal.example.com";

/// A connection with TLS.
pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A certificate and its key, as files and in hand.
#[derive(Debug)]
pub(crate) struct Pair {
    folder: TempDir,
    der: CertificateDer<'static>,
}

impl Pair {
    /// One that is good for a year.
    pub(crate) fn new() -> Self {
        Self::ending_in(365)
    }

    /// One that ends in so many days.
    pub(crate) fn ending_in(days: i64) -> Self {
        Self::with(days, IsCa::NoCa)
    }

    /// One that signed itself as an authority does, which is what `openssl req -x509` makes.
    pub(crate) fn of_an_authority() -> Self {
        Self::with(365, IsCa::Ca(BasicConstraints::Unconstrained))
    }

    fn with(days: i64, is_ca: IsCa) -> Self {
        let mut params =
            CertificateParams::new([NAME, "localhost", "0.0.0.0"].map(str::to_owned)).unwrap();
        params.is_ca = is_ca;
        params.distinguished_name.push(DnType::CommonName, NAME);
        let now = SystemClock::new().now().0;
        let day = |days: i64| {
            let seconds = u64::try_from(now + days * DAY).unwrap();
            date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
        };
        params.not_before = day(-30);
        params.not_after = day(days);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        let pair = Self {
            folder: tempfile::tempdir().unwrap(),
            der: cert.der().clone(),
        };
        std::fs::write(pair.cert(), cert.pem()).unwrap();
        std::fs::write(pair.key(), key.serialize_pem()).unwrap();
        pair
    }

    /// The file of the certificate.
    pub(crate) fn cert(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// The file of its key.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// The certificate itself.
    pub(crate) const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Puts this pair in the place of another.
    pub(crate) fn copy_over(&self, other: &Self) {
        std::fs::copy(self.cert(), other.cert()).unwrap();
        std::fs::copy(self.key(), other.key()).unwrap();
    }

    /// What a client needs to trust it.
    pub(crate) fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        trusting(std::slice::from_ref(&self.der), versions)
    }

    /// A connection of a client that trusts it.
    pub(crate) fn connect(&self, to: SocketAddr) -> Stream {
        connect(&self.client(rustls::ALL_VERSIONS), to)
    }
}

/// What a client needs to trust these.
pub(crate) fn trusting(
    roots: &[CertificateDer<'static>],
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap();
    let mut config = builder.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A connection, its handshake done.
pub(crate) fn connect(config: &Arc<ClientConfig>, to: SocketAddr) -> Stream {
    let mut stream = begin(config, to);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream
}

/// A connection that has said nothing yet.
pub(crate) fn begin(config: &Arc<ClientConfig>, to: SocketAddr) -> Stream {
    begin_on(config, TcpStream::connect(to).unwrap())
}

fn begin_on(config: &Arc<ClientConfig>, socket: TcpStream) -> Stream {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let client = ClientConnection::new(Arc::clone(config), name).unwrap();
    StreamOwned::new(client, socket)
}

/// Takes connections in the clear and goes on with TLS, for clients that speak none.
pub(crate) fn tunnel(
    config: Arc<ClientConfig>,
    reach: impl Fn() -> TcpStream + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Both threads end with the process; what they carry ends with its client.
    let reach = Arc::new(reach);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (config, reach) = (Arc::clone(&config), Arc::clone(&reach));
            thread::spawn(move || carry(client.unwrap(), begin_on(&config, reach())));
        }
    });
    format!("http://{address}")
}

/// One request after the other, as clients of HTTP/1.1 send them: what the client has said goes out, then what the
/// server has said comes back, whoever speaks first.
fn carry(mut client: TcpStream, mut server: Stream) {
    let short = Some(Duration::from_millis(2));
    client.set_read_timeout(short).unwrap();
    server.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    while server.conn.is_handshaking() {
        if server.conn.complete_io(&mut server.sock).is_err() {
            return;
        }
    }
    server.sock.set_read_timeout(short).unwrap();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => server.write_all(&buffer[..count]).unwrap(),
            Err(error) if is_silence(error.kind()) => {}
            Err(_) => return,
        }
        match server.read(&mut buffer) {
            Ok(count) if count > 0 => {
                if client.write_all(&buffer[..count]).is_err() {
                    return;
                }
            }
            Err(error) if is_silence(error.kind()) => {}
            _ => {
                client.shutdown(Shutdown::Both).ok();
                return;
            }
        }
    }
}

fn is_silence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
