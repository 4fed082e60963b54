//! `multipart/form-data` (RFC 7578), read strictly: what browsers send when a form holds a file, and nothing else.
//! Pure. What two readers could cut differently is refused whole.

/// The most parts any form of ours has, with room.
const PARTS_MAX: usize = 16;
/// The most bytes of the lines in front of a part's content.
const HEAD_MAX: usize = 1_024;
/// RFC 2046, 5.1.1.
const BOUNDARY_MAX: usize = 70;

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'b> {
    /// The field's name.
    pub name: String,
    /// What the file is called; none for a field that was typed. A browser sends an empty one where no file was chosen.
    pub file: Option<String>,
    /// The content, as sent.
    pub bytes: &'b [u8],
}

/// The boundary that a Content-Type names, where it is that of a form with files.
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    let mut parts = content_type
        .split(';')
        .map(|part| part.trim_matches([' ', '\t']));
    if !parts.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (Some(parameter), None) = (parts.next(), parts.next()) else {
        return None;
    };
    let (name, value) = parameter.split_once('=')?;
    let bare = value
        .strip_prefix('"')
        .map_or(Some(value), |rest| rest.strip_suffix('"'))?;
    let is_good = name.eq_ignore_ascii_case("boundary")
        && (1..=BOUNDARY_MAX).contains(&bare.len())
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte));
    is_good.then_some(bare)
}

/// The parts of a body, in order; none for what no browser sends: text around them, a part without a name, a part of
/// parts, other headers than a browser's, or more than 16 parts.
#[must_use]
pub fn parse<'b>(content_type: &str, body: &'b [u8]) -> Option<Vec<Part<'b>>> {
    let fence = format!("--{}", boundary(content_type)?).into_bytes();
    let inner_fence = [b"\r\n", fence.as_slice()].concat();
    let mut parts = Vec::new();
    let mut rest = body.strip_prefix(fence.as_slice())?;
    loop {
        if let Some(after) = rest.strip_prefix(b"--") {
            let is_end = after.is_empty() || after == b"\r\n";
            return (is_end && !parts.is_empty()).then_some(parts);
        }
        if parts.len() >= PARTS_MAX {
            return None;
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let head_end = find(rest.get(..HEAD_MAX.min(rest.len()))?, b"\r\n\r\n")?;
        let (head, content) = rest.split_at_checked(head_end)?;
        let content = content.get(4..)?;
        // The line break before the fence is the fence's own, and the content may be empty.
        let end = find(content, &inner_fence)?;
        let (name, file) = part_head(head)?;
        parts.push(Part {
            name,
            file,
            bytes: content.get(..end)?,
        });
        rest = content.get(end + inner_fence.len()..)?;
    }
}

/// The name and the file's name, from the lines in front of a part.
fn part_head(head: &[u8]) -> Option<(String, Option<String>)> {
    let mut found = None;
    for line in std::str::from_utf8(head).ok()?.split("\r\n") {
        if line.chars().any(char::is_control) {
            return None;
        }
        let (name, value) = line.split_once(':')?;
        let value = value.trim_matches([' ', '\t']);
        if name.eq_ignore_ascii_case("content-disposition") && found.is_none() {
            found = Some(disposition(value)?);
        } else if name.eq_ignore_ascii_case("content-type") {
            // Parts within a part could be cut differently, and a charset would be another way to write the same.
            let kind = value.to_ascii_lowercase();
            if kind.starts_with("multipart") || kind.starts_with("message") {
                return None;
            }
        } else {
            return None;
        }
    }
    found
}

/// `form-data; name="list"; filename="people.csv"`, each at most once, each in quotes.
fn disposition(value: &str) -> Option<(String, Option<String>)> {
    let mut rest = value.strip_prefix("form-data")?;
    let (mut name, mut file) = (None, None);
    while !rest.is_empty() {
        rest = rest.strip_prefix(';')?.trim_start_matches(' ');
        let (key, after) = rest.split_once("=\"")?;
        let (text, after) = after.split_once('"')?;
        rest = after;
        let place = match key {
            "name" => &mut name,
            "filename" => &mut file,
            _ => return None,
        };
        if place.replace(text.to_owned()).is_some() {
            return None;
        }
    }
    Some((name.filter(|name| !name.is_empty())?, file))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=X";

    fn part(head: &str, content: &str) -> String {
        format!("--X\r\n{head}\r\n\r\n{content}\r\n")
    }

    fn named(name: &str) -> String {
        format!("Content-Disposition: form-data; name=\"{name}\"")
    }

    #[test]
    fn a_form_with_a_file_reads_as_a_browser_sent_it() {
        let body = format!(
            "{}{}{}--X--\r\n",
            part(&named("csrf"), "t0ken"),
            part(&named("list"), "a@x.example\r\nb@x.example\r\n"),
            part(
                "Content-Disposition: form-data; name=\"file\"; filename=\"L\u{e9}a's people.csv\"\r\nContent-Type: text/csv",
                ""
            )
        );
        let parts = parse(TYPE, body.as_bytes()).unwrap();
        let read: Vec<(&str, Option<&str>, &[u8])> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.file.as_deref(), part.bytes))
            .collect();
        assert_eq!(
            read,
            [
                ("csrf", None, &b"t0ken"[..]),
                ("list", None, b"a@x.example\r\nb@x.example\r\n"),
                ("file", Some("L\u{e9}a's people.csv"), b""),
            ]
        );
        let bare = body.strip_suffix("\r\n").unwrap();
        assert_eq!(parse(TYPE, bare.as_bytes()).unwrap(), parts);
    }

    #[test]
    fn only_one_plain_boundary_is_one() {
        for (kind, found) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data;boundary=\"a.b\"", Some("a.b")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"\"", None),
            ("multipart/form-data; boundary=\"a", None),
            ("multipart/form-data; boundary=a b", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/form-data; boundary=a; charset=utf-8", None),
            ("multipart/form-data; charset=utf-8", None),
            ("multipart/mixed; boundary=a", None),
            ("application/x-www-form-urlencoded", None),
        ] {
            assert_eq!(boundary(kind), found, "{kind}");
        }
        let long = "b".repeat(70);
        assert!(boundary(&format!("multipart/form-data; boundary={long}")).is_some());
        assert!(boundary(&format!("multipart/form-data; boundary={long}b")).is_none());
    }

    #[test]
    fn what_no_browser_sends_is_refused_whole() {
        let good = part(&named("list"), "a");
        for (wrong, body) in [
            ("nothing", String::new()),
            ("no part", "--X--\r\n".to_owned()),
            ("text before", format!("hello\r\n{good}--X--")),
            ("text after", format!("{good}--X--\r\nmore")),
            (
                "cut off in the content",
                "--X\r\n".to_owned() + &named("a") + "\r\n\r\nabc",
            ),
            (
                "cut off in the head",
                "--X\r\nContent-Disposition: form".to_owned(),
            ),
            ("cut off before the end", good.clone()),
            ("an end of another", format!("{good}--Y--\r\n")),
            (
                "a fence with a tail",
                format!("{}--Xy--\r\n", part(&named("a"), "1")),
            ),
            (
                "bare line feeds",
                format!("{good}--X--\r\n").replace("\r\n", "\n"),
            ),
            (
                "no name",
                format!("{}--X--", part("Content-Disposition: form-data", "a")),
            ),
            ("an empty name", format!("{}--X--", part(&named(""), "a"))),
            (
                "no disposition",
                format!("{}--X--", part("Content-Type: text/csv", "a")),
            ),
            (
                "two names",
                format!("{}--X--", part(&(named("a") + "; name=\"b\""), "a")),
            ),
            (
                "two dispositions",
                format!(
                    "{}--X--",
                    part(&format!("{}\r\n{}", named("a"), named("b")), "a")
                ),
            ),
            (
                "a name without quotes",
                format!(
                    "{}--X--",
                    part("Content-Disposition: form-data; name=a", "a")
                ),
            ),
            (
                "a name in another way",
                format!("{}--X--", part(&(named("a") + "; filename*=UTF-8''x"), "a")),
            ),
            (
                "an attachment",
                format!(
                    "{}--X--",
                    part("Content-Disposition: attachment; name=\"a\"", "a")
                ),
            ),
            (
                "another header",
                format!(
                    "{}--X--",
                    part(
                        &(named("a") + "\r\nContent-Transfer-Encoding: base64"),
                        "YQ=="
                    )
                ),
            ),
            (
                "a folded header",
                format!(
                    "{}--X--",
                    part("Content-Disposition: form-data;\r\n name=\"a\"", "a")
                ),
            ),
            (
                "parts in a part",
                format!(
                    "{}--X--",
                    part(
                        &(named("a") + "\r\nContent-Type: multipart/mixed; boundary=Y"),
                        "--Y--"
                    )
                ),
            ),
            (
                "a control in a name",
                format!("{}--X--", part(&named("a\u{0}b"), "a")),
            ),
            (
                "a head without end",
                format!("{}--X--", part(&named(&"a".repeat(2_000)), "a")),
            ),
            ("too many parts", good.repeat(17) + "--X--\r\n"),
        ] {
            assert_eq!(parse(TYPE, body.as_bytes()), None, "{wrong}");
        }
        assert!(parse(TYPE, (good.repeat(16) + "--X--\r\n").as_bytes()).is_some());
        let mut bad = format!("{}--X--", part(&named("a"), "1")).into_bytes();
        bad[45] = 0xff;
        assert_eq!(parse(TYPE, &bad), None, "a name that is no UTF-8");
    }

    #[test]
    fn a_fence_within_the_content_ends_it() {
        let body = part(&named("list"), "a\r\n--X\r\nb") + "--X--\r\n";
        assert_eq!(parse(TYPE, body.as_bytes()), None);
        let body = part(&named("list"), "a--X\r\nb\r\n-X-") + "--X--\r\n";
        let parts = parse(TYPE, body.as_bytes()).unwrap();
        assert_eq!(parts[0].bytes, b"a--X\r\nb\r\n-X-");
    }

    proptest! {
        #[test]
        fn content_comes_out_as_it_went_in(contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..6)) {
            let contents: Vec<Vec<u8>> = contents.into_iter().filter(|bytes| find(bytes, b"\r\n--X").is_none()).collect();
            prop_assume!(!contents.is_empty());
            let mut body = Vec::new();
            for (at, content) in contents.iter().enumerate() {
                body.extend_from_slice(format!("--X\r\n{}\r\n\r\n", named(&format!("f{at}"))).as_bytes());
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--X--\r\n");
            let parts = parse(TYPE, &body).unwrap();
            prop_assert_eq!(parts.iter().map(|part| part.bytes.to_vec()).collect::<Vec<_>>(), contents);
        }

        #[test]
        fn no_bytes_make_it_panic(noise in prop::collection::vec(prop::sample::select(b"--X\r\n:;=\" name form-data Content-Disposition\xff\x00".to_vec()), 0..400)) {
            let body = [b"--X\r\n".as_slice(), &noise].concat();
            drop(parse(TYPE, &body));
        }
    }
}
