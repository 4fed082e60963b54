//! One's own account: what its person does there, and that nobody else can.

use std::collections::BTreeMap;
use std::sync::Barrier;

use doorward::domain::id::SessionId;
use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::{HOUR, MINUTE};
use doorward::lifecycle;
use doorward::passwords::Handover;

use crate::portal::{OWNER, PASSWORD, Portal};
use crate::visitor::Visitor;

const MIA: &str = "mia@fjord.example";
const NEW: &str = "mia.vik@fjord.example";
const OTHER: &str = "Quiet-Harbour-9";
const TAKEN: &str = "This email already belongs to an account. Each email can be registered once across the whole system.";

fn member(portal: &Portal) -> Visitor {
    portal.member(Role::Member, MIA)
}

/// The newest event of this kind in the first organisation, and how many there are.
fn events(portal: &Portal, action: &str) -> Vec<doorward::audit::Entry> {
    let log = portal.audit(Some(portal.first()));
    log.into_iter()
        .filter(|entry| entry.action == action)
        .collect()
}

/// The personal text that the newest event of this kind keeps, before and after.
fn before_and_after(portal: &Portal, action: &str) -> Vec<String> {
    portal.ask(&format!(
        "SELECT text FROM audit_texts t WHERE slot IN (4, 5) AND (chain_id, number) =
           (SELECT chain_id, max(number) FROM audit_events WHERE action = '{action}') ORDER BY slot"
    ))
}

#[track_caller]
fn save<'v>(visitor: &'v mut Visitor, name: &str, phone: &str) -> &'v mut Visitor {
    visitor.post("/account/profile", &[("name", name), ("phone", phone)])
}

#[track_caller]
fn prefer<'v>(visitor: &'v mut Visitor, zone: &str, keys: &str) -> &'v mut Visitor {
    let fields = [("timezone", zone), ("shortcuts", keys)];
    let sent = if keys.is_empty() {
        &fields[..1]
    } else {
        &fields
    };
    visitor.post("/account/preferences", sent)
}

#[track_caller]
fn change<'v>(visitor: &'v mut Visitor, current: &str, new: &str, others: &str) -> &'v mut Visitor {
    let fields = [
        ("current_password", current),
        ("password", new),
        ("password_confirmation", new),
        ("end_others", others),
    ];
    let sent = if others.is_empty() {
        &fields[..3]
    } else {
        &fields
    };
    visitor.post("/account/password", sent)
}

#[track_caller]
fn ask<'v>(visitor: &'v mut Visitor, email: &str) -> &'v mut Visitor {
    visitor.post(
        "/account/email",
        &[("email", email), ("current_password", PASSWORD)],
    )
}

/// The path of the link to this new address, asked for and delivered.
#[track_caller]
fn link(portal: &Portal, visitor: &mut Visitor, email: &str) -> String {
    ask(visitor, email).answers(303);
    portal.work();
    let link = portal.link_for(email);
    assert!(link.starts_with("/account/email/"), "{link}");
    link
}

fn session_of(visitor: &Visitor) -> SessionId {
    visitor.scope().unwrap().session
}

#[test]
fn everybody_has_a_page_of_their_own() {
    let portal = Portal::start();
    let owner = portal.owner();
    for role in Role::ALL {
        let email = format!("{}@fjord.example", role.key());
        let mut visitor = portal.member_of(&owner, role, &email);
        visitor
            .get("/account")
            .answers(200)
            .sees(&format!("{role} at Fjord Supply"))
            .sees(&email)
            .sees("Firefox on Linux This browser")
            .sees("You are signed in nowhere else.")
            .sees("You signed in with Firefox on Linux")
            .sees("Changed 24 Nov 2026.")
            .sees("The organisation's (Europe/Oslo)");
        let html = visitor.html();
        assert!(html.contains("<title>Account · Fjord Supply</title>"));
        for anchor in [
            "profile",
            "your-password",
            "sessions",
            "activity",
            "preferences",
        ] {
            assert!(
                html.contains(&format!("href=\"#{anchor}\"")),
                "{anchor}: {html}"
            );
        }
        assert!(!html.contains(" autofocus"), "nothing was refused yet");
    }
    portal
        .visitor()
        .get("/account")
        .answers(303)
        .goes_to("/sign-in?next=%2Faccount");
}

#[test]
fn another_name_shows_at_once_everywhere_and_in_the_log() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    save(&mut mia, "  Mia   Solberg ", "+4792241108")
        .answers(303)
        .goes_to("/account#profile")
        .follow()
        .sees("Your profile is saved.")
        .sees("Mia Solberg")
        .sees_not("MIA Vik");
    assert!(mia.html().contains("value=\"+47 922 41 108\""));
    portal
        .owner()
        .get("/iam/accounts")
        .sees("Mia Solberg")
        .sees("+47 922 41 108")
        .sees_not("MIA Vik");
    let event = &events(&portal, "profile.changed")[0];
    assert_eq!(event.actor_text.as_deref(), Some(MIA));
    assert_eq!(event.target.as_deref(), Some(MIA));
    assert_eq!(
        before_and_after(&portal, "profile.changed"),
        ["MIA Vik", "Mia Solberg, +4792241108"]
    );
    mia.get("/account").sees("You changed your name or phone");
    // The number as the page shows it is the number as it was: nothing changes, and nothing is recorded.
    save(&mut mia, "Mia Solberg", "+47 922 41 108")
        .answers(303)
        .follow()
        .sees_not("Your profile is saved.");
    assert_eq!(events(&portal, "profile.changed").len(), 1);
    save(&mut mia, "Mia Solberg", "").answers(303);
    assert_eq!(mia.account().phone, None);
}

#[test]
fn what_is_wrong_with_a_profile_is_said_beside_it_and_nothing_is_saved() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let long = "x".repeat(101);
    for (name, phone, said) in [
        ("", "", "Enter a name."),
        (long.as_str(), "", "At most 100 characters."),
        ("Mi\u{202e}a", "", "characters that cannot be seen"),
        ("Mi\u{200b}a", "", "characters that cannot be seen"),
        ("Mi\u{1b}[31ma", "", "characters that cannot be seen"),
        ("Mia \u{e0041}", "", "characters that cannot be seen"),
        ("www.evil.example", "", "cannot hold a web address"),
        ("Mia", "922 41 108", "country code"),
        ("Mia", "+123456", "country code"),
        ("Mia", "+1234567890123456", "country code"),
    ] {
        save(&mut mia, name, phone).answers(422).sees(said);
        assert!(
            mia.html().contains("<title>Error: Account"),
            "{name:?} {phone:?}"
        );
        assert_eq!(mia.html().matches("aria-invalid=\"true\"").count(), 1);
        assert_eq!(mia.html().matches(" autofocus").count(), 1);
    }
    // What was typed is kept, beside all that is wrong with it.
    save(&mut mia, "--", "call me").answers(422);
    let html = mia.html();
    assert!(html.contains("value=\"--\"") && html.contains("value=\"call me\""));
    assert_eq!(html.matches("aria-invalid=\"true\"").count(), 2);
    assert_eq!(mia.account().name.unwrap().as_str(), "MIA Vik");
    assert!(events(&portal, "profile.changed").is_empty());
    let longest = "x".repeat(100);
    for (name, phone) in [(longest.as_str(), "+1234567"), ("M", "+123456789012345")] {
        save(&mut mia, name, phone).answers(303);
        assert_eq!(mia.account().name.unwrap().as_str(), name);
        assert_eq!(mia.account().phone.unwrap().as_str(), phone);
    }
}

#[test]
fn no_name_writes_a_header_of_a_mail() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    save(&mut owner, "Olivia\r\nBcc: eve@evil.example\r\n\r\nHi", "").answers(303);
    let name = owner.account().name.unwrap();
    assert_eq!(name.as_str(), "Olivia Bcc: eve@evil.example Hi");
    portal.invite(&owner, Role::Member, MIA);
    link(&portal, &mut owner, "olivia.berg@fjord.example");
    let mails = portal.mails();
    assert!(mails.iter().any(|mail| mail.text.contains("Bcc:")));
    for mail in mails {
        for header in [&mail.subject, &mail.to, &mail.from] {
            assert!(
                !header.contains("Bcc") && !header.contains(char::is_control),
                "{header}"
            );
        }
    }
}

#[test]
fn their_own_time_zone_is_the_one_they_read_in() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    mia.get("/account").sees("today, 14:20");
    prefer(&mut mia, "America/New_York", "yes")
        .answers(303)
        .goes_to("/account#preferences")
        .follow()
        .sees("Your preferences are saved.")
        .sees("today, 08:20")
        .sees_not("today, 14:20");
    assert!(
        mia.html()
            .contains("<option value=\"America/New_York\" selected>")
    );
    mia.get("/").sees("America/New_York");
    portal.owner().get("/account").sees("today, 14:20");
    // Another spelling is no other choice on the list, and is kept all the same.
    prefer(&mut mia, "Europe/Belfast", "yes")
        .answers(303)
        .follow();
    let kept = mia.account().id;
    let kept: Vec<String> = portal.ask(&format!(
        "SELECT time_zone FROM accounts WHERE id = {}",
        kept.number()
    ));
    assert!(
        mia.html()
            .contains(&format!("<option value=\"{}\" selected>", kept[0]))
    );
    for wrong in [
        "Europe/Nowhere",
        "../etc/passwd",
        "Oslo",
        "+01:00",
        " ",
        "\u{0}",
    ] {
        prefer(&mut mia, wrong, "yes");
        assert!([400, 422].contains(&mia.status()), "{wrong:?}");
    }
    prefer(&mut mia, "Europe/Nowhere", "yes")
        .answers(422)
        .sees("Choose a time zone from the list.");
    let before = events(&portal, "preferences.changed").len();
    prefer(&mut mia, "", "yes")
        .answers(303)
        .follow()
        .sees("today, 14:20");
    prefer(&mut mia, "", "yes")
        .answers(303)
        .follow()
        .sees_not("Your preferences are saved.");
    assert_eq!(events(&portal, "preferences.changed").len(), before + 1);
    // Where the organisation moves, whoever chose nothing moves along.
    portal.tamper("UPDATE organisations SET time_zone = 'Asia/Tokyo'");
    mia.get("/account")
        .sees("The organisation's (Asia/Tokyo)")
        .sees("today, 22:20");
}

#[test]
fn keys_can_be_switched_off_and_on() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    assert!(mia.get("/").html().contains("data-keys"));
    prefer(&mut mia, "", "").answers(303);
    assert!(!mia.get("/").html().contains("data-keys"));
    assert!(!mia.get("/account").html().contains("id=\"keys\""));
    let mut elsewhere = mia.elsewhere();
    elsewhere.sign_in();
    assert!(
        !elsewhere.get("/").html().contains("data-keys"),
        "it goes with the person, not with the browser"
    );
    prefer(&mut mia, "", "no").answers(400);
    prefer(&mut mia, "", "yes").answers(303);
    assert!(mia.get("/").html().contains("data-keys"));
    assert!(portal.owner().get("/").html().contains("data-keys"));
}

#[test]
fn the_theme_is_the_one_of_the_menu() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    mia.get("/account");
    assert_eq!(mia.html().matches("action=\"/theme\"").count(), 3);
    mia.draft(Method::Post, "/theme")
        .proven()
        .field("theme", "dark")
        .header("Referer", "https://portal.example.com/account")
        .send()
        .answers(303)
        .goes_to("/account")
        .follow();
    let pressed = "value=\"dark\" aria-pressed=\"true\"";
    assert_eq!(mia.html().matches(pressed).count(), 3);
    assert!(mia.html().contains("data-theme=\"dark\""));
}

#[test]
fn another_password_renews_the_cookie_and_ends_every_other_session() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let mut elsewhere = mia.elsewhere();
    elsewhere.sign_in();
    let owner = portal.owner();
    let old = mia.cookie("session").unwrap();
    let device = mia.cookie("device");
    let id = session_of(&mia);
    portal.work();
    portal.visitor().post("/forgot-password", &[("email", MIA)]);
    portal.work();
    let reset = portal.link_for(MIA);
    portal.travel(HOUR / 2);
    assert!(
        mia.get("/account")
            .html()
            .contains("name=\"end_others\" value=\"yes\" checked")
    );
    change(&mut mia, PASSWORD, OTHER, "yes")
        .answers(303)
        .goes_to("/account#your-password");
    let cookies = mia.last().all("Set-Cookie");
    let renewed = cookies.iter().find(|one| one.contains("session=")).unwrap();
    for mark in ["HttpOnly", "Secure", "Path=/", "SameSite=Lax"] {
        assert!(renewed.contains(mark), "{renewed}");
    }
    mia.follow()
        .answers(200)
        .sees("Your password is changed. You are signed out everywhere else.")
        .sees("You are signed in nowhere else.")
        .sees("You changed your password");
    assert_ne!(mia.cookie("session").unwrap(), old);
    assert_eq!(
        session_of(&mia),
        id,
        "it is the same session under a new cookie"
    );
    assert_eq!(mia.cookie("device"), device);
    assert!(!elsewhere.is_signed_in() && owner.is_signed_in());
    let mut thief = portal.visitor();
    thief.plant("__Host-session", &old);
    thief.get("/account").answers(303);
    portal.visitor().try_password(MIA, PASSWORD).answers(422);
    portal.visitor().try_password(MIA, OTHER).answers(303);
    portal.visitor().get(&reset).answers(410);
    portal.work();
    let told = portal.mails().into_iter().filter(|mail| {
        mail.to == MIA && mail.subject == "Your password was changed at Fjord Supply"
    });
    assert_eq!(told.count(), 1);
    let event = &events(&portal, "password.changed")[0];
    assert_eq!(event.actor_text.as_deref(), Some(MIA));
    assert!(
        event.details.contains("\"sessions_ended\":true"),
        "{}",
        event.details
    );
}

#[test]
fn other_sessions_stay_where_that_is_wanted() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let mut elsewhere = mia.elsewhere();
    elsewhere.sign_in();
    let old = mia.cookie("session").unwrap();
    change(&mut mia, PASSWORD, OTHER, "no").answers(400);
    change(&mut mia, PASSWORD, OTHER, "").answers(303);
    assert!(mia.is_signed_in() && elsewhere.is_signed_in());
    mia.follow().sees_not("signed out everywhere else");
    let mut thief = portal.visitor();
    thief.plant("__Host-session", &old);
    thief.get("/account").answers(303);
    let event = &events(&portal, "password.changed")[0];
    assert!(event.details.contains("\"sessions_ended\":false"));
}

#[test]
fn a_new_password_follows_the_rule_and_needs_the_present_one() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let hash = portal.ask::<String>("SELECT hash FROM passwords");
    let cookie = mia.cookie("session");
    let too_long = format!("Zx9!{}", "é".repeat(125));
    for (current, new, said) in [
        ("", OTHER, "Enter your password."),
        ("Wrong-Horse-7!", OTHER, "This is not your password."),
        (&too_long, OTHER, "A password has at most 128 characters."),
        (PASSWORD, "Zx9!q", "Missing: 3 more characters."),
        (PASSWORD, "Zx9!mnq", "Missing: 1 more character."),
        (
            PASSWORD,
            &too_long,
            "A password has at most 128 characters.",
        ),
        (PASSWORD, "Password1!", "on the list of common ones"),
        (
            PASSWORD,
            PASSWORD,
            "This is your password already. Choose another one.",
        ),
    ] {
        change(&mut mia, current, new, "yes")
            .answers(422)
            .sees(said);
        assert_eq!(mia.html().matches("aria-invalid=\"true\"").count(), 1);
        assert!(!mia.html().contains(new) && (current.is_empty() || !mia.html().contains(current)));
    }
    // All that is wrong at once, and the tick as it was left.
    let fields = [
        ("current_password", "Wrong-Horse-7!"),
        ("password", "short"),
        ("password_confirmation", "other"),
    ];
    mia.post("/account/password", &fields)
        .answers(422)
        .sees("This is not your password.")
        .sees("Missing: 3 more characters")
        .sees("The two passwords differ.");
    let html = mia.html();
    assert!(!html.contains("name=\"end_others\" value=\"yes\" checked"));
    let focused = html.split(" autofocus").next().unwrap();
    assert!(focused.ends_with("required"), "{focused}");
    assert!(
        focused
            .rsplit("<input")
            .next()
            .unwrap()
            .contains("current_password")
    );
    assert_eq!(portal.ask::<String>("SELECT hash FROM passwords"), hash);
    assert_eq!(mia.cookie("session"), cookie);
    let wrong = events(&portal, "sign_in.failed");
    assert_eq!(wrong.len(), 2);
    assert!(wrong[0].details.contains("\"asked\":\"again\""));
    mia.get("/account").sees("You typed a wrong password from");
    for right in [format!("Zx9!{}", "é".repeat(124)), "Zx9!mnqa".to_owned()] {
        let current = mia.password.clone();
        change(&mut mia, &current, &right, "yes").answers(303);
        mia.password = right;
    }
    mia.sign_out().sign_in();
}

#[test]
fn a_password_cannot_be_guessed_here_any_faster_than_at_the_door() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    // The sign-in is proof enough for ten minutes: from then on each try is a guess.
    portal.travel(11 * MINUTE);
    for number in 0..20 {
        let path = number % 2;
        if path == 0 {
            change(&mut mia, "Wrong-Horse-7!", OTHER, "yes").answers(422);
        } else {
            mia.post(
                "/account/email",
                &[("email", NEW), ("current_password", "Wrong-Horse-7!")],
            )
            .answers(422);
        }
    }
    // Not even the right one is judged now, here or at the door.
    change(&mut mia, PASSWORD, OTHER, "yes")
        .answers(429)
        .sees("Too many tries. Try again in 15 min.");
    assert_eq!(mia.header("Retry-After").as_deref(), Some("900"));
    ask(&mut mia, NEW).answers(429).sees("Too many tries.");
    assert!(mia.html().contains(&format!("value=\"{NEW}\"")));
    mia.clone()
        .sign_out()
        .try_password(MIA, PASSWORD)
        .answers(429);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM email_changes"), [0]);
    // Other people and other browsers do not wait.
    portal.visitor().try_password(MIA, PASSWORD).answers(303);
    portal.travel(15 * MINUTE);
    let mut mia = portal.signed_in(MIA);
    change(&mut mia, PASSWORD, OTHER, "yes").answers(303);
}

#[test]
fn sessions_are_listed_this_one_first_and_end_one_by_one() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let mut phone = mia.elsewhere();
    phone.agent =
        "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36"
            .to_owned();
    portal.travel(10 * MINUTE);
    phone.sign_in();
    let mut third = mia.elsewhere();
    third.sign_in();
    portal.travel(5 * MINUTE);
    mia.get("/account")
        .sees("Firefox on Linux This browser")
        .sees("Chrome on Android")
        .sees(&phone.address.to_string())
        .sees("today, 14:20")
        .sees("today, 14:30")
        .sees("5 min ago");
    let html = mia.html();
    let this = html.find("This browser").unwrap();
    assert!(this < html.find("Chrome on Android").unwrap());
    let end = |visitor: &Visitor| format!("/account/sessions/{}/end", session_of(visitor));
    assert!(!html.contains(&end(&mia)), "this one ends by signing out");
    let (ends_phone, ends_third) = (end(&phone), end(&third));
    assert!(html.contains(&ends_phone) && html.contains(&ends_third));
    mia.post(&ends_phone, &[])
        .answers(303)
        .goes_to("/account#sessions")
        .follow()
        .sees("That browser is signed out.")
        .sees("You ended another of your sessions");
    assert!(!phone.is_signed_in() && third.is_signed_in() && mia.is_signed_in());
    phone.get("/").answers(303).goes_to("/sign-in");
    mia.post(&ends_phone, &[]).answers(404);
    mia.post("/account/sessions/end-others", &[])
        .answers(303)
        .follow()
        .sees("You are signed out everywhere else.")
        .sees("You are signed in nowhere else.");
    assert!(!third.is_signed_in() && mia.is_signed_in());
    // Ending the present one is signing out.
    let own = end(&mia);
    mia.post(&own, &[]).answers(303).goes_to("/sign-in");
    assert_eq!(mia.cookie("session"), None);
    mia.follow().sees("You are signed out.");
    assert_eq!(portal.audit(Some(portal.first()))[0].action, "signed_out");
}

#[test]
fn nobody_ends_the_session_of_somebody_else_here() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut mia = portal.member_of(&owner, Role::Member, MIA);
    let mut ben = portal.member_of(&owner, Role::Member, "ben@fjord.example");
    let mut other = portal.organisation("Lakeside");
    let of_mia = format!("/account/sessions/{}/end", session_of(&mia));
    let of_owner = format!("/account/sessions/{}/end", session_of(&owner));
    for visitor in [&mut ben, &mut other, &mut owner.clone()] {
        visitor.post(&of_mia, &[]).answers(404);
        visitor
            .post("/account/sessions/end-others", &[])
            .answers(303);
    }
    mia.post(&of_owner, &[]).answers(404);
    mia.post("/account/sessions/ses_bbbbbbbbbbbbb/end", &[])
        .answers(404);
    mia.post("/account/sessions/x/end", &[]).answers(404);
    for visitor in [&mia, &ben, &other, &owner] {
        assert!(visitor.is_signed_in());
    }
    portal.visitor().post(&of_mia, &[]).answers(303);
    assert!(mia.is_signed_in());
}

#[test]
fn the_forms_take_nobody_elses_name_or_id() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut mia = portal.member_of(&owner, Role::Member, MIA);
    let id = owner.account().id.to_string();
    for (path, fields) in [
        ("/account/profile", &[("name", "Eve"), ("phone", "")][..]),
        ("/account/preferences", &[("timezone", "")]),
        (
            "/account/password",
            &[
                ("current_password", PASSWORD),
                ("password", OTHER),
                ("password_confirmation", OTHER),
            ],
        ),
        (
            "/account/email",
            &[("email", NEW), ("current_password", PASSWORD)],
        ),
        ("/account/sessions/end-others", &[]),
    ] {
        for extra in ["id", "account", "account_id", "organisation", "role"] {
            let mut sent = fields.to_vec();
            sent.push((extra, &id));
            mia.post(path, &sent).answers(400);
        }
        if let Some(first) = fields.first() {
            let mut twice = fields.to_vec();
            twice.push(*first);
            mia.post(path, &twice).answers(400);
        }
        mia.draft(Method::Post, path)
            .fields(fields)
            .send()
            .answers(403);
        portal.visitor().post(path, fields).answers(303);
        mia.get(path).answers(405);
    }
    assert_eq!(owner.account().name.unwrap().as_str(), "Olivia Berg");
    assert_eq!(mia.account().name.unwrap().as_str(), "MIA Vik");
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM email_changes"), [0]);
}

#[test]
fn another_email_is_theirs_once_the_link_that_went_there_was_used() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    portal.work();
    portal.visitor().post("/forgot-password", &[("email", MIA)]);
    portal.work();
    let reset = portal.link_for(MIA);
    let mails = portal.mails().len();
    ask(&mut mia, " Mia.Vik@FJORD.example ")
        .answers(303)
        .goes_to("/account#your-email")
        .follow()
        .sees("A link is on its way to mia.vik@fjord.example. It works for one hour.")
        .sees("A link went to mia.vik@fjord.example. Open it before today, 15:20; until then nothing changes.");
    portal.work();
    let sent: Vec<String> = portal
        .mails()
        .into_iter()
        .skip(mails)
        .map(|mail| mail.to)
        .collect();
    assert_eq!(sent, [NEW], "nothing is told to the old address yet");
    let link = portal.link_for(NEW);
    // Looking never uses it.
    for _ in 0..20 {
        mia.get(&link)
            .answers(200)
            .sees(MIA)
            .sees(NEW)
            .sees("The link works until today, 15:20.");
        mia.head(&link).answers(200);
    }
    assert_eq!(
        mia.header("Referrer-Policy").as_deref(),
        Some("same-origin")
    );
    assert_eq!(mia.header("Cache-Control").as_deref(), Some("no-store"));
    assert_eq!(mia.account().email.unwrap().as_str(), MIA);
    portal.visitor().try_password(NEW, PASSWORD).answers(422);
    mia.post(&link, &[])
        .answers(303)
        .goes_to("/account#your-email")
        .follow()
        .sees("Your email is now mia.vik@fjord.example. Sign in with it.")
        .sees_not("A link went to");
    assert!(mia.is_signed_in());
    portal.visitor().try_password(MIA, PASSWORD).answers(422);
    portal.visitor().try_password(NEW, PASSWORD).answers(303);
    portal.visitor().get(&reset).answers(410);
    portal.work();
    let told: Vec<(String, String)> = portal
        .mails()
        .into_iter()
        .filter(|mail| mail.subject == "Your email was changed at Fjord Supply")
        .map(|mail| (mail.to, mail.text))
        .collect();
    let mut to: Vec<&str> = told.iter().map(|(to, _)| to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, [NEW, MIA]);
    for (_, text) in &told {
        assert!(
            text.starts_with("Your email is now mia.vik@fjord.example"),
            "{text}"
        );
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            text.contains("Not you? Tell Olivia Berg, a Master of Fjord Supply at once"),
            "{text}"
        );
    }
    assert_eq!(before_and_after(&portal, "email.changed"), [MIA, NEW]);
    let token = link.rsplit('/').next().unwrap();
    for column in [
        "SELECT details FROM audit_events",
        "SELECT text FROM audit_texts",
        "SELECT details || coalesce(answer, '') FROM errands",
    ] {
        assert!(
            portal
                .ask::<String>(column)
                .iter()
                .all(|one| !one.contains(token))
        );
    }
    // Mia's old address is free again, and the link is used up.
    mia.get(&link).answers(410).sees("This link was used");
    mia.post(&link, &[]).answers(410).sees("This link was used");
    portal.invite(&portal.owner(), Role::Member, MIA);
}

#[test]
fn the_mail_names_nobody_and_carries_one_link() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let link = link(&portal, &mut mia, NEW);
    let mail = portal
        .mails()
        .into_iter()
        .find(|mail| mail.to == NEW)
        .unwrap();
    assert_eq!(mail.subject, "Confirm your new email at Fjord Supply");
    for text in [&mail.text, &mail.html] {
        assert!(text.contains(&format!("https://portal.example.com{link}")));
        assert!(!text.contains("MIA Vik") && !text.contains(MIA), "{text}");
    }
    let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "asked to sign in with mia.vik@fjord.example from now on, to their account at Fjord Supply",
        "for one hour: until Tuesday 24 November 2026, 15:20 (Europe/Oslo).",
        "You did not ask for this? Do nothing",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert_eq!(mail.html.matches("href=").count(), 1);
}

#[test]
fn the_one_master_is_sent_to_whoever_runs_the_portal() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let path = link(&portal, &mut owner, "olivia.berg@fjord.example");
    owner.post(&path, &[]).answers(303);
    portal.work();
    let mail = portal
        .mails()
        .into_iter()
        .rev()
        .find(|mail| mail.to == OWNER)
        .unwrap();
    assert!(
        mail.text.contains("Tell whoever runs the Portal"),
        "{}",
        mail.text
    );
}

#[test]
fn only_the_newest_link_works_and_for_an_hour() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let older = link(&portal, &mut mia, NEW);
    let newer = link(&portal, &mut mia, "mia.v@fjord.example");
    mia.get(&older).answers(410).sees("This link was replaced");
    mia.post(&older, &[])
        .answers(410)
        .sees("This link was replaced");
    mia.get("/account")
        .sees("A link went to mia.v@fjord.example.")
        .sees_not("A link went to mia.vik@fjord.example");
    portal.travel(HOUR - 1);
    mia.get(&newer).answers(200);
    portal.travel(1);
    mia.get(&newer).answers(410).sees("The link expired");
    mia.post(&newer, &[]).answers(410).sees("The link expired");
    mia.get("/account").sees_not("A link went to");
    assert_eq!(mia.account().email.unwrap().as_str(), MIA);
    let denied = events(&portal, "denied");
    assert_eq!(denied.len(), 2);
    assert!(denied[0].details.contains("\"code\":\"gone\""));
    assert!(denied[0].details.contains("/account/email/{token}"));
}

#[test]
fn whoever_is_not_signed_in_comes_back_to_the_link() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let path = link(&portal, &mut mia, NEW);
    let encoded = path.replace('/', "%2F");
    let mut elsewhere = mia.elsewhere();
    elsewhere
        .get(&path)
        .answers(303)
        .goes_to(format!("/sign-in?next={encoded}"))
        .follow()
        .answers(200);
    elsewhere.post(&path, &[]).answers(303).goes_to("/sign-in");
    assert_eq!(mia.account().email.unwrap().as_str(), MIA);
    let fields = [
        ("email", MIA),
        ("password", PASSWORD),
        ("next", path.as_str()),
    ];
    elsewhere
        .post("/sign-in", &fields)
        .answers(303)
        .goes_to(&path);
    elsewhere.follow().answers(200).sees(NEW);
    elsewhere.post(&path, &[]).answers(303);
    assert_eq!(portal.visitor().try_password(NEW, PASSWORD).status(), 303);
}

#[test]
fn a_link_tells_nobody_else_whose_it_is() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut mia = portal.member_of(&owner, Role::Member, MIA);
    let path = link(&portal, &mut mia, NEW);
    let unknown = format!("/account/email/{}", "a".repeat(43));
    let mut ben = portal.member_of(&owner, Role::Admin, "ben@fjord.example");
    let mut other = portal.organisation("Lakeside");
    for visitor in [&mut ben, &mut owner.clone(), &mut other] {
        let mut answers = Vec::new();
        let signed_in_as = format!("You are signed in as {}", visitor.email);
        for link in [&path, &unknown, &"/account/email/x".to_owned()] {
            visitor
                .get(link)
                .answers(404)
                .sees("This link is not for this account")
                .sees(&signed_in_as)
                .sees_not(MIA)
                .sees_not(NEW);
            answers.push(visitor.text());
            visitor.post(link, &[]).answers(404);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
        visitor
            .post("/sign-out", &[("next", path.as_str())])
            .answers(303)
            .goes_to(&path);
    }
    assert_eq!(mia.account().email.unwrap().as_str(), MIA);
    mia.post(&path, &[]).answers(303);
}

#[test]
fn an_address_that_is_taken_anywhere_is_refused_and_the_tries_are_counted() {
    let portal = Portal::build()
        .settings(|settings| settings.terms.refused_max = 3)
        .start();
    let owner = portal.owner();
    let mut mia = portal.member_of(&owner, Role::Member, MIA);
    let mut ben = portal.member_of(&owner, Role::Member, "ben@fjord.example");
    let mut other = portal.organisation("Lakeside");
    portal.invite(&owner, Role::Member, "pending@fjord.example");
    // Their own is no secret, and costs nothing.
    for own in [MIA, " MIA@fjord.example"] {
        ask(&mut mia, own)
            .answers(422)
            .sees("This is your email already.");
    }
    // Nothing is told to whoever does not know the password, once the sign-in is no proof any more.
    portal.travel(11 * MINUTE);
    mia.post(
        "/account/email",
        &[("email", OWNER), ("current_password", "Wrong-Horse-7!")],
    )
    .answers(422)
    .sees("This is not your password.")
    .sees_not(TAKEN);
    for taken in [OWNER, other.email.as_str(), "PENDING@fjord.example"] {
        ask(&mut mia, taken)
            .answers(422)
            .sees(TAKEN)
            .sees_not("Lakeside");
        assert!(mia.html().contains("<details open>"));
    }
    let refused = events(&portal, "invitation.refused");
    assert_eq!(refused.len(), 3);
    assert_eq!(refused[0].target.as_deref(), Some("pending@fjord.example"));
    mia.get("/account")
        .sees("You could not change to pending@fjord.example: the address is taken");
    // Over the cap nothing is told of any address, taken or free; also not by the form that invites.
    for email in [OWNER, NEW] {
        ask(&mut ben, email)
            .answers(429)
            .sees("Too many tries.")
            .sees_not(TAKEN);
        assert!(ben.header("Retry-After").is_some());
    }
    owner
        .clone()
        .post("/iam/accounts", &[("email", OWNER), ("role", "member")])
        .answers(429);
    // Another organisation has a cap of its own.
    ask(&mut other, OWNER).answers(422).sees(TAKEN);
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM email_changes"), [0]);
    portal.travel(HOUR);
    ask(&mut ben, NEW).answers(303);
}

#[test]
fn what_is_no_address_is_said_to_be_none() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let label = "b".repeat(63);
    let longest = format!("{}@{label}.{label}.{}", "a".repeat(64), "c".repeat(61));
    for wrong in [
        "",
        "mia",
        "mia@",
        "a@b@c.example",
        "mia@x.example\r\nBcc: eve@evil.example",
        &format!("{longest}c"),
    ] {
        ask(&mut mia, wrong).answers(422);
        assert_eq!(
            mia.html().matches("aria-invalid=\"true\"").count(),
            1,
            "{wrong}"
        );
        assert!(mia.html().contains("<details open>"), "{wrong}");
    }
    portal.travel(11 * MINUTE);
    let nothing = [("email", "mia@"), ("current_password", "")];
    mia.post("/account/email", &nothing)
        .answers(422)
        .sees("Enter your password.");
    assert_eq!(mia.html().matches("aria-invalid=\"true\"").count(), 2);
    assert!(mia.html().contains("value=\"mia@\""));
    ask(&mut mia, &longest).answers(303);
}

#[test]
fn one_account_asks_for_three_links_an_hour() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    for number in 0..3 {
        ask(&mut mia, &format!("mia{number}@fjord.example")).answers(303);
    }
    ask(&mut mia, "mia3@fjord.example")
        .answers(429)
        .sees("Too many tries. Try again in 60 min.");
    portal.work();
    let sent = portal
        .mails()
        .into_iter()
        .filter(|mail| mail.subject.starts_with("Confirm"));
    assert_eq!(
        sent.count(),
        1,
        "the older links are dead before they are sent"
    );
    portal.travel(HOUR);
    ask(&mut mia, "mia3@fjord.example").answers(303);
}

#[test]
fn an_address_that_was_taken_meanwhile_stays_where_it_is() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut mia = portal.member_of(&owner, Role::Member, MIA);
    let path = link(&portal, &mut mia, NEW);
    let id = portal.invite(&owner, Role::Member, NEW);
    mia.get(&path).answers(200);
    mia.post(&path, &[])
        .answers(422)
        .sees(TAKEN)
        .sees("Ask for another one on your Account page.");
    assert_eq!(mia.account().email.unwrap().as_str(), MIA);
    assert_eq!(
        portal.ask::<String>("SELECT state FROM email_changes"),
        ["open"]
    );
    assert!(events(&portal, "email.changed").is_empty());
    assert_eq!(events(&portal, "invitation.refused").len(), 1);
    // Once the other is gone, the link is as good as before.
    let app = portal.app();
    app.write(app.now(), |tx| lifecycle::delete(tx, &owner.allowed(), id))
        .unwrap();
    mia.post(&path, &[]).answers(303);
    assert_eq!(portal.visitor().try_password(NEW, PASSWORD).status(), 303);
}

#[test]
fn a_link_dies_when_its_account_is_disabled_reset_or_deleted() {
    let portal = Portal::start();
    let owner = portal.owner();
    let app = portal.app();
    for (number, end) in ["disable", "reset", "delete"].into_iter().enumerate() {
        let email = format!("mia{number}@fjord.example");
        let new = format!("mia.vik{number}@fjord.example");
        let mut mia = portal.member_of(&owner, Role::Member, &email);
        // One link is delivered, and the mail of another is still owed.
        let path = link(&portal, &mut mia, &new);
        let id = mia.account().id;
        let by = owner.allowed();
        match end {
            "disable" => {
                app.write(app.now(), |tx| lifecycle::disable(tx, &by, id))
                    .unwrap();
                mia.post(&path, &[])
                    .answers(303)
                    .goes_to("/sign-in")
                    .follow();
                app.write(app.now(), |tx| lifecycle::enable(tx, &by, id))
                    .unwrap();
                mia.sign_in();
                mia.get(&path).answers(410).sees("This link was replaced");
                mia.post(&path, &[]).answers(410);
            }
            "reset" => {
                let (_, issued) = app
                    .write(app.now(), |tx| {
                        lifecycle::reset_password(tx, &by, id, Handover::Copy)
                    })
                    .unwrap();
                mia.post(&path, &[]).answers(303).goes_to("/sign-in");
                let reset = format!("/reset-password/{}", issued.token.reveal());
                let fields = [("password", OTHER), ("password_confirmation", OTHER)];
                mia.post_from(&reset, &reset, &fields).answers(303);
                mia.password = OTHER.to_owned();
                mia.sign_in();
                mia.post(&path, &[])
                    .answers(410)
                    .sees("This link was replaced");
            }
            _ => {
                app.write(app.now(), |tx| lifecycle::delete(tx, &by, id))
                    .unwrap();
                mia.post(&path, &[]).answers(303).goes_to("/sign-in");
                owner.clone().get(&path).answers(404);
                let rows = format!(
                    "SELECT count(*) FROM email_changes WHERE account_id = {}",
                    id.number()
                );
                assert_eq!(portal.ask::<i64>(&rows), [0]);
            }
        }
        portal.visitor().try_password(&new, PASSWORD).answers(422);
    }
    assert!(events(&portal, "email.changed").is_empty());
}

#[test]
fn a_mail_whose_link_died_is_not_sent() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut mia = portal.member_of(&owner, Role::Member, MIA);
    portal.work();
    let mails = portal.mails().len();
    ask(&mut mia, NEW).answers(303);
    let app = portal.app();
    let id = mia.account().id;
    app.write(app.now(), |tx| lifecycle::disable(tx, &owner.allowed(), id))
        .unwrap();
    portal.work();
    assert!(portal.mails().iter().skip(mails).all(|mail| mail.to != NEW));
}

/// Sends all of these at once; the statuses, in order.
fn together(visitors: &mut [Visitor], send: impl Fn(&mut Visitor) -> u16 + Sync) -> Vec<u16> {
    let barrier = Barrier::new(visitors.len());
    let mut statuses: Vec<u16> = std::thread::scope(|threads| {
        let running: Vec<_> = visitors
            .iter_mut()
            .map(|visitor| {
                let (barrier, send) = (&barrier, &send);
                threads.spawn(move || {
                    barrier.wait();
                    send(visitor)
                })
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    statuses
}

#[test]
fn of_two_that_confirm_together_one_wins() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    let path = link(&portal, &mut mia, NEW);
    mia.get(&path).answers(200);
    let mut windows = vec![mia.clone(), mia.clone(), mia.clone(), mia.clone()];
    let statuses = together(&mut windows, |mia| mia.post(&path, &[]).status());
    assert_eq!(statuses, [303, 410, 410, 410]);
    assert_eq!(events(&portal, "email.changed").len(), 1);
    portal.work();
    let told = portal
        .mails()
        .into_iter()
        .filter(|mail| mail.subject.contains("was changed"));
    assert_eq!(told.count(), 2);
}

#[test]
fn of_two_people_who_want_one_address_one_gets_it() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut people = Vec::new();
    let mut paths = BTreeMap::new();
    for email in [MIA, "ben@fjord.example", "cia@fjord.example"] {
        let mut visitor = portal.member_of(&owner, Role::Member, email);
        let path = link(&portal, &mut visitor, NEW);
        visitor.get(&path).answers(200);
        paths.insert(email, path);
        people.push(visitor);
    }
    let statuses = together(&mut people, |visitor| {
        let path = &paths[visitor.email.as_str()];
        visitor.post(path, &[]).status()
    });
    assert_eq!(statuses, [303, 422, 422]);
    let having: Vec<i64> = portal.ask(&format!(
        "SELECT count(*) FROM accounts WHERE email = '{NEW}'"
    ));
    assert_eq!(having, [1]);
    assert_eq!(events(&portal, "email.changed").len(), 1);
}

#[test]
fn an_account_that_is_deleted_while_it_confirms_is_whole_or_gone() {
    let portal = Portal::start();
    let owner = portal.owner();
    for round in 0..20 {
        let email = format!("r{round}@fjord.example");
        let new = format!("new{round}@fjord.example");
        let mut visitor = portal.member_of(&owner, Role::Member, &email);
        let path = link(&portal, &mut visitor, &new);
        let id = visitor.account().id;
        let app = portal.app();
        let barrier = Barrier::new(2);
        let status = std::thread::scope(|threads| {
            let deleting = threads.spawn(|| {
                barrier.wait();
                app.write(app.now(), |tx| lifecycle::delete(tx, &owner.allowed(), id))
                    .unwrap();
            });
            barrier.wait();
            let status = visitor.post(&path, &[]).status();
            deleting.join().unwrap();
            status
        });
        assert_eq!(status, 303, "done, or to the sign-in page");
        let left: Vec<Option<String>> = portal.ask(&format!(
            "SELECT email FROM accounts WHERE id = {0} AND status = 'deleted'
             UNION ALL SELECT email FROM email_changes WHERE account_id = {0}",
            id.number()
        ));
        assert_eq!(
            left,
            [None],
            "the tombstone without an address, and no link"
        );
        // Both addresses are free again.
        for free in [&email, &new] {
            portal.invite(&owner, Role::Member, free);
        }
        portal.travel(HOUR);
    }
    portal.leave_mail();
}

#[test]
fn whoever_changes_the_password_twice_at_once_is_signed_in_once() {
    let portal = Portal::start();
    let mut mia = member(&portal);
    mia.get("/account");
    let mut elsewhere = mia.elsewhere();
    elsewhere.sign_in().get("/account");
    let mut windows = vec![mia, elsewhere];
    let statuses = together(&mut windows, |visitor| {
        change(visitor, PASSWORD, OTHER, "yes").status()
    });
    assert!(statuses.iter().all(|status| [303, 422].contains(status)));
    assert_eq!(windows.iter().filter(|one| one.is_signed_in()).count(), 1);
    assert_eq!(events(&portal, "password.changed").len(), 1);
    portal.visitor().try_password(MIA, OTHER).answers(303);
}

#[test]
fn where_mail_is_off_no_address_can_be_changed_and_the_page_says_so() {
    let portal = Portal::build().mail_off().start();
    let mut mia = member(&portal);
    let said = "Mail is off on this server, and a new email is confirmed by mail. Ask whoever runs the Portal to set up mail.";
    mia.get("/account").sees(said).sees_not("Change email");
    ask(&mut mia, NEW).answers(422).sees(said);
    assert!(mia.html().contains("role=\"alert\""));
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM email_changes"), [0]);
    // All else works.
    save(&mut mia, "Mia Solberg", "").answers(303);
    change(&mut mia, PASSWORD, OTHER, "yes").answers(303);
}
