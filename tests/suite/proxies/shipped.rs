//! The settings for proxies that the product comes with (`packaging/`), as they are but for addresses and
//! certificates, with TLS, in front of the real executable.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use super::program::{Kind, Proxy};
use super::{CLIENT, not_run};
use crate::client::Client;
use crate::encrypted::{NAME, Pair, tunnel};
use crate::gate::connect_from;
use crate::process::{Doorward, Launch};
use crate::served::{OWNER, PASSWORD, found_by, try_password};

/// What a client says of itself, in every way there is.
const FORGED: [(&str, &str); 4] = [
    ("x-forwarded-for", "6.6.6.6"),
    ("x-real-ip", "6.6.6.6"),
    ("forwarded", "for=6.6.6.6;host=evil.example"),
    ("x-forwarded-host", "evil.example"),
];

/// A file of the packaging, with each of these replaced; every one must be there.
fn shipped(file: &str, changes: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    let mut text = std::fs::read_to_string(path.join(file)).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{file} has no {old:?}");
        text = text.replace(old, new);
    }
    text
}

/// What this proxy reads.
fn settings(
    kind: Kind,
    folder: &Path,
    address: SocketAddr,
    server: SocketAddr,
    pair: &Pair,
) -> String {
    let (cert, key) = (pair.cert(), pair.key());
    let (cert, key) = (cert.display(), key.display());
    let upstream = ("127.0.0.1:8080", server.to_string());
    match kind {
        Kind::Nginx => {
            let site = shipped(
                "nginx.conf",
                &[
                    upstream,
                    (
                        "listen 80;",
                        format!("listen unix:{}/plain;", folder.display()),
                    ),
                    ("listen 443 ssl;", format!("listen {address} ssl;")),
                    (
                        "/etc/letsencrypt/live/portal.example.com/fullchain.pem",
                        cert.to_string(),
                    ),
                    (
                        "/etc/letsencrypt/live/portal.example.com/privkey.pem",
                        key.to_string(),
                    ),
                ],
            );
            let folder = folder.display();
            let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .iter()
                .map(|what| format!("{what}_temp_path {folder}/{what};\n"))
                .collect();
            format!(
                "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n\
                 events {{ }}\nhttp {{\naccess_log {folder}/access.log;\n{places}{site}\n}}\n"
            )
        }
        Kind::Caddy => {
            let (host, port) = (address.ip(), address.port());
            let site = format!(
                "{NAME}:{port} {{\n\tbind {host}\n\ttls {cert} {key}\n\tlog {{\n\t\toutput file {}/access.log\n\t}}",
                folder.display()
            );
            let changes = [upstream, ("portal.example.com {", site)];
            let site = shipped("Caddyfile", &changes);
            format!("{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}")
        }
        Kind::Haproxy => {
            let both = folder.join("both.pem");
            let parts =
                [pair.cert(), pair.key()].map(|file| std::fs::read_to_string(file).unwrap());
            std::fs::write(&both, parts.concat()).unwrap();
            let changes = [
                upstream,
                ("    bind :80\n", String::new()),
                ("bind :443 ", format!("bind {address} ")),
                (
                    "/etc/haproxy/certs/portal.example.com.pem",
                    both.display().to_string(),
                ),
            ];
            let site = shipped("haproxy.cfg", &changes);
            format!(
                "global\n    log stdout format raw local0 info\ndefaults\n    log global\n    option httplog\n{site}"
            )
        }
    }
}

/// From where each sign-in came, as the audit log has it.
fn sign_ins(process: &Doorward) -> Vec<String> {
    let file = rusqlite::Connection::open(process.data().join("doorward.db")).unwrap();
    let mut found = file
        .prepare(
            "SELECT text FROM audit_events JOIN audit_texts USING (chain_id, number)
             WHERE action = 'sign_in.succeeded' AND slot = 2 ORDER BY at, number",
        )
        .unwrap();
    let rows = found.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn serves_behind(kind: Kind, host: Ipv4Addr, test: &str) {
    let Some(program) = kind.program() else {
        return not_run(kind, test);
    };
    let pair = Pair::new();
    let site = format!("https://{NAME}");
    for (trusted, expected) in [
        (Some("127.0.0.1"), format!("127.0.0.{CLIENT}")),
        (None, "127.0.0.1".to_owned()),
    ] {
        let mut launch = Launch::serve().arg("--public-url").arg(&site);
        if let Some(trusted) = trusted {
            launch = launch.arg("--trusted-proxies").arg(trusted);
        }
        let process = launch.start();
        let (_, server) = process.address().split_once("://").unwrap();
        let server = server.parse().unwrap();
        let proxy = Proxy::start_with(kind, host, program.clone(), |folder, address| {
            settings(kind, folder, address, server, &pair)
        });
        let address = proxy.address();
        let through = tunnel(pair.client(rustls::ALL_VERSIONS), move || {
            connect_from(CLIENT, address)
        });
        let browser = || Client::new(&through).behind(&site, &[]);

        let healthy = browser().get("/healthz");
        assert_eq!(healthy.status, 200);
        let promised = healthy.header("strict-transport-security");
        assert_eq!(promised, Some("max-age=63072000"));
        let owner = found_by(&process, browser());
        let session = owner.cookie("__Host-session").unwrap();
        assert!(session.attributes.contains("; Secure"), "{session:?}");

        // Of a liar the same is known.
        let mut liar = Client::new(&through).behind(&site, &FORGED);
        assert_eq!(try_password(&mut liar, OWNER, PASSWORD).status, 303);
        assert_eq!(sign_ins(&process), [expected.as_str(), &expected]);

        // A form from elsewhere is refused here as it is without a proxy.
        let mut stranger = Client::new(&through).behind(&site, &[]);
        stranger.get("/sign-in");
        let foreign = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ];
        let refused = stranger.send("POST", "/sign-in", &foreign, "email=a&password=b");
        assert_eq!(refused.status, 403);
    }
}

#[test]
fn our_settings_for_nginx_serve() {
    let host = Ipv4Addr::new(127, 0, 9, 11);
    serves_behind(Kind::Nginx, host, "our_settings_for_nginx_serve");
}

#[test]
fn our_settings_for_haproxy_serve() {
    let host = Ipv4Addr::new(127, 0, 9, 12);
    serves_behind(Kind::Haproxy, host, "our_settings_for_haproxy_serve");
}

#[test]
fn our_settings_for_caddy_serve() {
    let host = Ipv4Addr::new(127, 0, 9, 13);
    serves_behind(Kind::Caddy, host, "our_settings_for_caddy_serve");
}

#[test]
fn the_page_about_proxies_says_what_the_files_say() {
    let page = shipped("proxy.md", &[]);
    for (file, begins, ends) in [
        ("nginx.conf", "    location / {\n", "\n    }\n"),
        ("Caddyfile", "portal.example.com {\n", "\n}\n"),
    ] {
        let text = shipped(file, &[]);
        let (_, after) = text.split_once(begins).unwrap();
        let (inside, _) = after.split_once(ends).unwrap();
        let lines = begins.lines().chain(inside.lines()).map(str::trim);
        for line in lines.filter(|line| !line.starts_with('#')) {
            assert!(page.contains(line), "proxy.md has no {line:?} of {file}");
        }
    }
    let file = shipped("haproxy.cfg", &[]);
    let snippet = page.split("frontend portal\n").nth(1).unwrap();
    for line in snippet.split("```").next().unwrap().lines() {
        assert!(file.contains(line), "haproxy.cfg has no {line:?}");
    }
}
