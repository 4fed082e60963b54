//! How two-factor is drawn: the second step, the set-up, the recovery codes, and what can be done once it is on.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::CODE_FIELD;
use super::State;
use crate::domain::code::RECOVERY_CODES;
use crate::domain::email::Email;
use crate::domain::policy::{Asked, Protection, Trust};
use crate::domain::role::Role;
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::choice::Check;
use crate::kit::html::copy::{codes as code_list, copy_box, download, scan, steps};
use crate::kit::html::field::Field;
use crate::kit::html::form::{hidden, post, post_button};
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::{alert, note};
use crate::kit::html::stats::details;
use crate::kit::html::time::{day, when};
use crate::kit::http::fields::encode;
use crate::kit::http::form::Form;
use crate::kit::qr::Scan;
use crate::kit::time::Timestamp;
use crate::routes::{HelpTopic, Route};
use crate::scope::Enroller;
use crate::sessions::views::{Asked as Proof, PROOF_FIELD, proof_field};

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
    let left = match left {
        0 => "None is left: make new ones now".to_owned(),
        1 => "One is left: make new ones".to_owned(),
        left => format!("{left} are left; you can make new ones"),
    };
    format!("You signed in with a recovery code. {left}, under Account, Two-factor.")
}

/// What the set-up is called.
pub const TITLE: &str = "Enable 2-step verification";
/// The same where there is a factor already.
pub const MOVE_TITLE: &str = "Move to another phone";
/// The steps of the set-up.
const STEPS: [&str; 2] = ["Add the key", "Save recovery codes"];

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
    let next = step.next.map(encode);
    let (field, other, words, query) = match step.way {
        Way::App => (
            Field::code(CODE_FIELD, "6-digit code").hint("From your authenticator app."),
            "Use a recovery code",
            "Enter the code from your app",
            Some("with=recovery"),
        ),
        Way::Recovery => (
            Field::text(CODE_FIELD, "Recovery code")
                .autocomplete("off")
                .hint("One of the ten you saved, like k7mq-2vfd. Each works once."),
            "Use the app instead",
            "Enter a recovery code",
            None,
        ),
    };
    // With the tick beside it, the form waits for its button.
    let field = match (step.way, step.trust) {
        (Way::App, Trust::Off) => field.sends_itself(),
        (Way::App, Trust::Offered) | (Way::Recovery, _) => field,
    };
    let next_query = next.map(|next| format!("next={next}"));
    let queries: Vec<&str> = query.into_iter().chain(next_query.as_deref()).collect();
    let other_way = match queries.is_empty() {
        true => Route::SignInCode.to_string(),
        false => format!("{}?{}", Route::SignInCode, queries.join("&")),
    };
    let fields = html! {
        h1 { (words) }
        @if let Some(problem) = step.problem { (alert(Tone::Bad, &html! { p { (problem) } })) }
        (field.required().focus(CODE_FIELD).error(error))
        @if step.trust == Trust::Offered {
            (Check::new(TRUST_FIELD, "Trust this browser for 30 days")
                .hint("It then asks for the password alone. Not for a computer that others use.")
                .ticked(step.form.typed(TRUST_FIELD) == "yes"))
        }
        @if let Some(next) = step.next { (hidden("next", next)) }
        @if step.way == Way::Recovery { (hidden("with", "recovery")) }
        (Button::submit("Verify", "Checking…").wide())
    };
    let out = Button::submit("Sign out", "Signing out…").quiet();
    html! {
        div.stack {
            (post(&Route::SignInCode.to_string(), csrf, &fields))
            div.row {
                a href=(other_way) { (other) }
                a href=(Route::Help(HelpTopic::TwoFactorSecurity)) { "Lost your phone?" }
                (post_button(&Route::SignOut.to_string(), csrf, &out))
            }
        }
    }
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

    /// The first field of this form that is wrong: where the cursor goes.
    fn focus(&self, section: Section) -> &'g str {
        self.0
            .filter(|(one, _, _)| *one == section)
            .and_then(|(_, form, _)| form.first_problem())
            .unwrap_or_default()
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
    pub asked: Proof,
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
    let error = start.given.error(Section::Start, PROOF_FIELD);
    let body = html! {
        (start.given.problem(Section::Start))
        @if let Some(field) = proof_field(start.asked) { (field.focus(PROOF_FIELD).error(error)) }
        @if let Some(next) = start.next { (hidden("next", next)) }
        div.row { (Button::submit("Set it up", "One moment…")) }
    };
    html! {
        div {
            h1 { (TITLE) }
            p.lead { "After your password, the Portal asks for a 6-digit code from an app on your phone. It takes about a minute." }
        }
        (why(start))
        p {
            "You need a phone or a password manager with an authenticator app: 1Password, Aegis, Bitwarden, Ente Auth, "
            "Google or Microsoft Authenticator. "
            a href=(Route::Help(HelpTopic::TwoFactorSecurity)) { "More about 2FA security" }
        }
        div.narrow { (post(&Route::TwoFactor.to_string(), csrf, &body)) }
    }
}

/// What the policy asks of them.
fn why(start: &Start<'_>) -> Markup {
    let (organisation, role) = (&start.who.organisation_name, start.who.role);
    match start.who.protection {
        Protection::On | Protection::Without(Asked::Nothing) => html! {},
        Protection::Without(Asked::Recommended) => note(
            Tone::Plain,
            &html! { p { (organisation) " strongly recommends it: an account without it is the weakest link." } },
        ),
        Protection::Without(Asked::By(_)) if start.is_overdue => note(
            Tone::Warn,
            &html! {
                p { (organisation) " requires two-factor for the permission " (role) ". Set it up to go on: until then nothing else can be opened." }
            },
        ),
        Protection::Without(Asked::By(end)) => note(
            Tone::Warn,
            &html! {
                p { (organisation) " requires two-factor for the permission " (role) " from " (when(end, start.now, start.zone)) " on." }
            },
        ),
    }
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
    let account = format!("{}: {}", page.who.organisation_name, page.who.email);
    let label = format!("QR code with the two-factor key for {}", page.who.email);
    let is_move = page.who.protection == Protection::On;
    let form = html! {
        div.stack-2 {
            h2 { "1. Scan the code" }
            p { "Use any authenticator app: 1Password, Aegis, Bitwarden, Ente Auth, Google or Microsoft Authenticator." }
            (copy_box("key", "Cannot scan? Type this key instead", &grouped(page.key)))
        }
        hr;
        div.stack-2 {
            h2 { "2. Enter the code it shows" }
            (page.given.problem(Section::Confirm))
            (Field::code(CODE_FIELD, "6-digit code")
                .hint("The code changes every 30 seconds. Phone and server clocks must agree.")
                .error(page.given.error(Section::Confirm, CODE_FIELD))
                .focus(if page.given.is_refused() { CODE_FIELD } else { "" }))
        }
        @if let Some(next) = page.next { (hidden("next", next)) }
        div.row { (Button::submit("Confirm", "Checking…")) }
    };
    html! {
        (steps(&STEPS, 0))
        div {
            h1 { (if is_move { MOVE_TITLE } else { TITLE }) }
            p.lead {
                @if is_move { "Until you confirm the new key, the old one goes on working. Then it stops, and so do your recovery codes." }
                @else { "After your password, the Portal asks for a 6-digit code from an app on your phone. It takes about a minute." }
            }
        }
        div.enrol {
            div.stack {
                div.stack-2 {
                    (scan(&label, page.scan.size(), |x, y| page.scan.is_dark(x, y)))
                    p.hint.break { (account) }
                }
                div.small-only { (Button::link("Open in your authenticator app", page.address).icon(Icon::Smartphone)) }
            }
            (post(&Route::ConfirmTwoFactor.to_string(), csrf, &form))
        }
    }
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
    /// The day, for the file.
    pub made_on: &'c str,
    /// Where to go afterwards.
    pub next: Option<String>,
}

/// The page of the codes.
#[must_use]
pub fn codes(page: &CodesPage<'_>) -> Markup {
    let codes: Vec<&str> = page.codes.iter().map(String::as_str).collect();
    let file = format!(
        "data:text/plain;charset=utf-8,{}",
        in_address(&text_file(page))
    );
    let on = page.next.as_deref().map_or_else(
        || match page.occasion {
            Occasion::SetUp => Route::Dashboard.to_string(),
            Occasion::Renewed => Route::Profile.to_string(),
        },
        // A form that only leads somewhere sends its own query.
        |next| next.split(['?', '#']).next().unwrap_or_default().to_owned(),
    );
    let lead = match page.occasion {
        Occasion::SetUp => {
            "2-step verification is on. Each code signs you in once if you lose your phone. This is the only time they are shown."
        }
        Occasion::Renewed => {
            "Each code signs you in once if you lose your phone. The older ones are dead. This is the only time they are shown."
        }
    };
    html! {
        @if page.occasion == Occasion::SetUp { (steps(&STEPS, 1)) }
        div { h1 { "Save your recovery codes" } p.lead { (lead) } }
        form.stack.narrow method="get" action=(on) {
            (code_list("codes", "Recovery codes", &codes))
            div.row {
                (download("Download", &file, "recovery-codes.txt"))
                (Button::copy("Copy", "codes"))
                (Button::print("Print"))
            }
            p.hint { (page.organisation) ", " (page.email.as_str()) }
            (Check::new("saved", "I have saved these codes somewhere other than my phone.").required())
            div.row { (Button::submit("Done", "One moment…")) }
        }
    }
}

/// The codes as a file, which says what they are for.
fn text_file(page: &CodesPage<'_>) -> String {
    let mut text = format!(
        "Recovery codes for {} at {}\nMade on {}. Each signs in once, in place of the code of the app.\n\n",
        page.email, page.organisation, page.made_on
    );
    for code in page.codes {
        text.push_str(code);
        text.push('\n');
    }
    text
}

/// In an address, with %20 for a space: a file keeps a plus as it is.
fn in_address(text: &str) -> String {
    encode(text).replace('+', "%20")
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
    pub asked: Proof,
    /// What the acts that need a code ask for beside it.
    pub asked_beside_code: Proof,
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
    let account = Route::Profile.to_string();
    html! {
        (back("Account", &account))
        (page_head("Two-factor", Some("A code from your app, after the password."), None))
        (details(&[
            ("2-step verification", html! { "On since " (day(page.state.since, page.zone)) ", last used " (when(page.state.used_at, page.now, page.zone)) }),
            ("Recovery codes", codes_left(page.state.codes_left)),
        ]))
        section.stack.narrow #codes {
            h2 { "New recovery codes" }
            p { "Ten new ones, for when your phone is not at hand. All older ones stop working." }
            (renew(page, csrf))
        }
        section.stack.narrow #move {
            h2 { (MOVE_TITLE) }
            p { "A new key for a new phone. The old one works until the new one is confirmed." }
            (with_code(page, (Section::Replace, "replace"), &Route::TwoFactor, csrf))
        }
        section.stack.narrow #disable {
            h2 { "Disable 2-step verification" }
            @if page.is_required {
                p { "Your organisation requires two-factor for the permission " (page.role) ": it cannot be turned off." }
            } @else {
                p { "Your password alone signs in from then on. Every other browser is signed out." }
                (with_code(page, (Section::Disable, "disable"), &Route::DisableTwoFactor, csrf))
            }
        }
    }
}

/// "7 of 10 left", and louder the fewer there are.
#[must_use]
pub fn codes_left(left: usize) -> Markup {
    let words = format!("{left} of {RECOVERY_CODES} recovery codes left");
    match left {
        0 => html! { span.sub.bad { (words) ": make new ones" } },
        1..=3 => html! { span.sub.warn { (words) } },
        _ => html! { (words) },
    }
}

fn renew(page: &Manage<'_>, csrf: &str) -> Markup {
    let error = page.given.error(Section::Codes, PROOF_FIELD);
    let body = html! {
        (page.given.problem(Section::Codes))
        @if let Some(field) = proof_field(page.asked) {
            (field.id("codes-proof").focus(page.given.focus(Section::Codes)).error(error))
        }
        div.row { (Button::submit("Make new codes", "One moment…").plain()) }
    };
    post(&Route::RenewCodes.to_string(), csrf, &body)
}

/// A form that asks for a code, and for the password where that was long ago.
fn with_code(
    page: &Manage<'_>,
    (section, id): (Section, &'static str),
    route: &Route,
    csrf: &str,
) -> Markup {
    let (given, focus) = (page.given, page.given.focus(section));
    let (code_id, proof_id) = (format!("{id}-code"), format!("{id}-proof"));
    let button = match section {
        Section::Disable => Button::submit("Disable 2-step verification", "One moment…").danger(),
        _ => Button::submit("Show the new key", "One moment…").plain(),
    };
    let body = html! {
        (given.problem(section))
        (Field::text(CODE_FIELD, "Code").id(&code_id).autocomplete("one-time-code").required().focus(focus)
            .hint("The 6 digits that your app shows now, or one of your recovery codes.")
            .error(given.error(section, CODE_FIELD)))
        @if let Some(field) = proof_field(page.asked_beside_code) {
            (field.id(&proof_id).focus(focus).error(given.error(section, PROOF_FIELD)))
        }
        div.row { (button) }
    };
    post(&route.to_string(), csrf, &body)
}
