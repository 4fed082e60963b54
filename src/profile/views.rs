//! How people see their own account: the page of its sections, and what a link to a new address shows.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::accounts::{EMAIL_FIELD, Preferences};
use crate::audit::Deed;
use crate::audit::views::activity;
use crate::domain::email::Email;
use crate::domain::id::SessionId;
use crate::domain::text::Phone;
use crate::kit::html::Tone;
use crate::kit::html::badge::tag;
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Check, Choice, Select};
use crate::kit::html::field::Field;
use crate::kit::html::form::{guarded, hidden, post, post_button};
use crate::kit::html::frame::Theme;
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::page_head;
use crate::kit::html::notice::{alert, note};
use crate::kit::html::shell::{KEYS, themes};
use crate::kit::html::stats::details;
use crate::kit::html::table::{Cell, Column, Shape, Table, row};
use crate::kit::html::time::{day, time, when};
use crate::kit::http::form::Form;
use crate::kit::time::Timestamp;
use crate::passwords::views::{Mail, dead_link as dead_page, new_password};
use crate::routes::Route;
use crate::scope::Scope;
use crate::sessions::Live;
use crate::sessions::views::{Asked, proof_field};
use crate::two_factor::State;
use crate::two_factor::views::{ACCOUNT_ANCHOR, Demand, demand, facts};

/// Why an address cannot be changed, and who can help.
pub const MAIL_IS_OFF: &str = "Mail is off on this server, and a new email is confirmed by mail. Ask whoever runs the Portal to set up mail.";

/// The field of the password in the form of the address: the page has another form with a field of this name.
const EMAIL_PROOF_ID: &str = "email-password";

/// A section of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Name and telephone.
    Profile,
    /// The address, in the section of the profile.
    Email,
    /// The password.
    Password,
    /// The second factor.
    TwoFactor,
    /// Who is signed in, where.
    Sessions,
    /// What happened.
    Activity,
    /// Colours, time zone, keys.
    Preferences,
    /// All that is kept about them.
    Data,
}

impl Section {
    /// Those that the head of the page leads to.
    const HEADED: [Self; 7] = [
        Self::Profile,
        Self::Password,
        Self::TwoFactor,
        Self::Sessions,
        Self::Activity,
        Self::Preferences,
        Self::Data,
    ];

    /// Its place on the page.
    #[must_use]
    pub const fn anchor(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Email => "your-email",
            Self::Password => "your-password",
            Self::TwoFactor => ACCOUNT_ANCHOR,
            Self::Sessions => "sessions",
            Self::Activity => "activity",
            Self::Preferences => "preferences",
            Self::Data => "your-data",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Profile => "Profile",
            Self::Email => "Email",
            Self::Password => "Password",
            Self::TwoFactor => "Two-factor authentication",
            Self::Sessions => "Sessions",
            Self::Activity => "Activity",
            Self::Preferences => "Preferences",
            Self::Data => "Your data",
        }
    }
}

/// A form of the page that was refused.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'s> {
    /// Whose form.
    pub section: Section,
    /// What was typed, and what is wrong with it.
    pub form: &'s Form,
    /// What is wrong with all of it.
    pub problem: Option<&'s str>,
}

/// An address that waits to be confirmed.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// The address.
    pub email: Email,
    /// Until when, in words.
    pub until: Markup,
}

/// What the file knows of the account.
#[derive(Clone, Debug)]
pub struct Known {
    /// Their telephone.
    pub phone: Option<Phone>,
    /// How their pages behave.
    pub preferences: Preferences,
    /// The zone that holds where they chose none.
    pub organisation_zone: String,
    /// The address that they asked for.
    pub awaited: Option<Awaited>,
    /// Since when they have their password.
    pub password_changed_at: Option<Timestamp>,
    /// How their second factor is, if they have one.
    pub two_factor: Option<State>,
    /// Their sessions that are not over.
    pub sessions: Vec<Live>,
    /// What they did and what was done to their account, newest first.
    pub deeds: Vec<Deed>,
}

/// The page.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Who looks: name, address, this session.
    pub scope: &'a Scope,
    /// What the file knows of them.
    pub known: &'a Known,
    /// The form that was refused, if one was.
    pub sent: Option<&'a Sent<'a>>,
    /// Whether a new address can be confirmed.
    pub mail: Mail,
    /// What a dangerous act asks for just now.
    pub asked: Asked,
    /// The colours that this browser chose.
    pub theme: Theme,
    /// The time zones to choose from.
    pub zones: &'a [String],
    /// The instant of the page.
    pub now: Timestamp,
    /// Where it is read.
    pub zone: &'a TimeZone,
}

impl<'a> Account<'a> {
    /// The form of this section, if it was refused.
    fn refused(&self, section: Section) -> Option<&'a Form> {
        self.sent
            .filter(|sent| sent.section == section)
            .map(|sent| sent.form)
    }

    /// What is wrong with all of this section's form.
    fn problem(&self, section: Section) -> Markup {
        let problem = self
            .sent
            .filter(|sent| sent.section == section)
            .and_then(|sent| sent.problem);
        html! { @if let Some(problem) = problem { (alert(Tone::Bad, &html! { p { (problem) } })) } }
    }
}

/// What is wrong with this field, and where the cursor goes; nothing in a form that nobody sent yet.
#[derive(Clone, Copy)]
struct Told<'t>(Option<&'t Form>);

impl<'t> Told<'t> {
    fn error(self, name: &str) -> Option<&'t str> {
        self.0.and_then(|form| form.error(name))
    }

    fn focus(self) -> &'t str {
        self.0.and_then(Form::first_problem).unwrap_or_default()
    }
}

/// The page of one's own account.
#[must_use]
pub fn account(page: &Account<'_>, csrf: &str) -> Markup {
    let lead = format!("{} at {}", page.scope.role, page.scope.organisation_name);
    html! {
        (page_head("Account", Some(&lead), None))
        nav.row aria-label="On this page" {
            @for section in Section::HEADED { a href={ "#" (section.anchor()) } { (section.title()) } }
        }
        section.stack.narrow id=(Section::Profile.anchor()) {
            h2 { (Section::Profile.title()) }
            (profile(page, csrf))
            (email(page, csrf))
        }
        section.stack.narrow id=(Section::Password.anchor()) {
            h2 { (Section::Password.title()) }
            (password(page, csrf))
        }
        section.stack.narrow id=(Section::TwoFactor.anchor()) {
            h2 { (Section::TwoFactor.title()) }
            (two_factor(page))
        }
        section.stack-2 id=(Section::Sessions.anchor()) {
            h2 { (Section::Sessions.title()) }
            (sessions(page, csrf))
        }
        section.stack-2 id=(Section::Activity.anchor()) {
            h2 { (Section::Activity.title()) }
            (activity("Your recent activity", &page.known.deeds, page.now, page.zone))
        }
        section.stack.narrow id=(Section::Preferences.anchor()) {
            h2 { (Section::Preferences.title()) }
            (preferences(page, csrf))
        }
        section.stack.narrow id=(Section::Data.anchor()) {
            h2 { (Section::Data.title()) }
            p {
                "What the Portal keeps about you, and about nobody else: your profile, your sessions, your activity and the "
                "resources that you hold or created. A file that people and programs can read (JSON), without passwords or codes."
            }
            div.row { (Button::link("Export my data", &Route::ProfileData.to_string()).icon(Icon::Download)) }
        }
    }
}

fn profile(page: &Account<'_>, csrf: &str) -> Markup {
    let refused = page.refused(Section::Profile);
    let told = Told(refused);
    let spaced = page
        .known
        .phone
        .as_ref()
        .map(Phone::spaced)
        .unwrap_or_default();
    let (name, phone) = match refused {
        Some(form) => (form.typed("name"), form.typed("phone")),
        None => (page.scope.name.as_str(), spaced.as_str()),
    };
    let body = html! {
        (page.problem(Section::Profile))
        (Field::text("name", "Name").autocomplete("name").value(name).required().focus(told.focus())
            .error(told.error("name")))
        (Field::tel("phone", "Phone (optional)").value(phone).focus(told.focus())
            .hint("With the country code, like +47 922 41 108.").error(told.error("phone")))
        (Button::submit("Save profile", "Saving…"))
    };
    guarded(&Route::SaveProfile.to_string(), csrf, &body)
}

fn email(page: &Account<'_>, csrf: &str) -> Markup {
    let current = page.scope.email.as_str();
    let refused = page.refused(Section::Email);
    html! {
        div.stack id=(Section::Email.anchor()) {
            div.field { b { (Section::Email.title()) } span.break { (current) } }
            @if let Some(awaited) = &page.known.awaited { (waiting(awaited)) }
            @match (page.mail, refused) {
                (Mail::Off, None) => (note(Tone::Warn, &html! { p { (MAIL_IS_OFF) } })),
                (Mail::Off, Some(_)) => (alert(Tone::Bad, &html! { p { (MAIL_IS_OFF) } })),
                (Mail::On, _) => details open[refused.is_some()] {
                    summary.hint { "Change email" }
                    (new_email(page, csrf))
                },
            }
        }
    }
}

fn waiting(awaited: &Awaited) -> Markup {
    note(
        Tone::Plain,
        &html! {
            p {
                "A link went to " b { (awaited.email.as_str()) } ". Open it before " (awaited.until)
                "; until then nothing changes. Nothing there after a few minutes? Look in Spam/Junk too."
            }
        },
    )
}

fn new_email(page: &Account<'_>, csrf: &str) -> Markup {
    let refused = page.refused(Section::Email);
    let told = Told(refused);
    let typed = refused
        .map(|form| form.typed(EMAIL_FIELD))
        .unwrap_or_default();
    let body = html! {
        (page.problem(Section::Email))
        (Field::email(EMAIL_FIELD, "New email").autocomplete("email").value(typed).required().focus(told.focus())
            .hint("A link goes there; nothing changes until you open it.").error(told.error(EMAIL_FIELD)))
        @if let Some(field) = proof_field(page.asked) {
            (field.id(EMAIL_PROOF_ID).focus(told.focus()).error(told.error(PROOF)))
        }
        (Button::submit("Send the link", "Sending…"))
    };
    post(&Route::ChangeEmail.to_string(), csrf, &body)
}

/// In which field dangerous acts ask for the password again.
const PROOF: &str = "current_password";

fn current_password<'f>() -> Field<'f> {
    Field::password(PROOF, "Current password")
}

fn password(page: &Account<'_>, csrf: &str) -> Markup {
    let refused = page.refused(Section::Password);
    let told = Told(refused);
    let nothing = Form::default();
    let ends_others = refused.is_none_or(|form| form.typed("end_others") == "yes");
    let body = html! {
        (page.problem(Section::Password))
        (current_password().focus(told.focus()).error(told.error(PROOF)))
        (new_password(refused.unwrap_or(&nothing), told.focus()))
        (Check::new("end_others", "Sign out everywhere else")
            .hint("This browser stays signed in.").ticked(ends_others))
        (Button::submit("Change password", "Saving…"))
    };
    html! {
        @if let Some(at) = page.known.password_changed_at { p.muted { "Changed " (day(at, page.zone)) "." } }
        (post(&Route::ChangePassword.to_string(), csrf, &body))
    }
}

fn two_factor(page: &Account<'_>) -> Markup {
    let set_up = Route::TwoFactor.to_string();
    let Some(state) = page.known.two_factor else {
        let asked = Demand {
            protection: page.scope.protection,
            role: page.scope.role,
            organisation: page.scope.organisation_name.as_str(),
            now: page.now,
            zone: page.zone,
        };
        return html! {
            p {
                "Off. With 2-step verification, sign-in asks for a code from your phone after the password: whoever "
                "learns the password still cannot sign in as you."
            }
            @if let Some((_, why)) = demand(&asked) { p { (why) } }
            div.row { (Button::link("Enable 2-step verification", &set_up).primary()) }
        };
    };
    html! {
        p { "2-step verification is on." }
        (facts(state, page.now, page.zone))
        div.row { (Button::link("Manage two-factor", &set_up)) }
        p.hint { "New recovery codes, another phone, or disabling it." }
    }
}

fn sessions(page: &Account<'_>, csrf: &str) -> Markup {
    let own = page.scope.session;
    let is_this = |live: &&Live| live.id == own;
    let sessions = &page.known.sessions;
    let this_first = sessions
        .iter()
        .filter(is_this)
        .chain(sessions.iter().filter(|live| !is_this(live)));
    let columns = [
        Column::new(Cell::Main, "Browser"),
        Column::new(Cell::Detail, "Network address"),
        Column::new(Cell::Extra, "Opened"),
        Column::new(Cell::Aside, "Last active"),
        Column::new(Cell::End, "Sign out"),
    ];
    let rows = html! { @for live in this_first { (session(page, live, own, csrf)) } };
    let end_others = Route::EndOtherSessions.to_string();
    let button = Button::submit("Sign out everywhere else", "Signing out…").plain();
    html! {
        (Table { caption: "Your sessions", shape: Shape::Cards, columns: &columns, rows, foot: None })
        @if sessions.len() > 1 {
            div.row { (post_button(&end_others, csrf, &button)) }
        } @else {
            p.muted { "You are signed in nowhere else." }
        }
    }
}

fn session(page: &Account<'_>, live: &Live, own: SessionId, csrf: &str) -> Markup {
    let end = Route::EndSession(live.id).to_string();
    let button = Button::submit("Sign out", "Signing out…").plain().small();
    let opened = when(live.created_at, page.now, page.zone);
    row(&[
        (
            Cell::Main,
            html! { span.person { (live.agent) @if live.id == own { " " (tag("This browser")) } } },
        ),
        (
            Cell::Detail,
            html! { (live.address) span.small-only { ", opened " (opened) } },
        ),
        (Cell::Extra, html! { span.nowrap { (opened) } }),
        (
            Cell::Aside,
            html! { span.nowrap { (time(live.used_at, page.now, page.zone)) } },
        ),
        (
            Cell::End,
            html! { @if live.id != own { (post_button(&end, csrf, &button)) } },
        ),
    ])
}

fn preferences(page: &Account<'_>, csrf: &str) -> Markup {
    let refused = page.refused(Section::Preferences);
    let told = Told(refused);
    let preferences = &page.known.preferences;
    let has_shortcuts = refused.map_or(preferences.has_shortcuts, |form| {
        form.typed("shortcuts") == "yes"
    });
    let body = html! {
        (page.problem(Section::Preferences))
        (time_zone(page, told))
        (Check::new("shortcuts", "Keys")
            .hint(html! {
                "Single keys search and lead to pages"
                @if page.scope.has_shortcuts { "; press ? to see them, or " a href=(KEYS) data-show { "see them here" } "." } @else { "." }
            })
            .ticked(has_shortcuts))
        (Button::submit("Save preferences", "Saving…"))
    };
    html! {
        div.field { b { "Theme" } (themes(&Route::Theme.to_string(), csrf, page.theme)) }
        (guarded(&Route::SavePreferences.to_string(), csrf, &body))
    }
}

fn time_zone(page: &Account<'_>, told: Told<'_>) -> Markup {
    let own = page.known.preferences.time_zone.as_deref();
    let chosen = told
        .0
        .map_or(own.unwrap_or_default(), |form| form.typed("timezone"));
    let organisations = format!("The organisation's ({})", page.known.organisation_zone);
    // A zone that is only another spelling is not on offer, and stays chosen where it is.
    let other = own.filter(|own| !page.zones.iter().any(|zone| zone == own));
    let choices = [Choice::new("", &organisations)]
        .into_iter()
        .chain(other.map(|zone| Choice::new(zone, zone)))
        .chain(page.zones.iter().map(|zone| Choice::new(zone, zone)));
    html! {
        (Select::new("timezone", "Time zone", choices.collect()).chosen(chosen).focus(told.focus())
            .hint("In which you read times.").error(told.error("timezone")))
    }
}

/// A link that may be used.
#[derive(Clone, Debug)]
pub struct Confirm<'c> {
    /// The link's token, as it came.
    pub token: &'c str,
    /// The address now.
    pub before: &'c Email,
    /// The address then.
    pub after: &'c Email,
    /// Until when, in words.
    pub until: Markup,
    /// Why it could not be done.
    pub problem: Option<&'c str>,
}

/// The page of a good link: what becomes of what.
#[must_use]
pub fn confirm(page: &Confirm<'_>, csrf: &str) -> Markup {
    let account = Route::Profile.to_string();
    let body = html! {
        h1 { "Confirm your new email" }
        @if let Some(problem) = page.problem {
            (alert(Tone::Bad, &html! { p { (problem) } p { "Ask for another one on your Account page." } }))
        }
        (details(&[
            ("Email now", html! { (page.before.as_str()) }),
            ("New email", html! { b { (page.after.as_str()) } }),
        ]))
        p { "You sign in with the new one from then on, with the same password. A mail tells both addresses." }
        div.row {
            (Button::submit("Change my email", "Changing…"))
            (Button::link("Keep the old one", &account))
        }
        p.hint { "The link works until " (page.until) "." }
    };
    let action = Route::ConfirmEmail(page.token.to_owned()).to_string();
    html! { div.narrow { (post(&action, csrf, &body)) } }
}

/// Why a link no longer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLink {
    /// It was used.
    Used,
    /// A newer one was asked for, or it was withdrawn.
    Replaced,
    /// Its hour is over.
    Expired,
}

/// The page of a link that no longer works: what became of it, and what to do now.
#[must_use]
pub fn dead_link(why: DeadLink) -> Markup {
    let (title, sentence) = match why {
        DeadLink::Used => (
            "This link was used",
            "It did its work. Your Account page shows the email you sign in with.",
        ),
        DeadLink::Replaced => (
            "This link was replaced",
            "A newer link was sent, or it was withdrawn since. Use the newest mail, or ask again on your Account page.",
        ),
        DeadLink::Expired => (
            "The link expired",
            "It worked for one hour, which is over. Nothing was changed. Ask for a new one on your Account page.",
        ),
    };
    let account = Route::Profile.to_string();
    let actions = html! { (Button::link("To your account", &account).primary()) };
    dead_page(title, &html! { (sentence) }, &actions)
}

/// A link that is not this person's: of somebody else, or of nobody. It does not say which.
#[must_use]
pub fn not_theirs(email: &Email, token: &str, csrf: &str) -> Markup {
    let link = Route::ConfirmEmail(token.to_owned()).to_string();
    let body = html! {
        h1 { "This link is not for this account" }
        p { "You are signed in as " b { (email.as_str()) } ", who did not ask for it." }
        p {
            "Did you ask for it with another account? Sign out, and in with that one. If not, it may have been cut in two "
            "on its way: open it from the mail once more."
        }
        (hidden("next", &link))
        div.row {
            (Button::submit("Sign out and continue", "Signing out…"))
            (Button::link("Back to the dashboard", &Route::Dashboard.to_string()))
        }
    };
    html! { div.narrow { (post(&Route::SignOut.to_string(), csrf, &body)) } }
}
