//! Inviting: account, invitation, mail owed and audit record, durable before the answer; beside single rows that are
//! durable.

use std::path::Path;
use std::time::Duration;

use doorward::kit::time::instant;
use rusqlite::Connection;

use crate::Result;
use crate::client::Client;
use crate::process;
use crate::seed::Seeded;
use crate::server::Server;
use crate::table::{Aim, Row, median};

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_millis(1_500);
/// Under the 300 that an organisation may invite in an hour.
const PER_ORGANISATION: usize = 290;

/// One client, and raw commits in turn.
pub(crate) fn rows(server: &Server, seeded: &Seeded, folder: &Path) -> Result<Vec<Row>> {
    let mut inviting = Inviting::new(server, seeded)?;
    let raw = Raw::new(&folder.join("raw.db"))?;
    raw.commits(Duration::from_millis(200))?;
    let (mut rates, mut ratios, mut yard) = (vec![], vec![], vec![]);
    let before = process::used(server.id())?;
    for _ in 0..ROUNDS {
        let ours = inviting.rate(ROUND)?;
        let theirs = raw.commits(ROUND)?;
        rates.push(ours);
        ratios.push(ours / theirs);
        yard.push(theirs);
    }
    let cost = (process::used(server.id())? - before) * 1e6 / f64::from(inviting.count.max(1));
    let (rate, ratio) = (median(rates), median(ratios));
    Ok(vec![
        Row::new(
            "invite, one client",
            format!("{rate:.0}/s ({cost:.0} µs of processor)"),
        )
        .judged(rate, Aim::AtLeast(100.0), "/s"),
        Row::new("the same beside raw commits", format!("{rate:.0}/s"))
            .beside(format!("SQLite {:.0}/s", median(yard)), ratio)
            .judged(ratio, Aim::AtLeast(0.3), "×"),
    ])
}

/// One client that invites, on behalf of one organisation after the other.
struct Inviting {
    client: Client,
    /// Cookie line and proof of each.
    sessions: Vec<(String, String)>,
    count: u32,
}

impl Inviting {
    fn new(server: &Server, seeded: &Seeded) -> Result<Self> {
        let mut client = server.client()?;
        let mut sessions = Vec::new();
        for token in &seeded.inviters {
            let cookie = format!("Cookie: session={token}");
            let page = client.get("/iam/accounts/new", &[&cookie])?.expect(200)?;
            sessions.push((cookie, page.csrf()?));
        }
        Ok(Self {
            client,
            sessions,
            count: 0,
        })
    }

    /// Invitations a second; ends early when every organisation has invited as many as it may.
    fn rate(&mut self, long: Duration) -> Result<f64> {
        let began = instant();
        let first = self.count;
        while began.elapsed() < long {
            let organisation = usize::try_from(self.count)? / PER_ORGANISATION;
            let Some((cookie, csrf)) = self.sessions.get(organisation) else {
                break;
            };
            let form = format!(
                "csrf={csrf}&email=newcomer{}%40mail.example&role=member",
                self.count
            );
            self.client
                .post("/iam/accounts", &[cookie], &form)?
                .expect(303)?;
            self.count += 1;
        }
        let made = f64::from(self.count - first);
        if made == 0.0 {
            return Err("every organisation has invited as many as it may".into());
        }
        Ok(made / began.elapsed().as_secs_f64())
    }
}

/// The least that a durable write can cost here: one row, as durable as ours.
pub(crate) struct Raw(Connection);

impl Raw {
    pub(crate) fn new(file: &Path) -> Result<Self> {
        let conn = Connection::open(file)?;
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -8000;
             PRAGMA journal_size_limit = 67108864;
             CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;",
        )?;
        Ok(Self(conn))
    }

    /// Commits a second.
    pub(crate) fn commits(&self, long: Duration) -> Result<f64> {
        let mut insert = self.0.prepare("INSERT INTO rows (text) VALUES (?1)")?;
        let text = "x".repeat(100);
        let began = instant();
        let mut count = 0_u32;
        while began.elapsed() < long {
            insert.execute([&text])?;
            count += 1;
        }
        Ok(f64::from(count) / began.elapsed().as_secs_f64())
    }
}
