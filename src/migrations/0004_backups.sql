-- Backups are written down, and word of a failed one is mailed.

CREATE TABLE backups (
  id       INTEGER PRIMARY KEY CHECK (id > 0),
  cause    TEXT    NOT NULL CHECK (cause IN ('nightly', 'command', 'upgrade')),
  began_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL CHECK (ended_at >= began_at),
  place    TEXT    NOT NULL,                   -- the copy, or where it was to be
  bytes    INTEGER,                            -- its size; NULL where none was made
  failure  TEXT,                               -- why; NULL where it was made and verified
  CHECK ((bytes IS NULL) = (failure IS NOT NULL))
) STRICT;

CREATE INDEX backups_by_end ON backups (ended_at);

-- The list of kinds stands in the table itself, which is therefore built anew.
CREATE TABLE errands_next (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind            TEXT    NOT NULL CHECK (kind IN ('activation', 'link_asked', 'reset', 'password_changed', 'password_taken', 'new_device', 'role_changed', 'email_confirm', 'email_changed', 'ownership_offered', 'ownership_moved', 'two_factor_on', 'two_factor_off', 'two_factor_reset', 'recovery_used', 'codes_renewed', 'grace_ends', 'backup_failed')),
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
