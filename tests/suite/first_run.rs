//! The first run: one link, one form, one organisation; afterwards nothing of it is there.

use std::sync::Barrier;

use doorward::domain::role::Role;
use doorward::kit::time::MINUTE;
use doorward::setup;

use crate::portal::Portal;
use crate::visitor::Visitor;

const INGRID: &str = "ingrid@haldenworks.example";
const GOOD: &str = "Quiet-Harbour-9";
const NOT_VALID: &str = "This set-up link is not valid. On the server, run doorward setup-link.";

fn filled<'f>(organisation: &'f str, email: &'f str) -> [(&'f str, &'f str); 6] {
    [
        ("organisation", organisation),
        ("name", "Ingrid Solheim"),
        ("email", email),
        ("timezone", "Europe/Oslo"),
        ("password", GOOD),
        ("password_confirmation", GOOD),
    ]
}

#[test]
fn the_link_founds_the_organisation_and_its_owner_signs_in() {
    let portal = Portal::start();
    let file = portal.app().settings.data.join(setup::LINK_FILE);
    std::fs::write(&file, "a link").unwrap();
    let mut ingrid = portal.visitor();
    ingrid
        .get("/setup")
        .answers(200)
        .sees("On the server, run doorward setup-link.");
    let link = portal.setup_link();
    ingrid
        .get(&link)
        .answers(200)
        .sees("You become its Master.")
        .sees("Nothing is sent anywhere.")
        .sees(&format!("Version {}", env!("CARGO_PKG_VERSION")));
    assert!(ingrid.html().contains("data-timezone"));
    ingrid
        .post(
            &link,
            &filled(" Halden  Works ", "Ingrid@HaldenWorks.example"),
        )
        .answers(303)
        .goes_to("/sign-in?email=ingrid%40haldenworks.example");
    assert_eq!(ingrid.cookie("session"), None);
    ingrid.follow().sees("Halden Works is set up. Sign in.");
    assert!(!file.exists(), "the file of the link is still there");
    ingrid.email = INGRID.to_owned();
    ingrid.password = GOOD.to_owned();
    ingrid.sign_in();
    assert_eq!(ingrid.account().role, Role::Master);
    let zone = portal.ask::<String>("SELECT time_zone FROM organisations");
    assert_eq!(zone, ["Europe/Oslo"]);
    let log = portal.audit(Some(portal.named("Halden Works")));
    let created = log.iter().find(|one| one.action == "organisation.created");
    assert_eq!(created.unwrap().actor_text.as_deref(), Some(INGRID));
    // For ever, whoever looks.
    for visitor in [&mut ingrid, &mut portal.visitor()] {
        for path in ["/setup", link.as_str(), "/setup/x"] {
            visitor.get(path).answers(404).sees_not("set-up");
        }
        visitor
            .post(&link, &filled("Second", "eve@evil.example"))
            .answers(404);
    }
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM organisations"), [1]);
}

#[test]
fn a_wrong_link_says_where_the_right_one_is_and_nothing_else() {
    let portal = Portal::start();
    let link = portal.setup_link();
    let newer = portal.setup_link();
    let mut visitor = portal.visitor();
    let folder = portal.app().settings.data.display().to_string();
    for wrong in ["/setup/x", link.as_str(), &format!("{newer}x")] {
        visitor.get(wrong).answers(404).sees(NOT_VALID);
        assert!(!visitor.html().contains(env!("CARGO_PKG_VERSION")));
        assert!(!visitor.html().contains(&folder));
        visitor
            .post(wrong, &filled("Halden", INGRID))
            .answers(404)
            .sees(NOT_VALID);
    }
    portal.travel(30 * MINUTE - 1);
    visitor.get(&newer).answers(200);
    portal.travel(1);
    visitor
        .post(&newer, &filled("Halden", INGRID))
        .answers(404)
        .sees(NOT_VALID);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM organisations"), [0]);
}

#[test]
fn of_two_tabs_one_wins_and_the_other_finds_nothing() {
    let portal = Portal::start();
    let link = portal.setup_link();
    let mut tabs: Vec<Visitor> = (0..4).map(|_| portal.visitor()).collect();
    for tab in &mut tabs {
        tab.get(&link).answers(200);
    }
    let barrier = Barrier::new(tabs.len());
    let mut statuses: Vec<u16> = std::thread::scope(|threads| {
        let running: Vec<_> = tabs
            .iter_mut()
            .zip(0..)
            .map(|(tab, number)| {
                let (link, barrier) = (&link, &barrier);
                threads.spawn(move || {
                    let name = format!("Halden {number}");
                    let email = format!("owner{number}@haldenworks.example");
                    barrier.wait();
                    tab.post(link, &filled(&name, &email)).status()
                })
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404, 404, 404]);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM organisations"), [1]);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM accounts"), [1]);
}

#[test]
fn an_organisation_from_the_command_line_ends_the_set_up_too() {
    let portal = Portal::start();
    let link = portal.setup_link();
    let mut visitor = portal.visitor();
    visitor.get(&link).answers(200);
    portal.organisation("Halden Works");
    visitor.post(&link, &filled("Second", INGRID)).answers(404);
    visitor.get("/setup").answers(404);
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_what_was_typed_is_kept() {
    let portal = Portal::start();
    let link = portal.setup_link();
    let mut visitor = portal.visitor();
    let fields = [
        ("organisation", "see www.evil.example"),
        ("name", ""),
        ("email", "ingrid"),
        ("timezone", "Mars/Base"),
        ("password", "short"),
        ("password_confirmation", "other"),
    ];
    visitor
        .post(&link, &fields)
        .answers(422)
        .sees("A name cannot hold a web address.")
        .sees("An email address has an @ in it")
        .sees("Choose a time zone from the list.")
        .sees("Missing: 3 more characters")
        .sees("The two passwords differ.");
    assert_eq!(visitor.html().matches("aria-invalid=\"true\"").count(), 6);
    assert!(visitor.html().contains("value=\"see www.evil.example\""));
    // The rule for passwords knows the name and the address that stand beside it.
    for password in ["Solheim-in-1", "my-INGRID-77"] {
        let mut fields = filled("Halden", INGRID).to_vec();
        fields[4].1 = password;
        fields[5].1 = password;
        visitor
            .post(&link, &fields)
            .answers(422)
            .sees("cannot hold your name or the first part of your email");
        assert!(
            visitor
                .html()
                .contains("<option value=\"Europe/Oslo\" selected>")
        );
        assert!(!visitor.html().contains("data-timezone"));
    }
    let mut fields = filled("Halden", INGRID).to_vec();
    fields.push(("role", "master"));
    visitor.post(&link, &fields).answers(400);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM organisations"), [0]);
    visitor.post(&link, &filled("Halden", INGRID)).answers(303);
}

#[test]
fn guesses_at_the_link_are_counted() {
    let portal = Portal::start();
    let link = portal.setup_link();
    let mut guesser = portal.visitor();
    for guess in 0..60 {
        guesser.get(format!("/setup/{guess}")).answers(404);
    }
    guesser.get(&link).answers(429).sees("Try again in 1 min.");
    portal.visitor().get(&link).answers(200);
}
