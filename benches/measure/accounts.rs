//! A page of 25 accounts out of very many, beside the same page where there are few.

use crate::Result;
use crate::seed::Seeded;
use crate::server::Server;
use crate::table::{Aim, Row, median};
use crate::wrk::Load;

const ROUNDS: usize = 3;
/// The most that a page may take of the processor, in milliseconds.
const COST_MOST: f64 = 1.0;
/// The most that it may take beside the page of 10 accounts.
const RATIO_MOST: f64 = 1.5;
/// The most that all but one in a hundred may take, in milliseconds.
const P99_MOST: f64 = 50.0;

/// Every order, every filter, alone and together, searches that find all, some and none, and pages far from both ends.
const VIEWS: [(&str, &str); 29] = [
    ("longest away first", "/iam/accounts?sort=last_active"),
    ("by name", "/iam/accounts?sort=name"),
    ("by name backwards", "/iam/accounts?sort=-name"),
    ("newest first", "/iam/accounts?sort=-created"),
    ("active: 97,000", "/iam/accounts?status=active"),
    ("pending: 2,000", "/iam/accounts?status=pending"),
    ("disabled: 1,000", "/iam/accounts?status=disabled"),
    (
        "pending by name backwards",
        "/iam/accounts?status=pending&sort=-name",
    ),
    (
        "disabled, newest first",
        "/iam/accounts?status=disabled&sort=-created",
    ),
    ("members: 87,500", "/iam/accounts?role=member"),
    (
        "billing: 10,000, by name",
        "/iam/accounts?role=billing&sort=name",
    ),
    ("masters: 1", "/iam/accounts?role=master"),
    (
        "active admins: 2,499",
        "/iam/accounts?status=active&role=admin",
    ),
    (
        "the same, newest first",
        "/iam/accounts?status=active&role=admin&sort=-created",
    ),
    (
        "disabled masters: 0",
        "/iam/accounts?status=disabled&role=master",
    ),
    ("two-factor on: 47,000", "/iam/accounts?two_factor=on"),
    ("no two-factor: 50,000", "/iam/accounts?two_factor=off"),
    (
        "the same by name, page 1,500",
        "/iam/accounts?two_factor=off&sort=name&page=1500",
    ),
    (
        "billing without: 5,000, newest first",
        "/iam/accounts?two_factor=off&role=billing&sort=-created",
    ),
    ("page 2,000", "/iam/accounts?page=2000"),
    ("page 3,000", "/iam/accounts?page=3000"),
    ("last page", "/iam/accounts?page=4000"),
    ("by name, page 3,000", "/iam/accounts?sort=name&page=3000"),
    (
        "active members, page 2,500",
        "/iam/accounts?status=active&role=member&page=2500",
    ),
    ("search that finds all", "/iam/accounts?q=halden"),
    ("search that finds 11", "/iam/accounts?q=person4711"),
    ("search that finds 1", "/iam/accounts?q=person99999"),
    ("search that finds none", "/iam/accounts?q=zzyzx"),
    (
        "search among pending, by name",
        "/iam/accounts?q=son4&status=pending&sort=name",
    ),
];

/// The first page; then every other view of the same list.
pub(crate) fn rows(server: &Server, seeded: &Seeded) -> Result<Vec<Row>> {
    let large = Load {
        port: server.port(),
        path: "/iam/accounts",
        cookie: &seeded.large,
        clients: 1,
        seconds: 2,
    };
    let small = Load {
        cookie: &seeded.small,
        ..large
    };
    check(server, seeded)?;
    Load {
        seconds: 1,
        ..large
    }
    .run()?;
    let (mut costs, mut tails, mut ratios, mut yard) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let (seen, cost) = large.run_on(server.id())?;
        let (_, few) = small.run_on(server.id())?;
        costs.push(cost / 1e3);
        tails.push(seen.p99);
        ratios.push(cost / few);
        yard.push(few / 1e3);
    }
    let (cost, tail, ratio) = (median(costs), median(tails), median(ratios));
    let few = format!("10 accounts: {:.2} ms", median(yard));
    let mut rows = vec![
        Row::new(
            "25 of 100,000 accounts, processor time",
            format!("{cost:.2} ms"),
        )
        .judged(cost, Aim::AtMost(COST_MOST), "ms"),
        Row::new("the same beside 10 accounts", format!("{cost:.2} ms"))
            .beside(few, ratio)
            .judged(ratio, Aim::AtMost(RATIO_MOST), "×"),
        Row::new("the same, p99 of one client", format!("{tail:.1} ms")).judged(
            tail,
            Aim::AtMost(P99_MOST),
            "ms",
        ),
    ];
    for (name, path) in VIEWS {
        rows.push(view(name, &Load { path, ..large }, &small, server.id())?);
    }
    Ok(rows)
}

/// One view of the large list, beside the plain list of the small organisation right after it.
fn view(name: &str, load: &Load<'_>, few: &Load<'_>, process: u32) -> Result<Row> {
    let (seen, cost) = Load {
        seconds: 1,
        ..*load
    }
    .run_on(process)?;
    let (_, yard) = Load { seconds: 1, ..*few }.run_on(process)?;
    let ratio = cost / yard;
    Ok(Row::new(
        &format!("accounts, {name}"),
        format!("{:.2} ms, p99 {:.1} ms", cost / 1e3, seen.p99),
    )
    .beside(format!("10 accounts: {:.2} ms", yard / 1e3), ratio)
    .judged_all(
        "all three",
        &[
            (cost / 1e3, COST_MOST),
            (seen.p99, P99_MOST),
            (ratio, RATIO_MOST),
        ],
    ))
}

/// The page must show what it is measured for.
fn check(server: &Server, seeded: &Seeded) -> Result<()> {
    for (cookie, lines) in [(&seeded.large, 25), (&seeded.small, 10)] {
        let cookie = format!("Cookie: session={cookie}");
        let page = server
            .client()?
            .get("/iam/accounts", &[&cookie])?
            .expect(200)?;
        let found = page.text()?.matches("<tr").count();
        if found != lines + 1 {
            return Err(format!("the page has {found} rows and not {lines} under one head").into());
        }
    }
    Ok(())
}
