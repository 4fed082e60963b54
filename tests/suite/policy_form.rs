//! The form in which a Master decides what each role is asked for besides the password, and the page that says whom that
//! meets.

use doorward::domain::role::Role;
use doorward::kit::http::request::Method;
use doorward::kit::time::DAY;

use crate::portal::{OWNER, Portal, START};
use crate::visitor::Visitor;

const SAVE: &str = "/settings/two-factor";
const MIA: &str = "mia@fjord.example";

/// What the form sends: a level and days for each of Member, Billing, Admin, Master.
struct Typed<'t>([(&'t str, &'t str); 4], &'t [(&'t str, &'t str)]);

impl<'t> Typed<'t> {
    /// The same for every role.
    const fn all(level: &'t str, days: &'t str) -> Self {
        Self([(level, days); 4], &[])
    }

    const fn with(self, more: &'t [(&'t str, &'t str)]) -> Self {
        Self(self.0, more)
    }

    fn fields(&self) -> Vec<(&'static str, &'t str)>
    where
        't: 'static,
    {
        let names = [
            ("member", "member_days"),
            ("billing", "billing_days"),
            ("admin", "admin_days"),
            ("master", "master_days"),
        ];
        let mut fields = Vec::new();
        for ((level_field, days_field), (level, days)) in names.into_iter().zip(self.0) {
            fields.push((level_field, level));
            fields.push((days_field, days));
        }
        fields.extend(self.1);
        fields
    }
}

fn save<'v>(visitor: &'v mut Visitor, typed: &Typed<'static>) -> &'v mut Visitor {
    visitor.post(SAVE, &typed.fields())
}

/// What the file has, as "member required 7 billing …", and the trust.
fn policies(portal: &Portal) -> String {
    portal
        .ask::<String>(
            "SELECT group_concat(level || ' ' || grace_days, ', ') || '; ' || (SELECT trust FROM organisations)
               FROM (SELECT * FROM policies ORDER BY CASE role WHEN 'member' THEN 0 WHEN 'billing' THEN 1 WHEN 'admin' THEN 2 ELSE 3 END)",
        )
        .remove(0)
}

fn recorded(portal: &Portal) -> usize {
    let log = portal.audit(Some(portal.first()));
    log.iter()
        .filter(|one| one.action == "organisation.policy_changed")
        .count()
}

const AS_IT_IS: &str = "required 7, required 7, required 7, required 7; off";

/// The owner, who has a second factor.
fn owner(portal: &Portal) -> Visitor {
    let mut owner = portal.owner();
    owner.enrol();
    owner
}

#[test]
fn it_shows_what_is() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner
        .get("/settings")
        .answers(200)
        .sees("1 Active account has none. Grace ends on 1 Dec 2026.")
        .sees("No Active account is Member.");
    let page = owner.html();
    assert_eq!(
        page.matches("<option value=\"required\" selected>").count(),
        4
    );
    for role in Role::ALL {
        let field = format!("name=\"{}_days\"", role.key());
        let input = page.split("<input").find(|one| one.contains(&field));
        assert!(input.unwrap().contains("value=\"7\""), "{field}");
    }
    owner.enrol();
    let typed = Typed(
        [
            ("off", "0"),
            ("recommended", "3"),
            ("required", "30"),
            ("required", "0"),
        ],
        &[("trust", "yes")],
    );
    save(&mut owner, &typed)
        .answers(303)
        .goes_to("/settings")
        .follow()
        .sees("The two-factor policy is saved. Off: Member. Recommended: Billing. Required after 30 days: Admin.")
        .sees("Required at once: Master. Browsers may be trusted for 30 days.")
        .sees("Every Active account has it.");
    assert_eq!(
        policies(&portal),
        "off 0, recommended 3, required 30, required 0; offered"
    );
    let page = owner.html();
    for (level, count) in [("off", 1), ("recommended", 1), ("required", 2)] {
        let chosen = format!("<option value=\"{level}\" selected>");
        assert_eq!(page.matches(&chosen).count(), count, "{level}");
    }
    for (role, days) in Role::ALL.into_iter().zip(["0", "3", "30", "0"]) {
        let field = format!("name=\"{}_days\"", role.key());
        let input = page.split("<input").find(|one| one.contains(&field));
        assert!(
            input.unwrap().contains(&format!("value=\"{days}\"")),
            "{field}"
        );
    }
    let trust = page
        .split("<input")
        .find(|one| one.contains("name=\"trust\""));
    assert!(
        trust
            .unwrap()
            .split('>')
            .next()
            .unwrap()
            .contains("checked")
    );
}

#[test]
fn days_that_are_none_are_said_at_their_field_and_everything_is_kept() {
    let portal = Portal::start();
    let mut owner = owner(&portal);
    for days in ["31", "-1", "1.5", "", "seven", "256", "1e1", " ", "٣"] {
        for (place, role) in Role::ALL.into_iter().enumerate() {
            let mut levels = [
                ("off", "1"),
                ("recommended", "2"),
                ("required", "3"),
                ("off", "4"),
            ];
            levels[place] = ("required", days);
            save(&mut owner, &Typed(levels, &[("trust", "yes")]))
                .answers(422)
                .sees("Give whole days from 0 to 30.");
            let page = owner.html();
            assert!(page.contains("<title>Error: Settings"), "{days:?}");
            assert_eq!(page.matches("aria-invalid").count(), 1, "{days:?}");
            let error = format!("id=\"{}_days-error\"", role.key());
            assert!(page.contains(&error), "{days:?} {error}");
            // Everything typed is there again, in all four rows.
            for (role, (level, days)) in Role::ALL.into_iter().zip(levels) {
                let key = role.key();
                let select = page
                    .split("<select")
                    .find(|one| one.contains(&format!("name=\"{key}\"")));
                let select = select
                    .unwrap()
                    .split("</select>")
                    .next()
                    .unwrap()
                    .to_owned();
                assert!(
                    select.contains(&format!("<option value=\"{level}\" selected>")),
                    "{key}: {select}"
                );
                let field = format!("name=\"{key}_days\"");
                let input = page
                    .split("<input")
                    .find(|one| one.contains(&field))
                    .unwrap();
                let input = input.split('>').next().unwrap();
                let value = format!("value=\"{days}\"");
                assert!(
                    input.contains(&value) || (days.is_empty() && !input.contains("value=")),
                    "{key} {days:?}: {input}"
                );
            }
            let trust = page
                .split("<input")
                .find(|one| one.contains("name=\"trust\""));
            assert!(
                trust
                    .unwrap()
                    .split('>')
                    .next()
                    .unwrap()
                    .contains("checked")
            );
        }
    }
    // Where nothing is counted they may stay empty, but not be wrong.
    for (level, days) in [("off", "31"), ("recommended", "-1"), ("off", "+7")] {
        save(&mut owner, &Typed::all(level, days)).answers(422);
        assert_eq!(owner.html().matches("aria-invalid").count(), 4, "{days}");
    }
    // Several at once are several messages.
    save(&mut owner, &Typed::all("required", "x")).answers(422);
    assert_eq!(owner.html().matches("aria-invalid").count(), 4);
    assert_eq!(policies(&portal), AS_IT_IS);
    assert_eq!(recorded(&portal), 0);
}

#[test]
fn what_no_form_of_ours_sends_is_refused() {
    let portal = Portal::start();
    let mut owner = owner(&portal);
    let good = Typed::all("required", "7");
    for (forged, with) in [
        ("member", "must"),
        ("master", ""),
        ("admin", "Required"),
        ("trust", "on"),
        ("confirm", "7"),
    ] {
        let mut fields = good.fields();
        fields.retain(|(name, _)| *name != forged);
        fields.push((forged, with));
        owner.post(SAVE, &fields).answers(400);
    }
    for field in ["member", "member_days", "confirm"] {
        let mut fields = good.fields();
        fields.push(("confirm", "yes"));
        fields.push((field, "7"));
        owner.post(SAVE, &fields).answers(400);
    }
    // Without its level a role is none of ours to guess.
    let mut fields = good.fields();
    fields.retain(|(name, _)| *name != "billing");
    owner.post(SAVE, &fields).answers(400);
    owner
        .draft(Method::Post, SAVE)
        .fields(&good.fields())
        .send()
        .answers(403)
        .sees("The form has expired");
    assert_eq!(policies(&portal), AS_IT_IS);
}

#[test]
fn what_changes_nothing_is_said_to_change_nothing() {
    let portal = Portal::start();
    let mut owner = owner(&portal);
    let before = portal.audit(Some(portal.first())).len();
    save(&mut owner, &Typed::all("required", "7"))
        .answers(303)
        .goes_to("/settings")
        .follow()
        .sees("Nothing to save: it is so already.");
    assert_eq!(portal.audit(Some(portal.first())).len(), before);
}

#[test]
fn whom_a_stricter_policy_meets_is_said_before_it_is_saved() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let mut enrolled = portal.member(Role::Member, "ann@fjord.example");
    enrolled.enrol();
    portal.member(Role::Member, MIA);
    portal.member(Role::Billing, "bo@fjord.example");
    let gone = portal.member(Role::Member, "gone@fjord.example");
    owner
        .post(format!("/iam/accounts/{}/disable", gone.account().id), &[])
        .answers(303);
    portal.invite(&owner, Role::Member, "pal@fjord.example");
    let typed = Typed(
        [
            ("required", "3"),
            ("required", "8"),
            ("required", "7"),
            ("required", "2"),
        ],
        &[("trust", "yes")],
    );
    save(&mut owner, &typed)
        .answers(200)
        .sees("Whom this meets")
        .sees("Nothing is saved yet.")
        .sees("Member Required from 27 Nov 2026 on. 1 Active account has none")
        .sees("Master Required from 26 Nov 2026 on. 1 Active account has none")
        .sees("2 Active accounts have none You, Master MIA Vik, Member")
        .sees("Browsers that were trusted are asked for the code again.")
        .sees_not("BO Vik")
        .sees_not("ANN Vik")
        .sees_not("GONE Vik, Member")
        .sees_not("pal@fjord.example");
    assert_eq!(policies(&portal), AS_IT_IS);
    assert_eq!(recorded(&portal), 0);
    // What it saves is what was typed, sent again by the page itself.
    let page = owner.html();
    for (name, value) in typed.fields() {
        let hidden = format!("name=\"{name}\" value=\"{value}\"");
        assert!(page.contains(&hidden), "{hidden}");
    }
    assert!(page.contains("href=\"/settings#security\""));
    save(&mut owner, &typed_confirmed())
        .answers(303)
        .goes_to("/settings")
        .follow()
        .answers(200)
        .sees("The two-factor policy is saved.");
    assert_eq!(
        policies(&portal),
        "required 3, required 8, required 7, required 2; offered"
    );
    let log = portal.audit(Some(portal.first()));
    let event = log
        .iter()
        .find(|one| one.action == "organisation.policy_changed")
        .unwrap();
    assert_eq!(event.actor_text.as_deref(), Some(OWNER));
    for said in [
        "\"member\":\"required after 3 days\"",
        "\"billing\":\"required after 8 days\"",
        "\"admin\":\"required after 7 days\"",
        "\"master\":\"required after 2 days\"",
        "\"trust\":\"offered\"",
    ] {
        assert!(event.details.contains(said), "{said}: {}", event.details);
    }
    // Grace began anew where it is stricter, and nowhere else.
    assert_eq!(
        portal.ask::<i64>("SELECT stricter_at FROM policies WHERE role = 'billing'"),
        [START.0]
    );
}

const fn typed_confirmed() -> Typed<'static> {
    Typed(
        [
            ("required", "3"),
            ("required", "8"),
            ("required", "7"),
            ("required", "2"),
        ],
        &[("trust", "yes"), ("confirm", "yes")],
    )
}

#[test]
fn grace_that_begins_anew_begins_when_it_is_saved() {
    let portal = Portal::start();
    let mut owner = owner(&portal);
    portal.travel(DAY);
    owner.get("/sign-in");
    owner.lose("session");
    owner.sign_in();
    let typed = Typed(
        [
            ("required", "6"),
            ("required", "7"),
            ("required", "30"),
            ("off", "7"),
        ],
        &[],
    );
    save(&mut owner, &typed).answers(303);
    let began = portal.ask::<i64>("SELECT stricter_at FROM policies ORDER BY role");
    // admin, billing, master, member
    assert_eq!(began, [START.0, START.0, START.0, START.plus(DAY).0]);
}

#[test]
fn many_are_named_up_to_fifty_and_the_rest_is_counted() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    let first = portal.first().number();
    portal.tamper(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 63)
         INSERT INTO accounts (id, organisation_id, status, role, email, name, created_at, activated_at, role_at)
         SELECT i, {first}, 'active', 'member', 'p' || i || '@fjord.example', 'Crowd ' || i, {0}, {0}, {0} FROM n",
        START.0
    ));
    save(&mut owner, &Typed::all("required", "1")).answers(200);
    let listed = owner.html().matches("href=\"/iam/accounts/acc_").count();
    owner
        .sees("64 Active accounts have none You, Master Crowd")
        .sees(&format!("and {} more", 64 - listed - 1));
    assert!((49..=50).contains(&listed), "{listed}");
}

#[test]
fn what_is_looser_or_meets_nobody_is_saved_at_once() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    // The owner has none: looser is no news to them that needs a page.
    save(&mut owner, &Typed::all("required", "30")).answers(303);
    save(&mut owner, &Typed::all("recommended", "30")).answers(303);
    save(&mut owner, &Typed::all("off", "30")).answers(303);
    assert_eq!(policies(&portal), "off 30, off 30, off 30, off 30; off");
    // Trust alone meets nobody.
    save(
        &mut owner,
        &Typed::all("off", "30").with(&[("trust", "yes")]),
    )
    .answers(303);
    assert_eq!(policies(&portal), "off 30, off 30, off 30, off 30; offered");
    // Stricter for roles that nobody has.
    let typed = Typed(
        [
            ("required", "0"),
            ("required", "0"),
            ("required", "0"),
            ("off", "30"),
        ],
        &[],
    );
    save(&mut owner, &typed).answers(303);
    // Stricter for the one who saves: asked first. Once they have one: saved.
    save(&mut owner, &Typed::all("required", "0"))
        .answers(200)
        .sees("Required at once. 1 Active account has none");
    owner.enrol();
    save(&mut owner, &Typed::all("required", "0")).answers(303);
    assert_eq!(
        policies(&portal),
        "required 0, required 0, required 0, required 0; off"
    );
    assert_eq!(recorded(&portal), 6);
}

#[test]
fn whoever_closes_the_door_on_themselves_lands_on_the_set_up() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    save(&mut owner, &Typed::all("required", "0"))
        .answers(200)
        .sees("You, Master")
        .sees("can open nothing but the set-up from now on");
    assert!(owner.is_signed_in());
    save(
        &mut owner,
        &Typed::all("required", "0").with(&[("confirm", "yes")]),
    )
    .answers(303)
    .follow()
    .answers(303)
    .goes_to("/account/two-factor?next=%2Fsettings")
    .follow()
    .answers(200);
    assert!(owner.must_enrol());
    owner.enrol();
    owner.get("/settings").answers(200);
}

#[test]
fn whoever_does_not_decide_is_refused() {
    let portal = Portal::start();
    for (role, email) in [
        (Role::Admin, "ann@fjord.example"),
        (Role::Billing, "bo@fjord.example"),
        (Role::Member, MIA),
    ] {
        let mut visitor = portal.member(role, email);
        save(&mut visitor, &Typed::all("off", "7"))
            .answers(403)
            .sees("Ask Olivia Berg, Master.");
        save(
            &mut visitor,
            &Typed::all("off", "7").with(&[("confirm", "yes")]),
        )
        .answers(403);
    }
    save(&mut portal.visitor(), &Typed::all("off", "7"))
        .answers(303)
        .goes_to("/sign-in");
    assert_eq!(policies(&portal), AS_IT_IS);
}

#[test]
fn saving_ends_the_trust_that_was_given() {
    let portal = Portal::start();
    let mut owner = owner(&portal);
    let other = portal.organisation("Lakeside");
    let trust = Typed::all("required", "7").with(&[("trust", "yes")]);
    save(&mut owner, &trust).answers(303);
    let trusted =
        || -> i64 { portal.ask("SELECT count(*) FROM devices WHERE trusted_at IS NOT NULL")[0] };
    let trusts = |owner: &Visitor| {
        let mut browser = owner.elsewhere();
        browser.give_password();
        let code = browser.code();
        browser
            .post("/sign-in/code", &[("code", &code), ("trust", "yes")])
            .answers(303);
        browser
    };
    portal.travel(60);
    let mut browser = trusts(&owner);
    assert_eq!(trusted(), 1);
    browser.sign_out();
    browser.get("/sign-in");
    let (email, password) = (owner.email.clone(), owner.password.clone());
    browser.try_password(&email, &password).goes_to("/");
    // Nothing to save leaves it as it is.
    save(&mut owner, &trust).answers(303);
    assert_eq!(trusted(), 1);
    // Any change ends it, looser or not.
    save(
        &mut owner,
        &Typed::all("required", "8").with(&[("trust", "yes")]),
    )
    .answers(303);
    assert_eq!(trusted(), 0);
    browser.sign_out();
    browser.get("/sign-in");
    browser
        .try_password(&email, &password)
        .goes_to("/sign-in/code");
    // What one organisation decides ends nothing in another.
    portal.travel(60);
    trusts(&owner);
    assert_eq!(trusted(), 1);
    let mut other = other;
    other.enrol();
    save(&mut other, &Typed::all("required", "9")).answers(303);
    assert_eq!(trusted(), 1);
}
