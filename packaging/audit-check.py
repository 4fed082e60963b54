#!/usr/bin/env python3
"""Checks a whole JSON-lines export of Doorward's audit log, knowing nothing but packaging/audit.md.

usage: audit-check.py FILE    (- is standard input; exit code 0: whole, 1: not what it was)
"""
import hashlib, json, sys

def number(n):  # 64 bits, big-endian; nothing where there is none
    return b"" if n is None else n.to_bytes(8, "big", signed=True)

def fault(lines):
    first, expected = json.loads(next(lines, "{}")), None
    if first.get("format") != "doorward audit 1" or first["is_whole"] is not True:
        return 0, "this is no whole export of an audit log"
    before, expected, rows = bytes.fromhex(first["after"]["hash"]), first["after"]["number"] + 1, 0
    there, missing, erased = set(), set(), set()
    for row in map(json.loads, lines):
        if "rows" in row:
            head = row["head"]
            if next(lines, None) is not None or rows != row["rows"]:
                return expected, f"{rows} rows are here, and {row['rows']} were exported"
            if head is None:
                return expected, "the chain's head was removed"
            if head["number"] >= expected:
                return expected, "this row was removed from the end"
            for lost, words in (missing - erased, "is missing, and no erasure is on record"), (there & erased, "was erased, and is there again"):
                if lost:
                    return min(lost)[0], f"a text of this row {words}"
            if (head["number"] + 1, bytes.fromhex(head["hash"])) != (expected, before):
                return head["number"] + 1, "this row was put in at the end"
            return None, f"{rows} rows, all as they were; the head is {head['number']} {head['hash']}"
        if row["number"] != expected:
            return expected, "this row was removed"
        sealed, texts = bytes.fromhex(row["commitments"]), [row[k].encode() for k in ("action", "actor")]
        ids, ends = [number(row[k]) for k in ("actor_id", "session_id", "target_id")], [row[k].encode() for k in ("details", "request_id")]
        fields = [b"doorward audit 1", before, *map(number, (first["chain"], expected, row["at"])), *texts, *ids, *ends, sealed]
        mine = hashlib.sha256(b"".join(len(f).to_bytes(8, "big") + f for f in fields)).digest()
        if mine.hex() != row["hash"]:
            return expected, "this row was changed, put in or swapped"
        facts = json.loads(row["details"]) if row["action"] == "key.replaced" else None
        if facts and (facts["head_number"], facts["head_hash"]) != (expected - 1, before.hex()):
            return expected, "rows before it were removed or put in before the key was replaced"
        kept = {sealed[i] : sealed[i + 1 : i + 33] for i in range(0, len(sealed), 33)}
        for text in row["texts"]:
            if kept.get(text["slot"]) != hashlib.sha256(bytes.fromhex(text["salt"]) + text["text"].encode()).digest():
                return expected, "the text of this row was changed"
        for slot in kept:
            (there if slot in [text["slot"] for text in row["texts"]] else missing).add((expected, slot))
        if row["action"] != "account.erased" and row["erased"]:
            return expected, "a list of erased texts names this row, which erased nothing"
        if row["action"] == "account.erased":
            facts, pairs = json.loads(row["details"]), [(n, s) for n, s in row["erased"]]
            mine_of = hashlib.sha256(b"".join(number(n) + bytes([s]) for n, s in pairs)).hexdigest()
            if (facts["texts"], facts["list"]) != (len(pairs), mine_of):
                return expected, "the list of texts that were erased with this row was changed"
            erased.update(pairs)
        before, expected, rows = mine, expected + 1, rows + 1
    return expected, "the file is cut off: its last line, the count, is missing"

with sys.stdin if sys.argv[1:] == ["-"] else open(sys.argv[1], encoding="utf-8", newline="\n") as file:
    at, words = fault(iter(file))
print(words if at is None else f"row {at}: {words}")
sys.exit(at is not None)
