//! The proxies as programs: set up in a folder of their own as their manuals say, run in the foreground, and asked
//! for their access log.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::{Line, SEEN};
use crate::wait;

const PATIENCE: Duration = Duration::from_secs(10);

// The settings that each manual gives for a server behind it, with connections to that server kept and shared among
// clients, as is usual and as an attack needs; and a log that says what the server answered.

const NGINX: &str = r#"
daemon off;
master_process off;
pid FOLDER/pid;
error_log FOLDER/error.log;
events { worker_connections 1024; }
http {
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    log_format forwarded '$upstream_status $request_method $request_uri';
    access_log FOLDER/access.log forwarded;
    upstream portal {
        server SERVER;
        keepalive 8;
    }
    server {
        listen ADDRESS;
        location / {
            proxy_pass http://portal;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }
}
"#;

const HAPROXY: &str = r#"
global
    log stdout format raw local0 info
defaults
    mode http
    log global
    log-format "%ST %HM %HU"
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    option forwardfor
    http-reuse always
frontend clients
    bind ADDRESS
    default_backend portal
backend portal
    server portal SERVER
"#;

const CADDY: &str = r"
{
    admin off
    auto_https off
}
http://:PORT {
    bind HOST
    log {
        output file FOLDER/access.log
    }
    reverse_proxy SERVER
}
";

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Caddy.
    Caddy,
}

impl Kind {
    /// Its command, which is also the name of its Debian package.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
        }
    }

    /// Its executable; none where it is not installed. Not everybody's path has the folder of servers.
    pub(super) fn program(self) -> Option<PathBuf> {
        let version = if self == Self::Caddy { "version" } else { "-v" };
        ["", "/usr/sbin/"].into_iter().find_map(|place| {
            let program = format!("{place}{}", self.name());
            let asked = Command::new(&program)
                .arg(version)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            asked
                .is_ok_and(|status| status.success())
                .then(|| program.into())
        })
    }

    /// A loopback address that is this proxy's alone, so that no other test takes its port before it does.
    const fn host(self) -> Ipv4Addr {
        match self {
            Self::Nginx => Ipv4Addr::new(127, 0, 9, 1),
            Self::Haproxy => Ipv4Addr::new(127, 0, 9, 2),
            Self::Caddy => Ipv4Addr::new(127, 0, 9, 3),
        }
    }

    const fn settings(self) -> &'static str {
        match self {
            Self::Nginx => NGINX,
            Self::Haproxy => HAPROXY,
            Self::Caddy => CADDY,
        }
    }

    const fn args(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["-p", ".", "-e", "error.log", "-c", "settings"],
            Self::Haproxy => &["-db", "-f", "settings"],
            Self::Caddy => &["run", "--adapter", "caddyfile", "--config", "settings"],
        }
    }

    /// Where its standard output goes: HAProxy's log has no other way out without a log server.
    const fn output(self) -> &'static str {
        match self {
            Self::Haproxy => "access.log",
            Self::Nginx | Self::Caddy => "output",
        }
    }
}

/// A running proxy; ends when dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    kind: Kind,
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Proxy {
    /// This proxy in front of that server.
    pub(super) fn start(kind: Kind, program: PathBuf, server: SocketAddr) -> Self {
        Self::start_with(kind, kind.host(), program, |folder, address| {
            kind.settings()
                .replace("FOLDER", &folder.display().to_string())
                .replace("SERVER", &server.to_string())
                .replace("ADDRESS", &address.to_string())
                .replace("HOST", &address.ip().to_string())
                .replace("PORT", &address.port().to_string())
        })
    }

    /// This proxy with settings that are made for its folder and for where it is to listen.
    pub(super) fn start_with(
        kind: Kind,
        host: Ipv4Addr,
        program: PathBuf,
        settings: impl FnOnce(&Path, SocketAddr) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind((host, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let settings = settings(folder.path(), address);
        std::fs::write(folder.path().join("settings"), settings).unwrap();
        let file = |name: &str| File::create(folder.path().join(name)).unwrap();
        let child = Command::new(program)
            .args(kind.args())
            .current_dir(folder.path())
            // Caddy keeps what it remembers below these.
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(file(kind.output()))
            .stderr(file("errors"))
            .spawn()
            .unwrap();
        let mut proxy = Self {
            kind,
            child,
            address,
            folder,
        };
        proxy.until_listening();
        proxy
    }

    fn until_listening(&mut self) {
        let listens = wait::until(PATIENCE, || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", self.errors());
            TcpStream::connect(self.address).ok()
        });
        assert!(listens.is_some(), "it does not listen: {}", self.errors());
    }

    fn errors(&self) -> String {
        let read = |name| std::fs::read_to_string(self.folder.path().join(name));
        ["errors", "error.log"].into_iter().flat_map(read).collect()
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its name.
    pub(super) const fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// The file of its access log.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// The requests that it says it has forwarded and the server's handler has answered, sorted.
    pub(super) fn forwarded(&self) -> Vec<Line> {
        let log = std::fs::read(self.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        // What stands behind the last end of line is still being written.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let read = match self.kind {
            Kind::Nginx | Kind::Haproxy => from_text,
            Kind::Caddy => from_json,
        };
        let mut lines: Vec<Line> = whole.lines().filter_map(read).collect();
        lines.sort();
        lines
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A line as the settings of nginx and HAProxy above make it.
fn from_text(line: &str) -> Option<Line> {
    // Where nginx has asked twice, the last answer is the one it took.
    let line = line.rsplit_once(", ").map_or(line, |(_, last)| last);
    let mut words = line.split(' ');
    let status: u16 = words.next()?.parse().ok()?;
    let (method, target) = (words.next()?, words.next()?);
    (status == SEEN).then(|| format!("{method} {}", path(target)))
}

/// A line of Caddy's, which names what it was asked for; it escapes what may not stand in a URL when it forwards it.
fn from_json(line: &str) -> Option<Line> {
    let line: Value = serde_json::from_str(line).unwrap();
    let request = &line["request"];
    let (method, target) = (request["method"].as_str()?, request["uri"].as_str()?);
    let mut escaped = String::new();
    for byte in path(target).bytes() {
        if byte.is_ascii() && byte != b'#' {
            escaped.push(byte.into());
        } else {
            escaped += &format!("%{byte:02X}");
        }
    }
    (line["status"] == SEEN).then(|| format!("{method} {escaped}"))
}

/// The path of a target, which may be a whole URL, and which the URL may leave out.
fn path(target: &str) -> String {
    let rest = target.split_once("://").map_or(target, |(_, rest)| {
        rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())).1
    });
    if rest.starts_with('/') {
        rest.to_owned()
    } else {
        format!("/{rest}")
    }
}
