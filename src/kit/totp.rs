//! Six-digit codes of an authenticator app (RFC 6238: SHA-1, 30 seconds, six digits), and the address from which an app
//! learns its secret.

use data_encoding::BASE32_NOPAD;
use totp_rs::Builder;
use zeroize::Zeroizing;

use super::http::fields;
use super::secret::Secret;

/// Bytes of a secret: as long as the hash, as RFC 4226 recommends.
pub const SECRET: usize = 20;
/// Seconds for which a code is shown.
pub const STEP: i64 = 30;
/// Characters of an issuer: twice as many as any app shows.
const ISSUER_MAX: usize = 64;
/// So many steps before and after the present are taken too, for clocks that differ.
const SKEW: u16 = 1;

/// What an app and the server share.
#[derive(Clone, Debug)]
pub struct Shared(Secret<[u8; SECRET]>);

impl Shared {
    /// Takes random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; SECRET]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub const fn reveal(&self) -> &[u8; SECRET] {
        self.0.reveal()
    }

    /// As people type it: base32, 32 letters and digits.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.reveal()))
    }

    /// The address that an app reads from the code to scan. Both names are encoded, so that nothing in them can be taken
    /// for another part of it; a long issuer is cut, so that it fits into a code that a phone can read.
    #[must_use]
    pub fn address(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let issuer: String = issuer.chars().take(ISSUER_MAX).collect();
        let (issuer, account) = (encode(issuer.trim_end()), encode(account));
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}",
            self.base32().as_str()
        ))
    }

    /// The code that an app shows at that time, in seconds since 1970.
    #[must_use]
    pub fn code_at(&self, at: i64) -> Option<String> {
        let totp = Builder::new()
            .with_secret(self.reveal().to_vec())
            .build()
            .ok()?;
        Some(totp.generate(u64::try_from(at).ok()?).to_string())
    }

    /// The step for which this code is right at that time, in seconds since 1970: the present one, or one beside it.
    #[must_use]
    pub fn step_of(&self, code: &str, at: i64) -> Option<i64> {
        let totp = Builder::new()
            .with_secret(self.reveal().to_vec())
            .with_skew(SKEW)
            .build()
            .ok()?;
        let step = totp.check(code, u64::try_from(at).ok()?)?;
        i64::try_from(step).ok()
    }
}

/// With %20 for a space: apps show a plus as it is.
fn encode(text: &str) -> String {
    fields::encode(text).replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    fn shared() -> Shared {
        Shared::new(*b"12345678901234567890")
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // The last six of the eight digits that RFC 6238 lists for SHA-1.
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(shared().step_of(code, at), Some(at / STEP), "{at}");
            assert_eq!(shared().code_at(at).as_deref(), Some(code));
        }
    }

    #[test]
    fn one_step_beside_the_present_is_taken_and_two_are_not() {
        let at = 1_111_111_109;
        let step = at / STEP;
        for (shift, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let now = at - shift * STEP;
            assert_eq!(
                shared().step_of("081804", now),
                taken.then_some(step),
                "{shift}"
            );
        }
        assert_eq!(shared().step_of("081805", at), None);
        assert_eq!(shared().step_of("", at), None);
        assert_eq!(shared().step_of("0818040", at), None);
        assert_eq!(shared().step_of("081804", -5), None);
    }

    #[test]
    fn nothing_in_a_name_changes_the_rest_of_the_address() {
        let address = shared().address("A&B: c?d=e#f%", "a&secret=AAAA&issuer=x@b.example");
        assert_eq!(address.matches('?').count(), 1, "{}", *address);
        assert_eq!(address.matches("secret=").count(), 1);
        assert_eq!(address.matches('&').count(), 1);
        assert_eq!(address.matches(':').count(), 2);
        assert!(address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer="));
        assert!(!address.contains('#') && !address.contains(' ') && !address.contains('+'));
    }

    #[test]
    fn the_longest_names_fit_into_a_code_to_scan() {
        let local = "+".repeat(64);
        let domain = format!(
            "{}.example",
            ["a".repeat(60), "b".repeat(60), "c".repeat(58)].join(".")
        );
        let address = shared().address(&"\u{1f6aa}".repeat(100), &format!("{local}@{domain}"));
        assert!(
            crate::kit::qr::Scan::of(&address).is_some(),
            "{}",
            address.len()
        );
        let name = format!("{} tail", "n".repeat(63));
        assert!(
            shared()
                .address(&name, "a@b.example")
                .ends_with(&format!("issuer={}", "n".repeat(63)))
        );
    }
}
