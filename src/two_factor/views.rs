//! How two-factor is drawn: the second step, the set-up, the recovery codes, and what can be done once it is on.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::CODE_FIELD;
use super::State;
use crate::domain::code::RECOVERY_CODES;
use crate::domain::email::Email;
use crate::domain::policy::{self, Protection, Trust};
use crate::domain::role::Role;
use crate::kit::dates;
use crate::kit::html::Tone;
use crate::kit::html::badge::sub;
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Check, confirmed};
use crate::kit::html::copy::{codes as code_list, copy_box, download, scan, steps};
use crate::kit::html::field::Field;
use crate::kit::html::form::{get, hidden, post, post_button};
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::{back, page_head};
use crate::kit::html::notice::{alert, note};
use crate::kit::html::stats::details;
use crate::kit::html::time::{day, time, when};
use crate::kit::http::fields::encode;
use crate::kit::http::form::Form;
use crate::kit::qr::Scan;
use crate::kit::time::Timestamp;
use crate::routes::{HelpTopic, Route};
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
    let left = match left {
        0 => "None is left: make new ones now".to_owned(),
        1 => "One is left: make new ones".to_owned(),
        left => format!("{left} are left; you can make new ones"),
    };
    format!("You signed in with a recovery code. {left}, under Account, Two-factor authentication.")
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

impl Section {
    /// Its place on the page of what can be done once it is on.
    const fn anchor(self) -> &'static str {
        match self {
            Self::Start | Self::Confirm => "set-up",
            Self::Replace => "another-phone",
            Self::Codes => "new-codes",
            Self::Disable => "disable",
        }
    }
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

    /// Which form it was.
    #[must_use]
    pub fn section(&self) -> Option<Section> {
        self.0.map(|(section, _, _)| section)
    }

    fn error(&self, section: Section, field: &str) -> Option<&'g str> {
        self.0
            .filter(|(one, _, _)| *one == section)
            .and_then(|(_, form, _)| form.error(field))
    }

    /// What is wrong with all of one of these forms.
    fn problem(&self, sections: &[Section]) -> Markup {
        let problem = self
            .0
            .filter(|(one, _, _)| sections.contains(one))
            .and_then(|(_, _, problem)| problem);
        html! { @if let Some(problem) = problem { (alert(Tone::Bad, &html! { p { (problem) } })) } }
    }
}

/// Who has a role, in a sentence about all of them.
const fn everybody(role: Role) -> &'static str {
    match role {
        Role::Member => "Members",
        Role::Billing => "Billing accounts",
        Role::Admin => "Admins",
        Role::Master => "Masters",
    }
}

/// What an organisation asks of somebody who has no second factor.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'d> {
    /// Where the account stands.
    pub protection: Protection,
    /// Its role.
    pub role: Role,
    /// The organisation's name.
    pub organisation: &'d str,
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'d TimeZone,
}

/// It in words, and how much they want attention; nothing where nothing is asked.
#[must_use]
pub fn demand(demand: &Demand<'_>) -> Option<(Tone, Markup)> {
    let everybody = everybody(demand.role);
    let organisation = demand.organisation;
    Some(match demand.protection {
        Protection::On | Protection::Without(policy::Asked::Nothing) => return None,
        Protection::Without(policy::Asked::Recommended) => (
            Tone::Plain,
            html! { (organisation) " recommends two-factor for " (everybody) ": a password alone is the weakest link." },
        ),
        Protection::Without(policy::Asked::By(end)) if end.0 > demand.now.0 => (
            Tone::Warn,
            html! {
                (organisation) " requires two-factor for " (everybody) " from " (when(end, demand.now, demand.zone)) ": "
                (dates::left(end, demand.now)) " left. From then on nothing else opens until it is set up."
            },
        ),
        Protection::Without(policy::Asked::By(_)) => (
            Tone::Warn,
            html! { "Your organisation " (organisation) " requires two-factor for " (everybody) ". Set it up to go on." },
        ),
    })
}

/// How many recovery codes are left, louder the fewer they are.
#[must_use]
pub fn codes_left(left: usize) -> Markup {
    let words = format!("{left} of {RECOVERY_CODES} recovery codes left");
    match left {
        0 => sub(Tone::Bad, &words),
        1..=3 => sub(Tone::Warn, &words),
        _ => html! { span { (words) } },
    }
}

/// The page before anything was begun.
#[derive(Clone, Copy, Debug)]
pub struct Start<'s> {
    /// Whose.
    pub who: &'s Enroller,
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
    let help = Route::Help(HelpTopic::TwoFactorSecurity);
    let why = demand(&Demand {
        protection: start.who.protection,
        role: start.who.role,
        organisation: start.who.organisation_name.as_str(),
        now: start.now,
        zone: start.zone,
    });
    let body = html! {
        @if let Some(field) = proof_field(start.asked) {
            (field.error(start.given.error(Section::Start, PROOF_FIELD)))
        }
        @if let Some(next) = start.next { (hidden("next", next)) }
        div.row { (Button::submit("Set it up", "One moment…")) a href=(help) { "How it works" } }
    };
    html! {
        div {
            h1 { "Enable 2-step verification" }
            p.lead {
                "After your password, the Portal asks for a 6-digit code from an app on your phone: whoever learns your \
                 password still cannot sign in as you."
            }
        }
        (start.given.problem(&[Section::Start, Section::Confirm]))
        @if let Some((tone, why)) = why { (note(tone, &html! { p { (why) } })) }
        div.prose {
            div.stack-2 {
                h2 { "What you need" }
                ul {
                    li { "Your phone, with any authenticator app: " (APPS) "." }
                    li { "A place other than that phone for ten recovery codes: a password manager, or a drawer." }
                    li { "About a minute. It signs you out everywhere else." }
                }
            }
        }
        div.narrow { (post(&Route::TwoFactor.to_string(), csrf, &body)) }
    }
}

const APPS: &str = "1Password, Aegis, Bitwarden, Ente Auth, Google or Microsoft Authenticator";

/// The steps of the set-up, by their place.
fn course(current: usize) -> Markup {
    steps(&["Add the key", "Save recovery codes"], current)
}

/// Whether there is a phone already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phone {
    /// It is the first.
    First,
    /// It takes the place of another.
    Another,
}

impl Phone {
    /// What the set-up is called.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::First => "Enable 2-step verification",
            Self::Another => "Move to another phone",
        }
    }
}

/// The key to add to the app, and the field for its first code.
#[derive(Clone, Copy, Debug)]
pub struct SetUp<'s> {
    /// Whose.
    pub who: &'s Enroller,
    /// Whether there is a phone already.
    pub phone: Phone,
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
    let email = page.who.email.as_str();
    let label = format!("QR code with the two-factor key for {email}");
    let code = Field::code(CODE_FIELD, "6-digit code")
        .hint("The code changes every 30 seconds. Phone and server clocks must agree.");
    let form = html! {
        div.stack-2 {
            h2 { "1. Scan the code" }
            p { "Use any authenticator app: " (APPS) "." }
            (copy_box("key", "Cannot scan? Type this key instead", &grouped(page.key)))
        }
        hr;
        div.stack-2 {
            h2 { "2. Enter the code it shows" }
            (code.error(page.given.error(Section::Confirm, CODE_FIELD)))
        }
        @if let Some(next) = page.next { (hidden("next", next)) }
        div.row { (Button::submit("Confirm", "Checking…")) }
    };
    html! {
        (course(0))
        div { h1 { (page.phone.title()) } (set_up_lead(page.phone)) }
        (page.given.problem(&[Section::Confirm]))
        div.enrol {
            div.stack {
                // On the phone itself there is nothing to scan with.
                a.btn.wide.small-only href=(page.address) { (Icon::Smartphone) span { "Open in your authenticator app" } }
                div.stack-2 {
                    (scan(&label, page.scan.size(), |x, y| page.scan.is_dark(x, y)))
                    p.hint.break { (page.who.organisation_name) ": " (email) }
                }
            }
            (post(&Route::ConfirmTwoFactor.to_string(), csrf, &form))
        }
    }
}

fn set_up_lead(phone: Phone) -> Markup {
    match phone {
        Phone::First => html! {
            p.lead {
                "After your password, the Portal asks for a 6-digit code from an app on your phone. It takes about a minute."
            }
        },
        Phone::Another => html! {
            p.lead {
                "Your present phone stays good until you confirm. Then it is worth nothing here, its recovery codes \
                 neither, and you get new ones. "
                a href={ (Route::TwoFactor) "?" (MANAGE_VIEW) } { "Keep the present phone" }
            }
        },
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
    SetUp(Phone),
    /// The older ones are dead.
    Renewed,
}

/// Where the page of the codes leads on to: a path, and the fields of its query.
#[derive(Clone, Debug)]
pub struct Onward {
    /// The path.
    pub path: String,
    /// The fields, as they are sent.
    pub fields: Vec<(String, String)>,
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
    pub onward: Onward,
    /// When they were made.
    pub now: Timestamp,
    /// Where that is read.
    pub zone: &'c TimeZone,
}

impl CodesPage<'_> {
    /// The file, as an address that holds it: the codes are on this page and nowhere else.
    fn file(&self) -> String {
        let text = format!(
            "Recovery codes\n\nOrganisation: {}\nEmail: {}\nMade: {}\n\n{}\n\nEach code signs you in once if you lose your \
             phone. Keep them somewhere other than your phone.\n",
            self.organisation,
            self.email,
            dates::moment(self.now, self.zone),
            self.codes.join("\n"),
        );
        // With %20 for a space: in an address like this one a plus stays a plus.
        format!(
            "data:text/plain;charset=utf-8,{}",
            encode(&text).replace('+', "%20")
        )
    }
}

/// The page of the codes.
#[must_use]
pub fn codes(page: &CodesPage<'_>) -> Markup {
    let codes: Vec<&str> = page.codes.iter().map(String::as_str).collect();
    let (title, before) = match page.occasion {
        Occasion::SetUp(Phone::First) => (
            "Save your recovery codes",
            "2-step verification is on, and you are signed out everywhere else.",
        ),
        Occasion::SetUp(Phone::Another) => (
            "Save your recovery codes",
            "Your new phone counts from here on; the old one and its recovery codes are dead. You are signed out \
             everywhere else.",
        ),
        Occasion::Renewed => ("Your new recovery codes", "The older codes no longer work."),
    };
    let form = html! {
        p.hint.break { (page.organisation) ": " (page.email.as_str()) ", " (day(page.now, page.zone)) }
        (code_list("codes", "Recovery codes", &codes))
        div.row {
            (download("Download", &page.file(), "recovery-codes.txt"))
            (Button::copy("Copy", "codes"))
            (Button::print("Print"))
        }
        (confirmed("saved", "I have saved these codes somewhere other than my phone."))
        @for (name, value) in &page.onward.fields { (hidden(name, value)) }
        div.row { (Button::submit("Done", "One moment…")) }
    };
    html! {
        @if page.occasion != Occasion::Renewed { (course(1)) }
        div {
            h1 { (title) }
            p.lead { (before) " Each code signs you in once if you lose your phone. This is the only time they are shown." }
        }
        div.narrow { (get(&page.onward.path, &form)) }
    }
}

/// In the query, for the page of what can be done while another phone is being set up.
pub const MANAGE_VIEW: &str = "view=manage";

/// Whether another phone is being set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A key was shown, and waits for its first code.
    Key,
    /// There is none.
    Nothing,
}

/// The page once it is on.
#[derive(Clone, Copy, Debug)]
pub struct Manage<'m> {
    /// Whose.
    pub who: &'m Enroller,
    /// How it is.
    pub state: State,
    /// Whether another phone is being set up.
    pub waiting: Waiting,
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
    let account = format!("{}#{}", Route::Profile, ACCOUNT_ANCHOR);
    html! {
        (back("Account", &account))
        (page_head("Two-factor", Some("2-step verification is on: sign-in asks for a code after your password."), None))
        (page.given.problem(&[Section::Start, Section::Confirm]))
        @if page.waiting == Waiting::Key {
            (note(Tone::Plain, &html! {
                p { "You began to move to another phone. " a href=(Route::TwoFactor) { "Go on with it" } }
            }))
        }
        div.narrow { (facts(page.state, page.now, page.zone)) }
        (section(Section::Codes, "New recovery codes", &renewal(page, csrf)))
        (section(Section::Replace, "Move to another phone", &move_away(page, csrf)))
        (section(Section::Disable, "Disable 2-step verification", &disabling(page, csrf)))
    }
}

/// The place of two-factor on the page of one's own account.
pub const ACCOUNT_ANCHOR: &str = "two-factor";

/// Since when it is on, when it was used, how many codes are left.
#[must_use]
pub fn facts(state: State, now: Timestamp, zone: &TimeZone) -> Markup {
    details(&[
        ("On since", day(state.since, zone)),
        ("Last used", time(state.used_at, now, zone)),
        ("Recovery codes", codes_left(state.codes_left)),
    ])
}

fn section(section: Section, title: &str, body: &Markup) -> Markup {
    html! { section.stack.narrow id=(section.anchor()) { h2 { (title) } (body) } }
}

fn renewal(page: &Manage<'_>, csrf: &str) -> Markup {
    let body = html! {
        (page.given.problem(&[Section::Codes]))
        (proof(page, Section::Codes, page.asked))
        div.row { (Button::submit("Make new codes", "One moment…").plain()) }
    };
    html! {
        p { "Ten new codes are shown, once. The older ones no longer work from then on." }
        (post(&Route::RenewCodes.to_string(), csrf, &body))
    }
}

fn move_away(page: &Manage<'_>, csrf: &str) -> Markup {
    let button = Button::submit("Move to another phone", "One moment…").plain();
    html! {
        p { "A new key is shown, to be scanned with the other phone. The present one stays good until you confirm." }
        (with_code(page, Section::Replace, &Route::TwoFactor, csrf, &button))
    }
}

fn disabling(page: &Manage<'_>, csrf: &str) -> Markup {
    if page.is_required {
        let reason = format!(
            "{} requires two-factor for {}. Move it to another phone instead.",
            page.who.organisation_name,
            everybody(page.who.role)
        );
        return html! { (Button::unavailable("Disable 2-step verification", &reason)) };
    }
    let button = Button::submit("Disable 2-step verification", "One moment…").danger();
    html! {
        p {
            "Your password alone then signs you in. The key and the recovery codes are dead, and you are signed out "
            "everywhere else."
        }
        (with_code(page, Section::Disable, &Route::DisableTwoFactor, csrf, &button))
    }
}

/// The form of an act that asks for a code: of the app, or a recovery code.
fn with_code(
    page: &Manage<'_>,
    section: Section,
    route: &Route,
    csrf: &str,
    button: &Button<'_>,
) -> Markup {
    let id = format!("{}-code", section.anchor());
    let body = html! {
        (page.given.problem(&[section]))
        (Field::text(CODE_FIELD, "Code").id(&id).autocomplete("one-time-code").required()
            .hint("The 6-digit code that your app shows now, or one of your recovery codes.")
            .error(page.given.error(section, CODE_FIELD)))
        (proof(page, section, page.asked_beside_code))
        div.row { (button) }
    };
    post(&route.to_string(), csrf, &body)
}

/// The password, where it is asked for; its id is the section's, as there are several on the page.
fn proof(page: &Manage<'_>, section: Section, asked: Asked) -> Markup {
    let id = format!("{}-password", section.anchor());
    html! {
        @if let Some(field) = proof_field(asked) {
            (field.id(&id).error(page.given.error(section, PROOF_FIELD)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_codes_are_told_louder() {
        for (left, class) in [(0, "sub bad"), (1, "sub warn"), (3, "sub warn")] {
            let drawn = codes_left(left).into_string();
            assert!(drawn.contains(&format!("class=\"{class}\"")), "{drawn}");
            assert!(
                drawn.contains(&format!("{left} of 10 recovery codes left")),
                "{drawn}"
            );
        }
        assert_eq!(
            codes_left(4).into_string(),
            "<span>4 of 10 recovery codes left</span>"
        );
    }

    #[test]
    fn a_key_stands_in_groups_of_four() {
        assert_eq!(grouped("JBSWY3DPEHPK3PXP"), "JBSW Y3DP EHPK 3PXP");
        assert_eq!(grouped(""), "");
    }
}
