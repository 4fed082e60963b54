//! Every part in every state, with sample data: for the eye, for the tests, and for the browser's checks.
//! A development page; no visitor sees it.

mod layouts;

use jiff::tz::TimeZone;
use maud::{Markup, html};

use layouts::{before_sign_in, dialog, enrolment, in_shell, panel};

use super::badge::{Badge, count, nothing, sub, tag, tick};
use super::button::Button;
use super::chart::{Bar, Chart, Unfinished, share};
use super::choice::{Check, Choice, Select, Way, Ways, confirmed, facts};
use super::copy::{codes, copy_box, download, steps};
use super::field::Field;
use super::form::{get, group, guarded, hidden, post, post_button};
use super::frame::{Head, Leave, Theme, document};
use super::icon::Icon;
use super::menu::{Item, Menu};
use super::nav::{View, back, day_field, filter, page_head, search, segmented, tabs, toolbar};
use super::notice::{alert, empty, note};
use super::pages::{Pager, older};
use super::person::{avatar, erased_avatar, invited_avatar, person};
use super::stats::{Stat, details, stats, totals};
use super::table::{Cell, Column, Direction, Shape, Table, heading, row};
use super::time::{clock, day, time};
use super::{Tone, Yes};
use crate::kit::time::{DAY, HOUR, MINUTE, Timestamp};

/// The token that the sample forms send along.
const CSRF: &str = "sample";
/// 24 November 2026, 14:20 in Oslo.
const NOW: Timestamp = Timestamp(1_795_526_400);

/// A sample page: its name, and how it is drawn.
pub type Page = (&'static str, fn(Theme) -> Markup);

/// The sample pages: all parts, then each layout that is not the shell's.
pub const PAGES: [Page; 5] = [
    ("parts", parts),
    ("panel", panel),
    ("dialog", dialog),
    ("split", before_sign_in),
    ("focus", enrolment),
];

fn zone() -> TimeZone {
    TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC)
}

fn head(title: &str, theme: Theme) -> Head<'_> {
    Head {
        title,
        theme,
        has_errors: title.starts_with("Create"),
    }
}

/// All parts, in the shell.
#[must_use]
pub fn parts(theme: Theme) -> Markup {
    let body = html! {
        (page_head("Parts", Some("Each is one function of kit::html."),
            Some(&html! { (Button::link("Import", "#").icon(Icon::Upload))
                (Button::dialog("Create account", "/panel").primary().icon(Icon::Plus).key('n')) })))
        (back("Accounts", "#"))
        (sections())
    };
    let page = in_shell(
        theme,
        Some("Disabled Priya Raman. Open sessions ended."),
        &body,
    );
    document(&head("Parts · Halden Works", theme), &page)
}

fn sections() -> Markup {
    let all: [(&str, Markup); 13] = [
        ("Buttons", button_part()),
        (
            "Icons",
            html! { div.row { @for icon in Icon::ALL { span title=(icon.name()) { (icon) } } } },
        ),
        ("Fields", field_part()),
        ("Status, tags, avatars", badge_part()),
        ("Notes", note_part()),
        ("Tabs and filters", filter_part()),
        ("Table and cards", table_part()),
        ("Plain table", matrix_part()),
        ("Copy", copy_part()),
        ("Numbers", number_part()),
        ("Times", time_part()),
        ("Text to read", prose_part()),
        (
            "Empty",
            empty(
                Icon::ReceiptText,
                "No invoices yet",
                "The first one is made on 1 December for what Halden Works uses in November.",
                Some(&html! { (Button::link("See usage so far", "#")) }),
            ),
        ),
    ];
    html! {
        @for (title, body) in all { section.stack-2 { h2 { (title) } (body) } }
    }
}

fn button_part() -> Markup {
    html! {
        div.row {
            (Button::link("Create account", "#").primary().icon(Icon::Plus))
            (Button::link("Cancel", "#"))
            (Button::link("CSV", "#").quiet().icon(Icon::Download))
            (Button::link("Next", "#").small())
            (Button::print("Print"))
            (download("Download", "#", "recovery-codes.txt"))
            (post_button("#", CSRF, &Button::submit("Retry", "Retrying…").plain().small()))
            (post_button("#", CSRF, &Button::submit("Delete account", "Deleting…").danger().named("act", "delete")))
        }
        (Button::unavailable("Transfer ownership", "There is no other Master yet."))
    }
}

fn field_part() -> Markup {
    html! {
        div.enrol {
            (post("#", CSRF, &html! {
                (Field::text("name", "Name").value("Samuel Osei").autocomplete("name").required())
                (Field::email("mail", "Email").value("samuel@haldenworks.example").fixed()
                    .hint("Used to sign in."))
                (Field::tel("phone", "Phone").placeholder("+47 922 41 108"))
                (Field::number("grace", "Grace").value("7").hint("Days, 0 to 30."))
                (Field::date("from", "From").value("2026-11-24"))
                (Field::code("code", "6-digit code").sends_itself()
                    .hint("The code changes every 30 seconds. Phone and server clocks must agree."))
                (Button::submit("Verify", "Verifying…").wide())
            }))
            (guarded("#", CSRF, &html! {
                (Field::email("other", "Email").value("lea.fontaine@").error(Some("Type the whole address, like name@company.com.")))
                (Field::password("password", "Password").aside(html! { a href="#" { "Forgot password?" } }))
                (Field::new_password("new", "New password").rules()
                    .error(Some("Missing: 1 more character, a special character.")))
                (Field::area("note", "Note", 3).value("Two lines,\nkept as they are."))
                (role_select())
                (Select::new("timezone", "Time zone", vec![Choice::new("Europe/Oslo", "Europe/Oslo"), Choice::new("UTC", "UTC")])
                    .chosen("UTC").guess_zone().error(Some("Choose one of the list.")))
                (group("Two-factor", &html! {
                    (Check::new("required", "Require two-factor for everyone").ticked(true)
                        .hint("Accounts without it set it up at their next sign-in."))
                    (Check::new("saved", "I have saved these codes").error(Some("Save them first.")))
                    (Check::new("trust", "Trust this browser for 30 days").value("on"))
                }))
                (Ways::new("plan", vec![
                    ("Server", vec![Way::new("s-1", "1 core, 2 GB").hint("€12.40 a month"), Way::new("s-2", "2 cores, 4 GB").hint("€24.80 a month")]),
                    ("Database", vec![Way::new("db-1", "20 GB").hint("€88.00 a month")]),
                ]).chosen("s-2").error(Some("Choose a plan.")))
                (Button::submit("Save changes", "Saving…"))
            }))
        }
    }
}

fn role_select() -> Select<'static> {
    let about = |sentence, uses: [&str; 3]| {
        facts(
            sentence,
            &[
                ("Resources", uses[0]),
                ("Billing", uses[1]),
                ("Users", uses[2]),
            ],
        )
    };
    Select::new(
        "role",
        "Permission",
        vec![
            Choice::new("member", "Member").about(about(
                "Read-only access to resources",
                ["Get", "None", "None"],
            )),
            Choice::new("billing", "Billing").about(about(
                "Manage billing and read resources",
                ["Get", "Manage", "None"],
            )),
            Choice::new("master", "Master")
                .about(about("Full access", ["Full", "Full", "Full"]))
                .refused(Some("only a Master can give this")),
        ],
    )
    .chosen("billing")
    .hint("Can be changed later. What this account creates is billed to Halden Works.")
}

fn badge_part() -> Markup {
    html! {
        div.row {
            (Badge::Good("Active")) (Badge::Pending("Pending")) (Badge::Off("Disabled")) (Badge::Failed("Failed"))
            (Badge::Info("612 signed in")) (tag("You")) (count(14))
            @for (initials, hue) in ["IS", "TW", "MD", "NH", "IC", "SO"].iter().zip(0..) { (avatar(initials, hue)) }
            (invited_avatar()) (tick(Yes::Yes)) (tick(false)) (nothing("No phone"))
        }
        div.row { (sub(Tone::Plain, "Two-factor on")) (sub(Tone::Warn, "No two-factor")) (sub(Tone::Bad, "Link expired")) }
    }
}

fn note_part() -> Markup {
    html! {
        (note(Tone::Plain, &html! { p { "Permission changes take effect the next time the account signs in." } }))
        (note(Tone::Warn, &html! { p { b { "2 accounts sign in with a password alone." } " " a href="#" { "Show them" } "." } }))
        (alert(Tone::Bad, &html! { p { "Too many tries. Try again in 4 min." } }))
    }
}

fn filter_part() -> Markup {
    let view = |label, count, current| View {
        label,
        count,
        href: "#",
        current,
    };
    html! {
        (tabs("IAM", &[view("Accounts", Some(14), true), view("Roles", Some(4), false), view("Plain", None, false)]))
        (toolbar("#", &html! {
            (search("q", "Name or email", "osei"))
            (filter("permission", "Permission", &[("", "Any permission"), ("member", "Member")], "member"))
            (segmented("Status", &[view("All", None, true), view("Active", Some(11), false), view("Pending", Some(2), false)]))
            (day_field("from", "From", "2026-11-24"))
            span.grow {}
            (Button::link("CSV", "#").quiet().icon(Icon::Download))
        }))
    }
}

fn table_part() -> Markup {
    let columns = [
        Column::new(Cell::Main, "Name").sorted("#", None),
        Column::new(Cell::Detail, "Email"),
        Column::new(Cell::Wide, "Phone"),
        Column::new(Cell::Aside, "Permission").sorted("#", Some(Direction::Ascending)),
        Column::new(Cell::State, "Status"),
        Column::new(Cell::Extra, "Last active").sorted("#", Some(Direction::Descending)),
        Column::new(Cell::End, "Actions"),
    ];
    let seen = time(NOW.minus(12 * MINUTE), NOW, &zone());
    let rows = html! {
        (row(&[
            (Cell::Main, person(&avatar("IS", 0), &html! { a.clip href="#" { "Ingrid Solheim" } (tag("You")) })),
            (Cell::Detail, html! { "ingrid@haldenworks.example" }),
            (Cell::Wide, html! { "+47 922 41 108" }),
            (Cell::Aside, html! { "Master" }),
            (Cell::State, html! { (Badge::Good("Active")) (sub(Tone::Plain, "Two-factor on")) }),
            (Cell::Extra, seen),
            (Cell::End, html! {}),
        ]))
        (row(&[
            (Cell::Main, person(&invited_avatar(), &html! { span class="muted clip" { "Invited by Ingrid" } })),
            (Cell::Detail, html! { "lea.fontaine@haldenworks.example" }),
            (Cell::Wide, nothing("No phone")),
            (Cell::Aside, html! { "Member" }),
            (Cell::State, html! { (Badge::Pending("Pending")) (sub(Tone::Warn, "Link expires in 5 h")) }),
            (Cell::Extra, html! { span.muted { "Never" } }),
            (Cell::End, row_menu()),
        ]))
        (row(&[
            (Cell::Main, person(&erased_avatar(), &html! { "Erased account" })),
            (Cell::Detail, nothing("No address")),
            (Cell::Wide, nothing("No phone")),
            (Cell::Aside, html! { "Member" }),
            (Cell::State, html! { (Badge::Off("Deleted")) (sub(Tone::Plain, "Since 3 Nov")) }),
            (Cell::Extra, time(NOW.minus(22 * DAY), NOW, &zone())),
            (Cell::End, html! {}),
        ]))
        (row(&[
            (Cell::Main, person(&avatar("PR", 4), &html! { a.clip href="#" { "Priya Raman" } })),
            (Cell::Detail, html! { "priya@haldenworks.example" }),
            (Cell::Wide, html! { "+47 901 77 340" }),
            (Cell::Aside, html! { "Admin" }),
            (Cell::State, html! { (Badge::Off("Disabled")) (sub(Tone::Plain, "Since 3 Nov")) }),
            (Cell::Extra, time(NOW.minus(21 * DAY), NOW, &zone())),
            (Cell::End, html! {}),
        ]))
    };
    html! {
        form.row.selection method="post" action="#" aria-label="Selected accounts" {
            (hidden("csrf", CSRF))
            label.pick.scripted for="all" {
                input type="checkbox" id="all" data-all="account";
                span { "Select all on this page" }
            }
            span.muted.scripted role="status" data-count="account" { "2 selected" }
            span.row { (Button::submit("Sign out everywhere", "Opening…").plain().small()) }
        }
        (Table { caption: "Accounts", shape: Shape::Cards, columns: &columns, rows, foot: None })
        (Pager { first: 1, last: 3, total: 14, previous: None, next: Some("#") })
        (older("Older events", "#"))
    }
}

fn row_menu() -> Markup {
    let items = [
        Item::Post {
            icon: Icon::RefreshCw,
            label: "Resend invitation",
            action: "#",
        },
        Item::Link {
            icon: Icon::Link,
            label: "Copy activation link",
            href: "#",
        },
        Item::Dialog {
            icon: Icon::UserRoundCog,
            label: "Change permission…",
            href: "/panel",
        },
        Item::Rule,
        Item::Danger {
            icon: Icon::Trash2,
            label: "Delete…",
            href: "/panel",
        },
    ];
    html! { (Menu { label: "Actions for lea.fontaine@haldenworks.example", csrf: CSRF, items: &items }) }
}

fn matrix_part() -> Markup {
    let columns = [
        Column::new(Cell::Main, "Permission"),
        Column::new(Cell::Extra, "Member"),
        Column::new(Cell::Extra, "Master"),
        Column::new(Cell::Amount, "This month"),
    ];
    let line = |name, member: bool, amount| {
        row(&[
            (Cell::Main, html! { (name) }),
            (Cell::Extra, tick(member)),
            (Cell::Extra, tick(true)),
            (Cell::Amount, html! { (amount) }),
        ])
    };
    let rows = html! {
        (heading(4, "Resources"))
        (line("Get resources", true, "€41.30"))
        (line("Manage resources", false, "€1,088.00"))
    };
    let foot = row(&[
        (Cell::Main, html! { "Total" }),
        (Cell::Extra, html! {}),
        (Cell::Extra, html! {}),
        (Cell::Amount, html! { "€1,129.30" }),
    ]);
    html! {
        (Table { caption: "Permission matrix", shape: Shape::Plain, columns: &columns, rows, foot: Some(foot) })
    }
}

fn copy_part() -> Markup {
    html! {
        (copy_box("link", "Activate account link", "https://portal.haldenworks.example/activate/7Qk2mB9xT4cW8dRzLs3nHf6Y"))
        (codes("codes", "Recovery codes", &["k7mq-2vfd", "9xtr-h4wn", "c3pz-8ybj", "w6ga-n5ke"]))
        div.row { (Button::copy("Copy", "codes")) }
        (get("#", &html! {
            (confirmed("kept", "I have saved these codes somewhere other than my phone."))
            div.row { (Button::submit("Done", "One moment…")) }
        }))
        (Leave::SignOut { action: "#", csrf: CSRF })
        (steps(&["Add the key", "Save recovery codes", "Done"], 1))
        (details(&[
            ("Sign-in", html! { "Password. No two-factor" }),
            ("Member since", html! { (day(NOW.minus(265 * DAY), &zone())) }),
        ]))
    }
}

fn number_part() -> Markup {
    let bars: Vec<Bar> = (1_u64..=30)
        .map(|day| Bar {
            label: if day == 30 { "Today" } else { "A day" },
            value: day * 37 % 29,
            failed: if day % 9 == 0 { day / 9 } else { 0 },
            text: "",
        })
        .collect();
    html! {
        (stats(&[
            Stat { label: "Accounts", value: "14", note: Some((Tone::Plain, "11 active, 2 pending")), href: Some("#") },
            Stat { label: "Two-factor", value: "82%", note: Some((Tone::Warn, "2 accounts without")), href: Some("#") },
            Stat { label: "Resources", value: "37", note: None, href: None },
            Stat { label: "November so far", value: "€1,184.20", note: Some((Tone::Plain, "€1,470 expected")), href: None },
        ]))
        (Chart { id: "chart", title: "Sign-ins, last 30 days", legend: ("612 signed in", Some("11 failed")),
            heads: ("Day", "Signed in", Some("Failed")), bars: &bars })
        (Unfinished {
            chart: Chart { id: "cost", title: "Cost by month", legend: ("Closed months", None), heads: ("Month", "Cost", None),
                bars: bars.get(..12).unwrap_or_default() },
            legend: "November so far",
        })
        (share(610, 1_184))
        (totals(&[
            ("Server".to_owned(), html! { "802.00 EUR" }),
            ("Total".to_owned(), html! { "802.00 EUR" }),
        ]))
    }
}

fn prose_part() -> Markup {
    html! {
        article.prose {
            p { "A page that is read from top to bottom keeps its lines short." }
            ul { li { "One thing," } li { "and another." } }
            ol { li { "First this," } li { "then that." } }
        }
    }
}

fn time_part() -> Markup {
    let zone = zone();
    html! {
        ul.row {
            @for age in [0, 12 * MINUTE, 3 * HOUR, DAY, 3 * DAY, 10 * DAY, 400 * DAY, -HOUR, -DAY, -9 * DAY] {
                li { (time(NOW.minus(age), NOW, &zone)) }
            }
            li { (clock(NOW, &zone)) }
        }
    }
}
