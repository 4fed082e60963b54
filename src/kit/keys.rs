//! The keys of one install, derived from the 32 bytes in `secret.key`.
//!
//! Each use has a key of its own (HMAC-SHA256 of the use's name, as HKDF-Expand of RFC 5869 does for one block),
//! so that a value made for one purpose never passes for another.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Mailed links.
    Links,
    /// Hidden form fields, flash messages and signed cookies.
    Forms,
    /// The heads of the audit chains.
    Audit,
    /// Which key belongs to which file; this value is not secret.
    Identity,
    /// Secrets of second factors, sealed.
    Sealing,
    /// Recovery codes: a file alone does not tell which were good.
    Recovery,
    /// Names of throttled addresses, so that the file holds no list of what strangers typed.
    Throttle,
    /// What a command of this install and its server say to each other to be known.
    Probe,
}

impl Use {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Links => b"doorward links 1",
            Self::Forms => b"doorward forms 1",
            Self::Audit => b"doorward audit 1",
            Self::Identity => b"doorward identity 1",
            Self::Sealing => b"doorward sealing 1",
            Self::Recovery => b"doorward recovery 1",
            Self::Throttle => b"doorward throttle 1",
            Self::Probe => b"doorward probe 1",
        }
    }
}

/// The keys of one install.
#[derive(Clone)]
pub struct Keys(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[keys]")
    }
}

impl Keys {
    /// The keys under this root.
    #[must_use]
    pub fn new(root: [u8; 32]) -> Self {
        Self(Zeroizing::new(root))
    }

    /// The root, for the one file that keeps it.
    #[must_use]
    pub fn root(&self) -> &[u8; 32] {
        &self.0
    }

    /// The MAC of these parts, each with its length, under the key of that use.
    #[must_use]
    pub fn mac(&self, purpose: Use, parts: &[&[u8]]) -> [u8; 32] {
        let key = Zeroizing::new(hmac(self.0.as_slice(), &[purpose.label()]));
        let lengths: Vec<[u8; 8]> = parts
            .iter()
            .map(|part| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes())
            .collect();
        let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len() * 2);
        for (part, length) in parts.iter().zip(&lengths) {
            all.push(length);
            all.push(part);
        }
        hmac(key.as_slice(), &all)
    }

    /// Tells this key from another; stored in the database, so that a wrong key is noticed.
    #[must_use]
    pub fn identity(&self) -> [u8; 32] {
        self.mac(Use::Identity, &[])
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length; a zero key could only come from a fault in the library.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
