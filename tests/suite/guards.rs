//! Who may do what to whom: every guard, and the table of all of them together.
//!
//! What must come out is worked out here a second time, from the words of the contract: permissions are names in a
//! table, refusals a set of reasons. The code's own answer is one sentence; it must be the sentence of one of them.

use std::collections::BTreeSet;

use doorward::accounts::guards::{self, judge};
use doorward::accounts::{self, Account, Deed, Departure, Standing, Status};
use doorward::audit::Audited;
use doorward::domain::day::LastDay;
use doorward::domain::id::AccountId;
use doorward::domain::role::{Managers, Permission, Permissions, Role};
use doorward::error::{Error, Result};
use doorward::invitations;
use doorward::kit::db::Tx;
use doorward::kit::time::{HOUR, Timestamp};
use doorward::leaving::{self, Outcome, Wishes};
use doorward::lifecycle;
use doorward::passwords::Handover;
use doorward::scope::{Allowed, By, Right, Scope};
use doorward::selection;
use doorward::settings;
use jiff::tz::TimeZone;

use crate::portal::Portal;
use crate::visitor::Visitor;

/// The table of the contract: who has which permission. A ring stands where the switch *Only Masters manage users*
/// takes it.
const HAVE: &str = "
    resources.read        Member Billing Admin Master
    billing.manage               Billing Admin Master
    resources.manage                     Admin Master
    users.list                           Admin Master
    users.read                           Admin Master
    users.manage                         Admin° Master
    roles.assign                         Admin° Master
    audit.read                                 Master
    organisation.manage                        Master
";

/// In which states a deed makes sense, and what it needs. A cross: only with a second factor.
const DEEDS: &str = "
    role            roles.assign    Pending Active Disabled
    disable         users.manage            Active
    enable          users.manage                   Disabled
    keep            users.manage            Active
    delete          users.manage    Pending Active Disabled
    sign-out        users.manage            Active
    reset-password  users.manage            Active
    reset-two-factor users.manage           Active+
    resend          users.manage    Pending
    copy-link       users.manage    Pending
";

/// Why somebody may not, in the words of the contract; each with what the sentence about it must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// The permission itself is missing.
    Lacks,
    /// The account is not in a state for it.
    State,
    /// It is their own account.
    Oneself,
    /// It is the owner's.
    Owner,
    /// The account has more than whoever acts.
    Beyond,
    /// The role that is given has more than whoever gives it.
    Gift,
    /// Nobody would be left who can do everything.
    Last,
}

const REASONS: [Reason; 7] = [
    Reason::Lacks,
    Reason::State,
    Reason::Oneself,
    Reason::Owner,
    Reason::Beyond,
    Reason::Gift,
    Reason::Last,
];

impl Reason {
    /// Whether this sentence gives the reason.
    fn is_said_by(self, sentence: &str) -> bool {
        let words: &[&str] = match self {
            Self::Lacks => &["lacks the permission"],
            Self::State => &[
                "Pending",
                "is disabled",
                "is not disabled",
                "is activated already",
                "is not Active",
                "is deleted",
                "has no second factor",
            ],
            Self::Oneself => &["This is your own account."],
            Self::Owner => &["This account owns the organisation"],
            Self::Beyond => &["can do this to a"],
            Self::Gift => &["can give the permission"],
            Self::Last => &["the last Active Master"],
        };
        words.iter().any(|words| sentence.contains(words))
    }
}

/// The names of what a role may do.
fn of_role(role: Role, managers: Managers) -> BTreeSet<&'static str> {
    let plain = role.label().to_owned();
    let ringed = format!("{plain}°");
    let lines = HAVE.lines().filter(|line| !line.trim().is_empty());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next()?;
            let has =
                words.any(|word| word == plain || managers == Managers::Admins && word == ringed);
            has.then_some(name)
        })
        .collect()
}

/// The names of what the code's set holds.
fn names(set: Permissions) -> BTreeSet<&'static str> {
    let held = Permission::ALL.into_iter().filter(|one| set.has(*one));
    held.map(Permission::key).collect()
}

/// The name of a deed in [`DEEDS`], and the role that it gives.
fn named(deed: Deed) -> (&'static str, Option<Role>) {
    match deed {
        Deed::ChangeRole(role) => ("role", Some(role)),
        Deed::Disable => ("disable", None),
        Deed::Enable => ("enable", None),
        Deed::Keep => ("keep", None),
        Deed::Delete => ("delete", None),
        Deed::SignOut => ("sign-out", None),
        Deed::ResetPassword => ("reset-password", None),
        Deed::ResetTwoFactor => ("reset-two-factor", None),
        Deed::Resend => ("resend", None),
        Deed::CopyLink => ("copy-link", None),
    }
}

/// Every deed, with every role that can be given.
fn deeds() -> Vec<Deed> {
    let mut deeds: Vec<Deed> = Role::ALL.into_iter().map(Deed::ChangeRole).collect();
    deeds.extend([
        Deed::Disable,
        Deed::Enable,
        Deed::Keep,
        Deed::Delete,
        Deed::SignOut,
        Deed::ResetPassword,
        Deed::ResetTwoFactor,
        Deed::Resend,
        Deed::CopyLink,
    ]);
    deeds
}

/// Whose account it is, and who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Two people, neither of them the owner.
    Another,
    /// The owner acts on somebody.
    OwnerActs,
    /// Somebody acts on the owner.
    Owners,
    /// Somebody who is not the owner acts on themself.
    Own,
    /// The owner does.
    OwnersOwn,
}

impl Whose {
    const ALL: [Self; 5] = [
        Self::Another,
        Self::OwnerActs,
        Self::Owners,
        Self::Own,
        Self::OwnersOwn,
    ];

    const fn is_owners(self) -> bool {
        matches!(self, Self::Owners | Self::OwnersOwn)
    }

    const fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::OwnersOwn)
    }
}

/// Whether the account has a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    On,
    Off,
}

/// One question of the table.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// What whoever acts could do when they signed in; none: the operator.
    actor: Option<Role>,
    /// The account that it is done to.
    role: Role,
    status: Status,
    factor: Factor,
    whose: Whose,
    deed: Deed,
    managers: Managers,
    /// How many Active Masters there are, and whether the owner is Active.
    masters: i64,
    is_owner_active: bool,
}

const DISABLED: Status = Status::Disabled {
    since: Timestamp(1),
};

impl Cell {
    /// Whether there can be such a case: the operator is nobody's account, an owner who acts is Active, and whoever is
    /// Pending has set nothing up.
    fn is_possible(&self) -> bool {
        let owner_is_active = self.is_owner_active;
        if self.factor == Factor::On && self.status == Status::Pending {
            return false;
        }
        match self.whose {
            Whose::Another => true,
            Whose::OwnerActs => self.actor.is_some() && owner_is_active,
            Whose::Owners => (self.status == Status::Active) == owner_is_active,
            Whose::Own => self.actor.is_some(),
            Whose::OwnersOwn => {
                self.actor.is_some() && owner_is_active && self.status == Status::Active
            }
        }
    }

    /// All that forbids it.
    fn refusals(&self) -> BTreeSet<Reason> {
        let (name, given) = named(self.deed);
        let line = DEEDS
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        let words: Vec<&str> = line.unwrap().split_whitespace().collect();
        let (needed, states) = (words[1], &words[2..]);
        let own = match self.actor {
            Some(role) => of_role(role, self.managers),
            None => of_role(Role::Master, Managers::Admins),
        };
        let theirs = of_role(self.role, self.managers);
        let state = ["Pending", "Active", "Disabled"]
            .into_iter()
            .find(|state| state.eq_ignore_ascii_case(self.status.slug()))
            .unwrap();
        let with_factor = format!("{state}+");
        let is_state = states.contains(&state)
            || self.factor == Factor::On && states.contains(&with_factor.as_str());
        // What an owner never suffers, and what they suffer from the operator alone.
        let is_operators = matches!(
            name,
            "sign-out" | "reset-password" | "reset-two-factor" | "resend" | "copy-link"
        );
        let takes_a_master = state == "Active"
            && self.role == Role::Master
            && match given {
                Some(role) => role != Role::Master,
                None => matches!(name, "disable" | "delete"),
            };
        let judged = [
            (Reason::Lacks, !own.contains(needed)),
            (Reason::State, !is_state),
            (Reason::Oneself, self.whose.is_own()),
            (
                Reason::Owner,
                self.whose.is_owners() && !(is_operators && self.actor.is_none()),
            ),
            (Reason::Beyond, !theirs.is_subset(&own)),
            (
                Reason::Gift,
                given.is_some_and(|role| !of_role(role, self.managers).is_subset(&own)),
            ),
            (
                Reason::Last,
                takes_a_master && self.is_owner_active && self.masters == 1,
            ),
        ];
        judged
            .into_iter()
            .filter_map(|(reason, forbids)| forbids.then_some(reason))
            .collect()
    }

    /// The code's answer.
    fn judged(&self) -> std::result::Result<(), String> {
        let [target, actor, somebody] = ids();
        let standing = Standing {
            actor: self
                .actor
                .map(|_| if self.whose.is_own() { target } else { actor }),
            permissions: match self.actor {
                Some(role) => role.permissions(self.managers),
                None => Permissions::all(),
            },
            managers: self.managers,
            owner: match self.whose {
                Whose::Owners | Whose::OwnersOwn => target,
                Whose::OwnerActs => actor,
                Whose::Another | Whose::Own => somebody,
            },
            is_owner_active: self.is_owner_active,
            masters: self.masters,
        };
        let account = Account {
            has_two_factor: self.factor == Factor::On,
            ..account(self.role, self.status)
        };
        judge(&standing, &account, self.deed)
    }
}

/// The account it is done to, whoever acts, and a third.
fn ids() -> [AccountId; 3] {
    [
        "acc_bbbbbbbbbbbbb",
        "acc_bbbbbbbbbbbbc",
        "acc_bbbbbbbbbbbbd",
    ]
    .map(|id| id.parse().unwrap())
}

/// The account that it is done to.
fn account(role: Role, status: Status) -> Account {
    Account {
        id: ids()[0],
        organisation: "org_bbbbbbbbbbbbb".parse().unwrap(),
        status,
        role,
        email: Some("lea@fjord.example".parse().unwrap()),
        name: None,
        phone: None,
        epoch: 0,
        created_at: Timestamp(1),
        created_by: None,
        activated_at: None,
        last_seen_at: None,
        has_two_factor: false,
    }
}

/// All that can be asked.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for actor in [None].into_iter().chain(Role::ALL.map(Some)) {
        for role in Role::ALL {
            for status in [Status::Pending, Status::Active, DISABLED] {
                for whose in Whose::ALL {
                    for deed in deeds() {
                        for managers in Managers::ALL {
                            for (masters, is_owner_active) in
                                [(1, false), (1, true), (2, false), (2, true)]
                            {
                                for factor in [Factor::Off, Factor::On] {
                                    cells.push(Cell {
                                        actor,
                                        role,
                                        status,
                                        factor,
                                        whose,
                                        deed,
                                        managers,
                                        masters,
                                        is_owner_active,
                                    });
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    cells.retain(Cell::is_possible);
    cells
}

#[test]
fn the_permissions_are_the_contracts() {
    for managers in Managers::ALL {
        for role in Role::ALL {
            assert_eq!(
                names(role.permissions(managers)),
                of_role(role, managers),
                "{role} {managers:?}"
            );
        }
    }
}

#[test]
fn the_table_of_guards_is_the_contracts() {
    let cells = cells();
    let mut alone = BTreeSet::new();
    let mut allowed = 0;
    for cell in &cells {
        let refusals = cell.refusals();
        match cell.judged() {
            Ok(()) => {
                assert!(
                    refusals.is_empty(),
                    "{cell:?} is allowed despite {refusals:?}"
                );
                allowed += 1;
            }
            Err(sentence) => {
                assert!(
                    refusals.iter().any(|reason| reason.is_said_by(&sentence)),
                    "{cell:?}: {sentence:?} is none of {refusals:?}"
                );
            }
        }
        if let [reason] = Vec::from_iter(refusals)[..] {
            alone.insert(reason);
        }
    }
    // Each guard is needed: there are cases that nothing else forbids.
    assert_eq!(Vec::from_iter(alone), REASONS);
    println!("{} cells, of which {allowed} are allowed", cells.len());
    assert_eq!((cells.len(), allowed), (27_456, 3_490));
}

/// How things stand for a Master who acts on somebody else, in an organisation with an Active owner.
fn standing(role: Role, managers: Managers) -> Standing {
    let [_, actor, owner] = ids();
    Standing {
        actor: Some(actor),
        permissions: role.permissions(managers),
        managers,
        owner,
        is_owner_active: true,
        masters: 2,
    }
}

#[test]
fn without_the_permission_nothing_is_done() {
    for deed in deeds() {
        for role in Role::ALL {
            for managers in Managers::ALL {
                let said = guards::permission(&standing(role, managers), deed);
                let may =
                    role == Role::Master || role == Role::Admin && managers == Managers::Admins;
                assert_eq!(said.is_ok(), may, "{role} {deed:?}");
                let label = match deed {
                    Deed::ChangeRole(_) => "“Change role”",
                    _ => "“Manage users (invite, disable, delete)”",
                };
                assert!(said.err().is_none_or(|said| said.contains(label)));
            }
        }
    }
}

#[test]
fn each_deed_has_its_states_and_the_others_say_what_to_do() {
    let may = |deed, status| guards::state(&account(Role::Member, status), deed);
    for (deed, pending, active, disabled) in [
        (Deed::ChangeRole(Role::Admin), "", "", ""),
        (Deed::Disable, "Delete it instead.", "", "disabled already"),
        (Deed::Enable, "link of the invitation", "not disabled", ""),
        (Deed::Keep, "no date is set", "", "disabled already"),
        (Deed::Delete, "", "", ""),
        (Deed::SignOut, "not Active", "", "not Active"),
        (
            Deed::ResetPassword,
            "Resend the invitation",
            "",
            "Enable it first",
        ),
        (
            Deed::ResetTwoFactor,
            "nobody has set up a second factor",
            "nothing to reset",
            "Enable it first",
        ),
        (Deed::Resend, "", "activated already", "activated already"),
        (Deed::CopyLink, "", "activated already", "activated already"),
    ] {
        for (status, told) in [
            (Status::Pending, pending),
            (Status::Active, active),
            (DISABLED, disabled),
            (Status::Deleted { at: Timestamp(1) }, "is deleted"),
        ] {
            match may(deed, status) {
                Ok(()) => assert_eq!(told, "", "{deed:?} {status:?}"),
                Err(said) => assert!(
                    !told.is_empty() && said.contains(told),
                    "{deed:?} {status:?}: {said}"
                ),
            }
        }
    }
    let with_factor = |status| Account {
        has_two_factor: true,
        ..account(Role::Member, status)
    };
    let judged = |status| guards::state(&with_factor(status), Deed::ResetTwoFactor);
    assert_eq!(judged(Status::Active), Ok(()));
    assert!(judged(DISABLED).unwrap_err().contains("Enable it first"));
}

#[test]
fn nobody_does_anything_to_themself() {
    let [target, _, _] = ids();
    let own = account(Role::Master, Status::Active);
    let mut standing = standing(Role::Master, Managers::Admins);
    assert_eq!(guards::not_oneself(&standing, &own), Ok(()));
    standing.actor = None;
    assert_eq!(guards::not_oneself(&standing, &own), Ok(()));
    standing.actor = Some(target);
    let said = guards::not_oneself(&standing, &own).unwrap_err();
    assert!(said.contains("your Account page"), "{said}");
}

#[test]
fn the_owner_loses_nothing_and_the_rest_is_the_operators() {
    let [target, _, _] = ids();
    let theirs = account(Role::Master, Status::Active);
    let mut standing = standing(Role::Master, Managers::Admins);
    for deed in deeds() {
        assert_eq!(guards::not_the_owner(&standing, &theirs, deed), Ok(()));
    }
    standing.owner = target;
    for deed in deeds() {
        assert!(guards::not_the_owner(&standing, &theirs, deed).is_err());
        let by_operator = Standing {
            actor: None,
            ..standing
        };
        let is_loss = matches!(
            deed,
            Deed::ChangeRole(_) | Deed::Disable | Deed::Enable | Deed::Keep | Deed::Delete
        );
        let said = guards::not_the_owner(&by_operator, &theirs, deed);
        assert_eq!(said.is_err(), is_loss, "{deed:?}");
    }
}

#[test]
fn nobody_acts_on_more_or_gives_more_than_they_have() {
    for managers in Managers::ALL {
        for own in Role::ALL {
            for other in Role::ALL {
                let standing = standing(own, managers);
                let may = of_role(other, managers).is_subset(&of_role(own, managers));
                assert_eq!(guards::rule(&standing, other).is_ok(), may, "{own} {other}");
                assert_eq!(
                    guards::given_role(standing.permissions, managers, other).is_ok(),
                    may
                );
            }
        }
    }
    // What counts is what the session carries, not the role's name.
    let mut older = standing(Role::Master, Managers::Admins);
    older.permissions = Role::Admin.permissions(Managers::Admins);
    let said = guards::rule(&older, Role::Master).unwrap_err();
    assert_eq!(said, "Only a Master can do this to a Master.");
    let said = guards::given_role(older.permissions, older.managers, Role::Master).unwrap_err();
    assert_eq!(said, "Only a Master can give the permission Master.");
}

#[test]
fn an_organisation_keeps_a_master_once_its_owner_came() {
    let last = Standing {
        masters: 1,
        ..standing(Role::Master, Managers::Admins)
    };
    let master = account(Role::Master, Status::Active);
    for deed in deeds() {
        let is_loss = match deed {
            Deed::ChangeRole(role) => role != Role::Master,
            _ => matches!(deed, Deed::Disable | Deed::Delete),
        };
        assert_eq!(
            guards::keeps_a_master(&last, &master, deed).is_err(),
            is_loss,
            "{deed:?}"
        );
        for other in [
            account(Role::Master, Status::Pending),
            account(Role::Master, DISABLED),
            account(Role::Admin, Status::Active),
        ] {
            assert_eq!(guards::keeps_a_master(&last, &other, deed), Ok(()));
        }
        for enough in [
            Standing { masters: 2, ..last },
            Standing {
                is_owner_active: false,
                ..last
            },
        ] {
            assert_eq!(guards::keeps_a_master(&enough, &master, deed), Ok(()));
        }
    }
}

/// Whoever acts in a real organisation.
enum Who {
    Operator(Scope),
    Person(Scope, By),
}

impl Who {
    fn person(visitor: &Visitor) -> Self {
        Self::Person(visitor.scope().unwrap(), visitor.by())
    }

    fn allowed<R: Right>(&self) -> Result<Allowed<R>> {
        match self {
            Self::Operator(scope) => Ok(Allowed::operator(scope.organisation)),
            Self::Person(scope, by) => Allowed::to(scope, by),
        }
    }
}

/// The verb of the deed, in this transaction.
fn perform(portal: &Portal, tx: &Tx<'_>, who: &Who, id: AccountId, deed: Deed) -> Result<()> {
    let terms = portal.app().settings.terms;
    match deed {
        Deed::ChangeRole(role) => lifecycle::change_role(tx, &who.allowed()?, id, role).map(|_| ()),
        Deed::Disable => lifecycle::disable(tx, &who.allowed()?, id).map(|_| ()),
        Deed::Keep => leaving::cancel(tx, &who.allowed()?, id).map(|_| ()),
        Deed::Enable => lifecycle::enable(tx, &who.allowed()?, id).map(|_| ()),
        Deed::Delete => lifecycle::delete(tx, &who.allowed()?, id).map(|_| ()),
        Deed::SignOut => lifecycle::sign_out(tx, &who.allowed()?, id).map(|_| ()),
        Deed::ResetPassword => {
            lifecycle::reset_password(tx, &who.allowed()?, id, Handover::Mail).map(|_| ())
        }
        Deed::ResetTwoFactor => lifecycle::reset_two_factor(tx, &who.allowed()?, id).map(|_| ()),
        Deed::Resend => invitations::resend(tx, &who.allowed()?, id, terms).map(|_| ()),
        Deed::CopyLink => invitations::copy_link(tx, &who.allowed()?, id).map(|_| ()),
    }
}

/// What comes of this work, which is rolled back in any case.
fn tried(portal: &Portal, work: impl FnOnce(&Tx<'_>) -> Result<()>) -> Result<()> {
    let app = portal.app();
    let mut done = Ok(());
    let rolled_back = app.housekeep(app.now(), |tx| {
        done = work(tx);
        Err::<(), _>(Error::NotFound)
    });
    assert!(rolled_back.is_err());
    done
}

/// Whether a refusal is one of these.
fn is_one_of(error: &Error, refusals: &BTreeSet<Reason>) -> bool {
    match error {
        Error::Forbidden(_) => refusals.contains(&Reason::Lacks),
        Error::Refused(said) => refusals.iter().any(|reason| reason.is_said_by(said)),
        _ => false,
    }
}

/// An account of a real organisation: its role, its status, whether it has a second factor.
type Target = (Role, Status, Factor, AccountId);

/// An organisation with accounts of every role in every state, and somebody of every role who acts.
struct Town {
    portal: Portal,
    owner: Visitor,
    actors: Vec<(Role, Visitor)>,
    targets: Vec<Target>,
}

impl Town {
    fn new() -> Self {
        let portal = Portal::start();
        let mut owner = portal.owner();
        owner.enrol();
        let app = portal.app();
        let mut targets = Vec::new();
        for role in Role::ALL {
            for (status, factor) in [
                (Status::Pending, Factor::Off),
                (Status::Active, Factor::Off),
                (Status::Active, Factor::On),
                (DISABLED, Factor::Off),
                (DISABLED, Factor::On),
            ] {
                let email = format!("{}-{}-{factor:?}@fjord.example", status.slug(), role.key())
                    .to_lowercase();
                let id = portal.invite(&owner, role, &email);
                if status != Status::Pending {
                    portal.accept(&portal.link_of(&owner, id), "Lea Vik");
                }
                if factor == Factor::On {
                    portal.signed_in(&email).enrol();
                }
                if status == DISABLED {
                    app.write(app.now(), |tx| lifecycle::disable(tx, &owner.allowed(), id))
                        .unwrap();
                }
                targets.push((role, status, factor, id));
            }
        }
        let actors = Role::ALL
            .map(|role| {
                let email = format!("acting-{}@fjord.example", role.key());
                (role, portal.member_of(&owner, role, &email))
            })
            .into();
        // A link that was sent just now is not sent again.
        portal.travel(HOUR);
        // Everybody who can leave is to leave, so that there is something to cancel.
        portal.tamper(&format!(
            "INSERT INTO departures (account_id, organisation_id, leaves_at, created_at)
             SELECT id, organisation_id, {0} + 864000, {0} FROM accounts WHERE status = 'active'",
            portal.app().now().0
        ));
        Self {
            portal,
            owner,
            actors,
            targets,
        }
    }

    /// Who manages users from here on, and everybody signed in anew.
    fn switch(&mut self, managers: Managers) {
        let app = self.portal.app();
        app.write_if(app.now(), |tx| {
            settings::set_managers(tx, &self.owner.allowed(), managers)
        })
        .unwrap();
        for (_, actor) in &mut self.actors {
            actor.sign_in();
        }
    }

    /// Everybody who can act, the operator first, then the owner: their role and their account.
    fn everybody(&self) -> Vec<(Option<Role>, Option<AccountId>, Who)> {
        let mut all = vec![
            (None, None, Who::Operator(self.owner.scope().unwrap())),
            (
                Some(Role::Master),
                Some(self.owner.account().id),
                Who::person(&self.owner),
            ),
        ];
        for (role, actor) in &self.actors {
            all.push((Some(*role), Some(actor.account().id), Who::person(actor)));
        }
        all
    }

    /// Everybody it can be done to.
    fn everyone(&self) -> Vec<Target> {
        let mut all = self.targets.clone();
        all.push((
            Role::Master,
            Status::Active,
            Factor::On,
            self.owner.account().id,
        ));
        for (role, actor) in &self.actors {
            all.push((*role, Status::Active, Factor::Off, actor.account().id));
        }
        all
    }
}

#[test]
fn every_verb_asks_every_guard() {
    let mut town = Town::new();
    let (mut asked, mut done) = (0, 0);
    let mut seen = BTreeSet::new();
    for managers in Managers::ALL {
        town.switch(managers);
        let owner = town.owner.account().id;
        for (actor, own_id, who) in town.everybody() {
            for (role, status, factor, id) in town.everyone() {
                for deed in deeds() {
                    let whose = match (id == owner, own_id == Some(id)) {
                        (true, true) => Whose::OwnersOwn,
                        (true, false) => Whose::Owners,
                        (false, true) => Whose::Own,
                        (false, false) if own_id == Some(owner) => Whose::OwnerActs,
                        (false, false) => Whose::Another,
                    };
                    let cell = Cell {
                        actor,
                        role,
                        status,
                        factor,
                        whose,
                        deed,
                        managers,
                        masters: 4,
                        is_owner_active: true,
                    };
                    let refusals = cell.refusals();
                    let is_same = deed == Deed::ChangeRole(role);
                    let portal = &town.portal;
                    let done_so = tried(portal, |tx| perform(portal, tx, &who, id, deed));
                    match done_so {
                        Ok(()) => {
                            assert!(
                                refusals.is_empty(),
                                "{cell:?} was done despite {refusals:?}"
                            );
                            assert!(!is_same, "{cell:?} was done, and changes nothing");
                            done += 1;
                        }
                        Err(Error::Invalid { .. }) => {
                            assert!(is_same && refusals.is_empty(), "{cell:?}");
                        }
                        Err(error) => assert!(
                            is_one_of(&error, &refusals),
                            "{cell:?}: {error} is none of {refusals:?}"
                        ),
                    }
                    seen.extend(refusals);
                    asked += 1;
                }
            }
        }
    }
    assert_eq!(Vec::from_iter(seen), REASONS[..6]);
    println!("{asked} verbs asked, {done} of them done");
    assert_eq!((asked, done), (3_600, 994));
}

/// What disables somebody, beside the verb of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The page before somebody leaves.
    Leaving,
    /// The same, on a date.
    OnADate,
    /// The date that was set has come: in the name of whoever set it.
    DateHasCome,
    /// Several together.
    Selected,
}

fn disabled(portal: &Portal, tx: &Tx<'_>, who: &Who, id: AccountId, way: Way) -> Result<()> {
    let by = who.allowed()?;
    match way {
        Way::Leaving => leaving::disable(tx, &by, id, &Wishes::default()).map(|_| ()),
        Way::OnADate => {
            let last = LastDay::read("2027-01-31", tx.now(), &TimeZone::UTC).unwrap();
            leaving::set_last_day(tx, &by, id, last, &Wishes::default()).map(|_| ())
        }
        Way::DateHasCome => {
            // Whoever set it may have lost the right since: the file says who did, and nothing else is asked of then.
            let account = accounts::find(tx, id)?.unwrap();
            let departure = Departure {
                account: id,
                organisation: account.organisation,
                at: tx.now(),
                set_by: by.by().account(),
                heir: None,
                dropped: None,
            };
            accounts::set_departure(tx, &departure)?;
            let came = leaving::carry_out(tx, id)?.map(Audited::into_inner);
            let status = accounts::find(tx, id)?.unwrap().status;
            let is_disabled = matches!(status, Status::Disabled { .. });
            match came {
                Some(Outcome::Disabled) => {
                    assert!(is_disabled);
                    Ok(())
                }
                Some(Outcome::Dropped(why)) => {
                    assert!(!is_disabled);
                    Err(Error::Refused(why.slug().to_owned()))
                }
                // An account that is not Active cannot leave.
                None => Err(Error::Refused("is not Active".to_owned())),
            }
        }
        Way::Selected => {
            let verdicts = selection::judge(tx, &by, selection::Act::Disable, &[id])?;
            let seen = selection::stamp(&verdicts);
            let terms = portal.app().settings.terms;
            let what = (selection::Act::Disable, &[id][..]);
            let done = selection::perform(tx, &by, what, &seen, terms);
            match (&verdicts[0].refusal, done) {
                (None, Ok((done, Some(_)))) => {
                    assert_eq!(done.done.len(), 1);
                    Ok(())
                }
                // Whoever confirms what was refused is told, and nothing is done.
                (Some(said), Err(Error::Invalid { .. })) => Err(Error::Refused(said.clone())),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Whether a date that could not be kept gives one of these as its reason.
fn is_obstacle(error: &Error, refusals: &BTreeSet<Reason>) -> bool {
    let Error::Refused(why) = error else {
        return false;
    };
    match why.as_str() {
        "owner" => refusals.contains(&Reason::Owner),
        "giver" => refusals.contains(&Reason::Beyond) || refusals.contains(&Reason::Lacks),
        "last_master" => refusals.contains(&Reason::Last),
        _ => refusals.contains(&Reason::State),
    }
}

#[test]
fn every_way_to_disable_asks_every_guard() {
    let mut town = Town::new();
    let (mut asked, mut done) = (0, 0);
    for managers in Managers::ALL {
        town.switch(managers);
        let owner = town.owner.account().id;
        for (actor, own_id, who) in town.everybody() {
            for (role, status, factor, id) in town.everyone() {
                let whose = match (id == owner, own_id == Some(id)) {
                    (true, true) => Whose::OwnersOwn,
                    (true, false) => Whose::Owners,
                    (false, true) => Whose::Own,
                    (false, false) if own_id == Some(owner) => Whose::OwnerActs,
                    (false, false) => Whose::Another,
                };
                let cell = Cell {
                    actor,
                    role,
                    status,
                    factor,
                    whose,
                    deed: Deed::Disable,
                    managers,
                    masters: 4,
                    is_owner_active: true,
                };
                let refusals = cell.refusals();
                for way in [Way::Leaving, Way::OnADate, Way::DateHasCome, Way::Selected] {
                    // Nobody sets a date for themself, so that none comes.
                    if way == Way::DateHasCome && refusals.contains(&Reason::Oneself) {
                        continue;
                    }
                    let portal = &town.portal;
                    let came = tried(portal, |tx| disabled(portal, tx, &who, id, way));
                    match came {
                        Ok(()) => {
                            assert!(refusals.is_empty(), "{cell:?} {way:?} despite {refusals:?}");
                            done += 1;
                        }
                        Err(error) => assert!(
                            is_one_of(&error, &refusals) || is_obstacle(&error, &refusals),
                            "{cell:?} {way:?}: {error} is none of {refusals:?}"
                        ),
                    }
                    asked += 1;
                }
            }
        }
    }
    println!("{asked} ways asked, {done} of them done");
    assert_eq!(done % 4, 0);
    assert!(done > 200 && asked > 1_000);
}

#[test]
fn an_invitation_gives_no_more_than_its_giver_has() {
    let mut town = Town::new();
    let mut asked = 0;
    for managers in Managers::ALL {
        town.switch(managers);
        let terms = town.portal.app().settings.terms;
        for (actor, _, who) in town.everybody() {
            let own = match actor {
                Some(role) => of_role(role, managers),
                None => of_role(Role::Master, managers),
            };
            for given in Role::ALL {
                let done = tried(&town.portal, |tx| {
                    let email = "new@fjord.example".parse().unwrap();
                    invitations::invite(tx, &who.allowed()?, &email, given, terms).map(|_| ())
                });
                let may = own.contains("users.manage")
                    && own.contains("roles.assign")
                    && of_role(given, managers).is_subset(&own);
                assert_eq!(done.is_ok(), may, "{actor:?} invites a {given}: {done:?}");
                let is_refusal = |error| matches!(error, Error::Forbidden(_) | Error::Refused(_));
                assert!(done.err().is_none_or(is_refusal));
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 2 * 6 * 4);
}

#[test]
fn an_account_of_another_organisation_is_nobody_to_every_verb() {
    let town = Town::new();
    let other = town.portal.organisation("Lakeside");
    let mut asked = 0;
    for who in [Who::person(&other), Who::Operator(other.scope().unwrap())] {
        for (_, _, _, id) in town.everyone() {
            for deed in deeds() {
                let portal = &town.portal;
                let done = tried(portal, |tx| perform(portal, tx, &who, id, deed));
                assert!(matches!(done, Err(Error::NotFound)), "{deed:?}: {done:?}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 2 * 25 * 13);
}

#[test]
fn the_last_master_stays_even_where_the_owner_is_none() {
    let portal = Portal::start();
    let owner = portal.owner();
    let last = portal.member_of(&owner, Role::Master, "max@fjord.example");
    let operator = Who::Operator(owner.scope().unwrap());
    let id = last.account().id;
    let losses = [Deed::ChangeRole(Role::Admin), Deed::Disable, Deed::Delete];
    let all_are = |expected: bool| {
        for deed in losses {
            let done = tried(&portal, |tx| perform(&portal, tx, &operator, id, deed));
            assert_eq!(done.is_ok(), expected, "{deed:?}: {done:?}");
            let said = done
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert_eq!(said.contains("the last Active Master"), !expected, "{said}");
        }
    };
    all_are(true);
    // No verb leads there; a file might.
    portal.tamper("UPDATE accounts SET role = 'admin' WHERE email = 'olivia@fjord.example'");
    all_are(false);
    portal.member_of(&last, Role::Master, "second@fjord.example");
    all_are(true);
}
