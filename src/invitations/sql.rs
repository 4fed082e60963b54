//! The statements of the invitations.

use crate::accounts::Account;
use crate::domain::id::{AccountId, InvitationId, OrganisationId};
use crate::domain::token::{Nonce, TokenHash};
use crate::kit::db::values::contradiction;
use crate::kit::db::{Read, Result, Tx};
use crate::kit::time::Timestamp;

/// Where an invitation stands. Whether an open one has run out is judged when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// May be used.
    Open,
    /// Ran out, and was marked so.
    Expired,
    /// Was used.
    Used,
    /// A newer one was sent.
    Replaced,
}

/// One invitation.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Which.
    pub id: InvitationId,
    /// Of which account.
    pub account: AccountId,
    pub(super) nonce: Nonce,
    /// Who gave the role or resent; none: the operator.
    pub given_by: Option<AccountId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// When a new link was last asked for.
    pub asked_at: Option<Timestamp>,
}

impl Invitation {
    /// Whether it ran out. What was once found so stays so, though the clock was set back.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at <= now || self.state == State::Expired
    }
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Invitation> {
    let state = match row.get_ref(6)?.as_str()? {
        "open" => State::Open,
        "expired" => State::Expired,
        "used" => State::Used,
        "replaced" => State::Replaced,
        _ => return Err(contradiction("state of an invitation").into()),
    };
    Ok(Invitation {
        id: row.get(0)?,
        account: row.get(1)?,
        nonce: row.get(2)?,
        given_by: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        state,
        asked_at: row.get(7)?,
    })
}

pub(super) struct New<'n> {
    pub(super) id: InvitationId,
    pub(super) account: &'n Account,
    pub(super) nonce: Nonce,
    pub(super) hash: TokenHash,
    pub(super) given_by: Option<AccountId>,
    pub(super) expires_at: Timestamp,
}

pub(super) fn insert(tx: &Tx<'_>, new: &New<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO invitations (id, organisation_id, account_id, nonce, hash, given_by, created_at, expires_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open')",
        (new.id, new.account.organisation, new.account.id, new.nonce, new.hash, new.given_by, tx.now(), new.expires_at),
    )?;
    Ok(())
}

pub(super) fn by_hash(read: &Read<'_>, hash: &TokenHash) -> Result<Option<Invitation>> {
    read.find(
        "SELECT id, account_id, nonce, given_by, created_at, expires_at, state, asked_at FROM invitations WHERE hash = ?1",
        [hash],
        from_row,
    )
}

pub(super) fn live(read: &Read<'_>, account: AccountId) -> Result<Option<Invitation>> {
    read.find(
        "SELECT id, account_id, nonce, given_by, created_at, expires_at, state, asked_at FROM invitations
          WHERE account_id = ?1 AND state IN ('open', 'expired')",
        [account],
        from_row,
    )
}

/// How many Pending accounts of an organisation wait with a link that has run out.
pub fn expired_count(read: &Read<'_>, organisation: OrganisationId) -> Result<i64> {
    read.get(
        "SELECT count(*) FROM invitations WHERE state IN ('open', 'expired') AND expires_at <= ?2 AND organisation_id = ?1",
        (organisation, read.now()),
        |row| row.get(0),
    )
}

pub(super) fn live_by_id(read: &Read<'_>, id: InvitationId) -> Result<Option<(Nonce, Timestamp)>> {
    read.find(
        "SELECT i.nonce, i.expires_at FROM invitations i JOIN accounts a ON a.id = i.account_id
          WHERE i.id = ?1 AND i.state = 'open' AND i.expires_at > ?2 AND a.status = 'pending'",
        (id, read.now()),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The row count decides: of two that arrive together, one wins.
pub(super) fn use_up(tx: &Tx<'_>, id: InvitationId, now: Timestamp) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE invitations SET state = 'used' WHERE id = ?1 AND state = 'open' AND expires_at > ?2",
        (id, now),
    )?;
    Ok(changed == 1)
}

pub(super) fn give_anew(tx: &Tx<'_>, account: AccountId, giver: Option<AccountId>) -> Result<()> {
    tx.execute(
        "UPDATE invitations SET given_by = ?2 WHERE account_id = ?1 AND state IN ('open', 'expired')",
        (account, giver),
    )?;
    Ok(())
}

pub(super) fn open_of(read: &Read<'_>, giver: AccountId) -> Result<Vec<AccountId>> {
    // Both conditions on the state: the first is the index's own.
    read.list(
        "SELECT account_id FROM invitations
          WHERE state IN ('open', 'expired') AND state = 'open' AND expires_at > ?2 AND given_by = ?1
          ORDER BY expires_at",
        (giver, read.now()),
        |row| row.get(0),
    )
}

pub(super) fn replace(tx: &Tx<'_>, id: InvitationId) -> Result<()> {
    tx.execute(
        "UPDATE invitations SET state = 'replaced' WHERE id = ?1 AND state IN ('open', 'expired')",
        [id],
    )?;
    Ok(())
}

pub(super) fn asked(tx: &Tx<'_>, id: InvitationId) -> Result<()> {
    tx.execute(
        "UPDATE invitations SET asked_at = ?2 WHERE id = ?1",
        (id, tx.now()),
    )?;
    Ok(())
}

pub(super) fn next_expired(read: &Read<'_>) -> Result<Option<Invitation>> {
    // Both conditions: the first is the index's own, and without it each second would read every invitation.
    read.find(
        "SELECT id, account_id, nonce, given_by, created_at, expires_at, state, asked_at FROM invitations
          WHERE state IN ('open', 'expired') AND state = 'open' AND expires_at <= ?1 ORDER BY expires_at LIMIT 1",
        [read.now()],
        from_row,
    )
}

pub(super) fn expire(tx: &Tx<'_>, id: InvitationId) -> Result<()> {
    tx.execute(
        "UPDATE invitations SET state = 'expired' WHERE id = ?1 AND state = 'open'",
        [id],
    )?;
    Ok(())
}

pub(super) fn next_squatter(read: &Read<'_>, before: Timestamp) -> Result<Option<AccountId>> {
    read.find(
        "SELECT a.id FROM invitations i
           JOIN accounts a ON a.id = i.account_id
           JOIN organisations o ON o.id = a.organisation_id
          WHERE i.state IN ('open', 'expired') AND i.expires_at <= ?1 AND a.status = 'pending' AND o.owner_id <> a.id
          ORDER BY i.expires_at LIMIT 1",
        [before],
        |row| row.get(0),
    )
}

pub(super) fn forget(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    tx.execute("DELETE FROM invitations WHERE account_id = ?1", [account])?;
    Ok(())
}

pub(super) fn remove_all(tx: &Tx<'_>, organisation: OrganisationId) -> Result<()> {
    tx.execute(
        "DELETE FROM invitations WHERE organisation_id = ?1",
        [organisation],
    )?;
    Ok(())
}

pub(super) fn tally(
    tx: &Tx<'_>,
    kind: &'static str,
    subject: &[u8],
    since: Timestamp,
) -> Result<i64> {
    tx.get(
        "INSERT INTO invitation_tallies (kind, subject, since, count) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
        (kind, subject, since),
        |row| row.get(0),
    )
}

pub(super) fn tallied(
    read: &Read<'_>,
    kind: &'static str,
    subject: &[u8],
    since: Timestamp,
) -> Result<i64> {
    Ok(read
        .find(
            "SELECT count FROM invitation_tallies WHERE kind = ?1 AND subject = ?2 AND since = ?3",
            (kind, subject, since),
            |row| row.get(0),
        )?
        .unwrap_or(0))
}

pub(super) fn sweep(tx: &Tx<'_>, before: Timestamp, rows: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM invitation_tallies WHERE (kind, subject, since) IN
           (SELECT kind, subject, since FROM invitation_tallies WHERE since < ?1 LIMIT ?2)",
        (before, rows),
    )
}

pub(super) fn void_all(tx: &Tx<'_>) -> Result<()> {
    // A link cannot end before it began; and one that ends now has ended.
    tx.execute(
        "UPDATE invitations SET state = 'expired', created_at = min(created_at, ?1 - 1), expires_at = min(expires_at, ?1)
          WHERE state = 'open'",
        [tx.now()],
    )?;
    tx.execute("DELETE FROM invitation_tallies WHERE kind = 'address'", [])?;
    Ok(())
}
