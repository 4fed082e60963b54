//! Cookies: `__Host-`, Secure, HttpOnly and SameSite=Lax over https; without prefix and Secure over http.

use super::request::Request;

/// How cookies are named and marked, which depends on the public address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The public address is https.
    Https,
    /// The public address is http: loopback, or by the operator's own word.
    Http,
}

impl Transport {
    /// The cookie's name on this transport.
    #[must_use]
    pub fn name(self, name: &str) -> String {
        match self {
            Self::Https => format!("__Host-{name}"),
            Self::Http => name.to_owned(),
        }
    }

    /// The value that a request carries; a cookie that is there twice was planted, and counts as absent.
    #[must_use]
    pub fn read<'r>(self, request: &'r Request, name: &str) -> Option<&'r str> {
        request.cookie(&self.name(name))
    }

    /// A `Set-Cookie` value. `seconds`: how long the browser keeps it; none: until it is closed.
    #[must_use]
    pub fn set(self, name: &str, value: &str, seconds: Option<i64>) -> String {
        let mut cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax",
            self.name(name)
        );
        if self == Self::Https {
            cookie.push_str("; Secure");
        }
        if let Some(seconds) = seconds {
            cookie.push_str(&format!("; Max-Age={seconds}"));
        }
        cookie
    }

    /// A `Set-Cookie` value that removes it.
    #[must_use]
    pub fn clear(self, name: &str) -> String {
        self.set(name, "", Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_goes_with_https() {
        assert_eq!(
            Transport::Https.set("session", "x", None),
            "__Host-session=x; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Transport::Http.set("device", "x", Some(60)),
            "device=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
    }
}
