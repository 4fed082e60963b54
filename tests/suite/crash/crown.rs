//! Two Masters who hand the ownership of their organisation to and fro, and remember who owns it.

use doorward::domain::id::AccountId;

use super::file::File;
use crate::client::Client;
use crate::letter::path_of;
use crate::process::Doorward;
use crate::served::{self, activate, expect, sign_in};

const HEIR: &str = "heir@haldenworks.example";
const PAGE: &str = "/settings";

/// One of the two.
struct Master {
    email: &'static str,
    id: AccountId,
    client: Client,
    is_signed_in: bool,
}

/// Who owns the organisation, and to whom it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holding {
    owner: AccountId,
    offered_to: Option<AccountId>,
}

/// The two, and how it stands as far as they were told.
pub(crate) struct Crown {
    masters: [Master; 2],
    holding: Holding,
    perhaps: Option<Holding>,
    /// A password that is being checked counts as a wrong one until it was found right: whoever has the power go often
    /// enough while that lasts must wait.
    must_wait: bool,
    /// How often the ownership has moved.
    pub(crate) moved: usize,
}

impl Crown {
    /// The owner, in another browser, and a second Master whom the operator makes.
    pub(crate) fn new(process: &Doorward, browser: impl Fn() -> Client) -> Self {
        let create = ["account", "create", "--email", HEIR, "--role", "master"];
        let made = process.run(&create);
        assert!(made.status.success(), "{made:?}");
        let link = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let mut heir = browser();
        expect(activate(&mut heir, &path_of(&link), "Hedda Heir"), 303);
        sign_in(&mut heir, HEIR);
        let mut owner = browser();
        sign_in(&mut owner, served::OWNER);
        let file = File::copy(process.data());
        let master = |email: &'static str, client| Master {
            email,
            id: file.ask(&format!("SELECT id FROM accounts WHERE email = '{email}'"))[0],
            client,
            is_signed_in: true,
        };
        let masters = [master(served::OWNER, owner), master(HEIR, heir)];
        let holding = Holding {
            owner: masters[0].id,
            offered_to: None,
        };
        Self {
            masters,
            holding,
            perhaps: None,
            must_wait: false,
            moved: 0,
        }
    }

    /// The next who has something to do does it: offers it, or takes it. Nothing when the server is gone, or they must
    /// wait.
    pub(crate) fn step(&mut self) -> Option<()> {
        let owner = usize::from(self.masters[0].id != self.holding.owner);
        let (actor, other) = match self.holding.offered_to {
            None => (owner, self.masters[1 - owner].id),
            Some(_) => (1 - owner, self.masters[owner].id),
        };
        let holding = self.holding;
        let actor = &mut self.masters[actor];
        if !actor.is_signed_in {
            actor.client.try_get("/sign-in")?;
            let fields = [("email", actor.email), ("password", served::PASSWORD)];
            let page = actor.client.try_post_form("/sign-in", &fields)?;
            if page.status == 429 {
                self.must_wait = true;
                return None;
            }
            assert_eq!(page.status, 303, "{page:#?}");
            actor.is_signed_in = true;
        }
        let page = actor.client.try_get(PAGE)?;
        assert_eq!(page.status, 200, "{page:#?}");
        let to = other.to_string();
        let password = ("current_password", served::PASSWORD);
        let (action, fields, after) = match holding.offered_to {
            None => {
                let after = Holding {
                    offered_to: Some(other),
                    ..holding
                };
                ("offer", vec![("to", &*to), password], after)
            }
            Some(heir) => {
                let after = Holding {
                    owner: heir,
                    offered_to: None,
                };
                ("accept", vec![password], after)
            }
        };
        self.perhaps = Some(after);
        let action = format!("/settings/ownership/{action}");
        let answer = actor.client.try_post_form(&action, &fields)?;
        if answer.status == 429 {
            self.perhaps = None;
            self.must_wait = true;
            return None;
        }
        assert_eq!(answer.status, 303, "{answer:#?}");
        self.did(after);
        Some(())
    }

    fn did(&mut self, after: Holding) {
        self.moved += usize::from(after.owner != self.holding.owner);
        self.holding = after;
        self.perhaps = None;
    }

    /// Compares it with the file; answers with what is lost.
    pub(crate) fn settle(&mut self, file: &File) -> Vec<String> {
        let one = |column: &str| {
            let name = served::ORGANISATION;
            let sql = format!("SELECT {column} FROM organisations WHERE name = '{name}'");
            file.ask::<Option<AccountId>>(&sql)[0]
        };
        let found = Holding {
            owner: one("owner_id").unwrap(),
            offered_to: one("offered_to"),
        };
        let perhaps = self.perhaps.take();
        if found == self.holding {
            return Vec::new();
        }
        if Some(found) != perhaps {
            return vec![format!(
                "the ownership: {:?}, in the file {found:?}",
                self.holding
            )];
        }
        // Whoever offered or took it owns it now, and their session went on under a new cookie, in the answer that did
        // not come.
        for master in &mut self.masters {
            master.is_signed_in &= master.id != found.owner;
        }
        self.did(found);
        Vec::new()
    }

    /// The server is here now; whoever was signed in still is.
    pub(crate) fn come_back(&mut self, process: &Doorward) -> Vec<String> {
        let mut lost = Vec::new();
        let address = process.address();
        if std::mem::take(&mut self.must_wait) {
            for master in &self.masters {
                let unlocked = process.run(&["account", "unlock", master.email]);
                assert!(unlocked.status.success(), "{unlocked:?}");
            }
        }
        for master in &mut self.masters {
            master.client.move_to(address);
            if master.is_signed_in && master.client.get("/").status != 200 {
                lost.push(format!("{}: the session", master.email));
            }
        }
        lost
    }
}
