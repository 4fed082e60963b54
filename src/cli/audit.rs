//! `doorward audit`: the audit log.

use clap::{Args, Subcommand};
use serde_json::json;

use super::failure::Failure;
use super::print::Output;
use super::{beside, print};
use crate::audit::{self, Fault, Verdict};
use crate::config::flags::Basics;
use crate::migrations::IfEmpty;
use crate::organisations::{self, Organisation};

/// The audit log: verify it.
#[derive(Args, Debug)]
pub(super) struct Command {
    #[command(flatten)]
    basics: Basics,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Check every chain from its first row to its head; name the first row changed, removed, put in or swapped
    Verify {
        #[command(flatten)]
        output: Output,
    },
}

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Act::Verify { output } = command.act;
    let app = beside::open(&command.basics, IfEmpty::Refuse)?;
    let (verdict, organisations) = app.read(app.now(), |read| {
        Ok((audit::verify(read, app.keys())?, organisations::list(read)?))
    })?;
    let Verdict {
        chains,
        rows,
        faults,
    } = verdict;
    let named: Vec<(String, &Fault)> = faults
        .iter()
        .map(|fault| (chain(fault.chain_id, &organisations), fault))
        .collect();
    if output.is_json() {
        let faults: Vec<_> = named
            .iter()
            .map(
                |(chain, fault)| json!({ "chain": chain, "row": fault.number, "what": fault.what }),
            )
            .collect();
        print::json(&json!({ "chains": chains, "rows": rows, "faults": faults }))?;
    } else {
        print::line(format!("{chains} chains, {rows} rows checked."))?;
    }
    if named.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = named
        .iter()
        .map(|(chain, fault)| format!("{chain}, row {}: {}", fault.number, fault.what))
        .collect();
    Err(Failure::Failed(format!(
        "the audit log is not what it was\n  {}",
        words.join("\n  ")
    )))
}

fn chain(id: i64, organisations: &[Organisation]) -> String {
    if id == 0 {
        return "the system's chain".to_owned();
    }
    organisations
        .iter()
        .find(|organisation| organisation.id.number() == id)
        .map_or_else(
            || format!("the chain {id} of a deleted organisation"),
            |organisation| format!("the chain of {}", organisation.name),
        )
}
