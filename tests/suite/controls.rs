//! Every control that a page hides from somebody is refused by the server too, and looking changes nothing.
//!
//! Made from the pages: whatever a Master's pages link to and send is collected, and then sent by each lesser role that
//! has no such control on any page of its own.

use std::collections::{BTreeMap, BTreeSet};

use doorward::domain::role::{Managers, Role};
use doorward::kit::http::request::Method;
use doorward::lifecycle;
use doorward::routes::{Access, Route};
use doorward::settings;

use crate::access;
use crate::answer::plain;
use crate::forms::content;
use crate::markup;
use crate::portal::{OWNER, Portal};
use crate::visitor::Visitor;

/// Pages of one kind that differ in their query alone: so many are opened.
const ALIKE_MAX: usize = 3;

/// One way of sending one form: where it goes, what is chosen in it, and everything else that it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Control {
    /// Where it goes.
    action: String,
    /// What is chosen: an option, a radio button, a button with a value. None in a form without choices.
    choice: Option<(String, String)>,
    /// What its other fields hold, without the proof.
    fields: BTreeMap<String, String>,
}

impl Control {
    /// What makes two controls the same: where they go and what is chosen.
    fn key(&self) -> (String, Option<(String, String)>) {
        (self.action.clone(), self.choice.clone())
    }
}

/// What somebody's pages hold.
#[derive(Default)]
struct Seen {
    /// The addresses, without their queries.
    paths: BTreeSet<String>,
    /// The pages that were opened.
    pages: usize,
    /// What can be sent.
    controls: BTreeMap<(String, Option<(String, String)>), Control>,
}

/// Everything that this person gets to from the dashboard, looking alone.
fn crawl(visitor: &mut Visitor) -> Seen {
    let mut seen = Seen::default();
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    let mut waiting = ["/", "/account", "/account/two-factor"]
        .map(str::to_owned)
        .to_vec();
    let mut known: BTreeSet<String> = waiting.iter().cloned().collect();
    while let Some(address) = waiting.pop() {
        visitor.head(&address);
        visitor.get(&address);
        match visitor.status() {
            200 => {}
            // Whoever is signed in goes on from the sign-in page.
            303 => continue,
            _ => visitor.fail("a page of theirs leads where they may not go"),
        }
        let path = address.split('?').next().unwrap().to_owned();
        seen.paths.insert(path);
        seen.pages += 1;
        if !visitor.last().is_page() {
            continue;
        }
        let (elements, _) = markup::parse(&visitor.html());
        for control in controls(&elements) {
            seen.controls.insert(control.key(), control);
        }
        for link in elements.iter().filter_map(|one| one.get("href")) {
            let link = plain(link);
            let link = link.split('#').next().unwrap_or_default();
            if !link.starts_with('/') || link.starts_with("/assets/") {
                continue;
            }
            let (path, query) = link.split_once('?').unwrap_or((link, ""));
            let names: BTreeSet<&str> = query
                .split('&')
                .filter_map(|pair| pair.split('=').next())
                .collect();
            let count = alike.entry(format!("{path} {names:?}")).or_default();
            if *count < ALIKE_MAX && known.insert(link.to_owned()) {
                *count += 1;
                waiting.push(link.to_owned());
            }
        }
    }
    seen
}

/// The forms of a page that do something, once for each thing that can be chosen in them.
fn controls(elements: &[markup::Element]) -> Vec<Control> {
    let mut controls = Vec::new();
    for (index, form) in elements.iter().enumerate() {
        if form.name != "form" || form.get("method") != Some("post") {
            continue;
        }
        let action = plain(form.get("action").unwrap_or_default());
        let mut fields = BTreeMap::new();
        let mut choices: Vec<(String, String)> = Vec::new();
        for (at, field) in elements.iter().enumerate() {
            if !field.around.contains(&index) || field.has("disabled") {
                continue;
            }
            let name = plain(field.get("name").unwrap_or_default());
            let value = plain(field.get("value").unwrap_or_default());
            match (field.name.as_str(), field.get("type")) {
                ("select", _) => {
                    let options = elements.iter().filter(|option| {
                        option.name == "option"
                            && option.around.contains(&at)
                            && !option.has("disabled")
                    });
                    let values: Vec<String> = options
                        .map(|option| plain(option.get("value").unwrap_or_default()))
                        .collect();
                    // The zones of the world are all alike.
                    if values.len() <= 10 {
                        choices.extend(values.into_iter().map(|value| (name.clone(), value)));
                    } else {
                        fields.extend(values.first().map(|value| (name, value.clone())));
                    }
                }
                ("input", Some("radio")) => choices.push((name, value)),
                ("button", _) if !name.is_empty() => choices.push((name, value)),
                ("input", _) if name != "csrf" => {
                    fields.insert(name, value);
                }
                _ => {}
            }
        }
        if choices.is_empty() {
            controls.push(Control {
                action,
                choice: None,
                fields,
            });
        } else {
            controls.extend(choices.into_iter().map(|choice| Control {
                action: action.clone(),
                choice: Some(choice),
                fields: fields.clone(),
            }));
        }
    }
    controls
}

/// Sends it, rightly filled in, with this person's own proof.
fn send(portal: &Portal, visitor: &mut Visitor, control: &Control) -> u16 {
    let route = Route::parse(control.action.split('?').next().unwrap()).unwrap();
    let mut fields = control.fields.clone();
    for (name, value) in access::fields(portal, &route, visitor) {
        let is_empty = fields.get(name).is_none_or(String::is_empty);
        if is_empty && control.fields.contains_key(name) {
            fields.insert(name.to_owned(), value);
        }
    }
    fields.extend(control.choice.clone());
    let mut draft = visitor.draft(Method::Post, &control.action).proven();
    for (name, value) in &fields {
        draft = draft.field(name, value);
    }
    draft.send().status()
}

/// What the file holds, but for what looking and being refused write.
fn rest(portal: &Portal) -> Vec<String> {
    let mut rows = content(portal);
    rows.retain(|row| !row.starts_with("throttles "));
    rows
}

/// An organisation with somebody of each role in each state, and whom the lesser ones are.
fn town(portal: &Portal) -> (Visitor, Vec<(&'static str, Visitor)>) {
    let owner = portal.owner();
    let app = portal.app();
    for role in [Role::Member, Role::Master] {
        portal.invite(
            &owner,
            role,
            &format!("pending-{}@fjord.example", role.key()),
        );
        portal.member_of(
            &owner,
            role,
            &format!("active-{}@fjord.example", role.key()),
        );
        let gone = portal.member_of(&owner, role, &format!("off-{}@fjord.example", role.key()));
        let id = gone.account().id;
        app.write(app.now(), |tx| lifecycle::disable(tx, &owner.allowed(), id))
            .unwrap();
    }
    portal
        .member_of(&owner, Role::Member, "guarded-member@fjord.example")
        .enrol();
    let lesser = [
        ("Member", Role::Member),
        ("Billing", Role::Billing),
        ("Admin", Role::Admin),
    ];
    let lesser = lesser.map(|(name, role)| {
        let email = format!("{}@fjord.example", role.key());
        let person = portal.member_of(&owner, role, &email);
        // A second session, as the owner has: ending it is their own to do.
        portal.signed_in(&email);
        (name, person)
    });
    portal.work();
    (owner, lesser.into())
}

/// What a Master's pages hold and this person's do not is refused, and changes nothing.
fn assert_refused(portal: &Portal, master: &Seen, name: &str, person: &mut Visitor) -> usize {
    let before = rest(portal);
    let own = crawl(person);
    let mut refused = 0;
    for (key, control) in &master.controls {
        if own.controls.contains_key(key) {
            continue;
        }
        let status = send(portal, person, control);
        if !matches!(status, 403 | 404) {
            person.fail(&format!("{name} sent {control:?}"));
        }
        refused += 1;
    }
    for path in master.paths.difference(&own.paths) {
        let route = Route::parse(path).unwrap();
        if route.access() == Access::Public {
            continue;
        }
        person.get(path);
        if !matches!(person.status(), 403 | 404) {
            person.fail(&format!(
                "{name} opened {path}, to which no page of theirs leads"
            ));
        }
        refused += 1;
    }
    let after = rest(portal);
    assert!(before == after, "{name} changed something");
    assert!(refused > 0, "{name}");
    println!(
        "{name}: {} pages, {} controls; {refused} hidden ones refused",
        own.pages,
        own.controls.len()
    );
    refused
}

#[test]
fn every_control_that_a_page_hides_the_server_refuses_too() {
    let portal = Portal::build().demo().start();
    portal.leave_mail();
    let (mut owner, mut lesser) = town(&portal);
    let mut second = portal.signed_in("active-master@fjord.example");
    portal.signed_in(OWNER);
    let mut master = crawl(&mut owner);
    let other = crawl(&mut second);
    master.paths.extend(other.paths);
    master.controls.extend(other.controls);
    println!(
        "Masters: {} pages, {} controls",
        master.pages + other.pages,
        master.controls.len()
    );
    // The pages that this is about are there: every deed, for every account that it can be done to.
    for deed in [
        "resend",
        "copy-link",
        "role",
        "disable",
        "enable",
        "delete",
        "sign-out",
        "reset-password",
        "reset-two-factor",
    ] {
        let sent = master
            .controls
            .keys()
            .any(|(action, _)| action.ends_with(deed));
        assert!(sent, "no page sends {deed}");
    }
    for action in [
        "/iam/accounts",
        "/settings/general",
        "/settings/security",
        "/settings/two-factor",
    ] {
        let sent = master.controls.keys().any(|(to, _)| to == action);
        assert!(sent, "no page sends {action}");
    }
    let mut refused = BTreeMap::new();
    for (name, person) in &mut lesser {
        portal.travel(60);
        portal.work();
        refused.insert(*name, assert_refused(&portal, &master, name, person));
    }
    let app = portal.app();
    app.write_if(app.now(), |tx| {
        settings::set_managers(tx, &owner.allowed(), Managers::Masters)
    })
    .unwrap();
    let (_, admin) = &mut lesser[2];
    admin.get("/sign-in").answers(200);
    admin.sign_in();
    portal.signed_in(&admin.email);
    let name = "Admin, where only Masters manage users";
    refused.insert(name, assert_refused(&portal, &master, name, admin));
    // Each of them has fewer controls than the next.
    assert!(refused["Member"] >= refused["Billing"]);
    assert!(refused["Billing"] > refused[name]);
    assert!(refused[name] > refused["Admin"]);
}

/// Everything that the file holds of sessions and of what they may change.
fn all(portal: &Portal) -> Vec<String> {
    let mut rows = rest(portal);
    rows.extend(portal.ask::<String>("SELECT 'session ' || quote(hash) FROM sessions ORDER BY 1"));
    rows
}

/// Sends and opens all that a full session's pages hold, in a state that reaches one step alone: each leads there.
fn assert_led_to(
    portal: &Portal,
    full: &Seen,
    (name, person): (&str, &mut Visitor),
    step: &Route,
) -> usize {
    // The proof of their own forms, so that nothing but their state refuses them.
    person.get(step).answers(200);
    let before = all(portal);
    let is_theirs = |route: &Route| match route.access() {
        Access::Public => true,
        Access::Halfway => *step == Route::SignInCode,
        Access::Enrolling => *step == Route::TwoFactor,
        Access::SignedIn | Access::With(_) => false,
    };
    let mut led = 0;
    for control in full.controls.values() {
        let route = Route::parse(control.action.split('?').next().unwrap()).unwrap();
        if is_theirs(&route) {
            continue;
        }
        send(portal, person, control);
        if person.status() != 303 || person.location() != Some(step.to_string()) {
            person.fail(&format!("{name} sent {control:?}"));
        }
        led += 1;
    }
    for path in &full.paths {
        if is_theirs(&Route::parse(path).unwrap()) {
            continue;
        }
        person.get(path).answers(303);
        let location = person.location().unwrap();
        assert_eq!(location.split('?').next(), Some(step.to_string().as_str()));
        led += 1;
    }
    assert!(before == all(portal), "{name} changed something");
    led
}

#[test]
fn whoever_owes_a_code_or_the_set_up_does_nothing_that_a_full_page_offers() {
    let portal = Portal::build().demo().start();
    portal.leave_mail();
    let (mut owner, _) = town(&portal);
    let mut guarded = portal.member_of(&owner, Role::Master, "guarded-master@fjord.example");
    guarded.enrol();
    let mut full = crawl(&mut owner);
    let other = crawl(&mut guarded);
    full.paths.extend(other.paths);
    full.controls.extend(other.controls);
    for action in [
        "/account/two-factor",
        "/account/two-factor/codes",
        "/settings/general",
        "/iam/accounts",
    ] {
        assert!(full.controls.keys().any(|(to, _)| to == action), "{action}");
    }
    portal.travel(60);
    let mut half = portal.half(&guarded);
    // A code is refused too, right or not: none of its own is wasted here.
    half.phone = None;
    let mut late = portal.member_of(&owner, Role::Master, "late-master@fjord.example");
    portal.end_grace(&late.email);
    portal.work();
    let led = [
        assert_led_to(&portal, &full, ("half", &mut half), &Route::SignInCode),
        assert_led_to(&portal, &full, ("enrolling", &mut late), &Route::TwoFactor),
    ];
    println!("led to their step: half {}, enrolling {}", led[0], led[1]);
    assert!(led.iter().all(|count| *count > 50), "{led:?}");
}

#[test]
fn looking_at_everything_there_is_changes_nothing() {
    let portal = Portal::build().demo().start();
    portal.leave_mail();
    let (mut owner, _) = town(&portal);
    let before = rest(&portal);
    let seen = crawl(&mut owner);
    // Looking at an act is looking too.
    for (action, _) in seen.controls.keys() {
        for method in [Method::Get, Method::Head] {
            owner.draft(method, action).send();
            assert!(owner.status() < 500);
        }
    }
    assert!(before == rest(&portal), "looking changed something");
    println!("{} pages, {} controls", seen.pages, seen.controls.len());
    assert!(seen.pages > 40, "{} pages", seen.pages);
}
