use super::*;

fn parse(url: &str) -> Relay {
    Relay::parse(url).unwrap()
}

#[test]
fn a_url_says_where_and_how() {
    let cases = [
        (
            "smtps://mail.example.com",
            "smtps://mail.example.com:465 (TLS)",
        ),
        (
            "smtps://u:p@mail.example.com:2465",
            "smtps://mail.example.com:2465 (TLS, login)",
        ),
        (
            "smtps://u:p@127.0.0.1:2465",
            "smtps://127.0.0.1:2465 (TLS, login)",
        ),
        (
            "smtp://mail.example.com",
            "smtp://mail.example.com:587 (STARTTLS)",
        ),
        (
            "smtp://mail.example.com/",
            "smtp://mail.example.com:587 (STARTTLS)",
        ),
        (
            "SMTP://u:p@Mail.Example.com:25",
            "smtp://mail.example.com:25 (STARTTLS, login)",
        ),
        ("smtp://localhost:1025", "smtp://localhost:1025 (no TLS)"),
        (
            "smtp://u:p@localhost:1025",
            "smtp://localhost:1025 (no TLS, login)",
        ),
        ("smtp://127.8.9.10", "smtp://127.8.9.10:587 (no TLS)"),
        ("smtp://[::1]:2525", "smtp://[::1]:2525 (no TLS)"),
        ("smtp://[::1]", "smtp://[::1]:587 (no TLS)"),
        (
            "smtp://localhost?tls=starttls",
            "smtp://localhost:587 (STARTTLS)",
        ),
        (
            "smtp://mail.example.com?tls=starttls",
            "smtp://mail.example.com:587 (STARTTLS)",
        ),
        ("smtp://mail.lan:25?tls=none", "smtp://mail.lan:25 (no TLS)"),
        (
            "smtp://mail.lan:25/?tls=none",
            "smtp://mail.lan:25 (no TLS)",
        ),
        (
            "smtp://[fd00::25]:25?tls=none",
            "smtp://[fd00::25]:25 (no TLS)",
        ),
        (
            "smtp://bücher.example",
            "smtp://xn--bcher-kva.example:587 (STARTTLS)",
        ),
    ];
    for (url, summary) in cases {
        assert_eq!(parse(url).summary(), summary, "{url}");
    }
}

#[test]
fn user_and_password_are_percent_decoded() {
    let login = parse("smtps://ann%40example.com:p%2Fs%3A%25+%C3%A4@mail.example.com")
        .login
        .unwrap();
    assert_eq!(login.user, "ann@example.com");
    assert_eq!(login.password.reveal(), "p/s:%+ä");
}

#[test]
fn only_mail_in_clear_over_a_network_is_warned_of() {
    assert!(parse("smtp://mail.lan?tls=none").warning().is_some());
    for url in [
        "smtp://localhost",
        "smtp://localhost?tls=none",
        "smtp://mail.lan",
        "smtps://mail.lan",
    ] {
        assert_eq!(parse(url).warning(), None, "{url}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_write_instead() {
    let cases = [
        ("", "smtps://user:password@"),
        ("mail.example.com", "smtps://user:password@"),
        ("http://mail.example.com", "smtps://user:password@"),
        ("smtp://", "mail.example.com:587"),
        ("smtp://:25", "mail.example.com:587"),
        ("smtp://mail example.com", "mail.example.com:587"),
        ("smtp://mail.example.com:0", "mail.example.com:587"),
        ("smtp://mail.example.com:99999", "mail.example.com:587"),
        ("smtp://mail.example.com:smtp", "mail.example.com:587"),
        ("smtp://::1", "square brackets"),
        ("smtp://[::1", "square brackets"),
        ("smtp://[::1]25", "square brackets"),
        ("smtp://mail.example.com\r\n", ""),
        ("smtp://mail.example.com\r\nQUIT", "mail.example.com:587"),
        ("smtp://user@mail.example.com", "both user and password"),
        ("smtp://user:@mail.example.com", "both user and password"),
        ("smtp://u:p%@mail.example.com", "%25"),
        ("smtp://u:p%zz@mail.example.com", "%25"),
        ("smtp://u:p%0d%0aQUIT@mail.example.com", "%25"),
        ("smtp://u:pa/ss@mail.example.com", "%2F"),
        ("smtp://u:pa?ss@mail.example.com", "%3F"),
        ("smtp://u:pa#ss@mail.example.com", "%23"),
        ("smtp://mail.example.com/inbox", "?tls="),
        ("smtp://mail.example.com#x", "?tls="),
        ("smtp://mail.example.com?tls=maybe", "?tls=none"),
        ("smtp://mail.example.com?tls=none&tls=none", "at most once"),
        ("smtp://mail.example.com?verify=no", "?tls=none"),
        ("smtps://mail.example.com?tls=none", "smtp://"),
        ("smtps://mail.example.com?tls=starttls", "smtp://"),
        ("smtp://u:p@mail.lan?tls=none", "remove ?tls=none"),
        (
            "smtps://mail.example.com?ca=/nowhere/ca.pem",
            "/nowhere/ca.pem",
        ),
    ];
    for (url, hint) in cases {
        match Relay::parse(url) {
            Err(sentence) => {
                assert!(sentence.contains(hint), "{url:?}: {sentence}");
                assert!(sentence.ends_with('.'), "{url:?}: {sentence}");
            }
            // White space around a URL that was read from a file is no mistake.
            Ok(relay) => assert!(hint.is_empty(), "{url:?}: {}", relay.summary()),
        }
    }
}

#[test]
fn the_password_is_in_no_error_and_no_debug_output() {
    for url in [
        "smtp://user:hunter2@mail.example.com:x",
        "smtp://user:hunter2/@mail.example.com",
        "smtp://user:hunter2?@mail.example.com",
        "smtp://user:hunter2%@mail.example.com",
        "smtp://user:hunter2@mail.lan?tls=none",
        "smtp:/user:hunter2@mail.lan",
        "smtp://user:hunter2@mail.lan?hunter2",
        "ftp://user:hunter2@mail.lan",
        "user:hunter2@mail.lan",
    ] {
        let sentence = Relay::parse(url).unwrap_err();
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }
    let relay = parse("smtp://user:hunter2@mail.example.com");
    assert!(!format!("{relay:?} {}", relay.summary()).contains("hunter2"));
}

#[test]
fn a_private_authority_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("our ca.pem");
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["ca.example.com".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    std::fs::write(&file, certificate.pem()).unwrap();
    let place = file.display().to_string().replace(' ', "%20");

    let relay = parse(&format!("smtps://mail.example.com?ca={place}"));
    assert_eq!(
        relay.summary(),
        "smtps://mail.example.com:465 (TLS, own authority)"
    );

    let plain = Relay::parse(&format!("smtp://localhost?ca={place}")).unwrap_err();
    assert!(plain.contains("remove ?ca="), "{plain}");

    std::fs::write(&file, key.serialize_pem()).unwrap();
    let wrong = Relay::parse(&format!("smtps://mail.example.com?ca={place}")).unwrap_err();
    assert!(wrong.contains("BEGIN CERTIFICATE"), "{wrong}");
}
