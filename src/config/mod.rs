//! The settings of the host: each stands once, in the table of [`keys`], and comes from a flag, a variable, the file that
//! a variable names, a credential of systemd or the configuration file, in that order; else it is the default.
//!
//! Nothing here is a setting in the Portal, and nothing else reads the environment.

pub mod flags;
pub mod keys;
mod parse;
mod public_url;
mod reference;
mod show;
pub mod sources;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use tracing::level_filters::LevelFilter;

use crate::app::{Mode, Settings};
use crate::backups::Plan;
use crate::billing;
use crate::domain::text::OrganisationName;
use crate::invitations::Terms;
use crate::kit::disk::NetworkFs;
use crate::kit::http::cookie::Transport;
use crate::kit::http::headers::Scheme;
use crate::kit::log::{Access, Format};
use crate::kit::mail::smtp::Relay;
use crate::kit::notify::Manager;
use crate::kit::secret::Secret;
use crate::sessions::Lifetimes;

use self::flags::Flags;
use self::keys::Key;
use self::parse::Reader;
use self::sources::{Found, Gathered, Mistake, Surroundings};

pub use public_url::PublicUrl;
pub use reference::reference;
pub use show::Shown;

/// Where `serve` and `demo` listen when nobody says otherwise: for an identity server loopback is the kind default.
pub const LISTEN: &str = "127.0.0.1:8080";
const DATA: &str = "./doorward-data";
/// The folder of backups in the data folder.
pub const BACKUPS: &str = "backups";

/// All settings, judged as a whole.
#[derive(Clone, Debug)]
pub struct Config {
    /// What was said, and by whom; what nobody said anything about is not in it.
    pub found: BTreeMap<Key, Found>,
    /// The configuration file, if one was read.
    pub file: Option<PathBuf>,
    /// Variables that look like ours and are not.
    pub strangers: Vec<String>,
    /// Whether everybody on this machine may read the configuration file, and there is a secret in it.
    pub is_exposed: bool,
    /// What it all means.
    pub values: Values,
}

/// What the settings mean, with defaults.
#[derive(Clone, Debug)]
pub struct Values {
    /// The data folder.
    pub data: PathBuf,
    /// Where private sockets may lie.
    pub runtime: PathBuf,
    /// The address people type, when the operator named it.
    pub public_url: Option<PublicUrl>,
    /// The sender of mails, when the operator named one.
    pub mail_from: Option<String>,
    /// How long invitations live, and how many there may be.
    pub terms: Terms,
    /// Where the secret key lies, when it is not in the data folder.
    pub secret_key_file: Option<PathBuf>,
    /// Whether a network file system will do.
    pub network_fs: NetworkFs,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether http:// in the open is accepted.
    pub is_insecure: bool,
    /// The proxies whose word about addresses is taken.
    pub trusted: Vec<IpNet>,
    /// Certificate and key; none while a proxy does TLS.
    pub tls: Option<TlsFiles>,
    /// The mail relay; none while mail is off.
    pub relay: Option<Relay>,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// What pages before sign-in call the Portal.
    pub brand: String,
    /// How and what to log.
    pub log: Log,
    /// Where metrics are served.
    pub metrics_listen: Option<SocketAddr>,
    /// What opens the metrics at the public address.
    pub metrics_token: Option<Secret<String>>,
    /// When backups are made, where they go, how many stay.
    pub backups: Backups,
    /// For how many days events stay in the audit log; none: for ever.
    pub audit_keep_days: Option<i64>,
    /// What the operator decides about every invoice.
    pub billing: billing::Terms,
    /// The service manager that started the process; none where nobody waits to hear of it.
    pub manager: Option<Manager>,
}

/// The files of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// How and what to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// How much.
    pub level: LevelFilter,
    /// In which form.
    pub format: Format,
    /// Which requests.
    pub access: Access,
}

/// When backups are made, where they go, how many stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backups {
    /// The second of the UTC day; none: not by itself.
    pub at: Option<i64>,
    /// How many nightly ones stay.
    pub keep: usize,
    /// Where they go.
    pub folder: PathBuf,
}

impl Config {
    /// Reads all sources and judges what they say together. All mistakes are found at once.
    pub fn read(flags: &Flags, around: &Surroundings) -> Result<Self, Vec<Mistake>> {
        let gathered = Gathered::new(flags, around);
        let mut reader = Reader::new(&gathered.found, gathered.unread);
        let values = Values::read(&mut reader, around);
        let mut mistakes = gathered.mistakes;
        mistakes.append(&mut reader.mistakes);
        mistakes.sort_by_key(|mistake| mistake.line);
        match values {
            Some(values) if mistakes.is_empty() => Ok(Self {
                found: gathered.found,
                file: gathered.file,
                strangers: gathered.strangers,
                is_exposed: gathered.is_exposed,
                values,
            }),
            Some(_) | None => Err(mistakes),
        }
    }

    /// What is no mistake, but should not stay as it is.
    #[must_use]
    pub fn warnings(&self) -> Vec<Mistake> {
        let exposed = self.file.as_ref().filter(|_| self.is_exposed);
        let exposed = exposed.map(|file| {
            let sentence = format!(
                "everybody on this machine may read it, and there is a secret in it: move the secret into a file or \
                 credential of its own, or close it: chmod o-r {}",
                file.display()
            );
            Mistake::new(file.display().to_string(), sentence)
        });
        let strangers = self.strangers.iter().map(|name| {
            Mistake::new(
                name,
                "no setting has this name; the variable is not looked at",
            )
        });
        exposed.into_iter().chain(strangers).collect()
    }

    /// The address people type, once it is known where the server really listens.
    #[must_use]
    pub fn public_url(&self, address: SocketAddr) -> PublicUrl {
        self.values.public_url(address)
    }

    /// What the application of the server is told, once it is known where it really listens.
    #[must_use]
    pub fn settings(&self, address: SocketAddr) -> Settings {
        let public_url = self.public_url(address);
        let warning = public_url.is_in_the_clear().then_some(
            "This Portal is used without encryption (--insecure-http): passwords can be read on the way.",
        );
        Settings {
            warning,
            relay: self.values.relay.as_ref().map(Relay::summary),
            ..self.settings_at(&public_url)
        }
    }

    /// What a command is told that works beside the server; `noted` is the address a server left in the folder.
    #[must_use]
    pub fn settings_beside(&self, noted: Option<PublicUrl>) -> Settings {
        let values = &self.values;
        let usual = || values.public_url(values.listen);
        let public_url = values.public_url.clone().or(noted).unwrap_or_else(usual);
        self.settings_at(&public_url)
    }

    fn settings_at(&self, public_url: &PublicUrl) -> Settings {
        let values = &self.values;
        let mut hosts = vec![public_url.host().to_owned()];
        if values.public_url.is_none() || public_url.is_loopback() {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Settings {
            public_url: public_url.to_string(),
            hosts,
            transport: match public_url.scheme() {
                Scheme::Https => Transport::Https,
                Scheme::Http => Transport::Http,
            },
            brand: values.brand.clone(),
            mail_from: values
                .mail_from
                .clone()
                .unwrap_or_else(|| format!("portal@{}", public_url.mail_domain())),
            relay: None,
            lifetimes: values.lifetimes,
            terms: values.terms,
            mode: Mode::Production,
            warning: None,
            data: values.data.clone(),
            metrics_token: values.metrics_token.clone(),
            backups: values.backups.plan(),
            audit_keep_days: values.audit_keep_days,
            billing: values.billing.clone(),
        }
    }
}

impl Backups {
    /// The same, for the capability that makes them.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            at: self.at,
            keep: self.keep,
            folder: self.folder.clone(),
        }
    }
}

impl Values {
    fn read(reader: &mut Reader<'_>, around: &Surroundings) -> Option<Self> {
        let data = reader
            .path(Key::Data)
            .or_else(|| around.folder("STATE_DIRECTORY"))
            .unwrap_or_else(|| PathBuf::from(DATA));
        let public_url = reader.optional(Key::PublicUrl, str::parse::<PublicUrl>);
        let mail_from = reader.optional(Key::MailFrom, parse::sender);
        let ttl = reader.value(Key::InvitationTtl, parse::seconds);
        let secret_key_file = reader.path(Key::SecretKeyFile);
        let is_allowed = reader.value(Key::AllowNetworkFs, parse::switch);
        let listen = reader.value(Key::Listen, parse::listen);
        let is_insecure = reader.value(Key::InsecureHttp, parse::switch);
        let trusted = reader.optional(Key::TrustedProxies, parse::networks);
        let tls = tls_files(reader);
        let relay = reader.optional(Key::SmtpUrl, Relay::parse);
        let idle = reader.value(Key::SessionIdle, parse::seconds);
        let max = reader.value(Key::SessionMax, parse::seconds);
        let brand = reader.value(Key::BrandingName, |text| {
            text.parse::<OrganisationName>()
                .map_err(|why| why.to_string())
        });
        let log = log(reader, around);
        let metrics_listen = reader.optional(Key::MetricsListen, parse::listen);
        let metrics_token = reader.optional(Key::MetricsToken, parse::token);
        let backups = backups(reader, &data);
        let audit_keep_days = reader.optional(Key::AuditKeepDays, parse::audit_days);
        let billing = billing(reader, brand.as_ref());
        let together = Together {
            data: &data,
            public_url: public_url.as_ref(),
            listen,
            is_insecure,
            tls: tls.as_ref(),
            metrics_listen,
        };
        together.check(reader);
        Some(Self {
            runtime: around
                .folder("RUNTIME_DIRECTORY")
                .unwrap_or_else(|| data.clone()),
            data,
            public_url,
            mail_from,
            terms: Terms {
                ttl: ttl?,
                ..Terms::default()
            },
            secret_key_file,
            network_fs: if is_allowed? {
                NetworkFs::Allowed
            } else {
                NetworkFs::Refused
            },
            listen: listen?,
            is_insecure: is_insecure?,
            trusted: trusted.unwrap_or_default(),
            tls,
            relay,
            lifetimes: Lifetimes {
                idle: idle?,
                max: max?,
            },
            brand: brand?.to_string(),
            log: log?,
            metrics_listen,
            metrics_token,
            backups: backups?,
            audit_keep_days,
            billing: billing?,
            manager: manager(around),
        })
    }

    fn public_url(&self, address: SocketAddr) -> PublicUrl {
        let usual = || PublicUrl::of(scheme(self.tls.as_ref()), address);
        self.public_url.clone().unwrap_or_else(usual)
    }
}

const fn scheme(tls: Option<&TlsFiles>) -> Scheme {
    match tls {
        Some(_) => Scheme::Https,
        None => Scheme::Http,
    }
}

/// What cannot be judged alone. Only what cannot work at all is refused.
struct Together<'v> {
    data: &'v Path,
    public_url: Option<&'v PublicUrl>,
    listen: Option<SocketAddr>,
    is_insecure: Option<bool>,
    tls: Option<&'v TlsFiles>,
    metrics_listen: Option<SocketAddr>,
}

impl Together<'_> {
    fn check(&self, reader: &mut Reader<'_>) {
        self.check_encryption(reader);
        if let (Some(listen), Some(metrics)) = (self.listen, self.metrics_listen)
            && collide(listen, metrics)
        {
            let sentence = format!("{metrics} is where the Portal listens; choose another port");
            reader.wrong(Key::MetricsListen, sentence);
        }
        let folder = reader.path(Key::BackupDir);
        if folder.is_some_and(|folder| is_one_place(&folder, self.data))
            && reader.knows(&[Key::Data])
        {
            let sentence =
                "it is the data folder itself; name another, or one in it, such as backups";
            reader.wrong(Key::BackupDir, sentence);
        }
    }

    fn check_encryption(&self, reader: &mut Reader<'_>) {
        let (Some(listen), Some(is_insecure)) = (self.listen, self.is_insecure) else {
            return;
        };
        if !reader.knows(&[Key::PublicUrl, Key::TlsCert, Key::TlsKey]) {
            return;
        }
        let usual = || PublicUrl::of(scheme(self.tls), listen);
        let public_url = self.public_url.cloned().unwrap_or_else(usual);
        if self.tls.is_some() && public_url.scheme() == Scheme::Http {
            let sentence =
                format!("{public_url} is not encrypted, and tls_cert is given: write https://");
            return reader.wrong(Key::PublicUrl, sentence);
        }
        if is_insecure || !public_url.is_in_the_clear() {
            return;
        }
        let (key, what) = match self.public_url {
            Some(_) => (Key::PublicUrl, format!("{public_url} is not encrypted")),
            None => (
                Key::Listen,
                format!(
                    "without --public-url people would use {public_url}, which is not encrypted"
                ),
            ),
        };
        let sentence = format!(
            "{what}: passwords could be read on the way. Put a proxy with TLS in front and give its https:// address \
             with --public-url, serve TLS yourself with --tls-cert and --tls-key, or take the risk with \
             --insecure-http"
        );
        reader.wrong(key, sentence);
    }
}

/// Whether nobody can listen on both.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let is_same_port = one.port() == other.port() && one.port() != 0;
    let is_same_family = one.is_ipv4() == other.is_ipv4();
    let (one, other) = (one.ip(), other.ip());
    is_same_port
        && is_same_family
        && (one == other || one.is_unspecified() || other.is_unspecified())
}

/// Whether two paths are written differently at most, as `x`, `./x` and `x/`.
fn is_one_place(one: &Path, other: &Path) -> bool {
    match (std::path::absolute(one), std::path::absolute(other)) {
        (Ok(one), Ok(other)) => one.components().eq(other.components()),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Who wants to be told, as systemd says it. A watchdog that is meant for another process is none of ours.
fn manager(around: &Surroundings) -> Option<Manager> {
    let socket = around.get("NOTIFY_SOCKET")?.to_owned();
    let own = std::process::id().to_string();
    let is_ours = around.get("WATCHDOG_PID").is_none_or(|pid| pid == own);
    let within = around
        .get("WATCHDOG_USEC")
        .and_then(|micros| micros.parse().ok())
        .filter(|micros| *micros > 0);
    Some(Manager {
        socket,
        watchdog: within
            .filter(|_| is_ours)
            .map(std::time::Duration::from_micros),
    })
}

fn tls_files(reader: &mut Reader<'_>) -> Option<TlsFiles> {
    match (reader.path(Key::TlsCert), reader.path(Key::TlsKey)) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        _ if !reader.knows(&[Key::TlsCert, Key::TlsKey]) => None,
        (Some(_), None) => {
            reader.wrong(Key::TlsCert, "it needs --tls-key too");
            None
        }
        (None, Some(_)) => {
            reader.wrong(Key::TlsKey, "it needs --tls-cert too");
            None
        }
        (None, None) => None,
    }
}

fn log(reader: &mut Reader<'_>, around: &Surroundings) -> Option<Log> {
    let level = reader.value(Key::LogLevel, parse::level);
    let is_text = reader.value(Key::LogFormat, parse::is_text);
    let access = reader.value(Key::LogAccess, parse::access);
    let format = match (is_text?, around.get("JOURNAL_STREAM")) {
        (false, _) => Format::Json,
        (true, None) => Format::Text,
        // A terminal shows no times of its own, though it was opened by something that the journal listens to.
        (true, Some(_)) if std::io::stderr().is_terminal() => Format::Text,
        (true, Some(_)) => Format::UndatedText,
    };
    Some(Log {
        level: level?,
        format,
        access: access?,
    })
}

fn backups(reader: &mut Reader<'_>, data: &Path) -> Option<Backups> {
    let at = reader.value(Key::BackupTime, parse::time_of_day);
    let keep = reader.value(Key::BackupKeep, parse::count);
    let folder = reader
        .path(Key::BackupDir)
        .unwrap_or_else(|| data.join(BACKUPS));
    Some(Backups {
        at: at?,
        keep: keep?,
        folder,
    })
}

/// Where nobody says who sends the invoices, it is who the pages say they are.
fn billing(reader: &mut Reader<'_>, brand: Option<&OrganisationName>) -> Option<billing::Terms> {
    let issuer = reader.optional(Key::BillingIssuer, parse::lines);
    let payment = reader.optional(Key::BillingPayment, parse::lines);
    let tax_rate = reader.value(Key::BillingTaxRate, parse::percent);
    let due_days = reader.value(Key::BillingDueDays, parse::days);
    Some(billing::Terms {
        issuer: issuer.unwrap_or_else(|| brand.map(ToString::to_string).unwrap_or_default()),
        payment: payment.unwrap_or_default(),
        tax_rate: tax_rate?,
        due_days: due_days?,
    })
}
