//! What each deed does, said before it is done: what ends, what stays, when it takes effect.

use jiff::tz::TimeZone;
use maud::{Markup, Render, html};

use super::{Effect, Ends, effect};
use crate::accounts::views::{ROLE_FIELD, RoleField};
use crate::accounts::{Account, Status};
use crate::domain::email::Email;
use crate::domain::policy::{Level, Policy};
use crate::domain::role::{Managers, Permission, Permissions, Role};
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Choice, Select};
use crate::kit::html::copy::first_copy_box;
use crate::kit::html::dialog::{Panel, buttons};
use crate::kit::html::form::{hidden, post};
use crate::kit::html::notice::note;
use crate::kit::html::stats::details;
use crate::kit::html::time::{time, when};
use crate::kit::http::form::Form;
use crate::kit::time::Timestamp;
use crate::routes::Route;
use crate::sessions::Live;

/// The hidden field that carries the list from which a page was opened, so that the deed leads back to it.
pub const FROM_FIELD: &str = "from";
/// The field that says how the link of a reset gets to its person.
pub const HANDOVER_FIELD: &str = "handover";

/// So many sessions or invitations are named; of more the number is told.
pub const NAMED_MAX: usize = 10;

/// What all of these pages are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Whom it is about.
    pub account: &'a Account,
    /// What was typed, and what is wrong with it.
    pub form: &'a Form,
    /// The list that the page was opened from; none: the account's page.
    pub list: Option<&'a str>,
    /// Whether mail leaves this server.
    pub is_mailed: bool,
    /// The present.
    pub now: Timestamp,
    /// The viewer's zone.
    pub zone: &'a TimeZone,
    /// For its form.
    pub csrf: &'a str,
}

/// Where the cursor begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At what is to be filled in.
    Field,
    /// At the way out, where nothing is.
    Cancel,
}

/// What one page asks.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// As a question, or as what is to be done.
    pub title: String,
    /// In a sentence or two.
    pub lead: Markup,
    /// What ends, what stays, and what is to be filled in.
    pub body: Markup,
    /// Where its form goes.
    pub does: Route,
    /// Verb and object.
    pub deed: Button<'q>,
    /// Where the cursor begins.
    pub begin: Begin,
}

impl Ask<'_> {
    fn back(&self) -> String {
        match self.list {
            Some(list) => list.to_owned(),
            None => Route::Account(self.account.id).to_string(),
        }
    }

    /// The panel with its form.
    #[must_use]
    pub fn panel(&self, question: &Question<'_>) -> Markup {
        let back = self.back();
        let cancel = Button::close("Cancel", &back);
        let cancel = match question.begin {
            Begin::Field => cancel,
            Begin::Cancel => cancel.focused(),
        };
        let inside = html! {
            @if let Some(list) = self.list { (hidden(FROM_FIELD, list)) }
            (question.body)
            (buttons(&html! { (cancel) (question.deed) }))
        };
        Panel {
            title: &question.title,
            lead: Some(html! { p { (question.lead) } }),
            back: &back,
            body: post(&question.does.to_string(), self.csrf, &inside),
        }
        .render()
    }

    /// Each session, as its person knows it: "Firefox on Linux, 10.0.1.1, 12 min ago".
    #[must_use]
    pub fn session(&self, live: &Live) -> Markup {
        html! { (live.agent) ", " (live.address) ", " span.nowrap { (time(live.used_at, self.now, self.zone)) } }
    }

    fn sessions(&self, sessions: &[Live]) -> Markup {
        html! {
            @if sessions.is_empty() {
                "Nobody is signed in with this account now."
            } @else {
                (ending(sessions.len()))
                ul { @for live in sessions.iter().take(NAMED_MAX) { li { (self.session(live)) } } }
                (more(sessions.len()))
            }
        }
    }
}

/// "2 sessions end now:"
fn ending(count: usize) -> String {
    match count {
        1 => "1 session ends now:".to_owned(),
        count => format!("{count} sessions end now:"),
    }
}

/// How many are not named.
#[must_use]
pub fn more(count: usize) -> Markup {
    html! { @if count > NAMED_MAX { "and " (count - NAMED_MAX) " more." } }
}

/// Whom an account invited, each leading to where the invitation is resent.
#[must_use]
pub fn people(invited: &[Account]) -> Markup {
    html! {
        @for (at, one) in invited.iter().take(NAMED_MAX).enumerate() {
            @if at > 0 { ", " }
            a href=(Route::Account(one.id)) { (one.label()) } " (" (one.role) ")"
        }
        @if invited.len() > NAMED_MAX { " and " (invited.len() - NAMED_MAX) " more" }
        ". "
    }
}

/// What is to be said of the people whose links are refused from here on.
fn invitations(invited: &[Account]) -> Markup {
    html! {
        "The links this account sent to these people stop working: " (people(invited))
        "Resend an invitation to keep it: it is yours then."
    }
}

/// Whoever loses something is not offered the ownership any more.
pub fn also_ends_offer(lines: &mut Vec<(&str, Markup)>, ends: &Ends) {
    if ends.is_offered_ownership {
        lines.push((
            "Ownership",
            html! { "The offer to own the organisation ends." },
        ));
    }
}

/// What one of the roles would mean for the account.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The role.
    pub role: Role,
    /// What ends with it.
    pub ends: Ends,
}

/// Choosing another role.
#[derive(Clone, Copy, Debug)]
pub struct NewRole<'n> {
    /// Whom it is about.
    pub ask: Ask<'n>,
    /// What whoever gives it may do.
    pub permissions: Permissions,
    /// Who manages users there.
    pub managers: Managers,
    /// What each role would mean.
    pub outcomes: &'n [Outcome],
}

/// The menu of roles, with what each would change.
#[must_use]
pub fn choose_role(new: &NewRole<'_>) -> Markup {
    let (ask, account) = (&new.ask, new.ask.account);
    let label = account.label();
    let chosen = match ask.form.typed(ROLE_FIELD) {
        "" => account.role.key(),
        typed => typed,
    };
    let field = RoleField {
        permissions: new.permissions,
        managers: new.managers,
        chosen,
        hint: "Nothing changes until you confirm.",
        error: ask.form.error(ROLE_FIELD),
        is_first: true,
        about: &|role| outcome(new, role),
    };
    let lead =
        html! { "Now " (account.role) ". " (account.role.main_rights_under(new.managers)) "." };
    ask.panel(&Question {
        title: format!("Change permission of {label}"),
        lead,
        body: field.render(),
        does: Route::ChangeRole(account.id),
        deed: Button::submit(&format!("Change permission of {label}"), "Changing…"),
        begin: Begin::Field,
    })
}

/// What this role would change: rights, sessions, invitations, and when.
fn outcome(new: &NewRole<'_>, role: Role) -> Markup {
    let account = new.ask.account;
    let (from, to) = (
        account.role.permissions(new.managers),
        role.permissions(new.managers),
    );
    let found = new.outcomes.iter().find(|outcome| outcome.role == role);
    html! {
        p { (role.main_rights_under(new.managers)) }
        @if role == account.role {
            p { "What the account has now: nothing changes." }
        } @else {
            p { b { (account.role) " → " (role) } }
            p { b { "Gains" } " " (named(to, from)) }
            p { b { "Loses" } " " (named(from, to)) }
            @if let Some(found) = found { (takes_effect(new, role, &found.ends)) }
        }
    }
}

/// The permissions that one has and the other lacks.
fn named(these: Permissions, but: Permissions) -> String {
    let labels: Vec<&str> = Permission::ALL
        .into_iter()
        .filter(|one| these.has(*one) && !but.has(*one))
        .map(Permission::label)
        .collect();
    if labels.is_empty() {
        "Nothing".to_owned()
    } else {
        labels.join(" · ")
    }
}

fn takes_effect(new: &NewRole<'_>, role: Role, ends: &Ends) -> Markup {
    let account = new.ask.account;
    let label = account.label();
    match account.status {
        Status::Pending => html! {
            p {
                "The activation link stays the same, and makes the account " (role) ". A mail that went out already "
                "still says " (account.role) "."
            }
        },
        Status::Disabled { .. } | Status::Deleted { .. } => html! {
            p { "The account stays disabled. Once it is enabled, it is " (role) "." }
        },
        Status::Active => html! {
            @match effect(account.role, role, new.managers) {
                Effect::Gain => p { "Takes effect the next time " (label) " signs out and in again." },
                Effect::Loss => (loss(new, &label, ends)),
            }
            p {
                @if new.ask.is_mailed { "A mail tells " (label) "." }
                @else { "Mail is off on this server: tell " (label) " yourself." }
            }
        },
    }
}

fn loss(new: &NewRole<'_>, label: &str, ends: &Ends) -> Markup {
    let sessions = ends.sessions.iter().take(NAMED_MAX);
    html! {
        p {
            @if ends.sessions.is_empty() {
                "Takes effect at once. Nobody is signed in with this account now."
            } @else {
                (label) " is signed out now. " (ending(ends.sessions.len()))
            }
        }
        @for live in sessions { p { (new.ask.session(live)) } }
        (more(ends.sessions.len()))
        @if !ends.invited.is_empty() { p { (invitations(&ends.invited)) } }
        @if ends.is_offered_ownership { p { "The offer to own the organisation ends." } }
    }
}

/// What switching on does.
#[derive(Clone, Copy, Debug)]
pub struct Enabling<'e> {
    /// Whom it is about.
    pub ask: Ask<'e>,
    /// Whether the account has a password.
    pub has_password: bool,
    /// Whose links work again.
    pub revived: &'e [Account],
    /// Who manages users in the organisation.
    pub managers: Managers,
}

/// What switching on does.
#[must_use]
pub fn confirm_enable(enabling: &Enabling<'_>) -> Markup {
    let ask = &enabling.ask;
    let label = ask.account.label();
    let mut lines = vec![
        (
            "Sign-in",
            html! {
                @if enabling.has_password && ask.account.has_two_factor {
                    "Works again, with the password and the two-factor the account had."
                } @else if enabling.has_password {
                    "Works again, with the password the account had."
                } @else { "The account has no password: it was reset, and none was set since. “Forgot password?” makes one." }
            },
        ),
        (
            "Permission",
            html! { (ask.account.role) ". " (ask.account.role.main_rights_under(enabling.managers)) "." },
        ),
        (
            "Sessions",
            html! { "None comes back, and no link either: what ended stays ended." },
        ),
    ];
    if !enabling.revived.is_empty() {
        lines.push((
            "Invitations",
            html! { "The links this account sent to these people work again: " (people(enabling.revived)) },
        ));
    }
    ask.panel(&Question {
        title: format!("Enable {label}?"),
        lead: html! { (label) " can sign in again. No mail tells them." },
        body: details(&lines),
        does: Route::EnableAccount(ask.account.id),
        deed: Button::submit(&format!("Enable {label}"), "Enabling…"),
        begin: Begin::Cancel,
    })
}

/// Which sessions there are, and what ending them does.
#[must_use]
pub fn confirm_sign_out(ask: &Ask<'_>, ends: &Ends) -> Markup {
    let label = ask.account.label();
    let lines = [
        ("Sessions", ask.sessions(&ends.sessions)),
        (
            "Kept",
            html! { "Password and permission. " (label) " can sign in again at once; to keep them out, disable the account or reset its password." },
        ),
    ];
    ask.panel(&Question {
        title: format!("Sign out {label} everywhere?"),
        lead: html! { "Every browser has to sign in again. What is typed there and not saved is lost." },
        body: details(&lines),
        does: Route::SignOutAccount(ask.account.id),
        deed: Button::submit(&format!("Sign out {label}"), "Signing out…"),
        begin: Begin::Cancel,
    })
}

/// What a reset of the second factor does, by the policy of the account's role.
#[must_use]
pub fn confirm_two_factor_reset(ask: &Ask<'_>, policy: Policy, ends: &Ends) -> Markup {
    let label = ask.account.label();
    let mut lines = vec![
        (
            "Two-factor",
            html! { "The app and the recovery codes of " (label) " stop working now, for good. A sign-in that waits for a code ends." },
        ),
        (
            "Sign-in",
            html! { "The password alone is enough from now on. " (anew(ask.account, policy)) },
        ),
        ("Sessions", ask.sessions(&ends.sessions)),
    ];
    also_ends_offer(&mut lines, ends);
    lines.push((
        "Mail",
        html! {
            @if ask.is_mailed { "A mail tells " (label) " that you reset it." }
            @else { "Mail is off on this server: tell " (label) " yourself." }
        },
    ));
    lines.push((
        "Kept",
        html! { "Password, email, phone and the permission " (ask.account.role) "." },
    ));
    ask.panel(&Question {
        title: format!("Reset two-factor of {label}?"),
        lead: html! {
            "For a phone that is lost, with no recovery code at hand. Make sure that it is " (label) " who asks: whoever "
            "has the password gets in."
        },
        body: details(&lines),
        does: Route::ResetAccountTwoFactor(ask.account.id),
        deed: Button::submit(&format!("Reset two-factor of {label}"), "Resetting…").danger(),
        begin: Begin::Cancel,
    })
}

/// How long its person may go on without.
fn anew(account: &Account, policy: Policy) -> Markup {
    let role = account.role;
    html! {
        @match (policy.level, policy.grace_days) {
            (Level::Off, _) => { "Two-factor is not required for " (role) ": setting it up anew is theirs to decide." }
            (Level::Recommended, _) => {
                "Two-factor is recommended for " (role) ", not required: setting it up anew is theirs to decide."
            }
            (Level::Required, 0) => {
                "Two-factor is required for " (role) " at once: their next sign-in leads to the set-up, and to nothing else "
                "until it is done."
            }
            (Level::Required, days) => {
                "Two-factor is required for " (role) ", and the grace begins anew: they have "
                (days) @if days == 1 { " day" } @else { " days" } " to set it up again."
            }
        }
    }
}

/// What a reset does, and how its link gets to its person.
#[must_use]
pub fn confirm_reset(ask: &Ask<'_>, email: &Email, ends: &Ends) -> Markup {
    let label = ask.account.label();
    let mut lines = vec![
        (
            "Password",
            html! { "The one " (label) " has stops working now. A link sets another: it works once, for one hour. Older links stop working." },
        ),
        ("Sessions", ask.sessions(&ends.sessions)),
        (
            "Email",
            html! { "A change that waits for its confirmation is dropped." },
        ),
    ];
    if ask.account.has_two_factor {
        lines.push((
            "Two-factor",
            html! { "Stays on: whoever sets another password still needs a code to sign in." },
        ));
    }
    // Its invitations stay: the account keeps its role.
    also_ends_offer(&mut lines, ends);
    let body = html! {
        (details(&lines))
        @if !ask.is_mailed {
            (note(Tone::Warn, &html! { p { "Mail is off on this server: you get the link and hand it over." } }))
        }
        (handover(ask, email))
    };
    ask.panel(&Question {
        title: format!("Reset password of {label}?"),
        lead: html! { "For a password that somebody else may know, or that is forgotten." },
        body,
        does: Route::ResetAccountPassword(ask.account.id),
        deed: Button::submit(&format!("Reset password of {label}"), "Resetting…").danger(),
        begin: Begin::Field,
    })
}

fn handover(ask: &Ask<'_>, email: &Email) -> Markup {
    let label = ask.account.label();
    let mailed = format!("Mail it to {email}");
    let choices = vec![
        Choice::new("mail", &mailed)
            .about(html! { p { "The link goes to " (label) " alone, and says who reset the password." } })
            .refused((!ask.is_mailed).then_some("mail is off")),
        Choice::new("copy", "Show it to me, to hand over").about(html! {
            p {
                "You see the link once. "
                @if ask.is_mailed { "A mail tells " (label) " that you reset the password." }
                @else { "No mail tells " (label) " about it." }
            }
        }),
    ];
    let chosen = match (ask.form.typed(HANDOVER_FIELD), ask.is_mailed) {
        ("copy", _) | (_, false) => "copy",
        _ => "mail",
    };
    Select::new(HANDOVER_FIELD, "The link", choices)
        .chosen(chosen)
        .error(ask.form.error(HANDOVER_FIELD))
        .focus(HANDOVER_FIELD)
        .render()
}

/// The link of a reset, shown in answer to whoever made it.
#[must_use]
pub fn reset_link(ask: &Ask<'_>, link: &str, expires_at: Timestamp) -> Markup {
    let label = ask.account.label();
    let back = ask.back();
    let body = html! {
        @if !ask.is_mailed {
            (note(Tone::Warn, &html! {
                p { "Mail is off on this server, so nothing was sent. Give the link to the person yourself." }
            }))
        }
        div.stack-2 {
            (first_copy_box("reset-link", "Reset link", link))
            p.hint {
                "Works once, for one hour: until " (when(expires_at, ask.now, ask.zone))
                ". Whoever opens it sets the password: give it to nobody else. It is not shown again; for another one, "
                "reset the password once more."
            }
        }
        (buttons(&html! { (Button::close("Done", &back).primary()) }))
    };
    Panel {
        title: "Reset link",
        lead: Some(html! {
            p {
                "The password of " b { (label) } " is reset, and every session is ended. Nobody can sign in with the "
                "account until a new password is set."
            }
        }),
        back: &back,
        body,
    }
    .render()
}
