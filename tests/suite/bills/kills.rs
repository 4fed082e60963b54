//! `kill -9` at random moments while a server closes months: what is there is whole, and the rest is done by the next start.

use std::collections::BTreeMap;
use std::io::{Write as _, stderr};
use std::time::Duration;

use doorward::domain::month::Month;
use doorward::kit::time::{Clock as _, SystemClock, instant};
use rusqlite::Connection;

use super::faults;
use crate::crash::file::File;
use crate::faults::seed::Seed;
use crate::letter::Letter;
use crate::relay::{Relay, Security};
use crate::{served, wait, wares};

const ORGANISATIONS: i64 = 12;
const RESOURCES: i64 = 20;
const MONTHS: i64 = 24;
/// The longest that a server lives before it is killed, in milliseconds; what a start takes is much of it.
const LIFE_MAX: usize = 500;
const PATIENCE: Duration = Duration::from_secs(90);

fn wanted() -> i64 {
    ORGANISATIONS * MONTHS
}

/// All that must hold of the file, however far it has come.
#[track_caller]
fn is_sound(file: &File, kill: usize) -> i64 {
    assert_eq!(
        faults(|sql| file.ask::<i64>(sql)[0]),
        [""; 0],
        "after kill {kill}"
    );
    assert_eq!(file.ask::<String>("PRAGMA integrity_check"), ["ok"]);
    let torn = "SELECT count(*) FROM invoices i WHERE net <> 1240 * 20
        OR (SELECT count(*) FROM invoice_lines l WHERE l.organisation_id = i.organisation_id AND l.year = i.year
              AND l.number = i.number) <> 20";
    assert_eq!(file.ask::<i64>(torn), [0], "after kill {kill}");
    file.ask::<i64>("SELECT count(*) FROM invoices")[0]
}

#[test]
fn a_kill_in_the_middle_of_closing_leaves_no_gap_no_double_and_one_mail_for_each() {
    let began = instant();
    let mut chance = Seed::new();
    let relay = Relay::start(Security::Plain);
    let launch = served::launch(&relay, "");
    let create = [
        "org",
        "create",
        "--name",
        "Halden Works",
        "--master-email",
        "ingrid@haldenworks.example",
    ];
    assert!(launch.run(&create).status.success());
    let since = (0..MONTHS).fold(Month::of(SystemClock::new().now()), |month, _| {
        month.previous()
    });
    let file = Connection::open(launch.data().join("doorward.db")).unwrap();
    wares::crowd(&file, (ORGANISATIONS, RESOURCES), since.start().0);
    drop(file);
    let (mut kills, mut amid) = (0, 0);
    let mut closed = 0;
    let mut contents = BTreeMap::new();
    while closed < wanted() && kills < 200 {
        let life = Duration::from_millis(u64::try_from(20 + chance.below(LIFE_MAX)).unwrap());
        launch.kill9_after(life);
        kills += 1;
        let file = File::copy(launch.data());
        let before = closed;
        closed = is_sound(&file, kills);
        assert!(closed >= before, "an invoice is gone after kill {kills}");
        amid += usize::from(closed > before && closed < wanted());
        // What was issued is for ever.
        let all = "SELECT organisation_id || ' ' || from_at || ' ' || year || ' ' || number || '=' || issued_at || ' ' || total
            FROM invoices";
        for one in file.ask::<String>(all) {
            let (which, what) = one.split_once('=').unwrap();
            let known = contents
                .entry(which.to_owned())
                .or_insert_with(|| what.to_owned());
            assert_eq!(known, what, "an invoice has changed");
        }
    }
    let process = launch.start();
    let owed = "SELECT count(*) FROM errands WHERE state IN ('waiting', 'sending')";
    let file = wait::until(PATIENCE, || {
        let file = File::copy(process.data());
        let is_over = is_sound(&file, kills) == wanted() && file.ask::<i64>(owed) == [0];
        is_over.then_some(file)
    });
    let file = file.unwrap_or_else(|| panic!("it never came to an end:\n{}", process.output()));
    // Each mail came, and one that came twice is the same.
    let mut came: BTreeMap<String, usize> = BTreeMap::new();
    let mut invoices = 0;
    for mail in relay.messages() {
        let letter = Letter::read(&mail.data);
        invoices += usize::from(letter.header("subject").contains("Invoice"));
        let id = letter
            .header("message-id")
            .trim_matches(['<', '>'])
            .to_owned();
        *came.entry(id).or_default() += 1;
    }
    let ids = file.ask::<String>("SELECT message_id FROM errands WHERE kind = 'invoice'");
    assert_eq!(i64::try_from(ids.len()).unwrap(), wanted());
    let missing = ids.iter().filter(|id| !came.contains_key(*id)).count();
    assert_eq!(missing, 0, "mails never came");
    let doubles: usize = ids.iter().map(|id| came[id] - 1).sum();
    assert!(doubles <= kills, "{doubles} doubles");
    assert!(process.run(&["audit", "verify"]).status.success());
    writeln!(
        stderr(),
        "bills: seed {}: {kills} kills, {amid} of them amid the closing of {} months; 0 gaps, 0 doubles, all sums, {invoices} \
         mails for {} invoices, {doubles} came twice under their Message-ID, {} s",
        chance.first,
        wanted(),
        wanted(),
        began.elapsed().as_secs()
    )
    .ok();
    assert!(amid > 0, "no kill came amid it");
}
