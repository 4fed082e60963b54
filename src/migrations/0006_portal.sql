-- The audit log is searched, pruned and erased from; people are invited together and leave on a date; mail is tested.

ALTER TABLE organisations ADD COLUMN domains TEXT NOT NULL DEFAULT '' CHECK (length(domains) <= 4000);
ALTER TABLE organisations ADD COLUMN started_at INTEGER;

-- Accounts that are to be disabled at an instant that was set before. Of one that could not be, the row says why.
CREATE TABLE departures (
  account_id      INTEGER PRIMARY KEY,
  organisation_id INTEGER NOT NULL,
  leaves_at       INTEGER NOT NULL,
  set_by          INTEGER,                     -- NULL: the operator
  heir_id         INTEGER,                     -- who then gets what it holds; NULL: it stays under its name
  created_at      INTEGER NOT NULL,
  dropped_at      INTEGER,                     -- when it could not be done; NULL while it is to be
  why             TEXT,                        -- why it could not; NULL while it is to be
  CHECK ((dropped_at IS NULL) = (why IS NULL)),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id),
  FOREIGN KEY (organisation_id, set_by) REFERENCES accounts (organisation_id, id),
  FOREIGN KEY (organisation_id, heir_id) REFERENCES accounts (organisation_id, id)
) STRICT;

CREATE INDEX departures_by_time ON departures (leaves_at) WHERE dropped_at IS NULL;
CREATE INDEX departures_by_organisation ON departures (organisation_id, leaves_at);

-- Lists of people who are invited together: judged first, then worked through in the background, line by line.
CREATE TABLE imports (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  state           TEXT    NOT NULL CHECK (state IN ('judged', 'running', 'done', 'stopped')),
  given_by        INTEGER,                     -- NULL: the operator
  session_id      INTEGER,                     -- in which it was begun; NULL: on the command line
  address         TEXT,                        -- from which network address; NULL: on the command line
  created_at      INTEGER NOT NULL,
  begun_at        INTEGER,                     -- NULL until it was confirmed
  ended_at        INTEGER,                     -- NULL until it is over
  waits_until_at  INTEGER,                     -- while a cap is reached; NULL: it goes on
  why             TEXT,                        -- why it was stopped; NULL unless it was
  CHECK ((state IN ('done', 'stopped')) = (ended_at IS NOT NULL)),
  CHECK ((state = 'stopped') = (why IS NOT NULL)),
  FOREIGN KEY (organisation_id, given_by) REFERENCES accounts (organisation_id, id)
) STRICT;

CREATE INDEX imports_by_organisation ON imports (organisation_id, created_at);
CREATE INDEX imports_running ON imports (created_at) WHERE state = 'running';

-- Each line of such a list, as it was read.
CREATE TABLE import_lines (
  import_id  INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  line       INTEGER NOT NULL CHECK (line > 0),
  email      TEXT    NOT NULL,                 -- as typed where it is no address
  role       TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  phone      TEXT    NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('waiting', 'invited', 'refused')),
  account_id INTEGER,                          -- whom it invited; NULL unless it did
  why        TEXT,                             -- why it was refused; NULL unless it was
  PRIMARY KEY (import_id, line),
  CHECK ((state = 'invited') = (account_id IS NOT NULL)),
  CHECK ((state = 'refused') = (why IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX import_lines_by_account ON import_lines (account_id) WHERE account_id IS NOT NULL;

-- What was said to the mail server and by it when a test mail was sent; passwords are masked.
CREATE TABLE dialogues (
  errand_id INTEGER PRIMARY KEY REFERENCES errands (id) ON DELETE CASCADE,
  said_at   INTEGER NOT NULL,
  text      TEXT    NOT NULL CHECK (length(text) <= 100000)
) STRICT;

-- The list of kinds stands in the table itself, which is therefore built anew.
CREATE TABLE errands_next (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind            TEXT    NOT NULL CHECK (kind IN ('activation', 'link_asked', 'reset', 'password_changed', 'password_taken', 'new_device', 'role_changed', 'email_confirm', 'email_changed', 'ownership_offered', 'ownership_moved', 'two_factor_on', 'two_factor_off', 'two_factor_reset', 'recovery_used', 'codes_renewed', 'grace_ends', 'backup_failed', 'invoice', 'budget', 'test')),
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
CREATE INDEX errands_by_state ON errands (organisation_id, state, created_at, recipient);
CREATE INDEX errands_by_about ON errands (about_id);
CREATE INDEX errands_by_account ON errands (account_id);
CREATE INDEX errands_by_end ON errands (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX audit_by_time ON audit_events (chain_id, at);

-- The newest row of each chain, under a MAC of the audit key: cutting rows off the end is found too.
CREATE TABLE audit_heads_next (
  chain_id INTEGER PRIMARY KEY,
  number   INTEGER NOT NULL CHECK (number < 1099511627776),
  hash     BLOB    NOT NULL CHECK (length(hash) = 32),
  mac      BLOB    NOT NULL CHECK (length(mac) = 32),
  ordinal  INTEGER NOT NULL UNIQUE CHECK (ordinal BETWEEN 1 AND 8388607)  -- the chain's share of audit_index
) STRICT;

INSERT INTO audit_heads_next SELECT chain_id, number, hash, mac, row_number() OVER (ORDER BY chain_id) FROM audit_heads;
DROP TABLE audit_heads;
ALTER TABLE audit_heads_next RENAME TO audit_heads;

-- Where a chain begins once its oldest rows were pruned: behind this row, which was its last one then, under a MAC of
-- the audit key.
CREATE TABLE audit_checkpoints (
  chain_id  INTEGER PRIMARY KEY,
  number    INTEGER NOT NULL CHECK (number > 0),
  hash      BLOB    NOT NULL CHECK (length(hash) = 32),
  pruned_at INTEGER NOT NULL,
  mac       BLOB    NOT NULL CHECK (length(mac) = 32)
) STRICT;

-- Texts that were erased with the personal data of somebody, and in which event that is recorded.
CREATE TABLE audit_erasures (
  chain_id INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  slot     INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 5),
  event    INTEGER NOT NULL,                   -- the number of that event in the same chain
  PRIMARY KEY (chain_id, number, slot)
) STRICT, WITHOUT ROWID;

-- How often people signed in, and how often somebody was not let in, by quarter of an hour: no page counts the log for it,
-- and of quarters the days of every time zone can be made.
CREATE TABLE sign_ins (
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  from_at         INTEGER NOT NULL CHECK (from_at % 900 = 0),
  succeeded       INTEGER NOT NULL,
  failed          INTEGER NOT NULL,
  PRIMARY KEY (organisation_id, from_at)
) STRICT, WITHOUT ROWID;

INSERT INTO sign_ins
  SELECT chain_id, at - at % 900, sum(iif(action = 'sign_in.succeeded', 1, 0)),
         sum(iif(action = 'sign_in.succeeded', 0, coalesce(json_extract(details, '$.count'), 1)))
    FROM audit_events
   WHERE chain_id IN (SELECT id FROM organisations)
     AND (action = 'sign_in.succeeded'
       OR (action IN ('sign_in.failed', 'sign_in.throttled', 'code.failed', 'code.throttled')
           AND actor <> 'account' AND json_extract(details, '$.asked') IS NULL))
   GROUP BY 1, 2;

-- By which words an event is found: what was done, by whom, to whom, the request, and the words of its texts. A row's id
-- is the chain's ordinal times 2^40 plus the event's number.
CREATE VIRTUAL TABLE audit_index USING fts5 (words, content = '', contentless_delete = 1, detail = 'none', tokenize = "unicode61 tokenchars ':'");


INSERT INTO audit_index (rowid, words)
  SELECT (h.ordinal << 40) | e.number,
         'action:' || replace(replace(e.action, '.', ':'), '_', ':') || ' by:' || coalesce(e.actor_id, e.actor)
           || coalesce(' on:' || e.target_id, '') || ' ' || e.request_id
           || coalesce((SELECT ' ' || group_concat(t.text, ' ') FROM audit_texts t
                         WHERE t.chain_id = e.chain_id AND t.number = e.number), '')
    FROM audit_heads h JOIN audit_events e ON e.chain_id = h.chain_id ORDER BY 1;

DROP TRIGGER audit_events_remain;
DROP TRIGGER audit_texts_remain;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_checkpoints WHERE chain_id = OLD.chain_id AND number >= OLD.number) BEGIN
  SELECT raise(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_texts_remain BEFORE DELETE ON audit_texts
WHEN NOT EXISTS (SELECT 1 FROM audit_checkpoints WHERE chain_id = OLD.chain_id AND number >= OLD.number)
 AND NOT EXISTS (SELECT 1 FROM audit_erasures WHERE chain_id = OLD.chain_id AND number = OLD.number AND slot = OLD.slot) BEGIN
  SELECT raise(ABORT, 'the audit log is append-only');
END;
