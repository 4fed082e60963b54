//! A flood that does nothing twice: another network address and another account each time. What it leaves in the file is
//! bounded, and nobody else waits for it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use doorward::audit::{Action, Event};
use doorward::domain::role::Role;
use doorward::kit::keys::Use;
use doorward::kit::throttle::Subject;
use doorward::kit::time;
use doorward::scope::{Actor, By};

use crate::portal::{OWNER, Portal};

/// Failed sign-ins in one second: more than two cores can hash passwords for.
const A_SECOND: u32 = 50;

/// What a flood left.
struct Left {
    rows: i64,
    bytes: u64,
    /// The longest that somebody else's deed took meanwhile.
    slowest: Duration,
}

/// So many sign-ins fail, each from another address; every tenth at an account that there is. The throttle counts each as the
/// sign-in page does, and the log gets each as that page gives it; hashes alone are left out.
fn flood(portal: &Portal, failures: u32) -> Left {
    let app = portal.app();
    let owner = portal.owner().account();
    let bystander = portal.owner();
    app.db().checkpoint().unwrap();
    let before = app.db().sizes().unwrap().file;
    let rows = |portal: &Portal| portal.ask::<i64>("SELECT count(*) FROM audit_events")[0];
    let rows_before = rows(portal);
    let mut slowest = Duration::ZERO;
    let (mut at, mut deeds) = (0, 0);
    for number in 0..failures {
        let address = IpAddr::V4(Ipv4Addr::from(0x2000_0000 + number));
        let (event, who) = if number % 10 == 0 {
            let event = Event::of(portal.first(), Action::SignInFailed).on(owner.id, OWNER);
            (event, OWNER.to_owned())
        } else {
            let email = format!("somebody{number}@elsewhere.example");
            (
                Event::of_system(Action::SignInFailed).on_text(&email),
                email,
            )
        };
        let account = app
            .keys()
            .mac(Use::Throttle, &[b"flood test", who.as_bytes()]);
        let taken = app.throttle.take(
            &[Subject::Account(account), Subject::Address(address)],
            app.now(),
        );
        let event = match taken {
            Ok(_) => event,
            Err(_) => Event::of_system(Action::SignInThrottled),
        };
        let by = By {
            actor: Actor::Stranger,
            address: Some(address),
            request_id: format!("{number:013}"),
        };
        app.refuse(app.now(), &by, &event).unwrap();
        at += 1;
        if at == A_SECOND {
            at = 0;
            portal.travel(1);
            portal.work();
            if (number / A_SECOND).is_multiple_of(600) {
                let start = time::instant();
                let email = format!("new{deeds}@fjord.example");
                app.write(app.now(), |tx| {
                    let by = doorward::scope::Allowed::operator(portal.first());
                    let terms = app.settings.terms;
                    doorward::invitations::invite(
                        tx,
                        &by,
                        &email.parse().unwrap(),
                        Role::Member,
                        terms,
                    )
                })
                .unwrap();
                slowest = slowest.max(start.elapsed());
                deeds += 1;
            }
        }
    }
    drop(bystander);
    portal.travel(120);
    portal.work();
    app.db().checkpoint().unwrap();
    portal.leave_mail();
    Left {
        rows: rows(portal) - rows_before,
        bytes: app.db().sizes().unwrap().file - before,
        slowest,
    }
}

#[test]
fn twenty_thousand_different_failures_leave_rows_by_the_minute() {
    let portal = Portal::start();
    let left = flood(&portal, 20_000);
    // Five thousand at once, thirty in each of seven minutes, a sum for each; and what the deeds beside leave.
    assert!((5_000..5_400).contains(&left.rows), "{} rows", left.rows);
    assert!(left.bytes < 12_000_000, "{} bytes", left.bytes);
    let counted = "SELECT count(*) + coalesce(sum(json_extract(details, '$.count')) - count(json_extract(details, '$.count')), 0)
         FROM audit_events WHERE action IN ('sign_in.failed', 'sign_in.throttled')";
    assert_eq!(portal.ask::<i64>(counted), [20_000], "none is lost");
}

#[test]
#[ignore = "a million of them: some minutes"]
fn a_million_different_failures_leave_less_than_fifty_megabytes() {
    let portal = Portal::start();
    let begun = time::instant();
    let left = flood(&portal, 1_000_000);
    println!(
        "{} rows, {} bytes, slowest other deed {:?}, took {:?}",
        left.rows,
        left.bytes,
        left.slowest,
        begun.elapsed()
    );
    assert!(left.bytes < 50_000_000, "{} bytes", left.bytes);
    assert!(left.slowest < Duration::from_secs(1), "{:?}", left.slowest);
}
