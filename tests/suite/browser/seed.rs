//! The seed's story, told to its end in one run: four people come, each with a role of their own; one is promoted,
//! demoted, switched off and on, deleted, and comes back in another organisation; a password is reset, the ownership
//! handed over, an account's own person changes what is theirs, and users become the Masters' affair.
//!
//! Two browsers: the office, where somebody manages, and the browser of whoever it happens to. The pictures lie below
//! `target/screenshots`, numbered in the order of the story.

use std::cell::Cell;

use serde_json::json;

use super::steps::{
    choose, come_in, fill, found, go_on, heading, is_calm, menu, row_menu, sign_out, stays_at,
};
use crate::letter::Letter;
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::wait;
use crate::webdriver::{Browser, PATIENCE};

const PASSWORD: &str = "Quiet-Harbour-9";
const ANOTHER: &str = "Narrow-Sound-4!";

/// Somebody of the story.
struct Person {
    name: &'static str,
    email: &'static str,
    role: &'static str,
}

const INGRID: Person = Person {
    name: "Ingrid Solheim",
    email: "ingrid@halden.example",
    role: "Master",
};
const LEA: Person = Person {
    name: "Léa Fontaine",
    email: "lea@halden.example",
    role: "Member",
};
const BO: Person = Person {
    name: "Bo Lindqvist",
    email: "bo@halden.example",
    role: "Billing",
};
const TOMASZ: Person = Person {
    name: "Tomasz Wierzbicki",
    email: "tomasz@halden.example",
    role: "Admin",
};
const MONA: Person = Person {
    name: "Mona Aas",
    email: "mona@halden.example",
    role: "Master",
};
const OLIVIA: Person = Person {
    name: "Olivia Berg",
    email: "olivia@fjord.example",
    role: "Master",
};

/// The scene: a portal with real mail, and two browsers in front of it.
struct Scene {
    doorward: Doorward,
    relay: Relay,
    /// Where somebody manages.
    office: Browser,
    /// Where somebody is managed.
    theirs: Browser,
    pictures: Cell<usize>,
}

#[test]
fn the_seed_is_told_to_its_end() {
    let test = "the_seed_is_told_to_its_end";
    let (Some(office), Some(theirs)) = (Browser::open(test), Browser::open(test)) else {
        return;
    };
    let relay = Relay::start(Security::Plain);
    let doorward = Launch::serve().arg("--smtp-url").arg(relay.url("")).start();
    let scene = Scene {
        doorward,
        relay,
        office,
        theirs,
        pictures: Cell::new(1),
    };
    scene.invite_four();
    scene.each_sees_what_is_theirs();
    scene.promote();
    scene.demote();
    scene.disable_and_enable();
    scene.delete();
    scene.another_organisation();
    scene.reset();
    scene.hand_over();
    scene.only_masters_manage();
    scene.own_account();
    for browser in [&scene.office, &scene.theirs] {
        is_calm(browser, &[403, 404, 422]);
        stays_at(browser, scene.doorward.address());
    }
}

impl Scene {
    fn picture(&self, browser: &Browser, name: &str) {
        let number = self.pictures.replace(self.pictures.get() + 1);
        browser.screenshot(&format!("{number:02}-{name}"));
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.doorward.address())
    }

    /// The mail to this person with this subject, once it has come.
    fn letter(&self, to: &str, subject: &str) -> Letter {
        let came = wait::until(PATIENCE, || {
            let messages = self.relay.messages().into_iter();
            messages
                .filter(|mail| mail.to == [to])
                .map(|mail| Letter::read(&mail.data))
                .find(|letter| letter.header("subject").starts_with(subject))
        });
        came.unwrap_or_else(|| panic!("no {subject:?} to {to}"))
    }

    /// Their browser is somebody else's from here on.
    fn next_person(&self) {
        self.theirs.go(&self.at("/sign-in"));
        self.theirs.forget_cookies();
    }

    fn sign_in_as(&self, person: &Person, password: &str) {
        self.next_person();
        self.sign_in_again(person.email, password);
    }

    fn sign_in_again(&self, email: &str, password: &str) {
        self.theirs.go(&self.at("/sign-in"));
        fill(&self.theirs, "email", email);
        fill(&self.theirs, "password", password);
        go_on(&self.theirs, "Sign in");
    }

    /// The link of the invitation, and the first sign-in.
    fn activate(&self, person: &Person, organisation: &str) {
        self.next_person();
        let subject = format!("Activate your account at {organisation}");
        let browser = &self.theirs;
        browser.go(&self.letter(person.email, &subject).link());
        assert_eq!(heading(browser), "Activate your account");
        fill(browser, "name", person.name);
        come_in(browser, person.email, PASSWORD);
        assert_eq!(role_shown(browser), person.role);
    }

    /// From the list in the office: this line of this row's menu, as a dialog.
    fn ask(&self, who: &str, what: &str) {
        self.office.go(&self.at("/iam/accounts"));
        row_menu(&self.office, who);
        self.office.find_words("tbody .menu a", what).click();
        self.office.wait_until("dialog[open]");
    }

    /// Answers the dialog; the list comes back and says what happened.
    fn confirm(&self, button: &str, told: &str) {
        go_on(&self.office, button);
        assert_eq!(heading(&self.office), "IAM");
        let toast = self.office.wait_until(".toast").text();
        assert!(toast.contains(told), "{toast}");
    }

    /// The next thing they click leads to the sign-in page.
    fn is_out(&self, link: &str) {
        go_on(&self.theirs, link);
        assert_eq!(heading(&self.theirs), "Sign in to the Portal");
    }

    /// An organisation is founded, and its owner invites one of each role.
    fn invite_four(&self) {
        let office = &self.office;
        let link = std::fs::read_to_string(self.doorward.data().join("setup-link")).unwrap();
        office.go(link.trim());
        found(office, "Halden Works", INGRID.name, INGRID.email, PASSWORD);
        go_on(office, "IAM");
        for person in [&LEA, &BO, &TOMASZ, &MONA] {
            office.find_words(".page-head a", "Create account").click();
            office.wait_until("dialog[open]");
            fill(office, "email", person.email);
            choose(office, "role", person.role);
            go_on(office, "Confirm");
            let toast = office.wait_until(".toast").text();
            assert!(
                toast.contains(&format!("Invited {}.", person.email)),
                "{toast}"
            );
        }
        self.picture(office, "four-invited");
    }

    /// Each comes by their mail, and has a menu, pages and refusals by their role.
    fn each_sees_what_is_theirs(&self) {
        let browser = &self.theirs;
        for (person, entries, refused, permission) in [
            (
                &LEA,
                &["Dashboard", "Resources"][..],
                Some("/iam/accounts"),
                "List users",
            ),
            (
                &BO,
                &["Dashboard", "Resources", "Billing"],
                Some("/iam/roles"),
                "List users",
            ),
            (
                &TOMASZ,
                &["Dashboard", "IAM", "Resources", "Billing", "Mail"],
                Some("/settings"),
                "Manage the organisation (settings, security policy, ownership)",
            ),
            (
                &MONA,
                &[
                    "Dashboard",
                    "IAM",
                    "Resources",
                    "Billing",
                    "Audit log",
                    "Mail",
                    "Settings",
                ],
                None,
                "",
            ),
        ] {
            self.activate(person, "Halden Works");
            assert_eq!(menu(browser), entries, "{}", person.name);
            self.picture(browser, &format!("{}-sees", person.role.to_lowercase()));
            if let Some(path) = refused {
                browser.go(&self.at(path));
                assert_eq!(browser.status(), 403);
                let page = match path {
                    "/iam/accounts" => "Accounts",
                    "/iam/roles" => "Roles",
                    "/settings" => "Settings",
                    _ => "this",
                };
                assert_eq!(heading(browser), format!("You cannot open {page}"));
                let said = browser.find("main").text();
                for words in [
                    format!("Your role is {}.", person.role),
                    format!("“{permission}”"),
                    "Ask Ingrid Solheim, Master.".to_owned(),
                ] {
                    assert!(said.contains(&words), "{words:?} is not in {said}");
                }
                self.picture(browser, &format!("{}-refused", person.role.to_lowercase()));
            }
        }
        // An Admin does not make a Master, and does nothing to one.
        self.sign_in_as(&TOMASZ, PASSWORD);
        browser.go(&self.at("/iam/accounts/new"));
        let master = browser.find("[name=role] option[value=master]");
        assert_eq!(master.property("disabled"), true);
        assert_eq!(master.text(), "Master (only a Master can give this)");
        browser.go(&self.at("/iam/accounts"));
        for master in [INGRID.name, MONA.name] {
            let menu = format!("[aria-label=\"Actions for {master}\"]");
            assert!(browser.find_all(&menu).is_empty(), "{master}");
        }
        self.picture(browser, "admin-list");
        self.office.go(&self.at("/iam/accounts?sort=name"));
        self.picture(&self.office, "all-active");
    }

    /// A gain waits for the next sign-in, and says so.
    fn promote(&self) {
        let browser = &self.theirs;
        self.sign_in_as(&LEA, PASSWORD);
        self.ask(LEA.name, "Change permission…");
        choose(&self.office, "role", "Admin");
        let about = shown(&self.office, "dialog .about");
        for words in [
            "Member → Admin",
            "Gains Manage billing",
            "Loses Nothing",
            "the next time Léa Fontaine signs out and in again",
        ] {
            assert!(about.contains(words), "{words:?} is not in {about}");
        }
        self.picture(&self.office, "promote");
        self.confirm(
            "Change permission of Léa Fontaine",
            "Léa Fontaine is Admin now.",
        );
        self.picture(&self.office, "promoted");

        go_on(browser, "Dashboard");
        let said = browser.find("main").text();
        assert!(
            said.contains("Your permission is now Admin. Sign out and in to use it."),
            "{said}"
        );
        self.picture(browser, "promoted-banner");
        browser.go(&self.at("/iam/accounts"));
        assert_eq!(browser.status(), 403);
        sign_out(browser);
        self.sign_in_again(LEA.email, PASSWORD);
        assert_eq!(
            menu(browser),
            ["Dashboard", "IAM", "Resources", "Billing", "Mail"]
        );
        let told = self.letter(LEA.email, "You are now Admin at Halden Works");
        let told = one_line(&told.text);
        assert!(
            told.contains("the next time you sign out and in again"),
            "{told}"
        );
        self.picture(browser, "promoted-admin");
    }

    /// A loss bites at once.
    fn demote(&self) {
        go_on(&self.theirs, "IAM");
        self.ask(LEA.name, "Change permission…");
        choose(&self.office, "role", "Member");
        let about = shown(&self.office, "dialog .about");
        for words in ["Admin → Member", "Gains Nothing", "is signed out now"] {
            assert!(about.contains(words), "{words:?} is not in {about}");
        }
        self.picture(&self.office, "demote");
        self.confirm(
            "Change permission of Léa Fontaine",
            "Léa Fontaine is Member now, and signed out everywhere.",
        );
        self.is_out("Mail");
        self.picture(&self.theirs, "demoted-out");
        self.sign_in_again(LEA.email, PASSWORD);
        assert_eq!(menu(&self.theirs), ["Dashboard", "Resources"]);
    }

    fn disable_and_enable(&self) {
        self.ask(LEA.name, "Disable…");
        self.picture(&self.office, "disable");
        self.confirm(
            "Disable Léa Fontaine",
            "Léa Fontaine is disabled and signed out everywhere.",
        );
        self.picture(&self.office, "disabled");
        self.is_out("Dashboard");
        self.sign_in_again(LEA.email, PASSWORD);
        assert_eq!(self.theirs.status(), 422);
        let said = self.theirs.find("main").text();
        assert!(said.contains("Email or password is wrong."), "{said}");
        self.picture(&self.theirs, "disabled-refused");

        self.ask(LEA.name, "Enable");
        self.picture(&self.office, "enable");
        self.confirm(
            "Enable Léa Fontaine",
            "Léa Fontaine is enabled and can sign in again.",
        );
        self.sign_in_again(LEA.email, PASSWORD);
        assert!(heading(&self.theirs).ends_with(", Léa"));
    }

    fn delete(&self) {
        self.ask(LEA.name, "Delete…");
        fill(&self.office, "email", "somebody@else.example");
        go_on(&self.office, "Delete Léa Fontaine");
        assert_eq!(self.office.status(), 422);
        assert!(self.office.find(".error").is_shown());
        fill(&self.office, "email", LEA.email);
        self.picture(&self.office, "delete");
        self.confirm(
            "Delete Léa Fontaine",
            "Deleted Léa Fontaine. The address is free again.",
        );
        assert!(!self.office.find("tbody").text().contains(LEA.email));
        self.picture(&self.office, "deleted");
        self.is_out("Dashboard");
    }

    /// The operator founds another organisation; the address is free for it, and nothing of the first is seen there.
    fn another_organisation(&self) {
        let browser = &self.theirs;
        self.office
            .go(&self.at(&format!("/iam/accounts?q={}", INGRID.email)));
        let ingrid = self.office.find("tbody a").property("href");
        let create = ["org", "create", "--name", "Fjord Supply"];
        let done = self
            .doorward
            .run(&[&create[..], &["--master-email", OLIVIA.email]].concat());
        assert!(done.status.success(), "{done:?}");
        self.activate(&OLIVIA, "Fjord Supply");
        go_on(browser, "IAM");
        browser.find_words(".page-head a", "Create account").click();
        browser.wait_until("dialog[open]");
        fill(browser, "email", LEA.email);
        choose(browser, "role", "Admin");
        go_on(browser, "Confirm");
        self.picture(browser, "invited-elsewhere");

        let lea = Person {
            role: "Admin",
            ..LEA
        };
        self.activate(&lea, "Fjord Supply");
        assert!(browser.find(".side .brand").text().contains("Fjord Supply"));
        go_on(browser, "IAM");
        let rows = browser.find_all("tbody tr").len();
        assert_eq!(rows, 2, "{}", browser.find("tbody").text());
        self.picture(browser, "elsewhere");
        for stranger in ["ingrid", "halden", "Mona"] {
            browser.go(&self.at(&format!("/iam/accounts?q={stranger}")));
            let said = browser.find("main").text();
            // Her own address is all that the word finds.
            let found = browser.find_all("tbody tr").len();
            assert_eq!(found, usize::from(stranger == "halden"), "{said}");
            assert!(!said.contains(INGRID.email) && !said.contains(MONA.name));
        }
        browser.go(ingrid.as_str().unwrap());
        assert_eq!(browser.status(), 404);
        assert_eq!(heading(browser), "There is nothing here");
        self.picture(browser, "elsewhere-not-found");
        // And the first organisation sees nothing of her.
        self.office.go(&self.at("/iam/accounts?q=lea"));
        assert!(
            self.office
                .find("main")
                .text()
                .contains("No accounts match")
        );
    }

    /// A password is taken away, and the link handed over.
    fn reset(&self) {
        let browser = &self.theirs;
        self.sign_in_as(&BO, PASSWORD);
        self.ask(BO.name, "Reset password…");
        choose(&self.office, "handover", "Show it to me, to hand over");
        self.picture(&self.office, "reset");
        go_on(&self.office, "Reset password of Bo Lindqvist");
        assert_eq!(heading(&self.office), "Reset link");
        let link = self.office.find("#reset-link").text();
        self.picture(&self.office, "reset-link");
        go_on(&self.office, "Done");
        self.is_out("Dashboard");
        self.sign_in_again(BO.email, PASSWORD);
        assert_eq!(browser.status(), 422);

        browser.go(&link);
        self.picture(browser, "reset-open");
        fill(browser, "password", ANOTHER);
        fill(browser, "password_confirmation", ANOTHER);
        go_on(browser, "Set the password");
        self.sign_in_again(BO.email, ANOTHER);
        assert!(heading(browser).ends_with(", Bo"), "{}", heading(browser));
        let said = browser.find("main").text();
        assert!(
            said.contains("Ingrid Solheim reset your password, and took the link"),
            "{said}"
        );
    }

    /// Offered in one browser, accepted in the other.
    fn hand_over(&self) {
        let (office, browser) = (&self.office, &self.theirs);
        self.sign_in_as(&MONA, PASSWORD);
        go_on(office, "Settings");
        go_on(office, "Offer ownership");
        assert_eq!(office.status(), 422);
        assert!(office.find("#ownership .error").is_shown());
        choose(office, "to", "Mona Aas (mona@halden.example)");
        // They signed in less than ten minutes ago: no password is asked for again.
        assert!(
            office
                .find_all("#ownership [name=current_password]")
                .is_empty()
        );
        self.picture(office, "offer");
        go_on(office, "Offer ownership");
        let said = office.find("#ownership").text();
        assert!(said.contains("You offered it to Mona Aas"), "{said}");
        self.picture(office, "offered");

        browser.go(&self.at("/"));
        self.picture(browser, "offered-to-me");
        browser.go(&self.at("/settings"));
        let said = browser.find("#ownership").text();
        assert!(
            said.contains("Ingrid Solheim offers you the ownership of Halden Works"),
            "{said}"
        );
        self.picture(browser, "accept");
        go_on(browser, "Accept ownership");
        let toast = browser.wait_until(".toast").text();
        assert!(toast.contains("You own Halden Works now."), "{toast}");
        self.picture(browser, "accepted");
        self.letter(MONA.email, "You own Halden Works now");
        self.letter(INGRID.email, "Mona Aas owns Halden Works now");
        office.go(&self.at("/settings"));
        let said = office.find("#ownership").text();
        assert!(said.contains("Mona Aas owns Halden Works"), "{said}");
        self.picture(office, "handed-over");
    }

    /// The organisation gets another name, and users become the Masters' affair: Admins lose it at once.
    fn only_masters_manage(&self) {
        let (office, browser) = (&self.office, &self.theirs);
        self.sign_in_as(&TOMASZ, PASSWORD);
        go_on(office, "Settings");
        fill(office, "organisation", "Halden & Sons");
        go_on(office, "Save general settings");
        assert_eq!(office.title(), "Settings · Halden & Sons");
        office.find("[name=only_masters]").click();
        self.picture(office, "only-masters");
        go_on(office, "Save who manages users");
        let toast = office.wait_until(".toast").text();
        assert!(toast.contains("Only Masters manage users now."), "{toast}");

        self.is_out("IAM");
        self.sign_in_again(TOMASZ.email, PASSWORD);
        assert!(
            browser
                .find(".side .brand")
                .text()
                .contains("Halden & Sons")
        );
        assert_eq!(menu(browser), ["Dashboard", "IAM", "Resources", "Billing"]);
        go_on(browser, "IAM");
        assert!(!browser.find("main").text().contains("Create account"));
        assert!(browser.find_all("tbody details").is_empty());
        self.picture(browser, "admin-without-users");
        browser.go(&self.at("/iam/roles/admin"));
        let said = browser.find("main").text();
        assert!(said.contains("5 permissions"), "{said}");
        self.picture(browser, "admin-has-five");
        browser.go(&self.at("/iam/accounts/new"));
        assert_eq!(browser.status(), 403);
        let said = browser.find("main").text();
        assert!(said.contains("which Master has"), "{said}");
    }

    /// What people change of their own account, with their other browser looking on.
    fn own_account(&self) {
        let (other, browser) = (&self.office, &self.theirs);
        other.go(&self.at("/sign-in"));
        other.forget_cookies();
        other.go(&self.at("/sign-in"));
        fill(other, "email", TOMASZ.email);
        fill(other, "password", PASSWORD);
        go_on(other, "Sign in");

        browser.go(&self.at("/account"));
        self.picture(browser, "own-account");
        let ends = browser.find_words("#sessions button", "Sign out");
        browser.leaving(|| ends.click());
        self.picture(browser, "own-session-ended");
        go_on(other, "IAM");
        assert_eq!(heading(other), "Sign in to the Portal");

        fill(browser, "name", "Tomasz Nowak");
        go_on(browser, "Save profile");
        assert!(browser.find(".who").text().contains("Tomasz Nowak"));
        for (field, text) in [
            ("current_password", PASSWORD),
            ("password", ANOTHER),
            ("password_confirmation", ANOTHER),
        ] {
            browser
                .find(&format!("#your-password [name={field}]"))
                .keys(text);
        }
        self.picture(browser, "own-password");
        go_on(browser, "Change password");
        let toast = browser.wait_until(".toast").text();
        assert!(toast.contains("Your password is changed."), "{toast}");
        self.letter(TOMASZ.email, "Your password was changed");
        self.another_email();
    }

    /// Confirmed by the link that went to the new address, and told to both.
    fn another_email(&self) {
        let browser = &self.theirs;
        let new = "tomasz.nowak@halden.example";
        browser
            .find_words("#your-email summary", "Change email")
            .click();
        browser.find("#your-email [name=email]").keys(new);
        self.picture(browser, "own-email");
        go_on(browser, "Send the link");
        self.picture(browser, "own-email-asked");
        let link = self.letter(new, "Confirm your new email").link();
        browser.go(&link);
        self.picture(browser, "own-email-confirm");
        go_on(browser, "Change my email");
        let toast = browser.wait_until(".toast").text();
        assert!(
            toast.contains(&format!("Your email is now {new}.")),
            "{toast}"
        );
        self.picture(browser, "own-email-changed");
        for address in [TOMASZ.email, new] {
            self.letter(address, "Your email was changed");
        }
        sign_out(browser);
        self.sign_in_again(TOMASZ.email, ANOTHER);
        assert_eq!(browser.status(), 422);
        self.sign_in_again(new, ANOTHER);
        assert!(heading(browser).ends_with(", Tomasz"));
    }
}

/// What stands below the name in the menu of one's own.
fn role_shown(browser: &Browser) -> String {
    browser.find(".side .who small").text()
}

/// The text of the first of these that is shown, on one line.
fn shown(browser: &Browser, css: &str) -> String {
    let find = "return [...document.querySelectorAll(arguments[0])].find(one => one.checkVisibility()).innerText";
    let words = browser.execute(find, &[json!(css)]);
    one_line(words.as_str().unwrap())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
