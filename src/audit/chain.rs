//! How rows are hashed and chained, and how a chain is checked.

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::sql::past::{self, Checkpoint};
use super::{Action, sql};
use crate::error::Result;
use crate::kit::db::Read;
use crate::kit::keys::{Keys, Use};
use crate::kit::time::Timestamp;

/// Personal text of one event.
pub(super) struct Text {
    pub(super) slot: u8,
    pub(super) salt: [u8; 16],
    pub(super) text: String,
}

impl Text {
    /// What the row keeps of it: SHA-256 of salt and text.
    pub(super) fn commitment(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.salt)
            .chain_update(self.text.as_bytes())
            .finalize()
            .into()
    }
}

/// The commitments of a row: for each text its slot and its 32 bytes, in order of slots.
pub(super) fn commitments(texts: &[Text]) -> Vec<u8> {
    texts
        .iter()
        .flat_map(|text| std::iter::once(text.slot).chain(text.commitment()))
        .collect()
}

/// The slots that a row commits to.
pub(super) fn slots(commitments: &[u8]) -> impl Iterator<Item = u8> {
    commitments
        .chunks_exact(33)
        .filter_map(|chunk| chunk.first().copied())
}

/// One event as it is hashed.
pub(super) struct Row {
    pub(super) chain_id: i64,
    pub(super) number: i64,
    pub(super) at: Timestamp,
    pub(super) action: String,
    pub(super) actor: String,
    pub(super) actor_id: Option<i64>,
    pub(super) session_id: Option<i64>,
    pub(super) target_id: Option<i64>,
    pub(super) details: String,
    pub(super) request_id: String,
    pub(super) commitments: Vec<u8>,
}

impl Row {
    /// SHA-256 over a version, the hash before it, and each field with its length (64 bits, big-endian). An
    /// absent number is a field of no bytes, so that it is not taken for zero.
    pub(super) fn hash(&self, before: &[u8; 32]) -> [u8; 32] {
        let number = |n: i64| n.to_be_bytes().to_vec();
        let optional = |n: Option<i64>| n.map(number).unwrap_or_default();
        let fields = [
            b"doorward audit 1".to_vec(),
            before.to_vec(),
            number(self.chain_id),
            number(self.number),
            number(self.at.0),
            self.action.clone().into_bytes(),
            self.actor.clone().into_bytes(),
            optional(self.actor_id),
            optional(self.session_id),
            optional(self.target_id),
            self.details.clone().into_bytes(),
            self.request_id.clone().into_bytes(),
            self.commitments.clone(),
        ];
        let mut digest = Sha256::new();
        for field in &fields {
            digest.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(field);
        }
        digest.finalize().into()
    }
}

/// In a checkpoint, the number of the head under the key before.
pub(super) const HEAD_NUMBER: &str = "head_number";
/// In a checkpoint, its hash, in hexadecimal.
pub(super) const HEAD_HASH: &str = "head_hash";

impl Row {
    /// Whether a checkpoint stands right behind the head that it speaks of.
    fn goes_on_from(&self, before: &[u8; 32]) -> bool {
        let details: Value = serde_json::from_str(&self.details).unwrap_or_default();
        details.get(HEAD_NUMBER).and_then(Value::as_i64) == Some(self.number - 1)
            && details.get(HEAD_HASH).and_then(Value::as_str) == Some(&HEXLOWER.encode(before))
    }
}

/// The newest row of a chain.
pub(super) struct Head {
    pub(super) number: i64,
    pub(super) hash: [u8; 32],
    pub(super) mac: [u8; 32],
}

/// The MAC under the audit key that a chain's head must carry.
pub(super) fn head_mac(keys: &Keys, chain_id: i64, number: i64, hash: &[u8; 32]) -> [u8; 32] {
    keys.mac(
        Use::Audit,
        &[&chain_id.to_be_bytes(), &number.to_be_bytes(), hash],
    )
}

/// The MAC under the audit key of the row that a pruned chain begins behind.
pub(super) fn checkpoint_mac(keys: &Keys, chain_id: i64, checkpoint: &Checkpoint) -> [u8; 32] {
    keys.mac(
        Use::Audit,
        &[
            b"pruned",
            &chain_id.to_be_bytes(),
            &checkpoint.number.to_be_bytes(),
            &checkpoint.hash,
            &checkpoint.pruned_at.0.to_be_bytes(),
        ],
    )
}

/// In an event of an erasure, how many texts were erased with it.
pub(super) const ERASED_COUNT: &str = "texts";
/// In the same, SHA-256 over their list, in hexadecimal.
pub(super) const ERASED_LIST: &str = "list";

/// SHA-256 over which texts were erased: of each the number of its row (64 bits, big-endian) and its slot, in order.
pub(super) fn erased_list(texts: &[(i64, u8)]) -> String {
    let mut digest = Sha256::new();
    for (number, slot) in texts {
        digest.update(number.to_be_bytes());
        digest.update([*slot]);
    }
    HEXLOWER.encode(&digest.finalize())
}

impl Row {
    /// Whether an event of an erasure speaks of these texts.
    fn lists(&self, texts: &[(i64, u8)]) -> bool {
        let details: Value = serde_json::from_str(&self.details).unwrap_or_default();
        let count = i64::try_from(texts.len()).ok();
        details.get(ERASED_COUNT).and_then(Value::as_i64) == count
            && details.get(ERASED_LIST).and_then(Value::as_str) == Some(&erased_list(texts))
    }
}

/// What a check of all chains found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How many chains there are.
    pub chains: usize,
    /// How many rows were checked.
    pub rows: u64,
    /// The first fault of each faulty chain.
    pub faults: Vec<Fault>,
}

/// The first row of a chain that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The organisation's id as a number, or 0 for the system's chain.
    pub chain_id: i64,
    /// The row's number.
    pub number: i64,
    /// What is wrong with it.
    pub what: &'static str,
}

/// Rows read at a time: a chain may be longer than memory.
const PAGE: i64 = 1_000;

pub(super) fn verify(read: &Read<'_>, keys: Option<&Keys>) -> Result<Verdict> {
    let mut verdict = Verdict {
        chains: 0,
        rows: 0,
        faults: Vec::new(),
    };
    for chain_id in sql::chains(read)? {
        verdict.chains += 1;
        if let Some((number, what)) = verify_chain(read, keys, chain_id, &mut verdict.rows)? {
            verdict.faults.push(Fault {
                chain_id,
                number,
                what,
            });
        }
    }
    Ok(verdict)
}

/// What is wrong, and with which row.
type Found = (i64, &'static str);

fn verify_chain(
    read: &Read<'_>,
    keys: Option<&Keys>,
    chain_id: i64,
    rows: &mut u64,
) -> Result<Option<Found>> {
    let begun = past::checkpoint(read, chain_id)?;
    if let Some(found) = verify_begin(read, keys, chain_id, begun.as_ref())? {
        return Ok(Some(found));
    }
    let (gone, mut before) = begun.map_or((0, [0; 32]), |begun| (begun.number, begun.hash));
    let mut expected = gone + 1;
    let mut erasing = Vec::new();
    loop {
        let page = sql::page(read, chain_id, expected, PAGE)?;
        if page.is_empty() {
            break;
        }
        for (row, hash) in &page {
            if row.number != expected {
                return Ok(Some((expected, "this row was removed")));
            }
            if !bool::from(row.hash(&before).ct_eq(hash)) {
                return Ok(Some((
                    row.number,
                    "this row was changed, put in or swapped",
                )));
            }
            if row.action == Action::KeyReplaced.slug() && !row.goes_on_from(&before) {
                return Ok(Some((
                    row.number,
                    "rows before it were removed or put in before the key was replaced",
                )));
            }
            if let Some(what) = verify_texts(read, row)? {
                return Ok(Some((row.number, what)));
            }
            if row.action == Action::AccountErased.slug() {
                if !row.lists(&past::erased_with(read, chain_id, row.number)?) {
                    return Ok(Some((
                        row.number,
                        "the list of texts that were erased with this row was changed",
                    )));
                }
                erasing.push(row.number);
            }
            before = *hash;
            expected += 1;
            *rows += 1;
        }
    }
    if let Some(found) = verify_head(read, keys, chain_id, (gone, expected, before))? {
        return Ok(Some(found));
    }
    // Each list was compared with its row; one without a row was put in.
    let events = past::erasing_events(read, chain_id)?;
    if let Some(event) = events.into_iter().find(|event| !erasing.contains(event)) {
        return Ok(Some((
            event,
            "a list of erased texts names this row, which erased nothing",
        )));
    }
    let returned = past::returned(read, chain_id)?;
    Ok(returned.map(|number| (number, "a text of this row was erased, and is there again")))
}

/// Where the chain begins: with its first row, or behind the one that its checkpoint names.
fn verify_begin(
    read: &Read<'_>,
    keys: Option<&Keys>,
    chain_id: i64,
    begun: Option<&Checkpoint>,
) -> Result<Option<Found>> {
    let Some(begun) = begun else { return Ok(None) };
    let is_forged = keys.is_some_and(|keys| {
        let mac = checkpoint_mac(keys, chain_id, begun);
        !bool::from(begun.mac.ct_eq(&mac))
    });
    if is_forged {
        return Ok(Some((
            begun.number,
            "the checkpoint that says where this chain begins was forged",
        )));
    }
    if past::is_any_until(read, chain_id, begun.number)? {
        return Ok(Some((
            begun.number,
            "rows that the checkpoint says were pruned are there",
        )));
    }
    Ok(None)
}

/// The texts of a row are those that it commits to; a missing one was erased, and an event says so.
fn verify_texts(read: &Read<'_>, row: &Row) -> Result<Option<&'static str>> {
    let texts = sql::texts(read, row.chain_id, row.number)?;
    let sealed: Vec<(u8, &[u8])> = row
        .commitments
        .chunks_exact(33)
        .filter_map(|chunk| chunk.split_first().map(|(slot, rest)| (*slot, rest)))
        .collect();
    for text in &texts {
        if !sealed.contains(&(text.slot, text.commitment().as_slice())) {
            return Ok(Some("the text of this row was changed"));
        }
    }
    for (slot, _) in sealed {
        if texts.iter().all(|text| text.slot != slot)
            && past::erased_in(read, row.chain_id, row.number, slot)?.is_none()
        {
            return Ok(Some(
                "a text of this row is missing, and no erasure is on record",
            ));
        }
    }
    Ok(None)
}

/// The head is the last row; the newest one is never pruned.
fn verify_head(
    read: &Read<'_>,
    keys: Option<&Keys>,
    chain_id: i64,
    (gone, expected, before): (i64, i64, [u8; 32]),
) -> Result<Option<Found>> {
    let Some(head) = sql::head(read, chain_id)? else {
        return Ok(Some((expected, "the chain's head was removed")));
    };
    let is_forged = keys.is_some_and(|keys| {
        let mac = head_mac(keys, chain_id, head.number, &head.hash);
        !bool::from(head.mac.ct_eq(&mac))
    });
    if is_forged {
        return Ok(Some((head.number, "the chain's head was forged")));
    }
    if head.number >= expected || (gone > 0 && expected == gone + 1) {
        return Ok(Some((expected, "this row was removed from the end")));
    }
    if head.number + 1 != expected || head.hash != before {
        return Ok(Some((head.number + 1, "this row was put in at the end")));
    }
    Ok(None)
}
