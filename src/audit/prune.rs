//! The oldest rows go, as the operator's setting says: never the newest of a chain, and never without a checkpoint.

use serde_json::Value;

use super::chain::checkpoint_mac;
use super::sql::past::{self, Checkpoint};
use super::{Action, By, Event, append, sql};
use crate::error::Result;
use crate::kit::db::{Read, Tx};
use crate::kit::time::{DAY, Timestamp};

/// Rows that go in one transaction.
const ROWS_MAX: i64 = 2_000;
/// In the event: up to which row.
const UP_TO: &str = "up_to";

/// A chain that has rows to be pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prunable {
    chain_id: i64,
}

/// The next chain behind that one with rows from before this instant; one of which that was said within a day waits until
/// the day is over.
pub fn next_prunable(
    read: &Read<'_>,
    behind: Option<Prunable>,
    before: Timestamp,
) -> Result<Option<Prunable>> {
    let mut behind = behind.map(|one| one.chain_id);
    while let Some(chain_id) = past::next_old(read, behind, before)? {
        let said = past::last_of(read, chain_id, Action::LogPruned)?;
        if said.is_none_or(|(at, _)| read.now().since(at) >= DAY) {
            return Ok(Some(Prunable { chain_id }));
        }
        behind = Some(chain_id);
    }
    Ok(None)
}

/// Removes the oldest rows of the chain, all of them from before this instant, some thousand at a time; the last time it is
/// said in the chain how many they were. Answers whether there are more.
pub fn prune(tx: &Tx<'_>, Prunable { chain_id }: Prunable, before: Timestamp) -> Result<bool> {
    let Some(head) = sql::head(tx, chain_id)? else {
        return Ok(false);
    };
    let oldest = past::oldest(tx, chain_id, ROWS_MAX)?;
    let is_old = |row: &&past::Old| row.at < before && row.number < head.number;
    let old = oldest.iter().take_while(is_old).count();
    let Some(last) = old.checked_sub(1).and_then(|last| oldest.get(last)) else {
        return Ok(false);
    };
    let mut checkpoint = Checkpoint {
        number: last.number,
        hash: last.hash,
        pruned_at: tx.now(),
        mac: [0; 32],
    };
    checkpoint.mac = checkpoint_mac(tx.keys(), chain_id, &checkpoint);
    past::set_checkpoint(tx, chain_id, &checkpoint)?;
    past::remove_until(tx, chain_id, last.number)?;
    let next = past::oldest(tx, chain_id, 1)?;
    if next.iter().any(|row| is_old(&row)) {
        return Ok(true);
    }
    say(tx, chain_id, last)?;
    Ok(false)
}

/// That rows are gone, since the last time that it was said.
fn say(tx: &Tx<'_>, chain_id: i64, last: &past::Old) -> Result<()> {
    let said = past::last_of(tx, chain_id, Action::LogPruned)?;
    let said = said.and_then(|(_, details)| serde_json::from_str::<Value>(&details).ok());
    let said = said.and_then(|said| said.get(UP_TO)?.as_i64());
    let event = Event::of_system(Action::LogPruned)
        .with("rows", last.number - said.unwrap_or(0))
        .with(UP_TO, last.number)
        .with("until", last.at.0);
    let head = sql::head(tx, chain_id)?.map(|head| (head.number, head.hash));
    append(tx, &By::system(), &event, (chain_id, head))?;
    Ok(())
}
