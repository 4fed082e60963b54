use super::*;
use crate::kit::time::Timestamp;

fn message() -> Message {
    Message {
        id: "errand-7@portal.example.com".to_owned(),
        date: Timestamp(1_764_000_000),
        from: "Our Portal <portal@example.com>".to_owned(),
        to: "ann@example.com".to_owned(),
        subject: "Welcome".to_owned(),
        text: "Hello Ann,\n\nyour link:\nhttps://portal.example.com/activate/x\n".to_owned(),
        html: "<p>Hello Ann</p>\n".to_owned(),
    }
}

fn text(message: &Message) -> String {
    String::from_utf8(wire(message).unwrap()).unwrap()
}

/// Headers as a reader unfolds them.
fn headers(wired: &str) -> Vec<(String, String)> {
    let (head, _) = wired.split_once("\r\n\r\n").unwrap();
    head.replace("\r\n ", " ")
        .replace("\r\n\t", " ")
        .split("\r\n")
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn header(wired: &str, name: &str) -> String {
    let mut found = headers(wired).into_iter().filter(|(n, _)| n == name);
    let (_, value) = found.next().unwrap();
    assert!(found.next().is_none(), "{name} is there twice");
    value
}

#[test]
fn every_header_is_there_once_and_no_other() {
    let wired = text(&message());
    let names: Vec<_> = headers(&wired).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "Date",
            "From",
            "To",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "MIME-Version",
            "Content-Type"
        ]
    );
    assert_eq!(header(&wired, "Date"), "Mon, 24 Nov 2025 16:00:00 +0000");
    assert_eq!(header(&wired, "From"), "Our Portal <portal@example.com>");
    assert_eq!(header(&wired, "To"), "<ann@example.com>");
    assert_eq!(header(&wired, "Subject"), "Welcome");
    assert_eq!(
        header(&wired, "Message-ID"),
        "<errand-7@portal.example.com>"
    );
    assert_eq!(header(&wired, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&wired, "X-Auto-Response-Suppress"), "All");
    assert!(header(&wired, "Content-Type").starts_with("multipart/alternative; boundary=\"=_"));
}

#[test]
fn the_same_message_is_the_same_bytes() {
    assert_eq!(wire(&message()), wire(&message()));
}

#[test]
fn a_sender_with_a_name_that_needs_it_is_quoted_or_encoded() {
    let mut message = message();
    message.from = "Portal, Ltd <portal@example.com>".to_owned();
    assert_eq!(
        header(&text(&message), "From"),
        "\"Portal, Ltd\" <portal@example.com>"
    );
    message.from = "\"Portal, Ltd\" <portal@example.com>".to_owned();
    assert_eq!(
        header(&text(&message), "From"),
        "\"Portal, Ltd\" <portal@example.com>"
    );
    message.from = "Pförtner <portal@example.com>".to_owned();
    let from = header(&text(&message), "From");
    assert!(from.starts_with("=?utf-8?"), "{from}");
    assert!(from.ends_with("?= <portal@example.com>"), "{from}");
}

#[test]
fn a_subject_beyond_ascii_is_encoded() {
    let mut message = message();
    message.subject = "Willkommen bei Bücher & Söhne — 안녕하세요 🌍 ".repeat(8);
    let wired = text(&message);
    assert!(wired.is_ascii());
    assert!(header(&wired, "Subject").starts_with("=?utf-8?"));
}

#[test]
fn a_subject_cannot_smuggle_an_encoded_word() {
    let mut message = message();
    message.subject = "=?utf-8?B?d3d3LmV2aWwuZXhhbXBsZQ==?= invites you".to_owned();
    let wired = text(&message);
    let subject = header(&wired, "Subject");
    assert!(!subject.contains("d3d3LmV2aWwuZXhhbXBsZQ"), "{subject}");
    let decoded: Vec<u8> = subject
        .split(' ')
        .flat_map(|word| {
            let inner = word
                .strip_prefix("=?utf-8?B?")
                .unwrap()
                .strip_suffix("?=")
                .unwrap();
            assert!(word.len() <= 75);
            BASE64.decode(inner.as_bytes()).unwrap()
        })
        .collect();
    assert_eq!(String::from_utf8(decoded).unwrap(), message.subject);
}

#[test]
fn no_line_is_longer_than_998_and_every_line_end_is_whole() {
    let mut message = message();
    message.text = format!(
        "{}\n.\n..\n{}\n.hidden",
        "x".repeat(2_000),
        "ä€🌍".repeat(1_000)
    );
    message.html = format!("<p>{}</p>", "y ".repeat(2_000));
    message.subject = "s".repeat(2_000);
    message.from = format!("{} <portal@example.com>", "n".repeat(190));
    let wired = text(&message);
    assert!(wired.is_ascii());
    assert!(wired.split("\r\n").all(|line| line.len() <= 998));
    assert!(!wired.replace("\r\n", "").contains(['\r', '\n']));
}

#[test]
fn lone_line_ends_and_control_characters_do_not_survive_in_texts() {
    assert_eq!(
        lines("a\rb\nc\r\nd\r\r\ne\0\x1b\x7f\u{85}\tf"),
        "a\r\nb\r\nc\r\nd\r\n\r\ne\tf"
    );
}

#[test]
fn no_field_can_add_a_header() {
    let spoil: [fn(&mut Message, &str); 4] = [
        |message, evil| message.id.insert_str(3, evil),
        |message, evil| message.from.insert_str(3, evil),
        |message, evil| message.to.insert_str(3, evil),
        |message, evil| message.subject.insert_str(3, evil),
    ];
    for evil in [
        "\r\nBcc: eve@example.com",
        "\nBcc: eve@example.com",
        "\rx",
        "\r\n\r\n<p>",
        "\0",
        "\u{85}",
    ] {
        for spoil in spoil {
            let mut message = message();
            spoil(&mut message, evil);
            assert!(wire(&message).is_err(), "{message:?}");
        }
    }
    let mut message = message();
    message.text = "\r\nBcc: eve@example.com\r\n\r\n.\r\nMAIL FROM:<eve@example.com>".to_owned();
    let wired = text(&message);
    assert!(headers(&wired).iter().all(|(name, _)| name != "Bcc"));
}

#[test]
fn a_message_id_is_one_word_with_an_at_sign() {
    for bad in [
        "", "x", "@x", "x@", "x@y@z", "x y@z", "<x@y>", "x@y>", "ä@y",
    ] {
        let mut message = message();
        message.id = bad.to_owned();
        assert!(wire(&message).is_err(), "{bad:?}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_stays_one_clean_message(
        subject in "\\PC{0,200}",
        body in "(?s).{0,400}",
        markup in "(?s).{0,400}",
    ) {
        let mut message = message();
        message.subject = subject;
        message.text = body;
        message.html = markup;
        let wired = text(&message);
        proptest::prop_assert!(wired.is_ascii());
        proptest::prop_assert!(wired.split("\r\n").all(|line| line.len() <= 998));
        proptest::prop_assert!(!wired.replace("\r\n", "").contains(['\r', '\n', '\0']));
        proptest::prop_assert_eq!(headers(&wired).len(), 9);
        proptest::prop_assert_eq!(wired.matches(&format!("--{}\r\n", boundary(&message))).count(), 2);
    }
}
