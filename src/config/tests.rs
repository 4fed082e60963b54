use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::sources::Origin;
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

/// A place for files, with what surrounds a process that looks for its configuration file there.
struct Desk {
    folder: TempDir,
    around: Surroundings,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let around = Surroundings::default().with_file(&folder.path().join("doorward.toml"));
        Self { folder, around }
    }

    /// With this configuration file.
    fn toml(text: impl AsRef<[u8]>) -> Self {
        let desk = Self::new();
        desk.write("doorward.toml", text);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn set(&mut self, name: &str, value: &str) {
        self.around = std::mem::take(&mut self.around).with(name, value);
    }

    fn read(&self, given: &[(Key, &str)]) -> Result<Config, Vec<Mistake>> {
        Config::read(&flags(given), &self.around)
    }

    /// All that is wrong, a line each, without the folder's name.
    #[track_caller]
    fn mistakes(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        let mistakes = self.read(&[]).unwrap_err();
        let lines = mistakes.iter().map(ToString::to_string);
        lines.map(|line| line.replace(&folder, "")).collect()
    }
}

/// A setting as the file has it.
fn line(key: Key, text: &str) -> String {
    let value = match key.spec().kind {
        keys::Kind::Number | keys::Kind::Switch => text.to_owned(),
        _ => format!("'{text}'"),
    };
    format!("{} = {value}\n", key.name())
}

/// One that stands in no file by chance, and is wrong where anything can be.
fn nonsense(key: Key) -> &'static str {
    match key.spec().kind {
        keys::Kind::Switch => "false",
        keys::Kind::Number => "0",
        _ => "?",
    }
}

/// What must be said beside it.
fn company(key: Key) -> Option<(Key, &'static str)> {
    match key {
        Key::TlsCert => Some((Key::TlsKey, "key.pem")),
        Key::TlsKey => Some((Key::TlsCert, "cert.pem")),
        _ => None,
    }
}

#[test]
fn each_source_wins_over_those_below() {
    let mut tried = 0;
    for key in Key::ALL {
        let example = key.spec().example;
        let beside: Vec<_> = company(key).into_iter().collect();
        // From the strongest to the weakest: the winner says something right, and all below it nonsense.
        for winner in 0..5 {
            let said = |level: usize| match level.cmp(&winner) {
                std::cmp::Ordering::Less => None,
                std::cmp::Ordering::Equal => Some(example),
                std::cmp::Ordering::Greater => Some(nonsense(key)),
            };
            let mut desk = Desk::new();
            let mut given = beside.clone();
            let mut expected = example.to_owned();
            if let Some(text) = said(0).filter(|_| key.has_flag()) {
                given.push((key, text));
            } else if winner == 0 {
                continue;
            }
            // Variable and file together are a mistake, so each is tried without the other.
            if let Some(text) = said(1).filter(|_| winner <= 1) {
                desk.set(&key.variable(), text);
            } else if let Some(text) = said(2) {
                match key.file_variable() {
                    Some(variable) => {
                        let file = desk.write("value", format!("{text}\n"));
                        desk.set(&variable, &file);
                    }
                    None if winner == 2 => continue,
                    None => {}
                }
            }
            if let Some(text) = said(3) {
                let name = match key {
                    Key::SecretKeyFile => "secret_key",
                    _ => key.name(),
                };
                let file = desk.write(&format!("credentials/{name}"), format!("{text}\n"));
                if winner == 3 && key.spec().kind == keys::Kind::Path {
                    expected = file;
                }
                let folder = desk.path("credentials");
                desk.set("CREDENTIALS_DIRECTORY", folder.to_str().unwrap());
            }
            if let Some(text) = said(4) {
                desk.write("doorward.toml", line(key, text));
            }
            let config = desk
                .read(&given)
                .unwrap_or_else(|why| panic!("{key:?} by {winner}: {why:?}"));
            let found = &config.found[&key];
            let origin = match &found.origin {
                Origin::Flag => 0,
                Origin::Variable => 1,
                Origin::File(_) => 2,
                Origin::Credential(_) => 3,
                Origin::Toml { line: 1, .. } => 4,
                Origin::Toml { .. } => panic!("{found:?}"),
            };
            assert_eq!(
                (origin, &found.text),
                (winner, &expected),
                "{key:?} by {winner}"
            );
            tried += 1;
        }
        let config = config(&[]);
        assert!(!config.found.contains_key(&key));
        assert_eq!(config.text(key), key.spec().default, "{key:?}");
    }
    // All have variable, credential and line; one has no flag, and only two a file.
    assert_eq!(tried, Key::ALL.len() * 3 + (Key::ALL.len() - 1) + 2);
}

#[test]
fn the_reference_is_a_configuration_whatever_is_taken_into_use() {
    let text = reference(&Flags::default());
    let config = Desk::toml(&text).read(&[]).unwrap();
    assert!(
        config.found.is_empty(),
        "it sets something: {:?}",
        config.found
    );
    let setting = |line: &'_ str| {
        let bare = line.strip_prefix('#').filter(|bare| !bare.is_empty());
        bare.filter(|bare| !bare.starts_with(' '))
            .map(str::to_owned)
    };
    assert_eq!(text.lines().filter_map(setting).count(), Key::ALL.len());
    let used = text
        .lines()
        .map(|line| setting(line).unwrap_or_else(|| line.to_owned()));
    let used: Vec<String> = used.map(|line| line + "\n").collect();
    let config = Desk::toml(used.concat()).read(&[]).unwrap();
    for key in Key::ALL {
        let spec = key.spec();
        let kept = &config.found[&key].text;
        assert_eq!(kept, spec.default.unwrap_or(spec.example), "{key:?}");
        assert!(text.contains(&key.variable()), "{key:?}");
        assert!(!key.has_flag() || text.contains(&format!("--{}", key.flag())));
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn the_reference_sets_what_is_given_as_flags() {
    let given = [
        (Key::Data, "/srv/\"odd\\ name\"\t"),
        (Key::InsecureHttp, "true"),
        (Key::TrustedProxies, "10.0.0.0/8, ::1"),
        (Key::BackupKeep, "30"),
        (Key::BrandingName, "Halden Wörks"),
    ];
    let text = reference(&flags(&given));
    assert!(text.contains("\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n"));
    assert!(text.contains("\nbackup_keep = 30\n") && text.contains("\ninsecure_http = true\n"));
    let config = Desk::toml(&text).read(&[]).unwrap();
    assert_eq!(config.found.len(), given.len());
    for (key, given) in given {
        assert_eq!(config.found[&key].text, given.replace(", ", ","), "{key:?}");
    }
}

#[test]
fn every_mistake_of_a_file_is_named_with_its_line() {
    for (text, expected) in [
        (
            "listen = 8080\n",
            &["1: listen is a text, in quotes, like \"[::1]:8080\""][..],
        ),
        (
            "backup_keep = \"7\"\nbackup_keep = 8\n",
            &[
                "1: backup_keep is a whole number, without quotes, like 30",
                "2: this key is here for the second time; keep one of them",
            ],
        ),
        (
            "\n\ninsecure_http = \"true\"\r\ntrusted_proxies = [1]\n",
            &[
                "3: insecure_http is true or false, without quotes",
                "4: trusted_proxies is a list of texts, like [\"10.0.0.0/8\", \"::1\"]",
            ],
        ),
        (
            "smtp_ulr = \"x\"\nlog_level = \"loud\"\nfrobnicate = 1\n",
            &[
                "1: unknown key `smtp_ulr`, did you mean `smtp_url`?",
                "2: log_level: it is one of error, warn, info, debug, trace",
                "3: unknown key `frobnicate`; `doorward config reference` lists all that there are",
            ],
        ),
        (
            "brand = \"x\"\n[branding]\nnmae = \"x\"\nlisten = \"[::1]:1\"\n[server]\nport = 1\n",
            &[
                "1: unknown key `brand`, did you mean `branding.name`?",
                "3: unknown key `branding.nmae`, did you mean `branding.name`?",
                "4: listen is not in [branding]; move it above the first line in square brackets",
                "5: unknown section [server]; `doorward config reference` lists all that there are",
            ],
        ),
        (
            "branding = \"x\"\n[listen]\nport = 1\n",
            &[
                "1: branding is a section; write [branding], and name = … below it",
                "2: listen is a text, in quotes, like \"[::1]:8080\"",
            ],
        ),
        (
            "listen \"[::1]:1\"\nsession_idle = \"2h\nsession_max: \"2h\"\ntls_cert = x\ntls_key = \"y\"\nport = 1\n",
            &[
                "1: this is no TOML (key with no value, expected `=`); a line is written as  key = \"value\"",
                "2: this is no TOML (invalid basic string, expected `\"`); a line is written as  key = \"value\"",
                "3: this is no TOML (key with no value, expected `=`); a line is written as  key = \"value\"",
                "4: this is no TOML (string values must be quoted, expected literal string); a line is written as  \
                 key = \"value\"",
                "6: unknown key `port`; `doorward config reference` lists all that there are",
            ],
        ),
        (
            "smtp_url = \"a\"\n\"smtp://ann:hidden@mail.example.com\" = 1\n",
            &[
                "1: smtp_url: The mail relay is written as smtps://user:password@mail.example.com for TLS from the \
                 start, or as smtp://user:password@mail.example.com for STARTTLS.",
                "2: unknown key; `doorward config reference` lists all that there are",
            ],
        ),
    ] {
        let expected: Vec<_> = expected
            .iter()
            .map(|line| format!("doorward.toml:{line}"))
            .collect();
        assert_eq!(Desk::toml(text).mistakes(), expected, "{text}");
    }
}

#[test]
fn a_file_may_be_written_on_any_system_and_an_empty_text_is_nothing() {
    let desk = Desk::toml(
        "\u{feff}listen = \"[::1]:1\"\r\nsmtp_url = \"\"\r\nlog_level = \" \"\r\nbackup_keep = 0x1E\r\n[branding]\r\nname = \"Häll\"\r\n",
    );
    let config = desk.read(&[]).unwrap();
    assert_eq!(config.values.listen, at("[::1]:1"));
    assert_eq!(config.values.backups.keep, 30);
    assert_eq!(config.values.brand, "Häll");
    assert!(config.values.relay.is_none() && config.text(Key::SmtpUrl).is_none());
    assert_eq!(config.text(Key::LogLevel), Some("info"));
    let origin = &config.found[&Key::BrandingName].origin;
    let path = desk.path("doorward.toml");
    assert_eq!(origin, &Origin::Toml { path, line: 6 });
    // What is empty is said all the same: it takes back what is said below.
    let desk = Desk::toml("smtp_url = \"smtp://mail.example.com\"\n");
    assert!(desk.read(&[]).unwrap().values.relay.is_some());
    assert!(
        desk.read(&[(Key::SmtpUrl, "")])
            .unwrap()
            .values
            .relay
            .is_none()
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_what_to_do() {
    assert!(Desk::new().read(&[]).unwrap().file.is_none());
    let desk = Desk::toml(b"listen = \"[::1]:1\"\nmail_from = \"\xff\"\n");
    assert_eq!(
        desk.mistakes(),
        ["doorward.toml:2: this line is not UTF-8; save the file as UTF-8"]
    );
    let desk = Desk::new();
    fs::create_dir(desk.path("doorward.toml")).unwrap();
    assert_eq!(
        desk.mistakes(),
        ["the configuration file doorward.toml: it is a folder; put a file in its place"]
    );
    let mut desk = Desk::toml("listen = 1\n");
    let missing = desk.path("missing.toml");
    desk.set("DOORWARD_CONFIG", missing.to_str().unwrap());
    assert_eq!(
        desk.mistakes(),
        [
            "the configuration file missing.toml (named by DOORWARD_CONFIG): there is no such file; make it, or name \
             another"
        ]
    );
    // The flag wins over the variable here too.
    let named = Flags {
        config: Some(desk.path("doorward.toml")),
        ..Flags::default()
    };
    let why = Config::read(&named, &desk.around).unwrap_err();
    assert!(why[0].to_string().contains("doorward.toml:1: listen"));
    let large = Desk::toml(vec![b'#'; (1 << 20) + 1]);
    assert!(large.mistakes()[0].contains("larger than 1024 KiB"));
}

#[test]
fn a_secret_stands_in_no_mistake_however_its_line_is_broken() {
    const SECRET: &str = "Hidden";
    let mut refused = 0;
    for line in [
        "smtp_url = \"smtp://ann:Hidden@mail.example.com\"\n",
        "metrics_token = 'Hidden-Hidden-Hidden'\nlisten = 1\n",
        "smtp_url = [\"smtp://ann:Hidden@mail.example.com\"]\n",
        "smtp_url = smtp://ann:Hidden@mail.example.com\n",
        "smtp_url: smtp://ann:Hidden@mail.example.com\n",
        "DOORWARD_SMTP_URL=smtp://ann:Hidden@mail.example.com\n",
        "smtp_url = \"smtp://ann:Hidden@mail.example.com:x?tls=none\"\n",
        "smtp_url = \"smtp://ann:Hidden/Hidden@mail.example.com\"\n",
        "smtp_url = \"smtp://ann:%Hidden@mail.example.com?tls=Hidden\"\n",
        "metrics_token = \"Hidden Hidden Hidden\"\n",
    ] {
        for at in
            (0..=line.len()).filter(|at| !line.split_at(*at).0.ends_with(['H', 'i', 'd', 'e']))
        {
            for put in ["", "\"", "'", "=", "[", "#", "\n", "\\", ":"] {
                let (before, after) = line.split_at(at);
                let broken = format!("{before}{put}{after}");
                let shorter = format!("{before}{put}{}", after.get(1..).unwrap_or(""));
                for text in [broken, shorter] {
                    if let Err(mistakes) = Desk::toml(&text).read(&[]) {
                        refused += 1;
                        let told = format!("{mistakes:?}");
                        assert!(!told.contains(SECRET), "{text}\n{told}");
                    }
                }
            }
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn a_value_in_a_file_of_its_own_is_one_line_and_trimmed() {
    let read = |bytes: &[u8]| {
        let mut desk = Desk::new();
        let file = desk.write("token", bytes);
        desk.set("DOORWARD_METRICS_TOKEN_FILE", &file);
        desk.read(&[])
            .map(|config| config.found[&Key::MetricsToken].text.clone())
            .map_err(|_| desk.mistakes().concat())
    };
    for fine in [
        &b"sixteen-letters!"[..],
        b"sixteen-letters!\n",
        b"\xef\xbb\xbf  sixteen-letters!\r\n\n",
    ] {
        assert_eq!(read(fine).as_deref(), Ok("sixteen-letters!"));
    }
    let place = "DOORWARD_METRICS_TOKEN_FILE ";
    for (bytes, says) in [
        (&b""[..], "it is empty; write the value into it"),
        (b" \n\n", "it is empty; write the value into it"),
        (b"one\ntwo\n", "it holds more than one line of text"),
        (b"sixteen\0letters", "it holds more than one line of text"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"short", "16 or more letters"),
        (&[b'x'; 70_000], "larger than 64 KiB"),
    ] {
        let why = read(bytes).unwrap_err();
        assert!(why.contains(says) && why.starts_with(place), "{why}");
        assert!(!why.contains("short") && !why.contains("two"), "{why}");
    }
    let mut desk = Desk::new();
    let folder = desk.folder.path().to_str().unwrap().to_owned();
    desk.set("DOORWARD_METRICS_TOKEN_FILE", &folder);
    assert!(desk.mistakes()[0].contains("it is a folder"));
    // A credential is read by the same rules.
    let mut desk = Desk::new();
    desk.write("credentials/metrics_token", "");
    let folder = desk.path("credentials");
    desk.set("CREDENTIALS_DIRECTORY", folder.to_str().unwrap());
    assert_eq!(
        desk.mistakes(),
        ["the credential credentials/metrics_token: it is empty; write the value into it"]
    );
}

#[test]
fn credentials_of_another_process_are_taken_where_there_are_none() {
    let mut desk = Desk::new();
    desk.write("service/smtp_url", "smtp://127.0.0.1:25");
    desk.write("own/metrics_token", "a-long-random-word");
    let relay = |desk: &Desk, folder: &str| {
        let around = desk.around.clone().with_credentials(&desk.path(folder));
        let config = Config::read(&flags(&[]), &around).unwrap();
        config.values.relay.is_some()
    };
    assert!(relay(&desk, "service"));
    assert!(!relay(&desk, "none"));
    let own = desk.path("own");
    desk.set("CREDENTIALS_DIRECTORY", own.to_str().unwrap());
    assert!(!relay(&desk, "service"));
}

#[test]
fn a_slip_in_a_variable_is_refused_and_what_platforms_set_passes() {
    for (name, meant) in [
        ("DOORWARD_SMTP_ULR", "DOORWARD_SMTP_URL"),
        ("DOORWARD_SMTP_URLFILE", "DOORWARD_SMTP_URL_FILE"),
        ("DOORWARD_PUBLICURL", "DOORWARD_PUBLIC_URL"),
        ("DOORWARD_PUBLIC_URI", "DOORWARD_PUBLIC_URL"),
        ("DOORWARD_TRUSTED_PROXY", "DOORWARD_TRUSTED_PROXIES"),
        ("DOORWARD_LOGLEVEL", "DOORWARD_LOG_LEVEL"),
        ("DOORWARD_DATE", "DOORWARD_DATA"),
        ("DOORWARD_CONFG", "DOORWARD_CONFIG"),
        ("DOORWARD_BRANDING_NAMES", "DOORWARD_BRANDING_NAME"),
    ] {
        let why = mistakes(&[], &Surroundings::default().with(name, "hidden"));
        assert_eq!(
            why,
            format!("{name}: unknown variable, did you mean `{meant}`?")
        );
    }
    let why = mistakes(
        &[],
        &Surroundings::default().with("DOORWARD_LISTEN_FILE", "/x"),
    );
    assert_eq!(
        why,
        "DOORWARD_LISTEN_FILE: only a secret is read from a file; give the value itself in DOORWARD_LISTEN"
    );
    let mut strangers = vec![
        "DOORWARD_PORT",
        "DOORWARD_PORT_8080_TCP",
        "DOORWARD_PORT_8080_TCP_ADDR",
        "DOORWARD_PORT_8080_TCP_PORT",
        "DOORWARD_PORT_8080_TCP_PROTO",
        "DOORWARD_SERVICE_HOST",
        "DOORWARD_SERVICE_PORT",
        "DOORWARD_SERVICE_PORT_HTTP",
        // Of services called doorward-tls, doorward-smtp and doorward-metrics.
        "DOORWARD_TLS_PORT",
        "DOORWARD_TLS_SERVICE_HOST",
        "DOORWARD_SMTP_PORT",
        "DOORWARD_METRICS_PORT",
        "DOORWARD_METRICS_PORT_9464_TCP",
        "DOORWARD_CRASH_ROUNDS",
        "DOORWARD_VERSION",
    ];
    let around = strangers
        .iter()
        .fold(Surroundings::default(), |around, name| {
            around.with(name, "x")
        })
        .with("DOORWARD_SMTP_ULR", "")
        .with("DOORWARDEN", "x")
        .with("doorward_listen", "x");
    let config = Config::read(&Flags::default(), &around).unwrap();
    strangers.sort_unstable();
    assert_eq!(config.strangers, strangers);
    assert_eq!(config.warnings().len(), strangers.len());
}

#[test]
fn what_cannot_work_together_is_refused_and_all_of_it_at_once() {
    let why = mistakes(
        &[
            (Key::Listen, "0.0.0.0:8080"),
            (Key::MetricsListen, "127.0.0.1:8080"),
            (Key::Data, "x/data"),
            (Key::BackupDir, "./x/data/"),
            (Key::PublicUrl, "http://portal.example.com"),
            (Key::TlsCert, "cert.pem"),
            (Key::BackupTime, "25:00"),
        ],
        &Surroundings::default().with("DOORWARD_SESSION_IDLE", "soon"),
    );
    for part in [
        "--metrics-listen: 127.0.0.1:8080 is where the Portal listens; choose another port",
        "--backup-dir: it is the data folder itself; name another, or one in it, such as backups",
        "--tls-cert: it needs --tls-key too",
        "--backup-time: write a time of day",
        "DOORWARD_SESSION_IDLE: write a time",
    ] {
        assert!(why.contains(part), "{part}\n{why}");
    }
    // Whether the address is in the clear hangs on the certificate, of which nobody knows.
    assert!(!why.contains("--insecure-http"), "{why}");
    assert_eq!(why.lines().count(), 5, "{why}");
    for fine in [
        &[
            (Key::Listen, "127.0.0.1:8080"),
            (Key::MetricsListen, "[::1]:8080"),
        ][..],
        &[
            (Key::Listen, "127.0.0.1:0"),
            (Key::MetricsListen, "127.0.0.1:0"),
        ],
        &[
            (Key::Listen, "127.0.0.1:8080"),
            (Key::MetricsListen, "127.0.0.2:8080"),
        ],
        &[(Key::Data, "x"), (Key::BackupDir, "x/backups")],
        &[(Key::Data, "x/data"), (Key::BackupDir, "x")],
        &[(Key::SessionMax, "1h")],
        &[
            (Key::PublicUrl, "https://portal.example.com"),
            (Key::Listen, "0.0.0.0:8080"),
        ],
    ] {
        let read = Config::read(&flags(fine), &Surroundings::default());
        assert!(read.is_ok(), "{fine:?}: {read:?}");
    }
    for clash in [
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("127.0.0.1:80", "0.0.0.0:80"),
        ("[::]:80", "[::1]:80"),
    ] {
        let given = [(Key::Listen, clash.0), (Key::MetricsListen, clash.1)];
        let why = mistakes(&given, &Surroundings::default());
        assert!(why.starts_with("--metrics-listen"), "{clash:?} {why}");
    }
}

#[test]
fn a_secret_in_a_file_that_all_may_read_is_warned_of() {
    let warned = |text: &str, mode: u32| {
        let desk = Desk::toml(text);
        let path = desk.path("doorward.toml");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let config = desk.read(&[]).unwrap();
        config
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect::<String>()
    };
    let secret = "metrics_token = \"hidden-hidden-hidden\"\n";
    let warning = warned(secret, 0o644);
    assert!(
        warning.contains("chmod o-r") && !warning.contains("hidden"),
        "{warning}"
    );
    assert_eq!(warned(secret, 0o640), "");
    assert_eq!(warned("listen = \"[::1]:1\"\n", 0o644), "");
    assert_eq!(warned("smtp_url = \"\"\n", 0o644), "");
}

#[test]
fn what_is_shown_is_what_holds_and_no_secret() {
    let mut desk = Desk::toml("log_level = \"debug\"\nbackup_dir = \"/mnt/b\"\n");
    let file = desk.write("relay", "smtp://ann:hidden@mail.example.com\n");
    desk.set("DOORWARD_SMTP_URL_FILE", &file);
    desk.set("DOORWARD_PUBLIC_URL", "https://portal.example.com/");
    desk.set("STATE_DIRECTORY", "/var/lib/doorward");
    let config = desk.read(&[(Key::Listen, "[::1]:9")]).unwrap();
    let shown = config.shown();
    assert_eq!(shown.len(), Key::ALL.len());
    let [first, second] =
        [1, 2].map(|line| format!("{}:{line}", desk.path("doorward.toml").display()));
    for (key, value, source, place) in [
        (Key::Data, Some("/var/lib/doorward"), "default", None),
        (Key::Listen, Some("[::1]:9"), "flag", Some("--listen")),
        (
            Key::PublicUrl,
            Some("https://portal.example.com/"),
            "variable",
            Some("DOORWARD_PUBLIC_URL"),
        ),
        (Key::SmtpUrl, Some("set"), "file", Some(file.as_str())),
        (
            Key::LogLevel,
            Some("debug"),
            "configuration",
            Some(first.as_str()),
        ),
        (
            Key::BackupDir,
            Some("/mnt/b"),
            "configuration",
            Some(second.as_str()),
        ),
        (
            Key::MailFrom,
            Some("portal@portal.example.com"),
            "default",
            None,
        ),
        (
            Key::SecretKeyFile,
            Some("/var/lib/doorward/secret.key"),
            "default",
            None,
        ),
        (Key::MetricsToken, None, "default", None),
        (Key::TrustedProxies, None, "default", None),
        (Key::SessionMax, Some("24h"), "default", None),
    ] {
        let one = shown.iter().find(|one| one.key == key).unwrap();
        let found = (one.value.as_deref(), one.source, one.place.as_deref());
        assert_eq!(found, (value, source, place), "{key:?}");
    }
    assert!(!format!("{config:?} {shown:?} {:?}", desk.around).contains("hidden"));
}

#[test]
fn the_service_manager_is_who_the_environment_names() {
    let manager = |variables: &[(&str, &str)]| {
        let around = variables
            .iter()
            .fold(Surroundings::default(), |around, (name, value)| {
                around.with(name, value)
            });
        Config::read(&Flags::default(), &around)
            .unwrap()
            .values
            .manager
    };
    let socket = ("NOTIFY_SOCKET", "/run/systemd/notify");
    assert_eq!(manager(&[]), None);
    assert_eq!(manager(&[("WATCHDOG_USEC", "30000000")]), None);
    let named = manager(&[socket]).unwrap();
    assert_eq!(named.socket, socket.1);
    assert_eq!(named.watchdog, None);
    let own = std::process::id().to_string();
    for (pid, is_asked) in [(None, true), (Some(own.as_str()), true), (Some("1"), false)] {
        let mut variables = vec![socket, ("WATCHDOG_USEC", "30000000")];
        variables.extend(pid.map(|pid| ("WATCHDOG_PID", pid)));
        let within = manager(&variables).unwrap().watchdog;
        let half_a_minute = std::time::Duration::from_secs(30);
        assert_eq!(within, is_asked.then_some(half_a_minute), "{pid:?}");
    }
    for nonsense in ["0", "-1", "soon"] {
        let within = manager(&[socket, ("WATCHDOG_USEC", nonsense)]);
        assert_eq!(within.unwrap().watchdog, None, "{nonsense}");
    }
}
