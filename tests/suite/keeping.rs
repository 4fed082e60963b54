//! What is over is gone by the schedule that `packaging/kept.md` promises.

use doorward::domain::role::Role;
use doorward::kit::time::{DAY, HOUR, MINUTE};

use crate::portal::{OWNER, PASSWORD, Portal};

const MIA: &str = "mia@fjord.example";

/// A portal with one of everything that has its time.
fn sown() -> Portal {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut mia = portal.member(Role::Member, MIA);
    let app = portal.app();
    mia.post(
        "/account/email",
        &[("email", "mia@hav.example"), ("current_password", PASSWORD)],
    )
    .answers(303);
    app.write(app.now(), |tx| {
        doorward::sessions::make_link(tx, &owner.account())
    })
    .unwrap();
    app.write(app.now(), |tx| {
        doorward::passwords::request_reset(tx, &owner.by(), &owner.account())
    })
    .unwrap();
    mia.elsewhere()
        .try_password(OWNER, "Wrong-Horse-7!")
        .answers(422);
    portal.work();
    portal.tamper(
        "UPDATE errands SET state = 'failed', answer = '550 no' WHERE id = (SELECT min(id) FROM errands WHERE state = 'sent')",
    );
    portal
}

#[test]
fn what_is_over_goes_when_its_time_has_come_and_not_before() {
    let portal = sown();
    let sent = "SELECT count(*) FROM errands WHERE state IN ('sent', 'not_needed') AND created_at < 1795526400 + 60";
    let failed = "SELECT count(*) FROM errands WHERE answer = '550 no'";
    let sessions = "SELECT count(*) FROM sessions";
    let devices = "SELECT count(*) FROM devices";
    let throttles = "SELECT count(*) FROM throttles";
    let tallies = "SELECT count(*) FROM invitation_tallies";
    let resets = "SELECT count(*) FROM resets";
    let changes = "SELECT count(*) FROM email_changes";
    let links = "SELECT count(*) FROM sign_in_links";
    // Both have an hour.
    let hourly = "SELECT (SELECT count(*) FROM resets) * (SELECT count(*) FROM email_changes)";
    for query in [
        sent, failed, sessions, devices, throttles, tallies, resets, changes, links,
    ] {
        assert!(portal.ask::<i64>(query)[0] > 0, "{query}");
    }
    let start = portal.app().now();
    for (query, there, gone) in [
        (sessions, 2 * HOUR - MINUTE, 2 * HOUR + 2 * MINUTE),
        (throttles, MINUTE, 25 * HOUR + 2 * MINUTE),
        (tallies, DAY, 3 * DAY + 2 * MINUTE),
        (sent, 30 * DAY - MINUTE, 30 * DAY + 2 * MINUTE),
        (links, 30 * DAY, 30 * DAY + 17 * MINUTE),
        (
            hourly,
            30 * DAY + HOUR - MINUTE,
            30 * DAY + HOUR + 2 * MINUTE,
        ),
        (failed, 90 * DAY - MINUTE, 90 * DAY + 2 * MINUTE),
        (devices, 180 * DAY - MINUTE, 180 * DAY + 2 * MINUTE),
    ] {
        for (after, is_there) in [(there, true), (gone, false)] {
            let left = after - portal.app().now().since(start);
            if left > 0 {
                portal.travel(left);
            }
            portal.work();
            let count = portal.ask::<i64>(query)[0];
            let late = portal.app().now().since(start);
            assert_eq!(count > 0, is_there, "{query} after {late} s");
        }
    }
    for query in [resets, changes] {
        assert_eq!(portal.ask::<i64>(query), [0], "{query}");
    }
    portal.leave_mail();
}
