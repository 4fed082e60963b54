//! The rules of the house that no linter knows. Each names the file, the line and the rule it breaks.
//!
//! What is allowed where stands in the tables at the top: whoever needs more says so there.

mod slugs;
mod source;

use std::collections::BTreeSet;
use std::fs;

use source::{Source, all};

/// One order for everything, low to high; an arrow may only point down. Modules on one line are equals, and do not
/// know each other. A capability stands twice: here with its face and its statements, and in [`PAGES`].
const ORDER: [&[&str]; 34] = [
    &["kit"],
    &["domain"],
    &["error", "routes"],
    &["scope"],
    &["audit"],
    &["outbox"],
    &["organisations"],
    &["accounts"],
    &["passwords"],
    &["two_factor"],
    &["sessions"],
    &["invitations"],
    &["imports"],
    &["profile"],
    &["lifecycle"],
    &["ownership", "selection", "settings"],
    &["erasing"],
    &["setup"],
    &["catalogue"],
    &["resources"],
    &["billing"],
    &["leaving"],
    &["backups"],
    &["dashboard", "help", "roles"],
    &["migrations"],
    &["metrics"],
    &["app"],
    &["watch"],
    &["visit"],
    &["layout"],
    &["error_page"],
    &[PAGES],
    &["dispatch"],
    &["door"],
];

/// What stands above the door, low to high; these may know whatever is below.
const ABOVE: [&str; 6] = ["worker", "config", "serve", "demo", "cli", "main"];

/// Where pages, views and mails of all capabilities stand: above every face.
const PAGES: &str = "pages";

/// What each capability may consist of, as files or as folders.
const PARTS: [&str; 6] = ["mod", "sql", "pages", "views", "mail", "tests"];

/// The parts that have a reason of their own.
const OTHER_PARTS: [&str; 9] = [
    "src/accounts/guards.rs",
    "src/audit/chain.rs",
    "src/audit/erase.rs",
    "src/audit/export.rs",
    "src/audit/prune.rs",
    "src/audit/search.rs",
    "src/catalogue/file.rs",
    "src/imports/file.rs",
    "src/resources/charges.rs",
];

/// Where markup is written that maud does not escape, and why that is safe.
const PREESCAPED: [(&str, &str); 1] = [(
    "src/kit/mail/letter.rs",
    "the style sheet of mails, a constant",
)];

/// Who may name what: a crate or a type, and the files in which it may stand.
const KEPT_TO: [(&str, &[&str]); 15] = [
    (
        "rusqlite",
        &[
            "src/kit/db/",
            "src/domain/",
            "sql.rs",
            "/sql/",
            "src/migrations/",
        ],
    ),
    (
        "tiny_http",
        &[
            "src/kit/http/server.rs",
            "src/kit/http/keeper.rs",
            "src/kit/http/gate/slot.rs",
        ],
    ),
    (
        "mio",
        &[
            "src/kit/http/gate/",
            "src/kit/http/server.rs",
            "src/kit/http/keeper.rs",
        ],
    ),
    ("tokio", &["src/kit/mail/smtp/"]),
    ("mail_send", &["src/kit/mail/smtp/", "src/kit/mail/wire/"]),
    (
        "rustls",
        &[
            "src/kit/http/tls/",
            "src/kit/http/gate/line.rs",
            "src/kit/http/ask.rs",
            "src/kit/mail/smtp/",
            "src/cli/doctor/public.rs",
        ],
    ),
    ("simple_dns", &["src/kit/dns.rs"]),
    // The crate has the name of our own module.
    ("WriterBuilder", &["src/kit/csv.rs"]),
    ("getrandom", &["src/kit/random.rs"]),
    ("argon2", &["src/kit/hasher.rs"]),
    ("totp_rs", &["src/kit/totp.rs"]),
    ("chacha20poly1305", &["src/kit/seal.rs"]),
    ("qrcodegen", &["src/kit/qr.rs"]),
    (
        "prometheus_client",
        &["src/metrics.rs", "src/watch/scrape.rs", "src/kit/hasher.rs"],
    ),
    ("sd_notify", &["src/kit/notify.rs"]),
];

/// The capabilities: folders with a face.
fn capabilities() -> BTreeSet<&'static str> {
    let from = ORDER
        .iter()
        .position(|line| line.contains(&"audit"))
        .unwrap();
    let to = ORDER
        .iter()
        .position(|line| line.contains(&"migrations"))
        .unwrap();
    ORDER[from..to]
        .iter()
        .flat_map(|line| line.iter().copied())
        .collect()
}

/// How high a module stands; none for one that nobody gave a place.
fn height(module: &str) -> Option<usize> {
    ORDER
        .iter()
        .position(|line| line.contains(&module))
        .or_else(|| {
            ABOVE
                .iter()
                .position(|one| *one == module)
                .map(|at| ORDER.len() + at)
        })
}

/// Which module of the order this is: a top-level one, or what draws and answers in a capability.
fn module<'p>(capabilities: &BTreeSet<&str>, path: &[&'p str]) -> Option<&'p str> {
    let first = *path.first()?;
    let is_upper = matches!(path.get(1), Some(&("pages" | "views" | "mail")));
    Some(if capabilities.contains(first) && is_upper {
        PAGES
    } else {
        first
    })
}

/// The path of a file as its module's: `src/accounts/pages.rs` is `accounts`, `pages`.
fn of_file(path: &str) -> Vec<&str> {
    let inside = path.strip_prefix("src/").unwrap();
    let parts = inside.strip_suffix(".rs").unwrap().split('/');
    parts.filter(|part| *part != "mod").collect()
}

/// Imports that point up, or sideways.
fn arrows(source: &Source) -> Vec<String> {
    let capabilities = capabilities();
    if source.is_test() || source.path == "src/lib.rs" {
        return Vec::new();
    }
    let own = of_file(&source.path);
    let Some(from) = module(&capabilities, &own) else {
        return Vec::new();
    };
    let Some(from_height) = height(from) else {
        return vec![format!(
            "{}:1: the module {from} has no place in the order of imports",
            source.path
        )];
    };
    let mut wrong = Vec::new();
    for (line, path) in source.paths() {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let Some(to) = module(&capabilities, &path) else {
            continue;
        };
        let why = match height(to) {
            None => Some(format!(
                "the module {to} has no place in the order of imports"
            )),
            Some(height) if height > from_height => {
                Some(format!("{from} stands below {to} and may not know it"))
            }
            Some(height) if height == from_height && to != from => {
                Some(format!("{from} and {to} stand beside each other"))
            }
            Some(_) => None,
        };
        let why = why.or_else(|| from_view(&own, &path));
        wrong.extend(why.map(|why| format!("{}:{line}: {why} ({})", source.path, path.join("::"))));
    }
    wrong
}

/// What a view may not know: it makes markup of data, and asks nobody.
fn from_view(own: &[&str], path: &[&str]) -> Option<String> {
    if own.get(1) != Some(&"views") {
        return None;
    }
    let is_asking = matches!(
        path,
        ["app" | "visit" | "layout" | "error_page", ..]
            | [
                "kit",
                "db" | "keys" | "mail" | "throttle" | "hasher" | "random",
                ..
            ]
            | [_, "pages" | "sql" | "mail", ..]
    );
    is_asking.then(|| "a view is a function from data to markup".to_owned())
}

/// Statements outside the files that own them.
fn statements(source: &Source) -> Vec<String> {
    let owns = |path: &str| {
        path.ends_with("/sql.rs")
            || path.contains("/sql/")
            || path.starts_with("src/kit/db/")
            || path.starts_with("src/migrations/")
    };
    if source.is_test() || owns(&source.path) {
        return Vec::new();
    }
    const VERBS: [&str; 11] = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "REPLACE ", "CREATE ", "ALTER ", "DROP ",
        "PRAGMA ", "WITH ", "BEGIN",
    ];
    let is_statement = |text: &str| {
        let text = text.trim_start().replace('\n', " ");
        VERBS.iter().any(|verb| text.starts_with(verb))
    };
    let texts = source.texts.iter().filter(|(_, text)| is_statement(text));
    texts
        .map(|(line, _)| {
            format!(
                "{}:{line}: statements stand in the owner's sql.rs",
                source.path
            )
        })
        .collect()
}

/// Crates outside the files that they are kept to.
fn quarantines(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for (word, files) in KEPT_TO {
        let may = files.iter().any(|file| source.path.contains(file));
        if may || source.is_test() {
            continue;
        }
        for line in source.lines_with(word) {
            wrong.push(format!(
                "{}:{line}: only {} may name {word}",
                source.path,
                files.join(", ")
            ));
        }
    }
    wrong
}

/// Doors that only a few may use.
fn doors(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut kept = |word: &str, files: &[&str], why: &str| {
        if !files.iter().any(|file| source.path.starts_with(file)) && !source.is_test() {
            for line in source.lines_with(word) {
                wrong.push(format!("{}:{line}: {why}", source.path));
            }
        }
    };
    kept(
        "housekeep",
        &[
            "src/app.rs",
            "src/door.rs",
            "src/worker.rs",
            "src/serve.rs",
            "src/cli/",
        ],
        "only the door and the worker write without a record",
    );
    kept(
        "Db",
        &[
            "src/kit/db/",
            "src/app.rs",
            "src/migrations/",
            "src/serve.rs",
            "src/cli/",
        ],
        "only the application and the command line hold the file",
    );
    let files = PREESCAPED.map(|(file, _)| file);
    kept(
        "PreEscaped",
        &files,
        "markup is escaped, unless the list in tidy says why not",
    );
    wrong
}

/// What every file begins with, and what none may hold.
fn prose(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    // Unit tests are part of the module whose name they bear; the library's page is ARCHITECTURE.md.
    let is_headed = source.text.starts_with("//! ")
        || source.path == "src/lib.rs"
        || source.path.starts_with("src/") && source.is_test();
    if !is_headed {
        wrong.push(format!(
            "{}:1: a file begins by saying what it is for (//!)",
            source.path
        ));
    }
    for (at, line) in source.text.lines().enumerate() {
        let words = ["TO-DO", "FIX-ME", "XX-X"].map(|word| word.replace('-', ""));
        if words.iter().any(|word| line.contains(word.as_str())) || line.trim() == "/// x" {
            wrong.push(format!(
                "{}:{}: what is not done does not stand in the code",
                source.path,
                at + 1
            ));
        }
    }
    wrong
}

/// Asserts that no source breaks the rule.
fn hold(rule: fn(&Source) -> Vec<String>, sources: &[Source]) {
    let wrong: Vec<String> = sources.iter().flat_map(rule).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn imports_point_down() {
    hold(arrows, &all("src", "rs"));
}

#[test]
fn statements_stand_with_their_owner() {
    hold(statements, &all("src", "rs"));
}

#[test]
fn dangerous_crates_stay_where_they_are_guarded() {
    hold(quarantines, &all("src", "rs"));
}

#[test]
fn a_few_doors_are_used_by_few() {
    hold(doors, &all("src", "rs"));
}

#[test]
fn every_file_says_what_it_is_for_and_is_finished() {
    hold(prose, &all("src", "rs"));
    hold(prose, &all("tests", "rs"));
}

#[test]
fn capabilities_are_made_of_the_same_parts() {
    let mut wrong = Vec::new();
    for capability in capabilities() {
        for entry in fs::read_dir(format!("src/{capability}")).unwrap() {
            let path = entry.unwrap().path();
            let path = path.to_str().unwrap();
            let name = path.rsplit('/').next().unwrap();
            let part = name.strip_suffix(".rs").unwrap_or(name);
            if !PARTS.contains(&part) && !OTHER_PARTS.contains(&path) {
                wrong.push(format!("{path}:1: a capability has no part of this name"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn exceptions_that_nobody_needs_are_gone() {
    for path in OTHER_PARTS {
        assert!(fs::exists(path).unwrap(), "{path} is not there any more");
    }
    for (path, _) in PREESCAPED {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains("PreEscaped"), "{path} needs no exception");
    }
    for (_, files) in KEPT_TO {
        for file in files.iter().filter(|file| file.starts_with("src/")) {
            assert!(fs::exists(file).unwrap(), "{file} is not there any more");
        }
    }
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let found =
        |rule: fn(&Source) -> Vec<String>, path: &str, text: &str| rule(&Source::new(path, text));
    for (path, text) in [
        ("src/kit/time.rs", "use crate::domain::email::Email;"),
        (
            "src/accounts/mod.rs",
            "use crate::{\n    error::Error,\n    sessions::{self},\n};",
        ),
        ("src/accounts/sql.rs", "use crate::accounts::pages::index;"),
        ("src/error.rs", "use crate::routes::Route;"),
        ("src/door.rs", "fn f() { crate::worker::run() }"),
        ("src/accounts/views.rs", "use crate::visit::Visit;"),
        ("src/accounts/views/list.rs", "use crate::kit::db::Read;"),
        ("src/helpers.rs", ""),
        ("src/door.rs", "use crate::helpers;"),
    ] {
        assert_eq!(found(arrows, path, text).len(), 1, "{path} {text}");
    }
    assert_eq!(
        found(arrows, "src/passwords/mail.rs", "use crate::app::Settings;"),
        [""; 0]
    );
    let statement = "fn f() {\n    g(\"\n  SELECT 1\");\n}";
    assert_eq!(
        found(statements, "src/accounts/pages.rs", statement),
        ["src/accounts/pages.rs:2: statements stand in the owner's sql.rs"]
    );
    assert_eq!(found(statements, "src/accounts/sql.rs", statement), [""; 0]);
    assert_eq!(
        found(
            quarantines,
            "src/app.rs",
            "use rusqlite::Connection;\nuse tokio::net;"
        )
        .len(),
        2
    );
    assert_eq!(
        found(
            doors,
            "src/accounts/pages.rs",
            "fn f() { app.housekeep(now, work) }"
        )
        .len(),
        1
    );
    assert_eq!(
        found(doors, "src/help/views.rs", "use maud::PreEscaped;").len(),
        1
    );
    assert_eq!(found(prose, "src/app.rs", "use a;\n/// x\n").len(), 2);
}
