//! A mail as its reader has it: the headers and both parts of what came over the wire. Written from RFC 2045 and
//! 2047, for what mail programs make of our messages; it shares no code with what writes them.

use data_encoding::BASE64;

/// A message, taken apart.
#[derive(Debug)]
pub(crate) struct Letter {
    headers: Vec<(String, String)>,
    /// The plain part.
    pub(crate) text: String,
    /// The HTML part.
    pub(crate) html: String,
}

impl Letter {
    /// Takes a message apart; the test fails if it is not one of two parts.
    #[track_caller]
    pub(crate) fn read(message: &str) -> Self {
        let (head, body) = halves(message);
        let headers = headers(head);
        let kind = find(&headers, "content-type").to_owned();
        let (_, boundary) = kind.split_once("boundary=").expect("it has no parts");
        let boundary = boundary.split(';').next().unwrap().trim_matches('"');
        let border = format!("--{boundary}");
        let mut parts = body
            .split(&border)
            .skip(1)
            .filter(|part| !part.starts_with("--"))
            .map(|part| part.trim_start_matches("\r\n"))
            .map(|part| part.strip_suffix("\r\n").unwrap_or(part));
        let text = part(parts.next().unwrap(), "text/plain");
        let html = part(parts.next().unwrap(), "text/html");
        assert_eq!(parts.next(), None, "it has more than two parts");
        Self {
            headers,
            text,
            html,
        }
    }

    /// The value of a header; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        find(&self.headers, name)
    }

    /// The one address of ours that stands on a line of its own.
    #[track_caller]
    pub(crate) fn link(&self) -> String {
        let mut links = self.text.lines().filter(|line| line.starts_with("http"));
        let link = links.next().unwrap_or_else(|| panic!("no link: {self:?}"));
        assert_eq!(links.next(), None, "more than one link");
        link.trim().to_owned()
    }
}

/// What stands after the host of an address.
pub(crate) fn path_of(link: &str) -> String {
    let (_, after) = link.split_once("://").unwrap();
    format!("/{}", after.split_once('/').unwrap().1)
}

fn halves(text: &str) -> (&str, &str) {
    text.split_once("\r\n\r\n").expect("no end of the headers")
}

fn headers(head: &str) -> Vec<(String, String)> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let lines = unfolded.split("\r\n").filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    lines.collect()
}

fn find<'h>(headers: &'h [(String, String)], name: &str) -> &'h str {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value)
}

fn part(text: &str, kind: &str) -> String {
    let (head, body) = halves(text);
    let headers = headers(head);
    assert!(
        find(&headers, "content-type").starts_with(kind),
        "{headers:?}"
    );
    let bytes = match find(&headers, "content-transfer-encoding") {
        "base64" => BASE64.decode(body.replace("\r\n", "").as_bytes()).unwrap(),
        "quoted-printable" => unquoted(body),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

fn unquoted(body: &str) -> Vec<u8> {
    let joined = body.replace("=\r\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

#[test]
fn a_message_is_taken_apart() {
    let letter = Letter::read(
        "Subject: Long\r\n enough\r\nContent-Type: multipart/alternative;\r\n\tboundary=\"=_x\"\r\n\r\n\
         --=_x\r\nContent-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         Gr=C3=BC=C3=9Fe\r\nhttp://a.example/b/c=3Dd=\r\ne\r\n\
         --=_x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\nPC9iPg==\r\n\
         --=_x--\r\n",
    );
    assert_eq!(letter.header("subject"), "Long enough");
    assert_eq!(letter.link(), "http://a.example/b/c=de");
    assert!(letter.text.starts_with("Grüße\n"));
    assert_eq!(letter.html, "<b></b>");
    assert_eq!(path_of(&letter.link()), "/b/c=de");
}
