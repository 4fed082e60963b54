//! How the settings are drawn: one narrow column, each section a form of its own.

use maud::{Markup, html};

use crate::domain::role::{Managers, Permission, Role};
use crate::domain::text::OrganisationName;
use crate::kit::html::button::Button;
use crate::kit::html::choice::{Check, Choice, Select};
use crate::kit::html::field::Field;
use crate::kit::html::form::guarded;
use crate::kit::html::nav::page_head;
use crate::kit::http::form::Form;
use crate::routes::Route;

/// The tick that leaves managing users to Masters.
pub const ONLY_MASTERS: &str = "only_masters";

/// The sections, in their order: the part of the address that leads to each, and its heading.
const SECTIONS: [(&str, &str); 3] = [
    ("general", "General"),
    ("security", "Security"),
    ("ownership", "Ownership"),
];

/// The page around its sections, which stand in the order of the headings.
#[must_use]
pub fn page(organisation: &OrganisationName, sections: &[Markup; 3]) -> Markup {
    let lead = format!("What {organisation} decides for itself.");
    html! {
        (page_head("Settings", Some(&lead), None))
        nav.row aria-label="On this page" {
            @for (id, heading) in SECTIONS { a href={ "#" (id) } { (heading) } }
        }
        @for ((id, heading), body) in SECTIONS.iter().zip(sections) {
            section.stack.narrow id=(id) { h2 { (heading) } (body) }
        }
    }
}

/// Name and time zone.
#[derive(Clone, Copy, Debug)]
pub struct General<'g> {
    /// The name as it is.
    pub name: &'g str,
    /// The zone as it is.
    pub time_zone: &'g str,
    /// The zones to choose from.
    pub zones: &'g [String],
    /// What was typed and could not be taken.
    pub refused: Option<&'g Form>,
}

/// The form for both.
#[must_use]
pub fn general(general: &General<'_>, csrf: &str) -> Markup {
    let (name, zone) = match general.refused {
        Some(form) => (form.typed("organisation"), form.typed("timezone")),
        None => (general.name, general.time_zone),
    };
    let error = |field| general.refused.and_then(|form| form.error(field));
    // Nothing is focused until something is wrong: whoever comes here may want to read first.
    let focus = general.refused.and_then(Form::first_problem);
    let focus = focus.unwrap_or_default();
    let choices = general.zones.iter().map(|one| Choice::new(one, one));
    let body = html! {
        (Field::text("organisation", "Organisation").autocomplete("organization").value(name).required().focus(focus)
            .hint("Stands on every page, in mails, and where invitations lead to.").error(error("organisation")))
        (Select::new("timezone", "Time zone", choices.collect()).chosen(zone).focus(focus)
            .hint("In which times are shown, on pages to everybody who has not chosen their own, and in mails.")
            .error(error("timezone")))
        (Button::submit("Save name and time zone", "Saving…"))
    };
    guarded(&Route::SaveGeneral.to_string(), csrf, &body)
}

/// Who manages users, and whom a change would concern.
#[derive(Clone, Copy, Debug)]
pub struct Security {
    /// As it is.
    pub managers: Managers,
    /// How many Active Admins there are.
    pub admins: i64,
}

/// The form, and what the switch does.
#[must_use]
pub fn security(security: &Security, csrf: &str) -> Markup {
    let [with, without] = [Managers::Admins, Managers::Masters];
    let (many, few) = (
        Role::Admin.permissions(with).count(),
        Role::Admin.permissions(without).count(),
    );
    let both = html! {
        "“" (Permission::UsersManage.label()) "” and “" (Permission::RolesAssign.label()) "”"
    };
    let is_on = security.managers == Managers::Masters;
    let hint = html! {
        @if is_on {
            "It is on: Admins have " (few) " permissions, without " (both) ". Without the tick they have " (many)
            " again, from their next sign-in on. " (admins_now(security.admins)) "."
        } @else {
            "With the tick Admins lose " (both) ": they keep " (few) " permissions of " (many)
            ". They are signed out at once, and links of their invitations that nobody has used are refused. "
            (admins_now(security.admins)) "."
        }
    };
    let body = html! {
        (Check::new(ONLY_MASTERS, "Only Masters manage users").ticked(is_on).hint(hint))
        (Button::submit("Save who manages users", "Saving…").plain())
    };
    guarded(&Route::SaveSecurity.to_string(), csrf, &body)
}

fn admins_now(admins: i64) -> String {
    match admins {
        0 => "There is no Active Admin now".to_owned(),
        1 => "There is 1 Active Admin now".to_owned(),
        many => format!("There are {many} Active Admins now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::http::fields::Fields;

    fn drawn(refused: Option<&Form>) -> String {
        let zones = ["UTC".to_owned(), "Europe/Oslo".to_owned()];
        let page = General {
            name: "Halden & Works",
            time_zone: "Europe/Oslo",
            zones: &zones,
            refused,
        };
        general(&page, "proof").into_string()
    }

    #[test]
    fn the_form_shows_what_is_and_after_a_refusal_what_was_typed() {
        let page = drawn(None);
        assert!(page.contains("value=\"Halden &amp; Works\""), "{page}");
        assert!(page.contains("<option value=\"Europe/Oslo\" selected>"));
        assert!(!page.contains("aria-invalid") && !page.contains("autofocus"));
        let fields = Fields::parse(b"organisation=%C2%AB&timezone=UTC").unwrap();
        let mut form = Form::new(fields);
        form.problem("organisation", "No.");
        let page = drawn(Some(&form));
        assert!(page.contains("value=\"«\""), "{page}");
        assert!(page.contains("<option value=\"UTC\" selected>"));
        assert_eq!(page.matches("aria-invalid").count(), 1);
        assert_eq!(page.matches("autofocus").count(), 1);
    }

    #[test]
    fn the_switch_says_what_it_does_and_to_how_many() {
        let page = |managers, admins| {
            let security = Security { managers, admins };
            super::security(&security, "proof").into_string()
        };
        let off = page(Managers::Admins, 3);
        for said in [
            "they keep 5 permissions of 7",
            "signed out at once",
            "There are 3 Active Admins now.",
        ] {
            assert!(off.contains(said), "{said}: {off}");
        }
        assert!(!off.contains("checked"));
        let on = page(Managers::Masters, 1);
        for said in [
            "Admins have 5 permissions",
            "they have 7 again, from their next sign-in on",
            "There is 1 Active Admin now.",
            "checked",
        ] {
            assert!(on.contains(said), "{said}: {on}");
        }
        assert!(!on.contains("signed out"));
    }
}
