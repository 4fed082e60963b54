//! `doorward catalogue`: what can be had, and for how much.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::Failure;
use super::print::Output;
use super::{beside, input, print};
use crate::app::App;
use crate::catalogue::file::{self, FILE_MAX, Mistake, Parsed};
use crate::catalogue::{self, Imported, Plan, Refusal};
use crate::config::flags::Basics;
use crate::domain::money::{Currency, Money};
use crate::kit::dates;
use crate::kit::time::{DAY, Timestamp};
use crate::migrations::IfEmpty;
use crate::scope::By;

/// So many mistakes are told at once.
const MISTAKES_MAX: usize = 50;

/// The catalogue of what can be had: import it, list it
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    basics: Basics,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a file the catalogue: what is new in it is added, what it does not name is closed for new resources
    Import {
        /// The file, as in packaging/catalogue.toml; - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only say what would change, or every mistake with its line
        #[arg(long)]
        check: bool,
    },
    /// List every plan with its price now, the price to come, and how many resources run with it
    List {
        #[command(flatten)]
        output: Output,
    },
}

/// Does it.
pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command { basics, act } = command;
    match act {
        Act::Import { file, check: true } => Desk::open(&basics, &file)?.check(),
        Act::Import { file, check: false } => Desk::open(&basics, &file)?.import(),
        Act::List { output } => list(&beside::open(&basics, IfEmpty::Refuse)?, output),
    }
}

const SAME: &str = "Nothing changes: the catalogue is this one already.";

/// A catalogue that was read, and the install that it is for.
struct Desk {
    name: String,
    parsed: Parsed,
    app: App,
}

impl Desk {
    /// What is wrong with the file is told first, and needs no install.
    fn open(basics: &Basics, path: &Path) -> Result<Self, Failure> {
        let (name, bytes) = input::read(path, FILE_MAX)?;
        let parsed = file::parse(&bytes).map_err(|mistakes| wrong(&name, &mistakes))?;
        let app = beside::open(basics, IfEmpty::Refuse)?;
        Ok(Self { name, parsed, app })
    }

    fn check(&self) -> Result<(), Failure> {
        let (name, file, now) = (&self.name, &self.parsed.file, self.app.now());
        let changes = self.app.read(now, |read| catalogue::changes(read, file))?;
        let imported = changes.map_err(|refused| self.not_here(refused))?;
        print::line(if imported.is_nothing() {
            format!("{name} is right. {SAME}")
        } else {
            let words = in_words(&imported, file.currency, now);
            format!("{name} is right. Imported now, it means: {words}")
        })
    }

    fn import(&self) -> Result<(), Failure> {
        let (file, now) = (&self.parsed.file, self.app.now());
        let mut refused = Vec::new();
        let imported = self.app.write_if(now, |tx| {
            match catalogue::changes(tx, file)? {
                Ok(_) => return catalogue::import(tx, &By::operator(), file),
                Err(all) => refused = all,
            }
            Ok(None)
        })?;
        if !refused.is_empty() {
            return Err(self.not_here(refused));
        }
        print::line(match imported {
            Some(imported) => capitalised(&in_words(&imported, file.currency, now)),
            None => SAME.to_owned(),
        })
    }

    fn not_here(&self, refused: Vec<Refusal>) -> Failure {
        let mistakes: Vec<Mistake> = refused
            .into_iter()
            .map(|one| self.parsed.mistake(one.spot, one.sentence))
            .collect();
        wrong(&self.name, &mistakes)
    }
}

/// A line for each mistake.
fn wrong(name: &str, mistakes: &[Mistake]) -> Failure {
    let first = mistakes.iter().take(MISTAKES_MAX);
    let mut lines: Vec<String> = first.map(|one| format!("{name}:{one}")).collect();
    if mistakes.len() > MISTAKES_MAX {
        lines.push(format!(
            "and {} more; mend these first",
            mistakes.len() - MISTAKES_MAX
        ));
    }
    lines.push("Nothing was changed.".to_owned());
    Failure::Failed(lines.join("\n       "))
}

fn in_words(imported: &Imported, currency: Currency, now: Timestamp) -> String {
    let mut parts = Vec::new();
    if let Some(before) = imported.currency_before {
        parts.push(format!(
            "the currency is {currency} instead of {before}, and prices in {before} are gone"
        ));
    }
    if imported.added > 0 {
        parts.push(format!("{} added", plans(imported.added)));
    }
    for (from, count) in &imported.opening {
        parts.push(format!("{count} of them from {} on", when(*from)));
    }
    for (from, count) in &imported.repriced {
        let prices = counted(*count, "price changes", "prices change");
        let when = if *from <= now {
            "now".to_owned()
        } else {
            format!("on {}", when(*from))
        };
        parts.push(format!("{prices} {when}"));
    }
    if imported.taken_back > 0 {
        let changes = counted(
            imported.taken_back,
            "planned price change is",
            "planned price changes are",
        );
        parts.push(format!("{changes} taken back"));
    }
    if imported.renamed > 0 {
        parts.push(counted(imported.renamed, "name changes", "names change"));
    }
    if imported.reopened > 0 {
        parts.push(format!("{} on offer again", plans(imported.reopened)));
    }
    if imported.closed > 0 {
        parts.push(format!(
            "{} closed for new resources",
            plans(imported.closed)
        ));
    }
    if parts.is_empty() {
        parts.push("the order changes".to_owned());
    }
    let them = if imported.closed == 1 { "it" } else { "them" };
    let kept = match imported.kept {
        0 => String::new(),
        1 => format!("; 1 running resource keeps {them}"),
        several => format!("; {several} running resources keep {them}"),
    };
    format!("{}{kept}.", parts.join(", "))
}

fn plans(count: usize) -> String {
    counted(count, "plan", "plans")
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// "1 Dec 2026", and the time where it is no midnight.
fn when(instant: Timestamp) -> String {
    let is_midnight = instant.0.rem_euclid(DAY) == 0;
    if is_midnight {
        dates::day(instant, &jiff::tz::TimeZone::UTC)
    } else {
        dates::utc(instant)
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// A plan, and what is known of it besides.
struct Row {
    plan: Plan,
    price: Option<Money>,
    next: Option<(Timestamp, Money)>,
    running: i64,
}

fn list(app: &App, output: Output) -> Result<(), Failure> {
    let now = app.now();
    let (currency, rows) = app.read(now, |read| {
        let prices = catalogue::prices(read)?;
        let running = catalogue::running(read)?;
        let rows: Vec<Row> = catalogue::plans(read)?
            .into_iter()
            .map(|plan| Row {
                price: prices.at(plan.id, now),
                next: prices.after(plan.id, now),
                running: running.get(&plan.id).copied().unwrap_or_default(),
                plan,
            })
            .collect();
        Ok((catalogue::currency(read)?, rows))
    })?;
    if output.is_json() {
        let rows: Vec<Value> = rows.iter().map(|row| value(row, currency)).collect();
        return print::json(&rows.into());
    }
    let Some(currency) = currency else {
        print::remark("There is no catalogue yet; import one: doorward catalogue import FILE");
        return Ok(());
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row, currency)).collect();
    print::table(
        &[
            "KIND",
            "PLAN",
            "NAME",
            "PRICE A MONTH",
            "NEXT PRICE (UTC)",
            "STATUS (UTC)",
            "RUNNING",
        ],
        &rows,
    )
}

fn value(row: &Row, currency: Option<Currency>) -> Value {
    let plan = &row.plan;
    json!({
        "kind": plan.kind,
        "kind_name": plan.kind_name,
        "plan": plan.key,
        "name": plan.name,
        "currency": currency.map(Currency::code),
        "price": row.price.map(|price| price.0),
        "next_price": row.next.map(|(_, price)| price.0),
        "next_price_from": row.next.map(|(from, _)| print::instant(from)),
        "closed_at": plan.closed_at.map(print::instant),
        "running": row.running,
    })
}

fn cells(row: &Row, currency: Currency) -> Vec<String> {
    let amount = |price| format!("{} {currency}", currency.grouped(price));
    let plan = &row.plan;
    let status = match (plan.closed_at, row.price) {
        (Some(since), _) => format!("Closed {}", print::moment(since)),
        (None, Some(_)) => "On offer".to_owned(),
        (None, None) => "To come".to_owned(),
    };
    let next = row.next.map_or_else(String::new, |(from, price)| {
        format!("{} from {}", amount(price), print::moment(from))
    });
    vec![
        plan.kind.clone(),
        plan.key.clone(),
        plan.name.clone(),
        row.price.map_or_else(String::new, amount),
        next,
        status,
        row.running.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_said_in_words() {
        const NOW: Timestamp = Timestamp(1_795_526_400);
        const FIRST: Timestamp = Timestamp(1_796_083_200);
        let nothing = Imported::default;
        for (imported, words) in [
            (
                Imported {
                    added: 3,
                    repriced: [(FIRST, 1)].into(),
                    closed: 1,
                    kept: 4,
                    ..nothing()
                },
                "3 plans added, 1 price changes on 1 Dec 2026, 1 plan closed for new resources; 4 running resources keep it.",
            ),
            (
                Imported {
                    added: 1,
                    opening: [(FIRST.plus(3_600), 1)].into(),
                    repriced: [(NOW, 2), (FIRST, 1)].into(),
                    ..nothing()
                },
                "1 plan added, 1 of them from 1 Dec 2026, 01:00 UTC on, 2 prices change now, 1 price changes on 1 Dec 2026.",
            ),
            (
                Imported {
                    currency_before: "EUR".parse().ok(),
                    taken_back: 1,
                    renamed: 2,
                    reopened: 2,
                    closed: 2,
                    kept: 1,
                    is_moved: true,
                    ..nothing()
                },
                "The currency is USD instead of EUR, and prices in EUR are gone, 1 planned price change is taken back, 2 names \
                 change, 2 plans on offer again, 2 plans closed for new resources; 1 running resource keeps them.",
            ),
            (
                Imported {
                    is_moved: true,
                    ..nothing()
                },
                "The order changes.",
            ),
        ] {
            let usd = "USD".parse().unwrap();
            assert_eq!(capitalised(&in_words(&imported, usd, NOW)), words);
        }
    }
}
