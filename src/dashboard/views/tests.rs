//! What stands on the dashboard, from data alone.

use std::sync::LazyLock;

use serde_json::json;

use super::*;
use crate::audit::{Action, Hand, Whom};
use crate::kit::time::{DAY, HOUR, MINUTE};

/// 24 November 2026, 14:20 in Oslo.
const NOW: Timestamp = Timestamp(1_795_526_400);
static OSLO: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Oslo").unwrap());

fn drawn<'d>(change: impl FnOnce(&mut Dashboard<'d>)) -> String {
    let mut page = Dashboard {
        name: "Ingrid",
        numbers: None,
        concerns: None,
        sign_in_before: None,
        deeds: &[],
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
    let page = tiles(&well).into_string();
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
    let page = tiles(&wanting).into_string();
    assert!(
        page.contains("<span class=\"sub warn\">1 link expired</span>"),
        "{page}"
    );
    assert!(page.contains("<span class=\"sub warn\">0 waiting, 2 failed</span>"));
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
        words: "no".to_owned(),
        next_try: NOW.plus(MINUTE),
    });
    let offered = Concern::Ownership {
        owner: "Olivia <Berg>".to_owned(),
        organisation: "Fjord & Sons".parse().unwrap(),
    };
    let told: [(Concern, &[&str]); 12] = [
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
            &["in trouble", "12 min ago", "today, 14:21", "href=\"/mail\""],
        ),
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
