//! `application/x-www-form-urlencoded`, read strictly: bodies of forms and query strings.

/// The most fields any form of ours has, with room.
const FIELDS_MAX: usize = 64;

/// Decoded pairs, in order.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a body or a query; `None` for what no browser sends: bad escapes, bytes that are no UTF-8, NUL, or more
    /// than 64 fields.
    #[must_use]
    pub fn parse(encoded: &[u8]) -> Option<Self> {
        if encoded.is_empty() {
            return Some(Self::default());
        }
        let mut pairs = Vec::new();
        for pair in encoded.split(|b| *b == b'&') {
            if pairs.len() >= FIELDS_MAX {
                return None;
            }
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(at)?;
            pairs.push((
                decode(name)?,
                decode(value.strip_prefix(b"=").unwrap_or(value))?,
            ));
        }
        Some(Self(pairs))
    }

    /// The value of that name; none when it is absent or there twice.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self
            .0
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }

    /// All of them, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All values of that name, in order.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.pairs()
            .filter(move |(n, _)| *n == name)
            .map(|(_, value)| value)
    }

    /// Whether every field is one of these, and none is there twice.
    #[must_use]
    pub fn are_only(&self, known: &[&str]) -> bool {
        self.are_only_with(known, &[])
    }

    /// The same, where these others may be there as often as they like, with another value each time.
    #[must_use]
    pub fn are_only_with(&self, known: &[&str], repeated: &[&str]) -> bool {
        self.0.iter().enumerate().all(|(at, (name, value))| {
            let mut earlier = self.0.iter().take(at);
            if repeated.contains(&name.as_str()) {
                return !earlier.any(|(n, v)| n == name && v == value);
            }
            known.contains(&name.as_str()) && !earlier.any(|(n, _)| n == name)
        })
    }
}

/// Percent-decoding once, `+` for the blank.
fn decode(part: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let high = char::from(*rest.next()?).to_digit(16)?;
                let low = char::from(*rest.next()?).to_digit(16)?;
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}

/// Encodes one value for a query.
#[must_use]
pub fn encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Decodes a path; none for bad escapes, bytes that are no UTF-8, or NUL.
#[must_use]
pub fn decode_path(path: &str) -> Option<String> {
    decode(path.replace('+', "%2B").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_decoded_once() {
        let fields = Fields::parse(b"email=a%2Bb%40x.example&name=L%C3%A9a+F&empty=&bare").unwrap();
        assert_eq!(fields.get("email"), Some("a+b@x.example"));
        assert_eq!(fields.get("name"), Some("Léa F"));
        assert_eq!(fields.get("empty"), Some(""));
        assert_eq!(fields.get("bare"), Some(""));
        assert_eq!(Fields::parse(b"a=%252e").unwrap().get("a"), Some("%2e"));
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for wrong in [
            &b"a=%"[..],
            b"a=%z",
            b"a=%zz",
            b"a=%ff",
            b"a=%c0%ae",
            b"a=%00",
            b"%ff=a",
        ] {
            assert!(Fields::parse(wrong).is_none(), "{wrong:?}");
        }
        assert!(Fields::parse("a=1&".repeat(10_000).as_bytes()).is_none());
    }

    #[test]
    fn only_what_may_be_repeated_is_there_twice_and_never_with_one_value() {
        let are = |body: &[u8]| {
            let fields = Fields::parse(body).unwrap();
            fields.are_only_with(&["deed"], &["account"])
        };
        assert!(are(b"account=a&deed=x&account=b"));
        assert!(are(b"deed=x"));
        assert!(!are(b"account=a&account=a"));
        assert!(!are(b"account=a&deed=x&deed=y"));
        assert!(!are(b"account=a&other=x"));
        let fields = Fields::parse(b"account=a&deed=x&account=b").unwrap();
        assert_eq!(Vec::from_iter(fields.all("account")), ["a", "b"]);
        assert_eq!(fields.all("other").count(), 0);
    }

    #[test]
    fn a_field_that_is_there_twice_is_not_there() {
        let fields = Fields::parse(b"role=member&role=master").unwrap();
        assert_eq!(fields.get("role"), None);
        assert!(!fields.are_only(&["role"]));
        assert!(
            Fields::parse(b"role=member")
                .unwrap()
                .are_only(&["role", "email"])
        );
        assert!(
            !Fields::parse(b"role=member&admin=1")
                .unwrap()
                .are_only(&["role"])
        );
    }
}
