//! Secrets at rest: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) under a key derived from `secret.key`.
//!
//! A sealed value is four bytes that tell the key, a random nonce of 24 bytes, and the ciphertext with its tag of 16. It
//! is bound to its place (table and row), so that one put into another row does not open. The key's id stands in front,
//! so that a key can take over from another: what the older one sealed is told from what is damaged.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::keys::{Keys, Use};

/// Bytes that tell which key sealed it.
const KEY_ID: usize = 4;
/// Bytes of the nonce.
pub const NONCE: usize = 24;
/// How much longer a sealed value is than what is in it.
pub const OVERHEAD: usize = KEY_ID + NONCE + 16;

/// Why a value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Another key sealed it.
    OtherKey,
    /// It is damaged, or stands where it was not put.
    Damaged,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherKey => "a sealed secret belongs to another secret.key",
            Self::Damaged => "a sealed secret is damaged, or was moved",
        })
    }
}

impl std::error::Error for Error {}

/// Where a sealed value stands: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The row's id.
    pub row: i64,
}

impl Place {
    fn bound_to(self, key_id: [u8; KEY_ID]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(self.table.len() + 8 + KEY_ID);
        aad.extend_from_slice(&key_id);
        aad.extend_from_slice(&self.row.to_be_bytes());
        aad.extend_from_slice(self.table.as_bytes());
        aad
    }
}

/// Seals `secret` for its place. The nonce must be random.
pub fn seal(
    keys: &Keys,
    place: Place,
    nonce: [u8; NONCE],
    secret: &[u8],
) -> Result<Vec<u8>, Error> {
    let (cipher, key_id) = cipher(keys)?;
    let aad = place.bound_to(key_id);
    let payload = Payload {
        msg: secret,
        aad: &aad,
    };
    let hidden = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::Damaged)?;
    Ok([key_id.as_slice(), &nonce, &hidden].concat())
}

/// Opens what was sealed for that place.
pub fn open(keys: &Keys, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (cipher, key_id) = cipher(keys)?;
    let (told, rest) = sealed.split_at_checked(KEY_ID).ok_or(Error::Damaged)?;
    if told != key_id {
        return Err(Error::OtherKey);
    }
    let (nonce, hidden) = rest.split_at_checked(NONCE).ok_or(Error::Damaged)?;
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| Error::Damaged)?;
    let aad = place.bound_to(key_id);
    let payload = Payload {
        msg: hidden,
        aad: &aad,
    };
    cipher
        .decrypt(&XNonce::from(nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| Error::Damaged)
}

fn cipher(keys: &Keys) -> Result<(XChaCha20Poly1305, [u8; KEY_ID]), Error> {
    let key = Zeroizing::new(keys.mac(Use::Sealing, &[]));
    let [a, b, c, d, ..] = keys.identity();
    Ok((XChaCha20Poly1305::new(&Key::from(*key)), [a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        table: "factors",
        row: 7,
    };

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let keys = Keys::new([7; 32]);
        let sealed = seal(&keys, PLACE, [1; NONCE], b"a secret of 20 bytes").unwrap();
        assert_eq!(sealed.len(), 20 + OVERHEAD);
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(
            open(&keys, PLACE, &sealed).unwrap().as_slice(),
            b"a secret of 20 bytes"
        );
        for place in [
            Place { row: 8, ..PLACE },
            Place {
                table: "enrolments",
                ..PLACE
            },
        ] {
            assert_eq!(open(&keys, place, &sealed), Err(Error::Damaged));
        }
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let keys = Keys::new([7; 32]);
        let sealed = seal(&keys, PLACE, [1; NONCE], b"secret").unwrap();
        assert_eq!(
            open(&Keys::new([8; 32]), PLACE, &sealed),
            Err(Error::OtherKey)
        );
        for place in KEY_ID..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            assert_eq!(open(&keys, PLACE, &damaged), Err(Error::Damaged), "{place}");
        }
        for length in 0..sealed.len() {
            assert!(open(&keys, PLACE, &sealed[..length]).is_err(), "{length}");
        }
    }
}
