//! A data folder as it is after years of use, written by SQL in seconds: one organisation with very many accounts, one
//! with few, and many that exist to invite. The executable's own code makes the empty folder; hashes are of its cost.

use std::path::Path;

use doorward::domain::role::{Managers, Role};
use doorward::domain::token::Token;
use doorward::kit::hasher::{Cost, Hasher};
use doorward::kit::keys::{Keys, Use};
use doorward::kit::random::{self, OsRandom};
use doorward::kit::seal::{NONCE, Place, seal};
use doorward::kit::time::{Clock as _, DAY, SystemClock};
use doorward::kit::totp::SECRET;
use doorward::migrations::{self, DATABASE, Origin};
use rusqlite::{Connection, Statement, Transaction, params};
use sha2::{Digest as _, Sha256};

use crate::Result;

/// The password of all who sign in.
pub(crate) const PASSWORD: &str = "Seven lamps, 1 doorway";
/// So many accounts sign in, in turn.
const SIGNERS: usize = 500;
/// So many owe a code.
pub(crate) const HALVES: usize = 500;
/// So many organisations invite, in turn: each may invite 300 an hour.
const INVITERS: usize = 60;

const GIVEN: [&str; 16] = [
    "Ada", "Bram", "Chidi", "Dagny", "Emre", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kaito",
    "Lena", "Malik", "Nora", "Oskar", "Priya",
];
const FAMILY: [&str; 16] = [
    "Abara", "Berg", "Castel", "Dorn", "Eklund", "Faber", "Garcia", "Holm", "Ito", "Jansen",
    "Kovac", "Lund", "Moreau", "Novak", "Okafor", "Petrov",
];

/// What a client needs to know of it.
#[derive(Debug)]
pub(crate) struct Seeded {
    /// The session cookie of the owner of the organisation with very many accounts.
    pub(crate) large: String,
    /// The same where there are few.
    pub(crate) small: String,
    /// Who signs in.
    pub(crate) signers: Vec<Signer>,
    /// The session cookies of those who invite, one for each organisation.
    pub(crate) inviters: Vec<String>,
    /// Who owes a code, once each.
    pub(crate) halves: Vec<Half>,
}

/// Somebody who gave the password and owes the code.
#[derive(Debug)]
pub(crate) struct Half {
    /// The challenge's cookie.
    pub(crate) challenge: String,
    /// The proof of its form.
    pub(crate) csrf: String,
    /// The browser's cookie.
    pub(crate) device: String,
    /// What their app knows.
    pub(crate) secret: [u8; SECRET],
}

/// An account with a browser that it knows.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    account: i64,
    organisation: i64,
    /// Its address.
    pub(crate) email: String,
    /// Its browser's cookie.
    pub(crate) device: String,
}

/// Makes the folder.
pub(crate) fn seed(folder: &Path, many: usize, few: usize) -> Result<Seeded> {
    write(folder, |scribe, keys, _| scribe.write(keys, many, few))
}

/// Makes a folder with so many organisations of so many accounts each, and what this adds to them; answers with the cookie of
/// each one's owner.
pub(crate) fn tenants(
    folder: &Path,
    organisations: usize,
    accounts: usize,
    add: impl FnOnce(&Connection) -> Result<()>,
) -> Result<Vec<String>> {
    write(folder, |scribe, _, conn| {
        let cookies = (0..organisations)
            .map(|number| {
                let name = format!("Tenant {number}");
                let (cookie, _) = scribe.tenant(&name, &format!("tenant{number}"), accounts)?;
                Ok(cookie)
            })
            .collect::<Result<_>>()?;
        add(conn)?;
        Ok(cookies)
    })
}

/// Writes all of it in one transaction, into a folder that the executable's own code has made.
fn write<T>(
    folder: &Path,
    work: impl FnOnce(&mut Scribe<'_>, &Keys, &Connection) -> Result<T>,
) -> Result<T> {
    let now = SystemClock::new().now();
    let origin = Origin::new(now, &OsRandom);
    let (opened, _) = migrations::open_to_serve(folder, origin)?;
    let keys = opened.keys.clone();
    drop(opened);
    let hash = Hasher::new(Cost::PRODUCTION, 1)
        .hash(PASSWORD.as_bytes(), &OsRandom)
        .map_err(|error| format!("{error:?}"))?;
    let mut conn = Connection::open(folder.join(DATABASE))?;
    conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -64000")?;
    let tx = conn.transaction()?;
    let done = {
        let mut scribe = Scribe::new(&tx, now.0, &hash)?;
        work(&mut scribe, &keys, &tx)?
    };
    tx.commit()?;
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(done)
}

/// Writes rows, each statement compiled once.
struct Scribe<'t> {
    now: i64,
    hash: &'t str,
    ids: i64,
    organisation: Statement<'t>,
    policy: Statement<'t>,
    account: Statement<'t>,
    password: Statement<'t>,
    session: Statement<'t>,
    factor: Statement<'t>,
    protected: Statement<'t>,
    challenge: Statement<'t>,
    device: Statement<'t>,
    invitation: Statement<'t>,
    errand: Statement<'t>,
}

impl<'t> Scribe<'t> {
    fn new(tx: &'t Transaction<'_>, now: i64, hash: &'t str) -> Result<Self> {
        Ok(Self {
            now,
            hash,
            ids: 0,
            organisation: tx.prepare(
                "INSERT INTO organisations (id, name, time_zone, owner_id, managers, trust, created_at)
                 VALUES (?1, ?2, 'Europe/Berlin', ?3, 'admins', 'off', ?4)",
            )?,
            policy: tx.prepare(
                "INSERT INTO policies (organisation_id, role, level, grace_days, stricter_at)
                 VALUES (?1, ?2, 'required', 7, ?3)",
            )?,
            account: tx.prepare(
                "INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, created_by,
                   activated_at, disabled_at, last_seen_at, role_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?7)",
            )?,
            password: tx.prepare(
                "INSERT INTO passwords (account_id, organisation_id, hash, changed_at) VALUES (?1, ?2, ?3, ?4)",
            )?,
            session: tx.prepare(
                "INSERT INTO sessions (hash, id, organisation_id, account_id, epoch, permissions, created_at, used_at,
                   proved_at, address, agent)
                 VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?6, ?6, '192.0.2.1', 'Firefox on Linux')",
            )?,
            factor: tx.prepare(
                "INSERT INTO factors (account_id, organisation_id, sealed, last_step, created_at, used_at)
                 VALUES (?1, ?2, ?3, 0, ?4, ?4)",
            )?,
            protected: tx.prepare("UPDATE accounts SET two_factor = 1 WHERE id = ?1")?,
            challenge: tx.prepare(
                "INSERT INTO challenges (hash, organisation_id, account_id, epoch, created_at, expires_at)
                 VALUES (?1, ?2, ?3, 0, ?4, ?5)",
            )?,
            device: tx.prepare(
                "INSERT INTO devices (hash, account_id, organisation_id, used_at) VALUES (?1, ?2, ?3, ?4)",
            )?,
            invitation: tx.prepare(
                "INSERT INTO invitations (id, organisation_id, account_id, nonce, hash, given_by, created_at, expires_at,
                   state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open')",
            )?,
            errand: tx.prepare(
                "INSERT INTO errands (id, organisation_id, kind, account_id, about_id, recipient, message_id, urgency,
                   state, created_at, due_at, deadline_at, ended_at, answer)
                 VALUES (?1, ?2, 'activation', ?3, ?4, ?5, ?6, 0, 'sent', ?7, ?7, ?8, ?7, '250 2.0.0 Ok')",
            )?,
        })
    }

    fn write(&mut self, keys: &Keys, many: usize, few: usize) -> Result<Seeded> {
        let (large, signers) = self.tenant("Halden Works", "halden", many)?;
        let (small, _) = self.tenant("Corner Bakery", "bakery", few)?;
        let inviters = (0..INVITERS)
            .map(|number| {
                let (cookie, _) =
                    self.tenant(&format!("Branch {number}"), &format!("branch{number}"), 1)?;
                Ok(cookie)
            })
            .collect::<Result<_>>()?;
        let halves = self.halves(keys)?;
        Ok(Seeded {
            large,
            small,
            signers,
            inviters,
            halves,
        })
    }

    /// People who gave their password, and owe the code.
    fn halves(&mut self, keys: &Keys) -> Result<Vec<Half>> {
        let (_, people) = self.tenant("Lighthouse", "lighthouse", HALVES * 3)?;
        let mut halves = Vec::new();
        for person in people.iter().take(HALVES) {
            let secret: [u8; SECRET] = random::bytes(&OsRandom)?;
            let nonce: [u8; NONCE] = random::bytes(&OsRandom)?;
            let place = Place {
                table: "factors",
                row: person.account,
            };
            let sealed = seal(keys, place, nonce, &secret)?;
            let organisation = person.organisation;
            self.factor
                .execute(params![person.account, organisation, sealed, self.now])?;
            self.protected.execute(params![person.account])?;
            let token = Token::new(&OsRandom)?;
            self.challenge.execute(params![
                token.hash(),
                organisation,
                person.account,
                self.now,
                self.now + DAY
            ])?;
            let proof = keys.mac(Use::Forms, &[b"csrf challenge", token.hash().bytes()]);
            halves.push(Half {
                challenge: token.reveal(),
                csrf: data_encoding::BASE64URL_NOPAD.encode(&proof),
                device: person.device.clone(),
                secret,
            });
        }
        Ok(halves)
    }

    /// An organisation whose owner is signed in; answers with the owner's cookie, and with some who can sign in.
    fn tenant(
        &mut self,
        name: &str,
        domain: &str,
        accounts: usize,
    ) -> Result<(String, Vec<Signer>)> {
        let organisation = self.id();
        let owner = self.id();
        self.organisation
            .execute(params![organisation, name, owner, self.now - 900 * DAY])?;
        // Grace runs from now: nobody of it lands on the set-up.
        for role in Role::ALL {
            self.policy.execute(params![organisation, role, self.now])?;
        }
        self.active(
            organisation,
            owner,
            &format!("owner@{domain}.example"),
            Role::Master,
        )?;
        let mut signers = Vec::new();
        for number in 1..accounts {
            let email = format!("person{number}@{domain}.example");
            // One in fifty still has a link, one in a hundred is switched off; the last are the newest.
            match number % 100 {
                7 | 57 => self.pending(organisation, owner, &email)?,
                33 => self.disabled(organisation, owner, &email, number)?,
                rest => {
                    let account = self.member(organisation, owner, &email, number)?;
                    // Half of them have a second factor, and none of those who sign in.
                    if rest % 2 == 1 {
                        self.protected.execute(params![account])?;
                    } else if signers.len() < SIGNERS {
                        signers.push(self.signer(organisation, account, email)?);
                    }
                }
            }
        }
        let token = Token::new(&OsRandom)?;
        let id = self.id();
        self.session.execute(params![
            token.hash(),
            id,
            organisation,
            owner,
            Role::Master.permissions(Managers::default()),
            self.now
        ])?;
        Ok((token.reveal(), signers))
    }

    fn active(&mut self, organisation: i64, id: i64, email: &str, role: Role) -> Result<()> {
        let then = self.now - 899 * DAY;
        let none = None::<i64>;
        self.account.execute(params![
            id,
            organisation,
            "active",
            role,
            email,
            "Owen Ward",
            then,
            none,
            then,
            none,
            self.now
        ])?;
        self.password
            .execute(params![id, organisation, self.hash, then])?;
        Ok(())
    }

    fn member(&mut self, organisation: i64, owner: i64, email: &str, number: usize) -> Result<i64> {
        let id = self.id();
        let role = match number % 40 {
            0 => Role::Admin,
            1..=4 => Role::Billing,
            _ => Role::Member,
        };
        let (made, seen) = self.past(number);
        let none = None::<i64>;
        let name = name(number);
        self.account.execute(params![
            id,
            organisation,
            "active",
            role,
            email,
            name,
            made,
            owner,
            made,
            none,
            seen
        ])?;
        self.password
            .execute(params![id, organisation, self.hash, made])?;
        Ok(id)
    }

    fn disabled(
        &mut self,
        organisation: i64,
        owner: i64,
        email: &str,
        number: usize,
    ) -> Result<()> {
        let id = self.id();
        let (made, seen) = self.past(number);
        let name = name(number);
        self.account.execute(params![
            id,
            organisation,
            "disabled",
            Role::Member,
            email,
            name,
            made,
            owner,
            made,
            seen,
            seen
        ])?;
        Ok(())
    }

    fn pending(&mut self, organisation: i64, owner: i64, email: &str) -> Result<()> {
        let (id, invitation, errand) = (self.id(), self.id(), self.id());
        let none = None::<i64>;
        let made = self.now - 3_600;
        let until = self.now + DAY;
        self.account.execute(params![
            id,
            organisation,
            "pending",
            Role::Member,
            email,
            none,
            made,
            owner,
            none,
            none,
            none
        ])?;
        let digest = Sha256::digest(invitation.to_be_bytes());
        let (hash, nonce) = (digest.as_slice(), digest.get(..16));
        self.invitation.execute(params![
            invitation,
            organisation,
            id,
            nonce,
            hash,
            owner,
            made,
            until
        ])?;
        let message = format!("<{errand}@localhost>");
        self.errand.execute(params![
            errand,
            organisation,
            id,
            invitation,
            email,
            message,
            made,
            until
        ])?;
        Ok(())
    }

    fn signer(&mut self, organisation: i64, account: i64, email: String) -> Result<Signer> {
        let token = Token::new(&OsRandom)?;
        self.device
            .execute(params![token.hash(), account, organisation, self.now - DAY])?;
        Ok(Signer {
            account,
            organisation,
            email,
            device: token.reveal(),
        })
    }

    /// When an account was made and when it was last seen, all over two years.
    fn past(&self, number: usize) -> (i64, i64) {
        let spread = i64::try_from(number.wrapping_mul(7_919) % 1_000).unwrap_or_default();
        let made = self.now - 800 * DAY + spread * DAY / 2;
        (made, made + (self.now - made) * (spread + 1) / 1_002)
    }

    /// The next of a sequence that looks random and never repeats: an odd factor is a bijection.
    fn id(&mut self) -> i64 {
        self.ids += 1;
        self.ids.wrapping_mul(0x5851_f42d_4c95_7f2d) & i64::MAX
    }
}

fn name(number: usize) -> String {
    let given = GIVEN.get(number % 16).copied().unwrap_or_default();
    let family = FAMILY.get(number / 16 % 16).copied().unwrap_or_default();
    format!("{given} {family} {number}")
}
