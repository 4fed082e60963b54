//! `kill -9` at random moments while a server works through a list: each person is invited once, and each mail comes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Write as _, stderr};
use std::time::Duration;

use doorward::kit::time::instant;

use crate::crash::file::File;
use crate::faults::seed::Seed;
use crate::letter::Letter;
use crate::relay::{Relay, Security};
use crate::served::{self, expect, found};
use crate::wait;

/// An organisation may invite 300 an hour.
const PEOPLE: i64 = 280;
/// The longest that a server lives before it is killed, in milliseconds; what a start takes is much of it.
const LIFE_MAX: usize = 400;
const KILLS_MAX: usize = 150;
const PATIENCE: Duration = Duration::from_secs(120);

/// All that must hold of the file, however far it has come; answers with how many are invited.
#[track_caller]
fn is_sound(file: &File, kill: usize) -> i64 {
    assert_eq!(file.faults(), [""; 0], "after kill {kill}");
    let of = |sql: &str| file.ask::<i64>(sql)[0];
    let invited = of("SELECT count(*) FROM import_lines WHERE state = 'invited'");
    // The line, the account, its invitation, the mail that is owed and the record are one.
    for (what, sql) in [
        (
            "accounts",
            "SELECT count(*) FROM accounts WHERE status = 'pending' AND email LIKE '%@x.example'",
        ),
        (
            "lines with an account of that address",
            "SELECT count(*) FROM import_lines l JOIN accounts a ON a.id = l.account_id AND a.email = l.email",
        ),
        (
            "invitations",
            "SELECT count(*) FROM invitations WHERE state = 'open'",
        ),
        (
            "mails",
            "SELECT count(*) FROM errands WHERE kind = 'activation'",
        ),
        (
            "records",
            "SELECT count(*) FROM audit_events WHERE action = 'account.created'",
        ),
    ] {
        assert_eq!(of(sql), invited, "{what} after kill {kill}");
    }
    assert_eq!(of("SELECT count(*) FROM import_lines"), PEOPLE);
    invited
}

#[test]
fn a_kill_amid_a_list_loses_nobody_and_invites_nobody_twice() {
    let began = instant();
    let mut chance = Seed::new();
    let relay = Relay::start(Security::Plain);
    let mut process = served::launch(&relay, "").start();
    let mut owner = found(&process);
    let list = (0..PEOPLE).fold(String::new(), |mut list, one| {
        writeln!(list, "p{one}@x.example,Member,Person {one}").unwrap();
        list
    });
    owner.get("/iam/import");
    let page = owner.post_form("/iam/import", &[("list", &list), ("role", "member")]);
    let page = expect(page, 303).location().to_owned();
    assert_eq!(owner.get(&page).status, 200);
    let path = format!("{page}/begin");
    expect(owner.post_form(&path, &[]), 303);
    process.kill9();
    let (mut kills, mut amid) = (1, 0);
    let mut invited = is_sound(&File::copy(process.data()), kills);
    amid += usize::from(invited < PEOPLE);
    while invited < PEOPLE && kills < KILLS_MAX {
        let life = Duration::from_millis(u64::try_from(20 + chance.below(LIFE_MAX)).unwrap());
        process.kill9_after(life);
        kills += 1;
        let before = invited;
        invited = is_sound(&File::copy(process.data()), kills);
        assert!(invited >= before, "somebody is gone after kill {kills}");
        amid += usize::from(invited > before && invited < PEOPLE);
    }
    process.restart();
    let owed = "SELECT (SELECT count(*) FROM errands WHERE state IN ('waiting', 'sending'))
        + (SELECT count(*) FROM imports WHERE state = 'running')";
    let file = wait::until(PATIENCE, || {
        let file = File::copy(process.data());
        (file.ask::<i64>(owed) == [0]).then_some(file)
    });
    let file = file.unwrap_or_else(|| panic!("it never came to an end:\n{}", process.output()));
    assert_eq!(is_sound(&file, kills), PEOPLE);
    assert_eq!(file.ask::<String>("SELECT state FROM imports"), ["done"]);
    assert_eq!(
        file.ask::<i64>(
            "SELECT count(*) FROM audit_events WHERE action IN ('import.began', 'import.ended')"
        ),
        [2]
    );
    // Each mail came; one that came twice is the same, under its Message-ID.
    let mut came: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for mail in relay.messages() {
        let letter = Letter::read(&mail.data);
        let id = letter
            .header("message-id")
            .trim_matches(['<', '>'])
            .to_owned();
        let (count, links) = came.entry(id).or_default();
        *count += 1;
        links.insert(crate::letter::path_of(&letter.link()));
    }
    let ids = file.ask::<String>("SELECT message_id FROM errands WHERE kind = 'activation'");
    assert_eq!(i64::try_from(ids.len()).unwrap(), PEOPLE);
    let missing = ids.iter().filter(|id| !came.contains_key(*id)).count();
    assert_eq!(missing, 0, "mails never came");
    assert!(
        ids.iter().all(|id| came[id].1.len() == 1),
        "a mail came with two links"
    );
    let doubles: usize = ids.iter().map(|id| came[id].0 - 1).sum();
    assert!(doubles <= kills, "{doubles} doubles");
    assert!(process.run(&["audit", "verify"]).status.success());
    writeln!(
        stderr(),
        "imports: seed {}: {kills} kills, {amid} of them amid a list of {PEOPLE}; nobody lost, nobody twice, {PEOPLE} mails, \
         {doubles} came twice under their Message-ID, {} s",
        chance.first,
        began.elapsed().as_secs()
    )
    .ok();
    assert!(amid > 0, "no kill came amid it");
}
