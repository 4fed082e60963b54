//! Somebody with a phone: sets up two-factor, signs in with codes, makes new ones, turns it off or has it reset, and
//! remembers which codes were used up.

use std::collections::{BTreeMap, BTreeSet};

use doorward::domain::code::Code;
use doorward::domain::id::AccountId;
use doorward::kit::key_file;
use doorward::kit::keys::Keys;
use doorward::kit::totp::STEP;

use super::file::File;
use crate::answer::between;
use crate::client::{Client, Page};
use crate::letter::path_of;
use crate::phone::Phone;
use crate::process::Doorward;
use crate::served::{self, PASSWORD, activate, codes_on, expect, now, sign_in, try_password};

const EMAIL: &str = "keeper@haldenworks.example";
const PAGE: &str = "/account/two-factor";
/// Not so near to the end of a step that the code before it may be over when it arrives.
const MARGIN: i64 = 5;

/// What is done about a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    /// Set up with a first code.
    Enrol,
    /// Signed in with a code of the app.
    SignIn,
    /// Signed in with a recovery code.
    Recover,
    /// New recovery codes.
    Renew,
    /// Turned off, with a code of the app.
    Disable,
    /// Taken away by the owner.
    Reset,
}

impl Deed {
    const ALL: [Self; 6] = [
        Self::Enrol,
        Self::SignIn,
        Self::Recover,
        Self::Renew,
        Self::Disable,
        Self::Reset,
    ];

    /// What is done once it is on, in this order; then it ends, and begins anew.
    const PLAN: [Self; 5] = [
        Self::SignIn,
        Self::Recover,
        Self::Renew,
        Self::Recover,
        Self::Disable,
    ];
}

/// A second factor as it lies in the file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Factor {
    is_on: bool,
    last_step: i64,
    /// Which recovery codes there are, and whether each was used.
    codes: BTreeMap<Vec<u8>, bool>,
}

impl Factor {
    fn of(file: &File, id: AccountId) -> Self {
        let id = id.number();
        let of = |what: &str, table: &str| -> Vec<i64> {
            file.ask(&format!(
                "SELECT {what} FROM {table} WHERE account_id = {id}"
            ))
        };
        let macs = file.ask::<Vec<u8>>(&format!(
            "SELECT mac FROM recovery_codes WHERE account_id = {id} ORDER BY mac"
        ));
        let used = file.ask::<bool>(&format!(
            "SELECT used_at IS NOT NULL FROM recovery_codes WHERE account_id = {id} ORDER BY mac"
        ));
        Self {
            is_on: !of("1", "factors").is_empty(),
            last_step: of("last_step", "factors")
                .first()
                .copied()
                .unwrap_or_default(),
            codes: macs.into_iter().zip(used).collect(),
        }
    }

    /// Ten codes of which none was there before, and none is used.
    fn is_renewed_from(&self, before: &Self) -> bool {
        self.codes.len() == 10
            && self
                .codes
                .iter()
                .all(|(mac, used)| !used && !before.codes.contains_key(mac))
    }
}

/// A deed on its way: what it uses up.
#[derive(Clone, Debug)]
struct Going {
    deed: Deed,
    step: i64,
    mac: Vec<u8>,
}

impl Going {
    fn of(deed: Deed) -> Self {
        Self {
            deed,
            step: 0,
            mac: Vec::new(),
        }
    }

    /// Whether it leads from one to the other, whole.
    fn leads(&self, before: &Factor, after: &Factor) -> bool {
        match self.deed {
            Deed::Enrol => {
                after.is_on && after.last_step == self.step && after.is_renewed_from(before)
            }
            Deed::SignIn => {
                *after
                    == Factor {
                        last_step: self.step,
                        ..before.clone()
                    }
            }
            Deed::Recover => {
                let mut expected = before.clone();
                expected.codes.insert(self.mac.clone(), true);
                *after == expected
            }
            Deed::Renew => {
                (after.is_on, after.last_step) == (true, before.last_step)
                    && after.is_renewed_from(before)
            }
            Deed::Disable | Deed::Reset => *after == Factor::default(),
        }
    }
}

/// The person, and what they were told.
pub(crate) struct Keeper {
    id: AccountId,
    keys: Keys,
    client: Client,
    owner: Client,
    browser: fn(&str) -> Client,
    address: String,
    is_signed_in: bool,
    phone: Option<Phone>,
    /// Their recovery codes that are good, as far as they have them: those of an answer that did not come are nobody's.
    good: Vec<String>,
    /// Codes that were used up, newest last.
    spent: Vec<String>,
    factor: Factor,
    going: Option<Going>,
    at: usize,
    /// How often they were told to wait.
    waits: usize,
    done: BTreeSet<Deed>,
    /// How many deeds were acknowledged.
    pub(crate) told: usize,
    /// How many codes that were used up were tried again.
    pub(crate) tried: usize,
}

impl Keeper {
    /// A Member whom the operator makes; nobody requires two-factor of anybody.
    pub(crate) fn new(process: &Doorward, browser: fn(&str) -> Client) -> Self {
        let create = ["account", "create", "--email", EMAIL, "--role", "member"];
        let made = process.run(&create);
        assert!(made.status.success(), "{made:?}");
        let link = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let address = process.address().to_owned();
        let mut client = browser(&address);
        expect(activate(&mut client, &path_of(&link), "Kai Keeper"), 303);
        sign_in(&mut client, EMAIL);
        let mut owner = browser(&address);
        sign_in(&mut owner, served::OWNER);
        let file = rusqlite::Connection::open(process.data().join("doorward.db")).unwrap();
        file.execute_batch("PRAGMA busy_timeout = 5000; UPDATE policies SET level = 'recommended'")
            .unwrap();
        let file = File::copy(process.data());
        Self {
            id: file.ask(&format!("SELECT id FROM accounts WHERE email = '{EMAIL}'"))[0],
            keys: key_file::read(process.data()).unwrap().unwrap(),
            client,
            owner,
            browser,
            address,
            is_signed_in: true,
            phone: None,
            good: Vec::new(),
            spent: Vec::new(),
            factor: Factor::default(),
            going: None,
            at: 0,
            waits: 0,
            done: BTreeSet::new(),
            told: 0,
            tried: 0,
        }
    }

    /// What was never acknowledged yet.
    pub(crate) fn missing(&self) -> Vec<Deed> {
        let all = Deed::ALL.into_iter();
        all.filter(|deed| !self.done.contains(deed)).collect()
    }

    fn mac(&self, code: &str) -> Vec<u8> {
        let Ok(Code::Recovery(code)) = Code::typed(code) else {
            panic!("{code} is no recovery code");
        };
        code.mac(&self.keys, self.id).to_vec()
    }

    /// A code of the app that is good now and was not used up; none until time has gone by.
    fn app_code(&self) -> Option<(i64, String)> {
        let (step, into) = (now() / STEP, now() % STEP);
        let earliest = if into < STEP - MARGIN { step - 1 } else { step };
        let next = earliest.max(self.factor.last_step + 1);
        let phone = self.phone.as_ref()?;
        (next <= step + 1).then(|| (next, phone.code_at(next * STEP)))
    }

    /// Does what is next; nothing when the server is gone, or they must wait.
    pub(crate) fn step(&mut self) -> Option<()> {
        if !self.factor.is_on {
            if !self.is_signed_in {
                return self.give_password().map(|_| self.is_signed_in = true);
            }
            return self.enrol();
        }
        let planned = Deed::PLAN[self.at % Deed::PLAN.len()];
        let deed = if self.is_signed_in {
            planned
        } else {
            Deed::SignIn
        };
        // Whoever cannot do what is planned, for want of a code, does the next best.
        match deed {
            Deed::SignIn if self.app_code().is_some() => self.sign_in_with_app(),
            Deed::SignIn | Deed::Recover if !self.good.is_empty() => self.recover(),
            Deed::Renew => self.renew(),
            Deed::Disable if self.app_code().is_some() && self.ends_it_alone() => self.disable(),
            _ => self.be_reset(),
        }
    }

    /// Each other time somebody else ends it, once they have done it at all.
    fn ends_it_alone(&self) -> bool {
        !self.done.contains(&Deed::Disable)
            || self.done.contains(&Deed::Reset) && (self.at / Deed::PLAN.len()).is_multiple_of(2)
    }

    /// Types the password in a browser without cookies; answers with the page of the code, if that is asked for.
    fn give_password(&mut self) -> Option<Option<Page>> {
        self.is_signed_in = false;
        self.client = (self.browser)(&self.address);
        self.client.try_get("/sign-in")?;
        let fields = [("email", EMAIL), ("password", PASSWORD)];
        let page = self.client.try_post_form("/sign-in", &fields)?;
        let page = self.unless_late(page, 303)?;
        if page.location() == "/" {
            assert!(!self.factor.is_on, "the code was skipped");
            return Some(None);
        }
        assert_eq!(page.location(), "/sign-in/code");
        assert!(
            self.client.cookie("session").is_none(),
            "a session without the code"
        );
        Some(Some(self.client.try_get("/sign-in/code")?))
    }

    /// What was answered, unless they must wait.
    fn unless_late(&mut self, page: Page, status: u16) -> Option<Page> {
        if page.status == 429 {
            self.going = None;
            self.waits += 1;
            return None;
        }
        Some(expect(page, status))
    }

    fn send(
        &mut self,
        going: Going,
        action: &str,
        fields: &[(&str, &str)],
        status: u16,
    ) -> Option<Page> {
        self.going = Some(going);
        let page = self.client.try_post_form(action, fields)?;
        self.unless_late(page, status)
    }

    fn did(&mut self, after: Factor) {
        let going = self.going.take().unwrap();
        self.done.insert(going.deed);
        self.told += 1;
        self.moved(&going, after);
    }

    /// It was done, whether they were told or found out.
    fn moved(&mut self, going: &Going, after: Factor) {
        self.factor = after;
        match going.deed {
            Deed::Enrol => self.at = self.at / Deed::PLAN.len() * Deed::PLAN.len(),
            Deed::Disable | Deed::Reset => {
                self.at = (self.at / Deed::PLAN.len() + 1) * Deed::PLAN.len();
                self.phone = None;
                self.good.clear();
            }
            // One that was not planned does not count.
            deed => self.at += usize::from(Deed::PLAN[self.at % Deed::PLAN.len()] == deed),
        }
    }

    fn enrol(&mut self) -> Option<()> {
        let mut page = expect(self.client.try_get(PAGE)?, 200);
        if !page.body.contains("<output id=\"key\"") {
            let begun = expect(self.client.try_post_form(PAGE, &[])?, 303);
            page = expect(self.client.try_get(begun.location())?, 200);
        }
        let key = between(&page.body, "<output id=\"key\"", "</output>");
        self.phone = Some(Phone::new(key.split_once('>').unwrap().1));
        let (step, code) = self.app_code().unwrap();
        let going = Going {
            step,
            ..Going::of(Deed::Enrol)
        };
        let confirm = "/account/two-factor/confirm";
        let page = self.send(going, confirm, &[("code", &code)], 200)?;
        let codes = codes_on(&page);
        self.spent.push(code);
        self.did(Factor {
            is_on: true,
            last_step: step,
            codes: codes.iter().map(|code| (self.mac(code), false)).collect(),
        });
        self.good = codes;
        Some(())
    }

    fn sign_in_with_app(&mut self) -> Option<()> {
        self.give_password()?.expect("the code was skipped");
        let (step, code) = self.app_code()?;
        let going = Going {
            step,
            ..Going::of(Deed::SignIn)
        };
        self.send(going, "/sign-in/code", &[("code", &code)], 303)?;
        self.is_signed_in = true;
        self.spent.push(code);
        let factor = self.factor.clone();
        self.did(Factor {
            last_step: step,
            ..factor
        });
        Some(())
    }

    fn recover(&mut self) -> Option<()> {
        self.give_password()?.expect("the code was skipped");
        let code = self.good.pop()?;
        let mac = self.mac(&code);
        let going = Going {
            mac: mac.clone(),
            ..Going::of(Deed::Recover)
        };
        // From here on it may be used up: whether it is, the file will say.
        self.send(going, "/sign-in/code", &[("code", &code)], 303)?;
        self.is_signed_in = true;
        self.spent.push(code);
        let mut factor = self.factor.clone();
        factor.codes.insert(mac, true);
        self.did(factor);
        Some(())
    }

    fn renew(&mut self) -> Option<()> {
        expect(self.client.try_get(PAGE)?, 200);
        let page = self.send(
            Going::of(Deed::Renew),
            "/account/two-factor/codes",
            &[],
            200,
        )?;
        let codes = codes_on(&page);
        // The older are dead, used or not.
        self.spent.append(&mut self.good);
        let factor = self.factor.clone();
        self.did(Factor {
            codes: codes.iter().map(|code| (self.mac(code), false)).collect(),
            ..factor
        });
        self.good = codes;
        Some(())
    }

    fn disable(&mut self) -> Option<()> {
        expect(self.client.try_get(PAGE)?, 200);
        let (step, code) = self.app_code()?;
        let going = Going {
            step,
            ..Going::of(Deed::Disable)
        };
        self.send(
            going,
            "/account/two-factor/disable",
            &[("code", &code)],
            303,
        )?;
        self.spent.push(code);
        self.did(Factor::default());
        Some(())
    }

    fn be_reset(&mut self) -> Option<()> {
        let page = format!("/iam/accounts/{}/reset-two-factor", self.id);
        expect(self.owner.try_get(&page)?, 200);
        self.going = Some(Going::of(Deed::Reset));
        expect(self.owner.try_post_form(&page, &[])?, 303);
        self.is_signed_in = false;
        self.did(Factor::default());
        Some(())
    }

    /// Compares it with the file; answers with what is lost.
    pub(crate) fn settle(&mut self, file: &File) -> Vec<String> {
        let found = Factor::of(file, self.id);
        let going = self.going.take();
        if found == self.factor {
            if let Some(Going {
                deed: Deed::SignIn | Deed::Recover,
                ..
            }) = going
            {
                self.is_signed_in = false;
            }
            return Vec::new();
        }
        let Some(going) = going.filter(|going| going.leads(&self.factor, &found)) else {
            return vec![format!(
                "the second factor: {:?}, in the file {found:?}",
                self.factor
            )];
        };
        // The answer did not come: neither did the cookie under which the session went on, nor the codes.
        self.is_signed_in &= going.deed == Deed::Renew;
        match going.deed {
            Deed::Enrol | Deed::Renew => self.spent.append(&mut self.good),
            Deed::SignIn | Deed::Recover | Deed::Disable | Deed::Reset => {}
        }
        self.moved(&going, found);
        Vec::new()
    }

    /// While no server is here, the operator lets them begin anew: passwords that the power went over count as wrong ones.
    pub(crate) fn unlock(&mut self, process: &Doorward) {
        if std::mem::take(&mut self.waits) > 0 {
            let unlocked = process.run(&["account", "unlock", EMAIL]);
            assert!(unlocked.status.success(), "{unlocked:?}");
        }
    }

    /// The server is here now: whoever was signed in still is, and what was used up is.
    pub(crate) fn come_back(&mut self, process: &Doorward) -> Vec<String> {
        let mut lost = Vec::new();
        process.address().clone_into(&mut self.address);
        self.client.move_to(&self.address);
        self.owner.move_to(&self.address);
        if self.owner.get("/").status != 200 {
            lost.push("the session of whoever resets".to_owned());
        }
        if self.is_signed_in && self.client.get("/").status != 200 {
            lost.push(format!("{EMAIL}: the session"));
        }
        // The newest, which is the likeliest not to have reached the disk, and the one before.
        let spent = self.spent.iter().rev().nth(self.tried % 2);
        if let Some(code) = spent.filter(|_| self.factor.is_on) {
            let mut client = (self.browser)(&self.address);
            // Whoever must wait tries it another time.
            if try_password(&mut client, EMAIL, PASSWORD).status == 303 {
                // A guess, which is forgotten before the next.
                self.waits += 1;
                expect(client.get("/sign-in/code"), 200);
                let page = client.post_form("/sign-in/code", &[("code", code)]);
                // One that was not judged proves nothing.
                self.tried += usize::from(page.status == 422);
                let is_refused = matches!(page.status, 422 | 429);
                if !is_refused || client.cookie("session").is_some() {
                    lost.push(format!("{code} worked again: {page:#?}"));
                }
            } else {
                self.waits += 1;
            }
        }
        lost
    }
}
