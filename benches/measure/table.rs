//! The table that is printed: what was measured, the yardstick beside it, and whether the aim was met.

use std::fs;
use std::io::{self, Write};

use crate::Result;

/// What the words of the table mean.
const NOTES: [&str; 11] = [
    "Per request: utime and stime of the server's process, divided by the requests that wrk counted.",
    "Session check: GET /sign-in with the cookie of a live session, 303. Session, account and organisation are read \
     from the file; nothing is drawn.",
    "nginx: return 200, two workers, no log, loaded by the same wrk for as long, right after ours. Each is the median \
     of 3 rounds.",
    "Accounts: the first page of 25, in an organisation of 100,000 and in one of 10 in the same file, one client. Other \
     views: of the 100,000, each beside the plain page of the 10 right after it; all three aims must be met.",
    "Sign-in: right passwords of 500 accounts from browsers they know, each from another address (X-Forwarded-For, \
     believed since 127.0.0.1 is a trusted proxy). Raw hashes: argon2id at the same cost on every core, memory kept. \
     Meanwhile a dashboard is asked for every 20 ms.",
    "Invite: POST /iam/accounts by one client, over many organisations for the sake of the caps, while the mail relay \
     is away. Raw commits: one row each, the same pragmas, in the same folder.",
    "Mail out: those invitations' mails by one connection to smtp-sink, from the first to the last or for 8 s; \
     smtp-source -d, one session, 4 KiB, to the same sink, just before and after.",
    "Backlog: 10,000 mails that are owed at once in the same file, of which three in five carry a link that is dead and \
     are told off without the relay; from the first to the last.",
    "Sign-in page: what a browser without a cache receives, heads and bodies, gzip offered: the page, its style sheet, \
     script, icon and images; of the fonts the one it asks for.",
    "Billing: one organisation with 1,000 resources, each with 3 runs in 36 months, whose 36 months the executable has closed \
     itself; one client, the running month computed anew for each page. Closing: from the start of the process until the last \
     of 1,000 invoices of 100 lines stands in the file, each in a transaction of its own with its mail and its record.",
    "Memory: VmRSS. Of files: pages of the binary and of the database that are mapped and could be dropped.",
];

/// What a number should be.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    /// No more.
    AtMost(f64),
    /// No less.
    AtLeast(f64),
}

/// One line.
pub(crate) struct Row {
    measure: String,
    ours: String,
    yardstick: String,
    ratio: String,
    aim: String,
    met: Option<bool>,
}

impl Row {
    /// A line without a yardstick or an aim.
    pub(crate) fn new(measure: &str, ours: impl Into<String>) -> Self {
        Self {
            measure: measure.to_owned(),
            ours: ours.into(),
            yardstick: String::new(),
            ratio: String::new(),
            aim: String::new(),
            met: None,
        }
    }

    /// The same beside what else was measured in this run.
    pub(crate) fn beside(mut self, yardstick: impl Into<String>, ratio: f64) -> Self {
        self.yardstick = yardstick.into();
        self.ratio = format!("{ratio:.2}");
        self
    }

    /// The same beside what was only looked up, so that there is no ratio.
    pub(crate) fn beside_words(mut self, yardstick: &str) -> Self {
        yardstick.clone_into(&mut self.yardstick);
        self
    }

    /// The same with an aim for `value`, in `unit`.
    pub(crate) fn judged(mut self, value: f64, aim: Aim, unit: &str) -> Self {
        let (sign, bound, met) = match aim {
            Aim::AtMost(bound) => ("≤", bound, value <= bound),
            Aim::AtLeast(bound) => ("≥", bound, value >= bound),
        };
        let one = format!("{sign} {bound} {unit}");
        self.aim = one.trim_end().to_owned();
        self.met = Some(met);
        self
    }

    /// The same with an aim of several parts, each a value and the most that it should be.
    pub(crate) fn judged_all(mut self, aim: &str, parts: &[(f64, f64)]) -> Self {
        aim.clone_into(&mut self.aim);
        self.met = Some(parts.iter().all(|(value, most)| value <= most));
        self
    }

    fn cells(&self) -> [&str; 6] {
        let met = match self.met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        [
            &self.measure,
            &self.ours,
            &self.yardstick,
            &self.ratio,
            &self.aim,
            met,
        ]
    }
}

/// All lines, in the order they were measured.
pub(crate) struct Table {
    rows: Vec<Row>,
    failures: Vec<String>,
    load_before: String,
}

impl Table {
    /// An empty one; how busy the machine is already is remembered.
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::new(),
            failures: Vec::new(),
            load_before: load(),
        }
    }

    /// Takes what a measure found, or why it found nothing.
    pub(crate) fn take(&mut self, measure: &str, found: Result<Vec<Row>>) {
        match found {
            Ok(rows) => self.rows.extend(rows),
            Err(error) => self.failures.push(format!("{measure}: {error}")),
        }
    }

    /// Whether everything was measured.
    pub(crate) const fn is_whole(&self) -> bool {
        self.failures.is_empty()
    }

    /// Writes it down.
    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let heads = [
            "measure",
            "ours",
            "yardstick",
            "ratio",
            "aim (first)",
            "met",
        ];
        let mut widths = heads.map(width);
        for row in &self.rows {
            for (most, cell) in widths.iter_mut().zip(row.cells()) {
                *most = (*most).max(width(cell));
            }
        }
        line(out, &heads, &widths)?;
        let rules = widths.map(|width| "-".repeat(width));
        line(out, &rules.each_ref().map(String::as_str), &widths)?;
        for row in &self.rows {
            line(out, &row.cells(), &widths)?;
        }
        let missed = self
            .rows
            .iter()
            .filter(|row| row.met == Some(false))
            .count();
        writeln!(out, "\n{missed} of {} aims missed.", self.aims())?;
        let cores = doorward::serve::cores();
        writeln!(
            out,
            "{cores} cores; load average {} before, {} after. Load and server share the cores. Other work on the \
             machine costs rates and delays; time of the processor per request suffers least.",
            self.load_before,
            load()
        )?;
        for note in NOTES {
            writeln!(out, "- {note}")?;
        }
        for failure in &self.failures {
            writeln!(out, "NOT MEASURED: {failure}")?;
        }
        Ok(())
    }

    fn aims(&self) -> usize {
        self.rows.iter().filter(|row| row.met.is_some()).count()
    }
}

fn line(out: &mut impl Write, cells: &[&str; 6], widths: &[usize; 6]) -> io::Result<()> {
    let mut text = String::from("|");
    for (cell, most) in cells.iter().zip(widths) {
        let blank = " ".repeat(most.saturating_sub(width(cell)));
        text.push_str(&format!(" {cell}{blank} |"));
    }
    writeln!(out, "{text}")
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split(' ').next().map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The middle one; nothing when there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The value that so many percent do not exceed.
pub(crate) fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() * percent).div_ceil(100);
    values
        .get(place.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}
