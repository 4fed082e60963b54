//! Every setting of the host, once: its flag, its variable, its default, its unit.
//!
//! A flag wins over a variable. Nothing here is a setting in the Portal, and nothing else reads the environment. All
//! options may be missing, so that another source can stand behind flags and variables; defaults are applied where an
//! option is used, and nowhere else.

mod parse;
mod public_url;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use ipnet::IpNet;
use tracing::level_filters::LevelFilter;

use crate::app::{Mode, Settings};
use crate::domain::text::OrganisationName;
use crate::invitations::Terms;
use crate::kit::http::cookie::Transport;
use crate::kit::http::headers::Scheme;
use crate::kit::log::Format;
use crate::kit::mail::smtp::Relay;
use crate::sessions::Lifetimes;

pub use public_url::PublicUrl;

/// Where `serve` and `demo` listen when nobody says otherwise: for an identity server loopback is the kind default.
pub const LISTEN: &str = "127.0.0.1:8080";
const DATA: &str = "./doorward-data";
const BRAND: &str = "Portal";

/// What every command needs to know.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Settings")]
pub struct Basics {
    /// The data folder (default: ./doorward-data)
    #[arg(long, env = "DOORWARD_DATA", value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// The address people type; links in mails begin with it (default: http:// and the listen address)
    #[arg(long, env = "DOORWARD_PUBLIC_URL", value_name = "URL", global = true)]
    pub public_url: Option<PublicUrl>,
    /// The sender of mails, as in "Portal <portal@example.com>" (default: portal@ and the host of the public URL)
    #[arg(long, env = "DOORWARD_MAIL_FROM", value_name = "ADDRESS", value_parser = parse::sender, global = true)]
    pub mail_from: Option<String>,
    /// How long an invitation's link lives, as in 24h or 3d (default: 24h)
    #[arg(long, env = "DOORWARD_INVITATION_TTL", value_name = "TIME", value_parser = parse::seconds, global = true)]
    pub invitation_ttl: Option<i64>,
}

impl Basics {
    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| PathBuf::from(DATA))
    }

    /// The settings of a command that works beside the server; `noted` is the address a server left in the folder.
    #[must_use]
    pub fn settings(&self, noted: Option<PublicUrl>) -> Settings {
        let usual = || PublicUrl::of(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = self.public_url.clone().or(noted).unwrap_or_else(usual);
        self.settings_at(&public_url)
    }

    fn settings_at(&self, public_url: &PublicUrl) -> Settings {
        let mut hosts = vec![public_url.host().to_owned()];
        if self.public_url.is_none() || public_url.is_loopback() {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Settings {
            public_url: public_url.to_string(),
            hosts,
            transport: match public_url.scheme() {
                Scheme::Https => Transport::Https,
                Scheme::Http => Transport::Http,
            },
            brand: BRAND.to_owned(),
            mail_from: self
                .mail_from
                .clone()
                .unwrap_or_else(|| format!("portal@{}", public_url.mail_domain())),
            relay: None,
            lifetimes: Lifetimes::default(),
            terms: self.terms(),
            mode: Mode::Production,
            warning: None,
            data: self.data(),
        }
    }

    fn terms(&self) -> Terms {
        let terms = Terms::default();
        Terms {
            ttl: self.invitation_ttl.unwrap_or(terms.ttl),
            ..terms
        }
    }
}

/// What the server needs to know besides.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Settings")]
pub struct Serving {
    /// Where to listen; port 0 takes a free one (default: 127.0.0.1:8080)
    #[arg(long, env = "DOORWARD_LISTEN", value_name = "ADDRESS:PORT", value_parser = parse::listen)]
    pub listen: Option<SocketAddr>,
    /// Serve a public http:// address that is not loopback, without encryption
    #[arg(long, env = "DOORWARD_INSECURE_HTTP", value_parser = BoolishValueParser::new(), num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub insecure_http: Option<bool>,
    /// Networks of proxies whose X-Forwarded-For is believed, as in 10.0.0.0/8,::1 (default: none)
    #[arg(long, env = "DOORWARD_TRUSTED_PROXIES", value_name = "CIDR", value_parser = parse::network,
          value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,
    /// The mail relay, as in smtp://user:password@mail.example.com:587 or smtps://… (default: mail is off)
    #[arg(
        long,
        env = "DOORWARD_SMTP_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub smtp_url: Option<String>,
    /// A file that holds the mail relay's URL, so that its password stands in no list of processes
    #[arg(long, env = "DOORWARD_SMTP_URL_FILE", value_name = "FILE")]
    pub smtp_url_file: Option<PathBuf>,
    /// How long a session lives without a request, as in 2h or 30m (default: 2h)
    #[arg(long, env = "DOORWARD_SESSION_IDLE", value_name = "TIME", value_parser = parse::seconds)]
    pub session_idle: Option<i64>,
    /// How long a session lives in all (default: 24h)
    #[arg(long, env = "DOORWARD_SESSION_MAX", value_name = "TIME", value_parser = parse::seconds)]
    pub session_max: Option<i64>,
    /// What pages call the Portal before sign-in (default: Portal)
    #[arg(long, env = "DOORWARD_BRAND", value_name = "NAME")]
    pub brand: Option<OrganisationName>,
    /// How much to log: error, warn, info, debug or trace (default: info)
    #[arg(long, env = "DOORWARD_LOG_LEVEL", value_name = "LEVEL", value_parser = parse::level)]
    pub log_level: Option<LevelFilter>,
    /// How to log: auto (text on a terminal, JSON elsewhere), text or json (default: auto)
    #[arg(long, env = "DOORWARD_LOG_FORMAT", value_name = "FORMAT", value_parser = ["auto", "text", "json"])]
    pub log_format: Option<String>,
    /// Set by systemd: folders for what lives as long as the process.
    #[arg(long, env = "RUNTIME_DIRECTORY", hide = true)]
    runtime_directory: Option<String>,
    /// Set by systemd when the journal reads what is logged.
    #[arg(long, env = "JOURNAL_STREAM", hide = true)]
    journal_stream: Option<String>,
}

impl Serving {
    /// How to log.
    #[must_use]
    pub fn log(&self) -> (LevelFilter, Format) {
        let is_text = match self.log_format.as_deref() {
            Some("text") => true,
            Some("json") => false,
            _ => std::io::stderr().is_terminal(),
        };
        let format = match (is_text, &self.journal_stream) {
            (false, _) => Format::Json,
            (true, None) => Format::Text,
            (true, Some(_)) => Format::UndatedText,
        };
        (self.log_level.unwrap_or(LevelFilter::INFO), format)
    }

    /// The relay, as the URL or the file says; none while mail is off.
    fn relay(&self) -> Result<Option<Relay>, String> {
        // An empty variable is what compose files make of one that is not set.
        let url = self.smtp_url.as_ref().filter(|url| !url.is_empty());
        let file = self
            .smtp_url_file
            .as_ref()
            .filter(|file| !file.as_os_str().is_empty());
        match (url, file) {
            (None, None) => Ok(None),
            (Some(url), None) => Relay::parse(url)
                .map(Some)
                .map_err(|why| format!("--smtp-url (DOORWARD_SMTP_URL): {why}")),
            (None, Some(file)) => {
                let name = format!(
                    "--smtp-url-file (DOORWARD_SMTP_URL_FILE) {}",
                    file.display()
                );
                let url = fs::read_to_string(file).map_err(|why| format!("{name}: {why}"))?;
                Relay::parse(url.trim())
                    .map(Some)
                    .map_err(|why| format!("{name}: {why}"))
            }
            (Some(_), Some(_)) => Err(
                "--smtp-url (DOORWARD_SMTP_URL) and --smtp-url-file (DOORWARD_SMTP_URL_FILE) are both given: \
                 remove one"
                    .to_owned(),
            ),
        }
    }
}

/// What `serve` was asked to do, judged as a whole.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// The mail relay; none while mail is off.
    pub relay: Option<Relay>,
    /// The proxies whose word about addresses is taken.
    pub trusted: Vec<IpNet>,
    /// Where the private socket may lie.
    pub runtime: PathBuf,
    basics: Basics,
    lifetimes: Lifetimes,
    brand: String,
    is_insecure: bool,
}

impl Plan {
    /// Judges all options together; the error is a sentence that names the option to change.
    pub fn new(basics: &Basics, serving: &Serving) -> Result<Self, String> {
        let listen = match serving.listen {
            Some(listen) => listen,
            None => parse::listen(LISTEN)?,
        };
        let lifetimes = Lifetimes::default();
        let data = basics.data();
        let plan = Self {
            listen,
            relay: serving.relay()?,
            trusted: serving.trusted_proxies.clone(),
            runtime: parse::first_folder(serving.runtime_directory.as_deref())
                .unwrap_or_else(|| data.clone()),
            data,
            basics: basics.clone(),
            lifetimes: Lifetimes {
                idle: serving.session_idle.unwrap_or(lifetimes.idle),
                max: serving.session_max.unwrap_or(lifetimes.max),
            },
            brand: serving
                .brand
                .as_ref()
                .map_or_else(|| BRAND.to_owned(), ToString::to_string),
            is_insecure: serving.insecure_http.unwrap_or(false),
        };
        plan.check_encryption()?;
        Ok(plan)
    }

    fn check_encryption(&self) -> Result<(), String> {
        let public_url = self.public_url(self.listen);
        if self.is_insecure || !public_url.is_in_the_clear() {
            return Ok(());
        }
        let what = if self.basics.public_url.is_some() {
            format!("--public-url {public_url} is not encrypted")
        } else {
            format!("Without --public-url people would use {public_url}, which is not encrypted")
        };
        Err(format!(
            "{what}: passwords could be read on the way. Put a proxy with TLS in front and give its https:// address \
             with --public-url, or take the risk with --insecure-http"
        ))
    }

    /// The address people type, once it is known where the server really listens.
    #[must_use]
    pub fn public_url(&self, address: SocketAddr) -> PublicUrl {
        self.basics
            .public_url
            .clone()
            .unwrap_or_else(|| PublicUrl::of(address))
    }

    /// Whether the operator named the public address.
    #[must_use]
    pub const fn has_public_url(&self) -> bool {
        self.basics.public_url.is_some()
    }

    /// What the application is told, once it is known where the server really listens.
    #[must_use]
    pub fn settings(&self, address: SocketAddr) -> Settings {
        let public_url = self.public_url(address);
        let warning = public_url.is_in_the_clear().then_some(
            "This Portal is used without encryption (--insecure-http): passwords can be read on the way.",
        );
        Settings {
            brand: self.brand.clone(),
            relay: self.relay.as_ref().map(Relay::summary),
            lifetimes: self.lifetimes,
            warning,
            ..self.basics.settings_at(&public_url)
        }
    }
}
