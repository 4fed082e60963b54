//! TLS towards the relay: whose certificates are believed, and why one was not. There is no way to believe any.

use std::sync::Arc;

use mail_send::smtp::tls::build_tls_connector;
use rustls::{CertificateError, ClientConfig, ClientConnection, ProtocolVersion, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::kit::mail::smtp::relay::Relay;

/// A connector that believes the relay's own authorities, or else the platform's.
pub(super) fn connector(relay: &Relay) -> Result<TlsConnector, String> {
    let provider = rustls::crypto::ring::default_provider();
    if relay.authorities.is_empty() {
        // The platform verifier asks for a provider of the whole process; one set before is as good.
        provider.install_default().ok();
        return build_tls_connector(false).map_err(|error| {
            format!(
                "This machine has no certificate authorities to check the relay with ({error}): install \
                 ca-certificates, or name one with ?ca=FILE."
            )
        });
    }
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(relay.authorities.iter().cloned());
    if unusable > 0 {
        return Err("A certificate in the file of ?ca= cannot be used.".to_owned());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}."))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What protects the line, as a sentence.
pub(super) fn described(line: &ClientConnection) -> String {
    let version = match line.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(_) | None => "TLS",
    };
    let suite = line
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str());
    match suite {
        Some(suite) => format!("{version} from here on ({suite}); the certificate is believed."),
        None => format!("{version} from here on; the certificate is believed."),
    }
}

/// Why the handshake failed, as a sentence.
pub(super) fn explain(error: &std::io::Error, host: &str) -> String {
    let cause = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(why)) => refused(why, host),
        Some(rustls::Error::InvalidMessage(_)) => {
            "The relay does not speak TLS on this port: smtps:// is for port 465, smtp:// for 587."
                .to_owned()
        }
        _ => format!("TLS with the relay failed: {error}."),
    }
}

fn refused(why: &CertificateError, host: &str) -> String {
    match why {
        // A bad signature: an authority of the same name, but with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "The relay's certificate comes from an authority that is not trusted here; a private one is named \
             with ?ca=FILE."
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("The relay's certificate is not for {host}: write the name that stands in it.")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "The relay's certificate has expired.".to_owned()
        }
        other => format!("The relay's certificate is refused: {other}."),
    }
}
