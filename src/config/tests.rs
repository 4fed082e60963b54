use super::*;

fn url(text: &str) -> PublicUrl {
    text.parse().unwrap()
}

fn plan(basics: &Basics, serving: &Serving) -> Plan {
    Plan::new(basics, serving).unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn with_url(text: &str) -> Basics {
    Basics {
        public_url: Some(url(text)),
        ..Basics::default()
    }
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
        let plan = plan(&with_url(fine), &Serving::default());
        assert_eq!(plan.settings(plan.listen).warning, None, "{fine}");
    }
    for open in [
        "http://portal.example.com",
        "http://192.0.2.7:8080",
        "http://[2001:db8::1]",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ] {
        let why = Plan::new(&with_url(open), &Serving::default()).unwrap_err();
        assert!(
            why.contains(open) && why.contains("--insecure-http"),
            "{why}"
        );
        let insecure = Serving {
            insecure_http: Some(true),
            ..Serving::default()
        };
        let plan = plan(&with_url(open), &insecure);
        assert!(plan.settings(plan.listen).warning.is_some(), "{open}");
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
        let serving = Serving {
            listen: Some(at(listen)),
            ..Serving::default()
        };
        let settings = plan(&Basics::default(), &serving).settings(at(listen));
        assert_eq!(settings.public_url, public);
        assert!(settings.hosts.contains(&"[::1]".to_owned()));
    }
    let serving = Serving {
        listen: Some(at("192.0.2.7:8080")),
        ..Serving::default()
    };
    let why = Plan::new(&Basics::default(), &serving).unwrap_err();
    assert!(why.contains("http://192.0.2.7:8080"), "{why}");
    // A free port is known only once it is taken.
    let free = Serving {
        listen: Some(at("127.0.0.1:0")),
        ..Serving::default()
    };
    let settings = plan(&Basics::default(), &free).settings(at("127.0.0.1:40123"));
    assert_eq!(settings.public_url, "http://127.0.0.1:40123");
}

#[test]
fn the_hosts_are_the_public_one_and_on_loopback_its_other_names() {
    let hosts = |basics: &Basics| {
        let plan = plan(basics, &Serving::default());
        plan.settings(plan.listen).hosts
    };
    let local = ["localhost", "127.0.0.1", "[::1]"];
    assert_eq!(
        hosts(&with_url("https://portal.example.com:8443")),
        ["portal.example.com"]
    );
    for basics in [Basics::default(), with_url("http://localhost:9000")] {
        let hosts = hosts(&basics);
        assert!(
            local
                .iter()
                .all(|name| hosts.iter().any(|host| host == name))
        );
    }
}

#[test]
fn the_sender_defaults_to_the_public_host() {
    let from = |basics: &Basics| basics.settings(None).mail_from;
    assert_eq!(
        from(&with_url("https://portal.example.com")),
        "portal@portal.example.com"
    );
    assert_eq!(from(&Basics::default()), "portal@localhost");
    let named = Basics {
        mail_from: Some(parse::sender(" Halden <it@example.com> ").unwrap()),
        ..Basics::default()
    };
    assert_eq!(from(&named), "Halden <it@example.com>");
    assert!(parse::sender("it@example.com\r\nBcc: x@example.com").is_err());
}

#[test]
fn a_command_takes_the_address_that_the_server_left() {
    let noted = || Some(url("https://portal.example.com"));
    let settings = Basics::default().settings(noted());
    assert_eq!(settings.public_url, "https://portal.example.com");
    let told = with_url("https://other.example.com").settings(noted());
    assert_eq!(told.public_url, "https://other.example.com");
    let neither = Basics::default().settings(None);
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
    let url = Some("smtp://ann:secret@mail.example.com".to_owned());
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "smtps://mail.example.com\n").unwrap();
    let file = Some(file.path().to_owned());

    let from = |smtp_url: &Option<String>, smtp_url_file: &Option<PathBuf>| {
        let serving = Serving {
            smtp_url: smtp_url.clone(),
            smtp_url_file: smtp_url_file.clone(),
            ..Serving::default()
        };
        Plan::new(&Basics::default(), &serving).map(|plan| plan.settings(plan.listen).relay)
    };
    assert_eq!(from(&None, &None).unwrap(), None);
    assert_eq!(from(&Some(String::new()), &None).unwrap(), None);
    let summary = from(&url, &None).unwrap().unwrap();
    assert!(summary.contains("mail.example.com:587") && !summary.contains("secret"));
    let summary = from(&None, &file).unwrap().unwrap();
    assert!(
        summary.contains("smtps://mail.example.com:465"),
        "{summary}"
    );

    let why = from(&url, &file).unwrap_err();
    assert!(why.contains("DOORWARD_SMTP_URL)") && why.contains("DOORWARD_SMTP_URL_FILE"));
    let wrong = Some("http://ann:secret@mail.example.com".to_owned());
    let why = from(&wrong, &None).unwrap_err();
    assert!(
        why.starts_with("--smtp-url") && !why.contains("secret"),
        "{why}"
    );
    let missing = Some(PathBuf::from("/nowhere/at/all"));
    assert!(
        from(&None, &missing)
            .unwrap_err()
            .contains("/nowhere/at/all")
    );
}

#[test]
fn the_runtime_folder_is_the_first_of_systemds() {
    assert_eq!(
        parse::first_folder(Some("/run/doorward:/run/other")),
        Some(PathBuf::from("/run/doorward"))
    );
    assert_eq!(parse::first_folder(Some("")), None);
    assert_eq!(parse::first_folder(None), None);
}
