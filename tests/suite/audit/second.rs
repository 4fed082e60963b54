//! A second verifier of the chains: it shares nothing with ours but the description of the format.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use crate::portal::KEY;

type Bytes = [u8; 32];

/// The number of the first faulty row of each faulty chain, found from the description of the format alone:
///
/// - a row's hash is SHA-256 over these fields, each after its length as 64 bits, big-endian: the text "doorward
///   audit 1", the hash before (32 zero bytes at first), chain, number and instant as 64 bits, action, actor, the
///   ids of actor, session and target as 64 bits or as nothing, details, request id, commitments;
/// - the commitments are, for each text, its slot and SHA-256 over salt and text;
/// - a head carries HMAC-SHA256 over chain, number and hash, each after its length as before, under the key that is
///   HMAC-SHA256 over the text "doorward audit 1" under the install's;
/// - a chain that was pruned begins behind the row that its checkpoint names, whose hash is the one before its first row;
///   the checkpoint carries the same kind of MAC over the text "pruned", chain, number, hash and instant;
/// - a text that is committed to and missing is in the list of texts erased; an event "account.erased" behind it has how
///   many were erased with it and SHA-256 over number and slot of each, in order, in hexadecimal.
pub(super) fn faults_of(conn: &Connection) -> BTreeMap<i64, i64> {
    let mut list = conn
        .prepare("SELECT chain_id FROM audit_events UNION SELECT chain_id FROM audit_heads UNION SELECT id FROM organisations")
        .unwrap();
    let chains: Vec<i64> = list
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    chains
        .into_iter()
        .filter_map(|chain| Some((chain, first_fault(conn, chain)?)))
        .collect()
}

fn first_fault(conn: &Connection, chain: i64) -> Option<i64> {
    let mut rows = conn
        .prepare(
            "SELECT number, at, action, actor, actor_id, session_id, target_id, details, request_id, commitments, hash
               FROM audit_events WHERE chain_id = ?1 ORDER BY number",
        )
        .unwrap();
    let mut rows = rows.query([chain]).unwrap();
    let begun: Option<(i64, Bytes, i64, Bytes)> = conn
        .query_row(
            "SELECT number, hash, pruned_at, mac FROM audit_checkpoints WHERE chain_id = ?1",
            [chain],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()
        .unwrap();
    let (mut before, mut last): (Bytes, i64) = ([0; 32], 0);
    if let Some((number, hash, at, mac)) = begun {
        let parts = [
            &b"pruned"[..],
            &chain.to_be_bytes(),
            &number.to_be_bytes(),
            &hash,
            &at.to_be_bytes(),
        ];
        if sealed(&parts) != mac {
            return Some(number);
        }
        (before, last) = (hash, number);
    }
    while let Some(row) = rows.next().unwrap() {
        let number: i64 = row.get(0).unwrap();
        if number != last + 1 {
            return Some(last + 1);
        }
        let at: i64 = row.get(1).unwrap();
        let id = |column| {
            let id: Option<i64> = row.get(column).unwrap();
            id.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default()
        };
        let text = |column| row.get::<_, String>(column).unwrap().into_bytes();
        let commitments: Vec<u8> = row.get(9).unwrap();
        let mut encoded = Vec::new();
        for field in [
            b"doorward audit 1".to_vec(),
            before.to_vec(),
            chain.to_be_bytes().to_vec(),
            number.to_be_bytes().to_vec(),
            at.to_be_bytes().to_vec(),
            text(2),
            text(3),
            id(4),
            id(5),
            id(6),
            text(7),
            text(8),
            commitments.clone(),
        ] {
            encoded.extend((field.len() as u64).to_be_bytes());
            encoded.extend(field);
        }
        let hash: Bytes = row.get(10).unwrap();
        if Bytes::from(Sha256::digest(&encoded)) != hash
            || !texts_fit(conn, chain, number, &commitments)
            || (text(2) == b"account.erased" && !list_fits(conn, chain, number, &text(7)))
        {
            return Some(number);
        }
        (before, last) = (hash, number);
    }
    let head: Option<(i64, Bytes, Bytes)> = conn
        .query_row(
            "SELECT number, hash, mac FROM audit_heads WHERE chain_id = ?1",
            [chain],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
        .unwrap();
    let Some((number, hash, mac)) = head else {
        return Some(last + 1);
    };
    if sealed(&[&chain.to_be_bytes()[..], &number.to_be_bytes(), &hash]) != mac {
        return Some(number);
    }
    if number > last {
        return Some(last + 1);
    }
    (number != last || hash != before).then_some(number + 1)
}

fn sealed(parts: &[&[u8]]) -> Bytes {
    let mut all = Vec::new();
    for part in parts {
        all.extend((part.len() as u64).to_be_bytes());
        all.extend(*part);
    }
    hmac(&hmac(&KEY, b"doorward audit 1"), &all)
}

fn list_fits(conn: &Connection, chain: i64, event: i64, details: &[u8]) -> bool {
    let mut list = conn
        .prepare("SELECT number, slot FROM audit_erasures WHERE chain_id = ?1 AND event = ?2 ORDER BY number, slot")
        .unwrap();
    let mut list = list.query([chain, event]).unwrap();
    let (mut count, mut all) = (0, Vec::new());
    while let Some(row) = list.next().unwrap() {
        all.extend(row.get::<_, i64>(0).unwrap().to_be_bytes());
        all.push(row.get::<_, u8>(1).unwrap());
        count += 1;
    }
    let details: serde_json::Value = serde_json::from_slice(details).unwrap();
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&all));
    details["texts"] == count && details["list"] == digest
}

fn texts_fit(conn: &Connection, chain: i64, number: i64, commitments: &[u8]) -> bool {
    let mut texts = conn
        .prepare("SELECT slot, salt, text FROM audit_texts WHERE chain_id = ?1 AND number = ?2")
        .unwrap();
    let mut texts = texts.query([chain, number]).unwrap();
    let mut there = 0_i64;
    while let Some(row) = texts.next().unwrap() {
        there += 1;
        let mut salted: Vec<u8> = row.get(1).unwrap();
        salted.extend(row.get::<_, String>(2).unwrap().into_bytes());
        let mut wanted = vec![row.get::<_, u8>(0).unwrap()];
        wanted.extend(Sha256::digest(&salted));
        if !commitments.chunks(33).any(|sealed| sealed == wanted) {
            return false;
        }
    }
    let erased: i64 = conn
        .query_row(
            "SELECT count(*) FROM audit_erasures WHERE chain_id = ?1 AND number = ?2",
            [chain, number],
            |row| row.get(0),
        )
        .unwrap();
    there + erased == i64::try_from(commitments.len() / 33).unwrap()
}

fn hmac(key: &[u8], text: &[u8]) -> Bytes {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().into()
}
