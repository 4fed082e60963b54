//! What others' code comes along: read from Cargo.lock, Cargo.toml and `cargo
//! metadata`, without a network. Advisories are not looked up here.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

const LOCK: &str = include_str!("../../Cargo.lock");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// Packages that must not come along, on any platform, and why.
const REFUSED: &[(&str, &str)] = &[
    ("openssl", "TLS is rustls"),
    ("openssl-sys", "TLS is rustls"),
    ("native-tls", "TLS is rustls"),
    ("aws-lc-rs", "a second C build; rustls uses ring"),
    ("aws-lc-sys", "a second C build; rustls uses ring"),
    ("rsa", "its timing leaks keys (RUSTSEC-2023-0071)"),
];

/// Packages that may come along once only, because they bring SQLite.
const SINGLE: &[&str] = &["rusqlite", "libsqlite3-sys"];

/// Packages that no list of advisories watches closely enough: each version was read by somebody before it came here,
/// together with what is known against it. Another version is a change of this line, made after the same.
const READ: &[(&str, &str, &str)] = &[
    (
        "tiny_http",
        "0.12.0",
        "abandoned; RUSTSEC-2020-0031 is fixed; CVE-2026-66752 (Transfer-Encoding) and CVE-2026-66753 (line ends in \
         headers) are not: the gate takes no such request, and Response::with lets no line end into a header",
    ),
    (
        "libsqlite3-sys",
        "0.40.0",
        "SQLite 3.54.1; its log could break a file from 3.7.0 to 3.51.2",
    ),
];

/// Licences under which code may become part of the binary. A new expression is
/// added here after it was read, even if it is made of known parts.
const LICENCES: &[&str] = &[
    "(MIT OR Apache-2.0) AND Unicode-3.0",
    "0BSD OR MIT OR Apache-2.0",
    "Apache-2.0",
    "Apache-2.0 AND ISC",
    "Apache-2.0 OR BSL-1.0",
    "Apache-2.0 OR ISC OR MIT",
    "Apache-2.0 OR MIT",
    "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
    "BSD-3-Clause",
    "CC0-1.0 OR MIT-0 OR Apache-2.0",
    "ISC",
    "MIT",
    "MIT OR Apache-2.0",
    "MIT OR Zlib OR Apache-2.0",
    "Unicode-3.0",
    "Unlicense OR MIT",
    "Zlib",
];

/// Packages under another licence, each with it and with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "option-ext",
    "MPL-2.0",
    "runs inside rust-embed's macro while we are compiled; no part of the binary",
)];

/// A package of Cargo.lock.
#[derive(Default)]
struct Locked {
    name: String,
    version: String,
    source: String,
    checksum: bool,
}

fn locked(lock: &str) -> Vec<Locked> {
    let blocks = lock.split("[[package]]").skip(1);
    let read = |block: &str| {
        let mut package = Locked::default();
        for line in block.lines() {
            let (key, value) = line.split_once(" = ").unwrap_or((line, ""));
            let value = value.trim_matches('"').to_owned();
            match key {
                "name" => package.name = value,
                "version" => package.version = value,
                "source" => package.source = value,
                "checksum" => package.checksum = true,
                _ => {}
            }
        }
        package
    };
    blocks.map(read).collect()
}

/// What is wrong with a lock file, a sentence each.
fn faults(lock: &str) -> Vec<String> {
    let packages = locked(lock);
    let mut faults = Vec::new();
    for Locked {
        name,
        version,
        source,
        checksum,
    } in &packages
    {
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| refused == name) {
            faults.push(format!("{name} is refused: {why}."));
        }
        if name == "rustls" && minor(version) < (0, 23) {
            faults.push(format!("rustls {version} is too old."));
        }
        if name != "doorward" && !(source.starts_with("registry+") && *checksum) {
            faults.push(format!("{name} is from {source:?}, not from the registry."));
        }
    }
    for single in SINGLE {
        let count = packages
            .iter()
            .filter(|package| package.name == *single)
            .count();
        if count != 1 {
            faults.push(format!("{single} is there {count} times."));
        }
    }
    for (name, version, _) in READ {
        let is_read = |package: &&Locked| package.name == *name && package.version != *version;
        if let Some(other) = packages.iter().find(is_read) {
            faults.push(format!(
                "{name} {} was not read: {version} was.",
                other.version
            ));
        }
    }
    let sources = packages.iter().map(|package| &package.source);
    let registries: BTreeSet<_> = sources
        .filter(|source| source.starts_with("registry+"))
        .collect();
    if registries.len() > 1 {
        faults.push("There is more than one registry.".to_owned());
    }
    faults
}

/// The first two numbers of a version.
fn minor(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// The dependency lines of a manifest that have no comment of their own above.
fn unexplained(manifest: &str) -> Vec<&str> {
    let mut section = "";
    let mut before = "";
    let mut unexplained = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.contains("dependencies]")
            && !line.is_empty()
            && !line.starts_with('#')
            && !before.starts_with("# ")
        {
            unexplained.push(line);
        }
        before = line;
    }
    unexplained
}

/// What was resolved for this platform. Cargo has all of it, or these tests would
/// not have been built.
fn metadata() -> Value {
    let version = Command::new(env!("CARGO"))
        .args(["version", "--verbose"])
        .output();
    let version = String::from_utf8(version.unwrap().stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version=1"])
        .args(["--filter-platform", host.unwrap()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_permitted(name: &str, licence: &str) -> bool {
    // The older way of writing OR.
    let licence = licence.replace(" / ", "/").replace('/', " OR ");
    LICENCES.contains(&licence.as_str())
        || EXCEPTIONS
            .iter()
            .any(|(known, its, _)| *known == name && *its == licence)
}

#[test]
fn the_lock_file_holds_nothing_refused() {
    assert_eq!(faults(LOCK), [""; 0]);
}

#[test]
fn a_bad_lock_file_is_refused() {
    let bad = r#"
[[package]]
name = "openssl-sys"
version = "0.9.1"
source = "registry+https://a.example"
checksum = "00"

[[package]]
name = "rustls"
version = "0.22.9"
source = "git+https://a.example/rustls"

[[package]]
name = "rusqlite"
version = "0.43.0"
source = "registry+https://a.example"
checksum = "00"

[[package]]
name = "rusqlite"
version = "0.42.0"
source = "registry+https://b.example"
checksum = "00"

[[package]]
name = "libsqlite3-sys"
version = "0.41.0"
source = "registry+https://a.example"
checksum = "00"
"#;
    let expected = [
        "openssl-sys is refused: TLS is rustls.",
        "rustls 0.22.9 is too old.",
        "rustls is from \"git+https://a.example/rustls\", not from the registry.",
        "rusqlite is there 2 times.",
        "libsqlite3-sys 0.41.0 was not read: 0.40.0 was.",
        "There is more than one registry.",
    ];
    assert_eq!(faults(bad), expected);
}

#[test]
fn everything_that_is_read_by_hand_is_there() {
    let packages = locked(LOCK);
    for (name, version, why) in READ {
        assert!(!why.is_empty());
        let is_it = |package: &Locked| package.name == *name && package.version == *version;
        assert!(packages.iter().any(is_it), "{name} {version}");
    }
}

#[test]
fn sqlite_is_the_one_that_was_read_and_none_that_breaks_files() {
    assert!(rusqlite::version_number() >= 3_051_003);
    // Ours alone: another one on the machine is not taken in its place.
    let (_, _, why) = READ[1];
    assert!(why.contains(rusqlite::version()));
    let libraries = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!libraries.contains("libsqlite3"), "{libraries}");
}

#[test]
fn every_licence_is_permitted() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{} packages", packages.len());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("no expression");
        assert!(is_permitted(name, licence), "{name}: {licence}");
    }
}

#[test]
fn an_unknown_licence_is_refused() {
    assert!(is_permitted("some", "MIT/Apache-2.0"));
    assert!(!is_permitted("some", "AGPL-3.0-only"));
    assert!(!is_permitted("some", "MPL-2.0"));
    assert!(!is_permitted("some", "no expression"));
}

#[test]
fn tiny_http_brings_no_tls() {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let is_it = |node: &&Value| node["id"].as_str().unwrap().contains("tiny_http@");
    let node = nodes.iter().find(is_it).unwrap();
    assert_eq!(node["features"], Value::Array(Vec::new()));
}

#[test]
fn every_dependency_says_why_it_is_there() {
    assert_eq!(unexplained(MANIFEST), [""; 0]);
    let bare = "[dev-dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n[lints]\nc = \"1\"";
    assert_eq!(unexplained(bare), ["b = \"1\""]);
}
