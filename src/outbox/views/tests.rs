//! What stands on the Mail page, from data alone.

use std::sync::LazyLock;

use super::*;
use crate::kit::time::{DAY, HOUR, MINUTE};
use crate::outbox::Kind;

/// 24 November 2026, 14:20 in Oslo.
const NOW: Timestamp = Timestamp(1_795_526_400);

static OSLO: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Oslo").unwrap());

fn row(state: State) -> Row {
    Row {
        id: "mail_bbbbbbbbbbbbb".parse().unwrap(),
        account: "acc_bbbbbbbbbbbbb".parse().unwrap(),
        kind: Kind::Activation,
        recipient: Some("lea@fjord.example".parse().unwrap()),
        state,
        answer: None,
        created_at: NOW.minus(19 * HOUR),
        due_at: NOW.minus(19 * HOUR),
        deadline_at: NOW.plus(5 * HOUR),
        ended_at: matches!(state, State::Sent | State::Failed | State::NotNeeded)
            .then(|| NOW.minus(HOUR)),
        message_id: "mail_bbbbbbbbbbbbb@example.com".to_owned(),
    }
}

fn answered(state: State, answer: &str) -> Row {
    Row {
        answer: Some(answer.to_owned()),
        ..row(state)
    }
}

fn drawn<'a>(rows: &'a [Row], change: impl FnOnce(&mut List<'a>)) -> String {
    let mut page = List {
        filter: Filter::All,
        counts: Counts {
            waiting: 2,
            sent: 37,
            failed: 1,
            not_needed: 1,
        },
        rows,
        offset: 0,
        page_rows: 25,
        relay: &Relay::Works,
        now: NOW,
        zone: &OSLO,
        csrf: "sample",
    };
    change(&mut page);
    list(&page).into_string()
}

fn opened_mail<'a>(row: &'a Row, change: impl FnOnce(&mut Mail<'a>)) -> String {
    let mut page = Mail {
        row,
        attempts: &[],
        letter: None,
        relay: &Relay::Works,
        now: NOW,
        zone: &OSLO,
        csrf: "sample",
    };
    change(&mut page);
    mail(&page).into_string()
}

const RETRY: &str = "action=\"/mail/mail_bbbbbbbbbbbbb/retry\"";

#[test]
fn each_filter_has_its_count_and_the_current_one_is_marked() {
    let page = drawn(&[row(State::Sent)], |page| page.filter = Filter::Sent);
    for link in [
        "<a href=\"/mail\">All <span>41</span></a>",
        "<a href=\"/mail?state=waiting\">Waiting <span>2</span></a>",
        "<a href=\"/mail?state=sent\" aria-current=\"true\">Sent <span>37</span></a>",
        "<a href=\"/mail?state=failed\">Failed <span>1</span></a>",
    ] {
        assert!(page.contains(link), "{link} in {page}");
    }
}

#[test]
fn the_pager_keeps_the_filter() {
    let page = drawn(&[row(State::Sent)], |page| {
        page.filter = Filter::Sent;
        page.offset = 25;
    });
    assert!(page.contains("26 to 37 of 37"), "{page}");
    assert!(page.contains("href=\"/mail?state=sent\" rel=\"prev\""));
    assert!(!page.contains("rel=\"next\""));
    let first = drawn(&[row(State::Sent)], |_| {});
    assert!(first.contains("1 to 25 of 41"));
    assert!(first.contains("href=\"/mail?page=2\" rel=\"next\""));
}

#[test]
fn only_a_failed_mail_that_can_still_arrive_has_a_retry() {
    for state in State::ALL {
        let page = drawn(&[row(state)], |_| {});
        assert_eq!(page.contains(RETRY), state == State::Failed, "{state:?}");
    }
    let late = Row {
        deadline_at: NOW,
        ..row(State::Failed)
    };
    assert!(!drawn(std::slice::from_ref(&late), |_| {}).contains(RETRY));
    let notice = Row {
        kind: Kind::NewDevice,
        ..late.clone()
    };
    assert!(drawn(&[notice], |_| {}).contains(RETRY));
    let page = opened_mail(&late, |_| {});
    assert!(page.contains("disabled"), "{page}");
    assert!(page.contains("Its link has expired."));
}

#[test]
fn the_second_line_tells_what_the_server_said_or_for_what_it_waits() {
    let long = "550 5.1.1 <lea@fjord.example>: no such user in the virtual table of aliases";
    let page = drawn(&[answered(State::Failed, long)], |_| {});
    let shown = "<span class=\"sub bad\">550 5.1.1 &lt;lea@fjord.example&gt;: no such user in the virtual t…</span>";
    assert!(page.contains(shown), "{page}");
    let later = Row {
        due_at: NOW.plus(5 * MINUTE),
        ..answered(State::Waiting, "451 greylisted")
    };
    let rows = [later];
    let page = drawn(&rows, |_| {});
    assert!(page.contains("Next try today, 14:25: 451 greylisted"));
    let page = drawn(&rows, |page| page.relay = &Relay::Off);
    assert!(page.contains("<span class=\"sub warn\">Mail is off</span>"));
}

#[test]
fn nothing_yet_is_told_from_nothing_that_matches() {
    let page = drawn(&[], |page| page.counts = Counts::default());
    assert!(page.contains("No mail yet") && !page.contains("Clear filters"));
    let page = drawn(&[], |page| page.filter = Filter::Failed);
    assert!(page.contains("No mail matches") && page.contains("Clear filters"));
    assert!(!page.contains("<table"));
}

#[test]
fn a_way_out_that_is_shut_is_explained() {
    assert!(!drawn(&[], |_| {}).contains("class=\"note"));
    let page = drawn(&[], |page| page.relay = &Relay::Off);
    assert!(page.contains("Mail is off.") && page.contains("DOORWARD_SMTP_URL"));
    let fails = Relay::Fails {
        since: NOW.minus(12 * MINUTE),
        words: "535 <wrong> password".to_owned(),
        next_try: NOW.plus(MINUTE),
    };
    let page = drawn(&[], |page| page.relay = &fails);
    for part in ["12 min ago", "535 &lt;wrong&gt; password", "today, 14:21"] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn an_address_that_went_with_its_account_has_words() {
    let gone = Row {
        recipient: None,
        ..row(State::Failed)
    };
    let page = drawn(std::slice::from_ref(&gone), |_| {});
    assert!(page.contains(GONE) && !page.contains(RETRY));
    assert!(opened_mail(&gone, |_| {}).contains("To a deleted account"));
}

#[test]
fn a_mail_tells_its_attempts_and_equal_ones_once() {
    let attempts = [
        Attempt {
            first_at: NOW.minus(3 * HOUR),
            last_at: NOW.minus(HOUR),
            count: 4,
            answer: "451 later".to_owned(),
        },
        Attempt {
            first_at: NOW.minus(2 * MINUTE),
            last_at: NOW.minus(2 * MINUTE),
            count: 1,
            answer: "550 <b>no</b>".to_owned(),
        },
    ];
    let page = opened_mail(&answered(State::Failed, "550 <b>no</b>"), |page| {
        page.attempts = &attempts;
    });
    assert_eq!(page.matches("451 later").count(), 1);
    assert!(page.contains(">4</td>") && page.contains(">1 h ago</time>"));
    assert!(page.contains("550 &lt;b&gt;no&lt;/b&gt;") && !page.contains("<b>no"));
    assert!(page.contains("&lt;mail_bbbbbbbbbbbbb@example.com&gt;"));
    assert!(
        page.contains("24 Nov 2026, 19:20 (Europe/Oslo)"),
        "its deadline: {page}"
    );
}

#[test]
fn what_waits_for_the_relay_is_tried_when_the_relay_is() {
    let fails = Relay::Fails {
        since: NOW.minus(DAY),
        words: "no connection".to_owned(),
        next_try: NOW.plus(MINUTE),
    };
    let page = opened_mail(&row(State::Waiting), |page| page.relay = &fails);
    assert!(
        page.contains("<dt>Next try</dt><dd>24 Nov 2026, 14:21"),
        "{page}"
    );
    let page = opened_mail(&row(State::Waiting), |_| {});
    assert!(page.contains("<dt>Next try</dt><dd>Now</dd>"));
    let page = opened_mail(&row(State::Sent), |page| page.relay = &fails);
    assert!(!page.contains("Next try") && !page.contains("in trouble"));
}

#[test]
fn what_it_says_is_framed_and_only_where_it_is_handed_in() {
    assert!(!opened_mail(&row(State::Sent), |_| {}).contains("iframe"));
    let letter = Letter {
        subject: "Activate",
        text: "Line <one>\nhttps://portal.example.com/activate/x\n",
        link: Some("https://portal.example.com/activate/x"),
    };
    let page = opened_mail(&row(State::Sent), |page| page.letter = Some(letter));
    assert!(page.contains("<iframe sandbox src=\"/mail/mail_bbbbbbbbbbbbb/body\""));
    assert!(page.contains("<pre>Line &lt;one&gt;\n"));
    assert!(page.contains("data-copy=\"mail-link\""));
}
