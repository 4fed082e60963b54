use std::fs;

use super::*;

fn url(text: &str) -> PublicUrl {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn flags(given: &[(Key, &str)]) -> Flags {
    given.iter().fold(Flags::default(), |flags, (key, text)| {
        flags.with(*key, *text)
    })
}

fn config(given: &[(Key, &str)]) -> Config {
    Config::read(&flags(given), &Surroundings::default()).unwrap()
}

/// All that is wrong, one line each.
fn mistakes(given: &[(Key, &str)], around: &Surroundings) -> String {
    let found = Config::read(&flags(given), around).unwrap_err();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn a_public_url_is_scheme_host_and_port() {
    for (typed, kept) in [
        ("https://portal.example.com", "https://portal.example.com"),
        (
            " HTTPS://Portal.Example.COM/ ",
            "https://portal.example.com",
        ),
        (
            "https://portal.example.com:443",
            "https://portal.example.com",
        ),
        (
            "http://portal.example.com:443",
            "http://portal.example.com:443",
        ),
        ("http://localhost:80", "http://localhost"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://[2001:DB8:0::1]", "https://[2001:db8::1]"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ] {
        assert_eq!(url(typed).to_string(), kept, "{typed}");
    }
    for wrong in [
        "",
        "portal.example.com",
        "ftp://portal.example.com",
        "https://",
        "https:///",
        "https://portal.example.com/portal",
        "https://portal.example.com//",
        "https://portal.example.com?x",
        "https://portal.example.com#x",
        "https://user@portal.example.com",
        "https://user:word@portal.example.com",
        "https://portal.example.com:",
        "https://portal.example.com:0",
        "https://portal.example.com:65536",
        "https://portal.example.com:+80",
        "https://por tal.example.com",
        "https://portal_1.example.com",
        "https://-portal.example.com",
        "https://portal..example.com",
        "https://1.2.3",
        "https://256.1.1.1",
        "https://[::1",
        "https://[::1]x",
        "https://[portal]",
        "https://portal.example.com\r\nX: y",
        "javascript://portal.example.com",
    ] {
        assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong:?} was taken");
    }
}

#[test]
fn only_this_machine_may_use_http() {
    for fine in [
        "https://portal.example.com",
        "http://localhost:8080",
        "http://portal.localhost",
        "http://127.0.0.9",
        "http://[::1]:1",
    ] {
        let config = config(&[(Key::PublicUrl, fine)]);
        assert_eq!(
            config.settings(config.values.listen).warning,
            None,
            "{fine}"
        );
    }
    for open in [
        "http://portal.example.com",
        "http://192.0.2.7:8080",
        "http://[2001:db8::1]",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ] {
        let why = mistakes(&[(Key::PublicUrl, open)], &Surroundings::default());
        assert!(
            why.contains(open) && why.contains("--insecure-http"),
            "{why}"
        );
        let config = config(&[(Key::PublicUrl, open), (Key::InsecureHttp, "true")]);
        assert!(
            config.settings(config.values.listen).warning.is_some(),
            "{open}"
        );
    }
}

#[test]
fn without_a_public_url_the_listen_address_is_it() {
    for (listen, public) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:80", "http://127.0.0.1"),
    ] {
        let settings = config(&[(Key::Listen, listen)]).settings(at(listen));
        assert_eq!(settings.public_url, public);
        assert!(settings.hosts.contains(&"[::1]".to_owned()));
    }
    let why = mistakes(&[(Key::Listen, "192.0.2.7:8080")], &Surroundings::default());
    assert!(why.contains("http://192.0.2.7:8080"), "{why}");
    // A free port is known only once it is taken.
    let settings = config(&[(Key::Listen, "127.0.0.1:0")]).settings(at("127.0.0.1:40123"));
    assert_eq!(settings.public_url, "http://127.0.0.1:40123");
}

#[test]
fn the_hosts_are_the_public_one_and_on_loopback_its_other_names() {
    let hosts = |given: &[(Key, &str)]| {
        let config = config(given);
        config.settings(config.values.listen).hosts
    };
    let local = ["localhost", "127.0.0.1", "[::1]"];
    assert_eq!(
        hosts(&[(Key::PublicUrl, "https://portal.example.com:8443")]),
        ["portal.example.com"]
    );
    for given in [&[][..], &[(Key::PublicUrl, "http://localhost:9000")]] {
        let hosts = hosts(given);
        assert!(
            local
                .iter()
                .all(|name| hosts.iter().any(|host| host == name))
        );
    }
}

#[test]
fn the_sender_defaults_to_the_public_host() {
    let from = |given: &[(Key, &str)]| config(given).settings_beside(None).mail_from;
    assert_eq!(
        from(&[(Key::PublicUrl, "https://portal.example.com")]),
        "portal@portal.example.com"
    );
    assert_eq!(from(&[]), "portal@localhost");
    assert_eq!(
        from(&[(Key::MailFrom, " Halden <it@example.com> ")]),
        "Halden <it@example.com>"
    );
    assert!(parse::sender("it@example.com\r\nBcc: x@example.com").is_err());
}

#[test]
fn a_command_takes_the_address_that_the_server_left() {
    let noted = || Some(url("https://portal.example.com"));
    let settings = config(&[]).settings_beside(noted());
    assert_eq!(settings.public_url, "https://portal.example.com");
    let told = config(&[(Key::PublicUrl, "https://other.example.com")]).settings_beside(noted());
    assert_eq!(told.public_url, "https://other.example.com");
    let neither = config(&[]).settings_beside(None);
    assert_eq!(neither.public_url, "http://127.0.0.1:8080");
}

#[test]
fn times_have_a_unit() {
    for (text, seconds) in [
        ("90s", 90),
        ("30m", 1_800),
        ("2h", 7_200),
        ("1h30m", 5_400),
        (" 3d ", 259_200),
        ("366d", 31_622_400),
    ] {
        assert_eq!(parse::seconds(text), Ok(seconds), "{text}");
    }
    for wrong in [
        "",
        "2",
        "h",
        "2 h",
        "-2h",
        "2w",
        "1.5h",
        "2H",
        "59s",
        "0h",
        "367d",
        "99999999999999999999d",
        "9223372036854775807d",
        "2hx",
        "２h",
    ] {
        assert!(parse::seconds(wrong).is_err(), "{wrong:?} was taken");
    }
}

#[test]
fn proxies_are_networks_or_addresses() {
    for (text, network) in [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.0.2.7", "192.0.2.7/32"),
        (" ::1 ", "::1/128"),
    ] {
        assert_eq!(parse::network(text).unwrap().to_string(), network);
    }
    for wrong in ["", "10.0.0.0/33", "proxy", "*"] {
        assert!(parse::network(wrong).is_err(), "{wrong:?} was taken");
    }
}

#[test]
fn the_relay_comes_from_one_place_and_its_password_from_no_error() {
    const URL: &str = "smtp://ann:secret@mail.example.com";
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "smtps://mail.example.com\n").unwrap();
    let path = file.path().to_str().unwrap();
    let around = Surroundings::default;
    let from = |around: &Surroundings| {
        let config = Config::read(&Flags::default(), around).unwrap();
        config.settings(config.values.listen).relay
    };
    assert_eq!(from(&around()), None);
    assert_eq!(from(&around().with("DOORWARD_SMTP_URL", "")), None);
    let summary = from(&around().with("DOORWARD_SMTP_URL", URL)).unwrap();
    assert!(summary.contains("mail.example.com:587") && !summary.contains("secret"));
    let summary = from(&around().with("DOORWARD_SMTP_URL_FILE", path)).unwrap();
    assert!(
        summary.contains("smtps://mail.example.com:465"),
        "{summary}"
    );

    let both = around()
        .with("DOORWARD_SMTP_URL", URL)
        .with("DOORWARD_SMTP_URL_FILE", path);
    let why = mistakes(&[], &both);
    assert!(why.contains("DOORWARD_SMTP_URL:") && why.contains("DOORWARD_SMTP_URL_FILE"));
    let why = mistakes(
        &[(Key::SmtpUrl, "http://ann:secret@mail.example.com")],
        &around(),
    );
    assert!(
        why.starts_with("--smtp-url") && !why.contains("secret"),
        "{why}"
    );
    let missing = around().with("DOORWARD_SMTP_URL_FILE", "/nowhere/at/all");
    assert!(mistakes(&[], &missing).contains("/nowhere/at/all"));
}
