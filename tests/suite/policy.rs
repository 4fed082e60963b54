//! The policy as a table: role by policy by grace by moment by factor by path, and what is reached then, asked by real
//! requests. What is expected is said by [`expected`], sentence by sentence after the contract; it shares no code with
//! what decides.

use doorward::domain::policy::{Level, Policies, Policy, Trust};
use doorward::domain::role::Role;
use doorward::kit::time::{DAY, HOUR, Timestamp};
use doorward::passwords::Handover;
use doorward::routes::Route;
use doorward::scope::{Allowed, By};
use doorward::{lifecycle, passwords, sessions, settings};

use crate::portal::{PASSWORD, Portal, START};
use crate::visitor::Visitor;

const SET_UP: &str = "/account/two-factor";
const STEP: &str = "/sign-in/code";
const EMAIL: &str = "mia@fjord.example";
/// The days of grace that the table goes through.
const GRACES: [u8; 3] = [0, 7, 30];

/// How somebody comes to where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// They sign in with their password.
    Password,
    /// Their session was open before.
    OpenSession,
    /// They forgot the password, set another with the mailed link, and sign in.
    Forgotten,
    /// Another reset the password; they set another with that link, and sign in.
    Taken,
    /// The operator set the password; they sign in.
    OperatorsPassword,
    /// The operator made a sign-in link; they use it.
    OperatorsLink,
    /// They accepted an invitation after the policy was made, and sign in.
    Invitation,
    /// They gained the role after the policy was made, and sign in.
    RoleGained,
    /// Another reset their two-factor after the policy was made, and they sign in.
    FactorReset,
    /// They were disabled and enabled again after the policy was made, and sign in.
    Enabled,
}

impl Path {
    const ALL: [Self; 10] = [
        Self::Password,
        Self::OpenSession,
        Self::Forgotten,
        Self::Taken,
        Self::OperatorsPassword,
        Self::OperatorsLink,
        Self::Invitation,
        Self::RoleGained,
        Self::FactorReset,
        Self::Enabled,
    ];
}

/// When it is asked, beside the second in which the grace ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Before,
    At,
    After,
}

impl Moment {
    const ALL: [Self; 3] = [Self::Before, Self::At, Self::After];

    const fn shift(self) -> i64 {
        match self {
            Self::Before => -1,
            Self::At => 0,
            Self::After => 1,
        }
    }
}

/// What is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Everything,
    SetUp,
    Code,
}

/// One cell of the table.
#[derive(Clone, Copy, Debug)]
struct Cell {
    role: Role,
    level: Level,
    grace: u8,
    moment: Moment,
    has_factor: bool,
    path: Path,
}

/// What there cannot be, and why.
fn impossible(cell: &Cell) -> Option<&'static str> {
    if cell.grace == 0 && cell.moment == Moment::Before {
        return Some("a grace of no days has no second before its end");
    }
    match (cell.path, cell.has_factor) {
        (Path::Invitation, true) => Some("whoever was invited just now has set nothing up"),
        (Path::FactorReset, false) => Some("there is nothing to reset"),
        _ => None,
    }
}

/// When the things happened from the latest of which the grace runs.
struct Times {
    made: Timestamp,
    policy: Timestamp,
    event: Timestamp,
}

impl Times {
    /// "Grace runs from the latest of: activation, gaining the role, the policy being made stricter, a reset by another."
    fn grace_runs_from(&self, path: Path) -> Timestamp {
        let activation = if path == Path::Invitation {
            self.event
        } else {
            self.made
        };
        let role = if path == Path::RoleGained {
            self.event
        } else {
            self.made
        };
        let reset = (path == Path::FactorReset).then_some(self.event);
        let stricter = self.policy;
        [Some(activation), Some(role), Some(stricter), reset]
            .into_iter()
            .flatten()
            .max()
            .unwrap()
    }
}

fn expected(cell: &Cell) -> Reach {
    let has_factor = cell.has_factor && cell.path != Path::FactorReset;
    if has_factor {
        // "Sign-in asks for the code after the password"; "resetting never skips the second factor"; the operator's link
        // "asks the second factor". A session that passed it goes on.
        return match cell.path {
            Path::OpenSession => Reach::Everything,
            _ => Reach::Code,
        };
    }
    match (cell.level, cell.moment) {
        // "When it is over, a session without a second factor reaches only the set-up page, on every path".
        (Level::Required, Moment::At | Moment::After) => Reach::SetUp,
        // "strongly recommended from the first day (banner …)": nothing is closed.
        (Level::Required, Moment::Before) | (Level::Recommended | Level::Off, _) => {
            Reach::Everything
        }
    }
}

/// A person of the table, for all moments of their cells.
struct Person {
    role: Role,
    has_factor: bool,
    path: Path,
    who: Visitor,
    /// How many recovery codes and passwords they used up.
    used: usize,
}

impl Person {
    fn next_password(&mut self) -> String {
        self.used += 1;
        format!("Another-Horse-{}!", self.used)
    }

    /// A recovery code: unlike those of the app, two of them can be used in one second.
    fn next_code(&mut self) -> String {
        let phone = self.who.phone.as_ref().unwrap();
        let left: &mut Vec<String> = &mut phone.recovery.clone();
        self.used += 1;
        left.swap_remove(self.used % 10)
    }

    /// Signs in, up to the second step if it is asked for.
    #[track_caller]
    fn enter(&self) -> Visitor {
        let mut browser = self.who.elsewhere();
        browser
            .try_password(&self.who.email, &self.who.password)
            .answers(303);
        browser
    }

    /// Sets a password with this link.
    #[track_caller]
    fn choose(&mut self, portal: &Portal, link: impl std::fmt::Display) {
        let password = self.next_password();
        let typed = [
            ("password", password.as_str()),
            ("password_confirmation", password.as_str()),
        ];
        portal.visitor().post(link, &typed).answers(303);
        self.who.password = password;
    }
}

/// Time goes by until then.
#[track_caller]
fn at(portal: &Portal, when: Timestamp) {
    portal.travel(when.since(portal.app().now()));
    assert_eq!(portal.app().now(), when);
}

/// The organisation asks this of every role from now on.
fn decide(portal: &Portal, level: Level, grace_days: u8, trust: Trust) {
    let by = Allowed::operator(portal.first());
    let app = portal.app();
    let wanted = Policies::each(|_| Policy { level, grace_days });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &by, &wanted, trust)
    })
    .unwrap();
}

fn give_role(portal: &Portal, who: &Visitor, role: Role) {
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let id = who.account().id;
    app.write(app.now(), |tx| lifecycle::change_role(tx, &by, id, role))
        .unwrap();
}

fn reset_factor(portal: &Portal, who: &Visitor) {
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    let id = who.account().id;
    app.write(app.now(), |tx| lifecycle::reset_two_factor(tx, &by, id))
        .unwrap();
}

/// Everybody of the table, as they are before the policy is made.
fn people(portal: &Portal, owner: &Visitor) -> Vec<Person> {
    let mut people = Vec::new();
    for role in Role::ALL {
        for path in Path::ALL {
            for has_factor in [false, true] {
                let one = Cell {
                    role,
                    level: Level::Off,
                    grace: 1,
                    moment: Moment::At,
                    has_factor,
                    path,
                };
                if impossible(&one).is_some() {
                    continue;
                }
                let email = format!("p{}@fjord.example", people.len());
                let first_role = match (path, role) {
                    (Path::RoleGained, Role::Member) => Role::Billing,
                    (Path::RoleGained, _) => Role::Member,
                    _ => role,
                };
                let who = if path == Path::Invitation {
                    portal.invite(owner, first_role, &email);
                    let mut who = portal.visitor();
                    email.clone_into(&mut who.email);
                    PASSWORD.clone_into(&mut who.password);
                    who
                } else {
                    let mut who = portal.member_of(owner, first_role, &email);
                    if has_factor {
                        who.enrol();
                    }
                    who
                };
                people.push(Person {
                    role,
                    has_factor,
                    path,
                    who,
                    used: 0,
                });
            }
        }
    }
    people
}

/// What happens to some of them after the policy was made.
fn happen(portal: &Portal, owner: &Visitor, people: &[Person]) {
    for person in people {
        match person.path {
            Path::Invitation => {
                let link = portal.link_of(owner, person.who.account().id);
                portal.accept(&link, "Invited Vik");
            }
            Path::RoleGained => give_role(portal, &person.who, person.role),
            Path::FactorReset => reset_factor(portal, &person.who),
            _ => {}
        }
    }
}

fn switch_off_and_on(portal: &Portal, people: &[Person]) {
    let (app, by) = (portal.app(), Allowed::operator(portal.first()));
    for person in people.iter().filter(|one| one.path == Path::Enabled) {
        let id = person.who.account().id;
        app.write(app.now(), |tx| lifecycle::disable(tx, &by, id))
            .unwrap();
        app.write(app.now(), |tx| lifecycle::enable(tx, &by, id))
            .unwrap();
    }
}

/// Their browser, after they came by their path.
fn arrive(portal: &Portal, person: &mut Person) -> Visitor {
    let app = portal.app();
    let account = person.who.account();
    match person.path {
        Path::OpenSession => return person.who.clone(),
        Path::Password
        | Path::Invitation
        | Path::RoleGained
        | Path::FactorReset
        | Path::Enabled => {}
        Path::Forgotten => {
            // What else they are owed arrives before the link, which is then their newest mail.
            portal.work();
            portal
                .visitor()
                .post("/forgot-password", &[("email", &person.who.email)])
                .answers(303);
            portal.work();
            let link = portal.link_for(&person.who.email);
            person.choose(portal, link);
        }
        Path::Taken => {
            let by = Allowed::operator(account.organisation);
            let (_, issued) = app
                .write(app.now(), |tx| {
                    lifecycle::reset_password(tx, &by, account.id, Handover::Copy)
                })
                .unwrap();
            person.choose(portal, Route::ResetPassword(issued.token.reveal()));
        }
        Path::OperatorsPassword => {
            let password = person.next_password();
            let hash = portal.hash(&password);
            app.write(app.now(), |tx| {
                passwords::change(tx, &By::operator(), &account, &hash)
            })
            .unwrap();
            person.who.password = password;
        }
        Path::OperatorsLink => {
            let link = app
                .write(app.now(), |tx| sessions::make_link(tx, &account))
                .unwrap();
            let mut browser = person.who.elsewhere();
            browser
                .post(Route::SignInLink(link.token.reveal()), &[])
                .answers(303);
            return browser;
        }
    }
    person.enter()
}

/// The answer must be this one.
#[track_caller]
fn is(cell: &Cell, browser: &Visitor, status: u16, to: Option<&str>) {
    if browser.status() != status || to.is_some_and(|to| browser.location().as_deref() != Some(to))
    {
        browser.fail(&format!(
            "{status} {} was expected of {cell:?}",
            to.unwrap_or_default()
        ));
    }
}

/// Asks for pages and for a deed, and compares with what is to be reached.
fn ask(cell: &Cell, person: &mut Person, browser: &mut Visitor) {
    let reach = expected(cell);
    let pages = ["/", "/account", SET_UP, STEP, "/help/2fa-security"];
    let to: [Option<&str>; 5] = match reach {
        Reach::Everything => [None, None, None, Some("/"), None],
        Reach::SetUp => [
            Some(SET_UP),
            Some("/account/two-factor?next=%2Faccount"),
            None,
            Some("/"),
            None,
        ],
        Reach::Code => [
            Some(STEP),
            Some("/sign-in/code?next=%2Faccount"),
            Some("/sign-in/code?next=%2Faccount%2Ftwo-factor"),
            None,
            None,
        ],
    };
    // The page whose forms are used is read whole; of the others the head says what they answer.
    let whole = match reach {
        Reach::Everything => "/account",
        Reach::SetUp => SET_UP,
        Reach::Code => STEP,
    };
    for (page, to) in pages.into_iter().zip(to) {
        if page == whole {
            browser.get(page);
        } else {
            browser.head(page);
        }
        is(cell, browser, if to.is_some() { 303 } else { 200 }, to);
    }
    let name = format!("{} {:?} {}", cell.role, cell.moment, cell.grace);
    browser.post("/account/profile", &[("name", &name), ("phone", "")]);
    match reach {
        Reach::Everything => is(cell, browser, 303, None),
        Reach::SetUp => is(cell, browser, 303, Some(SET_UP)),
        Reach::Code => is(cell, browser, 303, Some(STEP)),
    }
    let is_done = person.who.account().label() == name;
    assert_eq!(is_done, reach == Reach::Everything, "{cell:?}");
    if reach == Reach::Code {
        let code = person.next_code();
        browser.post(STEP, &[("code", &code)]);
        is(cell, browser, 303, Some("/"));
        browser.head("/account");
        is(cell, browser, 200, None);
    }
    if cell.moment == Moment::After {
        browser.post("/sign-out", &[]);
        is(cell, browser, 303, None);
        browser.head(SET_UP);
        is(
            cell,
            browser,
            303,
            Some("/sign-in?next=%2Faccount%2Ftwo-factor"),
        );
    }
}

/// Asks every cell of one policy with one grace; answers with how many there were.
fn part(level: Level, grace: u8) -> usize {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.enrol();
    decide(&portal, Level::Off, 0, Trust::Off);
    owner.get("/account");
    let mut people = people(&portal, &owner);
    let times = Times {
        made: START,
        policy: START.plus(HOUR),
        event: START.plus(HOUR + 40 * 60),
    };
    at(&portal, times.policy);
    decide(&portal, level, grace, Trust::Off);
    let ends = |path| times.grace_runs_from(path).plus(i64::from(grace) * DAY);
    let mut asked = 0;
    if grace == 0 {
        switch_off_and_on(&portal, &people);
    } else {
        at(&portal, times.event);
        switch_off_and_on(&portal, &people);
        happen(&portal, &owner, &people);
        at(&portal, ends(Path::OpenSession).minus(HOUR));
        for person in &mut people {
            if person.path == Path::OpenSession {
                let mut browser = person.enter();
                if person.has_factor {
                    let code = person.next_code();
                    browser.post(STEP, &[("code", &code)]).answers(303);
                }
                person.who = browser;
            }
        }
    }
    for end in [times.policy, times.event].map(|began| began.plus(i64::from(grace) * DAY)) {
        if grace == 0 && end == times.event {
            at(&portal, times.event);
            happen(&portal, &owner, &people);
        }
        for moment in Moment::ALL {
            for person in &mut people {
                let cell = Cell {
                    role: person.role,
                    level,
                    grace,
                    moment,
                    has_factor: person.has_factor,
                    path: person.path,
                };
                if impossible(&cell).is_some() || ends(person.path) != end {
                    continue;
                }
                if portal.app().now() != end.plus(moment.shift()) {
                    at(&portal, end.plus(moment.shift()));
                }
                let mut browser = arrive(&portal, person);
                ask(&cell, person, &mut browser);
                asked += 1;
            }
        }
    }
    portal.leave_mail();
    asked
}

/// How many cells the axes give for one policy, and how many of them there cannot be.
fn product(level: Level) -> (usize, usize) {
    let (mut all, mut impossible_ones) = (0, 0);
    for role in Role::ALL {
        for grace in GRACES {
            for moment in Moment::ALL {
                for has_factor in [false, true] {
                    for path in Path::ALL {
                        all += 1;
                        let cell = Cell {
                            role,
                            level,
                            grace,
                            moment,
                            has_factor,
                            path,
                        };
                        impossible_ones += usize::from(impossible(&cell).is_some());
                    }
                }
            }
        }
    }
    (all, impossible_ones)
}

fn table(level: Level) {
    let asked: usize = GRACES.into_iter().map(|grace| part(level, grace)).sum();
    let (all, impossible_ones) = product(level);
    println!(
        "policy {}: {all} cells, {impossible_ones} impossible, {asked} asked",
        level.slug()
    );
    assert_eq!((all, impossible_ones), (720, 144));
    assert_eq!(asked, all - impossible_ones);
}

#[test]
fn where_nothing_is_asked_everything_is_reached_but_by_a_code_where_there_is_one() {
    table(Level::Off);
}

#[test]
fn what_is_recommended_closes_nothing() {
    table(Level::Recommended);
}

#[test]
fn what_is_required_closes_everything_but_the_set_up_from_the_second_in_which_the_grace_ends() {
    table(Level::Required);
}

/// A second before this instant they reach everything, and in it the set-up alone.
#[track_caller]
fn assert_ends(portal: &Portal, who: &Visitor, end: Timestamp) {
    // Mails of the beginning are no more in time by then.
    portal.leave_mail();
    at(portal, end.minus(1));
    let mut browser = who.elsewhere();
    browser.sign_in();
    browser.get("/account").answers(200);
    portal.travel(1);
    browser
        .get("/account")
        .answers(303)
        .goes_to("/account/two-factor?next=%2Faccount");
}

#[test]
fn grace_runs_from_activation_to_the_second() {
    let portal = Portal::start();
    let owner = portal.owner();
    let id = portal.invite(&owner, Role::Member, EMAIL);
    portal.travel(HOUR + 17);
    portal.accept(&portal.link_of(&owner, id), "Mia Vik");
    let mia = portal.signed_in(EMAIL);
    assert_ends(&portal, &mia, START.plus(HOUR + 17 + 7 * DAY));
}

#[test]
fn grace_runs_from_the_day_the_role_was_gained() {
    let portal = Portal::start();
    let mia = portal.member(Role::Member, EMAIL);
    portal.travel(2 * DAY + 5);
    give_role(&portal, &mia, Role::Admin);
    assert_ends(&portal, &mia, START.plus(9 * DAY + 5));
}

#[test]
fn grace_runs_from_the_policy_that_became_stricter() {
    let portal = Portal::start();
    let mia = portal.member(Role::Member, EMAIL);
    portal.travel(3 * DAY + 7);
    decide(&portal, Level::Required, 6, Trust::Off);
    assert_ends(&portal, &mia, START.plus(9 * DAY + 7));
}

#[test]
fn grace_runs_from_a_reset_by_another() {
    let portal = Portal::start();
    let mut mia = portal.member(Role::Member, EMAIL);
    mia.enrol();
    portal.travel(20 * DAY + 9);
    reset_factor(&portal, &mia);
    mia.phone = None;
    assert_ends(&portal, &mia, START.plus(27 * DAY + 9));
}

#[test]
fn of_all_these_the_latest_counts_in_whatever_order_they_came() {
    type Event = fn(&Portal, &Visitor);
    let events: [Event; 3] = [
        |portal, mia| {
            let role = match mia.account().role {
                Role::Member => Role::Billing,
                _ => Role::Member,
            };
            give_role(portal, mia, role);
        },
        |portal, _| {
            decide(portal, Level::Off, 0, Trust::Off);
            decide(portal, Level::Required, 7, Trust::Off);
        },
        |portal, mia| {
            let mut browser = mia.elsewhere();
            browser.sign_in().enrol();
            reset_factor(portal, mia);
        },
    ];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let portal = Portal::start();
        let mia = portal.member(Role::Member, EMAIL);
        for one in order {
            portal.travel(2 * DAY + 1);
            events[one](&portal, &mia);
        }
        assert_ends(&portal, &mia, START.plus(3 * (2 * DAY + 1) + 7 * DAY));
    }
}

#[test]
fn a_looser_policy_moves_the_end_and_not_the_beginning() {
    let portal = Portal::start();
    let mia = portal.member(Role::Member, EMAIL);
    portal.travel(DAY);
    decide(&portal, Level::Required, 30, Trust::Off);
    // Whether browsers may be trusted is another question.
    portal.travel(DAY);
    decide(&portal, Level::Required, 30, Trust::Offered);
    assert_ends(&portal, &mia, START.plus(30 * DAY));
    portal.travel(DAY);
    // Looser does not give those a new beginning whose grace was over.
    decide(&portal, Level::Recommended, 30, Trust::Offered);
    mia.elsewhere().sign_in().get("/account").answers(200);
}

#[test]
fn thirty_days_made_seven_begin_anew() {
    let portal = Portal::start();
    decide_first(&portal);
    let mia = portal.member(Role::Member, EMAIL);
    portal.travel(25 * DAY);
    decide(&portal, Level::Required, 7, Trust::Off);
    assert_ends(&portal, &mia, START.plus(32 * DAY));
}

/// Thirty days for everybody, before anybody is there but the owner.
fn decide_first(portal: &Portal) {
    portal.owner();
    decide(portal, Level::Required, 30, Trust::Off);
}

#[test]
fn only_the_role_that_is_asked_for_more_begins_anew() {
    let portal = Portal::start();
    let mia = portal.member(Role::Member, EMAIL);
    let bo = portal.member(Role::Billing, "bo@fjord.example");
    portal.travel(DAY);
    let by = Allowed::operator(portal.first());
    let app = portal.app();
    let wanted = Policies::each(|role| Policy {
        level: Level::Required,
        grace_days: if role == Role::Billing { 6 } else { 7 },
    });
    app.write_if(app.now(), |tx| {
        settings::set_policies(tx, &by, &wanted, Trust::Off)
    })
    .unwrap();
    // Both end in the same second: one began a day later, and is a day shorter.
    let end = START.plus(7 * DAY);
    at(&portal, end.minus(1));
    assert!(bo.elsewhere().sign_in().is_signed_in());
    assert_ends(&portal, &mia, end);
    assert!(bo.elsewhere().sign_in().must_enrol());
}
