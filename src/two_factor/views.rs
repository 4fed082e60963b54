//! How two-factor is drawn: the second step, the set-up, the recovery codes, and what can be done once it is on.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::CODE_FIELD;
use super::State;
use crate::domain::email::Email;
use crate::domain::policy::Trust;
use crate::domain::role::Role;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::choice::Check;
use crate::kit::html::copy::{codes as code_list, copy_box, scan, steps};
use crate::kit::html::field::Field;
use crate::kit::html::form::{hidden, post};
use crate::kit::html::notice::alert;
use crate::kit::html::time::time;
use crate::kit::http::form::Form;
use crate::kit::qr::Scan;
use crate::kit::time::Timestamp;
use crate::routes::Route;
use crate::scope::Enroller;
use crate::sessions::views::{Asked, PROOF_FIELD, proof_field};

/// The tick that trusts the browser.
pub const TRUST_FIELD: &str = "trust";
/// Which code is asked for: the field takes both all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The app's.
    App,
    /// A recovery code.
    Recovery,
}

impl Way {
    /// By its name in the address.
    #[must_use]
    pub fn of(text: Option<&str>) -> Self {
        match text {
            Some("recovery") => Self::Recovery,
            Some(_) | None => Self::App,
        }
    }
}

/// What whoever signed in with a recovery code is told.
#[must_use]
pub fn recovery_used(left: usize) -> String {
    format!("You signed in with a recovery code. {left} are left.")
}

/// The second step of signing in.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// Which code is asked for.
    pub way: Way,
    /// Where to go afterwards.
    pub next: Option<&'s str>,
    /// Whether this browser may be trusted.
    pub trust: Trust,
    /// What was typed, and what is wrong with it.
    pub form: &'s Form,
    /// What is wrong with all of it.
    pub problem: Option<&'s str>,
}

/// The page that asks for the code.
#[must_use]
pub fn step(step: &Step<'_>, csrf: &str) -> Markup {
    let error = step.form.error(CODE_FIELD);
    let other = match step.way {
        Way::App => format!("{}?with=recovery", Route::SignInCode),
        Way::Recovery => Route::SignInCode.to_string(),
    };
    let fields = html! {
        h1 { "Enter the code" }
        @if let Some(problem) = step.problem { (alert(Tone::Bad, &html! { p { (problem) } })) }
        (Field::code(CODE_FIELD, "6-digit code").focus(CODE_FIELD).error(error))
        @if step.trust == Trust::Offered { (Check::new(TRUST_FIELD, "Trust this browser for 30 days")) }
        @if let Some(next) = step.next { (hidden("next", next)) }
        @if step.way == Way::Recovery { (hidden("with", "recovery")) }
        (Button::submit("Verify", "Checking…").wide())
        p { a href=(other) { "Use a recovery code" } }
    };
    post(&Route::SignInCode.to_string(), csrf, &fields)
}

/// A form of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Beginning.
    Start,
    /// The first code.
    Confirm,
    /// Another phone.
    Replace,
    /// New recovery codes.
    Codes,
    /// Turning it off.
    Disable,
}

/// The form that was sent and could not be taken; none at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'g>(Option<(Section, &'g Form, Option<&'g str>)>);

impl<'g> Given<'g> {
    /// This form, and what is wrong with all of it.
    #[must_use]
    pub const fn to(section: Section, form: &'g Form, problem: Option<&'g str>) -> Self {
        Self(Some((section, form, problem)))
    }

    /// Whether there is one.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        self.0.is_some()
    }

    fn error(&self, section: Section, field: &str) -> Option<&'g str> {
        self.0
            .filter(|(one, _, _)| *one == section)
            .and_then(|(_, form, _)| form.error(field))
    }

    fn problem(&self, section: Section) -> Markup {
        let problem = self
            .0
            .filter(|(one, _, _)| *one == section)
            .and_then(|(_, _, problem)| problem);
        html! { @if let Some(problem) = problem { (alert(Tone::Bad, &html! { p { (problem) } })) } }
    }
}

/// The page before anything was begun.
#[derive(Clone, Copy, Debug)]
pub struct Start<'s> {
    /// Whose.
    pub who: &'s Enroller,
    /// Whether nothing else can be reached without it.
    pub is_overdue: bool,
    /// What is asked for before it begins.
    pub asked: Asked,
    /// Where to go afterwards.
    pub next: Option<&'s str>,
    /// What was refused.
    pub given: Given<'s>,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'s TimeZone,
}

/// What it is for, and the button that begins.
#[must_use]
pub fn start(start: &Start<'_>, csrf: &str) -> Markup {
    let body = html! {
        h1 { "Enable 2-step verification" }
        (start.given.problem(Section::Start))
        @if let Some(field) = proof_field(start.asked) {
            (field.error(start.given.error(Section::Start, PROOF_FIELD)))
        }
        @if let Some(next) = start.next { (hidden("next", next)) }
        (Button::submit("Set it up", "One moment…"))
    };
    post(&Route::TwoFactor.to_string(), csrf, &body)
}

/// The key to add to the app, and the field for its first code.
#[derive(Clone, Copy, Debug)]
pub struct SetUp<'s> {
    /// Whose.
    pub who: &'s Enroller,
    /// The code to scan.
    pub scan: &'s Scan,
    /// What is in it, for a phone that shows this page itself.
    pub address: &'s str,
    /// The key in base32.
    pub key: &'s str,
    /// Where to go afterwards.
    pub next: Option<&'s str>,
    /// What was refused.
    pub given: Given<'s>,
}

/// The page of the key.
#[must_use]
pub fn set_up(page: &SetUp<'_>, csrf: &str) -> Markup {
    let body = html! {
        h1 { "Enable 2-step verification" }
        (steps(&["Add the key", "Save recovery codes"], 0))
        (page.given.problem(Section::Confirm))
        (scan("Code to scan with an authenticator app", page.scan.size(), |x, y| page.scan.is_dark(x, y)))
        (copy_box("key", "Secret key", &grouped(page.key)))
        (Field::code(CODE_FIELD, "6-digit code").error(page.given.error(Section::Confirm, CODE_FIELD)))
        @if let Some(next) = page.next { (hidden("next", next)) }
        (Button::submit("Confirm", "Checking…"))
    };
    post(&Route::ConfirmTwoFactor.to_string(), csrf, &body)
}

/// In groups of four, as people type it.
fn grouped(key: &str) -> String {
    let signs: Vec<char> = key.chars().collect();
    let groups: Vec<String> = signs
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

/// Why codes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The second step of the set-up.
    SetUp,
    /// The older ones are dead.
    Renewed,
}

/// Recovery codes, the one time they are shown.
#[derive(Clone, Debug)]
pub struct CodesPage<'c> {
    /// The codes.
    pub codes: &'c [String],
    /// Why.
    pub occasion: Occasion,
    /// For the file's heading.
    pub organisation: &'c str,
    /// Whose.
    pub email: &'c Email,
    /// Where to go afterwards.
    pub next: Option<String>,
}

/// The page of the codes.
#[must_use]
pub fn codes(page: &CodesPage<'_>) -> Markup {
    let codes: Vec<&str> = page.codes.iter().map(String::as_str).collect();
    html! {
        h1 { "Save your recovery codes" }
        (code_list("codes", "Recovery codes", &codes))
        div.row { (Button::link("Done", &Route::Profile.to_string()).primary()) }
    }
}

/// The page once it is on.
#[derive(Clone, Copy, Debug)]
pub struct Manage<'m> {
    /// How it is.
    pub state: State,
    /// The role, for what the policy says.
    pub role: Role,
    /// Whether the policy requires it.
    pub is_required: bool,
    /// What new codes ask for.
    pub asked: Asked,
    /// What the acts that need a code ask for beside it.
    pub asked_beside_code: Asked,
    /// What was refused.
    pub given: Given<'m>,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'m TimeZone,
}

/// New codes, another phone, turning it off.
#[must_use]
pub fn manage(page: &Manage<'_>, csrf: &str) -> Markup {
    let with_code = |section, route: &Route, label: &str| {
        let body = html! {
            (page.given.problem(section))
            (Field::code(CODE_FIELD, "6-digit code").error(page.given.error(section, CODE_FIELD)))
            @if let Some(field) = proof_field(page.asked_beside_code) {
                (field.error(page.given.error(section, PROOF_FIELD)))
            }
            (Button::submit(label, "One moment…"))
        };
        post(&route.to_string(), csrf, &body)
    };
    let renew = html! {
        (page.given.problem(Section::Codes))
        @if let Some(field) = proof_field(page.asked) {
            (field.error(page.given.error(Section::Codes, PROOF_FIELD)))
        }
        (Button::submit("Make new codes", "One moment…"))
    };
    html! {
        h1 { "Two-factor" }
        p { "On since " (time(page.state.since, page.now, page.zone)) ". " (page.state.codes_left) " of 10 recovery codes left." }
        (post(&Route::RenewCodes.to_string(), csrf, &renew))
        (with_code(Section::Replace, &Route::TwoFactor, "Move it"))
        @if page.is_required { p { "Required for " (page.role) "." } }
        @else { (with_code(Section::Disable, &Route::DisableTwoFactor, "Disable 2-step verification")) }
    }
}
