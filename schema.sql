-- The database of Doorward, as it is today.
--
-- Every table is STRICT, every time is seconds since 1970 UTC in a column named …_at, every id is a random 63-bit
-- integer, and every row that belongs to somebody names its organisation. CHECKs repeat what the types in src/domain
-- already say, so that a row can be trusted whoever wrote it. NULL always means what the comment beside it says.

-- One row: which key this file belongs to. `probe` is written after a failed commit, to see whether the disk is back.
CREATE TABLE install (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  key_id     BLOB    NOT NULL CHECK (length(key_id) = 32),
  created_at INTEGER NOT NULL,
  probe      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The last hundred tries to make a copy of this file.
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

-- The tenants.
CREATE TABLE organisations (
  id          INTEGER PRIMARY KEY CHECK (id > 0),
  name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  time_zone   TEXT    NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
  owner_id    INTEGER NOT NULL,
  managers    TEXT    NOT NULL CHECK (managers IN ('admins', 'masters')),  -- the weakest who manage users
  trust       TEXT    NOT NULL CHECK (trust IN ('off', 'offered')),    -- whether a browser may skip the code for 30 days
  offered_to  INTEGER,                         -- the Master who may accept the ownership; NULL: nobody
  offered_at  INTEGER,                         -- NULL unless it is offered
  created_at  INTEGER NOT NULL,
  disabled_at INTEGER,                         -- NULL while people may sign in
  domains     TEXT    NOT NULL DEFAULT '' CHECK (length(domains) <= 4000),  -- whose addresses may be invited, a line each; none: any
  started_at  INTEGER,                         -- when the list of first steps was put away; NULL while it is shown
  CHECK ((offered_to IS NULL) = (offered_at IS NULL)),
  CHECK (offered_to <> owner_id),
  FOREIGN KEY (id, owner_id) REFERENCES accounts (organisation_id, id) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (id, offered_to) REFERENCES accounts (organisation_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- What an organisation asks of each role besides the password. The account's grace runs from the latest of: this became
-- stricter, the account was activated, got its role, had its second factor reset.
CREATE TABLE policies (
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  role            TEXT    NOT NULL CHECK (role IN ('member', 'billing', 'admin', 'master')),
  level           TEXT    NOT NULL CHECK (level IN ('off', 'recommended', 'required')),
  grace_days      INTEGER NOT NULL CHECK (grace_days BETWEEN 0 AND 30),
  stricter_at     INTEGER NOT NULL,            -- when it last became stricter
  PRIMARY KEY (organisation_id, role)
) STRICT, WITHOUT ROWID;

-- One person each. A deleted account leaves a tombstone, so that what it made keeps the name it had.
CREATE TABLE accounts (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL REFERENCES organisations (id),
  status          TEXT    NOT NULL CHECK (status IN ('pending', 'active', 'disabled', 'deleted')),
  role            TEXT    NOT NULL CHECK (role IN ('member', 'billing', 'admin', 'master')),
  email           TEXT    UNIQUE CHECK (length(email) BETWEEN 3 AND 254),   -- NULL once deleted: free again
  name            TEXT    CHECK (length(name) BETWEEN 1 AND 100),           -- NULL until activated
  phone           TEXT    CHECK (phone GLOB '+[1-9]*' AND length(phone) BETWEEN 8 AND 16),  -- NULL when not given
  epoch           INTEGER NOT NULL DEFAULT 0,  -- raised by a loss: sessions of an older epoch are over
  created_at      INTEGER NOT NULL,
  created_by      INTEGER,                     -- NULL: the operator, or the set-up
  activated_at    INTEGER,                     -- NULL until activated
  role_at         INTEGER NOT NULL,            -- since when it has its role
  two_factor      INTEGER NOT NULL DEFAULT 0 CHECK (two_factor IN (0, 1)),  -- whether it has a second factor
  factor_reset_at INTEGER,                     -- when another took its second factor away; NULL: never
  reminded_of     INTEGER,                     -- the end of grace that it was reminded of; NULL: none
  disabled_at     INTEGER,                     -- NULL unless disabled
  deleted_at      INTEGER,                     -- NULL unless deleted
  last_seen_at    INTEGER,                     -- NULL: never signed in
  time_zone       TEXT    CHECK (length(time_zone) BETWEEN 1 AND 64),  -- NULL: the organisation's
  shortcuts       INTEGER NOT NULL DEFAULT 1 CHECK (shortcuts IN (0, 1)),  -- whether keys do something
  UNIQUE (organisation_id, id),
  FOREIGN KEY (organisation_id, created_by) REFERENCES accounts (organisation_id, id),
  CHECK ((status = 'deleted') = (email IS NULL)),
  CHECK ((status = 'deleted') = (deleted_at IS NOT NULL)),
  CHECK ((status = 'disabled') = (disabled_at IS NOT NULL)),
  CHECK (status NOT IN ('active', 'disabled') OR (name IS NOT NULL AND activated_at IS NOT NULL)),
  CHECK (status <> 'pending' OR activated_at IS NULL),
  CHECK (status <> 'deleted' OR phone IS NULL),
  CHECK (two_factor = 0 OR status IN ('active', 'disabled'))
) STRICT;

-- The orders of the list, with what it filters by, and then all that it filters, searches and sorts by: a page's ids
-- come from one of these alone.
CREATE INDEX accounts_by_seen ON accounts (organisation_id, last_seen_at, id, status, role, two_factor) WHERE status <> 'deleted';
CREATE INDEX accounts_by_name ON accounts (organisation_id, name COLLATE NOCASE, email, status, role, two_factor) WHERE status <> 'deleted';
CREATE INDEX accounts_by_created ON accounts (organisation_id, created_at, id, status, role, two_factor) WHERE status <> 'deleted';
CREATE INDEX accounts_by_status ON accounts (organisation_id, status, role, two_factor, last_seen_at, id, created_at, name, email);
-- Who signs in with a password alone: to be counted, listed and reminded.
CREATE INDEX accounts_without_factor ON accounts (organisation_id, role, activated_at, role_at, factor_reset_at, reminded_of, id) WHERE status = 'active' AND two_factor = 0;

-- How many accounts of each kind an organisation has, kept by triggers, so that no page counts 100,000 rows.
CREATE TABLE account_counts (
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  status          TEXT    NOT NULL,
  role            TEXT    NOT NULL,
  two_factor      INTEGER NOT NULL,
  count           INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (organisation_id, status, role, two_factor)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER accounts_counted_in AFTER INSERT ON accounts BEGIN
  INSERT INTO account_counts VALUES (NEW.organisation_id, NEW.status, NEW.role, NEW.two_factor, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER accounts_counted_over AFTER UPDATE OF status, role, two_factor ON accounts
WHEN OLD.status <> NEW.status OR OLD.role <> NEW.role OR OLD.two_factor <> NEW.two_factor BEGIN
  UPDATE account_counts SET count = count - 1
    WHERE organisation_id = OLD.organisation_id AND status = OLD.status AND role = OLD.role AND two_factor = OLD.two_factor;
  INSERT INTO account_counts VALUES (NEW.organisation_id, NEW.status, NEW.role, NEW.two_factor, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER accounts_counted_out AFTER DELETE ON accounts BEGIN
  UPDATE account_counts SET count = count - 1
    WHERE organisation_id = OLD.organisation_id AND status = OLD.status AND role = OLD.role AND two_factor = OLD.two_factor;
END;

-- The hash of each account's password; no row while Pending, and none once deleted.
CREATE TABLE passwords (
  account_id      INTEGER PRIMARY KEY,
  organisation_id INTEGER NOT NULL,
  hash            TEXT    NOT NULL CHECK (hash LIKE '$argon2id$%'),
  changed_at      INTEGER NOT NULL,
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;

-- Links that set another password. The token is derived from the nonce under the link key, never stored.
CREATE TABLE resets (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  reset_by        INTEGER,                     -- who took the password away; NULL: its person asked for the link
  nonce           BLOB    NOT NULL CHECK (length(nonce) = 16),
  hash            BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL CHECK (expires_at > created_at),
  state           TEXT    NOT NULL CHECK (state IN ('open', 'used', 'replaced')),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id),
  FOREIGN KEY (organisation_id, reset_by) REFERENCES accounts (organisation_id, id)
) STRICT;

-- Links that give an account another address, mailed to that address.
CREATE TABLE email_changes (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  email           TEXT    NOT NULL CHECK (length(email) BETWEEN 3 AND 254),  -- the new one
  nonce           BLOB    NOT NULL CHECK (length(nonce) = 16),
  hash            BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL CHECK (expires_at > created_at),
  state           TEXT    NOT NULL CHECK (state IN ('open', 'used', 'replaced')),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;

CREATE UNIQUE INDEX email_changes_open ON email_changes (account_id) WHERE state = 'open';
CREATE INDEX email_changes_by_account ON email_changes (account_id);
CREATE INDEX email_changes_by_expiry ON email_changes (expires_at);

CREATE UNIQUE INDEX resets_open ON resets (account_id) WHERE state = 'open';
CREATE INDEX resets_by_account ON resets (account_id);
CREATE INDEX resets_by_expiry ON resets (expires_at);

-- Who is signed in. The cookie is random; only its SHA-256 stands here. What a session may do was copied at sign-in.
CREATE TABLE sessions (
  hash            BLOB    PRIMARY KEY CHECK (length(hash) = 32),
  id              INTEGER NOT NULL UNIQUE CHECK (id > 0),
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  epoch           INTEGER NOT NULL,
  permissions     INTEGER NOT NULL CHECK (permissions BETWEEN 0 AND 511),
  created_at      INTEGER NOT NULL,
  used_at         INTEGER NOT NULL,            -- written at most once a minute
  proved_at       INTEGER NOT NULL,            -- when its holder last showed a password or a code
  address         TEXT    NOT NULL,
  agent           TEXT    NOT NULL CHECK (length(agent) <= 60),  -- browser and system, as "Firefox on Linux"
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_account ON sessions (account_id, created_at);
CREATE INDEX sessions_by_use ON sessions (used_at);

-- Whose password was right and who still owes the code. It opens the second step, and is no session.
CREATE TABLE challenges (
  hash            BLOB    PRIMARY KEY CHECK (length(hash) = 32),
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  epoch           INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL CHECK (expires_at > created_at),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX challenges_by_account ON challenges (account_id, created_at);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);

-- Links by which the operator lets somebody in. The token is derived from the nonce under the link key, never stored.
CREATE TABLE sign_in_links (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  nonce           BLOB    NOT NULL CHECK (length(nonce) = 16),
  hash            BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL CHECK (expires_at > created_at),
  state           TEXT    NOT NULL CHECK (state IN ('open', 'used', 'replaced')),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;

CREATE UNIQUE INDEX sign_in_links_open ON sign_in_links (account_id) WHERE state = 'open';
CREATE INDEX sign_in_links_by_account ON sign_in_links (account_id);
CREATE INDEX sign_in_links_by_expiry ON sign_in_links (expires_at);

-- Second factors that are on (RFC 6238). The secret is sealed under secret.key (see src/kit/seal.rs).
CREATE TABLE factors (
  account_id      INTEGER PRIMARY KEY,
  organisation_id INTEGER NOT NULL,
  sealed          BLOB    NOT NULL CHECK (length(sealed) BETWEEN 64 AND 128),
  last_step       INTEGER NOT NULL,            -- the step of the last code that was taken: it and all before are used
  created_at      INTEGER NOT NULL,
  used_at         INTEGER NOT NULL,            -- when a code or a recovery code was last taken
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;

-- Secrets that were shown and not yet confirmed: one for each session that sets up.
CREATE TABLE enrolments (
  session_id      INTEGER PRIMARY KEY,
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  sealed          BLOB    NOT NULL CHECK (length(sealed) BETWEEN 64 AND 128),
  replaces        INTEGER NOT NULL CHECK (replaces IN (0, 1)),  -- whether it was begun with the factor that it replaces
  expires_at      INTEGER NOT NULL,
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;

CREATE INDEX enrolments_by_account ON enrolments (account_id);
CREATE INDEX enrolments_by_expiry ON enrolments (expires_at);

-- Ten codes beside each factor, each good for once. Only a MAC under secret.key stands here.
CREATE TABLE recovery_codes (
  account_id      INTEGER NOT NULL,
  mac             BLOB    NOT NULL CHECK (length(mac) = 32),
  organisation_id INTEGER NOT NULL,
  used_at         INTEGER,                     -- NULL while it is good
  PRIMARY KEY (account_id, mac),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;

-- Browsers that completed a sign-in of the account before.
CREATE TABLE devices (
  hash            BLOB    NOT NULL CHECK (length(hash) = 32),
  account_id      INTEGER NOT NULL,
  organisation_id INTEGER NOT NULL,
  used_at         INTEGER NOT NULL,
  trusted_at      INTEGER,                     -- when it was trusted to skip the code; NULL: it is not
  PRIMARY KEY (hash, account_id),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX devices_by_account ON devices (account_id);
CREATE INDEX devices_by_use ON devices (used_at);
CREATE INDEX devices_trusted ON devices (organisation_id) WHERE trusted_at IS NOT NULL;

-- Tries so far, for restarts. `subject` is a MAC or a network address: the file holds no list of what strangers typed.
CREATE TABLE throttles (
  kind      TEXT    NOT NULL CHECK (kind IN ('account', 'device', 'code', 'mail', 'address', 'links')),
  subject   BLOB    NOT NULL,
  recent    BLOB    NOT NULL,                  -- the instants that count, eight bytes each
  over      INTEGER NOT NULL,                  -- how many were judged over the limit
  day_began_at INTEGER NOT NULL,
  day_count INTEGER NOT NULL,
  until_at  INTEGER NOT NULL,                  -- when the row is of no use any more
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX throttles_by_end ON throttles (until_at);

-- Links that turn a Pending account Active. The token is derived from the nonce under the link key, never stored.
CREATE TABLE invitations (
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  nonce           BLOB    NOT NULL CHECK (length(nonce) = 16),
  hash            BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  given_by        INTEGER,                     -- who gave the role or resent; NULL: the operator
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL CHECK (expires_at > created_at),
  state           TEXT    NOT NULL CHECK (state IN ('open', 'expired', 'used', 'replaced')),
  asked_at        INTEGER,                     -- when a new link was last asked for; NULL: never
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id),
  FOREIGN KEY (organisation_id, given_by) REFERENCES accounts (organisation_id, id)
) STRICT;

CREATE UNIQUE INDEX invitations_live ON invitations (account_id) WHERE state IN ('open', 'expired');
CREATE INDEX invitations_by_account ON invitations (account_id);
CREATE INDEX invitations_by_expiry ON invitations (state, expires_at) WHERE state IN ('open', 'expired');

-- How many invitations and refusals there were, against the hourly and daily caps.
CREATE TABLE invitation_tallies (
  kind    TEXT    NOT NULL CHECK (kind IN ('hour', 'day', 'address', 'refused')),
  subject BLOB    NOT NULL,                    -- the organisation's id, or the MAC of an address
  since   INTEGER NOT NULL,                    -- the start of the hour or day
  count   INTEGER NOT NULL,
  PRIMARY KEY (kind, subject, since)
) STRICT, WITHOUT ROWID;

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

-- The one-time link of the first run; no row once any organisation exists.
CREATE TABLE setup_links (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  hash       BLOB    NOT NULL CHECK (length(hash) = 32),
  expires_at INTEGER NOT NULL
) STRICT;

-- The outbox: every mail that is owed. What it says is written when it is sent.
CREATE TABLE errands (
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

CREATE INDEX errands_due ON errands (urgency, due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX errands_by_organisation ON errands (organisation_id, created_at);
CREATE INDEX errands_unsent ON errands (organisation_id, state) WHERE state IN ('waiting', 'sending', 'failed');
CREATE INDEX errands_by_state ON errands (organisation_id, state, created_at, recipient);
CREATE INDEX errands_by_about ON errands (about_id);
CREATE INDEX errands_by_account ON errands (account_id);
CREATE INDEX errands_by_end ON errands (ended_at) WHERE ended_at IS NOT NULL;

-- Each try to send one; equal answers in a row are one line with a count.
CREATE TABLE attempts (
  errand_id INTEGER NOT NULL REFERENCES errands (id) ON DELETE CASCADE,
  number    INTEGER NOT NULL,
  first_at  INTEGER NOT NULL,
  last_at   INTEGER NOT NULL,
  count     INTEGER NOT NULL,
  answer    TEXT    NOT NULL,
  PRIMARY KEY (errand_id, number)
) STRICT, WITHOUT ROWID;

-- What was said to the mail server and by it when a test mail was sent; passwords are masked.
CREATE TABLE dialogues (
  errand_id INTEGER PRIMARY KEY REFERENCES errands (id) ON DELETE CASCADE,
  said_at   INTEGER NOT NULL,
  text      TEXT    NOT NULL CHECK (length(text) <= 100000)
) STRICT;

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

-- Who did what. One chain for each organisation, and chain 0 for the system: each row's hash is over the row and the
-- hash before it. Personal text stands in audit_texts; the row commits to it (see src/audit).
CREATE TABLE audit_events (
  chain_id    INTEGER NOT NULL,                -- the organisation, or 0
  number      INTEGER NOT NULL CHECK (number > 0),
  at          INTEGER NOT NULL,
  action      TEXT    NOT NULL,
  actor       TEXT    NOT NULL CHECK (actor IN ('account', 'operator', 'system', 'stranger')),
  actor_id    INTEGER,                         -- NULL unless the actor is an account
  session_id  INTEGER,                         -- NULL outside a session
  target_id   INTEGER,                         -- the account it was done to; NULL when none
  details     TEXT    NOT NULL,                -- JSON without personal text: roles, states, counts
  request_id  TEXT    NOT NULL,
  commitments BLOB    NOT NULL,                -- for each text: its slot, and SHA-256 of salt and text
  hash        BLOB    NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (chain_id, number),
  CHECK ((actor = 'account') = (actor_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_by_target ON audit_events (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit_events (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_time ON audit_events (chain_id, at);

-- The personal text of an event, so that it can be erased without breaking the chain.
CREATE TABLE audit_texts (
  chain_id INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  slot     INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 5),  -- 1 actor, 2 address, 3 target, 4 before, 5 after
  salt     BLOB    NOT NULL CHECK (length(salt) = 16),
  text     TEXT    NOT NULL,
  PRIMARY KEY (chain_id, number, slot)
) STRICT, WITHOUT ROWID;

-- The newest row of each chain, under a MAC of the audit key: cutting rows off the end is found too.
CREATE TABLE audit_heads (
  chain_id INTEGER PRIMARY KEY,
  number   INTEGER NOT NULL CHECK (number < 1099511627776),
  hash     BLOB    NOT NULL CHECK (length(hash) = 32),
  mac      BLOB    NOT NULL CHECK (length(mac) = 32),
  ordinal  INTEGER NOT NULL UNIQUE CHECK (ordinal BETWEEN 1 AND 8388607)  -- the chain's share of audit_index
) STRICT;

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

-- By which words an event is found: what was done, by whom, to whom, the request, and the words of its texts. A row's id
-- is the chain's ordinal times 2^40 plus the event's number.
CREATE VIRTUAL TABLE audit_index USING fts5 (words, content = '', contentless_delete = 1, detail = 'none', tokenize = "unicode61 tokenchars ':'");

CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_checkpoints WHERE chain_id = OLD.chain_id AND number >= OLD.number) BEGIN
  SELECT raise(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_texts_stay BEFORE UPDATE ON audit_texts BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_texts_remain BEFORE DELETE ON audit_texts
WHEN NOT EXISTS (SELECT 1 FROM audit_checkpoints WHERE chain_id = OLD.chain_id AND number >= OLD.number)
 AND NOT EXISTS (SELECT 1 FROM audit_erasures WHERE chain_id = OLD.chain_id AND number = OLD.number AND slot = OLD.slot) BEGIN
  SELECT raise(ABORT, 'the audit log is append-only');
END;

PRAGMA user_version = 6;
