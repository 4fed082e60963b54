//! The sample pages around the layouts.

use maud::{Markup, html};

use super::{CSRF, head, role_select, table_part};
use crate::kit::html::Tone;
use crate::kit::html::button::Button;
use crate::kit::html::copy::{copy_box, first_copy_box, scan, steps};
use crate::kit::html::dialog::{Panel, buttons};
use crate::kit::html::field::Field;
use crate::kit::html::form::post;
use crate::kit::html::frame::{Focus, Leave, Split, Theme, document, focus, split};
use crate::kit::html::icon::Icon;
use crate::kit::html::nav::page_head;
use crate::kit::html::notice::{alert, note};
use crate::kit::html::shell::{Entry, Group, Keys, Shell, Who, shell};

pub(super) fn in_shell(theme: Theme, toast: Option<&str>, body: &Markup) -> Markup {
    let entry = |label, icon, current, key| Entry {
        label,
        href: "#",
        icon,
        current,
        waiting: None,
        key,
    };
    let first = [
        entry("Dashboard", Icon::LayoutDashboard, false, Some('d')),
        entry("IAM", Icon::Users, true, Some('a')),
        entry("Resources", Icon::Server, false, Some('r')),
        entry("Billing", Icon::ReceiptText, false, Some('b')),
        entry("Audit log", Icon::ScrollText, false, Some('l')),
    ];
    let second = [
        Entry {
            waiting: Some((2, "waiting to be sent")),
            ..entry("Mail", Icon::Mail, false, Some('m'))
        },
        entry("Settings", Icon::Settings, false, Some('s')),
    ];
    let own = [
        entry("Account", Icon::UserRound, false, None),
        entry("Help", Icon::LifeBuoy, false, None),
    ];
    let around = Shell {
        brand: "Halden Works",
        sub: "Portal",
        home: "#",
        ribbon: Some("Demo"),
        groups: &[
            Group {
                label: None,
                entries: &first,
            },
            Group {
                label: Some("Organisation"),
                entries: &second,
            },
        ],
        who: Who {
            name: "Ingrid Solheim",
            sub: "Master",
            initials: "IS",
            hue: 0,
            entries: &own,
            csrf: CSRF,
            sign_out: "/sign-out",
            theme_action: "/theme",
            theme,
        },
        banner: Some(note(
            Tone::Warn,
            &html! { p { "This page is sent in the clear: public_url is http." } },
        )),
        toast,
        keys: Keys::On,
    };
    shell(&around, body)
}

fn create_panel() -> Panel<'static> {
    Panel {
        title: "Create account",
        lead: Some(
            html! { p { "We send an activate account link. It works once, for 24 hours." } },
        ),
        back: "/parts",
        body: post(
            "#",
            CSRF,
            &html! {
                (Field::email("email", "Email").required().focus("email").value("lea.fontaine@haldenworks.example")
                    .error(Some("This email already belongs to an account. Each email can be registered once across the whole system.")))
                (role_select())
                (buttons(&html! { (Button::close("Cancel", "/parts")) (Button::submit("Confirm", "Creating…")) }))
            },
        ),
    }
}

/// A panel as a page, with an error in its form.
pub(super) fn panel(theme: Theme) -> Markup {
    let page = in_shell(theme, None, &html! { (create_panel()) });
    document(&head("Create account · Halden Works", theme), &page)
}

/// A panel as a dialog that is open when the page arrives.
pub(super) fn dialog(theme: Theme) -> Markup {
    let created = Panel {
        title: "Account created",
        lead: Some(
            html! { p { b { "lea.fontaine@haldenworks.example" } " is Pending as Member until the link is used." } },
        ),
        back: "/parts",
        body: html! {
            (note(Tone::Warn, &html! { p { "Mail is off on this server, so nothing was sent. Give the link to the person yourself." } }))
            (first_copy_box("new-link", "Activate account link", "https://portal.haldenworks.example/activate/7Qk2mB9xT4cW8dRzLs3nHf6Y"))
            (buttons(&html! {
                (Button::dialog("Create another", "/panel"))
                (Button::close("Done", "/parts").primary())
            }))
        },
    };
    let body = html! { (page_head("IAM", None, None)) (table_part()) (created.open_dialog()) };
    let page = in_shell(theme, None, &body);
    document(&head("Accounts · IAM · Halden Works", theme), &page)
}

/// The layout of pages before sign-in.
pub(super) fn before_sign_in(theme: Theme) -> Markup {
    let around = Split {
        brand: "Portal",
        home: "#",
        panel: html! {
            p { "One person, one account." }
            p { "Clean audit logs for who did what, and each role with just the rights it needs." }
        },
        foot: Some(html! { a href="#" { "Help signing in" } }),
    };
    let form = post(
        "#",
        CSRF,
        &html! {
            h1 { "Sign in to the Portal" }
            (alert(Tone::Bad, &html! { p { "Email or password is wrong." } }))
            (Field::email("email", "Email").autocomplete("username").required().focus("email"))
            (Field::password("password", "Password").focus("email").aside(html! { a href="#" { "Forgot password?" } }))
            (Button::submit("Sign in", "Signing in…").wide())
            p.or { "or" }
            (Button::link("Use a passkey", "#").wide())
        },
    );
    document(&head("Sign in · Portal", theme), &split(&around, &form))
}

/// The layout of courses of steps.
pub(super) fn enrolment(theme: Theme) -> Markup {
    let body = html! {
        (steps(&["Add the key", "Save recovery codes"], 0))
        div {
            h1 { "Enable 2-step verification" }
            p.lead { "After your password, the Portal asks for a 6-digit code from an app on your phone." }
        }
        div.enrol {
            div.stack {
                (scan("A pattern that stands for a code", 29, |x, y| (x / 2 + y / 3 + x * y) % 3 == 0))
            }
            (post("#", CSRF, &html! {
                div.stack-2 {
                    h2 { "1. Scan the code" }
                    p { "Use any authenticator app." }
                    (copy_box("key", "Cannot scan? Type this key instead", "JBSW Y3DP EHPK 3PXP KRSX G5BA ONUG S3DF"))
                }
                hr;
                h2 { "2. Enter the code it shows" }
                (Field::code("code", "6-digit code").hint("The code changes every 30 seconds."))
                div.row { (Button::submit("Confirm", "Checking…")) }
            }))
        }
    };
    let around = Focus {
        brand: "Portal",
        home: "#",
        leave: Some(Leave::To {
            label: "Not now",
            href: "#",
        }),
    };
    document(
        &head("Enable 2-step verification · Portal", theme),
        &focus(&around, &body),
    )
}
