//! The audit log of a large organisation: a million events, appended by the program's own code; each page and filter, what an
//! append costs, and what the words of the index take of the file.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use doorward::audit::{self, Action, Event};
use doorward::domain::email::Email;
use doorward::domain::id::{AccountId, OrganisationId};
use doorward::kit::db::{Db, World};
use doorward::kit::keys::Keys;
use doorward::kit::random::OsRandom;
use doorward::kit::time::{Clock as _, SystemClock, Timestamp, instant};
use doorward::migrations::{self, DATABASE, Origin};
use doorward::scope::{Actor, By};
use rusqlite::{Connection, OpenFlags};

use crate::Result;
use crate::seed;
use crate::server::Server;
use crate::table::{Aim, Row, median};
use crate::wrk::Load;

/// Events of the one organisation.
const EVENTS: usize = 1_000_000;
/// Appended in one transaction.
const BATCH: usize = 5_000;
const ACCOUNTS: usize = 1_000;
const ROUNDS: usize = 3;
/// The most that all but one in a hundred may take, in milliseconds.
const P99_MOST: f64 = 50.0;
/// Appends that are timed one by one, each in a transaction of its own.
const APPENDS: usize = 500;

/// What is done, and how many of a thousand events are it.
const MIX: [(Action, usize); 12] = [
    (Action::SignedIn, 380),
    (Action::SignedOut, 200),
    (Action::SignInFailed, 150),
    (Action::CodeAsked, 100),
    (Action::ResourceCreated, 60),
    (Action::ResourceEnded, 50),
    (Action::ProfileChanged, 30),
    (Action::AccountCreated, 15),
    (Action::AccountActivated, 10),
    (Action::Denied, 3),
    (Action::RoleChanged, 1),
    (Action::InvoiceIssued, 1),
];

/// Numbers that look drawn by lot, and are the same every time.
struct Lot(u64);

impl Lot {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % count.max(1)
    }
}

/// Who acts, and on whom.
struct Person {
    id: AccountId,
    email: Email,
}

/// The pages, then the cost of an append.
pub(crate) fn rows(folder: &Path) -> Result<Vec<Row>> {
    let data = folder.join("log");
    let cookies = seed::tenants(&data, 1, ACCOUNTS, |_| Ok(()))?;
    let cookie = cookies.first().ok_or("no organisation")?;
    let (organisation, people) = people(&data)?;
    let origin = Origin::new(SystemClock::new().now(), &OsRandom);
    let (opened, _) = migrations::open_to_serve(&data, origin)?;
    let keys = opened.keys.clone();
    let db = opened.db;
    let took = append_all(&db, &keys, organisation, &people)?;
    let now = SystemClock::new().now();
    let began = instant();
    let verdict = db.read(now, |read| audit::verify(read, &keys))?;
    let verified = began.elapsed();
    if !verdict.faults.is_empty() {
        return Err(format!("{:?}", verdict.faults).into());
    }
    let mut rows = vec![
        Row::new(
            "1,000,000 events appended, 5,000 a transaction",
            format!(
                "{:.0} s, {:.0} µs each",
                took.as_secs_f64(),
                took.as_secs_f64()
            ),
        ),
        Row::new(
            "audit verify of them",
            format!("{} rows, {:.1} s", verdict.rows, verified.as_secs_f64()),
        ),
    ];
    rows.push(sizes(&db, &data)?);
    rows.extend(appends(&db, &keys, organisation, &people)?);
    db.checkpoint()?;
    drop(db);
    rows.extend(pages(&data, cookie, &people)?);
    Ok(rows)
}

fn people(data: &Path) -> Result<(OrganisationId, Vec<Person>)> {
    let conn = look(data)?;
    let organisation = conn.query_row("SELECT id FROM organisations", [], |row| row.get(0))?;
    let mut list =
        conn.prepare("SELECT id, email FROM accounts WHERE email IS NOT NULL ORDER BY id")?;
    let people = list
        .query_map([], |row| {
            Ok(Person {
                id: row.get(0)?,
                email: row.get(1)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok((organisation, people))
}

fn append_all(
    db: &Db,
    keys: &Keys,
    organisation: OrganisationId,
    people: &[Person],
) -> Result<Duration> {
    let mut lot = Lot(0x9e37_79b9_7f4a_7c15);
    let now = SystemClock::new().now();
    let began = instant();
    for batch in 0..EVENTS / BATCH {
        let first = batch * BATCH;
        db.write(world(now, keys), |tx| {
            for place in first..first + BATCH {
                let (by, event) = drawn(&mut lot, organisation, people, place);
                let _recorded = audit::record(tx, &by, &event, ())?;
            }
            Ok::<_, doorward::error::Error>(())
        })?;
    }
    Ok(began.elapsed())
}

fn world(now: Timestamp, keys: &Keys) -> World<'_> {
    World {
        now,
        random: &OsRandom,
        keys,
        mail_domain: "example.com",
    }
}

/// One event: a third is done by the first of the people, who never creates a resource.
fn drawn(
    lot: &mut Lot,
    organisation: OrganisationId,
    people: &[Person],
    place: usize,
) -> (By, Event) {
    let draw = lot.below(1_000);
    let mut sum = 0;
    let mut action = Action::SignedIn;
    for (one, share) in MIX {
        sum += share;
        if draw < sum {
            action = one;
            break;
        }
    }
    let is_first = lot.below(3) == 0;
    if is_first && action == Action::ResourceCreated {
        action = Action::SignedIn;
    }
    let actor = if is_first { 0 } else { lot.below(people.len()) };
    let target = lot.below(people.len());
    let octets =
        [lot.below(4), lot.below(256), lot.below(256)].map(|part| u8::try_from(part).unwrap_or(0));
    let address = std::net::Ipv4Addr::new(10, octets[0], octets[1], octets[2]);
    let by = By {
        actor: match people.get(actor) {
            Some(person) if action != Action::SignInFailed => Actor::Account {
                id: person.id,
                email: person.email.clone(),
                session: None,
            },
            _ => Actor::Stranger,
        },
        address: Some(address.into()),
        request_id: request_id(lot),
    };
    let event = Event::of(organisation, action);
    let event = match (action, people.get(target)) {
        (Action::ResourceCreated | Action::ResourceEnded, _) => {
            event.on_text(format!("server-{}", place / 7))
        }
        (Action::InvoiceIssued, _) => event.with("invoice", "INV-2026-001"),
        (_, Some(person)) => event.on(person.id, &person.email),
        (_, None) => event,
    };
    (by, event.with("agent", "Firefox on Linux"))
}

fn request_id(lot: &mut Lot) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..16)
        .map(|_| char::from(LETTERS.get(lot.below(32)).copied().unwrap_or(b'a')))
        .collect()
}

fn sizes(db: &Db, data: &Path) -> Result<Row> {
    db.checkpoint()?;
    let file = std::fs::metadata(data.join(DATABASE))?.len();
    let conn = look(data)?;
    let of = |tables: &str| -> Result<i64> {
        let sql = format!("SELECT coalesce(sum(length(block)), 0) FROM {tables}");
        Ok(conn.query_row(&sql, [], |row| row.get(0))?)
    };
    let index = of("audit_index_data")?;
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    let (file, index) = (
        f64::from(u32::try_from(file)?),
        f64::from(u32::try_from(index)?),
    );
    Ok(Row::new(
        "the file with them",
        format!(
            "{:.0} MiB, {:.0} bytes an event; the index's words {:.0} MiB, {:.0} bytes an event",
            mib(file),
            file / 1e6,
            mib(index),
            index / 1e6
        ),
    ))
}

/// One append in a transaction of its own, with the index and without; durable, so the disk has most of it.
fn appends(
    db: &Db,
    keys: &Keys,
    organisation: OrganisationId,
    people: &[Person],
) -> Result<Vec<Row>> {
    let mut lot = Lot(7);
    let now = SystemClock::new().now();
    let mut taken = Vec::with_capacity(APPENDS);
    let mut inner = Vec::with_capacity(APPENDS);
    for place in 0..APPENDS {
        let (by, event) = drawn(&mut lot, organisation, people, place);
        let began = instant();
        let within = db.write(world(now, keys), |tx| {
            let began = instant();
            let _recorded = audit::record(tx, &by, &event, ())?;
            Ok::<_, doorward::error::Error>(began.elapsed())
        })?;
        taken.push(began.elapsed().as_secs_f64() * 1e3);
        inner.push(within.as_secs_f64() * 1e6);
    }
    let p99 = crate::table::percentile(taken.clone(), 99);
    Ok(vec![Row::new(
        "one append behind them, durable",
        format!(
            "p50 {:.2} ms, p99 {p99:.2} ms; of it before the commit {:.0} µs",
            median(taken),
            median(inner)
        ),
    )])
}

fn pages(data: &Path, cookie: &str, people: &[Person]) -> Result<Vec<Row>> {
    let first = people.first().ok_or("nobody")?;
    let local = first
        .email
        .as_str()
        .split('@')
        .next()
        .unwrap_or_default()
        .to_owned();
    let last_request: String = look(data)?.query_row(
        "SELECT request_id FROM audit_events WHERE number = 12345 AND chain_id <> 0",
        [],
        |row| row.get(0),
    )?;
    let server = Server::start(data, &[])?;
    let session = format!("Cookie: session={cookie}");
    let id = first.id;
    let asked: Vec<(&str, String)> = vec![
        ("newest", "/audit".to_owned()),
        ("cursor in the middle", "/audit?before=500000".to_owned()),
        ("cursor at the beginning", "/audit?before=60".to_owned()),
        ("who: a third of all", format!("/audit?who={id}")),
        ("what: a group", "/audit?what=sign-ins".to_owned()),
        ("what: rare", "/audit?what=role.changed".to_owned()),
        ("result: refused", "/audit?result=refused".to_owned()),
        ("result: done", "/audit?result=done".to_owned()),
        (
            "a group, deep",
            "/audit?what=sign-ins&before=1000".to_owned(),
        ),
        (
            "rare and common",
            format!("/audit?what=role.changed&who={id}"),
        ),
        (
            "common and common that never meet",
            format!("/audit?what=resource.created&who={id}"),
        ),
        (
            "the same with words",
            format!("/audit?what=resource.created&who={id}&q=example"),
        ),
        ("target", format!("/audit?target={id}")),
        ("word of every event", "/audit?q=example".to_owned()),
        (
            "beginning of a word of every event",
            "/audit?q=exampl".to_owned(),
        ),
        ("beginning of very many words", "/audit?q=se".to_owned()),
        ("beginning of many numbers", "/audit?q=10.1".to_owned()),
        ("network address", "/audit?q=10.1.77.200".to_owned()),
        ("somebody's name", format!("/audit?q={local}")),
        ("one old request", format!("/audit?q={last_request}")),
        ("word of no event", "/audit?q=nothinglikethat".to_owned()),
        ("eight words", "/audit?q=10+1+example+a+b+c+d+e".to_owned()),
        (
            "days",
            "/audit?from=2020-01-01&to=2098-01-01&what=accounts".to_owned(),
        ),
        ("days of the past", "/audit?to=2001-01-01".to_owned()),
        ("one event", "/audit/500000".to_owned()),
    ];
    let mut rows = Vec::new();
    for (name, path) in &asked {
        server.client()?.get(path, &[&session])?.expect(200)?;
        let load = Load {
            port: server.port(),
            path,
            cookie,
            clients: 1,
            seconds: 2,
        };
        let (mut costs, mut halves, mut tails) = (vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let (seen, cost) = load.run_on(server.id())?;
            costs.push(cost / 1e3);
            halves.push(seen.p50);
            tails.push(seen.p99);
        }
        let tail = median(tails);
        let text = format!(
            "p50 {:.1} ms, p99 {tail:.1} ms, processor {:.1} ms",
            median(halves),
            median(costs)
        );
        rows.push(Row::new(&format!("1,000,000 events, {name}"), text).judged(
            tail,
            Aim::AtMost(P99_MOST),
            "ms",
        ));
    }
    for path in ["/audit.csv", "/audit.jsonl"] {
        let began = instant();
        let mut stream = TcpStream::connect(("127.0.0.1", server.port()))?;
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: localhost\r\n{session}\r\n\r\n"
        )?;
        let length = io::copy(&mut stream, &mut io::sink())?;
        let took = began.elapsed().as_secs_f64();
        let mib = f64::from(u32::try_from(length)?) / f64::from(1 << 20);
        let memory = crate::process::memory(server.id())?;
        rows.push(Row::new(
            &format!("1,000,000 events, {path}"),
            format!(
                "{mib:.0} MiB in {took:.1} s; the server's RSS after it {:.1} MiB",
                memory.resident
            ),
        ));
    }
    server.stop()?;
    Ok(rows)
}

fn look(data: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(data.join(DATABASE), flags)?)
}
