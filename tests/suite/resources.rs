//! Resources in the browser: what the list and the pages say to whom, what is asked before anything costs something, and
//! what is refused.

use doorward::catalogue::file::File;
use doorward::domain::id::{AccountId, ResourceId};
use doorward::domain::money::Money;
use doorward::domain::month::Month;
use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::{DAY, HOUR, MINUTE};
use doorward::resources::{self, Charge};
use doorward::scope::Allowed;

use crate::portal::{OWNER, Portal};
use crate::visitor::Visitor;
use crate::wares;

const SERVER: &str = "server/s-1";
const BIGGER: &str = "server/s-2";
const DATABASE: &str = "database/db-1";

/// What every resource of the first organisation has cost this month until now.
fn charges(portal: &Portal) -> Vec<Charge> {
    let app = portal.app();
    let now = app.now();
    app.read(now, |read| {
        resources::month(read, portal.first(), Month::of(now), now)
    })
    .unwrap()
}

/// "€12.40".
fn shown(amount: Money) -> String {
    "EUR"
        .parse::<doorward::domain::money::Currency>()
        .unwrap()
        .show(amount)
}

fn cost_of(portal: &Portal, id: ResourceId) -> Money {
    let charges = charges(portal);
    let of_it = charges.iter().filter(|charge| charge.resource == id);
    of_it.map(|charge| charge.amount).sum()
}

fn total(portal: &Portal) -> Money {
    charges(portal).iter().map(|charge| charge.amount).sum()
}

/// The catalogue of the tests with another price for the small server.
fn dearer(price: i64) -> File {
    let mut file = wares::file();
    file.kinds[0].plans[0].price = Money(price);
    file
}

/// The same without the small server.
fn without_small() -> File {
    let mut file = wares::file();
    file.kinds[0].plans.remove(0);
    file
}

fn id_of(portal: &Portal, name: &str) -> ResourceId {
    portal.ask(&format!(
        "SELECT id FROM resources WHERE name = '{name}' ORDER BY created_at DESC"
    ))[0]
}

fn count(portal: &Portal) -> i64 {
    portal.ask("SELECT count(*) FROM resources")[0]
}

fn recorded(portal: &Portal, action: &str) -> usize {
    let entries = portal.audit(Some(portal.first()));
    entries.iter().filter(|one| one.action == action).count()
}

/// Hands it over by its verb.
fn hand(portal: &Portal, by: &Visitor, id: ResourceId, to: AccountId) {
    let app = portal.app();
    let allowed = Allowed::to(&by.scope().unwrap(), &by.by()).unwrap();
    app.write_if(app.now(), |tx| resources::hand_over(tx, &allowed, id, to))
        .unwrap()
        .unwrap();
}

fn end(portal: &Portal, by: &Visitor, id: ResourceId) {
    let app = portal.app();
    let allowed = Allowed::to(&by.scope().unwrap(), &by.by()).unwrap();
    app.write(app.now(), |tx| resources::end(tx, &allowed, id))
        .unwrap();
}

/// Whether something stands there that reads like "12.40".
fn has_amount(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .windows(4)
        .any(|four| four[1] == b'.' && [four[0], four[2], four[3]].iter().all(u8::is_ascii_digit))
}

/// The names of the list, in their order.
fn names(visitor: &Visitor) -> Vec<String> {
    let page = visitor.html();
    let body = page.split("<tbody").nth(1).unwrap_or_default();
    let body = body.split("</tbody>").next().unwrap_or_default();
    body.split("class=\"c-main\">")
        .skip(1)
        .map(|cell| {
            let name = cell.split('>').nth(1).unwrap_or_default();
            name.split('<').next().unwrap_or_default().to_owned()
        })
        .collect()
}

#[test]
fn each_role_reads_where_there_is_nothing_what_will_be_there_and_who_makes_it_so() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut member = portal.member(Role::Member, "mia@fjord.example");
    for person in [&mut owner, &mut member] {
        person
            .get("/resources")
            .answers(200)
            .sees("No catalogue yet")
            .sees("doorward catalogue import FILE")
            .sees_not("Create resource")
            .sees_not("CSV");
    }
    owner
        .get("/resources/new")
        .answers(200)
        .sees("No catalogue yet");
    owner
        .post(
            "/resources/new",
            &[("name", "web-1"), ("note", ""), ("plan", SERVER)],
        )
        .answers(422)
        .sees("No catalogue yet");
    wares::stock(&portal);
    owner
        .get("/resources")
        .sees("Nothing yet")
        .sees("Create the first resource")
        .sees("the bill of Fjord Supply");
    assert!(owner.html().contains("href=\"/resources/new\""));
    member
        .get("/resources")
        .sees("Resources appear here once an Admin or a Master creates one.");
    assert!(!member.html().contains("/resources/new"));
    // All that there was has ended.
    let id = wares::resource(&portal, &owner);
    end(&portal, &owner, id);
    for person in [&mut owner, &mut member] {
        person
            .get("/resources")
            .sees("Nothing runs now")
            .sees("Ended 1");
        person
            .get("/resources?q=nowhere")
            .sees("No resources match")
            .sees("Clear filters");
        person
            .get("/resources?q=web")
            .sees("Something that has ended does");
    }
    wares::create(&portal, &owner, "db-1", DATABASE);
    end(&portal, &owner, id_of(&portal, "db-1"));
    portal.tamper("UPDATE resources SET ended_at = NULL");
    owner
        .get("/resources?status=ended")
        .sees("Nothing has ended");
}

#[test]
fn the_list_says_who_created_each_and_its_amounts_are_those_of_the_bill() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut admin = portal.member(Role::Admin, "ada@fjord.example");
    let mut billing = portal.member(Role::Billing, "bea@fjord.example");
    wares::stock(&portal);
    let web = wares::create(&portal, &admin, "web-1", SERVER);
    let db = wares::create(&portal, &owner, "db-1", DATABASE);
    portal.travel(30 * MINUTE);
    hand(&portal, &owner, web, billing.account().id);
    let gone = wares::create(&portal, &owner, "old-1", BIGGER);
    portal.travel(30 * MINUTE);
    end(&portal, &owner, gone);
    portal.travel(10 * MINUTE);

    let running = cost_of(&portal, web).plus(cost_of(&portal, db));
    assert!(running > Money::ZERO && cost_of(&portal, gone) > Money::ZERO);
    for person in [&mut owner, &mut admin, &mut billing] {
        person
            .get("/resources")
            .answers(200)
            .sees(&format!("Total of 2 resources {}", shown(running)))
            .sees(&shown(cost_of(&portal, web)))
            .sees(&shown(cost_of(&portal, db)))
            .sees("Billed to Fjord Supply.")
            .sees(&format!(
                "What has ended cost {} more this month",
                shown(cost_of(&portal, gone))
            ));
        assert_eq!(names(person), ["db-1", "web-1"]);
        assert_eq!(person.html().matches("Billed to").count(), 1);
    }
    // Who created it stays; whose it is now stands beside.
    owner.sees("ADA Vik now BEA’s");
    billing.sees("ADA Vik now yours");
    // Only who manages has a way to change anything.
    for person in [&mut owner, &mut admin] {
        for words in [
            "Create resource",
            "Rename or note…",
            "Change plan…",
            "Hand over…",
            "End…",
        ] {
            person.sees(words);
        }
    }
    for words in [
        "Create resource",
        "Rename or note…",
        "Change plan…",
        "Hand over…",
        "End…",
    ] {
        billing.sees_not(words);
    }
    owner
        .get("/resources?status=all")
        .sees(&format!("Total of 3 resources {}", shown(total(&portal))))
        .sees("Ended 24 Nov 2026");
    owner.get("/resources?status=ended").sees(&format!(
        "Total of 1 resource {}",
        shown(cost_of(&portal, gone))
    ));
    assert_eq!(names(&owner), ["old-1"]);
    // One that has ended has no menu.
    owner.sees_not("Change plan…");
}

#[test]
fn a_member_sees_the_amounts_of_what_they_hold_and_of_nothing_else() {
    let portal = Portal::start();
    let owner = portal.owner();
    let mut member = portal.member(Role::Member, "mia@fjord.example");
    wares::stock(&portal);
    let web = wares::create(&portal, &owner, "web-1", SERVER);
    let other = wares::create(&portal, &owner, "web-2", BIGGER);
    let db = wares::create(&portal, &owner, "db-1", DATABASE);
    portal.travel(30 * MINUTE);

    // Nothing is theirs: not one amount anywhere, nor a column for it.
    let pages = [
        "/resources".to_owned(),
        "/resources?status=all&sort=-cost".to_owned(),
        "/resources.csv".to_owned(),
        format!("/resources/{web}"),
        format!("/resources/{db}"),
    ];
    for page in &pages {
        member
            .get(page)
            .answers(200)
            .sees_not("€")
            .sees_not("expected");
        assert!(!has_amount(&member.text()), "{}", member.text());
    }
    member
        .get("/resources")
        .sees("3 resources")
        .sees_not("This month")
        .sees_not("Total");

    // One of them becomes theirs: from there on its amounts are, and what it cost before is not.
    hand(&portal, &owner, db, member.account().id);
    portal.travel(30 * MINUTE);
    let theirs: Money = charges(&portal)
        .iter()
        .filter(|charge| charge.holder == member.account().id)
        .map(|charge| charge.amount)
        .sum();
    assert!(theirs > Money::ZERO && theirs < cost_of(&portal, db));
    let hidden = [
        shown(cost_of(&portal, db)),
        shown(cost_of(&portal, web)),
        shown(cost_of(&portal, other)),
        shown(total(&portal)),
        "12.40".to_owned(),
        "24.80".to_owned(),
    ];
    member
        .get("/resources")
        .sees(&format!("Yours, of 3 resources {}", shown(theirs)))
        .sees("Olivia Berg now yours");
    for page in &pages {
        member.get(page).answers(200);
        for amount in &hidden {
            member.sees_not(amount);
        }
    }
    member
        .get(format!("/resources/{db}"))
        .sees("€88.00 a month")
        .sees(&format!("{} so far", shown(theirs)))
        .sees("under your name");
    // What they see of it goes with it, and what they paid for stays theirs to see.
    hand(&portal, &owner, db, owner.account().id);
    portal.travel(30 * MINUTE);
    member
        .get(format!("/resources/{db}"))
        .sees(&format!("{} so far", shown(theirs)))
        .sees_not("€88.00");
    // The order tells nothing either: of what they may not see, all is alike.
    member.get("/resources?sort=-cost");
    assert_eq!(names(&member), ["db-1", "web-1", "web-2"]);
    for path in [
        "/resources/new",
        "/iam/accounts/acc_b7mzq4kdp2xwe/hand-over",
    ] {
        member.get(path).answers(403);
    }
    for act in ["edit", "plan", "hand-over", "end"] {
        member.get(format!("/resources/{db}/{act}")).answers(403);
        member
            .post(format!("/resources/{db}/{act}"), &[])
            .answers(403);
    }
}

#[test]
fn the_address_says_what_is_listed_and_what_it_does_not_know_is_ignored() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let admin = portal.member(Role::Admin, "ada@fjord.example");
    let stranger = portal.organisation("Elsewhere");
    wares::stock(&portal);
    let first = wares::create(&portal, &admin, "Beta", SERVER);
    portal.travel(MINUTE);
    wares::create(&portal, &owner, "alpha", DATABASE);
    portal.travel(MINUTE);
    wares::create(&portal, &owner, "gamma", BIGGER);
    portal.tamper(&format!(
        "UPDATE resources SET note = 'The Árbol cluster' WHERE id = {}",
        first.number()
    ));
    portal.travel(HOUR);
    let (ada, olivia) = (admin.account().id, owner.account().id);
    hand(&portal, &owner, id_of(&portal, "gamma"), ada);
    for (query, listed) in [
        (String::new(), &["alpha", "Beta", "gamma"][..]),
        ("sort=-name".to_owned(), &["gamma", "Beta", "alpha"]),
        ("sort=-created".to_owned(), &["gamma", "alpha", "Beta"]),
        ("sort=created".to_owned(), &["Beta", "alpha", "gamma"]),
        ("sort=-cost".to_owned(), &["alpha", "gamma", "Beta"]),
        ("sort=cost".to_owned(), &["Beta", "gamma", "alpha"]),
        ("q=ETA".to_owned(), &["Beta"]),
        ("q=%C3%A1rbol".to_owned(), &["Beta"]),
        ("q=%25".to_owned(), &[]),
        ("kind=server".to_owned(), &["Beta", "gamma"]),
        ("kind=database&q=a".to_owned(), &["alpha"]),
        (format!("account={ada}"), &["Beta", "gamma"]),
        (format!("account={olivia}"), &["alpha", "gamma"]),
        // What nobody here knows.
        (
            "kind=spaceship&account=x&status=no&sort=up&page=x&per=y&what=1".to_owned(),
            &["alpha", "Beta", "gamma"],
        ),
        (
            format!("account={}", stranger.account().id),
            &["alpha", "Beta", "gamma"],
        ),
        ("page=99".to_owned(), &["alpha", "Beta", "gamma"]),
        ("page=-1".to_owned(), &["alpha", "Beta", "gamma"]),
    ] {
        owner.get(format!("/resources?{query}")).answers(200);
        assert_eq!(names(&owner), listed, "{query}");
    }
    // The filters stand in the form, and the way to the spreadsheet takes them along.
    owner.get(format!(
        "/resources?q=a&kind=server&account={ada}&sort=-name&status=all"
    ));
    let page = owner.html();
    for part in [
        "value=\"a\"".to_owned(),
        "<option value=\"server\" selected>Server".to_owned(),
        format!("<option value=\"{ada}\" selected>ADA Vik"),
        format!(
            "href=\"/resources.csv?q=a&amp;kind=server&amp;account={ada}&amp;status=all&amp;sort=-name\""
        ),
    ] {
        assert!(page.contains(&part), "{part} is not in {page}");
    }
    assert!(!page.contains("Elsewhere"));
}

#[test]
fn a_long_list_has_pages_and_its_total_is_of_all_of_them() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    for number in 0..60 {
        wares::create(&portal, &owner, &format!("web-{number:02}"), SERVER);
    }
    portal.travel(HOUR);
    owner
        .get("/resources")
        .sees("1 to 25 of 60")
        .sees(&format!("Total of 60 resources {}", shown(total(&portal))));
    owner
        .get("/resources?page=3")
        .sees("51 to 60 of 60")
        .sees("Total of 60 resources");
    assert_eq!(names(&owner).len(), 10);
    owner.get("/resources?page=2&per=50").sees("51 to 60 of 60");
    owner
        .get("/resources?page=9&per=1000")
        .sees("51 to 60 of 60");
    owner.get("/resources.csv?page=3");
    assert_eq!(owner.html().lines().count(), 61);
}

#[test]
fn the_price_is_said_before_anything_is_created() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    owner
        .get("/resources/new")
        .answers(200)
        .sees("Server")
        .sees("1 core, 2 GB €12.40 a month")
        .sees("20 GB €88.00 a month");
    let typed = [
        ("name", " web-1 "),
        ("note", "For <the> shop\r\nand more"),
        ("plan", SERVER),
    ];
    let whole = Month::of(portal.app().now()).span();
    let left = whole.until.since(portal.app().now());
    let rest = shown(Money(1_240).share(left, whole.seconds()));
    owner
        .post("/resources/new", &typed)
        .answers(200)
        .sees(&format!(
            "€12.40 a month, about {rest} for the rest of November, on the bill of Fjord Supply."
        ));
    let page = owner.html();
    for part in [
        "name=\"name\" value=\"web-1\"",
        "name=\"plan\" value=\"server/s-1\"",
        "name=\"price\" value=\"1240\"",
        "name=\"note\" value=\"For &lt;the&gt; shop\nand more\"",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(count(&portal), 0);
    // Back to the form, with all that was typed.
    let again = [&typed[..], &[("price", "1240"), ("confirm", "no")]].concat();
    owner
        .post("/resources/new", &again)
        .answers(200)
        .sees("Continue");
    assert!(owner.html().contains("value=\"server/s-1\" checked"));
    assert_eq!(count(&portal), 0);
    let done = [&typed[..], &[("price", "1240"), ("confirm", "yes")]].concat();
    owner.post("/resources/new", &done).answers(303);
    let id = id_of(&portal, "web-1");
    owner
        .goes_to(format!("/resources/{id}"))
        .follow()
        .sees("Created web-1.");
    owner.sees("For <the> shop and more").sees("€12.40 a month");
    assert_eq!(recorded(&portal, "resource.created"), 1);
    // The same form, sent twice, made one.
    owner
        .post("/resources/new", &done)
        .answers(303)
        .goes_to(format!("/resources/{id}"));
    assert_eq!(
        (count(&portal), recorded(&portal, "resource.created")),
        (1, 1)
    );
    // Later, or with something else in it, it is another with a name that is taken.
    for other in [("note", "another"), ("plan", BIGGER)] {
        let mut fields = typed.to_vec();
        fields.retain(|(name, _)| *name != other.0);
        fields.extend([other, ("confirm", "yes")]);
        owner
            .post("/resources/new", &fields)
            .answers(422)
            .sees("There is a resource of this name already. Choose another. Show it");
    }
    portal.travel(MINUTE);
    for (name, confirm) in [("web-1", "yes"), ("WEB-1", "yes"), ("Web-1", "")] {
        let fields = [
            ("name", name),
            ("note", "keep me"),
            ("plan", SERVER),
            ("confirm", confirm),
        ];
        owner
            .post("/resources/new", &fields)
            .answers(422)
            .sees("There is a resource of this name already. Choose another. Show it");
        let page = owner.html();
        assert!(page.contains(&format!("href=\"/resources/{id}\"")));
        assert!(page.contains("keep me") && page.contains("value=\"server/s-1\" checked"));
        assert!(page.contains("<title>Error: Create resource"), "{page}");
    }
    assert_eq!(count(&portal), 1);
}

#[test]
fn what_cannot_be_taken_is_said_beside_its_field_and_what_was_typed_is_kept() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    let (long, too_long) = ("ø".repeat(100), "x".repeat(101));
    let too_much = "n".repeat(1_001);
    for (name, note, plan, sentence) in [
        ("", "kept", SERVER, "Enter a name."),
        (&*too_long, "kept", SERVER, "At most 100 characters."),
        (
            "https://evil.example",
            "kept",
            SERVER,
            "A name cannot hold a web address.",
        ),
        (
            "<>",
            "kept",
            SERVER,
            "A name needs at least one letter or digit.",
        ),
        ("web-1", &*too_much, SERVER, "At most 1000 characters."),
        (
            "web-1",
            "a\u{7}b",
            SERVER,
            "This holds characters that cannot be seen.",
        ),
        ("web-1", "kept", "", "Choose a plan."),
        (
            "web-1",
            "kept",
            "server/s-9",
            "This plan is not on offer. Choose another.",
        ),
    ] {
        for confirm in ["", "yes"] {
            let fields = [
                ("name", name),
                ("note", note),
                ("plan", plan),
                ("confirm", confirm),
            ];
            owner
                .post("/resources/new", &fields)
                .answers(422)
                .sees(sentence);
            if note == "kept" {
                assert!(owner.html().contains("\nkept</textarea>"), "{sentence}");
            }
        }
    }
    assert_eq!(count(&portal), 0);
    // What our pages cannot send.
    for wrong in [
        ("confirm", "perhaps"),
        ("price", "12.40"),
        ("prize", "1"),
        ("name", "twice"),
    ] {
        let fields = [("name", "web-1"), ("note", ""), ("plan", SERVER), wrong];
        owner.post("/resources/new", &fields).answers(400);
    }
    // The longest name there is.
    let fields = [
        ("name", &*long),
        ("note", ""),
        ("plan", SERVER),
        ("confirm", "yes"),
    ];
    owner
        .post("/resources/new", &fields)
        .answers(303)
        .follow()
        .answers(200);
    owner.sees(&long).get("/resources").sees(&long);
    assert_eq!(count(&portal), 1);
}

#[test]
fn a_price_that_rose_and_a_plan_that_went_are_said_and_not_charged() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    let other = wares::create(&portal, &owner, "big", BIGGER);
    let fields = |price, confirm| {
        [
            ("name", "web-1"),
            ("note", ""),
            ("plan", SERVER),
            ("price", price),
            ("confirm", confirm),
        ]
    };
    portal.travel(MINUTE);
    wares::import(&portal, &dearer(1_500));
    owner
        .post("/resources/new", &fields("1240", "yes"))
        .answers(422)
        .sees("1 core, 2 GB costs €15.00 a month now, no longer €12.40.")
        .sees("€15.00 a month, about");
    assert!(owner.html().contains("name=\"price\" value=\"1500\""));
    assert_eq!(count(&portal), 1);
    // The same where a plan is changed.
    let plan = format!("/resources/{other}/plan");
    let change = |price| [("plan", SERVER), ("price", price), ("confirm", "yes")];
    owner
        .post(&plan, &change("1240"))
        .answers(422)
        .sees("costs €15.00 a month now, no longer €12.40.")
        .sees("€9.80 less a month");
    assert_eq!(recorded(&portal, "resource.plan_changed"), 0);
    owner
        .post("/resources/new", &fields("1500", "yes"))
        .answers(303);
    // And a plan that is on offer no more.
    portal.travel(MINUTE);
    wares::import(&portal, &without_small());
    for confirm in ["", "yes"] {
        owner
            .post(
                "/resources/new",
                &[
                    ("name", "web-2"),
                    ("note", "kept"),
                    ("plan", SERVER),
                    ("price", "1500"),
                    ("confirm", confirm),
                ],
            )
            .answers(422)
            .sees("This plan is not on offer. Choose another.")
            .sees_not("1 core, 2 GB");
        assert!(owner.html().contains("\nkept</textarea>"));
        owner
            .post(&plan, &[("plan", SERVER), ("confirm", confirm)])
            .answers(422)
            .sees("This plan is not on offer. Choose another.");
    }
    assert_eq!(count(&portal), 2);
    // Nothing at all is on offer.
    let mut nothing = wares::file();
    nothing.kinds.clear();
    wares::import(&portal, &nothing);
    owner
        .get("/resources/new")
        .answers(200)
        .sees("Nothing is on offer now");
}

#[test]
fn a_name_and_a_note_are_changed_and_nothing_else() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    let id = wares::create(&portal, &owner, "web-1", SERVER);
    wares::create(&portal, &owner, "web-2", SERVER);
    let edit = format!("/resources/{id}/edit");
    owner.get(&edit).answers(200);
    assert!(owner.html().contains("value=\"web-1\""));
    owner
        .post(&edit, &[("name", "web-1"), ("note", "")])
        .answers(303)
        .follow()
        .sees("Nothing was changed.");
    assert_eq!(recorded(&portal, "resource.described"), 0);
    owner
        .post(
            &edit,
            &[("name", "shop"), ("note", "The shop.\nRuns at night.")],
        )
        .answers(303)
        .goes_to(format!("/resources/{id}"))
        .follow()
        .sees("Saved shop.")
        .sees("The shop. Runs at night.");
    assert!(owner.html().contains("The shop.\nRuns at night.</span>"));
    for (name, note, sentence) in [
        (
            "WEB-2",
            "kept",
            "There is a resource of this name already. Choose another. Show it",
        ),
        ("", "kept", "Enter a name."),
    ] {
        owner
            .post(&edit, &[("name", name), ("note", note)])
            .answers(422)
            .sees(sentence);
        let page = owner.html();
        assert!(page.contains("\nkept</textarea>"));
        assert!(page.contains("aria-invalid=\"true\""));
    }
    assert_eq!(recorded(&portal, "resource.described"), 1);
    assert_eq!(charges(&portal).len(), 0);
}

#[test]
fn another_plan_is_one_of_the_same_kind_and_its_price_is_said_beside_the_old() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    let id = wares::create(&portal, &owner, "web-1", SERVER);
    let alone = wares::create(&portal, &owner, "db-1", DATABASE);
    let plan = format!("/resources/{id}/plan");
    owner
        .get(&plan)
        .answers(200)
        .sees("1 core, 2 GB (now) €12.40 a month")
        .sees("2 cores, 4 GB €24.80 a month")
        .sees_not("20 GB");
    assert!(owner.html().contains("value=\"server/s-1\" checked"));
    owner
        .get(format!("/resources/{alone}/plan"))
        .answers(200)
        .sees("Nothing else of the kind Database is on offer.");
    for (slug, sentence) in [
        ("", "Choose a plan."),
        (
            SERVER,
            "It has this plan already. Choose another, or cancel.",
        ),
        (
            DATABASE,
            "A resource keeps its kind. Choose a plan of the same kind.",
        ),
        ("server/s-9", "This plan is not on offer. Choose another."),
    ] {
        owner
            .post(&plan, &[("plan", slug)])
            .answers(422)
            .sees(sentence);
    }
    owner
        .post(&plan, &[("plan", DATABASE), ("confirm", "yes")])
        .answers(422)
        .sees("A resource keeps its kind.");
    portal.travel(HOUR);
    owner
        .post(&plan, &[("plan", BIGGER)])
        .answers(200)
        .sees("€24.80 a month instead of €12.40 a month, from now on, on the bill of Fjord Supply.")
        .sees("€12.40 more a month");
    assert!(owner.html().contains("name=\"price\" value=\"2480\""));
    assert_eq!(recorded(&portal, "resource.plan_changed"), 0);
    owner
        .post(
            &plan,
            &[("plan", BIGGER), ("price", "2480"), ("confirm", "no")],
        )
        .answers(200);
    assert!(owner.html().contains("value=\"server/s-2\" checked"));
    let change = [("plan", BIGGER), ("price", "2480"), ("confirm", "yes")];
    for _ in 0..2 {
        owner
            .post(&plan, &change)
            .answers(303)
            .follow()
            .sees("web-1 has the plan 2 cores, 4 GB now.");
    }
    assert_eq!(recorded(&portal, "resource.plan_changed"), 1);
    // What it has is shown, and can be kept, when it is on offer no more.
    wares::import(&portal, &{
        let mut file = wares::file();
        file.kinds[0].plans.remove(1);
        file
    });
    owner.get(&plan).sees(
        "2 cores, 4 GB (now; no longer on offer, so there is no way back to it) €24.80 a month",
    );
    owner
        .get(format!("/resources/{id}"))
        .sees("No longer on offer");
    owner
        .post(&plan, &[("plan", SERVER)])
        .answers(200)
        .sees("€12.40 less a month");
}

#[test]
fn a_resource_is_handed_over_from_now_on_and_what_it_cost_stays() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let admin = portal.member(Role::Admin, "ada@fjord.example");
    let member = portal.member(Role::Member, "mia@fjord.example");
    let pending = portal.invite(&owner, Role::Member, "pia@fjord.example");
    let stranger = portal.organisation("Elsewhere");
    wares::stock(&portal);
    let id = wares::create(&portal, &admin, "web-1", SERVER);
    let path = format!("/resources/{id}/hand-over");
    owner
        .get(&path)
        .answers(200)
        .sees("Held by ADA Vik")
        .sees("MIA Vik (mia@fjord.example)")
        .sees("stays under the name of ADA Vik");
    let page = owner.html();
    assert!(!page.contains(&format!("<option value=\"{}\"", admin.account().id)));
    assert!(!page.contains(&format!("<option value=\"{pending}\"")));
    owner
        .post(&path, &[("account", "")])
        .answers(422)
        .sees("Choose an account.");
    owner.post(&path, &[("account", "acc_1")]).answers(400);
    for nobody in [
        pending,
        stranger.account().id,
        "acc_b7mzq4kdp2xwe".parse().unwrap(),
    ] {
        owner
            .post(&path, &[("account", &nobody.to_string())])
            .answers(422)
            .sees("Choose an Active account.");
    }
    portal.travel(HOUR);
    let to = member.account().id.to_string();
    for _ in 0..2 {
        owner
            .post(&path, &[("account", &to)])
            .answers(303)
            .goes_to(format!("/resources/{id}"))
            .follow()
            .sees("web-1 is held by MIA Vik now.");
    }
    assert_eq!(recorded(&portal, "resource.handed_over"), 1);
    portal.travel(HOUR);
    let by_holder: Vec<AccountId> = charges(&portal).iter().map(|one| one.holder).collect();
    assert_eq!(by_holder, [admin.account().id, member.account().id]);
    owner
        .get(format!("/resources/{id}"))
        .sees("Created 24 Nov 2026, by ADA Vik")
        .sees("Held by MV MIA Vik");
}

#[test]
fn all_that_somebody_who_left_holds_is_handed_over_at_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let admin = portal.member(Role::Admin, "ada@fjord.example");
    let member = portal.member(Role::Member, "mia@fjord.example");
    wares::stock(&portal);
    let from = admin.account().id;
    let path = format!("/iam/accounts/{from}/hand-over");
    owner
        .get(&path)
        .answers(200)
        .sees("ADA Vik holds nothing that runs: there is nothing to hand over.");
    let to = member.account().id.to_string();
    owner
        .post(&path, &[("account", &to)])
        .answers(303)
        .follow()
        .sees("Nothing was handed over.");
    for name in ["web-1", "web-2"] {
        wares::create(&portal, &admin, name, SERVER);
    }
    let ended = wares::create(&portal, &admin, "old-1", DATABASE);
    portal.travel(MINUTE);
    end(&portal, &owner, ended);
    owner
        .get(&path)
        .sees("Hand over all that ADA Vik holds")
        .sees("web-1, Server, €12.40 a month")
        .sees("web-2, Server, €12.40 a month")
        .sees("Together €24.80 a month")
        .sees("Hand over 2 resources")
        .sees_not("old-1");
    owner
        .post(&path, &[("account", &from.to_string())])
        .answers(422)
        .sees("ADA Vik holds them already. Choose another account.");
    owner
        .post(&path, &[("account", "")])
        .answers(422)
        .sees("Choose an account.");
    // Disabled first, then deleted: what they hold is still there to be handed over.
    owner
        .post(format!("/iam/accounts/{from}/disable"), &[])
        .answers(303);
    owner.get(&path).answers(200).sees("Hand over 2 resources");
    owner
        .post(
            format!("/iam/accounts/{from}/delete"),
            &[("email", "ada@fjord.example")],
        )
        .answers(303);
    owner
        .get(&path)
        .answers(200)
        .sees("Hand over all that ADA Vik holds");
    owner
        .post(&path, &[("account", &to)])
        .answers(303)
        .goes_to("/resources")
        .follow()
        .sees("MIA Vik holds what ADA Vik held: 2 resources.")
        .sees("ADA Vik now MIA’s");
    assert_eq!(recorded(&portal, "resource.handed_over"), 2);
    let holders: Vec<String> =
        portal.ask("SELECT DISTINCT holder_id || '' FROM resources WHERE ended_at IS NULL");
    assert_eq!(holders, [member.account().id.number().to_string()]);
    // Somebody who never was here, or is elsewhere.
    let stranger = portal.organisation("Elsewhere");
    for nobody in [stranger.account().id, "acc_b7mzq4kdp2xwe".parse().unwrap()] {
        let path = format!("/iam/accounts/{nobody}/hand-over");
        owner.get(&path).answers(404);
        owner.post(&path, &[("account", &to)]).answers(404);
    }
}

#[test]
fn nobody_else_is_there_to_be_given_anything() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = wares::resource(&portal, &owner);
    let alone = "no other account of the organisation is Active";
    owner
        .get(format!("/resources/{id}/hand-over"))
        .answers(200)
        .sees(alone);
    owner
        .get(format!("/iam/accounts/{}/hand-over", owner.account().id))
        .answers(200)
        .sees(alone);
}

#[test]
fn what_is_ended_costs_nothing_more_and_its_name_is_free() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    let id = wares::create(&portal, &owner, "web-1", DATABASE);
    portal.travel(HOUR);
    let cost = cost_of(&portal, id);
    let path = format!("/resources/{id}/end");
    owner
        .get(&path)
        .answers(200)
        .sees("End web-1?")
        .sees("This cannot be undone.")
        .sees(&format!("{} this month until now", shown(cost)))
        .sees("Nothing from now on.")
        .sees("web-1 is free again for another.");
    assert_eq!(recorded(&portal, "resource.ended"), 0);
    for _ in 0..2 {
        owner
            .post(&path, &[])
            .answers(303)
            .goes_to(format!("/resources/{id}"))
            .follow()
            .sees("web-1 has ended, and costs nothing any more.")
            .sees("It ended today, 15:20, and has cost nothing since.");
    }
    assert_eq!(recorded(&portal, "resource.ended"), 1);
    portal.travel(HOUR);
    assert_eq!(cost_of(&portal, id), cost);
    owner
        .get(format!("/resources/{id}"))
        .sees(&format!("This month {} Note", shown(cost)))
        .sees_not("expected")
        .sees_not("a month")
        .sees_not("End resource…");
    for act in ["edit", "plan", "hand-over"] {
        let path = format!("/resources/{id}/{act}");
        owner
            .get(&path)
            .answers(403)
            .sees("web-1 has ended, and changes no more.");
    }
    owner
        .post(
            format!("/resources/{id}/edit"),
            &[("name", "a"), ("note", "")],
        )
        .answers(403);
    wares::create(&portal, &owner, "WEB-1", SERVER);
    owner.get("/resources?status=all&q=web");
    assert_eq!(names(&owner).len(), 2);
}

#[test]
fn the_page_of_one_tells_what_each_month_cost_and_whose_it_was() {
    let portal = Portal::start();
    let owner = portal.owner();
    let admin = portal.member(Role::Admin, "ada@fjord.example");
    wares::stock(&portal);
    let id = wares::create(&portal, &owner, "web-1", DATABASE);
    portal.travel(HOUR);
    hand(&portal, &owner, id, admin.account().id);
    let november = Month::of(portal.app().now());
    portal.work();
    portal.travel(6 * DAY + 12 * HOUR);
    portal.work();
    let mut owner = portal.signed_in(OWNER);
    let app = portal.app();
    let billed: Vec<i64> = portal.ask("SELECT net FROM invoices");
    let expected = app.read(app.now(), |read| {
        let december = november.next();
        resources::month(read, portal.first(), december, december.span().until)
    });
    let expected: Money = expected.unwrap().iter().map(|one| one.amount).sum();
    assert_eq!(expected, Money(8_800));
    owner
        .get(format!("/resources/{id}"))
        .answers(200)
        .sees("Database · 20 GB")
        .sees("€88.00 a month")
        .sees(&format!(
            "{} so far, €88.00 expected by the end of December",
            shown(cost_of(&portal, id))
        ))
        .sees(&format!("Nov 2026 {}", shown(Money(billed[0]))))
        .sees(&format!("Dec 2026 {} so far", shown(cost_of(&portal, id))))
        .sees("Jan 2026 €0.00")
        .sees_not("Dec 2025")
        .sees("Created 24 Nov 2026, by Olivia Berg")
        .sees(&id.to_string())
        .sees("20 GB AV ADA Vik Since 24 Nov 2026")
        .sees("Billed to Fjord Supply.");
    // Another organisation's is none, by any address.
    let stranger = portal.organisation("Elsewhere");
    let mut stranger = portal.signed_in(&stranger.email);
    for page in ["", "/edit", "/plan", "/hand-over", "/end"] {
        stranger.get(format!("/resources/{id}{page}")).answers(404);
    }
    for page in ["/edit", "/plan", "/hand-over", "/end"] {
        stranger
            .post(format!("/resources/{id}{page}"), &[])
            .answers(404);
    }
    stranger
        .get("/resources")
        .sees("Nothing yet")
        .sees_not("web-1");
}

#[test]
fn the_spreadsheet_holds_what_the_list_holds_and_no_formula() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    wares::stock(&portal);
    let id = wares::create(&portal, &owner, "=cmd|' /C calc'!A0", SERVER);
    let gone = wares::create(&portal, &owner, "a, \"b\"", DATABASE);
    portal.tamper(&format!(
        "UPDATE resources SET note = '@SUM(1)' || char(10) || 'second' WHERE id = {}",
        id.number()
    ));
    portal.travel(30 * MINUTE);
    end(&portal, &owner, gone);
    portal.travel(30 * MINUTE);
    owner.get("/resources.csv?status=all").answers(200);
    assert_eq!(
        owner.header("Content-Type").as_deref(),
        Some("text/csv; charset=utf-8")
    );
    assert_eq!(
        owner.header("Content-Disposition").as_deref(),
        Some("attachment; filename=\"resources.csv\"")
    );
    assert_eq!(owner.header("Cache-Control").as_deref(), Some("no-store"));
    let plain = |amount: Money| format!("{}.{:02}", amount.0 / 100, amount.0 % 100);
    let expected = format!(
        "ID,Name,Kind,Plan,Created by,Held by,Created,Ended,This month,Currency,Note\r\n\
         {id},'=cmd|' /C calc'!A0,Server,\"1 core, 2 GB\",Olivia Berg,Olivia Berg,2026-11-24T13:20:00+00:00,,{},EUR,\"'@SUM(1)\nsecond\"\r\n\
         {gone},\"a, \"\"b\"\"\",Database,20 GB,Olivia Berg,Olivia Berg,2026-11-24T13:20:00+00:00,2026-11-24T13:50:00+00:00,{},EUR,\r\n",
        plain(cost_of(&portal, id)),
        plain(cost_of(&portal, gone)),
    );
    assert_eq!(owner.html(), expected);
    owner.get("/resources.csv?q=nothing").answers(200);
    assert_eq!(owner.html().lines().count(), 1);
    owner.get("/resources.csv?kind=database");
    assert_eq!(
        owner.html().lines().count(),
        1,
        "what has ended is left out as in the list"
    );
}

#[test]
fn markup_in_names_and_notes_stays_text_everywhere() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.member(Role::Admin, "ada@fjord.example");
    wares::stock(&portal);
    let name = "</title><script>alert(1)</script>\"'&";
    let id = wares::create(&portal, &owner, name, SERVER);
    portal.tamper("UPDATE resources SET note = '<img src=x onerror=alert(1)>'");
    let page = format!("/resources/{id}");
    for path in [
        "/resources".to_owned(),
        page.clone(),
        format!("{page}/edit"),
        format!("{page}/plan"),
        format!("{page}/hand-over"),
        format!("{page}/end"),
        format!("/iam/accounts/{}/hand-over", owner.account().id),
    ] {
        owner.get(&path).answers(200);
        let html = owner.html();
        assert!(!html.contains("<script>alert"), "{path}");
        assert!(!html.contains("<img"), "{path}");
        assert!(html.contains("&lt;script&gt;"), "{path}");
    }
    owner
        .post(format!("{page}/plan"), &[("plan", BIGGER)])
        .answers(200);
    assert!(!owner.html().contains("<script>alert"));
}

#[test]
fn a_deed_leads_back_to_the_list_as_it_was() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = wares::resource(&portal, &owner);
    let list = "https://portal.example.com/resources?q=web&sort=-name";
    for act in ["edit", "plan", "hand-over", "end"] {
        let path = format!("/resources/{id}/{act}");
        owner
            .draft(Method::Get, &path)
            .header("Referer", list)
            .send()
            .answers(200);
        let back = "href=\"/resources?q=web&amp;sort=-name\"";
        assert!(owner.html().contains(back), "{act}: {}", owner.html());
    }
    let from = "/resources?q=web&sort=-name";
    let edit = format!("/resources/{id}/edit");
    owner
        .post(&edit, &[("name", "web-9"), ("note", ""), ("from", from)])
        .answers(303)
        .goes_to(from);
    // The second step of a form carries it on; elsewhere it leads nowhere.
    owner.post(
        format!("/resources/{id}/plan"),
        &[("plan", BIGGER), ("from", from)],
    );
    assert!(
        owner
            .html()
            .contains("name=\"from\" value=\"/resources?q=web&amp;sort=-name\"")
    );
    for elsewhere in crate::forms::ELSEWHERE {
        owner.post(
            &edit,
            &[("name", "web-9"), ("note", elsewhere), ("from", elsewhere)],
        );
        if owner.status() == 303 {
            owner.goes_to(format!("/resources/{id}"));
        }
    }
}
