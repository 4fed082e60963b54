//! Every setting of the host, once: its name in all spellings, what it is for, its default.
//!
//! `public_url` in the file is `--public-url` on the command line and `DOORWARD_PUBLIC_URL` in the environment; one in
//! a section, `[branding] name`, is `--branding-name` and `DOORWARD_BRANDING_NAME`.

/// A setting of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The data folder.
    Data,
    /// The address people type.
    PublicUrl,
    /// The sender of mails.
    MailFrom,
    /// How long an invitation's link lives.
    InvitationTtl,
    /// Where the secret key lies, if not in the data folder.
    SecretKeyFile,
    /// Whether a data folder on a network file system is taken.
    AllowNetworkFs,
    /// Where to listen.
    Listen,
    /// Whether a public address without encryption is served.
    InsecureHttp,
    /// Whose word about addresses is taken.
    TrustedProxies,
    /// The certificate chain.
    TlsCert,
    /// Its private key.
    TlsKey,
    /// The mail relay.
    SmtpUrl,
    /// How long a session lives without a request.
    SessionIdle,
    /// How long a session lives in all.
    SessionMax,
    /// What the Portal is called before sign-in.
    BrandingName,
    /// How much to log.
    LogLevel,
    /// How to log.
    LogFormat,
    /// Which requests to log.
    LogAccess,
    /// Where metrics are served.
    MetricsListen,
    /// What must be known to read the metrics at the public address.
    MetricsToken,
    /// When the nightly backup is made.
    BackupTime,
    /// How many backups are kept.
    BackupKeep,
    /// Where backups are put.
    BackupDir,
    /// How long the audit log is kept.
    AuditKeepDays,
    /// Who sends the invoices.
    BillingIssuer,
    /// How they are paid.
    BillingPayment,
    /// The tax on them.
    BillingTaxRate,
    /// How many days there are to pay.
    BillingDueDays,
}

/// Who takes a setting's flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every command that opens the data folder.
    Everywhere,
    /// The server, and commands that look at it as a whole.
    Server,
}

/// What a setting's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Some text.
    Text,
    /// Some text that may have several lines.
    Lines,
    /// A whole number.
    Number,
    /// A number that may have decimals.
    Decimal,
    /// Yes or no; its flag needs no value.
    Switch,
    /// Several, separated by commas; an array in the file.
    List,
    /// A file. A credential of this name is that file itself.
    Path,
    /// A folder.
    Folder,
    /// Never shown, and also read from a file that its variable with `_FILE` names.
    Secret,
    /// The same, and no flag: what a list of processes shows is no secret.
    FlaglessSecret,
}

/// What there is to know about a setting.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name in the file; one with a dot stands in a section.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Who takes its flag.
    pub reach: Reach,
    /// What stands for the value in the help, as in `TIME`.
    pub value: &'static str,
    /// What it is for, with its unit: the beginning of a sentence, without a full stop.
    pub help: &'static str,
    /// What holds when nobody says otherwise; parsed like any value.
    pub default: Option<&'static str>,
    /// What holds when there is no default, in words.
    pub unset: &'static str,
    /// A value that somebody might write.
    pub example: &'static str,
}

impl Key {
    /// All of them, in the order in which people read about them.
    pub const ALL: [Self; 28] = [
        Self::Data,
        Self::PublicUrl,
        Self::Listen,
        Self::InsecureHttp,
        Self::TrustedProxies,
        Self::TlsCert,
        Self::TlsKey,
        Self::SmtpUrl,
        Self::MailFrom,
        Self::InvitationTtl,
        Self::SessionIdle,
        Self::SessionMax,
        Self::BackupTime,
        Self::BackupKeep,
        Self::BackupDir,
        Self::AuditKeepDays,
        Self::LogLevel,
        Self::LogFormat,
        Self::LogAccess,
        Self::MetricsListen,
        Self::MetricsToken,
        Self::SecretKeyFile,
        Self::AllowNetworkFs,
        Self::BrandingName,
        Self::BillingIssuer,
        Self::BillingPayment,
        Self::BillingTaxRate,
        Self::BillingDueDays,
    ];

    /// What there is to know about it.
    #[must_use]
    pub const fn spec(self) -> Spec {
        match self {
            Self::Data => Spec {
                name: "data",
                kind: Kind::Folder,
                reach: Reach::Everywhere,
                value: "DIR",
                help: "The data folder",
                default: None,
                unset: "./doorward-data, or what systemd names",
                example: "/var/lib/doorward",
            },
            Self::PublicUrl => Spec {
                name: "public_url",
                kind: Kind::Text,
                reach: Reach::Everywhere,
                value: "URL",
                help: "The address people type; links in mails begin with it",
                default: None,
                unset: "http:// and the listen address",
                example: "https://portal.example.com",
            },
            Self::MailFrom => Spec {
                name: "mail_from",
                kind: Kind::Text,
                reach: Reach::Everywhere,
                value: "ADDRESS",
                help: "The sender of mails, exactly as recipients see it",
                default: None,
                unset: "portal@ and the host of the public URL",
                example: "Portal <portal@example.com>",
            },
            Self::InvitationTtl => Spec {
                name: "invitation_ttl",
                kind: Kind::Text,
                reach: Reach::Everywhere,
                value: "TIME",
                help: "How long an invitation's link lives, from 1m to 366d",
                default: Some("24h"),
                unset: "",
                example: "3d",
            },
            Self::SecretKeyFile => Spec {
                name: "secret_key_file",
                kind: Kind::Path,
                reach: Reach::Everywhere,
                value: "FILE",
                help: "Where secret.key lies; the systemd credential secret_key is taken too",
                default: None,
                unset: "secret.key in the data folder, made at the first start",
                example: "/run/secrets/doorward_key",
            },
            Self::AllowNetworkFs => Spec {
                name: "allow_network_fs",
                kind: Kind::Switch,
                reach: Reach::Everywhere,
                value: "BOOL",
                help: "Use a data folder on a network file system, whose locks may not hold and whose file may break",
                default: Some("false"),
                unset: "",
                example: "true",
            },
            Self::Listen => Spec {
                name: "listen",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "ADDRESS:PORT",
                help: "Where to listen; port 0 takes a free one",
                default: Some(super::LISTEN),
                unset: "",
                example: "[::1]:8080",
            },
            Self::InsecureHttp => Spec {
                name: "insecure_http",
                kind: Kind::Switch,
                reach: Reach::Server,
                value: "BOOL",
                help: "Serve a public http:// address that is not loopback, without encryption",
                default: Some("false"),
                unset: "",
                example: "true",
            },
            Self::TrustedProxies => Spec {
                name: "trusted_proxies",
                kind: Kind::List,
                reach: Reach::Server,
                value: "CIDR",
                help: "Networks of proxies whose X-Forwarded-For is believed, separated by commas",
                default: None,
                unset: "none",
                example: "10.0.0.0/8,::1",
            },
            Self::TlsCert => Spec {
                name: "tls_cert",
                kind: Kind::Path,
                reach: Reach::Server,
                value: "FILE",
                help: "The certificate and its chain, PEM, to serve https:// without a proxy; read anew on SIGHUP",
                default: None,
                unset: "a proxy does TLS",
                example: "/etc/doorward/fullchain.pem",
            },
            Self::TlsKey => Spec {
                name: "tls_key",
                kind: Kind::Path,
                reach: Reach::Server,
                value: "FILE",
                help: "The certificate's private key, PEM; read anew on SIGHUP",
                default: None,
                unset: "a proxy does TLS",
                example: "/etc/doorward/privkey.pem",
            },
            Self::SmtpUrl => Spec {
                name: "smtp_url",
                kind: Kind::Secret,
                reach: Reach::Server,
                value: "URL",
                help: "The mail relay: smtp:// (STARTTLS, plain on loopback) or smtps:// (implicit TLS), with or without \
                       user:password@; ?tls=none and ?ca=FILE are understood; read anew on SIGHUP",
                default: None,
                unset: "mail is off and waits",
                example: "smtp://user:password@mail.example.com:587",
            },
            Self::SessionIdle => Spec {
                name: "session_idle",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "TIME",
                help: "How long a session lives without a request, from 1m to 366d",
                default: Some("2h"),
                unset: "",
                example: "30m",
            },
            Self::SessionMax => Spec {
                name: "session_max",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "TIME",
                help: "How long a session lives in all, from 1m to 366d",
                default: Some("24h"),
                unset: "",
                example: "12h",
            },
            Self::BrandingName => Spec {
                name: "branding.name",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "NAME",
                help: "What pages call the Portal before sign-in, up to 100 characters",
                default: Some("Portal"),
                unset: "",
                example: "Halden Works",
            },
            Self::LogLevel => Spec {
                name: "log_level",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "LEVEL",
                help: "How much to log: error, warn, info, debug or trace; read anew on SIGHUP",
                default: Some("info"),
                unset: "",
                example: "debug",
            },
            Self::LogFormat => Spec {
                name: "log_format",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "FORMAT",
                help: "How to log: auto (text on a terminal, JSON elsewhere), text or json",
                default: Some("auto"),
                unset: "",
                example: "json",
            },
            Self::LogAccess => Spec {
                name: "log_access",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "WHICH",
                help: "Which requests to log: all, writes or off; read anew on SIGHUP",
                default: Some("writes"),
                unset: "",
                example: "all",
            },
            Self::MetricsListen => Spec {
                name: "metrics_listen",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "ADDRESS:PORT",
                help: "Where to serve /metrics for Prometheus, without a password",
                default: None,
                unset: "nowhere",
                example: "127.0.0.1:9464",
            },
            Self::MetricsToken => Spec {
                name: "metrics_token",
                kind: Kind::FlaglessSecret,
                reach: Reach::Server,
                value: "TOKEN",
                help: "The bearer token that opens /metrics at the public address, 16 characters or more",
                default: None,
                unset: "/metrics is not there",
                example: "a-long-random-word",
            },
            Self::BackupTime => Spec {
                name: "backup_time",
                kind: Kind::Text,
                reach: Reach::Server,
                value: "HH:MM",
                help: "When the nightly backup is made, in UTC; off makes none",
                default: Some("02:30"),
                unset: "",
                example: "off",
            },
            Self::BackupKeep => Spec {
                name: "backup_keep",
                kind: Kind::Number,
                reach: Reach::Server,
                value: "NUMBER",
                help: "How many nightly backups are kept, from 1 to 1000",
                default: Some("7"),
                unset: "",
                example: "30",
            },
            Self::BackupDir => Spec {
                name: "backup_dir",
                kind: Kind::Folder,
                reach: Reach::Server,
                value: "DIR",
                help: "Where backups are put; another disk is better",
                default: None,
                unset: "backups in the data folder",
                example: "/mnt/backup/doorward",
            },
            Self::AuditKeepDays => Spec {
                name: "audit_keep_days",
                kind: Kind::Number,
                reach: Reach::Server,
                value: "DAYS",
                help: "How many days events stay in the audit log, from 30 to 36500; older ones are removed for good, once a day",
                default: None,
                unset: "events are kept for ever",
                example: "730",
            },
            Self::BillingIssuer => Spec {
                name: "billing.issuer",
                kind: Kind::Lines,
                reach: Reach::Everywhere,
                value: "TEXT",
                help: "Who sends the invoices: name and address, up to 10 lines; what is issued keeps what it says then",
                default: None,
                unset: "the name that pages have before sign-in",
                example: "Halden Works Hosting AS\nStorgata 5\n1771 Halden, Norway\nVAT NO 987 654 321",
            },
            Self::BillingPayment => Spec {
                name: "billing.payment",
                kind: Kind::Lines,
                reach: Reach::Everywhere,
                value: "TEXT",
                help: "How invoices are paid, up to 10 lines: it stands below them and in their mails",
                default: None,
                unset: "nothing stands there",
                example: "Bank transfer to NO93 8601 1117 947\nWith the number of the invoice",
            },
            Self::BillingTaxRate => Spec {
                name: "billing.tax_rate",
                kind: Kind::Decimal,
                reach: Reach::Everywhere,
                value: "PERCENT",
                help: "The tax on invoices in percent, from 0 to 100, with two decimals at most",
                default: Some("0"),
                unset: "",
                example: "8.1",
            },
            Self::BillingDueDays => Spec {
                name: "billing.due_days",
                kind: Kind::Number,
                reach: Reach::Everywhere,
                value: "NUMBER",
                help: "How many days there are to pay an invoice, from 0 to 365",
                default: Some("14"),
                unset: "",
                example: "30",
            },
        }
    }

    /// Its name in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// Its name on the command line, without the dashes before it.
    #[must_use]
    pub fn flag(self) -> String {
        self.name().replace(['_', '.'], "-")
    }

    /// Its name in the environment.
    #[must_use]
    pub fn variable(self) -> String {
        format!("DOORWARD_{}", self.name().replace('.', "_")).to_ascii_uppercase()
    }

    /// The variable that names a file which holds the value; none where only the value itself is taken.
    #[must_use]
    pub fn file_variable(self) -> Option<String> {
        self.is_secret()
            .then(|| format!("{}_FILE", self.variable()))
    }

    /// Whether its value is never shown.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self.spec().kind, Kind::Secret | Kind::FlaglessSecret)
    }

    /// Whether SIGHUP is enough for a new value; every other one waits for the next start.
    #[must_use]
    pub const fn is_reread(self) -> bool {
        matches!(
            self,
            Self::SmtpUrl | Self::TlsCert | Self::TlsKey | Self::LogLevel | Self::LogAccess
        )
    }

    /// Whether the command line takes it.
    #[must_use]
    pub const fn has_flag(self) -> bool {
        !matches!(self.spec().kind, Kind::FlaglessSecret)
    }

    /// The one of this name in the file.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// The name nearest to one that nobody knows, if any is near.
    #[must_use]
    pub fn near(name: &str) -> Option<&'static str> {
        const SIMILAR: f64 = 0.75;
        Self::ALL
            .into_iter()
            .map(|key| (strsim::jaro_winkler(name, key.name()), key.name()))
            .filter(|(likeness, _)| *likeness > SIMILAR)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, name)| name)
    }
}
