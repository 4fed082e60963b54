//! The bill: its pages after years of history, and closing a month for very many organisations, beside single rows that are
//! durable.

use std::path::Path;
use std::time::Duration;

use doorward::domain::month::Month;
use doorward::kit::time::{Clock as _, SystemClock, instant};
use doorward::migrations::DATABASE;
use rusqlite::{Connection, OpenFlags, params};

use crate::Result;
use crate::invites::Raw;
use crate::process::{self, rest};
use crate::seed;
use crate::server::Server;
use crate::table::{Aim, Row, median};
use crate::wrk::Load;

const ROUNDS: usize = 3;
/// Of the one organisation whose pages are looked at.
const RESOURCES: usize = 1_000;
const MONTHS: usize = 36;
/// The many organisations that are closed at once.
const ORGANISATIONS: usize = 1_000;
const RESOURCES_EACH: usize = 100;
/// The most that all but one in a hundred may take, in milliseconds.
const P99_MOST: f64 = 50.0;
/// The most that closing may take, in seconds.
const CLOSING_MOST: f64 = 10.0;
/// For how long single rows are committed.
const RAW: Duration = Duration::from_secs(2);
/// Between two looks whether all is closed.
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(180);

/// A catalogue of ten plans, each with a price for ever and another since a year ago.
const CATALOGUE: &str = "
    INSERT INTO catalogue (id, currency, imported_at) VALUES (1, 'EUR', 0);
    INSERT INTO kinds (key, name, position) VALUES ('server', 'Server', 0), ('storage', 'Storage', 1);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
    INSERT INTO plans (id, kind, key, name, position)
    SELECT i, CASE WHEN i < 7 THEN 'server' ELSE 'storage' END, 'p-' || i, 'Size ' || i, i FROM n;
    INSERT INTO prices (plan_id, starts_at, amount) SELECT id, 0, 500 + 730 * id FROM plans;
    INSERT INTO prices (plan_id, starts_at, amount)
    SELECT id, unixepoch() - 31536000, 530 + 750 * id FROM plans;";

/// For each organisation so many resources, made in the first days after an instant, each held by one of its Active people; and
/// its ledger, open from there on.
const RESOURCES_OF: &str = "
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO resources (id, organisation_id, name, note, plan_id, created_by, holder_id, created_at)
    SELECT abs(random()) | 1, o.id, 'resource-' || i, '', 1 + i % 10,
           holder.id, holder.id,
           ?2 + i * 60
      FROM organisations o, n JOIN
           (SELECT id, organisation_id, row_number() OVER (PARTITION BY organisation_id ORDER BY id) AS place
              FROM accounts WHERE status = 'active') holder
        ON holder.organisation_id = o.id AND holder.place = 1 + i % 3";
const LEDGERS: &str =
    "INSERT INTO ledgers (organisation_id, closed_until) SELECT id, ?1 FROM organisations";
/// The first third of a life with one plan, the second with another, and the last, which goes on, with that of now.
const FIRST_RUNS: &str = "
    INSERT INTO runs (organisation_id, resource_id, from_at, until_at, plan_id, holder_id)
    SELECT organisation_id, id, created_at, created_at + ?1, 1 + plan_id % 10, created_by FROM resources
    UNION ALL
    SELECT organisation_id, id, created_at + ?1, created_at + 2 * ?1, 1 + (plan_id + 3) % 10, created_by FROM resources";
const LAST_RUNS: &str = "
    INSERT INTO runs (organisation_id, resource_id, from_at, plan_id, holder_id)
    SELECT organisation_id, id, created_at + 2 * ?1, plan_id, holder_id FROM resources";

/// The pages, then closing.
pub(crate) fn rows(folder: &Path) -> Result<Vec<Row>> {
    let mut rows = pages(&folder.join("bill"))?;
    rows.extend(closing(&folder.join("bills"))?);
    Ok(rows)
}

fn pages(data: &Path) -> Result<Vec<Row>> {
    let months = u16::try_from(MONTHS)?;
    let cookies = seed::tenants(data, 1, 100, |conn| lay(conn, RESOURCES, months))?;
    let cookie = cookies.first().ok_or("no organisation")?;
    let server = Server::start(data, &[])?;
    let invoices = all_closed(data, MONTHS)?;
    let invoice = format!("/billing/invoices/{}", newest(data)?);
    let mut rows = vec![Row::new(
        "36 months of 1,000 resources, closed in order",
        format!("{:.1} s", invoices.as_secs_f64()),
    )];
    let session = format!("Cookie: session={cookie}");
    for (path, words) in [
        ("/billing", "so far"),
        ("/resources", "resource-"),
        ("/resources?sort=-cost", "resource-"),
        (&invoice, "INV-"),
        ("/", "so far"),
    ] {
        let page = server.client()?.get(path, &[&session])?.expect(200)?;
        if !page.text()?.contains(words) {
            return Err(format!("{path} does not show {words:?}").into());
        }
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
        let name = if path.starts_with("/billing/") {
            "an invoice of 1,000 lines"
        } else {
            path
        };
        rows.push(
            Row::new(&format!("1,000 resources × 36 months, {name}"), text).judged(
                tail,
                Aim::AtMost(P99_MOST),
                "ms",
            ),
        );
    }
    server.stop()?;
    Ok(rows)
}

fn closing(data: &Path) -> Result<Vec<Row>> {
    seed::tenants(data, ORGANISATIONS, 5, |conn| lay(conn, RESOURCES_EACH, 1))?;
    let raw = Raw::new(&data.with_extension("raw"))?;
    let before = raw.commits(RAW)?;
    let server = Server::start(data, &[])?;
    let took = (server.took() + all_closed(data, ORGANISATIONS)?).as_secs_f64();
    let used = process::used(server.id())?;
    server.stop()?;
    let after = raw.commits(RAW)?;
    let yard = f64::midpoint(before, after);
    let rate = f64::from(u32::try_from(ORGANISATIONS)?) / took;
    Ok(vec![
        Row::new(
            "one month closed for 1,000 organisations of 100 resources",
            format!("{took:.1} s ({rate:.0} a second), processor {used:.1} s"),
        )
        .beside(format!("raw commits: {yard:.0}/s"), rate / yard)
        .judged(took, Aim::AtMost(CLOSING_MOST), "s"),
    ])
}

/// Lays resources that began so many months ago, none of which is closed.
fn lay(conn: &Connection, resources: usize, months: u16) -> Result<()> {
    let running = Month::of(SystemClock::new().now());
    let mut first = running;
    for _ in 0..months {
        first = first.previous();
    }
    let (from, until) = (first.start().0, running.start().0);
    let third = (until - from) / 3;
    conn.execute_batch(CATALOGUE)?;
    conn.prepare(RESOURCES_OF)?
        .execute(params![i64::try_from(resources)?, from])?;
    conn.prepare(LEDGERS)?.execute([from])?;
    conn.prepare(FIRST_RUNS)?.execute([third])?;
    conn.prepare(LAST_RUNS)?.execute([third])?;
    Ok(())
}

/// Waits until so many invoices stand in the file, and answers how long that took.
fn all_closed(data: &Path, invoices: usize) -> Result<Duration> {
    let began = instant();
    let conn = look(data)?;
    while began.elapsed() < PATIENCE {
        let there: i64 = conn.query_row("SELECT count(*) FROM invoices", [], |row| row.get(0))?;
        if usize::try_from(there)? >= invoices {
            return Ok(began.elapsed());
        }
        rest(LOOK);
    }
    Err(format!("{invoices} months are not closed after {PATIENCE:?}").into())
}

fn newest(data: &Path) -> Result<String> {
    Ok(look(data)?.query_row(
        "SELECT printf('INV-%d-%03d', year, number) FROM invoices ORDER BY year DESC, number DESC LIMIT 1",
        [],
        |row| row.get(0),
    )?)
}

fn look(data: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(data.join(DATABASE), flags)?)
}
