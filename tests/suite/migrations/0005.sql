PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE install (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  key_id     BLOB    NOT NULL CHECK (length(key_id) = 32),
  created_at INTEGER NOT NULL,
  probe      INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO install VALUES(1,X'cc010dcfae6ed6d90be08c0f2185bc69baa05a168801d742dd2f87cbf6d61181',1795535289,0);
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
  CHECK ((offered_to IS NULL) = (offered_at IS NULL)),
  CHECK (offered_to <> owner_id),
  FOREIGN KEY (id, owner_id) REFERENCES accounts (organisation_id, id) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (id, offered_to) REFERENCES accounts (organisation_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
INSERT INTO organisations VALUES(625704466230605568,'Halden Works','Europe/Oslo',258852150214229273,'masters','off',8816077031093676460,1795535290,1795535289,NULL);
INSERT INTO organisations VALUES(5918033836545011760,'Other Works','UTC',4736302650616353447,'admins','off',NULL,NULL,1795535290,NULL);
CREATE TABLE policies (
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  role            TEXT    NOT NULL CHECK (role IN ('member', 'billing', 'admin', 'master')),
  level           TEXT    NOT NULL CHECK (level IN ('off', 'recommended', 'required')),
  grace_days      INTEGER NOT NULL CHECK (grace_days BETWEEN 0 AND 30),
  stricter_at     INTEGER NOT NULL,            -- when it last became stricter
  PRIMARY KEY (organisation_id, role)
) STRICT, WITHOUT ROWID;
INSERT INTO policies VALUES(625704466230605568,'admin','required',7,1795535289);
INSERT INTO policies VALUES(625704466230605568,'billing','required',7,1795535289);
INSERT INTO policies VALUES(625704466230605568,'master','required',7,1795535289);
INSERT INTO policies VALUES(625704466230605568,'member','required',7,1795535289);
INSERT INTO policies VALUES(5918033836545011760,'admin','required',7,1795535290);
INSERT INTO policies VALUES(5918033836545011760,'billing','required',7,1795535290);
INSERT INTO policies VALUES(5918033836545011760,'master','required',7,1795535290);
INSERT INTO policies VALUES(5918033836545011760,'member','required',7,1795535290);
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
INSERT INTO accounts VALUES(143897546092073407,625704466230605568,'pending','member','nora@haldenworks.example',NULL,NULL,0,1795535290,258852150214229273,NULL,1795535290,0,NULL,NULL,NULL,NULL,NULL,NULL,1);
INSERT INTO accounts VALUES(258852150214229273,625704466230605568,'active','master','ingrid@haldenworks.example','Ingrid Solheim',NULL,0,1795535289,NULL,1795535289,1795535289,0,NULL,NULL,NULL,NULL,1795535289,NULL,1);
INSERT INTO accounts VALUES(3554525534893990848,625704466230605568,'disabled','admin','ben@haldenworks.example','ben Vik',NULL,1,1795535289,NULL,1795535289,1795535289,0,NULL,NULL,1795535290,NULL,1795535289,NULL,1);
INSERT INTO accounts VALUES(3794525047979586842,625704466230605568,'deleted','member',NULL,'cara Vik',NULL,1,1795535290,NULL,1795535290,1795535290,0,NULL,NULL,NULL,1795535290,1795535290,NULL,1);
INSERT INTO accounts VALUES(4736302650616353447,5918033836545011760,'pending','master','otto@other.example',NULL,NULL,0,1795535290,NULL,NULL,1795535290,0,NULL,NULL,NULL,NULL,NULL,NULL,1);
INSERT INTO accounts VALUES(4996680618990219926,625704466230605568,'deleted','member',NULL,NULL,NULL,1,1795535290,258852150214229273,NULL,1795535290,0,NULL,NULL,NULL,1795535290,NULL,NULL,1);
INSERT INTO accounts VALUES(5050979877243250659,625704466230605568,'active','admin','finn@haldenworks.example','finn Vik',NULL,1,1795535290,NULL,1795535290,1795535290,0,NULL,NULL,NULL,NULL,1795535290,NULL,1);
INSERT INTO accounts VALUES(5451325125255017496,625704466230605568,'pending','member','dan@haldenworks.example',NULL,NULL,0,1795535290,258852150214229273,NULL,1795535290,0,NULL,NULL,NULL,NULL,NULL,NULL,1);
INSERT INTO accounts VALUES(5818500028368920251,625704466230605568,'active','member','ann@haldenworks.example','ann Vik',NULL,1,1795535289,NULL,1795535289,1795535289,1,NULL,NULL,NULL,NULL,1795535289,NULL,1);
INSERT INTO accounts VALUES(7253806730901947817,625704466230605568,'pending','member','omar@haldenworks.example',NULL,NULL,0,1795535290,258852150214229273,NULL,1795535290,0,NULL,NULL,NULL,NULL,NULL,NULL,1);
INSERT INTO accounts VALUES(7302520534443807935,625704466230605568,'pending','member','pia@haldenworks.example',NULL,NULL,0,1795535290,258852150214229273,NULL,1795535290,0,NULL,NULL,NULL,NULL,NULL,NULL,1);
INSERT INTO accounts VALUES(8277137352538281420,625704466230605568,'active','billing','gus@haldenworks.example','gus Vik',NULL,0,1795535290,NULL,1795535290,1795535290,0,NULL,NULL,NULL,NULL,1795535290,NULL,1);
INSERT INTO accounts VALUES(8816077031093676460,625704466230605568,'active','master','hedda@haldenworks.example','hedda Vik',NULL,0,1795535290,NULL,1795535290,1795535290,0,NULL,NULL,NULL,NULL,1795535290,NULL,1);
CREATE TABLE account_counts (
  organisation_id INTEGER NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  status          TEXT    NOT NULL,
  role            TEXT    NOT NULL,
  two_factor      INTEGER NOT NULL,
  count           INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (organisation_id, status, role, two_factor)
) STRICT, WITHOUT ROWID;
INSERT INTO account_counts VALUES(625704466230605568,'active','admin',0,1);
INSERT INTO account_counts VALUES(625704466230605568,'active','billing',0,1);
INSERT INTO account_counts VALUES(625704466230605568,'active','master',0,2);
INSERT INTO account_counts VALUES(625704466230605568,'active','member',0,0);
INSERT INTO account_counts VALUES(625704466230605568,'active','member',1,1);
INSERT INTO account_counts VALUES(625704466230605568,'deleted','member',0,2);
INSERT INTO account_counts VALUES(625704466230605568,'disabled','admin',0,1);
INSERT INTO account_counts VALUES(625704466230605568,'pending','admin',0,0);
INSERT INTO account_counts VALUES(625704466230605568,'pending','billing',0,0);
INSERT INTO account_counts VALUES(625704466230605568,'pending','master',0,0);
INSERT INTO account_counts VALUES(625704466230605568,'pending','member',0,4);
INSERT INTO account_counts VALUES(5918033836545011760,'pending','master',0,1);
CREATE TABLE passwords (
  account_id      INTEGER PRIMARY KEY,
  organisation_id INTEGER NOT NULL,
  hash            TEXT    NOT NULL CHECK (hash LIKE '$argon2id$%'),
  changed_at      INTEGER NOT NULL,
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;
INSERT INTO passwords VALUES(258852150214229273,625704466230605568,'$argon2id$v=19$m=19456,t=2,p=1$IsMifz8xjNEt6v1mKKKJFg$J6xIUGHJGnXXWAGizYLVTszvbwe72M4HvsP3lvXgjuM',1795535289);
INSERT INTO passwords VALUES(3554525534893990848,625704466230605568,'$argon2id$v=19$m=19456,t=2,p=1$/x85iSSEVAPLYdqm0h3ykA$v82W61APWXtQCqX/hKBuDaENu80jYMdtBur3g/0Zdwo',1795535289);
INSERT INTO passwords VALUES(5050979877243250659,625704466230605568,'$argon2id$v=19$m=19456,t=2,p=1$3DVAJnuFYJAsJu0TgcMvXA$6peRKGEP3WixbnQoTsU9rZuoXmYLQSRpOZVbQzeITuE',1795535290);
INSERT INTO passwords VALUES(5818500028368920251,625704466230605568,'$argon2id$v=19$m=19456,t=2,p=1$d9eXnq7F/Iq0Ry7aN2Y+PQ$PEu8rIYVyDqVut1HVeseOrUY2P1gdEPPusTc8MVREfo',1795535289);
INSERT INTO passwords VALUES(8277137352538281420,625704466230605568,'$argon2id$v=19$m=19456,t=2,p=1$ZAyPP6jtwkev05RS24LPHw$CSeT/TCVA3EzjuiiKxCbDaWRRHhYaDO3W8glBpJmOGY',1795535290);
INSERT INTO passwords VALUES(8816077031093676460,625704466230605568,'$argon2id$v=19$m=19456,t=2,p=1$+eWjV23YoLDcKcqQy+BBqw$VvFrQ029b58+52Qk89O2BsaaePJWRQihEFeVbCAXckQ',1795535290);
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
INSERT INTO resets VALUES(1258658109569288577,625704466230605568,8277137352538281420,NULL,X'075fa7ef9e6318cf87b5f8e1b26a3641',X'4de66463ce1082c9e1c1c22a0d2540ae1498e813b429e808255326a3c6c0e6b1',1795535290,1795538890,'open');
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
INSERT INTO email_changes VALUES(4029023657963208502,625704466230605568,5050979877243250659,'finn.vik@haldenworks.example',X'd11d5ed8aacf133414852f47df0f0e96',X'27187b54a1c129404cc8836290ddbbb0008c4c35f05c6a0093c6528989f5991f',1795535290,1795538890,'open');
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
INSERT INTO sessions VALUES(X'84021c7b5498535d9348e2e60ba429484c8d5b3e2c99592cb0b6c02de7141c96',9105565132795733493,625704466230605568,5818500028368920251,1,1,1795535289,1795535289,1795535289,'127.0.0.1','an unknown browser');
INSERT INTO sessions VALUES(X'a7d7d7955b3f4ab94f838c4bd8c55e0b36c38c55f187047bda757983d2146446',2340212361405491701,625704466230605568,3554525534893990848,0,127,1795535289,1795535289,1795535289,'127.0.0.1','an unknown browser');
INSERT INTO sessions VALUES(X'adfd2f0ab46d1805d4af0782a40613a0299fda729692ec1ec0b96e3ecd0c8fd4',6410590869126681976,625704466230605568,258852150214229273,0,511,1795535289,1795535289,1795535289,'127.0.0.1','an unknown browser');
INSERT INTO sessions VALUES(X'b7afcfb7d118ba94c2175f281078e76fd1c313b4cb549076df84e58834689c33',4429057401616675197,625704466230605568,5050979877243250659,0,127,1795535290,1795535290,1795535290,'127.0.0.1','an unknown browser');
INSERT INTO sessions VALUES(X'bee687a6e50934dc7e029dc2df5b25ef93c3a33405b43413a492117b9758e155',7614215710223320714,625704466230605568,8816077031093676460,0,511,1795535290,1795535290,1795535290,'127.0.0.1','an unknown browser');
INSERT INTO sessions VALUES(X'bf59153a4cad8798cd3f1d6688e961e77cf9341867042c0ee1924cccf99ec298',4854487612554121933,625704466230605568,8277137352538281420,0,3,1795535290,1795535290,1795535290,'127.0.0.1','an unknown browser');
CREATE TABLE challenges (
  hash            BLOB    PRIMARY KEY CHECK (length(hash) = 32),
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  epoch           INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL CHECK (expires_at > created_at),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO challenges VALUES(X'1827e09eaaadb1fa19eb79260828e160a97015c11a4f92badf79315a759ed869',625704466230605568,5818500028368920251,1,1795535290,1795535890);
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
INSERT INTO sign_in_links VALUES(1273602054393950397,625704466230605568,5050979877243250659,X'9ce46a49b8e8d56ac7d835d142b701ea',X'c0e0b9101dd13fe8e1be45b4970db1262dc4df5236e7786376b99f3ab7519aa9',1795535290,1795536190,'open');
CREATE TABLE factors (
  account_id      INTEGER PRIMARY KEY,
  organisation_id INTEGER NOT NULL,
  sealed          BLOB    NOT NULL CHECK (length(sealed) BETWEEN 64 AND 128),
  last_step       INTEGER NOT NULL,            -- the step of the last code that was taken: it and all before are used
  created_at      INTEGER NOT NULL,
  used_at         INTEGER NOT NULL,            -- when a code or a recovery code was last taken
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;
INSERT INTO factors VALUES(5818500028368920251,625704466230605568,X'cc010dcfb7e0edaba87dba2feac28af9da29247db12d702d72735ed8982787f385c67ed272a4d5b6fbd4146f99fd02514d91e0d4c5cbe5c759996adf6a59469c',59851176,1795535289,1795535289);
CREATE TABLE enrolments (
  session_id      INTEGER PRIMARY KEY,
  organisation_id INTEGER NOT NULL,
  account_id      INTEGER NOT NULL,
  sealed          BLOB    NOT NULL CHECK (length(sealed) BETWEEN 64 AND 128),
  replaces        INTEGER NOT NULL CHECK (replaces IN (0, 1)),  -- whether it was begun with the factor that it replaces
  expires_at      INTEGER NOT NULL,
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT;
INSERT INTO enrolments VALUES(4854487612554121933,625704466230605568,8277137352538281420,X'cc010dcf0659b0ecb453c7a011d51208397f8544e1ee136e02aaddf549d74b532f73baef3ee44867573bc86a7b0ea96b71df16f1c4a0aebbc15c8838e31d545f',0,1795537090);
CREATE TABLE recovery_codes (
  account_id      INTEGER NOT NULL,
  mac             BLOB    NOT NULL CHECK (length(mac) = 32),
  organisation_id INTEGER NOT NULL,
  used_at         INTEGER,                     -- NULL while it is good
  PRIMARY KEY (account_id, mac),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO recovery_codes VALUES(5818500028368920251,X'32f498b063be73339d3814ba4b0e1b1ae9cdaeda9a827bffb8dea92d8241822e',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'4ae5f53a93c04ab0b59c3f10c3d3093778115ba68a08ba68ec1380e8bffdc1f8',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'5f936b1ada2cc21e5e87eae943fc8a351418b85317afb86555b943ffe97918dd',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'86ef923bb64bc8dc3d400013da2ec954e7ad21b85e8fdb3f9856071455c5db88',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'89023966cb7bf827e065780e6d4e8027e5514f8d505bf5dd0bbe01b828efc461',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'8aeed8b97cf711fa04d4778eef0c5774cdf03743d7be8f26a7e68fd65b310c94',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'904ae0c8d5508bd7fa828e1f10b416b32bcb7758074963ac9719e9064ffb2125',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'aab8de0cf7e063261cdf65c8bd50e9fac88ecb1c962452fe48e9407065e807fa',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'ad24a2764e5d2a4d6eae059dce287dfc5b15f4dcfeb818b742594766701b8ea0',625704466230605568,NULL);
INSERT INTO recovery_codes VALUES(5818500028368920251,X'cc87a79f07ecc06ae45f0d5c8158b2c6a74a0d5b5523561151268e9d257d82d8',625704466230605568,NULL);
CREATE TABLE devices (
  hash            BLOB    NOT NULL CHECK (length(hash) = 32),
  account_id      INTEGER NOT NULL,
  organisation_id INTEGER NOT NULL,
  used_at         INTEGER NOT NULL,
  trusted_at      INTEGER,                     -- when it was trusted to skip the code; NULL: it is not
  PRIMARY KEY (hash, account_id),
  FOREIGN KEY (organisation_id, account_id) REFERENCES accounts (organisation_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO devices VALUES(X'06af6d80db1cd214b2ac23b6920bde932cbf4b43123b64cd3e88bb79033204ec',8277137352538281420,625704466230605568,1795535290,NULL);
INSERT INTO devices VALUES(X'68d62fe2eaa682b10ea8007071d5464324d7bfa44bcc93c0876a38906005a6fa',258852150214229273,625704466230605568,1795535289,NULL);
INSERT INTO devices VALUES(X'89578c54a2081240548641bcc859cedecacbc2201ed64b8d457473d98bfabbf1',5818500028368920251,625704466230605568,1795535289,NULL);
INSERT INTO devices VALUES(X'8a7a2c5aca9782e639a9e9d4d620fada6d0ceed7d662811e5abe8ed5f8516698',5050979877243250659,625704466230605568,1795535290,NULL);
INSERT INTO devices VALUES(X'ecc920b88a1aa1768eeb22887518aa73da42abc55004f34de74e5315a99e2520',8816077031093676460,625704466230605568,1795535290,NULL);
INSERT INTO devices VALUES(X'fd86f9d7bdf1ded95a8c08b7829b1c068086a0c260ed92dc87dd1ab5f06172c7',3554525534893990848,625704466230605568,1795535289,NULL);
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
INSERT INTO throttles VALUES('account',X'1efe690e5f6c47347dad2d7592cfe74d3f24f4c4d413ea12a6a053ab1ef9a69d',X'',0,1795535289,1,1795621689);
INSERT INTO throttles VALUES('account',X'2588aa959f93e91d60f824dc1732e0a958de2cdb697cc4f52b4c0e03e7772d9c',X'',0,1795535290,1,1795621690);
INSERT INTO throttles VALUES('account',X'7de3809e7da13ec74c4bac5b6ee742845bc523b23ac97c97e3822f7ed5938ec1',X'',0,1795535289,2,1795621689);
INSERT INTO throttles VALUES('account',X'8ae98b754a7916944caeb703c689c1ae5fe6dacad8b5bcdda07139f5770893e3',X'',0,1795535290,1,1795621690);
INSERT INTO throttles VALUES('account',X'b00a2ac39a1d44c0e6db5ba2e014c13f7da1d7186f72f6d0dc4df88ccb006ffb',X'',0,1795535289,1,1795621689);
INSERT INTO throttles VALUES('account',X'ee460aa9acd8671341d9bb477c53840ee84ca9d404ecd5dc4a1c2dbf6e3d793d',X'',0,1795535290,1,1795621690);
INSERT INTO throttles VALUES('account',X'f195130885ad2084e8b4cd2e3801a245b7371b62d46bdd123aea5efa512b64bc',X'',0,1795535290,1,1795621690);
INSERT INTO throttles VALUES('address',X'7f000001',X'000000006b05b1b9000000006b05b1b9000000006b05b1b9000000006b05b1ba000000006b05b1ba000000006b05b1ba000000006b05b1ba000000006b05b1ba',0,0,0,1795535350);
INSERT INTO throttles VALUES('code',X'7de3809e7da13ec74c4bac5b6ee742845bc523b23ac97c97e3822f7ed5938ec1',X'',0,1795535289,1,1795621689);
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
INSERT INTO invitations VALUES(668101646021479967,5918033836545011760,4736302650616353447,X'bd8a3b580fac7928814c23986010ff29',X'2d5445efb454384f1607402f085b0918b0acfbd5050c4180129beac39dd098f5',NULL,1795535290,1795621690,'open',NULL);
INSERT INTO invitations VALUES(3076778330110683454,625704466230605568,7253806730901947817,X'77f7a588eba4bc69ddf30e6d9769516a',X'20c698bab7191f3336a82b2bc0d3fc22bbe95798b92054f5c8fef039471635b3',258852150214229273,1795535290,1795621690,'open',NULL);
INSERT INTO invitations VALUES(3529669087657079103,625704466230605568,3554525534893990848,X'bb46c265ebedeb18f4bfe461f2c9b956',X'108d76148fcec88caec4a172e0686ab2a7ff4c888a50c08dbe3424d34f49b324',NULL,1795535289,1795621689,'used',NULL);
INSERT INTO invitations VALUES(4094566905567274508,625704466230605568,8277137352538281420,X'f49f2d5316e82de3cf1414870c0942b2',X'13a6856b6a77a6a67dd89ca1afd7fe5f40f18817ecf19c6ff780a6871f34c1d0',NULL,1795535290,1795621690,'used',NULL);
INSERT INTO invitations VALUES(4582446193291584389,625704466230605568,5818500028368920251,X'094b6d6f27a5123e66df16783513aa9a',X'1bc8c7c911bb12e0001af99273bf284205445252531bc4be760938815c2b9d4e',NULL,1795535289,1795621689,'used',NULL);
INSERT INTO invitations VALUES(4638300663256997326,625704466230605568,5050979877243250659,X'df8e87461ae19a32cbcd0704390a1a92',X'c4be9d1ef5b0f638a5cc9b08fb3fb2ef0826d854dbd45c2910b7e81ced430ff8',NULL,1795535290,1795621690,'used',NULL);
INSERT INTO invitations VALUES(4720198114203960222,625704466230605568,8816077031093676460,X'5ee002023942e7466fc0c48aa0f13041',X'91e258dff36bf40356b17dd378a1d952391e32f06cc253d95516618d163b0639',NULL,1795535290,1795621690,'used',NULL);
INSERT INTO invitations VALUES(6204403675472623752,625704466230605568,7302520534443807935,X'ff7d270e1c69c9c72799a21c28f6cbb8',X'f45e5ebb5323a3b4b98d96674b0cf909f2611cb0511f2dda09039a285aad839f',258852150214229273,1795535290,1795621690,'open',NULL);
INSERT INTO invitations VALUES(7565980952275904486,625704466230605568,5451325125255017496,X'e55d866064f63b6bb9908454bb6c380f',X'c88209345c541dce1fb024f69162366df789723543f072ce318e7b3cba8698d7',258852150214229273,1795535290,1795621690,'open',NULL);
INSERT INTO invitations VALUES(9203274817848184834,625704466230605568,143897546092073407,X'2803d480a80209af2d0f0591aea86627',X'43d2cb934cb6c1d4ffee395b2ba6337e8a4050fd4e4825ce4f89bb46965144ac',258852150214229273,1795535290,1795621690,'open',NULL);
CREATE TABLE invitation_tallies (
  kind    TEXT    NOT NULL CHECK (kind IN ('hour', 'day', 'address', 'refused')),
  subject BLOB    NOT NULL,                    -- the organisation's id, or the MAC of an address
  since   INTEGER NOT NULL,                    -- the start of the hour or day
  count   INTEGER NOT NULL,
  PRIMARY KEY (kind, subject, since)
) STRICT, WITHOUT ROWID;
INSERT INTO invitation_tallies VALUES('address',X'1a4a1f37c0435ce1085022e976287c9226cb1ed9359126eb8a015f81fd164667',1795478400,1);
INSERT INTO invitation_tallies VALUES('address',X'481a9714b6cdc7db54026db8ddb67ec0ec6ed352ba903ce62f1603295f7bfcef',1795478400,1);
INSERT INTO invitation_tallies VALUES('address',X'8d288acb9ba59206635941ee622a24b8fb35f964bd1ec3e78a6352d388715b78',1795478400,1);
INSERT INTO invitation_tallies VALUES('address',X'98d4a8aa65c5bbea89ab8cde29ff53ef10e2362ea84210e86f3ffe9b01ba3ef9',1795478400,1);
INSERT INTO invitation_tallies VALUES('address',X'a89a5afd83c9ba0a0b8c3368e243e71941bc2f8824f055003a5fcfed6fd2a94e',1795478400,1);
INSERT INTO invitation_tallies VALUES('day',X'08aef2e59c0cf700',1795478400,5);
INSERT INTO invitation_tallies VALUES('hour',X'08aef2e59c0cf700',1795532400,5);
CREATE TABLE setup_links (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  hash       BLOB    NOT NULL CHECK (length(hash) = 32),
  expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE attempts (
  errand_id INTEGER NOT NULL REFERENCES errands (id) ON DELETE CASCADE,
  number    INTEGER NOT NULL,
  first_at  INTEGER NOT NULL,
  last_at   INTEGER NOT NULL,
  count     INTEGER NOT NULL,
  answer    TEXT    NOT NULL,
  PRIMARY KEY (errand_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO attempts VALUES(554611613802115000,1,1795535290,1795535290,1,'250 2.0.0 taken');
INSERT INTO attempts VALUES(1145640180242603459,1,1795535289,1795535289,1,'250 2.0.0 taken');
INSERT INTO attempts VALUES(5461199107837977205,1,1795535290,1795535290,1,'550 5.1.1 no such person');
INSERT INTO attempts VALUES(8184662496001959120,1,1795535290,1795535290,1,'250 2.0.0 taken');
INSERT INTO attempts VALUES(8209795395113531173,1,1795535290,1795535290,1,'450 4.2.1 try again later');
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
INSERT INTO audit_events VALUES(0,1,1795535289,'setup.link_made','system',NULL,NULL,NULL,'{}','',X'',X'4cbe597b0ea097404ee8d4be2275235d2c7a654b6ce84eb72cd0dacd81487e9b');
INSERT INTO audit_events VALUES(0,2,1795535293,'schema.upgraded','system',NULL,NULL,NULL,'{"from":3,"to":4}','',X'',X'8c99565442bbff6d449061c2cdf8d68676884e576dd0384b23a93cee4c091b72');
INSERT INTO audit_events VALUES(0,3,1795535313,'schema.upgraded','system',NULL,NULL,NULL,'{"from":4,"to":5}','',X'',X'5885fbcb88b59433fce45f96e4fdc000b9137444026235d481cd732ab8841fd6');
INSERT INTO audit_events VALUES(0,4,1795535315,'catalogue.imported','operator',NULL,NULL,NULL,'{"added":7,"closed":0,"currency":"EUR","renamed":0,"reopened":0,"repriced":0,"taken_back":0}','',X'',X'afae7b3ee867770043fb6e5198ca706709f39d7265d39fe5df7bb1323e092104');
INSERT INTO audit_events VALUES(625704466230605568,1,1795535289,'organisation.created','account',258852150214229273,NULL,258852150214229273,'{}','jiiclou4pbr5xv4g',X'01eff6951ef9510d7259d2e67cc9c43b038f4fc24c8c0eb36d472950e8bd8d59da02e8107100e960c4dd4b750f34f880914ca7160ee9e4f943f6535ba77e57a9e73d0382671d64cb6329233a6cbeb81bd72cd9d919cf95d5c67e589413131ac2d688c9',X'96b2ddbc10898a07ab1e7d70652cfade32e63aaaf9e1d31e6291bf93536ce691');
INSERT INTO audit_events VALUES(625704466230605568,2,1795535289,'sign_in.succeeded','account',258852150214229273,6410590869126681976,258852150214229273,'{"agent":"an unknown browser","known_device":false,"second":"none"}','72dlrtme2anjbwis',X'01d2fa5e07d1beadcf41a4f3f24af3ce78061c59a38ded7a4bf72c017b18da508f02d5757b477bba685d992a00a042da0237476247cb15aeea26accfea31d03f280703e042c272be9b84cc1b4f847092564ca48f0690efbd453e667991e7fd0d0a00fe',X'a68d3619d29ac47bd12b601a483062880c0176e593778a2f0fdb7cc4a8076b41');
INSERT INTO audit_events VALUES(625704466230605568,3,1795535289,'account.created','operator',NULL,NULL,5818500028368920251,'{"role":"member"}','',X'030d08af41878638d14e0950996ede9af47da1b4c1c00c505a2b2c6efe5500fabf',X'e45b9c8fd31f46121b1d7d02ced4777d1cf7d0a3914bb65fedd9b8e1ea2b5a71');
INSERT INTO audit_events VALUES(625704466230605568,4,1795535289,'account.activated','account',5818500028368920251,NULL,5818500028368920251,'{"role":"member"}','po35qsr24nq55c6p',X'01216cc0b616e025c13e50c6954ae480af4bff7e317d322b58d1e70c08b8212d9802efa5f5c26a6e4ce8ed15306b3a5d6ed343ebbcff3cf2422276e9c590248761ed038d6f5566225e3e78e320d285add732ee3c08480964263c427f6731b227dcf088',X'fc3c2cfec33d8c17bc3aff1ee975db0ccbadca47072a1dff7dd0654ccb5cf975');
INSERT INTO audit_events VALUES(625704466230605568,5,1795535289,'sign_in.succeeded','account',5818500028368920251,9105565132795733493,5818500028368920251,'{"agent":"an unknown browser","known_device":false,"second":"none"}','7zggpp7mhqnuyscv',X'0179a5857078da199f01561bc97c6e3aa370a879c52d732df412bffc64fdfcd5d702225399c57459a6052fc904dd5d727ea6ea167e7812973a4a180e29a1f5119d4b036a98ecbb93b6b3ad76ea52c04dcfb69114495500f90e915daedbaafece244311',X'e66224a8f73d3644c01f1084483c3ed33d1a40418ee9e6dceb8f591f3e49ad2c');
INSERT INTO audit_events VALUES(625704466230605568,6,1795535289,'two_factor.begun','account',5818500028368920251,9105565132795733493,5818500028368920251,'{"replaces":false}','kgy3jz7vdfiilywk',X'011024ce3082e6b25b07762dbfbd1015d7c25065a7e52378b42f5939c437481cef0207eb474273cb37af1d8d5f4f2c73d256dced3ac13b03fd8378bb8d162a761893030955c48ee68e2d6e3c7b5368e5ed6529b91afcc774c36227787a7af272a4b6f5',X'11aa7449ec45c176a0bf4519550336baadbf45207874f146a632805b6fb9d609');
INSERT INTO audit_events VALUES(625704466230605568,7,1795535289,'two_factor.enabled','account',5818500028368920251,9105565132795733493,5818500028368920251,'{"replaced":false}','oxdkzf2ny4h4jyhh',X'01e5a92dbe885489a52ecb3432406e3d2835694cef61eb90f1d52e07baa98129e80240e36e9615bd9c30a7db7513b42ca4e2283532e7eb400549a2eabe8af47d77e803a9b785b356bcae76c6fc95c1d09f7a5e1c6d6dc8d3b74c54d64a82c46b1f9bc4',X'3b1230cdab45a1d747f8f5f0736d2012d6d71451fd4801284085178318c0b202');
INSERT INTO audit_events VALUES(625704466230605568,8,1795535289,'account.created','operator',NULL,NULL,3554525534893990848,'{"role":"admin"}','',X'03c2114b55014d88c53aa43923013cc151152c5c93f754a2c197c3c3992abf01f1',X'475b94685de1de904542493e6d5337a10592015d52c18892c2d374518fd54b0f');
INSERT INTO audit_events VALUES(625704466230605568,9,1795535289,'account.activated','account',3554525534893990848,NULL,3554525534893990848,'{"role":"admin"}','5zpmiy6vcksjttbh',X'01b2db9d13c5f398cfe540900c2973d6ac5e0ae96a5c9659961422e9a439c9e40d02e17d04a088ba221f4d64d5c780edc6ab69d44cf624b67c289b1fbd8bd99bb70403b98f134d273dde1fb789e767a41641c63cde96aa3a3e2b8811246fa6fcbf59d5',X'e1ecfe5b7f27dbca986e85646c7e5ff5573f3b49138f99a1c94c0b3d3780f321');
INSERT INTO audit_events VALUES(625704466230605568,10,1795535289,'sign_in.succeeded','account',3554525534893990848,2340212361405491701,3554525534893990848,'{"agent":"an unknown browser","known_device":false,"second":"none"}','nbukdui6nzcjlxma',X'016f58b071b9aca4de1a5a48487ddfa263a074cdd9aad18778fd427ea529eb58780297d8cc0b654533c6be72b660b0a84185913fb828b63114e1f7ca4488c39c629903018810b85e768f6dfc82f6a85f521e629d70461df0b61713fa987b5cef7b6aff',X'e06bc5c89cc8a39323567c4aba8e6fb813ec546c72394eb59fb1f03dab478774');
INSERT INTO audit_events VALUES(625704466230605568,11,1795535290,'account.disabled','operator',NULL,NULL,3554525534893990848,'{}','',X'03e1ed1ec146a5e4148f486c170cfc882fdc74fc178e05c418e752e5a07841afe9',X'fa814cf60ae268f85b332a198a30546bc721603a92cd90b6d8f229cfcbf93a49');
INSERT INTO audit_events VALUES(625704466230605568,12,1795535290,'account.created','operator',NULL,NULL,3794525047979586842,'{"role":"member"}','',X'0347f619f81ba5a1308e80cb971aa66029ce958e8d398b3a69e0dc6a09bf21bd16',X'537844be7eef3b5459182f347708eb1584955cc25238e745856cad61b7d13b15');
INSERT INTO audit_events VALUES(625704466230605568,13,1795535290,'account.activated','account',3794525047979586842,NULL,3794525047979586842,'{"role":"member"}','nobkoanjqriuzh7i',X'0191acfd59ef18c0673d0317c3ef7b72f12b87d03b742d6d9aa577ef84acf028050278804145c7ca7bd156ea57b0190290874b3a7c419e08a3a18197b3aa7b75d7440394b9389ec3a0c475111e3a2272e6d4ac84008d7e06f50b253d85f486ee4f2410',X'1a17fea6b04e5d70206b334263d666d0c8868c288e056cf9bfb8830be0052474');
INSERT INTO audit_events VALUES(625704466230605568,14,1795535290,'sign_in.succeeded','account',3794525047979586842,4238148440787589905,3794525047979586842,'{"agent":"an unknown browser","known_device":false,"second":"none"}','3xu36dpa6xzrnb7p',X'019455089755ea47936dd0897a4eb6251dbaebaa86e6d210112cadacc62ded46d3028263a0c7668f1e1af0706e6e563e2fae0b48b2f33a529311250b9f547ffcb9fb0325c6d544cda8397a572d7184a33c0c8a2458a95d02fb3155db8fbef6f3d612c9',X'48ba08f2e1ebac2788c4f3814fb8c120aa650a2ab57fdab4509bc4dd709103ad');
INSERT INTO audit_events VALUES(625704466230605568,15,1795535290,'account.deleted','operator',NULL,NULL,3794525047979586842,'{"role":"member","status":"active","why":"by_hand"}','',X'03e532894804ca359f9852caa5305640fbaec2de1ab0c6472d6db16bce370ccda9',X'dd8a681730830dafbfe1cc39d9be2a82e5a285a799e7ea9b7f8f3e36843366a4');
INSERT INTO audit_events VALUES(625704466230605568,16,1795535290,'account.created','operator',NULL,NULL,8816077031093676460,'{"role":"master"}','',X'032812bb623e237879901dc8636a894d18351079142ae767be8e01c2e5ec57a049',X'661ead7908211e07c0966a5ea9c77c8be8657c19c0a3a36fb135dfce8bba07a5');
INSERT INTO audit_events VALUES(625704466230605568,17,1795535290,'account.activated','account',8816077031093676460,NULL,8816077031093676460,'{"role":"master"}','fzqcxfkqisdq4r4y',X'01e45d6cd90caed016343c54329242a415faccfa76cfff2295ade96bf82f5b54d902152cf2ac58c764271c3c77e6746638fee69f777b81f70a15bb04e417be3c5748030cbb43f2401fc34267ab779c74c826994fcb62aad0825680601937f27299db45',X'0ab80bdab53fdc15c02e27f48a63b621d806573500c3843009fdeef4ace3d427');
INSERT INTO audit_events VALUES(625704466230605568,18,1795535290,'sign_in.succeeded','account',8816077031093676460,7614215710223320714,8816077031093676460,'{"agent":"an unknown browser","known_device":false,"second":"none"}','phxnpsrc2qnphiwt',X'01eca58de4ccc03d3f76e2ca3150fb58845744acf0c3084e9338322f9e5022fcab02e1f4836ef6521118aff7f8f654b0f84b5f62b07b6bf6f3b9f82c9bb8e3344a1f03d84ecedb49e7985c7a0664924b7164476cfac7c0fc6ba79ed77992aab548b580',X'3f2e821b65168f2d7b9135999a8e15154d70c2859d015d966b6fb373342fbbab');
INSERT INTO audit_events VALUES(625704466230605568,19,1795535290,'account.created','operator',NULL,NULL,8277137352538281420,'{"role":"billing"}','',X'0322516944093fcbd3b81c9c2ba1c0b27dae7943b6a3ff5a227945010052ceddc6',X'44032ee380bbd35a1d13d7caa9098f38fc0d1638c63c782922bdb3d1e56256e1');
INSERT INTO audit_events VALUES(625704466230605568,20,1795535290,'account.activated','account',8277137352538281420,NULL,8277137352538281420,'{"role":"billing"}','h3sqr2qrntfgaq5r',X'019eed26f15579deaee250e044f05b90c9a27c8e34d16a756c82a67a27a350a41702e899cf9bcf8819ba36d972353750e5847e3cb6abacb576d43c0a4e985d73a97e03437d784410b62e3c4c6d527426e2fc5bef1f6ee3fda6e2b70ff504a42e17a5dd',X'4f8bb274ba7db04bd09064302cb01aeb9e8466c497eb5a0f53b60104417cd4c7');
INSERT INTO audit_events VALUES(625704466230605568,21,1795535290,'sign_in.succeeded','account',8277137352538281420,4854487612554121933,8277137352538281420,'{"agent":"an unknown browser","known_device":false,"second":"none"}','crh5g4w2tflt5yyv',X'01e82bc2f0fdf192f985bfa75a43d237f28599764bf39b47a525c445c72cd71baf027e42a85b0ec6b5b2816e9abd9ee78a1d8e424622d36a8d5094329a4e2689d5c203d3f6be21d89bbd8ec50508496fd130ccbab3d04bc4428415f447aa55858f182d',X'8282cd7c0a8cf3c4b29d5f5d318d4ce88fa19b5866d8a6e49ad8baecaa88718d');
INSERT INTO audit_events VALUES(625704466230605568,22,1795535290,'two_factor.begun','account',8277137352538281420,4854487612554121933,8277137352538281420,'{"replaces":false}','rudiwrd3z6ptxcdm',X'01dfe97c5cbaf4ed63e34f090c8aabfd21e6daad5fc068070b0a5117d3a82ed45a020a6ae90acfb4094df7c534d06ced6b350667521d1ea5d465c9c4ea14ce03a3850384e7384a76c03139446a3ff96cf538578f81333a02ed5998ce9932826a6aa977',X'8e901991c5b382743e8f505009b2700787dcdb87b97635102951be7960574982');
INSERT INTO audit_events VALUES(625704466230605568,23,1795535290,'account.created','operator',NULL,NULL,5050979877243250659,'{"role":"admin"}','',X'0322def162b4fff43cf10ae4651bbe6f6423be0bbbf2aad4fc2645a3a8f5b87944',X'5b3e1c8e8a5e7913b6f9c401cdbbf24162fecbd849fa1e838573d5ef4c9e93ce');
INSERT INTO audit_events VALUES(625704466230605568,24,1795535290,'account.activated','account',5050979877243250659,NULL,5050979877243250659,'{"role":"admin"}','ujvcv3mp7e7dtohq',X'0130d3113e4deea9e9a9977e2817986bf9056606104fd98bf05cb894ac873152ab027ccbdd7a138805fc2b3e06d18e3bbf268565c08a55259b11564fe34d9cc1815c03c70bbe7ddaae1acd2e340c96594bb51cfbc6445369f5e6feeb6d3264e4a9eb85',X'6956cfebe4c7976231b4424703a725c69b3b7d96118708728d648f07cd37445f');
INSERT INTO audit_events VALUES(625704466230605568,25,1795535290,'sign_in.succeeded','account',5050979877243250659,4429057401616675197,5050979877243250659,'{"agent":"an unknown browser","known_device":false,"second":"none"}','rfeslp5nyb7v7etj',X'01f9083bfb52efe904a2046663a3391860d5eb5c5b18594665cc32abd73e3e00ae02762e49b0b7b0397d9554f96cf4eca759a095861959de23bc37854820f4c7c92603d7ce571b2fb175b5fed89e85526588a9cc4da7753abe2289718f44454f62d803',X'bb03c8855002ee729d436b22f6e1b9a56865c069208afa37e3bdc125ffba245d');
INSERT INTO audit_events VALUES(625704466230605568,26,1795535290,'sign_in.link_made','operator',NULL,NULL,5050979877243250659,'{}','',X'0362a850e40f11701f45700f1544555ba92304a745b025acbf95535826dccdf84f',X'96269c3a1217f27f4288c56982f8f1a7d8a0e9df18f5432b9acb6a6f4ab52c7d');
INSERT INTO audit_events VALUES(625704466230605568,27,1795535290,'account.created','account',258852150214229273,6410590869126681976,5451325125255017496,'{"role":"member"}','zhjla5iofkhdfzbj',X'01bde695d3c011cda01527f3ee5fc67d6ebf661b047803e5350921bab24bd01112025a4b945bf49a1cce8d22127a1865a9807a4e3332402fff1d8d1b1d6300c536ae03aed7266e33797e8fcd25ee4b4e6b54eefc7964e5ef5adb72682c980da775f094',X'8716c9e0c9f5428bc5d714e3d5bad18cf269cf07fe8abfeaf732b52e29ffe790');
INSERT INTO audit_events VALUES(625704466230605568,28,1795535290,'account.created','account',258852150214229273,6410590869126681976,143897546092073407,'{"role":"member"}','rj2bnwfhkiwvszah',X'01dcebe6b0f8da98f4336e5f1128ee197834dec3056493f26c80e2812ed4430eaa02a244f81348c1ebb12da9e9fafbdf005c14b8c4ddc84960a59b9eea40d86337a40342af66997ed846b91d73dc33aafe354300c6ead280be9eb89a5ba15587cbd0aa',X'6106d00259bddf69994430605fcd4c67c058401c70721f9ca6d4069df7fe037d');
INSERT INTO audit_events VALUES(625704466230605568,29,1795535290,'account.created','account',258852150214229273,6410590869126681976,7253806730901947817,'{"role":"member"}','avtredlfpxz52zkj',X'01918c8508c783959c147c656f3f321e001b3e7cafa0c14e4d46e238b15c163eca02623becc7f617e6c6821e5582c01ee2ecfa0939d86fbd86c69ed443a18c8c2c9603c3fe5288f402155b0b169b08ff63e46d5820934a632fdd5662cca725cb4323c8',X'22bcd2e5de6b62e9bafc39aa2ee332dfce8e05a0042adedf433faa3f9fb830c9');
INSERT INTO audit_events VALUES(625704466230605568,30,1795535290,'sign_in.code_asked','stranger',NULL,NULL,5818500028368920251,'{"key":"password"}','tbuvcrho46gj4itg',X'02a2e4a663ac3c6d77094a436281d9e681544b9e3627af277065e93f68bc2462d4030651fdf5aae0c5967f948a8a782edfb477a7ebda703fa64b5d848ba33567f220',X'4283f57c31b56f84eeba31919853145635d1ed74f0316493f2050ffd788d449a');
INSERT INTO audit_events VALUES(625704466230605568,31,1795535290,'sign_in.failed','stranger',NULL,NULL,3554525534893990848,'{}','tfatby7zo4yhhy6p',X'0220fe23ec032a4ed27a1f088c5bf0c10927ac8d4c0604a467171fa9a2077692e503434aa4c05e3cf894dbd8a0a348205e6dabd71872b779e0d5b6612de17033e6e1',X'd84e99b87dfefc297199d45fc89d7937734ad698602f824c0eba06cfa3101ae5');
INSERT INTO audit_events VALUES(625704466230605568,32,1795535290,'sign_in.failed','stranger',NULL,NULL,3554525534893990848,'{}','qhchkr5nhl6czrp7',X'02927d2f64093cc3cbb75b8e7f097d7317fbfe79929d58781a86d6c45f757ab440033a2648f317c0ce5f842f853ada82ee9375c89f7b83544072519ada077415fe49',X'2e558626b74b5b1d276cd9b4623a2137db59024c72d1e139e1df5fb05bef995f');
INSERT INTO audit_events VALUES(625704466230605568,33,1795535290,'account.created','account',258852150214229273,6410590869126681976,7302520534443807935,'{"role":"member"}','e4k46xnyv2xdttk3',X'0194f28103e1746338439a6b39b0c81b6992d2bda1beba0bc2aaa2ffa6be78ff5802dd7a270ba6108d77547d3fb26649beeea158947462b1265ae4b3f124e33efe1703d9ccf5170cb360fc2fa49b9ba2671d89949138bd747f3756b7e0f05b7fdcee8a',X'f10bd69680e3a498eaaf687a3ab76521cb32e2997e50b557149de89bb45ac7c0');
INSERT INTO audit_events VALUES(625704466230605568,34,1795535290,'account.created','account',258852150214229273,6410590869126681976,4996680618990219926,'{"role":"member"}','smarxqv5e3py22mh',X'01d710dac6853fd72b8a96c1a366a7c3aef44c6b96f16f01524de827547f08a5bd0267303a745720a3e804f51b4714dc4176f4d06f50498620a467807bc087ee43ad03f4aa2f5db3d6e5461b9529855b3f54bdd40ff7fac6ec5c5bfa9da1105639b709',X'c74cd26ea7b7141ceb978256866310dcc00cd40a7128612902e3055a5a4b7eb8');
INSERT INTO audit_events VALUES(625704466230605568,35,1795535290,'account.deleted','operator',NULL,NULL,4996680618990219926,'{"role":"member","status":"pending","why":"by_hand"}','',X'0365a3aedb49700c3a0be407c6ffd0fcc29b70b78f6b4f5a83e53ec811020c32e3',X'498ff91a7d190e62933e03518d3f9525b7872b91382b9cba13c0b955ea562170');
INSERT INTO audit_events VALUES(625704466230605568,36,1795535290,'password.reset_requested','stranger',NULL,NULL,8277137352538281420,'{}','klnig3madqezttse',X'02ef70148ec395d6c8aa5d70b10148dcf165c72419526ed6d4c27a8ab4316855fe03e63386ed9a2f6c46db81e5af72b8d32879202ea6ba0ae2ab44a95db50e0b5460',X'8889e9fd1426fb3abd01f8c4361a701039fca5f89fb6b16f239005d99028fb4f');
INSERT INTO audit_events VALUES(625704466230605568,37,1795535290,'email.change_asked','account',5050979877243250659,4429057401616675197,5050979877243250659,'{}','vlikirugcxca3qpv',X'013139e266a051fe9b675c38304bce2b600003054da1c830dca47a97545a53cb0c02cddd28e9641a4aac77dde787a9e418156e7f2adaa450535328bc6455600b9474033d4326b83063aeb2f6a910bcf21b32e8c153e5a4d9045e878993fc2a30a8a731040d26ad60fa7be70cdba652277e8c87b249547cd9c78a2a77403848a70b140ceb05b37b83ae67787a1384bc2b9f36e820630d0d43d389370d1e2e8afdfb7cfea69e',X'51bb51733b5fc57997bd0d851b3fa1832e84e241c225d4cd9704cc147a902346');
INSERT INTO audit_events VALUES(625704466230605568,38,1795535290,'ownership.offered','account',258852150214229273,6410590869126681976,8816077031093676460,'{}','x5ps2w4jgin7iwup',X'015fb01850eda7cea4ccb174f0d11db4590992368b15e2c47dd385ee010731482e024cb461966114e548d468ea384fc4a9968d48a6d2549a956630317c7a5c096ab1039f8846647204834bb9ef52ea3ae20fdb5c941a6443958bca0041bac6b9583103',X'24a11e789c8996f2460a41bced3c66674bd08817efdc73a3110f62fcb2b8b86e');
INSERT INTO audit_events VALUES(625704466230605568,39,1795535290,'organisation.managers_changed','account',258852150214229273,6410590869126681976,NULL,'{"managers":"masters"}','qvoa5rur6kyz5dm4',X'01c17776829d5aa00e9e27073b1e1c22e1c52f36cbc4625d384c7794f9eb38140502b8dd5e35d34c67c39ff94ede67bc84e8200a2a2cd810232a14d79bf5b904cf6b',X'5a24e79ef9adb984f674fa72ce2d6f13e1c8b418888e453e56e722c247844de7');
INSERT INTO audit_events VALUES(625704466230605568,40,1795535315,'resource.created','account',258852150214229273,6410590869126681976,NULL,'{"plan":"server/s-1","resource":"res_e9tfsu2cfxf9y"}','7uabslzwhvideljk',X'018706a3cc0fd6ffaf90fa90df20a6c83f571dfbf1c0c3d3a904b2ccbeef3796500202861fb8c96f00fb2b1c2ddb61e9c138c85c3467f60c79c0e89f424c5365e0a0037ac040e7caa63aa61a25befe6348530d63c507591de3adf5b2e675d9e7cb27cc',X'0f876c07c98755d0649d87a3a5bcfb034fcbd2cb094972362c55fdd630657b71');
INSERT INTO audit_events VALUES(625704466230605568,41,1795535315,'resource.created','account',258852150214229273,6410590869126681976,NULL,'{"plan":"server/s-1","resource":"res_b95hr4tbfcvnm"}','m6mdh77hp7dlua5e',X'0199a892e42a98afc4e252b4592314e4afdbde63c49418751981a63992659e58ae02c0dc4fe1512a900b30bad3b2a278c023f0f9fe2484dd4e4b1c2813d250b1d024038e0ae060bf68bda7bd1483542b3ae89da977d076fb37240f82d29c784afcb617',X'dd9f26be2e1f224a5a25583fc664b933d1ff5cda8f95fbb8e24dca9038df4f19');
INSERT INTO audit_events VALUES(625704466230605568,42,1795535315,'budget.changed','account',258852150214229273,6410590869126681976,NULL,'{"from":null,"to":"50.00 EUR"}','q3x43czjv3tehcx6',X'01aaf17e614e1f9c06f6fdfb89a6ac7519a693fcfc01e71c4c022f6b46bae5df9102623d866283bc149bd0f0230815ff3c6a92ef247c312409c8124fb9a8fa9207e4',X'b214a5f65e507fe4246dcaaa21284d65f0cfe5e9644cdae169000f399791c32a');
INSERT INTO audit_events VALUES(5918033836545011760,1,1795535290,'organisation.created','operator',NULL,NULL,4736302650616353447,'{}','',X'0346f990a89e0e211ad566d47b405599ad41614f3efa763c6640be45a71c529dc0',X'a531332cb1f609b63814242b44ea5e7aa042b49de3f041bf49e8d91a378e177c');
CREATE TABLE audit_texts (
  chain_id INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  slot     INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 5),  -- 1 actor, 2 address, 3 target, 4 before, 5 after
  salt     BLOB    NOT NULL CHECK (length(salt) = 16),
  text     TEXT    NOT NULL,
  PRIMARY KEY (chain_id, number, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO audit_texts VALUES(625704466230605568,1,1,X'482c3c1fa4e220ecd2671fb401b675a0','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,1,2,X'67f22af2603e22178bb870ff35eea1d9','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,1,3,X'9d798f7db1d54b2cebf7c9e7a9e485d4','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,2,1,X'f1fb790eb933b7e72c3347cbcdf93e25','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,2,2,X'ca2adf59d63b6d2111cfa8bcf976ae73','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,2,3,X'd7b13c497eafc9b36f8edbd321a29e41','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,3,3,X'd3308f205bed75e27320f332608f333e','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,4,1,X'05c364641015489044dccfbd3a40e0c2','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,4,2,X'a583c1b6ee194e5d5abbfebfc6772ea9','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,4,3,X'1b8e851b6da400d1e5c778026577c13d','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,5,1,X'3110876212dab8d7f0f3927dcca967ca','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,5,2,X'ac6e2d7d784f2e8659f4185cb3fdbc98','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,5,3,X'a07cd00819758461b474e99d487d76a1','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,6,1,X'db8c61c9e10b19e06862ab1fc7516acb','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,6,2,X'724800ad3c710e9e814eafc8f6b75a87','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,6,3,X'750d7d9d5e6547594b78ce65410b9b1a','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,7,1,X'34f9afef2b9d4efddf6e993694d8db52','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,7,2,X'df219c926da7ec7c57f67a87e290d8a9','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,7,3,X'9e06639b55b0bdefe6f2ca68a71c8be8','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,8,3,X'eb061705244473c0c9d8710c50263603','ben@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,9,1,X'c12f4430cb417413c693bacf130b4370','ben@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,9,2,X'90c66c93b430500c59f5d4a27b2e03ca','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,9,3,X'f6fdc2bf350f33c298464d0e77034977','ben@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,10,1,X'e7e89712fac04eb57296ef2ec9ae9a97','ben@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,10,2,X'8a28bad2e59a34b0b239675b85fafd1e','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,10,3,X'f35effb7e1d27d1a41996aa6b60fdfbe','ben@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,11,3,X'e46e03715a58d137ac56eb314b1f6210','ben@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,12,3,X'5e3079bf0205220a726e9e45e8561224','cara@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,13,1,X'079c4712ef97154e6c19f90eb0b951ee','cara@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,13,2,X'93ac75d125dfa59b67287513f5512938','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,13,3,X'ff3a7a42333cfaf226ef81826f0d233d','cara@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,14,1,X'a681ad6d25a337001d8609b15ebce8db','cara@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,14,2,X'2abcbd02dd142846edf98c3cc6f250b3','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,14,3,X'5e5a5e6e0744f96f253a3300a1d7708b','cara@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,15,3,X'4f4dc1c1a6eb36ef0cfc9edf349add4f','cara@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,16,3,X'fbcbf8778e54cc4c53c494e7b65f9ebf','hedda@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,17,1,X'7008badb31c8d9b7613288b2dde8a4d0','hedda@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,17,2,X'b417a051ccd0e9a58e8d9e00e0a4395a','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,17,3,X'd075e649c12a4a5a4f7fb968e3d60a28','hedda@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,18,1,X'5bc8d457259b1c948ca98cfe8f3685a8','hedda@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,18,2,X'da75a5696c179ed2c1b469717a2edaa9','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,18,3,X'd8bd304e94ae6524f6becae8495917d6','hedda@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,19,3,X'8b6f1228081de1520019c89d7ecaadac','gus@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,20,1,X'5d42ca95293e4153212b18aec5fee523','gus@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,20,2,X'4fd47fcd7cc077789fe9e0d87cd4c757','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,20,3,X'3426a4faeb974edc061d96c70dba3de7','gus@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,21,1,X'86ec815982ccd437c2f4e14eef0e8339','gus@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,21,2,X'8cedd17796f2fd1d33c8963298423e8b','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,21,3,X'd4233c3b0bf373d6b561bb379024c22c','gus@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,22,1,X'5bfbc5c83c9e79da5d8a320ba98f2bcc','gus@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,22,2,X'bcd383c5514c68ef88eaa7ed01a44789','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,22,3,X'0ed2fc1ab0759be4892432e2fe4c7b6f','gus@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,23,3,X'527787bfe47838c042011506a1715f70','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,24,1,X'cc49e8b6c5cae244ddcfdbe3ed706113','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,24,2,X'6274de84df6ef2f8800e25592a96b438','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,24,3,X'446d4c42f84a677a6c96478035511364','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,25,1,X'2c988a2a57d8dfd34afb7bfd3bf885b0','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,25,2,X'8130cca262c3e6906719962f3419649b','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,25,3,X'b80bab54ec49b12a3baf033464cf3656','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,26,3,X'381ccf3207b01b3c6669390541d84e5a','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,27,1,X'f92f045f683bf069567dc0697c711b6d','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,27,2,X'3aac17b46b373c8f1b9658aae494bf43','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,27,3,X'391a7762812412e08d27ab2d4da225e1','dan@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,28,1,X'd51d119c9c910e1abfed68768fad256d','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,28,2,X'5fc265ea3ed9409c37e138d42cf2d4b1','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,28,3,X'6e8b7a7980160ba682d09e8b22566be0','nora@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,29,1,X'bcb4e19c5478f76f07733e472c47c458','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,29,2,X'd827bf20a84b2eafd8f199c8efc0fce8','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,29,3,X'dc80c06ec6179834f410cfce562b25da','omar@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,30,2,X'707997baca40a30c91656d1cdaf8ea09','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,30,3,X'441382d45fb2790d230896737d646728','ann@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,31,2,X'4a06522a6a094087c35dfbe7d21ada25','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,31,3,X'182471de9a2030455c684cd7844ea6ea','ben@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,32,2,X'949dbfe0007a204cac304f8e41c75d8f','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,32,3,X'361a4a847aef55f2308f8d60a79cd455','ben@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,33,1,X'765d9cd1bc902664f4472172f18ab3ba','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,33,2,X'd60e39de397d7848df8a531cdee292ae','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,33,3,X'307fa96cdc9c527d376756929321dbef','pia@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,34,1,X'2b11f2e68a8497cf5bb5b34929f479aa','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,34,2,X'59ccf56016c03117e15473ad26e1291f','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,34,3,X'75ed430df78cbfc0bb0b8bbabb759830','quinn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,35,3,X'71677c5d9767ded535900e8ca255992d','quinn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,36,2,X'e84eb0786ab682554a0df9c1ec2d8863','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,36,3,X'2860cba372be4ad67a6244b6c880ef6d','gus@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,37,1,X'38be145efdc9f6701f147277c73ac098','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,37,2,X'0ee5ddd41f6a0f317bc6110d50f70d89','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,37,3,X'77e58a7fde6c1d7130c3c8a53e6dccb0','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,37,4,X'61fe203de9840a5f3a9d1335766222bc','finn@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,37,5,X'0bf455a5dbd6744dd5afa3c1f4f14de2','finn.vik@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,38,1,X'5dabddb7352a21a61b3d0a6d8e68f7a0','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,38,2,X'e1077fb1ea347fa87e1bbf36a75c1e23','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,38,3,X'b891b040d5f6afc8820eecea5d595647','hedda@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,39,1,X'4e90019c1b621557963d906991374e58','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,39,2,X'6ed59bb522254d9ef0219483cbb638b3','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,40,1,X'492ccdd3285215386b63c5e79b1dd3c6','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,40,2,X'dd66b8d397a01125342a6366681985cb','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,40,3,X'c282d38ced420e99a530238e5922a93a','web-1');
INSERT INTO audit_texts VALUES(625704466230605568,41,1,X'8b9d9987beb11c8d64e974f9e0a8a637','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,41,2,X'3eaf9fbf3a98e918421c6c4d9ffb739b','127.0.0.1');
INSERT INTO audit_texts VALUES(625704466230605568,41,3,X'4cdccc78630e215423c4a8ec0106512b','db-1');
INSERT INTO audit_texts VALUES(625704466230605568,42,1,X'07c615ba0b869197bfdd2b9c26702d90','ingrid@haldenworks.example');
INSERT INTO audit_texts VALUES(625704466230605568,42,2,X'922ac735a3d90d9543efe1c24707a0b8','127.0.0.1');
INSERT INTO audit_texts VALUES(5918033836545011760,1,3,X'a44ff2c6840ca15a181ee33749f0d6a9','otto@other.example');
CREATE TABLE audit_heads (
  chain_id INTEGER PRIMARY KEY,
  number   INTEGER NOT NULL,
  hash     BLOB    NOT NULL CHECK (length(hash) = 32),
  mac      BLOB    NOT NULL CHECK (length(mac) = 32)
) STRICT;
INSERT INTO audit_heads VALUES(0,4,X'afae7b3ee867770043fb6e5198ca706709f39d7265d39fe5df7bb1323e092104',X'bf0c0df5fbdcab9e66fffdc20a1ce46a1994f026171cde8f6fd38d918da0a4e3');
INSERT INTO audit_heads VALUES(625704466230605568,42,X'b214a5f65e507fe4246dcaaa21284d65f0cfe5e9644cdae169000f399791c32a',X'44af08b13f68bc9076ae4cf141793498d881f4524f4c29876db86841b33b8aad');
INSERT INTO audit_heads VALUES(5918033836545011760,1,X'a531332cb1f609b63814242b44ea5e7aa042b49de3f041bf49e8d91a378e177c',X'1e4e3a62439b80ea0148b44ab6cc002d9b8a1555b72627c2fb27e303cf2f1f6a');
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
INSERT INTO backups VALUES(1,'upgrade',1795535293,1795535293,'/var/lib/doorward/backups/pre-0.1.0.db',323584,NULL);
INSERT INTO backups VALUES(4711,'nightly',1795535293,1795535293,'/var/lib/doorward/backups/doorward-nightly.db',331776,NULL);
INSERT INTO backups VALUES(4712,'upgrade',1795535313,1795535313,'data/backups/pre-0.1.0.db',335872,NULL);
CREATE TABLE catalogue (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  currency    TEXT    NOT NULL CHECK (currency GLOB '[A-Z][A-Z][A-Z]'),
  imported_at INTEGER NOT NULL
) STRICT;
INSERT INTO catalogue VALUES(1,'EUR',1795535315);
CREATE TABLE kinds (
  key      TEXT    PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 40),
  name     TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  position INTEGER NOT NULL                    -- in the order of the catalogue
) STRICT, WITHOUT ROWID;
INSERT INTO kinds VALUES('database','Database',1);
INSERT INTO kinds VALUES('server','Server',0);
INSERT INTO kinds VALUES('storage','Storage',2);
CREATE TABLE plans (
  id        INTEGER PRIMARY KEY CHECK (id > 0),
  kind      TEXT    NOT NULL REFERENCES kinds (key),
  key       TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 40),
  name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  position  INTEGER NOT NULL,
  closed_at INTEGER,                           -- since when nothing new may have it; NULL while it is on offer
  UNIQUE (kind, key)
) STRICT;
INSERT INTO plans VALUES(496395705111326705,'storage','st-1000','1 TB',1,NULL);
INSERT INTO plans VALUES(685668272736032603,'server','s-4','4 cores, 8 GB',2,NULL);
INSERT INTO plans VALUES(1180259777535477931,'storage','st-100','100 GB',0,NULL);
INSERT INTO plans VALUES(2598287391184312292,'server','s-2','2 cores, 4 GB',1,NULL);
INSERT INTO plans VALUES(6698564977375875328,'database','db-20','20 GB, 1 replica',0,NULL);
INSERT INTO plans VALUES(7631977477061088460,'server','s-1','1 core, 2 GB',0,NULL);
INSERT INTO plans VALUES(7927161507761566629,'database','db-100','100 GB, 2 replicas',1,NULL);
CREATE TABLE prices (
  plan_id   INTEGER NOT NULL REFERENCES plans (id),
  starts_at INTEGER NOT NULL,
  amount    INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000),
  PRIMARY KEY (plan_id, starts_at)
) STRICT, WITHOUT ROWID;
INSERT INTO prices VALUES(496395705111326705,1795535315,3900);
INSERT INTO prices VALUES(685668272736032603,1795535315,4960);
INSERT INTO prices VALUES(1180259777535477931,1795535315,450);
INSERT INTO prices VALUES(2598287391184312292,1795535315,2480);
INSERT INTO prices VALUES(6698564977375875328,1795535315,8800);
INSERT INTO prices VALUES(7631977477061088460,1795535315,1240);
INSERT INTO prices VALUES(7927161507761566629,1795535315,21000);
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
INSERT INTO resources VALUES(2300477204604210571,625704466230605568,'db-1','',7631977477061088460,258852150214229273,258852150214229273,1795535315,NULL);
INSERT INTO resources VALUES(5747913182796224502,625704466230605568,'web-1','The shop',7631977477061088460,258852150214229273,258852150214229273,1795535315,NULL);
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
INSERT INTO runs VALUES(625704466230605568,2300477204604210571,1795535315,NULL,7631977477061088460,258852150214229273);
INSERT INTO runs VALUES(625704466230605568,5747913182796224502,1795535315,NULL,7631977477061088460,258852150214229273);
CREATE TABLE ledgers (
  organisation_id INTEGER PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
  closed_until    INTEGER NOT NULL
) STRICT;
INSERT INTO ledgers VALUES(625704466230605568,1793491200);
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
INSERT INTO billing VALUES(625704466230605568,'','',NULL,5000,1793491200,0);
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
CREATE TABLE IF NOT EXISTS "errands" (
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
INSERT INTO errands VALUES(554611613802115000,5918033836545011760,'activation',4736302650616353447,668101646021479967,'{}','otto@other.example','mail_arnvakncrym72@localhost',0,'sent',1795535290,1795535290,1795621690,NULL,0,1795535290,'250 2.0.0 taken');
INSERT INTO errands VALUES(1145640180242603459,625704466230605568,'two_factor_on',5818500028368920251,NULL,'[{"agent":"an unknown browser","address":"127.0.0.1","at":1795535289},false]','ann@haldenworks.example','mail_a93tbxuh6nzqd@example.com',1,'sent',1795535289,1795535289,1795794489,NULL,0,1795535289,'250 2.0.0 taken');
INSERT INTO errands VALUES(1475969831536389189,625704466230605568,'reset',8277137352538281420,1258658109569288577,'{}','gus@haldenworks.example','mail_bi87uzzt8y5cf@example.com',0,'waiting',1795535290,1795535290,1795538890,NULL,0,NULL,NULL);
INSERT INTO errands VALUES(2061386233723812159,625704466230605568,'activation',3554525534893990848,3529669087657079103,'{}','ben@haldenworks.example','mail_b3g6d5qq938j9@localhost',0,'not_needed',1795535289,1795535289,1795621689,NULL,0,1795535289,'The account is already active.');
INSERT INTO errands VALUES(2247030387479600035,625704466230605568,'email_confirm',5050979877243250659,4029023657963208502,'{}','finn.vik@haldenworks.example','mail_b8m2qhpyvxy7d@example.com',0,'waiting',1795535290,1795535290,1795538890,NULL,0,NULL,NULL);
INSERT INTO errands VALUES(2261326706614344442,625704466230605568,'activation',8816077031093676460,4720198114203960222,'{}','hedda@haldenworks.example','mail_b82q2xcqpwgz4@localhost',0,'not_needed',1795535290,1795535290,1795621690,NULL,0,1795535290,'The account is already active.');
INSERT INTO errands VALUES(2540922733155958358,625704466230605568,'activation',4996680618990219926,122343685815908823,'{}',NULL,'mail_cgs3m2pzzvruy@example.com',0,'not_needed',1795535290,1795535290,1795621690,NULL,0,1795535290,'The account was deleted.');
INSERT INTO errands VALUES(3368186827956203108,625704466230605568,'activation',5050979877243250659,4638300663256997326,'{}','finn@haldenworks.example','mail_c7rtwcnnzxmve@localhost',0,'not_needed',1795535290,1795535290,1795621690,NULL,0,1795535290,'The account is already active.');
INSERT INTO errands VALUES(4957849455016505814,625704466230605568,'activation',7302520534443807935,6204403675472623752,'{}','pia@haldenworks.example','mail_ejvqt39ab86qy@example.com',0,'waiting',1795535290,1795535290,1795621690,NULL,0,NULL,NULL);
INSERT INTO errands VALUES(5027076644735529645,625704466230605568,'activation',5818500028368920251,4582446193291584389,'{}','ann@haldenworks.example','mail_ems8dumub9nxp@localhost',0,'not_needed',1795535289,1795535289,1795621689,NULL,0,1795535289,'The account is already active.');
INSERT INTO errands VALUES(5461199107837977205,625704466230605568,'activation',143897546092073407,9203274817848184834,'{}','nora@haldenworks.example','mail_ezusvw7vf32vx@example.com',0,'failed',1795535290,1795535290,1795621690,NULL,0,1795535290,'550 5.1.1 no such person');
INSERT INTO errands VALUES(6559867239055614993,625704466230605568,'activation',3794525047979586842,3029689016782105485,'{}',NULL,'mail_fyckwr8g4d3at@localhost',0,'not_needed',1795535290,1795535290,1795621690,NULL,0,1795535290,'The account is already active.');
INSERT INTO errands VALUES(6904472175049749175,625704466230605568,'activation',8277137352538281420,4094566905567274508,'{}','gus@haldenworks.example','mail_f9wn65upytnxz@localhost',0,'not_needed',1795535290,1795535290,1795621690,NULL,0,1795535290,'The account is already active.');
INSERT INTO errands VALUES(8184662496001959120,625704466230605568,'activation',5451325125255017496,7565980952275904486,'{}','dan@haldenworks.example','mail_hdfqdfwektjgs@example.com',0,'sent',1795535290,1795535290,1795621690,NULL,0,1795535290,'250 2.0.0 taken');
INSERT INTO errands VALUES(8190898039647469223,625704466230605568,'ownership_offered',8816077031093676460,NULL,'{}','hedda@haldenworks.example','mail_hdk9km4ykc9xh@example.com',1,'waiting',1795535290,1795535290,1795794490,NULL,0,NULL,NULL);
INSERT INTO errands VALUES(8209795395113531173,625704466230605568,'activation',7253806730901947817,3076778330110683454,'{}','omar@haldenworks.example','mail_hd52ppiqgcp3f@example.com',0,'waiting',1795535290,1795535350,1795621690,NULL,1,NULL,'450 4.2.1 try again later');
CREATE INDEX accounts_by_seen ON accounts (organisation_id, last_seen_at, id, status, role, two_factor) WHERE status <> 'deleted';
CREATE INDEX accounts_by_name ON accounts (organisation_id, name COLLATE NOCASE, email, status, role, two_factor) WHERE status <> 'deleted';
CREATE INDEX accounts_by_created ON accounts (organisation_id, created_at, id, status, role, two_factor) WHERE status <> 'deleted';
CREATE INDEX accounts_by_status ON accounts (organisation_id, status, role, two_factor, last_seen_at, id, created_at, name, email);
CREATE INDEX accounts_without_factor ON accounts (organisation_id, role, activated_at, role_at, factor_reset_at, reminded_of, id) WHERE status = 'active' AND two_factor = 0;
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
CREATE UNIQUE INDEX email_changes_open ON email_changes (account_id) WHERE state = 'open';
CREATE INDEX email_changes_by_account ON email_changes (account_id);
CREATE INDEX email_changes_by_expiry ON email_changes (expires_at);
CREATE UNIQUE INDEX resets_open ON resets (account_id) WHERE state = 'open';
CREATE INDEX resets_by_account ON resets (account_id);
CREATE INDEX resets_by_expiry ON resets (expires_at);
CREATE INDEX sessions_by_account ON sessions (account_id, created_at);
CREATE INDEX sessions_by_use ON sessions (used_at);
CREATE INDEX challenges_by_account ON challenges (account_id, created_at);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);
CREATE UNIQUE INDEX sign_in_links_open ON sign_in_links (account_id) WHERE state = 'open';
CREATE INDEX sign_in_links_by_account ON sign_in_links (account_id);
CREATE INDEX sign_in_links_by_expiry ON sign_in_links (expires_at);
CREATE INDEX enrolments_by_account ON enrolments (account_id);
CREATE INDEX enrolments_by_expiry ON enrolments (expires_at);
CREATE INDEX devices_by_account ON devices (account_id);
CREATE INDEX devices_by_use ON devices (used_at);
CREATE INDEX devices_trusted ON devices (organisation_id) WHERE trusted_at IS NOT NULL;
CREATE INDEX throttles_by_end ON throttles (until_at);
CREATE UNIQUE INDEX invitations_live ON invitations (account_id) WHERE state IN ('open', 'expired');
CREATE INDEX invitations_by_account ON invitations (account_id);
CREATE INDEX invitations_by_expiry ON invitations (state, expires_at) WHERE state IN ('open', 'expired');
CREATE INDEX audit_by_target ON audit_events (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit_events (actor_id) WHERE actor_id IS NOT NULL;
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_texts_stay BEFORE UPDATE ON audit_texts BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_texts_remain BEFORE DELETE ON audit_texts BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE INDEX backups_by_end ON backups (ended_at);
CREATE TRIGGER prices_stay BEFORE UPDATE ON prices BEGIN SELECT raise(ABORT, 'a price is never changed, but followed by another'); END;
CREATE UNIQUE INDEX resources_names ON resources (organisation_id, name COLLATE NOCASE) WHERE ended_at IS NULL;
CREATE INDEX resources_by_name ON resources (organisation_id, name COLLATE NOCASE, id);
CREATE INDEX resources_by_holder ON resources (holder_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX runs_open ON runs (resource_id) WHERE until_at IS NULL;
CREATE INDEX runs_by_end ON runs (organisation_id, until_at);
CREATE INDEX ledgers_by_end ON ledgers (closed_until);
CREATE INDEX invoice_lines_by_resource ON invoice_lines (resource_id, from_at);
CREATE TRIGGER invoices_stay BEFORE UPDATE ON invoices BEGIN SELECT raise(ABORT, 'an invoice is never changed'); END;
CREATE TRIGGER invoices_remain BEFORE DELETE ON invoices BEGIN SELECT raise(ABORT, 'an invoice is never deleted'); END;
CREATE TRIGGER invoice_lines_stay BEFORE UPDATE ON invoice_lines BEGIN SELECT raise(ABORT, 'an invoice is never changed'); END;
CREATE TRIGGER invoice_lines_remain BEFORE DELETE ON invoice_lines BEGIN SELECT raise(ABORT, 'an invoice is never deleted'); END;
CREATE INDEX errands_due ON errands (urgency, due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX errands_by_organisation ON errands (organisation_id, created_at);
CREATE INDEX errands_unsent ON errands (organisation_id, state) WHERE state IN ('waiting', 'sending', 'failed');
CREATE INDEX errands_by_about ON errands (about_id);
CREATE INDEX errands_by_account ON errands (account_id);
CREATE INDEX errands_by_end ON errands (ended_at) WHERE ended_at IS NOT NULL;
COMMIT;
PRAGMA user_version=5;
