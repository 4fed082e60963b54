//! What the organisation had and paid for over the year, and who was there then.
//!
//! The places of the deeds are thousandths of the time from the beginning to the day before yesterday, so that the story
//! reads the same on whichever day it is told.

use super::people::{DISABLED, Person, person};
use crate::billing::{Details, Terms};
use crate::catalogue::file::{File, Kind, Plan};
use crate::domain::money::{Currency, Money};
use crate::domain::month::Month;
use crate::domain::role::Role;
use crate::kit::time::{DAY, HOUR, MINUTE, Timestamp};

/// Who founded it, and is there to this day.
pub(super) const INGRID: &str = "ingrid@demo.example";
const TOMASZ: &str = "tomasz@demo.example";
const PRIYA: &str = DISABLED.email;
const LARS: &str = "lars@demo.example";
const MIRIAM: &str = "miriam@demo.example";
/// Who paid the invoices while she was there.
pub(super) const NORA: &str = "nora@demo.example";
const BEN: &str = "ben@demo.example";

/// Those who came and went within the year.
const LARS_EIDE: Person = person(
    "Lars Eide",
    LARS,
    Some("+47 912 30 447"),
    Role::Admin,
    "Chrome on Linux",
);
const MIRIAM_FALK: Person = person(
    "Miriam Falk",
    MIRIAM,
    Some("+49 160 5551 872"),
    Role::Admin,
    "Firefox on Linux",
);
const NORA_LINDQVIST: Person = person(
    "Nora Lindqvist",
    NORA,
    Some("+46 70 174 06 35"),
    Role::Billing,
    "Safari on macOS",
);
const BEN_ACHTERBERG: Person = person(
    "Ben Achterberg",
    BEN,
    Some("+31 6 1934 2207"),
    Role::Member,
    "Edge on Windows",
);

/// What happens in the course of the year.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    /// Somebody is invited by the owner, and joins.
    Join(&'static Person),
    /// Whose account is deleted by the owner.
    Leave(&'static str),
    /// The catalogue of the second half-year is imported.
    Reprice,
    /// By whom, under which name, with which plan, and what is noted.
    Create(&'static str, &'static str, &'static str, &'static str),
    /// By whom, and from which name to which.
    Rename(&'static str, &'static str, &'static str),
    /// By whom, which, and the plan it has from then on.
    Plan(&'static str, &'static str, &'static str),
    /// By whom, which, and to whom.
    Hand(&'static str, &'static str, &'static str),
    /// By the owner to herself: all that somebody holds but these.
    Take(&'static str, &'static [&'static str]),
    /// By whom, and which.
    End(&'static str, &'static str),
    /// Who gets the invoices from then on; none: the owner.
    Contact(Option<&'static str>),
    /// The budget of a month.
    Budget(Money),
}

use Deed::{
    Budget, Contact, Create, End, Hand, Join, Leave, Plan as Change, Rename, Reprice, Take,
};

/// The year, in its order.
const DEEDS: &[(i64, Deed)] = &[
    (6, Join(&DISABLED)),
    (10, Create(INGRID, "web-1", "server/s-2", "")),
    (
        12,
        Create(INGRID, "db-1", "database/db-20", "Customers and orders."),
    ),
    (14, Create(INGRID, "web-1-ip", "address/v4", "")),
    (15, Join(&LARS_EIDE)),
    (
        25,
        Create(
            LARS,
            "legacy-crm",
            "server/g1",
            "Goes once nobody looks up old offers any more.",
        ),
    ),
    (30, Create(LARS, "wiki", "server/g1", "")),
    (32, Create(LARS, "wiki-backup", "backup/b-7", "")),
    (45, Create(PRIYA, "web-2", "server/s-2", "")),
    (60, Create(PRIYA, "staging-1", "server/s-2", "")),
    (75, Create(LARS, "build-runner", "server/s-4", "")),
    (90, Change(PRIYA, "web-1", "server/s-4")),
    (92, Change(PRIYA, "web-2", "server/s-4")),
    (100, Change(INGRID, "db-1", "database/db-100")),
    (105, Create(LARS, "db-1-backup", "backup/b-30", "")),
    (120, Join(&NORA_LINDQVIST)),
    (122, Contact(Some(NORA))),
    (
        135,
        Create(PRIYA, "media", "storage/t-1", "Pictures of the shop."),
    ),
    (150, Create(LARS, "logs", "storage/g-250", "")),
    (170, Create(PRIYA, "import-test", "server/s-8", "")),
    (185, End(PRIYA, "import-test")),
    (200, Join(&MIRIAM_FALK)),
    (215, Create(MIRIAM, "analytics-1", "server/s-8", "")),
    (220, Create(MIRIAM, "db-analytics", "database/db-100", "")),
    (235, Create(LARS, "api-1", "server/s-4", "")),
    (240, Create(LARS, "api-2", "server/s-4", "")),
    (250, Create(LARS, "lb-api", "balancer/lb", "")),
    (260, Rename(INGRID, "web-1-ip", "web-ip")),
    (280, Create(PRIYA, "shop-staging", "server/s-2", "")),
    (300, Join(&BEN_ACHTERBERG)),
    (310, Create(MIRIAM, "exports", "storage/g-250", "")),
    (315, Hand(MIRIAM, "exports", BEN)),
    (330, Change(LARS, "logs", "storage/t-1")),
    (350, Create(PRIYA, "shop-1", "server/s-4", "")),
    (352, Create(PRIYA, "shop-db", "database/db-20", "")),
    (354, Create(PRIYA, "shop-backup", "backup/b-30", "")),
    (356, Create(PRIYA, "shop-ip", "address/v4", "")),
    (380, Create(PRIYA, "shop-2", "server/s-4", "")),
    (384, Create(PRIYA, "lb-shop", "balancer/lb", "")),
    (
        400,
        Create(MIRIAM, "batch-1", "server/s-8", "Runs at night."),
    ),
    (420, Create(MIRIAM, "load-test", "server/s-8", "")),
    (445, End(MIRIAM, "load-test")),
    (455, Reprice),
    (480, Rename(PRIYA, "shop-staging", "staging-2")),
    (500, Create(LARS, "worker-1", "server/s-8", "")),
    (520, Create(INGRID, "db-staging", "database/db-20", "")),
    (
        540,
        Create(
            PRIYA,
            "archive",
            "storage/t-1",
            "Seven years, for the books.",
        ),
    ),
    (560, Create(LARS, "vpn", "server/s-2", "")),
    (562, Create(LARS, "vpn-ip", "address/v4", "")),
    (
        600,
        Take(LARS, &["legacy-crm", "wiki", "wiki-backup", "logs"]),
    ),
    (610, Leave(LARS)),
    (620, Create(PRIYA, "build-1", "server/s-4", "")),
    (624, End(INGRID, "build-runner")),
    (650, Create(MIRIAM, "monitor-1", "server/s-2", "")),
    (660, Change(PRIYA, "shop-db", "database/db-100")),
    (
        680,
        Create(MIRIAM, "batch-2", "server/s-8", "Runs at night."),
    ),
    (700, Budget(BUDGET)),
    (720, Create(PRIYA, "api-3", "server/s-4", "")),
    (740, Create(MIRIAM, "cache-1", "server/s-4", "")),
    (760, Create(PRIYA, "web-3", "server/s-4", "")),
    (780, Contact(None)),
    (782, Leave(NORA)),
    (800, Create(MIRIAM, "assets", "storage/g-250", "")),
    (810, Create(INGRID, "db-orders", "database/db-100", "")),
    (812, Create(INGRID, "db-orders-backup", "backup/b-30", "")),
    (840, Hand(MIRIAM, "analytics-1", PRIYA)),
    (841, Hand(MIRIAM, "db-analytics", PRIYA)),
    (860, Take(MIRIAM, &["cache-1", "assets", "batch-2"])),
    (870, Leave(MIRIAM)),
    (900, Leave(BEN)),
    (
        915,
        Create(
            PRIYA,
            "shop-3",
            "server/s-4",
            "For the weeks before Christmas.",
        ),
    ),
    (970, Take(PRIYA, &["analytics-1", "db-analytics"])),
    (990, End(INGRID, "staging-1")),
    (994, Create(INGRID, "preview", "server/s-2", "")),
];

/// What those who join today are given at once, by the Admin who came first.
pub(super) const GIVEN: &[(&str, &[&str])] = &[
    (
        TOMASZ,
        &["web-1", "web-2", "web-3", "web-ip", "api-1", "api-2"],
    ),
    ("samuel@demo.example", &["media", "archive", "shop-db"]),
    ("owen@demo.example", &["worker-1", "batch-1", "build-1"]),
    ("aino@demo.example", &["db-staging", "staging-2"]),
    ("mateus@demo.example", &["vpn", "vpn-ip"]),
    ("huong@demo.example", &["shop-1", "shop-2", "shop-3"]),
];
/// Who gets the invoices from today on.
pub(super) const CONTACT: &str = "sanne@demo.example";

/// Four fifths of it are spent two days before a month ends.
pub(super) const BUDGET: Money = Money(175_000);

/// When it all began: on a day of the month before the one a year ago, so that the last twelve months are whole.
pub(super) fn beginning(now: Timestamp) -> Timestamp {
    let mut month = Month::of(now);
    for _ in 0..13 {
        month = month.previous();
    }
    weekday(month.start().plus(8 * DAY)).plus(7 * HOUR + 12 * MINUTE)
}

/// The year's deeds, each with its instant: on working days, at the hours at which people work.
pub(super) fn deeds(now: Timestamp) -> Vec<(Timestamp, Deed)> {
    let from = beginning(now);
    let until = now.minus(2 * DAY);
    let mut before = from.plus(HOUR);
    let mut dated = Vec::with_capacity(DEEDS.len());
    for ((place, deed), index) in DEEDS.iter().zip(0..) {
        let day = weekday(from.plus(until.since(from) * place / 1_000));
        let at = day.plus(7 * HOUR + index * 53 % 480 * MINUTE);
        before = at.max(before.plus(11 * MINUTE));
        dated.push((before, *deed));
    }
    dated
}

/// What somebody did at the owner's sign-in form, while her account was everybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    /// Signed in, in that one of the browsers that shared it.
    Right(usize),
    /// Typed a wrong password in it.
    Wrong(usize),
    /// A stranger guessed.
    Guess,
}

/// On which days somebody mistyped the password, as days before today, and how often.
const MISTYPED: [(i64, i64); 6] = [(1, 1), (4, 2), (9, 1), (15, 3), (21, 1), (26, 2)];
/// On which of them a stranger guessed, at night, and how often: more than are written down one by one.
const GUESSED: (i64, i64) = (12, 9);

/// The last month of the account that everybody shared: many sign-ins on working days, few on others, and some that failed.
pub(super) fn tries(now: Timestamp) -> Vec<(Timestamp, Try)> {
    let browsers = super::people::SHARED_WITH.len();
    let mut tries = Vec::new();
    for ago in 1..=30 {
        let midnight = Timestamp((now.0.div_euclid(DAY) - ago) * DAY);
        // The first day of 1970 was a Thursday.
        let many = match (midnight.0.div_euclid(DAY) + 3).rem_euclid(7) {
            0 => 17,
            5 => 3,
            6 => 2,
            weekday => 9 + (ago * 5 + weekday * 3) % 7,
        };
        for one in 0..many {
            // From seven on, over ten hours, none at the same minute as another.
            let minute = 600 * one / many + (one * 37 + ago * 11) % 29;
            let at = midnight.plus(7 * HOUR + minute * MINUTE);
            let browser = usize::try_from(one * 3 + ago).unwrap_or_default() % browsers;
            tries.push((at, Try::Right(browser)));
            let mistyped = MISTYPED.iter().find(|(day, _)| *day == ago);
            let wrong = mistyped.map_or(0, |(_, wrong)| *wrong);
            if one == 1 {
                let before = (1..=wrong).map(|early| (at.minus(early * 11), Try::Wrong(browser)));
                tries.extend(before);
            }
        }
        if ago == GUESSED.0 {
            let night = midnight.plus(2 * HOUR + 47 * MINUTE);
            tries.extend((0..GUESSED.1).map(|guess| (night.plus(guess * 4), Try::Guess)));
        }
    }
    tries
}

/// When the invoice of this month is paid: some days after it was issued, and once too late.
pub(super) fn paid_at(month: Month, months_ago: usize) -> Timestamp {
    const AFTER: [i64; 6] = [4, 2, 7, 3, 9, 5];
    let days = match months_ago {
        LATE => TERMS_DAYS + 6,
        other => AFTER.iter().cycle().nth(other).copied().unwrap_or(4),
    };
    let issued = month.span().until;
    weekday(issued.plus(days * DAY)).plus(9 * HOUR + 14 * MINUTE)
}

/// How many months ago the one was whose invoice was paid late.
const LATE: usize = 6;
/// So long that the newest invoice is open on every day of the month.
const TERMS_DAYS: i64 = 30;

/// The beginning of that day, or of the Friday before it.
fn weekday(at: Timestamp) -> Timestamp {
    let day = at.0.div_euclid(DAY);
    // The first day of 1970 was a Thursday.
    let past_friday = ((day + 3).rem_euclid(7) - 4).max(0);
    Timestamp((day - past_friday) * DAY)
}

/// What stands on every invoice.
pub(super) fn terms() -> Terms {
    Terms {
        issuer: "Nordlys Hosting AS\nSjøgata 14\n8006 Bodø\nNorway\nVAT NO 900 000 001 MVA".to_owned(),
        payment: "Bank transfer to IBAN NO00 0000 0000 000, BIC DEMONO00.\nQuote the number of the invoice."
            .to_owned(),
        tax_rate: 2_500,
        due_days: TERMS_DAYS,
    }
}

/// What the organisation says of itself.
pub(super) fn details() -> Details {
    Details {
        address: "Storgata 3\n1771 Halden\nNorway".to_owned(),
        vat_number: "NO 900 000 002 MVA".to_owned(),
        contact: None,
    }
}

/// What can be had; in the second half-year one price is higher, and the servers of the first generation are gone.
pub(super) fn catalogue(currency: Currency, repriced: Option<Timestamp>) -> File {
    let plan = |key: &str, name: &str, price| Plan {
        key: key.to_owned(),
        name: name.to_owned(),
        price: Money(price),
        from: None,
    };
    let kind = |key: &str, name: &str, plans| Kind {
        key: key.to_owned(),
        name: name.to_owned(),
        plans,
    };
    let mut servers = vec![
        plan("s-2", "2 cores, 4 GB", 1_390),
        plan("s-4", "4 cores, 16 GB", 3_890),
        plan("s-8", "8 cores, 32 GB", 9_600),
        plan("g1", "2 cores, 4 GB, first generation", 1_150),
    ];
    if repriced.is_some() {
        servers.pop();
        for plan in servers.iter_mut().filter(|plan| plan.key == "s-4") {
            plan.price = Money(4_130);
            plan.from = repriced;
        }
    }
    let kinds = vec![
        kind("server", "Server", servers),
        kind(
            "database",
            "Database",
            vec![
                plan("db-20", "20 GB", 3_600),
                plan("db-100", "100 GB", 8_800),
            ],
        ),
        kind(
            "storage",
            "Storage",
            vec![plan("g-250", "250 GB", 650), plan("t-1", "1 TB", 2_200)],
        ),
        kind(
            "backup",
            "Backup",
            vec![
                plan("b-7", "Daily, kept 7 days", 490),
                plan("b-30", "Daily, kept 30 days", 980),
            ],
        ),
        kind(
            "balancer",
            "Load balancer",
            vec![plan("lb", "Up to 10 targets", 1_850)],
        ),
        kind("address", "Address", vec![plan("v4", "IPv4", 320)]),
    ];
    File { currency, kinds }
}
