//! Two-factor, told to its end in one run: the owner of a new organisation sets it up with an app and a camera that others
//! wrote, signs in by each of the ways there are, lets browsers be trusted, and makes the policy stricter; a member meets
//! it at the next click, loses their phone, and comes back in; and in the end the owner turns it off again.
//!
//! Two browsers: the office, where the owner sits, and the browser of the member. The pictures lie below
//! `target/screenshots`, numbered in the order of the story.

use std::cell::Cell;

use super::authenticator::{App, scanned};
use super::looker::TELEPHONE;
use super::steps::{
    choose, come_in, fill, found, go_on, heading, is_calm, menu, row_menu, sign_out, stays_at,
};
use crate::letter::Letter;
use crate::process::{Doorward, Launch};
use crate::relay::{Relay, Security};
use crate::wait;
use crate::webdriver::{Browser, PATIENCE, key};

const OWNER: &str = "ingrid@halden.example";
const LEA: &str = "lea@halden.example";
const PASSWORD: &str = "Quiet-Harbour-9";

/// The scene: a portal with real mail, and two browsers in front of it.
struct Scene {
    doorward: Doorward,
    relay: Relay,
    /// Where the owner sits.
    office: Browser,
    /// Where the member sits.
    theirs: Browser,
    pictures: Cell<usize>,
}

#[test]
fn two_factor_is_told_to_its_end() {
    let test = "two_factor_is_told_to_its_end";
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
    scene.found_and_invite();
    let (app, recovery) = scene.owner_enrols();
    scene.signs_in_by_each_way(&app, &recovery);
    scene.trusts_a_browser(&app);
    scene.policy_meets_a_member();
    scene.weakest_link();
    scene.way_back_in();
    scene.turns_it_off(&app);
    for browser in [&scene.office, &scene.theirs] {
        is_calm(browser, &[410, 422]);
        stays_at(browser, scene.doorward.address());
    }
}

impl Scene {
    fn picture(&self, browser: &Browser, name: &str) -> std::path::PathBuf {
        let number = self.pictures.replace(self.pictures.get() + 1);
        browser.screenshot(&format!("{number:02}-{name}"))
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

    /// An organisation is founded; from its first page on the owner is told what is asked of them.
    fn found_and_invite(&self) {
        let office = &self.office;
        let link = std::fs::read_to_string(self.doorward.data().join("setup-link")).unwrap();
        office.go(link.trim());
        found(office, "Halden Works", "Ingrid Solheim", OWNER, PASSWORD);
        self.is_urged(office, "owner-dashboard");
        office.go(&self.at("/iam/accounts/new"));
        fill(office, "email", LEA);
        go_on(office, "Confirm");
        let browser = &self.theirs;
        browser.go(&self.letter(LEA, "Activate your account").link());
        fill(browser, "name", "Léa Fontaine");
        come_in(browser, LEA, PASSWORD);
        self.is_urged(browser, "member-dashboard");
    }

    /// The page counts the days down, and leads to the set-up.
    fn is_urged(&self, browser: &Browser, name: &str) {
        let said = browser.find("main").text();
        assert!(said.contains("Two-factor is required from"), "{said}");
        let links = browser.find_all("main a[href^=\"/account/two-factor\"]");
        assert!(!links.is_empty(), "{said}");
        self.picture(browser, name);
    }

    /// From the Account page to the recovery codes.
    fn owner_enrols(&self) -> (App, Vec<String>) {
        let office = &self.office;
        open_account(office);
        self.picture(office, "account-off");
        enable(office);
        assert_eq!(heading(office), "Enable 2-step verification");
        let secret = self.is_scanned();
        office.find_words("button", "Copy").click();
        office.wait_until("[data-copy] span");
        assert_eq!(office.clipboard().replace(' ', ""), secret);

        let app = App::of(&secret);
        fill(office, "code", &app.wrong_code());
        go_on(office, "Confirm");
        assert_eq!(office.status(), 422);
        let focused = office.focused().attribute("name");
        assert_eq!(focused.as_deref(), Some("code"));
        self.picture(office, "first-code-wrong");
        assert_eq!(key_shown(office), secret, "another key after a wrong code");
        fill(office, "code", &app.code());
        go_on(office, "Confirm");
        let recovery = self.codes_are_taken_away();
        let told = self.letter(OWNER, "2-step verification is on");
        assert!(told.text.contains("2-step verification"), "{}", told.text);
        (app, recovery)
    }

    /// The code to scan, in light and in dark, on a desk and on a telephone, holds the key that is shown beside it.
    fn is_scanned(&self) -> String {
        let office = &self.office;
        let secret = key_shown(office);
        for (size, (width, height)) in [("desk", (1280, 800)), ("telephone", TELEPHONE)] {
            office.resize(width, height);
            for theme in ["light", "dark"] {
                office.prefer(&[("prefers-color-scheme", theme)]);
                let picture = self.picture(office, &format!("key-{size}-{theme}"));
                assert_eq!(
                    scanned(&picture),
                    format!(
                        "otpauth://totp/Halden%20Works:ingrid%40halden.example?secret={secret}&issuer=Halden%20Works"
                    )
                );
            }
            let opens = office.find("a[href^=\"otpauth:\"]");
            assert_eq!(opens.is_shown(), size == "telephone");
        }
        office.resize(1280, 800);
        office.prefer(&[]);
        secret
    }

    /// Saved as a file, copied, printed; and the tick comes before what is next.
    fn codes_are_taken_away(&self) -> Vec<String> {
        let office = &self.office;
        assert_eq!(heading(office), "Save your recovery codes");
        let codes = codes_shown(office);
        assert_eq!(codes.len(), 10, "{codes:?}");
        self.picture(office, "recovery-codes");
        office.resize(TELEPHONE.0, TELEPHONE.1);
        office.prefer(&[("prefers-color-scheme", "dark")]);
        self.picture(office, "recovery-codes-telephone-dark");
        office.resize(1280, 800);

        office.print();
        for (css, is_printed) in [("main .codes", true), (".btn", false), (".steps", false)] {
            for element in office.find_all(css) {
                assert_eq!(element.is_shown(), is_printed, "{css} on paper");
            }
        }
        let printed = office.find("main").text();
        for words in ["Halden Works", OWNER, &codes[0], &codes[9]] {
            assert!(printed.contains(words), "{words} is not in {printed}");
        }
        self.picture(office, "recovery-codes-printed");
        office.prefer(&[]);

        let file = office.saving(|| office.find_words("a", "Download").click());
        let saved = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = saved
            .lines()
            .filter(|line| codes.iter().any(|code| code == line))
            .collect();
        assert_eq!(lines, codes, "{saved}");
        assert!(
            saved.contains(OWNER) && saved.contains("Halden Works"),
            "{saved}"
        );
        office.find_words("button", "Copy").click();
        let copied = wait::until(PATIENCE, || {
            let copied = office.clipboard();
            (copied.lines().count() == 10).then_some(copied)
        });
        let copied = copied.unwrap();
        assert_eq!(copied.lines().collect::<Vec<_>>(), codes);

        // Not without the tick: the browser itself says so.
        office.find_words("button", "Done").click();
        assert_eq!(heading(office), "Save your recovery codes");
        let is_missing = "return document.querySelector('#saved').validity.valueMissing";
        assert_eq!(office.execute(is_missing, &[]), true);
        office.find("#saved").click();
        go_on(office, "Done");
        self.picture(office, "enrolled");
        codes
    }

    /// Signs out of the office and gives the password again.
    fn password_again(&self) {
        sign_out(&self.office);
        fill(&self.office, "email", OWNER);
        fill(&self.office, "password", PASSWORD);
        go_on(&self.office, "Sign in");
    }

    fn is_in(&self) {
        let heading = heading(&self.office);
        assert!(heading.ends_with(", Ingrid"), "{heading}");
    }

    /// The second step: wrong, typed, used before, pasted, and a recovery code.
    fn signs_in_by_each_way(&self, app: &App, recovery: &[String]) {
        let office = &self.office;
        self.password_again();
        let focused = office.focused().attribute("name");
        assert_eq!(focused.as_deref(), Some("code"));
        self.picture(office, "second-step");
        office.leaving(|| office.press(&app.wrong_code()));
        assert_eq!(office.status(), 422);
        let said = office.find(".error").text();
        assert!(
            said.starts_with("That code is not right.") && said.contains("this server's time is"),
            "{said}"
        );
        let focused = office.focused().attribute("name");
        assert_eq!(focused.as_deref(), Some("code"));
        self.picture(office, "second-step-wrong");

        // The sixth digit sends the form.
        let code = app.code();
        let (five, sixth) = code.split_at(5);
        fill(office, "code", five);
        office.leaving(|| office.press(sixth));
        self.is_in();

        self.password_again();
        office.leaving(|| office.press(&code));
        assert_eq!(office.status(), 422);
        let said = office.find(".error").text();
        assert!(said.starts_with("That code was used already."), "{said}");
        self.picture(office, "second-step-used");
        // As many apps show it.
        let code = app.code();
        let (first, last) = code.split_at(3);
        office.set_clipboard(&format!("{first} {last}"));
        let field = office.find("[name=code]");
        field.clear();
        office.leaving(|| field.keys(&format!("{}v", key::CONTROL)));
        self.is_in();

        self.password_again();
        go_on(office, "Use a recovery code");
        self.picture(office, "second-step-recovery");
        fill(office, "code", &recovery[3].to_uppercase());
        go_on(office, "Verify");
        self.is_in();
        let toast = office.wait_until(".toast").text();
        assert!(toast.contains("9 are left"), "{toast}");
        self.picture(office, "nine-left");
        let told = self.letter(OWNER, "A recovery code was used");
        assert!(
            told.header("subject").contains('9'),
            "{}",
            told.header("subject")
        );

        self.password_again();
        go_on(office, "Use a recovery code");
        fill(office, "code", &recovery[3]);
        go_on(office, "Verify");
        assert_eq!(office.status(), 422);
        self.picture(office, "second-step-recovery-used");
        fill(office, "code", &recovery[4]);
        go_on(office, "Verify");
        self.is_in();
    }

    /// Once the policy offers it, the code is not asked for where it was given once.
    fn trusts_a_browser(&self, app: &App) {
        let office = &self.office;
        self.set_policy(|| office.find("[name=trust]").click());
        self.picture(office, "trust-offered");
        self.password_again();
        assert_eq!(heading(office), "Enter the code from your app");
        office.find("[name=trust]").click();
        self.picture(office, "second-step-trust");
        // The tick is beside it: six digits alone send nothing.
        fill(office, "code", &app.code());
        assert_eq!(heading(office), "Enter the code from your app");
        go_on(office, "Verify");
        self.is_in();
        self.password_again();
        self.is_in();
        self.picture(office, "trusted");
    }

    /// Changes what stands in the form of the policy, and saves it.
    fn set_policy(&self, change: impl FnOnce()) {
        let office = &self.office;
        go_on(office, "Settings");
        change();
        self.picture(office, "policy");
        go_on(office, "Save two-factor policy");
        if heading(office) == "Whom this meets" {
            self.picture(office, "policy-preview");
            go_on(office, "Save two-factor policy");
        }
        let toast = office.wait_until(".toast").text();
        assert!(toast.contains("The two-factor policy is saved."), "{toast}");
    }

    /// Stricter, and from now on: the member's open window leads to the set-up, and when that is done to where she wanted.
    fn policy_meets_a_member(&self) {
        let (office, browser) = (&self.office, &self.theirs);
        go_on(office, "Settings");
        fill(office, "member_days", "31");
        go_on(office, "Save two-factor policy");
        assert_eq!(office.status(), 422);
        let focused = office.focused().attribute("name");
        assert_eq!(focused.as_deref(), Some("member_days"));
        self.picture(office, "policy-refused");
        fill(office, "member_days", "0");
        go_on(office, "Save two-factor policy");
        assert_eq!(heading(office), "Whom this meets");
        let said = office.find("main").text();
        assert!(
            said.contains("Léa Fontaine") && !said.contains("You,"),
            "{said}"
        );
        self.picture(office, "policy-meets");
        go_on(office, "Save two-factor policy");
        let said = office.find("main").text();
        assert!(said.contains("Grace is over"), "{said}");
        self.picture(office, "policy-stricter");

        open_account(browser);
        assert_eq!(heading(browser), "Enable 2-step verification");
        assert!(menu(browser).is_empty());
        assert!(browser.find_all("aside a, .side, .topbar").is_empty());
        self.picture(browser, "member-must");
        for path in ["/", "/account", "/iam/accounts"] {
            browser.go(&self.at(path));
            assert!(
                browser.url().contains("/account/two-factor"),
                "{path} led to {}",
                browser.url()
            );
        }
        // Help and the way out are there; back to what she wanted.
        browser.go(&self.at("/help/2fa-security"));
        assert_eq!(browser.status(), 200);
        self.picture(browser, "member-help");
        browser.go(&self.at("/account"));
        enable(browser);
        let app = App::of(&key_shown(browser));
        self.picture(browser, "member-key");
        fill(browser, "code", &app.code());
        go_on(browser, "Confirm");
        browser.find("#saved").click();
        self.picture(browser, "member-codes");
        go_on(browser, "Done");
        assert_eq!(heading(browser), "Account");
        assert_eq!(menu(browser), ["Dashboard", "Resources"]);
        self.picture(browser, "member-enrolled");
    }

    /// The list shows who signs in with a password alone, and finds them.
    fn weakest_link(&self) {
        let (office, browser) = (&self.office, &self.theirs);
        go_on(office, "IAM");
        self.picture(office, "accounts-all-protected");
        assert!(!office.find("main").text().contains("with a password alone"));
        // She loses her phone.
        row_menu(office, "Léa Fontaine");
        self.picture(office, "row-menu");
        office
            .find_words("tbody .menu a", "Reset two-factor…")
            .click();
        office.wait_until("dialog[open]");
        self.picture(office, "reset-two-factor");
        go_on(office, "Reset two-factor of Léa Fontaine");
        let toast = office.wait_until(".toast").text();
        assert!(toast.contains("Léa Fontaine"), "{toast}");
        let said = office.find("main").text();
        assert!(
            said.contains("1 account signs in with a password alone."),
            "{said}"
        );
        self.picture(office, "accounts-note");
        go_on(office, "Show it");
        let names = office.find("tbody").text();
        assert_eq!(office.find_all("tbody tr").len(), 1, "{names}");
        assert!(
            names.contains("Léa Fontaine") && names.contains("No two-factor"),
            "{names}"
        );
        self.picture(office, "accounts-without");
        office.leaving(|| filter_with(office));
        let names = office.find("tbody").text();
        assert!(
            names.contains("Ingrid Solheim") && !names.contains("Léa"),
            "{names}"
        );
        self.letter(LEA, "Your 2-step verification was reset");

        go_on(browser, "Dashboard");
        assert_eq!(heading(browser), "Sign in to the Portal");
        fill(browser, "email", LEA);
        fill(browser, "password", PASSWORD);
        go_on(browser, "Sign in");
        assert_eq!(heading(browser), "Enable 2-step verification");
        self.picture(browser, "member-must-again");
    }

    /// The operator's link: it takes the place of the password, and of nothing else.
    fn way_back_in(&self) {
        let browser = &self.theirs;
        go_on(browser, "Sign out");
        let made = self.doorward.run(&["account", "sign-in-link", LEA]);
        assert!(made.status.success(), "{made:?}");
        let link = String::from_utf8(made.stdout).unwrap();
        let link = link.trim();
        browser.go(link);
        self.picture(browser, "sign-in-link");
        go_on(browser, "Sign in");
        assert_eq!(heading(browser), "Enable 2-step verification");
        self.picture(browser, "sign-in-link-must");
        go_on(browser, "Sign out");
        browser.go(link);
        assert_eq!(browser.status(), 410);
        self.picture(browser, "sign-in-link-used");
    }

    /// What is only recommended can be turned off, with a code.
    fn turns_it_off(&self, app: &App) {
        let office = &self.office;
        open_account(office);
        go_on(office, "Manage two-factor");
        let said = office.find("#disable").text();
        assert!(said.contains("requires two-factor for"), "{said}");
        assert!(office.find_all("#disable form").is_empty());
        self.picture(office, "manage-required");
        self.set_policy(|| choose(office, "master", "Recommended"));
        open_account(office);
        self.picture(office, "account-on");
        go_on(office, "Manage two-factor");
        self.picture(office, "manage");
        office.find("#disable [name=code]").keys(&app.wrong_code());
        go_on(office, "Disable 2-step verification");
        assert_eq!(office.status(), 422);
        self.picture(office, "disable-wrong");
        let field = office.find("#disable [name=code]");
        field.clear();
        field.keys(&app.code());
        go_on(office, "Disable 2-step verification");
        let toast = office.wait_until(".toast").text();
        assert!(toast.contains("2-step verification is off."), "{toast}");
        assert!(
            office
                .find("main")
                .text()
                .contains("Two-factor is strongly recommended.")
        );
        self.picture(office, "off");
        self.letter(OWNER, "2-step verification is off");
        self.password_again();
        self.is_in();
    }
}

/// The other choice of the filter, which sends itself.
fn filter_with(browser: &Browser) {
    browser.find("[name=two_factor]").keys("Two-factor on");
}

/// By the menu of one's own, as people come there.
fn open_account(browser: &Browser) {
    browser.find(".who").click();
    go_on(browser, "Account");
}

/// From the Account page, or from where the set-up begins, to the key: with a proof that is fresh, the button of the Account
/// page shows it at once.
fn enable(browser: &Browser) {
    if heading(browser) == "Account" {
        go_on(browser, "Enable 2-step verification");
    }
    if browser.find_all(".qr").is_empty() {
        go_on(browser, "Set it up");
    }
}

/// The key to type, without its spaces; it stands in groups of four.
fn key_shown(browser: &Browser) -> String {
    let shown = browser.find("#key").text();
    let groups: Vec<&str> = shown.split(' ').collect();
    assert_eq!(groups.len(), 8, "{shown}");
    assert!(groups.iter().all(|group| group.len() == 4), "{shown}");
    groups.concat()
}

fn codes_shown(browser: &Browser) -> Vec<String> {
    let codes = browser.find_all(".codes li");
    codes.iter().map(|code| code.text()).collect()
}
