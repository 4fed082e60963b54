//! The session check: who is this, and what may they do; and pages that are drawn after it.

use std::path::Path;

use crate::Result;
use crate::nginx::Nginx;
use crate::seed::Seeded;
use crate::server::Server;
use crate::table::{Aim, Row, median};
use crate::wrk::Load;

const ROUNDS: usize = 3;
const CLIENTS: u32 = 16;

/// The check beside nginx; then the dashboard and the roles.
pub(crate) fn rows(server: &Server, seeded: &Seeded, folder: &Path) -> Result<Vec<Row>> {
    let cookie = format!("Cookie: session={}", seeded.small);
    let checked = server.client()?.get("/sign-in", &[&cookie])?.expect(303)?;
    if checked.header("location") != Some("/") {
        return Err("the session is not taken for one".into());
    }
    let nginx = Nginx::start(folder)?;
    let ours = Load {
        port: server.port(),
        path: "/sign-in",
        cookie: &seeded.small,
        clients: CLIENTS,
        seconds: 3,
    };
    let theirs = Load {
        port: nginx.port(),
        path: "/",
        cookie: "",
        ..ours
    };
    Load { seconds: 1, ..ours }.run()?;
    let (mut costs, mut rates, mut ratios, mut yard) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let (seen, cost) = ours.run_on(server.id())?;
        let yardstick = theirs.run()?.rate;
        costs.push(cost);
        rates.push(seen.rate);
        ratios.push(seen.rate / yardstick);
        yard.push(yardstick);
    }
    let (cost, ratio) = (median(costs), median(ratios));
    let rate = format!("{:.0}/s", median(rates));
    let mut rows = vec![
        Row::new("session check, processor time", format!("{cost:.0} µs")).judged(
            cost,
            Aim::AtMost(80.0),
            "µs",
        ),
        Row::new("session check, 16 kept connections", rate)
            .beside(format!("nginx {:.0}/s", median(yard)), ratio)
            .judged(ratio, Aim::AtLeast(0.15), "×"),
    ];
    for (name, path, cookie) in [
        ("dashboard, drawn", "/", seeded.small.as_str()),
        ("dashboard of 100,000 accounts, drawn", "/", &seeded.large),
        ("roles, drawn", "/iam/roles", &seeded.small),
        ("stranger's sign-in page, drawn", "/sign-in", ""),
    ] {
        let load = Load {
            path,
            cookie,
            seconds: 2,
            ..ours
        };
        let (seen, cost) = load.run_on(server.id())?;
        let text = format!("{cost:.0} µs, {:.0}/s", seen.rate);
        rows.push(Row::new(name, text));
    }
    Ok(rows)
}
