//! How rows are hashed and chained, and how a chain is checked.

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

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

fn verify_chain(
    read: &Read<'_>,
    keys: Option<&Keys>,
    chain_id: i64,
    rows: &mut u64,
) -> Result<Option<(i64, &'static str)>> {
    let mut before = [0; 32];
    let mut expected = 1;
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
            for text in sql::texts(read, chain_id, row.number)? {
                let sealed = row
                    .commitments
                    .chunks_exact(33)
                    .find(|chunk| chunk.first() == Some(&text.slot));
                if sealed.and_then(|chunk| chunk.get(1..)) != Some(text.commitment().as_slice()) {
                    return Ok(Some((row.number, "the text of this row was changed")));
                }
            }
            before = *hash;
            expected += 1;
            *rows += 1;
        }
    }
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
    if head.number >= expected {
        return Ok(Some((expected, "this row was removed from the end")));
    }
    if head.number + 1 != expected || head.hash != before {
        return Ok(Some((head.number + 1, "this row was put in at the end")));
    }
    Ok(None)
}
