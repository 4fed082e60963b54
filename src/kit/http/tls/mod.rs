//! Certificate and key of the gate: read from PEM files, checked before they are used, and exchanged while the gate
//! runs. Connections that stand keep what they began with.

pub mod validity;

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{InconsistentKeys, ServerConfig, ServerConnection};

use crate::kit::time::Timestamp;

/// What is larger is no certificate and no key.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Clients that can come back by a shortened handshake; the oldest are forgotten.
const SESSIONS_MAX: usize = 1024;

/// TLS as the gate speaks it: 1.2 and 1.3, HTTP/1.1 inside.
pub struct Tls {
    current: RwLock<Pair>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends = self.ends();
        f.debug_struct("Tls")
            .field("ends", &ends)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Pair {
    config: Arc<ServerConfig>,
    ends: Option<Timestamp>,
}

impl Tls {
    /// Reads both files; a sentence says what is wrong with which.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, String> {
        Pair::load(cert, key).map(|pair| Self {
            current: RwLock::new(pair),
        })
    }

    /// Reads both files again, for connections from now on. Where something is wrong, the pair before stays.
    pub fn reload(&self, cert: &Path, key: &Path) -> Result<(), String> {
        let pair = Pair::load(cert, key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = pair;
        Ok(())
    }

    /// When the certificate is over, where that can be read of it.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.pair().ends
    }

    /// The beginning of a connection.
    pub(super) fn connection(&self) -> Result<ServerConnection, rustls::Error> {
        ServerConnection::new(self.pair().config)
    }

    fn pair(&self) -> Pair {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }
}

impl Pair {
    fn load(cert: &Path, key: &Path) -> Result<Self, String> {
        let chain = chain(cert)?;
        let secret = private_key(key)?;
        let ends = chain.first().and_then(|leaf| validity::end(leaf));
        let provider = Arc::new(ring::default_provider());
        CertifiedKey::from_der(chain.clone(), secret.clone_key(), &provider)
            .map_err(|error| mismatch(&error, cert, key))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .and_then(|versions| {
                versions
                    .with_no_client_auth()
                    .with_single_cert(chain, secret)
            })
            .map_err(|error| mismatch(&error, cert, key))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
        Ok(Self {
            config: Arc::new(config),
            ends,
        })
    }
}

fn mismatch(error: &rustls::Error, cert: &Path, key: &Path) -> String {
    let (cert, key) = (cert.display(), key.display());
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => format!(
            "the key in {key} does not belong to the first certificate in {cert}; the server's own certificate \
             must stand before those of its issuers"
        ),
        rustls::Error::InvalidCertificate(_) => {
            format!("the first certificate in {cert} cannot be read ({error})")
        }
        _ => format!(
            "the key in {key} cannot be used ({error}); RSA of 2048 bits or more, ECDSA on P-256 or P-384, and \
             Ed25519 can"
        ),
    }
}

/// The certificate in a file, before those that vouch for it, in DER.
pub fn leaf(file: &Path) -> Result<Vec<u8>, String> {
    let chain = chain(file)?;
    Ok(chain.first().map(|leaf| leaf.to_vec()).unwrap_or_default())
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(file, "certificate")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| broken(file, &error))?;
    if !chain.is_empty() {
        return Ok(chain);
    }
    Err(match private_key_in(&text) {
        Ok(_) => format!(
            "{} holds a key and no certificate; are tls_cert and tls_key exchanged?",
            file.display()
        ),
        Err(_) => nothing(file, &text, "certificate"),
    })
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let text = read(file, "key")?;
    let key = private_key_in(&text).map_err(|error| match error {
        pem::Error::NoItemsFound if contains(&text, b"ENCRYPTED PRIVATE KEY") => format!(
            "the key in {} is locked with a password, which nobody could type at every start; write it without \
             one: openssl pkey -in {0} -out FILE",
            file.display()
        ),
        pem::Error::NoItemsFound => nothing(file, &text, "key"),
        error => broken(file, &error),
    })?;
    if let Ok(about) = fs::metadata(file)
        && about.permissions().mode() & 0o007 != 0
    {
        tracing::warn!(
            file = %file.display(),
            "every user of this machine may read or change the TLS key; take that away: chmod o= FILE"
        );
    }
    Ok(key)
}

fn private_key_in(text: &[u8]) -> Result<PrivateKeyDer<'static>, pem::Error> {
    PrivateKeyDer::from_pem_slice(text)
}

fn read(file: &Path, what: &str) -> Result<Vec<u8>, String> {
    let name = file.display();
    let mut text = Vec::new();
    File::open(file)
        .and_then(|open| open.take(FILE_BYTES_MAX + 1).read_to_end(&mut text))
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => format!("there is no {what} at {name}"),
            ErrorKind::PermissionDenied => {
                format!("this user may not read the {what} in {name}")
            }
            _ => format!("the {what} in {name} cannot be read: {error}"),
        })?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        return Ok(text);
    }
    Err(format!("{name} is too large for a {what}"))
}

fn nothing(file: &Path, text: &[u8], what: &str) -> String {
    let name = file.display();
    if contains(text, b"-----BEGIN ") {
        return format!("there is no {what} in {name}");
    }
    format!("{name} is not PEM (text with -----BEGIN and -----END lines)")
}

fn broken(file: &Path, error: &pem::Error) -> String {
    let what = match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no -----END line",
        pem::Error::IllegalSectionStart { .. } => "a -----BEGIN line is malformed",
        _ => "what stands between the lines is not base64",
    };
    format!("{} is broken PEM: {what}", file.display())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|here| here == part)
}

#[cfg(test)]
mod tests;
