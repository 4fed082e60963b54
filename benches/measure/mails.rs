//! Mail out: the invitations' mails over one kept connection, beside Postfix's own source to Postfix's own sink; and a
//! backlog, with somebody who is invited in the midst of it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use doorward::kit::time::instant;
use doorward::migrations::DATABASE;
use rusqlite::{Connection, OpenFlags};

use crate::Result;
use crate::client::Client;
use crate::process::{Running, free_port, rest, used};
use crate::seed::Seeded;
use crate::server::Server;
use crate::table::{Aim, Row, median};

/// Messages of one round of the yardstick.
const MESSAGES: u32 = 2_000;
/// The relay is tried again after half a minute.
const PATIENCE: Duration = Duration::from_secs(40);
const LONGEST: Duration = Duration::from_secs(8);
const LONG_BACKLOG: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(50);
/// Mails of the backlog; the links of three in five are dead.
const BACKLOG: u32 = 10_000;
/// Where Debian keeps them, which is on few people's path.
const SINK: &str = "/usr/sbin/smtp-sink";
const SOURCE: &str = "/usr/sbin/smtp-source";

/// A place for a relay that is not there yet.
#[derive(Debug)]
pub(crate) struct Sink {
    port: u16,
}

impl Sink {
    /// Chooses a port.
    pub(crate) fn reserve() -> Result<Self> {
        Ok(Self { port: free_port()? })
    }

    /// How the executable is told of it.
    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    fn open(&self) -> Result<Running> {
        let mut command = Command::new(SINK);
        if fs::metadata("/proc/self")?.uid() == 0 {
            // It refuses to serve as root.
            command.args(["-u", "nobody"]);
        }
        let sink = command
            .arg(format!("127.0.0.1:{}", self.port))
            .arg("100")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let running = Running(sink);
        let began = instant();
        while Client::to(self.port).is_err() {
            if began.elapsed() > PATIENCE {
                return Err("smtp-sink does not listen".into());
            }
            rest(LOOK);
        }
        Ok(running)
    }

    /// Messages a second that Postfix itself gets rid of.
    fn source(&self) -> Result<f64> {
        let began = instant();
        let status = Command::new(SOURCE)
            .args(["-d", "-s", "1", "-l", "4096", "-m"])
            .arg(MESSAGES.to_string())
            .args(["-f", "from@mail.example", "-t", "to@mail.example"])
            .arg(format!("127.0.0.1:{}", self.port))
            .stdin(Stdio::null())
            .status()?;
        if !status.success() {
            return Err("smtp-source failed".into());
        }
        Ok(f64::from(MESSAGES) / began.elapsed().as_secs_f64())
    }
}

/// Opens the relay, and watches the mails go.
pub(crate) fn rows(sink: &Sink, server: &Server, data: &Path) -> Result<Vec<Row>> {
    let _sink = sink.open()?;
    let outbox = Outbox::open(data)?;
    let before = sink.source()?;
    let (rate, cost) = outbox.rate(server.id())?;
    let theirs = median(vec![before, sink.source()?, sink.source()?]);
    outbox.end(data)?;
    Ok(vec![
        Row::new(
            "mail out, one kept connection",
            format!("{rate:.0}/s ({cost:.0} µs of processor)"),
        )
        .beside(format!("smtp-source {theirs:.0}/s"), rate / theirs)
        .judged(rate, Aim::AtLeast(200.0), "/s"),
    ])
}

/// Ten thousand mails that are owed at once; half-way somebody is invited.
pub(crate) fn backlog(
    sink: &Sink,
    server: &Server,
    seeded: &Seeded,
    data: &Path,
) -> Result<Vec<Row>> {
    let _sink = sink.open()?;
    let cookie = format!("Cookie: session={}", seeded.small);
    let csrf = server
        .client()?
        .get("/iam/accounts/new", &[&cookie])?
        .expect(200)?
        .csrf()?;
    let outbox = Outbox::open(data)?;
    Outbox::fill(data)?;
    let laid_up = outbox.waiting()?;
    if laid_up <= BACKLOG / 2 {
        return Err(format!("only {laid_up} mails could be laid up").into());
    }
    let began = instant();
    while outbox.waiting()? > BACKLOG / 2 {
        if began.elapsed() > LONG_BACKLOG {
            return Err("the backlog does not leave".into());
        }
        rest(LOOK / 10);
    }
    let form = format!("csrf={csrf}&email=in.a.hurry%40mail.example&role=member");
    // The first connection has been idle for too long by now.
    server
        .client()?
        .post("/iam/accounts", &[&cookie], &form)?
        .expect(303)?;
    let asked = instant();
    while !outbox.is_sent("in.a.hurry@mail.example")? {
        if asked.elapsed() > LONG_BACKLOG {
            return Err("whoever was invited meanwhile got no mail".into());
        }
        rest(LOOK / 50);
    }
    let waited = asked.elapsed().as_secs_f64() * 1e3;
    while outbox.waiting()? > 0 {
        if began.elapsed() > LONG_BACKLOG {
            return Err("the backlog does not end".into());
        }
        rest(LOOK);
    }
    let took = began.elapsed().as_secs_f64();
    let rate = f64::from(BACKLOG) / took;
    Ok(vec![
        Row::new(
            "backlog of 10,000 mails",
            format!("{rate:.0}/s (all in {took:.0} s)"),
        )
        .judged(rate, Aim::AtLeast(20.0), "/s"),
        Row::new(
            "invited half-way through it, until the relay has the mail",
            format!("{waited:.0} ms"),
        )
        .judged(waited, Aim::AtMost(1_000.0), "ms"),
    ])
}

/// The outbox, looked at from beside.
struct Outbox(Connection);

impl Outbox {
    fn open(data: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Ok(Self(Connection::open_with_flags(
            data.join(DATABASE),
            flags,
        )?))
    }

    fn waiting(&self) -> Result<u32> {
        Ok(self.0.query_row(
            "SELECT count(*) FROM errands WHERE state IN ('waiting', 'sending')",
            [],
            |row| row.get(0),
        )?)
    }

    /// Makes the mails of links that were sent once owed again, several times each; of most the link is not there.
    fn fill(data: &Path) -> Result<()> {
        let conn = Connection::open(data.join(DATABASE))?;
        conn.busy_timeout(Duration::from_secs(5))?;
        conn.execute_batch(&format!(
            "INSERT INTO errands (id, organisation_id, kind, account_id, about_id, recipient, message_id, urgency, state,
               created_at, due_at, deadline_at)
             SELECT abs(random() / 2) + 1, organisation_id, kind, account_id, iif(time < 2, about_id, 1), recipient,
               '<' || time || '.' || id || '@localhost>', 0, 'waiting', created_at, created_at, deadline_at
               FROM errands, (SELECT 0 AS time UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)
              WHERE kind = 'activation' AND state = 'sent' AND deadline_at > unixepoch() LIMIT {BACKLOG}"
        ))?;
        Ok(())
    }

    fn is_sent(&self, to: &str) -> Result<bool> {
        Ok(self.0.query_row(
            "SELECT EXISTS (SELECT 1 FROM errands WHERE recipient = ?1 AND state = 'sent')",
            [to],
            |row| row.get(0),
        )?)
    }

    /// Mails a second, from the first that goes, and processor time for each in microseconds.
    fn rate(&self, process: u32) -> Result<(f64, f64)> {
        let all = self.waiting()?;
        if all < 100 {
            return Err(format!("only {all} mails are owed").into());
        }
        let began = instant();
        while self.waiting()? == all {
            if began.elapsed() > PATIENCE {
                return Err("no mail leaves".into());
            }
            rest(LOOK);
        }
        let (first, began, before) = (self.waiting()?, instant(), used(process)?);
        loop {
            rest(LOOK);
            let (left, took) = (self.waiting()?, began.elapsed());
            if left == 0 || took > LONGEST {
                let count = f64::from(first - left);
                let cost = (used(process)? - before) * 1e6 / count.max(1.0);
                return Ok((count / took.as_secs_f64(), cost));
            }
        }
    }

    /// What is still owed must not disturb what is measured next.
    fn end(self, data: &Path) -> Result<()> {
        let conn = Connection::open(data.join(DATABASE))?;
        conn.busy_timeout(Duration::from_secs(5))?;
        conn.execute_batch(
            "UPDATE errands SET state = 'not_needed', ended_at = created_at, answer = 'The measure is over.'
              WHERE state = 'waiting'",
        )?;
        Ok(())
    }
}
