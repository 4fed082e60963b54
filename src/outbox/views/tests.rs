//! What stands on the Mail page, from data alone.

use std::sync::LazyLock;

use super::*;
use crate::kit::time::{DAY, HOUR, MINUTE};

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
        query: &ALL,
        counts: Counts {
            waiting: 2,
            sent: 37,
            failed: 1,
            not_needed: 1,
        },
        retriable: 1,
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
        dialogue: None,
        letter: None,
        relay: &Relay::Works,
        now: NOW,
        zone: &OSLO,
        csrf: "sample",
    };
    change(&mut page);
    mail(&page).into_string()
}

const ALL: Query = Query {
    filter: Filter::All,
    text: None,
    page: 1,
};
static SENT: Query = Query {
    filter: Filter::Sent,
    ..ALL
};
static FAILED: Query = Query {
    filter: Filter::Failed,
    ..ALL
};

const RETRY: &str = "action=\"/mail/mail_bbbbbbbbbbbbb/retry\"";

#[test]
fn each_filter_has_its_count_and_the_current_one_is_marked() {
    let page = drawn(&[row(State::Sent)], |page| page.query = &SENT);
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
        page.query = &SENT;
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
    assert!(
        !page.contains("type=\"search\""),
        "there is nothing to search"
    );
    let waiting = Query {
        filter: Filter::Waiting,
        ..ALL
    };
    let ann = Query {
        text: Some("<ann>".to_owned()),
        ..ALL
    };
    let failed_ann = Query {
        filter: Filter::Failed,
        ..ann.clone()
    };
    for (query, title, sentence) in [
        (
            &waiting,
            "Nothing waits",
            "Every mail that was owed has left",
        ),
        (&SENT, "Nothing was sent", "30 days"),
        (&FAILED, "Nothing failed", "90 days"),
        (
            &ann,
            "No mail matches",
            "No recipient&#39;s address holds “&lt;ann&gt;”.",
        ),
        (
            &failed_ann,
            "No mail matches",
            "None that is failed went to an address that holds “&lt;ann&gt;”.",
        ),
    ] {
        let page = drawn(&[], |page| page.query = query);
        for part in [title, "Clear filters", "type=\"search\""] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(
            page.replace("'", "&#39;").contains(sentence),
            "{sentence} in {page}"
        );
        assert!(!page.contains("<table"));
    }
}

#[test]
fn a_way_out_that_is_shut_is_explained() {
    assert!(!drawn(&[], |_| {}).contains("class=\"note"));
    let page = drawn(&[], |page| page.relay = &Relay::Off);
    assert!(page.contains("Mail is off.") && page.contains("DOORWARD_SMTP_URL"));
    let fails = Relay::Fails {
        since: NOW.minus(12 * MINUTE),
        cause: Cause::Login,
        words: "535 <wrong> password".to_owned(),
        next_try: NOW.plus(MINUTE),
    };
    let page = drawn(&[], |page| page.relay = &fails);
    for part in [
        "The mail server refuses our login.",
        "12 min ago",
        "535 &lt;wrong&gt; password",
        "today, 14:21",
        "user and password in <code>smtp_url</code>",
        "class=\"note bad\"",
    ] {
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
        cause: Cause::Connection,
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

#[test]
fn what_is_searched_for_stays_in_every_address() {
    let query = Query {
        filter: Filter::Sent,
        text: Some("a&b".to_owned()),
        page: 1,
    };
    let page = drawn(&[row(State::Sent)], |page| page.query = &query);
    for part in [
        "<a href=\"/mail?q=a%26b\">All",
        "<a href=\"/mail?q=a%26b&amp;state=failed\">Failed",
        "href=\"/mail?q=a%26b&amp;state=sent&amp;page=2\" rel=\"next\"",
        "name=\"q\" type=\"search\" value=\"a&amp;b\"",
        "name=\"state\" value=\"sent\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn what_the_address_does_not_mean_is_ignored() {
    let read = |query: &[(&str, &str)]| {
        Query::read(|name| {
            let found = query.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    };
    for (key, expected) in [
        ("waiting", Filter::Waiting),
        ("sent", Filter::Sent),
        ("failed", Filter::Failed),
        ("Failed", Filter::All),
        ("not_needed", Filter::All),
        ("", Filter::All),
    ] {
        assert_eq!(read(&[("state", key)]).filter, expected, "{key:?}");
    }
    assert_eq!(read(&[]), ALL);
    assert_eq!(read(&[("q", "  ")]), ALL);
    assert_eq!(read(&[("q", " ann ")]).text.as_deref(), Some("ann"));
    let long = "ä".repeat(300);
    let cut = read(&[("q", &long)]).text.unwrap();
    assert_eq!(cut.chars().count(), 254);
    for (page, total, expected) in [
        ("1", 26, 0),
        ("2", 26, 25),
        ("3", 26, 25),
        ("2", 25, 0),
        ("0", 60, 0),
        ("-9223372036854775808", 60, 0),
        ("9223372036854775807", 60, 50),
        ("x", 60, 0),
    ] {
        assert_eq!(
            read(&[("page", page)]).offset(total),
            expected,
            "{page:?} of {total}"
        );
    }
}

#[test]
fn all_failed_ones_are_sent_again_by_one_button_where_they_are_listed() {
    let button = |change: fn(&mut List<'_>)| {
        let rows = [row(State::Failed)];
        drawn(&rows, change).contains("action=\"/mail/retry\"")
    };
    assert!(button(|page| {
        page.query = &FAILED;
        page.retriable = 12;
    }));
    assert!(!button(|page| page.query = &FAILED), "one has its own");
    assert!(!button(|page| page.retriable = 12));
}

#[test]
fn a_test_mail_is_told_from_all_others() {
    let test = |state| Row {
        kind: Kind::Test,
        ..row(state)
    };
    let waits = opened_mail(&test(State::Waiting), |_| {});
    assert!(waits.contains("On its way.") && waits.contains("not spoken to yet"));
    assert!(!waits.contains("Send another"));
    let said = Dialogue {
        said_at: NOW,
        text: "   0.001  S: 220 <relay>\n   0.002  C: QUIT\n".to_owned(),
    };
    let failed = opened_mail(&test(State::Failed), |page| page.dialogue = Some(&said));
    assert!(failed.contains("It did not leave.") && failed.contains("action=\"/mail/test\""));
    assert!(failed.contains("   0.001  S: 220 &lt;relay&gt;\n   0.002  C: QUIT</pre>"));
    assert!(!failed.contains(RETRY), "{failed}");
    let off = opened_mail(&test(State::Failed), |page| page.relay = &Relay::Off);
    assert!(!off.contains("action=\"/mail/test\"") && off.contains("DOORWARD_SMTP_URL"));
    let other = opened_mail(&row(State::Sent), |_| {});
    assert!(!other.contains("Dialogue"));
}

#[test]
fn a_trouble_stands_on_every_page_once_waiting_does_not_help_or_has_not_helped() {
    let fails = |cause, minutes: i64| Relay::Fails {
        since: NOW.minus(minutes * MINUTE),
        cause,
        words: "no".to_owned(),
        next_try: NOW,
    };
    for cause in [Cause::Login, Cause::Sender] {
        let told = banner(&fails(cause, 0), NOW, &OSLO).unwrap().into_string();
        assert!(told.contains("refuses our") && told.contains("Whoever runs this Portal checks"));
    }
    for cause in [Cause::Connection, Cause::Tls, Cause::Service] {
        assert!(banner(&fails(cause, 14), NOW, &OSLO).is_none(), "{cause:?}");
        assert!(banner(&fails(cause, 15), NOW, &OSLO).is_some(), "{cause:?}");
    }
    assert!(banner(&Relay::Works, NOW, &OSLO).is_none());
    assert!(banner(&Relay::Off, NOW, &OSLO).is_none());
}
