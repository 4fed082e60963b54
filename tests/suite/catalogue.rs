//! What an import of a catalogue does and does not do: to plans, to prices past and to come, to what runs, and to months
//! that are closed; and the commands beside a running server.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use doorward::catalogue::file::{File, Kind, Plan, Spot};
use doorward::catalogue::{self, Imported};
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::error::Error;
use doorward::kit::time::{DAY, HOUR, Timestamp};
use doorward::resources::{self, Charge};
use doorward::scope::By;
use serde_json::Value;

use crate::portal::{OWNER, Portal, START};
use crate::process::{Doorward, Launch};
use crate::served;
use crate::wait;
use crate::wares::{self, import};

/// How long a second may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// 1 December 2026.
const FIRST: Timestamp = Timestamp(1_796_083_200);

fn plan(key: &str, price: i64, from: Option<Timestamp>) -> Plan {
    Plan {
        key: key.to_owned(),
        name: format!("Plan {key}"),
        price: Money(price),
        from,
    }
}

/// A catalogue of one kind with these plans.
fn servers(plans: Vec<Plan>) -> File {
    File {
        currency: "EUR".parse().unwrap(),
        kinds: vec![Kind {
            key: "server".to_owned(),
            name: "Server".to_owned(),
            plans,
        }],
    }
}

/// A catalogue of one plan.
fn server(price: i64, from: Option<Timestamp>) -> File {
    servers(vec![plan("s-1", price, from)])
}

/// Every price of this plan: since when, and how much.
fn prices(portal: &Portal, key: &str) -> Vec<(i64, i64)> {
    let ask = |column: &str| {
        portal.ask::<i64>(&format!(
            "SELECT c.{column} FROM prices c JOIN plans p ON p.id = c.plan_id WHERE p.key = '{key}' ORDER BY c.starts_at"
        ))
    };
    ask("starts_at").into_iter().zip(ask("amount")).collect()
}

/// What can be had, by name and price.
fn offers(portal: &Portal) -> Vec<(String, i64)> {
    let app = portal.app();
    let offers = app.read(app.now(), |read| Ok(catalogue::offers(read)?));
    let offers = offers.unwrap().into_iter();
    offers
        .map(|offer| (offer.plan.slug(), offer.price.0))
        .collect()
}

/// Why this catalogue cannot be imported; nothing is changed by the try.
#[track_caller]
fn refused(portal: &Portal, file: &File) -> (Spot, String) {
    let app = portal.app();
    let all = || {
        let tables = ["prices", "plans", "kinds", "catalogue", "audit_events"];
        tables.map(|table| portal.ask::<i64>(&format!("SELECT count(*) FROM {table}")))
    };
    let before = all();
    let told = app.read(app.now(), |read| catalogue::changes(read, file));
    let told = told.unwrap().unwrap_err();
    let done = app.write_if(app.now(), |tx| catalogue::import(tx, &By::operator(), file));
    let Err(Error::Refused(sentence)) = done else {
        panic!("it was imported: {done:?}")
    };
    assert_eq!(all(), before);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].sentence, sentence);
    (told[0].spot, sentence)
}

fn imports(portal: &Portal) -> usize {
    let entries = portal.audit(None).into_iter();
    entries
        .filter(|entry| entry.action == "catalogue.imported")
        .count()
}

#[test]
fn the_same_file_twice_changes_nothing_and_leaves_no_record() {
    let portal = Portal::start();
    let _owner = portal.owner();
    let file = servers(vec![
        plan("s-1", 1_240, None),
        plan("s-2", 2_480, Some(Timestamp(START.0 - 40 * DAY))),
        plan("s-3", 4_960, Some(FIRST)),
    ]);
    let first = import(&portal, &file).unwrap();
    let expected = Imported {
        added: 3,
        opening: [(FIRST, 1)].into(),
        ..Imported::default()
    };
    assert_eq!(first, expected);
    assert_eq!(imports(&portal), 1);
    let had = offers(&portal);
    assert_eq!(
        had,
        [
            ("server/s-1".to_owned(), 1_240),
            ("server/s-2".to_owned(), 2_480)
        ]
    );
    // A plan that is new begins now at the earliest, whatever it says.
    assert_eq!(prices(&portal, "s-2"), [(START.0, 2_480)]);
    assert_eq!(prices(&portal, "s-3"), [(FIRST.0, 4_960)]);
    for wait in [0, 1, 5 * DAY, 30 * DAY] {
        portal.travel(wait);
        assert_eq!(import(&portal, &file), None, "after {wait} s");
    }
    assert_eq!(imports(&portal), 1);
    assert_eq!(offers(&portal).len(), 3);
}

#[test]
fn a_price_changes_now_or_on_a_day_and_what_was_stays() {
    let portal = Portal::start();
    let _owner = portal.owner();
    import(&portal, &server(1_000, None));
    portal.travel(DAY);
    let changed = import(&portal, &server(1_100, None)).unwrap();
    let now = Timestamp(START.0 + DAY);
    assert_eq!(changed.repriced, [(now, 1)].into());
    let two = [(START.0, 1_000), (now.0, 1_100)];
    assert_eq!(prices(&portal, "s-1"), two);

    // A day to come, which is moved, and then taken back.
    let planned = import(&portal, &server(1_200, Some(FIRST))).unwrap();
    assert_eq!(planned.repriced, [(FIRST, 1)].into());
    assert_eq!(prices(&portal, "s-1")[2..], [(FIRST.0, 1_200)]);
    let later = Timestamp(FIRST.0 + 31 * DAY);
    let moved = import(&portal, &server(1_200, Some(later))).unwrap();
    assert_eq!((moved.repriced, moved.taken_back), ([(later, 1)].into(), 0));
    assert_eq!(prices(&portal, "s-1")[2..], [(later.0, 1_200)]);
    let back = import(&portal, &server(1_100, None)).unwrap();
    assert_eq!((back.repriced.len(), back.taken_back), (0, 1));
    assert_eq!(prices(&portal, "s-1"), two);

    // Once it has begun it stays, and the file that planned it is still right.
    import(&portal, &server(1_200, Some(FIRST)));
    portal.travel(10 * DAY);
    assert_eq!(import(&portal, &server(1_200, Some(FIRST))), None);
    assert_eq!(offers(&portal), [("server/s-1".to_owned(), 1_200)]);
    import(&portal, &server(1_300, None)).unwrap();
    let all = prices(&portal, "s-1");
    assert_eq!(all[..2], two);
    assert_eq!(all[2], (FIRST.0, 1_200));
    assert_eq!(all[3], (START.0 + 11 * DAY, 1_300));
}

#[test]
fn a_past_that_was_another_is_refused_with_what_it_was() {
    let portal = Portal::start();
    let _owner = portal.owner();
    import(&portal, &server(1_240, None));
    import(&portal, &server(1_500, Some(FIRST)));
    portal.travel(10 * DAY);
    let spot = Spot::From { kind: 0, plan: 0 };
    const END: &str = "and a price that has begun is never changed; leave from out to change it from now on, or name a day \
                       to come";
    let before = Timestamp(FIRST.0 - 1);
    assert_eq!(
        refused(&portal, &server(1_500, Some(before))),
        (
            spot,
            format!("server/s-1 cost 12.40 EUR until 1 Dec 2026, 00:00 UTC, {END}")
        )
    );
    assert_eq!(
        refused(&portal, &server(1_600, Some(FIRST))),
        (
            spot,
            format!("server/s-1 costs 15.00 EUR since 1 Dec 2026, 00:00 UTC, {END}")
        )
    );
    // It was so since then, and before it was not at all.
    assert_eq!(import(&portal, &server(1_500, Some(FIRST))), None);
    assert_eq!(
        import(&portal, &server(1_500, Some(Timestamp(FIRST.0 + DAY)))),
        None
    );
}

#[test]
fn two_prices_in_one_second_leave_the_last() {
    let portal = Portal::start();
    let _owner = portal.owner();
    import(&portal, &server(1_000, None));
    import(&portal, &server(1_100, None));
    import(&portal, &server(1_200, Some(START)));
    assert_eq!(prices(&portal, "s-1"), [(START.0, 1_200)]);
    import(&portal, &server(2_000, Some(FIRST)));
    import(&portal, &server(3_000, Some(FIRST)));
    let both = [(START.0, 1_200), (FIRST.0, 3_000)];
    assert_eq!(prices(&portal, "s-1"), both);
    portal.travel(FIRST.since(START));
    import(&portal, &server(4_000, None));
    assert_eq!(prices(&portal, "s-1"), [both[0], (FIRST.0, 4_000)]);
    // What was created in this very second goes on with the price it had when the plan goes.
    let owner = portal.signed_in(OWNER);
    wares::create(&portal, &owner, "web-1", "server/s-1");
    import(&portal, &servers(vec![plan("s-2", 1, None)]));
    assert_eq!(prices(&portal, "s-1"), [both[0], (FIRST.0, 4_000)]);
}

#[test]
fn what_is_not_named_is_closed_for_the_new_and_kept_for_what_runs() {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    wares::create(&portal, &owner, "db", "database/db-1");
    wares::create(&portal, &owner, "web-1", "server/s-2");
    wares::create(&portal, &owner, "web-2", "server/s-2");
    let mut less = wares::file();
    less.kinds[0].plans[0].price = Money(1_300);
    less.kinds[0].plans[0].from = Some(FIRST);
    import(&portal, &less);
    less.kinds.pop();
    less.kinds[0].plans.remove(0);
    less.kinds[0].plans.swap_remove(0);
    less.kinds[0].plans.push(plan("s-9", 9_000, None));
    let closed = import(&portal, &less).unwrap();
    let expected = Imported {
        added: 1,
        closed: 3,
        kept: 3,
        taken_back: 1,
        ..Imported::default()
    };
    assert_eq!(closed, expected);
    assert_eq!(offers(&portal), [("server/s-9".to_owned(), 9_000)]);
    assert_eq!(prices(&portal, "s-1"), [(START.0, 1_240)]);
    // What runs costs what it did.
    portal.travel(FIRST.since(START));
    let month = charges(&portal, Month::of(START));
    let amounts: Vec<Money> = month.iter().map(|charge| charge.price).collect();
    assert_eq!(amounts.len(), 3);
    assert_eq!(
        amounts.iter().copied().sum::<Money>(),
        Money(8_800 + 2 * 2_480)
    );
    // Named again, it is on offer again, under the name of now and at the price of now.
    let mut again = wares::file();
    again.kinds[0].name = "Machine".to_owned();
    again.kinds[1].plans[0].name = "20 GB, mirrored".to_owned();
    again.kinds[0].plans[1].price = Money(2_500);
    let reopened = import(&portal, &again).unwrap();
    let expected = Imported {
        reopened: 3,
        renamed: 2,
        repriced: [(FIRST, 1)].into(),
        is_moved: reopened.is_moved,
        closed: 1,
        ..Imported::default()
    };
    assert_eq!(reopened, expected);
    assert_eq!(
        offers(&portal),
        [
            ("server/s-1".to_owned(), 1_240),
            ("server/s-2".to_owned(), 2_500),
            ("database/db-1".to_owned(), 8_800)
        ]
    );
    assert_eq!(portal.ask::<i64>("SELECT count(*) FROM plans"), [4]);
}

#[test]
fn another_order_is_a_change_and_another_name_too() {
    let portal = Portal::start();
    let _owner = portal.owner();
    wares::stock(&portal);
    let mut file = wares::file();
    file.kinds.reverse();
    let moved = import(&portal, &file).unwrap();
    let expected = Imported {
        is_moved: true,
        ..Imported::default()
    };
    assert_eq!(moved, expected);
    assert_eq!(offers(&portal)[0].0, "database/db-1");
    file.kinds[1].name = "Machine".to_owned();
    assert_eq!(import(&portal, &file).unwrap().renamed, 1);
    assert_eq!(import(&portal, &file), None);
}

#[test]
fn the_currency_may_be_corrected_until_something_was_counted_in_it() {
    let portal = Portal::start();
    let _owner = portal.owner();
    wares::stock(&portal);
    portal.travel(DAY);
    let dollars = |price| File {
        currency: "USD".parse().unwrap(),
        ..server(price, Some(Timestamp(START.0 - DAY)))
    };
    let changed = import(&portal, &dollars(1_400)).unwrap();
    assert_eq!(changed.currency_before, Some("EUR".parse().unwrap()));
    assert_eq!(changed.closed, 2);
    // No price in euros is left, and the new one begins now.
    assert_eq!(portal.ask::<i64>("SELECT amount FROM prices"), [1_400]);
    assert_eq!(prices(&portal, "s-1"), [(START.0 + DAY, 1_400)]);
    // Back again, and then there is a budget: it stays.
    wares::stock(&portal);
    let organisation = portal.first().number();
    portal.tamper(&format!(
        "INSERT INTO billing (organisation_id, budget) VALUES ({organisation}, 1000)"
    ));
    const WHY: &str = "the currency is EUR for good, since there are resources or budgets in it; write \"EUR\", and prices \
                       in it";
    let expected = (Spot::Currency, WHY.to_owned());
    assert_eq!(refused(&portal, &dollars(1_400)), expected);
    portal.tamper("DELETE FROM billing");
    assert!(import(&portal, &dollars(1_400)).is_some());
    wares::stock(&portal);
    let owner = portal.signed_in(OWNER);
    let id = wares::create(&portal, &owner, "web-1", "server/s-1");
    assert_eq!(refused(&portal, &dollars(1_400)), expected);
    // Even after it has ended.
    portal.tamper(&format!(
        "UPDATE resources SET ended_at = created_at WHERE id = {}",
        id.number()
    ));
    assert_eq!(refused(&portal, &dollars(1_400)), expected);
}

/// What the first organisation pays for all of this month.
fn charges(portal: &Portal, month: Month) -> Vec<Charge> {
    let app = portal.app();
    let charges = app.read(app.now(), |read| {
        resources::month(read, portal.first(), month, month.span().until)
    });
    charges.unwrap()
}

/// What was charged in each month that is closed.
fn closed(portal: &Portal) -> Vec<(Month, Vec<Charge>)> {
    let until = Timestamp(portal.ask::<i64>("SELECT max(closed_until) FROM ledgers")[0]);
    let mut month = Month::of(START);
    let mut closed = Vec::new();
    while month.span().until <= until {
        closed.push((month, charges(portal, month)));
        month = month.next();
    }
    closed
}

#[test]
fn no_import_changes_a_month_that_is_closed() {
    let portal = Portal::start();
    let owner = portal.owner();
    wares::stock(&portal);
    for (name, plan) in [
        ("a", "server/s-1"),
        ("b", "server/s-2"),
        ("c", "database/db-1"),
    ] {
        wares::create(&portal, &owner, name, plan);
    }
    let mut random = 20_261_124_u64;
    let mut below = |end: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        i64::try_from((random >> 33) % end).unwrap()
    };
    let mut before = Vec::new();
    let mut counts = [0, 0];
    for _ in 0..240 {
        portal.travel(below(4) * below(40) * HOUR);
        portal.work();
        let now = closed(&portal);
        assert_eq!(now[..before.len()], before[..]);
        before = now;
        let mut file = wares::file();
        for kind in &mut file.kinds {
            for plan in &mut kind.plans {
                plan.price = Money(below(3) * 1_000);
                plan.from = match below(3) {
                    0 => None,
                    1 => Some(portal.app().now().minus(below(60) * DAY)),
                    _ => Some(portal.app().now().plus(below(60) * DAY)),
                };
            }
            if below(4) == 0 {
                kind.plans.truncate(1);
            }
        }
        if below(4) == 0 {
            file.kinds.truncate(1);
        }
        let app = portal.app();
        let done = app.write_if(app.now(), |tx| {
            catalogue::import(tx, &By::operator(), &file)
        });
        match done {
            Ok(_) => counts[0] += 1,
            Err(Error::Refused(_)) => counts[1] += 1,
            Err(other) => panic!("{other}"),
        }
        assert_eq!(closed(&portal), before);
    }
    assert!(before.len() >= 6, "{} months were closed", before.len());
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
    // What the invoices say is what would be billed today.
    for (month, charges) in before {
        let start = month.start().0;
        let net = portal.ask::<i64>(&format!("SELECT net FROM invoices WHERE from_at = {start}"));
        let sum: Money = charges.iter().map(|charge| charge.amount).sum();
        assert_eq!(net.first().copied().unwrap_or_default(), sum.0, "{month}");
    }
}

#[test]
fn a_month_that_was_closed_by_a_clock_ahead_of_time_stays_too() {
    let portal = Portal::start();
    let owner = portal.owner();
    import(&portal, &server(1_000, None));
    wares::create(&portal, &owner, "web-1", "server/s-1");
    portal.travel(40 * DAY);
    portal.work();
    let before = closed(&portal);
    assert_eq!(before.len(), 2);
    portal.travel(-38 * DAY);
    portal.restart(|_, _| {});
    assert!(portal.app().now() < FIRST);
    let until = Month::of(FIRST).span().until;
    let changed = import(&portal, &server(2_000, None)).unwrap();
    assert_eq!(changed.repriced, [(until, 1)].into());
    refused(&portal, &server(3_000, Some(FIRST)));
    assert_eq!(closed(&portal), before);
    assert_eq!(prices(&portal, "s-1"), [(START.0, 1_000), (until.0, 2_000)]);
}

/// What it printed to both streams, when it ended with this code.
#[track_caller]
fn ended(output: &Output, code: i32) -> (String, String) {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

/// The import of what stands on standard input.
fn by_hand(data: &Path, input: impl Into<Stdio>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    let command = command.args(["catalogue", "import", "-"]);
    command
        .env("DOORWARD_DATA", data)
        .stdin(input)
        .output()
        .unwrap()
}

/// What it said when it did what it was asked.
#[track_caller]
fn done(process: &Doorward, args: &[&str]) -> String {
    ended(&process.run(args), 0).0
}

#[test]
fn the_operator_imports_and_lists_beside_a_running_server() {
    let process = Launch::serve().start();
    let _owner = served::found(&process);
    let (out, err) = ended(&process.run(&["catalogue", "list"]), 0);
    assert_eq!(out, "");
    let hint = "There is no catalogue yet; import one: doorward catalogue import FILE\n";
    assert!(err.ends_with(hint), "{err}");
    assert_eq!(done(&process, &["catalogue", "list", "--json"]), "[]\n");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.toml");
    let name = file.to_str().unwrap();
    let example = include_str!("../../packaging/catalogue.toml");
    fs::write(&file, example).unwrap();
    assert_eq!(
        done(&process, &["catalogue", "import", "--check", name]),
        format!("{name} is right. Imported now, it means: 7 plans added.\n")
    );
    assert_eq!(done(&process, &["catalogue", "list", "--json"]), "[]\n");
    assert_eq!(
        done(&process, &["catalogue", "import", name]),
        "7 plans added.\n"
    );
    let same = "Nothing changes: the catalogue is this one already.\n";
    assert_eq!(done(&process, &["catalogue", "import", name]), same);

    let changed = example
        .replace("price = 4960", "price = 5200\nfrom = 2099-01-01")
        .replace("price = 8800", "price = 9000")
        .replace("name = \"Storage\"", "name = \"Room\"");
    let shorter = changed
        .split_once("\n[[kind.plan]]\nkey = \"st-1000\"")
        .unwrap()
        .0;
    fs::write(&file, shorter).unwrap();
    let piped = by_hand(process.data(), fs::File::open(&file).unwrap());
    let (out, _) = ended(&piped, 0);
    assert_eq!(
        out,
        "1 price changes now, 1 price changes on 1 Jan 2099, 1 name changes, 1 plan closed for new resources.\n"
    );
    let listed: Value =
        serde_json::from_str(&done(&process, &["catalogue", "list", "--json"])).unwrap();
    let plan = |slug: (&str, &str)| {
        let all = listed.as_array().unwrap().iter();
        all.clone()
            .find(|one| one["kind"] == slug.0 && one["plan"] == slug.1)
            .unwrap()
    };
    let of_four = plan(("server", "s-4"));
    assert_eq!(of_four["price"], 4_960);
    assert_eq!(of_four["next_price"], 5_200);
    assert_eq!(of_four["next_price_from"], "2099-01-01T00:00:00Z");
    assert_eq!(
        (&of_four["currency"], &of_four["running"]),
        (&"EUR".into(), &0.into())
    );
    assert!(of_four["closed_at"].is_null());
    assert!(plan(("storage", "st-1000"))["closed_at"].is_string());
    let table = done(&process, &["catalogue", "list"]);
    let line = |word: &str| table.lines().find(|line| line.contains(word)).unwrap();
    assert!(line("s-4").contains("49.60 EUR"), "{table}");
    assert!(
        line("s-4").contains("52.00 EUR from 2099-01-01 00:00"),
        "{table}"
    );
    assert!(line("s-4").contains("On offer"), "{table}");
    assert!(line("st-1000").contains("Closed 20"), "{table}");
    let (verified, _) = ended(&process.run(&["audit", "verify"]), 0);
    assert!(!verified.is_empty());
}

#[test]
fn a_catalogue_that_is_wrong_is_told_line_by_line_and_changes_nothing() {
    let launch = Launch::serve();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue.toml");
    let name = file.to_str().unwrap();
    let wrong = "currency = \"EUR\"\n[[kind]]\nkey = \"Server\"\nname = \"Server\"\n[[kind.plan]]\nkey = \"s-1\"\n\
                 name = \"One\"\nprice = 12.50\n";
    fs::write(&file, wrong).unwrap();
    // It needs no install to be told.
    let (_, told) = ended(&launch.run(&["catalogue", "import", name]), 1);
    assert_eq!(
        told,
        format!(
            "error: {name}:3:7: a key is 1 to 40 of a to z, 0 to 9 and -; write it like \"server\"\n       \
             {name}:8:9: a price is a whole number of cents: write 1250 for 12.50\n       Nothing was changed.\n"
        )
    );
    let many = "[[kind]]\nx = 1\n".repeat(100);
    fs::write(&file, many).unwrap();
    let (_, told) = ended(&launch.run(&["catalogue", "import", name]), 1);
    assert_eq!(told.lines().count(), 52, "{told}");
    assert!(told.contains("and 351 more; mend these first"), "{told}");
    let (_, told) = ended(&launch.run(&["catalogue", "import", "/nowhere.toml"]), 1);
    assert!(
        told.starts_with("error: /nowhere.toml cannot be read (No such file"),
        "{told}"
    );
    ended(&launch.run(&["catalogue", "import"]), 2);
    fs::write(&file, include_str!("../../packaging/catalogue.toml")).unwrap();
    ended(&launch.run(&["catalogue", "import", name]), 3);

    let process = launch.start();
    let _owner = served::found(&process);
    done(&process, &["catalogue", "import", name]);
    let older = include_str!("../../packaging/catalogue.toml")
        .replace("price = 2480", "price = 2500\nfrom = 2020-01-01");
    fs::write(&file, &older).unwrap();
    let line = older
        .lines()
        .position(|line| line == "from = 2020-01-01")
        .unwrap()
        + 1;
    let expected = format!("error: {name}:{line}:8: server/s-2 costs 24.80 EUR since ");
    // A price of this very second could still become another.
    let check = ["catalogue", "import", "--check", name];
    let past = wait::until(PATIENCE, || {
        (process.run(&check).status.code() == Some(1)).then_some(())
    });
    assert!(past.is_some());
    for args in [&check[..], &["catalogue", "import", name]] {
        let (_, told) = ended(&process.run(args), 1);
        assert!(told.contains(&expected), "{told}");
    }
}

#[test]
fn a_reader_of_standard_input_that_never_ends_is_cut_off() {
    let launch = Launch::serve();
    let mut endless = Command::new("yes").stdout(Stdio::piped()).spawn().unwrap();
    let output = by_hand(launch.data(), endless.stdout.take().unwrap());
    endless.kill().unwrap();
    endless.wait().unwrap();
    let (_, told) = ended(&output, 1);
    assert!(
        told.starts_with("error: standard input:1:1: no catalogue is larger than 1 MiB"),
        "{told}"
    );
}
