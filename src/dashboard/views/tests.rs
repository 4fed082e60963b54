//! What stands on the dashboard, from data alone.

use std::sync::LazyLock;

use serde_json::json;

use super::*;
use crate::audit::{Action, Hand, Whom};
use crate::kit::time::{DAY, HOUR, MINUTE};
use crate::outbox::Cause;

/// 24 November 2026, 14:20 in Oslo.
const NOW: Timestamp = Timestamp(1_795_526_400);
static OSLO: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Oslo").unwrap());

static NO_SIGN_INS: SignIns = SignIns {
    whose: Whose::Own,
    days: Vec::new(),
};

fn drawn<'d>(change: impl FnOnce(&mut Dashboard<'d>)) -> String {
    let mut page = Dashboard {
        name: "Ingrid",
        numbers: None,
        running: None,
        bill: None,
        own: None,
        first_steps: None,
        concerns: None,
        sign_in_before: None,
        sign_ins: &NO_SIGN_INS,
        deeds: &[],
        deeds_of: Whose::Own,
        csrf: "proof",
        now: NOW,
        zone: &OSLO,
    };
    change(&mut page);
    dashboard(&page).into_string()
}

fn numbers() -> Numbers {
    Numbers {
        accounts: Counts {
            active: 11,
            pending: 2,
            unprotected: 0,
            disabled: 1,
            by_role: [8, 2, 2, 2],
        },
        expired: 0,
        mail: None,
    }
}

fn costs() -> Costs {
    Costs {
        currency: "EUR".parse().unwrap(),
        month: Month::of(NOW),
        so_far: Money(118_420),
        expected: Money(147_001),
    }
}

fn bill() -> Bill {
    Bill {
        costs: costs(),
        budget: Some(Money(175_000)),
        open: 1,
        owed: Money(180_512),
        overdue: Vec::new(),
    }
}

/// The labels of the numbers, in their order.
fn labels(page: &str) -> Vec<&str> {
    let names = page.split("<dt><a href=").skip(1);
    names
        .filter_map(|rest| rest.split(['>', '<']).nth(1))
        .collect()
}

fn concern(concern: Concern) -> String {
    let concerns = [concern];
    drawn(|page| page.concerns = Some(&concerns))
}

#[test]
fn the_greeting_goes_by_the_clock_of_the_zone() {
    for (hour, told) in [
        (0, "Good evening"),
        (4, "Good evening"),
        (5, "Good morning"),
        (11, "Good morning"),
        (12, "Good afternoon"),
        (17, "Good afternoon"),
        (18, "Good evening"),
        (23, "Good evening"),
    ] {
        let midnight = NOW.minus(14 * HOUR + 20 * MINUTE);
        assert_eq!(greeting(midnight.plus(hour * HOUR), &OSLO), told, "{hour}");
    }
    let page = drawn(|_| {});
    assert!(page.contains("<h1>Good afternoon, Ingrid</h1>"), "{page}");
    assert!(page.contains("Tuesday 24 November 2026, Europe/Oslo"));
}

#[test]
fn who_may_see_nothing_of_others_sees_nothing_of_others() {
    let page = drawn(|_| {});
    for part in ["stats", "Needs attention", "/iam", "/mail"] {
        assert!(!page.contains(part), "{part} in {page}");
    }
}

#[test]
fn numbers_lead_to_the_lists_behind_them() {
    let numbers = numbers();
    let page = drawn(|page| page.numbers = Some(&numbers));
    for part in [
        "<a href=\"/iam/accounts\">Accounts</a></dt><dd class=\"value\">14</dd>",
        "11 active, 2 pending",
        "<a href=\"/iam/accounts?two_factor=on\">Two-factor</a></dt><dd class=\"value\">100%</dd>",
        "<a href=\"/iam/accounts?status=pending\">Pending</a></dt><dd class=\"value\">2</dd>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("/mail") && !page.contains("expired") && !page.contains("warn"));
}

#[test]
fn a_number_warns_only_when_there_is_something_to_do() {
    let well = Numbers {
        mail: Some(outbox::Counts {
            waiting: 1,
            sent: 37,
            ..outbox::Counts::default()
        }),
        ..numbers()
    };
    let page = drawn(|page| page.numbers = Some(&well));
    assert!(page.contains("<a href=\"/mail\">Mail to be sent</a></dt><dd class=\"value\">1</dd>"));
    assert!(
        page.contains("1 waiting, 0 failed") && !page.contains("warn"),
        "{page}"
    );
    let wanting = Numbers {
        expired: 1,
        mail: Some(outbox::Counts {
            failed: 2,
            ..outbox::Counts::default()
        }),
        ..numbers()
    };
    let page = drawn(|page| page.numbers = Some(&wanting));
    assert!(
        page.contains("<span class=\"sub warn\">1 link expired</span>"),
        "{page}"
    );
    assert!(page.contains("<span class=\"sub warn\">0 waiting, 2 failed</span>"));
}

#[test]
fn those_who_run_the_place_see_four_numbers_and_another_only_when_it_wants_something() {
    let (bill, running) = (
        bill(),
        Running {
            count: 37,
            added: 4,
        },
    );
    let with = |numbers: &Numbers| {
        drawn(|page| {
            (page.numbers, page.running, page.bill) = (Some(numbers), Some(&running), Some(&bill));
        })
    };
    let mail = Some(outbox::Counts {
        waiting: 3,
        ..outbox::Counts::default()
    });
    let page = with(&Numbers { mail, ..numbers() });
    assert_eq!(
        labels(&page),
        ["Accounts", "Two-factor", "Resources", "November so far"]
    );
    for part in [
        "<a href=\"/resources\">Resources</a></dt><dd class=\"value\">37</dd>",
        "<span class=\"sub\">4 added this week</span>",
        "<a href=\"/billing\">November so far</a></dt><dd class=\"value\">€1,184.20</dd>",
        "<span class=\"sub\">€1,470.01 expected</span>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("warn"), "{page}");
    let page = with(&Numbers {
        expired: 1,
        mail: Some(outbox::Counts {
            failed: 2,
            ..outbox::Counts::default()
        }),
        ..numbers()
    });
    assert_eq!(labels(&page).last(), Some(&"Mail to be sent"));
    assert!(page.contains("<span class=\"sub warn\">11 active, 2 pending, 1 link expired</span>"));
}

#[test]
fn those_who_pay_see_the_money_first_and_nobody_else_s_account() {
    let (mut bill, running) = (
        bill(),
        Running {
            count: 37,
            added: 0,
        },
    );
    let with = |bill: &Bill| drawn(|page| (page.running, page.bill) = (Some(&running), Some(bill)));
    let page = with(&bill);
    assert_eq!(
        labels(&page),
        [
            "November so far",
            "Budget spent",
            "Unpaid invoices",
            "Resources"
        ]
    );
    for part in [
        "<dd class=\"value\">67%</dd><dd><span class=\"sub\">of €1,750.00</span>",
        "<a href=\"/billing#invoices\">Unpaid invoices</a></dt><dd class=\"value\">1</dd><dd><span class=\"sub\">€1,805.12 to pay</span>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("warn") && !page.contains("/iam"), "{page}");
    bill.budget = Some(Money(148_025));
    bill.overdue = vec![("INV-2026-009".parse().unwrap(), NOW.minus(10 * DAY))];
    let page = with(&bill);
    assert!(
        page.contains("<span class=\"sub warn\">of €1,480.25</span>"),
        "{page}"
    );
    assert!(page.contains("<span class=\"sub warn\">€1,805.12 to pay, 1 overdue</span>"));
    bill.budget = None;
    assert!(!with(&bill).contains("Budget"));
}

#[test]
fn everybody_else_sees_what_runs_under_their_name() {
    let account: AccountId = "acc_bbbbbbbbbbbb7".parse().unwrap();
    let own = Own {
        account,
        count: 3,
        costs: costs(),
    };
    let page = drawn(|page| page.own = Some(&own));
    assert_eq!(labels(&page), ["Your resources", "November so far"]);
    let link = format!("href=\"/resources?account={account}\"");
    assert_eq!(page.matches(&link).count(), 2, "{page}");
    assert!(!page.contains("/billing"));
    let none = Own {
        count: 0,
        costs: Costs {
            expected: Money::ZERO,
            ..costs()
        },
        ..own
    };
    assert_eq!(
        labels(&drawn(|page| page.own = Some(&none))),
        ["Your resources"]
    );
}

#[test]
fn each_concern_says_how_it_stands_and_leads_to_its_end() {
    let clear = Concern::PublicAddress(
        PublicAddress::InTheClear,
        "http://portal.example.com".to_owned(),
    );
    let loopback =
        Concern::PublicAddress(PublicAddress::Loopback, "http://127.0.0.1:8080".to_owned());
    let fails = Concern::Mail(Relay::Fails {
        since: NOW.minus(12 * MINUTE),
        cause: Cause::Login,
        words: "no".to_owned(),
        next_try: NOW.plus(MINUTE),
    });
    let offered = Concern::Ownership {
        owner: "Olivia <Berg>".to_owned(),
        organisation: "Fjord & Sons".parse().unwrap(),
    };
    let told: [(Concern, &[&str]); 19] = [
        (
            offered,
            &[
                "Offered to you",
                "Olivia &lt;Berg&gt; offers you the ownership of Fjord &amp; Sons.",
                "href=\"/settings#ownership\"",
            ],
        ),
        (
            clear,
            &["Not encrypted", "public_url", "http://portal.example.com"],
        ),
        (
            loopback,
            &["This machine only", "public_url", "http://127.0.0.1:8080"],
        ),
        (
            Concern::Mail(Relay::Off),
            &["Mail is off", "DOORWARD_SMTP_URL", "href=\"/mail\""],
        ),
        (
            fails,
            &[
                "The mail server refuses our login",
                "12 min ago",
                "today, 14:21",
                "user and password in <code>smtp_url</code>",
                "href=\"/mail\"",
            ],
        ),
        (
            Concern::Backup(Failing {
                since: NOW.minus(2 * DAY),
                words: "no room".to_owned(),
            }),
            &["Backups fail", "2 days ago", "href=\"/settings#backup\""],
        ),
        (
            Concern::NoBackup(Yes::Yes),
            &[
                "None yet",
                "in the coming night",
                "href=\"/settings#backup\"",
            ],
        ),
        (Concern::NoBackup(Yes::No), &["Nightly backups are off"]),
        (
            Concern::OneMaster,
            &["One Master", "href=\"/iam/accounts/new\""],
        ),
        (
            Concern::PasswordAlone(2, Yes::Yes),
            &[
                "2 accounts without it",
                "2 accounts sign in with a password alone. ",
                "href=\"/iam/accounts?two_factor=off\"",
                "href=\"/settings#security\"",
            ],
        ),
        (
            Concern::PasswordAlone(1, Yes::No),
            &[
                "1 account signs in with a password alone. ",
                "Show who</a>.",
            ],
        ),
        (
            Concern::OwnFactor(Asked::By(NOW.plus(DAY))),
            &[
                "required of you from",
                "tomorrow, 14:20</time> on",
                "href=\"/account/two-factor\"",
            ],
        ),
        (
            Concern::OwnFactor(Asked::Recommended),
            &["strongly recommended", "href=\"/account/two-factor\""],
        ),
        (
            Concern::Overdue {
                number: "INV-2026-009".parse().unwrap(),
                due_at: NOW.minus(10 * DAY),
                others: 0,
            },
            &[
                "1 invoice overdue",
                "Invoice <a href=\"/billing/invoices/INV-2026-009\">INV-2026-009</a> was due on 14 Nov 2026.</dd>",
            ],
        ),
        (
            Concern::Overdue {
                number: "INV-2026-008".parse().unwrap(),
                due_at: NOW.minus(40 * DAY),
                others: 2,
            },
            &[
                "3 invoices overdue",
                "was due on 15 Oct 2026. 2 others wait too: ",
                "href=\"/billing#invoices\"",
            ],
        ),
        (
            Concern::Budget {
                percent: 80,
                budget: Money(175_000),
                costs: costs(),
            },
            &[
                "80 % spent",
                "November has cost €1,184.20 so far, of a budget of €1,750.00. ",
                "href=\"/billing\"",
            ],
        ),
        (
            Concern::Budget {
                percent: 100,
                budget: Money(100_000),
                costs: costs(),
            },
            &["All spent", "of a budget of €1,000.00. "],
        ),
        (
            Concern::Expired(3),
            &["3 links expired", "href=\"/iam/accounts?status=pending\""],
        ),
        (
            Concern::FailedMail(1),
            &["1 mail failed", "href=\"/mail?state=failed\""],
        ),
    ];
    for (one, parts) in told {
        let page = concern(one);
        for part in parts {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert_eq!(page.matches("sub warn").count(), 1, "{page}");
    }
}

#[test]
fn where_all_is_well_it_says_so() {
    let page = drawn(|page| page.concerns = Some(&[]));
    assert!(page.contains("Nothing just now.") && !page.contains("warn"));
}

#[test]
fn the_sign_in_before_this_one_is_told_with_browser_and_address() {
    assert!(drawn(|_| {}).contains("This is your first sign-in."));
    let before = Deed {
        at: NOW.minus(DAY),
        action: Action::SignedIn,
        hand: Hand::Own,
        whom: Whom::Reader,
        address: Some("203.0.113.24".to_owned()),
        change: None,
        details: json!({ "agent": "Firefox on Linux" }),
    };
    let page = drawn(|page| page.sign_in_before = Some(&before));
    assert!(
        page.contains("Yesterday</time>, Firefox on Linux, 203.0.113.24."),
        "{page}"
    );
}
