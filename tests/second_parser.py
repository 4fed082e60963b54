"""Reads the mails of a folder with the parser of Python, and compares them with what was meant.

Each NN.eml is the bytes a relay received, each NN.json what the Portal meant by them.
"""

import email.parser
import email.policy
import json
import pathlib
import sys

ONCE = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
NEVER = ["Cc", "Bcc", "Reply-To", "List-Unsubscribe", "Return-Receipt-To", "Disposition-Notification-To"]


def same(what, found, meant):
    if found != meant:
        sys.exit(f"{name}: {what} is {found!r}, and {meant!r} was meant")


def text_of(part):
    return part.get_content().replace("\r\n", "\n").rstrip("\n")


count = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml")):
    name = path.name
    raw = path.read_bytes()
    meant = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    for line in raw.split(b"\r\n"):
        same("a lone line end", b"\r" in line or b"\n" in line, False)
        same("a line of more than 998 bytes", len(line) > 998, False)
    same("7 bits", max(raw) < 128, True)
    mail = email.parser.BytesParser(policy=email.policy.default).parsebytes(raw)
    for header in ONCE:
        same(f"the count of {header}", len(mail.get_all(header, [])), 1)
    for header in NEVER:
        same(f"the count of {header}", len(mail.get_all(header, [])), 0)
    same("the subject", str(mail["Subject"]), meant["subject"])
    same("the Message-ID", mail["Message-ID"].strip(), f"<{meant['id']}>")
    same("Auto-Submitted", mail["Auto-Submitted"], "auto-generated")
    same("the date", int(mail["Date"].datetime.timestamp()), meant["date"])
    same("the recipients", [one.addr_spec for one in mail["To"].addresses], [meant["to"]])
    sender = email.headerregistry.HeaderRegistry()("From", meant["from"]).addresses[0]
    same("the sender", [(one.display_name, one.addr_spec) for one in mail["From"].addresses], [(sender.display_name, sender.addr_spec)])
    same("the type", mail.get_content_type(), "multipart/alternative")
    parts = list(mail.iter_parts())
    same("the parts", [part.get_content_type() for part in parts], ["text/plain", "text/html"])
    same("the text", text_of(parts[0]), meant["text"].rstrip("\n"))
    same("the HTML", text_of(parts[1]), meant["html"].rstrip("\n"))
    for part in [mail, *parts]:
        same("what the parser minds", [str(defect) for defect in part.defects], [])
    count += 1

print(f"{count} mails are what was meant")
