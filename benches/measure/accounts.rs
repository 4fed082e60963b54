//! A page of 25 accounts out of very many, beside the same page where there are few.

use crate::Result;
use crate::seed::Seeded;
use crate::server::Server;
use crate::table::{Aim, Row, median};
use crate::wrk::Load;

const ROUNDS: usize = 3;

/// The first page; then the last one and a search, which cost what they cost.
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
        .judged(cost, Aim::AtMost(1.0), "ms"),
        Row::new("the same beside 10 accounts", format!("{cost:.2} ms"))
            .beside(few, ratio)
            .judged(ratio, Aim::AtMost(1.5), "×"),
        Row::new("the same, p99 of one client", format!("{tail:.1} ms")).judged(
            tail,
            Aim::AtMost(50.0),
            "ms",
        ),
    ];
    for (name, path) in [
        ("accounts by name", "/iam/accounts?sort=name"),
        ("accounts, page 3,000", "/iam/accounts?page=3000"),
        (
            "accounts, a search that finds 11",
            "/iam/accounts?q=person4711",
        ),
    ] {
        let load = Load { path, ..large };
        let (seen, cost) = load.run_on(server.id())?;
        let text = format!("{:.2} ms, p99 {:.1} ms", cost / 1e3, seen.p99);
        rows.push(Row::new(name, text));
    }
    Ok(rows)
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
