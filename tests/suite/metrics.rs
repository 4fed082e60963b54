//! What Prometheus is told: the names, what is counted when, and who may ask. And that the page about watching, the
//! dashboard and the alerts speak of what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write as _, stderr};
use std::process::{Command, Stdio};

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::mail::{Cause, Failure};
use doorward::kit::secret::Secret;
use doorward::watch::scrape;
use serde_json::Value;

use crate::client::Client;
use crate::portal::{OWNER, PASSWORD, Portal};
use crate::process::Launch;
use crate::served::{self, expect};
use crate::visitor::Visitor;
use crate::wait;

const GUIDE: &str = include_str!("../../packaging/watch.md");
const DASHBOARD: &str = include_str!("../../packaging/grafana-dashboard.json");
const ALERTS: &str = include_str!("../../packaging/alerts.yml");
const TOKEN: &str = "a-token-that-nobody-guesses";
const ANN: &str = "ann@fjord.example";

/// What `/metrics` must serve, under these very names, with these labels beside the bounds of a histogram.
const NAMES: [(&str, &str, &[&str]); 24] = [
    (
        "doorward_build_info",
        "gauge",
        &["version", "commit", "rustc"],
    ),
    (
        "doorward_http_requests_total",
        "counter",
        &["route", "method", "code"],
    ),
    (
        "doorward_http_request_duration_seconds",
        "histogram",
        &["route"],
    ),
    ("doorward_signins_total", "counter", &["method", "result"]),
    (
        "doorward_second_factor_total",
        "counter",
        &["type", "result"],
    ),
    ("doorward_accounts", "gauge", &["status"]),
    ("doorward_accounts_without_two_factor", "gauge", &[]),
    ("doorward_sessions_active", "gauge", &[]),
    ("doorward_mail_queue_messages", "gauge", &["state"]),
    ("doorward_mail_delivery_total", "counter", &["result"]),
    ("doorward_mail_oldest_waiting_seconds", "gauge", &[]),
    ("doorward_password_hash_duration_seconds", "histogram", &[]),
    ("doorward_db_size_bytes", "gauge", &[]),
    ("doorward_db_wal_size_bytes", "gauge", &[]),
    ("doorward_db_busy_total", "counter", &[]),
    (
        "doorward_backup_last_success_timestamp_seconds",
        "gauge",
        &[],
    ),
    ("doorward_backup_size_bytes", "gauge", &[]),
    ("process_cpu_seconds_total", "counter", &[]),
    ("process_resident_memory_bytes", "gauge", &[]),
    ("process_virtual_memory_bytes", "gauge", &[]),
    ("process_open_fds", "gauge", &[]),
    ("process_max_fds", "gauge", &[]),
    ("process_threads", "gauge", &[]),
    ("process_start_time_seconds", "gauge", &[]),
];

/// One scrape, understood: the type of each family, and the value of each series by its name and labels as written.
#[derive(Debug, Default)]
struct Scrape {
    kinds: BTreeMap<String, String>,
    series: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads the text format, strictly: a family has help, then its type, then its series; no series is there twice.
    #[track_caller]
    fn read(text: &str) -> Self {
        let mut scrape = Self::default();
        let mut helped = None;
        let mut family = String::new();
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(!words.is_empty(), "{line}");
                helped = Some(name.to_owned());
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(helped.take().as_deref(), Some(name), "{line}");
                let before = scrape.kinds.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{line} stands there twice");
                family = name.to_owned();
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let name = series.split('{').next().unwrap();
                let is_of_family = match scrape.kinds[&family].as_str() {
                    "histogram" => ["_bucket", "_sum", "_count"]
                        .iter()
                        .any(|end| name == format!("{family}{end}")),
                    _ => name == family,
                };
                assert!(is_of_family, "{line} stands under {family}");
                let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
                let before = scrape.series.insert(series.to_owned(), value);
                assert_eq!(before, None, "{line} stands there twice");
            }
        }
        scrape
    }

    #[track_caller]
    fn of(portal: &Portal) -> Self {
        Self::read(&scrape::text(&portal.app()).unwrap())
    }

    #[track_caller]
    fn value(&self, series: &str) -> f64 {
        *self
            .series
            .get(series)
            .unwrap_or_else(|| panic!("there is no {series}:\n{:#?}", self.series))
    }

    /// The labels of a family, but for the bound of a bucket.
    fn labels(&self, family: &str) -> BTreeSet<String> {
        let mut labels = BTreeSet::new();
        for series in self.series.keys() {
            let (name, rest) = series.split_once('{').unwrap_or((series, ""));
            let stem = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .filter(|_| {
                    self.kinds
                        .get(family)
                        .is_some_and(|kind| kind == "histogram")
                })
                .unwrap_or(name);
            if stem == family {
                let pairs = rest.trim_end_matches('}').split("\",");
                labels.extend(pairs.filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())));
            }
        }
        labels.remove("le");
        labels
    }
}

/// What promtool says to this; nothing where it is not installed. `tests/run` installs it.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the tests, not a setting"
)]
fn promtool(args: &[&str], input: &str) -> Option<String> {
    let spawned = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            let is_needed = std::env::var("DOORWARD_BROWSER").is_ok_and(|value| value == "1");
            assert!(!is_needed, "promtool: {error}");
            writeln!(stderr(), "promtool is not here: {error}").ok();
            return None;
        }
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{args:?}:\n{said}");
    Some(said)
}

/// Every name in a text that is one of ours or of the process, without the ends that histograms have.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let known: BTreeSet<&str> = NAMES.iter().map(|(name, ..)| *name).collect();
    words
        .filter(|word| word.starts_with("doorward_") || word.starts_with("process_"))
        .map(|word| {
            let stem = word.strip_suffix("_bucket").unwrap_or(word);
            if known.contains(stem) { stem } else { word }.to_owned()
        })
        .collect()
}

#[test]
fn every_metric_has_its_name_type_and_labels_and_promtool_takes_it() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.get("/").answers(200);
    let text = scrape::text(&portal.app()).unwrap();
    let scrape = Scrape::read(&text);
    let mut expected = BTreeMap::new();
    for (name, kind, labels) in &NAMES {
        expected.insert((*name).to_owned(), (*kind).to_owned());
        let labels: BTreeSet<String> = labels.iter().map(|&label| label.to_owned()).collect();
        assert_eq!(scrape.labels(name), labels, "{name}");
    }
    assert_eq!(scrape.kinds, expected);
    if let Some(said) = promtool(&["check", "metrics"], &text) {
        assert_eq!(said, "", "promtool has something to say");
    }
}

#[test]
fn sign_ins_and_codes_are_counted_by_what_became_of_them() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let count = |method: &str, result: &str| {
        let series = format!("doorward_signins_total{{method=\"{method}\",result=\"{result}\"}}");
        Scrape::of(&portal).value(&series)
    };
    let typed = |kind: &str, result: &str| {
        let series = format!("doorward_second_factor_total{{type=\"{kind}\",result=\"{result}\"}}");
        Scrape::of(&portal).value(&series)
    };
    assert_eq!(count("password", "ok"), 1.0);
    portal.visitor().try_password(OWNER, "Wrong-Horse-7!");
    portal.visitor().try_password("nobody@x.example", PASSWORD);
    assert_eq!(count("password", "bad_credentials"), 2.0);
    owner.enrol();
    assert_eq!(typed("totp", "ok"), 0.0, "a set-up is no sign-in");
    let mut half = portal.half(&owner);
    assert_eq!(count("password", "second_factor"), 1.0);
    let fields = [("code", "000000")];
    half.post("/sign-in/code", &fields).answers(422);
    assert_eq!(
        (typed("totp", "bad_code"), count("password", "ok")),
        (1.0, 1.0)
    );
    portal.travel(60);
    let code = half.code();
    half.post("/sign-in/code", &[("code", &code)]).answers(303);
    assert_eq!((typed("totp", "ok"), typed("recovery", "ok")), (1.0, 0.0));
    assert_eq!(count("recovery", "ok"), 0.0);
    for _ in 0..40 {
        portal.visitor().try_password(OWNER, "Wrong-Horse-7!");
    }
    assert!(count("password", "throttled") > 0.0);
    let hashes = Scrape::of(&portal).value("doorward_password_hash_duration_seconds_count");
    assert!(hashes >= 4.0, "{hashes}");
}

#[test]
fn requests_are_counted_by_the_pattern_of_their_address() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = portal.invite(&owner, Role::Member, ANN);
    owner.get(format!("/iam/accounts/{id}")).answers(200);
    owner.get("/iam/accounts/acc_bbbbbbbbbbbbb").answers(404);
    owner
        .get("/no/such/place?email=ann@fjord.example")
        .answers(404);
    owner.draft(Method::Get, "/%zz").send();
    let text = scrape::text(&portal.app()).unwrap();
    let scrape = Scrape::read(&text);
    let count = |labels: &str| scrape.value(&format!("doorward_http_requests_total{{{labels}}}"));
    assert_eq!(
        count(r#"route="/iam/accounts/{id}",method="GET",code="200""#),
        1.0
    );
    assert_eq!(
        count(r#"route="/iam/accounts/{id}",method="GET",code="404""#),
        1.0
    );
    assert_eq!(count(r#"route="unknown",method="GET",code="404""#), 1.0);
    assert_eq!(
        count(r#"route="/iam/accounts",method="POST",code="303""#),
        1.0
    );
    let long = r#"doorward_http_request_duration_seconds_count{route="/iam/accounts/{id}"}"#;
    assert_eq!(scrape.value(long), 2.0);
    for private in [&id.to_string(), "acc_", "ann", "fjord", "org_"] {
        assert!(!text.contains(private), "{private} stands in the metrics");
    }
    portal.work();
}

#[test]
fn the_gauges_tell_what_stands_in_the_file() {
    let portal = Portal::start();
    let owner = portal.owner();
    portal.member_of(&owner, Role::Member, ANN);
    portal.work();
    let before = Scrape::of(&portal);
    assert_eq!(before.value(r#"doorward_accounts{status="active"}"#), 2.0);
    assert_eq!(before.value(r#"doorward_accounts{status="pending"}"#), 0.0);
    assert_eq!(before.value("doorward_accounts_without_two_factor"), 2.0);
    assert_eq!(before.value("doorward_sessions_active"), 2.0);
    assert_eq!(
        before.value(r#"doorward_mail_queue_messages{state="waiting"}"#),
        0.0
    );
    assert_eq!(before.value("doorward_mail_oldest_waiting_seconds"), 0.0);
    assert_eq!(
        before.value("doorward_backup_last_success_timestamp_seconds"),
        0.0
    );
    let size = before.value("doorward_db_size_bytes") + before.value("doorward_db_wal_size_bytes");
    assert!(size > 100_000.0, "{size}");
    let sent = before.value(r#"doorward_mail_delivery_total{result="sent"}"#);

    portal.mailbox().fail(Some(Failure::Relay(
        Cause::Service,
        "the relay is down".to_owned(),
    )));
    portal.invite(&owner, Role::Member, "bea@fjord.example");
    portal.work();
    portal.travel(20);
    let now = portal.app().now().0;
    portal.tamper(&format!(
        "INSERT INTO backups (cause, began_at, ended_at, place, bytes, failure)
         VALUES ('nightly', {now} - 70, {now} - 60, '/b', 4711, NULL), ('nightly', {now}, {now}, '/c', NULL, 'full')"
    ));
    let after = Scrape::of(&portal);
    assert_eq!(after.value(r#"doorward_accounts{status="pending"}"#), 1.0);
    assert_eq!(
        after.value(r#"doorward_mail_queue_messages{state="waiting"}"#),
        1.0
    );
    assert_eq!(after.value("doorward_mail_oldest_waiting_seconds"), 20.0);
    assert_eq!(
        after.value(r#"doorward_mail_delivery_total{result="relay_failed"}"#),
        1.0
    );
    assert_eq!(
        after.value(r#"doorward_mail_delivery_total{result="sent"}"#),
        sent
    );
    let at = after.value("doorward_backup_last_success_timestamp_seconds");
    assert_eq!(at, (now - 60) as f64);
    assert_eq!(after.value("doorward_backup_size_bytes"), 4_711.0);
    portal.mailbox().fail(None);
    portal.travel(60);
}

/// Somebody who asks for the metrics at the public address, and shows this.
fn ask<'v>(visitor: &'v mut Visitor, authorization: Option<&str>) -> &'v mut Visitor {
    let draft = visitor.draft(Method::Get, "/metrics");
    match authorization {
        Some(shown) => draft.header("authorization", shown).send(),
        None => draft.send(),
    }
}

#[test]
fn at_the_public_address_the_token_opens_it_and_nobody_else_finds_it() {
    let portal = Portal::build()
        .settings(|settings| settings.metrics_token = Some(Secret::new(TOKEN.to_owned())))
        .start();
    let right = format!("Bearer {TOKEN}");
    let mut owner = portal.owner();
    owner.get("/metrics").answers(404);
    // But for the id of the request.
    let shown = |visitor: &Visitor| {
        let text = visitor.text();
        let (before, after) = text.split_once(" Request ").unwrap();
        format!("{before}{}", after.split_once(' ').unwrap().1)
    };
    let absent = shown(owner.get("/metrics-of-another").answers(404));
    assert_eq!(shown(owner.get("/metrics")), absent);
    let mut scraper = portal.visitor();
    ask(&mut scraper, Some("Basic YTpi")).answers(404);
    ask(&mut scraper, Some(TOKEN)).answers(404);
    ask(&mut scraper, Some(&right)).answers(200);
    assert_eq!(
        scraper.header("content-type").unwrap(),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    Scrape::read(&scraper.html());
    let posted = scraper.draft(Method::Post, "/metrics");
    posted.header("authorization", &right).send().answers(405);
    for wrong in [
        "Bearer ",
        "Bearer a-token",
        &format!("{right}x"),
        "Bearer \u{7f}",
    ] {
        ask(&mut scraper, Some(wrong)).answers(401);
        assert_eq!(scraper.header("www-authenticate").unwrap(), "Bearer");
    }
    // Scrapes are for ever and cost nothing; guesses are few, and then the right one waits as well.
    let rows = || portal.ask::<i64>("SELECT count(*) FROM throttles")[0];
    portal.work();
    let before = rows();
    for _ in 0..200 {
        let mut other = portal.visitor();
        ask(&mut other, Some(&right)).answers(200);
    }
    portal.work();
    assert_eq!(rows(), before);
    let tries: Vec<u16> = (0..80)
        .map(|_| ask(&mut scraper, Some("Bearer guess")).status())
        .collect();
    let judged = tries.iter().filter(|status| **status == 401).count();
    assert_eq!((judged, tries[79]), (56, 429));
    ask(&mut scraper, Some(&right)).answers(429);
    assert!(scraper.header("retry-after").is_some());
    ask(&mut portal.visitor(), Some(&right)).answers(200);
    portal.travel(61);
    ask(&mut scraper, Some(&right)).answers(200);
}

#[test]
fn without_a_token_there_is_nothing_to_show_one_to() {
    let portal = Portal::start();
    let mut scraper = portal.visitor();
    ask(&mut scraper, Some("Bearer anything-at-all-of-16")).answers(404);
    ask(&mut scraper, Some("Bearer ")).answers(404);
    ask(&mut scraper, None).answers(404);
}

#[test]
fn a_port_of_its_own_serves_metrics_and_nothing_else() {
    // Another loopback address, so that the first one that is named is the portal's.
    let process = Launch::serve()
        .arg("--metrics-listen")
        .arg("127.0.0.2:0")
        .start();
    let found = wait::until(std::time::Duration::from_secs(10), || {
        let output = process.output();
        let (_, after) = output.split_once("\"address\":\"127.0.0.2:")?;
        Some(format!("http://127.0.0.2:{}", after.split('"').next()?))
    });
    let mut scraper = Client::new(&found.unwrap());
    served::found(&process);
    let page = expect(scraper.send("GET", "/metrics", &[], ""), 200);
    let scrape = Scrape::read(&page.body);
    assert_eq!(
        scrape.value(r#"doorward_signins_total{method="password",result="ok"}"#),
        1.0
    );
    assert!(scrape.value("process_threads") > 48.0);
    if let Some(said) = promtool(&["check", "metrics"], &page.body) {
        assert_eq!(said, "", "promtool has something to say");
    }
    for path in [
        "/",
        "/sign-in",
        "/healthz",
        "/readyz",
        "/iam/accounts",
        "/metrics/x",
    ] {
        expect(scraper.send("GET", path, &[], ""), 404);
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    expect(scraper.send("POST", "/metrics", &form, "a=b"), 405);
    let head = expect(scraper.send("HEAD", "/metrics", &[], ""), 200);
    assert_eq!(head.body, "");
    // It is not counted as what people ask for, and is not at the public address.
    let page = scraper.send("GET", "/metrics", &[], "");
    assert!(!page.body.contains("route=\"/metrics\""), "{}", page.body);
    expect(Client::new(process.address()).get("/metrics"), 404);
}

#[test]
fn a_metrics_port_that_is_taken_is_named_by_its_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Launch::serve()
        .arg("--metrics-listen")
        .arg(&address)
        .try_start()
        .unwrap_err();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.output);
    assert!(
        ended.output.contains("--metrics-listen"),
        "{}",
        ended.output
    );
}

#[test]
fn guide_dashboard_and_alerts_speak_of_what_is_served() {
    let served: BTreeSet<String> = NAMES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let mut told = BTreeMap::new();
    for line in GUIDE.lines() {
        let mut cells = line.split('|').skip(1);
        if let (Some(name), Some(kind)) = (cells.next(), cells.next())
            && let Some(name) = name.trim().strip_prefix('`')
            && (name.starts_with("doorward_") || name.starts_with("process_"))
        {
            told.insert(
                name.trim_end_matches('`').to_owned(),
                kind.trim().to_owned(),
            );
        }
    }
    for (name, kind, _) in &NAMES {
        assert_eq!(told.get(*name).map(String::as_str), Some(*kind), "{name}");
    }
    assert_eq!(told.len(), served.len(), "{told:?}");
    assert_eq!(names_in(DASHBOARD), served);
    let alerts = names_in(ALERTS);
    assert!(alerts.is_subset(&served), "{alerts:?}");
    assert_eq!(ALERTS.matches("- alert: ").count(), 4);
    for alert in ALERTS.split("- alert: ").skip(1) {
        let name = alert.lines().next().unwrap();
        assert!(GUIDE.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn the_dashboard_is_whole_and_the_alerts_ring_when_they_should() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<i64> = panels
        .iter()
        .map(|panel| panel["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let expr = target["expr"].as_str().unwrap();
            assert!(expr.contains("job=~\"$job\""), "{expr}");
        }
        let place = &panel["gridPos"];
        let right = place["x"].as_i64().unwrap() + place["w"].as_i64().unwrap();
        assert!(right <= 24, "{panel}");
    }
    if promtool(&["check", "rules", "packaging/alerts.yml"], "").is_some() {
        promtool(&["test", "rules", "packaging/alerts.test.yml"], "");
    }
}
