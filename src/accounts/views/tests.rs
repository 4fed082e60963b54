use jiff::tz::TimeZone;

use super::*;
use crate::accounts::{Filter, Sort};
use crate::domain::role::{Managers, Role};
use crate::kit::html::menu::Item;
use crate::kit::time::DAY;

/// 24 November 2026, 14:20 in Oslo.
const NOW: Timestamp = Timestamp(1_795_526_400);

fn id(letter: char) -> AccountId {
    format!("acc_bbbbbbbbbbbb{letter}").parse().unwrap()
}

fn standing(role: Role, actor: AccountId, owner: AccountId) -> Standing {
    Standing {
        actor: Some(actor),
        permissions: role.permissions(Managers::Admins),
        managers: Managers::Admins,
        owner,
        is_owner_active: true,
        masters: 2,
    }
}

fn viewer(role: Role) -> Viewer {
    Viewer {
        account: id('c'),
        standing: standing(role, id('c'), id('d')),
        now: NOW,
        zone: TimeZone::get("Europe/Oslo").unwrap(),
        place: TimeZone::get("Europe/Oslo").unwrap(),
        mail: Mail::On,
        hue: |_| 0,
    }
}

fn pending(role: Role) -> Line {
    let account = Account {
        id: id('e'),
        organisation: "org_bbbbbbbbbbbbb".parse().unwrap(),
        status: Status::Pending,
        role,
        email: Some("lea@fjord.example".parse().unwrap()),
        name: None,
        phone: None,
        epoch: 0,
        created_at: NOW.minus(3 * DAY),
        created_by: None,
        activated_at: None,
        last_seen_at: None,
        has_two_factor: false,
    };
    Line {
        account,
        created_by: None,
        invited_at: Some(NOW.minus(HOUR)),
        link_expires_at: Some(NOW.plus(23 * HOUR)),
        invited_by: None,
        mail_id: None,
        mail: Some(MailState::Sent),
        mail_answer: None,
        leaves: None,
    }
}

fn told(line: &Line, viewer: &Viewer) -> (Tone, String) {
    second_line(line, viewer)
}

#[test]
fn what_wants_to_be_done_comes_before_how_things_stand() {
    let viewer = viewer(Role::Master);
    let off = Viewer {
        mail: Mail::Off,
        ..viewer.clone()
    };
    let line = |left: i64, mail, answer: &str| Line {
        link_expires_at: Some(NOW.plus(left)),
        mail,
        mail_answer: Some(answer.to_owned()),
        ..pending(Role::Member)
    };
    let (waiting, sent, failed) = (
        Some(MailState::Waiting),
        Some(MailState::Sent),
        Some(MailState::Failed),
    );
    for (left, mail, tone, words) in [
        (0, failed, Tone::Bad, "Link expired"),
        (-DAY, waiting, Tone::Bad, "Link expired"),
        (1, failed, Tone::Bad, "Mail failed: 550 no such user"),
        (HOUR, waiting, Tone::Warn, "Mail waiting"),
        (1, sent, Tone::Warn, "Link expires in 1 min"),
        (6 * HOUR - 1, sent, Tone::Warn, "Link expires in 5 h"),
        (6 * HOUR, sent, Tone::Plain, "Invited 1 h ago"),
        (23 * HOUR, None, Tone::Plain, "Invited 1 h ago"),
    ] {
        let line = line(left, mail, "550 no such user");
        assert_eq!(
            told(&line, &viewer),
            (tone, words.to_owned()),
            "{left} {mail:?}"
        );
    }
    let line = line(HOUR, waiting, "");
    assert_eq!(
        told(&line, &off),
        (Tone::Warn, "Not sent, mail is off".to_owned())
    );
}

#[test]
fn how_safely_an_active_person_signs_in_is_said() {
    let viewer = viewer(Role::Master);
    let mut line = pending(Role::Member);
    line.account.status = Status::Active;
    assert_eq!(
        told(&line, &viewer),
        (Tone::Warn, "No two-factor".to_owned())
    );
    line.account.has_two_factor = true;
    assert_eq!(
        told(&line, &viewer),
        (Tone::Plain, "Two-factor on".to_owned())
    );
    // Who cannot sign in is not asked how.
    line.account.status = Status::Disabled { since: NOW };
    assert_eq!(
        told(&line, &viewer),
        (Tone::Plain, "Since today".to_owned())
    );
}

#[test]
fn the_answer_of_a_server_is_one_short_line() {
    let answer = format!("550 5.1.1 {}\nand more", "é".repeat(100));
    let short = shortened(&answer);
    assert_eq!(short.chars().count(), ANSWER_MAX);
    assert!(short.ends_with("é…"));
    assert_eq!(shortened("550 no\nmore"), "550 no");
}

#[test]
fn since_when_is_a_day() {
    let viewer = viewer(Role::Master);
    for (age, words) in [
        (HOUR, "Since today"),
        (21 * DAY, "Since 3 Nov"),
        (400 * DAY, "Since 20 Oct 2025"),
    ] {
        assert_eq!(since_when(NOW.minus(age), &viewer), words);
    }
}

#[test]
fn a_menu_holds_what_may_be_done_and_nothing_else() {
    let dead = Line {
        link_expires_at: Some(NOW),
        ..pending(Role::Member)
    };
    let pending_all = [Act::Resend, Act::Copy, Act::ChangeRole, Act::Delete];
    assert_eq!(
        Acts::of(&pending(Role::Member), &viewer(Role::Admin)).all(),
        pending_all
    );
    assert_eq!(
        Acts::of(&dead, &viewer(Role::Admin)).all(),
        [Act::Resend, Act::ChangeRole, Act::Delete]
    );
    let with = |status| {
        let mut line = pending(Role::Member);
        line.account.status = status;
        Acts::of(&line, &viewer(Role::Admin)).all()
    };
    assert_eq!(
        with(Status::Active),
        [
            Act::ChangeRole,
            Act::SignOut,
            Act::ResetPassword,
            Act::Disable,
            Act::Delete
        ]
    );
    let mut line = pending(Role::Member);
    line.account.status = Status::Active;
    line.account.has_two_factor = true;
    assert_eq!(
        Acts::of(&line, &viewer(Role::Admin)).all(),
        [
            Act::ChangeRole,
            Act::SignOut,
            Act::ResetPassword,
            Act::ResetTwoFactor,
            Act::Disable,
            Act::Delete
        ]
    );
    assert_eq!(
        with(Status::Disabled { since: NOW }),
        [Act::Enable, Act::ChangeRole, Act::Delete]
    );
    for (line, viewer) in [
        (pending(Role::Master), viewer(Role::Admin)),
        (pending(Role::Member), viewer(Role::Billing)),
        (
            pending(Role::Member),
            Viewer {
                account: id('e'),
                standing: standing(Role::Master, id('e'), id('d')),
                ..viewer(Role::Master)
            },
        ),
        (
            pending(Role::Member),
            Viewer {
                standing: standing(Role::Master, id('c'), id('e')),
                ..viewer(Role::Master)
            },
        ),
    ] {
        assert_eq!(Acts::of(&line, &viewer).all(), []);
        assert!(viewer.hindrance(&line.account).is_some());
    }
    let mut active = pending(Role::Member);
    active.account.status = Status::Active;
    assert_eq!(viewer(Role::Master).hindrance(&active.account), None);
}

#[test]
fn what_locks_somebody_out_stands_below_one_line() {
    for (status, above, below) in [
        (Status::Active, 3, 2),
        (Status::Pending, 3, 1),
        (Status::Disabled { since: NOW }, 2, 1),
    ] {
        let mut line = pending(Role::Member);
        line.account.status = status;
        let acts = Acts::of(&line, &viewer(Role::Admin));
        let items = acts.menu();
        assert!(matches!(items.get(above), Some(Item::Rule)), "{items:?}");
        let last: Vec<_> = items.iter().skip(above + 1).collect();
        assert_eq!(last.len(), below, "{items:?}");
        assert!(last.iter().all(|item| matches!(item, Item::Danger { .. })));
    }
}

#[test]
fn an_address_of_the_list_is_read_back_as_its_query() {
    for query in [
        "",
        "?q=a%26b%3Dc%23%C3%A9",
        "?status=disabled",
        "?q=x&status=pending&role=admin&sort=name&page=7&per=50",
        "?two_factor=on",
        "?q=x&status=active&role=member&two_factor=off&sort=name&page=2",
        "?sort=-created&page=1000000",
        "?sort=last_active",
    ] {
        let fields =
            crate::kit::http::fields::Fields::parse(query.trim_start_matches('?').as_bytes())
                .unwrap();
        let read = Query::read(|name| fields.get(name).map(str::to_owned));
        assert_eq!(read.address(), format!("/iam/accounts{query}"));
    }
}

#[test]
fn no_page_lies_beyond_the_last() {
    let on = |page| Query {
        filter: Filter::default(),
        page,
        per: 25,
    };
    for (page, total, last) in [
        (1, 0, 1),
        (9, 0, 1),
        (2, 25, 1),
        (2, 26, 2),
        (3, 26, 2),
        (1, i64::MAX, 1),
    ] {
        assert_eq!(on(page).within(total).page, last, "{page} of {total}");
    }
    assert_eq!(Query::read(|_| None).filter.sort, Sort::Seen);
    for unknown in ["", "ON", "1", "true", "on "] {
        let read = Query::read(|name| (name == "two_factor").then(|| unknown.to_owned()));
        assert_eq!(read.filter.two_factor, None, "{unknown}");
    }
}
