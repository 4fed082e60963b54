//! When a certificate ends: the one thing of it that somebody has to act on. Reads DER as far as that, and believes
//! nothing else of it.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::kit::time::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of its validity; none where these bytes are no certificate.
#[must_use]
pub fn ends_at(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = open(der, SEQUENCE)?;
    let (mut rest, _) = open(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (validity, _) = open(rest, SEQUENCE)?;
    let (_, _, ends) = element(validity)?;
    let (kind, text, _) = element(ends)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match kind {
        // Years of two digits: 1950 to 2049 (RFC 5280, 4.1.2.5.1).
        UTC_TIME if text >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let at = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    let at = TimeZone::UTC.to_timestamp(at).ok()?;
    Some(Timestamp(at.as_second()))
}

/// The content of an element of this kind, and what follows it.
fn open(bytes: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(bytes)?;
    (found == kind).then_some((content, rest))
}

/// The kind of the first element, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (kind, bytes) = bytes.split_first()?;
    let (length, bytes) = bytes.split_first()?;
    let (length, bytes) = match usize::from(*length) {
        short @ 0..=0x7f => (short, bytes),
        // Nothing in a certificate is longer than four bytes can say; a length without end is no DER.
        long @ 0x81..=0x84 => {
            let (digits, bytes) = bytes.split_at_checked(long & 0x7f)?;
            let length = digits
                .iter()
                .fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
            (length, bytes)
        }
        _ => return None,
    };
    let (content, rest) = bytes.split_at_checked(length)?;
    Some((*kind, content, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["portal.example.com".to_owned()]).unwrap();
        params.not_before = date_time_ymd(1975, 1, 1);
        params.not_after = date_time_ymd(year, 3, 9);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_is_read_in_both_spellings() {
        for (year, seconds) in [
            (1999, 920_937_600),
            (2030, 1_899_244_800),
            (2049, 2_498_860_800),
            (2050, 2_530_396_800),
            (4096, 67_097_721_600),
        ] {
            let found = ends_at(&certificate(year));
            assert_eq!(found, Some(Timestamp(seconds)), "{year}");
        }
    }

    #[test]
    fn what_is_cut_short_has_no_end() {
        let whole = certificate(2030);
        for length in 0..whole.len() {
            assert_eq!(ends_at(&whole[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0usize..400, byte: u8, other in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut bytes = certificate(2030);
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            ends_at(&bytes);
            ends_at(&other);
        }
    }
}
