//! The first steps of an organisation: each is ticked by what is true now, and leads to where it is done.

use maud::{Markup, html};

use super::{Concern, Dashboard, line};
use crate::kit::html::badge::Badge;
use crate::kit::html::button::Button;
use crate::kit::html::form::post_button;
use crate::kit::html::stats::details;
use crate::routes::Route;

/// What is still to be done; what is none is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstSteps {
    /// An address that people can reach.
    pub address: Option<Concern>,
    /// Mail that leaves.
    pub mail: Option<Concern>,
    /// A second factor on every account.
    pub two_factor: Option<Concern>,
    /// Somebody who can help when the one Master cannot.
    pub master: Option<Concern>,
    /// A copy of all of it.
    pub backup: Option<Concern>,
}

impl FirstSteps {
    const fn steps(&self) -> [&Option<Concern>; 5] {
        let Self {
            address,
            mail,
            two_factor,
            master,
            backup,
        } = self;
        [address, mail, two_factor, master, backup]
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn are_done(&self) -> bool {
        self.steps().into_iter().all(Option::is_none)
    }
}

pub(super) fn card(steps: &FirstSteps, page: &Dashboard<'_>) -> Markup {
    let done = steps.steps().iter().filter(|step| step.is_none()).count();
    let lines: Vec<(&str, Markup)> = steps
        .steps()
        .into_iter()
        .zip(all_done())
        .map(|(step, (name, words))| match step {
            Some(concern) => (name, line(concern, page).1),
            None => (name, html! { (Badge::Good("Done")) br; (words) }),
        })
        .collect();
    let put_away = Button::submit("Put away", "Putting away…").plain().small();
    html! {
        section.stack-2 #first-steps {
            div.page-head {
                div { h2 { "First steps" } p { (done) " of " (lines.len()) " done" } }
                (post_button(&Route::PutFirstStepsAway.to_string(), page.csrf, &put_away))
            }
            (details(&lines))
        }
    }
}

/// What each step is called, and what is true once it is done.
fn all_done() -> [(&'static str, Markup); 5] {
    [
        (
            "Public address",
            html! { "Links lead to " a href=(Route::Dashboard) { "the address that people type" } "." },
        ),
        (
            "Mail",
            html! { "Invitations and notices leave by mail: " a href=(Route::Mail) { "what was sent" } "." },
        ),
        (
            "Two-factor for all",
            html! { a href={ (Route::Accounts) "?two_factor=on" } { "Every account" } " has it." },
        ),
        (
            "Second Master",
            html! { "Somebody can step in: " a href={ (Route::Accounts) "?role=master" } { "all Masters" } "." },
        ),
        (
            "Backup",
            html! { "There is one: " a href={ (Route::Settings) "#backup" } { "when and how large" } "." },
        ),
    ]
}
