//! One mail of every kind there is, with names and addresses as long as they may be: what all of them have in common, and
//! what a parser that is not ours reads out of the bytes that a relay received.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use doorward::accounts::Account;
use doorward::backups;
use doorward::domain::month::Month;
use doorward::domain::policy::Asked;
use doorward::domain::role::Role;
use doorward::kit::mail::smtp::{Relay, Smtp};
use doorward::kit::mail::{Mailer, Message};
use doorward::kit::time::HOUR;
use doorward::outbox::{self, Errand, Kind, Place};
use doorward::two_factor;

use crate::portal::{OWNER, PASSWORD, Portal};
use crate::relay::{Relay as Fake, Security};
use crate::samples;
use crate::visitor::Visitor;
use crate::wares;

const MIA: &str = "marie-louise.underwood.of.the.northern.division@fjord-supply.example";
const LEA: &str = "lea@fjord.example";

fn owe(portal: &Portal, to: &Account, errands: &[Errand]) {
    let app = portal.app();
    app.housekeep(app.now(), |tx| {
        for errand in errands {
            outbox::enqueue(tx, &to.recipient()?, errand, None)?;
        }
        Ok(())
    })
    .unwrap();
}

/// Those whose reason is a link, and those that go to somebody else than whom they are about.
fn links_and_owners(portal: &Portal, owner: &mut Visitor, mia: &mut Visitor) {
    portal.visitor().post("/forgot-password", &[("email", MIA)]);
    portal.work();
    owner.post(
        format!("/iam/accounts/{}/reset-password", mia.account().id),
        &[("handover", "copy")],
    );
    portal.work();
    let max = portal.member(Role::Master, "max@fjord.example");
    let fields = [
        ("to", max.account().id.to_string()),
        ("current_password", PASSWORD.to_owned()),
    ];
    let fields = fields.each_ref().map(|(name, value)| (*name, &**value));
    owner
        .post("/settings/ownership/offer", &fields)
        .answers(303);
    portal.work();
    let mut max = max;
    max.post(
        "/settings/ownership/accept",
        &[("current_password", PASSWORD)],
    )
    .answers(303);
    portal.work();
    let link = samples::email_link(portal, owner);
    portal.work();
    owner
        .post(format!("/account/email/{link}"), &[])
        .answers(303);
    portal.work();
}

/// What is told of somebody's own account.
fn notices(portal: &Portal, mia: &Account) {
    let place = Place {
        agent: "Firefox on Linux".to_owned(),
        address: "2001:db8:85a3:8d3:1319:8a2e:370:7348".to_owned(),
        at: portal.app().now().0,
    };
    let (from, to) = (Role::Member, mia.role);
    owe(
        portal,
        mia,
        &[
            Errand::PasswordChanged,
            Errand::NewDevice(place.clone()),
            Errand::RoleChanged { from, to },
            Errand::TwoFactorOn {
                place: place.clone(),
                replaced: false,
            },
            Errand::TwoFactorOn {
                place: place.clone(),
                replaced: true,
            },
            Errand::TwoFactorOff(place.clone()),
            Errand::TwoFactorReset(None),
            Errand::RecoveryUsed(place.clone(), 6),
            Errand::CodesRenewed(place),
            Errand::Test,
        ],
    );
    portal.work();
}

/// What is told of the organisation.
fn business(portal: &Portal, owner: &Visitor) {
    let app = portal.app();
    wares::invoice(portal, owner);
    portal.tamper("INSERT INTO billing (organisation_id, budget) SELECT id, 1 FROM organisations WHERE true ON CONFLICT DO UPDATE SET budget = 1");
    wares::resource(portal, owner);
    portal.travel(HOUR);
    let now = app.now();
    let account = owner.account();
    let month = Month::of(now);
    let percent = 100;
    let ended = backups::Attempt {
        cause: backups::Cause::Nightly,
        began_at: now,
        ended_at: now,
        place: "/var/lib/doorward/backups".to_owned(),
        outcome: Err("no space is left on the disk".to_owned()),
    };
    app.housekeep(now, |tx| backups::note_nightly(tx, &ended))
        .unwrap();
    owe(portal, &account, &[Errand::Budget { month, percent }]);
    portal.work();
}

/// One of every kind at least, with its kind.
fn all(portal: &Portal) -> Vec<(String, Message)> {
    let mut owner = portal.owner();
    portal.invite(&owner, Role::Billing, LEA);
    portal.work();
    portal.travel(25 * HOUR);
    let link = portal.link_for(LEA);
    portal.visitor().post(format!("{link}/ask"), &[]);
    portal.work();
    owner.get("/");
    owner.sign_in();
    let mut mia = portal.member(Role::Admin, MIA);
    let app = portal.app();
    let asked = app.read(app.now(), |read| two_factor::asked(read, &mia.account()));
    let Asked::By(end) = asked.unwrap() else {
        panic!("nothing is asked of an Admin");
    };
    owe(portal, &mia.account(), &[Errand::GraceEnds(end)]);
    portal.work();
    notices(portal, &mia.account());
    business(portal, &owner);
    links_and_owners(portal, &mut owner, &mut mia);
    let kinds: Vec<String> =
        portal.ask("SELECT message_id || ' ' || kind FROM errands WHERE state = 'sent'");
    let kind = |mail: &Message| {
        let found = kinds.iter().find_map(|row| row.strip_prefix(&mail.id));
        found.unwrap().trim().to_owned()
    };
    let mails: Vec<(String, Message)> = portal
        .mails()
        .into_iter()
        .map(|mail| (kind(&mail), mail))
        .collect();
    for wanted in Kind::ALL {
        let slug = wanted.slug();
        assert!(
            mails.iter().any(|(kind, _)| kind == slug),
            "there is no {slug}"
        );
    }
    mails
}

/// The long names of which a mail may be full.
fn portal() -> Portal {
    let portal = Portal::start();
    portal.owner();
    let name = "Håndverkstjenester & Sønner <AS>, forretningsområde Nord og Midt";
    portal.tamper(&format!("UPDATE organisations SET name = '{name}'"));
    portal
}

#[test]
fn every_kind_says_what_and_where_why_it_came_and_nothing_is_fetched() {
    let portal = portal();
    for (kind, mail) in all(&portal) {
        assert!(
            mail.subject.chars().count() < 150,
            "{kind}: {}",
            mail.subject
        );
        assert!(!mail.subject.contains(['\n', '\r']));
        for part in [
            "<meta name=\"color-scheme\" content=\"light dark\">",
            "prefers-color-scheme: dark",
            &format!("Sent to {} by portal.example.com.", mail.to),
        ] {
            assert!(mail.html.contains(part), "{kind}: {part} in {}", mail.html);
        }
        for remote in [
            "src=", "url(", "<link", "@import", "<img", "<script", "<form",
        ] {
            assert!(!mail.html.contains(remote), "{kind}: {remote}");
        }
        assert!(
            mail.html.len() <= 4_096,
            "{kind}: {} bytes",
            mail.html.len()
        );
        let written: Vec<&str> = mail
            .text
            .lines()
            .filter(|line| line.starts_with("https://portal.example.com"))
            .collect();
        assert_eq!(mail.html.matches("href=").count(), written.len(), "{kind}");
        for link in &written {
            assert!(
                mail.html.contains(&format!("href=\"{link}\"")),
                "{kind}: {link}"
            );
        }
        assert_eq!(mail.text.matches("http").count(), written.len(), "{kind}");
        // The facts of a bill stand one in a line, however long.
        let is_bill = ["invoice", "budget"].contains(&kind.as_str());
        for line in mail.text.lines().filter(|_| !is_bill) {
            assert!(
                line.chars().count() <= 72 || !line.trim().contains(' '),
                "{kind}: {line}"
            );
        }
        // Whatever was not expected has a way out; and whatever works for a while says until when, with the zone.
        let foot = mail
            .text
            .rsplit_once("\n\n--\n")
            .unwrap()
            .0
            .replace('\n', " ");
        assert!(
            [
                "Not you?",
                "You did not",
                "You get this",
                "Not what you",
                "You do not",
                "Questions?"
            ]
            .iter()
            .any(|why| foot.contains(why)),
            "{kind}: {foot}"
        );
        if ["activation", "reset", "email_confirm"].contains(&kind.as_str()) {
            assert!(
                foot.contains("until ") && foot.contains("(Europe/Oslo)"),
                "{kind}: {foot}"
            );
        }
    }
    portal.leave_mail();
}

/// A message whose every line is a trap.
fn traps() -> Vec<Message> {
    let message = |number: usize, subject: &str, text: &str| Message {
        id: format!("trap-{number}@portal.example.com"),
        date: doorward::kit::time::Timestamp(1_795_526_400),
        from: "\"Portal, Ltd\" <portal@example.com>".to_owned(),
        to: "ann@example.com".to_owned(),
        subject: subject.to_owned(),
        text: text.to_owned(),
        html: format!("<p>{}</p>\n", text.replace('\n', "<br>\n")),
    };
    let long = "x".repeat(2_000);
    let wide = "Grüße, 你好, 👋 ".repeat(150);
    vec![
        message(0, "Dots", ".\n..\n...\n.hidden\n\n.\n"),
        message(1, "Long", &format!("{long}\n.{long}\nend\n")),
        message(
            2,
            &"Grüße 👋 ".repeat(12),
            &format!("{wide}\n.\nFrom here on\n"),
        ),
        message(
            3,
            "=?utf-8?Q?not_a_word?=",
            "=20 = == =3D soft=\nbreaks \t\nends \n",
        ),
        message(
            4,
            "Borders",
            "--\n--=_0\n-- \n------\nContent-Type: text/html\n\n<b>no</b>\n",
        ),
    ]
}

/// Each as the relay received it, beside what was meant.
fn received(mails: &[Message], folder: &Path) {
    let fake = Fake::start(Security::StartTls);
    let smtp = Smtp::new(Relay::parse(&fake.url("")).unwrap(), "portal.example.com").unwrap();
    fs::create_dir_all(folder).unwrap();
    for (number, mail) in mails.iter().enumerate() {
        smtp.send(mail).unwrap();
        let meant = serde_json::json!({
            "id": mail.id, "date": mail.date.0, "from": mail.from, "to": mail.to,
            "subject": mail.subject, "text": mail.text, "html": mail.html,
        });
        fs::write(folder.join(format!("{number:02}.json")), meant.to_string()).unwrap();
    }
    for (number, mail) in fake.wait_for(mails.len()).iter().enumerate() {
        let bytes = format!("{}\r\n", mail.data);
        fs::write(folder.join(format!("{number:02}.eml")), bytes).unwrap();
    }
}

fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::remove_dir_all(&folder).ok();
    folder
}

#[test]
fn a_parser_that_is_not_ours_reads_what_was_meant() {
    let portal = portal();
    let mut mails: Vec<Message> = all(&portal).into_iter().map(|(_, mail)| mail).collect();
    mails.extend(traps());
    let folder = fresh("mails");
    received(&mails, &folder);
    let read = Command::new("python3")
        .arg("tests/second_parser.py")
        .arg(&folder)
        .output()
        .expect("python3 is needed to read mails with a parser that is not ours");
    let said = String::from_utf8_lossy(&read.stdout);
    let wrong = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{said}\n{wrong}");
    assert_eq!(
        said.trim(),
        format!("{} mails are what was meant", mails.len())
    );
    // A script that finds nothing wrong must be able to.
    let first = folder.join("00.eml");
    let text = fs::read_to_string(&first).unwrap();
    fs::write(&first, text.replacen("Subject: ", "Subject: X", 1)).unwrap();
    let read = Command::new("python3")
        .arg("tests/second_parser.py")
        .arg(&folder)
        .output()
        .unwrap();
    assert!(!read.status.success());
    fs::write(&first, text).unwrap();
    portal.leave_mail();
    assert!(portal.mails().iter().any(|mail| mail.to == OWNER));
}
