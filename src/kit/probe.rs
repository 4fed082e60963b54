//! How a command of an install finds out whether the server that answers at some address is its own, and what that
//! server sees of whoever comes that way.
//!
//! Both know the key. The question proves that it comes from the install, so that nobody else is answered in any other
//! way than everybody; the answer proves that it comes from the install. Neither says anything about the key.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use subtle::ConstantTimeEq;

use crate::kit::keys::{Keys, Use};
use crate::kit::random::{self, Random};
use crate::kit::time::{MINUTE, Timestamp};

/// The header that carries the question.
pub const HEADER: &str = "doorward-probe";
/// The header in which the gate says how such a request came; a client's own one of this name does not pass the gate.
pub const CAME_HEADER: &str = "gate-came";

/// Whoever hears a question may repeat it, for so long.
const LIFE: i64 = 10 * MINUTE;

/// How a request came to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// From which address.
    pub peer: IpAddr,
    /// With how many entries of `X-Forwarded-For`.
    pub entries: usize,
    /// Whether the word of that address is taken.
    pub is_trusted: bool,
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trust = if self.is_trusted {
            "trusted"
        } else {
            "untrusted"
        };
        write!(f, "{} {} {trust}", self.peer, self.entries)
    }
}

impl FromStr for Came {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(());
        Ok(Self {
            peer: word()?.parse().map_err(|_| ())?,
            entries: word()?.parse().map_err(|_| ())?,
            is_trusted: word()? == "trusted",
        })
    }
}

/// A question, asked once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    at: Timestamp,
    nonce: [u8; 16],
}

impl Question {
    /// A new one.
    pub fn new(random: &dyn Random, at: Timestamp) -> std::io::Result<Self> {
        let nonce = random::bytes(random)?;
        Ok(Self { at, nonce })
    }

    /// As the header says it.
    #[must_use]
    pub fn to_header(&self, keys: &Keys) -> String {
        let nonce = HEXLOWER.encode(&self.nonce);
        format!("{}.{nonce}.{}", self.at.0, self.sign(keys, b"question"))
    }

    /// The question of a header; none unless this install asked it a moment ago.
    #[must_use]
    pub fn from_header(text: &str, keys: &Keys, now: Timestamp) -> Option<Self> {
        let mut parts = text.split('.');
        let (at, nonce, signed) = (parts.next()?, parts.next()?, parts.next()?);
        let at = Timestamp(at.parse().ok()?);
        let nonce = HEXLOWER.decode(nonce.as_bytes()).ok()?;
        let question = Self {
            at,
            nonce: nonce.try_into().ok()?,
        };
        let right = question.sign(keys, b"question");
        let is_ours: bool = right.as_bytes().ct_eq(signed.as_bytes()).into();
        let is_fresh = now.since(at).abs() <= LIFE;
        (is_ours && is_fresh && parts.next().is_none()).then_some(question)
    }

    /// What only the server of this install can answer.
    #[must_use]
    pub fn proof(&self, keys: &Keys) -> String {
        self.sign(keys, b"answer")
    }

    /// Whether that is the proof.
    #[must_use]
    pub fn is_proven_by(&self, proof: &str, keys: &Keys) -> bool {
        self.proof(keys).as_bytes().ct_eq(proof.as_bytes()).into()
    }

    fn sign(&self, keys: &Keys, what: &[u8]) -> String {
        let at = self.at.0.to_be_bytes();
        HEXLOWER.encode(&keys.mac(Use::Probe, &[what, &at, &self.nonce]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::random::SeededRandom;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn question() -> Question {
        Question::new(&SeededRandom::new(1), NOW).unwrap()
    }

    #[test]
    fn a_question_is_known_by_its_install_alone_and_for_a_while() {
        let (ours, theirs) = (Keys::new([1; 32]), Keys::new([2; 32]));
        let header = question().to_header(&ours);
        let read = |keys, seconds| Question::from_header(&header, keys, NOW.plus(seconds));
        assert_eq!(read(&ours, 0), Some(question()));
        assert_eq!(read(&ours, -LIFE), Some(question()));
        assert_eq!(read(&ours, LIFE), Some(question()));
        assert_eq!(read(&ours, LIFE + 1), None);
        assert_eq!(read(&theirs, 0), None);
        for wrong in [
            "",
            ".",
            "..",
            "1.2.3",
            &format!("{header}."),
            &header.replacen('1', "2", 1),
        ] {
            assert_eq!(Question::from_header(wrong, &ours, NOW), None, "{wrong}");
        }
    }

    #[test]
    fn an_answer_fits_its_question_and_is_no_question() {
        let keys = Keys::new([1; 32]);
        let other = Question::new(&SeededRandom::new(2), NOW).unwrap();
        let proof = question().proof(&keys);
        assert!(question().is_proven_by(&proof, &keys));
        assert!(!other.is_proven_by(&proof, &keys));
        assert!(!question().is_proven_by(&proof, &Keys::new([2; 32])));
        assert!(!question().to_header(&keys).contains(&proof));
    }
}
