//! "2FA security": the second factor, for whoever sets it up, and for whoever lost it.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::domain::code::RECOVERY_CODES;
use crate::domain::policy::{Asked, GRACE_MAX, Level, Policy, Protection, Trust};
use crate::domain::role::{Managers, Permission, Role, may_act_on, who_may};
use crate::help::views::topic;
use crate::kit::dates::moment;
use crate::kit::html::Tone;
use crate::kit::html::notice::note;
use crate::kit::html::stats::details;
use crate::kit::time::Timestamp;
use crate::routes::{HelpTopic, Route};

/// What the page needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// What the Portal is called.
    pub brand: &'f str,
    /// How many days a trusted browser skips the code.
    pub trust_days: i64,
    /// How many minutes a key that was shown waits for its first code.
    pub key_minutes: i64,
    /// Who reads it.
    pub reader: Reader<'f>,
}

/// Who reads the page.
#[derive(Clone, Copy, Debug)]
pub enum Reader<'f> {
    /// Nobody who is signed in.
    Stranger,
    /// Whoever gave the password and owes the code.
    Half,
    /// Somebody who is signed in, or must set up a second factor first.
    Known(Known<'f>),
}

/// What is known of somebody who is signed in.
#[derive(Clone, Copy, Debug)]
pub struct Known<'f> {
    /// Their organisation.
    pub organisation: &'f str,
    /// Their role.
    pub role: Role,
    /// Whether they own the organisation.
    pub is_owner: bool,
    /// Where their account stands.
    pub protection: Protection,
    /// What is asked of their role.
    pub policy: Policy,
    /// Whether browsers may be trusted there.
    pub trust: Trust,
    /// Who manages users there.
    pub managers: Managers,
    /// The present.
    pub now: Timestamp,
    /// The zone in which they read times.
    pub zone: &'f TimeZone,
}

impl<'f> Facts<'f> {
    const fn known(&self) -> Option<&Known<'f>> {
        match &self.reader {
            Reader::Known(known) => Some(known),
            Reader::Stranger | Reader::Half => None,
        }
    }

    /// A link to the set-up, for those who may follow it; for others the words alone.
    fn set_up(&self, words: &str) -> Markup {
        html! {
            @if self.known().is_some() { a href=(Route::TwoFactor) { (words) } } @else { b { (words) } }
        }
    }
}

/// The page.
#[must_use]
pub fn two_factor_security(facts: &Facts<'_>) -> Markup {
    html! {
        article.prose {
            (introduction(facts))
            (asked(facts))
            (setting_up(facts))
            (codes())
            (recovery_codes(facts))
            (lost(facts))
            (trusted(facts))
            (notes(facts))
        }
    }
}

fn introduction(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h1 { "2FA security" }
            p {
                "Two-factor authentication (2FA), or 2-step verification, asks for two things when you sign in to "
                (facts.brand) ": your password, and a code that only your phone shows. A password that somebody else \
                 knows then opens nothing."
            }
            ul {
                li { b { "Any authenticator app will do." } " It needs no connection and no telephone number." }
                li { b { "A code works once." } " Whoever reads one over your shoulder has nothing." }
                li { b { "Nobody is exempt." } " The master account is asked for its code like every sub-account." }
            }
            @if let Reader::Half = facts.reader {
                (note(Tone::Plain, &html! { p { a href=(Route::SignInCode) { "Back to the code" } } }))
            }
        }
    }
}

/// What the organisation asks: of a reader whom we know, of them; else how it is in general.
fn asked(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            @match facts.known() {
                Some(known) => {
                    h2 { "What " (known.organisation) " asks of you" }
                    (of_reader(known))
                }
                None => {
                    h2 { "What your organisation asks of you" }
                    p { "Each organisation decides for each role:" }
                    (details(&[
                        ("Off", html! { "Nothing is asked. You can enable it all the same." }),
                        ("Recommended", html! { "You are reminded, and it is yours to decide." }),
                        ("Required", html! {
                            "You have days of grace, at most " (GRACE_MAX) ", and are told until when. After that you reach \
                             nothing but the set-up, and once it is on it cannot be turned off."
                        }),
                    ]))
                    p { "When you are signed in, this page says which it is for you." }
                }
            }
        }
    }
}

fn of_reader(known: &Known<'_>) -> Markup {
    let (organisation, role) = (known.organisation, known.role);
    html! {
        @match known.policy.level {
            Level::Off => p { (organisation) " asks for no 2FA of the role " (role) ". You can enable it all the same." }
            Level::Recommended => p { (organisation) " recommends 2FA for the role " (role) ". It is yours to decide." }
            Level::Required => p { (organisation) " requires 2FA for the role " (role) "." }
        }
        @match (known.protection, known.policy.level) {
            (Protection::On, Level::Required) => p {
                "It is on for your account. It cannot be turned off, but you can move it to another phone."
            }
            (Protection::On, Level::Off | Level::Recommended) => p { "It is on for your account." }
            (Protection::Without(Asked::By(end)), _) if known.protection.is_overdue(known.now) => {
                (note(Tone::Warn, &html! { p {
                    "You had until " (moment(end, known.zone)) ". Until you have set it up you reach nothing else. "
                    a href=(Route::TwoFactor) { "Set it up" }
                } }))
            }
            (Protection::Without(Asked::By(end)), _) => {
                (note(Tone::Warn, &html! { p {
                    "You have until " (moment(end, known.zone)) " to set it up; after that you reach nothing else. "
                    a href=(Route::TwoFactor) { "Set it up" }
                } }))
            }
            (Protection::Without(Asked::Recommended | Asked::Nothing), _) => p { "It is off for your account." }
        }
    }
}

fn setting_up(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "Set it up" }
            p { "It takes about two minutes." }
            ol {
                li { "Install an authenticator app on your phone: any that shows 6-digit codes (TOTP)." }
                li {
                    @if let Reader::Stranger = facts.reader { a href=(Route::SignIn) { "Sign in" } ", then open " } @else { "Open " }
                    (facts.set_up("Account › Two-factor authentication")) " and choose " b { "Enable 2-step verification" }
                    ". If you signed in more than 10 minutes ago, your password is asked for again."
                }
                li {
                    "Scan the QR code with the app, or type the secret key that stands beside it. The key waits "
                    (facts.key_minutes) " minutes for its first code."
                }
                li { "Type the code that the app shows, and choose " b { "Confirm" } ". You are signed out everywhere else." }
                li { "Keep the " (RECOVERY_CODES) " recovery codes that are shown then. They are shown once." }
            }
        }
    }
}

fn codes() -> Markup {
    html! {
        section.stack {
            h2 { "Codes and clocks" }
            ul {
                li { "The app shows a new code every 30 seconds. The one before it is still taken, and so is the next. Spaces do not matter." }
                li { "Each code works once. If yours was used a moment ago, wait for the next one." }
                li {
                    b { "“That code is not right.”" } " In nearly every case the phone's clock is off. The message tells this \
                     server's time: compare it with your phone's, and set the phone to take its time from the network."
                }
                li { "After 10 wrong codes in 15 minutes, or 100 in a day, no code is judged for a while. Wait as long as the message says." }
            }
        }
    }
}

fn recovery_codes(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "Recovery codes" }
            p {
                "A recovery code takes the place of the app's code, and works once. There are " (RECOVERY_CODES)
                ". Print them, or keep them in a password manager; not on the phone alone, since they are for the day \
                 it is gone."
            }
            ul {
                li { "At sign-in choose " b { "Use a recovery code" } "." }
                li { "You get a mail each time one is used. If it was not you, change your password." }
                li {
                    (facts.set_up("Account › Two-factor authentication")) " says how many are left, and makes new ones: the \
                     older are dead then."
                }
            }
        }
    }
}

fn lost(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "Lost your phone?" }
            ol {
                li {
                    b { "Use a recovery code." } " Give your password as always, choose " b { "Use a recovery code" }
                    ", and then move 2-step verification to your new phone on your Account page."
                }
                li {
                    b { "No codes left?" } " " (whom_to_ask(facts))
                    @if !facts.known().is_some_and(|known| known.is_owner) {
                        " They choose " b { "Reset two-factor" } " in the menu of your account."
                    }
                    " After a reset you are told by mail, sign in with your password alone, and set up your new phone; your days of \
                     grace begin anew."
                }
                li {
                    b { "Nobody there may do it?" } " Ask whoever runs " (facts.brand) " for you. They can reset anybody, and will \
                     want to be sure that it is you."
                }
            }
            p { "A forgotten password is another matter: a " a href=(Route::ForgotPassword) { "reset link" } " sets a new one, and never takes the place of the code." }
        }
    }
}

fn whom_to_ask(facts: &Facts<'_>) -> Markup {
    let Some(known) = facts.known() else {
        return html! {
            "Ask somebody who manages users in your organisation and has all the rights that you have: for most people the \
             role " (who_may(Permission::UsersManage, Managers::default())) "."
        };
    };
    if known.is_owner {
        return html! {
            "You own " (known.organisation) ", so nobody in it can do this for you: go on with the next line. While you can still \
             sign in, keep your recovery codes safe all the more."
        };
    }
    let theirs = known.role.permissions(known.managers);
    let helpers: Vec<&str> = Role::ALL
        .into_iter()
        .filter(|role| {
            let own = role.permissions(known.managers);
            own.has(Permission::UsersManage) && may_act_on(own, theirs)
        })
        .map(Role::label)
        .collect();
    html! { "Ask somebody at " (known.organisation) " with the role " (helpers.join(" or ")) "." }
}

fn trusted(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "Trusted browsers" }
            @match facts.known().map(|known| known.trust) {
                Some(Trust::Off) => p { "Your organisation does not let browsers be trusted: the code is asked for at each sign-in." }
                Some(Trust::Offered) => p { "Your organisation lets you trust browsers of your own." }
                None => p { "Some organisations let you trust browsers of your own." }
            }
            @if facts.known().is_none_or(|known| known.trust == Trust::Offered) {
                p {
                    "Tick " b { "Trust this browser for " (facts.trust_days) " days" } " beside the code, and that browser asks for \
                     your password alone. It ends after " (facts.trust_days) " days, and at once when your password, your 2FA or \
                     your organisation's policy changes, or you sign out everywhere. Never tick it on a machine that others use."
                }
            }
        }
    }
}

fn notes(facts: &Facts<'_>) -> Markup {
    html! {
        section.stack {
            h2 { "Notes" }
            ul {
                li {
                    "Turning it off: " (facts.set_up("Account › Two-factor authentication")) ", then "
                    b { "Disable 2-step verification" } ". It asks for a code, and is refused where your role requires 2FA."
                }
                li { "Nobody can see your secret key or your codes again, whoever runs " (facts.brand) " included. They can only be made void." }
                li { "For those who manage users: " (topic(HelpTopic::AddASubAccount)) "; what each role may do: " (topic(HelpTopic::SubAccountPermissions)) "." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::time::DAY;

    const NOW: Timestamp = Timestamp(1_795_526_400);

    fn page(reader: Reader<'_>) -> String {
        two_factor_security(&Facts {
            brand: "Halden Portal",
            trust_days: 30,
            key_minutes: 45,
            reader,
        })
        .into_string()
    }

    fn known(role: Role, protection: Protection, policy: Policy) -> Known<'static> {
        Known {
            organisation: "Fjord Supply",
            role,
            is_owner: false,
            protection,
            policy,
            trust: Trust::Off,
            managers: Managers::default(),
            now: NOW,
            zone: const { &TimeZone::UTC },
        }
    }

    fn level(level: Level) -> Policy {
        Policy {
            level,
            grace_days: 7,
        }
    }

    #[test]
    fn the_page_says_what_the_product_does() {
        let page = page(Reader::Stranger);
        for said in [
            "Halden Portal",
            "waits 45 minutes",
            "10 recovery codes",
            "every 30 seconds",
            "Each code works once",
            "Trust this browser for 30 days",
            "Use a recovery code",
            "Reset two-factor",
            "Enable 2-step verification",
            "Disable 2-step verification",
            "the role Admin or Master",
            "at most 30",
        ] {
            assert!(page.contains(said), "{said}");
        }
    }

    #[test]
    fn no_reader_is_told_a_command() {
        let of = known(Role::Master, Protection::On, level(Level::Required));
        let owner = Known {
            is_owner: true,
            ..of
        };
        for reader in [Reader::Stranger, Reader::Half, Reader::Known(owner)] {
            let page = page(reader);
            for word in ["doorward", "command", "reset-two-factor", "sign-in-link"] {
                assert!(!page.contains(word), "{word} for {reader:?}");
            }
        }
    }

    #[test]
    fn links_lead_only_where_the_reader_may_go() {
        let set_up = "href=\"/account/two-factor\"";
        let stranger = page(Reader::Stranger);
        assert!(stranger.contains("href=\"/sign-in\"") && !stranger.contains(set_up));
        let half = page(Reader::Half);
        assert!(half.contains("href=\"/sign-in/code\"") && !half.contains("href=\"/sign-in\""));
        assert!(!half.contains(set_up));
        let of = known(Role::Member, Protection::On, level(Level::Off));
        let member = page(Reader::Known(of));
        assert!(member.contains(set_up) && !member.contains("href=\"/sign-in"));
    }

    #[test]
    fn what_is_asked_is_told_as_it_is() {
        let end = NOW.plus(3 * DAY);
        for (protection, asks, says, never) in [
            (
                Protection::On,
                Level::Required,
                "cannot be turned off",
                "Set it up</a>",
            ),
            (
                Protection::On,
                Level::Recommended,
                "recommends 2FA for the role Billing",
                "You have until",
            ),
            (
                Protection::Without(Asked::By(end)),
                Level::Required,
                "You have until",
                "You had until",
            ),
            (
                Protection::Without(Asked::By(NOW)),
                Level::Required,
                "You had until",
                "You have until",
            ),
            (
                Protection::Without(Asked::Recommended),
                Level::Recommended,
                "It is off for your account",
                "requires 2FA for",
            ),
            (
                Protection::Without(Asked::Nothing),
                Level::Off,
                "asks for no 2FA",
                "requires 2FA for",
            ),
        ] {
            let of = known(Role::Billing, protection, level(asks));
            let page = page(Reader::Known(of));
            assert!(page.contains("What Fjord Supply asks of you"));
            assert!(
                page.contains(says) && !page.contains(never),
                "{protection:?} {asks:?}"
            );
        }
    }

    #[test]
    fn each_reader_is_sent_to_somebody_who_can_help_them() {
        for (role, managers, helpers) in [
            (Role::Member, Managers::Admins, "the role Admin or Master."),
            (Role::Admin, Managers::Admins, "the role Admin or Master."),
            (Role::Member, Managers::Masters, "the role Master."),
            (Role::Master, Managers::Admins, "the role Master."),
        ] {
            let of = Known {
                managers,
                ..known(role, Protection::On, level(Level::Off))
            };
            assert!(
                page(Reader::Known(of)).contains(&format!("at Fjord Supply with {helpers}")),
                "{role}"
            );
        }
        let owner = Known {
            is_owner: true,
            ..known(Role::Master, Protection::On, level(Level::Off))
        };
        let page = page(Reader::Known(owner));
        assert!(
            page.contains("nobody in it can do this for you") && !page.contains("Ask somebody at")
        );
    }
}
