//! Mail addresses as they stand in an envelope and in a header: narrow on purpose, so that nothing written in one
//! can end a line, a header or a command. Does not know whose address it is, nor whether it exists.

/// What an address must look like; said without repeating it, since addresses stay out of logs.
const FORM: &str =
    "A mail address is written like name@example.com: ASCII, one @, no spaces, quotes or brackets.";

/// Keeps every header line far below the 998 characters of RFC 5322.
const SENDER_MAX: usize = 320;

/// Whether the address can go on an envelope; the error is the sentence to show.
pub fn check(address: &str) -> Result<(), String> {
    let Some((local, domain)) = address.split_once('@') else {
        return Err(FORM.to_owned());
    };
    let fits = address.len() <= 254 && local.len() <= 64;
    if fits && local.split('.').all(is_atom) && domain.split('.').all(is_label) {
        Ok(())
    } else {
        Err(FORM.to_owned())
    }
}

/// `atext` of RFC 5322, once or more.
fn is_atom(part: &str) -> bool {
    !part.is_empty()
        && part
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
}

fn is_label(part: &str) -> bool {
    (1..=63).contains(&part.len())
        && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !part.starts_with('-')
        && !part.ends_with('-')
}

/// Who mail comes from, as configured: an address, alone or after a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    configured: String,
    name: Option<String>,
    address: String,
}

impl Sender {
    /// Reads `portal@example.com`, `Portal <portal@example.com>` or `"Portal, Ltd" <portal@example.com>`; the
    /// error is the sentence to show.
    pub fn parse(text: &str) -> Result<Self, String> {
        let configured = text.trim();
        if configured.chars().any(char::is_control) || configured.len() > SENDER_MAX {
            return Err(format!(
                "A sender is one line of at most {SENDER_MAX} bytes, like Portal <portal@example.com>."
            ));
        }
        let (name, address) = match configured.strip_suffix('>') {
            Some(inner) => {
                let (name, address) = inner.rsplit_once('<').ok_or(FORM)?;
                (unquoted(name.trim())?, address)
            }
            None => (None, configured),
        };
        check(address)?;
        Ok(Self {
            configured: configured.to_owned(),
            name,
            address: address.to_owned(),
        })
    }

    /// The address alone: what the envelope carries.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The name in front of it, without its quotes.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The configured text, where it can stand in a header as it is.
    #[must_use]
    pub fn verbatim(&self) -> Option<&str> {
        let fits = self.configured.is_ascii() && self.configured.len() <= 200;
        let words = |name: &str| name.split(' ').all(is_atom);
        let clean = self.name.as_deref().is_none_or(words) || self.configured.starts_with('"');
        (fits && clean).then_some(self.configured.as_str())
    }
}

/// The name inside its quotes, if it has some; none when there is no name.
fn unquoted(name: &str) -> Result<Option<String>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    let inner = match name.strip_prefix('"') {
        Some(opened) => opened.strip_suffix('"'),
        None => Some(name),
    };
    match inner {
        // A quote or a backslash inside would need escapes, and a bracket would be a second address.
        Some(inner) if !inner.is_empty() && !inner.contains(['"', '\\', '<', '>']) => {
            Ok(Some(inner.to_owned()))
        }
        _ => Err(
            "A sender's name is written plainly or in one pair of double quotes, without < > or \\ inside, \
             like \"Portal, Ltd\" <portal@example.com>."
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_pass() {
        for good in [
            "ann@example.com",
            "ann.lee+portal@mail.example.co.uk",
            "o'brien@example.com",
            "root@localhost",
            "a@xn--bcher-kva.example",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_could_end_a_command_or_a_header_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}.com", "b.".repeat(126));
        for bad in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@example.com\r\nRCPT TO:<eve@example.com>",
            "ann@example.com\n",
            "ann\r@example.com",
            "ann\0@example.com",
            "ann\t@example.com",
            "ann @example.com",
            "<ann@example.com>",
            "ann@example.com>",
            "ann@example.com,eve@example.com",
            "ann@example.com;eve@example.com",
            "\"ann\"@example.com",
            "ann(x)@example.com",
            "ann@eve@example.com",
            ".ann@example.com",
            "ann.@example.com",
            "ann..lee@example.com",
            "ann@[127.0.0.1]",
            "ann@example..com",
            "ann@-example.com",
            "ännchen@example.com",
            &long_local,
            &long,
        ] {
            assert_eq!(check(bad), Err(FORM.to_owned()), "{bad:?}");
        }
    }

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let cases = [
            ("portal@example.com", None, true),
            ("<portal@example.com>", None, true),
            ("Our Portal <portal@example.com>", Some("Our Portal"), true),
            (
                "\"Portal, Ltd\" <portal@example.com>",
                Some("Portal, Ltd"),
                true,
            ),
            (
                "Portal, Ltd <portal@example.com>",
                Some("Portal, Ltd"),
                false,
            ),
            ("Pförtner <portal@example.com>", Some("Pförtner"), false),
        ];
        for (text, name, as_it_is) in cases {
            let sender = Sender::parse(text).unwrap();
            assert_eq!(sender.address(), "portal@example.com", "{text}");
            assert_eq!(sender.name(), name, "{text}");
            assert_eq!(sender.verbatim().is_some(), as_it_is, "{text}");
        }
    }

    #[test]
    fn a_sender_that_could_say_more_is_refused() {
        for bad in [
            "Portal",
            "Portal <portal@example.com",
            "Portal <portal@example.com>, Eve <eve@example.com>",
            "Portal <portal@example.com>\r\nBcc: eve@example.com",
            "\"Portal <portal@example.com>",
            "Por\"tal <portal@example.com>",
            "Portal <>",
        ] {
            assert!(Sender::parse(bad).is_err(), "{bad:?}");
        }
    }
}
