-- Resources, what they cost, and the bill for all of them; and word of both by mail.

-- What can be had, and for how much: the operator's, for the whole install. One row once a catalogue was imported: the
-- currency of every amount in this file, which are all whole numbers of its smallest unit.
CREATE TABLE catalogue (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  currency    TEXT    NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
  imported_at INTEGER NOT NULL
) STRICT;

-- What plans are of.
CREATE TABLE kinds (
  key      TEXT    PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 40),
  name     TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  position INTEGER NOT NULL                    -- in the order of the catalogue
) STRICT, WITHOUT ROWID;

-- The ways to have one of a kind.
CREATE TABLE plans (
  id        INTEGER PRIMARY KEY CHECK (id > 0),
  kind      TEXT    NOT NULL REFERENCES kinds (key),
  key       TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 40),
  name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  position  INTEGER NOT NULL,
  closed_at INTEGER,                           -- since when nothing new may have it; NULL while it is on offer
  UNIQUE (kind, key)
) STRICT;

-- What a plan costs for a whole month, from an instant until the next row's.
CREATE TABLE prices (
  plan_id   INTEGER NOT NULL REFERENCES plans (id),
  starts_at INTEGER NOT NULL,
  amount    INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000),
  PRIMARY KEY (plan_id, starts_at)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER prices_stay BEFORE UPDATE ON prices BEGIN SELECT raise(ABORT, 'a price is never changed, but followed by another'); END;

-- What an organisation has and pays for. The plan and the holder are those of now; `runs` knows those of each moment.
CREATE TABLE resources (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL REFERENCES organisations (id),
  name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  note            TEXT    NOT NULL CHECK (length(note) <= 1000),
  plan_id         INTEGER NOT NULL REFERENCES plans (id),
  created_by      INTEGER NOT NULL,
  holder_id       INTEGER NOT NULL,            -- under whose name it is charged: who created it, until it is handed over
  created_at      INTEGER NOT NULL,
  ended_at        INTEGER CHECK (ended_at >= created_at),  -- NULL while it runs
  UNIQUE (organisation_id, id),
  FOREIGN KEY (organisation_id, created_by) REFERENCES accounts (organisation_id, id),
  FOREIGN KEY (organisation_id, holder_id) REFERENCES accounts (organisation_id, id)
) STRICT;

CREATE UNIQUE INDEX resources_names ON resources (organisation_id, name COLLATE NOCASE) WHERE ended_at IS NULL;
CREATE INDEX resources_by_name ON resources (organisation_id, name COLLATE NOCASE, id);
CREATE INDEX resources_by_holder ON resources (holder_id) WHERE ended_at IS NULL;

-- Stretches of a resource's life with one plan and one holder: what is charged. None overlaps another of its resource.
CREATE TABLE runs (
  organisation_id INTEGER NOT NULL,
  resource_id     INTEGER NOT NULL,
  from_at         INTEGER NOT NULL,
  until_at        INTEGER CHECK (until_at > from_at),  -- NULL while it goes on
  plan_id         INTEGER NOT NULL REFERENCES plans (id),
  holder_id       INTEGER NOT NULL,
  PRIMARY KEY (resource_id, from_at),
  FOREIGN KEY (organisation_id, resource_id) REFERENCES resources (organisation_id, id),
  FOREIGN KEY (organisation_id, holder_id) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX runs_open ON runs (resource_id) WHERE until_at IS NULL;
CREATE INDEX runs_by_end ON runs (organisation_id, until_at);

-- Up to which instant an organisation's months are closed: nothing before it changes any more. A row since its first
-- resource.
CREATE TABLE ledgers (
  organisation_id INTEGER PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
  closed_until    INTEGER NOT NULL
) STRICT;

CREATE INDEX ledgers_by_end ON ledgers (closed_until);

-- What an organisation decides about its bill; no row means nothing was decided.
CREATE TABLE billing (
  organisation_id INTEGER PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
  address         TEXT    NOT NULL DEFAULT '' CHECK (length(address) <= 500),
  vat_number      TEXT    NOT NULL DEFAULT '' CHECK (length(vat_number) <= 40),
  contact_id      INTEGER,                     -- who gets the invoices; NULL: the owner
  budget          INTEGER CHECK (budget BETWEEN 1 AND 1000000000000000),  -- for a month; NULL: none
  told_month_at   INTEGER,                     -- the month of which people were told, by its start; NULL: none yet
  told_percent    INTEGER NOT NULL DEFAULT 0 CHECK (told_percent IN (0, 50, 80, 100)),  -- and how far it was spent by then
  FOREIGN KEY (organisation_id, contact_id) REFERENCES accounts (organisation_id, id)
) STRICT;

-- Months that are closed, as they were billed: all that stands on an invoice stands here.
CREATE TABLE invoices (
  organisation_id INTEGER NOT NULL REFERENCES organisations (id),
  year            INTEGER NOT NULL,            -- of the month that it is for
  number          INTEGER NOT NULL CHECK (number > 0),  -- from 1 in each year, without gaps
  from_at         INTEGER NOT NULL,            -- the month
  until_at        INTEGER NOT NULL CHECK (until_at > from_at),
  issued_at       INTEGER NOT NULL,
  due_at          INTEGER NOT NULL,            -- the start of the day until whose end it is to be paid
  currency        TEXT    NOT NULL,
  net             INTEGER NOT NULL,            -- the sum of its lines
  tax_rate        INTEGER NOT NULL CHECK (tax_rate BETWEEN 0 AND 10000),  -- in hundredths of a percent
  tax             INTEGER NOT NULL,
  total           INTEGER NOT NULL CHECK (total = net + tax),
  issuer          TEXT    NOT NULL,            -- name and address, a line each
  payment         TEXT    NOT NULL,            -- how to pay, a line each
  bill_to         TEXT    NOT NULL,            -- the organisation
  owner           TEXT    NOT NULL,            -- the master account
  address         TEXT    NOT NULL,
  vat_number      TEXT    NOT NULL,
  PRIMARY KEY (organisation_id, year, number),
  UNIQUE (organisation_id, from_at)
) STRICT, WITHOUT ROWID;

-- What each is for: a stretch of one resource with one plan, one holder and one price.
CREATE TABLE invoice_lines (
  organisation_id INTEGER NOT NULL,
  year            INTEGER NOT NULL,
  number          INTEGER NOT NULL,
  line            INTEGER NOT NULL CHECK (line > 0),
  resource_id     INTEGER NOT NULL,
  resource        TEXT    NOT NULL,            -- its name when the month was closed
  kind            TEXT    NOT NULL,
  plan            TEXT    NOT NULL,
  account_id      INTEGER NOT NULL,
  account         TEXT    NOT NULL,            -- the name of its holder then
  price           INTEGER NOT NULL,            -- for the whole month
  from_at         INTEGER NOT NULL,
  until_at        INTEGER NOT NULL CHECK (until_at > from_at),
  amount          INTEGER NOT NULL,
  PRIMARY KEY (organisation_id, year, number, line),
  FOREIGN KEY (organisation_id, year, number) REFERENCES invoices (organisation_id, year, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX invoice_lines_by_resource ON invoice_lines (resource_id, from_at);

CREATE TRIGGER invoices_stay BEFORE UPDATE ON invoices BEGIN SELECT raise(ABORT, 'an invoice is never changed'); END;
CREATE TRIGGER invoices_remain BEFORE DELETE ON invoices BEGIN SELECT raise(ABORT, 'an invoice is never deleted'); END;
CREATE TRIGGER invoice_lines_stay BEFORE UPDATE ON invoice_lines BEGIN SELECT raise(ABORT, 'an invoice is never changed'); END;
CREATE TRIGGER invoice_lines_remain BEFORE DELETE ON invoice_lines BEGIN SELECT raise(ABORT, 'an invoice is never deleted'); END;

-- That an invoice was paid.
CREATE TABLE payments (
  organisation_id INTEGER NOT NULL,
  year            INTEGER NOT NULL,
  number          INTEGER NOT NULL,
  paid_at         INTEGER NOT NULL,
  reference       TEXT    NOT NULL CHECK (length(reference) <= 100),
  noted_by        INTEGER,                     -- NULL: the operator
  PRIMARY KEY (organisation_id, year, number),
  FOREIGN KEY (organisation_id, year, number) REFERENCES invoices (organisation_id, year, number),
  FOREIGN KEY (organisation_id, noted_by) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;

-- The list of kinds stands in the table itself, which is therefore built anew.
CREATE TABLE errands_next (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind            TEXT    NOT NULL CHECK (kind IN ('activation', 'link_asked', 'reset', 'password_changed', 'password_taken', 'new_device', 'role_changed', 'email_confirm', 'email_changed', 'ownership_offered', 'ownership_moved', 'two_factor_on', 'two_factor_off', 'two_factor_reset', 'recovery_used', 'codes_renewed', 'grace_ends', 'backup_failed', 'invoice', 'budget')),
  account_id      INTEGER NOT NULL,            -- to whom
  about_id        INTEGER,                     -- the invitation, reset or account it speaks of; NULL where the recipient is all
  details         TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(details)),
  recipient       TEXT,                        -- the address; NULL once its account is deleted
  message_id      TEXT    NOT NULL,            -- fixed here, so that a double can be recognised
  urgency         INTEGER NOT NULL CHECK (urgency IN (0, 1)),  -- 0: somebody waits at the door
  state           TEXT    NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'not_needed')),
  created_at      INTEGER NOT NULL,
  due_at          INTEGER NOT NULL,
  deadline_at     INTEGER NOT NULL,
  leased_until    INTEGER,                     -- NULL unless sending
  refusals        INTEGER NOT NULL DEFAULT 0,  -- 4xx answers so far: how long to wait for the next try
  ended_at        INTEGER,                     -- NULL while it is owed
  answer          TEXT,                        -- the server's last words, or why it is over; NULL before the first try
  CHECK ((state = 'sending') = (leased_until IS NOT NULL)),
  CHECK ((state IN ('sent', 'failed', 'not_needed')) = (ended_at IS NOT NULL)),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;
INSERT INTO errands_next SELECT * FROM errands;
DROP TABLE errands;
ALTER TABLE errands_next RENAME TO errands;
CREATE INDEX errands_due ON errands (urgency, due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX errands_by_organisation ON errands (organisation_id, created_at);
CREATE INDEX errands_unsent ON errands (organisation_id, state) WHERE state IN ('waiting', 'sending', 'failed');
CREATE INDEX errands_by_about ON errands (about_id);
CREATE INDEX errands_by_account ON errands (account_id);
CREATE INDEX errands_by_end ON errands (ended_at) WHERE ended_at IS NOT NULL;
