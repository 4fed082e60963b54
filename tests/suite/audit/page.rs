//! The Audit log page: each filter beside the same question asked of the file, paging, what is typed by people who mean no
//! good, and one event of each kind.

use std::collections::BTreeSet;

use doorward::audit::{self, Action, Event};
use doorward::domain::email::Email;
use doorward::domain::id::OrganisationId;
use doorward::domain::role::Role;
use doorward::kit::http::fields::encode;
use doorward::kit::time::{DAY, MINUTE};
use doorward::scope::{Actor, By};

use crate::answer::between;
use crate::portal::Portal;
use crate::visitor::Visitor;

/// The numbers of the events that a page lists, in its order.
#[track_caller]
fn listed(visitor: &mut Visitor, address: &str) -> Vec<i64> {
    visitor.get(address).answers(200);
    numbers_on(&visitor.html())
}

fn numbers_on(page: &str) -> Vec<i64> {
    page.split("href=\"/audit/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect()
}

/// The numbers of the organisation's events that meet the condition, newest first.
fn asked(portal: &Portal, condition: &str) -> Vec<i64> {
    let chain = portal.first().number();
    portal.ask(&format!(
        "SELECT number FROM audit_events e WHERE chain_id = {chain} AND {condition} ORDER BY number DESC LIMIT 50"
    ))
}

fn record(portal: &Portal, by: &By, event: &Event) {
    let app = portal.app();
    app.write(app.now(), |tx| audit::record(tx, by, event, ()))
        .unwrap();
}

/// Two days of an organisation.
fn lived_in() -> (Portal, Visitor) {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let id = portal.invite(&owner, Role::Member, "ann.vik@fjord.example");
    portal.travel(MINUTE);
    owner
        .post(format!("/iam/accounts/{id}/resend"), &[])
        .answers(303);
    let mut ben = portal.member(Role::Member, "ben@fjord.example");
    ben.get("/mail").answers(403);
    ben.elsewhere()
        .try_password("ben@fjord.example", "Wrong-Horse-7!")
        .answers(422);
    portal.travel(DAY);
    let mut owner = portal.signed_in(&owner.email);
    ben = portal.signed_in("ben@fjord.example");
    ben.sign_out();
    record(
        &portal,
        &By::operator(),
        &Event::of(portal.first(), Action::MailRetried).on_text("carla@lakeside.example"),
    );
    owner.get("/");
    portal.leave_mail();
    (portal, owner)
}

#[test]
fn each_filter_leaves_what_the_file_has_of_it() {
    let (portal, mut owner) = lived_in();
    let ben = portal.ask::<i64>("SELECT id FROM accounts WHERE email = 'ben@fjord.example'")[0];
    let ben_id = {
        owner.get("/iam/accounts?q=ben@fjord.example");
        between(&owner.html(), "href=\"/iam/accounts/acc_", "\"").to_owned()
    };
    let ben_id = format!("acc_{ben_id}");
    let day =
        portal.ask::<String>("SELECT date(max(at), 'unixepoch') FROM audit_events")[0].clone();
    let day_before = portal
        .ask::<String>("SELECT date(max(at), 'unixepoch', '-1 day') FROM audit_events")[0]
        .clone();
    // The organisation's clock is that of Oslo.
    let at_day = format!("date(at, 'unixepoch', '+1 hour') = '{day}'");
    for (query, condition) in [
        ("", "1".to_owned()),
        ("what=account.created", "action = 'account.created'".to_owned()),
        (
            "what=sign-ins",
            "(action LIKE 'sign_in%' OR action = 'signed_out')".to_owned(),
        ),
        ("who=operator", "actor = 'operator'".to_owned()),
        ("who=stranger", "actor = 'stranger'".to_owned()),
        ("who=system", "actor = 'system'".to_owned()),
        (&format!("who={ben_id}"), format!("actor_id = {ben}")),
        (&format!("target={ben_id}"), format!("target_id = {ben}")),
        (
            &format!("who={ben_id}&what=refused-requests&result=refused"),
            format!("actor_id = {ben} AND action = 'denied'"),
        ),
        (
            "result=refused",
            "action IN ('denied', 'sign_in.failed')".to_owned(),
        ),
        (
            "result=done",
            "action NOT IN ('denied', 'sign_in.failed')".to_owned(),
        ),
        ("what=denied&result=done", "0".to_owned()),
        (&format!("from={day}"), at_day.clone()),
        (&format!("to={day_before}"), format!("NOT {at_day}")),
        (&format!("from={day}&to={day}&who=operator"), "actor = 'operator'".to_owned()),
        ("from=2099-01-01", "0".to_owned()),
        ("to=1971-01-01", "0".to_owned()),
        (
            "q=ANN.vi+fjord",
            "EXISTS (SELECT 1 FROM audit_texts t WHERE t.chain_id = e.chain_id AND t.number = e.number AND t.text LIKE 'ann.vi%')"
                .to_owned(),
        ),
        (
            "q=carla@lakeside.example",
            "EXISTS (SELECT 1 FROM audit_texts t WHERE t.chain_id = e.chain_id AND t.number = e.number AND t.text LIKE 'carla%')"
                .to_owned(),
        ),
        ("q=nobody-like-that", "0".to_owned()),
    ] {
        let found = listed(&mut owner, &format!("/audit?{query}"));
        assert_eq!(found, asked(&portal, &condition), "{query}");
        let is_one_of_some = !matches!(condition.as_str(), "0" | "1" | "actor = 'system'");
        assert!(!is_one_of_some || !found.is_empty(), "{query} finds nothing at all");
    }
    let request = portal.ask::<String>(
        "SELECT request_id FROM audit_events WHERE action = 'denied' AND chain_id <> 0",
    )[0]
    .clone();
    let found = listed(&mut owner, &format!("/audit?q={request}"));
    assert_eq!(found, asked(&portal, &format!("request_id = '{request}'")));
    let address = portal.ask::<String>(
        "SELECT t.text FROM audit_texts t JOIN audit_events e USING (chain_id, number)
          WHERE slot = 2 AND action = 'sign_in.failed'",
    )[0]
    .clone();
    assert!(!listed(&mut owner, &format!("/audit?q={address}")).is_empty());
}

#[test]
fn whoever_is_named_is_found_by_the_name_of_today() {
    let (portal, mut owner) = lived_in();
    let name = portal.ask::<String>("SELECT name FROM accounts WHERE email = 'ben@fjord.example'")
        [0]
    .clone();
    assert!(
        !"ben@fjord.example".contains(&name.to_lowercase()),
        "{name}"
    );
    let found = listed(&mut owner, &format!("/audit?q={}", encode(&name)));
    let ben = portal.ask::<i64>("SELECT id FROM accounts WHERE email = 'ben@fjord.example'")[0];
    let own = asked(&portal, &format!("(actor_id = {ben} OR target_id = {ben})"));
    assert!(!own.is_empty() && own.iter().all(|number| found.contains(number)));
    assert!(
        owner.text().contains(&format!("{name} signed out")),
        "{}",
        owner.text()
    );
}

#[test]
fn what_the_address_says_is_what_the_form_shows_and_nonsense_is_ignored() {
    let (_portal, mut owner) = lived_in();
    let all = listed(&mut owner, "/audit");
    for nonsense in [
        "who=nobody",
        "what=..%2F..",
        "target=acc_x",
        "result=maybe",
        "from=soon",
        "to=2026-13-01",
        "before=0",
        "before=-4",
        "page=7&sort=x",
        "q=",
        "q=%20%20",
        "q=%ff",
    ] {
        assert_eq!(
            listed(&mut owner, &format!("/audit?{nonsense}")),
            all,
            "{nonsense}"
        );
    }
    owner.get("/audit?q=ann&what=accounts&result=done&from=2020-01-01&to=2090-01-01&who=operator");
    let page = owner.html();
    for part in [
        "value=\"ann\"",
        "<option value=\"accounts\" selected>",
        "<option value=\"done\" selected>",
        "<option value=\"operator\" selected>",
        "value=\"2020-01-01\"",
        "value=\"2090-01-01\"",
        "href=\"/audit\">",
        "/audit.csv?q=ann&amp;who=operator&amp;what=accounts&amp;result=done&amp;from=2020-01-01&amp;to=2090-01-01\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    owner.get("/audit?q=nobody-like-that");
    assert!(owner.text().contains("No events match") && owner.text().contains("Clear filters"));
    owner.get("/audit?before=1");
    assert!(owner.text().contains("Nothing older"));
    assert!(owner.text().contains("Kept for ever."));
}

#[test]
fn cursors_lead_through_all_of_it_once() {
    let (portal, mut owner) = lived_in();
    for number in 0..130 {
        let event =
            Event::of(portal.first(), Action::MailRetried).on_text(format!("m{number}@x.example"));
        record(&portal, &By::operator(), &event);
    }
    for (first, condition) in [
        ("/audit", "1"),
        ("/audit?who=operator", "actor = 'operator'"),
    ] {
        let mut address = first.to_owned();
        let mut seen = Vec::new();
        loop {
            let page = listed(&mut owner, &address);
            assert!(page.len() <= 50);
            seen.extend(page);
            let html = owner.html();
            assert_eq!(html.contains("rel=\"first\""), address != first);
            let Some((before, _)) = html.split_once("\" rel=\"next\"") else {
                break;
            };
            address = before
                .rsplit("href=\"")
                .next()
                .unwrap()
                .replace("&amp;", "&");
        }
        let all: Vec<i64> = portal.ask(&format!(
            "SELECT number FROM audit_events WHERE chain_id = {} AND {condition} ORDER BY number DESC",
            portal.first().number()
        ));
        assert_eq!(seen, all);
    }
}

/// What a hostile reader types.
const HOSTILE: [&str; 24] = [
    "\"",
    "\"\"",
    "' OR 1=1 --",
    "fjord\" OR \"fjord",
    "a AND",
    "NOT fjord",
    "fjord*",
    "*",
    "^fjord",
    "words:fjord",
    "{words}:fjord",
    "NEAR(fjord ann, 5)",
    "by:",
    "by:operator",
    "action:account:created",
    "(((((",
    "))",
    "+",
    "fjord\0ann",
    "\u{202e}",
    "हिन्दी",
    "fjord ann ben carla d e f g h i j k l m n o p",
    "-1",
    "%_%",
];

#[test]
fn nobody_reads_another_organisations_log_whatever_they_type() {
    let (portal, owner) = lived_in();
    let mut other = portal.organisation("Lakeside");
    let lakeside = portal.named("Lakeside").number();
    let own = || -> BTreeSet<i64> {
        let numbers = format!("SELECT number FROM audit_events WHERE chain_id = {lakeside}");
        portal.ask::<i64>(&numbers).into_iter().collect()
    };
    let people: Vec<String> = portal
        .audit(Some(portal.first()))
        .into_iter()
        .filter_map(|entry| entry.actor_text)
        .collect();
    assert!(people.contains(&owner.email));
    let long = "x".repeat(5_000);
    for typed in HOSTILE.into_iter().chain([long.as_str()]) {
        for address in ["/audit", "/audit.csv", "/audit.jsonl"] {
            other
                .get(format!("{address}?q={}", encode(typed)))
                .answers(200);
            let page = other.html();
            for email in &people {
                assert!(
                    !page.contains(email.as_str()),
                    "{typed}: {email} stands on {address}"
                );
            }
            if address == "/audit" {
                let found = numbers_on(&page);
                assert!(found.iter().all(|number| own().contains(number)), "{typed}");
            }
        }
    }
    // What the other has no event of is not there, whoever has one.
    let beyond = own().last().unwrap() + 200;
    other.get(format!("/audit/{beyond}")).answers(404);
    let ann = portal.ask::<i64>("SELECT id FROM accounts WHERE email = 'ann.vik@fjord.example'")[0];
    let account = format!(
        "{}",
        portal
            .app()
            .db()
            .read(portal.app().now(), |read| {
                doorward::accounts::by_email(
                    read,
                    &"ann.vik@fjord.example".parse::<Email>().unwrap(),
                )
            })
            .unwrap()
            .unwrap()
            .id
    );
    assert!(ann > 0);
    other.get(format!("/audit?target={account}")).answers(200);
    assert!(!other.html().contains("ann.vik") && !other.html().contains("Ann"));
}

#[test]
fn a_text_that_looks_like_a_word_of_ours_is_found_by_no_filter() {
    let (portal, mut owner) = lived_in();
    let event = Event::of(portal.first(), Action::MailRetried)
        .on_text("action:role:changed by:system on:5 action:denied")
        .changed("by:stranger", "action:sign:in:failed");
    record(&portal, &By::operator(), &event);
    let planted = asked(&portal, "1")[0];
    for filter in [
        "what=role.changed",
        "who=system",
        "who=stranger",
        "what=denied",
        "result=refused",
    ] {
        assert!(
            !listed(&mut owner, &format!("/audit?{filter}")).contains(&planted),
            "{filter}"
        );
    }
    assert!(listed(&mut owner, "/audit?what=mail").contains(&planted));
}

/// Of each kind one row, and on its page who did what to whom, from where, when, with what result, in which request.
#[test]
fn each_kind_of_event_is_one_row_and_its_page_says_all_of_it() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let organisation = portal.first();
    let ann = portal.invite(&owner, Role::Member, "ann@fjord.example");
    let by = By {
        actor: Actor::Account {
            id: portal
                .app()
                .db()
                .read(portal.app().now(), |read| {
                    doorward::accounts::by_email(read, &owner.email.parse::<Email>().unwrap())
                })
                .unwrap()
                .unwrap()
                .id,
            email: owner.email.parse().unwrap(),
            session: None,
        },
        address: Some("198.51.100.77".parse().unwrap()),
        request_id: "abcdefghijklmnop".to_owned(),
    };
    let name = portal.ask::<String>("SELECT name FROM accounts WHERE name IS NOT NULL")[0].clone();
    // The change of the key says what was before it, and cannot be made up.
    for action in Action::ALL
        .into_iter()
        // These say of other rows what must be so.
        .filter(|action| ![Action::KeyReplaced, Action::AccountErased].contains(action))
    {
        let before = count(&portal, organisation);
        let event = Event::of(organisation, action)
            .on(ann, "ann@fjord.example")
            .with("role", "member")
            .changed("the one before", "the one after");
        record(&portal, &by, &event);
        assert_eq!(
            count(&portal, organisation),
            before + 1,
            "{}",
            action.slug()
        );
        owner.get(format!("/audit/{}", before + 1)).answers(200);
        let (text, page) = (owner.text(), owner.html());
        for part in [
            name.as_str(),
            &owner.email,
            "ann@fjord.example",
            "198.51.100.77",
            "abcdefghijklmnop",
            "the one before",
            "the one after",
            "Role member",
            action.slug(),
            &format!("Number {} of {}", before + 1, before + 1),
            "(Europe/Oslo)",
        ] {
            assert!(
                text.contains(part),
                "{}: {part} is missing in {text}",
                action.slug()
            );
        }
        let refused = text.contains("Result Refused or failed");
        assert_ne!(refused, text.contains("Result Done"), "{}", action.slug());
        let hash = portal.ask::<String>(&format!(
            "SELECT lower(hex(hash)) FROM audit_events WHERE chain_id = {} AND number = {}",
            organisation.number(),
            before + 1
        ))[0]
            .clone();
        assert!(page.contains(&hash));
        assert_eq!(
            listed(&mut owner, &format!("/audit?what={}", action.slug()))[0],
            before + 1
        );
    }
    portal.leave_mail();
}

fn count(portal: &Portal, organisation: OrganisationId) -> i64 {
    portal.ask(&format!(
        "SELECT count(*) FROM audit_events WHERE chain_id = {}",
        organisation.number()
    ))[0]
}

#[test]
fn a_reader_comes_back_to_the_list_as_it_was() {
    let (portal, mut owner) = lived_in();
    let number = listed(&mut owner, "/audit?what=accounts&from=2020-01-01")[0];
    for (referer, back) in [
        (
            "https://portal.example/audit?what=accounts&x=1&before=900",
            "/audit?what=accounts&amp;before=900",
        ),
        ("https://evil.example/audit?what=accounts", "/audit"),
        ("https://portal.example/iam/accounts", "/audit"),
    ] {
        let referer = referer.replace("https://portal.example", &portal.app().settings.public_url);
        owner
            .draft(
                doorward::kit::http::request::Method::Get,
                format!("/audit/{number}"),
            )
            .header("referer", &referer)
            .send()
            .answers(200);
        assert!(
            owner
                .html()
                .contains(&format!("class=\"back\" href=\"{back}\"")),
            "{referer}"
        );
    }
}

#[test]
fn the_log_is_in_the_menu_of_those_who_may_read_it_and_accounts_lead_to_it() {
    let (portal, mut owner) = lived_in();
    owner.get("/");
    assert!(owner.html().contains("href=\"/audit\""));
    owner.get("/iam/accounts?q=ben@fjord.example");
    let id = between(&owner.html(), "href=\"/iam/accounts/acc_", "\"").to_owned();
    owner.get(format!("/iam/accounts/acc_{id}")).answers(200);
    for link in [
        format!("/audit?target=acc_{id}"),
        format!("/audit?who=acc_{id}"),
    ] {
        assert!(owner.html().contains(&format!("href=\"{link}\"")), "{link}");
        assert!(!listed(&mut owner, &link).is_empty());
        owner.get(format!("/iam/accounts/acc_{id}"));
    }
    let mut admin = portal.member(Role::Admin, "admin@fjord.example");
    admin.get("/");
    assert!(!admin.html().contains("href=\"/audit"));
    admin.get(format!("/iam/accounts/acc_{id}")).answers(200);
    assert!(!admin.html().contains("/audit?"));
    for page in ["/audit", "/audit/1", "/audit.csv", "/audit.jsonl"] {
        admin.get(page).answers(403);
        assert!(admin.text().contains("Read the audit log"), "{page}");
        owner.post(page, &[]).answers(405);
    }
    portal.leave_mail();
}
